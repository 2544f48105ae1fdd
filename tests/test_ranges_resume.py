"""Downloads that end too early, and the same call again."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from qetch.downloaders import _journal
from qetch.downloaders._journal import HEADER
from qetch.errors import BadFile, FileError, NetworkError, NotFound, QetchError
from tests.downloads import names
from tests.hostile import Ask, FileOrigin, Reset, file_of, make_small
from tests.origin import Reply
from tests.ranges import asked_again, attempt, bounded, done_blocks, downloader

if TYPE_CHECKING:
    from pathlib import Path

BODY = file_of(200_001)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def broken_off(folder: Path, origin: FileOrigin, after: int = 5) -> frozenset[int]:
    """Lets a download fail after some requests; the blocks that are done."""
    origin.wrong = partial(stop_after, after)
    assert isinstance(attempt(folder, origin, connections=2), NotFound)
    done = done_blocks(folder, origin)
    assert done
    origin.wrong = lambda ask: None
    return done


def stop_after(last: int, ask: Ask) -> Reply | None:
    return Reply(404) if ask.number > last else None


# The next attempt


def test_the_next_attempt_fetches_only_what_is_missing(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        done = broken_off(tmp_path, origin)
        before, calls = len(origin.asks), []
        assert attempt(tmp_path, origin, progress_hook=lambda *call: calls.append(call), update_delay=0.01) == BODY
        assert not asked_again(origin, done, before)
        assert origin.asks[before].request.headers["If-Range"] == '"v1"'
    assert calls[-1][1:] == (len(BODY), len(BODY))


def test_several_attempts_add_up(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        for _ in range(30):
            before, done = len(origin.asks), done_blocks(tmp_path, origin)
            origin.wrong = partial(stop_after, before + 3)
            result = attempt(tmp_path, origin, connections=1)
            assert not asked_again(origin, done, before)
            if not isinstance(result, QetchError):
                break
        assert result == BODY


def test_a_file_that_changed_meanwhile_is_begun_anew(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        broken_off(tmp_path, origin)
        origin.body, origin.etag = file_of(len(BODY), seed=1 << 30), '"v2"'
        assert attempt(tmp_path, origin) == origin.body


def test_without_a_validator_nothing_is_taken_over_but_by_a_checksum(tmp_path: Path) -> None:
    sums = {"sha1": hashlib.sha1(BODY).hexdigest()}
    with FileOrigin(BODY, etag="") as origin:
        origin.wrong = partial(stop_after, 5)
        assert isinstance(attempt(tmp_path, origin, connections=2, checksums=sums), NotFound)
        done, before = done_blocks(tmp_path, origin), len(origin.asks)
        origin.wrong = lambda ask: None
        assert done
        assert attempt(tmp_path, origin, checksums=sums) == BODY
        assert not asked_again(origin, done, before)


def test_a_part_without_a_validator_is_worthless_if_the_checksum_is_gone(tmp_path: Path) -> None:
    sums = {"sha1": hashlib.sha1(BODY).hexdigest()}
    newer = file_of(len(BODY), seed=1 << 30)
    with FileOrigin(BODY, etag="") as origin:
        origin.wrong = partial(stop_after, 5)
        assert isinstance(attempt(tmp_path, origin, connections=2, checksums=sums), NotFound)
        origin.wrong, origin.body = lambda ask: None, newer
        assert attempt(tmp_path, origin) == newer


def test_a_part_of_another_url_is_not_taken_over(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    with FileOrigin(BODY) as origin, FileOrigin(file_of(len(BODY), seed=1 << 30)) as other:
        broken_off(tmp_path, origin)
        assert bounded(downloader(), other.file, target) == str(target)
        assert target.read_bytes() == other.body
    assert names(tmp_path) == ["file.bin"]


@pytest.mark.parametrize("damage", ["empty", "short", "garbage", "zeros", "other boot", "no part", "short part"])
def test_a_damaged_journal_or_part_costs_no_more_than_the_time(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FileOrigin(BODY) as origin:
        broken_off(tmp_path, origin)
        part, journal = tmp_path / "file.bin.qetch-part", tmp_path / "file.bin.qetch-part.journal"
        raw = journal.read_bytes()
        if damage == "no part":
            part.unlink()
        elif damage == "short part":
            part.write_bytes(part.read_bytes()[:-1])
        elif damage == "other boot":
            monkeypatch.setattr(_journal, "boot", lambda: "another")
        else:
            made = {"empty": b"", "short": raw[:-3], "garbage": b"\1" * len(raw), "zeros": bytes(len(raw))}
            journal.write_bytes(made[damage])
        assert attempt(tmp_path, origin) == BODY


def test_a_file_whose_parts_are_all_there_needs_no_request(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        broken_off(tmp_path, origin)
        (tmp_path / "file.bin.qetch-part").write_bytes(BODY)
        journal = tmp_path / "file.bin.qetch-part.journal"
        raw = journal.read_bytes()
        journal.write_bytes(raw[:HEADER] + b"\1" * (len(raw) - HEADER))
        before = len(origin.asks)
        assert attempt(tmp_path, origin) == BODY
        assert len(origin.asks) == before


def test_a_bad_file_is_not_kept_to_go_on_with(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        assert isinstance(attempt(tmp_path, origin, checksums={"md5": "0" * 32}), BadFile)
    assert names(tmp_path) == ["file.bin"]


def test_what_is_below_one_block_is_not_worth_keeping(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        origin.wrong = lambda ask: origin.part(0, 100) if ask.number == 1 else Reply(404)
        assert isinstance(attempt(tmp_path, origin), NotFound)
    assert names(tmp_path) == ["file.bin"]


def test_parts_are_kept_when_the_host_is_gone(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        origin.wrong = lambda ask: Reset() if ask.number > 5 else None
        assert isinstance(attempt(tmp_path, origin), NetworkError)
        done, before = done_blocks(tmp_path, origin), len(origin.asks)
        origin.wrong = lambda ask: None
        assert done
        assert attempt(tmp_path, origin) == BODY
        assert not asked_again(origin, done, before)


# Several at a time


def test_of_many_downloads_to_one_path_one_wins_and_the_others_say_so(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    others_are_done = threading.Event()
    with FileOrigin(BODY, gate=lambda *_: others_are_done.wait(60)) as origin, ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(bounded, downloader(), origin.file, target) for _ in range(6)]
        while sum(future.done() for future in futures) < 5:
            threading.Event().wait(0.005)
        others_are_done.set()
        results = [future.result() for future in futures]
    assert results.count(str(target)) == 1
    assert sum(isinstance(result, FileError) and "is in use" in str(result) for result in results) == 5
    assert target.read_bytes() == BODY
    assert names(tmp_path) == ["file.bin"]
