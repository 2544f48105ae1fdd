"""Every example of every packaged site runs, from the cassettes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import qetch.spec
from qetch.extractors._spec import make_extractor
from qetch.replay import ReplayAdapter
from qetch.session import mount_replay
from tests.site_runs import CASSETTES, SITES

if TYPE_CHECKING:
    from qetch.spec.model import Example, Site

EXAMPLES = [
    pytest.param(site, example, id=f"{site.name}-{handle.name}-{example.url}")
    for site in map(qetch.spec.read, sorted(SITES.glob("*.yaml")))
    for handle in site.handles.values()
    for example in handle.examples
]
WAYS_TO_EXPECT = {"count"}


def run(site: Site, example: Example) -> list[list[Any]]:
    extractor = make_extractor(site)()
    mount_replay(extractor.session, ReplayAdapter(CASSETTES / site.name))
    return [list(contents) for contents in extractor.extract(example.url)]


@pytest.mark.parametrize(("site", "example"), EXAMPLES)
def test_an_example_gives_what_it_says_from_the_cassettes_of_its_site(site: Site, example: Example) -> None:
    expected = dict(example.expect or {})
    lists = run(site, example)
    assert expected.keys() <= WAYS_TO_EXPECT, "this is checked here only for `count`, the number of items"
    assert lists, "an example shows something: take one that is not empty"
    assert len(lists) == expected.get("count", len(lists))


@pytest.mark.parametrize(("site", "example"), EXAMPLES)
def test_the_contents_of_an_example_can_be_downloaded(site: Site, example: Example) -> None:
    for contents in run(site, example):
        assert contents == sorted(contents, key=lambda content: -content.quality)
        for content in contents:
            assert content.uid.startswith(f"{site.name}-")
            assert all(url.startswith(("http://", "https://")) for url in content.fragments)
            assert content.fragments
