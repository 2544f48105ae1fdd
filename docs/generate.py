"""Writes the parts of these pages that are made of what decides them: the schema, the sites, the errors, the examples.

Such a part stands between `<!-- made: NAME WORDS… -->` and `<!-- end -->`, and is what the function of that name below
gives, in Markdown. `python docs/generate.py` writes all of them anew; a test says when that must be done.
"""

from __future__ import annotations

import inspect
import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

from qetch import errors  # noqa: E402 - found by the line above
from qetch.cli import COMMANDS  # noqa: E402
from qetch.cli.usage import WHO_MUST_ACT  # noqa: E402
from qetch.spec import read  # noqa: E402
from qetch.spec.check import schema  # noqa: E402
from qetch.spec.load import load  # noqa: E402
from qetch.spec.words import Word, as_yaml, defined, target, words  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PART = re.compile(r"^(<!-- made: (\w+) ?(.*) -->\n)(?:.*\n)*?(<!-- end -->)$", re.MULTILINE)


def renewed(text: str) -> str:
    """The text of a page with its parts made anew."""
    return PART.sub(lambda part: f"{part[1]}\n{MAKERS[part[2]](part[3]).strip()}\n\n{part[4]}", text)


# --- the language


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
    title = f"{_anchor(f'word-{_id(word.key)}')}### `{word.name}`"
    return f"{title}\n\n{word.description}\n\n{' '.join(facts)}\n\n```yaml\n{examples}```\n"


def _anchor(name: str) -> str:
    return f'<a id="{name}"></a>\n\n'


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


def example(name: str) -> str:
    """A site file of `docs/examples`."""
    return f"```yaml\n{(DOCS / 'examples' / f'{name}.yaml').read_text(encoding='utf-8')}```\n"


# --- tables


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
    return f"{_anchor(f'site-{site.name}')}## {site.name}\n\n{hosts}\n\n{_table(('kind', 'such as'), rows)}"


def outcome_table(_: str) -> str:
    """What `raise` may say."""
    statuses = {name: str(status) for status, name in errors.STATUS_OUTCOMES.items()}
    rows = [
        (f"`{name}`", statuses.get(name, ""), f"`{error.__name__}`", _summary(error), str(error.exit_code))
        for name, error in errors.OUTCOMES.items()
    ]
    return _table(("raise", "HTTP status", "error", "what happened", "exit code"), rows)


def exit_codes(_: str) -> str:
    """The exit codes of the command line."""
    rows = [(str(branch.exit_code), f"`{branch.__name__}`", meaning) for branch, meaning in WHO_MUST_ACT.items()]
    return _table(("exit code", "error", "who must act"), rows)


def commands(_: str) -> str:
    """Every subcommand, in a line."""
    return _table(("command", "what it does"), [(f"`qetch {name}`", does) for name, (_, does) in COMMANDS.items()])


def public(names: str) -> str:
    """What is public in a module: those names, else its `__all__`, else its classes."""
    home, *chosen = names.split()
    module = import_module(home)
    classes = [name for name, member in vars(module).items() if inspect.isclass(member)]
    found = {name: getattr(module, name) for name in chosen or getattr(module, "__all__", classes)}
    return _table(("name", "what it is"), [(f"`{name}`", _summary(thing)) for name, thing in found.items()])


def _summary(thing: object) -> str:
    """The first paragraph of a docstring, on one line."""
    paragraph = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(paragraph.split())


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines) + "\n"


MAKERS: dict[str, Callable[[str], str]] = {
    "commands": commands,
    "example": example,
    "exit_codes": exit_codes,
    "outcomes": outcome_table,
    "public": public,
    "sites": site_table,
    "words": word_entries,
}

if __name__ == "__main__":
    for page in DOCS.glob("*.md"):
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
