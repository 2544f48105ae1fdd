"""Plain answers: parsed strictly or left to the library, over connections that are used again, and never other bytes."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import select
import socket
import ssl
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests
import vcr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.util import parse_url

from qetch import network, wire
from qetch.downloaders import HTTPDownloader, Settings
from qetch.downloaders._plain import PlainRoad, connect
from qetch.errors import AddressRefused, InvalidURL, NetworkError, NotFound, RemoteError
from qetch.heads import Framing, Headers, framing_of, parse_head
from qetch.line import Line
from qetch.network import NetworkAdapter
from qetch.policy import PLAIN_URL, Policy, Target, target_of
from qetch.session import Session
from qetch.wire import Answer, Stale, Wire
from tests.downloads import BODY, PNG, content
from tests.origin import Origin, Reply, Request, ranged, redirect
from tests.proxy import Proxy
from tests.secure import Authority
from tests.sessions import Recorder, plain_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLACE = ("http", "files.example", 80, True)
GOOD = b'HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: image/png\r\nContent-Length: 5\r\nETag: "a"\r\n\r\nhello'


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    plain_environment(monkeypatch, tmp_path_factory.mktemp("home"))


# Heads


def test_a_head_is_its_status_and_fields() -> None:
    head = parse_head(b'HTTP/1.1 206 Partial Content\r\nETag:\t "a b" \r\nX-List: 1\r\nx-list:\r\nX-LIST: 3\r\nA:\xe9')
    assert head is not None
    assert (head.status, head.reason) == (206, "Partial Content")
    assert head.fields == {"etag": '"a b"', "x-list": "1, , 3", "a": "é"}
    assert parse_head(b"HTTP/1.1 200") == (200, "", {})
    assert parse_head(b"HTTP/1.1 200 ") == (200, "", {})


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.0 200 OK",
        b"HTTP/2 200 OK",
        b"http/1.1 200 OK",
        b" HTTP/1.1 200 OK",
        b"\r\nHTTP/1.1 200 OK",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 600 What",
        b"HTTP/1.1 \xb2\xb2\xb2 OK",
        b"HTTP/1.1 200 O\x00K",
        b"HTTP/1.1 200 OK\n",
        b"HTTP/1.1 200 OK\r",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nno colon",
        b"HTTP/1.1 200 OK\r\n: no name",
        b"HTTP/1.1 200 OK\r\nName : blank before the colon",
        b"HTTP/1.1 200 OK\r\n Name: blank before the name",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded",
        b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nB: c",
        b"HTTP/1.1 200 OK\r\nA: b\nB: c",
        b"HTTP/1.1 200 OK\r\nA: b\rB: c",
        b"HTTP/1.1 200 OK\r\nA: b\x00",
        b"HTTP/1.1 200 OK\r\nA: \x7f",
        b"HTTP/1.1 200 OK\r\n\xe9: b",
        b"HTTP/1.1 200 OK\r\nA(: b",
        b"HTTP/1.1 200 OK" + b"\r\nA: b" * 101,
    ],
)
def test_a_head_that_is_not_right_in_every_point_is_none(head: bytes) -> None:
    assert parse_head(head) is None


TOKEN = st.text("!#$%&'*+.^_`|~0123456789abcXYZ-", min_size=1, max_size=20)
VALUE = st.text([chr(code) for code in (9, *range(32, 127), *range(128, 256))], max_size=40)


@given(st.integers(200, 599), VALUE, st.lists(st.tuples(TOKEN, VALUE), max_size=100))
def test_every_proper_head_is_understood(status: int, reason: str, fields: list[tuple[str, str]]) -> None:
    text = f"HTTP/1.1 {status} {reason}" + "".join(f"\r\n{name}:{value}" for name, value in fields)
    head = parse_head(text.encode("latin-1"))
    assert head is not None
    assert (head.status, head.reason) == (status, reason)
    expected: dict[str, list[str]] = {}
    for name, value in fields:
        expected.setdefault(name.lower(), []).append(value.strip(" \t"))
    assert head.fields == {name: ", ".join(values) for name, values in expected.items()}


@given(
    st.binary(max_size=300)
    | st.tuples(st.integers(0, len(GOOD) - 1), st.binary(max_size=3)).map(
        lambda change: GOOD[: change[0]] + change[1] + GOOD[change[0] + 1 :]
    )
)
def test_no_head_is_understood_in_another_way_than_it_is_written(head: bytes) -> None:
    found = parse_head(head)
    if found is not None:
        lines = head.decode("latin-1").split("\r\n")
        assert lines[0].split(" ")[1] == str(found.status)
        assert len(lines) - 1 >= len(found.fields)
        assert {line.partition(":")[0].lower() for line in lines[1:]} == found.fields.keys()
        assert not any(set("\r\n\0") & set(name + value) for name, value in found.fields.items())


def test_a_head_of_any_length_is_judged_in_no_time() -> None:
    for filling in (b"a", b" ", b"a:", b"\r\n", b"\r\na:", b"\xff"):
        assert parse_head(b"HTTP/1.1 200 " + filling * 30_000 + b"\x00") is None


@pytest.mark.parametrize(
    ("text", "framing"),
    [
        (b"200 OK\r\nContent-Length: 5", Framing(5, keep=True)),
        (b"200 OK\r\nContent-Length: 0", Framing(0, keep=True)),
        (b"206 OK\r\nContent-Length: 5\r\nConnection: keep-alive", Framing(5, keep=True)),
        (b"200 OK\r\nContent-Length: 5\r\nConnection: foo, Close", Framing(5, keep=False)),
        (b"200 OK\r\nContent-Length: 5\r\nContent-Encoding: identity", Framing(5, keep=True)),
        (b"404 No\r\nContent-Length: 5", Framing(5, keep=True)),
        (b"404 No\r\nTransfer-Encoding: chunked", Framing(0, keep=False)),
        (b"503 No", Framing(0, keep=False)),
        (b"503 No\r\nContent-Encoding: gzip\r\nContent-Length: 5", Framing(5, keep=True)),
        (b"200 OK", None),
        (b"200 OK\r\nContent-Length: ", None),
        (b"200 OK\r\nContent-Length: -5", None),
        (b"200 OK\r\nContent-Length: +5", None),
        (b"200 OK\r\nContent-Length: 5, 5", None),
        (b"200 OK\r\nContent-Length: 5\r\nContent-Length: 5", None),
        (b"200 OK\r\nContent-Length: \xb2", None),
        (b"200 OK\r\nContent-Length: " + b"9" * 19, None),
        (b"200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", None),
        (b"200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: identity", None),
        (b"200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip", None),
        (b"200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b", None),
        (b"404 No\r\nContent-Length: 5\r\nSet-Cookie: a=b", None),
        (b"204 No\r\nContent-Length: 5", None),
        (b"304 No\r\nContent-Length: 5", None),
        (b"302 No\r\nContent-Length: 5\r\nLocation: /", None),
        (b"407 No\r\nContent-Length: 5", None),
    ],
)
def test_only_a_body_of_a_known_length_is_plain(text: bytes, framing: Framing | None) -> None:
    head = parse_head(b"HTTP/1.1 " + text)
    assert head is not None
    assert framing_of(head) == framing


def test_headers_are_found_in_whatever_case() -> None:
    headers = Headers({"etag": "x", "content-length": "5"})
    assert (headers["ETag"], headers.get("Content-Length"), headers.get("nothing", "?")) == ("x", "5", "?")
    assert "CONTENT-LENGTH" in headers
    assert "nothing" not in headers
    assert dict(headers) == {"etag": "x", "content-length": "5"}
    assert len(headers) == 2
    assert "etag" in repr(headers)


# Answers


def pair() -> tuple[Line, socket.socket]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    return Line(ours, public=True), theirs


def begun(answer: Answer, line: Line) -> bool:
    """Whether an answer is plain, whose head is waited for in one of the two ways."""
    if random.random() < 0.5:
        return answer.begin(line, 20.0, 20.0)
    answer.send(line, 20.0)
    while not answer.look():
        assert select.select([answer], [], [], 20)[0]
    return answer.receive(20.0, 20.0)


def sent(pieces: list[bytes]) -> tuple[bytes | type[Exception] | None, bool]:
    """What is understood of some bytes, after which the connection ends; and whether it would be kept otherwise."""
    line, theirs = pair()
    kept = Wire()

    def send() -> None:
        with theirs, contextlib.suppress(OSError):  # nobody need take all of it
            for piece in pieces:
                theirs.sendall(piece)
            theirs.shutdown(socket.SHUT_WR)
            while theirs.recv(1000):
                pass

    thread = threading.Thread(target=send)
    thread.start()
    body = b""
    try:
        with Answer(kept, PLACE, "http://files.example/", b"GET / HTTP/1.1\r\n\r\n") as answer:
            if not begun(answer, line):
                return None, False
            while piece := random.choice((answer.read, answer.read1))(random.randrange(1, 9)):
                body += piece
    except HTTPError as error:
        return type(error), False
    finally:
        found = [line] == kept._idle.get(PLACE)
        line.shut()
        thread.join(20)
        kept.close()
        line.close()
    return body, found


def test_the_bytes_of_the_body_come_however_they_are_cut() -> None:
    for cut in range(1, len(GOOD)):
        assert sent([GOOD[:cut], GOOD[cut:]])[0] == b"hello"
    assert sent([bytes([byte]) for byte in GOOD])[0] == b"hello"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 206 OK\r\n", b"HTTP/1.1 404 No\r\n", b"HTTP/1.1 100 Go\r\n\r\n",
                b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length: 99\r\n", b"A: b\r\n", b"A:b\n",
                b"Transfer-Encoding: chunked\r\n", b"Set-Cookie: a\r\n", b"\r\n", b"\r\n\r\n", b"\r", b"\n", b" ",
                b"5\r\nhello\r\n", b"hello", b"h", b"\x00", b"\xff",
            ]
        )
        | st.binary(max_size=5),
        max_size=9,
    )
)  # fmt: skip
@example([GOOD])
@example([GOOD, b"HTTP/1.1 200 OK"])
@example([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
@example([b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, b"\r\n\r\n"])
def test_any_bytes_are_a_plain_answer_or_none_and_never_another_body(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    body, kept = sent(pieces)
    head, end, rest = data.partition(b"\r\n\r\n")
    if isinstance(body, bytes):
        found = parse_head(head)
        assert end
        assert found is not None
        framing = framing_of(found)
        assert framing is not None
        assert body == rest[: framing.length]
        assert not kept or (framing.keep and len(rest) >= framing.length)
    elif isinstance(body, type):
        assert not data


def test_bytes_behind_the_body_end_the_connection() -> None:
    assert sent([GOOD + b"more"]) == (b"hello", False)
    assert sent([GOOD]) == (b"hello", True)


def test_a_host_that_says_nothing_is_waited_for_as_long_as_is_wanted() -> None:
    line, theirs = pair()
    with theirs, Answer(Wire(), PLACE, "http://files.example/", b"x") as answer:
        with pytest.raises(ProtocolError) as caught:
            answer.begin(line, 0.01, 20.0)
        assert isinstance(caught.value.args[1], TimeoutError)
    line, theirs = pair()
    with theirs, Answer(Wire(), PLACE, "http://files.example/", b"x") as answer:
        theirs.sendall(GOOD[:-2])
        assert answer.begin(line, 0.01, 20.0)
        assert bytes(answer.read(99)) == b"hel"
        with pytest.raises(ProtocolError):
            answer.read(99)


def test_a_head_that_drips_is_given_up() -> None:
    line, theirs = pair()
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.005):
            theirs.sendall(b"H")

    thread = threading.Thread(target=drip)
    thread.start()
    with theirs, Answer(Wire(), PLACE, "http://files.example/", b"x") as answer:
        try:
            with pytest.raises(ProtocolError) as caught:
                answer.begin(line, 20.0, 0.1)
            assert isinstance(caught.value.args[1], TimeoutError)
        finally:
            over.set()
            thread.join(20)


def test_an_answer_is_cut_whenever_that_is() -> None:
    line, theirs = pair()
    with theirs, Answer(Wire(), PLACE, "http://files.example/", b"x") as answer:
        answer.cut()
        with pytest.raises(ProtocolError):
            answer.begin(line, 20.0, 20.0)
    line, theirs = pair()
    with theirs, Answer(Wire(), PLACE, "http://files.example/", b"x") as answer:
        threading.Timer(0.02, answer.cut).start()
        with pytest.raises(ProtocolError):
            answer.begin(line, 600.0, 600.0)
    line, theirs = pair()
    kept = Wire()
    with theirs, Answer(kept, PLACE, "http://files.example/", b"GET / HTTP/1.1\r\n\r\n") as answer:
        theirs.sendall(GOOD[:-2])
        assert answer.begin(line, 600.0, 600.0)
        threading.Timer(0.02, answer.cut).start()
        assert b"".join(map(bytes, iter(lambda: bytes(answer.read(99)), b""))) == b"hel"
    assert kept.take(PLACE, bool) is None
    answer.cut()


# Connections


def test_a_kept_connection_that_is_closed_is_stale() -> None:
    for used, kind in ((True, Stale), (False, ProtocolError)):
        line, theirs = pair()
        line.used = used
        theirs.close()
        with Answer(Wire(), PLACE, "http://files.example/", b"x") as answer, pytest.raises(kind):
            answer.begin(line, 20.0, 20.0)


def test_connections_are_kept_up_to_a_number_and_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_IDLE", 3)
    kept, places = Wire(), [("http", f"{name}.example", 80, True) for name in "abcde"]
    lines = [pair() for _ in places]
    for place, (line, _) in zip(places, lines, strict=True):
        kept.give_back(place, line)
    assert [kept.take(place, bool) is not None for place in places] == [False, False, True, True, True]
    assert not kept._idle
    for line, theirs in lines:
        line.close()
        theirs.close()


def test_a_connection_that_ended_or_speaks_unasked_is_not_used_again() -> None:
    kept = Wire()
    for farewell in (b"HTTP/1.1 408 Bye\r\n\r\n", b""):
        line, theirs = pair()
        kept.give_back(PLACE, line)
        if farewell:
            theirs.sendall(farewell)
        theirs.close()
        assert kept.take(PLACE, bool) is None
    line, theirs = pair()
    kept.give_back(PLACE, line)
    assert kept.take(PLACE, bool) is line
    line.close()
    theirs.close()


UNASKED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"


@pytest.mark.parametrize("size", [10, 70_000, 300_000])
@pytest.mark.parametrize("wait", [0.0, 0.05])
@pytest.mark.parametrize("secure", [False, True])
def test_bytes_that_nobody_asked_for_are_never_a_file(
    tmp_path: Path, usual: Watch, size: int, wait: float, secure: bool
) -> None:
    authority, sent = Authority(tmp_path), threading.Event()

    def more(request: Request) -> Iterator[bytes]:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + BODY[:1] * size
        if wait:
            yield answer
            time.sleep(wait)
            yield UNASKED
        else:
            yield answer[:-4000]
            time.sleep(0.05)
            yield answer[-4000:] + UNASKED  # in the same record
        sent.set()

    answers: dict[str, Any] = {"/a": more, "/b": Reply(body=PNG)}
    with authority.origin(answers) if secure else Origin(answers) as origin:
        downloader = HTTPDownloader(settings=Settings(ca_file=authority.ca_file))
        assert get(tmp_path, origin.url("/a"), downloader) == BODY[:1] * size
        assert sent.wait(20)
        time.sleep(0.02)
        assert get(tmp_path, origin.url("/b"), downloader) == PNG
        assert len(origin.requests) == 2
    assert usual.urls == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_connection_over_tls_serves_many_requests(tmp_path: Path, usual: Watch, version: ssl.TLSVersion) -> None:
    """The tickets that a host sends for later are no bytes that nobody asked for."""
    authority = Authority(tmp_path)
    with authority.origin({"*": ranged(BODY)}) as origin:
        origin._context.minimum_version = origin._context.maximum_version = version
        downloader = HTTPDownloader(settings=Settings(ca_file=authority.ca_file))
        for number in range(20):
            assert get(tmp_path, origin.url(f"/{number}"), downloader) == BODY
        assert origin.connections == 1
    assert usual.urls == []


def test_a_connection_that_waits_needs_no_room() -> None:
    line, theirs = pair()
    with theirs:
        assert len(line.buffer(1000)) == 1000
        kept = Wire()
        kept.give_back(PLACE, line)
        assert len(line._buffer) == 0
        kept.close()


def test_who_waits_for_ever_is_not_held_to_an_earlier_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = Line(socket.create_connection(server.getsockname()), public=True)
        theirs, _ = server.accept()
    with theirs:
        line.wait_up_to(0.01)
        with pytest.raises(OSError, match=r"temporarily|timed out"):
            line.connection.recv(1)
        line.wait_up_to(None)
        threading.Timer(0.1, theirs.sendall, (b"x",)).start()
        assert line.connection.recv(1) == b"x"
        line.close()


def test_some_bytes_are_not_kept_from_who_reads_by_those_that_drip() -> None:
    line, theirs = pair()
    over = threading.Event()

    def drip() -> None:
        for _ in range(400):
            if over.wait(0.005):
                return
            theirs.sendall(b"x")
        theirs.sendall(bytes(90_000))

    thread = threading.Thread(target=drip)
    with theirs, Answer(Wire(), PLACE, "http://files.example/", b"x") as answer:
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        assert answer.begin(line, 20.0, 20.0)
        thread.start()
        try:
            assert 0 < len(answer.read(90_000)) < 90_000
        finally:
            over.set()
            thread.join(20)


def test_a_connection_to_a_private_address_is_used_by_none_but_those_who_may() -> None:
    kept = Wire()
    ours, theirs = socket.socketpair()
    kept.give_back(PLACE, Line(ours, public=False))
    assert kept.take(PLACE, lambda: False) is None
    assert kept.take(PLACE, lambda: True) is not None
    ours.close()
    theirs.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_connections_are_not_used_by_another_process() -> None:
    kept = Wire()
    line, theirs = pair()
    kept.give_back(PLACE, line)
    child = os.fork()
    if not child:
        os._exit(0 if kept.take(PLACE, bool) is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert kept.take(PLACE, bool) is line
    line.close()
    theirs.close()


def test_a_host_that_is_not_plain_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Wire()
    assert kept.takes(PLACE)
    kept.strike(PLACE)
    assert kept.takes(PLACE)
    kept.strike(PLACE)
    assert not kept.takes(PLACE)
    for _ in range(wire.FORGIVEN):
        assert not kept.takes(PLACE)
        kept.praise(PLACE)
    assert kept.takes(PLACE)
    kept.strike(PLACE)
    assert not kept.takes(PLACE)
    for _ in range(2 * wire.FORGIVEN):
        kept.praise(PLACE)
    assert not kept._crooked
    kept.praise(PLACE)
    monkeypatch.setattr(wire, "BELIEF", 0.0)
    kept.strike(PLACE, 9)
    assert kept.takes(PLACE)
    monkeypatch.setattr(wire, "MOST_BELIEFS", 2)
    for name in "abc":
        kept.strike(("http", name, 80, True))
    assert len(kept._crooked) == 2


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that says something else a moment later gains nothing."""
    public, asked = "93.184.216.34", []

    def answers(host: str, *args: Any, **more: Any) -> Any:
        asked.append(host)
        address = public if host == "rebound.example" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, args[0]))]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    reached: list[str] = []

    def reach(self: Any) -> None:
        reached.append(self.host)
        raise OSError(101, "no network here")

    monkeypatch.setattr("urllib3.connection.HTTPConnection.connect", reach)
    with pytest.raises(OSError, match="no network"):
        connect(target_of("http://rebound.example/"), None, 1.0, private=False)
    assert reached == [public]
    assert asked == ["rebound.example"]
    public = "127.0.0.1"
    with pytest.raises(AddressRefused):
        connect(target_of("http://rebound.example/"), None, 1.0, private=False)
    assert len(reached) == 1


def test_the_next_address_is_tried_if_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin:
        found = [(2, 1, 6, "", (address, origin.port)) for address in ("127.0.0.2", "127.0.0.1")]
        look_up = socket.getaddrinfo

        def answers(host: str, *args: Any, **more: Any) -> Any:
            return found if host == "two.example" else look_up(host, *args, **more)

        monkeypatch.setattr(socket, "getaddrinfo", answers)
        line = connect(target_of(f"http://two.example:{origin.port}/"), None, 5.0, private=True)
        assert line.connection.getpeername()[0] == "127.0.0.1"
        line.close()


# URLs


def library(url: str) -> str:
    """A URL as `requests` would send it."""
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    return parse_url(prepared.url or "").url


@given(
    st.sampled_from(
        [
            "a.b",
            "x",
            "a.b:80",
            "a.b:65535",
            "a.b:64999",
            "a.b:12345",
            "a.b:70000",
            "a.b:0",
            "127.0.0.1:8080",
            "a_b-c.de",
            "-x",
            "a..b",
            ".a",
            "A.b",
            "a.",
            "me@a",
        ]
    ),
    st.text("ab/09_~.-%:@!$&'()*+,;=?#[]A Üé\\|^\n\0", max_size=14),
)
def test_a_url_that_looks_plain_is_what_every_reader_reads(host: str, rest: str) -> None:
    url = f"http://{host}/{rest}"
    found = PLAIN_URL.fullmatch(url)
    if found:
        parsed = parse_url(url)
        port = parsed.port or 80
        assert library(url) == url == parsed.url
        assert target_of(url) == Target("http", parsed.host or "", port, url, found[4])
        assert found[4] == parsed.request_uri


@pytest.mark.parametrize(
    "url", ["http://a.b", "ftp://a.b/", "http://a.b/..", "http://a.b/./x", "http://a.b/a?", "HTTP://a.b/"]
)
def test_other_urls_are_not_plain(url: str) -> None:
    assert not PLAIN_URL.fullmatch(url)


# Downloads: who goes by the wire


class Watch:
    """What went by the library's road."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.urls: list[str] = []
        sending = NetworkAdapter.send

        def send(adapter: NetworkAdapter, request: requests.PreparedRequest, **more: Any) -> requests.Response:
            self.urls.append(request.url or "")
            return sending(adapter, request, **more)

        monkeypatch.setattr(NetworkAdapter, "send", send)


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


def get(folder: Path, url: str, downloader: HTTPDownloader | None = None, **more: Any) -> bytes:
    (downloader or HTTPDownloader()).download(content(url, **more), folder / "a")
    return (folder / "a").read_bytes()


def test_plain_files_come_over_one_connection_and_by_no_other_road(tmp_path: Path, usual: Watch) -> None:
    with Origin({"*": ranged(PNG, {"ETag": '"1"'})}) as origin:
        downloader = HTTPDownloader()
        for number in range(5):
            assert get(tmp_path, origin.url(f"/{number}?a=b"), downloader) == PNG
        assert origin.connections == 1
        assert len(origin.requests) == 5
    assert usual.urls == []


def test_a_request_says_the_same_on_both_roads(tmp_path: Path) -> None:
    heads = []
    for wired in (True, False):
        with Origin({"*": Reply(body=PNG)}) as origin:
            downloader = HTTPDownloader(settings=Settings(headers={"User-Agent": "Reader/1"}))
            if not wired:
                downloader.session.hooks["response"].append(lambda *_, **__: None)
            headers = {"Referer": "http://a.example/", "x-own": "1"}
            assert get(tmp_path, origin.url("/a?b=c"), downloader, headers=headers) == PNG
            (request,) = origin.requests
            heads.append({**dict(request.headers.items()), "path": request.path, "Host": ""})
    assert heads[0] == heads[1]
    assert list(heads[0]) == list(heads[1])


def test_large_files_come_by_the_wire_too(tmp_path: Path, usual: Watch) -> None:
    body = bytes(range(251)) * 30_000
    with Origin({"*": ranged(body, {"ETag": '"1"'})}) as origin:
        assert get(tmp_path, origin.url("/a")) == body
        assert len(origin.requests) > 2
    assert usual.urls == []


def test_files_over_tls_come_by_the_wire_if_the_host_proves_who_it_is(
    tmp_path: Path, usual: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    body = bytes(range(251)) * 30_000
    with authority.origin({"*": ranged(body, {"ETag": '"1"'})}) as origin:
        downloader = HTTPDownloader(settings=Settings(ca_file=authority.ca_file))
        for _ in range(2):
            assert get(tmp_path, origin.url("/a"), downloader) == body
        assert usual.urls == []
        with pytest.raises(NetworkError, match="identity"):
            get(tmp_path, origin.url("/a"))
        usual.urls.clear()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_file))
        assert get(tmp_path, origin.url("/a")) == body
        assert usual.urls == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=PNG, framing="chunked"),
        Reply(body=PNG, framing="close"),
        Reply(body=PNG, gzip=True),
        Reply(body=PNG, headers={"Set-Cookie": "a=b"}),
        b"HTTP/1.0 200 OK\r\nContent-Length: 308\r\n\r\n" + PNG,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 308\r\n\r\n" + PNG,
        b"HTTP/1.1 200 OK\nContent-Length: 308\n\n" + PNG,
    ],
)
def test_what_is_not_plain_comes_by_the_usual_road_and_soon_at_once(
    tmp_path: Path, usual: Watch, reply: Reply | bytes
) -> None:
    with Origin({"*": reply}) as origin:
        downloader = HTTPDownloader()
        for _ in range(4):
            assert get(tmp_path, origin.url("/a"), downloader) == PNG
        assert len(usual.urls) == 4
        assert len(origin.requests) == 6


def test_a_host_of_which_every_second_answer_is_plain_is_soon_asked_by_the_usual_road(
    tmp_path: Path, usual: Watch
) -> None:
    with Origin({"/a": redirect("/b"), "/b": Reply(body=PNG)}) as origin:
        downloader = HTTPDownloader()
        for _ in range(10):
            for path in ("/a", "/b"):
                assert get(tmp_path, origin.url(path), downloader) == PNG
        assert len(origin.requests) == 30 + wire.STRIKES


def test_a_redirect_is_followed_by_the_usual_road(tmp_path: Path, usual: Watch) -> None:
    with Origin({"/a": redirect("/b"), "/b": Reply(body=PNG)}) as origin:
        assert get(tmp_path, origin.url("/a")) == PNG
        assert usual.urls == [origin.url("/a"), origin.url("/b")]


def test_an_error_is_asked_for_once_however_it_is_framed(tmp_path: Path, usual: Watch) -> None:
    for framing in ("length", "chunked", "close"):
        with Origin({"*": Reply(404, body="no", framing=framing)}) as origin:
            with pytest.raises(NotFound, match="404"):
                get(tmp_path, origin.url("/a"))
            assert len(origin.requests) == 1
    assert usual.urls == []


def hooked(session: requests.Session) -> None:
    session.hooks["response"].append(lambda *_, **__: None)


def cookied(session: requests.Session) -> None:
    session.cookies.set("a", "b", domain="127.0.0.1")


def mounted(session: requests.Session) -> None:
    session.mount("http://", HTTPAdapter())


CHANGES: dict[str, Callable[[Any], object]] = {
    "a hook": hooked,
    "a cookie": cookied,
    "an adapter": mounted,
    "an adapter for a longer prefix": lambda session: session.mount("http://127.0.0.1", NetworkAdapter(session)),
    "auth": lambda session: setattr(session, "auth", ("me", "word")),
    "a query": lambda session: session.params.update(a="b"),
    "a header": lambda session: session.headers.update({"X-Own": "1"}),
    "another Accept": lambda session: session.headers.update({"Accept": "image/*"}),
    "no verification": lambda session: setattr(session, "verify", False),
    "a proxy for others": lambda session: session.proxies.update(https="http://127.0.0.1:1"),
    "a cookie for every host": lambda session: session.cookies.set("a", "b"),
    "a cookie for names without a dot": lambda session: session.cookies.set("a", "b", domain=".local"),
    "a rate": lambda session: setattr(session, "policy", Policy(name="slow", rate=(1000, 1.0))),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_session_that_somebody_changed_sends_by_itself(tmp_path: Path, change: Callable[[Any], object]) -> None:
    seen: list[str] = []

    class Seen(Session):
        def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
            seen.append(request.url or "")
            return super().send(request, **more)

    with Origin({"*": Reply(body=PNG)}) as origin, Session() as session:
        session.allow_private = True
        downloader = HTTPDownloader(session)
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        asked: list[bool] = []
        road = downloader._plain
        assert road is not None
        change(session)
        asked.append(road.answer(None, origin.url("/a"), {}) is None)
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
    assert asked == [True]
    with Origin({"*": Reply(body=PNG)}) as origin, Seen() as session:
        assert get(tmp_path, origin.url("/a"), HTTPDownloader(session)) == PNG


def test_cookies_of_other_hosts_matter_not(tmp_path: Path, usual: Watch) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin:
        downloader = HTTPDownloader()
        downloader.session.cookies.set("a", "b", domain="other.example")
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        assert usual.urls == []
        downloader.session.cookies.set("a", "b", domain="localhost.local")
        assert get(tmp_path, origin.url("/a", host="localhost"), downloader) == PNG
        assert len(usual.urls) == 1


def replaced(owner: Callable[[Any], Any], name: str) -> Callable[[Any], object]:
    """Puts something that does the same in the place of a function."""

    def change(session: Any) -> None:
        holder = owner(session)
        old = getattr(holder, name)

        @functools.wraps(old)
        def new(*args: Any, **more: Any) -> Any:
            return old(*args, **more)

        setattr(holder, name, new)

    return change


@pytest.mark.parametrize("name", ["get", "request", "send", "get_adapter", "prepare_request"])
def test_a_session_whose_own_function_was_replaced_is_asked(tmp_path: Path, usual: Watch, name: str) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin:
        downloader = HTTPDownloader()
        replaced(lambda session: session, name)(downloader.session)
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        downloader = HTTPDownloader()
        replaced(lambda session: session.adapters["http://"], "send")(downloader.session)
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        assert len(usual.urls) == len(origin.requests) == 2


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (requests.Session, "get"),
        (requests.Session, "request"),
        (requests.Session, "send"),
        (requests.Session, "get_adapter"),
        (Session, "send"),
        (HTTPAdapter, "send"),
        (HTTPConnectionPool, "urlopen"),
    ],
)
def test_a_library_whose_function_was_replaced_is_asked(
    tmp_path: Path, usual: Watch, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    monkeypatch.setattr(owner, name, getattr(owner, name))  # to have it back
    replaced(lambda _: owner, name)(None)
    with Origin({"*": Reply(body=PNG)}) as origin:
        assert get(tmp_path, origin.url("/a")) == PNG
        assert len(usual.urls) == len(origin.requests) == 1


def test_a_content_whose_headers_name_a_part_goes_by_the_usual_road(tmp_path: Path, usual: Watch) -> None:
    with Origin({"*": ranged(PNG)}) as origin:
        for name, value in (("Range", "bytes=0-4"), ("If-Range", '"x"')):
            assert get(tmp_path, origin.url("/a"), headers={name: value}) == PNG
        assert len(usual.urls) == len(origin.requests) == 2
        assert not any("," in request.headers["Range"] for request in origin.requests)


def test_a_validator_that_would_be_another_header_is_not_sent() -> None:
    downloader = HTTPDownloader()
    road = PlainRoad(cast("Session", downloader.session), downloader.settings, (20.0, 20.0))
    url = "http://files.example/a"
    assert road.answer(None, url, {"If-Range": '"a"'}) is not None
    for text in ('"a"\r\nX: b', "\t", '"é"', ' "a"'):
        assert road.answer(None, url, {"If-Range": text}) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "é"},
        {"X": "a\tb"},
        {"X": " a"},
        {"Host": "b"},
        {"Connection": "close"},
    ],
)
def test_unusual_headers_go_by_the_usual_road(tmp_path: Path, usual: Watch, headers: dict[str, str]) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin:
        with contextlib.suppress(RemoteError):  # as it always was
            assert get(tmp_path, origin.url("/a"), headers=headers) == PNG
        assert len(usual.urls) <= 1
        if usual.urls:
            assert len(origin.requests) == 1


def test_a_changed_user_agent_counts_at_once(tmp_path: Path) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin:
        downloader = HTTPDownloader()
        for agent in ("Reader/1", "Reader/2"):
            downloader.session.headers["User-Agent"] = agent
            get(tmp_path, origin.url("/a"), downloader)
        assert [request.headers["User-Agent"] for request in origin.requests] == ["Reader/1", "Reader/2"]


def test_a_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual: Watch) -> None:
    with Proxy() as proxy, Origin({"*": Reply(body=PNG)}) as origin:
        monkeypatch.setenv("http_proxy", proxy.url())
        downloader = HTTPDownloader()
        for _ in range(3):
            assert get(tmp_path, f"http://files.example:{origin.port}/a", downloader) == PNG
        assert len(proxy.seen) == len(usual.urls) == len(origin.requests) == 3
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        assert len(proxy.seen) == len(usual.urls) == 3


def test_a_proxy_that_the_environment_names_later_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual: Watch
) -> None:
    with Proxy() as proxy, Origin({"*": Reply(body=PNG)}) as origin:
        downloader = HTTPDownloader()
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        assert proxy.seen == []
        monkeypatch.setenv("http_proxy", proxy.url())
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        assert len(proxy.seen) == len(usual.urls) == 1
        monkeypatch.delenv("http_proxy")
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        assert len(proxy.seen) == len(usual.urls) == 1
        assert origin.connections == 2


def test_a_recorder_of_the_library_sees_and_answers_requests(tmp_path: Path) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin:
        url = origin.url("/a")
        with vcr.use_cassette(str(tmp_path / "tape.yaml")) as tape:
            assert get(tmp_path, url) == PNG
        assert len(tape.requests) == 1
    with vcr.use_cassette(str(tmp_path / "tape.yaml"), record_mode="none"):
        assert get(tmp_path, url) == PNG


def test_an_adapter_that_answers_by_itself_is_asked(tmp_path: Path) -> None:
    downloader = HTTPDownloader()
    recorder = Recorder()
    downloader.session.mount("http://", recorder)
    assert get(tmp_path, "http://files.example/a", downloader) == b"recorded"
    assert len(recorder.seen) == 1


def test_a_kept_connection_that_the_host_closed_costs_nothing_but_another(tmp_path: Path, usual: Watch) -> None:
    downloader = HTTPDownloader()
    with Origin({"*": Reply(body=PNG)}) as origin:
        get(tmp_path, origin.url("/a"), downloader)
        for client in list(origin._clients):
            client.shutdown(socket.SHUT_RDWR)
        time.sleep(0.02)
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        assert origin.connections == 2
    assert usual.urls == []


def test_who_may_not_ask_a_private_host_gets_no_connection_of_another(tmp_path: Path) -> None:
    downloader = HTTPDownloader()
    with Origin({"*": Reply(body=PNG)}) as origin:
        assert get(tmp_path, origin.url("/a"), downloader) == PNG
        with pytest.raises(AddressRefused):
            get(tmp_path, origin.url("/a"), downloader, source="https://pictures.example/1")
        cast("Any", downloader.session).policy = Policy(private_hosts=frozenset({f"127.0.0.1:{origin.port}"}))
        assert get(tmp_path, origin.url("/a"), downloader, source="https://pictures.example/1") == PNG
        assert len(origin.requests) == 2


def test_a_closed_session_closes_its_connections(tmp_path: Path) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin, Session() as session:
        session.allow_private = True
        get(tmp_path, origin.url("/a"), HTTPDownloader(session))
        adapter = session.get_adapter("http://")
        assert isinstance(adapter, NetworkAdapter)
        assert adapter.wire._idle
        child = session.child(session.policy)
        child.close()
        assert adapter.wire._idle
        session.close()
        assert not adapter.wire._idle


@pytest.mark.parametrize("url", ["http://user:word@127.0.0.1/a", "http://[broken/a"])
def test_a_bad_url_is_refused_as_ever(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidURL):
        get(tmp_path, url, source="https://pictures.example/1")


def test_a_host_without_a_connection_is_said(tmp_path: Path) -> None:
    with Origin() as origin:
        url = origin.url("/a")
    with pytest.raises(NetworkError, match="does not accept a connection"):
        get(tmp_path, url)
    with pytest.raises(NetworkError, match="no such host"):
        get(tmp_path, "http://nothing.invalid/a")


def test_a_slow_head_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "HEAD_SECONDS", 0.1)

    def drip(request: Request) -> Iterator[bytes]:
        while not origin._stopping.wait(0.01):
            yield b"H"

    with Origin({"*": drip}) as origin, pytest.raises(NetworkError, match="in time"):
        get(tmp_path, origin.url("/a"))


def test_threads_that_begin_at_once_have_one_session() -> None:
    """Else connections and cookies of the others would be lost."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads take turns within every line
    try:
        for _ in range(20):
            downloader, together = HTTPDownloader(), threading.Barrier(8)
            found: list[object] = []

            def run(downloader: HTTPDownloader, together: threading.Barrier, found: list[object]) -> None:
                together.wait()
                found.append(downloader.session)

            threads = [threading.Thread(target=run, args=(downloader, together, found)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert found == [downloader.session] * 8
    finally:
        sys.setswitchinterval(interval)


def test_many_threads_share_the_connections(tmp_path: Path, usual: Watch) -> None:
    bodies = {f"/{number}": BODY[number : number + 30_000] for number in range(200)}
    downloader = HTTPDownloader()
    work = iter(bodies)
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                path = next(work, None)
            if path is None:
                return
            downloader.download(content(origin.url(path)), f"{tmp_path}{path}")

    with Origin({path: ranged(body) for path, body in bodies.items()}) as origin:
        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert origin.connections <= 8
        assert len(origin.requests) == len(bodies)
    assert {f"/{path.name}": path.read_bytes() for path in tmp_path.iterdir()} == bodies
    assert usual.urls == []


def test_bytes_that_nobody_asked_for_over_tls_are_in_no_file_by_the_usual_road_either(
    tmp_path: Path, usual: Watch
) -> None:
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    authority = Authority(tmp_path)
    with authority.origin({"*": Reply(headers={"Content-Length": "308"}, body=PNG + evil)}) as origin:
        downloader = HTTPDownloader(settings=Settings(ca_file=authority.ca_file, rate=(1000, 1.0)))
        for number in range(10):
            assert get(tmp_path, origin.url(f"/{number}"), downloader) == PNG
        assert len(usual.urls) == 10
