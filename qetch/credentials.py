"""Credentials in requests: put in for the hosts that they belong to, taken out for all others."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlencode

from urllib3.util import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import requests

    from qetch.policy import Target

TELLING = 8
"""A text of so many characters does not stand in a URL or a message by chance."""


@dataclass(frozen=True)
class Credentials:
    """What proves to a site who asks, and the only hosts that may see it.

    Args:
        hosts: The only hosts, exactly these, with or without a port; over https, or http to this machine itself.
        headers: Sent to them.
        query: Entries added to the URL's query.
        cookies: Sent to them, and kept in no jar.
        secrets: Texts that no message may show.
        plain: Send them over http to other machines too, though whoever is on the way can read them.
    """

    hosts: frozenset[str]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    plain: bool = False

    def belong_to(self, target: Target) -> bool:
        """True if this target may see them."""
        return target.is_in(self.hosts) and (self.plain or target.scheme == "https" or target.is_loopback)

    def hidden(self) -> list[str]:
        """Every text that must not be shown, the longest first, so that none is cut by a shorter one."""
        values = [*self.headers.values(), *self.query.values(), *self.cookies.values()]
        texts = {*self.secrets, *(value for value in values if len(value) >= TELLING)} - {""}
        texts |= {coded for text in texts for coded in (quote(text, safe=""), quote(text), quote_plus(text))}
        return sorted(texts, key=len, reverse=True)

    def remove_from(self, request: requests.PreparedRequest, *, foreign: bool) -> None:
        """Takes them out of a request, wherever an earlier hop has put them.

        From that of a `foreign` host also every other header and entry of the query that holds a secret.
        """
        for name, value in list(request.headers.items()):
            if name.lower() in map(str.lower, self.headers) or (foreign and self._tells(value)):
                request.headers.pop(name)
        self._replace_cookies(request, [pair for pair in _cookies(request) if pair not in self.cookies.items()])
        request.url = self.remove_from_url(request.url or "", foreign=foreign)

    def are_told_by(self, request: requests.PreparedRequest) -> bool:
        """True if the path or the body of a request holds a secret, where it cannot be taken out."""
        return self._tells(unquote(parse_url(request.url or "").path or "")) or self._tells(request.body or b"")

    def _tells(self, text: str | bytes | Iterable[bytes]) -> bool:
        if not isinstance(text, (str, bytes)):
            return False
        data = text.encode() if isinstance(text, str) else text
        secrets = [secret for secret in self.secrets if len(secret) >= TELLING]
        coded = (form for secret in secrets for form in (secret, quote_plus(secret), json.dumps(secret)[1:-1]))
        return any(form.encode() in data for form in coded)

    def remove_from_url(self, url: str, *, foreign: bool = True) -> str:
        """A URL without their query entries, and if it is `foreign` without any entry that holds a secret."""
        parsed = parse_url(url)
        if not parsed.query:
            return url
        entries = parsed.query.split("&")
        kept = [entry for entry in entries if not self._is_mine(entry, foreign)]
        return url if kept == entries else parsed._replace(query="&".join(kept) or None).url

    def _is_mine(self, entry: str, foreign: bool) -> bool:
        name, _, value = map(unquote_plus, entry.partition("="))
        return self.query.get(name) == value or (foreign and self._tells(value))

    def add_to(self, request: requests.PreparedRequest) -> None:
        """Puts them into a request."""
        request.headers.update(self.headers)
        others = [(name, value) for name, value in _cookies(request) if name not in self.cookies]
        self._replace_cookies(request, [*others, *self.cookies.items()])
        if self.query:
            parsed = parse_url(request.url or "")
            query = "&".join(filter(None, [parsed.query, urlencode(dict(self.query))]))
            request.url = parsed._replace(query=query).url

    def _replace_cookies(self, request: requests.PreparedRequest, pairs: list[tuple[str, str]]) -> None:
        if self.cookies:
            request.headers.pop("Cookie", None)
            if pairs:
                request.headers["Cookie"] = "; ".join(f"{name}={value}" if value else name for name, value in pairs)


def _cookies(request: requests.PreparedRequest) -> list[tuple[str, str]]:
    """The pairs of a request's `Cookie` header."""
    header = request.headers.get("Cookie") or ""
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    pairs = (pair.partition("=") for pair in text.split("; ") if pair)
    return [(name, value) for name, _, value in pairs]
