"""Things that repeat on a page: thumbnails with links, links to files, pictures in a row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qetch.selectors import markup
from qetch.tools.new import linked, media, meta, pictures, shapes
from qetch.tools.new.elements import LAZY, ancestors, is_aside, is_icon, is_tiny, name_of, picture_url, tag
from qetch.tools.new.proposals import File, Item, Proposal, counter_of, merged, row_uid
from qetch.tools.new.yaml_text import Noted, Remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qetch.tools.new.page import Page
    from qetch.tools.new.proposals import Scene

MAX_LINKS = 5000
MAX_GROUPS = 6
FEWEST = 2
MAX_LOOKS = 2
"""How many of the links of a group are followed; the first may lead to a page that is gone."""
LEVELS = 3
"""How many elements above a link make its group."""
SINGLE: tuple[Callable[[Scene], Iterator[Proposal]], ...] = (
    linked.find_json_ld,
    media.find_players,
    media.find_download,
    pictures.find_srcset,
    pictures.find_picture,
    meta.find_open_graph,
)
"""The finders for the page of one picture."""


@dataclass(frozen=True)
class Group:
    """Elements that look alike: the rows, each with what was looked for (a link or a picture)."""

    selector: str
    rows: tuple[Any, ...]
    inner: tuple[Any, ...]


def find_repeated(scene: Scene) -> Iterator[Proposal]:
    """Lists of links with thumbnails, of links to files, and of pictures."""
    if scene.page.root is None:
        return
    links = [link for link in scene.page.select("a[href]")[:MAX_LINKS] if _is_link(link, scene.page)]
    looked = 0
    for group in _groups(links, scene.page):
        proposal = _linked(group, scene)
        if proposal is None:
            proposal = _thumbnails(group, scene, follow=looked == 0)
            looked += 1
        if proposal:
            yield proposal
    images = [image for image in scene.page.select("img")[:MAX_LINKS] if _is_picture(image)]
    for group in _groups(images, scene.page):
        proposal = _pictures(group, scene)
        if proposal:
            yield proposal


def _is_link(link: Any, page: Page) -> bool:
    """A link to a file, or one around a picture."""
    if not page.join(link.get("href") or ""):
        return False
    images = link.xpath(".//img")[:5]
    if not images and not shapes.media_kind(link.get("href")):
        return False
    return not is_aside(link) and not any(map(is_icon, images))


def _is_picture(image: Any) -> bool:
    attribute, _ = picture_url(image)
    return bool(attribute) and not is_tiny(image) and not is_aside(image) and not image.xpath("ancestor::a[@href]")


# --- groups


def _groups(elements: Sequence[Any], page: Page) -> list[Group]:
    """The elements that stand in elements of the same names, the largest groups first."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for element in elements:
        names = [
            name_of(element),
            *(name_of(above) for above, _ in zip(ancestors(element), range(LEVELS), strict=False)),
        ]
        found.setdefault(tuple(name.partition("#")[0] for name in names), []).append(element)
    ranked = sorted((group for group in found.values() if len(group) >= FEWEST), key=len, reverse=True)
    made = (_group(group, page) for group in ranked[:MAX_GROUPS])
    return [group for group in made if group]


def _group(elements: list[Any], page: Page) -> Group | None:
    """The rows: the widest elements that hold one each, and the selector that finds them."""
    rows = list(elements)
    while True:
        above = [row.getparent() for row in rows]
        alone = len({id(element) for element in above}) == len(above)
        if any(element is None or tag(element) in ("body", "html") for element in above) or not alone:
            break
        rows = above
    for selector in _selectors(rows[0], elements[0]):
        found = page.select(selector)
        if len(found) >= len(rows) and set(map(id, rows)) <= set(map(id, found)) and len(found) <= len(rows) * 1.5:
            return Group(selector, tuple(rows), tuple(elements))
    return None


def _selectors(row: Any, element: Any) -> Iterator[str]:
    """Selectors for a row, from readable to exact."""
    name = name_of(row).partition("#")[0]
    above = next(iter(ancestors(row)), None)
    if above is not None and tag(above) not in ("body", "html"):
        holder = name_of(above)
        yield f"{holder} > {name}"
        for further in ancestors(above):
            if "." in name_of(further) or "#" in name_of(further):
                yield f"{name_of(further)} {holder} > {name}"
                break
        if row is not element:
            yield f"{holder} > {name}:has({tag(element)})"
    yield name
    if tag(element) == "a" and row is element:
        yield f"{name}:has(img)"
        yield f"{name}[href]"


# --- what the rows are


def _linked(group: Group, scene: Scene) -> Proposal | None:
    """Links that are the files themselves."""
    page = scene.page
    hrefs = [link.get("href") for link in group.inner]
    if not all(map(shapes.media_kind, hrefs)):
        return None
    inside = "" if group.rows[0] is group.inner[0] else "a"
    files = [_file("full", f"{inside}::attr(href)", 500.0, hrefs, page)]
    images = [next(iter(link.xpath(".//img")), None) for link in group.inner]
    files += _thumb(images, page)
    uid = row_uid(f"{inside}::attr(href)", hrefs, scene)
    content = Item({}, tuple(files)).content(uid=uid, **_title(group, images))
    expected = tuple(dict.fromkeys(url for file in files for url in file.found))
    block = {**_page_fields(page), "each": {"in": group.selector, **counter_of(uid), "content": content}}
    score = 0.72 + 0.12 * min(len(hrefs), 10) / 10
    return Proposal(f"{len(hrefs)} links to files in {group.selector!r}", score, block=block, expected=expected)


def _page_fields(page: Page) -> dict[str, Any]:
    """What the page says of all its rows: who made them."""
    words = {name: value for name, value in meta.fields(page) if name == "uploaded_by"}
    return {"content": words} if words else {}


def _thumbnails(group: Group, scene: Scene, *, follow: bool) -> Proposal | None:
    """Links to a page per picture; the first of them is looked at, if that is allowed."""
    page = scene.page
    images = [next(iter(link.xpath(".//img")), None) for link in group.inner]
    thumbs = _thumb(images, page)
    if not thumbs:
        return None
    hrefs = [link.get("href") for link in group.inner]
    inside = "" if group.rows[0] is group.inner[0] else "a"
    link = f"{inside}::attr(href)"
    for href, image in list(zip(hrefs, images, strict=True))[:MAX_LOOKS] if follow else ():
        inner = _inner_page(page.join(href), scene)
        if inner:
            shown = page.join(picture_url(image)[1]) or ""
            return _followed(group, link, hrefs, replace(thumbs[0], found=(shown,)), inner)
    uid = {"css": link, "regex": shapes.STEM} if shapes.are_stems_unique(hrefs) else row_uid(link, hrefs, scene)
    content = Item({}, tuple(thumbs)).content(uid=uid, **_title(group, images))
    row: dict[str, Any] = {
        "in": group.selector,
        **counter_of(uid),
        Remark("decide: these are thumbnails. The files are on the page of each, to be read so:"): None,
        Remark(f"let: {{page_url: {link!r}}}"): None,
        Remark('then: {get: "{page_url}", content: {uid: …, url: …}}'): None,
        "content": content,
    }
    small = any(image is not None and is_tiny(image) for image in images)
    score = 0.45 + 0.12 * min(len(hrefs), 10) / 10 - 0.15 * small
    evidence = f"{len(hrefs)} thumbnails in {group.selector!r}"
    return Proposal(evidence, score, block={"each": row}, expected=thumbs[0].found)


def _inner_page(url: str | None, scene: Scene) -> Proposal | None:
    """What the page of one picture is about."""
    page = scene.look(url) if url else None
    if page is None or page.root is None:
        return None
    inner = replace(scene, page=page, look=lambda _: None)
    found = [proposal for finder in SINGLE for proposal in finder(inner) if proposal.item and proposal.expected]
    found.sort(key=lambda proposal: -proposal.score)
    return merged(found) or next(iter(found), None)


def _followed(group: Group, link: str, hrefs: Sequence[str], thumb: File, inner: Proposal) -> Proposal | None:
    """Rows that lead to a page each, on which the file is."""
    if inner.item is None or not shapes.are_stems_unique(hrefs):
        return None
    known = set(inner.item.found)
    item = inner.item
    if known.isdisjoint(thumb.found) and not item.renditions:
        small = File("thumb", {"text": "{thumb}"}, -1.0, thumb.found)
        item = replace(item, files=(*item.files, small))
    let = {"page_url": link}
    if any(file.name == "thumb" and isinstance(file.url, dict) and "text" in file.url for file in item.kept):
        let["thumb"] = thumb.url
    content = item.content(uid={"of": "page_url", "regex": shapes.STEM})
    then = {"get": "{page_url}", **({"let": inner.let} if inner.let else {}), "content": content}
    row = {"in": group.selector, "let": let, "then": then}
    evidence = f"{len(hrefs)} thumbnails in {group.selector!r}, and {inner.evidence} on the page of the first"
    return Proposal(evidence, 0.75, block={"each": row}, expected=item.found, decide=inner.decide)


def _pictures(group: Group, scene: Scene) -> Proposal | None:
    """Pictures without links."""
    inside = "" if group.rows[0] is group.inner[0] else "img"
    rows = scene.page.select(group.selector)
    images = [next(iter(row.xpath("descendant-or-self::img")), None) for row in rows]
    found = [picture_url(image) if image is not None else ("", "") for image in images]
    texts = [text for _, text in found]
    if not all(texts):
        return None
    places = [f"{inside}::attr({name})" for name in LAZY if name in {attribute for attribute, _ in found}]
    value: Any = {"first_of": places} if len(places) > 1 else places[0]
    uid = row_uid(places[0], texts, scene)
    if len(places) > 1 and "regex" in uid.value:
        uid = Noted({**value, "regex": uid.value["regex"]}, uid.note)
    file = _file("image", value, 50.0, texts, scene.page)
    content = Item({}, (file,)).content(uid=uid, **_title(group, images))
    row = {"in": group.selector, **counter_of(uid), "content": content}
    score = 0.4 + 0.1 * min(len(texts), 10) / 10
    return Proposal(f"{len(texts)} pictures in {group.selector!r}", score, block={"each": row}, expected=file.found)


def _file(name: str, css: Any, rank: float, texts: Sequence[str], page: Page) -> File:
    return File(name, css, rank, tuple(dict.fromkeys(url for text in texts if (url := page.join(text)))))


def _thumb(images: Sequence[Any], page: Page) -> list[File]:
    """The thumbnails of links, if they have some."""
    if any(image is None for image in images):
        return []
    attribute, _ = picture_url(images[0])
    texts = [image.get(attribute) or "" for image in images] if attribute else []
    return [_file("thumb", f"img::attr({attribute})", 3.0, texts, page)] if texts and all(texts) else []


def _title(group: Group, images: Sequence[Any]) -> dict[str, Any]:
    """The title of each row: the picture's text, or the link's, or what else is said beside it."""
    if all(image is not None and (image.get("alt") or "").strip() for image in images):
        return {"title": "img::attr(alt)" if tag(group.rows[0]) != "img" else "::attr(alt)"}
    if all((link.get("title") or "").strip() for link in group.inner):
        inside = "" if group.rows[0] is group.inner[0] else tag(group.inner[0])
        return {"title": f"{inside}::attr(title)"}
    if all("".join(link.itertext()).strip() for link in group.inner):
        return {"title": "a" if tag(group.inner[0]) == "a" else "::text"}
    beside = next((name for name in TITLES if all(map(_says(name), group.rows))), "")
    return {"title": beside} if beside else {}


TITLES = (".title", ".caption", ".name", "figcaption", "h2", "h3", "h4", "p", "span")
"""What holds the title of a row, beside its picture."""


def _says(name: str) -> Callable[[Any], bool]:
    """Whether the first element of this name in a row has a text."""
    find = markup.compile_css(name, "html")
    return lambda row: any("".join(element.itertext()).strip() for element in find(row)[:1])
