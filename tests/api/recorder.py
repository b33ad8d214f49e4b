"""Asks the application, and notes what it answers: on a clock that is handed in, with lots drawn by a seed.

So the same code gives the same answers, byte for byte, on every day and every machine.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import random
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from flask import Flask
from seeing import having_looked
from werkzeug.test import TestResponse

from rules.calendar import SHANGHAI
from rules.library.kept import VARIABLE as CACHE
from scoring.live import events
from scoring.runs import leases
from scoring.store.workspace import THREADS_VARIABLE

MINUTE = dt.timedelta(minutes=1)
LEAST, LONGEST, MOST_LINES = 2, 800, 12
"""A list is cut after two items where more would be longer than so many characters; a text after 12 lines."""
_REAL = dt.datetime
_CONVERTED = re.compile(r"<(?:[^<>]+:)?(?=\w+>)")
_OF_PROCESS = re.compile(r"(# (HELP|TYPE) )?((python|process)_|\w+(_seconds|_created))")
"""Metrics that are others in each process."""


@dataclass
class Clock:
    """The time that everybody is told."""

    now: dt.datetime = field(default_factory=lambda: _REAL(2026, 1, 1, tzinfo=SHANGHAI))

    def set(self, day: dt.date) -> None:
        """It is nine in the morning of a day."""
        self.now = _REAL.combine(day, dt.time(9), SHANGHAI)


@contextmanager
def same_every_time(clock: Clock, seed: int) -> Iterator[None]:
    """Whoever asks for the moment or draws a lot meanwhile gets what is handed in.

    Jobs are left to be done here; how a process is started has its own tests.
    """
    kept = {n: v for n, v in os.environ.items() if not n.startswith("XINHENG_") or n == CACHE}
    with (
        mock.patch.object(dt, "datetime", _told_by(clock)),
        mock.patch.multiple(secrets, **_drawn_by(random.Random(seed))),
        mock.patch.dict(os.environ, kept | {THREADS_VARIABLE: "1"}, clear=True),
        mock.patch.object(leases, "start"),
    ):
        yield


def _told_by(clock: Clock) -> type[dt.datetime]:
    """What makes real moments, and tells those of a clock."""

    class Kind(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, _REAL)

    class Told(_REAL, metaclass=Kind):
        def __new__(cls, *parts: Any, **more: Any) -> Any:
            return _REAL(*parts, **more)

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return clock.now.astimezone(tz) if tz else clock.now.astimezone(dt.UTC).replace(tzinfo=None)

    return Told


def _drawn_by(rng: random.Random) -> dict[str, Any]:
    """What draws numbers and codes; what would be a secret says that it is none."""

    def token(_: int) -> str:
        return f"an-example-that-opens-nothing-{rng.randrange(10**13):013}"

    return {
        "choice": rng.choice,
        "randbelow": rng.randrange,
        "token_urlsafe": token,
        "token_bytes": lambda length: token(length).encode()[:length],
        "token_hex": lambda length: f"{rng.getrandbits(8 * length):0{2 * length}x}",
    }


@dataclass
class Book:
    """The first request for each operation, with its answer."""

    app: Flask
    clock: Clock
    asked: int = 0
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ask(self, token: str | None, method: str, path: str, query: dict[str, Any], body: Any) -> Any:
        """The answer to a request, which must be a success; with each a minute goes by."""
        self.clock.now += MINUTE
        self.asked += 1
        headers = {"Accept-Encoding": "identity", "X-Request-ID": f"example-{self.asked:03}"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        written = {name: "true" if value is True else value for name, value in query.items()}
        client = self.app.test_client()
        answer = client.open(path, method=method, headers=headers, query_string=written, json=body)
        assert answer.status_code < 300, (method, path, answer.text)
        events._behind.submit(lambda: None).result()  # all that the request left to be done is done
        self._note(method, path, query, body, answer)
        return answer.json

    def look(self, token: str | None, path: str) -> Any:
        """What is answered to GET, and not noted."""
        headers = {"Authorization": f"Bearer {token}", "X-Request-ID": f"look-{self.asked:03}"}
        return self.app.test_client().get(path, headers=headers).json

    def _note(self, method: str, path: str, query: dict[str, Any], body: Any, answer: TestResponse) -> None:
        rule, values = self.app.url_map.bind("localhost").match(path, method, return_rule=True)
        name = f"{method} {_CONVERTED.sub('{', rule.rule).replace('>', '}')}"
        page = {"path": values, "query": query, "body": body, "status": answer.status_code}
        page |= {"media_type": answer.mimetype, "answer": _shown(answer)}
        self.pages.setdefault(name, {what: said for what, said in page.items() if said not in (None, {})})


@dataclass
class Person:
    """Somebody who asks."""

    book: Book
    token: str | None

    def get(self, path: str, **query: Any) -> Any:
        """What is answered to GET."""
        return self.book.ask(self.token, "GET", path, query, None)

    def post(self, path: str, **body: Any) -> Any:
        """What is answered to POST; a step on a case, having looked at it."""
        body = having_looked(lambda place: self.book.look(self.token, place), path, body)
        return self.book.ask(self.token, "POST", path, {}, body or None)

    def delete(self, path: str) -> Any:
        """What is answered to DELETE."""
        return self.book.ask(self.token, "DELETE", path, {}, None)


def _shown(answer: TestResponse) -> Any:
    """What is noted of an answer: of a PDF nothing."""
    if answer.mimetype == "application/json":
        return _short(_stable(answer.json))
    if answer.mimetype == "application/pdf":
        return None
    lines = [line for line in answer.text.splitlines(keepends=True) if not _OF_PROCESS.match(line)]
    return "".join(lines[:MOST_LINES])


def _stable(said: Any) -> Any:
    """An answer without the digest of a PDF, which is another with other fonts."""
    is_report = isinstance(said, dict) and "sha256" in said
    return said | {"sha256": hashlib.sha256(said["number"].encode()).hexdigest()} if is_report else said


def _short(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: _short(value) for name, value in said.items()}
    if not isinstance(said, list):
        return said
    items = [_short(one) for one in said]
    while len(items) > LEAST and len(json.dumps(items, ensure_ascii=False)) > LONGEST:
        items.pop()
    return items
