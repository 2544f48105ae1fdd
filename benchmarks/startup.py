"""How long a process takes that only says its version, or only says whose URL it is."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from composed import write_variants
from measure import Home, interleaved, peer, runs_wanted, table

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTS = (3, 100, 1000)
"""Specs in the user's folder; those of the package come on top."""


def main() -> None:
    runs = runs_wanted(__doc__)
    with TemporaryDirectory() as folder:
        home = Home(Path(folder))
        peers = {name: peer(name) for name in ("gallery-dl", "yt-dlp")}
        versions: dict[str, Sequence[str | Path]] = {
            "qetch --version": home.qetch("--version"),
            "python -m qetch --version": [sys.executable, "-m", "qetch", "--version"],
        }
        versions |= {f"{name} --version": [path, "--version"] for name, path in peers.items() if path}
        versions["python -c pass"] = [sys.executable, "-c", "pass"]
        show("A process", interleaved({name: partial(home.process, words) for name, words in versions.items()}, runs))
        matches(home, peers["gallery-dl"], runs)


def matches(home: Home, gallery_dl: str | None, runs: int) -> None:
    cases, cold = {}, []
    for count in COUNTS:
        folder = home.folder / f"sites{count}"
        write_variants(folder, count)
        # The last variant of the first shipped spec, an image board.
        number = (count - 1) // 3 * 3
        words = home.qetch("match", f"https://boards.4chan{number}.org/po/thread/570368")
        run = partial(home.process, words, QETCH_SITES=str(folder))
        cold.append((f"{count:,} specs", f"{run():.2f} s"))
        cases[f"qetch match, {count:,} specs"] = run
    if gallery_dl:
        # Finds the extractor of the URL, makes one, and prints its defaults: the nearest that needs no network.
        info = [gallery_dl, "--extractor-info", "https://i.imgur.com/21yMxCS.png"]
        cases["gallery-dl --extractor-info"] = partial(home.process, info)
    show("Whose URL is it? A fresh process, index warm", interleaved(cases, runs))
    table("The first process after all specs changed, which makes the index", ["", "once"], cold)


def show(title: str, medians: dict[str, float]) -> None:
    unit = next(iter(medians.values()))
    rows = [(name, f"{value * 1000:.1f} ms", f"{value / unit:.2f}") for name, value in medians.items()]
    table(title, ["", "median", "ratio"], rows)


if __name__ == "__main__":
    main()
