"""What every downloader shares: the road from a content to a whole file, its state and its progress."""

from __future__ import annotations

import enum
import itertools
import logging
import os
import threading
import weakref
from abc import ABC, abstractmethod
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING

from qetch.downloaders._fragments import Fragments
from qetch.downloaders._part import PartFile, file_errors
from qetch.downloaders._run import Run
from qetch.downloaders._steps import Steps
from qetch.downloaders._verify import verifiable, verify
from qetch.errors import SpecError, UnsupportedURL

if TYPE_CHECKING:
    from qetch.content import Content
    from qetch.downloaders._run import HeadersHook, ProgressHook
    from qetch.downloaders._steps import Waits

log = logging.getLogger("qetch")

hand_written: list[weakref.ref[type[BaseDownloader]]] = []
"""The downloaders that somebody wrote elsewhere, in the order of their definition."""

MIN_DELAY = 0.01
"""Seconds between two calls of a hook, at least: a hook is no reason to keep a processor busy."""


class DownloadState(enum.Enum):
    """Where a download is."""

    STOPPED = "stopped"
    """It ended by an error."""
    RUNNING = "running"
    PREPARING = "preparing"
    """It has not begun to receive."""
    FINISHED = "finished"
    """The file is there, whole."""


class BaseDownloader(ABC):
    """Saves a `Content` as a file.

    A subclass says by `can_handle` which contents are its own, and receives one URL in `handle_download`. It
    registers itself, and is asked before qetch's own; define it with `register=False` to prevent that. One instance
    may run several downloads at a time.

    Attributes:
        download_state: The state of each download, by its id.
        progress_store: How many bytes of each download were received, by its id.
        folder: Where files are that are not complete, if not beside their destinations.
    """

    def __init_subclass__(cls, register: bool = True, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if register:
            hand_written.append(weakref.ref(cls))

    def __init__(self) -> None:
        self.download_state: dict[str, DownloadState] = {}
        self.progress_store: dict[str, int] = {}
        self._runs: dict[str, Run] = {}
        self.folder: str | None = None
        self._name = os.urandom(8).hex()
        self._numbers = itertools.count()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at 0x{id(self):X}>"

    @classmethod
    @abstractmethod
    def can_handle(cls, content: Content) -> bool:
        """Whether this downloader can download the content."""

    @abstractmethod
    def handle_download(self, download_id: str, url: str, to_path: str, max_connections: int = 8) -> None:
        """Saves what is at one URL.

        Args:
            download_id: Under which the bytes are counted, see `advance`.
            url: One of the content's fragments.
            to_path: The file to write; whatever it holds is worthless.
            max_connections: How many connections may serve this URL at a time.
        """

    def download(
        self,
        content: Content,
        to_path: str | os.PathLike[str],
        max_fragments: int = 1,
        max_connections: int = 8,
        progress_hook: ProgressHook | None = None,
        update_delay: float = 0.1,
        *,
        download_id: str | None = None,
        headers_hook: HeadersHook | None = None,
    ) -> str:
        """Downloads a content: afterwards the file is there, whole and verified, or untouched.

        Up to `max_fragments * max_connections` connections may be open at a time; many hosts ban whoever opens more
        than 10.

        Args:
            content: What to download.
            to_path: The path of the file to write; its folder must exist, an older file is replaced.
            max_fragments: How many fragments to download at a time.
            max_connections: How many connections to use for each of them.
            progress_hook: Called with `(download_id, current, total)` in bytes, at least every `update_delay` and
                once at the end, from a thread of its own. While the size is unknown, `total` is `max(current, 1)`.
            update_delay: In seconds.
            download_id: By which the download is known, to `cancel` and others; made up unless given.
            headers_hook: Called with the headers of the first answer, once, from the thread that received it.

        Returns:
            The path of the file.

        Raises:
            UnsupportedURL: This downloader cannot handle the content.
            NotFound, Gone, Forbidden, AuthenticationError, GeoBlocked, RateLimited, RemoteError: The host's answer.
            BadFile: The file is not what was promised: its size, a checksum, or a web page in its place.
            NetworkError: The connection failed.
            FileError: The file could not be written.
            ValueError: A number is below 1, or the id is that of a download which is not over.
            concurrent.futures.CancelledError: See `cancel`.
        """
        path = os.fspath(to_path)
        hooks = progress_hook, update_delay, download_id, headers_hook
        Steps(self.download_steps(content, path, max_fragments, max_connections, *hooks)).run()
        return path

    def download_steps(
        self,
        content: Content,
        path: str,
        max_fragments: int,
        max_connections: int,
        progress_hook: ProgressHook | None = None,
        update_delay: float = 0.1,
        download_id: str | None = None,
        headers_hook: HeadersHook | None = None,
    ) -> Waits:
        """The same in steps, for who has something else to do while the disk is waited for."""
        if not self.can_handle(content):
            raise UnsupportedURL(unsupported(content))
        if max_fragments < 1 or max_connections < 1:
            raise ValueError("max_fragments and max_connections must be 1 or more")
        verifiable(content)
        download_id = download_id or f"{content.uid}-{self._name}{next(self._numbers):x}"
        run = Run(content, progress_hook, headers_hook)
        if self._runs.setdefault(download_id, run) is not run:
            raise ValueError(f"the download {download_id} is not over: give another id")
        self.progress_store[download_id] = 0
        self.download_state[download_id] = DownloadState.PREPARING
        reporter = self._start_reporter(download_id, run, update_delay) if run.hook else None
        outcome = DownloadState.STOPPED
        try:
            yield from self._save(download_id, content, path, max_fragments, max_connections)
            outcome = DownloadState.FINISHED
        except Exception:
            if run.settle():
                raise
            raise CancelledError(f"the download of {content.uid} was canceled") from None
        finally:
            self.download_state[download_id] = outcome
            if reporter is not None and run.ended is not None:
                run.ended.set()
                reporter.join()
            del self._runs[download_id]

    def cancel(self, download_id: str) -> bool:
        """Ends a download at once, wherever it is; its `download` raises `concurrent.futures.CancelledError`.

        The destination stays as it was. What a later attempt can use is kept, as after any interruption.

        Returns:
            False if there is no such download, or it is too late: the file is whole already, or there is an error.
        """
        run = self._runs.get(download_id)
        return run is not None and run.cancel()

    def total_of(self, download_id: str) -> int | None:
        """How many bytes a download will have, or has; None while nobody knows."""
        run = self._runs.get(download_id)
        if run is not None:
            return run.total
        finished = self.download_state.get(download_id) is DownloadState.FINISHED
        return self.progress_store.get(download_id) if finished else None

    def parts_of(self, download_id: str) -> tuple[int, int] | None:
        """How many fragments of a download are complete, and how many there are; None unless it runs."""
        run = self._runs.get(download_id)
        return None if run is None or run.content is None else (run.complete, len(run.content.fragments))

    def forget(self, download_id: str) -> None:
        """Drops the state and the progress of a download that is over.

        Raises:
            ValueError: It is not over.
        """
        if download_id in self._runs:
            raise ValueError(f"the download {download_id} is not over")
        self.download_state.pop(download_id, None)
        self.progress_store.pop(download_id, None)

    def _save(self, download_id: str, content: Content, path: str, max_fragments: int, max_connections: int) -> Waits:
        with PartFile(path, self.folder) as part:
            run = self._runs[download_id]
            run.part = part
            count = len(content.fragments)
            paths = [part.path] if count == 1 else [part.beside(str(number)) for number in range(count)]
            run.segments = dict(zip(paths, content.segments, strict=False))
            if count == 1:
                self.handle_download(download_id, content.fragments[0], part.path, max_connections)
                whole = part.path
            else:
                part.has_journal = True
                with Fragments(part, content, paths) as fragments:
                    self._save_fragments(download_id, fragments, max_fragments, max_connections)
                    whole = _merge(content, part, paths)
            verify(content, whole, run.refuse_canceled)
            if not run.settle():
                raise CancelledError
            yield partial(part.sync, whole, run.modified)
            part.finish(whole, run.modified)

    def _save_fragments(self, download_id: str, fragments: Fragments, max_fragments: int, max_connections: int) -> None:
        """Saves every fragment to its path, up to `max_fragments` at a time; the first error ends all of them."""
        from qetch.downloaders._crew import run_all

        run = self._runs[download_id]
        urls = run.content.fragments if run.content else []
        jobs = [
            partial(self._save_fragment, download_id, url, fragments, number, max_connections)
            for number, url in enumerate(urls)
        ]
        run_all(jobs, max_fragments, run.stop)

    def _save_fragment(
        self, download_id: str, url: str, fragments: Fragments, number: int, max_connections: int
    ) -> None:
        """Saves a fragment, unless an earlier attempt did."""
        length, path = fragments.length(number), fragments.paths[number]
        if length is None:
            self.handle_download(download_id, url, path, max_connections)
            self.advance(download_id, 0)  # an answer without a length that is cut off looks like a whole one
            fragments.complete(number)
        else:
            self.expect(download_id, path, length)
            self.advance(download_id, length)
        run = self._run(download_id)
        with run.lock:
            run.complete += 1

    def content_of(self, download_id: str) -> Content | None:
        """What a download is of; None if a part was asked for by hand."""
        return self._run(download_id).content

    def _run(self, download_id: str) -> Run:
        """The facts of a download; new ones if a part is asked for by hand."""
        return self._runs.get(download_id) or Run()

    def expect(self, download_id: str, to_path: str, length: int) -> None:
        """Notes how many bytes the URL that is saved to `to_path` has, so that a hook learns the total."""
        run = self._run(download_id)
        with run.lock:
            run.lengths[to_path] = length

    def expect_anew(self, download_id: str, to_path: str) -> None:
        """Forgets what was said of a URL that is begun anew: its length, and when it was modified."""
        run = self._run(download_id)
        with run.lock:
            run.lengths.pop(to_path, None)
            if run.content is not None and len(run.content.fragments) == 1:
                run.modified = None

    def advance(self, download_id: str, count: int) -> None:
        """Counts bytes as received.

        Raises:
            concurrent.futures.CancelledError: The download was canceled, or another part of it failed.
        """
        run = self._run(download_id)
        with run.lock:
            self.progress_store[download_id] = self.progress_store.get(download_id, 0) + count
            if count and self.download_state.get(download_id) is DownloadState.PREPARING:
                self.download_state[download_id] = DownloadState.RUNNING
        if run.halted:
            raise CancelledError

    def _start_reporter(self, download_id: str, run: Run, update_delay: float) -> threading.Thread:
        run.ended = threading.Event()
        arguments = (download_id, run.total or 0, update_delay)
        reporter = threading.Thread(target=self.handle_progress, args=arguments, name="qetch-progress", daemon=True)
        reporter.start()
        return reporter

    def handle_progress(self, download_id: str, content_length: int, update_delay: float = 0.1) -> None:
        """Tells a download's hook about its progress, from the start until the download ended.

        Args:
            download_id: The download.
            content_length: Its length in bytes, as far as is known at the start; else 0.
            update_delay: Seconds between two calls.
        """
        run = self._run(download_id)
        if run.hook is None or run.ended is None:
            return
        tell = _forgiving(run.hook)
        while True:
            ended = run.ended.is_set()  # before the numbers are read, so that the last call has the last ones
            current = self.progress_store[download_id]
            tell(download_id, current, max(run.total or content_length, current, 1))
            if ended:
                return
            run.ended.wait(max(update_delay, MIN_DELAY))


def unsupported(content: Content) -> str:
    """Why no downloader can handle a content."""
    if content.playlist and not content.segments:
        return f"{content.uid} is a playlist ({content.playlist}) that its extractor did not expand into segments"
    if not content.fragments:
        return f"{content.uid} has no URL to download"
    from qetch.downloaders._verify import shown

    return f"nothing can download {', '.join(map(shown, content.fragments[:3]))} - only http and https URLs can be"


def _merge(content: Content, part: PartFile, paths: list[str]) -> str:
    """One file out of the fragments, on the disk of the destination."""
    import shutil

    with file_errors(part.to_path):
        merged = content.extractor.merge(paths)
    if not os.path.isfile(merged):  # noqa: PTH113 - the documented paths are texts
        raise SpecError(
            f"merge() of {content.extractor!r} gave {merged!r}, which is no file - return the merged one's path"
        )
    if merged in paths:
        return merged
    whole = part.beside(".merged")
    with file_errors(part.to_path):
        shutil.move(merged, whole)
    return whole


def _forgiving(hook: ProgressHook) -> ProgressHook:
    """The hook, except that what it raises is only logged, and once: a display shall not cost the file."""
    failed = False

    def tell(download_id: str, current: int, total: int) -> None:
        nonlocal failed
        try:
            hook(download_id, current, total)
        except Exception:
            if not failed:
                log.exception("the progress hook of %s failed; the download goes on", download_id)
            failed = True

    return tell
