"""Several jobs at a time, which end together when one of them fails."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Job = Callable[[], object]

FAREWELL = 0.5
"""Seconds to wait for the others after a failure; whoever still waits for a host then is left behind."""


def run_all(jobs: Iterable[Job], workers: int, stop: Callable[[], object]) -> None:
    """Runs jobs on a number of threads until all are done, or one fails.

    The threads do not keep the process alive.

    Args:
        jobs: In the order in which they begin.
        workers: How many run at a time.
        stop: Called at the end in any case: what still runs shall end.

    Raises:
        BaseException: The first that a job raised, or that came to the caller's thread meanwhile.
    """
    crew = _Crew(list(jobs))
    threads = [
        threading.Thread(target=crew.work, name="qetch-fragment", daemon=True)
        for _ in range(min(workers, len(crew.jobs)))
    ]
    try:
        for thread in threads:
            thread.start()
        crew.wait()
    finally:
        crew.dismiss()
        stop()
        until = time.monotonic() + FAREWELL
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(until - time.monotonic(), 0.0))
    if crew.error is not None:
        raise crew.error


class _Crew:
    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = jobs
        self.error: BaseException | None = None
        self._left = len(jobs)
        self._change = threading.Condition()

    def wait(self) -> None:
        with self._change:
            self._change.wait_for(lambda: self.error is not None or not self._left)

    def dismiss(self) -> None:
        """Begins no more jobs."""
        with self._change:
            self.jobs.clear()

    def work(self) -> None:
        while (job := self._next()) is not None:
            error: BaseException | None = None
            try:
                job()
            except BaseException as caught:  # noqa: BLE001 - it is raised again in the thread that called
                error = caught
            with self._change:
                self._left -= 1
                self.error = self.error or error
                self._change.notify_all()

    def _next(self) -> Job | None:
        with self._change:
            return self.jobs.pop(0) if self.jobs and self.error is None else None
