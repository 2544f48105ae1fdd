"""Rows of JSON that describe items of one kind: which key is the id, the title, the date, which are the files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qetch.tools.new import shapes
from qetch.tools.new.proposals import File, Item
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from qetch.tools.new.page import Page

MAX_ROWS = 1000
MAX_COLUMNS = 300
MAX_DEPTH = 3
PEOPLE = frozenset(("author", "user", "uploader", "owner", "creator", "artist", "account", "channel", "photographer"))
PERSON_NAMES = ("name", "username", "display_name", "displayname", "nickname", "login", "screen_name", "title")
EXACT_SIZES = frozenset(("bytes", "filesize", "fsize"))


@dataclass(frozen=True)
class Reach:
    """How values below a place are written: as bare JMESPath, or of a name."""

    of: str = ""
    prefix: str = ""

    def value(self, path: Sequence[str], **post: Any) -> Any:
        """A value that reads a path of keys."""
        return self.raw(jmespath(path, self.prefix), **post)

    def raw(self, selector: str, **post: Any) -> Any:
        """A value with a selector as it is."""
        if self.of:
            return {"of": self.of, "jmespath": selector, **post}
        return {"jmespath": selector, **post} if post else selector


def jmespath(path: Sequence[str], prefix: str = "") -> str:
    """A path of keys as JMESPath.

    >>> jmespath(["data", "full-size"]), jmespath(["x"], "items[0]"), jmespath([])
    ('data."full-size"', 'items[0].x', '@')
    """
    written = [prefix] if prefix else []
    written += [key if shapes.IDENTIFIER.fullmatch(key) else json.dumps(key) for key in path]
    return ".".join(written) or "@"


@dataclass
class Column:
    """The values that all rows have under one path of keys; None where a row has none."""

    path: tuple[str, ...]
    values: list[Any] = field(default_factory=list)

    @property
    def words(self) -> tuple[str, ...]:
        """The words of all its keys."""
        return tuple(word for key in self.path for word in shapes.words(key))

    @property
    def key(self) -> str:
        """Its last key, in lower case without separators."""
        return re.sub(r"[^a-z0-9]", "", self.path[-1].lower()) if self.path else ""

    @property
    def there(self) -> list[Any]:
        """The values that are not null."""
        return [value for value in self.values if value is not None]

    @property
    def links(self) -> list[str]:
        """The texts that are not empty; a site may write false where it has no URL."""
        return [value for value in self.values if isinstance(value, str) and value]

    @property
    def texts(self) -> bool:
        """Whether all values are texts, and some say something."""
        return all(isinstance(value, str) for value in self.there) and any(self.there)

    @property
    def is_plain_text(self) -> bool:
        """Whether they are texts that are no URLs."""
        return self.texts and not any(map(shapes.is_url, self.there))


def columns(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The scalar values of rows, by their paths of keys."""
    found: dict[tuple[str, ...], Column] = {}
    for number, row in enumerate(rows[:MAX_ROWS]):
        for path, value in _leaves(row, ()):
            if path not in found:
                if len(found) >= MAX_COLUMNS:
                    continue
                found[path] = Column(path, [None] * number)
            column = found[path]
            column.values += [None] * (number - len(column.values)) + [value]
    for column in found.values():
        column.values += [None] * (min(len(rows), MAX_ROWS) - len(column.values))
    return list(found.values())


def _leaves(value: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, item in value.items():
        if isinstance(item, dict):
            if len(path) + 1 < MAX_DEPTH:
                yield from _leaves(item, (*path, key))
        elif not isinstance(item, list) and len(key) <= 100:
            yield (*path, key), item


def describe(rows: Sequence[Mapping[str, Any]], page: Page, reach: Reach) -> Item:
    """The item that each row is: its fields and files."""
    table = columns(rows)
    files = tuple(_files(table, page, reach))
    return Item(dict(_fields(table, reach)), files)


def uid_column(table: Sequence[Column]) -> Column | None:
    """The column that names each row: unique, and never null."""
    best: tuple[float, Column] | None = None
    for column in table:
        score = _uid_score(column)
        if score and (best is None or score > best[0]):
            best = score, column
    return best[1] if best else None


def _uid_score(column: Column) -> float:
    values = column.values
    if len(column.path) > 1 or not values or any(value in (None, "") for value in values):
        return 0.0
    if any(isinstance(value, (bool, float)) for value in values) or len(set(map(str, values))) < len(values):
        return 0.0
    if any(isinstance(value, str) and (len(value) > 80 or "/" in value) for value in values):
        return 0.0
    exact = {"id": 10.0, "uid": 9.5, "uuid": 9.0, "guid": 9.0, "identifier": 9.0, "shortcode": 8.0, "slug": 7.0}
    if column.key in exact:
        return exact[column.key]
    if column.words[-1:] in (("id",), ("uuid",), ("guid",)) and len(column.words) <= 3:
        return 6.0 if PEOPLE.isdisjoint(column.words) else 1.0
    return {"hash": 5.0, "code": 4.0, "pk": 4.0, "no": 4.0, "key": 3.0, "number": 3.0}.get(column.key, 0.0)


# --- fields

_TITLES = ("title", "caption", "headline", "name", "filename", "alt", "label", "subject")
_DESCRIPTIONS = ("description", "desc", "summary", "abstract", "body", "text", "content", "comment", "about", "caption")
_DATES = frozenset(
    ("date", "datetime", "created", "published", "uploaded", "upload", "posted", "taken", "timestamp", "time", "added")
)


def _fields(table: Sequence[Column], reach: Reach) -> Iterator[tuple[str, Any]]:
    uid = uid_column(table)
    if uid:
        yield "uid", reach.value(uid.path)
    title = _named(table, _TITLES, lambda column: max(map(len, column.there)) <= 500)
    if title:
        yield "title", _prose(title, reach)
    others = [column for column in table if column is not title]
    description = _named(others, _DESCRIPTIONS, lambda _: True)
    if description:
        yield "description", _prose(description, reach)
    person = _person(table)
    if person:
        yield "uploaded_by", reach.value(person.path)
    yield from _date(table, reach)
    if not reach.of and not reach.prefix:
        yield "metadata", "@"


def _prose(column: Column, reach: Reach) -> Any:
    """Text with tags or entities is read as HTML."""
    return reach.value(column.path, parse="html") if shapes.is_markup(column.there) else reach.value(column.path)


def _named(table: Sequence[Column], keys: Sequence[str], fits: Callable[[Column], bool]) -> Column | None:
    """The first column at the top of the rows that has one of the keys, and texts."""
    for key in keys:
        for column in table:
            if len(column.path) == 1 and column.key == key and column.is_plain_text and fits(column):
                return column
    return None


def _person(table: Sequence[Column]) -> Column | None:
    for column in table:
        said = not PEOPLE.isdisjoint(column.words) and column.words[-1] not in ("id", "type", "url", "role", "count")
        if said and len(column.path) == 1 and column.is_plain_text:
            return column
    for name in PERSON_NAMES:
        for column in table:
            inside = len(column.path) == 2 and not PEOPLE.isdisjoint(shapes.words(column.path[0]))
            if inside and column.key == name.replace("_", "") and column.is_plain_text:
                return column
    return None


def _date(table: Sequence[Column], reach: Reach) -> Iterator[tuple[str, Any]]:
    dated: list[tuple[bool, int, Column, dict[str, Any]]] = []
    for column in table:
        if len(column.path) == 1 and not _DATES.isdisjoint(column.words):
            step = shapes.date_step(column.there)
            if step is not None:
                late = not {"updated", "modified", "edited", "last", "expires"}.isdisjoint(column.words)
                dated.append((late, len(dated), column, step))
    if dated:
        _, _, column, step = min(dated, key=lambda entry: entry[:2])
        value = reach.value(column.path, **step)
        guessed = "%" in step.get("date", "")
        yield "uploaded_date", Noted(value, "decide: is the date read in the right order?") if guessed else value


# --- files


def _files(table: Sequence[Column], page: Page, reach: Reach) -> Iterator[File]:
    taken: list[str] = []
    for column in table:
        texts = column.links
        if not shapes.is_file(column.words, column.there):
            continue
        found = tuple(dict.fromkeys(url for text in texts if (url := page.join(text))))
        if not found:
            continue
        name = shapes.variant_name(column.words, taken)
        taken.append(name)
        more = dict(_more(table, column, texts, reach))
        yield File(name, reach.value(column.path), shapes.quality(column.words, texts[0]), found, more)


def _more(table: Sequence[Column], url: Column, texts: Sequence[str], reach: Reach) -> Iterator[tuple[str, Any]]:
    """What stands beside a file's URL: its size, checksum and extension."""
    near = [column for column in table if column.path[:-1] == url.path[:-1] and column.there]
    about = [column for column in table if len(column.path[:-1]) == len(url.path[:-1])]
    if len(url.path) == 1 and not shapes.QUALITY.keys().isdisjoint(url.words) and _has_other_file(about, url):
        near = [column for column in near if set(column.words) & set(url.words) - shapes.NOISE]
    if any(map(shapes.media_kind, texts)) and "m3u8" in {shapes.extension_of(text) for text in texts}:
        yield "playlist", "hls"
    elif not all(map(shapes.extension_of, texts)):
        yield from _extension(near, reach)
    yield from _size(near, reach)
    digests: dict[str, Any] = {}
    for column in near:
        kind = shapes.digest_kind(column.there)
        if kind and (kind in column.key or not {"hash", "checksum", "digest", "sum"}.isdisjoint(column.words)):
            digests.setdefault(kind, reach.value(column.path))
    if digests:
        yield "checksum", digests


def _has_other_file(table: Sequence[Column], url: Column) -> bool:
    """Whether a better or plainer file shares the keys around it, whose sizes these may be."""
    plain = [column for column in table if column is not url and shapes.is_file(column.words, column.there)]
    return any(shapes.quality(column.words, "") > shapes.quality(url.words, "") for column in plain)


def _extension(near: Sequence[Column], reach: Reach) -> Iterator[tuple[str, Any]]:
    for column in near:
        known = all(isinstance(text, str) and text.lstrip(".").lower() in shapes.KIND_OF for text in column.there)
        if known and not {"ext", "extension", "format", "filetype", "type"}.isdisjoint((column.key, *column.words)):
            yield "extension", reach.value(column.path)
            return


def _size(near: Sequence[Column], reach: Reach) -> Iterator[tuple[str, Any]]:
    for column in near:
        exact = not EXACT_SIZES.isdisjoint((column.key, *column.words)) or column.words[-1:] == ("size",)
        whole = [isinstance(value, int) and not isinstance(value, bool) and value >= 10 for value in column.there]
        if exact and all(whole):
            yield "size", reach.value(column.path)
            return
        texts = [isinstance(value, str) and re.fullmatch(r"\d{2,15}", value) is not None for value in column.there]
        if exact and all(texts):
            yield "size", reach.value(column.path, number="int")
            return
