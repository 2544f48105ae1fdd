"""How many specs of the shipped ones' mean length are read, checked and compiled in a second."""

from __future__ import annotations

import itertools
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from composed import SITES, write_variants
from measure import runs_wanted, seconds, table

BATCH = 30
"""Specs in a run: as many variants of each shipped one. No run sees a variant that an earlier one saw."""


def main() -> None:
    runs = runs_wanted(__doc__)
    with TemporaryDirectory() as folder:
        numbers = itertools.count(0, BATCH)
        first = seconds(lambda: inspect_all(write_variants(Path(folder), 1, next(numbers))))
        rounds = [stages(Path(folder), numbers) for _ in range(runs + 1)][1:]
    lines = sum(len(file.read_text("utf-8").splitlines()) for file in SITES) / len(SITES)
    rows = []
    for name in rounds[0]:
        value = median(round_[name] for round_ in rounds)
        rows.append((name, f"{BATCH / value:,.0f}", f"{value / BATCH * 1000:.2f} ms"))
    table(f"Specs of {lines:.0f} lines on average", ["", "specs/s", "one spec"], rows)
    print(f"\nThe first spec of a process takes {first * 1000:.0f} ms: imports, and the schema.")


def stages(folder: Path, numbers: itertools.count[int]) -> dict[str, float]:
    """Seconds for each stage alone, and for all of it as `qetch validate` and the index do it, on other specs."""
    from qetch.spec.check import check
    from qetch.spec.compile import compile_site
    from qetch.spec.load import load

    files = write_variants(folder, BATCH, next(numbers))
    documents = [load(file) for file in files]
    found = {
        "load": seconds(lambda: [load(file) for file in files]),
        "check": seconds(lambda: [check(document) for document in documents]),
        "compile": seconds(lambda: [compile_site(document) for document in documents]),
    }
    others = write_variants(folder, BATCH, next(numbers))
    return found | {"all of it": seconds(lambda: inspect_all(others))}


def inspect_all(files: list[Path]) -> None:
    from qetch.spec import inspect

    for file in files:
        site, problems = inspect(file)
        if site is None:
            raise SystemExit(f"a generated spec is not good: {problems[:3]}")


if __name__ == "__main__":
    main()
