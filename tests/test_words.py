"""The words of the language: each is explained once, its examples are right, and schema, loader and reference agree."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch.auth import AuthTypes
from qetch.errors import OUTCOMES
from qetch.spec import inspect
from qetch.spec.check import schema
from qetch.spec.load import load
from qetch.spec.words import as_yaml, mappings, named, words
from tests.word_specs import KINDS, spec

if TYPE_CHECKING:
    from qetch.spec.words import Word

ROOT = Path(__file__).parent.parent
EXAMPLES = [(word, number) for word in words().values() for number in range(len(word.examples))]


def shown(case: Any) -> str:
    return case.key if hasattr(case, "key") else str(case)


@pytest.mark.parametrize(("word", "number"), EXAMPLES, ids=shown)
def test_an_example_is_right_in_a_whole_file(word: Word, number: int, tmp_path: Path) -> None:
    found = {}
    for kind in KINDS:
        file = tmp_path / f"{kind}.yaml"
        file.write_text(spec(word, word.examples[number], kind), "utf-8")
        messages = [problem.message for problem in inspect(file)[1]]
        found[kind] = [message for message in messages if message != "hooks run only in a trusted folder"]
    assert [] in found.values(), found


@pytest.mark.parametrize(("word", "number"), EXAMPLES, ids=shown)
def test_an_example_is_printed_so_that_it_reads_as_it_was(word: Word, number: int) -> None:
    text = as_yaml(word.name, word.examples[number])
    assert load("x.yaml", text.encode()).data == {word.name: word.examples[number]}
    assert max(map(len, text.splitlines())) <= 110


def closed_mappings(part: Any) -> list[dict[str, Any]]:
    """All parts of the schema that list the words of a mapping, found without following references."""
    if isinstance(part, list):
        return [inner for item in part for inner in closed_mappings(item)]
    if not isinstance(part, dict):
        return []
    own = [part] if part.get("additionalProperties") is False and "properties" in part else []
    return own + [inner for value in part.values() for inner in closed_mappings(value)]


def test_no_word_of_the_schema_is_left_out() -> None:
    every = {name for mapping in closed_mappings(schema()) for name in mapping["properties"]}
    assert {word.name for word in words().values()} == every
    assert len(list(mappings(schema()))) == len(closed_mappings(schema()))


def test_a_word_has_a_title_that_ends_in_its_name_so_that_editors_say_what_they_explain() -> None:
    assert [word.key for word in words().values() if word.key.rpartition(".")[2] != word.name] == []


def test_a_word_with_several_meanings_is_found_by_its_name_the_plain_one_first() -> None:
    assert [word.key for word in named("url")] == ["url", "errors.url", "examples.url", "expect.url"]
    assert [word.key for word in named("pages.next")] == ["pages.next"]
    assert named("nothing") == named("pages.nothing") == []


def test_every_word_is_named_by_the_code_that_compiles_or_judges_it() -> None:
    texts = set()
    for folder in ("spec", "engine", "tools"):
        for file in (ROOT / "qetch" / folder).rglob("*.py"):
            nodes = ast.walk(ast.parse(file.read_text("utf-8")))
            texts |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert {word.name for word in words().values()} - texts == set()


def test_plain_words_are_those_that_the_code_knows() -> None:
    assert list(words()["errors.raise"].choices) == list(OUTCOMES)
    assert list(words()["expect.error"].choices) == list(OUTCOMES)
    assert {kind.upper() for kind in words()["auth.kind"].choices} == set(AuthTypes.__members__) - {"OAuth"}


def test_the_reference_has_every_word_once() -> None:
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    keys = [key for line in re.findall(r"^<!-- made: words (.+) -->$", text, re.MULTILINE) for key in line.split()]
    assert sorted(keys) == sorted(words())


@pytest.mark.parametrize("file", sorted((ROOT / "sites").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_first_line_of_a_packaged_site_leads_editors_to_the_schema(file: Path) -> None:
    first = file.read_text("utf-8").partition("\n")[0]
    modeline = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert modeline
    assert (file.parent / modeline[1]).resolve() == ROOT / "schema" / "site.schema.json"
