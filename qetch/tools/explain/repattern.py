"""Finds recorded values in a new text, and proposes regexes that match them there."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.engine.reading import as_text, select
from qetch.selectors import patterns
from qetch.selectors.jmes import DoesNotFit
from qetch.tools.explain.likeness import likeness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.tools.explain.trace import Find

SECONDS = 0.05
"""For one regex on one text: a slower one is not proposed."""
MAX_TEXT = 300_000
MAX_TRIED = 400
MAX_SAMPLES = 6
MAX_OFFERS = 4
MAX_CONTEXTS = 6
BEFORE, AFTER = 60, 20
"""Characters around a value in which it may be known by what stands there."""
GOOD = 0.9

_word = re.compile(r"(?<![\\\w])[A-Za-z_][\w-]+")
_group = re.compile(r"\((?!\?)(?:[^()\\\[]|\\.|\[(?:[^\]\\]|\\.)*\])*\)")


class Wanted(NamedTuple):
    """A new text, and what was matched in the recorded one."""

    text: str
    outputs: list[str]


def regex_of(find: Find) -> tuple[str, str]:
    """The regex of a find and its place in the spec; both empty if there is none."""
    if find.selector and find.selector.language == "regex":
        return find.selector.text, find.where
    return (find.regex, f"{find.where}.regex") if find.regex else ("", "")


def repattern(before: Find, now: Find) -> list[str]:
    """Regexes that find in the new texts what was found in the recorded ones, the likeliest first."""
    pattern, _ = regex_of(before)
    found = [_matches(pattern, text, every=before.every) for text in texts_of(before)]
    new = texts_of(now)
    if len(found) != len(new):
        found = [outputs for outputs in found if outputs][:1] * len(new)
    wanted = [Wanted(*pair) for pair in zip(new, found, strict=False) if pair[0] and pair[1]][:MAX_SAMPLES]
    scored: list[tuple[float, int, str]] = []
    for text in islice(dict.fromkeys(_candidates(pattern, wanted)), MAX_TRIED):
        score = _agreement(text, wanted, every=before.every)
        if score >= GOOD:
            scored.append((-round(score, 2), len(scored), text))
        if len(scored) >= MAX_OFFERS:
            break
    return [text for *_, text in sorted(scored)]


def texts_of(find: Find) -> list[str]:
    """What the regex of a find is asked of: the places themselves, or what the selector before it gives."""
    selects = find.selector is not None and find.selector.language != "regex"
    return [_text(find, node, selects=selects)[:MAX_TEXT] for node in find.nodes]


def _text(find: Find, node: Any, *, selects: bool) -> str:
    try:
        if selects and find.selector:
            found = select(find.selector, node)
            node = next(iter(found), None) if isinstance(found, list) else found
        return as_text(node) or ""
    except (DoesNotFit, patterns.PatternTooSlow):
        return ""


def _matches(pattern: str, text: str, *, every: bool) -> list[str]:
    try:
        matches = patterns.compiled(pattern).finditer(text, timeout=SECONDS)
        found = (patterns.found(match) for match in (matches if every else islice(matches, 1)))
        return [each for each in found if each]
    except TimeoutError:
        return []


def _agreement(pattern: str, wanted: Sequence[Wanted], *, every: bool) -> float:
    if patterns.check(pattern):
        return 0.0
    total = 0.0
    for text, outputs in wanted:
        found = _matches(pattern, text, every=every)
        if not found:
            return 0.0
        pairs = zip(outputs, found, strict=False)
        total += sum(likeness(*pair) for pair in pairs) / max(len(outputs), len(found))
    return total / len(wanted)


def _candidates(pattern: str, wanted: Sequence[Wanted]) -> Iterator[str]:
    """The regex with one of its words exchanged, or with all around its group made anew."""
    contexts = [context for text, outputs in wanted for output in outputs[:2] for context in _contexts(text, output)]
    contexts = contexts[:MAX_CONTEXTS]
    nearby = dict.fromkeys(
        word for before, after in contexts for word in _word.findall(before)[::-1] + _word.findall(after)
    )
    plain = _group.sub(lambda group: " " * len(group[0]), pattern)
    for old in _word.finditer(plain):
        yield from (pattern[: old.start()] + re.escape(new) + pattern[old.end() :] for new in nearby)
    group = _group.search(pattern)
    for before, after in contexts:
        start = re.search(r"[\w-]*\W{0,12}\Z", before)
        if start and start[0] and after:
            yield _escaped(start[0]) + (group[0] if group else f"([^{_escaped(after[0])}]+)") + _escaped(after[0])


def _contexts(text: str, value: str) -> Iterator[tuple[str, str]]:
    """What stands before and behind each place of a value."""
    if len(value) > 1:
        for found in islice(re.finditer(re.escape(value), text), MAX_CONTEXTS):
            yield text[max(0, found.start() - BEFORE) : found.start()], text[found.end() : found.end() + AFTER]


def _escaped(text: str) -> str:
    """A text as a regex takes it, with any blanks for blanks."""
    return re.sub(r"(?:\\?\s)+", r"\\s+", re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text))
