"""HTML and XML: documents, CSS, XPath and visible text. Owner of `parsel`, `lxml` and `w3lib`."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH = 2000
"""Characters of one selector."""
BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figcaption"),
        *("figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol"),
        *("option", "p", "pre", "section", "table", "td", "th", "tr", "ul"),
    )
)
"""Elements at whose ends a line ends."""
HIDDEN = frozenset(("head", "noscript", "script", "style", "template"))
_blanks = re.compile(r"[^\S\n]+")
_lines = re.compile(r" ?\n[ \n]*")
_any_blanks = re.compile(r"\s+")


class BadMarkup(ValueError):
    """A text is not the markup that it should be."""


Node = etree._Element  # noqa: SLF001 - lxml has no public name for the type
Find = Any


def parse(kind: str, body: bytes | str, content_type: str = "") -> Node:
    """The root element of an HTML or XML text.

    Raises:
        BadMarkup: It is XML and not well-formed, or there is nothing in it.
    """
    return _parse_xml(body) if kind == "xml" else _parse_html(body, content_type)


def _parse_html(body: bytes | str, content_type: str) -> Node:
    from parsel import Selector

    if isinstance(body, bytes):
        from w3lib.encoding import html_to_unicode

        body = html_to_unicode(content_type or None, body, default_encoding="utf8")[1]
    root = Selector(text=body.replace("\x00", ""), type="html", huge_tree=False).root
    if not isinstance(root, Node):
        raise BadMarkup("nothing in it")
    return root


def _parse_xml(body: bytes | str) -> Node:
    """Namespaces are dropped, for a selector has no way to declare a prefix; entities are not resolved."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(body if isinstance(body, bytes) else body.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadMarkup(str(error).split("(<string>")[0].strip()) from None
    for element in root.iter("{*}*"):
        element.tag = etree.QName(element).localname
        for name in [name for name in map(str, element.attrib) if name.startswith("{")]:
            element.set(name.rpartition("}")[2], str(element.attrib.pop(name)))
    return root


@lru_cache(maxsize=4096)
def css_to_xpath(css: str, kind: str, prefix: str = "descendant-or-self::") -> str:
    """The XPath of a CSS selector with parsel's `::text` and `::attr(name)`.

    Raises:
        ValueError: The selector is wrong; the message says how.
    """
    from cssselect import ExpressionError, SelectorSyntaxError
    from parsel.csstranslator import GenericTranslator, HTMLTranslator

    if len(css) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH} characters")
    translator = HTMLTranslator() if kind == "html" else GenericTranslator()
    try:
        return str(translator.css_to_xpath(css, prefix))
    except (SelectorSyntaxError, ExpressionError) as error:
        raise ValueError(_lower_first(str(error))) from None
    except RecursionError:
        raise ValueError("nested too deep") from None


def gives_text(css: str) -> bool:
    """Whether a CSS selector ends in `::text` or `::attr(…)`."""
    return bool(re.search(r"::(text|attr\([^)]*\))\s*$", css))


@lru_cache(maxsize=4096)
def compile_xpath(xpath: str) -> Callable[[Node], list[Any]]:
    """A function from an element to the list of elements or texts that the XPath finds.

    Raises:
        ValueError: The XPath is wrong; the message says how.
    """
    if len(xpath) > 2 * MAX_LENGTH:
        raise ValueError(f"longer than {2 * MAX_LENGTH} characters")
    if re.search(r"\bre:\w+\(", xpath):
        raise ValueError("the re: functions of XPath have no time limit: use `regex`")
    try:
        run = etree.XPath(xpath, regexp=False)
        run(_empty_document())  # names of functions, prefixes and variables are only looked up at run
    except etree.XPathError as error:
        raise ValueError(_lower_first(str(error))) from None

    def find(node: Node) -> list[Any]:
        result = run(node)
        if isinstance(result, list):
            return result
        return [_number_text(result)] if isinstance(result, float) else [result]

    return find


@lru_cache(maxsize=1)
def _empty_document() -> Node:
    return etree.fromstring("<html/>")


def _number_text(number: float) -> str:
    return str(int(number)) if number.is_integer() else str(number)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def compile_css(css: str, kind: str) -> Callable[[Node], list[Any]]:
    """As `compile_xpath`, for CSS: the element itself and all below it are looked at."""
    return compile_xpath(css_to_xpath(css, kind))


def compile_matches(css: str, kind: str) -> Callable[[Node], bool]:
    """A function that says whether a CSS selector matches the element itself."""
    find = compile_xpath(css_to_xpath(css, kind, "//"))
    last: tuple[Any, frozenset[Any]] = (None, frozenset())

    def matches(node: Node) -> bool:
        nonlocal last
        root, (known_root, matching) = node.getroottree().getroot(), last
        if known_root is not root:  # all rows of a page ask, and the answer for the page is one set
            matching = frozenset(find(root))
            last = root, matching
        return node in matching

    return matches


def visible_text(node: Any) -> str:
    """What a reader sees of an element: lines kept, blanks collapsed, trimmed. A text comes back as it is."""
    if not isinstance(node, Node):
        return str(node)
    parts: list[str] = []
    _collect(node, parts)
    text = _blanks.sub(" ", "".join(parts).replace("\u00a0", " "))
    return _lines.sub("\n", text).strip()


def _collect(top: Node, parts: list[str]) -> None:
    skipped = 0
    for event, node in etree.iterwalk(top, events=("start", "end", "comment", "pi")):
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            skipped += tag in HIDDEN
            if not skipped:
                parts += ["\n"] if tag in BLOCKS and tag != "br" else []
                parts.append(_folded(node.text))
        else:
            parts += ["\n"] if tag in BLOCKS and not skipped else []
            skipped -= event == "end" and tag in HIDDEN
            if node is not top and not skipped:
                parts.append(_folded(node.tail))


def _folded(text: str | None) -> str:
    return _any_blanks.sub(" ", text) if text else ""


def text_of_html(text: str) -> str:
    """The visible text of a piece of HTML."""
    if "<" not in text:
        return _any_blanks.sub(" ", unescape(text)).strip()
    return visible_text(parse("html", text))
