"""What is said of a text that is no selector: what it was meant to be."""

from __future__ import annotations

import pytest

from qetch.spec import cures


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("a > 10", 'a number stands in backticks: "a > `10`"'),
        ("[?a >= -1.5 && b == 2]", 'a number stands in backticks: "[?a >= `-1.5` && b == `2`]"'),
        ("[?a = 'x = 1']", "values are compared with ==: \"[?a == 'x = 1']\""),
        ("full-name", "a key with a dash stands in double quotes: '\"full-name\"'"),
        ("a.full-name | '$'", "a key with a dash stands in double quotes: 'a.\"full-name\" | ''$'''"),
        ("$", 'JMESPath has no $: "@"'),
        ("$.a[?b = 1]", 'JMESPath has no $; values are compared with ==; a number stands in backticks: "a[?b == `1`]"'),
        ("$.a[", "JMESPath has no $"),
        ("a[", ""),
        ("a[?'x > 1'", ""),
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
        ("whenever", ""),
        ("the day", ""),
    ],
)
def test_a_date_format_of_another_language_is_cured(text: str, cure: str) -> None:
    assert cures.of_date_format(text) == cure


def test_a_path_in_a_template_is_bound_by_let() -> None:
    assert cures.of_template("a{data.clips[0].id}") == (
        'a name has no dots: bind it first, let: {id: "data.clips[0].id"}, and write {id}'
    )
    assert cures.of_template("a{id + 1}") == ""
