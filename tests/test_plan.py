from __future__ import annotations

import threading
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qetch.downloaders import _plan
from qetch.downloaders._plan import Plan, block_size

if TYPE_CHECKING:
    from qetch.downloaders._plan import Segment

BLOCK = 64


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_plan, "MIN_BLOCK", BLOCK)
    monkeypatch.setattr(_plan, "MIN_SEGMENT", 100)
    monkeypatch.setattr(_plan, "MIN_STEAL", 8)


class Ledger:
    """A plan, and how often each byte was brought."""

    def __init__(self, size: int, done: set[int]) -> None:
        self.times = bytearray(size)
        for block in done:
            length = len(self.times[block * BLOCK : (block + 1) * BLOCK])
            self.times[block * BLOCK : block * BLOCK + length] = b"\1" * length
        self.marked: list[int] = []
        self.plan = Plan(size, done, self._mark)
        self.active: list[Segment] = []

    def _mark(self, block: int) -> None:
        self.marked.append(block)

    def take(self, workers: int, first: int) -> None:
        segment = self.plan.take(workers, first)
        if segment is not None:
            assert segment.left
            self.active.append(segment)

    def advance(self, index: int, count: int) -> None:
        if not self.active:
            return
        segment = self.active[index % len(self.active)]
        start = segment.position
        wanted = self.plan.advance(segment, count)
        assert 0 <= wanted <= count
        for place in range(start, start + wanted):
            self.times[place] += 1

    def give_back(self, index: int) -> None:
        if self.active:
            self.plan.give_back(self.active.pop(index % len(self.active)))

    def age(self, index: int, seconds: float) -> None:
        if self.active:
            segment = self.active[index % len(self.active)]
            segment.since -= seconds
            segment.last -= seconds

    def drain(self) -> None:
        """Brings all that is left, after the connections that are open were lost."""
        while self.active:
            self.give_back(0)
        while self.plan.left:
            self.take(3, 0)
            self.advance(0, self.active[0].left)
            self.give_back(0)


numbers = st.integers(0, 7)
actions = st.one_of(
    st.tuples(st.just("take"), st.integers(1, 9), st.sampled_from([0, 0, 50, 1000])),
    st.tuples(st.just("advance"), numbers, st.integers(0, 300)),
    st.tuples(st.just("give_back"), numbers),
    st.tuples(st.just("age"), numbers, st.sampled_from([0.1, 1.5, 100.0])),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(0, 3000), done=st.sets(st.integers(0, 46)), steps=st.lists(actions, max_size=60))
def test_every_byte_is_brought_once_and_every_block_marked_when_it_is_whole(
    size: int, done: set[int], steps: list[tuple[str, int, int]]
) -> None:
    blocks = -(-size // BLOCK)
    done = {block for block in done if block < blocks}
    ledger = Ledger(size, done)
    assert ledger.plan.left == ledger.times.count(0)
    for name, *arguments in steps:
        getattr(ledger, name)(*arguments)
        assert ledger.plan.left == ledger.times.count(0)
        whole = {block for block in range(blocks) if 0 not in ledger.times[block * BLOCK : (block + 1) * BLOCK]}
        assert set(ledger.marked) == whole - done
    ledger.drain()
    assert set(ledger.times) <= {1}
    assert sorted([*ledger.marked, *done]) == list(range(blocks))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 3000), workers=st.integers(1, 9))
def test_nothing_is_handed_out_twice(size: int, workers: int) -> None:
    plan = Plan(size)
    taken = []
    while (segment := plan.take(workers)) is not None:
        taken.append((segment.position, segment.end))
    assert taken[0][0] == 0
    assert [end for _, end in taken[:-1]] == [start for start, _ in taken[1:]]
    assert taken[-1][1] == size


def test_segments_shrink_as_the_rest_does() -> None:
    plan = Plan(100_000)
    sizes = []
    while (segment := plan.take(4)) is not None:
        sizes.append(segment.left)
    assert sizes[0] == 12_500
    assert all(later <= earlier + 25 for earlier, later in pairwise(sizes))
    assert sizes[-1] <= 125


def test_the_slowest_segment_is_shared_with_who_is_idle() -> None:
    plan = Plan(2000)
    slow, quick = plan.take(1, 1000), plan.take(1, 1000)
    assert slow
    assert quick
    for segment in (slow, quick):
        segment.since -= 10
    plan.advance(slow, 10)
    plan.advance(quick, 900)
    stolen = plan.take(2)
    assert stolen
    assert (stolen.end, slow.end) == (1000, stolen.position)
    assert slow.left < 30
    assert stolen.left > 900


def test_a_segment_without_an_answer_yet_is_left_alone() -> None:
    plan = Plan(1000)
    segment = plan.take(1, 1000)
    assert segment
    assert plan.take(2) is None
    segment.since -= 100
    segment.last -= 100
    stolen = plan.take(2)
    assert stolen
    assert (segment.left, stolen.left) == (0, 1000)
    assert stolen.patience > segment.patience


def test_a_segment_that_ends_in_a_moment_is_left_alone() -> None:
    plan = Plan(100_000)
    segment = plan.take(1, 100_000)
    assert segment
    segment.since -= 0.01
    plan.advance(segment, 90_000)
    segment.since -= 10 - 0.01
    segment.received = 90_000 * 1000
    assert plan.take(2) is None


@pytest.mark.parametrize("size", [1, BLOCK, BLOCK + 1, BLOCK << 16, (BLOCK << 16) + 1, 1 << 40])
def test_a_file_has_no_more_blocks_than_the_journal_can_hold(size: int) -> None:
    block = block_size(size)
    assert -(-size // block) <= _plan.MAX_BLOCKS
    assert block % BLOCK == 0
    assert block == BLOCK or -(-size // (block // 2)) > _plan.MAX_BLOCKS


def test_threads_may_work_on_one_plan() -> None:
    size = 200_000
    times, lock = bytearray(size), threading.Lock()
    marked: list[int] = []
    plan = Plan(size, (), marked.append)

    def work(step: int) -> None:
        while plan.left:
            segment = plan.take(4)
            if segment is None:
                continue
            while segment.left:
                start = segment.position
                wanted = plan.advance(segment, step)
                with lock:
                    for place in range(start, start + wanted):
                        times[place] += 1
                if step % 2 and start % 3 == 0:
                    break
            plan.give_back(segment)

    threads = [threading.Thread(target=work, args=(step,)) for step in (7, 64, 301, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(times) == {1}
    assert sorted(marked) == list(range(-(-size // BLOCK)))
