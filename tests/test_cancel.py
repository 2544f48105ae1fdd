"""The end of a download by another thread, wherever it is: prompt, and the destination is as before."""

from __future__ import annotations

import gc
import logging
import socket
import threading
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from qetch.content import Segment
from qetch.downloaders import DownloadState, HTTPDownloader, Settings, _transfer
from qetch.downloaders._aside import _helpers, aside
from qetch.downloaders._limits import turns
from qetch.downloaders._run import Run
from qetch.errors import NotFound, RemoteError
from tests.downloads import BODY, PNG, content, names
from tests.hostile import Ask, FileOrigin, file_of, make_small
from tests.origin import Origin, Reply, Request
from tests.ranges import done_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from qetch.content import Content

BOUND = 20.0
"""Seconds after which nobody calls it prompt, on whatever machine; the hosts here are silent for far longer."""


class Going:
    """A download in a thread of its own."""

    def __init__(self, downloader: HTTPDownloader, made: Content, target: Path, **how: Any) -> None:
        self.outcome: list[object] = []
        self._thread = threading.Thread(target=self._run, args=(downloader, made, target, how), daemon=True)
        self._thread.start()

    def _run(self, downloader: HTTPDownloader, made: Content, target: Path, how: dict[str, Any]) -> None:
        try:
            self.outcome.append(downloader.download(made, target, download_id="mine", **how))
        except BaseException as error:  # noqa: BLE001 - it is looked at by `end`
            self.outcome.append(error)

    def end(self) -> object:
        self._thread.join(BOUND)
        assert self.outcome, "it goes on"
        return self.outcome[0]


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


@contextmanager
def canceled(
    folder: Path, downloader: HTTPDownloader, made: Content, kept: bool = False, **how: Any
) -> Iterator[HTTPDownloader]:
    """Begins a download, and cancels it after what is done within: then it ends, and leaves what it found."""
    folder = folder / "files"
    folder.mkdir()
    target = folder / "file.bin"
    target.write_bytes(b"older")
    going = Going(downloader, made, target, **how)
    until(lambda: downloader.download_state)
    yield downloader
    assert downloader.cancel("mine")
    error = going.end()
    assert type(error) is CancelledError
    assert target.read_bytes() == b"older"
    if not kept:
        assert names(folder) == ["file.bin"]
    assert downloader.download_state == {"mine": DownloadState.STOPPED}
    assert not downloader.cancel("mine")


def patient(**settings: Any) -> HTTPDownloader:
    """A downloader that waits for hosts for minutes."""
    return HTTPDownloader(settings=Settings(connect_timeout=600, read_timeout=600, **settings))


# Wherever it is


def test_while_connecting(tmp_path: Path) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for taken in (first, second):  # then nobody else is let in
            taken.setblocking(False)
            taken.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/a"
        with canceled(tmp_path, patient(), content(url)):
            time.sleep(0.05)


def test_while_no_answer_begins(tmp_path: Path) -> None:
    asked = threading.Event()

    def silent(request: Request) -> bytes:
        asked.set()
        origin._stopping.wait(60)
        return b""

    with Origin({"*": silent}) as origin, canceled(tmp_path, patient(), content(origin.url("/a"))):
        assert asked.wait(BOUND)


def test_while_a_head_drips(tmp_path: Path) -> None:
    dripping = threading.Event()

    def drip(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX: "
        while not origin._stopping.wait(0.01):
            dripping.set()
            yield b"x"

    with Origin({"*": drip}) as origin, canceled(tmp_path, patient(), content(origin.url("/a"))):
        assert dripping.wait(BOUND)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_while_a_body_drips(tmp_path: Path, framing: str) -> None:
    reply = Reply(body=BODY, framing=framing, drip=0.02, piece=700)
    with Origin({"*": reply}) as origin, canceled(tmp_path, patient(), content(origin.url("/a"))) as downloader:
        until(lambda: downloader.progress_store["mine"])


@pytest.mark.parametrize("head", [b"Content-Length: 100000\r\n", b"", b"Transfer-Encoding: chunked\r\n"])
def test_while_a_body_stalls(tmp_path: Path, head: bytes) -> None:
    def stalled(request: Request) -> Iterator[bytes]:
        start = b"800\r\n" + bytes(2048) if b"chunked" in head else bytes(2048)
        yield b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + start
        origin._stopping.wait(60)

    with Origin({"*": stalled}) as origin, canceled(tmp_path, patient(), content(origin.url("/a"))) as downloader:
        until(lambda: downloader.progress_store["mine"])


def test_while_others_have_all_connections(tmp_path: Path) -> None:
    downloader = patient(connections_per_host=1)
    with (
        Origin() as origin,
        downloader.turn("another", origin.url("/a")),
        canceled(tmp_path, downloader, content(origin.url("/a"))),
    ):
        until(lambda: turns._waiting["127.0.0.1"])
    assert not origin.requests


def test_while_the_host_may_not_be_asked_again(tmp_path: Path) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin:
        downloader = patient(rate=(1, 600.0))
        downloader.download(content(origin.url("/a", host="localhost")), tmp_path / "first")
        downloader.forget(next(iter(downloader.download_state)))
        with canceled(tmp_path, downloader, content(origin.url("/a", host="localhost"))):
            time.sleep(0.02)
        assert len(origin.requests) == 1


def test_in_the_pause_before_another_try(tmp_path: Path) -> None:
    busy = Reply(503, {"Retry-After": "50"})
    with Origin({"*": busy}) as origin, canceled(tmp_path, patient(), content(origin.url("/a"))):
        until(lambda: origin.requests)


def test_while_it_is_slowed_down(tmp_path: Path) -> None:
    reply = Reply(body=bytes(1_000_000))
    with (
        Origin({"*": reply}) as origin,
        canceled(tmp_path, patient(max_speed=1024), content(origin.url("/a"))) as downloader,
    ):
        downloader.throttle.reserve(100_000, time.monotonic())
        until(lambda: origin.requests)


def test_while_many_parts_stall_and_what_is_complete_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)

    def gate(ask: Ask, count: int) -> None:
        if ask.number > 3:
            origin._stopping.wait(60)

    with (
        FileOrigin(file_of(600_000), gate=gate) as origin,
        canceled(tmp_path, patient(), content(origin.file), kept=True),
    ):
        until(lambda: len(origin.asks) > 5)
    assert names(tmp_path / "files") == ["file.bin", "file.bin.qetch-part", "file.bin.qetch-part.journal"]
    assert done_blocks(tmp_path / "files", origin)


def test_in_a_pause_between_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)
    monkeypatch.setattr(_transfer, "FIRST_PAUSE", 50.0)
    refused = threading.Event()

    def busy(ask: Ask) -> Reply | None:
        if ask.number < 2:
            return None
        refused.set()
        return Reply(503)

    with (
        FileOrigin(file_of(200_000), wrong=busy) as origin,
        canceled(tmp_path, patient(), content(origin.file), kept=True),
    ):
        assert refused.wait(BOUND)


@pytest.mark.parametrize("max_fragments", [1, 3])
def test_while_the_fragments_of_a_playlist_stall(tmp_path: Path, max_fragments: int) -> None:
    def silent(request: Request) -> bytes:
        origin._stopping.wait(60)
        return b""

    with Origin({"/0": Reply(body=PNG), "/1": Reply(body=PNG), "*": silent}) as origin:
        urls = [origin.url(f"/{number}") for number in range(6)]
        made = content(*urls, playlist="hls", segments=[Segment()] * 6, extension="ts")
        with canceled(tmp_path, patient(), made, kept=True, max_fragments=max_fragments) as downloader:
            until(lambda: len(origin.requests) >= 2 + max_fragments)  # so two are complete
        left = names(tmp_path / "files")
        assert {"file.bin.qetch-part0", "file.bin.qetch-part1"} <= set(left)  # whole, so of use
        assert "file.bin.qetch-part2" not in left
        origin.routes["*"] = Reply(body=PNG)
        before = len(origin.requests)
        downloader.download(made, tmp_path / "files" / "file.bin")
        assert len(origin.requests) == before + 4
    assert (tmp_path / "files" / "file.bin").read_bytes() == PNG * 6
    assert names(tmp_path / "files") == ["file.bin"]


def test_a_fragment_without_a_length_that_was_cut_off_is_not_kept_for_a_whole_one(tmp_path: Path) -> None:
    def endless(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n" + PNG * 10
        origin._stopping.wait(60)

    with Origin({"/0": Reply(body=PNG), "*": endless}) as origin:
        made = content(*map(origin.url, ("/0", "/1")), playlist="hls", segments=[Segment()] * 2, extension="ts")
        with canceled(tmp_path, patient(), made, kept=True, max_fragments=2) as downloader:
            until(lambda: downloader.progress_store["mine"] >= 11 * len(PNG))
            time.sleep(0.05)
        assert names(tmp_path / "files") == [
            "file.bin",
            "file.bin.qetch-part",
            "file.bin.qetch-part.journal",
            "file.bin.qetch-part0",
        ]


def test_while_a_checksum_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    class Slow:
        def update(self, piece: bytes) -> None:
            begun.set()
            time.sleep(0.01)

    monkeypatch.setattr("hashlib.new", lambda *_, **__: Slow())
    monkeypatch.setattr("qetch.downloaders._verify.PIECE", 16)
    with Origin({"*": Reply(body=bytes(1_000_000))}) as origin:
        made = content(origin.url("/a"), checksums={"md5": "0" * 32})
        with canceled(tmp_path, patient(), made):
            assert begun.wait(BOUND)


# Too early, too late, and once


def test_what_is_not_there_cannot_be_canceled(tmp_path: Path) -> None:
    downloader = HTTPDownloader()
    assert not downloader.cancel("nothing")
    with Origin({"*": Reply(body=PNG)}) as origin:
        downloader.download(content(origin.url("/a")), tmp_path / "a", download_id="mine")
    assert not downloader.cancel("mine")
    assert downloader.download_state == {"mine": DownloadState.FINISHED}


def test_who_was_told_that_it_is_canceled_finds_no_file(tmp_path: Path) -> None:
    """Whenever that was: at the end it is either too late, or the file does not come."""
    outcomes = set()
    with Origin({"*": Reply(body=PNG)}) as origin:
        for number in range(60):
            downloader, target = HTTPDownloader(), tmp_path / str(number)
            going = Going(downloader, content(origin.url("/a")), target)
            until(partial(bool, downloader.download_state))
            time.sleep(number / 20_000)
            told = downloader.cancel("mine")
            outcome = going.end()
            assert isinstance(outcome, CancelledError if told else str), outcome
            assert target.exists() is not told
            outcomes.add(told)
    assert outcomes
    assert not [name for name in names(tmp_path) if "." in name]


def test_an_error_that_came_first_stays_the_outcome(tmp_path: Path) -> None:
    with Origin({"*": Reply(404)}) as origin:
        downloader = HTTPDownloader()
        going = Going(downloader, content(origin.url("/a")), tmp_path / "a")
        assert type(going.end()) is NotFound
        assert not downloader.cancel("mine")


def test_the_others_go_on(tmp_path: Path) -> None:
    def slow(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(1000)
        hold.wait(60)
        yield bytes(1000)

    hold, downloader = threading.Event(), patient()
    with Origin({"*": slow}) as origin:
        other = threading.Thread(target=downloader.download, args=(content(origin.url("/b")), tmp_path / "b"))
        other.start()
        until(lambda: downloader.progress_store)
        going = Going(downloader, content(origin.url("/a")), tmp_path / "a")
        until(lambda: downloader.progress_store.get("mine"))
        assert downloader.cancel("mine")
        assert type(going.end()) is CancelledError
        hold.set()
        other.join(BOUND)
    assert names(tmp_path) == ["b"]


# Ids, totals and headers


def test_an_id_that_is_in_use_is_refused(tmp_path: Path) -> None:
    def silent(request: Request) -> bytes:
        origin._stopping.wait(60)
        return b""

    with Origin({"*": silent}) as origin:
        made = content(origin.url("/a"))
        with canceled(tmp_path, patient(), made) as downloader:
            with pytest.raises(ValueError, match="give another id"):
                downloader.download(made, tmp_path / "b", download_id="mine")
            with pytest.raises(ValueError, match="is not over"):
                downloader.forget("mine")
        origin.routes["*"] = Reply(body=PNG)
        downloader.download(made, tmp_path / "b", download_id="mine")
    assert (tmp_path / "b").read_bytes() == PNG


def test_what_is_forgotten_takes_no_room(tmp_path: Path) -> None:
    downloader = HTTPDownloader()
    with Origin({"*": Reply(body=PNG)}) as origin:
        downloader.download(content(origin.url("/a")), tmp_path / "a", download_id="mine")
    assert downloader.total_of("mine") == len(PNG)
    for _ in range(2):
        downloader.forget("mine")
        assert (downloader.download_state, downloader.progress_store) == ({}, {})
        assert downloader.total_of("mine") is None


@pytest.mark.parametrize(("reply", "total"), [(Reply(body=BODY, drip=0.01, piece=64_000), len(BODY)), (None, None)])
def test_the_total_is_known_when_the_host_says_it(tmp_path: Path, reply: Reply | None, total: int | None) -> None:
    def unsaid(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1000)
        origin._stopping.wait(60)

    with (
        Origin({"*": reply or unsaid}) as origin,
        canceled(tmp_path, patient(), content(origin.url("/a"))) as downloader,
    ):
        until(lambda: downloader.progress_store["mine"])
        assert downloader.total_of("mine") == total


def test_the_headers_of_the_first_answer_are_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)
    told: list[Mapping[str, str]] = []
    with FileOrigin(file_of(200_000)) as origin:
        origin.wrong = lambda ask: Reply(503) if ask.number == 1 else None
        HTTPDownloader().download(content(origin.file), tmp_path / "a", headers_hook=told.append)
        assert len(origin.asks) > 3
    assert [headers["etag"] for headers in told] == ['"v1"']
    assert told[0].get("Content-Range") == "bytes 0-16383/200000"
    assert "content-range" in {name.lower() for name in told[0]}


def test_a_hook_for_headers_that_raises_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def hook(headers: Mapping[str, str]) -> None:
        raise RuntimeError("no")

    with caplog.at_level(logging.ERROR, logger="qetch"), Origin({"*": Reply(body=PNG)}) as origin:
        HTTPDownloader().download(content(origin.url("/a")), tmp_path / "a", headers_hook=hook)
    assert (tmp_path / "a").read_bytes() == PNG
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("retries", "asked"), [(0, 1), (1, 2), (2, 3)])
def test_a_busy_host_is_asked_as_often_as_is_wanted(tmp_path: Path, retries: int, asked: int) -> None:
    with Origin({"*": Reply(503)}) as origin:
        downloader = HTTPDownloader()
        assert downloader.retries == 2
        downloader.retries = retries
        with pytest.raises(RemoteError):
            downloader.download(content(origin.url("/a")), tmp_path / "a")
    assert len(origin.requests) == asked


# Calls aside


def test_a_call_aside_gives_and_raises_what_it_does() -> None:
    run = Run()
    assert aside(lambda: 5, bool, run.cutting) == 5
    with pytest.raises(KeyError, match="why"):
        aside(partial(dict[str, int]().__getitem__, "why"), bool, run.cutting)
    run.stop()
    with pytest.raises(CancelledError):
        aside(lambda: 5, bool, run.cutting)


def test_what_a_call_gives_too_late_is_discarded() -> None:
    run, hold, discarded = Run(), threading.Event(), threading.Event()
    threading.Timer(0.02, run.stop).start()
    with pytest.raises(CancelledError):
        aside(lambda: hold.wait(BOUND), lambda _: discarded.set(), run.cutting)
    hold.set()
    assert discarded.wait(BOUND)


def test_calls_aside_use_threads_again() -> None:
    run, before = Run(), threading.active_count()
    for _ in range(50):
        aside(gc.get_count, bool, run.cutting)
        until(lambda: _helpers._idle)
    assert threading.active_count() <= before + 2
