"""`qetch test`: examples are run from cassettes alone, or live, and what differs is said field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from qetch.content import Content
from qetch.errors import UserError
from qetch.extractors.generic import GenericExtractor
from qetch.spec import read
from qetch.tools.examples import ask, cases, line, play
from qetch.tools.expectations import differences
from qetch.tools.spec_files import cassettes_for, cassettes_to_write, is_spec, spec_files
from tests.engine_help import PICTURES, pictures, site_text
from tests.origin import Origin, Reply
from tests.shell import CASSETTES, ROOT, make_shell

if TYPE_CHECKING:
    from pathlib import Path

    from qetch.tools.examples import Result
    from tests.shell import Shell

BEGINS = " - write all of it, or 're:^…' for how it begins"
EXAMPLE = 'examples: ["https://little.example/a/cats"]'


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


def expecting(shell: Shell, expect: str, album: str = "cats") -> None:
    """Lets the example of the little site be another album, and expect something."""
    file = shell.home / "sites" / "little.yaml"
    example = f'examples: [{{url: "https://little.example/a/{album}", expect: {expect}}}]'
    file.write_text(file.read_text().replace(EXAMPLE, example))


def played(shell: Shell) -> Result:
    """What the example of the little site comes to."""
    (case,) = cases(read(shell.home / "sites" / "little.yaml"))
    return play(case, shell.home / "cassettes")


# --- what is expected of items


def content(variant: str = "full", **words: Any) -> Content:
    words = {
        "title": "Heron", "extension": "png", "quality": 1.0, "uploaded_by": None, "size": 7, "variant": variant,
        "uploaded_date": datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), "checksums": {"md5": "00ff"}, **words,
    }  # fmt: skip
    metadata = {"views": 57, "tags": ["a", "b"], "ok": True, "none": None}
    return Content(
        "here-1", "https://a.example/", ["https://f.example/1.png"], GenericExtractor(), metadata=metadata, **words
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Heron"}, {"title": "re:^He"}, {"title": "re:ron$"}, {"uploaded_by": None}, {"size": 7},
        {"size": "re:."}, {"size": "re:^7$"}, {"quality": 1.0}, {"quality": 1}, {"url": "https://f.example/1.png"},
        {"fragments": 1}, {"variant": "full"}, {"variants": ["full", "small"]}, {"checksum": {"md5": "00ff"}},
        {"uploaded_date": "2024-05-06T07:08:09Z"}, {"uploaded_date": "2024-05-06T09:08:09+02:00"},
        {"uploaded_date": "re:^2024-"}, {"metadata": {"views": 57, "tags": ["a", "b"], "ok": True, "none": None}},
        {"metadata": {"tags": "re:a"}}, {"metadata": {"absent": None}}, {"uid": "here-1"}, {"extension": "re:^(png|jpg)$"},
        {"playlist": None}, {"description": None},
    ],
)  # fmt: skip
def test_a_field_that_is_as_expected_is_no_difference(fields: dict[str, Any]) -> None:
    assert (
        differences({"count": 1, "first": fields, "last": fields, "each": fields}, [[content(), content("small")]])
        == []
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"title": "heron"}, 'first.title: expected "heron", found "Heron"'),
        ({"title": "re:^ron"}, 'first.title: expected a match of "re:^ron", found "Heron"'),
        ({"title": None}, 'first.title: expected null, found "Heron"'),
        ({"uploaded_by": "re:."}, 'first.uploaded_by: expected a match of "re:.", found null'),
        ({"size": "7"}, 'first.size: expected the text "7", found the number 7'),
        ({"fragments": 2}, "first.fragments: expected 2, found 1"),
        ({"variants": "full"}, 'first.variants: expected ["full"], found ["full", "small"]'),
        ({"variants": ["small", "full"]}, 'first.variants: expected ["small", "full"], found ["full", "small"]'),
        ({"checksum": {"sha1": "0"}}, 'first.checksum.sha1: expected "0", found no such key - known here: md5'),
        ({"headers": {"Referer": "x"}}, 'first.headers.Referer: expected "x", found no such key - known here: none'),
        ({"metadata": {"views": "re:^6"}}, 'first.metadata.views: expected a match of "re:^6", found 57'),
        ({"metadata": {"ok": 1}}, "first.metadata.ok: expected the number 1, found the truth value true"),
        ({"metadata": {"views": ["57"]}}, 'first.metadata.views: expected the list ["57"], found the number 57'),
        ({"metadata": {"none": 0}}, "first.metadata.none: expected 0, found null"),
        ({"metadata": {"tags": ["a"]}}, 'first.metadata.tags: expected ["a"], found ["a", "b"]'),
        (
            {"uploaded_date": "2024-05-06T07:08:09"},
            f'first.uploaded_date: expected "2024-05-06T07:08:09", found "2024-05-06T07:08:09+00:00"{BEGINS}',
        ),
        ({"title": "He"}, f'first.title: expected "He", found "Heron"{BEGINS}'),
    ],
)
def test_a_field_that_differs_is_shown_with_both_values(fields: dict[str, Any], text: str) -> None:
    assert list(map(str, differences({"first": fields}, [[content(), content("small")]]))) == [text]


def test_a_long_text_is_shown_where_it_differs() -> None:
    wanted = "a" * 200 + "b" + "a" * 200
    (difference,) = differences({"first": {"title": wanted}}, [[content(title="a" * 500)]])
    assert difference.found == "…" + "a" * 100 + "…"
    (difference,) = differences({"first": {"title": "x"}}, [[content(title="\x1b[2J\n")]])
    assert difference.found == '"\\u001b[2J\\n"'


def test_the_number_of_items_is_exact_or_a_least_one() -> None:
    one = [[content()]]
    assert list(map(str, differences({"count": 2}, one))) == ["count: expected 2, found 1"]
    assert list(map(str, differences({"at_least": 2}, one))) == ["count: expected at least 2, found 1"]
    assert differences({"at_least": 1}, one) == []
    assert differences({"count": 0}, []) == []
    assert list(map(str, differences({}, []))) == ["count: expected at least 1, found 0"]
    assert list(map(str, differences({"count": 0, "first": {"title": "a"}}, []))) == [
        "first: expected an item, found none"
    ]


def test_of_many_items_that_differ_the_first_few_are_told() -> None:
    lists = [[content(size=number)] for number in range(10)]
    told = list(map(str, differences({"each": {"size": 1}}, lists)))
    assert told[0] == "each (item 1 of 10).size: expected 1, found 0"
    assert [text.split(")")[0] for text in told] == ["each (item 1 of 10", "each (item 3 of 10", "each (item 4 of 10"]


# --- from cassettes


def test_an_example_that_gives_what_it_expects_passes(shell: Shell) -> None:
    expecting(shell, "{count: 2, first: {title: A cat, variants: [full]}, last: {variants: [full, small]}}")
    assert played(shell).outcome == "passed"


def test_an_example_may_expect_an_error(shell: Shell) -> None:
    expecting(shell, "{error: not_found}", "missing")
    assert played(shell).outcome == "passed"


@pytest.mark.parametrize(
    ("expect", "album", "problem"),
    [
        ("{error: gone}", "missing", "error: expected gone, found not_found: "),
        ("{error: gone}", "cats", "error: expected gone, found no error, but 2 items"),
        ("{count: 1}", "secret", "ended in forbidden: "),
        ("{count: 1}", "changed", "ended in LayoutChanged: "),
        ("{count: 1}", "none", "count: expected 1, found 0"),
        ("{count: 1}", "unrecorded", "ended in ReplayMiss: no record in "),
    ],
)
def test_an_example_fails_when_it_ends_otherwise(shell: Shell, expect: str, album: str, problem: str) -> None:
    expecting(shell, expect, album)
    (found,) = played(shell).problems
    assert found.startswith(problem)


def test_an_example_without_cassettes_asks_nobody_and_says_what_to_do(shell: Shell) -> None:
    (case,) = cases(read(shell.home / "sites" / "little.yaml"))
    (problem,) = play(case, None).problems
    assert "there are no records, so none answers GET https://api.little.example/albums/cats" in problem
    assert f"qetch record {shell.home}/sites/little.yaml" in problem


def test_an_answer_that_is_missing_is_added_in_the_way_of_the_others(shell: Shell) -> None:
    expecting(shell, "{count: 1}", "unrecorded")
    file = shell.home / "sites" / "little.yaml"
    (problem,) = played(shell).problems
    assert problem.endswith(f" - add the answer to the cassettes: qetch record {file}")
    (shell.home / "cassettes" / "all.yaml").rename(shell.home / "cassettes" / "saved.yaml")
    (problem,) = played(shell).problems
    cure = (
        f"save that answer too, as HOST/PATH or named in answers.yaml, and repeat: qetch record {file} --from-dir DIR"
    )
    assert problem.endswith(f" - {cure}")


def test_every_example_of_the_packaged_sites_passes() -> None:
    results = [
        play(case, CASSETTES / file.stem)
        for file in sorted((ROOT / "sites").glob("*.yaml"))
        for case in cases(read(file))
    ]
    assert [result.problems for result in results if result.outcome != "passed"] == []
    assert [result.case.number for result in results if result.case.site.name == "4chan"] == list(range(1, 12))


# --- live


def live(folder: Path, routes: dict[str, Any], expect: str = "{count: 1}", top: str = "") -> tuple[Result, list[str]]:
    """An example that is asked of a server here, and what that was asked."""
    with Origin(routes) as origin:
        text = site_text(origin, f'get: "a"\n{PICTURES}', top=top)
        example = f'{{url: "{origin.url("/start")}", expect: {expect}}}'
        (folder / "here.yaml").write_text(text.replace('["http://127.0.0.1/start"]', f"[{example}]"))
        (case,) = cases(read(folder / "here.yaml"))
        return ask(case, allow_private=True), origin.paths


def test_a_live_run_asks_the_site(tmp_path: Path) -> None:
    result, paths = live(tmp_path, {"/a": pictures(1)})
    assert (result.outcome, paths) == ("passed", ["/a"])
    result, _ = live(tmp_path, {"/a": pictures(1, 2)})
    assert result.problems == ["count: expected 1, found 2"]
    result, _ = live(tmp_path, {"/a": Reply(404)}, "{error: not_found}")
    assert result.outcome == "passed"


def test_a_live_run_passes_over_what_is_dead_or_wants_credentials_that_are_not_there(tmp_path: Path) -> None:
    result, paths = live(tmp_path, {"/a": pictures(1)}, top="status: dead\nnote: closed on 2023-09-01")
    assert (result.outcome, result.problems, paths) == ("skipped", ["not asked: closed on 2023-09-01"], [])
    result, paths = live(tmp_path, {"/a": pictures(1)}, top="auth: {kind: key, query: {k: '{key}'}}")
    assert (result.outcome, paths) == ("skipped", [])
    (problem,) = result.problems
    assert problem.startswith("no credentials: here wants a key: run `qetch auth add here --sites ")
    result, _ = live(tmp_path, {"/a": Reply(401)})
    assert result.outcome == "failed"


# --- which files


def test_a_spec_is_known_by_its_beginning(tmp_path: Path) -> None:
    for number, (text, known) in enumerate(
        [("qetch: 1\n", True), ("# a\n\n---\nqetch: 1", True), ("a: 1\nqetch: 1\n", False), (" qetch: 1", False),
         ("", False), ("\ufeffqetch: 1", True), ("interactions:\n- qetch: 1\n", False), ("#" * 9000 + "\nqetch: 1", False)]
    ):  # fmt: skip
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, encoding="utf-8")
        assert is_spec(file) == known, text
    assert not is_spec(tmp_path / "absent.yaml")
    assert [file.name for file in spec_files([tmp_path, tmp_path / "0.yaml"])] == ["0.yaml", "1.yaml", "5.yaml"]


def test_paths_without_a_spec_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no site file"):
        spec_files([tmp_path])
    with pytest.raises(UserError, match="no such file or folder"):
        spec_files([tmp_path / "absent"])
    with pytest.raises(UserError, match="no such folder"):
        cassettes_for(tmp_path / "a.yaml", "a", tmp_path / "absent")


def test_cassettes_are_found_beside_a_spec_or_above_within_its_repository(tmp_path: Path) -> None:
    top = tmp_path / "top"
    spec = top / "sites" / "birds" / "a.yaml"
    spec.parent.mkdir(parents=True)
    (top / ".git").mkdir()
    assert cassettes_for(spec, "a") is None
    assert cassettes_to_write(spec, "a") == spec.parent / "cassettes" / "a"
    (tmp_path / "cassettes" / "a").mkdir(parents=True)
    assert cassettes_for(spec, "a") is None
    (top / "tests" / "cassettes" / "a").mkdir(parents=True)
    (spec.parent / "cassettes").mkdir()
    assert cassettes_for(spec, "a") == top / "tests" / "cassettes" / "a"
    assert cassettes_to_write(spec, "a") == top / "tests" / "cassettes" / "a"
    assert cassettes_to_write(spec, "b") == spec.parent / "cassettes" / "b"
    assert cassettes_to_write(spec, "b", tmp_path / "x") == tmp_path / "x" / "b"
    assert cassettes_for(spec, "a", spec.parent / "cassettes") is None
    (spec.parent / "cassettes" / "one.yaml").touch()
    assert cassettes_for(spec, "a", spec.parent / "cassettes") == spec.parent / "cassettes"


# --- the command


def test_the_command_prints_a_line_for_each_example_and_what_differs(shell: Shell) -> None:
    expecting(shell, "{count: 3, first: {title: A dog}}")
    result = shell("test", "sites/little.yaml", "--cassettes", "cassettes")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "FAIL  little 1 album https://little.example/a/cats (sites/little.yaml:10)",
        "      count: expected 3, found 2",
        '      first.title: expected "A dog", found "A cat"',
    ]
    assert result.stderr == "qetch: 1 example of 1 site file: 1 failed\n"


def test_the_line_of_an_example_is_its_own_and_the_first_once_the_file_is_none(shell: Shell) -> None:
    file = shell.home / "sites" / "little.yaml"
    examples = 'examples:\n      - "https://little.example/a/dogs"\n      - "https://little.example/a/cats"'
    file.write_text(file.read_text().replace(EXAMPLE, examples))
    both = list(cases(read(file)))
    assert [line(case) for case in both] == [11, 12]
    file.write_text("no: [site")
    assert [line(case) for case in both] == [1, 1]


READS = """
import sys
from qetch.cli import main
reads = []
sys.addaudithook(lambda event, words: reads.append(words[0]) if event == "open" else None)
main(["test", "sites/little.yaml", "--cassettes", "cassettes"])
print(sum(str(name).endswith("sites/little.yaml") for name in reads))
"""


@pytest.mark.parametrize(("expect", "times"), [("{count: 2}", "1"), ("{count: 3}", "2")])
def test_a_site_file_is_read_again_only_to_find_the_line_of_what_failed(shell: Shell, expect: str, times: str) -> None:
    expecting(shell, expect)
    assert shell.python(READS).splitlines()[-1] == times


def test_the_command_goes_on_after_a_spec_that_is_wrong(shell: Shell) -> None:
    (shell.home / "sites" / "a.yaml").write_text("qetch: 1\nname: 7 7\n")
    (shell.home / "cassettes" / "little").mkdir()
    (shell.home / "cassettes" / "all.yaml").rename(shell.home / "cassettes" / "little" / "all.yaml")
    result = shell("test", "sites")
    assert result.returncode == 3
    assert "a.yaml:2:7: bad name" in result.stderr
    assert "ok    little 1 album" in result.stdout
    assert "FAIL  closed 1 item" in result.stdout


def test_the_command_runs_the_packaged_sites(shell: Shell) -> None:
    result = shell("test", str(ROOT / "sites"))
    assert result.returncode == 0, result.stdout
    assert {line[:6] for line in result.stdout.splitlines()} == {"ok    "}


def test_the_command_asks_live(shell: Shell) -> None:
    with Origin({"/a": pictures(1)}) as origin:
        text = site_text(origin, f'get: "a"\n{PICTURES}', example=origin.url("/start"))
        (shell.home / "here.yaml").write_text(text)
        assert shell("test", "here.yaml").returncode == 1
        assert origin.paths == []
        result = shell("test", "here.yaml", "sites/closed.yaml", "--live", "--allow-private")
        assert origin.paths == ["/a"]
    assert result.returncode == 0
    assert result.stderr == "qetch: 2 examples of 2 site files: 1 passed, 1 skipped\n"
    assert "skip  closed 1 item https://closed.example/1\n      not asked: closed on 2023-09-01" in result.stdout
