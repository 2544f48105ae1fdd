"""The extractor for URLs of files that no site claims."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from qetch.errors import InvalidURL, UnsupportedURL
from qetch.extractors import GenericExtractor
from qetch.extractors._common import hand_written

if TYPE_CHECKING:
    from qetch.content import Content


def only_content(url: str) -> Content:
    [[content]] = GenericExtractor().extract(url)
    return content


@pytest.mark.parametrize(
    ("url", "title", "extension"),
    [
        ("https://files.example/a/clip.mp4", "clip", "mp4"),
        ("http://files.example:8080/clip.webm?token=1#t=3", "clip", "webm"),
        ("HTTPS://FILES.EXAMPLE/Holiday.JPEG", "Holiday", "jpeg"),
        ("https://files.example/night%20sky%20%E2%98%85.png", "night sky ★", "png"),
        ("https://files.example/backup.tar.gz", "backup.tar", "gz"),
        ("https://files.example/v1.2/setup.7z", "setup", "7z"),
        ("https://files.example/%20.gif", None, "gif"),
    ],
)
def test_a_file_is_taken_by_its_own_url(url: str, title: str | None, extension: str) -> None:
    assert GenericExtractor.can_handle(url)
    content = only_content(url)
    assert (content.title, content.extension) == (title, extension)
    assert content.fragments == [url.partition("#")[0]]
    assert content.source.host == "files.example"


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example",
        "https://files.example/",
        "https://files.example/clip",
        "https://files.example/clip.mp4/",
        "https://files.example/a.b/clip",
        "https://files.example/page.html",
        "https://files.example/page.HTM?x=1",
        "https://files.example/show.php?file=clip.mp4",
        "https://files.example/show.php5",
        "https://files.example/show.aspx",
        "https://files.example/release/1.25",
        "https://files.example/.profile",
        "https://files.example/?file=clip.mp4",
        "https://files.example/#clip.mp4",
        "ftp://files.example/clip.mp4",
    ],
)
def test_a_url_without_the_extension_of_a_file_is_not_taken(url: str) -> None:
    assert not GenericExtractor.can_handle(url)
    with pytest.raises(UnsupportedURL):
        next(GenericExtractor().extract(url))


def test_the_uid_is_that_of_the_url_without_its_fragment() -> None:
    first = only_content("https://files.example/clip.mp4")
    assert first.uid == only_content("https://files.example/clip.mp4#t=30").uid
    assert first.uid != only_content("https://files.example/clip.mp4?v=2").uid
    kind, _, digest = first.uid.partition("-")
    assert kind == "generic"
    assert len(digest) == 16


def test_nothing_is_requested() -> None:
    extractor = GenericExtractor()
    assert list(extractor.extract("https://files.example/clip.mp4"))
    assert extractor._session is None


@pytest.mark.parametrize("url", ["https://me:secret@files.example/clip.mp4", "https://files.example/\ud800/clip.mp4"])
def test_a_url_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(InvalidURL) as caught:
        next(GenericExtractor().extract(url))
    assert "secret" not in str(caught.value)


def test_it_does_not_come_before_the_specs() -> None:
    assert GenericExtractor not in [reference() for reference in hand_written]


def test_it_pickles() -> None:
    assert isinstance(pickle.loads(pickle.dumps(GenericExtractor())), GenericExtractor)
