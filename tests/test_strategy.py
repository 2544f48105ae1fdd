"""Whether a download is tried again, and when: counted where it is asked for."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from qetch.client import BackOff, Client, DownloadReport, Lenient, ReportState, RequestStrategy
from qetch.client.strategy import pause_of
from qetch.downloaders import Settings
from qetch.errors import (
    AddressRefused,
    FileError,
    InvalidSetting,
    InvalidURL,
    NetworkError,
    NotFound,
    QetchError,
    RateLimited,
    RemoteError,
    UnsupportedURL,
)
from tests.clients import Gate, no_leftovers, states, until
from tests.origin import Origin, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY = Reply(503)
GOOD = Reply(body=b"file")


class Quick(RequestStrategy):
    """Five attempts with hardly a pause."""

    def __init__(self, max_attempts: int = 5, sleep: float = 0.0) -> None:
        super().__init__(max_attempts)
        self.sleep = sleep

    def get_sleep_time(self, attempts: int) -> float:
        return self.sleep


def one(folder: Path, script: Any, strategy: Any) -> tuple[DownloadReport, int]:
    """What becomes of one download, and how often it was asked for."""
    with Origin({"/a.bin": script}) as origin, Client(strategy=strategy) as client:
        report = client.one(origin.url("/a.bin"), folder)
    assert no_leftovers(folder)
    return report, len(origin.requests)


# The numbers


def test_lenient_waits_a_minute_four_times() -> None:
    strategy = Lenient()
    assert (strategy.max_attempts, [strategy.get_sleep_time(number) for number in (1, 4)]) == (5, [60.0, 60.0])


def test_back_off_waits_twice_as_long_each_time_up_to_a_minute() -> None:
    strategy = BackOff()
    assert strategy.max_attempts == 10
    assert [strategy.get_sleep_time(number) for number in range(1, 10)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert BackOff(10_000).get_sleep_time(9_999) == 60.0


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "3", None, float("nan")])
def test_a_number_of_attempts_that_makes_no_sense_is_refused(number: Any) -> None:
    for kind in (RequestStrategy, Lenient, BackOff):
        with pytest.raises(InvalidSetting, match="max_attempts"):
            kind(number)


@pytest.mark.parametrize("strategy", [5, "BackOff", BackOff, RequestStrategy, [BackOff()]])
def test_what_is_no_strategy_is_refused_at_once(strategy: Any) -> None:
    with pytest.raises(InvalidSetting, match="strategy"):
        Client(strategy=strategy)


@pytest.mark.parametrize(
    "error",
    [NotFound("x"), FileError("x"), InvalidURL("x"), InvalidSetting("x"), AddressRefused("x"), UnsupportedURL("x")],
)
def test_some_errors_are_not_worth_another_attempt(error: QetchError) -> None:
    for strategy in (RequestStrategy(9), Lenient(), BackOff()):
        assert strategy(DownloadReport("u", attempts=1), error) is None


@pytest.mark.parametrize("error", [NetworkError("x"), RemoteError("x"), RateLimited("x")])
def test_others_are(error: QetchError) -> None:
    assert RequestStrategy(2)(DownloadReport("u", attempts=1), error) == 0.0
    assert Lenient()(DownloadReport("u", attempts=1), error) == 60.0
    assert BackOff()(DownloadReport("u", attempts=3), error) == 4.0
    assert BackOff()(DownloadReport("u", attempts=10), error) is None


def test_a_host_may_ask_for_a_longer_pause_but_not_for_a_shorter_one() -> None:
    report = DownloadReport("u", attempts=1)
    assert BackOff()(report, RateLimited("x", wait=7.0)) == 7.0
    assert Lenient()(report, RateLimited("x", wait=7.0)) == 60.0


# What the server sees


def test_without_a_strategy_a_busy_host_is_asked_three_times_in_one_attempt(tmp_path: Path) -> None:
    report, asked = one(tmp_path, [BUSY, BUSY, GOOD], None)
    assert (report.state, report.attempts, asked) == (ReportState.SUCCEEDED, 1, 3)


def test_it_is_tried_until_it_succeeds(tmp_path: Path) -> None:
    report, asked = one(tmp_path, [BUSY, BUSY, BUSY, GOOD], Quick())
    assert (report.state, report.attempts, asked) == (ReportState.SUCCEEDED, 4, 4)
    assert report.error is None
    assert report.error_report == {}
    assert report.bytes_downloaded == report.total_bytes == 4


def test_it_is_not_tried_more_often_than_that(tmp_path: Path) -> None:
    report, asked = one(tmp_path, BUSY, Quick(3))
    assert (report.state, report.attempts, asked) == (ReportState.FAILED, 3, 3)
    assert report.error_report["attempts"] == 3
    assert report.error_report["type"] == "RemoteError"


def test_one_attempt_is_one_request(tmp_path: Path) -> None:
    assert one(tmp_path, BUSY, RequestStrategy())[1] == 1


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_asked_for_once(tmp_path: Path, status: int) -> None:
    for strategy in (Quick(), Lenient(), BackOff(), None):
        report, asked = one(tmp_path, Reply(status), strategy)
        assert (report.state, asked) == (ReportState.FAILED, 1)


def test_a_body_that_is_cut_is_asked_for_again(tmp_path: Path) -> None:
    report, asked = one(tmp_path, [Reply(body=b"file", cut=2), GOOD], Quick())
    assert (report.state, report.attempts) == (ReportState.SUCCEEDED, 2)
    assert asked == 2


def test_the_pause_is_kept(tmp_path: Path) -> None:
    times: list[float] = []

    def note(_request: object) -> Reply:
        times.append(time.monotonic())
        return BUSY if len(times) < 3 else GOOD

    report, _ = one(tmp_path, note, Quick(sleep=0.15))
    assert report.state is ReportState.SUCCEEDED
    assert all(later - earlier >= 0.15 for earlier, later in itertools.pairwise(times))


def test_a_host_that_says_when_is_obeyed(tmp_path: Path) -> None:
    times: list[float] = []

    def note(_request: object) -> Reply:
        times.append(time.monotonic())
        return Reply(429, {"Retry-After": "1"}) if len(times) < 2 else GOOD

    report, asked = one(tmp_path, note, Quick())
    assert (report.state, asked) == (ReportState.SUCCEEDED, 2)
    assert times[1] - times[0] >= 1


def test_who_sleeps_leaves_its_thread_to_the_others(tmp_path: Path) -> None:
    with (
        Origin({"/busy0.bin": BUSY, "/busy1.bin": BUSY, "*": GOOD}) as origin,
        Client(Settings(max_concurrent=1), strategy=Quick(sleep=600)) as client,
    ):
        wanted = [origin.url(f"/{name}.bin") for name in ("busy0", "busy1", "a", "b", "c")]
        batch = client.each(wanted, folder=tmp_path)
        assert states(next(batch) for _ in range(3)) == ["succeeded"] * 3
        client.cancel()
        assert states(batch) == ["canceled"] * 2


def test_two_of_one_url_are_tried_one_after_the_other(tmp_path: Path) -> None:
    with Origin({"/a.bin": [BUSY, BUSY, GOOD]}) as origin, Client(strategy=Quick()) as client:
        reports = client.swarm([origin.url("/a.bin")] * 2, tmp_path)
    assert states(reports) == ["succeeded"] * 2
    assert len(origin.requests) == 3
    assert sorted(report.skipped for report in reports) == ["", "cached"]


# Strategies of somebody's own


def test_a_function_is_a_strategy(tmp_path: Path) -> None:
    seen: list[tuple[int, str, str]] = []

    def twice(report: DownloadReport, error: QetchError) -> float | None:
        seen.append((report.attempts, report.url, type(error).__name__))
        return 0 if report.attempts < 2 else None

    report, asked = one(tmp_path, BUSY, twice)
    assert (report.state, asked) == (ReportState.FAILED, 2)
    assert seen == [(1, report.url, "RemoteError"), (2, report.url, "RemoteError")]


def test_a_subclass_may_choose_what_is_worth_it(tmp_path: Path) -> None:
    class Stubborn(Quick):
        def retry(self, error: QetchError) -> bool:
            return isinstance(error, NotFound) or super().retry(error)

    assert one(tmp_path, [Reply(404), GOOD], Stubborn())[0].state is ReportState.SUCCEEDED


def test_a_subclass_that_forgets_to_call_init_makes_one_attempt(tmp_path: Path) -> None:
    class Forgetful(RequestStrategy):
        def __init__(self) -> None:
            pass

    assert repr(Forgetful()) == "Forgetful(max_attempts=1)"
    report, asked = one(tmp_path, BUSY, Forgetful())
    assert (report.state, asked) == (ReportState.FAILED, 1)


class NoText:
    def __repr__(self) -> str:
        raise ValueError("no")


NONSENSE = ["soon", float("nan"), -1, float("inf"), -float("inf"), 10**10, 10**400, 10**5000, True, [1], NoText(), 1j]


@pytest.mark.parametrize("value", NONSENSE, ids=range(len(NONSENSE)))
def test_what_makes_no_sense_is_reported_with_what_went_wrong_first(tmp_path: Path, value: Any) -> None:
    def nonsense(_report: object, _error: object) -> Any:
        return value

    report, asked = one(tmp_path, BUSY, nonsense)
    assert (report.state, asked) == (ReportState.FAILED, 1)
    assert isinstance(report.error, InvalidSetting)
    assert "answered 503" in str(report.error)
    assert "nonsense gave" in str(report.error)
    assert len(str(report.error)) < 600


@pytest.mark.parametrize("value", ["soon", float("nan"), None])
def test_so_is_a_sleep_that_makes_none(tmp_path: Path, value: Any) -> None:
    report, asked = one(tmp_path, BUSY, Quick(sleep=value))
    assert (report.state, asked) == (ReportState.FAILED, 1)
    assert "not tried again" in str(report.error)


@pytest.mark.parametrize("raised", [RuntimeError("no"), SystemExit(3), KeyError(1), NoText])
def test_a_strategy_that_raises_is_reported_and_the_others_go_on(tmp_path: Path, raised: Any) -> None:
    def fails(report: DownloadReport, error: QetchError) -> float:
        raise raised

    with (
        Origin({"/busy.bin": BUSY, "*": GOOD}) as origin,
        Client(Settings(max_concurrent=1), strategy=fails) as client,
    ):
        reports = client.swarm([origin.url(f"/{name}.bin") for name in ("busy", "busy", "a", "b")], tmp_path)
    assert states(reports) == ["failed", "failed", "succeeded", "succeeded"]
    error = next(report.error for report in reports if report.error)
    assert "fails raised" in str(error)
    assert "503" in str(error)


def test_the_text_of_a_strategy_that_has_none_does_not_matter() -> None:
    class Silent(NoText):
        def __call__(self, report: DownloadReport, error: QetchError) -> float:
            raise ValueError

    with pytest.raises(InvalidSetting, match="Silent raised ValueError"):
        pause_of(Silent(), DownloadReport("u", attempts=1), RemoteError("x"))


def test_a_strategy_may_end_everything(tmp_path: Path) -> None:
    def stop(report: DownloadReport, error: QetchError) -> float:
        threading.Thread(target=client.cancel).start()
        return 0.0

    def endless(url: str) -> Iterator[str]:
        while True:
            yield url

    gate = Gate(BUSY, is_open=True)
    with Origin({"*": gate}) as origin, Client(strategy=stop) as client:
        reports = client.swarm(endless(origin.url("/a.bin")), tmp_path)
    assert reports
    assert set(states(reports)) <= {"canceled", "failed"}
    until(lambda: gate.here == 0)


def test_a_host_that_wants_too_long_a_wait_is_not_tried_again(tmp_path: Path) -> None:
    with Origin({"*": Reply(429, {"Retry-After": "80000"})}) as origin, Client(strategy=BackOff()) as client:
        report = client.one(origin.url("/a.bin"), tmp_path)
    assert isinstance(report.error, RateLimited)
    assert (report.error.status, report.error_report["status"]) == (429, 429)
    assert len(origin.requests) == 1
