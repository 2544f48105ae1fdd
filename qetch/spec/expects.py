"""What examples expect: patterns that compile, and dates that are dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qetch.selectors import patterns
from qetch.spec import cures
from qetch.spec.names import items
from qetch.spec.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qetch.spec.load import Path
    from qetch.spec.names import Context

PATTERN = "re:"
"""What an expected text begins with that is a regex."""
OF_ITEMS = ("first", "each", "last")


def check_expects(context: Context, name: str, raw: Mapping[str, Any]) -> None:
    """Notes what is wrong with the `expect` of a handle's examples."""
    for example, path in items(raw.get("examples"), ("handles", name, "examples")):
        expect = example.get("expect", {}) if isinstance(example, dict) else {}
        for word in OF_ITEMS:
            for text, place in _texts(expect.get(word), (*path, "expect", word)):
                _check_text(context, text, place)


def _texts(data: Any, path: Path) -> Iterator[tuple[str, Path]]:
    if isinstance(data, str):
        yield data, path
    for key, inner in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from _texts(inner, (*path, key))


def _check_text(context: Context, text: str, path: Path) -> None:
    if text.startswith(PATTERN):
        wrong = patterns.check(text.removeprefix(PATTERN))
        if wrong:
            message, offset = wrong
            cure = cures.of_regex(message, text, offset + len(PATTERN))
            context.problem(path, f"bad regex '{shown(text)}': {message}", cure, offset=offset + len(PATTERN))
    elif path[-1] == "uploaded_date" and not _is_date(text):
        cure = "such as 2024-05-06T07:08:09Z, or a regex: re:^2024-"
        context.problem(path, f'"{shown(text)}" is not a date in ISO 8601', cure)


def _is_date(text: str) -> bool:
    from datetime import datetime

    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
