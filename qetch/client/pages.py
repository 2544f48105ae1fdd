"""The threads that extract: URLs of pages become downloads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from qetch.client.job import Job
from qetch.client.queue import FairQueue
from qetch.client.request import DownloadRequest, ReportState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.client.run import Run
    from qetch.content import Content

AT_A_TIME = 4
"""URLs that are extracted at a time,"""
PER_HOST = 2
"""and of one host, so that a slow one leaves room for others."""


class Pages:
    """The URLs of a run that wait for their extraction, or are in it.

    Args:
        run: Takes the downloads.
        lists: Gives the lists of contents at a URL.
    """

    def __init__(self, run: Run, lists: Callable[[str], Iterator[list[Content]]]) -> None:
        self._run = run
        self._lists = lists
        self._queue: FairQueue[Job] = FairQueue(PER_HOST)
        self._lock = threading.Lock()
        self._running: set[Job] = set()

    def put(self, page: Job) -> None:
        """Adds one."""
        self._queue.put(page.host, page)

    def close(self) -> None:
        """Says that no more come."""
        self._queue.close()

    def clear(self) -> list[Job]:
        """Takes out all; threads that wait for a host are left behind."""
        waiting = self._queue.clear()
        with self._lock:
            waiting += self._running
            self._running.clear()
        return waiting

    def work(self) -> None:
        """Extracts until there is nothing left."""
        while (page := self._queue.take()) is not None:
            with self._lock:
                self._running.add(page)
            try:
                self._extract(page)
            except BaseException as error:  # noqa: BLE001 - of somebody's extractor too; `failed` logs what is a bug
                self._run.failed(page, error)
            finally:
                with self._lock:
                    self._running.discard(page)
                self._queue.done(page.host)

    def _extract(self, page: Job) -> None:
        """Begins the downloads of all that is found; if that is nothing, there is a report of the page itself."""
        url, found = page.report.url, False
        if not self._run.canceled.is_set():  # perhaps after the others were taken out
            for contents in self._lists(url):
                found = True
                self._run.begin(Job.of(DownloadRequest(url), contents[0]))
                if self._run.canceled.is_set():
                    break
        if found or self._run.canceled.is_set():
            self._run.leave(page)
        else:
            page.report.skipped = "empty"
            self._run.settle(page, ReportState.SUCCEEDED)
