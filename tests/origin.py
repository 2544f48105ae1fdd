"""A small web server on a loopback address that answers exactly what a test scripts, hostile answers included.

    with Origin({"/a.json": Reply(body=b"{}"), "/old": redirect("/a.json")}) as origin:
        requests.get(origin.url("/old"))
        assert origin.paths == ["/old", "/a.json"]

A path may be answered by a `Reply`; by raw bytes, sent as they are before the connection closes; by an iterator of
such bytes; by a function that takes the `Request` and returns any of these; or by a list of them, one after the
other, the last one for ever. A key with a query answers that query only. The key "*" answers what no other does.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from io import BufferedReader
    from types import TracebackType


class Request(NamedTuple):
    """What a client asked. `path` holds the query; repeated headers are joined by ", "."""

    method: str
    path: str
    headers: CaseInsensitiveDict[str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; every way to send it wrong is a field.

    Args:
        status: The status code.
        headers: Sent besides the ones that frame the body; a header named here is never overwritten.
        body: Text is sent as UTF-8.
        framing: "length" (Content-Length), "chunked", or "close" (the end of the connection ends the body).
        cut: Send only so many bytes of the body, then close the connection.
        drip: Wait so many seconds before each byte of the body.
        piece: How many bytes go out at once; the length of a chunk, and of a drip if more than one byte.
        gzip: Compress the body, and say so.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str = b""
    framing: str = "length"
    cut: int | None = None
    drip: float = 0.0
    piece: int | None = None
    gzip: bool = False


Answer = Reply | bytes | Iterator[bytes]
Script = Answer | Callable[[Request], Answer] | list["Script"]


def redirect(location: str, status: int = 302, headers: Mapping[str, str] | None = None, **kwargs: Any) -> Reply:
    """A redirect to `location`, which may be relative."""
    return Reply(status=status, headers={"Location": location, **(headers or {})}, **kwargs)


def ranged(body: bytes, headers: Mapping[str, str] | None = None) -> Callable[[Request], Reply]:
    """A script that serves `body` as a good server does: whole, or the one range that was asked for."""

    def answer(request: Request) -> Reply:
        common = {"Accept-Ranges": "bytes", **(headers or {})}
        unit, _, wanted = request.headers.get("Range", "").partition("=")
        if unit != "bytes":
            return Reply(headers=common, body=body)
        first, _, last = wanted.partition("-")
        start = int(first) if first else max(len(body) - int(last), 0)
        stop = min(int(last) + 1, len(body)) if first and last else len(body)
        if start >= stop:
            return Reply(416, {**common, "Content-Range": f"bytes */{len(body)}"})
        return Reply(206, {**common, "Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"}, body[start:stop])

    return answer


class Origin:
    """The server. `requests` lists what it was asked, in order of arrival, over how many `connections`."""

    def __init__(self, routes: Mapping[str, Script] | None = None, host: str = "127.0.0.1") -> None:
        self.routes: dict[str, Script] = dict(routes or {})
        self.requests: list[Request] = []
        self.connections = 0
        self._served: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._clients: set[socket.socket] = set()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=64)
        self.host = host
        self.port: int = self._listener.getsockname()[1]

    def url(self, path: str = "/", host: str | None = None) -> str:
        """The URL of a path here; `host` is another name or address of this machine."""
        host = host or self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, queries included."""
        return [request.path for request in self.requests]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):  # a shutdown wakes the accept() on Linux; elsewhere close() does
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._clients.add(client)
                self.connections += 1
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as stream, contextlib.suppress(OSError):
            while not self._stopping.is_set():
                request = _read_request(stream)
                if request is None:
                    break
                if not self._answer(client, request):
                    with contextlib.suppress(OSError):
                        client.shutdown(socket.SHUT_WR)
                    break
        with self._lock:
            self._clients.discard(client)

    def _answer(self, client: socket.socket, request: Request) -> bool:
        """Sends the scripted answer; True if the connection may serve another request."""
        with self._lock:
            self.requests.append(request)
            script = self._pick(request.path)
        answer = script(request) if callable(script) else script
        if isinstance(answer, Reply):
            return self._send(client, request, answer)
        for data in (answer,) if isinstance(answer, bytes) else answer:
            client.sendall(data)
        return False

    def _pick(self, path: str) -> Answer | Callable[[Request], Answer]:
        key = next((key for key in (path, path.partition("?")[0], "*") if key in self.routes), None)
        if key is None:
            return Reply(404, {"Content-Type": "text/plain"}, f"nothing is scripted for {path}")
        script = self.routes[key]
        while isinstance(script, list):
            turn = self._served.get(key, 0)
            self._served[key] = turn + 1
            script = script[min(turn, len(script) - 1)]
        return script

    def _send(self, client: socket.socket, request: Request, reply: Reply) -> bool:
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        headers = CaseInsensitiveDict(reply.headers)
        if reply.gzip:
            body = gzip.compress(body, mtime=0)
            headers.setdefault("Content-Encoding", "gzip")
        if reply.framing == "length":
            headers.setdefault("Content-Length", str(len(body)))
        elif reply.framing == "chunked":
            headers.setdefault("Transfer-Encoding", "chunked")
        else:
            headers.setdefault("Connection", "close")
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
        client.sendall("\r\n".join([*lines, "", ""]).encode("utf-8"))
        if request.method == "HEAD" or reply.status in {204, 304}:
            return True
        whole = self._send_body(client, reply, body)
        return whole and reply.framing != "close"

    def _send_body(self, client: socket.socket, reply: Reply, body: bytes) -> bool:
        """Sends the body as the reply says; False if it was cut."""
        chunked = reply.framing == "chunked"
        for piece in _pieces(body[: reply.cut], reply):
            if reply.drip and self._stopping.wait(reply.drip):
                return False
            self._sending(len(piece))
            client.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if reply.cut is not None:
            return False
        if chunked:
            client.sendall(b"0\r\n\r\n")
        return True

    def _sending(self, count: int) -> None:
        """Called in a connection's thread before it sends so many bytes of a body."""


def _pieces(body: bytes, reply: Reply) -> Iterator[bytes]:
    step = reply.piece or (1 if reply.drip else 65_536)
    return (body[at : at + step] for at in range(0, len(body), step))


def _read_request(stream: BufferedReader) -> Request | None:
    """The next request of a connection; None at its end, and for what is no HTTP, such as the beginning of TLS."""
    if not stream.peek(1)[:1].isalpha():
        return None
    start = stream.readline().decode("latin-1").split()
    if len(start) != 3:
        return None
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    while line := stream.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    return Request(start[0], start[1], headers, stream.read(int(headers.get("Content-Length", "0"))))
