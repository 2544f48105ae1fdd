"""Reads the text of an HLS playlist (RFC 8216). Nothing is fetched here.

The library `m3u8` parses it. Keys and init segments are read here, since it does not say which key holds for which
init segment, and everything that is not needed to save the file is not parsed at all: what is wrong there does no harm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from qetch.errors import Forbidden, LimitReached, RemoteError, UnsupportedURL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_SEGMENTS = 20_000
MAX_NUMBER = 1 << 63
"""Of a segment."""

PARSED = frozenset(
    {
        "#EXTINF",
        "#EXT-X-BYTERANGE",
        "#EXT-X-ENDLIST",
        "#EXT-X-GAP",
        "#EXT-X-MEDIA",
        "#EXT-X-MEDIA-SEQUENCE",
        "#EXT-X-PLAYLIST-TYPE",
        "#EXT-X-STREAM-INF",
    }
)
"""The tags that are left to the library."""
BOUNDED = ("#EXTINF", "#EXT-X-BYTERANGE", "#EXT-X-STREAM-INF", "#EXT-X-MEDIA:")
"""Each of these makes an object, so that they are counted before they are parsed."""
BEYOND = {"#EXT-X-DEFINE": "variables", "#EXT-X-SKIP": "a part that was left out"}
"""Tags without which the rest cannot be understood."""

_attribute = re.compile(r'\s*([A-Z0-9-]+)\s*=\s*(?:"([^"]*)"|([^",]*))\s*(?:,|$)')
_span = re.compile(r"(\d{1,18})(?:@(\d{1,18}))?")


@dataclass(frozen=True, slots=True)
class Key:
    """Where the key of AES-128 is, absolute, and the IV if the playlist gives it."""

    url: str
    iv: bytes | None


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment, or an init segment: `length` bytes from `offset` on, or all; `number` is the one that an IV may be."""

    url: str
    offset: int
    length: int | None
    key: Key | None
    number: int


@dataclass(frozen=True, slots=True)
class Media:
    """A playlist of segments, in order, each group after its init segment.

    Attributes:
        gaps: How many segments the site does not have, and says so.
    """

    pieces: tuple[Piece, ...]
    has_init: bool
    gaps: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """A playlist of one quality; `is_mute` if its sound is in a playlist of its own."""

    url: str
    bandwidth: int | None
    height: int | None
    is_mute: bool


@dataclass(frozen=True, slots=True)
class Sound:
    """A playlist of sound without a picture; its name is the language, if there is one."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Master:
    """A playlist of playlists, no two with the same URL."""

    renditions: tuple[Rendition, ...]
    sounds: tuple[Sound, ...]


def read(text: str, url: str) -> Master | Media:
    """What a playlist says.

    Args:
        text: Of the playlist.
        url: Where it came from; what is relative is joined to this.

    Raises:
        RemoteError: It is no HLS playlist, or a broken one.
        UnsupportedURL: It is that of a live stream.
        Forbidden: It is protected by DRM.
        LimitReached: It is too long.
    """
    place = where(url)
    if not text.lstrip("\ufeff \t\r\n").startswith("#EXTM3U"):
        start = " ".join(text[:60].split())
        raise RemoteError(f"{place} sent something beginning {start!r} where an HLS playlist was expected")
    for tag in BOUNDED:
        if text.count(tag) > MAX_SEGMENTS:
            raise LimitReached(f"{place}: the playlist has more than {MAX_SEGMENTS:,} entries")
    try:
        data = _parsed(text.lstrip("\ufeff"))
        return _master(data, url) if data["playlists"] else _media(data, url)
    except (ValueError, OverflowError, KeyError) as error:
        reason = f" ({error})" if isinstance(error, _Broken) else ""
        raise RemoteError(f"{place}: the playlist is broken{reason}") from None


def where(url: str) -> str:
    """A URL as messages show it: what follows the `?` may open somebody's door."""
    address, question, _ = url.partition("#")[0].partition("?")
    return f"{address[:300]}{question and '?…'}"


class _Broken(ValueError):
    """Against the rules; the message says what."""


def _parsed(text: str) -> dict[str, Any]:
    import m3u8

    data: dict[str, Any] = m3u8.parse(text, custom_tags_parser=_read_tag)
    return data


def _read_tag(line: str, _number: int, _data: dict[str, Any], state: dict[str, Any]) -> bool:
    """Reads keys and init segments; True for each tag that the library shall not look at."""
    tag, _, rest = line.partition(":")
    if tag in BEYOND:
        raise _Broken(f"{tag[1:]}: it needs {BEYOND[tag]}, which qetch does not know")
    if tag == "#EXT-X-KEY":
        key, others = _attributes(rest), state["current_key"] or {}
        # One for each format: the same segments may be meant for players of several kinds.
        keys = {**others, key.get("KEYFORMAT", "identity"): key}
        state["current_key"] = keys if key.get("METHOD") != "NONE" else None
    elif tag == "#EXT-X-MAP":
        state["current_segment_map"] = (_attributes(rest), state["current_key"] or {})
    return tag not in PARSED


def _attributes(text: str) -> dict[str, str]:
    return {name: quoted or plain.strip() for name, quoted, plain in _attribute.findall(text)}


# Playlists of playlists


def _master(data: Mapping[str, Any], url: str) -> Master:
    sounds: dict[str, Sound] = {}
    within: set[str] = set()
    apart: set[str] = set()
    for media in data["media"]:
        if media.get("type") == "AUDIO":
            group = media.get("group_id", "")
            if not media.get("uri"):
                within.add(group)
                continue
            apart.add(group)
            found = _joined(media["uri"], url)
            sounds.setdefault(found, Sound(found, media.get("language") or media.get("name") or "sound"))
    mute = apart - within
    renditions: dict[str, Rendition] = {}
    for playlist in data["playlists"]:
        info, found = playlist["stream_info"], _joined(playlist["uri"], url)
        # The same picture comes again with each group of sounds.
        rendition = Rendition(found, info.get("bandwidth"), _height(info), info.get("audio") in mute)
        renditions.setdefault(found, rendition)
    others = tuple(sound for sound in sounds.values() if sound.url not in renditions)
    return Master(tuple(renditions.values()), others)


def _height(info: Mapping[str, Any]) -> int | None:
    found = re.fullmatch(r"\d{1,5}[xX](\d{1,5})", str(info.get("resolution", "")).strip())
    return int(found[1]) if found else None


# Playlists of segments


def _media(data: Mapping[str, Any], url: str) -> Media:
    place = where(url)
    if not data["is_endlist"] and data["playlist_type"] != "vod":
        raise UnsupportedURL(f"{place} is a live stream, which has no end yet - try again when it is over")
    gaps = sum(1 for segment in data["segments"] if segment.get("gap_tag"))
    pieces = tuple(_pieces(data, url))
    if not pieces:
        raise _Broken("there are no segments in it")
    return Media(pieces, any(segment.get("init_section") for segment in data["segments"]), gaps)


def _pieces(data: Mapping[str, Any], url: str) -> Iterator[Piece]:
    first = data["media_sequence"] or 0
    if not 0 <= first < MAX_NUMBER:
        raise _Broken(f"the first segment has the number {first}")
    init, end_url, end = None, "", None
    for number, segment in enumerate(data["segments"], first):
        if "uri" not in segment:  # a tag at the end, and no segment after it
            continue
        found = _joined(segment["uri"], url)
        offset, length = _range(segment.get("byterange"), end if found == end_url else None)
        end_url, end = found, offset + length if length is not None else None
        if segment.get("gap_tag"):
            continue
        if segment.get("init_section") not in (None, init):
            init = segment["init_section"]
            yield _init(init, url, number)
        yield Piece(found, offset, length, _key(segment.get("key") or {}, url), number)


def _init(section: tuple[dict[str, str], dict[str, dict[str, str]]], url: str, number: int) -> Piece:
    attributes, keys = section
    if not attributes.get("URI"):
        raise _Broken("an EXT-X-MAP has no URI")
    offset, length = _range(attributes.get("BYTERANGE"), 0)
    return Piece(_joined(attributes["URI"], url), offset, length, _key(keys, url), number)


def _range(text: str | None, end: int | None) -> tuple[int, int | None]:
    """The offset and the length of a byte range; without an offset it begins at `end`."""
    if text is None:
        return 0, None
    found = _span.fullmatch(text.strip())
    start = int(found[2]) if found and found[2] else end
    if not found or not int(found[1]):
        raise _Broken(f"{text[:60]!r} is no byte range")
    if start is None:
        raise _Broken(f"the byte range {text[:60]!r} does not say where it begins")
    return start, int(found[1])


def _key(keys: Mapping[str, Mapping[str, str]], url: str) -> Key | None:
    """The key that holds, out of those for players of different kinds."""
    if not keys:
        return None
    key = keys.get("identity")
    if key is None or key.get("METHOD") != "AES-128":
        method = " or ".join(sorted({str(each.get("METHOD")) for each in keys.values()}))
        raise Forbidden(f"{where(url)} is protected ({method[:60]}): only the site's own player can show it")
    if not key.get("URI"):
        raise _Broken("an EXT-X-KEY has no URI")
    inline = key["URI"].startswith("data:")
    return Key(key["URI"] if inline else _joined(key["URI"], url), _iv(key.get("IV")))


def _iv(text: str | None) -> bytes | None:
    if text is None:
        return None
    if not re.fullmatch(r"0[xX][0-9A-Fa-f]{1,32}", text):
        raise _Broken("an IV is not a number of 16 bytes")
    return int(text, 16).to_bytes(16, "big")


def _joined(text: str, url: str) -> str:
    joined = urljoin(url, text)
    if not joined.lower().startswith(("http://", "https://")) or not joined.isprintable():
        raise _Broken(f"{text[:60]!r} is no http or https URL")
    return joined
