"""Lists inside an item that are the qualities of its one file, and not further items."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.tools.new import shapes
from qetch.tools.new.items import Column, Reach, columns, jmespath

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qetch.tools.new.page import Page

CONTAINERS = frozenset(
    (
        *("sources", "formats", "variants", "renditions", "versions", "qualities", "streams", "sizes"),
        *("resolutions", "candidates", "encodings", "transcodes", "downloads"),
    )
)
NAMES = ("label", "quality", "name", "format", "resolution", "height", "width", "type", "key", "bitrate", "id")
RANKS = ("height", "width", "bitrate", "bandwidth", "quality")
QUALITY_NAME = re.compile(
    r"\d{3,4}p?\d*|[248]k|u?hd|sd|hq|lq|high|low|medium|original|source|small|large", re.IGNORECASE
)


def find(rows: Sequence[Mapping[str, Any]], page: Page, reach: Reach) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """The words of `renditions`, and the URLs that they give, if a list in the rows holds qualities."""
    for path, inner in _lists(rows):
        table = columns([row for item in inner for row in item])
        url = max(
            (column for column in table if shapes.is_file(column.words + shapes.words(path[-1]), column.there)),
            key=lambda column: shapes.quality(column.words, ""),
            default=None,
        )
        if url is None or not _are_qualities(path[-1], table, inner, url):
            continue
        name = _name(table, inner)
        words: dict[str, Any] = {"of": reach.of} if reach.of else {}
        words |= {"in": jmespath(path, reach.prefix)}
        words |= {"name": name} if name else {"name": {"jmespath": jmespath(url.path), "regex": "([^/?#]+)(?:[?#]|$)"}}
        words["url"] = jmespath(url.path)
        ranks = [column for rank in RANKS for column in table if column.key == rank and _is_numeric(column)]
        if ranks:
            words["quality"] = {"rank": jmespath(ranks[0].path)}
        if all(shapes.extension_of(text) == "m3u8" for text in url.links):
            words["playlist"] = "hls"
        found = tuple(dict.fromkeys(joined for text in url.links if (joined := page.join(text))))
        return words, found
    return None


def _lists(rows: Sequence[Mapping[str, Any]]) -> list[tuple[tuple[str, ...], list[list[Any]]]]:
    """The lists of objects in rows, at most one key deep."""
    found: dict[tuple[str, ...], list[list[Any]]] = {}
    for row in rows[:200]:
        for key, value in row.items():
            inner = value.items() if isinstance(value, dict) else ()
            for path, item in (((key,), value), *(((key, under), item) for under, item in inner)):
                if isinstance(item, list) and item and all(isinstance(entry, dict) for entry in item[:200]):
                    found.setdefault(path, []).append(item[:200])
    return [entry for entry in found.items() if len(entry[1]) * 2 >= len(rows)]


def is_container(key: str) -> bool:
    """Whether a key says that its list holds qualities."""
    return not CONTAINERS.isdisjoint(shapes.words(key))


def _are_qualities(key: str, table: Sequence[Column], rows: Sequence[Sequence[Any]], url: Column) -> bool:
    if is_container(key):
        return True
    labels = [column for column in table if column.key in ("label", "quality", "resolution", "name", "format", "size")]
    if any(column.texts and all(QUALITY_NAME.fullmatch(text) for text in column.there) for column in labels):
        return True
    video = all(shapes.media_kind(text) in ("video", "playlist") for text in url.links)
    return all(map(_same_ratio, rows)) and (video or max(map(len, rows)) > 1)


def _same_ratio(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether pictures of different sizes have the same shape."""
    sizes = [(row.get("width"), row.get("height")) for row in rows]
    pairs = [
        (w, h) for w, h in sizes if isinstance(w, int) and isinstance(h, int) and w > 0 and 0 < h < 10**6 and w < 10**6
    ]
    if len(pairs) < len(rows) or len(set(pairs)) < len(rows):
        return False
    ratios = [w / h for w, h in pairs]
    return max(ratios) < min(ratios) * 1.03


def _name(table: Sequence[Column], rows: Sequence[Sequence[Any]]) -> str | None:
    """The first key that names each quality of an item with a name of its own."""
    for name in NAMES:
        for column in table:
            if len(column.path) != 1 or column.key != name:
                continue
            values = [[row.get(column.path[0]) for row in item] for item in rows]
            plain = all(
                isinstance(v, (str, int)) and not isinstance(v, bool) and v != "" for item in values for v in item
            )
            if plain and all(len({str(value) for value in item}) == len(item) for item in values):
                return jmespath(column.path)
    return None


def _is_numeric(column: Column) -> bool:
    return bool(column.there) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12 for value in column.there
    )
