"""The client for asyncio: on the caller's loop, which never waits for a host."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from concurrent.futures import CancelledError
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from qetch.client import Client, DownloadReport, run
from qetch.client.aio import in_thread
from qetch.downloaders import Settings
from qetch.errors import InvalidSetting, InvalidURL, NotFound
from tests.clients import (
    BOUND,
    Notes,
    Stuck,
    found_at,
    names,
    no_leftovers,
    pages,
    soon,
    states,
    succeeded,
    tree,
    until,
)
from tests.downloads import BODY
from tests.origin import Origin, Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
    from pathlib import Path

    from qetch.extractors import BaseExtractor

FILE = Reply(body=b"file")
Result = TypeVar("Result")


def on_a_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine returns; it may take its time, but not for ever."""

    async def bounded() -> Result:
        async with asyncio.timeout(BOUND * 2):
            return await work

    return asyncio.run(bounded())


def urls_of(origin: Origin, path: str, count: int) -> list[str]:
    return [origin.url(f"{path}{number}.bin") for number in range(count)]


async def when(condition: Callable[[], object]) -> None:
    await in_thread(lambda: until(condition))


def test_every_function_has_a_twin(tmp_path: Path) -> None:
    async def main() -> None:
        async with Client() as client:
            assert succeeded(await client.aone(origin.url("/1.bin"), tmp_path / "1"))
            assert succeeded(await client.adownload(origin.url("/2.bin"), tmp_path / "2.bin"))
            assert states(await client.aswarm(urls_of(origin, "/3-", 5), tmp_path / "3")) == ["succeeded"] * 5
            assert states(await client.afetch(urls_of(origin, "/4-", 5), tmp_path / "4")) == ["succeeded"] * 5
            assert states(await client.afetch(origin.url("/5.bin"), tmp_path / "5")) == ["succeeded"]
            mapped = client.aeach([6, 7], lambda number: origin.url(f"/{number}.bin"), tmp_path / "6")
            assert [report.state async for report in mapped] == ["succeeded"] * 2
            assert states([report async for report in client.aswarm(origin.url("/8.bin"), tmp_path)]) == ["succeeded"]
            (content,) = [lists[0] async for lists in client.aextract(origin.url("/9.bin"))]
            assert succeeded(await client.adownload(content, tmp_path / "9.bin"))
            assert await client.aswarm([]) == []

    with Origin({"*": FILE}) as origin:
        on_a_loop(main())
    assert len(tree(tmp_path)) == 17


def test_failures_are_raised_or_reported_as_without_a_loop(tmp_path: Path) -> None:
    async def main() -> None:
        async with Client() as client:
            with pytest.raises(NotFound):
                await client.adownload(origin.url("/a.bin"), tmp_path / "a")
            assert isinstance((await client.aone(origin.url("/a.bin"), tmp_path)).error, NotFound)
            assert states(await client.afetch(["no url", origin.url("/a.bin")], tmp_path)) == ["failed"] * 2
            with pytest.raises(InvalidURL):
                async for _ in client.aextract("no url"):
                    pass
            with pytest.raises(InvalidSetting):
                await client.adownload(5, tmp_path / "a")  # type: ignore[arg-type]
            with pytest.raises(ZeroDivisionError):
                await client.aswarm(str(1 / number) for number in (1, 0))
            with pytest.raises(InvalidSetting, match="url_map"):
                await client.aeach([], tmp_path)  # type: ignore[arg-type]
        with pytest.raises(InvalidSetting, match="closed"):
            await client.aone(origin.url("/a.bin"))

    with Origin() as origin:
        on_a_loop(main())


def test_the_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    ticks = 0

    async def count() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    async def main() -> None:
        counting = asyncio.create_task(count())
        async with Client(listeners=(notes := Notes())) as client:
            async for report in client.aeach(urls_of(origin, "/", 24), folder=tmp_path):
                seen.append(ticks)
                assert succeeded(report)
                assert threading.current_thread() is threading.main_thread()
        counting.cancel()
        assert notes.threads == {"qetch-listeners"}

    seen: list[int] = []
    with Origin({"*": Reply(body=BODY[:50_000], drip=0.005, piece=5000)}) as origin:
        on_a_loop(main())
    assert len(seen) == 24
    assert seen[0] > 10
    assert seen[-1] > seen[0]


def test_a_slow_file_does_not_hold_back_a_fast_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with Client() as client:
            wanted = [origin.url("/stuck.bin"), *urls_of(origin, "/", 20)]
            got = []
            async for report in client.afetch(wanted, tmp_path):
                got.append(report.url)
                if len(got) == 20:
                    assert wanted[0] not in got
                    origin.gate.open()
            assert got[20] == wanted[0]

    with Stuck() as origin:
        on_a_loop(main())


def test_an_endless_iterable_is_pulled_as_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "AHEAD", 20)
    pulled = 0

    def urls() -> Iterator[str]:
        nonlocal pulled
        for pulled in itertools.count(1):
            yield origin.url(f"/{pulled}.bin")

    async def main() -> None:
        async with Client() as client, aclosing(aiter(client.aeach(urls(), folder=tmp_path))) as reports:
            for _ in range(100):
                assert succeeded(await anext(reports))
            assert pulled <= 125

    with Origin({"*": FILE}) as origin:
        on_a_loop(main())
    until(lambda: not run.alive)


# The end


@pytest.mark.parametrize("how", ["await", "for", "one", "download"])
def test_who_cancels_the_task_cancels_its_downloads(tmp_path: Path, how: str) -> None:
    async def work(client: Client) -> None:
        wanted = urls_of(origin, "/stuck", 12)
        if how == "for":
            async for _ in client.aeach(wanted, folder=tmp_path):
                raise AssertionError
        elif how == "await":
            await client.afetch(wanted, tmp_path)
        elif how == "one":
            await client.aone(wanted[0], tmp_path)
        else:
            await client.adownload(wanted[0], tmp_path / "a")

    async def main() -> None:
        async with Client(Settings(connect_timeout=600, read_timeout=600)) as client:
            task = asyncio.create_task(work(client))
            await when(lambda: origin.gate.here >= (8 if how in ("await", "for") else 1))
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - begun < BOUND
            assert not run.alive

    with Stuck() as origin:
        on_a_loop(main())
    assert tree(tmp_path) == []


def test_so_does_a_timeout(tmp_path: Path) -> None:
    async def main() -> None:
        async with Client() as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await client.aswarm(urls_of(origin, "/stuck", 12), tmp_path)
            assert not run.alive

    with Stuck() as origin:
        on_a_loop(main())


def test_who_breaks_cancels_the_rest(tmp_path: Path) -> None:
    async def main() -> None:
        async with Client() as client:
            async for report in client.aeach([origin.url("/a.bin"), *urls_of(origin, "/stuck", 20)], folder=tmp_path):
                assert succeeded(report)
                break
            await when(lambda: not run.alive)
        assert origin.gate.came <= 8

    with Stuck() as origin:
        on_a_loop(main())
    assert len(tree(tmp_path)) == 1
    assert no_leftovers(tmp_path)


def test_cancel_from_anywhere_is_heard_on_the_loop(tmp_path: Path) -> None:
    forever = threading.Event()

    def urls() -> Iterator[str]:
        yield origin.url("/a.bin")
        forever.wait(BOUND * 10)

    async def main() -> None:
        async with Client() as client:
            soon(client.cancel, lambda: run.alive and origin.gate.here)
            assert states(await client.aswarm(urls_of(origin, "/stuck", 20), tmp_path)) == ["canceled"] * 20
            async for report in client.aeach(urls(), folder=tmp_path):  # nothing else will come of it
                assert succeeded(report)
                threading.Timer(0.05, client.cancel).start()
            soon(client.cancel, lambda: run.alive and origin.gate.here)
            with pytest.raises(CancelledError):
                await client.adownload(origin.url("/stuck"), tmp_path / "a")

    with Stuck() as origin:
        on_a_loop(main())
    forever.set()


def test_an_error_within_cancels(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - what leaves the client
            async with Client() as client:
                task = asyncio.create_task(collect(client.aswarm(urls_of(origin, "/stuck", 20), tmp_path)))
                await when(lambda: origin.gate.here)
                raise ZeroDivisionError
        assert states(await task) == ["canceled"] * 20

    with Stuck() as origin:
        on_a_loop(main())


async def first_of(lists: AsyncIterator[Any]) -> Any:
    return await anext(lists)


async def collect(reports: Awaitable[list[DownloadReport]]) -> list[DownloadReport]:
    return await reports


def test_a_loop_that_ends_leaves_nothing_running(tmp_path: Path) -> None:
    async def main() -> None:
        client = Client()
        reports = aiter(client.aeach(urls_of(origin, "/stuck", 20), folder=tmp_path))
        kept.append((client, reports, asyncio.create_task(anext(reports))))
        await when(lambda: origin.gate.here)

    kept: list[Any] = []
    with Stuck() as origin:
        on_a_loop(main())
        until(lambda: not run.alive)
    assert tree(tmp_path) == []


def test_what_runs_aside_may_end_after_the_loop() -> None:
    go = threading.Event()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await in_thread(lambda: go.wait(BOUND))

    on_a_loop(main())
    go.set()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "qetch-async"])


@pytest.mark.parametrize("raised", [ValueError("x"), SystemExit(3), StopAsyncIteration()])
def test_what_runs_aside_may_raise_anything(raised: BaseException) -> None:
    def work() -> None:
        raise raised

    async def main() -> None:
        with pytest.raises(type(raised)) as caught:
            await in_thread(work)
        assert caught.value is raised

    on_a_loop(main())


# Several at a time


def test_many_tasks_share_a_client(tmp_path: Path) -> None:
    async def main() -> None:
        async with Client() as client:
            batches = [client.aswarm(urls_of(origin, f"/{name}", 20), tmp_path) for name in "abcdef"]
            for reports in await asyncio.gather(*map(collect, batches)):
                assert states(reports) == ["succeeded"] * 20

    with Origin({"*": FILE}) as origin:
        on_a_loop(main())
    assert len(tree(tmp_path)) == 120


def test_two_loops_in_two_threads_share_a_client(tmp_path: Path) -> None:
    async def main(name: str) -> None:
        reports = await client.aswarm(urls_of(origin, f"/{name}", 40), tmp_path)
        got[name] = states(reports)

    got: dict[str, list[str]] = {}
    with Origin({"*": FILE}) as origin, Client() as client:
        threads = [threading.Thread(target=lambda name=name: on_a_loop(main(name))) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == {"a": ["succeeded"] * 40, "b": ["succeeded"] * 40}


def test_pages_are_extracted_aside(tmp_path: Path) -> None:
    def slow(extractor: BaseExtractor, source: str) -> Iterator[list[Any]]:
        assert threading.current_thread() is not threading.main_thread()
        for number in range(3):
            time.sleep(0.05)
            yield found_at(extractor, source, origin.url(f"/{number}.bin"), f"{number}")

    async def main() -> None:
        async with Client() as client:
            assert len([lists async for lists in client.aextract(origin.url("/page/1"))]) == 3
            async for lists in client.aextract(origin.url("/page/1")):
                assert lists
                break
            task: asyncio.Task[Any] = asyncio.create_task(first_of(client.aextract(origin.url("/page/1"))))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert states(await client.afetch(origin.url("/page/1"), tmp_path)) == ["succeeded"] * 3

    with Origin({"*": FILE}) as origin, pages(slow):
        on_a_loop(main())
    assert names(tmp_path) == ["0.bin", "1.bin", "2.bin"]
