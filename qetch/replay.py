"""Answers from records instead of a network: cassettes, as vcr writes them in YAML."""

from __future__ import annotations

import difflib
import http.client
import io
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import requests
import yaml
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import LocationParseError
from urllib3.response import HTTPResponse
from urllib3.util import parse_url

from qetch.errors import FileError, ReplayMiss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ANY = "***"
"""Recorded in place of a secret, as a whole value of a query, a form or a JSON body: it matches every text."""

Pairs = list[tuple[str, str]]


@dataclass
class Interaction:
    """One recorded request and its answer; `played` once it was given."""

    method: str
    address: str
    query: Pairs
    body: bytes
    range: str | None
    status: int
    reason: str
    headers: list[tuple[str, str]]
    answer: bytes
    uri: str
    played: bool = field(default=False, compare=False)


class ReplayAdapter(HTTPAdapter):
    """A `requests` adapter that answers from all `*.yaml` cassettes below a folder; without a folder it has no answers.

    A request is looked up by its method, URL, body and `Range`; the order of query and form entries does not matter.
    The answers to one request play in the order of the records, and the last one repeats. A `Range` that was not
    recorded gets the answer that was recorded without one, as from a server that knows no ranges.

    Raises:
        FileError: The folder or a cassette cannot be read, or there is none.
    """

    offline = True

    def __init__(self, folder: str | Path | None) -> None:
        super().__init__()
        self.folder = None if folder is None else Path(folder)
        self._lock = threading.Lock()
        self._interactions: dict[tuple[str, str], list[Interaction]] = {}
        for interaction in _read_folder(self.folder) if self.folder is not None else ():
            self._interactions.setdefault((interaction.method, interaction.address), []).append(interaction)

    def pause(self, seconds: float) -> None:
        """Does not wait: records are never in a hurry."""

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        """The recorded answer to a request.

        Raises:
            ReplayMiss: There is none.
        """
        method, url = request.method or "GET", request.url or ""
        address, query = _split(url)
        body = _sent_body(request)
        kind = request.headers.get("Content-Type") or ""
        same = [
            interaction
            for interaction in self._interactions.get((method, address), [])
            if _same_pairs(interaction.query, query) and _same_body(interaction.body, body, str(kind))
        ]
        wanted = request.headers.get("Range")
        same = [one for one in same if one.range == wanted] or [one for one in same if one.range is None]
        if not same:
            raise ReplayMiss(self._miss(method, url, body))
        with self._lock:
            interaction = next((one for one in same if not one.played), same[-1])
            interaction.played = True
        return self.build_response(request, response_of(interaction))

    def _miss(self, method: str, url: str, body: bytes) -> str:
        """Which request had no answer, and those that have one and look most like it."""
        if self.folder is None:
            return f"there are no records, so none answers {method} {url}"
        address, query = _split(url)
        if body and any(_same_pairs(one.query, query) for one in self._interactions.get((method, address), [])):
            return f"no record in {self.folder} answers {method} {url} with this body - it is there with another body"
        host = url.split("/")[2:3]
        known = {one.uri: f"{one.method} {one.uri}" for many in self._interactions.values() for one in many}
        of_host = [uri for uri in known if uri.split("/")[2:3] == host]
        near = difflib.get_close_matches(url, of_host, n=3, cutoff=0.0)
        cure = f"recorded for this host: {', '.join(known[uri] for uri in near)}" if near else "nothing of this host is"
        return f"no record in {self.folder} answers {method} {url} - {cure}"


def _read_folder(folder: Path) -> Iterator[Interaction]:
    if not folder.is_dir():
        raise FileError(f"{folder}: no such folder - give the folder that holds the cassettes (*.yaml)")
    files = sorted(folder.rglob("*.yaml"))
    if not files:
        raise FileError(f"{folder}: there is no cassette (*.yaml) below this folder")
    for file in files:
        yield from _read_file(file)


def _read_file(file: Path) -> Iterator[Interaction]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(file.read_bytes(), Loader=loader)  # noqa: S506 - both are safe loaders
    except OSError as error:
        raise FileError(f"{file}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise FileError(f"{file}{place}: not a cassette: bad YAML") from None
    if not isinstance(data, dict) or not isinstance(data.get("interactions"), list):
        raise FileError(f"{file}: not a cassette: it has no list of `interactions`")
    for number, item in enumerate(data["interactions"], 1):
        try:
            yield _interaction(item["request"], item["response"])
        except (KeyError, TypeError, ValueError, AttributeError, LocationParseError):
            raise FileError(
                f"{file}: interaction {number} is not one"
                " - it needs request: {method, uri} and response: {status: {code}, headers, body: {string}}"
            ) from None


def _interaction(request: dict[str, Any], response: dict[str, Any]) -> Interaction:
    """Raises KeyError, TypeError, ValueError or AttributeError for what is not one."""
    uri = requests.Request("GET", request["uri"]).prepare().url or ""  # the spelling that requests will have
    address, query = _split(uri)
    status = response["status"]
    return Interaction(
        method=request["method"].upper(),
        address=address,
        query=query,
        body=_bytes(request.get("body")),
        range=dict(_headers(request.get("headers"))).get("range"),
        status=int(status["code"]),
        reason=str(status.get("message") or ""),
        headers=_headers(response.get("headers")),
        answer=_bytes((response.get("body") or {}).get("string")),
        uri=uri,
    )


def _headers(headers: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Headers as pairs, names in lower case; vcr keeps a list of values for each, some versions a text."""
    pairs = []
    for name, values in (headers or {}).items():
        listed = values if isinstance(values, list) else [values]
        pairs += [(str(name).lower(), " ".join(str(value).split())) for value in listed]
    return pairs


def _bytes(value: str | bytes | None) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if value is None or isinstance(value, bytes):
        return value or b""
    raise TypeError(value)


def _sent_body(request: requests.PreparedRequest) -> bytes:
    body: Any = request.body
    if body is None or isinstance(body, (str, bytes)):
        return _bytes(body)
    return b"".join(map(_bytes, body))  # an open file or an iterator


def _split(url: str) -> tuple[str, Pairs]:
    """A URL's address, without query and fragment, and its query as sorted pairs."""
    parsed = parse_url(url)
    address = parsed._replace(query=None, fragment=None, path=parsed.path or "/").url
    return address, sorted(parse_qsl(parsed.query or "", keep_blank_values=True))


def _same_pairs(recorded: Pairs, sent: Pairs) -> bool:
    if len(recorded) != len(sent):
        return False
    pairs = zip(recorded, sent, strict=True)
    return all(name == other and value in {ANY, text} for (name, value), (other, text) in pairs)


def _same_body(recorded: bytes, sent: bytes, kind: str) -> bool:
    if recorded == sent:
        return True
    if "x-www-form-urlencoded" in kind:
        forms = [sorted(parse_qsl(body.decode(errors="replace"), keep_blank_values=True)) for body in (recorded, sent)]
        return _same_pairs(*forms)
    try:
        return _same_json(json.loads(recorded), json.loads(sent))
    except (ValueError, RecursionError):
        return False


def _same_json(recorded: Any, sent: Any) -> bool:
    if isinstance(recorded, dict) and isinstance(sent, dict):
        return recorded.keys() == sent.keys() and all(_same_json(recorded[key], sent[key]) for key in recorded)
    if isinstance(recorded, list) and isinstance(sent, list):
        return len(recorded) == len(sent) and all(map(_same_json, recorded, sent))
    return type(recorded) is type(sent) and recorded in (ANY, sent)


class _Wire:
    """Stands where the standard library expects a socket, and holds what came over it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.data)


def response_of(interaction: Interaction) -> HTTPResponse:
    """The answer, read by the same code that reads it from a network: lengths, cookies and encodings included."""
    # Recorded bodies are joined already, so that their framing is the length alone; and vcr keeps the header of an
    # encoding that it has undone.
    stale = {"transfer-encoding"}
    if not interaction.answer.startswith(b"\x1f\x8b") and dict(interaction.headers).keys() & {"content-encoding"}:
        stale |= {"content-encoding", "content-length"}
    headers = [(name, value) for name, value in interaction.headers if name not in stale]
    if not any(name == "content-length" for name, _ in headers):
        headers.append(("content-length", str(len(interaction.answer))))
    lines = [f"HTTP/1.1 {interaction.status} {interaction.reason}", *(f"{name}: {value}" for name, value in headers)]
    data = "\r\n".join([*lines, "", ""]).encode() + interaction.answer
    original = http.client.HTTPResponse(_Wire(data), method=interaction.method)  # type: ignore[arg-type]  # no socket
    original.begin()
    kept = HTTPHeaderDict()
    for name, value in original.headers.items():
        kept.add(name, value)
    return HTTPResponse(
        body=original,
        headers=kept,
        status=original.status,
        version=original.version,
        reason=original.reason,
        preload_content=False,
        decode_content=False,
        original_response=original,
        request_method=interaction.method,
    )
