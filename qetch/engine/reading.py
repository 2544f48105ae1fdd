"""Reads values: what a selector finds in a place, and what is then done with it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.engine.urls import absolute, has_dots
from qetch.selectors import patterns
from qetch.selectors.jmes import DoesNotFit
from qetch.spec import dates
from qetch.spec.model import FirstOf, Header, Selector, Text, Value
from qetch.spec.templates import NullName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from qetch.engine.watch import Watch
    from qetch.session import Answer
    from qetch.spec.model import Fields, Kind
    from qetch.spec.templates import Template

MAX_JSON_DEPTH = 200
DIGITS = re.compile(r"\d+")


class Bound(NamedTuple):
    """The value of a name, and the URL of the place where it was read."""

    value: Any
    url: str = ""


Names = dict[str, Bound]


@dataclass(slots=True)
class Place:
    """What selectors read: a JSON value, an element, or a text.

    Attributes:
        url: Where it came from; relative URLs in it are joined to this.
        answer: The answer that it is, or is part of.
        row: Its number among its rows, from 1, if it is one.
    """

    kind: Kind | None
    node: Any
    url: str
    answer: Answer | None = None
    row: int | None = None


class Reader:
    """Reads values. What does not fit is told to `say` (where, why, spec's `path`) and is None; `watch` looks on."""

    def __init__(
        self, say: Callable[[str, str, Path | None], None], watch: Watch | None = None, path: Path | None = None
    ) -> None:
        self._say = say
        self.watch = watch
        self._path = path

    def say(self, value: Value, place: Place, reason: str) -> None:
        """Tells that something did not fit."""
        self.note(value.where, reason, place.row)

    def note(self, where: str, reason: str, row: int | None = None) -> None:
        """Tells that something of a place in the spec, and of a row, was left out."""
        self._say(f"{where}, row {row}" if row else where, reason, self._path)

    def passed(self, where: str, reason: str, row: int | None = None) -> None:
        """Tells who looks on that something was left out as the spec wants it."""
        if self.watch:
            self.watch.left_out(f"{where}, row {row}" if row else where, reason, self._path)

    def read(self, value: Value, place: Place, names: Names) -> Any:
        """The value: JSON, a text, markup, a date, or a list of those."""
        try:
            found = self._head(value, place, names)
        except (DoesNotFit, patterns.PatternTooSlow) as error:
            self.say(value, place, str(error))
            found = None
        for step in value.steps:
            try:
                found = STEPS[step.word](step.argument, found)
            except (DoesNotFit, patterns.PatternTooSlow) as error:
                self.say(value, place, str(error))
                found = None
        if self.watch:
            self.watch.read(value, node_of(value.of, place, names), place, found)
        return found

    def text(self, value: Value, place: Place, names: Names) -> str | None:
        """The value as a text, or None; a text or a number is one, true and false are not."""
        found = self.read(value, place, names)
        if isinstance(found, bool):
            self.say(value, place, f"{shown(found)} where a text is wanted")
            return None
        try:
            return as_text(found)
        except DoesNotFit as error:
            self.say(value, place, str(error))
            return None

    def holds(self, value: Value, place: Place, names: Names) -> bool:
        """Whether a condition holds: not if it is null, false, "", [] or {}."""
        return holds(self.read(value, place, names))

    def urls(self, value: Value, place: Place, names: Names, *, many: bool = False) -> list[str]:
        """The value as URLs, joined to that of its place: `many`, or at most one. Null, "" and false are none."""
        found = self.read(value, place, names)
        urls = []
        for item in found if many and isinstance(found, list) else [found]:
            try:
                text = None if item is False else as_text(item)
                urls += [absolute(place.url, text)] if text else []
            except DoesNotFit as error:
                self.say(value, place, str(error))
        return urls

    def _head(self, value: Value, place: Place, names: Names) -> Any:
        head = value.head
        if isinstance(head, Selector):
            return self._select(head, node_of(value.of, place, names), value.every)
        if isinstance(head, Text):
            return _filled(head, place, names)
        if isinstance(head, Header):
            return place.answer.headers.get(head.name) if place.answer else None
        if isinstance(head, FirstOf):
            for item in head.values:
                found = self.read(item, place, names)
                if found is not None and found not in ("", []):
                    return found
            return None
        return node_of(value.of, place, names)

    def _select(self, head: Selector, node: Any, every: bool) -> Any:
        if head.language == "jmespath":
            return None if node is None else head.find(node)
        if head.asks_row:
            return head.find(node)
        found = select(head, node)
        return found if every else next(iter(found), None)


def node_of(name: str | None, place: Place, names: Names) -> Any:
    """What is read: the value of the name that `of` gives, else the place."""
    return names[name].value if name else place.node


def select(selector: Selector, node: Any) -> Any:
    """What a selector finds: one value for JMESPath (None stays None), a list of matches for the others.

    Raises:
        DoesNotFit: The node is not of the selector's kind.
        PatternTooSlow: A regex took too long.
    """
    if selector.language == "jmespath":
        return None if node is None else selector.find(node)
    matches: list[Any] = []
    for item in node if isinstance(node, list) else [node]:
        if item is None:
            continue
        if selector.language == "regex":
            matches += selector.find(as_text(item))
        elif isinstance(item, (str, int, float, dict, list)):
            raise DoesNotFit(f"{selector.language} reads markup, not {shown(item)}")
        else:
            matches += selector.find(getattr(item, "root", item))  # `parse: html` waits until here
    return matches


def _filled(head: Text, place: Place, names: Names) -> str | None:
    template = head.template
    try:
        if not head.is_url:
            return template.render(lookup(names))
        text = template.render_url(lookup(names))
    except NullName:
        return None
    if not template.whole:
        if has_dots(text):
            raise DoesNotFit(f"{text[:80]!r} has a segment that is only dots")
        return text
    return absolute(names[template.whole].url or place.url, text) if text else None


def lookup(names: Names) -> Callable[[str], str | None]:
    """A function from a name to its text, for templates; it raises `DoesNotFit` for a list or an object."""
    return lambda name: as_text(names[name].value)


def fields(pairs: Fields, names: Names) -> dict[str, str]:
    """Headers, query, form or cookies with their names filled in; an entry with a null name is left out."""
    filled = {}
    for name, template in pairs:
        text = filled_text(template, names)
        if text is not None:
            filled[name] = text
    return filled


def filled_text(template: Template, names: Names) -> str | None:
    """A template's text, or None if one of its names is null."""
    try:
        return template.render(lookup(names))
    except NullName:
        return None


def as_text(value: Any) -> str | None:
    """A text or number as a text; of an element, what a reader sees.

    Raises:
        DoesNotFit: It is a list or an object.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, dict)):
        raise DoesNotFit(f"{shown(value)} where a text is wanted")
    from qetch.selectors.markup import visible_text

    return visible_text(value)


def holds(value: Any) -> bool:
    """Whether a value is anything: 0 is, and an element without text."""
    return not (value is None or value is False or (isinstance(value, (str, list, dict)) and not value))


def shown(value: Any) -> str:
    """A value for a message: short."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (str, int, float, type(None))) else "an element"
    return text if len(text) <= 60 else text[:57] + "…"


def read_json(text: str | bytes) -> Any:
    """JSON, strictly: no NaN, nothing infinite, no lone surrogates, not too deep.

    Raises:
        ValueError: It is not; the message says how.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_measured)
    except RecursionError:
        raise ValueError("JSON nested too deep") from None
    except UnicodeDecodeError:
        raise ValueError("JSON that is not UTF-8") from None
    raw = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    if raw.count(b"[") + raw.count(b"{") > MAX_JSON_DEPTH and _depth(value) > MAX_JSON_DEPTH:
        raise ValueError("JSON nested too deep")
    if b"\\ud" in raw.lower() and _has_surrogates(value):
        raise ValueError("JSON with half a surrogate pair")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"JSON with {name}")


def _measured(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("JSON with a number beyond all measure")
    return number


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_JSON_DEPTH:
        depth += 1
        level = [child for item in level for child in _children(item)]
    return depth


def _children(value: Any) -> Iterable[Any]:
    items: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, (dict, list))]


def _has_surrogates(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


# --- the steps after the head, each (argument, value) -> value; a list is done item by item


def _on_texts(work: Callable[[Any, str], Any]) -> Callable[[Any, Any], Any]:
    def step(argument: Any, found: Any) -> Any:
        if isinstance(found, list):
            done = [step(argument, item) for item in found]
            return [item for item in done if item is not None]
        text = as_text(found)
        return None if text is None else work(argument, text)

    return step


def _parse(kind: str, text: str) -> Any:
    try:
        if kind == "json":
            return read_json(text)
        from qetch.selectors import markup

        return markup.Html(text) if kind == "html" else markup.parse(kind, text)
    except ValueError as error:
        raise DoesNotFit(f"no {kind}: {error}") from None


def _regex(pattern: Any, text: str) -> str | None:
    match = patterns.search(pattern, text)
    return patterns.found(match) if match else None


def _replace(pairs: Any, text: str) -> str:
    for pattern, replacement in pairs:
        text = patterns.replace(pattern, replacement, text)
    return text


def _map(table: Mapping[str, Any], text: str) -> Any:
    return table.get(text, table.get("*"))


def _split(separator: str, found: Any) -> Any:
    if isinstance(found, list):
        return [part for item in found for part in (_split(separator, item) or [])]
    text = as_text(found)
    return None if text is None else [part.strip() for part in text.split(separator)] if text else []


def _join(separator: str, found: Any) -> Any:
    if not isinstance(found, list):
        return as_text(found)
    return separator.join([text for text in map(as_text, found) if text is not None])


def _date(argument: Any, found: Any) -> Any:
    formats, zone = argument
    if found is None:
        return None
    value = found if isinstance(found, (int, float)) and not isinstance(found, bool) else as_text(found) or ""
    try:
        return dates.read(value, formats, zone)
    except ValueError as error:
        raise DoesNotFit(str(error)) from None


def _number(kind: str, found: Any) -> Any:
    if found is None or isinstance(found, bool):
        return None
    if isinstance(found, list):
        return [_number(kind, item) for item in found]
    try:
        if kind == "float":
            return _finite(float(as_text(found) or ""))
        return int(found) if isinstance(found, float) and found.is_integer() else int(as_text(found) or "")
    except (ValueError, OverflowError):
        cure = (
            ": `regex: '\\d+'` takes its digits" if isinstance(found, str) and len(DIGITS.findall(found)) == 1 else ""
        )
        raise DoesNotFit(f"{shown(found)} is no {kind} number{cure}") from None


def _finite(number: float) -> float:
    if number - number != 0:
        raise ValueError("infinite")
    return number


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "parse": _on_texts(_parse),
    "regex": _on_texts(_regex),
    "replace": _on_texts(_replace),
    "map": _on_texts(_map),
    "split": _split,
    "join": _join,
    "date": _date,
    "number": _number,
    "default": lambda default, found: default if found is None else found,
}
