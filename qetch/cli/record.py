"""`qetch record`: keep what sites answer to the examples of their files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import Parser, add_sites_flag
from qetch.cli.messages import Failures, say
from qetch.cli.test import Report, sites_of, title
from qetch.errors import UserError

if TYPE_CHECKING:
    import argparse

    from qetch.spec.model import Site
    from qetch.tools.examples import Case

DESCRIPTION = """\
Ask the sites what the examples of their files ask, and keep the answers as cassettes, one for each handle, from which
`qetch test` plays them. Secrets, cookies and personal data are taken out by rule, JSON is put into lines for review,
and media are replaced by a note. Cassettes that were written by hand are not touched. Read what was recorded before
you share it: no rule knows everything."""

EXAMPLES = """\
examples:
  qetch record sites/mysite.yaml               all examples of a site
  qetch record sites/mysite.yaml --example 2   one of them, counted as `qetch test` does
  qetch record sites/mysite.yaml --from-dir saved/
                                               no network: from answers that you saved in this folder,
                                               as HOST/PATH for https://HOST/PATH, or with an
                                               answers.yaml of `FILE: URL` for any other

Cassettes go to DIR/NAME/ of the site, where DIR is the nearest folder `cassettes` or `tests/cassettes` that there is
beside the site file or above it; without one, `cassettes` beside the site file is made.

The exit code is 1 if an example failed, or was not recorded since an answer is too large; the others are written. It is
4 if no example was run since credentials are missing; examples of dead sites are passed over without a fuss."""

DIFFERENT = 1
"""The exit code after an example that plays something else than it gave."""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    from qetch.auth import load_saved
    from qetch.extractors import registry
    from qetch.tools.spec_files import spec_files

    arguments = _parser().parse_args(words)
    files = spec_files(arguments.paths)
    if len(files) > 1 and (arguments.example or arguments.from_dir):
        raise UserError("--example and --from-dir are about one site file: give just one")
    registry.set_folders([*arguments.sites, *dict.fromkeys(file.parent for file in files)])
    load_saved()
    failures, report = Failures(), Report()
    good = True
    for site in sites_of(files, failures):
        with failures.reported(str(site.path)):
            make = _from_dir if arguments.from_dir else _live
            good = make(site, arguments, failures, report) and good
    report.sum_up(len(files))
    return failures.exit_code or report.exit_code or (0 if good else DIFFERENT)


def _parser() -> Parser:
    parser = Parser("record", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a site file, or a folder of them")
    parser.add_argument("--example", metavar="N", type=int, action="append", help="only this one; may be given again")
    parser.add_argument(
        "--cassettes", metavar="DIR", type=Path, help="the folder of cassettes; DIR/NAME/ is the site's"
    )
    parser.add_argument("--from-dir", metavar="DIR", type=Path, help="use no network, but the answers in this folder")
    parser.add_argument("--allow-private", action="store_true", help="also ask hosts of your home network")
    add_sites_flag(parser)
    return parser


def _live(site: Site, arguments: argparse.Namespace, failures: Failures, report: Report) -> bool:
    """Records a site; whether the cassettes play what was recorded."""
    from qetch.tools.record import Recording
    from qetch.tools.spec_files import cassettes_to_write

    chosen = _chosen(site, arguments.example)
    folder = cassettes_to_write(site.path or Path(), site.name, arguments.cassettes)
    recording = Recording(site, folder, whole=not arguments.example)
    recording.prepare(dict.fromkeys(case.handle for case in chosen))
    for case in chosen:
        report.add(recording.ask(case, allow_private=arguments.allow_private))
    for key, file in recording.left:
        say(f"{key.method} {key.uri} is answered in {file} already, which stays as it is")
    for handle in recording.kept():
        with failures.reported(str(site.path)):
            print(f"wrote {recording.write(handle)}")
    good = True
    for result, reason in recording.differing():
        good = False
        say(f"warning: {title(result.case)}: {reason} - what was taken out by rule may be what the site file reads")
    return good


def _chosen(site: Site, numbers: list[int] | None) -> list[Case]:
    """The examples with these numbers, or all of them.

    Raises:
        UserError: There is no such example.
    """
    from qetch.tools.examples import cases

    found = list(cases(site))
    for number in numbers or ():
        if not 1 <= number <= len(found):
            raise UserError(f"{site.path}: no example {number} - there are {len(found)}, counted from 1")
    return [case for case in found if not numbers or case.number in numbers]


def _from_dir(site: Site, arguments: argparse.Namespace, failures: Failures, report: Report) -> bool:
    """Records a site from saved answers, and shows what its examples give then; whether there was any answer."""
    from qetch.tools.cassette import read_records, refuse_secrets, write
    from qetch.tools.examples import SAVED, cases, play
    from qetch.tools.guard import known_secrets
    from qetch.tools.record import headers_read
    from qetch.tools.records import make_record
    from qetch.tools.saved import saved_exchanges
    from qetch.tools.scrub import Scrubber
    from qetch.tools.spec_files import cassettes_to_write

    folder = cassettes_to_write(site.path or Path(), site.name, arguments.cassettes)
    secrets = known_secrets(site)
    scrubber = Scrubber({secret for known in secrets.values() for secret in known})
    headers = headers_read(site)
    file, records = folder / SAVED, []
    for exchange in saved_exchanges(arguments.from_dir):
        with failures.reported(str(arguments.from_dir)):
            record = make_record(exchange, scrubber, headers)
            refuse_secrets(file, [record], secrets)
            records.append(record)
    if file.exists():
        read_records(file)
    if records:
        write(file, records, secrets)
        print(f"wrote {file}")
    for case in cases(site):
        report.add(play(case, folder if folder.is_dir() else None))
    return bool(records)
