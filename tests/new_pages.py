"""Composed pages for `qetch new`: what a small origin answers, and which files a spec for it must give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.origin import Reply

HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Kind:
    """A kind of page: its path, what the origin answers, and the paths or URLs of the files.

    Attributes:
        words: What the spec must hold, besides.
        more: Files that only a live run finds, on further pages.
    """

    path: str
    routes: dict[str, Reply]
    files: tuple[str, ...]
    words: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)


def html(body: str, head: str = "") -> Reply:
    return Reply(headers=HTML, body=f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>")


def answer(value: Any) -> Reply:
    return Reply(headers=JSON, body=json.dumps(value))


def photo(number: int) -> dict[str, Any]:
    return {
        "id": 40 + number,
        "title": f"Bird {number} &amp; friends",
        "created_at": f"2020-01-0{number}T03:04:05Z",
        "user": {"id": 1, "name": "mira", "avatar_url": "https://cdn.example/a.png"},
        "urls": {"small": f"https://cdn.example/{number}s.jpg", "full": f"https://cdn.example/{number}.jpg"},
    }


LD = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "WebPage", "name": "no"},
        {
            "@type": "VideoObject",
            "name": "An owl",
            "uploadDate": "2020-02-03",
            "contentUrl": "https://cdn.example/owl.mp4",
            "embedUrl": "https://cdn.example/embed/owl",
            "thumbnailUrl": ["https://cdn.example/owl.jpg"],
            "author": {"@type": "Person", "name": "mira"},
        },
    ],
}
IMAGES = [{"@type": "ImageObject", "contentUrl": f"/full/{n}.png", "name": f"Leaf {n}"} for n in (1, 2, 3)]
STATE = {
    "session": {"user": None},
    "gallery": {"name": "Moths", "photos": [{"id": n, "src": f"https://cdn.example/{n}.webp"} for n in (1, 2, 3)]},
}


def _thumbs(*numbers: int) -> str:
    row = '<li class="pic"><a href="/p/{0}"><img src="/t/{0}.jpg" alt="Star {0}" width="200"></a></li>'
    return f'<ul class="thumbs">{"".join(row.format(n) for n in numbers)}</ul>'


LOGO = '<nav><a href="/"><img src="/logo.png"></a><a href="/u"><img src="/me.png"></a></nav>'

KINDS = {
    "json-list": Kind(
        "/api/albums/5/photos",
        {
            "/api/albums/5/photos": answer({"data": {"items": [photo(1), photo(2)]}, "next_cursor": "abc"}),
            "/api/albums/5/photos?cursor=abc": answer({"data": {"items": [photo(3)]}, "next_cursor": None}),
        },
        tuple(f"https://cdn.example/{n}{size}.jpg" for n in (1, 2) for size in ("", "s")),
        ("set: {cursor: next_cursor}", "in: data.items", "full: urls.full, small: urls.small", "parse: html"),
        ("https://cdn.example/3.jpg", "https://cdn.example/3s.jpg"),
        {"title": "Bird 1 & friends", "uploaded_by": "mira", "uploaded_date": "2020-01-01T03:04:05+00:00"},
    ),
    "json-pages": Kind(
        "/list?tag=sky&page=1",
        {
            "/list?tag=sky&page=1": answer({"page": 1, "pages": 2, "files": [{"no": 1, "url": "/f/1.png"}]}),
            "/list?tag=sky&page=2": answer({"page": 2, "pages": 2, "files": [{"no": 2, "url": "/f/2.png"}]}),
        },
        ("/f/1.png",),
        ("params: [tag]", "counter: ", 'until: "page >= pages"', 'uid: "no"'),
        ("/f/2.png",),
    ),
    "json-next-url": Kind(
        "/feed",
        {
            "/feed": answer({"next": "/feed?after=2", "items": [{"slug": "a", "file": "/f/a.gif"}]}),
            "/feed?after=2": answer({"next": None, "items": [{"slug": "b", "file": "/f/b.gif"}]}),
        },
        ("/f/a.gif",),
        ("pages: {next: next}",),
        ("/f/b.gif",),
    ),
    "json-item": Kind(
        "/api/photo/77.json",
        {
            "/api/photo/77.json": answer(
                {
                    "photo": {
                        "id": "77",
                        "caption": "A <b>bird</b>",
                        "image_url": "/f/77.png",
                        "filesize": 2000,
                        "md5": "d41d8cd98f00b204e9800998ecf8427e",
                        "taken": 1500000000,
                    }
                }
            )
        },
        ("/f/77.png",),
        ("size: photo.filesize", "md5: photo.md5", "uploaded_date: photo.taken"),
        fields={"title": "A bird", "size": 2000, "checksums": {"md5": "d41d8cd98f00b204e9800998ecf8427e"}},
    ),
    "json-nested": Kind(
        "/posts",
        {
            "/posts": answer(
                [
                    {"id": 7, "title": "One", "images": [{"url": "/1.jpg", "width": 4}, {"url": "/2.jpg", "width": 5}]},
                    {"id": 8, "title": "Two", "images": []},
                    {"id": 9, "title": "Three", "images": [{"url": "/3.jpg", "width": 4}]},
                ]
            )
        },
        ("/1.jpg", "/2.jpg", "/3.jpg"),
        ("let: {item: id}", "in: images", 'text: "{item}-{n}"'),
        fields={"title": "One"},
    ),
    "json-many-versions": Kind(
        "/v/7",
        {
            "/v/7": answer(
                {"id": 7, "account": {"header": "/h.jpg"}, **{f"mp4_{n}": f"/{n}.mp4" for n in range(120, 136)}}
            )
        },
        tuple(f"/{n}.mp4" for n in range(124, 136)),
        ("variants:",),
        fields={"variant": "mp4_135"},
    ),
    "json-flattened": Kind(
        "/walls",
        {
            "/walls": answer(
                {"walls": [{"pics": [{"file": "/1.jpg"}, {"file": False}]}, {"pics": [{"file": "/3.jpg"}]}], "ads": []}
            )
        },
        ("/1.jpg", "/3.jpg"),
        ('in: "walls[].pics[]"',),
    ),
    "json-renditions": Kind(
        "/v/abc123",
        {
            "/v/abc123": answer(
                {
                    "id": "abc123",
                    "formats": [
                        {"label": "360p", "height": 360, "url": "/s.mp4"},
                        {"label": "720p", "height": 720, "url": "/l.mp4"},
                    ],
                }
            )
        },
        ("/l.mp4", "/s.mp4"),
        ("renditions: {in: formats, name: label, url: url, quality: {rank: height}}",),
    ),
    "json-urls": Kind(
        "/set/9", {"/set/9": answer({"pictures": ["/a.jpg", "/b.jpg"]})}, ("/a.jpg", "/b.jpg"), ("file's path",)
    ),
    "open-graph": Kind(
        "/watch/night-owl",
        {
            "/watch/night-owl": html(
                f"{LOGO}<h1>Owl</h1>",
                '<meta property="og:title" content="An owl"><meta property="og:video" content="https://cdn.example/owl.mp4">'
                '<meta property="og:image" content="/owl.jpg"><meta property="og:site_name" content="Owls: all \'of\' them">',
            )
        },
        ("https://cdn.example/owl.mp4",),
        ("og:video",),
        fields={"title": "An owl", "uid": "local-night-owl"},
    ),
    "json-ld-video": Kind(
        "/video/owl",
        {"/video/owl": html("<h1>Owl</h1>", f'<script type="application/ld+json">{json.dumps(LD)}</script>')},
        ("https://cdn.example/owl.mp4",),
        ("VideoObject", "date: iso"),
        fields={"title": "An owl", "uploaded_by": "mira", "uploaded_date": "2020-02-03T00:00:00+00:00"},
    ),
    "json-ld-images": Kind(
        "/leaves/3",
        {
            "/leaves/3": html(
                "",
                f'<script type="application/ld+json">{json.dumps({"@type": "Collection", "image": IMAGES})}</script>',
            )
        },
        ("/full/1.png", "/full/2.png", "/full/3.png"),
        ("of: linked", "file's path"),
        fields={"title": "Leaf 1"},
    ),
    "gallery": Kind(
        "/g/night-sky",
        {
            "/g/night-sky": html(f'{LOGO}{_thumbs(1, 2, 3)}<a rel="next" href="?page=2">more</a>'),
            "/g/night-sky?page=2": html(_thumbs(4)),
            **{
                f"/p/{n}": html("<h1>Star</h1>", f'<meta property="og:image" content="/full/{n}.jpg">')
                for n in (1, 2, 3, 4)
            },
        },
        ("/full/1.jpg", "/t/1.jpg"),
        ("ul.thumbs > li.pic", "next: 'a[rel~=\"next\"]::attr(href)'", 'get: "{page_url}"'),
        tuple(f"/{size}/{n}.jpg" for n in (2, 3, 4) for size in ("full", "t")),
    ),
    "linked-files": Kind(
        "/wall/{a}",
        {
            "*": html(
                '<div class="wall">'
                + "".join(f'<a href="big/{n}.jpg"><img data-src="t{n}.jpg" src="data:,x"></a>' for n in (1, 2, 3))
                + "</div>"
            )
        },
        tuple(f"/wall/{path}.jpg" for n in (1, 2, 3) for path in (f"big/{n}", f"t{n}")),
        ("div.wall > a", 'get: "{source}"', "data-src"),
    ),
    "srcset": Kind(
        "/p/5",
        {"/p/5": html('<main><img class="main" srcset="/a-320.jpg 320w, /a-1280.jpg 1280w" src="/a-320.jpg"></main>')},
        ("/a-1280.jpg", "/a-320.jpg"),
        ("srcset", "renditions:", "number: float"),
    ),
    "video": Kind(
        "/clip/8",
        {
            "/clip/8": html(
                '<h1>A clip</h1><video id="player" poster="/p.jpg"><source src="/s.mp4" label="360p">'
                '<source src="/l.mp4" label="720p"></video>'
            )
        },
        ("/l.mp4", "/s.mp4"),
        ("video#player source[src]", "::attr(label)"),
        fields={"title": "A clip", "variant": "720p"},
    ),
    "state": Kind(
        "/gallery/moths",
        {
            "/gallery/moths": html(
                f'<div id="app"></div><script id="data" type="application/json">{json.dumps(STATE)}</script>'
            )
        },
        tuple(f"https://cdn.example/{n}.webp" for n in (1, 2, 3)),
        ("script#data::text", "of: state", "in: gallery.photos"),
        fields={"title": "Moths"},
    ),
    "assigned-state": Kind(
        "/moths",
        {"/moths": html(f"<script>window.__STATE__ = {json.dumps(STATE)}; window.other = {{}};start({{}});</script>")},
        tuple(f"https://cdn.example/{n}.webp" for n in (1, 2, 3)),
        ("__STATE__", "of: script, parse: json"),
    ),
    "oembed": Kind(
        "/o/5",
        {
            "/o/5": html("", '<link rel="alternate" type="application/json+oembed" href="/oembed?u=5">'),
            "/oembed?u=5": answer({"type": "photo", "url": "https://cdn.example/x?id=3", "title": "A fox"}),
        },
        ("https://cdn.example/x?id=3",),
        ('get: "{oembed}"', "as: json"),
        fields={"title": "A fox"},
    ),
}
"""By name; every one has something to find."""

NOTHING = html("<h1>Nothing</h1><p>to <a href='/about'>see</a></p>")
