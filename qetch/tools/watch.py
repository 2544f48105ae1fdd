"""Watches site files: looks at their times, which works on every machine and every kind of disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qetch.errors import UserError
from qetch.tools.validate import Outcome, files_of, inspect_all, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from qetch.tools.validate import Report

SECONDS = 0.5
"""Between two looks. A look at a thousand files takes a few milliseconds."""

Stamp = tuple[tuple[int, int], ...]
"""Time (ns) and size (bytes) of a spec, and of the hooks beside it."""


def reports(
    paths: Sequence[str], jobs: int | None = None, wait: Callable[[], object] | None = None
) -> Iterator[Report]:
    """A report on the files, and another one after each change of them; only what changed is read again.

    Args:
        paths: Files and folders; in these, new files count as well.
        jobs: How many processes at most.
        wait: Called between two looks; by default it sleeps.

    Raises:
        UserError: At the start, a path is not there; later on it is waited for.
    """
    known: dict[Path, tuple[Stamp, Outcome]] = {}
    files: list[Path] | None = files_of(paths)
    while True:
        if files is not None:
            stamps = {file: _stamp(file) for file in files}
            changed = [file for file in files if file not in known or known[file][0] != stamps[file]]
            if changed or known.keys() != stamps.keys():
                fresh = dict(zip(changed, inspect_all(changed, jobs), strict=True))
                known = {file: (stamps[file], fresh.get(file) or known[file][1]) for file in files}
                yield report({file: outcome for file, (_, outcome) in known.items()})
        (wait or _sleep)()
        try:
            files = files_of(paths)
        except UserError:  # an editor is just replacing it
            files = None


def _sleep() -> None:
    time.sleep(SECONDS)


def _stamp(file: Path) -> Stamp:
    found = []
    for part in (file, file.with_suffix(".py")):
        try:
            status = part.stat()
        except OSError:
            continue
        found.append((status.st_mtime_ns, status.st_size))
    return tuple(found)
