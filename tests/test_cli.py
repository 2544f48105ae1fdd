"""The command line, run as its users run it: as a process, with a home of its own."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

import qetch
from qetch import errors
from qetch.cli import COMMANDS, usage
from tests.shell import LITTLE, ROOT, Shell, make_shell, only_error


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


class TestQetch:
    def test_says_its_version(self, shell: Shell) -> None:
        assert shell("--version").stdout == f"qetch {qetch.__version__}\n"

    def test_imports_almost_nothing_to_say_its_version(self, shell: Shell) -> None:
        heavy = {"argparse", "json", "logging", "regex", "requests", "yaml"}
        code = f"import sys; from qetch.cli import main; main(['--version']); print({heavy} & set(sys.modules))"
        assert shell.python(code) == f"qetch {qetch.__version__}\nset()\n"

    def test_without_words_shows_its_help_on_stderr(self, shell: Shell) -> None:
        result = shell()
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == shell("--help").stdout

    def test_names_every_command_and_exit_code_in_its_help(self, shell: Shell) -> None:
        result = shell("--help")
        assert result.returncode == 0
        for command in COMMANDS:
            assert f"\n  {command} " in result.stdout
        for branch in errors.QetchError.__subclasses__():
            assert re.search(rf"^  {branch.exit_code} ", result.stdout, re.MULTILINE)
            assert branch in usage.WHO_MUST_ACT

    @pytest.mark.parametrize("command", COMMANDS)
    def test_has_a_help_for_every_command(self, shell: Shell, command: str) -> None:
        result = shell(command, "--help")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith(f"usage: qetch {command}")
        assert max(map(len, result.stdout.replace(str(shell.home), "~").splitlines())) <= 120

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["gte", "https://a.example/"], "no such command: gte - did you mean get?"),
            (["https://a.example/1.png"], "did you mean: qetch get https://a.example/1.png"),
            (["--quiet", "get"], "options come after the command"),
            (["get"], "see `qetch get --help`"),
            (["get", "--outptu", "x", "https://a.example/"], "--outptu"),
            (["get", "-a", "x"], "no such option: -a - did you mean -i? - see `qetch get --help`"),
            (
                ["get", "--rate-limit=5"],
                "no such option: --rate-limit=5 - did you mean --limit-rate? - see `qetch get --help`",
            ),
            (["get", "-P", "x"], "no such option: -P - did you mean -o? - see `qetch get --help`"),
            (["get", "-dx", "https://a.example/"], "no such option: -dx - did you mean -o?"),
            (["get", "--frce"], "no such option: --frce - did you mean --force?"),
            (["match", "-z"], "no such option: -z - see"),
            (["auth"], "see `qetch auth --help`"),
            (["auth", "add"], "add needs the NAME of a site"),
            (["auth", "remove"], "remove needs the NAME of a site"),
            (["auth", "remove", "a", "b"], "remove takes one NAME"),
            (["auth", "list", "a"], "list takes no NAME"),
        ],
    )
    def test_says_what_is_wrong_with_the_words(self, shell: Shell, words: list[str], message: str) -> None:
        result = shell(*words)
        assert (result.returncode, result.stdout) == (2, "")
        assert message in only_error(result)

    def test_stops_quietly_when_nobody_reads_on(self, shell: Shell) -> None:
        with shell.start("sites", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            process.wait(60)
            assert process.stderr.read() == ""
        assert process.returncode == 141

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk that is always there")
    def test_says_that_its_output_has_no_place(self, shell: Shell) -> None:
        with (
            Path("/dev/full").open("w") as full,
            shell.start("sites", "--json", stdout=full, stderr=subprocess.PIPE) as process,
        ):
            _, err = process.communicate(timeout=60)
        assert process.returncode == errors.MachineError.exit_code
        assert err == "qetch: error: the output cannot be written: the disk is full\n"

    def test_prints_where_the_letters_are_missing(self, shell: Shell) -> None:
        shell.variables |= {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
        result = shell.replay("get", "https://little.example/a/cats")
        assert result.returncode == 0
        assert "\\xcfcode" not in result.stderr
        assert len(result.stdout.splitlines()) == 2


class TestMatch:
    def test_prints_site_handle_captures_and_file(self, shell: Shell) -> None:
        result = shell("match", " https://little.example/a/cats", "--sites", "sites")
        assert (result.returncode, result.stderr) == (0, "")
        name, handle, captures, path = result.stdout.rstrip("\n").split("\t")
        assert (name, handle, json.loads(captures)) == ("little", "album", {"id": "cats"})
        assert Path(path) == shell.home / "sites" / "little.yaml"

    def test_shows_captures_as_a_run_sees_them(self, shell: Shell) -> None:
        spec = (shell.home / "sites" / "little.yaml").read_text().replace(r"\w+", "[^/]+")
        (shell.home / "sites" / "little.yaml").write_text(spec)
        result = shell("match", "https://little.example/a/b%20c%2520d", "--sites", "sites")
        assert json.loads(result.stdout.split("\t")[2]) == {"id": "b c%20d"}

    def test_says_no_with_its_exit_code(self, shell: Shell) -> None:
        result = shell("match", "https://unknown.example/page", "--sites", "sites")
        assert (result.returncode, result.stdout) == (1, "")
        assert "https://unknown.example/page" in only_error(result)

    def test_one_no_among_many_is_a_no(self, shell: Shell) -> None:
        urls = ("https://unknown.example/page", "nonsense", "https://little.example/a/cats")
        result = shell("match", *urls, "--sites", "sites")
        assert result.returncode == 1
        assert len(result.stderr.splitlines()) == 2
        assert result.stdout.startswith("little\talbum\t")

    def test_a_closed_site_takes_its_urls_but_no_others_of_its_domain(self, shell: Shell) -> None:
        assert shell("match", "https://closed.example/1", "--sites", "sites").returncode == 0
        other = shell("match", "https://closed.example/about.png", "--sites", "sites")
        assert other.returncode == 1
        assert "closed on 2023-09-01" in only_error(other)

    def test_a_file_that_no_site_claims_is_taken_by_the_generic_one(self, shell: Shell) -> None:
        result = shell("match", "https://unknown.example/picture.png")
        assert result.returncode == 0
        assert result.stdout.startswith("generic\tfile\t")

    def test_imports_nothing_heavy_once_the_sites_are_indexed(self, shell: Shell) -> None:
        shell("match", "https://little.example/a/cats", "--sites", "sites")
        code = (
            "import sys; from qetch.cli import main\n"
            "main(['match', 'https://little.example/a/cats', '--sites', 'sites'])\n"
            "print(sorted({'yaml', 'requests', 'jsonschema', 'parsel', 'rich', 'furl'} & set(sys.modules)))"
        )
        assert shell.python(code).splitlines()[-1] == "[]"


class TestSites:
    def test_lists_the_sites_and_those_of_the_user(self, shell: Shell) -> None:
        result = shell("sites", "--sites", "sites")
        assert (result.returncode, result.stderr) == (0, "")
        header, *rows = result.stdout.splitlines()
        assert header.split() == ["NAME", "STATUS", "AUTH", "HANDLES", "DOMAINS", "DESCRIPTION"]
        little = next(row for row in rows if row.startswith("little "))
        assert little.split(maxsplit=5) == ["little", "alive", "none", "album", "little.example", "A little gallery."]
        assert "(closed on 2023-09-01)" in result.stdout
        assert rows == sorted(rows)

    def test_prints_json(self, shell: Shell) -> None:
        records = {record["name"]: record for record in json.loads(shell("sites", "--json", "--sites", "sites").stdout)}
        assert records["closed"]["status"] == "dead"
        assert records["closed"]["note"] == "closed on 2023-09-01"
        assert records["little"]["domains"] == ["little.example"]
        assert list(records["little"]["handles"]) == ["album"]
        assert records["little"]["path"].endswith("little.yaml")

    def test_a_broken_site_file_is_said_and_the_others_work(self, shell: Shell) -> None:
        (shell.home / "sites" / "broken.yaml").write_text("qetch: 1\nname: [")
        result = shell("sites", "--sites", "sites")
        assert result.returncode == 0
        assert "\nlittle " in result.stdout
        assert "broken.yaml" in result.stderr
        assert all(line.startswith("qetch: warning: ") for line in result.stderr.splitlines())


class TestValidate:
    def test_says_that_all_is_good(self, shell: Shell) -> None:
        result = shell("validate", "sites")
        assert (result.returncode, result.stdout) == (0, "")
        assert result.stderr == "qetch: 2 files checked: all good\n"

    def test_prints_every_problem_of_every_file_in_order(self, shell: Shell) -> None:
        (shell.home / "sites" / "worse.yaml").write_text(
            LITTLE.replace("little", "worse").replace("name:", "domain: [x]\nname:")
        )
        bad = LITTLE.replace("little", "bad").replace("title: title", "titel: title\n        uidd: id")
        (shell.home / "sites" / "bad.yaml").write_text(bad)
        result = shell("validate", "sites", "sites/bad.yaml")
        assert result.returncode == errors.SpecError.exit_code
        lines = result.stdout.splitlines()
        assert lines[0].startswith("sites/bad.yaml:16:9: unknown key")
        assert 'did you mean "title"?' in lines[0]
        assert any(line.startswith("sites/worse.yaml:3:1: ") for line in lines)
        places = [line.split(":")[:2] for line in lines]
        assert places == sorted(places)
        assert result.stderr.startswith(f"qetch: 4 files checked: {len(lines)} errors")

    def test_says_which_example_two_sites_claim(self, shell: Shell) -> None:
        (shell.home / "sites" / "twin.yaml").write_text(LITTLE.replace("name: little", "name: twin"))
        result = shell("validate", "sites")
        assert result.returncode == errors.SpecError.exit_code
        assert "sites/twin.yaml:10:16: " in result.stdout
        assert "little claims this example too" in result.stdout

    def test_a_site_must_get_along_with_those_that_qetch_knows(self, shell: Shell) -> None:
        packaged = (ROOT / "sites" / "imgur.yaml").read_text()
        (shell.home / "mine").mkdir()
        (shell.home / "mine" / "copy.yaml").write_text(packaged)
        (shell.home / "mine" / "other.yaml").write_text(LITTLE.replace("name: little", "name: other"))
        (shell.home / "config" / "qetch" / "sites").mkdir(parents=True)
        (shell.home / "config" / "qetch" / "sites" / "little.yaml").write_text(LITTLE)
        result = shell("validate", "mine")
        assert result.returncode == errors.SpecError.exit_code
        taken, claimed = result.stdout.splitlines()
        assert taken == 'mine/copy.yaml:3:7: the name "imgur" is taken by a packaged site - choose another name'
        assert "little claims this example too" in claimed
        assert shell("validate", str(ROOT / "sites")).returncode == 0

    def test_a_link_to_nowhere_in_a_folder_is_said(self, shell: Shell) -> None:
        (shell.home / "sites" / "gone.yaml").symlink_to("nowhere.yaml")
        result = shell("validate", "sites")
        assert result.returncode == errors.FileError.exit_code
        assert re.match(r"sites/gone\.yaml:1:1: cannot be read", result.stdout)
        assert result.stderr == "qetch: 3 files checked: 1 error\n"

    @pytest.mark.parametrize("path", ["nowhere.yaml", "empty"])
    def test_nothing_to_check_is_an_error(self, shell: Shell, path: str) -> None:
        (shell.home / "empty").mkdir()
        result = shell("validate", path)
        assert (result.returncode, result.stdout) == (errors.UserError.exit_code, "")
        assert path in only_error(result)
