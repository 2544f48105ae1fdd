"""The downloader for what is served by HTTP: one stream for each URL."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qetch.downloaders._body import PIECE, pieces, plain_length
from qetch.downloaders._common import BaseDownloader
from qetch.downloaders._part import file_errors
from qetch.downloaders._verify import is_page, refuse_length, refuse_outcome, shown, status_of
from qetch.errors import BadFile, RemoteError
from qetch.filenames import extension_of
from qetch.network import CONNECT_SECONDS, READ_SECONDS, target_of, translated
from qetch.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from qetch.content import Content


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
        """Saves what is at one URL, by one connection: the ranged download has its place here.

        Args:
            download_id: The unique id of the download request.
            url: The URL to download.
            to_path: The file to write; whatever it holds is replaced.
            max_connections: How many connections may serve this URL at a time.

        Raises:
            QetchError: As `download` does.
        """
        del max_connections  # one stream is always allowed
        content = self._run(download_id).content
        with self._answer(download_id, url) as response:
            if response.status_code != 200:
                raise RemoteError(f"{shown(url)}: the host answered {status_of(response)} instead of a file")
            length = plain_length(response)
            if length is not None:
                self.expect(download_id, to_path, length)
                refuse_length(content, length, whole=content is not None and len(content.fragments) == 1)
            with _opened(to_path, os.O_TRUNC) as descriptor:
                for piece in self._checked(response, content, url, PIECE):
                    _write(descriptor, piece, to_path)
                    self.advance(download_id, len(piece))
                    refuse_length(content, self.progress_store[download_id], whole=False)

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
        with self._answer(download_id, url, Range=f"bytes={start}-{end}") as response:
            declared = response.headers.get("Content-Range", "")
            if response.status_code != 206 or declared.partition("/")[0].strip() != f"bytes {start}-{end}":
                raise RemoteError(
                    f"{shown(url)}: the host does not send bytes {start} to {end} (it says {status_of(response)})"
                )
            with _opened(to_path) as descriptor:
                os.lseek(descriptor, start, os.SEEK_SET)
                left = end - start + 1
                for piece in pieces(response, "", shown(url), chunk_size):
                    left -= len(piece)
                    if left < 0:
                        break
                    _write(descriptor, piece, to_path)
                    self.advance(download_id, len(piece))
            if left:
                raise RemoteError(f"{shown(url)}: the host sent another length than {end - start + 1} bytes")

    @contextlib.contextmanager
    def _answer(self, download_id: str, url: str, **more: str) -> Iterator[requests.Response]:
        """A streamed answer that is not an error, closed at the end; `more` are request headers."""
        content = self._run(download_id).content
        headers: dict[str, Any] = {**(content.headers if content else {}), "Accept-Encoding": "identity", **more}
        session = self._session_for(content, url)
        with translated(shown(url)):
            response = session.get(url, headers=headers, stream=True, timeout=self.timeout)
            with response:
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

    def _checked(self, response: requests.Response, content: Content | None, url: str, size: int) -> Iterator[bytes]:
        """The body, unless it is a web page where a file was promised."""
        extension = extension_of(content) if content else ""
        body = pieces(response, extension, shown(url), size)
        start = b""
        for piece in body:
            start += piece
            if len(start) >= 512:
                break
        kind = response.headers.get("Content-Type", "")
        if content is not None and is_page(kind, start[:512], extension):
            raise BadFile(
                f"{shown(url)}: a web page came in place of the file - open it in a browser to see what it says"
            )
        yield start
        yield from body


@contextlib.contextmanager
def _opened(path: str, flags: int = 0) -> Iterator[int]:
    """A descriptor for writing, unbuffered: the pieces are large."""
    flags |= os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
    with file_errors(path):
        descriptor = os.open(path, flags, 0o666)
    try:
        yield descriptor
    finally:
        with file_errors(path):
            os.close(descriptor)


def _write(descriptor: int, data: bytes, path: str) -> None:
    left = memoryview(data)
    with file_errors(path):
        while left:
            left = left[os.write(descriptor, left) :]
