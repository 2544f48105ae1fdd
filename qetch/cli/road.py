"""The road from a URL to its contents, as the flags want it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import use_sites
from qetch.cli.connection import settings_of
from qetch.cli.messages import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import requests

    from qetch.content import Content
    from qetch.extractors import BaseExtractor
    from qetch.replay import ReplayAdapter


def _replay_adapter(folder: str | None) -> ReplayAdapter | None:
    if folder is None:
        return None
    from qetch.replay import ReplayAdapter

    return ReplayAdapter(Path(folder))


def _say_skipped(extractor: BaseExtractor, said: int) -> int:
    """Say what was skipped since the first `said` entries; how many have now been said."""
    for skip in extractor.skipped[said:]:
        say(f"skipped: {skip}")
    return len(extractor.skipped)


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
        from qetch.auth import load_saved

        use_sites(arguments.sites)
        load_saved()
        self.settings = settings_of(arguments)
        if not self.settings.verify:
            _warn_of_any_certificate()
        self._allow_private: bool = arguments.allow_private
        self._replay = _replay_adapter(arguments.replay)
        self._extractors: dict[type[BaseExtractor], BaseExtractor] = {}

    def prepare(self, session: requests.Session) -> None:
        """Make a session obey the flags."""
        from qetch.session import Session, mount_replay

        if isinstance(session, Session):
            session.allow_private = self._allow_private
            self.settings.set_on(session)
        if self._replay is not None:
            mount_replay(session, self._replay)

    def contents(self, url: str) -> Iterator[list[Content]]:
        """The lists of contents at a URL, lazily; what was skipped is said as it happens."""
        extractor = self._extractor(url)
        extractor.skipped = []
        said, found = 0, False
        try:
            for contents in filter(None, extractor.extract(url)):
                said, found = _say_skipped(extractor, said), True
                yield contents
        finally:
            _say_skipped(extractor, said)
        if not found:
            say(f"{url}: there is nothing here")

    def _extractor(self, url: str) -> BaseExtractor:
        from qetch.extractors import find_extractor

        found = find_extractor(url)
        if found not in self._extractors:
            self._extractors[found] = found()
            self.prepare(self._extractors[found].session)
        return self._extractors[found]
