"""`qetch new` as its users run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.new_pages import HTML, KINDS, NOTHING
from tests.origin import Origin, Reply, redirect
from tests.shell import Shell, cassette, make_shell, only_error

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


def fragments(stdout: str) -> list[str]:
    return [json.loads(line)["fragments"][0] for line in stdout.splitlines()]


def test_a_new_site_is_valid_and_extracts_at_once(shell: Shell) -> None:
    kind = KINDS["gallery"]
    with Origin(kind.routes) as origin:
        url = origin.url(kind.path)
        made = shell("new", url, "--name", "stars", "-o", "mine.yaml", "--allow-private")
        assert (made.returncode, made.stdout) == (0, "mine.yaml\n")
        assert "3 thumbnails" in made.stderr
        (shell.home / "mine").mkdir()
        (shell.home / "mine.yaml").rename(shell.home / "mine" / "stars.yaml")
        checked = shell("validate", "--strict", "mine")
        assert checked.returncode == 0, checked.stdout
        found = shell("extract", url, "--sites", "mine", "--allow-private")
        assert sorted(fragments(found.stdout)) == sorted(origin.url(path) for path in kind.files + kind.more)


@pytest.mark.parametrize("name", KINDS)
def test_the_strictest_validation_has_nothing_to_say(shell: Shell, name: str) -> None:
    kind = KINDS[name]
    with Origin(kind.routes) as origin:
        made = shell("new", origin.url(kind.path), "--allow-private")
        assert made.returncode == 0, made.stderr
        checked = shell("validate", "--strict", "local.yaml")
        assert checked.stdout == ""
        assert checked.returncode == 0


def test_a_private_address_is_asked_only_if_that_is_allowed(shell: Shell) -> None:
    with Origin({"*": NOTHING}) as origin:
        result = shell("new", origin.url("/p/5"))
        assert result.returncode == 4
        assert "--allow-private" in only_error(result)
        assert origin.paths == []
    assert not (shell.home / "local.yaml").exists()


def test_a_page_with_nothing_gives_a_skeleton_and_says_so(shell: Shell) -> None:
    with Origin({"*": NOTHING}) as origin:
        result = shell("new", origin.url("/p/5"), "--allow-private", "-o", "-")
    assert result.returncode == 4
    assert "skeleton" in result.stderr
    assert "for you to replace" in result.stdout


def test_a_saved_page_needs_no_network(shell: Shell) -> None:
    page = KINDS["open-graph"].routes["/watch/night-owl"].body
    (shell.home / "page.html").write_text(str(page))
    result = shell("new", "https://owls.example/watch/night-owl", "--page", "page.html", "-o", "-")
    assert result.returncode == 0
    assert "name: owls" in result.stdout
    assert 'get: "https://owls.example/watch/{id}"' in result.stdout


def test_cassettes_answer_instead_of_the_network(shell: Shell) -> None:
    (shell.home / "taped").mkdir()
    answers = {"https://pics.example/api/set/9": (200, [{"id": 1, "file": "https://cdn.example/1.jpg"}])}
    (shell.home / "taped" / "all.yaml").write_text(cassette(answers))
    result = shell("new", "https://pics.example/api/set/9", "--replay", "taped")
    assert (result.returncode, result.stdout) == (0, "pics.yaml\n")
    found = shell("extract", "https://pics.example/api/set/9", "--sites", ".", "--replay", "taped")
    assert fragments(found.stdout) == ["https://cdn.example/1.jpg"]


def test_a_file_that_is_there_is_never_replaced(shell: Shell) -> None:
    (shell.home / "owls.yaml").write_text("mine")
    result = shell("new", "https://owls.example/1", "--page", "page.html")
    assert result.returncode == 7
    assert "-o" in only_error(result)
    assert (shell.home / "owls.yaml").read_text() == "mine"


def test_a_redirect_makes_a_site_of_where_it_leads(shell: Shell) -> None:
    kind = KINDS["srcset"]
    with Origin({**kind.routes, "/s/x1": redirect("/p/5")}) as origin:
        result = shell("new", origin.url("/s/x1"), "--allow-private", "-o", "-")
        assert result.returncode == 0
        assert f'examples: ["{origin.url("/p/5")}"]' in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["ftp://owls.example/1"], 4, "http"),
        (["owls.example/1"], 4, "did you mean https://owls.example/1"),
        (["https://owls.example/1", "--name", "No Name"], 4, "lowercase letters"),
        (["https://owls.example/1", "--page", "nowhere.html"], 7, "cannot read nowhere.html"),
        (["https://under_score.example/1", "--page", "x"], 4, "domains"),
        (["https://owls.example/1", "--page", ".", "-o", "nowhere/x.yaml"], 7, "cannot read"),
    ],
)
def test_a_mistake_is_said_in_one_line(shell: Shell, words: list[str], code: int, message: str) -> None:
    result = shell("new", *words)
    assert result.returncode == code
    assert message in only_error(result)


def test_what_the_site_refuses_is_said(shell: Shell) -> None:
    with Origin(
        {"/gone": Reply(status=410), "/file.png": Reply(headers={"Content-Type": "image/png"}, body=b"x")}
    ) as origin:
        gone = shell("new", origin.url("/gone"), "--allow-private")
        assert (gone.returncode, "answered 410" in only_error(gone)) == (4, True)
        file = shell("new", origin.url("/file.png"), "--allow-private")
        assert (file.returncode, "qetch get" in only_error(file)) == (4, True)


def test_a_page_that_is_too_large_is_refused(shell: Shell) -> None:
    with Origin({"*": Reply(headers=HTML, body=b"<p>" * 4_000_000)}) as origin:
        result = shell("new", origin.url("/"), "--allow-private")
    assert result.returncode == 5
    assert "larger than" in only_error(result)
