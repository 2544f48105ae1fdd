"""Rows, templates and names; and that nothing is not success."""

from __future__ import annotations

import json

import pytest

from qetch import errors
from tests.engine_help import PICTURES, extract, fails, page, picture, pictures, reply, run
from tests.origin import Reply

BLOCK = f"get: a\n{PICTURES}"
FOLLOW = "get: a\neach: {in: items, let: {n: id}, then: {get: 'b/{n}', content: {uid: id, url: url}}}"
HTML = 'get: a\neach: {in: "ul > li", content: {uid: b, url: "a::attr(href)"}}'
CAPTURE = r"^http://127\.0\.0\.1(?::\d+)?/s/(?P<x>[^?#]*)"


def items(*rows):
    return reply({"items": list(rows)})


# --- nothing is not success


@pytest.mark.parametrize("body", [{}, {"items": None}, {"entries": []}, [], None, "text", 7])
def test_a_renamed_list_is_a_changed_layout(tmp_path, body):
    error = fails(tmp_path, {"/a": reply(body)}, BLOCK, errors.LayoutChanged, "nothing at 'items'")
    assert "handles.start.each" in str(error)


@pytest.mark.parametrize("body", [{"items": {"a": 1}}, {"items": "none"}, {"items": False}, {"items": 3}])
def test_rows_that_are_no_list_are_a_changed_layout(tmp_path, body):
    fails(tmp_path, {"/a": reply(body)}, BLOCK, errors.LayoutChanged)


def test_an_empty_list_is_an_empty_list(tmp_path):
    outcome = extract(tmp_path, {"/a": pictures()}, BLOCK)
    assert (outcome.lists, outcome.skipped) == ([], [])


def test_no_element_on_the_first_page_is_a_changed_layout(tmp_path):
    fails(tmp_path, {"/a": page("<ol><li>x</ol>")}, HTML, errors.LayoutChanged, "ul > li", request="as: html")


def test_a_rule_may_say_that_the_place_is_empty(tmp_path):
    rule = "errors: [{when: 'p.none', raise: empty}]\n"
    fails(tmp_path, {"/a": page("<p class=none>0")}, rule + HTML, errors.Empty, request="as: html")
    rule = "errors: [{when: 'count == `0`', raise: empty}]\n"
    fails(tmp_path, {"/a": reply({"count": 0})}, rule + BLOCK, errors.Empty)


def test_of_several_lists_in_one_place_one_must_be_there(tmp_path):
    block = "get: a\neach:\n  - {in: pics, content: {uid: id, url: url}}\n  - {in: films, content: {uid: id, url: url}}"
    assert extract(tmp_path, {"/a": reply({"films": [picture(1)]})}, block).uids == ["p1"]
    both = reply({"films": [picture(1)], "pics": [picture(2)]})
    assert extract(tmp_path, {"/a": both}, block).uids == ["p2", "p1"]
    fails(tmp_path, {"/a": reply({"x": 1})}, block, errors.LayoutChanged, "'pics' and 'films'")


@pytest.mark.parametrize(
    "row", [{}, {"id": None, "url": None}, {"id": "x"}, {"url": "/x"}, {"id": "", "url": "/x"}, None, 7, "x"]
)
def test_a_row_that_gives_nothing_is_said_and_the_others_are_given(tmp_path, row):
    outcome = extract(tmp_path, {"/a": items(picture(1), row, picture(3))}, BLOCK)
    assert outcome.uids == ["p1", "p3"]
    assert "row 2" in outcome.skipped[0]


@pytest.mark.parametrize("row", [{"id": "x"}, {"url": "/x"}, {"name": "x"}])
def test_a_field_that_is_missing_on_all_rows_is_a_changed_layout(tmp_path, row):
    error = fails(tmp_path, {"/a": items(row, row)}, BLOCK, errors.LayoutChanged)
    assert "not one of 2 rows gave anything" in str(error)
    assert "no uid" in str(error) or "no file" in str(error)


def test_an_item_without_a_file_outside_of_rows_is_a_changed_layout(tmp_path):
    block = "get: a\ncontent: {uid: id, url: url}"
    fails(tmp_path, {"/a": reply({"id": 1})}, block, errors.LayoutChanged, "no file")
    fails(tmp_path, {"/a": reply({"url": "/f"})}, block, errors.LayoutChanged, "no uid")


def test_rows_that_all_fail_raise_the_error_of_the_first(tmp_path):
    routes = {"/a": items(picture(1), picture(2)), "/b/p1": Reply(410), "/b/p2": Reply(404)}
    fails(tmp_path, routes, FOLLOW, errors.Gone, "/b/p1")


def test_rows_that_are_all_passed_over_by_when_are_no_change(tmp_path):
    block = "get: a\neach: {in: items, when: ok, content: {uid: id, url: url}}"
    assert extract(tmp_path, {"/a": pictures(1)}, block).lists == []


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_row_whose_follow_up_is_missing_or_forbidden_is_skipped_and_said(tmp_path, status):
    routes = {"/a": items(picture(1), picture(2)), "/b/p1": Reply(status), "/b/p2": reply(picture(2))}
    outcome = extract(tmp_path, routes, FOLLOW)
    assert outcome.uids == ["p2"]
    assert f"answered {status}" in outcome.skipped[0]
    assert "row 1" in outcome.skipped[0]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(401), errors.AuthenticationError),
        (Reply(400), errors.RemoteError),
        (Reply(500), errors.RemoteError),
        (Reply(429, {"Retry-After": "1"}), errors.RateLimited),
        (Reply(body="<html>"), errors.RemoteError),
    ],
)
def test_any_other_failure_of_a_follow_up_ends_the_run(tmp_path, answer, error):
    routes = {"/a": items(picture(1), picture(2)), "/b/p1": reply(picture(1)), "/b/p2": answer}
    outcome = run(tmp_path, routes, FOLLOW)
    assert (outcome.uids, type(outcome.error)) == (["p1"], error)


def test_a_row_without_what_its_follow_up_needs_is_skipped_and_said(tmp_path):
    routes = {"/a": items({"id": None}, picture(2)), "/b/p2": reply(picture(2))}
    outcome = extract(tmp_path, routes, FOLLOW)
    assert outcome.uids == ["p2"]
    assert "{n} is null" in outcome.skipped[0]


def test_an_inner_list_that_is_null_in_one_row_is_said_and_in_all_is_an_error(tmp_path):
    block = "get: a\neach: {in: albums, each: {in: items, content: {uid: id, url: url}}}"
    albums = [{"items": None}, {"items": [picture(1)]}]
    outcome = extract(tmp_path, {"/a": reply({"albums": albums})}, block)
    assert (outcome.uids, len(outcome.skipped)) == (["p1"], 1)
    fails(tmp_path, {"/a": reply({"albums": [{}, {}]})}, block, errors.LayoutChanged)


@pytest.mark.parametrize("albums", [[{"items": []}], [{"items": []}, {"items": []}]])
def test_inner_lists_that_are_all_empty_are_empty(tmp_path, albums):
    block = "get: a\neach: {in: albums, each: {in: items, content: {uid: id, url: url}}}"
    outcome = extract(tmp_path, {"/a": reply({"albums": albums})}, block)
    assert (outcome.lists, outcome.skipped) == ([], [])


def test_a_row_with_an_empty_list_does_not_excuse_one_with_a_missing_field(tmp_path):
    block = "get: a\neach: {in: albums, each: {in: items, content: {uid: id, url: url}}}"
    albums = [{"items": []}, {"items": [{"url": "/x"}]}]
    fails(tmp_path, {"/a": reply({"albums": albums})}, block, errors.LayoutChanged, "there is no uid")


def test_inner_rows_of_markup_that_are_in_no_row_are_a_changed_layout(tmp_path):
    block = 'get: a\neach: {in: li, each: {in: "a.pic", content: {uid: "::attr(id)", url: "::attr(href)"}}}'
    routes = {"/a": page("<ul><li><a class=photo href=/1 id=1>x</a><li><a class=photo href=/2 id=2>x</a></ul>")}
    error = fails(tmp_path, routes, block, errors.LayoutChanged, "nothing at 'a.pic'", request="as: html")
    assert "raise: empty" in str(error)


@pytest.mark.parametrize("block", ["each: {in: '[@]', content: %s}", "content: %s"])
def test_an_item_whose_list_of_files_is_empty_is_empty_and_not_a_changed_layout(tmp_path, block):
    content = "{uid: id, renditions: {in: files, name: n, url: u}}"
    fails(tmp_path, {"/a": reply({"id": 1, "files": []})}, f"get: a\n{block % content}", errors.Empty, "is empty")
    fails(tmp_path, {"/a": reply({"id": 1})}, f"get: a\n{block % content}", errors.LayoutChanged, "raise: empty")


@pytest.mark.parametrize(("outcome", "error"), [("empty", None), ("gone", None), ("remote", errors.RemoteError)])
def test_a_rule_in_each_reads_the_row_and_ends_it_or_the_run(tmp_path, outcome, error):
    rules = f"errors: {{when: draft, raise: {outcome}, message: {{text: 'not yet'}}}}"
    block = f"get: a\neach: {{in: items, {rules}, content: {{uid: id, url: url}}}}"
    ran = run(tmp_path, {"/a": items(picture(1), {**picture(2), "draft": True}, picture(3))}, block)
    assert ran.uids == (["p1"] if error else ["p1", "p3"])
    assert type(ran.error) is (error or type(None))
    assert [said for said in ran.skipped if "row 2: not yet" in said] == ran.skipped


def test_an_object_where_rows_are_wanted_is_said_with_the_cure(tmp_path):
    block = "get: a\neach: {in: data.ride, content: {uid: id, url: url}}"
    error = fails(tmp_path, {"/a": reply({"data": {"ride": {}}})}, block, errors.LayoutChanged, "an object, not a list")
    assert '"[data.ride]" makes one row of it' in str(error)


# --- rows of several kinds


def test_when_asks_the_row_itself(tmp_path):
    html = "<ul><li class=ad><b>1</b><a href=/1>x</a><li><b>2</b><a href=/2>x</a><li><i class=ad></i><b>3</b><a href=/3>x</a></ul>"
    block = HTML.replace("content:", 'when: "li:not(.ad)", content:')
    assert extract(tmp_path, {"/a": page(html)}, block, request="as: html").uids == ["2", "3"]
    block = "get: a\neach: {in: items, when: \"kind == 'x'\", content: {uid: id, url: url}}"
    assert extract(tmp_path, {"/a": items(picture(1), picture(2, kind="x"))}, block).uids == ["p2"]


def test_rows_are_numbered_from_one_by_their_counter(tmp_path):
    block = "get: a\neach: {in: items, counter: n, content: {uid: {text: 'n{n}'}, url: url}}"
    assert extract(tmp_path, {"/a": pictures(7, 8)}, block).uids == ["n1", "n2"]


def test_rows_may_be_numbers_up_to_one_from_the_answer(tmp_path):
    block = (
        "get: a\nlet: {count: count, dir: dir}\neach: {counter: n, to: '{count}',"
        " content: {uid: {text: '{dir}-{n}'}, url: {text: '/{dir}/{n}.jpg'}}}"
    )
    outcome = extract(tmp_path, {"/a": reply({"count": "3", "dir": "x y"})}, block)
    assert outcome.uids == ["x y-1", "x y-2", "x y-3"]
    assert outcome.lists[2][0].fragments[0].endswith("/x%20y/3.jpg")
    fails(tmp_path, {"/a": reply({"count": "many", "dir": "x"})}, block, errors.LayoutChanged, "no whole number")
    fails(tmp_path, {"/a": reply({"count": 10**9, "dir": "x"})}, f"{block}", errors.LimitReached)


def test_numbers_may_start_elsewhere(tmp_path):
    block = "get: a\neach: {counter: n, from: 0, to: 2, content: {uid: {text: '{n}'}, url: {text: '/{n}'}}}"
    assert extract(tmp_path, {"/a": reply({})}, block).uids == ["0", "1", "2"]


def test_rows_in_batches_are_lists(tmp_path):
    block = (
        "get: a\neach: {in: ids, batch: 2, let: {ids: \"join(',', @)\"},"
        " then: {get: b, query: {ids: '{ids}'}, each: {in: items, content: {uid: id, url: url}}}}"
    )
    routes = {"/a": reply({"ids": ["x", "y", "z"]}), "/b?ids=x%2Cy": pictures("x", "y"), "/b?ids=z": pictures("z")}
    assert extract(tmp_path, routes, block).uids == ["px", "py", "pz"]


def test_rows_of_a_text_are_the_matches_of_a_regex(tmp_path):
    block = "get: a\neach: {in: 'id=(\\w+)', let: {id: '.+'}, content: {uid: {text: '{id}'}, url: {text: '/{id}.png'}}}"
    assert extract(tmp_path, {"/a": Reply(body="id=a id=b")}, block, request="as: text").uids == ["a", "b"]


def test_elements_in_rows_keep_their_document(tmp_path):
    block = HTML.replace("content:", "content: ").replace("uid: b", 'uid: b, title: {xpath: "ancestor::ul/@title"}')
    html = "<ul title=Cranes><li><b>1</b><a href=/1>x</a></ul>"
    assert extract(tmp_path, {"/a": page(html)}, block, request="as: html").only.title == "Cranes"


def test_a_follow_up_reads_its_own_answer_and_the_names_of_the_row(tmp_path):
    block = (
        'get: a\neach: {in: li, let: {url: "a::attr(href)", thumb: "img::attr(src)"},'
        ' then: {get: "{url}", content: {uid: h1, variants: {big: "a::attr(href)", thumb: {text: "{thumb}"}}}}}'
    )
    routes = {
        "/a": page('<li><a href="sub/p?x=1"><img src="t/1.png"></a>'),
        "/sub/p?x=1": page("<h1>7</h1><a href='full.png'>x</a>"),
    }
    big, thumb = extract(tmp_path, routes, block, request="as: html").lists[0]
    assert big.fragments[0].endswith("/sub/full.png")
    assert thumb.fragments[0].endswith(":" + thumb.fragments[0].split(":")[2].partition("/")[0] + "/t/1.png")


# --- templates


def captured(tmp_path, path, block, routes=None, **words):
    return run(
        tmp_path, routes or {"*": reply({"id": 1, "url": "/f"})}, block, url=f"/s/{path}", match=CAPTURE,
        example="http://127.0.0.1/s/x", **words,
    )  # fmt: skip


ITEM = "\ncontent: {uid: id, url: url}"


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("crane", "/b/crane/c"),
        ("a%20b", "/b/a%20b/c"),
        ("a%2Fb", "/b/a%2Fb/c"),
        ("a/b", "/b/a%2Fb/c"),
        ("%2e%2e%2Fx", "/b/..%2Fx/c"),
        ("{x}", "/b/%7Bx%7D/c"),
        ("%7Bkey%7D", "/b/%7Bkey%7D/c"),
        ("a%0D%0AX-Y:1", "/b/a%0D%0AX-Y%3A1/c"),
        ("'\"", "/b/%27%22/c"),
        ("鶴", "/b/%E9%B6%B4/c"),
        ("%E9%B6%B4", "/b/%E9%B6%B4/c"),
        ("%2541", "/b/%2541/c"),  # decoded once
        ("%ff", "/b/%EF%BF%BD/c"),
        ("a&b=c;d", "/b/a%26b%3Dc%3Bd/c"),
    ],
)
def test_a_captured_text_stays_one_segment_of_the_url(tmp_path, path, asked):
    outcome = captured(tmp_path, path, "get: 'b/{x}/c'" + ITEM)
    assert (outcome.error, outcome.paths) == (None, [asked])


@pytest.mark.parametrize("path", ["..", "%2e%2e", ".", "%2E", "%252e%252e"])
def test_a_segment_of_dots_is_refused(tmp_path, path):
    outcome = captured(tmp_path, path, "get: 'b/{x}/c'" + ITEM)
    refused = isinstance(outcome.error, errors.InvalidURL)
    assert (refused, outcome.paths) == ((True, []) if path != "%252e%252e" else (False, ["/b/%252e%252e/c"]))


def test_a_plus_keeps_slashes_and_still_refuses_dots(tmp_path):
    assert captured(tmp_path, "a/b%20c", "get: 'b/{+x}'" + ITEM).paths == ["/b/a/b%20c"]
    outcome = captured(tmp_path, "a/..%2f../c", "get: 'b/{+x}'" + ITEM)
    assert (type(outcome.error), outcome.paths) == (errors.InvalidURL, [])


@pytest.mark.parametrize("text", ["a&b=c", "ü/?#{}", "..", "a b", "'\"", "鶴"])
def test_everywhere_else_nothing_is_encoded_since_the_client_does_it(tmp_path, text):
    from urllib.parse import parse_qs, quote

    outcome = captured(tmp_path, quote(text, safe=""), "post: b\nquery: {q: '{x}'}\nform: {f: '{x}'}" + ITEM)
    [request] = outcome.requests
    assert parse_qs(request.path.partition("?")[2]) == {"q": [text]}
    assert parse_qs(request.body.decode()) == {"f": [text]}


def test_a_line_break_in_a_header_is_refused(tmp_path):
    outcome = captured(tmp_path, "a%0d%0aX-Evil:%201", "get: b\nheaders: {X-Name: '{x}'}" + ITEM)
    assert (type(outcome.error), outcome.paths) == (errors.SpecError, [])
    outcome = captured(tmp_path, "a%0d%0aX-Evil:%201", "get: b\ncookies: {name: '{x}'}" + ITEM)
    assert all("X-Evil" not in request.headers for request in outcome.requests)


def test_double_braces_are_braces(tmp_path):
    block = 'get: b\ncontent: {uid: {text: "{{{x}}}"}, url: url}'
    assert captured(tmp_path, "y", block).uids == ["{y}"]


def test_a_whole_placeholder_is_a_url_by_itself(tmp_path):
    block = "get: a\nlet: {to: to}\nthen: {get: '{to}', content: {uid: id, url: url}}"
    routes = {"/a": reply({"to": "/b/c%2Fd?e=f&g"}), "*": reply({"id": 1, "url": "/f"})}
    assert extract(tmp_path, routes, block).paths == ["/a", "/b/c%2Fd?e=f&g"]


def test_a_whole_placeholder_in_json_keeps_its_type(tmp_path):
    block = (
        "get: a\nlet: {n: n, all: list, no: none, text: text}\n"
        "then: {post: b, json: {n: '{n}', all: ['{all}', x], no: '{no}', both: '{n}-{text}', part: '{no}!', t: true},"
        " content: {uid: id, url: url}}"
    )
    routes = {"/a": reply({"n": 1.5, "list": [1, {"a": None}], "text": "t"}), "/b": reply({"id": 1, "url": "/f"})}
    sent = json.loads(extract(tmp_path, routes, block).requests[1].body)
    assert sent == {"n": 1.5, "all": [[1, {"a": None}], "x"], "both": "1.5-t", "t": True}


def test_graphql_is_sent_with_its_variables(tmp_path):
    block = "post: b\ngraphql: 'query ($x: ID) { item(id: $x) { id } }'\nvariables: {x: '{x}'}" + ITEM
    [request] = captured(tmp_path, "y", block).requests
    assert json.loads(request.body) == {"query": "query ($x: ID) { item(id: $x) { id } }", "variables": {"x": "y"}}


def test_an_entry_with_a_null_name_is_left_out(tmp_path):
    block = (
        "params: [sort]\npost: b\nquery: {sort: '{sort}', a: 1}\nform: {sort: 'x{sort}', b: 2}\n"
        "headers: {X-Sort: '{sort}'}\ncookies: {sort: '{sort}'}\ncontent: {uid: {text: '1'}, title: {text: 'by {sort}'}, url: url}"
    )
    outcome = extract(tmp_path, {"*": reply({"url": "/f"})}, block)
    [request] = outcome.requests
    assert (request.path, request.body) == ("/b?a=1", b"b=2")
    assert "X-Sort" not in request.headers
    assert "Cookie" not in request.headers
    assert outcome.only.title is None
    outcome = extract(tmp_path, {"*": reply({"url": "/f"})}, block, url="/start?sort=a%20b+c&x=1")
    [request] = outcome.requests
    assert (request.path, request.body, request.headers["X-Sort"]) == ("/b?sort=a+b+c&a=1", b"sort=xa+b+c&b=2", "a b c")
    assert outcome.only.title == "by a b c"


def test_a_null_name_in_a_path_is_a_failed_request(tmp_path):
    block = "params: [q]\nget: 'b/{q}'" + ITEM
    fails(tmp_path, {}, block, errors.LayoutChanged, "{q} is null")


def test_an_optional_group_that_did_not_match_is_null(tmp_path):
    match = r"^http://127\.0\.0\.1(?::\d+)?/start(?:/(?P<x>\w+))?$"
    block = "get: b\nquery: {x: '{x}'}" + ITEM
    assert extract(tmp_path, {"*": reply({"id": 1, "url": "/f"})}, block, match=match).paths == ["/b"]


def test_source_and_host_are_always_there(tmp_path):
    block = "get: b\ncontent: {uid: id, url: url, title: {text: '{source}'}, description: {text: '{host}'}}"
    content = extract(tmp_path, {"*": reply({"id": 1, "url": "/f"})}, block).only
    assert content.title == f"http://{content.description}/start"


def test_the_nearer_headers_and_cookies_win_key_by_key(tmp_path):
    block = "get: b\nheaders: {X-A: near}\ncookies: {c: near}\nquery: {q: near}" + ITEM
    request = "as: json, headers: {X-A: far, X-B: far}, cookies: {c: far, d: far}, query: {q: far, r: 1}"
    [asked] = extract(tmp_path, {"*": reply({"id": 1, "url": "/f"})}, block, request=request).requests
    assert (asked.headers["X-A"], asked.headers["X-B"]) == ("near", "far")
    assert sorted(asked.headers["Cookie"].split("; ")) == ["c=near", "d=far"]
    assert asked.path == "/b?q=near&r=1"


def test_content_of_an_outer_block_is_the_default_of_those_inside(tmp_path):
    block = (
        "get: a\ncontent: {title: title, uploaded_by: by, metadata: {set: title}}\n"
        "each: {in: items, content: {uid: id, url: url, title: title}}"
    )
    outcome = extract(
        tmp_path, {"/a": reply({"title": "Set", "by": "x", "items": [picture(1), picture(2, title="Own")]})}, block
    )
    assert [contents[0].title for contents in outcome.lists] == ["Set", "Own"]
    assert [contents[0].uploaded_by for contents in outcome.lists] == ["x", "x"]
    assert outcome.lists[0][0].metadata == {"set": "Set"}
    assert outcome.lists[0][0].metadata is not outcome.lists[1][0].metadata


def test_the_only_row_that_gives_nothing_says_why_with_the_line(tmp_path):
    error = fails(tmp_path, {"/a": items({"name": 1})}, BLOCK, errors.LayoutChanged)
    assert "/a: the only row gave nothing: there is no uid: 'id' finds nothing (site" in str(error)
    assert str(error).endswith(".yaml:12, handles.start.each.content.uid)")
