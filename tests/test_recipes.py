"""The recipes of the documentation: each of its example specs, run end to end against a server that plays its site."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

import pytest

import qetch.spec
from qetch.downloaders import HTTPDownloader
from qetch.errors import AuthenticationError, Gone
from qetch.extractors._spec import make_extractor
from qetch.session import Session
from qetch.tools.examples import cases, run
from tests.origin import Origin
from tests.origins import Detour, kites, lanterns, minerals, tides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qetch.content import Content
    from qetch.extractors import BaseExtractor

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLES = sorted((DOCS / "examples").glob("*.yaml"))
AUTH = {"minerals": (minerals.TOKEN,)}
BEST = {
    "minerals": {f"minerals-{number}-original": body for number, body in minerals.FILES.items()},
    "lanterns": {f"lanterns-{number}-original": body for number, body in lanterns.FILES.items()},
    "tides": {"tides-t-1-hd": tides.FILES["a1", "hd"], "tides-t-3-hd": tides.FILES["b2", "hd"]},
    "kites": {"kites-k7-1080p-4200k": kites.FILES["k7-1080-4200.mp4"]},
}
MAIN = {
    "minerals": "https://minerals.example/drawers/quartz",
    "lanterns": "https://lanterns.example/gallery/harbour?sort=new",
    "tides": "https://tides.example/pools/north-rocks",
    "kites": "https://kites.example/watch/k7",
}


@pytest.fixture
def origin(request: pytest.FixtureRequest) -> Iterator[Origin]:
    """The server of the site that the test is about."""
    name = (
        request.node.callspec.params["name"]
        if hasattr(request.node, "callspec")
        else request.function.__name__.split("_")[1]
    )
    with Origin(import_module(f"tests.origins.{name}").ROUTES) as origin:
        yield origin


def extractor(name: str, origin: Origin) -> BaseExtractor:
    made = make_extractor(qetch.spec.read(DOCS / "examples" / f"{name}.yaml"))()
    detour(made.session, origin)
    return made


def detour(session: Any, origin: Origin) -> None:
    for prefix in ("http://", "https://"):
        session.mount(prefix, Detour(origin))


def extract(name: str, origin: Origin, url: str = "", auth: tuple[str, ...] | None = None) -> list[list[Content]]:
    made = extractor(name, origin)
    with made.session:
        return list(made.extract(url or MAIN[name], auth=AUTH.get(name) if auth is None else auth))


def test_every_example_is_a_recipe_and_has_a_server() -> None:
    names = [file.stem for file in EXAMPLES]
    assert sorted(BEST) == sorted(MAIN) == names
    text = (DOCS / "recipes.md").read_text(encoding="utf-8")
    for name in names:
        assert f"<!-- made: example {name} -->" in text


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_has_no_problem_and_not_even_a_warning(file: Path) -> None:
    _, problems = qetch.spec.inspect(file, lint=True)
    assert problems == []


@pytest.mark.parametrize("name", BEST)
def test_its_examples_give_what_they_expect(name: str, origin: Origin) -> None:
    site = qetch.spec.read(DOCS / "examples" / f"{name}.yaml")
    ran = [run(case, extractor(name, origin), AUTH.get(name)) for case in cases(site)]
    assert [(result.case.example.url, result.problems) for result in ran if result.outcome != "passed"] == []
    assert all(result.case.example.expect for result in ran)


@pytest.mark.parametrize("name", BEST)
def test_the_best_of_everything_is_downloaded_whole(name: str, origin: Origin, tmp_path: Path) -> None:
    with Session() as session:
        detour(session, origin)
        downloader = HTTPDownloader(session)
        for content, *_ in extract(name, origin):
            downloader.download(content, tmp_path / content.uid)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == BEST[name]


def test_minerals_are_read_cursor_by_cursor(origin: Origin) -> None:
    lists = extract("minerals", origin)
    assert origin.paths == [
        f"/api.minerals.example/v2/drawers/quartz/photos?limit=2{after}" for after in ("", "&after=c-2", "&after=c-4")
    ]
    first, last = lists[0][0], lists[-1]
    assert first.description == "Found high up.\nPhoto 1 of 5."
    assert first.metadata == {"hardness": 7, "place": "a quarry"}
    assert [content.variant for content in last] == ["original"]


def test_minerals_want_a_token_which_goes_to_their_api_alone(origin: Origin, tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError):
        extract("minerals", origin, auth=())
    [[content, _]] = extract("minerals", origin, "https://minerals.example/photos/3")
    with Session() as session:
        detour(session, origin)
        HTTPDownloader(session).download(content, tmp_path / "3.png")
    sent = {request.path: request.headers.get("Authorization") for request in origin.requests}
    assert sent["/api.minerals.example/v2/photos/3"] == f"Bearer {minerals.TOKEN}"
    assert sent["/files.minerals.example/3.png"] is None


def test_lanterns_are_read_page_by_page_and_picture_by_picture(origin: Origin) -> None:
    lists = extract("lanterns", origin)
    assert [contents[0].title for contents in lists] == ["Lantern & moon", "Red lantern", "Blue lantern"]
    best = lists[0][0]
    assert best.description == "Folded paper,\none candle."
    assert best.uploaded_by == "ines"
    assert best.uploaded_date is not None
    assert best.uploaded_date.isoformat() == "2022-03-13T00:00:00+00:00"
    assert best.metadata == {"tags": ["paper", "light"]}
    with pytest.raises(Gone, match=r"This gallery was taken down\."):
        extract("lanterns", origin, "https://lanterns.example/gallery/burnt")


def test_tides_are_read_from_the_script_without_the_drafts(origin: Origin) -> None:
    lists = extract("tides", origin)
    assert [[content.uid for content in contents] for contents in lists] == [
        ["tides-t-1-hd", "tides-t-1-sd"],
        ["tides-t-3-hd", "tides-t-3-sd"],
    ]
    assert lists[0][0].size == len(tides.FILES["a1", "hd"])


def test_tides_in_one_script_of_several_are_read_as_the_recipe_says(origin: Origin, tmp_path: Path) -> None:
    text = (DOCS / "examples" / "tides.yaml").read_text(encoding="utf-8")
    [other] = re.findall(
        r"^  ```yaml\n(.*?)^  ```$", (DOCS / "recipes.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    file = tmp_path / "tides.yaml"
    file.write_text(
        re.sub(r"^    let: .*\n", lambda _: indent(dedent(other), " " * 4), text, flags=re.MULTILINE), "utf-8"
    )
    made = make_extractor(qetch.spec.read(file))()
    detour(made.session, origin)
    with made.session:
        lists = list(made.extract("https://tides.example/pools/south-rocks"))
    assert [contents[0].uid for contents in lists] == ["tides-t-1-hd", "tides-t-3-hd"]


def test_kites_are_ordered_by_their_rank_whatever_the_answer_says(origin: Origin) -> None:
    [contents] = extract("kites", origin)
    assert [(content.variant, content.quality) for content in contents] == [
        ("1080p-4200k", 1.0),
        ("720p-2600k", 0.75),
        ("720p-1800k", 0.5),
        ("360p-700k", 0.25),
    ]


def test_kites_named_by_their_height_alone_lose_the_worse_of_one_height_and_say_so(
    origin: Origin, tmp_path: Path
) -> None:
    text = (DOCS / "examples" / "kites.yaml").read_text(encoding="utf-8")
    file = tmp_path / "kites.yaml"
    file.write_text(text.replace("{height}p-{bitrate}k", "{height}p").replace(", bitrate: bitrate", ""), "utf-8")
    made = make_extractor(qetch.spec.read(file))()
    detour(made.session, origin)
    with made.session:
        [contents] = made.extract(MAIN["kites"])
    assert [content.variant for content in contents] == ["1080p", "720p", "360p"]
    assert contents[1].size == len(kites.FILES["k7-720-2600.mp4"])
    assert ["two files are named '720p'" in str(skip) for skip in made.skipped] == [True]
