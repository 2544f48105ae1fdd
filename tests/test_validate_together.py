"""Faults at several places of one file are all said in one run, each as if it were alone, and nothing else is.

Every shipped spec and every example of the docs gets two or three faults at random, out of all kinds. What is said of
all of them together must be what is said of each alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from qetch.spec import inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
FILES = [
    *sorted((ROOT / "sites").glob("*.yaml")),
    *sorted((ROOT / "docs" / "examples").glob("*.yaml")),
    *sorted((ROOT / "tests" / "specs" / "good").glob("*.yaml")),
]
TRIES = 8
"""Copies of each file with several faults."""
ALONE = 30
"""Faults of each file that are tried alone, at most."""
WORDS = "get|post|match|examples|let|in|content|uid|title|url|each|then|goto|errors|raise|pages|variants|query|headers"


class Fault(NamedTuple):
    """One change of one line: what it is called, the line's number from 0, and what it becomes."""

    kind: str
    number: int
    line: str


def _changed(pattern: str, change: str | Callable[[re.Match[str]], str]) -> Callable[[str], Iterator[str]]:
    """Makes a line from each place where a regex fits it."""

    def lines(line: str) -> Iterator[str]:
        for found in re.finditer(pattern, line):
            text = found.expand(change) if isinstance(change, str) else change(found)
            yield line[: found.start()] + text + line[found.end() :]

    return lines


def _misspelt(found: re.Match[str]) -> str:
    word = found[2]
    return found[1] + word[: len(word) // 2] + "q" + word[len(word) // 2 :] + ":"


KINDS: dict[str, Callable[[str], Iterator[str]]] = {
    "an unknown key": _changed(r"^(\s{4,})(?=get: )", r"\1colour: red\n\1"),
    "a misspelt key": _changed(rf"(^\s*|[{{,] ?)({WORDS}):", _misspelt),
    "a bad JMESPath": _changed(r"(uid|title|in|goto|link): ([\w.]+)(?=[,}]|$)", r'\1: "\2[?"'),
    "a bad CSS selector": _changed(r'(uid|title|in|next|url): "([\w .>-]+)(::[^"]*)?"', r'\1: "\2:nth(3)"'),
    "an undefined name": _changed(r"(?<!\{)\{([a-z_]+)\}(?!\})", r"{\1}{nowhere}"),
    "a lone brace": _changed(r'((?:get|post): "[^"]*)"', r'\1{"'),
    "a bad regex": _changed(r"regex: '([^']+)'", r"regex: '\1('"),
    "a bad match": _changed(r"match: '([^']+)'", r"match: '\1['"),
    "a number for a text": _changed(r"(?<=[ {])(title|uploaded_by|description|goto): ([\w.\"@]+)(?=[,}]|$)", r"\1: 5"),
    "an empty word": _changed(r"(title|uid|url|in): ([\w.\"@]+)$", r"\1:"),
    "a quality out of range": _changed(r"quality: [\d.]+", "quality: 1.5"),
    "an example of no handle": _changed(r'examples: \["[^"]+"\]', 'examples: ["https://elsewhere.example/"]'),
    "an unknown error": _changed(r"raise: \w+", "raise: nonsense"),
    "a wrong kind": _changed(r"as: \w+", "as: nonsense"),
    "a bad rate": _changed(r"rate: \S+?(?=[,}]|$)", "rate: often"),
    "a bad host": _changed(r"domains: \[", "domains: [HTTP://x, "),
    "an unused name": _changed(r"let: \{", "let: {nobody: nothing, "),
    "a secret": _changed(r"(?<!\{)\{([a-z_]+)\}(?!\})", r"{\1}{password}"),
    "a word twice": _changed(r"^(\s{4,})(get: .*)$", r"\1\2\n\1\2"),
    "a tag": _changed(r"(title|uid|in|goto): ([\w.]+)$", r"\1: !\2"),
    "a comment": _changed(r"(title|uid|in|goto): ([\w.]+)$", r"\1: #\2"),
}
HIDE = {
    "a wrong kind": {"a bad JMESPath", "a bad CSS selector"},
    "a bad match": {"an example of no handle"},
    "a number for a text": {"an unused name"},
    "an empty word": {"an unused name", "a bad JMESPath", "a bad CSS selector"},
    "a tag": {"a bad JMESPath", "a bad CSS selector"},
    "a comment": {"a bad JMESPath", "a bad CSS selector"},
}
"""Faults that leave open whether some others are any: a selector of an unknown kind, or a name that may yet be used."""


def faults_of(text: str) -> list[Fault]:
    """Every fault that a file can have; what is expected of examples is data, and what `auth` says has names of its own."""
    found, deeper = [], 999
    for number, line in enumerate(text.splitlines()):
        indent = len(line) - len(line.lstrip())
        deeper = indent if line.lstrip().startswith("expect:") else deeper if indent > deeper else 999
        if indent > deeper or re.match(r"\s*#|auth:|.*(expect: |Authorization|\{count: |password)", line):
            continue
        for kind, make in KINDS.items():
            found += [Fault(kind, number, changed) for changed in make(line) if changed != line]
    return found


def are_independent(faults: list[Fault]) -> bool:
    """Whether each of the faults can be told in spite of the others."""
    kinds = [fault.kind for fault in faults]
    hidden = set().union(*(HIDE.get(kind, set()) for kind in kinds))
    is_one_name = kinds.count("an unused name") < 2  # else it is born twice
    return len({fault.number for fault in faults}) == len(faults) and not hidden.intersection(kinds) and is_one_name


def said(file: Path, text: str, faults: list[Fault]) -> list[tuple[int, str, str]]:
    """What is wrong with a file that has some faults: the line of the good file, the message, the severity."""
    lines = text.splitlines()
    numbers = []
    for number, line in enumerate(lines):
        changed = next((fault.line for fault in faults if fault.number == number), line)
        lines[number] = changed
        numbers += [number] * (changed.count("\n") + 1)
    file.write_text("\n".join(lines) + "\n")
    _, problems = inspect(file, "x.yaml", lint=True)
    found = []
    for problem in problems:
        message = re.sub(r"(line) (\d+)", lambda line: f"line {numbers[int(line[2]) - 1]}", problem.message)
        found.append((numbers[problem.line - 1], re.sub(r" \(defined here: .*\)", "", message), problem.severity))
    return sorted(found)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_each_of_several_faults_is_said_as_if_it_were_alone(file: Path, tmp_path: Path) -> None:
    text, copy = file.read_text("utf-8"), tmp_path / file.name
    possible, before = faults_of(text), set(said(copy, text, []))
    random = Random(file.stem)
    for _ in range(TRIES):
        faults = random.sample(possible, min(len(possible), random.choice([2, 3])))
        if are_independent(faults):
            alone = {problem for fault in faults for problem in said(copy, text, [fault])}
            assert {*said(copy, text, faults), *before} == alone | before, faults


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_fault_alone_is_said_at_its_line_and_nothing_else_is(file: Path, tmp_path: Path) -> None:
    text, copy = file.read_text("utf-8"), tmp_path / file.name
    before, possible = said(copy, text, []), faults_of(text)
    for fault in Random(file.stem).sample(possible, min(ALONE, len(possible))):
        errors = [problem for problem in said(copy, text, [fault]) if problem not in before]
        assert [number for number, _, _ in errors] == [fault.number], (fault, errors)
