"""Takes CSS selectors apart, and makes small changes to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_suffix = re.compile(r"\s*::(?:text|attr\(\s*[^)]*\))\s*$")
_part = re.compile(
    r"""(?P<blank>\s*[>+~]\s*|\s+) | [#.](?:[\w-]|\\.|[^\x00-\x7f])+ | \[(?:"[^"]*"|'[^']*'|[^\]"'])*\]
    | ::?[\w-]+(?:\((?:[^()]|\([^()]*\))*\))? | \*|(?:[\w-]|[^\x00-\x7f])+""",
    re.VERBOSE,
)
_name = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Step:
    """One element of a selector: how it follows the one before, and its parts: tag, classes, attributes."""

    joint: str
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """As it is written."""
        return self.joint + ("".join(self.parts) or "*")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A selector without commas; `suffix` is `::text` or `::attr(…)` or empty."""

    steps: tuple[Step, ...]
    suffix: str

    @property
    def text(self) -> str:
        """As it is written."""
        return "".join(step.text for step in self.steps) + self.suffix


@dataclass(frozen=True, slots=True)
class Words:
    """What the elements are called that are to be found, and those around them."""

    tags: tuple[str, ...]
    classes: tuple[str, ...]
    ids: tuple[str, ...]


def parse(css: str) -> Parsed | None:
    """The parts of a selector; None for one with commas, or with something unusual."""
    found = _suffix.search(css)
    suffix = found[0].strip() if found else ""
    body = css[: found.start()].strip() if found else css.strip()
    steps: list[Step] = []
    joint, at = "", 0
    parts: list[str] = []
    while at < len(body):
        part = _part.match(body, at)
        if part is None:
            return None
        at = part.end()
        if part["blank"] is not None:
            steps.append(Step(joint, tuple(parts)))
            joint, parts = part[0], []
        else:
            parts.append(part[0])
    return Parsed((*steps, Step(joint, tuple(parts))), suffix)


def words_of(elements: Sequence[Sequence[Any]]) -> Words:
    """The words of some elements, each with those around it."""
    tags: dict[str, None] = {}
    classes: dict[str, None] = {}
    ids: dict[str, None] = {}
    for chain in elements:
        for element in chain:
            tags[str(element.tag)] = None
            classes.update(dict.fromkeys(str(element.get("class") or "").split()))
            if name := element.get("id"):
                ids[str(name)] = None
    plain = [tuple(filter(_name.fullmatch, many)) for many in (tags, classes, ids)]
    return Words(*plain)


def changes(css: Parsed, words: Words, suffixes: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Selectors that are a little different, with the number of changes: one first, then two."""
    single = list(_single(css, words))
    ends = [suffix for suffix in suffixes if suffix != css.suffix]
    for suffix in ends:
        yield 1, Parsed(css.steps, suffix).text
    for steps in single:
        yield 1, Parsed(_applied(css.steps, [steps]), css.suffix).text
    for steps in single:
        for suffix in ends:
            yield 2, Parsed(_applied(css.steps, [steps]), suffix).text
    for one, other in combinations(single, 2):
        if one[0] != other[0]:
            yield 2, Parsed(_applied(css.steps, [one, other]), css.suffix).text


def _applied(steps: tuple[Step, ...], edits: Sequence[tuple[int, Step | None]]) -> tuple[Step, ...]:
    changed = dict(edits)
    kept = [changed.get(i, step) for i, step in enumerate(steps)]
    left = [step for step in kept if step is not None]
    return (Step("", left[0].parts), *left[1:]) if left else steps


def _single(css: Parsed, words: Words) -> Iterator[tuple[int, Step | None]]:
    """Single changes: the number of a step, and the new one, or None to leave it out."""
    for i, step in enumerate(css.steps):
        if step.joint.strip():
            yield i, Step(" ", step.parts)
        yield from ((i, Step(step.joint, parts)) for parts in _other_parts(step.parts, words))
    for i in range(len(css.steps) - 1):
        yield i, None


def _other_parts(parts: tuple[str, ...], words: Words) -> Iterator[tuple[str, ...]]:
    for i, part in enumerate(parts):
        before, after = parts[:i], parts[i + 1 :]
        for other in _others(part, words):
            if other != part and other not in parts:
                yield (*before, other, *after)
        if not part.startswith(":") and (before or after):
            yield (*before, *after)


def _others(part: str, words: Words) -> list[str]:
    classes, ids = [f".{name}" for name in words.classes], [f"#{name}" for name in words.ids]
    if part[0] == "#":
        return [*ids, *classes]
    if part[0] in ".[":
        return [*classes, *ids]
    return [] if part[0] == ":" else list(words.tags)


def fresh(chain: Sequence[Any], suffixes: Sequence[str]) -> Iterator[str]:
    """Selectors made anew for an element, given with those around it from the inside out; the shortest first."""
    own = _step_of(chain[0])
    for suffix in suffixes:
        yield f"{own}{suffix}"
    for outer in chain[1:5]:
        for suffix in suffixes:
            yield f"{_step_of(outer)} {own}{suffix}"


def _step_of(element: Any) -> str:
    name = str(element.get("id") or "")
    if _name.fullmatch(name) and not re.search(r"\d", name):
        return f"{element.tag}#{name}"
    classes = [each for each in str(element.get("class") or "").split() if _name.fullmatch(each)]
    return str(element.tag) + "".join(f".{each}" for each in classes[:1])
