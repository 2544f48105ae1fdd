"""`qetch auth`: what is saved, for whom, and that it is never shown."""

from __future__ import annotations

import json
import os
import pty
from typing import TYPE_CHECKING, Any

import pytest

from qetch import errors
from tests.origin import Origin, Reply, Request
from tests.shell import Shell, make_shell, only_error, read_all, read_until

if TYPE_CHECKING:
    from pathlib import Path


def keyed(name: str, auth: str) -> str:
    """A site that wants credentials."""
    return rf"""
qetch: 1
name: {name}
description: A site with a lock.
domains: [{name}.example]
instances: {{"*.{name}.test": {{base: "https://api.{name}.test/"}}}}
auth: {auth}
request: {{as: json, base: "https://api.{name}.example/"}}
handles:
  item:
    match: '^https?://{name}\.example/(?P<id>\d+)$'
    examples: ["https://{name}.example/1"]
    get: "{{id}}"
    content: {{uid: id, url: link}}
"""


LOCK = keyed("lock", '{kind: key, headers: {X-Key: "{key}"}, domains: [127.0.0.1]}')


def _only_with_key(request: Request) -> Reply:
    if request.headers.get("X-Key") == "the-key":
        return Reply(body='{"id": 1, "link": "https://files.lock.example/1.png"}')
    return Reply(status=401)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return make_shell(tmp_path)


@pytest.fixture
def locked(shell: Shell) -> Shell:
    """A shell with three sites that want credentials, in its config folder."""
    kinds = {
        "both": 'kind: oauth, headers: {Authorization: "Client-ID {key}"}',
        "door": "kind: basic",
    }
    folder = shell.home / "config" / "qetch" / "sites"
    folder.mkdir(parents=True)
    (folder / "lock.yaml").write_text(LOCK)
    for name, auth in kinds.items():
        (folder / f"{name}.yaml").write_text(keyed(name, f"{{{auth}}}"))
    return shell


def saved_file(shell: Shell) -> Any:
    file = shell.home / "config" / "qetch" / "auth.json"
    return json.loads(file.read_text()) if file.exists() else {}


class TestAuth:
    def test_reads_what_the_site_wants_from_stdin(self, locked: Shell) -> None:
        result = locked("auth", "add", "door", stdin=" me \nthe-password\n")
        assert (result.returncode, result.stdout) == (0, "")
        assert "saved: username and password for door" in result.stderr
        assert saved_file(locked)["door"]["values"] == ["me", "the-password"]
        assert saved_file(locked)["door"]["site"] == "door"
        assert saved_file(locked)["door"]["owner"] == str((locked.home / "config" / "qetch" / "sites").resolve())

    def test_asks_only_for_what_the_site_sends(self, locked: Shell) -> None:
        assert locked("auth", "add", "both", stdin="the-key").returncode == 0
        assert saved_file(locked)["both"]["values"] == ["the-key", ""]
        assert locked("auth", "add", "both", "the-key", "the-secret").returncode == 0
        assert saved_file(locked)["both"]["values"] == ["the-key", "the-secret"]

    def test_what_it_replaces_is_said(self, locked: Shell) -> None:
        locked("auth", "add", "lock", stdin="a-key\n")
        again = locked("auth", "add", "lock", stdin="b-key\n")
        assert again.stderr.startswith("qetch: replaced: key for lock, in ")
        assert "warning" not in again.stderr
        sites, mine = locked.home / "config" / "qetch" / "sites", locked.home / "mine"
        mine.mkdir()
        (sites / "lock.yaml").rename(mine / "lock.yaml")
        moved = locked("auth", "add", "lock", "--sites", "mine", stdin="c-key\n")
        assert f"before was for the site file in {sites.resolve()}, which has nothing now" in moved.stderr
        assert "-key" not in again.stderr + moved.stderr

    def test_an_empty_value_is_not_saved(self, locked: Shell) -> None:
        result = locked("auth", "add", "both", "", "")
        assert result.returncode == errors.UserError.exit_code
        assert "the key is empty, so nothing is saved" in result.stderr
        assert locked("auth", "add", "lock", " the-key ").returncode == 0
        assert saved_file(locked)["lock"]["values"] == ["the-key"]
        result = locked("auth", "add", "door", stdin="me\n\n")
        assert result.returncode == errors.UserError.exit_code
        assert "no password given" in only_error(result)
        assert "door" not in saved_file(locked)

    def test_never_prints_a_value(self, locked: Shell) -> None:
        locked("auth", "add", "both", stdin="the-key\nthe-secret\n")
        results = [
            locked("auth", "add", "both", stdin="the-key\nthe-secret\n"),
            locked("auth", "list"),
            locked("auth", "add", "lock", "the-key"),
            locked("auth", "remove", "both"),
        ]
        for result in results:
            assert result.returncode == 0
            assert "the-" not in result.stdout + result.stderr

    def test_takes_values_from_the_command_line_with_a_warning(self, locked: Shell) -> None:
        result = locked("auth", "add", "lock", "the-key")
        assert result.returncode == 0
        assert "warning: your shell remembers these values" in result.stderr
        assert saved_file(locked)["lock"]["values"] == ["the-key"]
        assert locked("auth", "add", "lock", "the-key", "another").returncode == errors.UserError.exit_code

    def test_lists_and_removes_by_name(self, locked: Shell) -> None:
        assert "no credentials are saved" in locked("auth", "list").stderr
        locked("auth", "add", "door", stdin="me\nthe-password\n")
        rows = [line.split() for line in locked("auth", "list").stdout.splitlines()]
        assert rows[1][:3] == ["door", "basic", "door"]
        assert locked("auth", "remove", "door").returncode == 0
        assert saved_file(locked) == {}
        again = locked("auth", "remove", "door")
        assert again.returncode == errors.UserError.exit_code
        assert "no credentials are saved for door" in only_error(again)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("lokc", "no site is named lokc - did you mean lock?"),
            ("lock.example", "did you mean lock?"),
            ("nothing-like-it", "`qetch sites` lists them; site files of your own need --sites DIR"),
        ],
    )
    def test_an_unknown_site_is_refused_with_the_nearest(self, locked: Shell, name: str, message: str) -> None:
        result = locked("auth", "add", name, stdin="x\n")
        assert result.returncode == errors.UserError.exit_code
        assert message in only_error(result)
        assert saved_file(locked) == {}

    def test_a_site_that_wants_nothing_gets_nothing(self, shell: Shell) -> None:
        result = shell("auth", "add", "little", "--sites", "sites", stdin="x\n")
        assert result.returncode == errors.UserError.exit_code
        assert "takes no credentials" in only_error(result)

    def test_an_instance_is_named_by_its_host(self, locked: Shell) -> None:
        assert locked("auth", "add", "My.lock.test", stdin="k\n").returncode == 0
        assert saved_file(locked)["my.lock.test"]["site"] == "lock"

    def test_what_is_saved_opens_the_site_and_no_other_of_its_name(self, locked: Shell) -> None:
        words = ("extract", "https://lock.example/1", "--allow-private")
        with Origin({"/1": _only_with_key}) as origin:
            spec = LOCK.replace("https://api.lock.example/", origin.url("/"))
            (locked.home / "config" / "qetch" / "sites" / "lock.yaml").write_text(spec)
            (locked.home / "sites" / "lock.yaml").write_text(spec)
            closed = locked(*words)
            locked("auth", "add", "lock", stdin="the-key\n")
            opened, foreign = locked(*words), locked(*words, "--sites", "sites")
        assert closed.returncode == errors.AuthenticationError.exit_code
        assert "qetch auth add lock" in only_error(closed)
        assert (opened.returncode, opened.stderr) == (0, "")
        assert json.loads(opened.stdout)["uid"] == "lock-1"
        assert "the-key" not in opened.stdout
        assert foreign.returncode == errors.AuthenticationError.exit_code
        assert [request.headers.get("X-Key") for request in origin.requests] == ["the-key"]

    def test_a_file_that_others_may_read_is_not_used_and_its_cure_is_said(self, locked: Shell) -> None:
        locked("auth", "add", "lock", stdin="the-key\n")
        file = locked.home / "config" / "qetch" / "auth.json"
        file.chmod(0o644)
        result = locked.replay("extract", "https://little.example/a/cats")
        assert result.returncode == 0
        (warning,) = result.stderr.splitlines()
        assert warning.startswith("qetch: warning: going on without saved credentials: ")
        assert f"chmod 600 '{file}'" in warning
        closed = locked("extract", "https://lock.example/1")
        assert closed.returncode == errors.AuthenticationError.exit_code
        assert f"chmod 600 '{file}'" in closed.stderr

    def test_the_cure_names_the_folder_of_the_site_and_whose_the_saved_ones_are(self, locked: Shell) -> None:
        (locked.home / "sites" / "lock.yaml").write_text(LOCK.replace("name: lock", "name: bolt"))
        sites = locked.home / "sites"
        command = ("extract", "https://lock.example/1", "--sites", "sites")
        (locked.home / "config" / "qetch" / "sites" / "lock.yaml").unlink()
        result = locked(*command)
        assert only_error(result).endswith(f"bolt wants a key: run `qetch auth add bolt --sites {sites}`")
        locked("auth", "add", "bolt", "--sites", "sites", stdin="the-key\n")
        other = locked.home / "other"
        sites.rename(other)
        result = locked(*command[:-1], "other")
        assert f"what is saved for bolt is for the site file of {sites} alone - run" in only_error(result)
        assert locked("auth", "list").stdout.splitlines()[1].split() == ["bolt", "1", "value", "bolt", str(sites)]

    def test_asks_on_a_terminal_without_showing_the_secret(self, locked: Shell) -> None:
        master, slave = pty.openpty()
        # Its own session: it has no other terminal to ask on than this one.
        with locked.start(
            "auth", "add", "door", stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        ) as process:
            os.close(slave)
            shown = read_until(master, b"username for door: ")
            os.write(master, b"me\n")
            shown += read_until(master, b"password for door: ")
            os.write(master, b"the-password\n")
            shown += read_all(master)
            process.wait(60)
        assert process.returncode == 0
        assert b"the-password" not in shown
        assert saved_file(locked)["door"]["values"] == ["me", "the-password"]

    def test_the_end_of_the_input_at_a_prompt_is_no_value(self, locked: Shell) -> None:
        master, slave = pty.openpty()
        with locked.start(
            "auth", "add", "lock", stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        ) as process:
            os.close(slave)
            read_until(master, b"key for lock: ")
            os.write(master, b"\x04")
            shown = read_all(master)
            process.wait(60)
        assert process.returncode == errors.UserError.exit_code
        assert b"no key given" in shown
        assert b"Traceback" not in shown
