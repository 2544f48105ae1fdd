"""The event loop of the client: small files need no threads, and whatever is not small, or not well, gets one."""

from __future__ import annotations

import errno
import io
import itertools
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch.client import Client, DownloadRequest, ReportState, RequestStrategy, loop, syncing
from qetch.downloaders import Settings, _aside, _part
from qetch.errors import BadFile, FileError, NotFound
from qetch.history import History
from tests.clients import BOUND, Gate, no_leftovers, pages, patient, soon, states, succeeded, tree, until
from tests.downloads import PAGE
from tests.origin import Origin, Reply, Request, ranged
from tests.secure import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.client import DownloadReport
    from qetch.content import Content
    from qetch.errors import QetchError
    from qetch.extractors import BaseExtractor
    from tests.origin import Script

FILE = Reply(body=b"file")
BODY = bytes(range(256)) * 80
MANY = 60


class Threads:
    """Notes in which threads files get their names; use it as a context manager."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        replace = os.replace

        def noted(source: Any, target: Any) -> None:
            self.names.append(threading.current_thread().name)
            replace(source, target)

        monkeypatch.setattr(os, "replace", noted)

    @property
    def elsewhere(self) -> int:
        """How many were saved outside the loop."""
        return sum(name != "qetch-download" for name in self.names)


def content_of(report: DownloadReport) -> bytes:
    assert report.error is None
    assert report.path is not None
    return Path(report.path).read_bytes()


@pytest.fixture(autouse=True)
def _calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is no slow disk."""
    monkeypatch.setattr(loop, "LONG", 60.0)
    monkeypatch.setattr(loop, "LONG_SYNC", 60.0)
    monkeypatch.setattr(loop, "PATIENCE", 60.0)


def test_small_files_are_saved_by_the_loop_once_there_are_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = Threads(monkeypatch)
    with Origin({"*": ranged(BODY)}) as origin, Client(Settings(max_concurrent=4)) as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(MANY)], tmp_path)
        assert len(origin.requests) == MANY
        assert origin.connections <= 4
    assert {content_of(report) for report in reports} == {BODY}
    assert len(threads.names) == MANY
    assert threads.elsewhere <= 8  # the first ones, which make the connections
    assert no_leftovers(tmp_path)


def test_they_may_come_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, authority = Threads(monkeypatch), Authority(tmp_path)
    body = BODY * 3  # more than TLS brings at once
    settings = Settings(max_concurrent=4, ca_file=authority.ca_file)
    with authority.origin({"*": ranged(body)}) as origin, Client(settings) as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(MANY)], tmp_path / "out")
        assert len(origin.requests) == MANY
    assert {content_of(report) for report in reports} == {body}
    assert threads.elsewhere <= 8


def test_a_host_that_ignores_ranges_is_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(monkeypatch)
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=2)) as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(MANY)], tmp_path)
    assert {content_of(report) for report in reports} == {b"file"}
    assert threads.elsewhere <= 4


def test_an_answer_that_is_late_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PATIENCE", 0.05)
    gate = Gate()
    urls = ["/1.bin", "/2.bin", "/late.bin", *(f"/{number}.bin" for number in range(3, 20))]
    with Origin({"/late.bin": gate, "*": FILE}) as origin, Client(patient(max_concurrent=2)) as client:
        late = origin.url("/late.bin")
        found = []
        for report in client.each(map(origin.url, urls), folder=tmp_path):
            found.append(report)
            if len(found) == len(urls) - 1:
                assert gate.here == 1
                gate.open()
        assert len(origin.requests) == len(urls)  # it is waited for, not asked for again
    assert found[-1].url == late
    assert all(map(succeeded, found))


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_bodies_that_come_late_or_large_are_fetched_in_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secure: bool
) -> None:
    monkeypatch.setattr(loop, "PATIENCE", 0.05)
    authority = Authority(tmp_path)
    large = bytes(range(256)) * 2000
    routes: dict[str, Script] = {
        "/whole.bin": Reply(body=large, drip=0.1, piece=400_000),
        "/part.bin": ranged(large),
        "/slow.bin": Reply(body=b"slowly", drip=0.05),
        "*": FILE,
    }
    with (
        authority.origin(routes) if secure else Origin(routes) as origin,
        Client(Settings(max_concurrent=4, ca_file=authority.ca_file)) as client,
    ):
        paths = [f"/{number}.bin" for number in range(20)] + ["/whole.bin", "/part.bin", "/slow.bin"]
        reports = {report.url: report for report in client.swarm(map(origin.url, paths), tmp_path / "out")}
        assert sorted(origin.paths) == sorted(paths)  # each is asked for once
        assert content_of(reports[origin.url("/whole.bin")]) == large
        assert content_of(reports[origin.url("/part.bin")]) == large
        assert content_of(reports[origin.url("/slow.bin")]) == b"slowly"


@pytest.mark.parametrize("cut", [0, 1, 40, 90])
def test_a_kept_connection_that_ends_costs_no_file(tmp_path: Path, cut: int) -> None:
    """The answer is broken off after some bytes, and whole the next time."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + b"x" * 50
    turns: dict[str, Script] = {f"/{number}.bin": [whole[:cut], Reply(body=b"x" * 50)] for number in range(0, MANY, 3)}
    again = Client(Settings(max_concurrent=4), strategy=RequestStrategy(3))
    with Origin({**turns, "*": Reply(body=b"x" * 50)}) as origin, again as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(MANY)], tmp_path)
    assert {content_of(report) for report in reports} == {b"x" * 50}


def test_bytes_that_nobody_asked_for_are_in_no_file(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes | Reply:
        if int(request.path[1:-4]) % 5 == 2:
            return Reply(headers={"Content-Length": "4"}, body=b"fileHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        return FILE

    with Origin({"*": answer}) as origin, Client(Settings(max_concurrent=3)) as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(MANY)], tmp_path)
    assert {content_of(report) for report in reports} == {b"file"}


def test_what_is_wrong_with_an_answer_is_said_as_ever(tmp_path: Path) -> None:
    page = Reply(headers={"Content-Type": "text/html"}, body=PAGE)
    routes: dict[str, Script] = {"/gone.bin": Reply(404), "/page.png": page, "/busy.bin": [Reply(503), FILE], "*": FILE}
    with Origin(routes) as origin, Client() as client:
        paths = [f"/{number}.bin" for number in range(20)] + ["/gone.bin", "/page.png", "/busy.bin"]
        reports = {report.url: report for report in client.swarm(map(origin.url, paths), tmp_path)}
        assert isinstance(reports[origin.url("/gone.bin")].error, NotFound)
        assert isinstance(reports[origin.url("/page.png")].error, BadFile)
        assert content_of(reports[origin.url("/busy.bin")]) == b"file"
        assert origin.paths.count("/busy.bin") == 2
    assert no_leftovers(tmp_path)


class Slow:
    """Lets a function take longer, and notes in which threads it is called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.most = self._now = 0
        self.threads: list[str] = []
        function = getattr(owner, name)

        def slowly(*arguments: Any) -> Any:
            self.threads.append(threading.current_thread().name)
            self._now += 1
            self.most = max(self.most, self._now)
            time.sleep(0.02)
            self._now -= 1
            return function(*arguments)

        monkeypatch.setattr(owner, name, slowly)

    @property
    def aside(self) -> int:
        """How often a thread called it that is not the loop's."""
        return self.threads.count("qetch-aside")


def fetch_many(folder: Path, **more: Any) -> None:
    """Downloads many small files, 8 at a time: each is asked for once, and right, and nothing else is left."""
    settings = Settings(max_concurrent=8, **more)
    with Origin({"*": ranged(BODY)}) as origin, Client(settings, history=folder.parent / "done") as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(MANY)], folder)
        assert len(origin.requests) == MANY
    assert {content_of(report) for report in reports} == {BODY}
    assert no_leftovers(folder)


@pytest.mark.parametrize("function", [(os, "pwrite"), (os, "replace"), (History, "add")])
def test_where_saving_takes_long_files_are_saved_in_several_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: tuple[Any, str]
) -> None:
    """Whether before the disk is waited for, or after that."""
    monkeypatch.setattr(loop, "LONG", 0.005)
    slow = Slow(monkeypatch, *function)
    fetch_many(tmp_path / "files")
    assert slow.most > 2
    assert slow.aside > MANY // 2


def test_parts_on_another_slow_disk_are_copied_in_several_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LONG", 0.005)
    monkeypatch.setattr(os, "replace", other_disk(os.replace))
    slow = Slow(monkeypatch, _part, "_copy")
    (tmp_path / "parts").mkdir()
    fetch_many(tmp_path / "files", tmp_dir=tmp_path / "parts")
    assert slow.most > 2
    assert slow.aside > MANY // 2


def test_where_the_disk_is_waited_for_threads_wait_and_the_loop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LONG_SYNC", 0.005)
    threads, slow = Threads(monkeypatch), Slow(monkeypatch, os, "fsync")
    fetch_many(tmp_path / "files")
    assert slow.most > 2
    assert slow.aside > MANY // 2
    assert threads.elsewhere < MANY // 2  # those that make the connections


def other_disk(replace: Callable[..., object]) -> Callable[..., None]:
    """A rename that refuses to leave the folder, as if the other one were on another disk."""

    def replaced(source: str, target: str) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replace(source, target)

    return replaced


@pytest.fixture
def aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads wait for the disk, however fast that is."""
    monkeypatch.setattr(loop, "LONG_SYNC", 0.0)
    monkeypatch.setattr(syncing, "OFTEN", 1)
    monkeypatch.setattr(syncing, "RETRY", 60.0)


@pytest.mark.usefixtures("aside")
def test_where_the_waits_are_short_one_thread_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "SHORT", 60.0)
    threads: list[int] = []
    work = syncing.Syncers._work

    def noted(self: syncing.Syncers) -> None:
        threads.append(self._threads)
        work(self)

    monkeypatch.setattr(syncing.Syncers, "_work", noted)
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=8)) as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(MANY)], tmp_path)
    assert {content_of(report) for report in reports} == {b"file"}
    assert set(threads) == {1}


@pytest.mark.usefixtures("aside")
def test_a_file_for_which_the_disk_takes_for_ever_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, stuck, go = os.fsync, threading.Event(), threading.Event()

    def waits(descriptor: int) -> None:
        if threading.current_thread().name == "qetch-aside" and len(tree(tmp_path)) > 9 and not stuck.is_set():
            stuck.set()
            go.wait(BOUND)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", waits)
    with Origin({"*": FILE}) as origin, Client(patient(max_concurrent=4)) as client:
        found = []
        for report in client.each([origin.url(f"/{number}.bin") for number in range(MANY)], folder=tmp_path):
            found.append(report)
            if len(found) == MANY - 1:
                assert stuck.is_set()
                assert not go.is_set()
                go.set()
    assert {content_of(report) for report in found} == {b"file"}
    assert len(found) == MANY


@pytest.mark.usefixtures("aside")
def test_a_disk_that_fails_while_a_thread_waits_for_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, count = os.fsync, itertools.count()

    def fails(descriptor: int) -> None:
        if next(count) == 30:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fails)
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=4)) as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(MANY)], tmp_path)
    (failed,) = [report for report in reports if report.error is not None]
    assert isinstance(failed.error, FileError)
    assert "Input/output error" in str(failed.error)
    assert len(tree(tmp_path)) == MANY - 1
    assert no_leftovers(tmp_path)


@pytest.mark.usefixtures("aside")
def test_what_waits_for_the_disk_is_too_late_to_be_canceled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, stuck, go = os.fsync, threading.Event(), threading.Event()

    def waits(descriptor: int) -> None:
        if threading.current_thread().name == "qetch-aside" and len(tree(tmp_path)) > 9:
            stuck.set()
            go.wait(BOUND)
        fsync(descriptor)

    def cancel() -> None:
        client.cancel()
        go.set()

    monkeypatch.setattr(os, "fsync", waits)
    with Origin({"*": FILE}) as origin, Client(patient(max_concurrent=2)) as client:
        reports = client.each([origin.url(f"/{number}.bin") for number in range(MANY)], folder=tmp_path)
        soon(cancel, stuck.is_set)
        found = list(reports)
    whole = [report for report in found if report.state is ReportState.SUCCEEDED]
    assert {content_of(report) for report in whole} == {b"file"}
    assert len(tree(tmp_path)) == len(whole) < MANY
    assert len(found) == MANY
    assert no_leftovers(tmp_path)


def test_a_map_that_waits_holds_up_no_other(tmp_path: Path) -> None:
    opened = threading.Event()

    def mapped(url: str) -> str:
        name = url.rpartition("/")[2]
        if name == "0.bin":
            opened.wait(BOUND)
        return name

    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=2), map_path=mapped) as client:
        found = []
        for report in client.each([origin.url(f"/{number}.bin") for number in range(9)], folder=tmp_path):
            found.append(report.url.rpartition("/")[2])
            if len(found) == 8:
                opened.set()
    assert found[-1] == "0.bin"
    assert sorted(found) == [f"{number}.bin" for number in range(9)]


def test_a_strategy_that_thinks_for_long_holds_up_no_other(tmp_path: Path) -> None:
    decided = threading.Event()

    def strategy(report: DownloadReport, error: QetchError) -> None:
        del report, error
        decided.wait(BOUND)

    page = Reply(headers={"Content-Type": "text/html"}, body=PAGE)
    with (
        Origin({"/page.png": page, "*": FILE}) as origin,
        Client(Settings(max_concurrent=2), strategy=strategy) as client,
    ):
        urls = [origin.url(f"/{number}.png") for number in range(9)]
        urls.insert(5, origin.url("/page.png"))
        found = []
        for report in client.each(urls, folder=tmp_path):
            found.append(report)
            if len(found) == 9:
                decided.set()
    assert isinstance(found[-1].error, BadFile)
    assert states(found) == ["failed"] + ["succeeded"] * 9


def test_a_request_that_cannot_be_sent_is_one_failure(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=2)) as client:
        contents = [next(client.extract(origin.url(f"/{number}.bin")))[0] for number in range(20)]
        contents[15].headers["Referer"] = ["no text"]  # type: ignore[assignment] # as somebody's extractor may write it

        def found(_extractor: BaseExtractor, _source: str) -> Iterator[list[Content]]:
            return ([content] for content in contents)

        with pages(found):
            reports = list(client.fetch(origin.url("/page/1"), tmp_path))
    assert states(reports) == ["failed"] + ["succeeded"] * 19


@pytest.mark.usefixtures("aside")
def test_without_further_threads_it_goes_on_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refused(self: threading.Thread) -> None:
        if self.name == "qetch-aside":
            raise RuntimeError("can't start new thread")
        start(self)

    route: dict[str, Script] = {"*": ranged(BODY)}
    with Origin(route) as origin, Origin(route) as other, Client(Settings(max_concurrent=1)) as client:
        client.swarm([origin.url(f"/{number}.bin") for number in range(3)], tmp_path / "1")
        monkeypatch.setattr(threading.Thread, "start", refused)
        monkeypatch.setattr(_aside, "_helpers", _aside._Helpers())
        known = client.swarm([origin.url(f"/{number}.bin") for number in range(20)], tmp_path / "2")
        new = client.swarm([other.url(f"/{number}.bin") for number in range(MANY)], tmp_path / "3")
        monkeypatch.undo()
    assert {content_of(report) for report in known} == {BODY}
    assert len(new) == MANY
    assert {str(report.error) for report in new} == {"can't start new thread"}


def test_what_changes_between_two_batches_counts_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    proxied = Reply(body=b"by the proxy")
    with Origin({"*": FILE}) as origin, Origin({"*": proxied}) as proxy, Client(Settings(max_concurrent=4)) as client:
        urls = [origin.url(f"/{number}.bin") for number in range(8)]
        client.swarm(urls, tmp_path / "1")
        client.session.headers["User-Agent"] = "Reader/2"
        client.swarm(urls, tmp_path / "2")
        assert {request.headers["User-Agent"] for request in origin.requests[8:]} == {"Reader/2"}
        monkeypatch.setenv("http_proxy", proxy.url(""))
        reports = client.swarm(urls, tmp_path / "3")
        assert len(origin.requests) == 16
    assert {content_of(report) for report in reports} == {b"by the proxy"}


def test_urls_that_come_late_are_begun_at_once(tmp_path: Path) -> None:
    """The loop sleeps meanwhile, or waits for an answer that does not come."""
    gate, asked = Gate(), threading.Event()

    def urls(origin: Origin) -> Iterator[str]:
        yield from (origin.url(f"/{number}.bin") for number in range(4))
        until(lambda: len(origin.requests) == 4)
        yield origin.url("/stuck.bin")
        until(lambda: gate.here == 1)
        yield origin.url("/last.bin")
        until(lambda: "/last.bin" in origin.paths)
        asked.set()

    with Origin({"/stuck.bin": gate, "*": FILE}) as origin, Client(patient(max_concurrent=4)) as client:
        soon(gate.open, asked.is_set)
        reports = list(client.each(urls(origin), folder=tmp_path))
    assert len(reports) == 6
    assert all(map(succeeded, reports))


def test_what_waits_for_its_answer_ends_when_it_is_canceled(tmp_path: Path) -> None:
    """Also what the loop itself waits for, by connections that other files left."""
    gate = Gate()
    try:
        with Origin({"*": gate}) as origin, Client(patient(max_concurrent=4)) as client:
            origin.routes |= {f"/{number}.bin": FILE for number in range(8)}
            urls = [origin.url(f"/{number}.bin") for number in range(20)]
            soon(client.cancel, lambda: gate.here == 4)
            reports = client.swarm(urls, tmp_path)
            gate.open()
    finally:
        gate.open()
    assert sorted(states(reports)) == ["canceled"] * 12 + ["succeeded"] * 8
    assert len(tree(tmp_path)) == 8
    assert no_leftovers(tmp_path)


def test_its_thread_ends_with_the_last_file(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with Origin({"*": FILE}) as origin:
        for batch in range(60):
            with Client(Settings(max_concurrent=4)) as client:
                reports = client.each([origin.url(f"/{batch}/{number}.bin") for number in range(12)], folder=tmp_path)
                for number, _ in enumerate(reports):
                    if batch % 3 == 1 and number == 6:
                        break
                    if batch % 3 == 2 and number == 6:
                        client.cancel()
        until(lambda: not [one for one in threading.enumerate() if one.name == "qetch-download" and one not in before])


@pytest.mark.usefixtures("aside")
def test_a_bug_in_the_loop_leaves_nobody_waiting_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wait, fsync, over = loop.EventLoop._wait, os.fsync, threading.Event()

    def broken(self: loop.EventLoop) -> None:
        if self._syncing:
            raise ZeroDivisionError
        wait(self)

    def stuck(descriptor: int) -> None:
        if threading.current_thread().name == "qetch-aside" and len(tree(tmp_path)) > 6:
            over.wait(BOUND)
        fsync(descriptor)

    monkeypatch.setattr(loop.EventLoop, "_wait", broken)
    monkeypatch.setattr(os, "fsync", stuck)
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=2)) as client:
        client.one(origin.url("/first.bin"), tmp_path)
        with pytest.raises(ZeroDivisionError):
            client.swarm([origin.url(f"/{number}.bin") for number in range(MANY)], tmp_path)
        over.set()
    until(lambda: no_leftovers(tmp_path))


def test_a_bug_in_the_loop_leaves_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: loop.EventLoop) -> None:
        if self._asked:
            raise ZeroDivisionError

    monkeypatch.setattr(loop.EventLoop, "_wait", broken)
    with Origin({"*": Gate(is_open=True)}) as origin, Client(Settings(max_concurrent=2)) as client:
        client.one(origin.url("/first.bin"), tmp_path)
        with pytest.raises(ZeroDivisionError):
            client.swarm([origin.url(f"/{number}.bin") for number in range(9)], tmp_path)


def test_what_an_earlier_run_left_is_no_part_of_a_file(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=2)) as client:
        urls = [origin.url(f"/{number}.bin") for number in range(20)]
        for number in range(20):
            (tmp_path / f"{number}.bin.qetch-part").write_bytes(b"something else, and longer")
        reports = list(client.fetch(urls, tmp_path))
    assert {content_of(report) for report in reports} == {b"file"}
    assert no_leftovers(tmp_path)


def test_a_limited_speed_is_kept_in_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(monkeypatch)
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=2, max_speed=100_000_000)) as client:
        client.swarm([origin.url(f"/{number}.bin") for number in range(20)], tmp_path)
    assert threads.elsewhere == 20


def test_file_objects_are_written_in_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, files = Threads(monkeypatch), [io.BytesIO() for _ in range(20)]
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=2)) as client:
        requests = [DownloadRequest(origin.url(f"/{number}.bin"), file) for number, file in enumerate(files)]
        assert all(map(succeeded, client.swarm(requests, tmp_path)))
    assert {file.getvalue() for file in files} == {b"file"}
    assert threads.elsewhere == 20


def test_files_of_one_name_are_fetched_once(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=8)) as client:
        urls = [origin.url(f"/{number % 5}.bin") for number in range(MANY)]
        reports = client.swarm(urls, tmp_path)
        assert len(origin.requests) == 5
    assert [report.state for report in reports] == [ReportState.SUCCEEDED] * MANY
