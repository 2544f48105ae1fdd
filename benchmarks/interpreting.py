"""How fast answers become contents, and how much memory a long list takes that is consumed lazily."""

from __future__ import annotations

import gc
import json
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from composed import LIST_SPEC, LIST_URL, PAGE, mount, post, thread
from measure import ROOT, interleaved, runs_wanted, seconds, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.extractors import BaseExtractor

POSTS = 1000
THREAD_URL = "https://boards.4chan.org/po/thread/100000"
ROWS = (100, 10_000, 50_000)


def main() -> None:
    runs = runs_wanted(__doc__)
    with TemporaryDirectory() as folder:
        thread_of, list_of = extractors(Path(folder))
        body = thread(POSTS)
        contents = 0

        def read_thread() -> None:
            nonlocal contents
            contents = consume(thread_of, THREAD_URL, lambda _: body)

        took = interleaved({"": lambda: seconds(read_thread)}, runs)[""]
        speed = [(f"{contents:,}", f"{took * 1000:.1f} ms", f"{contents / took:,.0f}", f"{POSTS / took:,.0f}")]
        table(f"A thread of {POSTS:,} posts", ["contents", "all of it", "contents/s", "posts/s"], speed)
        lazy = {rows: peak(list_of, rows) for rows in ROWS}
        kept = {rows: peak(list_of, rows, keep=True) for rows in ROWS[:-1]}
    peaks = [(f"{rows:,}", kib(lazy[rows]), kib(kept[rows]) if rows in kept else "-") for rows in ROWS]
    table(f"Peak memory for a list with {PAGE} rows a page", ["rows", "consumed lazily", "all kept"], peaks)
    growth = (lazy[ROWS[-1]] - lazy[ROWS[0]]) / (ROWS[-1] - ROWS[0])
    print(f"\nEach row consumed lazily leaves {growth:.0f} bytes behind: its uid, so that nothing is given twice.")


def extractors(folder: Path) -> tuple[type[BaseExtractor], type[BaseExtractor]]:
    """Of the shipped image board, and of a list that goes on as long as one likes."""
    from qetch.extractors._spec import make_extractor
    from qetch.spec import read

    file = folder / "list.yaml"
    file.write_text(LIST_SPEC)
    return make_extractor(read(ROOT / "sites" / "4chan.yaml")), make_extractor(read(file))


def consume(make: type[BaseExtractor], url: str, answer: Callable[[str], bytes], *, keep: bool = False) -> int:
    """How many contents a URL gives; none of them lives longer than its turn, or else all of them do."""
    extractor = make()
    mount(extractor.session, answer)
    kept, found = [], 0
    for contents in extractor.extract(url):
        found += len(contents)
        if keep:
            kept.append(contents)
    extractor.session.close()
    return found


def peak(make: type[BaseExtractor], rows: int, *, keep: bool = False) -> int:
    """Bytes at most in use while so many rows are consumed, above those before."""
    consume(make, LIST_URL, lambda url: page(url, PAGE))  # what is made once, such as imports
    gc.collect()
    tracemalloc.start()
    found = consume(make, LIST_URL, lambda url: page(url, rows), keep=keep)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if found != rows:
        raise SystemExit(f"{found} contents of {rows} rows")
    return most


def kib(size: int) -> str:
    return f"{size / 1024:,.0f} KiB"


def page(url: str, rows: int) -> bytes:
    """The answer for one page of a list; an empty one behind its end."""
    number = int(parse_qs(urlsplit(url).query)["page"][0]) - 1
    posts: list[Any] = [post(row) for row in range(number * PAGE, min((number + 1) * PAGE, rows))]
    return json.dumps({"posts": posts}).encode()


if __name__ == "__main__":
    main()
