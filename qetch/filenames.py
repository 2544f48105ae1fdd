"""The name of the file that a content becomes: safe on every system, and its own."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qetch.content import Content

MAX_NAME = 200
"""Bytes in UTF-8. Most file systems allow 255; the rest is for what is written beside it while it downloads."""

MAX_UID = 120
MAX_EXTENSION = 16
PLAIN = re.compile(r"(?:[0-9]{1,40}|[A-Za-z0-9_][A-Za-z0-9_-]{4,100})(?:\.[a-z0-9]{1,16})?")
"""Names that are safe everywhere, as most are: no device of Windows is called by digits alone, or by five letters."""
SCRIPTS = frozenset({"ashx", "asp", "aspx", "cfm", "cgi", "do", "jsp", "php", "php5"})
"""Suffixes of programs that make files: they say nothing of the file that comes out."""

_INVISIBLE = frozenset(
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Characters without a shape; those that turn the direction can make `gpj.exe` look like `exe.jpg`."""


def file_name(content: Content) -> str:
    """A name of one segment: `title [uid].ext`, or `uid.ext` without a title.

    It is in NFC, at most `MAX_NAME` bytes long in UTF-8, and legal on Linux, macOS and Windows. A title that is too
    long is cut; the uid and the extension are not. A uid that no file system would keep as it is gets a short hash
    of its true self, so that different contents do not meet in one file.
    """
    suffix = extension_of(content)
    tail = f".{suffix}" if suffix else ""
    uid = _safe_uid(content.uid)
    title = _safe(content.title or "").lstrip(" .-")
    title = _cut(title, MAX_NAME - len(f" [{uid}]{tail}".encode())).rstrip(" .")
    if title:
        return f"{title} [{uid}]{tail}"
    if uid[0] in ".-~":  # a hidden file, an option of a command, somebody's home
        uid = f"_{uid}"
    return _unreserved(f"{uid}{tail}")


def plain_name(content: Content) -> str:
    """A name without the uid, `title.ext`, with the same guarantees except that it is not the content's alone."""
    suffix = extension_of(content)
    tail = f".{suffix}" if suffix else ""
    if content.title and PLAIN.fullmatch(f"{content.title}{tail}"):
        return f"{content.title}{tail}"
    title = _safe(content.title or "").lstrip(" .-~")
    title = _cut(title, MAX_NAME - len(tail)).rstrip(" .")
    return _unreserved(f"{title}{tail}") if title else file_name(content)


def safe_name(text: str) -> str:
    """A text as the name of a file or a folder, with the same guarantees; two texts may become the same name."""
    if PLAIN.fullmatch(text):
        return text
    name = _safe(text) or "_"
    if len(name.encode()) > MAX_NAME:
        from hashlib import sha256

        suffix = _extension(text.rpartition(".")[2])
        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        tail = f"-{digest}.{suffix}" if suffix else f"-{digest}"
        name = _cut(name, MAX_NAME - len(tail)).rstrip(" .") + tail
    return _unreserved(f"_{name}" if name[0] in ".-~" else name)


PLAIN_URL = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]+)?/(?:[\w./-]*/)?[\w-]+\.([a-z][a-z0-9]{0,9})", re.ASCII)
"""URLs that end with a plain name and its extension, as most do."""


def extension_of(content: Content) -> str:
    """The file's extension in lower case and without a dot: the content's, else that of its URL, else ""."""
    given = _extension((content.extension or "").lstrip("."))
    return given or _url_extension(content.fragments[0] if content.fragments else "")


def _url_extension(url: str) -> str:
    plain = PLAIN_URL.fullmatch(url)
    if plain:
        return plain[1] if plain[1] not in SCRIPTS else ""
    from urllib.parse import unquote, urlsplit

    try:
        path = urlsplit(url).path
    except ValueError:  # not a URL; the downloader will say so
        return ""
    stem, dot, suffix = unquote(path.rpartition("/")[2]).rpartition(".")
    extension = _extension(suffix) if stem and dot else ""
    named = extension == suffix.lower() and any(map(str.isalpha, extension))
    return extension if named and extension not in SCRIPTS else ""


@lru_cache(256)
def _extension(text: str) -> str:
    """The part of the text that is an extension: letters and digits, such as `tar.gz`; "" if it is too long."""
    if text.isascii() and text.isalnum() and len(text) <= MAX_EXTENSION:
        return text.lower()
    end = next((at for at, char in enumerate(text) if not (char.isascii() and (char.isalnum() or char == "."))), None)
    extension = ".".join(filter(None, text[:end].split("."))).lower()
    return extension if len(extension) <= MAX_EXTENSION else ""


def _safe_uid(uid: str) -> str:
    """The uid, never empty; with a hash of the true one where it had to change."""
    safe = _cut(_safe(uid), MAX_UID).rstrip(" .")
    if safe and safe == unicodedata.normalize("NFC", uid):
        return safe
    from hashlib import sha256

    digest = sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{safe}-{digest}" if safe else digest


def _safe(text: str) -> str:
    """The text as a part of a file name; may be empty."""
    from pathvalidate import sanitize_filename

    shaped = "".join(_shaped(char) for char in unicodedata.normalize("NFC", text))
    shaped = " ".join(shaped.split()).rstrip(" .")
    length = len(shaped.encode()) + 1  # for the library's own limit cuts inside a character
    safe = sanitize_filename(
        shaped,
        replacement_text="_",
        platform="universal",
        max_len=length,
        reserved_name_handler=lambda error: error.reserved_name,  # that is about whole names: see `_unreserved`
    )
    return unicodedata.normalize("NFC", str(safe))


def _shaped(char: str) -> str:
    if char in _INVISIBLE:
        return ""
    category = unicodedata.category(char)
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    return "_" if category == "Cs" else char


def _cut(text: str, limit: int) -> str:
    """The longest beginning of at most `limit` bytes that breaks no character, joined emoji and accents included."""
    if len(text.encode()) <= limit:
        return text
    from qetch.selectors.patterns import compiled

    length = end = 0
    for match in compiled(r"\X").finditer(text):
        length += len(match[0].encode())
        if length > limit:
            break
        end = match.end()
    return text[:end]


def _unreserved(name: str) -> str:
    """The name, with a `_` before it where Windows takes it for a device, whatever its extension (`con.txt`)."""
    from pathvalidate import sanitize_filename

    stem = name.partition(".")[0].rstrip()
    reserved = stem.upper() in {"CONIN$", "CONOUT$"} or stem != sanitize_filename(stem, platform="universal")
    return f"_{name}" if reserved else name
