"""The bytes of an answer that is saved: as they come, and none missing."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Any

from urllib3.response import BaseHTTPResponse

from qetch.errors import NetworkError, RemoteError
from qetch.wire import REACH_SECONDS, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.network import Response

PIECE = 524_288
"""Bytes that are read, and written, at most at once."""

WORTH = 64 << 10
"""Bytes of a piece that are worth waiting for."""

SLOW_BYTES = 1024
SLOW_SECONDS = 60.0
"""A connection that brings less than `SLOW_BYTES` in so many seconds is given up: it would go on for days."""

ARCHIVES = frozenset({"gz", "svgz", "tgz"})
"""Files that are compressed themselves; many servers call that an encoding of the answer."""


def no_wait(_count: int) -> None:
    """The pace of those who are in a hurry."""


def pieces(
    response: Response, extension: str, url: str, size: int = PIECE, pace: Callable[[int], object] = no_wait
) -> Iterator[bytes]:
    """The body of a streamed response, decompressed where the server compressed it although nobody asked.

    Args:
        response: Of a request that was sent with `stream=True`.
        extension: Of the file that is expected.
        url: As messages show it.
        size: Bytes that are read at most at once.
        pace: Told how many bytes came with each read; it may wait.

    Raises:
        NetworkError: The body is cut off, or comes too slowly.
        RemoteError: It is not in the encoding that the server declares.
        urllib3.exceptions.HTTPError: The connection broke.
    """
    raw = _received(response, size, url, pace)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"} or extension in ARCHIVES:
        return raw
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _inflated(raw, size, url)
    raise RemoteError(f"{url}: the file is encoded as {encoding[:40]!r}, which was not asked for")


def declared_length(response: Response) -> int | None:
    """How many bytes the body has on the wire, if the server says so."""
    text = response.headers.get("Content-Length", "")
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 20 and not chunked else None


def is_framed(response: Response) -> bool:
    """Whether the end of the body can be told from the loss of the connection."""
    return declared_length(response) is not None or "chunked" in response.headers.get("Transfer-Encoding", "").lower()


def plain_length(response: Response) -> int | None:
    """How many bytes the file has, if the server says so and sends it as it is."""
    encoded = response.headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}
    return None if encoded else declared_length(response)


def _received(response: Response, size: int, url: str, pace: Callable[[int], object]) -> Iterator[bytes]:
    raw: Any = response.raw
    library = isinstance(raw, BaseHTTPResponse | Answer)  # else somebody's own adapter, whose body is a plain stream
    received, reach, patience = 0, None, None
    while piece := _read(raw, size, reach.bytes if reach else 0) if library else raw.read(size):
        count = len(piece)
        received += count
        pace(count)
        yield piece
        if raw is response and not response.left:  # which needs no look whether there is more
            return
        reach, patience = reach or _Reach(size), patience or _Patience(url)
        now = time.monotonic()
        reach.note(count, now)
        patience.note(count, now)
    declared = declared_length(response)
    if declared is not None and received < declared:
        raise NetworkError(f"{url}: the connection ended after {received} of {declared} bytes - try again")


def _read(raw: Any, size: int, reach: int) -> Any:
    """What is there, up to `size` bytes, or with a `reach` up to so many, for which it waits a moment."""
    if not reach:
        return raw.read1(size, decode_content=False)
    if isinstance(raw, Answer):
        return raw.read(reach)
    found, until = bytearray(), time.monotonic() + REACH_SECONDS
    # The library's own `read` would wait for all of them, however slowly they drip.
    while len(found) < reach and (piece := raw.read1(reach - len(found), decode_content=False)):
        found += piece
        if time.monotonic() > until:
            break
    return found


class _Reach:
    """How many bytes to wait for at once.

    TLS brings 16 KiB at a time, and each piece costs. So where bytes come fast, a piece is what comes in some
    milliseconds; where they come slowly, whatever is there, since nothing is gained by waiting.

    Attributes:
        bytes: At most `size`; 0 for whatever is there.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.bytes = 0
        self._seen = 0
        self._since = time.monotonic()

    def note(self, count: int, now: float) -> None:
        """Counts the bytes of a piece that came just `now`."""
        self._seen += count
        took = now - self._since
        if took > REACH_SECONDS or self._seen > self.size:
            wanted = int(self._seen / max(took, 1e-6) * REACH_SECONDS)
            self.bytes = min(wanted, self.size) if wanted >= WORTH else 0
            self._seen, self._since = 0, now


class _Patience:
    """Gives up a connection that brings too little."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._seen = 0
        self._since = time.monotonic()

    def note(self, count: int, now: float) -> None:
        """Counts the bytes of a piece.

        Raises:
            NetworkError: They are too few.
        """
        self._seen += count
        if self._seen >= SLOW_BYTES:
            self._seen, self._since = 0, now
        elif now - self._since > SLOW_SECONDS:
            raise NetworkError(
                f"{self._url}: the file comes too slowly ({self._seen} bytes in {now - self._since:.0f} s)"
                " - try again later"
            )


def _inflated(raw: Iterator[bytes], size: int, url: str) -> Iterator[bytes]:
    """The decompressed bytes, at most `size` at once whatever the ratio."""
    stream = zlib.decompressobj(32 + zlib.MAX_WBITS)  # gzip or zlib, by their first bytes
    empty = True
    try:
        for piece in raw:
            empty, rest = False, piece
            while rest:
                if stream.eof:
                    stream = zlib.decompressobj(32 + zlib.MAX_WBITS)
                yield stream.decompress(rest, size)
                rest = stream.unconsumed_tail or stream.unused_data
        yield stream.flush()
    except zlib.error:
        raise RemoteError(f"{url}: the server says that the file is compressed, and it is not") from None
    if not (stream.eof or empty):
        raise NetworkError(f"{url}: the compressed file ends in the middle - try again")
