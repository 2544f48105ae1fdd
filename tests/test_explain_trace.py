from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch.extractors._spec import make_extractor
from qetch.replay import ReplayAdapter
from qetch.selectors.keys import keys_of
from qetch.session import mount_replay
from qetch.spec import read
from qetch.tools.explain import css, xpath
from qetch.tools.explain.claims import failing_point
from qetch.tools.explain.propose import Repair, repair
from qetch.tools.explain.report import document
from qetch.tools.explain.running import reference_for, remember, run, trial_on
from qetch.tools.explain.sheet import Sheet
from tests.engine_help import at_work, page, pictures, reply
from tests.repairs.pages import PAGES, STATE, STATE_PAGE, figure, video, write_cassette

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qetch.tools.explain.trace import Trace

SITES = Path(__file__).parent / "repairs" / "sites"


ALBUM = """\
  album:
    match: '^http://127\\.0\\.0\\.1(?::\\d+)?/album/(?P<id>\\w+)$'
    examples: ["http://127.0.0.1/album/1"]
    get: "albums/{id}"
    each: {in: items, content: {uid: id, url: url}}
"""


def traced(
    folder: Path, routes: Mapping[str, Any], block: str, auth: tuple[str, ...] | None = None, **words: Any
) -> Trace:
    with at_work(folder, routes, block, **words) as (extractor, origin):
        return run(extractor, origin.url("/start"), auth)[0]


def left_out(trace: Trace) -> list[tuple[str, str]]:
    return [
        (entry.where, entry.reason) for visit in trace.visits for asked in visit.requests for entry in asked.left_out
    ]


def test_each_row_that_is_dropped_has_its_reason(tmp_path: Path) -> None:
    routes = {
        "/a": reply({"items": [{"id": "1", "url": "/1.png"}, {"id": "2"}, {"url": "/3.png"}, {"id": "4", "ad": True}]}),
    }
    block = 'get: a\neach: {in: items, when: "!ad", content: {uid: id, url: url}}'
    assert left_out(traced(tmp_path, routes, block)) == [
        ("handles.start.each.content.url, row 2", "it has no URL"),
        ("handles.start.each.content, row 2", "here-2 has no file: 'url' finds nothing"),
        ("handles.start.each.content, row 3", "there is no uid: 'id' finds nothing"),
        ("handles.start.each, row 4", "its `when` does not hold"),
    ]


def test_a_goto_is_a_visit_of_its_own(tmp_path: Path) -> None:
    routes = {"/list": reply({"links": ["/album/7"]}), "/albums/7": pictures(1, 2)}
    trace = traced(tmp_path, routes, "get: list\neach: {in: links, goto: '@'}", more=ALBUM)
    assert [(visit.handle, visit.depth) for visit in trace.visits] == [("start", 0), ("album", 1)]
    assert len(trace.contents) == 2


def test_failed_requests_are_told_with_their_status_and_reason(tmp_path: Path) -> None:
    trace = traced(tmp_path, {"/a": reply({}, status=404)}, "get: a\neach: {in: items, content: {uid: id, url: url}}")
    asked = trace.visits[0].requests[-1]
    assert asked.answer is not None
    assert asked.answer.status == 404


def test_nobody_who_looks_on_costs_an_extractor_nothing(tmp_path: Path) -> None:
    block = "get: a\neach: {in: items, content: {uid: id, url: url}}"
    with at_work(tmp_path, {"/a": pictures(1)}, block) as (extractor, origin):
        assert extractor.watch is None
        assert len(list(extractor.extract(origin.url("/start")))) == 1


# --- secrets


def test_no_secret_is_in_an_explanation(tmp_path: Path) -> None:
    top = """
auth:
  kind: oauth
  domains: [127.0.0.1]
  headers: {Authorization: "Bearer {token}"}
  token: {post: "token", form: {id: "{key}", pass: "{secret}"}, read: access.value}
"""
    routes = {
        "/token": reply({"access": {"value": "tok-abcdef123456"}}),
        "/a": reply({"session_token": "sess-99887766", "items": [{"id": "1", "url": "/1.png?sig=s3cr3tsig&x=1"}]}),
        "/b": pictures(2),
    }
    block = """
get: a
let: {session_token: session_token}
each: {in: items, content: {uid: id, url: url}}
then: {get: "b", query: {s: "{session_token}"}, each: {in: items, content: {uid: id, url: url}}}
"""
    from qetch.tools.explain import Explanation
    from qetch.tools.explain.claims import Claim

    with at_work(tmp_path, routes, block, top=top) as (extractor, origin):
        trace, error = run(extractor, origin.url("/start"), ("the-key-1234", "the-secret-5678"))
        assert error is None
        assert len(trace.contents) == 2
        shown = json.dumps(document(Explanation(origin.url("/start"), Claim("127.0.0.1"), trace)))
        assert "/token" in shown
        for secret in ("the-key-1234", "the-secret-5678", "tok-abcdef123456", "sess-99887766", "s3cr3tsig"):
            assert secret not in shown


# --- another URL than the recorded one: values of the same shape


def explained(name: str, url: str, bodies: dict[str, str], tmp_path: Path) -> Repair:
    site = read(SITES / f"{name}.yaml")
    recorded = write_cassette(tmp_path / "recorded", PAGES[name])
    now = write_cassette(tmp_path / "now", bodies)
    handle = next(iter(site.handles.values()))
    reference = reference_for(site, handle.name, url, recorded)
    assert reference is not None
    assert not reference.same
    extractor = make_extractor(site)()
    with remember(extractor) as session:
        mount_replay(session, ReplayAdapter(now))
        trace, _ = run(extractor, url)
        path = SITES / f"{name}.yaml"
        return repair(Sheet(path, path.read_text("utf-8")), reference, trace, trial_on(session, url, None))


def test_values_of_the_same_shape_are_found_in_the_answer_for_another_url(tmp_path: Path) -> None:
    state = {"version": "4.2", "content": {"videos": [video("zz9", "Splicing"), video("yy8", "Whipping twine")]}}
    repaired = explained(
        "state",
        "https://state.example/v/other",
        {"https://state.example/v/other": STATE_PAGE.format(json.dumps(state))},
        tmp_path,
    )
    assert [(edit.old, edit.new) for edit in repaired.edits] == [
        ("media.list[?kind == 'video']", "content.videos[?kind == 'video']")
    ]
    assert repaired.items == 2


def test_elements_of_the_same_shape_are_found_in_another_page(tmp_path: Path) -> None:
    body = f"""<!doctype html><html><body><header class="top"><span class="author">Eva Lund</span>
<time>2 June 2024</time></header><main class="story"><p>Bridges.</p>{figure("br07", "The iron bridge", 71002)}
{figure("br08", "The rope bridge", 64555)}</main></body></html>"""
    url = "https://journal.example/2024/bridges.html"
    repaired = explained("journal", url, {url: body}, tmp_path)
    assert [(edit.where, edit.old) for edit in repaired.edits] == [
        ("handles.article.each.in", "section.body figure.photo")
    ]
    assert repaired.items == 2


def test_an_optional_value_that_another_url_lacks_is_not_missed(tmp_path: Path) -> None:
    media = {"list": [{**video("zz9", "Splicing"), "info": {"title": "Splicing", "user": None, "created": 1690000000}}]}
    state = {**STATE, "media": media}
    url = "https://state.example/v/other"
    repaired = explained("state", url, {url: STATE_PAGE.format(json.dumps(state))}, tmp_path)
    assert repaired.edits == []


# --- parts


@pytest.mark.parametrize(
    ("pattern", "url", "point"),
    [
        (r"^https?://a\.example/p/(\d+)$", "https://a.example/p/12x", 22),
        (r"^https?://a\.example/p/(\d+)$", "https://b.example/p/12", 8),
        (r"^https?://a\.example/p/(\d+)$", "https://a.example/p/", 20),
    ],
)
def test_the_point_at_which_a_regex_fails_is_the_first_character_that_it_cannot_take(
    pattern: str, url: str, point: int
) -> None:
    assert failing_point(pattern, url) == point


def test_the_keys_of_an_expression_stand_where_its_text_has_them() -> None:
    text = 'posts[?md5 && !(meta.gone)].{name: "the name", n: length(tags)}'
    keys = keys_of(text, [{"posts": [{"md5": "x", "the name": 1, "tags": [1]}]}])
    assert [text[key.start : key.end] for key in keys] == ["posts", "md5", "meta", "gone", '"the name"', "tags"]
    assert keys[1].uses == [({"md5": "x", "the name": 1, "tags": [1]}, "x")]


@pytest.mark.parametrize(
    "text",
    ["ul.thumbs > li:not(.ad)", 'a[rel="next"]::attr(href)', "#a .b::text", "::attr(data-id)", "td:nth-child(2) + td"],
)
def test_a_selector_taken_apart_is_the_same_when_put_together(text: str) -> None:
    parsed = css.parse(text)
    assert parsed is not None
    assert parsed.text.replace("*::", "::") == text


def test_commas_between_brackets_or_in_quotes_end_no_selector() -> None:
    assert css.alternatives("""a:is(b, c)::attr(x), d[e="f, g"]""") == ["a:is(b, c)::attr(x)", """d[e="f, g"]"""]
    assert css.parse("a, b") is None


@pytest.mark.parametrize(
    "path",
    [
        '//div[@id="items"]/div[contains(concat(" ", @class, " "), " item ")]',
        "./a[@rel='next']/@href",
        'string(//span[@itemprop="curator"])',
        "(.//h2)[1]",
        "ul/li[2]/descendant::b/text()",
        "/html/body//p[not(@class)]",
    ],
)
def test_a_path_taken_apart_is_the_same_when_put_together(path: str) -> None:
    parsed = xpath.parse(path)
    assert parsed is not None
    assert parsed.text == path


@pytest.mark.parametrize("path", ["count(//a) + 1", "//a[", "concat(//a, //b)", ""])
def test_what_is_no_location_path_is_left_alone(path: str) -> None:
    assert xpath.parse(path) is None


def test_after_a_goto_the_requests_are_those_of_the_first_handle_again(tmp_path: Path) -> None:
    routes = {
        "/list": reply({"links": ["/album/7"], "next": "/more"}),
        "/more": reply({"links": ["/album/8"]}),
        "/albums/7": pictures(1),
        "/albums/8": pictures(2),
    }
    trace = traced(tmp_path, routes, "get: list\npages: {next: next}\neach: {in: links, goto: '@'}", more=ALBUM)
    asked = [(visit.handle, [request.url for request in visit.requests if request.url]) for visit in trace.visits]
    assert [(handle, [url.rpartition("/")[2] for url in urls]) for handle, urls in asked] == [
        ("start", ["list", "more"]),
        ("album", ["7"]),
        ("album", ["8"]),
    ]


def test_a_page_is_searched_with_no_harm_if_it_has_nothing(tmp_path: Path) -> None:
    trace = traced(
        tmp_path,
        {"/a": page("<p>gone</p>")},
        'get: a\neach: {in: "ul > li", content: {uid: a, url: "a::attr(href)"}}',
        request="as: html",
    )
    assert [find.text for find in trace.finds()] == ["ul > li"]
