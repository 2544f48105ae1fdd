"""Runs a spec while a trace looks on: now, from cassettes, and changed on the answers that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qetch.errors import QetchError
from qetch.extractors._spec import SpecExtractor, make_extractor
from qetch.replay import ReplayAdapter
from qetch.session import mount_replay
from qetch.tools.explain.compare import make_reference
from qetch.tools.explain.memory import RememberingSession
from qetch.tools.explain.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qetch.content import Content
    from qetch.extractors import BaseExtractor
    from qetch.spec.model import Site
    from qetch.tools.explain.compare import Reference
    from qetch.tools.explain.sheet import Sheet

MAX_ITEMS = 2_000
MAX_ASKED = 200
"""Requests: to explain a long list its beginning is enough."""
MAX_EXAMPLES = 5
"""Of the handle, whose recorded answers are taken together."""


def run(extractor: BaseExtractor, url: str, auth: tuple[str, ...] | None = None) -> tuple[Trace, QetchError | None]:
    """What happens while a URL is extracted, and what it ends in if not well."""
    trace, error = Trace(), None
    items: list[list[Content]] = []
    if isinstance(extractor, SpecExtractor):
        extractor.watch = trace
    trace.veil.guard(extractor.session)
    try:
        for item in extractor.extract(url, auth=auth):
            items.append(item)
            if len(items) >= MAX_ITEMS or trace.asked >= MAX_ASKED:
                trace.stopped = True
                break
    except QetchError as caught:
        error, trace.failed = caught, True
    if not isinstance(extractor, SpecExtractor):
        trace.extra = [item for item in items if item]
    return trace, error


def remember(extractor: SpecExtractor) -> RememberingSession:
    """Gives an extractor a session that remembers, with the policy of its site."""
    session = RememberingSession(extractor.session.policy)
    extractor.session = session
    return session


def reference_for(site: Site, handle: str, url: str, folder: Path) -> Reference | None:
    """What the spec finds in the recorded answers: of this URL, else of the handle's examples; None without any.

    Raises:
        FileError: A cassette cannot be read.
    """
    made = make_extractor(site)
    trace = _recorded(made, url, folder)
    if trace is not None:
        return make_reference([trace], [url], site.name, same=True)
    examples = [example.url for example in site.handles[handle].examples][:MAX_EXAMPLES]
    played = [(example, trace) for example in examples if (trace := _recorded(made, example, folder))]
    if not played:
        return None
    return make_reference([trace for _, trace in played], [example for example, _ in played], site.name, same=False)


def _recorded(made: type[SpecExtractor], url: str, folder: Path) -> Trace | None:
    """What is found in the cassettes, or None if they do not hold it, or nothing good."""
    extractor = made()
    with extractor.session:
        mount_replay(extractor.session, ReplayAdapter(folder))
        trace, error = run(extractor, url, auth=())
    return None if error is not None or not trace.contents else trace


def trial_on(session: RememberingSession, url: str, auth: tuple[str, ...] | None) -> Callable[[Sheet], Trace | None]:
    """A function that runs a changed spec on the answers that a session remembers; None if the spec is wrong."""
    session.again = True
    session.memory.seal()

    def trial(sheet: Sheet) -> Trace | None:
        site = sheet.site()
        if site is None:
            return None
        extractor = make_extractor(site)()
        extractor.session = session
        if not extractor.can_handle(url):
            return None
        return run(extractor, url, auth)[0]

    return trial
