"""Files that one thread saves, while others wait for the disk."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from qetch.downloaders import _aside

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.client.job import Job
    from qetch.downloaders._run import Steps

OFTEN = 3
"""So many times in a row it must take long,"""
RETRY = 0.05
"""and then it does for so many seconds."""

SHORT = 0.0005
"""Seconds; for shorter waits one thread is enough, for more of them would get in each other's way."""


class Slowness:
    """Whether something takes so long that it is done elsewhere.

    Args:
        most: The seconds that it may take here.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._row = 0
        self._until = 0.0

    def note(self, begun: float) -> None:
        """Notes that it was done here, from that moment until now."""
        now = time.monotonic()
        self._row = self._row + 1 if now - begun > self._most else 0
        if self._row == OFTEN:
            self._row, self._until = OFTEN - 1, now + RETRY  # one more look is enough then

    def lasts(self, now: float) -> bool:
        """Whether it would take long at that moment."""
        return now < self._until


class Saving:
    """A file on its way to the disk.

    Args:
        job: Whose.
        steps: See `BaseDownloader.steps`.

    Attributes:
        job: That.
    """

    __slots__ = ("_error", "_steps", "_wait", "job")

    def __init__(self, job: Job, steps: Steps) -> None:
        self.job = job
        self._steps = steps
        self._wait: Callable[[], object] | None = None
        self._error: BaseException | None = None

    def go_on(self) -> bool:
        """Does all until it must wait; False if the file is saved.

        Raises:
            BaseException: What is wrong with the file, or with what was waited for.
        """
        error, self._error = self._error, None
        self._wait = next(self._steps, None) if error is None else self._steps.throw(error)
        return self._wait is not None

    def wait(self) -> None:
        """Waits; what is wrong is raised by `go_on`."""
        try:
            if self._wait is not None:
                self._wait()
        except BaseException as error:  # noqa: BLE001 - see there
            self._error = error


class Waiting:
    """Threads that wait for the disk, as many as it takes.

    Args:
        done: Called by them with each that has waited.
    """

    def __init__(self, done: Callable[[Saving], object]) -> None:
        self._done = done
        self._lock = threading.Lock()
        self._left: deque[Saving] = deque()
        self._threads = 0
        self._last = 0.0

    def put(self, saving: Saving) -> None:
        """Lets one of them wait."""
        with self._lock:
            self._left.append(saving)
            if self._threads and self._last < SHORT:
                return
            self._threads += 1
        try:
            _aside.begin(self._work)
        except RuntimeError:  # the machine has no more threads
            self._work()

    def _work(self) -> None:
        while (saving := self._next()) is not None:
            begun = time.monotonic()
            saving.wait()
            self._last = time.monotonic() - begun
            self._done(saving)

    def _next(self) -> Saving | None:
        with self._lock:
            if self._left:
                return self._left.popleft()
            self._threads -= 1
            return None
