"""How fast large files come, beside aria2c, curl and wget2, from nginx on this machine.

Needs nginx; the peers and openssl are used if they are installed. Takes about 3 GiB of /dev/shm, and 8 GiB of disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from measure import ROOT, Home, peer, runs_wanted, table
from serving import MIB, Cost, certificate, cost, nginx, rounds, slow_origin, workshop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GIB = 1 << 30
RATE = 8_000_000
"""Bytes a second that the slow server gives to each connection."""
DOWNLOAD = """
import sys, time
from qetch.content import Content
from qetch.downloaders import HTTPDownloader
from qetch.extractors import GenericExtractor
url, path = sys.argv[1:]
downloader = HTTPDownloader()
content = next(GenericExtractor().extract(url))[0]
start = time.perf_counter()
downloader.download(content, path)
print(time.perf_counter() - start)
"""


def commands(home: Home, url: str, out: Path, ca: Path | None) -> dict[str, Sequence[str | Path]]:
    """How each program is told to fetch a URL over up to 8 connections."""
    trust: dict[str, list[str | Path]] = {
        "qetch": ["--cacert", ca], "aria2c": [f"--ca-certificate={ca}"], "curl": ["--cacert", ca],
        "wget2": [f"--ca-certificate={ca}"],
    } if ca else {}  # fmt: skip
    options: dict[str, list[str | Path]] = {
        "aria2c": ["-q", "-x8", "-s8", "-k1M", "--file-allocation=falloc", "-d", out.parent, "-o", out.name],
        "curl": ["-s", "-o", out],
        "wget2": ["-q", "--max-threads=8", "--chunk-size=64M", "-O", out],
    }
    cases: dict[str, Sequence[str | Path]] = {
        "qetch": [
            *home.qetch("get", url, "-q", "-f", "--allow-private", "-o", str(out.parent)),
            *trust.get("qetch", []),
        ]
    }
    for name, words in options.items():
        path = peer(name)
        if path:
            cases[name] = [path, *words, *trust.get(name, []), url]
    return cases


def show(title: str, costs: Mapping[str, Cost]) -> None:
    first = next(iter(costs.values()))
    rows = [
        (
            name,
            f"{c.wall:.2f} s",
            f"{first.wall / c.wall:.2f}",
            f"{c.cpu:.2f} s",
            f"{first.cpu / c.cpu:.2f}",
            f"{c.memory:.0f} MiB",
        )
        for name, c in costs.items()
    ]
    table(title, ["", "wall", "qetch's / its", "cpu", "qetch's / its", "memory"], rows)


def inside(url: str, out: Path, env: Mapping[str, str]) -> float:
    """Seconds that one `download` takes, without the start of the process."""
    out.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", DOWNLOAD, url, out], env=env, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def throttled(folder: Path, env: Mapping[str, str], runs: int) -> None:
    """128 MiB at 8 MB/s for each of 8 connections, and with one of them stuck at a hundredth of that."""
    file, out = folder / "files" / "slow.bin", folder / "out" / "slow.bin"
    with file.open("wb") as opened:
        for _ in range(128):
            opened.write(os.urandom(MIB))
    ideal, times = file.stat().st_size / (8 * RATE), {}
    for name, stuck in (("all 8 connections alike", 0), ("one at 1 % of the others", 1)):
        found = []
        for _ in range(runs):
            with slow_origin(file, RATE, stuck) as url:
                found.append(inside(url, out, env))
        times[name] = median(found)
    rows = [(name, f"{took:.2f} s", f"{ideal / took:.3f}") for name, took in times.items()]
    table(
        f"128 MiB, {RATE / 1e6:.0f} MB/s a connection (8 of them: {ideal:.2f} s)", ["", "median", "of the ideal"], rows
    )


def limited(folder: Path, env: Mapping[str, str], runs: int) -> None:
    """The same by nginx's own `limit_rate`, which lets each request begin with a second's worth at once."""
    file, out = folder / "files" / "slow.bin", folder / "out" / "slow.bin"
    with nginx(folder, limit=RATE) as url:
        took = median(inside(f"{url}/{file.name}", out, env) for _ in range(runs))
    share = file.stat().st_size / (8 * RATE) / took
    head = ["", "median", "of 8 x the limit"]
    table("The same file, by nginx's limit_rate", head, [("qetch", f"{took:.2f} s", f"{share:.2f}")])


def main() -> None:
    runs = runs_wanted(__doc__, 10)
    with workshop() as folder:
        home = Home(folder / "home")
        file = folder / "files" / "file.bin"
        with file.open("wb") as opened:
            for _ in range(GIB // MIB):  # in small pieces: a process inherits the peak memory of its parent
                opened.write(os.urandom(MIB))
        out = folder / "out" / "file.bin"
        clear = partial(out.unlink, missing_ok=True)
        with nginx(folder) as url:
            show(
                "1 GiB, 8 connections",
                rounds(commands(home, f"{url}/file.bin", out, None), home.env, runs, clear),
            )
        if certificate(folder):
            with nginx(folder, tls=True) as url:
                ca = folder / "cert.pem"
                show(
                    "1 GiB over TLS, 8 connections",
                    rounds(commands(home, f"{url}/file.bin", out, ca), home.env, runs, clear),
                )
        shutil.rmtree(folder / "out")
        (folder / "out").mkdir()
        throttled(folder, {**home.env, "PYTHONPATH": str(ROOT)}, runs)
        limited(folder, {**home.env, "PYTHONPATH": str(ROOT)}, runs)
        big(folder, home)


def big(folder: Path, home: Home) -> None:
    """The most memory for 8 GiB: a file with holes, so that it needs no disk here; the copy is on the disk."""
    file = folder / "files" / "big.bin"
    with file.open("wb") as opened:
        opened.truncate(8 * GIB)
    with nginx(folder) as url, TemporaryDirectory() as disk:
        if shutil.disk_usage(disk).free < 10 * GIB:
            print("\ntoo little disk for 8 GiB: left out")
            return
        taken = cost([*home.qetch("get", f"{url}/big.bin", "-q", "--allow-private", "-o", disk)], home.env)
        table("8 GiB", ["", "wall", "memory"], [("qetch", f"{taken.wall:.1f} s", f"{taken.memory:.0f} MiB")])


if __name__ == "__main__":
    main()
