"""JMESPath: compiled and checked at load, run by one shared interpreter. Owner of the `jmespath` library."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jmespath
from jmespath import exceptions, functions, lexer, visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_literal = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`((?:\\.|[^`\\])*)`""", re.DOTALL)

_doubtful = re.compile(r'"|[=<>]\s*(?:true|false|null)\b|\b(?:true|false|null)\s*[=!<>]')
_COMPARES = frozenset({"eq", "ne", "lt", "lte", "gt", "gte"})
_JSON_WORDS = frozenset({"true", "false", "null"})

MAX_LENGTH = 2000
"""Characters of one expression; the parser recurses."""


class DoesNotFit(Exception):
    """An expression met a value of a type that it cannot take."""


class _Functions(functions.Functions):
    """The functions of JMESPath, and two more."""

    @functions.signature({"types": ["object"]})
    def _func_entries(self, value: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"key": key, "value": item} for key, item in value.items()]

    @functions.signature({"types": ["object"]}, {"types": ["array-string"]})
    def _func_pick(self, value: dict[str, Any], keys: list[str]) -> list[Any]:
        return [value[key] for key in keys if key in value]


FUNCTIONS: dict[str, Any] = _Functions.FUNCTION_TABLE


def options() -> jmespath.Options:
    """What an interpreter must be told to know the two functions."""
    return jmespath.Options(custom_functions=_Functions())


_interpreter = visitor.TreeInterpreter(options())


@lru_cache(maxsize=4096)
def compile_jmespath(text: str) -> Callable[[Any], Any]:
    """A function from a JSON value to what the expression selects in it.

    The function raises `DoesNotFit` where a type is wrong.

    Raises:
        ValueError: The expression is wrong; the message says how.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH} characters")
    _check_literals(text)
    try:
        tree: Any = jmespath.compile(text).parsed
    except exceptions.JMESPathError as error:
        raise ValueError(_explain(error, text)) from None
    except RecursionError:
        raise ValueError("nested too deep") from None
    _check_comparisons(text)
    for node in _walk(tree):
        if node["type"] == "function_expression":
            _check_call(node["value"], node["children"])
        elif node["type"] == "slice" and node["children"][2] == 0:
            raise ValueError("a slice cannot have steps of 0 - leave the last number out")
    return _runner(tree)


def _runner(tree: Any) -> Callable[[Any], Any]:
    if tree["type"] == "field":  # most selectors are one key, and thousands of rows ask for it
        key = tree["value"]
        return lambda value: value.get(key) if isinstance(value, dict) else None
    visit = _interpreter.visit

    def run(value: Any) -> Any:
        try:
            return visit(tree, value)
        except (exceptions.JMESPathError, TypeError, RecursionError) as error:
            raise DoesNotFit(str(error) or "nested too deep") from None

    return run


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(node.get("children", ()))


def _check_comparisons(text: str) -> None:
    """`status == "alive"` compares two keys, which nobody means; `"@type" == 'Person'` is meant so."""
    if not _doubtful.search(text):  # most are not, and to read every token again takes as long as to parse it
        return
    tokens = list(lexer.Lexer().tokenize(text))
    for left, right in pairwise(tokens):
        for token, other in ((right, left), (left, right)):
            if other["type"] in _COMPARES and token["type"] == "unquoted_identifier" and token["value"] in _JSON_WORDS:
                raise ValueError(f"{token['value']} is a key here: write the value as `{token['value']}`")
        if left["type"] in ("eq", "ne") and right["type"] == "quoted_identifier":
            key = right["value"]
            raise ValueError(f"\"{key}\" in double quotes is a key: write the text as '{key}'")


def _check_literals(text: str) -> None:
    """The library takes a literal that is no JSON for a text, and its makers want to stop that."""
    for found in _literal.finditer(text) if "`" in text else ():
        if found[1] is not None:
            try:
                json.loads(found[1].replace("\\`", "`"))
            except ValueError:
                raise ValueError(f"{found[0]} is not JSON: write a text as '{found[1].strip()}'") from None


def _check_call(name: str, arguments: list[Any]) -> None:
    if name not in FUNCTIONS:
        from difflib import get_close_matches

        near = get_close_matches(name, FUNCTIONS, 1, 0.65)  # lower() does not mean floor()
        hint = f" - did you mean {near[0]}()?" if near else ""
        raise ValueError(f"unknown function {name}(){hint}")
    signature = FUNCTIONS[name]["signature"]
    variadic = bool(signature) and signature[-1].get("variadic", False)
    wanted, given = len(signature), len(arguments)
    if given < wanted or (given > wanted and not variadic):
        arguments_wanted = f"{'at least ' if variadic else ''}{wanted} argument{'' if wanted == 1 else 's'}"
        raise ValueError(f"{name}() takes {arguments_wanted}, not {given}")


def _explain(error: exceptions.JMESPathError, text: str) -> str:
    if isinstance(error, exceptions.IncompleteExpressionError):
        return "incomplete expression"
    if isinstance(error, exceptions.EmptyExpressionError):
        return "empty expression"
    position = getattr(error, "lex_position", None)
    token = getattr(error, "token_value", None)
    if isinstance(error, exceptions.LexerError):
        return f"unexpected {token!r} at character {(position or 0) + 1}"
    if position is not None and token is not None and position < len(text):
        return f"unexpected {str(token)!r} at character {position + 1}"
    return "not a JMESPath expression"
