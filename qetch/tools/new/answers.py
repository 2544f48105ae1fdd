"""JSON: lists of objects with files, lists inside lists, one object, and what leads to the next page."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from qetch.tools.new import renditions, shapes
from qetch.tools.new.cursors import next_pages
from qetch.tools.new.items import Reach, columns, describe, jmespath
from qetch.tools.new.proposals import Item, Proposal, counted
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qetch.tools.new.proposals import Scene

MAX_NODES = 20_000
MAX_DEPTH = 10
MAX_CANDIDATES = 25
MAX_ROWS = 1000
LIST = "[]"
ASIDE = frozenset(
    (
        *("related", "recommended", "recommendations", "similar", "suggested", "suggestions", "comments"),
        *("ads", "users", "tags", "categories", "menu", "navigation", "trending", "sponsored", "more"),
        *("authors",),
    )
)
"""Words of keys whose lists are not what the page is about."""

Path = tuple[str, ...]
"""Keys; `[]` stands for every item of a list."""


@dataclass
class Found:
    """What one walk over a JSON value brings: objects by their paths, and lists of URLs."""

    lists: dict[Path, list[dict[str, Any]]] = field(default_factory=dict)
    objects: dict[Path, dict[str, Any]] = field(default_factory=dict)
    urls: dict[Path, list[str]] = field(default_factory=dict)


def survey(value: Any) -> Found:
    """Looks at a JSON value within bounds, nearest things first."""
    found, seen = Found(), 0
    queue: deque[tuple[Path, Any]] = deque([((), value)])
    while queue and seen < MAX_NODES:
        path, node = queue.popleft()
        seen += 1
        if len(path) > MAX_DEPTH:
            continue
        if isinstance(node, dict):
            _note(found, path, node)
            queue.extend(
                ((*path, key), item) for key, item in node.items() if isinstance(item, (dict, list)) and _is_key(key)
            )
        elif isinstance(node, list):
            queue.extend(((*path, LIST), item) for item in node[:MAX_ROWS] if isinstance(item, dict))
            texts = [item for item in node[:MAX_ROWS] if isinstance(item, str)]
            if texts and len(texts) == len(node[:MAX_ROWS]) and all(map(shapes.media_kind, texts)):
                found.urls.setdefault(path, []).extend(filter(shapes.is_url, texts))
    return found


def _is_key(key: str) -> bool:
    return 0 < len(key) <= 100 and key != LIST


def _note(found: Found, path: Path, node: dict[str, Any]) -> None:
    if LIST in path:
        rows = found.lists.setdefault(path, [])
        if len(rows) < MAX_ROWS:
            rows.append(node)
    else:
        found.objects[path] = node


def find_in_answer(scene: Scene) -> Iterator[Proposal]:
    """A page that is JSON itself."""
    if scene.page.json is not None:
        yield from find_in(scene.page.json, scene, "the JSON answer")


def find_in(value: Any, scene: Scene, evidence: str, of: str = "") -> Iterator[Proposal]:
    """Every proposal for a JSON value, the answer itself or the one that a name holds."""
    found = survey(value)
    ranked = sorted(found.lists.items(), key=lambda entry: (-min(len(entry[1]), 50), len(entry[0])))
    pages = next_pages(value, scene, of) if not of else None
    for path, rows in ranked[:MAX_CANDIDATES]:
        if _belongs_inside(path, found):
            continue
        proposal = _list(path, rows, found, scene, of)
        if proposal:
            text = f"{evidence}: {counted(len(rows), 'object')} in {_selector(path)!r}"
            yield _with_pages(replace(proposal, evidence=text), pages)
    for path, texts in list(found.urls.items())[:MAX_CANDIDATES]:
        proposal = _texts(path, texts, found, scene, of)
        if proposal:
            text = f"{evidence}: {counted(len(texts), 'URL')} in {_selector(path)!r}"
            yield _with_pages(replace(proposal, evidence=text), pages)
    for path, node in list(found.objects.items())[:200]:
        proposal = _single(path, node, scene, of)
        if proposal:
            yield replace(proposal, evidence=f"{evidence}: an object at {_selector(path)!r}")


def _with_pages(proposal: Proposal, pages: Any) -> Proposal:
    if pages is None:
        return proposal
    return replace(
        proposal, pages=pages.words, query=pages.query, also=pages.also, decide=(*proposal.decide, *pages.decide)
    )


def _selector(path: Path) -> str:
    """A path as JMESPath: a last `[]` is left out, for a list is a list; not after another, which would nest them."""
    keys = list(path[:-1] if path.count(LIST) == 1 and path[-1] == LIST else path)
    text = ""
    for key in keys:
        text += LIST if key == LIST else ("." if text else "") + jmespath([key])
    return text or "@"


def _belongs_inside(path: Path, found: Found) -> bool:
    """Whether a list holds the qualities of the object around it."""
    keys = [key for key in path if key != LIST]
    return bool(keys and renditions.is_container(keys[-1]) and (path[:-2] in found.objects or path[:-2] in found.lists))


# --- one object


def _single(path: Path, node: Mapping[str, Any], scene: Scene, of: str) -> Proposal | None:
    item = _item([node], scene, Reach(of, "" if not path else jmespath(path)))
    if not item.found:
        return None
    fields = dict(item.fields)
    fields = {"uid": fields.get("uid", scene.uid), **fields}
    depth = 0.04 * len(path) + 0.3 * (not ASIDE.isdisjoint(word for key in path for word in shapes.words(key)))
    score = 0.35 + 0.08 * min(len(item.fields), 5) + 0.1 * bool(item.renditions) - depth
    if not item.renditions and all(file.rank < 11 for file in item.files):
        score -= 0.3  # a cover of something that is elsewhere
    item = replace(item, fields=fields)
    return Proposal("", score, item=item, expected=item.found)


def _item(rows: Sequence[Mapping[str, Any]], scene: Scene, reach: Reach) -> Item:
    item = describe(rows, scene.page, reach)
    rendered = renditions.find(rows, scene.page, reach)
    return replace(item, renditions=rendered[0], rendered=rendered[1]) if rendered else item


# --- lists


def _list(path: Path, rows: list[dict[str, Any]], found: Found, scene: Scene, of: str) -> Proposal | None:
    """A list of objects with files; where the objects around it say more, they are walked first."""
    item = _item(rows, scene, Reach())
    if not item.found:
        return None
    outer = _outer(path, found)
    name, outer_item = "", Item()
    if outer and "uid" not in item.fields:
        name, outer_item = "item", describe(found.lists[outer], scene.page, Reach())
        if "uid" not in outer_item.fields:
            name = ""
    content = item.content(**_uid(rows, item, scene, name))
    row: dict[str, Any] = {"in": _selector(path[len(outer) :] if name and outer else path)}
    if of and not name:
        row = {"of": of, **row}
    if "n}" in str(content["uid"]):
        row["counter"] = "n"
    row["content"] = content
    score = _score(path, rows, item)
    if name and outer:
        row = _nested(_selector(outer), row, outer_item, of)
        score += 0.05
    return Proposal("", score, block={**_defaults(path, item, found, scene, of), "each": row}, expected=item.found)


def _nested(selector: str, row: dict[str, Any], outer: Item, of: str) -> dict[str, Any]:
    fields = {name: value for name, value in outer.fields.items() if name not in ("uid", "metadata")}
    words: dict[str, Any] = {"of": of} if of else {}
    words |= {"in": selector, "let": {"item": outer.fields["uid"]}}
    if fields:
        words["content"] = fields
    return {**words, "each": row}


def _outer(path: Path, found: Found) -> Path | None:
    """The path of the list whose objects hold this list."""
    inside = path[:-1]
    for end in range(len(inside), 0, -1):
        if inside[end - 1] == LIST and inside[:end] in found.lists:
            return inside[:end]
    return None


def _uid(rows: Sequence[Mapping[str, Any]], item: Item, scene: Scene, name: str) -> dict[str, Any]:
    """The uid of a row: its own, or the file's name, or its number, below what holds it."""
    if "uid" in item.fields:
        return {"uid": item.fields["uid"]}
    table = {jmespath(column.path): column for column in columns(rows)}
    best = max(item.files, key=lambda file: file.rank, default=None)
    if best and not name and isinstance(best.url, str) and best.url in table:
        stems = [_stem(text) for text in table[best.url].values]
        if all(stems) and len(set(stems)) == len(stems):
            value = {"jmespath": best.url, "regex": STEM}
            return {"uid": Noted(value, "decide: no key looks like an id; this is the file's name")}
    above = "{item}" if name else f"{{{scene.address.id}}}" if scene.address.id else "page"
    return {"uid": Noted({"text": f"{above}-{{n}}"}, "decide: no key looks like an id; this is the row's number")}


STEM = r"([^/?#]+?)(?:\.\w+)?(?:[?#]|$)"


def _stem(text: Any) -> str:
    """What `STEM` finds in a URL."""
    found = re.search(STEM, text[: shapes.LONGEST_URL]) if isinstance(text, str) else None
    return found[1] if found else ""


def _score(path: Path, rows: Sequence[Mapping[str, Any]], item: Item) -> float:
    with_file = len(item.files[0].found) / len(rows) if item.files else 1.0
    keys = [word for key in path for word in shapes.words(key)]
    score = 0.5 + 0.15 * min(with_file, 1) + 0.1 * ("uid" in item.fields) + 0.04 * min(len(item.fields), 5)
    score += 0.1 * (min(len(rows), 10) / 10) + 0.05 * bool(item.renditions) - 0.02 * len(path)
    if not ASIDE.isdisjoint(keys):
        score -= 0.5
    if len(rows) == 1:
        score -= 0.1
    return score


def _defaults(path: Path, item: Item, found: Found, scene: Scene, of: str) -> dict[str, Any]:
    """What the object around a list says of all its items: a title, an owner."""
    around = path
    while around and around not in found.objects:
        around = around[:-1]
    if around not in found.objects or LIST in path[:-1]:
        return {}
    fields = describe([found.objects[around]], scene.page, Reach(of, jmespath(around) if around else "")).fields
    wanted = {
        name: value
        for name, value in fields.items()
        if name in ("title", "description", "uploaded_by", "uploaded_date") and name not in item.fields
    }
    return {"content": wanted} if wanted else {}


def _texts(path: Path, texts: list[str], found: Found, scene: Scene, of: str) -> Proposal | None:
    """A list of URLs, in one object or in each of a list of objects."""
    urls = tuple(dict.fromkeys(url for text in texts if (url := scene.page.join(text))))
    if not urls:
        return None
    outer = _outer((*path, LIST), found)
    around = describe(found.lists[outer], scene.page, Reach()) if outer else Item()
    if outer and "uid" not in around.fields:
        outer = None
    above = "{item}" if outer else f"{{{scene.address.id}}}" if scene.address.id else "page"
    uid = Noted({"text": f"{above}-{{n}}"}, "decide: is there a better name than the row's number?")
    inner = path[len(outer) :] if outer else path
    selector = _selector((*inner, LIST))
    row: dict[str, Any] = {"in": selector, "counter": "n", "content": {"uid": uid, "url": "@"}}
    if outer:
        block = {"each": _nested(_selector(outer), row, around, of)}
    else:
        row = {"of": of, **row} if of else row
        block = {**_defaults((*path, LIST), Item(), found, scene, of), "each": row}
    score = 0.6 + 0.1 * min(len(urls), 10) / 10 - 0.02 * len(path)
    if not ASIDE.isdisjoint(word for key in path for word in shapes.words(key)) or not is_about_files(path):
        score -= 0.3
    return Proposal("", score, block=block, expected=urls)


def is_about_files(path: Path) -> bool:
    """Whether the last key of a path does not say that its URLs are something else."""
    keys = [key for key in path if key != LIST]
    return not keys or shapes.NO_FILES.isdisjoint(shapes.words(keys[-1]))
