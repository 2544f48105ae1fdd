"""Plain answers to GET over kept connections, with as little work as the rules of HTTP allow.

It knows answers of a known length, and nothing else: whatever is not plain is declined, and to be asked for by the
library that knows all of HTTP. So the first such answers of a host cost two requests each, until it is known that the
host is not plain.
"""

from __future__ import annotations

import http.client
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Self

from urllib3.exceptions import ProtocolError

from qetch.heads import Headers, framing_of, parse_head
from qetch.line import END, MAX_HEAD, Line

if TYPE_CHECKING:
    from collections.abc import Callable

Place = tuple[str, str, int, object]
"""Scheme, host, port, and the rest that must be alike: whose certificates are trusted, and such."""

REACH_SECONDS = 0.02
"""So long more bytes are waited for, where some are there."""
MOST_IDLE = 128
"""Connections that are kept, over all hosts; whatever was idle longest is closed first."""
STRIKES = 2
"""So many answers that are not plain show that the host's next ones will not be either."""
FORGIVEN = 20
"""So many plain ones in a row make up for one that was not; before that, they are mere luck."""
BELIEF = 300.0
"""Seconds for which that is believed."""
SMALL = 262_144
"""Bytes of a body that is waited for along with others, see `Answer.look`."""
MOST_BELIEFS = 1024

NO_STRIKES = (0, 0.0, 0)
"""How many, until when they count, and how many plain answers came since the last one."""


class Wire:
    """The connections that wait for another request, and which hosts are not plain."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Place, list[Line]] = {}
        self._count = 0
        self._crooked: dict[Place, tuple[int, float, int]] = {}
        weakref.finalize(self, _close_all, self._idle)
        _wires.add(self)

    def forget(self) -> None:
        """Begins anew in another process: the connections are the parent's, and a thread of it may hold the lock."""
        self._lock = threading.Lock()
        self._idle.clear()
        self._crooked.clear()
        self._count = 0

    def takes(self, place: Place) -> bool:
        """Whether a host's answers may be plain."""
        strikes, until, _ = self._crooked.get(place, NO_STRIKES)
        return strikes < STRIKES or time.monotonic() > until

    def strike(self, place: Place, count: int = 1) -> None:
        """Notes that an answer was not plain."""
        with self._lock:
            strikes, until, _ = self._crooked.pop(place, NO_STRIKES)
            now = time.monotonic()
            self._crooked[place] = (count + (strikes if now < until else 0), now + BELIEF, 0)
            if len(self._crooked) > MOST_BELIEFS:
                del self._crooked[next(iter(self._crooked))]

    def praise(self, place: Place) -> None:
        """Notes that an answer was plain."""
        if place not in self._crooked:
            return
        with self._lock:
            strikes, until, plain = self._crooked.get(place, NO_STRIKES)
            if plain + 1 < FORGIVEN:
                self._crooked[place] = (strikes, until, plain + 1)
            elif strikes > 1:
                self._crooked[place] = (strikes - 1, until, 0)
            else:
                self._crooked.pop(place, None)

    def take(self, place: Place, private: Callable[[], bool]) -> Line | None:
        """A connection that waits; None if there is none.

        Args:
            place: Where it leads.
            private: Whether that may be a private address.
        """
        while True:
            with self._lock:
                lines = self._idle.get(place)
                if not lines or not (lines[-1].public or private()):
                    return None
                line = self._pop(place, -1)
            if line.is_silent():  # else the bytes would be taken for the next answer
                return line
            line.close()

    def give_back(self, place: Place, line: Line) -> None:
        """Keeps a connection for the next request."""
        line.idle()
        with self._lock:
            self._idle.setdefault(place, []).append(line)
            self._count += 1
            if self._count <= MOST_IDLE:
                return
            oldest = self._pop(min(self._idle, key=lambda place: self._idle[place][0].since), 0)
        oldest.close()

    def _pop(self, place: Place, number: int) -> Line:
        lines = self._idle[place]
        if len(lines) == 1:
            del self._idle[place]
        self._count -= 1
        return lines.pop(number)

    def close(self) -> None:
        """Closes all connections that wait."""
        with self._lock:
            self._count = 0
            _close_all(self._idle)


_wires: weakref.WeakSet[Wire] = weakref.WeakSet()


def _leave_to_parent() -> None:
    """Forgets all connections in a new process, where they are another's."""
    for wire in list(_wires):
        wire.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def _close_all(idle: dict[Place, list[Line]]) -> None:
    for lines in list(idle.values()):
        for line in lines:
            line.close()
    idle.clear()


class Stale(Exception):
    """A kept connection was closed before a byte of the answer came: the request is to be made anew."""


class Answer:
    """An answer, in the shape of a streamed `requests.Response` as far as downloads need it; `raw` is itself.

    Args:
        wire: Which keeps the connection afterwards.
        place: Of the host.
        url: What is asked for.
        request: All that is sent.

    Attributes:
        status_code: 0 until the head came.
        is_plain: Whether it is; None until that is known.
    """

    def __init__(self, wire: Wire, place: Place, url: str, request: bytes) -> None:
        self.wire = wire
        self.place = place
        self.url = url
        self.request = request
        self.status_code = 0
        self.reason = ""
        self.headers = Headers({})
        self.is_plain: bool | None = None
        self.left = 0
        self._lock = threading.Lock()
        self._line: Line | None = None
        self._keep = self._is_cut = False
        self._data: bytes | bytearray = b""
        self._patience: float | None = None
        self._rest = memoryview(b"")

    @property
    def raw(self) -> Self:
        """The body, as a stream."""
        return self

    def begin(self, line: Line, patience: float | None, most: float) -> bool:
        """Sends the request, and receives the head of its answer; arguments and errors are those of these two."""
        self.send(line, patience)
        return self.receive(patience, most)

    def send(self, line: Line, patience: float | None) -> None:
        """Sends the request.

        Args:
            line: By which.
            patience: Seconds to wait at each step.

        Raises:
            Stale: See there.
            urllib3.exceptions.ProtocolError: The connection broke.
        """
        with self._lock:
            if self._line is not None:
                self._line.close()
            self._line, self._data, self._patience = line, b"", patience
            if self._is_cut:
                raise ProtocolError("", ConnectionAbortedError())
        try:
            line.wait_up_to(patience)
            line.connection.sendall(self.request)
        except OSError as error:
            raise _failure(line, error) from None

    def receive(self, patience: float | None, most: float) -> bool:
        """Receives the head, as far as `look` did not.

        Args:
            patience: Seconds to wait for each piece of the answer.
            most: Seconds to wait for all of the head.

        Returns:
            False if the answer is not plain.

        Raises:
            Stale: See there.
            urllib3.exceptions.ProtocolError: The connection broke, or the host does not answer.
        """
        line = self._line
        if self.is_plain is not None or line is None:
            return bool(self.is_plain)
        try:
            if len(self._data) < MAX_HEAD:
                self._data = line.receive_head(self._data, patience, time.monotonic() + most)
        except OSError as error:
            raise _failure(line, error) from None
        if not self._data:
            if line.used:
                raise Stale
            raise ProtocolError("", http.client.RemoteDisconnected(""))
        return self._understand()

    def look(self) -> bool:
        """Takes what has come, and does not wait.

        Returns:
            Whether nobody need wait for it any more together with others: it is complete, or it takes longer, or there
            is something wrong that `receive` and `read` will say.
        """
        line = self._line
        try:
            while line is not None and (piece := line.take_now()) is not None:
                if self.is_plain is None:
                    self._data += piece
                    if END in self._data:
                        self._understand()
                else:
                    self._more(piece)
                if not piece or self.is_plain is False or self.is_complete:
                    return True
                if self.left > SMALL or len(self._data) >= MAX_HEAD:
                    return True
        except OSError:
            return True
        return line is None

    def _understand(self) -> bool:
        data, self._data = self._data, b""
        end = data.find(END)
        head = parse_head(data[:end]) if end >= 0 else None
        framing = framing_of(head) if head else None
        self.is_plain = head is not None and framing is not None
        if head is None or framing is None:
            return False
        self.status_code, self.reason, self.headers = head.status, head.reason, Headers(head.fields)
        self.left, self._keep = framing
        self._rest = memoryview(data)[end + len(END) :]
        self._more(b"")
        self.wire.praise(self.place)
        return True

    def _more(self, piece: bytes) -> None:
        """Keeps a piece of the body until it is read."""
        if piece:
            self._rest = memoryview(b"".join((self._rest, piece)))
        if len(self._rest) > self.left:
            self._rest, self._keep = self._rest[: self.left], False

    @property
    def is_complete(self) -> bool:
        """Whether all of the body is here."""
        return self.is_plain is True and self.left == len(self._rest)

    @property
    def is_sent(self) -> bool:
        """Whether the request is on its way, and nobody closed the answer."""
        return self._line is not None

    def fileno(self) -> int:
        """The descriptor of the connection, to wait for; -1 if there is none."""
        return -1 if self._line is None else self._line.connection.fileno()

    def read(self, size: int, **_: bool) -> memoryview:
        """The next bytes of the body: up to so many, for which it waits a moment; valid until the next read."""
        return self._read(size, least=size)

    def read1(self, size: int, **_: bool) -> memoryview:
        """What there is of the body, up to so many bytes; valid until the next read."""
        return self._read(size, least=1)

    def _read(self, size: int, least: int) -> memoryview:
        if self._rest:
            piece, self._rest = self._rest[:size], self._rest[size:]
            self.left -= len(piece)
            return piece
        size = min(size, self.left)
        line = self._line
        if not size or line is None:
            return memoryview(b"")
        room, count, until = line.buffer(size), 0, time.monotonic() + REACH_SECONDS
        try:
            line.wait_up_to(self._patience)  # after `look`, which did not wait
            while count < min(least, size):
                got = line.connection.recv_into(room[count:])
                count += got
                if not got:
                    self._keep = False
                if not got or time.monotonic() > until:  # who waits for the last of a drip waits for ever
                    break
        except OSError as error:
            self._keep = False
            raise _broken(error) from None
        self.left -= count
        return room[:count]

    def cut(self) -> None:
        """Ends what waits for this answer in another thread, as if the host had closed the connection."""
        with self._lock:
            self._is_cut = True
            if self._line is not None:
                self._line.shut()

    def close(self) -> None:
        """Lets go of the connection, which serves another request if all of this one's answer was received."""
        with self._lock:
            line, self._line = self._line, None
            whole = self._keep and not self._is_cut and self.left <= len(self._rest)
        if line is not None and whole:
            self.wire.give_back(self.place, line)
        elif line is not None:
            line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _broken(error: OSError) -> ProtocolError:
    """What became of a connection, in the library's terms."""
    return ProtocolError("", TimeoutError() if isinstance(error, BlockingIOError) else error)


def _failure(line: Line, error: OSError) -> Exception:
    """What is wrong with a connection before the head of an answer is here."""
    stale = line.used and not isinstance(error, TimeoutError | BlockingIOError)
    return Stale() if stale else _broken(error)
