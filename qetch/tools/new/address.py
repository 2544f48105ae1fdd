"""What a URL says of its site: host, name, the group that names the item, and how the request repeats it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from qetch.errors import InvalidURL
from qetch.extractors.hosts import shown, split
from qetch.tools.new.shapes import IDENTIFIER
from qetch.tools.telling import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+|localhost)")
ZONE = re.compile(r"https?://\[[0-9a-f:.]+%", re.IGNORECASE)
"""How a URL begins whose address says which network of this machine leads there."""
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
ASIDE = frozenset(
    (
        *("page", "p", "paged", "pg", "pagenum", "page_number", "offset", "start", "skip", "from", "limit", "count"),
        *("per_page", "size", "rows", "take", "sort", "order", "format", "lang", "cursor", "after"),
    )
)
"""Names of query entries that say which part is wanted, and how, but not of what."""
EXTENSION = re.compile(r"(?<=.)\.(?:json|html?|php|xml|aspx?)$")
PEOPLE = ("@", "~")
"""What some sites write before the name of a person."""
PAGE = re.compile(r"(?:page|pg|p)[-_]?\d{1,5}(?:\.(?:html?|php|aspx?))?", re.IGNORECASE)
SLUG = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+(?:\.html?)?")
"""The words of a title, which follow an id for the sake of readers."""
PLURALS = re.compile(r"[a-z]{3,20}s")
ABOUT = re.compile(r"[a-z]{3,20}")
ONE = {"galleries": "gallery", "stories": "story", "categories": "category"}
PLURAL = re.compile(r"(?<=[a-z]{3})(?<![suiw])(?<!ie|se|ve)s$")
TRACKING = re.compile(r"utm_\w+|fbclid|gclid", re.IGNORECASE)
"""Names of query entries that say where a visitor came from."""


@dataclass(frozen=True)
class Segment:
    """A piece of the path; `name` if it names something, between `lead` (such as @) and `tail` (an extension)."""

    text: str
    name: str = ""
    tail: str = ""
    lead: str = ""

    @property
    def core(self) -> str:
        """What the group matches."""
        return self.text[len(self.lead) : len(self.text) - len(self.tail)]

    @property
    def template(self) -> str:
        """It as part of a template."""
        return f"{braced(self.lead)}{{{self.name}}}{braced(self.tail)}" if self.name else braced(self.text)


@dataclass(frozen=True)
class Address:
    """A URL, taken apart.

    Attributes:
        url: As dispatch sees it, without secrets and a fragment: the example.
        id: The name of the group that names the item, or nothing.
        params: The names of its query entries, if they can be names of the language.
        secrets: Names of entries that hold something secret, which are in `url` no more.
        template: Whether the request can be built from the groups; otherwise it is `{source}`.
        repeats: Whether its path can be built so, whatever stands in the query.
        asks: Where the data of such pages are, if that is another address; its names are those of the page's.
    """

    url: str
    host: str
    name: str
    segments: tuple[Segment, ...]
    id: str = ""
    params: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    template: bool = True
    repeats: bool = True
    values: dict[str, str] = field(default_factory=dict)
    asks: Address | None = None

    @property
    def request(self) -> Address:
        """What is asked."""
        return self.asks or self

    @property
    def domain(self) -> str:
        """The host that `domains` lists."""
        return domain_of(self.host)

    @property
    def about(self) -> str:
        """What the path says that its pages are, in one word, or nothing: `album` for /albums/5."""
        named = [i for i, segment in enumerate(self.segments) if segment.name == "id"]
        last = named[-1] - 1 if named else len(self.segments) - 1
        word = self.segments[last].text.lower() if last >= 0 and not self.segments[last].name else ""
        if not ABOUT.fullmatch(word) or word in ("api", "www"):
            return ""
        return (ONE.get(word) or PLURAL.sub("", word)) if named else word

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
        path = "".join(_segment_pattern(segment, used) for segment in self.segments)
        if any(name in self.params for name in used):
            return f"{start}{path}/?$"
        return f"{start}{path}/?(?:[?#]|$)"

    def path(self) -> str:
        """The path as a template, without its first slash."""
        return "/".join(segment.template for segment in self.segments) + (
            "/" if self.segments and urlsplit(self.url).path.endswith("/") else ""
        )


def read_address(url: str, name: str = "") -> Address:
    """Takes a URL apart.

    Args:
        url: An http or https URL.
        name: The site's name, if the user wants another than the host gives.

    Raises:
        InvalidURL: It is none, or its host cannot stand in `domains`.
    """
    if ZONE.match(url):
        raise InvalidURL(
            f"{shown(url)}: the zone of an address, from its % on, is this machine's alone, and cannot be in a site's"
            " `domains` - take the host's name, or an address of it without a zone"
        )
    host, plain = split(url)
    plain = plain.partition("#")[0]
    if ":" not in host and not HOST.fullmatch(host):
        raise InvalidURL(
            f"{shown(url)}: {host!r} cannot be in a site's `domains` - take a name such as a.example or localhost,"
            " or an IP address, if the server has one"
        )
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
    telling = [entry for entry in params if entry.lower() not in ASIDE] if usable and template else []
    ident = "id" if "id" in named else next(iter(telling), "")
    return Address(
        plain,
        host,
        name or site_name(host),
        segments,
        id=ident,
        params=tuple(params) if usable and template else (),
        secrets=secrets,
        template=template,
        repeats=repeats,
        values=dict(pairs),
    )


def domain_of(host: str) -> str:
    """A host as `domains` lists it.

    >>> domain_of("www.night-sky.example"), domain_of("::1")
    ('night-sky.example', '[::1]')
    """
    return f"[{host}]" if ":" in host else host.removeprefix("www.")


def site_name(host: str) -> str:
    """A name for a site, from its host.

    >>> site_name("www.night-sky.example"), site_name("127.0.0.1"), site_name("::1"), site_name("api.pics.co.uk")
    ('night-sky', 'local', 'local', 'pics')
    """
    if host == "localhost" or ":" in host or host.rpartition(".")[2].isdecimal():
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
        if (is_secret(name) or name.lower() == "key") and "=" in part:
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
    """The segments of a path; ids get names, and so do the number of a page and the words behind an id."""
    ids, end = _ids(raw), len(raw) - 1
    taken: list[str] = []
    for i, text in enumerate(raw):
        name = ""
        if i in ids:
            name = "id" if i == ids[-1] else _name_after(raw[i - 1] if i else "", taken)
        elif i == end and _page_words(raw):
            name = "page"
        elif i == end and i - 1 in ids and SLUG.fullmatch(text):
            name = "slug"
        tail = EXTENSION.search(text)
        lead = text[0] if name and text[:1] in PEOPLE else ""
        taken.append(name)
        yield Segment(text, name, tail[0] if tail and name else "", lead)


def _ids(raw: Sequence[str]) -> list[int]:
    """Which segments name something: those that look like ids, else the one behind a plural, else the last."""
    last = len(raw) - 1 - _page_words(raw)
    ids = [i for i in range(last + 1) if _looks_like_id(raw[i])]
    if len(ids) > 1 and ids[0] == 0:  # a version, most often: /3/album/abc12
        ids = ids[1:]
    if ids:
        return ids
    while last > 0 and _is_fixed(raw[last]):
        last -= 1
    if last > 1 and [bool(PLURALS.fullmatch(text)) for text in raw[last - 2 : last + 1]] == [True, False, True]:
        last -= 1  # /users/mira/uploads
    return [last] if last > 0 and not _is_fixed(raw[last]) else []


def _page_words(raw: Sequence[str]) -> int:
    """How many segments at the end only say which page of the ones before is meant."""
    if len(raw) > 2 and raw[-1].isdecimal() and raw[-2].lower() == "page":
        return 2
    return int(len(raw) > 2 and PAGE.fullmatch(raw[-1]) is not None)


def _is_fixed(text: str) -> bool:
    """Whether a segment names no item, but a part of the site, or a version."""
    return text.lower() in PLAIN_WORDS or re.fullmatch(r"v\d{1,2}(?:\.\d)?", text) is not None


def _looks_like_id(text: str) -> bool:
    plain = EXTENSION.sub("", text)
    if plain.isdecimal() or (text[:1] in PEOPLE and len(text) > 1):
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
        return "/" + _escaped(segment.text)
    if segment.name == "slug" and "slug" not in used:
        return "(?:/[^/?#]*)?"
    core = segment.core
    shape = next((shape for shape, fits in SHAPES if fits.fullmatch(core)), "[^/?#]+?" if segment.tail else "[^/?#]+")
    group = f"(?P<{segment.name}>{shape})" if segment.name in used else shape
    return "/" + _escaped(segment.lead) + group + _escaped(segment.tail)


def braced(text: str) -> str:
    """A text as it stands in a template."""
    return text.replace("{", "{{").replace("}", "}}")


def _port(url: str) -> bool:
    return bool(re.search(r":\d+$", urlsplit(url).netloc))


def _escaped(text: str) -> str:
    return re.escape(text).replace(r"\-", "-")
