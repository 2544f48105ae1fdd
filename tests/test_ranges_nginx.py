"""Downloads from a real server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from qetch.downloaders import _transfer
from qetch.errors import BadFile, NetworkError, NotFound, QetchError, RemoteError
from tests.downloads import PAGE, names
from tests.hostile import BLOCK, PROBE, file_of, make_small
from tests.nginx_server import Nginx, needs_nginx, needs_openssl
from tests.ranges import OLDER, bounded, downloader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_nginx

BODY = file_of(3_000_001)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def fetched(folder: Path, nginx: Nginx, name: str = "file.bin", **more: Any) -> bytes | QetchError:
    """What a download brings."""
    (folder / "out").mkdir(exist_ok=True)
    target = folder / "out" / "file.bin"
    target.write_bytes(OLDER)
    made = downloader()
    made.session.verify = str(nginx.certificate) if nginx.certificate else True
    result = bounded(made, nginx.url(f"/{name}"), target, **more)
    if isinstance(result, QetchError):
        assert target.read_bytes() == OLDER
        return result
    assert names(folder / "out") == ["file.bin"]
    return target.read_bytes()


def test_files_of_all_sizes_arrive_whole(tmp_path: Path) -> None:
    sizes = [0, 1, BLOCK, PROBE - 1, PROBE, PROBE + 1, 100_001, len(BODY)]
    with Nginx(tmp_path, {str(size): BODY[:size] for size in sizes}) as nginx:
        for size in sizes:
            assert fetched(tmp_path, nginx, str(size)) == BODY[:size]
        paths = [line.split()[2] for line in nginx.requests]
        assert [paths.count(f"/{size}") for size in sizes if 0 < size <= PROBE] == [1, 1, 1, 1]
        assert {line.split()[1] for line in nginx.requests} == {"GET"}
        assert [line.split()[0] for line in nginx.requests].count("206") > 10


@needs_openssl
def test_files_of_all_sizes_arrive_whole_over_tls(tmp_path: Path) -> None:
    sizes = [1, PROBE + 1, len(BODY)]
    with Nginx(tmp_path, {str(size): BODY[:size] for size in sizes}, tls=True) as nginx:
        for size in sizes:
            assert fetched(tmp_path, nginx, str(size)) == BODY[:size]


@needs_openssl
def test_a_certificate_that_nobody_trusts_is_refused(tmp_path: Path) -> None:
    with Nginx(tmp_path, {"file.bin": BODY}, tls=True) as nginx:
        nginx.certificate = None
        error = fetched(tmp_path, nginx)
    assert isinstance(error, NetworkError)
    assert "identity" in str(error)


@needs_openssl
def test_connections_that_are_cut_off_at_the_end_leave_no_encrypted_bytes(tmp_path: Path) -> None:
    """Slow connections lose their segments to others near the end, and are ended while they read."""
    body = file_of(400_000)
    with Nginx(tmp_path, {"file.bin": body}, "limit_rate 150k; limit_rate_after 1k;", tls=True) as nginx:
        for _ in range(3):
            assert fetched(tmp_path, nginx) == body


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_takes_two_connections_is_asked_over_two(tmp_path: Path, status: int) -> None:
    server = f"limit_conn places 2; limit_conn_status {status}; limit_rate 400k;"
    zone = "limit_conn_zone $server_name zone=places:64k;"
    body = file_of(400_000)
    with Nginx(tmp_path, {"file.bin": body}, server, zone) as nginx:
        assert fetched(tmp_path, nginx) == body
        before = len(nginx.requests)
        refused = [line for line in nginx.requests if line.startswith(str(status))]
        if "127.0.0.1" in _transfer._limits:
            assert _transfer._limits["127.0.0.1"][0] >= 1
            assert fetched(tmp_path, nginx) == body
            again = [line for line in nginx.requests[before:] if line.startswith(str(status))]
            assert len(again) <= len(refused)


@pytest.mark.parametrize("server", ["max_ranges 0;", "etag off;", "gzip on; gzip_types *; gzip_min_length 1;"])
def test_settings_that_change_how_parts_are_served_do_no_harm(tmp_path: Path, server: str) -> None:
    with Nginx(tmp_path, {"file.bin": BODY[:400_000]}, server) as nginx:
        assert fetched(tmp_path, nginx) == BODY[:400_000]


def test_a_host_without_any_validator_gives_one_stream(tmp_path: Path) -> None:
    server = "etag off; add_header Last-Modified ''; if_modified_since off;"
    with Nginx(tmp_path, {"file.bin": BODY[:400_000]}, server) as nginx:
        assert fetched(tmp_path, nginx) == BODY[:400_000]


def test_a_file_that_is_replaced_meanwhile_is_never_mixed(tmp_path: Path) -> None:
    newer = file_of(400_000, seed=1 << 30)
    with Nginx(tmp_path, {"file.bin": BODY[:400_000]}) as nginx:
        place = nginx.folder / "files" / "file.bin"
        calls: list[int] = []

        def replace_once(_: str, current: int, total: int) -> None:
            if current > 50_000 and not calls:
                calls.append(current)
                (nginx.folder / "new").write_bytes(newer)
                os.utime(nginx.folder / "new", (1_000_000, 1_000_000))  # nginx's validator is time and size
                (nginx.folder / "new").replace(place)

        result = fetched(tmp_path, nginx, progress_hook=replace_once, update_delay=0.0)
    assert result in (BODY[:400_000], newer)


def test_errors_are_what_they_are(tmp_path: Path) -> None:
    server = "location /busy { return 503; } location /round { return 302 /round; } location /page { return 200 '%s'; }"
    with Nginx(tmp_path, {}, server % PAGE.decode()) as nginx:
        assert type(fetched(tmp_path, nginx, "missing")) is NotFound
        assert type(fetched(tmp_path, nginx, "busy")) is RemoteError
        assert type(fetched(tmp_path, nginx, "round")) is RemoteError
        assert type(fetched(tmp_path, nginx, "page", extension="png")) is BadFile
    assert names(tmp_path / "out") == ["file.bin"]
