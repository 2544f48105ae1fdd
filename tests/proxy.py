"""A small proxy on loopback: it forwards plain requests, tunnels the others by CONNECT, and keeps what it saw.

    with Proxy(password="me:word") as proxy:
        requests.get(url, proxies={"http": proxy.url(), "https": proxy.url()})
        assert proxy.seen == [("GET", url)]

Every name leads to this machine, so that a test can ask for `http://files.example:PORT/`. With a context of
`tests.secure.Authority` it is asked over TLS.
"""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

END = b"\r\n\r\n"
TLS = b"\x16\x03"
"""With this begins what speaks TLS."""


class Proxy:
    """The proxy. `seen` lists what it was asked: the method, and the URL or the host and port; `heads` all of that.

    Args:
        password: "user:password", if it wants them.
        context: For TLS with its clients.
        reply: What it answers to everything, piece by piece, and then closes, instead of doing its work.
    """

    def __init__(
        self, password: str = "", *, context: ssl.SSLContext | None = None, reply: Iterable[bytes] | None = None
    ) -> None:
        self.seen: list[tuple[str, str]] = []
        self.heads: list[bytes] = []
        self.password = password
        self.reply = reply
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def url(self, userinfo: str = "") -> str:
        scheme = "https" if self._context else "http"
        return f"{scheme}://{userinfo and userinfo + '@'}127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), self._secured(client) as talking:
            head = _head(talking)
            if END in head:
                self._answer(talking, head)

    def _secured(self, client: socket.socket) -> socket.socket:
        if not self._context:
            return client
        with client:  # which is closed if its other end does not trust this one
            secure = self._context.wrap_socket(client, server_side=True)
        self._sockets.append(secure)
        return secure

    def _answer(self, client: socket.socket, head: bytes) -> None:
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        self.seen.append((method, target))
        self.heads.append(head)
        if self.reply is not None:
            for piece in self.reply:
                client.sendall(piece)
            return
        wanted = b"Basic " + base64.b64encode(self.password.encode())
        if self.password and wanted not in head:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host = target if method == "CONNECT" else urlsplit(target).netloc
        with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2]))) as server:
            self._sockets.append(server)
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _tunnel(client, server)
            else:  # one request for each connection, which is said to the client
                lines = head.split(b"\r\n")
                kept = [line for line in lines[1:] if not line.lower().startswith(b"proxy-")]
                server.sendall(b"\r\n".join([f"{method} {target.partition(host)[2]} HTTP/1.1".encode(), *kept]))
                status, _, rest = _head(server).partition(b"\r\n")
                client.sendall(status + b"\r\nConnection: close\r\n" + rest)
                _pump(server, client)


def _head(source: socket.socket) -> bytes:
    head = b""
    while END not in head and not head.startswith(TLS) and (piece := source.recv(65536)):
        head += piece
    return head


def _tunnel(one: socket.socket, other: socket.socket) -> None:
    """Carries bytes in both directions until an end closes; in one thread, for a TLS socket must not be in two."""
    opposite = {one: other, other: one}
    while True:
        buffered = [end for end in opposite if isinstance(end, ssl.SSLSocket) and end.pending()]
        for source in buffered or select.select([*opposite], [], [])[0]:
            piece = source.recv(65536)
            if not piece:
                return
            opposite[source].sendall(piece)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    while piece := source.recv(65536):
        sink.sendall(piece)
