"""The text of `qetch --help`."""

from __future__ import annotations

from qetch.cli import COMMANDS
from qetch.errors import LayoutChanged, MachineError, QetchError, SiteError, SpecError, UserError

WHO_MUST_ACT: dict[type[QetchError], str] = {
    SpecError: "a site file is wrong: its author must change it",
    UserError: "it is up to you: another URL or path, an account, a setting",
    SiteError: "the site has a problem: wait, or try later",
    LayoutChanged: "the site has changed: its site file must follow",
    MachineError: "this machine has a problem: network or disk",
}
"""The branches of the errors, for people."""

OVERVIEW = """\
usage: qetch COMMAND [OPTIONS] [URL...]

Drop in a URL, get the content.

Commands:
{commands}

Options:
  -h, --help                show this help; `qetch COMMAND --help` shows that of a command
  --version                 show the version

Examples:
  qetch get URL             download into the current folder
  qetch get URL -o DIR      download into another one
  qetch extract URL         show what would be there to download

Site files of your own (*.yaml) are found in the folders of --sites, in those of the environment
variable QETCH_SITES, and in {sites}.

Exit codes:
  0    everything worked
  1    qetch match: not every URL is taken by a site; qetch test and record: an example failed
  2    the command line makes no sense
{errors}
  130  interrupted by Ctrl-C
After several failures it is the code of the first."""


def overview() -> str:
    """The help of `qetch` itself; the exit codes are those of `qetch.errors`."""
    from qetch.paths import config_dir

    commands = "\n".join(f"  {f'{name} {takes}':<25} {does}" for name, (takes, does) in COMMANDS.items())
    return OVERVIEW.format(commands=commands, errors=_exit_codes(), sites=config_dir() / "sites")


def _exit_codes() -> str:
    return "\n".join(f"  {branch.exit_code:<4} {meaning}" for branch, meaning in WHO_MUST_ACT.items())
