"""`qetch validate` as a process: its words, its exit codes, a terminal, and `--watch`."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from qetch.errors import FileError, SpecError, UserError
from tests.shell import LITTLE, Shell, make_shell, only_error, read_all

ANCHORED = LITTLE.replace("      content:\n", "      content: &item\n")
BROKEN = LITTLE.replace("title: title", "titel: title")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


@pytest.fixture
def little(shell: Shell) -> Path:
    return shell.home / "sites" / "little.yaml"


def test_a_warning_is_said_and_is_no_failure(shell: Shell, little: Path) -> None:
    little.write_text(ANCHORED)
    result = shell("validate", "sites")
    assert result.returncode == 0
    assert result.stdout.startswith("sites/little.yaml:14:16: warning: the anchor")
    assert result.stderr == "qetch: 2 files checked: 1 warning\n"


def test_strict_counts_warnings_as_errors(shell: Shell, little: Path) -> None:
    assert shell("validate", "--strict", "sites").returncode == 0
    little.write_text(ANCHORED)
    assert shell("validate", "--strict", "sites").returncode == SpecError.exit_code


def test_errors_and_warnings_of_all_files_are_said_in_one_run(shell: Shell, little: Path) -> None:
    little.write_text(ANCHORED)
    (shell.home / "sites" / "a.yaml").write_text(BROKEN.replace("little", "a"))
    (shell.home / "sites" / "worst.yaml").write_text("qetch: [")
    result = shell("validate", "sites")
    assert result.returncode == SpecError.exit_code
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
        "sites/a.yaml",
        "sites/little.yaml",
        "sites/worst.yaml",
    ]
    assert result.stderr == "qetch: 4 files checked: 2 errors and 1 warning\n"


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_for_programs_stdout_holds_one_document_even_of_nothing(shell: Shell, little: Path, form: str) -> None:
    assert json.loads(shell("validate", "--format", form, "sites").stdout)
    little.write_text(BROKEN)
    result = shell("validate", "--format", form, "sites")
    assert result.returncode == SpecError.exit_code
    assert "titel" in str(json.loads(result.stdout))


def test_for_github_each_problem_is_an_annotation(shell: Shell, little: Path) -> None:
    assert shell("validate", "--format", "github", "sites").stdout == ""
    little.write_text(BROKEN)
    result = shell("validate", "--format", "github", "sites")
    assert result.stdout.startswith("::error file=sites/little.yaml,line=16,col=9::unknown key")


@pytest.mark.parametrize(
    "words", [["--jobs", "0", "sites"], ["--jobs", "x", "sites"], ["--format", "xml", "sites"], []]
)
def test_words_that_make_no_sense_are_a_usage_error(shell: Shell, words: list[str]) -> None:
    result = shell("validate", *words)
    assert result.returncode == 2
    assert only_error(result)


def test_the_help_names_the_exit_codes(shell: Shell) -> None:
    text = shell("validate", "--help").stdout
    assert f"\n  {SpecError.exit_code}    a site file has an error" in text
    assert f"\n  {UserError.exit_code}    a path is not there" in text
    assert f"\n  {FileError.exit_code}    a file cannot be read" in text


def on_a_terminal(shell: Shell, *words: str) -> bytes:
    master, slave = pty.openpty()
    with shell.start(*words, stdout=slave, stderr=subprocess.DEVNULL) as process:
        os.close(slave)
        shown = read_all(master)
        assert process.wait(60) == SpecError.exit_code
    return shown


def test_a_terminal_shows_the_line_with_a_caret_and_colours(shell: Shell, little: Path) -> None:
    little.write_text(BROKEN)
    shown = on_a_terminal(shell, "validate", "sites")
    assert b"\x1b[1msites/little.yaml:16:9:\x1b[0m \x1b[1;31merror:\x1b[0m unknown key" in shown
    assert b"        titel: title\r\n" in shown
    assert shown.rstrip().endswith(b"^\x1b[0m")


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_none_are_wanted(shell: Shell, little: Path, variable: dict[str, str]) -> None:
    little.write_text(BROKEN)
    shell.variables.update(variable)
    shown = on_a_terminal(shell, "validate", "sites")
    assert b"\x1b" not in shown
    assert b"^" in shown


def test_watch_checks_again_after_a_change_and_ends_well(shell: Shell, little: Path) -> None:
    pipe = subprocess.PIPE
    with shell.start("validate", "--watch", "sites", stdout=pipe, stderr=pipe) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "qetch: 2 files checked: all good\n"
        little.write_text(BROKEN)
        assert process.stderr.readline().startswith("qetch: changed at ")
        assert process.stderr.readline() == "qetch: 2 files checked: 1 error\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("sites/little.yaml:16:9: unknown key")


def test_ctrl_c_ends_all_processes_without_a_traceback(shell: Shell) -> None:
    for number in range(400):
        text = LITTLE.replace("little", f"little{number}")
        (shell.home / "sites" / f"s{number}.yaml").write_text(text)
    pipe = subprocess.PIPE
    with shell.start("validate", "-j", "2", "sites", stdout=pipe, stderr=pipe, start_new_session=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while process.poll() is None and children.exists() and len(children.read_text().split()) < 2:
            time.sleep(0.001)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode in (0, 130)
