"""`qetch sites`: the sites that qetch knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qetch.cli.common import Parser, add_sites_flag, use_sites
from qetch.cli.messages import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qetch.extractors.index import Entry

DESCRIPTION = """\
List the sites that qetch knows: those that came with it, and your own."""

EXAMPLES = """\
columns:
  status   alive, broken or dead; the note says why
  auth     what `qetch auth add` would ask for
  handles  the kinds of URL that the site has"""

HEADER = ("NAME", "STATUS", "AUTH", "HANDLES", "DOMAINS", "DESCRIPTION")


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    parser = Parser("sites", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--json", action="store_true", help="print one JSON list, with all that is known")
    add_sites_flag(parser)
    arguments = parser.parse_args(words)
    registry = use_sites(arguments.sites)
    registry.warn_of_problems()
    entries = sorted(registry.entries, key=lambda entry: entry.name)
    if arguments.json:
        import json

        print(json.dumps([_record(entry) for entry in entries], indent=2))
    else:
        print_table([HEADER, *map(_row, entries)])
    return 0


def print_table(rows: Iterable[tuple[str, ...]]) -> None:
    """Rows of texts in aligned columns."""
    lines = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _row(entry: Entry) -> tuple[str, ...]:
    note = f" ({entry.note})" if entry.note else ""
    hosts = ",".join((*entry.domains, *entry.instances))
    return entry.name, entry.status, entry.auth_kind, ",".join(entry.handles), hosts, entry.description + note


def _record(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "class": entry.class_name,
        "description": entry.description,
        "status": entry.status,
        "note": entry.note,
        "auth": entry.auth_kind,
        "domains": entry.domains,
        "instances": entry.instances,
        "handles": entry.handles,
        "path": entry.path,
    }
