"""What the command line says on stderr, one line each."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qetch.errors import QetchError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qetch.extractors._common import Skip


_latest = 0.0


def say(text: str) -> None:
    """One line for the user, on stderr."""
    global _latest  # of the process, as stderr is
    print(f"qetch: {one_line(text)}", file=sys.stderr, flush=True)
    _latest = time.monotonic()


def say_skipped(skip: Skip, error: BaseException | None = None) -> None:
    """Says what a run left out, unless an error says it too."""
    if error is None or skip.reason not in str(error):
        say(f"skipped: {skip.located}")


def silence() -> float:
    """How many seconds ago something was said."""
    return time.monotonic() - _latest


def complain(error: QetchError, where: str = "", uid: str = "") -> None:
    """Say what went wrong: a line for an error, or for each problem of a spec.

    Args:
        error: What was raised.
        where: The URL, or the title of the content in quotes, for an error that does not name it itself.
        uid: What an error may call the content, though it says nothing to the user.
    """
    from qetch.extractors.hosts import shown

    if isinstance(error, SpecError) and error.problems:
        for problem in error.problems:
            say(f"error: {problem}")
        return
    text = str(error) or type(error).__name__
    place = where if where[:1] == '"' else shown(where) if where else ""
    if uid and text.startswith(uid):
        text = f"{place}{text[len(uid) :]}"
    say(f"error: {text}" if place in text else f"error: {place}: {text}")


def one_line(text: str) -> str:
    r"""A text without line breaks, and without anything that a terminal could obey.

    >>> print(one_line("title\n\x1b[2J"))
    title \x1b[2J
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in " ".join(text.split())
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`" - did you mean x?"` with the nearest known word, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), 1)
    return f" - did you mean {near[0]}?" if near else ""


class Warnings(logging.Handler):
    """Prints what the rooms of qetch tell: warnings, and what a run waits for."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record, unless it is of a skip: those stand in `skipped`, and are said from there."""
        if not getattr(record, "skip", False):
            say(f"{'warning: ' if record.levelno >= logging.WARNING else ''}{record.getMessage()}")


class Failures:
    """The failures of a run that goes on; `exit_code` is that of the first, or 0."""

    def __init__(self) -> None:
        self.exit_code = 0

    @contextmanager
    def reported(self, where: str, uid: str = "") -> Iterator[None]:
        """Say an error of qetch that is raised inside, and go on after it."""
        try:
            yield
        except QetchError as error:
            self.report(error, where, uid)

    def report(self, error: QetchError, where: str, uid: str = "") -> None:
        """Say an error, see `complain`."""
        complain(error, where, uid)
        self.exit_code = self.exit_code or error.exit_code
