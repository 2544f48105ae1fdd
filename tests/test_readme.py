"""The README: what it shows is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import qetch.spec
from qetch.cli import COMMANDS
from qetch.cli.usage import WHO_MUST_ACT
from qetch.errors import RateLimited
from qetch.extractors._spec import make_extractor
from qetch.replay import ReplayAdapter
from qetch.session import mount_replay

ROOT = Path(__file__).parent.parent
PAPERS = sorted(ROOT.glob("*.md"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIRD = {
    "status": "ok",
    "pictures": [
        {"id": "a", "title": "Heron", "text": "<p>Start with a <b>square</b>.</p>", "author": {"name": "mira"},
         "created": "2024-05-06T07:08:09Z", "small": {"url": "https://img.paperbirds.example/a-s.png"},
         "original": {"url": "https://img.paperbirds.example/a.png", "bytes": 7, "sha256": "0" * 64}},
        {"id": "b", "deleted": True},
        {"id": "c", "title": "", "name": "Wing", "original": {"url": "https://img.paperbirds.example/c.png"}},
    ],
}  # fmt: skip
ANSWERS = {
    "birds/42": BIRD,
    "folders/mira?page=1": {"birds": [{"link": "https://paperbirds.example/b/42/heron"}]},
    "folders/mira?page=2": {"birds": []},
    "folders/busy?page=1": {"status": "busy"},
}


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """What a link to a heading says after `#`."""
    return {
        re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (text,) = blocks("yaml")
    file = tmp_path / "paperbirds.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def extracted(spec: Path, url: str) -> list[list[str]]:
    """The uids of all lists of a URL, by the README's spec from the answers above."""
    base = "https://api.paperbirds.example/v1/"
    interactions = [
        {
            "request": {"method": "GET", "uri": base + path, "body": None, "headers": {}},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Type": ["application/json"]},
                "body": {"string": json.dumps(answer)},
            },
        }
        for path, answer in ANSWERS.items()
    ]
    cassettes = spec.parent / "cassettes"
    cassettes.mkdir()
    (cassettes / "api.yaml").write_text(json.dumps({"interactions": interactions, "version": 1}))
    extractor = make_extractor(qetch.spec.read(spec))()
    mount_replay(extractor.session, ReplayAdapter(cassettes))
    return [[content.uid for content in contents] for contents in extractor.extract(url)]


def test_the_first_two_sh_blocks_are_one_line_each() -> None:
    first, second = blocks("sh")[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert "qetch get" in first
    assert "--replay tests/cassettes" in first
    assert "pytest" in second


def test_the_spec_has_no_problems(spec: Path) -> None:
    site, problems = qetch.spec.inspect(spec)
    assert [str(problem) for problem in problems] == []
    assert site is not None


def test_the_spec_extracts_what_its_comments_say(spec: Path) -> None:
    assert extracted(spec, "https://paperbirds.example/f/mira") == [
        ["paperbirds-a-original", "paperbirds-a-small"],
        ["paperbirds-c-original"],
    ]


def test_the_rule_of_the_spec_holds(spec: Path) -> None:
    with pytest.raises(RateLimited):
        extracted(spec, "https://paperbirds.example/f/busy")


def test_every_python_block_compiles() -> None:
    found = blocks("python")
    assert found
    for block in found:
        compile(block, "README.md", "exec")


def test_every_command_that_is_shown_exists_and_every_command_is_shown() -> None:
    code = "\n".join([*blocks("sh"), *re.findall(r"`([^`\n]+)`", README)])
    shown = set(re.findall(r"(?:^|/)qetch ([a-z]+)\b", code, re.MULTILINE))
    assert shown == set(COMMANDS)


def test_the_exit_codes_are_those_of_the_command() -> None:
    shown = dict(re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE))
    assert {str(branch.exit_code) for branch in WHO_MUST_ACT} | {"0", "1", "2", "130"} == set(shown)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_every_link_to_a_file_or_a_heading_leads_somewhere(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            path, _, heading = target.partition("#")
            assert (ROOT / path).exists(), target
            assert not heading or heading in anchors((ROOT / path if path else paper).read_text()), target
