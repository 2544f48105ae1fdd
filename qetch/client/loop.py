"""The event loop that begins downloads: one thread waits for many first answers, and saves small files itself.

Threads take turns at the interpreter, which costs more than a small file does. So only what takes longer gets a thread
of its own: what has no connection yet, comes slowly, is large, or must be asked for by more than a plain request.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

from qetch.client.syncing import Saving, Slowness, Syncers
from qetch.downloaders import _aside
from qetch.downloaders._range import is_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.client.job import Job
    from qetch.client.queue import FairQueue
    from qetch.client.run import Run
    from qetch.client.work import Worker
    from qetch.wire import Answer

AT_ONCE = 256
"""Jobs that are begun before the answers to earlier ones are looked at."""
PATIENCE = 1.0
"""Seconds after which a thread of its own waits for an answer, by the rules of the downloader."""
LONG = 0.0005
"""Seconds; if it takes longer to save files, others are saved in threads."""
LONG_SYNC = 0.0001
"""Seconds; if it takes longer until the disk has them, threads wait for that."""


class EventLoop:
    """Begins the jobs of a queue, so many at a time.

    Args:
        run: Whose jobs these are.
        worker: Performs them.
        jobs: The queue.
        most: How many run at a time.
    """

    def __init__(self, run: Run, worker: Worker, jobs: FairQueue[Job], most: int) -> None:
        self._run = run
        self._worker = worker
        self._jobs = jobs
        self._most = most
        self._asked: dict[Job, tuple[Answer, float]] = {}  # and since when
        self._ended: deque[Job] = deque()
        self._syncing: set[Saving] = set()
        self._synced: deque[Saving] = deque()
        self._syncers = Syncers(self._has_synced)
        self._slow_saving, self._slow_syncing = Slowness(LONG), Slowness(LONG_SYNC)
        self._count = 0
        self._there_may_be_more = False
        self._ringing = threading.Lock()
        self._is_asleep = False
        jobs.on_change = self._job_came

    def work(self) -> None:
        """Works until the queue is at its end."""
        with ExitStack() as opened:
            self._bell, self._ear = map(opened.enter_context, socket.socketpair())
            self._selector = opened.enter_context(selectors.DefaultSelector())
            self._bell.setblocking(False)
            self._selector.register(self._ear, selectors.EVENT_READ)
            try:
                while self._look_around():
                    self._wait()
            finally:
                with self._ringing:
                    self._is_asleep = False
                self._give_up()
                for saving in self._syncing:  # there are some only if there is a bug in here
                    saving.steps.close()
                    self._run.failed(saving.job, CancelledError())

    def wake(self) -> None:
        """Says that something has happened; for other threads."""
        if self._is_asleep:
            with self._ringing:
                if self._is_asleep:
                    self._is_asleep = False
                    self._bell.send(b"!")

    def _job_came(self) -> None:
        if self._count < self._most:
            self.wake()

    def _look_around(self) -> bool:
        """Does what other threads have made possible; False at the end of the queue."""
        self._is_asleep = True  # first: what happens from here on rings
        while self._synced:
            self._save(self._synced.popleft())
        self._syncers.help()
        while self._ended:
            self._end(self._ended.popleft())
        if self._run.canceled.is_set():
            self._give_up()
        self._begin_some()
        return not self._jobs.is_over

    def _begin_some(self) -> None:
        self._there_may_be_more = False
        for _ in range(AT_ONCE):
            if self._count >= self._most or (job := self._jobs.poll()) is None:
                return
            self._count += 1
            if self._worker.may_block or job.report.attempts:  # of a failure more may come, about which somebody thinks
                self._hand_over(job, self._worker.perform)
            elif self._worker.prepare(job):
                self._ask(job)
            else:
                self._end(job)
        self._there_may_be_more = True

    def _ask(self, job: Job) -> None:
        answer = None
        with suppress(Exception):  # the usual road says what is wrong
            answer = job.ask_ahead()
        if answer is None:
            self._hand_over(job, self._worker.fetch)
        else:
            self._asked[job] = answer, time.monotonic()
            self._selector.register(answer, selectors.EVENT_READ, job)

    def _wait(self) -> None:
        """Waits until something happens, and does what is to be done then."""
        events = self._selector.select(self._seconds())
        self._is_asleep = False
        for key, _ in events:
            if key.data is None:
                self._ear.recv(64)
            elif self._asked[key.data][0].look():
                self._answered(key.data)
        while self._asked and self._left() <= 0:
            self._hand_over(self._taken(next(iter(self._asked))), self._worker.fetch)

    def _seconds(self) -> float | None:
        """How long to wait at most."""
        if self._there_may_be_more:
            return 0
        due = [
            self._jobs.pause if self._count < self._most else None,
            max(self._left(), 0) if self._asked else None,
            self._syncers.patience(),
        ]
        return min((seconds for seconds in due if seconds is not None), default=None)

    def _left(self) -> float:
        """How long to wait for the answer that was asked for first, in seconds."""
        _, since = next(iter(self._asked.values()))
        return since + PATIENCE - time.monotonic()

    def _taken(self, job: Job) -> Job:
        """A job, for which this thread does not wait any more."""
        answer, _ = self._asked.pop(job)
        self._selector.unregister(answer)
        return job

    def _answered(self, job: Job) -> None:
        answer, _ = self._asked[job]
        self._taken(job)
        if self._slow_saving.is_there(time.monotonic()) or not is_whole(answer):
            self._hand_over(job, self._worker.fetch)
        else:
            self._save(Saving(job, self._worker.steps(job)))

    def _save(self, saving: Saving) -> None:
        """Goes on with the saving of a file; who waits for the disk may be another thread."""
        self._syncing.discard(saving)
        begun = time.monotonic()
        try:
            while saving.steps.go_on():
                now = time.monotonic()
                saving.seconds += now - begun
                if self._slow_syncing.is_there(now):
                    self._syncing.add(saving)
                    self._syncers.put(saving)
                    return
                saving.steps.wait()
                begun = time.monotonic()
                self._slow_syncing.note(begun - now)
        except BaseException as error:  # noqa: BLE001 - a strategy may think about it for long
            self._hand_over(saving.job, partial(self._run.failed, error=error))
        else:
            self._slow_saving.note(saving.seconds + time.monotonic() - begun)
            self._end(saving.job)

    def _has_synced(self, saving: Saving) -> None:
        self._synced.append(saving)
        self.wake()

    def _hand_over(self, job: Job, call: Callable[[Job], object]) -> None:
        """Lets another thread go on with a job."""
        try:
            _aside.begin(partial(self._run.guarded, partial(self._perform, job, call)))
        except RuntimeError:  # the machine has no more threads
            self._perform(job, call)

    def _perform(self, job: Job, call: Callable[[Job], object]) -> None:
        try:
            call(job)
        finally:
            self._ended.append(job)
            self.wake()

    def _end(self, job: Job) -> None:
        self._count -= 1
        self._jobs.done(job.host)

    def _give_up(self) -> None:
        """Ends those that wait for their answer."""
        for job in list(self._asked):
            self._taken(job).let_go()
            self._run.failed(job, CancelledError())
            self._end(job)
