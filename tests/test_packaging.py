"""The wheel: built from this checkout, installed into an empty environment, used from somewhere else."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NEEDS_PIP = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="this environment has no pip")
NO_INDEX = (
    "Could not find a version that satisfies the requirement",
    "No matching distribution found",
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
)


def pip(*words: str, python: Path | str = sys.executable) -> None:
    """Run pip; without a package index the test is skipped, and any other failure fails it."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "--retries", "1", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode and any(sign in done.stderr for sign in NO_INDEX):
        pytest.skip(f"no package index can be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("qetch-*.whl")
    return built


@NEEDS_PIP
def test_a_wheel_holds_every_site_the_schema_and_the_types_mark(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        schema = archive.read("qetch/schema/site.schema.json")
    sites = {path.name for path in (ROOT / "sites").iterdir() if path.suffix in (".yaml", ".py")}
    assert {f"qetch/sites/{name}" for name in sites} <= names
    assert json.loads(schema) == json.loads((ROOT / "schema" / "site.schema.json").read_text(encoding="utf-8"))
    assert "qetch/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"qetch"}


@NEEDS_PIP
def test_a_wheel_works_in_an_empty_environment_and_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True, symlinks=os.name != "nt")
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip("install", "--quiet", str(wheel), python=programs / "python")
    inherited = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL")
    home = {name: str(tmp_path / "home") for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    environment = {name: os.environ[name] for name in inherited if name in os.environ} | home

    def qetch(*words: str) -> str:
        command = [str(programs / "qetch"), *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    sites = {site["name"] for site in json.loads(qetch("sites", "--json"))}
    assert sites == {path.stem for path in (ROOT / "sites").glob("*.yaml")}
    url = "https://boards.4chan.org/po/thread/570368/welcome"
    site, handle, _, file = qetch("match", url).rstrip("\n").split("\t")
    assert (site, handle) == ("4chan", "thread")
    assert Path(file).parts[-3:] == ("qetch", "sites", "4chan.yaml")
    assert qetch("validate", file) == ""
    qetch("get", url, "--replay", str(ROOT / "tests" / "cassettes"), "-o", "files")
    assert len(list((tmp_path / "files").iterdir())) == 5


def imported() -> set[str]:
    """The top-level names of all that is imported under `qetch/`."""
    names: set[str] = set()
    for path in (ROOT / "qetch").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names - {"qetch"}


def test_what_is_imported_is_declared_and_nothing_else_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    everywhere = [dependency for dependency in project["dependencies"] if ";" not in dependency]  # others hold data
    declared = {re.split(r"[<>=!~ \[;]", dependency)[0].lower() for dependency in everywhere}
    owners = importlib.metadata.packages_distributions()
    strangers = imported() - sys.stdlib_module_names - {"pytest"}  # by which its plugin is loaded
    used = {owners[name][0].lower() for name in strangers}
    assert used == declared
