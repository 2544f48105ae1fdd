"""Selectors for markup as steps from element to element, and small changes to them, whatever they are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NAME = re.compile(r"[A-Za-z_][\w-]*")
MAX_VALUE = 40
"""Characters of an attribute by which an element may be known."""
_LONG = frozenset({"class", "id", "style", "href", "src", "srcset", "alt", "title", "content"})
"""Attributes that are known in other ways, or are what is looked for."""


def names_of(element: Any) -> tuple[str, list[str]]:
    """By what an element is known: its id, or "" if that has a number and is one of many; and its classes."""
    name = str(element.get("id") or "")
    lasting = NAME.fullmatch(name) and not re.search(r"\d", name)
    classes = [each for each in str(element.get("class") or "").split() if NAME.fullmatch(each)]
    return (name if lasting else ""), classes


@dataclass(frozen=True, slots=True)
class Step:
    """One element of a selector: how it follows the one before, and its parts, such as tag, classes and conditions."""

    joint: str
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """As it is written."""
        return self.joint + ("".join(self.parts) or "*")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A selector without alternatives.

    Attributes:
        suffix: What it reads of the elements, such as `::text` or `/@href`; empty for the elements themselves.
        root: What the first step would begin with if the present first one were left out.
        around: What stands before and behind it, such as the call of a function.
    """

    steps: tuple[Step, ...]
    suffix: str
    root: str = ""
    around: tuple[str, str] = ("", "")

    @property
    def text(self) -> str:
        """As it is written."""
        return self.around[0] + "".join(step.text for step in self.steps) + self.suffix + self.around[1]

    def changed(self, edits: Sequence[tuple[int, Step | None]] = (), suffix: str | None = None) -> str:
        """The text with other steps, or without those that are None, and with another suffix."""
        new = dict(edits)
        kept = [new.get(i, step) for i, step in enumerate(self.steps)]
        left = [step for step in kept if step is not None] or list(self.steps)
        first = left[0] if kept[0] is not None else Step(self.root, left[0].parts)
        end = self.suffix if suffix is None else suffix
        return Parsed((first, *left[1:]), end, self.root, self.around).text


@dataclass(frozen=True, slots=True)
class Words:
    """What the elements are called that are to be found, and those around them; `others` are attributes with values."""

    tags: tuple[str, ...]
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    others: tuple[tuple[str, str], ...]


class Grammar(Protocol):
    """A language of selectors.

    Attributes:
        BETWEEN: What stands between two alternatives.
    """

    BETWEEN: str

    def alternatives(self, text: str) -> list[str]:
        """The parts between commas, or what stands for them."""

    def parse(self, text: str) -> Parsed | None:
        """The parts of a selector without alternatives; None for something unusual."""

    def wider(self, parsed: Parsed, i: int) -> str:
        """The joint by which the i-th step is found at any depth; empty if it needs no other."""

    def others(self, part: str, words: Words) -> list[str]:
        """What a part may be exchanged for."""

    def fresh(self, chain: Sequence[Any], suffixes: Sequence[str]) -> Iterator[str]:
        """Selectors made anew for an element, given with those around it from the inside out; the shortest first."""

    def suffix_of(self, attribute: str) -> str:
        """What reads an attribute, or the text if it is empty."""

    def finder(self, text: str, kind: str) -> Callable[[Any], list[Any]]:
        """A function from an element to what the selector finds.

        Raises:
            ValueError: The selector is wrong.
        """


def words_of(elements: Sequence[Sequence[Any]]) -> Words:
    """The words of some elements, each with those around it."""
    tags: list[str] = []
    classes: list[str] = []
    ids: list[str] = []
    others: dict[tuple[str, str], None] = {}
    for element in (element for chain in elements for element in chain):
        tags.append(str(element.tag))
        classes += str(element.get("class") or "").split()
        ids.append(str(element.get("id") or ""))
        for name, value in element.attrib.items():
            if name not in _LONG and len(value) <= MAX_VALUE and not set(value) & set("\"'/\\"):
                others[str(name), str(value)] = None
    return Words(_plain(tags), _plain(classes), _plain(ids), tuple(others))


def _plain(names: list[str]) -> tuple[str, ...]:
    """Each of the names that need no quotes, once."""
    return tuple(filter(NAME.fullmatch, dict.fromkeys(names)))


def changes(language: Grammar, parsed: Parsed, words: Words, suffixes: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Selectors that are a little different, with the number of changes: one first, then two, then some of three."""
    single = list(_singles(language, parsed, words))
    ends = [suffix for suffix in suffixes if suffix != parsed.suffix]
    yield from ((1, parsed.changed(suffix=suffix)) for suffix in ends)
    yield from ((1, parsed.changed([step])) for step in single)
    yield from ((2, parsed.changed([step], suffix)) for step in single for suffix in ends)
    pairs = [(one, other) for one, other in combinations(single, 2) if one[0] != other[0]]
    yield from ((2, parsed.changed(pair)) for pair in pairs)
    yield from ((3, parsed.changed(pair, suffix)) for pair in pairs for suffix in ends)


def _singles(language: Grammar, parsed: Parsed, words: Words) -> Iterator[tuple[int, Step | None]]:
    """Single changes: the number of a step, and the new one, or None to leave it out."""
    for i, step in enumerate(parsed.steps):
        joint = language.wider(parsed, i)
        if joint:
            yield i, Step(joint, step.parts)
        for parts in _other_parts(step.parts, lambda part: language.others(part, words)):
            yield i, Step(step.joint, parts)
    for i in range(len(parsed.steps) - 1):
        yield i, None


def _other_parts(parts: tuple[str, ...], others: Callable[[str], list[str]]) -> Iterator[tuple[str, ...]]:
    """The parts with one exchanged for another, or left out; `others` says for which."""
    for i, part in enumerate(parts):
        before, after = parts[:i], parts[i + 1 :]
        for other in others(part):
            if other != part and other not in parts:
                yield (*before, other, *after)
        if not part.startswith(":") and (before or after):
            yield (*before, *after)


def split_outside(text: str, separator: str) -> list[str]:
    """The parts of a text between a character, wherever that stands in no quotes and no brackets."""
    parts, depth, quote, start = [], 0, "", 0
    for i, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == separator and not depth:
            parts.append(text[start:i])
            start = i + 1
        else:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
    return [part.strip() for part in (*parts, text[start:])]
