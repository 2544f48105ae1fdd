"""Disks that are full, and places that cannot be written, while a file comes in parts."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import qetch
from qetch.downloaders import _journal
from qetch.errors import FileError
from tests.downloads import content, names, unmeasured
from tests.hostile import BLOCK, PROBE, FileOrigin, file_of, make_small
from tests.ranges import OLDER, attempt, downloader

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = file_of(300_001)
ROOT = Path(qetch.__path__[0]).parent


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True, timeout=20)


LIMITED = f"""
import resource, sys
from qetch.content import Content
from qetch.downloaders import HTTPDownloader, _object, _plan
from qetch.errors import FileError
_object.PROBE, _plan.MIN_BLOCK, _plan.MIN_SEGMENT = {PROBE}, {BLOCK}, 16384
url, path, limit = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    HTTPDownloader().download(Content("site-1", url, [url], None), path)
except FileError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [1000, PROBE, 100_000, len(BODY) - 1])
def test_a_limit_on_file_sizes_is_said_before_anything_is_fetched(tmp_path: Path, limit: int) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(OLDER)
    with FileOrigin(BODY) as origin:
        command = [sys.executable, "-c", LIMITED, origin.file, str(target), str(limit)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env=unmeasured()
        )
        assert len(origin.asks) == 1
    assert (done.returncode, done.stderr) == (0, "")
    assert os.strerror(errno.EFBIG) in done.stdout
    assert names(tmp_path) == ["file.bin"]
    assert target.read_bytes() == OLDER


@pytest.mark.parametrize("size", [256 << 10, 300_001])
def test_a_full_disk_is_said_before_anything_is_fetched(small_disk: Path, size: int) -> None:
    with FileOrigin(file_of(size)) as origin:
        error = attempt(small_disk, origin)
        assert isinstance(error, FileError)
        assert "free some space" in str(error)
        assert len(origin.asks) == 1
    assert names(small_disk) == ["file.bin"]


def test_a_disk_without_room_for_the_journal_is_said(small_disk: Path) -> None:
    size = (256 << 10) - 4096  # with the older file there, not another page is free
    with FileOrigin(file_of(size)) as origin:
        assert isinstance(attempt(small_disk, origin), FileError)


def test_a_disk_that_just_holds_the_file_takes_it(small_disk: Path) -> None:
    with FileOrigin(file_of(200_001)) as origin:
        assert attempt(small_disk, origin) == origin.body


def test_a_disk_that_fills_up_under_a_stream_is_said(small_disk: Path) -> None:
    from dataclasses import replace

    with FileOrigin(BODY) as origin:
        origin.wrong = lambda _: replace(origin.whole(), framing="chunked")
        assert isinstance(attempt(small_disk, origin), FileError)
    assert names(small_disk) == ["file.bin"]


def test_a_journal_that_cannot_be_written_ends_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: _journal.Journal, block: int) -> None:
        raise FileError(f"cannot write {self.path}: disk full")

    monkeypatch.setattr(_journal.Journal, "mark", fail)
    with FileOrigin(BODY) as origin:
        assert isinstance(attempt(tmp_path, origin), FileError)
    assert names(tmp_path) == ["file.bin"]


def test_a_missing_folder_is_said_before_any_request(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin, pytest.raises(FileError, match="make the folder first"):
        downloader().download(content(origin.file), str(tmp_path / "missing" / "file.bin"))
    assert origin.asks == []
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not bind root")
def test_a_folder_that_is_read_only_is_said_before_any_request(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with FileOrigin(BODY) as origin, pytest.raises(FileError, match="you may write to"):
            downloader().download(content(origin.file), str(tmp_path / "file.bin"))
        assert origin.asks == []
    finally:
        tmp_path.chmod(0o700)


def test_a_disk_that_is_read_only_is_said_before_any_request(small_disk: Path) -> None:
    command = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    with FileOrigin(BODY) as origin, pytest.raises(FileError, match="you may write to"):
        downloader().download(content(origin.file), str(small_disk / "file.bin"))
    assert origin.asks == []


def test_a_folder_in_the_place_of_the_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "file.bin.qetch-part.journal").mkdir()
    with FileOrigin(BODY) as origin, pytest.raises(FileError, match="journal"):
        downloader().download(content(origin.file), str(tmp_path / "file.bin"))
