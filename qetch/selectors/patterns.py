"""Regular expressions: checked by `re`, run by `regex`, which can stop one that backtracks for ever.

Owner of the `regex` library.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

MAX_URL = 8192
"""Characters; a longer URL is nobody's."""
URL_SECONDS = 0.1
ANSWER_SECONDS = 1.0


class PatternTooSlow(Exception):
    """A regex did not finish in its time; the message names it."""


@cache
def compiled(pattern: str) -> regex.Pattern[str]:
    """The pattern, compiled once a process; `check` has seen it before."""
    import regex

    return regex.compile(pattern)


@cache
def check(pattern: str) -> tuple[str, int] | None:
    """What is wrong with a pattern and at which character, or None.

    `re` decides what is allowed, for its messages have a position and its syntax is the documented one.
    """
    import re
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(pattern)
        except re.error as error:
            return error.msg, error.pos or 0
        except (FutureWarning, DeprecationWarning) as warning:
            return str(warning).split(" at position")[0].lower(), 0
        except (RecursionError, OverflowError):
            return "too deep or too large", 0
    import regex

    try:
        compiled(pattern)
    except regex.error as error:
        return str(error).partition(" at position")[0], 0
    return None


def match_url(pattern: str, url: str) -> regex.Match[str] | None:
    """Matches a URL from its start. One that takes too long is no match, and is said."""
    if len(url) > MAX_URL:
        return None
    try:
        return compiled(pattern).match(url, timeout=URL_SECONDS)
    except TimeoutError:
        import logging

        logging.getLogger("qetch").warning(
            "a regex took over %s s on %.80s and was stopped: %s", URL_SECONDS, url, pattern
        )
        return None


def without_query(url: str) -> str:
    """What a handle with `params` matches: those take the query over."""
    return url.partition("#")[0].partition("?")[0]


def search(pattern: regex.Pattern[str], text: str) -> regex.Match[str] | None:
    """The first match in an answer's text.

    Raises:
        PatternTooSlow: It did not finish in `ANSWER_SECONDS`.
    """
    try:
        return pattern.search(text, timeout=ANSWER_SECONDS)
    except TimeoutError:
        raise PatternTooSlow(_too_slow(pattern)) from None


def found(match: regex.Match[str]) -> str | None:
    """What a match stands for: group 1 if there is one, else all of it."""
    text: str | None = match[1] if match.re.groups else match[0]
    return text


def find_all(pattern: regex.Pattern[str], text: str) -> list[str | None]:
    """Every match in an answer's text, in order; see `search`."""
    try:
        return [found(match) for match in pattern.finditer(text, timeout=ANSWER_SECONDS)]
    except TimeoutError:
        raise PatternTooSlow(_too_slow(pattern)) from None


def replace(pattern: regex.Pattern[str], replacement: str, text: str) -> str:
    """Every match replaced; the replacement may refer to groups as in `re.sub`; see `search`."""
    try:
        result: str = pattern.sub(replacement, text, timeout=ANSWER_SECONDS)
    except TimeoutError:
        raise PatternTooSlow(_too_slow(pattern)) from None
    return result


def _too_slow(pattern: regex.Pattern[str]) -> str:
    return f"the regex {pattern.pattern!r} took over {ANSWER_SECONDS:g} s and was stopped"
