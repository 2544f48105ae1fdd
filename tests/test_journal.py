from __future__ import annotations

import json
from pathlib import Path

import pytest

from qetch.downloaders import _journal
from qetch.downloaders._journal import HEADER, Journal, Object, remembered
from qetch.errors import FileError
from tests.hostile import BLOCK, file_of, make_small

URL = "https://host.example/file.bin?key=tell-nobody"
SIZE = 5 * BLOCK + 1
THING = Object(URL, SIZE, '"v1"')


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


@pytest.fixture
def part(tmp_path: Path) -> str:
    path = tmp_path / "file.bin.qetch-part"
    path.write_bytes(file_of(SIZE))
    return str(path)


@pytest.fixture
def path(part: str) -> str:
    """A journal in which the blocks 0, 2 and 5 are marked."""
    journal = Journal(f"{part}.journal", THING, [2])
    journal.mark(5)
    journal.mark(0)
    journal.close()
    return journal.path


def test_what_was_marked_is_remembered(part: str, path: str) -> None:
    assert remembered(path, part, URL) == (THING, frozenset({0, 2, 5}))


def test_a_mark_counts_at_once(part: str) -> None:
    journal = Journal(f"{part}.journal", THING)
    journal.mark(3)
    assert remembered(journal.path, part, URL) == (THING, frozenset({3}))
    journal.close()


def test_a_journal_without_a_mark_is_removed(part: str) -> None:
    journal = Journal(f"{part}.journal", THING)
    assert Path(journal.path).exists()
    journal.close()
    assert not Path(journal.path).exists()


def test_a_journal_shows_no_url_and_is_private(path: str) -> None:
    raw = Path(path).read_bytes()
    assert b"tell-nobody" not in raw
    assert b"host.example" not in raw
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_a_journal_that_goes_on_is_never_without_its_marks(
    part: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = remembered(path, part, URL)
    assert found
    seen: list[object] = []
    original = _journal.write_at

    def look(descriptor: int, data: bytes, offset: int) -> None:
        seen.append(remembered(path, part, URL))
        original(descriptor, data, offset)
        seen.append(remembered(path, part, URL))

    monkeypatch.setattr(_journal, "write_at", look)
    Journal(path, *found).close()
    assert seen == [found, found]


def test_a_new_journal_takes_the_place_of_a_longer_one(part: str, path: str) -> None:
    with Path(path).open("ab") as file:
        file.write(b"\1" * 1000)
    Journal(path, THING, [1]).close()
    assert remembered(path, part, URL) == (THING, frozenset({1}))


@pytest.mark.parametrize("length", [0, 1, 50, HEADER - 1, HEADER, HEADER + 1, HEADER + 5])
def test_a_journal_that_is_cut_off_counts_for_nothing(part: str, path: str, length: int) -> None:
    raw = Path(path).read_bytes()
    Path(path).write_bytes(raw[:length])
    assert remembered(path, part, URL) is None


def test_a_journal_that_is_too_long_counts_for_nothing(part: str, path: str) -> None:
    with Path(path).open("ab") as file:
        file.write(b"\1")
    assert remembered(path, part, URL) is None


HEADERS = [
    b"",
    b"\0" * 100,
    b"[1, 2]",
    b"null",
    b'"text"',
    b"{",
    b"\xff\xfe",
    b"[" * 3000,
    b'{"url": 1, "size": 1, "validator": 1, "boot": 1}',
]


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_that_is_something_else_counts_for_nothing(part: str, path: str, header: bytes) -> None:
    marks = Path(path).read_bytes()[HEADER:]
    Path(path).write_bytes(header.ljust(HEADER) + marks)
    assert remembered(path, part, URL) is None


@pytest.mark.parametrize(
    "change",
    [
        {"boot": "another"},
        {"url": "another"},
        {"size": SIZE + 1},
        {"size": -SIZE},
        {"size": 0},
        {"size": None},
        {"size": "many"},
        {"size": 1e300},
        {"size": float("inf")},
        {"size": [SIZE]},
        {"validator": '"v1"\r\nX-Other: 1'},
        {"validator": '"v1"\n'},
        {"validator": "\0"},
        {"validator": '"' + "v" * 1100 + '"'},
    ],
)
def test_a_journal_of_something_else_counts_for_nothing(part: str, path: str, change: dict[str, object]) -> None:
    raw = Path(path).read_bytes()
    header = {**json.loads(raw[:HEADER]), **change}
    Path(path).write_bytes(json.dumps(header).encode().ljust(HEADER) + raw[HEADER:])
    assert remembered(path, part, URL) is None


def test_marks_that_are_no_marks_are_blocks_to_fetch(part: str, path: str) -> None:
    raw = Path(path).read_bytes()
    Path(path).write_bytes(raw[:HEADER] + b"\1\2\xff\0\x01\x31")
    assert remembered(path, part, URL) == (THING, frozenset({0, 4}))


def test_a_journal_without_its_part_or_of_another_length_counts_for_nothing(part: str, path: str) -> None:
    assert remembered(path, part, URL + "&more") is None
    with Path(part).open("ab") as file:
        file.write(b"x")
    assert remembered(path, part, URL) is None
    Path(part).unlink()
    assert remembered(path, part, URL) is None
    assert remembered(f"{path}.missing", part, URL) is None


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="make the folder first"):
        Journal(str(tmp_path / "missing" / "x.journal"), THING)
    (tmp_path / "folder.journal").mkdir()
    with pytest.raises(FileError, match="folder"):
        Journal(str(tmp_path / "folder.journal"), THING)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_and_leaves_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"
    path.symlink_to("/dev/full")
    with pytest.raises(FileError, match="free some space"):
        Journal(str(path), THING)
    assert not path.is_symlink()
