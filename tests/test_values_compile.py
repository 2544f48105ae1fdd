"""What becomes of a value: how it reads, what is done with it, which kind it gives, and what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qetch.spec.model import FirstOf, Header, Selector, Text
from tests.one_handle import HTML, JSON, content, handle, problems

if TYPE_CHECKING:
    from qetch.spec.model import Value

XML = HTML.replace("as: html", "as: xml")
TEXT = HTML.replace("as: html", "as: text")


def let(value: str, top: str = JSON) -> Value:
    """A value that a `let` compiles, in a place of the kind that `top` says."""
    use = 'content: {uid: {text: "{id}"}, title: {text: "{a}"}, url: {text: "{source}"}}'
    return handle(f'get: "p/{{id}}"\nlet: {{a: {value}}}\n{use}', top).block.let[0][1]


def wrong(value: str, top: str = JSON) -> list[str]:
    """What is wrong with such a value, without places."""
    use = 'content: {uid: {text: "{id}"}, title: {text: "{a}"}, url: {text: "{source}"}}'
    return [problem.split(": ", 1)[1] for problem in problems(f'get: "p/{{id}}"\nlet: {{a: {value}}}\n{use}', top)]


# --- heads


@pytest.mark.parametrize(
    ("value", "top", "language"),
    [
        ("b.c", JSON, "jmespath"),
        ("div", HTML, "css"),
        ("item", XML, "css"),
        (r"'\d+'", TEXT, "regex"),
        ("{css: h1}", HTML, "css"),
        ("{xpath: //h1}", HTML, "xpath"),
        ("{xpath: //h1}", XML, "xpath"),
        ("{jmespath: b}", JSON, "jmespath"),
    ],
)
def test_a_bare_selector_is_read_in_the_language_of_its_place(value: str, top: str, language: str) -> None:
    head = let(value, top).head
    assert isinstance(head, Selector)
    assert head.language == language


def test_the_other_heads_need_no_place_of_a_kind() -> None:
    for top in (JSON, HTML, XML, TEXT):
        assert let("{header: Location}", top).head == Header("Location")
        text = let('{text: "x{id}"}', top).head
        assert isinstance(text, Text)
        assert text.template.text == "x{id}"


def test_first_of_holds_values_of_every_form() -> None:
    head = let('{first_of: [b, {jmespath: c, regex: "."}, {text: x}, {header: Y}]}').head
    assert isinstance(head, FirstOf)
    assert [type(value.head) for value in head.values] == [Selector, Selector, Text, Header]


def test_in_a_place_of_text_a_value_needs_no_head() -> None:
    value = let("{regex: a(b)}", TEXT)
    assert (value.head, [step.word for step in value.steps]) == (None, ["regex"])


def test_all_matches_of_a_regex_are_found() -> None:
    value = let("{regex: 'a(b)', all: true, join: '-'}", TEXT)
    assert isinstance(value.head, Selector)
    assert value.head.find("ab ab") == ["b", "b"]
    assert [step.word for step in value.steps] == ["join"]


@pytest.mark.parametrize(
    ("value", "top", "message"),
    [
        ("{css: h1}", JSON, "css cannot read json (this place reads json) - write jmespath"),
        ("{xpath: //h1}", TEXT, "xpath cannot read text (this place reads text) - write regex"),
        ("{jmespath: b}", XML, "jmespath cannot read xml (this place reads xml) - write css"),
        ("{regex: b}", JSON, "a value needs exactly one of css, xpath, jmespath, text, header, first_of; found none"),
        ("{jmespath: b, all: true}", JSON, "JMESPath lists by itself - write [] or [*] in it"),
        ("{text: b, all: true}", HTML, "`all` goes with css, xpath or regex"),
        ("{header: b, all: true}", HTML, "`all` goes with css, xpath or regex"),
        ("{all: true, default: b}", TEXT, "`all` needs a regex here"),
        ("{css: div, parse: json}", HTML, "`parse` reads a text, not an element"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused(value: str, top: str, message: str) -> None:
    (problem,) = wrong(value, top)
    assert problem.startswith(message)


def test_a_selector_that_is_wrong_says_which_language_the_place_reads() -> None:
    for value, top, ends in [
        ("'b['", JSON, "(this place reads json)"),
        ("'b['", HTML, "(this place reads html)"),
        ("'b['", XML, "(this place reads xml)"),
        ("'b['", TEXT, "(this place reads text)"),
    ]:
        (problem,) = wrong(value, top)
        assert problem.split(" - ")[0].endswith(ends)


# --- steps


def test_steps_are_done_in_their_order_whatever_the_order_in_the_file() -> None:
    value = let(
        "{default: x, number: int, date: unix, join: b, split: c, map: {d: e}, replace: [[f, g]], "
        "regex: h, parse: html, jmespath: i}"
    )
    assert [step.word for step in value.steps] == [
        *("parse", "regex", "replace", "map", "split", "join", "date", "number", "default")
    ]


def test_a_replacement_may_use_the_groups_of_its_regex() -> None:
    (step,) = let(r"{jmespath: b, replace: [['(a)(b)', '\2\1'], ['c', '']]}").steps
    assert [(pattern.pattern, text) for pattern, text in step.argument] == [("(a)(b)", r"\2\1"), ("c", "")]
    (problem,) = wrong(r"{jmespath: b, replace: [['a', '\1']]}")
    assert problem.startswith(r"bad replacement '\1': invalid group reference 1")


def test_a_date_has_formats_and_a_zone() -> None:
    assert let("{jmespath: b, date: iso}").steps[0].argument == (("iso",), "UTC")
    assert let('{jmespath: b, date: ["%Y", ms], tz: Europe/Paris}').steps[0].argument == (("%Y", "ms"), "Europe/Paris")


# --- kinds of names


@pytest.mark.parametrize(
    ("value", "top", "use", "message"),
    [
        ("{css: 'p::text', parse: json}", HTML, "{of: a, jmespath: b}", ""),
        ("{css: 'p::text', parse: json}", HTML, "{of: a, css: b}", "css cannot read json"),
        ("'p::text'", HTML, "{of: a, regex: b}", ""),
        ("'p::attr(id)'", HTML, "{of: a, css: b}", "css cannot read text"),
        ("p", HTML, "{of: a, css: b}", ""),
        ("p", HTML, "{of: a, xpath: b}", ""),
        ("p", HTML, "{of: a, jmespath: b}", "jmespath cannot read html"),
        ("{css: p, regex: b}", HTML, "{of: a, css: b}", "css cannot read text"),
        ("{css: p, all: true}", HTML, "{of: a, css: b}", ""),
        ("{css: p, default: b}", HTML, "{of: a, css: b}", ""),
        ("b", JSON, "{of: a, jmespath: b}", ""),
        ("{jmespath: b, split: c}", JSON, "{of: a, jmespath: b}", "jmespath cannot read text"),
        ("{jmespath: b, parse: html}", JSON, "{of: a, css: b}", ""),
        ("{jmespath: b, parse: xml}", JSON, "{of: a, xpath: b}", ""),
        ("{text: b}", JSON, "{of: a, jmespath: b}", "jmespath cannot read text"),
        ("{header: b}", JSON, "{of: a, jmespath: b}", "jmespath cannot read text"),
        ("{first_of: [b, c]}", JSON, "{of: a, jmespath: b}", ""),
        ("{first_of: [b, {text: c}]}", JSON, "{of: a, jmespath: b}", "jmespath cannot read text"),
    ],
)
def test_a_name_has_the_kind_of_what_it_holds(value: str, top: str, use: str, message: str) -> None:
    body = f"""
get: "p/{{id}}"
let: {{a: {value}}}
content: {{uid: {{text: "{{id}}"}}, title: {use}, url: {{text: "{{source}}"}}}}
"""
    found = problems(body, top)
    assert [problem.split(": ")[1].split(" (this")[0] for problem in found] == ([message] if message else [])


def test_groups_params_and_counters_are_texts() -> None:
    body = """
params: q
get: "p/{id}"
query: {q: "{q}"}
each:
  in: files
  counter: n
  content: {uid: {of: n, regex: '.'}, title: {of: q, regex: '.'}, description: {of: id, regex: '.'}, url: link}
"""
    assert problems(body) == []
    for name in ("n", "q", "id"):
        (problem,) = problems(body.replace(f"{{of: {name}, regex: '.'}}", f"{{of: {name}, jmespath: b}}"))
        assert "jmespath cannot read text" in problem


def test_names_of_pages_have_the_kind_of_their_values() -> None:
    body = """
get: "p/{id}"
query: {a: "{a}", b: "{b}"}
pages: {set: {a: "p::attr(id)", b: p}}
content: {uid: {of: a, regex: '.'}, title: {of: b, css: b}, url: "a::attr(href)"}
"""
    assert problems(body, HTML) == []


# --- files


def test_a_variant_is_a_selector_a_value_or_a_file() -> None:
    body = """
get: "p/{id}"
content:
  uid: id
  variants:
    a: b
    c: {text: "https://pictures.example/{id}"}
    d: {jmespath: e, regex: '^.*'}
    f: {url: g, quality: 0.5, size: h, checksum: {md5: i}, extension: j, headers: {K: l}, playlist: hls}
    m: {fragments: "n[]"}
"""
    compiled = handle(body).block.content
    assert compiled is not None
    assert compiled.is_file
    files = {file.name: file for file in compiled.variants}
    assert list(files) == ["a", "c", "d", "f", "m"]
    assert isinstance(files["c"].urls.head, Text)
    assert files["c"].urls.head.is_url
    assert [step.word for step in files["d"].urls.steps] == ["regex"]
    assert (files["m"].fragments, files["a"].fragments) == (True, False)
    file = files["f"]
    assert file.quality is not None
    assert (file.quality.fixed, file.playlist, [kind for kind, _ in file.checksums]) == (0.5, "hls", ["md5"])


def test_a_quality_is_a_number_or_a_rank() -> None:
    for words, fixed, ranks in [
        ("quality: 1", 1.0, 0),
        ("quality: {rank: height}", None, 1),
        ("quality: {rank: {jmespath: height, number: int}}", None, 1),
        ("quality: {rank: [height, bitrate]}", None, 2),
    ]:
        file = content(words).file
        assert file is not None
        assert file.quality is not None
        assert (file.quality.fixed, len(file.quality.rank)) == (fixed, ranks)


def test_metadata_is_one_selector_or_values_by_name() -> None:
    whole = content('metadata: "@"').metadata
    assert not isinstance(whole, tuple)
    named = content("metadata: {a: {css: p, all: true}, b: p}", HTML).metadata
    assert isinstance(named, tuple)
    assert [(name, value.every) for name, value in named] == [("a", True), ("b", False)]


def test_a_uid_of_an_outer_content_serves_those_inside() -> None:
    assert problems('get: "p/{id}"\ncontent: {uid: id}\neach: {in: files, content: {url: link}}') == []
    (problem,) = problems('get: "p/{id}"\ncontent: {title: id}\neach: {in: files, content: {url: link}}')
    assert "a content with a file needs a `uid`" in problem


def test_renditions_read_the_row_and_then_the_answer_of_their_call() -> None:
    body = """
get: "p/{id}"
content:
  uid: id
  renditions:
    {in: files, let: {file: id}, get: "https://pictures.example/{file}", as: html, name: h1, url: "a::attr(href)"}
"""
    compiled = handle(body).block.content
    assert compiled is not None
    renditions = compiled.renditions
    assert renditions is not None
    assert renditions.call is not None
    assert renditions.rows.find is not None
    assert (renditions.rows.find.language, renditions.call.kind) == ("jmespath", "html")
    head = renditions.file.urls.head
    assert isinstance(head, Selector)
    assert head.language == "css"
