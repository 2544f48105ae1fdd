"""Holds what a spec finds now against what it found in the cassettes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from qetch.selectors.markup import Html
from qetch.tools.explain.elements import alike, is_element, signature
from qetch.tools.explain.likeness import holdings, is_retyped, kind_of, likeness
from qetch.tools.explain.relocate import BROKEN, broken_keys
from qetch.tools.explain.trace import MAX_SAMPLES, Find, Trace, is_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qetch.content import Content
    from qetch.tools.explain.sheet import Lost

FACTS = (
    "title",
    "description",
    "uploaded_by",
    "uploaded_date",
    "extension",
    "size",
    "checksums",
    "fragments",
    "quality",
)
FINE = 0.45
HOLDS = 0.6
"""What it is worth at most that two objects hold the same values under other names."""
TWIN = 0.8
"""From here on an element holds what another held."""
USUAL = 0.5
"""What was found in less of the places is optional, and not missed in another answer."""


class Score(NamedTuple):
    """How well a run reproduces the reference; the greater is the better.

    Attributes:
        facts: Fields of contents that are there again.
        fine: Selectors that find what they found.
        ended: Whether the run did not end in an error.
        surplus: Minus the number of facts that were not recorded, if the same things should be found.
    """

    facts: int
    fine: int
    ended: bool = True
    surplus: int = 0


@dataclass(slots=True)
class Reference:
    """What a spec found in recorded answers.

    Attributes:
        site: Its name.
        urls: Those whose answers were recorded.
        same: Whether this is the very URL that is explained, so that the same things should be found.
        finds: What each selector found, by its place in the spec.
        contents: The items.
    """

    site: str
    urls: list[str]
    same: bool
    finds: dict[str, Find]
    contents: list[list[Content]]
    recorded: set[tuple[str, str, str]] = field(init=False)
    best: Score = field(init=False)

    def __post_init__(self) -> None:
        """Sees what a run could reach at best."""
        self.recorded = facts(self.contents, same=self.same)
        self.best = Score(len(self.recorded), sum(1 for find in self.finds.values() if find.reads))

    @property
    def items(self) -> int:
        """How many items there were."""
        return len(self.contents)


def make_reference(traces: Sequence[Trace], urls: list[str], site: str, *, same: bool) -> Reference:
    """What was found in some recorded runs, taken together."""
    contents = [item for trace in traces for item in trace.contents]
    return Reference(site, urls, same, _merge(find for trace in traces for find in trace.finds(site)), contents)


def merged(trace: Trace, site: str) -> dict[str, Find]:
    """What each selector of a site found in a run, by its place in the spec."""
    return _merge(trace.finds(site))


def _merge(finds: Iterable[Find]) -> dict[str, Find]:
    together: dict[str, Find] = {}
    for find in finds:
        known = together.get(find.where)
        if known is None:
            known = together[find.where] = Find(find.where, find.role, find.selector, find.text, find.every)
            known.secret, known.value = find.secret, find.value
        known.count += find.count
        known.nothing += find.nothing
        known.samples += find.samples[: MAX_SAMPLES - len(known.samples)]
    return together


def score(reference: Reference, trace: Trace) -> Score:
    """How much of the reference a run reproduces."""
    now = merged(trace, reference.site)
    wanted = [find for find in reference.finds.values() if find.reads]
    fine = sum(find.where in now and is_fine(find, now[find.where], reference.same) for find in wanted)
    recorded = reference.recorded
    found = facts(trace.contents, same=reference.same)
    return Score(len(recorded & found), fine, not trace.failed, -len(found - recorded) if reference.same else 0)


def facts(contents: Sequence[Sequence[Content]], *, same: bool) -> set[tuple[str, str, str]]:
    """What contents say: with the values for the same URL, else only which fields have one."""
    found = set()
    for content in (content for item in contents for content in item):
        for name in FACTS:
            value = getattr(content, name)
            if not is_nothing(value):
                uid, shown = (content.uid, repr(value)) if same else (content.variant or "", "")
                found.add((uid, name, shown))
    return found


def lost(before: Find, now: Find) -> Lost:
    """What of the recorded values is found no more."""
    if now.count == now.nothing and before.count > before.nothing:
        return "nothing"
    old, new = [_plain(found) for _, found in before.samples], [_plain(found) for _, found in now.samples]
    pairs = [pair for pair in zip(old, new, strict=False) if not is_nothing(pair[0])]
    if len(old) == len(new) and all(_is_again(was, found) for was, found in pairs):
        return "blind"
    if pairs and all(_is_again(was, found) or is_retyped(was, found) for was, found in pairs):
        return "type"
    other = any(not is_nothing(found) and _likeness(was, found) < BROKEN for was, found in pairs)
    return "other" if other or now.nothing <= before.nothing else "less"


def is_found_again(before: Find, now: Find) -> bool:
    """Whether exactly what was recorded is found; of elements, those that hold the same."""
    old, new = [_plain(found) for _, found in before.samples], [_plain(found) for _, found in now.samples]
    if len(old) == len(new):
        return all(is_nothing(was) or _is_again(was, found) for was, found in zip(old, new, strict=True))
    return bool(new) and all(is_nothing(was) or any(_is_again(was, found) for found in new) for was in old)


def _is_again(was: Any, found: Any) -> bool:
    if isinstance(was, list) and isinstance(found, list):  # there may be more by now
        return len(was) <= len(found) and all(any(_is_again(one, other) for other in found) for one in was)
    if isinstance(was, dict) and isinstance(found, dict):
        return _likeness(was, found) >= FINE
    if hasattr(was, "shape"):
        return hasattr(found, "shape") and was.text == found.text and _likeness(was, found) >= TWIN
    return _likeness(was, found) >= 1.0


def misleads(before: Find, now: Find) -> bool:
    """Whether a value finds something, and nothing of it is what was recorded."""
    if before.role != "value":
        return False
    old, new = [_plain(found) for _, found in before.samples], [_plain(found) for _, found in now.samples]
    there = [was for was in old if not is_nothing(was)]
    found = [each for each in new if not is_nothing(each)]
    return bool(there and found) and not any(_is_again(was, each) for was in there for each in found)


def _found_something(find: Find) -> bool:
    return find.reads and find.count > find.nothing


def is_fine(before: Find, now: Find, same: bool) -> bool:
    """Whether a selector finds what it found before; for another URL, something of the same kind."""
    if not _found_something(before):  # as conditions of errors do; they can be right for no good reason
        return not (same and _lost_keys(before, now))
    old, new = [_plain(found) for _, found in before.samples], [_plain(found) for _, found in now.samples]
    if not same:
        return _is_fine_elsewhere(before, old, new)
    if len(old) == len(new):
        pairs = zip(old, new, strict=True)
        if any(_likeness(one, other) < BROKEN for one, other in pairs if not is_nothing(one)):
            return False
    elif not _any_alike(old, new):
        return False
    return not _lost_keys(before, now)


def _is_fine_elsewhere(before: Find, old: list[Any], new: list[Any]) -> bool:
    if (before.count - before.nothing) / before.count < USUAL:
        return True
    kinds = {kind_of(found) for found in old if not is_nothing(found)}
    there = [found for found in new if not is_nothing(found)]
    if not there or not any(kind_of(found) in kinds for found in there):
        return False
    return before.role != "rows" or _any_alike(old, new)


def _any_alike(old: Sequence[Any], new: Sequence[Any]) -> bool:
    return any(_likeness(one, other) >= FINE for one in old[:8] if one is not None for other in new[:20])


def _lost_keys(before: Find, now: Find) -> bool:
    """Whether a key of the expression gives nothing any more, even if the whole still does."""
    if before.selector is None or now.selector is None or now.selector.language != "jmespath":
        return False
    if before.selector.text != now.selector.text:  # one that was changed is judged by what it gives
        return False
    return bool(broken_keys(now.selector.text, before.nodes, now.nodes))


def _plain(found: Any) -> Any:
    """Elements as what they hold."""
    if isinstance(found, list):
        return [_plain(item) for item in found]
    if isinstance(found, Html):
        return found.text
    return signature(found) if is_element(found) else found


def _likeness(old: Any, new: Any) -> float:
    if isinstance(old, list) and isinstance(new, list) and old and new and hasattr(old[0], "shape"):
        pairs = list(zip(old, new, strict=False))[:6]
        return sum(alike(one, other) for one, other in pairs if hasattr(other, "shape")) / len(pairs)
    if hasattr(old, "shape"):
        return alike(old, new) if hasattr(new, "shape") else 0.0
    found = likeness(old, new)
    if found < FINE and kind_of(old) == kind_of(new) and kind_of(old) in ("object", "list"):
        return max(found, holdings(old, new) * HOLDS)  # what is in it has moved, and others will miss it
    return found
