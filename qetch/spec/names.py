"""Names: visible from their birth to the end of their block, born once, and used."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from qetch.spec.partial import Doubt, is_unread
from qetch.spec.wording import LONGEST, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qetch.spec.load import Document, Path
    from qetch.spec.problems import Problem

ALWAYS = ("source", "host")
KIND_OF = {"key": "key and oauth", "secret": "oauth", "username": "basic", "password": "basic"}
"""The kinds of `auth` that have a secret."""
SECRETS = ("key", "secret", "username", "password", "token")

Reads = Literal["json", "html", "xml", "text", "unknown"]
"""What a place or a name holds: a kind, or `unknown` where something is wrong already, and nothing more is said."""


def items(raw: Any, path: Path) -> list[tuple[Any, Path]]:
    """The items of a list with their paths; where a list is allowed, one item may stand alone."""
    if raw is None or is_unread(raw):
        return []
    return (
        [(item, (*path, i)) for i, item in enumerate(raw) if not is_unread(item)]
        if isinstance(raw, list)
        else [(raw, path)]
    )


def compared(host: str) -> str:
    """A host as requests are compared: in lower case, an IPv6 address short and without brackets; "" for a bad one.

    >>> compared("Pictures.example"), compared("[0:0::1]"), compared("[1:2]")
    ('pictures.example', '::1', '')
    """
    if not host.startswith("["):
        return host.lower()
    from ipaddress import IPv6Address

    try:
        return IPv6Address("" if "%" in host else host[1:-1]).compressed  # a zone is this machine's matter
    except ValueError:
        return ""


@dataclass(slots=True)
class Name:
    """One declaration: what it is (`group`, `param`, `counter`, `let`), where, and the kind of what it holds.

    Attributes:
        key: Whether it is the key at its path, not the value; `offset` is where in the value it begins.
    """

    kind: Reads
    what: str
    path: Path
    key: bool = False
    offset: int = 0
    used: bool = False


@dataclass(slots=True)
class Context:
    """What the compiler knows while it walks one document; problems gather here.

    Attributes:
        hosts: Those that requests may go to since they are written out.
        secrets: The names of those that something uses.
        doubt: What is not known of the names of the handle that is walked.
    """

    document: Document
    problems: list[Problem] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    doubt: Doubt = field(default_factory=Doubt)

    def problem(self, path: Path, message: str, cure: str = "", *, key: bool = False, offset: int = 0) -> None:
        """Notes a problem at the place of a path."""
        self.problems.append(self.document.problem(path, message, cure, key=key, offset=offset))

    def host(self, written: str, path: Path, *, key: bool = False) -> str:
        """A host as requests are compared; what stands in brackets and is no IPv6 address is a problem."""
        host = compared(written)
        if not host:
            self.problem(path, f"{shown(written)} is no IPv6 address", "such as [2001:db8::1]", key=key)
        return host


class Scope:
    """The names that are visible in a block: its own, and those of the blocks around it."""

    def __init__(self, context: Context, outer: Scope | None = None) -> None:
        self.context = context
        self.outer = outer
        self.born: dict[str, Name] = {}
        if outer is None:
            self.born.update({name: Name("text", "always there", (), used=True) for name in ALWAYS})

    def __iter__(self) -> Iterator[str]:
        if self.outer:
            yield from self.outer
        yield from self.born

    def declare(self, name: str, kind: Reads, what: str, path: Path, *, key: bool = False, offset: int = 0) -> None:
        """Gives birth to a name; one that is visible already is a problem."""
        if is_unread(name):
            return
        first = self._find(name)
        if first:
            where = f" (first at line {self.context.document.place(first.path).line})" if first.path else ""
            self.context.problem(
                path, f'the name "{name}" is already there{where}', "choose another name", key=key, offset=offset
            )
        elif name in SECRETS:
            message = f'"{name}" is the name of a secret'
            self.context.problem(path, message, "choose another name", key=key, offset=offset)
        else:
            self.born[name] = Name(kind, what, path, key, offset)

    def use(self, name: str, path: Path, written: str) -> Name | None:
        """Looks a name up for a use, which is a problem if it was not declared."""
        found = self._find(name)
        if found:
            self._mark(name, found)
        elif name in SECRETS:
            self.context.problem(path, f'undefined name "{written}": {self.secrets()}', self.instead(name))
        elif self.context.doubt.may_be_born(name):
            pass
        elif len(name) > LONGEST:
            self.context.problem(path, f'undefined name "{shown(written)}"', self.origin())
        else:
            known = f"(defined here: {', '.join(sorted(self))})"
            near = get_close_matches(name, list(self), 1)
            if near:
                cure = f'did you mean "{written.replace(name, near[0])}"? {known}'
                self.context.problem(path, f'undefined name "{written}"', cure)
            else:
                self.context.problem(path, f'undefined name "{written}" {known}', self.origin())
        return found

    def excuse(self, names: Iterable[str]) -> None:
        """Counts names as used where what uses them is a problem already."""
        for name in names:
            found = self._find(name)
            if found:
                self._mark(name, found)

    def _mark(self, name: str, found: Name) -> None:
        found.used = True
        if found.what == "secret":
            self.context.secrets.add(name)

    def close(self) -> None:
        """Says which names of this block nobody used."""
        for name, born in self.born.items():
            if not born.used and not self.context.doubt.may_be_used(name):
                cure = {"group": "use it, or make the group unnamed: (?:…)"}.get(born.what, "use it or remove it")
                message = f'the {born.what} "{name}" is never used'
                self.context.problem(born.path, message, cure, key=born.key, offset=born.offset)

    def origin(self) -> str:
        """Where a name would have to come from."""
        return self.outer.origin() if self.outer else "what holds for the whole site knows no names of handles"

    def secrets(self) -> str:
        """Which secrets there are here."""
        return self.outer.secrets() if self.outer else "secrets exist inside auth only"

    def instead(self, name: str) -> str:
        """What to write in place of a secret that is not there."""
        return self.outer.instead(name) if self.outer else ""

    def _find(self, name: str) -> Name | None:
        scope: Scope | None = self
        while scope:
            if name in scope.born:
                return scope.born[name]
            scope = scope.outer
        return None


class HandleScope(Scope):
    """The outermost scope of a handle."""

    def origin(self) -> str:
        """Where a name would have to come from."""
        return "before its use it is a group of `match`, one of `params`, a counter, or in a `let`"


class SecretScope(Scope):
    """Inside `auth` the secrets are names as well, and need not all be used."""

    def __init__(self, context: Context, secrets: tuple[str, ...]) -> None:
        super().__init__(context)
        self.born.update({name: Name("text", "secret", (), used=True) for name in secrets})

    def secrets(self) -> str:
        """Which secrets there are here."""
        known = ["{" + name + "}" for name in self.born if name in SECRETS]
        if not known:
            return "there are no secrets here"
        is_one = len(known) == 1
        return f"the only secret here is {known[0]}" if is_one else f"the secrets here are {' and '.join(known)}"

    def instead(self, name: str) -> str:
        """What to write in place of a secret that is not there."""
        if name == "token":
            return "it is what `token` fetches, for the headers, query and cookies of `auth`"
        return f"`kind` says which secrets there are: {name} is of {KIND_OF[name]}"
