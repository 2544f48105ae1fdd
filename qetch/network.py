"""The last steps before the network: whose request it is, where it may go, and how often."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
import weakref
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import urllib3.exceptions as wire
from requests import exceptions as failures
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from qetch.errors import FileError, NetworkError, QetchError, RemoteError, SiteClosed
from qetch.policy import Policy, refuse_private, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

__all__ = ["NetworkAdapter", "Pace", "cut_off", "target_of", "translated", "wait_for_turn"]

MAX_REDIRECTS = 10
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
HEAD_SECONDS = 40.0
"""For everything before the body; the other two start anew with each byte that a host drips."""
WORTH_SAYING = 2.0
"""Seconds of a wait that people should know about."""
IDLE_CONNECTIONS = 64
"""Kept for the next request, of each host; urllib3 warns about every one that it must close instead."""

log = logging.getLogger("qetch")


class Pace:
    """Gives each request of one kind the next free moment: at most `count` in any `seconds`."""

    def __init__(self, count: int, seconds: float) -> None:
        self.seconds = seconds
        self.moments: deque[float] = deque(maxlen=count)
        self.lock = threading.Lock()

    def reserve(self, now: float) -> float:
        """How many seconds to wait, from `now` on, before the request may be sent."""
        with self.lock:
            full = len(self.moments) == self.moments.maxlen
            moment = max(now, self.moments[0] + self.seconds) if full else now
            self.moments.append(moment)
        return moment - now


_paces: dict[tuple[str, str, int, float], Pace] = {}
"""By policy name, host and rate; shared by all sessions, since the site sees one client."""


def wait_for_turn(policy: Policy, host: str) -> None:
    """Waits until the policy's rate allows one more request to a host."""
    if policy.rate is None:
        return
    count, seconds = policy.rate
    pace = _paces.setdefault((policy.name, host, count, seconds), Pace(count, seconds))
    wait = pace.reserve(time.monotonic())
    if wait > WORTH_SAYING:
        log.info("%s: no more than %d requests in %g s, so waiting %.0f s", host, count, seconds, wait)
    if wait > 0:
        time.sleep(wait)


@contextmanager
def _head_in_time(pool: HTTPConnectionPool, connection: Any) -> Iterator[None]:
    """Cuts a connection whose answer has not begun when the time is over."""
    over = threading.Event()

    def cut() -> None:
        over.set()
        if isinstance(connection.sock, socket.socket):
            with suppress(OSError):  # closed in the meantime
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    guard = threading.Timer(HEAD_SECONDS, cut)
    guard.daemon = True
    guard.start()
    try:
        yield
    finally:
        guard.cancel()
        if over.is_set():  # whatever a head cut short was taken for
            raise wire.ReadTimeoutError(pool, "", "the head of the answer took too long")


class _Pool(HTTPConnectionPool):
    """Connections are still of the library's own class, where tools like vcr look for them."""

    def _make_request(self, conn: Any, *args: Any, **kwargs: Any) -> Any:
        with _head_in_time(self, conn):
            return super()._make_request(conn, *args, **kwargs)


class _SecurePool(HTTPSConnectionPool):
    def _make_request(self, conn: Any, *args: Any, **kwargs: Any) -> Any:
        with _head_in_time(self, conn):
            return super()._make_request(conn, *args, **kwargs)


class Owner(Protocol):
    """The session that an adapter serves; asked anew for each request, so that changes count at once."""

    policy: Policy
    allow_private: bool
    timeout: tuple[float, float] | None


class NetworkAdapter(HTTPAdapter):
    """Sends over the real network, and does what only that needs: refuse the dead, the private and the hasty.

    Addresses are checked before the connection is made, and the name is asked for again by the connection; a name
    server that answers differently within that moment is not caught.
    """

    def __init__(self, owner: Owner) -> None:
        super().__init__(pool_maxsize=IDLE_CONNECTIONS)
        self._owner = weakref.ref(owner)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Like the original, with a bound on the time for an answer's head."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def twin(self, owner: Owner) -> NetworkAdapter:
        """Another session's adapter over the same connections."""
        return self.share_with(NetworkAdapter(owner))

    def share_with(self, twin: NetworkAdapter) -> NetworkAdapter:
        """Another adapter, which uses the connections of this one from now on."""
        twin.max_retries = self.max_retries
        twin.poolmanager = self.poolmanager
        twin.proxy_manager = self.proxy_manager
        return twin

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Sends one request, as `requests` does.

        Raises:
            SiteClosed: The site is dead.
            AddressRefused: The host has a private address, and nobody allowed that.
            NetworkError: There is no such host.
        """
        target = target_of(request.url or "")
        owner = self._owner()
        policy = owner.policy if owner else Policy()
        if policy.closed is not None:
            raise SiteClosed(f"{policy.name}: the site is closed: {policy.closed}")
        if not (owner and owner.allow_private) and not target.is_in(policy.private_hosts):
            refuse_private(target, proxied=bool(select_proxy(target.url, dict(proxies or {}))))
        wait_for_turn(policy, target.host)
        patience = timeout or (owner and owner.timeout) or (CONNECT_SECONDS, READ_SECONDS)
        return super().send(request, stream=stream, timeout=patience, verify=verify, cert=cert, proxies=proxies)


def cut_off(response: requests.Response) -> None:
    """Ends a read of the body that waits in another thread, as if the host had closed the connection.

    Neither `close` (which waits for the read) nor the `shutdown` of a TLS socket will do: after that, Python takes
    the encrypted bytes that still come for the plain ones.
    """
    with (
        suppress(OSError, ValueError, AttributeError, wire.HTTPError),  # it is over already, or no socket
        # A second descriptor of the same connection; that its kind may be another does not matter here.
        socket.fromfd(response.raw.fileno(), socket.AF_INET, socket.SOCK_STREAM) as connection,
    ):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turns what `requests` and urllib3 raise within it into errors of qetch; `url` is how messages show it.

    Their own texts are dropped: they may hold a URL with its credentials.
    """
    try:
        yield
    except (failures.RequestException, wire.HTTPError) as error:
        raise _translation(error, url) from None
    except OSError as error:
        if error.errno is not None:
            raise NetworkError(f"{url}: the connection failed: {error.strerror} - try again later") from None
        # Only the check for certificates raises without a number.
        raise FileError(f"{url}: a file of certificates is missing - see REQUESTS_CA_BUNDLE") from None


def _translation(error: Exception, url: str) -> QetchError:
    for kinds, result, message in TRANSLATIONS:
        if any(isinstance(cause, kinds) for cause in _causes(error)):
            return result(f"{url}: {message}")
    return NetworkError(f"{url}: the connection failed - try again later")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and the errors that it wraps; `requests` and urllib3 keep those in `args` and `reason`."""
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException):
            yield cause
            waiting += [*cause.args, getattr(cause, "reason", None)]


TRANSLATIONS: tuple[tuple[tuple[type[BaseException], ...], type[QetchError], str], ...] = (
    (
        (failures.TooManyRedirects,),
        RemoteError,
        f"more than {MAX_REDIRECTS} redirects, most likely in a circle",
    ),
    (
        (
            failures.ProxyError,
            failures.InvalidProxyURL,
            failures.InvalidSchema,
            wire.ProxyError,
            wire.ProxySchemeUnknown,
        ),
        NetworkError,
        "the proxy cannot be used - see --proxy, or HTTP_PROXY, HTTPS_PROXY and ALL_PROXY in the environment",
    ),
    (
        (failures.SSLError, wire.SSLError),
        NetworkError,
        "the host's identity could not be verified (TLS) - check this machine's clock and certificates",
    ),
    (
        (wire.NameResolutionError,),
        NetworkError,
        "there is no such host, or no name server answers",
    ),
    (
        (failures.ConnectTimeout, wire.ConnectTimeoutError, ConnectionRefusedError),
        NetworkError,
        "the host does not accept a connection - try again later",
    ),
    (
        (failures.Timeout, wire.ReadTimeoutError, TimeoutError),
        NetworkError,
        "the host did not answer in time - try again later",
    ),
    (
        (http.client.RemoteDisconnected, ConnectionError, http.client.IncompleteRead),
        NetworkError,
        "the host closed the connection before its answer was complete - try again later",
    ),
    (
        (http.client.HTTPException, failures.InvalidHeader, wire.InvalidHeader, wire.DecodeError),
        RemoteError,
        "the answer is not proper HTTP",
    ),
)
"""From the first that fits: what was raised or wrapped, the error it becomes, and what the message says."""
