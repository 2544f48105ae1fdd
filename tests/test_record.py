"""`qetch record`: what sites answer becomes cassettes that play, can be read, and hold no secrets."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from qetch.auth import AuthRegistry
from qetch.errors import FileError
from qetch.policy import Policy
from qetch.replay import ReplayAdapter
from qetch.session import Session
from qetch.spec import read
from qetch.tools import records as making
from qetch.tools.cassette import HEADER, read_records, render, write
from qetch.tools.examples import cases, play
from qetch.tools.guard import find_secret
from qetch.tools.record import Recording, listen
from qetch.tools.records import Record
from qetch.tools.saved import saved_exchanges
from qetch.tools.scrub import Scrubber
from qetch.tools.tape import Tape
from tests.engine_help import PICTURES, handle, pictures, reply, site_text
from tests.origin import Origin, Reply, redirect
from tests.shell import PNG, make_shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qetch.spec.model import Site
    from tests.shell import Shell

KEY = "sesame/0123456789+ä"
KEYED = 'auth: {kind: key, domains: ["127.0.0.1"], headers: {X-Api-Key: "{key}"}}'
HTTP_KEY = "sesame-0123456789"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


@pytest.fixture
def registry() -> Iterator[AuthRegistry]:
    """The registry of credentials, left as it was."""
    found = AuthRegistry()
    before = dict(found)
    yield found
    found.clear()
    found.update(before)


def make_site(folder: Path, origin: Origin, block: str = f'get: "a"\n{PICTURES}', **words: Any) -> Site:
    """A site whose example is at the origin."""
    words.setdefault("example", origin.url("/start"))
    file = folder / "here.yaml"
    file.write_text(site_text(origin, block, **words), encoding="utf-8")
    return read(file)


def record(site: Site, folder: Path, *, numbers: tuple[int, ...] = ()) -> Recording:
    """Records the examples of a site."""
    chosen = [case for case in cases(site) if not numbers or case.number in numbers]
    made = Recording(site, folder, whole=not numbers)
    made.prepare(dict.fromkeys(case.handle for case in chosen))
    for case in chosen:
        made.ask(case, allow_private=True)
    made.write()
    return made


def recorded(folder: Path, routes: dict[str, Any], block: str = f'get: "a"\n{PICTURES}', **words: Any) -> str:
    """The cassette of a site with one example."""
    with Origin(routes) as origin:
        made = record(make_site(folder, origin, block, **words), folder / "here")
    assert [result.problems for result in made.results] == [[]]
    assert list(made.differing()) == []
    return (folder / "here" / "start.yaml").read_text(encoding="utf-8")


def answers(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(text)["interactions"]
    return found


# --- what is written, and that it plays


PAGES = f'get: "old"\npages: {{next: next}}\n{PICTURES}'


def test_pages_redirects_and_compressed_answers_are_recorded_and_play_without_the_site(tmp_path: Path) -> None:
    with Origin() as origin:
        second = reply({"items": [{"id": "p2", "url": "/2.png"}]})
        origin.routes = {
            "/old": redirect("/a?n=1", headers={"Content-Type": "text/html"}),
            "/a?n=1": Reply(200, {"Content-Type": "application/json"}, pictures(1, next="/a?n=2").body, gzip=True),
            "/a?n=2": second,
        }
        site = make_site(tmp_path, origin, PAGES)
        record(site, tmp_path / "here")
        assert origin.paths == ["/old", "/a?n=1", "/a?n=2"]
    (case,) = cases(site)
    again = play(case, tmp_path / "here")
    assert (again.outcome, [contents[0].uid for contents in again.lists]) == ("passed", ["here-p1", "here-p2"])


def test_vcrpy_loads_a_recording_and_plays_it(tmp_path: Path) -> None:
    from vcr.cassette import Cassette

    text = recorded(tmp_path, {"/a": pictures(1)})
    loaded = Cassette.load(path=tmp_path / "here" / "start.yaml")
    (request,) = loaded.requests
    assert loaded.play_response(request)["body"]["string"] == answers(text)[0]["response"]["body"]["string"].encode()


def test_json_is_written_in_lines_and_everything_else_as_it_came(tmp_path: Path) -> None:
    text = recorded(tmp_path, {"/a": pictures(1, name="Zoë 🦢")})
    assert text.startswith(HEADER + "\n")
    assert '         "id": "p1",\n' in text
    assert '"name": "Zoë 🦢"' in text
    page = '<ul>\t<li id="p1">\r\n  <a href="/1.png">ü</a>\r\n</ul>\r\n'
    block = 'get: "a"\neach: {in: li, content: {uid: "::attr(id)", url: "a::attr(href)"}}'
    routes = {"/a": Reply(200, {"Content-Type": "text/html"}, page)}
    text = recorded(tmp_path, routes, block, request="as: html")
    assert '        <ul>\t<li id="p1">\n          <a href="/1.png">ü</a>\n' in text


def test_the_same_request_is_recorded_once_over_all_examples_but_each_answer_within_one(tmp_path: Path) -> None:
    busy = Reply(429, {"Retry-After": "0"}, "wait")
    with Origin({"/a": [busy, pictures(1)], "/b": pictures(2)}) as origin:
        more = handle("other", f'get: "a"\n{PICTURES}', example=origin.url("/other"))
        site = make_site(tmp_path, origin, more=more)
        record(site, tmp_path / "here")
    assert [item["response"]["status"]["code"] for item in answers((tmp_path / "here/start.yaml").read_text())] == [
        429,
        200,
    ]
    assert [play(case, tmp_path / "here").outcome for case in cases(site)] == ["passed", "passed"]


def test_one_example_replaces_its_own_records_alone(tmp_path: Path) -> None:
    with Origin({"/a": pictures(1), "/b": pictures(2)}) as origin:
        block = f'get: "{{name}}"\n{PICTURES}'
        match = r"^http://127\.0\.0\.1(?::\d+)?/(?P<name>\w+)$"
        examples = f'{origin.url("/a")}", "{origin.url("/b")}'
        site = make_site(tmp_path, origin, block, match=match, example=examples)
        record(site, tmp_path / "here")
        origin.routes = {"/b": pictures(3)}
        record(site, tmp_path / "here", numbers=(2,))
    results = [play(case, tmp_path / "here") for case in cases(site)]
    assert [result.lists[0][0].uid for result in results] == ["here-p1", "here-p3"]


def test_an_example_that_fails_is_not_recorded_unless_it_expects_that(tmp_path: Path) -> None:
    with Origin({"/a": Reply(404)}) as origin:
        made = record(make_site(tmp_path, origin), tmp_path / "here")
        assert made.results[0].outcome == "failed"
        assert not (tmp_path / "here").exists()
        example = f'{{url: "{origin.url("/start")}", expect: {{error: not_found}}}}'
        text = site_text(origin, f'get: "a"\n{PICTURES}').replace('["http://127.0.0.1/start"]', f"[{example}]")
        (tmp_path / "here.yaml").write_text(text)
        made = record(read(tmp_path / "here.yaml"), tmp_path / "here")
    assert made.results[0].outcome == "passed"
    assert list(made.differing()) == []


def test_a_cassette_that_somebody_wrote_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    file = tmp_path / "here" / "start.yaml"
    file.write_text("# Composed.\ninteractions: []\nversion: 1\n")
    with Origin({"/a": pictures(1)}) as origin:
        site = make_site(tmp_path, origin)
        with pytest.raises(FileError, match="did not write it - move it away"):
            record(site, tmp_path / "here")
        assert origin.paths == []
        file.rename(file.with_name("other.yaml"))
        file.with_name("other.yaml").write_text(
            f"interactions:\n- {{request: {{method: GET, uri: '{origin.url('/a')}', body: null}}, response: {{}}}}\n"
        )
        made = record(site, tmp_path / "here")
    assert [(key.uri, path.name) for key, path in made.left] == [(origin.url("/a"), "other.yaml")]
    assert not file.exists()


def test_what_does_not_play_as_it_was_is_said(tmp_path: Path) -> None:
    with Origin({"/a": reply({"items": [{"access_token": "p1", "url": "/1.png"}]})}) as origin:
        block = 'get: "a"\neach: {in: items, content: {uid: access_token, url: url}}'
        made = record(make_site(tmp_path, origin, block), tmp_path / "here")
    ((_, reason),) = made.differing()
    assert "the recording gives" in reason


def test_sessions_of_other_sites_in_a_run_are_recorded_too(tmp_path: Path) -> None:
    tape = Tape()
    with Origin({"/a": pictures(1)}) as origin, Session(Policy()) as session:
        session.allow_private = True
        listen(session, tape)
        with session.child(Policy(name="other")) as child:
            child.fetch("GET", origin.url("/a"))
    assert [exchange.url for exchange in tape.exchanges] == [origin.url("/a")]


# --- secrets and personal data


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
    refused = pytest.raises(FileError, match=f"not written: .*the credential of another, as {name}")
    with Origin({"/a": pictures(1, note=f"x {form} y")}) as origin, refused as raised:
        record(make_site(tmp_path, origin), tmp_path / "here")
    assert HTTP_KEY not in str(raised.value)
    assert form not in str(raised.value)
    assert not (tmp_path / "here").exists()


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


# --- sizes and files


def exchange(folder: Path, name: str, content: bytes | str, **words: Any) -> Any:
    """A saved answer as it would have been heard."""
    file = folder / "saved" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.iterdir():
        old.unlink()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "saved" / "answers.yaml").write_text(json.dumps({name: {"url": "https://a.example/x", **words}}))
    return saved_exchanges(folder / "saved")[0]


def test_media_are_cut_to_a_placeholder_and_a_note_says_so(tmp_path: Path) -> None:
    made = making.make_record(exchange(tmp_path, "a.png", PNG), Scrubber())
    write(tmp_path / "a.yaml", [made], {})
    text = (tmp_path / "a.yaml").read_text()
    assert f"# {len(PNG)} bytes of image/png are left out of the answer.\n- request:" in text
    assert read_records(tmp_path / "a.yaml") == [made]
    unknown = making.make_record(exchange(tmp_path, "a.bin", b"\0\xff" * 9, type="application/x-thing"), Scrubber())
    assert unknown.note == "18 bytes of application/x-thing are left out of the answer."


def test_a_text_that_is_too_large_is_refused_and_not_cut(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"1,000,001 characters.*choose an example with a smaller answer"):
        making.make_record(exchange(tmp_path, "a.txt", "x" * 1_000_001), Scrubber())


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": ' + "9" * 5000 + "}", '{"a": "\\ud800"}', "[" * 5000, '{"a": 1', "\ufeff{}"]
)  # fmt: skip
def test_json_that_would_change_is_written_as_it_came(tmp_path: Path, text: str) -> None:
    assert making.make_record(exchange(tmp_path, "a.json", text), Scrubber()).answer == text


def test_a_cassette_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    good = Record("GET", "https://a.example/", None, 200, "OK", "{}\n")
    write(file, [good], {})
    before = file.read_bytes()
    with pytest.raises(FileError, match="not written"):
        write(file, [good, Record("GET", "https://a.example/", None, 200, "OK", HTTP_KEY)], {"a": {HTTP_KEY}})
    with pytest.raises(FileError, match="cannot be written"):
        write(file / "b.yaml", [good], {})
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text("a \t\n#:-", max_size=12)


@given(TEXTS | st.binary(max_size=20), TEXTS, st.text("abc:#*{}?&=%", max_size=9))
def test_whatever_is_written_is_read_as_it_was(body: str | bytes, sent: str, path: str) -> None:
    made = Record(
        "POST", f"https://a.example/{path}", sent, 200, "O K", body, {"Range": "bytes=0-1"}, {"Link": [path, sent]}
    )
    text = render([made, made])
    for item in answers(text):
        assert item["response"]["body"]["string"] == body
        assert item["request"] == {"method": "POST", "uri": made.uri, "body": sent, "headers": {"Range": ["bytes=0-1"]}}
        assert item["response"]["headers"] == {"Link": [path, sent]}


# --- saved answers


def test_saved_answers_are_recorded_by_their_paths_and_by_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "saved" / "api.example" / "v1").mkdir(parents=True)
    (tmp_path / "saved" / "api.example" / "v1" / "items?page=2").write_text("[]")
    (tmp_path / "saved" / "api.example" / "index.html").write_text("<html>")
    (tmp_path / "saved" / "login.json").write_text("{}")
    (tmp_path / "saved" / "answers.yaml").write_text(
        "login.json: {url: 'https://api.example/login', body: {a: 1}, status: 401, headers: {Retry-After: 3}}"
    )
    found = [
        (one.method, one.url, one.status, one.body, dict(one.headers)) for one in saved_exchanges(tmp_path / "saved")
    ]
    assert found == [
        (
            "POST",
            "https://api.example/login",
            401,
            b'{"a": 1}',
            {"content-type": "application/json", "retry-after": "3"},
        ),
        ("GET", "https://api.example/", 200, b"", {"content-type": "text/html"}),
        ("GET", "https://api.example/v1/items?page=2", 200, b"", {"content-type": "application/json"}),
    ]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("{}", "it cannot be seen which request this answers"),
        ("[1]", "must say for each file what it answers"),
        ("{a.json: {link: x}}", "unknown word 'link'"),
        ("{a.json: x}", "it needs a `url` with http"),
        ("{b.json: 'https://a.example/'}", "there is no file 'b.json'"),
        ("{a: [", "cannot be read as YAML"),
    ],
)
def test_a_mapping_that_is_wrong_is_said(tmp_path: Path, mapping: str, message: str) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "answers.yaml").write_text(mapping)
    with pytest.raises(FileError, match=message):
        saved_exchanges(tmp_path)


# --- the command


def test_the_command_records_and_says_which_files_it_wrote(shell: Shell) -> None:
    with Origin({"/a": pictures(1)}) as origin:
        make_site(shell.home, origin)
        result = shell("record", "here.yaml", "--allow-private")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"ok    here 1 start {origin.url('/start')}",
        f"wrote {shell.home}/cassettes/here/start.yaml",
    ]
    assert shell("test", "here.yaml").returncode == 0


def test_the_command_keeps_a_saved_credential_out(shell: Shell) -> None:
    with Origin({"/a": pictures(1, you=HTTP_KEY)}) as origin:
        make_site(shell.home, origin, top=KEYED)
        assert shell("auth", "add", "here", "--sites", ".", stdin=f"{HTTP_KEY}\n").returncode == 0
        result = shell("record", "here.yaml", "--allow-private")
        assert result.returncode == 0, result.stderr
        assert origin.requests[0].headers["X-Api-Key"] == HTTP_KEY
    assert "you: ***" in (shell.home / "cassettes/here/start.yaml").read_text().replace('"', "")


def test_the_command_records_from_a_folder_and_shows_what_is_still_missing(shell: Shell) -> None:
    (shell.home / "saved" / "api.little.example" / "albums").mkdir(parents=True)
    (shell.home / "saved" / "api.little.example" / "albums" / "dogs").write_text('{"items": []}')
    result = shell("record", "sites/little.yaml", "--from-dir", "saved")
    assert (result.returncode, result.stderr) == (1, "")
    wrote, failed, missing = result.stdout.splitlines()
    assert wrote == f"wrote {shell.home}/cassettes/little/saved.yaml"
    assert failed == "FAIL  little 1 album https://little.example/a/cats"
    assert "GET https://api.little.example/albums/cats" in missing
    ReplayAdapter(shell.home / "cassettes" / "little").close()


def test_the_command_says_what_makes_no_sense(shell: Shell) -> None:
    assert "there are 1, counted from 1" in shell("record", "sites/little.yaml", "--example", "2").stderr
    assert "give just one" in shell("record", "sites", "--example", "1").stderr
    closed = shell("record", "sites/closed.yaml")
    assert "not asked: closed on 2023-09-01" in closed.stdout
