"""Requests that are plain enough for `qetch.wire`: nobody has changed how they are sent, and nothing is secret.

Whether the answer is plain too is seen when it comes; if not, the usual road asks for it again, see `Wire.strike`.
"""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from copy import deepcopy
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, extract_zipped_paths, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError
from urllib3.util.ssl_ import create_urllib3_context

from qetch import network
from qetch.downloaders._aside import aside
from qetch.errors import InvalidURL
from qetch.line import Line
from qetch.network import NetworkAdapter
from qetch.policy import PORTS, Target, addresses_of, is_public, refuse_private, target_of
from qetch.session import HEADER_NAME, Session
from qetch.wire import STRIKES, Answer, Place, Stale, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.adapters import BaseAdapter

    from qetch.content import Content
    from qetch.downloaders._run import Run
    from qetch.downloaders.settings import Settings

FOREIGN = frozenset(
    {"host", "connection", "content-length", "expect", "if-range", "range", "te", "transfer-encoding", "upgrade"}
)
"""Headers of a content by which a request is no plain one any more, or would say two things."""
PROXIES = {scheme: (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY") for scheme in PORTS}
"""Variables of the environment that name a proxy, by scheme,"""
BESIDE_PROXIES = ("no_proxy", "NO_PROXY")
"""those that count only then,"""
TRUSTED = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""and those that say who is trusted."""
USUAL = {"accept": "*/*", "connection": "keep-alive"}
"""Those of a session that nobody has changed, beside two that are replaced."""

STEPS = (
    (Session, "get", "requests.sessions"),
    (Session, "request", "requests.sessions"),
    (Session, "get_adapter", "requests.sessions"),
    (Session, "prepare_request", "qetch.session"),
    (Session, "send", "qetch.session"),
    (requests.Session, "prepare_request", "requests.sessions"),
    (requests.Session, "send", "requests.sessions"),
    (HTTPAdapter, "send", "requests.adapters"),
    (HTTPConnectionPool, "urlopen", "urllib3.connectionpool"),
    (HTTPSConnectionPool, "urlopen", "urllib3.connectionpool"),
)
"""What a request goes through on the usual road, and the modules where that is written."""


def _methods(kind: type) -> frozenset[str]:
    return frozenset(name for name in dir(kind) if callable(getattr(kind, name)))


SESSION_METHODS, ADAPTER_METHODS = _methods(Session), _methods(NetworkAdapter)


def named_by_user(content: Content | None, url: str) -> Target | None:
    """The host that the user named: that of the URL he gave, or of `url` if there is no content."""
    with suppress(InvalidURL):
        return target_of(content.source_url if content else url)
    return None


class Route(NamedTuple):
    """How requests to a host go: by which wire, to which place, and with which `Host` and lines of headers."""

    wire: Wire
    place: Place
    host: str
    lines: str | None


class PlainRoad:
    """How the plain requests of one downloader go by the wire.

    Args:
        session: Whose requests they are.
        settings: Of the downloader.
        timeout: Seconds to wait for a connection, and for the next bytes.
    """

    def __init__(self, session: Session, settings: Settings, timeout: tuple[float, float]) -> None:
        self.session = session
        self.timeout = timeout
        self._agent = settings.user_agent
        # What is not plain would be two requests, where each is counted.
        self._is_usual = not (settings.private or settings.proxies or settings.certificate or settings.rate)
        self._trust = settings.trust
        self._lines: tuple[dict[str, Any], str | None] | None = None

    def answer(self, content: Content | None, url: str, asked: Mapping[str, str]) -> Answer | None:
        """Where an answer will be; None if it is not to go this way.

        Args:
            content: Whose headers are wanted.
            url: What is asked for.
            asked: Further headers.
        """
        target = target_of(url)
        route = self._route(target)
        if route is None or not route.wire.takes(route.place):
            return None
        lines = self._headers(content.headers) if content and content.headers else route.lines
        further = _further(tuple(asked.items()))
        if not target.path or lines is None or further is None:
            return None
        request = f"GET {target.path} HTTP/1.1\r\nHost: {route.host}\r\n{lines}{further}\r\n"
        return Answer(route.wire, route.place, url, request.encode())

    def _route(self, target: Target) -> Route | None:
        """How the requests to a host go by the wire, if they do."""
        adapter = self.session.adapters.get(f"{target.scheme}://")
        if not self._is_usual or not is_unchanged(adapter) or not is_plain(self.session, target.host):
            return None
        trust = self.session.verify if self._trust is None else self._trust
        # What the environment says may change: then other connections count, and other experiences.
        said = _said(target.scheme) if self.session.trust_env else ()
        place = (target.scheme, target.host, target.port, (trust is True or str(trust), said))
        host = target.host if target.port == PORTS[target.scheme] else f"{target.host}:{target.port}"
        return Route(adapter.wire, place, host, self._headers({})) if trust else None

    def _headers(self, more: Mapping[str, str]) -> str | None:
        facts = vars(self.session.headers)
        if not more and self._lines is not None and self._lines[0] == facts:
            return self._lines[1]
        own, wanted = tuple(self.session.headers.items()), tuple(more.items())
        are_texts = all(isinstance(text, str) for pair in (*own, *wanted) for text in pair)
        lines = _lines(own, self._agent, wanted) if are_texts else None
        if not more:
            self._lines = deepcopy(facts), lines
        return lines

    def ask_ahead(self, answer: Answer, content: Content | None) -> bool:
        """Sends the request by a connection that is there already; False if there is none.

        Args:
            answer: Where the answer will be.
            content: What is downloaded.

        Raises:
            Stale: There is none any more.
            urllib3.exceptions.HTTPError: The connection failed.
        """
        line = answer.wire.take(answer.place, partial(self._may_be_private, content, answer.url))
        if line is not None:
            answer.send(line, self.timeout[1])
        return line is not None

    def ask(self, answer: Answer, run: Run) -> bool:
        """Receives the head of an answer, which is asked for unless it was; False if it is not plain.

        Then it must be asked for by the usual road.

        Args:
            answer: Where it will be.
            run: The download.

        Raises:
            AddressRefused, NetworkError: As the usual road does.
            concurrent.futures.CancelledError: The download is to stop.
            urllib3.exceptions.HTTPError: The connection failed.
        """
        if answer.is_plain:
            return True
        plain, patience = None, self.timeout[1]
        with suppress(Stale):
            if answer.is_sent or self.ask_ahead(answer, run.content):
                plain = answer.receive(patience, network.HEAD_SECONDS)
        if plain is None:
            line = aside(partial(self._connect, answer, run.content), _close, run.cutting)
            plain = line is not None and answer.begin(line, patience, network.HEAD_SECONDS)
        if not plain:
            answer.wire.strike(answer.place)
        return plain

    def _may_be_private(self, content: Content | None, url: str) -> bool:
        """Whether a host may have a private address: the user named it, or allowed that."""
        target, named = target_of(url), named_by_user(content, url) if content else None
        mine = named is not None and target.host == named.host
        return mine or self.session.allow_private or target.is_in(self.session.policy.private_hosts)

    def _connect(self, answer: Answer, content: Content | None) -> Line | None:
        """A new connection; None if the environment has a say in it, or the host cannot prove who it is."""
        found = self.session.merge_environment_settings(answer.url, {}, True, self._trust, None)
        verify = found["verify"]
        if not verify or found["cert"] or select_proxy(answer.url, found["proxies"]):
            answer.wire.strike(answer.place, STRIKES)
            return None
        scheme, host, port, _ = answer.place
        try:
            context = _context(verify is True or str(verify)) if scheme == "https" else None
            target, private = Target(scheme, host, port, answer.url), self._may_be_private(content, answer.url)
            return connect(target, context, self.timeout[0], private=private)
        except TimeoutError as error:
            raise ProtocolError("", error) from None
        except OSError:  # it has to do with certificates, about which the usual road says more
            return None


def connect(target: Target, context: ssl.SSLContext | None, seconds: float, *, private: bool) -> Line:
    """A new connection, made by urllib3, so that its rules for TLS hold, to an address that was looked at.

    Args:
        target: Its scheme, host and port.
        context: How to verify the host; for https only.
        seconds: To wait for each of its addresses.
        private: Whether the host may have a private address.

    Raises:
        AddressRefused: It has one.
        NetworkError: There is no such host.
        urllib3.exceptions.HTTPError, OSError: The connection failed.
    """
    addresses = addresses_of(target) if private else refuse_private(target, proxied=False)
    public = not private or all(map(is_public, addresses))
    for number, address in enumerate(addresses, 1):
        if context is None:
            made = HTTPConnection(address, target.port, timeout=seconds)
        else:
            made = HTTPSConnection(
                address, target.port, timeout=seconds, ssl_context=context, server_hostname=target.host
            )
        try:
            made.connect()
        except (NewConnectionError, ConnectTimeoutError):
            if number == len(addresses):
                raise
        except BaseException:
            made.close()  # what fails in its handshake is connected
            raise
        else:
            line, made.sock = Line(made.sock, public), None  # it is no longer its own
            return line
    raise AssertionError  # a host has an address


def _said(scheme: str) -> tuple[str | None, ...]:
    """What the environment says of where requests go, and who is trusted; few variables, for each takes its time."""
    said = tuple(map(os.environ.get, PROXIES[scheme]))
    if any(said):
        said += tuple(map(os.environ.get, BESIDE_PROXIES))
    return said if scheme == "http" else said + tuple(map(os.environ.get, TRUSTED))


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
        and SESSION_METHODS.isdisjoint(vars(session))
        and not (session.auth or session.params or session.cert or session.proxies or session.credentials)
        and policy.anywhere
        and not (policy.rate or policy.closed)
        and len(session.adapters) == 2
        and not any(session.hooks.values())
        and not _has_cookies(session, host)
        and _is_library_unchanged()
    )


def is_unchanged(adapter: BaseAdapter | None) -> TypeGuard[NetworkAdapter]:
    """Whether an adapter is the usual one, none of whose methods somebody replaced."""
    return type(adapter) is NetworkAdapter and ADAPTER_METHODS.isdisjoint(vars(adapter))


def _has_cookies(session: requests.Session, host: str) -> bool:
    """Whether cookies might go to a host; one without a domain goes to all, and a name without a dot is `.local`."""
    places = f".{host}", f".{host}.local"
    return any(place.endswith(cookie.domain) for cookie in session.cookies for place in places)


def _is_library_unchanged() -> bool:
    """Whether nobody has put something in the place of the library's own functions, to record or to answer."""
    for owner, name, home in STEPS:
        # Not by `__module__`, which wrappers copy.
        if getattr(getattr(owner, name), "__globals__", {}).get("__name__") != home:
            return False
    return (
        HTTPConnectionPool.ConnectionCls.__module__ == "urllib3.connection"
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


@lru_cache(256)
def _further(headers: tuple[tuple[str, str], ...]) -> str | None:
    """The lines of further headers; None if there is a value that cannot be one."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers) if all(map(_is_plain_header, headers)) else None


def _is_plain_header(header: tuple[Any, Any]) -> bool:
    name, value = header
    if not (isinstance(name, str) and isinstance(value, str) and HEADER_NAME.fullmatch(name)):
        return False
    return value.isascii() and value.isprintable() and value == value.strip()
