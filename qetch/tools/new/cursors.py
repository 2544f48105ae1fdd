"""What leads from one JSON answer to the next: a URL, a cursor, or page numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from qetch.tools.new import shapes
from qetch.tools.new.items import jmespath
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qetch.tools.new.proposals import Scene

MAX_DEPTH = 5
MAX_KEYS = 200
CURSORS = frozenset(("cursor", "token", "continuation", "after", "marker", "scroll"))
PAGE_NAMES = ("page", "p", "paged", "pagenum", "page_number", "pg")
PAGE_COUNTS = ("totalpages", "lastpage", "pagecount", "pages", "numpages", "pagestotal")
PAGE_NUMBERS = ("page", "currentpage", "pagenumber", "current", "pageindex")
OFFSETS = ("offset", "start", "skip", "startindex", "from")
LIMITS = ("limit", "count", "perpage", "pagesize", "size", "rows", "take", "itemsperpage")
FLAGS = ("hasmore", "hasnext", "hasnextpage", "more", "morepages", "islast", "lastpage", "isend", "end")
"""Keys whose true or false says whether there is more; the last four say that there is not."""
ENDS = ("islast", "lastpage", "isend", "end")


Entries = list[tuple[tuple[str, ...], Any]]
"""Paths of keys, with the scalars there."""


@dataclass(frozen=True)
class NextPages:
    """The words of `pages`, the entries of `query` that they need, and URLs that answer as the first request does."""

    words: dict[str, Any]
    query: dict[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    decide: tuple[str, ...] = ()


def next_pages(answer: Any, scene: Scene) -> NextPages | None:
    """How an answer says that there is more, if it does."""
    entries = list(_entries(answer, ()))[:MAX_KEYS] if isinstance(answer, dict) else []
    ways = (_by_url, _by_number, _by_cursor, _by_offset, _counted_by_url, _by_flag)
    return next((pages for way in ways if (pages := way(entries, scene))), None)


def _entries(node: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Scalars near the top, outside of lists."""
    for key, value in list(node.items())[:MAX_KEYS]:
        if isinstance(value, dict) and len(path) + 1 < MAX_DEPTH:
            yield from _entries(value, (*path, key))
        elif not isinstance(value, (dict, list)) and 0 < len(key) <= 60:
            yield (*path, key), value


def _by_url(entries: Entries, scene: Scene) -> NextPages | None:
    for path, value in entries:
        words = [word for key in path for word in shapes.words(key)]
        if "next" in words and isinstance(value, str) and value.startswith(("http://", "https://", "/", "?")):
            url = scene.page.join(value)
            if url and urlsplit(url).netloc == urlsplit(scene.page.url).netloc:
                return NextPages({"next": jmespath(path)})
    for path, value in entries:
        if value is None and path[-1].lower() in ("next", "next_url", "nexturl", "next_page_url"):
            return NextPages({"next": Noted(jmespath(path), "decide: null here; a URL where there is more?")})
    return None


def _by_cursor(entries: Entries, scene: Scene) -> NextPages | None:
    for path, value in entries:
        words = set(shapes.words(path[-1]))
        named = ({"next", "end"} & words and words & {*CURSORS, "page", "id", "offset", "start"}) or (
            len(words) == 1 and words & CURSORS
        )
        plain = isinstance(value, (str, int)) and not isinstance(value, bool) and value != "" and len(str(value)) < 500
        if not named or not plain:
            continue
        name = _query_name(path[-1])
        if name in scene.address.request.values:
            return None  # it is in the URL already, and belongs to whoever gave it
        own = next((word for word in ("page", "offset") if word in words and not _taken(word, scene)), "cursor")
        return NextPages({"set": {own: jmespath(path)}}, {name: Noted(f"{{{own}}}", _asked(name))})
    return None


def _asked(name: str) -> str:
    return f"decide: is {name!r} what the site calls it in a request?"


def _taken(name: str, scene: Scene) -> bool:
    """Whether the URL gives a name already."""
    address = scene.address
    return name in address.request.values or name in address.params or any(s.name == name for s in address.segments)


def _query_name(key: str) -> str:
    """The usual name in a request of what an answer calls `next_cursor` or `nextPageToken`."""
    words = [word for word in shapes.words(key) if word not in ("next", "end")] or ["cursor"]
    if "_" in key or "-" in key or len(words) == 1:
        return "_".join(words)
    return words[0] + "".join(word.capitalize() for word in words[1:])


def _by_number(entries: Entries, scene: Scene) -> NextPages | None:
    """The answer has the number of its page, and how many there are."""
    now, last = _count(entries, PAGE_NUMBERS), _count(entries, PAGE_COUNTS)
    if now is None or last is None or now[1] > last[1] or now[1] > 10_000:
        return None
    return _counted(scene, PAGE_NAMES, now[1], {"until": f"{jmespath(now[0])} >= {jmespath(last[0])}"})


def _by_offset(entries: Entries, scene: Scene) -> NextPages | None:
    """The answer, or the URL, has the number of its first row, and how many it has at most."""
    pairs = _pairs(scene)
    name = next((name for name in (*OFFSETS, "start_index") if name in pairs), "")
    limit = next((pairs[name] for name in pairs if _plain(name) in LIMITS), 0)
    start = pairs.get(name)
    told, size = _count(entries, OFFSETS), _count(entries, LIMITS)
    if start is None and told and size and not _taken(told[0][-1], scene):
        start, name = told[1], told[0][-1]
    by = limit or (size[1] if size else 0)
    if start is None or not name or not 0 < by <= 1000:
        return None
    return _counted(scene, (name,), start, {"by": by}, "offset")


def _by_flag(entries: Entries, scene: Scene) -> NextPages | None:
    """The answer says whether there is more, and not where."""
    for path, value in entries:
        key = _plain(path[-1])
        if key in FLAGS and isinstance(value, bool):
            more = key not in ENDS
            until = f"{jmespath(path)} == `{'false' if more else 'true'}`"
            return _counted(scene, PAGE_NAMES, 1, {"until": until})
    return None


def _counted_by_url(entries: Entries, scene: Scene) -> NextPages | None:
    """The URL itself has a page number."""
    del entries
    pairs = _pairs(scene)
    name = next((name for name in PAGE_NAMES if name in pairs), "")
    return _counted(scene, PAGE_NAMES, pairs[name]) if name else None


def _pairs(scene: Scene) -> dict[str, int]:
    """The entries of the URL's query that are small numbers."""
    pairs = parse_qsl(urlsplit(scene.address.request.url).query)
    return {name: int(text) for name, text in pairs if text.isascii() and text.isdecimal() and len(text) < 5}


def _count(entries: Entries, keys: Sequence[str]) -> tuple[tuple[str, ...], int] | None:
    """The path and value of the first of some keys that counts something."""
    numbers = {_plain(path[-1]): (path, value) for path, value in reversed(entries) if _is_count(value)}
    return next((numbers[key] for key in keys if key in numbers), None)


def _counted(
    scene: Scene, names: Sequence[str], start: int, more: dict[str, Any] | None = None, own: str = "page"
) -> NextPages | None:
    """Pages that are counted, by an entry of the query."""
    asked = scene.address.request
    name = next((name for name in names if name in asked.params), names[0])
    if not asked.template:
        return None
    counter = "number" if name != own and _taken(own, scene) else own
    words: dict[str, Any] = {"counter": counter}
    if start != 1:
        words["from"] = start
    words |= more or {}
    url = asked.url
    also = () if name in asked.params else (f"{url}{'&' if '?' in url else '?'}{name}={start}",)
    return NextPages(words, {name: f"{{{counter}}}" if not also else Noted(f"{{{counter}}}", _asked(name))}, also)


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**7
