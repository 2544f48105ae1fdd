"""A connection that serves one request after the other."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import sys
import time
from contextlib import suppress

MAX_HEAD = 65_536
"""The most bytes of an answer's head; also those that are read at once, so that a small file comes with its head."""
END = b"\r\n\r\n"
"""Of a head."""


class Line:
    """A connection.

    Args:
        connection: Ready to send.
        public: Its address is not private.
    """

    def __init__(self, connection: socket.socket, public: bool) -> None:
        self.connection = connection
        self.public = public
        self.used = False
        self.since = 0.0
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll:
            self._poll.register(connection, select.POLLIN)
        self._seconds: float | None = -1.0
        self._by_kernel = sys.platform != "win32" and type(connection) is socket.socket
        self._buffer = memoryview(b"")

    def wait_up_to(self, seconds: float | None) -> None:
        """Sets how long to wait for each piece."""
        if seconds == self._seconds:
            return
        self._seconds = seconds
        if self._by_kernel:
            # The kernel's own limits spare a call before each of the others; for their sake this is no timeout of
            # Python's, and TLS, which must know, has that. Zero is no limit.
            whole, part = (0, 0) if seconds is None else (int(seconds), max(int(seconds % 1 * 1e6), 1))
            moment = struct.pack("ll", whole, part)
            with suppress(OSError):
                for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                    self.connection.setsockopt(socket.SOL_SOCKET, option, moment)
                self.connection.settimeout(None)
                return
        self.connection.settimeout(seconds)

    def take_now(self) -> bytes | None:
        """Some of what has come; None if that is nothing, and no bytes at the end."""
        try:
            if self._by_kernel:
                return self.connection.recv(MAX_HEAD, socket.MSG_DONTWAIT)
            self.wait_up_to(0)
            return self.connection.recv(MAX_HEAD)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None

    def receive_head(self, begun: bytes | bytearray, patience: float | None, until: float) -> bytes | bytearray:
        """The head of an answer, and what came with it; less if the connection ended, or the head is too long.

        Args:
            begun: What came before.
            patience: Seconds to wait for each piece.
            until: The moment when all of it must be here.

        Raises:
            OSError: The connection broke, or it takes too long.
        """
        data = begun
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.wait_up_to(left if patience is None else min(patience, left))
            piece = self.connection.recv(MAX_HEAD)
            if data:
                data = bytearray(data) if isinstance(data, bytes) else data
                data += piece
            else:
                data = piece  # most often there is just this one
            if not piece or data.find(END, max(len(data) - len(piece) - len(END), 0)) >= 0 or len(data) >= MAX_HEAD:
                self.wait_up_to(patience)
                return data

    def is_silent(self) -> bool:
        """Whether nothing came since the last answer: neither its end, nor bytes that nobody asked for."""
        if not self._by_kernel and getattr(self.connection, "pending", int)():  # decrypted already
            return False
        return not (self._poll.poll(0) if self._poll else select.select([self.connection], [], [], 0)[0])

    def buffer(self, size: int) -> memoryview:
        """Room for so many bytes, the same each time."""
        if len(self._buffer) < size:
            self._buffer = memoryview(bytearray(size))
        return self._buffer[:size]

    def idle(self) -> None:
        """Notes that it waits for another request, and needs no room meanwhile."""
        self.used, self.since = True, time.monotonic()
        self._buffer = memoryview(b"")

    def shut(self) -> None:
        """Ends what waits for this connection in another thread, as if the host had closed it."""
        with suppress(OSError):
            # A TLS socket's own one would take the encrypted bytes that still come for plain ones.
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes it."""
        with suppress(OSError):
            self.connection.close()
