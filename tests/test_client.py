"""The client: many URLs, results as they complete, and one failure that stops nothing else."""

from __future__ import annotations

import itertools
import os
import threading
import time
from concurrent.futures import CancelledError
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import qetch
from qetch.client import Client, DownloadReport, DownloadRequest, ReportState, run
from qetch.downloaders import BaseDownloader, HTTPDownloader, Settings
from qetch.errors import AuthenticationError, BadFile, InvalidSetting, InvalidURL, NotFound, UnsupportedURL
from tests.clients import Gate, Notes, Stuck, found_at, names, no_leftovers, pages, soon, states, succeeded, tree, until
from tests.downloads import BODY, PAGE
from tests.origin import Origin, Reply, Request, ranged, redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.content import Content
    from qetch.extractors import BaseExtractor

FILE = Reply(body=b"file")


# One file


def test_one_file_gets_a_path_made_of_its_url(tmp_path: Path) -> None:
    with Origin({"/a/b.bin": FILE}) as origin, Client() as client:
        before = datetime.now(UTC)
        report = client.one(origin.url("/a/b.bin"), tmp_path / "new")
    assert report.path == f"{tmp_path}/new/127.0.0.1_{origin.port}/a/b.bin"
    assert Path(report.path).read_bytes() == b"file"
    assert (report.url, report.state, report.skipped) == (origin.url("/a/b.bin"), "succeeded", "")
    assert (report.total_bytes, report.bytes_downloaded, report.attempts) == (4, 4, 1)
    assert report.error is None
    assert report.error_report == {}
    assert report.start_time is not None
    assert report.finish_time is not None
    assert before <= report.start_time <= report.finish_time <= before + timedelta(minutes=5)
    assert no_leftovers(tmp_path)


def test_one_that_fails_says_why(tmp_path: Path) -> None:
    with Origin() as origin, Client() as client:
        report = client.one(origin.url("/a.bin"), tmp_path)
    assert isinstance(report.error, NotFound)
    assert report.state is ReportState.FAILED
    assert report.error_report["message"] == str(report.error)
    assert tree(tmp_path) == []


def test_an_empty_file_has_a_length(tmp_path: Path) -> None:
    with Origin({"*": Reply()}) as origin, Client() as client:
        report = client.one(origin.url("/a.bin"), tmp_path)
    assert succeeded(report)
    assert (report.total_bytes, report.bytes_downloaded) == (0, 0)


def test_download_takes_a_content_a_request_or_a_url(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        content = next(client.extract(origin.url("/a.bin")))[0]
        assert client.download(content, tmp_path / "1").path == str(tmp_path / "1")
        assert client.download(origin.url("/a.bin"), str(tmp_path / "2")).path == str(tmp_path / "2")
        assert client.download(DownloadRequest(origin.url("/a.bin"), tmp_path / "3")).data is None
        assert client.download(DownloadRequest(origin.url("/a.bin"), tmp_path / "x"), tmp_path / "4").error is None
    assert names(tmp_path) == ["1", "2", "3", "4"]


def test_download_raises_why_it_failed(tmp_path: Path) -> None:
    with Origin({"/secret": Reply(401)}) as origin, Client() as client:
        with pytest.raises(AuthenticationError):
            client.download(origin.url("/secret"), tmp_path / "a")
        with pytest.raises(InvalidURL):
            client.download("http://", tmp_path / "a")
        with pytest.raises(UnsupportedURL):
            client.download("ftp://127.0.0.1/a.bin", tmp_path / "a")
    assert names(tmp_path) == []


def test_download_raises_when_it_is_canceled(tmp_path: Path) -> None:
    with Stuck() as origin, Client() as client:
        soon(client.cancel, lambda: origin.gate.here)
        with pytest.raises(CancelledError):
            client.download(origin.url("/stuck"), tmp_path / "a")
    assert names(tmp_path) == []


@pytest.mark.parametrize("wanted", [None, 5, b"http://files.example/", ["http://files.example/"], object()])
def test_what_is_no_url_is_said_to_be_none(tmp_path: Path, wanted: Any) -> None:
    with Client() as client:
        with pytest.raises(InvalidSetting, match="is no URL"):
            client.download(wanted, tmp_path / "a")
        assert isinstance(client.one(wanted, tmp_path).error, InvalidSetting)
        assert [type(report.error) for report in client.fetch([wanted], tmp_path)] == [InvalidSetting]


@pytest.mark.parametrize(
    "wrong", [{"destination": 5}, {"destination": b"a"}, {"destination": ["a"]}, {"headers": [("a", "b")]}, {"url": 5}]
)
def test_a_request_is_checked_when_it_is_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting):
        DownloadRequest(**{"url": "http://files.example/", **wrong})
    assert DownloadRequest("http://files.example/", headers=None).headers == {}  # type: ignore[arg-type] # as some do


def test_headers_of_a_request_are_sent_with_it_alone_and_count_more(tmp_path: Path) -> None:
    with (
        Origin({"*": FILE}) as origin,
        Client(Settings(headers={"X-Both": "all", "X-All": "all"})) as client,
    ):
        special = DownloadRequest(origin.url("/a.bin"), headers={"x-both": "mine"})
        assert states(client.swarm([special, origin.url("/b.bin")], tmp_path)) == ["succeeded"] * 2
    seen = {request.path: request.headers for request in origin.requests}
    assert (seen["/a.bin"]["X-Both"], seen["/a.bin"]["X-All"]) == ("mine", "all")
    assert (seen["/b.bin"]["X-Both"], seen["/b.bin"]["X-All"]) == ("all", "all")


def test_headers_that_cannot_be_sent_fail_that_request_alone(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        bad: list[Any] = [{"Range": "bytes=0-1"}, {"a b": "c"}, {"a": "b\r\nc: d"}, {"a": 5}, {5: "a"}]
        wanted: list[Any] = [DownloadRequest(origin.url(f"/{at}"), headers=one) for at, one in enumerate(bad)]
        reports = client.swarm([*wanted, origin.url("/a.bin")], tmp_path)
    assert states(reports) == ["failed"] * 5 + ["succeeded"]
    assert {type(report.error) for report in reports} == {InvalidSetting, type(None)}
    assert origin.paths == ["/a.bin"]


def test_data_comes_back_as_it_is(tmp_path: Path) -> None:
    data = object()
    with Origin({"*": FILE}) as origin, Client(listeners=(notes := Notes())) as client:
        wanted = [DownloadRequest(origin.url("/a.bin"), tmp_path / "a", data), DownloadRequest("", tmp_path, data)]
        assert all(report.data is data for report in client.swarm(wanted))
    assert all(report.data is data for _, report in notes.events)


@pytest.mark.parametrize("path", ["", "/", "/page", "/view.php?id=1", "/a.aspx", "/dir.d/", "/v1.2", "/index.html"])
def test_a_url_that_promises_no_file_may_give_a_page(tmp_path: Path, path: str) -> None:
    with Origin({"*": Reply(headers={"Content-Type": "text/html"}, body=PAGE)}) as origin, Client() as client:
        assert client.one(origin.url(path), tmp_path).error is None


def test_a_url_that_promises_one_may_not(tmp_path: Path) -> None:
    with Origin({"*": Reply(headers={"Content-Type": "text/html"}, body=PAGE)}) as origin, Client() as client:
        assert isinstance(client.one(origin.url("/a.png"), tmp_path).error, BadFile)
    assert tree(tmp_path) == []


def test_large_files_come_in_parts(tmp_path: Path) -> None:
    body = bytes(range(256)) * 20_000
    with Origin({"*": ranged(body, {"ETag": '"1"'})}) as origin, Client() as client:
        report = client.one(origin.url("/a.bin"), tmp_path)
    assert report.path is not None
    assert Path(report.path).read_bytes() == body
    assert len(origin.requests) > 1


# Many


def test_a_swarm_brings_all(tmp_path: Path) -> None:
    with Origin({"*": lambda request: Reply(body=request.path)}) as origin, Client() as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(300)], tmp_path)
    assert states(reports) == ["succeeded"] * 300
    assert len({report.path for report in reports}) == 300
    assert all(Path(report.path or "").read_text() == f"/{Path(report.path or '').name}" for report in reports)
    assert len(origin.requests) == 300


def test_a_small_file_is_one_request_and_connections_are_used_again(tmp_path: Path) -> None:
    with Origin({"*": ranged(b"file")}) as origin, Client() as client:
        client.swarm([origin.url(f"/{number}.bin") for number in range(100)], tmp_path)
    assert len(origin.requests) == 100
    assert {request.method for request in origin.requests} == {"GET"}
    assert origin.connections <= 8


def test_nothing_is_nothing(tmp_path: Path) -> None:
    with Client() as client:
        assert client.swarm([], tmp_path) == []
        assert list(client.each(iter(()), folder=tmp_path)) == []
        assert client.fetch([], tmp_path).wait() == []


def test_a_text_is_one_url_and_no_list_of_letters(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        url = origin.url("/a.bin")
        assert len(client.swarm(url, tmp_path / "1")) == 1
        assert len(list(client.each(url, folder=tmp_path / "2"))) == 1
        assert len(client.swarm(DownloadRequest(url), tmp_path / "3")) == 1  # type: ignore[arg-type] # as some will
        assert len(client.fetch(url, tmp_path / "4").wait()) == 1


def test_the_lines_of_a_file_are_urls(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        (tmp_path / "list").write_text(f"{origin.url('/a.bin')}\n  {origin.url('/b.bin')}\r\n\n")
        with (tmp_path / "list").open() as file:
            reports = client.swarm(file, tmp_path / "files")
    assert states(reports) == ["failed", "succeeded", "succeeded"]  # the empty line is none
    assert sorted(origin.paths) == ["/a.bin", "/b.bin"]


def test_a_slow_file_does_not_hold_back_a_fast_one(tmp_path: Path) -> None:
    with Stuck() as origin, Client() as client:
        urls = [origin.url("/stuck.bin"), *(origin.url(f"/{number}.bin") for number in range(20))]
        reports = client.each(urls, folder=tmp_path)
        assert states(next(reports) for _ in range(20)) == ["succeeded"] * 20
        origin.gate.open()
        assert [report.url for report in reports] == [urls[0]]


def test_so_many_files_at_a_time_as_the_settings_say(tmp_path: Path) -> None:
    gate = Gate()
    with Origin({"*": gate}) as origin, Client(Settings(max_concurrent=3)) as client:
        batch = client.fetch([origin.url(f"/{number}.bin") for number in range(30)], tmp_path)
        until(lambda: gate.here == 3)
        gate.open()
        assert states(batch) == ["succeeded"] * 30
    assert gate.most == 3


def test_each_maps_objects_to_urls_or_requests(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        reports = list(client.each([1, 2], lambda number: origin.url(f"/{number}.bin"), tmp_path))
        assert states(reports) == ["succeeded"] * 2
        mapped = client.each([3], lambda number: DownloadRequest(origin.url("/3"), tmp_path / "three", data=number))
        assert [(report.path, report.data) for report in mapped] == [(str(tmp_path / "three"), 3)]
    assert sorted(origin.paths) == ["/1.bin", "/2.bin", "/3"]


@pytest.mark.parametrize("url_map", ["folder", 5, Path("folder")])
def test_what_is_no_map_is_refused(url_map: Any) -> None:
    with Client() as client, pytest.raises(InvalidSetting, match="url_map"):
        list(client.each([], url_map))


def test_a_map_that_raises_or_gives_nonsense_costs_that_object_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def mapped(number: int) -> Any:
        if number == 3:
            raise KeyError(number)
        return None if number == 5 else origin.url(f"/{number}.bin")

    with Origin({"*": FILE}) as origin, Client() as client:
        reports = list(client.each(range(10), mapped, tmp_path))
    assert states(reports) == ["failed"] * 2 + ["succeeded"] * 8
    failed = {report.url: type(report.error) for report in reports if report.error}
    assert failed == {"3": KeyError, "5": InvalidSetting}
    assert "3 failed" in caplog.text


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not so many at a time."""
    monkeypatch.setattr(run, "AHEAD", 32)
    monkeypatch.setattr(run, "PAGES_AHEAD", 8)


@pytest.mark.usefixtures("narrow")
def test_an_endless_iterable_is_pulled_as_it_is_needed(tmp_path: Path) -> None:
    pulled = 0

    def urls() -> Iterator[str]:
        nonlocal pulled
        for pulled in itertools.count(1):
            yield origin.url(f"/{pulled}.bin")

    with Origin({"*": FILE}) as origin, Client() as client:
        reports = client.each(urls(), folder=tmp_path)
        first = next(reports)
        until(lambda: len(origin.requests) >= run.AHEAD)
        threading.Event().wait(0.2)
        assert run.AHEAD <= pulled <= run.AHEAD + 3
        assert states([first, *itertools.islice(reports, 199)]) == ["succeeded"] * 200
        assert pulled <= run.AHEAD + 203
        client.cancel()  # else leaving it would wait for the end


def test_nothing_is_asked_before_the_first_report_is_wanted(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        client.each([origin.url("/a.bin")], folder=tmp_path)
    assert origin.requests == []


def test_an_iterable_that_raises_is_heard_when_what_it_gave_is_done(tmp_path: Path) -> None:
    def urls() -> Iterator[str]:
        for number in range(5):
            yield origin.url(f"/{number}.bin")
        raise RuntimeError("no more")

    with Origin({"*": FILE}) as origin, Client() as client:
        got: list[DownloadReport] = []
        with pytest.raises(RuntimeError, match="no more"):
            got.extend(client.each(urls(), folder=tmp_path))
        with pytest.raises(RuntimeError, match="no more"):
            client.swarm(urls(), tmp_path)
        with pytest.raises(RuntimeError, match="no more"):
            client.fetch(urls(), tmp_path).wait()
        with pytest.raises(TypeError):
            client.swarm(None, tmp_path)  # type: ignore[arg-type]
    assert len(tree(tmp_path)) == 10


def test_who_stops_in_the_middle_cancels_the_rest(tmp_path: Path) -> None:
    with Stuck() as origin, Client() as client:
        urls = [origin.url("/a.bin"), *(origin.url(f"/stuck{number}.bin") for number in range(20))]
        for report in client.each(urls, folder=tmp_path):
            assert report.url == urls[0]
            break
        until(lambda: not run.alive)
        batch = client.fetch(urls, tmp_path / "again")
        for report in batch:
            assert succeeded(report)
            break
        left = list(batch)
        assert set(states(left)) == {"canceled"}
        assert {report.url for report in left} == set(urls[1:])
        assert origin.gate.came <= 16
    assert len(tree(tmp_path)) == 2
    assert no_leftovers(tmp_path)


# Pages, and what leaves the client


def album(extractor: BaseExtractor, source: str) -> Iterator[list[Content]]:
    """`/page/<name>/<number>`: so many files."""
    *_, name, number = source.split("/")
    base = source.partition("/page/")[0]
    for at in range(int(number)):
        yield found_at(extractor, source, f"{base}/{name}{at}.bin", f"{name}-{at}")


def test_fetch_extracts_and_downloads(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, pages(album), Client() as client:
        urls = [origin.url("/page/a/3"), origin.url("/x.bin"), origin.url("/page/b/0"), origin.url("/page/c/2")]
        reports = list(client.fetch(urls, tmp_path))
    assert states(reports) == ["succeeded"] * 7
    assert [(report.url, report.destination) for report in reports if report.skipped == "empty"] == [(urls[2], None)]
    assert names(tmp_path) == ["a-0.bin", "a-1.bin", "a-2.bin", "c-0.bin", "c-1.bin", "x.bin"]
    uids = sorted(report.content.uid for report in reports if report.content is not None)
    assert uids[:5] == ["a-0", "a-1", "a-2", "c-0", "c-1"]


def test_one_at_a_time_files_come_in_the_order_of_the_list(tmp_path: Path) -> None:
    def album(extractor: BaseExtractor, source: str) -> Iterator[list[Content]]:
        for name in ("m.bin", "n.bin"):
            yield found_at(extractor, source, origin.url(f"/{name}", "localhost"), name)

    with Origin({"*": FILE}) as origin, pages(album), Client(Settings(max_concurrent=1)) as client:
        client.session.allow_private = True
        paths = [
            ("/a.bin", None),
            ("/b.bin", "localhost"),
            ("/page/1", None),
            ("/c.bin", None),
            ("/d.bin", "localhost"),
        ]
        reports = list(client.fetch([origin.url(path, host) for path, host in paths], tmp_path))
        assert origin.paths == ["/a.bin", "/b.bin", "/m.bin", "/n.bin", "/c.bin", "/d.bin"]
    assert states(reports) == ["succeeded"] * 6


@pytest.mark.parametrize("most", [1, 2, 16])
def test_the_plain_name_goes_to_the_first_of_the_list(tmp_path: Path, most: int) -> None:
    with (
        Origin({"/1/x.bin": Reply(body=b"first"), "*": FILE}) as origin,
        Client(Settings(max_concurrent=most)) as client,
    ):
        urls = [origin.url("/a.bin"), origin.url("/1/x.bin"), origin.url("/2/x.bin", "localhost")]
        client.session.allow_private = True
        reports = list(client.fetch(urls, tmp_path))
        assert all(report.content and report.content.extractor.root is client.session for report in reports)
    assert all(map(succeeded, reports))
    assert (tmp_path / "x.bin").read_bytes() == b"first"


def test_an_extractor_that_fails_over_a_url_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def album(extractor: BaseExtractor, source: str) -> Iterator[list[Content]]:
        yield found_at(extractor, source, source.replace("page", "file"), "1")

    def can_handle(url: str) -> bool:
        if url.endswith("/bad.bin"):
            raise ZeroDivisionError
        return "/page/" in url

    with Origin({"*": FILE}) as origin, pages(album) as extractor, Client() as client:
        monkeypatch.setattr(extractor, "can_handle", can_handle)
        paths = ("/a.bin", "/bad.bin", "/b.bin", "/page/1")
        reports = {report.url: report for report in client.fetch(map(origin.url, paths), tmp_path)}
    assert isinstance(reports.pop(origin.url("/bad.bin")).error, ZeroDivisionError)
    assert all(map(succeeded, reports.values()))
    assert len(reports) == 3


def test_extraction_and_downloads_overlap(tmp_path: Path) -> None:
    asked = threading.Event()

    def slow(extractor: BaseExtractor, source: str) -> Iterator[list[Content]]:
        yield found_at(extractor, source, origin.url("/a.bin"), "a")
        assert asked.wait(30)  # the first one is there before the page is at its end
        yield found_at(extractor, source, origin.url("/b.bin"), "b")

    def note(_request: Request) -> Reply:
        asked.set()
        return FILE

    with Origin({"*": note}) as origin, pages(slow), Client() as client:
        assert states(client.fetch(origin.url("/page/1"), tmp_path)) == ["succeeded"] * 2


def test_a_page_that_fails_is_one_report_and_its_files_are_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(extractor: BaseExtractor, source: str) -> Iterator[list[Content]]:
        yield found_at(extractor, source, origin.url("/a.bin"), source.rpartition("/")[2])
        raise {"1": NotFound("gone"), "2": ValueError("bug"), "3": SystemExit(3)}[source[-1]]

    with Origin({"*": FILE}) as origin, pages(broken), Client() as client:
        urls = [origin.url(f"/page/{number}") for number in (1, 2, 3)]
        reports = list(client.fetch([*urls, "http://127.0.0.1/none", "no url"], tmp_path))
    assert states(reports) == ["failed"] * 5 + ["succeeded"] * 3
    kinds = {type(report.error) for report in reports if report.error}
    assert kinds == {NotFound, ValueError, SystemExit, UnsupportedURL, InvalidURL}


@pytest.mark.usefixtures("narrow")
def test_a_long_page_is_read_as_it_is_needed(tmp_path: Path) -> None:
    pulled = 0

    def endless(extractor: BaseExtractor, source: str) -> Iterator[list[Content]]:
        nonlocal pulled
        for pulled in itertools.count(1):
            yield found_at(extractor, source, origin.url(f"/{pulled}.bin"), f"a-{pulled}")

    with Origin({"*": FILE}) as origin, pages(endless), Client() as client:
        reports = iter(client.fetch(origin.url("/page/1"), tmp_path))
        next(reports)
        until(lambda: pulled >= run.AHEAD)
        threading.Event().wait(0.2)
        assert pulled <= run.AHEAD + 3
        assert states(itertools.islice(reports, 100)) == ["succeeded"] * 100
        client.cancel()


@pytest.mark.usefixtures("narrow")
def test_endless_pages_are_read_as_they_are_needed(tmp_path: Path) -> None:
    pulled = 0

    def urls() -> Iterator[str]:
        nonlocal pulled
        for pulled in itertools.count(1):
            yield origin.url(f"/page/a{pulled}/{pulled % 3}")

    with Origin({"*": FILE}) as origin, pages(album), Client() as client:
        reports = iter(client.fetch(urls(), tmp_path))
        assert states(itertools.islice(reports, 200)) == ["succeeded"] * 200
        assert pulled <= 200 + run.AHEAD + run.PAGES_AHEAD + 10
        client.cancel()


@pytest.mark.usefixtures("narrow")
def test_reports_that_nobody_took_are_there_after_the_client_is_left(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, pages(album), Client() as client:
        batch = client.fetch([origin.url("/page/a/100"), origin.url("/page/b/0")], tmp_path)
    assert len(names(tmp_path)) == 100
    assert len(batch.wait()) == 101
    assert batch.wait() == []


def test_an_error_within_cancels(tmp_path: Path) -> None:
    with Stuck() as origin, pytest.raises(ZeroDivisionError), Client() as client:  # noqa: PT012 - what leaves it
        batch = client.fetch([origin.url(f"/stuck{number}.bin") for number in range(30)], tmp_path)
        until(lambda: origin.gate.here)
        raise ZeroDivisionError
    left = list(batch)
    assert set(states(left)) == {"canceled"}
    assert {report.url for report in left} == {origin.url(f"/stuck{number}.bin") for number in range(30)}
    assert tree(tmp_path) == []


def test_a_closed_client_begins_nothing(tmp_path: Path) -> None:
    client = Client()
    client.close()
    client.close()
    for begin in (lambda: client.fetch("http://a.example/x.bin"), lambda: client.one("http://a.example/x.bin")):
        with pytest.raises(InvalidSetting, match="closed"):
            begin()


def test_threads_may_share_a_client(tmp_path: Path) -> None:
    reports: list[DownloadReport] = []

    def work(name: str) -> None:
        reports.extend(client.swarm([origin.url(f"/{name}{number}.bin") for number in range(40)], tmp_path))

    with Origin({"*": FILE}) as origin, Client(listeners=(notes := Notes())) as client:
        threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert states(reports) == ["succeeded"] * 320
    assert len([name for name, _ in notes.events if name == "succeeded"]) == 320


# The functions of the package


def test_the_functions_of_the_package_use_one_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qetch, "_clients", [])
    with Origin({"*": FILE}) as origin, pages(album):
        assert [len(lists) for lists in qetch.extract(origin.url("/page/a/2"))] == [1, 1]
        assert states(qetch.fetch(origin.url("/page/a/2"), tmp_path)) == ["succeeded"] * 2
        assert qetch.download(origin.url("/b.bin"), tmp_path / "b").state is ReportState.SUCCEEDED
    assert len(qetch._clients) == 1
    qetch._clients[0].close()
    assert names(tmp_path) == ["a-0.bin", "a-1.bin", "b"]


# Hosts


def test_a_host_that_is_stuck_does_not_hold_up_another(tmp_path: Path) -> None:
    with Stuck() as stuck, Stuck("localhost") as good, Client() as client:
        urls = [
            origin.url(f"{path}{number}.bin")
            for number in range(100)
            for origin, path in ((stuck, "/stuck"), (good, "/"))
        ]
        reports = client.each(urls, folder=tmp_path)
        came = [next(reports) for _ in range(100)]
        assert states(came) == ["succeeded"] * 100
        assert {report.url for report in came} == {url for url in urls if "localhost" in url}
        client.cancel()
        assert states(reports) == ["canceled"] * 100
    assert stuck.gate.most <= 8


@pytest.mark.parametrize("most", [1, 3])
def test_a_host_sees_no_more_connections_than_it_may(tmp_path: Path, most: int) -> None:
    busy = Gate(is_open=True)

    def slowly(request: Request) -> Any:
        with busy._lock:
            busy.here += 1
            busy.most = max(busy.most, busy.here)
        threading.Event().wait(0.005)
        with busy._lock:
            busy.here -= 1
        return ranged(BODY)(request)

    settings = Settings(connections_per_host=most, max_concurrent=8)
    with Origin({"*": slowly}) as origin, Client(settings) as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(40)], tmp_path)
    assert states(reports) == ["succeeded"] * 40
    assert busy.most <= most
    assert origin.connections <= most


def test_two_ports_are_one_host(tmp_path: Path) -> None:
    """As for the connections, which are counted by the name: otherwise threads would wait there for a turn."""
    settings = Settings(connections_per_host=2, max_concurrent=4)
    with Stuck() as first, Stuck() as second, Stuck("localhost") as other, Client(settings) as client:

        def urls() -> Iterator[str]:
            yield from (origin.url(f"/stuck{number}.bin") for number in range(4) for origin in (first, second))
            until(lambda: first.gate.here + second.gate.here == 2)
            threading.Event().wait(0.1)  # now nothing of theirs waits in a thread
            yield from (other.url(f"/{number}.bin") for number in range(20))

        reports = client.each(urls(), folder=tmp_path)
        assert states(next(reports) for _ in range(20)) == ["succeeded"] * 20
        assert first.gate.came + second.gate.came == 2
        client.cancel()
        assert states(reports) == ["canceled"] * 8


def test_a_host_sees_no_more_requests_in_a_time_than_it_may(tmp_path: Path) -> None:
    times: list[float] = []

    def note(_request: Request) -> Reply:
        times.append(time.monotonic())
        return FILE

    with Origin({"*": note}) as origin, Client(Settings(rate=(4, 0.4))) as client:
        begun = time.monotonic()
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(16)], tmp_path)
    assert states(reports) == ["succeeded"] * 16
    assert all(moment - begun >= at // 4 * 0.4 for at, moment in enumerate(times))


def test_who_waits_for_the_rate_of_a_host_ends_when_canceled(tmp_path: Path) -> None:
    rate = (1, 601.5)  # no other test's, for rates are those of the whole process
    with Stuck() as origin, Stuck("localhost") as other, Client(Settings(rate=rate)) as client:
        wanted = [one.url(f"/{number}.bin") for number in range(20) for one in (origin, other)]
        reports = client.each(wanted, folder=tmp_path)
        assert {"localhost" in next(reports).url for _ in range(2)} == {True, False}
        client.cancel()
        assert states(reports) == ["canceled"] * 38


def test_pages_of_a_stuck_host_leave_room_for_others(tmp_path: Path) -> None:
    go = threading.Event()

    def slow(extractor: BaseExtractor, source: str) -> Iterator[list[Content]]:
        if "127.0.0.1" in source:
            go.wait(30)
        yield found_at(extractor, source, source.replace("/page", "") + ".bin", source.rpartition("/")[2])

    with Stuck() as origin, Stuck("localhost") as other, pages(slow), Client() as client:
        urls = [one.url(f"/page/{one.host}{number}") for number in range(20) for one in (origin, other)]
        reports = iter(client.fetch(urls, tmp_path))
        assert all("localhost" in next(reports).url for _ in range(20))
        go.set()
        assert states(reports) == ["succeeded"] * 20


def test_redirects_are_followed(tmp_path: Path) -> None:
    with Origin({"/old.bin": redirect("/new.bin"), "/new.bin": FILE}) as origin, Client() as client:
        assert succeeded(client.one(origin.url("/old.bin"), tmp_path))


def test_a_private_address_is_for_those_who_name_it(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as inner, Origin({"*": redirect(inner.url("/x", "localhost"))}) as origin:
        with Client() as client:
            assert client.one(origin.url("/a.bin"), tmp_path).state is ReportState.FAILED
        with Client() as client:
            client.session.allow_private = True
            assert client.one(origin.url("/a.bin"), tmp_path).state is ReportState.SUCCEEDED


@pytest.mark.parametrize("place", ["a subclass", "the base", "the object"])
def test_a_download_method_of_somebodys_own_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    paths: list[str] = []
    download = HTTPDownloader.download

    def noting(self: HTTPDownloader, content: Content, to_path: str | os.PathLike[str], **options: Any) -> str:
        paths.append(os.fspath(to_path))
        return download(self, content, to_path, **options)

    class Mine(HTTPDownloader, register=False):
        steps = 4  # whatever it is to them

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if place == "the object":
                monkeypatch.setattr(self, "download", partial(noting, self))

    monkeypatch.setattr("qetch.client.client.find_downloader", lambda _content: Mine)
    if place != "the object":
        monkeypatch.setattr(Mine if place == "a subclass" else BaseDownloader, "download", noting)
    with Origin({"*": FILE}) as origin, Client() as client:
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(20)], tmp_path)
    assert states(reports) == ["succeeded"] * 20
    assert sorted(paths) == sorted(report.path or "" for report in reports)
