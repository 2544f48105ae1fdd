from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.downloads import content, names
from tests.hostile import BLOCK, PROBE, Ask, FileOrigin, differently, file_of, make_small
from tests.origin import redirect
from tests.ranges import attempt, bounded, downloader

if TYPE_CHECKING:
    from pathlib import Path

MODIFIED = "Wed, 01 Jan 2025 00:00:00 GMT"
BODY = file_of(300_001)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


SIZES = [0, 1, BLOCK - 1, PROBE - 1, PROBE, PROBE + 1, PROBE + PROBE // 4, PROBE + PROBE // 4 + 1, 5 * BLOCK, 300_001]


@pytest.mark.parametrize("connections", [1, 2, 8])
@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_any_size_arrives_whole(tmp_path: Path, size: int, connections: int) -> None:
    with FileOrigin(file_of(size)) as origin:
        assert attempt(tmp_path, origin, connections) == origin.body
        assert origin.most_busy <= connections
        assert origin.asks[0].start == 0


@pytest.mark.parametrize("size", [0, 1, PROBE - 1, PROBE])
def test_a_small_file_costs_one_request(tmp_path: Path, size: int) -> None:
    with FileOrigin(file_of(size)) as origin:
        assert attempt(tmp_path, origin) == origin.body
        assert len(origin.requests) == 1


def test_a_small_file_that_comes_slowly_costs_one_request_too(tmp_path: Path) -> None:
    pause = threading.Event()
    with FileOrigin(file_of(PROBE), gate=lambda *_: pause.wait(0.02), piece=1000) as origin:
        assert attempt(tmp_path, origin) == origin.body
        assert len(origin.requests) == 1


def test_every_byte_is_fetched_once_if_nothing_goes_wrong(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        assert attempt(tmp_path, origin, connections=1) == BODY
        assert sum(ask.stop - ask.first for ask in origin.asks) >= len(BODY)
        ranges = sorted((ask.first, min(ask.stop, len(BODY))) for ask in origin.asks)
    assert [stop for _, stop in ranges[:-1]] == [start for start, _ in ranges[1:]]
    assert ranges[-1][1] == len(BODY)


def test_parts_are_fetched_at_the_same_time(tmp_path: Path) -> None:
    four = threading.Event()

    def gate(ask: Ask, count: int) -> None:
        if origin.most_busy >= 4:
            four.set()
        assert four.wait(60)

    with FileOrigin(BODY, gate=gate) as origin:
        assert attempt(tmp_path, origin) == BODY
        assert 4 <= origin.most_busy <= 8


@pytest.mark.parametrize(
    ("etag", "modified", "expected"),
    [('"v1"', MODIFIED, '"v1"'), ("", MODIFIED, MODIFIED), ('W/"v1"', MODIFIED, MODIFIED)],
)
def test_each_part_is_asked_for_of_the_same_version(tmp_path: Path, etag: str, modified: str, expected: str) -> None:
    with FileOrigin(BODY, etag=etag, modified=modified) as origin:
        assert attempt(tmp_path, origin) == BODY
        first, *rest = origin.requests
    assert "If-Range" not in first.headers
    assert len(rest) > 3
    assert {request.headers["If-Range"] for request in rest} == {expected}
    assert {request.headers["Accept-Encoding"] for request in rest} == {"identity"}


@pytest.mark.parametrize("etag", ["", 'W/"v1"', '"' + "x" * 5000 + '"', '"a\tb"', "v1"])
def test_without_a_usable_validator_there_is_one_stream(tmp_path: Path, etag: str) -> None:
    with FileOrigin(BODY, etag=etag) as origin:
        assert attempt(tmp_path, origin) == BODY
        assert [ask.start for ask in origin.asks] == [0, None]


def test_without_a_validator_a_checksum_allows_parts(tmp_path: Path) -> None:
    with FileOrigin(BODY, etag="") as origin:
        assert attempt(tmp_path, origin, checksums={"sha256": hashlib.sha256(BODY).hexdigest()}) == BODY
        assert len(origin.asks) > 3
        assert not any("If-Range" in request.headers for request in origin.requests)


def test_a_host_may_send_less_than_was_asked_for(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        origin.wrong = lambda ask: origin.part(ask.first, min(ask.stop, ask.first + 3001))
        assert attempt(tmp_path, origin) == BODY


def test_later_parts_need_not_name_their_version(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        origin.wrong = lambda ask: differently(origin.right(ask), ETag=None) if ask.number > 1 else None
        assert attempt(tmp_path, origin) == BODY
        assert len(origin.asks) > 3


def test_each_part_follows_the_redirect_to_another_host(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin:
        origin.routes["/moved"] = redirect(origin.url("/file.bin", host="localhost"))
        assert bounded(downloader(), origin.url("/moved"), tmp_path / "a") == str(tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == BODY
        hosts = {ask.request.headers["Host"] for ask in origin.asks}
    assert hosts == {f"localhost:{origin.port}"}
    assert 3 < len(origin.asks) <= origin.paths.count("/moved")


def test_one_downloader_can_run_several_downloads_at_a_time(tmp_path: Path) -> None:
    bodies = [file_of(100_000 + 1000 * number, seed=number << 20) for number in range(6)]
    made = downloader()

    def run(number: int) -> None:
        with FileOrigin(bodies[number]) as origin:
            made.download(content(origin.file), str(tmp_path / str(number)), max_connections=3)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    assert names(tmp_path) == [str(number) for number in range(6)]
    assert [(tmp_path / str(number)).read_bytes() for number in range(6)] == bodies
    assert sorted(made.progress_store.values()) == [len(body) for body in bodies]


def test_a_hook_that_raises_does_no_harm_and_the_last_one_hears_all(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []

    def hook(uid: str, done: int, total: int) -> None:
        calls.append((uid, done, total))
        raise RuntimeError("the display is broken")

    with FileOrigin(BODY) as origin:
        assert attempt(tmp_path, origin, progress_hook=hook, update_delay=0.001) == BODY
    assert calls[-1][1:] == (len(BODY), len(BODY))


def test_fragments_are_fetched_by_parts_too(tmp_path: Path) -> None:
    with FileOrigin(BODY) as origin, FileOrigin(file_of(99_999, seed=1 << 20)) as other:
        made = content(origin.file, other.file)
        downloader().download(made, str(tmp_path / "a"), max_fragments=2, max_connections=3)
        assert (tmp_path / "a").read_bytes() == BODY + other.body
        assert len(origin.asks) > 3
        assert len(other.asks) > 3
    assert names(tmp_path) == ["a"]


# Slow connections


def test_a_connection_at_one_percent_of_the_others_does_not_hold_the_end(tmp_path: Path) -> None:
    """The second connection may send a byte for each hundred of the others, and nothing when they send nothing."""
    change = threading.Condition()
    sent, over = [0, 0], threading.Event()

    def gate(ask: Ask, count: int) -> None:
        with change:
            if ask.number == 2:
                change.wait_for(lambda: 100 * sent[1] <= sent[0] or over.is_set(), timeout=60)
            sent[ask.number == 2] += count
            change.notify_all()

    body = file_of(1_000_000)
    with FileOrigin(body, gate=gate, piece=1000) as origin:
        assert attempt(tmp_path, origin, connections=4) == body
        over.set()
        with change:
            change.notify_all()
    assert 0 < sent[1] < len(body) // 20


def test_a_connection_that_stalls_does_not_hold_the_end(tmp_path: Path) -> None:
    over = threading.Event()

    def gate(ask: Ask, count: int) -> None:
        if ask.number in (1, 3) and ask.sent:
            over.wait(60)

    with FileOrigin(BODY, gate=gate, piece=1000) as origin:
        try:
            assert attempt(tmp_path, origin) == BODY
        finally:
            over.set()


def test_a_part_of_which_some_was_taken_over_before_its_answer_is_still_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qetch.downloaders._plan.STALL_SECONDS", 60.0)
    taken_over = threading.Event()
    held: list[Ask] = []

    def hold(ask: Ask) -> None:
        """The second request is answered when somebody has asked for the end of its part."""
        if ask.number == 2:
            held.append(ask)
            taken_over.wait(60)
        elif held and held[0].first < ask.first < held[0].stop:
            taken_over.set()

    def show_a_speed(ask: Ask, count: int) -> None:
        if ask.number == 1 and ask.sent:
            taken_over.wait(60)

    with FileOrigin(file_of(100_000), wrong=hold, gate=show_a_speed, piece=1000) as origin:
        assert attempt(tmp_path, origin, connections=3) == origin.body
        assert taken_over.is_set()
        assert [ask.first for ask in origin.asks].count(held[0].first) == 1


def test_a_host_that_thinks_long_before_each_answer_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qetch.downloaders._plan.STALL_SECONDS", 0.02)
    pause = threading.Event()

    def slow(ask: Ask) -> None:
        pause.wait(0.1)

    with FileOrigin(file_of(100_000), wrong=slow) as origin:
        assert attempt(tmp_path, origin) == origin.body
        assert len(origin.asks) < 150


def test_few_threads_are_started_while_one_connection_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    counted = threading.Thread.start

    def start(self: threading.Thread) -> None:
        if self.name == "qetch-range":
            started.append(self)
        counted(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    pause = threading.Event()
    with FileOrigin(file_of(100_000), gate=lambda ask, _: ask.number == 1 and pause.wait(0.1), piece=1000) as origin:
        assert attempt(tmp_path, origin) == origin.body
    assert len(started) < 40
