"""Answers: what they must be, and what their statuses and the spec's rules make of them."""

from __future__ import annotations

import gzip
import logging
import re

import pytest

from qetch import errors
from tests.engine_help import PICTURES, at_work, extract, fails, page, pictures, reply, run
from tests.origin import Reply, redirect

BLOCK = f"get: a\n{PICTURES}"
SITE_ERRORS = """
errors:
  - {url: '/removed\\.png$', raise: gone}
  - {when: "status == `1203` || contains(to_string(data.error), 'capacity')", raise: rate_limited}
  - {when: "errors[0].code == '429'", raise: rate_limited}
  - {when: "success == `false` || data.error", raise: remote, message: "to_string(not_null(data.error.message, data.error, message))"}
"""

# --- statuses


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.RemoteError),
        (401, errors.AuthenticationError),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (410, errors.Gone),
        (418, errors.RemoteError),
        (429, errors.RateLimited),
        (451, errors.GeoBlocked),
        (500, errors.RemoteError),
        (503, errors.RemoteError),
    ],
)
def test_a_status_that_no_rule_claims_is_the_error_of_the_table(tmp_path, status, error):
    raised = fails(tmp_path, {"/a": Reply(status, body="<h1>no</h1>")}, BLOCK, error)
    assert f"/a answered {status}" in str(raised)


@pytest.mark.parametrize(("status", "asked"), [(500, 3), (503, 3), (429, 4), (404, 1), (400, 1)])
def test_failures_of_the_server_are_tried_again_and_refusals_are_not(tmp_path, status, asked):
    outcome = run(tmp_path, {"/a": Reply(status)}, BLOCK)
    assert (len(outcome.requests), len(outcome.waits)) == (asked, asked - 1)


@pytest.mark.parametrize("status", [300, 302, 304])
def test_a_redirect_to_nowhere_is_remote(tmp_path, status):
    fails(tmp_path, {"/a": Reply(status)}, BLOCK, errors.RemoteError, f"answered {status}")


def test_a_server_that_recovers_is_not_an_error(tmp_path):
    assert extract(tmp_path, {"/a": [Reply(502), Reply(503), pictures(1)]}, BLOCK).uids == ["p1"]


def test_a_post_is_not_sent_twice(tmp_path):
    outcome = run(tmp_path, {"/a": Reply(500)}, f"post: a\nform: {{x: 1}}\n{PICTURES}")
    assert (outcome.paths, type(outcome.error)) == (["/a"], errors.RemoteError)


@pytest.mark.parametrize(
    ("headers", "request_words", "waits"),
    [
        ({"Retry-After": "7"}, "as: json, wait: 9s", [7, 7, 7]),
        ({"X-RateLimit-Reset": "4"}, "as: json, wait: 9s", [4, 4, 4]),
        ({"RateLimit-Reset": "3", "X-RateLimit-Reset": "4"}, "as: json", [3, 3, 3]),
        ({"Retry-After": "soon"}, "as: json, wait: 9s", [9, 9, 9]),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, "as: json, wait: 2min", [0, 0, 0]),
        ({}, "as: json, wait: 2min", [120, 120, 120]),
        ({}, "as: json", [30, 30, 30]),
        ({"Retry-After": "86400"}, "as: json", []),  # nobody waits for a day: the error says it
    ],
)
def test_429_waits_three_times_as_long_as_the_site_asks(tmp_path, headers, request_words, waits):
    outcome = run(tmp_path, {"/a": Reply(429, headers)}, BLOCK, request=request_words)
    assert isinstance(outcome.error, errors.RateLimited)
    assert outcome.waits == waits
    assert len(outcome.requests) == len(waits) + 1


def test_the_error_says_how_long_a_site_asks_to_wait(tmp_path):
    error = fails(tmp_path, {"/a": Reply(429, {"Retry-After": "86400"})}, BLOCK, errors.RateLimited, "86,400 s")
    assert error.wait == 86400


def test_a_moment_as_the_reset_is_a_wait_until_then(tmp_path):
    import time

    outcome = run(
        tmp_path, {"/a": [Reply(429, {"X-RateLimit-Reset": str(int(time.time()) + 100)}), pictures(1)]}, BLOCK
    )
    assert outcome.uids == ["p1"]
    assert 90 < outcome.waits[0] <= 100


def test_each_request_has_three_waits_of_its_own(tmp_path):
    busy = [Reply(429, {"Retry-After": "1"})] * 3
    routes = {"/a": [*busy, reply({"items": [{"id": 1}]})], "/b": [*busy, reply({"id": 1, "url": "/f"})]}
    block = "get: a\neach: {in: items, then: {get: b, content: {uid: id, url: url}}}"
    assert extract(tmp_path, routes, block).waits == [1] * 6


# --- rules


def test_a_site_that_wants_a_login_of_which_its_file_knows_nothing_is_told_to_the_author(tmp_path):
    fails(tmp_path, {"/a": Reply(401)}, BLOCK, errors.AuthenticationError, "answered 401 - .*`qetch schema auth`")


def test_rules_come_before_the_status_table(tmp_path):
    rules = "errors: [{status: [403], raise: gone}, {status: [403], raise: empty}]\n"
    fails(tmp_path, {"/a": Reply(403)}, rules + BLOCK, errors.Gone, "gone, by a rule of the site file")


def test_rules_of_a_block_come_before_those_of_the_site(tmp_path):
    rules = "errors: [{status: [404], raise: gone}]\n"
    fails(tmp_path, {"/a": Reply(404)}, rules + BLOCK, errors.Gone, top="errors: [{status: [404], raise: empty}]")


def test_everything_that_a_rule_asks_must_hold(tmp_path):
    rules = "errors: [{status: [200], when: gone, raise: gone}, {status: [404], when: gone, raise: forbidden}]\n"
    assert extract(tmp_path, {"/a": pictures(1)}, rules + BLOCK).uids == ["p1"]
    fails(tmp_path, {"/a": pictures(1, gone=1)}, rules + BLOCK, errors.Gone)
    fails(tmp_path, {"/a": reply({"gone": True}, 404)}, rules + BLOCK, errors.Forbidden)


@pytest.mark.parametrize("word", ["null", "false", '""', "[]", "{}"])
def test_a_condition_does_not_hold_for_nothing(tmp_path, word):
    rules = f"errors: [{{when: '`{word}`', raise: gone}}]\n"
    assert extract(tmp_path, {"/a": pictures(1)}, rules + BLOCK).uids == ["p1"]


@pytest.mark.parametrize("word", ["true", "0", '"x"', "[0]"])
def test_a_condition_holds_for_anything_else(tmp_path, word):
    fails(tmp_path, {"/a": pictures(1)}, f"errors: [{{when: '`{word}`', raise: gone}}]\n{BLOCK}", errors.Gone)


def test_a_url_rule_is_asked_of_the_final_url(tmp_path):
    routes = {"/a": redirect("/removed.png"), "/removed.png": pictures(1)}
    fails(tmp_path, routes, BLOCK, errors.Gone, "removed.png", top=SITE_ERRORS)


def test_url_rules_for_missing_files_travel_in_the_content(tmp_path):
    rules = "errors: [{url: '/404$', raise: not_found}, {url: '/login', raise: login_required}]\n"
    inner = "\nthen: {get: a, errors: [{url: '/deleted/', raise: gone}, {url: '/x', status: [200], raise: gone}]}"
    content = extract(tmp_path, {"/a": pictures(1)}, rules + BLOCK + inner, top=SITE_ERRORS).only
    assert set(content.gone) == {"/removed\\.png$", "/404$", "/deleted/"}


def test_a_url_rule_that_backtracks_for_ever_is_stopped_and_said(tmp_path):
    rules = "errors: [{url: '(a+)+$', raise: gone}]\n"
    routes = {"/a": redirect("/b?" + "a" * 3000 + "b"), "/b": pictures(1)}
    outcome = extract(tmp_path, routes, rules + BLOCK)
    assert outcome.uids == ["p1"]
    assert "was stopped" in outcome.skipped[0]


def test_a_rule_reads_a_page_with_css(tmp_path):
    block = (
        'get: a\nerrors: [{when: "div.removed", raise: not_found, message: "div.removed::text"},'
        ' {when: "form#login", raise: login_required}]\neach: {in: li, content: {uid: a, url: "a::attr(href)"}}'
    )
    removed, login = page('<div class="removed">Weg &amp; fort</div>'), page('<form id="login"></form>')
    fails(tmp_path, {"/a": removed}, block, errors.NotFound, "Weg & fort", request="as: html")
    fails(tmp_path, {"/a": login}, block, errors.AuthenticationError, request="as: html")


# --- error bodies as a site with an envelope sends them


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        ({"data": {"error": "Not a picture"}, "success": False}, errors.RemoteError, "Not a picture"),
        ({"data": {"error": {"message": "Nope"}}, "success": False}, errors.RemoteError, "Nope"),
        ({"data": {"error": "Still nope"}, "success": True}, errors.RemoteError, "Still nope"),
        ({"data": {"error": "Imgur is over capacity"}, "success": False}, errors.RateLimited, "rate limited"),
        ({"data": {}, "success": False, "status": 1203}, errors.RateLimited, "rate limited"),
        ({"errors": [{"code": "429", "status": "Too many"}]}, errors.RateLimited, "rate limited"),
        ({"data": False, "success": False, "message": "Wartung"}, errors.RemoteError, "Wartung"),
    ],
)
def test_error_bodies_say_what_is_wrong_whatever_their_status(tmp_path, body, status, error, says):
    fails(tmp_path, {"/a": reply(body, status)}, BLOCK, error, says, top=SITE_ERRORS)


def test_a_page_in_place_of_an_error_body_counts_by_its_status(tmp_path):
    fails(tmp_path, {"/a": page("<h1>over capacity</h1>", 403)}, BLOCK, errors.Forbidden, top=SITE_ERRORS)


def test_a_rule_message_holds_no_secret(tmp_path):
    top = 'auth: {kind: key, headers: {X-Key: "{key}"}}\nerrors: [{when: error, raise: remote, message: error}]'
    routes = {"/a": reply({"error": "bad key sesame-0123456789"})}
    error = fails(tmp_path, routes, BLOCK, errors.RemoteError, "bad key", top=top, auth=("sesame-0123456789",))
    assert "sesame" not in str(error)


# --- bodies


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (page("<html><h1>Sign in</h1>"), "text/html beginning '<html><h1>Sign in</h1>' where json was expected"),
        (Reply(body=b""), "nothing where json was expected"),
        (Reply(body=b"  \n"), "nothing where json was expected"),
        (Reply(body=b'{"items": [1, 2'), "where json was expected"),
        (Reply(body=b'{"items": NaN}'), "NaN"),
        (Reply(body=b'{"items": -Infinity}'), "Infinity"),
        (Reply(body=b'{"items": [1e999]}'), "beyond all measure"),
        (Reply(body=b'{"a": "\\ud800"}'), "surrogate"),
        (Reply(body=b"[" * 100_000), "where json was expected"),
        (Reply(body=b"[" * 900 + b"]" * 900), "too deep"),
        (Reply(body=b'{"n": ' + b"9" * 5000 + b"}"), "where json was expected"),
        (Reply(body=b'{"a": "\xff"}'), "not UTF-8"),
    ],
)
def test_a_body_that_is_not_json_is_remote_and_says_what_came(tmp_path, body, says):
    error = fails(tmp_path, {"/a": body}, BLOCK, errors.RemoteError)
    assert says in str(error)


def test_a_body_that_is_not_the_declared_markup_is_remote(tmp_path):
    html = 'get: a\neach: {in: li, content: {uid: a, url: "a::attr(href)"}}'
    picture = Reply(headers={"Content-Type": "image/png"}, body=b"\x89PNG\r\n")
    fails(tmp_path, {"/a": picture}, html, errors.RemoteError, "image/png beginning .* where html", request="as: html")
    fails(tmp_path, {"/a": reply({"a": 1})}, html, errors.RemoteError, "application/json", request="as: html")
    fails(tmp_path, {"/a": page("<a><b></a>")}, html, errors.RemoteError, "where xml was expected", request="as: xml")


def test_an_entity_bomb_in_xml_is_not_expanded(tmp_path):
    bomb = '<!DOCTYPE a [<!ENTITY b "' + "x" * 1000 + '"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a><id>&c;</id></a>'
    block = 'get: a\neach: {in: a, content: {uid: {text: "1"}, title: id, url: {text: "/f"}}}'
    outcome = run(tmp_path, {"/a": page(bomb)}, block, request="as: xml")
    assert outcome.only.title == "&c;"


def test_json_with_a_byte_order_mark_or_in_utf_16_is_read(tmp_path):
    text = '{"items": [{"id": "é", "url": "/f"}]}'
    for body in (b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")):
        assert extract(tmp_path, {"/a": Reply(body=body)}, BLOCK).uids == ["é"]


def test_a_truncated_body_is_tried_again_and_then_an_error(tmp_path):
    whole = b'{"items": [{"id": "p1", "url": "/f"}]}'
    outcome = run(tmp_path, {"/a": Reply(body=whole, cut=10)}, BLOCK)
    assert isinstance(outcome.error, errors.NetworkError | errors.RemoteError)
    assert extract(tmp_path, {"/a": [Reply(body=whole, cut=10), Reply(body=whole)]}, BLOCK).uids == ["p1"]


def test_a_gigantic_body_is_refused(tmp_path):
    with at_work(tmp_path, {"/a": Reply(body=b" " * 30_000, framing="chunked")}, BLOCK) as (extractor, origin):
        extractor.session.max_body = 20_000
        with pytest.raises(errors.RemoteError, match="larger than"):
            list(extractor.extract(origin.url("/start")))


def test_a_gzip_bomb_is_refused(tmp_path):
    bomb = Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b" " * 11_000_000))
    fails(tmp_path, {"/a": bomb}, BLOCK, errors.RemoteError, "too large once decompressed")


def test_a_dripping_body_is_given_up(tmp_path):
    drip = Reply(body=b" " * 100_000, drip=0.02)
    with at_work(tmp_path, {"/a": drip}, f"post: a\n{PICTURES}") as (extractor, origin):
        extractor.session.max_seconds = 0.1
        with pytest.raises(errors.NetworkError, match="too slowly"):
            list(extractor.extract(origin.url("/start")))


def test_redirects_in_a_circle_end(tmp_path):
    fails(tmp_path, {"/a": redirect("/b"), "/b": redirect("/a")}, BLOCK, errors.RemoteError, "redirects")


def test_a_host_that_does_not_answer_is_a_network_error(tmp_path):
    with at_work(tmp_path, {}, BLOCK) as (extractor, origin):
        url = origin.url("/start")
        origin.__exit__(None, None, None)
        with pytest.raises(errors.NetworkError):
            list(extractor.extract(url))


def test_a_page_that_is_nested_too_deep_is_remote_and_not_cut_off_in_silence(tmp_path):
    block = 'get: a\neach: {in: "ul > li", content: {uid: b, url: "a::attr(href)"}}'
    items = "<ul><li><b>1</b><a href=/1>x</a></ul>"
    assert extract(tmp_path, {"/a": page("<div>" * 1000 + items)}, block, request="as: html").uids == ["1"]
    deep = page(items + "<div>" * 100_000 + items)
    fails(tmp_path, {"/a": deep}, block, errors.RemoteError, "too deep", request="as: html")


def test_a_wait_is_told_to_who_listens(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "qetch"):
        extract(tmp_path, {"/a": [Reply(429, {"Retry-After": "30"}), pictures(1)]}, BLOCK)
    [record] = caplog.records
    assert re.fullmatch(r"127\.0\.0\.1:\d+: asked too often, waiting 30 s", record.message)
