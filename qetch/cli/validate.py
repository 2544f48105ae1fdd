"""`qetch validate`: check site files."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

from qetch.cli.common import Parser
from qetch.cli.messages import one_line, say
from qetch.errors import FileError, SpecError, UserError
from qetch.tools.report import FORMATS
from qetch.tools.validate import validate

if TYPE_CHECKING:
    from qetch.tools.validate import Report

DESCRIPTION = """\
Check site files, and all *.yaml in folders, without a network: each by itself, and whether they get along with
each other and with the packaged sites. Every problem is printed with its place and its cure:
FILE:LINE:COLUMN: what is wrong - what would be right. On a terminal the line is shown as well."""

EPILOG = f"""\
exit codes:
  0    no errors; there may be warnings, unless --strict is given
  2    the command line makes no sense
  {SpecError.exit_code}    a site file has an error, or with --strict a warning
  {UserError.exit_code}    a path is not there, or is a folder without any *.yaml
  {FileError.exit_code}    a file cannot be read

examples:
  qetch validate mysite.yaml
  qetch validate --watch sites/                    again after each change, until Ctrl-C
  qetch validate --strict --format github sites/   in a workflow on GitHub"""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    options = _parser().parse_args(words)
    if options.watch:
        return _watch(options)
    report = validate(options.paths, options.jobs)
    _print(report, options)
    return report.exit_code(strict=options.strict)


def _parser() -> Parser:
    parser = Parser("validate", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a site file, or a folder of them")
    parser.add_argument("--strict", action="store_true", help="count warnings as errors")
    parser.add_argument(
        "--format",
        choices=["text", *FORMATS],
        default="text",
        help="text for people (default), json, github (annotations in a workflow), or sarif (code scanning)",
    )
    parser.add_argument("--watch", action="store_true", help="check again after each change, until Ctrl-C")
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=_count, help="use at most N processes (default: all cores, if it pays)"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes, such as 2")
    return int(text)


def _watch(options: argparse.Namespace) -> int:
    """Reports until Ctrl-C, which is how it ends well."""
    from qetch.tools.watch import reports

    try:
        for number, report in enumerate(reports(options.paths, options.jobs)):
            if number:
                say(f"changed at {time.strftime('%H:%M:%S')}")
            _print(report, options)
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 0
    return 0


def _print(report: Report, options: argparse.Namespace) -> None:
    if options.format == "text":
        _print_text(report)
    elif report.problems or options.format != "github":
        print(FORMATS[options.format](report))
    say(_summary(report))


def _print_text(report: Report) -> None:
    from qetch.tools.excerpt import Excerpts, line_of

    if not sys.stdout.isatty():
        for problem in report.problems:
            print(one_line(line_of(problem)))
        return
    excerpts = Excerpts(shutil.get_terminal_size().columns, colour=_has_colour())
    for problem in report.problems:
        print(*excerpts.shown(problem), sep="\n")


def _has_colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _summary(report: Report) -> str:
    errors, warnings = _counted(report.errors, "error"), _counted(report.warnings, "warning")
    found = " and ".join(([errors] if report.errors else []) + ([warnings] if report.warnings else []))
    return f"{_counted(report.files, 'file')} checked: {found or 'all good'}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
