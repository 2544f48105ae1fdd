"""A web server for one file: right by RFC 9110, section 14, except where a test wants it wrong.

with FileOrigin(body, wrong=lambda ask: Reply(503) if ask.number == 1 else None) as origin:
    ...
    assert origin.asks[0].start == 0
"""

from __future__ import annotations

import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qetch.downloaders import _object, _plan, _transfer
from tests.origin import Origin, Reply, Request

if TYPE_CHECKING:
    import pytest

PROBE = 16_384
BLOCK = 8_192


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Makes files of some kilobytes go the way of large ones, and pauses short."""
    patch.setattr(_object, "PROBE", PROBE)
    patch.setattr(_plan, "MIN_BLOCK", BLOCK)
    patch.setattr(_plan, "MIN_SEGMENT", 16_384)
    patch.setattr(_plan, "MIN_STEAL", 1024)
    patch.setattr(_plan, "STALL_SECONDS", 0.3)
    patch.setattr(_transfer, "TICK", 0.01)
    patch.setattr(_transfer, "PATIENCE", 0.1)
    patch.setattr(_transfer, "FIRST_PAUSE", 0.003)
    patch.setattr(_transfer, "_limits", {})


def file_of(size: int, seed: int = 0) -> bytes:
    """A body of which no two parts are the same."""
    return b"".join(b"%015x\n" % (number ^ seed) for number in range(-(-size // 16)))[:size]


@dataclass(eq=False)
class Ask:
    """One request for the file, and what became of it.

    Attributes:
        number: Of the request, from 1.
        start: The first byte that is wanted; None if the whole file is.
        stop: The one behind the last.
        busy: How many requests are answered now, this one included.
        sent: Bytes of a body that went out.
    """

    request: Request
    number: int
    start: int | None
    stop: int
    busy: int
    sent: int = 0

    @property
    def first(self) -> int:
        """The first byte that is wanted."""
        return self.start or 0


class Reset:
    """An answer: the connection is torn down."""


Wrong = Reply | bytes | Iterator[bytes] | Reset | None


class FileOrigin(Origin):
    """Serves one file at `/file.bin`; what else is asked for is scripted as ever.

    Args:
        body: The file.
        wrong: Told each request; what it gives is the answer, unless it is None.
        gate: Told each request and how much of its body comes next, before that is sent.
        etag: The validator; "" for none.
        modified: The other validator; "" for none.
        piece: How many bytes go out at once.

    Attributes:
        asks: The requests for the file, in order.
    """

    def __init__(
        self,
        body: bytes,
        wrong: Callable[[Ask], Wrong] = lambda _: None,
        gate: Callable[[Ask, int], object] = lambda *_: None,
        etag: str = '"v1"',
        modified: str = "",
        piece: int = 8_192,
    ) -> None:
        super().__init__()
        self.body = body
        self.wrong = wrong
        self.gate = gate
        self.etag = etag
        self.modified = modified
        self.piece = piece
        self.asks: list[Ask] = []
        self.most_busy = 0
        self._busy = 0
        self._mine = threading.local()

    @property
    def file(self) -> str:
        """The file's URL."""
        return self.url("/file.bin")

    @property
    def sent(self) -> int:
        """How many bytes of bodies went out."""
        return sum(ask.sent for ask in self.asks)

    @property
    def validators(self) -> dict[str, str]:
        """The headers that name the version."""
        named = {"ETag": self.etag, "Last-Modified": self.modified}
        return {name: text for name, text in named.items() if text}

    def whole(self) -> Reply:
        """The right answer to a request for all of it."""
        return Reply(headers={"Accept-Ranges": "bytes", **self.validators}, body=self.body, piece=self.piece)

    def part(self, start: int, stop: int) -> Reply:
        """The right answer to a request for a part of it."""
        headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(self.body)}", **self.validators}
        return Reply(206, headers, self.body[start:stop], piece=self.piece)

    def right(self, ask: Ask) -> Reply:
        """The right answer."""
        wanted = ask.request.headers.get("If-Range")
        if ask.start is None or wanted not in (None, self.etag, self.modified):
            return self.whole()
        if ask.start >= len(self.body):
            return Reply(416, {"Content-Range": f"bytes */{len(self.body)}", **self.validators})
        return self.part(ask.start, min(ask.stop, len(self.body)))

    def _answer(self, client: socket.socket, request: Request) -> bool:
        if request.path != "/file.bin":
            return super()._answer(client, request)
        with self._lock:
            self.requests.append(request)
            self._busy += 1
            self.most_busy = max(self.most_busy, self._busy)
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
            start, stop = (int(found[1]), int(found[2]) + 1) if found else (None, len(self.body))
            ask = self._mine.ask = Ask(request, len(self.asks) + 1, start, stop, self._busy)
            self.asks.append(ask)
        try:
            answer = self.wrong(ask)
            return self._give(client, ask, self.right(ask) if answer is None else answer)
        finally:
            with self._lock:
                self._busy -= 1

    def _give(self, client: socket.socket, ask: Ask, answer: Reply | bytes | Iterator[bytes] | Reset) -> bool:
        if isinstance(answer, Reset):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(client.detach())
            return False
        if isinstance(answer, Reply):
            return self._send(client, ask.request, answer)
        for data in (answer,) if isinstance(answer, bytes) else answer:
            client.sendall(data)
        return False

    def _sending(self, count: int) -> None:
        ask: Ask = self._mine.ask
        self.gate(ask, count)
        ask.sent += count


def differently(reply: Reply, **headers: str | None) -> Reply:
    """A reply with other headers, `_` for `-`; None takes one away."""
    changed: dict[str, Any] = {**reply.headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
    return replace(reply, headers={name: text for name, text in changed.items() if text is not None})
