from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qetch.content import Content
from qetch.filenames import MAX_NAME, extension_of, file_name, plain_name

RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{name}{n}" for name in ("COM", "LPT") for n in "123456789¹²³")}
FORBIDDEN = set('<>:"/\\|?*') | {chr(code) for code in range(32)} | {"\x7f"}


def name(uid: str = "site-1", title: str | None = None, extension: str | None = None, url: str = "") -> str:
    return file_name(made(uid, title, extension, url))


def made(uid: str = "site-1", title: str | None = None, extension: str | None = None, url: str = "") -> Content:
    return Content(uid, "https://pictures.example/1", [url] if url else [], cast("Any", None), extension, title)


def test_a_title_comes_before_the_uid_and_the_extension() -> None:
    assert name("site-1", "Night sky", "jpg") == "Night sky [site-1].jpg"


def test_without_a_title_the_uid_is_the_name() -> None:
    assert name("site-1", None, "jpg") == "site-1.jpg"
    assert name("site-1", "", "jpg") == "site-1.jpg"
    assert name("site-1", " . ", "jpg") == "site-1.jpg"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("../../etc/passwd", "_.._etc_passwd [site-1].png"),
        ("..\\..\\boot.ini", "_.._boot.ini [site-1].png"),
        ("a\x00b\nc\td", "a b c d [site-1].png"),
        ('why? <b>: *now* | "so"', "why_ _b__ _now_ _ _so_ [site-1].png"),
        (".hidden", "hidden [site-1].png"),
        ("-rf", "rf [site-1].png"),
        ("the end... ", "the end [site-1].png"),
        ("CON", "CON [site-1].png"),
        ("\U0001f469\u200d\U0001f680 fly", "\U0001f469\u200d\U0001f680 fly [site-1].png"),
        ("cafe\u0301", "caf\u00e9 [site-1].png"),
        ("\u202egpj.exe\u202c", "gpj.exe [site-1].png"),
        ("half \ud800 pair", "half _ pair [site-1].png"),
        ("~", "~ [site-1].png"),
        ("$(reboot) `x`", "$(reboot) `x` [site-1].png"),
    ],
)
def test_a_title_is_made_harmless(title: str, expected: str) -> None:
    assert name("site-1", title, "png") == expected


def test_a_long_title_is_cut_and_the_uid_and_the_extension_are_not() -> None:
    long = name("site-1", "x" * 300, "webm")
    assert len(long) == MAX_NAME
    assert long.endswith("xx [site-1].webm")


def test_a_title_is_not_cut_inside_a_character() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
    title, _, rest = name("site-1", family * 40, "png").partition(" [")
    assert rest == "site-1].png"
    assert set(title.split(family)) == {""}


@pytest.mark.parametrize("uid", ["CON", "nul", "com1", "LPT9", "COM¹", "con ", "CONIN$"])
def test_a_name_that_windows_keeps_for_a_device_is_avoided(uid: str) -> None:
    assert name(uid, None, "mp4").startswith("_") or "-" in name(uid, None, "mp4")


@pytest.mark.parametrize("uid", [".env", "-o", "~root", "..", "."])
def test_a_uid_alone_hides_nothing_and_is_no_option(uid: str) -> None:
    assert name(uid, None, "mp4")[0] not in ".-~"
    assert name(uid)[0] not in ".-~"


def test_uids_that_had_to_change_stay_apart() -> None:
    names = {name(uid, None, "png") for uid in ("a/b", "a\\b", "a:b", "a_b", "a_b.", "a_b ", "a\u200b_b")}
    assert len(names) == 7
    assert "a_b.png" in names


def test_a_very_long_uid_is_cut_and_hashed() -> None:
    first, second = name("x" * 400 + "1", "t", "png"), name("x" * 400 + "2", "t", "png")
    assert first != second
    assert max(len(first), len(second)) <= MAX_NAME


@pytest.mark.parametrize(
    ("extension", "url", "expected"),
    [
        ("jpg", "https://host.example/a.png", "jpg"),
        (".JPG", "", "jpg"),
        ("jpg?size=big", "", "jpg"),
        ("tar.gz", "", "tar.gz"),
        ("../../x", "https://host.example/a.png", "png"),
        ("/", "https://host.example/a.png", "png"),
        (None, "https://host.example/a.PNG?x=.gif#.bmp", "png"),
        (None, "https://host.example/a%2Ewebm", "webm"),
        (None, "https://host.example/.png", ""),
        (None, "https://host.example/mp4", ""),
        (None, "https://host.example/version-1.080", ""),
        (None, "https://host.example/a.b/picture", ""),
        (None, "https://host.example/image.php?id=3", ""),
        (None, "https://host.example/a.thisisnotanextension", ""),
        (None, "http://[broken/a.png", ""),
        (None, "", ""),
    ],
)
def test_the_extension_is_the_contents_else_that_of_its_url(extension: str | None, url: str, expected: str) -> None:
    assert extension_of(made(extension=extension, url=url)) == expected


@given(
    uid=st.text(max_size=300),
    title=st.none() | st.text(max_size=300),
    extension=st.none() | st.text(max_size=30),
    url=st.text(max_size=60).map(lambda path: f"https://host.example/{path}"),
)
def test_any_text_gives_a_legal_name(uid: str, title: str | None, extension: str | None, url: str) -> None:
    result = name(uid, title, extension, url)
    assert 0 < len(result.encode()) <= MAX_NAME
    assert not FORBIDDEN & set(result)
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in result)
    assert result == unicodedata.normalize("NFC", result)
    assert result[0] not in ".- "
    assert result[-1] not in ". "
    assert result.partition(".")[0].rstrip().upper() not in RESERVED
    assert Path(result).name == result


@given(title=st.text(alphabet="ab\u0301\U0001f469\u200d\U0001f680 /.", max_size=400))
def test_the_uid_and_the_extension_survive_any_title(title: str) -> None:
    result = name("site-42", title, "webm")
    assert result.endswith(" [site-42].webm") or result == "site-42.webm"


@given(uid=st.text(alphabet="abcXYZ019_-", min_size=1, max_size=60).map(lambda uid: f"site-{uid}"))
def test_an_ordinary_uid_is_kept_as_it_is(uid: str) -> None:
    assert name(uid, None, "png") == f"{uid}.png"
    assert name(uid, "t", "png") == f"t [{uid}].png"


def test_a_name_of_full_length_can_be_written_with_its_part_beside_it(tmp_path: Path) -> None:
    target = tmp_path / name("site-1", "\u00e4" * 300, "png")
    target.with_name(target.name + ".qetch-part12345.journal").write_bytes(b"x")
    target.write_bytes(b"x")
    assert target.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("1", "1.png"),
        ("..-rf", "rf.png"),
        ("..", "site-1.png"),
        ("con", "_con.png"),
        ("~me", "me.png"),
        ("x" * 300, "x" * (MAX_NAME - 4) + ".png"),
    ],
)
def test_a_plain_name_is_the_title_made_harmless(title: str, expected: str) -> None:
    assert plain_name(made("site-1", title, "png")) == expected
