"""What keeps downloads within bounds: how fast the bytes come, and how many connections a host sees."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from qetch.downloaders._body import PIECE
from qetch.network import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

READS_PER_SECOND = 100
"""A limited speed is made of so many reads, together; the more, the smoother, and the shorter each wait."""
MIN_PIECE = 64
BURST = 0.1
"""Seconds of waiting for the host that may be made up for."""
SPEED_OF_ONE = 4096
"""Bytes a second that are worth a connection of their own."""
MOST_PACES = 4096
"""Hosts of which is remembered when they were asked."""
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

    def slow_down(self, pause: Callable[[float], object], count: int) -> None:
        """Counts bytes that were read, and waits by `pause`."""
        wait = self.reserve(count, time.monotonic())
        if wait > 0:
            pause(wait)

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
        self.forget()

    def forget(self) -> None:
        """Begins anew in another process, where the connections are the parent's, and a thread of it had the lock."""
        self._lock = threading.Lock()
        self._change = threading.Condition(self._lock)
        self._taken: dict[str, int] = {}
        self._waiting: defaultdict[str, deque[object]] = defaultdict(deque)

    def take(self, host: str, most: int, unwanted: Callable[[], bool]) -> bool:
        """Waits for one of a host's connections; False if it gave up.

        Args:
            host: By its name.
            most: How many there are, as far as this one is concerned.
            unwanted: Whether to give up waiting.
        """
        with self._lock:
            free = host not in self._waiting and self._taken.get(host, 0) < most
            if free or self._wait(host, most, unwanted):
                self._taken[host] = self._taken.get(host, 0) + 1
                return True
        return False

    def give_back(self, host: str) -> None:
        """Gives back what `take` gave."""
        with self._lock:
            self._taken[host] -= 1
            if not self._taken[host]:
                del self._taken[host]
            if self._waiting:
                self._change.notify_all()

    def _wait(self, host: str, most: int, unwanted: Callable[[], bool]) -> bool:
        me, line = object(), self._waiting[host]
        line.append(me)
        try:
            while line[0] is not me or self._taken.get(host, 0) >= most:
                if unwanted():
                    return False
                self._change.wait(LOOK)
            return True
        finally:
            line.remove(me)
            if not line:
                del self._waiting[host]
            self._change.notify_all()


turns = Turns()
"""Those of this process."""


class Rates:
    """At most so many requests in so many seconds to a host, over all downloads."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begins anew in another process."""
        self._lock = threading.Lock()
        self._paces: dict[tuple[str, int, float], Pace] = {}

    def wait(self, host: str, rate: tuple[int, float], unwanted: Callable[[], bool]) -> bool:
        """Waits until one more request may be sent; False if it gave up.

        Args:
            host: By its name.
            rate: How many requests in how many seconds.
            unwanted: Whether to give up waiting.
        """
        with self._lock:
            pace = self._paces.pop((host, *rate), None) or Pace(*rate)
            self._paces[host, *rate] = pace  # as the last one: the first is that of the host asked longest ago
            while len(self._paces) > MOST_PACES:
                del self._paces[next(iter(self._paces))]
        nap = threading.Event()
        while wait := pace.take(time.monotonic()):
            if unwanted():
                return False
            nap.wait(min(wait, LOOK))
        return True


rates = Rates()
"""Those of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=turns.forget)
    os.register_at_fork(after_in_child=rates.forget)
