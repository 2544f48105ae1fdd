"""Which files are meant: site files in folders, and the cassettes that belong to one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qetch.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

PEEK = 2048
"""Bytes at the top of a file that tell whether it is a spec."""
NAMES = ("cassettes", "tests/cassettes")
"""Where cassettes are, seen from the folder of a spec or one above it."""


def is_spec(file: Path) -> bool:
    """Whether a file begins as a spec does: with `qetch:`, after nothing but comments. Reads only its top."""
    try:
        with file.open("rb") as opened:
            top = opened.read(PEEK)
    except OSError:
        return False
    for line in top.decode("utf-8-sig", "replace").splitlines():
        if line.strip() not in ("", "---") and not line.lstrip().startswith("#"):
            return line.startswith("qetch:")
    return False


def spec_files(paths: Iterable[str | Path]) -> list[Path]:
    """The specs that are named, and those in the folders that are named; each once, in order.

    Raises:
        UserError: A path is not there, or a folder without a spec.
    """
    files: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*.yaml")) if file.is_file() and is_spec(file)]
            if not found:
                raise UserError(f"{path}: no site file (*.yaml that begins with `qetch: 1`) in this folder")
            files.update(dict.fromkeys(found))
        elif path.exists():
            files[path] = None
        else:
            raise UserError(f"{path}: no such file or folder")
    return list(files)


def cassettes_for(spec: Path, name: str, named: Path | None = None) -> Path | None:
    """The folder with the cassettes of a site, or None if there is none.

    Args:
        spec: The site's file.
        name: The site's name.
        named: The folder that the user named: it holds a folder for each site, or the cassettes of this one.

    Raises:
        UserError: The named folder is not there.
    """
    if named is not None and not named.is_dir():
        raise UserError(f"{named}: no such folder - give the one that holds the cassettes")
    roots = [named] if named is not None else _roots(spec)
    for root in roots:
        if (root / name).is_dir():
            return root / name
    if named is not None and any(named.glob("*.yaml")):
        return named
    return None


def cassettes_to_write(spec: Path, name: str, named: Path | None = None) -> Path:
    """The folder for new cassettes of a site, which need not exist: in the folder of cassettes that is nearest."""
    roots = [named] if named is not None else _roots(spec)
    existing = [root for root in roots if root.is_dir()]
    found = next((root for root in existing if (root / name).is_dir()), None)
    return (found or next(iter(existing), roots[0])) / name


def _roots(spec: Path) -> list[Path]:
    """Where cassettes may be: beside a spec and in the folders above, up to the top of the repository."""
    roots = []
    for folder in spec.absolute().parents:
        roots += [folder / name for name in NAMES]
        if (folder / ".git").exists():
            break
    return roots
