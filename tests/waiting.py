"""Waiting for what another process or thread does: patient with a loaded machine, but not for ever."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds after which something has gone wrong, on whatever machine."""


def until(happened: Callable[[], object], what: str, every: float = 0.01) -> None:
    """Return once ``happened()`` is true.

    :param what: is waited for, for the message.
    :param every: so many seconds it is asked.
    :raises TimeoutError: after :data:`PATIENCE` seconds.
    """
    end = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen in {PATIENCE:.0f} seconds")
        time.sleep(every)


def until_all_is_judged() -> None:
    """Return once live judging, which goes on behind requests, has done what it was asked for."""
    if (events := sys.modules.get("scoring.live.events")) is not None:
        events._behind.submit(int).result(PATIENCE)
