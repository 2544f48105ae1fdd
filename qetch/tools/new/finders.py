"""The table of finders: each looks at one kind of evidence, and proposes what it could mean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qetch.tools.new import answers, feeds, gallery, linked, media, meta, pictures, states
from qetch.tools.new.onward import next_link
from qetch.tools.new.proposals import numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.tools.new.proposals import Proposal, Scene

FINDERS: tuple[Callable[[Scene], Iterator[Proposal]], ...] = (
    answers.find_in_answer,
    feeds.find_in_xml,
    feeds.find_in_texts,
    linked.find_json_ld,
    states.find_states,
    gallery.find_repeated,
    media.find_players,
    media.find_download,
    pictures.find_srcset,
    pictures.find_picture,
    meta.find_open_graph,
    meta.find_oembed,
)
MAX_PROPOSALS = 40


def proposals(scene: Scene) -> list[Proposal]:
    """What all finders propose, best first; of equals the one that stands first in the table."""
    found: list[Proposal] = []
    for finder in FINDERS:
        found += [numbered(_led_on(proposal, scene)) for proposal in finder(scene) if proposal.expected]
    return sorted(found, key=lambda proposal: -proposal.score)[:MAX_PROPOSALS]


def _led_on(proposal: Proposal, scene: Scene) -> Proposal:
    """A list of an HTML page goes on where the page has a link to the next one."""
    if proposal.pages or "each" not in proposal.block or scene.page.root is None:
        return proposal
    onward = next_link(scene.page)
    return replace(proposal, pages={"next": onward}) if onward else proposal
