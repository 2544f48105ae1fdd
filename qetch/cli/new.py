"""`qetch new`: a first spec for a URL."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qetch.cli.common import Parser, add_network_flags
from qetch.cli.messages import say
from qetch.errors import Empty, FileError, UserError

if TYPE_CHECKING:
    import argparse

    from qetch.session import Session
    from qetch.tools.new.address import Address
    from qetch.tools.new.asked import Sent
    from qetch.tools.new.compose import Draft
    from qetch.tools.new.page import Page

DESCRIPTION = """\
Look at a page or a JSON answer, and write a first site file for it: which URLs it is for, what to ask for, where the
files and their titles, dates and sizes are. The file passes `qetch validate`, and was tried on the same page. Comments
say "decide" where a person must. If nothing is found the file is a skeleton to fill in, and the exit code is 4.
The first line tells editors where the schema is: that of the clone into which the file is written, else that of this
qetch, by its full path."""

EXAMPLES = """\
examples:
  qetch new https://pictures.example/g/night-sky
  qetch new https://api.pictures.example/albums/7 --name pictures -o sites/pictures.yaml
  qetch new https://pictures.example/p/12 --page saved.html -o -    a page saved from a browser; no network
  qetch new --page saved.html                                      the same, if the page itself says its URL
  qetch new https://pictures.example/@mira --api 'https://api.pictures.example/users/mira/posts?limit=9' \\
      --header 'Authorization: Bearer 12ab'      what the page asks for; of the header, the file holds no value"""

MODELINE = "# yaml-language-server: $schema="
NAME = "abcdefghijklmnopqrstuvwxyz0123456789-_"


def run(words: list[str]) -> int:
    """Run the subcommand; its exit code."""
    parser = Parser("new", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument(
        "url",
        metavar="URL",
        nargs="?",
        help="a page with pictures or videos, or an address that answers in JSON or XML; may be left out with --page,"
        " where the page names it",
    )
    parser.add_argument("--name", help="the site's name; made from the host unless given")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write; - for stdout; NAME.yaml unless given")
    parser.add_argument("--page", metavar="FILE", help="what the URL answers, saved in a file; then nothing is asked")
    parser.add_argument("--api", metavar="URL", help="where the page's data come from: this is asked, and not the page")
    parser.add_argument(
        "--header",
        metavar="'NAME: VALUE'",
        action="append",
        default=[],
        help="sent along, to the host that is asked alone; may be given several times. Its value is not written down",
    )
    parser.add_argument("--data", metavar="JSON", help="posted as JSON, such as a query of GraphQL with its variables")
    add_network_flags(parser)
    arguments = parser.parse_args(words)
    if not arguments.url and not arguments.page:
        parser.error("the URL is missing")
    from qetch.tools.new.address import read_address
    from qetch.tools.new.asked import behind, read_sent
    from qetch.tools.new.compose import compose

    sent = read_sent(arguments.header, arguments.data)
    url, saved = _saved(arguments)
    address = read_address(url, _checked(arguments.name))
    if arguments.api:
        address = behind(address, read_address(arguments.api, address.name))
    output = arguments.output or f"{address.name}.yaml"
    _refuse_existing(output)
    session = None
    try:
        if saved:
            page = saved.at(address.request.url)
        else:
            session = _session(arguments.allow_private, arguments.replay)
            address, page = _fetched(session, address, arguments.api or url, sent)
        draft = compose(address, page, session, sent)
    finally:
        if session:
            session.close()
    _write(output, f"{_modeline(output)}\n{draft.text}")
    if saved and page.kind == "json" and not arguments.api:
        say(SAVED)
    return _report(draft, address.request.url)


SAVED = (
    "nothing was asked: if this answer came from another URL than the one that people paste, give that with --api,"
    " and what was sent there with --header and --data"
)


def _saved(arguments: argparse.Namespace) -> tuple[str, Page | None]:
    """The URL, as it was given or as the saved page names it, and that page if there is one."""
    if not arguments.page:
        return arguments.url, None
    from qetch.tools.new.page import read_page
    from qetch.tools.new.saved import url_of

    page = read_page(Path(arguments.page))
    return arguments.url or url_of(page), page


def _fetched(session: Session, address: Address, url: str, sent: Sent) -> tuple[Address, Page]:
    """What answers, and the address that did."""
    from qetch.tools.new.address import read_address
    from qetch.tools.new.asked import prove
    from qetch.tools.new.page import fetch_page

    prove(session, url, sent)
    page = fetch_page(session, url, sent)
    if address.asks is None and page.url != url:
        address = read_address(page.url, address.name)
    return address, page


def _modeline(output: str) -> str:
    """The line that tells editors where the schema is.

    It is relative where the file will stand below a folder with `schema/site.schema.json`, as in a clone; else it is
    the address of the schema that came with this qetch, which holds on this machine. Stdout is taken for a file in the
    current folder.
    """
    from qetch.paths import schema_file

    for steps, folder in enumerate(Path(output).resolve().parents):
        if (folder / "schema" / "site.schema.json").is_file():
            return f"{MODELINE}{'../' * steps}schema/site.schema.json"
    return f"{MODELINE}{schema_file().absolute().as_uri()}"


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
        say(draft.advice)
        return Empty.exit_code
    files = f"{len(draft.files)} file{'' if len(draft.files) == 1 else 's'}"
    say(f"found {draft.evidence}; a run on this page gives {files}")
    if draft.passed_over:
        say(f"not used: {'; '.join(draft.passed_over[:3])}")
    return 0
