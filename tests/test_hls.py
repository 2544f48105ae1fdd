from __future__ import annotations

from pathlib import Path

import pytest

from qetch.engine import hls
from qetch.errors import Forbidden, LimitReached, RemoteError, UnsupportedURL
from tests.hls_texts import master, media, segments

REAL = Path(__file__).resolve().parents[2] / "shared" / "real" / "hls"
URL = "https://cdn.example/video/index.m3u8?token=secret"


def pieces(*lines: str, url: str = URL) -> tuple[hls.Piece, ...]:
    found = hls.read(media(*lines), url)
    assert isinstance(found, hls.Media)
    return found.pieces


def urls(*lines: str) -> list[str]:
    return [piece.url for piece in pieces(*lines)]


# What a playlist of segments says


def test_segments_are_joined_to_the_url_of_the_playlist() -> None:
    assert urls("#EXTINF:1,", "a.ts?x=1", "#EXTINF:1,a title", "/b.ts", "#EXTINF:1,", "http://other.example/c.ts") == [
        "https://cdn.example/video/a.ts?x=1",
        "https://cdn.example/b.ts",
        "http://other.example/c.ts",
    ]


def test_windows_line_ends_a_byte_order_mark_and_unknown_tags_do_no_harm() -> None:
    text = "\ufeff" + segments("a.ts").replace(
        "#EXTINF", "#EXT-X-PROGRAM-DATE-TIME:never\n#EXT-X-NEWS\n# words\n#EXTINF"
    )
    found = hls.read(text.replace("\n", "\r\n"), URL)
    assert isinstance(found, hls.Media)
    assert [piece.url for piece in found.pieces] == ["https://cdn.example/video/a.ts"]


def test_a_discontinuity_changes_nothing() -> None:
    assert len(urls("#EXTINF:1,", "a.ts", "#EXT-X-DISCONTINUITY", "#EXTINF:1,", "b.ts")) == 2


def test_a_byte_range_without_an_offset_goes_on_where_the_last_one_ended() -> None:
    found = pieces(
        "#EXTINF:1,", "#EXT-X-BYTERANGE:100@50", "a.ts", "#EXTINF:1,", "#EXT-X-BYTERANGE:20", "a.ts",
        "#EXT-X-BYTERANGE:7@0", "#EXTINF:1,", "b.ts", "#EXTINF:1,", "c.ts",
    )  # fmt: skip
    assert [(piece.offset, piece.length) for piece in found] == [(50, 100), (150, 20), (0, 7), (0, None)]


@pytest.mark.parametrize(
    "lines",
    [
        ("#EXTINF:1,", "#EXT-X-BYTERANGE:100", "a.ts"),
        ("#EXTINF:1,", "#EXT-X-BYTERANGE:1@0", "a.ts", "#EXTINF:1,", "#EXT-X-BYTERANGE:9", "b.ts"),
        ("#EXTINF:1,", "a.ts", "#EXTINF:1,", "#EXT-X-BYTERANGE:9", "a.ts"),
        ("#EXTINF:1,", "#EXT-X-BYTERANGE:0@0", "a.ts"),
        ("#EXTINF:1,", "#EXT-X-BYTERANGE:-5@0", "a.ts"),
        ("#EXTINF:1,", "#EXT-X-BYTERANGE:many", "a.ts"),
    ],
)
def test_a_byte_range_that_means_nothing_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(RemoteError, match="byte range"):
        pieces(*lines)


def test_each_group_of_segments_comes_after_its_init_segment() -> None:
    found = pieces(
        '#EXT-X-MAP:URI="init.mp4"', "#EXTINF:1,", "a.m4s", "#EXTINF:1,", "b.m4s",
        '#EXT-X-MAP:URI="init.mp4"', "#EXTINF:1,", "c.m4s",
        '#EXT-X-MAP:URI="all.mp4",BYTERANGE="30@2"', "#EXTINF:1,", "d.m4s",
    )  # fmt: skip
    names = [piece.url.rpartition("/")[2] for piece in found]
    assert names == ["init.mp4", "a.m4s", "b.m4s", "c.m4s", "all.mp4", "d.m4s"]
    assert (found[4].offset, found[4].length) == (2, 30)


def test_a_key_holds_until_the_next_one_and_its_iv_is_kept() -> None:
    found = pieces(
        "#EXTINF:1,", "a.ts", '#EXT-X-KEY:METHOD=AES-128,URI="k1"', "#EXTINF:1,", "b.ts",
        '#EXT-X-KEY:METHOD=AES-128,URI="/k2?x,y",IV=0x0000000000000000000000000000000F', "#EXTINF:1,", "c.ts",
        "#EXT-X-KEY:METHOD=NONE", "#EXTINF:1,", "d.ts",
    )  # fmt: skip
    assert [piece.key for piece in found] == [
        None,
        hls.Key("https://cdn.example/video/k1", None),
        hls.Key("https://cdn.example/k2?x,y", bytes(15) + b"\x0f"),
        None,
    ]


def test_the_segments_are_numbered_from_the_media_sequence() -> None:
    assert [piece.number for piece in pieces("#EXT-X-MEDIA-SEQUENCE:7", "#EXTINF:1,", "a", "#EXTINF:1,", "b")] == [7, 8]


def test_an_init_segment_has_the_key_that_stands_before_it() -> None:
    found = pieces('#EXT-X-MAP:URI="init.mp4"', '#EXT-X-KEY:METHOD=AES-128,URI="k"', "#EXTINF:1,", "a.m4s")
    assert [piece.key is None for piece in found] == [True, False]


def test_of_keys_for_several_players_the_plain_one_is_taken() -> None:
    drm = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"'
    [piece] = pieces('#EXT-X-KEY:METHOD=AES-128,URI="k"', drm, "#EXTINF:1,", "a.ts")
    assert piece.key == hls.Key("https://cdn.example/video/k", None)


@pytest.mark.parametrize(
    "key",
    [
        'METHOD=SAMPLE-AES,URI="k"',
        'METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAA",KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"',
        'METHOD=AES-128,URI="skd://1",KEYFORMAT="com.apple.streamingkeydelivery"',
        "URI=k",
    ],
)
def test_drm_is_refused_and_said(key: str) -> None:
    with pytest.raises(Forbidden, match=r"video/index\.m3u8\?… is protected"):
        pieces(f"#EXT-X-KEY:{key}", "#EXTINF:1,", "a.ts")


def test_a_live_stream_is_refused_and_said() -> None:
    with pytest.raises(UnsupportedURL, match="is a live stream, which has no end yet - try again when it is over"):
        hls.read(media("#EXT-X-PLAYLIST-TYPE:EVENT", "#EXTINF:1,", "a.ts", end=False), URL)


def test_what_says_that_it_will_not_change_needs_no_end() -> None:
    assert hls.read(media("#EXT-X-PLAYLIST-TYPE:VOD", "#EXTINF:1,", "a.ts", end=False), URL)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "sent something beginning ''"),
        ("<!DOCTYPE html><p>no", "<!DOCTYPE html>"),
        ("\0\1\2#EXTM3U", "HLS playlist was expected"),
        ("#EXTM3U", "live stream"),
        (media(), "no segments"),
        (media("a.ts", "b.ts"), "no segments"),
        (media("#EXTINF:1,"), "no segments"),
        (media("#EXTINF:long,", "a.ts"), "broken"),
        (media("#EXTINF:1,", "ftp://host/a.ts"), "no http or https URL"),
        (media("#EXTINF:1,", "http://[bad/a.ts"), "broken"),
        (media("#EXTINF:1,", "data:video/mp4,x"), "no http or https URL"),
        (media("#EXTINF:1,", "a\x07.ts"), "no http or https URL"),
        (media("#EXT-X-MEDIA-SEQUENCE", "#EXTINF:1,", "a.ts"), "broken"),
        (media("#EXT-X-MEDIA-SEQUENCE:-1", "#EXTINF:1,", "a.ts"), "number -1"),
        (media(f"#EXT-X-MEDIA-SEQUENCE:{'9' * 5000}", "#EXTINF:1,", "a.ts"), "broken"),
        (media("#EXT-X-MAP:x", "#EXTINF:1,", "a.ts"), "EXT-X-MAP has no URI"),
        (media("#EXT-X-KEY:METHOD=AES-128", "#EXTINF:1,", "a.ts"), "EXT-X-KEY has no URI"),
        (media('#EXT-X-KEY:METHOD=AES-128,URI="k",IV=12', "#EXTINF:1,", "a.ts"), "IV"),
        (media('#EXT-X-DEFINE:NAME="x",VALUE="y"', "#EXTINF:1,", "{$x}.ts"), "variables"),
        (media("#EXT-X-SKIP:SKIPPED-SEGMENTS=3", "#EXTINF:1,", "a.ts"), "left out"),
        (master(("BANDWIDTH=inf", "a.m3u8")), "broken"),
        (master(("BANDWIDTH=x", "a.m3u8")), "broken"),
    ],
)
def test_garbage_is_refused_and_the_message_holds_no_token(text: str, reason: str) -> None:
    with pytest.raises((RemoteError, UnsupportedURL)) as caught:
        hls.read(text, URL)
    assert reason in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("tag", ["#EXTINF:1,\na\n", "#EXT-X-BYTERANGE:1@0\na\n", "#EXT-X-STREAM-INF:X=1\na\n"])
def test_a_playlist_without_measure_is_refused(tag: str) -> None:
    with pytest.raises(LimitReached, match="more than 20,000 entries"):
        hls.read("#EXTM3U\n" + tag * 20_001, URL)


def test_many_keys_take_no_more_time_than_many_segments() -> None:
    lines = [f'#EXT-X-KEY:METHOD=AES-128,URI="k{n}",IV=0x{n:x}\n#EXTINF:1,\n{n}.ts' for n in range(20_000)]
    found = pieces(*lines)
    assert len({piece.key for piece in found}) == 20_000


# What a playlist of playlists says


def test_renditions_come_with_their_bandwidth_and_height() -> None:
    found = hls.read(master(('BANDWIDTH=900000,CODECS="a,b",RESOLUTION=640x360', "a.m3u8"), ("", "b.m3u8")), URL)
    assert found == hls.Master(
        (
            hls.Rendition("https://cdn.example/video/a.m3u8", 900_000, 360, is_mute=False),
            hls.Rendition("https://cdn.example/video/b.m3u8", None, None, is_mute=False),
        ),
        (),
    )


def test_a_rendition_is_mute_if_all_its_sounds_are_elsewhere() -> None:
    apart = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="one",NAME="English",LANGUAGE="en",URI="en.m3u8"'
    within = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="two",NAME="Original"'
    also = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="two",NAME="Comments",URI="comments.m3u8"'
    streams = [('BANDWIDTH=2,AUDIO="one"', "a.m3u8"), ('BANDWIDTH=3,AUDIO="two"', "b.m3u8"), ("BANDWIDTH=1", "c.m3u8")]
    found = hls.read(master(*streams, more=f"{apart}\n{within}\n{also}"), URL)
    assert isinstance(found, hls.Master)
    assert [rendition.is_mute for rendition in found.renditions] == [True, False, False]
    assert [sound.name for sound in found.sounds] == ["en", "Comments"]


@pytest.mark.parametrize(
    ("name", "heights", "sounds", "mute"),
    [
        ("ytdlp_bipbop_16x9", [234, 360, 540, 720, 1080, None], 1, 0),
        ("ytdlp_img_bipbop_adv_example_fmp4", [540, 1080, 1080, 1080, 720, 432, 360, 270], 3, 8),
        ("streamlink_test_1", [180, 272, 272, 408, 554, 818, 818, 1744], 3, 8),
        ("streamlink_test_master", [720, 720, 480, 360, 160, 1080, None], 0, 0),
    ],
)
def test_true_playlists_are_understood(name: str, heights: list[int | None], sounds: int, mute: int) -> None:
    file = REAL / f"{name}.m3u8"
    if not file.exists():
        pytest.skip(f"the capture {file.name} is not here")
    found = hls.read(file.read_text(encoding="utf-8"), URL)
    assert isinstance(found, hls.Master)
    assert [rendition.height for rendition in found.renditions] == heights
    assert len(found.sounds) == sounds
    assert sum(rendition.is_mute for rendition in found.renditions) == mute
    assert all(rendition.bandwidth for rendition in found.renditions)
