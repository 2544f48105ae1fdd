"""What a YAML scalar means, and where each character of it stood in the file."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DIGITS = 300

_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?")
_FOLD = re.compile(r"(?<![ \t])[ \t]*(?:\r\n|\r|\n)[ \t\r\n]*")
_BREAK = re.compile(r"\r\n|\r|\n")
_ESCAPE = re.compile(r"\\(?:x.{2}|u.{4}|U.{8}|(?:\r\n|\r|\n)[ \t]*|.)", re.DOTALL)
_BLOCK = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)((?:[ \t]*(?:\r\n|\r|\n))*)( *)")


class Place(NamedTuple):
    """A line and a column of a text, both from 1."""

    line: int
    column: int


def plain(text: str) -> tuple[Any, str]:
    """The value of a plain scalar, and what is wrong with it, if anything.

    Null, booleans and decimal numbers are those of YAML's core schema; everything else is text.

    >>> [plain(text)[0] for text in ("~", "true", "12", "1.50", "07", "1e5", "No", "2006-01-02")]
    [None, True, 12, 1.5, '07', '1e5', 'No', '2006-01-02']
    """
    if text in _WORDS:
        return _WORDS[text], ""
    if text[0] in "-0123456789" and (number := _NUMBER.fullmatch(text)):
        if len(text) > MAX_DIGITS:
            return text, f"a number of {len(text)} digits"
        return (float(text) if number[1] else int(text)), ""
    return text, ""


def source_index(text: str, event: Any, offset: int) -> int:
    """The index in the file's text of a scalar's character number `offset`."""
    start: int = event.start_mark.index
    end: int = event.end_mark.index
    spans = {"'": _single, '"': _double, "|": _block, ">": _block}.get(getattr(event, "style", None) or "", _plain)
    indexes = [start, *islice(spans(text, start, end), offset + 1)]
    return indexes[min(offset + 1, len(indexes) - 1)]


def _flow(text: str, index: int, end: int, quote: re.Pattern[str] | None) -> Iterator[int]:
    """The index of each character of a scalar that is not a block; folded line ends are a blank, or what is left."""
    while index < end:
        if fold := _FOLD.match(text, index, end):
            for _ in range(max(1, len(_BREAK.findall(fold[0])) - 1)):
                yield fold.end()
            index = fold.end()
        elif quote and (escape := quote.match(text, index, end)):
            if escape[0][1:2] not in {"\r", "\n"}:
                yield index
            index = escape.end()
        else:
            yield index
            index += 1
    yield end


def _plain(text: str, start: int, end: int) -> Iterator[int]:
    return _flow(text, start, end, None)


def _single(text: str, start: int, end: int) -> Iterator[int]:
    return _flow(text, start + 1, end - 1, re.compile("''"))


def _double(text: str, start: int, end: int) -> Iterator[int]:
    return _flow(text, start + 1, end - 1, _ESCAPE)


def _block(text: str, start: int, end: int) -> Iterator[int]:
    """The index of each character below `|` or `>`; near enough where `>` folds."""
    header = _BLOCK.match(text, start, end)
    if header is None:
        return
    indent = len(header[2])
    index = header.start(1)
    while index < end:
        line_end = _BREAK.search(text, index, end)
        stop = line_end.end() if line_end else end
        yield from range(min(index + indent, stop - 1), stop)
        index = stop


def place_of_index(text: str, index: int) -> Place:
    """The line and the column of an index."""
    line, begin = 1, 0
    for end in _BREAK.finditer(text, 0, index):
        line, begin = line + 1, end.end()
    return Place(line, index - begin + 1)
