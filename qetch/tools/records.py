"""What was said and heard, made ready for a cassette: filtered, readable, without media."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.errors import FileError
from qetch.tools.scrub import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qetch.tools.scrub import Scrubber
    from qetch.tools.tape import Exchange

MAX_ANSWER = 1_000_000
"""Characters of one answer in a cassette."""

KEPT_HEADERS = re.compile(
    r"content-type|content-range|accept-ranges|location|link|retry-after|last-modified|(?:x-)?ratelimit-[\w-]+|"
    r"(?:x-)?(?:next|prev|total|page|per-page|pagination|offset|limit|count|has-more)(?:-[\w-]+)?"
)
"""Of an answer; a spec's own `header:` names are kept as well, and no others."""
NEVER_KEPT = frozenset({"set-cookie", "set-cookie2", "authorization", "www-authenticate", "cookie"})
TEXT = re.compile(
    r"text/|application/(?:[\w.+-]*\+)?(?:json|xml|javascript|x-javascript|xhtml)|application/graphql|.*mpegurl"
)
CHARSET = re.compile(r"charset=[\"']?([\w-]+)", re.IGNORECASE)
PLACEHOLDER = "left out by qetch record: "


class Key(NamedTuple):
    """By what a record is found."""

    method: str
    uri: str
    body: str
    range: str


@dataclass(slots=True)
class Record:
    """A request and its answer, ready to be written; `note` is a comment above it."""

    method: str
    uri: str
    body: str | None
    status: int
    reason: str
    answer: str | bytes
    request_headers: dict[str, str] = field(default_factory=dict)
    headers: dict[str, list[str]] = field(default_factory=dict)
    note: str = ""

    @property
    def key(self) -> Key:
        """Records with the same key are answers to the same request, in their order."""
        return Key(self.method, self.uri, self.body or "", self.request_headers.get("Range", ""))


def make_record(exchange: Exchange, scrubber: Scrubber, headers_read: Iterable[str] = ()) -> Record:
    """An exchange as a record: filtered, without most headers, its media cut.

    Args:
        exchange: What was said and heard.
        scrubber: The filter.
        headers_read: The names of the answer's headers that the spec reads.

    Raises:
        FileError: The answer is a text that is too large.
    """
    uri = scrubber.uri(exchange.url)
    kind = dict(exchange.headers).get("content-type", "")
    answer, note = _answer(exchange.answer, kind, scrubber, f"{exchange.method} {uri}")
    body = scrubber.request_body(exchange.body, exchange.kind)
    sent = {"Content-Type": exchange.kind} if body is not None and exchange.kind else {}
    wanted = {name.lower() for name in headers_read}
    headers: dict[str, list[str]] = {}
    for name, value in exchange.headers:
        if name not in NEVER_KEPT and (name in wanted or KEPT_HEADERS.fullmatch(name)):
            headers.setdefault(name.title(), []).append(str(scrubber.json(value, name)))
    return Record(
        exchange.method,
        uri,
        body,
        exchange.status,
        scrubber.text(exchange.reason),
        answer,
        sent | ({"Range": exchange.range} if exchange.range else {}),
        headers,
        note,
    )


def _answer(body: bytes, kind: str, scrubber: Scrubber, where: str) -> tuple[str | bytes, str]:
    """The body to write, and a note about what it lacks."""
    text = _as_text(body, kind)
    if text and ("html" in kind or "xml" in kind):
        text = text.replace("\r\n", "\n")  # as every reader of these does
    if text is None:
        left_out = f"{len(body):,} bytes of {kind.partition(';')[0].strip() or 'an unknown kind'}"
        return f"{PLACEHOLDER}{left_out}\n", f"{left_out} are left out of the answer."
    pretty = _pretty(text, scrubber) if "charset" not in kind.lower() or "utf-8" in kind.lower() else None
    filtered = scrubber.text(text) if pretty is None else pretty
    if len(filtered) > MAX_ANSWER:
        raise FileError(
            f"{where}: the answer has {len(filtered):,} characters, and a cassette takes {MAX_ANSWER:,} of one"
            " - choose an example with a smaller answer, or let the site file ask for fewer items at once"
        )
    charset = CHARSET.search(kind)
    if pretty is None and charset and charset[1].lower() not in ("utf-8", "utf8"):
        return filtered.encode(charset[1], "replace"), ""
    return filtered, ""


def _as_text(body: bytes, kind: str) -> str | None:
    """A body as text, or None for media and what no charset fits."""
    if kind and not TEXT.match(kind.strip().lower()):
        declared = kind.partition(";")[0].strip().lower()
        if declared.startswith(("image/", "video/", "audio/", "font/")):
            return None
    charset = CHARSET.search(kind)
    try:
        text = body.decode(charset[1] if charset else "utf-8")
        text.encode(charset[1] if charset else "utf-8", "replace")  # not every codec can, though it decodes
    except (UnicodeError, LookupError):
        return None
    return None if "\0" in text else text


def _pretty(text: str, scrubber: Scrubber) -> str | None:
    """JSON, filtered and in lines; None for what is none, or would change by being read and written."""
    try:
        data = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_refuse)
        if json.loads(json.dumps(data)) != data:
            return None
        return as_json(scrubber.json(data), indent=1) + "\n"
    except (ValueError, RecursionError):
        return None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError
    return data


def _refuse(_constant: str) -> Any:
    raise ValueError
