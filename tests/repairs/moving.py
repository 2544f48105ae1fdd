"""Moves the data in recorded answers, as sites do when they change, and sees whether `explain` repairs the spec."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from lxml import etree

from qetch.cli.extract import FIELDS
from qetch.errors import QetchError
from qetch.extractors._spec import make_extractor
from qetch.replay import ReplayAdapter
from qetch.selectors.keys import keys_of
from qetch.selectors.markup import parse
from qetch.session import Answer, mount_replay
from qetch.spec import read
from qetch.tools.explain.propose import repair
from qetch.tools.explain.repattern import regex_of
from qetch.tools.explain.reselect import GRAMMARS
from qetch.tools.explain.running import reference_for, remember, run, trial_on
from qetch.tools.explain.sheet import Sheet
from tests.repairs.pages import PAGES, write_cassette

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.spec.model import Site
    from qetch.tools.explain.propose import Repair
    from qetch.tools.explain.steps import Grammar, Parsed
    from qetch.tools.explain.trace import Asked, Trace

ROOT = Path(__file__).parents[2]
KEY = ("0a1b2c3d4e5f678", "a-secret-that-is-none")
SINGLE = (
    "renamed key", "one level deeper", "list wrapped", "class renamed", "element wrapped",
    "number to text", "to a sibling", "list to object",
)  # fmt: skip
DOUBLE = ("renamed and deeper", "wrapped and renamed")
WAYS = (*SINGLE, *DOUBLE)
REMOVED = "removed"
"""What is no longer there at all: nothing can repair that, and no proposal may claim to."""
ATTRIBUTE = re.compile(r"^(?:::attr\(|/@)([\w-]+)")
STATE = re.compile(r"^(?:[\w.]+ = )?(?P<json>\{.*\});?$", re.DOTALL)
"""The text of a script with nothing but JSON, or with JSON for a variable."""
CONDITION = re.compile(r"""@([\w-]+)[^"']*["']([^"']+)["']""")
WORD = re.compile(r"(?<![\\\w])[A-Za-z_]\w{2,}")

Bodies = dict[str, str]


class Case(NamedTuple):
    """A URL of a site, and its recorded answers."""

    site: Site
    handle: str
    url: str
    folder: Path


class Move(NamedTuple):
    """One change of a site, as a function of all its answers; None where it changes nothing."""

    way: str
    what: str
    apply: Callable[[Bodies], Bodies | None]


@dataclass
class Result:
    """What came of a move: harmless, or repaired or not; `wrong` if it is said to be repaired and is not."""

    case: Case
    move: Move
    harmless: bool = False
    repaired: bool = False
    wrong: bool = False
    repair: Repair | None = None


# --- cases


def shipped(name: str, handles: dict[str, str] | None = None) -> list[Case]:
    """The first example of each handle of a shipped site that makes a request and has an answer."""
    site = read(ROOT / "sites" / f"{name}.yaml")
    folder = ROOT / "tests" / "cassettes" / name
    cases = []
    for handle in site.handles.values():
        url = (handles or {}).get(handle.name) or handle.examples[0].url
        reference = reference_for(site, handle.name, url, folder)
        case = Case(site, handle.name, url, folder)
        if reference and reference.same and answers(case)[1]:
            cases.append(case)
    return cases


def composed(name: str, folder: Path) -> list[Case]:
    """The one example of a composed site."""
    site = read(ROOT / "tests" / "repairs" / "sites" / f"{name}.yaml")
    handle = next(iter(site.handles.values()))
    return [Case(site, handle.name, handle.examples[0].url, write_cassette(folder / name, PAGES[name]))]


# --- trying a move


def attempt(case: Case, move: Move, bodies: Bodies, missing: list[str]) -> Result:
    """Moves the data, explains the URL, and runs the repaired spec on the moved data."""
    result = Result(case, move)
    moved = move.apply(bodies)
    if moved is None or moved == bodies:
        result.harmless = True
        return result
    with TemporaryDirectory() as name:
        kind = "text/html; charset=utf-8" if next(iter(moved.values())).startswith("<") else "application/json"
        folder = write_cassette(Path(name), {**moved, **dict.fromkeys(missing, "")}, kind, missing)
        wanted = contents(case.site, case.url, case.folder)
        if contents(case.site, case.url, folder) == wanted:
            result.harmless = True
            return result
        result.repair = repaired(case, folder)
        site = result.repair.changed.site() if result.repair else None
        result.repaired = site is not None and contents(site, case.url, folder) == wanted
        claimed = bool(result.repair and result.repair.edits and result.repair.sure)
        result.wrong = claimed and not result.repaired
    return result


def repaired(case: Case, folder: Path) -> Repair | None:
    reference = reference_for(case.site, case.handle, case.url, case.folder)
    extractor = make_extractor(case.site)()
    with remember(extractor) as session:
        mount_replay(session, ReplayAdapter(folder))
        trace, _ = run(extractor, case.url, auth_of(case.site))
        assert reference is not None
        assert case.site.path is not None
        sheet = Sheet(case.site.path, case.site.path.read_text("utf-8"))
        return repair(sheet, reference, trace, trial_on(session, case.url, auth_of(case.site)))


def auth_of(site: Site) -> tuple[str, ...] | None:
    return KEY if site.auth.kind == "oauth" else None


def contents(site: Site, url: str, folder: Path) -> list[list[dict[str, Any]]] | None:
    """All that a URL gives, without the metadata, which holds whole objects; None after an error."""
    extractor = make_extractor(site)()
    fields = [name for name in FIELDS if name != "metadata"]
    with extractor.session:
        mount_replay(extractor.session, ReplayAdapter(folder))
        try:
            lists = list(extractor.extract(url, auth=auth_of(site)))
        except QetchError:
            return None
    return [[{name: getattr(content, name) for name in fields} for content in item] for item in lists]


# --- what there is to move


def answers(case: Case) -> tuple[Trace, Bodies, list[str]]:
    """A run on the recorded answers, the bodies that it asked for, and the URLs without one."""
    extractor = make_extractor(case.site)()
    with remember(extractor) as session:
        mount_replay(session, ReplayAdapter(case.folder))
        trace, error = run(extractor, case.url, auth_of(case.site))
        assert error is None, error
        found = [answer for answer in session.memory.answers.values() if isinstance(answer, Answer)]
    good = [answer for answer in found if answer.status == 200]
    return trace, {answer.request_url: answer.text for answer in good}, [a.request_url for a in found if a not in good]


def moves(trace: Trace) -> Iterator[Move]:
    """Every move of everything that the selectors of a run have read."""
    seen = set()
    for visit in trace.visits:
        for asked in visit.requests:
            for move in (*_json_moves(asked), *_markup_moves(asked), *_text_moves(asked)):
                if (move.way, move.what) not in seen:
                    seen.add((move.way, move.what))
                    yield move


# --- JSON


def _json_moves(asked: Asked) -> Iterator[Move]:
    finds = [find for find in asked.finds.values() if find.selector and find.selector.language == "jmespath"]
    paths = _paths([node for find in finds for node, _ in find.samples])
    rows = {paths[id(node)] for find in finds for node, _ in find.samples if id(node) in paths}
    targets: dict[tuple[tuple[str, ...], str], None] = {}
    for find in finds:
        for key in keys_of(find.selector.text if find.selector else "", [node for node, _ in find.samples]):
            for context, found in key.uses:
                if found is not None and id(context) in paths:
                    targets[paths[id(context)], key.name] = None
    for path, name in targets:
        for way, change in JSON_WAYS.items():
            yield Move(way, ".".join((*path, name)), _in_json(path, name, change))
        yield Move("to a sibling", ".".join((*path, name)), _to_sibling(path, name, rows=path in rows))
    if any(isinstance(node, list) for find in finds for node, _ in find.samples if paths.get(id(node)) == ()):
        yield Move("one level deeper", "the whole", _whole(lambda data: {"response": {"rows": data}}))
        yield Move("list wrapped", "the whole", _whole(lambda data: {"entries": data}))


def _paths(nodes: list[Any]) -> dict[int, tuple[str, ...]]:
    """The path of each object in the document of which the nodes are parts, by its id."""
    best: dict[int, tuple[str, ...]] = {}
    for node in nodes:
        if id(node) not in best:
            found: dict[int, tuple[str, ...]] = {}
            _walk(node, (), found)
            best = found if len(found) > len(best) else best
    return best


def _walk(node: Any, path: tuple[str, ...], found: dict[int, tuple[str, ...]]) -> None:
    if isinstance(node, (dict, list)):
        found[id(node)] = path
        for key, child in node.items() if isinstance(node, dict) else (("*", child) for child in node):
            _walk(child, (*path, key), found)


def _to_sibling(path: tuple[str, ...], key: str, *, rows: bool) -> Callable[[Bodies], Bodies | None]:
    """A value goes to an object beside its own; out of what a selector reads it does not go, nothing would reach it."""
    if path and path[-1] != "*" and not rows:
        return _in_json(path[:-1], path[-1], lambda node, own: _give_away(node, own, key))
    return _in_json(path, key, _hand_down)


def _give_away(node: dict[str, Any], own: str, key: str) -> None:
    if isinstance(node[own], dict) and key in node[own]:
        siblings = [value for name, value in node.items() if name != own and isinstance(value, dict)]
        sibling = siblings[0] if siblings else node.setdefault("extra", {})
        sibling[key] = node[own].pop(key)


def _hand_down(node: dict[str, Any], key: str) -> None:
    sibling = next((value for name, value in node.items() if name != key and isinstance(value, dict)), None)
    if sibling is not None:
        sibling[key] = node.pop(key)


def _in_json(
    path: tuple[str, ...], key: str, change: Callable[[dict[str, Any], str], None]
) -> Callable[[Bodies], Bodies | None]:
    def apply(bodies: Bodies) -> Bodies | None:
        return {url: _edited(body, lambda data: _change_at(data, path, key, change)) for url, body in bodies.items()}

    return apply


def _whole(change: Callable[[Any], Any]) -> Callable[[Bodies], Bodies | None]:
    def apply(bodies: Bodies) -> Bodies | None:
        return {url: _edited(body, change) for url, body in bodies.items()}

    return apply


def _edited(body: str, change: Callable[[Any], Any]) -> str:
    """JSON with a change, also if it stands in a script of a page."""
    if not body.lstrip().startswith("<"):
        data = json.loads(body)
        return json.dumps(_or_same(change(data), data))
    root = parse("html", body)
    for script in root.iter("script"):
        text = script.text or ""
        state = STATE.search(text)
        if state:
            data = json.loads(state["json"])
            start, end = state.span("json")
            script.text = text[:start] + json.dumps(_or_same(change(data), data)) + text[end:]
    return etree.tostring(root, method="html", encoding="unicode")


def _or_same(changed: Any, data: Any) -> Any:
    return data if changed is None else changed


def _change_at(data: Any, path: tuple[str, ...], key: str, change: Callable[[dict[str, Any], str], None]) -> None:
    level = [data]
    for part in path:
        level = [
            child
            for node in level
            for child in (
                node if part == "*" and isinstance(node, list) else [node.get(part)] if isinstance(node, dict) else []
            )
        ]
    for node in level:
        if isinstance(node, dict) and key in node:
            change(node, key)


def _rename(node: dict[str, Any], key: str) -> None:
    items = list(node.items())
    node.clear()
    node.update({(f"x{key[::-1]}" if name == key else name): value for name, value in items})


def _deepen(node: dict[str, Any], key: str) -> None:
    node["inner"] = {key: node.pop(key)}


def _wrap(node: dict[str, Any], key: str) -> None:
    value = node[key]
    node[key] = {"total": 3, "entries": value} if isinstance(value, list) else [value]


def _retype(node: dict[str, Any], key: str) -> None:
    if isinstance(node[key], (int, float)) and not isinstance(node[key], bool):
        node[key] = str(node[key])


def _tabulate(node: dict[str, Any], key: str) -> None:
    items = node[key]
    if isinstance(items, list) and items and all(isinstance(item, dict) for item in items):
        node[key] = {f"n{number:03}": item for number, item in enumerate(items)}


def _remove(node: dict[str, Any], key: str) -> None:
    del node[key]


def _rename_and_deepen(node: dict[str, Any], key: str) -> None:
    node["inner"] = {f"x{key[::-1]}": node.pop(key)}


def _wrap_and_rename(node: dict[str, Any], key: str) -> None:
    _wrap(node, key)
    _rename(node, key)


JSON_WAYS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "renamed key": _rename,
    "one level deeper": _deepen,
    "list wrapped": _wrap,
    "number to text": _retype,
    "list to object": _tabulate,
    "renamed and deeper": _rename_and_deepen,
    "wrapped and renamed": _wrap_and_rename,
    REMOVED: _remove,
}


# --- markup


def _markup_moves(asked: Asked) -> Iterator[Move]:
    for find in asked.finds.values():
        if not find.selector or find.selector.language not in GRAMMARS or find.count == find.nothing:
            continue
        language = GRAMMARS[find.selector.language]
        for text in language.alternatives(find.selector.text):
            parsed = language.parse(text)
            assert parsed is not None, text
            yield from _moves_of_steps(parsed, language, rows=find.role == "rows")


def _moves_of_steps(parsed: Parsed, language: Grammar, *, rows: bool) -> Iterator[Move]:
    for number in range(len(parsed.steps)):
        part = replace(parsed, steps=parsed.steps[: number + 1], suffix="", around=("", "")).text
        if part in ("*", "."):
            continue
        rename = _rename_class(parsed.steps[number].parts)
        yield Move("element wrapped", part, _in_markup(language, part, _wrap_element))
        yield Move("one level deeper", part, _in_markup(language, part, _deepen_element))
        yield Move("class renamed", part, _in_markup(language, part, rename))
        yield Move("renamed and deeper", part, _in_markup(language, part, rename, _deepen_element))
        yield Move("wrapped and renamed", part, _in_markup(language, part, rename, _wrap_element))
        yield Move(REMOVED, part, _in_markup(language, part, _remove_element))
    whole = replace(parsed, suffix="", around=("", "")).text
    attribute = ATTRIBUTE.search(parsed.suffix)
    if attribute:
        yield Move("renamed key", whole + parsed.suffix, _in_markup(language, whole, _rename_attribute(attribute[1])))
    if rows:
        yield Move("list wrapped", whole, _in_markup(language, whole, _wrap_list, once=True))


def _in_markup(
    language: Grammar, text: str, *ways: Callable[[Any], None], once: bool = False
) -> Callable[[Bodies], Bodies | None]:
    def apply(bodies: Bodies) -> Bodies | None:
        moved, changed = {}, 0
        for url, body in bodies.items():
            root = parse("html", body)
            found = language.finder(text or "*", "html")(root)
            for element in found[:1] if once else found:
                if element.tag not in ("html", "body", "head"):
                    before = etree.tostring(root)
                    for change in ways:
                        change(element)
                    changed += etree.tostring(root) != before
            moved[url] = "<!doctype html>" + etree.tostring(root, method="html", encoding="unicode")
        return moved if changed else None

    return apply


def _wrap_element(element: Any) -> None:
    parent = element.getparent()
    if parent is None or element.tag in ("tr", "td"):  # a table holds nothing else
        return
    box = etree.Element("div")
    box.set("class", "box")
    box.tail, element.tail = element.tail, None
    parent.replace(element, box)
    box.append(element)


def _deepen_element(element: Any) -> None:
    if element.tag in ("table", "tbody", "tr", "img", "link", "time", "script"):
        return
    inner = etree.Element("div")
    inner.set("class", "inner")
    inner.text, element.text = element.text, None
    for child in list(element):
        inner.append(child)
    element.append(inner)


def _remove_element(element: Any) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _wrap_list(element: Any) -> None:
    parent = element.getparent()
    _wrap_element(parent.getparent() if parent.tag == "tbody" else parent)


def _rename_class(parts: tuple[str, ...]) -> Callable[[Any], None]:
    names = [part[1:] for part in parts if part[0] == "."]
    ids = [part[1:] for part in parts if part[0] == "#"]
    for part in parts:
        for attribute, value in CONDITION.findall(part):
            {"class": names, "id": ids}.get(attribute, []).append(value.strip())

    def change(element: Any) -> None:
        for name in names:
            classes = [f"c-{name[::-1]}" if each == name else each for each in (element.get("class") or "").split()]
            element.set("class", " ".join(classes))
        if element.get("id") in ids:
            element.set("id", f"i-{element.get('id')[::-1]}")

    return change


def _rename_attribute(name: str) -> Callable[[Any], None]:
    def change(element: Any) -> None:
        if element.get(name) is not None:
            element.set(f"data-{name[::-1]}", element.attrib.pop(name))

    return change


# --- texts


def _text_moves(asked: Asked) -> Iterator[Move]:
    """The words by which regexes know where they are, renamed."""
    for find in asked.finds.values():
        pattern, _ = regex_of(find)
        if pattern and find.count > find.nothing:
            for word in WORD.findall(pattern):
                yield Move("renamed key", f"{pattern}: {word}", _in_text(word))


def _in_text(word: str) -> Callable[[Bodies], Bodies | None]:
    def apply(bodies: Bodies) -> Bodies | None:
        return {url: re.sub(rf"\b{word}\b", f"x{word[::-1]}", body) for url, body in bodies.items()}

    return apply


# --- all of them


def results(case: Case, most: int = 0) -> Iterator[Result]:
    """What comes of the moves of a case; of more than `most` some are drawn by lot, always the same."""
    trace, bodies, missing = answers(case)
    every = list(moves(trace))
    if most and len(every) > most:
        every = random.Random(7).sample(every, most)
    for move in every:
        yield attempt(case, move, bodies, missing)
