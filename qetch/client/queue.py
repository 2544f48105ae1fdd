"""What is to be done next: jobs wait in a line for each host, and no host's line holds up another's."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Job = TypeVar("Job")


class FairQueue(Generic[Job]):
    """A queue that is fair over hosts.

    Who takes a job gets one of the host that has the fewest running; among equals, of the one that waited longest.

    Args:
        per_host: The most jobs of one host that run at a time.

    Attributes:
        on_change: Called, from any thread, when there may be a job for who uses `poll`, or the end; it must not block.
    """

    def __init__(self, per_host: int) -> None:
        self.on_change: Callable[[], object] = bool
        self._per_host = per_host
        self._change = threading.Condition()
        self._lines: dict[str, deque[Job]] = {}
        self._running: Counter[str] = Counter()
        self._later: list[tuple[float, int, str, Job]] = []
        self._number = itertools.count()
        self._closed = False
        self._takers = 0  # who wait; mostly nobody, and then a notification would cost for nothing

    def put(self, host: str, job: Job, pause: float = 0.0) -> None:
        """Adds a job, which may be taken after a pause in seconds."""
        with self._change:
            if pause > 0:
                heapq.heappush(self._later, (time.monotonic() + pause, next(self._number), host, job))
            else:
                self._line_up(host, job)
            if self._takers:
                self._change.notify()
        self.on_change()

    def take(self) -> Job | None:
        """The next job, as soon as there is one that may run; None if there will be none any more."""
        with self._change:
            while True:
                self._wake()
                host = self._next_host()
                if host is not None:
                    return self._begin(host)
                if self._is_over():
                    self._change.notify_all()
                    return None
                self._takers += 1
                self._change.wait(self._later[0][0] - time.monotonic() if self._later else None)
                self._takers -= 1

    def poll(self) -> Job | None:
        """The next job, if there is one now that may run."""
        with self._change:
            if self._later:
                self._wake()
            host = self._next_host()
            return None if host is None else self._begin(host)

    @property
    def pause(self) -> float | None:
        """Seconds until a job comes by itself; None if there is none that will."""
        with self._change:
            return max(self._later[0][0] - time.monotonic(), 0) if self._later else None

    @property
    def is_over(self) -> bool:
        """Whether no jobs come any more, and all have ended."""
        with self._change:
            return self._is_over()

    def done(self, host: str) -> None:
        """Says that a job that was taken has ended."""
        with self._change:
            self._running[host] -= 1
            if not self._running[host]:
                del self._running[host]
            if self._takers and (self._closed or host in self._lines):
                self._change.notify()
        self.on_change()

    @property
    def paused(self) -> int:
        """How many wait for the end of their pause."""
        return len(self._later)

    def close(self) -> None:
        """Says that no more jobs come, except those that a running one puts back."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self.on_change()

    def clear(self) -> list[Job]:
        """Takes out all that wait."""
        with self._change:
            left = [job for line in self._lines.values() for job in line]
            left += [job for *_, job in sorted(self._later)]
            self._lines.clear()
            self._later.clear()
            self._change.notify_all()
        self.on_change()
        return left

    def _line_up(self, host: str, job: Job) -> None:
        self._lines.setdefault(host, deque()).append(job)

    def _wake(self) -> None:
        """Lines up those whose pause is over."""
        while self._later and self._later[0][0] <= time.monotonic():
            *_, host, job = heapq.heappop(self._later)
            self._line_up(host, job)

    def _next_host(self) -> str | None:
        best, fewest = None, self._per_host
        for host in self._lines:
            running = self._running[host]
            if running < fewest:
                best, fewest = host, running
            if not running:
                break
        return best

    def _begin(self, host: str) -> Job:
        line = self._lines.pop(host)
        job = line.popleft()
        if line:
            self._lines[host] = line  # now the last one
        self._running[host] += 1
        if self._takers and (self._lines or self._later):  # whoever waits may not know of them
            self._change.notify()
        return job

    def _is_over(self) -> bool:
        return self._closed and not (self._lines or self._later or self._running)
