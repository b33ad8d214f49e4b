"""Keeps the process of durable_rules: a deadline a question, a limit of memory, a new process after a crash.

A question that finds no answer is asked once more of a new process. Where that fails too,
:class:`NoAnswerError` tells the caller to answer by plain Python, and what was asked for rests for a while:
the same crash again and again would help nobody.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from prometheus_client import Counter

INCIDENTS = Counter("xinheng_live_incidents", "What went wrong with the process of durable_rules.", ["kind"])
_LOG = structlog.get_logger("xinheng.live")
_MOST_DEFINED = 100
_CALLS_BETWEEN_LOOKS = 200
_LONGEST_ANSWER = 64 * 2**20


class NoAnswerError(Exception):
    """durable_rules gives no answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may use.

    :param seconds: for each question.
    :param bytes: of memory; past it a new process takes over after the answer.
    :param rest_seconds: how long nothing is asked of a definition that failed twice.
    """

    seconds: float = 2.0
    bytes: int = 256 * 2**20
    rest_seconds: float = 60.0


class Engine:
    """durable_rules, as its callers see it. Threads may share one."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._turn = threading.Lock()
        self._process: _Process | None = None
        self._resting: dict[str, float] = {}
        self._calls = 0
        self.incidents: dict[str, int] = {}

    @property
    def pid(self) -> int | None:
        """The process at work; None before the first question."""
        return self._process.pid if self._process else None

    @property
    def memory(self) -> int:
        """What the process holds in memory, in bytes; 0 before the first question."""
        return self._process.memory() if self._process else 0

    def ask(self, name: str, definition: Mapping[str, Any], question: Any) -> Any:
        """The answer of a definition, which is made known where it isn't yet: see :mod:`scoring.live.worker`.

        :param name: names the definition, and changes with it.
        :raises NoAnswerError: where there is none.
        """
        if self._resting.get(name, 0) > time.monotonic():
            raise NoAnswerError(f"{name} failed a moment ago")
        if not self._turn.acquire(timeout=self.limits.seconds):
            raise NoAnswerError("others are being answered")
        try:
            return self._persist(name, definition, question)
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._stop()

    def _persist(self, name: str, definition: Mapping[str, Any], question: Any) -> Any:
        for _ in range(2):
            try:
                answer = self._exchange(name, definition, question)
            except TimeoutError:
                self._incident("hang", name)
            except OSError as error:
                self._incident("crash", name, reason=str(error))
            except ValueError as error:
                self._incident("refusal", name, reason=str(error))
            else:
                self._look()
                return answer
        self._resting[name] = time.monotonic() + self.limits.rest_seconds
        raise NoAnswerError(f"{name} failed twice")

    def _exchange(self, name: str, definition: Mapping[str, Any], question: Any) -> Any:
        process = self._process = self._process or _Process(self.limits.seconds)
        if name not in process.defined:
            process.send({"name": name, "define": definition})
            process.defined.add(name)
        return process.send({"name": name, "ask": question})

    def _look(self) -> None:
        """Now and then: whether the process has grown too large."""
        self._calls += 1
        process = self._process
        if process is None or (self._calls % _CALLS_BETWEEN_LOOKS and len(process.defined) < _MOST_DEFINED):
            return
        if process.memory() > self.limits.bytes:
            self._incident("memory", "")
        elif len(process.defined) >= _MOST_DEFINED:
            self._stop()

    def _incident(self, kind: str, name: str, **details: Any) -> None:
        self.incidents[kind] = self.incidents.get(kind, 0) + 1
        INCIDENTS.labels(kind).inc()
        _LOG.warning("durable_rules restarted", kind=kind, definition=name, pid=self.pid, **details)
        self._stop()

    def _stop(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class _Process:
    """One process and the socket to it."""

    def __init__(self, seconds: float) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "scoring.live.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        ours.settimeout(_START_SECONDS)
        self._socket = ours
        self._lines: BinaryIO = ours.makefile("rb")
        self.pid = self._child.pid
        self.defined: set[str] = set()
        self._answer()
        ours.settimeout(seconds)

    def send(self, request: Mapping[str, Any]) -> Any:
        """The answer to a request.

        :raises TimeoutError: where there is none in time.
        :raises OSError: where the process is gone.
        :raises ValueError: where it refuses.
        """
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        return self._answer()

    def _answer(self) -> Any:
        line = self._lines.readline(_LONGEST_ANSWER)
        if not line.endswith(b"\n"):
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(1)
            raise ConnectionError(f"the process ended: {self._child.returncode}")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["answer"]

    def memory(self) -> int:
        """Resident bytes; 0 where the system does not say."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def end(self) -> None:
        """Whatever state it is in."""
        self._lines.close()
        self._socket.close()
        self._child.kill()
        self._child.wait()


_START_SECONDS = 20.0
"""For the first word: Python has to start."""

_shared: Engine | None = None
_sharing = threading.Lock()


def shared_engine() -> Engine:
    """The engine of this server process."""
    global _shared
    with _sharing:
        if _shared is None:
            _shared = Engine()
        return _shared


def _forget_shared() -> None:
    """A forked process must not talk over its parent's socket."""
    global _shared, _sharing
    _shared, _sharing = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_shared)
