"""Holds a site file against the schema, and says what is wrong for the person who wrote the file.

The schema is the only definition of the language. Whether a file fits it is asked quickly (`fits`); why it does not
is asked of jsonschema (`explain`), which is imported only then.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from qetch.spec.explain import make_validator
from qetch.spec.fits import compile_schema
from qetch.spec.partial import Rest
from qetch.spec.wording import near

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.spec.load import Document
    from qetch.spec.problems import Problem


def check(document: Document) -> list[Problem]:
    """All problems of a file that the schema can see, and those that loading it has found, in order of place."""
    return examine(document)[0]


def examine(document: Document) -> tuple[list[Problem], Rest | None]:
    """The problems that `check` gives, and what can be read of the file; None if there is nothing more to say of it."""
    if "qetch" not in document.data and not _is_site(document.data):
        return [document.problem((), "this is no site file: it has no `qetch`", "a site begins with `qetch: 1`")], None
    fits = _fits()(document.data)
    if fits and not document.problems:
        return [], Rest(document)
    from qetch.spec.mend import mend

    return mend(document, None if fits else _validator())


def _is_site(data: dict[str, Any]) -> bool:
    """Whether a mapping without the version was meant as a site, and not as something else in YAML."""
    return "handles" in data or bool(near("qetch", list(data)))


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
