"""What the benchmarks share: rounds, tables, peers, and processes with a home of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the checkout is what is measured, whatever is installed

SCRIPT = "import sys\nfrom qetch.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
"""What installers write for `qetch`."""


def runs_wanted(description: str | None, default: int = 15) -> int:
    """The command line of every benchmark: how many runs to take the median of."""
    import argparse

    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=default, help="runs to take the median of (default: %(default)s)")
    runs: int = parser.parse_args().runs
    return max(runs, 1)


def interleaved(cases: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """The median of each case.

    Each round takes every case once, so that what else the machine does falls on all of them alike. The first round
    only warms up.
    """
    found: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(runs + 1):
        for name, case in cases.items():
            value = case()
            if number:
                found[name].append(value)
    return {name: median(values) for name, values in found.items()}


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """How long it takes: of the processor's time, which other programs disturb least."""
    start = clock()
    work()
    return clock() - start


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints it: the first column to the left, the others to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(f"\n{title}")
    for first, *others in lines:
        print(
            "  ", first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
        )


class Home:
    """An empty home in a folder: no settings, no cache, nothing of the user who measures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "bin" / "qetch"  # not beside what it imports
        self.script.parent.mkdir()
        self.script.write_text(SCRIPT)
        self.env = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONPATH": str(ROOT),
        }

    def process(self, command: Sequence[str | Path], **env: str) -> float:
        """Seconds on the wall clock from start to end of a process that must succeed."""
        full = {**self.env, **env}
        # Without a timeout: with one, `subprocess` sleeps between looks, and every figure is a sum of its naps.
        return seconds(
            lambda: subprocess.run(command, env=full, stdout=subprocess.DEVNULL, check=True), time.perf_counter
        )

    def qetch(self, *words: str) -> list[str | Path]:
        """The command line of `qetch`, as an installed one would run."""
        return [sys.executable, self.script, *words]


def peer(name: str) -> str | None:
    """Where another program is, if it is installed; said if it is not."""
    here = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join((here, os.environ.get("PATH", ""))))
    if not found:
        print(f"{name} is not installed, and left out")
    return found
