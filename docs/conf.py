"""How the documentation is built: `sphinx-build -W docs docs/_build`.

The pages are Markdown that can be read as it is. What only Sphinx needs stands in comments, `<!-- sphinx … -->`, and
anchors are those of HTML. `generate.py` makes the parts that repeat what is decided elsewhere.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from qetch import __version__  # noqa: E402 - found by the line above
from qetch.cli import COMMANDS  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "qetch"
author = "the qetch authors"
copyright = "the qetch authors"  # noqa: A001 - the name is Sphinx's
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!qetch\.).*")]  # other projects' names, and those that are not public

default_role = "code"  # docstrings have single backticks around code
autodoc_typehints = "none"  # they stand in the signatures of the source; here the words explain
autodoc_member_order = "bysource"
napoleon_use_ivar = True
napoleon_use_rtype = False
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"qetch {__version__}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_sphinx = False

HOME = "/home/you"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("env-get-outdated", lambda *_: ["command-line"])  # the commands may have changed, though it has not
    app.connect("source-read", _for_sphinx)


def _for_sphinx(app: Sphinx, name: str, source: list[str]) -> None:
    """Makes a page that people can read into one for Sphinx."""
    del app
    text = re.sub(r"^<!-- sphinx\n(.*?)\n-->$", r"\1", source[0], flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r'^<a id="([\w-]+)"></a>$', r"(\1)=", text, flags=re.MULTILINE)
    source[0] = f"{text}\n{_commands()}" if name == "command-line" else text


def _commands() -> str:
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
    run = subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", check=True)  # noqa: S603
    return run.stdout.rstrip() + "\n"
