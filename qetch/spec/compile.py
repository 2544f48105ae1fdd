"""Compiles a site file that passed the schema: names, kinds, and everything that can be compiled, is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qetch.spec.blocks import BlockCompiler
from qetch.spec.claims import check_examples
from qetch.spec.expects import check_expects
from qetch.spec.model import Auth, Block, Defaults, Example, Handle, Site, Token
from qetch.spec.names import SECRETS, Context, HandleScope, Scope, SecretScope, compared, items
from qetch.spec.partial import WORD, Partial, Rest, is_partial, is_unread
from qetch.spec.reach import check_hosts, check_secrets
from qetch.spec.values import ValueCompiler, compile_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from qetch.spec.load import Document, Path
    from qetch.spec.model import Rule
    from qetch.spec.problems import Problem

SECRETS_OF: dict[str, tuple[str, ...]] = {
    "none": (),
    "key": ("key",),
    "basic": ("username", "password"),
    "oauth": ("key", "secret"),
    "cookies": (),
}
GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")
DOES = ("get", "post", "content", "goto", "then", "each")
"""The words of which a handle has at least one."""
DOES_NOTHING = "a handle makes a request, gives a content, or goes to another URL"
CLAIMS = ("name", "class", "domains", "instances")
"""The words without which nobody knows what a site claims."""
SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def compile_site(document: Document) -> tuple[Site | None, list[Problem]]:
    """The compiled site of a file that `check` finds good, or None, and all problems that the schema could not see."""
    site, problems = compile_rest(Rest(document))
    return (None if problems else site), problems


def compile_rest(rest: Rest) -> tuple[Site | None, list[Problem]]:
    """What can be known of a site, and all problems in what can be read of its file that the schema could not see.

    The site is for use only if there are no problems, here or in what could not be read. Otherwise it says what it
    surely claims: it has the handles of which that is known, or is None if its name or hosts are not.
    """
    context = Context(rest.document)
    data = rest.document.data
    request = data.get("request", {})
    blocks = BlockCompiler(context, None)
    blocks.kind = blocks.kind_of(request)
    if blocks.kind is None and not rest.is_sure("request"):
        blocks.kind = "unknown"
    context.doubt = rest.doubt()
    defaults = _defaults(blocks, request, ("request",))
    instances = {host: _instance(blocks, request, host, raw) for host, raw in data.get("instances", {}).items()}
    domains = _hosts(context, data.get("domains"), ("domains",))
    hosts = {host: context.host(host, ("instances", host), key=True) for host in instances}
    bases: dict[Path, Defaults] = {("request",): defaults}
    bases |= {("instances", host): given for host, given in instances.items()}
    blocks.bases = [given.base for given in bases.values() if given.base]
    blocks.has_base = bool(blocks.bases) or not rest.is_sure("request", "instances")
    site_values = ValueCompiler(context, Scope(context), blocks.kind)
    errors = blocks.rules(data.get("errors"), ("errors",), site_values)
    auth = _auth(blocks, data.get("auth", {}), defaults, rest.is_sure("auth", "request", "hooks"))
    handles = {}
    for name, raw in data.get("handles", {}).items():
        context.doubt = rest.doubt("handles", name)
        handles[name] = _handle(blocks, name, raw)
    unsure = check_examples(context, handles, data, rest)
    if rest.is_sure("request", "instances", "auth", "hooks", "domains", "handles"):
        check_hosts(context, auth, bases, handles.values())
    if "name" not in data or any((word,) in rest.doubts for word in CLAIMS):
        return None, sorted(context.problems)
    return (
        Site(
            name=data["name"],
            class_name=data.get("class") or class_name(data["name"]),
            description=str(data.get("description", "")),
            domains=domains,
            handles={name: handle for name, handle in handles.items() if name not in unsure},
            defaults=defaults,
            instances={hosts[host]: given for host, given in instances.items()},
            kind=None if blocks.kind == "unknown" else blocks.kind,
            auth=auth,
            errors=errors,
            hooks=_texts(data.get("hooks")),
            status=data.get("status", "alive"),
            note=data.get("note", ""),
            hosts=frozenset(context.hosts) | auth.hosts,
            gone=tuple(_gone(errors, handles.values())),
        ),
        sorted(context.problems),
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
    rate = re.fullmatch(r"(\d+)/(s|min|h)", raw.get("rate") or "")
    wait = re.fullmatch(r"(\d+)(s|min)", raw.get("wait") or "")
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
    kinds = raw.get("as"), request.get("as")
    if "as" in raw and kinds[0] != kinds[1] and not any(map(is_partial, (*kinds, request))):
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


def _auth(blocks: BlockCompiler, raw: Mapping[str, Any], defaults: Defaults, is_sure: bool) -> Auth:
    path: Path = ("auth",)
    context = blocks.context
    before = len(context.problems)
    auth_kind = str(raw.get("kind", "none"))
    secrets = SECRETS_OF.get(auth_kind, SECRETS) if is_sure or "kind" in raw else SECRETS
    token = _token(blocks, raw["token"], secrets) if "token" in raw else None
    scope = SecretScope(context, (*secrets, "token") if token else secrets)
    values = ValueCompiler(context, scope, None)
    auth = Auth(
        kind=auth_kind,
        hosts=frozenset(_hosts(context, raw.get("domains"), (*path, "domains"))) or _base_host(defaults),
        named="domains" in raw,
        optional=raw.get("optional", False),
        default=raw.get("default"),
        headers=values.fields(raw.get("headers"), (*path, "headers"), header=True),
        query=values.fields(raw.get("query"), (*path, "query")),
        cookies=values.fields(raw.get("cookies"), (*path, "cookies"), header=True),
        check=None,
        token=token,
    )
    if is_sure and auth_kind != "none" and not auth.hosts and not defaults.base:
        cure = "add `domains` to `auth`"
        context.problem(path, "nothing says which hosts receive the credentials", cure, key=True)
    if is_sure and len(context.problems) == before:
        check_secrets(context, auth, raw)
    if "check" in raw:
        check = ValueCompiler(context, Scope(context), blocks.kind).condition(raw["check"], (*path, "check"))
        auth = replace(auth, check=check)
    return auth


def _base_host(defaults: Defaults) -> frozenset[str]:
    from qetch.spec.blocks import LITERAL_HOST

    literal = LITERAL_HOST.match(defaults.base.prefix) if defaults.base else None
    return frozenset({compared(literal[1])} if literal else ())


def _token(blocks: BlockCompiler, raw: Mapping[str, Any], secrets: tuple[str, ...]) -> Token:
    """The steps of a token; the names of all of them are visible to the end."""
    path: Path = ("auth", "token")
    scope: Scope = SecretScope(blocks.context, secrets)
    scopes, steps, step, step_path = [scope], [], raw, path
    kind = blocks.kind
    while True:
        call = blocks.call(step, step_path, scope) if "get" in step or "post" in step else None
        kind = blocks.kind_of(step) or "unknown" if call else "unknown" if is_partial(step) else kind
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
        read=values.value(raw.get("read", Partial()), (*path, "read"))[0],
        expires=values.value(raw["expires"], (*path, "expires"))[0] if "expires" in raw else None,
    )
    for inner in scopes:
        inner.close()
    return token


# --- handles


def _handle(blocks: BlockCompiler, name: str, raw: Mapping[str, Any]) -> Handle:
    path: Path = ("handles", name)
    scope = HandleScope(blocks.context)
    groups: dict[str, None] = {}
    for pattern, inner in items(raw.get("match"), (*path, "match")):
        _declare_groups(blocks.context, scope, pattern, inner, groups)
    for param, inner in items(raw.get("params"), (*path, "params")):
        scope.declare(param, "text", "param", inner)
    block = blocks.block(raw, path, scope, None)
    if not (is_partial(raw) or any(word in raw for word in DOES)):
        blocks.context.problem(path, DOES_NOTHING, "add `get`, `content` or `goto`", key=True)
    scope.close()
    check_expects(blocks.context, name, raw)
    return Handle(
        name=name,
        patterns=_texts(raw.get("match")),
        block=block,
        params=_texts(raw.get("params")),
        groups=tuple(groups),
        examples=tuple(map(_example, _listed(raw.get("examples")))),
        not_urls=_texts(raw.get("not")),
        status=raw.get("status", "alive"),
        note=raw.get("note", ""),
    )


def _hosts(context: Context, raw: Any, path: Path) -> tuple[str, ...]:
    return tuple(context.host(host, inner) for host, inner in items(raw, path))


def _texts(raw: Any) -> tuple[str, ...]:
    return tuple(item for item, _ in items(raw, ()))


def _listed(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [raw]


def _declare_groups(context: Context, scope: Scope, pattern: str, path: Path, groups: dict[str, None]) -> None:
    """Several regexes of one handle may share the names of their groups."""
    compiled = compile_pattern(context, pattern, path)
    found = compiled.groupindex if compiled else GROUP.findall(pattern)  # those of a bad one are no second mistake
    if not compiled:
        context.doubt.births.update(WORD.findall(pattern))
    for group in found:
        if group not in groups:
            groups[group] = None
            scope.declare(group, "text", "group", path, offset=pattern.find(f"(?P<{group}") + len("(?P<"))


def _example(raw: Any) -> Example:
    if isinstance(raw, str):
        return Example(raw)
    url = raw.get("url", "") if raw else ""
    return Example("") if is_unread(url) or not url else Example(url, raw.get("expect"))


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
