"""How much two values are alike: the same, or of the same shape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ALIKE = 0.5
"""From here on one value may be taken for the other's successor."""
SHAPE = 0.75
"""What the same shape is worth at most, without the same content."""
RETYPED = 0.9
"""What a number is worth that has become a text, or the other way round."""
DEPTH = 4
SAMPLE = 6

_runs = re.compile(r"\d+|[A-Za-z_]+|\s+")
_web = re.compile(r"(?:https?:)?//([^/?#]+)([^?#]*)")
_word = re.compile(r"\w+")


def likeness(old: Any, new: Any, depth: int = DEPTH) -> float:
    """From 0, nothing in common, to 1, the same."""
    if type(old) is type(new) and old == new:
        return 1.0
    if old is None or new is None or isinstance(old, bool) or isinstance(new, bool):
        return 0.1 if type(old) is type(new) else 0.0
    if isinstance(old, dict) and isinstance(new, dict):
        return _objects(old, new, depth)
    if isinstance(old, list) and isinstance(new, list):
        return _lists(old, new, depth)
    if isinstance(old, str) and isinstance(new, str):
        return _texts(old, new)
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return 0.6 if len(str(int(old))) == len(str(int(new))) else 0.3
    if is_retyped(old, new):
        return RETYPED
    return 0.6 if type(old) is type(new) else 0.0  # dates


def is_retyped(old: Any, new: Any) -> bool:
    """Whether one is a number and the other the same as a text."""
    return {kind_of(old), kind_of(new)} == {"number", "text"} and str(old) == str(new)


def kind_of(value: Any) -> str:
    """`object`, `list`, `text`, `number`, `boolean`, `null`, or `element` for what is none of JSON."""
    if value is None:
        return "null"
    for kind, types in _KINDS.items():
        if isinstance(value, types):
            return kind
    return "element"


_KINDS: dict[str, Any] = {"boolean": bool, "number": (int, float), "text": str, "list": list, "object": dict}


def holdings(old: Any, new: Any) -> float:
    """From 0 to 1: how much two objects or lists hold the same, wherever it stands and whatever it is called."""
    first, second = set(_leaves(old)), set(_leaves(new))
    return len(first & second) / len(first | second) if first and second else 0.0


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers in a value, as texts."""
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, (dict, list)):
            stack += node.values() if isinstance(node, dict) else node
        elif node not in (None, "") and not isinstance(node, bool):
            yield str(node)


def _objects(old: dict[str, Any], new: dict[str, Any], depth: int) -> float:
    every, common = old.keys() | new.keys(), old.keys() & new.keys()
    if not every:
        return 1.0
    keys = len(common) / len(every)
    if not common or not depth:
        return SHAPE * keys
    values = sum(likeness(old[key], new[key], depth - 1) for key in common) / len(common)
    return keys * (0.5 + 0.5 * values)


def _lists(old: list[Any], new: list[Any], depth: int) -> float:
    if not old or not new:
        return 0.1
    if not depth:
        return ALIKE
    if len(old) == len(new):
        pairs = list(zip(old, new, strict=True))[:SAMPLE]
        found = sum(likeness(one, other, depth - 1) for one, other in pairs) / len(pairs)
        if found >= SHAPE:
            return found
    others = new[:SAMPLE]
    best = [max(likeness(one, other, depth - 1) for other in others) for one in old[:SAMPLE]]
    return min(SHAPE, sum(best) / len(best))


def _texts(old: str, new: str) -> float:
    if not old or not new:
        return 0.1
    first, second = _web.match(old), _web.match(new)
    if first and second:
        same_host = first[1] == second[1]
        return (0.5 if same_host else 0.3) + (0.25 if _pattern(first[2]) == _pattern(second[2]) else 0)
    if first or second:
        return 0.0
    if _pattern(old) == _pattern(new):
        return SHAPE
    if _word.fullmatch(old) and _word.fullmatch(new):  # ids and names
        return 0.6 if len(old) == len(new) else 0.5
    return 0.4 if (" " in old.strip()) == (" " in new.strip()) else 0.2


def _pattern(text: str) -> str:
    """A text with its words and numbers replaced by their kind."""
    return _runs.sub(lambda run: "0" if run[0][0].isdigit() else " " if run[0].isspace() else "a", text[:300])
