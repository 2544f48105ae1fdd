"""The page that a spec is written for: fetched or saved, JSON or markup, and never more than is bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from qetch.engine.reading import read_json
from qetch.engine.urls import absolute
from qetch.errors import FileError, RemoteError
from qetch.selectors import markup
from qetch.selectors.jmes import DoesNotFit

if TYPE_CHECKING:
    from pathlib import Path

    from qetch.session import Session
    from qetch.tools.new.asked import Sent

MAX_BYTES = 10_000_000
MAX_ELEMENTS = 50_000
"""How many elements of a page are looked at."""
MARKUP = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body|<!--|<[a-z]+[\s>])", re.IGNORECASE)
PROLOG = re.compile(rb"\s*(?:<\?xml\b|<(?:rss|feed|rdf:RDF|urlset|MPD)[\s>])")
XHTML = re.compile(rb"<!doctype html|<html[\s>]", re.IGNORECASE)
BOM = b"\xef\xbb\xbf"
PARSED = ("json", "root", "xml")
"""What is the same of a page wherever it is."""


@dataclass(frozen=True)
class Page:
    """A body and where it came from.

    Attributes:
        url: The URL that answered, after all redirects: relative URLs are joined to it. Of a saved page its file,
            until it is known.
    """

    url: str
    body: bytes
    content_type: str = ""

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None if it is none."""
        if self.body.removeprefix(BOM).lstrip()[:1] not in (b"{", b"["):
            return None
        try:
            return read_json(self.body)
        except ValueError:
            return None

    @cached_property
    def root(self) -> Any:
        """The root element of an HTML page, or None if it is none."""
        if self.json is not None or self.kind_of_file or not self.body.strip() or self.says_xml:
            return None
        if "html" not in self.content_type and not MARKUP.match(self.body[:2000]):
            return None
        try:
            return markup.parse("html", self.body, self.content_type)
        except ValueError:
            return None

    @property
    def says_xml(self) -> bool:
        """Whether it says that it is XML, and is not the XML of an HTML page."""
        named = re.search(r"[/+]xml\b", self.content_type.lower()) or PROLOG.match(self.body.removeprefix(BOM)[:2000])
        return bool(named) and "html" not in self.content_type.lower() and not XHTML.search(self.body[:2000])

    @cached_property
    def xml(self) -> Any:
        """The root element of an XML answer, or None if it is none."""
        if self.kind_of_file or not self.says_xml:
            return None
        try:
            return markup.parse("xml", self.body)
        except ValueError:
            return None

    @property
    def kind(self) -> str:
        """The word for `as`."""
        if self.json is not None:
            return "json"
        if self.xml is not None:
            return "xml"
        return "html" if self.root is not None else "text"

    @cached_property
    def base(self) -> str:
        """What its relative URLs are joined to: its own URL, or what `<base href>` says instead."""
        if self.root is None:
            return self.url
        try:
            return urljoin(self.url, markup.base_of(self.root))
        except ValueError:
            return self.url

    @property
    def kind_of_file(self) -> str:
        """`image`, `video` or `audio` if the URL is that of a file, and not of a page about one."""
        kind = self.content_type.partition("/")[0].strip().lower()
        return kind if kind in ("image", "video", "audio") else ""

    def at(self, url: str) -> Page:
        """The same page at its URL; what was parsed of it is not parsed again."""
        page = replace(self, url=url)
        vars(page).update({name: value for name, value in vars(self).items() if name in PARSED})
        return page

    def join(self, text: str) -> str | None:
        """The absolute URL that the engine will make of a text, or None."""
        try:
            return absolute(self.base, text)
        except DoesNotFit:
            return None

    def select(self, css: str) -> list[Any]:
        """What a CSS selector finds."""
        if self.xml is not None:
            return markup.compile_css(css, "xml")(self.xml)[:MAX_ELEMENTS]
        return [] if self.root is None else markup.compile_css(css, "html")(self.root)[:MAX_ELEMENTS]

    def first(self, css: str) -> str:
        """The first text that a CSS selector with `::text` or `::attr(…)` finds, trimmed, or nothing."""
        return next((text for found in self.select(css) if (text := str(found).strip())), "")


def fetch_page(session: Session, url: str, sent: Sent | None = None) -> Page:
    """The page at a URL.

    Args:
        session: It holds the secrets of `sent`.
        url: Where.
        sent: What goes along.

    Raises:
        QetchError: It does not come, comes with an error status, or as something else than a page or an answer.
    """
    from qetch.tools.new.arrivals import refusal, refuse_login, unreadable

    body = sent.data if sent else None
    answer = session.fetch("GET" if body is None else "POST", url, headers=sent.public if sent else None, json=body)
    if answer.status >= 400:
        raise refusal(answer.url, answer.status)
    page = Page(answer.url, answer.body, answer.headers.get("Content-Type", ""))
    wrong = unreadable(page)
    if wrong:
        raise RemoteError(f"{answer.url}: {wrong}")
    refuse_login(page, url)
    return page


def read_page(file: Path) -> Page:
    """A saved page, whose URL is still to be said.

    Raises:
        FileError: It cannot be read, is too large, or holds no page.
        AuthenticationError: It is a page to log in.
    """
    from qetch.tools.new.arrivals import refuse_login, unreadable

    try:
        with file.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(f"cannot read {file}: {error.strerror}") from None
    if len(body) > MAX_BYTES:
        raise FileError(f"{file} is larger than {MAX_BYTES:,} bytes, which is the most that a page may have")
    page = Page(str(file), body)
    if MARKUP.match(body[:2000]) and not page.says_xml:
        page = replace(page, content_type="text/html")
    wrong = unreadable(page)
    if wrong:
        raise FileError(f"{file}: {wrong}")
    refuse_login(page, page.url)
    return page
