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
