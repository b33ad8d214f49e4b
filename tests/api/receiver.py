"""A receiver of messages, over TLS on a real socket: what it was sent, and what it answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme

AUTHORITY = trustme.CA()
"""Signs the certificate of localhost and hub.example; nobody but these tests trusts it."""


@dataclass
class Receiver:
    """What came, and what is answered.

    :ivar answers: the statuses of the next answers; 204 when there are no more.
    :ivar instead: what is written in the place of an answer, if anything.
    :ivar reached, held: an event that is set when a message has come, and one that its answer waits for.
    """

    address: str = ""
    messages: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    instead: bytes | None = None
    reached: threading.Event = field(default_factory=threading.Event)
    held: threading.Event | None = None

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of all messages, in the order in which they came."""
        return [item for _, body in self.messages for item in json.loads(body)["data"]["items"]]

    @property
    def ids(self) -> list[str]:
        """The ids of the messages."""
        return [headers["webhook-id"] for headers, _ in self.messages]


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a message is signed as Standard Webhooks says, written here a second time."""
    said = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    key = base64.b64decode(secret.removeprefix("whsec_"))
    right = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{right}"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver at https://localhost:…/hook until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.messages.append(({name.lower(): value for name, value in self.headers.items()}, body))
            receiver.reached.set()
            if receiver.held is not None:
                receiver.held.wait(60)
            if receiver.instead is not None:
                self.wfile.write(receiver.instead)
                return
            status = receiver.answers.pop(0) if receiver.answers else 204
            self.send_response(status)
            if status == 302:
                self.send_header("location", receiver.address)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost", "hub.example").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of a sender that was killed
    receiver.address = f"https://localhost:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    if receiver.held is not None:
        receiver.held.set()
    server.shutdown()
    thread.join()
    server.server_close()
