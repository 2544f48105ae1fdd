"""Who wants to know about downloads, and how they are told."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qetch.client.request import DownloadReport
    from qetch.extractors._common import Skip

log = logging.getLogger("qetch")

MAX_WAITING = 10_000
"""Events that may wait for listeners; then the downloads wait for them too, so that memory does not grow."""
LATE = 0.01
"""Seconds that events may wait for more: waking the thread for each would cost more than all else."""
FAREWELL = 5.0
"""Seconds that anybody waits for a listener that does not return."""


class DownloadEventListener:
    """Override what you want to know.

    All methods are called from one thread, one after the other, with a report as it was at that moment. What they
    raise is logged; a method that takes long delays later events, and the downloads only when thousands of events
    wait. Of one that does not return at all, nobody waits for longer than some seconds, and further events are lost.
    """

    def download_started(self, report: DownloadReport) -> None:
        """A download begins."""

    def download_headers(self, report: DownloadReport) -> None:
        """The host's answer has begun: `report.headers`."""

    def download_progress(self, report: DownloadReport) -> None:
        """Bytes came; at least once for each file that is fetched, with the last of them."""

    def download_succeeded(self, report: DownloadReport) -> None:
        """The file is there; or it was already, see `report.skipped`."""

    def download_failed(self, report: DownloadReport) -> None:
        """It failed: `report.error`, or as a dictionary `report.error_report`."""

    def download_canceled(self, report: DownloadReport) -> None:
        """It was canceled, before or after it began."""

    def content_skipped(self, url: str, skip: Skip) -> None:
        """Something at a URL was left out: `skip.place` and `skip.reason`."""


class Dispatcher:
    """Tells listeners about events, from a thread of its own.

    Args:
        listeners: Whom.
    """

    def __init__(self, listeners: Iterable[DownloadEventListener]) -> None:
        self.listeners = tuple(listeners)
        self._change = threading.Condition()
        self._events: deque[_Event] = deque()
        self._progress: dict[int, _Event] = {}
        self._thread: threading.Thread | None = None
        self._busy = False
        self._hurry = False
        self._stuck = False
        self._closed = False

    def tell(self, name: str, report: DownloadReport, *, wait: bool = True) -> None:
        """Tells an event of a report; of several `download_progress` that wait, only the last one.

        Args:
            name: Of the method.
            report: Told as it is now.
            wait: Whether to wait, if too many events wait already; else nobody is told.
        """
        if self._is_wanted(name):
            self._put(_Event(name, (report.snapshot(),), report), wait=wait)

    def _is_wanted(self, name: str) -> bool:
        """Whether one of the listeners has a method of its own for an event, now."""
        idle = getattr(DownloadEventListener, name)
        return any(getattr(getattr(listener, name), "__func__", None) is not idle for listener in self.listeners)

    def tell_skip(self, url: str, skip: Skip) -> None:
        """Tells that something was left out."""
        if self._is_wanted("content_skipped"):
            self._put(_Event("content_skipped", (url, skip), None))

    def flush(self) -> None:
        """Waits until all is told, unless a listener takes too long."""
        with self._change:
            self._hurry = True
            self._change.notify_all()
            self._wait_for(lambda: not (self._events or self._busy))

    def close(self) -> None:
        """Tells what is left, and ends the thread."""
        self.flush()
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits, unless a listener takes too long; then nobody waits for it again before it returns."""
        if self._thread is threading.current_thread():
            return
        if not self._change.wait_for(lambda: self._stuck or condition(), FAREWELL):
            log.warning("a listener does not return from its method: %d events wait for it", len(self._events))
            self._stuck = True
            self._change.notify_all()

    def _put(self, event: _Event, *, wait: bool = True) -> None:
        is_progress = event.name == "download_progress"
        with self._change:
            waiting = self._progress.get(id(event.report)) if is_progress else None
            if waiting is not None:
                waiting.arguments = event.arguments
                return
            if len(self._events) >= MAX_WAITING and not self._makes_room(wait=wait):
                return
            self._events.append(event)
            if is_progress:
                self._progress[id(event.report)] = event
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="qetch-listeners", daemon=True)
                self._thread.start()
            if len(self._events) == 1:
                self._change.notify_all()

    def _makes_room(self, *, wait: bool) -> bool:
        if wait:
            self._wait_for(lambda: len(self._events) < MAX_WAITING)
        return len(self._events) < MAX_WAITING or threading.current_thread() is self._thread

    def _work(self) -> None:
        while (event := self._next()) is not None:
            for listener in self.listeners:
                try:
                    getattr(listener, event.name)(*event.arguments)
                except BaseException:  # SystemExit too would end this thread alone
                    log.exception("%s of a listener failed; the downloads go on", event.name)

    def _next(self) -> _Event | None:
        with self._change:
            self._busy = self._stuck = False
            if not self._events:
                self._hurry = False
                self._change.notify_all()
                self._change.wait_for(lambda: self._events or self._closed)
                self._change.wait_for(lambda: self._hurry or self._closed, LATE)
            if not self._events:
                return None
            event = self._events.popleft()
            if event.name == "download_progress":
                del self._progress[id(event.report)]
            if len(self._events) == MAX_WAITING - 1:
                self._change.notify_all()
            self._busy = True
            return event


class _Event:
    """A method to call, and with what; `report` is the one that goes on living."""

    __slots__ = ("arguments", "name", "report")

    def __init__(self, name: str, arguments: tuple[object, ...], report: DownloadReport | None) -> None:
        self.name, self.arguments, self.report = name, arguments, report
