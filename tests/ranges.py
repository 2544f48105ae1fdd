"""What the tests of ranged downloads share: a download in bounded time, and what must hold afterwards."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from qetch.downloaders import HTTPDownloader
from qetch.downloaders._journal import remembered
from qetch.errors import QetchError
from tests.downloads import content, names
from tests.hostile import BLOCK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hostile import FileOrigin

OLDER = b"older"
BOUND = 90.0
"""Seconds after which a download counts as endless; far more than any needs."""


def downloader(read_timeout: float = 20.0) -> HTTPDownloader:
    """One that may ask this machine, under any of its names."""
    made = HTTPDownloader()
    cast("Any", made.session).allow_private = True
    made.timeout = (10.0, read_timeout)
    return made


def attempt(
    folder: Path, origin: FileOrigin, connections: int = 8, read_timeout: float = 20.0, **more: Any
) -> bytes | QetchError:
    """What a download of the origin's file brings: the bytes, or the error.

    In both cases the destination is whole or untouched, and nothing but what can be resumed lies beside it.
    """
    target = folder / "file.bin"
    if not target.exists():
        target.write_bytes(OLDER)
    before = target.read_bytes()
    outcome = bounded(downloader(read_timeout), origin.file, target, connections, **more)
    left = names(folder)
    if isinstance(outcome, QetchError):
        assert target.read_bytes() == before
        assert left in (["file.bin"], ["file.bin", "file.bin.qetch-part", "file.bin.qetch-part.journal"])
        return outcome
    assert outcome == str(target)
    assert left == ["file.bin"]
    assert {request.method for request in origin.requests} <= {"GET"}
    return target.read_bytes()


def bounded(
    using: HTTPDownloader, url: str, target: Path, connections: int = 8, wait: float = BOUND, **more: Any
) -> str | QetchError:
    """The path, or the error, of a download that must come to an end."""
    made = {name: more.pop(name) for name in ("progress_hook", "update_delay") if name in more}
    outcome: list[str | QetchError | BaseException] = []

    def run() -> None:
        try:
            outcome.append(using.download(content(url, **more), str(target), max_connections=connections, **made))
        except BaseException as error:  # noqa: BLE001 - raised again below
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(wait)
    assert outcome, f"no end after {wait} s"
    if isinstance(outcome[0], str | QetchError):
        return outcome[0]
    raise outcome[0]


def done_blocks(folder: Path, origin: FileOrigin) -> frozenset[int]:
    """The blocks that the next attempt need not fetch; each is there already."""
    part = folder / "file.bin.qetch-part"
    found = remembered(f"{part}.journal", str(part), origin.file)
    raw = part.read_bytes() if part.exists() else b""
    for block in found[1] if found else ():
        assert raw[block * BLOCK : (block + 1) * BLOCK] == origin.body[block * BLOCK : (block + 1) * BLOCK]
    return found[1] if found else frozenset()


def asked_again(origin: FileOrigin, done: frozenset[int], since: int) -> set[int]:
    """The blocks that were done, and asked for again after a number of requests."""
    spans = [range(ask.first // BLOCK, -(-ask.stop // BLOCK)) for ask in origin.asks[since:]]
    return {block for span in spans for block in span} & done
