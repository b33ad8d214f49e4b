"""Arithmetic on decimals that keeps every digit: Python's own rounds each result to 28."""

from __future__ import annotations

from decimal import Context, Decimal

EXACT = Context(prec=100)
"""A value has at most 38 digits, a product of two at most 76."""


def quotient(part: Decimal | int, whole: Decimal | int, digits: int = 0) -> int:
    """``part / whole`` in units of the last of so many digits after the point; a half goes away from zero.

    >>> from decimal import Decimal
    >>> quotient(2, 3, 4), quotient(Decimal("-0.125"), 1, 2)
    (6667, -13)
    """
    (above, below), (by, over) = part.as_integer_ratio(), whole.as_integer_ratio()
    above, below = above * over * int(10**digits), below * by
    size = (2 * abs(above) + abs(below)) // (2 * abs(below))
    return size if (above < 0) == (below < 0) else -size
