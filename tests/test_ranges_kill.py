"""Processes that end in the middle: nothing wrong is left, and nothing that was done is done again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

import qetch
from tests.downloads import names
from tests.hostile import BLOCK, PROBE, Ask, FileOrigin, file_of, make_small
from tests.ranges import OLDER, asked_again, attempt, done_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = file_of(200_001)
ROOT = Path(qetch.__path__[0]).parent
ROUNDS = 60

SCRIPT = f"""
import os, sys
from qetch.content import Content
from qetch.downloaders import HTTPDownloader, _object, _plan, _transfer
_object.PROBE, _plan.MIN_BLOCK, _plan.MIN_SEGMENT, _plan.MIN_STEAL = {PROBE}, {BLOCK}, 16384, 1024
_transfer.TICK = 0.01

def run(url, path):
    HTTPDownloader().download(Content("site-1", url, [url], None), path, max_connections=4)

if len(sys.argv) > 1:
    run(*sys.argv[1:])
    sys.exit()
import requests, urllib3.connectionpool, encodings.idna  # so that a process of each round starts with all it needs
while line := sys.stdin.readline():
    child = os.fork()
    if not child:
        run(*line.split())
        os._exit(0)
    sys.stdin.readline()
    os.kill(child, 9)  # by its parent, for whom it exists even if it has ended
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


class Pause:
    """Lets so many bytes through, and holds the others back."""

    def __init__(self) -> None:
        self.change = threading.Condition()
        self.left = 0
        self.open = False
        self.round = 0

    def __call__(self, ask: Ask, count: int) -> None:
        with self.change:
            mine = self.round
            self.change.wait_for(lambda: self.open or self.left > 0 or self.round != mine, timeout=60)
            if self.round != mine:
                raise ConnectionError  # whoever asked is dead
            self.left -= count
            self.change.notify_all()

    def allow(self, count: int) -> None:
        with self.change:
            self.left = count
            self.change.notify_all()

    def end_round(self) -> None:
        with self.change:
            self.round += 1
            self.left = 0
            self.change.notify_all()

    def wait_until_spent(self, seconds: float = 60) -> None:
        with self.change:
            self.change.wait_for(lambda: self.left <= 0, timeout=seconds)

    def release(self) -> None:
        with self.change:
            self.open = True
            self.change.notify_all()


@contextmanager
def process(origin: FileOrigin, target: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SCRIPT, origin.file, str(target)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


class Forge:
    """Starts processes that download, without their start-up."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-c", SCRIPT]
        self.maker = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.maker.communicate(timeout=60)

    def start(self, origin: FileOrigin, target: Path) -> None:
        """Starts a process."""
        self._say(f"{origin.file} {target}")

    def kill(self) -> int:
        """Kills it, unless it has ended; its status."""
        self._say("kill")
        assert self.maker.stdout
        return int(self.maker.stdout.readline())

    def _say(self, line: str) -> None:
        assert self.maker.stdin
        self.maker.stdin.write(f"{line}\n")
        self.maker.stdin.flush()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("moment", ["bytes", "time"])
def test_after_a_kill_at_any_moment_the_same_call_goes_on(tmp_path: Path, moment: str) -> None:
    chance, pause, target = random.Random(moment), Pause(), tmp_path / "file.bin"
    pause.open = moment == "time"
    whole = killed = 0
    with FileOrigin(BODY, gate=pause, piece=2048) as origin, Forge() as forge:
        for number in range(ROUNDS):
            if whole or not target.exists():
                target.write_bytes(OLDER)
            done, before, whole = done_blocks(tmp_path, origin), len(origin.asks), False
            forge.start(origin, target)
            if moment == "bytes":
                pause.allow(chance.choice([1, 20_000, 40_000, 60_000]))
                pause.wait_until_spent(0.5)  # or until it has all it needs
            threading.Event().wait(chance.random() * (0.004 if moment == "bytes" else 0.06))
            status = forge.kill()
            pause.end_round()
            killed += status == signal.SIGKILL
            assert not asked_again(origin, done, before)
            assert status in (0, signal.SIGKILL)
            assert target.read_bytes() in (OLDER, BODY)
            if target.read_bytes() == BODY:  # the next one is another file
                whole = True
                origin.etag = f'"{number}"'
            else:
                assert done_blocks(tmp_path, origin) >= done
        pause.release()
        target.write_bytes(OLDER)
        done, before = done_blocks(tmp_path, origin), len(origin.asks)
        assert attempt(tmp_path, origin) == BODY
        assert not asked_again(origin, done, before)
    assert killed >= ROUNDS // 2


def test_a_part_that_another_url_began_to_overwrite_is_not_taken_over(tmp_path: Path) -> None:
    target, pause = tmp_path / "file.bin", Pause()
    with FileOrigin(BODY) as origin, FileOrigin(b"x" * len(BODY), gate=pause) as other:
        origin.wrong = lambda ask: b"" if ask.number > 5 else None
        attempt(tmp_path, origin, connections=2)
        assert done_blocks(tmp_path, origin)
        other.wrong = lambda _: other.whole()
        pause.allow(100_000)
        with process(other, target) as child:
            while (tmp_path / "file.bin.qetch-part").read_bytes()[:1] != b"x":
                threading.Event().wait(0.005)
            child.kill()
        pause.release()
        origin.wrong = lambda _: None
        assert attempt(tmp_path, origin) == BODY


def test_two_processes_with_one_destination_do_not_mix(tmp_path: Path) -> None:
    target, pause = tmp_path / "file.bin", Pause()
    with FileOrigin(BODY, gate=pause) as origin, process(origin, target) as first:
        pause.allow(50_000)
        pause.wait_until_spent()
        with process(origin, target) as second:
            _, said = second.communicate(timeout=60)
        assert "FileError" in said
        assert "is in use" in said
        pause.release()
        assert (first.communicate(timeout=60)[1], first.returncode) == ("", 0)
    assert target.read_bytes() == BODY
    assert names(tmp_path) == ["file.bin"]


def test_an_interrupt_ends_at_once_and_keeps_what_can_be_gone_on_with(tmp_path: Path) -> None:
    target, pause = tmp_path / "file.bin", Pause()
    target.write_bytes(OLDER)
    with FileOrigin(BODY, gate=pause) as origin:
        with process(origin, target) as first:
            pause.allow(120_000)
            pause.wait_until_spent()
            while not done_blocks(tmp_path, origin):
                threading.Event().wait(0.005)
            first.send_signal(signal.SIGINT)
            _, said = first.communicate(timeout=20)  # though all connections wait
        pause.release()
        assert "KeyboardInterrupt" in said
        assert target.read_bytes() == OLDER
        done, before = done_blocks(tmp_path, origin), len(origin.asks)
        assert done
        assert attempt(tmp_path, origin) == BODY
        assert not asked_again(origin, done, before)
