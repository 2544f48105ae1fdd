"""Which keys a JMESPath expression asks for, where they stand in its text, and what each of them gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jmespath
from jmespath import exceptions, lexer, visitor

from qetch.selectors.jmes import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_USES = 200


@dataclass(slots=True)
class Key:
    """A key of an expression.

    Attributes:
        start: Where it stands in the text; it ends before `end`.
        chain: The number of the first key of the dotted names that it is part of.
        uses: What it was asked of, and what it gave.
    """

    name: str
    start: int
    end: int
    chain: int
    uses: list[tuple[Any, Any]] = field(default_factory=list)


class _Listening(visitor.TreeInterpreter):
    """Notes what each key of an expression gives."""

    def __init__(self, keys: dict[int, Key]) -> None:
        super().__init__(options())
        self._keys = keys

    def visit_field(self, node: Any, value: Any) -> Any:
        """Like the original."""
        found = super().visit_field(node, value)
        uses = self._keys[id(node)].uses
        if len(uses) < MAX_USES:
            uses.append((value, found))
        return found


def keys_of(text: str, nodes: Iterable[Any]) -> list[Key]:
    """The keys of an expression in the order of its text, with what they gave when it was read from the nodes.

    There are none if the expression is more than this can see through.
    """
    tree: Any = jmespath.compile(text).parsed
    keys, fields = list(_written(text)), list(_fields(tree))
    if [key.name for key in keys] != [node["value"] for node in fields]:
        return []
    listening = _Listening({id(node): key for node, key in zip(fields, keys, strict=True)})
    for node in nodes:
        try:
            listening.visit(tree, node)
        except (exceptions.JMESPathError, TypeError, RecursionError):
            continue
    return keys


def _written(text: str) -> Iterator[Key]:
    """The keys as they stand in the text: names that are neither functions nor keys of what is made."""
    tokens = list(lexer.Lexer().tokenize(text))
    number = chain = 0
    for i, token in enumerate(tokens):
        following = tokens[i + 1]["type"] if i + 1 < len(tokens) else "eof"
        if token["type"] not in ("unquoted_identifier", "quoted_identifier") or following in ("lparen", "colon"):
            continue
        dotted = i > 1 and tokens[i - 1]["type"] == "dot" and tokens[i - 2]["type"].endswith("quoted_identifier")
        chain = chain if dotted else number
        yield Key(token["value"], token["start"], _end(text, token), chain)
        number += 1


def _end(text: str, token: Any) -> int:
    """The index behind a token."""
    start: int = token["start"]
    if token["type"] == "unquoted_identifier":
        return start + len(token["value"])
    end = start + 1
    while text[end] != '"':
        end += 2 if text[end] == "\\" else 1
    return end + 1


def _fields(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes that ask for a key, in the order of the text."""
    if tree["type"] == "field":
        yield tree
    children = tree["children"]
    if tree["type"] == "filter_projection":
        left, right, condition = children
        children = [left, condition, right]
    for child in children:
        if isinstance(child, dict):
            yield from _fields(child)
