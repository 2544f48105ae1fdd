"""Which URLs a handle takes: its examples, as the first that matches, and none of those that it must not."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from qetch.selectors import patterns
from qetch.spec.names import compared, items
from qetch.spec.partial import is_partial, is_unread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qetch.spec.model import Handle
    from qetch.spec.names import Context
    from qetch.spec.partial import Rest


def check_examples(context: Context, handles: Mapping[str, Handle], data: Mapping[str, Any], rest: Rest) -> set[str]:
    """Notes each example that does not belong to its handle, as the first that matches, and each `not` that does.

    Returns:
        The handles of which it is not known what they take.
    """
    raws = data.get("handles", {})
    known = {name: handle for name, handle in handles.items() if _is_known(handle, raws[name])}
    hosts = [host for host, _ in items(data.get("domains"), ())] + [*data.get("instances", {})]
    if not rest.is_sure("domains", "instances"):
        hosts = []
    doubtful = handles.keys() - known.keys()
    perhaps_bare = any(map(is_partial, raws.values()))  # what is not read there may be `params`
    for name, handle in known.items():
        before = len(context.problems)
        for i, example in enumerate(handle.examples):
            if example.url and not (perhaps_bare and "?" in example.url):
                _check_example(context, known, name, i, hosts)
        for url, path in items(raws[name].get("not"), ("handles", name, "not")):
            if _claims(handle, url):
                message = "`match` matches what it should not"
                context.problem(path, message, "narrow it, or remove the URL here")
        if len(context.problems) > before:
            doubtful.add(name)
    return doubtful


def _is_known(handle: Handle, raw: Any) -> bool:
    """Whether all of its regexes are there and compile."""
    for written in (raw.get("match"), raw.get("params")):
        if any(map(is_unread, written if isinstance(written, list) else [written])):
            return False
    return bool(handle.patterns) and not any(map(patterns.check, handle.patterns))


def _check_example(context: Context, handles: Mapping[str, Handle], name: str, i: int, hosts: list[str]) -> None:
    url = handles[name].examples[i].url
    path = ("handles", name, "examples", i)
    claimed = next((other for other, handle in handles.items() if _claims(handle, url)), None)
    if claimed != name:
        who, cure = "`match` does not match it", "change the one or the other"
        if claimed:
            who, cure = f'handle "{claimed}" above claims it', "narrow its `match`, or move this handle above it"
        context.problem(path, f"not an example of this handle: {who}", cure)
    elif hosts and not _on_hosts(url, hosts):
        near = get_close_matches(url.split("/")[2], hosts, 1, 0)
        context.problem(path, "the example's host is not in `domains`", f"add it (there is {near[0]})")


def _claims(handle: Handle, url: str) -> bool:
    asked = patterns.without_query(url) if handle.params else url
    return any(patterns.match_url(pattern, asked) for pattern in handle.patterns)


def _on_hosts(url: str, hosts: list[str]) -> bool:
    found = re.match(r"https?://(\[[^\]/?#]*\]|[^/?#:@]+)", url)
    host = compared(found[1]) if found else ""
    for pattern in hosts:
        name = compared(pattern.removeprefix("*."))
        if host == name or host.endswith("." + name):
            return True
    return False
