"""Every example of every packaged site gives what it says, from the cassettes, and what can be downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import qetch.spec
from qetch.tools.examples import cases, play
from tests.site_runs import CASSETTES, SITES

if TYPE_CHECKING:
    from qetch.tools.examples import Case

EXAMPLES = [case for site in map(qetch.spec.read, sorted(SITES.glob("*.yaml"))) for case in cases(site)]


@pytest.mark.parametrize("case", EXAMPLES, ids=lambda case: f"{case.site.name}-{case.handle}-{case.example.url}")
def test_an_example_gives_what_it_says_and_contents_that_can_be_downloaded(case: Case) -> None:
    result = play(case, CASSETTES / case.site.name)
    assert (result.outcome, result.problems) == ("passed", [])
    for contents in result.lists:
        assert contents == sorted(contents, key=lambda content: -content.quality)
        for content in contents:
            assert content.uid.startswith(f"{case.site.name}-")
            assert all(url.startswith(("http://", "https://")) for url in content.fragments)
            assert content.fragments


@pytest.mark.parametrize("name", sorted({case.site.name for case in EXAMPLES}))
def test_each_handle_says_of_an_example_what_it_gives(name: str) -> None:
    found = [case for case in EXAMPLES if case.site.name == name]
    silent = {case.handle for case in found} - {case.handle for case in found if case.example.expect}
    assert silent <= {"raw"}  # of the same items as another handle
