"""What a run counts and remembers, for itself and for the runs that it leads to."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qetch.errors import (
    Empty,
    Forbidden,
    GeoBlocked,
    Gone,
    LayoutChanged,
    LimitReached,
    NotFound,
    QetchError,
    SiteClosed,
    UnsupportedURL,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qetch.engine.watch import Watch

MAX_REQUESTS = 1_000
MAX_ROWS = 100_000
MAX_GOTO_DEPTH = 3
MAX_SKIPPED = 10_000

log = logging.getLogger("qetch")


class RowMissing(LayoutChanged):
    """Something that a row's follow-up needs is not in the row."""


ROW_ERRORS = (NotFound, Gone, Forbidden, GeoBlocked, Empty, SiteClosed, UnsupportedURL, RowMissing)
"""What ends a row and not the run: said, and the next row is taken."""


@dataclass(slots=True)
class State:
    """Shared by a run and the runs of its `goto`s.

    Attributes:
        note: Told about everything that is left out: place, reason, and the file of the spec.
        watch: Somebody who looks on.
        uids: Every uid given so far, with its site's name.
        visited: Every URL that was extracted, without its fragment.
        known: How many items were left out because they were given before.
    """

    note: Callable[[str, str, Path | None], None]
    watch: Watch | None = None
    requests: int = 0
    rows: int = 0
    known: int = 0
    skipped: int = 0
    uids: set[str] = field(default_factory=set)
    visited: set[str] = field(default_factory=set)

    def say(self, place: str, reason: str, path: Path | None = None) -> None:
        """Notes something left out; after `MAX_SKIPPED` of them no more are kept."""
        self.skipped += 1
        if self.watch:
            self.watch.left_out(place, reason, path)
        if self.skipped <= MAX_SKIPPED:
            self.note(place, reason, path)
            log.warning("%s: %s", place, reason, extra={"skip": True})  # who reads `skipped` need not read this too

    def count_request(self) -> None:
        """Counts one request.

        Raises:
            LimitReached: It is one too many.
        """
        self.requests += 1
        if self.requests > MAX_REQUESTS:
            raise LimitReached(f"stopped after {MAX_REQUESTS:,} requests: give URLs that lead to less")

    def count_row(self) -> None:
        """Counts one row.

        Raises:
            LimitReached: It is one too many.
        """
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise LimitReached(f"stopped after {MAX_ROWS:,} rows: give URLs that lead to less")

    def visit(self, url: str) -> bool:
        """Whether a URL is new in this run; from now on it is not."""
        key = url.partition("#")[0]
        if key in self.visited:
            self.known += 1
            return False
        self.visited.add(key)
        return True


@dataclass(slots=True)
class Tally:
    """What the rows under one answer, or under all pages of one call, came to.

    Attributes:
        rows: How many there were.
        first_error: The first that a row failed with.
        first_skip: Why the first row gave nothing, if no error says it.
    """

    rows: int = 0
    results: int = 0
    first_error: QetchError | None = None
    first_skip: str = ""
    page: int = 1

    def failed(self, error: QetchError) -> None:
        """A row ended in an error."""
        self.first_error = self.first_error or error

    def skipped(self, reason: str) -> None:
        """A row gave nothing."""
        self.first_skip = self.first_skip or reason
