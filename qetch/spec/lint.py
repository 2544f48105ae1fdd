"""What works in a site file and is no good idea: warnings. What is wrong is not said here.

Each check is one function, and has one `rule`. They read the data as it was written, so that a
file with errors gets its warnings as well; what has not the shape that the schema wants is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qetch.selectors import patterns
from qetch.spec.names import items
from qetch.spec.wording import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.spec.load import Document, Path
    from qetch.spec.problems import Problem

TEXTS = frozenset({"json", "variables", "form", "query", "headers", "cookies", "map", "graphql", "expect"})
"""The words below which there is no word of the language."""
OWN_NAMES = frozenset({"let", "set", "metadata", "variants", "checksum", "handles", "instances"})
"""The words whose keys are the author's."""
HOST = re.compile(r"https?://(\[[^\]/]+\]|[^/{}?#@:]+)(?::\d+)?(?=[/?#]|$)")
START = re.compile(r"(?:\(\?[a-zA-Z]+\))?(?:\((?:\?:|\?P<\w+>)?)*(?:\^|\\A)")
ASSERTED_END = re.compile(r"(?:\\b|\(\?(?:=|!|<=|<!)(?:[^()\\]|\\.|\[[^\]]*\])*\))\)*$")
"""An end that looks at what follows: the author has thought about it."""
WORD_TAILS = ("a", "0")
TAILS = (*WORD_TAILS, "-a", ".a", "%41")
BORDERS = "/?#&="


@dataclass(frozen=True, slots=True)
class Form:
    """The URLs of one handle, as far as they can be read.

    Attributes:
        regexes: Those of `match` that compile, with their paths.
        examples: Likewise; without the query when the handle has `params`, for that is what the regexes see.
    """

    regexes: tuple[tuple[str, Path], ...]
    examples: tuple[tuple[str, Path], ...]


class Written:
    """What was written in a file, as the checks want to see it.

    Attributes:
        words: Every word of the language with its value and path; what an alias repeats is there only once.
        forms: Those of the handles.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.words = list(_words(document.data))
        self.forms = list(_forms(document.data))

    def warning(self, rule: str, path: Path, message: str, cure: str, *, offset: int = 0) -> Problem:
        """A warning at the place of a path."""
        return self.document.problem(path, message, cure, offset=offset)._replace(severity="warning", rule=rule)


def warnings(document: Document) -> list[Problem]:
    """All warnings about a file, in order of place."""
    written = Written(document)
    return sorted({problem for check in CHECKS.values() for problem in check(written)})


# --- reading what was written


def _words(data: Any) -> Iterator[tuple[str, Any, Path]]:
    seen: set[int] = set()
    todo: list[tuple[Any, Path]] = [(data, ())]
    while todo:
        node, path = todo.pop()
        if isinstance(node, (dict, list)):
            if id(node) in seen:
                continue
            seen.add(id(node))
        if isinstance(node, list):
            todo += [(item, (*path, i)) for i, item in enumerate(node)]
        elif isinstance(node, dict):
            own = _names_of_its_own(path)
            for key, value in node.items():
                if not own:
                    yield key, value, (*path, key)
                if own or key not in TEXTS:
                    todo.append((value, (*path, key)))


def _names_of_its_own(path: Path) -> bool:
    """Whether the keys of a mapping are the author's: that of a `let`, unless somebody named something `let`."""
    own = False
    for part in path:
        own = not own and part in OWN_NAMES
    return own


def _texts(raw: Any, path: Path) -> list[tuple[str, Path]]:
    return [(item, inner) for item, inner in items(raw, path) if isinstance(item, str)]


def _forms(data: Any) -> Iterator[Form]:
    handles = data.get("handles")
    for name, raw in handles.items() if isinstance(handles, dict) else ():
        if not isinstance(raw, dict):
            continue
        path: Path = ("handles", name)
        regexes = [pair for pair in _texts(raw.get("match"), (*path, "match")) if not patterns.check(pair[0])]
        examples = []
        for item, inner in items(raw.get("examples"), (*path, "examples")):
            url = item.get("url") if isinstance(item, dict) else item
            if isinstance(url, str):
                examples.append((patterns.without_query(url) if raw.get("params") else url, inner))
        yield Form(tuple(regexes), tuple(examples))


def _regexes(written: Written) -> Iterator[tuple[str, Path]]:
    """All regexes of a file with their paths."""
    for word, value, path in written.words:
        if word == "match" or (word == "regex" and isinstance(value, str)):
            yield from _texts(value, path)
        elif word == "url" and "errors" in path[-3:-1] and isinstance(value, str):
            yield value, path
        elif word == "replace" and isinstance(value, list):
            yield from ((pair[0], (*path, i, 0)) for i, pair in enumerate(value) if _is_pair(pair))


def _is_pair(raw: Any) -> bool:
    return isinstance(raw, list) and bool(raw) and isinstance(raw[0], str)


# --- the checks


def unused_anchor(written: Written) -> Iterator[Problem]:
    """A YAML anchor that no alias repeats."""
    for event in written.document.unused_anchors:
        mark, name = event.start_mark, event.anchor
        problem = written.document.problem(
            (), f'the anchor "&{name}" is never used', f'remove it, or repeat it by "*{name}"'
        )
        yield problem._replace(line=mark.line + 1, column=mark.column + 1, severity="warning", rule="unused-anchor")


def slow_regex(written: Written) -> Iterator[Problem]:
    """A regex that is prone to backtrack exponentially."""
    from qetch.selectors.backtracking import attack

    for pattern, path in _regexes(written):
        found = None if patterns.check(pattern) else attack(pattern)
        if found:
            start, pump = found
            message = f"the regex can take exponentially long: the group here matches {shown(pump * 3)!r} in many ways"
            cure = "let each text match in one way only"
            yield written.warning("slow-regex", path, message, cure, offset=start)


def open_start(written: Written) -> Iterator[Problem]:
    """A `match` that does not begin with ^."""
    for form in written.forms:
        for pattern, path in form.regexes:
            if not START.match(pattern):
                cure = "begin it with ^https?://"
                yield written.warning("open-start", path, "the regex does not begin with ^", cure)


def open_end(written: Written) -> Iterator[Problem]:
    """A `match` that ends in the middle of a word."""
    for form in written.forms:
        for pattern, path in form.regexes:
            taken = next((taken for url, _ in form.examples if (taken := _taken_in_half(pattern, url))), None)
            if taken:
                message = f'the regex does not say where the URL ends: it takes "{shown(taken)}" as well'
                cure = "end it with $ or (?:[/?#]|$)"
                yield written.warning("open-end", path, message, cure)


def _taken_in_half(pattern: str, url: str) -> str | None:
    """A longer URL that a regex takes, of which it leaves a piece of the last word unread."""
    match = patterns.match_url(pattern, url)
    if not match or not match[0] or match[0][-1] in BORDERS or len(match[0]) < len(url):
        return None
    for tail in WORD_TAILS if ASSERTED_END.search(pattern) else TAILS:
        longer = patterns.match_url(pattern, url + tail)
        if longer and longer[0] == url:
            return url + tail
    return None


def host_dot(written: Written) -> Iterator[Problem]:
    """A `match` in whose host a dot was not escaped."""
    for form in written.forms:
        for pattern, path in form.regexes:
            if any(_takes_any_letter(pattern, url) for url, _ in form.examples):
                message, cure = "a . in the host of this regex takes any character", r"write \."
                yield written.warning("host-dot", path, message, cure)


def _takes_any_letter(pattern: str, url: str) -> bool:
    host = HOST.match(url)
    if not host or not patterns.match_url(pattern, url):
        return False
    before, after = url[: host.start(1)], url[host.end(1) :]
    labels = host[1].split(".")
    if patterns.match_url(pattern, f"{before}{'.'.join('q' * len(label) for label in labels)}{after}"):
        return False  # any host will do
    others = (".".join(labels[:i]) + "~" + ".".join(labels[i:]) for i in range(1, len(labels)))
    return any(patterns.match_url(pattern, f"{before}{other}{after}") for other in others)


def regex_without_example(written: Written) -> Iterator[Problem]:
    """One of several regexes of a handle that no example needs: nobody knows whether it is ever reached."""
    for form in written.forms:
        if len(form.regexes) < 2:
            continue
        first = {_first(form.regexes, url) for url, _ in form.examples}
        for number, (pattern, path) in enumerate(form.regexes):
            if number in first:
                continue
            if any(patterns.match_url(pattern, url) for url, _ in form.examples):
                message, cure = "the regexes above this one take all of its examples", "remove it, or add an example"
            else:
                message, cure = "no example matches this regex", "add one"
            yield written.warning("regex-without-example", path, message, cure)


def _first(regexes: tuple[tuple[str, Path], ...], url: str) -> int:
    return next((number for number, (pattern, _) in enumerate(regexes) if patterns.match_url(pattern, url)), -1)


def example_twice(written: Written) -> Iterator[Problem]:
    """An example that is in its handle already."""
    handles = written.document.data.get("handles")
    for name, raw in handles.items() if isinstance(handles, dict) else ():
        seen: set[str] = set()
        for item, path in items(raw.get("examples") if isinstance(raw, dict) else None, ("handles", name, "examples")):
            url = item.get("url") if isinstance(item, dict) else item
            if isinstance(url, str) and url in seen:
                yield written.warning("example-twice", path, "this example is there twice", "remove one")
            seen.add(str(url))


def host_not_in_domains(written: Written) -> Iterator[Problem]:
    """A request that goes to a host which the file does not name elsewhere."""
    data = written.document.data
    auth = data.get("auth")
    known = [host.lower().removeprefix("*.") for host, _ in _texts(data.get("domains"), ())]
    instances = data.get("instances")
    known += [host.lower().removeprefix("*.") for host in instances if host] if isinstance(instances, dict) else []
    known += [host.lower() for host, _ in _texts(auth.get("domains") if isinstance(auth, dict) else None, ())]
    for host, path in _hosts(written):
        if known and not any(host == other or host.endswith(f".{other}") for other in known):
            known.append(host)
            message = f'requests go to "{shown(host)}", which is not in `domains`'
            yield written.warning("host-not-in-domains", path, message, "add it, if it is one of the site's")


def _hosts(written: Written) -> list[tuple[str, Path]]:
    """The hosts that calls write out, in order of place."""
    found = []
    for word, value, path in written.words:
        literal = HOST.match(value) if word in ("base", "get", "post") and isinstance(value, str) else None
        if literal:
            found.append((literal[1].lower(), path))
    return sorted(found, key=lambda pair: written.document.place(pair[1]))


CHECKS: dict[str, Callable[[Written], Iterator[Problem]]] = {
    "unused-anchor": unused_anchor,
    "slow-regex": slow_regex,
    "open-start": open_start,
    "open-end": open_end,
    "host-dot": host_dot,
    "regex-without-example": regex_without_example,
    "example-twice": example_twice,
    "host-not-in-domains": host_not_in_domains,
}
"""By their rules."""
