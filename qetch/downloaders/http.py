"""The downloader for what is served by HTTP: parts over several connections where the host serves them."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qetch.downloaders import _range
from qetch.downloaders._body import PIECE, pieces, plain_length
from qetch.downloaders._common import BaseDownloader
from qetch.downloaders._journal import Journal, Object, remembered
from qetch.downloaders._part import file_errors, journal_of
from qetch.downloaders._plan import Plan
from qetch.downloaders._transfer import Changed, Transfer
from qetch.downloaders._verify import is_page, refuse_length, refuse_outcome, shown, status_of
from qetch.errors import BadFile, RemoteError
from qetch.filenames import extension_of
from qetch.network import CONNECT_SECONDS, READ_SECONDS, target_of, translated
from qetch.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from qetch.content import Content
    from qetch.downloaders._plan import Segment

PROBE = 2 << 20
"""Bytes of the first request, which shows whether the host serves parts; a smaller file costs no other."""
MAX_RESTARTS = 2
"""How often a file that changes meanwhile is begun anew."""


class HTTPDownloader(BaseDownloader, register=False):
    """Downloads over http and https.

    Args:
        session: The session to use; by default one of qetch's own, which sends no credentials and refuses private
            addresses, except the host of the URL that the user gave.
    """

    timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS)
    """Seconds to wait for a connection, and for the next bytes."""

    def __init__(self, session: requests.Session | None = None) -> None:
        super().__init__()
        self._session = session

    @property
    def session(self) -> requests.Session:
        """The session for downloading, made when it is first asked for."""
        if self._session is None:
            self._session = Session()
        return self._session

    @session.setter
    def session(self, session: requests.Session) -> None:
        self._session = session

    @classmethod
    def can_handle(cls, content: Content) -> bool:
        """Whether all the content's URLs are http or https, and no playlist that would have to be read first."""
        schemes = {url.partition(":")[0].lower() for url in content.fragments}
        return bool(schemes) and schemes <= {"http", "https"} and not content.playlist

    def handle_download(self, download_id: str, url: str, to_path: str, max_connections: int = 8) -> None:
        """Saves what is at one URL.

        What is left of an earlier attempt is used, if the host still serves the same object.

        Args:
            download_id: The unique id of the download request.
            url: The URL to download.
            to_path: The file to write; afterwards it is complete, or has a journal beside it, or is worthless.
            max_connections: How many connections may serve this URL at a time.

        Raises:
            QetchError: As `download` does.
        """
        work = _Work(self, download_id, url, to_path, max_connections)
        for _ in range(MAX_RESTARTS + 1):
            try:
                work.run()
            except Changed:
                work.start_over()
            else:
                return
        raise RemoteError(f"{shown(url)}: the file changes again and again while it is downloaded - try again later")

    def handle_chunk(
        self, download_id: str, url: str, to_path: str, start: int, end: int, chunk_size: int = 1024
    ) -> None:
        """Saves a range of the bytes at one URL to the same place in the file; the rest of the file stays.

        Args:
            download_id: The unique id of the download request.
            url: The URL to download.
            to_path: The file to write into.
            start: The position of the first byte, from 0.
            end: The position of the last byte, itself included.
            chunk_size: How many bytes to read at most at once.

        Raises:
            RemoteError: The host does not send this range.
            QetchError: As `download` does.
        """
        with self.answer(download_id, url, Range=f"bytes={start}-{end}") as response:
            found = _range.bounds(response)
            if response.status_code != 206 or found is None or found[:2] != (start, end + 1):
                raise RemoteError(
                    f"{shown(url)}: the host does not send bytes {start} to {end} (it says {status_of(response)})"
                )
            with _opened(to_path) as descriptor:
                position = start
                for piece in pieces(response, "", shown(url), chunk_size):
                    if position + len(piece) > end + 1:
                        break
                    _write(descriptor, piece, position, to_path)
                    position += len(piece)
                    self.advance(download_id, len(piece))
            if position != end + 1:
                raise RemoteError(f"{shown(url)}: the host sent another length than {end - start + 1} bytes")

    @contextlib.contextmanager
    def answer(self, download_id: str, url: str, **more: str) -> Iterator[requests.Response]:
        """A streamed answer that is not an error, closed at the end; `more` are request headers, `_` for `-`."""
        content = self._run(download_id).content
        asked = {name.replace("_", "-"): text for name, text in more.items()}
        headers: dict[str, Any] = {**(content.headers if content else {}), "Accept-Encoding": "identity", **asked}
        session = self._session_for(content, url)
        with translated(shown(url)):
            response = session.get(url, headers=headers, stream=True, timeout=self.timeout)
            with response:
                if not ("Range" in more and response.status_code in (400, 416, 501)):  # these may mind the range only
                    refuse_outcome(response, content.gone if content else ())
                yield response

    def _session_for(self, content: Content | None, url: str) -> requests.Session:
        """The session; for a file on the very host that the user named, one that may ask it though it is private."""
        session = self.session
        if not isinstance(session, Session) or content is None:
            return session
        host = target_of(url).host
        if host != (content.source.host or "").strip("[]").lower():
            return session
        return session.child(replace(session.policy, private_hosts=session.policy.private_hosts | {host}))


class _Work:
    """One URL on its way to one file.

    Attributes:
        counted: Bytes that are counted as received, to be taken back if they turn out worthless.
    """

    def __init__(
        self, downloader: HTTPDownloader, download_id: str, url: str, to_path: str, max_connections: int
    ) -> None:
        self.downloader = downloader
        self.download_id = download_id
        self.url = url
        self.to_path = to_path
        self.max_connections = max_connections
        self.content = downloader.content_of(download_id)
        self.extension = extension_of(self.content) if self.content else ""
        self.journal_path = journal_of(to_path)
        self.counted = 0

    def start_over(self) -> None:
        """Forgets what was received."""
        Path(self.journal_path).unlink(missing_ok=True)
        self.count(-self.counted)

    def count(self, number: int) -> None:
        self.counted += number
        self.downloader.advance(self.download_id, number)

    def run(self) -> None:
        with _opened(self.to_path) as descriptor:
            known = remembered(self.journal_path, self.to_path)
            if known and known[0].url == self.url and (known[0].validator or self._has_checksum()):
                thing, done = known
                self.count(_bytes_of(thing, done))
                self._parts(descriptor, thing, done, None)
            elif not self._begin(descriptor):
                self._stream(descriptor)

    def _has_checksum(self) -> bool:
        """Whether a file made of parts of different objects would be noticed at the end."""
        return bool(self.content and self.content.checksums and len(self.content.fragments) == 1)

    def _begin(self, descriptor: int) -> bool:
        """Asks for the first part, and goes on from there; False if the host does not serve parts."""
        with self.downloader.answer(self.download_id, self.url, Range=f"bytes=0-{PROBE - 1}") as response:
            if _range.is_empty(response):
                self._expect(0)
                os.ftruncate(descriptor, 0)
                return True
            if response.status_code == 200:
                self._save(response, descriptor)
                return True
            thing = _range.object_of(self.url, response)
            if thing is None:
                return False
            if thing.size > PROBE and not (thing.validator or self._has_checksum()):
                return False  # parts of different versions could not be told apart
            self._parts(descriptor, thing, frozenset(), response)
            return True

    # --- parts

    def _parts(self, descriptor: int, thing: Object, done: frozenset[int], probe: requests.Response | None) -> None:
        self._expect(thing.size)
        _allocate(descriptor, thing.size, self.to_path)
        journal = Journal(self.journal_path, thing, done) if thing.size > PROBE else None
        plan = Plan(thing.size, done, journal.mark if journal else None)
        try:
            begun = plan.take(1, first=PROBE) if probe is not None else None
            fetch = self._fetcher(descriptor, plan, thing, begun, probe)
            Transfer(plan, target_of(self.url).host, self.max_connections, fetch).run(begun)
        finally:
            if journal:
                journal.close()

    def _fetcher(
        self, descriptor: int, plan: Plan, thing: Object, begun: Segment | None, probe: requests.Response | None
    ) -> Callable[..., None]:
        """A function that fetches a segment; the one that the probe asked for comes from its answer."""

        def receive(segment: Segment, response: requests.Response, received: Callable[[int], None]) -> None:
            end = _range.checked_end(response, segment.position, segment.end, thing)
            for piece in self._checked(response, PIECE, segment.position == 0):
                left = end - segment.position
                if len(piece) > left:
                    piece = piece[:left]
                _write(descriptor, piece, segment.position, self.to_path)
                wanted = plan.advance(segment, len(piece))
                received(wanted)
                self.count(wanted)
                if not segment.left or segment.position >= end:
                    return

        def fetch(
            segment: Segment, opened: Callable[[requests.Response], None], received: Callable[[int], None]
        ) -> None:
            if segment is begun and probe is not None:
                opened(probe)
                with translated(shown(self.url)):
                    receive(segment, probe, received)
                return
            asked = {"Range": f"bytes={segment.position}-{segment.end - 1}"}
            if thing.validator:
                asked["If_Range"] = thing.validator
            with self.downloader.answer(self.download_id, self.url, **asked) as response:
                opened(response)
                receive(segment, response, received)

        return fetch

    # --- one stream

    def _stream(self, descriptor: int) -> None:
        """The whole file by one answer, for a host that serves no parts."""
        with self.downloader.answer(self.download_id, self.url) as response:
            if response.status_code != 200:
                raise RemoteError(f"{shown(self.url)}: the host answered {status_of(response)} instead of a file")
            self._save(response, descriptor)

    def _save(self, response: requests.Response, descriptor: int) -> None:
        length = plain_length(response)
        if length is not None:
            self._expect(length)
            _allocate(descriptor, length, self.to_path)
        position = 0
        for piece in self._checked(response, PIECE, at_start=True):
            _write(descriptor, piece, position, self.to_path)
            position += len(piece)
            self.count(len(piece))
            refuse_length(self.content, position, whole=False)
        os.ftruncate(descriptor, position)

    def _expect(self, length: int) -> None:
        self.downloader.expect(self.download_id, self.to_path, length)
        refuse_length(self.content, length, whole=bool(self.content and len(self.content.fragments) == 1))

    def _checked(self, response: requests.Response, size: int, at_start: bool) -> Iterator[bytes]:
        """The body, unless it is a web page where a file was promised."""
        body = pieces(response, self.extension, shown(self.url), size)
        start = b""
        if at_start:
            for piece in body:
                start += piece
                if len(start) >= 512:
                    break
        kind = response.headers.get("Content-Type", "")
        if self.content is not None and is_page(kind, start[:512], self.extension):
            raise BadFile(
                f"{shown(self.url)}: a web page came in place of the file - open it in a browser to see what it says"
            )
        if start:
            yield start
        yield from body


def _bytes_of(thing: Object, done: frozenset[int]) -> int:
    return thing.size - Plan(thing.size, done).left


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    """A descriptor for reading and writing, unbuffered: the pieces are large."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
    with file_errors(path):
        descriptor = os.open(path, flags, 0o666)
    try:
        yield descriptor
    finally:
        with file_errors(path):
            os.close(descriptor)


def _allocate(descriptor: int, size: int, path: str) -> None:
    """Makes the file as long as it will be, so that a full disk is noticed before anything is fetched."""
    with file_errors(path):
        os.ftruncate(descriptor, size)
        if size and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(descriptor, 0, size)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
                    raise


def _write(descriptor: int, data: bytes, position: int, path: str) -> None:
    left = memoryview(data)
    with file_errors(path):
        while left:
            count = os.pwrite(descriptor, left, position)
            left, position = left[count:], position + count
