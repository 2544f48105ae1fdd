"""More composed pages for `qetch new`: states, pictures in sizes and formats, what heads say; and all there are."""

from __future__ import annotations

import json
from typing import Any

from tests.new_answers import MIXED, PAGES
from tests.new_feeds import FEEDS
from tests.new_pages import Kind, html

MOTHS = {"photos": [{"id": n, "src": f"https://cdn.example/{n}.webp", "title": 'It\'s "a" \\ moth'} for n in (1, 2)]}
FOUND = ("https://cdn.example/1.webp", "https://cdn.example/2.webp")
TITLE = {"title": 'It\'s "a" \\ moth'}


def single_quoted(value: Any) -> str:
    return "'" + json.dumps(value).replace("\\", "\\\\").replace("'", "\\'").replace("{", "\\x7b") + "'"


def moths(script: str, *words: str) -> Kind:
    """A page whose script has the state `MOTHS`."""
    return Kind("/g/moths", {"/g/moths": html(f"<script>{script}</script>")}, FOUND, words, fields=TITLE)


STATES = {
    "state-in-a-text": moths(
        f"window.__S__ = JSON.parse({json.dumps(json.dumps(MOTHS))}); go()",
        "text: {of: script, parse: json}",
        "state: {of: text, parse: json}",
    ),
    "state-in-single-quotes": moths(
        f"go(); var __S__=JSON.parse({single_quoted(MOTHS)});", "literal:", "text: {of: literal, parse: json}"
    ),
    "state-in-brackets": moths(f"window['__S__'] = {json.dumps(MOTHS)};\nwindow.other = 1;", "of: script, parse: json"),
    "state-on-pages": Kind(
        "/g/moths",
        {
            "/g/moths": html(f'<script>var moths = {json.dumps(MOTHS)};</script><a rel="next" href="?page=2">on</a>'),
            "/g/moths?page=2": html(
                '<script>var moths = {"photos": [{"id": 3, "src": "https://cdn.example/3.webp", "title": "Last"}]};</script>'
            ),
        },
        FOUND,
        ("a[rel~=",),
        ("https://cdn.example/3.webp",),
    ),
}


def shot(number: int) -> str:
    sources = "".join(
        f'<source type="image/{kind}" srcset="/{number}-320.{kind} 320w, /{number}-1280.{kind} 1280w">'
        for kind in ("webp", "jpeg")
    )
    return f'<figure><picture>{sources}<img src="/shot-{number}.jpg" alt="Shot {number}"></picture><p>text</p></figure>'


def formats(number: int) -> str:
    return (
        f'<p><picture><source srcset="/a{number}.avif" type="image/avif"><source srcset="/a{number}.webp"'
        f' type="image/webp"><img src="/a{number}.jpg"></picture></p>'
    )


PICTURES = {
    "picture": Kind(
        "/p/5",
        {"/p/5": html(f"<main>{shot(1)}</main>")},
        ("/1-320.webp", "/1-1280.webp"),
        ("picture source[srcset]::attr(srcset)",),
        fields={"variant": "1280w"},
    ),
    "pictures": Kind(
        "/g/5",
        {"/g/5": html(f"<main>{shot(1)}{shot(2)}</main>")},
        ("/1-320.webp", "/1-1280.webp", "/2-320.webp", "/2-1280.webp"),
        ("in: picture", 'title: "img::attr(alt)"'),
        fields={"title": "Shot 1", "uid": "local-shot-1-1280w"},
    ),
    "picture-formats": Kind(
        "/p/5",
        {"/p/5": html(f"<main>{formats(1)}</main>")},
        ("/a1.avif", "/a1.webp", "/a1.jpg"),
        ("variants:",),
        fields={"variant": "avif"},
    ),
    "pictures-formats": Kind(
        "/g/5",
        {"/g/5": html(f"<main>{formats(1)}{formats(2)}</main>")},
        tuple(f"/a{n}.{kind}" for n in (1, 2) for kind in ("avif", "webp", "jpg")),
        ("in: picture",),
    ),
    "lazy-pictures": Kind(
        "/g/5",
        {
            "/g/5": html(
                '<div class="pics"><p><img src="/f/image-0.jpg"></p>'
                + "".join(f'<p><img class="lazy" data-src="/f/image-{n}.jpg" src="/wait.gif"></p>' for n in (1, 2))
                + "</div>",
                '<link rel="next" href="?page=2">',
            ),
            "/g/5?page=2": html('<div class="pics"><p><img src="/f/image-3.jpg"></p></div>'),
        },
        ("/f/image-0.jpg", "/f/image-1.jpg", "/f/image-2.jpg"),
        ('first_of: ["img::attr(data-src)", "img::attr(src)"]', "link[rel~="),
        ("/f/image-3.jpg",),
    ),
    "pages-of-pictures-of-one-name": Kind(
        "/g/5",
        {
            "/g/5": html(
                '<div class="pics">'
                + "".join(f'<p><img src="/f/{n}/image.jpg"></p>' for n in (1, 2))
                + '</div><a rel="next" href="?page=2">on</a>'
            ),
            "/g/5?page=2": html('<div class="pics"><p><img src="/f/3/image.jpg"></p></div>'),
        },
        ("/f/1/image.jpg", "/f/2/image.jpg"),
        ("decide: this is the file's path",),
        ("/f/3/image.jpg",),
    ),
    "base": Kind(
        "/g/5",
        {
            "/g/5": html(
                '<div class="wall">'
                + "".join(f'<a href="big/{n}.jpg"><img src="t/{n}.jpg"></a>' for n in (1, 2))
                + "</div>",
                '<base href="/static/">',
            )
        },
        tuple(f"/static/{size}/{n}.jpg" for n in (1, 2) for size in ("big", "t")),
    ),
    "video-of-two-kinds": Kind(
        "/v/5",
        {"/v/5": html('<video><source src="/a.mp4"><source src="/a.webm"></video>')},
        ("/a.mp4", "/a.webm"),
        ('source[src*=".webm"]::attr(src)',),
    ),
    "video-twice": Kind(
        "/v/5",
        {"/v/5": html('<video><source src="/a.mp4"><source src="/b.mp4"></video>')},
        ("/a.mp4", "/b.mp4"),
        ("(//video//source)[2]/@src", "by their position only"),
    ),
}


def linked(value: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def objects(kind: str, key: str) -> list[dict[str, Any]]:
    return [{"@type": kind, "name": f"Leaf {n}", key: f"/f/leaf-{n}.png"} for n in (1, 2)]


HEADS = {
    "og-images": Kind(
        "/g/5",
        {
            "/g/5": html(
                "", "".join(f'<meta property="og:image" content="/f/{n}.jpg">' for n in (1, 2, 3)) + "<title>S</title>"
            )
        },
        ("/f/1.jpg", "/f/2.jpg", "/f/3.jpg"),
        ("decide: are these different pictures",),
    ),
    "og-videos": Kind(
        "/v/5",
        {
            "/v/5": html(
                "<h1>Clip</h1>",
                '<meta property="og:video" content="/f/1.mp4"><meta property="og:video" content="/f/1.webm">'
                '<meta property="og:video" content="https://frames.example/embed/1">'
                '<meta property="og:image" content="/p.jpg">',
            )
        },
        ("/f/1.mp4", "/f/1.webm"),
        ("mp4: ", "webm: ", "left out here: poster"),
        fields={"variant": "mp4", "title": "Clip"},
    ),
    "json-ld-gallery": Kind(
        "/g/5",
        {
            "/g/5": html(
                "",
                linked(
                    {
                        "@graph": [
                            {"@type": "WebSite"},
                            {"@type": "ImageGallery", "associatedMedia": objects("ImageObject", "contentUrl")},
                        ]
                    }
                ),
            )
        },
        ("/f/leaf-1.png", "/f/leaf-2.png"),
        fields={"title": "Leaf 1", "uid": "local-leaf-1"},
    ),
    "json-ld-items": Kind(
        "/g/5",
        {
            "/g/5": html(
                "",
                linked(
                    {
                        "@type": "ItemList",
                        "itemListElement": [
                            {"@type": "ListItem", "item": video} for video in objects("VideoObject", "contentUrl")
                        ],
                    }
                ),
            )
        },
        ("/f/leaf-1.png", "/f/leaf-2.png"),
        fields={"title": "Leaf 1"},
    ),
    "json-ld-urls": Kind(
        "/g/5",
        {"/g/5": html("", linked({"@type": "ImageGallery", "name": "Leaves", "image": ["/f/1.png", "/f/2.png"]}))},
        ("/f/1.png", "/f/2.png"),
        ("decide: are these different pictures",),
        fields={"title": "Leaves"},
    ),
    "json-ld-urls-in-a-graph": Kind(
        "/g/5",
        {"/g/5": html("", linked({"@graph": [{"@type": "Article", "name": "A", "image": ["/f/1.png", "/f/2.png"]}]}))},
        ("/f/1.png", "/f/2.png"),
        fields={"title": "A"},
    ),
}

SOURCES = {**FEEDS, **STATES, **PICTURES, **HEADS, **PAGES, **MIXED}
"""By name."""
