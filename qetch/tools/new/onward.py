"""The link from one page of a list to the next: by `rel`, by class, or by what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qetch.tools.new.elements import ASIDE_WORDS, ancestors, classes, name_of
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from qetch.tools.new.page import Page

MARKED = ('a[rel~="next"]::attr(href)', 'link[rel~="next"]::attr(href)', "a.next::attr(href)", ".next a::attr(href)")
WORDS = re.compile(
    r"(?:next|older|onward|onwards|forward|more|load more|show more|weiter|nächste|ältere|suivante?|siguiente|próxima"
    r"|avanti|volgende|dalej|далее|次へ|次|下一页|다음)(?: (?:page|posts|entries|pictures|photos|seite))?",
    re.IGNORECASE,
)
ARROWS = "→»›⟩▶≫>"
MAX_LINKS = 2000
DECIDE = "decide: does this lead to the next page, and is it absent on the last?"


def next_link(page: Page) -> Any:
    """The value that reads the URL of the next page, or None."""
    for css in MARKED:
        if page.first(css):
            return css
    for link in page.select("a[href]")[:MAX_LINKS]:
        if _leads_on(link, page):
            return Noted(_selector(link, page), DECIDE)
    return None


def _leads_on(link: Any, page: Page) -> bool:
    text = " ".join("".join(link.itertext()).split())[:40] or (link.get("aria-label") or "").strip()
    url = page.join(link.get("href") or "")
    if not text or not url or url.partition("#")[0] == page.url.partition("#")[0] or _is_trail(link):
        return False
    here, there = urlsplit(page.url), urlsplit(url)
    if here.netloc != there.netloc:
        return False
    plain = text.strip(ARROWS + " ")
    counted = bool(re.search(r"\d", there.path.rpartition("/")[2] + there.query))
    if WORDS.fullmatch(plain):
        return counted or "rel" in link.attrib or text != plain or there.path == here.path
    return not plain and counted and text[0] in ARROWS


def _is_trail(link: Any) -> bool:
    """Whether it stands among links to what is above the page."""
    trail = ASIDE_WORDS & {"breadcrumb", "breadcrumbs"} | {"crumbs"}
    return any(not trail.isdisjoint(classes(above)) for above in ancestors(link))


def _selector(link: Any, page: Page) -> Any:
    """By its class or id, if no other link has that; else by what it says."""
    name = name_of(link)
    if name != "a" and len(page.select(name)) == 1:
        return f"{name}::attr(href)"
    text = _plain("".join(link.itertext()))
    words = text.strip(ARROWS + " ") or text
    said = f"., '{words}'" if words else f"@aria-label, '{_plain(link.get('aria-label') or '')}'"
    return {"xpath": f"//a[contains({said})]/@href"}


def _plain(text: str) -> str:
    """A text as it can stand between quotes."""
    return " ".join(re.split(r"['\"].*", text, maxsplit=1)[0].split())[:40]
