"""Proposes other selectors where a site has moved its data, and tries each before it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from qetch.tools.explain.candidates import broken, candidates
from qetch.tools.explain.compare import Score, is_found_again, lost, merged, misleads, score
from qetch.tools.explain.relocate import rivals, stood_before
from qetch.tools.explain.sheet import Edit
from qetch.tools.explain.whereabouts import whereabouts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.tools.explain.candidates import Candidate, Edits
    from qetch.tools.explain.compare import Reference
    from qetch.tools.explain.sheet import Lost, Sheet
    from qetch.tools.explain.trace import Find, Trace

MAX_ROUNDS = 12
MAX_TRIALS = 8
"""In one round; each is a run of the whole spec on the answers that are known."""

_names = re.compile(r"[\w.]+")


class Gone(NamedTuple):
    """A selector that does not find what it found in the cassettes.

    Attributes:
        where: Its place in the spec.
        lost: What it finds of that.
        cured: Whether the changed spec finds it again.
        value: One of the recorded values, and `place` where it stands in the new answers, in words; or empty.
    """

    where: str
    text: str
    lost: Lost
    cured: bool
    value: str = ""
    place: str = ""


@dataclass(slots=True)
class Repair:
    """What was proposed, and what came of trying it.

    Attributes:
        compared: The URLs whose recorded answers the new ones were compared with.
        gone: Selectors that do not find what they found in the cassettes.
        sheet: The spec as it is, and `changed` as it would be.
        edits: Selectors to exchange, by place; tried all together.
        items: How many items the repaired spec gives, of `wanted` in the cassettes.
        complete: Whether everything that was found before is found again.
        surplus: How many facts of the contents were not recorded, if the same things should be found.
    """

    compared: list[str]
    sheet: Sheet
    changed: Sheet
    gone: list[Gone] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    items: int = 0
    wanted: int = 0
    same_url: bool = False
    complete: bool = False
    surplus: int = 0

    @property
    def sure(self) -> bool:
        """Whether the changed spec gives what was recorded, all of it and nothing else."""
        return self.complete and not self.surplus and all(edit.sure for edit in self.edits)


class _Origin(NamedTuple):
    """Of an edit: what the selector had lost, and the number of the change that it came with."""

    lost: Lost
    number: int


class _Stage(NamedTuple):
    reached: Score
    trace: Trace
    sheet: Sheet
    edits: Edits
    origins: dict[str, _Origin]


def repair(sheet: Sheet, reference: Reference, trace: Trace, trial: Callable[[Sheet], Trace | None]) -> Repair:
    """Selectors that read the new answers as the present ones read the recorded ones.

    Args:
        sheet: The spec as it is.
        reference: What it found in the recorded answers.
        trace: What it finds in the new ones.
        trial: Runs a changed spec on the new answers.
    """
    found = Repair(reference.urls, sheet, sheet, wanted=reference.items, same_url=reference.same)
    begin = best = _Stage(score(reference, trace), trace, sheet, {}, {})
    for first in (True, False):
        end = _climb(begin, reference, trial, first=first)
        best = end if end.reached > best.reached else best
        found.complete = best.reached[:3] >= reference.best[:3] and not any(broken(reference, best.trace))
        if found.complete:
            break
    found.changed, found.items = best.sheet, len(best.trace.contents)
    found.edits = list(_edits(best, reference))
    found.surplus = -best.reached.surplus
    then = merged(best.trace, reference.site)
    still = {before.where for before, _ in broken(reference, best.trace)}
    for before, now in broken(reference, trace):
        cured = bool(found.edits) and before.where in then and before.where not in still
        found.gone.append(_gone(before, now, trace, cured=cured))
    return found


def _gone(before: Find, now: Find, trace: Trace, *, cured: bool) -> Gone:
    value, place = ("", "") if cured else whereabouts(before, trace)
    return Gone(now.where, now.text, lost(before, now), cured, value, place)


def _place(where: str, reference: Reference) -> str:
    """The place of the value that an edit is of; that of a regex is inside it."""
    return where if where in reference.finds else where.rpartition(".")[0]


def _edits(end: _Stage, reference: Reference) -> Iterator[Edit]:
    finds = merged(end.trace, reference.site)
    doubtful = {end.origins[where].number for where in end.edits if not _is_sure(where, end, finds, reference)}
    for where, (old, new) in end.edits.items():
        place = _place(where, reference)
        before, now = reference.finds.get(place), finds.get(place)
        others: tuple[str, ...] = ()
        sure = end.origins[where].number not in doubtful
        if sure and before and now and _names.fullmatch(old) and _names.fullmatch(new):
            others = _rivals(old, new, before, now)
        yield Edit(where, old, new, end.origins[where].lost, sure and not others, others)


def _is_sure(where: str, end: _Stage, finds: dict[str, Find], reference: Reference) -> bool:
    """Whether an edit finds what was recorded, and not by chance, as far as can be seen."""
    place = _place(where, reference)
    before, now = reference.finds.get(place), finds.get(place)
    if not (reference.same and before and now and is_found_again(before, now)):
        return False
    block = place.removesuffix("in")
    if before.role == "rows" and any(each.where.startswith(block) for each, _ in broken(reference, end.trace)):
        return False  # these may be other rows
    is_jmespath = bool(before.selector and before.selector.language == "jmespath" and place == where)
    return not (is_jmespath and stood_before(*end.edits[where], before.nodes))


def _rivals(old: str, new: str, before: Find, now: Find) -> tuple[str, ...]:
    """Other paths to the same values, unless the new one is told from them by its name, which is the old one."""
    name = old.rpartition(".")[2]
    if new.rpartition(".")[2] == name:
        return ()
    found = rivals(name, [found for _, found in before.samples], now.nodes, before.nodes)
    return tuple(path for path in found if path != new) if not before.value or not before.value.steps else ()


def _climb(stage: _Stage, reference: Reference, trial: Callable[[Sheet], Trace | None], *, first: bool) -> _Stage:
    """Changes one thing after the other, as long as that makes it better.

    Args:
        stage: Where to begin.
        reference: What is to be found again.
        trial: Runs a changed spec.
        first: Take the first change that makes it better, which is the smallest, instead of the one that gains most:
            neither way always leads to the end.
    """
    for _ in range(MAX_ROUNDS):
        if stage.reached >= reference.best:
            break
        better = (each for each in _tried(stage, reference, trial) if each.reached > stage.reached)
        chosen = next(better, None) if first else max(better, key=lambda each: each.reached, default=None)
        if chosen is None:
            break
        stage = chosen
    return stage


def _tried(stage: _Stage, reference: Reference, trial: Callable[[Sheet], Trace | None]) -> Iterator[_Stage]:
    """What comes of the candidates for the next change; none behind one that leaves nothing to wish for."""
    for candidate in islice(candidates(stage.sheet, reference, stage.trace), MAX_TRIALS):
        trace = trial(candidate.sheet)
        reached = _reached(candidate, trace, stage, reference) if trace else None
        if reached:
            yield reached
            if reached.reached >= reference.best:
                return


def _reached(candidate: Candidate, trace: Trace, stage: _Stage, reference: Reference) -> _Stage | None:
    """Where a candidate leads to; None if one of its selectors finds nothing but what was not recorded."""
    finds, then = merged(stage.trace, reference.site), merged(trace, reference.site)
    edits, origins = dict(stage.edits), dict(stage.origins)
    number = max((origin.number for origin in origins.values()), default=0) + 1
    for where, (old, new) in candidate.edits.items():
        edits[where] = (edits.get(where, (old, new))[0], new)
        place = _place(where, reference)
        before, now = reference.finds.get(place), then.get(place)
        if before and now and reference.same and misleads(before, now):
            return None
        was = finds.get(place, now)
        had = origins[where].lost if where in origins else lost(before, was) if before and was else "other"
        origins[where] = _Origin(had, number)
    return _Stage(score(reference, trace), trace, candidate.sheet, edits, origins)
