"""The network adapter: private addresses, dead sites, rates, and every way not to answer."""

from __future__ import annotations

import io
import socket
import threading

import pytest
import requests

from qetch import errors
from qetch.network import Pace, cut_off
from qetch.policy import Policy, addresses_of, target_of
from qetch.session import Session
from tests.origin import Origin, Reply, redirect
from tests.sessions import HERE, SECRET, plain_environment


@pytest.fixture(autouse=True)
def _plain(monkeypatch, tmp_path):
    plain_environment(monkeypatch, tmp_path)


@pytest.fixture
def session():
    with Session(HERE) as made:
        yield made


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"HTTP/1.1 wat\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"",
    ],
)
def test_an_answer_that_is_not_http_is_an_error_of_ours(session, raw):
    with Origin({"/": raw}) as origin, pytest.raises((errors.RemoteError, errors.NetworkError)) as caught:
        session.fetch("GET", origin.url())
    assert str(caught.value).startswith(origin.url())


def test_a_host_that_does_not_answer_in_time_is_a_network_error(session, monkeypatch):
    monkeypatch.setattr("qetch.network.READ_SECONDS", 0.1)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(errors.NetworkError, match="did not answer in time"),
    ):
        session.fetch("GET", f"http://127.0.0.1:{silent.getsockname()[1]}/")


@pytest.mark.parametrize("head", ["HTTP/1.1 200 OK\r\n" + "X: y\r\n" * 90, "H", "HTTP/1.1 100 Continue\r\n\r\n" * 500])
def test_a_dripping_head_is_given_up(session, monkeypatch, head):
    def drip(request):
        for at in range(0, len(head), 5):
            stop.wait(0.02)
            yield head[at : at + 5].encode()
        stop.wait()

    stop = threading.Event()
    monkeypatch.setattr("qetch.network.HEAD_SECONDS", 0.2)
    with Origin({"/": drip}) as origin:
        try:
            with pytest.raises(errors.NetworkError, match="in time"):
                session.fetch("GET", origin.url())
        finally:
            stop.set()


def test_a_closed_port_is_a_network_error(session):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(errors.NetworkError, match="does not accept a connection"):
        session.fetch("GET", f"http://127.0.0.1:{port}/")


def test_plain_http_where_tls_is_expected_is_a_network_error(session):
    with Origin({"*": Reply()}) as origin, pytest.raises(errors.NetworkError, match=r"TLS|connection"):
        session.fetch("GET", origin.url().replace("http:", "https:"))


def test_a_host_that_does_not_exist_is_a_network_error():
    with Session() as session, pytest.raises(errors.NetworkError, match="no such host"):
        session.fetch("GET", "http://nothing.invalid/")


def test_a_missing_bundle_of_certificates_is_a_file_error(session, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    with pytest.raises(errors.FileError, match="REQUESTS_CA_BUNDLE"):
        session.fetch("GET", "https://127.0.0.1:1/")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0x7f.1",
        "2130706433",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[fc00::1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[::]",
    ],
)
def test_private_addresses_are_refused_by_the_network(host):
    with Session() as session, pytest.raises((errors.AddressRefused, errors.NetworkError)) as caught:
        session.fetch("GET", f"http://{host}/")
    assert isinstance(caught.value, errors.AddressRefused) or ":" in host  # without IPv6 such a host has no address


def test_a_private_address_is_said_once():
    with Session() as session, pytest.raises(errors.AddressRefused) as caught:
        session.fetch("GET", "http://127.0.0.1/")
    assert str(caught.value).startswith("127.0.0.1 is a private address - if")


def test_a_redirect_to_a_private_address_is_refused():
    with Session(Policy(private_hosts=frozenset({"127.0.0.1"}))) as session, Origin(host="127.0.0.2") as inner:
        origin = Origin({"/": redirect(inner.url("/"))})
        with origin, pytest.raises(errors.AddressRefused, match="allow-private"):
            session.fetch("GET", origin.url())
    assert not inner.requests


def test_private_addresses_are_asked_once_the_user_allows_them():
    with Session() as session, Origin({"/": Reply()}) as origin:
        with pytest.raises(errors.AddressRefused):
            session.fetch("GET", origin.url())
        session.allow_private = True
        assert session.fetch("GET", origin.url()).status == 200
        assert session.fetch("GET", origin.url(host="localhost")).status == 200


def test_behind_a_proxy_only_literal_addresses_are_judged(monkeypatch):
    with Session() as session, Origin({"*": Reply(body="by proxy")}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url())
        assert session.fetch("GET", "http://nothing.invalid/x").text == "by proxy"
        assert proxy.paths == ["http://nothing.invalid/x"]
        for host in ("127.0.0.1", "localhost", "0x7f.1"):
            with pytest.raises(errors.AddressRefused):
                session.fetch("GET", f"http://{host}/")
    assert addresses_of(target_of("http://nothing.invalid/"), literal_only=True) == []


def test_a_proxy_that_does_not_work_is_named(monkeypatch):
    with Session() as session, socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("http_proxy", f"http://me:{SECRET}@127.0.0.1:{server.getsockname()[1]}")
        server.close()
        with pytest.raises(errors.NetworkError, match="proxy") as caught:
            session.fetch("GET", "http://nothing.invalid/x")
    assert SECRET not in str(caught.value)


def test_a_pace_lets_so_many_pass_and_makes_the_next_wait():
    pace = Pace(2, 10.0)
    assert [pace.reserve(now) for now in (100.0, 101.0, 102.0, 103.0, 125.0)] == [0.0, 0.0, 8.0, 8.0, 0.0]


def test_the_rate_counts_over_all_sessions_of_a_site(monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    policy = Policy(name="paced here", rate=(1, 1000.0))
    with Origin({"/": Reply()}) as origin:
        for name in ("paced here", "paced here", "another"):
            with Session(policy) as session:
                session.allow_private = True
                session.policy = Policy(name=name, rate=(1, 1000.0))
                session.fetch("GET", origin.url())
    assert len(slept) == 1
    assert 990 < slept[0] <= 1000


def test_a_dead_site_is_refused_with_its_note():
    with (
        Session(Policy(name="dead", closed="closed in 2023")) as session,
        pytest.raises(errors.SiteClosed, match=r"dead.* closed in 2023"),
    ):
        session.fetch("GET", "https://a.example/")


def test_a_read_that_waits_is_cut_off_by_another_thread(session):
    def silent(request):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"
        hold.wait()

    hold = threading.Event()
    with Origin({"/": silent}) as origin:
        try:
            with session.get(origin.url(), stream=True, timeout=600) as response:
                threading.Timer(0.1, cut_off, [response]).start()
                with pytest.raises(requests.exceptions.RequestException):
                    list(response.iter_content(9))
        finally:
            hold.set()


def test_an_answer_that_no_connection_brings_is_left_as_it_is(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    response = requests.Response()
    cut_off(response)
    response.raw = io.BytesIO(b"abc")
    cut_off(response)
    with (tmp_path / "a").open("rb") as response.raw:
        cut_off(response)
        assert response.raw.read() == b"abc"
