"""URLs as far as dispatch needs them: whose host is it? Fast where they are plain, strict everywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from qetch.errors import InvalidURL
from qetch.selectors.patterns import MAX_URL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BAD = r"\s\\\x00-\x20\x7f-\x9f\ud800-\udfff"
_HOST = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*"
_PORT = r":(?!(?:80|443)(?![0-9]))(?:[1-9][0-9]{0,3}|[1-5][0-9]{4})(?![0-9])"
_PLAIN = re.compile(rf"https?://({_HOST})(?:{_PORT})?(?:[/?#][^{_BAD}]*)?\Z")
_PARTS = re.compile(r"(?i)(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<rest>.*)\Z", re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]*))?\Z")
_SCHEMELESS = re.compile(rf"(?i)(?:https?)?:?/{{0,2}}({_HOST}\.[a-z]{{2,}}(?::[0-9]+)?(?:[/?#].*)?)\Z")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def split(url: str) -> tuple[str, str]:
    """Reads a URL as dispatch sees it.

    Returns:
        Its host: lower case, ASCII, without port, brackets and final dot. And the URL with its scheme and host
        written so, and without the scheme's usual port: this is what the regexes of the specs are asked of.

    Raises:
        InvalidURL: It is not an http or https URL, or one that different programs would read differently.
    """
    plain = _PLAIN.match(url) if isinstance(url, str) and len(url) <= MAX_URL else None
    return (plain[1], url) if plain and len(plain[1]) < 64 else _split_carefully(url)


def _split_carefully(url: str) -> tuple[str, str]:
    _refuse_odd_texts(url)
    parts = _PARTS.match(url)
    if not parts:
        _refuse_scheme(url)
    scheme, authority, rest = parts["scheme"].lower(), parts["authority"], parts["rest"]
    if "@" in authority:
        raise InvalidURL("the URL holds a user name or password before its host - remove everything up to the @")
    read = _AUTHORITY.match(authority)
    if not read:
        raise InvalidURL(f"{shown(url)}: the host cannot be read")
    host = _read_host(read["host"], url)
    port = read["port"] or ""
    if port and int(port[:6]) > 65535:
        raise InvalidURL(f"{shown(url)}: there is no port {port[:20]}")
    written = f"[{host}]" if ":" in host else host
    suffix = f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    return host, f"{scheme}://{written}{suffix}{rest}"


def _refuse_odd_texts(url: str) -> None:
    if not isinstance(url, str):
        raise InvalidURL(f"a URL is a text, not {type(url).__name__}")
    if not url.strip():
        raise InvalidURL("the URL is empty")
    if len(url) > MAX_URL:
        raise InvalidURL(f"{shown(url)}: the URL has {len(url)} characters - qetch reads at most {MAX_URL}")
    odd = re.search(f"[{_BAD}]", url)
    if odd:
        cure = {" ": "write %20", "\\": "write / in a path, %5C elsewhere"}.get(odd[0], "remove it")
        raise InvalidURL(f"{shown(url)}: the URL holds {odd[0]!a} at character {odd.start() + 1} - {cure}")


def _refuse_scheme(url: str) -> NoReturn:
    meant = _SCHEMELESS.match(url)
    if meant:
        raise InvalidURL(f"{shown(url)} is not a URL - did you mean {shown('https://' + meant[1])}?")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):(?![0-9]+(?:[/?#]|\Z))", url)  # localhost:8080 is a host with a port
    if scheme and scheme[1].lower() not in _DEFAULT_PORTS:
        raise InvalidURL(f"{shown(url)}: qetch reads http and https URLs, not {scheme[1].lower()[:20]}")
    raise InvalidURL(f"{shown(url)} is not a URL - a URL begins with https:// or http://")


def _read_host(host: str, url: str) -> str:
    """The host as dispatch compares it, out of the part of the URL that names it."""
    if host.startswith("["):
        from qetch.spec.names import compared

        address = compared(host)
        if not address:
            raise InvalidURL(f"{shown(url)}: {host[:60]} is not an IPv6 address")
        return address
    if not host:
        raise InvalidURL(f"{shown(url)}: the URL names no host")
    name = to_ascii(host).removesuffix(".")
    if not re.fullmatch(_HOST, name) or len(name) > 253 or max(map(len, name.split("."))) > 63:
        raise InvalidURL(f"{shown(url)}: {shown(host)!r} is not the name of a host")
    return name


def to_ascii(host: str) -> str:
    """A host name in lower case, with IDNA for what is not ASCII; one that has no such form stays as it is.

    >>> to_ascii("Bücher.Example")
    'xn--bcher-kva.example'
    """
    if host.isascii():
        return host.lower()
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def shown(url: str) -> str:
    """A URL for a message: without what could be secret (query, fragment, user), printable and not long."""
    plain = re.split(r"[?#]", str(url), maxsplit=1)[0]
    plain = re.sub(r"//[^/@]*@", "//", plain) or "?"
    plain = plain if plain.isprintable() else ascii(plain)[1:-1]
    return plain if len(plain) <= 120 else plain[:119] + "…"


def is_instance(host: str, pattern: str) -> bool:
    """Whether a host is that of an `instances` entry: exactly, or below what follows `*.`.

    >>> is_instance("a.example", "*.example"), is_instance("example", "*.example")
    (True, False)
    """
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


class HostIndex:
    """Whose host is it? A dictionary, asked once for each label of a host.

    A `domains` entry covers its host and everything below it; an `instances` entry covers its host alone, or with
    `*.` in front what is below it alone. An IP address has nothing below it.
    """

    def __init__(self, claims: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
        """`claims`: the domains and instances of each spec; a spec is known by its position."""
        self._at: dict[str, list[int]] = {}
        self._below: dict[str, list[int]] = {}
        for position, (domains, instances) in enumerate(claims):
            for domain in domains:
                self._at.setdefault(domain, []).append(position)
                self._below.setdefault(domain, []).append(position)
            for instance in instances:
                wild = instance.startswith("*.")
                place = self._below if wild else self._at
                place.setdefault(instance[2:] if wild else instance, []).append(position)

    def claimants(self, host: str) -> Sequence[int]:
        """The positions of the specs that a host belongs to, in order, each once."""
        found = self._at.get(host, ())
        if ":" in host or host.rpartition(".")[2].isdigit():
            return found
        dot = host.find(".")
        while dot >= 0:
            below = self._below.get(host[dot + 1 :])
            if below:
                found = [*found, *below]
            dot = host.find(".", dot + 1)
        return sorted(set(found)) if len(found) > 1 else found
