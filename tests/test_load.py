from __future__ import annotations

import doctest
import importlib
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from qetch.errors import SpecError
from qetch.spec.load import MAX_BYTES, Document, load
from tests.spec_samples import BOARD, GOOD

if TYPE_CHECKING:
    from pathlib import Path


def document(text: str) -> Document:
    return load("x.yaml", text.encode())


def refused(text: str | bytes) -> list[str]:
    """The problems of a text that cannot be loaded."""
    with pytest.raises(SpecError) as caught:
        load("x.yaml", text.encode() if isinstance(text, str) else text)
    return [str(problem) for problem in caught.value.problems]


def noted(text: str) -> list[str]:
    """The problems of a text that can be loaded all the same."""
    return [str(problem) for problem in document(text).problems]


# --- what a plain scalar means


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("12", 12),
        ("-7", -7),
        ("1.50", 1.5),
        ("-0.5", -0.5),
        ("'12'", "12"),
        ('"true"', "true"),
    ],
)
def test_null_booleans_and_decimal_numbers_are_not_text(written: str, value: object) -> None:
    read = document(f"a: {written}").data["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "written",
    [
        "07",
        "1e5",
        "0x1f",
        "0o7",
        ".nan",
        ".5",
        "5.",
        "+1",
        "1_000",
        "1:30",
        "No",
        "on",
        "TRUE",
        "2006-01-02",
        "1.2.3",
        "-a",
    ],
)
def test_everything_else_is_the_text_that_was_written(written: str) -> None:
    assert document(f"a: {written}").data == {"a": written}


def test_keys_are_text() -> None:
    assert document("{no: 1, 1: x, true: y, ~: z, 1.0: v}").data == {
        "no": 1,
        "1": "x",
        "true": "y",
        "~": "z",
        "1.0": "v",
    }


def test_a_number_of_a_thousand_digits_is_a_problem() -> None:
    assert noted(f"a: {'1' * 1000}") == ["x.yaml:1:4: a number of 1000 digits - quote it"]


# --- places


def test_every_value_and_key_has_its_place() -> None:
    read = document("a:\n  - b: {c: d}\n    e: [f,\n      g]\n")
    assert read.place(("a",)) == (2, 3)
    assert read.place(("a",), key=True) == (1, 1)
    assert read.place(("a", 0, "b", "c")) == (2, 12)
    assert read.place(("a", 0, "b", "c"), key=True) == (2, 9)
    assert read.place(("a", 0, "e", 1)) == (4, 7)


def test_a_path_that_is_not_there_has_the_place_of_what_is_nearest() -> None:
    read = document("a:\n  b: [c]\n")
    assert read.place(("a", "b", 3, "x")) == read.place(("a", "b")) == (2, 6)
    assert read.place(("z",)) == (1, 1)
    assert read.place(("a", 0)) == (2, 3)


def test_an_alias_has_a_place_of_its_own_and_what_is_below_it_that_of_the_anchor() -> None:
    read = document("a: &x {b: c}\nd: *x\n")
    assert read.data == {"a": {"b": "c"}, "d": {"b": "c"}}
    assert read.place(("d",)) == (2, 4)
    assert read.place(("d", "b")) == (1, 11)


@pytest.mark.parametrize(
    ("written", "character"),
    [
        ("plain {x} text", "{"),
        ("'it''s {x}'", "{"),
        (r'"\"\u00e9\x41 {x}"', "{"),
        ("'two\n   lines {x}'", "{"),
        ("two\n\n   lines {x}", "{"),
        ('"joined \\\n   {x}"', "{"),
        ("|\n  first\n  second {x}\n", "{"),
        (">\n  first\n  second {x}\n", "{"),
    ],
)
def test_an_offset_into_a_text_leads_to_the_character_in_the_file(written: str, character: str) -> None:
    text = f"a: {written}\nb: c"
    read = document(text)
    line, column = read.place(("a",), offset=read.data["a"].index(character))
    assert text.splitlines()[line - 1][column - 1] == character


def test_an_offset_behind_the_end_of_a_text_leads_to_its_end() -> None:
    assert document("a: bcd").place(("a",), offset=99) == (1, 7)
    assert document("a: 'bcd'").place(("a",), offset=3) == (1, 8)
    assert document("a:").place(("a",), offset=3) == (1, 3)


def test_a_mark_at_the_beginning_of_the_file_moves_nothing() -> None:
    read = load("x.yaml", b"\xef\xbb\xbfa: b")
    assert (read.data, read.place(("a",))) == ({"a": "b"}, (1, 4))


# --- what is refused


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "x.yaml:1:1: the file is empty - a site begins with `qetch: 1`"),
        ("# nothing\n", "x.yaml:2:1: the file is empty - a site begins with `qetch: 1`"),
        ("- a", "x.yaml:1:1: a site is a mapping, not a list - a site begins with `qetch: 1`"),
        ("a", "x.yaml:1:1: a site is a mapping, not a single text - a site begins with `qetch: 1`"),
        ("a: b\n---\nc: d", "x.yaml:2:1: a second document begins here - one file is one site: leave out `---`"),
        (b"a: caf\xe9", "x.yaml:1:7: the byte 0xe9 is not UTF-8 - save the file as UTF-8"),
        ("a: \x07", "x.yaml:1:4: bad YAML: the control character U+0007 - remove it"),
        ("a: b\u2028c", "x.yaml:1:5: the line end U+2028, which editors do not count - remove it"),
        (b"a: b\n" * 60_000, f"x.yaml:1:1: larger than {MAX_BYTES // 1024} kB - one file is one site"),
        ("[" * 100_000, "x.yaml:1:41: nested more than 40 deep"),
        ("a: " + "[" * 100_000, "x.yaml:1:43: nested more than 40 deep"),
        ("- " * 100_000, "x.yaml:1:81: nested more than 40 deep"),
        (
            "a: *b",
            'x.yaml:1:4: "*b" is a YAML alias of nothing before it - a * at the start begins an alias: quote the text',
        ),
        (
            "a: &a [*a]",
            'x.yaml:1:8: "*a" is a YAML alias of nothing before it - a * at the start begins an alias: quote the text',
        ),
    ],
)
def test_what_is_no_site_is_one_problem_with_its_place(text: str | bytes, problem: str) -> None:
    assert refused(text) == [problem]


def test_aliases_are_counted_in_full() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert refused("\n".join(lines)) == ["x.yaml:5:28: more than 50,000 values, aliases counted in full"]


def test_aliases_cannot_hide_depth() -> None:
    lines = ["a: &a " + "[" * 30 + "]" * 30, "b: " + "[" * 12 + "*a" + "]" * 12]
    assert refused("\n".join(lines)) == ["x.yaml:2:16: nested more than 40 deep"]


def test_fifty_thousand_values_are_too_many() -> None:
    assert refused("[" + "a," * 60_000 + "]")[0].endswith("more than 50,000 values, aliases counted in full")


def test_long_runs_of_blanks_are_read_in_no_time() -> None:
    assert document("a: b" + " " * 200_000 + "\nc: d").data == {"a": "b", "c": "d"}


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"none\.yaml:1:1: there is no such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(SpecError, match="1:1: is not a file"):
        load(tmp_path)
    with pytest.raises(SpecError, match=r"cannot be read|no such file"):
        load("\0.yaml")


def test_a_file_is_read_under_the_name_that_is_to_be_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: b", "utf-8")
    assert (load(path).file, load(path, shown="a.yaml").file) == (str(path), "a.yaml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", 'x.yaml:3:1: duplicate key "a" (first at line 1)'),
        ("? [a]\n: b", "x.yaml:1:3: a key is a text - quote it"),
        ("<<: {a: b}", "x.yaml:1:1: merge keys (<<) are not read - write the keys out"),
        ("a: !!int 3", 'x.yaml:1:4: "!!int" is a YAML tag here - a ! at the start begins a tag: quote the text'),
        ("a: ! b", 'x.yaml:1:4: "!" is a YAML tag here - a ! at the start begins a tag: quote the text'),
        ("a: !x {b: c}", 'x.yaml:1:4: "!x" is a YAML tag here - a ! at the start begins a tag: quote the text'),
        ("!k a: b", 'x.yaml:1:1: "!k" is a YAML tag here - a ! at the start begins a tag: quote the text'),
        ("&k a: b", 'x.yaml:1:1: a key has no anchor - remove "&k"'),
    ],
)
def test_what_makes_no_plain_data_is_noted_and_the_rest_is_read(text: str, problem: str) -> None:
    assert noted(text) == [problem]


def test_of_a_key_that_stands_twice_the_first_counts() -> None:
    assert document("a: 1\na: 2").data == {"a": 1}


# --- selectors and templates that YAML eats

COMMENT = "a # after a space starts a comment: quote the selector (or put a space after the #)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("in: #songlist tr", f'x.yaml:1:5: "#songlist tr" is a comment here - {COMMENT}'),
        ("in: ul #songlist", f'x.yaml:1:8: "#songlist" is a comment here - {COMMENT}'),
        ("when: !is_self", 'x.yaml:1:7: "!is_self" is a YAML tag here - a ! at the start begins a tag: quote the text'),
        ("get: {page_url}", 'x.yaml:1:6: {page_url} is a YAML mapping here - quote the template: "{page_url}"'),
        (
            "{url: not_null(mp4, gif)}",
            'x.yaml:1:7: a comma ends "not_null(mp4" here - a , inside { } and [ ] ends a text: quote the selector',
        ),
        (
            "first_of: [not_null(a, b), c]",
            'x.yaml:1:12: a comma ends "not_null(a" here - a , inside { } and [ ] ends a text: quote the selector',
        ),
        (
            "{css: a, b}",
            (
                'x.yaml:1:10: "b" is a key without a value - '
                "a , inside { } ends a text: quote the text before it, or give the key a value"
            ),
        ),
        ("{a: b, c:d}", 'x.yaml:1:8: "c:d" is a key without a value - put a space behind the colon'),
        ("a: &b", 'x.yaml:1:4: "&b" is a YAML anchor of nothing - a & at the start begins an anchor: quote the text'),
    ],
)
def test_a_text_that_yaml_took_for_something_else_is_noted_with_its_cure(text: str, problem: str) -> None:
    assert noted(text) == [problem]


@pytest.mark.parametrize(
    "text",
    [
        "in: ul  # the list",
        "in: ul\n#list",
        "in: '#list'  # x",
        'in: "ul #a"',
        "in: ul#list",
        "# a #b\nin: ul",
        "{a: , b: }",
    ],
)
def test_what_is_well_written_is_not_noted(text: str) -> None:
    assert noted(text) == []


@pytest.mark.parametrize(
    ("text", "place", "cure"),
    [
        ("metadata: @", "1:11", 'quote it: "@"'),
        ("metadata: `x`", "1:11", 'quote it: "`x`"'),
        ("{date: %d}", "1:8", 'quote it: "%d"'),
        ("date: [%d %B, x]", "1:8", 'quote it: "%d %B"'),
        ("in: *", "1:5", 'quote it: "*"'),
        ("in: [0].data", "1:5", 'quote the selector: "[0].data"'),
        ("in: [].a[].b  # x", "1:5", 'quote the selector: "[].a[].b"'),
        ("{in: posts[?md5], x: y}", "1:11", 'quote it: "posts[?md5]"'),
        ('{css: a[rel="next"]::attr(href)}', "1:8", "quote it: 'a[rel=\"next\"]::attr(href)'"),
        ("{in: [].x, y: z}", "1:6", 'quote the selector: "[].x"'),
        ("get: {board}/threads.json", "1:6", 'quote the template: "{board}/threads.json"'),
        ("{get: https://x/{id}}", "1:17", 'quote it: "https://x/{id}"'),
        ("in: > li", "1:5", 'quote the text: "> li"'),
        ("in: a: b", "1:6", 'quote the text: "a: b"'),
        ('in: a[href="x: y"]', "1:14", "quote the text: 'a[href=\"x: y\"]'"),
        ('regex: "\\d+"', "1:9", "put a regex in single quotes"),
        ("a: 'it's'", "1:8", "quote the whole of it; inside single quotes a ' is written ''"),
        ('a: "b" || c', "1:9", "quote the whole of it with single quotes"),
        ("a: b\nc: 'd\ne: f", "2:4", "close it"),
        ("a:\n\tb: c", "2:1", "indent with spaces"),
        ("a:\n  b: c\n\td: e", "3:1", "indent with spaces"),
        ("a: b\n  c: d", "2:4", "a key stands below its sisters: check the indentation"),
        ("a:\n   b: c\n  d: e", "3:3", "the block of line 1 stands in column 1: check the indentation"),
        ("a: b\nc", "2:1", "write a colon and a space after a key"),
        ("a: {b: c,\n  d: e\nf: g", "3:2", "the { of line 1 is still open"),
        ("a: [b, {c: d}, [", "1:17", "the [ of line 1 is still open"),
        ("a:\n  b: [c, {d: e}\n", "3:1", "the [ of line 2 is still open"),
        ("a:\n  b: {in: #x y, goto: a}\n", "2:11", "a # after a space starts a comment: quote the selector"),
        ("a:\n  b: {in: #x y, goto: a}\n  c: d\n", "2:11", "a # after a space starts a comment: quote the selector"),
        ("a: !b!c d", "1:4", 'quote it: "!b!c d"'),
    ],
)
def test_an_error_of_yaml_is_one_problem_with_its_cure(text: str, place: str, cure: str) -> None:
    (problem,) = refused(text)
    assert problem.startswith(f"x.yaml:{place}: bad YAML: ")
    assert problem.endswith(f" - {cure}")


def test_a_comment_that_swallows_a_bracket_is_the_only_problem() -> None:
    assert refused("p: {css: div #main}\nq: r") == [f'x.yaml:1:14: "#main}}" is a comment here - {COMMENT}']


# --- whatever comes in


def survives(raw: bytes) -> None:
    """Load it, or say in a line why not; nothing else."""
    try:
        read = load("x.yaml", raw)
    except SpecError as error:
        problems = error.problems
        assert problems
    else:
        problems = read.problems
        assert isinstance(read.data, dict)
    for problem in problems:
        assert problem.line > 0
        assert problem.column > 0
        assert str(problem).splitlines() == [str(problem)]
        assert str(problem).isprintable()


@given(st.binary(max_size=300))
def test_any_bytes_are_loaded_or_refused(raw: bytes) -> None:
    survives(raw)


@given(st.text("ab01:-,.?!#&*[]{}|>'\"%@`\\ \t\n~<é\x00\x85\u2028", max_size=60))
def test_any_punctuation_is_loaded_or_refused(text: str) -> None:
    survives(text.encode())


@settings(deadline=None)
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_a_good_file_with_something_else_in_it_is_loaded_or_refused(name: str, data: st.DataObject) -> None:
    text = GOOD[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 5, len(text))))
    survives((text[:start] + data.draw(st.text(max_size=5)) + text[end:]).encode("utf-8", "replace"))


@pytest.mark.parametrize("name", sorted(GOOD))
def test_without_the_c_library_the_same_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = document(GOOD[name])
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    slow = document(GOOD[name])
    assert (slow.data, slow.problems) == (fast.data, fast.problems)
    path = ("handles", next(iter(fast.data["handles"])), "examples")
    assert slow.place(path, key=True) == fast.place(path, key=True)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "a: \x07", "in: [0].data", "a: '", 'a: "\ud800"'.encode("utf-8", "replace").decode()]
)
def test_without_the_c_library_bad_files_are_refused_as_well(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    survives(text.encode())


def test_comments_of_a_good_file_are_not_noted() -> None:
    assert noted(BOARD) == []


@pytest.mark.parametrize("name", ["scalars", "wording", "fits", "eaten", "walk"])
def test_the_examples_in_the_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"qetch.spec.{name}")).failed == 0


def test_a_message_that_quotes_a_long_text_stays_one_that_can_be_read() -> None:
    document = load("x.yaml", b"qetch: 1\n")
    problem = document.problem(("qetch",), f'begins "{"x" * 9000}" ends', "y" * 9000)
    assert problem.message.startswith("begins ")
    assert problem.message.endswith(" ends")
    assert max(len(problem.message), len(problem.cure)) < 1000
