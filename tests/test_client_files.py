"""Where the client writes: paths, file objects, and two that want the same one."""

from __future__ import annotations

import io
import os
import subprocess
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import pytest

from qetch.client import Client, DownloadRequest, ReportState
from qetch.downloaders import Settings
from qetch.errors import FileError, InvalidSetting
from tests.clients import Stuck, names, no_leftovers, states, succeeded, tree, until
from tests.downloads import BODY
from tests.origin import Origin, Reply, ranged

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Reply(body=b"file")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


# Paths


def test_a_folder_that_is_missing_is_made_for_what_has_no_path_of_its_own(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        assert succeeded(client.one(origin.url("/a/b.bin"), tmp_path / "x" / "y"))
        report = client.one(DownloadRequest(origin.url("/a/b.bin"), tmp_path / "z" / "b.bin"))
    assert isinstance(report.error, FileError)
    assert "make the folder first" in str(report.error)
    assert names(tmp_path) == ["x"]


def test_a_folder_in_place_of_a_file_and_the_other_way_round(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"older")
    with Origin({"*": FILE}) as origin, Client(override=True) as client:
        reports = client.swarm(
            [DownloadRequest(origin.url("/1"), tmp_path / "folder"), origin.url("/ok.bin")], tmp_path
        )
        assert states(reports) == ["failed", "succeeded"]
        for report in (
            client.one(origin.url("/2"), tmp_path / "file"),
            *(report for report in reports if report.error),
        ):
            assert isinstance(report.error, FileError)
    assert (tmp_path / "file").read_bytes() == b"older"


@pytest.mark.parametrize("order", [("/x", "/x.part"), ("/x.part", "/x")])
@pytest.mark.parametrize("together", [True, False])
def test_a_file_and_another_called_part_of_it_are_two(tmp_path: Path, order: tuple[str, str], together: bool) -> None:
    bodies = {"/x": BODY, "/x.part": b"another file"}
    with Origin({path: Reply(body=body) for path, body in bodies.items()}) as origin, Client() as client:
        requests = [DownloadRequest(origin.url(path), f"{tmp_path}{path}") for path in order]
        for batch in [requests] if together else [[request] for request in requests]:
            assert all(map(succeeded, client.swarm(batch)))
    assert {path: Path(f"{tmp_path}{path}").read_bytes() for path in bodies} == bodies
    assert names(tmp_path) == ["x", "x.part"]


@pytest.mark.parametrize("order", [("/x", "/x.qetch-part"), ("/x.qetch-part", "/x")])
@pytest.mark.parametrize("together", [True, False])
def test_nothing_is_called_like_a_part_file(tmp_path: Path, order: tuple[str, str], together: bool) -> None:
    with Origin({"*": FILE}) as origin, Client(override=True) as client:
        requests = [DownloadRequest(origin.url(path), f"{tmp_path}{path}") for path in order]
        batches = [requests] if together else [[request] for request in requests]
        reports = {report.url: report for batch in batches for report in client.swarm(batch)}
        assert succeeded(reports[origin.url("/x")])
        assert "the name of an unfinished file" in str(reports[origin.url("/x.qetch-part")].error)
    assert (names(tmp_path), (tmp_path / "x").read_bytes()) == (["x"], b"file")


def test_a_file_and_a_folder_of_one_name(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=1)) as client:
        reports = client.swarm([origin.url("/a"), origin.url("/a/b")], tmp_path)
        assert states(reports) == ["failed", "succeeded"]
        assert states(client.swarm([origin.url("/c/d"), origin.url("/c")], tmp_path)) == ["failed", "succeeded"]
    assert [Path(path).name for path in tree(tmp_path)] == ["a", "d"]


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with Origin({"*": FILE}) as origin, Client() as client:
        report = client.one(origin.url("/a.bin"), tmp_path / "closed")
    assert isinstance(report.error, FileError)


def test_a_file_that_takes_nothing_because_it_is_a_device(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        report = client.one(DownloadRequest(origin.url("/a.bin"), "/dev/null"))
    assert isinstance(report.error, FileError)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "qetch", str(folder)]
    if not ROOT or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_costs_what_has_no_room_and_no_more(tiny: Path) -> None:
    answers: dict[str, Any] = {"/big.bin": ranged(BODY), "*": FILE}
    with Origin(answers) as origin, Client(Settings(max_concurrent=1)) as client:  # in this order
        wanted = [DownloadRequest(origin.url(f"/{name}.bin"), tiny / name) for name in ("big", "a", "b", "c")]
        reports = client.swarm(wanted)
    failed = next(report for report in reports if report.error)
    assert states(reports) == ["failed"] + ["succeeded"] * 3
    assert "free some space" in str(failed.error)
    assert names(tiny) == ["a", "b", "c"]


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "\ud800", ""])
def test_a_path_that_none_can_have_is_reported(tmp_path: Path, path: str) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        wanted = [DownloadRequest(origin.url("/a"), f"{tmp_path}/{path}"), DownloadRequest(origin.url("/b"), path)]
        for report in client.swarm(wanted):
            assert isinstance(report.error, FileError), report.error
    assert names(tmp_path) == []


def test_a_file_that_is_there_is_kept_refused_or_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    with Origin({"*": FILE}) as origin:
        wanted = DownloadRequest(origin.url("/a"), tmp_path / "a")
        with Client(skip_cached=True) as client:
            report = client.one(wanted)
            assert (report.state, report.skipped, report.attempts) == (ReportState.SUCCEEDED, "cached", 0)
        with Client(skip_cached=False) as client:
            assert "already there" in str(client.one(wanted).error)
        assert (tmp_path / "a").read_bytes() == b"older"
        assert origin.requests == []
        with Client(skip_cached=True) as client, pytest.raises(FileError, match="already there - override=True"):
            client.download(wanted)  # who asks for this one must know that it did not come
        with Client(override=True) as client:
            report = client.one(wanted)
            assert client.download(wanted).skipped == ""
    assert (report.state, report.skipped) == (ReportState.SUCCEEDED, "")
    assert (tmp_path / "a").read_bytes() == b"file"


def test_headers_of_an_answer_have_names_in_whatever_case(tmp_path: Path) -> None:
    plain, encoded = Reply(headers={"X-Me": "here"}, body=b"file"), Reply(headers={"X-Me": "here"}, framing="chunked")
    with Origin({"/a.bin": plain, "/b.bin": encoded}) as origin, Client() as client:
        for url in (origin.url("/a.bin"), origin.url("/b.bin")):  # by the one road, and by the other
            report = client.one(url, tmp_path)
            assert (report.headers.get("x-me"), report.headers["X-ME"]) == ("here", "here")


def test_unfinished_files_may_have_a_folder_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    with Stuck() as origin, Client(Settings(tmp_dir=tmp_path / "parts")) as client:
        batch = client.fetch([origin.url("/a.bin"), origin.url("/stuck.bin")], tmp_path / "files")
        until(lambda: origin.gate.here and (tmp_path / "files" / "a.bin").exists())
        assert names(tmp_path / "files") == ["a.bin"]
        origin.gate.open()
        assert states(batch) == ["succeeded"] * 2
    assert names(tmp_path / "files") == ["a.bin", "stuck.bin"]
    assert names(tmp_path / "parts") == []


# Two that want one path


def test_a_url_that_comes_often_is_asked_for_once(tmp_path: Path) -> None:
    with Stuck() as origin, Client() as client:
        url = origin.url("/stuck.bin")
        batch = client.fetch([url, url, f"{url}#part", url, origin.url("/a.bin")], tmp_path)
        until(lambda: (tmp_path / "a.bin").exists())
        assert origin.gate.came == 1
        origin.gate.open()
        reports = batch.wait()
    assert states(reports) == ["succeeded"] * 5
    assert sorted(report.skipped for report in reports) == ["", "", "cached", "cached", "cached"]
    assert len(origin.requests) == 2


@pytest.mark.parametrize("how", [{"override": True}, {"skip_cached": True}, {"skip_cached": False}])
def test_so_it_is_however_files_that_are_there_are_treated(tmp_path: Path, how: dict[str, Any]) -> None:
    with Origin({"*": FILE}) as origin, Client(**how) as client:
        reports = client.swarm([origin.url("/a.bin"), origin.url("/a.bin#x")] * 20, tmp_path)
    assert states(reports) == ["succeeded"] * 40
    assert len(origin.requests) == 1


def test_one_that_fails_is_tried_by_the_next(tmp_path: Path) -> None:
    with Origin({"*": [Reply(500), Reply(500), Reply(500), FILE]}) as origin, Client() as client:
        reports = client.swarm([origin.url("/a.bin")] * 3, tmp_path)
    assert states(reports) == ["failed", "succeeded", "succeeded"]
    assert len(origin.requests) == 4


@pytest.mark.parametrize(
    ("one", "other"), [("a.bin", "a.bin"), ("a.bin", "A.BIN"), ("\u00e9", "e\u0301"), ("a", "./a")]
)
@pytest.mark.parametrize("how", [{"override": True}, {"skip_cached": True}, {"skip_cached": False}])
def test_two_urls_with_one_path_are_never_one_file(tmp_path: Path, one: str, other: str, how: dict[str, Any]) -> None:
    with Origin({"*": lambda request: Reply(body=request.path)}) as origin, Client(**how) as client:
        wanted = [
            DownloadRequest(origin.url(f"/{number}"), f"{tmp_path}/{name}", data=number)
            for number, name in enumerate([one, other])
        ]
        reports = client.swarm(wanted)
    assert states(reports) == ["failed", "succeeded"]
    failed, good = sorted(reports, key=lambda report: report.state)
    assert isinstance(failed.error, FileError)
    assert f"is the file of {good.url} already" in str(failed.error)
    assert good.path is not None
    assert Path(good.path).read_text() == f"/{good.data}"
    assert len(names(tmp_path)) == 1


def test_a_mapping_to_one_path_is_reported_for_all_but_one(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client(map_path=lambda url: "same.bin", override=True) as client:
        reports = client.swarm([origin.url(f"/{number}") for number in range(20)], tmp_path)
    assert states(reports) == ["failed"] * 19 + ["succeeded"]
    assert tree(tmp_path) == ["same.bin"]


def test_a_mapping_that_gives_nonsense_or_raises_costs_that_file(tmp_path: Path) -> None:
    given = {"/1": "../x", "/2": "/x", "/3": None, "/4": "ok.bin", "/5": 5, "/6": "a\0b/c", "/7": "a\0b"}

    def mapped(url: str) -> Any:
        path = url[url.rindex("/") :]
        return given[path]

    with Origin({"*": FILE}) as origin, Client(map_path=mapped) as client:
        reports = client.swarm([origin.url(f"/{number}") for number in range(1, 9)], tmp_path / "files")
    kinds = {report.url[-1]: type(report.error) for report in reports}
    expected = dict.fromkeys("1235", InvalidSetting) | {"4": type(None), "8": KeyError} | dict.fromkeys("67", FileError)
    assert kinds == expected
    assert tree(tmp_path) == ["files/ok.bin"]


# File objects


class Slow(io.BytesIO):
    """Takes three bytes at a time."""

    def write(self, data: Any) -> int:
        return super().write(bytes(data[:3]))


class Old(io.BytesIO):
    """Says nothing, as some do."""

    def write(self, data: Any) -> None:  # type: ignore[override] # as some do
        super().write(data)


class Plain:
    """Has nothing but what is needed."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.got.append(data)
        return len(data)


def given(file: Any, url: str, **how: Any) -> Any:
    with Client(**how) as client:
        return client.one(DownloadRequest(url, file))


@pytest.mark.parametrize("kind", [io.BytesIO, Slow, Old])
def test_a_file_object_gets_the_bytes_and_stays_open(kind: type[io.BytesIO]) -> None:
    file = kind()
    with Origin({"*": ranged(BODY)}) as origin:
        report = given(file, origin.url("/a"))
    assert succeeded(report)
    assert report.destination is file
    assert report.path is None
    assert file.getvalue() == BODY
    assert not file.closed


@pytest.mark.parametrize("buffering", [-1, 0])
def test_an_open_file_gets_them_where_it_is(tmp_path: Path, buffering: int) -> None:
    with Origin({"*": FILE}) as origin, (tmp_path / "a").open("wb", buffering=buffering) as file:
        file.write(b"before ")
        assert succeeded(given(file, origin.url("/a")))
        assert (tmp_path / "a").read_bytes() == b"before file"  # it is flushed
        file.write(b" after")
    assert (tmp_path / "a").read_bytes() == b"before file after"


def test_an_object_needs_a_write_and_no_more() -> None:
    file = Plain()
    with Origin({"*": FILE}) as origin:
        assert succeeded(given(file, origin.url("/a")))
        with Client() as client:
            client.download(origin.url("/a"), cast("IO[bytes]", file))
    assert file.got == [b"file", b"file"]
    assert type(file.got[0]) is bytes


def test_several_files_for_one_object_come_one_after_the_other() -> None:
    class Torn(io.BytesIO):
        """Takes part of it, and lets others in."""

        def write(self, data: Any) -> int:
            threading.Event().wait(0.001)
            return super().write(bytes(data[:100]))

    file = Torn()
    bodies = [bytes([65 + number]) * 3000 for number in range(8)]
    with Origin({f"/{number}": Reply(body=body) for number, body in enumerate(bodies)}) as origin, Client() as client:
        reports = client.swarm([DownloadRequest(origin.url(f"/{number}"), file) for number in range(8)])
    assert states(reports) == ["succeeded"] * 8
    got = file.getvalue()
    assert sorted(got[at : at + 3000] for at in range(0, 24_000, 3000)) == bodies


class Returns(io.BytesIO):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def write(self, data: Any) -> Any:
        return self.value


class Raises(io.BytesIO):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def write(self, data: Any) -> int:
        raise self.error


class Blocked(io.RawIOBase):
    """Would block, which it says by None."""

    def write(self, data: Any) -> None:
        return None


def closed() -> io.BytesIO:
    file = io.BytesIO()
    file.close()
    return file


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (Returns(0), "says 0 of 4"),
        (Returns(-1), "says -1 of 4"),
        (Returns(99), "says 99 of 4"),
        (Returns("4"), "says '4' of 4"),
        (Returns(True), "says True of 4"),
        (Returns(10**5000), "says <int> of 4"),
        (Raises(OSError(28, "No space left on device")), "No space left"),
        (Raises(ValueError("no")), "ValueError: no"),
        (Raises(KeyError("x")), "KeyError"),
        (closed(), "closed"),
        (io.StringIO(), "open it for writing bytes"),
        (io.BufferedReader(io.BytesIO(b"x")), "cannot be written"),
        (Blocked(), "says None of 4"),
    ],
)
def test_a_file_object_that_fails_is_reported(file: Any, said: str) -> None:
    with Origin({"*": FILE}) as origin:
        report = given(file, origin.url("/a"), strategy=lambda report, error: None)
    assert isinstance(report.error, FileError)
    assert said in str(report.error)
    assert report.attempts == 1


def test_a_file_object_that_wants_to_leave_costs_nothing_else(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client(Settings(max_concurrent=1)) as client:
        leaving = DownloadRequest(origin.url("/a"), Raises(SystemExit(3)))
        reports = client.swarm([leaving, origin.url("/b.bin")], tmp_path)
    assert states(reports) == ["failed", "succeeded"]


def test_a_text_file_is_said_to_be_one(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, (tmp_path / "a").open("w") as file:
        report = given(file, origin.url("/a"))
        assert "open it for writing bytes ('wb')" in str(report.error)
        assert not file.closed


def test_a_file_object_gets_nothing_of_a_file_that_fails() -> None:
    file = io.BytesIO()
    with Origin({"/cut": Reply(body=BODY, cut=500_000), "/404": Reply(404)}) as origin:
        for path in ("/cut", "/404"):
            assert given(file, origin.url(path)).error is not None
    assert file.getvalue() == b""


def test_what_a_file_object_is_fed_from_is_removed(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin:
        how = {"settings": Settings(tmp_dir=tmp_path)}
        assert succeeded(given(io.BytesIO(), origin.url("/a"), **how))
        assert given(Raises(OSError()), origin.url("/a"), **how).error is not None
    assert names(tmp_path) == []


def test_without_a_place_for_that_it_fails(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    settings = Settings(tmp_dir=tmp_path / "parts")
    (tmp_path / "parts").rmdir()
    with Origin({"*": FILE}) as origin:
        report = given(io.BytesIO(), origin.url("/a"), settings=settings)
    assert isinstance(report.error, FileError)
    assert "tmp_dir" in str(report.error)


def test_a_file_object_is_not_looked_for_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    with Origin({"*": FILE}) as origin, Client() as client:
        report = client.one(DownloadRequest(origin.url("/a"), io.BytesIO()), tmp_path)
    assert report.skipped == ""
    assert no_leftovers(tmp_path)


def test_the_first_of_a_list_gets_the_plain_name_whichever_comes_first(tmp_path: Path) -> None:
    routes = {f"/{folder}/same.png": Reply(body=folder.encode() * 9) for folder in "abcdef"}
    with Origin(routes) as origin, Client() as client:
        urls = [origin.url(path) for path in routes]
        for number in range(5):
            paths = {report.url: report.path for report in client.fetch(urls, tmp_path / str(number))}
            assert paths[urls[0]] == str(tmp_path / str(number) / "same.png")
            assert len(set(paths.values())) == len(urls)


def test_the_object_that_led_to_a_url_comes_back_with_the_report(tmp_path: Path) -> None:
    with Origin({"*": FILE}) as origin, Client() as client:
        rows = [{"id": 1}, {"id": 2}]
        reports = list(client.each(rows, lambda row: origin.url(f"/{row['id']}.bin"), tmp_path))
    assert sorted(report.data["id"] for report in reports) == [1, 2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"settings": {"max_speed": 5}}, "settings is .*where Settings is wanted"),
        ({"auth": ("a", "b")}, "auth is .*where Mapping is wanted"),
        ({"history": 3}, "history is 3, where History or str or PathLike is wanted"),
        ({"map_path": "x"}, "map_path is 'x', where Callable is wanted"),
    ],
)
def test_what_is_no_setting_is_refused_at_once(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        Client(**given)
