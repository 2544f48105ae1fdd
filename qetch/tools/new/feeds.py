"""XML: feeds with enclosures and media, answers of APIs, and pictures in the texts of a feed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qetch.selectors import markup
from qetch.tools.new.answers import find_in
from qetch.tools.new.items import describe
from qetch.tools.new.marked import Marked, to_data
from qetch.tools.new.proposals import Proposal, counted
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.tools.new.proposals import Scene

NEXT = 'link[rel="next"]::attr(href)'
FEEDS = ("rss", "feed", "RDF")
ROWS = ("item", "entry")
TEXTS = ("encoded", "content", "description", "summary")
"""Elements that hold the HTML of an article, the fullest first."""
MAX_ROWS = 200


def find_in_xml(scene: Scene) -> Iterator[Proposal]:
    """An answer that is XML: rows with files in attributes or elements."""
    root = scene.page.xml
    if root is None:
        return
    pages = {"next": NEXT} if scene.page.first(NEXT) else None
    for proposal in find_in(to_data(root), scene, f"the XML answer, <{str(root.tag)[:40]}>", Marked(page=scene.page)):
        if proposal.block:
            yield replace(proposal, pages=pages)
        elif root.tag not in FEEDS:  # what a feed says of itself is its logo
            yield proposal


def find_in_texts(scene: Scene) -> Iterator[Proposal]:
    """Pictures in the HTML that the entries of a feed hold as text."""
    for name in ROWS if scene.page.xml is not None else ():
        rows = scene.page.select(name)[:MAX_ROWS]
        for text in TEXTS if rows else ():
            sources = [source for row in rows for source in _sources(row, text)]
            urls = tuple(dict.fromkeys(url for source in sources if (url := scene.page.join(source))))
            if urls:
                yield _in_texts(name, text, urls, scene)
                return


def _sources(row: Any, name: str) -> list[str]:
    """What the pictures in a text are read from."""
    try:
        body = markup.parse("html", next((child.text or "" for child in row if child.tag == name), ""))
    except ValueError:
        return []
    return list(map(str, markup.compile_xpath("//img/@src")(body)))


def _in_texts(name: str, text: str, urls: tuple[str, ...], scene: Scene) -> Proposal:
    data = [row for row in map(to_data, scene.page.select(name)[:MAX_ROWS]) if row]
    fields = describe(data, scene.page, Marked(page=scene.page).inside((name,), data)).fields
    fields = {key: value for key, value in fields.items() if key not in ("description", "metadata")}
    ident = fields.pop("uid", None) or {"first_of": ["guid", "id", "link"], "regex": r"([^/?#=]+)/?$"}
    uid = Noted({"text": "{item}-{n}"}, "decide: this is the number of the picture in its text")
    row = {
        "in": name,
        "let": {"item": ident, "body": {"css": f"{text}::text", "parse": "html"}},
        **({"content": fields} if fields else {}),
        "each": {"of": "body", "in": "img[src]", "counter": "n", "content": {"uid": uid, "url": "::attr(src)"}},
    }
    block: dict[str, Any] = {"each": row}
    pages = {"next": NEXT} if scene.page.first(NEXT) else None
    evidence = f"{counted(len(urls), 'picture')} in the texts of <{name}>"
    return Proposal(evidence, 0.55, block=block, expected=urls, pages=pages)
