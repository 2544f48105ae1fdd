"""The `.qetch-part` beside a destination: a file is whole or absent."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Self

from qetch.errors import BadFile, FileError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

SUFFIX = ".qetch-part"
"""Of the names of part files. No other program's: a file of such a name is taken over without a question."""
PART_NAME = re.compile(rf"{re.escape(SUFFIX)}[0-9]*(?:\.merged)?(?:\.journal)?\Z")
"""How the names of all that is written beside a destination end."""

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


SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))
PIECE = 1 << 20
"""Bytes that are copied at once."""
FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class _FileErrors:
    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise file_error(self.path, error) from error


def file_errors(path: str) -> AbstractContextManager[None]:
    """Turns the machine's errors about a file into `FileError`; nothing that asks the network belongs inside."""
    return _FileErrors(path)


def file_error(path: str, error: OSError) -> FileError:
    """The same for one error."""
    cure = CURES.get(error.errno or 0, "")
    reason = error.strerror or str(error)
    return FileError(f"cannot write {path}: {reason}{cure and f' - {cure}'}")


def is_there(path: str) -> bool:
    """Whether there is something under this name; without an exception, which would take longer than the look."""
    return os.access(path, os.F_OK)


def drop(path: str) -> None:
    """Removes a file, if there is one."""
    if is_there(path):
        os.unlink(path)  # noqa: PTH108 - there are thousands of fragments


def journal_of(path: str) -> str:
    """The path of the journal of a part file; while that is there, the part is of use to a later attempt."""
    return f"{path}.journal"


def refuse_part(path: str) -> None:
    """Refuses a destination that another download could take for its own part file, now or later.

    Raises:
        FileError: It is called like one.
    """
    plain = path.lower()  # as some disks know no case
    if SUFFIX in plain and PART_NAME.search(plain):
        raise FileError(f"{path} is the name of an unfinished file (*{SUFFIX}) - give another path")


class PartFile:
    """A claim on a destination: `<to_path>.qetch-part`, which only one download at a time may have.

    Use it as a context manager. What it handed out by `path` and `beside` is removed at the end, unless `finish` made
    it the destination, or an error ended the download and a journal says what is worth keeping. What a killed process
    left behind is taken over.

    Args:
        to_path: The destination.
        folder: Where the part file is, if not beside it; its name there stands for the destination's real path.

    Attributes:
        path: Of the part file.
        descriptor: Of the open part file, as long as it is claimed.
        is_new: It was empty when it was claimed.
        has_journal: There may be a journal beside it.
        by_descriptor: It is written by the descriptor alone, so that it still is the same file at the end.
        keep: Paths, out of what `beside` gave, that are of use to a later attempt though they have no journal.

    Raises:
        FileError: The destination cannot be written, is called like a part file, or another download is writing it.
    """

    def __init__(self, to_path: str, folder: str | None = None) -> None:
        self.to_path = to_path
        self.path = f"{to_path}{SUFFIX}" if folder is None else _path_in(folder, to_path)
        self.keep: set[str] = set()
        self.descriptor: int | None = None
        self.is_new = self.by_descriptor = False
        self.has_journal = True
        self._is_apart = folder is not None
        self._remove: list[str] = []

    def __enter__(self) -> Self:
        refuse_part(self.to_path)
        try:
            _check_destination(self.to_path)
            if self._is_apart:
                _check_folder(self.to_path)
            self.descriptor, size = _claim(self.path)
        except OSError as error:
            raise file_error(self.to_path, error) from error
        self.is_new, self.has_journal = not size, bool(size)
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
            if error is None or not resumable or not is_there(journal_of(path)):
                with contextlib.suppress(OSError):
                    drop(path)
                with contextlib.suppress(OSError):
                    drop(journal_of(path))
        self._release()

    def beside(self, suffix: str) -> str:
        """The path of another file of this download, which is removed with it."""
        path = f"{self.path}{suffix}"
        self._remove.append(path)
        return path

    def sync(self, whole: str, modified: float | None = None) -> None:
        """Waits until the complete file is on the disk; to be called before `finish`, with the same arguments."""
        try:
            if modified is not None:
                os.utime(whole, (modified, modified))
            if self.by_descriptor and self.descriptor is not None:
                os.fsync(self.descriptor)
            else:
                _sync(whole)
        except OSError as error:
            raise file_error(self.to_path, error) from error

    def finish(self, whole: str, modified: float | None = None) -> None:
        """Makes the complete file `whole` the destination, at once: a reader sees the old file or the new one.

        The claim lasts until afterwards, except on Windows, where an open file cannot be renamed.

        Args:
            whole: The path of the complete file.
            modified: The time of its last change, as a POSIX timestamp; else it is now's.
        """
        try:
            if sys.platform == "win32":
                self._release()
            self._rename(whole, modified)
        except OSError as error:
            raise file_error(self.to_path, error) from error

    def _rename(self, whole: str, modified: float | None) -> None:
        try:
            os.replace(whole, self.to_path)  # noqa: PTH105 - see `drop`
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(whole, self.to_path, modified)
            return
        if whole in self._remove:
            self._remove.remove(whole)
        if self.has_journal and not is_there(whole):  # else another download has begun, and the journal may be its own
            drop(journal_of(whole))

    def _release(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _path_in(folder: str, to_path: str) -> str:
    place, name = os.path.split(to_path)
    real = os.path.join(os.path.realpath(place), name)  # noqa: PTH118 - what `replace` will replace, itself not followed
    return os.path.join(folder, f"{sha256(os.fsencode(real)).hexdigest()[:32]}{SUFFIX}")  # noqa: PTH118


def _sync(path: str) -> None:
    """Waits until a file is on the disk."""
    with Path(path).open("rb+") as file:
        os.fsync(file.fileno())


def _copy(whole: str, to_path: str, modified: float | None) -> None:
    """Makes a file of another disk the destination, by way of the part file that would be beside it."""
    path = f"{to_path}{SUFFIX}"
    descriptor, _ = _claim(path)
    try:
        drop(journal_of(path))  # what it spoke of ends here
        os.ftruncate(descriptor, 0)
        with Path(whole).open("rb") as source, open(descriptor, "wb", closefd=False) as target:
            shutil.copyfileobj(source, target, PIECE)
        if modified is not None:
            os.utime(path, (modified, modified))
        os.fsync(descriptor)
        os.replace(path, to_path)  # noqa: PTH105 - see `drop`
    except BaseException:
        with contextlib.suppress(OSError):
            drop(path)
        raise
    finally:
        os.close(descriptor)


def _check_folder(to_path: str) -> None:
    """Refuses a folder in which the destination cannot be, as nothing else is written there before the end."""
    with contextlib.suppress(FileNotFoundError):
        os.stat(to_path)  # noqa: PTH116 - for the errors of a path that cannot be
    folder = os.path.dirname(to_path) or os.curdir  # noqa: PTH120
    os.stat(folder)  # noqa: PTH116
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _check_destination(to_path: str) -> None:
    """Refuses what a rename would replace by surprise: a folder, a device, a pipe."""
    if not to_path or to_path.endswith(SEPARATORS):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    try:
        if not is_there(to_path):
            return
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, str(error)) from error
    mode = os.stat(to_path).st_mode  # noqa: PTH116 - see `drop`
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "there is a device or a pipe of that name")


def _claim(path: str) -> tuple[int, int]:
    """A descriptor that holds the claim on the part file until it is closed, and the file's size."""
    if sys.platform == "win32":
        # No locks by file there: an old part file must be removed by hand.
        try:
            return os.open(path, FLAGS | os.O_EXCL, 0o666), 0
        except FileExistsError:
            raise _in_use(path) from None
    while True:
        descriptor = os.open(path, FLAGS, 0o666)
        try:
            size = _locked(descriptor, path)
        except BaseException:
            os.close(descriptor)
            raise
        if size is not None:
            return descriptor, size
        os.close(descriptor)


def _locked(descriptor: int, path: str) -> int | None:
    """Locks the open part file; its size, or None if another download renamed or removed it in between."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(path) from None
    mine = os.fstat(descriptor)
    if not stat.S_ISREG(mine.st_mode):
        raise OSError(errno.EINVAL, f"{path} is a device or a pipe")
    try:
        same = os.path.samestat(mine, os.stat(path))  # noqa: PTH116 - see `drop`
    except FileNotFoundError:
        return None
    return mine.st_size if same else None


def _in_use(path: str) -> FileError:
    return FileError(f"{path} is in use: another download writes this file - wait for it, or give another path")
