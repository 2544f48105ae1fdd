"""Takes secrets and personal data out of what is recorded.

By three rules: whatever has the name of a secret or of personal data (`telling`), whatever looks like a token or a
mail address, and every secret that is known, whatever its name. `***` stands for what was taken out; where it is a
whole value of a request, it matches every text when the record is played.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from qetch.replay import ANY
from qetch.tools.telling import is_personal, is_secret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?P<last>[A-Za-z]{2,24})(?![\w-])")
FILE_ENDS = frozenset(
    {"png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "css", "js", "json", "mp4", "webm", "mp3", "html"}
)
"""`bird@2x.png` is no mail address."""
SOMEONE = "someone@example.com"
TOKENS = (
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    re.compile(r"(?<=\bBearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?<=\bBasic )[\w+/=-]{8,}"),
)
ENTRY = re.compile(r"""(?P<before>[?&;])(?P<name>[\w.\[\]-]{1,64})=(?P<value>[^&\s"'<>#\\;]+)""")
"""An entry of the query of a URL, somewhere in a text."""
PAIR = re.compile(
    r"""(?P<q>\\?["'])(?P<name>[\w.-]{1,64})(?P=q)\s{0,8}:\s{0,8}(?P<v>\\?["'])(?P<value>[^"'\\<>]+)(?P=v)"""
)
"""An entry of JSON in a script or in a text."""
TAG = re.compile(r"<(?:input|meta)\b[^<>]{1,4000}>", re.IGNORECASE)
TAG_NAME = re.compile(r"""\s(?:name|id|property)\s*=\s*["']?([\w.-]+)""", re.IGNORECASE)
TAG_VALUE = re.compile(r"""(?<=\s)(?P<name>value|content)\s*=\s*(?P<q>["']).*?(?P=q)""", re.IGNORECASE | re.DOTALL)

LEAST = 4
"""Characters; a shorter secret stands in texts by chance, and is looked for nowhere."""
TELLING = 8
"""Characters; a shorter secret is looked for as a whole word only."""


def forms(secret: str) -> set[str]:
    """A secret as it may stand in a URL, in JSON and in HTML."""
    plain = {secret, html.escape(secret), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    coded = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return plain | coded | {re.sub("%..", lambda match: match[0].lower(), text) for text in coded}


class Scrubber:
    """Filters one recording.

    Args:
        secrets: Texts that are known to be secret, and go in whatever form they have.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = _pattern({form for secret in secrets if len(secret) >= LEAST for form in forms(secret)})

    def text(self, text: str) -> str:
        """A text, such as a page, a script or a URL."""
        text = self._known.sub(ANY, text) if self._known else text
        for pattern in TOKENS:
            text = pattern.sub(ANY, text)
        text = ENTRY.sub(_entry, text)
        text = PAIR.sub(_pair, text)
        text = TAG.sub(_tag, text)
        return MAIL.sub(_mail, text)

    def json(self, data: Any, name: str = "") -> Any:
        """Data as JSON has it; `name` is the key at which it stands."""
        if isinstance(data, dict):
            return {key: self.json(value, key) for key, value in data.items()}
        if isinstance(data, list):
            return [self.json(item, name) for item in data]
        if isinstance(data, str):
            return ANY if data and (is_secret(name) or is_personal(name)) else self.text(data)
        if isinstance(data, (int, float)) and not isinstance(data, bool) and is_personal(name):
            return 0
        return data

    def value(self, name: str, text: str) -> str:
        """A value of a request, whole or not at all: a part could not be matched when the record is played."""
        return ANY if is_secret(name) or is_personal(name) or self.text(text) != text else text

    def request_body(self, body: bytes, kind: str) -> str | None:
        """The body of a request: a form, JSON, or a text."""
        if not body:
            return None
        text = body.decode("utf-8", "replace")
        if "x-www-form-urlencoded" in kind:
            pairs = parse_qsl(text, keep_blank_values=True)
            return urlencode([(name, self.value(name, value)) for name, value in pairs], safe="*")
        try:
            return json.dumps(self._request_json(json.loads(text)), ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.text(text)

    def _request_json(self, data: Any, name: str = "") -> Any:
        if isinstance(data, dict):
            return {key: self._request_json(value, key) for key, value in data.items()}
        if isinstance(data, list):
            return [self._request_json(item, name) for item in data]
        return self.value(name, data) if isinstance(data, str) else data


def _pattern(texts: Collection[str]) -> re.Pattern[str] | None:
    """Finds any of the texts, the longest first; a short one only as a whole word."""
    if not texts:
        return None
    parts = [
        re.escape(text) if len(text) >= TELLING else rf"(?<!\w){re.escape(text)}(?!\w)"
        for text in sorted(texts, key=len, reverse=True)
    ]
    return re.compile("|".join(parts))


def _told(name: str) -> bool:
    return is_secret(name) or is_personal(name)


def _entry(match: re.Match[str]) -> str:
    return f"{match['before']}{match['name']}={ANY}" if _told(match["name"]) else match[0]


def _pair(match: re.Match[str]) -> str:
    if not _told(match["name"]):
        return match[0]
    return match[0][: match.start("value") - match.start()] + ANY + match["v"]


def _tag(match: re.Match[str]) -> str:
    name = TAG_NAME.search(match[0])
    if name is None or not _told(name[1]):
        return match[0]
    return TAG_VALUE.sub(lambda value: f"{value['name']}={value['q']}{ANY}{value['q']}", match[0])


def _mail(match: re.Match[str]) -> str:
    return match[0] if match["last"].lower() in FILE_ENDS else SOMEONE
