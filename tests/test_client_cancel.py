"""The end of many downloads, whenever and by whomever: prompt, every URL accounted for, files whole or absent."""

from __future__ import annotations

import io
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch.client import Batch, Client, DownloadRequest, run
from qetch.downloaders import Settings
from tests.clients import (
    BOUND,
    Gate,
    Notes,
    Stuck,
    found_at,
    names,
    no_leftovers,
    pages,
    patient,
    soon,
    states,
    tree,
    until,
)
from tests.downloads import BODY
from tests.origin import Origin, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
FILE = Reply(body=b"file")


def urls_of(origin: Origin, path: str, count: int) -> list[str]:
    return [origin.url(f"{path}{number}.bin") for number in range(count)]


def test_before_it_begins(tmp_path: Path) -> None:
    with Stuck() as origin, Client() as client:
        client.cancel()
        client.cancel()
        batch = client.fetch(urls_of(origin, "/a", 3), tmp_path)  # what comes later is no matter of that
        assert states(batch) == ["succeeded"] * 3


def test_at_once(tmp_path: Path) -> None:
    with Stuck() as origin, Client() as client:
        for _ in range(20):
            batch = client.fetch(urls_of(origin, "/stuck", 30), tmp_path)
            batch.cancel()
            left = list(batch)
            assert set(states(left)) <= {"canceled"}
            assert not run.alive
    assert tree(tmp_path) == []


def test_after_the_end(tmp_path: Path) -> None:
    with Stuck() as origin, Client() as client:
        batch = client.fetch(urls_of(origin, "/a", 3), tmp_path)
        until(lambda: not run.alive)
        batch.cancel()
        client.cancel()
        assert states(batch) == ["succeeded"] * 3


def test_all_that_waits_and_runs_is_reported_once(tmp_path: Path) -> None:
    notes = Notes()
    with Stuck() as origin, Client(patient(), listeners=notes) as client:
        wanted = [*urls_of(origin, "/a", 20), *urls_of(origin, "/stuck", 100)]
        reports = client.each(wanted, folder=tmp_path)
        first = [next(reports) for _ in range(20)]
        until(lambda: origin.gate.here == 8)
        begun = time.monotonic()
        client.cancel()
        client.cancel()
        assert time.monotonic() - begun < BOUND
        rest = list(reports)
    assert states(first) == ["succeeded"] * 20
    assert states(rest) == ["canceled"] * 100
    assert sorted(report.url for report in first + rest) == sorted(wanted)
    assert all(report.finish_time and report.error is None and not report.error_report for report in rest)
    assert len([name for name, _ in notes.events if name == "canceled"]) == 100
    assert sorted(Path(path).name for path in tree(tmp_path)) == sorted(f"a{number}.bin" for number in range(20))


def test_of_an_endless_iterable_what_was_pulled_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "AHEAD", 30)
    pulled = 0

    def urls() -> Iterator[str]:
        nonlocal pulled
        for pulled in itertools.count(1):
            yield origin.url(f"/stuck{pulled}.bin")

    with Stuck() as origin, Client() as client:
        batch = Batch(client._begin(urls(), tmp_path))
        until(lambda: pulled == 31)
        client.cancel()
        assert states(batch) == ["canceled"] * 31
        assert pulled == 31


def test_an_iterable_that_never_returns_keeps_nobody(tmp_path: Path) -> None:
    forever = threading.Event()

    def urls() -> Iterator[str]:
        yield origin.url("/a.bin")
        forever.wait(BOUND * 10)

    with Stuck() as origin, Client() as client:
        reports = client.each(urls(), folder=tmp_path)
        assert next(reports).error is None
        threading.Timer(0.05, client.cancel).start()
        assert list(reports) == []
    forever.set()


def test_from_another_thread_while_somebody_waits(tmp_path: Path) -> None:
    with Stuck() as origin, Client(patient()) as client:
        for work in (
            lambda: client.swarm(urls_of(origin, "/stuck", 9), tmp_path),
            lambda: list(client.each(urls_of(origin, "/stuck", 9), folder=tmp_path)),
            lambda: client.fetch(urls_of(origin, "/stuck", 9), tmp_path).wait(),
            lambda: [client.one(origin.url("/stuck"), tmp_path)],
        ):
            soon(client.cancel, lambda: run.alive and origin.gate.here)
            assert set(states(work())) == {"canceled"}
    assert no_leftovers(tmp_path)


def test_one_batch_is_not_another(tmp_path: Path) -> None:
    with Stuck() as origin, Client() as client, Client() as other:
        mine = client.fetch(urls_of(origin, "/stuck-a", 3), tmp_path)
        sibling = client.fetch(urls_of(origin, "/stuck-b", 3), tmp_path)
        others = other.fetch(urls_of(origin, "/stuck-c", 2), tmp_path)
        until(lambda: origin.gate.here == 8)
        mine.cancel()
        assert states(mine) == ["canceled"] * 3
        client.cancel()
        assert states(sibling) == ["canceled"] * 3
        origin.gate.open()
        assert states(others) == ["succeeded"] * 2


# In each phase


def silent(request: Request) -> bytes:
    threading.Event().wait(2)
    return b""


def test_while_the_host_says_nothing_at_all(tmp_path: Path) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for taken in (first, second):
            taken.setblocking(False)
            taken.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/a.bin"
        with Client(patient()) as client:
            batch = client.fetch([url, url], tmp_path)
            time.sleep(0.1)
            batch.cancel()
            assert set(states(batch)) == {"canceled"}
    assert tree(tmp_path) == []


PHASES: dict[str, Any] = {
    "no head": silent,
    "a slow head": lambda request: (b"H" for _ in iter(lambda: time.sleep(0.01), 1)),
    "a slow body": Reply(body=BODY, drip=0.01),
    "a long pause": Reply(503, {"Retry-After": "50"}),
    "redirects": lambda request: Reply(302, {"Location": f"{request.path}x"}),
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("strategy", [None, lambda report, error: 600.0], ids=["plain", "patient"])
def test_in_each_phase(tmp_path: Path, phase: str, strategy: Any) -> None:
    asked = Gate(is_open=True)

    def script(request: Request) -> Any:
        asked(request)
        answer = PHASES[phase]
        return answer(request) if callable(answer) else answer

    with Origin({"*": script}) as origin, Client(patient(), strategy=strategy) as client:
        batch = client.fetch(urls_of(origin, "/", 12), tmp_path)
        until(lambda: asked.came)
        time.sleep(0.05)
        begun = time.monotonic()
        batch.cancel()
        reports = batch.wait()
        assert time.monotonic() - begun < BOUND
    canceled = [report for report in reports if report.state == "canceled"]
    assert canceled or phase == "redirects"
    assert {report.url for report in reports} == set(urls_of(origin, "/", 12))
    assert tree(tmp_path) == []


def test_while_a_page_is_read(tmp_path: Path) -> None:
    forever, reading = threading.Event(), threading.Event()

    def handler(extractor: Any, source: str) -> Iterator[Any]:
        yield found_at(extractor, source, origin.url("/a.bin"), source.rpartition("/")[2])
        reading.set()
        forever.wait(BOUND * 10)
        yield found_at(extractor, source, origin.url("/b.bin"), "late")

    with Stuck() as origin, pages(handler), Client() as client:
        wanted = [origin.url(f"/page/{number}") for number in range(9)]
        batch = client.fetch(wanted, tmp_path)
        assert next(iter_of(batch)).error is None
        assert reading.wait(BOUND)
        batch.cancel()
        rest = batch.wait()
        forever.set()
    assert {report.url for report in rest if report.state == "canceled"} >= set(wanted[4:])
    assert "late.bin" not in names(tmp_path)


def iter_of(batch: Batch) -> Iterator[Any]:
    """Takes reports without the end of the loop being that of the batch."""
    while (report := batch._run.take()) is not None:
        yield report


def test_while_bytes_go_to_a_file_object(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        def write(self, data: bytes) -> int:
            begun.set()
            go_on.wait(BOUND)
            return len(data)

    with Origin({"*": Reply(body=BODY * 3)}) as origin, Client(Settings(tmp_dir=tmp_path)) as client:
        batch = Batch(client._begin([DownloadRequest(origin.url("/a.bin"), Slow())], tmp_path))  # type: ignore[arg-type]
        assert begun.wait(BOUND)
        threading.Timer(0.05, go_on.set).start()
        batch.cancel()
        assert states(batch) == ["canceled"]
    assert names(tmp_path) == []


def test_while_a_strategy_thinks(tmp_path: Path) -> None:
    def think(report: object, error: object) -> float:
        batch.cancel()  # which waits in vain for this one
        return 600.0

    go = threading.Event()
    with Origin({"*": lambda request: (go.wait(BOUND), Reply(503))[1]}) as origin, Client(strategy=think) as client:
        batch = client.fetch(origin.url("/a.bin"), tmp_path)
        go.set()
        assert states(batch) == ["canceled"]


def test_while_one_waits_for_another_of_the_same_url(tmp_path: Path) -> None:
    with Stuck() as origin, Client(patient()) as client:
        batch = client.fetch([origin.url("/stuck.bin")] * 5, tmp_path)
        until(lambda: origin.gate.here)
        time.sleep(0.05)
        batch.cancel()
        assert states(batch) == ["canceled"] * 5


def test_at_random_moments_nothing_is_lost(tmp_path: Path) -> None:
    """Files that come at once, slowly, twice, never, and not at all."""
    answers = {"/404.bin": Reply(404), "/503.bin": Reply(503)}
    with (
        Stuck(routes=answers) as origin,
        Client(patient(), strategy=lambda report, error: 0.001, override=True) as client,
    ):
        for pause in (0.0, 0.001, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05):
            wanted = [*urls_of(origin, "/a", 15), *[origin.url(f"/{name}.bin") for name in (404, 503, "x", "x", "y")]]
            wanted = [*wanted, *urls_of(origin, "/stuck", 4), *wanted]
            batch = Batch(client._begin(wanted, tmp_path))
            time.sleep(pause)
            client.cancel()
            reports = batch.wait()
            assert set(states(reports)) <= {"succeeded", "canceled", "failed"}  # the last one just before the end
            assert sorted(report.url for report in reports) == sorted(wanted)
            good = {report.path for report in reports if report.state == "succeeded"}
            assert all(path and Path(path).read_bytes() == b"file" for path in good)
            assert no_leftovers(tmp_path)


# The end of the process

PROGRAM = """
import sys, threading, time
from qetch import Client, Settings
url, folder, how = sys.argv[1:]
def urls():
    yield url + "/a.bin"
    yield url + "/b.bin"
    n = 0
    while True:
        n += 1
        yield f"{url}/slow{n}.bin"
client = Client(Settings(read_timeout=600), history=folder + "/history.db" if how == "history" else None)
reports = client.each(urls(), folder=folder + "/files")
print(next(reports).state, next(reports).state, flush=True)
if how in ("end", "history"):
    pass
elif how == "exit":
    sys.exit(7)
elif how == "raise":
    raise RuntimeError("mine")
elif how == "wait":
    try:
        for report in reports: pass
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(9)
elif how == "with":
    with client:
        for report in reports: pass
elif how == "thread":
    threading.Thread(target=lambda: next(reports), daemon=True).start()
    time.sleep(0.2)
elif how == "async":
    import asyncio
    async def main():
        async for report in client.aeach(urls(), folder=folder + "/more"): pass
    asyncio.run(main())
"""


class Process:
    """A program that downloads without end from a host that is slow."""

    def __init__(self, folder: Path, how: str, origin: Origin) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, origin.url(""), str(folder), how],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def end(self) -> tuple[int, str, str]:
        out, error = self.process.communicate(timeout=BOUND * 2)
        for path in self.folder.rglob("*.bin"):
            assert path.read_bytes() == (BODY if "slow" in path.name else b"file")
        assert no_leftovers(self.folder)
        return self.process.returncode, out, error


@pytest.fixture
def slow() -> Iterator[Origin]:
    drip = Reply(body=BODY, drip=0.01, piece=20_000)
    with Origin({"/a.bin": FILE, "/b.bin": FILE, "*": drip}) as origin:
        yield origin


@pytest.mark.parametrize(
    ("how", "code"),
    [("end", 0), ("exit", 7), ("raise", 1), ("history", 0), ("thread", 0)],
    ids=lambda value: str(value),
)
def test_the_interpreter_ends_though_downloads_run(tmp_path: Path, slow: Origin, how: str, code: int) -> None:
    returned, out, error = Process(tmp_path, how, slow).end()
    assert (returned, out) == (code, "succeeded succeeded\n")
    if how == "raise":
        assert error.startswith("Traceback")
        assert error.count("Traceback") == 1
        assert error.endswith("RuntimeError: mine\n")
    else:
        assert error == ""


@pytest.mark.parametrize("how", ["wait", "with", "async"])
def test_ctrl_c_ends_them(tmp_path: Path, slow: Origin, how: str) -> None:
    running = Process(tmp_path, how, slow)
    assert running.process.stdout is not None
    assert running.process.stdout.readline() == "succeeded succeeded\n"
    until(lambda: len(slow.requests) >= 8)
    time.sleep(0.5 if how == "async" else 0.1)
    running.process.send_signal(signal.SIGINT)
    returned, out, error = running.end()
    if how == "wait":
        assert (returned, out, error) == (9, "interrupted\n", "")
    else:
        assert returned in (130, -signal.SIGINT)
        assert error.rstrip().endswith("KeyboardInterrupt")
        assert "Exception ignored" not in error


def test_a_kill_leaves_only_whole_files_under_their_names(tmp_path: Path, slow: Origin) -> None:
    running = Process(tmp_path, "wait", slow)
    until(lambda: len(slow.requests) >= 20)
    running.process.kill()
    running.process.communicate()
    for path in tmp_path.rglob("*.bin"):
        assert path.read_bytes() == (BODY if "slow" in path.name else b"file")


def test_what_does_not_react_does_not_keep_a_client_open_after_an_error(tmp_path: Path) -> None:
    go, client = threading.Event(), Client()

    class Blocks(io.BytesIO):
        def write(self, _data: object) -> int:
            go.wait(60)
            return 1

    with Origin({"*": Reply(body=b"file")}) as origin:
        wanted = [DownloadRequest(origin.url("/a.bin"), Blocks())]
        thread = threading.Thread(target=client.swarm, args=(wanted, tmp_path))
        thread.start()
        until(lambda: bool(origin.requests))
        with pytest.raises(KeyboardInterrupt), client:
            raise KeyboardInterrupt
        go.set()
        thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_the_end_of_a_forked_child_does_no_harm_to_what_its_parent_downloads(tmp_path: Path) -> None:
    program = """
import os, sys, threading
from qetch import Client
with Client() as client:
    thread = threading.Thread(target=lambda: print(client.one(sys.argv[1], sys.argv[2]).state))
    thread.start()
    sys.stdin.readline()
    child = os.fork()
    if not child:
        sys.exit()
    os.waitpid(child, 0)
    print("over", flush=True)
    thread.join()
"""
    go = threading.Event()

    def half(_request: object) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"
        go.wait(30)
        yield b"over"

    with Origin({"*": half}) as origin:
        command = [sys.executable, "-W", "ignore", "-c", program, origin.url("/a.bin"), str(tmp_path)]
        with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
            assert process.stdin
            assert process.stdout
            until(lambda: bool(origin.requests))
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "over\n"
            go.set()
            assert process.stdout.readline() == "succeeded\n"
