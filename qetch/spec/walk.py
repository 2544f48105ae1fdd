"""Walks the events of one YAML text, and makes plain data of them.

Events, not nodes: so the place of an alias is known, bounds are kept before anything grows, and a plain scalar
means what YAML 1.2's core schema says. What YAML takes for something else without a word, such as the selector of
`in: #list`, is a problem here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.errors import SpecError
from qetch.spec.problems import Problem
from qetch.spec.scalars import plain
from qetch.spec.wording import quoted, shown

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_PROBLEMS = 500

_SUSPECT = re.compile(r"(?<=[ \t])#[^\s#]")
_COMMENT = re.compile(r"[ \t]*(?<=[ \t])(#[^\s#].*)")


_URL_WORD = re.compile(r"""\b(?:get|post|base)["']?: *\Z""")
"""What stands before the URL of a request, which is a template without further words."""


class Node(NamedTuple):
    """A value's event, and what stands below it: by key with the key's event, or by index."""

    event: Any
    items: dict[str, tuple[Any, Node]] | list[Node] | None = None


class _Anchored(NamedTuple):
    """What an alias repeats: the data, its node, how many values it has and how deep it is."""

    data: Any
    node: Node
    size: int
    height: int


class Walk:
    """One walk over the events of one text.

    Attributes:
        problems: Those that did not end the walk.
        eaten: The lines, from 1, on which YAML took something for what it was not meant to be.
        spoiled: The events of the values, or of their keys, that are not what was meant.
        dropped: The events of the mappings that have lost a key, each with what stood behind it.
        unused: The events of the anchors that no alias has repeated so far, by their ids.
    """

    def __init__(self, file: str, text: str, next_event: Callable[[], Any]) -> None:
        self.file = file
        self.text = text
        self.next_event = next_event
        self.problems: list[Problem] = []
        self.eaten: set[int] = set()
        self.spoiled: list[Any] = []
        self.dropped: list[tuple[Any, Node]] = []
        self.anchors: dict[str, _Anchored] = {}
        self.unused: dict[int, Any] = {}
        self.nodes = 0
        self.deepest = 0
        self.hashes = _SUSPECT.search(text) is not None
        self.read: dict[str, Callable[[Any, int], tuple[Any, Node]]] = {
            "MappingStartEvent": self.mapping,
            "SequenceStartEvent": self.sequence,
            "AliasEvent": self.alias,
        }

    def note(self, event: Any, message: str, cure: str = "", offset: int = 0) -> None:
        """Keep a problem, and go on."""
        if len(self.problems) >= MAX_PROBLEMS:
            return
        mark = event.start_mark
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1 + offset, message, cure))

    def note_eaten(self, event: Any, message: str, cure: str, offset: int = 0) -> None:
        """Keep a problem that makes others of the same line senseless."""
        self.eaten.add(event.start_mark.line + 1)
        self.spoiled.append(event)
        self.note(event, message, cure, offset)

    def refuse(self, event: Any, message: str, cure: str = "") -> SpecError:
        """The end of the walk."""
        mark = event.start_mark
        problem = Problem(self.file, mark.line + 1, mark.column + 1, message, cure)
        return SpecError(problems=[*self.problems, problem])

    def document(self) -> tuple[dict[str, Any], Node]:
        """The only document's data and node.

        Raises:
            SpecError: There is none, or more than one; it is no mapping, or too big.
        """
        self.next_event()
        event = self.next_event()
        if type(event).__name__ == "StreamEndEvent":
            raise self.refuse(event, "the file is empty", "a site begins with `qetch: 1`")
        data, node = self.value(self.next_event(), 0)
        self.next_event()
        event = self.next_event()
        if type(event).__name__ != "StreamEndEvent":
            raise self.refuse(event, "a second document begins here", "one file is one site: leave out `---`")
        if not isinstance(data, dict):
            what = "a list" if isinstance(data, list) else "a single text"
            raise self.refuse(node.event, f"a site is a mapping, not {what}", "a site begins with `qetch: 1`")
        return data, node

    def value(self, event: Any, depth: int) -> tuple[Any, Node]:
        """The value that begins with an event."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.refuse(event, f"more than {MAX_NODES:,} values, aliases counted in full")
        kind = type(event).__name__
        read = self.scalar if kind == "ScalarEvent" else self.read[kind]
        if event.anchor is None or kind == "AliasEvent":
            return read(event, depth)
        before, deepest, self.deepest = self.nodes, self.deepest, depth
        data, node = read(event, depth)
        self.anchors[event.anchor] = _Anchored(data, node, self.nodes - before + 1, self.deepest - depth)
        self.deepest = max(deepest, self.deepest)
        self.unused[id(event)] = event
        return data, node

    def down(self, event: Any, depth: int) -> int:
        """The depth below a mapping or a list."""
        if event.tag is not None:
            self.tagged(event)
        depth += 1
        if depth > MAX_DEPTH:
            raise self.refuse(event, f"nested more than {MAX_DEPTH} deep")
        self.deepest = max(self.deepest, depth)
        return depth

    def tagged(self, event: Any) -> None:
        """Refuse a tag, which is most often a selector such as `!is_self`."""
        start = event.start_mark.index
        tag = self.text[start : event.end_mark.index].split(maxsplit=1)[0] if event.end_mark.index > start else "!"
        self.note_eaten(event, f'"{shown(tag)}" is a YAML tag here', "a ! at the start begins a tag: quote the text")

    def scalar(self, event: Any, _: int) -> tuple[Any, Node]:
        """A text, a number, true, false or null."""
        value = event.value
        if event.tag is not None:
            self.tagged(event)
        elif not event.style:
            if self.hashes:
                self.comment(event)
            if not value and event.anchor is not None:
                cure = "a & at the start begins an anchor: quote the text"
                self.note_eaten(event, f'"&{event.anchor}" is a YAML anchor of nothing', cure)
            value, wrong = plain(value)
            if wrong:
                self.spoiled.append(event)
                self.note(event, wrong, "quote it")
        return value, Node(event)

    def comment(self, event: Any) -> None:
        """Find what was meant as a selector, such as `in: #list`, and is a comment."""
        found = _COMMENT.match(self.text, event.end_mark.index)
        if found:
            offset = found.start(1) - event.start_mark.index
            from qetch.spec.eaten import COMMENT

            cure = f"{COMMENT} (or put a space after the #)"
            self.note_eaten(event, f'"{shown(found[1].rstrip())}" is a comment here', cure, offset)

    def sequence(self, event: Any, depth: int) -> tuple[list[Any], Node]:
        """A list."""
        depth = self.down(event, depth)
        values: list[Any] = []
        nodes: list[Node] = []
        while type(item := self.next_event()).__name__ != "SequenceEndEvent":
            value, node = self.value(item, depth)
            if event.flow_style and value.__class__ is str and not item.style and _is_cut(value):
                self.cut(item)
            values.append(value)
            nodes.append(node)
        return values, Node(event, nodes)

    def cut(self, event: Any) -> None:
        """Refuse a text that a comma ended too early."""
        message = f'a comma ends "{shown(event.value)}" here'
        self.note_eaten(event, message, "a , inside { } and [ ] ends a text: quote the selector")

    def mapping(self, event: Any, depth: int) -> tuple[dict[str, Any], Node]:
        """A mapping; of a key that stands twice, the first counts."""
        depth = self.down(event, depth)
        values: dict[str, Any] = {}
        nodes: dict[str, tuple[Any, Node]] = {}
        last: Any = None
        while type(key := self.next_event()).__name__ != "MappingEndEvent":
            name = self.key(key, depth)
            item = self.next_event()
            value, node = self.value(item, depth)
            if name is None:
                self.dropped.append((event, node))
                continue
            if value is None and event.flow_style:
                self.lone(event, last, key, item)
            last = item
            if name in nodes:
                first = nodes[name][0].start_mark.line + 1
                self.note(key, f'duplicate key "{shown(name)}" (first at line {first})')
                self.dropped.append((event, node))
                continue
            values[name] = value
            nodes[name] = (key, node)
        return values, Node(event, nodes)

    def lone(self, mapping: Any, last: Any, key: Any, value: Any) -> None:
        """Refuse a key without a colon: a template such as {page_url}, or the rest of a text with a comma."""
        if type(value).__name__ != "ScalarEvent" or ":" in self.text[key.end_mark.index : value.start_mark.index]:
            return
        name = key.value
        if last is not None and _is_cut(getattr(last, "value", "")):
            self.cut(last)
        elif last is None and name.isidentifier():
            template = "{" + name + "}"
            cure = f"quote the template: {quoted(template)}"
            if not _URL_WORD.search(self.text, 0, mapping.start_mark.index):
                cure += f"; where a selector may stand, it is {{text: {quoted(template)}}}"
            self.note_eaten(mapping, f"{template} is a YAML mapping here", cure)
        elif ":" in name:
            self.spoiled.append(mapping)
            self.note_eaten(key, f'"{shown(name)}" is a key without a value', "put a space behind the colon")
        else:
            self.spoiled.append(mapping)  # the text before it may have been cut
            cure = "a , inside { } ends a text: quote the text before it, or give the key a value"
            self.note_eaten(key, f'"{shown(name)}" is a key without a value', cure)

    def key(self, event: Any, depth: int) -> str | None:
        """A key's text; None if it is no key that is read."""
        if type(event).__name__ != "ScalarEvent":
            self.note_eaten(event, "a key is a text", "quote it")
            self.value(event, depth)
            return None
        if event.tag is not None:
            self.tagged(event)
        if event.anchor is not None:
            self.note(event, "a key has no anchor", f'remove "&{event.anchor}"')
        if event.value == "<<" and not event.style:
            self.note(event, "merge keys (<<) are not read", "write the keys out")
            return None
        return str(event.value)

    def alias(self, event: Any, depth: int) -> tuple[Any, Node]:
        """What stood at an anchor, in the alias's place."""
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            message = f'"*{event.anchor}" is a YAML alias of nothing before it'
            raise self.refuse(event, message, "a * at the start begins an alias: quote the text")
        self.unused.pop(id(anchored.node.event), None)
        self.nodes += anchored.size - 1
        if self.nodes > MAX_NODES:
            raise self.refuse(event, f"more than {MAX_NODES:,} values, aliases counted in full")
        if depth + anchored.height > MAX_DEPTH:
            raise self.refuse(event, f"nested more than {MAX_DEPTH} deep")
        self.deepest = max(self.deepest, depth + anchored.height)
        return anchored.data, Node(event, anchored.node.items)


def _is_cut(text: str) -> bool:
    """Whether a text has a parenthesis that nothing closes."""
    return text.count("(") > text.count(")")
