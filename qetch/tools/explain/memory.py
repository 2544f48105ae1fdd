"""A session that remembers every answer, so that a run can be repeated without asking anybody twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qetch.errors import LimitReached, QetchError
from qetch.session import Answer, Session

if TYPE_CHECKING:
    from qetch.policy import Policy

MORE = 20
"""How many requests the trials of changed specs may make in all, besides those that are remembered."""


class Memory:
    """Answers by request.

    Attributes:
        left: How many more requests may be made, or None if as many as one likes.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer | QetchError] = {}
        self.left: int | None = None

    def seal(self, more: int = MORE) -> None:
        """From now on only so many more requests may be made."""
        self.left = more

    def spend(self, url: str) -> None:
        """Counts a request that has no answer yet.

        Raises:
            LimitReached: It is one too many.
        """
        if self.left is not None:
            if self.left <= 0:
                raise LimitReached(f"{url} was not asked, to spare the site")
            self.left -= 1


class RememberingSession(Session):
    """A session that remembers.

    Attributes:
        again: Whether a remembered answer is given again; before, everything is asked.
    """

    def __init__(self, policy: Policy | None = None, memory: Memory | None = None) -> None:
        super().__init__(policy)
        self.memory = memory or Memory()
        self.again = False

    def blank(self, policy: Policy) -> Session:
        """One with the same memory."""
        session = RememberingSession(policy, self.memory)
        session.again = self.again
        return session

    def fetch(self, method: str, url: str, **words: Any) -> Answer:
        """Like the original, unless the answer is remembered."""
        key = repr((method, url, sorted((name, words.get(name)) for name in ("query", "data", "json"))))
        known = self.memory.answers.get(key) if self.again else None
        if known is None:
            if self.again:
                self.memory.spend(self.redact(url))
            known = self._fetched(key, method, url, words)
        if isinstance(known, QetchError):
            raise known
        return known

    def _fetched(self, key: str, method: str, url: str, words: dict[str, Any]) -> Answer | QetchError:
        try:
            answer: Answer | QetchError = super().fetch(method, url, **words)
        except QetchError as error:
            answer = error
        self.memory.answers[key] = answer
        return answer
