"""Small files, of which there are thousands: one request each, few steps, and the promises of any other file."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import qetch
from qetch.downloaders import HTTPDownloader, Settings, _body
from qetch.downloaders._part import PartFile, journal_of
from qetch.errors import BadFile, FileError, NetworkError
from tests.downloads import PAGE, PNG, content, names
from tests.hostile import Ask, FileOrigin, Wrong, differently, file_of, make_small
from tests.origin import Origin, Reply, Request, ranged
from tests.ranges import OLDER, attempt, bounded, downloader

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = file_of(9_001)
ROOT = Path(qetch.__path__[0]).parent


# One answer


@pytest.mark.parametrize("size", [0, 1, 511, 512, 9_001, 65_536, 200_001])
@pytest.mark.parametrize("parts", [True, False])
def test_a_small_file_is_one_request_and_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, parts: bool
) -> None:
    with FileOrigin(file_of(size)) as origin:
        origin.wrong = lambda ask: None if parts else origin.whole()
        using = downloader()
        using.download(content(origin.file), tmp_path / "first")  # makes the connection
        begun: list[object] = []
        start = threading.Thread.start

        def noting(thread: threading.Thread) -> None:
            begun.append(thread)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", noting)
        using.download(content(origin.file), tmp_path / "file.bin")
        monkeypatch.undo()
        assert begun == []
        assert len(origin.requests) == 2
        assert {request.method for request in origin.requests} == {"GET"}
    assert (tmp_path / "file.bin").read_bytes() == origin.body
    assert names(tmp_path) == ["file.bin", "first"]


BROKEN: dict[str, Any] = {
    "cut off": lambda origin, ask: replace(origin.right(ask), cut=4_000),
    "cut off at once": lambda origin, ask: replace(origin.right(ask), cut=0),
    "in chunks, cut off": lambda origin, ask: replace(origin.right(ask), framing="chunked", cut=4_000),
    "in chunks, shorter": lambda origin, ask: replace(
        origin.right(ask), framing="chunked", body=SMALL[ask.first : ask.first + 50]
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_the_rest_of_an_answer_that_broke_off_is_asked_for(tmp_path: Path, broken: Any) -> None:
    with FileOrigin(SMALL) as origin:
        origin.wrong = lambda ask: broken(origin, ask) if len(origin.asks) < 3 else None
        assert attempt(tmp_path, origin) == SMALL
        assert {ask.request.headers.get("If-Range") for ask in origin.asks[1:]} <= {None, '"v1"'}


@pytest.mark.parametrize("number", [2, 3])
def test_the_rest_of_another_version_is_not_taken(tmp_path: Path, number: int) -> None:
    newer = file_of(len(SMALL), seed=1 << 30)

    def change(ask: Ask) -> Wrong:
        if ask.number < number:
            return replace(origin.right(ask), cut=4_000)
        origin.body, origin.etag = newer, '"v2"'
        return None

    with FileOrigin(SMALL, wrong=change) as origin:
        assert attempt(tmp_path, origin) == newer


def test_without_a_version_all_of_it_is_asked_for_again(tmp_path: Path) -> None:
    newer = file_of(len(SMALL), seed=1 << 30)

    def change(ask: Ask) -> Wrong:
        if ask.number == 1:
            return replace(origin.right(ask), cut=4_000)
        origin.body = newer
        return None

    with FileOrigin(SMALL, wrong=change, etag="") as origin:
        assert attempt(tmp_path, origin) == newer


def test_more_than_the_part_that_was_named_is_not_written(tmp_path: Path) -> None:
    with FileOrigin(SMALL) as origin:
        origin.wrong = lambda ask: replace(origin.right(ask), framing="chunked", body=SMALL + b"and more")
        assert attempt(tmp_path, origin) == SMALL


def test_a_page_in_place_of_a_small_file_is_refused(tmp_path: Path) -> None:
    for body in (PAGE, PAGE + bytes(70_000)):
        with Origin({"*": ranged(body)}) as origin, pytest.raises(BadFile, match="web page"):
            downloader().download(content(origin.url("/a"), extension="png"), tmp_path / "a")
    assert names(tmp_path) == []


def test_a_small_file_keeps_to_the_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    with Origin({"*": ranged(SMALL)}) as origin:
        using = HTTPDownloader(settings=Settings(max_speed=100_000))
        reserve = using.throttle.reserve

        def noting(count: int, now: float) -> float:
            reads.append(count)
            return reserve(count, now)

        monkeypatch.setattr(using.throttle, "reserve", noting)
        using.download(content(origin.url("/a")), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == SMALL
    assert len(reads) > 5
    assert max(reads) <= using.throttle.piece


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_burst_and_then_a_drip_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, framing: str) -> None:
    monkeypatch.setattr(_body, "SLOW_SECONDS", 0.2)
    over = threading.Event()

    def burst(request: Request) -> Iterator[bytes]:
        chunked = framing == "chunked"
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 30000000"
        yield b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % length
        for _ in range(40):
            yield b"32000\r\n" * chunked + bytes(0x32000) + b"\r\n" * chunked
        while not over.wait(0.01):
            yield b"1\r\nx\r\n" if chunked else b"x"

    with Origin({"*": burst}) as origin:
        try:
            outcome = bounded(downloader(), origin.url("/a"), tmp_path / "a")
        finally:
            over.set()
    assert isinstance(outcome, NetworkError)
    assert "too slowly" in str(outcome)


# What an earlier attempt left


@pytest.mark.parametrize("left", [b"", b"short", bytes(50_000)])
@pytest.mark.parametrize("journal", [True, False])
@pytest.mark.parametrize("parts", [True, False])
def test_nothing_of_an_earlier_attempt_gets_into_a_small_file(
    tmp_path: Path, left: bytes, journal: bool, parts: bool
) -> None:
    part = tmp_path / "file.bin.qetch-part"
    part.write_bytes(left)
    if journal:
        Path(journal_of(str(part))).write_bytes(b"{}")
    with FileOrigin(SMALL) as origin:
        origin.wrong = lambda ask: None if parts else origin.whole()
        downloader().download(content(origin.file), tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == SMALL
    stray = ["file.bin.qetch-part.journal"] if journal and not left else []  # whose part file somebody removed
    assert names(tmp_path) == ["file.bin", *stray]


def test_a_small_file_follows_a_large_one_that_was_not_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_small(monkeypatch)
    body = file_of(100_000)
    with FileOrigin(body) as origin:
        origin.wrong = lambda ask: Reply(404) if ask.number > 3 else None
        assert not isinstance(attempt(tmp_path, origin), bytes)
        assert "file.bin.qetch-part.journal" in names(tmp_path)
        origin.wrong, origin.body, origin.etag = lambda ask: None, SMALL, '"v2"'
        assert attempt(tmp_path, origin) == SMALL


# The part file


def test_the_claim_lasts_from_before_the_request_until_the_end(tmp_path: Path) -> None:
    refused: list[str] = []

    def other(request: Request) -> Reply:
        with pytest.raises(FileError, match="another download") as caught:
            downloader().download(content(origin.url("/b")), tmp_path / "a")
        refused.append(str(caught.value))
        return Reply(body=PNG)

    with Origin({"/a": other, "/b": Reply(body=b"b")}) as origin:
        downloader().download(content(origin.url("/a")), tmp_path / "a")
    assert len(refused) == 1
    assert (tmp_path / "a").read_bytes() == PNG


def test_a_part_file_that_was_put_in_the_place_of_the_claimed_one_is_the_file(tmp_path: Path) -> None:
    target = str(tmp_path / "a")
    with PartFile(target) as part:
        (tmp_path / "other").write_bytes(b"made elsewhere")
        (tmp_path / "other").replace(part.path)
        part.finish(part.path)
    assert Path(target).read_bytes() == b"made elsewhere"
    assert names(tmp_path) == ["a"]


def test_few_calls_are_made_for_each_small_file(tmp_path: Path) -> None:
    program = """
import os, sys
from qetch.content import Content
from qetch.downloaders import HTTPDownloader
calls = []
sys.addaudithook(lambda event, args: calls.append(event) if event.startswith(("os.", "open", "socket.")) else None)
downloader, url = HTTPDownloader(), sys.argv[1]
for number in range(3):
    calls.clear()
    downloader.download(Content(str(number), url, [url], None, extension="png"), f"{sys.argv[2]}/{number}")
print(*calls)
"""
    with Origin({"*": ranged(PNG)}) as origin:
        command = [sys.executable, "-c", program, origin.url("/a"), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    assert done.stdout.split() == ["open", "os.rename"]


# Another folder for what is not complete


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    import tempfile

    place = Path("/dev/shm")
    if not place.is_dir() or not os.access(place, os.W_OK) or place.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system here")
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)


@pytest.fixture(params=["the same disk", "another disk"])
def apart(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is not complete."""
    if request.param == "another disk":
        folder: Path = request.getfixturevalue("elsewhere")
        return folder
    return tmp_path_factory.mktemp("apart")


def using(folder: Path, **settings: Any) -> HTTPDownloader:
    return HTTPDownloader(settings=Settings(tmp_dir=folder, **settings))


@pytest.mark.parametrize("size", [9_001, 5_000_000])
def test_a_file_grows_in_the_other_folder_and_ends_in_its_own(tmp_path: Path, apart: Path, size: int) -> None:
    seen: list[tuple[list[str], list[str]]] = []
    with FileOrigin(file_of(size)) as origin:
        origin.gate = lambda *_: seen.append((names(tmp_path), names(apart)))
        (tmp_path / "file.bin").write_bytes(OLDER)
        using(apart).download(content(origin.file), tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == origin.body
    assert all(here == ["file.bin"] for here, _ in seen)
    assert all(there and there[0].endswith(".qetch-part") for _, there in seen)
    assert (names(tmp_path), names(apart)) == (["file.bin"], [])


def test_fragments_grow_there_too(tmp_path: Path, apart: Path) -> None:
    with Origin({"/a": Reply(body=b"one"), "/b": Reply(body=b"two")}) as origin:
        using(apart).download(content(origin.url("/a"), origin.url("/b")), tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == b"onetwo"
    assert (names(tmp_path), names(apart)) == (["film"], [])


def test_what_was_not_completed_there_is_used_by_the_next_attempt(
    tmp_path: Path, apart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_small(monkeypatch)
    (tmp_path / "link").symlink_to(tmp_path)
    with FileOrigin(file_of(200_000)) as origin:
        origin.wrong = lambda ask: Reply(404) if ask.number > 4 else None
        with pytest.raises(qetch.errors.NotFound):
            using(apart).download(content(origin.file), tmp_path / "file.bin")
        assert len(names(apart)) == 2
        before, origin.wrong = origin.sent, lambda ask: None
        using(apart).download(content(origin.file), tmp_path / "link" / "file.bin")  # the same file
        assert origin.sent - before < 200_000
    assert (tmp_path / "file.bin").read_bytes() == origin.body
    assert names(apart) == []


def test_files_of_the_same_name_do_not_meet_there(tmp_path: Path, apart: Path) -> None:
    folders = [tmp_path / str(number) for number in range(6)]
    for folder in folders:
        folder.mkdir()
    with (
        Origin({"*": lambda request: Reply(body=request.path.encode() * 1000)}) as origin,
        ThreadPoolExecutor() as pool,
    ):
        jobs = [(content(origin.url(f"/{folder.name}")), folder / "file.bin") for folder in folders]
        list(pool.map(lambda job: using(apart).download(*job), jobs))
    assert [(folder / "file.bin").read_bytes() for folder in folders] == [b"/%d" % n * 1000 for n in range(6)]
    assert names(apart) == []


def test_two_downloads_to_one_path_never_mix_there_either(tmp_path: Path, apart: Path) -> None:
    def other(request: Request) -> Reply:
        with pytest.raises(FileError, match="another download"):
            using(apart).download(content(origin.url("/b")), tmp_path / "a")
        return Reply(body=PNG)

    with Origin({"/a": other, "/b": Reply(body=b"b")}) as origin:
        using(apart).download(content(origin.url("/a")), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == PNG


@pytest.mark.parametrize(
    ("place", "cure"),
    [
        ("missing/file.bin", "make the folder first"),
        ("older.txt/file.bin", "a part of its path is a file"),
        ("folder", "give the path of a file"),
        ("new/", "give the path of a file"),
        ("x" * 300, "choose a shorter name"),
        ("a\x00b", "null"),
    ],
)
def test_a_place_that_cannot_hold_the_file_is_said_before_any_request(
    tmp_path: Path, apart: Path, place: str, cure: str
) -> None:
    (tmp_path / "older.txt").write_text("older")
    (tmp_path / "folder").mkdir()
    with Origin() as origin, pytest.raises(FileError, match=cure):
        using(apart).download(content(origin.url("/a")), f"{tmp_path}/{place}")
    assert origin.requests == []
    assert names(apart) == []


def test_a_copy_from_another_disk_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, synced = tmp_path / "file.bin", []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        status = os.fstat(descriptor)
        synced.append((status.st_size, status.st_dev == tmp_path.stat().st_dev, target.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    (tmp_path / "file.bin.qetch-part").write_bytes(b"left over, and longer than the file" * 1000)
    (tmp_path / "file.bin.qetch-part.journal").write_bytes(b"of no use any more")
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    with Origin({"*": ranged(SMALL, {"Last-Modified": date})}) as origin:
        using(elsewhere, set_mtime=True).download(content(origin.url("/a")), target)
    assert synced[-1] == (len(SMALL), True, False)
    assert target.read_bytes() == SMALL
    assert target.stat().st_mtime == 784_111_777
    assert stat.S_IMODE(target.stat().st_mode) & 0o600 == 0o600
    assert names(tmp_path) == ["file.bin"]


def test_a_copy_that_fails_leaves_the_older_file(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    (tmp_path / "file.bin").write_bytes(OLDER)
    with Origin({"*": ranged(SMALL)}) as origin, pytest.raises(FileError, match="free some space"):
        using(elsewhere).download(content(origin.url("/a")), tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == OLDER
    assert (names(tmp_path), names(elsewhere)) == (["file.bin"], [])


def test_a_copy_does_not_overwrite_what_another_download_writes(tmp_path: Path, elsewhere: Path) -> None:
    target = tmp_path / "file.bin"
    with (
        Origin({"*": ranged(SMALL)}) as origin,
        PartFile(str(target)),
        pytest.raises(FileError, match="another download"),
    ):
        using(elsewhere).download(content(origin.url("/a")), target)
    assert not target.exists()


def test_a_small_file_of_a_host_that_breaks_off_for_ever_is_an_error(tmp_path: Path) -> None:
    with FileOrigin(SMALL) as origin:
        origin.wrong = lambda ask: differently(replace(origin.right(ask), cut=0))
        assert isinstance(attempt(tmp_path, origin), NetworkError)
