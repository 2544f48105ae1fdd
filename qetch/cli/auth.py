"""`qetch auth`: saved credentials."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qetch import auth
from qetch.cli.common import Parser, add_sites_flag, use_sites
from qetch.cli.messages import did_you_mean, one_line, say
from qetch.cli.sites import print_table
from qetch.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from qetch.extractors.index import Entry
    from qetch.extractors.registry import Registry

DESCRIPTION = """\
Save credentials for a site, list for which sites there are some, or remove them. They are kept in a file
that only you can read, {file},
and are sent to no other hosts than those that the site's own file names for them."""

EXAMPLES = """\
examples:
  qetch auth add NAME              asks for what the site wants
  qetch auth add NAME < key.txt    reads it from a file, one value in each line
  qetch auth list
  qetch auth remove NAME"""

ACTIONS = ("add", "list", "remove")
OPTIONAL = "SECRET"
"""Many sites hand out a key alone."""


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    arguments = _parse(words)
    if arguments.action == "remove":
        _remove(arguments.name)
        return 0
    registry = use_sites(arguments.sites)
    if arguments.action == "list":
        _list(registry)
    else:
        _add(registry, arguments.name, arguments.values)
    return 0


def _parse(words: list[str]) -> argparse.Namespace:
    parser = Parser("auth", description=DESCRIPTION.format(file=auth.auth_file()), epilog=EXAMPLES)
    parser.add_argument("action", choices=ACTIONS, metavar="|".join(ACTIONS))
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="a site, as `qetch sites` names it, or an instance's host"
    )
    parser.add_argument(
        "values",
        metavar="VALUE",
        nargs="*",
        default=[],
        help="what to add, if your shell may remember it; else qetch asks for it",
    )
    add_sites_flag(parser)
    arguments = parser.parse_intermixed_args(words)
    wrong = _contradiction(arguments)
    if wrong:
        parser.error(wrong)
    return arguments


def _contradiction(arguments: argparse.Namespace) -> str:
    if arguments.action == "list":
        return "list takes no NAME" if arguments.name else ""
    if arguments.name is None:
        return f"{arguments.action} needs the NAME of a site"
    if arguments.action == "remove" and arguments.values:
        return "remove takes one NAME"
    return ""


def _add(registry: Registry, name: str, given: Sequence[str]) -> None:
    key, entry = _find_site(registry, name)
    fields = _fields(entry)
    wanted = _wanted(registry, entry) or fields
    values = _checked(wanted, fields, given) if given else list(_asked(key, wanted, fields))
    owner = auth.owner_of(Path(entry.path))
    before = auth.saved().get(key)
    auth.save(key, values, owner, entry.name)
    given_fields = [field.lower() for field, value in zip(fields, values, strict=True) if value]
    say(f"{'replaced' if before else 'saved'}: {' and '.join(given_fields)} for {key}, in {auth.auth_file()}")
    if before and before.owner != owner:
        theirs = "qetch's own site file" if before.owner == "package" else f"the site file in {before.owner}"
        say(f"warning: what was saved for {key} before was for {theirs}, which has nothing now")


def _list(registry: Registry) -> None:
    credentials = auth.saved()
    kinds = {(entry.name, auth.owner_of(Path(entry.path))): entry.auth_kind for entry in registry.entries}
    if not credentials:
        say("no credentials are saved - `qetch auth add NAME` saves some")
        return
    rows = [
        (key, kinds.get((saved.site, saved.owner)) or _count(list(filter(None, saved))), saved.site, saved.owner)
        for key, saved in sorted(credentials.items())
    ]
    print_table([("NAME", "KIND", "SITE", "SITE FILE FROM"), *rows])


def _count(values: Sequence[str]) -> str:
    """How many there are: all that is known of a credential whose site is not at hand."""
    given = len(values)
    return f"{given} value{'' if given == 1 else 's'}"


def _remove(name: str) -> None:
    if not auth.forget(name):
        raise UserError(f"no credentials are saved for {name}{did_you_mean(name, auth.saved())}")
    say(f"removed: the credentials for {name}")


def _find_site(registry: Registry, name: str) -> tuple[str, Entry]:
    """The key of the credentials, and the site, for a site's name or an instance's host."""
    from qetch.extractors.hosts import is_instance
    from qetch.extractors.registry import OWN_SITES

    host = name.lower()
    for entry in registry.entries:
        if entry.name == name:
            return name, entry
        if any(is_instance(host, pattern) for pattern in entry.instances):
            return host, entry
    registry.warn_of_problems()  # it could be one of those
    names = [entry.name for entry in registry.entries]
    of_domain = [
        entry.name for entry in registry.entries if any(f".{host}".endswith(f".{domain}") for domain in entry.domains)
    ]
    cure = f" - did you mean {of_domain[0]}?" if of_domain else did_you_mean(name, names)
    raise UserError(f"no site is named {name}{cure or f' - `qetch sites` lists them; {OWN_SITES}'}")


def _fields(entry: Entry) -> tuple[str, ...]:
    """The words for what the site wants, in order."""
    fields = auth.AuthTypes[(entry.auth_kind or "none").upper()].value
    if fields is None:
        raise UserError(f"{entry.name} takes no credentials: it works without")
    return tuple(fields)


def _wanted(registry: Registry, entry: Entry) -> tuple[str, ...]:
    """The words for what the site's requests are made of; none if only the site's own code knows."""
    extractor: Any = registry.extractor(entry.name)
    words: tuple[str, ...] = extractor.wanted()
    return tuple(map(str.upper, words))


def _checked(wanted: Sequence[str], fields: Sequence[str], given: Sequence[str]) -> list[str]:
    """The values of the command line, one for each field."""
    say("warning: your shell remembers these values - without them on the command line, qetch asks for them")
    least = len([field for field in wanted if field != OPTIONAL])
    if not least <= len(given) <= len(fields):
        raise UserError(f"this site wants {' and '.join(wanted).lower()}: {_count(given)} given")
    values = [value.strip() for value in given]
    for field, value in zip(wanted, values, strict=False):
        if not value and field != OPTIONAL:
            raise UserError(f"the {field.lower()} is empty, so nothing is saved")
    return [*values, *[""] * (len(fields) - len(values))]


def _asked(key: str, wanted: Sequence[str], fields: Sequence[str]) -> Iterator[str]:
    """A value for each field: asked for on a terminal, else a line of stdin; "" for what nobody wants."""
    for field in fields:
        value = _ask(key, field).strip() if field in wanted and sys.stdin else ""  # None if it was closed
        if not value and field in wanted and field != OPTIONAL:
            raise UserError(f"no {field.lower()} given, so nothing is saved - give it on stdin, one value in each line")
        yield value


def _ask(key: str, field: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    hint = " (Enter if there is none)" if field == OPTIONAL else ""
    prompt = one_line(f"{field.lower()} for {key}{hint}") + ": "
    if field == "USERNAME":  # no secret: let people see what they type
        print(prompt, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline()
    from getpass import getpass

    try:
        return getpass(prompt)
    except EOFError:  # Ctrl-D: nothing was given
        return ""
