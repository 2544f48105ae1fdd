"""4chan from end to end, answered by the cassettes."""

from __future__ import annotations

import pytest

from qetch import errors
from qetch.replay import ReplayAdapter
from tests.site_runs import CASSETTES, bests, facts, outcome, run


@pytest.fixture(scope="module")
def adapter() -> ReplayAdapter:
    return ReplayAdapter(CASSETTES)


def test_a_thread_gives_its_files_with_sizes_and_checksums(adapter: ReplayAdapter) -> None:
    lists, made = run(adapter, "4chan", "https://boards.4chan.org/po/thread/570368")
    first, *_, last = lists
    assert [facts(content) for content in first] == [
        {
            "uid": "4chan-po-570368-1546293948883-full",
            "urls": ["https://i.4cdn.org/po/1546293948883.png"],
            "extension": "png",
            "title": "first_fold",
            "description": "Show what you folded.\nLinks: >>>/po/",
            "quality": 1.0,
            "by": "Anonymous",
            "date": "2018-12-31T22:05:48+00:00",
            "size": 515,
            "checksums": {"md5": "7a4f16f62c565461ebe0174e2150b286"},
            "variant": "full",
        },
        {
            "uid": "4chan-po-570368-1546293948883-thumb",
            "urls": ["https://i.4cdn.org/po/1546293948883s.jpg"],
            "extension": "jpg",
            "title": "first_fold",
            "description": "Show what you folded.\nLinks: >>>/po/",
            "quality": 0.0,
            "by": "Anonymous",
            "date": "2018-12-31T22:05:48+00:00",
            "variant": "thumb",
        },
    ]
    assert first[0].metadata["sub"] == "Paper &amp; patience"
    assert facts(last[0])["title"] == "\N{SWAN} 0047-026"
    assert made.skipped == []


def test_a_threads_posts_without_a_file_and_deleted_files_are_passed_over(adapter: ReplayAdapter) -> None:
    lists, _ = run(adapter, "4chan", "https://boards.4chan.org/po/thread/570368")
    assert [contents[0].extension for contents in lists] == ["png", "jpg", "webm", "pdf", "gif"]
    assert [contents[0].title for contents in lists][1:4] == [
        "0047-026",
        'a crane & a "frog", it\'s slow',
        "[Plans] Heron (2019) - 02 [A4].v2_[2019.02.03]",
    ]
    assert lists[1][0].fragments == ["https://i.4cdn.org/po/1699029133827809.jpg"]
    assert lists[2][0].description == ">>570370\nIt's easy:\n>valley, then mountain"


def test_a_thread_without_files_gives_nothing(adapter: ReplayAdapter) -> None:
    assert run(adapter, "4chan", "https://boards.4chan.org/po/thread/600200")[0] == []


def test_a_flash_file_keeps_its_name_and_has_no_thumbnail(adapter: ReplayAdapter) -> None:
    ((content,),), _ = run(adapter, "4chan", "https://boards.4chan.org/f/thread/3500100")
    assert content.fragments == ["https://i.4cdn.org/f/Paper%20Crane%20%26%20Friends%20%231.swf"]
    assert (content.title, content.extension, content.size) == ("Paper Crane & Friends #1", "swf", 25)


def test_a_board_gives_the_files_of_its_threads_and_says_which_are_gone(adapter: ReplayAdapter) -> None:
    lists, made = run(adapter, "4chan", "https://boards.4chan.org/po/catalog")
    assert len(lists) == 5
    assert lists[0][0].uid == "4chan-po-570368-1546293948883-full"
    (skipped,) = made.skipped
    assert "600404" in str(skipped)


@pytest.mark.parametrize("host", ["i.4cdn.org", "is2.4chan.org", "i.4chan.org"])
def test_a_raw_file_is_taken_from_where_it_is_now(adapter: ReplayAdapter, host: str) -> None:
    ((content,),), _ = run(adapter, "4chan", f"http://{host}/po/1546293948883.png")
    assert facts(content) == {
        "uid": "4chan-po-1546293948883",
        "urls": ["https://i.4cdn.org/po/1546293948883.png"],
        "extension": "png",
        "quality": 1.0,
    }


def test_a_raw_flash_file_keeps_its_encoded_name(adapter: ReplayAdapter) -> None:
    url = "https://i.4cdn.org/f/Paper%20Crane%20%26%20Friends%20%231.swf"
    ((content,),), _ = run(adapter, "4chan", url)
    assert content.fragments == [url]
    assert content.uid == "4chan-f-Paper Crane & Friends #1"


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("po/thread/600404", errors.NotFound, "404"),
        ("nope/", errors.NotFound, "404"),
        ("po/thread/600301", errors.RemoteError, "text/html"),
        ("po/thread/600302", errors.LayoutChanged, "posts"),
        ("po/thread/600305", errors.LayoutChanged, ""),
        ("po/thread/600306", errors.RemoteError, "json"),
        ("po/thread/600503", errors.RemoteError, "503"),
    ],
)
def test_every_bad_answer_of_4chan_has_its_outcome(path: str, error: type[Exception], words: str) -> None:
    found = outcome("4chan", f"https://boards.4chan.org/{path}")
    assert type(found) is error, found
    assert words in str(found)


def test_one_row_that_lacks_a_field_is_said_and_the_others_stay() -> None:
    lists, made = run(ReplayAdapter(CASSETTES / "4chan"), "4chan", "https://boards.4chan.org/po/thread/600303")
    assert bests(lists) == ["4chan-po-600303-1549184256001-full"]
    assert made.skipped


def test_4chan_is_asked_again_when_it_was_too_fast_once() -> None:
    lists, _ = run(ReplayAdapter(CASSETTES / "4chan"), "4chan", "https://boards.4chan.org/po/thread/600429")
    assert bests(lists) == ["4chan-po-600429-1549184316000-full"]
