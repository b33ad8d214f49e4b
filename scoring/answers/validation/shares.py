"""Shares of a sample, and between what bounds the true ones lie."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054
"""The normal quantile that leaves 2.5 % on either side."""

Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a sample something was found of.

    >>> share = Share(8, 40)
    >>> share.value
    0.2
    >>> [round(bound, 3) for bound in share.bounds]
    [0.105, 0.348]
    """

    found: int
    of: int

    @property
    def value(self) -> float | None:
        """The share; None of nobody."""
        return self.found / self.of if self.of else None

    @property
    def bounds(self) -> Bounds:
        """The 95 % score interval (Wilson 1927): all of 0 to 1 for nobody."""
        if not self.of:
            return 0.0, 1.0
        share, square = self.found / self.of, Z * Z / self.of
        middle = share + square / 2
        reach = Z * sqrt(share * (1 - share) / self.of + square / (4 * self.of))
        return max(0.0, (middle - reach) / (1 + square)), min(1.0, (middle + reach) / (1 + square))


def difference(one: Share, other: Share) -> Bounds | None:
    """The 95 % interval of how much greater the one share is than the other (Newcombe 1998, method 10).

    :return: None where one of the two is of nobody.

    >>> [round(bound, 4) for bound in difference(Share(56, 70), Share(48, 80))]
    [0.0524, 0.3339]
    """
    if one.value is None or other.value is None:
        return None
    (low, high), (other_low, other_high) = one.bounds, other.bounds
    apart = one.value - other.value
    less = sqrt((one.value - low) ** 2 + (other_high - other.value) ** 2)
    more = sqrt((high - one.value) ** 2 + (other.value - other_low) ** 2)
    return apart - less, apart + more
