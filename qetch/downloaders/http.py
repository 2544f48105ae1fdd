"""The downloader for what is served by HTTP: parts over several connections where the host serves them."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import requests
from urllib3.exceptions import HTTPError

from qetch.downloaders import _range
from qetch.downloaders._aside import aside
from qetch.downloaders._asked import Asked
from qetch.downloaders._body import no_wait, pieces
from qetch.downloaders._common import BaseDownloader
from qetch.downloaders._disk import opened, write
from qetch.downloaders._limits import Throttle, rates, turns
from qetch.downloaders._object import ObjectWork, first_part
from qetch.downloaders._part import PartFile, is_there
from qetch.downloaders._plain import PlainRoad, named_by_user
from qetch.downloaders._segments import RangeWork, decrypt
from qetch.downloaders._verify import last_modified, refuse_outcome, shown, status_of
from qetch.downloaders.settings import Settings
from qetch.errors import InvalidSetting, RemoteError
from qetch.network import target_of, translated
from qetch.session import Session
from qetch.wire import Stale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from qetch.content import Content
    from qetch.downloaders._run import Run
    from qetch.network import Response


RETRIES = 2
"""How often a file is asked for again, unless the user says otherwise."""


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
        retries: How often a file is asked for again if the host has no answer for the moment, or breaks off one that
            it does not serve in parts.

    Raises:
        InvalidSetting: The settings hold credentials or headers, and the session is none of qetch's, which would send
            them anywhere.
    """

    def __init__(self, session: requests.Session | None = None, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self.timeout = self.settings.timeout
        self.throttle = Throttle(self.settings.max_speed)
        self.retries = RETRIES
        self.folder = os.fspath(self.settings.tmp_dir) if self.settings.tmp_dir is not None else None
        self._session: requests.Session | None = None
        self._making = threading.Lock()
        self._plain: PlainRoad | None = None
        self._ahead: dict[str, Asked] = {}
        if session is not None:
            self.session = session

    @property
    def session(self) -> requests.Session:
        """The session for downloading, made when it is first asked for."""
        if self._session is None:
            with self._making:  # of several threads, those that lost theirs would lose its connections and cookies too
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
                size, pace = min(chunk_size, self.throttle.piece), self.pace_of(download_id)
                for piece in pieces(response, "", shown(url), size, pace):
                    if position + len(piece) > end + 1:
                        break
                    write(descriptor, piece, position, to_path)
                    position += len(piece)
                    self.advance(download_id, len(piece))
            if position != end + 1:
                raise RemoteError(f"{shown(url)}: the host sent another length than {end - start + 1} bytes")

    @contextlib.contextmanager
    def answer(self, download_id: str, url: str, **more: str) -> Iterator[Response]:
        """A streamed answer that is not an error, closed at the end; `more` are request headers, `_` for `-`."""
        with translated(shown(url)), self.ask(download_id, url, more) as asked:
            yield asked.response

    def ask(self, download_id: str, url: str, more: Mapping[str, str], *, turn: bool = False) -> Asked:
        """The same, to be closed by hand; with `turn` it holds one of the host's connections, see there.

        Plain answers come by the wire, the others by the session. The first one may be there, see `ask_ahead`.
        """
        run, more = self._run(download_id), {name.replace("_", "-"): text for name, text in more.items()}
        first = self._ahead.pop(download_id, None) if self._ahead else None
        if first is not None and more != first_part():
            first.close()
            first = None
        asked = first or Asked()
        try:
            asked.begin(run)
            if turn and first is None:
                asked.host = self._take_turn(run, target_of(url).host)
            if not self._ask_by_wire(asked, run, url, more):
                asked.hold(self._ask_by_session(run, url, more))
            self._accept(run, asked.response, more)
        except (requests.RequestException, HTTPError, OSError):
            asked.close()
            with translated(shown(url)):
                raise
        except BaseException:
            asked.close()
            raise
        return asked

    def _ask_by_wire(self, asked: Asked, run: Run, url: str, more: Mapping[str, str]) -> bool:
        """Whether the answer came by the wire."""
        road = self._road()
        if road is None:
            return False
        answer = asked.answer
        if answer is None:
            answer = road.answer(run.content, url, more)
            if answer is None:
                return False
            asked.hold(answer)
        if road.ask(answer, run):
            return True
        asked.let_go()
        return False

    def _road(self) -> PlainRoad | None:
        session, timeout = self.session, self.timeout
        if not isinstance(session, Session) or not isinstance(timeout, tuple) or timeout[0] is None:
            return None
        if self._plain is None or self._plain.session is not session or self._plain.timeout is not timeout:
            self._plain = PlainRoad(session, self.settings, timeout)
        return self._plain

    def ask_ahead(self, content: Content, to_path: str) -> Asked | None:
        """Sends the first request for a file, if there is a connection for it, and waits for nothing.

        Args:
            content: The file.
            to_path: Where it is to go.

        Returns:
            To be given back to `use` when the answer is there, and closed; None if this is not for such a file.
        """
        road = self._road()
        if road is None or self.throttle.speed is not None or len(content.fragments) != 1 or content.segments:
            return None
        if is_there(PartFile(to_path, self.folder).path):  # little may be left to ask for
            return None
        url = content.fragments[0]
        answer, host = road.answer(content, url, first_part()), target_of(url).host
        if answer is None or not turns.take(host, self.settings.connections_per_host, lambda: True):
            return None
        asked, sent = Asked(), False
        asked.host = host
        asked.hold(answer)
        try:
            with contextlib.suppress(HTTPError, Stale):
                sent = road.ask_ahead(answer, content)
        finally:
            if not sent:
                asked.close()
        return asked if sent else None

    def use(self, download_id: str, asked: Asked) -> None:
        """Lets a download that begins now have the answer for which was asked before."""
        self._ahead[download_id] = asked

    def forget(self, download_id: str) -> None:
        """See `BaseDownloader.forget`."""
        super().forget(download_id)
        self._ahead.pop(download_id, None)

    def _ask_by_session(self, run: Run, url: str, more: Mapping[str, str]) -> requests.Response:
        """An answer by the session, in another thread, so that nobody must wait for it if the download is to stop."""
        wanted = run.content.headers if run.content else {}
        headers: dict[str, Any] = {**wanted, "Accept-Encoding": "identity", **more}
        session, settings = self._session_for(run.content, url), self.settings.for_request()
        ask = partial(session.get, url, headers=headers, stream=True, timeout=self.timeout, **settings)
        return aside(ask, requests.Response.close, run.cutting)

    def _accept(self, run: Run, response: Response, more: Mapping[str, str]) -> None:
        """Raises what an answer means, unless it is a success, or a refusal of nothing but a part."""
        if "Range" in more and response.status_code in (400, 416, 501):
            return
        refuse_outcome(response, run.content.gone if run.content else ())
        modified = last_modified(response.headers) if self.settings.set_mtime else None
        if modified is not None:  # of fragments, the last one's time counts
            run.modified = max(run.modified or 0.0, modified)
        run.tell_headers(response.headers)

    def part_of(self, download_id: str, path: str) -> PartFile | None:
        """The claimed part file of a download, if that is its path."""
        part = self._run(download_id).part
        return part if part is not None and part.path == path else None

    def pause(self, download_id: str, seconds: float) -> None:
        """Waits.

        Raises:
            concurrent.futures.CancelledError: The download is to stop.
        """
        self._run(download_id).pause(seconds)

    def pace_of(self, download_id: str) -> Callable[[int], object]:
        """What is to be told how many bytes came with each read, and keeps the speed by waiting."""
        if self.throttle.speed is None:
            return no_wait
        return partial(self.throttle.slow_down, self._run(download_id).pause)

    @contextlib.contextmanager
    def turn(self, download_id: str, url: str, unwanted: Callable[[], bool] | None = None) -> Iterator[bool]:
        """Holds one of the connections to a URL's host, as soon as there is one; False if it gave up waiting.

        Raises:
            concurrent.futures.CancelledError: The download is to stop, and `unwanted` does not say otherwise.
        """
        host = self._take_turn(self._run(download_id), target_of(url).host, unwanted)
        try:
            yield host is not None
        finally:
            if host is not None:
                turns.give_back(host)

    def _take_turn(self, run: Run, host: str, unwanted: Callable[[], bool] | None = None) -> str | None:
        """Takes one of a host's connections, when it may be asked again: the host, or None if it gave up waiting."""
        given_up, rate = unwanted or run.is_halted, self.settings.rate
        if turns.take(host, self.settings.connections_per_host, given_up):
            if rate is None or rates.wait(host, rate, given_up):
                return host
            turns.give_back(host)
        if unwanted is None:
            raise CancelledError
        return None

    def _session_for(self, content: Content | None, url: str) -> requests.Session:
        """The session; for a file on the host that the user named, one that may do there what he allowed.

        It may ask the host though that is private, and sends what is meant for it alone.
        """
        session = self.session
        if not isinstance(session, Session):
            return session
        target, named = target_of(url), named_by_user(content, url)
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
