"""The last look before a cassette is written: no secret that is known may be in it, in any form."""

from __future__ import annotations

import base64
import html
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from qetch.tools.scrub import LEAST, TELLING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from qetch.spec.model import Site

ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\u\{([0-9A-Fa-f]{1,5})\}")
BETWEEN = re.compile(r"(?:\\[nrt]|[\W_])+")
"""What a text may be cut up with: blanks and what is not seen, the quotes and signs of code."""
LONG = 12
"""Letters and digits; a secret with fewer is not looked for in a text that lost all else."""
UNQUOTES = 4
"""How often a text may be encoded for URLs: each URL in the query of another is encoded once more."""


def known_secrets(site: Site) -> dict[str, set[str]]:
    """Every secret in the registry of credentials, by the name that it has there; user names are none."""
    from qetch.auth import AuthRegistry
    from qetch.extractors.registry import registry

    kinds = {entry.name: entry.auth_kind for entry in registry().entries} | {site.name: site.auth.kind}
    found: dict[str, set[str]] = {}
    for name, values in AuthRegistry().items():
        texts = [values] if isinstance(values, str) else [text for text in values or () if isinstance(text, str)]
        if kinds.get(name) == "basic":
            texts = texts[1:]
        found[name] = {part for text in texts for part in (text, *_cookie_values(text)) if len(part) >= LEAST}
    return found


def _cookie_values(text: str) -> Iterator[str]:
    """The values of a text such as `a=b; c=d`."""
    for pair in text.split(";"):
        name, _, value = pair.strip().partition("=")
        if re.fullmatch(r"[\w.-]+", name) and len(value) >= TELLING:
            yield value


def find_secret(text: str, secrets: Mapping[str, Iterable[str]]) -> tuple[str, str] | None:
    """The name of the first secret that a text holds, and in which form; None if it holds none.

    >>> find_secret("x=c2VzYW1lLW9wZW4tNDI%3D", {"site": ["sesame-open-42"]})
    ('site', 'base64')
    """
    views = set(_views(text))
    lower = [view.lower() for view in views]
    bare = {BETWEEN.sub("", view) for view in views}
    for name, texts in secrets.items():
        for secret in texts:
            form = _word_in(secret, views) if len(secret) < TELLING else _form_in(secret, views, lower, bare)
            if form:
                return name, form
    return None


def _word_in(secret: str, views: Iterable[str]) -> str:
    word = re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)")
    return "plain text" if any(word.search(view) for view in views) else ""


def _form_in(secret: str, views: Iterable[str], lower: Iterable[str], bare: Iterable[str]) -> str:
    """In which form a text shows a secret, by its views: as they are, in lower case, and their letters alone."""
    data, letters = secret.encode(), BETWEEN.sub("", secret)
    coded = {*_base64_cores(data)}
    plain = {secret.lower(), "".join(secret.lower().split())}
    if any(text in view for view in lower for text in plain):
        return "plain text"
    if len(letters) >= LONG and any(letters in view for view in bare):
        return "plain text"
    if any(data.hex() in view for view in lower):
        return "hexadecimal"
    if any(secret[::-1] in view for view in views):
        return "reversed"
    return "base64" if any(core in view for view in views for core in coded) else ""


def _base64_cores(data: bytes) -> Iterator[str]:
    """What base64 makes of some bytes wherever they stand in others: the letters that depend on them alone."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        last = -1 if (before + len(data)) % 3 else None
        core = coded[(0, 2, 3)[before] : last]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def _views(text: str) -> Iterator[str]:
    """A text, and what it is once the escapes of URLs, HTML, JSON and YAML are undone, or its lines are joined."""
    undone = ESCAPE.sub(lambda match: chr(int(match[1] or match[2] or match[3], 16)), text)
    for view in {text, undone, re.sub(r"\\(.)", r"\1", undone)}:
        yield view
        yield "".join(view.split())
        yield html.unescape(view)
        for decode in (unquote, unquote_plus):
            decoded = view
            for _ in range(UNQUOTES if "%" in view else 1):
                decoded = decode(decoded)
            yield decoded
