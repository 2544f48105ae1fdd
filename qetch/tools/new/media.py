"""What a page shows itself: players with their sources, and pictures in several sizes."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qetch.tools.new import meta, shapes
from qetch.tools.new.elements import is_aside, is_tiny, name_of, quoted
from qetch.tools.new.proposals import File, Item, Proposal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.tools.new.page import Page
    from qetch.tools.new.proposals import Scene

MAX_ELEMENTS = 200
CANDIDATE = r"[^\s,]\S*\s+[\d.]+[wx]"
"""One picture of a `srcset`."""
SIZE = re.compile(r"\d[\d.]*[wx],?")
LABELS = ("label", "res", "size", "title", "data-quality", "data-res", "height")
"""Attributes of `<source>` that name a quality."""


def find_players(scene: Scene) -> Iterator[Proposal]:
    """`<video>` and `<audio>`, with `src` or `<source>`."""
    for tag in ("video", "audio"):
        players = [player for player in scene.page.select(tag)[:MAX_ELEMENTS] if not is_aside(player)]
        if len(players) == 1:
            yield from _one_player(players[0], tag, scene)
        elif players:
            yield from _players(players, tag, scene)


def _one_player(player: Any, tag: str, scene: Scene) -> Iterator[Proposal]:
    page = scene.page
    name = name_of(player) if page.select(name_of(player))[0] is player else tag
    sources = player.xpath(".//source[@src]")[:20]
    fields = {"uid": scene.uid, **dict(meta.fields(page))}
    poster = list(_attribute_file("poster", f"{name}::attr(poster)", player.get("poster"), 5.0, page))
    label = _label(sources)
    if label and len(sources) > 1:
        found = tuple(url for source in sources if (url := page.join(source.get("src"))))
        words: dict[str, Any] = {"in": f"{name} source[src]", "name": f"::attr({label})", "url": "::attr(src)"}
        if all(re.match(r"\d", source.get(label)) for source in sources):
            words |= {"quality": {"rank": {"css": f"::attr({label})", "regex": r"\d+", "number": "int"}}}
        item = Item(fields, tuple(poster), words, found)
    else:
        files = [*_attribute_file(tag, f"{name}::attr(src)", player.get("src"), 400.0, page), *poster]
        item = Item(fields, (*files, *_sources(name, sources, page)))
    if item.rendered or any(file.name != "poster" for file in item.files):
        yield Proposal(f"<{tag}>", 0.8, item=item, expected=item.found)


def _label(sources: Sequence[Any]) -> str:
    """The attribute that tells the sources apart, if they are qualities."""
    for attribute in LABELS:
        texts = [source.get(attribute) or "" for source in sources]
        if texts and all(texts) and len(set(texts)) == len(texts):
            return attribute
    return ""


def _sources(name: str, sources: Sequence[Any], page: Page) -> Iterator[File]:
    """Sources that differ in type, or in nothing."""
    types = [source.get("type") or "" for source in sources]
    taken: list[str] = []
    for number, source in enumerate(sources):
        url = page.join(source.get("src"))
        written = quoted(types[number])
        if not url:
            continue
        if types[number] and types.count(types[number]) == 1 and written:
            css = f"{name} source[type={written}]::attr(src)"
        elif len(sources) == 1:
            css = f"{name} source::attr(src)"
        else:
            css = f"{name} source:nth-of-type({number + 1})::attr(src)"
        kind = shapes.extension_of(url) or "source"
        label = shapes.variant_name((kind,), taken)
        taken.append(label)
        more = {"playlist": "hls"} if shapes.media_kind(url) == "playlist" else {}
        yield File(label, css, shapes.quality((), url) - number / 100, (url,), more)


def _attribute_file(name: str, css: str, text: str | None, rank: float, page: Page) -> Iterator[File]:
    url = page.join(text) if text and not text.startswith(("data:", "blob:")) else None
    if url:
        yield File(name, css, rank, (url,))


def _players(players: Sequence[Any], tag: str, scene: Scene) -> Iterator[Proposal]:
    """Several players: rows, each with its first file."""
    page, css = scene.page, f"{tag}[src]::attr(src)"
    urls: list[str] = []
    for player in players:
        texts = [player.get("src"), *player.xpath(".//source/@src")[:1]]
        url = next((page.join(text) for text in texts if text and not text.startswith(("data:", "blob:"))), None)
        urls += [url] if url else []
    value = {"first_of": [css, "source::attr(src)"]}
    content = {"uid": {"text": _numbered(scene)}, "url": value}
    row = {"in": tag, "counter": "n", "content": content}
    block = {"content": dict(meta.fields(page)), "each": row}
    if not block["content"]:
        del block["content"]
    yield Proposal(f"{len(players)} <{tag}>", 0.6, block=block, expected=tuple(dict.fromkeys(urls)))


def _numbered(scene: Scene) -> str:
    return f"{{{scene.address.id}}}-{{n}}" if scene.address.id else "page-{n}"


# --- srcset


def find_srcset(scene: Scene) -> Iterator[Proposal]:
    """`<img srcset>` and `<source srcset>`: the sizes of one picture are renditions."""
    for attribute in ("srcset", "data-srcset"):
        images = [image for image in scene.page.select(f"img[{attribute}]")[:MAX_ELEMENTS] if _counts(image, attribute)]
        sources = scene.page.select(f"picture source[{attribute}]")[:MAX_ELEMENTS]
        sources = [source for source in sources if _counts(source, attribute)]
        elements, tag = (images, "img") if images else (sources, "source")
        if len(elements) == 1 or (elements and tag == "source"):
            yield from _one_picture(elements[0], attribute, scene)
        elif elements:
            yield from _pictures(elements, attribute, scene)


def _counts(element: Any, attribute: str) -> bool:
    return not is_aside(element) and not is_tiny(element) and bool(_candidates(element.get(attribute)))


def _candidates(text: str | None) -> list[str]:
    """The entries of a `srcset` that say how big they are."""
    parts = (text or "")[:20_000].split()
    pairs = pairwise(parts)
    return [f"{url.lstrip(',')} {size.rstrip(',')}" for url, size in pairs if SIZE.fullmatch(size) and url.strip(",")]


def _urls(text: str | None, scene: Scene) -> list[str]:
    return [url for entry in _candidates(text) if (url := scene.page.join(entry.split()[0]))]


def _one_picture(image: Any, attribute: str, scene: Scene) -> Iterator[Proposal]:
    page = scene.page
    selector = _first_selector(image, attribute, page)
    entries = _candidates(image.get(attribute))
    if selector is None or len({entry.split()[1] for entry in entries}) < len(entries):
        return
    let = {"srcset": f"{selector}::attr({attribute})"}
    found = tuple(dict.fromkeys(_urls(image.get(attribute), scene)))
    item = Item({"uid": scene.uid, **dict(meta.fields(page))}, (), _renditions(), found)
    yield Proposal("<img srcset>", 0.7, let=let, item=item, expected=found)


def _renditions() -> dict[str, Any]:
    """The words for a name `srcset` that holds the attribute's text."""
    rank = {"regex": r"([\d.]+)[wx]$", "number": "float"}
    return {"of": "srcset", "in": CANDIDATE, "name": r"\S+$", "url": r"^\S+", "quality": {"rank": rank}}


def _first_selector(image: Any, attribute: str, page: Page) -> str | None:
    """A selector that finds this picture first."""
    parent = image.getparent()
    names = [f"{name_of(image)}[{attribute}]"]
    names += [f"{name_of(parent)} {name_of(image)}[{attribute}]"] if parent is not None else []
    for name in names:
        if next(iter(page.select(name)), None) is image:
            return name
    return None


def _pictures(images: Sequence[Any], attribute: str, scene: Scene) -> Iterator[Proposal]:
    """Several pictures: rows, each with its sizes."""
    names = [name_of(image) for image in images]
    selector = f"{max(set(names), key=names.count)}[{attribute}]"
    urls = [url for image in scene.page.select(selector)[:MAX_ELEMENTS] for url in _urls(image.get(attribute), scene)]
    content: dict[str, Any] = {"uid": {"text": _numbered(scene)}}
    if all(image.get("alt") for image in images):
        content["title"] = "::attr(alt)"
    content["renditions"] = _renditions()
    row = {"in": selector, "counter": "n", "let": {"srcset": f"::attr({attribute})"}, "content": content}
    yield Proposal(f"{len(images)} <img srcset>", 0.6, block={"each": row}, expected=tuple(dict.fromkeys(urls)))
