"""What may come instead of a page or an answer, and what helps: files, broken JSON, logins, missing pages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qetch.engine.reading import read_json
from qetch.errors import OUTCOMES, STATUS_OUTCOMES, AuthenticationError, Forbidden, NotFound
from qetch.selectors import markup
from qetch.tools.new.elements import ancestors, classes, tag
from qetch.tools.new.page import BOM, MARKUP

if TYPE_CHECKING:
    from qetch.errors import QetchError
    from qetch.tools.new.page import Page

SAVE = "save the page in a browser, and give it with --page FILE"
LOG_IN = "log in with a browser, save the page there, and give it with --page FILE"
CALLED = "this is JSON inside a call (JSONP): ask without the entry `callback` of the query"
STATUS_CURES = {
    401: f"send what it wants with --header 'Name: value'; or {LOG_IN}",
    403: SAVE,
    404: "there is no such page: check the URL in a browser",
    410: "the page was removed: take the URL of another one",
    429: f"wait a while; or {SAVE}",
    451: "it is not shown in this country",
}
FILES = {
    b"\x89PNG\r\n": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"RIFF": "a WebP picture, or sound",
    b"\x1aE\xdf\xa3": "a WebM or MKV video",
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "something packed by gzip",
    b"ID3": "an MP3",
    b"OggS": "an Ogg file",
}
"""What begins so."""
JSON_START = re.compile(rb'\s*(?:\{\s*["}]|\[\s*[\[{"\]\d-])')
ARCHIVE = re.compile(rb"(?:From: <Saved by|MIME-Version:)", re.IGNORECASE)
CALL = re.compile(rb"\s*(?:/\*\*/)?\s*[\w.$]{1,80}\(\s*[\[{]")
LOGIN = re.compile(r"\b(?:log[ _-]?in|sign[ _-]?in|anmelden|connexion|iniciar|accedi)\b", re.IGNORECASE)
MISSING = re.compile(
    r"\b404\b|\bnot found\b|\b(?:does not|doesn't) exist\b|\bno longer (?:available|exists?)\b"
    r"|\b(?:has been|was) (?:removed|deleted)\b",
    re.IGNORECASE,
)
CHALLENGE = re.compile(
    r"\bjust a moment\b|\battention required\b|\bchecking your browser\b|\bcaptcha\b|\baccess denied\b"
    r"|\bare you (?:a )?(?:human|robot)\b",
    re.IGNORECASE,
)
STATE = re.compile(r"(?:\A\s*|\w\s*=\s*)[\[{]\s*[\[{]?\s*\"[\w@ -]{1,60}\"\s*:\s*[\[{]")
"""JSON in a script, of more than one level."""
FRAMES = frozenset(("nav", "header", "footer", "aside", "dialog", "template"))
POPUPS = frozenset(("modal", "popup", "dialog", "dropdown", "overlay"))
LITTLE_TEXT = 400
"""Characters of a page that a browser fills in later, at most."""


def refusal(url: str, status: int) -> QetchError:
    """The error for an HTTP status of 400 or more."""
    outcome = OUTCOMES[STATUS_OUTCOMES.get(status, "remote")]
    cure = f"the site fails: try later; or {SAVE}" if status >= 500 else STATUS_CURES.get(status, SAVE)
    return outcome(f"{url}: the site answered {status} - {cure}")


def unreadable(page: Page) -> str:
    """Why a body is neither a page nor an answer, with the cure; an empty text if it may be one."""
    if page.kind_of_file:
        return ""  # that the URL is the file's own is good news, which `compose` tells
    if not page.body.removeprefix(BOM).strip():
        return f"the answer is empty - if there is something to see, {SAVE}"
    kind = _file_kind(page.body)
    if kind:
        return f"this is {kind}, and no page or answer - give the page that shows it (a file itself: `qetch get URL`)"
    if ARCHIVE.match(page.body[:200]):
        return 'this is a web archive (MHTML) - save the page again as "HTML only"'
    return _broken(page)


def _file_kind(body: bytes) -> str:
    named = next((kind for start, kind in FILES.items() if body.startswith(start)), "")
    if not named and body[4:8] == b"ftyp":
        return "an MP4 video"
    is_utf_16 = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    return named or ("something binary" if b"\x00" in body[:2000] and not is_utf_16 else "")


def _broken(page: Page) -> str:
    """Where JSON or XML ends being such."""
    if page.says_xml and page.xml is None:
        try:
            markup.parse("xml", page.body)
        except ValueError as error:
            return f"the XML is broken: {error} - is the whole answer here?"
    says_json = "json" in page.content_type.lower() and not MARKUP.match(page.body[:2000])
    if page.json is not None or not (says_json or JSON_START.match(page.body[:2000])):
        return ""
    if CALL.match(page.body[:2000]):
        return CALLED
    try:
        read_json(page.body)
    except json.JSONDecodeError as error:
        where = f"at line {error.lineno}, column {error.colno}"
        return f"the JSON is broken {where} ({error.msg}) - is the whole answer here, and nothing else?"
    except ValueError as error:
        return f"this is {error} - qetch reads JSON strictly"
    return ""


def refuse_login(page: Page, asked: str) -> None:
    """Stops at a page that wants a login, to which a URL led.

    Raises:
        AuthenticationError: It is one.
    """
    if page.root is None:
        return
    fields = [field for field in page.select('input[type="password"]') if not _is_framed(field)]
    led = page.url != asked and LOGIN.search(urlsplit(page.url).path.replace("/", " "))
    if fields and (led or LOGIN.search(_headline(page))):
        raise AuthenticationError(f"{page.url} is a page to log in - {LOG_IN}")


def _is_framed(field: Any) -> bool:
    """Whether a field stands in what many pages have around them, or hidden."""
    return any(tag(above) in FRAMES or not POPUPS.isdisjoint(classes(above)) for above in ancestors(field))


def refuse_gate(page: Page) -> None:
    """Stops at a page on which nothing was found, if it says why.

    Raises:
        NotFound: It says that there is no such page.
        Forbidden: It wants to see a browser first.
    """
    said = _headline(page)
    if MISSING.search(said):
        raise NotFound(f"{page.url}: the page says {said[:60]!r} - check the URL in a browser")
    if CHALLENGE.search(said):
        raise Forbidden(f"{page.url}: the page says {said[:60]!r}: it wants to see a browser - {SAVE}")


def _headline(page: Page) -> str:
    """What the title and the first heading of an HTML page say."""
    if page.root is None:
        return ""
    return " ".join(f"{page.first('title::text')} {page.first('h1::text')}".split())[:300]


def advice(page: Page) -> str:
    """What helps where nothing was found."""
    if page.kind == "json":
        return "this JSON names no file's URL: is there a request of the page that does, or is the URL made of an id?"
    if page.kind == "xml":
        return "this XML names no file's URL: is there another feed, or a page behind each <link>?"
    if page.kind == "text":
        if CALL.match(page.body[:2000]):
            return CALLED
        return "this is neither HTML nor JSON nor XML: give the URL of the page, or of the request it makes"
    if any(STATE.search(script.text or "") for script in page.select("script")[:100]):
        return "its data are JSON in a <script>, which names no file's URL: is the URL made of an id?"
    if page.select("script") and len(markup.visible_text(page.root)) < LITTLE_TEXT:
        return "a browser fills this page in later: find the JSON that it asks for, and give that URL too, with --api"
    return "its pictures may be only decoration, or on the pages that it links to: give `qetch new` the URL of one"
