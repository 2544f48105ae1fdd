"""JSON: lists of objects with files, lists inside lists, one object, and what leads to the next page."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from qetch.tools.new import renditions, shapes
from qetch.tools.new.cursors import next_pages
from qetch.tools.new.items import LIST, Reach, columns, describe
from qetch.tools.new.proposals import NUMBERED, Item, Proposal, counted, counter_of, row_uid
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from qetch.tools.new.proposals import Scene

MAX_NODES = 20_000
MAX_DEPTH = 10
MAX_CANDIDATES = 25
MAX_ROWS = 1000
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


def find_in(value: Any, scene: Scene, evidence: str, how: Reach | None = None) -> Iterator[Proposal]:
    """Every proposal for data: the answer itself, or what a name holds.

    Args:
        value: Objects, lists and scalars.
        scene: Where it is from.
        evidence: What it is, for people.
        how: How its values are written.
    """
    how = how or Reach()
    found = survey(value)
    ranked = sorted(found.lists.items(), key=lambda entry: (-min(len(entry[1]), 50), len(entry[0])))
    pages = next_pages(value, scene) if scene.page.kind == "json" else None
    for path, rows in ranked[:MAX_CANDIDATES]:
        if _belongs_inside(path, found, scene):
            continue
        proposal = _list(path, rows, found, scene, how)
        if proposal:
            text = f"{evidence}: {counted(len(rows), how.noun)} in {how.rows(path)!r}"
            yield _with_pages(replace(proposal, evidence=text), pages)
    for path, texts in list(found.urls.items())[:MAX_CANDIDATES]:
        proposal = _texts(path, texts, found, scene, how)
        if proposal:
            text = f"{evidence}: {counted(len(texts), 'URL')} in {how.rows(path)!r}"
            yield _with_pages(replace(proposal, evidence=text), pages)
    for path, node in list(found.objects.items())[:200]:
        proposal = _single(path, node, scene, how)
        if proposal:
            yield replace(proposal, evidence=f"{evidence}: an {how.noun} at {how.rows(path)!r}")


def _with_pages(proposal: Proposal, pages: Any) -> Proposal:
    if pages is None:
        return proposal
    return replace(
        proposal, pages=pages.words, query=pages.query, also=pages.also, decide=(*proposal.decide, *pages.decide)
    )


def _belongs_inside(path: Path, found: Found, scene: Scene) -> bool:
    """Whether rows are the qualities of the objects around them."""
    keys = [key for key in path if key != LIST]
    if keys and renditions.is_container(keys[-1]) and (path[:-2] in found.objects or path[:-2] in found.lists):
        return True
    for end in range(len(path)):
        around = found.lists.get(path[:end]) or [node for at, node in found.objects.items() if at == path[:end]]
        rendered = renditions.find(around, scene.page, Reach()) if around else None
        if rendered and path[end : end + len(rendered.path)] == rendered.path:
            return True
    return False


# --- one object


def _single(path: Path, node: Mapping[str, Any], scene: Scene, how: Reach) -> Proposal | None:
    item = _item([node], scene, how.at(path))
    if not item.found:
        return None
    fields = dict(item.fields)
    fields = {"uid": fields.get("uid", scene.uid), **fields}
    depth = 0.04 * len(path) + 0.3 * (not ASIDE.isdisjoint(word for key in path for word in shapes.words(key)))
    score = 0.35 + 0.08 * min(len(item.fields), 5) + 0.1 * bool(item.renditions) - depth
    is_cover = not item.renditions and all(file.rank < 11 for file in item.files)
    item = replace(item, fields=fields)
    return Proposal("", score - 0.3 * is_cover, item=item, expected=item.found, decide=(COVER,) if is_cover else ())


COVER = "decide: this looks like a picture of the item: where is the item itself?"


def _item(rows: Sequence[Mapping[str, Any]], scene: Scene, reach: Reach) -> Item:
    item = describe(rows, scene.page, reach)
    rendered = renditions.find(rows, scene.page, reach)
    if rendered is None:
        return item
    files = tuple(file for file in item.files if not set(file.found) <= set(rendered.found))
    return replace(item, files=files, renditions=rendered.words, rendered=rendered.found)


# --- lists


def _list(path: Path, rows: list[dict[str, Any]], found: Found, scene: Scene, how: Reach) -> Proposal | None:
    """A list of objects with files; where the objects around it say more, they are walked first."""
    inside = how.inside(path, rows)
    item = _item(rows, scene, inside)
    if not item.found:
        return None
    outer = _outer(path, found)
    outer_item = _outer_item(outer, found, scene, how) if outer else Item()
    name = "item" if "uid" in outer_item.fields and "uid" not in item.fields else ""
    defaults = _defaults(path, item, found, scene, how)
    if is_alternative(item.fields.get("title")) and "title" in {**outer_item.fields, **defaults.get("content", {})}:
        item = replace(item, fields={key: value for key, value in item.fields.items() if key != "title"})
    content = item.content(**_uid(rows, item, scene, name, inside))
    row: dict[str, Any] = {**counter_of(content["uid"]), "content": content}
    score = _score(path, rows, item)
    if outer and (name or outer_item.fields.keys() - item.fields.keys() - {"uid", "metadata"}):
        row = _nested(outer, {"in": _inner(path[len(outer) :], found.lists[outer], how), **row}, outer_item, how, name)
        score += 0.05
    else:
        row = {**({"of": how.of} if how.of else {}), "in": how.rows(path), **row}
    return Proposal("", score, block={**defaults, "each": row}, expected=item.found)


def is_alternative(title: Any) -> bool:
    """Whether what was taken for a title only says what a picture shows, or which of several it is."""
    return title in ("alt", "label", "filename")


def _inner(path: Path, rows: Sequence[Mapping[str, Any]], how: Reach) -> str:
    """The selector for a list inside each row; one that some rows do not have is empty there."""
    for row in rows:
        value: Any = row
        for key in path[: path.index(LIST)] if LIST in path else ():
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return how.or_none(how.rows(path))
    return how.rows(path)


def _outer_item(path: Path, found: Found, scene: Scene, how: Reach) -> Item:
    """What the objects around a list say, with their ids, if they have some."""
    rows, inside = found.lists[path], how.inside(path, found.lists[path])
    item = describe(rows, scene.page, inside)
    link = _link(rows, inside)
    if "uid" in item.fields or not link:
        return item
    return replace(item, fields={"uid": inside.raw(link, regex=shapes.STEM), **item.fields})


def _nested(path: Path, row: dict[str, Any], outer: Item, how: Reach, name: str) -> dict[str, Any]:
    """Rows inside rows; `name` is that of the outer one's id, if the inner one needs it."""
    fields = {name: value for name, value in outer.fields.items() if name not in ("uid", "metadata")}
    words: dict[str, Any] = {"of": how.of} if how.of else {}
    words["in"] = how.rows(path)
    if name:
        words["let"] = {name: outer.fields["uid"]}
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


def _uid(rows: Sequence[Mapping[str, Any]], item: Item, scene: Scene, name: str, inside: Reach) -> dict[str, Any]:
    """The uid of a row: its own, or the end of a URL, or its number, below what holds it."""
    if "uid" in item.fields:
        return {"uid": item.fields["uid"]}
    link = _link(rows, inside)
    if link:
        value = inside.raw(link, regex=shapes.STEM)
        return {"uid": Noted(value, "decide: this is the end of a URL; is there an id?")}
    table = {inside.text(column.path): column for column in columns(rows)}
    best = max(item.files, key=lambda file: file.rank, default=None)
    column = table.get(best.url) if best and isinstance(best.url, str) else None
    if name or not column:
        return {"uid": _numbered("{item}" if name else scene.above)}
    return {"uid": row_uid(inside.text(column.path), column.values, scene, inside.head)}


def _numbered(above: str) -> Noted:
    return Noted({"text": f"{above}-{{n}}"}, NUMBERED)


LINKS = ("guid", "id", "permalink", "link", "href")
"""Keys whose URL names a row."""


def _link(rows: Sequence[Mapping[str, Any]], inside: Reach) -> str:
    """The selector for a URL whose end names each row, if there is one."""
    table = {column.key: column for column in columns(rows) if len(column.path) == 1}
    keys = [key for key in LINKS if key in table and shapes.are_stems_unique(table[key].values)]
    return inside.text(table[keys[0]].path) if keys else ""


def _score(path: Path, rows: Sequence[Mapping[str, Any]], item: Item) -> float:
    with_file = len(item.files[0].found) / len(rows) if item.files else 1.0
    keys = [word for key in path for word in shapes.words(key)]
    score = 0.5 + 0.15 * min(with_file, 1) + 0.1 * ("uid" in item.fields) + 0.04 * min(len(item.fields), 5)
    score += 0.1 * (min(len(rows), 10) / 10) + 0.05 * bool(item.renditions) - 0.02 * len(path)
    if not ASIDE.isdisjoint(keys):
        score -= 0.5
    if len(rows) == 1:
        score -= 0.1
    if path[-1] != LIST:  # a part of a row, which says less than the row does
        score -= 0.15
    return score


def _defaults(path: Path, item: Item, found: Found, scene: Scene, how: Reach) -> dict[str, Any]:
    """What the object around a list says of all its items: a title, an owner."""
    if LIST in path[:-1]:
        return {}
    for end in range(len(path) - 1, max(len(path) - 4, -1), -1):
        node = found.objects.get(path[:end])
        fields = describe([node], scene.page, how.at(path[:end])).fields if node else {}
        if "title" in fields and is_alternative(item.fields.get("title")):
            return {"content": _missing(fields, item.fields.keys() - {"title"})}
        wanted = _missing(fields, item.fields)
        if wanted:
            return {"content": wanted}
    return {}


def _missing(fields: Mapping[str, Any], own: Iterable[str]) -> dict[str, Any]:
    names = ("title", "description", "uploaded_by", "uploaded_date")
    return {name: fields[name] for name in names if name in fields and name not in own}


def _texts(path: Path, texts: list[str], found: Found, scene: Scene, how: Reach) -> Proposal | None:
    """A list of URLs, in one object or in each of a list of objects."""
    urls = tuple(dict.fromkeys(url for text in texts if (url := scene.page.join(text))))
    if not urls:
        return None
    outer = _outer((*path, LIST), found)
    around = _outer_item(outer, found, scene, how) if outer else Item()
    if outer and "uid" not in around.fields:
        outer = None
    uid = _numbered("{item}") if outer else row_uid(how.itself, texts, scene, how.head)
    inner = path[len(outer) :] if outer else path
    content = {"uid": uid, "url": how.itself}
    row: dict[str, Any] = {"in": how.rows((*inner, LIST)), **counter_of(uid), "content": content}
    if outer:
        row["in"] = _inner((*inner, LIST), found.lists[outer], how)
        block = {"each": _nested(outer, row, around, how, "item")}
    else:
        row = {"of": how.of, **row} if how.of else row
        block = {**_defaults((*path, LIST), Item(), found, scene, how), "each": row}
    score = 0.6 + 0.1 * min(len(urls), 10) / 10 - 0.02 * len(path)
    if not ASIDE.isdisjoint(word for key in path for word in shapes.words(key)) or not is_about_files(path):
        score -= 0.3
    return Proposal("", score, block=block, expected=urls)


def is_about_files(path: Path) -> bool:
    """Whether the last key of a path does not say that its URLs are something else."""
    keys = [key for key in path if key != LIST]
    return not keys or shapes.NO_FILES.isdisjoint(shapes.words(keys[-1]))
