"""Regexes are checked before they run: by the engine that they need, and for exponential backtracking."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from qetch.selectors.backtracking import attack
from qetch.selectors.patterns import check, is_plain

SLOW = {
    r"(?:a+)+$": 0,
    r"^(?:a|a)*$": 1,
    r"^https?://x\.example/(?:a|ab|b)*$": 21,
    r"(?P<x>(?:[\w.]|\.\w)+)@": 6,
    r"(?:(a|b|ab)*c)*$": 3,
    r"(x+x+)+y": 0,
    r"(?:\d+|\w+)*!!$": 0,
    r"(?i)/(?:[a-z]+/?)+\.html$": 5,
    r"x(?:.*,)*;": 1,
    r"(?:\s*\w+\s*){12,}=": 0,
}
FAST = [
    r"(?:\w+\.)*x\.com/(\d+)$",
    r"(?:[^\"\\]|\\.)*\"",
    r"(?:a|b|c)+$",
    r"(?:[\w-]+/)*(\d+)$",
    r"(?:a+)+",  # nothing behind it can fail
    r"(?>a+)+$",
    r"(?:ab?)+$",
    r"(\d{4})(?:-\d\d){2}",
    r"\(a+)+$",
    r"[(a+)+]+$",
    r"(?:x{2,5}y){3}",
    r"^https?://(?:www\.|m\.)?pictures\.(?:com|io)/(?:[\w-]+-)?(?P<id>\w{5,7})(?:[/?#]|$)",
    r"(?:<[^>]*>|[^<])*?<b",
    r"(a)?(?(1)b|c)",
]


@pytest.mark.parametrize("pattern", SLOW)
def test_an_exponential_regex_is_found_with_its_group(pattern: str) -> None:
    found = attack(pattern)
    assert found is not None
    start, pump = found
    assert start == SLOW[pattern]
    assert pump


@pytest.mark.parametrize("pattern", FAST)
def test_a_regex_that_does_no_harm_is_left_alone(pattern: str) -> None:
    assert attack(pattern) is None


PIECES = r"""
\. \d \w \b \p \1 \K é (?: (?P<a> (?= (?<= (?i) (?> (?| (?R) [a-z] [^/?#]+ [\w-] [[:alpha:]] [a--b] []a] [z-a] {2} {2,3} {3,2} *? ++
"""
PARTS = st.sampled_from([*"ab1_-/.=~&|^$()[]{}*+?,:<>!P\\ #\n", *PIECES.split()])


@settings(max_examples=600, deadline=None)
@given(st.lists(PARTS, max_size=8).map("".join))
def test_a_plain_regex_is_good_or_bad_for_both_engines(pattern: str) -> None:
    if is_plain(pattern):
        assert compiles(re.compile, re.error, pattern) == compiles(regex.compile, regex.error, pattern)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@settings(max_examples=600, deadline=None)
@given(st.lists(PARTS, max_size=8).map("".join))
def test_what_one_of_the_engines_refuses_is_refused(pattern: str) -> None:
    good = compiles(re.compile, re.error, pattern) and compiles(regex.compile, regex.error, pattern)
    assert good or check(pattern) is not None


def compiles(compile_, error: type[Exception], pattern: str) -> bool:
    try:
        compile_(pattern)
    except error:
        return False
    return True
