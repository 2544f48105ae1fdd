"""The road from a URL to its contents, as the flags want it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import check_folder, use_sites
from qetch.cli.connection import settings_of
from qetch.cli.messages import say, say_skipped, silence
from qetch.errors import FileError, QetchError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import requests

    from qetch.client import Client, DownloadEventListener
    from qetch.content import Content
    from qetch.extractors import BaseExtractor
    from qetch.replay import ReplayAdapter


PATIENCE = 2.0
"""Seconds after which a terminal wants to know what qetch is doing."""


def _replay_adapter(folder: str | None) -> ReplayAdapter | None:
    if folder is None:
        return None
    check_folder("--replay", folder)
    from qetch.replay import ReplayAdapter

    return ReplayAdapter(Path(folder))


def _say_skipped(extractor: BaseExtractor, said: int, error: QetchError | None = None) -> int:
    """Say what was skipped since the first `said` entries, unless `error` says it; how many have now been said."""
    for skip in extractor.skipped[said:]:
        say_skipped(skip, error)
    return len(extractor.skipped)


def _load_saved() -> None:
    """The saved credentials. What keeps them from being read is no reason to stop: most sites need none."""
    from qetch.auth import load_saved

    try:
        load_saved()
    except FileError as error:
        say(f"warning: going on without saved credentials: {error}")


def _warn_of_any_certificate() -> None:
    """Says once what the library would say again and again."""
    import warnings

    from urllib3.exceptions import InsecureRequestWarning

    warnings.filterwarnings("ignore", category=InsecureRequestWarning)
    say("warning: certificates are not checked: whoever is on the way can read and change everything")


class Road:
    """From URLs to contents, as the flags want it.

    Attributes:
        settings: What the flags say about connections.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        use_sites(arguments.sites)
        _load_saved()
        self.settings = settings_of(arguments)
        if not self.settings.verify:
            _warn_of_any_certificate()
        self._allow_private: bool = arguments.allow_private
        self._replay = _replay_adapter(arguments.replay)
        self._extractors: dict[type[BaseExtractor], BaseExtractor] = {}
        self._told: set[str] = set()

    def prepare(self, session: requests.Session) -> None:
        """Make a session obey the flags."""
        from qetch.session import Session, mount_replay

        if isinstance(session, Session):
            session.allow_private = self._allow_private
            self.settings.set_on(session)
        if self._replay is not None:
            mount_replay(session, self._replay)

    def client(self, listener: DownloadEventListener, *, override: bool, archive: str | None) -> Client:
        """A client that obeys the flags."""
        from qetch.client import Client

        client = Client(self.settings, listeners=listener, override=override, history=archive)
        self.prepare(client.session)
        return client

    def contents(self, url: str) -> Iterator[list[Content]]:
        """The lists of contents at a URL, lazily; what was skipped is said as it happens."""
        extractor = self._extractor(url)
        extractor.skipped = []
        lists = filter(None, extractor.extract(url))
        said, found, error = 0, False, None
        try:
            while True:
                with self._patience(url):
                    contents = next(lists, None)
                said = _say_skipped(extractor, said)
                if contents is None:
                    break
                found = True
                yield contents
        except QetchError as raised:
            error = raised
            raise
        finally:
            _say_skipped(extractor, said, error)
        if not found:
            say(f"{url}: there is nothing here")

    @contextmanager
    def _patience(self, url: str) -> Iterator[None]:
        """Says on a terminal whom qetch asks, if that takes long; once for each URL."""
        if url in self._told or not sys.stderr.isatty():
            yield
            return
        from threading import Timer

        from qetch.extractors.hosts import split

        def tell() -> None:
            self._told.add(url)
            if silence() >= PATIENCE:  # a wait may have been said
                say(f"asking {split(url)[0]} …")

        guard = Timer(PATIENCE, tell)
        guard.daemon = True
        guard.start()
        try:
            yield
        finally:
            guard.cancel()

    def _extractor(self, url: str) -> BaseExtractor:
        from qetch.extractors import find_extractor

        found = find_extractor(url)
        if found not in self._extractors:
            self._extractors[found] = found()
            self.prepare(self._extractors[found].session)
        return self._extractors[found]
