"""The data of recorded answers is moved as sites move it, and `explain` finds it again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.repairs.moving import WAYS, composed, results, shipped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repairs.moving import Result

MOST = 14
"""Moves of each handle that are tried here; `benchmarks/repairing.py` tries all of them."""


def share(found: list[Result]) -> tuple[float, str]:
    """How many of the moves that break something are repaired, and a report."""
    broken = [result for result in found if not result.harmless]
    ways = Counter(result.move.way for result in broken)
    repaired = Counter(result.move.way for result in broken if result.repaired)
    report = ", ".join(f"{way}: {repaired[way]}/{ways[way]}" for way in WAYS if ways[way])
    missed = [f"{result.move.way} of {result.move.what}" for result in broken if not result.repaired]
    return sum(repaired.values()) / len(broken), f"{report}; not repaired: {missed}"


@pytest.mark.parametrize("name", ["4chan", "gfycat", "imgur"])
def test_at_least_four_of_five_moves_of_a_shipped_site_are_repaired(name: str) -> None:
    found = [result for case in shipped(name) for result in results(case, MOST)]
    assert len(found) >= MOST
    rate, report = share(found)
    assert rate >= 0.8, report


@pytest.mark.parametrize("name", ["gallery", "journal", "board", "state"])
def test_at_least_four_of_five_moves_of_a_composed_site_are_repaired(name: str, tmp_path: Path) -> None:
    found = [result for case in composed(name, tmp_path) for result in results(case)]
    assert len(found) >= 10
    rate, report = share(found)
    assert rate >= 0.8, report


def test_the_composed_sites_move_in_all_five_ways(tmp_path: Path) -> None:
    ways = {
        result.move.way
        for name in ("gallery", "state")
        for case in composed(name, tmp_path)
        for result in results(case)
        if result.repaired
    }
    assert ways == set(WAYS)
