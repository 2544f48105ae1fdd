"""Keeps secrets out of what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qetch.tools.scrub import Scrubber

if TYPE_CHECKING:
    from qetch.session import Session

SHORTEST = 6
"""Characters; a shorter text is no secret worth the name, and would be found everywhere."""


class Veil:
    """Replaces secrets by `***`: those of the sessions, those that were learned, and what their names betray."""

    def __init__(self) -> None:
        self._sessions: dict[int, Session] = {}
        self._learned: set[str] = set()

    def guard(self, session: Session) -> None:
        """Also hide what the credentials of this session are, whenever it has some."""
        self._sessions[id(session)] = session
        self._look()

    def learn(self, value: Any) -> None:
        """Also hide this value, or all texts in it."""
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                self.learn(item)
        elif isinstance(value, (str, int)) and len(str(value)) >= SHORTEST:
            self._learned.add(str(value))

    def hide(self, value: Any) -> Any:
        """The same JSON without secrets."""
        self._look()
        return _hidden(value, Scrubber(self._learned))

    def _look(self) -> None:
        for session in self._sessions.values():
            if session.credentials:
                self._learned.update(session.credentials.hidden())


def _hidden(value: Any, scrubber: Scrubber) -> Any:
    if isinstance(value, dict):
        return {key: _hidden(item, scrubber) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item, scrubber) for item in value]
    return scrubber.text(value) if isinstance(value, str) else value
