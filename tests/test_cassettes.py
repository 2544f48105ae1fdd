"""The cassettes: composed, loadable by both readers, right about their own files, and free of secrets."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import yaml

from qetch.spec import read
from tests.make_media import CASSETTES, MEDIA, cassette

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(CASSETTES.glob("*/*.yaml"))
EVERY_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")


def hosts_of(site_name: str) -> set[str]:
    site = read(CASSETTES.parents[1] / "sites" / f"{site_name}.yaml")
    return {*site.domains, *site.hosts}


def interactions(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]
    return found


def answers(site: str) -> list[Any]:
    """Every JSON answer of a site's cassettes."""
    found = []
    for path in sorted((CASSETTES / site).glob("*.yaml")):
        for interaction in interactions(path):
            try:
                found.append(json.loads(interaction["response"]["body"]["string"]))
            except ValueError:
                continue  # media, web pages and broken answers
    return found


def objects(value: object) -> list[dict[str, Any]]:
    """Every JSON object at any depth."""
    if isinstance(value, list):
        return [found for item in value for found in objects(item)]
    if isinstance(value, dict):
        return [value, *objects(list(value.values()))]
    return []


def same_file(url: str, site: str, size: object, md5: str | None = None) -> bool:
    """Whether the file is in the cassettes; if so, asserts that it is as the answer says."""
    data = MEDIA[site].get(url.replace("http:", "https:"))
    if data is None:
        return False
    assert int(float(str(size))) == len(data), url
    if md5 is not None:
        assert base64.b64decode(md5) == hashlib.md5(data).digest(), url
    return True


@EVERY_FILE
def test_a_cassette_says_at_its_top_that_it_is_composed(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# Composed in the documented shape")


@EVERY_FILE
def test_a_cassette_loads_safely(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["version"] == 1
    assert document["interactions"]


@EVERY_FILE
def test_a_cassette_loads_by_vcrpy(path: Path) -> None:
    from vcr.cassette import Cassette

    loaded = Cassette.load(path=path, allow_playback_repeats=True)
    assert len(loaded) == len(interactions(path))
    assert all(isinstance(response["body"]["string"], bytes) for response in loaded.responses)


@EVERY_FILE
def test_a_cassette_asks_only_hosts_of_its_site(path: Path) -> None:
    for interaction in interactions(path):
        address = urlsplit(interaction["request"]["uri"])
        assert address.scheme == "https"
        host = f".{address.hostname}"
        assert any(host.endswith(f".{own}") for own in hosts_of(path.parent.name)), host


@EVERY_FILE
def test_a_cassette_holds_no_secrets(path: Path) -> None:
    for interaction in interactions(path):
        assert interaction["request"]["headers"] == {}
        assert not {"set-cookie"} & {name.lower() for name in interaction["response"]["headers"]}
        assert not re.search(r"key=|token=|secret=|signature=", interaction["request"]["uri"])
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"Client-ID|Bearer|access_token|client_secret\b|@[\w-]+\.[a-z]{2,}", text)


@EVERY_FILE
def test_a_request_is_answered_in_one_cassette_only(path: Path) -> None:
    own = {interaction["request"]["uri"] for interaction in interactions(path)}
    for other in FILES:
        if other != path:
            assert not own & {interaction["request"]["uri"] for interaction in interactions(other)}


@pytest.mark.parametrize("site", MEDIA)
def test_the_media_are_those_that_the_script_makes(site: str) -> None:
    assert (CASSETTES / site / "media.yaml").read_text(encoding="utf-8") == cassette(MEDIA[site])


def test_no_file_is_large() -> None:
    assert all(len(data) < 2000 for files in MEDIA.values() for data in files.values())


def test_sizes_and_checksums_of_4chan_are_those_of_the_files() -> None:
    checked = 0
    for post in objects(answers("4chan")):
        if "ext" in post:
            flash = post["ext"] == ".swf"
            stem = quote(post["filename"].replace("&amp;", "&")) if flash else post.get("tim")
            url = f"https://i.4cdn.org/{'f' if flash else 'po'}/{stem}{post['ext']}"
            checked += same_file(url, "4chan", post["fsize"], post["md5"])
    assert checked >= 7


def test_sizes_of_imgur_are_those_of_the_files() -> None:
    checked = 0
    for image in objects(answers("imgur")):
        if "size" in image and f"/{image['id']}." in image["link"]:
            checked += same_file(image["link"], "imgur", image["size"])
        if image.get("mp4_size"):
            checked += same_file(image["mp4"], "imgur", image["mp4_size"])
    assert checked >= 15


def test_sizes_of_gfycat_are_those_of_the_files() -> None:
    checked = 0
    for item in objects(answers("gfycat")):
        for form in ("mp4", "webm", "gif"):
            if "giant" in item.get(f"{form}Url", ""):
                checked += same_file(item[f"{form}Url"], "gfycat", item[f"{form}Size"])
    assert checked >= 5
