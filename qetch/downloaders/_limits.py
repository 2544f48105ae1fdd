"""What keeps downloads within bounds: how fast the bytes come, and how many connections a host sees."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qetch.downloaders._body import PIECE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READS_PER_SECOND = 100
"""A limited speed is made of so many reads, together; the more, the smoother, and the shorter each wait."""
MIN_PIECE = 64
BURST = 0.1
"""Seconds of waiting for the host that may be made up for."""
SPEED_OF_ONE = 4096
"""Bytes a second that are worth a connection of their own."""
LOOK = 0.1
"""Seconds between two looks whether a turn is still wanted."""


class Throttle:
    """Shares a speed among the threads of a downloader: each waits after a read until its bytes were due.

    Args:
        speed: Bytes a second; None for no limit.

    Attributes:
        piece: How many bytes to read at most at once.
        connections: How many connections are worth while.
    """

    def __init__(self, speed: int | None) -> None:
        self.speed = speed
        self.piece = PIECE if speed is None else min(max(speed // READS_PER_SECOND, MIN_PIECE), PIECE)
        self.connections = 1 << 30 if speed is None else max(speed // SPEED_OF_ONE, 1)
        self._lock = threading.Lock()
        self._due = 0.0

    def __call__(self, count: int) -> None:
        """Counts bytes that were read, and waits."""
        if self.speed is not None:
            wait = self.reserve(count, time.monotonic())
            if wait > 0:
                time.sleep(wait)

    def reserve(self, count: int, now: float) -> float:
        """How many seconds after `now` bytes are due that were just read; those of the other threads come first."""
        if self.speed is None:
            return 0.0
        with self._lock:
            self._due = max(self._due, now - BURST) + count / self.speed
            return self._due - now


class Turns:
    """Connections to hosts, shared by all downloads: who asked first gets the next free one."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, deque[object]] = {}

    @contextmanager
    def turn(self, host: str, most: int, unwanted: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Holds one of a host's connections; waits until there is one.

        Args:
            host: By its name.
            most: How many there are, as far as this one is concerned.
            unwanted: Whether to give up waiting.

        Returns:
            False if it gave up.
        """
        if not self._take(host, most, unwanted):
            yield False
            return
        try:
            yield True
        finally:
            with self._change:
                self._taken[host] -= 1
                self._change.notify_all()

    def _take(self, host: str, most: int, unwanted: Callable[[], bool]) -> bool:
        me = object()
        with self._change:
            line = self._waiting.setdefault(host, deque())
            line.append(me)
            try:
                while line[0] is not me or self._taken[host] >= most:
                    if unwanted():
                        return False
                    self._change.wait(LOOK)
                self._taken[host] += 1
            finally:
                line.remove(me)
                self._change.notify_all()
        return True


turns = Turns()
"""Those of this process."""
