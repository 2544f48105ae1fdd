"""Composed JSON answers that go on, and pages of several parts for `qetch new`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.new_pages import Kind, answer, html

if TYPE_CHECKING:
    from tests.origin import Reply


def rows(*numbers: int, **more: Any) -> Reply:
    return answer({"items": [{"id": n, "file": f"/f/{n}.gif"} for n in numbers], **more})


def going_on(query: str, first: Reply, second: Reply, *words: str, also: dict[str, Reply] | None = None) -> Kind:
    """An answer whose second page is asked with a query."""
    routes = {f"/list?{query}": second, **(also or {}), "/list": first}
    return Kind("/list", routes, ("/f/1.gif", "/f/2.gif"), words, ("/f/3.gif",))


PAGES = {
    "next-in-links": going_on(
        "after=2", rows(1, 2, links={"next": {"href": "/list?after=2"}}), rows(3, links={}), "next: links.next.href"
    ),
    "cursor-far-inside": going_on(
        "cursor=c2",
        rows(1, 2, data={"user": {"list": {"page_info": {"end_cursor": "c2"}}}}),
        rows(3, data={"user": {"list": {"page_info": {"end_cursor": None}}}}),
        "set: {cursor: data.user.list.page_info.end_cursor}",
    ),
    "number-of-the-next-page": going_on(
        "page=2", rows(1, 2, next_page=2), rows(3, next_page=None), "set: {page: next_page}", "decide: is 'page'"
    ),
    "offset": going_on(
        "offset=2",
        rows(1, 2, offset=0, limit=2, total=3),
        rows(3, offset=2, limit=2, total=3),
        "pages: {counter: offset, from: 0, by: 2}",
        also={"/list?offset=4": rows(offset=4, limit=2, total=3)},
    ),
    "has-more": going_on(
        "page=2",
        rows(1, 2, has_more=True),
        rows(3, has_more=False),
        'until: "has_more == `false`"',
        "decide: is 'page'",
    ),
    "offset-in-the-url": Kind(
        "/list?tag=sky&start=0&rows=2",
        {
            "/list?tag=sky&start=0&rows=2": rows(1, 2),
            "/list?tag=sky&start=2&rows=2": rows(3),
            "/list?tag=sky&start=4&rows=2": rows(),
        },
        ("/f/1.gif", "/f/2.gif"),
        ("counter: offset, from: 0, by: 2",),
        ("/f/3.gif",),
    ),
    "numbers-on-counted-pages": Kind(
        "/list?page=1",
        {
            "/list?page=1": answer({"items": [{"image": f"/f.gif?no={n}"} for n in (1, 2)]}),
            "/list?page=2": answer({"items": [{"image": f"/f.gif?no={n}"} for n in (3, 4)]}),
            "/list?page=3": answer({"items": []}),
        },
        ("/f.gif?no=1", "/f.gif?no=2"),
        ('text: "page-{page}-{n}"',),
        ("/f.gif?no=3", "/f.gif?no=4"),
    ),
    "numbers-on-linked-pages": Kind(
        "/list",
        {
            "/list": html(
                '<p><img src="/f.gif?no=1"></p><p><img src="/f.gif?no=2"></p><a rel="next" href="?page=2">on</a>'
            )
        },
        ("/f.gif?no=1", "/f.gif?no=2"),
        ("begins again on each page",),
    ),
}


def toot(number: int, **media: Any) -> dict[str, Any]:
    return {"id": str(number), "content": "<p>A fox</p>", "account": {"username": "mira", "avatar": "/a.png"}, **media}


def gallery_icon(number: int) -> str:
    return (
        f'<figure class="gallery-item"><div class="gallery-icon"><a href="/up/sky-{number}.jpg">'
        f'<img width="150" src="/up/sky-{number}-150.jpg" alt="Sky {number}"></a></div></figure>'
    )


MIXED = {
    "lists-in-some-rows": Kind(
        "/list",
        {
            "/list": answer(
                [toot(n, media=[{"id": f"m{n}", "url": f"/f/{n}.jpg", "preview_url": f"/s/{n}.jpg"}]) for n in (1, 2)]
                + [toot(3)]
            )
        },
        ("/f/1.jpg", "/f/2.jpg", "/s/1.jpg", "/s/2.jpg"),
        ('in: "media || `[]`"',),
        fields={"description": "A fox", "uploaded_by": "mira", "uid": "local-m1-file"},
    ),
    "gallery-icons": Kind(
        "/sky",
        {
            "/sky": html(
                f'<article><div class="gallery">{gallery_icon(1)}{gallery_icon(2)}</div></article>'
                '<aside><ul><li><a href="/x"><img src="/ad.png"></a></li></ul></aside>',
                '<meta property="og:image" content="/up/sky-1.jpg">',
            )
        },
        ("/up/sky-1.jpg", "/up/sky-2.jpg", "/up/sky-1-150.jpg", "/up/sky-2-150.jpg"),
        fields={"title": "Sky 1", "uid": "local-sky-1-full"},
    ),
    "download": Kind(
        "/fox/5",
        {
            "/fox/5": html(
                '<img src="/fox-large.jpg"><a class="download" href="/fox.png">Get it</a><a href="/about">us</a>',
                '<meta property="og:image" content="/fox-large.jpg"><meta property="og:title" content="Fox">',
            )
        },
        ("/fox.png", "/fox-large.jpg"),
        ('original: "a.download::attr(href)"',),
        fields={"title": "Fox", "variant": "original"},
    ),
}
