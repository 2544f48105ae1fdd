"""`qetch new` as its users run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qetch.paths import schema_file
from tests.new_pages import HTML, JSON, KINDS, NOTHING, answer, html
from tests.new_sources import SOURCES
from tests.origin import Origin, Reply, Request, redirect
from tests.shell import Shell, cassette, make_shell, only_error

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


def on_ipv6(routes: dict[str, Reply]) -> Origin:
    """A server on the IPv6 address of this machine."""
    try:
        return Origin(routes, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")


def fragments(stdout: str) -> list[str]:
    return [json.loads(line)["fragments"][0] for line in stdout.splitlines()]


def test_a_new_site_is_valid_and_extracts_at_once(shell: Shell) -> None:
    kind = KINDS["gallery"]
    with Origin(kind.routes) as origin:
        url = origin.url(kind.path)
        made = shell("new", url, "--name", "stars", "-o", "mine.yaml", "--allow-private")
        assert (made.returncode, made.stdout) == (0, "mine.yaml\n")
        assert "3 thumbnails" in made.stderr
        (shell.home / "mine").mkdir()
        (shell.home / "mine.yaml").rename(shell.home / "mine" / "stars.yaml")
        checked = shell("validate", "--strict", "mine")
        assert checked.returncode == 0, checked.stdout
        found = shell("extract", url, "--sites", "mine", "--allow-private")
        assert sorted(fragments(found.stdout)) == sorted(origin.url(path) for path in kind.files + kind.more)


def test_a_site_on_an_ipv6_address_is_one_like_others(shell: Shell) -> None:
    kind = KINDS["gallery"]
    with on_ipv6(kind.routes) as origin:
        url = origin.url(kind.path)
        made = shell("new", url, "--allow-private")
        assert (made.returncode, made.stdout) == (0, "local.yaml\n"), made.stderr
        text = (shell.home / "local.yaml").read_text()
        assert 'domains: ["[::1]"]' in text
        assert r"match: '^https?://\[::1\](?::\d+)?/" in text
        assert shell("validate", "--strict", "local.yaml").returncode == 0
        found = shell("extract", url, "--sites", ".", "--allow-private")
        assert sorted(fragments(found.stdout)) == sorted(origin.url(path) for path in kind.files + kind.more)


def test_a_private_address_is_asked_only_if_that_is_allowed(shell: Shell) -> None:
    with Origin({"*": NOTHING}) as origin:
        result = shell("new", origin.url("/p/5"))
        assert result.returncode == 4
        assert "--allow-private" in only_error(result)
        assert origin.paths == []
    assert not (shell.home / "local.yaml").exists()


def test_a_page_with_nothing_gives_a_skeleton_and_says_so(shell: Shell) -> None:
    with Origin({"*": NOTHING}) as origin:
        result = shell("new", origin.url("/p/5"), "--allow-private", "-o", "-")
    assert result.returncode == 4
    assert "skeleton" in result.stderr
    assert "for you to replace" in result.stdout


def test_a_saved_page_needs_no_network(shell: Shell) -> None:
    page = KINDS["open-graph"].routes["/watch/night-owl"].body
    (shell.home / "page.html").write_text(str(page))
    result = shell("new", "https://owls.example/watch/night-owl", "--page", "page.html", "-o", "-")
    assert result.returncode == 0
    assert "name: owls" in result.stdout
    assert 'get: "https://owls.example/watch/{id}"' in result.stdout


def test_cassettes_answer_instead_of_the_network(shell: Shell) -> None:
    (shell.home / "taped").mkdir()
    answers = {"https://pics.example/api/set/9": (200, [{"id": 1, "file": "https://cdn.example/1.jpg"}])}
    (shell.home / "taped" / "all.yaml").write_text(cassette(answers))
    result = shell("new", "https://pics.example/api/set/9", "--replay", "taped")
    assert (result.returncode, result.stdout) == (0, "pics.yaml\n")
    found = shell("extract", "https://pics.example/api/set/9", "--sites", ".", "--replay", "taped")
    assert fragments(found.stdout) == ["https://cdn.example/1.jpg"]


def test_a_file_that_is_there_is_never_replaced(shell: Shell) -> None:
    (shell.home / "owls.yaml").write_text("mine")
    (shell.home / "page.html").write_text("<html>")
    result = shell("new", "https://owls.example/1", "--page", "page.html")
    assert result.returncode == 7
    assert "-o" in only_error(result)
    assert (shell.home / "owls.yaml").read_text() == "mine"


def test_a_redirect_makes_a_site_of_where_it_leads(shell: Shell) -> None:
    kind = KINDS["srcset"]
    with Origin({**kind.routes, "/s/x1": redirect("/p/5")}) as origin:
        result = shell("new", origin.url("/s/x1"), "--allow-private", "-o", "-")
        assert result.returncode == 0
        assert f'examples: ["{origin.url("/p/5")}"]' in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["ftp://owls.example/1"], 4, "http"),
        (["owls.example/1"], 4, "did you mean https://owls.example/1"),
        (["https://owls.example/1", "--name", "No Name"], 4, "lowercase letters"),
        (["https://owls.example/1", "--page", "nowhere.html"], 7, "cannot read nowhere.html"),
        (["https://under_score.example/1"], 4, "'under_score.example' cannot be in a site's `domains` - take a name"),
        (["http://[fe80::1%eth0]:8080/g/5"], 4, "from its % on, is this machine's alone"),
        (["http://[fe80::1%25eth0]/"], 4, "take the host's name, or an address of it without a zone"),
        (["http://[1:2]/"], 4, "[1:2] is not an IPv6 address"),
        (["https://owls.example/1", "--page", ".", "-o", "nowhere/x.yaml"], 7, "cannot read"),
    ],
)
def test_a_mistake_is_said_in_one_line(shell: Shell, words: list[str], code: int, message: str) -> None:
    result = shell("new", *words)
    assert result.returncode == code
    assert message in only_error(result)


MODELINE = "# yaml-language-server: $schema="


def test_in_a_clone_the_first_line_is_that_of_the_shipped_sites(shell: Shell) -> None:
    (shell.home / "clone" / "schema").mkdir(parents=True)
    (shell.home / "clone" / "sites" / "mine").mkdir(parents=True)
    (shell.home / "clone" / "schema" / "site.schema.json").write_text("{}")
    (shell.home / "page.html").write_text(str(KINDS["open-graph"].routes["/watch/night-owl"].body))
    for name, path in (("sites/a.yaml", "../schema"), ("sites/mine/a.yaml", "../../schema"), ("a.yaml", "schema")):
        file = shell.home / "clone" / name
        assert shell("new", "https://owls.example/watch/1", "--page", "page.html", "-o", str(file)).returncode == 0
        assert file.read_text().startswith(f"{MODELINE}{path}/site.schema.json\n# A first draft")


def test_elsewhere_the_first_line_names_the_schema_of_this_qetch(shell: Shell) -> None:
    (shell.home / "page.html").write_text(str(KINDS["open-graph"].routes["/watch/night-owl"].body))
    result = shell("new", "https://owls.example/watch/1", "--page", "page.html", "-o", "-")
    first = result.stdout.partition("\n")[0]
    assert first == f"{MODELINE}{schema_file().absolute().as_uri()}"
    assert "file://" in first


LOGIN = html('<form><input name="name"><input type="password"></form>', "<title>Sign in</title>")


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        (Reply(status=404, body=b"no"), 4, "answered 404 - there is no such page: check the URL"),
        (Reply(status=403, body=b"no"), 4, "answered 403 - save the page in a browser, and give it with --page FILE"),
        (Reply(status=500, body=b"no"), 5, "answered 500 - the site fails: try later"),
        (Reply(headers=HTML, body=b" \n"), 5, "the answer is empty"),
        (Reply(headers=JSON, body=b'{"a": [1, 2'), 5, "the JSON is broken at line 1, column 12"),
        (Reply(headers=HTML, body=b'{"a": [1, 2'), 5, "the JSON is broken"),
        (Reply(headers=JSON, body=b'{"a": NaN}'), 5, "JSON with NaN"),
        (Reply(headers=JSON, body=b'show({"a": 1})'), 5, "ask without the entry `callback`"),
        (Reply(headers={"Content-Type": "text/xml"}, body=b"<a><b></a>"), 5, "the XML is broken: "),
        (Reply(body=b"\x89PNG\r\n\x1a\n\x00"), 5, "this is a PNG picture"),
        (Reply(body=b"\x00\x01\x02 and so on"), 5, "something binary"),
        (LOGIN, 4, "is a page to log in"),
        (html("<h1>Oh no</h1>", "<title>404 - page not found</title>"), 4, "the page says '404 - page not found"),
        (html("<h1>Not found</h1>", '<meta property="og:image" content="/logo.png">'), 4, "the page says 'Not found'"),
        (html("<h1>Just a moment…</h1>"), 4, "it wants to see a browser"),
    ],
)
def test_what_is_no_page_is_told_with_what_helps_and_no_file_is_written(
    shell: Shell, reply: Reply, code: int, message: str
) -> None:
    with Origin({"*": reply}) as origin:
        result = shell("new", origin.url("/p/5"), "--allow-private")
    assert message in only_error(result)
    assert result.returncode == code
    assert list(shell.home.glob("*.yaml")) == []


def test_a_redirect_to_a_page_to_log_in_is_told(shell: Shell) -> None:
    form = html('<form><input type="password"></form>', "<title>Birds</title>")
    with Origin({"/p/5": redirect("/account/login?next=5"), "*": form}) as origin:
        result = shell("new", origin.url("/p/5"), "--allow-private")
    assert result.returncode == 4
    assert "/account/login?next=5 is a page to log in" in only_error(result)


def test_a_gallery_with_a_form_to_log_in_is_a_gallery(shell: Shell) -> None:
    kind = KINDS["video"]
    page = str(kind.routes["/clip/8"].body).replace("<h1>", '<header><input type="password"></header><h1>')
    with Origin({"*": Reply(headers=HTML, body=page)}) as origin:
        assert shell("new", origin.url("/clip/8"), "--allow-private").returncode == 0


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ("<!DOCTYPE html><html><body><script>start()</script></body></html>", "a browser fills this page in later"),
        (f"<!DOCTYPE html><html><body><p>{'word ' * 200}</p></body></html>", "on the pages that it links to"),
        ('{"name": "x"}', "this JSON names no file's URL"),
        ('<?xml version="1.0"?><a><b>x</b></a>', "this XML names no file's URL"),
        ('start({"url": "/a.jpg"})', "JSONP"),
        ("only words", "neither HTML nor JSON nor XML"),
    ],
)
def test_where_nothing_is_found_the_advice_fits_what_came(shell: Shell, body: str, advice: str) -> None:
    (shell.home / "saved").write_text(body)
    result = shell("new", "https://owls.example/p/5", "--page", "saved")
    assert (result.returncode, result.stdout) == (4, "owls.yaml\n")
    assert advice in result.stderr
    assert shell("validate", "owls.yaml").returncode == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "saved: the answer is empty"),
        (b'{"a": [1, 2,]}', "saved: the JSON is broken at line 1, column"),
        (b"<?xml version='1.0'?><a><b></a>", "saved: the XML is broken"),
        (b"\xff\xd8\xff\xe0\x00", "saved: this is a JPEG picture"),
        (b"From: <Saved by a browser>\r\nMIME-Version: 1.0\r\n", 'save the page again as "HTML only"'),
    ],
)
def test_a_saved_file_that_is_no_page_is_told(shell: Shell, body: bytes, message: str) -> None:
    (shell.home / "saved").write_bytes(body)
    result = shell("new", "https://owls.example/p/5", "--page", "saved")
    assert result.returncode == 7
    assert message in only_error(result)


@pytest.mark.parametrize(
    "head",
    [
        "<!-- saved from url=(0030)https://www.owls.example/watch/9 -->",
        '<link rel="canonical" href="https://www.owls.example/watch/9">',
        '<meta property="og:url" content="https://www.owls.example/watch/9">',
    ],
)
def test_a_saved_page_may_say_its_url_itself(shell: Shell, head: str) -> None:
    page = str(KINDS["open-graph"].routes["/watch/night-owl"].body).replace("<html>", f"<html>{head}")
    (shell.home / "page.html").write_text(page)
    result = shell("new", "--page", "page.html", "-o", "-")
    assert result.returncode == 0, result.stderr
    assert 'examples: ["https://www.owls.example/watch/9"]' in result.stdout


def test_a_saved_page_is_read_once(shell: Shell) -> None:
    head = '<link rel="canonical" href="https://www.owls.example/watch/9">'
    page = str(KINDS["open-graph"].routes["/watch/night-owl"].body).replace("<html>", f"<html>{head}")
    (shell.home / "page.html").write_text(page)
    reads = """
import sys
from qetch.cli import main
reads = []
sys.addaudithook(lambda event, words: reads.append(words[0]) if event == "open" else None)
main(["new", "--page", "page.html"])
print(sum(str(name).endswith("page.html") for name in reads))
"""
    assert shell.python(reads).splitlines() == ["owls.yaml", "1"]


def test_a_saved_page_to_log_in_is_named_by_its_file(shell: Shell) -> None:
    (shell.home / "page.html").write_text(str(LOGIN.body))
    result = shell("new", "--page", "page.html")
    assert result.returncode == 4
    assert "error: page.html is a page to log in" in only_error(result)


def test_a_saved_feed_may_say_its_url_itself(shell: Shell) -> None:
    own = '<link rel="self" href="https://leaves.example/atom"/>'
    body = str(SOURCES["atom"].routes["/atom"].body).replace("<title>Leaves", f"{own}<title>Leaves")
    (shell.home / "feed.xml").write_text(body)
    result = shell("new", "--page", "feed.xml", "-o", "-")
    assert 'examples: ["https://leaves.example/atom"]' in result.stdout


def test_without_any_url_it_is_asked_for(shell: Shell) -> None:
    (shell.home / "answer.json").write_text('{"file": "/a.png"}')
    result = shell("new", "--page", "answer.json")
    assert result.returncode == 7
    assert "answer.json does not say which URL it was saved from - give the URL too" in only_error(result)
    assert shell("new").returncode == 2


def test_what_the_site_refuses_is_said(shell: Shell) -> None:
    with Origin(
        {"/gone": Reply(status=410), "/file.png": Reply(headers={"Content-Type": "image/png"}, body=b"x")}
    ) as origin:
        gone = shell("new", origin.url("/gone"), "--allow-private")
        assert (gone.returncode, "answered 410" in only_error(gone)) == (4, True)
        file = shell("new", origin.url("/file.png"), "--allow-private")
        assert (file.returncode, "qetch get" in only_error(file)) == (4, True)


def test_a_page_that_is_too_large_is_refused(shell: Shell) -> None:
    with Origin({"*": Reply(headers=HTML, body=b"<p>" * 4_000_000)}) as origin:
        result = shell("new", origin.url("/"), "--allow-private")
    assert result.returncode == 5
    assert "larger than" in only_error(result)


SECRET = "a-token-of-mine"
ROWS = {"shots": [{"id": n, "file": f"/f/{n}.png", "bytes": 4000 + n} for n in (1, 2)], "next_cursor": "c2"}
LAST = {"shots": [{"id": 3, "file": "/f/3.png", "bytes": 4003}], "next_cursor": None}


def asks_a_token(request: Request) -> Reply:
    if request.headers.get("X-Shots-Auth") != f"Bearer {SECRET}":
        return Reply(401, JSON, '{"error": "who are you?"}')
    return answer(LAST if "cursor=c2" in request.path else ROWS)


def test_a_header_goes_to_the_host_that_is_asked_and_its_value_into_no_file(shell: Shell) -> None:
    api = "/api/v2/people/ana/shots?size=2"
    with Origin({"*": asks_a_token}) as origin:
        refused = shell("new", origin.url("/@ana"), "--api", origin.url(api), "--allow-private")
        assert "--header 'Name: value'" in only_error(refused)
        words = ("--api", origin.url(api), "--header", f"X-Shots-Auth: Bearer {SECRET}", "--allow-private")
        made = shell("new", origin.url("/@ana"), *words, "--name", "shots")
        assert (made.returncode, made.stdout) == (0, "shots.yaml\n")
        text = (shell.home / "shots.yaml").read_text()
        assert SECRET not in text + made.stderr
        assert 'headers: {"X-Shots-Auth": "Bearer {key}"}' in text
        assert "/@(?P<id>" in text
        assert 'get: "{id}/shots"' in text
        assert shell("validate", "--strict", "shots.yaml").returncode == 0
        (shell.home / "mine").mkdir()
        (shell.home / "shots.yaml").rename(shell.home / "mine" / "shots.yaml")
        assert shell("auth", "add", "shots", "--sites", "mine", stdin=f"{SECRET}\n").returncode == 0
        found = shell("extract", origin.url("/@ana"), "--sites", "mine", "--allow-private")
        assert fragments(found.stdout) == [origin.url(f"/f/{n}.png") for n in (1, 2, 3)], found.stderr


def test_a_secret_header_follows_no_redirect_to_another_host(shell: Shell) -> None:
    with Origin({"*": answer(ROWS)}) as other, Origin({"*": redirect(other.url("/shots"))}) as origin:
        words = ("--header", f"X-Shots-Auth: Bearer {SECRET}", "--header", "Accept: application/json")
        made = shell("new", origin.url("/api/shots"), *words, "--allow-private", "-o", "-")
        assert made.returncode == 0, made.stderr
        assert origin.requests[0].headers["X-Shots-Auth"] == f"Bearer {SECRET}"
        assert "X-Shots-Auth" not in other.requests[0].headers
        assert "headers: {Accept: application/json}" in made.stdout.replace('"application/json"', "application/json")
        assert SECRET not in made.stdout + made.stderr


def test_a_secret_of_two_words_is_not_written_down_in_part(shell: Shell) -> None:
    (shell.home / "saved.json").write_text(json.dumps(ROWS))
    words = ("--header", "X-Pass: horse battery", "--page", "saved.json", "-o", "-")
    made = shell("new", "https://shots.example/@ana", *words)
    assert 'headers: {"X-Pass": "{key}"}' in made.stdout
    assert "horse" not in made.stdout + made.stderr


def film_query(request: Request) -> Reply:
    asked = json.loads(request.body)
    rows = [{"filmId": n, "name": f"Film {n}", "src": f"/f/{n}.mp4"} for n in (1, 2, 3)]
    start = asked["variables"].get("offset") or 0
    line = {"films": rows[start : start + 2], "nextOffset": 2 if start == 0 else None}
    return answer({"data": {"line": line if asked["variables"]["slug"] == "line-9" else None}})


def test_a_posted_query_becomes_one_for_every_page(shell: Shell) -> None:
    query = "query Films($slug: ID!, $offset: Int) {\n  line(slug: $slug) { films { filmId } }\n}"
    data = json.dumps({"operationName": "Films", "query": query, "variables": {"slug": "line-9", "offset": 0}})
    with Origin({"/graphql": film_query}) as origin:
        page = origin.url("/line/line-9")
        made = shell("new", page, "--api", origin.url("/graphql"), "--data", data, "--allow-private", "--name", "trams")
        assert (made.returncode, made.stdout) == (0, "trams.yaml\n"), made.stderr
        text = (shell.home / "trams.yaml").read_text()
        assert "post: graphql" in text
        assert 'variables: {slug: "{id}", offset: "{offset}"}' in text
        found = shell("extract", page, "--sites", ".", "--allow-private")
        assert fragments(found.stdout) == [origin.url(f"/f/{n}.mp4") for n in (1, 2, 3)], found.stderr


def test_a_posted_object_is_posted_again(shell: Shell) -> None:
    with Origin(
        {"/find": lambda request: answer({"found": [{"id": 1, "file": f"/{len(request.body)}.png"}]})}
    ) as origin:
        data = '{"tag": "sky", "sort": {"by": "{age}"}}'
        words = ("--api", origin.url("/find"), "--data", data, "--allow-private", "-o", "-")
        made = shell("new", origin.url("/tags/sky"), *words)
    assert made.returncode == 0, made.stderr
    assert 'json: {tag: "{id}", sort: {by: "{{age}}"}}' in made.stdout


def test_a_saved_answer_says_that_nothing_was_asked(shell: Shell) -> None:
    (shell.home / "saved.json").write_text(json.dumps(ROWS))
    made = shell("new", "https://shots.example/@ana", "--page", "saved.json", "-o", "-")
    assert "nothing was asked: if this answer came from another URL" in made.stderr
    api = "https://api.shots.example/people/ana/shots"
    both = shell("new", "https://shots.example/@ana", "--api", api, "--page", "saved.json", "-o", "-")
    assert "nothing was asked" not in both.stderr
    assert 'base: "https://api.shots.example/people/"' in both.stdout
    assert "domains: [shots.example]" in both.stdout
    words = ("--page", "saved.json", "-o", "-")
    usual = shell("new", "https://shots.example/@ana", "--api", f"{api}?page[size]=9&source=web", *words)
    assert '"page[size]": "9"\n      source: web\n' in usual.stdout  # whatever the names are: they are none of ours
    twice = shell("new", "https://shots.example/@ana", "--api", f"{api}?f[]=a&f[]=b", *words)
    assert f'get: "{api}?f[]=a&f[]=b"' in twice.stdout
    untied = shell(
        "new", "https://shots.example/@ana", "--api", "https://api.shots.example/latest", "--page", "saved.json"
    )
    assert "so every page would ask for the same" in (shell.home / "shots.yaml").read_text(), untied.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--header", SECRET], "--header number 1 is no header - write --header 'Name: value'"),
        (["--data", '{"variables": {"jwt": "abc"}}'], "--data holds 'jwt', a secret by its name"),
        (["--header", f"Cookie: {SECRET}"], "save the answer in a browser, and name it with --page"),
        (["--data", "{"], "--data cannot be sent (Expecting"),
        (["--data", "[" * 100 + "]" * 100], "nested more than 40 levels deep"),
        (["--data", "[1]"], "--data is not a JSON object"),
        (["--data", f'{{"a": {{"access_token": "{SECRET}"}}}}'], "--data holds 'access_token', a secret by its name"),
        (["--header", f"Authorization: Bearer {SECRET}"], "Authorization would go over plain http to owls.example"),
    ],
)
def test_what_cannot_be_sent_is_told_without_its_value(shell: Shell, words: list[str], message: str) -> None:
    result = shell("new", "http://owls.example/1", *words)
    assert message in only_error(result)
    assert SECRET not in result.stderr
    assert list(shell.home.glob("*.yaml")) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<div id=app></div><script src='/app.js'></script>", "a browser fills this page in later"),
        ('<div id=app></div><script>var s = {"pool": {"films": []}};</script>', "its data are JSON in a <script>"),
        (f"<p>{'Long words of a plain page. ' * 40}</p><script>count()</script>", "on the pages that it links to"),
    ],
)
def test_the_advice_for_a_page_with_nothing_fits_the_page(shell: Shell, body: str, message: str) -> None:
    with Origin({"*": html(body)}) as origin:
        result = shell("new", origin.url("/p/5"), "--allow-private", "-o", "-")
    assert result.returncode == 4
    assert message in result.stderr
