"""What an HTML page says of its item in its body: a caption, and labelled facts such as who and when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.tools.new import shapes
from qetch.tools.new.elements import is_aside, name_of
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.tools.new.page import Page

LABELS = (("dt", "dd"), ("th", "td"))
WHEN = frozenset(("when", "date", "published", "posted", "uploaded", "taken", "added", "released", "created"))
WHO = frozenset(("who", "by", "author", "artist", "photographer", "uploader", "creator", "credit", "photo by"))
WHEN_CLASSES = ("time", ".date", ".published", ".posted", ".uploaded")
WHO_CLASSES = ('a[rel="author"]', ".author a", ".by a", ".byline a", ".author", ".artist", ".photographer", ".uploader")
MAX_LABELS = 200
LONGEST = 60
"""Characters of a name."""


def caption(page: Page) -> str:
    """The selector for the one caption of a page, or nothing."""
    found = page.select("figcaption")
    return "figcaption" if len(found) == 1 and _text(found[0]) else ""


def person(page: Page) -> Any:
    """The selector for who made the item, or None."""
    for selector, text in _said(page, WHO, WHO_CLASSES):
        if 2 <= len(text) <= LONGEST and not text.lower().startswith("by "):
            return selector
    return None


def date(page: Page) -> Any:
    """The value that reads when the item was made or published, or None."""
    for selector, text in _said(page, WHEN, WHEN_CLASSES):
        found = shapes.date_in(text)
        if found:
            words = {} if found.text == text else {"regex": found.regex}
            value = {**(selector if isinstance(selector, dict) else {"css": selector}), **words, "date": found.formats}
            return Noted(value, ZONE) if found.has_time else value
    return None


ZONE = "decide: in which time zone (`tz`)? UTC, if none is said"


def _said(page: Page, labels: frozenset[str], names: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
    """Selectors and texts: of what stands behind a label, and of what has a name."""
    for label, fact in LABELS:
        for element in page.select(label)[:MAX_LABELS]:
            behind = next(iter(element.xpath(f"following-sibling::{fact}[1]")), None)
            said = _text(element).strip(" :").lower()
            if said in labels and behind is not None and not is_aside(behind):
                yield _selector(page, behind, label, fact, _text(element)), _text(behind)
    for css in names:
        found = [element for element in page.select(css)[:2] if not is_aside(element)]
        if len(found) == 1:
            yield css, _text(found[0])


def _selector(page: Page, behind: Any, label: str, fact: str, text: str) -> Any:
    name = name_of(behind)
    if name != fact and len(page.select(name)) == 1:
        return name
    return {"xpath": f"//{label}[normalize-space() = '{re.sub(chr(39), '', text)}']/following-sibling::{fact}[1]"}


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())[:200]
