"""Writes down what happens while a site is run: requests, what each selector found, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from qetch.errors import QetchError
from qetch.spec.model import FirstOf, Header, Selector, Text, Value
from qetch.tools.explain.veil import Veil
from qetch.tools.telling import is_secret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from qetch.content import Content
    from qetch.engine.fetching import Request
    from qetch.engine.interpreter import Run
    from qetch.engine.reading import Place
    from qetch.session import Answer
    from qetch.spec.model import ContentSpec, Handle, Rows

MAX_SAMPLES = 60
"""Of each selector, for the comparison with what it found before."""
MAX_LEFT_OUT = 500


@dataclass(slots=True)
class Find:
    """What one selector found in one answer, all its readings together.

    Attributes:
        where: Its place in the spec.
        role: `value`, or `rows` for the selector of `in`.
        selector: What selects, or None for templates and headers.
        text: How the spec writes it.
        every: Whether all matches are wanted instead of the first; of rows always.
        count: How often it was read.
        nothing: How often it found nothing.
        empty: How often that was an empty list, which is no loss.
        samples: What it was read from, what was selected there, and what came of that, of the first readings.
        secret: Whether what it finds is not to be shown.
        value: What the spec says of it, unless it is of rows.
    """

    where: str
    role: Literal["value", "rows"]
    selector: Selector | None
    text: str
    every: bool = False
    count: int = 0
    nothing: int = 0
    empty: int = 0
    samples: list[tuple[Any, Any]] = field(default_factory=list)
    secret: bool = False
    value: Value | None = None

    @property
    def regex(self) -> str:
        """The regex among the steps of the value, or nothing."""
        steps = self.value.steps if self.value else ()
        return next((str(step.argument.pattern) for step in steps if step.word == "regex"), "")

    @property
    def reads(self) -> bool:
        """Whether it looks for something: templates and headers do not."""
        return self.selector is not None or bool(self.regex)

    @property
    def nodes(self) -> list[Any]:
        """What the samples were read from."""
        return [node for node, _ in self.samples]

    def add(self, node: Any, found: Any) -> None:
        """One more reading."""
        self.count += 1
        self.nothing += is_nothing(found)
        self.empty += isinstance(found, list) and not found
        if len(self.samples) < MAX_SAMPLES:
            self.samples.append((node, found))


class LeftOut(NamedTuple):
    """What was left out: its place in the spec, with the number of the row, why, and the file of the spec."""

    where: str
    reason: str
    path: Path | None


@dataclass(slots=True)
class Asked:
    """One request, and what was read from its answer; or what a handle did before its first request.

    Attributes:
        seconds: Until the answer was there, waits for one's turn included.
        recorded: Whether it came from a cassette.
    """

    method: str = ""
    url: str = ""
    answer: Answer | None = None
    error: str = ""
    seconds: float = 0.0
    recorded: bool = False
    finds: dict[str, Find] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    contents: list[list[Content]] = field(default_factory=list)


@dataclass(slots=True)
class Visit:
    """A handle at work on one URL; `depth` counts the `goto`s that led to it."""

    site: str
    handle: str
    url: str
    depth: int
    requests: list[Asked] = field(default_factory=list)


class Trace:
    """Looks on while a site is run; see `qetch.engine.watch.Watch`.

    Attributes:
        asked: How many requests there were.
        stopped: Whether the run was given up before its end, as there was enough to see.
        failed: Whether it ended in an error.
        extra: Items that were made without anybody looking on.
    """

    def __init__(self) -> None:
        self.veil = Veil()
        self.visits: list[Visit] = []
        self.asked = 0
        self.stopped = False
        self.failed = False
        self.extra: list[list[Content]] = []
        self._open: list[tuple[Run, Visit]] = []
        self._by_answer: dict[int, Asked] = {}
        self._last = Asked()

    def finds(self, site: str = "") -> list[Find]:
        """Everything that selectors found, of all answers; by default of all sites."""
        visits = [visit for visit in self.visits if not site or visit.site == site]
        return [find for visit in visits for asked in visit.requests for find in asked.finds.values()]

    @property
    def contents(self) -> list[list[Content]]:
        """All items, in the order of their answers."""
        return [*self.extra, *(item for visit in self.visits for asked in visit.requests for item in asked.contents)]

    # --- what the engine tells

    def entered(self, run: Run, handle: Handle, source: str) -> None:
        """A handle begins with its URL."""
        self.veil.guard(run.session)
        self._last = Asked()
        self.visits.append(Visit(run.site.name, handle.name, source, run.depth, [self._last]))
        self._open.append((run, self.visits[-1]))

    def returned(self, run: Run) -> None:
        """A run goes on after a `goto`."""
        while len(self._open) > 1 and self._open[-1][0] is not run:
            self._open.pop()
        self._last = self._open[-1][1].requests[-1]

    def answered(self, request: Request, answer: Answer | QetchError, seconds: float) -> None:
        """A request came to an answer, or to none."""
        asked = Asked(request.method, _url_of(request), seconds=seconds)
        asked.recorded = bool(self._open and self._open[-1][0].session.offline)
        if isinstance(answer, QetchError):
            asked.error = str(answer)
        else:
            asked.answer, asked.url = answer, answer.request_url
            self._by_answer[id(answer)] = asked
        self._last = asked
        if not self.visits:  # a token, before the first handle
            self.visits.append(Visit("", "", "", 0))
        self.asked += 1
        visit = self._open[-1][1] if self._open else self.visits[-1]
        visit.requests.append(asked)

    def read(self, value: Value, node: Any, place: Place, found: Any) -> None:
        """A value was read from a node."""
        find = self._find(value.where, "value", value, place)
        if find.secret:
            self.veil.learn(found)
        find.add(node, found)

    def walked(self, rows: Rows, node: Any, place: Place, found: Any) -> None:
        """Rows were looked for in a node."""
        self._find(f"{rows.where}.in", "rows", rows, place).add(node, found)

    def left_out(self, place: str, reason: str, path: Path | None) -> None:
        """Something was left out."""
        if len(self._last.left_out) < MAX_LEFT_OUT:
            self._last.left_out.append(LeftOut(place, reason, path))

    def gave(self, spec: ContentSpec, place: Place, contents: Sequence[Content]) -> None:
        """An item was made."""
        del spec
        self._asked(place).contents.append(sorted(contents, key=lambda content: -content.quality))

    # ---

    def _asked(self, place: Place) -> Asked:
        known = self._by_answer.get(id(place.answer)) if place.answer else None
        self._last = known or self._last
        return self._last

    def _find(self, where: str, role: Literal["value", "rows"], what: Value | Rows, place: Place) -> Find:
        asked = self._asked(place)
        find = asked.finds.get(where)
        if find is None:
            head = what.head if isinstance(what, Value) else what.find
            every = what.every if isinstance(what, Value) else True
            find = Find(where, role, head if isinstance(head, Selector) else None, _text_of(what), every)
            find.value = what if isinstance(what, Value) else None
            find.secret = where.startswith("auth.") or is_secret(where.rpartition(".")[2])
            asked.finds[where] = find
        return find


def is_nothing(found: Any) -> bool:
    """Whether nothing was found: null, "", [] or {}."""
    return found is None or (isinstance(found, (str, list, dict)) and not found)


def _text_of(what: Value | Rows) -> str:
    """A value or the selector of rows, shortly, as the spec writes it."""
    if not isinstance(what, Value):
        return f"{what.find.text if what.find else ''}{f' of {what.of}' if what.of else ''}"
    head = what.head
    if isinstance(head, Selector):
        text = head.text
    elif isinstance(head, Text):
        text = head.template.text
    elif isinstance(head, Header):
        text = f"header {head.name}"
    elif isinstance(head, FirstOf):
        text = "first_of " + ", ".join(map(_text_of, head.values))
    else:
        text = "" if what.of else "the text"
    of = [f"of {what.of}"] if what.of else []
    return " ".join(filter(None, [text, *of, *(f"| {step.word}" for step in what.steps)]))


def _url_of(request: Request) -> str:
    """The URL with its query, for a request that got no answer."""
    from urllib.parse import urlencode

    if not request.query:
        return request.url
    return f"{request.url}{'&' if '?' in request.url else '?'}{urlencode(request.query)}"
