"""The progress bar of a download."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDTH = 40
"""The most letters of a file's name."""


@contextmanager
def progress_bar(name: str, wanted: bool = True) -> Iterator[Callable[[str, int, int], None] | None]:
    """A hook for `download()` that draws a bar on stderr; None where nobody sees one.

    The bar is gone at the end, so that what is printed next stands alone.
    """
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    # stdout is left alone: rich would print it on stderr, and a pipe would miss it.
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
    ) as progress:
        short = name if len(name) <= WIDTH else f"{name[: WIDTH - 1]}…"
        task = progress.add_task(escape(short), total=None)

        def hook(_download_id: str, current: int, total: int) -> None:
            # A size that is not known comes as the size so far: the bar then only moves.
            progress.update(task, completed=current, total=total if total > current else None)

        yield hook
