"""The main job for the packaged sites: from a URL to the right bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qetch import errors
from qetch.downloaders import HTTPDownloader
from qetch.replay import ReplayAdapter
from qetch.session import mount_replay
from tests.make_media import MEDIA
from tests.site_runs import CASSETTES, extractor, run


@pytest.fixture(scope="module")
def adapter() -> ReplayAdapter:
    return ReplayAdapter(CASSETTES)


@pytest.mark.parametrize(
    ("site", "url", "files"),
    [
        ("4chan", "https://boards.4chan.org/po/thread/570368", 5),
        ("4chan", "https://boards.4chan.org/f/thread/3500100", 1),
        ("4chan", "https://i.4cdn.org/po/1546293948883s.jpg", 1),
        ("imgur", "https://imgur.com/a/TcBmP", 3),
        ("imgur", "https://imgur.com/BigGif1", 1),
        ("imgur", "https://i.imgur.com/zxaY6.gif", 1),
        ("imgur", "https://imgur.com/r/origami", 2),
        ("gfycat", "https://gfycat.com/CalmFoldedCrane", 1),
        ("gfycat", "https://gfycat.com/BrightPaperHeron", 1),
    ],
)
def test_the_best_of_each_item_becomes_a_file(
    adapter: ReplayAdapter, tmp_path: Path, site: str, url: str, files: int
) -> None:
    lists, _ = run(adapter, site, url)
    downloader = HTTPDownloader()
    mount_replay(downloader.session, adapter)
    assert len(lists) == files
    for number, (best, *_) in enumerate(lists):
        saved = downloader.download(best, str(tmp_path / f"{number}.{best.extension}"))
        assert Path(saved).read_bytes() == MEDIA[site][best.fragments[0]]


def test_every_variant_of_imgur_and_gfycat_that_has_a_size_has_it_rightly(
    adapter: ReplayAdapter, tmp_path: Path
) -> None:
    downloader = HTTPDownloader()
    mount_replay(downloader.session, adapter)
    urls = {
        "imgur": ["https://imgur.com/Anim5aa", "https://imgur.com/Vid3oAA"],
        "gfycat": ["https://gfycat.com/CalmFoldedCrane"],
    }
    sized: list[Any] = [
        content
        for site, own in urls.items()
        for url in own
        for content in run(adapter, site, url)[0][0]
        if content.size
    ]
    assert len(sized) == 6
    for content in sized:
        downloader.download(content, str(tmp_path / content.uid))


@pytest.mark.parametrize("name", ["removed", "Remov3d"])
def test_a_removed_file_is_gone_and_leaves_nothing(adapter: ReplayAdapter, tmp_path: Path, name: str) -> None:
    ((content,),) = extractor("imgur", adapter).extract(f"https://i.imgur.com/{name}.png")
    downloader = HTTPDownloader()
    mount_replay(downloader.session, adapter)
    with pytest.raises(errors.Gone):
        downloader.download(content, str(tmp_path / "file.png"))
    assert list(tmp_path.iterdir()) == []
