"""What a user may set about downloads: speed, connections, proxies, trust, and what is sent to the hosts he named."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from qetch.credentials import Credentials
from qetch.downloaders._trust import paths_of
from qetch.errors import InvalidSetting
from qetch.network import CONNECT_SECONDS, READ_SECONDS
from qetch.session import HEADER_NAME, LINE_BREAKS

if TYPE_CHECKING:
    from qetch.policy import Target
    from qetch.session import Session

    FilePath = str | os.PathLike[str]

MIN_SPEED = 1024
"""Bytes a second; below that a host would take the wait for a lost connection."""
MAX_CONNECTIONS = 256
MAX_SECONDS = 86_400.0
MAX_REQUESTS = 10_000
EXAMPLES = {"proxies": '{"https": "http://host:8080"}', "headers": '{"Referer": "https://site.example/"}'}
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
        max_concurrent: How many files a client downloads at a time.
        connections_per_host: The most connections to one host at a time, over all downloads of the process. The host
            is that of the file's URL.
        rate: At most so many requests to one host in so many seconds, such as `(5, 1.0)`, over all downloads of the
            process; None for any number. Each part of a file is a request.
        connect_timeout: Seconds to wait for a connection.
        read_timeout: Seconds to wait for the next bytes.
        proxies: By scheme of the file's URL (`http`, `https`), the URL of the proxy, itself http or https. "" means
            none. A scheme that is not named is the environment's matter (HTTPS_PROXY…).
        proxy_auth: User name and password for those proxies, as they are. In the URL of a proxy, such as
            `http://me:pass%40word@host:8080`, all but letters and digits must be percent-encoded.
        ca_file: A PEM file with the certificates to trust, instead of those of the machine; for https proxies too.
        ca_data: The text of such a file.
        client_cert: A PEM file with a certificate of one's own.
        client_cert_data: The text of such a file.
        client_key: A PEM file with its key, unless that is with the certificate; it must not need a password.
        client_key_data: The text of such a file.
        verify: False takes any certificate for the right one: who is on the way may then read and change everything.
        basic_auth: User name and password.
        headers: Sent with each request. As `basic_auth`, they go to the host of the URL that the user gave alone
            (`Content.source`: same scheme, host and port, or its step from http to https), never to another one by a
            redirect. Only `User-Agent` goes to all.
        set_mtime: Give the file the time at which the host says it was modified.
        tmp_dir: A folder for files that are not complete; by default they are beside their destination.

    Raises:
        InvalidSetting: A value makes no sense.
        FileError: A file of certificates cannot be read, or made: what is given as text is in a private file as long
            as something needs it.
    """

    max_speed: int | None = None
    max_concurrent: int = 16
    connections_per_host: int = 8
    rate: tuple[int, float] | None = None
    connect_timeout: float = CONNECT_SECONDS
    read_timeout: float = READ_SECONDS
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy_auth: tuple[str, str] | None = field(default=None, repr=False)
    ca_file: FilePath | None = None
    ca_data: str | None = field(default=None, repr=False)
    client_cert: FilePath | None = None
    client_cert_data: str | None = field(default=None, repr=False)
    client_key: FilePath | None = None
    client_key_data: str | None = field(default=None, repr=False)
    verify: bool = True
    basic_auth: tuple[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    set_mtime: bool = False
    tmp_dir: FilePath | None = None

    _paths: Mapping[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in EXAMPLES:  # as they are now: later changes would not be checked
            object.__setattr__(self, name, _as_dict(name, getattr(self, name)))
        if self.max_speed is not None:
            _whole_number("max_speed", self.max_speed, MIN_SPEED, None)
        _whole_number("max_concurrent", self.max_concurrent, 1, MAX_CONNECTIONS)
        _whole_number("connections_per_host", self.connections_per_host, 1, MAX_CONNECTIONS)
        if self.rate is not None:
            _check_rate(self.rate)
        if self.tmp_dir is not None:
            _check_folder("tmp_dir", self.tmp_dir)
        _seconds("connect_timeout", self.connect_timeout)
        _seconds("read_timeout", self.read_timeout)
        _check_proxies(self.proxies, self.proxy_auth)
        _check_headers(self.headers, with_auth=self.basic_auth is not None)
        if self.basic_auth is not None:
            _check_auth("basic_auth", self.basic_auth)
        for name in ("verify", "set_mtime"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidSetting(f"{name} must be True or False")
        object.__setattr__(self, "_paths", paths_of(self))

    @property
    def timeout(self) -> tuple[float, float]:
        """Seconds for a connection, and for the next bytes."""
        return self.connect_timeout, self.read_timeout

    @property
    def trust(self) -> bool | str | None:
        """What `requests` wants as `verify`; None where the session and the environment decide."""
        return self._paths.get("ca_file", None if self.verify else False)

    @property
    def certificate(self) -> str | tuple[str, str] | None:
        """What `requests` wants as `cert`."""
        certificate, key = self._paths.get("client_cert"), self._paths.get("client_key")
        return (certificate, key) if certificate and key else certificate

    @property
    def private(self) -> bool:
        """Whether there is something that only the host which the user named may see."""
        return self.basic_auth is not None or any(name.lower() != "user-agent" for name in self.headers)

    def for_request(self) -> dict[str, Any]:
        """Arguments of `requests.Session.get`, which count more than the session and the environment."""
        proxies = dict(self.proxies)
        if self.proxy_auth is not None:
            proxies = {scheme: _with_auth(url, self.proxy_auth) for scheme, url in proxies.items()}
        arguments = {"verify": self.trust, "proxies": proxies}
        return {**arguments, "cert": self.certificate} if self.certificate else arguments

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


def _as_dict(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidSetting(f"{name} must be a mapping of texts, such as {EXAMPLES[name]}")
    return dict(value)


def _whole_number(name: str, value: object, least: int, most: int | None) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least or (most and value > most):
        bounds = f"from {least} to {most}" if most else f"of {least} or more"
        raise InvalidSetting(f"{name} must be a whole number {bounds}, not {value!r}")


def _check_rate(given: object) -> None:
    if not isinstance(given, tuple) or len(given) != 2:
        raise InvalidSetting(f"rate must be a number of requests and one of seconds, such as (5, 1.0), not {given!r}")
    _whole_number("the number of requests in rate", given[0], 1, MAX_REQUESTS)
    _seconds("the number of seconds in rate", given[1])


def _check_folder(name: str, path: FilePath) -> None:
    if not isinstance(path, str | os.PathLike):
        raise InvalidSetting(f"{name} must be the path of a folder, not {path!r}")
    if not os.path.isdir(path):  # noqa: PTH112 - what is given may be a text
        raise InvalidSetting(f"{name}: {os.fspath(path)} is no folder - make it first, or give another one")


def _seconds(name: str, value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= MAX_SECONDS:
        raise InvalidSetting(f"{name} must be a number of seconds above 0, up to {MAX_SECONDS:.0f}, not {value!r}")


def _check_proxies(proxies: Mapping[str, str], auth: object) -> None:
    """Refuses what is no proxy; what was given is not shown, for it may hold a password."""
    for scheme, url in proxies.items():
        _check_proxy(scheme, url, with_auth=auth is not None)
    if auth is not None:
        _check_auth("proxy_auth", auth)
        if not any(proxies.values()):
            raise InvalidSetting("proxy_auth is given without a proxy in `proxies`")


def _check_proxy(scheme: str, url: object, *, with_auth: bool) -> None:
    if scheme not in ("http", "https"):
        raise InvalidSetting(f"a proxy is given for {scheme!r} - give it for `http` or `https`, the files' scheme")
    wrong = InvalidSetting(
        f"the proxy for {scheme} is not the URL of an http or https proxy - such as http://host:8080, with the user"
        " name and password in `proxy_auth`"
    )
    if not isinstance(url, str) or LINE_BREAKS.search(url):
        raise wrong
    if not url:
        return
    try:
        parsed = parse_url(_with_scheme(url))
    except (LocationParseError, ValueError):
        raise wrong from None
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.path or "/") != "/" or parsed.query:
        raise wrong
    if parsed.auth and with_auth:
        raise InvalidSetting(f"the proxy for {scheme} has a user name in its URL, beside proxy_auth - drop one of them")


def _with_scheme(url: str) -> str:
    return url if "://" in url else f"http://{url}"


def _with_auth(url: str, auth: tuple[str, str]) -> str:
    """The URL of a proxy with user name and password; without a proxy none."""
    scheme, _, rest = _with_scheme(url).partition("://")
    return f"{scheme}://{quote(auth[0], safe='')}:{quote(auth[1], safe='')}@{rest}" if url else ""


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


def _check_auth(name: str, given: object) -> None:
    """Refuses what is no user name and password, without showing it."""
    two = isinstance(given, tuple) and len(given) == 2 and all(isinstance(part, str) for part in given)
    if not isinstance(given, tuple) or not two:
        raise InvalidSetting(f"{name} must be a user name and a password, as a tuple of two texts")
    if ":" in given[0] or not "".join(given).isprintable():
        raise InvalidSetting(f"{name}: there is a colon in the user name, or a control character")
