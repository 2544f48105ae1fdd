"""What somebody who looks on while a site is run gets to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from qetch.content import Content
    from qetch.engine.fetching import Request
    from qetch.engine.interpreter import Run
    from qetch.engine.reading import Place
    from qetch.errors import QetchError
    from qetch.session import Answer
    from qetch.spec.model import ContentSpec, Handle, Rows, Value


class Watch(Protocol):
    """Looks on: the engine tells it what happens, and asks it nothing.

    What it is told may be secret: the values of `auth` are read like all others.
    """

    def entered(self, run: Run, handle: Handle, source: str) -> None:
        """A handle begins with its URL."""

    def returned(self, run: Run) -> None:
        """What a `goto` led to has come to its end, and this run goes on."""

    def answered(self, request: Request, answer: Answer | QetchError, seconds: float) -> None:
        """A request came to an answer, or to none."""

    def read(self, value: Value, node: Any, place: Place, found: Any) -> None:
        """A value was read from a node; `found` is what came of it after all its steps."""

    def walked(self, rows: Rows, node: Any, place: Place, found: Any) -> None:
        """Rows were looked for in a node; `found` is a list of them, or what is none."""

    def left_out(self, place: str, reason: str, path: Path | None) -> None:
        """Something was left out: where, with the number of the row, why, and in which spec's file."""

    def gave(self, spec: ContentSpec, place: Place, contents: Sequence[Content]) -> None:
        """An item was made."""
