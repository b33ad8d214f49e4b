"""Errors that a command answers with their message alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rules.fault import PackError
from rules.titles import TitledError
from scoring.facts.ingest.errors import IngestError

EXPECTED = (PackError, TitledError, IngestError, OSError)


@contextmanager
def plainly(usage: str) -> Iterator[None]:
    """For a module that is run by ``python -m``: what can go wrong is said in a sentence, not as a traceback.

    :param usage: the words after ``python -m``; the first is the module, each other one an argument.
    """
    if len(sys.argv) < len(usage.split()):
        sys.exit(f"usage: python -m {usage}")
    try:
        yield
    except (*EXPECTED, LookupError, ValueError) as error:
        if os.environ.get("XINHENG_DEBUG"):
            raise
        sys.exit(f"{usage.split()[0]}: {error}")
