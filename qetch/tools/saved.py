"""Makes records of answers that somebody saved: files, and what they answer."""

from __future__ import annotations

import mimetypes
import re
from typing import TYPE_CHECKING, Any

from qetch.errors import FileError, UserError
from qetch.tools.tape import Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAPPING = "answers.yaml"
WORDS = frozenset({"url", "method", "body", "status", "type", "headers"})
INDEX = re.compile(r"(?<![^/])index\.html$")
HOST = re.compile(r"(?:[\w-]+\.)+[\w-]+(?::\d+)?|localhost(?::\d+)?")


def saved_exchanges(folder: Path) -> list[Exchange]:
    """The requests that the files of a folder answer, and the files as their answers.

    `answers.yaml` says for a file what it answers: its URL, or a mapping of `url`, `method`, `body`, `status`, `type`
    and `headers`. A file that it does not name is at its URL without the scheme, as `wget -r` saves it:
    `api.example/v1/items?page=2` answers `https://api.example/v1/items?page=2`.

    Raises:
        UserError: There is no such folder, or nothing is in it.
        FileError: A file cannot be read, or it cannot be said what it answers.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder - give the one that holds the saved answers")
    mapping = _mapping(folder / MAPPING)
    files = {
        file.relative_to(folder).as_posix(): file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != MAPPING and not file.name.startswith(".")
    }
    missing = mapping.keys() - files.keys()
    if missing:
        raise FileError(f"{folder / MAPPING}: there is no file {min(missing)!r}")
    if not files:
        raise UserError(f"{folder}: there is no saved answer in this folder")
    ordered = [*mapping, *(name for name in files if name not in mapping)]
    return [_exchange(folder, name, files[name], mapping.get(name)) for name in ordered]


def _mapping(file: Path) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError):
        raise FileError(f"{file}: cannot be read as YAML") from None
    if not isinstance(data, dict) or not all(isinstance(entry, (str, dict)) for entry in data.values()):
        raise FileError(
            f"{file}: must say for each file what it answers - such as `items.json: https://a.example/items`"
        )
    return {str(name): entry for name, entry in data.items()}


def _exchange(folder: Path, name: str, file: Path, entry: str | Mapping[str, Any] | None) -> Exchange:
    words: Mapping[str, Any] = {"url": entry} if isinstance(entry, str) else entry or {"url": _url_of(folder, name)}
    wrong = _wrong(words)
    if wrong:
        raise FileError(f"{folder / MAPPING}: {name}: {wrong} - known: {', '.join(sorted(WORDS))}")
    try:
        answer = file.read_bytes()
    except OSError as error:
        raise FileError(f"{file}: cannot be read: {error.strerror}") from None
    body, sent_kind = _body(words.get("body"))
    headers = {"content-type": str(words.get("type") or _kind(name, answer))}
    headers |= {str(key).lower(): str(value) for key, value in (words.get("headers") or {}).items()}
    method = str(words.get("method", "POST" if body else "GET")).upper()
    status = words.get("status", 200)
    return Exchange(method, str(words["url"]), sent_kind, body, None, status, "", [*headers.items()], answer)


def _wrong(words: Mapping[str, Any]) -> str:
    """What is wrong with the words about a file, if anything is."""
    unknown = sorted(str(word) for word in words if word not in WORDS)
    if unknown:
        return f"unknown word {unknown[0]!r}"
    if not str(words.get("url", "")).startswith(("http://", "https://")):
        return "it needs a `url` with http:// or https://"
    status = words.get("status", 200)
    if type(status) is not int or not 100 <= status <= 599:
        return f"`status` is a number such as 404, not {status!r}"
    if not isinstance(words.get("headers") or {}, dict):
        return "`headers` is a mapping"
    return ""


def _url_of(folder: Path, name: str) -> str:
    host, _, path = name.partition("/")
    if not path or not HOST.fullmatch(host):
        raise FileError(
            f"{folder / name}: it cannot be seen which request this answers"
            f" - say it in {folder / MAPPING}: `{name}: https://…`, or name the file HOST/PATH"
        )
    return f"https://{host}/{INDEX.sub('', path)}"


def _body(body: Any) -> tuple[bytes, str]:
    """A request's body and its type: a mapping is JSON, a text is a form."""
    import json

    if body is None:
        return b"", ""
    if isinstance(body, str):
        return body.encode(), "application/x-www-form-urlencoded"
    return json.dumps(body, default=str).encode(), "application/json"


def _kind(name: str, answer: bytes) -> str:
    """The type of an answer: by what it begins with, else by the name of its file."""
    start = answer[:200].lstrip().lower()
    if start.startswith((b"{", b"[")):
        return "application/json"
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    if start.startswith(b"<?xml"):
        return "application/xml"
    return mimetypes.guess_type(name.partition("?")[0])[0] or "text/plain"
