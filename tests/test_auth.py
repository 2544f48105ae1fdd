"""Kinds of credentials, the shared registry, and the file that keeps them."""

from __future__ import annotations

import copy
import json
import os
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from qetch import auth
from qetch.auth import AuthRegistry, AuthTypes, SavedCredential
from qetch.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own for each test, and an empty registry."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    AuthRegistry().clear()
    yield tmp_path
    AuthRegistry().clear()


def write_file(text: str, mode: int = 0o600) -> Path:
    file = auth.auth_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize(
    ("member", "documented"),
    [
        (AuthTypes.NONE, None),
        (AuthTypes.BASIC, ("USERNAME", "PASSWORD")),
        (AuthTypes.OAUTH, ("KEY", "SECRET")),
        (AuthTypes.KEY, ("KEY",)),
        (AuthTypes.COOKIES, ("COOKIES",)),
    ],
)
def test_a_kind_equals_its_tuple_from_both_sides(member: AuthTypes, documented: tuple[str, ...] | None) -> None:
    assert member == documented
    assert documented == member
    assert hash(member) == hash(documented)
    assert AuthTypes(documented) is member


def test_no_kind_is_false_as_none_is() -> None:
    assert [bool(member) for member in (AuthTypes.NONE, AuthTypes.KEY, AuthTypes.OAUTH)] == [False, True, True]


def test_kinds_differ_and_oauth_has_its_documented_spelling() -> None:
    assert AuthTypes.KEY != AuthTypes.OAUTH
    assert AuthTypes.BASIC != ("KEY", "SECRET")
    assert AuthTypes["OAuth"] is AuthTypes.OAUTH
    assert pickle.loads(pickle.dumps(AuthTypes.BASIC)) is AuthTypes.BASIC


def test_all_registries_hold_the_same() -> None:
    first, second = AuthRegistry(), AuthRegistry()
    first["site"] = ("KEY", "SECRET")
    assert second["site"] == ("KEY", "SECRET")
    second.update(site=("USERNAME", "PASSWORD"))
    assert first["site"] == ("USERNAME", "PASSWORD")
    assert dict(first) == {"site": ("USERNAME", "PASSWORD")}


def test_a_new_registry_adds_what_it_is_given_and_loses_nothing() -> None:
    AuthRegistry()["old"] = ("KEY",)
    AuthRegistry(new=("KEY",))
    assert set(AuthRegistry()) == {"old", "new"}


def test_a_registry_is_the_same_one_after_copying_and_pickling() -> None:
    registry = AuthRegistry(site=("KEY",))
    assert copy.deepcopy(registry) == pickle.loads(pickle.dumps(registry)) == {"site": ("KEY",)}
    assert pickle.loads(pickle.dumps(registry)) is AuthRegistry()


def test_threads_get_the_same_registry() -> None:
    class Fresh(AuthRegistry):
        pass

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: Fresh(**{f"site{number}": number}), range(50)))
    assert len({id(one) for one in made}) == 1
    assert len(made[0]) == 50


def test_the_repr_of_a_registry_and_of_a_saved_credential_show_no_value() -> None:
    registry = AuthRegistry(site=("top", "hush"), other=SavedCredential(["top", "hush"], "package", "other"))
    for text in (repr(registry), str(registry), f"{registry['other']}"):
        assert "hush" not in text
        assert "top" not in text
    assert "site" in repr(registry)


def test_a_saved_credential_is_a_tuple_that_remembers_whose_it_is() -> None:
    credential = SavedCredential(["a", "b"], "/sites", "site")
    twins: list[SavedCredential] = [credential, copy.copy(credential), pickle.loads(pickle.dumps(credential))]
    for one in twins:
        assert (one.owner, one.site) == ("/sites", "site")
        assert one == ("a", "b")


def test_what_is_saved_is_loaded_into_the_registry() -> None:
    auth.save("site", ["key", "s€cret"], "package", "site")
    auth.save("a.example", ["other"], "/home/me/sites", "mysite")
    assert auth.load_saved() is AuthRegistry()
    assert AuthRegistry()["site"] == ("key", "s€cret")
    instance = AuthRegistry()["a.example"]
    assert (instance.owner, instance.site) == ("/home/me/sites", "mysite")


def test_without_a_file_nothing_is_saved() -> None:
    assert auth.saved() == {}
    assert auth.load_saved() == {}


def test_loading_replaces_what_was_loaded_before_and_keeps_what_the_program_set() -> None:
    auth.save("site", ["old"], "package", "site")
    auth.load_saved()
    auth.save("site", ["new"], "package", "site")
    assert auth.load_saved()["site"] == ("new",)
    AuthRegistry()["site"] = ("by hand",)
    assert auth.load_saved()["site"] == ("by hand",)


def test_loading_can_fill_another_mapping() -> None:
    class Mine(AuthRegistry):
        pass

    auth.save("site", ["key"], "package", "site")
    assert auth.load_saved(Mine()) == {"site": ("key",)}
    assert AuthRegistry() == {}


def test_forgetting_removes_one_and_says_whether_there_was_one() -> None:
    auth.save("site", ["key"], "package", "site")
    auth.save("other", ["key"], "package", "other")
    assert auth.forget("site") is True
    assert auth.forget("site") is False
    assert set(auth.saved()) == {"other"}


@pytest.mark.skipif(os.name != "posix", reason="modes are of posix")
def test_the_file_and_its_new_folder_are_private_whatever_the_umask() -> None:
    before = os.umask(0)
    try:
        auth.save("site", ["key"], "package", "site")
    finally:
        os.umask(before)
    file = auth.auth_file()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(os.name != "posix", reason="modes are of posix")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_that_others_may_open_is_refused_with_the_cure(mode: int) -> None:
    file = write_file('{"site": {"values": ["hush"], "owner": "package", "site": "site"}}', mode)
    with pytest.raises(FileError, match=f"chmod 600 '{file}'") as caught:
        auth.load_saved()
    assert "hush" not in str(caught.value)
    with pytest.raises(FileError, match="chmod"):
        auth.save("other", ["key"], "package", "other")
    assert "hush" in file.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hush",
        "[]",
        '{"site": "hush"}',
        '{"site": {"values": "hush", "owner": "package", "site": "x"}}',
        '{"site": {"values": ["hush", 1], "owner": "package", "site": "x"}}',
        '{"site": {"values": ["hush"], "owner": null, "site": "x"}}',
        '{"site": {"values": ["hush"]}}',
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
        "[" * 100_000,
    ],
)
def test_a_broken_file_is_an_error_that_names_it_and_shows_nothing_of_it(text: str) -> None:
    file = write_file(text)
    with pytest.raises(FileError) as caught:
        auth.saved()
    assert str(file) in str(caught.value)
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    with pytest.raises(FileError):
        auth.save("site", ["key"], "package", "site")
    assert file.read_text() == text


def test_a_folder_that_cannot_be_made_is_a_file_error(home: Path) -> None:
    (home / "config").write_text("a file where the folder should be")
    with pytest.raises(FileError, match=r"cannot be (read|written)"):
        auth.save("site", ["key"], "package", "site")


def test_a_folder_where_the_file_should_be_is_a_file_error() -> None:
    auth.auth_file().mkdir(parents=True)
    with pytest.raises(FileError):
        auth.saved()


def test_a_link_to_a_file_elsewhere_stays_a_link(home: Path) -> None:
    target = home / "dotfiles" / "auth.json"
    target.parent.mkdir()
    target.write_text("{}")
    target.chmod(0o600)
    file = auth.auth_file()
    file.parent.mkdir(parents=True)
    file.symlink_to(target)
    auth.save("site", ["key"], "package", "site")
    assert file.is_symlink()
    assert json.loads(target.read_text())["site"]["values"] == ["key"]
