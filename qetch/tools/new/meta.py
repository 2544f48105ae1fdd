"""What a page says of itself to others: OpenGraph and its kin, and oEmbed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qetch.errors import InvalidURL
from qetch.extractors.hosts import split
from qetch.tools.new import facts, shapes
from qetch.tools.new.address import domain_of
from qetch.tools.new.elements import one_of
from qetch.tools.new.items import Reach, describe
from qetch.tools.new.proposals import File, Item, Proposal, counter_of, positions, row_uid
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
MAX_IMAGES = 100
MAX_PLAYERS = 6
OEMBED = 'link[type="application/json+oembed"]::attr(href)'


def find_open_graph(scene: Scene) -> Iterator[Proposal]:
    """`<meta property="og:video">` and the like."""
    page = scene.page
    files = [*_player(page, VIDEOS, "video"), *_player(page, AUDIOS, "audio")]
    image = next(_named(page, IMAGES), None)
    if image and not files:
        yield from _images(image[0], scene)
    if image and (url := page.join(image[1])):
        name, rank = ("poster", 5.0) if files else ("image", 50.0)
        files.append(File(name, image[0], rank, (url,)))
    if not files:
        return
    is_preview = len(files) == 1 and files[0].name == "image"
    decide = (PREVIEW,) if is_preview else positions(files)
    item = Item({"uid": scene.uid, **dict(fields(page))}, tuple(files))
    score = 0.3 if is_preview else 0.75
    yield Proposal("OpenGraph <meta>", score, item=item, expected=item.found, decide=decide)


def _images(css: str, scene: Scene) -> Iterator[Proposal]:
    """Several `og:image`: most often the first pictures of a set."""
    page, selector = scene.page, css.removesuffix("::attr(content)")
    texts = [meta.get("content") for meta in page.select(selector)[:MAX_IMAGES]]
    urls = tuple(dict.fromkeys(url for text in texts if text and (url := page.join(text))))
    if len(urls) < 2:
        return
    uid = row_uid("::attr(content)", texts, scene)
    content = {"uid": uid, "url": "::attr(content)"}
    block = {"content": dict(fields(page)), "each": {"in": selector, **counter_of(uid), "content": content}}
    if not block["content"]:
        del block["content"]
    yield Proposal(f"{len(urls)} OpenGraph images", 0.38, block=block, expected=urls, decide=(SEVERAL,))


SEVERAL = "decide: are these different pictures (and all of them), or one picture in several sizes?"
PREVIEW = "decide: this picture is meant for previews (og:image): does the page hold a better one?"


def fields(page: Page) -> Iterator[tuple[str, Any]]:
    """Title, description, person and date, as the head of the page says them."""
    title = next((css for css, _ in _named(page, TITLES)), "h1" if page.first("h1::text") else facts.caption(page))
    if title:
        yield "title", title
    for field, names in (("description", DESCRIPTIONS), ("uploaded_by", PEOPLE)):
        found: Any = next((css for css, text in _named(page, names) if not shapes.is_url(text)), None)
        if found is None and field == "uploaded_by":
            found = facts.person(page)
        if found is not None:
            yield field, found
    date = next(_dates(page), None) or facts.date(page)
    if date is not None:
        yield "uploaded_date", date


def _dates(page: Page) -> Iterator[Any]:
    """The values that read a date in the head, or of the first `<time>`."""
    for css, text in (*_named(page, DATES), ("time::attr(datetime)", page.first("time::attr(datetime)"))):
        step = shapes.date_step([text]) if text else None
        if step is not None:
            yield {"css": css, **(step or {"date": "unix"})}


def _named(page: Page, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The selectors and texts of the `<meta>` that have one of the names."""
    for name in names:
        for attribute in ("property", "name", "itemprop"):
            css = f'meta[{attribute}="{name}"]::attr(content)'
            text = page.first(css)
            if text:
                yield css, text


def _player(page: Page, names: tuple[str, ...], kind: str) -> Iterator[File]:
    """The files of a player; the page of a player that is to be embedded is none."""
    type_of = page.first(f'meta[property="og:{kind}:type"]::attr(content)')
    for css, text in _named(page, names):
        selector = css.removesuffix("::attr(content)")
        texts = [meta.get("content") or "" for meta in page.select(selector)[:MAX_PLAYERS]]
        if len(texts) == 1:
            found = [(css, text)] if shapes.media_kind(text) or type_of.startswith(f"{kind}/") else []
        else:
            xpath = re.sub(r"meta\[", "//meta[@", selector)
            found = [
                (one_of(selector, xpath, "content", texts, number), text)
                for number, text in enumerate(texts)
                if shapes.media_kind(text)
            ]
        files = [file for value, text in found if (file := _file(value, text, kind, page))]
        if files:
            names_of = [kind] if len(files) == 1 else [shapes.extension_of(file.found[0]) for file in files]
            taken: list[str] = []
            for file, name in zip(files, names_of, strict=True):
                taken.append(shapes.variant_name((name,), taken))
                yield replace(file, name=taken[-1], rank=file.rank - len(taken))
            return


def _file(value: Any, text: str, kind: str, page: Page) -> File | None:
    url, found = page.join(text), shapes.media_kind(text)
    if not url or found not in (kind, "playlist", ""):
        return None
    return File(kind, value, 300.0, (url,), {"playlist": "hls"} if found == "playlist" else {})


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
        domains = (domain_of(split(url)[0]),)
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
