"""What a URL says of its site: host, name, the group that names the item, and how the request repeats it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from qetch.errors import InvalidURL
from qetch.extractors.hosts import shown, split
from qetch.tools.new.shapes import IDENTIFIER, SECRET_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+|localhost)")
RESERVED = frozenset(
    ("source", "host", "key", "secret", "username", "password", "token", "page_url", "state", "linked")
)
"""Names that a group may not have, because of the language or because the proposals use them."""
MAX_PARAMS = 8
MAX_SEGMENTS = 12
SUBDOMAINS = frozenset(("www", "api", "m", "mobile", "cdn", "static", "media", "app", "web"))
PLAIN_WORDS = frozenset(
    (
        *("api", "albums", "album", "posts", "post", "photos", "images", "videos", "items", "list", "search"),
        *("latest", "popular", "new", "top", "media", "files", "feed", "threads", "catalog", "json", "embed"),
        *("index", "gallery", "galleries", "index.html", "index.php", "index.json", "feed.json", "list.json"),
        *("all", "random", "info", "details", "oembed"),
    )
)
"""Last segments that name no item."""
SHAPES = ((r"\d+", re.compile(r"[0-9]+")), (r"[\w-]+", re.compile(r"[A-Za-z0-9_-]+")))
"""What a group matches, by what it matched."""
TRACKING = re.compile(r"utm_\w+|fbclid|gclid", re.IGNORECASE)
"""Names of query entries that say where a visitor came from."""


@dataclass(frozen=True)
class Segment:
    """A piece of the path; `name` if it names something, and then `tail` is an extension that stays behind it."""

    text: str
    name: str = ""
    tail: str = ""

    @property
    def core(self) -> str:
        """What the group matches."""
        return self.text[: len(self.text) - len(self.tail)] if self.tail else self.text


@dataclass(frozen=True)
class Address:
    """A URL, taken apart.

    Attributes:
        url: As dispatch sees it, without secrets and a fragment: the example.
        id: The name of the group that names the item, or nothing.
        params: The names of its query entries, if they can be names of the language.
        secrets: Names of entries that hold something secret, which are in `url` no more.
        template: Whether the request can be built from the groups; otherwise it is `{source}`.
    """

    url: str
    host: str
    name: str
    segments: tuple[Segment, ...]
    id: str = ""
    params: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    template: bool = True
    values: dict[str, str] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """The host that `domains` lists."""
        return self.host.removeprefix("www.")

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def pattern(self, used: Sequence[str]) -> str:
        """The regex for `match`; only the groups that are used have names."""
        host = _escaped(self.domain)
        has_www = self.host.startswith("www.") or self.host.count(".") == 1
        start = "^https?://" + (r"(?:www\.)?" if has_www else "") + host + (r"(?::\d+)?" if _port(self.url) else "")
        path = "".join("/" + _segment_pattern(segment, used) for segment in self.segments)
        if any(name in self.params for name in used):
            return f"{start}{path}/?$"
        return f"{start}{path}/?(?:[?#]|$)"

    def path(self) -> str:
        """The path as a template, without its first slash."""
        written = (
            f"{{{segment.name}}}{_braced(segment.tail)}" if segment.name else _braced(segment.text)
            for segment in self.segments
        )
        return "/".join(written) + ("/" if self.segments and urlsplit(self.url).path.endswith("/") else "")


def read_address(url: str, name: str = "") -> Address:
    """Takes a URL apart.

    Args:
        url: An http or https URL.
        name: The site's name, if the user wants another than the host gives.

    Raises:
        InvalidURL: It is none, or its host cannot stand in `domains`.
    """
    host, plain = split(url)
    plain = plain.partition("#")[0]
    if not HOST.fullmatch(host):
        raise InvalidURL(f"{shown(url)}: {host!r} cannot be in a site's `domains` - they are hosts such as a.example")
    pairs, secrets, plain = _query(plain)
    if not urlsplit(plain).path:
        plain = plain.replace("?", "/?", 1) if "?" in plain else plain + "/"
    path = urlsplit(plain).path
    raw = path.removesuffix("/").split("/")[1:]
    plain_path = len(raw) <= MAX_SEGMENTS and "//" not in path
    segments = tuple(_named(raw)) if plain_path else tuple(map(Segment, raw))
    named = [segment.name for segment in segments if segment.name]
    params = [entry for entry, _ in pairs]
    usable = len(set(params)) == len(pairs) <= MAX_PARAMS and all(_is_free(entry, named) for entry in params)
    repeats = "//" not in path and all(_repeats(segment) for segment in segments)
    template = repeats and (not pairs or usable)
    ident = named[-1] if named else (params[0] if usable and template and params else "")
    return Address(
        plain,
        host,
        name or site_name(host),
        segments,
        id=ident,
        params=tuple(params) if usable and template else (),
        secrets=secrets,
        template=template,
        values=dict(pairs),
    )


def site_name(host: str) -> str:
    """A name for a site, from its host.

    >>> site_name("www.night-sky.example"), site_name("127.0.0.1"), site_name("api.pics.co.uk")
    ('night-sky', 'local', 'pics')
    """
    if host == "localhost" or host.rpartition(".")[2].isdecimal():
        return "local"
    labels = host.split(".")
    inner = [label for label in labels[:-1] if label not in SUBDOMAINS] or labels[:1]
    while len(inner) > 1 and len(inner[-1]) <= 3:  # co.uk, com.br
        inner.pop()
    found = re.sub(r"[^a-z0-9_-]", "-", inner[-1]).strip("-_")
    return found or "site"


def _query(url: str) -> tuple[list[tuple[str, str]], tuple[str, ...], str]:
    """The entries of a query that may be shown, the names of those that may not, and the URL without these."""
    start, mark, query = url.partition("?")
    kept, secrets = [], []
    for part in query.split("&") if mark else ():
        name = unquote(part.partition("=")[0])
        if SECRET_NAMES.fullmatch(name) and "=" in part:
            secrets.append(name)
        elif not TRACKING.fullmatch(name):
            kept.append(part)
    text = "&".join(kept)
    return parse_qsl(text, keep_blank_values=True), tuple(secrets), f"{start}?{text}" if text else start


def _is_free(name: str, named: Sequence[str]) -> bool:
    return bool(IDENTIFIER.fullmatch(name)) and name not in RESERVED and name not in named and len(name) <= 40


def _repeats(segment: Segment) -> bool:
    """Whether the request that is built from the group is the URL again."""
    if segment.name:
        return quote(unquote(segment.core), safe="") == segment.core
    return segment.text not in (".", "..") and "%2e" not in segment.text.lower()


def _named(raw: Sequence[str]) -> Iterator[Segment]:
    """The segments of a path; those that look like ids get names."""
    ids = [i for i, text in enumerate(raw) if _looks_like_id(text)]
    if len(ids) > 1 and ids[0] == 0:  # a version, most often: /3/album/abc12
        ids = ids[1:]
    if not ids:
        last = len(raw) - 1
        while last > 0 and _is_fixed(raw[last]):
            last -= 1
        ids = [last] if last > 0 and not _is_fixed(raw[last]) else []
    taken: list[str] = []
    for i, text in enumerate(raw):
        if i not in ids:
            yield Segment(text)
            continue
        name = "id" if i == ids[-1] else _name_after(raw[i - 1] if i else "", taken)
        taken.append(name)
        tail = re.search(r"(?<=.)\.(?:json|html?|php|xml|aspx?)$", text)
        yield Segment(text, name, tail[0] if tail else "")


def _is_fixed(text: str) -> bool:
    """Whether a segment names no item, but a part of the site, or a version."""
    return text.lower() in PLAIN_WORDS or re.fullmatch(r"v\d{1,2}(?:\.\d)?", text) is not None


def _looks_like_id(text: str) -> bool:
    plain = re.sub(r"\.(?:json|html?|php|xml|aspx?)$", "", text)
    if plain.isdecimal():
        return True
    mixed = re.search(r"\d", plain) and re.search(r"[A-Za-z]", plain) and len(plain) >= 4
    return bool(mixed or (len(plain) >= 5 and re.search(r"[a-z][A-Z]|[A-Z]{2}[a-z]", plain)))


def _name_after(word: str, taken: Sequence[str]) -> str:
    """A name for a group, from the segment before it."""
    name = re.sub(r"s$", "", word.lower()) if IDENTIFIER.fullmatch(word) and word.isascii() else "part"
    name = name if name and name not in RESERVED and name != "id" else "part"
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name}{number}", number + 1
    return unique


def _segment_pattern(segment: Segment, used: Sequence[str]) -> str:
    if not segment.name:
        return _escaped(segment.text)
    core = segment.core
    shape = next((shape for shape, fits in SHAPES if fits.fullmatch(core)), "[^/?#]+?" if segment.tail else "[^/?#]+")
    group = f"(?P<{segment.name}>{shape})" if segment.name in used else shape
    return group + _escaped(segment.tail)


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _port(url: str) -> bool:
    return bool(re.search(r":\d+$", urlsplit(url).netloc))


def _escaped(text: str) -> str:
    return re.escape(text).replace(r"\-", "-")
