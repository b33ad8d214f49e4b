"""A pack on one day, for those who judge one subject on one day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from rules.expressions import Level, Name
from rules.model import Measure, Pack, Rule, When
from rules.plan import rule_names, used_measures


@dataclass(frozen=True, slots=True)
class TimedMeasure:
    """A measure over records, its condition freed of ``as_of``."""

    measure: Measure
    timed: When


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A pack on one day.

    :param rules: the pack's rules in force that day.
    :param measures: those that the rules read or that are shown, and those that they are made of.
    """

    pack: Pack
    as_of: dt.date
    rules: tuple[Rule, ...]
    measures: tuple[TimedMeasure, ...]

    @property
    def inputs(self) -> tuple[Name, ...]:
        """The attributes and measures that the rules read, for the completeness of a result."""
        read = {n for rule in self.rules for n in rule_names(rule) if n.level is not Level.RECORD}
        return tuple(sorted(read, key=lambda n: n.name))


def compile_day(pack: Pack, as_of: dt.date, shown: Iterable[str] = ()) -> DayPlan:
    """The plan of a pack on a day. Rules without a value on that day are left out.

    :param shown: measures that are wanted beside those that the rules read; no result depends on them.
    """
    rules = tuple(
        r for r in pack.rules if r.tier is not None or (r.points and r.points.on(as_of) is not None)
    )
    measures = tuple(TimedMeasure(m, m.where) for m in used_measures(pack, rules, shown))
    return DayPlan(pack, as_of, rules, measures)
