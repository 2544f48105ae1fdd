"""Playlists and encrypted segments, for the tests of HLS."""

from __future__ import annotations

from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad


def media(*lines: str, end: bool = True) -> str:
    """A playlist of segments, by its lines."""
    return "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:10", *lines, *(["#EXT-X-ENDLIST"] if end else [])])


def segments(*names: str) -> str:
    """A playlist of plain segments."""
    return media(*(f"#EXTINF:9.5,\n{name}" for name in names))


def listed(*lines: str) -> str:
    """A playlist of segments, by their URLs and the tags between them."""
    return media(*(line if line.startswith("#") else f"#EXTINF:9.5,\n{line}" for line in lines))


def master(*streams: tuple[str, str], more: str = "") -> str:
    """A playlist of playlists: the attributes and the URL of each."""
    return "\n".join(["#EXTM3U", more, *(f"#EXT-X-STREAM-INF:{words}\n{url}" for words, url in streams)])


def locked(plain: bytes, key: bytes, iv: bytes) -> bytes:
    """A segment, encrypted as playlists mean it."""
    return AES.new(key, AES.MODE_CBC, iv=iv).encrypt(pad(plain, 16))
