"""What a terminal shows of the downloads while they run."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, TaskID

    Hook = Callable[[str, int, int], None]

WIDTH = 40
"""The most letters of a file's name."""


class Display:
    """Draws a line for the file that is downloaded, and from the second file on one for all of them.

    The lines are gone when a file is complete, so that what is printed next stands alone. Where nobody sees them, on
    anything but a terminal, none is drawn.

    Args:
        wanted: False to draw nothing anywhere.
    """

    def __init__(self, wanted: bool = True) -> None:
        self._drawn = wanted and sys.stderr.isatty()
        self._console: Console | None = None
        self._files = 0
        self._bytes = 0

    def file(self, name: str) -> AbstractContextManager[Hook | None]:
        """A hook for `download()`, to be used while one file is downloaded; None where nothing is drawn."""
        return self._lines(name) if self._drawn else nullcontext()

    @contextmanager
    def _lines(self, name: str) -> Iterator[Hook]:
        from rich.markup import escape

        with self._progress() as progress:
            self._files += 1
            file = _Line(progress, progress.add_task(escape(_short(name)), total=None))
            every = None
            if self._files > 1:
                task = progress.add_task(f"{self._files} files", total=None, completed=self._bytes)
                every = _Line(progress, task, before=self._bytes)
            latest = 0

            def hook(_download_id: str, current: int, total: int) -> None:
                nonlocal latest
                latest = current
                file.show(current, total)
                if every is not None:
                    every.show(current, total)

            try:
                yield hook
            finally:
                self._bytes += latest

    def _progress(self) -> Progress:
        from rich.console import Console
        from rich.progress import Progress, TextColumn, TransferSpeedColumn

        self._console = self._console or Console(stderr=True)
        bar, size, remaining = _columns_of_a_size()
        return Progress(
            TextColumn("{task.description}"),
            bar,
            size,
            TransferSpeedColumn(),
            remaining,
            console=self._console,
            transient=True,
            redirect_stdout=False,  # rich would print it on stderr, and a pipe would miss it
        )


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
        task: Its id.
        before: Bytes of earlier files that it shows as well.
    """

    def __init__(self, progress: Progress, task: TaskID, before: int = 0) -> None:
        self._progress, self._task, self._before = progress, task, before
        self._began = False
        self._total: int | None = None

    def show(self, current: int, total: int) -> None:
        """Draws what `download()` tells.

        A size that is not known comes as the size so far, and at least 1: no bar is drawn then. The first bytes
        may be those of an earlier attempt, all at once, so that the speed is counted from then on.
        """
        if total > max(current, 1) or (self._total is not None and total != self._total):
            self._total = total
        shown = None if self._total is None else self._before + max(self._total, current)
        if current and not self._began:
            self._began = True
            self._progress.reset(self._task, completed=self._before + current, total=shown)
        else:
            self._progress.update(self._task, completed=self._before + current, total=shown)


def _short(name: str) -> str:
    return name if len(name) <= WIDTH else f"{name[: WIDTH - 1]}…"
