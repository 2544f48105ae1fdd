from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.adapters import BaseAdapter

from qetch.cli.extract import as_line
from qetch.content import Content, Segment
from qetch.downloaders import HTTPDownloader, find_downloader
from qetch.errors import NotFound, RateLimited, RemoteError, SpecError
from tests.engine_help import at_work, extract, fails, make, reply, run, site_text
from tests.hls_texts import listed, locked, master, media, segments
from tests.origin import Origin, Reply, ranged, redirect

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY, OTHER_KEY, IV = bytes(range(16)), bytes(range(16, 32)), bytes(range(100, 116))
PARTS = [bytes([65 + number]) * (1000 + number) for number in range(6)]
ITEM = "get: api\ncontent: {uid: id, url: url, playlist: hls}"
VARIANTS = "get: api\ncontent: {uid: id, variants: {hls: {url: url, playlist: hls}, mp4: mp4}}"


# What becomes of it


def item(url: str, mp4: str | None = None) -> Reply:
    return reply({"id": "1", "url": url, "mp4": mp4})


def facts(contents: list[Content]) -> dict[str | None, tuple[float, str | None]]:
    return {content.variant: (content.quality, content.extension) for content in contents}


def test_a_playlist_of_segments_becomes_their_urls(tmp_path: Path) -> None:
    content = extract(
        tmp_path, {"/api": item("/v/a.m3u8?t=1"), "/v/a.m3u8": Reply(body=segments("1.ts", "2.ts"))}, ITEM
    ).only
    assert [url.partition("/v/")[2] for url in content.fragments] == ["1.ts", "2.ts"]
    assert content.segments == (Segment(), Segment())
    assert (content.uid, content.playlist, content.extension, content.quality) == ("here-1", "hls", "ts", 1.0)


def test_a_playlist_is_joined_to_where_a_redirect_led(tmp_path: Path) -> None:
    routes = {
        "/api": item("/a.m3u8"),
        "/a.m3u8": redirect("/deep/er/b.m3u8"),
        "/deep/er/b.m3u8": Reply(body=segments("1.ts")),
    }
    content = extract(tmp_path, routes, ITEM).only
    assert content.fragments[0].endswith("/deep/er/1.ts")


def test_each_rendition_is_a_content_and_the_best_has_the_files_own_quality(tmp_path: Path) -> None:
    streams = [
        ("BANDWIDTH=500000,RESOLUTION=640x360", "360.m3u8"),
        ("BANDWIDTH=2000000,RESOLUTION=1280x720", "720.m3u8"),
        ("BANDWIDTH=3000000,RESOLUTION=1280x720", "720b.m3u8"),
        ("BANDWIDTH=64000", "sound.m3u8"),
        ("RESOLUTION=64x36", "none.m3u8"),
    ]
    routes = {
        "/api": item("/v/m.m3u8", "/full.mp4"),
        "/v/m.m3u8": Reply(body=master(*streams)),
        "*": Reply(body=segments("1.ts")),
    }
    block = VARIANTS.replace("playlist: hls", "playlist: hls, quality: 0.8")
    [contents] = extract(tmp_path, routes, block).lists
    assert facts(contents) == {
        "hls-720p-3000k": (0.8, "ts"),
        "hls-720p-2000k": (0.64, "ts"),
        "mp4": (0.5, "mp4"),
        "hls-360p": (0.48, "ts"),
        "hls-64k": (0.32, "ts"),
        "hls-36p": (0.16, "ts"),
    }
    assert len({content.uid for content in contents}) == 6


def test_renditions_of_a_file_without_variants_are_named_as_well(tmp_path: Path) -> None:
    streams = [("BANDWIDTH=5000", "a.m3u8"), ("BANDWIDTH=5001", "b.m3u8"), ("X=1", "c.m3u8")]
    routes = {"/api": item("/m.m3u8"), "/m.m3u8": Reply(body=master(*streams)), "*": Reply(body=segments("1.ts"))}
    [contents] = extract(tmp_path, routes, ITEM).lists
    assert [content.uid for content in contents] == ["here-1-5k-2", "here-1-5k", "here-1-unknown"]


@pytest.mark.parametrize(
    ("text", "extension"),
    [
        (segments("a.ts"), "ts"),
        (segments("a.php?x=.mp4"), "ts"),
        (segments("a.aac"), "aac"),
        (segments("a.webvtt"), "vtt"),
        (segments("a.m4s"), "mp4"),
        (media('#EXT-X-MAP:URI="i"', "#EXTINF:1,", "a.bin"), "mp4"),
    ],
)
def test_the_extension_is_that_of_the_segments(tmp_path: Path, text: str, extension: str) -> None:
    assert extract(tmp_path, {"/api": item("/a.m3u8"), "/a.m3u8": Reply(body=text)}, ITEM).only.extension == extension


def test_the_extension_that_the_spec_gives_counts_more(tmp_path: Path) -> None:
    block = ITEM.replace("playlist: hls", "playlist: hls, extension: {text: m2ts}")
    routes = {"/api": item("/a.m3u8"), "/a.m3u8": Reply(body=segments("a.ts"))}
    assert extract(tmp_path, routes, block).only.extension == "m2ts"


def test_sound_elsewhere_becomes_contents_and_is_said(tmp_path: Path) -> None:
    sound = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",LANGUAGE="en-GB",URI="en.m3u8"'
    routes = {
        "/api": item("/m.m3u8"),
        "/m.m3u8": Reply(body=master(('BANDWIDTH=9000,AUDIO="a"', "v.m3u8"), more=sound)),
        "/v.m3u8": Reply(body=segments("1.ts")),
        "/en.m3u8": Reply(body=segments("1.aac")),
    }
    outcome = extract(tmp_path, routes, VARIANTS)
    assert facts(outcome.lists[0]) == {"hls-9k": (1.0, "ts"), "hls-audio-en-gb": (0.0, "aac")}
    assert "the video has no sound of its own: that is in hls-audio-en-gb" in outcome.skipped[-1]


def keyed(*lines: str) -> dict[str, Any]:
    return {"/api": item("/a.m3u8"), "/a.m3u8": Reply(body=media(*lines)), "/key": Reply(body=KEY)}


def test_a_key_is_fetched_once_and_the_iv_is_the_playlists_or_the_number(tmp_path: Path) -> None:
    lines = ["#EXT-X-MEDIA-SEQUENCE:258", '#EXT-X-KEY:METHOD=AES-128,URI="/key"', "#EXTINF:1,", "a", "#EXTINF:1,", "b"]
    more = ['#EXT-X-KEY:METHOD=AES-128,URI="/key",IV=0xff', "#EXTINF:1,", "c"]
    outcome = extract(tmp_path, keyed(*lines, *more), ITEM)
    ivs = [bytes(14) + b"\x01\x02", bytes(14) + b"\x01\x03", bytes(15) + b"\xff"]
    assert outcome.only.segments == tuple(Segment(key=KEY, iv=iv) for iv in ivs)
    assert outcome.paths == ["/api", "/a.m3u8", "/key"]


def test_a_key_may_stand_in_the_playlist_itself(tmp_path: Path) -> None:
    key = '#EXT-X-KEY:METHOD=AES-128,URI="data:text/plain;base64,AAECAwQFBgcICQoLDA0ODw=="'
    assert extract(tmp_path, keyed(key, "#EXTINF:1,", "a"), ITEM).only.segments[0].key == KEY


@pytest.mark.parametrize("key", [b"", KEY[:15], KEY * 2, b"<html>forbidden</html>"])
def test_a_key_of_another_length_is_refused(tmp_path: Path, key: bytes) -> None:
    routes = {**keyed('#EXT-X-KEY:METHOD=AES-128,URI="/key"', "#EXTINF:1,", "a"), "/key": Reply(body=key)}
    fails(tmp_path, routes, ITEM, RemoteError, f"a key of {len(key)} bytes, where AES-128 has 16")


def test_a_key_is_not_shown(tmp_path: Path) -> None:
    content = extract(tmp_path, keyed('#EXT-X-KEY:METHOD=AES-128,URI="/key"', "#EXTINF:1,", "a"), ITEM).only
    assert repr(content.segments[0]) == "Segment(offset=0, length=None)"


def test_the_files_headers_are_sent_for_playlists_and_keys(tmp_path: Path) -> None:
    block = ITEM.replace("playlist: hls", 'playlist: hls, headers: {Referer: "https://here.example/"}')
    outcome = extract(tmp_path, keyed('#EXT-X-KEY:METHOD=AES-128,URI="/key"', "#EXTINF:1,", "a"), block)
    assert [request.headers.get("Referer") for request in outcome.requests] == [None, *["https://here.example/"] * 2]
    assert outcome.only.headers == {"Referer": "https://here.example/"}


def test_a_line_of_json_tells_all_that_another_downloader_needs(tmp_path: Path) -> None:
    lines = ['#EXT-X-KEY:METHOD=AES-128,URI="/key",IV=0x1', "#EXTINF:1,", "#EXT-X-BYTERANGE:32@8", "a"]
    line = json.loads(as_line(extract(tmp_path, keyed(*lines), ITEM).only))
    assert line["segments"] == [{"offset": 8, "length": 32, "key": KEY.hex(), "iv": "0" * 31 + "1"}]


# What fails


def test_a_rendition_that_fails_is_left_out_and_said(tmp_path: Path) -> None:
    streams = [("BANDWIDTH=3000", "gone.m3u8"), ("BANDWIDTH=2000", "live.m3u8"), ("BANDWIDTH=1000", "good.m3u8")]
    routes = {
        "/api": item("/m.m3u8"),
        "/m.m3u8": Reply(body=master(*streams)),
        "/gone.m3u8": Reply(404),
        "/live.m3u8": Reply(body=media("#EXTINF:1,", "a.ts", end=False)),
        "/good.m3u8": Reply(body=segments("1.ts")),
    }
    outcome = extract(tmp_path, routes, ITEM)
    assert facts(outcome.lists[0]) == {"1k": (0.3333, "ts")}
    assert ["404" in said or "live stream" in said for said in outcome.skipped] == [True, True]


def test_if_all_fail_the_first_reason_is_raised(tmp_path: Path) -> None:
    streams = [("BANDWIDTH=3000", "gone.m3u8"), ("BANDWIDTH=2000", "broken.m3u8")]
    routes = {"/api": item("/m.m3u8"), "/m.m3u8": Reply(body=master(*streams)), "/broken.m3u8": Reply(body="no")}
    fails(tmp_path, routes, ITEM, NotFound, r"gone\.m3u8 answered 404")


def test_a_playlist_that_fails_beside_a_file_is_left_out_and_said(tmp_path: Path) -> None:
    outcome = extract(tmp_path, {"/api": item("/a.m3u8", "/a.mp4"), "/a.m3u8": Reply(body="gone")}, VARIANTS)
    assert outcome.only.variant == "mp4"
    assert "HLS playlist was expected" in outcome.skipped[0]


def test_a_live_stream_among_other_videos_costs_only_itself(tmp_path: Path) -> None:
    rows = [{"id": "1", "url": "/live.m3u8"}, {"id": "2", "url": "/good.m3u8"}]
    routes = {
        "/api": reply({"items": rows}),
        "/live.m3u8": Reply(body=media("#EXTINF:1,", "a.ts", end=False)),
        "/good.m3u8": Reply(body=segments("1.ts")),
    }
    outcome = extract(tmp_path, routes, "get: api\neach: {in: items, content: {uid: id, url: url, playlist: hls}}")
    assert outcome.uids == ["2"]
    assert "is a live stream" in outcome.skipped[0]


def test_a_master_inside_a_master_is_refused(tmp_path: Path) -> None:
    routes = {"/api": item("/m.m3u8"), "*": Reply(body=master(("BANDWIDTH=1", "m2.m3u8")))}
    fails(tmp_path, routes, ITEM, RemoteError, "a playlist of playlists inside another one")


def test_of_too_many_renditions_the_best_are_taken(tmp_path: Path) -> None:
    streams = [(f"BANDWIDTH={n}000", f"{n}.m3u8") for n in range(1, 61)]
    routes = {"/api": item("/m.m3u8"), "/m.m3u8": Reply(body=master(*streams)), "*": Reply(body=segments("1.ts"))}
    outcome = extract(tmp_path, routes, ITEM)
    assert [content.variant for content in outcome.lists[0]] == [f"{n}k" for n in range(60, 10, -1)]
    assert "there are 60 renditions: the 50 with the most bits are taken" in outcome.skipped[0]


def test_segments_that_the_site_lacks_are_said(tmp_path: Path) -> None:
    text = media("#EXTINF:1,", "a.ts", "#EXT-X-GAP", "#EXTINF:1,", "b.ts", "#EXTINF:1,", "c.ts")
    outcome = extract(tmp_path, {"/api": item("/a.m3u8"), "/a.m3u8": Reply(body=text)}, ITEM)
    assert [url[-4:] for url in outcome.only.fragments] == ["a.ts", "c.ts"]
    assert "does not have 1 of the segments" in outcome.skipped[0]


def test_several_fragments_are_no_playlist(tmp_path: Path) -> None:
    routes = {"/api": reply({"id": "1", "urls": ["/a.m3u8", "/b.m3u8"]})}
    fails(tmp_path, routes, "get: api\ncontent: {uid: id, fragments: urls, playlist: hls}", SpecError, "about one URL")


def test_a_host_that_is_asked_too_often_is_waited_for(tmp_path: Path) -> None:
    routes: dict[str, Any] = {
        "/api": item("/a.m3u8"),
        "/a.m3u8": [Reply(429, {"Retry-After": "3"}), Reply(body=segments("1.ts"))],
    }
    assert extract(tmp_path, routes, ITEM).waits == [3.0]
    fails(tmp_path, {**routes, "/a.m3u8": Reply(429)}, ITEM, RateLimited, "429")


# Where requests may go


def test_playlists_and_keys_on_another_host_are_fetched_without_the_credentials(tmp_path: Path) -> None:
    top = 'auth: {kind: key, headers: {X-Key: "{key}"}}'
    lines = ['#EXT-X-KEY:METHOD=AES-128,URI="/key"', "#EXTINF:1,", "a.ts"]
    with Origin({"/v.m3u8": Reply(body=media(*lines)), "/key": Reply(body=KEY)}, host="127.0.0.2") as cdn:
        routes = {"/api": item("/m.m3u8"), "/m.m3u8": Reply(body=master(("BANDWIDTH=1", cdn.url("/v.m3u8"))))}
        outcome = run(tmp_path, routes, ITEM, top=top, auth=("sesame-open-now",))
        assert outcome.error is None
        assert cdn.paths == ["/v.m3u8", "/key"]
        assert not any("X-Key" in request.headers for request in cdn.requests)
    assert [request.headers.get("X-Key") for request in outcome.requests] == ["sesame-open-now"] * 2


class Canned(BaseAdapter):
    """Somebody's own adapter, which answers everything that is mounted on it."""

    def __init__(self, bodies: Mapping[str, str]) -> None:
        super().__init__()
        self.bodies = bodies
        self.asked: list[str | None] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(request.url)
        response = requests.Response()
        response.status_code, response.url, response.request = 200, str(request.url), request
        response._content = self.bodies[str(request.url)].encode()
        return response

    def close(self) -> None:
        pass


def test_a_playlist_cannot_lead_to_a_private_address(tmp_path: Path) -> None:
    with Origin({"*": Reply(body=segments("1.ts"))}) as inside:
        adapter = Canned(
            {
                "http://here.example/api": '{"id": "1", "url": "/m.m3u8"}',
                "http://here.example/m.m3u8": master(
                    ("BANDWIDTH=2", inside.url("/v.m3u8")), ("BANDWIDTH=1", "http://cdn.example/good.m3u8")
                ),
                "http://cdn.example/good.m3u8": segments("1.ts"),
            }
        )
        text = site_text(inside, ITEM, host="here.example").replace(f"here.example:{inside.port}", "here.example")
        extractor = make(tmp_path, text)()
        extractor.session.mount("http://here.example/", adapter)
        extractor.session.mount("http://cdn.example/", adapter)
        [[content]] = extractor.extract("http://here.example/start")
        extractor.session.close()
    assert inside.requests == []
    assert content.fragments == ["http://cdn.example/1.ts"]
    assert "private address" in str(extractor.skipped[0])
    assert adapter.asked[-1] == "http://cdn.example/good.m3u8"


# The content


def test_segments_and_fragments_are_as_many(tmp_path: Path) -> None:
    with at_work(tmp_path, {}, ITEM) as (extractor, _), pytest.raises(ValueError, match="1 segments for 2 fragments"):
        Content("x", "http://x.example/", ["a", "b"], extractor, segments=[Segment()])


def test_the_size_of_ranges_needs_no_request_and_that_of_encrypted_ones_is_unknown(tmp_path: Path) -> None:
    with at_work(tmp_path, {"/b": Reply(body=b"12345")}, ITEM) as (extractor, origin):
        urls = [origin.url("/a"), origin.url("/b")]
        content = Content("x", origin.url(), urls, extractor, segments=[Segment(5, 100), Segment()])
        assert content.get_size() == 105
        content = Content("x", origin.url(), urls, extractor, segments=[Segment(5, 100), Segment(key=KEY)])
        with pytest.raises(RemoteError, match="encrypted"):
            content.get_size()
    assert origin.paths == ["/b"]


# From a spec to the bytes


def numbered(number: int) -> bytes:
    return number.to_bytes(16, "big")


def from_spec(folder: Path, routes: Mapping[str, Any], **how: Any) -> dict[str | None, bytes]:
    """The bytes of every variant that a spec with a playlist gives."""
    found = {}
    work, target = folder / "spec", folder / "files"
    work.mkdir()
    target.mkdir()
    with at_work(work, {"/api": reply({"id": "1", "url": "/v/index.m3u8"}), **routes}, VARIANTS) as (extractor, origin):
        [contents] = extractor.extract(origin.url("/start"))
        for made in contents:
            assert find_downloader(made) is HTTPDownloader
            path = HTTPDownloader().download(made, str(target / "film.ts"), **how)
            assert [each.name for each in target.iterdir()] == ["film.ts"]
            found[made.variant] = Path(path).read_bytes()
    return found


def test_a_playlist_of_a_spec_becomes_one_file(tmp_path: Path) -> None:
    routes = {f"/v/{number}.ts": Reply(body=part) for number, part in enumerate(PARTS)}
    routes["/v/index.m3u8"] = Reply(body=listed(*(f"{number}.ts" for number in range(6))))
    assert from_spec(tmp_path, routes, max_fragments=4) == {"hls": b"".join(PARTS)}


def test_each_rendition_becomes_a_file(tmp_path: Path) -> None:
    master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9000\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=99000\n/v/high.m3u8"
    routes = {
        "/v/index.m3u8": Reply(body=master),
        "/v/low.m3u8": Reply(body=listed("low.ts")),
        "/v/high.m3u8": Reply(body=listed("high1.ts", "high2.ts")),
        "/v/low.ts": Reply(body=b"low"),
        "/v/high1.ts": Reply(body=b"high "),
        "/v/high2.ts": Reply(body=b"higher"),
    }
    assert from_spec(tmp_path, routes) == {"hls-99k": b"high higher", "hls-9k": b"low"}


def test_ranges_of_one_file_with_an_init_segment_become_one_file(tmp_path: Path) -> None:
    body = b"init" + b"".join(PARTS) + b"rest"
    lines = ['#EXT-X-MAP:URI="all.mp4",BYTERANGE="4@0"', f"#EXT-X-BYTERANGE:{len(PARTS[0])}@4", "all.mp4"]
    for part in PARTS[1:]:
        lines += [f"#EXT-X-BYTERANGE:{len(part)}", "all.mp4"]
    routes = {"/v/index.m3u8": Reply(body=listed(*lines)), "/v/all.mp4": ranged(body)}
    assert from_spec(tmp_path, routes, max_fragments=3) == {"hls": b"init" + b"".join(PARTS)}


def test_segments_with_changing_keys_become_the_plain_file(tmp_path: Path) -> None:
    lines = [
        "#EXT-X-MEDIA-SEQUENCE:300", "0.ts", '#EXT-X-KEY:METHOD=AES-128,URI="k1"', "1.ts", "2.ts",
        '#EXT-X-KEY:METHOD=AES-128,URI="k2"', "3.ts", f'#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0x{IV.hex()}', "4.ts",
        "#EXT-X-KEY:METHOD=NONE", "5.ts",
    ]  # fmt: skip
    routes = {
        "/v/index.m3u8": Reply(body=listed(*lines)),
        "/v/k1": Reply(body=KEY),
        "/v/k2": Reply(body=OTHER_KEY),
        "/v/0.ts": Reply(body=PARTS[0]),
        "/v/1.ts": Reply(body=locked(PARTS[1], KEY, numbered(301))),
        "/v/2.ts": Reply(body=locked(PARTS[2], KEY, numbered(302))),
        "/v/3.ts": Reply(body=locked(PARTS[3], OTHER_KEY, numbered(303))),
        "/v/4.ts": Reply(body=locked(PARTS[4], KEY, IV)),
        "/v/5.ts": Reply(body=PARTS[5]),
    }
    assert from_spec(tmp_path, routes, max_fragments=2) == {"hls": b"".join(PARTS)}
