"""URLs as sites write them in their answers."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin

from qetch.selectors.jmes import DoesNotFit

_control = re.compile(r"[\x00-\x1f\x7f]")
_web_url = re.compile(
    r"https?://(?:\[[0-9a-f:.]+\](?::\d+)?|[^\x00-\x20\x7f/?#%\[\]]+)(?:[/?#][^\x00-\x20\x7f]*)?", re.IGNORECASE
)


def absolute(base: str, text: str) -> str:
    """What a site writes as a URL, joined to that of its place.

    Raises:
        DoesNotFit: It is no http or https URL.
    """
    url = text.strip().replace(" ", "%20")  # as browsers do
    if url and not url.startswith(("https:", "http:")) and not _control.search(url):
        try:
            url = urljoin(base, url)
        except ValueError:
            url = ""
    if not _web_url.fullmatch(url):
        raise DoesNotFit(f"{text[:80]!r} is no http or https URL")
    return url


def has_dots(url: str) -> bool:
    """Whether a segment of a URL's path is `.` or `..`, with which it would climb out of its place."""
    path = url.partition("?")[0].partition("#")[0]
    return "." in path.replace("%2E", ".").replace("%2e", ".") and any(
        unquote(segment) in (".", "..") for segment in path.split("/")
    )
