from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import qetch
from qetch.downloaders import DownloadState, HTTPDownloader
from qetch.downloaders._steps import Steps
from qetch.errors import FileError
from tests.downloads import BODY, PNG, content, names, unmeasured
from tests.origin import Origin, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.downloaders._steps import Waits

ROOT = Path(qetch.__path__[0]).parent


# Where the file goes


@pytest.mark.parametrize(
    ("place", "cure"),
    [
        ("missing/file.bin", "make the folder first"),
        ("older.txt/file.bin", "a part of its path is a file"),
        ("", "give the path of a file"),
        ("folder", "give the path of a file"),
        ("new/", "give the path of a file"),
        ("x" * 300, "choose a shorter name"),
        ("x" * 245, "choose a shorter name"),
        ("a.qetch-part.journal", "the name of an unfinished file"),
        ("pipe", "a device or a pipe"),
        ("a\x00b", "null"),
    ],
)
def test_a_place_that_cannot_hold_the_file_is_said_before_any_request(tmp_path: Path, place: str, cure: str) -> None:
    (tmp_path / "older.txt").write_text("older")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = names(tmp_path)
    with Origin() as origin, pytest.raises(FileError, match=cure):
        HTTPDownloader().download(content(origin.url("/a")), f"{tmp_path}/{place}")
    assert origin.requests == []
    assert names(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not bind root")
def test_a_folder_without_the_right_to_write_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with Origin() as origin, pytest.raises(FileError, match="choose a folder that you may write to"):
            HTTPDownloader().download(content(origin.url("/a")), str(tmp_path / "a"))
    finally:
        tmp_path.chmod(0o700)


def test_somebodys_own_file_called_part_survives_beside(tmp_path: Path) -> None:
    own = {"file.bin.part": b"precious", "file.bin.part.journal": b"too", "file.bin.part0": b"and this"}
    for name, body in own.items():
        (tmp_path / name).write_bytes(body)
    with Origin({"*": Reply(body=PNG)}) as origin:
        HTTPDownloader().download(content(origin.url("/a")), str(tmp_path / "file.bin"))
        HTTPDownloader().download(content(origin.url("/a"), origin.url("/b")), str(tmp_path / "file.bin"))
    assert {name: (tmp_path / name).read_bytes() for name in own} == own
    assert names(tmp_path) == ["file.bin", *sorted(own)]


def test_a_part_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "file.bin.qetch-part").symlink_to(tmp_path / "precious")
    with Origin({"*": Reply(body=PNG)}) as origin, pytest.raises(FileError, match=r"file\.bin"):
        HTTPDownloader().download(content(origin.url("/a")), str(tmp_path / "file.bin"))
    assert (tmp_path / "precious").read_bytes() == b"precious"


LIMITED = """
import resource, sys
from qetch.content import Content
from qetch.downloaders import HTTPDownloader
from qetch.errors import FileError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
url, path = sys.argv[1:]
try:
    HTTPDownloader().download(Content("site-1", url, [url], None), path)
except FileError as error:
    print(error)
"""


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"older")
    with Origin({"*": Reply(body=BODY)}) as origin:
        command = [sys.executable, "-c", LIMITED, origin.url("/a"), str(target)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env=unmeasured()
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert os.strerror(errno.EFBIG) in done.stdout
    assert "choose another disk" in done.stdout
    assert names(tmp_path) == ["file.bin"]
    assert target.read_bytes() == b"older"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_is_never_replaced_by_a_file() -> None:
    with Origin({"*": Reply(body=PNG)}) as origin, pytest.raises(FileError, match="a device or a pipe"):
        HTTPDownloader().download(content(origin.url("/a")), "/dev/full")
    assert not Path("/dev/full").is_file()


ENDLESS = """
import sys
from qetch.content import Content
from qetch.downloaders import HTTPDownloader
url, path = sys.argv[1:]
HTTPDownloader().download(Content("site-1", url, [url], None), path)
"""


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"older")
    started, hold = threading.Event(), threading.Event()

    def stalled(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + PNG * 10
        started.set()
        hold.wait(20)

    with Origin({"*": stalled}) as origin:
        command = [sys.executable, "-c", ENDLESS, origin.url("/a"), str(target)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert started.wait(20)
            while (tmp_path / "file.bin.qetch-part").stat().st_size == 0:
                threading.Event().wait(0.01)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        hold.set()
    assert "KeyboardInterrupt" in errors
    assert names(tmp_path) == ["file.bin"]
    assert target.read_bytes() == b"older"


# Several downloads


def test_two_downloads_to_one_path_never_mix(tmp_path: Path) -> None:
    started, hold = threading.Event(), threading.Event()

    def slow(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + b"1111"
        started.set()
        hold.wait(20)
        yield b"1111"

    target = str(tmp_path / "file.bin")
    with Origin({"/slow": slow, "/quick": Reply(body=b"2222")}) as origin:
        first = threading.Thread(target=HTTPDownloader().download, args=(content(origin.url("/slow")), target))
        first.start()
        try:
            assert started.wait(20)
            with pytest.raises(FileError, match="another download writes this file"):
                HTTPDownloader().download(content(origin.url("/quick")), target)
        finally:
            hold.set()
            first.join()
        assert Path(target).read_bytes() == b"11111111"
        HTTPDownloader().download(content(origin.url("/quick")), target)
    assert Path(target).read_bytes() == b"2222"
    assert names(tmp_path) == ["file.bin"]


def test_many_downloads_to_one_path_leave_one_whole_file(tmp_path: Path) -> None:
    bodies = {f"/{number}": bytes([number]) * 100_000 for number in range(8)}
    target, downloader = str(tmp_path / "file.bin"), HTTPDownloader()
    others: list[str] = []

    def run(url: str) -> None:
        try:
            downloader.download(content(url), target)
        except FileError as error:
            others.append(str(error))

    with Origin({path: Reply(body=body) for path, body in bodies.items()}) as origin:
        threads = [threading.Thread(target=run, args=(origin.url(path),)) for path in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert Path(target).read_bytes() in bodies.values()
    assert all("another download" in message for message in others)
    assert names(tmp_path) == ["file.bin"]


def test_one_downloader_serves_several_threads(tmp_path: Path) -> None:
    bodies = {f"/{number}": bytes([number]) * 50_000 for number in range(6)}
    downloader = HTTPDownloader()
    with Origin({path: Reply(body=body) for path, body in bodies.items()}) as origin:
        threads = [
            threading.Thread(target=downloader.download, args=(content(origin.url(path)), f"{tmp_path}{path}"))
            for path in bodies
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {f"/{path.name}": path.read_bytes() for path in tmp_path.iterdir()} == bodies
    assert sorted(downloader.progress_store.values()) == [50_000] * 6
    assert set(downloader.download_state.values()) == {DownloadState.FINISHED}


def test_a_file_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file.bin"
    synced: list[tuple[int, bool]] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_size, target.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    with Origin({"*": Reply(body=BODY)}) as origin:
        HTTPDownloader().download(content(origin.url("/a")), str(target))
    assert synced == [(len(BODY), False)]
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("raised", [OSError(errno.EIO, os.strerror(errno.EIO)), KeyboardInterrupt()])
def test_a_disk_that_does_not_take_a_file_gets_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException
) -> None:
    def fails(_descriptor: int) -> None:
        raise raised

    monkeypatch.setattr(os, "fsync", fails)
    downloader = HTTPDownloader()
    with Origin({"*": Reply(body=BODY)}) as origin, pytest.raises((FileError, KeyboardInterrupt)) as caught:
        downloader.download(content(origin.url("/a")), str(tmp_path / "file.bin"), download_id="it")
    if isinstance(raised, OSError):
        assert "file.bin: Input/output error" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert downloader.download_state["it"] is DownloadState.STOPPED
    downloader.forget("it")  # it is over


def test_whoever_is_interrupted_between_two_steps_lets_go_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = Steps.wait

    def interrupted(self: Steps) -> None:
        wait(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(Steps, "wait", interrupted)
    downloader = HTTPDownloader()
    with Origin({"*": Reply(body=BODY)}) as origin:
        with pytest.raises(KeyboardInterrupt) as caught:
            downloader.download(content(origin.url("/a")), str(tmp_path / "file.bin"), download_id="it")
        monkeypatch.undo()
        assert list(tmp_path.iterdir()) == []
        downloader.download(content(origin.url("/a")), str(tmp_path / "file.bin"), download_id="it")
    assert caught.traceback  # all this time


def test_steps_may_swallow_what_went_wrong_in_a_wait() -> None:
    def fails() -> None:
        raise OSError

    def waits() -> Waits:
        with suppress(OSError):
            yield fails
        yield bool
        with suppress(OSError):
            yield fails

    Steps(waits()).run()
