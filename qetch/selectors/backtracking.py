"""Finds regexes that are prone to backtrack exponentially: they are run on short texts that are made to hurt them.

A quantified group that can match one text in several ways is what makes it possible. Such groups are found in the
pattern's text; whether one does harm is measured, on texts that grow letter by letter. A pattern without such a group
costs next to nothing. It is `re` that is measured, for it backtracks as the textbooks say; `regex` knows a way around
some of these patterns, until somebody changes them a little.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import chain, islice, product
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STEP = 3
LONGEST = 24
"""How often an attack repeats what the group matches: 3, 6, 9 times and so on."""
SLOW = 0.003
"""Seconds, after which no longer text is tried."""
STEEP = 5.0
"""An attack counts when a step more takes so many times as long: 3 letters double it thrice."""
MOST_GROUPS = 8
MOST_LETTERS = 4
ENOUGH = 10
"""Repetitions from which on a bounded group can do harm."""

_TOKEN = re.compile(
    r"""\\. | \[\^?\]?(?:\\.|[^\]\\])*\] | \(\?\#[^)]*\) | \(\?P=\w+\)
      | \((?:\?(?:P<\w+>|[a-zA-Z]*(?:-[a-z]+)?:|<?[=!]|>))? | \) | \|
      | (?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})[?+]? | .""",
    re.DOTALL | re.VERBOSE,
)
_REPEATED = re.compile(r"\)(?:[*+]|\{\d*,|\{\d\d)")
_FLAGS = re.compile(r"\(\?[aiLmsux]+\)")
_QUANTIFIER = re.compile(r"(?:\*|\+|\{\d*,\}|\{(?:\d+,)?(?P<most>\d+)\})\??")
_LETTERS = "a0A-/_. %=,\n<\"':;&?#~b1"
_ENDS = ("!", "", "\n\n")


class Token(NamedTuple):
    """A piece of a pattern, and where it begins."""

    text: str
    start: int


class Group(NamedTuple):
    """A quantified group: where it begins and where its body ends, as indexes of tokens; how many groups are around."""

    first: int
    last: int
    depth: int


@cache
def attack(pattern: str) -> tuple[int, str] | None:
    """Where in a good pattern the group begins that backtracks exponentially, and what to repeat to see it; or None."""
    if not _REPEATED.search(pattern) or "(?(" in pattern or re.search(r"\(\?[aiLmsu]*x", pattern):
        return None
    tokens = [Token(found[0], found.start()) for found in _TOKEN.finditer(pattern)]
    flags = _FLAGS.match(pattern)
    for group in islice(_groups(tokens), MOST_GROUPS):
        start = tokens[group.first].start
        text = _explodes(flags[0] if flags else "", pattern[start:], tokens, group)
        if text is not None:
            return start, text
    return None


def _groups(tokens: list[Token]) -> Iterator[Group]:
    """The groups that repeat something that varies itself."""
    open_at: list[int] = []
    for i, (text, _) in enumerate(tokens):
        if text[0] == "(" and text[-1] != ")":
            open_at.append(i)
        elif text == ")" and open_at:
            first = open_at.pop()
            follows = tokens[i + 1].text if i + 1 < len(tokens) else ""
            if _repeats(follows) and tokens[first].text != "(?>" and any(map(_varies, tokens[first + 1 : i])):
                yield Group(first, i, len(open_at))


def _repeats(token: str) -> bool:
    found = _QUANTIFIER.fullmatch(token)
    return found is not None and (found["most"] is None or int(found["most"]) >= ENOUGH)


def _varies(token: Token) -> bool:
    return token.text == "|" or (token.text[0] in "*+?{" and token.text != "{")


def _explodes(flags: str, rest: str, tokens: list[Token], group: Group) -> str | None:
    """What the rest of the pattern, from the group on, takes for ever to refuse when it is repeated."""
    body = "".join(token.text for token in tokens[group.first : group.last + 1])
    try:
        run = re.compile(flags + "(?:" * group.depth + rest)
        repeated = re.compile(f"{flags}{body}{{3}}")
    except re.error:  # it refers to a group before it
        return None
    for pump in _pumps(tokens[group.first + 1 : group.last]):
        if repeated.fullmatch(pump * 3) and any(_is_steep(run, pump, end) for end in _ENDS):
            return pump
    return None


def _is_steep(pattern: re.Pattern[str], pump: str, end: str) -> bool:
    for count in range(STEP, LONGEST + 1, STEP):
        if _seconds(pattern, pump * count + end) > SLOW:
            # The best of three: a machine may be busy for a moment.
            before, after = (
                min(_seconds(pattern, pump * number + end) for _ in range(3)) for number in (count - STEP, count)
            )
            return after > SLOW / 2 and after > STEEP * before
    return False


def _seconds(pattern: re.Pattern[str], text: str) -> float:
    start = perf_counter()
    pattern.match(text)
    return perf_counter() - start


def _pumps(body: Iterable[Token]) -> Iterator[str]:
    """Texts that the body may match in several ways: its branches spelled out, its letters, and pairs of letters."""
    branches, letters = [""], dict[str, None]()
    for token in body:
        found = _letters(token.text)
        letters.update(dict.fromkeys(found))
        if token.text == "|" or token.text[0] in "()":
            branches.append("")
        elif found:
            branches[-1] += found[0]
    few = list(letters)[:MOST_LETTERS]
    everything = chain(few, branches, map("".join, product(few, repeat=2)))
    yield from (pump for pump in dict.fromkeys(everything) if pump)


@cache
def _letters(piece: str) -> tuple[str, ...]:
    """Letters that a piece of a pattern matches."""
    if piece[0] in "()|*+?{^$":
        return ()
    if len(piece) == 1 and piece != ".":
        return (piece,)
    try:
        pattern = re.compile(piece, re.DOTALL)
    except re.error:  # a reference to a group
        return ()
    candidates = dict.fromkeys([*_LETTERS, *piece])
    return tuple(letter for letter in candidates if pattern.fullmatch(letter))[:3]
