"""What a JMESPath or an XPath that does not compile was meant to be. Imported when there is one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qetch.spec.cures import of_value
from qetch.spec.wording import LONGEST, near, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SELECTS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`""", re.DOTALL)
"""The parts of a JMESPath that are texts, quoted keys or literals, in which nothing is to be cured."""
_WORDS = re.compile(r"\w[\w.,:!'-]*(?: +[\w.,:!'-]+)+")
_QUOTED_KEY = re.compile(r"""(?<=[\w\])"])\[\s*(['"])([^'"\[\]]+)\1\s*\]""")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOUBLE = r'"\g<0>"'
AND_OR = "and is &&, or is ||"
ODD_KEY = "a key that is more than letters, digits and _ stands in double quotes"
REPAIRS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str], str], ...] = (
    (re.compile(r"^[./](?=\w)"), "", "a path begins with a key"),
    (re.compile(r"\$(?:(\.)|(?!\w))"), lambda found: "" if found[1] else "@", "JMESPath has no $"),
    (re.compile(r"\?\.(?!\.)"), ".", "what is missing is null without a ?"),
    (
        re.compile(r"(?<![=!<>])=\s*([A-Za-z_]\w*)(?![\w.(\[])"),
        lambda found: f"==`{found[1]}`" if found[1] in ("true", "false", "null") else f"=='{found[1]}'",
        "values are compared with ==, and a text stands in single quotes",
    ),
    (re.compile(r"(?<![=!<>])=(?!=)"), "==", "values are compared with =="),
    (re.compile(r"([=!]=|[<>]=?)(\s*)(-?\d+(?:\.\d+)?)\b"), r"\1\2`\3`", "a number stands in backticks"),
    (re.compile(r"\[(?=\s*[\w.@]+(?:\([\w.@]*\))?\s*(?:[=!]=|[<>]))"), "[?", "a filter begins with [?"),
    (re.compile(r"\](?=\w)"), "].", "a . stands between a ] and a key"),
    (
        re.compile(r"(?<=[\w\]])\.(?:(\d+)(?!\w)|\[(\d+)\])"),
        lambda found: f"[{found[1] or found[2]}]",
        "an index follows without a dot",
    ),
    (re.compile(r"(?<=\w)/(?=\w)"), ".", "a . goes down to a key"),
    (re.compile(r"[A-Za-z_]\w*(?:-\w+)+"), _DOUBLE, "a key with a dash stands in double quotes"),
    (re.compile(r"[@$][A-Za-z_]\w*|(?<=\.)\d+[A-Za-z_]\w*|\w*[^\W\x00-\x7f]\w*"), _DOUBLE, ODD_KEY),
    (re.compile(r"(?<![\w:{, ])[A-Za-z]\w*:[A-Za-z]\w*(?!:)"), _DOUBLE, ODD_KEY),
    (re.compile(r"\s+and\s+"), " && ", AND_OR),
    (re.compile(r"\s+or\s+"), " || ", AND_OR),
)
"""What is wrong in the text of an expression, what takes its place, and the hint for that."""
_MISSING = "something is missing at the end"
_SHORTER = "read a part of it in a `let` first"
BESIDE = "what changes a text stands beside `jmespath`, such as regex, replace, map, split, join, date, number"
USAGES = (
    *("join(', ', tags)", "sort_by(items, &date)", "max_by(items, &width)", "min_by(items, &width)", "map(&id, items)"),
    *("contains(tags, 'new')", "starts_with(name, 'a')", "ends_with(name, 'a')", "pick(files, ['mp4', 'gif'])"),
)
_CLOSE = {"(": ")", "[": "]", "{": "}"}

BY_MESSAGE = {
    "incomplete": _MISSING,
    "not a JMESPath": _MISSING,
    "longer than": _SHORTER,
    "nested": _SHORTER,
    "number of arguments": "such as contains(@class, 'ad'), starts-with(@href, '/p/'), count(//a)",
}
"""What would be right, by a part of what the parser says."""
OTHERS = {"::": "that is CSS, which reads html and xml", "//": "that is XPath, which reads html and xml"}
"""Signs of other languages, and which those are."""
BY_TEXT = {
    " ? ": "a choice is a && b || c",
    "..": "there is no .. to look everywhere: write each key on the way",
    " + ": "JMESPath does not calculate: texts are put together by {text: …}, or by join('', [a, b])",
    "not ": "not is !",
}
"""Likewise by what a JMESPath holds."""

XPATH_FUNCTIONS = "such as contains, starts-with, substring-before, normalize-space, translate, count"
XPATH_2 = {
    "matches": "a regex stands beside `xpath`: {xpath: …, regex: …}",
    "replace": "write it beside `xpath`: {xpath: …, replace: [[regex, text]]}",
    "tokenize": "write it beside `xpath`: {xpath: …, split: …}",
    "string-join": "write it beside `xpath`: {xpath: …, all: true, join: …}",
    "ends-with": "there are contains and starts-with; a regex stands beside `xpath`",
    "lower-case": "write translate(., 'ABC', 'abc'), with all letters that occur",
    "upper-case": "write translate(., 'abc', 'ABC'), with all letters that occur",
}
"""Functions of later versions of XPath, and what does the same here."""
AXES = (
    *("ancestor", "ancestor-or-self", "attribute", "child", "descendant", "descendant-or-self", "following"),
    *("following-sibling", "namespace", "parent", "preceding", "preceding-sibling", "self"),
)
IN_XPATH = (
    (re.compile(r"::text|::attr"), "::text and ::attr are CSS: write /text() or /@href"),
    (re.compile(r"\w/+$"), "remove the / at the end"),
    (re.compile(r"@(?![\w*])"), "an attribute has a name: @href"),
    (re.compile(r"(?:[|=<>+-]|\b(?:and|or|div|mod))\s*\]"), "something is missing before the ]"),
    (re.compile(r"(?:[|=<>+-]|\b(?:and|or|div|mod))\s*$"), _MISSING),
    (re.compile(r"\w#\w"), "an id is [@id='…']"),
    (re.compile(r"/[a-z-]+\("), "a function stands around its path, as in string(//h1)"),
    (re.compile(""), "such as //h1/text(), //a[@rel='next']/@href"),
)
"""What is wrong in the text of an XPath, and what would be right."""


def jmespath(text: str, message: str, *, is_value: bool) -> str:
    """The hints for the mistakes of an expression, and the expression without them, if that is one."""
    from qetch.selectors.jmes import compile_jmespath

    bare = _SELECTS.sub("''", text)
    other = next((which for sign, which in OTHERS.items() if sign in bare), "")
    if other:
        return other
    is_prose = is_value and _WORDS.fullmatch(text) is not None
    fixed, hints = _repaired(text, is_prose)
    if hints:
        try:
            compile_jmespath(fixed)
        except ValueError:
            pass
        else:
            return "; ".join(hints) + (f": {quoted(fixed)}" if len(fixed) <= LONGEST else "")
    if is_prose:
        return of_value(text)
    open_end = _unbalanced(re.sub(r"\\.", "", text), "'\"`")
    return "; ".join([*hints, *([open_end] if open_end else [])]) or _by_message(text, message)


def _repaired(text: str, is_prose: bool) -> tuple[str, list[str]]:
    """An expression without the mistakes that can be told from its text alone, and a hint for each."""
    fixed = _QUOTED_KEY.sub(lambda found: "." + (found[2] if _PLAIN_KEY.fullmatch(found[2]) else f'"{found[2]}"'), text)
    hints = {"a key follows a dot": None} if fixed != text else {}
    for pattern, right, hint in REPAIRS:
        changed = "".join(piece if is_quoted else pattern.sub(right, piece) for is_quoted, piece in _pieces(fixed))
        if changed != fixed and not (is_prose and hint == AND_OR):
            fixed = changed
            hints[hint] = None
    return fixed, list(hints)


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """A JMESPath in pieces, and whether each of them is quoted."""
    end = 0
    for found in _SELECTS.finditer(text):
        yield False, text[end : found.start()]
        yield True, found[0]
        end = found.end()
    yield False, text[end:]


def _by_message(text: str, message: str) -> str:
    """What would be right, by what the parser says of an expression."""
    if "function" in message:
        return BESIDE
    if "argument" in message:
        name = message.partition("()")[0]
        return "such as " + next((usage for usage in USAGES if usage.startswith(f"{name}(")), f"{name}(data)")
    found = next((cure for words, cure in BY_MESSAGE.items() if words in message), "")
    found = found or next((cure for sign, cure in BY_TEXT.items() if sign in text), "")
    return found or "such as data.title, items[0].id, items[?kind == 'photo'].link"


def _unbalanced(text: str, quotes: str) -> str:
    """What would close a selector's brackets and quotes, or nothing if they are closed."""
    opened: list[str] = []
    quote = ""
    for char in text:
        if quote or char in quotes:
            quote = "" if char == quote else quote or char
        elif char in _CLOSE:
            opened.append(char)
        elif char in _CLOSE.values():
            last = opened.pop() if opened else ""
            if _CLOSE.get(last) != char:
                return f"close the {last} before this {char}" if last else f"nothing is open that this {char} closes"
    if quote:
        return f"close the quote: a text stands between two {quote}"
    return f"close the {opened[-1]} with a {_CLOSE[opened[-1]]}" if opened else ""


def xpath(text: str, message: str) -> str:
    """What would be right instead of an XPath."""
    if "variables" in message:
        return "what differs from page to page cannot stand in an XPath"
    if not re.match(r"[(./@]|\w+\(", text) and _is_css(text):
        return f"a CSS selector is {{css: {quoted(text)}}}"
    if "function" in message:
        called = re.findall(r"([A-Za-z][\w-]*)\s*\(", text)
        return next((XPATH_2[name] for name in called if name in XPATH_2), XPATH_FUNCTIONS)
    axis = next((near(name, AXES) for name in re.findall(r"([\w-]+)::", text) if name not in AXES), "")
    if axis:
        return f'did you mean "{axis}::"?'
    said = next((cure for words, cure in BY_MESSAGE.items() if words in message), "")
    return said or _unbalanced(text, "'\"") or next(cure for pattern, cure in IN_XPATH if pattern.search(text))


def _is_css(text: str) -> bool:
    from qetch.selectors.markup import css_to_xpath

    try:
        css_to_xpath(text, "html")
    except ValueError:
        return False
    return True
