"""Many files: which are meant, on how many cores, and how they get along with each other and the packaged sites."""

from __future__ import annotations

import multiprocessing
import os
from itertools import islice
from pathlib import Path

import pytest

from qetch.errors import FileError, SpecError, UserError
from qetch.paths import package_sites
from qetch.tools.validate import files_of, inspect_all, inspect_one, report, validate
from qetch.tools.watch import reports
from tests.little_specs import put, spec


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    folder = tmp_path / "sites"
    folder.mkdir()
    return folder


class TestFilesOf:
    def test_a_folder_gives_its_yaml_files_at_every_depth(self, sites: Path) -> None:
        (sites / "deep" / "er").mkdir(parents=True)
        for name in ("b.yaml", "a.yaml", "deep/er/c.yaml", "readme.md", "old.yml"):
            (sites / name).write_text("")
        assert files_of([sites]) == [sites / "a.yaml", sites / "b.yaml", sites / "deep" / "er" / "c.yaml"]

    def test_what_is_hidden_and_cassettes_are_passed_over(self, sites: Path) -> None:
        for name in (".github/ci.yaml", "cassettes/one/item.yaml", ".pre-commit.yaml", "one.yaml"):
            (sites / name).parent.mkdir(parents=True, exist_ok=True)
            (sites / name).write_text("")
        assert files_of([sites]) == [sites / "one.yaml"]
        assert files_of([sites / "cassettes"]) == [sites / "cassettes" / "one" / "item.yaml"]

    def test_each_file_counts_once_under_the_name_that_came_first(self, sites: Path, monkeypatch) -> None:
        (sites / "one.yaml").write_text("")
        monkeypatch.chdir(sites)
        assert files_of(["one.yaml", ".", sites, sites / ".." / "sites" / "one.yaml"]) == [Path("one.yaml")]

    @pytest.mark.parametrize("name", ["nowhere", "nowhere.yaml", "."])
    def test_nothing_to_check_is_an_error(self, sites: Path, name: str) -> None:
        with pytest.raises(UserError, match=r"no such file|no \*\.yaml"):
            files_of([sites / name])

    def test_a_spec_that_is_named_yml_is_said(self, sites: Path) -> None:
        put(sites, one=spec("one"))
        (sites / "one.yaml").rename(sites / "one.yml")
        (sites / "mkdocs.yml").write_text("site_name: x\n")
        found = validate([sites])
        assert found.files == 1
        assert [problem.cure for problem in found.problems] == ["name it *.yaml"]
        assert found.errors == 0


class TestProcesses:
    def test_several_find_the_same_as_one(self, sites: Path) -> None:
        for number in range(70):
            text = spec(f"site{number}")
            put(sites, **{f"s{number:03}": text.replace("url: url", "urk: url") if number % 7 == 0 else text})
        files = files_of([sites])
        alone = inspect_all(files, 1)
        assert inspect_all(files, 3) == alone
        assert inspect_all(files) == alone
        assert sum(bool(outcome.problems) for outcome in alone) == 10
        found = validate([sites])
        assert (found.files, found.errors, found.warnings) == (70, 10, 0)
        assert list(found.problems) == sorted(found.problems)
        assert multiprocessing.active_children() == []

    def test_where_there_can_be_none_one_is_enough(self, sites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(sites, **{f"s{number}": spec(f"site{number}") for number in range(40)})

        def refuse(*_: object) -> None:
            raise OSError("no semaphores here")

        monkeypatch.setattr("concurrent.futures.process.ProcessPoolExecutor", refuse)
        assert validate([sites], 2).problems == ()


class TestAcross:
    def test_an_example_that_two_files_claim(self, sites: Path) -> None:
        handles = {"item": (r"^https?://one\.example/i/(?P<id>\w+)$", "https://one.example/i/abc")}
        put(sites, one=spec("one"), two=spec("two", handles=handles, domains=["one.example"]))
        messages = [problem.message for problem in validate([sites]).problems if problem.severity == "error"]
        assert messages == [
            f'"item" of two claims this example too ({sites / "two.yaml"})',
            f'"item" of one claims this example too ({sites / "one.yaml"})',
        ]

    def test_a_file_with_errors_claims_what_is_certain_of_it(self, sites: Path) -> None:
        handles = {
            "item": (r"^https?://one\.example/i/(?P<id>\w+)$", "https://one.example/i/abc"),
            "list": (r"^https?://one\.example/l/(?P<id>\w+)$", "https://one.example/l/abc"),
            "film": (r"^https?://one\.example/f/(?P<id>\w+)$", "https://one.example/f/abc"),
        }
        text = spec("two", handles=handles, domains=["one.example"]).replace(
            "uid: id, url: url", "uid: 'a[', colour: 5"
        )
        text = text.replace("/l/(?P<id>", "/l/((?P<id>").replace(
            "https://one.example/f/abc", "https://one.example/g/abc"
        )
        put(sites, one=spec("one", handles=handles), two=text)
        errors = [problem.message for problem in validate([sites]).problems if "claims this" in problem.message]
        assert errors == [
            f'"item" of two claims this example too ({sites / "two.yaml"})',
            f'"item" of one claims this example too ({sites / "one.yaml"})',
        ]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("name: two", "name: TWO"),
            ("name: two", "class: x\nname: two"),
            ("domains: [one.example]", "domains: [one.example/]"),
            ("domains: [one.example]", ""),
        ],
    )
    def test_of_a_file_without_a_good_name_or_hosts_nothing_is_certain(
        self, sites: Path, before: str, after: str
    ) -> None:
        put(sites, one=spec("one"), two=spec("two", domains=["one.example"]).replace(before, after))
        assert not any("claims this" in problem.message for problem in validate([sites]).problems)

    def test_a_name_that_two_files_use(self, sites: Path) -> None:
        put(sites, one=spec("one"), two=spec("two").replace("name: two", "name: one"))
        [problem] = validate([sites]).problems
        assert problem.file == str(sites / "two.yaml")
        assert problem.message == f'the name "one" is taken by {sites / "one.yaml"}'

    def test_what_a_packaged_site_claims_is_taken(self, sites: Path) -> None:
        packaged = min(package_sites().glob("*.yaml")).read_text("utf-8")
        own = next(line for line in packaged.splitlines() if line.startswith("name:"))
        put(sites, mine=packaged.replace(own, "name: mine"))
        assert any("taken by a packaged site" in problem.message for problem in validate([sites]).problems)

    def test_a_copy_of_a_packaged_site_would_be_left_out_and_only_that_is_said(self, sites: Path) -> None:
        names = [file.name for file in package_sites().glob("*.yaml")]
        for name in names:
            (sites / name).write_text((package_sites() / name).read_text("utf-8"))
        problems = validate([sites]).problems
        assert len(problems) == len(names)
        assert all("is taken by" in problem.message for problem in problems)

    def test_the_sources_of_the_packaged_sites_are_not_held_against_them(self, tmp_path: Path) -> None:
        (tmp_path / "schema").mkdir()
        (tmp_path / "schema" / "site.schema.json").write_text("{}")
        sources = tmp_path / "sites"
        sources.mkdir()
        for file in package_sites().glob("*.yaml"):
            (sources / file.name).write_text(file.read_text("utf-8"))
        assert validate([sources]).problems == ()


class TestExitCode:
    def test_warnings_count_only_when_they_shall(self, sites: Path) -> None:
        put(sites, one=spec("one").replace("content: {", "content: &x {"))
        found = validate([sites])
        assert (found.errors, found.warnings) == (0, 1)
        assert found.exit_code() == 0
        assert found.exit_code(strict=True) == SpecError.exit_code

    def test_a_file_that_cannot_be_read_is_this_machines_problem(self, sites: Path) -> None:
        folder = sites / "folder.yaml"
        folder.mkdir()
        outcome = inspect_one(folder)
        assert outcome.problems[0].message == "cannot be read: Is a directory"
        assert report({folder: outcome}).exit_code() == FileError.exit_code
        put(sites, one=spec("one").replace("url: url", "urk: url"))
        both = {folder: outcome, sites / "one.yaml": inspect_one(sites / "one.yaml")}
        assert report(both).exit_code() == SpecError.exit_code


class TestWatch:
    def test_there_is_a_report_at_the_start_and_after_each_change(self, sites: Path) -> None:
        put(sites, one=spec("one"))
        steps = [
            lambda: None,
            lambda: put(sites, one=spec("one").replace("url: url", "urk: url")),
            lambda: put(sites, two=spec("two")),
            lambda: None,
            lambda: put(sites, one=spec("one")),
            lambda: (sites / "two.yaml").unlink(),
            lambda: (sites / "one.yaml").rename(sites / "away"),  # as some editors write a file
            lambda: (sites / "away").rename(sites / "one.yaml"),
            lambda: put(sites, one=spec("one") + "\n"),
        ]
        todo = iter(steps)

        def wait() -> None:
            next(todo)()

        found = [(seen.files, seen.errors) for seen in islice(reports([str(sites)], wait=wait), 6)]
        assert found == [(1, 0), (1, 1), (2, 1), (2, 0), (1, 0), (1, 0)]

    def test_what_did_not_change_is_not_read_again(self, sites: Path) -> None:
        put(sites, one=spec("one"), two=spec("two"))
        found = reports([str(sites)], wait=lambda: put(sites, two=spec("two", top="# more\n")))
        assert next(found).errors == 0
        one = sites / "one.yaml"
        times = one.stat()
        one.write_bytes(b"[" * times.st_size)  # which nobody can see: time and size are as before
        os.utime(one, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert next(found).errors == 0

    def test_a_path_that_is_not_there_at_the_start_is_an_error(self, sites: Path) -> None:
        with pytest.raises(UserError):
            next(reports([str(sites / "nothing.yaml")]))
