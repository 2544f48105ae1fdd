"""Where qetch finds things: the files that it ships, the user's folders, and which of these are trusted.

Owner of the `platformdirs` library.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qetch.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Sequence

SITES_VARIABLE = "QETCH_SITES"
"""The environment variable with folders of specs, separated as in `PATH`."""


def package_sites() -> Path:
    """The folder of the specs that qetch ships."""
    return _shipped("sites")


def schema_file() -> Path:
    """The JSON Schema of the spec language."""
    return _shipped("schema") / "site.schema.json"


def _shipped(name: str) -> Path:
    """A top-level folder: inside the package when it is installed, beside the package in a checkout."""
    package = Path(__file__).parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


def config_dir() -> Path:
    """The user's folder for `config.yaml`, `auth.json` and `sites/`; it need not exist."""
    import platformdirs

    return platformdirs.user_config_path("qetch", appauthor=False)


def cache_dir() -> Path:
    """The user's folder for what can be made again; it need not exist."""
    import platformdirs

    return platformdirs.user_cache_path("qetch", appauthor=False)


def config_file() -> Path:
    """The user's own settings; it need not exist."""
    return config_dir() / "config.yaml"


def user_site_folders(named: Sequence[str | Path] = ()) -> list[Path]:
    """The user's folders of specs, in the order in which they are asked.

    Args:
        named: Folders that the user named for this run (`--sites`); they come first.

    Returns:
        Absolute paths: the named ones, those of `QETCH_SITES`, and `sites` in the config folder. The latter two
        need not exist.

    Raises:
        FileError: A named folder is not there.
    """
    for folder in map(Path, named):
        if not folder.expanduser().is_dir():
            raise FileError(f"{folder}: no such folder - `--sites` wants a folder that holds specs (*.yaml)")
    folders = [*map(Path, named), *_of_variable(), config_dir() / "sites"]
    return [folder.expanduser().absolute() for folder in folders]


def missing_folders() -> list[Path]:
    """The folders that `QETCH_SITES` names, and that are not there."""
    return [folder for folder in _of_variable() if not folder.expanduser().is_dir()]


def _of_variable() -> list[Path]:
    return [Path(part) for part in os.environ.get(SITES_VARIABLE, "").split(os.pathsep) if part]


def trusted_folders() -> list[Path]:
    """The folders that the user's `config.yaml` lists under `trusted`, as written; empty without that file.

    Raises:
        FileError: The file is unreadable, or not of this form.
    """
    file = config_file()
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FileError(f"{file}: cannot be read: {error.strerror}") from error
    folders = _settings(file, raw).get("trusted", [])
    if not isinstance(folders, list) or not all(isinstance(folder, str) for folder in folders):
        raise FileError(f"{file}: `trusted` must be a list of folders - such as `trusted: [/home/me/sites]`")
    return [Path(folder) for folder in folders]


def _settings(file: Path, raw: bytes) -> dict[str, Any]:
    import yaml

    try:
        settings = yaml.safe_load(raw)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FileError(f"{file}: not readable as YAML: {' '.join(str(error).split())}") from error
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise FileError(f"{file}: must be a mapping - such as `trusted: [/home/me/sites]`")
    return settings


def distrust(folder: Path, hooks: Path | None = None) -> str:
    """Why the specs of a folder may not bring hooks, with the cure; an empty text if they may.

    Trusted are qetch's own folder, and those that the user's `config.yaml` lists by their real path, if they, that
    file and the file of `hooks` belong to the user and nobody else may write to them.

    Raises:
        FileError: `config.yaml` is unreadable.
    """
    real = folder.resolve()
    if real == package_sites().resolve():
        return ""
    if real not in trusted_folders():
        return f"{folder} is not trusted - list its real path, {real}, under `trusted:` in {config_file()}"
    for path in (config_file(), real, *([hooks] if hooks and hooks.exists() else [])):
        reason = _shared(path)
        if reason:
            return f"{path} {reason}, so {folder} is not trusted"
    return ""


def _shared(path: Path) -> str:
    """Why somebody else could change a file or folder; an empty text if nobody else can."""
    try:
        status = path.stat()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    user = getattr(os, "getuid", None)
    if user is None:  # Windows keeps its rights elsewhere; being listed is what counts there
        return ""
    if status.st_uid != user():
        return "belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"may be written by others (cure: chmod go-w {path})"
    return ""
