"""How fast many files come, beside aria2c, curl and parfive, from servers on this machine; and what a client costs.

Needs nginx; the peers and openssl are used if they are installed. Takes about 1 GiB of /dev/shm.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any

from measure import Home, peer, table
from serving import MIB, Cost, certificate, nginx, rounds, slow_origin, workshop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serving import Command

AIMS = {"aria2c": 2.0, "parfive": 1.0, "curl": 0.5}
"""How many times as long as qetch each may take, at least."""
RATE = 2_000_000
"""Bytes a second that the slow host gives to each connection."""
CONNECTIONS = 8
FETCHER = Path(__file__).with_name("fetcher.py")


def fill(folder: Path, sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        (folder / name).write_bytes(os.urandom(size))


def empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def put_aside(folder: Path) -> None:
    """Empties a folder, and deletes nothing: a file system may take longer for new files after many deletions."""
    if folder.is_dir():
        folder.rename(mkdtemp(dir=folder.parent))
    folder.mkdir()


def listed(path: Path, urls: Iterable[str]) -> Path:
    path.write_text("".join(f"{url}\n" for url in urls))
    return path


def script(case: str, urls: Path, out: Path, *words: str) -> Command:
    return [sys.executable, FETCHER, case, urls, out, *words]


def told(home: Home, case: str, urls: Path, out: Path, *words: str) -> Any:
    """What a case in a process of its own printed."""
    empty(out)
    done = subprocess.run(script(case, urls, out, *words), env=home.env, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


# --- many small files


def commands(home: Home, urls: list[str], folder: Path, out: Path, ca: Path | None) -> dict[str, Command]:
    """How each program is told to fetch a list, 8 files at a time."""
    plain = listed(folder / "list.txt", urls)
    config = folder / "list.curl"
    config.write_text("".join(f'url="{url}"\noutput="{out / url.rpartition("/")[2]}"\n' for url in urls))
    get = home.qetch("get", "-q", "-i", str(plain), "-j8", "-o", str(out), "--allow-private")
    if ca:
        get += ["--cacert", ca]
    cases: dict[str, Command] = {
        "qetch get": get,
        "the library": script("library", plain, out),
    }
    trust = [f"--ca-certificate={ca}"] if ca else []
    if path := peer("aria2c"):
        cases["aria2c"] = [path, "-q", "-j8", "--file-allocation=none", *trust, "-d", out, "-i", plain]
    if find_spec("parfive"):
        cases["parfive"] = script("parfive", plain, out)
    else:
        print("parfive is not installed, and left out")
    if path := peer("curl"):  # which reads SSL_CERT_FILE
        cases["curl"] = [path, "-s", "--no-progress-meter", "-Z", "--parallel-max", "8", "-K", config]
    return cases


def show(title: str, costs: Mapping[str, Cost]) -> None:
    first, second = costs["qetch get"].wall, costs["the library"].wall
    rows = [
        (
            name,
            f"{c.wall:.2f} s",
            f"{c.inside:.2f} s" if c.inside != c.wall else "",
            f"{c.wall / first:.2f}",
            f"{c.wall / second:.2f}",
            f"{AIMS[name]:.1f}" if name in AIMS else "",
            f"{c.cpu:.2f} s",
            f"{c.memory:.0f} MiB",
        )
        for name, c in costs.items()
    ]
    head = ["", "wall", "inside", "its / get's", "its / library's", "aim", "cpu", "memory"]
    table(title, head, rows)


def compare(
    title: str, folder: Path, home: Home, runs: int, out: Path, *, tls: bool = False, disk: bool = False
) -> None:
    sizes = {f"file{number:05}.bin": 20_000 for number in range(2000)}
    fill(folder / "files", sizes)

    def check(name: str) -> None:
        found = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
        if found != [*sizes.values()]:
            raise SystemExit(f"{name} left {len(found)} files of {sum(found)} bytes")

    ca = folder / "cert.pem" if tls else None
    env = {**home.env, "SSL_CERT_FILE": str(ca)} if ca else home.env
    with nginx(folder, tls=tls) as url:
        cases = commands(home, [f"{url}/{name}" for name in sizes], folder, out, ca)
        if disk:
            cases["the library without fsync"] = script("library", folder / "list.txt", out, "nosync")
        clear = partial(put_aside if disk else empty, out)
        show(f"2,000 files of 20 kB, 8 at a time{title}", rounds(cases, env, runs, clear, check))
    empty(folder / "files")


def small(folder: Path, home: Home, runs: int) -> None:
    """2,000 files of 20 kB."""
    compare("", folder, home, runs, folder / "out")


def disk(folder: Path, home: Home, runs: int) -> None:
    """The same on a disk, where it counts who waits until it has everything: of these only qetch."""
    with TemporaryDirectory() as name:
        compare(", on a disk", folder, home, runs, Path(name) / "out", disk=True)


def tls(folder: Path, home: Home, runs: int) -> None:
    """The same over TLS."""
    if certificate(folder):
        compare(", over TLS", folder, home, runs, folder / "out", tls=True)


def overhead(folder: Path, home: Home, runs: int) -> None:
    """What the client adds to the downloader, all in one process."""
    sizes = {f"file{number:05}.bin": 20_000 for number in range(2000)}
    fill(folder / "files", sizes)
    with nginx(folder) as url:
        urls = listed(folder / "list.txt", (f"{url}/{name}" for name in sizes))
        found = told(home, "overhead", urls, folder / "out", str(runs))
    wall, cpu = found["the downloader alone"]
    rows = [
        (name, f"{w:.2f} s", f"{(w / wall - 1) * 100:+.1f} %", f"{c:.2f} s", f"{(c / cpu - 1) * 100:+.1f} %")
        for name, (w, c) in found.items()
    ]
    table("2,000 files of 20 kB in 8 threads (aim: +15 %)", ["", "wall", "more", "cpu", "more"], rows)
    empty(folder / "files")


# --- memory


def memory(folder: Path, home: Home, _: int) -> None:
    """10,000 files of 1 kB, whose reports nobody keeps."""
    sizes = {f"file{number:05}.bin": 1000 for number in range(10_000)}
    fill(folder / "files", sizes)
    rows = []
    with nginx(folder) as url:
        urls = listed(folder / "list.txt", (f"{url}/{name}" for name in sizes))
        for name, words in (("each", ()), ("each, with events and archive", ("events",))):
            found: dict[str, float] = told(home, "memory", urls, folder / "out", *words)
            a_file = (found["10000"] - found["1000"]) * MIB / 9000
            rows.append((name, *(f"{value:.1f} MiB" for value in found.values()), f"{a_file:.0f} bytes"))
    head = ["", "at first", "after 1,000", "after 10,000", "peak", "for each file more"]
    table("10,000 files of 1 kB: memory", head, rows)
    empty(folder / "files")


# --- two hosts


def hosts(folder: Path, home: Home, runs: int) -> None:
    """100 files over two hosts, of which one is slow: who waits for it, and is it kept busy?"""
    chance = random.Random(5)
    sizes = {f"file{number:03}.bin": int(50_000 * 160 ** chance.random()) for number in range(100)}
    slow = [name for name in sizes if chance.random() < 0.5]
    fill(folder / "files", sizes)
    total = sum(sizes[name] for name in slow)
    ideal = total / (CONNECTIONS * RATE)
    with nginx(folder) as fast, slow_origin(folder / "files", RATE) as origin:
        origin = origin.rstrip("/").replace("127.0.0.1", "localhost")
        mixed = [f"{origin if name in slow else fast}/{name}" for name in sizes]
        orders = {
            "mixed": mixed,
            "the slow host first": sorted(mixed, key=lambda url: url.startswith(fast)),
            "the slow host last": sorted(mixed, key=lambda url: not url.startswith(fast)),
        }
        rows = []
        for way in ("swarm", "fetch"):
            for order, urls in orders.items():
                path = listed(folder / "list.txt", urls)
                took = median(told(home, "hosts", path, folder / "out", way) for _ in range(runs))
                rows.append((f"{way}, {order}", f"{took:.2f} s", f"{(took / ideal - 1) * 100:+.1f} %"))
    title = f"100 files of 50 kB to 8 MB, {len(slow)} of them ({total / 1e6:.0f} MB) from a host that gives "
    title += f"{CONNECTIONS} x {RATE / 1e6:.0f} MB/s ({ideal:.2f} s; aim: +10 %)"
    table(title, ["", "median", "more"], rows)
    empty(folder / "files")


# --- asyncio


def lag(folder: Path, home: Home, runs: int) -> None:
    """How late a loop is while files are downloaded."""
    files = folder / "files"
    fill(files, {f"file{number}.bin": 1000 for number in range(1000)})
    with (files / "large0.bin").open("wb") as opened:
        for _ in range(100):
            opened.write(os.urandom(1_000_000))
    for number in range(1, 8):
        (files / f"large{number}.bin").hardlink_to(files / "large0.bin")
    rows = []
    with nginx(folder) as url:
        large = listed(folder / "large.txt", (f"{url}/large{number}.bin" for number in range(8)))
        tiny = listed(folder / "small.txt", (f"{url}/file{number}.bin" for number in range(1000)))
        cases = {
            "nothing": (large, "idle"),
            "afetch, 8 of 100 MB": (large, "afetch"),
            "aeach, 8 of 100 MB": (large, "aeach"),
            "aeach, 1,000 of 1 kB": (tiny, "aeach"),
        }
        late: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(runs):
            for name, (urls, way) in cases.items():
                late[name] += told(home, "lag", urls, folder / "out", way)
    for name, values in late.items():
        shown = (median(values), quantiles(values, n=100)[-1], max(values))
        rows.append((name, *(f"{value:.1f} ms" for value in shown), f"{len(values)}"))
    table("How late an asyncio loop is meanwhile (aim: 20 ms)", ["", "median", "99 %", "most", "times"], rows)
    empty(files)


CASES = {case.__name__: case for case in (small, disk, tls, overhead, memory, hosts, lag)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs to take the median of (default: %(default)s)")
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], help="only these tables")
    arguments = parser.parse_args()
    with workshop() as folder:
        home = Home(folder / "home")
        for name in arguments.cases or CASES:
            CASES[name](folder, home, max(arguments.runs, 1))


if __name__ == "__main__":
    main()
