"""Runs small specs against a scripted server on this machine, for the tests of the engine."""

from __future__ import annotations

import itertools
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from textwrap import dedent, indent
from types import new_class
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

import qetch.spec
from qetch.auth import AuthRegistry
from qetch.errors import QetchError
from qetch.extractors._spec import SpecExtractor, make_extractor
from qetch.extractors.registry import registry
from qetch.session import NetworkAdapter
from tests.origin import Origin, Reply
from tests.sessions import plain_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from qetch.content import Content
    from qetch.session import Session
    from tests.origin import Request

Failure = TypeVar("Failure", bound=QetchError)

SITE = """\
qetch: 1
name: {name}
description: A site for tests.
domains: [{host}]
request: {{{request}base: "http://{host}:{port}/"}}
{top}
handles:
"""
HANDLE = """\
  {name}:
    match: '{match}'
    examples: ["{example}"]
{block}
"""
PICTURES = "each: {in: items, content: {uid: id, title: title, url: url}}"
"""A block for the list that `pictures` makes."""
_numbers = itertools.count()


class Patient(NetworkAdapter):
    """Sends over the network, and notes how long it was told to wait instead of waiting."""

    def __init__(self, owner: Session) -> None:
        super().__init__(owner)
        self.waits: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)


@dataclass
class Outcome:
    """What a run came to: its lists, what it left out, what it asked, and how long it was told to wait."""

    lists: list[list[Content]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    error: QetchError | None = None

    @property
    def uids(self) -> list[str]:
        """The uid of the best of each item, without the site's name."""
        return [contents[0].uid.removeprefix("here-") for contents in self.lists]

    @property
    def only(self) -> Content:
        """The content of a run that gave exactly one."""
        [[content]] = self.lists
        return content

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


def reply(data: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON answer."""
    return Reply(status, {"Content-Type": "application/json", **headers}, json.dumps(data))


def page(html: str, status: int = 200) -> Reply:
    """An HTML answer."""
    return Reply(status, {"Content-Type": "text/html; charset=utf-8"}, html)


def picture(number: int | str, **more: Any) -> dict[str, Any]:
    return {"id": f"p{number}", "url": f"/files/{number}.png", **more}


def pictures(*numbers: int | str, **more: Any) -> Reply:
    """A list of pictures, and whatever else the answer holds."""
    return reply({"items": [picture(number) for number in numbers], **more})


def handle(name: str, block: str, match: str = "", example: str = "", host: str = "127.0.0.1") -> str:
    """The text of one handle; without `match` it claims /<name>."""
    dotted = host.replace(".", r"\.")
    return HANDLE.format(
        name=name,
        match=match or rf"^http://{dotted}(?::\d+)?/{name}(?:[/?#]|$)",
        example=example or f"http://{host}/{name}",
        block=indent(dedent(block).strip("\n"), "    "),
    )


def site_text(
    origin: Origin, block: str, *, more: str = "", top: str = "", request: str = "as: json", match: str = "", example: str = "",
    name: str = "here", host: str = "127.0.0.1",
) -> str:  # fmt: skip
    """The text of a spec with the handle `start`; `more` holds other handles, `top` other top-level words."""
    request = f"{request}, " if request else ""
    head = SITE.format(name=name, host=host, port=origin.port, request=request, top=dedent(top).strip("\n"))
    return head + handle("start", block, match, example, host) + more


def make(folder: Path, text: str) -> type[SpecExtractor]:
    """The extractor class of a spec's text."""
    file = folder / f"site{next(_numbers)}.yaml"
    file.write_text(text, encoding="utf-8")
    return make_extractor(qetch.spec.read(file))


def subclass(made: type[Any], name: str = "Mine", **words: Any) -> Any:
    """A subclass as a user writes it, with the methods and attributes `words`."""
    return new_class(name, (made,), {"register": False}, lambda namespace: namespace.update(words))


def patient(extractor: SpecExtractor) -> Patient:
    """Lets an extractor ask this machine, without waits."""
    extractor.session.allow_private = True
    adapter = Patient(extractor.session)
    extractor.session.mount("http://", adapter)
    return adapter


@contextmanager
def at_work(folder: Path, routes: Mapping[str, Any], block: str, **words: Any) -> Iterator[tuple[Any, Origin]]:
    """An extractor and the server that it asks, for tests that look on while it runs; `words` as for `site_text`."""
    with Origin(routes) as origin:
        extractor = make(folder, site_text(origin, block, **words))()
        patient(extractor)
        with extractor.session:
            yield extractor, origin


def run(
    folder: Path, routes: Mapping[str, Any], block: str, *, url: str = "/start", auth: tuple[str, ...] | None = None, **words: Any
) -> Outcome:  # fmt: skip
    """Everything that a URL gives; an error ends it and is kept. `words` as for `site_text`."""
    outcome = Outcome()
    with at_work(folder, routes, block, **words) as (extractor, origin):
        try:
            outcome.lists.extend(extractor.extract(origin.url(url), auth=auth))
        except QetchError as error:
            outcome.error = error
        outcome.skipped = [str(skip) for skip in extractor.skipped]
        outcome.requests = origin.requests
        outcome.waits = extractor.session.get_adapter("http://").waits
    return outcome


def extract(folder: Path, routes: Mapping[str, Any], block: str, **words: Any) -> Outcome:
    """As `run`, of what must end well."""
    outcome = run(folder, routes, block, **words)
    if outcome.error:
        raise outcome.error
    return outcome


def fails(
    folder: Path, routes: Mapping[str, Any], block: str, error: type[Failure], match: str = "", **words: Any
) -> Failure:
    """The error that a run ends in."""
    with pytest.raises(error, match=match or None) as raised:
        extract(folder, routes, block, **words)
    return raised.value


def value(folder: Path, data: Any, spec: str, **words: Any) -> Any:
    """What a value gives, read from a JSON answer into a content's metadata. `spec` is YAML on one line."""
    block = f'get: "a"\ncontent: {{uid: {{text: "1"}}, url: {{text: "/f.png"}}, metadata: {{it: {spec}}}}}'
    return extract(folder, {"/a": reply(data)}, block, **words).only.metadata["it"]


def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """For fixtures: no configuration of the machine, no credentials, and specs from the folder `specs` of the test."""
    plain_environment(monkeypatch, tmp_path)
    (tmp_path / "specs").mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("QETCH_SITES", str(tmp_path / "specs"))
    registry.cache_clear()
    AuthRegistry().clear()
    yield
    AuthRegistry().clear()
    registry.cache_clear()
