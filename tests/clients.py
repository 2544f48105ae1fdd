"""What the tests of the client share: hosts that wait for the test, pages with files, and who notes all events."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from types import new_class
from typing import TYPE_CHECKING, Any

from qetch.client import DownloadEventListener, DownloadReport, ReportState
from qetch.content import Content
from qetch.downloaders import Settings
from qetch.extractors import BaseExtractor
from qetch.extractors._common import hand_written
from tests.downloads import names
from tests.origin import Answer, Origin, Reply, Request, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from qetch.extractors import Skip

BOUND = 30.0
"""Seconds after which nobody calls it prompt, on whatever machine."""


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def soon(work: Callable[[], object], condition: Callable[[], object] = lambda: True) -> None:
    """Does something in another thread, once a condition holds."""

    def wait() -> None:
        until(condition)
        work()

    threading.Thread(target=wait, daemon=True).start()


def patient(**more: Any) -> Settings:
    """Settings of one who waits for hosts for minutes."""
    return Settings(connect_timeout=600, read_timeout=600, **more)


class Gate:
    """A script that answers when it is opened, and counts who waits for that.

    Args:
        answer: What it answers then.

    Attributes:
        most: So many were there at a time.
        came: So many came in all.
    """

    def __init__(self, answer: Answer | None = None, is_open: bool = False) -> None:
        self.answer = answer or Reply(body=b"file")
        self.here = self.most = self.came = 0
        self._open = threading.Event()
        self._lock = threading.Lock()
        if is_open:
            self.open()

    def open(self) -> None:
        self._open.set()

    def __call__(self, request: Request) -> Answer:
        with self._lock:
            self.here += 1
            self.came += 1
            self.most = max(self.most, self.here)
        self._open.wait(BOUND)
        with self._lock:
            self.here -= 1
        return self.answer


class Stuck(Origin):
    """A server whose path `/stuck…` does not answer before the test is over; everything else is `file`."""

    def __init__(self, host: str = "127.0.0.1", routes: Mapping[str, Script] | None = None) -> None:
        super().__init__({"*": self._any, **(routes or {})}, host)
        self.gate = Gate()

    def _any(self, request: Request) -> Answer:
        return self.gate(request) if request.path.startswith("/stuck") else Reply(body=b"file")

    def __exit__(self, *raised: Any) -> None:
        self.gate.open()
        super().__exit__(*raised)


class Notes(DownloadEventListener):
    """Notes all events, in order: name, report."""

    def __init__(self) -> None:
        self.events: list[tuple[str, DownloadReport]] = []
        self.skips: list[tuple[str, Skip]] = []
        self.threads: set[str] = set()

    def _note(self, name: str, report: DownloadReport) -> None:
        self.threads.add(threading.current_thread().name)
        self.events.append((name, report))

    def download_started(self, report: DownloadReport) -> None:
        self._note("started", report)

    def download_headers(self, report: DownloadReport) -> None:
        self._note("headers", report)

    def download_progress(self, report: DownloadReport) -> None:
        self._note("progress", report)

    def download_succeeded(self, report: DownloadReport) -> None:
        self._note("succeeded", report)

    def download_failed(self, report: DownloadReport) -> None:
        self._note("failed", report)

    def download_canceled(self, report: DownloadReport) -> None:
        self._note("canceled", report)

    def content_skipped(self, url: str, skip: Skip) -> None:
        self.skips.append((url, skip))

    def of(self, url: str) -> list[str]:
        """The names of the events about a URL; of the same one after the other, the first."""
        found = [name for name, report in self.events if report.url == url]
        return [name for at, name in enumerate(found) if not at or found[at - 1] != name]


@contextmanager
def pages(handler: Callable[[BaseExtractor, str], Iterator[list[Content]]]) -> Iterator[type[BaseExtractor]]:
    """For a while there is an extractor for `/page/…` on this machine: a function gives what it yields."""
    words = {
        "name": "pages",
        "handles": {"page": r"^http://(?:127\.0\.0\.1|localhost):\d+/page/.*"},
        "handle_page": lambda self, source, match: handler(self, source),
    }
    made: type[BaseExtractor] = new_class(
        "Pages", (BaseExtractor,), {"register": True}, lambda namespace: namespace.update(words)
    )
    try:
        yield made
    finally:
        hand_written[:] = [reference for reference in hand_written if reference() is not made]


def found_at(extractor: BaseExtractor, source: str, url: str, name: str) -> list[Content]:
    """What an extractor found: one file, in one quality."""
    return [Content(name, source, [url], extractor, extension="bin")]


def states(reports: Iterable[DownloadReport]) -> list[str]:
    return sorted(report.state.value for report in reports)


def succeeded(report: DownloadReport) -> bool:
    return report.state is ReportState.SUCCEEDED and report.error is None


def tree(folder: Path) -> list[str]:
    """All files below a folder, without those folders that are called by a host."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def no_leftovers(folder: Path) -> bool:
    return not [name for name in tree(folder) if name.endswith((".qetch-part", ".journal"))]


__all__ = [
    "BOUND",
    "Gate",
    "Notes",
    "Stuck",
    "found_at",
    "names",
    "no_leftovers",
    "pages",
    "patient",
    "soon",
    "states",
    "succeeded",
    "tree",
    "until",
]
