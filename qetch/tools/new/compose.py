"""From a page to a spec: gathers proposals, tries the best ones, and writes the first that holds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qetch.errors import UnsupportedURL
from qetch.tools.new.build import build, skeleton
from qetch.tools.new.finders import proposals
from qetch.tools.new.page import fetch_page
from qetch.tools.new.proposals import Proposal, Scene, merged
from qetch.tools.new.trial import Trial, problems_of
from qetch.tools.new.yaml_text import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.session import Session
    from qetch.tools.new.address import Address
    from qetch.tools.new.page import Page

MAX_TRIALS = 12
MAX_LOOKS = 2
"""How many further pages are fetched."""


@dataclass(frozen=True)
class Draft:
    """A spec, and what it was made from.

    Attributes:
        text: The YAML; it always passes `qetch validate`.
        evidence: What it reads; nothing if the page gave nothing, and the text is a skeleton.
        files: The URLs of the files that it was seen to give.
        passed_over: What else was found, best first.
    """

    text: str
    evidence: str = ""
    files: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


def compose(address: Address, page: Page, session: Session | None = None) -> Draft:
    """The first spec for a page.

    Args:
        address: The URL, taken apart.
        page: What is there.
        session: For a look at one or two pages that it leads to; without, nothing else is asked.

    Raises:
        UnsupportedURL: The URL is that of a file, for which no spec is needed.
    """
    if page.kind_of_file:
        raise UnsupportedURL(f"{page.url} is the file itself, of type {page.content_type[:40]} - `qetch get` takes it")
    looked: dict[str, Page] = {}
    scene = Scene(page, address, _looker(session, address, looked) if session else lambda _: None)
    found = proposals(scene)
    both = merged(found) if page.root is not None else None
    candidates = [both, *found] if both and found and found[0].item else found
    saved = {address.url: page, **{url: page for proposal in found for url in proposal.also}, **looked}
    with Trial(saved.items()) as trial:
        for proposal in candidates[:MAX_TRIALS]:
            for text in _texts(address, page, proposal):
                if trial.passes(text, address.url, proposal.expected):
                    others = tuple(other.evidence for other in found if other.evidence not in proposal.evidence)
                    return Draft(text, proposal.evidence, proposal.expected, others)
    return Draft(_skeleton(address, page))


def _texts(address: Address, page: Page, proposal: Proposal) -> Iterator[str]:
    """The spec of a proposal: with a request built from the URL's groups, and if need be with the URL as it is."""
    yield render(build(address, page, proposal))
    yield render(build(address, page, proposal, by_source=True))


def _skeleton(address: Address, page: Page) -> str:
    text = render(skeleton(address, page))
    problems = problems_of(text)
    if problems:  # a mistake of this package: better no file than one that `validate` refuses
        raise AssertionError(f"the draft is not valid: {problems[0]}")
    return text


def _looker(session: Session, address: Address, looked: dict[str, Page]) -> Callable[[str], Page | None]:
    """Fetches a page of the same host; at most `MAX_LOOKS` of them, and one that does not come is none."""
    from qetch.errors import QetchError
    from qetch.extractors.hosts import split

    def look(url: str) -> Page | None:
        if url in looked:
            return looked[url]
        try:
            if len(looked) >= MAX_LOOKS or split(url)[0] != address.host:
                return None
            looked[url] = fetch_page(session, url)
        except QetchError as error:
            logging.getLogger("qetch").warning("%s", error)
            return None
        return looked[url]

    return look
