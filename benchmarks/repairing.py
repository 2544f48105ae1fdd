"""How many of the ways in which a site can move its data `qetch explain` repairs."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import table

from tests.repairs.moving import DOUBLE, REMOVED, SINGLE, WAYS, composed, results, shipped

SHIPPED = ("4chan", "imgur", "gfycat")
COMPOSED = ("gallery", "journal", "board", "state", "listing", "shelf", "mosaic", "inline")


def main() -> None:
    logging.disable(logging.WARNING)
    tried: Counter[tuple[str, str]] = Counter()
    repaired: Counter[tuple[str, str]] = Counter()
    wrong: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        for name in (*SHIPPED, *COMPOSED):
            for case in shipped(name) if name in SHIPPED else composed(name, Path(folder)):
                for result in results(case):
                    tried[name, result.move.way] += not result.harmless
                    repaired[name, result.move.way] += result.repaired
                    wrong[name] += result.wrong
    names = (*SHIPPED, *COMPOSED)
    table(
        "Moves that are repaired",
        ["move", *names, "all"],
        [
            *(
                (way, *(cell(repaired, tried, name, way) for name in names), cell(repaired, tried, "", way))
                for way in WAYS
            ),
            *(
                (kind, *(percent(repaired, tried, name, ways) for name in (*names, "")))
                for kind, ways in (("one move", SINGLE), ("two at once", DOUBLE), ("all", WAYS))
            ),
            ("wrong, said to be sure", *(str(wrong[name]) for name in names), str(wrong.total())),
            ("removed, so not to be repaired", *(str(tried[name, REMOVED]) for name in names), ""),
        ],
    )


def cell(repaired: Counter[tuple[str, str]], tried: Counter[tuple[str, str]], name: str, way: str) -> str:
    """Of one site and one way, as numbers; of all sites in percent."""
    if not name:
        return percent(repaired, tried, "", (way,))
    return f"{repaired[name, way]}/{tried[name, way]}" if tried[name, way] else "-"


def percent(
    repaired: Counter[tuple[str, str]], tried: Counter[tuple[str, str]], name: str, ways: tuple[str, ...]
) -> str:
    """Of one site, or of all of them, and some ways."""
    keys = [key for key in tried if name in ("", key[0]) and key[1] in ways]
    every = sum(tried[key] for key in keys)
    return f"{100 * sum(repaired[key] for key in keys) / every:.0f} %" if every else "-"


if __name__ == "__main__":
    main()
