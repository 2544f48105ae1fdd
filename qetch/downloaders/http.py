"""The downloader for what is served by HTTP: parts over several connections where the host serves them."""

from __future__ import annotations

import contextlib
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qetch.downloaders import _range
from qetch.downloaders._body import pieces
from qetch.downloaders._common import BaseDownloader
from qetch.downloaders._disk import opened, write
from qetch.downloaders._limits import Throttle, turns
from qetch.downloaders._object import ObjectWork
from qetch.downloaders._segments import RangeWork, decrypt
from qetch.downloaders._verify import last_modified, refuse_outcome, shown, status_of
from qetch.downloaders.settings import Settings
from qetch.errors import InvalidSetting, InvalidURL, RemoteError
from qetch.network import target_of, translated
from qetch.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from qetch.content import Content
    from qetch.policy import Target


class HTTPDownloader(BaseDownloader, register=False):
    """Downloads over http and https.

    Args:
        session: The session to use; by default one of qetch's own, which sends no credentials and refuses private
            addresses, except the host of the URL that the user gave.
        settings: Speed, connections, proxies, trust, and what to send to the host that the user named.

    Attributes:
        settings: Those.
        timeout: Seconds to wait for a connection, and for the next bytes.
        throttle: Shares the speed among the connections.

    Raises:
        InvalidSetting: The settings hold credentials or headers, and the session is none of qetch's, which would send
            them anywhere.
    """

    def __init__(self, session: requests.Session | None = None, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self.timeout = self.settings.timeout
        self.throttle = Throttle(self.settings.max_speed)
        self._session: requests.Session | None = None
        if session is not None:
            self.session = session

    @property
    def session(self) -> requests.Session:
        """The session for downloading, made when it is first asked for."""
        if self._session is None:
            self._session = Session()
        return self._session

    @session.setter
    def session(self, session: requests.Session) -> None:
        if self.settings.private and not isinstance(session, Session):
            raise InvalidSetting("basic_auth and headers need a session of qetch - or set them on your session itself")
        self._session = session

    @classmethod
    def can_handle(cls, content: Content) -> bool:
        """Whether all the content's URLs are http or https, and no playlist that would have to be read first."""
        schemes = {url.partition(":")[0].lower() for url in content.fragments}
        return bool(schemes) and schemes <= {"http", "https"} and bool(content.segments or not content.playlist)

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
        segment = self._run(download_id).segments.get(to_path)
        if segment is not None and segment.length is not None:
            RangeWork(self, download_id, url, to_path, segment, max_connections).run()
        else:
            ObjectWork(self, download_id, url, to_path, max_connections).run()
        if segment is not None and segment.key is not None:
            decrypt(to_path, segment.key, segment.iv, url)

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
        with (
            self.turn(download_id, url),
            self.answer(download_id, url, Range=f"bytes={start}-{end}") as response,
        ):
            found = _range.bounds(response)
            if response.status_code != 206 or found is None or found[:2] != (start, end + 1):
                raise RemoteError(
                    f"{shown(url)}: the host does not send bytes {start} to {end} (it says {status_of(response)})"
                )
            with opened(to_path) as descriptor:
                position = start
                for piece in pieces(response, "", shown(url), min(chunk_size, self.throttle.piece), self.throttle):
                    if position + len(piece) > end + 1:
                        break
                    write(descriptor, piece, position, to_path)
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
            settings = self.settings.for_request()
            response = session.get(url, headers=headers, stream=True, timeout=self.timeout, **settings)
            with response, self._run(download_id).reading(response):
                if not ("Range" in more and response.status_code in (400, 416, 501)):  # these may mind the range only
                    refuse_outcome(response, content.gone if content else ())
                    self._note_time(download_id, response)
                yield response

    def _note_time(self, download_id: str, response: requests.Response) -> None:
        """Notes when the host says that the file was modified; of fragments, the last one's time counts."""
        modified = last_modified(response.headers) if self.settings.set_mtime else None
        if modified is not None:
            run = self._run(download_id)
            run.modified = max(run.modified or 0.0, modified)

    @contextlib.contextmanager
    def turn(self, download_id: str, url: str, unwanted: Callable[[], bool] | None = None) -> Iterator[bool]:
        """Holds one of the connections to a URL's host, as soon as there is one; False if it gave up waiting.

        Raises:
            concurrent.futures.CancelledError: The download is to stop, and `unwanted` does not say otherwise.
        """
        halted = self._run(download_id).halt.is_set
        most = self.settings.connections_per_host
        with turns.turn(target_of(url).host, most, unwanted or halted) as mine:
            if not mine and unwanted is None:
                raise CancelledError
            yield mine

    def _session_for(self, content: Content | None, url: str) -> requests.Session:
        """The session; for a file on the host that the user named, one that may do there what he allowed.

        It may ask the host though that is private, and sends what is meant for it alone.
        """
        session = self.session
        if not isinstance(session, Session):
            return session
        target, named = target_of(url), _named(content, url)
        policy, agent = session.policy, self.settings.user_agent
        if content is not None and named and target.host == named.host:
            policy = replace(policy, private_hosts=policy.private_hosts | {target.host})
        secrets = self.settings.credentials_for(named) if named else None
        mine = secrets is not None and secrets.belong_to(target)
        if policy is session.policy and not mine and agent is None:
            return session
        child = session.child(policy)
        child.headers["User-Agent"] = agent or child.headers["User-Agent"]
        child.credentials = secrets if mine else None
        return child


def _named(content: Content | None, url: str) -> Target | None:
    """The host that the user named: that of the URL he gave, or of `url` if there is no content."""
    with contextlib.suppress(InvalidURL):
        return target_of(str(content.source) if content else url)
    return None
