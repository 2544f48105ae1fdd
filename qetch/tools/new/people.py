"""Which key of rows says who made an item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qetch.tools.new import shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qetch.tools.new.items import Column

PEOPLE = frozenset(("author", "user", "uploader", "owner", "creator", "artist", "account", "channel", "photographer"))
MAKERS = PEOPLE | {"by", "maker", "publisher", "submitter", "member"}
"""Keys of objects that are somebody."""
PERSON_NAMES = (
    *("name", "displayname", "display", "fullname", "username", "nickname", "nick", "screenname", "login", "title"),
)
NICKS = frozenset(
    (
        *("nick", "nickname", "username", "screenname", "displayname", "display", "handle", "avatar", "avatarurl"),
        "firstname",
    )
)
"""Keys that only somebody has."""


def person(table: Sequence[Column]) -> Column | None:
    """Who made the item: a text under a key for people, or a name in an object that is somebody."""
    for column in table:
        said = not PEOPLE.isdisjoint(column.words) and column.words[-1] not in ("id", "type", "url", "role", "count")
        if said and len(column.path) == 1 and column.is_plain_text:
            return column
    for name in PERSON_NAMES:
        for column in table:
            if len(column.path) == 2 and column.key == name and column.is_plain_text and _is_somebody(column, table):
                return column
    return None


def _is_somebody(column: Column, table: Sequence[Column]) -> bool:
    """Whether the object around a name is a person, by its own key or by the keys in it."""
    around = shapes.words(column.path[0])
    return not MAKERS.isdisjoint(around) or any(
        other.key in NICKS for other in table if len(other.path) == 2 and other.path[0] == column.path[0]
    )
