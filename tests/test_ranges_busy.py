"""Hosts that are busy, or take only so many connections."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qetch.downloaders import _transfer
from qetch.errors import NetworkError, RateLimited, RemoteError
from tests.hostile import Ask, FileOrigin, Reset, Wrong, differently, file_of, make_small
from tests.origin import Reply
from tests.ranges import attempt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BODY = file_of(300_001)
HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def until(done: Callable[[], bool], seconds: float = 60) -> None:
    """Waits until something is so, but not for ever."""
    pause, end = threading.Event(), time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        pause.wait(0.002)


def known_limit() -> int:
    return _transfer._limits.get(HOST, (99, 0.0))[0]


@pytest.mark.parametrize(
    ("most", "answer"),
    [
        (1, Reply(429)),
        (2, Reply(429, {"Retry-After": "0"})),
        (2, Reply(429, {"Retry-After": "99999"})),
        (2, Reply(503)),
        (3, Reply(503, {"Retry-After": "0"})),
        (3, Reset()),
        (2, b""),
    ],
)
def test_a_host_that_takes_few_connections_is_asked_over_few_and_remembered(
    tmp_path: Path, most: int, answer: Wrong
) -> None:
    def refuse(ask: Ask) -> Wrong:
        return answer if ask.busy > most else None

    def slow_until_it_is_known(ask: Ask, count: int) -> None:
        # That it is the number which the host minds shows only while the others bring something.
        until(lambda: known_limit() <= most, 0.05)

    with FileOrigin(BODY, wrong=refuse, gate=slow_until_it_is_known, piece=1000) as origin:
        assert attempt(tmp_path, origin) == BODY
        assert known_limit() == most
        before = len(origin.asks)
        assert attempt(tmp_path, origin) == BODY
        assert len(origin.asks) > before + 3 or most == 1
        assert not any(ask.busy > most for ask in origin.asks[before:])


def test_what_is_remembered_of_a_host_is_forgotten_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _transfer._limits[HOST] = (1, time.monotonic() - 1)
    two = threading.Event()
    with FileOrigin(BODY) as origin:
        origin.gate = lambda ask, _: two.set() if ask.busy > 1 else two.wait(60)
        assert attempt(tmp_path, origin) == BODY
        assert origin.most_busy > 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 429])
@pytest.mark.parametrize("first", [1, 2, 5])
def test_a_host_that_is_busy_for_a_moment_is_asked_again(tmp_path: Path, status: int, first: int) -> None:
    busy = {first, first + 1}
    with FileOrigin(BODY, wrong=lambda ask: Reply(status) if ask.number in busy else None) as origin:
        assert attempt(tmp_path, origin) == BODY
        assert len(origin.asks) > max(busy)


@pytest.mark.parametrize("answer", [Reset(), b""])
@pytest.mark.parametrize("first", [1, 2, 5])
def test_a_host_that_breaks_off_for_a_moment_is_asked_again(tmp_path: Path, answer: Wrong, first: int) -> None:
    with FileOrigin(BODY, wrong=lambda ask: answer if ask.number in {first, first + 1} else None) as origin:
        assert attempt(tmp_path, origin) == BODY


@pytest.mark.parametrize("every", [2, 3])
def test_a_host_that_is_busy_again_and_again_is_asked_again(tmp_path: Path, every: int) -> None:
    with FileOrigin(BODY, wrong=lambda ask: Reply(503) if ask.number % every == 0 else None) as origin:
        assert attempt(tmp_path, origin) == BODY


@pytest.mark.parametrize(
    ("answer", "kind"), [(Reply(503), RemoteError), (Reply(429), RateLimited), (Reset(), NetworkError)]
)
@pytest.mark.parametrize("first", [1, 2, 4])
def test_a_host_that_stays_busy_is_given_up(tmp_path: Path, answer: Wrong, kind: type[Exception], first: int) -> None:
    with FileOrigin(BODY, wrong=lambda ask: answer if ask.number >= first else None) as origin:
        assert type(attempt(tmp_path, origin)) is kind
        assert len(origin.asks) < 60


@pytest.mark.parametrize("first", [1, 2])
def test_a_wait_that_is_too_long_is_left_to_the_user(tmp_path: Path, first: int) -> None:
    refusal = Reply(429, {"Retry-After": "3600"})
    with FileOrigin(BODY, wrong=lambda ask: refusal if ask.number >= first else None) as origin:
        error = attempt(tmp_path, origin, connections=1)
        assert isinstance(error, RateLimited)
        assert error.wait == 3600
        assert len(origin.asks) == first


def test_the_wait_that_a_host_asks_for_is_kept(tmp_path: Path) -> None:
    asked: list[float] = []

    def refuse(ask: Ask) -> Wrong:
        asked.append(time.monotonic())
        return Reply(429, {"Retry-After": "1"}) if ask.number == 2 else None

    with FileOrigin(BODY, wrong=refuse) as origin:
        assert attempt(tmp_path, origin, connections=1) == BODY
    assert asked[2] - asked[1] >= 0.99


def test_a_connection_that_ends_now_and_then_is_no_reason_for_fewer(tmp_path: Path) -> None:
    body = file_of(1_000_000)
    with FileOrigin(body) as origin:
        origin.wrong = lambda ask: replace(differently(origin.right(ask), Connection="close"), cut=12_000)
        assert attempt(tmp_path, origin) == body
    assert _transfer._limits == {}
