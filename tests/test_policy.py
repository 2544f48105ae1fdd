"""Which hosts a URL names, and which of them may be asked."""

from __future__ import annotations

import pytest
import requests

from qetch import errors
from qetch.policy import Policy, is_public, target_of
from qetch.session import Session, mount_replay
from tests.sessions import HERE, Recorder, plain_environment


@pytest.fixture(autouse=True)
def _plain(monkeypatch, tmp_path):
    plain_environment(monkeypatch, tmp_path)


@pytest.fixture
def session():
    with Session(HERE) as made:
        yield made


@pytest.mark.parametrize(
    "url",
    [
        r"https://evil.example\.good.example/",
        "https://evil.example#.good.example/",
        "https://evil.example/.good.example",
        "https://notgood.example/",
        "https://good.example.evil.example/",
        "https://good.example%2eevil.example/",
        "https://127.0.0.1/",
        "https://good.exampl\u1d49.evil.example/",
    ],
)
def test_only_declared_domains_are_asked(url):
    recorder = Recorder()
    with Session(Policy(name="good", anywhere=False, domains=("good.example",))) as session:
        mount_replay(session, recorder)
        with pytest.raises((errors.HostRefused, errors.InvalidURL)):
            session.fetch("GET", url)
        prepared = requests.Request("GET", "https://good.example/").prepare()
        prepared.url = url  # nobody looked at this URL before it is sent
        with pytest.raises((errors.HostRefused, errors.InvalidURL)):
            session.send(prepared)
    assert not recorder.seen


@pytest.mark.parametrize(
    "host", ["good.example", "www.good.example", "GOOD.example", "good.example.", "good.example:8443"]
)
def test_declared_domains_cover_their_subdomains_at_label_borders(host):
    recorder = Recorder()
    with Session(Policy(anywhere=False, domains=("Good.example",))) as session:
        mount_replay(session, recorder)
        assert session.fetch("GET", f"https://{host}/").text == "recorded"


@pytest.mark.parametrize(
    "url",
    [
        "https://me@good.example/",
        "https://me:pw@good.example/",
        "https://:@good.example/",
        "ftp://good.example/",
        "good.example/x",
        "mailto:a@good.example",
        "https:///x",
        "https://",
        "https://[::1",
        "",
        "https://a..example/",
        "https://good.example:0x50/",
        "https://good.example:99999/",
        "https://-\x00/",
        "https://[fe80::1%25eth0]/",
        "https://*.good.example/",
    ],
)
def test_what_is_no_fetchable_url_is_refused(url):
    recorder = Recorder()
    with Session() as session:
        mount_replay(session, recorder)
        with pytest.raises(errors.InvalidURL) as caught:
            session.fetch("GET", url)
    assert not recorder.seen
    assert "pw" not in str(caught.value)


def test_public_addresses_are_public():
    assert all(map(is_public, ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]))


def test_an_exact_host_may_come_with_its_port():
    target = target_of("http://[::1]:8080/")
    assert target.is_in({"::1:8080"})
    assert target.is_in({"::1"})
    assert not target.is_in({"::1:80"})
    assert target_of("https://a.example/").is_in({"A.example:443"})
