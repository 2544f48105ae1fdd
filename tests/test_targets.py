"""Where files go: a path for every URL, inside the folder, and one file for each."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathvalidate import is_valid_filename

from qetch.client import url_path
from qetch.client.targets import Targets
from qetch.errors import FileError, InvalidSetting, InvalidURL
from qetch.extractors import GenericExtractor
from qetch.filenames import MAX_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.content import Content

PIECES = [
    "..",
    ".",
    "%2e%2e",
    "%2F",
    "%5c",
    "\\",
    "CON",
    "nul.txt",
    "é",
    "e\u0301",
    " ",
    "~",
    "a" * 300,
    "\u202e",
    "%00",
]
segment = st.one_of(st.sampled_from(PIECES), st.text(max_size=20).filter(lambda text: not set(text) & set("/?#")))
urls = st.builds(
    lambda host, segments, query: f"http://{host}/{'/'.join(segments)}{query}",
    st.sampled_from(["files.example", "FILES.example.", "files.example:8080", "user:word@files.example", "[::1]:80"]),
    st.lists(segment, max_size=40),
    st.one_of(st.just(""), st.text(max_size=20).map("?{}".format)),
)


@given(urls)
def test_every_url_has_a_path_that_stays_inside_and_is_legal_everywhere(url: str) -> None:
    path = url_path(url)
    assert path == url_path(url)
    for pure in (PurePath(path), PureWindowsPath(path)):
        assert not pure.is_absolute()
        assert not pure.drive
        assert ".." not in pure.parts
        assert len(pure.parts) >= 2
    for part in path.split("/"):
        assert part == unicodedata.normalize("NFC", part)
        assert part[0] not in ".-~"
        assert len(part.encode()) <= MAX_NAME + 1  # a `_` before the name of a device
        assert is_valid_filename(part, platform="universal", max_len=None)


@given(urls)
def test_what_a_path_says_can_be_made(url: str) -> None:
    os.fsencode(url_path(url))
    assert "word" not in url_path(url).split("/")[0]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://files.example", "files.example/index"),
        ("http://files.example/", "files.example/index"),
        ("http://files.example/a/", "files.example/a/index"),
        ("http://files.example/a/b.png#top", "files.example/a/b.png"),
        ("http://files.example//a///b.png", "files.example/a/b.png"),
        ("http://files.example:8080/b.png", "files.example_8080/b.png"),
        ("http://files.example/?a=1", "files.example/index-c22fea5d"),
        ("http://files.example/.htaccess", "files.example/_.htaccess"),
        ("http://files.example/..%2f..%2fetc/passwd", "files.example/_.._.._etc/passwd"),
    ],
)
def test_paths(url: str, path: str) -> None:
    assert url_path(url) == path


def test_pages_of_one_program_do_not_meet() -> None:
    found = {url_path(f"http://files.example/view.php?id={number}") for number in range(50)}
    assert len(found) == 50
    assert all(path.endswith(".php") for path in found)


@pytest.mark.parametrize("url", ["", "x", "http://", "http:///a", "http://[::1/a", "mailto:a@b", "http://a:x/"])
def test_what_has_no_host_has_no_path(url: str) -> None:
    with pytest.raises(InvalidURL):
        url_path(url)


# Somebody's own mapping


def gives(value: Any) -> Callable[[str], Any]:
    return lambda url: value


@pytest.mark.parametrize("value", [None, 5, b"a", "", ".", "..", "/etc/passwd", "../a", "a/../../b", "a/..", ["a"]])
def test_a_mapping_that_leaves_the_folder_or_gives_no_path_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(InvalidSetting, match="gave"):
        Targets(tmp_path, gives(value)).of_url("http://files.example/a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "path"), [("a/", "a"), ("./a//b", "a/b"), (PurePath("a/b.c"), "a/b.c"), ("a", "a"), ("... ", "... ")]
)
def test_a_mapping_gives_a_path_inside_the_folder(tmp_path: Path, value: Any, path: str) -> None:
    assert Targets(tmp_path / "new", gives(value)).of_url("http://files.example/a") == f"{tmp_path}/new/{path}"
    assert (tmp_path / "new" / path).parent.is_dir()


@pytest.mark.parametrize("value", ["a\0b/c", "\ud800/c", "f/b", "x" * 300 + "/c"])
def test_a_folder_that_cannot_be_made_is_said_to_be_one(tmp_path: Path, value: str) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(FileError, match="cannot make the folder"):
        Targets(tmp_path, gives(value)).of_url("http://files.example/a")


def test_this_folder_needs_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Targets(".").of_url("http://files.example/a.png") == "files.example/a.png"
    assert Targets("", gives("a.png")).of_url("http://files.example/a.png") == "a.png"


# One file for each


@pytest.mark.parametrize(
    "other",
    [
        "pictures/a.png",
        "./pictures//a.png",
        "pictures/../pictures/a.png",
        "PICTURES/A.png",
        "link/a.png",
    ],
)
def test_a_path_belongs_to_one_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "link").symlink_to("pictures")
    targets = Targets(".")
    key = targets.claim("pictures/a.png", "http://a.example/")
    assert targets.claim("pictures/a.png", "http://a.example/") == key
    with pytest.raises(FileError, match=r"is the file of http://a.example/ already"):
        targets.claim(other, "http://b.example/")
    assert targets.claim("pictures/b.png", "http://b.example/") != key


def test_accents_are_the_same_however_they_are_written(tmp_path: Path) -> None:
    targets = Targets(tmp_path)
    targets.claim(f"{tmp_path}/\u00e9.png", "a")
    with pytest.raises(FileError):
        targets.claim(f"{tmp_path}/e\u0301.PNG", "b")


def test_who_has_a_path_is_said_without_what_may_be_secret(tmp_path: Path) -> None:
    targets = Targets(tmp_path)
    targets.claim(f"{tmp_path}/a", "http://me:word@a.example/x?key=secret")
    with pytest.raises(FileError) as caught:
        targets.claim(f"{tmp_path}/a", "b")
    assert "secret" not in str(caught.value)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize("path", ["a\0b/c", "a\0b", "\ud800", "/" * 5000, ""])
def test_odd_paths_are_the_downloaders_matter(path: str) -> None:
    assert Targets(".").claim(path, "a")


@pytest.mark.parametrize("name", ["x.qetch-part", "x.QETCH-part.journal", "x.qetch-part12", "x.qetch-part.merged"])
def test_what_is_called_like_a_part_file_is_refused_whatever_came_before(tmp_path: Path, name: str) -> None:
    targets = Targets(tmp_path)
    with pytest.raises(FileError, match="the name of an unfinished file"):
        targets.claim(f"{tmp_path}/{name}", "b")
    assert targets.claim(f"{tmp_path}/x", "a")
    with pytest.raises(FileError, match="the name of an unfinished file"):
        targets.claim(f"{tmp_path}/{name}", "b")


@pytest.mark.parametrize(
    "name", ["x.part", "x.part.journal", "x.part0", "x.qetch-part.txt", "x.qetch-parts", "y.journal"]
)
def test_other_names_that_speak_of_parts_are_anybodys(tmp_path: Path, name: str) -> None:
    targets = Targets(tmp_path)
    assert targets.claim(f"{tmp_path}/x", "a") != targets.claim(f"{tmp_path}/{name}", "b")


def generic(url: str) -> Content:
    return next(GenericExtractor().extract(url))[0]


def test_a_file_by_its_own_url_is_called_as_there_and_only_the_second_gets_its_uid(tmp_path: Path) -> None:
    targets = Targets(tmp_path)
    first, second = generic("http://a.example/x.png"), generic("http://b.example/x.png")
    assert targets.of_content(first) == f"{tmp_path}/x.png"
    assert targets.of_content(second) == f"{tmp_path}/x [{second.uid}].png"
    assert targets.of_content(first) == f"{tmp_path}/x.png"
