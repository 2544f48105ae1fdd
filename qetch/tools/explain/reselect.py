"""Finds the recorded values in new markup, and proposes CSS that selects them there."""

from __future__ import annotations

from itertools import chain as joined
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.selectors.jmes import DoesNotFit
from qetch.selectors.markup import Html, compile_css
from qetch.selectors.patterns import PatternTooSlow
from qetch.tools.explain.css import changes, fresh, parse, words_of
from qetch.tools.explain.elements import alike, ancestry, carriers, is_element, signature, twins
from qetch.tools.explain.likeness import likeness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.tools.explain.trace import Find

MAX_TRIED = 1500
MAX_OFFERS = 5
MAX_SAMPLES = 8
GOOD = 0.6


class Wanted(NamedTuple):
    """A new node, and what was selected in the recorded one: texts or elements."""

    node: Any
    outputs: list[Any]


class Selected(NamedTuple):
    """A selector, how much what it selects is like what was recorded, and how many changes it takes."""

    text: str
    score: float
    cost: int


def reselect(before: Find, now: Find, *, same: bool) -> list[Selected]:
    """Selectors for what a selector found before and no longer finds, the likeliest first.

    Args:
        before: What it found in the cassettes.
        now: What it finds.
        same: Whether both are of the same URL, so that texts should be the same and not only similar.
    """
    css = before.selector.text if before.selector else ""
    wanted = _wanted(before, now, css)
    parsed = parse(css)
    if not wanted or parsed is None:
        return []
    targets, suffixes = _targets(wanted, parsed.suffix, same=same)
    if not targets:
        return []
    every = [(element, ancestry(element, node)) for node, elements in targets for element in elements[:3]]
    words = words_of([chain for _, chain in every])
    anew = ((4, text) for _, chain in every[:4] for text in fresh(chain, suffixes))
    return _best(islice(joined(changes(parsed, words, suffixes), anew), MAX_TRIED), wanted, before.every, same=same)


def _wanted(before: Find, now: Find, css: str) -> list[Wanted]:
    """The new nodes with the outputs to look for in each: those of the same row, or else of any."""
    roots = [_root(node) for node, _ in before.samples]
    recorded = [_select(css, root) if root is not None else [] for root in roots]
    outputs = [found if before.every else found[:1] for found in recorded]
    nodes = [_root(node) for node, _ in now.samples]
    if len(nodes) != len(outputs):
        some = [found for found in outputs if found][:1]
        outputs = [found for found in some for _ in nodes]
    pairs = [Wanted(node, found) for node, found in zip(nodes, outputs, strict=False) if node is not None and found]
    return pairs[:MAX_SAMPLES]


def _root(node: Any) -> Any:
    if isinstance(node, Html):
        return node.root
    return node if is_element(node) else None


def _select(css: str, node: Any) -> list[Any]:
    try:
        return list(compile_css(css, "html")(node))
    except (ValueError, DoesNotFit, PatternTooSlow):
        return []


def _targets(wanted: Sequence[Wanted], suffix: str, *, same: bool) -> tuple[list[tuple[Any, list[Any]]], list[str]]:
    """The elements in the new nodes that hold what is wanted, and the suffixes with which that is read."""
    targets: list[tuple[Any, list[Any]]] = []
    suffixes: dict[str, int] = {suffix: 0}
    for node, outputs in wanted:
        elements: list[Any] = []
        for output in outputs[:4]:
            if is_element(output):
                elements += twins(output, node, same=same)[:2]
                continue
            found = carriers(str(output), node, same=True) or ([] if same else carriers(str(output), node, same=False))
            for carrier in found:
                name = f"::attr({carrier.attribute})" if carrier.attribute else "::text"
                suffixes[name] = suffixes.get(name, 0) + 1
                elements.append(carrier.element)
        if elements:
            targets.append((node, elements))
    return targets, sorted(suffixes, key=lambda name: (name != suffix, -suffixes[name]))


def _best(tried: Iterator[tuple[int, str]], wanted: Sequence[Wanted], every: bool, *, same: bool) -> list[Selected]:
    found: dict[str, Selected] = {}
    for cost, text in tried:
        if text in found:
            continue
        score = _agreement(text, wanted, every, same=same)
        if score >= GOOD:
            found[text] = Selected(text, score, cost)
        if sum(one.score > 0.97 for one in found.values()) >= MAX_OFFERS:
            break
    return sorted(found.values(), key=lambda one: (-round(one.score, 2), one.cost, len(one.text)))[:MAX_OFFERS]


def _agreement(css: str, wanted: Sequence[Wanted], every: bool, *, same: bool) -> float:
    """How much a selector finds in the new nodes what was found in the recorded ones."""
    total = 0.0
    for node, outputs in wanted:
        found = _select(css, node)
        if not found:
            return 0.0
        if every and same:
            total += _pairwise(outputs, found) * min(len(found), len(outputs)) / max(len(found), len(outputs))
        elif every:
            some = found[:MAX_SAMPLES]
            total += sum(max(_alike(output, one) for output in outputs[:MAX_SAMPLES]) for one in some) / len(some)
        else:
            total += _alike(outputs[0], found[0])
    return total / len(wanted)


def _pairwise(old: Sequence[Any], new: Sequence[Any]) -> float:
    pairs = list(zip(old, new, strict=False))[:MAX_SAMPLES]
    return sum(_alike(one, other) for one, other in pairs) / len(pairs)


def _alike(old: Any, new: Any) -> float:
    if is_element(old) and is_element(new):
        return alike(signature(old), signature(new)) * (1.0 if old.tag == new.tag else 0.97)
    if is_element(old) or is_element(new):
        return 0.0
    return likeness(str(old), str(new))
