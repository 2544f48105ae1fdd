"""Finds the recorded texts and elements in new markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.selectors.markup import Node, visible_text
from qetch.tools.explain.likeness import SHAPE, likeness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_CARRIERS = 12
LOOSE = 0.6
LINKS = 12
TEXT = 200
LOOKS = frozenset({"class", "id", "style"})
ADDRESSES = frozenset(
    {"href", "src", "srcset", "poster", "content", "data-src", "data-url", "data-href", "value", "id"}
)


class Carrier(NamedTuple):
    """An element that holds a text: in an attribute, or as its own text if `attribute` is empty."""

    element: Any
    attribute: str


class Signature(NamedTuple):
    """What an element holds, whatever it is called and however it is wrapped."""

    values: tuple[str, ...]
    text: str
    shape: frozenset[str]


def is_element(found: Any) -> bool:
    """Whether something is an element of markup."""
    return isinstance(found, Node)


def signature(element: Any) -> Signature:
    """What an element holds."""
    values = tuple(
        str(value)
        for inner in element.iter()
        if isinstance(inner.tag, str)
        for name, value in inner.attrib.items()
        if name in ADDRESSES or "/" in str(value)
    )
    shape = frozenset(inner.tag for inner in element.iterdescendants() if isinstance(inner.tag, str))
    return Signature(values[:LINKS], visible_text(element)[:TEXT], shape)


def alike(old: Signature, new: Signature) -> float:
    """From 0 to 1: how much two elements hold the same."""
    text = likeness(old.text, new.text) if old.text or new.text else 1.0
    shape = len(old.shape & new.shape) / len(old.shape | new.shape) if old.shape | new.shape else 1.0
    if not old.values and not new.values:
        return 0.8 * text + 0.2 * shape
    return 0.45 * _shared(old.values, new.values) + 0.35 * text + 0.2 * shape


def _shared(old: tuple[str, ...], new: tuple[str, ...]) -> float:
    """How many of the values are there too, those of the same pattern in part."""
    if not old and not new:
        return 1.0
    if not old or not new:
        return 0.0
    best = [max(likeness(one, other) for other in new) for one in old]
    return sum(best) / len(best) * min(1.0, len(old) / len(new))


def twins(old: Any, root: Any, *, same: bool) -> list[Any]:
    """The elements below a root that hold what an element held, or unless `same` something alike; the best first."""
    wanted = signature(old)
    found: list[tuple[float, int, int, Any]] = []
    for depth, element in _below(root):
        score = alike(wanted, signature(element)) + 0.05 * (element.tag == old.tag) + 0.05 * bears(old, element)
        if score >= (SHAPE if same else LOOSE):
            found.append((-round(score, 2), -depth, len(found), element))
    return [element for *_, element in sorted(found, key=lambda item: item[:3])][:MAX_CARRIERS]


def bears(old: Any, new: Any) -> bool:
    """Whether an element has the attributes of another, besides those of its looks."""
    return all(new.get(name) == value for name, value in old.attrib.items() if name not in LOOKS)


def carriers(text: str, root: Any, *, same: bool) -> list[Carrier]:
    """The elements below a root that hold a text, or with `same` false one of the same pattern."""
    found = []
    for _, element in _below(root):
        for name, value in element.attrib.items():
            if _fits(text, str(value), same):
                found.append(Carrier(element, str(name)))
        if any(_fits(text, part, same) for part in _texts(element)):
            found.append(Carrier(element, ""))
    return found[:MAX_CARRIERS]


def _fits(wanted: str, found: str, same: bool) -> bool:
    return wanted == found if same else likeness(wanted, found) >= SHAPE


def _texts(element: Any) -> Iterable[str]:
    """The texts right in an element, as `::text` gives them."""
    yield from (part for part in (element.text, *(child.tail for child in element)) if part and part.strip())


def _below(root: Any) -> Iterator[tuple[int, Any]]:
    """An element and all below it, with their depths."""
    stack = [(0, root)]
    while stack:
        depth, element = stack.pop()
        if isinstance(element.tag, str):
            yield depth, element
            stack += [(depth + 1, child) for child in reversed(element)]


def ancestry(element: Any, top: Any) -> list[Any]:
    """An element and those around it, from the inside out, without `top`."""
    chain = [element]
    while (parent := chain[-1].getparent()) is not None and parent is not top:
        chain.append(parent)
    return chain
