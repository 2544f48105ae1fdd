"""`goto`, the hosts that a run may ask, and the bounds of a run."""

from __future__ import annotations

import logging

import pytest

from qetch import errors
from qetch.auth import AuthRegistry
from tests.engine_help import (
    PICTURES,
    alone,
    at_work,
    extract,
    fails,
    handle,
    make,
    patient,
    picture,
    pictures,
    reply,
    run,
    site_text,
)
from tests.origin import Origin, Reply, redirect
from tests.sessions import Recorder

KEY = "sesame-0123456789"
KEYED = 'auth: {kind: key, domains: [127.0.0.1], headers: {X-Api-Key: "{key}"}, query: {api_key: "{key}"}}'
LINKS = "get: a\neach: {in: links, goto: '@'}"
NUMBER = r"^http://127\.0\.0\.1(?::\d+)?/n/(?P<n>\d+)$"
ITEM = "\n" + handle(
    "item",
    "get: 'i/{n}'\ncontent: {uid: id, url: url}",
    r"^http://127\.0\.0\.1(?::\d+)?/item/(?P<n>\w+)$",
    "http://127.0.0.1/item/1",
)


_alone = pytest.fixture(autouse=True)(alone)


@pytest.fixture
def there(tmp_path):
    """Another site: `there`, on localhost, with the handle `start`."""
    with Origin({"/b": reply({"id": "far", "url": "/far.png"})}) as origin:
        text = site_text(origin, "get: b\ncontent: {uid: id, url: url}", name="there", host="localhost")
        (tmp_path / "specs" / "there.yaml").write_text(text)
        yield origin


def links(*urls):
    return reply({"links": list(urls)})


# --- goto


def test_goto_leads_to_an_own_handle_and_takes_nothing_along(tmp_path):
    block = "get: a\ncontent: {title: title}\neach: {in: links, goto: '@'}"
    routes = {
        "/a": reply({"title": "List", "links": ["/item/1", "item/2"]}),
        "/i/1": reply(picture(1)),
        "/i/2": reply(picture(2)),
    }
    outcome = extract(tmp_path, routes, block, more=ITEM)
    assert outcome.uids == ["p1", "p2"]
    assert outcome.lists[0][0].title is None
    assert str(outcome.lists[0][0].source).endswith("/item/1")


def test_gotos_that_lead_to_nothing_but_empty_lists_are_empty(tmp_path):
    more = "\n" + handle("album", f"get: 'o/{{n}}'\n{PICTURES}", NUMBER, "http://127.0.0.1/n/1")
    outcome = extract(tmp_path, {"/a": links("/n/1", "/n/2"), "/o/1": pictures(), "/o/2": pictures()}, LINKS, more=more)
    assert (outcome.lists, outcome.skipped) == ([], [])


def test_goto_leads_to_another_site(tmp_path, there):
    outcome = extract(tmp_path, {"/a": links(there.url("/start", "localhost"))}, LINKS)
    assert outcome.lists[0][0].uid == "there-far"
    assert outcome.lists[0][0].extractor.name == "there"
    assert there.paths == ["/b"]


def test_a_goto_that_nobody_claims_is_said_and_never_the_generic_extractors(tmp_path):
    routes = {"/a": links("https://nobody.example/x.png", "/item/1", "/x.png"), "/i/1": reply(picture(1))}
    outcome = extract(tmp_path, routes, LINKS, more=ITEM)
    assert outcome.uids == ["p1"]
    assert ["no handle of any site claims" in skip for skip in outcome.skipped] == [True, True]


def test_links_that_all_lead_nowhere_are_a_changed_layout(tmp_path):
    error = fails(tmp_path, {"/a": links("/x", "/y")}, LINKS, errors.LayoutChanged, "not one of 2 rows")
    assert "no handle of any site claims" in str(error)


@pytest.mark.parametrize("link", [None, "", False, "javascript:void(0)", "https://[bad", 7, {"a": 1}])
def test_a_row_without_a_url_to_go_to_is_said(tmp_path, link):
    block = "get: a\neach: {in: items, goto: to}"
    routes = {"/a": reply({"items": [{"to": link}, {"to": "/item/1"}]}), "/i/1": reply(picture(1))}
    outcome = extract(tmp_path, routes, block, more=ITEM)
    assert outcome.uids == ["p1"]
    assert outcome.skipped


@pytest.mark.parametrize("call", ["", "get: a\n"])
def test_a_handle_that_only_leads_nowhere_is_a_changed_layout(tmp_path, call):
    block = f"{call}goto: {{text: '/nowhere'}}"
    fails(tmp_path, {"/a": reply({})}, block, errors.LayoutChanged, "no handle of any site claims")
    block = f"{call}goto: {{text: '/nowhere'}}\ncontent: {{uid: {{text: x}}, url: {{text: 'http://127.0.0.1/f'}}}}"
    outcome = extract(tmp_path, {"/a": reply({})}, block)
    assert (outcome.uids, len(outcome.skipped)) == (["x"], 1)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_goto_that_is_missing_or_forbidden_is_skipped_and_said(tmp_path, status):
    routes = {"/a": links("/item/1", "/item/2"), "/i/1": Reply(status), "/i/2": reply(picture(2))}
    outcome = extract(tmp_path, routes, LINKS, more=ITEM)
    assert outcome.uids == ["p2"]
    assert f"answered {status}" in outcome.skipped[0]


def test_a_list_that_leads_back_to_itself_ends(tmp_path):
    routes = {"/a": links("/start", "/start#again", "/item/1", "/item/1"), "/i/1": reply(picture(1))}
    outcome = extract(tmp_path, routes, LINKS, more=ITEM)
    assert (outcome.uids, outcome.paths) == (["p1"], ["/a", "/i/1"])
    assert len([skip for skip in outcome.skipped if "visited before" in skip]) == 3


def test_two_sites_that_lead_to_each_other_end(tmp_path):
    with Origin() as far:
        text = site_text(far, LINKS.replace("a\n", "b\n"), name="there", host="localhost")
        (tmp_path / "specs" / "there.yaml").write_text(text)
        with at_work(tmp_path, {}, LINKS) as (extractor, origin):
            (tmp_path / "specs" / "here.yaml").write_text(site_text(origin, LINKS))
            origin.routes["/a"] = links(far.url("/start", "localhost"))
            far.routes["/b"] = links(origin.url("/start"))
            assert list(extractor.extract(origin.url("/start"))) == []
    assert (origin.paths, far.paths) == (["/a"], ["/b"])


def test_gotos_are_followed_three_deep_and_the_rest_is_said(tmp_path):
    block = "get: 'l/{n}'\nlet: {next: next}\ncontent: {uid: id, url: url}\ngoto: {text: '{next}'}"

    def answer(request):
        number = int(request.path.rpartition("/")[2])
        return reply({**picture(number), "next": f"/n/{number + 1}"})

    outcome = extract(tmp_path, {"*": answer}, block, url="/n/1", match=NUMBER, example="http://127.0.0.1/n/1")
    assert outcome.uids == ["p1", "p2", "p3", "p4"]
    assert "more than 3" in outcome.skipped[0]


def test_goto_and_rows_may_stand_in_one_list(tmp_path):
    block = "get: a\neach:\n  - {in: 'items[?link]', goto: link}\n  - {in: 'items[?url]', content: {uid: id, url: url}}"
    routes = {"/a": reply({"items": [{"link": "/item/1"}, picture(2)]}), "/i/1": reply(picture(1))}
    assert extract(tmp_path, routes, block, more=ITEM).uids == ["p1", "p2"]


def test_what_a_goto_skips_is_said_by_the_extractor_that_was_asked(tmp_path, there):
    there.routes["/b"] = reply({"id": "far"})
    outcome = run(tmp_path, {"/a": links(there.url("/start", "localhost"))}, LINKS)
    assert isinstance(outcome.error, errors.LayoutChanged)
    assert "there-far has no file" in " ".join(outcome.skipped)


# --- hosts and secrets


def test_a_goto_to_another_site_takes_no_credentials_along(tmp_path, there):
    routes = {"/a": links(there.url("/start", "localhost"))}
    outcome = extract(tmp_path, routes, LINKS, top=KEYED, auth=(KEY,))
    assert outcome.requests[0].headers["X-Api-Key"] == KEY
    assert "sesame" not in str(there.requests)


def test_a_goto_to_another_site_uses_the_credentials_of_that_site(tmp_path, there):
    text = site_text(
        there,
        "get: b\ncontent: {uid: id, url: url}",
        name="there",
        host="localhost",
        top=KEYED.replace("127.0.0.1", "localhost"),
    )
    (tmp_path / "specs" / "there.yaml").write_text(text)
    AuthRegistry()["there"] = ("open-0123456789",)
    outcome = extract(tmp_path, {"/a": links(there.url("/start", "localhost"))}, LINKS, top=KEYED, auth=(KEY,))
    assert [request.headers["X-Api-Key"] for request in (*outcome.requests, *there.requests)] == [
        KEY,
        "open-0123456789",
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_foreign_host_is_refused_while_credentials_are_held(tmp_path, there, status):
    routes = {"/a": redirect(there.url("/b", "localhost"), status)}
    error = fails(tmp_path, routes, f"get: a\n{PICTURES}", errors.HostRefused, "localhost", top=KEYED, auth=(KEY,))
    assert there.requests == []
    assert KEY not in str(error)


def test_a_redirect_to_a_declared_host_loses_the_credentials(tmp_path, there):
    there.routes["/b"] = pictures(1)
    routes = {"/a": redirect(there.url("/b?x=1", "localhost"))}
    text = f"get: a\n{PICTURES}"
    with at_work(tmp_path, routes, text, top=KEYED) as (_, origin):
        made = make(
            tmp_path,
            site_text(origin, text, top=KEYED).replace("domains: [127.0.0.1]", "domains: [127.0.0.1, localhost]", 1),
        )()
        patient(made)
        with made.session:
            assert len(list(made.extract(origin.url("/start"), auth=(KEY,)))) == 1
    assert KEY in str(origin.requests)
    assert there.paths == ["/b?x=1"]
    assert "sesame" not in str(there.requests)


def test_a_url_in_an_answer_cannot_lead_a_request_to_a_foreign_host(tmp_path, there):
    block = "get: a\nlet: {to: to}\nthen: {get: '{to}', content: {uid: id, url: url}}"
    for url in (
        there.url("/b", "localhost"),
        f"http://127.0.0.1:1@localhost:{there.port}/b",
        "//localhost/b",
        "file:///etc/passwd",
    ):
        outcome = run(tmp_path, {"/a": reply({"to": url})}, block)
        assert isinstance(outcome.error, errors.HostRefused | errors.InvalidURL)
    assert there.requests == []


def test_a_host_that_is_written_out_in_a_call_may_be_asked(tmp_path, there):
    block = f"get: 'http://localhost:{there.port}/b'\ncontent: {{uid: id, url: url}}"
    assert extract(tmp_path, {}, block).uids == ["far"]


def test_a_host_that_only_begins_in_a_call_is_not_declared_by_it(tmp_path, there):
    block = "get: a\nlet: {rest: rest}\nthen: {get: 'http://local{+rest}', content: {uid: id, url: url}}"
    fails(tmp_path, {"/a": reply({"rest": f"host:{there.port}/b"})}, block, errors.QetchError)
    assert there.requests == []


def test_private_addresses_are_refused_unless_the_user_allowed_them(tmp_path):
    with at_work(tmp_path, {"/a": pictures(1)}, f"get: a\n{PICTURES}") as (extractor, origin):
        extractor.session.allow_private = False
        with pytest.raises(errors.AddressRefused):
            list(extractor.extract(origin.url("/start")))
        assert origin.requests == []
        extractor.session.allow_private = True
        assert len(list(extractor.extract(origin.url("/start")))) == 1


# --- dead, broken


def test_a_dead_site_is_refused_by_the_network_alone(tmp_path):
    words = {"top": "status: dead\nnote: closed on 2023-09-01"}
    block = f"get: a\n{PICTURES}"
    fails(tmp_path, {"/a": pictures(1)}, block, errors.SiteClosed, "closed on 2023-09-01", **words)
    with at_work(tmp_path, {}, block, **words) as (extractor, origin):
        mounted = Recorder({origin.url("/a"): (200, {}, b'{"items": [{"id": "p1", "url": "/f"}]}')})
        extractor.session.mount("http://", mounted)
        assert len(list(extractor.extract(origin.url("/start")))) == 1
        assert origin.requests == []


def test_a_goto_to_a_dead_handle_is_said_and_the_run_goes_on(tmp_path):
    dead = "\n" + handle("dead", "status: dead\nnote: gone for good\nget: d\ncontent: {uid: id, url: url}")
    block = "get: a/{page}\npages: {counter: page}\neach:\n  - {in: links, goto: '@'}\n  - {in: items, content: {uid: id, url: url}}"
    block = block.replace("a/{page}", "'a/{page}'")
    routes = {
        "/a/1": reply({"links": ["/dead"], "items": [picture(1)]}),
        "/a/2": reply({"links": [], "items": [picture(2)]}),
        "/a/3": reply({"links": [], "items": []}),
        "/d": reply(picture(9)),
    }
    outcome = extract(tmp_path, routes, block, more=dead)
    assert outcome.uids == ["p1", "p2"]
    assert "gone for good" in outcome.skipped[0]
    assert "/d" not in outcome.paths


def test_a_broken_site_is_tried_and_warned_about(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "qetch"):
        outcome = extract(
            tmp_path, {"/a": pictures(1)}, f"get: a\n{PICTURES}", top="status: broken\nnote: no titles since May"
        )
    assert outcome.uids == ["p1"]
    assert "no titles since May" in caplog.text


# --- bounds


def test_a_run_makes_a_bounded_number_of_requests(tmp_path, monkeypatch):
    monkeypatch.setattr("qetch.engine.state.MAX_REQUESTS", 3)
    routes = {"/a": links(*(f"/item/{n}" for n in range(9))), "*": lambda request: reply(picture(request.path[3:]))}
    outcome = run(tmp_path, routes, LINKS, more=ITEM)
    assert isinstance(outcome.error, errors.LimitReached)
    assert (outcome.uids, len(outcome.requests)) == (["p0", "p1"], 3)


def test_a_run_walks_a_bounded_number_of_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("qetch.engine.state.MAX_ROWS", 5)
    outcome = run(tmp_path, {"/a": pictures(*range(9))}, f"get: a\n{PICTURES}")
    assert isinstance(outcome.error, errors.LimitReached)
    assert len(outcome.lists) == 5


def test_the_bounds_are_those_of_the_design():
    from qetch.engine import state
    from qetch.session import MAX_BODY, MAX_SECONDS

    assert (state.MAX_REQUESTS, state.MAX_ROWS, state.MAX_GOTO_DEPTH) == (1_000, 100_000, 3)
    assert (MAX_BODY, MAX_SECONDS) == (10_000_000, 60.0)


def test_a_match_that_backtracks_for_ever_is_no_match_and_is_said(tmp_path, caplog):
    match = r"^http://127\.0\.0\.1(?::\d+)?/(?:a+)+$"
    with at_work(tmp_path, {}, f"get: a\n{PICTURES}", match=match, example="http://127.0.0.1/aaa") as (
        extractor,
        origin,
    ):
        with caplog.at_level(logging.WARNING, "qetch"):
            assert not extractor.can_handle(origin.url("/" + "a" * 8000 + "b"))
        with pytest.raises(errors.UnsupportedURL):
            next(extractor.extract(origin.url("/" + "a" * 8000 + "b")))
    assert "was stopped" in caplog.text


def test_a_url_of_a_foreign_host_is_not_the_extractors(tmp_path):
    cls = None
    with at_work(tmp_path, {}, f"get: a\n{PICTURES}") as (extractor, _):
        cls = type(extractor)
    assert cls.can_handle("http://127.0.0.1/start")
    for url in (
        "http://x.127.0.0.1/start",
        "http://evil.example/?http://127.0.0.1/start",
        "http://127.0.0.1\\.evil.example/start",
        "start",
        "",
    ):
        assert not cls.can_handle(url)
        with pytest.raises(errors.UnsupportedURL):
            cls.get_handle(url)
