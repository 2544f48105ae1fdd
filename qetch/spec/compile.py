"""Compiles a site file that passed the schema: names, kinds, and everything that can be compiled, is."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from qetch.selectors import patterns
from qetch.spec.blocks import BlockCompiler
from qetch.spec.expects import check_expects
from qetch.spec.model import Auth, Block, Defaults, Example, Handle, Site, Token
from qetch.spec.names import Context, Scope, SecretScope, items
from qetch.spec.reach import check_hosts, check_secrets
from qetch.spec.values import ValueCompiler, compile_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from qetch.spec.load import Document, Path
    from qetch.spec.model import Kind, Rule
    from qetch.spec.problems import Problem

SECRETS_OF: dict[str, tuple[str, ...]] = {
    "none": (),
    "key": ("key",),
    "basic": ("username", "password"),
    "oauth": ("key", "secret"),
    "cookies": (),
}
GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")
SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def compile_site(document: Document, broken: AbstractSet[str] | None = None) -> tuple[Site | None, list[Problem]]:
    """The compiled site, or None, and all problems that the schema could not see.

    Args:
        document: What `check` has seen.
        broken: The handles in which `check` has found problems, of a file that it refuses: they are left out, and there
            is no site.
    """
    context = Context(document)
    data = document.data
    request = data.get("request", {})
    kind: Kind | None = request.get("as")
    blocks = BlockCompiler(context, kind)
    defaults = _defaults(blocks, request, ("request",))
    instances = {host: _instance(blocks, request, host, raw) for host, raw in data.get("instances", {}).items()}
    bases: dict[Path, Defaults] = {("request",): defaults}
    bases |= {("instances", host): given for host, given in instances.items()}
    blocks.bases = [given.base for given in bases.values() if given.base]
    site_values = ValueCompiler(context, Scope(context), kind)
    errors = blocks.rules(data.get("errors"), ("errors",), site_values)
    auth = _auth(blocks, data.get("auth", {}), kind, defaults)
    handles = {
        name: _handle(blocks, name, raw) for name, raw in data.get("handles", {}).items() if name not in (broken or ())
    }
    _check_examples(context, handles, data)
    if broken is None:
        check_hosts(context, auth, bases, handles.values())
    if context.problems or broken is not None:
        return None, sorted(context.problems)
    return (
        Site(
            name=data["name"],
            class_name=data.get("class") or class_name(data["name"]),
            description=data["description"],
            domains=_texts(data["domains"]),
            handles=handles,
            defaults=defaults,
            instances=instances,
            kind=kind,
            auth=auth,
            errors=errors,
            hooks=_texts(data.get("hooks")),
            status=data.get("status", "alive"),
            note=data.get("note", ""),
            hosts=frozenset(context.hosts) | auth.hosts,
            gone=tuple(_gone(errors, handles.values())),
        ),
        [],
    )


def class_name(name: str) -> str:
    """The class of a site that names none: `my-site` is `MySiteExtractor`."""
    words = re.split(r"[-_]", name)
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return f"{'Site' if joined[:1].isdigit() else ''}{joined}Extractor"


def _defaults(blocks: BlockCompiler, raw: Mapping[str, Any], path: Path) -> Defaults:
    base = None
    if "base" in raw:
        base = ValueCompiler(blocks.context, Scope(blocks.context), None).template(raw["base"], (*path, "base"))
        blocks.note_host(base, (*path, "base"), absolute=True)
    rate = re.fullmatch(r"(\d+)/(s|min|h)", raw["rate"]) if "rate" in raw else None
    wait = re.fullmatch(r"(\d+)(s|min)", raw["wait"]) if "wait" in raw else None
    return Defaults(
        base=base,
        rate=(int(rate[1]), SECONDS[rate[2]]) if rate else None,
        wait=int(wait[1]) * SECONDS[wait[2]] if wait else None,
        headers=blocks.site_fields(raw.get("headers"), (*path, "headers"), header=True),
        query=blocks.site_fields(raw.get("query"), (*path, "query")),
        cookies=blocks.site_fields(raw.get("cookies"), (*path, "cookies"), header=True),
    )


def _instance(blocks: BlockCompiler, request: Mapping[str, Any], host: str, raw: Mapping[str, Any]) -> Defaults:
    """An instance's own words, laid key by key over the site's."""
    path: Path = ("instances", host)
    if raw.get("as", request.get("as")) != request.get("as"):
        blocks.context.problem((*path, "as"), "an instance answers as its site does", "remove `as`", key=True)
    own, site = (
        _defaults(blocks, raw, path),
        _defaults(BlockCompiler(Context(blocks.context.document), None), request, ()),
    )
    return Defaults(
        base=own.base or site.base,
        rate=own.rate or site.rate,
        wait=own.wait or site.wait,
        headers=tuple({**dict(site.headers), **dict(own.headers)}.items()),
        query=tuple({**dict(site.query), **dict(own.query)}.items()),
        cookies=tuple({**dict(site.cookies), **dict(own.cookies)}.items()),
    )


# --- auth


def _auth(blocks: BlockCompiler, raw: Mapping[str, Any], kind: Kind | None, defaults: Defaults) -> Auth:
    path: Path = ("auth",)
    context = blocks.context
    before = len(context.problems)
    auth_kind = raw.get("kind", "none")
    secrets = SECRETS_OF[auth_kind]
    token = _token(blocks, raw["token"], secrets, kind) if "token" in raw else None
    scope = SecretScope(context, (*secrets, "token") if token else secrets)
    values = ValueCompiler(context, scope, None)
    auth = Auth(
        kind=auth_kind,
        hosts=frozenset(_texts(raw.get("domains"))) or _base_host(defaults),
        named="domains" in raw,
        optional=raw.get("optional", False),
        default=raw.get("default"),
        headers=values.fields(raw.get("headers"), (*path, "headers"), header=True),
        query=values.fields(raw.get("query"), (*path, "query")),
        cookies=values.fields(raw.get("cookies"), (*path, "cookies"), header=True),
        check=None,
        token=token,
    )
    if auth_kind != "none" and not auth.hosts and not defaults.base:
        cure = "add `domains` to `auth`"
        context.problem(path, "nothing says which hosts receive the credentials", cure, key=True)
    if len(context.problems) == before:
        check_secrets(context, auth, raw)
    if "check" in raw:
        check = ValueCompiler(context, Scope(context), kind).condition(raw["check"], (*path, "check"))
        auth = replace(auth, check=check)
    return auth


def _base_host(defaults: Defaults) -> frozenset[str]:
    from qetch.spec.blocks import LITERAL_HOST

    literal = LITERAL_HOST.match(defaults.base.prefix) if defaults.base else None
    return frozenset({literal[1].lower()} if literal else ())


def _token(blocks: BlockCompiler, raw: Mapping[str, Any], secrets: tuple[str, ...], kind: Kind | None) -> Token:
    """The steps of a token; the names of all of them are visible to the end."""
    path: Path = ("auth", "token")
    scope: Scope = SecretScope(blocks.context, secrets)
    scopes, steps, step, step_path = [scope], [], raw, path
    while True:
        call = blocks.call(step, step_path, scope) if "get" in step or "post" in step else None
        kind = call.kind if call else kind
        scope = Scope(blocks.context, scope)
        scopes.append(scope)
        values = ValueCompiler(blocks.context, scope, kind)
        let = blocks.let(step.get("let"), (*step_path, "let"), values)
        steps.append(Block(call=call, let=let, where=".".join(map(str, step_path))))
        if "then" not in step:
            break
        step, step_path = step["then"], (*step_path, "then")
    token = Token(
        tuple(steps),
        read=values.value(raw["read"], (*path, "read"))[0],
        expires=values.value(raw["expires"], (*path, "expires"))[0] if "expires" in raw else None,
    )
    for inner in scopes:
        inner.close()
    return token


# --- handles


def _handle(blocks: BlockCompiler, name: str, raw: Mapping[str, Any]) -> Handle:
    path: Path = ("handles", name)
    scope = Scope(blocks.context)
    groups: dict[str, None] = {}
    for pattern, inner in items(raw["match"], (*path, "match")):
        _declare_groups(blocks.context, scope, pattern, inner, groups)
    for param, inner in items(raw.get("params"), (*path, "params")):
        scope.declare(param, "text", "param", inner)
    block = blocks.block(raw, path, scope, None)
    if not (block.call or block.content or block.goto or block.then or block.each):
        blocks.context.problem(path, "a handle makes a request, gives a content, or goes to another URL", key=True)
    scope.close()
    check_expects(blocks.context, name, raw)
    return Handle(
        name=name,
        patterns=_texts(raw["match"]),
        block=block,
        params=_texts(raw.get("params")),
        groups=tuple(groups),
        examples=tuple(_example(item) for item, _ in items(raw["examples"], path)),
        not_urls=_texts(raw.get("not")),
        status=raw.get("status", "alive"),
        note=raw.get("note", ""),
    )


def _texts(raw: Any) -> tuple[str, ...]:
    return tuple(item for item, _ in items(raw, ()))


def _declare_groups(context: Context, scope: Scope, pattern: str, path: Path, groups: dict[str, None]) -> None:
    """Several regexes of one handle may share the names of their groups."""
    compiled = compile_pattern(context, pattern, path)
    found = compiled.groupindex if compiled else GROUP.findall(pattern)  # those of a bad one are no second mistake
    for group in found:
        if group not in groups:
            groups[group] = None
            scope.declare(group, "text", "group", path, offset=pattern.find(f"(?P<{group}") + len("(?P<"))


def _example(raw: Any) -> Example:
    return Example(raw) if isinstance(raw, str) else Example(raw["url"], raw.get("expect"))


def _gone(errors: tuple[Rule, ...], handles: Iterable[Handle]) -> Iterator[str]:
    """The `url` rules that a downloader must ask as well, those that ask nothing else."""
    for rule in (*errors, *(rule for handle in handles for rule in _rules(handle.block))):
        if rule.url and not rule.when and not rule.statuses and rule.raises in ("gone", "not_found"):
            yield rule.url.pattern


def _rules(block: Block) -> Iterator[Rule]:
    """The rules of a block and of all blocks inside."""
    yield from block.errors
    for inner in (*([block.then] if block.then else []), *(each.block for each in block.each)):
        yield from _rules(inner)


def _check_examples(context: Context, handles: Mapping[str, Handle], data: Mapping[str, Any]) -> None:
    """Each example belongs to its handle, as the first that matches, and each `not` does not."""
    hosts = [*_texts(data["domains"]), *data.get("instances", {})]
    for handle in handles.values():
        for i, example in enumerate(handle.examples if _compiles(handle) else ()):
            path = ("handles", handle.name, "examples", i)
            claimed = _claimed_by(handles, example.url)
            if claimed != handle.name:
                who = f'handle "{claimed}" above claims it' if claimed else "`match` does not match it"
                context.problem(path, f"not an example of this handle: {who}", "change the one or the other")
            elif not _on_hosts(example.url, hosts):
                near = get_close_matches(example.url.split("/")[2], hosts, 1, 0)
                context.problem(path, "the example's host is not in `domains`", f"add it (there is {near[0]})")
        for i, url in enumerate(handle.not_urls):
            if _claims(handle, url):
                context.problem(("handles", handle.name, "not", i), "`match` matches what it should not")


def _claimed_by(handles: Mapping[str, Handle], url: str) -> str | None:
    for handle in handles.values():
        if _claims(handle, url):
            return handle.name
    return None


def _claims(handle: Handle, url: str) -> bool:
    asked = patterns.without_query(url) if handle.params else url
    return _compiles(handle) and any(patterns.match_url(pattern, asked) for pattern in handle.patterns)


def _compiles(handle: Handle) -> bool:
    return not any(map(patterns.check, handle.patterns))


def _on_hosts(url: str, hosts: list[str]) -> bool:
    found = re.match(r"https?://([^/?#:@]+)", url)
    host = found[1].lower() if found else ""
    for pattern in hosts:
        name = pattern.removeprefix("*.").lower()
        if host == name or host.endswith("." + name):
            return True
    return False
