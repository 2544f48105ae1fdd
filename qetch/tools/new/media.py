"""Players, with their sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.tools.new import meta, pictures, shapes
from qetch.tools.new.elements import ancestors, classes, is_aside, name_of, one_of, quoted
from qetch.tools.new.proposals import NUMBERED, File, Item, Proposal, positions
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.tools.new.page import Page
    from qetch.tools.new.proposals import Scene

MAX_ELEMENTS = 200
MAX_LINKS = 5000
DOWNLOADS = frozenset(("download", "original", "full", "fullsize", "large", "save", "hd"))
"""Words of a link to the file that a page is about."""
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
        yield Proposal(f"<{tag}>", 0.8, item=item, expected=item.found, decide=positions(item.files))


def find_download(scene: Scene) -> Iterator[Proposal]:
    """The one link to a file on a page, if it says that it is the file."""
    page = scene.page
    links = [link for link in page.select("a[href]")[:MAX_LINKS] if _is_to_file(link) and not is_aside(link)]
    marked = [link for link in links if link.get("download") is not None]
    links = marked if len(marked) == 1 else links
    if len(links) != 1 or not _is_download(links[0]):
        return
    href, above = links[0].get("href"), [f"{name_of(element)} {name_of(links[0])}" for element in ancestors(links[0])]
    for name in (name_of(links[0]), "a[download]", *above):
        if next(iter(page.select(name)), None) is links[0]:
            files = [*_attribute_file("original", f"{name}::attr(href)", href, 500.0, page)]
            if files and shapes.media_kind(href) in ("image", ""):
                files += pictures.main_picture(page, "preview", 10.0)
            item = Item({"uid": scene.uid, **dict(meta.fields(page))}, tuple(files))
            yield Proposal("a link to the file", 0.76, item=item, expected=item.found)
            return


def _is_to_file(link: Any) -> bool:
    return bool(shapes.media_kind(link.get("href"))) or link.get("download") is not None


def _is_download(link: Any) -> bool:
    text = " ".join("".join(link.itertext()).split())[:60]
    said = {word for name in (*classes(link), link.get("id") or "", text) for word in shapes.words(name)}
    return link.get("download") is not None or not DOWNLOADS.isdisjoint(said) or bool(link.xpath(".//img"))


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
    urls = [source.get("src") or "" for source in sources]
    for number, source in enumerate(sources):
        url = page.join(source.get("src"))
        written = quoted(types[number])
        if not url:
            continue
        if types[number] and types.count(types[number]) == 1 and written:
            css: Any = f"{name} source[type={written}]::attr(src)"
        elif len(sources) == 1:
            css = f"{name} source::attr(src)"
        else:
            css = one_of(f"{name} source", f"//{name.split('#')[0].split('.')[0]}//source", "src", urls, number)
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
    content = {"uid": Noted({"text": f"{scene.above}-{{n}}"}, NUMBERED), "url": value}
    row = {"in": tag, "counter": "n", "content": content}
    block = {"content": dict(meta.fields(page)), "each": row}
    if not block["content"]:
        del block["content"]
    yield Proposal(f"{len(players)} <{tag}>", 0.6, block=block, expected=tuple(dict.fromkeys(urls)))
