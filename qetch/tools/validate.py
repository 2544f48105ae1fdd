"""Checks many site files: each by itself, on as many cores as pay, and then all of them together."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qetch.errors import FileError, SpecError, UserError
from qetch.spec.problems import Problem
from qetch.tools.spec_files import is_spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from qetch.extractors.index import Entry
    from qetch.extractors.registry import Claims

FEW = 50
"""Files that one process checks sooner than others have started."""
BATCH = 16
"""Files that a process takes at a time."""
NO_SPECS = "cassettes"
"""The name of the folders whose YAML files are recordings."""


class Outcome(NamedTuple):
    """What was found in one file: its problems, and what it surely claims, which errors may have left open."""

    problems: tuple[Problem, ...]
    claims: Claims | None = None
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in all files.

    Attributes:
        files: How many were checked.
        problems: Errors and warnings, in order of file and place.
        unreadable: The files that this machine could not read; for each there is an error.
    """

    files: int
    problems: tuple[Problem, ...]
    unreadable: frozenset[str] = frozenset()

    @property
    def errors(self) -> int:
        """How many of the problems are errors; the others are warnings."""
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        """How many of the problems are warnings."""
        return len(self.problems) - self.errors

    def exit_code(self, *, strict: bool = False) -> int:
        """The exit code of the command; `strict` counts warnings as errors."""
        counted = [problem for problem in self.problems if strict or problem.severity == "error"]
        if counted and all(problem.file in self.unreadable for problem in counted):
            return FileError.exit_code
        return SpecError.exit_code if counted else 0


def validate(paths: Iterable[str | Path], jobs: int | None = None) -> Report:
    """Checks files, and those of folders.

    Args:
        paths: Files, or folders; see `files_of`.
        jobs: How many processes at most; by default one for each core.

    Raises:
        UserError: A path is not there, or a folder without any file to check.
    """
    files = files_of(paths)
    return report(dict(zip(files, inspect_all(files, jobs), strict=True)))


# --- which files


def files_of(paths: Iterable[str | Path]) -> list[Path]:
    """The files that are named, and all *.yaml in the folders that are named; each once, in order.

    In folders, what is hidden is passed over, and so are those named `cassettes`. A spec that is named *.yml counts as
    well: it is right to say that qetch will not find it.

    Raises:
        UserError: A path is not there, or a folder without any.
    """
    files: dict[Path, Path] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(_yaml_below(path))
            if not found:
                raise UserError(f"{path}: no *.yaml in this folder, so nothing was checked")
        elif path.exists():
            found = [path]
        else:
            raise UserError(f"{path}: no such file or folder")
        for file in found:
            files.setdefault(file.resolve(), file)
    return list(files.values())


def _yaml_below(folder: Path) -> list[Path]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != NO_SPECS]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return [file for file in found if file.suffix == ".yaml" or (file.is_file() and _is_misnamed(file))]


def _is_misnamed(file: Path) -> bool:
    return file.suffix == ".yml" and is_spec(file)


# --- each file by itself


def inspect_one(file: Path) -> Outcome:
    """What is to say about a file that is seen alone."""
    from qetch.extractors.registry import claims_of
    from qetch.spec import survey

    try:
        site, problems = survey(file)
    except FileError as error:
        message = str(error).removeprefix(f"cannot read {file}: ")
        return Outcome((Problem(str(file), 1, 1, f"cannot be read: {message}"),), readable=False)
    if _is_misnamed(file):
        message, cure = "in a folder of sites this file is not read", "name it *.yaml"
        problems.append(Problem(str(file), 1, 1, message, cure, "warning"))
    return Outcome(tuple(sorted(problems)), claims_of(site) if site else None)


def inspect_all(files: Sequence[Path], jobs: int | None = None) -> list[Outcome]:
    """What is to say about each file that is seen alone, in the order of the files, however many processes work."""
    jobs = _jobs(len(files), jobs)
    if jobs > 1:
        found = _inspect_in_processes(files, jobs)
        if found is not None:
            return found
    return [inspect_one(file) for file in files]


def _jobs(files: int, wanted: int | None) -> int:
    if wanted is None:
        wanted = 1 if files <= FEW else _cores()
    return min(wanted, -(-files // BATCH))


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _inspect_in_processes(files: Sequence[Path], jobs: int) -> list[Outcome] | None:
    """As `inspect_all`, or None where there can be no processes, or they die."""
    import multiprocessing
    from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor

    # A fork has everything imported already. Nothing of qetch runs in threads before this.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    _warm_up()
    try:
        with ProcessPoolExecutor(jobs, context, _ignore_interrupt) as pool:
            try:
                with _no_interrupt():
                    found = pool.map(inspect_one, files, chunksize=BATCH)
                return list(found)
            except KeyboardInterrupt:
                pool.shutdown(cancel_futures=True)
                raise
    except (BrokenProcessPool, ImportError, OSError):
        return None


def _warm_up() -> None:
    """Import and build once, before the fork, what every process needs: by checking one file."""
    from qetch.paths import package_sites

    for file in sorted(package_sites().glob("*.yaml"))[:1]:
        inspect_one(file)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Ctrl-C waits until the end of this. It is for the process that the user started, and none that starts inside."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# --- all of them together


def report(outcomes: Mapping[Path, Outcome]) -> Report:
    """The report on files, with what they do to each other and to the packaged sites."""
    problems = {problem for outcome in outcomes.values() for problem in outcome.problems}
    problems.update(_across([outcome.claims for outcome in outcomes.values() if outcome.claims]))
    unreadable = frozenset(str(file) for file, outcome in outcomes.items() if not outcome.readable)
    return Report(len(outcomes), tuple(sorted(problems)), unreadable)


def _across(claims: Sequence[Claims]) -> list[Problem]:
    from qetch.extractors.registry import doubly_claimed

    return doubly_claimed(claims, _others(claims)) if claims else []


def _others(claims: Iterable[Claims]) -> list[Entry]:
    """The specs that a run would know beside these; not the packaged ones, if their sources are what is checked."""
    from qetch.extractors.registry import Registry

    folders = {Path(own.entry.path).resolve().parent for own in claims}
    sources = any((folder.parent / "schema" / "site.schema.json").is_file() for folder in folders)
    return [entry for entry in Registry().entries if entry.rank or not sources]
