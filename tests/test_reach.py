"""Credentials must be put into something, and a request must take it where it belongs, over https."""

from __future__ import annotations

import pytest

from tests.one_handle import HTML, JSON, problems

CALL = 'get: "p/{id}"\ncontent: {uid: id, url: link}'
KEY = 'auth: {kind: key, headers: {X-Key: "{key}"}}\n'
NAMED = 'auth: {kind: key, domains: [login.pictures.example], headers: {X-Key: "{key}"}}\n'
LOGIN = 'token: {post: "https://login.pictures.example/t", form: {k: "{key}"}, read: t}'
UNASKED = "6:29: no request goes to login.pictures.example - the hosts that are asked: "


def with_base(base: str) -> str:
    return JSON.replace("https://api.pictures.example/v1/", base)


@pytest.mark.parametrize(
    "auth",
    [
        "{kind: none}",
        "{kind: cookies}",
        "{kind: basic}",
        '{kind: basic, query: {login: "{username}", pass: "{password}"}}',
        '{kind: oauth, headers: {A: "Client-ID {key}"}}',
        '{kind: oauth, headers: {A: "{token}"}, token: {post: t, json: {a: ["{key}", "{secret}"]}, read: t}}',
        '{kind: none, headers: {A: "{token}"}, token: {get: t, read: t}}',
    ],
)
def test_a_secret_that_something_uses_is_no_problem(auth: str) -> None:
    assert problems(CALL, f"{JSON}auth: {auth}\n") == []


@pytest.mark.parametrize("base", ["http://127.0.0.1:8080/", "http://localhost/api/", "http://[::1]:1/"])
def test_credentials_go_to_this_machine_over_http(base: str) -> None:
    assert problems(CALL, with_base(base) + KEY) == []


@pytest.mark.parametrize("base", ["http://api.pictures.example/", "http://{host}/"])
def test_credentials_go_nowhere_else_over_http(base: str) -> None:
    wrong = ["5:27: credentials go over https alone - write https://, or remove `auth`"]
    assert problems(CALL, with_base(base) + KEY) == wrong
    assert problems(CALL, with_base(base) + "auth: {kind: none}\n") == []


def test_an_instance_without_a_base_of_its_own_is_no_second_mistake() -> None:
    top = with_base("http://api.pictures.example/") + "instances: {board.example: {}}\n" + KEY
    assert len(problems(CALL, top)) == 1


@pytest.mark.parametrize(
    ("body", "hosts"),
    [
        (CALL, "api.pictures.example"),
        (CALL.replace("p/", "https://www.pictures.example/p/"), "www.pictures.example"),
        (
            'get: "p/{id}"\nthen: {post: "https://b.example", content: {uid: a, url: b}}',
            "api.pictures.example, b.example",
        ),
    ],
)
def test_a_host_of_auth_that_no_request_goes_to_is_said(body: str, hosts: str) -> None:
    assert problems(body, JSON + NAMED) == [UNASKED + hosts]


@pytest.mark.parametrize(
    "body",
    [
        CALL.replace("p/", "https://login.pictures.example/p/"),
        CALL.replace("p/", "https://{host}/p/"),
        f"{CALL}\npages: {{next: next}}",
        'get: "p/{id}"\nlet: {more: more}\nthen: {get: "{more}", content: {uid: a, url: b}}',
        'get: "p/{id}"\ncontent: {uid: a, renditions: {in: b, name: c, get: "https://login.pictures.example", url: d}}',
    ],
)
def test_a_host_of_auth_that_a_request_may_go_to_is_not(body: str) -> None:
    assert problems(body, JSON + NAMED) == []


def test_the_requests_for_a_token_are_requests() -> None:
    auth = NAMED.replace("{key}", "{token}").replace("}}", f"}}, {LOGIN}}}")
    assert problems(CALL, JSON + auth) == []


def test_a_name_that_is_wrong_makes_nothing_else_wrong() -> None:
    body = """
get: "p/{id}"
let:
  state: {css: "script[", parse: json}
  deep: {of: state, jmespath: a}
each:
  of: deep
  in: items
  let: {no: no}
  content: {uid: {text: "{no}"}, title: {jmespath: a, parse: html}, url: {jmespath: link}, metadata: "@"}
"""
    assert [problem.partition(": ")[2][:16] for problem in problems(body, HTML)] == ["bad CSS selector"]
    assert problems(body.replace("script[", "script::text"), HTML) == []
