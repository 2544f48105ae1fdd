"""The queue behind the client: no job is lost or comes twice, and no host holds up another."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from qetch.client.queue import FairQueue
from tests.clients import BOUND, until


def test_hosts_take_turns() -> None:
    queue: FairQueue[str] = FairQueue(8)
    for job in ("a1", "a2", "a3", "b1", "b2", "c1"):
        queue.put(job[0], job)
    assert [queue.take() for _ in range(6)] == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_a_host_with_fewer_running_comes_first() -> None:
    queue: FairQueue[str] = FairQueue(8)
    for job in ("a1", "a2", "b1", "b2"):
        queue.put(job[0], job)
    assert [queue.take() for _ in range(3)] == ["a1", "b1", "a2"]
    queue.done("b")
    queue.put("a", "a3")
    assert queue.take() == "b2"


def test_no_host_has_more_than_its_share() -> None:
    queue: FairQueue[str] = FairQueue(2)
    for job in ("a1", "a2", "a3", "b1"):
        queue.put(job[0], job)
    assert [queue.take() for _ in range(3)] == ["a1", "b1", "a2"]
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(queue.take()))
    thread.start()
    thread.join(0.05)
    assert taken == []
    queue.done("a")
    thread.join(BOUND)
    assert taken == ["a3"]


def test_a_job_with_a_pause_comes_after_it_and_holds_nobody_up() -> None:
    queue: FairQueue[str] = FairQueue(8)
    begun = time.monotonic()
    queue.put("a", "later", 0.2)
    queue.put("a", "now")
    queue.close()
    assert queue.take() == "now"
    assert queue.take() == "later"
    assert time.monotonic() - begun >= 0.2


def test_many_that_sleep_equally_long_wake_as_many_threads() -> None:
    queue: FairQueue[int] = FairQueue(8)
    together = threading.Barrier(5)
    met: list[int] = []

    def work() -> None:
        while (job := queue.take()) is not None:
            together.wait(BOUND)  # only all of them get past this
            met.append(job)
            queue.done("a")

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    for job in range(4):
        queue.put("a", job, 0.1)
    together.wait(BOUND)
    until(lambda: len(met) == 4)
    queue.close()
    for thread in threads:
        thread.join(BOUND)


def test_who_is_woken_wakes_others_if_there_is_more() -> None:
    """A thread whose time to wake has come swallows the call that another one's job makes."""
    queue: FairQueue[int] = FairQueue(8)
    together = threading.Barrier(3)

    def work() -> None:
        while queue.take() is not None:
            together.wait(BOUND)
            queue.done("a")

    threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(queue._change._waiters) == 2)  # type: ignore[attr-defined]
    with queue._change:
        queue._line_up("a", 1)
        queue._line_up("a", 2)
        queue._change.notify()
    together.wait(BOUND)
    queue.close()
    for thread in threads:
        thread.join(BOUND)


def test_the_end_comes_when_the_last_job_has_ended_for_it_may_come_back() -> None:
    queue: FairQueue[str] = FairQueue(8)
    queue.put("a", "job")
    assert queue.take() == "job"
    queue.close()
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(queue.take()))
    thread.start()
    queue.put("a", "job", 0.05)
    queue.done("a")
    thread.join(BOUND)
    assert taken == ["job"]
    queue.done("a")
    assert queue.take() is None


def test_what_is_cleared_is_given_back() -> None:
    queue: FairQueue[str] = FairQueue(8)
    queue.put("a", "a1")
    queue.put("b", "b1", 60)
    queue.put("b", "b2", 30)
    queue.put("a", "a2")
    assert queue.clear() == ["a1", "a2", "b2", "b1"]
    queue.close()
    assert queue.take() is None


@settings(max_examples=30, deadline=None)
@given(
    jobs=st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from([0.0, 0.0, 0.001, 0.004]), st.integers(0, 2)), max_size=60
    ),
    per_host=st.integers(1, 3),
    threads=st.integers(1, 6),
    close_early=st.booleans(),
    seed=st.integers(),
)
def test_no_job_is_lost_and_none_comes_twice(
    jobs: list[tuple[str, float, int]], per_host: int, threads: int, close_early: bool, seed: int
) -> None:
    """Jobs come from one thread, some pause first, and some are put back by who took them."""
    queue: FairQueue[tuple[str, int, int]] = FairQueue(per_host)
    lock, random_ = threading.Lock(), random.Random(seed)
    ended: Counter[int] = Counter()
    running: Counter[str] = Counter()
    wrong: list[Any] = []

    def work() -> None:
        while (job := queue.take()) is not None:
            host, number, again = job
            with lock:
                running[host] += 1
                if running[host] > per_host:
                    wrong.append(dict(running))
            time.sleep(random_.random() * 0.001)
            with lock:
                running[host] -= 1
                ended[number] += not again
            if again:
                queue.put(host, (host, number, again - 1), 0.001)
            queue.done(host)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for number, (host, pause, again) in enumerate(jobs):
        queue.put(host, (host, number, again), pause)
    if not close_early:
        until(lambda: sum(ended.values()) == len(jobs))
    queue.close()
    for worker in workers:
        worker.join(BOUND)
        assert not worker.is_alive()
    assert ended == Counter(range(len(jobs)))
    assert not wrong


def test_a_host_that_is_stuck_leaves_the_others_alone() -> None:
    queue: FairQueue[str] = FairQueue(3)
    for _ in range(20):
        queue.put("stuck", "stuck")
        queue.put("fast", "fast")
    taken: Counter[str | None] = Counter()
    for _ in range(23):
        job = queue.take()
        taken[job] += 1
        if job == "fast":
            queue.done("fast")
    assert taken == {"fast": 20, "stuck": 3}
