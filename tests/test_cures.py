"""What is said of a text that is no selector: what it was meant to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qetch.selectors import jmes, markup, patterns
from qetch.spec import cures, mistakes

if TYPE_CHECKING:
    from collections.abc import Callable


def cure_of_what_is_said(language: str, compiler: Callable[[str], object], text: str) -> str:
    """The cure in what the compiler says of a text; if it has none, that of the text and what is wrong."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - what it says is the question
        compiler(text)
    wrong, right = cures.halves(str(caught.value))
    return right or cures.of_selector(language, text, wrong)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("a > 10", 'a number stands in backticks: "a > `10`"'),
        ("[?a >= -1.5 && b == 2]", 'a number stands in backticks: "[?a >= `-1.5` && b == `2`]"'),
        ("[?a = b]", "values are compared with ==, and a text stands in single quotes: \"[?a =='b']\""),
        ("[?a = true]", 'values are compared with ==, and a text stands in single quotes: "[?a ==`true`]"'),
        ("[?a = 'x = 1']", "values are compared with ==: \"[?a == 'x = 1']\""),
        ("full-name", "a key with a dash stands in double quotes: '\"full-name\"'"),
        ("a.full-name | '$'", "a key with a dash stands in double quotes: 'a.\"full-name\" | ''$'''"),
        ("$", 'JMESPath has no $: "@"'),
        ("$.a[?b = 1]", 'JMESPath has no $; values are compared with ==; a number stands in backticks: "a[?b == `1`]"'),
        ("$.a[", "JMESPath has no $; close the [ with a ]"),
        ("a[", "close the [ with a ]"),
        ("a[?'x > 1'", "close the [ with a ]"),
        ("a[?contains(b, 'c']", "close the ( before this ]"),
        ("a]", "nothing is open that this ] closes"),
        ("a == 'b", "close the quote: a text stands between two '"),
        (".data.items", 'a path begins with a key: "data.items"'),
        ("/data/items", 'a path begins with a key; a . goes down to a key: "data.items"'),
        ("items[*]name", 'a . stands between a ] and a key: "items[*].name"'),
        ("items.0.id", 'an index follows without a dot: "items[0].id"'),
        ("items['key'].a", 'a key follows a dot: "items.key.a"'),
        ("""a["b c"]""", "a key follows a dot: 'a.\"b c\"'"),
        ("a?.b", 'what is missing is null without a ?: "a.b"'),
        ("items[id=='5']", "a filter begins with [?: \"items[?id=='5']\""),
        ("items[?a and b]", 'and is &&, or is ||: "items[?a && b]"'),
        ("a.@type", "a key that is more than letters, digits and _ stands in double quotes: 'a.\"@type\"'"),
        ("$ref", "a key that is more than letters, digits and _ stands in double quotes: '\"$ref\"'"),
        ("wp:term", "a key that is more than letters, digits and _ stands in double quotes: '\"wp:term\"'"),
        ("//h1/text()", "that is XPath, which reads html and xml"),
        ("h1::text", "that is CSS, which reads html and xml"),
        ("this and that", 'a fixed text is {text: "this and that"}'),
        ("{id}", 'a template is {text: "{id}"}'),
        ("two words, and more", 'a fixed text is {text: "two words, and more"}'),
    ],
)
def test_a_bad_jmespath_is_cured(text: str, cure: str) -> None:
    assert cures.of_selector("jmespath", text) == cure


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("//h1/text()", 'an XPath is {xpath: "//h1/text()"}'),
        (".//a/@href", 'an XPath is {xpath: ".//a/@href"}'),
        ("https://a.example/{id}", 'a template is {text: "https://a.example/{id}"}'),
        ("h1[", ""),
    ],
)
def test_a_bad_css_selector_is_cured(text: str, cure: str) -> None:
    assert cures.of_selector("css", text) == cure


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("data.", "something is missing at the end"),
        ("a ||", "something is missing at the end"),
        ("a..b", "there is no .. to look everywhere: write each key on the way"),
        ("a ? b : c", "a choice is a && b || c"),
        ("[?a + b]", "JMESPath does not calculate: texts are put together by {text: …}, or by join('', [a, b])"),
        (
            "replace(a, 'b', 'c')",
            "what changes a text stands beside `jmespath`, such as regex, replace, map, split, join, date, number",
        ),
        ("flor(a)", "did you mean floor()?"),
        ("[?a == true]", "write the value as `true`"),
        ("[?a == `b`]", "write a text as 'b'"),
        ("join(tags)", "such as join(', ', tags)"),
        ("keys()", "such as keys(data)"),
        ("a." * 1001, "read a part of it in a `let` first"),
        ("a[b]", "such as data.title, items[0].id, items[?kind == 'photo'].link"),
    ],
)
def test_a_bad_jmespath_is_cured_by_what_is_said_of_it(text: str, cure: str) -> None:
    assert cure_of_what_is_said("jmespath", jmes.compile_jmespath, text) == cure


def test_the_examples_of_functions_compile() -> None:
    for usage in mistakes.USAGES:
        jmes.compile_jmespath(usage)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("//h1[@class='a'", "close the [ with a ]"),
        ("//a[contains(@class, 'x']", "close the ( before this ]"),
        ("//h1)", "nothing is open that this ) closes"),
        ("//h1[text()='it's']", "close the quote: a text stands between two '"),
        ("h1::text", 'a CSS selector is {css: "h1::text"}'),
        ("a::attr(href)", 'a CSS selector is {css: "a::attr(href)"}'),
        ("//a::text", "::text and ::attr are CSS: write /text() or /@href"),
        ("//h1/@href/", "remove the / at the end"),
        ("//a[@]", "an attribute has a name: @href"),
        ("//a[@href=]", "something is missing before the ]"),
        ("//a |", "something is missing at the end"),
        ("//a#top", "an id is [@id='…']"),
        ("//a/string()", "a function stands around its path, as in string(//h1)"),
        ("//a[matches(., 'x')]", "a regex stands beside `xpath`: {xpath: …, regex: …}"),
        ("fn(//a)", "such as contains, starts-with, substring-before, normalize-space, translate, count"),
        ("//a[contains(@b)]", "such as contains(@class, 'ad'), starts-with(@href, '/p/'), count(//a)"),
        ("descendent::a[", 'did you mean "descendant::"?'),
        ("$x", "what differs from page to page cannot stand in an XPath"),
        ("//svg:path", "write the name without its prefix"),
        ("//a[re:test(., 'b')]", "use `regex`"),
        ("//a{1}", "such as //h1/text(), //a[@rel='next']/@href"),
    ],
)
def test_a_bad_xpath_is_cured(text: str, cure: str) -> None:
    assert cure_of_what_is_said("xpath", markup.compile_xpath, text) == cure


def test_rows_are_never_a_template() -> None:
    assert cures.of_selector("jmespath", "{id}", is_value=False) == "a selector is no template"
    assert cures.of_selector("css", "//tr", is_value=False) == ""


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("YYYY-MM-DD", 'write "%Y-%m-%d"'),
        ("yyyy-MM-ddTHH:mm:ss", 'write "%Y-%m-%dT%H:%M:%S"'),
        ("D MMM YYYY", 'write "%d %b %Y"'),
        ("ISO 8601", "write iso"),
        ("unixtime", "write unix"),
        ("milliseconds", "write ms"),
        ("whenever", "such as iso, unix, or %Y-%m-%d %H:%M"),
        ("the day", "such as iso, unix, or %Y-%m-%d %H:%M"),
    ],
)
def test_a_date_format_of_another_language_is_cured(text: str, cure: str) -> None:
    assert cures.of_date_format(text) == cure


@pytest.mark.parametrize(
    ("regex", "cure"),
    [
        ("a(b", "close the group with ), or write \\( for the character"),
        ("a)", "remove the ), or write \\) for the character"),
        ("[a", "close it with ], or write \\[ for the character"),
        ("a**", "a * or + follows what it repeats: \\* or \\+ is the character"),
        ("(?P<a>b)(?P<a>c)", "give one of them another name"),
        ("(?<id>b)", "a named group is (?P<id>…)"),
        ("(?P<a-b>c)", "a named group is (?P<name>…), and a name has letters, digits and _"),
        ("(?<=a+)b", "look-behind is of a fixed length: write (?:…) and take group 1"),
    ],
)
def test_a_bad_regex_is_cured(regex: str, cure: str) -> None:
    wrong = patterns.check(regex)
    assert wrong
    message, offset = wrong
    assert cures.of_regex(message, regex, offset) == cure


@pytest.mark.parametrize(
    ("selector", "cure"),
    [
        ("a::attr", "write the attribute's name: ::attr(href)"),
        ("a::href", "known are ::text and ::attr(name)"),
        ("a:frist", "such as :not(.ad), :has(img), :first-child, :nth-of-type(2)"),
        ("ul >", "something is missing at the end"),
    ],
)
def test_a_bad_css_selector_is_cured_by_what_is_said_of_it(selector: str, cure: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|expected") as caught:
        markup.compile_css(selector, "html")
    assert cures.of_selector("css", selector, str(caught.value)) == cure


def test_a_path_in_a_template_is_bound_by_let() -> None:
    assert cures.of_template("a{data.clips[0].id}") == (
        'a name has no dots: bind it first, let: {id: "data.clips[0].id"}, and write {id}'
    )
    assert cures.of_template("a{id + 1}") == ""
