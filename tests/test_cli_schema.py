"""`qetch schema`: the language, for editors and in the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qetch.paths import schema_file
from qetch.spec.check import schema
from qetch.spec.words import words
from tests.shell import Shell, only_error

if TYPE_CHECKING:
    from pathlib import Path

PAGES_NEXT = """\
pages.next
  The URL of the next page.
  stands in: pages
  takes: a value: a selector, or a mapping
  examples:
    next: 'a[rel="next"]::attr(href)'
    next: paging.next
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_without_words_the_schema_is_printed_as_it_is(shell: Shell) -> None:
    run = shell("schema")
    assert run.returncode == 0
    assert run.stdout == schema_file().read_text("utf-8")
    assert json.loads(run.stdout) == schema()


def test_its_path_is_for_the_settings_of_an_editor(shell: Shell) -> None:
    assert shell("schema", "--path").stdout == f"{schema_file()}\n"


def test_a_word_is_explained_with_its_examples(shell: Shell) -> None:
    run = shell("schema", "pages.next")
    assert (run.returncode, run.stdout) == (0, PAGES_NEXT)


def test_all_meanings_of_a_word_are_explained_and_several_words_at_once(shell: Shell) -> None:
    lines = shell("schema", "redirects", "when").stdout.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == ["redirects", "when", "errors.when"]
    assert "  takes: follow, stop" in lines
    assert "  default: follow" in lines
    assert "" in lines


def test_a_required_word_says_so(shell: Shell) -> None:
    assert "  stands in: handle (required)" in shell("schema", "match").stdout


def test_all_words_are_listed(shell: Shell) -> None:
    listed = shell("schema", "--words").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [*words()]
    assert all(word.description in line for word, line in zip(words().values(), listed, strict=True))


def test_a_misspelt_word_is_an_error_that_knows_better(shell: Shell) -> None:
    run = shell("schema", "eech")
    assert run.returncode == 2
    assert run.stdout == ""
    assert "no such word: eech - did you mean each?" in only_error(run)
    assert "`qetch schema --words` lists all" in only_error(shell("schema", "qqqqqq"))
    assert "no such word: pick - it is a function of value.jmespath" in only_error(shell("schema", "pick"))


@pytest.mark.parametrize("flag", ["--path", "--words"])
def test_a_flag_and_a_word_make_no_sense_together(shell: Shell, flag: str) -> None:
    run = shell("schema", flag, "each")
    assert run.returncode == 2
    assert "stand alone" in only_error(run)
