"""Says why a value came to nothing, and where the spec says it, for those who must repair a spec."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qetch.engine.reading import select, shown
from qetch.selectors.jmes import DoesNotFit
from qetch.selectors.patterns import PatternTooSlow
from qetch.spec.model import FirstOf, Selector, Text

if TYPE_CHECKING:
    from pathlib import Path

    from qetch.engine.reading import Names, Place
    from qetch.spec.load import Document
    from qetch.spec.model import Site, Value

ATTRIBUTES = {"a": "href", "area": "href", "link": "href", "meta": "content", "input": "value"}
"""Where an element without text holds what people want of it; the others have a `src`."""


def why_nothing(value: Value, place: Place, names: Names) -> str:
    """Why a value is null or empty, with what its selector found."""
    head = value.head
    if isinstance(head, Text):
        null = [name for name in head.template.names if names[name].value is None]
        return f"{{{null[0]}}} is null" if null else f"{head.template.text!r} is empty"
    if isinstance(head, FirstOf):
        return f"none of its {len(head.values)} values is anything"
    if not isinstance(head, Selector):
        return f"{{{value.of}}} is null" if value.of else "it is null"
    try:
        found = select(head, names[value.of].value if value.of else place.node)
    except (DoesNotFit, PatternTooSlow) as error:
        return str(error)
    if head.language != "jmespath":
        found = next(iter(found), None)
    if found is None:
        return f"{head.text!r} finds nothing"
    tag = getattr(found, "tag", None)
    what = f"{'an' if tag[0] in 'aeio' else 'a'} <{tag}>" if isinstance(tag, str) else shown(found)
    if value.steps:
        words = ", ".join(f"`{step.word}`" for step in value.steps)
        end = f", of which {words} {'leaves' if len(value.steps) == 1 else 'leave'} nothing"
    else:
        end = _cure(head, tag) if isinstance(tag, str) else ""
    return f"{head.text!r} finds {what}{end}"


def _cure(head: Selector, tag: str) -> str:
    attribute = ATTRIBUTES.get(tag, "src")
    form = f"::attr({attribute})" if head.language == "css" else f"/@{attribute}"
    return f" without text - if an attribute is meant, add {form}"


def located(site: Site, where: str) -> str:
    """A place in a spec with the line of its file, such as `little.yaml:24, handles.item.content.uid`."""
    line = line_of(site.path, where)
    return f"{site.path.name}:{line}, {where}" if site.path and line else where


def line_of(path: Path | None, place: str) -> int | None:
    """The line of a place in a spec's file, also of one with the number of a row; None for anything else."""
    where = place.partition(", row ")[0]
    document = _document(path, path.stat().st_mtime_ns) if path and path.is_file() else None
    if document is None or "/" in where:  # a URL is no place in a file
        return None
    return document.place(tuple(int(part) if part.isdigit() else part for part in where.split("."))).line


@lru_cache(maxsize=4)
def _document(path: Path, changed: int) -> Document | None:
    del changed  # in the meantime, if it is not that of the last call
    from qetch.errors import SpecError
    from qetch.spec.load import load

    try:
        return load(path)
    except SpecError:  # that is not what went wrong here
        return None
