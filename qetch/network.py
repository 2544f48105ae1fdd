"""The last steps before the network: whose request it is, where it may go, and how often."""

from __future__ import annotations

import base64
import http.client
import logging
import os
import socket
import threading
import time
import weakref
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import urllib3.exceptions as wire
from requests.adapters import HTTPAdapter
from requests.utils import get_auth_from_url, select_proxy
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import ProxyManager

from qetch.errors import SiteClosed
from qetch.policy import Policy, refuse_private, target_of
from qetch.translation import MAX_REDIRECTS, LoginWanted, TunnelRefused, translated
from qetch.wire import Answer, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    Response = requests.Response | Answer

__all__ = ["MAX_REDIRECTS", "NetworkAdapter", "Pace", "cut_off", "target_of", "translated", "wait_for_turn"]

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

    def take(self, now: float) -> float:
        """How many seconds after `now` a request may be sent; 0 if it may now, which counts then."""
        with self.lock:
            full = len(self.moments) == self.moments.maxlen
            wait = self.moments[0] + self.seconds - now if full else 0.0
            if wait <= 0:
                self.moments.append(now)
        return max(wait, 0.0)

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


class _Watch:
    """One thread that cuts the connections whose time is over, for all of them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Knows of nothing, as after a fork."""
        self._change = threading.Condition()
        self._due: dict[object, tuple[float, Callable[[], None]]] = {}
        self._awake_at = float("inf")
        self._thread: threading.Thread | None = None

    def begin(self, seconds: float, cut: Callable[[], None]) -> object:
        """Calls `cut` after so many seconds, unless `end` is told before what this gives."""
        key, moment = object(), time.monotonic() + seconds
        with self._change:
            self._due[key] = (moment, cut)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="qetch-watch", daemon=True)
                self._thread.start()
            elif moment < self._awake_at:
                self._change.notify()
        return key

    def is_over(self, key: object) -> bool:
        """Whether the time is over."""
        return key not in self._due

    def end(self, key: object) -> bool:
        """Whether there was nothing to be called yet."""
        with self._change:
            return self._due.pop(key, None) is not None

    def _watch(self) -> None:
        while True:
            with self._change:
                now = time.monotonic()
                over = [key for key, (moment, _) in self._due.items() if moment <= now]
                cuts = [self._due.pop(key)[1] for key in over]
                if not cuts:
                    # Not only as long as somebody waits: the next request is not far.
                    self._awake_at = min((moment for moment, _ in self._due.values()), default=now + HEAD_SECONDS)
                    if not self._change.wait(self._awake_at - now) and not self._due:
                        self._thread = None
                        return
            for cut in cuts:
                cut()


_watch = _Watch()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watch.reset)


@contextmanager
def _head_in_time(pool: HTTPConnectionPool, connection: Any) -> Iterator[object]:
    """Cuts a connection whose answer has not begun when the time is over; gives the key of the watch."""

    def cut() -> None:
        inner = getattr(connection.sock, "socket", connection.sock)  # which TLS within TLS only wraps
        if isinstance(inner, socket.socket):
            with suppress(OSError):  # closed in the meantime
                socket.socket.shutdown(inner, socket.SHUT_RDWR)

    key = _watch.begin(HEAD_SECONDS, cut)
    try:
        yield key
    finally:
        if not _watch.end(key):  # whatever a head cut short was taken for
            raise wire.ReadTimeoutError(pool, "", "the head of the answer took too long")


class _Pool(HTTPConnectionPool):
    """Connections are still of the library's own class, where tools like vcr look for them."""

    def _make_request(self, conn: Any, *args: Any, **kwargs: Any) -> Any:
        with _head_in_time(self, conn):
            return super()._make_request(conn, *args, **kwargs)


@contextmanager
def _tunnel_in_time(connection: Any, key: object) -> Iterator[None]:
    """Lets a tunnel fail if the time is over.

    A head that was cut short counts as its end, and TLS would leave a socket open that is not connected any more.
    """
    if type(connection) is not HTTPSConnection:  # another library's stands in for it
        yield
        return
    tunnel = connection._tunnel  # noqa: SLF001 - there is no other place between it and TLS

    def checked() -> None:
        tunnel()
        if _watch.is_over(key):
            raise ConnectionAbortedError

    vars(connection)["_tunnel"] = checked
    try:
        yield
    finally:
        del vars(connection)["_tunnel"]


class _SecurePool(HTTPSConnectionPool):
    def _put_conn(self, conn: Any) -> None:
        # The library looks at the socket for bytes that nobody asked for, but not at what TLS has decrypted already.
        if getattr(getattr(conn, "sock", None), "pending", int)():
            conn.close()
        super()._put_conn(conn)

    def _make_request(self, conn: Any, *args: Any, **kwargs: Any) -> Any:
        with _head_in_time(self, conn):
            return super()._make_request(conn, *args, **kwargs)

    def _prepare_proxy(self, conn: Any) -> None:
        try:
            with _head_in_time(self, conn) as key, _tunnel_in_time(conn, key):
                super()._prepare_proxy(conn)
        except OSError as error:
            if str(error).startswith("Tunnel connection failed: 407"):  # which the library says by words only
                raise LoginWanted from None
            if str(error).startswith("Tunnel connection failed"):
                raise TunnelRefused from None
            raise


POOLS = {"http": _Pool, "https": _SecurePool}


class Owner(Protocol):
    """The session that an adapter serves; asked anew for each request, so that changes count at once."""

    policy: Policy
    allow_private: bool
    timeout: tuple[float, float] | None


class NetworkAdapter(HTTPAdapter):
    """Sends over the real network, and does what only that needs: refuse the dead, the private and the hasty.

    Addresses are checked before the connection is made, and the name is asked for again by the connection; a name
    server that answers differently within that moment is not caught.

    Attributes:
        wire: Connections for those who know what is plain, see `qetch.wire`; they go to the address that was checked.
    """

    def __init__(self, owner: Owner) -> None:
        super().__init__(pool_maxsize=IDLE_CONNECTIONS)
        self._owner = weakref.ref(owner)
        self.wire = Wire()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Like the original, with a bound on the time for an answer's head."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Like the original, with the same bound."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if isinstance(manager, ProxyManager):  # those for SOCKS have pools of their own
            manager.pool_classes_by_scheme = POOLS
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Like the original, for names and passwords in all languages."""
        user, password = get_auth_from_url(proxy)
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {pair}"} if user or password else {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Like the original, which would verify no https proxy if it is asked for an http URL."""
        https = conn.scheme == "https"  # of what is connected to; `url` may be beyond it
        super().cert_verify(conn, "https:" if https else url, verify, cert)  # type: ignore[no-untyped-call]

    def twin(self, owner: Owner) -> NetworkAdapter:
        """Another session's adapter over the same connections."""
        return self.share_with(NetworkAdapter(owner))

    def share_with(self, twin: NetworkAdapter) -> NetworkAdapter:
        """Another adapter, which uses the connections of this one from now on."""
        twin.max_retries = self.max_retries
        twin.poolmanager = self.poolmanager
        twin.proxy_manager = self.proxy_manager
        twin.wire = self.wire
        return twin

    def close(self) -> None:
        """Closes the connections."""
        super().close()
        self.wire.close()

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
            requests.exceptions.ProxyError: The proxy refuses.
        """
        target = target_of(request.url or "")
        owner = self._owner()
        policy = owner.policy if owner else Policy()
        if policy.closed is not None:
            raise SiteClosed(f"{policy.name}: the site is closed: {policy.closed}")
        proxied = bool(select_proxy(target.url, dict(proxies or {})))
        if not (owner and owner.allow_private) and not target.is_in(policy.private_hosts):
            refuse_private(target, proxied=proxied)
        wait_for_turn(policy, target.host)
        patience = timeout or (owner and owner.timeout) or (CONNECT_SECONDS, READ_SECONDS)
        cert = cert if target.scheme == "https" else None  # it is not the proxy's
        answer = super().send(request, stream=stream, timeout=patience, verify=verify, cert=cert, proxies=proxies)
        if proxied and answer.status_code == http.client.PROXY_AUTHENTICATION_REQUIRED:
            answer.close()
            raise LoginWanted
        return answer


def cut_off(response: Response) -> None:
    """Ends a read of the body that waits in another thread, as if the host had closed the connection.

    Neither `close` (which waits for the read) nor the `shutdown` of a TLS socket will do: after that, Python takes
    the encrypted bytes that still come for the plain ones.
    """
    if isinstance(response, Answer):
        response.cut()
        return
    with (
        suppress(OSError, ValueError, AttributeError, wire.HTTPError),  # it is over already, or no socket
        # A second descriptor of the same connection; that its kind may be another does not matter here.
        socket.fromfd(response.raw.fileno(), socket.AF_INET, socket.SOCK_STREAM) as connection,
    ):
        connection.shutdown(socket.SHUT_RDWR)
