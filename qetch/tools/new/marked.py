"""XML as data, so that it is looked at as JSON is, and the CSS that reads what was found there."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from qetch.tools.new.items import LIST, TEXT, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qetch.tools.new.page import Page

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,60}")
REL = re.compile(r"[A-Za-z][A-Za-z-]{0,30}")
MAX_ELEMENTS = 20_000
MAX_DEPTH = 10
ALWAYS_LISTS = frozenset(("item", "entry"))
"""Names of rows, though there may be just one."""
ABOUT_TEXT = frozenset(("type", "isPermaLink", "lang", "space", "base", "scheme", "domain", "label", "mode"))
"""Attributes that say how a text is written, and nothing of the item."""


@dataclass(frozen=True)
class Marked(Reach):
    """How values below an element are written, in CSS.

    Attributes:
        page: Where they are.
        tag: The name of the rows, if values are those of rows.
        deep: Names that rows have at the top and deeper as well.
    """

    page: Page | None = None
    tag: str = ""
    deep: frozenset[str] = frozenset()
    head: ClassVar[str] = "css"
    itself: ClassVar[str] = "::text"
    noun: ClassVar[str] = "element"
    whole: ClassVar[str] = ""

    def text(self, path: Sequence[str]) -> str:
        """The selector for a path of keys."""
        elements = [key for key in path if key != TEXT and not key.startswith("@")]
        start = [self.prefix] if self.prefix else [self.tag] if elements and elements[0] in self.deep else []
        attribute = f"::attr({path[-1][1:]})" if path and path[-1].startswith("@") else ""
        return (" > ".join([*start, *elements]) + attribute) or self.itself

    def value(self, path: Sequence[str], **post: Any) -> Any:
        """A value that reads a path of keys; what is parsed must be a text."""
        text = self.text(path)
        return self.raw(f"{text}::text" if "parse" in post and "::" not in text else text, **post)

    def rows(self, path: Sequence[str]) -> str:
        """The shortest selector that finds these elements and no others."""
        elements = [key for key in path if key != LIST]
        if self.page is not None and elements:
            wanted = len(self.page.select(" > ".join(elements)))
            for start in range(len(elements) - 1, 0, -1):
                if len(self.page.select(" > ".join(elements[start:]))) == wanted:
                    return " > ".join(elements[start:])
        return " > ".join(elements) or self._root() or "*"

    def or_none(self, selector: str) -> str:
        """The selector itself: that a row has no such element is nothing new."""
        return selector

    def at(self, path: Sequence[str]) -> Marked:
        """The same, below a path of keys."""
        return replace(self, prefix=" > ".join(path) or self._root())

    def _root(self) -> str:
        """The name of the outermost element, if it can be selected."""
        root = self.page.xml.tag if self.page is not None else ""
        return root if NAME.fullmatch(root) else ""

    def inside(self, path: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Marked:
        """How values are written in each of the rows at a path of keys."""
        tag = next((key for key in reversed(path) if key != LIST), "")
        return replace(self, of="", prefix="", tag=tag, deep=frozenset(_deep(rows[:200])))


def _deep(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The names of elements below the children of rows."""
    for row in rows:
        for value in row.values():
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, dict):
                    yield from (key for key in child if key != TEXT and not key.startswith("@"))
                    yield from _deep([child])


def to_data(root: Any) -> dict[str, Any]:
    """An element as an object: its attributes with `@`, its children by their names, its text as `#`."""
    repeated = set(ALWAYS_LISTS)
    for element in islice(root.iter(), MAX_ELEMENTS):
        counts = Counter(_key(child) for child in element)
        repeated.update(key for key, count in counts.items() if count > 1)
    data = _data(root, repeated, [MAX_ELEMENTS], 0)
    return data if isinstance(data, dict) else {TEXT: data}


def _data(element: Any, repeated: set[str], left: list[int], depth: int) -> Any:
    """An element as an object, or as a text if it has no more than that; `left` counts elements down."""
    left[0] -= 1
    found: dict[str, Any] = {f"@{name}": text for name, text in element.attrib.items() if NAME.fullmatch(name)}
    children = 0
    for child in element if depth < MAX_DEPTH else ():
        key = _key(child)
        if left[0] <= 0 or not key:
            continue
        children += 1
        value = _data(child, repeated, left, depth + 1)
        if key in repeated:
            found.setdefault(key, []).append(value)
        else:
            found[key] = value
    text = (element.text or "").strip()
    if not children and (text or not found):
        return text if {key[1:] for key in found} <= ABOUT_TEXT else {**found, TEXT: text}
    return found


def _key(element: Any) -> str:
    """What an element is called; links are told apart by what they lead to."""
    tag = element.tag if isinstance(element.tag, str) and NAME.fullmatch(element.tag) else ""
    rel = element.get("rel") or ""
    return f'{tag}[rel="{rel}"]' if tag == "link" and REL.fullmatch(rel) else tag
