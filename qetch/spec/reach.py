"""Where credentials go: whether each is put into something, and whether a request takes it there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qetch.spec.blocks import LITERAL_HOST
from qetch.spec.names import ALWAYS, compared, items

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from qetch.spec.load import Path
    from qetch.spec.model import Auth, Block, Defaults, Handle
    from qetch.spec.names import Context
    from qetch.spec.templates import Template

PLACES = ("headers", "query", "cookies")
NEEDED = {"key": ("key",), "oauth": ("key", "secret"), "basic": ("password",)}
"""The secrets of a kind of which one, at least, is used: often the key is all that a site asks for."""
HERE = re.compile(r"http://(\[[0-9a-f:.]+\]|[^/{}?#@:\[]+)(?=[:/?#]|$)")
HTTPS = "credentials go over https alone"


def check_secrets(context: Context, auth: Auth, raw: Mapping[str, Any]) -> None:
    """Says which secrets go nowhere, and which fields of `auth` hold none."""
    if _by_hand(context):
        return
    fixed = list(_fixed(auth))
    for path, move in fixed:
        context.problem(path, "there is no secret in it", f"what is always the same stands in {move}")
    if auth.token and "token" not in context.secrets:
        cure = 'write it in `auth`, such as headers: {Authorization: "Bearer {token}"}'
        context.problem(("auth", "token"), "{token} is never used", cure, key=True)
    is_automatic = auth.kind == "basic" and not (auth.token or any(raw.get(place) for place in PLACES))
    needed = NEEDED.get(auth.kind, ())
    if needed and not fixed and not is_automatic and context.secrets.isdisjoint(needed):
        cure = f'write it in `auth`, such as headers: {{X-Key: "{{{needed[0]}}}"}}, or in its `token`'
        if auth.kind == "basic":
            cure = "write it in `auth`, or nothing but `kind`: that is HTTP's own Authorization"
        context.problem(("auth", "kind"), f"{{{needed[0]}}} is never used", cure, key=True)


def _by_hand(context: Context) -> bool:
    """Whether a hook does with the credentials what it likes."""
    return "authenticate" in (name for name, _ in items(context.document.data.get("hooks"), ()))


def _fixed(auth: Auth) -> Iterator[tuple[Path, str]]:
    """The fields that hold no secret, and where they belong."""
    for place, fields in zip(PLACES, (auth.headers, auth.query, auth.cookies), strict=True):
        for name, template in fields:
            if set(template.names) <= set(ALWAYS):
                yield ("auth", place, name), f"`request`: {{{place}: {{{name}: …}}}}"


def check_hosts(context: Context, auth: Auth, bases: Mapping[Path, Defaults], handles: Iterable[Handle]) -> None:
    """Says which hosts of `auth` no request goes to, or none over https.

    Args:
        context: Where problems go, and the data.
        auth: What the site wants.
        bases: The site's defaults and those of its instances, by where they stand.
        handles: All of them.
    """
    if _by_hand(context) or (auth.kind == "none" and not auth.token):
        return
    known, all_known = _asked([defaults.base for defaults in bases.values()], auth, handles)
    if not auth.named:
        first = {defaults.base: path for path, defaults in reversed([*bases.items()])}  # that of the site may be all's
        for base, path in first.items():
            if base and base.prefix.startswith("http://") and not _is_here(context, base):
                context.problem((*path, "base"), HTTPS, "write https://, or remove `auth`")
        return
    for host, path in items(context.document.data["auth"]["domains"], ("auth", "domains")):
        schemes = {scheme for scheme, asked in known if asked == compared(host)}
        if schemes == {"http"} and not _is_loopback(host):
            context.problem(path, f"{HTTPS}, and the requests to {host} are http", "write https:// in them")
        elif not schemes and all_known:
            there = ", ".join(sorted({asked for _, asked in known})) or "none"
            context.problem(path, f"no request goes to {host}", f"the hosts that are asked: {there}")


def _is_here(context: Context, base: Template) -> bool:
    """Whether a base is on this machine; `{host}` may be any of the site's hosts."""
    literal = HERE.match(base.prefix)
    data = context.document.data
    hosts = [literal[1]] if literal else [*(host for host, _ in items(data["domains"], ())), *data.get("instances", {})]
    return any(map(_is_loopback, hosts))


def _is_loopback(host: str) -> bool:
    from qetch.policy import Target

    return Target("http", host.strip("[]"), 80, "").is_loopback


def _asked(bases: list[Template | None], auth: Auth, handles: Iterable[Handle]) -> tuple[set[tuple[str, str]], bool]:
    """The schemes and hosts that requests are written for, and whether that is all of them."""
    known: set[tuple[str, str]] = set()
    all_known = True
    blocks = [*(handle.block for handle in handles), *(auth.token.steps if auth.token else ())]
    for url in (url for block in blocks for url in _urls(block)):
        starts = [url] if url is None or url.whole or re.match(r"(?i)https?:|//", url.text) else bases
        for start in starts or [None]:
            literal = LITERAL_HOST.match(start.prefix) if start else None
            if start and literal:
                known.add((start.prefix.partition(":")[0], compared(literal[1])))
            else:
                all_known = False
    return known, all_known


def _urls(block: Block) -> Iterator[Template | None]:
    """The URLs of the calls of a block and of those inside; None for one that an answer gives."""
    renditions = block.content.renditions if block.content else None
    for call in (block.call, renditions.call if renditions else None):
        if call:
            yield call.url
    if block.pages and block.pages.next:
        yield None
    for inner in (*([block.then] if block.then else []), *(each.block for each in block.each)):
        yield from _urls(inner)
