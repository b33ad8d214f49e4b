"""What operators see: a request id in every answer and log line, one log line a request, and metrics."""

from __future__ import annotations

import atexit
import datetime as dt
import json
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import MutableMapping
from contextlib import suppress
from functools import lru_cache

import orjson
import structlog
from flask import Flask, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from api.around.request import Request, current
from scoring.characters.persons import without_persons

REQUESTS = Counter("xinheng_requests", "Requests answered.", ["endpoint", "method", "status"])
SECONDS = Histogram(
    "xinheng_request_seconds",
    "Seconds from a request's arrival to its answer.",
    ["endpoint"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
METRICS_TYPE = CONTENT_TYPE_LATEST

_WRITE_SECONDS = 0.1
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LOG = structlog.get_logger("xinheng.api")


def install(app: Flask, log_level: str) -> None:
    """Number, time, count and log every request."""
    set_up_logging(log_level)
    app.after_request(_end)


def set_up_logging(level: str) -> None:
    """One JSON object a line on standard error, written at the latest a tenth of a second later."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: _LINES,
        cache_logger_on_first_use=True,
    )


def metrics() -> bytes:
    """The metrics of all workers, in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def log_failure(error: Exception) -> None:
    """Log an error that nobody expected, with its traceback."""
    request = current()
    _LOG.error("failure", request_id=request.request_id, path=_path(request), exc_info=error)


def _rendered(_logger: object, _level: str, event: MutableMapping[str, object]) -> str:
    try:
        return orjson.dumps(event, default=str).decode()
    except TypeError:  # a text that UTF-8 can't hold
        return json.dumps(event, default=str)


class _Lines:
    """Lines for standard error, written together: a system call for each would have the threads of a worker
    wait for one another. What is logged above info is written at once.
    """

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._writer: threading.Thread | None = None

    def info(self, line: str) -> None:
        """Take a line."""
        self._waiting.append(line)
        if self._writer is None or not self._writer.is_alive():
            self._writer = threading.Thread(target=self._write_on, daemon=True)
            self._writer.start()

    debug = info

    def error(self, line: str) -> None:
        """Write a line, and those before it."""
        self._waiting.append(line)
        self.flush()

    warning = critical = error

    def flush(self) -> None:
        """Write what waits."""
        lines = []
        with suppress(IndexError):
            while True:
                lines.append(self._waiting.popleft() + "\n")
        sys.stderr.write("".join(lines))
        sys.stderr.flush()

    def _write_on(self) -> None:
        while True:
            time.sleep(_WRITE_SECONDS)
            self.flush()


_LINES = _Lines()
atexit.register(_LINES.flush)


def _end(response: Response) -> Response:
    request = current()
    seconds = time.perf_counter() - request.began
    endpoint, method, status = request.endpoint or "none", request.method, response.status_code
    response.headers["X-Request-Id"] = request.request_id
    counted, timed = _metrics_of(endpoint, method if method in _METHODS else "other", status)
    counted.inc()
    timed.observe(seconds)
    if _LOG.is_enabled_for(logging.INFO):
        _log_request(request, status, seconds)
    return response


def _log_request(request: Request, status: int, seconds: float) -> None:
    """One line a request, past structlog, whose way would take longer than all else here."""
    line = {
        "request_id": request.request_id,
        "method": request.method,
        "path": _path(request),
        "endpoint": request.endpoint,
        "status": status,
        "milliseconds": round(seconds * 1000, 2),
        "key": request.key.prefix if request.key else None,
        "client": request.remote_addr,
        "event": "request",
        "level": "info",
        "timestamp": dt.datetime.now(dt.UTC),
    }
    _LINES.info(orjson.dumps(line, option=orjson.OPT_UTC_Z).decode())


def _path(request: Request) -> str:
    """What was asked for, but for a natural person's number."""
    return without_persons(request.path, is_sure=True)


@lru_cache(maxsize=10_000)
def _metrics_of(endpoint: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(endpoint, method, str(status)), SECONDS.labels(endpoint)
