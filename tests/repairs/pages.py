"""The pages of the composed sites, and cassettes that hold them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PICTURES = {"11": "Andromeda", "12": "The Pleiades", "13": "Moon over the pier"}


def thumbs(*ids: str) -> str:
    items = "".join(
        f'<li class="item"><a class="open" href="/p/{uid}"><img src="https://cdn.gallery.example/t/{uid}.jpg"></a></li>'
        for uid in ids
    )
    ad = '<li class="ad"><a class="open" href="https://ads.example/buy"><img src="https://ads.example/b.gif"></a></li>'
    return f'<ul class="thumbs">{items}{ad}</ul>'


def gallery(ids: tuple[str, ...], more: str = "") -> str:
    return f"""<!doctype html><html><head><title>Night sky</title></head><body>
<div class="menu"><ul class="links"><li><a href="/">Home</a></li><li><a href="/about">About</a></li></ul></div>
<h1>Night sky <span class="by">by <a href="/u/mara">Mara</a></span></h1>
<div id="content">{thumbs(*ids)}</div>{more}<footer><a href="/terms">Terms</a></footer></body></html>"""


def picture(uid: str, title: str) -> str:
    return f"""<!doctype html><html><head><link rel="canonical" href="https://gallery.example/p/{uid}">
<link rel="icon" href="/icon.png"></head><body><h1 class="title">{title}</h1>
<div class="view"><a class="original" href="https://cdn.gallery.example/o/{uid}.png"><img id="main"
 src="https://cdn.gallery.example/m/{uid}.jpg" alt="{title}"></a></div>
<div class="meta"><time datetime="2024-03-{uid}T20:15:00Z">{uid} March</time> <span>Canon</span></div>
<div class="caption"><p>{title}, seen from the pier.</p></div>
<ul class="tags"><li><a href="/tag/sky">sky</a></li><li><a href="/tag/night">night</a></li></ul></body></html>"""


def figure(uid: str, caption: str, size: int) -> str:
    return f"""<figure class="photo" data-id="{uid}"><a class="full" href="/files/{uid}-large.jpg"><img
 src="/files/{uid}-small.jpg" alt="A photograph of {caption.lower()}"></a><figcaption>{caption}</figcaption>
<span class="bytes">{size} bytes</span></figure>"""


JOURNAL = f"""<!doctype html><html><body><nav><a href="/2024/">2024</a></nav>
<header class="top"><h1>Lighthouses</h1><span class="author">Jon Birk</span> <time>14 May 2024</time></header>
<section class="body"><p>They stand by the sea.</p>{figure("lh01", "The old tower", 48213)}
<p>And some stand in it.</p>{figure("lh02", "On the reef", 51002)}{figure("lh03", "At night", 39777)}</section>
<aside><figure class="small"><img src="/ads/1.png" alt="Buy"><figcaption>Advertisement</figcaption></figure></aside>
</body></html>"""


def row(name: str, kind: str, who: str, time: int) -> str:
    return f"""<tr class="r {kind}"><td>{kind}</td><td class="name"><a
 href="https://files.board.example/77/{name}">{name.split(".")[0]} file</a></td><td class="who">{who}</td>
<td class="when" data-time="{time}">some day</td></tr>"""


BOARD = f"""<!doctype html><html><body><div id="subject"><b>Topic:</b> <span class="text">Kites of the world</span></div>
<table id="files"><thead><tr><th>Kind</th><th>Name</th></tr></thead><tbody>{row("delta.jpg", "picture", "ana", 1700000001)}
{row("rules.txt", "text", "bo", 1700000500)}{row("box9.png", "picture", "cleo", 1700001001)}
{row("sled.gif", "picture", "ana", 1700002001)}</tbody></table>
<table id="people"><tbody><tr><td>ana</td></tr></tbody></table></body></html>"""


def video(uid: str, title: str, kind: str = "video") -> dict[str, object]:
    files = [
        {
            "label": f"p{height}",
            "src": f"https://v.state.example/{uid}/{height}.mp4",
            "bytes": height * 1003,
            "height": height,
        }
        for height in (360, 720)
    ]
    info = {"title": title, "user": {"name": "orla", "id": 7}, "created": 1_690_000_000 + len(title)}
    return {"id": uid, "kind": kind, "info": info, "files": files, "views": 12}


STATE = {
    "version": "4.1",
    "media": {"list": [video("aa1", "Making rope"), video("bb2", "A banner", "ad"), video("cc3", "Knots")], "total": 3},
    "user": {"name": "guest"},
}
STATE_PAGE = """<!doctype html><html><body><div id="app"></div>
<script id="state" type="application/json">{}</script><script>start()</script></body></html>"""

LISTING = """#EXTM3U-like listing of the harbour radio
## show id=hr-0451 title="Morning tide" file=https://files.listing.example/0451.mp3 bytes=1048223
## show id=hr-0452 title="Nets and knots" file=https://files.listing.example/0452.mp3 bytes=998001
## show id=hr-0460 title="The long pier" file=https://files.listing.example/0460.mp3 bytes=1200745
"""


def shelf_item(uid: str, title: str, who: str) -> str:
    return f"""<div class="item book" data-key="{uid}"><h3 class="name">{title}</h3>
<p class="by">by <a rel="author" href="/people/{who}">{who.title()}</a></p>
<a class="file" itemprop="contentUrl" href="/scans/{uid}.pdf">Scan of {title}</a></div>"""


SHELF = f"""<!doctype html><html><body><div id="head"><h1>Atlases</h1><span itemprop="curator">Ines Roth</span></div>
<div id="items">{shelf_item("at-1", "Roads of the north", "bo")}{shelf_item("at-2", "Rivers", "cleo")}
{shelf_item("at-3", "Islands", "ana")}</div><div class="foot"><a class="file" href="/terms.pdf">Terms</a></div></body></html>"""


MOSAIC = """<!doctype html><html><body><h2 class="heading">Harbour <em>2024</em></h2><div class="wall">
<div class="tile wide" data-no="m1"><img class="pic" src="https://m.mosaic.example/m1.jpg" alt="Cranes at dawn"></div>
<div class="tile" data-no="m2"><video class="clip" src="https://m.mosaic.example/m2.mp4"></video><p>The ferry leaves</p></div>
<div class="banner" data-no="b9"><img class="ad" src="https://ads.example/9.jpg" alt="Buy"></div>
<div class="tile" data-no="m3"><img class="pic" src="https://m.mosaic.example/m3.jpg" alt="Nets drying"></div>
</div></body></html>"""

INLINE = {
    "page": {"kind": "album", "no": 41},
    "album": {
        "name": "Lanterns",
        "owner": {"nick": "pia", "no": 7},
        "stats": {"views": 90210},
        "pictures": [
            {"key": f"ln{number}", "label": f"Lantern {number}", "taken": 1_710_000_000 + 977 * number,
             "image": {"src": f"https://i.inline.example/ln{number}.jpg", "size": 40_000 + 31 * number}}
            for number in (1, 2, 3)
        ],
    },
}  # fmt: skip
INLINE_PAGE = """<!doctype html><html><head><script>window.start = 1;</script></head><body><div id="root"></div>
<script class="boot">window.__ALBUM__ = {};</script></body></html>"""

PAGES = {
    "gallery": {
        "https://gallery.example/g/night-sky": gallery(
            ("11", "12"), '<div class="pager"><a rel="next" href="/g/night-sky?page=2">More</a></div>'
        ),
        "https://gallery.example/g/night-sky?page=2": gallery(("13",)),
        **{f"https://gallery.example/p/{uid}": picture(uid, title) for uid, title in PICTURES.items()},
    },
    "journal": {"https://journal.example/2024/lighthouses.html": JOURNAL},
    "board": {"https://board.example/topic/77": BOARD},
    "listing": {"https://listing.example/radio/harbour.txt": LISTING},
    "shelf": {"https://shelf.example/s/atlases": SHELF},
    "mosaic": {"https://mosaic.example/w/harbour": MOSAIC},
    "inline": {"https://inline.example/a/lanterns": INLINE_PAGE.replace("{}", json.dumps(INLINE))},
    "state": {"https://state.example/v/k3j9": STATE_PAGE.format(json.dumps(STATE))},
}


def interaction(url: str, body: str, kind: str) -> dict[str, Any]:
    return {
        "request": {"method": "GET", "uri": url, "body": None, "headers": {}},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": [kind]},
            "body": {"string": body},
        },
    }


def write_cassette(
    folder: Path, bodies: dict[str, str], kind: str = "text/html; charset=utf-8", missing: Sequence[str] = ()
) -> Path:
    """A folder with one cassette, in which some URLs are answered with 404; JSON is good YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    interactions = [interaction(url, body, kind) for url, body in bodies.items()]
    for one in interactions:
        if one["request"]["uri"] in missing:
            one["response"] = {"status": {"code": 404, "message": "Not Found"}, "headers": {}, "body": {"string": ""}}
    (folder / "pages.yaml").write_text(json.dumps({"interactions": interactions, "version": 1}), "utf-8")
    return folder
