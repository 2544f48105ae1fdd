"""Which spec claims a URL: by its host, then by the regexes of its handles. Only the spec that does is read."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qetch.errors import InvalidURL, SiteClosed, UnsupportedURL, UserError
from qetch.extractors.hosts import HostIndex, shown, split
from qetch.extractors.index import Entry, entry_of, read_folder
from qetch.paths import SITES_VARIABLE, cache_dir, missing_folders, package_sites, user_site_folders
from qetch.selectors.patterns import URL_SECONDS, compiled, match_url, without_query
from qetch.spec.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import regex

    from qetch.extractors._common import BaseExtractor
    from qetch.spec.model import Site

EXAMPLES = 3
"""So many URLs show what a site takes."""
OWN_SITES = "site files of your own need --sites DIR, or QETCH_SITES"
"""What may help where a site is not known."""
RESERVED_NAMES = frozenset({"generic"})
RESERVED_CLASSES = frozenset({"BaseExtractor", "GenericExtractor"})

_named: list[Path] = []
_classes: dict[tuple[str, str], type[BaseExtractor]] = {}


class Match(NamedTuple):
    """The claim of a spec on a URL: its entry, the handle, and what the handle's regex captured."""

    entry: Entry
    handle: str
    match: regex.Match[str]


class Registry:
    """The specs of some folders, and who of them claims a URL.

    Attributes:
        entries: The good specs in the order in which they are asked: of folders as given, then of file names.
        problems: Of the files that were left out.
    """

    def __init__(self, folders: Sequence[Path] | None = None, cache: Path | None = None) -> None:
        """Reads the indexes of the folders; files that are new or changed are inspected, which takes its time.

        Args:
            folders: By default the package's and the user's, in this order: the first to use a name has it.
            cache: Where the indexes are kept; by default in the user's cache folder.
        """
        folders = [package_sites(), *user_site_folders()] if folders is None else folders
        cache = cache_dir() / "index" if cache is None else cache
        self.entries: list[Entry] = []
        self.problems: list[Problem] = []
        package = package_sites().resolve()
        # By real path, so that a folder that is named twice does not quarrel with itself.
        for number, (real, folder) in enumerate({folder.resolve(): folder for folder in folders}.items(), start=1):
            found = read_folder(folder.absolute(), cache, 0 if real == package else number)
            self.entries += found.entries
            self.problems += found.problems
        taken = list(_taken_names(self.entries))
        self.problems += [problem for _, problem in taken]
        left_out = {entry.path for entry, _ in taken}
        self.entries = [entry for entry in self.entries if entry.path not in left_out]
        self._hosts = _host_index(self.entries)
        self._patterns: dict[int, list[tuple[str, bool, regex.Pattern[str]]]] = {}
        self._by_name = {entry.name: entry for entry in self.entries}
        self._warned = False

    def match(self, url: str) -> Match | None:
        """The first claim on a URL, or None.

        Raises:
            InvalidURL: It is not a URL that qetch can read.
        """
        host, url = split(url)
        for position in self._hosts.claimants(host):
            claim = self._first_handle(position, url)
            if claim:
                return Match(self.entries[position], *claim)
        return None

    def _first_handle(self, position: int, url: str) -> tuple[str, regex.Match[str]] | None:
        patterns = self._patterns.get(position)
        if patterns is None:
            patterns = self._patterns[position] = _compile(self.entries[position])
        try:
            for handle, bare, pattern in patterns:
                match = pattern.match(without_query(url) if bare else url, timeout=URL_SECONDS)
                if match:
                    return handle, match
        except TimeoutError:  # this one is slow, and is said; the others have their say
            return _first_handle(self.entries[position], url)
        return None

    def owners(self, url: str) -> list[Entry]:
        """The specs that the host of a URL belongs to, in the order in which they are asked.

        Raises:
            InvalidURL: It is not a URL that qetch can read.
        """
        return [self.entries[position] for position in self._hosts.claimants(split(url)[0])]

    def find(self, url: str) -> type[BaseExtractor]:
        """The extractor of the spec that claims a URL.

        Raises:
            InvalidURL: It is not a URL that qetch can read.
            UnsupportedURL: No spec claims it.
            SiteClosed: It belongs to a dead site, and no handle of its spec claims it.
            SpecError: The spec has become unreadable.
        """
        match = self.match(url)
        if match:
            return self.extractor(match.entry.name)
        owners = self.owners(url)
        for owner in owners:
            if owner.status == "dead":
                raise SiteClosed(f"{shown(url)}: {owner.name} is closed: {owner.note}")
        self.warn_of_problems()
        if owners:
            names = _listed([owner.name for owner in owners])
            have = "has" if len(owners) == 1 else "have"
            raise UnsupportedURL(f"{shown(url)}: {names} {have} no handle for this URL{self._examples(owners)}")
        raise UnsupportedURL(
            f"{shown(url)}: no site claims this URL, nor does it end as a file's does"
            f" - `qetch sites` lists the sites; {OWN_SITES}"
        )

    def warn_of_problems(self) -> None:
        """Says once, as a warning of the logger `qetch`, which files were left out."""
        if not self.problems or self._warned:
            return
        self._warned = True
        import logging

        first, *others = self.problems
        more = f" (and {len(others)} more: `qetch validate` shows them)" if others else ""
        logging.getLogger("qetch").warning("a spec was left out: %s%s", first, more)

    def _examples(self, owners: Sequence[Entry]) -> str:
        """URLs that a site takes, one for each of its first handles; of several sites, one for each."""
        from qetch.errors import QetchError

        urls: list[str] = []
        for owner in owners[:EXAMPLES]:
            with suppress(QetchError):  # the cure must not fail
                handles = self.extractor(owner.name).site.handles.values()  # type: ignore[attr-defined]  # of a spec
                found = [handle.examples[0].url for handle in handles if handle.examples]
                urls += found[: 1 if owners[1:] else EXAMPLES]
        if not urls:
            return " - `qetch sites` lists the handles"
        return f" - {'they take' if owners[1:] else 'it takes'} such as {_listed(urls)}"

    def extractor(self, name: str) -> type[BaseExtractor]:
        """The extractor of a site, made from its spec; the same class each time in a process.

        Raises:
            UserError: There is no site of that name.
            SpecError: The spec has become unreadable.
        """
        entry = self._by_name.get(name)
        if entry is None:
            raise UserError(f"no site is named {name!r}{self._did_you_mean(name)}")
        made = _classes.get((entry.path, entry.digest))
        return made or _classes.setdefault((entry.path, entry.digest), _make(entry))

    def _did_you_mean(self, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name, self._by_name, n=1)
        return f' - did you mean "{near[0]}"?' if near else f" - `qetch sites` lists them; {OWN_SITES}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([part for part in (", ".join(words[:-1]), words[-1]) if part])


@cache
def registry() -> Registry:
    """The registry of this process: the package's specs, and the user's.

    Files that had to be left out are said when nobody claims a URL, since it could be theirs. A folder that
    `QETCH_SITES` names and that is not there is said at once, as a warning of the logger `qetch`.
    """
    for folder in missing_folders():
        import logging

        logging.getLogger("qetch").warning("%s names %s, and there is no such folder", SITES_VARIABLE, folder)
    return Registry([package_sites(), *user_site_folders(_named)])


def set_folders(folders: Sequence[str | Path]) -> None:
    """Names folders of specs for this process (`--sites`); they come after the package, before the user's others.

    Raises:
        FileError: One of them is not there.
    """
    user_site_folders(folders)
    _named[:] = [Path(folder).expanduser().absolute() for folder in folders]
    registry.cache_clear()


def _make(entry: Entry) -> type[BaseExtractor]:
    from qetch.extractors._spec import make_extractor
    from qetch.extractors.modules import module_name
    from qetch.spec import read

    made = make_extractor(read(Path(entry.path), checked=entry.digest))
    made.__module__ = module_name(made.__name__)
    return made


def _compile(entry: Entry) -> list[tuple[str, bool, regex.Pattern[str]]]:
    return [
        (handle, handle in entry.bare, compiled(pattern))
        for handle, patterns in entry.handles.items()
        for pattern in patterns
    ]


def _first_handle(entry: Entry, url: str) -> tuple[str, regex.Match[str]] | None:
    for handle, patterns in entry.handles.items():
        for pattern in patterns:
            match = match_url(pattern, without_query(url) if handle in entry.bare else url)
            if match:
                return handle, match
    return None


def _host_index(entries: Iterable[Entry]) -> HostIndex:
    return HostIndex((entry.domains, entry.instances) for entry in entries)


def _taken_names(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Problem]]:
    """The specs that use a name or class of an earlier one, or of qetch itself."""
    names = dict.fromkeys(RESERVED_NAMES, "qetch itself")
    classes = dict.fromkeys(RESERVED_CLASSES, "qetch itself")
    for entry in entries:
        for key, value, taken in (("name", entry.name, names), ("class", entry.class_name, classes)):
            if value in taken:
                line, column = _line_of(entry.path, key)
                message = f'the {key} "{value}" is taken by {taken[value]}'
                yield entry, Problem(entry.path, line, column, message, f"choose another {key}")
                break
        else:
            owner = "a packaged site" if entry.rank == 0 else entry.path
            names[entry.name] = classes[entry.class_name] = owner


def _line_of(path: str, key: str) -> tuple[int, int]:
    """Where the value of a top-level key begins, without YAML; 1:1 where that is not plain to see."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return 1, 1
    found = re.search(rf"^{key}: *", text, re.MULTILINE)
    return (text.count("\n", 0, found.start()) + 1, len(found[0]) + 1) if found else (1, 1)


class Claims(NamedTuple):
    """What a spec claims for itself: its entry, and its examples as (handle, number, URL). Plain data."""

    entry: Entry
    examples: tuple[tuple[str, int, str], ...]


def claims_of(site: Site) -> Claims:
    """The claims of a compiled spec."""
    examples = (
        (handle.name, number, example.url)
        for handle in site.handles.values()
        for number, example in enumerate(handle.examples)
        if example.url
    )
    return Claims(entry_of(site), tuple(examples))


def doubly_claimed(sites: Iterable[Site | Claims], beside: Sequence[Entry] = ()) -> list[Problem]:
    """What several specs claim: names, classes, and examples. Each example must be claimed by its own spec alone.

    Of two specs with one name only that is said: a run leaves one of them out.

    Args:
        sites: The specs in question, each with the handles that are certain: see `qetch.spec.survey`.
        beside: Other specs that they must get along with; those of the same files are passed over.
    """
    mine = [site if isinstance(site, Claims) else claims_of(site) for site in sites]
    files = {Path(claims.entry.path).resolve() for claims in mine}
    others = [entry for entry in beside if Path(entry.path).resolve() not in files]
    entries = [*others, *(claims.entry for claims in mine)]
    hosts = _host_index(entries)
    problems = [problem for _, problem in _taken_names(entries)]
    for entry, examples in mine:
        for handle, number, url in examples:
            for message, cure in _rivals(url, entry.name, entries, hosts):
                problems.append(_example_problem(entry, handle, number, message, cure))
    return sorted(problems)


def _rivals(url: str, owner: str, entries: Sequence[Entry], hosts: HostIndex) -> Iterator[tuple[str, str]]:
    """What is wrong with an example of the spec that is named `owner`, and the cure."""
    try:
        host, url = split(url)
    except InvalidURL as error:
        yield str(error), ""
        return
    for position in hosts.claimants(host):
        entry = entries[position]
        claim = _first_handle(entry, url) if entry.name != owner else None
        if claim:
            yield f'"{claim[0]}" of {entry.name} claims this example too ({entry.path})', "narrow one `match`"


def _example_problem(entry: Entry, handle: str, number: int, message: str, cure: str) -> Problem:
    if not entry.path:
        return Problem(entry.name, 1, 1, message, cure)
    from qetch.spec.load import load

    return load(entry.path).problem(("handles", handle, "examples", number), message, cure)
