"""The command line. Each subcommand is one module of this package, imported when it is chosen."""

from __future__ import annotations

import sys

COMMANDS = {
    "get": ("URL...", "download the best version of everything at the URLs"),
    "extract": ("URL...", "print what is at the URLs as JSON lines; download no file"),
    "match": ("URL...", "say which site takes the URLs, and as what; no network"),
    "sites": ("", "list the sites that qetch knows"),
    "validate": ("PATH...", "check site files, or folders of them"),
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
