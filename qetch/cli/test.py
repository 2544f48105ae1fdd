"""`qetch test`: run the examples of site files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import Parser, add_sites_flag
from qetch.cli.messages import Failures, one_line, say
from qetch.errors import AuthenticationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from qetch.spec.model import Site
    from qetch.tools.examples import Case, Result

DESCRIPTION = """\
Run every example of site files, and compare what it gives with its `expect`. Answers come from cassettes alone:
those in DIR/NAME/ of the site, where DIR is `cassettes` or `tests/cassettes` beside the site file or in a folder
above it; `qetch record` makes them. One line is printed for each example, and below it what differs, field by field."""

EXAMPLES = """\
examples:
  qetch test sites/                        all examples, from cassettes
  qetch test sites/mysite.yaml --live      ask the site itself: does the site file still fit?

The exit code is 1 if an example gives something else than it should, 3 if a site file is wrong, and 4 if no example was
run since credentials are missing; examples of dead sites are passed over without a fuss."""

WORDS = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}
DIFFERENT = 1
"""The exit code after an example that failed."""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    from qetch.extractors import registry
    from qetch.tools.spec_files import spec_files

    arguments = _parser().parse_args(words)
    files = spec_files(arguments.paths)
    registry.set_folders([*arguments.sites, *dict.fromkeys(file.parent for file in files)])  # those that a `goto` needs
    if arguments.live:
        from qetch.auth import load_saved

        load_saved()
    failures, report = Failures(), Report()
    for site in sites_of(files, failures):
        with failures.reported(str(site.path)):
            for result in _results(site, arguments):
                report.add(result)
    report.sum_up(len(files))
    return failures.exit_code or report.exit_code


def _parser() -> Parser:
    parser = Parser("test", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a site file, or a folder of them")
    parser.add_argument("--cassettes", metavar="DIR", type=Path, help="the folder of cassettes")
    parser.add_argument("--live", action="store_true", help="ask the sites instead, at the rates of their files")
    parser.add_argument("--allow-private", action="store_true", help="with --live: also ask hosts of your home network")
    add_sites_flag(parser)
    return parser


def sites_of(files: list[Path], failures: Failures) -> Iterator[Site]:
    """The sites of the files; what is wrong with a file is said, and the others go on."""
    from qetch.spec import read

    for file in files:
        with failures.reported(str(file)):
            yield read(file)


def _results(site: Site, arguments: argparse.Namespace) -> Iterator[Result]:
    from qetch.tools.examples import ask, cases, play
    from qetch.tools.spec_files import cassettes_for

    folder = None if arguments.live else cassettes_for(site.path or Path(), site.name, arguments.cassettes)
    for case in cases(site):
        yield ask(case, allow_private=arguments.allow_private) if arguments.live else play(case, folder)


class Report:
    """Prints what examples come to, and counts it."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(WORDS, 0)
        self.wanting: dict[str, str] = {}

    def add(self, result: Result) -> None:
        """Print one line for an example; below it why it failed, and what its run left out."""
        from qetch.tools.examples import line

        self.counts[result.outcome] += 1
        case = result.case
        if result.outcome == "skipped" and isinstance(result.error, AuthenticationError):
            self.wanting[case.site.name] = str(result.error)
        failed = result.outcome == "failed"
        place = f" ({case.site.path}:{line(case)})" if failed else ""
        print(f"{WORDS[result.outcome]:<4}  {title(case)}{place}")
        for reason in [*result.problems, *(f"skipped: {skip}" for skip in result.skipped if failed)]:
            print(f"      {one_line(reason)}")
        sys.stdout.flush()

    def sum_up(self, files: int) -> None:
        """Say how many examples came to what, and what is missing if none was run."""
        told = ", ".join(f"{count} {outcome}" for outcome, count in self.counts.items() if count) or "nothing was run"
        total = sum(self.counts.values())
        say(f"{total} example{'' if total == 1 else 's'} of {files} site file{'' if files == 1 else 's'}: {told}")
        if self.exit_code == AuthenticationError.exit_code:
            cures = [*self.wanting.values()]
            more = f", and so on for {', '.join([*self.wanting][1:])}" if cures[1:] else ""
            say(f"error: no example was run: {cures[0]}{more}")

    @property
    def exit_code(self) -> int:
        """1 if an example failed; that of missing credentials if none was run and one wants them."""
        if self.counts["failed"]:
            return DIFFERENT
        return AuthenticationError.exit_code if self.wanting and not self.counts["passed"] else 0


def title(case: Case) -> str:
    """An example in one line."""
    return f"{case.site.name} {case.number} {case.handle} {one_line(case.example.url)}"
