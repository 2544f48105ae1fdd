"""What keeps downloads within bounds: the speed, the connections to a host, and the end of all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch.downloaders import HTTPDownloader, Settings
from qetch.downloaders._body import PIECE
from qetch.downloaders._crew import run_all
from qetch.downloaders._limits import BURST, Rates, Throttle, Turns, turns
from qetch.errors import NotFound
from qetch.network import Pace
from tests.downloads import content, refused
from tests.origin import Origin, Reply, Request, ranged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BIG = bytes(range(251)) * 20_000
TAG = {"ETag": '"1"'}


def wait_for(condition: Any) -> None:
    while not condition():
        time.sleep(0.005)


class Watched:
    """A script that serves ranges, and counts how many answers are under way at a time."""

    def __init__(self, body: bytes, slow: float = 0.0) -> None:
        self.most = self._now = 0
        self._serve, self._slow, self._lock = ranged(body, TAG), slow, threading.Lock()

    def __call__(self, request: Request) -> Iterator[bytes]:
        reply = self._serve(request)
        body = reply.body if isinstance(reply.body, bytes) else b""
        headers = {**reply.headers, "Content-Length": str(len(body)), "Connection": "close"}
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        yield "\r\n".join(lines).encode()
        time.sleep(self._slow)
        yield body[:-1]
        with self._lock:  # before the last byte is sent: who has it may ask again
            self._now -= 1
        yield body[-1:]


# Speed


def test_bytes_are_due_one_after_the_other_whoever_reads_them():
    throttle = Throttle(2048)
    assert throttle.reserve(2048, 100.0) == pytest.approx(1.0 - BURST)
    assert throttle.reserve(1024, 100.0) == pytest.approx(1.5 - BURST)
    assert throttle.reserve(1024, 101.0) == pytest.approx(1.0 - BURST)
    assert throttle.reserve(1024, 500.0) == pytest.approx(0.5 - BURST)  # a long pause is not made up for


def test_no_limit_costs_no_wait():
    assert Throttle(None).reserve(1 << 40, 100.0) == 0.0
    assert Throttle(None).piece == PIECE


@pytest.mark.parametrize("speed", [1024, 500_000, 8 << 20, 10 << 30])
def test_reads_are_no_larger_than_the_speed_warrants(speed):
    throttle = Throttle(speed)
    assert throttle.piece <= PIECE
    assert throttle.piece / speed <= 0.0625
    assert throttle.connections * 1024 <= speed


@pytest.mark.parametrize("script", [ranged(BIG, TAG), Reply(body=BIG), Reply(body=BIG, framing="chunked")])
def test_a_limited_download_is_whole_and_no_faster_than_allowed(tmp_path: Path, script: Any):
    speed = 8 << 20
    with Origin({"*": script}) as origin:
        begun = time.monotonic()
        downloader = HTTPDownloader(settings=Settings(max_speed=speed))
        downloader.download(content(origin.url("/a")), str(tmp_path / "a"))
        seconds = time.monotonic() - begun
    assert (tmp_path / "a").read_bytes() == BIG
    assert seconds > len(BIG) / speed - 2 * BURST  # slower is the machine's business, faster is ours


def test_downloads_of_one_downloader_share_its_speed(tmp_path: Path):
    speed = 16 << 20
    with Origin({"*": ranged(BIG, TAG)}) as origin:
        downloader = HTTPDownloader(settings=Settings(max_speed=speed))
        begun = time.monotonic()
        urls = [origin.url(f"/{number}") for number in range(3)]
        downloader.download(content(*urls), str(tmp_path / "a"), max_fragments=3)
        seconds = time.monotonic() - begun
    assert (tmp_path / "a").read_bytes() == BIG * 3
    assert seconds > 3 * len(BIG) / speed - 2 * BURST


def test_a_low_speed_opens_no_more_connections_than_it_feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert [Throttle(speed).connections for speed in (1024, 8192, 40_000)] == [1, 2, 9]
    monkeypatch.setattr("qetch.downloaders._limits.SPEED_OF_ONE", 8 << 20)
    watched = Watched(BIG, slow=0.01)
    with Origin({"*": watched}) as origin:
        downloader = HTTPDownloader(settings=Settings(max_speed=16 << 20))
        downloader.download(content(origin.url("/a")), str(tmp_path / "a"))
    assert watched.most <= 2


# Connections


@pytest.mark.parametrize("cap", [1, 2, 3])
def test_a_host_sees_no_more_connections_than_are_allowed(tmp_path: Path, cap: int):
    watched = Watched(BIG, slow=0.01)
    with Origin({"*": watched}) as origin:
        settings = Settings(connections_per_host=cap)
        HTTPDownloader(settings=settings).download(content(origin.url("/a")), str(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == BIG
    assert 1 <= watched.most <= cap


def test_all_downloads_of_the_process_count_together(tmp_path: Path):
    watched = Watched(BIG, slow=0.01)

    def one(number: int) -> str:
        downloader = HTTPDownloader(settings=Settings(connections_per_host=2))
        urls = [origin.url(f"/{number}"), origin.url(f"/{number}b")]
        return downloader.download(content(*urls), str(tmp_path / str(number)), max_fragments=2)

    with Origin({"*": watched}) as origin, ThreadPoolExecutor(3) as pool:
        paths = list(pool.map(one, range(3)))
    assert all(Path(path).read_bytes() == BIG * 2 for path in paths)
    assert watched.most <= 2


@contextmanager
def turn(turns: Turns, host: str, unwanted: Callable[[], bool] = bool) -> Iterator[bool]:
    """Holds the one connection of a host."""
    mine = turns.take(host, 1, unwanted)
    try:
        yield mine
    finally:
        if mine:
            turns.give_back(host)


def test_turns_go_to_who_asked_first_and_come_back():
    turns, order, threads = Turns(), [], []

    def ask(name: int) -> None:
        with turn(turns, "a.example"):
            order.append(name)

    with turn(turns, "a.example"):
        for name in range(5):
            threads.append(threading.Thread(target=ask, args=(name,)))
            threads[-1].start()
            wait_for(lambda: len(turns._waiting["a.example"]) == len(threads))
        with turn(turns, "b.example") as mine:
            assert mine
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_waits_for_a_turn_may_give_up():
    turns, unwanted = Turns(), threading.Event()
    with turn(turns, "a.example"):
        unwanted.set()
        with turn(turns, "a.example", unwanted.is_set) as mine:
            assert not mine
    with turn(turns, "a.example") as mine:
        assert mine


def test_an_error_gives_the_turn_back():
    downloader = HTTPDownloader(settings=Settings(connections_per_host=1))
    for _ in range(2):
        with pytest.raises(KeyError), downloader.turn("id", "http://a.example/"):
            raise KeyError


# Rates


def test_a_rate_gives_a_request_its_moment_or_says_how_long_to_wait():
    pace = Pace(2, 10.0)
    assert [pace.take(now) for now in (100.0, 101.0, 102.0, 109.0, 110.0, 110.5, 111.0)] == [0, 0, 8, 1, 0, 0.5, 0]


def test_who_waits_for_a_rate_may_give_up_and_costs_the_next_one_nothing():
    rates, unwanted = Rates(), threading.Event()
    assert rates.wait("a.example", (1, 600.0), unwanted.is_set)
    assert rates.wait("b.example", (1, 600.0), unwanted.is_set)
    unwanted.set()
    assert not rates.wait("a.example", (1, 600.0), unwanted.is_set)
    assert rates.wait("a.example", (2, 600.0), unwanted.is_set)


def test_rates_remember_so_many_hosts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("qetch.downloaders._limits.MOST_PACES", 3)
    rates = Rates()
    for number in range(9):
        assert rates.wait(f"{number}.example", (1, 600.0), bool)
    assert len(rates._paces) == 3


@pytest.mark.parametrize("body", [b"small", BIG], ids=["one request each", "parts"])
def test_a_host_is_asked_no_more_often_than_its_rate_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
):
    monkeypatch.setattr("qetch.downloaders._limits.rates", Rates())
    monkeypatch.setattr("qetch.downloaders.http.rates", Rates())
    asked: list[float] = []
    serve = ranged(body, TAG)

    def noting(request: Request) -> Reply:
        asked.append(time.monotonic())
        return serve(request)

    with Origin({"*": noting}) as origin:
        begun = time.monotonic()
        for number in range(4 if len(body) < 9 else 1):
            downloader = HTTPDownloader(settings=Settings(rate=(2, 0.2)))
            downloader.download(content(origin.url(f"/{number}")), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == body
    assert len(asked) >= 4 or len(body) > 9
    # Counted from the beginning: a request may come late on a busy machine, the one after it in time.
    assert all(moment - begun >= at // 2 * 0.2 for at, moment in enumerate(asked))


# The end


def test_a_failure_ends_the_others_though_their_hosts_are_silent(tmp_path: Path):
    stalled, hold = threading.Event(), threading.Event()

    def silent(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 1000
        stalled.set()
        hold.wait()

    def bad(request: Request) -> Reply:
        stalled.wait()
        return Reply(404)

    with Origin({"/silent": silent, "/bad": bad}) as origin, refused(tmp_path, NotFound, "/bad") as target:
        try:
            made = content(origin.url("/silent"), origin.url("/bad"))
            downloader = HTTPDownloader(settings=Settings(read_timeout=600))
            downloader.download(made, str(target), max_fragments=2)
        finally:
            hold.set()


def test_a_failure_ends_the_parts_of_the_others(tmp_path: Path):
    stalled, hold = threading.Semaphore(0), threading.Event()
    serve = ranged(BIG, TAG)

    def silent(request: Request) -> Any:
        if "bytes=0-" in request.headers["Range"]:
            return serve(request)
        return _half(serve(request), stalled, hold)

    def bad(request: Request) -> Reply:
        stalled.acquire()
        return Reply(404)

    with Origin({"/silent": silent, "/bad": bad}) as origin:
        try:
            made = content(origin.url("/silent"), origin.url("/bad"))
            downloader = HTTPDownloader(settings=Settings(read_timeout=600))
            with pytest.raises(NotFound):
                downloader.download(made, str(tmp_path / "a"), max_fragments=2)
        finally:
            hold.set()


def _half(reply: Reply, stalled: threading.Semaphore, hold: threading.Event) -> Iterator[bytes]:
    headers = {**reply.headers, "Content-Length": str(len(reply.body))}
    lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    yield "\r\n".join(lines).encode()
    stalled.release()
    hold.wait()


def test_jobs_run_a_few_at_a_time_in_their_order():
    lock, running, most, begun = threading.Lock(), 0, 0, []

    def job(number: int) -> None:
        nonlocal running, most
        with lock:
            begun.append(number)
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1

    stopped: list[int] = []
    run_all([partial(job, number) for number in range(20)], 3, lambda: stopped.append(1))
    assert begun == sorted(begun)
    assert len(begun) == 20
    assert most <= 3
    assert stopped == [1]


def test_the_first_failure_is_raised_and_no_more_jobs_begin():
    begun: list[int] = []

    def job(number: int) -> None:
        begun.append(number)
        if number == 3:
            raise KeyError(number)

    with pytest.raises(KeyError, match="3"):
        run_all([partial(job, number) for number in range(1000)], 1, bool)
    assert begun == [0, 1, 2, 3]


def test_a_job_that_does_not_end_keeps_nobody():
    hold, begun = threading.Event(), threading.Event()

    def bad() -> None:
        begun.wait()
        raise KeyError("bad")

    def endless() -> None:
        begun.set()
        hold.wait()

    try:
        with pytest.raises(KeyError, match="bad"):
            run_all([endless, bad], 2, bool)
    finally:
        hold.set()


def test_no_jobs_are_no_work():
    run_all([], 4, bool)


def test_an_interrupt_ends_fragments_whose_hosts_are_silent(tmp_path: Path):
    asked, hold = threading.Semaphore(0), threading.Event()

    def silent(request: Request) -> bytes:
        asked.release()
        hold.wait()
        return b""

    code = (
        "import sys; from tests.downloads import content; from qetch.downloaders import HTTPDownloader, Settings;"
        "HTTPDownloader(settings=Settings(read_timeout=600)).download(content(*sys.argv[2:]), sys.argv[1], 2)"
    )
    tests = Path(__file__).parent
    with Origin({"*": silent}) as origin:
        words = [sys.executable, "-c", code, str(tmp_path / "a"), origin.url("/1"), origin.url("/2")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tests.parent, tests)))}
        try:
            with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as process:
                assert all(asked.acquire(timeout=60) for _ in range(2))
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=60)  # the hosts would be waited for ten minutes
        finally:
            hold.set()
    assert process.returncode != 0
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_all_its_connections() -> None:
    assert turns.take("forked.example", 1, bool)
    child = os.fork()
    if not child:
        os._exit(0 if turns.take("forked.example", 1, lambda: True) else 1)
    turns.give_back("forked.example")
    assert os.waitpid(child, 0)[1] == 0
