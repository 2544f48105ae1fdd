"""From a page to a spec: gathers proposals, tries the best ones, and writes the first that holds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qetch.errors import UnsupportedURL
from qetch.tools.new.arrivals import advice, refuse_gate
from qetch.tools.new.asked import Sent, first_bodies
from qetch.tools.new.build import NOTHING, build, skeleton
from qetch.tools.new.finders import proposals
from qetch.tools.new.meta import PREVIEW
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
        advice: What helps, if the page gave nothing.
    """

    text: str
    evidence: str = ""
    files: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    advice: str = ""


def compose(address: Address, page: Page, session: Session | None = None, sent: Sent = NOTHING) -> Draft:
    """The first spec for a page.

    Args:
        address: The URL, taken apart.
        page: What is there.
        session: For a look at one or two pages that it leads to; without, nothing else is asked.
        sent: What went along with the request.

    Raises:
        UnsupportedURL: The URL is that of a file, for which no spec is needed.
        UserError: Nothing was found, and the page says why: there is no such page, or it wants to see a browser.
    """
    if page.kind_of_file:
        raise UnsupportedURL(f"{page.url} is the file itself, of type {page.content_type[:40]} - `qetch get` takes it")
    looked: dict[str, Page] = {}
    gone: list[str] = []
    scene = Scene(page, address, _looker(session, address, looked, gone) if session else lambda _: None)
    found = proposals(scene)
    both = merged(found) if page.root is not None else None
    candidates = [both, *found] if both and found and found[0].item else found
    saved = {address.request.url: page, **{url: page for proposal in found for url in proposal.also}, **looked}
    bodies = first_bodies(sent.data, [name for proposal in found for name in proposal.query])
    with Trial(saved.items(), bodies, gone) as trial:
        for proposal in candidates[:MAX_TRIALS]:
            for text in _texts(address, page, proposal, sent):
                if trial.passes(text, address.url, proposal.expected):
                    if PREVIEW in proposal.decide:  # which a page that says "not found" may have too
                        refuse_gate(page)
                    others = tuple(other.evidence for other in found if other.evidence not in proposal.evidence)
                    return Draft(text, proposal.evidence, proposal.expected, others)
    refuse_gate(page)
    return Draft(_skeleton(address, page, sent), advice=advice(page))


def _texts(address: Address, page: Page, proposal: Proposal, sent: Sent) -> Iterator[str]:
    """The spec of a proposal: with a request built from the URL's groups, and if need be with the URL as it is."""
    yield render(build(address, page, proposal, sent))
    if address.asks is None:
        yield render(build(address, page, proposal, sent, by_source=True))


def _skeleton(address: Address, page: Page, sent: Sent) -> str:
    text = render(skeleton(address, page, sent))
    problems = problems_of(text)
    if problems:  # a mistake of this package: better no file than one that `validate` refuses
        raise AssertionError(f"the draft is not valid: {problems[0]}")
    return text


def _looker(
    session: Session, address: Address, looked: dict[str, Page], gone: list[str]
) -> Callable[[str], Page | None]:
    """Fetches a page of the same host; at most `MAX_LOOKS` of them, and one that does not come is none."""
    from qetch.errors import NotFound, QetchError
    from qetch.extractors.hosts import split

    def look(url: str) -> Page | None:
        if url in looked:
            return looked[url]
        try:
            if len(looked) >= MAX_LOOKS or split(url)[0] != address.request.host:
                return None
            looked[url] = fetch_page(session, url)
        except QetchError as error:
            logging.getLogger("qetch").warning("%s", error)
            if isinstance(error, NotFound):
                gone.append(url)
            return None
        return looked[url]

    return look
