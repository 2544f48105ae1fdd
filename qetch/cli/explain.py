"""`qetch explain`: what happens at a URL, and what to change where the site has changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import Parser, add_network_flags, add_sites_flag
from qetch.cli.connection import add_connection_flags
from qetch.cli.messages import one_line
from qetch.cli.road import Road

if TYPE_CHECKING:
    from qetch.tools.explain import Explanation

DESCRIPTION = """\
Say what happens at a URL: which site takes it and why the others do not, each request, what each selector
found, what was left out and why, and the contents. Then compare it with the site's cassettes: where selectors
find nothing any more, say where the recorded values are now, as lines to paste. Files are not changed."""

EXAMPLES = """\
examples:
  qetch explain URL
  qetch explain URL --replay tests/cassettes      without a network
  qetch explain URL --json | jq .repair.proposals

The exit code is that of `qetch extract`: 0 if the URL gave something, else that of the error.
The shape of --json is described in `qetch.tools.explain.report.document`. No secret is shown."""

STYLES = {"title": "1", "good": "32", "bad": "31", "dim": "2", "old": "31", "new": "32"}


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    parser = Parser("explain", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--cassettes",
        metavar="DIR",
        type=Path,
        help="compare with the cassettes in this folder (default: those that belong to the site's file)",
    )
    add_sites_flag(parser)
    add_network_flags(parser)
    add_connection_flags(parser)
    arguments = parser.parse_args(words)
    road = Road(arguments)

    from qetch.tools.explain import explain

    found = explain(arguments.url, road.prepare, arguments.cassettes)
    _print(found, as_json=arguments.json)
    return found.error.exit_code if found.error else 0


def _print(found: Explanation, *, as_json: bool) -> None:
    from qetch.tools.explain.report import document

    whole = document(found)
    if as_json:
        import json

        print(json.dumps(whole, indent=2, default=str))
        return
    from qetch.tools.explain.render import lines

    fancy = sys.stdout.isatty()
    for line in lines(whole, drawn=fancy):
        text = one_line(line.text)
        style = STYLES.get(line.style, "") if fancy else ""
        print(f"{line.lead}\x1b[{style}m{text}\x1b[0m" if style else f"{line.lead}{text}")
