"""Which names stand for secrets and for personal data: the rules by which records are filtered."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

SECRET = frozenset(
    {"token", "secret", "password", "passwd", "passphrase", "pwd", "signature", "sig", "session", "sessionid", "sid"}
    | {"csrf", "xsrf", "jwt", "auth", "authorization", "bearer", "credential", "credentials", "apikey", "otp", "hmac"}
    | {"cookie", "cookies"}
)
SECRET_PAIRS = frozenset(
    {("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key"), ("client", "id"), ("consumer", "key")}
)
SECRET_ENDS = ("token", "secret", "password", "signature", "apikey", "sessionid", "sessid")
HARMLESS = frozenset(
    {
        "next",
        "prev",
        "previous",
        "page",
        "paging",
        "continuation",
        "cursor",
        "type",
        "expires",
        "expiry",
        "length",
        "count",
    }
)
"""With one of these a name is that of a place in a list, or tells about a secret: `nextPageToken`, `token_type`."""
PERSONAL = frozenset(
    {"email", "emails", "phone", "phones", "telephone", "ip", "ips", "ipv", "ipaddr", "ipaddress", "useragent"}
    | {"birthday", "birthdate", "dob", "latitude", "longitude", "lat", "lng", "lon", "geolocation"}
    | {"firstname", "lastname", "surname", "realname", "street"}
)
PERSONAL_PAIRS = frozenset(
    {(whose, what) for whose in ("client", "remote", "peer") for what in ("addr", "address", "host")}
    | {(which, "name") for which in ("first", "last", "given", "family", "real", "legal")}
    | {("forwarded", "for"), ("user", "agent"), ("postal", "code"), ("zip", "code")}
)

WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@cache
def is_secret(name: str) -> bool:
    """Whether what has this name is a secret.

    >>> [is_secret(name) for name in ("access_token", "X-Api-Key", "clientId", "nextPageToken", "author", "token_type")]
    [True, True, True, False, False, False]
    """
    words = _words(name)
    if not HARMLESS.isdisjoint(words) or any(word.startswith(("next", "page")) for word in words):
        return False
    pairs = pairwise(words)
    ends = any(word.endswith(SECRET_ENDS) for word in words)
    return ends or not SECRET.isdisjoint(words) or not SECRET_PAIRS.isdisjoint(pairs)


@cache
def is_personal(name: str) -> bool:
    """Whether what has this name is about a person, and no part of a publication.

    >>> [is_personal(name) for name in ("email", "ipAddress", "remote_addr", "description", "username")]
    [True, True, True, False, False]
    """
    words = _words(name)
    return not PERSONAL.isdisjoint(words) or not PERSONAL_PAIRS.isdisjoint(pairwise(words))


def _words(name: str) -> list[str]:
    return [word.lower() for word in WORDS.findall(name)]
