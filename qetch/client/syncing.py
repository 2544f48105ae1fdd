"""Threads that wait until the disk has files, so that the one that saves them need not."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qetch.downloaders import _aside

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.client.job import Job
    from qetch.downloaders._steps import Steps

OFTEN = 3
"""So many times in a row something must take long,"""
RETRY = 0.05
"""and then it does for so many seconds,"""
SHARE = 50
"""or for so many times as long as it took: to look again shall cost no more than that part of the time."""
SHORT = 0.0005
"""Seconds; for shorter waits one thread is enough, for more of them would get in each other's way."""


class Slowness:
    """Whether something takes so long that it is done in other threads.

    Args:
        most: The seconds that it may take in this one.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._row = 0
        self._until = 0.0

    def note(self, seconds: float) -> None:
        """Notes how long it took in this thread."""
        self._row = self._row + 1 if seconds > self._most else 0
        if self._row == OFTEN:
            # One more look is enough then.
            self._row, self._until = OFTEN - 1, time.monotonic() + max(RETRY, SHARE * seconds)

    def is_there(self, now: float) -> bool:
        """Whether it would take long at this moment."""
        return now < self._until


@dataclass(slots=True, eq=False)
class Saving:
    """A file that is being saved.

    Attributes:
        job: Whose.
        steps: Of its download.
        seconds: How long it has taken, but for the waits.
    """

    job: Job
    steps: Steps
    seconds: float = 0.0


class Syncers:
    """Threads that wait for the disk.

    Args:
        done: Called by them with each file for which they have waited.
    """

    def __init__(self, done: Callable[[Saving], object]) -> None:
        self._done = done
        self._lock = threading.Lock()
        self._left: deque[Saving] = deque()
        self._threads = 0
        self._last = 0.0
        self._taken = 0.0

    def put(self, saving: Saving) -> None:
        """Lets one of them wait for a file."""
        with self._lock:
            self._left.append(saving)
            enough = self._threads and self._last < SHORT and not self._is_late()
        if not enough:
            self._begin_thread()

    def patience(self) -> float | None:
        """Seconds after which to look whether `help` is needed; None if nobody waits for a thread."""
        return SHORT if self._left else None

    def help(self) -> None:
        """Begins another thread if a file waits for one, and the others take too long."""
        if self._left and self._is_late():
            self._begin_thread()

    def _is_late(self) -> bool:
        return time.monotonic() - self._taken > SHORT

    def _begin_thread(self) -> None:
        with self._lock:
            self._threads += 1
            self._taken = time.monotonic()  # it will take one at once
        try:
            _aside.begin(self._work)
        except RuntimeError:  # the machine has no more threads
            self._work()

    def _work(self) -> None:
        while (saving := self._next()) is not None:
            begun = time.monotonic()
            saving.steps.wait()
            self._last = time.monotonic() - begun
            self._done(saving)

    def _next(self) -> Saving | None:
        with self._lock:
            if self._left:
                self._taken = time.monotonic()
                return self._left.popleft()
            self._threads -= 1
            return None
