"""Finds the recorded values in a new JSON answer, and rewrites JMESPath so that it reads them there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.selectors.jmes import DoesNotFit, compile_jmespath
from qetch.selectors.keys import keys_of
from qetch.tools.explain.likeness import ALIKE, holdings, is_retyped, kind_of, likeness
from qetch.tools.explain.trace import is_nothing

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
HELD = 0.7
"""What holds so much of the same is taken for the same with other names in it."""
SEVERAL = 3
STOOD = 2.0
"""What it costs, in steps, that a path led to something before."""
EXACT = 0.001
BROKEN = 0.3
"""What is less alike than this is something else."""

CONVERSIONS = {("number", "text"): "to_number", ("text", "number"): "to_string"}
"""What makes of a value there is now one of the kind that was recorded."""

_plain = re.compile(r"[A-Za-z_]\w*")
_last = re.compile(r"(?:[A-Za-z_]\w*|\"[^\"]*\")\Z")


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

    def beside(self) -> Move:
        """The same, with the old key still asked where the new path leads to nothing."""
        name = key_text(self.key)
        return replace(self, offer=self.offer._replace(path=f"not_null({self.offer.path}, {name})"))


def broken_keys(text: str, old: Sequence[Any], new: Sequence[Any]) -> list[tuple[Key, Key]]:
    """The keys of an expression that gave something when read from the old nodes, and nothing alike from the new.

    Those of dotted names that came to nothing in the old nodes are not among them: they are no loss.
    """
    recorded = keys_of(text, old)
    ends = {key.chain: any(tells(found) for _, found in key.uses) for key in recorded}  # the last of a chain stays
    pairs = zip(recorded, keys_of(text, new), strict=False)
    return [(before, now) for before, now in pairs if ends[before.chain] and _is_broken(before, now)]


def _is_broken(before: Key, now: Key) -> bool:
    gave = [found for _, found in before.uses if tells(found)]
    asked = [found for context, found in now.uses if isinstance(context, (dict, list))]
    if not gave or not asked:
        return False
    return agreement([found for _, found in before.uses], [found for _, found in now.uses]) < BROKEN


def retyped_keys(text: str, old: Sequence[Any], new: Sequence[Any]) -> list[int]:
    """The numbers of the keys of an expression that give a text where they gave the same number, or the reverse."""
    pairs = zip(keys_of(text, old), keys_of(text, new), strict=False)
    return [number for number, (before, now) in enumerate(pairs) if _is_retyped(before, now)]


def _is_retyped(before: Key, now: Key) -> bool:
    pairs = zip(before.uses, now.uses, strict=False)
    return any(is_retyped(was, found) for (_, was), (_, found) in pairs)


def tells(found: Any) -> bool:
    """Whether it can be told from others: null, "", [] and {} are all alike."""
    return not is_nothing(found)


def key_text(key: str) -> str:
    """A key as JMESPath writes it."""
    return key if _plain.fullmatch(key) else json.dumps(key, ensure_ascii=False)


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
        found: list[Move] = []
        if _is_broken(was, now) or _is_retyped(was, now):
            found = list(_moves_of(number, before, after))
        found = found or list(_moves_of_some(number, was, now))
        if found:
            return sorted(found, key=lambda move: (-round(move.offer.score, 2), move.offer.cost))[:MAX_OFFERS]
    if agreement(old, new) >= ALIKE:  # the place is the same, and what is asked for is not there
        return []
    ids = frozenset(map(id, new))
    return [Move("", -1, None, offer, ids) for offer in relocate("", list(old), list(new))]


def _moves_of_some(number: int, was: Key, now: Key) -> Iterator[Move]:
    """Where the value of a key is that only some of the objects have lost."""
    if len(was.uses) != len(now.uses):
        return
    lost = [(old, new) for old, new in zip(was.uses, now.uses, strict=True) if tells(old[1]) and not tells(new[1])]
    results, contexts = [result for (_, result), _ in lost], [context for _, (context, _) in lost]
    ids = frozenset(id(context) for context, _ in now.uses)
    for offer in relocate(was.name, results, contexts, [context for (context, _), _ in lost]):
        yield Move(was.name, number, number, offer, ids)


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
        offers = relocate(before[last].name, results, contexts, [context for context, _ in before[first].uses])
        ids = frozenset(map(id, contexts))
        yield from (Move(before[last].name, last, first, offer, ids) for offer in offers)
        if offers and offers[0].score > CLEAR:
            return


def relocate(name: str, results: Sequence[Any], contexts: Sequence[Any], recorded: Sequence[Any] = ()) -> list[Offer]:
    """Paths from the contexts to values like the results.

    Args:
        name: That of the key which led there.
        results: What it gave.
        contexts: Where to look now.
        recorded: Where it was found. What had another place in there already is hardly what has moved.
    """
    wanted = {kind_of(result) for result in results if tells(result)}
    offers: dict[str, Offer] = {}
    for context in _telling(results, contexts):
        for path, kind, steps in _paths(context):
            path = _as_wanted(path, kind, wanted)
            if path and path not in offers:
                score = agreement(results, [_read(path, context) for context in contexts])
                if score >= ALIKE:
                    offers[path] = Offer(path, score, _cost(path, steps, name, recorded))
    offers = offers or _by_holdings(results, contexts)
    best = max((offer.score for offer in offers.values()), default=0.0)
    near = [offer for offer in offers.values() if offer.score > best - NEAR]
    return sorted(near, key=lambda offer: (-round(offer.score, 2), offer.cost))[:MAX_OFFERS]


def _by_holdings(results: Sequence[Any], contexts: Sequence[Any]) -> dict[str, Offer]:
    """Paths to objects or lists that hold the same under other names, the innermost of nested ones first."""
    offers: dict[str, Offer] = {}
    for result, context in _telling_pairs(results, contexts):
        for path, kind, steps in _paths(context) if kind_of(result) in ("object", "list") else ():
            if kind == kind_of(result) and path not in offers:
                score = holdings(result, _read(path, context))
                if score >= HELD:
                    offers[path] = Offer(path, ALIKE * score, _winding(path) - steps)
    return offers


def _cost(path: str, steps: int, name: str, recorded: Sequence[Any]) -> float:
    unlike = 1 - SequenceMatcher(None, name, path).ratio()
    stood = any(tells(_read(path, context)) for context in recorded[:SEVERAL])
    return steps + unlike / 2 + _winding(path) / 4 + STOOD * stood


def _winding(path: str) -> int:
    """How much a path is more than names."""
    return 2 * (path.count("[") + path.count("*"))


def rivals(name: str, results: Sequence[Any], contexts: Sequence[Any], recorded: Sequence[Any]) -> list[str]:
    """Paths to exactly the recorded results that did not lead there when they were recorded."""
    offers = relocate(name, results, contexts, recorded)
    exact = [offer.path for offer in offers if offer.score > 1 - EXACT]
    return [path for path in exact if not any(tells(_read(path, context)) for context in recorded[:SEVERAL])]


def stood_before(old: str, new: str, recorded: Sequence[Any]) -> bool:
    """Whether an expression asks for something that another does not, and that was there when that one was good.

    Then it is hardly what has moved, even if it is the same by chance.
    """
    known = {names for names, _ in _chains(old, recorded)}
    return any(there and names not in known for names, there in _chains(new, recorded))


def _chains(text: str, nodes: Sequence[Any]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The dotted names of an expression, and whether they lead to anything."""
    for _, keys in groupby(keys_of(text, nodes), lambda key: key.chain):
        chain = list(keys)
        yield tuple(key.name for key in chain), any(tells(found) for _, found in chain[-1].uses)


def _as_wanted(path: str, kind: str, wanted: set[str]) -> str:
    """The path to a value of a kind, or what makes of that one of a wanted kind; empty if nothing does."""
    if kind in wanted:
        return path
    calls = [CONVERSIONS[each, kind] for each in wanted if (each, kind) in CONVERSIONS]
    return _last.sub(lambda name: f"{calls[0]}({name[0]})", path, count=1) if calls and _last.search(path) else ""


def _telling(results: Sequence[Any], contexts: Sequence[Any]) -> list[Any]:
    """A few contexts in which the results should be: those where there was one, if that is known."""
    if len(results) != len(contexts):
        return [context for context in contexts if isinstance(context, (dict, list))][:SEVERAL]
    return [context for _, context in _telling_pairs(results, contexts)]


def _telling_pairs(results: Sequence[Any], contexts: Sequence[Any]) -> list[tuple[Any, Any]]:
    pairs = zip(results, contexts, strict=False)
    return [pair for pair in pairs if tells(pair[0]) and isinstance(pair[1], (dict, list))][:SEVERAL]


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
    if isinstance(value, dict):
        if value and all(isinstance(child, dict) for child in value.values()):  # a table, whose keys are ids
            yield f"{path}.*" if path else "*", next(iter(value.values())), True
        for key, child in value.items() if len(value) <= MAX_KEYS else ():
            name = key_text(key)
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
    if _projects(path) and after.startswith("["):  # a filter behind it is for the list, not for each item
        texts.insert(0, f"{before[:chain]}({before[chain:]}{path}){after}")
    return texts


def _projects(path: str) -> bool:
    return "[]" in path or "*" in path


def _prefixed(text: str, path: str) -> list[str]:
    if text == "@":
        return [path]
    if text.startswith("["):
        bracketed = f"({path}){text}"
        return [bracketed, f"{path} | {text}"] if _projects(path) else [f"{path}{text}", f"{path} | {text}"]
    return [f"{path}.{text}", f"{path} | {text}"] if _plain.match(text) else [f"{path} | {text}"]
