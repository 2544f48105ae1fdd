"""The packaged sites: each URL belongs to one handle, with the right parts, and the specs stay readable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import qetch.spec
from qetch.selectors.patterns import match_url

if TYPE_CHECKING:
    from qetch.spec.model import Site

SITES = Path(__file__).parent.parent / "sites"
NAMES = sorted(path.stem for path in SITES.glob("*.yaml"))
ORACLE = SITES.parent.parent / "shared" / "oracle" / "urls.json"

CLAIMS = [
    # url, site, handle, parts
    ("https://boards.4chan.org/po/thread/570368", "4chan", "thread", {"board": "po", "id": "570368"}),
    ("https://boards.4chan.org/po/thread/570368/welcome", "4chan", "thread", {"board": "po", "id": "570368"}),
    ("https://boards.4channel.org/po/thread/570368#p570371", "4chan", "thread", {"board": "po", "id": "570368"}),
    ("http://boards.4chan.org/3/res/570368?a=b", "4chan", "thread", {"board": "3", "id": "570368"}),
    ("https://boards.4chan.org/po", "4chan", "board", {"board": "po"}),
    ("https://boards.4chan.org/po/", "4chan", "board", {"board": "po"}),
    ("https://boards.4chan.org/po/catalog#s=crane", "4chan", "board", {"board": "po"}),
    ("https://boards.4channel.org/po/2", "4chan", "board", {"board": "po"}),
    ("https://i.4cdn.org/po/1546293948883.png", "4chan", "raw", {"board": "po", "id": "1546293948883", "ext": "png"}),
    ("https://t.4cdn.org/po/1546293948883s.jpg", "4chan", "raw", {"board": "po", "id": "1546293948883s"}),
    ("https://is2.4chan.org/po/1699029133827809.webm", "4chan", "raw", {"id": "1699029133827809", "ext": "webm"}),
    ("http://i.4chan.org/po/src/1546293948883.jpg", "4chan", "raw", {"board": "po", "id": "1546293948883"}),
    ("http://0.t.4cdn.org/po/thumb/1546293948883s.jpg", "4chan", "raw", {"id": "1546293948883s"}),
    ("https://i.4cdn.org/f/a%20b.c.swf", "4chan", "raw", {"board": "f", "id": "a%20b.c", "ext": "swf"}),
    ("https://imgur.com/21yMxCS", "imgur", "basic", {"id": "21yMxCS"}),
    ("http://www.imgur.com/zxaY6/", "imgur", "basic", {"id": "zxaY6"}),
    ("https://imgur.io/21yMxCS?second", "imgur", "basic", {"id": "21yMxCS"}),
    ("https://imgur.com/a-b-c-21yMxCS", "imgur", "basic", {"id": "21yMxCS"}),
    ("https://imgur.com/about-paper-21yMxCS", "imgur", "basic", {"id": "21yMxCS"}),
    ("https://i.imgur.com/21yMxCS", "imgur", "basic", {"id": "21yMxCS"}),
    ("https://i.imgur.com/Anim5aa.gifv", "imgur", "basic", {"id": "Anim5aa"}),
    ("https://imgur.com/Anim5aa.gifv#t=1", "imgur", "basic", {"id": "Anim5aa"}),
    ("https://i.imgur.com/21yMxCSh.png", "imgur", "basic", {"id": "21yMxCS"}),
    ("https://i.imgur.com/zxaY6s.jpg", "imgur", "basic", {"id": "zxaY6"}),
    ("https://imgur.com/r/origami/iHJ7tsM", "imgur", "basic", {"id": "iHJ7tsM"}),
    # An id of five or seven characters may end in the letter of a size: then it is the id of a whole file.
    ("https://i.imgur.com/abcdeft.png", "imgur", "raw", {"id": "abcdeft", "ext": "png"}),
    ("https://i.imgur.com/abcdh.jpeg", "imgur", "raw", {"id": "abcdh", "ext": "jpeg"}),
    ("http://i.imgur.com/zxaY6.GIF?1", "imgur", "raw", {"id": "zxaY6", "ext": "GIF"}),
    ("https://imgur.com/21yMxCS.png", "imgur", "raw", {"id": "21yMxCS"}),
    ("https://i.imgur.io/Vid3oAA.mp4", "imgur", "raw", {"id": "Vid3oAA", "ext": "mp4"}),
    ("https://i.imgur.com/removed.png", "imgur", "raw", {"id": "removed"}),
    ("https://imgur.com/a/TcBmP", "imgur", "album", {"id": "TcBmP"}),
    ("https://m.imgur.com/a/138-TcBmP#5", "imgur", "album", {"id": "TcBmP"}),
    ("https://imgur.com/a/RhJXhVT/layout/grid", "imgur", "album", {"id": "RhJXhVT"}),
    ("https://imgur.com/gallery/zf2fIms/comment/1", "imgur", "gallery", {"id": "zf2fIms"}),
    ("https://imgur.com/gallery/caf%C3%A9-birds-zf2fIms", "imgur", "gallery", {"id": "zf2fIms"}),
    ("https://imgur.com/t/paper/some-title-26sEhNr", "imgur", "gallery", {"id": "26sEhNr"}),
    ("https://imgur.com/topic/Paper/26sEhNr", "imgur", "gallery", {"id": "26sEhNr"}),
    ("https://imgur.com/user/sarah", "imgur", "user", {"user": "sarah"}),
    ("https://imgur.com/user/me-too/", "imgur", "user", {"user": "me-too"}),
    ("https://imgur.com/user/sarah/favorites", "imgur", "favorites", {"user": "sarah"}),
    ("https://imgur.com/user/sarah/favorites/folder/12/x", "imgur", "folder", {"user": "sarah", "id": "12"}),
    ("https://imgur.com/t/paper", "imgur", "tag", {"list": "t/paper"}),
    ("https://imgur.com/r/origami/", "imgur", "tag", {"list": "r/origami"}),
    ("https://imgur.com/search?q=paper", "imgur", "tag", {"list": "search"}),
    ("https://gfycat.com/CalmFoldedCrane", "gfycat", "basic", {"id": "CalmFoldedCrane"}),
    ("http://www.gfycat.com/gifs/detail/calmfoldedcrane", "gfycat", "basic", {"id": "calmfoldedcrane"}),
    ("https://gfycat.com/de/calmfoldedcrane-a-bird", "gfycat", "basic", {"id": "calmfoldedcrane"}),
    ("https://gfycat.com/ifr/CalmFoldedCrane?autoplay=0", "gfycat", "basic", {"id": "CalmFoldedCrane"}),
    ("https://giant.gfycat.com/CalmFoldedCrane.webm", "gfycat", "raw", {"id": "CalmFoldedCrane"}),
    ("https://thumbs.gfycat.com/CalmFoldedCrane-size_restricted.gif", "gfycat", "raw", {"id": "CalmFoldedCrane"}),
]

NOBODYS = [
    "https://boards.4chan.org/po/archive",
    "https://boards.4chan.org/",
    "https://www.4chan.org/rules",
    "https://s.4cdn.org/image/title/1.png",
    "https://evil.example/boards.4chan.org/po/thread/1",
    "https://boards.4chan.org.evil.example/po/thread/1",
    "https://imgur.com/",
    "https://imgur.com/about",
    "https://imgur.com/gallery",
    "https://imgur.com/gallery/hot/viral",
    "https://imgur.com/t/paper/viral",
    "https://imgur.com/upload?beta",
    "https://imgur.com/abcdefgh",  # eight characters
    "https://imgur.com/user/me",
    "https://imgur.com/user/me/posts",
    "https://imgur.com/user/me/hidden",
    "https://imgur.com/user/me/favorites",
    "https://imgur.com/user/me/favorites/folder/12/x",
    "https://imgur.com.evil.example/21yMxCS",
    "https://evilimgur.com/21yMxCS",
    "https://api.gfycat.com/v1/gfycats/CalmFoldedCrane",
]

HANDLE_OF = {  # the oracle's names; the pictures of subreddits are images there
    "image": ("basic", "raw"),
    "album": ("album",),
    "gallery": ("gallery",),
    "user": ("user",),
    "favorite": ("favorites",),
    "favorite-folder": ("folder",),
    "subreddit": ("tag",),
    "tag": ("tag",),
    "search": ("tag",),
}


@pytest.fixture(scope="module")
def sites() -> dict[str, Site]:
    return {name: qetch.spec.read(SITES / f"{name}.yaml") for name in NAMES}


def claims(sites: dict[str, Site], url: str) -> list[tuple[str, str, dict[str, str]]]:
    """Every site, handle and pattern that claims a URL, with the parts that it finds."""
    return [
        (site.name, handle.name, match.groupdict())
        for site in sites.values()
        for handle in site.handles.values()
        for pattern in handle.patterns
        if (match := match_url(pattern, url))
    ]


def oracle(site: str) -> list[dict[str, object]]:
    if not ORACLE.exists():
        return []
    return [record for record in json.loads(ORACLE.read_text(encoding="utf-8")) if record["site"] == site]


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_has_no_problems(name: str) -> None:
    site, problems = qetch.spec.inspect(SITES / f"{name}.yaml")
    assert [str(problem) for problem in problems] == []
    assert site is not None


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_is_short_and_names_its_schema_first(name: str) -> None:
    lines = (SITES / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    site = qetch.spec.read(SITES / f"{name}.yaml")
    assert lines[0] == "# yaml-language-server: $schema=../schema/site.schema.json"
    assert len(lines) <= 25 * len(site.handles)
    assert max(map(len, lines)) <= 200


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_claimed_by_its_handle_alone(sites: dict[str, Site], name: str) -> None:
    for handle in sites[name].handles.values():
        assert handle.examples
        for example in handle.examples:
            assert [claim[:2] for claim in claims(sites, example.url)] == [(name, handle.name)], example.url
        for url in handle.not_urls:
            assert claims(sites, url) == []


@pytest.mark.parametrize(("url", "site", "handle", "parts"), CLAIMS)
def test_a_url_is_claimed_by_one_handle_with_its_parts(
    sites: dict[str, Site], url: str, site: str, handle: str, parts: dict[str, str]
) -> None:
    ((found_site, found_handle, found),) = claims(sites, url)
    assert (found_site, found_handle) == (site, handle)
    assert parts.items() <= found.items()


@pytest.mark.parametrize("url", NOBODYS)
def test_a_url_of_something_else_is_claimed_by_nobody(sites: dict[str, Site], url: str) -> None:
    assert claims(sites, url) == []


def test_the_handles_are_those_that_the_documentation_names(sites: dict[str, Site]) -> None:
    assert set(sites["4chan"].handles) == {"thread", "board", "raw"}
    assert set(sites["imgur"].handles) >= {"album", "gallery", "basic", "raw", "user", "tag"}
    assert set(sites["gfycat"].handles) == {"basic", "raw"}


@pytest.mark.skipif(not ORACLE.exists(), reason="the collection of users' URLs is not here")
@pytest.mark.parametrize("record", oracle("imgur") + oracle("4chan"), ids=lambda record: record["url"])
def test_the_urls_that_users_give_are_claimed_once_with_their_ids(
    sites: dict[str, Site], record: dict[str, object]
) -> None:
    url, kind, captures = str(record["url"]), str(record["handle"]), record["captures"]
    found = claims(sites, url)
    if kind == "me":  # needs a login, which a key is not
        assert found == []
        return
    ((site, handle, parts),) = found
    assert site == record["site"]
    assert handle in HANDLE_OF[kind]
    assert isinstance(captures, list)
    if kind in ("tag", "subreddit"):
        assert parts["list"].split("/")[1:] == captures
    elif kind != "search":
        assert list(parts.values())[: len(captures)] == captures
