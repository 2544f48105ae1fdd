"""Hosts that break the rules, on purpose or not: the right bytes come, or an error that says so."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qetch.downloaders import _transfer
from qetch.errors import (
    AuthenticationError,
    BadFile,
    Forbidden,
    NetworkError,
    NotFound,
    QetchError,
    RemoteError,
)
from tests.downloads import PAGE, names
from tests.hostile import PROBE, Ask, FileOrigin, Wrong, differently, file_of, make_small
from tests.origin import Origin, Reply, redirect
from tests.ranges import OLDER, attempt, bounded, downloader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Script = Callable[[FileOrigin, Ask], Wrong]

BODY = file_of(200_001)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def whole(origin: FileOrigin, **changes: Any) -> Reply:
    return replace(origin.whole(), **changes)


def outcome(folder: Path, script: Script, **more: Any) -> bytes | QetchError:
    """What comes of a host that answers by a script."""
    with FileOrigin(BODY) as origin:
        origin.wrong = lambda ask: script(origin, ask)
        return attempt(folder, origin, **more)


def later(change: Callable[[FileOrigin, Ask], Wrong]) -> Script:
    """Right for the first part, and for whole files; wrong for every other part."""
    return lambda origin, ask: change(origin, ask) if ask.first else None


def said(text: str | None) -> Script:
    return lambda origin, ask: differently(origin.right(ask), Content_Range=text) if ask.start is not None else None


def several_parts(origin: FileOrigin, ask: Ask) -> Reply:
    part = BODY[ask.first : ask.stop]
    text = b"--x\r\nContent-Range: bytes %d-%d/%d\r\n\r\n%b\r\n--x--\r\n"
    body = text % (ask.first, ask.first + len(part) - 1, len(BODY), part)
    return Reply(206, {"Content-Type": "multipart/byteranges; boundary=x", **origin.validators}, body)


# Hosts that serve no parts, in all ways of saying so: one stream


NO_PARTS: dict[str, Script] = {
    "always all": lambda origin, _: whole(origin),
    "always all, in chunks": lambda origin, _: whole(origin, framing="chunked"),
    "always all, until the connection ends": lambda origin, _: whole(origin, framing="close"),
    "always all, compressed": lambda origin, _: whole(origin, gzip=True),
    "compressed parts": lambda origin, ask: replace(origin.right(ask), gzip=True),
    "no Content-Range": said(None),
    "an unknown size": said("bytes 0-16383/*"),
    "another unit": said("lines 0-16383/200001"),
    "another part": said("bytes 1-16384/200001"),
    "a part that ends before it begins": said("bytes 9-0/200001"),
    "a part that is longer than the file": said("bytes 0-16383/1000"),
    "a file that is shorter than its part": said("bytes 0-9/10"),
    "a number without end": said("bytes 0-16383/" + "9" * 40),
    "several parts": lambda origin, ask: several_parts(origin, ask) if ask.start is not None else None,
    "not satisfiable": lambda _, ask: Reply(416) if ask.start is not None else None,
    "not implemented": lambda _, ask: Reply(501) if ask.start is not None else None,
    "a bad request": lambda _, ask: Reply(400) if ask.start is not None else None,
}


@pytest.mark.parametrize("script", NO_PARTS.values(), ids=NO_PARTS.keys())
def test_a_host_without_parts_gives_one_stream(tmp_path: Path, script: Script) -> None:
    assert outcome(tmp_path, script) == BODY


ONLY_ONE_PART: dict[str, Script] = {
    "all in place of a later part": later(lambda origin, _: whole(origin)),
    "all, and no version": later(lambda origin, _: differently(whole(origin), ETag=None)),
    "not satisfiable": later(lambda _, __: Reply(416)),
    "of another size, all of them": later(
        lambda origin, ask: differently(origin.right(ask), Content_Range=f"bytes {ask.first}-{ask.stop - 1}/999999")
    ),
    "of another version each time": lambda origin, ask: differently(origin.right(ask), ETag=f'"{ask.number}"'),
}


@pytest.mark.parametrize("script", ONLY_ONE_PART.values(), ids=ONLY_ONE_PART.keys())
def test_a_host_whose_later_parts_are_of_no_use_gives_one_stream(tmp_path: Path, script: Script) -> None:
    assert outcome(tmp_path, script) == BODY


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_parts_may_come_in_any_framing(tmp_path: Path, framing: str) -> None:
    assert outcome(tmp_path, lambda origin, ask: replace(origin.right(ask), framing=framing)) == BODY


# Parts that are wrong: never taken, and asked for again for a while

WRONG_PARTS: dict[str, Callable[[FileOrigin, Ask], Wrong]] = {
    "shifted": lambda origin, ask: differently(
        origin.right(ask), Content_Range=f"bytes {ask.first + 1}-{min(ask.stop, len(BODY) - 1)}/{len(BODY)}"
    ),
    "from the start": lambda origin, ask: differently(
        origin.right(ask), Content_Range=f"bytes 0-{ask.stop - ask.first - 1}/{len(BODY)}"
    ),
    "longer than asked for": lambda origin, ask: origin.part(ask.first, len(BODY)) if ask.stop < len(BODY) else None,
    "shorter than it says": lambda origin, ask: replace(origin.right(ask), body=b"x" * 10),
    "nothing at all": lambda origin, ask: differently(replace(origin.right(ask), body=b""), Content_Length="0"),
    "nothing, and the end": lambda origin, ask: replace(origin.right(ask), body=b"", framing="close"),
    "nothing, in chunks": lambda origin, ask: replace(origin.right(ask), body=b"", framing="chunked"),
    "cut off at once": lambda origin, ask: replace(origin.right(ask), cut=0),
    "no Content-Range": lambda origin, ask: differently(origin.right(ask), Content_Range=None),
    "garbage in Content-Range": lambda origin, ask: differently(origin.right(ask), Content_Range="bytes=0-10"),
    "several parts": several_parts,
    "compressed": lambda origin, ask: replace(origin.right(ask), gzip=True),
    "no content": lambda origin, ask: Reply(204),
    "not modified": lambda origin, ask: Reply(304),
    "a bad request": lambda origin, ask: Reply(400),
    "no HTTP": lambda origin, ask: b"\0\1\2garbage\r\n\r\n",
    "no length": lambda origin, ask: b"HTTP/1.1 206 OK\r\nContent-Length: many\r\n\r\n",
    "a bad chunk": lambda origin, ask: b"HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a giant header": lambda origin, ask: b"HTTP/1.1 206 OK\r\nX: " + b"x" * 99_999 + b"\r\n\r\n",
    "many headers": lambda origin, ask: b"HTTP/1.1 206 OK\r\n" + b"X: 1\r\n" * 999 + b"\r\n",
    "the end": lambda origin, ask: b"",
    "a circle": lambda origin, ask: redirect("/file.bin"),
    "a file of this machine": lambda origin, ask: redirect("file:///etc/passwd"),
    "another protocol": lambda origin, ask: redirect("ftp://127.0.0.1/x"),
}


@pytest.mark.parametrize("change", WRONG_PARTS.values(), ids=WRONG_PARTS.keys())
def test_later_parts_that_stay_wrong_are_an_error(tmp_path: Path, change: Callable[[FileOrigin, Ask], Wrong]) -> None:
    error = outcome(tmp_path, later(change))
    assert type(error) in (RemoteError, NetworkError)
    assert "/file.bin" in str(error)


@pytest.mark.parametrize("change", WRONG_PARTS.values(), ids=WRONG_PARTS.keys())
def test_a_later_part_that_is_wrong_for_once_is_fetched_again(
    tmp_path: Path, change: Callable[[FileOrigin, Ask], Wrong]
) -> None:
    assert outcome(tmp_path, lambda origin, ask: change(origin, ask) if ask.number in (3, 4) else None) == BODY


@pytest.mark.parametrize("connections", [1, 8])
@pytest.mark.parametrize("cut", [1, 1000, 9000])
def test_bodies_that_are_cut_at_each_request_make_a_whole_file(tmp_path: Path, cut: int, connections: int) -> None:
    def script(origin: FileOrigin, ask: Ask) -> Wrong:
        return replace(origin.right(ask), cut=cut + ask.number)  # so that even one byte grows into a file

    body = file_of(30_000)
    with FileOrigin(body) as origin:
        origin.wrong = lambda ask: script(origin, ask)
        result = attempt(tmp_path, origin, connections)
    assert result == body or (cut == 1 and isinstance(result, NetworkError))


CUT = file_of(40)
FRAMED = {
    "length": b"200 OK\r\nContent-Length: 40\r\n\r\n" + CUT,
    "chunked": b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n28\r\n" + CUT,
    "part": b"206 Part\r\nContent-Range: bytes 0-39/40\r\nETag: x\r\nContent-Length: 40\r\n\r\n" + CUT,
    "unmarked part": b"206 Part\r\nContent-Range: bytes 0-39/40\r\n\r\n" + CUT,
    "unmarked": b"200 OK\r\nServer: small\r\n\r\n",  # its bytes may be cut without anybody's knowing
}


@pytest.mark.parametrize("answer", FRAMED.values(), ids=FRAMED.keys())
def test_an_answer_that_is_cut_anywhere_is_never_taken_for_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(_transfer, "FIRST_PAUSE", 0.0001)
    target = tmp_path / "file.bin"
    target.write_bytes(OLDER)
    with Origin() as origin:
        for cut in range(0, len(answer), 3):
            origin.routes["*"] = b"HTTP/1.1 " + answer[:cut]
            assert isinstance(bounded(downloader(), origin.url("/file.bin"), target), QetchError)
            assert names(tmp_path) == ["file.bin"]
    assert target.read_bytes() == OLDER


# Objects that change


@pytest.mark.parametrize("number", [2, 3, 6])
@pytest.mark.parametrize("what", ["ETag", "Last-Modified", "size", "both"])
def test_a_file_that_changes_between_parts_is_never_mixed(tmp_path: Path, number: int, what: str) -> None:
    newer = file_of(len(BODY) + (999 if what in ("size", "both") else 0), seed=1 << 30)
    dates = [f"Wed, 0{day} Jan 2025 00:00:00 GMT" for day in (1, 2)]
    etag, modified = ('"v1"', "") if what != "Last-Modified" else ("", dates[0])

    def change(ask: Ask) -> None:
        if ask.number == number:
            origin.body = newer
            origin.etag = '"v2"' if what in ("ETag", "both") else origin.etag
            origin.modified = dates[1] if modified else ""

    with FileOrigin(BODY, wrong=change, etag=etag, modified=modified) as origin:
        assert attempt(tmp_path, origin) == newer


def test_a_change_that_the_host_keeps_quiet_about_is_found_by_the_checksum(tmp_path: Path) -> None:
    newer = file_of(len(BODY), seed=1 << 30)

    def change(ask: Ask) -> None:
        if ask.number == 4:
            origin.body = newer

    with FileOrigin(BODY, wrong=change, etag="") as origin:
        error = attempt(tmp_path, origin, checksums={"md5": hashlib.md5(BODY).hexdigest()})
    assert isinstance(error, BadFile)
    assert names(tmp_path) == ["file.bin"]


def test_a_host_that_does_not_heed_the_version_is_found_out_by_its_answer(tmp_path: Path) -> None:
    newer = file_of(len(BODY), seed=1 << 30)

    def change(ask: Ask) -> Wrong:
        if ask.number == 3:
            origin.body, origin.etag = newer, '"v2"'
        return origin.part(ask.first, min(ask.stop, len(BODY))) if ask.start is not None else None

    with FileOrigin(BODY, wrong=change) as origin:
        assert attempt(tmp_path, origin) == newer


# Outcomes that no repetition changes


@pytest.mark.parametrize(
    ("answer", "kind"), [(Reply(401), AuthenticationError), (Reply(403), Forbidden), (Reply(404), NotFound)]
)
@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_refusal_ends_the_download_at_once(
    tmp_path: Path, answer: Reply, kind: type[QetchError], number: int
) -> None:
    with FileOrigin(BODY, wrong=lambda ask: answer if ask.number >= number else None) as origin:
        assert type(attempt(tmp_path, origin)) is kind
        assert len(origin.asks) < number + 8


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_page_in_place_of_a_part_is_no_file(tmp_path: Path, number: int) -> None:
    page = Reply(headers={"Content-Type": "text/html"}, body=PAGE)
    with FileOrigin(BODY, wrong=lambda ask: page if ask.number >= number else None) as origin:
        assert type(attempt(tmp_path, origin, extension="png")) is BadFile
    assert names(tmp_path) == ["file.bin"]


def test_a_wrong_size_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        assert type(attempt(tmp_path, origin, size=len(BODY) + 1)) is BadFile
        assert len(origin.asks) == 1
        assert origin.sent <= 2 * PROBE
    assert names(tmp_path) == ["file.bin"]


def test_a_size_beyond_all_disks_is_an_error(tmp_path: Path) -> None:
    error = outcome(tmp_path, lambda _, __: Reply(206, {"Content-Range": f"bytes 0-0/{10**18 - 1}"}, b"x"))
    assert isinstance(error, QetchError)
    assert names(tmp_path) == ["file.bin"]


# Hosts that fall silent


def test_a_host_that_falls_silent_on_all_connections_is_given_up(tmp_path: Path) -> None:
    over = threading.Event()
    with FileOrigin(BODY, gate=lambda ask, _: ask.number > 2 and over.wait(60)) as origin:
        error = attempt(tmp_path, origin, read_timeout=0.2)
        over.set()
    assert isinstance(error, NetworkError)


@pytest.mark.parametrize("number", [1, 2])
def test_a_host_that_falls_silent_for_once_is_asked_again(tmp_path: Path, number: int) -> None:
    over = threading.Event()
    with FileOrigin(BODY, gate=lambda ask, _: ask.number == number and ask.sent and over.wait(60)) as origin:
        result = attempt(tmp_path, origin, connections=1, read_timeout=0.5)
        over.set()
    assert result == BODY


def test_a_host_that_falls_silent_before_its_first_answer_is_given_up(tmp_path: Path) -> None:
    over = threading.Event()

    def think(ask: Ask) -> None:
        over.wait(60)

    with FileOrigin(BODY, wrong=think) as origin:
        error = attempt(tmp_path, origin, read_timeout=0.1)
        over.set()
        assert len(origin.asks) <= 3
    assert isinstance(error, NetworkError)
    assert names(tmp_path) == ["file.bin"]
