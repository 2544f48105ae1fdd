"""Whether a download that failed is tried again, and when."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from qetch.client.request import shown
from qetch.errors import (
    AddressRefused,
    FileError,
    Gone,
    InvalidSetting,
    InvalidURL,
    NotFound,
    QetchError,
    ReplayMiss,
    SiteClosed,
    SpecError,
    UnsupportedURL,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.client.request import DownloadReport

    Strategy = Callable[[DownloadReport, QetchError], float | None]

log = logging.getLogger("qetch")

LONGEST = 86_400.0
"""Seconds between two attempts, at most."""

HOPELESS = (
    AddressRefused,
    FileError,
    Gone,
    InvalidSetting,
    InvalidURL,
    NotFound,
    ReplayMiss,
    SiteClosed,
    SpecError,
    UnsupportedURL,
)
"""Another attempt would not change these."""


class RequestStrategy:
    """How often a download is attempted, how long to wait in between, and after which errors.

    Override `retry` or `get_sleep_time`; or give a function in place of a strategy, which is called as an instance is.

    Args:
        max_attempts: The most attempts, the first one included.

    Raises:
        InvalidSetting: That is no whole number of 1 or more.
    """

    max_attempts = 1  # for subclasses that do not call this one's __init__
    longest_wait = 600.0
    """Seconds; what asks for more by `Retry-After` is not tried again."""

    def __init__(self, max_attempts: int = 1) -> None:
        if not isinstance(max_attempts, int) or isinstance(max_attempts, bool) or max_attempts < 1:
            raise InvalidSetting(f"max_attempts must be a whole number of 1 or more, not {max_attempts!r}")
        self.max_attempts = max_attempts

    def __repr__(self) -> str:
        return f"{type(self).__name__}(max_attempts={self.max_attempts})"

    def retry(self, error: QetchError) -> bool:
        """Whether another attempt may help: always, except after a 404, a 410, and what is this machine's fault."""
        return not isinstance(error, HOPELESS)

    def get_sleep_time(self, attempts: int) -> float:
        """Seconds to wait after a number of attempts, all of which failed."""
        del attempts
        return 0.0

    def __call__(self, report: DownloadReport, error: QetchError) -> float | None:
        """Seconds until the next attempt, at least as many as the host asks for; None for no further one.

        Args:
            report: Of the download; `report.attempts` says how many there were.
            error: Why the last one failed.
        """
        asked = getattr(error, "wait", None) or 0.0
        if report.attempts >= self.max_attempts or asked > self.longest_wait or not self.retry(error):
            return None
        return max(self.get_sleep_time(report.attempts), asked)


class Lenient(RequestStrategy):
    """For an average web server: up to five attempts, a minute apart."""

    def __init__(self, max_attempts: int = 5) -> None:
        super().__init__(max_attempts)

    def get_sleep_time(self, attempts: int) -> float:
        """A minute."""
        del attempts
        return 60.0


class BackOff(RequestStrategy):
    """For APIs and servers that bear more: up to ten attempts, first after a second, then after twice as long each.

    No wait is longer than a minute, unless the host asks for that.
    """

    def __init__(self, max_attempts: int = 10) -> None:
        super().__init__(max_attempts)

    def get_sleep_time(self, attempts: int) -> float:
        """1, 2, 4, … 60."""
        return min(2.0 ** min(attempts - 1, 6), 60.0)


def pause_of(strategy: Strategy, report: DownloadReport, error: QetchError) -> float | None:
    """What a strategy says, once it is found to make sense.

    Raises:
        InvalidSetting: It does not, or the strategy failed.
    """
    name = getattr(strategy, "__qualname__", type(strategy).__qualname__)
    try:
        pause = strategy(report, error)
    except BaseException as bug:  # SystemExit too would end a thread of ours alone
        log.exception("the strategy %s failed", name)
        raise InvalidSetting(f"{error} - not tried again: the strategy {name} raised {type(bug).__name__}") from error
    if pause is None:
        return None
    if not isinstance(pause, (int, float)) or isinstance(pause, bool) or not 0 <= pause <= LONGEST:
        said = f"the strategy {name} gave {shown(pause)}, where seconds from 0 to {LONGEST:.0f}, or None, are wanted"
        raise InvalidSetting(f"{error} - not tried again: {said}") from error
    return float(pause)
