"""Takes XPaths apart: location paths, also with one function around them; a `qetch.tools.explain.steps.Grammar`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.selectors.markup import compile_xpath
from qetch.tools.explain.steps import Parsed, Step, Words, names_of, split_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BETWEEN = " | "

_around = re.compile(
    r"(?P<head>(?:string|normalize-space|\s)*\()(?P<path>[./@*\w].*)(?P<tail>\)(?:\[\d+\])?)", re.DOTALL
)
_suffix = re.compile(r"//?(?:@[\w-]+|text\(\))$|^(?:@[\w-]+|text\(\))$")
_step = re.compile(
    r"""(?P<joint>\.?//?|)
    (?P<test>(?:[a-z-]+::)?(?:[\w-]+|\*)|\.\.?)
    (?P<conditions>(?:\[(?:"[^"]*"|'[^']*'|[^\[\]"']|\[[^\[\]]*\])*\])*)""",
    re.VERBOSE,
)
_condition = re.compile(r"""\[(?:"[^"]*"|'[^']*'|[^\[\]"']|\[[^\[\]]*\])*\]""")
_literal = re.compile(r"""(?P<quote>["'])(?P<blank> ?)(?P<word>[^"']*?)(?P=blank)(?P=quote)""")
_attribute = re.compile(r"@([\w-]+)")


def alternatives(text: str) -> list[str]:
    """The paths between `|`."""
    return split_outside(text, "|")


def parse(text: str) -> Parsed | None:
    """The steps of a location path; None for anything else."""
    body, around = text.strip(), ("", "")
    called = _around.fullmatch(body)
    if called:
        body, around = called["path"].strip(), (called["head"], called["tail"])
    found = _suffix.search(body)
    suffix = found[0] if found else ""
    body = body.removesuffix(suffix) or ("." if suffix.startswith("/") else "")
    suffix = suffix if suffix.startswith("/") or not suffix else f"./{suffix}"
    steps: list[Step] = []
    at = 0
    while at < len(body):
        step = _step.match(body, at)
        if step is None or (steps and not step["joint"]):
            return None
        at = step.end()
        steps.append(Step(step["joint"], (step["test"], *_condition.findall(step["conditions"]))))
    if not steps:
        return Parsed((Step("", (".",)),), suffix.removeprefix("."), ".//", around) if suffix else None
    return Parsed(tuple(steps), suffix, "//" if body.startswith("/") else ".//", around)


def wider(parsed: Parsed, i: int) -> str:
    """The joint by which the i-th step is found at any depth; empty if it needs no other."""
    if parsed.steps[i].joint not in ("", "/", "./"):
        return ""
    return "//" if i else parsed.root


def others(part: str, words: Words) -> list[str]:
    """What a part may be exchanged for."""
    if part[0] != "[":
        return [] if part in (".", "..") or "::" in part else list(words.tags)
    classes = [("class", name) for name in words.classes]
    ids = [("id", name) for name in words.ids]
    literal, name = _literal.search(part), _attribute.search(part)
    if literal is None or name is None:
        return []
    fixed = {"class": [*classes, *ids], "id": [*ids, *classes]}.get(name[1], [*words.others, *classes, *ids])
    return [_exchanged(part, literal, name[1], *other) for other in fixed]


def _exchanged(part: str, literal: re.Match[str], old: str, name: str, value: str) -> str:
    """A condition on another attribute, or on another value of the same."""
    start, end = literal.span("word")
    return part[:start].replace(f"@{old}", f"@{name}") + value + part[end:].replace(f"@{old}", f"@{name}")


def fresh(chain: Sequence[Any], suffixes: Sequence[str]) -> Iterator[str]:
    """Paths made anew for an element, given with those around it from the inside out; the shortest first."""
    own = _step_of(chain[0])
    for outer in ("", *(f"{_step_of(element)}//" for element in chain[1:5])):
        yield from (f".//{outer}{own}{suffix}" for suffix in suffixes)


def _step_of(element: Any) -> str:
    name, classes = names_of(element)
    if name:
        return f'{element.tag}[@id="{name}"]'
    if not classes:
        return str(element.tag)
    if len(classes) == 1:
        return f'{element.tag}[@class="{classes[0]}"]'
    return f'{element.tag}[contains(concat(" ", normalize-space(@class), " "), " {classes[0]} ")]'


def suffix_of(attribute: str) -> str:
    """What reads an attribute, or the text if it is empty."""
    return f"/@{attribute}" if attribute else "/text()"


def finder(text: str, kind: str) -> Callable[[Any], list[Any]]:
    """A function from an element to what the path finds."""
    del kind
    return compile_xpath(text)
