"""An answer to a request, and what is held for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Self

from qetch.downloaders._limits import turns
from qetch.network import cut_off
from qetch.wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from qetch.downloaders._run import Run
    from qetch.network import Response


class Asked:
    """An answer that is received, and can be ended by another thread; and the connection to its host, if it is counted.

    Use it as a context manager, or close it.

    Attributes:
        run: The download; None if it has not begun.
        host: Whose connection is given back at the end; None if it is not counted.
    """

    __slots__ = ("_cut", "_response", "host", "run")

    def __init__(self) -> None:
        self.run: Run | None = None
        self.host: str | None = None
        self._response: Response | None = None
        self._cut: Callable[[], object] | None = None

    @property
    def response(self) -> Response:
        """The answer."""
        if self._response is None:
            raise ValueError("there is no answer yet, or no more")
        return self._response

    @property
    def answer(self) -> Answer | None:
        """The answer, if it comes by the wire."""
        return self._response if isinstance(self._response, Answer) else None

    def hold(self, response: Response) -> None:
        """Keeps an answer, also one that has not begun, to close it at the end.

        Raises:
            concurrent.futures.CancelledError: The download is to stop.
        """
        self._response = response
        if self.run is None:
            return
        cut = partial(cut_off, response)
        self.run.cut_by(cut)
        self._cut = cut

    def begin(self, run: Run) -> None:
        """Lets a download that begins now have the answer for which was asked before.

        Raises:
            concurrent.futures.CancelledError: The download is to stop.
        """
        self.run = run
        if self._response is not None:
            self.hold(self._response)

    def let_go(self) -> None:
        """Closes the answer."""
        cut, self._cut = self._cut, None
        if cut is not None and self.run is not None:  # first: the connection may be another's soon
            self.run.no_longer_by(cut)
        response, self._response = self._response, None
        if response is not None:
            response.close()

    def close(self) -> None:
        """Ends all of it; whoever ends it first may be another thread than the one that asked."""
        self.let_go()
        host, self.host = self.host, None
        if host is not None:
            turns.give_back(host)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
