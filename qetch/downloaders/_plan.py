"""Which bytes of a file are still missing, and who fetches which of them. No input or output happens here."""

from __future__ import annotations

import threading
import time
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MIN_BLOCK = 1 << 20
MAX_BLOCKS = 1 << 16
"""A file is remembered in blocks of at least `MIN_BLOCK` bytes, and at most this many of them."""
MIN_SEGMENT = 1 << 20
MAX_SEGMENT = 64 << 20
"""Bytes asked for by one request, unless little is left."""
MIN_STEAL = 16 << 10
"""Bytes of another's segment that are worth a request."""
STALL_SECONDS = 2.0
"""A connection that brought nothing for so long loses all of its segment to an idle one."""


def block_size(size: int) -> int:
    """The length of the blocks in which a file of `size` bytes is remembered: a power of two."""
    block = MIN_BLOCK
    while block * MAX_BLOCKS < size:
        block *= 2
    return block


@dataclass(slots=True, eq=False)
class Segment:
    """Bytes that one connection fetches: from `position` on, up to but without `end`, which a thief may lower."""

    position: int
    end: int
    since: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)
    received: int = 0

    @property
    def left(self) -> int:
        """How many bytes it still has to fetch."""
        return max(self.end - self.position, 0)

    def speed(self, now: float) -> float:
        """Bytes a second since it was taken."""
        return self.received / max(now - self.since, 1e-3)


class Plan:
    """The missing bytes of a file of known size, shared by the threads that fetch them.

    Segments shrink as the rest does, so that all connections end together; when nothing is left to hand out, an idle
    one takes the far part of the segment that would take longest.

    Args:
        size: Of the file, in bytes.
        done: The numbers of the blocks that are there already.
        on_block: Called with the number of a block when its last byte is there.
    """

    def __init__(self, size: int, done: Iterable[int] = (), on_block: Callable[[int], None] | None = None) -> None:
        self.size = size
        self.block = block_size(size)
        self._on_block = on_block
        self._lock = threading.Lock()
        self._missing = array("Q", [self._length(block) for block in range(-(-size // self.block))])
        for block in done:
            self._missing[block] = 0
        self.left = sum(self._missing)
        self._gaps = list(self._find_gaps())
        self._active: list[Segment] = []

    def _length(self, block: int) -> int:
        return min(self.block, self.size - block * self.block)

    def _find_gaps(self) -> Iterator[tuple[int, int]]:
        start = None
        for block, missing in enumerate((*self._missing, 0)):
            if missing and start is None:
                start = block * self.block
            elif not missing and start is not None:
                yield start, min(block * self.block, self.size)
                start = None

    def take(self, workers: int, first: int = 0) -> Segment | None:
        """A segment to fetch, or None if there is none that would be worth it now.

        Args:
            workers: How many share the work.
            first: The most bytes of this segment; 0 for what fits the work.
        """
        with self._lock:
            if not self._gaps:
                return self._steal()
            start, end = self._gaps[0]
            open_bytes = sum(stop - begin for begin, stop in self._gaps)
            wanted = first or min(max(open_bytes // (2 * workers), MIN_SEGMENT), MAX_SEGMENT)
            cut = end if end - start <= wanted + wanted // 4 else start + wanted
            if cut == end:
                del self._gaps[0]
            else:
                self._gaps[0] = (cut, end)
            segment = Segment(start, cut)
            self._active.append(segment)
            return segment

    def _steal(self) -> Segment | None:
        """The far part of the segment that would take longest: as much of it as makes both end together."""
        now = time.monotonic()
        victims = [segment for segment in self._active if segment.left >= 2 * MIN_STEAL]
        stalled = [segment for segment in self._active if segment.left and now - segment.last > STALL_SECONDS]
        if stalled:
            return self._split(stalled[0], stalled[0].position)
        if not victims:
            return None
        speeds = {id(segment): segment.speed(now) for segment in self._active}
        victim = max(victims, key=lambda segment: segment.left / max(speeds[id(segment)], 1.0))
        usual = max(sorted(speeds.values())[len(speeds) // 2], 1.0)
        share = speeds[id(victim)] / (speeds[id(victim)] + usual)
        cut = victim.position + max(int(victim.left * min(share, 0.5)), MIN_STEAL)
        return self._split(victim, cut)

    def _split(self, victim: Segment, cut: int) -> Segment:
        segment = Segment(cut, victim.end)
        victim.end = cut
        self._active.append(segment)
        return segment

    def advance(self, segment: Segment, count: int) -> int:
        """Notes that the next `count` bytes of a segment are in the file.

        Returns:
            How many of them were still wanted of this segment.
        """
        with self._lock:
            start = segment.position
            segment.position += count
            segment.received += count
            segment.last = time.monotonic()
            wanted = max(min(segment.position, segment.end) - start, 0)
            full = list(self._count(start, start + wanted))
            self.left -= wanted
        if self._on_block:
            for block in full:
                self._on_block(block)
        return wanted

    def _count(self, start: int, end: int) -> Iterator[int]:
        while start < end:
            block = start // self.block
            stop = min(end, (block + 1) * self.block)
            self._missing[block] -= stop - start
            if not self._missing[block]:
                yield block
            start = stop

    def give_back(self, segment: Segment) -> None:
        """Ends a segment: what it did not fetch is handed out again."""
        with self._lock:
            self._active.remove(segment)
            if segment.left:
                self._gaps.append((segment.position, segment.end))
                self._gaps.sort()
            segment.end = segment.position
