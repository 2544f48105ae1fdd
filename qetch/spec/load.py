"""Read one site file into plain data, and remember where everything stood."""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from qetch.errors import SpecError
from qetch.spec.problems import Problem
from qetch.spec.scalars import Place, place_of_index, source_index
from qetch.spec.walk import Walk

if TYPE_CHECKING:
    from qetch.spec.walk import Node

Path = tuple[str | int, ...]
"""Where something is in the data: ("handles", "thread", "each", 0, "in"); an index of a list is an int."""

MAX_BYTES = 256 * 1024
MAX_MESSAGE = 800
_BOM = b"\xef\xbb\xbf"
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


class Document:
    """A site file that is good YAML: its data, and the place of each part of it.

    Attributes:
        file: Its name in messages.
        text: What it holds.
        data: The same as plain data.
        root: The events that the data was made of.
        problems: Those that did not keep it from being read: duplicate keys, tags and the like. `check` reports them.
        eaten: The lines, from 1, on which YAML took something for what it was not meant to be.
        spoiled: The events of the values, or of their keys, that are not what was meant.
        dropped: The events of the mappings that have lost a key, each with what stood behind it.
        unused_anchors: Their events: what they name is repeated nowhere.
    """

    def __init__(self, file: str, text: str, data: dict[str, Any], root: Node, walk: Walk) -> None:
        self.file = file
        self.text = text
        self.data = data
        self.root = root
        self.problems = tuple(walk.problems)
        self.eaten = frozenset(walk.eaten)
        self.spoiled = tuple(walk.spoiled)
        self.dropped = tuple(walk.dropped)
        self.unused_anchors = tuple(walk.unused.values())

    def node(self, path: Path) -> tuple[Node, Any]:
        """The node at a path and the event of its key (else None); if there is none, of its nearest ancestor."""
        node, key = self.root, None
        for part in path:
            items = node.items
            if isinstance(items, dict) and isinstance(part, str) and part in items:
                key, node = items[part]
            elif isinstance(items, list) and isinstance(part, int) and -1 < part < len(items):
                key, node = None, items[part]
            else:
                break
        return node, key

    def place(self, path: Path, *, key: bool = False, offset: int = 0) -> Place:
        """The place of the value at a path, or of its key; `offset` counts characters of a text's value."""
        node, key_event = self.node(path)
        event = key_event if key and key_event is not None else node.event
        start = event.start_mark
        if offset:
            return place_of_index(self.text, source_index(self.text, event, offset))
        return Place(start.line + 1, start.column + 1)

    def problem(self, path: Path, message: str, cure: str = "", *, key: bool = False, offset: int = 0) -> Problem:
        """A problem at the place of the value at a path, or of its key."""
        line, column = self.place(path, key=key, offset=offset)
        return Problem(self.file, line, column, _cut(message), _cut(cure))


def _cut(text: str) -> str:
    """A text that a terminal can show, whatever long word of the file it quotes in the middle."""
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE // 2]} … {text[-MAX_MESSAGE // 4 :]}"


def load(file: FilePath | str, raw: bytes | None = None, shown: str | None = None) -> Document:
    """Read a site file, or its bytes if they are given.

    Args:
        file: Where it is.
        raw: What it holds, if somebody read it already.
        shown: Its name in messages, if another than `file`.

    Raises:
        SpecError: It cannot be read, or is no YAML mapping within the bounds.
    """
    import yaml

    shown = str(file) if shown is None else shown
    text = _decode(_read(FilePath(file), shown) if raw is None else raw, shown)
    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    walk = Walk(shown, text, _nothing)
    stream = None
    try:
        stream = parser(text)
        walk.next_event = stream.get_event
        data, root = walk.document()
    except yaml.YAMLError as error:
        raise SpecError(problems=_with_syntax(walk, error)) from error
    finally:
        if stream is not None:
            stream.dispose()
    return Document(shown, text, data, root, walk)


def _nothing() -> None:
    """No event: there is no stream yet."""


def _with_syntax(walk: Walk, error: Exception) -> list[Problem]:
    """What is wrong with a text that is no YAML.

    A bracket that stays open because its end became a comment is said by the comment alone; what was a mapping until
    the error came, by the error alone.
    """
    from qetch.spec.eaten import opened, translate

    since = opened(walk.text, error)
    if since is not None and "flow" in (getattr(error, "context", "") or ""):
        first = place_of_index(walk.text, since).line
        comments = [problem for problem in walk.problems if "comment" in problem.message and problem.line >= first]
        if comments:
            return walk.problems
    syntax = translate(walk.file, walk.text, error)
    others = [problem for problem in walk.problems if problem.line != syntax.line or syntax.line not in walk.eaten]
    return [*others, syntax]


def _read(file: FilePath, shown: str) -> bytes:
    """At most one byte more than is allowed."""
    try:
        if not file.is_file():
            what = "is not a file" if file.exists() else "there is no such file"
            raise SpecError(problems=[Problem(shown, 1, 1, what)])
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(problems=[Problem(shown, 1, 1, f"cannot be read: {reason}")]) from error


def _decode(raw: bytes, shown: str) -> str:
    if len(raw) > MAX_BYTES:
        raise SpecError(problems=[Problem(shown, 1, 1, f"larger than {MAX_BYTES // 1024} kB", "one file is one site")])
    raw = raw.removeprefix(_BOM)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line, column = place_of_index(before := raw[: error.start].decode(), len(before))
        wrong = f"the byte 0x{raw[error.start]:02x} is not UTF-8"
        raise SpecError(problems=[Problem(shown, line, column, wrong, "save the file as UTF-8")]) from error
    strange = None if text.isascii() else _LINE_ENDS.search(text)
    if strange:
        line, column = place_of_index(text, strange.start())
        wrong = f"the line end U+{ord(strange[0]):04X}, which editors do not count"
        raise SpecError(problems=[Problem(shown, line, column, wrong, "remove it")])
    return text
