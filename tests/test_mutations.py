"""A slip of one letter, anywhere in a spec, is an error that says where.

Every key and plain word of the language, and every name that a spec declares, is changed by one letter: at its
declaration, and at each of its uses. Free names are exempt: those of handles, variants, metadata, headers and queries.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from qetch.spec import inspect
from qetch.spec.check import schema
from qetch.spec.load import Document, load
from qetch.spec.scalars import place_of_index, source_index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.spec.walk import Node

TESTS = Path(__file__).parent
FILES = [*sorted((TESTS.parent / "sites").glob("*.yaml")), *sorted((TESTS / "specs" / "good").glob("*.yaml"))]

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{\+?(\w+)\}")
GROUP = re.compile(r"\(\?P<(\w+)>")
OWN_NAMES = {"let", "set"}
"""The words whose keys are declarations."""
NAME = "#/$defs/name"
WORD_IN = {
    "date-format": re.compile(r"^(unix|ms|iso)$"),
    "timezone": re.compile(r"^(.+)$"),
    "rate": re.compile(r"/(\w+)$"),
    "wait": re.compile(r"([a-z]+)$"),
    "css": re.compile(r"::(text|attr)\b"),
    "jmespath": re.compile(r"\b(entries|pick)\("),
    "selector": re.compile(r"((?<=::)(?:text|attr)\b|\b(?:entries|pick)(?=\())"),
}
"""The plain words inside texts, by the text's format or key."""
ZONES = {"UCT"}
"""Other names of a time zone that are one slip away from the usual one."""


class Word(NamedTuple):
    """A word of a spec: what it is, its text, the index in the file where it starts, and where a problem with it is said."""

    what: str
    text: str
    start: int
    place: tuple[int, int]


class Finder:
    """Finds the words of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def words(self, node: Node, part: dict[str, Any], word: str = "") -> Iterator[Word]:
        """The words of a node, by the part of the schema that holds for it; `word` is the key above it."""
        if type(node.event).__name__ == "AliasEvent":
            return  # they are found at its anchor
        part = merged(part)
        if isinstance(node.items, dict):
            for key, (event, value) in node.items.items():
                if key in part.get("properties", {}):
                    yield self.word("key", event, key)
                elif word in OWN_NAMES:
                    yield self.word("name", event, key)
                yield from self.words(value, self.below(part, key), key)
        elif isinstance(node.items, list):
            for item in node.items:
                yield from self.words(item, part.get("items", part), word)
        else:
            yield from self.scalar(node.event, part, word)

    def below(self, part: dict[str, Any], key: str) -> dict[str, Any]:
        """What the schema says of the value of a key; below `json` and `variables` every text is a template."""
        if key in ("json", "variables") and key in part.get("properties", {}):
            return TREE
        return part.get("properties", {}).get(key) or part.get("additionalProperties") or {}

    def scalar(self, event: Any, part: dict[str, Any], word: str) -> Iterator[Word]:
        text = event.value
        if "enum" in part or part.get("type") == "boolean":
            yield self.word("plain word", event, text)
        elif part.get("name"):
            yield self.word("name", event, text)
        elif part.get("format") == "template":
            yield from self.inside("name", event, PLACEHOLDER)
        elif word == "match":
            yield from self.inside("name", event, GROUP)
        elif part.get("format", word) in WORD_IN:
            yield from self.inside("plain word", event, WORD_IN[part.get("format", word)])

    def word(self, what: str, event: Any, text: str) -> Word:
        index = source_index(self.document.text, event, 0)
        start = event.start_mark
        return Word(what, text, index, (start.line + 1, start.column + 1))

    def inside(self, what: str, event: Any, pattern: re.Pattern[str]) -> Iterator[Word]:
        """The words in a text; a group of a regex has a place of its own, the others that of the text."""
        for found in pattern.finditer(event.value):
            if found[1]:
                index = source_index(self.document.text, event, found.start(1))
                start = event.start_mark
                own = place_of_index(self.document.text, index)
                place = (own.line, own.column) if pattern is GROUP else (start.line + 1, start.column + 1)
                yield Word(what, found[1], index, place)


TREE: dict[str, Any] = {"format": "template"}
TREE["items"] = TREE["additionalProperties"] = TREE


def merged(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema with what it refers to, and what holds for items, for its words are all that is asked."""
    found = dict(part)
    for reference in references(part):
        target: Any = schema()
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]
        if reference == NAME:
            found["name"] = True
        found = {**merged(target), **found}
    return found


def references(part: dict[str, Any]) -> Iterator[str]:
    for place in (part, part.get("else", {})):
        if "$ref" in place:
            yield place["$ref"]


def slips(word: Word, others: set[str]) -> list[str]:
    """The word with one letter wrong, in ways that give none of the other words of the file or the language."""
    text, middle = word.text, len(word.text) // 2
    candidates = (
        text[:middle] + "q" + text[middle + 1 :],
        text[:-1],
        text[:middle] + text[middle] + text[middle:],
        text[:middle] + text[middle + 1 :] + text[middle],
    )
    return [slip for slip in dict.fromkeys(candidates) if slip and slip not in others]


def known_words() -> set[str]:
    found: set[str] = set()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            found.update(part.get("properties", {}), part.get("enum", ()))
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(schema())
    return found


def cut(text: str, word: Word) -> tuple[str, str, str]:
    """What stands before a word, the word, and the rest."""
    end = word.start + len(word.text)
    return text[: word.start], text[word.start : end], text[end:]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_slip_of_one_letter_is_an_error_at_its_place(file: Path, tmp_path: Path) -> None:
    document = load(file)
    words = list(Finder(document).words(document.root, schema()))
    others = known_words() | ZONES | {word.text for word in words}
    copy = tmp_path / file.name
    missed = []
    for number, word in enumerate(words):
        possible = slips(word, others)
        slip = possible[number % len(possible)]  # each way in turn
        before, found, after = cut(document.text, word)
        assert found == word.text
        copy.write_text(before + slip + after)
        site, problems = inspect(copy, file.name)
        if site or word.place not in [(problem.line, problem.column) for problem in problems]:
            missed.append(f"{word.place} {word.what} {word.text} -> {slip}: {[str(problem) for problem in problems]}")
    assert not missed, "\n".join(missed)


def test_the_words_of_a_spec_are_found() -> None:
    document = load(TESTS / "specs" / "good" / "names.yaml")
    words = list(Finder(document).words(document.root, schema()))
    names = [word.text for word in words if word.what == "name"]
    born = ["user", "id", "sort"]
    request = ["user", "id", "page", "sort", "after"]
    let = ["after", "page", "server", "folder", "server", "user"]
    rows = ["number", "file", "id", "number", "host", "folder", "file", "source"]
    assert names == [*born, *request, *let, *rows]
    assert [word.text for word in words if word.what == "plain word"] == ["json"]
    assert [word.text for word in words if word.what == "key"][:8] == [
        *("qetch", "name", "description", "domains", "request", "as", "base", "handles")
    ]
