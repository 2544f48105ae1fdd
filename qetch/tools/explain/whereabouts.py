"""Says where a recorded value stands in the new answers, also where nothing can be proposed that reads it there."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from qetch.engine.reading import read_json
from qetch.selectors.markup import BadMarkup, parse
from qetch.tools.explain.css import fresh, suffix_of
from qetch.tools.explain.elements import ancestry, carriers
from qetch.tools.explain.relocate import key_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.session import Answer
    from qetch.tools.explain.trace import Find, Trace

MAX_VALUES = 5
MAX_TEXT = 1_000_000
SHORTEST = 3
"""Characters; a shorter value stands everywhere."""
LONGEST = 300
AROUND = 24
"""Characters that are shown before and behind a value in a text."""


def whereabouts(before: Find, trace: Trace) -> tuple[str, str]:
    """A recorded value, and where it stands now in words, or nothing if it stands nowhere."""
    values = _values(before)
    for answer in _answers(trace):
        for value in values:
            place = _place(value, answer, trace)
            if place:
                return value, place
    return (values[0] if values else ""), ""


def _values(find: Find) -> list[str]:
    values = [item for _, found in find.samples for item in (found if isinstance(found, list) else [found])]
    texts = [str(value) for value in values if isinstance(value, (str, int, float)) and not isinstance(value, bool)]
    return [text for text in dict.fromkeys(texts) if SHORTEST <= len(text) <= LONGEST][:MAX_VALUES]


def _answers(trace: Trace) -> Iterator[Answer]:
    for visit in trace.visits:
        for asked in visit.requests if visit.site else ():
            if asked.answer and len(asked.answer.body) <= MAX_TEXT:
                yield asked.answer


def _place(value: str, answer: Answer, trace: Trace) -> str:
    body = answer.text
    if value not in body and json.dumps(value)[1:-1] not in body:
        return ""
    found = _in_markup(value, body) if body.lstrip()[:1] == "<" else _in_json(value, body)
    return found or _in_text(value, trace.veil.hide(body))  # without secrets before it is cut: half of one has no name


def _in_json(value: str, body: str) -> str:
    try:
        level: deque[tuple[str, Any]] = deque([("", read_json(body))])
    except ValueError:
        return ""
    while level:
        path, node = level.popleft()
        if isinstance(node, dict):
            level += [(f"{path}.{key_text(key)}" if path else key_text(key), child) for key, child in node.items()]
        elif isinstance(node, list):
            level += [(f"{path}[{i}]", child) for i, child in enumerate(node)]
        elif node is not None and str(node) == value:
            return f"`{path}`"
    return ""


def _in_markup(value: str, body: str) -> str:
    try:
        root = parse("html", body)
    except BadMarkup:
        return ""
    found = next(iter(carriers(value, root, same=True)), None)
    if found is None:
        return ""
    selectors = list(fresh(ancestry(found.element, root), [suffix_of(found.attribute)]))
    return f"`{selectors[:2][-1]}`"


def _in_text(value: str, body: str) -> str:
    at = body.find(value)
    if at < 0:
        return ""
    start, end = max(0, at - AROUND), at + len(value) + AROUND
    shown = f"{'…' * (start > 0)}{body[start:end]}{'…' * (end < len(body))}"
    return f"character {at + 1:,}: {' '.join(shown.split())}"
