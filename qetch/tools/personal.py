"""Takes what is about persons out of free text: mail addresses, IP addresses, telephone numbers."""

from __future__ import annotations

import re
from functools import partial
from ipaddress import ip_address

MAIL = re.compile(
    r"(?<![\w.+-])(?<!//)[\w.+-]{1,64}(?P<at>@|%40|&#0?64;|\\u0040)"
    r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?P<last>[A-Za-z]{2,24})(?![\w-])"
)
FILE_ENDS = frozenset(
    {"png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "css", "js", "json", "mp4", "webm", "mp3", "html"}
)
"""`bird@2x.png` is no mail address."""
PHONE = re.compile(r"(?:(?<=\btel:)[+\d]|(?<![\w.+=/@-])\+[1-9])[\d ()/-]{5,20}(?<=\d)(?!\w)")
"""A telephone number: behind `tel:`, or with `+` and the number of its country."""
DIGITS = range(7, 16)
"""How many a telephone number has."""
IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|-[A-Za-z]|\.\w)")
IPV6 = re.compile(r"(?<![\w.:])[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
"""The addresses of networks begin with 2 or 3; what begins otherwise is a time, a hash, or code."""
NOBODYS = re.compile(
    r"(?://|\\/\\/)\[?$|[A-Za-z](?<!\bip)[-/]$"
    r"|(?:\bv|\bver|version|release|build|firmware|driver|host|hostname|server|mirror|cdn)s?\W{0,5}$",
    re.IGNORECASE,
)
"""What stands before the host of a URL, and before the number of a version: these are kept."""
BEFORE = 24
"""Characters before an address that are looked at."""

SOMEONE = "someone{at}example.com"
SOME_PHONE = "+12025550100"
SOME_IPV4 = "192.0.2.1"
SOME_IPV6 = "2001:db8::1"


def without_persons(text: str, name: str = "") -> str:
    """A text with addresses and numbers of nobody in place of those of persons.

    Args:
        text: Any text.
        name: The key at which it stands, if it has one; it may say that this is a version.

    >>> without_persons("mira@birds.example from 93.184.216.34, +49 30 1234567; see http://93.184.216.34/ and v1.2.3.4")
    'someone@example.com from 192.0.2.1, +12025550100; see http://93.184.216.34/ and v1.2.3.4'
    """
    text = MAIL.sub(_mail, text)
    text = PHONE.sub(_phone, text)
    for pattern, other in ((IPV4, SOME_IPV4), (IPV6, SOME_IPV6)):
        text = pattern.sub(partial(_address, other=other, name=name), text)
    return text


def _mail(match: re.Match[str]) -> str:
    return match[0] if match["last"].lower() in FILE_ENDS else SOMEONE.format(at=match["at"])


def _phone(match: re.Match[str]) -> str:
    return SOME_PHONE if sum(map(str.isdigit, match[0])) in DIGITS else match[0]


def _address(match: re.Match[str], other: str, name: str) -> str:
    """An address that is not of a home network, of this machine, or of an example."""
    before = match.string[max(0, match.start() - BEFORE) : match.start()] or name
    try:
        someones = ip_address(match[0]).is_global and not NOBODYS.search(before)
    except ValueError:
        someones = False
    return other if someones else match[0]
