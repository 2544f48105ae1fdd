"""The URL of a saved page, as the page itself says it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qetch.errors import FileError, InvalidURL

if TYPE_CHECKING:
    from qetch.tools.new.page import Page

COMMENT = re.compile(rb"<!-- saved from url=\(\d{4}\)(https?://[^\s<>]+) -->")
SELVES = (
    'link[rel="canonical"]::attr(href)',
    'meta[property="og:url"]::attr(content)',
    'link[rel="self"]::attr(href)',
)


def url_of(page: Page) -> str:
    """Where a page was saved from: what the browser wrote into it, or what the site says its URL is.

    Raises:
        FileError: It does not say.
    """
    from qetch.extractors.hosts import split

    comment = COMMENT.search(page.body[:4000])
    said = [comment[1].decode("ascii", "replace")] if comment else []
    for text in (*said, *(page.first(css) for css in SELVES if page.kind in ("html", "xml"))):
        try:
            return split(text)[1]
        except InvalidURL:
            continue
    raise FileError(f"{page.url} does not say which URL it was saved from - give the URL too")
