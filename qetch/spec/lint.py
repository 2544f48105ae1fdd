"""What works in a site file and is no good idea: warnings. What is wrong is not said here.

Each check is one function, and has one `rule`. They read the data as it was written, so that a
file with errors gets its warnings as well; what has not the shape that the schema wants is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qetch.selectors import patterns
from qetch.spec.blocks import LITERAL_HOST
from qetch.spec.cures import placeholders
from qetch.spec.names import compared, items
from qetch.spec.wording import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qetch.spec.load import Path
    from qetch.spec.partial import Rest
    from qetch.spec.problems import Problem

TEXTS = frozenset({"json", "variables", "form", "query", "headers", "cookies", "map", "graphql", "expect"})
"""The words below which there is no word of the language."""
OWN_NAMES = frozenset({"let", "set", "metadata", "variants", "checksum", "handles", "instances"})
"""The words whose keys are the author's."""
START = re.compile(r"(?:\(\?[a-zA-Z]+\))?(?:\((?:\?:|\?P<\w+>)?)*(?:\^|\\A)")
ASSERTED_END = re.compile(r"(?:\\b|\(\?(?:=|!|<=|<!)(?:[^()\\]|\\.|\[[^\]]*\])*\))\)*$")
"""An end that looks at what follows: the author has thought about it."""
NOT = re.compile(
    r"""!\s*((?:[@\w]+|"[^"]*")(?:\[-?\d+\])*)((?:\.(?:[\w*]+|"[^"]*")|\[\])(?:\.(?:[\w*]+|"[^"]*")|\[(?:\*|-?\d+)?\])*)"""
)
"""In JMESPath, a ! with what it is of, and the rest of that path."""
LITERAL = re.compile(r"'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`")
WORD_TAILS = ("a", "0")
TAILS = (*WORD_TAILS, "-a", ".a", "%41")
BORDERS = "/?#&="
FIELDS = ("headers", "query", "cookies")
TELLS_SECRET = re.compile(
    r"(?i:token|secret|session|sess_?id|passw|credential|authoriz|cookie|jwt|api_?key|(?<![a-z])(?:key|auth|sid|sess|sig)(?![a-z]))"
    r"|[a-z](?:Key|Auth|Sid)(?![a-z])"
)
"""In the name of a field: it holds what proves who asks."""
SCHEME = re.compile(r"(?i)(Bearer|Basic|Token|OAuth|Client-ID) +(?=\S)")
MIXED = re.compile(r"[a-z][A-Z]|[A-Za-z][0-9]|[0-9][A-Za-z]")
IN_QUERY = re.compile(r"[?&]([^=&#{}]+)=([^&#{}]+)(?=[&#]|$)")


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

    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self.document = document = rest.document
        self.words = list(_words(document.data))
        self.forms = list(_forms(document.data))

    def warning(self, rule: str, path: Path, message: str, cure: str, *, offset: int = 0) -> Problem:
        """A warning at the place of a path."""
        return self.document.problem(path, message, cure, offset=offset)._replace(severity="warning", rule=rule)


def warnings(rest: Rest) -> list[Problem]:
    """All warnings about what can be read of a file, in order of place."""
    written = Written(rest)
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
    host = LITERAL_HOST.match(url)
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
    if not written.rest.is_sure("domains", "instances", "auth"):
        return
    data = written.document.data
    auth = data.get("auth")
    instances = data.get("instances")
    named = [host for host, _ in _texts(data.get("domains"), ())]
    named += [host for host in instances if host] if isinstance(instances, dict) else []
    named += [host for host, _ in _texts(auth.get("domains") if isinstance(auth, dict) else None, ())]
    known = [compared(host.removeprefix("*.")) for host in named]
    for host, path in _hosts(written):
        if known and not any(host == other or host.endswith(f".{other}") for other in known):
            known.append(host)
            message = f'requests go to "{shown(host)}", which is not in `domains`'
            yield written.warning("host-not-in-domains", path, message, "add it, if it is one of the site's")


def _hosts(written: Written) -> list[tuple[str, Path]]:
    """The hosts that calls write out, in order of place."""
    found = []
    for word, value, path in written.words:
        literal = LITERAL_HOST.match(value) if word in ("base", "get", "post") and isinstance(value, str) else None
        if literal:
            found.append((compared(literal[1]), path))
    return sorted(found, key=lambda pair: written.document.place(pair[1]))


def _every_text(data: Any, path: Path) -> Iterator[tuple[str, Path]]:
    """Every text, but for those below which there is no word of the language."""
    if isinstance(data, str):
        yield data, path
    elif isinstance(data, list):
        for i, item in enumerate(data):
            yield from _every_text(item, (*path, i))
    elif isinstance(data, dict):
        for key, item in data.items():
            yield from _every_text(item, (*path, key)) if key not in TEXTS else ()


def narrow_not(written: Written) -> Iterator[Problem]:
    """A JMESPath such as `!a.b`, in which the ! is of `a` alone."""
    from qetch.selectors.jmes import compile_jmespath

    if not NOT.search(written.document.text.replace("\\", "")):  # most files have none
        return
    for text, path in _every_text(written.document.data, ()):
        found = NOT.search(LITERAL.sub(lambda part: " " * len(part[0]), text)) if "!" in text else None
        if not found:
            continue
        try:
            compile_jmespath(text)
        except ValueError:  # it is something else, or an error
            continue
        name, rest = shown(found[1]), shown(found[2])
        message = f"!{name}{rest} reads as (!{name}){rest}, which is never there"
        yield written.warning("narrow-not", path, message, f"write !({name}{rest})", offset=found.start())


def literal_credential(written: Written) -> Iterator[Problem]:
    """A credential that is written out in a field of a request."""
    for place, name, text, path in _fields(written):
        scheme = SCHEME.match(text)
        proof = text[scheme.end() :] if scheme and scheme[1].lower() in ("bearer", "basic") else ""
        if (len(proof) > 7 and MIXED.search(proof)) or (TELLS_SECRET.search(name) and _is_key(text)):
            message = f"a credential in the file is shared with it: {shown(name)}"
            yield written.warning("literal-credential", path, message, _kept_apart(place, name, scheme))


def _fields(written: Written) -> Iterator[tuple[str, str, str, Path]]:
    """The fields of requests that are no templates: where they stand, their names, texts and paths."""
    for word, value, path in written.words:
        if word in FIELDS and path[:-1] != ("auth",) and isinstance(value, dict):
            for name, text in value.items():
                if isinstance(text, str) and not placeholders(text):
                    yield word, name, text, (*path, name)
        elif word in ("get", "post", "base") and isinstance(value, str):
            for found in IN_QUERY.finditer(value):
                yield "query", found[1], found[2], path


def _is_key(text: str) -> bool:
    """Whether a text looks as if a machine had made it: letters and digits through each other, a dozen or more."""
    pieces = re.findall(r"[A-Za-z0-9]+", text)
    return sum(len(piece) for piece in pieces if re.search("[A-Za-z]", piece) and re.search("[0-9]", piece)) >= 12


def _kept_apart(place: str, name: str, scheme: re.Match[str] | None) -> str:
    """How a credential is written that each user gives for himself."""
    kind = scheme[1].lower() if scheme else ""
    if kind == "basic":
        return "auth: {kind: basic}"
    if place == "headers" and name.lower() == "cookie":
        return "auth: {kind: cookies}"
    secret = f"{scheme[0]}{{key}}" if scheme else "{key}"
    return f'auth: {{kind: key, {place}: {{{shown(name)}: "{secret}"}}}}; a public one may be its `default`'


CHECKS: dict[str, Callable[[Written], Iterator[Problem]]] = {
    "unused-anchor": unused_anchor,
    "slow-regex": slow_regex,
    "open-start": open_start,
    "open-end": open_end,
    "host-dot": host_dot,
    "regex-without-example": regex_without_example,
    "example-twice": example_twice,
    "host-not-in-domains": host_not_in_domains,
    "narrow-not": narrow_not,
    "literal-credential": literal_credential,
}
"""By their rules."""
