"""`qetch get`: download the best of everything."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import INTERRUPTED, Parser, add_network_flags, add_sites_flag, add_urls
from qetch.cli.connection import add_connection_flags, add_download_flags
from qetch.cli.messages import Failures, say
from qetch.cli.progress import Display
from qetch.cli.road import Road
from qetch.errors import FileError, InvalidSetting

if TYPE_CHECKING:
    import argparse

    from qetch.content import Content
    from qetch.downloaders import BaseDownloader

DESCRIPTION = """\
Download everything at the URLs; of each item, the best version that the site has.
The path of each file is printed when it is complete. After a failure qetch goes on with the rest.
What Ctrl-C, a lost connection or a crash interrupts, the same command takes up again where it stopped."""

EXAMPLES = """\
examples:
  qetch get URL                  into the current folder
  qetch get URL URL -o pictures  into ./pictures, which is made if it is missing
  qetch get URL --force          again, though the files are there
  qetch get URL --limit-rate 2M  at most 2 MiB a second"""

TITLE = 80
"""The most letters of a title in a message."""
FRAGMENTS = 4
"""Of a file in many pieces, so many are fetched at a time; the connections are shared among them."""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    arguments = _parse(words)
    folder = _made(Path(arguments.output))
    if arguments.quiet:
        logging.getLogger("qetch").setLevel(logging.WARNING)
    road, failures = Road(arguments), Failures()
    downloads = Downloads(road, folder, force=arguments.force, quiet=arguments.quiet)
    try:
        for url in arguments.urls:
            with failures.reported(url):
                for contents in road.contents(url):
                    with failures.reported(_known_as(contents[0], url), contents[0].uid):
                        downloads.save(contents[0])
    except KeyboardInterrupt:
        kept = downloads.finished or any(folder.glob("*.part"))
        say(f"interrupted - run the same command again to {'go on from here' if kept else 'begin anew'}")
        return INTERRUPTED
    return failures.exit_code


def _parse(words: list[str]) -> argparse.Namespace:
    parser = Parser("get", description=DESCRIPTION, epilog=EXAMPLES)
    add_urls(parser, "a page of a site that qetch knows, or any file")
    parser.add_argument(
        "-o", "--output", metavar="DIR", default=".", help="the folder for the files (default: this one)"
    )
    parser.add_argument("-f", "--force", action="store_true", help="replace files that are already there")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only warnings and errors")
    add_sites_flag(parser)
    add_network_flags(parser)
    add_download_flags(parser)
    add_connection_flags(parser)
    return parser.parse_intermixed_args(words)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InvalidSetting(f"-o {folder}: there is a file of that name - give a folder") from None
    except OSError as error:
        raise FileError(f"-o {folder}: cannot make this folder: {error.strerror}") from None
    return folder


def _known_as(content: Content, url: str) -> str:
    """What the user knows of a content: its title if the site gives one, else the URL that led to it."""
    title = "" if content.extractor.name == "generic" else content.title or ""
    return f'"{title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"}"' if title else url


class Downloads:
    """Contents become files of one folder."""

    def __init__(self, road: Road, folder: Path, *, force: bool, quiet: bool) -> None:
        self._road, self._folder, self._force, self._quiet = road, folder, force, quiet
        self._display = Display(wanted=not quiet)
        self._downloaders: dict[type[BaseDownloader], BaseDownloader] = {}
        self._owners: dict[str, str] = {}
        self.finished = 0

    def save(self, content: Content) -> None:
        """Download a content, unless its file is there, and print the file's path."""
        path = self._folder / self._name(content)
        if path.is_file() and not self._force:
            self._note(f"kept: {path} is already there (--force replaces it)")
            return
        connections = self._road.settings.connections_per_host
        fragments = FRAGMENTS if len(content.fragments) > 1 else 1
        with self._display.file(path.name) as hook:
            saved = self._downloader(content).download(
                content,
                str(path),
                max_fragments=fragments,
                max_connections=max(connections // fragments, 1),
                progress_hook=hook,
            )
        self.finished += 1
        if not self._quiet:
            print(saved, flush=True)

    def _name(self, content: Content) -> str:
        """Of a file by its own URL the name that it has there, unless this run gave it to another one."""
        from qetch.filenames import file_name, plain_name

        if content.extractor.name == "generic":
            name = plain_name(content)
            if self._owners.setdefault(name.casefold(), content.uid) == content.uid:  # some disks know no case
                return name
        name = file_name(content)
        self._owners[name.casefold()] = content.uid
        return name

    def _downloader(self, content: Content) -> BaseDownloader:
        from qetch import get_downloader

        found = get_downloader(content)
        if found not in self._downloaders:
            downloader = self._downloaders[found] = self._made(found)
            session = getattr(downloader, "session", None)  # a downloader for something else than HTTP has none
            if session is not None:
                self._road.prepare(session)
        return self._downloaders[found]

    def _made(self, kind: type[BaseDownloader]) -> BaseDownloader:
        from qetch.downloaders import HTTPDownloader

        return kind(settings=self._road.settings) if issubclass(kind, HTTPDownloader) else kind()

    def _note(self, text: str) -> None:
        if not self._quiet:
            say(text)
