"""What `qetch get` shows while it downloads, how it ends by Ctrl-C, and its flags about connections."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from qetch.downloaders._journal import HEADER
from tests.origin import Origin, Reply, Request, ranged
from tests.proxy import Proxy
from tests.secure import Authority
from tests.sessions import SECRET
from tests.shell import LITTLE, PNG, Shell, make_shell, only_error, read_all, read_until, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

BIG = bytes(range(251)) * 40_000
TAG = {"ETag": '"1"'}
AGAIN = "qetch: interrupted - run the same command again to go on from here\n"


@pytest.fixture
def shell(tmp_path) -> Shell:
    return make_shell(tmp_path)


def plain(drawn: bytes) -> str:
    """What a terminal showed, without what steers it."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode())


def on_terminal(shell: Shell, *words: str) -> tuple[int, str, str]:
    """The exit code, what was printed, and what the terminal showed, which is stderr alone."""
    master, slave = pty.openpty()
    with shell.start(*words, stdout=subprocess.PIPE, stderr=slave) as process:
        os.close(slave)
        drawn = read_all(master)
        out, _ = process.communicate(timeout=60)
    return process.returncode, out, plain(drawn)


class Stalling:
    """A script that serves ranges until it was asked for `after` of them, and then sends half of each and no more."""

    def __init__(self, body: bytes, after: int = 2, headers: dict[str, str] | None = None) -> None:
        self.serve, self.left = ranged(body, TAG if headers is None else headers), after
        self.stalled, self.hold = threading.Semaphore(0), threading.Event()
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Any:
        self.asked.append(request.headers.get("Range", ""))
        reply = self.serve(request)
        self.left -= 1
        return reply if self.left >= 0 or self.hold.is_set() else self.half(reply)

    def half(self, reply: Reply) -> Iterator[bytes]:
        headers = {**reply.headers, "Content-Length": str(len(reply.body))}
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        body = reply.body if isinstance(reply.body, bytes) else b""
        yield "\r\n".join(lines).encode() + body[: len(body) // 2]
        self.stalled.release()
        self.hold.wait()


# Progress


def test_a_terminal_shows_the_name_the_bytes_and_the_speed(shell: Shell) -> None:
    with Origin({"*": Reply(body=BIG[:300_000], drip=0.05, piece=10_000)}) as origin:
        code, out, drawn = on_terminal(shell, "get", origin.url("/film.bin"))
    assert code == 0
    assert "film" in drawn
    assert re.search(r"\d+(\.\d+)?/3\d\d(\.\d+)? kB", drawn), drawn
    assert re.search(r"\d kB/s", drawn), drawn
    assert re.search(r"0:00:\d\d", drawn), drawn
    assert "files" not in drawn
    assert len(out.splitlines()) == 1


def test_a_size_that_nobody_knows_is_shown_as_such(shell: Shell) -> None:
    with Origin({"*": Reply(body=BIG[:100_000], drip=0.05, piece=10_000, framing="chunked")}) as origin:
        code, _, drawn = on_terminal(shell, "get", origin.url("/film.bin"))
    assert code == 0
    assert "kB" in drawn
    assert "/?" not in drawn
    assert "\u2501" not in drawn  # what a bar is made of


def test_a_terminal_is_told_whom_qetch_asks_if_that_takes_long(shell: Shell) -> None:
    spec = LITTLE.replace("domains: [", "domains: [127.0.0.1, ").replace("little\\.example", r"127\.0\.0\.1(?::\d+)?")
    with Origin({"*": Reply(body='{"items": []}', drip=0.3, piece=1)}) as origin:
        text = spec.replace("https://api.little.example/", origin.url("/"))
        (shell.home / "sites" / "little.yaml").write_text(text.replace("https://little.example/", "http://127.0.0.1/"))
        words = ("extract", origin.url("/a/cats"), "--sites", "sites", "--allow-private")
        _, _, drawn = on_terminal(shell, *words)
        result = shell(*words)
    assert drawn.count("qetch: asking 127.0.0.1 …") == 1
    assert "asking" not in result.stderr  # nobody waits there


def test_several_files_have_a_line_for_all_of_them(shell: Shell) -> None:
    with Origin({"*": Reply(body=BIG[:100_000], drip=0.03, piece=10_000)}) as origin:
        code, out, drawn = on_terminal(shell, "get", *map(origin.url, ("/a.bin", "/b.bin", "/c.bin")))
    assert code == 0
    assert len(out.splitlines()) == 3
    assert "2 files" in drawn
    assert "3 files" in drawn
    assert re.search(r"2\d\d(\.\d)?/300(\.\d)? kB|300(\.\d)?/300(\.\d)? kB", drawn), drawn


def test_a_name_cannot_write_on_the_terminal(shell: Shell) -> None:
    with Origin({"*": Reply(body=PNG)}) as origin:
        code, _, drawn = on_terminal(shell, "get", origin.url("/%5Bred%5D%1b%5B2Jx.png"))
    assert code == 0
    assert "\x1b" not in drawn


def test_nothing_is_drawn_where_no_terminal_is_nor_when_quiet(shell: Shell) -> None:
    with Origin({"*": Reply(body=BIG[:100_000], drip=0.02, piece=10_000)}) as origin:
        result = shell("get", origin.url("/a.bin"))
        code, out, drawn = on_terminal(shell, "get", "-q", origin.url("/b.bin"))
    assert (result.returncode, result.stderr) == (0, "")
    assert (shell.home / result.stdout.rstrip("\n")).is_file()
    assert (code, out, drawn) == (0, "", "")


# Ctrl-C


@pytest.mark.parametrize("when", ["parts", "stream", "head"])
def test_ctrl_c_ends_at_once_though_the_connection_is_stalled(shell: Shell, when: str) -> None:
    script: Any = Stalling(
        BIG, after={"parts": 2, "stream": 0, "head": 0}[when], headers=TAG if when == "parts" else {}
    )
    if when == "head":
        script.half = lambda reply: (script.stalled.release(), script.hold.wait(), b"")[2]
    with Origin({"*": script}) as origin:
        try:
            pipe = subprocess.PIPE
            with shell.start("get", origin.url("/a.bin"), "--timeout", "600", stdout=pipe, stderr=pipe) as process:
                script.stalled.acquire(timeout=60)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)  # the connection itself would last ten minutes
        finally:
            script.hold.set()
    assert process.returncode == 130
    kept = bool(list(shell.home.glob("*.qetch-part")))
    assert kept == (when == "parts")
    assert (out, err) == ("", AGAIN if kept else AGAIN.replace("go on from here", "begin anew"))
    assert not list(shell.home.glob("*.bin"))


def test_ctrl_c_in_the_terminal_leaves_it_in_order(shell: Shell) -> None:
    script = Stalling(BIG, after=1)
    master, slave = pty.openpty()
    with Origin({"*": script}) as origin:
        try:
            with shell.start("get", origin.url("/a.bin"), stdout=slave, stderr=slave) as process:
                os.close(slave)
                shown = read_until(master, b"/10.0 MB")
                script.stalled.acquire(timeout=60)
                process.send_signal(signal.SIGINT)
                shown += read_all(master)
                process.wait(60)
        finally:
            script.hold.set()
    assert process.returncode == 130
    assert "the same command again" in plain(shown)
    assert b"Traceback" not in shown
    assert shown.count(b"\x1b[?25h") >= shown.count(b"\x1b[?25l")  # the cursor is visible again


def test_the_same_command_goes_on_where_ctrl_c_stopped_it(shell: Shell) -> None:
    script = Stalling(BIG, after=3)
    with Origin({"*": script}) as origin:
        pipe = subprocess.PIPE
        with shell.start("get", origin.url("/a.bin"), stdout=pipe, stderr=pipe) as process:
            script.stalled.acquire(timeout=60)
            wait_for(lambda: any(path.read_bytes()[HEADER:][:1] == b"\x01" for path in shell.home.glob("*.journal")))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        assert {path.suffix for path in shell.home.glob("*.bin*")} == {".qetch-part", ".journal"}
        script.hold.set()
        script.asked.clear()
        result = shell("get", origin.url("/a.bin"))
    assert (result.returncode, result.stderr) == (0, "")
    assert (shell.home / result.stdout.rstrip("\n")).read_bytes() == BIG
    assert not any("bytes=0-" in asked for asked in script.asked)
    assert not list(shell.home.glob("*.qetch-part*"))


def test_what_ctrl_c_cuts_off_over_tls_leaves_no_wrong_bytes(shell: Shell, tmp_path) -> None:
    authority = Authority(tmp_path)
    with authority.origin({"*": ranged(BIG * 4, TAG)}) as origin:
        words = ("get", origin.url("/a.bin"), "--cacert", str(authority.ca_file), "--limit-rate", "20M")
        for delay in (0.05, 0.1, 0.15, 0.2):
            with shell.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                wait_for(lambda: list(shell.home.glob("*.qetch-part")) or process.poll() is not None)
                time.sleep(delay)
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=60)
        result = shell(*words, "--force")
    assert (result.returncode, result.stderr) == (0, "")
    assert (shell.home / result.stdout.rstrip("\n")).read_bytes() == BIG * 4


# Flags


@pytest.mark.parametrize(
    "words",
    [
        ("--connections", "0"),
        ("--connections", "many"),
        ("--connections", "1000"),
        ("--limit-rate", "0"),
        ("--limit-rate", "fast"),
        ("--limit-rate", "5x"),
        ("--limit-rate", "-1"),
        ("--timeout", "0"),
        ("--timeout", "soon"),
        ("--limit-rate",),
    ],
)
def test_a_flag_that_makes_no_sense_is_said(shell: Shell, words: tuple[str, ...]) -> None:
    result = shell("get", "https://files.example/a.png", *words)
    assert result.returncode == 2
    assert words[0] in only_error(result)


def test_a_proxy_or_file_that_makes_no_sense_is_said_without_its_password(shell: Shell) -> None:
    result = shell("get", "https://files.example/a.png", "--proxy", f"socks5://me:{SECRET}@host:1")
    assert result.returncode == 4
    assert "http://host:8080" in only_error(result)
    assert SECRET not in result.stderr
    result = shell("get", "https://files.example/a.png", "--cacert", "nowhere.pem")
    assert result.returncode == 4
    assert "--cacert nowhere.pem: no such file" in only_error(result)


@pytest.mark.parametrize(("rate", "value"), [("500k", 512_000), ("2M", 2 << 20), ("1.5m", 3 << 19), ("1G", 1 << 30)])
def test_a_rate_is_read_as_other_tools_read_it(rate: str, value: int) -> None:
    from qetch.cli.connection import _rate

    assert _rate(rate) == value


def test_a_rate_is_kept(shell: Shell) -> None:
    body = BIG[:1_000_000]
    with Origin({"*": ranged(body, TAG)}) as origin:
        begun = time.monotonic()
        result = shell("get", origin.url("/a.bin"), "--limit-rate", "1M")
        seconds = time.monotonic() - begun
    assert result.returncode == 0
    assert seconds > 0.8


def test_the_number_of_connections_is_kept(shell: Shell) -> None:
    with Origin({"*": ranged(BIG, TAG)}) as origin:
        result = shell("get", origin.url("/a.bin"), "--connections", "1", "--mtime")
    assert (result.returncode, result.stderr) == (0, "")
    assert origin.connections <= 2  # the first request's connection may be given up
    assert len(origin.requests) > 1


def test_more_connections_than_usual_can_be_asked_for(shell: Shell) -> None:
    with Origin({"*": ranged(BIG * 2, TAG)}) as origin:
        result = shell("get", origin.url("/a.bin"), "--connections", "24")
    assert (result.returncode, result.stderr) == (0, "")


def test_requests_of_the_site_and_of_the_file_go_through_the_proxy(shell: Shell) -> None:
    with Proxy(f"me:{SECRET}") as proxy, Origin({"*": Reply(body=PNG)}) as origin:
        url = f"http://files.example:{origin.port}/a.png"
        result = shell("get", url, "--proxy", proxy.url(f"me:{SECRET}"))
        assert (result.returncode, result.stderr) == (0, "")
        assert proxy.seen == [("GET", url)]
        refused = shell("get", url, "--proxy", proxy.url("me:other"), "--force")
    assert refused.returncode == 4
    assert "407" in only_error(refused)


def test_an_empty_proxy_means_none(shell: Shell) -> None:
    shell.variables["http_proxy"] = "http://127.0.0.1:1"
    with Origin({"*": Reply(body=PNG)}) as origin:
        assert shell("get", origin.url("/a.png")).returncode == 7
        assert shell("get", origin.url("/a.png"), "--proxy", "").returncode == 0


def test_a_certificate_is_trusted_by_its_file_or_by_a_clear_word(shell: Shell, tmp_path) -> None:
    authority = Authority(tmp_path)
    with authority.origin({"*": Reply(body=PNG)}) as origin:
        url = origin.url("/a.png")
        assert "identity" in only_error(shell("get", url))
        trusted = shell("get", url, "--cacert", str(authority.ca_file))
        assert (trusted.returncode, trusted.stderr) == (0, "")
        blind = shell("get", url, "--no-check-certificate", "--force")
    assert blind.returncode == 0
    assert blind.stderr.startswith("qetch: warning: certificates are not checked")
    assert len(blind.stderr.splitlines()) == 1


def test_a_file_gets_the_time_of_its_host(shell: Shell) -> None:
    headers = {"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}
    with Origin({"*": Reply(headers=headers, body=PNG)}) as origin:
        result = shell("get", origin.url("/a.png"), "--mtime")
    assert (shell.home / result.stdout.rstrip("\n")).stat().st_mtime == 784_111_777


def test_a_timeout_counts_for_every_request(shell: Shell) -> None:
    with Origin({"*": Reply(body=PNG, drip=5)}) as origin:
        result = shell("get", origin.url("/a.png"), "--timeout", "0.2")
    assert result.returncode == 7
    assert "in time" in only_error(result)
