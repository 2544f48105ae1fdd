"""What the documentation shows is taken from where it is decided: the schema, the sites, the parsers, the errors.

A line `<<NAME WORDS…>>` in a page is replaced by what the function of that name below gives, in Markdown.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError

from qetch import errors
from qetch.cli import COMMANDS
from qetch.cli.usage import WHO_MUST_ACT
from qetch.spec import read
from qetch.spec.check import schema
from qetch.spec.load import load
from qetch.spec.words import Word, as_yaml, defined, target, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sphinx.application import Sphinx

DOCS = Path(__file__).parent.parent
ROOT = DOCS.parent
MARK = re.compile(r"^<<(\w+) ?(.*)>>$", re.MULTILINE)
HOME = "/home/you"


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("env-get-outdated", lambda *_: _pages())
    app.connect("source-read", _fill)
    app.connect("builder-inited", lambda _: _refuse_gaps())
    return {"version": "1", "parallel_read_safe": True}


def _pages() -> list[str]:
    """The pages with marks: what fills them may have changed though they have not."""
    return [page.stem for page in sorted(DOCS.glob("*.md")) if MARK.search(page.read_text(encoding="utf-8"))]


def _fill(app: Sphinx, name: str, source: list[str]) -> None:
    """Replace the marks of one page."""
    del app, name
    source[0] = MARK.sub(lambda mark: FILLERS[mark[1]](mark[2]), source[0])


def _refuse_gaps() -> None:
    """The reference has every word of the schema, once."""
    text = (DOCS / "reference.md").read_text(encoding="utf-8")
    shown = [key for mark in MARK.finditer(text) if mark[1] == "words" for key in mark[2].split()]
    twice = sorted({key for key in shown if shown.count(key) > 1})
    gaps = {"missing": words().keys() - set(shown), "unknown": set(shown) - words().keys(), "twice": set(twice)}
    if any(gaps.values()):
        raise ExtensionError(
            f"docs/reference.md and the schema differ: { {k: sorted(v) for k, v in gaps.items() if v} }"
        )


def word_entries(keys: str) -> str:
    """The entries of some words of the language, by their keys."""
    return "\n".join(_entry(words()[key]) for key in keys.split())


def _entry(word: Word) -> str:
    places = ", ".join(f"{place} (required)" if place in word.required else place for place in word.places)
    facts = [f"In: {places}.", f"Takes {_takes(word)}."]
    if word.default is not None:
        facts.append(f"Without it: `{str(word.default).lower()}`.")
    if word.inside:
        facts.append(f"Holds {', '.join(map(_linked, word.inside))}.")
    used = [f"[{name}](recipes.md#{name})" for name, keys in _uses().items() if word.key in keys]
    if used:
        facts.append(f"In use: {', '.join(used)}.")
    examples = "".join(as_yaml(word.name, example) for example in word.examples)
    title = f"(word-{_id(word.key)})=\n### `{word.name}`"
    return f"{title}\n\n{word.description}\n\n{' '.join(facts)}\n\n```yaml\n{examples}```\n"


def _takes(word: Word) -> str:
    choices = ", ".join(f"`{choice}`" for choice in word.choices)
    return f"one of {choices}" if len(word.choices) > 1 else choices or word.takes


def _linked(key: str) -> str:
    return f"[`{words()[key].name}`](#word-{_id(key)})"


def _id(key: str) -> str:
    return re.sub(r"[._]", "-", key)


@cache
def _uses() -> dict[str, set[str]]:
    """Which words the examples of the recipes use."""
    files = sorted((DOCS / "examples").glob("*.yaml"))
    return {file.stem: set(_used(schema(), load(file).data)) for file in files}


def _used(part: dict[str, Any], data: Any) -> Iterator[str]:
    if "$ref" in part:
        yield from _used(target(part["$ref"]), data)
    yield from _used(part["else" if not isinstance(data, list) else "then"], data) if "else" in part else ()
    for item in data if isinstance(data, list) else ():
        yield from _used(part.get("items", {}), item)
    for name, value in data.items() if isinstance(data, dict) else ():
        inner = part.get("properties", {}).get(name)
        if inner is None:
            yield from _used(part.get("additionalProperties") or {}, value)
        else:
            definition = defined(inner)
            yield from [definition["title"]] if definition else []
            yield from _used(inner, value)


def site_table(_: str) -> str:
    """The sites that come with qetch, and below the table their kinds of URLs."""
    sites = [read(file) for file in sorted((ROOT / "sites").glob("*.yaml"))]
    table = _table(("site", "what it is", "credentials", "status"), [_site_row(site) for site in sites])
    return "\n".join([table, *map(_site_kinds, sites)])


def _site_row(site: Any) -> tuple[str, ...]:
    credentials = f"`qetch auth add {site.name}`" if site.auth and site.auth.kind != "none" else "none"
    status = site.status if site.status == "alive" else f"{site.status}: {site.note}"
    return f"[{site.name}](#site-{site.name})", site.description, credentials, status


def _site_kinds(site: Any) -> str:
    rows = [(name, f"`{handle.examples[0].url}`") for name, handle in site.handles.items()]
    hosts = ", ".join((*site.domains, *site.instances))
    return f"(site-{site.name})=\n## {site.name}\n\n{hosts}\n\n{_table(('kind', 'such as'), rows)}"


def outcome_table(_: str) -> str:
    """What `raise` may say."""
    statuses = {name: str(status) for status, name in errors.STATUS_OUTCOMES.items()}
    rows = [
        (f"`{name}`", statuses.get(name, ""), f"`{error.__name__}`", error.__doc__ or "", str(error.exit_code))
        for name, error in errors.OUTCOMES.items()
    ]
    return _table(("raise", "HTTP status", "error", "what happened", "exit code"), rows)


def exit_codes(_: str) -> str:
    """The exit codes of the command line."""
    rows = [(str(branch.exit_code), f"`{branch.__name__}`", meaning) for branch, meaning in WHO_MUST_ACT.items()]
    return _table(("exit code", "error", "who must act"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines) + "\n"


def commands(_words: str) -> str:
    """The help of every subcommand."""
    shown: list[list[str]] = [[]]
    for name, (takes, _) in COMMANDS.items():
        shown.append([name])
        shown += [[name, action] for action in takes.split("|") if "|" in takes]
    return "\n".join(f"## {' '.join(['qetch', *path])}\n\n```text\n{_help(path)}```\n" for path in shown)


def _help(path: list[str]) -> str:
    """What `--help` says, on a terminal of 100 columns, to a user whose home is `HOME`."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LANG")}
    env = {**kept, "HOME": HOME, "COLUMNS": "100", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "qetch", *path, "--help"]
    run = subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603
    if run.returncode:
        raise ExtensionError(f"{' '.join(command[2:])} failed: {run.stderr.strip()[-500:]}")
    return run.stdout.rstrip() + "\n"


FILLERS: dict[str, Callable[[str], str]] = {
    "commands": commands,
    "exit_codes": exit_codes,
    "outcomes": outcome_table,
    "sites": site_table,
    "words": word_entries,
}
