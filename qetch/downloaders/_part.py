"""The `.part` beside a destination: a file is whole or absent."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

from qetch.errors import BadFile, FileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

CURES = {
    errno.ENOSPC: "free some space, or choose another disk",
    errno.EDQUOT: "free some of your quota, or choose another disk",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), or choose another disk",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOENT: "make the folder first",
    errno.ENOTDIR: "a part of its path is a file: choose another folder",
    errno.EISDIR: "that is a folder: give the path of a file",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextlib.contextmanager
def file_errors(path: str) -> Iterator[None]:
    """Turns the machine's errors about a file into `FileError`; nothing that asks the network belongs inside."""
    try:
        yield
    except OSError as error:
        cure = CURES.get(error.errno or 0, "")
        reason = error.strerror or str(error)
        raise FileError(f"cannot write {path}: {reason}{cure and f' - {cure}'}") from error


def journal_of(path: str) -> str:
    """The path of the journal of a part file; while that is there, the part is of use to a later attempt."""
    return f"{path}.journal"


class PartFile:
    """A claim on a destination: `<to_path>.part`, which only one download at a time may have.

    Use it as a context manager. What it handed out by `path` and `beside` is removed at the end, unless `finish` made
    it the destination, or an error ended the download and a journal says what is worth keeping. What a killed process
    left behind is taken over.

    Attributes:
        keep: Paths, out of what `beside` gave, that are of use to a later attempt though they have no journal.

    Raises:
        FileError: The destination cannot be written, or another download is writing it.
    """

    def __init__(self, to_path: str) -> None:
        self.to_path = to_path
        self.path = f"{to_path}.part"
        self.keep: set[str] = set()
        self._descriptor: int | None = None
        self._remove: list[str] = []

    def __enter__(self) -> Self:
        with file_errors(self.to_path):
            _check_destination(self.to_path)
            self._descriptor = _claim(self.path)
        self._remove.append(self.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if sys.platform == "win32":  # where an open file cannot be removed either
            self._release()
        resumable = not isinstance(error, BadFile)
        for path in self._remove:  # before the claim ends: afterwards it may be another's
            if error is not None and resumable and path in self.keep:
                continue
            if error is None or not resumable or not os.path.exists(journal_of(path)):  # noqa: PTH110 - as fast as a
                with contextlib.suppress(OSError):  # thousand fragments want it
                    os.unlink(path)  # noqa: PTH108
                with contextlib.suppress(OSError):
                    os.unlink(journal_of(path))  # noqa: PTH108
        self._release()

    def beside(self, suffix: str) -> str:
        """The path of another file of this download, which is removed with it."""
        path = f"{self.path}{suffix}"
        self._remove.append(path)
        return path

    def finish(self, whole: str, modified: float | None = None) -> None:
        """Makes the complete file `whole` the destination, at once: a reader sees the old file or the new one.

        The claim lasts until afterwards, except on Windows, where an open file cannot be renamed.

        Args:
            whole: The path of the complete file.
            modified: The time that it gets as that of its last change, as a POSIX timestamp; else it is now's.
        """
        with file_errors(self.to_path):
            if modified is not None:
                os.utime(whole, (modified, modified))
            with Path(whole).open("rb+") as file:
                os.fsync(file.fileno())
            if sys.platform == "win32":
                self._release()
            Path(whole).replace(self.to_path)
            if not Path(whole).exists():  # else another download has begun, and the journal may be its own
                Path(journal_of(whole)).unlink(missing_ok=True)
        if whole in self._remove:
            self._remove.remove(whole)

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _check_destination(to_path: str) -> None:
    """Refuses what a rename would replace by surprise: a folder, a device, a pipe."""
    if not os.path.basename(to_path):  # noqa: PTH119 - Path drops the slash at the end that makes the difference
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    try:
        mode = Path(to_path).stat().st_mode
    except FileNotFoundError:
        return
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, str(error)) from error
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "there is a device or a pipe of that name")


def _claim(path: str) -> int:
    """A descriptor that holds the claim on the part file until it is closed."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    if sys.platform == "win32":
        # No locks by file there: an old part file must be removed by hand.
        with _busy_if(FileExistsError, path):
            return os.open(path, flags | os.O_EXCL, 0o666)
    while True:
        descriptor = os.open(path, flags, 0o666)
        try:
            if _locked(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _locked(descriptor: int, path: str) -> bool:
    """Locks the open part file; False if another download renamed or removed it in between."""
    import fcntl

    with _busy_if(BlockingIOError, path):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    mine = os.fstat(descriptor)
    if not stat.S_ISREG(mine.st_mode):
        raise OSError(errno.EINVAL, f"{path} is a device or a pipe")
    try:
        return os.path.samestat(mine, Path(path).stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _busy_if(kind: type[OSError], path: str) -> Iterator[None]:
    try:
        yield
    except kind:
        raise FileError(
            f"{path} is in use: another download writes this file - wait for it, or give another path"
        ) from None
