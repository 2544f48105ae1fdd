"""Fetches the missing bytes of one file of known size over several connections.

The threads share a `Plan`; each takes a segment, asks for it by `Range`, and writes what comes straight to its place.
The thread that called decides how many there are: it starts with a few, adds some while that brings more bytes a
second, and steps back where a host refuses.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from qetch.errors import NetworkError, RateLimited, RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from qetch.downloaders._plan import Plan, Segment

    Fetch = Callable[[Segment, Callable[[requests.Response], None], Callable[[int], None]], None]

START = 4
"""Connections that are opened as soon as the host has shown that it serves ranges."""
TICK = 0.05
"""Seconds between two looks at the throughput."""
GROWTH = 1.05
"""By so much the throughput must have grown for more connections to be worth it."""
PATIENCE = 1.0
"""Seconds after which a number of connections that brought nothing is tried again."""
MAX_FAILURES = 6
"""So many failures in a row, without `PROGRESS` bytes in between, end the download."""
PROGRESS = 64 << 10
LONGEST_PAUSE = 60.0

_limits: dict[str, tuple[int, float]] = {}
"""How many connections a host took, by its name, and until when that is believed."""
BELIEF = 600.0


class Changed(Exception):
    """The host serves another object than before under the same URL."""


class Transfer:
    """One file on its way.

    Args:
        plan: What is missing.
        host: Whose; for what is remembered of it.
        max_connections: The most connections at a time.
        fetch: Fetches a segment: it tells its response to the second argument, so that this can be ended from another
            thread, and each count of bytes that are in the file to the third.
    """

    def __init__(self, plan: Plan, host: str, max_connections: int, fetch: Fetch) -> None:
        self.plan = plan
        self.host = host
        self.fetch = fetch
        self.limit = min(max_connections, _believed(host))
        self.target = 1
        self.error: BaseException | None = None
        self._change = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._responses: dict[int, requests.Response] = {}
        self._running = 0
        self._failures = 0
        self._since_failure = 0
        self._not_before = 0.0
        self._stopped = False
        self._begun: Segment | None = None

    def run(self, begun: Segment | None = None) -> None:
        """Fetches all that is missing; `begun` is a segment that was taken already, and comes first.

        Raises:
            Changed: The object changed.
            QetchError: What kept the last attempts from success.
        """
        self.target = min(START, self.limit)
        self._begun = begun
        try:
            self._steer()
        finally:
            self._stop()
        if self.error:
            raise self.error

    # --- the thread that steers

    def _steer(self) -> None:
        best, grown_at = 0.0, time.monotonic()
        left, then = self.plan.left, time.monotonic()
        while self.plan.left and not self.error:
            self._start_missing()
            with self._change:
                self._change.wait(TICK)
            now = time.monotonic()
            if now - then < TICK:
                continue
            rate = (left - self.plan.left) / (now - then)
            left, then = self.plan.left, now
            if rate > best * GROWTH:
                best, grown_at = rate, now
                self.target = min(self.target * 2, self.limit)
            elif now - grown_at > PATIENCE:
                grown_at = now
                self.target = min(self.target + 1, self.limit)

    def _start_missing(self) -> None:
        with self._change:
            wanted = self.target - self._running if time.monotonic() >= self._not_before else 0
            self._running += max(wanted, 0)
        for _ in range(wanted):
            thread = threading.Thread(target=self._work, name="qetch-range", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _stop(self) -> None:
        """Ends what still runs: reads that wait for bytes nobody needs any more are cut off.

        A thread that waits for an answer's head is left behind: it ends when that comes, and cannot write any more.
        """
        with self._change:
            self._stopped = True
            self._change.notify_all()
            responses = dict(self._responses)
        for response in responses.values():
            with suppress(OSError, ValueError, AttributeError, RuntimeError):
                response.raw.shutdown()
        for thread in self._threads:
            if thread.ident in responses:
                thread.join()

    # --- the threads that fetch

    def _work(self) -> None:
        try:
            while self._wanted():
                segment = self._next()
                if segment is None:
                    return
                try:
                    self._attempt(segment)
                finally:
                    self.plan.give_back(segment)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that called
            with self._change:
                self.error = self.error or error
        finally:
            with self._change:
                self._running -= 1
                self._change.notify_all()

    def _next(self) -> Segment | None:
        with self._change:
            begun, self._begun = self._begun, None
        return begun or self.plan.take(self.target)

    def _wanted(self) -> bool:
        """Whether this thread shall go on; it waits here after the host asked for a pause."""
        with self._change:
            while not self._stopped and not self.error and (pause := self._not_before - time.monotonic()) > 0:
                self._change.wait(pause)
            return not (self._stopped or self.error or self._running > max(self.target, 1))

    def _attempt(self, segment: Segment) -> None:
        me = threading.get_ident()

        def opened(response: requests.Response) -> None:
            with self._change:
                if self._stopped:
                    raise NetworkError("the download has ended")
                self._responses[me] = response

        def received(count: int) -> None:
            self._since_failure += count

        try:
            self.fetch(segment, opened, received)
        except (NetworkError, RateLimited, RemoteError) as error:
            if not self._stopped and segment.left:
                self._failed(error)
        finally:
            with self._change:
                self._responses.pop(me, None)

    def _failed(self, error: NetworkError | RateLimited | RemoteError) -> None:
        """Decides whether to go on after a failure, with how many connections, and when."""
        with self._change:
            if self._since_failure >= min(PROGRESS, self.plan.size // 100 + 1):
                self._failures = 0
            self._since_failure = 0
            self._failures += 1
            if self._failures > MAX_FAILURES:
                self.error = self.error or error
                return
            if self._running > 1:  # the others may be what the host minds
                self.limit = self.target = max(1, self._running - 1)
                _limits[self.host] = (self.limit, time.monotonic() + BELIEF)
                self._failures = min(self._failures, MAX_FAILURES - 1)
            pause = getattr(error, "wait", None)
            if pause is None:
                pause = 0.1 * 2**self._failures
            if pause > LONGEST_PAUSE:
                self.error = self.error or error
            self._not_before = max(self._not_before, time.monotonic() + pause)


def _believed(host: str) -> int:
    limit, until = _limits.get(host, (1 << 30, 0.0))
    return limit if time.monotonic() < until else 1 << 30
