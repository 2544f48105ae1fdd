"""One download of a batch: from the wish to the file."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from qetch.client.request import DownloadReport, DownloadRequest, ReportState, shown
from qetch.content import Content
from qetch.downloaders import BaseDownloader
from qetch.downloaders.http import HTTPDownloader
from qetch.errors import FileError, InvalidURL
from qetch.filenames import extension_of
from qetch.policy import target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.downloaders._asked import Asked
    from qetch.downloaders._steps import Waits
    from qetch.wire import Answer

FRAGMENTS = 4
"""Of a file in many pieces, so many are fetched at a time; the connections are shared among them."""
PIECE = 1 << 20
DOWNLOAD = BaseDownloader.download
"""As it is unless somebody has put something in its place."""

_counting = threading.Lock()
"""Held while a report gets its numbers, so that older ones do not come last."""


@dataclass(slots=True, eq=False)
class Job:
    """A download that is wanted.

    Attributes:
        report: What becomes of it.
        host: Of its URL, for fairness; "" if it has none.
        content: What is wanted, if it was extracted.
        request: Who wants it, and where.
        path: Where the file goes; None for a file object, and as long as that is not decided.
        key: Stands for the path or the file object, see `Targets.claim`; empty as long as that is not decided.
        downloader: What downloads it, as long as it runs.
        download_id: Under which id.
        asked: The answer to its first request, if that was sent before it runs.
        is_page: Whether the URL is that of a page, whose contents are wanted.
        is_alone: Whether somebody waits for this one file.
        settled: Whether the report is final.
    """

    report: DownloadReport
    host: str
    content: Content | None = None
    request: DownloadRequest | None = None
    path: str | None = None
    key: bytes = b""
    downloader: BaseDownloader | None = None
    download_id: str = ""
    asked: Asked | None = None
    is_page: bool = False
    is_alone: bool = False
    settled: bool = False
    _made: Content | None = None

    @classmethod
    def of(cls, request: DownloadRequest, content: Content | None = None, *, is_page: bool = False) -> Job:
        """The job for a request, or for a content that goes where the request says."""
        url = request.url if content is None or not content.fragments else content.fragments[0]
        report = DownloadReport(request.url, request.destination, request.data, content)
        return cls(report, host_of(url), content, request, is_page=is_page)

    @property
    def may_be_skipped(self) -> bool:
        """Whether a file that is there, or was fetched before, is as good as one that is fetched now."""
        return not self.is_alone and not hasattr(self.report.destination, "write")

    @property
    def owner(self) -> str:
        """Whose the path is: two jobs of one owner want the same file."""
        return self.content.uid if self.content is not None else self.report.url.partition("#")[0]

    def wanted(self) -> Content:
        """What a downloader is told: the content, or one made of the request."""
        if self.content is not None:
            return self.content
        if self._made is None:
            url = self.owner
            self._made = Content(url, url, [url], cast("Any", None))
            # A URL that promises no kind of file may give a web page: that is none in its place.
            self._made.extension = extension_of(self._made) or "html"
        return self._made

    def cancel(self) -> None:
        """Ends it, if it runs."""
        downloader = self.downloader
        if downloader is not None:
            downloader.cancel(self.download_id)

    def progress(self) -> bool:
        """Brings the report up to date; whether bytes came since the last time."""
        report = self.report
        with _counting:
            downloader, before = self.downloader, report.bytes_downloaded
            if downloader is None:
                return False
            report.bytes_downloaded = downloader.progress_store.get(self.download_id, before)
            total = downloader.total_of(self.download_id)
            report.total_bytes = report.total_bytes if total is None else total
            report.parts = downloader.parts_of(self.download_id) or report.parts
            return report.bytes_downloaded != before

    def ask_ahead(self) -> Answer | None:
        """Sends the first request, if the answer may be waited for along with others: where that will be.

        Raises:
            QetchError: The URL is none.
        """
        content = self.wanted()
        if self.path is None or type(self.downloader) is not HTTPDownloader:
            return None
        self.asked = self.downloader.ask_ahead(content, self.path)
        return None if self.asked is None else self.asked.answer

    def let_go(self) -> None:
        """Closes the answer that was asked for before it runs."""
        asked, self.asked = self.asked, None
        if asked is not None:
            asked.close()

    def steps(self, content: Content, path: str, connections: int, on_headers: Callable[[Any], object]) -> Waits:
        """Downloads what is wanted to a path, see `BaseDownloader.download_steps`.

        Raises:
            QetchError: See `BaseDownloader.download`.
            concurrent.futures.CancelledError: It was canceled.
        """
        downloader = self.downloader
        if downloader is None:
            raise AssertionError("a job is given its downloader before it begins")
        fragments = FRAGMENTS if len(content.fragments) > 1 else 1
        named: dict[str, Any] = {
            "max_fragments": fragments,
            "max_connections": max(connections // fragments, 1),
            "download_id": self.download_id,
            "headers_hook": on_headers,
        }
        if self.asked is not None and isinstance(downloader, HTTPDownloader):
            downloader.use(self.download_id, self.asked)
        try:
            if getattr(downloader.download, "__func__", None) is DOWNLOAD:
                yield from downloader.download_steps(content, path, **named)
            else:  # somebody's own
                downloader.download(content, path, **named)
        finally:
            self.progress()
            with _counting:
                self.downloader = None
            downloader.forget(self.download_id)
            self.let_go()


@contextlib.contextmanager
def temporary_path(folder: str | os.PathLike[str] | None) -> Iterator[str]:
    """A path for a file that is removed at the end, in a folder of its own.

    Raises:
        FileError: There is no place for it.
    """
    from tempfile import TemporaryDirectory

    try:
        made = TemporaryDirectory(prefix="qetch-", dir=folder)
    except OSError as error:
        raise FileError(f"no temporary folder can be made: {error.strerror} - see tmp_dir, or TMPDIR") from error
    with made as name:
        yield os.path.join(name, "file")  # noqa: PTH118 - the documented paths are texts


def copy_to(path: str, file: IO[bytes], check: Callable[[], object]) -> None:
    """Writes a complete file to a file object, from where that is; `check` may end it between two pieces.

    Raises:
        FileError: The file object does not take it.
    """
    with Path(path).open("rb") as whole:
        while piece := whole.read(PIECE):
            check()
            written = _written(file, piece)
            while written < len(piece):
                written += _written(file, memoryview(piece)[written:])
    with _object_errors(file):
        getattr(file, "flush", bool)()


def _written(file: IO[bytes], data: bytes | memoryview) -> int:
    with _object_errors(file):
        count: object = file.write(data)
    if count is None and not isinstance(file, io.RawIOBase):  # as some write it
        return len(data)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= len(data):
        raise FileError(f"{shown(file)}: its write() says {shown(count)} of {len(data)} bytes - it must take some")
    return count


@contextlib.contextmanager
def _object_errors(file: IO[bytes]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        cure = " - open it for writing bytes ('wb')" if isinstance(error, TypeError) else ""
        raise FileError(f"{shown(file)} cannot be written: {type(error).__name__}: {error}{cure}") from error


def settle(report: DownloadReport, state: ReportState, error: BaseException | None = None) -> None:
    """Makes a report final."""
    report.error = error
    report.finish_time = datetime.now(UTC)
    report.state = state


def job_of(wanted: Any, *, is_page: bool = False) -> Job:
    """The job for what somebody wants: a URL, a request, or a job already.

    Raises:
        InvalidSetting: It is none of these.
    """
    if isinstance(wanted, Job):
        return wanted
    if not isinstance(wanted, DownloadRequest):
        wanted = DownloadRequest(wanted.strip() if isinstance(wanted, str) else wanted)  # the lines of a file are URLs
    return Job.of(wanted, is_page=is_page)


def host_of(url: str) -> str:
    """The host that a URL names, as far as fairness is concerned; "" for what is no URL.

    >>> host_of("https://Files.example:8000/a.png")
    'files.example'
    """
    with contextlib.suppress(InvalidURL):
        return target_of(url).host
    return ""
