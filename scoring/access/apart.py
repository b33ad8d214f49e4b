"""What may take too long, done apart: who waits for it goes on in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Found = TypeVar("Found")


def within(seconds: float, step: Callable[[], Found]) -> Found:
    """What a step gives, or raises. One that takes longer goes on behind, and nothing comes of it.

    :raises TimeoutError: where it takes longer.

    >>> within(60, lambda: "in time")
    'in time'
    """
    found = Future[Found]()

    def work() -> None:
        try:
            found.set_result(step())
        except Exception as error:
            found.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return found.result(seconds)
