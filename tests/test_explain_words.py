"""What `qetch explain` says, in every case as one document too, and never a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.shell import ITEMS, Shell, cassette, make_shell

if TYPE_CHECKING:
    from pathlib import Path

CATS = "https://little.example/a/cats"
API = "https://api.little.example/albums/cats"
KEYED = r"""
qetch: 1
name: keyed
description: A site that wants a key.
domains: [keyed.example]
auth: {kind: oauth, domains: [api.keyed.example], headers: {Authorization: "Bearer {key}"}}
request: {as: json, base: "https://api.keyed.example/"}
handles:
  item:
    match: '^https?://keyed\.example/i/(?P<id>\w+)(?:\?.*)?$'
    examples: ["https://keyed.example/i/1"]
    get: "items/{id}"
    query: {key: "{id}"}
    each: {in: items, content: {uid: id, url: url}}
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


def answer(shell: Shell, data: Any, url: str = API) -> None:
    """From now on the folder `now` answers a URL with this."""
    (shell.home / "now").mkdir()
    (shell.home / "now" / "all.yaml").write_text(cassette({url: (200, data)}))


def told(shell: Shell) -> str:
    return shell("explain", CATS, "--sites", "sites", "--replay", "now", "--cassettes", "cassettes").stdout


def repair(shell: Shell) -> dict[str, Any]:
    words = ("explain", CATS, "--sites", "sites", "--replay", "now", "--cassettes", "cassettes", "--json")
    found: dict[str, Any] = json.loads(shell(*words).stdout)["repair"]
    return found


def test_two_changes_of_one_line_are_one_line_to_paste(shell: Shell) -> None:
    answer(shell, {"items": [{**item, "full": None, "small": None, "urls": dict(item)} for item in ITEMS]})
    shown = told(shell)
    assert shown.count("- variants: {full: full, small: small}") == 1
    assert shown.count("+ variants: {full: urls.full, small: urls.small}") == 1
    assert "`full` is gone; the recorded values are now at `urls.full`" in shown
    assert "`small` is gone; the recorded values are now at `urls.small`" in shown
    assert repair(shell)["sure"]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ({"name": "title", "title": None}, "`title` is gone; the recorded values are now at `name`"),
        ({"name": "title", "title": 7}, "`title` finds something else than was recorded"),
    ],
)
def test_what_has_become_of_a_selector_is_said_as_it_is(shell: Shell, title: dict[str, Any], said: str) -> None:
    moved = {new: f"{old}" for new, old in title.items() if old == "title"}
    rest = {new: old for new, old in title.items() if old != "title"}
    items = [{**item, **{new: item[old] for new, old in moved.items()}, **rest} for item in ITEMS]
    answer(shell, {"items": items})
    assert said in told(shell)


def test_a_selector_that_finds_only_some_says_so(shell: Shell) -> None:
    answer(shell, {"items": [ITEMS[0], {**ITEMS[1], "title": None, "name": ITEMS[1]["title"]}]})
    (proposal,) = repair(shell)["proposals"]
    assert proposal["message"].startswith("`title` finds only some of what was recorded; ")
    assert proposal["new"] == "not_null(name, title)"


def test_what_is_nowhere_any_more_is_not_proposed_but_said(shell: Shell) -> None:
    answer(shell, {"items": [{name: value for name, value in item.items() if name != "title"} for item in ITEMS]})
    found = repair(shell)
    assert found["proposals"] == []
    (gone,) = found["gone"]
    assert (gone["line"], gone["message"], gone["recorded"], gone["now_at"]) == (
        16, "`title` finds nothing", "A cat", None,
    )  # fmt: skip
    assert "the recorded 'A cat' stands nowhere in the new answers" in told(shell)


def test_where_a_value_went_is_told_even_where_no_selector_reaches_it(shell: Shell) -> None:
    items = [{name: value for name, value in item.items() if name != "title"} for item in ITEMS]
    answer(shell, {"items": items, "names": [item["title"] for item in ITEMS]})
    (gone,) = repair(shell)["gone"]
    assert gone["now_at"] == "`names[0]`"


def test_two_places_of_the_same_values_are_no_sure_thing(shell: Shell) -> None:
    answer(shell, {"items": [{**item, "title": None, "name": item["title"], "label": item["title"]} for item in ITEMS]})
    (proposal,) = repair(shell)["proposals"]
    assert not proposal["sure"]
    assert proposal["message"].endswith("too: choose")


def test_a_field_that_was_there_before_is_not_what_has_moved(shell: Shell) -> None:
    (shell.home / "cassettes" / "all.yaml").write_text(
        cassette({API: (200, {"items": [{**item, "alt": item["title"]} for item in ITEMS]})})
    )
    answer(shell, {"items": [{**item, "title": None, "alt": item["title"]} for item in ITEMS]})
    (proposal,) = repair(shell)["proposals"]
    assert (proposal["new"], proposal["sure"]) == ("alt", False)
    assert proposal["message"] == "`title` is gone; perhaps `alt` is meant: compare what it finds"


def test_what_is_left_out_has_the_line_of_the_spec(shell: Shell) -> None:
    answer(shell, {"items": [{**ITEMS[0], "id": None}, ITEMS[1]]})
    where = "little.yaml:15, handles.album.each.content, row 1: there is no uid: 'id' finds nothing\n"
    result = shell("extract", CATS, "--sites", "sites", "--replay", "now")
    assert result.stderr == f"qetch: skipped: {where}"
    assert f"left out: {where}" in told(shell)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((CATS, "--replay", "cassettes"), 0, "2 items in all"),
        (("https://little.example/a/none", "--replay", "cassettes"), 0, "items → 0 rows"),
        (("https://little.example/a/missing", "--replay", "cassettes"), 4, "NotFound: "),
        (("https://little.example/a/broken", "--replay", "cassettes"), 5, "RemoteError: "),
        (("https://little.example/b/cats", "--replay", "cassettes"), 4, "taken by nobody: little has no handle"),
        (("https://nobody.example/b", "--replay", "cassettes"), 4, "taken by nobody: no site claims this URL"),
        (("https://closed.example/1",), 4, "known to be dead: closed on 2023-09-01"),
        (("https://little.example/a/x", "--proxy", "http://127.0.0.1:1"), 7, " tries)"),
    ],
)
def test_every_end_is_a_tree_and_one_document(shell: Shell, words: tuple[str, ...], code: int, said: str) -> None:
    tree = shell("explain", *words, "--sites", "sites")
    assert tree.returncode == code
    assert said in tree.stdout
    result = shell("explain", *words, "--sites", "sites", "--json")
    assert result.returncode == code
    assert set(json.loads(result.stdout)) >= {"url", "claim", "visits", "error", "repair"}


def test_neither_form_tells_a_secret(shell: Shell) -> None:
    (shell.home / "sites" / "keyed.yaml").write_text(KEYED)
    secrets = ("k3y-of-mine-123", "s3cr3t-of-url", "t0k3n-of-file", "t0k3n-of-answer")
    items = [{"id": 1, "url": "https://f.keyed.example/1.png?token=t0k3n-of-file"}]
    body = {"session_token": "t0k3n-of-answer", "items": items, "echo": "k3y-of-mine-123"}
    answer(shell, body, "https://api.keyed.example/items/1?key=1")
    assert shell("auth", "add", "keyed", "k3y-of-mine-123", "--sites", "sites").returncode == 0
    url = "https://keyed.example/i/1?access_token=s3cr3t-of-url"
    for words in ((), ("--json",)):
        result = shell("explain", url, "--sites", "sites", "--replay", "now", *words)
        assert result.returncode == 0
        assert "keyed-1" in result.stdout
        assert [secret for secret in secrets if secret in result.stdout + result.stderr] == []
