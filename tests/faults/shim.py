"""What is armed in a process to go wrong: see shim.c, which has to be loaded before the C library."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Kind(IntEnum):
    """What goes wrong. As numbered in shim.c."""

    NONE = 0
    KILLED = 1
    """kill -9 before the call."""
    TORN = 2
    """kill -9 in the middle of a write."""
    FULL = 3
    """The disk is full from this write on, of which half is written."""
    UNSYNCED = 4
    """An fsync fails."""
    READONLY = 5
    """No file can be opened for writing, made, renamed or deleted any more."""
    PAUSED = 6
    """The process stops until it is told to go on; what happens meanwhile is the driver's choice."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many calls a process made of each sort of which one can go wrong."""

    any: int
    writes: int
    syncs: int
    opens: int

    def of(self, kind: Kind) -> int:
        """How many of its calls a fault can strike."""
        special = {Kind.FULL: self.writes, Kind.UNSYNCED: self.syncs, Kind.READONLY: self.opens}
        return special.get(kind, self.any)


def build(directory: Path) -> Path:
    """Compile the library.

    :raises FileNotFoundError: where there is no gcc.
    """
    library = directory / "shim.so"
    source = Path(__file__).with_name("shim.c")
    line = ["gcc", "-O1", "-Wall", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(line, check=True)
    return library


class Shim:
    """The library, in a process that was started with it."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._arm = self._library.faults_arm
        self._arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_long]
        self._counted = self._library.faults_counted
        self._counted.restype = ctypes.c_long

    def arm(self, kind: Kind, nth: int = 0, seconds: int = 0) -> None:
        """From now on count; have the nth call of the kind's sort go wrong; the clock is so far ahead."""
        self._arm(kind, nth, seconds)

    def counts(self) -> Counts:
        """What was counted since."""
        return Counts(*(self._counted(number) for number in range(4)))
