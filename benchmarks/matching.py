"""How long a running program takes to say which spec claims a URL."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from composed import write_variants
from measure import interleaved, runs_wanted, seconds, table

if TYPE_CHECKING:
    from qetch.extractors.registry import Registry

COUNTS = (3, 100, 1000)
REPEATS = 2000
"""URLs that one run matches, in turn of all specs' examples."""


def main() -> None:
    runs = runs_wanted(__doc__)
    with TemporaryDirectory() as folder:
        registries = {count: registry(Path(folder), count) for count in COUNTS}
        claimed, unclaimed = {}, {}
        for count, made in registries.items():
            urls = examples(made)
            urls = (urls * (REPEATS // len(urls) + 1))[:: max(len(urls) // REPEATS, 1)]
            claimed[f"{count:,}"] = partial(microseconds, made, urls)
            unclaimed[f"{count:,}"] = partial(microseconds, made, ["https://nobody.example/some/page"] * REPEATS)
        hits, misses = interleaved(claimed, runs), interleaved(unclaimed, runs)
    rows = [(name, f"{value:.1f} µs", f"{misses[name]:.1f} µs") for name, value in hits.items()]
    table("Matching one URL, warm", ["specs", "claimed", "host unknown"], rows)


def registry(folder: Path, count: int) -> Registry:
    from qetch.extractors.registry import Registry

    sites = folder / f"sites{count}"
    write_variants(sites, count)
    made = Registry([sites], cache=folder / "cache")
    if made.problems or len(made.entries) != count:
        raise SystemExit(f"the generated specs are not all good: {made.problems[:3]}")
    return made


def examples(made: Registry) -> list[str]:
    """The examples of all specs: URLs of every kind."""
    from qetch.spec import read

    sites = [read(Path(entry.path), checked=entry.digest) for entry in made.entries]
    return [example.url for site in sites for handle in site.handles.values() for example in handle.examples]


def microseconds(made: Registry, urls: list[str]) -> float:
    """For each of the URLs."""

    def work() -> None:
        for url in urls:
            made.match(url)

    return seconds(work) / len(urls) * 1e6


if __name__ == "__main__":
    main()
