"""The extractor for URLs of files that no site claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from qetch.content import Content
from qetch.extractors._common import BaseExtractor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regex import Match

WEB_PAGES = r"(?:[xsm]?html?|php[0-9]?|phtml|asp|as[phm]x|jsp[xf]?|jsf|cfm|cgi|do|action)"
"""A regex of the extensions of what is a page, or a program that makes one."""


class GenericExtractor(BaseExtractor, register=False):
    """Takes the URL of a file as it is: its last path segment ends in an extension that is not a web page's."""

    name = "generic"
    description = "Any file by its own URL."
    handles: ClassVar[dict[str, str]] = {
        "file": r"(?i)^https?://[^/?#]+/(?:[^?#]*/)?(?P<stem>[^/?#]+)"
        rf"\.(?!{WEB_PAGES}(?:[?#]|$))(?=[0-9]*[a-z])(?P<extension>[a-z0-9]{{1,10}})(?:[?#]|$)"
    }

    def handle_file(self, source: str, match: Match[str]) -> Iterator[list[Content]]:
        """Yields one list with one content: the file itself.

        Args:
            source: The URL.
            match: With the groups `stem`, the name of the file, and `extension`.

        Raises:
            InvalidURL: It is not a URL that qetch can read.
        """
        from hashlib import sha256
        from urllib.parse import unquote

        from qetch.extractors.hosts import split

        split(source)
        url = source.partition("#")[0]
        digest = sha256(url.encode()).hexdigest()[:16]
        yield [
            Content(
                f"{self.name}-{digest}",
                source,
                [url],
                self,
                extension=match["extension"].lower(),
                title=unquote(match["stem"]).strip() or None,
                quality=1.0,
            )
        ]
