"""What is remembered of an unfinished download of many fragments: which of them are complete.

The journal is one small file beside the part file: a header of one line, padded to `HEADER` bytes, and then eight bytes
for each fragment: its length and one more when it is complete, else 0. As with that of a single file, the journal of
another boot counts for nothing. There is no asking whether the host still has the same fragments; other ones have other
URLs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from qetch.downloaders._journal import HEADER, boot, write_at
from qetch.downloaders._part import file_errors, journal_of
from qetch.errors import BadFile, SpecError, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from qetch.content import Content
    from qetch.downloaders._part import PartFile

MARK = struct.Struct("<Q")
MAX_MARKS = 1 << 20


class Fragments:
    """The files of a download's fragments, and which of them are complete.

    Use it as a context manager: at its end those are kept for a later attempt, unless there is no use in one.

    Args:
        part: What holds the claim on the destination.
        content: What is downloaded.
        paths: Of the fragments' files.

    Attributes:
        paths: Those.
    """

    def __init__(self, part: PartFile, content: Content, paths: Sequence[str]) -> None:
        self.paths = paths
        self._part = part
        self._path = journal_of(part.path)
        self._name = _digest(content)
        self._lengths: dict[int, int] = {}
        self._descriptor: int | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._lengths = self._remembered()
        line = json.dumps({"fragments": self._name, "count": len(self.paths), "boot": boot()}).encode()
        marks = bytearray(MARK.size * len(self.paths))
        for number, length in self._lengths.items():
            MARK.pack_into(marks, MARK.size * number, length + 1)
        with file_errors(self._path):
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            # Not truncated first: an old journal, which says the same, stays right at every moment.
            write_at(self._descriptor, line.ljust(HEADER - 1) + b"\n" + marks, 0)
            os.ftruncate(self._descriptor, HEADER + len(marks))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:  # who is left behind at the end cannot mark any more
            descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
        if self._lengths and not isinstance(error, (BadFile, SpecError, UserError)):
            self._part.keep.update(self.paths[number] for number in self._lengths)
        else:
            with contextlib.suppress(OSError):
                Path(self._path).unlink()

    def length(self, number: int) -> int | None:
        """How long a fragment is that is complete; else None."""
        return self._lengths.get(number)

    def complete(self, number: int) -> None:
        """Notes that a fragment is complete.

        Raises:
            FileError: That cannot be written.
        """
        with file_errors(self._path), self._lock:
            if self._descriptor is not None:
                length = Path(self.paths[number]).stat().st_size
                write_at(self._descriptor, MARK.pack(length + 1), HEADER + MARK.size * number)
                self._lengths[number] = length

    def _remembered(self) -> dict[int, int]:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            with Path(self._path).open("rb") as file:
                raw = file.read(HEADER + MARK.size * MAX_MARKS)
            header = json.loads(raw[:HEADER])
            marks = raw[HEADER:]
            if header["fragments"] != self._name or header["count"] != len(self.paths):
                self._clean_up(len(marks) // MARK.size)
            elif header["boot"] == boot() and len(marks) == MARK.size * len(self.paths):
                lengths = enumerate(mark - 1 for (mark,) in MARK.iter_unpack(marks))
                return {number: length for number, length in lengths if _has_length(self.paths[number], length)}
        return {}

    def _clean_up(self, count: int) -> None:
        """Removes what another content of more fragments left here."""
        for number in range(len(self.paths), count):
            for path in (f"{self._part.path}{number}", journal_of(f"{self._part.path}{number}")):
                Path(path).unlink(missing_ok=True)


def _has_length(path: str, length: int) -> bool:
    if length < 0:
        return False
    try:
        return Path(path).stat().st_size == length
    except OSError:
        return False


def _digest(content: Content) -> str:
    """Stands for the fragments, whose URLs may be many and long, and may hold a key."""
    digest = hashlib.sha256()
    for number, url in enumerate(content.fragments):
        segment = content.segments[number] if content.segments else None
        facts = (url, segment and (segment.offset, segment.length, segment.key, segment.iv))
        digest.update(repr(facts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
