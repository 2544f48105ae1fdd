"""Takes secrets and personal data out of what is recorded; docs/recording.md tells people the rules.

They are: whatever has the name of a secret or of personal data (`telling`), whatever looks like a token, an address or
a telephone number (`personal`), and every secret that is known, whatever its name. `***` stands for what was taken
out; where it is a whole value of a request, it matches every text when the record is played.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlencode

from qetch.replay import ANY
from qetch.tools.personal import without_persons
from qetch.tools.telling import is_personal, is_secret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

TOKENS = (
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    re.compile(r"(?<=\bBearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?<=\bBasic )[\w+/=-]{8,}"),
)
ENTRY = re.compile(
    r"""(?P<before>(?:[?&#]|(?P<path>;)|\\u0026)(?P<name>[\w.\[\]-]{1,64})(?:=|\\u003[dD]))"""
    r"""(?P<value>(?:(?!(?(path)\?|&))[^&\s"'<>#\\;])+)"""
)
"""An entry of the query or the fragment of a URL, somewhere in a text."""
CODED_ENTRY = re.compile(
    r"""(?P<before>%(?:3F|26|23)(?P<name>[\w.-]{1,64})%3D)(?P<value>(?:(?!%26|%23)[^&\s"'<>#\\;])+)""", re.IGNORECASE
)
"""The same in a URL that is an entry of another one."""
LOGIN = re.compile(r"""(?<=//)[^\s/@:"'<>\\]{1,256}:[^\s/@"'<>\\]{0,256}(?=@)""")
"""The user name and the password in a URL."""
PAIR = re.compile(
    r"""(?:(?P<q>\\?["'])(?=[\w.-])|(?<![\w-]))(?P<name>(?(q)[\w.-]{1,64}|[\w-]{1,64}))(?(q)(?P=q))"""
    r"""\s{0,8}[:=]\s{0,8}(?P<v>\\?["'])?"""
)
"""The begin of an entry of JSON, of an assignment, or of an attribute, in a script, a page or a text."""
VALUES: dict[str | None, re.Pattern[str]] = {
    **{v: re.compile(rf"(?:[^\\\n{v}]|\\[^\n])+") for v in "\"'"},
    **{rf"\{v}": re.compile(rf"(?:\\{{3}}{v}|\\(?!{v})[^\n]|[^\\\n{v}])+") for v in "\"'"},
    None: re.compile(r"-?\d[\d.]*+(?!\w)"),
}
"""Its value, by the quote before it: to the same quote; without one, a number."""
ELEMENT = re.compile(r"<(?P<name>[A-Za-z_][\w.:-]{0,63})(?:\s[^<>]{0,1000})?>(?P<value>[^<>]+)(?=</(?P=name)>)")
TAG = re.compile(r"<(?:input|meta)\b[^<>]{1,4000}>", re.IGNORECASE)
TAG_NAME = re.compile(r"""\s(?:name|id|property|type)\s*=\s*\\?["']?([\w.-]+)""", re.IGNORECASE)
TAG_VALUE = re.compile(
    r"""(?<=\s)(?P<name>value|content)\s*=\s*(?:(?P<q>\\?["']).*?(?P=q)|[^\s"'<>=\\]+)""", re.IGNORECASE | re.DOTALL
)

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

    def text(self, text: str, name: str = "") -> str:
        """A text, such as a page, a script or a URL; `name` is the key at which it stands, if it has one."""
        text = self._known.sub(ANY, text) if self._known else text
        for pattern in TOKENS:
            text = pattern.sub(ANY, text)
        text = LOGIN.sub(ANY, text)
        for pattern in (ENTRY, CODED_ENTRY):
            text = pattern.sub(_entry, text)
        text = TAG.sub(_tag, _pairs(text))
        return without_persons(ELEMENT.sub(_element, text), name)

    def json(self, data: Any, name: str = "") -> Any:
        """Data as JSON has it; `name` is the key at which it stands."""
        if isinstance(data, dict):
            return {key: self.json(value, _name_of(key, data)) for key, value in data.items()}
        if isinstance(data, list):
            return [self.json(item, name) for item in data]
        if isinstance(data, str):
            return ANY if data and _told(name) else self.text(data, name)
        return 0 if isinstance(data, (int, float)) and not isinstance(data, bool) and _told(name) else data

    def value(self, name: str, text: str) -> str:
        """A value of a request, whole or not at all: a part could not be matched when the record is played."""
        return ANY if _told(name) or self.text(text, name) != text else text

    def uri(self, url: str) -> str:
        """The URL of a request; the values of its query whole or not at all, as `value`."""
        address, mark, query = url.partition("?")
        return self.text(address) + mark + "&".join(map(self._uri_entry, query.split("&")))

    def _uri_entry(self, entry: str) -> str:
        name, mark, value = entry.partition("=")
        if mark and self.value(unquote_plus(name), unquote_plus(value)) == ANY:
            return f"{self.text(name)}={ANY}"
        return self.text(entry)

    def request_body(self, body: bytes, kind: str) -> str | None:
        """The body of a request: a form, JSON, or a text."""
        if not body:
            return None
        text = body.decode("utf-8", "replace")
        if "x-www-form-urlencoded" in kind:
            pairs = parse_qsl(text, keep_blank_values=True)
            return urlencode([(name, self.value(name, value)) for name, value in pairs], safe="*")
        try:
            return as_json(self._request_json(json.loads(text)))
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


def as_json(data: Any, indent: int | None = None) -> str:
    """Data as JSON that can be written as UTF-8: half a surrogate pair stays escaped."""
    return json.dumps(data, ensure_ascii=False, indent=indent).encode(errors="backslashreplace").decode()


def _name_of(key: str, data: dict[str, Any]) -> str:
    """Of a value in JSON: its key, or what stands beside it, as in `{"name": "password", "value": "…"}`."""
    said = data.get("name") if key == "value" else None
    return said if isinstance(said, str) and _told(said) else key


def _entry(match: re.Match[str]) -> str:
    return f"{match['before']}{ANY}" if _told(match["name"]) else match[0]


def _pairs(text: str) -> str:
    """A text without the values of entries that have telling names; the values of others are looked through."""
    pieces, done = [], 0
    for match in PAIR.finditer(text):
        value = VALUES[match["v"]].match(text, match.end()) if match.start() >= done and _told(match["name"]) else None
        if value:
            pieces += [text[done : value.start()], ANY if match["v"] else "0"]
            done = value.end()
    return "".join([*pieces, text[done:]])


def _element(match: re.Match[str]) -> str:
    return match[0].removesuffix(match["value"]) + ANY if _told(match["name"]) else match[0]


def _tag(match: re.Match[str]) -> str:
    if not any(map(_told, TAG_NAME.findall(match[0]))):
        return match[0]
    return TAG_VALUE.sub(lambda value: f"{value['name']}={value['q'] or ''}{ANY}{value['q'] or ''}", match[0])
