"""A spec's text in which selectors are exchanged, everything else left as its author wrote it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from qetch.errors import SpecError
from qetch.spec.check import check
from qetch.spec.compile import compile_site
from qetch.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from qetch.spec.load import Document
    from qetch.spec.model import Site
    from qetch.spec.walk import Node

SELECTS = frozenset({"jmespath", "css", "xpath", "regex", "in", "url", "fragments"})

_safe = re.compile(r"[A-Za-z_][\w.-]*")
_words = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


Lost = Literal["nothing", "less", "type", "blind", "other"]
"""What a selector finds now: nothing, only some of what was recorded, all as another type, all by chance, or other."""


class Edit(NamedTuple):
    """A selector that is exchanged.

    Attributes:
        where: Its place in the spec.
        lost: What the old one finds of what was recorded.
        sure: Whether the new one finds exactly what was recorded, and nothing else would do that as well.
        rivals: Other paths to the same values.
    """

    where: str
    old: str
    new: str
    lost: Lost = "other"
    sure: bool = False
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """The text of a spec; `path` is its file, of which it may be a changed copy."""

    path: Path
    text: str

    @cached_property
    def document(self) -> Document:
        """The text as plain data with places.

        Raises:
            SpecError: It is no good YAML.
        """
        return load(self.path, self.text.encode())

    def site(self) -> Site | None:
        """The compiled site, or None if the text has problems."""
        try:
            document = self.document
        except SpecError:
            return None
        if check(document):
            return None
        site, _ = compile_site(document)
        return replace(site, path=self.path, digest=sha256(self.text.encode()).hexdigest()) if site else None

    def edited(self, edits: Mapping[str, tuple[str, str]]) -> Sheet | None:
        """A copy with other selectors: by the place in the spec, the old and the new text; None if it cannot be."""
        document = self.document
        spans: dict[int, tuple[int, str]] = {}
        for where, (old, new) in edits.items():
            event = _scalar(document, where, old)
            if event is None:
                return None
            start, end = event.start_mark.index, event.end_mark.index
            if start in spans and spans[start] != (end, _written(new, event.style)):
                return None  # one text for two places that would need different ones
            spans[start] = end, _written(new, event.style)
        text = self.text
        for start, (end, written) in sorted(spans.items(), reverse=True):
            text = text[:start] + written + text[end:]
        return Sheet(self.path, text) if text != self.text else None

    def is_shared(self, where: str, text: str) -> bool:
        """Whether an alias repeats the selector elsewhere."""
        document = self.document
        event = _scalar(document, where, text)
        return event is not None and sum(each is event for each in _events(document.root)) > 1

    def line_of(self, where: str, text: str) -> tuple[int, int]:
        """The line and column of a selector, from 1."""
        event = _scalar(self.document, where, text)
        return (event.start_mark.line + 1, event.start_mark.column + 1) if event else (1, 1)

    def line(self, number: int) -> str:
        """One line of the text, from 1."""
        lines = self.text.splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _events(node: Node) -> Iterator[Any]:
    """The events of a node and of all below it; those that an alias repeats come again."""
    yield node.event
    items = node.items or ()
    for item in (item for _, item in items.values()) if isinstance(items, dict) else items:
        yield from _events(item)


def _scalar(document: Document, where: str, text: str) -> Any:
    """The event of the text at a place that a message names, such as `handles.thread.each.content.title`."""
    node = document.root
    parts = where.split(".")
    while parts:
        for length in range(1, len(parts) + 1):
            name = ".".join(parts[:length])
            items = node.items
            if isinstance(items, dict) and name in items:
                node = items[name][1]
            elif isinstance(items, list) and name.isdecimal() and int(name) < len(items):
                node = items[int(name)]
            else:
                continue
            parts = parts[length:]
            break
        else:
            return None
    return _event_of(node, text)


def _event_of(node: Node, text: str) -> Any:
    """The event of a text that stands at a node, or is the selector of the value or the rows there."""
    if isinstance(node.items, dict):
        below = (item for name, (_, item) in node.items.items() if name in SELECTS)
        return next((event for item in below if (event := _event_of(item, text))), None)
    return node.event if getattr(node.event, "value", None) == text else None


def _written(text: str, style: str | None) -> str:
    """A selector as YAML, in the quotes that stand there now, if they are needed."""
    if not style and _safe.fullmatch(text) and text.lower() not in _words:
        return text
    if style == "'" or "\\" in text or ('"' in text and "'" not in text):
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)
