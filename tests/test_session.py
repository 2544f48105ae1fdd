"""The session: answers, redirects, headers, adapters, children."""

from __future__ import annotations

import pytest
import requests
from requests.adapters import HTTPAdapter

from qetch import errors
from qetch.credentials import Credentials
from qetch.policy import Policy
from qetch.session import Session, content_length, mount_replay
from tests.origin import Origin, Reply, ranged, redirect
from tests.sessions import HERE, SECRET, Recorder, keyed, plain_environment, seen_secret


@pytest.fixture(autouse=True)
def _plain(monkeypatch, tmp_path):
    plain_environment(monkeypatch, tmp_path)


@pytest.fixture
def session():
    with Session(HERE) as made:
        yield made


def test_an_answer_holds_the_whole_body_and_where_it_came_from(session):
    with Origin({"/old": redirect("/new"), "/new": Reply(headers={"X-Kind": "new"}, body="done")}) as origin:
        answer = session.fetch("GET", origin.url("/old"))
    assert (answer.url, answer.request_url) == (origin.url("/new"), origin.url("/old"))
    assert (answer.status, answer.text, answer.headers["x-kind"]) == (200, "done", "new")


def test_a_status_is_an_answer_and_no_error(session):
    with Origin({"/": Reply(status=503, body="later")}) as origin:
        assert (answer := session.fetch("GET", origin.url())).status == 503
    assert answer.body == b"later"


def test_a_redirect_that_is_not_followed_is_the_answer_with_its_body(session):
    with Origin({"/": redirect("file:///etc/passwd", body="moved")}) as origin:
        answer = session.fetch("GET", origin.url(), redirects=False)
    assert (answer.status, answer.headers["location"], answer.body) == (302, "file:///etc/passwd", b"moved")


def test_query_form_json_headers_and_cookies_are_sent(session):
    with Origin({"*": Reply()}) as origin:
        session.fetch("GET", origin.url("/a?x=1"), query={"y": "ü /"}, headers={"X-A": "b"}, cookies={"c": "d"})
        session.fetch("POST", origin.url("/f"), data={"k": "v w"})
        session.fetch("POST", origin.url("/j"), json={"k": [1, None]})
    get, form, json = origin.requests
    assert (get.path, get.headers["X-A"], get.headers["Cookie"]) == ("/a?x=1&y=%C3%BC+%2F", "b", "c=d")
    assert form.body == b"k=v+w"
    assert json.body == b'{"k": [1, null]}'


def test_cookies_that_a_site_sets_come_back_to_it(session):
    with Origin({"/in": Reply(headers={"Set-Cookie": "id=7; Path=/"}), "/": Reply()}) as origin:
        session.fetch("GET", origin.url("/in"))
        session.fetch("GET", origin.url("/"))
    assert origin.requests[1].headers["Cookie"] == "id=7"


def test_one_connection_serves_many_requests(session):
    with Origin({"*": Reply(body="x" * 100_000, framing="chunked")}) as origin:
        for _ in range(3):
            session.fetch("GET", origin.url("/"))
    assert origin.connections == 1


def test_redirects_in_a_circle_end(session):
    with (
        Origin({"/a": redirect("/b"), "/b": redirect("/a")}) as origin,
        pytest.raises(errors.RemoteError, match="circle"),
    ):
        session.fetch("GET", origin.url("/a"))
    assert len(origin.requests) == 11


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "javascript:void(0)",
        "data:text/plain,x",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://me:you@127.0.0.1/",
        "http://a b/",
        "http://*.example/",
        "http://\udcff/",
    ],
)
def test_a_redirect_to_what_is_no_web_address_is_refused(session, location):
    with (
        Origin(
            {"/": b"HTTP/1.1 302 F\r\nLocation: " + location.encode(errors="surrogateescape") + b"\r\n\r\n"}
        ) as origin,
        pytest.raises(errors.RemoteError, match="redirects to something that is not"),
    ):
        session.fetch("GET", origin.url())


def test_a_redirect_to_a_foreign_host_is_refused(session):
    with (
        Origin({"*": Reply()}, host="127.0.0.2") as foreign,
        Origin({"/": redirect(foreign.url("/x"))}) as origin,
        pytest.raises(errors.HostRefused, match=r"here: .* 127\.0\.0\.2 .* `domains`"),
    ):
        session.fetch("GET", origin.url())
    assert not foreign.requests


def test_the_endless_body_of_a_redirect_is_not_read(session):
    with Origin({"/": redirect("/x", body="x" * 10_000_000, drip=0.05), "/x": Reply(body="there")}) as origin:
        assert session.fetch("GET", origin.url()).text == "there"
        assert session.get(origin.url()).text == "there"


@pytest.mark.parametrize("location", ["/ü/ä", "//HOST/ü/ä", "ü/ä", "/%C3%BC/ä"])
def test_relative_and_unescaped_redirects_are_followed(session, location):
    with Origin({"/%C3%BC/%C3%A4": Reply(body="there")}) as origin:
        origin.routes["/"] = redirect(location.replace("HOST", f"127.0.0.1:{origin.port}"))
        assert session.fetch("GET", origin.url()).text == "there"


def test_a_plain_get_is_checked_like_a_fetch(session):
    with Origin({"/": redirect("http://127.0.0.2:1/")}) as origin, pytest.raises(errors.HostRefused):
        session.get(origin.url())


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"])
def test_a_header_with_a_line_break_is_refused(session, value):
    with Origin({"/": Reply()}) as origin:
        for bad in ({"headers": {"X-A": value}}, {"headers": {value: "x"}}, {"cookies": {"a": value}}):
            with pytest.raises(errors.SpecError):
                session.fetch("GET", origin.url(), **bad)
        session.credentials = Credentials(frozenset({"127.0.0.1"}), headers={"X-A": value})
        with pytest.raises(errors.SpecError, match="line break"):
            session.get(origin.url())
    assert not origin.requests


def test_a_header_outside_latin_1_is_sent_as_utf_8_also_after_a_redirect(session):
    with Origin({"/": redirect("/x"), "/x": Reply()}) as origin:
        session.fetch("GET", origin.url(), headers={"X-A": "日本"}, cookies={"c": "ü日"})
    for request in origin.requests:
        assert request.headers["X-A"].encode("latin-1").decode() == "日本"
        assert request.headers["Cookie"].encode("latin-1").decode() == "c=ü日"


def test_json_that_cannot_be_sent_is_refused(session):
    with pytest.raises(errors.SpecError, match="NaN"):
        session.fetch("POST", "http://127.0.0.1/", json={"a": float("nan")})


@pytest.mark.parametrize("raw", [True, False])
def test_a_users_adapter_answers_in_place_of_the_network(raw):
    recorder = Recorder({"https://a.example/": (302, {"Location": "/b"}, b"away")}, raw)
    policy = Policy(name="dead", closed="closed in 2023", rate=(1, 3600))
    with Session(policy) as session:
        session.mount("https://a.example", recorder)
        for _ in range(3):
            assert session.fetch("GET", "https://a.example/").text == "recorded"
        session.max_body = 7
        with pytest.raises(errors.RemoteError, match="larger"):
            session.fetch("GET", "https://a.example/b")
    assert recorder.closed


def test_a_child_shares_adapters_and_connections_but_no_secrets(session):
    recorder = Recorder()
    session.mount("https://a.example", recorder)
    session.allow_private = True
    session.credentials = keyed("127.0.0.1")
    session.cookies.set("sid", SECRET)
    session.headers["X-Api-Key"] = SECRET
    child = session.child(Policy(name="other"))
    assert child.get_adapter("https://a.example/") is recorder
    assert child.get_adapter("https://b.example/").poolmanager is session.get_adapter("https://b.example/").poolmanager
    with Origin({"/": Reply()}) as origin:
        child.fetch("GET", origin.url())
        child.fetch("GET", "https://a.example/")
        child.close()
        assert not recorder.closed
        session.fetch("GET", origin.url())
    assert SECRET not in str(origin.requests[0])
    assert SECRET not in str(recorder.seen[0].headers)


def test_a_child_has_its_own_policy_and_the_parent_keeps_its(session):
    child = session.child(Policy(name="dead", closed="gone"))
    with Origin({"/": Reply()}) as origin:
        with pytest.raises(errors.SiteClosed):
            child.fetch("GET", origin.url())
        assert session.fetch("GET", origin.url()).status == 200


def test_a_plain_adapter_of_requests_is_no_network_adapter_of_ours():
    with Session(Policy(closed="gone")) as session, Origin({"/": Reply(body="x")}) as origin:
        session.mount("http://127.0.0.1", HTTPAdapter())
        assert session.fetch("GET", origin.url()).text == "x"


def test_a_pause_is_the_adapters_business(monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    recorder = Recorder()
    with Session() as session:
        session.mount("https://a.example", recorder)
        session.pause(5, "https://a.example/")
        session.pause(7, "https://b.example/")
        assert (recorder.paused, slept) == ([5], [7])
        assert not session.offline
        recorder.offline = True
        assert not session.offline
        mount_replay(session, recorder)
        assert session.offline


@pytest.mark.parametrize(
    ("reply", "length"),
    [
        (ranged(b"x" * 12_345), 12_345),
        (Reply(headers={"Content-Length": "777"}, body=b"", cut=0), 777),
        (Reply(416, {"Content-Range": "bytes */0"}), 0),
        ([redirect("/"), ranged(b"x" * 99)], 99),
    ],
)
def test_the_length_of_a_file_is_asked_with_one_byte(reply, length):
    with Session(HERE) as session, requests.Session() as plain, Origin({"/": reply}) as origin:
        session.credentials = keyed("127.0.0.1")
        assert content_length(session, origin.url(), {"Referer": "x"}) == length
        assert content_length(plain, origin.url(), {}) == length
    assert origin.requests[0].headers["Referer"] == "x"
    assert {request.headers["Range"] for request in origin.requests} == {"bytes=0-0"}
    assert not seen_secret(origin)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(body="x", framing="chunked"), errors.RemoteError),
        (Reply(206, body="x"), errors.RemoteError),
        (Reply(headers={"Content-Encoding": "gzip"}, body="x"), errors.RemoteError),
        (Reply(404), errors.NotFound),
        (Reply(429), errors.RateLimited),
        (Reply(500), errors.RemoteError),
        (b"", errors.NetworkError),
    ],
)
def test_a_host_that_does_not_say_a_length_is_an_error(reply, error):
    with Session(HERE) as session, Origin({"/": reply}) as origin, pytest.raises(error):
        content_length(session, origin.url(), {})
