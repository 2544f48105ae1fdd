"""`qetch match`: which site takes a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qetch.cli.common import Parser, add_sites_flag, add_urls, use_sites
from qetch.cli.messages import complain
from qetch.errors import QetchError

if TYPE_CHECKING:
    from regex import Match

    from qetch.extractors.registry import Registry

DESCRIPTION = """\
Say which site takes each URL, without a network: the site, the kind of URL, what was read from the URL, and the
site's file (- for files that no site claims), separated by tabs. The exit code is 0 if every URL is taken, else 1."""

EXAMPLES = """\
example:
  qetch match URL && qetch get URL"""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    parser = Parser("match", description=DESCRIPTION, epilog=EXAMPLES)
    add_urls(parser)
    add_sites_flag(parser)
    arguments = parser.parse_intermixed_args(words)
    registry = use_sites(arguments.sites)
    code = 0
    for url in arguments.urls:
        try:
            print(_line(registry, url))
        except QetchError as error:
            complain(error, url)
            code = 1
    return code


def _line(registry: Registry, url: str) -> str:
    import json
    from urllib.parse import unquote

    claim = registry.match(url)
    if claim is None:
        name, path = "generic", "-"
        handle, match = _generic(url)
    else:
        name, path = claim.entry.name, claim.entry.path
        handle, match = claim.handle, claim.match
    captures = {name: text and unquote(text) for name, text in match.groupdict().items()}  # as a run sees them
    return "\t".join((name, handle, json.dumps(captures), path))


def _generic(url: str) -> tuple[str, Match[str]]:
    """The claim of who takes files that no site claims.

    Raises:
        QetchError: It is none, for the reason that is said.
    """
    from qetch.extractors import find_extractor

    return find_extractor(url).get_handle(url)
