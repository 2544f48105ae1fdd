"""What is kept of the specs between two starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import qetch
from qetch import paths
from qetch.extractors.index import index_file, read_folder
from qetch.extractors.registry import Registry, set_folders
from tests.little_specs import names, put, spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(qetch.__file__).parent.parent


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user without anything."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("QETCH_SITES", raising=False)
    set_folders([])
    yield tmp_path
    set_folders([])


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    folder = tmp_path / "sites"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def age(file: Path, seconds: int = 10) -> None:
    """Give a file another time than it has."""
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns - seconds * 10**9))


def test_a_second_start_knows_the_same_without_reading_a_spec(sites: Path, cache: Path) -> None:
    handles = {"b": (r"^https://one\.example/b/(?P<id>\w+)", "b/x"), "a": (r"^https://one\.example/a/(?P<id>.)", "a/x")}
    put(sites, one=spec("one", handles=handles), bad="qetch: [")
    first = read_folder(sites, cache)
    for file in sites.iterdir():
        status = file.stat()
        file.write_bytes(b"\0" * status.st_size)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    again = read_folder(sites, cache)
    assert again == first
    assert list(again.entries[0].handles) == ["b", "a"]
    assert again.problems


def test_a_changed_spec_is_inspected_again(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"), two=spec("two"))
    assert names(Registry([sites], cache)) == ["one", "two"]
    put(sites, one=spec("renamed"))
    (sites / "two.yaml").unlink()
    put(sites, three=spec("three"))
    assert names(Registry([sites], cache)) == ["renamed", "three"]


def test_a_spec_of_the_same_size_and_another_time_is_inspected_again(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    assert names(Registry([sites], cache)) == ["one"]
    put(sites, one=spec("two"))
    age(sites / "one.yaml")
    assert names(Registry([sites], cache)) == ["two"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: b"",
        lambda text: text[: len(text) // 2],
        lambda text: b"\xff" + text,
        lambda text: b"[" * 100_000,
        lambda text: b"[]",
        lambda text: b"null",
        lambda text: json.dumps(json.loads(text) | {"format": 0}).encode(),
        lambda text: json.dumps(json.loads(text) | {"qetch": "0.0.0"}).encode(),
        lambda text: json.dumps(json.loads(text) | {"rules": []}).encode(),
        lambda text: json.dumps(json.loads(text) | {"trust": True}).encode(),
        lambda text: json.dumps(json.loads(text) | {"folder": "/elsewhere"}).encode(),
        lambda text: json.dumps(json.loads(text) | {"files": {"one.yaml": [1]}}).encode(),
        lambda text: json.dumps(json.loads(text) | {"files": {"one.yaml": [1, 2, ["x"], []]}}).encode(),
        lambda text: json.dumps(json.loads(text) | {"files": ["one.yaml"]}).encode(),
    ],
)
def test_an_index_that_is_not_one_is_made_anew(sites: Path, cache: Path, spoil: Callable[[bytes], bytes]) -> None:
    put(sites, one=spec("one"))
    first = read_folder(sites, cache)
    place = index_file(sites, cache)
    good = place.read_bytes()
    place.write_bytes(spoil(good))
    assert read_folder(sites, cache) == first
    assert json.loads(place.read_bytes()) == json.loads(good)


def test_a_cache_that_cannot_be_written_does_no_harm(sites: Path, tmp_path: Path) -> None:
    put(sites, one=spec("one"))
    (tmp_path / "file").write_text("")
    assert names(Registry([sites], tmp_path / "file" / "cache")) == ["one"]


def test_the_cache_is_the_users_own_and_nothing_is_left_beside_the_index(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    read_folder(sites, cache)
    assert cache.stat().st_mode & 0o777 == 0o700
    assert list(cache.iterdir()) == [index_file(sites, cache)]


def test_an_index_is_not_written_when_nothing_changed(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    read_folder(sites, cache)
    before = index_file(sites, cache).stat().st_ino
    read_folder(sites, cache)
    assert index_file(sites, cache).stat().st_ino == before


def test_many_may_write_an_index_at_once(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    threads = [threading.Thread(target=read_folder, args=(sites, cache)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(read_folder(sites, cache)) == ["one"]
    assert list(cache.iterdir()) == [index_file(sites, cache)]


def test_trust_in_hooks_is_asked_again_when_anything_that_decides_it_changes(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one", top="hooks: [merge]\n"))
    (sites / "one.py").write_text("def merge(extractor, paths): return paths[0]\n")
    (sites / "one.py").chmod(0o644)
    assert not read_folder(sites, cache).entries
    paths.config_dir().mkdir(parents=True)
    paths.config_file().write_text(f"trusted: ['{sites}']")
    paths.config_file().chmod(0o644)
    assert read_folder(sites, cache).entries
    for path, mode in ((sites, 0o755), (sites / "one.py", 0o644), (paths.config_file(), 0o644)):
        path.chmod(0o777)
        assert not read_folder(sites, cache).entries
        path.chmod(mode)
        assert read_folder(sites, cache).entries


def test_hooks_that_are_written_later_are_found(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one", top="hooks: [merge]\n"))
    paths.config_dir().mkdir(parents=True)
    paths.config_file().write_text(f"trusted: ['{sites}']")
    paths.config_file().chmod(0o644)
    assert not read_folder(sites, cache).entries
    (sites / "one.py").write_text("def merge(extractor, paths): return paths[0]\n")
    (sites / "one.py").chmod(0o644)
    assert read_folder(sites, cache).entries


def test_a_file_that_cannot_be_read_is_asked_again(sites: Path, cache: Path) -> None:
    (sites / "one.yaml").mkdir()
    assert read_folder(sites, cache).problems
    assert json.loads(index_file(sites, cache).read_bytes())["files"]["one.yaml"][0] == []


def test_matching_in_a_fresh_process_reads_no_yaml_and_imports_little(sites: Path, home: Path) -> None:
    put(sites, one=spec("one"))
    code = textwrap.dedent("""
        import sys
        from qetch.extractors.registry import registry, set_folders
        set_folders([sys.argv[1]])
        match = registry().match("https://one.example/i/abc")
        heavy = {"yaml", "requests", "jsonschema", "rich", "furl", "lxml", "parsel", "jmespath"}
        print(match.entry.name, match.handle, match.match["id"], sorted(heavy & set(sys.modules)))
    """)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code, str(sites)], capture_output=True, text=True, cwd=ROOT, check=True
        )
    assert (done.stdout.strip(), done.stderr) == ("one item abc []", "")
