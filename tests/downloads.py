"""What the tests of the downloader share: contents to download, and what must hold after a success and a failure."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from qetch.content import Content
from qetch.downloaders import HTTPDownloader, _transfer
from tests.origin import Origin, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.errors import (
        QetchError,
    )

_transfer.FIRST_PAUSE = 0.01  # the servers of these tests need no rest

BODY = bytes(range(256)) * 5000
PNG = b"\x89PNG\r\n\x1a\n" + BODY[:300]
PAGE = b"<!DOCTYPE html><html><body>This picture is not available.</body></html>"


class Joiner:
    """An extractor as far as a downloader knows one."""

    def merge(self, ordered_filepaths: Sequence[str]) -> str:
        first, *rest = map(Path, ordered_filepaths)
        with first.open("ab") as file:
            for path in rest:
                file.write(path.read_bytes())
        return str(first)


def content(*urls: str, extractor: object | None = None, source: str | None = None, **more: Any) -> Content:
    """A content of the site of its first URL."""
    return Content("site-1", source or (urls or ("",))[0], urls, cast("Any", extractor or Joiner()), **more)


def fetched(folder: Path, script: Any, **more: Any) -> bytes:
    """What is on the disk after the download of what a script answers; nothing else may be in the folder."""
    with Origin({"/file.bin": script}) as origin:
        path = HTTPDownloader().download(content(origin.url("/file.bin"), **more), str(folder / "file.bin"))
    assert path == str(folder / "file.bin")
    assert names(folder) == ["file.bin"]
    return Path(path).read_bytes()


def names(folder: Path) -> list[str]:
    """What is in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def refused(folder: Path, kind: type[QetchError], match: str) -> Iterator[Path]:
    """A download that fails: an older file of that name is untouched, and nothing is left beside it."""
    target = folder / "file.bin"
    target.write_bytes(b"older")
    with pytest.raises(kind, match=match) as caught:
        yield target
    assert caught.type is kind
    assert names(folder) == ["file.bin"]
    assert target.read_bytes() == b"older"


def fails(folder: Path, script: Any, kind: type[QetchError], match: str, **more: Any) -> None:
    with (
        Origin({"/file.bin": script, "/removed.png": Reply(body=PNG)}) as origin,
        refused(folder, kind, match) as target,
    ):
        HTTPDownloader().download(content(origin.url("/file.bin"), **more), str(target))


def unmeasured() -> dict[str, str]:
    """The environment of a process that may not write files of any size: what it covers cannot be written either."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
