"""The table of finders: each looks at one kind of evidence, and proposes what it could mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qetch.tools.new import answers, gallery, linked, media, meta, states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.tools.new.proposals import Proposal, Scene

FINDERS: tuple[Callable[[Scene], Iterator[Proposal]], ...] = (
    answers.find_in_answer,
    linked.find_json_ld,
    states.find_states,
    gallery.find_repeated,
    media.find_players,
    media.find_srcset,
    meta.find_open_graph,
    meta.find_oembed,
)
MAX_PROPOSALS = 40


def proposals(scene: Scene) -> list[Proposal]:
    """What all finders propose, best first; of equals the one that stands first in the table."""
    found: list[Proposal] = []
    for finder in FINDERS:
        found += [proposal for proposal in finder(scene) if proposal.expected]
    return sorted(found, key=lambda proposal: -proposal.score)[:MAX_PROPOSALS]
