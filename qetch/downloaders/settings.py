"""What a user may set about downloads: speed, connections, proxies, trust, and what is sent to the hosts he named."""

from __future__ import annotations

import base64
import contextlib
import os
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from qetch.credentials import Credentials
from qetch.errors import FileError, InvalidSetting
from qetch.network import CONNECT_SECONDS, READ_SECONDS
from qetch.session import HEADER_NAME, LINE_BREAKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qetch.policy import Target
    from qetch.session import Session

    FilePath = str | os.PathLike[str]

MIN_SPEED = 1024
"""Bytes a second; below that a host would take the wait for a lost connection."""
MAX_CONNECTIONS = 256
MAX_SECONDS = 86_400.0
OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "if-range",
        "proxy-authorization",
        "range",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers on which the transfer itself depends."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a downloader; each is checked here, so that nothing fails in the middle of a download.

    Args:
        max_speed: Bytes a second, over all connections of the downloader; None for as fast as possible.
        connections_per_host: The most connections to one host at a time, over all downloads of the process. The host
            is that of the file's URL.
        connect_timeout: Seconds to wait for a connection.
        read_timeout: Seconds to wait for the next bytes.
        proxies: By scheme of the file's URL (`http`, `https`), the URL of the proxy, with its user name and password
            if it wants them. "" means none. A scheme that is not named is the environment's matter (HTTPS_PROXY…).
        ca_file: A PEM file with the certificates to trust, instead of those of the machine.
        client_cert: A PEM file with a certificate of one's own.
        client_key: A PEM file with its key, unless that is in the same file; it must not need a password.
        verify: False takes any certificate for the right one: who is on the way may then read and change everything.
        basic_auth: User name and password.
        headers: Sent with each request. As `basic_auth`, they go to the host of the URL that the user gave alone
            (`Content.source`: same scheme, host and port, or its step from http to https), never to another one by a
            redirect. Only `User-Agent` goes to all.
        set_mtime: Give the file the time at which the host says it was modified.

    Raises:
        InvalidSetting: A value makes no sense.
        FileError: A file of certificates cannot be read.
    """

    max_speed: int | None = None
    connections_per_host: int = 8
    connect_timeout: float = CONNECT_SECONDS
    read_timeout: float = READ_SECONDS
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: FilePath | None = None
    client_cert: FilePath | None = None
    client_key: FilePath | None = None
    verify: bool = True
    basic_auth: tuple[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    set_mtime: bool = False

    def __post_init__(self) -> None:
        for name in ("proxies", "headers"):  # as they are now: later changes would not be checked
            object.__setattr__(self, name, dict(getattr(self, name)))
        if self.max_speed is not None:
            _whole_number("max_speed", self.max_speed, MIN_SPEED, None)
        _whole_number("connections_per_host", self.connections_per_host, 1, MAX_CONNECTIONS)
        _seconds("connect_timeout", self.connect_timeout)
        _seconds("read_timeout", self.read_timeout)
        for scheme, url in self.proxies.items():
            _check_proxy(scheme, url)
        _check_headers(self.headers, with_auth=self.basic_auth is not None)
        if self.basic_auth is not None:
            _check_basic_auth(self.basic_auth)
        for name in ("verify", "set_mtime"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidSetting(f"{name} must be True or False")
        _check_trust(self)

    @property
    def timeout(self) -> tuple[float, float]:
        """Seconds for a connection, and for the next bytes."""
        return self.connect_timeout, self.read_timeout

    @property
    def trust(self) -> bool | str | None:
        """What `requests` wants as `verify`; None where the session and the environment decide."""
        if self.ca_file is not None:
            return os.fspath(self.ca_file)
        return None if self.verify else False

    @property
    def private(self) -> bool:
        """Whether there is something that only the host which the user named may see."""
        return self.basic_auth is not None or any(name.lower() != "user-agent" for name in self.headers)

    def for_request(self) -> dict[str, Any]:
        """Arguments of `requests.Session.get`, which count more than the session and the environment."""
        arguments: dict[str, Any] = {"verify": self.trust, "proxies": dict(self.proxies)}
        if self.client_cert is not None:
            certificate = os.fspath(self.client_cert)
            arguments["cert"] = (certificate, os.fspath(self.client_key)) if self.client_key else certificate
        return arguments

    def set_on(self, session: Session) -> None:
        """Lets all requests of a session go by these proxies, certificates and timeouts."""
        arguments = self.for_request()
        session.proxies.update(arguments["proxies"])
        session.cert = arguments.get("cert", session.cert)
        session.verify = session.verify if self.trust is None else self.trust
        session.timeout = self.timeout

    def credentials_for(self, named: Target) -> Credentials | None:
        """What only the host that the user named receives; None if that is nothing."""
        if not self.private:
            return None
        headers = {name: value for name, value in self.headers.items() if name.lower() != "user-agent"}
        if self.basic_auth is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(':'.join(self.basic_auth).encode()).decode()}"
        hosts = {f"{named.host}:{named.port}"}
        if (named.scheme, named.port) == ("http", 80):
            hosts.add(f"{named.host}:443")
        return Credentials(hosts=frozenset(hosts), headers=headers, plain=named.scheme == "http")

    @property
    def user_agent(self) -> str | None:
        """The `User-Agent` among the headers."""
        return next((value for name, value in self.headers.items() if name.lower() == "user-agent"), None)


def _whole_number(name: str, value: object, least: int, most: int | None) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least or (most and value > most):
        bounds = f"from {least} to {most}" if most else f"of {least} or more"
        raise InvalidSetting(f"{name} must be a whole number {bounds}, not {value!r}")


def _seconds(name: str, value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= MAX_SECONDS:
        raise InvalidSetting(f"{name} must be a number of seconds above 0, up to {MAX_SECONDS:.0f}, not {value!r}")


def _check_proxy(scheme: str, url: object) -> None:
    """Refuses what is no proxy; what was given is not shown, for it may hold a password."""
    if scheme not in ("http", "https"):
        raise InvalidSetting(f"a proxy is given for {scheme!r} - give it for `http` or `https`, the files' scheme")
    wrong = InvalidSetting(f"the proxy for {scheme} is not the URL of an http proxy - such as http://host:8080")
    if not isinstance(url, str) or LINE_BREAKS.search(url):
        raise wrong
    if not url:
        return
    try:
        parsed = parse_url(url if "://" in url else f"http://{url}")
    except (LocationParseError, ValueError):
        raise wrong from None
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.path or "/") != "/" or parsed.query:
        raise wrong


def _check_headers(headers: Mapping[str, str], *, with_auth: bool) -> None:
    for name, value in headers.items():
        if not isinstance(name, str) or not HEADER_NAME.fullmatch(name):
            raise InvalidSetting(f"{name!r:.60} cannot be the name of a header")
        if name.lower() in OWN_HEADERS:
            raise InvalidSetting(f"the header {name} cannot be set: the transfer itself depends on it")
        if name.lower() == "authorization" and with_auth:
            raise InvalidSetting("basic_auth and a header Authorization are both given - drop one of them")
        if not isinstance(value, str) or LINE_BREAKS.search(value):
            raise InvalidSetting(f"the value of the header {name} must be a text without line breaks")


def _check_basic_auth(given: object) -> None:
    """Refuses what is no user name and password, without showing it."""
    two = isinstance(given, tuple) and len(given) == 2 and all(isinstance(part, str) for part in given)
    if not isinstance(given, tuple) or not two:
        raise InvalidSetting("basic_auth must be a user name and a password, as a tuple of two texts")
    if ":" in given[0] or not "".join(given).isprintable():
        raise InvalidSetting("basic_auth: there is a colon in the user name, or a control character")


def _check_trust(settings: Settings) -> None:
    if settings.client_key is not None and settings.client_cert is None:
        raise InvalidSetting("client_key is given without client_cert")
    if settings.ca_file is not None and not settings.verify:
        raise InvalidSetting("ca_file says whom to trust, verify=False to trust everybody - drop one of them")
    if settings.ca_file is None and settings.client_cert is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.ca_file is not None:
        with _readable(settings.ca_file):
            context.load_verify_locations(cafile=os.fspath(settings.ca_file))
    if settings.client_cert is not None:
        key = settings.client_key
        with _readable(settings.client_cert):
            context.load_cert_chain(os.fspath(settings.client_cert), key and os.fspath(key), password="")


@contextlib.contextmanager
def _readable(path: FilePath) -> Iterator[None]:
    """Turns what goes wrong with a file of certificates into a `FileError`."""
    try:
        yield
    except OSError as error:  # an SSLError is one, whose text is for experts
        bad = "not the certificates (with their key) that are needed - give a PEM file, its key without a password"
        reason = bad if isinstance(error, ssl.SSLError) else f"cannot be read: {error.strerror}"
        raise FileError(f"{os.fspath(path) or 'an empty path'}: {reason}") from None
