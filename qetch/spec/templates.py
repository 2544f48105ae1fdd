"""Templates: texts with `{name}` in them. Requests are templates; nothing else in a spec computes a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_token = re.compile(r"\{\{|\}\}|\{(\+?)([A-Za-z_][A-Za-z0-9_]*)\}|[{}]")


class NullName(Exception):
    """A template met a name that is null; the message is the name."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{name}`, or `{+name}`, which keeps `/` in a URL."""

    name: str
    keep_slash: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A text in pieces: fixed ones and placeholders."""

    text: str
    parts: tuple[str | Placeholder, ...]

    @property
    def whole(self) -> str | None:
        """The name, if the template is exactly one placeholder."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Placeholder):
            return self.parts[0].name
        return None

    @property
    def names(self) -> Iterator[str]:
        """The names that it needs."""
        return (part.name for part in self.parts if isinstance(part, Placeholder))

    @property
    def prefix(self) -> str:
        """The fixed text before the first placeholder."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""

    def render(self, lookup: Callable[[str], str | None]) -> str:
        """The text with its names filled in.

        Raises:
            NullName: One of them is null.
        """
        return "".join([part if isinstance(part, str) else _filled(part, lookup) for part in self.parts])

    def render_url(self, lookup: Callable[[str], str | None]) -> str:
        """As `render`, with what is filled in percent-encoded; a whole placeholder and `{host}` are taken as they are.

        Raises:
            NullName: One of them is null.
        """
        if self.whole:
            return self.render(lookup)
        return "".join([part if isinstance(part, str) else _encoded(part, lookup) for part in self.parts])


def _filled(part: Placeholder, lookup: Callable[[str], str | None]) -> str:
    text = lookup(part.name)
    if text is None:
        raise NullName(part.name)
    return text


def _encoded(part: Placeholder, lookup: Callable[[str], str | None]) -> str:
    text = _filled(part, lookup)
    if part.name == "host":  # dispatch has seen that it is a plain host
        return text
    return quote(text, safe="/" if part.keep_slash else "", errors="replace")


def parse_template(text: str) -> Template:
    """Reads a template; `{{` and `}}` are braces.

    Raises:
        ValueError: A brace stands alone; the message says what to do.
    """
    parts: list[str | Placeholder] = []
    fixed, end = "", 0
    for token in _token.finditer(text):
        fixed += text[end : token.start()]
        end = token.end()
        if token[2]:
            if fixed:
                parts.append(fixed)
            parts.append(Placeholder(token[2], bool(token[1])))
            fixed = ""
        elif token[0] in ("{{", "}}"):
            fixed += token[0][0]
        else:
            raise ValueError(f"a lone {token[0]} in a template: a name is {{like_this}}, a brace is {token[0] * 2}")
    fixed += text[end:]
    if fixed:
        parts.append(fixed)
    return Template(text, tuple(parts))
