"""One object for all that a program wants of qetch: extraction, downloads, many of both, and who is told."""

from __future__ import annotations

import atexit
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

from qetch.client.aio import AsyncBatch, in_thread
from qetch.client.batch import Batch
from qetch.client.job import Job, job_of
from qetch.client.listener import Dispatcher, DownloadEventListener
from qetch.client.request import DownloadReport, DownloadRequest, ReportState, shown
from qetch.client.run import Run, alive
from qetch.client.targets import Targets, url_path
from qetch.content import Content
from qetch.downloaders import HTTPDownloader, Settings, find_downloader
from qetch.downloaders._limits import Throttle
from qetch.errors import InvalidSetting
from qetch.extractors import find_extractor
from qetch.history import History
from qetch.session import Session

if TYPE_CHECKING:
    from types import TracebackType

    from qetch.client.request import Destination
    from qetch.client.strategy import Strategy
    from qetch.client.targets import MapPath
    from qetch.downloaders import BaseDownloader
    from qetch.extractors import BaseExtractor

    FilePath = str | os.PathLike[str]


def cancel_all(runs: list[Run]) -> None:
    """Ends some, all at the same time."""
    for run in runs:
        run.cancel(wait=False)
    for run in runs:
        run.cancel()


atexit.register(lambda: cancel_all(list(alive)))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=alive.clear)  # what runs is the parent's


MAX_KINDS = 16
"""So many downloaders are kept for requests with headers of their own."""


class Client:
    """Extracts and downloads, many at a time, by one set of settings.

    Use it as a context manager: leaving it waits for what still runs (what has no end must be left by `break`, or
    canceled), or after an error cancels that. It may be used by several threads.

    Args:
        settings: Connections, speed, proxies, trust, and how many files at a time.
        auth: Credentials by the name of a site; where there are none, the `AuthRegistry` counts.
        strategy: Whether to try again after a failure, and when; a `RequestStrategy`, or a function that is called as
            one. Without, what a host minds for a moment only is tried again soon, a few times.
        listeners: Who is told about downloads.
        history: Of what was fetched: a path, or a `History` that is shared, which the client does not close. What it
            knows is skipped, before any request for the file; but not by `download`, nor for a file object.
        map_path: Gives the relative path of the file at a URL; used where no destination is given.
        skip_cached: Keep files that are there already, without a request; otherwise that is a failure.
        override: Replace files that are there already.

    Attributes:
        session: The root of all sessions: adapters, `allow_private` and a `User-Agent` set here count everywhere.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        auth: Mapping[str, tuple[str, ...]] | None = None,
        strategy: Strategy | None = None,
        listeners: DownloadEventListener | Iterable[DownloadEventListener] = (),
        history: History | FilePath | None = None,
        map_path: MapPath = url_path,
        skip_cached: bool = True,
        override: bool = False,
    ) -> None:
        if strategy is not None and (isinstance(strategy, type) or not callable(strategy)):
            raise InvalidSetting(f"{shown(strategy)} is no strategy - give an instance of one, or a function")
        _check("settings", settings, Settings, type(None))
        _check("auth", auth, Mapping, type(None))
        _check("history", history, History, str, os.PathLike, type(None))
        _check("map_path", map_path, Callable)
        self.settings = settings or Settings()
        self.auth = dict(auth or {})
        self.strategy = strategy
        self.dispatcher = Dispatcher(_listeners(listeners))
        self._own_history = isinstance(history, (str, os.PathLike))
        self.history = History(history) if isinstance(history, (str, os.PathLike)) else history
        self.map_path = map_path
        self.skip_cached = skip_cached
        self.override = override
        self.session = Session()
        self.settings.set_on(self.session)
        self._downloaders: dict[type[BaseDownloader], BaseDownloader] = {}
        self._by_headers: dict[object, BaseDownloader] = {}
        self._numbers = itertools.count(1)
        self._throttle = Throttle(self.settings.max_speed)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.cancel()
        self.close()

    def close(self) -> None:
        """Waits for what still runs, tells the listeners the rest, and closes connections and history."""
        self._closed = True
        for run in self._runs():
            run.drain()
        self.dispatcher.close()
        self.session.close()
        if self.history is not None and self._own_history:
            self.history.close()

    def cancel(self) -> None:
        """Ends everything that runs, from any thread, and returns when it has ended: files are whole or absent."""
        cancel_all(self._runs())

    # --- a site's URLs

    def extract(self, url: str) -> Iterator[list[Content]]:
        """The lists of contents at a URL, lazily; each list is one item in all its qualities, the best first.

        Raises:
            QetchError: See `BaseExtractor.extract`.
        """
        url = url.strip()
        extractor = find_extractor(url)()
        extractor.root = self.session
        told = 0
        try:
            for contents in filter(None, extractor.extract(url, self.auth.get(extractor.name))):
                told = self._tell_skipped(url, extractor, told)
                yield contents
        finally:
            self._tell_skipped(url, extractor, told)

    def fetch(self, urls: str | Iterable[str], folder: FilePath = ".") -> Batch:
        """Downloads the best of everything at some URLs, as `qetch get` does.

        It begins at once. Extraction and downloads overlap, many at a time, and a host that is slow does not hold up
        the others; one failure does not stop the rest.

        Args:
            urls: Pages of sites that qetch knows, or files; read lazily, and may have no end.
            folder: For the files; made if it is missing.

        Returns:
            The reports, each as it completes: one for each file, and one for each URL that failed or holds nothing.
        """
        return Batch(self._begin(urls, folder, extracting=True))

    # --- files by their own URLs

    def download(self, wanted: Content | DownloadRequest | str, to: Destination | None = None) -> DownloadReport:
        """Downloads one file.

        Args:
            wanted: A content, a request, or the URL of the file.
            to: A path whose folder must exist, or an open file object, which is not closed; by default the request's
                destination, or a path that is made of the URL or the content. A file that is there is replaced with
                `override`, and otherwise a failure, whatever `skip_cached` says.

        Raises:
            QetchError: See `BaseDownloader.download`.
            concurrent.futures.CancelledError: `cancel` was called.
        """
        return result_of(Batch(self._begin([_job(wanted, to)], ".")).wait())

    def one(self, wanted: DownloadRequest | str, folder: FilePath = ".") -> DownloadReport:
        """Downloads the file at one URL; the report says whether that went well."""
        return Batch(self._begin([wanted], folder)).wait()[0]

    def swarm(self, wanted: Iterable[DownloadRequest | str], folder: FilePath = ".") -> list[DownloadReport]:
        """Downloads many files; the reports come in the order in which they completed."""
        return Batch(self._begin(wanted, folder)).wait()

    def each(
        self,
        iterable: Iterable[Any],
        url_map: Callable[[Any], DownloadRequest | str] | None = None,
        folder: FilePath = ".",
    ) -> Iterator[DownloadReport]:
        """Downloads many files, and yields the report of each as it completes.

        Args:
            iterable: URLs, requests, or whatever `url_map` makes one of; read lazily, and may have no end.
            url_map: Gives the URL or the request for an object.
            folder: For files without a destination; made if it is missing.
        """
        yield from Batch(self._begin(iterable, folder, url_map))

    # --- the same for asyncio

    def afetch(self, urls: str | Iterable[str], folder: FilePath = ".") -> AsyncBatch:
        """`fetch` for asyncio: `await` it for the list of all reports, or use `async for` to have each as it completes.

        The downloads run in threads; whoever cancels the task that waits for them cancels them.
        """
        return AsyncBatch(lambda: self._begin(urls, folder, extracting=True))

    def aeach(
        self,
        iterable: Iterable[Any],
        url_map: Callable[[Any], DownloadRequest | str] | None = None,
        folder: FilePath = ".",
    ) -> AsyncBatch:
        """`each` for asyncio: `await` it, or use `async for`."""
        return AsyncBatch(lambda: self._begin(iterable, folder, url_map))

    def aswarm(self, wanted: Iterable[DownloadRequest | str], folder: FilePath = ".") -> AsyncBatch:
        """`swarm` for asyncio: `await` it."""
        return self.aeach(wanted, folder=folder)

    async def aone(self, wanted: DownloadRequest | str, folder: FilePath = ".") -> DownloadReport:
        """`one` for asyncio."""
        return (await self.aeach([wanted], folder=folder))[0]

    async def adownload(self, wanted: Content | DownloadRequest | str, to: Destination | None = None) -> DownloadReport:
        """`download` for asyncio."""
        return result_of(await self.aeach([_job(wanted, to)]))

    async def aextract(self, url: str) -> AsyncIterator[list[Content]]:
        """`extract` for asyncio: an asynchronous generator."""
        lists = self.extract(url)
        while (contents := await in_thread(partial(next, lists, None))) is not None:
            yield contents

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await in_thread(partial(self.__exit__, kind, error, trace))

    # --- for the batches

    def _tell_skipped(self, url: str, extractor: BaseExtractor, told: int) -> int:
        for skip in extractor.skipped[told:]:
            self.dispatcher.tell_skip(url, skip)
        return len(extractor.skipped)

    def downloader_for(self, content: Content, request: DownloadRequest | None) -> BaseDownloader:
        """What downloads a content; the same for all, except those with headers of their own.

        Raises:
            UnsupportedURL: Nothing can.
            InvalidSetting: A header is none.
        """
        kind = find_downloader(content)
        if request is not None and request.headers and issubclass(kind, HTTPDownloader):
            own = {str(name).lower() for name in request.headers}
            common = {name: value for name, value in self.settings.headers.items() if name.lower() not in own}
            return self._downloader_with(kind, {**common, **request.headers})
        if kind not in self._downloaders:
            self._downloaders.setdefault(kind, self._new_downloader(kind, self.settings))
        return self._downloaders[kind]

    def _downloader_with(self, kind: type[HTTPDownloader], headers: dict[str, str]) -> BaseDownloader:
        """The one for requests with these headers, of which a program has few kinds."""
        key = (kind, *sorted((str(name), str(value)) for name, value in headers.items()))
        made = self._by_headers.get(key)
        if made is None:
            made = self._new_downloader(kind, replace(self.settings, headers=headers))
            if len(self._by_headers) < MAX_KINDS:
                self._by_headers[key] = made
        return made

    def _new_downloader(self, kind: type[BaseDownloader], settings: Settings) -> BaseDownloader:
        if not issubclass(kind, HTTPDownloader):
            return kind()
        made = kind(session=self.session, settings=settings)
        made.throttle = self._throttle
        if self.strategy is not None:
            made.retries = 0  # else there would be more attempts than it knows of
        return made

    def new_id(self) -> str:
        """The id of one more download."""
        return f"{next(self._numbers)}"

    @staticmethod
    def key_of(url: str) -> str:
        """What the history calls the file at a URL, as the extractor for such URLs does."""
        return f"generic-{sha256(url.partition('#')[0].encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"

    def _begin(
        self, items: Any, folder: FilePath, url_map: Callable[[Any], Any] | None = None, *, extracting: bool = False
    ) -> Run:
        if self._closed:
            raise InvalidSetting("the client is closed - make another one")
        if url_map is not None and not callable(url_map):
            raise InvalidSetting(f"{shown(url_map)} is no url_map - give a function from an object to its URL")
        items = [items] if isinstance(items, (str, DownloadRequest)) else items  # else each letter would be one
        run = Run(self, Targets(folder, self.map_path), items, url_map, extracting=extracting)
        run.start()
        return run

    def _runs(self) -> list[Run]:
        return [run for run in list(alive) if run.client is self]


def result_of(reports: list[DownloadReport]) -> DownloadReport:
    """The one report, if it is of a success.

    Raises:
        QetchError: Why it failed.
        concurrent.futures.CancelledError: It was canceled.
    """
    (report,) = reports
    if report.state is ReportState.CANCELED:
        raise CancelledError
    if report.error is not None:
        raise report.error
    return report


def _job(wanted: Content | DownloadRequest | str, to: Destination | None) -> Job:
    """The job of one download.

    Raises:
        InvalidSetting: What is wanted is nothing that can be.
    """
    if isinstance(wanted, Content):
        job = Job.of(DownloadRequest(str(wanted.source), to), wanted)
    else:
        job = job_of(wanted)
        if to is not None and job.request is not None:
            job = Job.of(replace(job.request, destination=to))
    job.is_alone = True
    return job


def _check(name: str, value: object, *kinds: Any) -> None:
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
        raise InvalidSetting(f"{name} is {shown(value)}, where {wanted} is wanted")


def _listeners(given: object) -> list[DownloadEventListener]:
    listeners: list[Any] = list(given) if isinstance(given, Iterable) else [given]
    for listener in listeners:
        if not isinstance(listener, DownloadEventListener):
            raise InvalidSetting(f"{shown(listener)} is no listener - subclass DownloadEventListener")
    return listeners
