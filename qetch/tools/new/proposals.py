"""What a finder proposes, and how two proposals about one item become one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from qetch.tools.new import shapes
from qetch.tools.new.yaml_text import Noted, Remark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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

    @property
    def above(self) -> str:
        """What stands before the number of a row, in its uid."""
        return f"{{{self.address.id}}}" if self.address.id else "page"


@dataclass(frozen=True)
class File:
    """A file of an item: its variant's name, how it is read, and what reading it gives on this page."""

    name: str
    url: Any
    rank: float
    found: tuple[str, ...]
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def is_picture(self) -> bool:
        """Whether it is a still picture, beside a film; a GIF may be the film itself."""
        kinds = {shapes.media_kind(url) for url in self.found if shapes.extension_of(url) != "gif"}
        return kinds == {"image"} or (kinds == {""} and self.rank < 11)

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
        files = sorted(self.files, key=lambda file: -file.rank)[:MAX_VARIANTS]
        return [file for file in files if not file.is_picture] if self._is_film else files

    @property
    def left_out(self) -> list[File]:
        """The pictures of a film: they are no versions of it."""
        return [file for file in self.files if file.is_picture] if self._is_film else []

    @property
    def _is_film(self) -> bool:
        kinds = {
            shapes.media_kind(url) for url in (*self.rendered, *(url for file in self.files for url in file.found))
        }
        shown = {shapes.media_kind(url) for url in self.rendered}
        return not kinds.isdisjoint(("video", "audio", "playlist")) or (bool(shown) and "image" not in shown)

    def content(self, **before: Any) -> dict[str, Any]:
        """The words of `content`; `before` are fields that come first."""
        fields = {**self.fields, **before}
        words = {name: fields[name] for name in FIELDS if name in fields}
        files = self.kept
        if self.left_out:
            places = ", ".join(file.name for file in self.left_out)
            words[Remark(f"decide: pictures of the film are no versions of it, and left out here: {places}")] = None
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


def row_uid(selector: str, texts: Sequence[Any], scene: Scene, head: str = "css") -> Any:
    """The uid of a row: the name or path of its file, or the row's number, which needs the counter `n`.

    Args:
        selector: What reads the file's URL.
        texts: What it reads, in each row.
        scene: Where the rows are.
        head: The language of the selector.
    """
    pattern = shapes.file_regex(texts)
    if pattern:
        what = "path" if pattern == shapes.FILE_PATH else "name"
        return Noted({head: selector, "regex": pattern}, f"decide: this is the file's {what}; is there an id?")
    return Noted({"text": f"{scene.above}-{{n}}"}, NUMBERED)


def positions(files: Sequence[File]) -> tuple[str, ...]:
    """What to decide where files are told apart by their position on the page only."""
    by_position = any(isinstance(file.url, dict) and "xpath" in file.url for file in files)
    return ("decide: these are told apart by their position only; what else does?",) if by_position else ()


NUMBERED = "decide: this is the row's number; is there an id?"
AGAIN = "decide: this is the row's number, which begins again on each page: is there an id?"


def numbered(proposal: Proposal) -> Proposal:
    """The rows of several pages: their numbers begin again on each, so that they name nothing by themselves."""
    row = proposal.block.get("each")
    content = row.get("content") if isinstance(row, dict) else None
    uid = content.get("uid") if isinstance(content, dict) else None
    if proposal.pages is None or not row or not content or not isinstance(uid, Noted) or uid.note != NUMBERED:
        return proposal
    page = proposal.pages.get("counter")
    text = uid.value["text"].replace("{n}", f"{{{page}}}-{{n}}") if page else uid.value["text"]
    better = Noted({"text": text}, NUMBERED if page else AGAIN)
    return replace(proposal, block={**proposal.block, "each": {**row, "content": {**content, "uid": better}}})


def counter_of(uid: Any) -> dict[str, str]:
    """The words that a row needs for its uid: a counter, if that is a number."""
    return {"counter": "n"} if "{n}" in str(uid) else {}


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
    )


FIELDS = ("uid", "title", "description", "uploaded_by", "uploaded_date", "metadata")
"""In the order in which they are written."""
