"""Listeners: what they are told, in which order, and that nothing they do stops the downloads."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from qetch.client import Client, DownloadEventListener, DownloadReport, ReportState, listener
from qetch.client.listener import Dispatcher
from qetch.downloaders import Settings
from qetch.errors import InvalidSetting, NotFound
from qetch.extractors._common import Skip
from tests.clients import BOUND, Gate, Notes, Stuck, found_at, pages, soon, states, until
from tests.downloads import BODY, content
from tests.origin import Origin, Reply

if TYPE_CHECKING:
    from pathlib import Path


def test_everything_is_told_in_order_and_at_least_one_progress(tmp_path: Path) -> None:
    notes = Notes()
    with Origin({"*": Reply(headers={"X-Me": "here"}, body=b"file")}) as origin, Client(listeners=notes) as client:
        urls = [origin.url(f"/{number}.bin") for number in range(50)]
        assert states(client.swarm(urls, tmp_path)) == ["succeeded"] * 50
        assert all(notes.of(url) == ["started", "headers", "progress", "succeeded"] for url in urls)
    assert notes.threads == {"qetch-listeners"}
    headers = next(report for name, report in notes.events if name == "headers")
    assert headers.headers["x-me" if "x-me" in headers.headers else "X-Me"] == "here"


def test_a_method_that_is_set_later_is_called_too(tmp_path: Path) -> None:
    told: list[str] = []
    listener = DownloadEventListener()
    with Origin({"*": Reply(body=b"file")}) as origin, Client(listeners=listener) as client:
        listener.download_succeeded = lambda report: told.append(report.url)  # type: ignore[method-assign]
        client.one(origin.url("/a.bin"), tmp_path)
    assert told == [origin.url("/a.bin")]


def test_a_report_is_told_as_it_was_at_that_moment(tmp_path: Path) -> None:
    notes = Notes()
    with Origin({"*": Reply(body=b"file")}) as origin, Client(listeners=[notes]) as client:
        final = client.one(origin.url("/a.bin"), tmp_path)
    by_name = dict(notes.events)
    started, progress, end = by_name["started"], by_name["progress"], by_name["succeeded"]
    assert (started.state, started.bytes_downloaded, started.finish_time) == (ReportState.DOWNLOADING, 0, None)
    assert started.start_time is not None
    assert started.start_time.tzinfo is not None
    assert (progress.bytes_downloaded, progress.total_bytes) == (4, 4)
    assert end.state is ReportState.SUCCEEDED
    assert end.finish_time is not None
    assert end.finish_time >= started.start_time
    assert end is not final
    assert (end.path, end.url) == (final.path, final.url)


def test_the_fragments_of_a_file_are_counted_as_they_are_complete(tmp_path: Path) -> None:
    notes, last = Notes(), threading.Event()
    routes = {"/0.ts": Reply(body=BODY[:50]), "/1.ts": Reply(body=BODY[50:80])}
    with Origin({**routes, "/2.ts": lambda _: (last.wait(30), Reply(body=BODY[80:100]))[1]}) as origin:
        film = content(*map(origin.url, ("/0.ts", "/1.ts", "/2.ts")))
        with Client(listeners=notes) as client:
            thread = threading.Thread(target=client.download, args=(film, tmp_path / "film.ts"))
            thread.start()
            until(lambda: any(report.parts == (2, 3) for name, report in notes.events if name == "progress"))
            last.set()
            thread.join()
    (end,) = [report for name, report in notes.events if name == "succeeded"]
    assert (end.parts, (tmp_path / "film.ts").read_bytes()) == ((3, 3), BODY[:100])


def test_a_slow_file_is_told_while_it_comes(tmp_path: Path) -> None:
    notes = Notes()
    slow = Reply(body=BODY[:60_000], drip=0.02, piece=1000)
    with Origin({"*": slow}) as origin, Client(listeners=notes) as client:
        client.one(origin.url("/a.bin"), tmp_path)
    counts = [report.bytes_downloaded for name, report in notes.events if name == "progress"]
    assert len(counts) > 2
    assert counts == sorted(counts)
    assert counts[-1] == 60_000
    assert notes.of(origin.url("/a.bin")) == ["started", "headers", "progress", "succeeded"]


def test_nothing_comes_after_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qetch.client.run.TICK", 0.0005)
    notes = Notes()
    answers = {"/bad": Reply(404), "*": Reply(body=BODY[:40_000], drip=0.0005, piece=4000)}
    with Origin(answers) as origin, Client(listeners=notes) as client:
        urls = [origin.url(f"/{number}.bin") for number in range(60)]
        client.swarm(urls, tmp_path)
    for url in urls:
        assert notes.of(url) == ["started", "headers", "progress", "succeeded"]
        last = [report for name, report in notes.events if report.url == url and name == "progress"][-1]
        assert last.bytes_downloaded == last.total_bytes == 40_000


def test_failures_are_told_with_their_reason(tmp_path: Path) -> None:
    notes = Notes()
    with Origin({"/gone.bin": Reply(404)}) as origin, Client(listeners=notes) as client:
        client.swarm([origin.url("/gone.bin"), "no url"], tmp_path)
    assert notes.of(origin.url("/gone.bin")) == ["started", "failed"]
    assert notes.of("no url") == ["failed"]
    error = next(report for name, report in notes.events if name == "failed" and report.attempts)
    assert isinstance(error.error, NotFound)
    assert error.error_report == {
        "type": "NotFound",
        "message": str(error.error),
        "status": 404,
        "attempts": 1,
    }


def test_what_is_there_already_is_told_as_a_success_alone(tmp_path: Path) -> None:
    notes = Notes()
    with Origin({"*": Reply(body=b"file")}) as origin:
        with Client() as client:
            client.one(origin.url("/a.bin"), tmp_path)
        with Client(listeners=notes, skip_cached=True) as client:
            client.one(origin.url("/a.bin"), tmp_path)
    assert [(name, report.skipped) for name, report in notes.events] == [("succeeded", "cached")]
    assert len(origin.requests) == 1


def test_what_is_canceled_is_told_whether_it_began_or_not(tmp_path: Path) -> None:
    notes = Notes()
    with Stuck() as origin, Client(Settings(max_concurrent=1), listeners=notes) as client:
        reports = client.each([origin.url("/stuck1.bin"), origin.url("/stuck2.bin")], folder=tmp_path)
        soon(client.cancel, lambda: origin.gate.here)
        assert states(reports) == ["canceled"] * 2
    assert notes.of(origin.url("/stuck1.bin")) == ["started", "canceled"]
    assert notes.of(origin.url("/stuck2.bin")) == ["canceled"]


def test_another_attempt_is_told_as_such(tmp_path: Path) -> None:
    notes = Notes()
    with (
        Origin({"*": [Reply(503), Reply(body=b"file")]}) as origin,
        Client(listeners=notes, strategy=lambda report, error: 0.0) as client,
    ):
        client.one(origin.url("/a.bin"), tmp_path)
    assert notes.of(origin.url("/a.bin")) == ["started", "headers", "progress", "succeeded"]
    assert notes.events[-1][1].attempts == 2


def test_what_an_extractor_leaves_out_is_told(tmp_path: Path) -> None:
    def handler(extractor: Any, source: str) -> Any:
        extractor.skipped.append(Skip("here", "no file"))
        yield found_at(extractor, source, origin.url("/a.bin"), "a")
        extractor.skipped.append(Skip("there", "no file either"))

    notes = Notes()
    with Origin({"*": Reply(body=b"file")}) as origin, pages(handler), Client(listeners=notes) as client:
        reports = client.fetch(origin.url("/page/1"), tmp_path).wait()
        assert states(reports) == ["succeeded"]
    assert [str(skip) for _, skip in notes.skips] == ["here: no file", "there: no file either"]


# Listeners that misbehave


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_what_a_listener_raises_is_logged_and_the_next_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    class Bad(DownloadEventListener):
        def download_started(self, report: DownloadReport) -> None:
            raise kind

        download_progress = download_headers = download_succeeded = download_started

    notes = Notes()
    with Origin({"*": Reply(body=b"file")}) as origin, Client(listeners=[Bad(), notes]) as client:
        assert states(client.swarm([origin.url(f"/{n}.bin") for n in range(9)], tmp_path)) == ["succeeded"] * 9
    assert len([name for name, _ in notes.events if name == "succeeded"]) == 9
    assert "download_succeeded of a listener failed" in caplog.text


def test_a_listener_that_never_returns_does_not_stop_the_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "FAREWELL", 0.2)
    monkeypatch.setattr(listener, "MAX_WAITING", 20)
    forever = threading.Event()

    class Blocks(DownloadEventListener):
        def download_started(self, report: DownloadReport) -> None:
            forever.wait(BOUND * 10)

    with Origin({"*": Reply(body=b"file")}) as origin, Client(listeners=Blocks()) as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(400)], tmp_path)
    assert states(reports) == ["succeeded"] * 400
    assert caplog.text.count("does not return") == 1
    forever.set()


def test_a_listener_that_comes_back_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "FAREWELL", 0.05)
    monkeypatch.setattr(listener, "MAX_WAITING", 3)
    go = threading.Event()

    class Slow(Notes):
        def download_started(self, report: DownloadReport) -> None:
            super().download_started(report)
            go.wait(BOUND)

    notes = Slow()
    dispatcher = Dispatcher([notes])
    for number in range(10):
        dispatcher.tell("download_started", DownloadReport(f"{number}"))
    go.set()
    until(lambda: len(notes.events) == 4)
    assert [report.url for _, report in notes.events] == ["0", "1", "2", "3"]
    dispatcher.tell("download_succeeded", DownloadReport("last"))
    dispatcher.close()
    assert notes.events[-1][1].url == "last"


def test_a_slow_listener_is_told_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MAX_WAITING", 5)
    slow = threading.Event()

    class Slow(Notes):
        def download_succeeded(self, report: DownloadReport) -> None:
            slow.wait(0.003)
            super().download_succeeded(report)

    notes = Slow()
    with Origin({"*": Reply(body=b"file")}) as origin, Client(listeners=notes) as client:
        urls = [origin.url(f"/{number}.bin") for number in range(60)]
        client.swarm(urls, tmp_path)
        assert all(notes.of(url) == ["started", "headers", "progress", "succeeded"] for url in urls)


def test_a_listener_may_cancel(tmp_path: Path) -> None:
    class Stop(Notes):
        def download_succeeded(self, report: DownloadReport) -> None:
            super().download_succeeded(report)
            client.cancel()

    notes = Stop()
    with Stuck() as origin, Client(listeners=notes) as client:
        urls = [origin.url("/a.bin"), *(origin.url(f"/stuck{number}.bin") for number in range(20))]
        reports = client.swarm(urls, tmp_path)
    assert states(reports) == ["canceled"] * 20 + ["succeeded"]
    assert len([name for name, _ in notes.events if name == "canceled"]) == 20


def test_a_listener_may_download(tmp_path: Path) -> None:
    class More(Notes):
        def download_failed(self, report: DownloadReport) -> None:
            super().download_failed(report)
            if len(self.events) < 5:
                client.download(origin.url("/b.bin"), tmp_path / "b.bin")

    notes = More()
    with Origin({"/a.bin": Reply(404), "*": Reply(body=b"file")}) as origin, Client(listeners=notes) as client:
        client.one(origin.url("/a.bin"), tmp_path)
        assert (tmp_path / "b.bin").read_bytes() == b"file"
    assert notes.of(origin.url("/b.bin")) == ["started", "headers", "progress", "succeeded"]


@pytest.mark.parametrize("given", [5, "me", [Notes], [None], Notes, lambda report: None])
def test_what_is_no_listener_is_refused(given: Any) -> None:
    with pytest.raises(InvalidSetting, match="listener"):
        Client(listeners=given)


def test_without_listeners_there_is_no_thread_for_them(tmp_path: Path) -> None:
    gate, before = Gate(), set(threading.enumerate())
    with Origin({"*": gate}) as origin, Client() as client:
        batch = client.fetch(origin.url("/a.bin"), tmp_path)
        until(lambda: gate.here)
        threads = {thread.name for thread in set(threading.enumerate()) - before}
        gate.open()
        batch.wait()
    assert not threads & {"qetch-listeners", "qetch-progress"}


def test_threads_end_with_the_client(tmp_path: Path) -> None:
    def ours() -> list[str]:
        mine = ("qetch-listeners", "qetch-progress", "qetch-feed", "qetch-download", "qetch-extract", "qetch-cancel")
        return [thread.name for thread in threading.enumerate() if thread.name in mine]

    before = ours()
    with Origin({"*": Reply(body=b"file")}) as origin, Client(listeners=Notes()) as client:
        client.fetch([origin.url(f"/{number}.bin") for number in range(9)], tmp_path).wait()
        assert client.one(origin.url("/b.bin"), tmp_path).error is None
    until(lambda: len(ours()) <= len(before))


def test_snapshots_do_not_keep_the_world_alive() -> None:
    report = DownloadReport("u")
    before = sys.getrefcount(report)
    dispatcher = Dispatcher([DownloadEventListener()])
    for _ in range(100):
        dispatcher.tell("download_progress", report)
    dispatcher.close()
    until(lambda: sys.getrefcount(report) <= before + 1)
    logging.getLogger("qetch").debug("done")
