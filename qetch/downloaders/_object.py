"""One file on its way from one URL to one path: by parts where the host serves them, else by one stream."""

from __future__ import annotations

import contextlib
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qetch.downloaders import _range
from qetch.downloaders._body import is_framed, pieces, plain_length
from qetch.downloaders._disk import allocate, opened, truncate, write
from qetch.downloaders._journal import Journal, Object, remembered
from qetch.downloaders._part import file_errors, journal_of
from qetch.downloaders._plan import Plan
from qetch.downloaders._transfer import Changed, NoParts, Transfer, pause_after
from qetch.downloaders._verify import is_page, refuse_length, shown, status_of
from qetch.errors import BadFile, NetworkError, RateLimited, RemoteError
from qetch.filenames import extension_of
from qetch.network import target_of, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from qetch.downloaders._plan import Segment
    from qetch.downloaders.http import HTTPDownloader

    Opened = Callable[[requests.Response], None]

PROBE = 2 << 20
"""Bytes of the first request, which shows whether the host serves parts; a smaller file costs no other."""
MAX_RESTARTS = 2
"""How often a file that changes meanwhile is begun anew, before it is fetched by one stream."""
MAX_RETRIES = 2
"""How often the first request is repeated if the host has no answer for the moment."""


class _Probe(NamedTuple):
    """The answer to the first request, which brings the first segment, and what to leave after that."""

    response: requests.Response
    open: contextlib.ExitStack


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
        self._lock = threading.Lock()

    def _start_over(self) -> None:
        """Forgets what was received."""
        self._forget()
        self._count(-self.counted)

    def _forget(self) -> None:
        """Removes the journal, before what it speaks of is overwritten."""
        with file_errors(self.journal_path):
            Path(self.journal_path).unlink(missing_ok=True)

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
        with opened(self.to_path) as descriptor:
            self._stream(descriptor)  # one answer is of one version

    def _fetch_missing(self) -> None:
        with opened(self.to_path) as descriptor:
            known = remembered(self.journal_path, self.to_path, self.url)
            if known and (known[0].validator or self._has_checksum()):
                thing, done = known
                self._count(_bytes_of(thing, done))
                self._parts(descriptor, thing, done, None)
            elif not self._begin(descriptor):
                self._stream(descriptor)

    def _ask(self, stack: contextlib.ExitStack, **more: str) -> requests.Response:
        """The first answer, for which a host that is busy is asked again; `stack` ends it."""
        failures = 0
        while True:
            with contextlib.ExitStack() as attempt:
                attempt.enter_context(self.downloader.turn(self.download_id, self.url))
                try:
                    response = attempt.enter_context(self.downloader.answer(self.download_id, self.url, **more))
                except (NetworkError, RateLimited, RemoteError) as error:
                    failures += 1
                    pause = pause_after(error, failures)
                    final = isinstance(error, RemoteError) and not error.passing
                    if final or pause is None or failures > MAX_RETRIES:
                        raise
                else:
                    stack.push(attempt.pop_all())
                    return response
            time.sleep(pause)
            self._count(0)

    def _has_checksum(self) -> bool:
        """Whether a file made of parts of different objects would be noticed at the end."""
        return bool(self.content and self.content.checksums and len(self.content.fragments) == 1)

    def _begin(self, descriptor: int) -> bool:
        """Asks for the first part, and goes on from there; False if the host does not serve parts."""
        with contextlib.ExitStack() as stack:
            response = self._ask(stack, Range=f"bytes=0-{PROBE - 1}")
            if _range.is_empty(response):
                self._expect(0)
                self._forget()
                truncate(descriptor, 0, self.to_path)
                return True
            if response.status_code == 200:
                self._save(response, descriptor)
                return True
            thing = _range.object_of(self.url, response)
            if thing is None:
                return False
            if thing.size > PROBE and not (thing.validator or self._has_checksum()):
                return False  # parts of different versions could not be told apart
            self._parts(descriptor, thing, frozenset(), _Probe(response, stack))
            return True

    # --- parts

    def _parts(self, descriptor: int, thing: Object, done: frozenset[int], probe: _Probe | None) -> None:
        self._expect(thing.size)
        if not done:
            self._forget()
        allocate(descriptor, thing.size, self.to_path)
        journal = Journal(self.journal_path, thing, done) if thing.size > PROBE else None
        plan = Plan(thing.size, done, journal.mark if journal else None)
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
        self, descriptor: int, plan: Plan, thing: Object, begun: Segment | None, probe: _Probe | None
    ) -> Callable[..., None]:
        """A function that fetches a segment; the one that the probe asked for comes from its answer."""

        def receive(
            segment: Segment, end: int, response: requests.Response, opened: Opened, received: Callable[[int], None]
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
                with probe.open, translated(shown(self.url)):
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
        """The whole file by one answer, for a host that serves no parts."""
        with contextlib.ExitStack() as stack:
            response = self._ask(stack)
            if response.status_code != 200:
                raise RemoteError(f"{shown(self.url)}: the host answered {status_of(response)} instead of a file")
            self._save(response, descriptor)

    def _save(self, response: requests.Response, descriptor: int) -> None:
        self._forget()
        length = plain_length(response)
        if length is not None:
            self._expect(length)
            allocate(descriptor, length, self.to_path)
        position = 0
        for piece in self._checked(response, at_start=True):
            write(descriptor, piece, position, self.to_path)
            position += len(piece)
            self._count(len(piece))
            refuse_length(self.content, position, whole=False)
        if not (position or is_framed(response)):  # an answer whose head was cut off looks like this
            raise NetworkError(f"{shown(self.url)}: the host closed the connection before it sent anything - try again")
        truncate(descriptor, position, self.to_path)

    def _expect(self, length: int) -> None:
        self.downloader.expect(self.download_id, self.to_path, length)
        refuse_length(self.content, length, whole=bool(self.content and len(self.content.fragments) == 1))

    def _checked(self, response: requests.Response, at_start: bool) -> Iterator[bytes]:
        """The body, unless it is a web page where a file was promised."""
        throttle = self.downloader.throttle
        body = pieces(response, self.extension, shown(self.url), throttle.piece, throttle)
        start = b""
        if at_start:
            for piece in body:
                start += piece
                if len(start) >= 512:
                    break
        kind = response.headers.get("Content-Type", "")
        if self.content is not None and is_page(kind, start[:512], self.extension):
            raise BadFile(
                f"{shown(self.url)}: a web page came in place of the file - open it in a browser to see what it says"
            )
        if start:
            yield start
        yield from body


def _bytes_of(thing: Object, done: frozenset[int]) -> int:
    return thing.size - Plan(thing.size, done).left
