"""`qetch get`: download the best of everything."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import INTERRUPTED, Parser, add_network_flags, add_sites_flag, add_urls
from qetch.cli.connection import add_connection_flags, add_download_flags
from qetch.cli.messages import Failures, say
from qetch.cli.road import Road
from qetch.errors import FileError, InvalidSetting, InvalidURL, QetchError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from typing import IO

    from qetch.client import DownloadReport

DESCRIPTION = """\
Download everything at the URLs; of each item, the best version that the site has.
The path of each file is printed when it is complete. After a failure qetch goes on with the rest.
What Ctrl-C, a lost connection or a crash interrupts, the same command takes up again where it stopped."""

EXAMPLES = """\
examples:
  qetch get URL                  into the current folder
  qetch get URL URL -o pictures  into ./pictures, which is made if it is missing
  qetch get -i list.txt -j 16    all URLs of a list, 16 files at a time
  qetch get URL --archive done   only what was not fetched before
  qetch get URL --force          again, though the files are there
  qetch get URL --limit-rate 2M  at most 2 MiB a second"""

TITLE = 80
"""The most letters of a title in a message."""
MAX_LINE = 100_000
"""Letters of a line in a list of URLs."""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    arguments = _parse(words)
    folder = _made(Path(arguments.output))
    if arguments.quiet:
        logging.getLogger("qetch").setLevel(logging.WARNING)
    road, failures = Road(arguments), Failures()
    urls = chain(arguments.urls, _listed(arguments.input_file, quiet=arguments.quiet))
    from qetch.cli.progress import Display

    display = Display(wanted=not arguments.quiet)
    finished = False
    try:
        with display, road.client(display, override=arguments.force, archive=arguments.archive) as client:
            for report in client.fetch(display.noted(urls), folder):
                finished |= report.error is None
                _tell(report, failures, arguments)
    except KeyboardInterrupt:
        from qetch.downloaders._part import SUFFIX

        kept = finished or any(folder.glob(f"*{SUFFIX}"))
        say(f"interrupted - run the same command again to {'go on from here' if kept else 'begin anew'}")
        return INTERRUPTED
    return failures.exit_code


def _parse(words: list[str]) -> argparse.Namespace:
    parser = Parser("get", description=DESCRIPTION, epilog=EXAMPLES)
    add_urls(parser, "a page of a site that qetch knows, or any file; begins with https:// or http://", least=0)
    parser.add_argument(
        "-i",
        "--input-file",
        metavar="FILE",
        action="append",
        default=[],
        help="also the URLs in this file, one on each line that does not begin with #; - reads them from the standard"
        " input. May be given again. A file without any is no error",
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", default=".", help="the folder for the files (default: the current one)"
    )
    parser.add_argument("-f", "--force", action="store_true", help="replace files that are already there")
    parser.add_argument(
        "--archive",
        metavar="FILE",
        help="remember in this file what was fetched, and fetch nothing that it knows, wherever the files are now",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print only warnings and errors")
    add_sites_flag(parser)
    add_network_flags(parser)
    add_download_flags(parser)
    add_connection_flags(parser)
    arguments = parser.parse_intermixed_args(words)
    if not arguments.urls and not arguments.input_file:
        parser.error("give a URL, or with -i a list of them")
    return arguments


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next((path for path in (folder, *folder.parents) if path.exists() and not path.is_dir()), folder)
        raise InvalidSetting(f"-o {folder}: {file} is a file - give a folder") from None
    except OSError as error:
        raise FileError(f"-o {folder}: cannot make this folder: {error.strerror}") from None
    return folder


def _listed(names: Sequence[str], *, quiet: bool) -> Iterator[str]:
    """The URLs of lists, as they are read.

    Raises:
        InvalidSetting: There is no such file.
    """
    with ExitStack() as opened:  # which closes them if one is missing
        files = [opened.enter_context(_opened(name)) for name in names]
        opened.pop_all()
    return chain.from_iterable(_urls_of(name, file, quiet) for name, file in zip(names, files, strict=True))


def _opened(name: str) -> IO[str]:
    try:
        return sys.stdin if name == "-" else Path(name).open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InvalidSetting(f"-i {name}: cannot be read: {error.strerror}") from None


def _urls_of(name: str, file: IO[str], quiet: bool) -> Iterator[str]:
    """The URLs in a file, one on each line; empty lines and those that begin with `#` are none."""
    found = False
    with file:
        while line := file.readline(MAX_LINE):
            url = line.removeprefix("\ufeff").strip()
            if url and not url.startswith("#"):
                found = True
                yield url
    if not found and not quiet:
        say(f"-i {name}: there is no URL in {'the standard input' if name == '-' else 'this file'}")


def _tell(report: DownloadReport, failures: Failures, arguments: argparse.Namespace) -> None:
    """Says what became of a download: its path on stdout, everything else on stderr."""
    if report.error is not None:
        if not isinstance(report.error, QetchError):
            raise report.error
        uid = report.content.uid if report.content is not None else ""
        failures.report(_as_list(report.url) or report.error, _known_as(report), uid)
    elif arguments.quiet:
        return
    elif report.skipped == "empty":
        say(f"{report.url}: there is nothing here")
    elif report.skipped == "cached":
        why = "came already in this run" if arguments.force else "is already there (--force replaces it)"
        say(f"kept: {report.path} {why}")
    elif report.skipped:
        say(f"known: {_known_as(report)} is in the archive")
    else:
        print(report.path, flush=True)


def _as_list(url: str) -> InvalidURL | None:
    """What to say of a URL that is none, and the name of a file: it may be a list of URLs."""
    if "://" in url or not os.path.isfile(url):  # noqa: PTH113 - of pathlib, a name that is too long is an error
        return None
    return InvalidURL(f"{url} is a file on this computer, and no URL - for the URLs in it: -i {url}")


def _known_as(report: DownloadReport) -> str:
    """What the user knows of a content: its title if the site gives one, else the URL that led to it."""
    content = report.content
    title = "" if content is None or content.extractor.name == "generic" else content.title or ""
    return f'"{title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"}"' if title else report.url
