"""Fetches the missing bytes of one file of known size over several connections.

The threads share a `Plan`; each takes a segment, asks for it by `Range`, and writes what comes straight to its place.
The thread that called decides how many there are: it starts with a few, adds some while that brings more bytes a
second, and steps back where a host refuses.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from qetch.errors import NetworkError, RateLimited, RemoteError
from qetch.network import cut_off

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from qetch.downloaders._plan import Plan, Segment
    from qetch.network import Response

    Turn = Callable[[Callable[[], bool]], AbstractContextManager[bool]]
    Fetch = Callable[[Segment, Callable[[Response], None], Callable[[int], None]], None]

FIRST_LOOK = 0.02
"""Seconds after which the first connection, which showed that the host serves ranges, gets company."""
FEW, SEVERAL = 2, 4
"""How many there are then: few where the first one brings `FAST` bytes a second, and no more as long as that lasts."""
FAST = 100_000_000
"""Bytes a second that no line gives by more connections; what they cost is the processor's time."""
TICK = 0.05
"""Seconds between two looks at the throughput from then on."""
GROWTH = 1.25
"""By so much the throughput must have grown for more connections to be worth it."""
PATIENCE = 1.0
"""Seconds after which a number of connections that brought nothing is tried again."""
MAX_FAILURES = 6
"""So many failures in a row, without `PROGRESS` bytes in between, end the download."""
TOGETHER = 4
"""So many times as many, if several connections were tried at a time."""
MAX_REFUSALS = 2
"""So many answers in a row without a part show that the host serves none."""
PROGRESS = 64 << 10
FIRST_PAUSE = 0.2
"""Seconds to wait after a failure; twice as long after each further one."""
LONGEST_PAUSE = 60.0
"""A host that wants a longer one is not waited for."""

_limits: dict[str, tuple[int, float]] = {}
"""How many connections a host took, by its name, and until when that is believed."""
BELIEF = 600.0


class Changed(Exception):
    """The host serves another object than before under the same URL."""


class NoParts(RemoteError):
    """The host sends the whole file where a part of it was asked for."""


class Transfer:
    """One file on its way.

    Args:
        plan: What is missing.
        host: Whose; for what is remembered of it.
        max_connections: The most connections at a time.
        fetch: Fetches a segment. It tells its response to the second argument, so that this can be ended from another
            thread: at the start, and again before each write, since nothing may be written after the end. It tells
            each count of bytes that are in the file to the third.
        watch: Called now and then; what it raises ends the transfer.
        turn: Holds one of the host's connections, which other downloads share, while a segment is fetched; it gives
            False if what it was told to ask became true before there was one.
    """

    def __init__(
        self,
        plan: Plan,
        host: str,
        max_connections: int,
        fetch: Fetch,
        watch: Callable[[], object] = bool,
        turn: Turn = lambda _unwanted: nullcontext(True),
    ) -> None:
        self.plan = plan
        self.host = host
        self.fetch = fetch
        self.turn = turn
        self.watch = watch
        self.limit = min(max_connections, _believed(host))
        self.target = 1
        self.error: BaseException | None = None
        self._change = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._responses: dict[int, Response] = {}
        self._running = 0
        self._failures = 0
        self._since_failure = 0
        self._not_before = 0.0
        self._stopped = False
        self._enough = min(PROGRESS, plan.size // 100 + 1)
        self._begun: Segment | None = None

    def run(self, begun: Segment | None = None) -> None:
        """Fetches all that is missing; `begun` is a segment that was taken already, and comes first.

        Raises:
            Changed: The object changed.
            QetchError: What kept the last attempts from success.
        """
        self._begun = begun
        if self.limit == 1:
            self._work_alone()
        else:
            try:
                self._steer()
            finally:
                self._stop()
        if self.error:
            raise self.error

    def _work_alone(self) -> None:
        """Fetches by the one connection in this thread: there is nothing to steer."""
        self._running = 1
        while self.plan.left and not self.error:
            self.watch()
            if time.monotonic() < self._not_before or not self._fetch_one():
                time.sleep(TICK)

    # --- the thread that steers

    def _steer(self) -> None:
        best, tick, grown_at = 0.0, FIRST_LOOK, time.monotonic()
        left, then = self.plan.left, time.monotonic()
        while self.plan.left and not self.error:
            self.watch()
            self._start_missing()
            with self._change:
                self._change.wait(tick)
            now = time.monotonic()
            if now - then < tick:
                continue
            rate = (left - self.plan.left) / (now - then)
            left, then = self.plan.left, now
            if tick == FIRST_LOOK:
                best, tick, grown_at = rate, TICK, now
                self.target = min(FEW if rate > FAST else SEVERAL, self.limit)
            elif self._failures:
                grown_at = now
            elif rate < FAST and not best / 2 < rate < best * GROWTH:
                # More than before; or far less, since the host gave each connection more only at its start.
                best, grown_at = rate, now
                self.target = min(max(self.target * 2, SEVERAL), self.limit)
            elif now - grown_at > PATIENCE:
                grown_at = now
                self.target = min(self.target + 1, self.limit)

    def _start_missing(self) -> None:
        with self._change:
            wanted = self.target - self._running if time.monotonic() >= self._not_before else 0
            self._running += max(wanted, 0)
            self._threads = {thread for thread in self._threads if thread.is_alive()}
        for _ in range(wanted):
            thread = threading.Thread(target=self._work, name="qetch-range", daemon=True)
            thread.start()
            self._threads.add(thread)

    def _stop(self) -> None:
        """Ends what still runs: reads that wait for bytes nobody needs any more are cut off.

        A thread that waits for an answer's head is left behind: it ends when that comes, and cannot write any more.
        """
        with self._change:
            self._stopped = True
            self._change.notify_all()
            responses = dict(self._responses)
        for response in responses.values():
            cut_off(response)
        for thread in self._threads:
            if thread.ident in responses:
                thread.join()

    # --- the threads that fetch

    def _work(self) -> None:
        try:
            while self._wanted():
                if not self._fetch_one():
                    with self._change:
                        self._change.wait(TICK)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that called
            with self._change:
                if not self._stopped:  # else it comes from the end itself: the connection was cut off
                    self.error = self.error or error
        finally:
            with self._change:
                self._running -= 1
                self._change.notify_all()

    def _fetch_one(self) -> bool:
        """Tries to fetch a segment; False if there was none."""
        with self._segment() as segment:
            if segment is None:
                return False
            try:
                self._attempt(segment)
            finally:
                self.plan.give_back(segment)
        return True

    @contextmanager
    def _segment(self) -> Iterator[Segment | None]:
        """A segment, taken when there is a connection for it; the one that is begun has its own."""
        with self._change:
            begun, self._begun = self._begun, None
        if begun is not None:
            yield begun
            return
        if not self.plan.has_work():  # a turn, and the rate of the host, are for those who ask
            yield None
            return
        with self.turn(lambda: self._stopped or self.error is not None) as mine:
            yield self.plan.take(self.target) if mine else None

    def _wanted(self) -> bool:
        """Whether this thread shall go on; it waits here after the host asked for a pause."""
        with self._change:
            while not self._stopped and not self.error and (pause := self._not_before - time.monotonic()) > 0:
                self._change.wait(pause)
            return not (self._stopped or self.error or self._running > max(self.target, 1))

    def _attempt(self, segment: Segment) -> None:
        me = threading.get_ident()

        def opened(response: Response) -> None:
            with self._change:
                if self._stopped:
                    raise NetworkError("the download has ended")
                self._responses[me] = response

        try:
            self.fetch(segment, opened, self._received)
        except (NetworkError, RateLimited, RemoteError) as error:
            if not self._stopped and segment.left:
                self._failed(error, segment.received)
        else:
            if segment.left and not segment.received:  # this would go on for ever
                self._failed(NetworkError(f"{self.host}: the host sent an empty part - try again later"), 0)
        finally:
            with self._change:
                self._responses.pop(me, None)

    def _received(self, count: int) -> None:
        with self._change:
            self._since_failure += count
            if self._since_failure >= self._enough:
                self._failures = 0
            if not self.plan.left:  # else the end would be seen at the next look only
                self._change.notify_all()

    def _failed(self, error: NetworkError | RateLimited | RemoteError, brought: int) -> None:
        """Decides whether to go on after a failure, with how many connections, and when.

        Args:
            error: The failure.
            brought: How many bytes the connection brought before it.
        """
        with self._change:
            others_work, self._since_failure = self._since_failure > brought, 0
            if brought >= self._enough:
                return  # a connection may end now and then: that is no reason for fewer of them, or to wait
            self._failures += 1
            alone = self._running == 1
            if not alone:  # the others may be what the host minds
                self.target = max(1, self._running - 1)
                if others_work or isinstance(error, RateLimited):
                    self.limit = self.target
                    _limits[self.host] = (self.limit, time.monotonic() + BELIEF)
            pause = pause_after(error, self._failures)
            if self._failures > (1 if alone else TOGETHER) * most_failures(error) or (alone and pause is None):
                self.error = self.error or error
            self._not_before = max(self._not_before, time.monotonic() + (pause or FIRST_PAUSE))


def most_failures(error: Exception) -> int:
    """How many failures of a kind in a row are borne."""
    return MAX_REFUSALS if isinstance(error, NoParts) else MAX_FAILURES


def pause_after(error: Exception, failures: int) -> float | None:
    """Seconds to wait after a number of failures in a row; None if the host wants more than is reasonable."""
    wait: float | None = getattr(error, "wait", None)
    if wait is None:
        return FIRST_PAUSE * 2.0 ** (min(failures, MAX_FAILURES) - 1)
    return wait if wait <= LONGEST_PAUSE else None


def _believed(host: str) -> int:
    limit, until = _limits.get(host, (1 << 30, 0.0))
    return limit if time.monotonic() < until else 1 << 30
