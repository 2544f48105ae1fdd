"""`qetch validate`: check site files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import Parser
from qetch.cli.messages import Failures, one_line, say
from qetch.errors import FileError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qetch.extractors.index import Entry
    from qetch.spec.model import Site
    from qetch.spec.problems import Problem

DESCRIPTION = """\
Check site files, and all *.yaml in folders, without a network: each by itself, and beside the sites that
qetch knows. Every problem is printed with its place and its cure: FILE:LINE:COLUMN: what is wrong - what
would be right. The exit code is 3 if there is any."""

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
        print(one_line(str(problem)))
    good = "all good" if not failures.exit_code else "not all of them could be read"
    found = _count(len(problems), "problem") if problems else good
    say(f"{_count(len(files), 'file')} checked: {found}")
    return SpecError.exit_code if problems else failures.exit_code


def _files(paths: Iterable[str]) -> list[Path]:
    """The files, and those of the folders; each once, in order.

    Raises:
        FileError: A path is not there, or a folder without any.
    """
    files: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(file for file in path.rglob("*.yaml") if not file.is_dir())
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
    return sorted([*problems, *doubly_claimed(sites, _others(sites))])


def _others(sites: Iterable[Site]) -> list[Entry]:
    """The specs that a run would know beside these; not the packaged ones, if their sources are what is checked."""
    from qetch.extractors.registry import Registry

    folders = {site.path.resolve().parent for site in sites if site.path}
    sources = any((folder.parent / "schema" / "site.schema.json").is_file() for folder in folders)
    return [entry for entry in Registry().entries if entry.rank or not sources]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
