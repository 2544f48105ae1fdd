"""A server of one file, or of those in a folder, that gives each connection so many bytes a second.

Some connections may get stuck: they are given a hundredth of that.

python slow_origin.py PATH RATE STUCK
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path


def head(lines: list[bytes], size: int) -> tuple[int, int]:
    """The first byte that a request asks for, and the one behind the last."""
    for line in lines:
        name, _, text = line.decode("latin-1").partition(":")
        if name.lower() == "range":
            first, _, last = text.strip().removeprefix("bytes=").partition("-")
            return int(first), min(int(last or size), size - 1) + 1
    return 0, size


def answer(connection: socket.socket, data: memoryview, start: int, end: int, rate: float) -> None:
    connection.sendall(
        f'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{end - 1}/{len(data)}\r\nETag: "1"\r\n'
        f"Content-Type: application/octet-stream\r\nContent-Length: {end - start}\r\n\r\n".encode()
    )
    begun, sent, step = time.monotonic(), start, max(int(rate / 50), 1)
    while sent < end:
        connection.sendall(data[sent : min(sent + step, end)])
        sent = min(sent + step, end)
        time.sleep(max(begun + (sent - start) / rate - time.monotonic(), 0))


def serve(connection: socket.socket, files: dict[bytes, memoryview], rate: float) -> None:
    with suppress(OSError), connection, connection.makefile("rb") as lines:
        while request := list(iter(lines.readline, b"\r\n")):
            if not request[-1]:
                return
            data = files[request[0].split()[1].rpartition(b"/")[2]]
            answer(connection, data, *head(request, len(data)), rate)


def main() -> None:
    path, rate, stuck = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    paths = list(path.iterdir()) if path.is_dir() else [path]
    files = {each.name.encode(): memoryview(each.read_bytes()) for each in paths}
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    name = "" if path.is_dir() else path.name
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/{name}", flush=True)
    number = 0
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        number += 1
        # The first connection is a good one: what gets stuck is one of those that come later.
        slow = 1 < number <= 1 + stuck
        arguments = (connection, files, rate / 100 if slow else rate)
        threading.Thread(target=serve, args=arguments, daemon=True).start()


if __name__ == "__main__":
    main()
