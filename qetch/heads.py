"""The heads of answers: parsed strictly by RFC 9112, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

MAX_LINES = 100
STATUS_LINE = re.compile(r"HTTP/1\.1 ([2-5][0-9][0-9])(?: ([\t -~\x80-\xff]*))?")
FIELD_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t -~\x80-\xff]*)")
USUAL_LENGTH = 200
NOT_PLAIN = frozenset({204, 205, 407})
"""Statuses with a body of their own rules, or of a proxy."""
NO_ENCODING = frozenset({"", "identity"})


class Headers(Mapping[str, str]):
    """Header fields by their names, in whatever case; iteration gives them in lower case."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a field; that of a repeated one is a list, as the rules want it."""
        return self._fields.get(name.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(self._fields)


class Head(NamedTuple):
    """What comes before a body; the names of the fields are in lower case."""

    status: int
    reason: str
    fields: dict[str, str]


class Framing(NamedTuple):
    """How long a body is, in bytes, and whether the connection can serve another request after it."""

    length: int
    keep: bool


def parse_head(head: bytes | bytearray) -> Head | None:
    """The head of an answer, without the empty line at its end; None if it is not right in every point."""
    lines = head.decode("latin-1").split("\r\n")
    status = STATUS_LINE.fullmatch(lines[0])
    if status is None or len(lines) > 1 + MAX_LINES:
        return None
    fields: dict[str, str] = {}
    for line in lines[1:]:
        found = _usual_field(line) if len(line) <= USUAL_LENGTH else _field(line)
        if found is None:
            return None
        name, value = found
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return Head(int(status[1]), status[2] or "", fields)


def _field(line: str) -> tuple[str, str] | None:
    """The name, in lower case, and the value of a field; None if it is no proper one."""
    found = FIELD_LINE.fullmatch(line)
    return (found[1].lower(), found[2].strip(" \t")) if found else None


_usual_field = lru_cache(1024)(_field)
"""The same; most of the lines that a host sends are those of its last answer."""


def framing_of(head: Head) -> Framing | None:
    """How the body of a plain answer is framed; None if the answer is not plain.

    The body of an error is of no use: if it is not framed plainly, it counts as empty, and the connection is not kept.
    """
    status, fields = head.status, head.fields
    if status in NOT_PLAIN or 300 <= status < 400 or "set-cookie" in fields:
        return None
    if "content-encoding" in fields and status < 400 and fields["content-encoding"].lower() not in NO_ENCODING:
        return None
    length = fields.get("content-length", "")
    if "transfer-encoding" in fields or not (length.isdecimal() and length.isascii() and len(length) < 19):
        return Framing(0, keep=False) if status >= 400 else None
    return Framing(int(length), keep="close" not in fields.get("connection", "").lower())
