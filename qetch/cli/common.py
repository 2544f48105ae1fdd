"""What the subcommands share: how one is chosen and ends, and its flags."""

from __future__ import annotations

import argparse
import errno
import io
import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from qetch.cli import COMMANDS
from qetch.cli.messages import Warnings, complain, did_you_mean, say
from qetch.errors import InvalidSetting, MachineError, QetchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qetch.extractors.registry import Registry

USAGE = 2
INTERRUPTED = 130
PIPE_CLOSED = 141
"""128 + the signal, as shells count."""
ELSEWHERE = {
    **dict.fromkeys(("-P", "-d", "-D", "-O"), "-o"),
    **dict.fromkeys(("--dest", "--destination", "--dir", "--directory", "--directory-prefix", "--paths"), "--output"),
    "-a": "-i",
    "--batch-file": "--input-file",
    "--download-archive": "--archive",
    "-r": "--limit-rate",
    "--rate-limit": "--limit-rate",
    "--max-concurrent-downloads": "--jobs",
    "--no-check-certificates": "--no-check-certificate",
    "--socket-timeout": "--timeout",
}
"""What other programs call an option."""


def run_command(words: list[str]) -> int:
    """Run the subcommand that the words name, and return the exit code of the process."""
    warnings = Warnings()
    logger = logging.getLogger("qetch")
    logger.addHandler(warnings)
    logger.setLevel(logging.INFO)
    _never_fail_to_print()
    try:
        code = _choose(words)
        print(end="", flush=True)
    except QetchError as error:
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # who read our output went away, as `| head` does
        _give_up_stdout()
        return PIPE_CLOSED
    except OSError as error:
        if error.errno != errno.ENOSPC:  # of files the other rooms speak; what is left is a full disk behind `>`
            raise
        _give_up_stdout()
        say("error: the output cannot be written: the disk is full")
        return MachineError.exit_code
    finally:
        logger.removeHandler(warnings)
    return code


def _give_up_stdout() -> None:
    """What is still in the buffer must not fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _choose(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        from qetch.cli.usage import overview

        print(overview(), file=sys.stdout if words else sys.stderr)
        return 0 if words else USAGE
    command, *rest = words
    if command not in COMMANDS:
        say(f"error: {_unknown(command)}")
        return USAGE
    code: int = import_module(f"qetch.cli.{command}").run(rest)
    return code


def _unknown(command: str) -> str:
    if command.startswith("-"):
        return f"no such option: {command} - options come after the command, see `qetch --help`"
    if "/" in command or "." in command:
        return f"a command comes first - did you mean: qetch get {command}"
    return f"no such command: {command}{did_you_mean(command, COMMANDS)} - see `qetch --help`"


def add_urls(parser: argparse.ArgumentParser, help_text: str | None = None, least: int = 1) -> None:
    """`URL...`; blanks around a URL came along when it was copied."""
    parser.add_argument("urls", metavar="URL", nargs="+" if least else "*", type=str.strip, help=help_text)


def add_sites_flag(parser: argparse.ArgumentParser) -> None:
    """`--sites DIR`."""
    parser.add_argument(
        "--sites",
        metavar="DIR",
        action="append",
        default=[],
        help="also use the site files (*.yaml) in this folder; may be given again",
    )


def add_network_flags(parser: argparse.ArgumentParser) -> None:
    """`--replay DIR` and `--allow-private`."""
    parser.add_argument(
        "--replay", metavar="DIR", help="use no network: answer every request from the cassettes in this folder"
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="also ask hosts inside your own network, such as 192.168.0.2 or localhost; without it they are refused, "
        "since any page could send qetch there",
    )


def use_sites(folders: Sequence[str]) -> Registry:
    """The registry of the process, with the folders of `--sites` before all others of the user.

    Raises:
        InvalidSetting: One of them is no folder.
    """
    from qetch.extractors import registry

    for folder in folders:
        check_folder("--sites", folder)
    if folders:
        registry.set_folders(folders)
    return registry.registry()


def check_folder(flag: str, folder: str) -> None:
    """Makes sure that a folder of the command line is one.

    Raises:
        InvalidSetting: It is not.
    """
    path = Path(folder).expanduser()
    if path.is_file():
        raise InvalidSetting(f"{flag} {folder} is a file - give its folder: {flag} {Path(folder).parent}")
    if not path.is_dir():
        raise InvalidSetting(f"{flag} {folder}: no such folder")


def _never_fail_to_print() -> None:
    """An output that is not UTF-8 gets escapes for the letters that it lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


class Parser(argparse.ArgumentParser):
    """The parser of one subcommand; its errors look like all others."""

    def __init__(self, command: str, *, description: str, epilog: str) -> None:
        super().__init__(
            prog=f"qetch {command}",
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Like the original, except that an option which does not exist is said before words that are missing."""
        for word in args or ():
            if word == "--":
                break
            if self._is_unknown(word):
                self.error(f"no such option: {word}{self._meant(word)}")
        return super().parse_known_args(args, namespace)

    def _is_unknown(self, word: str) -> bool:
        if word[:1] != "-" or word[1:2] in ("", " ") or word[1].isdigit() or " " in word:
            return False
        short = word[:2] if word[1] != "-" else ""
        return not {word.partition("=")[0], short} & self._option_string_actions.keys()

    def _meant(self, word: str) -> str:
        name = word.partition("=")[0]
        known = self._option_string_actions
        meant = ELSEWHERE.get(name, ELSEWHERE.get(name[:2], ""))
        if meant in known:
            return f" - did you mean {meant}?"
        return did_you_mean(name, [option for option in known if option.startswith("--")]) if len(name) > 3 else ""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the words, and leave with exit code 2."""
        say(f"error: {message} - see `{self.prog} --help`")
        raise SystemExit(USAGE)
