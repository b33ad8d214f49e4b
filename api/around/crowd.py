"""More requests than the server can take: who goes in, who waits a moment, and who is told to come again.

A worker has a number of places. A look-up may have any of them, a page half, an export a few: so look-ups go
before pages, and pages before exports. What comes with a large body has a few as well: it takes several times
its size while it is read. Who finds none free waits :data:`WAIT_SECONDS` at most, where not too many of its
kind wait already, and is answered 503 with Retry-After then. A body comes as slowly as its sender likes:
until it is there, its request has a place among bodies and no other. A whole answer is handed to the server
and keeps none.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterable
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import flask
from flask import Flask
from werkzeug.wsgi import ClosingIterator

from api.around.request import current
from api.http.problems import Problem
from rules.model import Title

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WAIT_SECONDS = 2
_PIECE, _IN_MEMORY = 64 * 1024, 512 * 1024
_FULL = "xinheng.full"
_ALWAYS = ("/healthz", "/readyz", "/metrics")
_EXPORTS = re.compile(
    r"(/v1/runs/\d+/export|/v1/feeds/rows|/v1/simulations|/v1/forecasts/population"
    r"|/v1/rule-drafts/\w+|/v1/backtests|/v1/drift|/backtest|/drift"
    r"|/simulation|/forecast|/feeds/rows\.csv"
    r"|/(?:subjects|movers|alerts|tickets|ranking|feeds|inspections/\d+|rules/[^/]+/[^/]+/hits)/export"
    r"|/v1/subjects/.+/reports|/subjects/.+/credit-report|/files/uploads/[0-9a-f]+)/?"
)
"""What reads everybody, takes a whole file, or lays out paper."""


class FullError(Exception):
    """No place became free in time."""


class Answer(flask.Response):
    """An answer. One that is whole is given to the server in one piece: a slow reader keeps no thread."""

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """The body for the server."""
        given = super().get_app_iter(environ)
        if self.is_streamed or self.direct_passthrough:
            return given
        try:
            return [b"".join(given)]
        finally:
            self.close()


class Places:
    """So many of them are free."""

    def __init__(self, number: int) -> None:
        self.free = max(1, number)


class Kind:
    """Requests of a kind.

    :param most: how many of them may be inside, at work or waiting.
    :param needs: the places of which each takes one.
    """

    def __init__(self, turn: threading.Lock, most: int, *needs: Places) -> None:
        self._turn, self._go = turn, threading.Condition(turn)
        self._left, self._needs = max(1, most), needs
        self._waiting = 0

    def enter(self) -> None:
        """Take all places that one needs, or none.

        :raises FullError: where too many are inside, or no place became free in time.
        """
        with self._turn:
            if not self._left:
                raise FullError
            self._left -= 1
            if not self._may_go() and not self._wait():
                self._left += 1
                raise FullError
            for places in self._needs:
                places.free -= 1

    def leave(self) -> None:
        """Give them back."""
        with self._turn:
            self._left += 1
            for places in self._needs:
                places.free += 1

    def call(self) -> None:
        """Let one that waits go, where there is a place."""
        if self._waiting:
            with self._turn:
                if self._may_go():
                    self._go.notify()

    def _may_go(self) -> bool:
        return all(places.free for places in self._needs)

    def _wait(self) -> bool:
        self._waiting += 1
        try:
            return self._go.wait_for(self._may_go, WAIT_SECONDS)
        finally:
            self._waiting -= 1


class Crowd:
    """Has each request find a place, for so long as it is worked on or its answer is streamed.

    :param places: how many requests are worked on at once. The server has more threads (see
        :data:`scoring.cli.serve.THREADS_A_PLACE`): who waits is in one as well, and so is who is refused.
    :param largest_body: how many bytes of a body are taken.
    """

    def __init__(self, application: WSGIApplication, places: int, largest_body: int) -> None:
        self._application, self._largest_body = application, largest_body
        turn = threading.Lock()
        all_places, half, few = Places(places), Places(places // 2), Places(places // 16)
        self._look_ups = Kind(turn, 2 * places, all_places)
        self._pages = Kind(turn, places, half, all_places)
        self.exports = Kind(turn, places // 8, few, half, all_places)
        self._bodies = Kind(turn, places)
        self.large = Kind(turn, places // 4, Places(places // 16), all_places)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        visit = _Visit(self, self._kind(environ.get("PATH_INFO", "")))
        try:
            visit.enter()
        except FullError:
            environ[_FULL] = True
        environ["wsgi.input"] = _Body(environ["wsgi.input"], self._largest_body, self._bodies, visit)
        try:
            answer = self._application(environ, start_response)
        except BaseException:
            visit.leave()
            raise
        if isinstance(answer, list):
            visit.leave()
            return answer
        return ClosingIterator(answer, visit.leave)

    def call(self) -> None:
        """A place is free: look-ups are called before pages, and pages before exports."""
        for kind in (self._look_ups, self._pages, self.exports, self.large):
            kind.call()

    def _kind(self, path: str) -> Kind | None:
        if path in _ALWAYS:
            return None
        if _EXPORTS.fullmatch(path):
            return self.exports
        return self._look_ups if path.startswith("/v1/") else self._pages


class _Visit:
    """A request that is inside from :meth:`enter` to :meth:`leave`."""

    def __init__(self, crowd: Crowd, kind: Kind | None) -> None:
        self._crowd, self._kind, self._is_inside = crowd, kind, False

    def enter(self) -> None:
        """Go in.

        :raises FullError: where there is no place.
        """
        if self._kind is not None:
            self._kind.enter()
            self._is_inside = True

    def come_back(self, size: int) -> None:
        """Go in again, with a body of so many bytes.

        :raises FullError: where there is no place.
        """
        if size > _IN_MEMORY and self._kind not in (None, self._crowd.exports):
            self._kind = self._crowd.large
        self.enter()

    def leave(self) -> None:
        """Go, if it is inside."""
        if self._is_inside and self._kind is not None:
            self._is_inside = False
            self._kind.leave()
            self._crowd.call()


class _Body(io.RawIOBase):
    """A request's body. When it is first read, it is waited for among the bodies, and in no other place."""

    def __init__(self, given: Any, largest: int, bodies: Kind, visit: _Visit) -> None:
        super().__init__()
        self._given, self._largest, self._bodies, self._visit = given, largest, bodies, visit
        self._arrived: SpooledTemporaryFile[bytes] | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: Any) -> int:
        """Read on.

        :raises Problem: 503 where too many bodies are on their way.
        """
        if self._arrived is None:
            self._visit.leave()
            try:
                self._arrived, size = self._waited_for()
                self._visit.come_back(size)
            except FullError:
                raise _busy() from None
        return self._arrived.readinto(into)

    def _waited_for(self) -> tuple[SpooledTemporaryFile[bytes], int]:
        """The whole of it, of one that is too large as much as shows that it is; and its size."""
        self._bodies.enter()
        try:
            kept = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # read on after this, and gone with the request
            while kept.tell() <= self._largest and (piece := self._given.read(_PIECE)):
                kept.write(piece)
            size = kept.tell()
            kept.seek(0)
            return kept, size
        finally:
            self._bodies.leave()


def install(app: Flask) -> None:
    """Answer 503 where :class:`Crowd` found no place."""

    @app.before_request
    def say_no() -> None:
        if _FULL in current().environ:
            raise _busy()


def guard(app: Flask, places: int, largest_body: int) -> None:
    """Have requests of an application find places."""
    app.wsgi_app = Crowd(app.wsgi_app, places, largest_body)  # type: ignore[method-assign]


def _busy() -> Problem:
    said = Title("服务器繁忙,请稍后再试", "more is asked at once than this server can take")
    return Problem("busy", said, headers={"Retry-After": str(WAIT_SECONDS)})
