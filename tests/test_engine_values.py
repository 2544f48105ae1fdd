"""Values: heads, what is done to what they find, and what of it fits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from qetch.errors import LayoutChanged
from tests.engine_help import extract, fails, page, reply, value
from tests.origin import Reply

CONTENT = 'content: {uid: {text: "1"}, url: {text: "/f.png"}, '


def markup(tmp_path, html, spec, **words):
    """What a value gives on an HTML page."""
    block = f"get: a\n{CONTENT}metadata: {{it: {spec}}}}}"
    return extract(tmp_path, {"/a": page(html)}, block, request="as: html", **words).only.metadata["it"]


def plain(tmp_path, text, spec):
    block = f"get: a\n{CONTENT}metadata: {{it: {spec}}}}}"
    return extract(tmp_path, {"/a": text}, block, request="as: text").only.metadata["it"]


# --- heads


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("{first_of: [a, b, c]}", "c"),
        ("{first_of: [d, c]}", False),  # false is not null
        ("{first_of: [e, c]}", 0),
        ("{first_of: [a, b]}", None),
        ("{first_of: [f, g]}", {}),  # only null, "" and [] are passed over
        ('{first_of: [a, {text: "x"}]}', "x"),
    ],
)
def test_first_of_passes_over_null_and_empty_texts_and_lists(tmp_path, spec, found):
    data: dict[str, Any] = {"a": None, "b": "", "c": "c", "d": False, "e": 0, "f": [], "g": {}}
    assert value(tmp_path, data, spec) == found


def test_a_header_of_the_answer_is_read(tmp_path):
    routes = {"/a": Reply(headers={"X-Page-Title": "Cranes"}, body="{}")}
    found = extract(
        tmp_path, routes, f"get: a\n{CONTENT}title: {{header: x-page-title}}, description: {{header: X-No}}}}"
    )
    assert (found.only.title, found.only.description) == ("Cranes", None)


def test_a_header_is_read_from_a_redirect_that_is_not_followed(tmp_path):
    routes = {"/a": reply({}, 302, Location="/next/7")}
    block = 'get: a\nredirects: stop\nlet: {to: {header: Location, regex: "(\\\\d+)$"}}\ncontent: {uid: {text: "{to}"}, url: {text: "/f.png"}}'
    outcome = extract(tmp_path, routes, block)
    assert (outcome.uids, outcome.paths) == (["7"], ["/a"])


def test_of_alone_is_the_value_itself_with_its_type(tmp_path):
    block = f"get: a\nlet: {{size: n.bytes}}\n{CONTENT}size: {{of: size}}, metadata: {{n: {{of: size}}}}}}"
    content = extract(tmp_path, {"/a": reply({"n": {"bytes": 12}})}, block).only
    assert (content.size, content.metadata) == (12, {"n": 12})


def test_of_changes_what_is_read_and_the_head_says_how(tmp_path):
    block = f"get: a\nlet: {{deep: {{jmespath: inner, parse: json}}}}\n{CONTENT}title: {{of: deep, jmespath: t}}}}"
    assert extract(tmp_path, {"/a": reply({"inner": '{"t": "Crane"}'})}, block).only.title == "Crane"


def test_json_in_a_script_of_a_page_is_walked(tmp_path):
    html = '<script id="data">{"items": [{"id": "a", "u": "/a.png"}]}</script>'
    block = 'get: a\nlet: {state: {css: "script#data::text", parse: json}}\neach: {of: state, in: items, content: {uid: id, url: u}}'
    outcome = extract(tmp_path, {"/a": page(html)}, block, request="as: html")
    assert (outcome.uids, outcome.lists[0][0].fragments[0][-6:]) == (["a"], "/a.png")


def test_markup_inside_json_is_a_document_where_let_binds_it(tmp_path):
    block = (
        "get: a\nlet: {body: {jmespath: html, parse: html}}\n"
        f'{CONTENT}title: {{of: body, css: "b"}}, description: {{of: body}}}}'
    )
    content = extract(tmp_path, {"/a": reply({"html": "<p>One<br>two <b>three &amp; four</b></p>"})}, block).only
    assert (content.title, content.description) == ("three & four", "One\ntwo three & four")


def test_an_element_becomes_its_visible_text(tmp_path):
    html = "<div><h1> A  <i>paper</i>\n crane </h1><p>one</p><p>two&nbsp;&lt;3</p><script>no()</script></div>"
    assert markup(tmp_path, html, "div") == "A paper crane\none\ntwo <3"


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("p", "one"),
        ('{css: "p", all: true}', ["one", "two"]),
        ('{xpath: "//p[2]"}', "two"),
        ('{xpath: "count(//p)", number: int}', 2),
        ('"p::attr(id)"', "x"),
        ('{css: "em"}', None),
        ('{css: "em", all: true}', []),
        ('{css: "p::text", all: true, join: "+"}', "one+two"),
    ],
)
def test_css_and_xpath_find_the_first_or_all(tmp_path, spec, found):
    assert markup(tmp_path, '<div><p id="x">one</p><p>two</p></div>', spec) == found


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("'id=(\\d+)'", "12"),
        ("'id=\\d+'", "id=12"),  # without a group, all of the match
        ("{all: true, regex: '(\\d+)'}", ["12", "34"]),
        ("'no=(\\d+)'", None),
    ],
)
def test_a_text_is_read_by_regexes(tmp_path, spec, found):
    assert plain(tmp_path, reply("id=12 id=34"), spec) == found


def test_xml_is_read_with_css(tmp_path):
    xml = '<?xml version="1.0"?><feed xmlns="urn:x"><item><id>7</id><link href="/f.png"/></item></feed>'
    block = 'get: a\neach: {in: item, content: {uid: id, url: "link::attr(href)"}}'
    assert extract(tmp_path, {"/a": page(xml)}, block, request="as: xml").uids == ["7"]


def test_entries_and_pick_are_functions_of_jmespath(tmp_path):
    data = {"files": {"b": 1, "a": 2}}
    assert value(tmp_path, data, '"entries(files)"') == [{"key": "b", "value": 1}, {"key": "a", "value": 2}]
    assert value(tmp_path, data, "\"pick(files, ['a', 'c', 'b'])\"") == [2, 1]


# --- what is done with it


@pytest.mark.parametrize(
    ("data", "spec", "found"),
    [
        ("x-12-34", "{jmespath: v, regex: '-(\\d+)'}", "12"),
        ("x-12", "{jmespath: v, regex: '\\d'}", "1"),
        ("none", "{jmespath: v, regex: '\\d'}", None),
        ("a1b2", "{jmespath: v, replace: [['\\d', '_'], ['^a', '\\g<0>A']]}", "aA_b_"),
        ("hd", "{jmespath: v, map: {hd: 720, sd: 480}}", 720),
        ("4k", "{jmespath: v, map: {hd: 720, sd: 480}}", None),
        ("4k", '{jmespath: v, map: {hd: 720, "*": 0}}', 0),
        (True, '{jmespath: v, map: {"true": "yes"}}', "yes"),
        ("a, b ,c", "{jmespath: v, split: ','}", ["a", "b", "c"]),
        (["a", None, "c"], "{jmespath: v, join: '/'}", "a/c"),
        ("12", "{jmespath: v, number: int}", 12),
        (12.0, "{jmespath: v, number: int}", 12),
        ("1.5", "{jmespath: v, number: float}", 1.5),
        (None, "{jmespath: v, default: 3}", 3),
        ("", "{jmespath: v, default: 3}", ""),  # only null is missing
        ("1e5", "{jmespath: v}", "1e5"),
        ('{"a": [1]}', "{jmespath: v, parse: json}", {"a": [1]}),
        ("&lt;b&gt; &amp; <i>c</i>", "{jmespath: v, parse: html}", "<b> & c"),
        # always in the order of the language, whatever the order in the file
        ("no. 7", "{default: 9, number: int, regex: '(\\d+)', jmespath: v}", 7),
        ("none", "{default: 9, number: int, regex: '(\\d+)', jmespath: v}", 9),
    ],
)
def test_what_was_found_is_worked_on(tmp_path, data, spec, found):
    result = value(tmp_path, {"v": data}, spec)
    assert (result, type(result)) == (found, type(found))


@pytest.mark.parametrize("given", ["twelve", "1.5", "1e999", "", [], "9" * 5000, {"a": 1}])
def test_what_is_no_whole_number_is_said_and_is_null(tmp_path, given):
    outcome = extract(
        tmp_path, {"/a": reply({"v": given})}, f"get: a\n{CONTENT}metadata: {{n: {{jmespath: v, number: int}}}}}}"
    )
    assert outcome.only.metadata == {"n": [] if given == [] else None}
    assert given == [] or "content.metadata.n" in outcome.skipped[0]


# --- dates


@pytest.mark.parametrize(
    ("given", "spec", "found"),
    [
        (86_400, "v", datetime(1970, 1, 2, tzinfo=UTC)),
        ("86400", "{jmespath: v, date: unix}", datetime(1970, 1, 2, tzinfo=UTC)),
        (86_400_000, "{jmespath: v, date: ms}", datetime(1970, 1, 2, tzinfo=UTC)),
        ("2020-02-29T12:00:00+02:00", "{jmespath: v, date: iso}", datetime(2020, 2, 29, 10, tzinfo=UTC)),
        ("3 May 2021", "{jmespath: v, date: ['%d %B %Y', '%d %b %Y'], tz: UTC}", datetime(2021, 5, 3, tzinfo=UTC)),
        ("1 Jul 2021", "{jmespath: v, date: '%d %b %Y', tz: Europe/Paris}", datetime(2021, 6, 30, 22, tzinfo=UTC)),
    ],
)
def test_a_number_is_unix_seconds_and_a_text_is_read_by_its_format(tmp_path, given, spec, found):
    outcome = extract(tmp_path, {"/a": reply({"v": given})}, f"get: a\n{CONTENT}uploaded_date: {spec}}}")
    assert (outcome.only.uploaded_date, outcome.skipped) == (found, [])


@pytest.mark.parametrize(
    ("given", "spec"),
    [
        ("1970-01-02", "v"),  # a text needs `date`
        ("86400", "v"),
        (True, "v"),
        (1e30, "v"),
        ("31 Feb 2021", "{jmespath: v, date: '%d %b %Y'}"),
        ("soon", "{jmespath: v, date: [unix, iso]}"),
    ],
)
def test_what_is_no_date_is_said_with_its_row_and_stays_none(tmp_path, given, spec):
    block = f"get: a\neach: {{in: items, content: {{uid: id, url: url, uploaded_date: {spec}}}}}"
    routes = {"/a": reply({"items": [{"id": "p", "url": "/p.png", "v": given}]})}
    outcome = extract(tmp_path, routes, block)
    assert outcome.only.uploaded_date is None
    assert outcome.skipped[0].startswith("handles.start.each.content.uploaded_date, row 1: ")


# --- fields of a content


def test_text_fields_take_a_text_or_a_number(tmp_path):
    block = "get: a\ncontent: {uid: id, url: url, title: title, description: no, uploaded_by: by}"
    routes = {"/a": reply({"id": 9007199254740993, "url": "/f.png", "title": 7, "no": {"a": 1}, "by": ["x"]})}
    outcome = extract(tmp_path, routes, block)
    content = outcome.only
    assert (content.uid, content.title) == ("here-9007199254740993", "7")
    assert (content.description, content.uploaded_by) == (None, None)
    assert "an object where a text is wanted" in outcome.skipped[0]
    assert "a list of 1 where a text is wanted" in outcome.skipped[1]


@pytest.mark.parametrize("given", [-1, 1.5, 1e300, True, "12", "about 3 MB"])
def test_a_size_is_exact_bytes_or_is_said(tmp_path, given):
    outcome = extract(tmp_path, {"/a": reply({"s": given})}, f"get: a\n{CONTENT}size: s}}")
    assert outcome.only.size is None
    assert "content.size" in outcome.skipped[0]


@pytest.mark.parametrize(
    ("given", "hexadecimal"),
    [
        ("900150983CD24FB0D6963F7D28E17F72", "900150983cd24fb0d6963f7d28e17f72"),
        ("kAFQmDzST7DWlj99KOF/cg==", "900150983cd24fb0d6963f7d28e17f72"),
        ("kAFQmDzST7DWlj99KOF_cg", "900150983cd24fb0d6963f7d28e17f72"),
        ("kAFQmDzST7DWlj99", None),
        ("z" * 32, None),
    ],
)
def test_a_checksum_is_hex_or_base64_by_its_length(tmp_path, given, hexadecimal):
    outcome = extract(tmp_path, {"/a": reply({"m": given})}, f"get: a\n{CONTENT}checksum: {{md5: m}}}}")
    assert outcome.only.checksums == ({"md5": hexadecimal} if hexadecimal else {})
    assert bool(outcome.skipped) == (hexadecimal is None)


def test_missing_fields_on_one_row_stay_none_there(tmp_path):
    block = "get: a\neach: {in: items, content: {uid: id, url: url, title: t, size: s, uploaded_date: d}}"
    rows = [{"id": 1, "url": "/1.png"}, {"id": 2, "url": "/2.png", "t": "x", "s": 3, "d": 0}]
    first, second = extract(tmp_path, {"/a": reply({"items": rows})}, block).lists
    assert (first[0].title, first[0].size, first[0].uploaded_date) == (None, None, None)
    assert (second[0].title, second[0].size) == ("x", 3)


# --- regexes that never end


@pytest.mark.parametrize("spec", ["{jmespath: v, regex: '(a+)+$'}", "{jmespath: v, replace: [['(a+)+$', 'x']]}"])
def test_a_regex_that_backtracks_for_ever_is_stopped_and_said(tmp_path, spec):
    routes = {"/a": reply({"v": "a" * 5000 + "b"})}
    outcome = extract(tmp_path, routes, f"get: a\n{CONTENT}title: {spec}}}")
    assert outcome.only.title is None
    assert "was stopped" in outcome.skipped[0]


def test_rows_by_a_regex_that_backtracks_for_ever_are_a_changed_layout(tmp_path):
    block = "get: a\neach: {in: '(a+)+$', content: {uid: '(.+)', url: {text: \"/f.png\"}}}"
    fails(tmp_path, {"/a": reply("a" * 5000 + "b")}, block, LayoutChanged, "was stopped", request="as: text")


def test_an_expression_that_meets_a_wrong_type_is_said(tmp_path):
    outcome = extract(tmp_path, {"/a": reply({"v": 7})}, f'get: a\n{CONTENT}title: "join(v, v)"}}')
    assert outcome.only.title is None
    assert "content.title" in outcome.skipped[0]


def test_urls_in_answers_may_be_relative_to_protocol_root_or_page(tmp_path):
    block = "get: sub/a\ncontent: {uid: {text: x}, variants: {a: a, b: b, c: c, d: d, e: e}}"
    data = {"a": "//127.0.0.1/p.png", "b": "/r.png", "c": "s.png", "d": " /t.png ", "e": "mailto:x@y"}
    outcome = extract(tmp_path, {"/sub/a": reply(data)}, block)
    paths = [content.fragments[0].partition("://")[2].partition("/")[2] for content in outcome.lists[0]]
    assert paths == ["p.png", "r.png", "sub/s.png", "t.png"]
    assert "no http or https URL" in outcome.skipped[0]


def test_extensions_are_read_from_the_url_or_given(tmp_path):
    block = "get: a\neach: {in: items, content: {uid: id, url: url, extension: ext}}"
    rows = [("/a.JPEG?x=1.png", None), ("/a/mp4", None), ("/b.gif", "mp4"), ("/c", ".WebM"), ("/d.tar.gz", None)]
    items = [{"id": i, "url": url, "ext": ext} for i, (url, ext) in enumerate(rows)]
    lists = extract(tmp_path, {"/a": reply({"items": items})}, block).lists
    assert [contents[0].extension for contents in lists] == ["jpeg", None, "mp4", "webm", "gz"]


def test_metadata_is_json_as_it_was_or_named_values(tmp_path):
    data = {"id": "7", "tags": ["a", 1, None], "deep": {"x": 1.5}}
    whole = extract(tmp_path, {"/a": reply(data)}, 'get: a\ncontent: {uid: id, url: {text: "/f"}, metadata: "@"}')
    assert whole.only.metadata == data
    listed = extract(tmp_path, {"/a": reply(data)}, 'get: a\ncontent: {uid: id, url: {text: "/f"}, metadata: tags}')
    assert (listed.only.metadata, len(listed.skipped)) == ({}, 1)


# --- what does not fit where it goes


@pytest.mark.parametrize("given", [True, False])
def test_true_and_false_are_no_texts(tmp_path, given):
    outcome = extract(tmp_path, {"/a": reply({"v": given})}, f"get: a\n{CONTENT}title: v}}")
    assert outcome.only.title is None
    assert "where a text is wanted" in outcome.skipped[0]


@pytest.mark.parametrize("given", [["a", "b"], {"a": 1}, []])
def test_a_name_that_holds_no_text_fails_its_request_and_its_row_alone(tmp_path, given):
    block = "get: a\neach: {in: items, let: {n: id}, then: {get: 'b/{n}', content: {uid: id, url: url}}}"
    routes = {"/a": reply({"items": [{"id": given}, {"id": 2}]}), "/b/2": reply({"id": 2, "url": "/f"})}
    outcome = extract(tmp_path, routes, block)
    assert outcome.uids == ["2"]
    assert "where a text is wanted" in outcome.skipped[0]


def test_headers_of_a_file_that_do_not_fit_are_said(tmp_path):
    block = f"get: a\nlet: {{n: n}}\n{CONTENT}headers: {{X-N: '{{n}}'}}}}"
    outcome = extract(tmp_path, {"/a": reply({"n": [1]})}, block)
    assert outcome.only.headers == {}
    assert "where a text is wanted" in outcome.skipped[0]


@pytest.mark.parametrize("given", ["..", ".", "%2e%2e"])
def test_a_file_url_does_not_climb_by_a_segment_of_dots(tmp_path, given):
    block = "get: a\nlet: {d: d}\ncontent: {uid: {text: i}, variants: {a: {url: {text: '/f/{+d}/x.png'}}, b: b}}"
    outcome = extract(tmp_path, {"/a": reply({"d": given, "b": "/b.png"})}, block)
    climbs = given != "%2e%2e"  # whose percent signs are encoded
    assert [content.variant for content in outcome.lists[0]] == (["b"] if climbs else ["a", "b"])
    assert bool(outcome.skipped) == climbs


@pytest.mark.parametrize("given", ["//[bad", "https://[bad/x", "http://", "x\ny", "\x00", " ", "https://a b.example/"])
def test_a_text_that_is_no_url_is_said(tmp_path, given):
    block = "get: a\nlet: {u: u}\ncontent: {uid: {text: i}, variants: {a: u, b: {url: {text: '{u}'}}, c: c}}"
    outcome = extract(tmp_path, {"/a": reply({"u": given, "c": "/c.png"})}, block)
    assert [content.variant for content in outcome.lists[0]] == ["c"]
    assert len(outcome.skipped) == 2


def test_a_blank_inside_a_url_is_encoded_as_browsers_do(tmp_path):
    content = extract(tmp_path, {"/a": reply({"u": "/a b.png"})}, "get: a\ncontent: {uid: {text: i}, url: u}").only
    assert content.fragments[0].endswith("/a%20b.png")


def test_a_rank_beyond_all_measure_is_said(tmp_path):
    rows = [{"n": "a", "u": "/a", "h": 10**400}, {"n": "b", "u": "/b", "h": 1}]
    block = "get: a\ncontent: {uid: {text: i}, renditions: {in: files, name: n, url: u, quality: {rank: h}}}"
    outcome = extract(tmp_path, {"/a": reply({"files": rows})}, block)
    assert [content.variant for content in outcome.lists[0]] == ["b", "a"]
    assert outcome.skipped


@pytest.mark.parametrize(
    ("base", "joined"), [('<base href="/deep/">', "/deep/x.png"), ('<base href="//[">', "/x.png"), ("", "/x.png")]
)
def test_relative_urls_are_joined_to_what_the_page_says(tmp_path, base, joined):
    html = f"<html><head>{base}</head><body><img src='x.png'></body></html>"
    block = 'get: a\ncontent: {uid: {text: i}, url: "img::attr(src)"}'
    content = extract(tmp_path, {"/a": page(html)}, block, request="as: html").only
    assert content.fragments[0].partition("/")[2].partition("/")[2].partition("/")[1:] == ("/", joined[1:])
