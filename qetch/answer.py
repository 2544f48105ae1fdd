"""What a request brought back: a whole body within bounds, and its text."""

from __future__ import annotations

import codecs
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from urllib3.response import BaseHTTPResponse

from qetch.errors import NetworkError, RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

PIECE = 65_536
MAX_MEMBERS = 64
"""How many gzip streams may follow one another in one body; servers send one."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDER = {"iso8859-1": "cp1252", "ascii": "cp1252"}
"""Browsers read these two as Windows-1252, and pages are written for browsers."""


def read_body(response: requests.Response, limit: int, deadline: float, url: str) -> bytes:
    """The decoded body of a streamed response.

    Args:
        response: As it came, its body not read.
        limit: The most bytes it may have, on the wire and decoded.
        deadline: When it must be here, on the clock of `time.monotonic`.
        url: The URL as messages may show it.

    Raises:
        RemoteError: It is larger, cut off, or not in the encoding that the server declares.
        NetworkError: It took too long.
        urllib3.exceptions.HTTPError: The connection broke.
    """
    if _declared_length(response) > limit:
        raise _too_large(limit, url)
    raw: Any = response.raw
    if isinstance(raw, BaseHTTPResponse):
        # Decoded here, since the library's own decoding may wait without end for the first decoded byte.
        body = _join(lambda: raw.read1(PIECE, decode_content=False), limit, deadline, url)
        return _decompress(body, response.headers.get("Content-Encoding", ""), limit, url)
    # Somebody's own adapter: its body is a plain stream, or was put into the response beforehand.
    body = _join(lambda: raw.read(PIECE), limit, deadline, url) if hasattr(raw, "read") else b""
    body = body or response.content or b""
    if len(body) > limit:
        raise _too_large(limit, url)
    return body


def decode(body: bytes, content_type: str) -> str:
    """The text of a body: by its byte order mark, else the declared charset, else UTF-8; bad bytes become U+FFFD."""
    for mark, encoding in BOMS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    try:
        codec = codecs.lookup(_charset(content_type) or "utf-8").name
        return body.decode(WIDER.get(codec, codec), "replace")
    except (LookupError, ValueError):  # no such charset, or one that is no text encoding
        return body.decode("utf-8", "replace")


def _charset(content_type: str) -> str:
    for part in content_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")
    return ""


def _declared_length(response: requests.Response) -> int:
    declared = response.headers.get("Content-Length", "")
    bodiless = response.request is not None and response.request.method == "HEAD"
    return int(declared) if declared.isdecimal() and len(declared) < 20 and not bodiless else 0


def _join(read: Callable[[], bytes | None], limit: int, deadline: float, url: str) -> bytes:
    pieces: list[bytes] = []
    left = limit
    while piece := read():
        left -= len(piece)
        if left < 0:
            raise _too_large(limit, url)
        if time.monotonic() > deadline:
            raise NetworkError(f"{url}: the answer came too slowly, and was given up - try again later")
        pieces.append(piece)
    return b"".join(pieces)


def _decompress(body: bytes, encoding: str, limit: int, url: str) -> bytes:
    declared = [part.strip().lower() for part in encoding.split(",")]
    encodings = [name for name in declared if name not in {"", "identity"}]
    if not encodings or not body:
        return body
    if len(encodings) > 1 or encodings[0] not in {"gzip", "x-gzip", "deflate"}:
        raise RemoteError(f"{url}: the answer is encoded as {encoding[:40]!r}, which was not asked for")
    try:
        return b"".join(_members(body, limit, url))
    except zlib.error:
        raise RemoteError(f"{url}: the answer says it is {encodings[0]}, and is not") from None


def _members(body: bytes, limit: int, url: str) -> Iterator[bytes]:
    """The decompressed streams of a body, one after the other; what follows the last one is ignored."""
    is_zlib = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0  # some send deflate without this header
    raw_deflate = not is_zlib and not body.startswith(b"\x1f\x8b")
    for _ in range(MAX_MEMBERS):
        stream = zlib.decompressobj(-zlib.MAX_WBITS if raw_deflate else 32 + zlib.MAX_WBITS)
        piece = stream.decompress(body, limit + 1)
        limit -= len(piece)
        if limit < 0:
            raise RemoteError(f"{url}: the answer is too large once decompressed")
        if not stream.eof:
            raise RemoteError(f"{url}: the compressed answer ends in the middle - try again later")
        yield piece
        body = stream.unused_data
        if not body.startswith(b"\x1f\x8b"):
            return
    raise RemoteError(f"{url}: the answer is compressed in more than {MAX_MEMBERS} pieces")


def _too_large(limit: int, url: str) -> RemoteError:
    return RemoteError(f"{url}: the answer is larger than {limit:,} bytes")


@dataclass(frozen=True)
class Answer:
    """A whole, bounded answer.

    Args:
        url: Where it came from after all redirects, without credentials.
        status: The HTTP status.
        headers: Looked up without regard to case; repeated ones joined by ", ".
        body: Decoded bytes.
        request_url: Where it was asked for first, without credentials.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    request_url: str

    @property
    def text(self) -> str:
        """The body as text; never fails, bad bytes become U+FFFD."""
        return decode(self.body, self.headers.get("Content-Type", ""))
