"""What every downloader shares: the road from a content to a whole file, its state and its progress."""

from __future__ import annotations

import contextlib
import enum
import logging
import os
import threading
import weakref
from abc import ABC, abstractmethod
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qetch.downloaders._fragments import Fragments
from qetch.downloaders._part import PartFile, file_errors
from qetch.downloaders._verify import verifiable, verify
from qetch.errors import SpecError, UnsupportedURL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from qetch.content import Content, Segment

    ProgressHook = Callable[[str, int, int], object]

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


@dataclass
class Run:
    """The facts of one download, beside its state and its progress.

    Attributes:
        content: What is downloaded; None if a part was asked for by hand.
        hook: Whom to tell about the progress.
        segments: What is to know about the fragments of a playlist, by the path of their part file.
        lengths: How long the fragments are, in bytes, by the path of their part file, as far as is known.
        lock: Held while one of the download's threads counts.
        halt: Set when the download's other threads shall stop.
        ended: Set when the last progress can be told.
        responses: What its threads are reading from.
        modified: When the host says that the file was modified, as a POSIX timestamp, if that is wanted.
    """

    content: Content | None = None
    hook: ProgressHook | None = None
    segments: dict[str, Segment] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    halt: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    responses: set[requests.Response] = field(default_factory=set)
    modified: float | None = None

    @contextlib.contextmanager
    def reading(self, response: requests.Response) -> Iterator[None]:
        """Lets `stop` end a read from this response in another thread.

        Raises:
            concurrent.futures.CancelledError: The download is to stop already.
        """
        with self.lock:
            if self.halt.is_set():
                raise CancelledError
            self.responses.add(response)
        try:
            yield
        finally:
            with self.lock:
                self.responses.discard(response)

    def stop(self) -> None:
        """Ends the download's other threads, also those that wait for bytes; who waits for an answer gets none."""
        from qetch.network import cut_off

        with self.lock:
            self.halt.set()
            for response in self.responses:
                cut_off(response)

    @property
    def total(self) -> int:
        """The length of the whole file in bytes; 0 while it is unknown. That of a playlist is estimated meanwhile."""
        if self.content is None or self.content.size is not None:
            return (self.content and self.content.size) or 0
        with self.lock:
            known, count = sum(self.lengths.values()), len(self.content.fragments)
            if len(self.lengths) == count:
                return known
            # The fragments of a playlist are much alike.
            return known * count // len(self.lengths) if self.content.segments and self.lengths else 0


class BaseDownloader(ABC):
    """Saves a `Content` as a file.

    A subclass says by `can_handle` which contents are its own, and receives one URL in `handle_download`. It
    registers itself, and is asked before qetch's own; define it with `register=False` to prevent that. One instance
    may run several downloads at a time.

    Attributes:
        download_state: The state of each download, by its id.
        progress_store: How many bytes of each download were received, by its id.
    """

    def __init_subclass__(cls, register: bool = True, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if register:
            hand_written.append(weakref.ref(cls))

    def __init__(self) -> None:
        self.download_state: dict[str, DownloadState] = {}
        self.progress_store: dict[str, int] = {}
        self._runs: dict[str, Run] = {}

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

        Returns:
            The path of the file.

        Raises:
            UnsupportedURL: This downloader cannot handle the content.
            NotFound, Gone, Forbidden, AuthenticationError, GeoBlocked, RateLimited, RemoteError: The host's answer.
            BadFile: The file is not what was promised: its size, a checksum, or a web page in its place.
            NetworkError: The connection failed.
            FileError: The file could not be written.
        """
        if not self.can_handle(content):
            raise UnsupportedURL(unsupported(content))
        if max_fragments < 1 or max_connections < 1:
            raise ValueError("max_fragments and max_connections must be 1 or more")
        verifiable(content)
        path = os.fspath(to_path)
        download_id = f"{content.uid}-{os.urandom(8).hex()}"
        run = self._runs[download_id] = Run(content, progress_hook)
        self.progress_store[download_id] = 0
        self.download_state[download_id] = DownloadState.PREPARING
        reporter = self._start_reporter(download_id, run, update_delay)
        outcome = DownloadState.STOPPED
        try:
            self._save(download_id, content, path, max_fragments, max_connections)
            outcome = DownloadState.FINISHED
        finally:
            self.download_state[download_id] = outcome
            run.ended.set()
            if reporter is not None:
                reporter.join()
            del self._runs[download_id]
        return path

    def _save(self, download_id: str, content: Content, path: str, max_fragments: int, max_connections: int) -> None:
        with PartFile(path) as part:
            count = len(content.fragments)
            paths = [part.path] if count == 1 else [part.beside(str(number)) for number in range(count)]
            self._run(download_id).segments = dict(zip(paths, content.segments, strict=False))
            if count == 1:
                self.handle_download(download_id, content.fragments[0], part.path, max_connections)
                whole = part.path
            else:
                with Fragments(part, content, paths) as fragments:
                    self._save_fragments(download_id, fragments, max_fragments, max_connections)
                    whole = _merge(content, part, paths)
            verify(content, whole)
            part.finish(whole, self._run(download_id).modified)

    def _save_fragments(self, download_id: str, fragments: Fragments, max_fragments: int, max_connections: int) -> None:
        """Saves every fragment to its path, up to `max_fragments` at a time; the first error ends all of them."""
        from functools import partial

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
            fragments.complete(number)
        else:
            self.expect(download_id, path, length)
            self.advance(download_id, length)

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

    def advance(self, download_id: str, count: int) -> None:
        """Counts bytes as received.

        Raises:
            concurrent.futures.CancelledError: Another part of this download failed, so that this one is worthless.
        """
        run = self._run(download_id)
        with run.lock:
            self.progress_store[download_id] = self.progress_store.get(download_id, 0) + count
            if count and self.download_state.get(download_id) is DownloadState.PREPARING:
                self.download_state[download_id] = DownloadState.RUNNING
        if run.halt.is_set():
            raise CancelledError

    def _start_reporter(self, download_id: str, run: Run, update_delay: float) -> threading.Thread | None:
        if run.hook is None:
            return None
        arguments = (download_id, run.total, update_delay)
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
        if run.hook is None:
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
