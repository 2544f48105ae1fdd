"""Small words of the messages: what was meant, how a text is shown, how it would be quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

LONGEST = 80


def near(word: str, known: Collection[str]) -> str:
    """The known word that was probably meant, or nothing.

    >>> near("upload_date", ["uploaded_date", "title"]), near("im", ["in", "of"]), near("qwerty", ["in"])
    ('uploaded_date', 'in', '')
    """
    from difflib import get_close_matches

    if len(word) > LONGEST:
        return ""
    found = get_close_matches(word, known, 1, 0.5 if len(word) < 4 else 0.6)
    return found[0] if found else ""


def shown(text: str) -> str:
    r"""A text on one line, and not too long.

    >>> shown("a\nb")
    'a\\nb'
    """
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def quoted(text: str) -> str:
    r"""A text as it can stand in YAML.

    >>> quoted("[0].data"), quoted('a[rel="next"]'), quoted(r"\d+")
    ('"[0].data"', '\'a[rel="next"]\'', "'\\d+'")
    """
    text = shown(text)
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'
