"""A site on an IPv6 address is one like others: its brackets are read wherever a host may stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qetch.auth import AuthRegistry
from qetch.extractors.registry import Registry
from qetch.spec import inspect, read
from tests.origin import Origin, Reply

if TYPE_CHECKING:
    from pathlib import Path

SPEC = r"""qetch: 1
name: birds
description: A site for tests.
domains: ["[::1]"]
request: {as: json, base: "http://[::1]:8080/"}
handles:
  bird:
    match: '^http://\[::1\](?::\d+)?/b/(?P<id>\d+)$'
    examples: ["http://[::1]:8080/b/7"]
    get: "api/{id}"
    content: {uid: id, url: link}
"""
BIRD = Reply(headers={"Content-Type": "application/json"}, body=b'{"id": 7, "link": "/7.png"}')


def problems(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    text = SPEC
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    file = tmp_path / "birds.yaml"
    file.write_text(text)
    return [str(problem) for problem in inspect(file, "x.yaml", lint=True)[1]]


@pytest.fixture
def origin() -> Origin:
    try:
        return Origin({"/api/7": BIRD}, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")


@pytest.mark.parametrize(
    ("hosts", "base"),
    [
        ('domains: ["[::1]"]', "http://[::1]:{port}/"),
        ('domains: ["[0:0::1]"]', "http://{{host}}/"),
        ('domains: [birds.example]\ninstances: {{"[::1]": {{}}}}', "http://{{host}}/"),
        (
            'domains: [birds.example]\ninstances: {{"[::1]": {{base: "http://[::1]:{port}/"}}}}',
            "https://birds.example/",
        ),
    ],
)
def test_its_pages_are_found_and_read(tmp_path: Path, origin: Origin, hosts: str, base: str) -> None:
    with origin:
        hosts, base = hosts.format(port=origin.port), base.format(port=origin.port)
        assert problems(tmp_path, ('domains: ["[::1]"]', hosts), ('http://[::1]:8080/"}', base + '"}')) == []
        registry = Registry([tmp_path], tmp_path / "cache")
        match = registry.match(origin.url("/b/7"))
        assert match is not None
        assert (match.entry.name, match.handle) == ("birds", "bird")
        extractor = registry.find(origin.url("/b/7"))()
        extractor.session.allow_private = True
        [[content]] = extractor.extract(origin.url("/b/7"))
        assert content.fragments == [origin.url("/7.png")]
    assert origin.paths == ["/api/7"]


def test_credentials_go_there(tmp_path: Path, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AuthRegistry(), "birds", "a-long-secret")
    auth = '}\nauth: {kind: key, domains: ["[::1]"], headers: {X-Key: "{key}"}}\nhandles'
    with origin:
        assert problems(tmp_path, ("}\nhandles", auth), (":8080", f":{origin.port}")) == []
        extractor = Registry([tmp_path], tmp_path / "cache").find(origin.url("/b/7"))()
        extractor.session.allow_private = True
        assert len(list(extractor.extract(origin.url("/b/7")))) == 1
    assert [request.headers["X-Key"] for request in origin.requests] == ["a-long-secret"]


def test_a_site_has_it_as_requests_compare_it(tmp_path: Path) -> None:
    hosts = 'domains: ["[2001:db8:0::1]"]\ninstances: {"[0:0::1]": {}}'
    assert problems(tmp_path, ('domains: ["[::1]"]', hosts)) == []
    site = read(tmp_path / "birds.yaml")
    assert site.domains == ("2001:db8::1",)
    assert list(site.instances) == ["::1"]
    assert site.hosts == {"::1"}


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        ('domains: ["[::1]"]', 'domains: ["[1:2]", "[::1]"]', "x.yaml:4:11: [1:2] is no IPv6 address"),
        ('domains: ["[::1]"]', 'domains: ["[fe80::1%eth0]", "[::1]"]', 'x.yaml:4:11: bad domains "[fe80::1%eth0]" - '),
        ('domains: ["[::1]"]', 'domains: ["[::1]"]\ninstances: {"[1:2]": {}}', "x.yaml:5:13: [1:2] is no IPv6 address"),
        ('http://[::1]:8080/"}', 'http://[1:2]/"}', "x.yaml:5:27: [1:2] is no IPv6 address"),
        ('domains: ["[::1]"]', 'domains: ["[::2]"]', "x.yaml:9:16: the example's host is not in `domains` - add it"),
    ],
)
def test_a_bad_one_and_one_of_no_site_are_errors(tmp_path: Path, before: str, after: str, wrong: str) -> None:
    assert any(found.startswith(wrong) for found in problems(tmp_path, (before, after)))


def test_requests_to_another_one_are_a_warning(tmp_path: Path) -> None:
    [found] = problems(tmp_path, ('api/{id}"', 'http://[::2]/{id}"'))
    assert found.startswith('x.yaml:10:10: requests go to "::2", which is not in `domains`')
