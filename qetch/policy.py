"""What the requests of a site may do: which host a URL names, and whether it may be asked."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from qetch.errors import AddressRefused, InvalidURL, NetworkError

if TYPE_CHECKING:
    from collections.abc import Iterable

HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
PORTS = {"http": 80, "https": 443}
PLAIN_URL = re.compile(
    r"(https?)://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?"
    r"((?:/(?!\.\.?(?:[/?]|\Z))[A-Za-z0-9._~!$&'()*+,;=:@-]*)+(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?)"
)
"""A URL which every reader reads alike, and sends as it is: scheme, host, port, and the rest."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Policy:
    """What the requests of one site may do.

    Args:
        name: Whose requests these are, for messages and rates.
        domains: Hosts that may be asked, with their subdomains.
        hosts: Hosts that may be asked, exactly these; with or without a port.
        anywhere: Any public host may be asked; otherwise only `domains` and `hosts`.
        rate: At most so many requests in so many seconds to one host, counted over the whole process.
        closed: The site is dead, and this note says so; the network refuses.
        private_hosts: Hosts that the user named himself, which may therefore be private addresses.
    """

    name: str = "generic"
    domains: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    anywhere: bool = True
    rate: tuple[int, float] | None = None
    closed: str | None = None
    private_hosts: frozenset[str] = frozenset()

    def allows(self, target: Target) -> bool:
        """True if a request may go there, as far as its host tells."""
        if self.anywhere or target.is_in(self.hosts):
            return True
        return any(f".{target.host}".endswith(f".{domain.lower()}") for domain in self.domains)


class Target(NamedTuple):
    """Where a request goes.

    `host` is in lower case, without brackets and a last dot; `port` also if it is implied. `path` is what follows them
    in a URL that every reader reads alike, and sends as it is; else "".
    """

    scheme: str
    host: str
    port: int
    url: str
    path: str = ""

    def is_in(self, hosts: Iterable[str]) -> bool:
        """True if one of `hosts` is this host, or this host and port."""
        return not {self.host, f"{self.host}:{self.port}"}.isdisjoint(map(str.lower, hosts))

    @property
    def is_loopback(self) -> bool:
        """True if the name or literal address is this machine's own."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@lru_cache(1024)
def target_of(url: str) -> Target:
    """Where a request to `url` goes, read as the library that sends it reads it.

    Raises:
        InvalidURL: It is not http or https, holds a user name, or two readers disagree about its host.
    """
    short = PLAIN_URL.fullmatch(url)
    if short:
        scheme, host, port, path = short.groups()
        return Target(scheme, host, int(port) if port else PORTS[scheme], url, path)
    try:
        parsed = parse_url(url)
        plain = urlsplit(parsed.url)
        other = plain.hostname or ""
    except (LocationParseError, ValueError):
        raise InvalidURL("not a URL: its host or port cannot be read") from None
    if parsed.scheme not in PORTS:
        scheme = parsed.scheme or "one without a scheme"
        raise InvalidURL(f"only http and https URLs can be fetched, not {scheme[:20]}")
    if parsed.auth is not None or "@" in plain.netloc:
        raise InvalidURL("a URL with a user name before its host is not fetched - give credentials by `qetch auth add`")
    host = (parsed.host or "").lower().removesuffix(".")
    if not HOST.fullmatch(host) or host.strip("[]") != other.removesuffix("."):
        raise InvalidURL("not a URL: it names no host that can be read")
    port = parsed.port if parsed.port is not None else PORTS[parsed.scheme]
    return Target(parsed.scheme, host.strip("[]"), port, parsed.url)


def is_public(address: str) -> bool:
    """True if a literal address is reachable from anywhere, the IPv4 address inside an IPv6 one included."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in NAT64:
            inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        carried = [is_public(str(part)) for part in inner if part is not None]
        if carried and (ip.ipv4_mapped or ip in NAT64 or not all(carried)):
            return all(carried)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def addresses_of(target: Target, *, literal_only: bool = False) -> list[str]:
    """The addresses of a host; with `literal_only` those that need no name server, so none for most names.

    Raises:
        NetworkError: There is no such host.
    """
    flags = socket.AI_NUMERICHOST if literal_only and target.host != "localhost" else 0
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):
        if literal_only:
            return []
        raise NetworkError(f"{target.host}: there is no such host, or no name server answers") from None
    return [str(entry[4][0]) for entry in found]


def refuse_private(target: Target, *, proxied: bool) -> list[str]:
    """Refuses a host with a private address; a proxy looks names up itself, so that only literal ones are judged.

    Returns:
        Those that were judged.

    Raises:
        AddressRefused: It has one.
        NetworkError: There is no such host.
    """
    addresses = addresses_of(target, literal_only=proxied)
    for address in addresses:
        if not is_public(address):
            place = "a private address" if address == target.host else f"at the private address {address}"
            raise AddressRefused(
                f"{target.host} is {place} - if that is meant, allow it with"
                " --allow-private (in Python: session.allow_private = True)"
            )
    return addresses
