"""Runs the examples of site files: from cassettes, or by asking the sites."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from qetch.errors import OUTCOMES, AuthenticationError, QetchError, ReplayMiss
from qetch.selectors.patterns import PatternTooSlow
from qetch.tools.expectations import Difference, differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from qetch.content import Content
    from qetch.extractors import BaseExtractor
    from qetch.session import Session
    from qetch.spec.model import Example, Site

SAVED = "saved.yaml"
"""The cassette that `qetch record --from-dir` makes."""


class Case(NamedTuple):
    """An example: `number` counts those of the whole file, from 1, and `position` those of the handle, from 0."""

    site: Site
    handle: str
    number: int
    example: Example
    position: int


@dataclass(slots=True)
class Result:
    """What an example came to.

    Attributes:
        problems: Why it failed, a line each; or, in one line, why it was not run.
        skipped: What its run left out, and why.
        lists: What its run gave.
        error: What its run ended in.
    """

    case: Case
    outcome: Literal["passed", "failed", "skipped"] = "passed"
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    lists: list[list[Content]] = field(default_factory=list)
    error: QetchError | None = None

    def failed(self, *problems: str) -> Result:
        """The same, as a failure."""
        self.outcome, self.problems = "failed", list(problems)
        return self

    def passed_over(self, reason: str) -> Result:
        """The same, as not run."""
        self.outcome, self.problems = "skipped", [reason]
        return self


def cases(site: Site) -> Iterator[Case]:
    """The examples of a site, in the order of the file."""
    number = 0
    for handle in site.handles.values():
        for position, example in enumerate(handle.examples):
            number += 1
            yield Case(site, handle.name, number, example, position)


def line(case: Case) -> int:
    """The line of an example in its site's file, from 1; 1 also if the file was changed, and is none any more."""
    from qetch.engine.why import line_of

    return line_of(case.site.path, f"handles.{case.handle}.examples.{case.position}") or 1


def play(case: Case, folder: Path | None) -> Result:
    """Runs an example from cassettes alone: no network, no credentials.

    Args:
        case: The example.
        folder: The cassettes of its site; without, an example that makes a request fails.

    Raises:
        FileError: A cassette cannot be read.
    """
    from qetch.replay import ReplayAdapter
    from qetch.session import mount_replay

    extractor = new_extractor(case)
    mount_replay(extractor.session, ReplayAdapter(folder))
    result = run(case, extractor, auth=())
    if isinstance(result.error, ReplayMiss):
        return result.failed(f"{result.problems[0]} - {_missing(case, folder)}")
    return result


def _missing(case: Case, folder: Path | None) -> str:
    """How a request gets its answer into the cassettes: in the way in which those were made that are there."""
    name, file = case.site.name, case.site.path
    if folder is None:
        return (
            f"the cassettes of {name} must be in cassettes/{name}/ or tests/cassettes/{name}/, beside {file} or in a"
            f" folder above: make them with `qetch record {file}`, or name the folder in which {name}/ is with"
            " --cassettes (in pytest, with the setting qetch_cassettes)"
        )
    if (folder / SAVED).is_file():
        again = f"qetch record {file} --from-dir DIR"
        return f"save that answer too, as HOST/PATH or named in answers.yaml, and repeat: {again}"
    return f"add the answer to the cassettes: qetch record {file}"


def ask(case: Case, *, allow_private: bool = False, prepare: Callable[[Session], None] | None = None) -> Result:
    """Runs an example by asking the site, at its rate and with the credentials of the registry.

    An example of what is dead, or of what wants credentials that are not there, is not run.

    Args:
        case: The example.
        allow_private: Whether the site may have a private address.
        prepare: Done with the session before the run.
    """
    for dead in (case.site.handles[case.handle], case.site):
        if dead.status == "dead":
            return Result(case).passed_over(f"not asked: {dead.note}")
    extractor = new_extractor(case)
    extractor.session.allow_private = allow_private
    if prepare:
        prepare(extractor.session)
    result = run(case, extractor)
    wants = case.site.auth.kind != "none" and extractor.session.credentials is None
    if wants and isinstance(result.error, AuthenticationError):
        expected = (case.example.expect or {}).get("error")
        return result if expected == "login_required" else result.passed_over(f"no credentials: {result.error}")
    return result


def run(case: Case, extractor: BaseExtractor, auth: tuple[str, ...] | None = None) -> Result:
    """Runs an example with an extractor whose session is ready, and compares; the session is closed then."""
    result = Result(case)
    with extractor.session:
        try:
            result.lists.extend(contents for contents in extractor.extract(case.example.url, auth=auth) if contents)
        except QetchError as error:
            result.error = error
    result.skipped = list(map(str, extractor.skipped))
    return _judged(result)


def new_extractor(case: Case) -> BaseExtractor:
    """An extractor of the example's own site file, whatever others are known."""
    from qetch.extractors._spec import make_extractor

    return make_extractor(case.site)()


def _judged(result: Result) -> Result:
    expect = result.case.example.expect or {}
    wanted = expect.get("error")
    if result.error is not None:
        error = result.error
        if wanted is not None and type(error) is OUTCOMES[wanted]:
            return result
        return result.failed(_unexpected(error, wanted))
    if wanted is not None:
        found = f"no error, but {len(result.lists)} item{'' if len(result.lists) == 1 else 's'}"
        return result.failed(str(Difference("error", wanted, found)))
    try:
        wrong = differences(expect, result.lists)
    except PatternTooSlow as slow:
        return result.failed(str(slow))
    return result.failed(*map(str, wrong)) if wrong else result


def _unexpected(error: QetchError, wanted: str | None) -> str:
    names = {kind: name for name, kind in OUTCOMES.items()}
    said = f"{names.get(type(error), type(error).__name__)}: {error}"
    return str(Difference("error", wanted, said)) if wanted else f"ended in {said}"
