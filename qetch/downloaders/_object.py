"""One file on its way from one URL to one path: by parts where the host serves them, else by one stream."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from qetch.downloaders import _range
from qetch.downloaders._body import is_framed, pieces, plain_length
from qetch.downloaders._disk import allocate, opened, truncate, write
from qetch.downloaders._journal import Journal, Object, remembered
from qetch.downloaders._part import drop, file_errors, journal_of
from qetch.downloaders._plan import Plan
from qetch.downloaders._transfer import Changed, NoParts, Transfer, pause_after
from qetch.downloaders._verify import is_page, refuse_length, shown, status_of
from qetch.errors import BadFile, NetworkError, RateLimited, RemoteError
from qetch.filenames import extension_of
from qetch.network import target_of, translated
from qetch.wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from qetch.downloaders._asked import Asked
    from qetch.downloaders._plan import Segment
    from qetch.downloaders.http import HTTPDownloader
    from qetch.network import Response

    Opened = Callable[[Response], None]

PROBE = 2 << 20
"""Bytes of the first request, which shows whether the host serves parts; a smaller file costs no other."""
START = 512
"""Bytes that tell a web page."""
MAX_RESTARTS = 2
"""How often a file that changes meanwhile is begun anew, before it is fetched by one stream."""


def first_part() -> dict[str, str]:
    """What the first request asks for, as headers."""
    return {"Range": f"bytes=0-{PROBE - 1}"}


class ObjectWork:
    """One URL on its way to one file.

    Attributes:
        counted: Bytes that are counted as received, to be taken back if they turn out worthless.
    """

    def __init__(
        self, downloader: HTTPDownloader, download_id: str, url: str, to_path: str, max_connections: int
    ) -> None:
        self.downloader = downloader
        self.download_id = download_id
        self.url = url
        self.to_path = to_path
        self.max_connections = min(max_connections, downloader.throttle.connections)
        self.content = downloader.content_of(download_id)
        self.extension = extension_of(self.content) if self.content else ""
        self.journal_path = journal_of(to_path)
        self.counted = 0
        self._failures = 0
        self._pause: float | None = None
        self._part = downloader.part_of(download_id, to_path)
        self._is_new = False
        self._lock = threading.Lock()

    def _start_over(self) -> None:
        """Forgets what was received, and what was said of it."""
        self._forget()
        self._count(-self.counted)
        self.downloader.expect_anew(self.download_id, self.to_path)

    def _forget(self) -> None:
        """Removes the journal, before what it speaks of is overwritten."""
        with file_errors(self.journal_path):
            drop(self.journal_path)

    def _count(self, number: int) -> None:
        """Counts bytes; called by all the threads.

        Raises:
            concurrent.futures.CancelledError: See `BaseDownloader.advance`.
        """
        with self._lock:
            self.counted += number
        self.downloader.advance(self.download_id, number)

    def run(self) -> None:
        """Fetches what is missing; the file is complete then.

        Raises:
            QetchError: As `download` does.
        """
        for _ in range(MAX_RESTARTS + 1):
            try:
                self._fetch_missing()
            except Changed:
                self._start_over()
            except NoParts:
                break
            else:
                return
        self._start_over()
        with self._opened() as descriptor:
            self._stream(descriptor)

    def _opened(self) -> AbstractContextManager[int]:
        """A descriptor of the file; that of the claim, if there is one."""
        if self._part is None or self._part.descriptor is None:
            return opened(self.to_path)
        self._part.by_descriptor = True
        self._is_new, self._part.is_new = self._part.is_new, False
        return nullcontext(self._part.descriptor)

    def _fetch_missing(self) -> None:
        with self._opened() as descriptor:
            known = None if self._is_new else remembered(self.journal_path, self.to_path, self.url)
            if known and (known[0].validator or self._has_checksum()):
                thing, done = known
                self._count(_bytes_of(thing, done))
                self._parts(descriptor, thing, done, None)
            elif not self._begin(descriptor):
                self._stream(descriptor)

    def _ask(self, **more: str) -> Asked:
        """The first answer, for which a host that is busy is asked again."""
        while True:
            try:
                return self.downloader.ask(self.download_id, self.url, more, turn=True)
            except (NetworkError, RateLimited, RemoteError) as error:
                pause = self._pause_after(error)
                if pause is None:
                    raise
            self.downloader.pause(self.download_id, pause)

    def _pause_after(self, error: Exception) -> float | None:
        """Seconds to wait before the file is asked for again; None if that is of no use, or was done often enough."""
        self._failures += 1
        final = isinstance(error, RemoteError) and not error.passing
        return None if final or self._failures > self.downloader.retries else pause_after(error, self._failures)

    def _has_checksum(self) -> bool:
        """Whether a file made of parts of different objects would be noticed at the end."""
        return bool(self.content and self.content.checksums and len(self.content.fragments) == 1)

    def _begin(self, descriptor: int) -> bool:
        """Asks for the first part, and goes on from there; False if one answer is to bring all of it."""
        with self._ask(**first_part()) as asked:
            response = asked.response
            if response.status_code == 200:
                return self._save(response, descriptor)
            if _range.is_empty(response):
                self._expect(0)
                self._forget()
                truncate(descriptor, 0, self.to_path)
                return True
            part = _range.first_part(response)
            if part is None:
                return False
            count, size = part
            if count == size <= PROBE and self._save_whole(response, descriptor, size):
                return True
            thing = _range.thing_of(self.url, response, size)
            if size > PROBE and not (thing.validator or self._has_checksum()):
                return False  # parts of different versions could not be told apart
            if count < size or size > PROBE:
                self._parts(descriptor, thing, frozenset(), asked)
                return True
        if not (thing.validator or self._has_checksum()):
            self._count(-self.counted)  # what comes next may be of another version
        self._parts(descriptor, thing, frozenset(), None)  # what the connection that broke left
        return True

    def _save_whole(self, response: Response, descriptor: int, size: int) -> bool:
        """Saves a file that the first answer brings; False if the connection broke before its end."""
        self._expect(size)
        if not self._is_new:
            self._forget()
        try:
            if self._write(response, descriptor, size) < size:
                return False
        except (NetworkError, HTTPError, OSError):
            return False
        self._cut(descriptor, size)
        return True

    # --- parts

    def _parts(self, descriptor: int, thing: Object, done: frozenset[int], probe: Asked | None) -> None:
        self._expect(thing.size)
        if not done:
            self._forget()
        allocate(descriptor, thing.size, self.to_path)
        if self._part is not None:
            self._part.has_journal = True
        journal = Journal(self.journal_path, thing, done) if thing.size > PROBE else None
        plan = Plan(thing.size, done, journal.mark if journal else None)
        if not done and self.counted:
            _note_begun(plan, self.counted)
        try:
            begun = plan.take(1, first=PROBE) if probe is not None else None
            fetch = self._fetcher(descriptor, plan, thing, begun, probe)
            turn = partial(self.downloader.turn, self.download_id, self.url)
            most = self.max_connections if journal else 1  # what the first request brings is not worth another
            host = target_of(self.url).host
            Transfer(plan, host, most, fetch, watch=lambda: self._count(0), turn=turn).run(begun)
        finally:
            if journal:
                journal.close()

    def _fetcher(
        self, descriptor: int, plan: Plan, thing: Object, begun: Segment | None, probe: Asked | None
    ) -> Callable[..., None]:
        """A function that fetches a segment; the one that the probe asked for comes from its answer."""

        def receive(
            segment: Segment, end: int, response: Response, opened: Opened, received: Callable[[int], None]
        ) -> None:
            end = _range.checked_end(response, segment.position, end, thing)
            for piece in self._checked(response, segment.position == 0):
                opened(response)
                # A thief may have taken the rest, and have brought it already.
                piece = piece[: min(segment.left, end - segment.position)]
                write(descriptor, piece, segment.position, self.to_path)
                wanted = plan.advance(segment, len(piece))
                received(wanted)
                self._count(wanted)
                if not segment.left or segment.position >= end:
                    return
            raise NetworkError(f"{shown(self.url)}: the host sent less than it announced - try again later")

        def fetch(segment: Segment, opened: Opened, received: Callable[[int], None]) -> None:
            if segment is begun and probe is not None:
                with probe, translated(shown(self.url)):
                    opened(probe.response)
                    receive(segment, PROBE, probe.response, opened, received)
                return
            end = segment.end  # as it is now: a thief may lower it before the answer comes
            asked = {"Range": f"bytes={segment.position}-{end - 1}"}
            if thing.validator:
                asked["If_Range"] = thing.validator
            with self.downloader.answer(self.download_id, self.url, **asked) as response:
                opened(response)
                receive(segment, end, response, opened, received)

        return fetch

    # --- one stream

    def _stream(self, descriptor: int) -> None:
        """The whole file by one answer, which is of one version, for a host that serves no parts."""
        whole = False
        while not whole:
            if self._pause is not None:
                self.downloader.pause(self.download_id, self._pause)
                self._start_over()
                self._is_new = False
            with self._ask() as asked:
                response = asked.response
                if response.status_code != 200:
                    raise RemoteError(f"{shown(self.url)}: the host answered {status_of(response)} instead of a file")
                whole = self._save(response, descriptor)

    def _save(self, response: Response, descriptor: int) -> bool:
        """Saves the whole file; False if the connection broke, and it is to be begun anew."""
        length = plain_length(response)
        if length is not None:
            self._expect(length)
        if length is None or length > PROBE or not self._is_new:
            self._forget()
        if length is not None and length > PROBE:
            allocate(descriptor, length, self.to_path)
        try:
            position = self._write_to_end(response, descriptor)
        except NetworkError as error:
            self._pause = self._pause_after(error)
            if self._pause is None:
                raise
            return False
        self._cut(descriptor, position)
        return True

    def _write_to_end(self, response: Response, descriptor: int) -> int:
        """Writes a body that is whole, as far as anybody can know; how many bytes there were."""
        try:
            position = self._write(response, descriptor)
        except (HTTPError, OSError):
            with translated(shown(self.url)):
                raise
        if is_framed(response):
            return position
        if not position:  # an answer whose head was cut off looks like this
            raise NetworkError(f"{shown(self.url)}: the host closed the connection before it sent anything - try again")
        if self._pause is not None:
            raise NetworkError(
                f"{shown(self.url)}: the host broke off, and does not say now where the file ends - try again later"
            )
        return position

    def _cut(self, descriptor: int, size: int) -> None:
        """Removes what an earlier attempt left behind the end."""
        if not self._is_new or size == 0:
            truncate(descriptor, size, self.to_path)

    def _write(self, response: Response, descriptor: int, most: int | None = None) -> int:
        """Writes a body from the start of the file on, up to so many bytes; how many there were."""
        if isinstance(response, Answer) and response.is_complete and self.downloader.throttle.speed is None:
            return self._write_at_once(response, descriptor)
        position = 0
        for piece in self._checked(response, at_start=True):
            wanted = piece if most is None else piece[: most - position]
            write(descriptor, wanted, position, self.to_path)
            position += len(wanted)
            self._count(len(wanted))
            refuse_length(self.content, position, whole=False)
            if position == most:
                break
        return position

    def _write_at_once(self, response: Answer, descriptor: int) -> int:
        """The same for a body that came with its head, and is no longer than it should be."""
        body = response.read(response.left)
        self._refuse_page(response, body)
        write(descriptor, body, 0, self.to_path)
        self._count(len(body))
        return len(body)

    def _expect(self, length: int) -> None:
        self.downloader.expect(self.download_id, self.to_path, length)
        refuse_length(self.content, length, whole=bool(self.content and len(self.content.fragments) == 1))

    def _refuse_page(self, response: Response, start: bytes | memoryview) -> None:
        kind = response.headers.get("Content-Type", "")
        if self.content is not None and is_page(kind, bytes(start[:START]), self.extension):
            raise BadFile(
                f"{shown(self.url)}: a web page came in place of the file - open it in a browser to see what it says"
            )

    def _checked(self, response: Response, at_start: bool) -> Iterator[bytes]:
        """The body, unless it is a web page where a file was promised."""
        size, pace = self.downloader.throttle.piece, self.downloader.pace_of(self.download_id)
        body = pieces(response, self.extension, shown(self.url), size, pace)
        start: bytes = b""
        while at_start and len(start) < START and (piece := next(body, None)):
            # The next one may come in the same memory.
            start = piece if not start and len(piece) >= START else start + bytes(piece)
        self._refuse_page(response, start)
        if start:
            yield start
        yield from body


def _note_begun(plan: Plan, count: int) -> None:
    """Notes that the first bytes of a file are there."""
    segment = plan.take(1, first=count)
    if segment is not None:
        plan.advance(segment, count)
        plan.give_back(segment)


def _bytes_of(thing: Object, done: frozenset[int]) -> int:
    return thing.size - Plan(thing.size, done).left
