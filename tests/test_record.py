"""`qetch record`: what sites answer becomes cassettes that play, can be read, and hold no secrets."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from qetch.errors import FileError
from qetch.policy import Policy
from qetch.replay import ReplayAdapter
from qetch.session import Session
from qetch.spec import read
from qetch.tools import records as making
from qetch.tools.cassette import HEADER, read_records, render, write
from qetch.tools.examples import cases, play
from qetch.tools.record import listen
from qetch.tools.records import Record
from qetch.tools.saved import saved_exchanges
from qetch.tools.scrub import Scrubber
from qetch.tools.tape import Tape
from tests.engine_help import PICTURES, handle, pictures, reply, site_text
from tests.origin import Origin, Reply, redirect
from tests.recordings import HTTP_KEY, KEYED, answers, make_site, record, recorded
from tests.shell import PNG, make_shell

if TYPE_CHECKING:
    from pathlib import Path

    from qetch.spec.model import Site
    from tests.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


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


def numbered(folder: Path, origin: Origin, *names: str, **words: Any) -> Site:
    """A site with an example for each name, which asks the path of that name."""
    examples = '", "'.join(origin.url(f"/{name}") for name in names)
    match = r"^http://127\.0\.0\.1(?::\d+)?/(?P<name>\w+)$"
    return make_site(folder, origin, f'get: "{{name}}"\n{PICTURES}', match=match, example=examples, **words)


def test_an_answer_that_is_too_large_fails_its_example_and_the_others_are_recorded(shell: Shell) -> None:
    with Origin({"/a": pictures(1), "/big": pictures(2, text="x" * 1_000_000), "/c": pictures(3)}) as origin:
        numbered(shell.home, origin, "a", "big", "c")
        result = shell("record", "here.yaml", "--allow-private")
        assert result.returncode == 1
        first, failed, why, third, wrote = result.stdout.splitlines()
        assert first.startswith("ok    here 1 ")
        assert failed == f"FAIL  here 2 start {origin.url('/big')} (here.yaml:10)"
        assert why.startswith(f"      GET {origin.url('/big')}: the answer has 1,000,0")
        assert "a cassette takes 1,000,000 of one - choose an example with a smaller answer" in why
        assert third.startswith("ok    here 3 ")
        assert wrote == f"wrote {shell.home}/cassettes/here/start.yaml"
        assert result.stderr == "qetch: 3 examples of 1 site file: 2 passed, 1 failed\n"
    played = shell("test", "here.yaml").stdout.splitlines()
    assert [line[:12] for line in played if "here" in line[:12]] == ["ok    here 1", "FAIL  here 2", "ok    here 3"]


def test_records_of_an_example_that_fails_now_stay(tmp_path: Path) -> None:
    with Origin({"/a": pictures(1), "/b": pictures(2)}) as origin:
        site = numbered(tmp_path, origin, "a", "b")
        record(site, tmp_path / "here")
        origin.routes = {"/a": pictures(3), "/b": Reply(404)}
        record(site, tmp_path / "here")
    results = [play(case, tmp_path / "here") for case in cases(site)]
    assert [result.lists[0][0].uid for result in results] == ["here-p3", "here-p2"]


def test_what_plays_otherwise_than_expected_is_said(tmp_path: Path) -> None:
    with Origin({"/a": reply({"items": [{"id": "p1", "email": "a@b.example", "url": "/1.png"}]})}) as origin:
        block = 'get: "a"\neach: {in: items, content: {uid: id, title: email, url: url}}'
        site = make_site(tmp_path, origin, block)
        text = (tmp_path / "here.yaml").read_text()
        example = f'{{url: "{origin.url("/start")}", expect: {{first: {{title: a@b.example}}}}}}'
        (tmp_path / "here.yaml").write_text(text.replace(f'"{origin.url("/start")}"', example))
        made = record(read(tmp_path / "here.yaml"), tmp_path / site.name)
    ((_, reason),) = made.differing()
    assert reason == 'from the recording, first.title: expected "a@b.example", found "***"'


def test_a_recording_that_somebody_broke_is_said(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "start.yaml").write_text(f"{HEADER}\ninteractions: [{{request: 3}}]\n")
    with Origin({"/a": pictures(1)}) as origin, pytest.raises(FileError, match="somebody changed it - mend it, or"):
        record(make_site(tmp_path, origin), tmp_path / "here")


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
    "text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": ' + "9" * 5000 + "}", "[" * 5000, '{"a": 1', "\ufeff{}"]
)  # fmt: skip
def test_json_that_would_change_is_written_as_it_came(tmp_path: Path, text: str) -> None:
    assert making.make_record(exchange(tmp_path, "a.json", text), Scrubber()).answer == text


def test_half_a_surrogate_pair_stays_escaped(tmp_path: Path) -> None:
    answer = exchange(tmp_path, "a.json", '{"a": "\\ud800", "token": "\\udc00"}', body={"a": "\ud800"})
    made = making.make_record(answer, Scrubber())
    write(tmp_path / "a.yaml", [made], {})
    assert read_records(tmp_path / "a.yaml") == [made]
    assert json.loads(str(made.answer)) == {"a": "\ud800", "token": "***"}
    assert json.loads(str(made.body)) == {"a": "\ud800"}


@pytest.mark.parametrize("charset", ["undefined", "hex", "none-such", "idna", "utf-16"])
def test_a_charset_that_does_not_fit_leaves_the_answer_out(tmp_path: Path, charset: str) -> None:
    made = making.make_record(exchange(tmp_path, "a.txt", "a..bc", type=f"text/plain; charset={charset}"), Scrubber())
    assert made.answer == "left out by qetch record: 5 bytes of text/plain\n"


def test_a_secret_is_found_in_an_answer_of_another_charset(tmp_path: Path) -> None:
    coded = base64.b64encode(HTTP_KEY.encode()).decode().encode("utf-16")
    made = making.make_record(exchange(tmp_path, "a.txt", coded, type="text/plain; charset=utf-16"), Scrubber())
    with pytest.raises(FileError, match="would hold a secret of here, as base64"):
        write(tmp_path / "a.yaml", [made], {"here": {HTTP_KEY}})


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


ODD_TEXTS = [
    "\x85", "a\x85b", "\u2028", "a\u2029b", "\ufeff", "\ufeffa", "\r", "a\rb", "a\r\nb", "\n", "\n\na", "a\n\n", " a", "a ",
    "\ta", "a\t", " \n a \n ", "a\n ", "\0", "\x07", "\x7f", "\x80", "\xa0", "\ufffe", "\uffff", "\U0010ffff", "~", "null", "1",
    "yes", "=", "- a", "a: b", "a #b", "#a", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "'", '"', "\\", "\\x85", "---", "...",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_an_odd_text_is_read_as_it_was_by_both_readers_of_yaml(text: str) -> None:
    written = render([Record("POST", "https://a.example/", text, 200, text, text, {}, {"Link": [text]})])
    for loader in {yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)}:
        (item,) = yaml.load(written, Loader=loader)["interactions"]
        response = item["response"]
        texts = [item["request"]["body"], response["status"]["message"], *response["headers"]["Link"]]
        assert [*texts, response["body"]["string"]] == [text] * 4


@given(TEXTS | st.binary(max_size=20), TEXTS, st.text("abc:#*{}?&=%", max_size=9))
@example("\x85", "\x85", "")
@example("a\u2028b", "\u2029", "")
@example("\ufeff", "\ufeff", "")
@example("a\rb", "\r", "")
@example("\n a \n\n", " a\n ", "")
@example("", "", "")
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
        ("{a.json: {url: 'https://a.example/', status: lost}}", "`status` is a number such as 404, not 'lost'"),
        ("{a.json: {url: 'https://a.example/', status: 1000}}", "`status` is a number such as 404, not 1000"),
        ("{a.json: {url: 'https://a.example/', headers: [a]}}", "`headers` is a mapping"),
        ("{a.json: {url: 'https://a.example/', 1: 2, b: 3}}", "unknown word '1'"),
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
    assert (result.returncode, result.stderr) == (1, "qetch: 1 example of 1 site file: 1 failed\n")
    wrote, failed, missing = result.stdout.splitlines()
    assert wrote == f"wrote {shell.home}/cassettes/little/saved.yaml"
    assert failed == "FAIL  little 1 album https://little.example/a/cats (sites/little.yaml:10)"
    assert "GET https://api.little.example/albums/cats" in missing
    ReplayAdapter(shell.home / "cassettes" / "little").close()


def test_a_folder_that_is_not_there_or_empty_is_the_users_to_change(shell: Shell) -> None:
    (shell.home / "empty").mkdir()
    for folder, message in (("missing", "no such folder"), ("empty", "there is no saved answer in this folder")):
        result = shell("record", "sites/little.yaml", "--from-dir", folder)
        assert result.returncode == 4
        assert f"{folder}: {message}" in result.stderr


def test_the_command_leaves_out_a_saved_answer_that_is_too_large(shell: Shell) -> None:
    folder = shell.home / "saved" / "api.little.example" / "albums"
    folder.mkdir(parents=True)
    (folder / "cats").write_text('{"items": []}')
    (folder / "dogs").write_text("x" * 1_000_001)
    result = shell("record", "sites/little.yaml", "--from-dir", "saved")
    assert result.returncode == 7
    assert "saved: GET https://api.little.example/albums/dogs: the answer has 1,000,001 characters" in result.stderr
    assert "albums/cats" in (shell.home / "cassettes" / "little" / "saved.yaml").read_text()


def test_without_credentials_nothing_is_run_and_that_is_an_error(shell: Shell) -> None:
    with Origin({"/a": pictures(1)}) as origin:
        make_site(shell.home, origin, top=KEYED)
        for words in (
            ["record", "here.yaml"],
            ["test", "here.yaml", "--live"],
            ["record", "here.yaml", "sites/closed.yaml"],
        ):
            result = shell(*words, "--allow-private")
            assert result.returncode == 4
            said = result.stderr.splitlines()[-1]
            assert said == "qetch: error: no example was run: here wants a key: run `qetch auth add here --sites .`"
        assert origin.paths == []
        make_site(shell.home, origin)
        (shell.home / "keyed.yaml").write_text(
            site_text(origin, f'get: "a"\n{PICTURES}', top=KEYED).replace("name: here", "name: keyed")
        )
        result = shell("record", "here.yaml", "keyed.yaml", "--allow-private")
        assert (result.returncode, result.stderr) == (0, "qetch: 2 examples of 2 site files: 1 passed, 1 skipped\n")
        assert "run `qetch auth add keyed --sites .`" in result.stdout


def test_the_command_says_what_makes_no_sense(shell: Shell) -> None:
    assert "there are 1, counted from 1" in shell("record", "sites/little.yaml", "--example", "2").stderr
    assert "give just one" in shell("record", "sites", "--example", "1").stderr
    closed = shell("record", "sites/closed.yaml")
    assert "not asked: closed on 2023-09-01" in closed.stdout
    assert closed.returncode == 0
