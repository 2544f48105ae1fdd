"""What a finder proposes, and how two proposals about one item become one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from qetch.tools.new.yaml_text import Noted

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.tools.new.address import Address
    from qetch.tools.new.page import Page

MAX_VARIANTS = 12


@dataclass(frozen=True)
class Scene:
    """What a finder looks at.

    Attributes:
        look: Brings another page of the site, or None where that is not possible or not allowed any more.
    """

    page: Page
    address: Address
    look: Callable[[str], Page | None] = lambda _: None

    @property
    def uid(self) -> Any:
        """The uid of the one item that the URL is about."""
        if self.address.id:
            return {"text": f"{{{self.address.id}}}"}
        return Noted({"text": "page"}, "decide: what names this item for ever?")


@dataclass(frozen=True)
class File:
    """A file of an item: its variant's name, how it is read, and what reading it gives on this page."""

    name: str
    url: Any
    rank: float
    found: tuple[str, ...]
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> Any:
        """The variant, as it stands in a spec."""
        return {"url": self.url, **self.more} if self.more else self.url


@dataclass(frozen=True)
class Item:
    """A content: its fields, and its files as variants or as renditions."""

    fields: dict[str, Any] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    renditions: dict[str, Any] | None = None
    rendered: tuple[str, ...] = ()

    @property
    def found(self) -> tuple[str, ...]:
        """The URLs of all files that it gives on this page."""
        return (*(url for file in self.kept for url in file.found), *self.rendered)

    @property
    def kept(self) -> list[File]:
        """The files that are written down, best first."""
        return sorted(self.files, key=lambda file: -file.rank)[:MAX_VARIANTS]

    def content(self, **before: Any) -> dict[str, Any]:
        """The words of `content`; `before` are fields that come first."""
        fields = {**self.fields, **before}
        words = {name: fields[name] for name in FIELDS if name in fields}
        files = self.kept
        if self.renditions:
            if files:
                words["variants"] = {file.name: {"url": file.url, **file.more, "quality": 0} for file in files}
            words["renditions"] = self.renditions
        elif len(files) == 1:
            words |= {"url": files[0].url, **files[0].more}
        elif files:
            words["variants"] = {file.name: file.words for file in files}
        return words


@dataclass(frozen=True)
class Proposal:
    """One way to read a page.

    Attributes:
        evidence: What was found, for people.
        score: 0 to about 1.
        let: Names at the top of the handle.
        item: The one item that the page is about, if it is a page about one.
        block: Otherwise what the handle does, `each` and the like.
        expected: The URLs of files that running it must give.
        also: URLs that the site would answer with the same page.
        decide: What a person must decide, as remarks.
    """

    evidence: str
    score: float
    let: dict[str, Any] = field(default_factory=dict)
    item: Item | None = None
    block: dict[str, Any] = field(default_factory=dict)
    expected: tuple[str, ...] = ()
    pages: dict[str, Any] | None = None
    query: dict[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    decide: tuple[str, ...] = ()


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def merged(proposals: list[Proposal]) -> Proposal | None:
    """What several proposals say together of the one item of a page; None if there are not several.

    The best one's words win; the others give the fields and files that it lacks.
    """
    about_item = [proposal for proposal in proposals if proposal.item]
    # Two readings of the same JSON are two items; what has names of its own stays by itself.
    about_item = about_item[:1] + [proposal for proposal in about_item[1:] if not proposal.let]
    if len(about_item) < 2:
        return None
    best, *others = about_item
    for other in others:
        best = _joined(best, other)
    return best


def _joined(best: Proposal, other: Proposal) -> Proposal:
    if best.item is None or other.item is None:
        return best
    known = set(best.item.found)
    names = [file.name for file in best.item.files]
    files = list(best.item.files)
    for file in other.item.files:
        if known.isdisjoint(file.found) and not best.item.renditions:
            name = file.name if file.name not in names else f"{file.name}_{len(names) + 1}"
            names.append(name)
            files.append(replace(file, name=name))
    fields = {**{name: value for name, value in other.item.fields.items() if name != "metadata"}, **best.item.fields}
    item = replace(best.item, fields={name: fields[name] for name in FIELDS if name in fields}, files=tuple(files))
    return replace(
        best,
        evidence=f"{best.evidence}, {other.evidence}",
        let={**other.let, **best.let},
        item=item,
        expected=item.found,
        decide=(*best.decide, *(text for text in other.decide if text not in best.decide)),
    )


FIELDS = ("uid", "title", "description", "uploaded_by", "uploaded_date", "metadata")
"""In the order in which they are written."""
