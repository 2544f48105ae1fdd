"""Makes the data of a spec out of a URL and a proposal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.tools.new.yaml_text import Noted, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qetch.tools.new.address import Address
    from qetch.tools.new.page import Page
    from qetch.tools.new.proposals import Proposal

PLACEHOLDER = re.compile(r"\{\+?([A-Za-z_][A-Za-z0-9_]*)\}")
TEMPLATES = frozenset(("get", "text", "goto", "to"))
"""Keys whose texts are templates, besides those of `query`."""


def build(address: Address, page: Page, proposal: Proposal, *, by_source: bool = False) -> dict[str, Any]:
    """The data of a spec.

    Args:
        address: The URL, taken apart.
        page: What answered.
        proposal: How the page is to be read.
        by_source: Ask for the URL as it was given, and not for one built from its groups.
    """
    head = _head(address, page, proposal)
    if by_source or not address.template:
        head["request"].pop("base", None)
    return {**head, "handles": _handles(address, page, proposal, by_source)}


def skeleton(address: Address, page: Page) -> dict[str, Any]:
    """A spec for a page on which nothing was found: valid, with the places to fill in."""
    url = "url" if page.kind == "json" else "a.download::attr(href)" if page.kind == "html" else r"https?://\S+"
    head = _head(address, page, None)
    uid = f"{{{address.id}}}" if address.id else "page"
    handle: dict[str, Any] = {
        Remark("Nothing here looks like a file of the page. What follows is an example for you to replace:"): None,
        Remark("`each` with `in` for a list, `content` with `url` or `variants` for one item."): None,
        "content": {"uid": {"text": uid}, "url": Noted(url, "decide: where is the file?")},
    }
    return {**head, "handles": {"item": _handle(address, page, handle, {}, by_source=not address.template)}}


def _head(address: Address, page: Page, proposal: Proposal | None) -> dict[str, Any]:
    domains = list(dict.fromkeys((address.domain, *(proposal.domains if proposal else ()))))
    found = proposal.evidence if proposal else "nothing that looks like a file"
    head: dict[str, Any] = {
        Remark(f"A first draft, made from {found}."): None,
        Remark(
            'Where it says "decide", a person must look. Then: qetch validate, and qetch extract with --sites.'
        ): None,
        "qetch": 1,
        "name": address.name,
        "description": _description(address, page),
        "domains": Noted(domains, API_NOTE) if page.kind == "json" and _is_api(address) else domains,
    }
    if len(address.secrets) == 1:
        note = "the URL held a secret, which is not written here: users give it with `qetch auth add`"
        head[Remark(note)] = None
        fields = {address.secrets[0]: "{key}"}
        head["auth"] = {"kind": "key", "domains": [address.domain], "query": fields}
    elif address.secrets:
        head[Remark("decide: the URL held secrets, which are not written here: how does `auth` prove who asks?")] = None
    request: dict[str, Any] = {"as": page.kind}
    if page.kind == "json":
        request["base"] = _base(address)
    return {**head, "request": request}


API_NOTE = "decide: people paste the page's URL, not this one: match that too, and add its host"


def _is_api(address: Address) -> bool:
    return address.host.startswith("api.") or any(segment.text == "api" for segment in address.segments)


def _description(address: Address, page: Page) -> str:
    name = page.first('meta[property="og:site_name"]::attr(content)') if page.kind == "html" else ""
    plain = re.sub(r"[^\w .,'()-]", " ", name).split()
    return f"Pictures and videos of {' '.join(plain)[:60] or address.domain}."


def _handles(address: Address, page: Page, proposal: Proposal, by_source: bool) -> dict[str, Any]:
    block = {**({"let": proposal.let} if proposal.let else {}), **proposal.block}
    if proposal.item:
        block["content"] = proposal.item.content()
    call = {"pages": proposal.pages} if proposal.pages else {}
    if proposal.query:
        call = {"query": proposal.query, **call}
    remarks: dict[str, Any] = {Remark(text): None for text in proposal.decide}
    name = "list" if "each" in block else "item"
    return {name: _handle(address, page, {**remarks, **block}, call, by_source=by_source)}


def _handle(
    address: Address, page: Page, block: dict[str, Any], call: Mapping[str, Any], *, by_source: bool
) -> dict[str, Any]:
    """A handle; names that nothing uses are left out of `match` and `params`."""
    words: dict[str, Any] = {"get": "{source}" if by_source or not address.template else _get(address, page)}
    query = {} if words["get"] == "{source}" else {name: f"{{{name}}}" for name in address.params}
    query |= call.get("query", {})
    if query:
        words["query"] = query
    words |= {name: value for name, value in call.items() if name != "query"}
    words |= block
    used = set(names(words))
    params = [name for name in address.params if name in used]
    groups = [segment.name for segment in address.segments if segment.name in used]
    start: dict[str, Any] = {
        Remark("decide: does `match` fit all such URLs, and no others?"): None,
        "match": address.pattern([*groups, *params]),
    }
    if params:
        start["params"] = params
    return {**start, "examples": [address.url], **words}


def names(words: Any, key: str = "") -> Iterator[str]:
    """The names that the templates of a block use."""
    if isinstance(words, Noted):
        yield from names(words.value, key)
    elif isinstance(words, str):
        if key in TEMPLATES:
            yield from PLACEHOLDER.findall(words)
    elif isinstance(words, list):
        for item in words:
            yield from names(item, key)
    elif isinstance(words, dict):
        for name, item in words.items():
            yield from names(item, "get" if key == "query" else name)


def _base(address: Address) -> str:
    return "/".join((address.origin, *(segment.text for segment in address.segments[: _fixed(address)]))) + "/"


def _get(address: Address, page: Page) -> str:
    """The URL as a template: below `base` for JSON, whole for a page, so that its links are joined to itself."""
    path = address.path()
    if page.kind == "json" and address.segments:
        return path.split("/", _fixed(address))[-1]
    return f"{address.origin}/{path}"


def _fixed(address: Address) -> int:
    """How many segments stand in `base`."""
    named = [i for i, segment in enumerate(address.segments) if segment.name]
    plain = [i for i, segment in enumerate(address.segments) if re.search(r"[{}]|^\.+$", segment.text)]
    return min([*named, *plain, max(len(address.segments) - 1, 0)])
