"""imgur from end to end, answered by the cassettes."""

from __future__ import annotations

import pytest

from qetch import errors
from qetch.replay import ReplayAdapter
from tests.site_runs import CASSETTES, KEY, bests, extractor, facts, outcome, run


@pytest.fixture(scope="module")
def adapter() -> ReplayAdapter:
    return ReplayAdapter(CASSETTES)


def test_a_still_has_its_size_and_one_file(adapter: ReplayAdapter) -> None:
    ((content,),), _ = run(adapter, "imgur", "https://imgur.com/21yMxCS")
    assert facts(content) == {
        "uid": "imgur-21yMxCS-link",
        "urls": ["https://i.imgur.com/21yMxCS.png"],
        "extension": "png",
        "title": "A blue square",
        "description": "Ready to fold.",
        "quality": 1.0,
        "by": "papercrane",
        "date": "2016-11-10T14:24:35+00:00",
        "size": 659,
        "variant": "link",
    }
    assert content.metadata["width"] == 64
    assert content.gone == (r"/removed\.png$",)


@pytest.mark.parametrize(
    ("id_", "files"),
    [
        ("Vid3oAA", [("mp4", "https://i.imgur.com/Vid3oAA.mp4", 709)]),
        (
            "Anim5aa",
            [("mp4", "https://i.imgur.com/Anim5aa.mp4", 677), ("link", "https://i.imgur.com/Anim5aa.gif", 219)],
        ),
        # The size that this answer gives is that of a file which it does not give.
        (
            "BigGif1",
            [("mp4", "https://i.imgur.com/BigGif1.mp4", None), ("link", "https://i.imgur.com/BigGif1h.gif", None)],
        ),
        ("oLd5x", [("link", "https://i.imgur.com/oLd5x.jpeg", 178)]),
        ("iHJ7tsM", [("link", "https://i.imgur.com/iHJ7tsM.png", 419)]),
    ],
)
def test_a_picture_has_only_real_files_and_only_their_own_sizes(
    adapter: ReplayAdapter, id_: str, files: list[tuple[str, str, int | None]]
) -> None:
    ((*contents,),), made = run(adapter, "imgur", f"https://imgur.com/{id_}")
    assert [(content.variant, content.fragments[0], content.size) for content in contents] == files
    assert [content.quality for content in contents] == sorted((c.quality for c in contents), reverse=True)
    assert made.skipped == []


def test_a_gifv_page_and_a_smaller_copy_lead_to_the_picture(adapter: ReplayAdapter) -> None:
    assert bests(run(adapter, "imgur", "https://i.imgur.com/Anim5aa.gifv")[0]) == ["imgur-Anim5aa-mp4"]
    assert bests(run(adapter, "imgur", "https://i.imgur.com/21yMxCSh.png")[0]) == ["imgur-21yMxCS-link"]


def test_a_raw_picture_needs_no_key(adapter: ReplayAdapter) -> None:
    ((content,),) = extractor("imgur", adapter).extract("http://i.imgur.com/zxaY6.GIF?1")
    assert facts(content) == {
        "uid": "imgur-zxaY6",
        "urls": ["https://i.imgur.com/zxaY6.GIF"],
        "extension": "gif",
        "quality": 1.0,
    }


def test_an_album_lends_its_title_and_owner_to_images_without(adapter: ReplayAdapter) -> None:
    lists, _ = run(adapter, "imgur", "https://imgur.com/a/TcBmP")
    assert [(best.uid, best.title, best.description, best.uploaded_by, best.size) for best, *_ in lists] == [
        ("imgur-693j2Kr-link", "Step one", "Start with a square.", "papercrane", 1063),
        ("imgur-ZNalkAC-link", "How to fold a crane", None, "papercrane", 203),
        ("imgur-lMox9Ek-mp4", "It flaps", None, "helper", 697),
    ]


def test_a_gallery_post_is_an_album_or_one_image(adapter: ReplayAdapter) -> None:
    album, _ = run(adapter, "imgur", "https://imgur.com/gallery/folded-birds-zf2fIms")
    assert [(best.uid, best.title) for best, *_ in album] == [
        ("imgur-693j2Kr-link", "Step one"),
        ("imgur-ZNalkAC-link", "Folded birds"),
    ]
    (((image,),), _) = run(adapter, "imgur", "https://imgur.com/t/paper/26sEhNr")
    assert (image.uid, image.title, image.size) == ("imgur-26sEhNr-link", "A sheet of sand paper", 1083)


def test_a_users_pages_are_read_to_the_end_once_each_item(adapter: ReplayAdapter) -> None:
    lists, made = run(adapter, "imgur", "https://imgur.com/user/sarah/posts")
    assert sorted(bests(lists)) == [
        "imgur-693j2Kr-link",
        "imgur-ZNalkAC-link",
        "imgur-fold001-link",
        "imgur-fold002-link",
        "imgur-lMox9Ek-mp4",
    ]
    assert any("pjOnJA0" in str(skip) for skip in made.skipped)


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("https://imgur.com/user/sarah/favorites", 4),
        ("https://imgur.com/user/sarah/favorites/folder/11896757/birds", 2),
        ("https://imgur.com/t/paper", 5),
        ("https://imgur.com/r/origami", 2),
        ("https://imgur.com/search?q=paper+crane", 4),
        ("https://imgur.com/search?q=nothing%20at%20all", 0),
    ],
)
def test_a_list_gives_its_pictures_and_those_of_its_albums(adapter: ReplayAdapter, url: str, count: int) -> None:
    lists, _ = run(adapter, "imgur", url)
    assert len(set(bests(lists))) == len(lists) == count


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("Err4040", errors.NotFound, "Unable to find an image"),
        ("Err2404", errors.NotFound, "Unable to find an image"),
        ("Err4010", errors.AuthenticationError, "client_id"),
        ("Err4030", errors.Forbidden, "Permission denied"),
        ("ErrAuth", errors.AuthenticationError, "Unauthorized"),
        ("Err429J", errors.RateLimited, ""),
        ("Err1203", errors.RateLimited, ""),
        ("ErrCapa", errors.RateLimited, ""),
        ("ErrCapT", errors.RateLimited, ""),
        ("ErrCapH", errors.RemoteError, "503"),
        ("Err5000", errors.RemoteError, "Could not complete request"),
        ("ErrMess", errors.RemoteError, "Internal server error"),
        ("ErrText", errors.RemoteError, "An unknown error occurred"),
        ("ErrFals", errors.RemoteError, ""),
        ("ErrNull", errors.LayoutChanged, ""),
        ("ErrHtml", errors.RemoteError, "text/html"),
        ("ErrCut0", errors.RemoteError, "json"),
        ("a/pjOnJA0", errors.NotFound, "Unable to find an album"),
        ("a/Empty01", errors.Empty, ""),
        ("a/NoList1", errors.LayoutChanged, ""),
        ("gallery/Empty02", errors.Empty, ""),
        ("user/sarah/favorites/folder/11896741/private", errors.Forbidden, "Permission denied"),
    ],
)
def test_every_bad_answer_of_imgur_has_its_outcome(path: str, error: type[Exception], words: str) -> None:
    found = outcome("imgur", f"https://imgur.com/{path}")
    assert type(found) is error, found
    assert words in str(found)
    assert KEY[0] not in str(found)


def test_imgur_is_asked_again_when_it_was_too_fast_once() -> None:
    ((content,),), _ = run(ReplayAdapter(CASSETTES / "imgur"), "imgur", "https://imgur.com/Err4290")
    assert content.title == "Late"
