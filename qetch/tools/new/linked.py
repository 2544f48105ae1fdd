"""JSON-LD: objects of schema.org in `<script type="application/ld+json">`."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qetch.engine.reading import read_json
from qetch.tools.new import shapes
from qetch.tools.new.items import Reach, describe, jmespath
from qetch.tools.new.proposals import File, Item, Proposal, counter_of, row_uid
from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qetch.tools.new.proposals import Scene

MEDIA = ("VideoObject", "AudioObject", "ImageObject", "Photograph", "MediaObject", "Clip", "Movie", "VisualArtwork")
SCRIPTS = '//script[@type="application/ld+json"]'
LISTS = ("image", "contentUrl", "photo", "associatedMedia")
"""Keys whose lists of texts are pictures."""
TYPE = re.compile(r"[A-Za-z]{1,40}")
MAX_SCRIPTS = 20
MAX_NODES = 2000
MAX_SCRIPT = 2_000_000


def find_json_ld(scene: Scene) -> Iterator[Proposal]:
    """Media objects of schema.org."""
    for text in scene.page.select('script[type="application/ld+json"]::text')[:MAX_SCRIPTS]:
        try:
            value = read_json(str(text)) if len(text) <= MAX_SCRIPT else None
        except ValueError:
            continue
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for path, node in _typed(value):
            for kind in _types(node):
                if kind in MEDIA:
                    found.setdefault((path, kind), []).append(node)
        for (path, kind), nodes in found.items():
            yield from _proposed(path, kind, nodes, scene)
        for path, node in _typed(value):
            yield from _listed(path, node, scene)


def _typed(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects with a type and their paths as JMESPath, in which a list stands with `[]`."""
    queue, seen = deque([("", value)]), 0
    while queue and seen < MAX_NODES:
        path, node = queue.popleft()
        seen += 1
        if isinstance(node, dict):
            if "@type" in node:
                yield path, node
            inner = [(key, item) for key, item in node.items() if isinstance(item, (dict, list)) and 0 < len(key) <= 60]
            queue.extend((jmespath([key], path), item) for key, item in inner if path.count(".") < 6)
        elif isinstance(node, list) and not path.endswith("[]"):
            queue.extend((f"{path}[]", item) for item in node[:MAX_NODES] if isinstance(item, dict))


def _types(node: Mapping[str, Any]) -> list[str]:
    types = node["@type"] if isinstance(node["@type"], list) else [node["@type"]]
    return [text for text in types[:5] if isinstance(text, str)]


def _proposed(path: str, kind: str, nodes: list[dict[str, Any]], scene: Scene) -> Iterator[Proposal]:
    let: dict[str, Any] = {"linked": _script(kind)}
    in_list = "[]" in path
    where = _filtered(path, kind, nodes) if in_list else path
    if len(nodes) > 1:
        yield from _several(where, kind, nodes, let, scene)
        return
    if in_list:
        let["object"] = {"of": "linked", "jmespath": f"{where} | [0]"}
    reach = Reach("object", "") if in_list else Reach("linked", path)
    item = _described(nodes, reach, scene)
    if item.found:
        # What the URL says of the item is short; the id in JSON-LD is most often a URL.
        item = replace(item, fields={**item.fields, "uid": scene.uid})
        score = 0.85 if kind != "ImageObject" or "logo" not in path.lower() else 0.1
        yield Proposal(f"JSON-LD {kind}", score, let=let, item=item, expected=item.found)


def _several(where: str, kind: str, nodes: list[dict[str, Any]], let: Any, scene: Scene) -> Iterator[Proposal]:
    item = _described(nodes, Reach(), scene)
    if not item.found:
        return
    best = item.kept[0].url
    texts = [_first(node.get(best)) for node in nodes] if isinstance(best, str) else []
    uid = item.fields.get("uid") or row_uid(str(best), texts or [None], scene, "jmespath")
    row = {"of": "linked", "in": where, **counter_of(uid)}
    block = {"each": {**row, "content": item.content(uid=uid)}}
    yield Proposal(f"JSON-LD, {len(nodes)} of type {kind}", 0.88, let=let, block=block, expected=item.found)


def _listed(path: str, node: dict[str, Any], scene: Scene) -> Iterator[Proposal]:
    """The pictures of a gallery or an article, as a list of URLs."""
    kind = next(iter(_types(node)), "")
    for key in LISTS if TYPE.fullmatch(kind) else ():
        texts = node.get(key)
        if not isinstance(texts, list) or len(texts) < 2 or not all(map(shapes.is_url, texts[:MAX_NODES])):
            continue
        urls = tuple(dict.fromkeys(url for text in texts[:MAX_NODES] if (url := scene.page.join(text))))
        where = f"{_filtered(path, kind, [node])} | [0]" if "[]" in path else path
        let: dict[str, Any] = {"linked": _script(kind)}
        if where:
            let["object"] = {"of": "linked", "jmespath": where}
        of = "object" if where else "linked"
        uid = row_uid("@", texts, scene, "jmespath")
        fields = _described([node], Reach(of), scene).fields
        fields = {name: value for name, value in fields.items() if name != "uid"}
        row = {"of": of, "in": key, **counter_of(uid), "content": {"uid": uid, "url": "@"}}
        block = {**({"content": fields} if fields else {}), "each": row}
        yield Proposal(f"JSON-LD {kind}, {len(urls)} URLs", 0.7, let=let, block=block, expected=urls, decide=(SIZES,))


SIZES = "decide: are these different pictures, or one picture in several shapes?"


def _script(kind: str) -> dict[str, Any]:
    return {"xpath": f"{SCRIPTS}[contains(., '\"{kind}\"')]/text()", "parse": "json"}


def _filtered(path: str, kind: str, nodes: list[dict[str, Any]]) -> str:
    """The path with a filter, in place of its last `[]` if that is the only one and the end."""
    plain = all(isinstance(node["@type"], str) for node in nodes)
    asked = f"\"@type\" == '{kind}'" if plain else f"contains(to_array(\"@type\"), '{kind}')"
    if path.count("[]") == 1 and path.endswith("[]"):
        return f"{path[:-2]}[?{asked}]"
    return f"{path} | [?{asked}]"


def _described(nodes: list[dict[str, Any]], reach: Reach, scene: Scene) -> Item:
    """The item of media objects: `contentUrl` is the file, whatever it ends in; `url` and `embedUrl` are pages."""
    plain = [{key: _first(item) for key, item in node.items()} for node in nodes]
    item = describe(plain, scene.page, reach)
    lists = {key for node in nodes for key, value in node.items() if isinstance(value, list) and value}
    files = [_at_first(file, lists) for file in item.files]
    files = [file for file in files if not re.fullmatch(r"url|embed.*", file.name) or len(files) == 1]
    fields = {name: value for name, value in item.fields.items() if name != "metadata"}
    return Item({name: _value_at_first(value, lists) for name, value in fields.items()}, tuple(files))


def _first(value: Any) -> Any:
    """schema.org allows a list wherever one value may stand; its first text counts."""
    return value[0] if isinstance(value, list) and value and isinstance(value[0], (str, int, float, dict)) else value


def _at_first(file: File, lists: set[str]) -> File:
    return replace(file, url=_value_at_first(file.url, lists))


def _value_at_first(value: Any, lists: set[str]) -> Any:
    """A value whose last key holds a list reads its first entry."""
    if isinstance(value, Noted):
        return replace(value, value=_value_at_first(value.value, lists))
    selector = value["jmespath"] if isinstance(value, dict) and "jmespath" in value else value
    if not isinstance(selector, str):
        return value
    for key in lists:
        written = jmespath([key])
        if selector == written or selector.endswith((f".{written}", f" {written}")):
            return {**value, "jmespath": f"{selector}[0]"} if isinstance(value, dict) else f"{selector}[0]"
        if f"{written}." in selector:
            changed = selector.replace(f"{written}.", f"{written}[0].")
            return {**value, "jmespath": changed} if isinstance(value, dict) else changed
    return value
