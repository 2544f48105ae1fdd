"""Files through proxies: http and https ones, for http and https files, with and without a password."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from qetch.downloaders import HTTPDownloader, Settings
from qetch.errors import AuthenticationError, InvalidSetting, NetworkError, QetchError, RemoteError
from qetch.session import Session
from tests.downloads import PNG, content, names, refused
from tests.origin import Origin, Reply, ranged, redirect
from tests.proxy import Proxy
from tests.secure import Authority
from tests.sessions import SECRET, plain_environment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BIG = bytes(range(251)) * 20_000
LOGIN = f"me:{SECRET}"
ODD = ("mé", f"{SECRET} pä:s/w@rd?#%ł")


@pytest.fixture(autouse=True)
def _plain(monkeypatch, tmp_path_factory):
    plain_environment(monkeypatch, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


@pytest.fixture(params=["http", "https"], ids=["plain proxy", "https proxy"])
def kind(request):
    """Of the proxy."""
    return request.param


@pytest.fixture(params=["http", "https"], ids=["http file", "https file"])
def scheme(request):
    """Of the file."""
    return request.param


class Road:
    """A proxy and an origin of the wanted kinds, whose one file is at `url`."""

    def __init__(self, authority: Authority, kind: str, scheme: str, folder: Path) -> None:
        self._authority = authority
        self._kind = kind
        self._folder = folder
        self.scheme = scheme
        self.ca_file = authority.ca_file

    def proxy(self, password: str = "", reply: Iterable[bytes] | None = None, name: str = "127.0.0.1") -> Proxy:
        context = self._authority.context(name) if self._kind == "https" else None
        return Proxy(password, context=context, reply=reply)

    def origin(self, script: Any = None, **more: Any) -> Origin:
        routes = {"*": script or ranged(BIG, {"ETag": '"1"'})}
        return (
            self._authority.origin(routes, names=("files.example",), **more)
            if self.scheme == "https"
            else Origin(routes)
        )

    def url(self, origin: Origin) -> str:
        return f"{self.scheme}://files.example:{origin.port}/a"

    def through(self, proxy: Proxy | str, **more: Any) -> Settings:
        url = proxy if isinstance(proxy, str) else proxy.url()
        return Settings(**{"proxies": {self.scheme: url}, "ca_file": self.ca_file, **more})

    def get(self, origin: Origin, settings: Settings) -> bytes:
        HTTPDownloader(settings=settings).download(content(self.url(origin)), str(self._folder / "file.bin"))
        assert names(self._folder) == ["file.bin"]
        return (self._folder / "file.bin").read_bytes()

    def fails(self, kind: type[QetchError], match: str, settings: Settings, origin: Origin | None = None) -> None:
        url = self.url(origin) if origin else f"{self.scheme}://files.example:1/a"
        with refused(self._folder, kind, match) as target:
            with pytest.raises(kind) as caught:
                HTTPDownloader(settings=settings).download(content(url), str(target))
            assert SECRET not in str(caught.value)
            assert str(caught.value).startswith(url)
            raise caught.value


@pytest.fixture
def road(authority, kind, scheme, folder):
    return Road(authority, kind, scheme, folder)


def test_a_file_comes_in_parts_through_every_proxy(road, monkeypatch):
    monkeypatch.setenv(f"{road.scheme.upper()}_PROXY", "http://127.0.0.1:1")  # what is said by name counts more
    with road.proxy() as proxy, road.origin() as origin:
        assert road.get(origin, road.through(proxy)) == BIG
        seen = ("GET", road.url(origin)) if road.scheme == "http" else ("CONNECT", f"files.example:{origin.port}")
    assert set(proxy.seen) == {seen}
    assert len(origin.requests) > 1
    assert all("Range" in request.headers for request in origin.requests)


@pytest.mark.parametrize("apart", [True, False])
def test_a_proxy_gets_its_password_and_nobody_else_does(road, apart):
    with road.proxy(":".join(ODD)) as proxy, road.origin() as origin:
        userinfo = ":".join(quote(part, safe="") for part in ODD)
        settings = road.through(proxy, proxy_auth=ODD) if apart else road.through(proxy.url(userinfo))
        assert road.get(origin, settings) == BIG
    assert all(b"Proxy-Authorization: Basic " in head for head in proxy.heads)
    assert not any("Proxy-Authorization" in request.headers for request in origin.requests)


def test_the_password_of_the_host_is_not_told_to_the_proxy_of_a_tunnel(road):
    with road.proxy(LOGIN) as proxy, road.origin() as origin:
        settings = road.through(proxy, proxy_auth=("me", SECRET), basic_auth=("you", "host's"), headers={"X-Key": "k"})
        assert road.get(origin, settings) == BIG
    wanted = requests.auth._basic_auth_str("you", "host's")
    assert {(request.headers["Authorization"], request.headers["X-Key"]) for request in origin.requests} == {
        (wanted, "k")
    }
    assert not any("Proxy-Authorization" in request.headers for request in origin.requests)
    if road.scheme == "https":
        assert not any(b"\r\nAuthorization" in head or b"X-Key" in head for head in proxy.heads)


def test_a_wrong_password_is_said_without_it_and_tried_once(road):
    with road.proxy("me:other") as proxy, road.origin() as origin:
        for auth in (("me", SECRET), None):
            road.fails(
                AuthenticationError,
                "the proxy wants a user name and password",
                road.through(proxy, proxy_auth=auth),
                origin,
            )
    assert len(proxy.seen) == 2
    assert not origin.requests


def test_a_proxy_that_closes_is_a_network_error(road):
    with road.proxy(reply=[]) as proxy:
        road.fails(
            NetworkError,
            "closed the connection|the proxy cannot be used",
            road.through(proxy, proxy_auth=("me", SECRET)),
        )
    assert proxy.seen


def test_a_proxy_that_is_none_is_a_network_error(road):
    with road.proxy(reply=[b"SSH-2.0-OpenSSH_9.0\r\n"]) as proxy:
        road.fails(RemoteError, "not proper HTTP", road.through(proxy, proxy_auth=("me", SECRET)))


def test_a_proxy_that_does_not_reach_the_host_is_an_error(road):
    with road.proxy(reply=[b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"]) as proxy:
        wrong = (
            (RemoteError, "502") if road.scheme == "http" else (NetworkError, "the proxy does not connect to this host")
        )
        road.fails(*wrong, road.through(proxy, proxy_auth=("me", SECRET)))


def test_a_proxy_that_is_not_there_is_a_network_error(road):
    with road.proxy() as proxy:
        settings = road.through(proxy, proxy_auth=("me", SECRET))
    road.fails(NetworkError, "the proxy cannot be used", settings)


def test_a_proxy_that_drips_is_given_up(road, monkeypatch):
    class Drip:
        def __iter__(self):
            yield b"HTTP/1.1 200 OK\r\n"
            while not stop.wait(0.1):
                yield b"X: y\r\n"

    stop = threading.Event()
    monkeypatch.setattr("qetch.network.HEAD_SECONDS", 0.3)
    with road.proxy(reply=Drip()) as proxy:
        try:
            road.fails(NetworkError, "in time|the proxy", road.through(proxy))
        finally:
            stop.set()
    gc.collect()  # what is not closed is said here


def test_a_host_that_drips_behind_a_proxy_is_given_up(road, monkeypatch):
    def drip(request):
        yield b"HTTP/1.1 200 OK\r\n"
        while not stop.wait(0.1):
            yield b"X: y\r\n"

    stop = threading.Event()
    with road.proxy() as proxy, road.origin(drip) as origin:
        monkeypatch.setattr("qetch.network.HEAD_SECONDS", 0.5)
        try:
            road.fails(NetworkError, "in time", road.through(proxy), origin)
        finally:
            stop.set()


def test_a_download_through_a_proxy_can_be_canceled(road, folder):
    def silent(request):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"
        begun.set()
        hold.wait()

    begun, hold = threading.Event(), threading.Event()
    with road.proxy() as proxy, road.origin(silent) as origin:
        downloader = HTTPDownloader(settings=road.through(proxy, read_timeout=600))

        def cancel() -> None:
            begun.wait()
            downloader.cancel("this")

        thread = threading.Thread(target=cancel)
        thread.start()
        try:
            with pytest.raises(CancelledError):
                downloader.download(content(road.url(origin)), str(folder / "file.bin"), download_id="this")
        finally:
            hold.set()
        thread.join()
    assert not (folder / "file.bin").exists()


def test_a_speed_and_parts_go_together_with_a_proxy(road):
    with road.proxy() as proxy, road.origin() as origin:
        assert road.get(origin, road.through(proxy, max_speed=20_000_000, connections_per_host=2)) == BIG


def test_the_environment_may_name_the_proxy(road, monkeypatch):
    with road.proxy(LOGIN) as proxy, road.origin() as origin:
        monkeypatch.setenv(f"{road.scheme.upper()}_PROXY", proxy.url(f"me:{SECRET}"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(road.ca_file))
        for settings in (Settings(ca_file=road.ca_file), Settings()):
            assert road.get(origin, settings) == BIG
    assert proxy.seen
    assert not any("Proxy-Authorization" in request.headers for request in origin.requests)


def test_what_is_extracted_goes_by_the_same_proxy(road):
    with road.proxy(":".join(ODD)) as proxy, road.origin(Reply(body="by proxy")) as origin, Session() as session:
        road.through(proxy, proxy_auth=ODD).set_on(session)
        assert session.fetch("GET", road.url(origin)).text == "by proxy"
    assert len(proxy.seen) == 1


def test_a_redirect_goes_by_the_proxy_as_well_and_its_password_no_further(authority, kind, folder):
    road = Road(authority, kind, "http", folder)
    with road.proxy(":".join(ODD)) as proxy, road.origin(Reply(body=PNG)) as origin:
        other = f"http://more.example:{origin.port}/b"
        origin.routes["/a"] = redirect(other)
        assert road.get(origin, road.through(proxy, proxy_auth=ODD)) == PNG
        assert proxy.seen == [("GET", road.url(origin)), ("GET", other)]
    assert not any("Proxy-Authorization" in request.headers for request in origin.requests)


# Trust in https proxies


@pytest.fixture
def secure_road(authority, scheme, folder):
    return Road(authority, "https", scheme, folder)


def test_a_proxy_that_nobody_vouches_for_learns_nothing(secure_road, tmp_path):
    stranger = Authority(tmp_path)
    with secure_road.proxy(LOGIN) as proxy, secure_road.origin() as origin:
        for settings in (
            secure_road.through(proxy, proxy_auth=("me", SECRET), ca_file=stranger.ca_file),
            secure_road.through(proxy, proxy_auth=("me", SECRET), ca_file=None),
        ):
            secure_road.fails(NetworkError, r"the proxy's identity could not be verified", settings, origin)
    assert proxy.seen == []


def test_a_proxy_with_the_certificate_of_another_learns_nothing(secure_road):
    with secure_road.proxy(LOGIN, name="other.example") as proxy, secure_road.origin() as origin:
        settings = secure_road.through(proxy, proxy_auth=("me", SECRET))
        secure_road.fails(NetworkError, r"the proxy's identity could not be verified", settings, origin)
    assert proxy.seen == []


def test_a_plain_proxy_that_is_named_as_an_https_one_is_an_error_and_the_other_way_round(authority, scheme, folder):
    for kind, wrong in (("http", "https"), ("https", "http")):
        road = Road(authority, kind, scheme, folder)
        with road.proxy() as proxy:
            settings = road.through(proxy.url().replace(f"{kind}:", f"{wrong}:"))
            road.fails(NetworkError, "the proxy|closed the connection|not proper HTTP", settings)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_any_proxy_is_trusted_once_that_is_said(secure_road):
    with secure_road.proxy() as proxy, secure_road.origin() as origin:
        assert secure_road.get(origin, secure_road.through(proxy, ca_file=None, verify=False)) == BIG


def test_a_certificate_of_ones_own_is_shown_to_the_host_and_not_to_the_proxy(secure_road, authority):
    with (
        secure_road.proxy() as proxy,
        secure_road.origin(client=True) if secure_road.scheme == "https" else secure_road.origin() as origin,
    ):
        assert secure_road.get(origin, secure_road.through(proxy, client_cert=authority.client_file)) == BIG
    with Proxy(context=authority.context("127.0.0.1", client=True)) as curious, secure_road.origin() as origin:
        settings = secure_road.through(curious, client_cert=authority.client_file)
        secure_road.fails(NetworkError, "the proxy|closed|identity|connection", settings, origin)
    assert curious.seen == []


# What makes no sense


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"proxies": {"http": f"http://me:{SECRET}@host:1"}, "proxy_auth": ("me", SECRET)}, "drop one"),
        ({"proxy_auth": ("me", SECRET)}, "without a proxy"),
        ({"proxies": {"http": ""}, "proxy_auth": ("me", SECRET)}, "without a proxy"),
        ({"proxies": {"http": "http://host:1"}, "proxy_auth": f"me:{SECRET}"}, "two texts"),
        ({"proxies": {"http": "http://host:1"}, "proxy_auth": ("m:e", SECRET)}, "colon"),
        ({"proxies": {"http": f"http://me:{SECRET}/@host:1"}}, "in `proxy_auth`"),
    ],
)
def test_proxies_that_make_no_sense_are_refused_without_their_password(words, reason):
    with pytest.raises(InvalidSetting, match=reason) as caught:
        Settings(**words)
    assert SECRET not in str(caught.value)


def test_the_password_of_a_proxy_is_not_shown():
    settings = Settings(proxies={"http": "host:1", "https": ""}, proxy_auth=("me", SECRET))
    assert SECRET not in repr(settings)
    assert settings.for_request()["proxies"] == {"http": f"http://me:{SECRET}@host:1", "https": ""}
