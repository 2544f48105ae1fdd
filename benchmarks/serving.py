"""What the benchmarks of downloads share: servers on this machine, and what a process costs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Command = Sequence[str | Path]

MIB = 1 << 20
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; keepalive_requests 100000; {temp}
  server {{ listen 127.0.0.1:{port}; {tls} root {folder}/files; }}
}}
"""


class Cost(NamedTuple):
    """What a process took: seconds on the clock and of the processor, its most memory in MiB, and what it measured.

    The last is the one number that it printed; the seconds on the clock if it printed nothing.
    """

    wall: float
    cpu: float
    memory: float
    inside: float


def cost(command: Command, env: Mapping[str, str]) -> Cost:
    start = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
    with process.stdout or sys.stdin.buffer as stdout:
        said = stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed with {process.returncode}: {' '.join(map(str, command))}")
    try:
        inside = float(said)
    except ValueError:  # paths, or nothing
        inside = wall
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, inside)


def rounds(
    cases: Mapping[str, Command],
    env: Mapping[str, str],
    runs: int,
    clear: Callable[[], object],
    check: Callable[[str], object] = str,
) -> dict[str, Cost]:
    """The medians of each case, taken in turn; the first round only warms up.

    Args:
        cases: The command lines.
        env: Of the processes.
        runs: How many rounds count.
        clear: Called before each process.
        check: Called with the name of the case after each.
    """
    found: dict[str, list[Cost]] = {name: [] for name in cases}
    for number in range(runs + 1):
        for name, command in cases.items():
            clear()
            taken = cost(command, env)
            check(name)
            if number:
                found[name].append(taken)
    return {name: Cost(*(median(column) for column in zip(*costs, strict=True))) for name, costs in found.items()}


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder with `files`, `out` and `home` in it, where files are memory if there is such a place."""
    fast = Path("/dev/shm")
    with TemporaryDirectory(dir=fast if fast.is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the workers of nginx may be somebody else
        for part in ("files", "out", "home"):
            (folder / part).mkdir()
        yield folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def nginx(folder: Path, *, tls: bool = False, limit: int = 0) -> Iterator[str]:
    """The URL of an nginx that serves `folder/files`."""
    port, folder = free_port(), folder.absolute()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temp = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    secure = f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;" if tls else ""
    listen = f"{port} ssl" if tls else str(port)
    secure += f" limit_rate {limit};" if limit else ""
    config = folder / f"nginx{port}.conf"
    config.write_text(NGINX.format(folder=folder, temp=temp, tls=secure, port=listen))
    path = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    process = subprocess.Popen([path or "nginx", "-c", config], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.05)
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def slow_origin(path: Path, rate: int, stuck: int = 0) -> Iterator[str]:
    """The URL of `slow_origin.py`, a process of its own, so that it does not slow down or swell what is measured."""
    script = Path(__file__).with_name("slow_origin.py")
    command = [sys.executable, str(script), str(path), str(rate), str(stuck)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield (process.stdout or sys.stdin).readline().strip()
        finally:
            process.terminate()


def certificate(folder: Path) -> bool:
    """Whether there is a certificate for 127.0.0.1 in the folder now."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem")]
    command += ["-out", str(folder / "cert.pem")]
    return shutil.which("openssl") is not None and subprocess.run(command, capture_output=True).returncode == 0
