"""How the documentation is built: `sphinx-build -W docs docs/_build`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

from qetch import __version__  # noqa: E402 - found by the line above

project = "qetch"
author = "the qetch authors"
copyright = "the qetch authors"  # noqa: A001 - the name is Sphinx's
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]
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
