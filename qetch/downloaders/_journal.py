"""What is remembered of an unfinished download: which blocks of its part file are there, and of which object.

The journal is one small file beside the part file: a header of one line, padded to `HEADER` bytes, and then one byte
for each block, written when the block's last byte is in the file. So it is right whenever the process is killed.
After the machine itself went down, the kernel may have lost what it had not written yet, in any order: therefore the
header names the boot, and the journal of another boot counts for nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.downloaders._part import file_errors
from qetch.downloaders._plan import block_size

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = 4096
MAX_JOURNAL = HEADER + (1 << 16)
MAX_VALIDATOR = 1024
"""A longer one is no use: it is sent with each request, and has its place in the journal."""


@dataclass(frozen=True, slots=True)
class Object:
    """What a host serves under a URL, as far as can be told from outside.

    Attributes:
        url: That was asked for.
        size: In bytes.
        validator: A strong `ETag`, or else the `Last-Modified`; "" if the host gives neither.
    """

    url: str
    size: int
    validator: str


def is_validator(text: str) -> bool:
    """Whether it can be sent to a host."""
    return text.isprintable() and len(text) <= MAX_VALIDATOR


class Journal:
    """The blocks of one part file that are complete.

    Attributes:
        marked: How many there are.
    """

    def __init__(self, path: str, thing: Object, done: Iterable[int] = ()) -> None:
        """Begins a journal, or goes on with the one that says the same.

        Raises:
            FileError: It cannot be written.
        """
        self.path = path
        done = frozenset(done)
        self.marked = len(done)
        blocks = -(-thing.size // block_size(thing.size))
        line = json.dumps({**asdict(thing), "url": _digest(thing.url), "boot": boot()}).encode()
        marks = bytearray(blocks)
        for block in done:
            marks[block] = 1
        with file_errors(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            try:
                # Not truncated first: an old journal, which says the same, stays right at every moment.
                write_at(self._descriptor, line.ljust(HEADER - 1) + b"\n" + marks, 0)
                os.ftruncate(self._descriptor, HEADER + blocks)
            except OSError:
                self.marked = 0
                self.close()
                raise

    def mark(self, block: int) -> None:
        """Notes that a block is in the file.

        Raises:
            FileError: It cannot be written.
        """
        with file_errors(self.path):
            write_at(self._descriptor, b"\x01", HEADER + block)
        self.marked += 1

    def close(self) -> None:
        """Closes the file, and leaves it if there is something in it.

        Raises:
            FileError: It cannot be removed.
        """
        with file_errors(self.path):
            os.close(self._descriptor)
            if not self.marked:
                Path(self.path).unlink(missing_ok=True)


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Writes all of it to a place, or raises what hinders that."""
    while data:
        if hasattr(os, "pwrite"):
            count = os.pwrite(descriptor, data, offset)
        else:
            os.lseek(descriptor, offset, os.SEEK_SET)
            count = os.write(descriptor, data)
        data, offset = data[count:], offset + count


def _digest(url: str) -> str:
    """Stands for a URL, which may be long, and may hold a key."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def remembered(path: str, part: str, url: str) -> tuple[Object, frozenset[int]] | None:
    """What the journal at `path` remembers of the file `part` from `url`; None if nothing can be relied on."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        with Path(path).open("rb") as file:
            raw = file.read(MAX_JOURNAL + 1)
        header = json.loads(raw[:HEADER])
        thing = Object(url, int(header["size"]), str(header["validator"]))
        block = block_size(thing.size)
        marks = raw[HEADER:]
        right = (
            header["url"] == _digest(url)
            and header["boot"] == boot()
            and thing.size > 0
            and is_validator(thing.validator)
            and len(raw) <= MAX_JOURNAL
            and len(marks) == -(-thing.size // block)
            and Path(part).stat().st_size == thing.size
        )
        if right:
            return thing, frozenset(number for number, mark in enumerate(marks) if mark == 1)
    return None


@cache
def boot() -> str:
    """Names the time since the machine was started. A wrong "another boot" only costs what was fetched."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{(time.time() - time.monotonic()) // 10:.0f}"
