"""What can still be read of a site file that has faults, so that all its problems are said in one run.

A misspelt word is read as the one that was meant, if that is plain. Whatever else does not fit is left out of a copy:
see `qetch.spec.partial`.
"""

from __future__ import annotations

import copy
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from qetch.spec.explain import (
    MOST_FAULTS,
    RULES,
    explain,
    find_faults,
    guess,
    rule_words,
    word_meant,
)
from qetch.spec.partial import WORD, Doubt, Partial, Rest, area_of, is_partial

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qetch.spec.explain import Fault
    from qetch.spec.load import Document, Path
    from qetch.spec.problems import Problem
    from qetch.spec.walk import Node

ROUNDS = 8
"""So often a misspelt word is looked for inside what another one held."""
PLAIN = 0.8
"""How much alike a word and the one that was meant are at least, from 0 to 1."""
GIVES_BIRTH = frozenset({"match", "params", "let", "set", "counter", "pages"})
NAMELESS = frozenset(
    {"all", "as", "batch", "by", "date", "default", "from", "graphql", "kind", "max", "name", "not", "note", "number"}
    | {"parse", "playlist", "quality", "raise", "redirects", "status", "tz"}
)
"""The words below which no name is used or born, as long as they stand there with something."""
KINDS = ("json", "html", "xml", "text")


def mend(document: Document, validator: Any | None) -> tuple[list[Problem], Rest | None]:
    """All problems that loading and the schema have found, and what can be read of the file.

    Args:
        document: The file.
        validator: Holds data against the schema; None if it fits.

    Returns:
        The problems in order of place, and the rest, or None if there are too many faults to tell.
    """
    mender = _Mender(document)
    problems = set(document.problems)
    faults: list[Fault] = []
    for _ in range(ROUNDS if validator else 0):
        faults = find_faults(mender.document, validator)
        if len(faults) >= MOST_FAULTS:
            return sorted(problems.union(*map(explain, mender.told(faults)))), None
        words = [(fault, explain(fault)) for fault in faults if fault.keyword in ("additionalProperties", "enum")]
        righted = [told for fault, told in words if mender.read_as_meant(fault)]
        problems.update(*righted)
        if not righted:
            break
    problems.update(*map(explain, mender.told(faults)))
    return sorted(problems), mender.rest(faults)


class _Mender:
    """Makes a copy of a file in which all that is left fits."""

    def __init__(self, document: Document) -> None:
        self.document = copy.copy(document)
        self.document.data = _copied(document.data)
        self.doubts: dict[Path, Doubt] = {}
        self.meant: dict[Path, set[str]] = {}
        self.renamed: set[Path] = set()
        self.without_kind: set[Path] = set()

    # --- words that are not those of the language

    def read_as_meant(self, fault: Fault) -> bool:
        """Renames or drops what is misspelt; whether the fault was of that kind, and is now told."""
        if fault.keyword == "enum" and isinstance(fault.data, str):
            meant = word_meant(fault, [str(word) for word in fault.rule])
            return _alike(fault.data.lower(), meant) and self._put(fault.path, meant)
        if fault.keyword == "additionalProperties":
            self._open(fault)
        return fault.keyword == "additionalProperties"

    def _open(self, fault: Fault) -> None:
        """Renames the unknown keys of a mapping, and drops those that could mean anything."""
        here = self._at(fault.path)
        known = fault.schema["properties"]
        for key in [key for key in here if key not in known]:
            meant = key if key in fault.elsewhere else guess(fault, key)
            if meant in known and meant not in here and _alike(key, meant):
                here[meant] = here.pop(key)
                self.renamed.add((*fault.path, meant))
                self.document.root = _with_name(self.document.root, fault.path, key, meant)
                continue
            here = self._partial(fault.path)
            if meant:
                self.meant.setdefault(fault.path, set()).add(meant)
            for place, words in fault.schema.get("x-below", {}).items():
                if key in words and isinstance(here.get(place), dict):
                    self._partial((*fault.path, place))
            self._forget(fault, key, here.pop(key))

    def _forget(self, fault: Fault, key: str, value: Any) -> None:
        """Notes what a key that is dropped may have done."""
        self._doubt((*fault.path, "*"), [key, value])
        known = fault.schema["properties"]
        asks = key in ("get", "post") or any("/" in text or "{" in text for text in _texts(value))
        if "as" in known and (value in KINDS or (asks and "each" in known)):
            self.without_kind.add(fault.path)

    # --- what is told

    def told(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """The faults without those that only follow from others."""
        faults = list(faults)
        wrong_type = {fault.path for fault in faults if fault.keyword == "type"}
        for fault in faults:
            meant = self.meant.get(fault.path, set())
            if fault.keyword == "required":  # a misspelt word is missing, which is no second mistake
                missing = [key for key in fault.rule if key not in fault.data and key not in meant]
                if missing:
                    yield fault._replace(rule=missing)
            elif fault.keyword in RULES:
                renamed = any((*fault.path, word) in self.renamed for word in rule_words(fault))
                if not (meant or renamed or fault.path in wrong_type):
                    yield fault
            elif not (fault.path in self.renamed or (fault.keyword == "minProperties" and is_partial(fault.data))):
                yield fault

    # --- what is left

    def rest(self, faults: Iterable[Fault]) -> Rest | None:
        """What can be read of the file."""
        for fault in faults:
            if fault.of_key:
                self._of_key(fault)
            elif fault.keyword == "required":
                self._lacks(fault.path, [key for key in fault.rule if key not in fault.data])
            elif fault.keyword in RULES and isinstance(fault.data, dict):
                self._rule(fault)
            else:
                self._leave_out(fault)
        for path in self.without_kind:
            if isinstance(here := self._at(path), dict):
                here.setdefault("as", Partial())
        places = [self._loaded(event) for event in self.document.spoiled]
        if not all(places):
            return None
        for mapping, node in self.document.dropped:
            self._doubt((*(_path_of(self.document.root, mapping) or ()), "*"), list(_scalars(node)))
        return Rest(self.document, self.doubts)

    def _of_key(self, fault: Fault) -> None:
        """A bad name: what it should have been is not known."""
        doubt = self._doubt(fault.path, None)
        doubt.words.add(fault.data)
        doubt.any_birth |= fault.path[-1:] in (("let",), ("set",))

    def _lacks(self, path: Path, keys: list[str]) -> None:
        """Words are missing in a mapping; not the one of a body, beside `get`."""
        for key in keys:
            doubt = self._doubt((*path, key), None)
            doubt.any_birth |= key in GIVES_BIRTH
            if _has_names((*path, key)) and not (key == "post" and "get" in self._at(path)):
                doubt.any_use = True
                self._partial(path)

    def _rule(self, fault: Fault) -> None:
        """Words that do not go together: what they hold is not all read, or one of them is missing."""
        words = rule_words(fault)
        if "text" in words or (fault.keyword == "not" and "post" not in words):
            self._leave_out(fault)  # a value in two ways, or something else than what it is taken for
            return
        needy = fault.rule if fault.keyword == "dependentRequired" else fault.schema.get("x-at", ())
        there = [word for word in (*words, *needy) if word in fault.data]
        self._doubt((*fault.path, "*"), [fault.data[word] for word in there])
        missing = [word for word in words if word not in fault.data]
        if fault.keyword == "dependentRequired" or len(missing) == len(words):
            self._lacks(fault.path, missing)
            if "get" in missing:
                self.without_kind.add(fault.path)

    def _leave_out(self, fault: Fault) -> None:
        """A value that is none: what will stand there is known only if something is written there."""
        doubt = self._doubt(fault.path, fault.data)
        is_eaten = self.document.place(fault.path).line in self.document.eaten
        is_empty = not is_eaten and not WORD.search(" ".join(_texts(fault.data)))
        doubt.any_use |= is_empty and _has_names(fault.path)
        doubt.any_birth |= is_empty and not GIVES_BIRTH.isdisjoint(fault.path[-2:])
        self._put(fault.path, Partial())

    def _loaded(self, event: Any) -> bool:
        """Leaves out what YAML took for something else; whether it was found."""
        path = _path_of(self.document.root, event)
        if path is None:
            return False
        end = self.document.text.find("\n", event.end_mark.index)
        written = self.document.text[event.start_mark.index : end if end > 0 else None]
        self._doubt(path, [written, self._at(path)])
        if path:
            self._put(path, Partial())
        return True

    def _doubt(self, path: Path, data: Any) -> Doubt:
        """Notes that the words in some data may be names."""
        doubt = self.doubts.setdefault(area_of(path) if path[:1] != ("*",) else (), Doubt())
        doubt.words.update(*(WORD.findall(text) for text in _texts(data)))
        return doubt

    # --- the copy

    def _at(self, path: Path) -> Any:
        """What the copy has at a path, or None."""
        data: Any = self.document.data
        for part in path:
            if isinstance(data, dict):
                data = data.get(str(part))
            else:
                data = data[part] if isinstance(data, list) and isinstance(part, int) else None
        return data

    def _put(self, path: Path, data: Any) -> bool:
        """Puts something else in a place, if there is that place; always true."""
        above: Any = self._at(path[:-1])
        if not path:
            self.document.data = data
        elif path[-1] in (range(len(above)) if isinstance(above, list) else above or ()):
            above[path[-1]] = data
        return True

    def _partial(self, path: Path) -> Partial:
        """Makes the mapping at a path one of which something is not there."""
        here = self._at(path)
        if not isinstance(here, Partial):
            here = Partial(here)
            self._put(path, here)
        return here


def _has_names(path: Path) -> bool:
    """Whether names are used or born at the end of a path."""
    words = [part for part in path[len(area_of(path)) :] if isinstance(part, str)]
    if path[:1] not in (("handles",), ("auth",)) or not words or words[0] == "examples":
        return False
    return words[-1] not in NAMELESS or (words[-1] == "name" and "renditions" in words)


def _alike(word: str, meant: str) -> bool:
    return SequenceMatcher(None, word, meant).ratio() >= PLAIN


def _copied(data: Any) -> Any:
    """A copy in which nothing is there twice, as it is after an alias."""
    if isinstance(data, dict):
        return {key: _copied(item) for key, item in data.items()}
    return [_copied(item) for item in data] if isinstance(data, list) else data


def _texts(data: Any) -> Iterator[str]:
    """All texts of some data, those of keys included."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, item in data.items():
            yield key
            yield from _texts(item)
    elif isinstance(data, list):
        for item in data:
            yield from _texts(item)


def _scalars(node: Node) -> Iterator[str]:
    """All texts below a node."""
    if isinstance(node.items, dict):
        for key, (_, below) in node.items.items():
            yield key
            yield from _scalars(below)
    elif isinstance(node.items, list):
        for below in node.items:
            yield from _scalars(below)
    else:
        yield str(getattr(node.event, "value", ""))


def _path_of(node: Node, event: Any, path: Path = ()) -> Path | None:
    """Where a value has an event, or its key has it; None if that is nowhere."""
    if node.event is event:
        return path
    below: Iterable[tuple[Any, Any, Node]] = ()
    if isinstance(node.items, dict):
        below = [(key, key_event, inner) for key, (key_event, inner) in node.items.items()]
    elif isinstance(node.items, list):
        below = [(number, None, inner) for number, inner in enumerate(node.items)]
    for part, key_event, inner in below:
        found = (*path, part) if key_event is event else _path_of(inner, event, (*path, part))
        if found is not None:
            return found
    return None


def _with_name(node: Node, path: Path, key: str, name: str) -> Node:
    """The same tree, in which a key of the mapping at a path has another name."""
    if isinstance(node.items, list):
        inner = [_with_name(item, path[1:], key, name) if i in path[:1] else item for i, item in enumerate(node.items)]
        return node._replace(items=inner)
    items = node.items or {}
    if not path:
        return node._replace(items={name if old == key else old: item for old, item in items.items()})
    return node._replace(
        items={
            part: (event, _with_name(below, path[1:], key, name) if part == path[0] else below)
            for part, (event, below) in items.items()
        }
    )
