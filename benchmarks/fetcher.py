"""What `fetching.py` measures in processes of their own: it prints the numbers as JSON.

python fetcher.py CASE LIST FOLDER [WORDS]     # the list has a URL on each line
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qetch.client import AsyncBatch, Client, DownloadEventListener, DownloadReport

AT_ONCE = 8
STEP = 0.005
"""Seconds for which the task sleeps that notices when the loop is late."""


def client(**arguments: Any) -> Client:
    from qetch.client import Client
    from qetch.downloaders import Settings

    made = Client(Settings(max_concurrent=AT_ONCE, ca_file=os.environ.get("SSL_CERT_FILE")), **arguments)
    made.session.allow_private = True
    return made


def check(reports: Sequence[DownloadReport]) -> None:
    for report in reports:
        if report.error is not None:
            raise SystemExit(f"{report.url}: {report.error}")


def events() -> DownloadEventListener:
    """A listener that counts what it is told."""
    from qetch.client import DownloadEventListener

    class Counting(DownloadEventListener):
        count = 0

        def note(self, report: DownloadReport) -> None:
            del report
            self.count += 1

        download_started = download_headers = download_progress = download_succeeded = note

    return Counting()


# --- many small files


def library(urls: list[str], folder: Path, *words: str) -> float:
    """Seconds without the start of the process; with the word `nosync` nothing waits for the disk."""
    if "nosync" in words:
        os.fsync = lambda fd: None  # noqa: ARG005 - as it is called
    start = time.perf_counter()
    with client() as mine:
        check(mine.swarm(urls, folder))
    return time.perf_counter() - start


def parfive(urls: list[str], folder: Path) -> float:
    """The same by parfive, one connection for each file, as everything else here."""
    start = time.perf_counter()
    from parfive import Downloader  # type: ignore[import-untyped,import-not-found,unused-ignore] # a peer

    mine = Downloader(max_conn=AT_ONCE, max_splits=1, progress=False)
    for url in urls:
        mine.enqueue_file(url, path=folder)
    errors = mine.download().errors
    if errors:
        raise SystemExit(f"parfive: {errors[0]}")
    return time.perf_counter() - start


# --- what the client costs


def bare(urls: list[str], folder: Path) -> None:
    """The downloader alone, in as many threads."""
    from qetch.content import Content
    from qetch.downloaders import HTTPDownloader
    from qetch.extractors import GenericExtractor
    from qetch.session import Session

    session = Session()
    session.allow_private = True
    downloader, extractor = HTTPDownloader(session), GenericExtractor()
    left = iter([(Content(url, url, [url], extractor), folder / url.rpartition("/")[2]) for url in urls])
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                content, path = next(left, (None, folder))
            if content is None:
                return
            downloader.download(content, path)

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.close()


def batch(urls: list[str], folder: Path, **arguments: Any) -> None:
    with client(**arguments) as mine:
        check(mine.swarm(urls, folder))


def overhead(urls: list[str], folder: Path, runs: str) -> dict[str, tuple[float, float]]:
    """Medians of the seconds on the clock and of the processor, of cases taken in turn."""
    history = folder.with_name("history.db")
    cases: dict[str, Callable[[Path], None]] = {
        "the downloader alone": lambda to: bare(urls, to),
        "a client": lambda to: batch(urls, to),
        "with events": lambda to: batch(urls, to, listeners=events()),
        "with events and archive": lambda to: batch(urls, to, listeners=events(), history=history),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for number in range(int(runs) + 1):
        for name, case in cases.items():
            shutil.rmtree(folder)
            folder.mkdir()
            for path in folder.parent.glob("history.db*"):
                path.unlink()
            begun = time.perf_counter(), time.process_time()
            case(folder)
            taken = time.perf_counter() - begun[0], time.process_time() - begun[1]
            if sum(path.is_file() for path in folder.rglob("*")) != len(urls):
                raise SystemExit(f"{name} left files out")
            if number:
                found[name].append(taken)
    return {name: (median(wall for wall, _ in all_), median(cpu for _, cpu in all_)) for name, all_ in found.items()}


# --- memory


def resident() -> float:
    """MiB of memory that the process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def memory(urls: list[str], folder: Path, *words: str) -> dict[str, float]:
    """MiB after a tenth of the files, and after all."""
    import resource

    more: dict[str, Any] = {"listeners": events(), "history": folder.with_name("history.db")} if words else {}
    found = {"at first": resident()}
    with client(**more) as mine:
        for number, report in enumerate(mine.each(urls, folder=folder), 1):
            check([report])
            if number in (len(urls) // 10, len(urls)):
                found[f"{number}"] = resident()
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


# --- two hosts


def hosts(urls: list[str], folder: Path, way: str) -> float:
    """Seconds for all files, by `fetch` or `swarm`."""
    start = time.perf_counter()
    with client() as mine:
        check(list(mine.fetch(urls, folder)) if way == "fetch" else mine.swarm(urls, folder))
    return time.perf_counter() - start


# --- asyncio


async def notice(late: list[float]) -> None:
    while True:
        due = time.perf_counter() + STEP
        await asyncio.sleep(STEP)
        late.append((time.perf_counter() - due) * 1000)


async def lag_of(work: Callable[[], AsyncBatch | None]) -> list[float]:
    late: list[float] = []
    task = asyncio.create_task(notice(late))
    downloads = work()
    if downloads is None:
        await asyncio.sleep(1)
    else:
        check(await downloads)
    task.cancel()
    return late


def lag(urls: list[str], folder: Path, way: str) -> list[float]:
    """Milliseconds by which the loop was late, each time."""

    def work(mine: Client) -> AsyncBatch | None:
        if way == "idle":
            return None
        return mine.afetch(urls, folder) if way == "afetch" else mine.aeach(urls, folder=folder)

    with client(override=True) as mine:
        return asyncio.run(lag_of(lambda: work(mine)))


def main() -> None:
    name, source, folder, *words = sys.argv[1:]
    urls = Path(source).read_text().split()
    cases: dict[str, Callable[..., object]] = {
        "library": library,
        "parfive": parfive,
        "overhead": overhead,
        "memory": memory,
        "hosts": hosts,
        "lag": lag,
    }
    print(json.dumps(cases[name](urls, Path(folder), *words)))


if __name__ == "__main__":
    main()
