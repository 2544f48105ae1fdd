"""What is known of each spec without reading it: an index of every folder of specs, kept in the user's cache.

A spec whose time or size changed is inspected again; the others are known from the index, with the digest of the
file that passed. So a start with a thousand specs reads one JSON file, and no YAML.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from qetch import __version__
from qetch.extractors.hosts import to_ascii
from qetch.paths import config_file, schema_file
from qetch.spec.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qetch.spec.model import Site

FORMAT = 2
"""Of the index file; another number is another format, and the index is made anew."""

_CHECKERS = ("spec", "selectors")
"""The packages that decide whether a spec is good."""


class Entry(NamedTuple):
    """What the registry knows of a spec: enough to match URLs, and to show it.

    Attributes:
        path: The file, absolute.
        domains: Hosts in lower case and ASCII; each covers what is below it.
        instances: Hosts, or `*.` and a host for what is below it.
        handles: The regexes of each handle, in the order of the file.
        bare: The handles with `params`: their regexes see a URL without its query.
        digest: The SHA-256 of the file that passed all checks, in hexadecimal.
        rank: Of its folder: 0 is the package.
    """

    path: str
    name: str
    class_name: str
    description: str
    domains: tuple[str, ...]
    instances: tuple[str, ...]
    status: str
    note: str
    handles: dict[str, tuple[str, ...]]
    bare: tuple[str, ...]
    auth_kind: str
    digest: str
    rank: int


class Folder(NamedTuple):
    """The specs of one folder, in the order of their file names, and what is wrong with the others."""

    entries: list[Entry]
    problems: list[Problem]


Stamp = list[int]
"""Of a spec: its time (ns) and size (bytes), and if there is a Python file beside it, those and the mode of that."""


class Record(NamedTuple):
    """A file in the index: its stamp when it was inspected, and what came of it."""

    stamp: Stamp
    entry: Entry | None
    problems: tuple[Problem, ...]


def read_folder(folder: Path, cache: Path, rank: int = 1) -> Folder:
    """The specs of a folder, from its index as far as that is true, else from the files; then the index is renewed.

    Args:
        folder: Absolute, with `*.yaml` files; a folder that is not there holds none.
        cache: Where the indexes are kept. It is made if it can be; without it, all is read anew each time.
        rank: Goes into the entries.
    """
    files, problems = _scan(folder)
    if not files:
        return Folder([], problems)
    state = _state(folder)
    place = index_file(folder, cache)
    known = _load(place, state, rank)
    records = {}
    for name, stamp in files.items():
        record = known.get(name)
        if record is None or record.stamp != stamp:
            record = _inspect(folder / name, stamp, rank)
        records[name] = record
    if records != known:
        _save(place, state, records)
    for record in records.values():
        problems.extend(record.problems)
    return Folder([record.entry for record in records.values() if record.entry], problems)


def index_file(folder: Path, cache: Path) -> Path:
    """Where the index of a folder is kept. Should two folders ever share one, it says whose it is, and is made anew."""
    return cache / f"{crc32(os.fsencode(folder)):08x}.json"


def entry_of(site: Site, rank: int = 1) -> Entry:
    """What the registry wants to know of a compiled spec."""
    return Entry(
        path=str(site.path or ""),
        name=site.name,
        class_name=site.class_name,
        description=site.description,
        domains=tuple(map(_host_key, site.domains)),
        instances=tuple(map(_host_key, site.instances)),
        status=site.status,
        note=site.note,
        handles={name: tuple(handle.patterns) for name, handle in site.handles.items()},
        bare=tuple(name for name, handle in site.handles.items() if handle.params),
        auth_kind=site.auth.kind,
        digest=site.digest,
        rank=rank,
    )


def _host_key(pattern: str) -> str:
    """A host as `hosts.split` gives it; `*.` in front stays."""
    wild = "*." if pattern.startswith("*.") else ""
    return wild + to_ascii(pattern[len(wild) :])


def _scan(folder: Path) -> tuple[dict[str, Stamp], list[Problem]]:
    """The stamp of each spec file by its name, in the order of the names."""
    files: dict[str, Stamp] = {}
    problems = []
    try:
        found = sorted(os.scandir(folder), key=lambda item: item.name)
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [Problem(str(folder), 1, 1, f"the folder cannot be read: {error.strerror}")]
    hooks = {item.name: item for item in found if item.name.endswith(".py")}
    for item in found:
        if item.name.startswith("."):
            continue
        if item.name.endswith(".yml"):
            problems.append(Problem(item.path, 1, 1, "the file is not read", "name it *.yaml"))
        elif item.name.endswith(".yaml"):
            try:
                files[item.name] = _stamp_of(item, hooks.get(f"{item.name[:-5]}.py"))
            except OSError as error:
                problems.append(Problem(item.path, 1, 1, f"the file cannot be read: {error.strerror}"))
    return files, problems


def _stamp_of(spec: os.DirEntry[str], hooks: os.DirEntry[str] | None) -> Stamp:
    status = spec.stat()
    stamp = [status.st_mtime_ns, status.st_size]
    if hooks:
        with suppress(OSError):  # a link to nowhere: no hooks
            status = hooks.stat()
            stamp += [status.st_mtime_ns, status.st_size, status.st_mode]
    return stamp


def _inspect(file: Path, stamp: Stamp, rank: int) -> Record:
    """Reads and checks a spec: this is the slow way."""
    from qetch.errors import FileError
    from qetch.spec import inspect

    site = None
    try:
        site, problems = inspect(file)
    except FileError as error:
        problems = [Problem(str(file), 1, 1, str(error))]
        stamp = []  # the cure leaves no trace in it: ask again each time
    return Record(stamp, entry_of(site, rank) if site else None, tuple(problems))


def _state(folder: Path) -> dict[str, Any]:
    """What an index depends on besides the files: where this is another, the index is made anew."""
    package = Path(__file__).parent.parent
    rules = [schema_file()]
    for checker in _CHECKERS:
        rules += sorted((package / checker).glob("*.py"))
    return {
        "format": FORMAT,
        "qetch": __version__,
        "folder": str(folder),
        "trust": [_rule(config_file()), _rights(config_file()), _rights(folder)],
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(file: Path) -> list[Any]:
    try:
        status = file.stat()
    except OSError:
        return [file.name]
    return [file.name, status.st_mtime_ns, status.st_size]


def _rights(path: Path) -> list[int]:
    """Who may write: with the text of the user's `config.yaml`, that is all that decides whose hooks are trusted."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_mode, status.st_uid]


def _load(place: Path, state: Mapping[str, Any], rank: int) -> dict[str, Record]:
    """The records of an index; none if there is no index, or one of another state, or something else in its place."""
    try:
        index = json.loads(place.read_bytes())
        if any(index[key] != state[key] for key in state):
            return {}
        folder = state["folder"]
        return {
            name: Record(
                stamp,
                _from_json(entry, f"{folder}{os.sep}{name}", rank) if entry else None,
                tuple(Problem(*problem) for problem in problems),
            )
            for name, (stamp, entry, problems) in index["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _from_json(fields: list[Any], path: str, rank: int) -> Entry:
    name, class_name, description, domains, instances, status, note, handles, bare, auth_kind, digest = fields
    return Entry(
        path,
        name,
        class_name,
        description,
        tuple(domains),
        tuple(instances),
        status,
        note,
        {handle: tuple(patterns) for handle, patterns in handles.items()},
        tuple(bare),
        auth_kind,
        digest,
        rank,
    )


def _save(place: Path, state: Mapping[str, Any], records: Mapping[str, Record]) -> None:
    """Writes the index in one step; a cache that cannot be written is no reason to stop."""
    files = {
        name: [record.stamp, list(record.entry[1:-1]) if record.entry else None, list(record.problems)]
        for name, record in records.items()
    }
    text = json.dumps({**state, "files": files}, separators=(",", ":"))
    # Unique among processes and threads, so that two of them may write at once: the last one wins.
    part = place.with_name(f"{place.name}.{os.getpid()}.{id(records)}.part")
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            part.write_text(text, encoding="ascii")
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
    except OSError:
        return
