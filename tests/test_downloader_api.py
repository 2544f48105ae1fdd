from __future__ import annotations

import contextlib
import gc
import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter

import qetch
from qetch.downloaders import BaseDownloader, DownloadState, HTTPDownloader, find_downloader
from qetch.errors import (
    AddressRefused,
    InvalidURL,
    NetworkError,
    NotFound,
    RemoteError,
    UnsupportedURL,
)
from tests.downloads import BODY, PNG, content, names, refused
from tests.origin import Origin, Reply, ranged, redirect

if TYPE_CHECKING:
    from qetch.content import Content

# Hosts and sessions


def test_a_file_on_a_private_host_that_the_user_did_not_name_is_refused(tmp_path: Path) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin, refused(tmp_path, AddressRefused, "127.0.0.1") as target:
        HTTPDownloader().download(content(origin.url("/a"), source="https://pictures.example/1"), str(target))
    assert origin.requests == []


def test_a_redirect_to_a_private_host_that_the_user_did_not_name_is_refused(tmp_path: Path) -> None:
    with Origin({"/inside": Reply(body=PNG)}) as origin, refused(tmp_path, AddressRefused, "localhost") as target:
        origin.routes["/a"] = redirect(origin.url("/inside", host="localhost"))
        HTTPDownloader().download(content(origin.url("/a")), str(target))


def test_a_private_host_can_be_allowed(tmp_path: Path) -> None:
    downloader = HTTPDownloader()
    cast("Any", downloader.session).allow_private = True
    with Origin({"*": Reply(body=PNG)}) as origin:
        downloader.download(content(origin.url("/a"), source="https://pictures.example/1"), str(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == PNG


def test_any_requests_session_will_do(tmp_path: Path) -> None:
    with requests.Session() as session, Origin({"/a": Reply(body=PNG), "/b": Reply(404)}) as origin:
        downloader = HTTPDownloader(session)
        assert downloader.session is session
        downloader.download(content(origin.url("/a"), source="https://pictures.example/1"), str(tmp_path / "a"))
        with pytest.raises(NotFound):
            downloader.download(content(origin.url("/b")), str(tmp_path / "b"))
    assert names(tmp_path) == ["a"]


def test_an_adapter_mounted_on_the_session_sees_the_requests(tmp_path: Path) -> None:
    asked: list[str] = []

    class Watching(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            asked.append(request.url or "")
            return super().send(request, *args, **kwargs)

    downloader = HTTPDownloader()
    with contextlib.closing(Watching()) as adapter, Origin({"*": Reply(body=PNG)}) as origin:
        downloader.session.mount("http://", adapter)
        downloader.download(content(origin.url("/a")), str(tmp_path / "a"))
    assert asked == [origin.url("/a")]


@pytest.mark.parametrize(("declared", "whole"), [("309", False), ("308", True), ("soon", True)])
def test_an_adapter_may_answer_with_any_stream(tmp_path: Path, declared: str, whole: bool) -> None:
    class Canned(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            response = requests.Response()
            response.status_code, response.url, response.request = 200, request.url or "", request
            response.headers["Content-Length"] = declared
            response.raw = io.BytesIO(PNG)
            return response

        def close(self) -> None:
            pass

    downloader = HTTPDownloader()
    downloader.session.mount("https://", Canned())
    made, path = content("https://pictures.example/a"), tmp_path / "a"
    if whole:
        downloader.download(made, str(path))
        assert path.read_bytes() == PNG
    else:
        with pytest.raises(NetworkError, match="308 of 309"):
            downloader.download(made, str(path))


@pytest.mark.parametrize("url", ["http://user:word@host.example/a", "http://[broken/a", "http:///a"])
def test_a_url_that_cannot_be_fetched_is_refused(tmp_path: Path, url: str) -> None:
    with refused(tmp_path, InvalidURL, "URL") as target:
        HTTPDownloader().download(content(url, source="https://pictures.example/1"), str(target))


# The documented surface


def test_a_range_is_saved_to_its_place(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(bytes(1000))
    downloader = HTTPDownloader()
    cast("Any", downloader.session).allow_private = True
    with Origin({"/a": ranged(BODY)}) as origin:
        downloader.handle_chunk("by-hand", origin.url("/a"), str(target), 100, 299)
        downloader.handle_chunk("by-hand", origin.url("/a"), str(target), 900, 999, chunk_size=7)
    assert target.read_bytes() == bytes(100) + BODY[100:300] + bytes(600) + BODY[900:1000]
    assert downloader.progress_store == {"by-hand": 300}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=BODY),
        Reply(206, {"Content-Range": "bytes 1-4/9"}, b"1234"),
        Reply(206, {"Content-Range": "bytes 0-3/9"}, b"123"),
        Reply(206, {"Content-Range": "bytes 0-3/9"}, b"12345"),
        Reply(206, body=b"1234"),
    ],
    ids=["whole", "shifted", "short", "long", "unsaid"],
)
def test_a_range_that_is_not_the_one_that_was_asked_for_is_refused(tmp_path: Path, reply: Reply) -> None:
    downloader = HTTPDownloader()
    cast("Any", downloader.session).allow_private = True
    with Origin({"*": reply}) as origin, pytest.raises(RemoteError, match="/a"):
        downloader.handle_chunk("by-hand", origin.url("/a"), str(tmp_path / "a"), 0, 3)


def test_one_url_can_be_saved_by_hand(tmp_path: Path) -> None:
    downloader = HTTPDownloader()
    cast("Any", downloader.session).allow_private = True
    with Origin({"*": Reply(body=PNG)}) as origin:
        downloader.handle_download("by-hand", origin.url("/a"), str(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == PNG


def test_the_downloader_of_http_urls_is_found() -> None:
    made = content("HTTPS://host.example/a", "http://host.example/b")
    assert qetch.get_downloader(made) is HTTPDownloader
    downloader = qetch.get_downloader(made, init=True)
    assert isinstance(downloader, BaseDownloader)
    assert repr(downloader) == f"<HTTPDownloader at 0x{id(downloader):X}>"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (content("ftp://host.example/a"), "nothing can download ftp://host.example/a"),
        (content("https://host.example/a", "file:///etc/passwd"), "only http and https"),
        (content("//host.example/a"), "only http and https"),
        (content(), "no URL"),
        (content("https://host.example/a.m3u8", playlist="hls"), "playlist"),
    ],
)
def test_what_nothing_can_download_is_said(tmp_path: Path, made: Content, reason: str) -> None:
    with pytest.raises(UnsupportedURL, match=reason):
        qetch.get_downloader(made)
    with pytest.raises(UnsupportedURL, match=reason):
        HTTPDownloader().download(made, str(tmp_path / "a"))


def test_a_downloader_written_elsewhere_is_asked_first(tmp_path: Path) -> None:
    class TapeDownloader(BaseDownloader):
        @classmethod
        def can_handle(cls, content: Content) -> bool:
            return all(url.startswith(("tape:", "http://tape.example/")) for url in content.fragments)

        def handle_download(self, download_id: str, url: str, to_path: str, max_connections: int = 8) -> None:
            self.expect(download_id, to_path, 4)
            Path(to_path).write_bytes(b"tape")
            self.advance(download_id, 4)

    made = content("tape:1", "http://tape.example/2")
    calls: list[tuple[str, int, int]] = []
    try:
        assert find_downloader(made) is TapeDownloader
        downloader = qetch.get_downloader(made, init=True)
        path = downloader.download(made, str(tmp_path / "a"), progress_hook=lambda *call: calls.append(call))
        assert Path(path).read_bytes() == b"tapetape"
        assert calls[-1][1:] == (8, 8)
        assert find_downloader(content("http://host.example/a")) is HTTPDownloader
    finally:
        del TapeDownloader, downloader
        gc.collect()
    with pytest.raises(UnsupportedURL):
        find_downloader(made)


def test_no_connection_at_all_is_refused(tmp_path: Path) -> None:
    made = content("http://host.example/a")
    with pytest.raises(ValueError, match="1 or more"):
        HTTPDownloader().download(made, str(tmp_path / "a"), max_fragments=0)
    with pytest.raises(ValueError, match="1 or more"):
        HTTPDownloader().download(made, str(tmp_path / "a"), max_connections=0)


def test_the_states_are_the_documented_ones() -> None:
    assert {state.name for state in DownloadState} == {"STOPPED", "RUNNING", "PREPARING", "FINISHED"}


def test_finding_out_what_is_there_imports_no_network_library() -> None:
    code = (
        "import sys, qetch.downloaders as d; d.BaseDownloader; assert 'requests' not in sys.modules; d.HTTPDownloader"
    )
    root = Path(qetch.__path__[0]).parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=60)
