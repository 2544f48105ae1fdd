"""Credentials reach their hosts and nobody else."""

from __future__ import annotations

import socket

import pytest
import requests

from qetch import errors
from qetch.credentials import Credentials
from qetch.policy import Policy
from qetch.session import Session, mount_replay
from tests.origin import Origin, Reply, redirect
from tests.sessions import HERE, SECRET, Recorder, keyed, plain_environment, seen_secret


@pytest.fixture(autouse=True)
def _plain(monkeypatch, tmp_path):
    plain_environment(monkeypatch, tmp_path)


@pytest.fixture
def session():
    with Session(HERE) as made:
        yield made


def test_credentials_reach_their_host_in_headers_query_and_cookies(session):
    session.credentials = keyed("127.0.0.1", headers={"X-Key": SECRET}, query={"key": SECRET}, cookies={"sid": SECRET})
    with Origin({"/": Reply()}) as origin:
        answer = session.fetch("GET", origin.url("/?a=1&key=other"), cookies={"mine": "1", "sid": "old"})
    request = origin.requests[0]
    assert request.path == f"/?a=1&key=other&key={SECRET}"
    assert (request.headers["X-Key"], request.headers["Cookie"]) == (SECRET, f"mine=1; sid={SECRET}")
    assert SECRET not in answer.url + answer.request_url
    assert SECRET not in repr(session.credentials)


@pytest.mark.parametrize("kind", ["headers", "query", "cookies"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_do_not_follow_a_redirect_to_another_host(kind, status):
    policy = Policy(private_hosts=frozenset({"127.0.0.1", "127.0.0.2"}))
    given = (
        {"headers": {"Authorization": SECRET, "X-Api-Key": SECRET}} if kind == "headers" else {kind: {"key": SECRET}}
    )
    with Session(policy) as session, Origin({"*": redirect("/y")}, host="127.0.0.2") as foreign:
        foreign.routes["/y"] = Reply()
        with Origin({"/": redirect(foreign.url("/x"), status)}) as origin:
            session.credentials = keyed("127.0.0.1", **given)
            for method in ("GET", "POST"):
                session.fetch(method, origin.url(), data={"a": "b"} if method == "POST" else None)
                session.request(method, origin.url())
    assert len(seen_secret(origin)) == 4
    assert len(foreign.requests) == 8
    assert not seen_secret(foreign)


def test_credentials_come_back_with_the_request_to_their_host():
    with Session() as session, Origin(host="127.0.0.2") as foreign, Origin({"/z": Reply()}) as origin:
        session.allow_private = True
        session.credentials = keyed(f"127.0.0.1:{origin.port}")
        foreign.routes["/y"] = redirect(origin.url("/z"))
        origin.routes["/"] = redirect(foreign.url("/y"))
        session.fetch("GET", origin.url())
    assert [bool(SECRET in str(request)) for request in [*origin.requests, *foreign.requests]] == [True, True, False]


def test_a_site_that_reflects_a_key_does_not_send_it_elsewhere():
    with Session() as session, Origin({"*": Reply()}, host="127.0.0.2") as foreign:
        session.allow_private = True
        session.credentials = keyed("127.0.0.1", query={"key": SECRET})
        with Origin({"/": lambda request: redirect(foreign.url(request.path + "&k2=" + SECRET))}) as origin:
            session.fetch("GET", origin.url("/?a=1"))
    assert foreign.paths == ["/?a=1"]


def test_credentials_go_over_https_or_to_this_machine_only():
    recorder = Recorder()
    with Session() as session:
        mount_replay(session, recorder)
        session.credentials = keyed("api.good.example", "localhost")
        for url in (
            "https://api.good.example/",
            "http://api.good.example/",
            "https://good.example/",
            "http://localhost/",
        ):
            session.fetch("GET", url)
    assert ["X-Api-Key" in request.headers for request in recorder.seen] == [True, False, False, True]


def test_the_callers_own_request_is_left_as_it_was(session):
    session.credentials = keyed("127.0.0.1", headers={"X-Key": SECRET}, query={"key": SECRET})
    with Origin({"/": Reply()}) as origin:
        prepared = session.prepare_request(requests.Request("GET", origin.url()))
        session.send(prepared)
    assert seen_secret(origin)
    assert prepared.url == origin.url()
    assert "X-Key" not in prepared.headers


def test_cookies_of_one_request_do_not_follow_a_redirect_to_another_host():
    with Session() as session, Origin({"*": redirect("/y")}, host="127.0.0.2") as foreign:
        foreign.routes["/y"] = Reply()
        session.allow_private = True
        with Origin({"/": redirect("/again"), "/again": redirect(foreign.url("/x"))}) as origin:
            session.fetch("GET", origin.url(), cookies={"sid": SECRET}, headers={"Authorization": SECRET})
    assert [request.headers.get("Cookie") for request in origin.requests] == [f"sid={SECRET}"] * 2
    assert len(foreign.requests) == 2
    assert not seen_secret(foreign)


def test_netrc_is_never_asked(session, tmp_path):
    (tmp_path / ".netrc").write_text("default login me password sesame\n")
    (tmp_path / ".netrc").chmod(0o600)
    session.credentials = keyed("127.0.0.1", headers={"Authorization": "Bearer mine"})
    with Origin({"/": redirect("/x"), "/x": Reply()}) as origin:
        session.fetch("GET", origin.url())
        session.credentials = None
        session.get(origin.url())
        session.auth = None
        session.get(origin.url())
        assert requests.get(origin.url(), timeout=9).request.headers["Authorization"].startswith("Basic")
    assert [request.headers.get("Authorization") for request in origin.requests[:6]] == ["Bearer mine"] * 2 + [None] * 4


def test_no_message_holds_a_secret():
    texts = []
    with Session() as session, socket.create_server(("127.0.0.1", 0)) as server:
        session.allow_private = True
        port = server.getsockname()[1]
        server.close()
        session.credentials = keyed("127.0.0.1", query={"key": SECRET})
        with Origin(
            {"/loop": redirect("/loop"), "/cut": Reply(body="x" * 9, cut=1), "/ftp": redirect("ftp://x/")}
        ) as origin:
            urls = [origin.url(path) for path in ("/loop", "/cut", "/ftp")]
            for url in [*urls, f"http://127.0.0.1:{port}/", f"ftp://x/{SECRET}", f"http://[{SECRET}"]:
                with pytest.raises(errors.QetchError) as caught:
                    session.fetch("GET", url, query={"note": SECRET})
                texts += [str(caught.value), repr(caught.value.__cause__)]
    assert not [text for text in texts if SECRET in text]


def test_secrets_are_redacted_plain_and_percent_encoded(session):
    session.credentials = Credentials(frozenset(), headers={"A": "Basic c2VzYW1l"}, secrets=("a/b c", "a/b c d"))
    told = session.redact("x a/b c d, a%2Fb%20c, a/b%20c, a%2Fb+c, Basic c2VzYW1l")
    assert told == "x ***, ***, ***, ***, ***"
    assert Session().redact("a/b c") == "a/b c"
