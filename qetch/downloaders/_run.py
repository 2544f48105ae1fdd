"""The facts of one download while it runs, and its end."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from qetch.content import Content, Segment
    from qetch.downloaders._part import PartFile

    ProgressHook = Callable[[str, int, int], object]
    HeadersHook = Callable[[Mapping[str, str]], object]

log = logging.getLogger("qetch")


class Run:
    """The facts of one download, beside its state and its progress.

    Args:
        content: What is downloaded; None if a part was asked for by hand.
        hook: Whom to tell about the progress.
        headers_hook: Whom to tell the headers of the first answer.

    Attributes:
        content: See above.
        hook: See above.
        segments: What is to know about the fragments of a playlist, by the path of their part file.
        lengths: How long the fragments are, in bytes, by the path of their part file, as far as is known.
        lock: Held while one of the download's threads counts.
        ended: Set when the last progress can be told; None if nobody is told.
        halted: All the download's threads shall stop.
        canceled: Somebody wants it to end without a file.
        complete: How many fragments are complete.
        part: The claimed part file.
        modified: When the host says that the file was modified, as a POSIX timestamp, if that is wanted.
    """

    def __init__(
        self,
        content: Content | None = None,
        hook: ProgressHook | None = None,
        headers_hook: HeadersHook | None = None,
    ) -> None:
        self.content = content
        self.hook = hook
        self.segments: dict[str, Segment] = {}
        self.lengths: dict[str, int] = {}
        self.lock = threading.Lock()
        self.ended: threading.Event | None = None
        self.halted = False
        self.canceled = False
        self.complete = 0
        self.part: PartFile | None = None
        self.modified: float | None = None
        self._headers_hook = headers_hook
        self._settled = False
        self._cuts: set[Callable[[], object]] = set()

    @contextmanager
    def cutting(self, cut: Callable[[], object]) -> Iterator[None]:
        """Lets `stop` end what waits within it in this thread; `cut` does that, and is called by another one.

        Raises:
            concurrent.futures.CancelledError: The download is to stop already.
        """
        self.cut_by(cut)
        try:
            yield
        finally:
            self.no_longer_by(cut)

    def cut_by(self, cut: Callable[[], object]) -> None:
        """Begins what `cutting` does."""
        with self.lock:
            if self.halted:
                raise CancelledError
            self._cuts.add(cut)

    def no_longer_by(self, cut: Callable[[], object]) -> None:
        """Ends what `cutting` does."""
        with self.lock:
            self._cuts.discard(cut)

    def is_halted(self) -> bool:
        """Whether all threads of the download shall stop."""
        return self.halted

    def stop(self) -> None:
        """Ends all threads of the download, also those that wait."""
        with self.lock:
            self.halted = True
            for cut in self._cuts:
                cut()

    def cancel(self) -> bool:
        """Ends the download without a file; False if it is too late for that."""
        with self.lock:
            if self._settled:
                return False
            self.canceled = True
        self.stop()
        return True

    def settle(self) -> bool:
        """Decides how the download ends: False if it was canceled, and from now on it cannot be."""
        with self.lock:
            self._settled = True
            return not self.canceled

    def refuse_canceled(self) -> None:
        """Raises CancelledError if the download was canceled."""
        if self.canceled:
            raise CancelledError

    def pause(self, seconds: float) -> None:
        """Waits.

        Raises:
            concurrent.futures.CancelledError: The download is to stop.
        """
        bell = threading.Event()
        with self.cutting(bell.set):
            bell.wait(seconds)
        if self.halted:
            raise CancelledError

    def tell_headers(self, headers: Mapping[str, str]) -> None:
        """Tells the headers of the first answer to whom wants them."""
        if self._headers_hook is None:
            return
        with self.lock:
            hook, self._headers_hook = self._headers_hook, None
        if hook is not None:
            try:
                hook(headers)
            except Exception:
                log.exception("the hook for the headers failed; the download goes on")

    @property
    def total(self) -> int | None:
        """The length of the whole file in bytes, estimated for a playlist; None while nobody knows."""
        if self.content is None:
            return None
        if self.content.size is not None:
            return self.content.size
        with self.lock:
            known, count = sum(self.lengths.values()), len(self.content.fragments)
            if len(self.lengths) == count:
                return known
            # The fragments of a playlist are much alike.
            return known * count // len(self.lengths) if self.content.segments and self.lengths else None
