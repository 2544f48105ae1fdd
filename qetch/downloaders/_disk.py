"""A file that is written at many places at a time."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from qetch.downloaders._part import file_error, file_errors

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def opened(path: str) -> Iterator[int]:
    """A descriptor for reading and writing, unbuffered: the pieces are large."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
    with file_errors(path):
        descriptor = os.open(path, flags, 0o666)
    try:
        yield descriptor
    finally:
        with file_errors(path):
            os.close(descriptor)


def truncate(descriptor: int, size: int, path: str) -> None:
    """Makes the open file as long as this, and no longer."""
    with file_errors(path):
        os.ftruncate(descriptor, size)


def allocate(descriptor: int, size: int, path: str) -> None:
    """Makes the file as long as it will be, so that a full disk is noticed before anything is fetched.

    On a disk its blocks are taken in one piece. File systems without one (in memory, over a network, in layers) would
    write zeros for that; there the free space is only compared.
    """
    with file_errors(path):
        os.ftruncate(descriptor, size)
        status = os.fstat(descriptor)
        if not size or not hasattr(os, "posix_fallocate"):
            return
        if os.major(status.st_dev):
            _take_blocks(descriptor, size)
        else:
            room = os.fstatvfs(descriptor)
            if size - status.st_blocks * 512 > room.f_bavail * room.f_frsize:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _take_blocks(descriptor: int, size: int) -> None:
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise


def write(descriptor: int, data: bytes | memoryview, position: int, path: str) -> None:
    try:
        count = os.pwrite(descriptor, data, position)
        while count < len(data):
            data, position = memoryview(data)[count:], position + count
            count = os.pwrite(descriptor, data, position)
    except OSError as error:
        raise file_error(path, error) from error
