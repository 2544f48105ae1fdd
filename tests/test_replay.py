"""Recorded answers, from cassettes written here and by vcr itself."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest
import requests
import vcr
import yaml

from qetch import errors
from qetch.credentials import Credentials
from qetch.policy import Policy
from qetch.replay import ReplayAdapter
from qetch.session import Session, content_length, mount_replay
from tests.origin import Origin, Reply, Script, ranged, redirect

if TYPE_CHECKING:
    from collections.abc import Mapping


def one(
    uri: str,
    answer: str | bytes = "",
    method: str = "GET",
    status: int = 200,
    body: str | bytes | None = None,
    sent: Mapping[str, Any] | None = None,
    headers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One interaction as vcr writes it."""
    return {
        "request": {"method": method, "uri": uri, "body": body, "headers": sent or {}},
        "response": {"status": {"code": status, "message": "OK"}, "headers": headers or {}, "body": {"string": answer}},
    }


@pytest.fixture
def record(tmp_path):
    """Writes a cassette of the given interactions, and gives a session that plays the folder."""
    sessions = []

    def write(*interactions, file="a/cassette.yaml", credentials=None):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({"version": 1, "interactions": list(interactions)}))
        session = Session(Policy(rate=(1, 3600)))
        session.credentials = credentials
        mount_replay(session, ReplayAdapter(tmp_path))
        sessions.append(session)
        return session

    yield write
    for session in sessions:
        session.close()


def test_a_recorded_answer_comes_with_status_headers_and_body(record):
    session = record(
        one("https://a.example/x", '{"a": "ü"}', status=404, headers={"Content-Type": ["application/json"]})
    )
    answer = session.fetch("GET", "https://a.example/x")
    assert (answer.status, answer.text, answer.headers["content-type"]) == (404, '{"a": "ü"}', "application/json")
    assert session.offline


def test_a_replay_needs_no_waiting_and_no_address(record):
    session = record(one("http://127.0.0.1/x"))
    session.pause(3600, "http://127.0.0.1/x")
    assert [session.fetch("GET", "http://127.0.0.1/x").status for _ in range(3)] == [200] * 3


def test_a_dead_site_still_answers_from_records(record):
    session = record(one("https://a.example/", "kept"))
    session.policy = Policy(closed="closed in 2023")
    assert session.fetch("GET", "https://a.example/").text == "kept"


def test_the_order_of_query_and_form_entries_does_not_matter(record):
    session = record(
        one("https://a.example/x?b=2&a=1&a=0&c=", "query"),
        one("https://a.example/f", "form", "POST", body="b=2&a=%C3%BC+x"),
    )
    assert (
        session.fetch("GET", "https://a.example/x", query=[("a", "0"), ("c", ""), ("a", 1), ("b", 2)]).text == "query"
    )
    assert session.fetch("POST", "https://a.example/f", data={"a": "ü x", "b": 2}).text == "form"
    with pytest.raises(errors.ReplayMiss):
        session.fetch("GET", "https://a.example/x", query={"a": 1, "b": 2})


def test_json_bodies_are_compared_as_json(record):
    session = record(
        one("https://a.example/j", "first", "POST", body='{"b": [1, true],\n "a": "x"}'),
        one("https://a.example/j", "second", "POST", body='{"b": [1, 1], "a": "x"}'),
    )
    assert session.fetch("POST", "https://a.example/j", json={"a": "x", "b": [1, 1]}).text == "second"
    assert session.fetch("POST", "https://a.example/j", json={"a": "x", "b": [1, True]}).text == "first"
    with pytest.raises(errors.ReplayMiss, match="with another body"):
        session.fetch("POST", "https://a.example/j", json={"a": "y", "b": [1, True]})


def test_other_bodies_are_compared_byte_by_byte(record):
    session = record(one("https://a.example/", "ok", "PUT", body=b"\x00\xff"))
    assert session.fetch("PUT", "https://a.example/", data=b"\x00\xff").text == "ok"
    assert session.put("https://a.example/", data=iter([b"\x00", b"\xff"])).text == "ok"
    with pytest.raises(errors.ReplayMiss):
        session.fetch("PUT", "https://a.example/", data=b"\x00")


def test_stars_stand_for_any_secret(record):
    session = record(
        one("https://a.example/?key=***&a=1", "query"),
        one("https://a.example/j", "json", "POST", body='{"id": "***", "grant": "client"}'),
        one("https://a.example/f", "form", "POST", body="id=***&grant=client"),
    )
    assert session.fetch("GET", "https://a.example/?a=1&key=sesame").text == "query"
    assert session.fetch("POST", "https://a.example/j", json={"grant": "client", "id": "sesame"}).text == "json"
    assert session.fetch("POST", "https://a.example/f", data={"grant": "client", "id": "sesame"}).text == "form"
    with pytest.raises(errors.ReplayMiss):
        session.fetch("POST", "https://a.example/j", json={"grant": "other", "id": "sesame"})


def test_credentials_are_not_needed_and_do_not_disturb(record):
    secret = Credentials(frozenset({"a.example"}), headers={"X-Key": "sesame-1"}, query={"key": "sesame-1"})
    session = record(one("https://a.example/?a=1", "ok"), credentials=secret)
    assert session.fetch("GET", "https://a.example/?a=1").text == "ok"
    with pytest.raises(errors.ReplayMiss) as caught:
        session.fetch("GET", "https://a.example/?a=2")
    assert "sesame" not in str(caught.value)


def test_answers_to_one_request_play_in_order_and_the_last_repeats(record):
    session = record(*(one("https://a.example/", text) for text in ("1", "2", "3")))
    assert [session.fetch("GET", "https://a.example/").text for _ in range(5)] == ["1", "2", "3", "3", "3"]


def test_a_range_gets_its_own_record_and_else_the_whole(record):
    session = record(
        one("https://a.example/f", "whole"),
        one(
            "https://a.example/f",
            "ho",
            status=206,
            sent={"Range": ["bytes=1-2"]},
            headers={"Content-Range": ["bytes 1-2/5"]},
        ),
    )
    url = "https://a.example/f"
    assert session.get(url, headers={"Range": "bytes=1-2"}).text == "ho"
    assert session.get(url, headers={"Range": "bytes=0-1"}).text == "whole"
    assert session.get(url).text == "whole"
    assert content_length(session, url, {}) == 5


def test_a_range_alone_does_not_answer_for_the_whole(record):
    session = record(one("https://a.example/f", "ho", sent={"range": "bytes=1-2"}))
    with pytest.raises(errors.ReplayMiss):
        session.get("https://a.example/f")


def test_media_bytes_stream_with_their_length(record):
    data = bytes(range(256)) * 1000
    session = record(one("https://a.example/f", data, headers={"transfer-encoding": ["chunked"]}))
    with session.get("https://a.example/f", stream=True) as response:
        assert response.headers["Content-Length"] == "256000"
        assert response.raw.read1(10) == data[:10]
        assert b"".join(response.iter_content(999)) == data[10:]


def test_a_compressed_record_is_decoded_like_one_from_the_network(record):
    session = record(one("https://a.example/f", gzip.compress(b"text"), headers={"Content-Encoding": ["gzip"]}))
    assert session.fetch("GET", "https://a.example/f").text == "text"
    assert session.get("https://a.example/f").text == "text"


def test_a_record_that_was_cut_off_is_cut_off(record):
    session = record(one("https://a.example/f", "12345", headers={"Content-Length": ["9"]}))
    with pytest.raises(errors.NetworkError):
        session.fetch("GET", "https://a.example/f")


def test_redirects_and_cookies_are_played(record):
    session = record(
        one(
            "https://a.example/", status=302, headers={"Location": ["/ü"], "Set-Cookie": ["a=1; Path=/", "b=2; Path=/"]}
        ),
        one("https://a.example/%C3%BC", "there"),
    )
    assert session.fetch("GET", "https://a.example").url == "https://a.example/%C3%BC"
    assert session.cookies.get_dict() == {"a": "1", "b": "2"}


def test_a_head_request_has_no_body(record):
    session = record(one("https://a.example/", "", "HEAD", headers={"Content-Length": ["9"]}))
    answer = session.fetch("HEAD", "https://a.example/")
    assert (answer.body, answer.headers["Content-Length"]) == (b"", "9")


def test_a_miss_names_the_request_and_what_is_recorded_for_the_host(record):
    session = record(one("https://a.example/thread/1"), one("https://a.example/b"), one("https://c.example/thread/2"))
    with pytest.raises(
        errors.ReplayMiss, match=r"GET https://a.example/thread/2 - .*GET https://a.example/thread/1"
    ) as caught:
        session.fetch("GET", "https://a.example/thread/2")
    assert "c.example" not in str(caught.value)
    with pytest.raises(errors.ReplayMiss, match="nothing of this host"):
        session.fetch("GET", "https://d.example/")
    with pytest.raises(errors.ReplayMiss, match="POST"):
        session.fetch("POST", "https://a.example/b")


def test_all_cassettes_below_the_folder_are_played(record):
    record(one("https://a.example/1", "one"), file="x/y/one.yaml")
    session = record(one("https://a.example/2", "two"), file="two.yaml")
    assert (
        session.fetch("GET", "https://a.example/1").text + session.fetch("GET", "https://a.example/2").text == "onetwo"
    )


def test_a_cassette_that_vcr_recorded_is_played(tmp_path):
    cassette = tmp_path / "recorded.yaml"
    media = bytes(range(256))
    script: dict[str, Script] = {
        "/": redirect("/j?b=1&a=2"),
        "/j": Reply(body='{"ü": 1}', gzip=True),
        "/f": ranged(media),
        "/p": Reply(body="p"),
    }

    def ask(session: Session, origin: Origin) -> list[tuple[int, str, bytes]]:
        session.allow_private = True
        asked = [
            session.fetch("GET", origin.url("/")),
            session.fetch("GET", origin.url("/f"), headers={"Range": "bytes=1-2"}),
            session.fetch("GET", origin.url("/f")),
            session.fetch("POST", origin.url("/p"), data={"a": "b"}),
        ]
        return [(answer.status, answer.url, answer.body) for answer in asked]

    with Origin(script) as origin, vcr.use_cassette(str(cassette)), Session() as session:
        live = ask(session, origin)
    with Session() as session:
        mount_replay(session, ReplayAdapter(tmp_path))
        assert ask(session, origin) == live
    assert [body for _, _, body in live] == ['{"ü": 1}'.encode(), media[1:3], media, b"p"]


GET = "interactions: [{request: {method: GET, uri: 'http://a/'}, response: "


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (GET + "{status: {code: x}}}]\n", "interaction 1"),
        (GET + "{status: 200}}]\n", "interaction 1"),
        (GET + "{status: {code: 200}, body: {string: 1}}}]\n", "interaction 1"),
        ("", "interactions"),
        ("- a\n", "interactions"),
        ("interactions: 1\n", "interactions"),
        ("interactions: [\n", r"\.yaml:\d+:\d+"),
        ("interactions: [1]\n", "interaction 1"),
        ("interactions: [{request: {method: GET, uri: nothing}, response: {status: {code: 200}}}]\n", "interaction 1"),
        ("interactions: !!python/object:os.system {}\n", "bad YAML"),
        ("\xff\x00", "bad YAML"),
        ("[" * 5000, "bad YAML"),
    ],
)
def test_a_broken_cassette_is_an_error_that_names_the_file(tmp_path, text, place):
    (tmp_path / "broken.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(errors.FileError, match=rf"broken\.yaml.*{place}|{place}"):
        ReplayAdapter(tmp_path)


def test_a_folder_without_cassettes_is_an_error(tmp_path):
    with pytest.raises(errors.FileError, match="no cassette"):
        ReplayAdapter(tmp_path)
    with pytest.raises(errors.FileError, match="no such folder"):
        ReplayAdapter(tmp_path / "none")


def test_a_plain_session_of_requests_can_play_as_well(tmp_path):
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"interactions": [one("https://a.example/", "x")]}))
    with requests.Session() as session:
        mount_replay(session, ReplayAdapter(str(tmp_path)))
        assert session.get("https://a.example/").text == "x"
