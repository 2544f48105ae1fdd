"""Takes CSS selectors apart; a `qetch.tools.explain.steps.Grammar`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.selectors.markup import compile_css
from qetch.tools.explain.steps import Parsed, Step, Words, names_of, split_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BETWEEN = ", "

_suffix = re.compile(r"\s*::(?:text|attr\(\s*[^)]*\))\s*$")
_part = re.compile(
    r"""(?P<blank>\s*[>+~]\s*|\s+) | [#.](?:[\w-]|\\.|[^\x00-\x7f])+ | \[(?:"[^"]*"|'[^']*'|[^\]"'])*\]
    | ::?[\w-]+(?:\((?:[^()]|\([^()]*\))*\))? | \*|(?:[\w-]|[^\x00-\x7f])+""",
    re.VERBOSE,
)


def alternatives(text: str) -> list[str]:
    """The selectors between commas."""
    return split_outside(text, ",")


def parse(text: str) -> Parsed | None:
    """The parts of a selector; None for one with commas, or with something unusual."""
    found = _suffix.search(text)
    suffix = found[0].strip() if found else ""
    body = text[: found.start()].strip() if found else text.strip()
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


def wider(parsed: Parsed, i: int) -> str:
    """The joint by which the i-th step is found at any depth; empty if it needs no other."""
    return " " if parsed.steps[i].joint.strip() else ""


def others(part: str, words: Words) -> list[str]:
    """What a part may be exchanged for."""
    classes, ids = [f".{name}" for name in words.classes], [f"#{name}" for name in words.ids]
    if part[0] == "#":
        return [*ids, *classes]
    if part[0] == ".":
        return [*classes, *ids]
    if part[0] == "[":
        return [*(f'[{name}="{value}"]' if value else f"[{name}]" for name, value in words.others), *classes, *ids]
    return [] if part[0] == ":" else list(words.tags)


def fresh(chain: Sequence[Any], suffixes: Sequence[str]) -> Iterator[str]:
    """Selectors made anew for an element, given with those around it from the inside out; the shortest first."""
    own = _step_of(chain[0])
    for outer in ("", *(f"{_step_of(element)} " for element in chain[1:5])):
        yield from (f"{outer}{own}{suffix}" for suffix in suffixes)


def _step_of(element: Any) -> str:
    name, classes = names_of(element)
    if name:
        return f"{element.tag}#{name}"
    return str(element.tag) + "".join(f".{each}" for each in classes[:1])


def suffix_of(attribute: str) -> str:
    """What reads an attribute, or the text if it is empty."""
    return f"::attr({attribute})" if attribute else "::text"


def finder(text: str, kind: str) -> Callable[[Any], list[Any]]:
    """A function from an element to what the selector finds."""
    return compile_css(text, kind)
