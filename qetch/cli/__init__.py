"""The command line. Each subcommand is one module of this package, imported when it is chosen."""

from __future__ import annotations

import sys

COMMANDS = {
    "get": ("URL...", "download the best version of everything at the URLs"),
    "extract": ("URL...", "print what is at the URLs as JSON lines; download no file"),
    "match": ("URL...", "say which site takes the URLs, and as what; no network"),
    "explain": ("URL", "say what happens at a URL, and what to change where a site has changed"),
    "sites": ("", "list the sites that qetch knows"),
    "new": ("URL", "look at a page, and write a first site file for it"),
    "validate": ("PATH...", "check site files, or folders of them"),
    "test": ("PATH...", "run the examples of site files from cassettes, or live"),
    "record": ("PATH...", "ask the sites what their examples ask, and keep the answers as cassettes"),
    "schema": ("[WORD...]", "explain words of site files, or print their JSON Schema for editors"),
    "auth": ("add|list|remove", "save, list and remove credentials"),
}
"""Each subcommand: what it takes, and what it does."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line, and return its exit code.

    Args:
        argv: The words after `qetch`; those of this process by default.

    Raises:
        SystemExit: After `--help`, and with code 2 when the words make no sense.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    if words in (["--version"], ["-V"]):  # answered before anything is imported
        from qetch import __version__

        print(f"qetch {__version__}")
        return 0
    from qetch.cli.common import run_command

    return run_command(words)
