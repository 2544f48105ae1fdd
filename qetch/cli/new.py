"""`qetch new`: a first spec for a URL."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import Parser, add_network_flags
from qetch.cli.messages import say
from qetch.errors import Empty, FileError, UserError

if TYPE_CHECKING:
    from qetch.session import Session
    from qetch.tools.new.compose import Draft

DESCRIPTION = """\
Look at a page or a JSON answer, and write a first site file for it: which URLs it is for, what to ask for, where the
files and their titles, dates and sizes are. The file passes `qetch validate`, and was tried on the same page. Comments
say "decide" where a person must. If nothing is found the file is a skeleton to fill in, and the exit code is 4."""

EXAMPLES = """\
examples:
  qetch new https://pictures.example/g/night-sky
  qetch new https://api.pictures.example/albums/7 --name pictures -o sites/pictures.yaml
  qetch new https://pictures.example/p/12 --page saved.html -o -    a page saved from a browser; no network"""

NAME = "abcdefghijklmnopqrstuvwxyz0123456789-_"


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    parser = Parser("new", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("url", metavar="URL", help="a page with pictures or videos, or an address that answers in JSON")
    parser.add_argument("--name", help="the site's name; made from the host unless given")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write; - for stdout; NAME.yaml unless given")
    parser.add_argument("--page", metavar="FILE", help="what the URL answers, saved in a file; then nothing is asked")
    add_network_flags(parser)
    arguments = parser.parse_args(words)
    from qetch.tools.new.address import read_address
    from qetch.tools.new.compose import compose
    from qetch.tools.new.page import fetch_page, read_page

    name = _checked(arguments.name)
    address = read_address(arguments.url, name)
    output = arguments.output or f"{address.name}.yaml"
    _refuse_existing(output)
    session = None if arguments.page else _session(arguments.allow_private, arguments.replay)
    try:
        page = fetch_page(session, arguments.url) if session else read_page(Path(arguments.page), address.url)
        if session and page.url != arguments.url:
            address = read_address(page.url, address.name)
        draft = compose(address, page, session)
    finally:
        if session:
            session.close()
    _write(output, draft.text)
    return _report(draft, address.url)


def _checked(name: str | None) -> str:
    """The name that the user wants.

    Raises:
        UserError: A site cannot have it.
    """
    if name is not None and (not name or name[0] in "-_" or set(name) - set(NAME)):
        raise UserError(f"{name!r} cannot be a site's name - use lowercase letters, digits, - and _")
    return name or ""


def _session(allow_private: bool, replay: str | None) -> Session:
    from qetch.session import Policy, Session, mount_replay

    session = Session(Policy(name="new"))
    session.allow_private = allow_private
    if replay is not None:
        from qetch.replay import ReplayAdapter

        mount_replay(session, ReplayAdapter(Path(replay)))
    return session


def _refuse_existing(output: str) -> None:
    if output != "-" and Path(output).exists():
        raise FileError(f"{output} is there already - remove it, or name another file with -o")


def _write(output: str, text: str) -> None:
    if output == "-":
        sys.stdout.write(text)
        return
    try:
        with Path(output).open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise FileError(f"cannot write {output}: {error.strerror}") from None
    print(output)


def _report(draft: Draft, url: str) -> int:
    if not draft.files:
        say(f"{url}: nothing here looks like a file of the page, so this is a skeleton - write `content` by hand;")
        say("a page that a browser fills in later: find the JSON that it asks for, and give `qetch new` that URL")
        return Empty.exit_code
    files = f"{len(draft.files)} file{'' if len(draft.files) == 1 else 's'}"
    say(f"found {draft.evidence}; a run on this page gives {files}")
    if draft.passed_over:
        say(f"not used: {'; '.join(draft.passed_over[:3])}")
    return 0
