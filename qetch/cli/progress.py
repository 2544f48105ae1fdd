"""What a terminal shows of the downloads while they run."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

from qetch.cli.messages import say, say_skipped, silence
from qetch.cli.road import PATIENCE
from qetch.client import DownloadEventListener
from qetch.errors import InvalidURL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from rich.progress import Progress, ProgressColumn

    from qetch.client import DownloadReport
    from qetch.extractors._common import Skip

WIDTH = 40
"""The most letters of a file's name."""
SHORTEST = 12
OTHERS = 46
"""The letters of the other columns, without the bar."""
LOOK = 0.5
"""Seconds between two looks whether there is something to say."""


class Display(DownloadEventListener):
    """Draws a line for each file that is downloaded, and from the second file on one for all of them.

    The lines are gone when everything is done, so that what was printed stands alone. Where nobody sees them, on
    anything but a terminal, none is drawn. It also says what was left out, and whom qetch asks if that takes long.

    Args:
        wanted: False to draw nothing anywhere.
    """

    def __init__(self, wanted: bool = True) -> None:
        self._drawn = wanted and sys.stderr.isatty()
        self._progress: Progress | None = None
        self._lines: dict[str, _Line] = {}
        self._every: _Line | None = None
        self._files = self._done = self._bytes = 0
        self._asked: dict[str, None] = {}
        self._skipped: Skip | None = None
        self._begun = time.monotonic()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        if self._drawn:
            threading.Thread(target=self._watch, name="qetch-patience", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._say_skipped()
        if self._progress is not None:
            self._progress.stop()

    def noted(self, urls: Iterable[str]) -> Iterator[str]:
        """The URLs, as they are asked for; remembered until something comes of them."""
        for url in urls:
            self._asked[url] = None
            yield url

    # --- events, all in one thread

    def download_started(self, report: DownloadReport) -> None:
        """Draws a line."""
        self._say_skipped()
        self._asked.pop(report.url, None)
        if not self._drawn:
            return
        if self._progress is None:
            self._progress = _started()
            self._every = _Line(self._progress, "", visible=False)  # the first one, so that it stays at its place
        self._files += 1
        width = min(WIDTH, max(self._progress.console.width - OTHERS, SHORTEST))
        self._lines[_key(report)] = _Line(self._progress, _name(report, width))
        self._show_all()

    def download_progress(self, report: DownloadReport) -> None:
        """Moves its line."""
        line = self._lines.get(_key(report))
        if line is not None:
            line.show(report.bytes_downloaded, report.total_bytes)
            self._show_all()

    def download_succeeded(self, report: DownloadReport) -> None:
        """Takes its line away."""
        self._say_skipped()
        self._asked.pop(report.url, None)
        line = self._lines.pop(_key(report), None)
        if line is not None:
            self._bytes += report.bytes_downloaded
            self._done += 1
            line.remove()
            self._show_all()

    download_canceled = download_succeeded

    def content_skipped(self, url: str, skip: Skip) -> None:  # noqa: ARG002 - as the others have it
        """Says what was left out, unless the error that comes next says it."""
        self._say_skipped()
        self._skipped = skip

    def download_failed(self, report: DownloadReport) -> None:
        """Takes its line away."""
        self._say_skipped(report.error)
        self.download_succeeded(report)

    def _say_skipped(self, error: BaseException | None = None) -> None:
        skip, self._skipped = self._skipped, None
        if skip is not None:
            say_skipped(skip, error)

    def _show_all(self) -> None:
        if self._every is None or self._files < 2:
            return
        current = self._bytes + sum(line.current for line in self._lines.values())
        totals = [line.total for line in self._lines.values()]
        total = None if None in totals else self._bytes + sum(filter(None, totals))
        self._every.name(f"{self._done} of {self._files} files")
        self._every.show(current, total)

    def _watch(self) -> None:
        """Says whom qetch asks, if that takes long, and nothing else is to be seen."""
        from qetch.extractors.hosts import split

        while not self._ended.wait(LOOK):
            if self._lines or silence() < PATIENCE or time.monotonic() - self._begun < PATIENCE:
                continue
            for url in list(self._asked)[:1]:
                self._asked.pop(url, None)
                with contextlib.suppress(InvalidURL):
                    say(f"asking {split(url)[0]} …")


def _key(report: DownloadReport) -> str:
    """What tells the report of one download from the others', of which there are several copies."""
    return f"{report.path} {report.url}"


def _name(report: DownloadReport, width: int) -> str:
    name = (report.path or report.url).rpartition("/")[2]
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _started() -> Progress:
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TransferSpeedColumn

    bar, size, remaining = _columns_of_a_size()
    console = Console(stderr=True)
    # Each line stays one line: on a narrow terminal names are cut, and then one column goes after the other.
    wanted = [(0, TextColumn("{task.description}")), (90, bar), (0, size), (50, TransferSpeedColumn()), (60, remaining)]
    progress = Progress(
        *(column for least, column in wanted if console.width >= least),
        console=console,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # else rich would print it on stderr, and a pipe would miss it
    )
    progress.start()
    return progress


def _columns_of_a_size() -> tuple[ProgressColumn, ProgressColumn, ProgressColumn]:
    """The bar, the bytes, and the time that is left; of a size that is not known, only the bytes so far."""
    from rich.filesize import decimal
    from rich.progress import BarColumn, DownloadColumn, Task, TimeRemainingColumn
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    class Bar(BarColumn):
        def render(self, task: Task) -> ProgressBar:
            return ProgressBar(total=1, width=0) if task.total is None else super().render(task)

    class Size(DownloadColumn):
        def render(self, task: Task) -> Text:
            known = task.total is not None
            return super().render(task) if known else Text(decimal(int(task.completed)), style="progress.download")

    class Remaining(TimeRemainingColumn):
        def render(self, task: Task) -> Text:
            return Text() if task.total is None else super().render(task)

    return Bar(), Size(), Remaining()


class _Line:
    """One task of a rich progress.

    Args:
        progress: Whose.
        name: What it is of.
        visible: Whether it is seen at once.

    Attributes:
        current: How many bytes it shows.
        total: Of how many; None if nobody knows.
    """

    def __init__(self, progress: Progress, name: str, *, visible: bool = True) -> None:
        from rich.markup import escape

        self._progress = progress
        self._task = progress.add_task(escape(name), total=None, visible=visible)
        self._began = False
        self.current = 0
        self.total: int | None = None

    def name(self, text: str) -> None:
        """Says another name, and is seen from then on."""
        self._progress.update(self._task, description=text, visible=True)

    def show(self, current: int, total: int | None) -> None:
        """Draws it.

        The first bytes may be those of an earlier attempt, all at once, so that the speed is counted from then on.
        """
        self.current, self.total = current, total
        if current and not self._began:
            self._began = True
            self._progress.reset(self._task, completed=current, total=total)
        else:
            self._progress.update(self._task, completed=current, total=total)
        if total is None:  # for `update` that means: as before
            self._progress.tasks[self._progress.task_ids.index(self._task)].total = None

    def remove(self) -> None:
        """Takes it away."""
        self._progress.remove_task(self._task)
