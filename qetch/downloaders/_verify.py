"""Is it what was promised: an answer before it is saved, a file before it gets its name."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.downloaders._part import file_errors
from qetch.errors import OUTCOMES, STATUS_OUTCOMES, BadFile, Gone, QetchError, RateLimited, RemoteError, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qetch.content import Content
    from qetch.network import Response

PAGES = frozenset({"asp", "aspx", "htm", "html", "jsp", "mht", "mhtml", "php", "shtml", "xht", "xhtml"})
"""Extensions of files that are web pages."""

TEXTS = frozenset({"css", "js", "json", "md", "rst", "svg", "txt", "xml"})
"""Extensions of texts, which may begin as a web page does."""

PIECE = 1 << 20
"""Bytes of a file that are read at once."""

PASSING = frozenset({408, 500, 502, 503, 504})
"""Statuses of a host that may be well again soon."""

ALGORITHMS = {"md5": 32, "sha1": 40, "sha256": 64}
"""How many hexadecimal digits each has."""


@lru_cache(64)
def shown(url: str) -> str:
    """A URL as messages show it: what follows the `?` may open somebody's door."""
    address, question, _ = url.partition("#")[0].partition("?")
    scheme, slashes, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}{question and '?…'}"


def status_of(response: Response) -> str:
    """The status as messages show it: its number, and its reason if that is a short plain text."""
    reason = response.reason or ""
    plain = isinstance(reason, str) and reason.isascii() and reason.isprintable() and len(reason) <= 60
    return f"{response.status_code} {reason}".strip() if plain else str(response.status_code)


def refuse_outcome(response: Response, gone: Sequence[str]) -> None:
    """Raises what an answer means, unless it is a success.

    Args:
        response: The answer after all redirects.
        gone: Regexes of final URLs that mean: the file was removed.

    Raises:
        Gone: The final URL is one of those.
        SpecError: One of the regexes does not come to an end.
        QetchError: What the status stands for, see `qetch.errors.STATUS_OUTCOMES`.
    """
    if gone and _is_gone(response.url, gone):
        raise Gone(f"{shown(response.url)}: the file was removed from its host")
    if response.status_code < 400:
        return
    error = _outcome(response, f"{shown(response.url)}: the host answered {status_of(response)}")
    error.status = response.status_code
    raise error


def _outcome(response: Response, message: str) -> QetchError:
    outcome = OUTCOMES[STATUS_OUTCOMES.get(response.status_code, "remote")]
    if response.status_code in PASSING:
        return RemoteError(message, passing=True, wait=retry_after(response.headers))
    if outcome is RateLimited:
        return RateLimited(f"{message} - too many requests: wait, and try again", retry_after(response.headers))
    return outcome(message)


def _is_gone(url: str, gone: Sequence[str]) -> bool:
    from qetch.selectors.patterns import PatternTooSlow, compiled, search

    try:
        return any(search(compiled(pattern), url) for pattern in gone)
    except PatternTooSlow as error:
        raise SpecError(f"{shown(url)}: {error}") from None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds a host asks to wait; None if it says nothing that can be understood."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal() and text.isascii() and len(text) < 10:
        return float(text)
    moment = _moment(text)
    return None if moment is None else max(moment - time.time(), 0.0)


def last_modified(headers: Mapping[str, str]) -> float | None:
    """When a host says that a file was last modified, as a POSIX timestamp; None if it says nothing useful."""
    moment = _moment(headers.get("Last-Modified", ""))
    return moment if moment is not None and moment >= 0 else None


def _moment(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def refuse_length(content: Content | None, size: int, *, whole: bool) -> None:
    """Refuses a length that cannot become the one that the site gave, before more is received.

    Args:
        content: What is downloaded.
        size: In bytes: of the whole file, or of what was received of it.
        whole: Which of both.

    Raises:
        BadFile: It is too long, or too short for a whole file.
    """
    if content is None or content.size is None:
        return
    if size > content.size or (whole and size < content.size):
        atleast = "" if whole else "at least "
        raise BadFile(f"{content.uid}: the file has {atleast}{size} bytes, where the site says {content.size}")


def is_page(content_type: str, start: bytes, extension: str) -> bool:
    """Whether an answer is a web page where another kind of file was promised.

    Args:
        content_type: The header.
        start: The first bytes of the body.
        extension: Of the file that was promised; "" if nobody knows.
    """
    if extension in PAGES:
        return False
    if content_type.partition(";")[0].strip().lower() in {"text/html", "application/xhtml+xml"}:
        return True
    beginning = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return extension not in TEXTS and beginning.startswith((b"<!doctype html", b"<html"))


def verifiable(content: Content) -> None:
    """Refuses checksums that nothing can have, before a byte is received.

    Raises:
        SpecError: An algorithm is unknown, or a digest has not its length.
    """
    for algorithm, digest in content.checksums.items():
        if len(digest) != ALGORITHMS.get(algorithm):
            known = ", ".join(f"{name} ({length} digits)" for name, length in ALGORITHMS.items())
            raise SpecError(f"{content.uid}: {algorithm} {digest!r} is no checksum that qetch knows - one of {known}")


def verify(content: Content, path: str, watch: Callable[[], object] = bool) -> None:
    """Compares a file with the size and the checksums that the site gave.

    Args:
        content: What it shall be.
        path: Of the file.
        watch: Called now and then; what it raises ends this.

    Raises:
        BadFile: They differ.
        FileError: The file cannot be read.
    """
    if content.size is not None:
        with file_errors(path):
            size = Path(path).stat().st_size
        refuse_length(content, size, whole=True)
    for algorithm, expected in content.checksums.items():
        found = _digest(path, algorithm, watch)
        if found != expected.lower():
            raise BadFile(f"{content.uid}: the file's {algorithm} is {found}, where the site says {expected.lower()}")


def _digest(path: str, algorithm: str, watch: Callable[[], object]) -> str:
    import hashlib

    digest = hashlib.new(algorithm, usedforsecurity=False)
    with file_errors(path), Path(path).open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            watch()
    return digest.hexdigest()
