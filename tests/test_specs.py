"""The example files of the language: `tests/specs/good` says what may be written, `tests/specs/bad` what may not.

A bad file states its problems in comments at its top, `# line:column: how the message begins`, all of them, in order.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qetch.spec import inspect
from qetch.spec.check import schema
from qetch.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator

SPECS = Path(__file__).parent / "specs"
GOOD = sorted((SPECS / "good").glob("*.yaml"))
BAD = sorted((SPECS / "bad").glob("*.yaml"))
STATED = re.compile(r"# (\d+):(\d+): (.+)")

MESSAGES = {
    "message-unknown-key": 'x.yaml:35:9: unknown key "upload_date" in content - did you mean "uploaded_date"?',
    "message-undefined-name": 'x.yaml:24:31: undefined name "{tin}" - did you mean "{tim}"? '
    "(defined here: board, dotext, host, id, source, tim)",
    "message-bad-jmespath": "x.yaml:14:11: bad JMESPath 'posts[?md5': incomplete expression (this place reads json)"
    " - close the [ with a ]",
    "message-duplicate": 'x.yaml:18:9: duplicate key "uid" (first at line 17)',
    "message-two-heads": "x.yaml:19:22: a value needs exactly one of css, xpath, jmespath, text, header, first_of; "
    "found css, jmespath",
    "message-secret": 'x.yaml:21:10: undefined name "{key}": secrets exist inside auth only',
}
SAY_IT_THEMSELVES = re.compile(r"duplicate key |undefined name .* secrets exist |.*; found \w+, |(nested )?more than ")
"""The messages that need no cure, or for which there is none that is known."""
CURES = {
    "block-get-and-post": "keep one of them",
    "block-let-list": 'such as let: {page_url: "a::attr(href)"}',
    "call-get-undefined": "before its use it is a group of `match`",
    "call-query-graphql": 'did you mean "graphql"?',
    "call-json-lone-brace": "a brace is {{",
    "call-variables-alone": "such as graphql: ",
    "file-quality-too-big": "{rank: …}",
    "handle-match-bad-regex": "close the group with )",
    "handle-not-claimed": "narrow it, or remove the URL here",
    "pages-by-alone": "such as counter: page",
    "request-as-unknown": 'did you mean "json"?',
    "request-base-group": "the whole site knows no names of handles",
    "rule-raises-nothing": "such as raise: not_found",
    "site-status-without-note": "such as note: ",
    "site-without-description": "such as description: ",
    "value-css-attr": "::attr(href)",
    "value-replace-bad-group": "the regex's first group",
    "eaten-comment": "a # after a space starts a comment: quote the selector",
    "eaten-tag": "a ! at the start begins a tag: quote the text",
    "eaten-at": 'quote it: "@"',
    "eaten-list": 'quote the selector: "[0].data"',
    "eaten-brackets": 'quote it: "posts[?md5]"',
    "eaten-template": 'quote the template: "{id}"',
    "eaten-comma": "a , inside { } and [ ] ends a text: quote the selector",
    "eaten-backtick": 'quote it: "`true`"',
    "eaten-star": 'quote it: "*.name"',
    "eaten-ampersand": "a & at the start begins an anchor: quote the text",
    "eaten-colon": 'quote the text: "a: b"',
    "eaten-escape": "put a regex in single quotes",
    "site-hooks-not-trusted": "list its real path",
    "auth-domains-unasked": "the hosts that are asked: api.pictures.example",
    "auth-headers-fixed": "what is always the same stands in `request`: {headers: {X-App: …}}",
    "auth-headers-token-without-token": "it is what `token` fetches",
    "auth-kind-other-word": 'did you mean "key"?',
    "auth-password-unused": "or nothing but `kind`",
    "auth-secret-unused": 'such as headers: {X-Key: "{key}"}',
    "block-for": 'did you mean "each"?',
    "call-get-beside-base": 'remove the /: "pictures/{id}"',
    "call-get-relative-to-nothing": "add `base` to `request`",
    "call-graphql-with-get": "write the URL as `post`",
    "eaten-template-of-a-value": 'quote the template: "{id}"; where a selector may stand, it is {text: "{id}"}',
    "handle-match-other-group": "a named group is (?P<id>…)",
    "loading-other-yaml": "a site begins with `qetch: 1`",
    "row-uid": "write it below `content`",
    "value-css-xpath": 'an XPath is {xpath: "//h1/text()"}',
    "value-date-other-codes": 'write "%Y-%m-%d"',
    "value-fixed-text": 'a fixed text is {text: "untitled picture"}',
    "value-jmespath-dash": "a key with a dash stands in double quotes: '\"full-name\"'",
    "value-jmespath-dollar": 'JMESPath has no $: "data.title"',
    "value-jmespath-equals": "values are compared with ==: \"files[?name == 'x']\"",
    "value-jmespath-number": 'a number stands in backticks: "files[?size > `10`]"',
    "value-parse-before-regex": "state: {of: raw, parse: json}",
    "value-template-as-css": 'a template is {text: "https://files.pictures.example/{id}.png"}',
    "value-template-as-jmespath": 'a template is {text: "{id}"}',
    "value-template-as-regex": 'a template is {text: "{id}"}',
    "value-template-of-nothing": 'a template is {text: "{id}"}',
    "value-text-dotted-name": 'bind it first, let: {name: "data.clip.name"}, and write {name}',
}


def stated(file: Path) -> list[tuple[int, int, str]]:
    """The problems that a bad file says it has: line, column, the beginning of the message."""
    found = []
    for line in file.read_bytes().decode("latin-1").splitlines():
        says = STATED.fullmatch(line)
        if not says:
            break
        found.append((int(says[1]), int(says[2]), says[3]))
    return found


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_a_good_file_has_no_problems(file: Path) -> None:
    site, problems = inspect(file)
    assert problems == []
    assert site is not None


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_file_has_the_problems_that_it_states_and_no_others(file: Path) -> None:
    site, problems = inspect(file)
    wanted = stated(file)
    assert wanted, f"{file} must begin with `# line:column: message`"
    found = [
        (problem.line, problem.column, problem.message[: len(wanted[i][2])] if i < len(wanted) else problem.message)
        for i, problem in enumerate(problems)
    ]
    assert found == wanted
    assert site is None


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_reads_exactly_so(name: str) -> None:
    _, problems = inspect(SPECS / "bad" / f"{name}.yaml", "x.yaml")
    assert [str(problem) for problem in problems] == [MESSAGES[name]]


@pytest.mark.parametrize("name", CURES)
def test_a_problem_comes_with_its_cure(name: str) -> None:
    _, problems = inspect(SPECS / "bad" / f"{name}.yaml")
    assert CURES[name] in problems[0].cure


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_every_problem_says_what_would_be_right(file: Path) -> None:
    _, problems = inspect(file)
    assert [
        str(problem) for problem in problems if not problem.cure and not SAY_IT_THEMSELVES.match(problem.message)
    ] == []


# --- nothing of the language is left out


def resolve(reference: str) -> dict[str, Any]:
    """The part of the schema that a `$ref` names."""
    part: dict[str, Any] = schema()
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """All mappings of the schema below one."""
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from parts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from parts(inner)


@cache
def keys() -> frozenset[str]:
    """Every key of the language."""
    closed = [part for part in parts(schema()) if part.get("additionalProperties") is False]
    return frozenset(word for part in closed for word in part["properties"])


@cache
def plain_words() -> frozenset[str]:
    """Every word that stands for itself as a value: json, gone, follow."""
    return frozenset(word for part in parts(schema()) for word in part.get("enum", ()))


def used_keys(part: dict[str, Any], data: Any) -> Iterator[str]:
    """The keys of the language in some data; the author's own names are none of them."""
    if "$ref" in part:
        yield from used_keys(resolve(part["$ref"]), data)
    for word in ("then", "else"):
        yield from used_keys(part[word], data) if word in part else ()
    for item in data if isinstance(data, list) else ():
        yield from used_keys(part.get("items", {}), item)
    properties = part.get("properties", {})
    for key, value in data.items() if isinstance(data, dict) else ():
        if key in properties:
            yield key
        yield from used_keys(properties.get(key, part.get("additionalProperties") or {}), value)


def texts(data: Any) -> Iterator[str]:
    """All texts of some data."""
    if isinstance(data, str):
        yield data
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from texts(inner)


def test_every_word_of_the_language_is_in_a_good_file() -> None:
    documents = [load(file).data for file in GOOD]
    used = {key for data in documents for key in used_keys(schema(), data)}
    assert keys() - used == {"hooks"}  # which need a trusted folder
    assert plain_words() - {text for data in documents for text in texts(data)} == {"authenticate", "merge"}


def test_every_word_of_the_language_is_wrong_in_a_bad_file() -> None:
    wrong = set()
    for file in BAD:
        lines = file.read_bytes().decode("latin-1").splitlines()
        for line, column, message in stated(file):
            before = lines[line - 1][: column - 1] if line <= len(lines) else ""
            key = re.match(r"""(?:.*[\s{,])?([\w-]+)["']?: *(?:\[[^\]:]*|\{[^:]*)?$""", before)
            at = re.match(r"[\w-]+", lines[line - 1][column - 1 :]) if line <= len(lines) else None
            wrong |= {*re.findall(r"\w+", message), *([key[1]] if key else []), *([at[0]] if at else [])}
    assert keys() - wrong == set()


def test_hooks_are_good_in_a_trusted_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, config = tmp_path / "sites", tmp_path / "config" / "qetch"
    folder.mkdir(mode=0o755)
    config.mkdir(parents=True, mode=0o700)
    (config / "config.yaml").write_text(f"trusted: [{folder.resolve()}]\n")
    (config / "config.yaml").chmod(0o600)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = folder / "pictures.yaml"
    file.write_text((SPECS / "good" / "site-minimal.yaml").read_text() + "hooks: [authenticate, merge]\n")
    (folder / "pictures.py").write_text("def authenticate(extractor, auth): ...\ndef merge(extractor, paths): ...\n")
    site, problems = inspect(file)
    assert problems == []
    assert site is not None
    assert site.hooks == ("authenticate", "merge")
    (folder / "pictures.py").write_text("def authenticate(extractor, auth): ...\n")
    _, problems = inspect(file, "x.yaml")
    assert [str(problem) for problem in problems] == [
        "x.yaml:11:23: pictures.py has no function 'merge' - write it, or remove it here"
    ]
