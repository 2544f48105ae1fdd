"""A compiled site: frozen, with everything in it that can be compiled before a URL comes.

The names are those of the language; `schema/site.schema.json` describes each word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from regex import Pattern

    from qetch.spec.templates import Template

Kind = Literal["json", "html", "xml", "text"]
Fields = tuple[tuple[str, "Template"], ...]


@dataclass(frozen=True, slots=True)
class Selector:
    """What reads a place: `find` gives one value for JSON and a list of matches for the other kinds.

    Attributes:
        asks_row: For CSS in the `when` of a row: whether the selector matches the row itself.
    """

    language: Literal["jmespath", "css", "xpath", "regex"]
    text: str
    find: Callable[[Any], Any]
    asks_row: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The answer's header of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A template; in a URL place what it fills in is percent-encoded."""

    template: Template
    is_url: bool = False


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first value that is not null, "" or []."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to what was read: the name of its word, and what that needs, compiled."""

    word: str
    argument: Any = None


@dataclass(frozen=True, slots=True)
class Value:
    """What is read (`of` a name, or the place), how (`head`), and what is done with it, in this order.

    Attributes:
        head: None for the value of the name itself, or of a text place.
        every: Whether all matches are wanted instead of the first.
        where: The place in the spec, for messages, such as `handles.thread.each.content.title`.
    """

    head: Selector | Header | Text | FirstOf | None
    of: str | None = None
    every: bool = False
    steps: tuple[Step, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """When all that it asks holds, the answer means `raises`, one of the outcomes in `qetch.errors`."""

    raises: str
    statuses: frozenset[int] = frozenset()
    url: Pattern[str] | None = None
    when: Value | None = None
    kind: Kind | None = None
    message: Value | None = None


@dataclass(frozen=True, slots=True)
class Defaults:
    """What `request` says for every call of a site, or of one of its instances."""

    base: Template | None = None
    rate: tuple[int, float] | None = None
    wait: float | None = None
    headers: Fields = ()
    query: Fields = ()
    cookies: Fields = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a template."""

    method: Literal["GET", "POST"]
    url: Template
    kind: Kind
    form: Fields | None = None
    json: Any = None
    has_json: bool = False
    query: Fields = ()
    headers: Fields = ()
    cookies: Fields = ()
    follow: bool = True


@dataclass(frozen=True, slots=True)
class Pages:
    """How a call goes on: one of `next`, `names`, `carry` and `counter`."""

    next: Value | None = None
    names: tuple[tuple[str, Value], ...] = ()
    carry: Value | None = None
    counter: str | None = None
    start: int = 1
    by: int = 1
    until: Value | None = None
    max: int = 1000


@dataclass(frozen=True, slots=True)
class Quality:
    """A fixed number, or a rank by values."""

    fixed: float | None = None
    rank: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """One file in one quality; `name` is that of its variant, or of its rendition as a value."""

    urls: Value
    fragments: bool = False
    name: str | Value | None = None
    quality: Quality | None = None
    extension: Value | None = None
    size: Value | None = None
    checksums: tuple[tuple[str, Value], ...] = ()
    headers: Fields = ()
    playlist: str | None = None


@dataclass(frozen=True, slots=True)
class Renditions:
    """Rows, each of them a file."""

    rows: Rows
    let: tuple[tuple[str, Value], ...]
    call: Call | None
    file: File


@dataclass(frozen=True, slots=True)
class ContentSpec:
    """How a `Content` is filled. Without files it holds the defaults of the contents inside."""

    fields: tuple[tuple[str, Value], ...] = ()
    metadata: Value | tuple[tuple[str, Value], ...] | None = None
    file: File | None = None
    variants: tuple[File, ...] = ()
    renditions: Renditions | None = None
    where: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it yields something to download."""
        return bool(self.file or self.variants or self.renditions)


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows a block walks: those that `find` selects (`of` a name, or in the place), or numbers up to `to`."""

    find: Selector | None
    of: str | None = None
    counter: str | None = None
    start: int = 1
    to: Template | int | None = None
    batch: int | None = None
    when: Value | None = None
    kind: Kind | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Each:
    """A block done for each row."""

    rows: Rows
    block: Block


@dataclass(frozen=True, slots=True)
class Block:
    """One request with its pages, or none; then what is done with what was read."""

    call: Call | None = None
    pages: Pages | None = None
    errors: tuple[Rule, ...] = ()
    let: tuple[tuple[str, Value], ...] = ()
    content: ContentSpec | None = None
    goto: Value | None = None
    then: Block | None = None
    each: tuple[Each, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A URL that a handle claims, and what is expected of it."""

    url: str
    expect: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Handle:
    """One form of URL, and what answers it."""

    name: str
    patterns: tuple[str, ...]
    block: Block
    params: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    not_urls: tuple[str, ...] = ()
    status: str = "alive"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """How a token is fetched: calls one after the other, each with its names; the last answer is read."""

    steps: tuple[Block, ...]
    read: Value
    expires: Value | None = None


@dataclass(frozen=True, slots=True)
class Auth:
    """What the site wants from the user, and where that goes.

    Attributes:
        hosts: The only hosts that receive it; by default that of `base`, if it is written out.
        named: Whether `domains` names them; otherwise an instance's are those of its own `base`.
    """

    kind: str = "none"
    hosts: frozenset[str] = frozenset()
    named: bool = False
    optional: bool = False
    default: str | None = None
    headers: Fields = ()
    query: Fields = ()
    cookies: Fields = ()
    check: Value | None = None
    token: Token | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """One site file, compiled.

    Attributes:
        instances: `Defaults` by host pattern, such as `a.example` or `*.b.example`.
        hosts: The hosts beyond `domains` that calls name.
        gone: The regexes of final URLs that mean that a file was removed.
        path: The file. A hook is a function of the Python file of that name beside it.
    """

    name: str
    class_name: str
    description: str
    domains: tuple[str, ...]
    handles: Mapping[str, Handle]
    defaults: Defaults = field(default_factory=Defaults)
    instances: Mapping[str, Defaults] = field(default_factory=dict)
    kind: Kind | None = None
    auth: Auth = field(default_factory=Auth)
    errors: tuple[Rule, ...] = ()
    hooks: tuple[str, ...] = ()
    status: str = "alive"
    note: str = ""
    hosts: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()
    path: Path | None = None
    digest: str = ""
