"""Composed pages for `qetch new` that a guess easily gets wrong: copies, posters, plain text, small thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.new_pages import Kind, answer, html

if TYPE_CHECKING:
    from tests.origin import Reply

CDN = "https://cdn.example"
HOUR = "<dt>Taken</dt><dd>on {day} at 9:05 AM, in rain</dd><dt>Photo by</dt><dd class='person'>Ana Lis</dd>"


def stone(number: int, day: str) -> Reply:
    return html(
        f'<p class="crumbs"><a href="/river/5">up &raquo;</a></p><figure><img src="/m/stone{number}.png">'
        f"<figcaption>Stone {number}</figcaption></figure><dl>{HOUR.format(day=day)}</dl>"
        f'<a class="big" href="/o/stone{number}.png" download>All of it</a><a href="/licence.pdf">licence</a>'
    )


def card(number: int) -> str:
    return (
        f'<article class="card"><a href="/stone/{number}.html"><img width="28" height="21" src="data:image/gif;base64,R0"'
        f' data-lazy-src="/t/stone{number}.png"></a><p>Stone {number}</p></article>'
    )


def album(cards: str, after: str) -> Reply:
    return html(f'<h1>River</h1><section class="cards">{cards}</section><nav>{after}</nav>')


STONES = {
    "/river/5": album(card(1) + card(2), '<a class="turn on" href="/river/5?page=2">older &rarr;</a>'),
    "/river/5?page=2": album(card(3) + card(4), '<a class="turn" href="/river/5">&larr; newer</a>'),
    "/stone/2.html": stone(2, "May 3, 2021"),
    "/stone/3.html": stone(3, "November 5, 2021"),
    "/stone/4.html": stone(4, "June 7, 2021"),
}


def stone_files(*numbers: int) -> tuple[str, ...]:
    return tuple(f"/{size}/stone{number}.png" for number in numbers for size in "omt")


HTML_SHAPES = {
    "small-thumbnails": Kind(
        "/river/5",
        {**STONES, "/stone/1.html": stone(1, "May 1, 2021")},
        stone_files(1),
        (
            "a.turn.on::attr(href)",
            'date: ["%B %d, %Y at %I:%M %p", "%b %d, %Y at %I:%M %p"]',
            "decide: in which time zone",
        ),
        stone_files(2, 3, 4),
        fields={"title": "Stone 1", "uploaded_by": "Ana Lis", "uploaded_date": "2021-05-01T09:05:00+00:00"},
    ),
    "first-page-is-gone": Kind("/river/5", STONES, stone_files(2), (), stone_files(3, 4), fields={"title": "Stone 2"}),
    "one-download": Kind(
        "/stone/3.html",
        STONES,
        ("/o/stone3.png", "/m/stone3.png"),
        ("a.big::attr(href)", 'date: "%B %d, %Y at %I:%M %p"'),
        fields={"title": "Stone 3", "variant": "original"},
    ),
    "linked-picture": Kind(
        "/p/5",
        {"/p/5": html('<h1>Moss</h1><a href="/o/moss.png"><img src="/m/moss.png"></a><a href="/p/6">on</a>')},
        ("/o/moss.png",),
        fields={"title": "Moss"},
    ),
    "the-one-picture": Kind(
        "/p/5",
        {"/p/5": html('<main><h1>Fern</h1><img src="/m/fern.png"></main><img src="/spacer.gif" width="9" height="1">')},
        ("/m/fern.png",),
        ("decide: is this what the page is about",),
        fields={"title": "Fern"},
    ),
}


def copies(name: str, kind: str = "png") -> list[dict[str, Any]]:
    sizes = (("web", 400), ("print", 9000))
    return [{"label": label, "link": f"{CDN}/{label}/{name}.{kind}", "octets": n} for label, n in sizes]


def walk(number: int, *shots: str) -> dict[str, Any]:
    return {
        "ref": f"w{number}",
        "headline": f"Walk {number}",
        "outAt": 1_600_000_000_000 + number * 1000,
        "editedAt": "2024-03-30T23:00:00Z",
        "walker": {"handle": "ana", "display": "Ana L."},
        "shots": [{"shotId": shot, "alt": "A tree", "copies": copies(shot)} for shot in shots],
    }


def all_copies(*names: str, kind: str = "png") -> tuple[str, ...]:
    return tuple(f"{CDN}/{label}/{name}.{kind}" for name in names for label in ("web", "print"))


def film(number: int, *heights: int, **more: Any) -> dict[str, Any]:
    files = {f"{height}p": {"at": f"{CDN}/{number}/{height}.mp4", "weight": height * 10} for height in heights}
    return {
        "key": f"f{number}",
        "caption": f"Film </b> {number} & more",
        "released": f"2024-02-1{number}T18:05:00+01:00",
        "by": {"slug": "ana", "name": "Ana L."},
        "still": f"/still/{number}.png",
        "files": files,
        **more,
    }


def encoding(height: int, rate: int) -> dict[str, Any]:
    return {"height": height, "bitrate": rate, "src": f"{CDN}/{height}-{rate}.mp4", "size": height + rate}


JSON_SHAPES = {
    "copies-of-pictures": Kind(
        "/api/walkers/ana/walks",
        {"/api/walkers/ana/walks": answer({"ok": True, "walks": [walk(1, "a1"), walk(2, "b1", "b2"), walk(3)]})},
        all_copies("a1", "b1", "b2"),
        (
            "walkers/(?P<id>",
            "size: octets",
            "decide: is the one with the most bytes the best?",
        ),
        fields={
            "uid": "local-a1-print",
            "title": "Walk 1",
            "uploaded_by": "Ana L.",
            "uploaded_date": "2020-09-13T12:26:41+00:00",
            "variant": "print",
            "size": 9000,
        },
    ),
    "copies-in-one-object": Kind(
        "/api/walks/w2",
        {"/api/walks/w2": answer({"walk": walk(2, "b1", "b2")})},
        all_copies("b1", "b2"),
        fields={"title": "Walk 2", "uploaded_by": "Ana L.", "variant": "print"},
    ),
    "renditions-by-height": Kind(
        "/films",
        {"/films": answer({"films": [film(1, 360, 1080), film(2, 720), film(3)]})},
        (f"{CDN}/1/1080.mp4", f"{CDN}/1/360.mp4", f"{CDN}/2/720.mp4"),
        ("entries(files)", "left out here: still", "decide: is this the exact number of bytes?"),
        fields={
            "title": "Film </b> 1 & more",
            "uploaded_by": "Ana L.",
            "uploaded_date": "2024-02-11T17:05:00+00:00",
            "variant": "1080p",
            "size": 10_800,
        },
    ),
    "urls-by-height": Kind(
        "/films/f1",
        {"/films/f1": answer({"film": {"id": "f1", "mp4": {"360p": f"{CDN}/a.mp4", "720p": f"{CDN}/b.mp4"}}})},
        (f"{CDN}/a.mp4", f"{CDN}/b.mp4"),
        ("entries(film.mp4)", "url: value"),
        fields={"variant": "720p"},
    ),
    "two-of-one-height": Kind(
        "/films/f7",
        {
            "/films/f7": answer(
                {
                    "film": {
                        "id": "f7",
                        "shotOn": "2023-09-01",
                        "driver": {"nick": "odile"},
                        "poster": "/poster.png",
                        "files": [encoding(480, 900), encoding(720, 1800), encoding(720, 2600)],
                    }
                }
            )
        },
        (f"{CDN}/480-900.mp4", f"{CDN}/720-1800.mp4", f"{CDN}/720-2600.mp4"),
        ("rank: [height, bitrate]", "left out here: poster"),
        fields={
            "variant": "720p-2600",
            "size": 3320,
            "uploaded_by": "odile",
            "uploaded_date": "2023-09-01T00:00:00+00:00",
        },
    ),
    "unusual-date": Kind(
        "/kite/k7",
        {
            "/kite/k7": answer(
                {"kite": {"id": "k7", "flown": 1650000000, "views": 1700000000, "photo": {"href": "/k.png"}}}
            )
        },
        ("/k.png",),
        ("decide: is this when it was published?",),
        fields={"uploaded_date": "2022-04-15T05:20:00+00:00"},
    ),
    "only-a-poster": Kind(
        "/films/f9",
        {"/films/f9": answer({"film": film(9)})},
        ("/still/9.png",),
        ("decide: this looks like a picture of the item: where is the item itself?",),
    ),
    "person-in-the-path": Kind(
        "/@ana",
        {"/@ana": answer({"items": [{"id": n, "image": f"/f/{n}.png"} for n in (1, 2)]})},
        ("/f/1.png", "/f/2.png"),
        ("/@(?P<id>", 'get: "@{id}"'),
    ),
}
SHAPES = {**HTML_SHAPES, **JSON_SHAPES}
"""By name."""
FOLLOWED = frozenset(("small-thumbnails", "first-page-is-gone"))
"""Those whose drafts need a look at a further page."""
