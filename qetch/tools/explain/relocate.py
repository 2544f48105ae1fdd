"""Finds the recorded values in a new JSON answer, and rewrites JMESPath so that it reads them there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.selectors.jmes import DoesNotFit, compile_jmespath
from qetch.selectors.keys import keys_of
from qetch.tools.explain.likeness import ALIKE, kind_of, likeness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.selectors.keys import Key

MAX_STEPS = 4
MAX_KEYS = 80
"""Of one object: one with more is a table, whose keys are data."""
MAX_PATHS = 3000
MAX_PAIRS = 40
MAX_OFFERS = 6
NEAR = 0.15
"""What is less alike than the best by more than this is not offered beside it."""
CLEAR = 0.9
"""What is more alike than this is it."""
BROKEN = 0.3
"""What is less alike than this is something else."""

_plain = re.compile(r"[A-Za-z_]\w*")


class Offer(NamedTuple):
    """A path from where a key is asked for, or from the root, to what it gave before.

    Attributes:
        score: How much what is there is like what was recorded.
        cost: How far it is: the lower of two with the same score is meant.
    """

    path: str
    score: float
    cost: float


@dataclass(frozen=True, slots=True)
class Move:
    """A key of an expression that gave something, and where that is now.

    Attributes:
        key: Its name.
        number: Of the key in the expression; `first` is that of the key where the path begins, or None for the root.
        contexts: The objects of the new answer that the key is asked of, by their ids.
    """

    key: str
    number: int
    first: int | None
    offer: Offer
    contexts: frozenset[int]


def broken_keys(text: str, old: Sequence[Any], new: Sequence[Any]) -> list[tuple[Key, Key]]:
    """The keys of an expression that gave something when read from the old nodes, and nothing alike from the new."""
    pairs = zip(keys_of(text, old), keys_of(text, new), strict=False)
    return [(before, now) for before, now in pairs if _is_broken(before, now)]


def _is_broken(before: Key, now: Key) -> bool:
    gave = [found for _, found in before.uses if tells(found)]
    asked = [found for context, found in now.uses if isinstance(context, (dict, list))]
    if not gave or not asked:
        return False
    return agreement([found for _, found in before.uses], [found for _, found in now.uses]) < BROKEN


def tells(found: Any) -> bool:
    """Whether it can be told from others: null, "", [] and {} are all alike."""
    return found is not None and not (isinstance(found, (str, list, dict)) and not found)


def agreement(old: Sequence[Any], new: Sequence[Any]) -> float:
    """How much the values are like those before: pair by pair if they are as many, else each like any."""
    if len(old) == len(new):
        pairs = list(zip(old, new, strict=True))[:MAX_PAIRS]
        there = [likeness(before, now) for before, now in pairs if tells(before)]
        surplus = sum(before is None and now is not None for before, now in pairs)
        return sum(there) / len(there) * (1 - 0.5 * surplus / len(pairs)) if there else 0.0
    there = [before for before in old if tells(before)][:8]
    values = [now for now in new[:MAX_PAIRS] if now is not None]
    if not there or not values:
        return 0.0
    best = [max(likeness(before, now) for before in there) for now in values]
    share = len(values) / len(new[:MAX_PAIRS])
    wanted = len(there) / len(old[:8])
    return sum(best) / len(best) * (1 - 0.5 * abs(share - wanted))


def moves(text: str, old: Sequence[Any], new: Sequence[Any]) -> list[Move]:
    """Where the values of the broken keys of an expression may be now, the likeliest first.

    Without a broken key, where the nodes themselves may be now, for an expression that gives something else.
    """
    before, after = keys_of(text, old), keys_of(text, new)
    for number, (was, now) in enumerate(zip(before, after, strict=False)):
        found = list(_moves_of(number, before, after)) if _is_broken(was, now) else []
        if found:
            return sorted(found, key=lambda move: (-round(move.offer.score, 2), move.offer.cost))[:MAX_OFFERS]
    if agreement(old, new) >= ALIKE:  # the place is the same, and what is asked for is not there
        return []
    ids = frozenset(map(id, new))
    return [Move("", -1, None, offer, ids) for offer in relocate("", list(old), list(new))]


def _moves_of(number: int, before: Sequence[Key], after: Sequence[Key]) -> Iterator[Move]:
    """Where the value of a broken key may be: below the same object, or that of the dotted names around it."""
    chain = [i for i, key in enumerate(after) if key.chain == after[number].chain]
    spans = [(number, number), *((first, number) for first in chain if first < number)]
    spans += [(number, last) for last in chain if last > number]
    for first, last in spans:
        results = [result for _, result in before[last].uses]
        contexts = [context for context, _ in after[first].uses]
        if first != last and len(contexts) != len(results):
            continue
        offers = relocate(before[last].name, results, contexts)
        ids = frozenset(map(id, contexts))
        yield from (Move(before[last].name, last, first, offer, ids) for offer in offers)
        if offers and offers[0].score > CLEAR:
            return


def relocate(name: str, results: Sequence[Any], contexts: Sequence[Any]) -> list[Offer]:
    """Paths from the contexts to values like the results; `name` is that of the key which led there."""
    wanted = {kind_of(result) for result in results if tells(result)}
    offers: dict[str, Offer] = {}
    for context in _telling(results, contexts):
        for path, kind, steps in _paths(context):
            if kind in wanted and path not in offers:
                score = agreement(results, [_read(path, context) for context in contexts])
                if score >= ALIKE:
                    unlike = 1 - SequenceMatcher(None, name, path).ratio()
                    offers[path] = Offer(path, score, steps + unlike / 2 + 0.5 * path.count("["))
    best = max((offer.score for offer in offers.values()), default=0.0)
    near = [offer for offer in offers.values() if offer.score > best - NEAR]
    return sorted(near, key=lambda offer: (-round(offer.score, 2), offer.cost))[:MAX_OFFERS]


def _telling(results: Sequence[Any], contexts: Sequence[Any]) -> list[Any]:
    """A few contexts in which the results should be: those where there was one, if that is known."""
    pairs = (
        zip(results, contexts, strict=True) if len(results) == len(contexts) else ((True, each) for each in contexts)
    )
    return [context for result, context in pairs if tells(result) and isinstance(context, (dict, list))][:3]


def _read(path: str, context: Any) -> Any:
    try:
        return compile_jmespath(path)(context)
    except DoesNotFit:
        return None


def _paths(root: Any) -> Iterator[tuple[str, str, int]]:
    """Paths to all that is not far below: the path, the kind of what it gives, and how many steps it has."""
    level: list[tuple[str, Any, bool]] = [("", root, False)]
    count = 0
    for steps in range(1, MAX_STEPS + 1):
        below: list[tuple[str, Any, bool]] = []
        for path, value, many in level:
            for longer, child, all_of_them in _children(path, value, many):
                count += 1
                if count > MAX_PATHS:
                    return
                yield longer, "list" if all_of_them else kind_of(child), steps
                below.append((longer, child, all_of_them))
        level = below


def _children(path: str, value: Any, many: bool) -> Iterator[tuple[str, Any, bool]]:
    """One step further: a path, an example of what is there, and whether it gives many of them."""
    if isinstance(value, dict) and len(value) <= MAX_KEYS:
        for key, child in value.items():
            name = key if _plain.fullmatch(key) else json.dumps(key, ensure_ascii=False)
            yield f"{path}.{name}" if path else name, child, many
    elif isinstance(value, list) and value:
        if len(value) == 1:
            yield f"{path}[0]", value[0], many
        if not many or isinstance(value[0], (dict, list)):
            yield f"{path}[]", value[0], True


def rewrite(text: str, move: Move, new: Sequence[Any]) -> list[str]:
    """The expression with the moved key replaced, wherever it is asked of the same objects; in several ways."""
    if move.first is None:
        return _prefixed(text, move.offer.path)
    keys = keys_of(text, new)
    if move.first != move.number and move.number < len(keys):
        first, last = keys[move.first], keys[move.number]
        return _spliced(text, first.start, last.end, first.start, move.offer.path)
    texts = [text]
    for key in reversed(keys):
        # One that was never asked, as a condition before it did not hold, is most likely of the same objects.
        asked = [id(context) for context, _ in key.uses]
        if key.name == move.key and (not asked or not move.contexts.isdisjoint(asked)):
            chain = keys[key.chain].start
            texts = [new for old in texts for new in _spliced(old, key.start, key.end, chain, move.offer.path)]
    return [new for new in dict.fromkeys(texts) if new != text][:4]


def _spliced(text: str, start: int, end: int, chain: int, path: str) -> list[str]:
    before, after = text[:start], text[end:]
    if path.startswith("["):
        before = before.removesuffix(".")
    if start == chain and before.endswith("!") and not _plain.fullmatch(path):  # `!` binds closer than a dot
        return [f"{before}({path}){after}"]
    texts = [f"{before}{path}{after}"]
    if "[]" in path and after.startswith("["):  # a filter behind it is for the list, not for each item
        texts.insert(0, f"{before[:chain]}({before[chain:]}{path}){after}")
    return texts


def _prefixed(text: str, path: str) -> list[str]:
    if text == "@":
        return [path]
    if text.startswith("["):
        bracketed = f"({path}){text}"
        return [bracketed, f"{path} | {text}"] if "[]" in path else [f"{path}{text}", f"{path} | {text}"]
    return [f"{path}.{text}", f"{path} | {text}"] if _plain.match(text) else [f"{path} | {text}"]
