"""Pages: how a call goes on, and the many ways in which it ends."""

from __future__ import annotations

import json

import pytest

from qetch.errors import LayoutChanged, LimitReached, NotFound, RemoteError
from tests.engine_help import PICTURES, extract, fails, page, picture, pictures, reply, run
from tests.origin import Reply

COUNTED = f"get: 'a/{{page}}'\npages: {{counter: page}}\n{PICTURES}"
NEXT = f"get: a\npages: {{next: next}}\n{PICTURES}"


def endless(request):
    """A list that never ends: each page has a new picture and a new next one."""
    number = int(request.path.rpartition("/")[2].partition("?")[0] or 0)
    return pictures(number, next=f"/a/{number + 1}", cursor=f"c{number + 1}")


# --- going on


def test_a_counter_counts_from_where_and_by_how_much_the_spec_says(tmp_path):
    block = f"get: a\nquery: {{offset: '{{n}}'}}\npages: {{counter: n, from: 0, by: 20}}\n{PICTURES}"
    routes = {"/a?offset=0": pictures(1), "/a?offset=20": pictures(2), "/a?offset=40": pictures()}
    assert extract(tmp_path, routes, block).uids == ["p1", "p2"]


def test_the_next_url_is_joined_and_taken_as_it_is(tmp_path):
    block = f"get: a/b\nquery: {{sort: new}}\npages: {{next: next}}\n{PICTURES}"
    routes = {"/a/b?sort=new": pictures(1, next="c?cursor=x%2Fy"), "/a/c?cursor=x%2Fy": pictures(2, next=None)}
    outcome = extract(tmp_path, routes, block)
    assert (outcome.uids, outcome.paths) == (["p1", "p2"], ["/a/b?sort=new", "/a/c?cursor=x%2Fy"])


def test_a_next_link_of_a_page_is_followed(tmp_path):
    block = 'get: a\npages: {next: "a[rel=next]::attr(href)"}\neach: {in: li, content: {uid: b, url: "a::attr(href)"}}'
    item = "<ul><li><b>{0}</b><a href='/{0}.png'>x</a></ul>"
    routes = {"/a": page(item.format(1) + '<a rel="next" href="?p=2">'), "/a?p=2": page(item.format(2))}
    assert extract(tmp_path, routes, block, request="as: html").uids == ["1", "2"]


def test_names_that_are_set_are_null_on_the_first_request(tmp_path):
    block = f"get: a\nquery: {{after: '{{cursor}}'}}\npages: {{set: {{cursor: cursor}}}}\n{PICTURES}"
    routes = {"/a": pictures(1, cursor="c d"), "/a?after=c+d": pictures(2, cursor="")}
    outcome = extract(tmp_path, routes, block)
    assert (outcome.uids, outcome.paths) == (["p1", "p2"], ["/a", "/a?after=c+d"])


def test_paging_by_names_ends_when_all_of_them_are_null(tmp_path):
    block = f"get: a\nquery: {{x: '{{x}}', y: '{{y}}'}}\npages: {{set: {{x: x, y: y}}}}\n{PICTURES}"
    routes = {"/a": pictures(1, x="1", y=None), "/a?x=1": pictures(2, x=None, y="2"), "/a?y=2": pictures(3)}
    assert extract(tmp_path, routes, block).uids == ["p1", "p2", "p3"]


def test_a_cursor_goes_into_a_posted_body(tmp_path):
    def answer(request):
        sent = json.loads(request.body)
        return pictures(2) if sent.get("after") == 7 else pictures(1, cursor=7)

    block = f"post: a\njson: {{after: '{{cursor}}', first: 2}}\npages: {{set: {{cursor: cursor}}}}\n{PICTURES}"
    outcome = extract(tmp_path, {"/a": answer}, block)
    assert outcome.uids == ["p1", "p2"]
    assert [json.loads(request.body) for request in outcome.requests] == [{"first": 2}, {"after": 7, "first": 2}]


def test_carry_lays_an_object_of_the_answer_over_the_next_query(tmp_path):
    block = f"get: a\nquery: {{q: cranes, from: 0}}\npages: {{carry: continue}}\n{PICTURES}"
    first = pictures(1, **{"continue": {"from": 20, "token": "t|u", "deep": None}})
    outcome = extract(tmp_path, {"/a?q=cranes&from=0": first, "*": pictures(2)}, block)
    assert outcome.uids == ["p1", "p2"]
    assert outcome.paths[1] == "/a?q=cranes&from=20&token=t%7Cu"


def test_let_is_evaluated_anew_on_each_page(tmp_path):
    block = "get: 'a/{page}'\npages: {counter: page}\nlet: {by: by}\neach: {in: items, content: {uid: id, url: url, uploaded_by: {text: '{by}'}}}"
    routes = {"/a/1": pictures(1, by="x"), "/a/2": pictures(2, by="y"), "/a/3": pictures()}
    outcome = extract(tmp_path, routes, block)
    assert [contents[0].uploaded_by for contents in outcome.lists] == ["x", "y"]


def test_pages_are_asked_for_only_when_they_are_wanted(tmp_path):
    from tests.engine_help import at_work

    with at_work(tmp_path, {"*": endless}, COUNTED) as (extractor, origin):
        lists = extractor.extract(origin.url("/start"))
        assert origin.paths == []
        next(lists)
        assert origin.paths == ["/a/1"]
        next(lists)
        assert origin.paths == ["/a/1", "/a/2"]


# --- ending


def test_counting_ends_at_an_empty_page(tmp_path):
    outcome = extract(
        tmp_path, {"/a/1": pictures(1), "/a/2": pictures(2), "/a/3": pictures(), "/a/4": pictures(4)}, COUNTED
    )
    assert (outcome.uids, len(outcome.requests)) == (["p1", "p2"], 3)


def test_an_empty_page_does_not_end_a_chain_of_next_urls(tmp_path):
    routes = {"/a": pictures(1, next="/b"), "/b": pictures(next="/c"), "/c": pictures(3)}
    assert extract(tmp_path, routes, NEXT).uids == ["p1", "p3"]


def test_counting_ends_at_a_page_that_is_not_there(tmp_path):
    assert extract(tmp_path, {"/a/1": pictures(1), "/a/2": Reply(404)}, COUNTED).uids == ["p1"]
    fails(tmp_path, {"/a/1": Reply(404)}, COUNTED, NotFound)


def test_an_html_list_may_end_in_a_page_without_rows(tmp_path):
    block = 'get: "a/{page}"\npages: {counter: page}\neach: {in: li, content: {uid: b, url: "a::attr(href)"}}'
    routes = {"/a/1": page("<ul><li><b>1</b><a href='/1.png'>x</a></ul>"), "/a/2": page("<p>No more</p>")}
    assert extract(tmp_path, routes, block, request="as: html").uids == ["1"]
    fails(tmp_path, {"/a/1": page("<p>No more</p>")}, block, LayoutChanged, request="as: html")


def test_the_first_empty_page_of_a_json_list_is_an_empty_list(tmp_path):
    outcome = extract(tmp_path, {"/a/1": pictures()}, COUNTED)
    assert (outcome.lists, len(outcome.requests)) == ([], 1)


def test_a_fragment_makes_no_other_request(tmp_path):
    outcome = extract(tmp_path, {"/a": pictures(1, next="/a#more")}, f"get: a\npages: {{next: next}}\n{PICTURES}")
    assert (outcome.uids, outcome.paths) == (["p1"], ["/a"])


def test_paging_ends_at_a_request_that_was_already_made(tmp_path):
    routes = {"/a": pictures(1, next="/b"), "/b": pictures(2, next="/a")}
    outcome = extract(tmp_path, routes, NEXT)
    assert (outcome.uids, len(outcome.requests)) == (["p1", "p2"], 2)


def test_paging_ends_at_the_same_body_again(tmp_path):
    same = pictures(1)
    outcome = extract(tmp_path, {"/a/1": same, "/a/2": same, "/a/3": pictures(3)}, COUNTED)
    assert (outcome.uids, len(outcome.requests)) == (["p1"], 2)


def test_paging_ends_at_a_page_of_nothing_but_known_uids(tmp_path):
    def answer(request):  # the last page again and again, with another time in it
        return pictures(1, 2, now=request.path)

    outcome = extract(tmp_path, {"*": answer}, COUNTED)
    assert (outcome.uids, len(outcome.requests)) == (["p1", "p2"], 2)
    assert "given before" in outcome.skipped[0]


def test_an_item_that_comes_again_across_a_page_border_is_given_once(tmp_path):
    routes = {"/a/1": pictures(1, 2), "/a/2": pictures(2, 3), "/a/3": pictures()}
    outcome = extract(tmp_path, routes, COUNTED)
    assert outcome.uids == ["p1", "p2", "p3"]
    assert len([skip for skip in outcome.skipped if "given before" in skip]) == 1


def test_paging_ends_when_until_holds_after_the_page_was_used(tmp_path):
    block = f"get: 'a/{{page}}'\npages: {{counter: page, until: last}}\n{PICTURES}"
    routes = {"/a/1": pictures(1, last=False), "/a/2": pictures(2, last=True), "/a/3": pictures(3)}
    outcome = extract(tmp_path, routes, block)
    assert (outcome.uids, len(outcome.requests)) == (["p1", "p2"], 2)


@pytest.mark.parametrize(
    "pages",
    ["counter: page, max: 3", "next: next, max: 3", "set: {page: cursor}, max: 3", "carry: '{page: cursor}', max: 3"],
)
def test_pages_that_never_end_are_stopped_at_max_and_said(tmp_path, pages):
    def answer(request):
        number = len(asked) + 1
        asked.append(request.path)
        return pictures(number, next=f"/a?page=n{number}", cursor=f"c{number}")

    asked: list[str] = []
    query = "" if "carry" in pages or "next" in pages else "query: {page: '{page}'}\n"
    pages = pages.replace("'{page: cursor}'", '"{page: cursor}"')
    outcome = extract(tmp_path, {"/a": answer}, f"get: a\n{query}pages: {{{pages}}}\n{PICTURES}")
    assert outcome.uids == ["p1", "p2", "p3"]
    assert "stopped after 3 pages" in outcome.skipped[-1]


def test_the_default_bounds_end_what_nothing_else_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("qetch.engine.state.MAX_REQUESTS", 5)
    outcome = run(tmp_path, {"*": endless}, COUNTED)
    assert isinstance(outcome.error, LimitReached)
    assert (len(outcome.lists), len(outcome.requests)) == (5, 5)


def test_a_failure_on_a_later_page_is_an_error_after_what_came_before(tmp_path):
    outcome = run(tmp_path, {"/a/1": pictures(1), "/a/2": Reply(403)}, COUNTED)
    assert outcome.uids == ["p1"]
    assert type(outcome.error).__name__ == "Forbidden"
    outcome = run(tmp_path, {"/a/1": pictures(1), "/a/2": Reply(body="<html>")}, COUNTED)
    assert isinstance(outcome.error, RemoteError)


def test_the_rate_limit_of_a_later_page_waits_and_loses_nothing(tmp_path):
    busy = Reply(429, {"Retry-After": "2"})
    routes = {"/a/1": pictures(1), "/a/2": [busy, busy, pictures(2)], "/a/3": pictures()}
    outcome = extract(tmp_path, routes, COUNTED)
    assert (outcome.uids, outcome.waits) == (["p1", "p2"], [2, 2])


def test_a_renamed_list_on_a_later_page_is_a_changed_layout(tmp_path):
    routes = {"/a/1": pictures(1), "/a/2": reply({"entries": [picture(2)]})}
    outcome = run(tmp_path, routes, COUNTED)
    assert outcome.uids == ["p1"]
    assert isinstance(outcome.error, LayoutChanged)


def test_pages_inside_a_row_are_walked_for_each_row(tmp_path):
    block = (
        "get: a\neach: {in: '[1, 2]', let: {n: '@'}, then: {get: 'b/{n}/{page}', pages: {counter: page},"
        " each: {in: items, content: {uid: id, url: url}}}}"
    ).replace("'[1, 2]'", "sets")
    routes = {
        "/a": reply({"sets": ["x", "y"]}),
        "/b/x/1": pictures("x1"), "/b/x/2": pictures("x2"), "/b/x/3": pictures(),
        "/b/y/1": pictures("y1"), "/b/y/2": pictures(),
    }  # fmt: skip
    assert extract(tmp_path, routes, block).uids == ["px1", "px2", "py1"]
