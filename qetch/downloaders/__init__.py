"""Downloaders: they turn a `Content` into a file, and know nothing of how it was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qetch.errors import UnsupportedURL

if TYPE_CHECKING:
    from qetch.content import Content
    from qetch.downloaders._common import BaseDownloader, DownloadState
    from qetch.downloaders.http import HTTPDownloader
    from qetch.downloaders.settings import Settings

__all__ = ["BaseDownloader", "DownloadState", "HTTPDownloader", "Settings", "find_downloader"]

HOMES = {"HTTPDownloader": "http", "Settings": "settings"}
"""Of what is not in `_common`."""


def find_downloader(content: Content) -> type[BaseDownloader]:
    """The first downloader that can handle a content: those written elsewhere first, the newest of them foremost.

    Raises:
        UnsupportedURL: None can.
    """
    from qetch.downloaders import _common, http

    candidates = [reference() for reference in reversed(_common.hand_written)]
    for downloader in (*candidates, http.HTTPDownloader):
        if downloader is not None and downloader.can_handle(content):
            return downloader
    raise UnsupportedURL(_common.unsupported(content))


def __getattr__(name: str) -> Any:
    """Imports a downloader when it is asked for: `requests` alone would double the time to start."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{HOMES.get(name, '_common')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
