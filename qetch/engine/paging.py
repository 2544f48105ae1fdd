"""How a call goes on from one page to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qetch.engine.reading import Bound, Names, Place, Reader, as_text, shown
from qetch.selectors.jmes import DoesNotFit

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.engine.fetching import Request
    from qetch.spec.model import Pages, Value


def first_names(pages: Pages, names: Names) -> Names:
    """The names of a block with those of its pages, as they are on the first request."""
    first = {name: Bound(None) for name, _ in pages.names}
    if pages.counter:
        first[pages.counter] = Bound(pages.start)
    return {**names, **first}


def next_page(
    pages: Pages, place: Place, names: Names, request: Request, fill: Callable[[Names], Request], reader: Reader
) -> tuple[Request, Names] | None:
    """The request for the next page and its names, or None if the answer names none.

    Args:
        pages: What the spec says.
        place: The page that was used.
        names: The names as they were on that page.
        request: The request that it answered.
        fill: Makes the block's request from names.
        reader: Reads the values.
    """
    if pages.next:
        urls = reader.urls(pages.next, place, names)
        return (replace(request, url=urls[0], query={}), names) if urls else None
    if pages.carry:
        return _carried(pages.carry, place, names, fill, reader)
    later = dict(names)
    if pages.counter:
        later[pages.counter] = Bound(names[pages.counter].value + pages.by)
    else:
        later |= {name: Bound(reader.read(value, place, names), place.url) for name, value in pages.names}
        if all(later[name].value in (None, "") for name, _ in pages.names):
            return None
    return fill(later), later


def _carried(
    value: Value, place: Place, names: Names, fill: Callable[[Names], Request], reader: Reader
) -> tuple[Request, Names] | None:
    found = reader.read(value, place, names)
    if not found:
        return None
    if not isinstance(found, dict):
        reader.say(value, place, f"{shown(found)} where an object is wanted")
        return None
    request, entries = fill(names), {}
    for name, item in found.items():
        try:
            entries[name] = as_text(item)
        except DoesNotFit as error:
            reader.say(value, place, str(error))
    given = {name: text for name, text in entries.items() if text is not None}
    return replace(request, query={**request.query, **given}), names
