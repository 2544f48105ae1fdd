"""Shows problems to people: one line each and, on a terminal, the line of the file with a caret below the place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from qetch.tools.report import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.spec.problems import Problem

BOLD, RED, YELLOW, BLUE, PLAIN = "\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[34m", "\x1b[0m"
BEFORE = 2 / 3
"""Of a line that is too long for the terminal, the place is shown this far from the left."""


def line_of(problem: Problem) -> str:
    """`file:line:column: message - cure`, with `warning:` before the message of a warning."""
    severity = "" if problem.severity == "error" else f"{problem.severity}: "
    return f"{problem.file}:{problem.line}:{problem.column}: {severity}{sentence(problem)}"


class Excerpts:
    """Shows problems with excerpts of their files, each of which is read once.

    Attributes:
        width: Of the terminal, in columns.
        colour: Whether it shows colours.
    """

    def __init__(self, width: int, *, colour: bool) -> None:
        self.width = width
        self.colour = colour
        self._lines: dict[str, list[str]] = {}

    def shown(self, problem: Problem) -> Iterator[str]:
        """The lines that show a problem; without an excerpt if the file has no such line any more."""
        colour = RED if problem.severity == "error" else YELLOW
        place = f"{problem.file}:{problem.line}:{problem.column}:"
        says = f"{problem.severity}:"
        yield f"{self._in(BOLD, _visible(place))} {self._in(colour, says)} {_visible(sentence(problem))}"
        line = self._line(problem)
        if line is None:
            return
        number, gutter = str(problem.line), self._in(BLUE, "|")
        excerpt, column = cut(line, problem.column - 1, max(self.width - len(number) - 4, 20))
        yield f" {self._in(BLUE, number)} {gutter} {excerpt}"
        yield f" {' ' * len(number)} {gutter} {' ' * column}{self._in(colour, '^')}"

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self.colour else text

    def _line(self, problem: Problem) -> str | None:
        if problem.file not in self._lines:
            try:
                text = Path(problem.file).read_bytes().removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
            except OSError:
                text = ""
            self._lines[problem.file] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = self._lines[problem.file]
        inside = 0 < problem.line <= len(lines) and 0 < problem.column <= len(lines[problem.line - 1]) + 1
        return lines[problem.line - 1] if inside else None


def cut(line: str, at: int, width: int) -> tuple[str, int]:
    r"""A line as a terminal of a width can show it, and the column from 0 at which the character `at` is seen.

    >>> cut("  in: posts", 6, 40)
    ('  in: posts', 6)
    >>> cut("a" * 50 + "here" + "b" * 50, 50, 20)
    ('…aaaaaaaaaaaaherebb…', 13)
    """
    pieces = [_visible(letter) for letter in line]
    widths = [_width(piece) for piece in pieces]
    if sum(widths) <= width:
        return "".join(pieces), sum(widths[:at])
    first, room = at, int(width * BEFORE) - 1
    while first > 0 and widths[first - 1] <= room:
        first -= 1
        room -= widths[first]
    before = "…" if first else ""
    last, room = first, width - 1 - len(before)
    while last < len(pieces) and widths[last] <= room:
        room -= widths[last]
        last += 1
    after = "…" if last < len(pieces) else ""
    return before + "".join(pieces[first:last]) + after, len(before) + sum(widths[first:at])


def _visible(text: str) -> str:
    """A text without anything that a terminal could obey; a tab is a blank."""
    return "".join(
        letter if letter.isprintable() or combining(letter) else letter.encode("unicode_escape").decode()
        for letter in text.replace("\t", " ")
    )


def _width(text: str) -> int:
    return sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text)
