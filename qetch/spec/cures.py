"""What a wrong selector, template or date format was probably meant to be."""

from __future__ import annotations

import re

from qetch.spec.templates import parse_template
from qetch.spec.wording import near, quoted

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


_REGEX = (
    ("redefinition of group", "give one of them another name"),
    ("terminated subpattern", r"close the group with ), or write \( for the character"),
    ("unbalanced parenthesis", r"remove the ), or write \) for the character"),
    ("character set", r"close it with ], or write \[ for the character"),
    ("repeat", r"a * or + follows what it repeats: \* or \+ is the character"),
    ("unterminated name", "a named group is (?P<name>…)"),
    ("group name", "a named group is (?P<name>…), and a name has letters, digits and _"),
    ("look-behind", "look-behind is of a fixed length: write (?:…) and take group 1"),
)
"""What would be right, by a part of what Python says of a regex."""
_CSS = (
    ("::attr", "write the attribute's name: ::attr(href)"),
    ("pseudo-element", "known are ::text and ::attr(name)"),
    (":first()", "write :first-child or :first-of-type; without them it is the first match all the same"),
    ("pseudo-class", "such as :not(.ad), :has(img), :first-child, :nth-of-type(2)"),
    ("<EOF", "something is missing at the end"),
)
"""Likewise of a CSS selector."""


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


def halves(message: str) -> tuple[str, str]:
    """What is wrong with a selector, and what would be right if the message says that too.

    >>> halves("unknown function lenght() - did you mean length()?"), halves("incomplete expression")
    (('unknown function lenght()', 'did you mean length()?'), ('incomplete expression', ''))
    """
    found = re.search(r"(?:: | - )((?:write|use|did you mean) .+)", message)
    return (message[: found.start()], found[1]) if found else (message, "")


def of_selector(language: str, text: str, message: str = "", *, is_value: bool = True) -> str:
    """What would be right instead of a selector that does not compile, or nothing.

    Args:
        language: Of the place: jmespath, css, xpath or regex.
        text: The selector.
        message: What is wrong with it.
        is_value: Whether a value may stand there: `{text: …}`, or another language.
    """
    if placeholders(text):
        return of_value(text) if is_value else "a selector is no template"
    if language in ("jmespath", "xpath"):
        from qetch.spec import mistakes

        return (
            mistakes.xpath(text, message)
            if language == "xpath"
            else mistakes.jmespath(text, message, is_value=is_value)
        )
    if language == "css" and is_value and re.match(r"\(?\.?/", text):
        return f"an XPath is {{xpath: {quoted(text)}}}"
    rules = _CSS if language == "css" else _REGEX
    return next((cure for words, cure in rules if words in message), "")


def of_regex(message: str, text: str, offset: int) -> str:
    """What would be right instead of a regex that does not compile, or nothing."""
    named = re.compile(r"\(?\?<([A-Za-z_]\w*)>").search(text, max(offset - 1, 0))
    if named and message.startswith("unknown extension ?<"):
        return f"a named group is (?P<{named[1]}>…)"
    return next((cure for words, cure in _REGEX if words in message), "")


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
        return "such as iso, unix, or %Y-%m-%d %H:%M"
    return f"write {quoted(_CODE.sub(lambda found: _CODES[found[0]], text))}"
