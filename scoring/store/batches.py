"""How much is moved at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

BATCH_ROWS = 20_000
"""Rows a batch; a batch of hits takes some 4 MB."""

Item = TypeVar("Item")


def parts(items: Sequence[Item], size: int = 500) -> Iterator[Sequence[Item]]:
    """A list in parts that fit into the bound values of one statement."""
    return (items[start : start + size] for start in range(0, len(items), size))
