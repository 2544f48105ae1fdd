"""Rows of JSON that describe items of one kind: which key is the id, the title, the date, which are the files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from qetch.tools.new import shapes
from qetch.tools.new.people import PEOPLE, person
from qetch.tools.new.proposals import File, Item
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from qetch.tools.new.page import Page

MAX_ROWS = 1000
MAX_COLUMNS = 300
MAX_DEPTH = 3
EXACT_SIZES = frozenset(("bytes", "octets", "filesize", "fsize", "contentlength"))
LIKELY_SIZES = frozenset(("weight", "length"))
LIKELY = 1000
"""Bytes; what is less in a key that may be a size is something else."""


LIST = "[]"
"""In a path of keys: every item of a list."""
TEXT = "#"
"""In a path of keys: the text of an element that has attributes too."""
SILENT = (TEXT, "@href", "@url", "@src")
"""Keys of XML that say nothing of the URL that they hold."""


@dataclass(frozen=True)
class Reach:
    """How values below a place are written: as bare JMESPath, or of a name.

    Attributes:
        of: A name, if the values are not those of the place itself.
        prefix: Where they are below it, as a selector.
    """

    of: str = ""
    prefix: str = ""
    head: ClassVar[str] = "jmespath"
    itself: ClassVar[str] = "@"
    noun: ClassVar[str] = "object"
    whole: ClassVar[str] = "@"
    """The selector for `metadata`, if one can take everything."""

    def text(self, path: Sequence[str]) -> str:
        """The selector for a path of keys."""
        return jmespath(path, self.prefix)

    def rows(self, path: Sequence[str]) -> str:
        """The selector for a list: a last `[]` is left out, but not after another one, which would nest them."""
        keys = list(path[:-1] if path.count(LIST) == 1 and path[-1] == LIST else path)
        text = ""
        for key in keys:
            text += LIST if key == LIST else ("." if text else "") + jmespath([key])
        return text or "@"

    def or_none(self, selector: str) -> str:
        """A selector for a list, which is empty where there is none."""
        return f"{selector} || `[]`"

    def at(self, path: Sequence[str]) -> Reach:
        """The same, below a path of keys."""
        return replace(self, prefix=jmespath(path) if path else "")

    def inside(self, path: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Reach:
        """How values are written in each of the rows at a path of keys."""
        del path, rows
        return replace(self, of="", prefix="")

    def value(self, path: Sequence[str], **post: Any) -> Any:
        """A value that reads a path of keys."""
        return self.raw(self.text(path), **post)

    def raw(self, selector: str, **post: Any) -> Any:
        """A value with a selector as it is."""
        if self.of:
            return {"of": self.of, self.head: selector, **post}
        return {self.head: selector, **post} if post else selector

    def number(self, column: Column) -> Any:
        """A value that reads numbers, which may be written as texts."""
        return self.value(column.path, **({"number": "int"} if column.texts else {}))


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
        return tuple(word for key in self.path if key not in SILENT for word in shapes.words(key))

    @property
    def key(self) -> str:
        """Its last key, in lower case without separators."""
        named = [key for key in self.path if key != TEXT]
        return re.sub(r"[^a-z0-9]", "", named[-1].lower()) if named else ""

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
    others = {"hash": 5.0, "code": 4.0, "pk": 4.0, "no": 4.0, "ref": 4.0, "reference": 4.0, "key": 3.0, "number": 3.0}
    return others.get(column.key, 0.0)


# --- fields

_TITLES = ("title", "caption", "headline", "name", "filename", "alt", "label", "subject")
_DESCRIPTIONS = (
    *("description", "desc", "summary", "abstract", "body", "text", "content", "comment", "about", "caption"),
    *("blurb", "synopsis", "details", "intro", "note", "notes", "story"),
)
_DATES = frozenset(
    (
        *("date", "datetime", "created", "published", "uploaded", "upload", "posted", "taken", "timestamp", "time"),
        *("added", "released", "release", "aired", "issued", "captured", "recorded", "shot"),
    )
)
_MOMENTS = frozenset(("at", "on"))
"""Last words of keys that are moments, if their values can be."""
_LATER = frozenset(
    ("updated", "modified", "edited", "last", "expires", "expire", "deleted", "until", "ends", "changed")
)


def _fields(table: Sequence[Column], reach: Reach) -> Iterator[tuple[str, Any]]:
    uid = uid_column(table)
    if uid:
        yield "uid", reach.value(uid.path)
    title = _named(table, _TITLES, lambda column: max(map(len, column.there)) <= 500)
    if title:
        text = _prose(title, reach)
        yield "title", Noted(text, PROSE) if isinstance(text, dict) and "parse" in text else text
    others = [column for column in table if column is not title]
    description = _named(others, _DESCRIPTIONS, lambda _: True)
    if description:
        yield "description", _prose(description, reach)
    who = person(table)
    if who:
        yield "uploaded_by", reach.value(who.path)
    yield from _date(table, reach)
    if reach.whole and not reach.of and not reach.prefix:
        yield "metadata", reach.whole


PROSE = "decide: is this HTML, or plain text in which < and & are just such?"


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


def _date(table: Sequence[Column], reach: Reach) -> Iterator[tuple[str, Any]]:
    top = [column for column in table if len(column.path) == 1]
    steps = [(column, step) for column in top if (step := shapes.date_step(column.there)) is not None]
    named = [entry for entry in steps if _is_moment(entry[0].words)]
    named.sort(key=lambda entry: not _LATER.isdisjoint(entry[0].words))
    others = [entry for entry in steps if _OTHER_NUMBERS.isdisjoint(entry[0].words) and _is_recent(entry[0])]
    for column, step in named[:1] or others[:1]:
        value = reach.value(column.path, **step)
        form = step.get("date", "")
        if not named:
            yield "uploaded_date", Noted(value, "decide: is this when it was published?")
        elif "%" in form and "%b" not in form.lower():
            yield "uploaded_date", Noted(value, "decide: is the date read in the right order?")
        else:
            yield "uploaded_date", value


_OTHER_NUMBERS = (
    frozenset(("id", "uid", "no", "number", "size", "bytes", "count", "views", "phone", "hash", "seed", "version"))
    | _LATER
)


def _is_recent(column: Column) -> bool:
    """Whether numbers are seconds or milliseconds of this century; texts have the form of a date anyway."""
    return all(isinstance(value, str) or value > 9.4e8 for value in column.there) and len(column.there) > 0


def _is_moment(words: Sequence[str]) -> bool:
    return not _DATES.isdisjoint(words) or (len(words) > 1 and words[-1] in _MOMENTS)


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
        likely = not exact and column.key in LIKELY_SIZES
        fewest = LIKELY if likely else 10
        whole = [isinstance(value, int) and not isinstance(value, bool) and value >= fewest for value in column.there]
        texts = [isinstance(value, str) and re.fullmatch(r"\d{2,15}", value) is not None for value in column.there]
        if (exact or likely) and (all(whole) or (exact and all(texts))):
            value = reach.value(column.path, **({} if all(whole) else {"number": "int"}))
            yield "size", Noted(value, "decide: is this the exact number of bytes?") if likely else value
            return


def size_of(table: Sequence[Column], url: Column, reach: Reach) -> Any:
    """The value that reads the bytes of a file that stands beside its URL, or None."""
    near = [column for column in table if column.path[:-1] == url.path[:-1] and column.there]
    return next((value for _, value in _size(near, reach)), None)
