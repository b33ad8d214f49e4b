"""How often a key may ask, and an address without one where a code could be tried.

A count a key and window, in the worker's memory. The memory of the ``limits`` library (flask-limiter) starts
a thread every hundredth of a second under load, which cost more than anything else in a look-up.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass

from flask import Flask

from api.around.request import current
from api.http.problems import Problem
from rules.model import Title

_RATE = re.compile(r"(\d{1,9})\s*/\s*(second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_MOST_COUNTS = 100_000
WITHOUT_KEY = "30/minute"
"""Of one address, where there is something to be tried."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in a window of so many seconds."""

    requests: int
    seconds: int


def parse_rate(text: str) -> Rate:
    """The rate in a text such as ``600/minute``.

    :raises ValueError: where it is none.
    """
    match = _RATE.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"no rate such as 600/minute: {text}")
    return Rate(int(match[1]), _SECONDS[match[2]])


class Limiter:
    """Counts by name. Threads may share it: at worst a request at the very limit is counted with another."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._counts: dict[tuple[str, int], int] = {}

    def wait(self, name: str, now: float) -> int:
        """Count a request; 0 where it may pass, else the seconds until the next window.

        :param now: seconds since the epoch.
        """
        window = int(now // self._rate.seconds)
        count = self._counts.get((name, window), 0) + 1
        if len(self._counts) >= _MOST_COUNTS:
            self._counts.clear()
        self._counts[(name, window)] = count
        if count <= self._rate.requests:
            return 0
        return math.ceil((window + 1) * self._rate.seconds - now)


def install(app: Flask, rate: str) -> None:
    """Refuse requests over the limit with 429 and Retry-After. Each worker counts for itself."""
    limiter, without_key = Limiter(parse_rate(rate)), Limiter(parse_rate(WITHOUT_KEY))

    @app.before_request
    def limit() -> None:
        request = current()
        if request.key is not None:
            seconds, most = limiter.wait(request.key.prefix, time.time()), rate
        elif request.access.is_counted:
            seconds, most = without_key.wait(request.remote_addr or "", time.time()), WITHOUT_KEY
        else:
            return
        if seconds:
            retry = {"Retry-After": str(seconds)}
            en = f"at most {most}; wait {seconds} seconds"
            raise Problem("too-many-requests", Title(f"请求过多,请{seconds}秒后再试", en), headers=retry)
