"""The house: imports point down only, the engine knows no site, and what must start fast imports nothing heavy."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qetch"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
ROOMS = [
    # From the ground up. A room may use those below it, and itself; those on one line do not know each other.
    ["errors", "spec.problems"],
    ["selectors", "paths", "heads", "line"],
    ["policy", "answer", "auth", "translation"],
    ["wire"],
    ["credentials", "network", "replay"],
    ["session"],
    ["content", "filenames", "history"],
    ["spec"],
    ["engine"],
    ["extractors"],
    ["downloaders"],
    ["client"],
    ["tools"],
    ["cli", "pytest_plugin"],
]
STRANGERS = {
    # Extraction and downloading meet only in `Content`.
    "downloaders": {"spec", "engine", "extractors", "auth", "cli"},
    "spec": {"session", "network", "content"},
    "cli": {"engine", "network"},
}
FACADE = {"qetch", "qetch.__main__"}
"""What people import and run: it hands over to the room that does the work. Of the rooms only the command line,
which does as people do, may use it."""
ANYWHERE = {"qetch.__version__"}


def room_of(module: str) -> str:
    """The room of a module: the longest name in `ROOMS` that it begins with."""
    inside = module.removeprefix("qetch.")
    rooms = [room for floor in ROOMS for room in floor if inside == room or inside.startswith(f"{room}.")]
    assert rooms, f"{module} has no room: give it one in ROOMS"
    return max(rooms, key=len)


def floor_of(room: str) -> int:
    return next(number for number, floor in enumerate(ROOMS) if room in floor)


def imports(module: str) -> Iterator[tuple[str, int]]:
    """What a module imports of qetch when it runs, at its top or later: full names, and the line."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for node in running(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import hides the room"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((name, node.lineno) for name in names if name == "qetch" or name.startswith("qetch."))


def running(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, without what is there for the type checker only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from running(child)


def module_of(name: str) -> str:
    """The module of an imported name, which may be a module itself or something in one."""
    return name if name in MODULES else name.rpartition(".")[0]


@pytest.mark.parametrize("module", sorted(MODULES.keys() - FACADE))
def test_imports_point_down_only(module: str) -> None:
    own = room_of(module)
    for name, line in imports(module):
        if name in ANYWHERE or (own == "cli" and module_of(name) in FACADE):
            continue
        assert module_of(name) not in FACADE, f"{module}:{line} imports the façade"
        other = room_of(module_of(name))
        assert other == own or floor_of(other) < floor_of(own), f"{module}:{line} imports {name}, which is not below"
        assert other not in STRANGERS.get(own, ()), f"{module}:{line}: {own} is to know nothing of {other}"


def test_every_room_is_there() -> None:
    assert {room_of(module) for module in MODULES.keys() - FACADE} == {room for floor in ROOMS for room in floor}


def test_no_name_of_a_site_is_in_the_engine() -> None:
    words: set[str] = set()
    for path in (ROOT / "sites").glob("*.yaml"):
        site = yaml.safe_load(path.read_text(encoding="utf-8"))
        words |= {site["name"], *site["domains"], site.get("class", site["name"])}
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words)), re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in MODULES.values()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line) and not line.lstrip().startswith(">>>")
    ]
    assert found == []


@pytest.mark.parametrize("module", ["qetch", "qetch.errors", "qetch.content", "qetch.auth", "qetch.cli", "qetch.spec"])
def test_what_everybody_imports_imports_nothing_heavy(module: str) -> None:
    program = (
        f"import sys; before = set(sys.modules); import {module}; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(name for name in new if name not in sys.stdlib_module_names and name != 'qetch'))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_module_can_be_read_in_one_sitting() -> None:
    lengths = {module: path.read_text(encoding="utf-8").count("\n") for module, path in MODULES.items()}
    assert {module: length for module, length in lengths.items() if length > 400} == {}
