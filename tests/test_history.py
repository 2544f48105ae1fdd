"""The archive of what was fetched: nothing that was added is lost, whoever else uses the file and whatever fails."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import qetch
from qetch import history as module
from qetch.errors import FileError
from qetch.history import History
from tests.downloads import names, unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(qetch.__path__[0]).parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with History(path) as made:
        yield made


@pytest.fixture
def _late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread commits only when it must."""
    monkeypatch.setattr(module, "DELAY", 600)


def start(program: str, *words: object) -> subprocess.Popen[str]:
    """A process that runs a program with `from qetch.history import History`."""
    command = [sys.executable, "-c", f"import os, sys\nfrom qetch.history import History\n{program}", *map(str, words)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def end_of(process: subprocess.Popen[str]) -> str:
    """What a process wrote, once it has ended well."""
    said, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    return said


def keys_in(path: Path) -> list[str]:
    """The keys in the file, read by nothing of ours."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [key for (key,) in connection.execute("SELECT key FROM history ORDER BY time, rowid")]


# What it knows


def test_what_was_added_is_known_at_once_and_to_the_next_history(path):
    with History(path) as history:
        assert "site-1" not in history
        history.add("site-1", "a/b.jpg")
        assert "site-1" in history
    with History(path) as history:
        assert "site-1" in history
        assert "site-2" not in history


def test_its_length_and_its_keys_count_what_is_not_yet_written(history):
    for key in ("c", "a", "b"):
        history.add(key)
    assert len(history) == 3
    history.add("d")
    assert list(history) == ["c", "a", "b", "d"]


def test_a_key_that_is_added_again_is_the_latest_and_has_the_new_path(history, path):
    history.add("a", "old")
    history.add("b")
    history.flush()
    history.add("a", Path("new"))
    assert list(history) == ["b", "a"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT key, path FROM history").fetchall() == [("a", "new"), ("b", None)]


@pytest.mark.parametrize("flushed", [True, False])
def test_a_removed_key_is_not_known_any_more(path, flushed):
    with History(path) as history:
        history.add("a")
        if flushed:
            history.flush()
        history.remove("a")
        history.remove("never there")
        assert "a" not in history
        history.flush()
        assert "a" not in history
        assert len(history) == 0
        history.remove("a")
        history.add("a")
        assert "a" in history
    assert keys_in(path) == ["a"]


def test_keys_and_paths_of_every_kind_are_kept(path):
    odd = ["", "site-é", "site-\0-x", "site-'\"; DROP TABLE history; --", "x" * 10_000, "site-\udcff"]
    with History(path) as history:
        for key in odd:
            history.add(key, f"pictures/{key}")
            assert key in history
        history.flush()
        assert all(key in history for key in odd)
        assert len(history) == len(odd)
        history.add("bytes", os.fsdecode(b"\xff.jpg"))
    assert "site-\\udcff" in keys_in(path)


def test_the_path_of_the_file_does_not_move_with_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with History("history.db") as history:
        monkeypatch.chdir("/")
        history.add("a")
    assert keys_in(tmp_path / "history.db") == ["a"]
    assert names(tmp_path) == ["history.db"]


# When it is written


def test_what_was_added_is_soon_in_the_file_by_itself(history, path):
    history.add("a")
    while thread := history._thread:
        thread.join(timeout=60)
    assert keys_in(path) == ["a"]
    history.add("b")
    while thread := history._thread:
        thread.join(timeout=60)
    assert keys_in(path) == ["a", "b"]


@pytest.mark.usefixtures("_late")
def test_flush_and_close_do_not_wait(path):
    with History(path) as history:
        history.add("a")
        assert keys_in(path) == []
        history.flush()
        assert keys_in(path) == ["a"]
        history.add("b")
        thread = history._thread
    assert keys_in(path) == ["a", "b"]
    assert thread is not None
    thread.join(timeout=60)
    assert not thread.is_alive()


def test_a_closed_history_says_so_and_can_be_closed_again(path):
    history = History(path)
    history.add("a")
    history.close()
    history.close()
    calls = [history.flush, lambda: history.add("b"), lambda: history.remove("a"), lambda: "a" in history]
    for call in [*calls, lambda: len(history), lambda: list(history)]:
        with pytest.raises(FileError, match=r"history\.db is closed"):
            call()
    assert keys_in(path) == ["a"]


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "del history", "threading.Thread(target=late).start()"])
def test_the_end_of_the_interpreter_loses_nothing(path, ending):
    program = f"""
import threading, time
def late():
    time.sleep(0.3)
    for number in range(1000, 2000): history.add(str(number))
history = History(sys.argv[1])
for number in range(1000): history.add(str(number))
{ending}
"""
    assert end_of(start(program, path)) == ""
    assert len(keys_in(path)) == (2000 if "late" in ending else 1000)


def test_what_is_added_while_the_interpreter_ends_is_kept(path):
    program = "import atexit\nhistory = History(sys.argv[1])\natexit.register(history.add, 'last')"
    end_of(start(program, path))
    assert keys_in(path) == ["last"]


# Several at a time


def test_two_processes_that_write_at_the_same_time_lose_nothing(path):
    program = """
history = History(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(5000):
    history.add(f"{sys.argv[2]}-{number}", "some/path")
    if number % 500 == 0: history.flush()
history.close()
"""
    both = [start(program, path, name) for name in ("a", "b")]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [end_of(process) for process in both] == ["", ""]
    assert set(keys_in(path)) == {f"{name}-{number}" for name in "ab" for number in range(5000)}


def test_many_processes_may_make_the_file_at_the_same_time(path):
    program = "sys.stdin.read(1)\nwith History(sys.argv[1]) as history: history.add(sys.argv[2])"
    processes = [start(program, path, number) for number in range(8)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        end_of(process)
    assert sorted(keys_in(path)) == [str(number) for number in range(8)]


def test_what_another_process_committed_is_seen(history, path):
    assert "other" not in history
    end_of(start("with History(sys.argv[1]) as history: history.add('other')", path))
    assert "other" in history
    end_of(start("with History(sys.argv[1]) as history: history.remove('other')", path))
    assert "other" not in history


def test_a_killed_process_leaves_a_sound_file_with_all_that_it_flushed(path):
    program = """
history = History(sys.argv[1])
for number in range(1_000_000):
    history.add(str(number))
    if number % 50 == 0:
        history.flush()
        print(number, flush=True)
"""
    with History(path) as other:
        for _ in range(5):
            process = start(program, path)
            assert process.stdout is not None
            last = [process.stdout.readline() for _ in range(20)][-1]
            process.kill()
            last = (process.stdout.read().splitlines(keepends=True) or [last])[-1]
            process.communicate(timeout=60)
            assert process.returncode == -signal.SIGKILL
            if last.endswith("\n"):
                assert all(str(number) in other for number in range(int(last) + 1))
        other.add("and on")
    assert {"0", "and on"} <= set(keys_in(path))


def test_many_threads_may_use_it(history, path):
    def work(name: str) -> None:
        for number in range(300):
            key = f"{name}-{number}"
            if key in history:
                wrong.append(key)
            history.add(key)
            if number % 3 == 0:
                history.remove(key)
            if (key in history) is (number % 3 == 0):
                wrong.append(key)
            if number % 100 == 0:
                history.flush()
                len(history)

    wrong: list[str] = []
    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert wrong == []
    assert len(history) == 8 * 200
    assert len(keys_in(path)) == 8 * 200


def test_what_is_added_while_it_closes_is_kept_or_refused(path):
    def work() -> None:
        number = 0
        while True:
            try:
                history.add(str(number))
            except FileError:
                return
            kept.append(str(number))
            number += 1
            begun.set()

    for _ in range(6):
        kept: list[str] = []
        begun = threading.Event()
        history = History(path)
        thread = threading.Thread(target=work)
        thread.start()
        begun.wait(timeout=60)
        history.close()
        thread.join(timeout=60)
        assert set(kept) <= set(keys_in(path))
        path.unlink()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("way", ["os.fork", "multiprocessing"])
def test_a_child_and_its_parent_go_on_after_a_fork(path, way):
    program = """
import multiprocessing, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads

def work(name):
    assert "before" in history, "before"
    for number in range(1000):
        history.add(f"{name}-{number}")
        assert f"{name}-{number}" in history

def other():
    while not over.is_set():
        history.add("other")
        history.flush()

over = threading.Event()
history = History(sys.argv[1])
threading.Thread(target=other).start()
history.add("before")
children = []
for name in "abc":
    if sys.argv[2] == "multiprocessing":
        child = multiprocessing.get_context("fork").Process(target=work, args=(name,))
        child.start()
        children.append(child)
    elif not (child := os.fork()):
        over.set()
        work(name)
        sys.exit()
    else:
        children.append(child)
work("parent")
for child in children:
    if sys.argv[2] == "multiprocessing":
        child.join()
        assert child.exitcode == 0
    else:
        assert os.waitpid(child, 0)[1] == 0
assert "c-999" in history
over.set()
"""
    end_of(start(program, path, way))
    wanted = {f"{name}-{number}" for name in ("a", "b", "c", "parent") for number in range(1000)}
    assert set(keys_in(path)) == wanted | {"before", "other"}


# What is no history, and what cannot be written


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileError, match=r"nowhere/history\.db cannot be made: there is no folder .*nowhere - make"):
        History(tmp_path / "nowhere" / "history.db")


@pytest.mark.parametrize("place", [".", "", "a\0b"])
def test_a_path_that_no_file_can_have_is_refused(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match="cannot be"):
        History(place)
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not bind root")
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_the_right_to_write_is_said(path, there):
    if there:
        History(path).close()
    path.parent.chmod(0o500)
    try:
        with pytest.raises(FileError, match="this user must be able to write"):
            History(path).add("a")
    finally:
        path.parent.chmod(0o700)


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not bind root")
@pytest.mark.parametrize(("mode", "reason"), [(0o400, "must be able to write"), (0, "cannot be opened")])
def test_a_file_without_the_right_to_use_it_is_said(path, mode, reason):
    History(path).close()
    path.chmod(mode)
    with pytest.raises(FileError, match=reason), History(path) as history:
        history.add("a")


def test_a_file_of_another_kind_is_refused_and_left_alone(path):
    path.write_bytes(b"site-1\nsite-2\n" * 100)
    with pytest.raises(FileError, match="is no archive, but another kind of file - give another path"):
        History(path)
    assert path.read_bytes() == b"site-1\nsite-2\n" * 100
    assert names(path.parent) == ["history.db"]


def test_an_empty_file_becomes_a_history(path):
    path.touch()
    with History(path) as history:
        history.add("a")
    assert keys_in(path) == ["a"]


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE archive (entry TEXT)", "CREATE TABLE history (key)", "PRAGMA user_version = 7"]
)
def test_the_database_of_another_program_is_refused_and_left_alone(path, statement):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(FileError, match="another program"):
        History(path)
    assert path.read_bytes() == before
    assert names(path.parent) == ["history.db"]


def test_a_file_of_a_newer_version_is_refused(path):
    History(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(FileError, match=r"newer qetch \(its version is 2\) - update qetch"):
        History(path)


@pytest.mark.parametrize("kept", [20, 1000, 6000, 100_000])
@pytest.mark.parametrize("rest", [bytes, os.urandom, lambda size: b""], ids=["zeros", "noise", "nothing"])
def test_a_damaged_file_is_said_with_what_to_do(path, kept, rest):
    def use() -> None:
        with History(path) as history:
            known = [f"site-{number}" in history for number in range(5000)]
            assert len(list(history)) == 5000
            assert all(known)

    with History(path) as history:
        for number in range(5000):
            history.add(f"site-{number}", "path")
    use()
    whole = path.read_bytes()
    path.write_bytes(whole[:kept] + rest(len(whole) - kept))
    with pytest.raises(FileError, match=r"is damaged|another kind of file"):
        use()


def test_a_history_without_its_table_is_damaged(path):
    History(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE history")
    with pytest.raises(FileError, match="is damaged"), History(path) as history:
        assert "a" in history


@pytest.mark.usefixtures("_late")
def test_a_full_disk_is_said_and_nothing_is_lost_once_there_is_room(path):
    with History(path) as history:
        assert history._writer is not None
        history._writer.execute("PRAGMA max_page_count = 3")
        for number in range(1000):
            history.add(f"site-{number}", "a" * 100)
        for _ in range(2):
            with pytest.raises(FileError, match="the disk is full - make room"):
                history.flush()
        assert "site-5" in history
        with pytest.raises(FileError, match="the disk is full"):
            history.add("later")
        with pytest.raises(FileError, match="the disk is full"):
            len(history)
        assert keys_in(path) == []
        history._writer.execute("PRAGMA max_page_count = 100000")
        history.add("last")
        assert len(history) == 1002
    assert len(keys_in(path)) == 1002


def test_what_fails_in_the_background_is_told_to_the_next_caller(path, caplog):
    history = History(path)
    assert history._writer is not None
    history._writer.execute("PRAGMA max_page_count = 3")
    for number in range(1000):
        history.add(f"site-{number}", "a" * 100)
    while thread := history._thread:
        thread.join(timeout=60)
    assert "the disk is full" in caplog.text
    with pytest.raises(FileError, match="the disk is full"):
        history.add("later")
    with pytest.raises(FileError, match="the disk is full"):
        history.close()
    history.close()


LIMITED = """
import resource
from qetch.errors import FileError
history = History(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    for number in range(10_000): history.add(f"site-{number}", "a" * 100)
    history.close()
except FileError as error:
    print(error)
"""


def test_a_disk_that_fails_is_said(path):
    command = [sys.executable, "-c", f"import sys\nfrom qetch.history import History\n{LIMITED}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env=unmeasured())
    assert "history.db cannot be written or read: the disk fails, or is full" in done.stdout
    assert keys_in(path) is not None


def test_another_process_that_never_ends_its_work_is_said(path, monkeypatch):
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    history = History(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        history.add("a")
        assert "a" in history
        assert "b" not in history
        with pytest.raises(FileError, match="is locked by another program"):
            history.flush()
        other.execute("ROLLBACK")
    history.close()
    assert keys_in(path) == ["a"]
