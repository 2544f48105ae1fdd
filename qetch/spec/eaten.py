"""YAML's own errors, said for somebody who wrote a selector or a template, and did not think of YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.spec.problems import Problem
from qetch.spec.scalars import place_of_index
from qetch.spec.wording import quoted, shown

if TYPE_CHECKING:
    from collections.abc import Callable

COMMENT = "a # after a space starts a comment: quote the selector"
Found = tuple[int, str, str]
"""An index in the text, a message, a cure."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_VALUE = re.compile(r"^\s*(?:- +)*|: +")
_BEGINS = {
    "[": "a value that begins with [ is a YAML list",
    "{": "a value that begins with { is a YAML mapping",
    "|": "a value that begins with | is a block of lines",
    ">": "a value that begins with > is a block of lines",
    '"': "the value ends at its second quote",
    "'": "the value ends at its second quote",
}
_PAIRS = {"[": "]", "{": "}"}


class _Fault(NamedTuple):
    """A YAML error: the indexes that it names, and the value on its line that it seems to mean."""

    text: str
    problem: str
    context: str
    at: int
    since: int | None
    start: int
    value: str

    @property
    def on_value(self) -> bool:
        """Whether the error lies in the value, or right behind it."""
        return self.start <= self.at <= self.start + len(self.value)


def translate(file: str, text: str, error: Any) -> Problem:
    """The problem of a `yaml.YAMLError`."""
    fault = _fault(text, error)
    for rule in _RULES:
        found = rule(fault)
        if found:
            break
    else:
        found = fault.at, fault.problem, ""
    index, message, cure = found
    line, column = place_of_index(text, index)
    return Problem(file, line, column, f"bad YAML: {message}", cure)


def opened(text: str, error: Any) -> int | None:
    """The index of the bracket in which a `yaml.YAMLError` lies, or of what else it says that it began with."""
    mark = getattr(error, "context_mark", None)
    if mark is None or mark.index < len(text.rstrip()) or "flow" not in (error.context or ""):
        return mark.index if mark is not None else None
    import yaml

    opening: list[int] = []  # at the end of the text the error does not say it
    try:
        for token in yaml.scan(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            kind = type(token).__name__
            if kind in ("FlowMappingStartToken", "FlowSequenceStartToken"):
                opening.append(token.start_mark.index)
            elif kind in ("FlowMappingEndToken", "FlowSequenceEndToken") and opening:
                opening.pop()
    except yaml.YAMLError:
        pass
    return opening[-1] if opening else mark.index


def _fault(text: str, error: Any) -> _Fault:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        wrong = _FORBIDDEN.search(text)
        return _Fault(
            text, getattr(error, "reason", "") or "unreadable", "", wrong.start() if wrong else 0, None, 0, ""
        )
    at = min(mark.index, len(text))
    context = error.context or ""
    line = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    end = re.compile(r"[\r\n]|$").search(text, at)
    start = line
    before = text[line:at]
    for found in _VALUE.finditer(before):
        start = line + found.end()
    if "cannot start any token" in error.problem:
        start = at
    in_flow = "flow" in context or sum(map(before.count, "[{")) > sum(map(before.count, "]}"))
    value = _piece(text[start : end.start() if end else len(text)], in_flow=in_flow)
    since = opened(text, error)
    return _Fault(text, error.problem or "unreadable", context, at, since, start, value)


def _piece(rest: str, *, in_flow: bool) -> str:
    """What was meant as one value: up to a comment, or to what ends it in a flow collection."""
    comment = re.search(r"\s#", rest)
    rest = rest[: comment.start()] if comment else rest
    if not in_flow:
        return rest.rstrip()
    open_ends: list[str] = []
    for i, char in enumerate(rest):
        if char in _PAIRS:
            open_ends.append(_PAIRS[char])
        elif char in "]}":
            if not open_ends:
                return rest[:i].rstrip()
            open_ends.pop()
        elif char == "," and not open_ends:
            return rest[:i].rstrip()
    return rest.rstrip()


def _control(fault: _Fault) -> Found | None:
    wrong = _FORBIDDEN.search(fault.text)
    if wrong is None:
        return None
    return wrong.start(), f"the control character U+{ord(wrong[0]):04X}", "remove it"


def _tab(fault: _Fault) -> Found | None:
    if fault.text[fault.at : fault.at + 1] == "\t" or "\ttab" in fault.problem or "tab character" in fault.problem:
        return fault.at, "a tab", "indent with spaces"
    return None


def _escape(fault: _Fault) -> Found | None:
    if "quoted scalar" not in fault.context or "escape" not in fault.problem:
        return None
    index = fault.text.rfind("\\", 0, fault.at + 1)
    wrong = shown(fault.text[index : index + 2])
    return index, f'"{wrong}" means nothing in double quotes', "put a regex in single quotes"


def _open_quote(fault: _Fault) -> Found | None:
    if "quoted scalar" in fault.context and "unexpected" in fault.problem and fault.since is not None:
        return fault.since, "this quote is never closed", "close it"
    return None


def _beginning(fault: _Fault) -> Found | None:
    """A value that is no text because of its first character."""
    first = fault.value[:1]
    if not fault.on_value or not first:
        return None
    if first in "'\"":
        if fault.at == fault.start:
            return None
        cure = (
            "quote the whole of it; inside single quotes a ' is written ''"
            if first == "'"
            else "quote the whole of it with single quotes"
        )
        return fault.at, _BEGINS[first], cure
    before = fault.text[fault.start : fault.at]
    if first in _PAIRS and (before.count(first) > before.count(_PAIRS[first]) or not before):
        return None
    if first in _BEGINS:
        thing = "template" if first == "{" else "selector" if first == "[" else "text"
        return fault.start, _BEGINS[first], f"quote the {thing}: {quoted(fault.value)}"
    if (
        first in "@`%*&!?,]}"
        and "colon" not in fault.problem
        and (fault.at < fault.start + 2 or "an a" in fault.context)
    ):
        return fault.start, f"a plain text cannot begin with {first}", f"quote it: {quoted(fault.value)}"
    return None


def _tag(fault: _Fault) -> Found | None:
    if "tag" not in fault.problem and "tag" not in fault.context:
        return None
    index = fault.at if fault.since is None else fault.since
    return index, "a ! at the start begins a YAML tag", "quote the text"


def _colon(fault: _Fault) -> Found | None:
    if "mapping values are not allowed" in fault.problem:
        line_start = fault.text.rfind("\n", 0, fault.at) + 1
        if ": " in fault.text[line_start : fault.at]:
            return fault.at, 'a second ": " in one line', f"quote the text: {quoted(fault.value)}"
        return fault.at, "the value above has not ended here", "a key stands below its sisters: check the indentation"
    if "could not find expected ':'" in fault.problem and fault.since is not None:
        return fault.since, "a key without a colon", "write a colon and a space after a key"
    return None


def _inside(fault: _Fault) -> Found | None:
    """A plain text inside { } or [ ] that holds one of their characters."""
    if "flow" not in fault.context or not fault.on_value:
        return None
    inner = re.search(r"[\[{]", fault.value)
    if inner is None or inner.start() == 0 or fault.start + inner.start() > fault.at:
        return None
    return (
        fault.start + inner.start(),
        f"{inner[0]} ends a text inside {{ }} and [ ]",
        f"quote it: {quoted(fault.value)}",
    )


def _comment(fault: _Fault) -> Found | None:
    """A selector such as #list behind an open bracket, which took the end of the bracket away."""
    if "flow" not in fault.context or fault.since is None:
        return None
    found = re.compile(r"[\[{][^\r\n]*?[ \t](#[^\s#][^\r\n]*)").match(fault.text, fault.since)
    if found is None or fault.at <= found.start(1):
        return None
    return found.start(1), f'"{shown(found[1])}" is a comment here', COMMENT


def _open_bracket(fault: _Fault) -> Found | None:
    if "flow" not in fault.context or fault.since is None or "did not find expected" not in fault.problem:
        return None
    bracket = fault.text[fault.since : fault.since + 1]
    line = place_of_index(fault.text, fault.since).line
    return fault.at, f"expected a comma or {_PAIRS.get(bracket, '}')}", f"the {bracket} of line {line} is still open"


def _indentation(fault: _Fault) -> Found | None:
    line_start = fault.text.rfind("\n", 0, fault.at) + 1
    if fault.since is None or "did not find expected" not in fault.problem or fault.text[line_start : fault.at].strip():
        return None
    line, column = place_of_index(fault.text, fault.since)
    return (
        fault.at,
        "this line fits no block",
        f"the block of line {line} stands in column {column}: check the indentation",
    )


_RULES: tuple[Callable[[_Fault], Found | None], ...] = (
    _control,
    _tab,
    _escape,
    _open_quote,
    _beginning,
    _tag,
    _colon,
    _inside,
    _comment,
    _open_bracket,
    _indentation,
)
