"""Small sites of one handle, compiled, for tests about what the compiler makes of a word."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from qetch.spec import inspect

if TYPE_CHECKING:
    from qetch.spec.model import ContentSpec, Handle, Site

JSON = """
qetch: 1
name: pictures
description: A site for tests.
domains: [pictures.example]
request: {as: json, base: "https://api.pictures.example/v1/"}
"""
HTML = JSON.replace("as: json", "as: html")
MATCH = r"""
handles:
  picture:
    match: '^https?://pictures\.example/p/(?P<id>\d+)'
    examples: ["https://pictures.example/p/7"]
"""
FILE = "content: {uid: id, url: link}"


def text(body: str, top: str = JSON) -> str:
    """The YAML of a site whose handle does what `body` says, below what `top` says."""
    lines = body.strip("\n").split("\n")
    return top.lstrip("\n") + MATCH.lstrip("\n") + "".join(f"    {line}\n" for line in lines)


def problems(body: str, top: str = JSON, more: str = "") -> list[str]:
    """What is wrong with such a site and more handles, as `line:column: message - cure`."""
    return _inspect(body, top, more)[1]


def site(body: str, top: str = JSON) -> Site:
    """Such a site, which must be good."""
    compiled, wrong = _inspect(body, top)
    assert compiled is not None, wrong
    return compiled


def handle(body: str, top: str = JSON) -> Handle:
    """The handle of such a site."""
    return site(body, top).handles["picture"]


def content(words: str, top: str = JSON) -> ContentSpec:
    """The content of a handle that makes a request, with a uid, a URL and some words more."""
    uid, url = ("id", "link") if top is JSON else ('"::attr(id)"', '"a::attr(href)"')
    compiled = handle(f'get: "p/{{id}}"\ncontent:\n  uid: {uid}\n  url: {url}\n  {words}', top).block.content
    assert compiled is not None
    return compiled


def _inspect(body: str, top: str, more: str = "") -> tuple[Site | None, list[str]]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pictures.yaml"
        file.write_text(text(body, top) + more.lstrip("\n"))
        compiled, found = inspect(file, "x")
        return compiled, [str(problem).removeprefix("x:") for problem in found]
