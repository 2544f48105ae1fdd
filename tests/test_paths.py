"""Where qetch finds things, and which folders it trusts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qetch import paths
from qetch.errors import FileError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("QETCH_SITES", raising=False)
    return tmp_path


@pytest.fixture
def mine(home: Path) -> Path:
    """A folder of the user's, listed as trusted."""
    folder = home / "mine"
    folder.mkdir(mode=0o755)
    config(f"trusted: ['{folder}']")
    return folder


def config(text: str) -> Path:
    file = paths.config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o644)
    return file


def test_the_package_ships_its_sites_and_its_schema() -> None:
    assert paths.package_sites().is_dir()
    assert paths.schema_file().is_file()


def test_the_users_folders_are_where_the_platform_wants_them() -> None:
    assert paths.config_dir().name == "qetch"
    assert paths.cache_dir().name == "qetch"
    assert paths.config_file().parent == paths.config_dir()


def test_folders_come_from_the_user_then_the_environment_then_the_config(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = home / "named"
    named.mkdir()
    monkeypatch.setenv("QETCH_SITES", os.pathsep.join([str(home / "one"), "", "~/two"]))
    assert paths.user_site_folders([named]) == [
        named,
        home / "one",
        home / "two",
        paths.config_dir() / "sites",
    ]


def test_relative_folders_become_absolute(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "named").mkdir()
    monkeypatch.chdir(home)
    assert paths.user_site_folders(["named"])[0] == home / "named"


def test_a_named_folder_that_is_not_there_is_refused(home: Path) -> None:
    with pytest.raises(FileError, match="no such folder - `--sites` wants a folder"):
        paths.user_site_folders([home / "nothing"])


def test_the_package_is_trusted_without_a_config_file() -> None:
    assert paths.distrust(paths.package_sites()) == ""


def test_a_folder_is_trusted_when_the_users_config_lists_its_real_path(mine: Path) -> None:
    assert paths.trusted_folders() == [mine]
    assert paths.distrust(mine) == ""


def test_a_trusted_folder_is_also_trusted_by_another_name(mine: Path, home: Path) -> None:
    (home / "link").symlink_to(mine)
    assert paths.distrust(home / "link") == ""


def test_a_folder_that_is_not_listed_is_not_trusted_and_the_cure_is_said(mine: Path, home: Path) -> None:
    other = home / "other"
    other.mkdir()
    assert f"list its real path, {other}, under `trusted:`" in paths.distrust(other)


def test_a_folder_listed_by_a_link_is_not_trusted(home: Path) -> None:
    (home / "real").mkdir()
    (home / "link").symlink_to(home / "real")
    config(f"trusted: ['{home / 'link'}']")
    assert paths.distrust(home / "link") != ""


def test_what_lies_below_a_trusted_folder_is_not_trusted(mine: Path) -> None:
    (mine / "below").mkdir()
    assert paths.distrust(mine / "below") != ""


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_that_others_may_write_to_is_not_trusted(mine: Path, mode: int) -> None:
    mine.chmod(mode)
    assert "may be written by others (cure: chmod go-w" in paths.distrust(mine)


def test_hooks_that_others_may_write_to_are_not_trusted(mine: Path) -> None:
    hooks = mine / "here.py"
    assert paths.distrust(mine, hooks) == ""
    hooks.write_text("")
    hooks.chmod(0o644)
    assert paths.distrust(mine, hooks) == ""
    hooks.chmod(0o666)
    assert "here.py may be written by others" in paths.distrust(mine, hooks)


def test_a_config_file_that_others_may_write_to_trusts_nobody(mine: Path) -> None:
    paths.config_file().chmod(0o666)
    assert "config.yaml may be written by others" in paths.distrust(mine)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_not_trusted(mine: Path) -> None:
    os.chown(mine, 12345, -1)
    assert "belongs to another user" in paths.distrust(mine)


def test_a_listed_folder_that_is_not_there_is_not_trusted(mine: Path) -> None:
    mine.rmdir()
    assert "cannot be read" in paths.distrust(mine)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "other: 1\n", "trusted: []\n"])
def test_a_config_file_may_trust_nobody(home: Path, text: str) -> None:
    config(text)
    assert paths.trusted_folders() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trusted: [", "not readable as YAML"),
        ("[1]", "must be a mapping"),
        ("trusted: /home/me/sites", "`trusted` must be a list of folders"),
        ("trusted: [1]", "`trusted` must be a list of folders"),
        ("\x00", "not readable as YAML"),
    ],
)
def test_a_broken_config_file_is_refused_with_its_name(home: Path, text: str, message: str) -> None:
    file = config(text)
    with pytest.raises(FileError, match=message) as caught:
        paths.trusted_folders()
    assert str(file) in str(caught.value)


def test_a_config_file_that_is_a_folder_is_refused(home: Path) -> None:
    paths.config_file().mkdir(parents=True)
    with pytest.raises(FileError, match=r"config\.yaml: cannot be read"):
        paths.trusted_folders()


def test_an_installed_package_looks_inside_itself_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "qetch" / "sites").mkdir(parents=True)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "qetch" / "paths.py"))
    assert paths.package_sites() == tmp_path / "qetch" / "sites"
    assert paths.schema_file() == Path(tmp_path, "schema", "site.schema.json")
