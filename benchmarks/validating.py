"""How many specs `qetch validate` checks in a second: whole processes, by the wall clock."""

from __future__ import annotations

import os
import subprocess
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from composed import write_variants
from measure import Home, interleaved, runs_wanted, seconds, table

COUNTS = (1, 50, 1000)


def main() -> None:
    runs = runs_wanted(__doc__, default=5)
    with TemporaryDirectory() as name:
        home = Home(Path(name))
        for count in COUNTS:
            write_variants(home.folder / str(count), count)
        ways = {"one process": ["--jobs", "1"], f"as many as pay, of {os.cpu_count()} cores": []}
        cases = {f"{way} {count}": partial(validate, home, count, ways[way]) for way in ways for count in COUNTS}
        found = interleaved(cases, runs)
    rows = [(f"{count:,}", *(shown(count, found[f"{way} {count}"]) for way in ways)) for count in COUNTS]
    table("qetch validate FOLDER", ["specs", *ways], rows)


def validate(home: Home, count: int, jobs: list[str]) -> float:
    command = home.qetch("validate", *jobs, str(home.folder / str(count)))
    return seconds(lambda: subprocess.run(command, env=home.env, capture_output=True, check=True), time.perf_counter)


def shown(count: int, time_taken: float) -> str:
    return f"{time_taken:.2f} s, {count / time_taken:,.0f}/s"


if __name__ == "__main__":
    main()
