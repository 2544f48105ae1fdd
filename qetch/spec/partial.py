"""What is known of the parts of a site file that could not be read, so that nothing false is said of the others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qetch.spec.load import Document, Path

WORD = re.compile(r"[A-Za-z_]\w*")


class Partial(dict[str, Any]):
    """A mapping of which something could not be read; an empty one stands for a value that is none."""


def is_partial(raw: Any) -> bool:
    """Whether something that was written in a mapping is not in it."""
    return raw.__class__ is Partial


def is_unread(raw: Any) -> bool:
    """Whether this stands for a value that could not be read."""
    return raw.__class__ is Partial and not raw


@dataclass(slots=True)
class Doubt:
    """What cannot be said of the names of a handle, since a part of it could not be read.

    Attributes:
        words: All that could be names in such parts: there they may be born, and used.
        births: Such words of regexes alone, which use no names.
        any_birth: Something is missing that may give birth to any name.
        any_use: Something is missing that may use any name.
    """

    words: set[str] = field(default_factory=set)
    births: set[str] = field(default_factory=set)
    any_birth: bool = False
    any_use: bool = False

    def may_be_born(self, name: str) -> bool:
        """Whether a name that was not found may be there nevertheless."""
        return self.any_birth or name in self.words or name in self.births

    def may_be_used(self, name: str) -> bool:
        """Whether a name that nothing seems to use may have a use."""
        return self.any_use or name in self.words


@dataclass(frozen=True, slots=True)
class Rest:
    """What can be read of a file.

    Attributes:
        document: The file, with `Partial` mappings where something was left out.
        doubts: By the word of the site, or by `handles` and the handle's name, in which that was.
    """

    document: Document
    doubts: Mapping[Path, Doubt] = field(default_factory=dict)

    def doubt(self, *area: str) -> Doubt:
        """The doubts about the names of a handle, or of what is said of the site as a whole."""
        if area[:1] == ("handles",):
            return self.doubts.get(area) or Doubt()
        whole = Doubt()
        for place, doubt in self.doubts.items():
            if place[:1] != ("handles",):
                whole.words |= doubt.words
                whole.any_birth |= doubt.any_birth
                whole.any_use |= doubt.any_use
        return whole

    def is_sure(self, *words: str) -> bool:
        """Whether nothing was left out below any of these words of the site, nor one of them altogether."""
        if () in self.doubts and not all(word in self.document.data for word in words):
            return False
        return not any(area[0] in words for area in self.doubts if area)


def area_of(path: Path) -> Path:
    """The word of the site in which a path is, with the name of the handle."""
    return path[:2] if path[:1] == ("handles",) else path[:1]
