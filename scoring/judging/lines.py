"""Step functions of days, and the four operations that make all of the rule language out of them.

A *line* has a value on every day of a stretch of days. A *span* is an interval of days with a value; it need
not touch another one. Days are ordinals.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
Opened = tuple[int, int, T]
"""A span: on the days from the first to before the second, with its value."""


class Days(NamedTuple):
    """The days from ``first`` to before ``until``."""

    first: int
    until: int


@dataclass(frozen=True, slots=True)
class Line:
    """A value on every day of a stretch: from each of ``days`` on the one of ``values`` beside it.

    :param days: ordinals, growing; the first is the first day of the stretch.
    :param values: None where unknown; no two neighbours are equal.
    """

    days: Sequence[int]
    values: Sequence[Any]

    @classmethod
    def of(cls, steps: Iterable[tuple[dt.date, Any]]) -> Line:
        """A line from dates in order and the value that begins on each."""
        return joined((day.toordinal(), value) for day, value in steps)

    def on(self, day: dt.date) -> Any:
        """The value on a day of the stretch."""
        return self.values[bisect_right(self.days, day.toordinal()) - 1]

    def within(self, days: Days) -> Line:
        """The line of these days alone, all of which are of the stretch."""
        first, until = max(bisect_right(self.days, days.first), 1), bisect_left(self.days, days.until)
        return Line((days.first, *self.days[first:until]), self.values[first - 1 : max(until, 1)])

    def pieces(self, until: int) -> Iterator[Opened[Any]]:
        """The line as spans that follow one another.

        :param until: where the stretch ends.
        """
        return zip(self.days, [*self.days[1:], until], self.values, strict=True)


def constant(value: Any, days: Days) -> Line:
    """The same value on all days."""
    return Line((days.first,), (value,))


def joined(steps: Iterable[tuple[int, Any]]) -> Line:
    """Steps in order as a line: neighbours of one value are one piece."""
    days: list[int] = []
    values: list[Any] = []
    for day, value in steps:
        if not days or values[-1] != value:
            days.append(day)
            values.append(value)
    return Line(days, values)


def summed(spans: Iterable[Opened[Any]], days: Days) -> Line:
    """The sum of the values of the spans that are open on each day; 0 where none is."""
    changes: dict[int, Any] = defaultdict(int)
    changes[days.first] = 0
    for begins, ends, value in spans:
        changes[begins] += value
        changes[ends] -= value
    changes.pop(days.until, None)

    def steps() -> Iterator[tuple[int, Any]]:
        total: Any = 0
        for day in sorted(changes):
            total += changes[day]
            yield day, total

    return joined(steps())


def best(spans: Sequence[Opened[Any]], days: Days) -> Line:
    """On each day the value of the first span that is open; None where none is.

    :param spans: the best one first. Each takes the days that no better one has, and none is visited twice.
    """
    marks = sorted({*days, *(day for begins, ends, _ in spans for day in (begins, ends))})
    number = {day: n for n, day in enumerate(marks)}
    values: list[Any] = [None] * len(marks)
    free = list(range(len(marks)))
    for begins, ends, value in spans:
        n, end = _free(free, number[begins]), number[ends]
        while n < end:
            values[n] = value
            free[n] = n + 1
            n = _free(free, n + 1)
    return joined(zip(marks[:-1], values[:-1], strict=True))


def _free(free: list[int], n: int) -> int:
    """The first piece from the n-th on that has no value yet; paths are halved on the way."""
    while free[n] != n:
        free[n] = free[free[n]]
        n = free[n]
    return n


def aligned(lines: Sequence[Line]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The days on which one of the lines changes, and the values of all of them from there on."""
    changes: dict[int, list[tuple[int, Any]]] = defaultdict(list)
    for n, line in enumerate(lines):
        for day, value in zip(line.days, line.values, strict=True):
            changes[day].append((n, value))
    now: list[Any] = [None] * len(lines)
    for day in sorted(changes):
        for n, value in changes[day]:
            now[n] = value
        yield day, tuple(now)


def mapped(function: Callable[..., Any], *lines: Line) -> Line:
    """The function of the lines' values, piece by piece."""
    if len(lines) == 1:
        (line,) = lines
        return joined(zip(line.days, map(function, line.values), strict=True))
    return joined((day, function(*values)) for day, values in aligned(lines))


def cut(begins: int, ends: int, pieces: Iterable[Opened[T]]) -> Iterator[Opened[T]]:
    """The parts of a span in pieces that follow one another, each with the piece's value."""
    for first, until, value in pieces:
        since, till = max(begins, first), min(ends, until)
        if since < till:
            yield since, till, value
