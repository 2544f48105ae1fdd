"""CSS selectors for elements, made of names that people gave and not of what a machine numbered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.tools.new import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME = re.compile(r"[A-Za-z_][A-Za-z_-]*[A-Za-z]|[A-Za-z]+")
MAX_CLASSES = 2
ASIDE = frozenset(("nav", "header", "footer", "aside", "noscript", "template", "form"))
ASIDE_WORDS = frozenset(
    (
        *("nav", "navigation", "menu", "header", "footer", "sidebar", "avatar", "avatars", "logo", "ad", "ads"),
        *("advert", "sponsor", "sponsored", "related", "recommended", "comments"),
        *("breadcrumb", "breadcrumbs", "social", "share"),
    )
)
MAX_UP = 30
LAZY = ("data-original", "data-full", "data-src", "data-lazy-src", "data-lazy", "src")
"""Where pages keep the URL of a picture, the real one first."""


def tag(element: Any) -> str:
    """An element's name; nothing for comments and the like."""
    return element.tag if isinstance(element.tag, str) else ""


def name_of(element: Any) -> str:
    """A selector for elements such as this: its tag with the classes that look meant, or its id.

    >>> from lxml.html import fromstring
    >>> name_of(fromstring('<li class="thumb x9f3a1 wide">')), name_of(fromstring('<ul id="pics">'))
    ('li.thumb.wide', 'ul#pics')
    """
    plain = tag(element) if re.fullmatch(r"[a-z][a-z0-9]*", tag(element)) else "*"
    ident = element.get("id") or ""
    if NAME.fullmatch(ident) and len(ident) <= 40:
        return f"{plain}#{ident}"
    return plain + "".join(f".{name}" for name in classes(element)[:MAX_CLASSES])


def classes(element: Any) -> list[str]:
    """The classes that look meant by a person."""
    found = (element.get("class") or "")[:1000].split()
    return [name for name in dict.fromkeys(found) if NAME.fullmatch(name) and 2 <= len(name) <= 40]


def ancestors(element: Any) -> Iterator[Any]:
    """The elements around one, nearest first; not all of a page that is nested without end."""
    for number, above in enumerate(element.iterancestors()):
        if number >= MAX_UP:
            return
        yield above


def is_aside(element: Any) -> bool:
    """Whether an element stands in what frames a page."""
    for above in (element, *ancestors(element)):
        if tag(above) in ASIDE or (tag(above) not in ("body", "html") and _says_aside(above)):
            return True
    return False


def _says_aside(element: Any) -> bool:
    """Whether a class or the id says so; `icon` does as the first word only, for there is gallery-icon."""
    for name in (*classes(element), element.get("id") or ""):
        said = shapes.words(name)
        if not ASIDE_WORDS.isdisjoint(said) or said[:1] in (("icon",), ("icons",)):
            return True
    return False


def picture_url(image: Any) -> tuple[str, str]:
    """The attribute of an `<img>` that holds its URL, and the URL."""
    for attribute in LAZY:
        text = (image.get(attribute) or "").strip()
        if text and not text.startswith("data:"):
            return attribute, text
    return "", ""


def is_tiny(image: Any) -> bool:
    """Whether an `<img>` says that it is no bigger than an icon."""
    sizes = [image.get(side) or "" for side in ("width", "height")]
    return any(size.isascii() and size.isdecimal() and len(size) < 6 and int(size) <= 32 for size in sizes)


def is_icon(image: Any) -> bool:
    """Whether an `<img>` in a link is an icon: as tiny, and square; small pictures are not."""
    sides = [image.get(side) or "" for side in ("width", "height")]
    return is_tiny(image) and not (
        all(map(str.isdecimal, sides)) and sides[0] != sides[1] and max(map(int, sides)) > 16
    )


def one_of(css: str, xpath: str, attribute: str, texts: Sequence[str], number: int) -> Any:
    """A value that reads one of several elements: by the extension that it alone has, else by its position.

    Args:
        css: What finds them all.
        xpath: The same, as XPath.
        attribute: The attribute to read.
        texts: What it holds, for each of them.
        number: Which of them, from 0.
    """
    extension = shapes.extension_of(texts[number])
    if [shapes.extension_of(text) for text in texts].count(extension) == 1 and extension:
        return f'{css}[{attribute}*=".{extension}"]::attr({attribute})'
    return {"xpath": f"({xpath})[{number + 1}]/@{attribute}"}


def quoted(text: str) -> str | None:
    """A text as it stands in an attribute selector, or None if it had better not."""
    return f'"{text}"' if re.fullmatch(r"[\w:./+; =-]{1,100}", text) else None
