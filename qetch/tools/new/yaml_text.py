"""YAML for people: short mappings on one line, everything else in blocks, remarks where somebody must decide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDTH = 110
"""Columns of a line, unless one text is longer."""
COMMENT_WIDTH = 100
IN_BLOCKS = frozenset(("handles", "each", "then", "content"))
"""Keys whose mappings always stand in a block."""
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off"))
SENTENCE = re.compile(r"[A-Za-z][A-Za-z0-9 ,.'()/-]*[A-Za-z0-9.)]")
"""What needs no quotes as the value of `description`."""


class Remark(str):
    """As a key of a mapping: a line of comment; its value does not matter."""

    __slots__ = ()


@dataclass(frozen=True)
class Noted:
    """A value with a comment behind it."""

    value: Any
    note: str


def render(data: Mapping[str, Any]) -> str:
    """A mapping as YAML: texts, numbers, lists and mappings of those."""
    return "\n".join(_block(data, "")) + "\n"


def scalar(value: Any) -> str:
    r"""A text, number, true, false or null as YAML that both this language and YAML 1.1 read the same.

    >>> print(scalar("data.items"), scalar("{id}"), scalar('a[rel="next"]'), scalar(r"\d+"), scalar("a\nb"))
    data.items "{id}" 'a[rel="next"]' '\d+' "a\nb"
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return str(value)
    if PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    if not value.isprintable():
        return f'"{"".join(map(_escaped, value))}"'
    if '"' in value or "\\" in value:
        return "'" + value.replace("'", "''") + "'"
    return f'"{value}"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    code = ord(letter)
    return {"\n": "\\n", "\t": "\\t"}.get(letter) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def comment(text: str) -> list[str]:
    """A text as lines of comment, without anything that is not printable."""
    lines, line = [], "#"
    for word in "".join(letter if letter.isprintable() else " " for letter in text[:2000]).split():
        if len(line) + len(word) > COMMENT_WIDTH and line != "#":
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line] if line != "#" else lines


def _block(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in data.items():
        if isinstance(key, Remark):
            yield from (f"{indent}{line}" for line in comment(key))
        else:
            yield from _entry(key, value, indent)


def _entry(key: str, value: Any, indent: str) -> Iterator[str]:
    note = ""
    if isinstance(value, Noted):
        value, note = value.value, " ".join(comment(value.note)).replace(" # ", " ")
    start = f"{indent}{scalar(key)}:"
    if key == "graphql" and isinstance(value, str) and (lines := _lines(value)):
        yield f"{start} |"
        yield from (f"{indent}  {line}" if line else "" for line in lines)
        return
    short = _flow(value) if key not in IN_BLOCKS or not isinstance(value, (dict, list)) or not value else None
    if key == "description" and not indent and SENTENCE.fullmatch(value):
        short = value
    if short is not None and (not isinstance(value, (dict, list)) or len(start) + len(short) < WIDTH):
        yield from _noted(f"{start} {short}", note, indent)
        return
    yield from _noted(start, note, indent)
    if isinstance(value, dict):
        yield from _block(value, indent + "  ")
        return
    for item in value:
        yield from _item(item, indent + "  ")


def _lines(text: str) -> list[str]:
    """A text as the lines of a block, or none if it cannot stand in one."""
    lines = [line.rstrip() for line in dedent(text.replace("\t", "  ").strip("\r\n")).splitlines()]
    return lines if all(map(str.isprintable, lines)) and lines[0] == lines[0].lstrip() else []


def _noted(line: str, note: str, indent: str) -> Iterator[str]:
    """A line with its comment, which stands above where there is no place behind it."""
    if note and len(line) + len(note) + 2 > WIDTH:
        yield indent + note
        note = ""
    yield f"{line}  {note}" if note else line


def _item(item: Any, indent: str) -> Iterator[str]:
    short = _flow(item)
    if short is not None and (not isinstance(item, (dict, list)) or len(indent) + len(short) < WIDTH):
        yield f"{indent}- {short}"
        return
    if isinstance(item, list):
        yield f"{indent}-"
        for inner in item:
            yield from _item(inner, indent + "  ")
        return
    first, *rest = _block(item, indent + "  ")
    yield f"{indent}- {first.lstrip()}"
    yield from rest


def _flow(value: Any) -> str | None:
    """A value on one line, or None if it holds remarks."""
    if isinstance(value, dict):
        parts = []
        for key, item in value.items():
            in_block = isinstance(key, Remark) or (key in IN_BLOCKS and item and isinstance(item, (dict, list)))
            short = None if in_block else _flow(item)
            if short is None:
                return None
            parts.append(f"{scalar(key)}: {short}")
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list):
        items = [_flow(item) for item in value]
        return None if None in items else "[" + ", ".join(item or "" for item in items) + "]"
    return None if isinstance(value, Noted) else scalar(value)
