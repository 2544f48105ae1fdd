"""The data of recorded answers is moved as sites move it, and `explain` finds it again."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.repairs.moving import REMOVED, WAYS, composed, repaired, results, shipped
from tests.repairs.pages import PAGES, write_cassette

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qetch.tools.explain.propose import Repair
    from tests.repairs.moving import Result

MOST = 14
"""Moves of each handle that are tried here; `benchmarks/repairing.py` tries all of them."""


def share(found: list[Result]) -> tuple[float, str]:
    """How many of the moves that break something are repaired, and a report."""
    broken = [result for result in found if not result.harmless and result.move.way != REMOVED]
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
    assert claims(found) == []


@pytest.mark.parametrize("name", ["gallery", "journal", "board", "state", "listing", "shelf", "mosaic", "inline"])
def test_nine_of_ten_moves_of_a_composed_site_are_repaired(name: str, tmp_path: Path) -> None:
    found = [result for case in composed(name, tmp_path) for result in results(case)]
    assert len(found) >= 4
    rate, report = share(found)
    assert rate >= 0.9, report
    assert claims(found) == []


def claims(found: list[Result]) -> list[str]:
    """What is said to be repaired, and is not."""
    return [f"{result.move.way} of {result.move.what}" for result in found if result.wrong]


def test_the_composed_sites_move_in_all_ways(tmp_path: Path) -> None:
    ways = {
        result.move.way
        for name in ("gallery", "state")
        for case in composed(name, tmp_path)
        for result in results(case)
        if result.repaired
    }
    assert ways == set(WAYS)


def moved(name: str, folder: Path, change: Callable[[str], str]) -> Repair:
    """The repair after a change of every page of a composed site."""
    (case,) = composed(name, folder)
    bodies = {url: change(body) for url, body in PAGES[name].items()}
    found = repaired(case, write_cassette(folder / "moved", bodies))
    assert found is not None
    return found


def test_a_value_in_a_text_is_shown_with_what_is_around_it_but_no_secret(tmp_path: Path) -> None:
    script = '<script>load({"session_token":"s3cr3t-99887"}, "lh01 lh02 lh03")</script>'
    found = moved("journal", tmp_path, lambda body: re.sub(' data-id="[^"]+"', "", body) + script)
    (gone,) = [gone for gone in found.gone if gone.where.endswith("uid")]
    assert gone.value == "lh01"
    assert gone.place.startswith("character ")
    assert "lh01" in gone.place
    assert "s3cr3t" not in gone.place


def test_the_element_that_holds_a_value_now_is_named(tmp_path: Path) -> None:
    found = moved("mosaic", tmp_path, lambda body: body.replace(" <em>2024</em></h2>", "</h2><b>2024</b>"))
    assert [(edit.old, edit.new, edit.sure) for edit in found.edits] == [("h2.heading > em::text", "b::text", True)]


def test_a_regex_is_changed_where_its_word_has_changed(tmp_path: Path) -> None:
    found = moved("listing", tmp_path, lambda body: body.replace("title=", "name="))
    assert [(edit.where.rpartition(".")[2], edit.new, edit.sure) for edit in found.edits] == [
        ("title", 'name="([^"]+)"', True)
    ]
    assert found.sure


def test_the_regex_behind_a_selector_is_changed_too(tmp_path: Path) -> None:
    found = moved("inline", tmp_path, lambda body: body.replace("window.__ALBUM__ = ", "window.__STATE__ = "))
    assert [(edit.where, edit.new) for edit in found.edits] == [
        ("handles.album.let.boot.regex", r"window\.__STATE__ = (\{.*\});")
    ]
    assert found.sure


def test_what_was_removed_is_not_offered_as_found(tmp_path: Path) -> None:
    found = [result for name in ("state", "board") for case in composed(name, tmp_path) for result in results(case)]
    removed = [result for result in found if result.move.way == REMOVED and result.repair and not result.harmless]
    assert len(removed) > 10
    assert [edit for result in removed if result.repair for edit in result.repair.edits if edit.sure] == []
