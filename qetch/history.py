"""What was fetched before: an archive in one SQLite file, which several processes and threads may use at a time."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import sqlite3
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from qetch.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

DELAY = 0.1
"""Seconds after which what was added is committed; by then more may have come, and one commit serves all."""
BUSY_SECONDS = 30.0
"""How long to wait for another process that writes."""
OURS = 0x51455443
"""The file's `application_id`, so that no other program's database is ever touched."""
VERSION = 1
TABLE = "CREATE TABLE history (key TEXT PRIMARY KEY, path TEXT, time REAL NOT NULL)"
INSERT = (
    "INSERT INTO history (key, path, time) VALUES (?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE SET path = excluded.path, time = excluded.time"
)
CORRUPT = "is damaged - move it away, and a new one is begun (or try the `.recover` of the program sqlite3)"

log = logging.getLogger("qetch")


class History:
    """The keys of all that was fetched, such as `site-a1b2c3`, each with its path and the time.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, History(f"{folder}/history.db") as history:
        ...     history.add("site-a1b2c3", "pictures/a1b2c3.jpg")
        ...     "site-a1b2c3" in history
        True

    What is added or removed counts at once in this object. It is in the file a moment later, and at the latest when
    the interpreter ends; `flush` does not wait for that moment. From then on other processes see it, and it outlives
    the end of this one by `kill -9`. A child made by `os.fork` may go on with the same object.

    Args:
        path: The file; it is made if it is not there yet.

    Raises:
        FileError: The file cannot be opened, or is no history.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()  # a change of the working directory changes nothing
        self._pending: dict[str, tuple[str | None, float] | None] = {}  # None: to be removed
        self._failure: FileError | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self._soon = threading.Event()
        self._reading = threading.Lock()  # for `_reader` and `_pending`, and never held for long
        self._writing = threading.Lock()  # for `_writer`; taken before `_reading`
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        with self._writing, self._reading:
            self._writer = self._connected()
            self._reader = self._connected()
        with _forks:
            _alive.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, key: str) -> bool:
        key = _storable(key)
        with self._reading:
            if key in self._pending:
                return self._pending[key] is not None
            return bool(self._ask("SELECT 1 FROM history WHERE key = ?", key))

    def __len__(self) -> int:
        self.flush()
        with self._reading:
            return int(self._ask("SELECT count(*) FROM history")[0][0])

    def __iter__(self) -> Iterator[str]:
        """The keys that there are now, those of long ago first."""
        self.flush()
        with self._reading:
            rows = self._ask("SELECT key FROM history ORDER BY time, rowid")
        return (key for (key,) in rows)

    def add(self, key: str, path: str | os.PathLike[str] | None = None) -> None:
        """Notes that something was fetched; of a key that is known, the path and time become these.

        Args:
            key: Identifies it.
            path: Where it is.

        Raises:
            FileError: What was added before could not be written, and this could not either. It is tried again with
                the next call.
        """
        self._note(key, (None if path is None else _storable(os.fsdecode(path)), time.time()))

    def remove(self, key: str) -> None:
        """Forgets a key, if it is known.

        Raises:
            FileError: As `add` does.
        """
        self._note(key, None)

    def flush(self) -> None:
        """Writes what was added and removed so far.

        Raises:
            FileError: It cannot be written. It stays noted, to be tried again.
        """
        with self._writing:
            self._refuse_if_closed()
            self._commit()

    def close(self) -> None:
        """Writes what is left, and closes the file; afterwards nothing else may be called.

        Raises:
            FileError: Not everything could be written.
        """
        with self._writing:
            with self._reading:
                closed, self._closed = self._closed, True  # from here on nothing is added
            try:
                if not closed:
                    self._commit()
            finally:
                with self._reading:
                    self._disconnect()
        self._soon.set()

    def _note(self, key: str, entry: tuple[str | None, float] | None) -> None:
        key = _storable(key)
        with self._reading:
            self._refuse_if_closed()
            self._pending[key] = entry
            if self._thread is None and self._failure is None:
                self._begin_thread()
            alone = self._thread is None or self._failure is not None
        if alone:  # nobody else will write it
            self.flush()

    def _begin_thread(self) -> None:
        """Lets a thread commit soon. It is no daemon, so that the interpreter does not end before it did."""
        if threading.main_thread().is_alive():  # otherwise the interpreter waits for no more threads
            thread = threading.Thread(target=self._commit_soon, name="qetch-history")
            with contextlib.suppress(RuntimeError):  # the machine has no more threads
                thread.start()
                self._thread = thread

    def _commit_soon(self) -> None:
        """Commits until nothing more comes, or something goes wrong, which the next caller is told."""
        while True:
            self._soon.wait(DELAY)
            with self._writing:
                if not self._closed:
                    try:
                        self._commit()
                    except FileError as error:
                        log.warning("%s", error)  # there may be no next caller
                with self._reading:
                    if self._closed or self._failure or not self._pending:
                        self._thread = None
                        return

    def _commit(self) -> None:
        """Writes all that is pending, in one transaction; `_writing` is held."""
        with self._reading:
            entries = list(self._pending.items())
        if not entries:
            return
        try:
            with self._told():
                self._writer = self._writer or self._connected()
                _write(self._writer, entries)
        except FileError as error:
            self._failure = error
            raise
        with self._reading:
            self._failure = None
            for key, entry in entries:
                if self._pending.get(key) is entry:  # otherwise it changed in the meantime
                    del self._pending[key]

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise self._error("is closed")

    def _ask(self, question: str, *values: str) -> list[Any]:
        """The rows that answer a question; `_reading` is held."""
        self._refuse_if_closed()
        self._reader = self._reader or self._connected()
        try:  # not `_told`, which would take a third of the time
            return self._reader.execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise self._error(_reason(error)) from None

    def _connected(self) -> sqlite3.Connection:
        """A connection to the file, which may have to be made first."""
        if not self.path.parent.is_dir():
            raise self._error(f"cannot be made: there is no folder {self.path.parent} - make that first")
        with self._told():
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Makes the table in a new file; refuses every file that is not ours before anything is written."""
        connection.execute("BEGIN")  # else another process may make it between two of the questions
        found = _format(connection)
        connection.execute("COMMIT")
        application, version = found or _begin(connection)
        if application != OURS:
            raise self._error("is the database of another program - give the path of an archive, or of a new file")
        if version > VERSION:
            raise self._error(f"was written by a newer qetch (its version is {version}) - update qetch")
        _switch_to_log(connection)
        connection.execute("PRAGMA synchronous = NORMAL")  # whole in any case; a power cut may cost the last moment

    def _disconnect(self) -> None:
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None

    def _before_fork(self) -> None:
        """Lets go of the file: a child would take the locks that SQLite holds for this process for its own."""
        self._writing.acquire()
        if not self._closed:
            with contextlib.suppress(FileError):  # it is in `_failure`
                self._commit()
        self._reading.acquire()
        self._disconnect()

    def _after_fork(self, *, child: bool) -> None:
        """What could not be written is the parent's to write, where the thread that does so lives."""
        if child:
            self._pending.clear()
            self._failure = self._thread = None
            self._soon = threading.Event()  # that thread may have held the lock in it
        self._reading.release()
        self._writing.release()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turns what goes wrong with the file into a `FileError` that says what to do."""
        try:
            yield
        except (sqlite3.Error, ValueError) as error:  # the latter for a path that none can have
            raise self._error(_reason(error)) from None

    def _error(self, reason: str) -> FileError:
        return FileError(f"the archive {self.path} {reason}")


def _format(connection: sqlite3.Connection) -> tuple[int, int] | None:
    """Whose database it is and in which version; None if it is empty."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return (application, version) if application or version or tables else None


def _begin(connection: sqlite3.Connection) -> tuple[int, int]:
    """Makes the table, unless another process is faster; what `_format` says then."""
    connection.execute("BEGIN IMMEDIATE")
    found = _format(connection)
    if found is None:
        connection.execute(TABLE)
        connection.execute(f"PRAGMA application_id = {OURS}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
    return found or (OURS, VERSION)


def _switch_to_log(connection: sqlite3.Connection) -> None:
    """Lets readers and a writer work at the same time (WAL), where the file system can do that."""
    until = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # two at the same time; for this, SQLite itself does not wait
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _write(connection: sqlite3.Connection, entries: list[tuple[str, tuple[str | None, float] | None]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(INSERT, ((key, *entry) for key, entry in entries if entry))
        connection.executemany("DELETE FROM history WHERE key = ?", ((key,) for key, entry in entries if not entry))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have ended it already
            connection.execute("ROLLBACK")
        raise


def _storable(text: str) -> str:
    r"""A text that UTF-8 can hold: of a name on disk that is none, the odd bytes are written as `\udc..`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _reason(error: Exception) -> str:
    """What is wrong with the file, and the cure."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the details
    return REASONS.get(code, f"cannot be used: {error}")


REASONS = {
    sqlite3.SQLITE_NOTADB: "is no archive, but another kind of file - give another path, or move it away",
    sqlite3.SQLITE_CORRUPT: CORRUPT,
    sqlite3.SQLITE_ERROR: CORRUPT,  # the table is not as it was made
    sqlite3.SQLITE_CANTOPEN: "cannot be opened - it must be a file, and this user must be able to write in its folder",
    sqlite3.SQLITE_READONLY: "cannot be written - this user must be able to write the file, and in its folder",
    sqlite3.SQLITE_PERM: "cannot be opened - this user must be able to read and write it",
    sqlite3.SQLITE_FULL: "cannot be written: the disk is full - make room",
    sqlite3.SQLITE_IOERR: "cannot be written or read: the disk fails, or is full",
    sqlite3.SQLITE_BUSY: "is locked by another program - end that one, or wait",
}

_alive: weakref.WeakSet[History] = weakref.WeakSet()
_forks = threading.Lock()
_forking: list[History] = []


def _before_fork() -> None:
    _forks.acquire()
    _forking[:] = _alive
    for history in _forking:
        history._before_fork()  # noqa: SLF001 - of this module


def _after_fork(*, child: bool = False) -> None:
    for history in _forking:
        history._after_fork(child=child)  # noqa: SLF001 - of this module
    _forking.clear()
    _forks.release()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=functools.partial(_after_fork, child=True)
    )
