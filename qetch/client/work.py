"""What a thread does with a job: decide whether there is something to fetch, and where it goes, and fetch it."""

from __future__ import annotations

import os
from concurrent.futures import CancelledError
from datetime import UTC, datetime
from functools import partial
from typing import IO, TYPE_CHECKING, Any, cast

from qetch.client.job import copy_to, temporary_path
from qetch.client.request import ReportState
from qetch.client.targets import url_path
from qetch.downloaders._steps import Steps
from qetch.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qetch.client.job import Job
    from qetch.client.run import Run
    from qetch.client.targets import Targets
    from qetch.downloaders._steps import Waits


class Worker:
    """Performs the jobs of one batch, in any number of threads.

    Args:
        run: The batch, which is told what becomes of them.
        targets: Its paths.
    """

    def __init__(self, run: Run, targets: Targets) -> None:
        self._run = run
        self._client = run.client
        self._targets = targets

    def perform(self, job: Job) -> None:
        """Downloads, or finds that there is nothing to download."""
        if self.prepare(job):
            self.fetch(job)

    def prepare(self, job: Job) -> bool:
        """Decides what becomes of a job: whether `fetch` is to be called now."""
        self._run.note_begun(job)
        try:
            return self._is_to_fetch(job)
        except BaseException as error:  # noqa: BLE001 - of somebody's function too; `failed` logs what is a bug
            self._run.failed(job, error)
            return False

    def fetch(self, job: Job) -> None:
        """Downloads."""
        try:
            self.steps(job).run()
        except BaseException as error:  # noqa: BLE001 - as above
            self._run.failed(job, error)

    def steps(self, job: Job) -> Steps:
        """Downloads step by step, and raises what is wrong."""
        return Steps(self._fetch(job))

    def _is_to_fetch(self, job: Job) -> bool:
        self.check()
        if self.is_known(job):
            job.report.skipped = "known"
        else:
            self.place(job)
            if self._run.waits_for_twin(job):
                return False
            if not self.is_there(job):
                self.begin(job)
                return True
            job.report.skipped = "cached"
        self._run.settle(job, ReportState.SUCCEEDED)
        return False

    @property
    def may_block(self) -> bool:
        """Whether deciding where a file goes may take long: it is somebody's function."""
        return self._targets.map is not url_path

    def is_known(self, job: Job) -> bool:
        """Whether the history holds what is wanted, and that is enough."""
        history = self._client.history
        return history is not None and job.may_be_skipped and self._key(job) in history

    def place(self, job: Job) -> None:
        """Decides where the file goes.

        Raises:
            FileError: Another job of the batch has the same path, or the folder cannot be made.
            InvalidSetting: The mapping of URLs to paths gives nonsense.
        """
        report, targets = job.report, self._targets
        if report.destination is None:
            report.destination = targets.of_url(report.url) if job.content is None else targets.of_content(job.content)
        job.path = report.path
        # Two files do not go into one object at a time.
        job.key = b"%d" % id(report.destination) if job.path is None else targets.claim(job.path, job.owner)

    def is_there(self, job: Job) -> bool:
        """Whether the file is there, and stays.

        Raises:
            FileError: It is there, and may neither stay nor be replaced.
        """
        client, path = self._client, job.path
        if path is None or not os.path.isfile(path):  # noqa: PTH113 - pathlib takes three times as long
            return False
        if self._targets.is_complete(job.key):
            return True
        if client.override:
            return False
        if client.skip_cached and job.may_be_skipped:
            return True
        keep = ", skip_cached=True keeps it" if job.may_be_skipped else ""
        raise FileError(f"{path} is already there - override=True replaces it{keep}")

    def begin(self, job: Job) -> None:
        """Notes that a download begins.

        Raises:
            QetchError: Nothing can download it.
        """
        client, report, content = self._client, job.report, job.wanted()
        job.download_id = client.new_id()
        job.downloader = client.downloader_for(content, job.request)
        report.attempts += 1
        report.state = ReportState.DOWNLOADING
        if report.start_time is None:
            report.start_time = datetime.now(UTC)
            client.dispatcher.tell("download_started", report)
        report.parts = 0, len(content.fragments)

    def _fetch(self, job: Job) -> Waits:
        """Downloads, records that, and reports it.

        Raises:
            QetchError: See `BaseDownloader.download`.
            concurrent.futures.CancelledError: It was canceled.
        """
        client, report, content = self._client, job.report, job.wanted()
        connections = client.settings.connections_per_host
        on_headers = partial(self._headers, job)
        if job.path is not None:
            yield from job.steps(content, job.path, connections, on_headers)
            self._targets.complete(job.key)
        else:
            with temporary_path(client.settings.tmp_dir) as path:
                yield from job.steps(content, path, connections, on_headers)
                copy_to(path, cast("IO[bytes]", report.destination), self.check)
        report.parts = report.parts[1], report.parts[1]
        if client.history is not None:  # after the file has its name: a crash in between costs only a second look
            client.history.add(self._key(job), job.path)
        client.dispatcher.tell("download_progress", report)
        self._run.settle(job, ReportState.SUCCEEDED)

    def check(self) -> None:
        """Ends what runs in this thread, if it shall.

        Raises:
            concurrent.futures.CancelledError: It shall.
        """
        if self._run.canceled.is_set():
            raise CancelledError

    def _key(self, job: Job) -> str:
        return job.content.uid if job.content is not None else self._client.key_of(job.report.url)

    def _headers(self, job: Job, headers: Mapping[str, Any]) -> None:
        job.report.headers = headers
        self._client.dispatcher.tell("download_headers", job.report)
