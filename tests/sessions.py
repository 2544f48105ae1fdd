"""What the tests of sessions share: a policy, a secret, and an adapter as a user writes one."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter

from qetch.credentials import Credentials
from qetch.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.origin import Origin, Request

HERE = Policy(name="here", anywhere=False, hosts=frozenset({"127.0.0.1"}), private_hosts=frozenset({"127.0.0.1"}))
SECRET = "sesame-0123456789"


def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxies, certificates or netrc of the machine that runs the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def keyed(*hosts: str, **kinds: Any) -> Credentials:
    given = kinds or {"headers": {"Authorization": f"Bearer {SECRET}", "X-Api-Key": SECRET}}
    return Credentials(hosts=frozenset(hosts), secrets=(SECRET,), **given)


def seen_secret(origin: Origin) -> list[Request]:
    return [request for request in origin.requests if SECRET in str(request)]


Answers = dict[str, tuple[int, dict[str, str], bytes]]
"""By URL without query: status, headers, body."""


class Recorder(BaseAdapter):
    """An adapter as a user writes one: it answers by itself and keeps what it saw."""

    offline = False

    def __init__(self, answers: Answers | None = None, raw: bool = True) -> None:
        super().__init__()
        self.answers = answers or {}
        self.raw = raw
        self.seen: list[requests.PreparedRequest] = []
        self.paused: list[float] = []
        self.closed = False

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        self.seen.append(request)
        status, headers, body = self.answers.get((request.url or "").partition("?")[0], (200, {}, b"recorded"))
        response = requests.Response()
        response.status_code, response.url, response.request = status, request.url or "", request
        response.headers.update(headers)
        if self.raw:
            response.raw = io.BytesIO(body)
        else:
            response._content = body
        return response

    def close(self) -> None:
        self.closed = True
