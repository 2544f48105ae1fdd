"""The documentation: it builds without a warning, has all that is public, and what it shows works."""

from __future__ import annotations

import doctest
import inspect
import os
import re
import runpy
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import qetch.auth
import qetch.client
import qetch.downloaders
import qetch.errors
import qetch.extractors
import qetch.history
import qetch.session
import qetch.spec
from qetch.cli import COMMANDS
from qetch.spec.load import load
from qetch.spec.words import named, words
from tests.origin import Origin, Reply, Request

if TYPE_CHECKING:
    from types import ModuleType

    from qetch.spec.words import Word

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
PUBLIC: list[tuple[ModuleType, list[str]]] = [
    (qetch, ["get_extractor", "get_downloader", "fetch", "extract", "download"]),
    (qetch.client, qetch.client.__all__),
    (qetch.history, ["History"]),
    (qetch.extractors, qetch.extractors.__all__),
    (qetch.downloaders, qetch.downloaders.__all__),
    (qetch.errors, [name for name, member in vars(qetch.errors).items() if inspect.isclass(member)]),
    (qetch.session, qetch.session.__all__),
    (qetch.auth, ["AuthTypes", "AuthRegistry", "load_saved", "save", "saved", "forget"]),
]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def language_blocks(language: str) -> list[tuple[Path, str]]:
    return [(page, block) for page in PAGES for block in blocks(page, language)]


def test_it_builds_without_a_warning_and_has_all_that_is_public(tmp_path: Path) -> None:
    pages = build(tmp_path)
    assert [word.key for word in words().values() if not is_explained(word, pages["reference"])] == []
    public = [f"{module.__name__}.{name}" for module, names in PUBLIC for name in names]
    assert [name for name in public if f'id="{name}"' not in pages["library"]] == []
    sites = [file.stem for file in (ROOT / "sites").glob("*.yaml")]
    assert [name for name in sites if f'id="site-{name}"' not in pages["sites"]] == []
    assert [name for name in COMMANDS if f"usage: qetch {name}" not in pages["command-line"]] == []
    for text in pages.values():  # nothing of this machine
        assert str(ROOT) not in text
        assert f"{Path.home()}/" not in text.replace("/home/you", "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_made_of_the_schema_and_the_like_is_current(page: Path) -> None:
    renewed = runpy.run_path(str(DOCS / "generate.py"))["renewed"]
    text = page.read_text(encoding="utf-8")
    assert text == renewed(text), "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_can_be_read_as_it_is(page: Path) -> None:
    """Without Sphinx: comments aside it is Markdown, and its links lead to files, headings and anchors."""
    seen = visible(page)
    assert re.findall(r"^(?:`{3,}\{.*|:::.*|\([\w-]+\)=|<<.*)$", seen, re.MULTILINE) == []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```$", "", seen, flags=re.MULTILINE | re.DOTALL)):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            other = page.parent / path if path else page
            assert other.exists(), target
            assert not anchor or anchor in anchors(visible(other)), target


def visible(page: Path) -> str:
    """A page without its comments."""
    return re.sub(r"^<!--.*?-->$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """What a link may say after `#`."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'^<a id="([\w-]+)"></a>$', text, re.MULTILINE))


def build(folder: Path) -> dict[str, str]:
    """The built pages by their names."""
    html = folder / "html"
    options = ["-W", "--keep-going", "-q", "-d", str(folder / "trees")]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(html)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    return {page.stem: page.read_text(encoding="utf-8") for page in html.glob("*.html")}


def is_explained(word: Word, page: str) -> bool:
    """Whether a word has its anchor on the page, and its description as it is in the schema."""
    _, _, entry = page.partition(f'id="word-{re.sub(r"[._]", "-", word.key)}"')
    text = unescape(re.sub(r"<[^>]+>", "", entry[:3000])).translate(str.maketrans("’“”", '\'""'))
    return word.description.replace("`", "") in text


def test_the_examples_of_the_library_guide_do_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("qetch.extractors._common.hand_written", [])
    monkeypatch.setattr("qetch.auth.AuthRegistry._instances", {})
    text = "\n\n".join(blocks(DOCS / "library.md", "pycon"))
    examples = doctest.DocTestParser().get_doctest(text, {"folder": tmp_path}, "library.md", "library.md", 0)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(examples, out=said.append, clear_globs=False)
    for name in ("extractor", "downloader"):
        examples.globs[name].session.close()
    assert runner.failures == 0, "".join(said)
    assert runner.tries > 10


def programs() -> list[tuple[Path, str]]:
    return [(page, block) for page, block in language_blocks("python") if page.stem in ("client", "coming-from")]


@pytest.mark.parametrize(("page", "program"), programs(), ids=lambda part: getattr(part, "stem", ""))
def test_a_program_in_the_pages_downloads_what_it_says(page: Path, program: str, tmp_path: Path) -> None:
    del page
    with Origin({"*": _file}) as origin:
        variables = {
            **os.environ,
            "http_proxy": origin.url(),
            "no_proxy": "",
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path),
        }
        command = [sys.executable, "-W", "error", "-c", program]
        run = subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=60, check=False
        )
        asked = {request.path.rpartition("/")[2] for request in origin.requests}
    assert (run.returncode, run.stderr) == (0, "")
    named = set(re.findall(r"http://files\.example/([a-zA-Z0-9]+\.\w+)", program)) - {"missing.bin"}
    assert named <= asked
    assert {path.name for path in tmp_path.rglob("*.bin")} <= named


def _file(request: Request) -> Reply:
    """A file at every address, except one: asked by a program for which every name leads here."""
    return Reply(404) if "missing" in request.path else Reply(body=request.path.encode() * 1000)


@pytest.mark.parametrize(("page", "block"), language_blocks("yaml"), ids=lambda part: getattr(part, "stem", ""))
def test_yaml_in_the_pages_is_right(page: Path, block: str, tmp_path: Path) -> None:
    if "\nqetch: 1" not in block:
        assert load("x.yaml", block.encode()).data if not block.startswith("#") else True
        return
    file = tmp_path / "site.yaml"
    file.write_text(block, encoding="utf-8")
    assert [str(problem) for problem in qetch.spec.inspect(file, lint=True)[1]] == []


def test_the_commands_in_the_pages_exist() -> None:
    shown = set()
    for page in PAGES:
        code = "\n".join([*blocks(page, "sh"), *re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))])
        shown |= set(re.findall(r"(?:^|/)qetch ([a-z]+)\b", code, re.MULTILINE))
    assert shown == set(COMMANDS)


def test_the_words_that_the_pages_ask_for_exist() -> None:
    asked = [
        word
        for page, block in language_blocks("sh")
        for line in re.findall(r"^qetch schema ([a-z][\w. ]*)", block, re.MULTILINE)
        for word in line.split()
    ]
    assert asked
    assert all(named(word) for word in asked)


def test_the_message_that_the_first_site_shows_is_what_the_check_says(tmp_path: Path) -> None:
    page = DOCS / "first-site.md"
    whole = next(block for block in blocks(page, "yaml") if "\nqetch: 1" in block)
    file = tmp_path / "minerals.yaml"
    file.write_text(whole.replace("title: name", "titel: name"), encoding="utf-8")
    [problem] = qetch.spec.inspect(file, "minerals.yaml")[1]
    assert f"`{problem}`" in page.read_text(encoding="utf-8").replace("\n", " ")


def test_the_whole_content_of_the_first_site_is_that_of_the_recipe() -> None:
    recipe = yaml.safe_load((DOCS / "examples" / "minerals.yaml").read_text(encoding="utf-8"))
    content = recipe["handles"]["drawer"]["each"]["content"]
    assert content in [yaml.safe_load(block) for block in blocks(DOCS / "first-site.md", "yaml")]


def test_the_pre_commit_hook_for_others_runs_validate_on_their_site_files() -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] in (DOCS / "editors.md").read_text(encoding="utf-8")
    assert hook["entry"].split() == ["qetch", "validate"]
    chosen = [path for path in ("sites/a.yaml", "my/sites/a.yaml", "websites/a.yaml") if re.search(hook["files"], path)]
    assert chosen == ["sites/a.yaml", "my/sites/a.yaml"]
