"""Many downloads at a time: the threads, what they share, and how all of it ends."""

from __future__ import annotations

import logging
import threading
from collections import deque
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qetch.client.feed import Feeder
from qetch.client.job import settle
from qetch.client.loop import EventLoop
from qetch.client.pages import AT_A_TIME, Pages
from qetch.client.queue import FairQueue
from qetch.client.request import ReportState
from qetch.client.strategy import pause_of
from qetch.client.work import Worker
from qetch.errors import InvalidSetting, QetchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qetch.client.client import Client
    from qetch.client.job import Job
    from qetch.client.request import DownloadReport
    from qetch.client.targets import Targets

log = logging.getLogger("qetch")

AHEAD = 256
"""So many downloads may wait, run, or be done without anybody having taken the report; then no more are begun."""
MAX_PAUSED = 4096
"""So many that are to be tried again later do not count."""
PAGES_AHEAD = 64
"""So many URLs may wait for their extraction, or be in it."""
REST = 0.75
"""When so much of these is left, more are begun: to wake a thread for each one would cost more than all else."""
TICK = 0.1
"""Seconds between two looks at the progress."""
LOOK = 0.02
FAREWELL = 2.0
"""Seconds that `cancel` waits for what it ends."""

alive: set[Run] = set()
"""Those that have begun and are not over, so that the end of a client, or of the interpreter, can end them."""


class Run:
    """Downloads on their way, in threads of their own.

    Args:
        client: Whose settings, history and listeners count.
        targets: The paths.
        items: What to download; read in a thread.
        url_map: Makes a URL or a request of each, if they are none.
        extracting: Whether the URLs are those of pages.

    Attributes:
        client: That.
        canceled: Set when everything shall end.
        on_change: Called, from any thread, when there may be another report or the end; it must not block.
    """

    def __init__(
        self,
        client: Client,
        targets: Targets,
        items: Iterable[Any],
        url_map: Callable[[Any], Any] | None = None,
        *,
        extracting: bool,
    ) -> None:
        self.client = client
        self.canceled = threading.Event()
        self.on_change: Callable[[], object] = bool
        self._feeder = Feeder(self, items, url_map, targets.reserve if extracting else None)
        self._pages = Pages(self, client.extract) if extracting else None
        self._jobs: FairQueue[Job] = FairQueue(client.settings.connections_per_host)
        self._most = client.settings.max_concurrent
        self._loop = EventLoop(self, Worker(self, targets), self._jobs, self._most)
        # All below is shared by the threads, under this lock.
        self._change = threading.Lock()
        self._news = threading.Condition(self._change)
        self._room = threading.Condition(self._change)
        self._ending = threading.Condition(self._change)
        self._done: deque[DownloadReport] = deque()
        self._takers = 0
        self._running: set[Job] = set()
        self._twins: dict[bytes, list[Job]] = {}
        self._open = 0
        self._open_pages = 0
        self._feeding = True
        self._draining = False
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begins."""
        crew = [("download", self._loop.work)]
        if self._pages:
            crew += [("extract", self._pages.work)] * min(AT_A_TIME, self._most)
        if self.client.dispatcher.listeners:
            crew.append(("progress", self._watch))
        alive.add(self)
        try:
            for name, work in (*crew, ("feed", self._feed)):
                self._begin_thread(name, work)
        except RuntimeError:  # the machine has no more threads
            self._stop_feeding()
            raise

    # --- for those who want the reports

    def take(self) -> DownloadReport | None:
        """The next report, as soon as there is one; None at the end.

        Raises:
            Exception: What the iterable of the URLs raised, after all that it gave before is done.
        """
        with self._change:
            self._takers += 1
            self._news.wait_for(lambda: self._done or self._is_over())
            self._takers -= 1
        report = self.poll()
        if report is None:
            self.finish()
        return report

    def poll(self) -> DownloadReport | None:
        """The next report, if there is one now."""
        with self._change:
            if not self._done:
                return None
            if self._ahead() == AHEAD * REST:
                self._room.notify_all()
            return self._done.popleft()

    def finish(self) -> None:
        """Waits until the listeners know everything; to be called at the end.

        Raises:
            Exception: As `take` does.
        """
        self.client.dispatcher.flush()
        error, self._error = self._error, None
        if error is not None:
            raise error

    @property
    def ended(self) -> bool:
        """Whether everything is done, though not every report may have been taken."""
        with self._change:
            return self._is_over()

    def drain(self) -> None:
        """Waits until everything is done, whether or not anybody takes the reports."""
        with self._change:
            self._draining = True
            self._room.notify_all()
            self._ending.wait_for(lambda: self._is_over() or self.canceled.is_set())
            self._ending.wait_for(self._is_over, FAREWELL)  # who does not react is left behind

    def cancel(self, *, wait: bool = True) -> None:
        """Ends what runs, and begins no more; what has not ended by itself is reported as canceled.

        Args:
            wait: Return when all of it has ended, or does not react.
        """
        with self._change:
            if self._is_over():
                return
            first = not self.canceled.is_set()
            self.canceled.set()
            self._tell_all()
        if first:
            self._cancel_waiting()
            self._loop.wake()
            with suppress(RuntimeError):  # no more threads: what runs ends by itself
                self._begin_thread("cancel", self._cancel_running)
            self._look_for_end()
        if wait:
            with self._change:
                self._ending.wait_for(self._is_over, FAREWELL)

    # --- for the threads: what begins, and what ends

    def begin(self, job: Job) -> None:
        """Lets a new job, or page, wait for its turn, as soon as there is room for one more."""
        self.make_room(job)
        self.add(job)

    def add(self, job: Job, pause: float = 0.0) -> None:
        """Lets a job, or page, wait for its turn."""
        if job.is_page and self._pages:
            self._pages.put(job)
        else:
            self._jobs.put(job.host, job, pause)
        if self.canceled.is_set():  # perhaps after the others were taken out
            self._cancel_waiting()

    def settle(self, job: Job, state: ReportState, error: BaseException | None = None) -> None:
        """Makes a report final, and hands it over; only the first time counts."""
        if self._is_first_end(job):
            settle(job.report, state, error)
            self.client.dispatcher.tell(f"download_{state}", job.report)
            self._end(job, job.report)

    def leave(self, page: Job) -> None:
        """Ends a page that has no report of its own."""
        if self.canceled.is_set():
            self.settle(page, ReportState.CANCELED)
        elif self._is_first_end(page):
            self._end(page)

    def failed(self, job: Job, error: BaseException) -> None:
        """Ends a job, or page, by an error; or lets it begin anew, if the strategy wants that."""
        if isinstance(error, CancelledError) or (job.is_page and self.canceled.is_set()):
            self.settle(job, ReportState.CANCELED)
            return
        pause = None
        if isinstance(error, QetchError):
            try:
                pause = self._pause_after(job, error)
            except InvalidSetting as wrong:
                error = wrong
        else:
            log.error("%s failed", job.report.url, exc_info=error)
        if pause is None:
            self.settle(job, ReportState.FAILED, error)
            return
        job.report.state = ReportState.WAITING
        with self._change:
            again = [job, *self._taken_out(job)]
        for each in again:
            self.add(each, pause)
        with self._change:
            self._room.notify_all()  # who sleeps takes no place

    def _pause_after(self, job: Job, error: QetchError) -> float | None:
        strategy = self.client.strategy
        if strategy is None or not job.report.attempts or self.canceled.is_set():
            return None
        return pause_of(strategy, job.report, error)

    def _ahead(self) -> int:
        return self._open - min(self._jobs.paused, MAX_PAUSED) + (0 if self._draining else len(self._done))

    def _is_over(self) -> bool:
        # An iterable may never return: after a cancellation nobody waits for it, unless all of it is there.
        left_behind = self.canceled.is_set() and not self._feeder.is_known
        return not self._open and not self._open_pages and (left_behind or not self._feeding)

    def make_room(self, job: Job) -> None:
        """Counts a job, or page, and waits until there are not too many, or all shall end."""
        if self._most == 1:
            job.host = ""  # one line for all hosts: they come in the order of the list
        with self._change:
            if job.is_page:
                self._open_pages += 1
            else:
                self._open += 1
            if self._is_full(job, 1):
                self._room.wait_for(lambda: self.canceled.is_set() or not self._is_full(job, REST))

    def _is_full(self, job: Job, share: float) -> bool:
        return self._ahead() > AHEAD * share or (job.is_page and self._open_pages > PAGES_AHEAD * share)

    def _tell_all(self) -> None:
        """Lets all look that wait for something; `_change` is held."""
        for condition in (self._news, self._room, self._ending):
            condition.notify_all()

    def _is_first_end(self, job: Job) -> bool:
        with self._change:
            first, job.settled = not job.settled, True
            return first

    def _end(self, job: Job, *reports: DownloadReport) -> None:
        """Counts a job, or page, out, and hands its report over."""
        with self._change:
            self._done += reports
            if job.is_page:
                self._open_pages -= 1
            else:
                self._open -= 1
            twins, over = self._taken_out(job), self._is_over()
            if self._takers:
                self._news.notify_all()
            if self._ahead() == AHEAD * REST or (job.is_page and self._open_pages == PAGES_AHEAD * REST):
                self._room.notify_all()
        for twin in twins:
            self.add(twin)
        if over:
            self._look_for_end()
        else:
            self.on_change()

    def _look_for_end(self) -> None:
        if self.ended:
            with self._change:
                self._tell_all()
            alive.discard(self)
            self._jobs.close()
            if self._pages:
                self._pages.close()
        self.on_change()

    def _taken_out(self, job: Job) -> list[Job]:
        """Takes a job from those that run; gives the ones that waited for it, since they want the same file."""
        if job not in self._running:
            return []
        self._running.discard(job)
        return self._twins.pop(job.key, [])

    def _cancel_waiting(self) -> None:
        """Reports what has not begun, and pages, whose threads are left behind."""
        left = self._jobs.clear() + (self._pages.clear() if self._pages else [])
        with self._change:
            for twins in self._twins.values():
                left += twins
                twins.clear()
        for job in left:
            self.settle(job, ReportState.CANCELED)

    def _cancel_running(self) -> None:
        """Ends downloads until none is left: one may be about to begin."""
        with self._change:
            while not self._is_over():
                for job in self._running:
                    job.cancel()
                self._ending.wait(LOOK)

    def _begin_thread(self, name: str, work: Callable[[], object]) -> None:
        threading.Thread(target=self.guarded, args=(work,), name=f"qetch-{name}", daemon=True).start()

    def guarded(self, work: Callable[[], object]) -> None:
        """A bug in here must not leave anybody waiting."""
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the reports are taken
            with self._change:
                self._error = self._error or error
            self.cancel(wait=False)

    # --- the threads

    def _feed(self) -> None:
        try:
            self._feeder.work()
        except Exception as error:  # noqa: BLE001 - it is raised again where the reports are taken
            self._error = error
        finally:
            self._stop_feeding()

    def _stop_feeding(self) -> None:
        with self._change:
            self._feeding = False
        self._look_for_end()

    def note_begun(self, job: Job) -> None:
        """Notes that a job was taken from those that wait."""
        with self._change:
            self._running.add(job)

    def waits_for_twin(self, job: Job) -> bool:
        """Whether another job is writing the same file; this one waits for it then."""
        with self._change:
            if job.key not in self._twins:
                self._twins[job.key] = []
                return False
            self._twins[job.key].append(job)
            self._running.discard(job)
            return True

    def _watch(self) -> None:
        with self._change:
            while not self._is_over():
                for job in self._running:
                    if job.progress():  # nobody settles it meanwhile, so that this is told before the end
                        self.client.dispatcher.tell("download_progress", job.report, wait=False)
                self._ending.wait_for(self._is_over, TICK)
