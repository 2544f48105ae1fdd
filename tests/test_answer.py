"""Bodies and their text, friendly and hostile."""

from __future__ import annotations

import gzip
import zlib

import pytest
import requests

from qetch import errors
from qetch.answer import MAX_MEMBERS, decode
from qetch.session import Answer, Session
from tests.origin import Origin, Reply
from tests.sessions import HERE, plain_environment


@pytest.fixture(autouse=True)
def _plain(monkeypatch, tmp_path):
    plain_environment(monkeypatch, tmp_path)


@pytest.fixture
def session():
    with Session(HERE) as made:
        yield made


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate", "raw deflate", "two gzip streams"])
def test_every_framing_and_encoding_gives_the_same_body(session, framing, encoding):
    text = b"some text, long enough to shrink. " * 50
    raw = zlib.compressobj(wbits=-15)
    body = {
        "identity": text,
        "gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "raw deflate": raw.compress(text) + raw.flush(),
        "two gzip streams": gzip.compress(text[:100]) + gzip.compress(text[100:]) + b"rubbish after the end",
    }[encoding]
    header = {"raw deflate": "deflate", "two gzip streams": "GZIP"}.get(encoding, encoding)
    with Origin({"/": Reply(headers={"Content-Encoding": header}, body=body, framing=framing, piece=700)}) as origin:
        assert session.fetch("GET", origin.url()).body == text


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("ü".encode(), "", "ü"),
        (b"\xff", "", "�"),
        ("ü".encode("latin-1"), "text/html; charset=ISO-8859-1", "ü"),
        (b"\x80", "text/html; charset=iso-8859-1", "€"),
        (b"\x81", "text/html; charset=iso-8859-1", "�"),
        ("ü".encode("utf-8-sig"), "text/html; charset=iso-8859-1", "ü"),
        ("ü".encode("utf-16"), "", "ü"),
        ("日".encode("shift_jis"), 'text/html; boundary=x; Charset="shift_jis"', "日"),
        ("ü".encode(), "text/html; charset=nonsense", "ü"),
        ("ü".encode(), "text/html; charset=hex", "ü"),
        ("ü".encode(), "text/html; charset=undefined", "ü"),
        ("ü".encode(), "text/html; charset=a\0b", "ü"),
    ],
)
def test_text_is_decoded_by_mark_then_charset_then_as_utf_8(body, kind, text):
    assert decode(body, kind) == text
    headers = requests.structures.CaseInsensitiveDict({"Content-Type": kind})
    assert Answer("", 200, headers, body, "").text == text


def test_a_declared_length_above_the_bound_is_refused_unread(session):
    session.max_body = 1000
    with (
        Origin({"/": Reply(headers={"Content-Length": "1001"}, body=b"", cut=0)}) as origin,
        pytest.raises(errors.RemoteError, match=r"larger than 1,000 bytes"),
    ):
        session.fetch("GET", origin.url())


def test_an_endless_body_is_cut_at_the_bound(session):
    def endless(request):
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield b"x" * 65_536

    session.max_body = 1_000_000
    with Origin({"/": endless}) as origin, pytest.raises(errors.RemoteError, match="larger than"):
        session.fetch("GET", origin.url())


def test_a_dripping_body_is_given_up(session):
    session.max_seconds = 0.1
    with (
        Origin({"/": Reply(body="x" * 1000, drip=0.02)}) as origin,
        pytest.raises(errors.NetworkError, match="too slowly"),
    ):
        session.fetch("GET", origin.url())


def test_a_dripping_body_that_decodes_to_nothing_is_given_up(session):
    nothing = gzip.compress(b"")[:10] + b"\x00\x00\x00\xff\xff" * 1000
    session.max_seconds = 0.1
    with (
        Origin({"/": Reply(headers={"Content-Encoding": "gzip"}, body=nothing, drip=0.02, piece=5)}) as origin,
        pytest.raises(errors.NetworkError, match="too slowly"),
    ):
        session.fetch("GET", origin.url())


def test_a_gzip_bomb_is_refused(session):
    bomb = gzip.compress(bytes(50_000_000))
    with (
        Origin({"/": Reply(headers={"Content-Encoding": "gzip"}, body=bomb)}) as origin,
        pytest.raises(errors.RemoteError, match="too large once decompressed"),
    ):
        session.fetch("GET", origin.url())


def test_a_bomb_inside_a_bomb_is_refused(session):
    body = gzip.compress(gzip.compress(bytes(1000)))
    with (
        Origin({"/": Reply(headers={"Content-Encoding": "gzip, gzip"}, body=body)}) as origin,
        pytest.raises(errors.RemoteError, match="not asked for"),
    ):
        session.fetch("GET", origin.url())


def test_a_body_of_countless_gzip_streams_is_refused(session):
    body = gzip.compress(b"x") * (MAX_MEMBERS + 1)
    with (
        Origin({"/": Reply(headers={"Content-Encoding": "gzip"}, body=body)}) as origin,
        pytest.raises(errors.RemoteError, match="pieces"),
    ):
        session.fetch("GET", origin.url())


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_truncated_body_is_an_error(session, framing):
    with (
        Origin({"/": Reply(body="x" * 100, cut=40, framing=framing)}) as origin,
        pytest.raises(errors.NetworkError, match="before its answer was complete"),
    ):
        session.fetch("GET", origin.url())


def test_a_truncated_gzip_stream_is_an_error_even_where_the_length_is_unknown(session):
    body = gzip.compress(b"some text " * 100)[:-20]
    with (
        Origin({"/": Reply(headers={"Content-Encoding": "gzip"}, body=body, framing="close")}) as origin,
        pytest.raises(errors.RemoteError, match="ends in the middle"),
    ):
        session.fetch("GET", origin.url())


def test_a_body_that_is_not_in_its_declared_encoding_is_an_error(session):
    with (
        Origin({"/": Reply(headers={"Content-Encoding": "gzip"}, body="<html>")}) as origin,
        pytest.raises(errors.RemoteError, match="says it is gzip"),
    ):
        session.fetch("GET", origin.url())
