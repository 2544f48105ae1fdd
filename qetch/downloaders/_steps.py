"""A download step by step, so that whoever runs it may do something else while the disk is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Waits = Generator[Callable[[], object]]
    """What is to be called between two steps, in any thread; what it raises is raised in the next step."""


class Steps:
    """The steps of a download.

    Args:
        waits: Does them, and gives what waits in between.
    """

    __slots__ = ("_error", "_wait", "_waits")

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._wait: Callable[[], object] | None = None
        self._error: BaseException | None = None

    def go_on(self) -> bool:
        """Does the next step; False if it was the last, True if `wait` is to be called.

        Raises:
            BaseException: The download failed.
        """
        error, self._error = self._error, None
        try:
            self._wait = next(self._waits) if error is None else self._waits.throw(error)
        except StopIteration:
            return False
        return True

    def wait(self) -> None:
        """Waits for what the next step needs."""
        try:
            if self._wait is not None:
                self._wait()
        except BaseException as error:  # noqa: BLE001 - it is raised in the next step, which lets go of the file
            self._error = error

    def close(self) -> None:
        """Lets go of the file, if steps are left."""
        self._waits.close()

    def run(self) -> None:
        """Does all of them, and waits in between."""
        try:
            while self.go_on():
                self.wait()
        finally:
            self.close()
