"""How much two values are alike: the same, or of the same shape."""

from __future__ import annotations

import re
from typing import Any

ALIKE = 0.5
"""From here on one value may be taken for the other's successor."""
SHAPE = 0.75
"""What the same shape is worth at most, without the same content."""
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
    return 0.6 if type(old) is type(new) else 0.0  # dates


def same_kind(old: Any, new: Any) -> bool:
    """Whether both are objects, lists, texts, numbers, or true and false."""
    return kind_of(old) == kind_of(new)


def kind_of(value: Any) -> str:
    """`object`, `list`, `text`, `number`, `boolean`, `null`, or `element` for what is none of JSON."""
    if value is None:
        return "null"
    for kind, types in _KINDS.items():
        if isinstance(value, types):
            return kind
    return "element"


_KINDS: dict[str, Any] = {"boolean": bool, "number": (int, float), "text": str, "list": list, "object": dict}


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
