"""What is asked for, and what became of it."""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import IO, TYPE_CHECKING, Any

from qetch.errors import InvalidSetting

if TYPE_CHECKING:
    from datetime import datetime

    from qetch.content import Content

    Destination = str | os.PathLike[str] | IO[bytes]


@dataclass(frozen=True)
class DownloadRequest:
    """A file that is wanted.

    Args:
        url: Its http or https URL.
        destination: The path of the file to write, whose folder must exist; or a file object that is open for writing
            bytes, which is never closed; or None for a path made of the URL.
        data: Passed back in the report as it is.
        headers: Sent with the requests for it, to the host of `url` alone.

    Raises:
        InvalidSetting: One of them is nothing of the kind.
    """

    url: str
    destination: Destination | None = None
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        given = self.destination
        if not isinstance(self.url, str):
            raise InvalidSetting(f"{shown(self.url)} is no URL - give texts, or requests")
        if given is not None and not isinstance(given, (str, os.PathLike)) and not hasattr(given, "write"):
            raise InvalidSetting(f"{shown(given)} is no destination - give a path, or a file that is open for writing")
        if self.headers is None:  # as some write it
            object.__setattr__(self, "headers", {})
        elif not isinstance(self.headers, Mapping):
            raise InvalidSetting("headers must be names with values, as in a dictionary")


def shown(thing: object) -> str:
    """Somebody's object as messages show it."""
    try:
        return f"{thing!r:.80}"
    except Exception:  # noqa: BLE001 - it is not ours; a number may be too long as well
        return f"<{type(thing).__name__}>"


class ReportState(enum.StrEnum):
    """Where a download is; each is equal to its name as a text."""

    WAITING = "waiting"
    """It has not begun."""
    DOWNLOADING = "downloading"
    """It has begun."""
    SUCCEEDED = "succeeded"
    """The file is there, whole."""
    FAILED = "failed"
    """It ended by an error; the destination is as it was, unless the error is that the history cannot be written."""
    CANCELED = "canceled"
    """It was ended; the destination is as it was."""


@dataclass(slots=True, eq=False)
class DownloadReport:
    """What became of one download, or is becoming of it.

    Attributes:
        url: The URL that was asked for: the file's own, or that of the page on which it was found.
        destination: The path of the file, or the file object; None if there is none, because nothing was found.
        data: What the request gave.
        content: What was found at the URL; None if that failed, or if the file itself was asked for.
        state: Where it is.
        total_bytes: The length of the file; None while nobody knows.
        bytes_downloaded: How many bytes came so far.
        parts: How many of the content's fragments are complete, and how many there are.
        start_time: When it began, in UTC; None if it did not.
        finish_time: When it ended, in UTC; None if it has not.
        headers: Of the answer that began the download, once it came; their names in whatever case.
        skipped: Why nothing was fetched though it succeeded: `"known"` to the history, or `"cached"`: the file was
            there; else "".
        error: Why it failed; else None.
        attempts: How often it was begun.
    """

    url: str
    destination: Destination | None = None
    data: Any = None
    content: Content | None = None
    state: ReportState = ReportState.WAITING
    total_bytes: int | None = None
    bytes_downloaded: int = 0
    parts: tuple[int, int] = (0, 1)
    start_time: datetime | None = None
    finish_time: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    skipped: str = ""
    error: BaseException | None = None
    attempts: int = 0

    @property
    def path(self) -> str | None:
        """The path of the file; None if the destination is a file object, or there is none."""
        given = self.destination
        return os.fsdecode(given) if isinstance(given, (str, os.PathLike)) else None

    @property
    def error_report(self) -> dict[str, Any]:
        """What went wrong: `type`, `message`, `status` (of HTTP, or None) and `attempts`; empty unless it failed."""
        if self.state is not ReportState.FAILED:
            return {}
        kind, status = type(self.error).__name__, getattr(self.error, "status", None)
        return {"type": kind, "message": str(self.error), "status": status, "attempts": self.attempts}

    def snapshot(self) -> DownloadReport:
        """A copy as of now."""
        return DownloadReport(*_values(self))


_values = attrgetter(*DownloadReport.__slots__)
