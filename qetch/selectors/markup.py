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
_literal = re.compile(r"\"[^\"]*\"|'[^']*'")
_prefixed = re.compile(r"(?<!:)\b[\w.-]+:[\w*]")
_call = re.compile(r"([A-Za-z_][\w.-]*)\s*\(")
_any_blanks = re.compile(r"\s+")


class BadMarkup(ValueError):
    """A text is not the markup that it should be."""


Node = etree._Element  # noqa: SLF001 - lxml has no public name for the type
Find = Any


def parse(kind: str, body: bytes | str, content_type: str = "") -> Node:
    """The root element of an HTML or XML text.

    Raises:
        BadMarkup: It is XML and not well-formed, it is nested too deep, or there is nothing in it.
    """
    return _parse_xml(body) if kind == "xml" else _parse_html(body, content_type)


def _parse_html(body: bytes | str, content_type: str) -> Node:
    if isinstance(body, bytes):
        from w3lib.encoding import html_to_unicode

        body = html_to_unicode(content_type or None, body, default_encoding="utf8")[1]
    text = body.replace("\x00", "").strip()
    parser = etree.HTMLParser(encoding="utf8", huge_tree=True)
    root = etree.fromstring(text.encode("utf8", "replace") or b"<html/>", parser)
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise BadMarkup("nested too deep")  # the parser would leave out the rest in silence
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
    _check_names(xpath)
    return _finder(xpath)


@lru_cache(maxsize=4096)
def _finder(xpath: str) -> Callable[[Node], list[Any]]:
    run = _compiled(xpath)

    def find(node: Node) -> list[Any]:
        result = run(node)
        if isinstance(result, list):
            return result
        return [_number_text(result)] if isinstance(result, float) else [result]

    return find


def _compiled(xpath: str) -> Any:
    try:
        return etree.XPath(xpath, regexp=False)
    except etree.XPathError as error:
        raise ValueError(_lower_first(str(error))) from None


def _check_names(xpath: str) -> None:
    """Looks at what libxml2 looks up only when it comes to it: functions, their arguments, prefixes and variables.

    Raises:
        ValueError: There is none of that name.
    """
    plain = _literal.sub(lambda found: "'" + " " * (len(found[0]) - 2) + "'", xpath)
    if "$" in plain:
        raise ValueError("there are no variables here")
    if _prefixed.search(plain):
        raise ValueError("namespaces are dropped: write the name without its prefix")
    for call in _call.finditer(plain):
        if call[1] not in ("and", "or", "div", "mod"):
            written = xpath[call.start() : _end_of_call(plain, call.end())]
            try:
                _compiled(f"self::node()[{written}]")(_empty_document())
            except etree.XPathError as error:
                raise ValueError(_lower_first(str(error))) from None


def _end_of_call(xpath: str, start: int) -> int:
    """The index behind the parenthesis that closes the one before `start`."""
    depth = 1
    for i in range(start, len(xpath)):
        depth += {"(": 1, ")": -1}.get(xpath[i], 0)
        if not depth:
            return i + 1
    return len(xpath)


@lru_cache(maxsize=1)
def _empty_document() -> Node:
    return etree.fromstring("<html/>")


def _number_text(number: float) -> str:
    return str(int(number)) if number.is_integer() else str(number)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def compile_css(css: str, kind: str) -> Callable[[Node], list[Any]]:
    """As `compile_xpath`, for CSS: the element itself and all below it are looked at."""
    return _finder(css_to_xpath(css, kind))


def compile_matches(css: str, kind: str) -> Callable[[Node], bool]:
    """A function that says whether a CSS selector matches the element itself."""
    find = _finder(css_to_xpath(css, kind, "//"))
    last: tuple[Any, frozenset[Any]] = (None, frozenset())

    def matches(node: Node) -> bool:
        nonlocal last
        root, (known_root, matching) = node.getroottree().getroot(), last
        if known_root is not root:  # all rows of a page ask, and the answer for the page is one set
            matching = frozenset(find(root))
            last = root, matching
        return node in matching

    return matches


def base_of(root: Node) -> str:
    """What a page says that its relative URLs are relative to, in `<base href>`; "" if it says nothing."""
    found = root.find(".//base[@href]")
    return "" if found is None else found.get("href", "").strip()


class Html:
    """A piece of HTML that was a text; it is parsed when a selector looks into it."""

    __slots__ = ("_root", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._root: Node | None = None

    @property
    def root(self) -> Node:
        """Its root element."""
        if self._root is None:
            self._root = _parse_html(self.text, "")
        return self._root


def visible_text(node: Any) -> str:
    """What a reader sees of markup: lines kept, blanks collapsed, trimmed. A text comes back as it is."""
    if isinstance(node, Html):
        if "<" not in node.text:  # most titles are plain, and thousands of rows ask
            return _any_blanks.sub(" ", unescape(node.text)).strip()
        node = node.root
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
