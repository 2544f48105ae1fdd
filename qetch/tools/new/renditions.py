"""Lists inside an item that are the qualities of its one file, and not further items."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qetch.tools.new import shapes
from qetch.tools.new.items import Column, Reach, columns, size_of, uid_column
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qetch.tools.new.page import Page

CONTAINERS = frozenset(
    (
        *("sources", "formats", "variants", "renditions", "versions", "qualities", "streams", "sizes"),
        *("resolutions", "candidates", "encodings", "transcodes", "downloads"),
    )
)
NAMES = ("label", "quality", "name", "format", "resolution", "height", "width", "type", "key", "bitrate", "id")
LABELS = frozenset(("label", "quality", "resolution", "name", "format", "size", "kind", "type", "variant", "version"))
RATES = ("bitrate", "bandwidth")
RANKS = (("height", "width"), (*RATES, "quality"))
HEIGHT = re.compile(r"\d{3,4}[pP]?\d{0,3}")
QUALITY_NAME = re.compile(
    r"\d{3,4}p?\d*|[248]k|u?hd|sd|hq|lq|high|low|medium|original|source|small|large", re.IGNORECASE
)


@dataclass(frozen=True)
class Rendered:
    """The words of `renditions`, the URLs that they give, and the keys in a row that lead there."""

    words: dict[str, Any]
    found: tuple[str, ...]
    path: tuple[str, ...]


def find(rows: Sequence[Mapping[str, Any]], page: Page, reach: Reach) -> Rendered | None:
    """The qualities of each row, if a list or an object in the rows holds some."""
    for path, inner in _lists(rows):
        table = columns([row for item in inner for row in item])
        url = _url(path, table)
        if url is not None and _are_qualities(path[-1], table, inner, url):
            row = reach.inside(path, [entry for item in inner for entry in item])
            name = _named(table, inner, url, row)
            return _rendered(reach.text(path), path, {**name, **_more(table, url, row)}, url, row, reach, page)
    for path, inner in _maps(rows) if reach.head == "jmespath" else ():
        table = columns([row for item in inner for row in item])
        url = _url(path, table)
        if url is not None:
            row = reach.inside(path, [])
            words = {
                "name": "key",
                **_more(table, url, row),
                "quality": {"rank": row.raw("key", regex=r"\d+", number="int")},
            }
            return _rendered(f"entries({reach.text(path)})", path, words, url, row, reach, page)
    return None


def _url(path: tuple[str, ...], table: Sequence[Column]) -> Column | None:
    """The column of the files' URLs."""
    files = [column for column in table if shapes.is_file(column.words + shapes.words(path[-1]), column.there)]
    return max(files, key=lambda column: shapes.quality(column.words, ""), default=None)


def _rendered(
    selector: str, path: tuple[str, ...], more: dict[str, Any], url: Column, row: Reach, reach: Reach, page: Page
) -> Rendered:
    words: dict[str, Any] = {**({"of": reach.of} if reach.of else {}), "in": selector}
    words |= {name: more.pop(name) for name in ("let", "name") if name in more}
    words |= {"url": row.text(url.path), **more}
    if all(shapes.extension_of(text) == "m3u8" for text in url.links):
        words["playlist"] = "hls"
    return Rendered(words, tuple(dict.fromkeys(joined for text in url.links if (joined := page.join(text)))), path)


def _more(table: Sequence[Column], url: Column, row: Reach) -> dict[str, Any]:
    """The sizes of files, and what ranks them: how large the picture is, then how many bits, else how many bytes."""
    size = size_of(table, url, row)
    words = {} if size is None else {"size": size}
    groups = [
        [column for key in keys for column in table if column.key == key and _is_numeric(column)] for keys in RANKS
    ]
    ranks = [row.number(group[0]) for group in groups if group]
    if ranks:
        words["quality"] = {"rank": ranks[0] if len(ranks) == 1 else ranks}
    elif labels := [column for column in table if column.key in LABELS and _says_height(column)]:
        words["quality"] = {"rank": row.value(labels[0].path, regex=r"\d+", number="int")}
    elif size is not None:
        rank = size.value if isinstance(size, Noted) else size
        words["quality"] = Noted({"rank": rank}, "decide: is the one with the most bytes the best?")
    return words


def _named(table: Sequence[Column], rows: Sequence[Sequence[Any]], url: Column, row: Reach) -> dict[str, Any]:
    """The word `name`, and the names that it needs: two files may have one height."""
    name = _name(table, rows)
    height = next((column for column in table if column.key == "height" and _is_numeric(column)), None)
    rate = next((column for column in table if column.key in RATES and _is_numeric(column)), None)
    if height and rate and (name is None or name[-1].lower().lstrip("@") in ("height", rate.key)):
        let = {"height": row.text(height.path), "bitrate": row.text(rate.path)}
        return {"let": let, "name": {"text": "{height}p-{bitrate}"}}
    if name:
        return {"name": row.text(name)}
    ends = [[text.rpartition("/")[2] for text in item] for item in _texts(url, rows)]
    unique = all(len(set(item)) == len(item) for item in ends)
    return {"name": row.value(url.path, regex="([^/?#]+)(?:[?#]|$)" if unique else shapes.FILE_PATH)}


def _texts(url: Column, rows: Sequence[Sequence[Any]]) -> Iterator[list[str]]:
    """The URLs of each item."""
    values = iter(url.values)
    for item in rows:
        yield [text for _, text in zip(item, values, strict=False) if isinstance(text, str)]


def _says_height(column: Column) -> bool:
    return column.texts and all(HEIGHT.fullmatch(text) for text in column.there)


def _lists(rows: Sequence[Mapping[str, Any]]) -> list[tuple[tuple[str, ...], list[list[Any]]]]:
    """The lists of objects in rows, at most one key deep."""
    found: dict[tuple[str, ...], list[list[Any]]] = {}
    for path, item in _inner(rows):
        if isinstance(item, list) and item and all(isinstance(entry, dict) for entry in item[:200]):
            found.setdefault(path, []).append(item[:200])
    return [entry for entry in found.items() if len(entry[1]) * 2 >= len(rows)]


def _maps(rows: Sequence[Mapping[str, Any]]) -> list[tuple[tuple[str, ...], list[list[Any]]]]:
    """The objects in rows whose keys are heights such as 720p, as the rows that `entries` makes of them."""
    found: dict[tuple[str, ...], list[list[Any]]] = {}
    for path, item in _inner(rows):
        if isinstance(item, dict) and item and all(HEIGHT.fullmatch(key) for key in item):
            found.setdefault(path, []).append([{"key": key, "value": value} for key, value in list(item.items())[:50]])
    return [entry for entry in found.items() if len(entry[1]) * 2 >= len(rows)]


def _inner(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What stands in rows, at most one key deep."""
    for row in rows[:200]:
        for key, value in row.items():
            yield (key,), value
            if isinstance(value, dict):
                yield from (((key, under), item) for under, item in value.items())


def is_container(key: str) -> bool:
    """Whether a key says that its list holds qualities."""
    return not CONTAINERS.isdisjoint(shapes.words(key))


def _are_qualities(key: str, table: Sequence[Column], rows: Sequence[Sequence[Any]], url: Column) -> bool:
    if is_container(key):
        return True
    labels = [column for column in table if column.key in ("label", "quality", "resolution", "name", "format", "size")]
    if any(column.texts and all(QUALITY_NAME.fullmatch(text) for text in column.there) for column in labels):
        return True
    if _are_copies(table, rows, url) or _are_encodings(table, url):
        return True
    video = all(shapes.media_kind(text) in ("video", "playlist") for text in url.links)
    return all(map(_same_ratio, rows)) and (video or max(map(len, rows)) > 1)


def _are_encodings(table: Sequence[Column], url: Column) -> bool:
    """Whether films say no more of themselves than how large they are, and how many bits they take."""
    if not all(shapes.media_kind(text) in ("video", "audio", "playlist") for text in url.links):
        return False
    measured = any(column.key in (*RANKS[0], *RATES) and _is_numeric(column) for column in table)
    return (
        measured
        and not any(column.key in ("title", "caption", "description") for column in table)
        and not uid_column(table)
    )


def _are_copies(table: Sequence[Column], rows: Sequence[Sequence[Any]], url: Column) -> bool:
    """Whether an item's files have labels, and one name in different folders: /small/ab1.jpg, /big/ab1.jpg."""
    if not any(column.key in LABELS and column.texts for column in table):
        return False
    items = [texts for texts in _texts(url, rows) if texts]
    ends = [{text.partition("?")[0].rpartition("/")[2] for text in texts} for texts in items]
    names = {next(iter(names)) for names in ends}
    plain = all(re.search(r"\d", name.rpartition(".")[0]) for name in names)  # not image.jpg
    return plain and max(map(len, items), default=0) > 1 and all(len(e) == 1 for e in ends) and len(names) == len(items)


def _same_ratio(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether pictures of different sizes have the same shape."""
    sizes = [(_side(row, "width"), _side(row, "height")) for row in rows]
    pairs = [(w, h) for w, h in sizes if 0 < w < 10**6 and 0 < h < 10**6]
    if len(pairs) < len(rows) or len(set(pairs)) < len(rows):
        return False
    ratios = [w / h for w, h in pairs]
    return max(ratios) < min(ratios) * 1.03


def _side(row: Mapping[str, Any], name: str) -> int:
    """The width or height of a row, which in XML is an attribute; 0 if it has none."""
    value = row.get(name, row.get(f"@{name}"))
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 7:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _name(table: Sequence[Column], rows: Sequence[Sequence[Any]]) -> tuple[str, ...] | None:
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
                return column.path
    return None


def _is_numeric(column: Column) -> bool:
    if column.texts:
        return all(value.isascii() and value.isdecimal() and len(value) < 12 for value in column.there)
    return bool(column.there) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12 for value in column.there
    )
