"""The plugin of pytest: `pytest sites/` runs examples, and other files and runs are left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.shell import ROOT, Shell, make_shell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = make_shell(tmp_path)
    (tmp_path / "cassettes" / "little").mkdir()
    (tmp_path / "cassettes" / "all.yaml").rename(tmp_path / "cassettes" / "little" / "all.yaml")
    (tmp_path / "sites" / "closed.yaml").unlink()
    return made


def run(shell: Shell, *words: str) -> tuple[int, str]:
    """Runs pytest in the shell's folder with the plugin alone; its exit code, and what it prints."""
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "qetch.pytest_plugin",
        *words,
    ]
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
        **shell.environment,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "COLUMNS": "200",
    }
    done = subprocess.run(command, cwd=shell.home, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_pytest_finds_the_plugin_by_itself_where_qetch_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"qetch": "qetch.pytest_plugin"}


def test_every_example_of_a_folder_is_a_test(shell: Shell) -> None:
    code, shown = run(shell, "sites", "-v")
    assert (code, "sites/little.yaml::album[https://little.example/a/cats] PASSED" in shown) == (0, True), shown


def test_a_failure_shows_what_differs_and_no_traceback(shell: Shell) -> None:
    file = shell.home / "sites" / "little.yaml"
    old, new = (
        '"https://little.example/a/cats"',
        '{url: "https://little.example/a/cats", expect: {first: {title: A dog}}}',
    )
    file.write_text(file.read_text().replace(old, new))
    code, shown = run(shell, "sites")
    assert code == 1
    assert f"{file}:10: handle album, example 1: https://little.example/a/cats" in shown
    assert '  first.title: expected "A dog", found "A cat"' in shown
    assert "Traceback" not in shown
    assert "pytest_plugin.py" not in shown


def test_a_spec_that_is_wrong_is_an_error_with_its_lines(shell: Shell) -> None:
    (shell.home / "sites" / "bad.yaml").write_text("qetch: 1\nname: bad\n")
    code, shown = run(shell, "sites")
    assert code == 2
    assert "bad.yaml:1:1: the site needs" in shown
    assert "Traceback" not in shown


def test_a_cassette_that_is_broken_is_said(shell: Shell) -> None:
    (shell.home / "cassettes" / "little" / "all.yaml").write_text("interactions: 3")
    code, shown = run(shell, "sites")
    assert code == 1
    assert "little.yaml:10: " in shown
    assert "not a cassette" in shown
    assert "Traceback" not in shown


def test_the_folder_of_cassettes_can_be_set(shell: Shell) -> None:
    (shell.home / "cassettes").rename(shell.home / "records")
    (shell.home / "pytest.ini").write_text("[pytest]\nqetch_cassettes = records\n")
    assert run(shell, "sites")[0] == 0
    (shell.home / "pytest.ini").write_text("[pytest]\nqetch_cassettes = absent\n")
    assert "no such folder" in run(shell, "sites")[1]


def test_other_files_are_left_alone_and_nothing_is_imported_for_them(shell: Shell) -> None:
    (shell.home / "sites" / "little.yaml").write_text("name: compose\nservices: {}\n")
    (shell.home / "sites" / "broken.yaml").write_text("{[")
    (shell.home / "sites" / "raw.yaml").write_bytes(b"\xff\xfe\0")
    (shell.home / "sites" / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    heavy = {'yaml', 'requests', 'regex', 'jmespath', 'qetch.spec', 'qetch.tools.examples'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    code, shown = run(shell)
    assert (code, "1 passed" in shown) == (0, True), shown


def test_the_plugin_does_not_get_in_the_way_of_its_being_switched_off(shell: Shell) -> None:
    code, shown = run(shell, "-p", "no:qetch.pytest_plugin", "sites")
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED, shown
