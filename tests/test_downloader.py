from __future__ import annotations

import gzip
import hashlib
import os
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qetch.downloaders import HTTPDownloader, Settings
from qetch.downloaders import _body as body_module
from qetch.errors import (
    AuthenticationError,
    BadFile,
    Forbidden,
    GeoBlocked,
    Gone,
    NetworkError,
    NotFound,
    QetchError,
    RateLimited,
    RemoteError,
    SpecError,
)
from tests.downloads import BODY, PAGE, PNG, content, fails, fetched, names, refused
from tests.origin import Origin, Reply, Request, redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.origin import Script

# What goes well


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("body", [b"x", PNG, BODY], ids=["one byte", "small", "large"])
def test_a_file_arrives_whole_however_it_is_framed(tmp_path: Path, framing: str, body: bytes) -> None:
    assert fetched(tmp_path, Reply(body=body, framing=framing)) == body


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_empty_file_arrives_if_its_end_is_marked(tmp_path: Path, framing: str) -> None:
    assert fetched(tmp_path, Reply(framing=framing)) == b""


@pytest.mark.parametrize("head", [b"", b"Content-Type: image/png", b"Content-Encoding: gzip\r\n", b"\r\n"])
def test_an_answer_of_which_only_a_head_came_is_no_file(tmp_path: Path, head: bytes) -> None:
    fails(tmp_path, b"HTTP/1.1 200 OK\r\n" + head, NetworkError, "before it sent anything")


def test_a_file_that_comes_in_drops_arrives_whole(tmp_path: Path) -> None:
    assert fetched(tmp_path, Reply(body=BODY[:2000], drip=0.001, piece=100)) == BODY[:2000]


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(b"older, and longer than the new one")
    assert fetched(tmp_path, Reply(body=b"new")) == b"new"


def test_a_redirect_is_followed(tmp_path: Path) -> None:
    with Origin({"/a": redirect("/b"), "/b": Reply(body=PNG)}) as origin:
        path = HTTPDownloader().download(content(origin.url("/a")), str(tmp_path / "x.png"))
    assert Path(path).read_bytes() == PNG


def test_the_request_asks_for_the_plain_bytes_and_sends_the_contents_headers(tmp_path: Path) -> None:
    with Origin({"*": Reply(body=b"x")}) as origin:
        made = content(origin.url("/a"), headers={"Referer": "https://pictures.example/", "accept-encoding": "gzip"})
        HTTPDownloader().download(made, str(tmp_path / "x"))
        assert len(origin.requests) == 1
        headers = origin.requests[0].headers
    assert headers["Referer"] == "https://pictures.example/"
    assert headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in headers


def test_size_and_checksums_that_are_right_are_accepted(tmp_path: Path) -> None:
    checksums = {name: hashlib.new(name, PNG).hexdigest().upper() for name in ("md5", "sha1", "sha256")}
    assert fetched(tmp_path, Reply(body=PNG), size=len(PNG), checksums=checksums) == PNG


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_file_that_is_compressed_unasked_is_decompressed(tmp_path: Path, framing: str) -> None:
    assert fetched(tmp_path, Reply(body=BODY, gzip=True, framing=framing), size=len(BODY)) == BODY


def test_two_compressed_streams_in_a_row_are_both_read(tmp_path: Path) -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"two")
    assert fetched(tmp_path, Reply(body=body, headers={"Content-Encoding": "gzip"})) == b"one two"


def test_an_archive_is_not_decompressed_though_the_server_calls_it_an_encoding(tmp_path: Path) -> None:
    body = gzip.compress(PNG)
    reply = Reply(body=body, headers={"Content-Encoding": "x-gzip"})
    assert fetched(tmp_path, reply, extension="tar.gz".rpartition(".")[2]) == body


def test_a_part_file_that_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "file.bin.qetch-part").write_bytes(b"left over, and longer than the file")
    assert fetched(tmp_path, Reply(body=b"new")) == b"new"


def test_the_file_gets_the_rights_that_the_user_wants(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        fetched(tmp_path, Reply(body=PNG))
    finally:
        os.umask(old)
    assert (tmp_path / "file.bin").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("extension", ["html", "htm", "xhtml"])
def test_a_page_is_welcome_where_a_page_was_promised(tmp_path: Path, extension: str) -> None:
    reply = Reply(body=PAGE, headers={"Content-Type": "text/html; charset=utf-8"})
    assert fetched(tmp_path, reply, extension=extension) == PAGE


def test_a_text_may_begin_like_a_page(tmp_path: Path) -> None:
    assert fetched(tmp_path, Reply(body=PAGE, headers={"Content-Type": "text/plain"}), extension="txt") == PAGE


# What the host answers instead


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationError),
        (403, Forbidden),
        (404, NotFound),
        (410, Gone),
        (418, RemoteError),
        (429, RateLimited),
        (451, GeoBlocked),
        (500, RemoteError),
        (503, RemoteError),
    ],
)
def test_an_error_status_becomes_its_outcome(tmp_path: Path, status: int, kind: type[QetchError]) -> None:
    fails(tmp_path, Reply(status, body=PNG), kind, f"file.bin: the host answered {status}")


@pytest.mark.parametrize("status", [204, 206, 304])
def test_a_status_that_is_no_error_and_no_file_is_refused(tmp_path: Path, status: int) -> None:
    fails(tmp_path, Reply(status, body=PNG), RemoteError, f"answered {status} .*instead of a file")


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7000", 7000, 7000),
        (format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True), 3000, 3600),
        ("Fri, 01 Jan 2010 00:00:00 GMT", 0, 0),
    ],
    ids=["seconds", "a moment to come", "a moment gone by"],
)
def test_too_many_requests_say_how_long_to_wait(tmp_path: Path, header: str, low: float, high: float) -> None:
    with Origin({"*": Reply(429, {"Retry-After": header})}) as origin, pytest.raises(RateLimited) as caught:
        HTTPDownloader().download(content(origin.url("/a")), str(tmp_path / "a"))
    assert caught.value.wait is not None
    assert low <= caught.value.wait <= high


@pytest.mark.parametrize("header", ["soon", "", "99999999999999", "-3"])
def test_a_wait_that_nobody_understands_is_none(tmp_path: Path, header: str) -> None:
    with Origin({"*": Reply(429, {"Retry-After": header})}) as origin, pytest.raises(RateLimited) as caught:
        HTTPDownloader().download(content(origin.url("/a")), str(tmp_path / "a"))
    assert caught.value.wait is None


def test_a_redirect_to_the_picture_of_a_removed_file_is_gone(tmp_path: Path) -> None:
    fails(tmp_path, redirect("/removed.png"), Gone, "removed", gone=[r"/removed\.png$"])


def test_a_regex_of_removed_files_that_never_ends_is_the_specs_fault(tmp_path: Path) -> None:
    slow = redirect("/removed.png?" + "a" * 60)
    fails(tmp_path, slow, SpecError, "was stopped", gone=[r"(a|aa)+$(?<=b)"])


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=PAGE, headers={"Content-Type": "text/html"}),
        Reply(body=PAGE, headers={"Content-Type": "image/png"}),
        Reply(body=b"\xef\xbb\xbf \n<HTML>", headers={"Content-Type": "application/octet-stream"}),
        Reply(body=b"<p>no", headers={"Content-Type": "Text/HTML; charset=utf-8"}),
        Reply(body=PAGE, framing="chunked", piece=3),
        Reply(body=PAGE, gzip=True),
    ],
)
@pytest.mark.parametrize("extension", ["png", None])
def test_a_page_in_place_of_a_file_is_refused(tmp_path: Path, reply: Reply, extension: str | None) -> None:
    fails(tmp_path, reply, BadFile, "a web page came in place of the file", extension=extension)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("size", [len(PNG) - 1, len(PNG) + 1, 0])
def test_a_wrong_size_is_refused(tmp_path: Path, framing: str, size: int) -> None:
    fails(tmp_path, Reply(body=PNG, framing=framing), BadFile, f"the site says {size}", size=size)


def test_a_file_that_never_ends_is_given_up_at_its_size(tmp_path: Path) -> None:
    def endless(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n"
        while True:
            yield BODY

    fails(tmp_path, endless, BadFile, "at least", size=10_000)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_a_wrong_checksum_is_refused(tmp_path: Path, algorithm: str) -> None:
    checksums = {algorithm: hashlib.new(algorithm, b"other").hexdigest()}
    fails(tmp_path, Reply(body=PNG), BadFile, f"{algorithm} is [0-9a-f]+, where the site says", checksums=checksums)


@pytest.mark.parametrize("checksums", [{"crc32": "12345678"}, {"md5": "12"}, {"md5": ""}])
def test_a_checksum_that_cannot_be_one_is_refused_before_the_request(tmp_path: Path, checksums: dict[str, str]) -> None:
    with Origin() as origin, pytest.raises(SpecError, match="no checksum"):
        HTTPDownloader().download(content(origin.url("/a"), checksums=checksums), str(tmp_path / "a"))
    assert origin.requests == []
    assert names(tmp_path) == []


# What goes wrong on the way


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("cut", [0, 1, 400_000])
def test_a_body_that_is_cut_off_is_refused(tmp_path: Path, framing: str, cut: int) -> None:
    fails(tmp_path, Reply(body=BODY, framing=framing, cut=cut), NetworkError, "file.bin: .*try again")


@pytest.mark.parametrize(("framing", "cuts"), [("length", 2), ("chunked", 3)])  # chunks are asked for twice at first
@pytest.mark.parametrize("cut", [0, 1, 400_000])
@pytest.mark.parametrize("second", [BODY, PNG], ids=["the same", "a shorter one"])
def test_a_body_that_is_cut_off_is_asked_for_anew(
    tmp_path: Path, framing: str, cuts: int, cut: int, second: bytes
) -> None:
    broken = [Reply(body=BODY, framing=framing, cut=cut)] * cuts
    with Origin({"/file.bin": [*broken, Reply(body=second, framing=framing)]}) as origin:
        downloader, target = HTTPDownloader(), tmp_path / "file.bin"
        downloader.download(content(origin.url("/file.bin")), target, download_id="it")
        assert downloader.progress_store["it"] == downloader.total_of("it") == len(second)
    assert target.read_bytes() == second
    assert len(origin.requests) == cuts + 1
    assert names(tmp_path) == ["file.bin"]


@pytest.mark.parametrize(("retries", "asked"), [(0, 1), (1, 2), (2, 3)])
def test_a_body_that_is_cut_off_is_asked_for_anew_so_often(tmp_path: Path, retries: int, asked: int) -> None:
    with Origin({"*": Reply(body=BODY, cut=500)}) as origin, refused(tmp_path, NetworkError, "try again") as target:
        downloader = HTTPDownloader()
        downloader.retries = retries
        downloader.download(content(origin.url("/file.bin")), target)
    assert len(origin.requests) == asked


def test_refusals_and_bodies_that_are_cut_off_count_together(tmp_path: Path) -> None:
    script: Script = [Reply(503), Reply(body=BODY, cut=500), Reply(body=BODY, cut=500), Reply(body=BODY)]
    with Origin({"*": script}) as origin, refused(tmp_path, NetworkError, "try again") as target:
        HTTPDownloader().download(content(origin.url("/file.bin")), target)
    assert len(origin.requests) == 3


def test_what_broke_off_is_not_believed_to_end_where_the_connection_does(tmp_path: Path) -> None:
    script: Script = [Reply(body=BODY, cut=400_000), Reply(body=BODY, framing="close", cut=100)]
    with Origin({"*": script}) as origin, refused(tmp_path, NetworkError, "does not say now where the file ends"):
        HTTPDownloader().download(content(origin.url("/file.bin")), tmp_path / "file.bin")


def test_what_an_answer_said_that_broke_off_is_forgotten(tmp_path: Path) -> None:
    first, last = ({"Last-Modified": f"Wed, 01 Jan {year} 00:00:00 GMT"} for year in (2025, 2020))
    broken = [Reply(body=BODY, cut=400_000, headers=first)]
    calls: list[tuple[int, int]] = []
    with Origin({"*": [*broken, *[Reply(body=PNG, framing="chunked", headers=last)] * 2]}) as origin:
        downloader = HTTPDownloader(settings=Settings(set_mtime=True))
        downloader.download(
            content(origin.url("/file.bin")),
            tmp_path / "file.bin",
            progress_hook=lambda _id, current, total: calls.append((current, total)),
        )
    assert calls[-1] == (len(PNG), len(PNG))
    assert datetime.fromtimestamp((tmp_path / "file.bin").stat().st_mtime, UTC).year == 2020


def test_while_a_file_waits_to_be_asked_for_anew_its_host_serves_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, goes_on = threading.Event(), threading.Event()

    def pause(_downloader: HTTPDownloader, _download_id: str, _seconds: float) -> None:
        waits.set()
        goes_on.wait(30)

    monkeypatch.setattr(HTTPDownloader, "pause", pause)
    with Origin({"/a.bin": [Reply(body=BODY, cut=500), Reply(body=BODY)], "/b.bin": Reply(body=PNG)}) as origin:
        downloader = HTTPDownloader(settings=Settings(connections_per_host=1))
        first = threading.Thread(target=downloader.download, args=(content(origin.url("/a.bin")), tmp_path / "a.bin"))
        first.start()
        waits.wait(30)
        downloader.download(content(origin.url("/b.bin")), tmp_path / "b.bin")
        goes_on.set()
        first.join()
    assert (tmp_path / "a.bin").read_bytes() == BODY
    assert (tmp_path / "b.bin").read_bytes() == PNG


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_compressed_body_that_ends_in_the_middle_is_refused(tmp_path: Path, framing: str) -> None:
    half = gzip.compress(BODY)[:-200]
    reply = Reply(body=half, headers={"Content-Encoding": "gzip"}, framing=framing)
    fails(tmp_path, reply, NetworkError, "ends in the middle")


def test_a_body_that_is_not_compressed_as_it_says_is_refused(tmp_path: Path) -> None:
    fails(tmp_path, Reply(body=PNG, headers={"Content-Encoding": "gzip"}), RemoteError, "and it is not")


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    fails(tmp_path, Reply(body=PNG, headers={"Content-Encoding": "br"}), RemoteError, "encoded as 'br'")


def test_a_small_compressed_body_that_is_huge_inside_stops_at_its_size(tmp_path: Path) -> None:
    bomb = Reply(body=gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})
    fails(tmp_path, bomb, BadFile, "at least", size=1000)


def test_a_host_that_stops_in_the_middle_is_given_up(tmp_path: Path) -> None:
    hold = threading.Event()

    def stalled(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + PNG[:100]
        hold.wait(20)

    with Origin({"*": stalled}) as origin, refused(tmp_path, NetworkError, "did not answer in time") as target:
        downloader = HTTPDownloader()
        downloader.timeout = (5, 0.2)
        try:
            downloader.download(content(origin.url("/file.bin")), str(target))
        finally:
            hold.set()


def test_a_host_that_drips_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "SLOW_SECONDS", 0.1)
    fails(tmp_path, Reply(body=BODY, drip=0.02), NetworkError, "too slowly")


def test_a_host_that_refuses_the_connection_is_a_network_error(tmp_path: Path) -> None:
    with Origin() as origin:
        url = origin.url("/file.bin")
    with refused(tmp_path, NetworkError, "does not accept a connection") as target:
        HTTPDownloader().download(content(url), str(target))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99_999])
def test_an_answer_that_is_no_http_is_refused(tmp_path: Path, answer: bytes) -> None:
    with Origin({"*": answer}) as origin:
        target = tmp_path / "file.bin"
        with pytest.raises((NetworkError, RemoteError)):
            HTTPDownloader().download(content(origin.url("/file.bin")), str(target))
    assert names(tmp_path) == []


def test_a_body_with_a_broken_chunk_is_refused(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"
    fails(tmp_path, answer, NetworkError, "file.bin")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://host.example/x", "http://[", "/file.bin"])
def test_a_redirect_to_nowhere_is_refused(tmp_path: Path, location: str) -> None:
    fails(tmp_path, redirect(location), RemoteError, "file.bin")


def test_no_message_shows_the_query_of_a_url(tmp_path: Path) -> None:
    for reply in (Reply(404), Reply(500), Reply(body=BODY, cut=5), Reply(body=PAGE), Reply(206), b"garbage\r\n\r\n"):
        with Origin({"*": reply}) as origin, pytest.raises(QetchError) as caught:
            HTTPDownloader().download(content(origin.url("/file.bin?signature=tell-nobody")), str(tmp_path / "x"))
        assert "/file.bin?…" in str(caught.value)
        assert "tell-nobody" not in str(caught.value)
