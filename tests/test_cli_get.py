"""`qetch get` and `qetch extract`, run as their users run them."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from qetch import errors
from qetch.cli.extract import FIELDS
from qetch.content import Content
from tests.origin import Origin, Reply
from tests.shell import CASSETTES, ITEMS, LITTLE, PNG, Shell, cassette, make_shell, only_error, read_all, wait_for

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


class TestGet:
    def test_downloads_the_best_of_each_and_prints_the_paths(self, shell: Shell) -> None:
        result = shell.replay("get", "https://little.example/a/cats", "-j", "1", "-o", "a/new folder")
        assert (result.returncode, result.stderr) == (0, "")
        files = [shell.home / line for line in result.stdout.splitlines()]
        assert [file.read_bytes() for file in files] == [PNG, PNG + b"2"]
        assert sorted((shell.home / "a" / "new folder").iterdir()) == sorted(files)
        assert files[0].name == "A cat [little-1-full].png"

    def test_downloads_a_file_that_no_site_claims(self, shell: Shell) -> None:
        result = shell.replay("get", "https://plain.example/some%20file.png")
        assert (result.returncode, result.stderr) == (0, "")
        (path,) = result.stdout.splitlines()
        assert path == "some file.png"
        assert (shell.home / path).read_bytes() == PNG

    def test_two_files_of_one_name_do_not_meet(self, shell: Shell) -> None:
        routes = {"/a/1.png": Reply(body=PNG), "/b/1.PNG": Reply(body=PNG + b"2")}
        with Origin(routes) as origin:
            urls = [*map(origin.url, routes), origin.url("/a/1.png")]
            result = shell("get", "-j1", *urls)
        assert result.returncode == 0
        first, second = result.stdout.splitlines()
        assert first == "1.png"
        assert second.startswith("1 [generic-")
        assert (shell.home / second).read_bytes() == PNG + b"2"
        assert "kept: 1.png is already there" in result.stderr

    def test_blanks_around_a_pasted_url_do_no_harm(self, shell: Shell) -> None:
        result = shell.replay("get", " https://plain.example/some%20file.png\n")
        assert (result.returncode, result.stdout) == (0, "some file.png\n")

    def test_a_failure_is_told_of_what_the_user_knows(self, shell: Shell) -> None:
        result = shell.replay("get", "-j1", "https://little.example/a/half", "https://little.example/lost.png")
        first, second = result.stderr.splitlines()
        assert first.startswith('qetch: error: "A cat": https://files.little.example/lost.png')
        assert second.count("https://little.example/lost.png") == 1
        assert "generic-" not in result.stderr

    def test_what_an_error_says_is_not_said_as_skipped_too(self, shell: Shell) -> None:
        (shell.home / "cassettes" / "all.yaml").write_text(
            cassette({"https://api.little.example/albums/cats": (200, {"items": [{"name": "A cat"}]})})
        )
        result = shell.replay("get", "https://little.example/a/cats")
        assert result.returncode == errors.LayoutChanged.exit_code
        assert "there is no uid: 'id' finds nothing" in only_error(result)

    def test_what_is_skipped_names_the_line_of_the_site_file(self, shell: Shell) -> None:
        items = [{"id": 1, "name": "A cat"}, *ITEMS]
        (shell.home / "cassettes" / "all.yaml").write_text(
            cassette(
                {
                    "https://api.little.example/albums/cats": (200, {"items": items}),
                    "https://files.little.example/1.png": (200, PNG),
                    "https://files.little.example/2.png": (200, PNG),
                }
            )
        )
        said = [shell.replay(command, "https://little.example/a/cats").stderr for command in ("get", "extract")]
        lines = [[line for line in text.splitlines() if "skipped:" in line] for text in said]
        assert lines[0] == lines[1] != []
        assert all(line.startswith("qetch: skipped: little.yaml:") for line in lines[0])

    def test_takes_options_between_urls(self, shell: Shell) -> None:
        urls = ["https://little.example/a/cats", "https://plain.example/some%20file.png"]
        result = shell.replay("get", urls[0], "-o", "files", urls[1])
        assert result.returncode == 0
        assert len(list((shell.home / "files").iterdir())) == 3

    def test_keeps_a_file_that_is_there_unless_forced(self, shell: Shell) -> None:
        url = "https://plain.example/some%20file.png"
        (path,) = shell.replay("get", url).stdout.splitlines()
        (shell.home / path).write_text("mine")
        again = shell.replay("get", url)
        assert (again.returncode, again.stdout) == (0, "")
        assert f"kept: {path} is already there" in again.stderr
        assert "--force" in again.stderr
        assert (shell.home / path).read_text() == "mine"
        assert shell.replay("get", url, "--force").stdout == f"{path}\n"
        assert (shell.home / path).read_bytes() == PNG

    def test_prints_nothing_when_quiet_but_warnings_and_errors(self, shell: Shell) -> None:
        for _ in range(2):
            result = shell.replay("get", "-q", "https://little.example/a/cats", "-o", "files")
            assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        assert len(list((shell.home / "files").iterdir())) == 2
        assert only_error(shell.replay("get", "-q", "https://little.example/a/missing"))

    def test_goes_on_after_a_file_that_fails(self, shell: Shell) -> None:
        result = shell.replay("get", "https://little.example/a/half")
        assert result.returncode == errors.NotFound.exit_code
        assert "lost.png" in only_error(result)
        assert len(result.stdout.splitlines()) == 1
        assert not list(shell.home.glob("*.qetch-part*"))

    def test_goes_on_after_a_url_that_fails_and_returns_the_code_of_the_first(self, shell: Shell) -> None:
        broken, missing, good = (f"https://little.example/a/{name}" for name in ("broken", "missing", "cats"))
        result = shell.replay("get", "-j1", broken, missing, good)
        assert result.returncode == errors.RemoteError.exit_code
        first, second = result.stderr.splitlines()
        assert broken in first or "albums/broken" in first
        assert missing in second or "albums/missing" in second
        assert len(result.stdout.splitlines()) == 2

    @pytest.mark.parametrize(
        ("url", "error"),
        [
            ("https://little.example/a/missing", errors.NotFound),
            ("https://little.example/a/secret", errors.Forbidden),
            ("https://little.example/a/broken", errors.RemoteError),
            ("https://little.example/a/changed", errors.LayoutChanged),
            ("https://little.example/a/unrecorded", errors.ReplayMiss),
            ("https://closed.example/page", errors.SiteClosed),
            ("https://unknown.example/page", errors.UnsupportedURL),
            ("little.example/a/cats", errors.InvalidURL),
            ("ftp://little.example/a/cats", errors.InvalidURL),
            ("", errors.InvalidURL),
        ],
    )
    def test_ends_with_the_code_of_its_error(self, shell: Shell, url: str, error: type[errors.QetchError]) -> None:
        result = shell.replay("get", url)
        assert result.returncode == error.exit_code
        assert result.stdout == ""
        assert only_error(result)

    def test_a_dead_site_says_so_before_any_request(self, shell: Shell) -> None:
        result = shell("get", "https://closed.example/1", "--sites", "sites")
        assert result.returncode == errors.SiteClosed.exit_code
        assert "closed on 2023-09-01" in only_error(result)

    def test_says_when_there_is_nothing(self, shell: Shell) -> None:
        result = shell.replay("get", "https://little.example/a/none")
        assert (result.returncode, result.stdout) == (0, "")
        assert "nothing" in result.stderr

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("example.com/a.png", "example.com/a.png is not a URL - did you mean https://example.com/a.png?"),
            ("localhost:8080/a.png", "localhost:8080/a.png is not a URL - a URL begins with https:// or http://"),
            ("www.example.com", "www.example.com is not a URL - did you mean https://www.example.com?"),
            ("ftp://example.com/a.png", "ftp://example.com/a.png: qetch reads http and https URLs, not ftp"),
            ("pictures", "pictures is not a URL - a URL begins with https:// or http://"),
        ],
    )
    def test_what_is_no_url_is_told_with_what_would_be_one(self, shell: Shell, url: str, said: str) -> None:
        result = shell("get", url)
        assert result.returncode == errors.UserError.exit_code
        assert only_error(result) == f"qetch: error: {said}"

    def test_a_file_in_place_of_a_url_may_be_a_list_of_them(self, shell: Shell) -> None:
        (shell.home / "list.txt").write_text("https://plain.example/some%20file.png\n")
        result = shell.replay("get", "list.txt", "https://little.example/a/cats")
        assert result.returncode == errors.UserError.exit_code
        cure = "list.txt is a file on this computer, and no URL - for the URLs in it: -i list.txt"
        assert only_error(result) == f"qetch: error: {cure}"
        assert len(result.stdout.splitlines()) == 2

    @pytest.mark.parametrize("folder", ["notes", "notes/", "notes/new/folder"])
    def test_a_file_where_a_folder_should_be_is_named(self, shell: Shell, folder: str) -> None:
        (shell.home / "notes").write_text("mine")
        result = shell("get", "https://little.example/a/cats", "-o", folder)
        assert result.returncode == errors.UserError.exit_code
        assert only_error(result).endswith(f"-o {folder.rstrip('/')}: notes is a file - give a folder")

    @pytest.mark.parametrize(
        ("flags", "said"), [((), "is already there (--force replaces it)"), (("--force",), "came already in this run")]
    )
    def test_a_url_that_is_given_twice_is_asked_once(self, shell: Shell, flags: tuple[str, ...], said: str) -> None:
        with Origin({"/one.png": Reply(body=PNG)}) as origin:
            url = origin.url("/one.png")
            result = shell("get", url, url, *flags)
        assert (result.returncode, result.stdout) == (0, "one.png\n")
        assert result.stderr == f"qetch: kept: one.png {said}\n"
        assert origin.paths == ["/one.png"]

    @pytest.mark.parametrize(
        "words",
        [
            ("-o", "cassettes/all.yaml"),
            ("-o", "cassettes/all.yaml/below"),
            ("--sites", "nowhere"),
            ("--replay", "nowhere"),
        ],
    )
    def test_names_a_folder_that_does_not_serve(self, shell: Shell, words: tuple[str, str]) -> None:
        result = shell("get", "https://little.example/a/cats", *words)
        assert result.returncode == errors.UserError.exit_code
        assert words[1] in only_error(result)

    def test_a_file_in_place_of_a_folder_of_sites_gets_a_cure(self, shell: Shell) -> None:
        result = shell("get", "https://little.example/a/cats", "--sites", "sites/little.yaml")
        assert only_error(result).endswith("--sites sites/little.yaml is a file - give its folder: --sites sites")

    def test_a_title_cannot_write_on_the_terminal_nor_leave_the_folder(self, shell: Shell) -> None:
        result = shell.replay("get", "https://little.example/a/cats", "-o", "files")
        assert "\x1b" not in result.stdout + result.stderr
        assert {path.parent for path in shell.home.rglob("*.png")} == {shell.home / "files"}

    def test_downloads_over_a_real_connection(self, shell: Shell) -> None:
        with Origin({"/one.png": Reply(body=PNG)}) as origin:
            result = shell("get", origin.url("/one.png"))
        assert (result.returncode, result.stderr) == (0, "")
        assert (shell.home / result.stdout.strip()).read_bytes() == PNG

    def test_a_private_address_that_a_site_leads_to_wants_a_flag(self, shell: Shell) -> None:
        with Origin({"/one.png": Reply(body=PNG)}) as origin:
            item = {**ITEMS[0], "full": origin.url("/one.png")}
            with Origin({"/albums/x": Reply(body=json.dumps({"items": [item]}))}) as api:
                spec = LITTLE.replace("little", "home").replace("https://api.home.example/", api.url("/"))
                (shell.home / "sites" / "home.yaml").write_text(spec)
                words = ("get", "https://home.example/a/x", "--sites", "sites")
                refused = shell(*words)
                allowed = shell(*words, "--allow-private")
        assert refused.returncode == errors.AddressRefused.exit_code
        assert "--allow-private" in only_error(refused)
        assert (allowed.returncode, allowed.stderr) == (0, "")

    def test_ctrl_c_leaves_no_half_file(self, shell: Shell) -> None:
        with (
            Origin({"/one.bin": Reply(body=b"x" * 10_000, drip=0.2)}) as origin,
            shell.start("get", origin.url("/one.bin"), stdout=-1, stderr=-1) as process,
        ):
            wait_for(lambda: list(shell.home.glob("*.qetch-part*")))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert err == "qetch: interrupted - run the same command again to begin anew\n"
        assert not list(shell.home.glob("*.bin*"))

    def test_draws_its_bar_on_the_terminal_only(self, shell: Shell) -> None:
        master, slave = pty.openpty()
        words = ("get", "https://little.example/a/cats", "--sites", "sites", "--replay", "cassettes")
        with shell.start(*words, stdout=subprocess.PIPE, stderr=slave) as process:
            os.close(slave)
            drawn = read_all(master)
            out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert b"A cat" in drawn
        assert "\x1b" not in out
        assert len(out.splitlines()) == 2

    @pytest.mark.parametrize(
        ("url", "magic"),
        [
            ("https://boards.4chan.org/po/thread/570368", b"\x89PNG\r\n\x1a\n"),
            ("https://imgur.com/a/138-TcBmP", b"\x89PNG\r\n\x1a\n"),
            ("https://gfycat.com/CalmFoldedCrane", b"\0\0\0"),
        ],
    )
    def test_a_shipped_site_gives_files_without_a_network(self, shell: Shell, url: str, magic: bytes) -> None:
        result = shell("get", url, "-j1", "--replay", str(CASSETTES), "-o", "files")
        assert (result.returncode, result.stderr) == (0, "")
        files = [shell.home / line for line in result.stdout.splitlines()]
        assert files[0].read_bytes().startswith(magic)
        assert sorted((shell.home / "files").iterdir()) == sorted(files)

    def test_imports_no_checker_for_a_site_that_is_indexed(self, shell: Shell) -> None:
        words = ["get", "https://little.example/a/cats", "--sites", "sites", "--replay", "cassettes"]
        assert shell(*words).returncode == 0
        code = f"import sys; from qetch.cli import main; main({words}); print('jsonschema' in sys.modules)"
        assert shell.python(code).splitlines()[-1] == "False"


class TestLists:
    def test_urls_come_from_a_file_and_from_the_input(self, shell: Shell) -> None:
        routes = {f"/{name}.png": Reply(body=PNG + name.encode()) for name in ("one", "two", "three")}
        with Origin(routes) as origin:
            one, two, three = map(origin.url, routes)
            (shell.home / "list.txt").write_text(f"# pictures\n\n  {one}  \r\n{two}\n")
            both = shell("get", three, "-i", "list.txt", "-o", "all")
            assert (both.returncode, both.stderr) == (0, "")
            assert sorted(both.stdout.splitlines()) == ["all/one.png", "all/three.png", "all/two.png"]
            with shell.start("get", "-i", "-", stdin=-1, stdout=-1, stderr=-1) as process:
                out, err = process.communicate(f"\ufeff{two}\n", timeout=60)  # as some shells begin it
        assert (process.returncode, out, err) == (0, "two.png\n", "")

    def test_several_lists_are_read_one_after_the_other(self, shell: Shell) -> None:
        with Origin({"*": Reply(body=PNG)}) as origin:
            for name in ("one", "two"):
                (shell.home / f"{name}.txt").write_text(origin.url(f"/{name}.png"))
            result = shell("get", "-i", "one.txt", "-i", "two.txt", "-j1")
        assert (result.returncode, result.stdout, result.stderr) == (0, "one.png\ntwo.png\n", "")

    def test_a_list_without_any_url_is_said_and_is_no_error(self, shell: Shell) -> None:
        (shell.home / "list.txt").write_text("# all done\n\n")
        said = "qetch: -i list.txt: there is no URL in this file\n"
        alone = shell("get", "-i", "list.txt")
        assert (alone.returncode, alone.stdout, alone.stderr) == (0, "", said)
        piped = shell("get", "-i", "-")
        assert (piped.returncode, piped.stderr) == (0, "qetch: -i -: there is no URL in the standard input\n")
        quiet = shell("get", "-q", "-i", "list.txt")
        assert (quiet.returncode, quiet.stderr) == (0, "")
        with Origin({"/one.png": Reply(body=PNG)}) as origin:
            both = shell("get", origin.url("/one.png"), "-i", "list.txt")
        assert (both.returncode, both.stdout, both.stderr) == (0, "one.png\n", said)

    def test_a_line_that_is_no_url_fails_alone(self, shell: Shell) -> None:
        with Origin({"/one.png": Reply(body=PNG)}) as origin:
            (shell.home / "list.txt").write_bytes(f"\ufeff{origin.url('/one.png')}\n\xff\x00 rubbish\n".encode())
            result = shell("get", "-i", "list.txt")
        assert result.returncode == errors.UserError.exit_code
        assert result.stdout == "one.png\n"
        assert "rubbish" in only_error(result)

    def test_a_list_that_is_not_there_is_said(self, shell: Shell) -> None:
        (shell.home / "list.txt").write_text("https://plain.example/some%20file.png\n")
        result = shell("get", "-i", "list.txt", "-i", "nowhere.txt")
        assert result.returncode == errors.UserError.exit_code
        assert "-i nowhere.txt: cannot be read: No such file" in only_error(result)

    def test_something_to_get_must_be_given(self, shell: Shell) -> None:
        result = shell("get")
        assert result.returncode == 2
        assert "give a URL, or with -i a list of them" in only_error(result)

    def test_what_the_archive_knows_is_not_fetched_again_wherever_the_file_is(self, shell: Shell) -> None:
        with Origin({"/one.png": Reply(body=PNG)}) as origin:
            url = origin.url("/one.png")
            first = shell("get", url, "--archive", "done.db")
            (shell.home / "one.png").unlink()
            asked = len(origin.requests)
            second = shell("get", url, "--archive", "done.db")
            assert len(origin.requests) == asked
        assert first.stdout == "one.png\n"
        assert (second.returncode, second.stdout) == (0, "")
        assert f"known: {url} is in the archive" in second.stderr
        assert not (shell.home / "one.png").exists()

    def test_an_archive_that_is_none_is_said(self, shell: Shell) -> None:
        (shell.home / "done.db").write_text("my diary, which is no database, and longer than a header of one")
        result = shell("get", "https://files.example/one.png", "--archive", "done.db")
        assert result.returncode == errors.FileError.exit_code
        assert "done.db" in only_error(result)
        assert "diary" in (shell.home / "done.db").read_text()

    def test_several_files_come_at_a_time_as_many_as_wanted(self, shell: Shell) -> None:
        together = threading.Barrier(3)
        with Origin({"*": lambda request: (together.wait(30), Reply(body=PNG))[1]}) as origin:
            urls = [origin.url(f"/{number}.png") for number in range(3)]
            assert shell("get", *urls, "-j", "3").returncode == 0
        with Origin({"*": Reply(body=PNG, drip=0.05)}) as origin:
            assert shell("get", *[origin.url(f"/{number}.png") for number in range(5)], "-j1", "-f").returncode == 0
        assert origin.connections == 1


class TestExtract:
    def test_prints_a_line_for_each_content_with_every_field(self, shell: Shell) -> None:
        result = shell.replay("extract", "https://little.example/a/cats")
        assert (result.returncode, result.stderr) == (0, "")
        first, *rest = map(json.loads, result.stdout.splitlines())
        assert first == {
            "extractor": "little",
            "source": "https://little.example/a/cats",
            "uid": "little-1-full",
            "title": "A cat",
            "description": None,
            "uploaded_by": None,
            "uploaded_date": "2017-07-14T02:40:00+00:00",
            "extension": first["extension"],
            "quality": 1.0,
            "variant": "full",
            "fragments": ["https://files.little.example/1.png"],
            "size": None,
            "checksums": {},
            "headers": {},
            "playlist": None,
            "segments": [],
            "gone": [],
            "metadata": ITEMS[0],
        }
        assert [line["uid"] for line in rest] == ["little-2-full", "little-2-small"]
        assert not list(shell.home.glob("*.png"))

    def test_knows_every_field_of_a_content(self) -> None:
        content = Content("uid", "https://a.example/", [], None)  # type: ignore[arg-type] # no extractor is needed
        fields = {name.lstrip("_") for name in vars(content)}
        assert fields == {*FIELDS, "extractor", "source"}

    def test_prints_each_line_before_the_next_request(self, shell: Shell) -> None:
        with shell.start(
            "extract",
            "https://little.example/a/cats",
            "https://little.example/a/missing",
            "--sites",
            "sites",
            "--replay",
            "cassettes",
            stdout=-1,
            stderr=-1,
        ) as process:
            assert process.stdout
            assert process.stderr
            assert json.loads(process.stdout.readline())["uid"] == "little-1-full"
            process.stdout.close()
            process.stderr.read()
            process.wait(60)

    def test_goes_on_after_an_error(self, shell: Shell) -> None:
        result = shell.replay("extract", "https://little.example/a/missing", "https://little.example/a/cats")
        assert result.returncode == errors.NotFound.exit_code
        assert only_error(result)
        assert len(result.stdout.splitlines()) == 3
