from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch.content import Segment
from qetch.downloaders import HTTPDownloader, find_downloader
from qetch.errors import BadFile, NetworkError, RemoteError, UnsupportedURL
from tests.downloads import PAGE, content, names, refused
from tests.hls_texts import locked
from tests.origin import Origin, Reply, Request, ranged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.content import Content

KEY, OTHER_KEY, IV = bytes(range(16)), bytes(range(16, 32)), bytes(range(100, 116))
PARTS = [bytes([65 + number]) * (1000 + number) for number in range(6)]
BIG = bytes(range(256)) * 12_000


def film(origin: Origin, segments: Sequence[Segment], urls: Sequence[str] = (), **more: Any) -> Content:
    urls = urls or [f"/{number}.ts" for number in range(len(segments))]
    return content(*map(origin.url, urls), playlist="hls", segments=segments, extension="ts", **more)


def saved(folder: Path, made: Content, **how: Any) -> bytes:
    """What is on the disk after the download; nothing else may be in the folder."""
    path = HTTPDownloader().download(made, str(folder / "film.ts"), **how)
    assert names(folder) == ["film.ts"]
    return Path(path).read_bytes()


# What a downloader takes


def test_a_playlist_that_nobody_expanded_is_refused(tmp_path: Path) -> None:
    made = content("http://127.0.0.1:9/index.m3u8", playlist="hls")
    assert not HTTPDownloader.can_handle(made)
    with pytest.raises(UnsupportedURL, match="did not expand"):
        find_downloader(made)


# Ranges


@pytest.mark.parametrize("number", [1, 2])
def test_a_range_is_asked_for_and_is_all_that_is_saved(tmp_path: Path, number: int) -> None:
    with Origin({"*": ranged(b"0123456789")}) as origin:
        assert saved(tmp_path, film(origin, [Segment(3, 4)] * number)) == b"3456" * number
    assert [request.headers["Range"] for request in origin.requests] == ["bytes=3-6"] * number


def test_a_large_range_comes_over_several_connections(tmp_path: Path) -> None:
    with Origin({"*": ranged(b"before" + BIG + b"after", {"ETag": '"1"'})}) as origin:
        assert saved(tmp_path, film(origin, [Segment(6, len(BIG))])) == BIG
    assert len(origin.requests) > 1


def test_a_range_is_cut_out_of_the_whole_file_if_the_host_gives_no_ranges(tmp_path: Path) -> None:
    with Origin({"*": Reply(body=b"0123456789")}) as origin:
        assert saved(tmp_path, film(origin, [Segment(0, 2), Segment(8, 2)])) == b"0189"


@pytest.mark.parametrize(
    "answer",
    [
        Reply(body=b"012345678"),
        Reply(body=b"0123456789", framing="close"),
        Reply(206, {"Content-Range": "bytes 0-1/100"}, b"01"),
        Reply(206, {"Content-Range": "bytes 8-9/9"}, b"89"),
        Reply(206, {}, b"89"),
        Reply(416, {"Content-Range": "bytes */9"}),
    ],
    ids=["too short", "unknown length", "shifted", "impossible", "unsaid", "refused"],
)
def test_an_answer_that_cannot_hold_the_range_is_refused(tmp_path: Path, answer: Reply) -> None:
    with Origin({"*": answer}) as origin, pytest.raises(RemoteError):
        saved(tmp_path, film(origin, [Segment(8, 2)]))
    assert names(tmp_path) == []


def test_a_range_that_breaks_off_is_asked_for_from_there(tmp_path: Path) -> None:
    body = bytes(range(200))
    whole = ranged(body, {"ETag": '"1"'})

    def cut(request: Request) -> Reply:
        good = whole(request)
        return Reply(206, good.headers, good.body, cut=60)

    with Origin({"*": [cut, whole]}) as origin:
        assert saved(tmp_path, film(origin, [Segment(10, 100)])) == body[10:110]
    assert [request.headers["Range"] for request in origin.requests] == ["bytes=10-109", "bytes=70-109"]
    assert origin.requests[1].headers["If-Range"] == '"1"'


def test_a_file_that_changes_within_a_range_is_begun_anew(tmp_path: Path) -> None:
    old, new = ranged(b"old" * 100, {"ETag": '"1"'}), ranged(b"new" * 100, {"ETag": '"2"'})

    def cut(request: Request) -> Reply:
        good = old(request)
        return Reply(206, good.headers, good.body, cut=60)

    with Origin({"*": [cut, new]}) as origin:
        assert saved(tmp_path, film(origin, [Segment(0, 99)])) == b"new" * 33


def test_a_page_in_place_of_a_range_is_refused(tmp_path: Path) -> None:
    page = Reply(headers={"Content-Type": "text/html"}, body=PAGE)
    with Origin({"*": page}) as origin, refused(tmp_path, BadFile, "a web page") as target:
        HTTPDownloader().download(film(origin, [Segment(0, 5)]), str(target))


# Keys


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1 << 20, (1 << 20) + 5, 3 << 20])
def test_a_fragment_of_any_length_is_decrypted(tmp_path: Path, size: int) -> None:
    plain = BIG[:size] if size <= len(BIG) else BIG + BIG[: size - len(BIG)]
    with Origin({"*": ranged(locked(plain, KEY, IV), {"ETag": '"1"'})}) as origin:
        assert saved(tmp_path, film(origin, [Segment(key=KEY, iv=IV)])) == plain


def test_an_encrypted_range_is_decrypted(tmp_path: Path) -> None:
    body = b"x" * 7 + locked(PARTS[0], KEY, IV) + locked(PARTS[1], OTHER_KEY, IV)
    lengths = [len(locked(part, KEY, IV)) for part in PARTS]
    segments = [Segment(7, lengths[0], KEY, IV), Segment(7 + lengths[0], lengths[1], OTHER_KEY, IV)]
    with Origin({"*": ranged(body)}) as origin:
        assert saved(tmp_path, film(origin, segments)) == PARTS[0] + PARTS[1]


@pytest.mark.parametrize("body", [b"", b"x" * 17, locked(b"right", KEY, IV)[:-1], locked(b"wrong key", OTHER_KEY, IV)])
def test_what_cannot_be_decrypted_is_refused(tmp_path: Path, body: bytes) -> None:
    with (
        Origin({"/0.ts": Reply(body=locked(b"good", KEY, IV)), "*": Reply(body=body)}) as origin,
        refused(tmp_path, BadFile, "cannot be decrypted") as target,
    ):
        HTTPDownloader().download(film(origin, [Segment(key=KEY, iv=IV)] * 2), str(target))


# Interruptions


def test_complete_fragments_are_not_fetched_again(tmp_path: Path) -> None:
    segments = [Segment(key=KEY, iv=IV), Segment(), Segment(2, 3), Segment(), Segment()]
    routes: dict[str, Any] = {
        "/0.ts": Reply(body=locked(b"first ", KEY, IV)),
        "/1.ts": Reply(body=b"second "),
        "/2.ts": ranged(b"__thi__"),
        "/3.ts": [Reply(405), Reply(body=b"rd ")],
        "/4.ts": Reply(body=b"last"),
    }
    calls: list[tuple[str, int, int]] = []
    with Origin(routes) as origin:
        made = film(origin, segments)
        with pytest.raises(RemoteError):
            saved(tmp_path, made)
        assert "film.ts.qetch-part0" in names(tmp_path)
        assert "film.ts" not in names(tmp_path)
        assert saved(tmp_path, made, progress_hook=lambda *call: calls.append(call)) == b"first second third last"
    assert origin.paths == ["/0.ts", "/1.ts", "/2.ts", "/3.ts", "/3.ts", "/4.ts"]
    assert calls[-1][1:] == (23, 23)


def test_fragments_of_another_content_are_not_taken(tmp_path: Path) -> None:
    routes = {"/1.ts": Reply(405), "*": Reply(body=b"old"), "/new": Reply(body=b"new")}
    with Origin(routes) as origin:
        with pytest.raises(RemoteError):
            saved(tmp_path, film(origin, [Segment(), Segment()]))
        assert saved(tmp_path, film(origin, [Segment(), Segment()], ["/new", "/new"])) == b"newnew"


def test_what_a_longer_playlist_left_is_removed(tmp_path: Path) -> None:
    with Origin({"/3.ts": Reply(405), "*": Reply(body=b"x")}) as origin:
        with pytest.raises(RemoteError):
            saved(tmp_path, film(origin, [Segment()] * 4))
        assert len(names(tmp_path)) == 5  # the claim, its journal, and three fragments
        assert saved(tmp_path, film(origin, [Segment()] * 2)) == b"xx"


def test_a_fragment_that_was_touched_is_fetched_again(tmp_path: Path) -> None:
    with Origin({"/1.ts": [Reply(405), Reply(body=b"b")], "*": Reply(body=b"a")}) as origin:
        made = film(origin, [Segment()] * 2)
        with pytest.raises(RemoteError):
            saved(tmp_path, made)
        (tmp_path / "film.ts.qetch-part0").write_bytes(b"longer")
        assert saved(tmp_path, made) == b"ab"


@pytest.mark.parametrize("journal", [b"", b"{}", b"[1]", b"\0" * 5000, b'{"fragments": 1}'])
def test_a_broken_journal_costs_only_what_was_fetched(tmp_path: Path, journal: bytes) -> None:
    (tmp_path / "film.ts.qetch-part.journal").write_bytes(journal)
    (tmp_path / "film.ts.qetch-part0").write_bytes(b"junk")
    with Origin({"*": Reply(body=b"a")}) as origin:
        assert saved(tmp_path, film(origin, [Segment()] * 2)) == b"aa"


CHILD = """
import sys
from qetch.content import Content, Segment
from qetch.downloaders import HTTPDownloader
from qetch.extractors import GenericExtractor
target, source, *urls = sys.argv[1:]
made = Content("site-1", source, urls, GenericExtractor(), "ts", playlist="hls", segments=[Segment()] * len(urls))
HTTPDownloader().download(made, target)
"""


def test_a_killed_download_goes_on_after_its_complete_fragments(tmp_path: Path) -> None:
    asked, hold = threading.Event(), threading.Event()

    def stuck(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
        asked.set()
        hold.wait(30)

    with Origin({"/2.ts": [stuck, Reply(body=b"c")], "*": Reply(body=b"a")}) as origin:
        made = film(origin, [Segment()] * 4, source=origin.url())
        command = [sys.executable, "-c", CHILD, str(tmp_path / "film.ts"), origin.url(), *made.fragments]
        with subprocess.Popen(command, cwd=Path(__file__).parent.parent) as child:
            assert asked.wait(30)
            child.kill()
        hold.set()
        assert saved(tmp_path, made) == b"aaca"
    assert origin.paths == ["/0.ts", "/1.ts", "/2.ts", "/2.ts", "/3.ts"]


def test_a_fragment_that_fails_now_and_then_costs_no_more_than_itself(tmp_path: Path) -> None:
    with Origin({"*": ranged(b"0123456789"), "/1.ts": [Reply(503), b"", ranged(b"0123456789")]}) as origin:
        assert saved(tmp_path, film(origin, [Segment(1, 3)] * 3), max_fragments=2) == b"123123123"


def test_a_host_that_is_gone_ends_the_download(tmp_path: Path) -> None:
    with Origin() as origin:
        made = film(origin, [Segment()] * 2)
    with pytest.raises(NetworkError):
        saved(tmp_path, made)
    assert names(tmp_path) == []


# Progress


def test_the_total_is_estimated_from_the_fragments_so_far(tmp_path: Path) -> None:
    second, hook_saw = threading.Event(), threading.Event()

    def late(request: Request) -> Reply:
        second.set()
        hook_saw.wait(20)
        return Reply(body=b"12345")

    calls: list[tuple[int, int]] = []

    def hook(_: str, current: int, total: int) -> None:
        calls.append((current, total))
        if second.is_set() and current:
            hook_saw.set()

    with Origin({"/1.ts": late, "*": Reply(body=b"12345")}) as origin:
        assert len(saved(tmp_path, film(origin, [Segment()] * 4), progress_hook=hook, update_delay=0.01)) == 20
    assert (5, 20) in calls
    assert calls[-1] == (20, 20)
