"""Answers that are kept for a few seconds."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

Name = TypeVar("Name")
Value = TypeVar("Value")
_MOST = 10_000


class TimedCache(Generic[Name, Value]):
    """Values by name, each for some seconds. Shared by threads: a value is replaced whole.

    :param seconds: 0 to forget at once.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[Name, tuple[float, Value]] = {}

    def get(self, name: Name) -> Value | None:
        """The value, while it is kept."""
        known = self._known.get(name)
        return known[1] if known is not None and known[0] > time.monotonic() else None

    def keep(self, name: Name, value: Value) -> Value:
        """Keep a value from now on, and give it back."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[name] = (time.monotonic() + self._seconds, value)
        return value
