"""Puts an example of the schema into a small site file around it, so that the whole loader judges it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.spec.words import Word

KINDS = ("json", "html", "text")
GIVEN = {"key", "secret", "token", "username", "password", "host"}
"""Names that need no declaration in their places."""
NO_TEMPLATES = {"regex", "graphql", "match", "handles", "instances", "params"}
HEAD: dict[str, Any] = {"json": {"jmespath": "a"}, "html": {"css": "a::text"}, "text": {"regex": "a"}}
ROWS = {"json": "a", "html": "li", "text": "a"}
URLS = ["https://pictures.example/p/7", "https://a.example/1", "https://b.example/1"]
CALL = {"get", "post", "form", "json", "graphql", "variables", "query", "headers", "cookies", "as", "redirects"}
FILE = {"fragments", "quality", "extension", "size", "checksum", "playlist"}
HEADS = {"css", "xpath", "jmespath", "text", "header", "first_of"}
STEP_OF = {"date": "uploaded_date", "tz": "uploaded_date", "number": "size"}


def spec(word: Word, example: Any, kind: str) -> str:
    """A site file that uses the word with the value, as JSON, which is YAML too; what it reads is of the kind.

    Names that the example's templates use are declared as `params`.
    """
    data = _site(kind)
    _put(data, word, example, kind)
    if word.name not in NO_TEMPLATES:
        used = re.findall(r"(?<!\{)\{\+?([a-z_]+)\}", json.dumps(example))
        params = [name for name in dict.fromkeys(used) if name not in {*GIVEN, *_born(data)}]
        if params:
            data["handles"]["picture"]["params"] = params
    return json.dumps(data)


def _born(data: Any) -> set[str]:
    """The names that some data declares."""
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    names = set().union(*map(_born, inner))
    if isinstance(data, dict):
        names |= {*data.get("let", {}), *data.get("set", {}), data.get("counter", "")}
    return names


def _site(kind: str) -> dict[str, Any]:
    return {
        "qetch": 1,
        "name": "pictures",
        "description": "A site.",
        "domains": ["pictures.example", "a.example", "b.example", "board.example"],
        "request": {"as": kind, "base": "https://api.pictures.example/"},
        "handles": {
            "picture": {
                "match": r"^https?://pictures\.example/p/\d+$",
                "examples": [URLS[0]],
                "get": "p",
                "content": _content(),
            }
        },
    }


def _content(**more: Any) -> dict[str, Any]:
    return {"uid": {"text": "1"}, "url": {"text": "https://pictures.example/1.png"}, **more}


def _using(*names: str) -> dict[str, Any]:
    """A content that uses names, as the language wants of all that were declared."""
    return _content(metadata={name: {"text": f"{{{name}}}"} for name in names})


def _put(data: dict[str, Any], word: Word, example: Any, kind: str) -> None:
    handle = data["handles"]["picture"]
    group, _, name = word.key.rpartition(".")
    if group:
        PLACES[group](data, handle, name, example, kind)
    elif name == "token":
        _of_auth(data, handle, name, example, kind)
    elif name in CALL:
        handle.update(_call(name, example))
        if "post" in handle:
            del handle["get"]
    elif name in FILE or name == "url":
        handle["content"] = _file(name, example)
    elif name in BLOCK:
        BLOCK[name](handle, example, kind)
    else:
        _top(data, handle, word, example)


def _call(name: str, example: Any) -> dict[str, Any]:
    if name == "variables":
        return {"post": "p", "graphql": "query { a }", name: example}
    return {"post": "p", name: example} if name in ("post", "form", "json", "graphql") else {name: example}


def _file(name: str, example: Any) -> dict[str, Any]:
    content = _content(**{name: example})
    if name == "fragments":
        del content["url"]
    return content


def _top(data: dict[str, Any], handle: dict[str, Any], word: Word, example: Any) -> None:
    if word.name == "match":
        patterns = example if isinstance(example, list) else [example]
        urls = [url for url in URLS if any(re.search(pattern, url) for pattern in patterns)]
        handle.update({"match": example, "examples": urls, "content": _using("id")})
    elif word.name == "params":
        names = example if isinstance(example, list) else [example]
        handle.update({"params": example, "content": _using(*names)})
    elif word.name in ("examples", "not"):
        handle[word.name] = example
    else:
        data.update({"status": "dead", "note": "Closed."} if word.name in ("status", "note") else {})
        data[word.name] = example


def _instead(name: str) -> Callable[[dict[str, Any], Any, str], None]:
    """Of what stands in the content's place."""

    def put(handle: dict[str, Any], example: Any, _: str) -> None:
        del handle["content"]
        handle[name] = example

    return put


def _rows(handle: dict[str, Any], example: Any, _: str) -> None:
    _instead("each")(handle, {"in": example, "content": _content()}, "")


def _let(handle: dict[str, Any], example: Any, _: str) -> None:
    handle.update({"let": example, "content": _using(*example)})


def _of(handle: dict[str, Any], example: Any, _: str) -> None:
    handle.update({"let": {example: HEAD["json"]}, "content": _content(title={"of": example})})


def _when(handle: dict[str, Any], example: Any, kind: str) -> None:
    _instead("each")(handle, {"in": ROWS[kind], "when": example, "content": _content()}, kind)


BLOCK: dict[str, Callable[[dict[str, Any], Any, str], None]] = {
    "content": _instead("content"),
    "goto": _instead("goto"),
    "then": _instead("then"),
    "each": _instead("each"),
    "in": _rows,
    "of": _of,
    "when": _when,
    "let": _let,
    "errors": lambda handle, example, _: handle.update({"errors": example}),
    "pages": lambda handle, example, _: handle.update(_paged(example)),
    "renditions": lambda handle, example, _: handle.update({"content": {"uid": {"text": "1"}, "renditions": example}}),
    "expect": lambda handle, example, _: handle.update({"examples": [{"url": URLS[0], "expect": example}]}),
}


def _paged(pages: dict[str, Any]) -> dict[str, Any]:
    names = [*pages.get("set", {}), *([pages["counter"]] if "counter" in pages else [])]
    return {"pages": pages, "query": {name: f"{{{name}}}" for name in names}}


def _of_pages(_: Any, handle: dict[str, Any], name: str, example: Any, kind: str) -> None:
    pages = {name: example}
    if name in ("from", "by"):
        pages["counter"] = "page"
    elif name in ("until", "max"):
        pages["next"] = HEAD[kind]
    handle.update(_paged(pages))


def _of_each(_: Any, handle: dict[str, Any], name: str, example: Any, kind: str) -> None:
    row: dict[str, Any] = {"counter": "row", "to": 3}
    if name == "batch":
        row = {"in": ROWS[kind]}
    row[name] = example
    names = [row["counter"]] if "counter" in row else []
    _instead("each")(handle, {**row, "content": _using(*names)}, kind)


def _of_content(_: Any, handle: dict[str, Any], name: str, example: Any, __: str) -> None:
    handle["content"] = _content(**{name: example})
    if name == "variants":
        del handle["content"]["url"]


def _of_renditions(_: Any, handle: dict[str, Any], name: str, example: Any, kind: str) -> None:
    rows = {"in": ROWS[kind], "let": {"height": HEAD[kind]}, "url": {"text": "{height}"}, name: example}
    handle["content"] = {"uid": {"text": "1"}, "renditions": rows}


def _of_value(_: Any, handle: dict[str, Any], name: str, example: Any, kind: str) -> None:
    value = {name: example} if name in HEADS else {**HEAD[kind], name: example}
    if name == "tz":
        value["date"] = "%Y"
    field = STEP_OF.get(name, "title")
    handle["content"] = _content(**{field: value} if name != "all" else {"metadata": {"all": value}})
    if name == "parse":
        handle.update({"let": {"parsed": value}, "content": _content(title={"of": "parsed"})})


def _of_errors(data: dict[str, Any], _: Any, name: str, example: Any, kind: str) -> None:
    data["errors"] = {"when": HEAD[kind], "raise": "gone", name: example}


def _of_auth(data: dict[str, Any], handle: dict[str, Any], name: str, example: Any, _: str) -> None:
    auth: dict[str, Any] = {"kind": "key", "headers": {"X-Key": "{key}"}, name: example}
    if example in ("none", "cookies"):
        del auth["headers"]
    elif example == "basic":
        auth["headers"] = {"X-Name": "{username}", "X-Word": "{password}"}
    if "{secret}" in json.dumps(example):
        auth.update({"kind": "oauth", "headers": {"X-Token": "{token}"}})
    if "{token}" in json.dumps(example):
        auth["token"] = {"get": "t/{key}", "read": HEAD["json"], "as": "json"}
    data["auth"] = auth


def _of_token(data: dict[str, Any], handle: dict[str, Any], name: str, example: Any, kind: str) -> None:
    token = {"post": "https://api.pictures.example/t", "form": {"key": "{key}"}, "read": HEAD[kind], name: example}
    if name == "then":
        token["let"] = {"code": HEAD[kind]}
    auth = {"kind": "key", "domains": ["api.pictures.example"], "headers": {"X-Token": "{token}"}}
    data["auth"] = {**auth, "token": token}


def _of_expect(_: Any, handle: dict[str, Any], name: str, example: Any, kind: str) -> None:
    del kind
    outer = name in ("count", "at_least", "first", "each", "last", "error")
    handle["examples"] = [{"url": URLS[0], "expect": {name: example} if outer else {"first": {name: example}}}]


PLACES: dict[str, Callable[[dict[str, Any], dict[str, Any], str, Any, str], None]] = {
    "request": lambda data, _, name, example, __: data["request"].update({name: example}),
    "pages": _of_pages,
    "each": _of_each,
    "content": _of_content,
    "renditions": _of_renditions,
    "value": _of_value,
    "errors": _of_errors,
    "auth": _of_auth,
    "token": _of_token,
    "examples": lambda _, handle, name, example, __: handle.update({"examples": [{name: example}]}),
    "expect": _of_expect,
    "quality": lambda _, handle, name, example, __: handle.update({"content": _content(quality={name: example})}),
    "checksum": lambda _, handle, name, example, __: handle.update({"content": _content(checksum={name: example})}),
}
