"""Pages whose data are at another address: which parts of it come from the page's URL, and what is sent there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from qetch.errors import UserError
from qetch.tools.new.address import braced
from qetch.tools.telling import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qetch.session import Session
    from qetch.tools.new.address import Address, Segment

HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*)")
PUBLIC = frozenset(("accept", "accept-language", "origin", "referer", "user-agent", "x-requested-with"))
"""Headers that everybody sends; the value of any other may be somebody's own."""
SCHEME = re.compile(r"(?:Bearer|Basic|Token|Client-ID|OAuth|ApiKey|Key|JWT)[ ](?=\S)", re.IGNORECASE)
"""The word before a token; an unknown one may be a part of the secret."""
MAX_DEPTH = 40
SHORTEST = 2
"""Characters of a part that is looked for within other parts."""


@dataclass(frozen=True)
class Sent:
    """What goes along with a request.

    Attributes:
        headers: Pairs, as they were given.
        data: The JSON body of a POST; None for a GET.
    """

    headers: tuple[tuple[str, str], ...] = ()
    data: Any = None

    @property
    def secrets(self) -> dict[str, str]:
        """The headers that nobody else may see."""
        return {name: value for name, value in self.headers if name.lower() not in PUBLIC}

    @property
    def public(self) -> dict[str, str]:
        """The others."""
        return {name: value for name, value in self.headers if name.lower() in PUBLIC}

    @property
    def templates(self) -> dict[str, str]:
        """The headers of `auth`, without the secrets."""
        return {name: _scheme(value) + "{key}" for name, value in self.secrets.items()}


def _keys(value: Any, depth: int = 0) -> Iterator[str]:
    """The keys of all objects in a JSON value.

    Raises:
        ValueError: It is nested deeper than any request is.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(item, depth + 1)


def _scheme(value: str) -> str:
    found = SCHEME.match(value)
    return found[0] if found else ""


def read_sent(headers: Sequence[str], data: str | None) -> Sent:
    """What the user wants to send.

    Args:
        headers: Each as `Name: value`.
        data: JSON, or None.

    Raises:
        UserError: One of them cannot be sent; the message shows no value.
    """
    pairs = []
    for number, text in enumerate(headers, 1):
        found = HEADER.fullmatch(text)
        if found is None:
            raise UserError(f"--header number {number} is no header - write --header 'Name: value'")
        if found[1].lower() == "cookie":
            raise UserError(
                "cookies cannot be given as a header - save the answer in a browser, and name it with --page"
            )
        pairs.append((found[1], found[2]))
    try:
        body = json.loads(data) if data is not None else None
        keys = list(_keys(body))
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"--data cannot be sent ({str(error)[:80]}) - copy the JSON of the request as it was sent"
        ) from None
    told = [name for name in keys if is_secret(name)]
    if told:
        raise UserError(
            f"--data holds {told[0]!r}, a secret by its name: a site file cannot - save the answer, and use --page"
        )
    if data is not None and not isinstance(body, dict):
        raise UserError(
            "--data is not a JSON object - forms and lists of queries are to be written by hand: `qetch schema form`"
        )
    return Sent(tuple(pairs), body)


def prove(session: Session, url: str, sent: Sent) -> None:
    """Lets a session send the secret headers to the host of a URL, and nowhere else.

    Raises:
        UserError: Whoever is on the way could read them.
    """
    from qetch.credentials import Credentials
    from qetch.policy import target_of

    if not sent.secrets:
        return
    target = target_of(url)
    hosts = frozenset((f"{target.host}:{target.port}",))
    session.credentials = Credentials(hosts, headers=sent.secrets, secrets=tuple(sent.secrets.values()))
    if not session.credentials.belong_to(target):
        names = ", ".join(sent.secrets)
        raise UserError(
            f"{names} would go over plain http to {target.host}, where others can read it - give an https URL"
        )


def behind(page: Address, asked: Address) -> Address:
    """A page's address, with that of its data, in which what comes from the page's URL has the page's names."""
    parts = _parts(page)
    segments = tuple(_named(replace(segment, name="", lead="", tail=""), parts) for segment in asked.segments)
    values = {name: written(text, parts) for name, text in asked.values.items()}
    # The names of its query are no names here: only one that comes twice has no place in a mapping.
    template = asked.repeats and len(parse_qsl(urlsplit(asked.url).query, keep_blank_values=True)) == len(values)
    return replace(page, asks=replace(asked, segments=segments, values=values, id=page.id, template=template))


def _parts(page: Address) -> dict[str, str]:
    """What the groups of a page's URL caught, by their names, and the entry of its query that is its id."""
    found = {segment.name: segment.core for segment in page.segments if segment.name}
    return {page.id: page.values[page.id], **found} if page.id in page.params else found


def _named(segment: Segment, parts: dict[str, str]) -> Segment:
    found = _part_of(segment.text, parts)
    if found is None:
        return segment
    name, start, end = found
    return replace(segment, name=name, lead=segment.text[:start], tail=segment.text[end:])


def _part_of(text: str, parts: dict[str, str]) -> tuple[str, int, int] | None:
    """Which part stands in a text, and from where to where: all of it, or between what is no letter and no digit."""
    for name, part in parts.items():
        if text == part:
            return name, 0, len(text)
    for name, part in parts.items():
        found = re.search(rf"(?<![A-Za-z0-9]){re.escape(part)}(?![A-Za-z0-9])", text)
        if found and len(part) >= SHORTEST:
            return name, found.start(), found.end()
    return None


def written(text: str, parts: dict[str, str]) -> str:
    """A text as a template, with the name of what comes from the page's URL."""
    found = _part_of(text, parts)
    if found is None:
        return braced(text)
    name, start, end = found
    return f"{braced(text[:start])}{{{name}}}{braced(text[end:])}"


def body_words(data: dict[str, Any], page: Address | None) -> dict[str, Any]:
    """The words for the body of a POST: a query of GraphQL with its variables, or JSON."""
    parts = _parts(page) if page else {}
    query, variables = data.get("query"), data.get("variables")
    if isinstance(query, str) and query.strip() and isinstance(variables, (dict, type(None))):
        return {"graphql": query, **({"variables": _tree(variables, parts)} if variables else {})}
    return {"json": _tree(data, parts)}


def first_bodies(data: dict[str, Any] | None, names: Sequence[str]) -> list[Any]:
    """What a draft may post at first: the body without what leads on, which is null then, and the whole body."""
    if data is None:
        return []
    from qetch.replay import ANY

    graphql = "graphql" in body_words(data, None)
    # Blanks at the end of a query are nothing, and not kept: a record's ANY fits all.
    whole = {"query": ANY, **({"variables": data["variables"]} if data.get("variables") else {})} if graphql else data
    inner = whole.get("variables", {}) if graphql else whole
    fewer = {key: value for key, value in inner.items() if key not in names}
    return [whole, {**whole, "variables": fewer} if graphql else fewer]


def _tree(value: Any, parts: dict[str, str]) -> Any:
    """JSON with templates for its texts."""
    if isinstance(value, str):
        return written(value, parts)
    if isinstance(value, dict):
        return {key: _tree(item, parts) for key, item in value.items()}
    return [_tree(item, parts) for item in value] if isinstance(value, list) else value
