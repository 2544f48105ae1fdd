"""gfycat from end to end, answered by the cassettes."""

from __future__ import annotations

import pytest

from qetch import errors
from qetch.replay import ReplayAdapter
from tests.site_runs import CASSETTES, extractor_class, facts, outcome, run

REST = [
    "webpUrl",
    "mobileUrl",
    "mobilePosterUrl",
    "posterUrl",
    "thumb360Url",
    "thumb360PosterUrl",
    "thumb100PosterUrl",
    "max5mbGif",
    "max2mbGif",
    "mjpgUrl",
    "miniUrl",
    "miniPosterUrl",
]
"""The variants that are worth nothing, in their order."""


@pytest.fixture(scope="module")
def adapter() -> ReplayAdapter:
    return ReplayAdapter(CASSETTES)


def test_a_gfycat_has_its_documented_variants_in_order(adapter: ReplayAdapter) -> None:
    ((*contents,),), _ = run(adapter, "gfycat", "https://gfycat.com/CalmFoldedCrane")
    assert [(content.variant, content.quality) for content in contents] == [
        ("mp4Url", 1.0),
        ("webmUrl", 0.5),
        ("gifUrl", 0.25),
        *[(name, 0.0) for name in REST],
    ]
    assert facts(contents[0]) == {
        "uid": "gfycat-CalmFoldedCrane-mp4Url",
        "urls": ["https://giant.gfycat.com/CalmFoldedCrane.mp4"],
        "extension": "mp4",
        "title": "A crane, folded calmly",
        "quality": 1.0,
        "by": "papercrane",
        "date": "2017-09-07T09:26:08+00:00",
        "size": 805,
        "variant": "mp4Url",
    }
    assert [content.size for content in contents[:4]] == [805, 310, 157, None]
    assert all(not content.checksums for content in contents)


def test_a_gfycat_of_another_year_has_what_it_has(adapter: ReplayAdapter) -> None:
    ((best, webm, gif, *_),), made = run(adapter, "gfycat", "https://gfycat.com/BrightPaperHeron")
    assert (best.uploaded_by, best.size, webm.size, gif.size) == (None, 697, 196, None)
    assert best.uploaded_date is not None
    assert best.uploaded_date.isoformat() == "2018-11-10T15:05:57+00:00"
    assert made.skipped == []


def test_a_raw_gfycat_is_the_whole_item(adapter: ReplayAdapter) -> None:
    ((*contents,),), _ = run(adapter, "gfycat", "https://giant.gfycat.com/CalmFoldedCrane.webm")
    assert contents[0].uid == "gfycat-CalmFoldedCrane-mp4Url"
    assert len(contents) == 15


@pytest.mark.parametrize(
    ("id_", "error", "words"),
    [
        ("FadedPaperSwan", errors.Gone, ""),
        ("NoSuchBird", errors.NotFound, "404"),
        ("BusyPaperOwl", errors.RemoteError, "Please try again later"),
        ("BusyPaperRook", errors.RemoteError, "Please try again later"),
    ],
)
def test_every_bad_answer_of_gfycat_has_its_outcome(id_: str, error: type[Exception], words: str) -> None:
    found = outcome("gfycat", f"https://gfycat.com/{id_}")
    assert type(found) is error
    assert words in str(found)


def test_gfycat_is_closed_without_a_replay() -> None:
    with pytest.raises(errors.SiteClosed, match="closed on 2023-09-01"):
        next(extractor_class("gfycat")().extract("https://gfycat.com/CalmFoldedCrane"))
