"""Which bytes of a file are still missing, and who fetches which of them. No input or output happens here."""

from __future__ import annotations

import threading
import time
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MIN_BLOCK = 64 << 10
MAX_BLOCKS = 1 << 12
"""A file is remembered in blocks of at least `MIN_BLOCK` bytes, and at most this many of them."""
MIN_SEGMENT = 1 << 20
MAX_SEGMENT = 64 << 20
"""Bytes asked for by one request, unless little is left."""
MIN_STEAL = 16 << 10
QUICK_SECONDS = 0.05
"""A part of another's segment is worth a request if it has so many bytes, and would take longer than that."""
SLOW_SECONDS = 1.0
"""Fewer bytes are worth one as well, if they would take longer than this."""
STALL_SECONDS = 2.0
"""A connection that brought nothing for so long loses all of its segment to an idle one."""


def block_size(size: int) -> int:
    """The length of the blocks in which a file of `size` bytes is remembered: a power of two."""
    block = MIN_BLOCK
    while block * MAX_BLOCKS < size:
        block *= 2
    return block


def _is_worth_it(left: int, rest: float) -> bool:
    """Whether another request pays for a part of `left` bytes, which would end `rest` seconds after its answer."""
    return (left >= 2 * MIN_STEAL and rest > QUICK_SECONDS) or (left > 1 and rest > SLOW_SECONDS)


@dataclass(slots=True, eq=False)
class Segment:
    """Bytes that one connection fetches: from `position` on, up to but without `end`, which a thief may lower.

    Attributes:
        patience: Seconds without a byte after which it counts as stalled. They double with each theft for that reason,
            so that a host which thinks long before each answer is waited for in the end.
    """

    position: int
    end: int
    patience: float = field(default_factory=lambda: STALL_SECONDS)
    since: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)
    received: int = 0

    @property
    def left(self) -> int:
        """How many bytes it still has to fetch."""
        return max(self.end - self.position, 0)

    def is_young(self, now: float) -> bool:
        """Whether the host may still be thinking about its answer, so that there is no speed yet."""
        return not self.received and now - self.since < self.patience

    def speed(self, now: float, usual: float = 0.0) -> float:
        """Bytes a second since it was taken; the `usual` ones while it is young."""
        return usual if self.is_young(now) else self.received / max(now - self.since, 1e-3)

    def is_stalled(self, now: float) -> bool:
        """Whether nothing came for too long."""
        return self.left > 0 and now - self.last > self.patience


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
        self._thinking = 0.0  # seconds that the host took for its last answer

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

    def has_work(self) -> bool:
        """Whether `take` would give something now."""
        with self._lock:
            return bool(self._gaps) or self._booty() is not None

    def _steal(self) -> Segment | None:
        found = self._booty()
        return self._split(*found) if found else None

    def _booty(self) -> tuple[Segment, int, float] | None:
        """The segment that would take longest, where to cut it so that both parts end together, and the patience."""
        now = time.monotonic()
        stalled = next((segment for segment in self._active if segment.is_stalled(now)), None)
        if stalled:
            return stalled, stalled.position, 2 * stalled.patience
        known = sorted(segment.speed(now) for segment in self._active if not segment.is_young(now))
        if not known:
            return None
        usual = max(known[len(known) // 2], 1.0)
        rests = {segment: segment.left / max(segment.speed(now, usual), 1.0) for segment in self._active}
        worth = [segment for segment, rest in rests.items() if _is_worth_it(segment.left, rest - 2 * self._thinking)]
        if not worth:
            return None
        victim = max(worth, key=rests.__getitem__)
        speed = victim.speed(now, usual)
        least = MIN_STEAL if victim.left >= 2 * MIN_STEAL else 1
        cut = victim.position + max(int(victim.left * min(speed / (speed + usual), 0.5)), least)
        return victim, cut, victim.patience

    def _split(self, victim: Segment, cut: int, patience: float) -> Segment:
        segment = Segment(cut, victim.end, patience)
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
            segment.last = time.monotonic()
            if not segment.received:
                self._thinking = segment.last - segment.since
            segment.position += count
            segment.received += count
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
