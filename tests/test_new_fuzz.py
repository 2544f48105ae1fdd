"""`qetch new` and pages that nobody composed: no traceback, and always a spec that is valid."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from qetch.errors import QetchError
from qetch.tools.new.address import read_address
from qetch.tools.new.arrivals import unreadable
from qetch.tools.new.asked import behind, read_sent
from qetch.tools.new.build import NOTHING
from qetch.tools.new.compose import compose
from qetch.tools.new.page import Page
from qetch.tools.new.trial import problems_of
from qetch.tools.new.yaml_text import Noted, Remark, render, scalar
from qetch.tools.telling import is_secret
from tests.new_pages import KINDS
from tests.new_shapes import SHAPES
from tests.new_sources import SOURCES

if TYPE_CHECKING:
    from qetch.tools.new.address import Address
    from qetch.tools.new.asked import Sent

URL = "https://www.stars.example/g/night-sky?sort=new"

urls = st.sampled_from(
    (
        *(
            "https://cdn.example/1.jpg",
            "//cdn.example/2.mp4",
            "/3.png",
            "4.gif",
            "https://cdn.example/5",
            "",
            "data:,x",
        ),
        *(
            "https://cdn.example/a b/{x}.jpg",
            "http://[::1",
            "https://cdn.example/é.webm?x=#y",
            "javascript:0",
            "/p/6",
            "?p=2",
        ),
    )
)
keys = st.sampled_from(
    (
        *(
            "id",
            "url",
            "image_url",
            "title",
            "file",
            "thumbnailUrl",
            "size",
            "md5",
            "created_at",
            "user",
            "next",
            "items",
        ),
        *(
            "@type",
            "a b",
            "'",
            '"',
            "`x`",
            "{n}",
            "[]",
            "",
            "no",
            "images",
            "formats",
            "height",
            "label",
            "page",
            "pages",
            "ü😀",
        ),
    )
)
texts = urls | st.text(max_size=12) | st.sampled_from(["2020-01-01", "VideoObject", "720p", "<b>x</b>", "{", "x: #y"])
scalars = st.none() | st.booleans() | st.integers(-5, 2_000_000_000) | st.floats(allow_nan=False) | texts
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys | st.text(max_size=4), inner, max_size=6)
        | st.lists(st.dictionaries(keys, inner, min_size=1, max_size=5), min_size=1, max_size=4)
    ),
    max_leaves=40,
)

names = st.sampled_from(
    [
        "a",
        "img",
        "video",
        "source",
        "div",
        "ul",
        "li",
        "p",
        "picture",
        "main",
        "nav",
        "h1",
        "time",
        "b:x",
        "x-y",
        "base",
    ]
)
attributes = st.dictionaries(
    st.sampled_from(
        ["href", "src", "srcset", "class", "id", "alt", "type", "label", "poster", "rel", "width", "title"]
    ),
    urls
    | st.text(max_size=8)
    | st.sampled_from(["thumbs", "next", "a1 b-c d", "/1.jpg 320w, /2.jpg 2x", "16", "video/mp4", "720p", "x'\"y"]),
    max_size=4,
)
heads = st.lists(
    st.builds(
        "<meta property='{}' content='{}'>".format,
        st.sampled_from(["og:title", "og:video", "og:image", "og:site_name", "author", "date", "og:audio:url"]),
        urls | st.text(max_size=10),
    )
    | st.builds(
        "<script {}>{}</script>".format,
        st.sampled_from(["", "type=application/json", "type=application/ld+json", "type=application/json id='a\"b'"]),
        st.builds(
            "{}{}{}".format,
            st.sampled_from(
                ["", "window.__S__ = ", "var $x=", "x = {};\n", "window['__S__']=", "var ab = JSON.parse("]
            ),
            st.builds(json.dumps, values)
            | st.builds(lambda value: json.dumps(json.dumps(value)), values)
            | st.builds(lambda value: "'" + json.dumps(value).replace("\\", "\\\\") + "'", values),
            st.sampled_from(["", ";", "; start({})", "\n}", "}", ")", ");"]),
        ),
    ),
    max_size=4,
)


tags = st.sampled_from(
    [
        "item",
        "entry",
        "channel",
        "title",
        "link",
        "guid",
        "id",
        "enclosure",
        "content",
        "group",
        "url",
        "file",
        "é",
        "a.b",
    ]
)
marks = st.dictionaries(
    st.sampled_from(["url", "href", "rel", "type", "id", "width", "height", "length", "file_url", "ü"]),
    urls | st.text(max_size=8) | st.sampled_from(["enclosure", "next", "self", "12", "x'y", "image/png"]),
    max_size=4,
)


def _mark(name: str, attributes: dict[str, str], inner: list[str], times: int) -> str:
    written = "".join(f" {key}={quoteattr(_plain(value))}" for key, value in attributes.items())
    return f"<{name}{written}>{''.join(inner)}</{name}>" * times


def _plain(text: str) -> str:
    """What XML may hold: no control characters, no halves of pairs."""
    return "".join(letter for letter in text if letter.isprintable())


trees = st.recursive(
    st.builds(lambda text: escape(_plain(text)), texts),
    lambda inner: st.builds(_mark, tags, marks, st.lists(inner, max_size=4), st.integers(1, 3)),
    max_leaves=20,
)


def _element(name: str, attributes: dict[str, str], inner: list[str], times: int) -> str:
    written = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(inner)}</{name}>" * times


bodies = st.recursive(
    st.text(max_size=10),
    lambda inner: st.builds(_element, names, attributes, st.lists(inner, max_size=3), st.integers(1, 4)),
    max_leaves=12,
)


def check(url: str, body: bytes, content_type: str = "", address: Address | None = None, sent: Sent = NOTHING) -> str:
    """The draft for a page, which is valid, and no error but qetch's own."""
    try:
        draft = compose(address or read_address(url), Page(url, body, content_type), None, sent)
    except QetchError:
        return ""
    assert problems_of(draft.text) == [], draft.text
    return draft.text


@settings(max_examples=120, deadline=None)
@given(values)
def test_any_json_gives_a_valid_draft(value: Any) -> None:
    check(URL, json.dumps(value).encode())


@settings(max_examples=120, deadline=None)
@given(heads, st.lists(bodies, max_size=4))
def test_any_html_gives_a_valid_draft(head: list[str], body: list[str]) -> None:
    page = f"<html><head>{''.join(head)}</head><body>{''.join(body)}</body></html>"
    check(URL, page.encode("utf-8", "replace"), "text/html")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["rss", "feed", "posts", "url"]), st.lists(trees, max_size=4))
def test_any_xml_gives_a_valid_draft(root: str, inner: list[str]) -> None:
    page = Page(URL, f"<?xml version='1.0'?><{root}>{''.join(inner)}</{root}>".encode())
    assert page.xml is not None
    check(URL, page.body)


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=300) | st.builds(str.encode, trees),
    st.sampled_from(["", "text/html", "application/json", "text/xml"]),
)
def test_any_bytes_are_a_page_or_told_in_one_line(body: bytes, content_type: str) -> None:
    assert "\n" not in unreadable(Page(URL, body, content_type))


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", "text/html", "application/json", "image/png", "\n\x00x"]))
def test_any_bytes_give_a_valid_draft(body: bytes, content_type: str) -> None:
    check(URL, body, content_type)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_page_gives_a_valid_draft(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([*KINDS.values(), *SOURCES.values(), *SHAPES.values()]))
    body = bytearray(str(next(iter(kind.routes.values())).body).encode())
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(body)))
        body[start : start + data.draw(st.integers(0, 30))] = data.draw(
            st.binary(max_size=6) | st.just(b'"') | st.just(b"{")
        )
    check(URL, bytes(body))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.text(max_size=12) | st.sampled_from(["v1", "api", "42", "{a}", "%2e%2e", "a:b", "..", "x.json"]), max_size=5
    ),
    st.lists(
        st.tuples(st.text(max_size=8) | st.sampled_from(["id", "key", "page", "source"]), st.text(max_size=8)),
        max_size=4,
    ),
    st.sampled_from(
        ["stars.example", "www.stars.co.uk", "127.0.0.1:8080", "localhost", "[::1]", "4.example", "a_b.example"]
    ),
)
def test_any_url_gives_a_valid_draft(path: list[str], query: list[tuple[str, str]], host: str) -> None:
    url = f"https://{host}/{'/'.join(path)}?{'&'.join(f'{name}={value}' for name, value in query)}"
    text = check(url, b'[{"id": 5, "file": "https://cdn.example/5.jpg"}]')
    for name, value in query:
        if text and (is_secret(name) or name.lower() == "key") and len(value) > 5 and "&" not in value:
            assert f"{name}={value}" not in text


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_every_text_is_read_back_as_it_was(text: str) -> None:
    data = {"key": text, text: [text, {"in": Noted(text, text)}], Remark(f"so: {text}"): None}
    read = yaml.safe_load(render(data))
    assert read["key"] == text or text == "key"
    assert read[text] == [text, {"in": text}]


@pytest.mark.parametrize("text", ["no", "true", "12", "~", "", "a: b", "# x", "- y", "@", "{x}", "\u2028", "😀\n"])
def test_a_text_that_yaml_would_take_for_something_else_is_quoted(text: str) -> None:
    assert yaml.safe_load(scalar(text)) == text
    assert yaml.safe_load(f"[{scalar(text)}, 1]") == [text, 1]


HOSTILE = {
    "deep JSON": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "many rows": b"[" + b'{"id":1,"url":"/1.jpg"},' * 50_000 + b"{}]",
    "many keys": json.dumps({f"k{n}.url": f"/{n}.jpg" for n in range(20_000)}).encode(),
    "long text": json.dumps({"image": "/" + "a" * 1_000_000 + ".jpg"}).encode(),
    "deep HTML": b"<div>" * 50_000,
    "many links": b"<ul>" + b"<li><a href=/p/1><img src=/t.jpg></a>" * 20_000,
    "blanks in a script": b'<script>window.a = {"id": 1, "url": "/1.jpg"}' + b" " * 300_000 + b"x = </script>",
    "many assignments": b"<script>" + b'var a = {"x": "/1.jpg", "y": "1234567890"};' * 20_000 + b"</script>",
    "deep XML": b"<?xml version='1.0'?>" + b"<a>" * 200 + b"</a>" * 200,
    "many elements": b"<?xml version='1.0'?><a>" + b"<item><enclosure url='/1.mp3'/></item>" * 30_000 + b"</a>",
    "many names": b"<?xml version='1.0'?><a>" + b"".join(b"<n%d url='/1.mp3'/>" % n for n in range(20_000)) + b"</a>",
    "a long text in a script": b"<script>var ab = JSON.parse('" + b"\\\\" * 300_000 + b"</script>",
    "long srcset": b"<img srcset='" + b"a" * 500_000 + b" 1x'>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_without_end_is_looked_at_within_bounds(name: str) -> None:
    check(URL, HOSTILE[name], "text/html" if HOSTILE[name].startswith(b"<") else "")


parts = st.sampled_from(["5", "ab12", "@ana", "page-2", "{id}", "words-of-it", "api", "%7b"]) | st.text(max_size=5)
posted = st.dictionaries(st.sampled_from(["query", "variables", "slug", "{id}", "a b"]) | st.text(max_size=5), values)


@settings(max_examples=100, deadline=None)
@given(st.lists(parts, max_size=4), st.lists(parts, max_size=4), st.none() | posted, values)
def test_any_request_behind_a_page_gives_a_valid_draft(
    page: list[str], asked: list[str], data: dict[str, Any] | None, value: Any
) -> None:
    url = f"https://api.fox.example/{'/'.join(map(quote, asked))}?q={quote('/'.join(page))}"
    try:
        sent = read_sent(["X-Fox: Bearer {a} b", "Accept: {x}"], None if data is None else json.dumps(data))
        address = behind(read_address(f"https://fox.example/{'/'.join(map(quote, page))}"), read_address(url))
    except QetchError:
        return
    text = check(url, json.dumps(value).encode(), "application/json", address, sent)
    assert "{a} b" not in text
