"""`qetch record`: secrets and personal data stay out of cassettes."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from qetch.auth import AuthRegistry
from qetch.tools import records as making
from qetch.tools.cassette import MAX_CASSETTE
from qetch.tools.guard import find_secret
from qetch.tools.scrub import Scrubber
from qetch.tools.telling import is_personal, is_secret
from tests.engine_help import PICTURES, pictures, reply
from tests.origin import Origin, Reply, redirect
from tests.recordings import HTTP_KEY, KEY, KEYED, answers, make_site, record, recorded
from tests.shell import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def registry() -> Iterator[AuthRegistry]:
    """The registry of credentials, left as it was."""
    found = AuthRegistry()
    before = dict(found)
    yield found
    found.clear()
    found.update(before)


def test_a_credential_goes_to_the_site_and_not_into_the_cassette(tmp_path: Path, registry: AuthRegistry) -> None:
    registry["here"] = (HTTP_KEY,)
    body = json.dumps({"items": [{"id": "p1", "url": f"/1.png?k={HTTP_KEY}"}]})
    headers = {"Content-Type": "application/json", "Set-Cookie": "s=abcdef0123456789"}
    with Origin({"/a": Reply(200, headers, body)}) as origin:
        record(make_site(tmp_path, origin, top=KEYED), tmp_path / "here")
        assert origin.requests[0].headers["X-Api-Key"] == HTTP_KEY
    text = (tmp_path / "here" / "start.yaml").read_text()
    assert HTTP_KEY not in text
    assert "cookie" not in text.lower()
    assert "abcdef0123456789" not in text
    assert "x-api-key" not in text.lower()


def test_a_token_and_what_it_was_given_for_are_taken_out_and_the_record_plays(
    tmp_path: Path, registry: AuthRegistry
) -> None:
    registry["here"] = (HTTP_KEY, "hush-9876543210")
    top = """
    auth:
      kind: oauth
      domains: ["127.0.0.1"]
      headers: {Authorization: "Bearer {token}"}
      token: {post: "token", json: {client: "{key}", proof: "{secret}"}, read: value, expires: seconds}
    """
    with Origin({"/token": reply({"value": "token-555-abcdef", "seconds": 1}), "/a": pictures(1)}) as origin:
        site = make_site(tmp_path, origin, top=top)
        made = record(site, tmp_path / "here")
        assert origin.requests[1].headers["Authorization"] == "Bearer token-555-abcdef"
    text = (tmp_path / "here" / "start.yaml").read_text()
    assert not any(secret in text for secret in (HTTP_KEY, "hush-9876543210", "token-555-abcdef"))
    assert json.loads(answers(text)[0]["request"]["body"]) == {"client": "***", "proof": "***"}
    assert list(made.differing()) == []


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (base64.b64encode(f"user:{HTTP_KEY}!".encode()).decode(), "base64"),
        (HTTP_KEY.encode().hex().upper(), "hexadecimal"),
        (HTTP_KEY[::-1], "reversed"),
    ],
)
def test_a_record_that_would_hold_a_known_secret_in_any_form_is_not_written(
    tmp_path: Path, registry: AuthRegistry, form: str, name: str
) -> None:
    registry["another"] = (HTTP_KEY,)
    with Origin({"/a": pictures(1, note=f"x {form} y")}) as origin:
        made = record(make_site(tmp_path, origin), tmp_path / "here")
    assert made.results[0].outcome == "failed"
    (problem,) = made.results[0].problems
    assert f"would hold a secret of another, as {name} - choose an example whose answers do not show it" in problem
    assert HTTP_KEY not in problem
    assert form not in problem
    assert not (tmp_path / "here").exists()


JSON = {"Content-Type": "application/json"}
REFUSED = {
    "percent": "".join(f"%{ord(letter):02x}" for letter in HTTP_KEY),
    "percent twice": quote(quote(HTTP_KEY.replace("-", "%2D"))),
    "escapes": "".join(f"\\u{ord(letter):04x}" for letter in HTTP_KEY),
    "escapes of scripts": "".join(f"\\u{{{ord(letter):x}}}" for letter in HTTP_KEY),
    "entities": "".join(f"&#{ord(letter)};" for letter in HTTP_KEY),
    "basic": "u " + base64.b64encode(f"user:{HTTP_KEY}".encode()).decode(),
    "capitals": HTTP_KEY.upper(),
    "pieces": f"'{HTTP_KEY[:8]}' + '{HTTP_KEY[8:]}'",
    "lines": "\n".join(HTTP_KEY),
    "unseen": "\u200b".join(HTTP_KEY),
}


@pytest.mark.parametrize("shown", REFUSED.values(), ids=REFUSED)
def test_an_answer_with_a_credential_in_disguise_is_not_recorded(
    tmp_path: Path, registry: AuthRegistry, shown: str
) -> None:
    registry["here"] = (HTTP_KEY,)
    page = Reply(200, {"Content-Type": "text/html"}, f"<li id=p1><a href=/1.png>{shown}</a>")
    block = 'get: "a"\nas: html\neach: {in: li, content: {uid: "::attr(id)", url: "a::attr(href)"}}'
    for number, (answer, get) in enumerate([(pictures(1, note=shown), f'get: "a"\n{PICTURES}'), (page, block)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Origin({"/a": answer}) as origin:
            made = record(make_site(folder, origin, get, top=KEYED), folder / "here")
        assert "would hold a secret of here" in made.results[0].problems[0]
        assert not (folder / "here").exists()


ITEMS = '{"items": [{"id": "p1", "url": "/1.png"}], "note": "'
FILTERED: dict[str, dict[str, Any]] = {
    "json": {"/a": pictures(1, note=HTTP_KEY)},
    "escapes in json": {"/a": Reply(200, JSON, f'{ITEMS}\\u0073{HTTP_KEY[1:]}"}}')},
    "gzip": {"/a": Reply(200, JSON, pictures(1, note=HTTP_KEY).body, gzip=True)},
    "location": {"/a": redirect(f"/b/{HTTP_KEY}?k={HTTP_KEY}"), f"/b/{HTTP_KEY}": pictures(1), f"/b/{HTTP_KEY}?k={HTTP_KEY}": pictures(1)},
    "header": {"/a": Reply(200, {**JSON, "X-Total-Count": HTTP_KEY, "Link": f'</a?k={HTTP_KEY}>; rel="x"'}, pictures(1).body)},
    "type": {"/a": Reply(200, {"Content-Type": f"application/json; for={HTTP_KEY}"}, pictures(1).body)},
    "status": {"/a": f'HTTP/1.1 200 {HTTP_KEY}\r\nContent-Type: application/json\r\n\r\n{ITEMS}"}}'.encode()},
    "url": {"/a": pictures(1, link=f"https://a.example/?next=https%3A%2F%2Fb.example%2F%3Fk%3D{HTTP_KEY}")},
    "login": {"/a": pictures(1, link=f"https://me:{HTTP_KEY}@a.example/")},
}  # fmt: skip


@pytest.mark.parametrize("routes", FILTERED.values(), ids=FILTERED)
def test_a_credential_is_taken_out_wherever_the_answer_has_it(
    tmp_path: Path, registry: AuthRegistry, routes: dict[str, Any]
) -> None:
    registry["here"] = (HTTP_KEY,)
    text = recorded(tmp_path, routes, top=KEYED)
    assert "***" in text
    assert find_secret(text, {"here": {HTTP_KEY}}) is None


def test_a_form_loses_what_tells_and_the_record_plays(tmp_path: Path, registry: AuthRegistry) -> None:
    registry["here"] = ("mira", HTTP_KEY)
    block = f'post: "a"\nform: {{q: cranes, password: hush, by: mira@birds.example, from: 93.184.216.34}}\n{PICTURES}'
    top = 'auth: {kind: basic, domains: ["127.0.0.1"]}'
    text = recorded(tmp_path, {"/a": pictures(1, you=f"mira {HTTP_KEY}")}, block, top=top)
    assert answers(text)[0]["request"]["body"] == "q=cranes&password=***&by=***&from=***"
    assert '"you": "mira ***"' in text


def test_a_cookie_that_came_is_taken_out_and_in_disguise_refused(tmp_path: Path) -> None:
    cookie = {"Set-Cookie": f"s={HTTP_KEY}; Path=/"}
    coded = base64.b64encode(f"s={HTTP_KEY}".encode()).decode()
    for number, (shown, outcome) in enumerate([(HTTP_KEY, "passed"), (coded, "failed")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Origin({"/a": redirect("/b", headers=cookie), "/b": pictures(1, note=f"yours is {shown}")}) as origin:
            made = record(make_site(folder, origin), folder / "here")
        assert made.results[0].outcome == outcome
        assert not any(shown in file.read_text() for file in folder.rglob("start.yaml"))


def test_what_tells_in_the_query_of_a_request_matches_whatever_is_sent(tmp_path: Path) -> None:
    text = recorded(tmp_path, {"/a?who=mira@birds.example&at=93.184.216.34&n=1&q=+49+30+1234567": pictures(1)},
                    f'get: "a?who=mira@birds.example&at=93.184.216.34&n=1&q=+49+30+1234567"\n{PICTURES}')  # fmt: skip
    assert answers(text)[0]["request"]["uri"].partition("?")[2] == "who=***&at=***&n=1&q=+49+30+1234567"


@pytest.mark.parametrize(
    "shown",
    [KEY, quote(KEY), quote(KEY, safe=""), json.dumps(KEY), quote(quote(KEY, safe="")), json.dumps(KEY).replace("/", "\\/"), "\n".join(KEY)],
)  # fmt: skip
def test_a_secret_is_found_behind_the_escapes_of_urls_json_and_yaml(shown: str) -> None:
    assert find_secret(f"a {shown} b", {"site": {KEY}}) or find_secret(Scrubber().text(shown), {"site": {KEY}})
    assert find_secret(Scrubber({KEY}).text(f"a {quote(KEY)} {json.dumps(KEY)} b"), {"site": {KEY}}) is None


def test_a_short_secret_is_looked_for_as_a_word(tmp_path: Path) -> None:
    assert Scrubber({"hush"}).text("hush, husher: hush") == "***, husher: ***"
    assert find_secret("husher", {"a": {"hush"}}) is None
    assert find_secret("a=hush", {"a": {"hush"}}) == ("a", "plain text")


def test_what_has_a_telling_name_is_taken_out_of_json() -> None:
    data = {
        "csrfToken": "abc", "user": {"email": "a@b.example", "last_ip": "10.0.0.1", "lat": 1.5, "name": "mira"},
        "nextPageToken": "n2", "text": "write to mira@birds.example, see bird@2x.png", "ok": True, "session": {"n": 1},
        "link": "https://cdn.example/1.png?w=5&sig=abc&amp;token=d#x", "log": '{\\"api_key\\": \\"k-1\\"}',
    }  # fmt: skip
    assert Scrubber().json(data) == {
        "csrfToken": "***", "user": {"email": "***", "last_ip": "***", "lat": 0, "name": "mira"},
        "nextPageToken": "n2", "text": "write to someone@example.com, see bird@2x.png", "ok": True, "session": {"n": 1},
        "link": "https://cdn.example/1.png?w=5&sig=***&amp;token=***#x", "log": '{\\"api_key\\": \\"***\\"}',
    }  # fmt: skip


def test_what_has_a_telling_name_is_taken_out_of_pages() -> None:
    page = (
        '<meta content="abc" name="csrf-token"><input type=hidden name="auth_token" value=\'d"e\'>'
        '<script>var s = {"accessToken": "fgh", "page": "2", \'sid\': \'i\'}; a("eyJhbGciOiJI.eyJzdWIiOiIx.c2ln")</script>'
        '<a href="/n?page_token=3&password=x">'
    )
    assert Scrubber().text(page) == (
        '<meta content="***" name="csrf-token"><input type=hidden name="auth_token" value=\'***\'>'
        '<script>var s = {"accessToken": "***", "page": "2", \'sid\': \'***\'}; a("***")</script>'
        '<a href="/n?page_token=3&password=***">'
    )


def test_the_bodies_of_requests_lose_whole_values_so_that_records_still_match() -> None:
    scrubber = Scrubber({HTTP_KEY})
    assert scrubber.request_body(
        f"q=a+b&x=Key+{HTTP_KEY}&password=p".encode(), "application/x-www-form-urlencoded"
    ) == ("q=a+b&x=***&password=***")
    sent = {"a": [f"Key {HTTP_KEY}", "b"], "email": "x@y.example", "n": 1}
    assert (
        scrubber.request_body(json.dumps(sent).encode(), "application/json")
        == '{"a": ["***", "b"], "email": "***", "n": 1}'
    )
    assert scrubber.request_body(b"", "") is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("var csrfToken = 'a\\/b+c==';", "var csrfToken = '***';"),
        ('{"accessToken":"ab\\/cd\\"ef==","page":"2"}', '{"accessToken":"***","page":"2"}'),
        ('"{\\"token\\": \\"ab\\\\\\"cd\\", \\"x\\": \\"y\\"}"', '"{\\"token\\": \\"***\\", \\"x\\": \\"y\\"}"'),
        ('{"html": "<input name=\\"token\\" value=\\"abc\\">"}', '{"html": "<input name=\\"token\\" value=\\"***\\">"}'),
        ('"otp": 123456, lat=51.5, "page": 3', '"otp": 0, lat=0, "page": 3'),
        ('<div data-csrf-token="abc" class="x">', '<div data-csrf-token="***" class="x">'),
        ("<input type=password value=hush name=pw>", "<input type=password value=*** name=pw>"),
        ("<user><token>abc</token><email>b</email><title>T</title></user>", "<user><token>***</token><email>***</email><title>T</title></user>"),
        ("https://me:hush@a.example/x", "https://***@a.example/x"),
        ("https://a.example/cb#access_token=abc&n=1", "https://a.example/cb#access_token=***&n=1"),
        ("https://a.example/?to=https%3A%2F%2Fb.example%3Fn%3D1%26sig%3Dabc%26x%3D1", "https://a.example/?to=https%3A%2F%2Fb.example%3Fn%3D1%26sig%3D***%26x%3D1"),
        ("?a=1\\u0026sig=abc\\u0026w=1", "?a=1\\u0026sig=***\\u0026w=1"),
        ("/x;jsessionid=abc?PHPSESSID=def", "/x;jsessionid=***?PHPSESSID=***"),
        ('{"token": "it never ends', '{"token": "***'),
    ],
)  # fmt: skip
def test_what_has_a_telling_name_is_taken_out_of_scripts_urls_and_xml(text: str, left: str) -> None:
    assert Scrubber().text(text) == left
    assert Scrubber().text(left) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mira@birds.example mira%40birds.example mira&#64;birds.example", "someone@example.com someone%40example.com someone&#64;example.com"),
        ("from 93.184.216.34:80, 93.184.216.34.", "from 192.0.2.1:80, 192.0.2.1."),
        ("2a00:1450:4001:81b::200e [2a00:1450:4001:81b:0:0:0:200e]:80", "2001:db8::1 [2001:db8::1]:80"),
        ("/ip/93.184.216.34/x", "/ip/192.0.2.1/x"),
        ("an address? 1.2.3.4", "an address? 192.0.2.1"),
        ("call +49 30 1234567, +1 (202) 555-0175, tel:0301234567", "call +12025550100, +12025550100, tel:+12025550100"),
    ],
)  # fmt: skip
def test_addresses_and_numbers_of_persons_are_taken_out_of_texts(text: str, left: str) -> None:
    assert Scrubber().text(text) == left
    assert Scrubber().json({"a": [text]}) == {"a": [left]}
    assert Scrubber().text(left) == left


@pytest.mark.parametrize(
    "text",
    [
        "http://93.184.216.34/x //93.184.216.34:8080 http:\\/\\/93.184.216.34 http://[2a00:1450:4001:81b::200e]/",
        "Browser/120.0.0.0 v1.2.3.4 version 1.2.3.4 \"appVersion\": \"1.2.3.4\" lib-1.2.3.4.tar.gz 1.2.3.4-beta release 1.2.3.4",
        "host: 93.184.216.34", "127.0.0.1 192.168.1.1 10.0.0.1 ::1 fe80::1 300.1.1.1 1.2.3 1.2.3.4.5 01.2.3.4",
        "12:34:56 2024:05:06 07:08:09 a::before std::vector 20ab:20cd", "bird@2x.png https://a.example/@mira git://git@a.example/x",
        "2024-01-01T00:00:00+02:00 +0200 +12 a+1234567890 @+51.507222,-0.1 ?q=+49+30+1234567 1+1=2 +1234567890123456",
        "user_name: mira", '{"nextPageToken": "x"}', "token", "token = null", "getToken()",
    ],
)  # fmt: skip
def test_what_only_looks_personal_stays(text: str) -> None:
    assert Scrubber().text(text) == text


def test_the_key_says_what_a_number_with_dots_is() -> None:
    data = {"appVersion": "1.2.3.4", "hosts": ["93.184.216.34"], "by": "93.184.216.34", "client_ip": "::1", "lon": 1}
    left = {"appVersion": "1.2.3.4", "hosts": ["93.184.216.34"], "by": "192.0.2.1", "client_ip": "***", "lon": 0}
    assert Scrubber().json(data) == left
    cookies = [{"name": "session_id", "value": "abc"}, {"name": "Heron", "value": "abc"}]
    assert [cookie["value"] for cookie in Scrubber().json(cookies)] == ["***", "abc"]


@pytest.mark.parametrize(
    "piece", ["a", "a=", '"', "\\\"", 'token="', '"token":"\\', "<", "<a ", "<input name=a ", "1.", "2a00:", "a@", "//a:", "%3Fa%3D", "+1 ", "tel:1 "]
)  # fmt: skip
def test_no_text_keeps_the_filter_busy(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert Scrubber().text(text)  # whatever it makes of it; a pattern that backtracks would not come back


def test_the_page_about_recording_names_the_rules() -> None:
    page = (ROOT / "docs" / "recording.md").read_text(encoding="utf-8")
    for telling in ("mira@birds.example", "+49 30 1234567", "93.184.216.34", "2a00:1450::200e"):
        assert f"`{Scrubber().text(telling)}`" in page
    _, _, rules = page.partition("**name tells a secret**: ")
    secrets, _, rules = rules.partition(" and the like")
    _, _, rules = rules.partition("**name tells personal data**: ")
    personal, _, _ = rules.partition(" |")
    assert [name for name in secrets.replace("`", "").split(", ") if not is_secret(name)] == []
    assert [name for name in personal.split(", ") if not is_personal(name)] == []
    assert f"{making.MAX_ANSWER:,} characters" in page
    assert f"a cassette {MAX_CASSETTE:,}" in page
