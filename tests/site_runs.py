"""Runs the packaged sites against an adapter, for the tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import qetch.spec
from qetch.errors import QetchError
from qetch.extractors._spec import make_extractor
from qetch.replay import ReplayAdapter
from qetch.session import mount_replay

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from qetch.content import Content
    from qetch.extractors import BaseExtractor

SITES = Path(__file__).parent.parent / "sites"
CASSETTES = Path(__file__).parent / "cassettes"
KEY = ("0a1b2c3d4e5f678", "a-secret-that-is-none")


@cache
def extractor_class(name: str) -> type[BaseExtractor]:
    return make_extractor(qetch.spec.read(SITES / f"{name}.yaml"))


def extractor(name: str, adapter: BaseAdapter) -> BaseExtractor:
    """The extractor of a site whose every request goes to the adapter."""
    made = extractor_class(name)()
    mount_replay(made.session, adapter)
    return made


def facts(content: Content) -> dict[str, Any]:
    """All fields that are not empty, without the metadata."""
    date = content.uploaded_date
    fields = {
        "uid": content.uid,
        "urls": content.fragments,
        "extension": content.extension,
        "title": content.title,
        "description": content.description,
        "quality": content.quality,
        "by": content.uploaded_by,
        "date": date.isoformat() if date else None,
        "size": content.size,
        "checksums": content.checksums,
        "variant": content.variant,
        "headers": content.headers,
        "playlist": content.playlist,
    }
    return {name: value for name, value in fields.items() if value or name == "quality"}


def run(adapter: BaseAdapter, site: str, url: str) -> tuple[list[list[Content]], BaseExtractor]:
    """All lists of a URL, and the extractor that gave them."""
    made = extractor(site, adapter)
    return list(made.extract(url, auth=KEY if site == "imgur" else None)), made


def bests(lists: list[list[Content]]) -> list[str]:
    """The uid of the best of each item."""
    return [contents[0].uid for contents in lists]


def outcome(site: str, url: str) -> QetchError:
    """The error that a URL ends in; a fresh adapter, so that the answers play from the first on."""
    with pytest.raises(QetchError) as raised:
        run(ReplayAdapter(CASSETTES / site), site, url)
    return raised.value
