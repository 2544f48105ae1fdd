"""The invented sites of the documentation, as small servers on this machine.

Each module has `ROUTES`: what its hosts answer, by `/host/path`, as `tests.origin` scripts. The specs in
`docs/examples` name those hosts; `Detour` leads what is asked of them to one `Origin` that plays them all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

from tests.origin import Reply

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from tests.origin import Origin


class Detour(HTTPAdapter):
    """Asks the origin for `/host/path` in place of the host for `/path`, over a real connection."""

    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self.origin = origin

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:  # type: ignore[override] # the flags pass through
        target = urlsplit(request.url or "")
        query = f"?{target.query}" if target.query else ""
        asked = request.copy()
        asked.url = self.origin.url(f"/{target.hostname}{target.path}{query}")
        response = super().send(asked, **{**kwargs, "proxies": {}})
        response.url, response.request = request.url or "", request
        return response


def as_json(data: Any, status: int = 200) -> Reply:
    """A JSON answer."""
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(data))


def as_html(body: str, status: int = 200) -> Reply:
    """An HTML answer."""
    page = f"<!doctype html><html><head><title>-</title></head><body>{body}</body></html>"
    return Reply(status, {"Content-Type": "text/html; charset=utf-8"}, page)


def as_file(body: bytes, kind: str) -> Reply:
    """A picture or a film."""
    return Reply(200, {"Content-Type": kind}, body)
