"""`qetch extract`: contents as JSON lines."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from qetch.cli.common import Parser, add_network_flags, add_sites_flag, add_urls
from qetch.cli.connection import add_connection_flags
from qetch.cli.messages import Failures
from qetch.cli.road import Road

if TYPE_CHECKING:
    from qetch.content import Content

DESCRIPTION = """\
Print everything at the URLs as JSON, one line for each version of each item, best version first.
No file is downloaded. Lines come as the site answers: `| head -1` asks for no more than it shows."""

EXAMPLES = """\
examples:
  qetch extract URL                        every field of every content
  qetch extract URL | jq -r .fragments[]   only the URLs of the files"""

FIELDS = (
    "uid",
    "title",
    "description",
    "uploaded_by",
    "uploaded_date",
    "extension",
    "quality",
    "variant",
    "fragments",
    "size",
    "checksums",
    "headers",
    "playlist",
    "segments",
    "gone",
    "metadata",
)


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    parser = Parser("extract", description=DESCRIPTION, epilog=EXAMPLES)
    add_urls(parser, "a page of a site that qetch knows, or any file")
    add_sites_flag(parser)
    add_network_flags(parser)
    add_connection_flags(parser)
    arguments = parser.parse_intermixed_args(words)
    road, failures = Road(arguments), Failures()
    for url in arguments.urls:
        with failures.reported(url):
            for contents in road.contents(url):
                for content in contents:
                    print(as_line(content), flush=True)
    return failures.exit_code


def as_line(content: Content) -> str:
    """A content as one line of JSON, in ASCII."""
    fields = {field: getattr(content, field) for field in FIELDS}
    record = {"extractor": content.extractor.name, "source": str(content.source), **fields}
    return json.dumps(record, default=_plain)


def _plain(value: Any) -> Any:
    from qetch.content import Segment

    if isinstance(value, Segment):
        facts = (value.offset, value.length, value.key and value.key.hex(), value.iv and value.iv.hex())
        return dict(zip(("offset", "length", "key", "iv"), facts, strict=True))
    return value.isoformat() if isinstance(value, date) else str(value)
