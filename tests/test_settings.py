"""The settings of a downloader: refused where they make no sense, kept from whom they do not concern, and obeyed."""

from __future__ import annotations

import copy
import dataclasses
import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import certifi
import pytest
import requests

import qetch
from qetch.downloaders import HTTPDownloader, Settings
from qetch.errors import AddressRefused, FileError, InvalidSetting, NetworkError
from qetch.session import Session
from tests.downloads import PNG, content, refused
from tests.origin import Origin, Reply, ranged, redirect
from tests.proxy import Proxy
from tests.secure import Authority
from tests.sessions import SECRET, plain_environment, seen_secret

ROOT = Path(qetch.__path__[0]).parent
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
MOMENT = 784_111_777
BIG = bytes(range(251)) * 20_000
PROXY = {"http": "http://127.0.0.1:1", "https": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def _plain(monkeypatch, tmp_path_factory):
    plain_environment(monkeypatch, tmp_path_factory.mktemp("home"))


@pytest.fixture
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def get(folder: Path, made: Any, session: Any = None, **settings: Any) -> bytes:
    downloader = HTTPDownloader(session, settings=Settings(**settings))
    downloader.download(made, str(folder / "file.bin"))
    return (folder / "file.bin").read_bytes()


# What makes no sense


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("max_speed", 0, "1024 or more"),
        ("max_speed", -5, "1024 or more"),
        ("max_speed", 1e6, "whole number"),
        ("max_speed", "2M", "whole number"),
        ("max_speed", True, "whole number"),
        ("max_concurrent", 0, "from 1 to 256"),
        ("proxies", "http://host:1", "must be a mapping of texts"),
        ("max_concurrent", 1.5, "whole number"),
        ("connections_per_host", 0, "from 1 to 256"),
        ("connections_per_host", 1000, "from 1 to 256"),
        ("connections_per_host", None, "whole number"),
        ("connect_timeout", 0, "above 0"),
        ("read_timeout", -1.0, "above 0"),
        ("read_timeout", float("nan"), "above 0"),
        ("read_timeout", float("inf"), "above 0"),
        ("read_timeout", "30", "seconds"),
        ("proxies", {"ftp": "http://host:1"}, "`http` or `https`"),
        ("proxies", {"http": "socks5://host:1"}, "http://host:8080"),
        ("proxies", {"http": "http://"}, "http://host:8080"),
        ("proxies", {"https": "http://host:1/path"}, "http://host:8080"),
        ("proxies", {"https": "http://host:port"}, "http://host:8080"),
        ("proxies", {"https": "http://ho\r\nst:1"}, "http://host:8080"),
        ("proxies", {"https": None}, "http://host:8080"),
        ("headers", {"A B": "x"}, "name of a header"),
        ("headers", {"A": "x\r\nB: y"}, "line breaks"),
        ("headers", {"A": 1}, "text"),
        ("headers", {"range": "bytes=0-1"}, "transfer itself"),
        ("basic_auth", "me:word", "two texts"),
        ("basic_auth", ("me",), "two texts"),
        ("basic_auth", ("m:e", "word"), "colon"),
        ("basic_auth", ("me", "wo\nrd"), "control"),
        ("client_key", "key.pem", "without client_cert"),
        ("client_key_data", "-----BEGIN PRIVATE KEY-----", "without client_cert"),
        ("ca_data", "authority.pem", "ca_data must be the text of a PEM file"),
        ("ca_data", b"-----BEGIN CERTIFICATE-----", "ca_data must be the text of a PEM file"),
        ("ca_data", "-----BEGIN CERTIFICATE-----\nAAAA\n", "ca_data: not the certificates"),
        ("ca_data", "-----BEGIN CERTIFICATE-----\n\udc00\n", "ca_data: not the certificates"),
        ("client_cert_data", "", "client_cert_data must be the text of a PEM file"),
        ("client_cert_data", "-----BEGIN CERTIFICATE-----\nAAAA\n", "client_cert_data: not the certificates"),
        ("verify", None, "True or False"),
        ("verify", "bundle.pem", "True or False"),
        ("set_mtime", "yes", "True or False"),
        ("rate", 5, "number of requests"),
        ("rate", (5,), "number of requests"),
        ("rate", (0, 1.0), "from 1 to"),
        ("rate", (1.5, 1.0), "whole number"),
        ("rate", (1, 0), "above 0"),
        ("rate", (1, "s"), "seconds"),
        ("tmp_dir", "/nowhere/at/all", "no folder"),
        ("tmp_dir", 5, "path of a folder"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_at_once(name, value, reason):
    with pytest.raises(InvalidSetting, match=reason) as caught:
        Settings(**{name: value})
    assert isinstance(caught.value, ValueError)


def test_settings_that_contradict_each_other_are_refused(authority):
    with pytest.raises(InvalidSetting, match="both given"):
        Settings(basic_auth=("me", "word"), headers={"authorization": "Bearer x"})
    with pytest.raises(InvalidSetting, match="drop one"):
        Settings(ca_file=authority.ca_file, verify=False)
    with pytest.raises(InvalidSetting, match="drop one"):
        Settings(ca_data=authority.ca_file.read_text(), verify=False)


@pytest.mark.parametrize("name", ["ca_file", "client_cert", "client_key"])
def test_a_certificate_is_given_as_a_file_or_as_a_text_and_not_as_both(name, authority):
    text = {"ca_file": "ca_data"}.get(name, f"{name}_data")
    words: dict[str, Any] = {name: authority.client_file, text: authority.client_file.read_text()}
    with pytest.raises(InvalidSetting, match=f"{name} and {text} are both given - drop one of them"):
        Settings(**words)


def settings(name: str, value: Any) -> Settings:
    words: dict[str, Any] = {name: value}
    return Settings(**words)


@pytest.mark.parametrize("name", ["ca_file", "client_cert"])
def test_a_file_of_certificates_that_does_not_serve_is_named(tmp_path, name, authority):
    (tmp_path / "garbage.pem").write_text("not a certificate")
    with pytest.raises(FileError, match=r"nowhere\.pem: cannot be read: No such file"):
        settings(name, tmp_path / "nowhere.pem")
    with pytest.raises(FileError, match=r"garbage\.pem: .* PEM file"):
        settings(name, tmp_path / "garbage.pem")
    with pytest.raises(FileError, match="cannot be read"):
        settings(name, "")
    with pytest.raises(FileError, match=r"authority\.pem: .* key"):
        Settings(client_cert=authority.ca_file)


def test_a_refusal_shows_no_secret():
    for settings in (
        {"proxies": {"http": f"http://me:{SECRET}@host:port"}},
        {"headers": {"X-Key": f"{SECRET}\n"}},
        {"basic_auth": ("me", f"{SECRET}\0")},
        {"basic_auth": f"me:{SECRET}"},
        {"client_cert_data": f"-----BEGIN CERTIFICATE-----\n{SECRET}\n"},
        {"client_cert_data": SECRET},
        {"client_cert_data": f"-----BEGIN {SECRET}", "client_key_data": f"-----BEGIN PRIVATE KEY-----\n{SECRET}"},
    ):
        with pytest.raises(InvalidSetting) as caught:
            Settings(**cast("Any", settings))
        assert SECRET not in str(caught.value)


def test_settings_show_no_secret(authority):
    settings = Settings(
        max_speed=5000,
        proxies={"http": f"http://me:{SECRET}@host:1"},
        headers={"X-Key": SECRET},
        basic_auth=("me", SECRET),
        client_cert_data=f"{authority.client_file.read_text()}\n{SECRET}",
    )
    assert SECRET not in repr(settings)
    assert "BEGIN" not in repr(settings)
    assert "5000" in repr(settings)


def test_settings_cannot_change_behind_their_check():
    headers = {"X-Key": "a"}
    settings = Settings(headers=headers)
    headers["Range"] = "bytes=0-1"
    assert settings.headers == {"X-Key": "a"}
    with pytest.raises(AttributeError):
        cast("Any", settings).max_speed = 1


def test_the_documented_way_to_a_downloader_takes_settings():
    downloader = qetch.get_downloader(content("http://a.example/b"), init=True, settings=Settings(max_speed=5000))
    assert isinstance(downloader, HTTPDownloader)
    assert downloader.settings.max_speed == 5000


def test_secrets_are_not_given_to_a_session_that_would_send_them_anywhere():
    settings = Settings(basic_auth=("me", SECRET))
    with requests.Session() as session, pytest.raises(InvalidSetting, match="session of qetch"):
        HTTPDownloader(session, settings=settings)
    with requests.Session() as session, pytest.raises(InvalidSetting, match="session of qetch"):
        HTTPDownloader(settings=settings).session = session


# Basic authentication and headers


@pytest.mark.parametrize("settings", [{"basic_auth": ("me", SECRET)}, {"headers": {"X-Key": SECRET}}])
class TestSecrets:
    def test_go_to_the_host_that_the_user_named_with_every_request(self, folder, settings):
        with Origin({"*": ranged(BIG, {"ETag": '"1"'})}) as origin:
            assert get(folder, content(origin.url("/a")), **settings) == BIG
        assert len(origin.requests) > 1
        wanted = (
            {"Authorization": requests.auth._basic_auth_str("me", SECRET)}
            if "basic_auth" in settings
            else settings["headers"]
        )
        assert all(wanted.items() <= dict(request.headers).items() for request in origin.requests)

    def test_do_not_follow_a_redirect_to_another_host(self, folder, settings):
        with Origin({"*": Reply(body=PNG)}) as other:
            with Origin({"*": redirect(other.url("/b", host="localhost"))}) as origin, Session() as session:
                session.allow_private = True
                assert get(folder, content(origin.url("/a")), session, **settings) == PNG
            assert len(origin.requests) == 1
        assert [dict(request.headers).keys() & {"Authorization", "X-Key"} for request in other.requests] == [set()]
        assert not seen_secret(other)

    def test_do_not_follow_a_redirect_to_another_port(self, folder, settings):
        with Origin({"*": Reply(body=PNG)}) as other, Origin({"*": redirect(other.url("/b"))}) as origin:
            assert get(folder, content(origin.url("/a")), **settings) == PNG
        assert other.requests
        assert not dict(other.requests[0].headers).keys() & {"Authorization", "X-Key"}

    def test_do_not_go_to_a_file_on_another_host_than_the_named_one(self, folder, settings):
        with Origin({"*": Reply(body=PNG)}) as origin, Session() as session:
            session.allow_private = True
            made = content(origin.url("/a"), source="https://pictures.example/1")
            assert get(folder, made, session, **settings) == PNG
        assert not dict(origin.requests[0].headers).keys() & {"Authorization", "X-Key"}

    def test_do_not_step_down_from_https(self, folder, settings, authority):
        with Origin({"*": Reply(body=PNG)}) as plain:
            with authority.origin({"*": redirect(plain.url("/b"))}) as origin:
                assert get(folder, content(origin.url("/a")), ca_file=authority.ca_file, **settings) == PNG
            assert dict(origin.requests[0].headers).keys() & {"Authorization", "X-Key"}
        assert not dict(plain.requests[0].headers).keys() & {"Authorization", "X-Key"}


def test_a_header_of_the_content_counts_beside_those_of_the_settings(folder):
    with Origin({"*": Reply(body=PNG)}) as origin:
        made = content(origin.url("/a"), headers={"Referer": "https://a.example/", "X-Own": "1"})
        get(folder, made, headers={"Referer": "https://b.example/", "User-Agent": "Reader/1"})
    (request,) = origin.requests
    assert request.headers["Referer"] == "https://b.example/"
    assert request.headers["X-Own"] == "1"
    assert request.headers["User-Agent"] == "Reader/1"
    assert request.headers["Accept-Encoding"] == "identity"


def test_a_user_agent_goes_to_every_host(folder):
    with Origin({"*": Reply(body=PNG)}) as other:
        with Origin({"*": redirect(other.url("/b"))}) as origin:
            get(folder, content(origin.url("/a")), headers={"user-agent": "Reader/1"})
        asked = [*origin.requests, *other.requests]
    assert {request.headers["User-Agent"] for request in asked} == {"Reader/1"}
    assert other.requests


# Proxies


def test_an_empty_proxy_means_none_whatever_the_environment_says(folder, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Origin({"*": Reply(body=PNG)}) as origin:
        with refused(folder, NetworkError, "proxy") as target:
            HTTPDownloader().download(content(origin.url("/a")), str(target))
        assert get(folder, content(origin.url("/a")), proxies={"http": ""}) == PNG


def test_a_redirect_through_a_proxy_may_not_lead_to_a_private_address(folder):
    with Proxy() as proxy, Origin({"/inside": Reply(body=PNG)}) as origin:
        origin.routes["/a"] = redirect(origin.url("/inside"))
        settings = Settings(proxies={"http": proxy.url()})
        with refused(folder, AddressRefused, "127.0.0.1") as target:
            url = f"http://files.example:{origin.port}/a"
            HTTPDownloader(settings=settings).download(content(url), str(target))
    assert origin.paths == ["/a"]


def test_a_later_part_may_not_be_redirected_to_a_private_address(folder):
    with Origin({"*": ranged(BIG, {"ETag": '"1"'})}) as inner, Origin() as origin:
        serve, away = ranged(BIG, {"ETag": '"1"'}), redirect(inner.url("/b", host="localhost"))
        origin.routes["*"] = lambda request: serve(request) if "bytes=0-" in request.headers["Range"] else away
        with pytest.raises(AddressRefused, match="localhost"):
            HTTPDownloader().download(content(origin.url("/a")), str(folder / "file.bin"))
    assert not inner.requests
    assert not (folder / "file.bin").exists()


# Trust


def test_an_unknown_authority_is_trusted_only_by_its_file(folder, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())  # what is said by name counts more
    with authority.origin({"*": Reply(body=PNG)}) as origin:
        with refused(folder, NetworkError, "identity") as target:
            HTTPDownloader().download(content(origin.url("/a")), str(target))
        assert get(folder, content(origin.url("/a")), ca_file=authority.ca_file) == PNG


def test_a_wrong_name_is_refused_though_the_authority_is_known(folder, authority):
    with (
        authority.origin({"*": Reply(body=PNG)}, names=("other.example",)) as origin,
        refused(folder, NetworkError, "identity") as target,
    ):
        settings = Settings(ca_file=authority.ca_file)
        HTTPDownloader(settings=settings).download(content(origin.url("/a")), str(target))


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_any_certificate_is_taken_once_that_is_said(folder, authority):
    with authority.origin({"*": Reply(body=PNG)}) as origin:
        assert get(folder, content(origin.url("/a")), verify=False) == PNG


def test_a_certificate_of_ones_own_opens_the_door(folder, authority):
    with authority.origin({"*": Reply(body=PNG)}, client=True) as origin:
        with refused(folder, NetworkError, "/a") as target:
            settings = Settings(ca_file=authority.ca_file)
            HTTPDownloader(settings=settings).download(content(origin.url("/a")), str(target))
        made = content(origin.url("/a"))
        assert get(folder, made, ca_file=authority.ca_file, client_cert=authority.client_file) == PNG
        both = {"client_cert": authority.client_file, "client_key": authority.client_file}
        assert get(folder, made, ca_file=authority.ca_file, **both) == PNG


@pytest.mark.parametrize("texts", [{"ca"}, {"cert"}, {"key"}, {"cert", "key"}, {"ca", "cert", "key"}], ids=sorted)
def test_certificates_and_keys_may_be_texts(folder, authority, texts):
    """Each of the three, beside others that are files; the certificate with its key in the same text or not."""
    pem = authority.client_file.read_text()
    at = pem.index("-----BEGIN CERTIFICATE")
    given = {"ca": authority.ca_file.read_text(), "cert": pem[at:], "key": pem[:at]}
    names = {
        "ca": ("ca_file", "ca_data"),
        "cert": ("client_cert", "client_cert_data"),
        "key": ("client_key", "client_key_data"),
    }
    words: dict[str, Any] = {}
    for name, text in given.items():
        path = folder.parent / name
        path.write_text(text)
        words.update({names[name][1]: text} if name in texts else {names[name][0]: path})
    with authority.origin({"*": Reply(body=PNG)}, client=True) as origin:
        made = content(origin.url("/a"))
        assert get(folder, made, **words) == PNG
        if "cert" in texts:
            del words[names["key"][name in texts]]
            assert get(folder, made, **{**words, "client_cert_data": pem}) == PNG


def test_the_file_of_a_text_is_private_and_goes_with_all_that_need_it(authority, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "authority").mkdir()
    pem = authority.client_file.read_text()
    settings = Settings(ca_data=authority.ca_file.read_text(), client_cert_data=pem, client_key_data=pem)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert [path.stat().st_mode & 0o777 for path in files] == [0o600] * 3
    with Session() as session, authority.origin({"*": Reply(body="by session")}, client=True) as origin:
        session.allow_private = True
        assert dataclasses.asdict(settings)["_paths"] == copy.deepcopy(settings)._paths == settings._paths
        settings.set_on(session)
        del settings
        gc.collect()
        for _ in range(2):
            assert session.child(session.policy).fetch("GET", origin.url()).text == "by session"
    del session
    gc.collect()
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


PRIVATE = """
import os, sys, warnings
from qetch.downloaders import Settings
warnings.simplefilter("ignore", DeprecationWarning)
text = open(sys.argv[1]).read()
settings = Settings(client_cert_data=text)
path = settings.for_request()["cert"]
child = os.fork()
if child:
    os.waitpid(child, 0)
    assert os.path.exists(path)
    print(path)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_the_file_of_a_text_outlives_a_child_and_not_the_process(authority):
    command = [sys.executable, "-c", PRIVATE, str(authority.client_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().endswith(".pem")
    assert not Path(done.stdout.strip()).exists()


def test_a_text_that_cannot_be_put_into_a_file_is_said(authority, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FileError, match="no private file can be made"):
        Settings(ca_data=authority.ca_file.read_text())


# Timeouts, time, and other sessions


def test_a_host_that_does_not_answer_in_the_given_time_is_given_up(folder):
    with Origin({"*": Reply(body=PNG, drip=5)}) as origin, refused(folder, NetworkError, "in time") as target:
        HTTPDownloader(settings=Settings(read_timeout=0.1)).download(content(origin.url("/a")), str(target))


@pytest.mark.parametrize("body", [PNG, BIG], ids=["one answer", "parts"])
def test_a_file_gets_the_time_of_its_host_if_that_is_wanted(folder, body):
    with Origin({"*": ranged(body, {"Last-Modified": DATE})}) as origin:
        get(folder, content(origin.url("/a")), set_mtime=True)
        assert (folder / "file.bin").stat().st_mtime == MOMENT
        get(folder, content(origin.url("/a")))
        assert (folder / "file.bin").stat().st_mtime > MOMENT


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 01 Jan 1900 00:00:00 GMT", "Sun, 06 Nov 999999 08:49:37 GMT"])
def test_a_time_that_makes_no_sense_is_left_out(folder, date):
    with Origin({"*": Reply(headers={"Last-Modified": date}, body=PNG)}) as origin:
        assert get(folder, content(origin.url("/a")), set_mtime=True) == PNG
    assert (folder / "file.bin").stat().st_mtime > MOMENT


def test_the_last_time_of_its_fragments_is_that_of_a_file(folder):
    early = Reply(headers={"Last-Modified": "Sat, 05 Nov 1994 08:49:37 GMT"}, body=b"a")
    with Origin({"/b": Reply(headers={"Last-Modified": DATE}, body=b"b"), "*": early}) as origin:
        get(folder, content(*map(origin.url, ("/a", "/b", "/c"))), set_mtime=True)
    assert (folder / "file.bin").stat().st_mtime == MOMENT


def test_what_is_set_leaves_the_session_of_the_user_alone(folder, authority):
    with requests.Session() as session, authority.origin({"*": Reply(body=PNG)}) as origin:
        made = content(origin.url("/a"))
        assert get(folder, made, session, ca_file=authority.ca_file, proxies={"http": "http://127.0.0.1:1"}) == PNG
        assert (session.verify, session.cert, session.proxies) == (True, None, {})


def test_what_is_set_on_a_session_counts_more_than_the_environment(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Session() as session, Proxy() as proxy, Origin({"*": Reply(body="by proxy")}) as origin:
        Settings(proxies={"http": proxy.url()}, read_timeout=7).set_on(session)
        assert session.fetch("GET", f"http://api.example:{origin.port}/").text == "by proxy"
        assert session.timeout == (10.0, 7)
        assert session.child(session.policy).timeout == (10.0, 7)
