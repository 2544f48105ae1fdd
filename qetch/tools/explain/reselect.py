"""Finds the recorded values in new markup, and proposes CSS or XPath that selects them there."""

from __future__ import annotations

from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.selectors.jmes import DoesNotFit
from qetch.selectors.markup import Html
from qetch.selectors.patterns import PatternTooSlow
from qetch.tools.explain import css, xpath
from qetch.tools.explain.elements import alike, ancestry, bears, carriers, is_element, signature, twins
from qetch.tools.explain.likeness import likeness
from qetch.tools.explain.steps import changes, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.tools.explain.steps import Grammar, Parsed
    from qetch.tools.explain.trace import Find

GRAMMARS: dict[str, Grammar] = {"css": css, "xpath": xpath}
MAX_TRIED = 2000
MAX_OFFERS = 5
MAX_SAMPLES = 8
GOOD = 0.6


class Wanted(NamedTuple):
    """New elements, mostly one, and what was selected in the recorded ones: texts or elements."""

    roots: list[Any]
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
    if before.selector is None:
        return []
    language, text = GRAMMARS[before.selector.language], before.selector.text
    wanted = _wanted(before, now)
    every = [language.parse(part) for part in language.alternatives(text)]
    parsed = [part for part in every if part is not None]
    if not wanted or len(parsed) < len(every):
        return []
    return _best(islice(_candidates(language, parsed, wanted, same=same), MAX_TRIED), wanted, before, same=same)


def _candidates(
    language: Grammar, parsed: Sequence[Parsed], wanted: Sequence[Wanted], *, same: bool
) -> Iterator[tuple[int, str]]:
    """Selectors to try, with what each costs: one alternative changed a little, then all made anew."""
    suffixes = list(dict.fromkeys(part.suffix for part in parsed))
    targets, suffixes = _targets(wanted, suffixes, language, same=same)
    every = [(element, ancestry(element, root)) for root, elements in targets for element in elements[:3]]
    words = words_of([chain for _, chain in every])
    ways = [changes(language, part, words, suffixes) for part in parsed if every]
    for tried in zip_longest(*ways):
        for i, changed in enumerate(tried):
            if changed is not None:
                texts = [part.text for part in parsed]
                texts[i] = changed[1]
                yield changed[0], language.BETWEEN.join(texts)
    for _, chain in every[:4]:
        yield from ((4, text) for text in language.fresh(chain, suffixes))


def _wanted(before: Find, now: Find) -> list[Wanted]:
    """The new nodes with the outputs to look for in each: those of the same row, or else of any."""
    recorded = [selected(before, node) for node in before.nodes]
    outputs = [found if before.every else found[:1] for found in recorded]
    nodes = [_roots(node) for node in now.nodes]
    if len(nodes) != len(outputs):
        some = [found for found in outputs if found][:1]
        outputs = [found for found in some for _ in nodes]
    pairs = [Wanted(roots, found) for roots, found in zip(nodes, outputs, strict=False) if roots and found]
    return pairs[:MAX_SAMPLES]


def _roots(node: Any) -> list[Any]:
    """The elements that a selector is asked of."""
    items = [item.root if isinstance(item, Html) else item for item in (node if isinstance(node, list) else [node])]
    return list(filter(is_element, items))


def selected(find: Find, node: Any) -> list[Any]:
    """What the selector of a find selects in a node of markup, before anything is done with it."""
    if find.selector is None:
        return []
    return _select(find.selector.text, _roots(node), GRAMMARS[find.selector.language])


def _select(text: str, roots: Sequence[Any], language: Grammar) -> list[Any]:
    kind = "html" if roots and roots[0].getroottree().getroot().tag == "html" else "xml"
    try:
        return [found for root in roots for found in language.finder(text, kind)(root)]
    except (ValueError, DoesNotFit, PatternTooSlow):
        return []


def _targets(
    wanted: Sequence[Wanted], own: Sequence[str], language: Grammar, *, same: bool
) -> tuple[list[tuple[Any, list[Any]]], list[str]]:
    """The elements in the new nodes that hold what is wanted, and the suffixes with which that is read."""
    targets: list[tuple[Any, list[Any]]] = []
    suffixes: dict[str, int] = dict.fromkeys(own, 0)
    for root, outputs in ((root, outputs) for roots, outputs in wanted for root in roots[:MAX_SAMPLES]):
        elements: list[Any] = []
        for output in outputs[:4]:
            if is_element(output):
                elements += twins(output, root, same=same)[:2]
                continue
            found = carriers(str(output), root, same=True) or ([] if same else carriers(str(output), root, same=False))
            for carrier in found:
                name = language.suffix_of(carrier.attribute)
                suffixes[name] = suffixes.get(name, 0) + 1
                elements.append(carrier.element)
        if elements:
            targets.append((root, elements))
    return targets, sorted(suffixes, key=lambda name: (name not in own, -suffixes[name]))


def _best(tried: Iterator[tuple[int, str]], wanted: Sequence[Wanted], before: Find, *, same: bool) -> list[Selected]:
    found: dict[str, Selected] = {}
    language = GRAMMARS[before.selector.language if before.selector else "css"]
    for cost, text in tried:
        if text in found:
            continue
        outputs = [_select(text, roots, language) for roots, _ in wanted]
        score = _agreement(outputs, wanted, before.every, same=same)
        if score >= GOOD:
            found[text] = Selected(text, score, cost)
        if sum(one.score > 0.97 for one in found.values()) >= MAX_OFFERS:
            break
    return sorted(found.values(), key=lambda one: (-round(one.score, 2), one.cost, len(one.text)))[:MAX_OFFERS]


def _agreement(selected: Sequence[list[Any]], wanted: Sequence[Wanted], every: bool, *, same: bool) -> float:
    """How much of what is selected in the new nodes is what was selected in the recorded ones."""
    total = 0.0
    for (_, outputs), found in zip(wanted, selected, strict=True):
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
        likely = (1.0 if old.tag == new.tag else 0.97) * (1.0 if bears(old, new) else 0.97)
        return alike(signature(old), signature(new)) * likely
    if is_element(old) or is_element(new):
        return 0.0
    return likeness(str(old), str(new))
