"""What a page says of itself to others: OpenGraph and its kin, and oEmbed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qetch.errors import InvalidURL
from qetch.extractors.hosts import split
from qetch.tools.new import shapes
from qetch.tools.new.items import Reach, describe
from qetch.tools.new.proposals import File, Item, Proposal
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.tools.new.page import Page
    from qetch.tools.new.proposals import Scene

VIDEOS = ("og:video:secure_url", "og:video:url", "og:video", "twitter:player:stream")
AUDIOS = ("og:audio:secure_url", "og:audio:url", "og:audio")
IMAGES = ("og:image:secure_url", "og:image:url", "og:image", "twitter:image", "twitter:image:src")
TITLES = ("og:title", "twitter:title")
DESCRIPTIONS = ("og:description", "twitter:description", "description")
PEOPLE = ("author", "og:article:author", "article:author", "twitter:creator")
DATES = ("article:published_time", "video:release_date", "og:video:release_date", "og:published_time", "date")
OEMBED = 'link[type="application/json+oembed"]::attr(href)'


def find_open_graph(scene: Scene) -> Iterator[Proposal]:
    """`<meta property="og:video">` and the like."""
    page = scene.page
    files = [*_player(page, VIDEOS, "video"), *_player(page, AUDIOS, "audio")]
    image = next(_named(page, IMAGES), None)
    if image and (url := page.join(image[1])):
        name, rank = ("poster", 5.0) if files else ("image", 50.0)
        files.append(File(name, image[0], rank, (url,)))
    if not files:
        return
    decide = () if len(files) > 1 or files[0].name != "image" else (NO_VIDEO,)
    item = Item({"uid": scene.uid, **dict(fields(page))}, tuple(files))
    score = 0.3 if decide else 0.75
    yield Proposal("OpenGraph <meta>", score, item=item, expected=item.found, decide=decide)


NO_VIDEO = "decide: is the picture for previews the best that the page has?"


def fields(page: Page) -> Iterator[tuple[str, Any]]:
    """Title, description, person and date, as the head of the page says them."""
    title = next(_named(page, TITLES), None)
    if title or page.first("h1::text"):
        yield "title", title[0] if title else "h1"
    for field, names in (("description", DESCRIPTIONS), ("uploaded_by", PEOPLE)):
        for css, text in _named(page, names):
            if not shapes.is_url(text):
                yield field, css
                break
    for css, text in (*_named(page, DATES), ("time::attr(datetime)", page.first("time::attr(datetime)"))):
        step = shapes.date_step([text]) if text else None
        if step is not None:
            yield "uploaded_date", {"css": css, **(step or {"date": "unix"})}
            break


def _named(page: Page, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The selectors and texts of the `<meta>` that have one of the names."""
    for name in names:
        for attribute in ("property", "name", "itemprop"):
            css = f'meta[{attribute}="{name}"]::attr(content)'
            text = page.first(css)
            if text:
                yield css, text


def _player(page: Page, names: tuple[str, ...], kind: str) -> Iterator[File]:
    """The file of a player; the page of a player that is to be embedded is none."""
    type_of = page.first(f'meta[property="og:{kind}:type"]::attr(content)')
    for css, text in _named(page, names):
        url = page.join(text)
        found = shapes.media_kind(text)
        if url and (found in (kind, "playlist") or (not found and type_of.startswith(f"{kind}/"))):
            more = {"playlist": "hls"} if found == "playlist" else {}
            yield File(kind, css, 300.0, (url,), more)
            return


def find_oembed(scene: Scene) -> Iterator[Proposal]:
    """`<link type="application/json+oembed">`, whose answer names the file if it is a photo."""
    address = scene.page.first(OEMBED)
    url = scene.page.join(address) if address else None
    answer = scene.look(url) if url else None
    if answer is None or not isinstance(answer.json, dict) or url is None:
        return
    found = describe([answer.json], answer, Reach())
    files = list(found.files)
    photo = answer.json.get("url")
    if answer.json.get("type") == "photo" and isinstance(photo, str) and (joined := answer.join(photo)):
        files = [file for file in files if file.url != "url"]
        files.append(File("photo", "url", 300.0, (joined,)))
    item = Item({**{name: value for name, value in found.fields.items() if name != "uid"}}, tuple(files))
    if not item.found:
        return
    content = item.content(uid=scene.uid)
    full = any(file.name == "photo" for file in files)
    if not full:
        content["uid"] = Noted(content["uid"], "decide: this is a thumbnail only: where is the file?")
    block = {"then": {"get": "{oembed}", "as": "json", "content": content}}
    try:
        domains = (split(url)[0],)
    except InvalidURL:
        return
    yield Proposal(
        "an oEmbed answer",
        0.6 if full else 0.25,
        let={"oembed": OEMBED},
        block=block,
        expected=item.found,
        domains=domains,
    )
