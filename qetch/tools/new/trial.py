"""Tries a spec on the page that it was made from: is it valid, and does it give the files that were found?"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from qetch.errors import QetchError
from qetch.policy import target_of
from qetch.tools.new.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qetch.spec.model import Site
    from qetch.spec.problems import Problem

MAX_LISTS = 2000


def problems_of(text: str) -> list[Problem]:
    """What is wrong with a spec."""
    with TemporaryDirectory(prefix="qetch-new-") as folder:
        return _inspect(text, Path(folder))[1]


def _inspect(text: str, folder: Path) -> tuple[Site | None, list[Problem]]:
    from qetch.spec import inspect

    file = folder / "site.yaml"
    file.write_text(text, encoding="utf-8")
    return inspect(file, "the draft")


class Trial:
    """Runs drafts offline against saved pages; a context manager, since these are kept in a folder meanwhile."""

    def __init__(self, pages: Iterable[tuple[str, Page]], bodies: Sequence[Any] = (), gone: Iterable[str] = ()) -> None:
        """Keeps what the site answers.

        Args:
            pages: URLs, and what is there.
            bodies: JSON that is posted to each of them; without, they are just asked.
            gone: URLs at which there is nothing.
        """
        self._folder = TemporaryDirectory(prefix="qetch-new-")
        cassettes = Path(self._folder.name) / "cassettes"
        cassettes.mkdir()
        (cassettes / "pages.yaml").write_text(_cassette(pages, bodies, gone), encoding="utf-8")

    def __enter__(self) -> Trial:
        from qetch.replay import ReplayAdapter

        self._adapter = ReplayAdapter(Path(self._folder.name) / "cassettes")
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def passes(self, text: str, url: str, expected: Sequence[str]) -> bool:
        """Whether a spec is valid, and gives all the files that are expected."""
        site, problems = _inspect(text, Path(self._folder.name))
        if site is None or problems or not expected:
            return False
        return set(expected) <= set(self._files(site, url))

    def _files(self, site: Site, url: str) -> Iterator[str]:
        """The URLs of the files that a spec gives, up to a request that the saved pages do not answer."""
        from qetch.extractors._spec import make_extractor
        from qetch.session import mount_replay

        extractor = make_extractor(site)()
        mount_replay(extractor.session, self._adapter)
        auth = ("-",) if site.auth.kind == "key" else None
        try:
            for number, contents in enumerate(extractor.extract(url, auth)):
                yield from (fragment for content in contents for fragment in content.fragments)
                if number >= MAX_LISTS:
                    return
        except QetchError:
            return  # a next page, say, which is not among those that are saved
        finally:
            extractor.session.close()


def _cassette(pages: Iterable[tuple[str, Page]], bodies: Sequence[Any], gone: Iterable[str]) -> str:
    """A cassette, whose YAML is JSON, but for the bodies."""
    interactions = [_interaction(url, page, sent) for url, page in pages for sent in (None, *bodies)]
    interactions += [_interaction(url, Page(url, b"", "text/plain"), None, 404) for url in gone]
    return "interactions:\n" + "".join(interactions) + "version: 1\n"


def _interaction(url: str, page: Page, sent: Any, status: int = 200) -> str:
    method = "GET" if sent is None else "POST"
    text = None if sent is None else json.dumps(sent)
    request: dict[str, Any] = {"method": method, "uri": target_of(url).url, "body": text, "headers": {}}
    kind = "".join(letter for letter in page.content_type if " " <= letter <= "~")
    kind = kind or ("application/json" if page.json is not None else "text/html")
    body = base64.b64encode(page.body).decode("ascii")
    return (
        f"- request: {json.dumps(request)}\n"
        "  response:\n"
        f'    status: {{"code": {status}, "message": "-"}}\n'
        f"    headers: {json.dumps({'Content-Type': [kind]})}\n"
        f'    body: {{string: !!binary "{body}"}}\n'
    )
