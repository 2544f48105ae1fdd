"""A folder of its own with small sites and their answers, and a qetch that runs there as a process."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
CASSETTES = ROOT / "tests" / "cassettes"

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

LITTLE = r"""
qetch: 1
name: little
description: A little gallery.
domains: [little.example]
request: {as: json, base: "https://api.little.example/"}
handles:
  album:
    match: '^https?://little\.example/a/(?P<id>\w+)$'
    examples: ["https://little.example/a/cats"]
    get: "albums/{id}"
    each:
      in: items
      content:
        uid: id
        title: title
        uploaded_date: time
        metadata: "@"
        variants: {full: full, small: small}
"""

CLOSED = r"""
qetch: 1
name: closed
description: A site that is no more.
domains: [closed.example]
status: dead
note: closed on 2023-09-01
request: {as: json, base: "https://api.closed.example/"}
handles:
  item:
    match: '^https?://closed\.example/(?P<id>\d+)$'
    examples: ["https://closed.example/1"]
    get: "{id}"
    content: {uid: id, file: null}
""".replace("content: {uid: id, file: null}", "content: {uid: id, url: link}")


ITEMS = [
    {"id": 1, "title": "A cat", "time": 1500000000, "full": "https://files.little.example/1.png", "small": None},
    {
        "id": 2,
        "title": "../Ünïcode/\u001b[2J",
        "time": 1500000001,
        "full": "https://files.little.example/2.png",
        "small": "https://files.little.example/2s.png",
    },
]

ANSWERS: dict[str, tuple[int, Any]] = {
    "https://api.little.example/albums/cats": (200, {"items": ITEMS}),
    "https://api.little.example/albums/none": (200, {"items": []}),
    "https://api.little.example/albums/half": (
        200,
        {"items": [{**ITEMS[0], "full": "https://files.little.example/lost.png"}, ITEMS[1]]},
    ),
    "https://api.little.example/albums/changed": (200, {"elements": []}),
    "https://api.little.example/albums/secret": (403, {}),
    "https://api.little.example/albums/missing": (404, {}),
    "https://api.little.example/albums/broken": (200, "<html>oops</html>"),
    "https://files.little.example/1.png": (200, PNG),
    "https://files.little.example/2.png": (200, PNG + b"2"),
    "https://files.little.example/lost.png": (404, b""),
    "https://plain.example/some%20file.png": (200, PNG),
}


def make_shell(folder: Path) -> Shell:
    """A shell in a folder with two sites and their cassettes."""
    for name in ("sites", "cassettes"):
        (folder / name).mkdir()
    (folder / "sites" / "little.yaml").write_text(LITTLE)
    (folder / "sites" / "closed.yaml").write_text(CLOSED)
    (folder / "cassettes" / "all.yaml").write_text(cassette(ANSWERS))
    return Shell(folder)


def cassette(answers: dict[str, tuple[int, Any]]) -> str:
    """Answers to GET requests, as vcr writes them."""
    interactions = []
    for url, (status, body) in answers.items():
        kind = "image/png" if isinstance(body, bytes) else "application/json"
        string = json.dumps(body) if isinstance(body, (dict, list)) else body
        interactions.append(
            {
                "request": {"method": "GET", "uri": url, "body": None, "headers": {}},
                "response": {
                    "status": {"code": status, "message": "-"},
                    "headers": {"Content-Type": [kind]},
                    "body": {"string": string},
                },
            }
        )
    return yaml.safe_dump({"interactions": interactions, "version": 1})


def only_error(result: subprocess.CompletedProcess[str]) -> str:
    """The one line of stderr, which must be an error."""
    (line,) = result.stderr.splitlines()
    assert line.startswith("qetch: error: "), line
    return line


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


def read_until(terminal: int, end: bytes) -> bytes:
    """What a terminal shows until it shows `end`."""
    shown = b""
    while end not in shown:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, shown
        shown += os.read(terminal, 65536)
    return shown


def read_all(terminal: int) -> bytes:
    """What a terminal shows until nobody holds its other end; closes it."""
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            piece = b""
        if not piece:
            os.close(terminal)
            return shown
        shown += piece


@dataclass
class Shell:
    """Runs qetch in a folder of its own."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            "TERM": "xterm",
            **self.variables,
        }

    def start(self, *words: str, **kwargs: Any) -> subprocess.Popen[str]:
        measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        command = [sys.executable, "-W", "error", "-m", "qetch", *words]
        return subprocess.Popen(command, cwd=self.home, env={**measured, **self.environment}, text=True, **kwargs)

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        pipe = subprocess.PIPE
        with self.start(*words, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            out, err = process.communicate(stdin, timeout=60)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def python(self, code: str) -> str:
        """What a piece of Python prints."""
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, cwd=self.home, env=self.environment, stdout=-1, text=True, check=True)
        return run.stdout

    def replay(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self(*words, "--sites", "sites", "--replay", "cassettes")
