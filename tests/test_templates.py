"""Templates: what they read, how they fill in names, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qetch.spec.templates import NullName, Placeholder, parse_template

if TYPE_CHECKING:
    from collections.abc import Callable


def names(**known: str | None) -> Callable[[str], str | None]:
    return known.__getitem__


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("{id}", (Placeholder("id"),)),
        ("{+path}", (Placeholder("path", keep_slash=True),)),
        ("a{id}b{id}", ("a", Placeholder("id"), "b", Placeholder("id"))),
        ("{{id}}", ("{id}",)),
        ("{{{id}}}", ("{", Placeholder("id"), "}")),
        ("{{}}", ("{}",)),
        ("{_a1}", (Placeholder("_a1"),)),
    ],
)
def test_a_template_is_read_in_pieces(text: str, parts: tuple[object, ...]) -> None:
    assert parse_template(text).parts == parts


@pytest.mark.parametrize(
    ("text", "brace"),
    [
        ("{", "{"),
        ("}", "}"),
        ("{id", "{"),
        ("id}", "}"),
        ("{}", "{"),
        ("{ id }", "{"),
        ("{1a}", "{"),
        ("{a.b}", "{"),
        ("{a-b}", "{"),
        ("{++a}", "{"),
        ("{{a}", "}"),
        ("{é}", "{"),
    ],
)
def test_any_other_brace_is_an_error_that_says_how_to_write_one(text: str, brace: str) -> None:
    with pytest.raises(ValueError, match=f"a lone {'[{]' if brace == '{' else brace} in a template") as caught:
        parse_template(text)
    assert brace * 2 in str(caught.value)


def test_in_a_url_a_name_is_encoded_and_a_plus_keeps_its_slashes() -> None:
    lookup = names(id="a/b c?d#é%2F", host="pictures.example:8080")
    template = parse_template("https://{host}/{id}/{+id}.json")
    assert template.render_url(lookup) == (
        "https://pictures.example:8080/a%2Fb%20c%3Fd%23%C3%A9%252F/a/b%20c%3Fd%23%C3%A9%252F.json"
    )


def test_a_url_that_is_exactly_one_placeholder_is_taken_whole() -> None:
    lookup = names(url="https://pictures.example/a?b=c")
    assert parse_template("{url}").render_url(lookup) == "https://pictures.example/a?b=c"
    assert parse_template("{+url}").render_url(lookup) == "https://pictures.example/a?b=c"
    assert parse_template("{url}/").render_url(lookup) == "https%3A%2F%2Fpictures.example%2Fa%3Fb%3Dc/"


def test_elsewhere_nothing_is_encoded() -> None:
    assert parse_template('{{"{id}": {+id}}}').render(names(id="a/b é")) == '{"a/b é": a/b é}'


def test_a_template_knows_its_names_its_beginning_and_whether_it_is_one_name() -> None:
    template = parse_template("https://{host}/{id}")
    assert list(template.names) == ["host", "id"]
    assert template.prefix == "https://"
    assert template.whole is None
    assert parse_template("{id}").whole == "id"
    assert parse_template("{id}").prefix == ""


def test_a_null_name_is_said_by_name() -> None:
    for render in (parse_template("a{id}").render, parse_template("a{id}").render_url):
        with pytest.raises(NullName, match=r"^id$"):
            render(names(id=None))


def test_a_lone_surrogate_in_a_name_does_not_break_a_url() -> None:
    assert parse_template("a/{id}").render_url(names(id="\ud800")) == "a/%3F"


@given(st.text(), st.text())
def test_what_is_filled_into_a_url_cannot_change_its_form(before: str, value: str) -> None:
    before = before.replace("{", "{{").replace("}", "}}")
    url = parse_template(before + "/{id}").render_url(names(id=value))
    filled = url.rpartition("/")[2]
    assert filled.isascii()
    assert not set(filled) & set("/?#&=+ \\\r\n@:;{}\"'<>")
    assert unquote(filled) == value.encode(errors="replace").decode()


@given(st.text())
def test_doubled_braces_are_braces(text: str) -> None:
    template = parse_template(text.replace("{", "{{").replace("}", "}}"))
    assert template.render(names()) == text
