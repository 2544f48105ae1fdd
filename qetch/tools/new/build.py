"""Makes the data of a spec out of a URL and a proposal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.tools.new.address import braced
from qetch.tools.new.asked import Sent, body_words
from qetch.tools.new.yaml_text import Noted, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qetch.tools.new.address import Address
    from qetch.tools.new.page import Page
    from qetch.tools.new.proposals import Proposal

NOTHING = Sent()
PLACEHOLDER = re.compile(r"\{\+?([A-Za-z_][A-Za-z0-9_]*)\}")
TEMPLATES = frozenset(("get", "post", "text", "goto", "to"))
"""Keys whose texts are templates, besides those of `FIELDS`."""
FIELDS = frozenset(("query", "variables", "json"))


def build(
    address: Address, page: Page, proposal: Proposal, sent: Sent = NOTHING, *, by_source: bool = False
) -> dict[str, Any]:
    """The data of a spec.

    Args:
        address: The URL, taken apart.
        page: What answered.
        proposal: How the page is to be read.
        sent: What went along with the request.
        by_source: Ask for the URL as it was given, and not for one built from its groups.
    """
    head = _head(address, page, proposal, sent)
    if by_source or not address.request.template:
        head["request"].pop("base", None)
    return {**head, "handles": _handles(address, page, proposal, sent, by_source)}


def skeleton(address: Address, page: Page, sent: Sent = NOTHING) -> dict[str, Any]:
    """A spec for a page on which nothing was found: valid, with the places to fill in."""
    url = {"html": "a.download::attr(href)", "text": r"https?://\S+"}.get(page.kind, "url")
    head = _head(address, page, None, sent)
    uid = f"{{{address.id}}}" if address.id else "page"
    handle: dict[str, Any] = {
        Remark("Nothing here looks like a file of the page. What follows is an example for you to replace:"): None,
        Remark("`each` with `in` for a list, `content` with `url` or `variants` for one item."): None,
        "content": {"uid": {"text": uid}, "url": Noted(url, "decide: where is the file?")},
    }
    name = address.about or "item"
    return {**head, "handles": {name: _handle(address, page, handle, _call(sent, address), by_source=False)}}


def _head(address: Address, page: Page, proposal: Proposal | None, sent: Sent) -> dict[str, Any]:
    domains = list(dict.fromkeys((address.domain, *(proposal.domains if proposal else ()))))
    found = proposal.evidence if proposal else "nothing that looks like a file"
    head: dict[str, Any] = {
        Remark(f"A first draft, made from {found}."): None,
        Remark('Decide where it says "decide", and remove the comments.'): None,
        Remark("Then: qetch validate FILE, and qetch extract URL --sites FOLDER."): None,
        "qetch": 1,
        "name": address.name,
        "description": _description(address, page),
        "domains": Noted(domains, API_NOTE) if page.kind == "json" and _is_api(address) else domains,
        **_auth(address.request, sent),
    }
    request: dict[str, Any] = {"as": page.kind}
    if page.kind == "json":
        request["base"] = _base(address.request)
    if sent.public:
        request["headers"] = {name: braced(value) for name, value in sent.public.items()}
    return {**head, "request": request}


def _auth(asked: Address, sent: Sent) -> dict[str, Any]:
    """How users prove who they are, if whoever made the draft did."""
    if len(asked.secrets) + len(sent.secrets) > 1:
        return {Remark("decide: there were several secrets, not written here: how does `auth` prove who asks?"): None}
    auth: dict[str, Any] = {"kind": "key", "domains": [asked.domain]}
    if asked.secrets:
        return {
            Remark("the URL held a secret, which is not written here: users give it with `qetch auth add`"): None,
            "auth": {**auth, "query": {asked.secrets[0]: "{key}"}},
        }
    if sent.secrets:
        note = f"decide: is anything shown without the key? Then add {OPTIONAL}. Users give theirs by `qetch auth add`"
        return {Remark(note): None, "auth": {**auth, "headers": sent.templates}}
    return {}


OPTIONAL = "`optional: true`"
API_NOTE = "decide: people paste the page's URL, not this one: `qetch new PAGE_URL --api THIS_URL` takes both"


def _is_api(address: Address) -> bool:
    return address.asks is None and (
        address.host.startswith("api.") or any(segment.text == "api" for segment in address.segments)
    )


def _description(address: Address, page: Page) -> str:
    name = page.first('meta[property="og:site_name"]::attr(content)') if page.kind == "html" else ""
    plain = re.sub(r"[^\w .,'()-]", " ", name).split()
    return f"Pictures and videos of {' '.join(plain)[:60] or address.domain}."


def _handles(address: Address, page: Page, proposal: Proposal, sent: Sent, by_source: bool) -> dict[str, Any]:
    remarks: dict[str, Any] = {Remark(text): None for text in proposal.decide}
    block: dict[str, Any] = {**({"let": proposal.let} if proposal.let else {}), **remarks, **proposal.block}
    if proposal.item:
        block["content"] = proposal.item.content()
    call = _call(sent, address, proposal.query)
    if proposal.pages:
        call["pages"] = proposal.pages
    name = address.about or ("list" if "each" in block else "item")
    return {name: _handle(address, page, block, call, by_source=by_source)}


def _call(sent: Sent, address: Address, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What goes along with the request: entries of its query, or of its body if it has one."""
    if sent.data is None:
        return {"query": dict(query)} if query else {}
    words = body_words(sent.data, address)
    if query:
        place = "variables" if "graphql" in words else "json"
        given = words.get(place, {})
        asked = {
            name: entry.value if isinstance(entry, Noted) and name in given else entry for name, entry in query.items()
        }
        words[place] = {**given, **asked}
    return words


def _handle(
    address: Address, page: Page, block: dict[str, Any], call: Mapping[str, Any], *, by_source: bool
) -> dict[str, Any]:
    """A handle; names that nothing uses are left out of `match` and `params`."""
    by_source = by_source or not address.request.template
    as_given = "{source}" if address.asks is None else braced(address.asks.url)
    url = as_given if by_source else _get(address.request, page)
    words: dict[str, Any] = {_method(call): _asked_note(url, address, call)}
    query = {} if by_source else _query(address)
    query |= call.get("query", {})
    if query:
        words["query"] = query
    words |= {name: value for name, value in call.items() if name != "query"}
    words |= block
    used = set(names(words)) - {words.get("pages", {}).get("counter")}
    params = [name for name in address.params if name in used]
    groups = [segment.name for segment in address.segments if segment.name in used]
    start: dict[str, Any] = {
        Remark("decide: does `match` fit all such URLs, and no others?"): None,
        "match": address.pattern([*groups, *params]),
    }
    if params:
        start["params"] = params
    return {**start, "examples": [address.url], **words}


def _method(call: Mapping[str, Any]) -> str:
    return "get" if call.keys().isdisjoint(("graphql", "json")) else "post"


def _query(address: Address) -> dict[str, str]:
    """The query of the request, as it was given, or from the names of the page's URL."""
    return dict(address.asks.values) if address.asks else {name: f"{{{name}}}" for name in address.params}


def _asked_note(url: str, address: Address, call: Mapping[str, Any]) -> Any:
    """The URL of the request, with a remark if nothing of what is asked comes from the page's URL."""
    used = list(names({"get": url, "query": _query(address), **call}))
    return Noted(url, UNTIED) if address.asks and address.id and address.id not in used else url


UNTIED = "decide: nothing here comes from the page's URL, so every page would ask for the same"


def names(words: Any, key: str = "") -> Iterator[str]:
    """The names that the templates of a block use."""
    if isinstance(words, Noted):
        yield from names(words.value, key)
    elif isinstance(words, str):
        if key in TEMPLATES or key in FIELDS:
            yield from PLACEHOLDER.findall(words.replace("{{", "").replace("}}", ""))
    elif isinstance(words, list):
        for item in words:
            yield from names(item, key)
    elif isinstance(words, dict):
        for name, item in words.items():
            yield from names(item, key if key in FIELDS else name)


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
