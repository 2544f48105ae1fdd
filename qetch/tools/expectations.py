"""Compares what a run gave with what its example expects, field by field."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.selectors import patterns
from qetch.spec.expects import PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from qetch.content import Content

LONGEST = 100
"""Characters of a value in a message."""
MOST_OF_EACH = 3
"""Items of which it is told how they differ from `each`."""


class Difference(NamedTuple):
    """One field that is not as expected; `where` such as `first.title`, `cure` what may have been meant."""

    where: str
    expected: str
    found: str
    cure: str = ""

    def __str__(self) -> str:
        cure = f" - {self.cure}" if self.cure else ""
        return f"{self.where}: expected {self.expected}, found {self.found}{cure}"


def differences(expect: Mapping[str, Any], lists: Sequence[Sequence[Content]]) -> list[Difference]:
    """How the items of a run differ from what was expected of them.

    Args:
        expect: As in the spec; without a number of items there must be one at least.
        lists: Those of a run, each the versions of one item.
    """
    found = list(_numbers(expect, len(lists)))
    for word, position in (("first", 0), ("last", -1)):
        if word in expect and lists:
            found += _of_item(word, expect[word], lists[position])
    if "each" in expect:
        found += _of_all(expect["each"], lists)
    return found


def _numbers(expect: Mapping[str, Any], count: int) -> Iterator[Difference]:
    if "count" in expect:
        if count != expect["count"]:
            yield Difference("count", str(expect["count"]), str(count))
    elif count < expect.get("at_least", 1):
        yield Difference("count", f"at least {expect.get('at_least', 1)}", str(count))
    if not count and expect.get("count") == 0:
        for word in ("first", "each", "last"):
            if word in expect:
                yield Difference(word, "an item", "none")


def _of_all(fields: Mapping[str, Any], lists: Sequence[Sequence[Content]]) -> list[Difference]:
    """How items differ from `each`: those of the first few that do, with their number."""
    found: list[Difference] = []
    told = 0
    for number, contents in enumerate(lists, 1):
        wrong = list(_of_item(f"each (item {number} of {len(lists)})", fields, contents))
        found += wrong
        told += bool(wrong)
        if told == MOST_OF_EACH:
            break
    return found


def _of_item(where: str, fields: Mapping[str, Any], contents: Sequence[Content]) -> Iterator[Difference]:
    for name, wanted in fields.items():
        value = FIELDS[name](contents)
        if name in MAPPINGS:
            yield from _of_mapping(f"{where}.{name}", wanted, value)
        elif name == "variants":
            names = [wanted] if isinstance(wanted, str) else list(wanted)
            if names != value:
                yield Difference(f"{where}.{name}", shown(names), shown(value))
        elif not fits(wanted, value):
            yield _unlike(f"{where}.{name}", wanted, value)


def _of_mapping(where: str, wanted: Mapping[str, Any], value: Any) -> Iterator[Difference]:
    there = value if isinstance(value, dict) else {}
    for key, inner in wanted.items():
        if fits(inner, there.get(key)):
            continue
        if key in there:
            yield _unlike(f"{where}.{key}", inner, there[key])
        else:
            known = shown(", ".join(map(str, there))).strip('"') or "none"
            yield Difference(f"{where}.{key}", _wanted(inner), "no such key", f"known here: {known}")


def _unlike(where: str, wanted: Any, value: Any) -> Difference:
    """How a value is not the expected one; where it only looks like it, with the kinds of both, or with a cure."""
    if wanted is None or value is None or _kind(wanted) == _kind(value) or _is_pattern(wanted):
        begins = isinstance(wanted, str) and 0 < len(wanted) < len(_text(value)) and _text(value).startswith(wanted)
        cure = "write all of it, or 're:^…' for how it begins" if begins else ""
        return Difference(where, _wanted(wanted), shown(value, like=wanted), cure)
    expected, found = (f"the {_kind(one)} {shown(one, like=wanted)}" for one in (wanted, value))
    return Difference(where, expected, found)


def _wanted(value: Any) -> str:
    """What is expected, for a message."""
    return f"a match of {shown(value)}" if _is_pattern(value) else shown(value)


def _is_pattern(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(PATTERN)


def _kind(value: Any) -> str:
    kinds = {bool: "truth value", int: "number", float: "number", list: "list", dict: "mapping"}
    return kinds.get(type(value), "text")


def fits(wanted: Any, value: Any) -> bool:
    """Whether a value is the expected one, or holds what an expected regex finds.

    >>> fits("re:^a", "abc"), fits("abc", "abc"), fits(None, ""), fits("1", 1)
    (True, True, False, False)
    """
    if _is_pattern(wanted):
        pattern = patterns.compiled(wanted.removeprefix(PATTERN))
        return value is not None and patterns.search(pattern, _text(value)) is not None
    if isinstance(value, datetime):
        return isinstance(wanted, str) and _same_moment(datetime.fromisoformat(wanted), value)
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    return bool(wanted == value)


def _same_moment(wanted: datetime, value: datetime) -> bool:
    return (wanted.tzinfo is None) == (value.tzinfo is None) and wanted == value


def shown(value: Any, like: Any = None) -> str:
    """A value for a message: as JSON on one line, a long one cut around where it leaves what was expected."""
    text = json.dumps(_plain(value), ensure_ascii=False, default=str)
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    if len(text) <= LONGEST:
        return text
    start = 0
    if isinstance(like, str) and not like.startswith(PATTERN):
        same = next((i for i, (a, b) in enumerate(zip(_text(like), _text(value), strict=False)) if a != b), 0)
        start = max(0, same - LONGEST // 2)
    return f"{'…' if start else ''}{text[start : start + LONGEST]}…"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(_plain(value)) if isinstance(value, datetime) else json.dumps(value, ensure_ascii=False, default=str)


FIELDS: dict[str, Callable[[Sequence[Content]], Any]] = {
    "uid": lambda contents: contents[0].uid,
    "title": lambda contents: contents[0].title,
    "description": lambda contents: contents[0].description,
    "uploaded_by": lambda contents: contents[0].uploaded_by,
    "uploaded_date": lambda contents: contents[0].uploaded_date,
    "extension": lambda contents: contents[0].extension,
    "quality": lambda contents: contents[0].quality,
    "size": lambda contents: contents[0].size,
    "url": lambda contents: contents[0].fragments[0],
    "fragments": lambda contents: len(contents[0].fragments),
    "variant": lambda contents: contents[0].variant,
    "variants": lambda contents: [content.variant for content in contents],
    "playlist": lambda contents: contents[0].playlist,
    "checksum": lambda contents: contents[0].checksums,
    "headers": lambda contents: contents[0].headers,
    "metadata": lambda contents: contents[0].metadata,
}
"""What each word of `expect` reads, from the versions of an item."""
MAPPINGS = frozenset({"checksum", "headers", "metadata"})
