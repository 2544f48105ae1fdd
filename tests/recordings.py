"""Records small sites at a server on this machine, for the tests of `qetch record`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from qetch.spec import read
from qetch.tools.examples import cases
from qetch.tools.record import Recording
from tests.engine_help import PICTURES, site_text
from tests.origin import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from qetch.spec.model import Site

KEY = "sesame/0123456789+ä"
KEYED = 'auth: {kind: key, domains: ["127.0.0.1"], headers: {X-Api-Key: "{key}"}}'
HTTP_KEY = "sesame-0123456789"


def make_site(folder: Path, origin: Origin, block: str = f'get: "a"\n{PICTURES}', **words: Any) -> Site:
    """A site whose example is at the origin."""
    words.setdefault("example", origin.url("/start"))
    file = folder / "here.yaml"
    file.write_text(site_text(origin, block, **words), encoding="utf-8")
    return read(file)


def record(site: Site, folder: Path, *, numbers: tuple[int, ...] = ()) -> Recording:
    """Records the examples of a site."""
    chosen = [case for case in cases(site) if not numbers or case.number in numbers]
    made = Recording(site, folder, whole=not numbers)
    made.prepare(dict.fromkeys(case.handle for case in chosen))
    for case in chosen:
        made.ask(case, allow_private=True)
    for name in made.kept():
        made.write(name)
    return made


def recorded(folder: Path, routes: dict[str, Any], block: str = f'get: "a"\n{PICTURES}', **words: Any) -> str:
    """The cassette of a site with one example."""
    with Origin(routes) as origin:
        made = record(make_site(folder, origin, block, **words), folder / "here")
    assert [result.problems for result in made.results] == [[]]
    assert list(made.differing()) == []
    return (folder / "here" / "start.yaml").read_text(encoding="utf-8")


def answers(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(text)["interactions"]
    return found
