"""Requests that are plain enough for `qetch.wire`: nobody has changed how they are sent, and nothing is secret."""

from __future__ import annotations

import os
import ssl
from copy import deepcopy
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, extract_zipped_paths, select_proxy
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ProtocolError
from urllib3.util.ssl_ import create_urllib3_context

from qetch import network
from qetch.downloaders._aside import aside
from qetch.network import NetworkAdapter
from qetch.policy import PLAIN_URL, PORTS, Target
from qetch.session import HEADER_NAME, Session
from qetch.wire import STRIKES, Answer, Line, Stale, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qetch.downloaders._run import Run
    from qetch.downloaders.settings import Settings

FOREIGN = frozenset({"host", "connection", "content-length", "expect", "te", "transfer-encoding", "upgrade"})
"""Headers by which a request is no plain one any more."""
USUAL = {"accept": "*/*", "connection": "keep-alive"}
"""Those of a session that nobody has changed, beside two that are replaced."""


class PlainRoad:
    """How the plain requests of one downloader go by the wire.

    Args:
        session: Whose requests they are.
        settings: Of the downloader.
    """

    def __init__(self, session: Session, settings: Settings) -> None:
        self.session = session
        self._agent = settings.user_agent
        # What is not plain would be two requests, where each is counted.
        self._is_usual = not (settings.private or settings.proxies or settings.certificate or settings.rate)
        self._trust = settings.trust
        self._lines: tuple[dict[str, Any], str | None] | None = None

    def answer(self, target: Target, more: Mapping[str, str], asked: str) -> tuple[Answer, bytes] | None:
        """Where an answer will be, and the request for it; None if it is not to go this way.

        Args:
            target: Of what.
            more: Headers that the content wants.
            asked: The lines of further headers, each with its end.
        """
        adapter = self.session.adapters.get(f"{target.scheme}://")
        if not self._is_usual or type(adapter) is not NetworkAdapter or not is_plain(self.session, target.host):
            return None
        trust = self.session.verify if self._trust is None else self._trust
        place = (target.scheme, target.host, target.port, trust is True or str(trust))  # a file ends with its path
        if not trust or not adapter.wire.takes(place):
            return None
        request = self._request(target, more, asked)
        return (Answer(adapter.wire, place, target.url), request) if request else None

    def _request(self, target: Target, more: Mapping[str, str], asked: str) -> bytes | None:
        found = PLAIN_URL.fullmatch(target.url)
        lines = self._headers(more)
        if found is None or lines is None or not asked.isascii():
            return None
        host = target.host if target.port == PORTS[target.scheme] else f"{target.host}:{target.port}"
        return f"GET {found[4]} HTTP/1.1\r\nHost: {host}\r\n{lines}{asked}\r\n".encode()

    def _headers(self, more: Mapping[str, str]) -> str | None:
        if more:
            return _lines(tuple(self.session.headers.items()), self._agent, tuple(more.items()))
        facts = vars(self.session.headers)
        if self._lines is None or self._lines[0] != facts:
            self._lines = deepcopy(facts), _lines(tuple(self.session.headers.items()), self._agent, ())
        return self._lines[1]

    def ask(
        self, answer: Answer, request: bytes, timeout: tuple[float, float], private: Callable[[], bool], run: Run
    ) -> bool:
        """Lets an answer begin; False if it is not plain, so that it must be asked for by the usual road.

        Args:
            answer: Where it will be.
            request: All that is sent.
            timeout: Seconds to wait for a connection, and for the next bytes.
            private: Whether the host may have a private address.
            run: The download.

        Raises:
            AddressRefused, NetworkError: As the usual road does.
            concurrent.futures.CancelledError: The download is to stop.
            urllib3.exceptions.HTTPError: The connection failed.
        """
        line, plain = answer.wire.take(answer.place, private), False
        try:
            plain = line is not None and answer.begin(line, request, timeout[1], network.HEAD_SECONDS)
        except Stale:
            line = None
        if line is None:
            line = aside(partial(self._connect, answer, timeout[0], private), _close, run.cutting)
            plain = line is not None and answer.begin(line, request, timeout[1], network.HEAD_SECONDS)
        if not plain:
            answer.wire.strike(answer.place)
        return plain

    def _connect(self, answer: Answer, seconds: float, private: Callable[[], bool]) -> Line | None:
        """A new connection; None if the environment has a say in it, or the host cannot prove who it is."""
        found = self.session.merge_environment_settings(answer.url, {}, True, self._trust, None)
        verify = found["verify"]
        if not verify or found["cert"] or select_proxy(answer.url, found["proxies"]):
            answer.wire.strike(answer.place, STRIKES)
            return None
        scheme, host, port, _ = answer.place
        try:
            context = _context(verify is True or str(verify)) if scheme == "https" else None
            return connect(Target(scheme, host, port, answer.url), context, seconds, private=private())
        except TimeoutError as error:
            raise ProtocolError("", error) from None
        except OSError:  # it has to do with certificates, about which the usual road says more
            return None


def _close(line: Line | None) -> None:
    if line is not None:
        line.close()


@lru_cache(8)
def _context(verify: bool | str) -> ssl.SSLContext:
    """What `requests` would trust, read once, for that takes as long as many requests."""
    path = str(extract_zipped_paths(DEFAULT_CA_BUNDLE_PATH) if verify is True else verify)  # type: ignore[no-untyped-call]
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    if os.path.isdir(path):  # noqa: PTH112 - a text for OpenSSL
        context.load_verify_locations(capath=path)
    else:
        context.load_verify_locations(cafile=path)
    return context


def is_plain(session: Session, host: str) -> bool:
    """Whether requests are sent as any other: nobody has changed that, and the host is to see nothing special."""
    policy = session.policy
    return (
        type(session) is Session
        and not (session.auth or session.params or session.cert or session.proxies or session.credentials)
        and policy.anywhere
        and not (policy.rate or policy.closed)
        and len(session.adapters) == 2
        and not any(session.hooks.values())
        and not _has_cookies(session, host)
        and _is_library_whole()
    )


def _has_cookies(session: requests.Session, host: str) -> bool:
    for cookie in session.cookies:
        domain = cookie.domain.lstrip(".")
        if f".{host}".endswith(f".{domain}") or f"{host}.local" == domain:
            return True
    return False


def _is_library_whole() -> bool:
    """Whether nobody has put something in the place of the library's own functions, to record or to answer."""
    return (
        HTTPAdapter.send.__module__ == "requests.adapters"
        and requests.Session.get_adapter.__module__ == "requests.sessions"
        and HTTPConnectionPool.ConnectionCls.__module__ == "urllib3.connection"
        and HTTPSConnectionPool.ConnectionCls.__module__ == "urllib3.connection"
    )


@lru_cache(256)
def _lines(own: tuple[tuple[str, Any], ...], agent: str | None, more: tuple[tuple[str, Any], ...]) -> str | None:
    """The lines of headers: the session's own, where only the `User-Agent` may be unusual, and what is wanted more."""
    headers = CaseInsensitiveDict(own)
    if {name.lower() for name in headers} != {*USUAL, "user-agent", "accept-encoding"}:
        return None
    if any(headers[name] != value for name, value in USUAL.items()):
        return None
    if agent is not None:
        headers["User-Agent"] = agent
    if FOREIGN & {name.lower() for name, _ in more}:
        return None
    headers.update({**dict(more), "Accept-Encoding": "identity"})
    if not all(map(_is_plain_header, headers.items())):
        return None
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


def _is_plain_header(header: tuple[Any, Any]) -> bool:
    name, value = header
    if not (isinstance(name, str) and isinstance(value, str) and HEADER_NAME.fullmatch(name)):
        return False
    return value.isascii() and value.isprintable() and value == value.strip()
