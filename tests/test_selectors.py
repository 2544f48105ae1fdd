"""The languages that read an answer: what compiles, what is refused and how that reads, what is found."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from qetch.selectors import jmes, markup, patterns
from qetch.spec import dates

# --- regexes


def test_a_good_regex_has_nothing_wrong() -> None:
    assert patterns.check(r"^https?://(?P<id>\d+)(?:[/?#]|$)(?i:jpe?g)") is None


@pytest.mark.parametrize(
    ("pattern", "message", "at"),
    [
        ("ab(c", "missing ), unterminated subpattern", 2),
        ("a**", "multiple repeat", 2),
        (r"a\q", r"bad escape \q", 1),
        ("(?P<1>a)", "bad character in group name '1'", 4),
        ("(?P<a>x)(?P<a>y)", "redefinition of group name 'a' as group 2; was group 1", 12),
        ("[[a]", "possible nested set", 0),
        ("(?<=a*)b", "look-behind requires fixed-width pattern", 0),
    ],
)
def test_a_bad_regex_says_what_and_at_which_character(pattern: str, message: str, at: int) -> None:
    assert patterns.check(pattern) == (message, at)


def test_a_regex_that_backtracks_for_ever_is_stopped_on_a_url(caplog: pytest.LogCaptureFixture) -> None:
    assert patterns.match_url("(a|aa)+[xy]", "a" * 300) is None
    assert "was stopped" in caplog.text


def test_a_regex_that_backtracks_for_ever_is_stopped_in_an_answer() -> None:
    slow = patterns.compiled("(a|aa)+[xy]")
    for run in (patterns.search, patterns.find_all):
        with pytest.raises(patterns.PatternTooSlow, match=r"the regex '\(a\|aa\)\+\[xy\]' took over 1 s"):
            run(slow, "a" * 300)


def test_a_url_of_nine_thousand_letters_is_nobodys() -> None:
    assert patterns.match_url("h", "h" * patterns.MAX_URL)
    assert patterns.match_url("h", "h" * (patterns.MAX_URL + 1)) is None


def test_a_regex_gives_its_group_else_the_whole_match() -> None:
    assert patterns.find_all(patterns.compiled(r"a(\d)?"), "a1 a a2") == ["1", None, "2"]
    assert patterns.find_all(patterns.compiled(r"\d"), "1 2") == ["1", "2"]
    assert patterns.replace(patterns.compiled(r"(a)(b)"), r"\2\1", "xab") == "xba"


# --- JMESPath


def ask(expression: str, data: Any) -> Any:
    return jmes.compile_jmespath(expression)(data)


@pytest.mark.parametrize(
    ("expression", "data", "found"),
    [
        ("a.b", {"a": {"b": 1}}, 1),
        ("a", {"b": 1}, None),
        ("a", [1], None),
        ("@", 7, 7),
        ("entries(@)", {"a": 1, "b": [2]}, [{"key": "a", "value": 1}, {"key": "b", "value": [2]}]),
        ("pick(@, ['b', 'a', 'z'])", {"a": 1, "b": 2}, [2, 1]),
        ("pick(files, order)", {"files": {"x": 1, "y": 2}, "order": ["y"]}, [2]),
        ("""[?"@type" == 'Picture'].id""", [{"@type": "Picture", "id": 7}, {"@type": "Page", "id": 8}], [7]),
        ("""a == `"1"`""", {"a": "1"}, True),
        (r"a == '\''", {"a": "'"}, True),
        ("posts[?md5 && !gone].no", {"posts": [{"md5": "x", "no": 1}, {"no": 2}]}, [1]),
    ],
)
def test_jmespath_finds(expression: str, data: Any, found: Any) -> None:
    assert ask(expression, data) == found


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("posts[?md5", "incomplete expression"),
        ("", "empty expression"),
        ("a..b", "unexpected '.' at character 3"),
        ("a #b", "unexpected '#' at character 3"),
        ("a[::0]", "a slice cannot have steps of 0 - leave the last number out"),
        ("lowercase(a)", "unknown function lowercase()"),
        ("entry(a)", "unknown function entry() - did you mean entries()?"),
        ("entries(a, b)", "entries() takes 1 argument, not 2"),
        ("pick(a)", "pick() takes 2 arguments, not 1"),
        ("not_null()", "not_null() takes at least 1 argument, not 0"),
        ("a[?b[?join(c)]]", "join() takes 2 arguments, not 1"),
        ('status == "alive"', "\"alive\" in double quotes is a key: write the text as 'alive'"),
        ('a[?b != "c"]', "\"c\" in double quotes is a key: write the text as 'c'"),
        ("a == `b c`", "`b c` is not JSON: write a text as 'b c'"),
        ("a" * 2001, "longer than 2000 characters"),
        ("(" * 900 + "a" + ")" * 900, "nested too deep"),
    ],
)
def test_bad_jmespath_is_refused(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        jmes.compile_jmespath(expression)


@pytest.mark.parametrize("expression", ["length(a)", "sort_by(@, &b)", "entries(a)", "join(',', a)"])
def test_a_value_of_the_wrong_type_is_said(expression: str) -> None:
    with pytest.raises(jmes.DoesNotFit):
        ask(expression, {"a": 7})


# --- CSS and XPath

PAGE = markup.parse(
    "html",
    """<html><body><ul id="list"><li class="a" data-id="1">One <b>two</b></li><li class="ad">Ad</li>
    <li>Three<br>four &amp; five</li></ul><a href="/x" rel="next">more</a></body></html>""",
)


@pytest.mark.parametrize(
    ("css", "found"),
    [
        ("a::attr(href)", ["/x"]),
        ('a[rel="next"]::text', ["more"]),
        ("#list li:not(.ad)::attr(class)", ["a"]),
        ("ul > li:nth-child(2)::text", ["Ad"]),
        ("p::text", []),
        ("h1::text, a::text", ["more"]),
    ],
)
def test_css_finds_texts(css: str, found: list[str]) -> None:
    assert markup.compile_css(css, "html")(PAGE) == found


def test_css_looks_at_the_element_itself_and_all_below() -> None:
    first = markup.compile_css("li.a", "html")(PAGE)[0]
    assert markup.compile_css("::attr(data-id)", "html")(first) == ["1"]
    assert markup.compile_css("b::text", "html")(first) == ["two"]


def test_css_can_be_asked_whether_it_matches_an_element_itself() -> None:
    rows = markup.compile_css("li", "html")(PAGE)
    matches = markup.compile_matches("ul > li:not(.ad)", "html")
    assert [matches(row) for row in rows] == [True, False, True]
    other = markup.compile_css("li", "html")(markup.parse("html", "<ol><li>a</ol>"))
    assert [matches(row) for row in other] == [False]


@pytest.mark.parametrize(
    ("css", "message"),
    [
        ("h1 >", "expected selector, got <EOF at 4>"),
        ("h1::attr", "the pseudo-element ::attr is unknown"),
        ("h1::texts", "the pseudo-element ::texts is unknown"),
        ("h1:frist", "the pseudo-class :frist is unknown"),
        ("a[href", "operator expected, got <EOF at 6>"),
        ("a" * 2001, "longer than 2000 characters"),
    ],
)
def test_bad_css_is_refused(css: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        markup.compile_css(css, "html")


@pytest.mark.parametrize(
    ("css", "text"),
    [("a::text", True), ("a::attr(href)", True), ("a::text ", True), ("a", False), ("a[title='::text']", False)],
)
def test_it_is_known_whether_css_gives_text(css: str, text: bool) -> None:
    assert markup.gives_text(css) is text


@pytest.mark.parametrize(
    ("xpath", "found"),
    [
        ("//a/@href", ["/x"]),
        ("//li[contains(., 'Three')]/text()", ["Three", "four & five"]),
        ("count(//li)", ["3"]),
        ("1 div 2", ["0.5"]),
        ("string(//b)", ["two"]),
        ("//a[not(@class) and (@rel = 'next' or position() = last())]/node()", ["more"]),
        ("//li[contains(., 'a$b:c(d)')]", []),
        ("//b/ancestor::li/@data-id", ["1"]),
    ],
)
def test_xpath_finds(xpath: str, found: list[str]) -> None:
    assert markup.compile_xpath(xpath)(PAGE) == found


@pytest.mark.parametrize(
    ("xpath", "message"),
    [
        ("//a[", "invalid expression"),
        ("//a[matches(., 'x')]", "unregistered function"),
        ("//a[contains(.)]", "invalid number of arguments"),
        ("//a[re:test(., 'x')]", "the re: functions of XPath have no time limit: use `regex`"),
        ("//a[. = $id]", "there are no variables here"),
        ("//svg:path", "namespaces are dropped: write the name without its prefix"),
        ("//a[str:tokenize(., ' ')]", "namespaces are dropped: write the name without its prefix"),
    ],
)
def test_bad_xpath_is_refused_at_load_wherever_it_is_wrong(xpath: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        markup.compile_xpath(xpath)


def test_xml_loses_its_namespaces_and_entities_of_its_own() -> None:
    root = markup.parse("xml", b'<r xmlns="u" xmlns:m="v"><m:a m:b="1">x</m:a></r>')
    assert markup.compile_css("a::attr(b)", "xml")(root) == ["1"]
    with pytest.raises(markup.BadMarkup):
        markup.parse("xml", b"<a><b></a>")
    bomb = b'<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><a>&y;</a>'
    assert markup.visible_text(markup.parse("xml", bomb)) == "&y;"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a<br>b</p><p>c &amp; d</p>", "a\nb\nc & d"),
        ("<div> a <b>b</b>  c</div>d<script>no</script>", "a b c\nd"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("a &lt; b \n\t c", "a < b c"),
        ("a<br/>b<br><br>c", "a\nb\nc"),
        ("&nbsp;a&nbsp;", "a"),
        ("<b>a</b><i>b</i>", "ab"),
        ("<!-- c -->x<style>y</style>", "x"),
        ("a < b", "a < b"),
        ("<br>", ""),
        ("", ""),
    ],
)
def test_markup_becomes_its_visible_text(html: str, text: str) -> None:
    assert markup.visible_text(markup.Html(html)) == text


def test_a_text_is_its_own_visible_text() -> None:
    assert markup.visible_text(" a <b> ") == " a <b> "


# --- dates


@pytest.mark.parametrize("text", ["unix", "ms", "iso", "%d %B %Y", "%a, %d %b %Y %H:%M:%S %z", "%%%Y"])
def test_a_good_date_format_has_nothing_wrong(text: str) -> None:
    assert dates.check_format(text) is None


@pytest.mark.parametrize("text", ["ISO", "rfc", "", "%Q", "%", "%d %"])
def test_a_bad_date_format_is_said(text: str) -> None:
    assert dates.check_format(text)


@pytest.mark.parametrize(("name", "good"), [("UTC", True), ("Europe/Paris", True), ("Mars", False), ("../x", False)])
def test_a_time_zone_is_known_or_not(name: str, good: bool) -> None:
    assert (dates.check_zone(name) is None) is good


@pytest.mark.parametrize(
    ("value", "formats", "date"),
    [
        (1, ("unix",), datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("1.5", ("unix",), datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)),
        (-1, ("unix",), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("1700000000000", ("ms",), datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("2006-01-02T03:04:05Z", ("iso",), datetime(2006, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (" 2006-07-02 ", ("iso",), datetime(2006, 7, 1, 22, tzinfo=UTC)),
        ("2 Jan 2006", ("%d %B %Y", "%d %b %Y"), datetime(2006, 1, 1, 23, tzinfo=UTC)),
        ("02.01.2006 15:00 +0500", ("%d.%m.%Y %H:%M %z",), datetime(2006, 1, 2, 10, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_by_the_first_format_that_fits(
    value: str | float, formats: tuple[str, ...], date: datetime
) -> None:
    assert dates.read(value, formats, "Europe/Paris") == date


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("soon", "unix"),
        ("nan", "unix"),
        (1e20, "unix"),
        (float("inf"), "ms"),
        ("0001-01-01T00:00:00+14:00", "iso"),
        ("9999-12-31T23:59:59-10:00", "iso"),
        ("31 February 2006", "%d %B %Y"),
    ],
)
def test_what_is_no_date_is_said(value: str | float, form: str) -> None:
    with pytest.raises(ValueError, match="is no date of the form"):
        dates.read(value, (form,), "UTC")
