"""Proposes other selectors where a site has moved its data, and tries each before it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.selectors.jmes import DoesNotFit, compile_jmespath
from qetch.tools.explain.compare import Score, is_fine, merged, score
from qetch.tools.explain.relocate import agreement, broken_keys, moves, rewrite
from qetch.tools.explain.reselect import reselect
from qetch.tools.explain.sheet import Edit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qetch.tools.explain.compare import Reference
    from qetch.tools.explain.relocate import Move
    from qetch.tools.explain.sheet import Sheet
    from qetch.tools.explain.trace import Find, Trace

MAX_ROUNDS = 12
MAX_TRIALS = 8
"""In one round; each is a run of the whole spec on the answers that are known."""


@dataclass(slots=True)
class Repair:
    """What was proposed, and what came of trying it.

    Attributes:
        compared: The URLs whose recorded answers the new ones were compared with.
        gone: Selectors that found something in the cassettes and find nothing now: place and text.
        sheet: The spec as it is, and `changed` as it would be.
        edits: Selectors to exchange, by place; tried all together.
        items: How many items the repaired spec gives, of `wanted` in the cassettes.
        complete: Whether everything that was found before is found again.
    """

    compared: list[str]
    sheet: Sheet
    changed: Sheet
    gone: list[tuple[str, str]] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    items: int = 0
    wanted: int = 0
    same_url: bool = False
    complete: bool = False


class _Candidate(NamedTuple):
    sheet: Sheet
    edits: dict[str, tuple[str, str]]


class _Stage(NamedTuple):
    reached: Score
    trace: Trace
    sheet: Sheet
    edits: dict[str, tuple[str, str]]


def repair(sheet: Sheet, reference: Reference, trace: Trace, trial: Callable[[Sheet], Trace | None]) -> Repair:
    """Selectors that read the new answers as the present ones read the recorded ones.

    Args:
        sheet: The spec as it is.
        reference: What it found in the recorded answers.
        trace: What it finds in the new ones.
        trial: Runs a changed spec on the new answers.
    """
    found = Repair(reference.urls, sheet, sheet, wanted=reference.items, same_url=reference.same)
    found.gone = [(find.where, find.text) for find, _ in _broken(reference, trace)]
    best = score(reference, trace)
    for first in (True, False):
        end = _climb(_Stage(score(reference, trace), trace, sheet, {}), reference, trial, first=first)
        if found.changed is sheet or end.reached > best:
            best = end.reached
            found.changed, found.items = end.sheet, len(end.trace.contents)
            found.edits = [Edit(where, old, new) for where, (old, new) in end.edits.items()]
            found.complete = best >= reference.best and not list(_broken(reference, end.trace))
        if found.complete:
            break
    return found


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
    for candidate in islice(_candidates(stage.sheet, reference, stage.trace), MAX_TRIALS):
        trace = trial(candidate.sheet)
        if trace is None:
            continue
        edits = dict(stage.edits)
        for where, (old, new) in candidate.edits.items():
            edits[where] = (edits.get(where, (old, new))[0], new)
        reached = score(reference, trace)
        yield _Stage(reached, trace, candidate.sheet, edits)
        if reached >= reference.best:
            return


def _broken(reference: Reference, trace: Trace) -> Iterator[tuple[Find, Find]]:
    """What selectors found before and do not find now, in the order in which they were asked."""
    for where, now in merged(trace, reference.site).items():
        before = reference.finds.get(where)
        if before and before.selector and now.selector and not now.secret and not is_fine(before, now, reference.same):
            yield before, now


def _candidates(sheet: Sheet, reference: Reference, trace: Trace) -> Iterator[_Candidate]:
    seen = set()
    finds = merged(trace, reference.site)
    # One of each at first: what is asked first breaks what comes after it, but not always.
    queues = [_of_find(before, now, finds, reference) for before, now in _broken(reference, trace)]
    while queues:
        for queue in list(queues):
            edits = next(queue, None)
            if edits is None:
                queues.remove(queue)
                continue
            for way in (edits, _beside(sheet, edits)):
                changed = sheet.edited(way) if way else None
                if changed is not None and changed.text not in seen:
                    seen.add(changed.text)
                    yield _Candidate(changed, way)


def _beside(sheet: Sheet, edits: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The edits for texts that several places share: there the old selector is kept beside the new."""
    if not any(sheet.is_shared(where, old) for where, (old, _) in edits.items()):
        return {}
    return {
        where: (old, f"not_null({new}, {old})" if sheet.is_shared(where, old) and _is_jmespath(new) else new)
        for where, (old, new) in edits.items()
    }


def _is_jmespath(text: str) -> bool:
    return _read(text, []) is not None


def _of_find(
    before: Find, now: Find, finds: dict[str, Find], reference: Reference
) -> Iterator[dict[str, tuple[str, str]]]:
    """Edits that may cure one selector; some cure others as well, that read the same objects."""
    if now.selector is None:
        return
    if now.selector.language == "css":
        for selected in reselect(before, now, same=reference.same):
            yield {now.where: (now.selector.text, selected.text)}
    elif now.selector.language == "jmespath":
        text = now.selector.text
        for move in moves(text, _nodes(before), _nodes(now)):
            others = dict(_others(move, now, finds, reference))
            for new in _ranked(before, now, rewrite(text, move, _nodes(now))):
                yield {**others, now.where: (text, new)}


def _others(
    move: Move, now: Find, finds: dict[str, Find], reference: Reference
) -> Iterator[tuple[str, tuple[str, str]]]:
    """The same move in other selectors that have lost the same key of the same objects."""
    if move.first is None or move.first != move.number:
        return
    for where, other in finds.items():
        before = reference.finds.get(where)
        if where == now.where or not (before and other.selector and other.selector.language == "jmespath"):
            continue
        if is_fine(before, other, reference.same):
            continue
        text = other.selector.text
        if any(key.name == move.key for key, _ in broken_keys(text, _nodes(before), _nodes(other))):
            ways = _ranked(before, other, rewrite(text, move, _nodes(other)))
            if ways:
                yield where, (text, ways[0])


def _ranked(before: Find, now: Find, texts: Sequence[str]) -> list[str]:
    """Expressions by how much they give what was given before; those that do not compile are left out."""
    old = _read(before.selector.text if before.selector else "", _nodes(before))
    scored: list[tuple[float, int, str]] = []
    for text in texts:
        new = _read(text, _nodes(now))
        if new is not None and old is not None:
            scored.append((-round(agreement(old, new), 2), len(scored), text))
    return [text for *_, text in sorted(scored)]


def _read(text: str, nodes: Sequence[Any]) -> list[Any] | None:
    try:
        find = compile_jmespath(text)
    except ValueError:
        return None
    return [_quietly(find, node) for node in nodes]


def _quietly(find: Callable[[Any], Any], node: Any) -> Any:
    try:
        return None if node is None else find(node)
    except DoesNotFit:
        return None


def _nodes(find: Find) -> list[Any]:
    return [node for node, _ in find.samples]
