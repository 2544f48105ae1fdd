"""Holds a site file against the schema, and says what is wrong for the person who wrote the file.

The schema is the only definition of the language. Whether a file fits it is asked quickly (`fits`); why it does not
is asked of jsonschema (`explain`), which is imported only then.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from qetch.spec.explain import MOST_FAULTS, explain, find_faults, guess, make_validator, unknown_keys
from qetch.spec.fits import compile_schema
from qetch.spec.wording import near

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from qetch.spec.explain import Fault
    from qetch.spec.load import Document, Path
    from qetch.spec.problems import Problem

LONELY = frozenset({"qetch", "name", "class", "description", "status", "note", "hooks"})
"""The words of a site that no handle needs."""


def check(document: Document) -> list[Problem]:
    """All problems of a file that the schema can see, and those that loading it has found, in order of place."""
    return examine(document)[0]


def examine(document: Document) -> tuple[list[Problem], frozenset[str] | None]:
    """The problems that `check` gives, and in which handles they are; None if any handle may suffer from them."""
    if "qetch" not in document.data and not _is_site(document.data):
        return [document.problem((), "this is no site file: it has no `qetch`", "a site begins with `qetch: 1`")], None
    faults = [] if _fits()(document.data) else list(find_faults(document, _validator()))
    problems = set(document.problems).union(*map(explain, faults))
    if len(faults) >= MOST_FAULTS:
        return sorted(problems), None
    touched = [*(_stands(document, problem) for problem in document.problems), *chain(*map(_touches, faults))]
    return sorted(problems), _broken(touched)


def _is_site(data: dict[str, Any]) -> bool:
    """Whether a mapping without the version was meant as a site, and not as something else in YAML."""
    return "handles" in data or bool(near("qetch", list(data)))


def _broken(touched: Iterable[Path]) -> frozenset[str] | None:
    """The handles among the paths in doubt, or None if something is that any handle may need."""
    broken = set()
    for path in touched:
        if path[:1] == ("handles",) and len(path) > 1:
            broken.add(str(path[1]))
        elif not path or path[0] not in LONELY:
            return None
    return frozenset(broken)


def _touches(fault: Fault) -> Iterator[Path]:
    """Where the data cannot be relied on, because of a fault; a word that is missing counts as there."""
    if fault.of_key:
        yield (*fault.path, fault.data)
    elif fault.path:
        yield fault.path
    elif fault.keyword == "additionalProperties":
        yield from ((guess(fault, key) or "note",) for key in unknown_keys(fault))
    elif fault.keyword == "required":
        yield from ((key,) for key in fault.rule if key not in fault.data)
    else:
        yield ("note",)


def _stands(document: Document, problem: Problem) -> Path:
    """The word of the site, or the handle, in whose lines a problem stands."""
    path: Path = ()
    for _ in range(2):
        items = document.node(path)[0].items
        if not isinstance(items, dict):
            break
        above = [name for name, (key, _) in items.items() if key.start_mark.line < problem.line]
        path = (*path, *above[-1:])
        if path != ("handles",):
            break
    return path


@cache
def schema() -> dict[str, Any]:
    """The schema, read once."""
    import json

    from qetch.paths import schema_file

    data: dict[str, Any] = json.loads(schema_file().read_text("utf-8"))
    return data


@cache
def _fits() -> Callable[[Any], bool]:
    return compile_schema(schema())


@cache
def _validator() -> Any:
    return make_validator(schema())
