"""Thousands of URLs of which a third fail, each in its own way: every one is accounted for, once."""

from __future__ import annotations

import itertools
import os
import socket
import struct
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch import network
from qetch.client import Client, DownloadRequest, RequestStrategy
from qetch.downloaders import Settings
from qetch.errors import (
    AddressRefused,
    AuthenticationError,
    BadFile,
    FileError,
    Forbidden,
    GeoBlocked,
    Gone,
    InvalidSetting,
    InvalidURL,
    NetworkError,
    NotFound,
    QetchError,
    RateLimited,
    RemoteError,
    UnsupportedURL,
)
from tests.clients import Notes, no_leftovers
from tests.downloads import PAGE
from tests.origin import Origin, Reply, Request, redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 5000
SLOW_ONES = 8
"""Of each kind that ends by a timeout."""

FAILURES: dict[str, tuple[Any, type[QetchError]]] = {
    **{
        f"{status}": (Reply(status), error)
        for status, error in {
            400: RemoteError,
            401: AuthenticationError,
            403: Forbidden,
            404: NotFound,
            405: RemoteError,
            410: Gone,
            416: RemoteError,
            418: RemoteError,
            429: RateLimited,
            451: GeoBlocked,
            500: RemoteError,
            502: RemoteError,
            503: RemoteError,
            599: RemoteError,
        }.items()
    },
    "patient": (Reply(503, {"Retry-After": "9999999"}), RemoteError),
    "cut": (Reply(body=b"file", cut=2), NetworkError),
    "nothing": (Reply(body=b"file", cut=0), NetworkError),
    "longer": (Reply(headers={"Content-Length": "99"}, body=b"file", cut=4), NetworkError),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfi", NetworkError),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nfile\r\n", NetworkError),
    "html": (Reply(headers={"Content-Type": "text/html"}, body=PAGE), BadFile),
    "page": (Reply(headers={"Content-Type": "image/png"}, body=PAGE), BadFile),
    "zip": (Reply(headers={"Content-Encoding": "gzip"}, body=b"file"), RemoteError),
    "brotli": (Reply(headers={"Content-Encoding": "br"}, body=b"file"), RemoteError),
    "garbage": (b"\x00\x01\x02 what is this\r\n\r\n", RemoteError),
    "silence": (b"", NetworkError),
    "loop": (lambda request: redirect(request.path), RemoteError),
    "spiral": (lambda request: redirect(f"{request.path}x"), RemoteError),
    "away": (redirect("http://127.0.0.1:1/x"), NetworkError),
    "private": (redirect("http://10.0.0.1/x"), AddressRefused),
    "nowhere": (redirect("http://[::1/"), RemoteError),
    "ftp": (redirect("ftp://127.0.0.1/x"), RemoteError),
}
BAD_URLS: dict[str, type[QetchError]] = {
    "": UnsupportedURL,
    "no url": UnsupportedURL,
    "http://": InvalidURL,
    "http://[::1/x": InvalidURL,
    "http://127.0.0.1:99999/x": InvalidURL,
    "ftp://127.0.0.1/x.bin": UnsupportedURL,
    "file:///etc/passwd": UnsupportedURL,
}


class Hostile(Origin):
    """`/<name of a failure>/<number>.bin` fails in that way; besides, connections are reset, and heads have no end."""

    def _answer(self, client: socket.socket, request: Request) -> bool:
        name = request.path.split("/")[1]
        if name == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(client.detach())
            return False
        if name == "good":
            return self._send(client, request, Reply(body=request.path))
        if name == "mute":
            self._stopping.wait(60)
            return False
        if name == "drip":
            client.sendall(b"HTTP/1.1 200 OK\r\n")
            while not self._stopping.wait(0.1):
                client.sendall(b"a: b\r\n")
            return False
        answer = FAILURES[name][0]
        answer = answer(request) if callable(answer) else answer
        if isinstance(answer, Reply):
            return self._send(client, request, answer)
        client.sendall(answer)
        return False


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wanted(origin: Origin, folder: Path) -> Iterator[tuple[DownloadRequest, type[QetchError] | None]]:
    """Without end: requests, and how each fails; two of three do not."""
    (folder / "taken").mkdir()
    kinds = itertools.cycle([*FAILURES, "reset", "refused", "bad URL", "no folder", "taken", "header"])
    bad_urls, refused = itertools.cycle(BAD_URLS.items()), f"http://127.0.0.1:{closed_port()}/a.png"
    for number in itertools.count():
        url, path, headers = origin.url(f"/good/{number}.png"), folder / f"{number}", {}
        error: type[QetchError] | None = None
        if number < 3 * 2 * SLOW_ONES and number % 3 == 0:
            url, error = origin.url(f"/{'mute' if number % 2 else 'drip'}/{number}.png", "localhost"), NetworkError
        elif number % 3 == 0:
            kind = next(kinds)
            if kind in FAILURES or kind == "reset":
                url = origin.url(f"/{kind}/{number}.png")
                error = FAILURES[kind][1] if kind in FAILURES else NetworkError
            elif kind == "refused":
                url, error = refused, NetworkError
            elif kind == "bad URL":
                url, error = next(bad_urls)
            elif kind == "header":
                headers, error = {"Host": "x"}, InvalidSetting
            else:
                path, error = folder / ("taken" if kind == "taken" else "missing/x"), FileError
        yield DownloadRequest(url, path, data=(number, error), headers=headers), error


def test_of_five_thousand_every_one_is_accounted_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "HEAD_SECONDS", 3.0)
    settings = Settings(connections_per_host=24, max_concurrent=32, connect_timeout=5, read_timeout=3)
    notes = Notes()
    with Hostile() as origin, Client(settings, strategy=RequestStrategy(), listeners=notes) as client:
        reports = client.swarm(request for request, _ in itertools.islice(wanted(origin, tmp_path), COUNT))
    assert Counter(report.data[0] for report in reports) == Counter(range(COUNT))
    wrong = {
        (report.url.split("/")[3:4] or [report.url])[0]: repr(report.error)
        for report in reports
        if type(report.error) is not (report.data[1] or type(None))
    }
    assert wrong == {}
    good = [report for report in reports if report.data[1] is None]
    assert len(good) == COUNT - -(-COUNT // 3)
    assert all(report.state == "succeeded" for report in good)
    assert all(Path(report.path or "").read_text() == f"/good/{report.data[0]}.png" for report in good)
    assert len(list(tmp_path.iterdir())) == len(good) + 1
    assert no_leftovers(tmp_path)
    ends = Counter(report.data[0] for name, report in notes.events if name in ("succeeded", "failed", "canceled"))
    assert ends == Counter(range(COUNT))


@pytest.mark.parametrize("kind", FAILURES)
def test_what_fails_leaves_an_older_file_as_it_was(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.png").write_bytes(b"older")
    with Hostile() as origin, Client(strategy=RequestStrategy(), override=True) as client:
        report = client.one(DownloadRequest(origin.url(f"/{kind}/1.png"), tmp_path / "a.png"))
    assert type(report.error) is FAILURES[kind][1]
    assert (tmp_path / "a.png").read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
