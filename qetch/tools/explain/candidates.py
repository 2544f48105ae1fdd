"""Changes of a spec that may cure what a selector has lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.selectors.jmes import DoesNotFit, compile_jmespath
from qetch.selectors.keys import keys_of
from qetch.tools.explain.compare import is_fine, merged
from qetch.tools.explain.relocate import agreement, broken_keys, moves, retyped_keys, rewrite, tells
from qetch.tools.explain.repattern import regex_of, repattern
from qetch.tools.explain.reselect import GRAMMARS, reselect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qetch.tools.explain.compare import Reference
    from qetch.tools.explain.relocate import Move
    from qetch.tools.explain.sheet import Sheet
    from qetch.tools.explain.trace import Find, Trace

Edits = dict[str, tuple[str, str]]
"""By the place in the spec, the old and the new text."""


class Candidate(NamedTuple):
    """A changed spec, and what was changed in it."""

    sheet: Sheet
    edits: Edits


def broken(reference: Reference, trace: Trace) -> Iterator[tuple[Find, Find]]:
    """What found something before and does not find it now, in the order in which it was asked."""
    for before, now in _pairs(reference, trace):
        if not is_fine(before, now, reference.same):
            yield before, now


def _pairs(reference: Reference, trace: Trace) -> Iterator[tuple[Find, Find]]:
    for where, now in merged(trace, reference.site).items():
        before = reference.finds.get(where)
        if before and before.reads and now.reads and not now.secret:
            yield before, now


def candidates(sheet: Sheet, reference: Reference, trace: Trace) -> Iterator[Candidate]:
    """Changed specs to try, the likeliest first."""
    seen = set()
    finds = merged(trace, reference.site)
    lost = list(broken(reference, trace))
    # What has become a text is still found, but may be good for nothing, such as a date.
    retyped = [pair for pair in _pairs(reference, trace) if _is_retyped(*pair)]
    # One of each at first: what is asked first breaks what comes after it, but not always.
    queues = [_of_find(before, now, finds, reference, sheet) for before, now in lost]
    queues += [
        _of_find(*pair, finds, reference, sheet) for pair in retyped if pair[1].where not in {f.where for _, f in lost}
    ]
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
                    yield Candidate(changed, way)


def _is_retyped(before: Find, now: Find) -> bool:
    if now.selector is None or now.selector.language != "jmespath":
        return False
    return bool(retyped_keys(now.selector.text, before.nodes, now.nodes))


def _beside(sheet: Sheet, edits: Edits) -> Edits:
    """The edits for texts that several places share: there the old selector is kept beside the new."""
    if not any(sheet.is_shared(where, old) for where, (old, _) in edits.items()):
        return {}
    return {
        where: (old, f"not_null({new}, {old})" if sheet.is_shared(where, old) and _is_jmespath(new) else new)
        for where, (old, new) in edits.items()
    }


def _is_jmespath(text: str) -> bool:
    return _read(text, []) is not None


def _of_find(before: Find, now: Find, finds: dict[str, Find], reference: Reference, sheet: Sheet) -> Iterator[Edits]:
    """Edits that may cure one selector; some cure others as well, that read the same objects."""
    if now.selector and now.selector.language in GRAMMARS:
        for selected in reselect(before, now, same=reference.same):
            yield {now.where: (now.selector.text, selected.text)}
    elif now.selector and now.selector.language == "jmespath":
        text = now.selector.text
        for move in moves(text, before.nodes, now.nodes):
            for way in [move, move.beside()] if _keeps(move, now, sheet) else [move]:
                others = dict(_others(way, now, finds, reference))
                for new in _ranked(before, now, rewrite(text, way, now.nodes)):
                    yield {**others, now.where: (text, new)}
    pattern, where = regex_of(now)
    for new in repattern(before, now) if pattern else ():
        yield {where: (pattern, new)}


def _keeps(move: Move, now: Find, sheet: Sheet) -> bool:
    """Whether the old key may still be wanted: elsewhere in the spec, or in other objects than those it has left."""
    if now.selector is None or move.first != move.number:
        return False
    text = now.selector.text
    if "*" in move.offer.path or sheet.is_shared(now.where, text):
        return True
    return any(tells(found) for key in keys_of(text, now.nodes)[move.number :][:1] for _, found in key.uses)


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
        if any(key.name == move.key for key, _ in broken_keys(text, before.nodes, other.nodes)):
            ways = _ranked(before, other, rewrite(text, move, other.nodes))
            if ways:
                yield where, (text, ways[0])


def _ranked(before: Find, now: Find, texts: Sequence[str]) -> list[str]:
    """Expressions by how much they give what was given before; those that do not compile are left out."""
    old = _read(before.selector.text if before.selector else "", before.nodes)
    scored: list[tuple[float, int, str]] = []
    for text in texts:
        new = _read(text, now.nodes)
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
