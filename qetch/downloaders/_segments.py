"""Fragments of playlists that are more than a URL: a range of what it gives, or encrypted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.downloaders import _range
from qetch.downloaders._body import pieces, plain_length
from qetch.downloaders._disk import allocate, opened, write
from qetch.downloaders._part import file_errors, journal_of
from qetch.downloaders._plan import MIN_SEGMENT, Plan
from qetch.downloaders._transfer import Changed, NoParts, Transfer
from qetch.downloaders._verify import is_page, shown, status_of
from qetch.errors import BadFile, RemoteError
from qetch.filenames import extension_of
from qetch.network import target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.content import Segment
    from qetch.downloaders._journal import Object
    from qetch.downloaders._plan import Segment as Span
    from qetch.downloaders.http import HTTPDownloader
    from qetch.network import Response

MAX_CUT = 32 << 20
"""Bytes of a whole file from which a range is cut, where the host gives no ranges; each range costs all of them."""
MAX_RESTARTS = 2
BLOCK = 16
"""Bytes of AES."""
PIECE = 1 << 20


class RangeWork:
    """A range of what one URL gives, on its way to one file."""

    def __init__(
        self, downloader: HTTPDownloader, download_id: str, url: str, to_path: str, segment: Segment, connections: int
    ) -> None:
        self.downloader = downloader
        self.download_id = download_id
        self.url = url
        self.to_path = to_path
        self.start, self.length = segment.offset, segment.length or 0
        small = self.length <= 2 * MIN_SEGMENT
        self.connections = 1 if small else min(connections, downloader.throttle.connections)
        content = downloader.content_of(download_id)
        self.extension = extension_of(content) if content else ""
        self._thing: Object | None = None
        self._counted = 0
        self._descriptor = -1

    def run(self) -> None:
        """Saves it; the file is complete then.

        Raises:
            RemoteError: The host does not give this range, or the file changes again and again.
            QetchError: As `download` does.
        """
        self.downloader.expect(self.download_id, self.to_path, self.length)
        for _ in range(MAX_RESTARTS + 1):
            try:
                return self._fetch_all()
            except Changed:
                self._count(-self._counted)
                self._thing = None
        raise RemoteError(
            f"{shown(self.url)}: the file changes again and again while it is downloaded - try again later"
        )

    def _fetch_all(self) -> None:
        plan = Plan(self.length)
        halted = partial(self.downloader.advance, self.download_id, 0)
        turn = partial(self.downloader.turn, self.download_id, self.url)
        with opened(self.to_path) as self._descriptor:
            allocate(self._descriptor, self.length, self.to_path)
            host = target_of(self.url).host
            Transfer(plan, host, self.connections, partial(self._fetch, plan), halted, turn).run()

    def _count(self, number: int) -> None:
        self._counted += number
        self.downloader.advance(self.download_id, number)

    def _fetch(
        self, plan: Plan, span: Span, begin: Callable[[Response], None], received: Callable[[int], None]
    ) -> None:
        first, last = self.start + span.position, self.start + span.end
        asked = {"Range": f"bytes={first}-{last - 1}"}
        if self._thing is not None and self._thing.validator:
            asked["If_Range"] = self._thing.validator
        with self.downloader.answer(self.download_id, self.url, **asked) as response:
            begin(response)
            for piece in self._body(response, first, last):
                wanted = plan.advance(span, self._write(piece, span))
                received(wanted)
                self._count(wanted)
                if not span.left:
                    return

    def _write(self, piece: bytes, span: Span) -> int:
        wanted = piece[: span.left]
        write(self._descriptor, wanted, span.position, self.to_path)
        return len(wanted)

    def _body(self, response: Response, first: int, last: int) -> Iterator[bytes]:
        """The bytes from `first` on, after a look whether they are those that were asked for."""
        if is_page(response.headers.get("Content-Type", ""), b"", self.extension):
            raise BadFile(f"{shown(self.url)}: a web page came in place of a part of the file")
        skip = self._checked_start(response, first, last)
        size, pace = self.downloader.throttle.piece, self.downloader.pace_of(self.download_id)
        for piece in pieces(response, self.extension, shown(self.url), size, pace):
            if skip < len(piece):
                yield piece[skip:] if skip else piece
            skip = max(skip - len(piece), 0)

    def _checked_start(self, response: Response, first: int, last: int) -> int:
        """How many bytes of the body come before the first that is wanted."""
        place = shown(self.url)
        if response.status_code == 200:
            length = plain_length(response)
            if length is None or not self.start + self.length <= length <= MAX_CUT:
                raise NoParts(f"{place}: the host sent the whole file where bytes {first} to {last - 1} were asked for")
            return first
        bounds = _range.bounds(response)
        if bounds is None or bounds[2] < self.start + self.length:
            said = status_of(response)
            raise NoParts(f"{place}: the host does not give bytes {first} to {last - 1} (it says {said})")
        if self._thing is None:
            # Of the size that is said; only the validator must stay.
            self._thing = _range.thing_of(self.url, response, bounds[2])
        _range.checked_end(response, first, last, replace(self._thing, size=bounds[2]))
        return 0


def decrypt(path: str, key: bytes, iv: bytes | None, url: str) -> None:
    """Decrypts a complete file in its place.

    Args:
        path: Of the file.
        key: 16 bytes.
        iv: 16 bytes; zeros unless given.
        url: Where it came from.

    Raises:
        BadFile: It was not encrypted like that.
        FileError: It cannot be written.
    """
    from Cryptodome.Cipher import AES

    wrong = BadFile(f"{shown(url)}: a fragment cannot be decrypted with the key that its playlist names")
    with file_errors(path):
        # First: a journal that calls the file complete would be believed if this is interrupted.
        Path(journal_of(path)).unlink(missing_ok=True)
        size = Path(path).stat().st_size
    if not size or size % BLOCK:
        raise wrong
    cipher = AES.new(key, AES.MODE_CBC, iv=iv or bytes(BLOCK))
    with file_errors(path), Path(path).open("r+b") as file:
        while piece := file.read(PIECE):
            plain = cipher.decrypt(piece)
            file.seek(-len(piece), 1)
            file.write(plain)
            file.flush()
        padding = plain[-1]
        if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
            raise wrong
        file.truncate(size - padding)
