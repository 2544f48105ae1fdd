from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qetch.errors import OUTCOMES
from qetch.spec.check import check, examine
from qetch.spec.load import load
from tests.spec_samples import ALBUMS, GOOD, changed, problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.spec.load import Document
    from qetch.spec.partial import Rest
    from qetch.spec.walk import Node

NAMES = {"handles", "instances", "let", "set", "metadata", "variants"}
FIELDS = {"query", "headers", "cookies", "form", "map"}
TREES = {"json", "variables", "expect"}


def document(text: str) -> Document:
    return load("x.yaml", text.encode())


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_file_has_no_problems(name: str) -> None:
    assert problems(GOOD[name]) == []


@pytest.mark.parametrize(
    "host", ["a.example", "xn--bcher-kva.example", "127.0.0.1", "localhost", "[::1]", "4chan.example"]
)
def test_a_host_is_taken(host: str) -> None:
    assert changed("[albums.example, albums-twin.example]", f'["{host}"]') == []


@pytest.mark.parametrize(
    "host",
    [
        "A.example",
        "example",
        "a.example:80",
        "a.example/x",
        "-a.example",
        "*.example",
        "a..b",
        "bücher.example",
        "a.example\\n",
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    assert len(changed("[albums.example, albums-twin.example]", f'["{host}"]')) == 1


def test_a_file_has_the_problems_of_loading_and_those_of_the_schema() -> None:
    assert [problem.split(" - ")[0] for problem in problems("qetch: 1\nqetch: 1\nnam: x")] == [
        'x.yaml:1:1: the site needs "description"',
        'x.yaml:1:1: the site needs "domains"',
        'x.yaml:1:1: the site needs "handles"',
        'x.yaml:2:1: duplicate key "qetch" (first at line 1)',
        'x.yaml:3:1: unknown key "nam" in the site',
    ]


def test_of_thousands_of_mistakes_some_hundred_are_told() -> None:
    handles = "".join(f"  h{i}: {{gt: x}}\n" for i in range(5000))
    assert 100 < len(problems(f"qetch: 1\nhandles:\n{handles}")) < 1000


def rest_of(text: str) -> Rest:
    found = examine(document(text))[1]
    assert found is not None
    return found


def test_a_good_file_is_read_whole() -> None:
    rest = rest_of(ALBUMS)
    assert rest.document.data == document(ALBUMS).data
    assert rest.doubts == {}


def test_a_misspelt_word_is_read_as_the_one_that_was_meant() -> None:
    text = ALBUMS.replace("uid: id", "uuid: id").replace("domains:", "domain:").replace("as: json", "as: JSON")
    rest = rest_of(text)
    assert rest.document.data == document(ALBUMS).data
    assert rest.doubts == {}
    assert rest.document.place(("domains",), key=True) == (5, 1)


def test_what_does_not_fit_is_left_out_and_the_handles_in_doubt_are_known() -> None:
    text = ALBUMS.replace("uid: id", "uid: 5\n        colour: id").replace('get: "album', 'wait: 5\n    get: "album')
    rest = rest_of(text.replace("handles:\n", "handles:\n  x-y: {}\n"))
    album = rest.document.data["handles"]["album"]
    assert set(album) == set(document(ALBUMS).data["handles"]["album"])
    assert rest.doubts.keys() == {("handles",), ("handles", "x-y"), ("handles", "album")}


def test_of_a_file_with_very_many_faults_nothing_more_is_asked() -> None:
    handles = "".join(f"  h{i}: {{gt: x}}\n" for i in range(5000))
    assert examine(document(f"qetch: 1\nhandles:\n{handles}"))[1] is None


# --- one letter wrong


def words(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The path and the event of each key that is a word of the language."""
    if TREES.intersection(path):
        return
    if isinstance(node.items, dict):
        above = path[-1] if path else ""
        named = above in NAMES and (len(path) < 2 or path[-2] not in NAMES - {"variants"})
        for key, (event, below) in node.items.items():
            if not named and above not in FIELDS:
                yield (*path, key), event
            yield from words(below, (*path, key))
    elif isinstance(node.items, list):
        for i, below in enumerate(node.items):
            yield from words(below, (*path, i))


def misspelt(word: str) -> set[str]:
    """The word with one letter changed, left out, or doubled."""
    middle = len(word) // 2
    return {
        word[:middle] + "q" + word[middle + 1 :],
        word[:middle] + word[middle + 1 :],
        word[:middle] + word[middle : middle + 1] + word[middle:],
    }


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_word_with_one_letter_wrong_is_found_and_righted(name: str) -> None:
    text = GOOD[name]
    good = document(text)
    for path, event in words(good.root):
        start, end = event.start_mark.index, event.end_mark.index
        word = text[start:end]
        for wrong in misspelt(word):
            found = [
                p
                for p in check(document(text[:start] + wrong + text[end:]))
                if p.message.startswith(f'unknown key "{wrong}"')
            ]
            assert [(p.line, p.column) for p in found] == [good.place(path, key=True)], (path, wrong)
            assert found[0].cure.startswith(('did you mean "', "a ", "it ", "pages ", "known here")), (path, wrong)
            if len(word) > 2:
                assert found[0].cure == f'did you mean "{word}"?', (path, wrong)


@pytest.mark.parametrize("word", sorted(OUTCOMES))
def test_each_outcome_may_be_raised(word: str) -> None:
    assert changed("raise: empty", f"raise: {word}") == []
