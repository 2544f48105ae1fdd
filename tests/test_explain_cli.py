from __future__ import annotations

import json
import os
import pty
from typing import TYPE_CHECKING, Any

import pytest

from tests.shell import ITEMS, cassette, make_shell, read_all

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shell import Shell

CATS = "https://little.example/a/cats"
API = "https://api.little.example/albums/cats"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = make_shell(tmp_path)
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "all.yaml").write_text(cassette({API: (200, {"payload": {"items": ITEMS}})}))
    return shell


def explained(shell: Shell, url: str = CATS, replay: str = "cassettes", *words: str) -> tuple[int, dict[str, Any]]:
    result = shell("explain", url, "--sites", "sites", "--replay", replay, "--json", *words)
    document: dict[str, Any] = json.loads(result.stdout)
    return result.returncode, document


def test_the_whole_run_is_told(shell: Shell) -> None:
    code, found = explained(shell)
    assert code == 0
    assert (found["claim"]["site"], found["claim"]["handle"]) == ("little", "album")
    assert found["claim"]["captures"] == {"id": "cats"}
    (visit,) = found["visits"]
    request = visit["requests"][0]
    assert (request["method"], request["url"], request["status"], request["cassette"]) == ("GET", API, 200, True)
    assert request["bytes"] == len(json.dumps({"items": ITEMS}))
    rows = next(find for find in request["selectors"] if find["role"] == "rows")
    assert (rows["where"], rows["selector"], rows["found"]) == ("handles.album.each.in", "items", 2)
    assert rows["first"][0] == "{id, title, time, full, small}"
    uid = next(find for find in request["selectors"] if find["where"].endswith(".uid"))
    assert (uid["read"], uid["nothing"], uid["first"]) == (2, 0, ["1", "2"])
    assert request["left_out"] == [
        {
            "where": "handles.album.each.content.variants.small, row 1",
            "reason": "it has no URL",
            "file": str(shell.home / "sites" / "little.yaml"),
            "line": 19,
        }
    ]
    assert [item[0]["uid"] for item in request["contents"]] == ["little-1-full", "little-2-full"]
    assert found["items"] == 2
    assert found["error"] is None


def test_the_document_has_the_documented_words(shell: Shell) -> None:
    from qetch.tools.explain import report

    _, found = explained(shell, CATS, "moved", "--cassettes", "cassettes")
    assert report.document.__doc__ is not None

    def words(data: Any) -> set[str]:
        if isinstance(data, dict):
            return {word for key, item in data.items() for word in (key, *(words(item) if key != "captures" else ()))}
        return {word for item in data for word in words(item)} if isinstance(data, list) else set()

    told = report.document.__doc__
    content = {*report.FIELDS, "contents"}
    assert {word for word in words(found) - content if f"`{word}`" not in told} == set()


def test_the_tree_names_every_part(shell: Shell) -> None:
    result = shell("explain", CATS, "--sites", "sites", "--replay", "cassettes")
    assert result.returncode == 0
    for part in (
        f"{CATS}\n",
        "  taken by little, handle album (",
        "    read in the URL: id=cats\n",
        f"    GET {API}: 200, ",
        "      handles.album.each.in: items  → 2 rows: {id, title, time, full, small} | ",
        "      left out: little.yaml:19, handles.album.each.content.variants.small, row 1: it has no URL\n",
        "  2 items in all\n",
    ):
        assert part.replace("  →", " →") in result.stdout
    assert "\x1b" not in result.stdout


def test_a_terminal_gets_a_drawn_tree_and_nothing_that_an_answer_made_up(shell: Shell) -> None:
    ours, theirs = pty.openpty()
    with shell.start("explain", CATS, "--sites", "sites", "--replay", "cassettes", stdout=theirs) as process:
        os.close(theirs)
        shown = read_all(ours).decode()
    assert process.returncode == 0
    assert "└─ " in shown
    assert "\x1b[32m" in shown
    assert "\x1b[2J" not in shown


def test_a_handle_that_does_not_match_says_at_which_character(shell: Shell) -> None:
    code, found = explained(shell, "https://little.example/b/cats")
    assert code == 4
    assert found["claim"]["site"] is None
    (refusal,) = found["not_claimed"]
    assert (refusal["site"], refusal["handle"], refusal["failed_at"]) == ("little", "album", 23)
    assert refusal["why"] == "its regex fails at character 24, at 'b/cats'"
    assert found["other_sites"] >= 1
    assert found["error"]["kind"] == "UnsupportedURL"


def test_moved_data_is_found_again_and_the_lines_can_be_pasted(shell: Shell) -> None:
    code, found = explained(shell, CATS, "moved", "--cassettes", "cassettes")
    assert code == 6
    assert found["error"]["kind"] == "LayoutChanged"
    repair = found["repair"]
    assert repair["compared_with"] == [CATS]
    (proposal,) = repair["proposals"]
    assert proposal["message"] == "`items` is gone; the recorded values are now at `payload.items`"
    assert (proposal["old_line"], proposal["new_line"]) == ("in: items", "in: payload.items")
    assert (repair["items"], repair["wanted"], repair["complete"]) == (2, 2, True)
    spec = shell.home / "sites" / "little.yaml"
    assert f"{spec}:{proposal['line']}" == f"{proposal['file']}:{proposal['line']}"
    assert spec.read_text().splitlines()[proposal["line"] - 1].strip() == proposal["old_line"]
    spec.write_text(spec.read_text().replace(proposal["old_line"], proposal["new_line"]))
    assert explained(shell, CATS, "moved")[0] == 0


def test_the_tree_shows_the_old_line_and_the_new_one(shell: Shell) -> None:
    result = shell("explain", CATS, "--sites", "sites", "--replay", "moved", "--cassettes", "cassettes")
    assert result.returncode == 6
    assert "- in: items\n" in result.stdout
    assert "+ in: payload.items\n" in result.stdout
    assert "tried: so changed, the spec gives 2 items, 2 were recorded" in result.stdout


def test_without_cassettes_nothing_is_compared_and_that_is_said(shell: Shell) -> None:
    (shell.home / "elsewhere").mkdir()
    _, found = explained(shell, CATS, "moved", "--cassettes", "elsewhere")
    assert found["repair"] is None
    assert found["not_compared"] == "there are no cassettes of little - `qetch record` makes them"


def test_the_url_of_a_file_that_no_site_claims_is_explained_too(shell: Shell) -> None:
    code, found = explained(shell, "https://plain.example/some%20file.png")
    assert code == 0
    assert (found["claim"]["site"], found["claim"]["path"], found["items"]) == ("generic", None, 1)


def test_a_folder_of_cassettes_that_is_not_there_is_one_line(shell: Shell) -> None:
    result = shell("explain", CATS, "--sites", "sites", "--replay", "cassettes", "--cassettes", "nowhere")
    assert result.returncode == 4
    assert "nowhere: no such folder" in result.stderr
