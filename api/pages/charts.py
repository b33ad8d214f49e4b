"""The geometry of charts: what is drawn where. Templates draw it as SVG, the style sheet colours it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rules.model import Grade, Pack
from scoring.results import GradeRow

WIDTH = 1000
"""Of a bar, in units of its drawing."""

LINE_WIDTH, LINE_HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 20, 16, 30


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar from ``x`` on."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Part:
    """A tier's part of a stacked bar."""

    tier: str
    number: int
    bar: Bar


@dataclass(frozen=True, slots=True)
class Point:
    """A grade on the history line."""

    x: float
    y: float
    grade: GradeRow


@dataclass(frozen=True, slots=True)
class Band:
    """The heights of a tier behind the history line."""

    grade: Grade
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """The history of scores: points by time, over the bands of the tiers."""

    points: tuple[Point, ...]
    bands: tuple[Band, ...]
    path: str


def stacked(counts: Mapping[str, int], tiers: Sequence[str]) -> list[Part]:
    """The parts of a bar that shows how many subjects have each tier, best first."""
    total = sum(counts.values()) or 1
    parts, before = [], 0
    for tier in tiers:
        number = counts.get(tier, 0)
        parts.append(Part(tier, number, Bar(WIDTH * before / total, WIDTH * number / total)))
        before += number
    return parts


def history(grades: Sequence[GradeRow], pack: Pack) -> Line:
    """The line of a subject's scores, by the dates that they speak about.

    :param grades: at least one.
    """
    ordered = sorted(grades, key=lambda grade: (grade.as_of, grade.run_id))
    points = tuple(Point(_x(g.as_of, ordered), _y(g.score, pack), g) for g in ordered)
    path = " ".join(f"{'M' if n == 0 else 'L'}{p.x:.1f},{p.y:.1f}" for n, p in enumerate(points))
    return Line(points, tuple(_bands(pack)), path)


def _bands(pack: Pack) -> list[Band]:
    bands, upper = [], pack.score.max
    for grade in pack.grades:
        lower = max(grade.lowest, pack.score.min)
        bands.append(Band(grade, _y(upper, pack), max(0.0, _y(lower, pack) - _y(upper, pack))))
        upper = lower
    return bands


def _x(day: dt.date, ordered: Sequence[GradeRow]) -> float:
    first, last = ordered[0].as_of, ordered[-1].as_of
    span = (last - first).days
    width = LINE_WIDTH - _LEFT - _RIGHT
    return round(_LEFT + (width * (day - first).days / span if span else width / 2), 1)


def _y(score: int, pack: Pack) -> float:
    span = (pack.score.max - pack.score.min) or 1
    height = LINE_HEIGHT - _TOP - _BOTTOM
    return round(_TOP + height * (pack.score.max - score) / span, 1)
