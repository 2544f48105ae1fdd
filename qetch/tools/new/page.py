"""The page that a spec is written for: fetched or saved, JSON or markup, and never more than is bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from qetch.engine.reading import read_json
from qetch.engine.urls import absolute
from qetch.errors import OUTCOMES, STATUS_OUTCOMES, FileError, RemoteError
from qetch.selectors import markup
from qetch.selectors.jmes import DoesNotFit

if TYPE_CHECKING:
    from pathlib import Path

    from qetch.session import Session

MAX_BYTES = 10_000_000
MAX_ELEMENTS = 50_000
"""How many elements of a page are looked at."""
MARKUP = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body|<!--|<[a-z]+[\s>])", re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """A body and where it came from.

    Attributes:
        url: The URL that answered, after all redirects: relative URLs are joined to it.
    """

    url: str
    body: bytes
    content_type: str = ""

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None if it is none."""
        if self.body.lstrip()[:1] not in (b"{", b"["):
            return None
        try:
            return read_json(self.body)
        except ValueError:
            return None

    @cached_property
    def root(self) -> Any:
        """The root element of an HTML page, or None if it is none."""
        if self.json is not None or self.kind_of_file or not self.body.strip():
            return None
        if "html" not in self.content_type and not MARKUP.match(self.body[:2000]):
            return None
        try:
            return markup.parse("html", self.body, self.content_type)
        except ValueError:
            return None

    @property
    def kind(self) -> str:
        """The word for `as`."""
        if self.json is not None:
            return "json"
        return "html" if self.root is not None else "text"

    @property
    def kind_of_file(self) -> str:
        """`image`, `video` or `audio` if the URL is that of a file, and not of a page about one."""
        kind = self.content_type.partition("/")[0].strip().lower()
        return kind if kind in ("image", "video", "audio") else ""

    def join(self, text: str) -> str | None:
        """The absolute URL that the engine will make of a text, or None."""
        try:
            return absolute(self.url, text)
        except DoesNotFit:
            return None

    def select(self, css: str) -> list[Any]:
        """What a CSS selector finds."""
        found = [] if self.root is None else markup.compile_css(css, "html")(self.root)
        return found[:MAX_ELEMENTS]

    def first(self, css: str) -> str:
        """The first text that a CSS selector with `::text` or `::attr(…)` finds, trimmed, or nothing."""
        return next((text for found in self.select(css) if (text := str(found).strip())), "")


def fetch_page(session: Session, url: str) -> Page:
    """The page at a URL.

    Raises:
        QetchError: It does not come, or comes with an error status.
    """
    answer = session.fetch("GET", url)
    if answer.status >= 400:
        outcome = OUTCOMES[STATUS_OUTCOMES.get(answer.status, "remote")]
        raise outcome(f"{answer.url}: the site answered {answer.status} - save the page in a browser, and give --page")
    if not answer.body.strip():
        raise RemoteError(f"{answer.url}: the answer is empty")
    return Page(answer.url, answer.body, answer.headers.get("Content-Type", ""))


def read_page(file: Path, url: str) -> Page:
    """A saved page.

    Raises:
        FileError: It cannot be read, or is too large.
    """
    try:
        with file.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(f"cannot read {file}: {error.strerror}") from None
    if len(body) > MAX_BYTES:
        raise FileError(f"{file} is larger than {MAX_BYTES:,} bytes, which is the most that a page may have")
    return Page(url, body, "text/html" if MARKUP.match(body[:2000]) else "")
