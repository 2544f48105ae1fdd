"""`qetch validate`: check site files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import Parser
from qetch.cli.messages import Failures, one_line, say
from qetch.errors import FileError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qetch.spec.problems import Problem

DESCRIPTION = """\
Check site files, and all *.yaml in folders, without a network. Every problem is printed with its place and
its cure: FILE:LINE:COLUMN: what is wrong - what would be right. The exit code is 3 if there is any."""

EXAMPLES = """\
examples:
  qetch validate mysite.yaml
  qetch validate sites/"""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    parser = Parser("validate", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a site file, or a folder of them")
    files = _files(parser.parse_args(words).paths)
    failures = Failures()
    problems = _problems(files, failures)
    for problem in problems:
        print(one_line(_shown(problem)))
    found = _count(len(problems), "problem") if problems or failures.exit_code else "all good"
    say(f"{_count(len(files), 'file')} checked: {found}")
    errors = [problem for problem in problems if problem.severity == "error"]
    return SpecError.exit_code if errors else failures.exit_code


def _files(paths: Iterable[str]) -> list[Path]:
    """The files, and those of the folders; each once, in order.

    Raises:
        FileError: A path is not there, or a folder without any.
    """
    files: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(file for file in path.rglob("*.yaml") if file.is_file())
            if not found:
                raise FileError(f"{path}: no *.yaml in this folder, so nothing was checked")
            files.update(dict.fromkeys(found))
        elif path.exists():
            files[path] = None
        else:
            raise FileError(f"{path}: no such file or folder")
    return list(files)


def _problems(files: Iterable[Path], failures: Failures) -> list[Problem]:
    from qetch.extractors.registry import doubly_claimed
    from qetch.spec import inspect

    sites, problems = [], []
    for file in files:
        with failures.reported(str(file)):
            site, found = inspect(file)
            problems += found
            if site is not None:
                sites.append(site)
    return sorted([*problems, *doubly_claimed(sites)])


def _shown(problem: Problem) -> str:
    if problem.severity == "error":
        return str(problem)
    return str(problem._replace(message=f"{problem.severity}: {problem.message}"))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
