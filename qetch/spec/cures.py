"""What a wrong selector, template or date format was probably meant to be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qetch.spec.templates import parse_template
from qetch.spec.wording import LONGEST, near, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

_SELECTS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`""", re.DOTALL)
"""The parts of a JMESPath that are texts, quoted keys or literals, in which nothing is to be cured."""
_NUMBER = re.compile(r"([=!]=|[<>]=?)(\s*)(-?\d+(?:\.\d+)?)\b")
_EQUALS = re.compile(r"(?<![=!<>])=(?!=)")
_DOLLAR = re.compile(r"\$\.?")
_DASHED = re.compile(r"[A-Za-z_]\w*(?:-\w+)+")
_WORDS = re.compile(r"\w[\w.,:!'-]*(?: +[\w.,:!'-]+)+")
_DOTTED = re.compile(r"\{\+?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])+)\}")
_CODE = re.compile(r"([YyMDdHhms])\1*|[Aa]")
_CODES = {
    word: code
    for code, words in (
        ("%Y", "YYYY yyyy"),
        ("%y", "YY yy"),
        ("%B", "MMMM"),
        ("%b", "MMM"),
        ("%m", "MM M"),
        ("%d", "DD dd D d"),
        ("%H", "HH H"),
        ("%I", "hh h"),
        ("%M", "mm"),
        ("%S", "ss"),
        ("%p", "A a"),
    )
    for word in words.split()
}
_FORMATS = {
    word: name
    for name, words in (
        ("iso", "iso isoformat datetime"),
        ("unix", "timestamp epoch seconds unixtime unixtimestamp"),
        ("ms", "milliseconds millis unixms"),
    )
    for word in words.split()
}


def placeholders(text: str) -> list[str]:
    """The names that a text would take as a template; none if it is none.

    >>> placeholders("https://files.example/{id}.png"), placeholders("{a: b}")
    (['id'], [])
    """
    if "{" not in text:
        return []
    try:
        return list(parse_template(text).names)
    except ValueError:
        return []


def of_value(text: str) -> str:
    """How a text that was written as a selector stands as a template, or as the fixed text that it is."""
    what = "template" if placeholders(text) else "fixed text"
    return f"a {what} is {{text: {quoted(text)}}}"


def of_selector(language: str, text: str, *, is_value: bool = True) -> str:
    """What would be right instead of a selector that does not compile, or nothing.

    Args:
        language: Of the place: jmespath, css, xpath or regex.
        text: The selector.
        is_value: Whether a value may stand there: `{text: …}`, or another language.
    """
    if placeholders(text):
        return of_value(text) if is_value else "a selector is no template"
    if language == "jmespath":
        return _jmespath(text) or (of_value(text) if is_value and _WORDS.fullmatch(text) else "")
    if language == "css" and is_value and re.match(r"\(?\.?/", text):
        return f"an XPath is {{xpath: {quoted(text)}}}"
    return ""


def _jmespath(text: str) -> str:
    """The hints for the mistakes of an expression, and the expression without them, if that is one."""
    fixed, hints = text, []
    for pattern, right, hint in (
        (_DOLLAR, lambda found: "" if found[0] == "$." else "@", "JMESPath has no $"),
        (_EQUALS, lambda _: "==", "values are compared with =="),
        (_NUMBER, lambda found: f"{found[1]}{found[2]}`{found[3]}`", "a number stands in backticks"),
        (_DASHED, lambda found: f'"{found[0]}"', "a key with a dash stands in double quotes"),
    ):
        changed = "".join(piece if is_quoted else pattern.sub(right, piece) for is_quoted, piece in _pieces(fixed))
        if changed != fixed:
            fixed = changed
            hints.append(hint)
    if not hints:
        return ""
    from qetch.selectors.jmes import compile_jmespath

    try:
        compile_jmespath(fixed)
    except ValueError:
        return "; ".join(hints)
    return "; ".join(hints) + (f": {quoted(fixed)}" if len(fixed) <= LONGEST else "")


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """A JMESPath in pieces, and whether each of them is quoted."""
    end = 0
    for found in _SELECTS.finditer(text):
        yield False, text[end : found.start()]
        yield True, found[0]
        end = found.end()
    yield False, text[end:]


def of_regex(message: str, text: str, offset: int) -> str:
    """What would be right instead of a regex that does not compile, or nothing."""
    named = re.compile(r"\(?\?<([A-Za-z_]\w*)>").search(text, max(offset - 1, 0))
    if named and message.startswith("unknown extension ?<"):
        return f"a named group is (?P<{named[1]}>…)"
    return ""


def of_template(text: str) -> str:
    """What would be right instead of a template with a lone brace, or nothing."""
    dotted = _DOTTED.search(text)
    if dotted is None:
        return ""
    name = re.findall(r"[A-Za-z_]\w*", dotted[1])[-1]
    return f"a name has no dots: bind it first, let: {{{name}: {quoted(dotted[1])}}}, and write {{{name}}}"


def of_date_format(text: str) -> str:
    """What would be right instead of an unknown date format, or nothing.

    >>> of_date_format("YYYY-MM-DD"), of_date_format("ISO8601")
    ('write "%Y-%m-%d"', 'write iso')
    """
    known = _FORMATS.get(re.sub(r"[^a-z]", "", text.lower())) or near(text.lower(), ("unix", "iso"))
    if known:
        return f"write {known}"
    words = [found[0] for found in _CODE.finditer(text)]
    if len(words) < 2 or not all(word in _CODES for word in words) or re.search("[^\\W\\dTZ_]", _CODE.sub("", text)):
        return ""
    return f"write {quoted(_CODE.sub(lambda found: _CODES[found[0]], text))}"
