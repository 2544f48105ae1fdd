from __future__ import annotations

import hashlib
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch.downloaders import DownloadState, HTTPDownloader
from qetch.errors import (
    BadFile,
    Gone,
    NetworkError,
    NotFound,
    SpecError,
)
from tests.downloads import BODY, PAGE, PNG, content, names, refused
from tests.origin import Origin, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Fragments


@pytest.mark.parametrize("max_fragments", [1, 3])
def test_fragments_are_merged_in_their_order(tmp_path: Path, max_fragments: int) -> None:
    parts = [b"%d " % number * 1000 for number in range(7)]
    whole = b"".join(parts)
    with Origin({f"/{number}": Reply(body=part) for number, part in enumerate(parts)}) as origin:
        urls = [origin.url(f"/{number}") for number in range(7)]
        made = content(*urls, size=len(whole), checksums={"md5": hashlib.md5(whole).hexdigest()})
        path = HTTPDownloader().download(made, str(tmp_path / "film.ts"), max_fragments=max_fragments)
    assert Path(path).read_bytes() == whole
    assert names(tmp_path) == ["film.ts"]


def test_no_more_fragments_than_allowed_are_fetched_at_a_time(tmp_path: Path) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def answer(request: Request) -> Iterator[bytes]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        yield b"x"

    with Origin({"*": answer}) as origin:
        urls = [origin.url(f"/{number}") for number in range(12)]
        HTTPDownloader().download(content(*urls), str(tmp_path / "film.ts"), max_fragments=3)
    assert most <= 3


@pytest.mark.parametrize("max_fragments", [1, 4])
def test_one_bad_fragment_ends_the_download(tmp_path: Path, max_fragments: int) -> None:
    with Origin({"/bad": Reply(404), "*": Reply(body=PNG)}) as origin, refused(tmp_path, NotFound, "/bad") as target:
        urls = [origin.url(path) for path in ("/a", "/bad", "/c", "/d")]
        HTTPDownloader().download(content(*urls), str(target), max_fragments=max_fragments)


def test_the_other_fragments_stop_when_one_is_bad(tmp_path: Path) -> None:
    started, hold = threading.Event(), threading.Event()

    def endless(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while not hold.is_set():
            started.set()
            yield PNG

    def bad(request: Request) -> Reply:
        started.wait(20)
        return Reply(410)

    with Origin({"/endless": endless, "/bad": bad}) as origin, refused(tmp_path, Gone, "/bad") as target:
        try:
            made = content(origin.url("/endless"), origin.url("/bad"))
            HTTPDownloader().download(made, str(target), max_fragments=2)
        finally:
            hold.set()


def test_a_page_in_place_of_a_fragment_is_refused(tmp_path: Path) -> None:
    with Origin({"/b": Reply(body=PAGE), "*": Reply(body=PNG)}) as origin, refused(tmp_path, BadFile, "/b") as target:
        HTTPDownloader().download(content(origin.url("/a"), origin.url("/b"), extension="ts"), str(target))


def test_fragments_whose_sum_is_wrong_are_refused(tmp_path: Path) -> None:
    with Origin({"*": Reply(body=b"1234")}) as origin, refused(tmp_path, BadFile, "the site says 9") as target:
        HTTPDownloader().download(content(origin.url("/a"), origin.url("/b"), size=9), str(target))


def test_a_merge_may_put_its_file_anywhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    class Muxer:
        def merge(self, ordered_filepaths: Sequence[str]) -> str:
            (elsewhere / "out").write_bytes(b"+".join(Path(path).read_bytes() for path in ordered_filepaths))
            return str(elsewhere / "out")

    folder = tmp_path / "folder"
    folder.mkdir()
    with Origin({"/a": Reply(body=b"A"), "/b": Reply(body=b"B")}) as origin:
        made = content(origin.url("/a"), origin.url("/b"), extractor=Muxer())
        path = HTTPDownloader().download(made, str(folder / "film"))
    assert Path(path).read_bytes() == b"A+B"
    assert names(folder) == ["film"]
    assert names(elsewhere) == []


def test_a_merge_that_gives_no_file_is_said(tmp_path: Path) -> None:
    class Broken:
        def merge(self, ordered_filepaths: Sequence[str]) -> str:
            return str(tmp_path / "nowhere")

    with Origin({"*": Reply(body=b"A")}) as origin, refused(tmp_path, SpecError, "no file") as target:
        HTTPDownloader().download(content(origin.url("/a"), origin.url("/b"), extractor=Broken()), str(target))


# Progress


def test_a_hook_hears_from_the_start_to_the_end(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    downloader = HTTPDownloader()
    with Origin({"*": Reply(body=BODY, drip=0.01, piece=64_000)}) as origin:
        downloader.download(
            content(origin.url("/a")),
            str(tmp_path / "a"),
            progress_hook=lambda *call: calls.append(call),
            update_delay=0.02,
        )
    (download_id,) = {call[0] for call in calls}
    assert downloader.download_state == {download_id: DownloadState.FINISHED}
    assert downloader.progress_store == {download_id: len(BODY)}
    assert calls[0][1] <= calls[-1][1]
    assert [call[1] for call in calls] == sorted(call[1] for call in calls)
    assert calls[-1] == (download_id, len(BODY), len(BODY))
    assert len(calls) > 3


def test_a_hook_is_called_while_nothing_arrives(tmp_path: Path) -> None:
    enough = threading.Event()
    calls: list[tuple[str, int, int]] = []

    def hook(*call: Any) -> None:
        calls.append(call)
        if len(calls) == 5:
            enough.set()

    def waiting(request: Request) -> Iterator[bytes]:
        enough.wait(20)
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"

    with Origin({"*": waiting}) as origin:
        path = str(tmp_path / "a")
        HTTPDownloader().download(content(origin.url("/a"), size=1), path, progress_hook=hook, update_delay=0.01)
    assert [call[1:] for call in calls[:5]] == [(0, 1)] * 5
    assert calls[-1][1:] == (1, 1)


@pytest.mark.parametrize("body", [b"", PNG])
def test_a_hook_can_divide_by_a_total_that_nobody_knows(tmp_path: Path, body: bytes) -> None:
    shares: list[float] = []
    with Origin({"*": Reply(body=body, framing="chunked")}) as origin:
        HTTPDownloader().download(
            content(origin.url("/a")),
            str(tmp_path / "a"),
            progress_hook=lambda _, now, total: shares.append(now / total),
        )
    assert shares[-1] == (1.0 if body else 0.0)


def test_the_total_of_fragments_is_known_once_all_are(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    with Origin({"*": Reply(body=b"1234")}) as origin:
        urls = [origin.url(f"/{number}") for number in range(3)]
        HTTPDownloader().download(content(*urls), str(tmp_path / "a"), progress_hook=lambda *call: calls.append(call))
    assert calls[-1][1:] == (12, 12)


def test_a_hook_that_raises_is_logged_once_and_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def hook(download_id: str, current: int, total: int) -> None:
        calls.append(current)
        raise RuntimeError("the display is broken")

    with (
        caplog.at_level(logging.ERROR, logger="qetch"),
        Origin({"*": Reply(body=BODY, drip=0.01, piece=90_000)}) as origin,
    ):
        path = str(tmp_path / "a")
        HTTPDownloader().download(content(origin.url("/a")), path, progress_hook=hook, update_delay=0.01)
    assert (tmp_path / "a").read_bytes() == BODY
    assert calls[-1] == len(BODY)
    assert [record.message.partition(" of ")[0] for record in caplog.records] == ["the progress hook"]


def test_a_download_that_fails_is_stopped_and_its_hook_hears_the_end(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    downloader = HTTPDownloader()
    with Origin({"*": Reply(body=BODY, cut=1000)}) as origin, pytest.raises(NetworkError):
        downloader.download(
            content(origin.url("/a")), str(tmp_path / "a"), progress_hook=lambda *call: calls.append(call)
        )
    assert list(downloader.download_state.values()) == [DownloadState.STOPPED]
    assert calls[-1][1:] == (1000, len(BODY))


def test_the_state_goes_from_preparing_over_running_to_finished(tmp_path: Path) -> None:
    downloader = HTTPDownloader()
    seen: list[DownloadState] = []

    def answer(request: Request) -> Iterator[bytes]:
        seen.extend(downloader.download_state.values())
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx"
        while DownloadState.PREPARING in downloader.download_state.values():
            threading.Event().wait(0.001)
        seen.extend(downloader.download_state.values())
        yield b"x"

    with Origin({"*": answer}) as origin:
        # A body below 512 bytes is looked at whole before the first of it counts, so this one is longer.
        origin.routes["*"] = lambda request: _padded(answer(request))
        downloader.download(content(origin.url("/a")), str(tmp_path / "a"))
    assert seen == [DownloadState.PREPARING, DownloadState.RUNNING]
    assert list(downloader.download_state.values()) == [DownloadState.FINISHED]


def _padded(answer: Iterator[bytes]) -> Iterator[bytes]:
    for data in answer:
        yield (
            data.replace(b"Content-Length: 2", b"Content-Length: 2000").replace(b"\r\n\r\nx", b"\r\n\r\n" + b"x" * 1000)
            if (b"HTTP" in data)
            else data * 1000
        )


def test_each_download_has_an_id_of_its_own_and_each_downloader_its_own_state(tmp_path: Path) -> None:
    first, second = HTTPDownloader(), HTTPDownloader()
    with Origin({"*": Reply(body=b"x")}) as origin:
        for downloader in (first, first, second):
            downloader.download(content(origin.url("/a")), str(tmp_path / "a"))
    assert len(first.download_state) == len(first.progress_store) == 2
    assert len(second.download_state) == 1
    assert not first.download_state.keys() & second.download_state.keys()
