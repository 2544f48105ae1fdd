"""Pictures in several sizes or formats: `<img srcset>`, and `<picture>` with its sources."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qetch.tools.new import meta, shapes
from qetch.tools.new.elements import ancestors, classes, is_aside, is_tiny, name_of, picture_url, tag
from qetch.tools.new.proposals import File, Item, Proposal, counter_of, row_uid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.tools.new.page import Page
    from qetch.tools.new.proposals import Scene

MAX_ELEMENTS = 200
MAX_SOURCES = 8
CANDIDATE = r"[^\s,]\S*\s+[\d.]+[wx]"
"""One picture of a `srcset`."""
TYPE = re.compile(r"image/[a-z0-9-]{1,20}")
SIZE = re.compile(r"\d[\d.]*[wx],?")


def find_srcset(scene: Scene) -> Iterator[Proposal]:
    """The sizes of a picture are renditions, its formats are variants."""
    if scene.page.root is None:
        return
    for attribute in ("srcset", "data-srcset"):
        found = [picture for picture in scene.page.select("picture") if picture.xpath(f".//source[@{attribute}]")]
        found = [picture for picture in found if not is_aside(picture)][:MAX_ELEMENTS]
        yield from _found(found, f"source[{attribute}]", attribute, scene)
        images = [image for image in scene.page.select(f"img[{attribute}]") if not image.xpath("ancestor::picture")]
        images = [image for image in images if not is_aside(image) and not is_tiny(image)]
        yield from _found(images[:MAX_ELEMENTS], "", attribute, scene)
    yield from _formats(scene)


def _candidates(text: str | None) -> list[str]:
    """The entries of a `srcset` that say how big they are."""
    pairs = pairwise((text or "")[:20_000].split())
    return [f"{url.lstrip(',')} {size.rstrip(',')}" for url, size in pairs if SIZE.fullmatch(size) and url.strip(",")]


def _found(elements: Sequence[Any], source: str, attribute: str, scene: Scene) -> Iterator[Proposal]:
    """Pictures, each with its sizes in an attribute of itself or of its first source."""
    texts = [_srcset(element, attribute) for element in elements]
    sized = [(element, text) for element, text in zip(elements, texts, strict=True) if _candidates(text)]
    if len(sized) == 1:
        yield from _one(*sized[0], source, attribute, scene)
    elif sized:
        yield from _several(sized, source, attribute, scene)


def _srcset(element: Any, attribute: str) -> str:
    return element.get(attribute) or next(iter(element.xpath(f".//source/@{attribute}")), "")


def _urls(text: str, scene: Scene) -> list[str]:
    return [url for entry in _candidates(text) if (url := scene.page.join(entry.split()[0]))]


def _one(element: Any, text: str, source: str, attribute: str, scene: Scene) -> Iterator[Proposal]:
    entries = _candidates(text)
    selector = _first_selector(element, source, attribute, scene)
    found = tuple(dict.fromkeys(_urls(text, scene)))
    if selector is None or not found or len({entry.split()[1] for entry in entries}) < len(entries):
        return
    let = {"srcset": f"{selector}::attr({attribute})"}
    item = Item({"uid": scene.uid, **dict(meta.fields(scene.page))}, (), _renditions(), found)
    decide = _others([element], source)
    yield Proposal(f"<{element.tag} {attribute}>", 0.7, let=let, item=item, expected=found, decide=decide)


def _others(elements: Sequence[Any], source: str) -> tuple[str, ...]:
    """What to decide where pictures have several sources, of which the first is read."""
    counts = [len(element.xpath(".//source")) for element in elements] if source else []
    return ("decide: of several sources, the first is read: is it the best?",) if max(counts, default=0) > 1 else ()


def _renditions() -> dict[str, Any]:
    """The words for a name `srcset` that holds the attribute's text."""
    rank = {"regex": r"([\d.]+)[wx]$", "number": "float"}
    return {"of": "srcset", "in": CANDIDATE, "name": r"\S+$", "url": r"^\S+", "quality": {"rank": rank}}


def _first_selector(element: Any, source: str, attribute: str, scene: Scene) -> str | None:
    """A selector that finds this picture, or its first source, first."""
    wanted = next(iter(element.xpath(f".//source[@{attribute}]")), None) if source else element
    last = f"{name_of(element)} {source}" if source else f"{name_of(element)}[{attribute}]"
    parent = element.getparent()
    for name in (last, f"{name_of(parent)} {last}" if parent is not None else last):
        if next(iter(scene.page.select(name)), None) is wanted:
            return name
    return None


def _several(sized: Sequence[tuple[Any, str]], source: str, attribute: str, scene: Scene) -> Iterator[Proposal]:
    """Several pictures: rows, each with its sizes."""
    elements = [element for element, _ in sized]
    selector = _common(elements) + ("" if source else f"[{attribute}]")
    rows = scene.page.select(selector)[:MAX_ELEMENTS]
    urls = tuple(dict.fromkeys(url for row in rows for url in _urls(_srcset(row, attribute), scene)))
    content: dict[str, Any] = {**_described(rows, scene), "renditions": _renditions()}
    row = {
        "in": selector,
        **counter_of(content["uid"]),
        "let": {"srcset": f"{source}::attr({attribute})"},
        "content": content,
    }
    evidence = f"{len(rows)} <{elements[0].tag} {attribute}>"
    yield Proposal(evidence, 0.6, block={"each": row}, expected=urls, decide=_others(rows, source))


def _common(elements: Sequence[Any]) -> str:
    """The selector that most of some elements share."""
    names = [name_of(element).partition("#")[0] for element in elements]
    return max(set(names), key=names.count)


def _described(rows: Sequence[Any], scene: Scene) -> dict[str, Any]:
    """The uid and the title of rows that are pictures."""
    images = [row if row.tag == "img" else next(iter(row.xpath(".//img")), None) for row in rows]
    inside = "" if rows[0].tag == "img" else "img"
    sources = [image.get("src") if image is not None else None for image in images]
    words = {"uid": row_uid(f"{inside}::attr(src)", sources, scene)}
    if all(image is not None and (image.get("alt") or "").strip() for image in images):
        words["title"] = f"{inside}::attr(alt)"
    return words


# --- one picture, of one size


def find_picture(scene: Scene) -> Iterator[Proposal]:
    """The one picture in the body of a page."""
    for file in main_picture(scene.page, "image", 45.0):
        item = Item({"uid": scene.uid, **dict(meta.fields(scene.page))}, (file,))
        yield Proposal("the picture of the page", 0.32, item=item, expected=item.found, decide=(MAIN,))


MAIN = "decide: is this what the page is about, and does the page link to a better one?"
MAIN_WORDS = frozenset(("image", "photo", "picture", "main", "full", "artwork", "original", "large", "shown", "media"))


def main_picture(page: Page, name: str, rank: float) -> Iterator[File]:
    """The one picture of a page that is neither small nor in a link nor part of its frame."""
    images = [image for image in page.select("img")[:MAX_ELEMENTS] if picture_url(image)[0] and not is_tiny(image)]
    images = [image for image in images if not is_aside(image) and not image.xpath("ancestor::a[@href]")]
    if len(images) != 1 or not _is_main(images[0]):
        return
    attribute, text = picture_url(images[0])
    url = page.join(text)
    for css in (name_of(images[0]), *(f"{name_of(above)} img" for above in ancestors(images[0]))):
        if url and next(iter(page.select(css)), None) is images[0]:
            yield File(name, f"{css}::attr({attribute})", rank, (url,))
            return


def _is_main(image: Any) -> bool:
    """Whether an `<img>` says that it is the thing itself, or stands where that is said."""
    said = {word for text in (*classes(image), image.get("id") or "") for word in shapes.words(text)}
    return not MAIN_WORDS.isdisjoint(said) or any(
        tag(above) in ("figure", "main", "article") for above in ancestors(image)
    )


# --- formats


def _formats(scene: Scene) -> Iterator[Proposal]:
    """`<picture>` whose sources are one file each, of different types."""
    found = [picture for picture in scene.page.select("picture")[:MAX_ELEMENTS] if not is_aside(picture)]
    table = [_types(picture) for picture in found]
    if not table or not table[0] or any(types.keys() != table[0].keys() for types in table):
        return
    files = [_format(kind, [types[kind] for types in table], scene) for kind in table[0]]
    several = len(found) > 1
    start = "" if several else f"{name_of(found[0])} "
    if not several and next(iter(scene.page.select(start.strip())), None) is not found[0]:
        return
    files = [File(file.name, f"{start}{file.url}", file.rank, file.found) for file in files]
    expected = tuple(dict.fromkeys(url for file in files for url in file.found))
    if several:
        selector = _common(found)
        described = _described(scene.page.select(selector)[:MAX_ELEMENTS], scene)
        content = Item({}, tuple(files)).content(**described)
        row = {"in": selector, **counter_of(described["uid"]), "content": content}
        yield Proposal(f"{len(found)} <picture>", 0.58, block={"each": row}, expected=expected)
    else:
        item = Item({"uid": scene.uid, **dict(meta.fields(scene.page))}, tuple(files))
        yield Proposal("<picture>", 0.68, item=item, expected=expected)


def _types(picture: Any) -> dict[str, str]:
    """The one file of each type; nothing if sources are not such, and the `<img>` comes last.

    The parser does not know that a source has no end tag, and nests them.
    """
    found: dict[str, str] = {}
    for source in picture.xpath(".//source")[:MAX_SOURCES]:
        kind, text = source.get("type") or "", (source.get("srcset") or "").strip()
        if not TYPE.fullmatch(kind) or not text or kind in found or re.search(r"[\s,]", text):
            return {}
        found[kind] = text
    image = next(iter(picture.xpath(".//img/@src")), "")
    if found and image and not image.startswith("data:"):
        found["img"] = image
    return found


def _format(kind: str, texts: Sequence[str], scene: Scene) -> File:
    css = "img::attr(src)" if kind == "img" else f'source[type="{kind}"]::attr(srcset)'
    name = (shapes.extension_of(texts[0]) or kind) if kind == "img" else kind.partition("/")[2]
    urls = tuple(dict.fromkeys(url for text in texts if (url := scene.page.join(text))))
    return File(name, css, 40.0 if kind == "img" else 50.0, urls)
