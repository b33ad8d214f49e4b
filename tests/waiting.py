"""Waiting for what another process or thread does: patient with a loaded machine, but not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds after which something has gone wrong, on whatever machine."""


def until(happened: Callable[[], object], what: str) -> None:
    """Return once ``happened()`` is true.

    :param what: is waited for, for the message.
    :raises TimeoutError: after :data:`PATIENCE` seconds.
    """
    end = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen in {PATIENCE:.0f} seconds")
        time.sleep(0.01)
