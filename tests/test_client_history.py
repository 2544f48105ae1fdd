"""What was fetched once is not asked for again, and is known only when it is there."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch.client import Client, DownloadRequest, ReportState
from qetch.errors import FileError
from qetch.history import History
from tests.clients import Gate, Notes, found_at, names, pages, states, succeeded, tree, until
from tests.origin import Origin, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.content import Content
    from qetch.extractors import BaseExtractor

FILE = Reply(body=b"file")


def album(extractor: BaseExtractor, source: str) -> Iterator[list[Content]]:
    base = source.partition("/page/")[0]
    for number in range(3):
        yield found_at(extractor, source, f"{base}/{number}.bin", f"pages-{number}")


def test_a_second_run_asks_for_no_file(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, pages(album):
        wanted = [origin.url("/page/1"), origin.url("/x.bin")]
        with Client(history=tmp_path / "history.db") as client:
            assert states(client.fetch(wanted, tmp_path / "1")) == ["succeeded"] * 4
        assert len(origin.requests) == 4
        with Client(history=tmp_path / "history.db", listeners=(notes := Notes())) as client:
            reports = client.fetch(wanted, tmp_path / "2").wait()
            direct = client.swarm([origin.url("/x.bin"), origin.url("/x.bin#part")], tmp_path / "2")
    assert len(origin.requests) == 4
    assert [(report.state, report.skipped) for report in [*reports, *direct]] == [("succeeded", "known")] * 6
    assert [name for name, _ in notes.events] == ["succeeded"] * 6
    assert not (tmp_path / "2").exists()


def test_the_keys_are_those_of_the_contents_and_paths_are_kept(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, pages(album), History(tmp_path / "history.db") as history:
        with Client(history=history) as client:
            client.fetch(origin.url("/page/1"), tmp_path / "files").wait()
            key = next(client.extract(origin.url("/x.bin")))[0].uid
            client.one(origin.url("/x.bin"), tmp_path / "files")
        assert sorted(history) == sorted(["pages-0", "pages-1", "pages-2", key])  # it is the caller's, and open
    with sqlite3.connect(tmp_path / "history.db") as database:
        paths = [path for (path,) in database.execute("SELECT path FROM history")]
    database.close()
    assert all(Path(path).read_bytes() == b"file" for path in paths)


def test_what_failed_or_was_canceled_is_not_known(tmp_path: Path) -> None:
    gate = Gate()
    with (
        Origin({"/404.bin": Reply(404), "/cut.bin": Reply(body=b"file", cut=2), "/stuck.bin": gate}) as origin,
        History(tmp_path / "history.db") as history,
        Client(history=history) as client,
    ):
        batch = client.fetch([origin.url(f"/{name}.bin") for name in ("404", "cut", "stuck")], tmp_path)
        until(lambda: gate.here)
        threading.Timer(0.5, batch.cancel).start()
        assert set(states(batch)) <= {"failed", "canceled"}
        assert list(history) == []
        gate.open()


def test_it_is_recorded_after_the_file_has_its_name(tmp_path: Path) -> None:
    class Watching(History):
        def add(self, key: str, path: Any = None) -> None:
            assert Path(path).read_bytes() == b"file"
            added.append(key)
            super().add(key, path)

    added: list[str] = []
    with (
        Origin({"*": FILE}) as origin,
        Watching(tmp_path / "history.db") as history,
        Client(history=history) as client,
    ):
        reports = client.swarm([origin.url(f"/{number}.bin") for number in range(20)], tmp_path / "files")
    assert states(reports) == ["succeeded"] * 20
    assert len(added) == 20


def test_one_url_many_times_is_fetched_once(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client(history=tmp_path / "history.db") as client:
        reports = client.swarm([origin.url("/a.bin")] * 20, tmp_path)
    assert states(reports) == ["succeeded"] * 20
    assert len(origin.requests) == 1


def test_who_wants_one_file_or_its_bytes_gets_them_though_they_are_known(tmp_path: Path) -> None:
    import io

    with Origin({"*": FILE}) as origin, Client(history=tmp_path / "history.db") as client:
        url = origin.url("/a.bin")
        assert succeeded(client.one(DownloadRequest(url, io.BytesIO())))
        assert client.one(url, tmp_path).skipped == "known"
        again = io.BytesIO()
        assert client.one(DownloadRequest(url, again)).skipped == ""
        assert again.getvalue() == b"file"
        assert client.download(url, tmp_path / "a").skipped == ""
        assert (tmp_path / "a").read_bytes() == b"file"


def test_a_history_that_cannot_be_opened_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"something else" * 100)
    with pytest.raises(FileError, match="is no archive"):
        Client(history=tmp_path / "history.db")


def test_a_history_that_fails_is_reported_for_each_file_and_ends_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "history.db")
    gate = Gate()
    with Origin({"*": gate}) as origin, Client(history=history, strategy=lambda report, error: None) as client:
        batch = client.fetch([origin.url(f"/{number}.bin") for number in range(20)], tmp_path / "files")
        until(lambda: gate.here == 8)
        history.close()
        gate.open()
        reports = batch.wait()
    assert states(reports) == ["failed"] * 20
    assert all(isinstance(report.error, FileError) and "history" in str(report.error) for report in reports)
    assert all(name.endswith(".bin") for name in names(tmp_path / "files"))


def test_the_clients_own_history_is_closed_with_it_and_a_shared_one_is_not(tmp_path: Path) -> None:
    with History(tmp_path / "shared.db") as shared:
        with Client(history=shared):
            pass
        assert len(shared) == 0
        with Client(history=tmp_path / "own.db") as client:
            own = client.history
        assert own is not None
        with pytest.raises(FileError, match="closed"):
            own.add("x")


def test_two_clients_may_share_a_file(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin:
        urls = [origin.url(f"/{number}.bin") for number in range(50)]
        with Client(history=tmp_path / "h.db") as first, Client(history=tmp_path / "h.db") as second:
            assert states(first.swarm(urls, tmp_path / "1")) == ["succeeded"] * 50
            assert first.history is not None
            first.history.flush()
            reports = second.swarm(urls, tmp_path / "2")
    assert {(report.state, report.skipped) for report in reports} == {(ReportState.SUCCEEDED, "known")}
    assert len(tree(tmp_path / "1")) == 50
