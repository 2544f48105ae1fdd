"""How many of the ways in which a site can move its data `qetch explain` repairs."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import table

from tests.repairs.moving import WAYS, composed, results, shipped

SHIPPED = ("4chan", "imgur", "gfycat")
COMPOSED = ("gallery", "journal", "board", "state")


def main() -> None:
    logging.disable(logging.WARNING)
    tried: Counter[tuple[str, str]] = Counter()
    repaired: Counter[tuple[str, str]] = Counter()
    with TemporaryDirectory() as folder:
        for name in (*SHIPPED, *COMPOSED):
            for case in shipped(name) if name in SHIPPED else composed(name, Path(folder)):
                for result in results(case):
                    tried[name, result.move.way] += not result.harmless
                    repaired[name, result.move.way] += result.repaired
    rows = []
    for name in (*SHIPPED, *COMPOSED):
        cells = [f"{repaired[name, way]}/{tried[name, way]}" if tried[name, way] else "-" for way in WAYS]
        rows.append((name, *cells, percent(repaired, tried, name)))
    rows.append(("all", *(percent(repaired, tried, way=way) for way in WAYS), percent(repaired, tried)))
    table("Moves that are repaired", ["site", *WAYS, "all"], rows)


def percent(repaired: Counter[tuple[str, str]], tried: Counter[tuple[str, str]], name: str = "", way: str = "") -> str:
    """Of one site or one way, or of all of them."""
    keys = [key for key in tried if name in ("", key[0]) and way in ("", key[1])]
    every = sum(tried[key] for key in keys)
    return f"{100 * sum(repaired[key] for key in keys) / every:.0f} %" if every else "-"


if __name__ == "__main__":
    main()
