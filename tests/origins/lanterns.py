"""HTML galleries with next links and a page for each picture. Files are shown only to who comes from the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.make_media import png
from tests.origins import as_file, as_html

if TYPE_CHECKING:
    from tests.origin import Reply, Request, Script

TITLES = {"11": "Blue lantern", "12": "Red lantern", "13": "Lantern &amp; moon"}
FILES = {number: png(4, 4, (200, int(number), 0)) for number in TITLES}


def thumbs(*numbers: str, more: str = "") -> Reply:
    """A page of a gallery."""
    items = "".join(f'<li><a href="/picture/{number}"><img src="/t/{number}.png"></a></li>' for number in numbers)
    return as_html(f'<ul class="thumbs">{items}<li class="ad"><a href="/buy">Buy lanterns!</a></li></ul>{more}')


def picture(number: str) -> Reply:
    """The page of a picture."""
    return as_html(
        f'<h1>{TITLES[number]}</h1><p class="by">by <a href="/people/ines">ines</a></p><time>{number} March 2022</time>'
        f'<img id="main" src="/m/{number}.png"><a class="original" href="/o/{number}.png">original</a>'
        '<div class="text">Folded paper,<br>one candle.</div><ul class="tags"><li>paper</li><li>light</li></ul>'
    )


def original(request: Request) -> Reply:
    """A file, for a request that says where it comes from."""
    if request.headers.get("Referer") != "https://lanterns.example/":
        return as_html("<p>Look at our pictures at lanterns.example!</p>", 403)
    return as_file(FILES[request.path.rpartition("/")[2].removesuffix(".png")], "image/png")


HOST = "/lanterns.example"
ROUTES: dict[str, Script] = {
    f"{HOST}/gallery/harbour?sort=new": thumbs("13", "12", more='<a rel="next" href="?sort=new&amp;page=2">next</a>'),
    f"{HOST}/gallery/harbour?sort=new&page=2": thumbs("11"),
    f"{HOST}/gallery/harbour": thumbs("11", "12", "13"),
    f"{HOST}/gallery/burnt": as_html('<p class="notice removed">This gallery was taken down.</p>'),
    **{f"{HOST}/picture/{number}": picture(number) for number in TITLES},
    **{f"{HOST}/o/{number}.png": original for number in FILES},
}
