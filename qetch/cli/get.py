"""`qetch get`: download the best of everything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import Parser, add_network_flags, add_sites_flag
from qetch.cli.messages import Failures, say
from qetch.cli.progress import progress_bar
from qetch.cli.road import Road
from qetch.errors import FileError

if TYPE_CHECKING:
    import argparse

    from qetch.content import Content
    from qetch.downloaders import BaseDownloader

DESCRIPTION = """\
Download everything at the URLs; of each item, the best version that the site has.
The path of each file is printed when it is complete. After a failure qetch goes on with the rest."""

EXAMPLES = """\
examples:
  qetch get URL                  into the current folder
  qetch get URL URL -o pictures  into ./pictures, which is made if it is missing
  qetch get URL --force          again, though the files are there"""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    arguments = _parse(words)
    folder = _made(Path(arguments.output))
    road, failures = Road(arguments), Failures()
    downloads = Downloads(road, folder, force=arguments.force, quiet=arguments.quiet)
    for url in arguments.urls:
        with failures.reported(url):
            for contents in road.contents(url):
                with failures.reported(contents[0].uid):
                    downloads.save(contents[0])
    return failures.exit_code


def _parse(words: list[str]) -> argparse.Namespace:
    parser = Parser("get", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("urls", metavar="URL", nargs="+", help="a page of a site that qetch knows, or any file")
    parser.add_argument(
        "-o", "--output", metavar="DIR", default=".", help="the folder for the files (default: this one)"
    )
    parser.add_argument("-f", "--force", action="store_true", help="replace files that are already there")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only warnings and errors")
    add_sites_flag(parser)
    add_network_flags(parser)
    return parser.parse_intermixed_args(words)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"-o {folder}: cannot make this folder: {error.strerror}") from None
    return folder


class Downloads:
    """Contents become files of one folder."""

    def __init__(self, road: Road, folder: Path, *, force: bool, quiet: bool) -> None:
        self._road, self._folder, self._force, self._quiet = road, folder, force, quiet
        self._downloaders: dict[type[BaseDownloader], BaseDownloader] = {}

    def save(self, content: Content) -> None:
        """Download a content, unless its file is there, and print the file's path."""
        from qetch.filenames import file_name

        path = self._folder / file_name(content)
        if path.is_file() and not self._force:
            self._note(f"kept: {path} is already there (--force replaces it)")
            return
        with progress_bar(path.name, wanted=not self._quiet) as hook:
            saved = self._downloader(content).download(content, str(path), progress_hook=hook)
        if not self._quiet:
            print(saved, flush=True)

    def _downloader(self, content: Content) -> BaseDownloader:
        from qetch import get_downloader

        found = get_downloader(content)
        if found not in self._downloaders:
            downloader = self._downloaders[found] = found()
            session = getattr(downloader, "session", None)  # a downloader for something else than HTTP has none
            if session is not None:
                self._road.prepare(session)
        return self._downloaders[found]

    def _note(self, text: str) -> None:
        if not self._quiet:
            say(text)
