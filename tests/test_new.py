"""`qetch new`: the drafts for composed pages are valid, and give the files that are there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from qetch.cli import validate
from qetch.extractors._spec import make_extractor
from qetch.session import Policy, Session
from qetch.spec import inspect
from qetch.tools.new.address import read_address
from qetch.tools.new.compose import compose
from qetch.tools.new.page import Page, fetch_page, read_page
from tests.new_pages import KINDS, NOTHING, Kind
from tests.new_shapes import FOLLOWED, SHAPES
from tests.new_sources import SOURCES
from tests.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qetch.content import Content
    from qetch.tools.new.compose import Draft


ALL = {**KINDS, **SOURCES, **SHAPES}


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(Policy(name="new"))
    session.allow_private = True
    yield session
    session.close()


def run(text: str, url: str, folder: Path) -> list[Content]:
    """What a spec gives at a URL, live."""
    file = folder / "draft.yaml"
    file.write_text(text)
    site, problems = inspect(file)
    assert site is not None, (text, problems)
    assert problems == []
    extractor = make_extractor(site)()
    extractor.session.allow_private = True
    with extractor.session:
        return [content for contents in extractor.extract(url) for content in contents]


def expected(kind: Kind, origin: Origin) -> tuple[list[str], list[str]]:
    """The files on the page itself, and all of them."""

    def absolute(paths: tuple[str, ...]) -> list[str]:
        return [origin.url(path) if path.startswith("/") else path for path in paths]

    return absolute(kind.files), absolute(kind.files + kind.more)


def shown(content: Content, name: str) -> Any:
    value = getattr(content, name)
    return value.isoformat() if name == "uploaded_date" else value


@pytest.mark.parametrize("name", ALL)
def test_a_draft_gives_what_is_on_the_page(
    name: str, tmp_path: Path, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = ALL[name]
    with Origin(kind.routes) as origin:
        url = origin.url(kind.path)
        page = fetch_page(session, url)
        draft = compose(read_address(url), page, session)
        here, everything = expected(kind, origin)
        assert sorted(draft.files) == sorted(here), draft.text
        contents = run(draft.text, url, tmp_path)
    found = [content.fragments[0] for content in contents]
    assert sorted(found) == sorted(everything), draft.text
    assert found[0] in here
    assert [word for word in kind.words if word not in draft.text] == [], draft.text
    assert {field: shown(contents[0], field) for field in kind.fields} == kind.fields
    assert "decide" in draft.text
    assert (validate.run(["--strict", str(tmp_path / "draft.yaml")]), capsys.readouterr().out) == (0, "")


@pytest.mark.parametrize("name", ["oembed", "json-next-url", "state-on-pages"])
def test_a_draft_for_an_ipv6_address_has_its_brackets_wherever_a_host_is_named(
    name: str, tmp_path: Path, session: Session
) -> None:
    kind = ALL[name]
    try:
        origin = Origin(kind.routes, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with origin:
        url = origin.url(kind.path)
        draft = compose(read_address(url), fetch_page(session, url), session)
        found = [content.fragments[0] for content in run(draft.text, url, tmp_path)]
        assert sorted(found) == sorted(expected(kind, origin)[1])
    assert 'domains: ["[::1]"]' in draft.text


@pytest.mark.parametrize("name", sorted(ALL.keys() - {"gallery", "oembed"} - FOLLOWED))
def test_a_saved_page_gives_the_same_draft(name: str, tmp_path: Path, session: Session) -> None:
    kind = ALL[name]
    with Origin(kind.routes) as origin:
        url = origin.url(kind.path)
        page = fetch_page(session, url)
        live = compose(read_address(url), page, session)
        saved = tmp_path / "page"
        saved.write_bytes(page.body)
        asked = len(origin.requests)
        draft = compose(read_address(url), read_page(saved).at(url))
        assert draft == live
        assert len(origin.requests) == asked


def draft_of(url: str, reply: Any) -> Draft:
    body = reply if isinstance(reply, bytes) else str(reply.body).encode()
    return compose(read_address(url), Page(url, body, "text/html"))


def valid(text: str, folder: Path) -> bool:
    file = folder / "draft.yaml"
    file.write_text(text)
    return inspect(file)[1] == []


def test_a_saved_gallery_gives_its_thumbnails_and_says_what_to_decide(tmp_path: Path) -> None:
    url = "https://stars.example/g/night-sky"
    draft = draft_of(url, KINDS["gallery"].routes["/g/night-sky"])
    assert draft.files == tuple(f"https://stars.example/t/{n}.jpg" for n in (1, 2, 3))
    assert "decide: these are thumbnails" in draft.text
    assert valid(draft.text, tmp_path)


def test_a_page_with_nothing_gives_a_valid_skeleton(tmp_path: Path) -> None:
    draft = draft_of("https://stars.example/p/5", NOTHING)
    assert draft.files == ()
    assert draft.evidence == ""
    assert "for you to replace" in draft.text
    assert "content:" in draft.text
    assert valid(draft.text, tmp_path)


def test_pictures_of_the_frame_of_a_page_are_nothing() -> None:
    icons = "".join(f'<li><a href="/u/{n}"><img src="/{n}.png" width="16"></a></li>' for n in range(9))
    page = (
        f'<html><body><ul class="users">{icons}</ul><footer><img src="/a.png"><img src="/b.png"></footer></body></html>'
    )
    assert draft_of("https://stars.example/p/5", page.encode()).files == ()


def test_what_several_places_say_of_one_item_is_put_together() -> None:
    page = """<html><head><meta property="og:title" content="A clip"><meta property="og:image" content="/p.jpg">
    </head><body><video src="/a.mp4"></video></body></html>"""
    draft = draft_of("https://stars.example/p/5", page.encode())
    assert draft.files == ("https://stars.example/a.mp4",)
    assert 'og:title"]::attr(content)' in draft.text
    assert "left out here: image" in draft.text
    assert draft.evidence == "<video>, OpenGraph <meta>"


def test_related_items_are_not_what_the_page_is_about() -> None:
    related = [{"id": n, "title": "x", "video_url": f"https://cdn.example/r{n}.mp4"} for n in range(9)]
    item = {"id": 5, "title": "It", "video_url": "https://cdn.example/it.mp4", "related": related}
    draft = draft_of("https://stars.example/p/5", json.dumps(item).encode())
    assert draft.files == ("https://cdn.example/it.mp4",)


def test_a_secret_in_the_url_is_in_no_draft(tmp_path: Path) -> None:
    url = "https://api.stars.example/photos?api_key=hunter2&tag=sky"
    draft = compose(read_address(url), Page(url, b'{"photos": [{"id": 1, "file": "https://cdn.example/1.jpg"}]}'))
    assert "hunter2" not in draft.text
    assert 'query: {api_key: "{key}"}' in draft.text
    assert draft.files == ("https://cdn.example/1.jpg",)
    assert valid(draft.text, tmp_path)


def test_keys_and_values_that_look_like_yaml_are_only_text(tmp_path: Path) -> None:
    rows = [
        {"id": f"a{n}", 'im\'g: {x} "#"': f"https://cdn.example/{n}.png", "null": f"https://cdn.example/{n}.gif"}
        for n in (1, 2)
    ]
    draft = draft_of("https://stars.example/p/5", json.dumps({"- a: [b]": rows}).encode())
    assert len(draft.files) == 4
    assert valid(draft.text, tmp_path)


def album(onward: str) -> bytes:
    pictures = "".join(f'<p><img src="/f/fox{n}.png"></p>' for n in (1, 2))
    return f'<html><body><ul class="crumbs"><a href="/g/1">up »</a></ul>{pictures}{onward}</body></html>'.encode()


@pytest.mark.parametrize(
    ("onward", "value"),
    [
        ('<a href="?page=2">Next page »</a>', "next: {xpath: \"//a[contains(., 'Next page')]/@href\"}"),
        ('<a href="/g/night-sky/2">→</a>', "next: {xpath: \"//a[contains(., '→')]/@href\"}"),
        (
            '<a href="?page=2" aria-label="next"><i></i></a>',
            "next: {xpath: \"//a[contains(@aria-label, 'next')]/@href\"}",
        ),
        ('<a class="older" href="?page=2">Older posts</a>', 'next: "a.older::attr(href)"'),
        ('<a href="https://other.example/2">Next</a>', ""),
        ('<a href="/g/night-sky">Next</a>', ""),
        ('<a href="/about">More</a>', ""),
        ("", ""),
    ],
)
def test_a_link_that_says_so_leads_to_the_next_page(onward: str, value: str, tmp_path: Path) -> None:
    draft = draft_of("https://stars.example/g/night-sky", album(onward))
    assert len(draft.files) == 2
    assert value in draft.text
    assert ("pages:" in draft.text) == bool(value)
    assert valid(draft.text, tmp_path)


@pytest.mark.parametrize(
    ("path", "match", "get"),
    [
        ("/@mira", "/@(?P<id>[\\w-]+)/?", "@{id}"),
        (
            "/walks/river-path/page-2.html",
            "/walks/(?P<id>[\\w-]+)/(?P<page>[\\w-]+)\\.html/?",
            "walks/{id}/{page}.html",
        ),
        ("/loaf/1044/a-long-title", "/loaf/(?P<id>\\d+)(?:/[^/?#]*)?/?", "loaf/{id}/{slug}"),
        ("/bakers/marta/loaves", "/bakers/(?P<id>[\\w-]+)/loaves/?", "bakers/{id}/loaves"),
        ("/albums/boats", "/albums/(?P<id>[\\w-]+)/?", "albums/{id}"),
        ("/galleries/animals/foxes", "/galleries/animals/(?P<id>[\\w-]+)/?", "galleries/animals/{id}"),
        ("/a/p5", "/a/(?P<id>[\\w-]+)/?", "a/{id}"),
    ],
)
def test_the_part_of_a_path_that_differs_becomes_the_name(path: str, match: str, get: str) -> None:
    address = read_address(f"https://stars.example{path}")
    assert address.id == "id"
    assert f"stars\\.example{match}" in address.pattern(["id", "page"])
    assert address.path() == get
