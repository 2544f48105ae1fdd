"""Calls that nothing can interrupt, made in other threads, so that nobody must wait for their end."""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Cutting = Callable[[Callable[[], None]], AbstractContextManager[None]]

from concurrent.futures import CancelledError

T = TypeVar("T")

MOST_IDLE = 16
"""Threads that are kept for the next call."""


def aside(call: Callable[[], T], discard: Callable[[T], object], cutting: Cutting) -> T:
    """What a call gives, unless somebody ends the wait for it; the call itself goes on then, and nobody hears of it.

    Args:
        call: Made in another thread, which does not keep the process alive.
        discard: Told what it gives if nobody waits any more.
        cutting: Lets another thread end the wait, see `Run.cutting`.

    Raises:
        concurrent.futures.CancelledError: The wait was ended.
        BaseException: What the call raised.
    """
    job = _Job(call, discard)
    with cutting(job.give_up):
        _helpers.begin(job.run)
        try:
            job.over.wait()
        finally:
            job.give_up()  # which may also be the end of it by an interrupt
    return job.result()


def begin(call: Callable[[], None]) -> None:
    """Makes a call in another thread; nobody waits for it, and it raises nothing."""
    _helpers.begin(call)


class _Job(Generic[T]):
    def __init__(self, call: Callable[[], T], discard: Callable[[T], object]) -> None:
        self.call = call
        self.discard = discard
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._values: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Makes the call."""
        try:
            value = self.call()
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            with self._lock:
                self._error = None if self.over.is_set() else error
                self.over.set()
            return
        with self._lock:
            late = self.over.is_set()
            if not late:
                self._values.append(value)
                self.over.set()
        if late:
            self.discard(value)

    def give_up(self) -> None:
        """Ends the wait, unless it has ended."""
        with self._lock:
            self.over.set()

    def result(self) -> T:
        """What the call gave or raised."""
        error, self._error = self._error, None
        if error is not None:
            raise error
        if not self._values:
            raise CancelledError
        return self._values.pop()


class _Helpers:
    """Threads that wait for something to do."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Knows of no threads, as after a fork."""
        self._lock = threading.Lock()
        self._idle = 0
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def begin(self, call: Callable[[], None]) -> None:
        """Lets one of them make a call, or a new one if all have something to do."""
        with self._lock:
            found = self._idle > 0
            self._idle -= found
        if found:
            self._work.put(call)
        else:
            threading.Thread(target=self._serve, args=(call,), name="qetch-aside", daemon=True).start()

    def _serve(self, call: Callable[[], None] | None) -> None:
        while call is not None:
            call()
            call = None  # it may hold an answer
            with self._lock:
                if self._idle >= MOST_IDLE:
                    return
                self._idle += 1
            call = self._work.get()


_helpers = _Helpers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.reset)
