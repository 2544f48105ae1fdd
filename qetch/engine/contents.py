"""Makes contents: fields, files, variants, renditions and their qualities."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qetch.content import Content
from qetch.engine.reading import DIGITS, as_text, fields, shown
from qetch.selectors.jmes import DoesNotFit
from qetch.spec import dates
from qetch.spec.model import File, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qetch.engine.fetching import Fetcher
    from qetch.engine.reading import Names, Place, Reader
    from qetch.extractors import BaseExtractor
    from qetch.spec.model import ContentSpec, Site

MAX_SIZE = 2**63
"""Bytes; no file is as large."""
DIGEST_BYTES = {"md5": 16, "sha1": 20, "sha256": 32}

Found = tuple[File, "Place", "Names"]
"""A file of the spec, the place that it reads, and the names there."""


@dataclass(slots=True)
class _Facts:
    file: File
    name: str | None
    urls: list[str]
    rank: tuple[float | None, ...]
    content: dict[str, Any]


Ranked = tuple[_Facts, float]
"""The facts of a file, and its quality."""


class ContentMaker:
    """Makes the contents of one site."""

    def __init__(self, site: Site, extractor: BaseExtractor, fetcher: Fetcher) -> None:
        self.site = site
        self.extractor = extractor
        self.fetcher = fetcher
        self.reader = fetcher.reader
        self._no_ranks: set[str] = set()  # the places whose ranks are no good, of which that was said

    def fields(self, spec: ContentSpec, place: Place, names: Names, outer: dict[str, Any]) -> dict[str, Any]:
        """The fields of a content: its own, and where those are null, the ones around it."""
        own: dict[str, Any] = {}
        for name, value in spec.fields:
            if name == "uploaded_date":
                own[name] = self._date(value, place, names)
            else:
                own[name] = self.reader.text(value, place, names)
        if spec.metadata is not None:
            own["metadata"] = self._metadata(spec.metadata, place, names)
        return {**outer, **{name: item for name, item in own.items() if item is not None}}

    def contents(self, known: dict[str, Any], files: Iterable[Found], source: str) -> list[Content]:
        """The contents of one item, one for each file that has a URL."""
        facts = [fact for found in files if (fact := self._facts(*found))]
        ranked = best_of_each_name(_ranked(facts), self.reader)
        if len(ranked) < len(facts):
            facts = [fact for fact, _ in ranked]
            ranked = _ranked(facts)  # anew: the best of those that are left is 1.0
        self._say_unranked(facts)
        if any(fact.file.playlist for fact in facts):
            from qetch.engine.playlists import Expander

            ranked = Expander(self.fetcher).expanded(ranked)
        uid = f"{self.site.name}-{known['uid']}"
        return [
            Content(
                f"{uid}-{fact.name}" if fact.name is not None else uid,
                source,
                fact.urls,
                self.extractor,
                quality=quality,
                title=known.get("title"),
                description=known.get("description"),
                uploaded_by=known.get("uploaded_by"),
                uploaded_date=known.get("uploaded_date"),
                metadata=dict(known.get("metadata") or {}),  # everybody may change their own
                variant=fact.name,
                gone=self.site.gone,
                **fact.content,
            )
            for fact, quality in ranked
        ]

    def _say_unranked(self, facts: Sequence[_Facts]) -> None:
        """Says that a rank told nothing of any file; one file alone needs no rank."""
        ranked = [fact for fact in facts if fact.rank]
        if len(ranked) > 1 and _is_unranked(ranked) and ranked[0].file.quality:
            where = ranked[0].file.quality.rank[0].where
            if where not in self._no_ranks:
                self._no_ranks.add(where)
                self.reader.note(where, "the rank is null for every file, so their order in the list decides")

    # --- fields

    def _date(self, value: Value, place: Place, names: Names) -> datetime | None:
        found = self.reader.read(value, place, names)
        if found is None or isinstance(found, datetime):
            return found
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            try:
                return dates.from_unix(found)
            except ValueError as error:
                self.reader.say(value, place, str(error))
        else:
            self.reader.say(value, place, f"{shown(found)} is no number of Unix seconds: a text needs `date:`")
        return None

    def _metadata(self, spec: Value | tuple[tuple[str, Value], ...], place: Place, names: Names) -> Any:
        if isinstance(spec, Value):
            found = self.reader.read(spec, place, names)
            if found is None or isinstance(found, dict):
                return found
            self.reader.say(spec, place, f"{shown(found)} where an object is wanted")
            return None
        return {name: self._plain(value, place, names) for name, value in spec}

    def _plain(self, value: Value, place: Place, names: Names) -> Any:
        """JSON as it is, dates too; elements as their text."""
        found = self.reader.read(value, place, names)
        if isinstance(found, list):
            return [_plain_item(item) for item in found]
        return _plain_item(found)

    # --- files

    def _facts(self, file: File, place: Place, names: Names) -> _Facts | None:
        name = self.reader.text(file.name, place, names) if isinstance(file.name, Value) else file.name
        if isinstance(file.name, Value) and name is None:
            self.reader.say(file.name, place, "a rendition without a name")
            return None
        urls = self.reader.urls(file.urls, place, names, many=file.fragments)
        if not urls:
            self.reader.passed(file.urls.where, "it has no URL", place.row)
            return None
        ranks = file.quality.rank if file.quality else ()
        return _Facts(
            file,
            name,
            urls,
            tuple(self._rank(value, place, names) for value in ranks),
            {
                "extension": self._extension(file, place, names, urls[0]),
                "size": self._size(file.size, place, names) if file.size else None,
                "checksums": dict(self._checksums(file, place, names)),
                "headers": self._headers(file, place, names) if file.headers else {},
                "playlist": file.playlist,
            },
        )

    def _headers(self, file: File, place: Place, names: Names) -> dict[str, str]:
        try:
            return fields(file.headers, names)
        except DoesNotFit as error:
            self.reader.say(file.urls, place, f"no headers: {error}")
            return {}

    def _extension(self, file: File, place: Place, names: Names, url: str) -> str | None:
        given = self.reader.text(file.extension, place, names) if file.extension else None
        return given.lstrip(".").lower() or None if given else url_extension(url)

    def _size(self, value: Value, place: Place, names: Names) -> int | None:
        found = self.reader.read(value, place, names)
        if found is None:
            return None
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < MAX_SIZE:
            self.reader.say(value, place, f"{shown(found)} is no number of bytes")
            return None
        return found

    def _checksums(self, file: File, place: Place, names: Names) -> Iterator[tuple[str, str]]:
        for kind, value in file.checksums:
            text = self.reader.text(value, place, names)
            if text:
                digest = hex_digest(kind, text.strip())
                if digest:
                    yield kind, digest
                else:
                    self.reader.say(value, place, f"{shown(text)} is no {kind} in hex or base64")

    def _rank(self, value: Value, place: Place, names: Names) -> float | None:
        found = self.reader.read(value, place, names)
        if found is None or (isinstance(found, (int, float)) and not isinstance(found, bool) and abs(found) < 1e300):
            return found
        if value.where not in self._no_ranks:
            self._no_ranks.add(value.where)
            why = f"{shown(found)} is no number to rank by, and counts as none{_rank_cure(found)}"
            self.reader.say(value, place, why)
        return None


def best_of_each_name(ranked: Iterable[Ranked], reader: Reader) -> list[Ranked]:
    """Of the files of one name, the one of the highest quality; of equals the first. That others go is said."""
    best: dict[str | None, Ranked] = {}
    for fact, quality in ranked:
        kept = best.setdefault(fact.name, (fact, quality))
        if kept[0] is not fact:
            best[fact.name] = kept if kept[1] >= quality else (fact, quality)
            why = f"two files are named {fact.name!r}: the better one is kept - a `name` of its own for each keeps both"
            reader.note(fact.file.urls.where, why)
    return list(best.values())


def _rank_cure(found: Any) -> str:
    if not isinstance(found, str):
        return ""
    if re.fullmatch(r" *\d+ *", found):
        return ": add `number: int`"
    if len(DIGITS.findall(found)) == 1:
        return ": add `regex: '\\d+'` and `number: int`"
    return f": a `map` gives each text a number, such as `map: {{{json.dumps(found[:40], ensure_ascii=False)}: 1}}`"


def _plain_item(found: Any) -> Any:
    if found is None or isinstance(found, (str, int, float, list, dict, datetime)):
        return found
    return as_text(found)


def _is_unranked(facts: Iterable[_Facts]) -> bool:
    """Whether the ranks that there are are all null."""
    return all(number is None for fact in facts for number in fact.rank)


def _ranked(facts: list[_Facts]) -> list[Ranked]:
    return list(zip(facts, _qualities(facts), strict=True))


def _qualities(facts: list[_Facts]) -> list[float]:
    """Fixed ones as they are; ranks as k/n over n distinct values; the rest by their order, evenly from 1.0 down.

    Ranks that are null for every file tell nothing, and count as none.
    """
    unranked = _is_unranked(facts)
    keys = [() if unranked else tuple(-1e308 if n is None else float(n) for n in fact.rank) for fact in facts]
    distinct = sorted({key for key in keys if key})
    step = 1 / len(facts) if facts else 1.0
    qualities = []
    for i, (fact, key) in enumerate(zip(facts, keys, strict=True)):
        fixed = fact.file.quality.fixed if fact.file.quality else None
        if fixed is not None:
            qualities.append(fixed)
        elif key:
            qualities.append(round((distinct.index(key) + 1) / len(distinct), 4))
        else:
            qualities.append(round(1 - i * step, 4))
    return qualities


_extension = re.compile(r"//[^/]+/(?:.*/)?[^/]*[^/.]\.([A-Za-z0-9]{1,8})$")


def url_extension(url: str) -> str | None:
    """The extension that the path of a URL ends in, in lower case, without a dot."""
    found = _extension.search(url.partition("?")[0].partition("#")[0])
    return found[1].lower() if found else None


def hex_digest(kind: str, text: str) -> str | None:
    """A digest as hexadecimal text, from hexadecimal or base64 by its length; None if it is neither."""
    size = DIGEST_BYTES[kind]
    try:
        if len(text) == 2 * size:
            return bytes.fromhex(text).hex()
        digest = base64.b64decode(text.translate({45: 43, 95: 47}) + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None
    return digest.hex() if len(digest) == size else None
