"""Spoils site files in a way that can be repeated: bytes, lines, keys, types, nesting."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from qetch.spec.check import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

PIECES = [
    *(
        b"&a ",
        b"*a",
        b"!x ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\t",
        b"\x00",
        b"\xef\xbb\xbf",
        b"\xff",
        b"#",
        b" #",
        b": ",
        b"- ",
    ),
    *(
        b"\r",
        b"\n",
        b"---\n",
        b"...",
        b"\xe2\x80\xa8",
        b"\xc2\x85",
        b"'",
        b'"',
        b"\\",
        b"|\n",
        b">-\n",
        b"? ",
        b"%",
        b"@",
    ),
    *(b"`", b"<<: ", b"~", b"null", b"\xf0\x9f\x98\x80", b"{{", b"}}", b"{+x}", b"(?P<x>", b")", b"*" * 50, b"[" * 60),
]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**30, "", " ", "\n", [], {}, [[]], {"": ""}, [None], {"a": None}),
    *("{", "}", "{x}", "{{", "{+id}", "{source}", "{key}", "@", "[?", "[0]", "a.b", "::text", "a::attr(", "//a[", "*"),
    *(
        "(?P<id>",
        "(",
        "(a+)+$",
        "[",
        r"\1",
        "(?<=a*)b",
        r"^https?://[^/]+/(?P<id>\d+)$",
        "(?i",
        r"\p{L}",
        "a{2,1}",
        "(?(1)a)",
    ),
    *(
        "json",
        "html",
        "text",
        "unix",
        "%Q",
        "Mars/Phobos",
        "https://",
        "http://[",
        "https://a.example/",
        "ftp://x/",
        "//",
    ),
    *(
        "x" * 9000,
        "ü" * 300,
        "\u0000",
        "\u202e",
        "\ud83d\ude00",
        "1/s",
        "0/s",
        "99999999999/h",
        "-",
        "404",
        "hls",
        "dead",
    ),
]


def spoil(text: bytes, random: Random) -> bytes:
    """A text with one to four things wrong."""
    data = _data(text)
    for _ in range(random.randint(1, 3) if random.random() < 0.6 else 0):
        random.choice(TREE)(data, random)
    if data != _data(text):
        text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=random.choice([40, 100000])).encode(
            errors="replace"
        )
    for _ in range(random.randint(0, 2)):
        text = random.choice(BYTES)(text, random)
    return text


@cache
def _parsed(text: bytes) -> Any:
    return yaml.safe_load(text)


def _data(text: bytes) -> Any:
    return copy.deepcopy(_parsed(text))


@cache
def _words() -> list[str]:
    """All keys of the language."""
    found = set()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            found.update(part.get("properties", {}))
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            walk(inner)

    walk(schema())
    return sorted(found)


# --- bytes and lines


def _insert(text: bytes, random: Random) -> bytes:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(PIECES) + text[at:]


def _overwrite(text: bytes, random: Random) -> bytes:
    at = random.randrange(len(text) + 1)
    return text[:at] + bytes([random.randrange(256)]) + text[at + 1 :]


def _delete(text: bytes, random: Random) -> bytes:
    at = random.randrange(len(text) + 1)
    return text[:at] + text[at + random.choice([1, 1, 2, 10, 200, 100000]) :]


def _repeat(text: bytes, random: Random) -> bytes:
    at = random.randrange(len(text) + 1)
    piece = text[at : at + random.choice([1, 5, 80])]
    return text[:at] + piece * random.choice([2, 2, 3, 100]) + text[at:]


def _lines(text: bytes, random: Random) -> bytes:
    lines = text.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    how = random.randrange(5)
    if how == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif how == 1:
        lines[one] = b"  " * random.randint(1, 4) + lines[one]
    elif how == 2:
        lines[one] = lines[one].lstrip()
    elif how == 3:
        lines.insert(one, lines[other])
    else:
        del lines[one]
    return b"\n".join(lines)


# --- keys, types, nesting


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (mapping or list, key or index) below a node."""
    pairs = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    for key, value in pairs:
        yield node, key
        yield from _places(value)


def _somewhere(data: Any, random: Random) -> tuple[Any, Any]:
    return random.choice(list(_places(data)) or [({"": ""}, "")])


def _retype(data: Any, random: Random) -> None:
    node, key = _somewhere(data, random)
    node[key] = copy.deepcopy(random.choice(VALUES))


def _rename(data: Any, random: Random) -> None:
    node, key = _somewhere(data, random)
    if isinstance(node, dict):
        node[random.choice([*_words(), "", "x", 1, None, True])] = node.pop(key)


def _add(data: Any, random: Random) -> None:
    node, key = _somewhere(data, random)
    if isinstance(node, dict):
        node[random.choice(_words())] = copy.deepcopy(random.choice([*VALUES, node[key]]))


def _remove(data: Any, random: Random) -> None:
    node, key = _somewhere(data, random)
    del node[key]


def _wrap(data: Any, random: Random) -> None:
    node, key = _somewhere(data, random)
    for _ in range(random.choice([1, 1, 2, 20, 45])):
        node[key] = [node[key]] if random.random() < 0.5 else {random.choice(_words()): node[key]}


def _move(data: Any, random: Random) -> None:
    node, key = _somewhere(data, random)
    value = copy.deepcopy(node[key])
    other, place = _somewhere(data, random)
    other[place] = value


def _append(data: Any, random: Random) -> None:
    node, key = _somewhere(data, random)
    if isinstance(node, list):
        node.extend([copy.deepcopy(node[key])] * random.choice([1, 3, 200]))


BYTES: list[Callable[[bytes, Random], bytes]] = [_insert, _overwrite, _delete, _repeat, _lines]
TREE: list[Callable[[Any, Random], None]] = [_retype, _retype, _rename, _add, _remove, _wrap, _move, _append]
