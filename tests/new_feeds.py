"""Composed feeds and other XML for `qetch new`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.new_pages import Kind
from tests.origin import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

RSS = {"Content-Type": "application/rss+xml; charset=utf-8"}
XML = {"Content-Type": "text/xml"}


def item(number: int, inner: str) -> str:
    return (
        f"<item><title>Bird {number} &amp; co</title><link>https://birds.example/post/bird-{number}</link>"
        f'<guid isPermaLink="true">https://birds.example/post/bird-{number}</guid>'
        f"<pubDate>Wed, 0{number} Jan 2020 03:04:05 +0000</pubDate><dc:creator>mira</dc:creator>"
        f"<description>&lt;p&gt;A &lt;b&gt;bird&lt;/b&gt;&lt;/p&gt;</description>{inner}</item>"
    )


def feed(*items: str) -> Reply:
    spaces = (
        'xmlns:media="https://search.example/mrss/" xmlns:dc="https://purl.example/dc/"'
        ' xmlns:content="https://purl.example/content/"'
    )
    head = "<title>Birds</title><image><url>https://birds.example/logo.png</url></image>"
    return Reply(
        headers=RSS,
        body=f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" {spaces}><channel>{head}{"".join(items)}</channel></rss>',
    )


def birds(inner: Callable[[int], str], *more: str) -> dict[str, Reply]:
    """A feed of two items, with what `inner` makes of their numbers; and of more items."""
    return {"/feed": feed(item(1, inner(1)), item(2, inner(2)), *more)}


def entry(number: int) -> str:
    return (
        f'<entry><id>tag:leaves.example,2020:leaf/{number}</id><title type="html">Leaf {number}</title>'
        f"<author><name>mira</name></author><published>2020-01-0{number}T00:00:00Z</published>"
        f'<link rel="alternate" href="/leaf/{number}"/>'
        f'<link rel="enclosure" type="image/png" href="/f/leaf-{number}.png"/></entry>'
    )


def atom(*entries: str, more: str = "") -> Reply:
    link = f'<link rel="next" href="{more}"/>' if more else ""
    body = f'<feed xmlns="https://www.w3.example/Atom"><title>Leaves</title>{link}{"".join(entries)}</feed>'
    return Reply(headers=XML, body=body)


def xml(body: str) -> Reply:
    return Reply(headers=XML, body=f'<?xml version="1.0"?>{body}')


BIRD = {"title": "Bird 1 & co", "uploaded_by": "mira", "uploaded_date": "2020-01-01T03:04:05+00:00"}

FEEDS = {
    "rss-enclosure": Kind(
        "/feed",
        birds(lambda n: f'<enclosure url="/f/{n}.mp3" length="1" type="audio/mpeg"/>'),
        ("/f/1.mp3", "/f/2.mp3"),
        ("as: xml", "in: item", 'url: "enclosure::attr(url)"'),
        fields={**BIRD, "description": "A bird", "uid": "local-bird-1"},
    ),
    "rss-of-one": Kind(
        "/feed",
        {"/feed": feed(item(1, '<enclosure url="/f/1.mp3" length="1" type="audio/mpeg"/>'))},
        ("/f/1.mp3",),
        ("in: item",),
        fields=BIRD,
    ),
    "rss-media": Kind(
        "/feed",
        birds(
            lambda n: (
                f'<media:thumbnail url="/t/{n}.jpg"/><media:content url="/f/{n}.jpg" medium="image">'
                "<media:title>inside</media:title></media:content>"
            )
        ),
        ("/f/1.jpg", "/f/2.jpg", "/t/1.jpg", "/t/2.jpg"),
        ('title: "item > title"', 'variants: {file: "content::attr(url)", thumbnail: "thumbnail::attr(url)"}'),
        fields={**BIRD, "variant": "file"},
    ),
    "rss-group": Kind(
        "/feed",
        birds(
            lambda n: (
                f'<media:group><media:content url="/f/{n}s.mp4" height="360" width="640"/>'
                f'<media:content url="/f/{n}l.mp4" height="720" width="1280"/></media:group>'
            )
        ),
        ("/f/1s.mp4", "/f/1l.mp4", "/f/2s.mp4", "/f/2l.mp4"),
        ('in: "group > content"', 'rank: {css: "::attr(height)", number: int}'),
        fields={**BIRD, "variant": "720"},
    ),
    "rss-several": Kind(
        "/feed",
        birds(lambda n: f'<media:content url="/f/{n}a.jpg"/><media:content url="/f/{n}b.jpg"/>'),
        ("/f/1a.jpg", "/f/1b.jpg", "/f/2a.jpg", "/f/2b.jpg"),
        ("in: item", "in: content", 'text: "{item}-{n}"'),
        fields={**BIRD, "uid": "local-bird-1-1"},
    ),
    "rss-pictures-in-texts": Kind(
        "/feed",
        birds(
            lambda n: (
                f'<content:encoded><![CDATA[<p><img src="/f/{n}a.jpg"> and <img src="/f/{n}b.jpg"></p>]]>'
                "</content:encoded>"
            ),
            item(3, "<content:encoded>none</content:encoded>"),
        ),
        ("/f/1a.jpg", "/f/1b.jpg", "/f/2a.jpg", "/f/2b.jpg"),
        ('body: {css: "encoded::text", parse: html}', "of: body"),
        fields={**BIRD, "uid": "local-bird-1-1"},
    ),
    "atom": Kind(
        "/atom",
        {"/atom": atom(entry(1), entry(2), more="/atom?page=2"), "/atom?page=2": atom(entry(3))},
        ("/f/leaf-1.png", "/f/leaf-2.png"),
        ("in: entry", "pages: {next: 'link[rel=\"next\"]::attr(href)'}"),
        ("/f/leaf-3.png",),
        {"title": "Leaf 1", "uploaded_by": "mira", "uploaded_date": "2020-01-01T00:00:00+00:00"},
    ),
    "xml-attributes": Kind(
        "/posts",
        {
            "/posts": xml(
                "<posts>"
                + "".join(
                    f'<post id="{n}" file_url="/f/{n}.png" preview_url="/t/{n}.png" author="mira" file_size="1234"/>'
                    for n in (8, 9)
                )
                + "</posts>"
            )
        },
        ("/f/8.png", "/f/9.png", "/t/8.png", "/t/9.png"),
        ('uid: "::attr(id)"', "number: int"),
        fields={"uid": "local-8-file", "uploaded_by": "mira", "size": 1234},
    ),
    "xml-elements": Kind(
        "/photos",
        {
            "/photos": xml(
                "<photos>"
                + "".join(
                    f"<photo><id>{n}</id><caption>Fox {n}</caption>"
                    f"<urls><full>/f/{n}.jpg</full><small>/s/{n}.jpg</small></urls></photo>"
                    for n in (8, 9)
                )
                + "</photos>"
            )
        },
        ("/f/8.jpg", "/f/9.jpg", "/s/8.jpg", "/s/9.jpg"),
        ('variants: {full: "urls > full", small: "urls > small"}',),
        fields={"title": "Fox 8"},
    ),
    "xml-one": Kind(
        "/photo/5",
        {"/photo/5": xml('<photo id="5"><title>Fox</title><file size="1234">/f/5.jpg</file></photo>')},
        ("/f/5.jpg",),
        ('url: "photo > file"',),
        fields={"title": "Fox", "size": 1234},
    ),
    "xml-urls": Kind(
        "/set/5",
        {"/set/5": xml("<set><pic>/f/1.jpg</pic><pic>/f/2.jpg</pic></set>")},
        ("/f/1.jpg", "/f/2.jpg"),
        ("in: pic", "decide: this is the file's path"),
        fields={"uid": "local-f/1.jpg"},
    ),
}
