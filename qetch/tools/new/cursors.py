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

MAX_DEPTH = 3
MAX_KEYS = 200
CURSORS = frozenset(("cursor", "token", "continuation", "after", "marker", "scroll"))
PAGE_NAMES = ("page", "p", "paged", "pagenum", "page_number", "pg")
PAGE_COUNTS = ("totalpages", "lastpage", "pagecount", "pages", "numpages")
PAGE_NUMBERS = ("page", "currentpage", "pagenumber", "current")


@dataclass(frozen=True)
class NextPages:
    """The words of `pages`, the entries of `query` that they need, and URLs that answer as the first request does."""

    words: dict[str, Any]
    query: dict[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    decide: tuple[str, ...] = ()


def next_pages(answer: Any, scene: Scene, of: str = "") -> NextPages | None:
    """How an answer says that there is more, if it does."""
    del of  # what is embedded in a page leads nowhere by itself
    if not isinstance(answer, dict):
        return _counted_by_url(scene)
    entries = list(_entries(answer, ()))[:MAX_KEYS]
    return _by_url(entries, scene) or _by_number(entries, scene) or _by_cursor(entries, scene) or _counted_by_url(scene)


def _entries(node: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Scalars near the top, outside of lists."""
    for key, value in list(node.items())[:MAX_KEYS]:
        if isinstance(value, dict) and len(path) + 1 < MAX_DEPTH:
            yield from _entries(value, (*path, key))
        elif not isinstance(value, (dict, list)) and 0 < len(key) <= 60:
            yield (*path, key), value


def _by_url(entries: Sequence[tuple[tuple[str, ...], Any]], scene: Scene) -> NextPages | None:
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


def _by_cursor(entries: Sequence[tuple[tuple[str, ...], Any]], scene: Scene) -> NextPages | None:
    for path, value in entries:
        words = set(shapes.words(path[-1]))
        named = ("next" in words and words & {*CURSORS, "page", "id", "offset"}) or (
            len(words) == 1 and words & CURSORS
        )
        plain = isinstance(value, (str, int)) and not isinstance(value, bool) and value != "" and len(str(value)) < 500
        if not named or not plain:
            continue
        name = _query_name(path[-1])
        if name in scene.address.params:
            return None  # it is in the URL already, and belongs to whoever gave it
        note = f"decide: is {name!r} what the site calls it in a request?"
        return NextPages({"set": {"cursor": jmespath(path)}}, {name: Noted("{cursor}", note)})
    return None


def _query_name(key: str) -> str:
    """The usual name in a request of what an answer calls `next_cursor` or `nextPageToken`."""
    words = [word for word in shapes.words(key) if word not in ("next", "end")] or ["cursor"]
    if "_" in key or "-" in key or len(words) == 1:
        return "_".join(words)
    return words[0] + "".join(word.capitalize() for word in words[1:])


def _by_number(entries: Sequence[tuple[tuple[str, ...], Any]], scene: Scene) -> NextPages | None:
    numbers = {_plain(path[-1]): (path, value) for path, value in entries if _is_count(value)}
    now = next((numbers[key] for key in PAGE_NUMBERS if key in numbers), None)
    last = next((numbers[key] for key in PAGE_COUNTS if key in numbers), None)
    if now is None or last is None or now[1] > last[1] or now[1] > 10_000:
        return None
    return _counted(scene, now[1], until=f"{jmespath(now[0])} >= {jmespath(last[0])}")


def _counted_by_url(scene: Scene) -> NextPages | None:
    """The URL itself has a page number."""
    pairs = dict(parse_qsl(urlsplit(scene.address.url).query))
    for name in PAGE_NAMES:
        if name in pairs and pairs[name].isascii() and pairs[name].isdecimal() and len(pairs[name]) < 5:
            return _counted(scene, int(pairs[name]))
    return None


def _counted(scene: Scene, start: int, until: str = "") -> NextPages | None:
    name = next((name for name in PAGE_NAMES if name in scene.address.params), "page")
    if not scene.address.template:
        return None
    taken = {*scene.address.params, *(segment.name for segment in scene.address.segments)}
    counter = "number" if "page" in taken else "page"
    words: dict[str, Any] = {"counter": counter}
    if start != 1:
        words["from"] = start
    if until:
        words["until"] = until
    url = scene.address.url
    also = () if name in scene.address.params else (f"{url}{'&' if '?' in url else '?'}{name}={start}",)
    note = f"decide: is {name!r} what the site calls it in a request?"
    return NextPages(words, {name: f"{{{counter}}}" if not also else Noted(f"{{{counter}}}", note)}, also)


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**7
