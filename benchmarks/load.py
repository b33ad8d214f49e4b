"""A small load generator: keeps connections busy for some seconds and prints how many answers came a second.

A connection has several requests under way (HTTP pipelining), so that the generator takes little of the
machine that the server is measured on. Called as ``python load.py PORT CONNECTIONS SECONDS < requests``; the
input holds raw HTTP requests, each closed by an empty line. Prints answers a second, and how many were
not 200.
"""

from __future__ import annotations

import itertools
import selectors
import socket
import sys
import time
from collections.abc import Iterator

DEPTH = 8
"""How many requests a connection has under way."""


class Counter:
    """Counts a mark in a stream that comes in pieces."""

    def __init__(self, mark: bytes) -> None:
        self.found = 0
        self._mark, self._rest = mark, b""

    def take(self, data: bytes) -> None:
        """Look through a piece."""
        whole = self._rest + data
        self.found += whole.count(self._mark)
        self._rest = whole[-len(self._mark) + 1 :]


class Connection:
    """Sends its next requests when the ones before are answered."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.answers, self.good = Counter(b"HTTP/1.1 "), Counter(b"HTTP/1.1 200 OK")
        self._requests, self._sent = requests, 0
        self._send()

    def read(self) -> None:
        """Take what came."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.answers.take(data)
        self.good.take(data)
        if self.answers.found == self._sent:
            self._send()

    def _send(self) -> None:
        self.socket.sendall(b"".join(itertools.islice(self._requests, DEPTH)))
        self._sent += DEPTH


def main() -> None:
    """Read requests, send them, print what came of it."""
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    requests = itertools.cycle(
        [part + b"\r\n\r\n" for part in sys.stdin.buffer.read().split(b"\r\n\r\n") if part]
    )
    open_ones = [Connection(port, requests) for _ in range(connections)]
    selector = selectors.DefaultSelector()
    for connection in open_ones:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(1):
            key.data.read()
    elapsed = time.perf_counter() - began
    answers, good = (sum(getattr(c, name).found for c in open_ones) for name in ("answers", "good"))
    print(answers / elapsed, answers - good)


if __name__ == "__main__":
    main()
