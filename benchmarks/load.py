"""A small load generator: keeps connections busy until so many requests are answered.

A connection has several requests under way (HTTP pipelining), so that the generator takes little of the
machine that the server is measured on.
"""

from __future__ import annotations

import itertools
import selectors
import socket
from collections.abc import Iterator, Sequence

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

    @property
    def is_done(self) -> bool:
        """Whether everything sent is answered; there may be more to send no longer."""
        return self.answers.found == self._sent

    def read(self) -> None:
        """Take what came, and go on."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.answers.take(data)
        self.good.take(data)
        if self.is_done:
            self._send()

    def _send(self) -> None:
        batch = list(itertools.islice(self._requests, DEPTH))
        self.socket.sendall(b"".join(batch))
        self._sent += len(batch)


def load(port: int, requests: Sequence[bytes], count: int, connections: int) -> int:
    """Ask so many times; how many answers were 200.

    :param requests: raw HTTP requests, sent one after the other, and then again.
    """
    to_send = itertools.islice(itertools.cycle(requests), count)
    opened = [Connection(port, to_send) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while not all(connection.is_done for connection in opened):
            for key, _ in selector.select(1):
                key.data.read()
    for connection in opened:
        connection.socket.close()
    return sum(connection.good.found for connection in opened)
