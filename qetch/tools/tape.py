"""Hears every request that a session sends, and the answers to them.

vcrpy is not used for this: it patches the whole process, sees requests only after the credentials were put in, and
reads every body to its end before the session's bounds on size and time can act. What is written is its format.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qetch.answer import read_body
from qetch.network import NetworkAdapter, translated
from qetch.replay import Interaction, response_of

if TYPE_CHECKING:
    import requests

    from qetch.network import Owner
    from qetch.session import Session

FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers about how a body was sent, which a kept body no longer is."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, as they were, but for the credentials in the URL and the encoding of the body."""

    method: str
    url: str
    kind: str
    body: bytes
    range: str | None
    status: int
    reason: str
    headers: list[tuple[str, str]]
    answer: bytes


@dataclass(slots=True)
class Tape:
    """What one run said and heard.

    Attributes:
        secrets: The credentials that went out, and the cookies that came in: texts that no record may hold.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)


class RecordingAdapter(NetworkAdapter):
    """Sends over the real network, as its parent does, and keeps what came; the body of a redirect is given up."""

    def __init__(self, session: Session, tape: Tape) -> None:
        super().__init__(session)
        self.session = session
        self.tape = tape

    def twin(self, owner: Owner) -> NetworkAdapter:
        """Another session's adapter over the same connections, which records to the same tape."""
        from qetch.session import Session

        made = RecordingAdapter(owner, self.tape) if isinstance(owner, Session) else NetworkAdapter(owner)
        return self.share_with(made)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends one request; see `NetworkAdapter.send`.

        Raises:
            RemoteError: The body is too large, or cut off.
            NetworkError: It does not come in time.
        """
        clean = self._clean(request.url or "")
        with super().send(request, *args, **{**kwargs, "stream": True}) as response:
            body = b"" if response.is_redirect else self._body(response, clean)
            headers = [(name.lower(), _utf8(value)) for name, value in response.raw.headers.items()]
        headers = [(name, value) for name, value in headers if name not in FRAMING]
        exchange = Exchange(
            request.method or "GET",
            clean,
            str(request.headers.get("Content-Type") or ""),
            _bytes(request.body),
            request.headers.get("Range"),
            response.status_code,
            response.reason or "",
            headers,
            body,
        )
        self.tape.exchanges.append(exchange)
        self.tape.secrets |= {value for value in response.cookies.values() if value and _is_key(value)}
        return self.build_response(request, response_of(_as_interaction(exchange)))

    def _clean(self, url: str) -> str:
        """A request's URL without credentials, which are noted; a record is asked without them."""
        credentials = self.session.credentials
        if credentials is None:
            return url
        self.tape.secrets |= {*credentials.secrets, *credentials.hidden()}
        return credentials.remove_from_url(url, foreign=False)  # what the site itself put into it is filtered later

    def _body(self, response: requests.Response, url: str) -> bytes:
        deadline = time.monotonic() + self.session.max_seconds
        shown = self.session.redact(url)
        with translated(shown):
            return read_body(response, self.session.max_body, deadline, shown)


def _bytes(body: Any) -> bytes:
    if body is None or isinstance(body, (str, bytes)):
        return body.encode() if isinstance(body, str) else body or b""
    raise TypeError("only whole bodies are recorded")


def _is_key(value: str) -> bool:
    """Whether a cookie's value is one of a kind, and no word such as `en-US`, which would stand elsewhere too."""
    return len(value) >= 16 or (len(value) >= 8 and any(map(str.isdigit, value)))


def _utf8(value: str) -> str:
    """A header's value, of which libraries read each byte as a letter; records hold the text."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _as_interaction(exchange: Exchange) -> Interaction:
    return Interaction(
        method=exchange.method,
        address="",
        query=[],
        body=b"",
        range=None,
        status=exchange.status,
        reason=exchange.reason,
        headers=exchange.headers,
        answer=exchange.answer,
        uri=exchange.url,
    )
