"""Who claims a URL, and why the others do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qetch.errors import QetchError
from qetch.extractors import find_extractor
from qetch.extractors.hosts import split
from qetch.extractors.registry import registry
from qetch.selectors.patterns import compiled, match_url, without_query

if TYPE_CHECKING:
    import regex

    from qetch.extractors import BaseExtractor
    from qetch.extractors.index import Entry

SECONDS = 0.1
"""For one regex on one part of a URL."""
AHEAD = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handle that does not take the URL.

    Attributes:
        site: Whose handle it is.
        why: In words, up to the character at which the regex fails.
        failed_at: The index of that character in `asked`, or None if the handle was not asked.
        asked: The URL as the regex sees it.
    """

    site: str
    handle: str
    why: str
    asked: str
    failed_at: int | None = None


@dataclass(slots=True)
class Claim:
    """Who takes a URL.

    Attributes:
        extractor: Its class, or None if nobody takes it.
        why: Why nobody does.
        captures: What the regex of the handle read in the URL.
        path: The spec's file, if it is a spec.
        status: `alive`, `broken` or `dead`, of the handle or else of the site, as the spec says; `note` says why.
        refusals: The other handles of the specs of this host.
        others: How many specs are of other hosts.
    """

    host: str
    extractor: type[BaseExtractor] | None = None
    handle: str = ""
    captures: dict[str, str | None] = field(default_factory=dict)
    path: str = ""
    status: str = "alive"
    note: str = ""
    why: str = ""
    error: QetchError | None = None
    refusals: list[Refusal] = field(default_factory=list)
    others: int = 0

    @property
    def site(self) -> str:
        """The name of who takes it."""
        return self.extractor.name if self.extractor else ""


def find_claim(url: str) -> Claim:
    """Who takes a URL, of all who could.

    Raises:
        InvalidURL: It is none that qetch can read.
    """
    host, asked = split(url)
    specs = registry()
    owners = specs.owners(url)
    claim = Claim(host, others=len(specs.entries) - len(owners))
    try:
        claim.extractor = find_extractor(url)
        claim.handle, match = claim.extractor.get_handle(url)
        claim.captures = match.groupdict()
    except QetchError as error:
        claim.error, claim.why = error, str(error)
    found = specs.match(url)
    if found and claim.site == found.entry.name:
        claim.path = found.entry.path
    site = getattr(claim.extractor, "site", None)
    for each in (site.handles[claim.handle], site) if site else ():
        if each.status != "alive":
            claim.status, claim.note = each.status, each.note
            break
    claim.refusals = [refusal for entry in owners for refusal in _refusals(entry, asked, claim)]
    return claim


def _refusals(entry: Entry, url: str, claim: Claim) -> list[Refusal]:
    refusals = []
    for handle, patterns in entry.handles.items():
        asked = without_query(url) if handle in entry.bare else url
        if entry.name == claim.site and handle == claim.handle:
            continue
        if any(match_url(pattern, asked) for pattern in patterns):
            refusals.append(Refusal(entry.name, handle, "it would take it too, but comes later", asked))
            continue
        ends = [end for pattern in patterns if (end := failing_point(pattern, asked)) is not None]
        if not ends:
            refusals.append(Refusal(entry.name, handle, "its regex takes too long", asked))
            continue
        refusals.append(Refusal(entry.name, handle, _why(asked, max(ends)), asked, max(ends)))
    return refusals


def _why(url: str, end: int) -> str:
    if end >= len(url):
        return "its regex wants more behind the end"
    ahead = url[end : end + AHEAD] + ("…" if end + AHEAD < len(url) else "")
    return f"its regex fails at character {end + 1}, at {ahead!r}"


def failing_point(pattern: str, url: str) -> int | None:
    """How many characters of a URL a regex that does not match it can take before it fails; None if it is too slow.

    >>> failing_point("https://a[.]example/p/[0-9]+$", "https://a.example/p/12x")
    22
    """
    expression = compiled(pattern)
    low, high = 0, len(url)
    try:
        while low < high:  # a text that can still become a match has only beginnings that can
            middle = (low + high + 1) // 2
            if _can_begin(expression, url[:middle]):
                low = middle
            else:
                high = middle - 1
    except TimeoutError:
        return None
    return low


def _can_begin(expression: regex.Pattern[str], text: str) -> bool:
    return expression.match(text, partial=True, timeout=SECONDS) is not None
