"""`qetch schema`: the language of site files, for editors and for people."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from qetch.cli.common import Parser
from qetch.cli.messages import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.spec.words import Word

DESCRIPTION = """\
Print the JSON Schema of site files, which gives editors completion and help; or, with words, what these mean."""

EXAMPLES = """\
examples:
  qetch schema > site.schema.json   the schema, for an editor's settings
  qetch schema each pages.next      two words of the language
  qetch schema url                  a word with several meanings: all of them
  qetch schema --words              the list of all words"""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    parser = Parser("schema", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("words", metavar="WORD", nargs="*", help="a word of the language, such as each or pages.next")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--path", action="store_true", help="print where the schema is, not what it says")
    group.add_argument("--words", dest="list", action="store_true", help="list all words, one a line")
    arguments = parser.parse_args(words)
    if arguments.words and (arguments.path or arguments.list):
        parser.error("--path and --words stand alone, without words")
    if arguments.words:
        print("\n".join(chain.from_iterable(_described(name, parser) for name in arguments.words)), end="")
    elif arguments.list:
        print("\n".join(_listed()))
    else:
        from qetch.paths import schema_file

        file = schema_file()
        print(file if arguments.path else file.read_text(encoding="utf-8"), end="\n" if arguments.path else "")
    return 0


def _described(name: str, parser: Parser) -> Iterator[str]:
    """The description of each word of a name.

    Raises:
        SystemExit: There is none.
    """
    from qetch.selectors.jmes import FUNCTIONS
    from qetch.spec.words import named, words

    found = named(name)
    if not found:
        known = chain.from_iterable((word.key, word.name) for word in words().values())
        is_function = name in FUNCTIONS
        hint = " - it is a function of value.jmespath" if is_function else did_you_mean(name, dict.fromkeys(known))
        parser.error(f"no such word: {name}{hint} - `qetch schema --words` lists all")
    return map(_description, found)


def _description(word: Word) -> str:
    from textwrap import fill, indent

    from qetch.spec.words import as_yaml

    facts = {
        "stands in": ", ".join(f"{place} (required)" if place in word.required else place for place in word.places),
        "takes": ", ".join(map(str, word.choices)) or word.takes,
        "default": "" if word.default is None else str(word.default).lower(),
        "holds": ", ".join(word.inside),
    }
    lines = [word.key, fill(word.description, 88, initial_indent="  ", subsequent_indent="  ")]
    lines += [
        fill(f"{name}: {text}", 88, initial_indent="  ", subsequent_indent="    ")
        for name, text in facts.items()
        if text
    ]
    examples = indent("".join(as_yaml(word.name, example) for example in word.examples), "    ")
    return "\n".join([*lines, "  examples:", examples])


def _listed() -> Iterator[str]:
    from qetch.spec.words import words

    width = max(map(len, words()))
    return (f"{word.key:<{width}}  {word.description}" for word in words().values())
