"""Which of a pack's conditions a row meets: asked of durable_rules, or judged by plain Python."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from prometheus_client import Counter as Metric

from rules.language.evaluate import Row, evaluate
from rules.language.expressions import Expression, Level, Name, names
from rules.model import Pack
from scoring.live.definitions import (
    ALWAYS,
    Alternatives,
    NotExactError,
    alternatives,
    known_field,
    pattern,
    value_field,
)
from scoring.live.encoding import Encoding
from scoring.live.supervisor import Engine, NoAnswerError

FALLBACKS = Metric("xinheng_live_fallbacks", "Rows judged by plain Python, for want of an answer.")
DURABLE, PLAIN = "durable_rules", "rules.language.evaluate"
_ROWS_AT_ONCE = 200
_MOST_REMEMBERED = 50_000
_NO_DAY = dt.date.min
"""Conditions have been freed of ``as_of``."""

Key = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that a row meets or not.

    :param id: a rule's, or an alert's with the number of the event.
    :param when: without ``as_of``.
    """

    id: str
    level: Level
    when: Expression


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which engine judges a condition, and why.

    :param alternatives: as durable_rules is given it; None where plain Python judges.
    :param reason: what durable_rules can't say exactly; empty where it can.
    """

    condition: Condition
    alternatives: Alternatives | None
    reason: str

    @property
    def engine(self) -> str:
        """``durable_rules`` or ``rules.language.evaluate``."""
        return PLAIN if self.alternatives is None else DURABLE


def conditions_of(pack: Pack) -> tuple[Condition, ...]:
    """Every rule, table row, veto and consequence, and every event of an alert."""
    return (*(Condition(r.id, r.level, r.when.condition) for r in pack.rules), *events_of(pack))


def events_of(pack: Pack) -> tuple[Condition, ...]:
    """Every event of an alert."""
    return tuple(
        Condition(event_id(alert.id, number), Level.RECORD, event.when)
        for alert in pack.alerts
        for number, event in enumerate(alert.events, 1)
    )


def event_id(alert: str, number: int) -> str:
    """The condition of the event of that number, from 1."""
    return f"alert {alert} {number}"


def assign(conditions: Sequence[Condition]) -> tuple[Assignment, ...]:
    """Which engine takes what."""
    encoding = Encoding.of(condition.when for condition in conditions)
    return tuple(_assigned(condition, encoding) for condition in conditions)


def engine_of(pack: Pack) -> dict[str, tuple[str, str]]:
    """Each condition's engine, and the reason where it is not durable_rules, by the id of rule or event."""
    return {a.condition.id: (a.engine, a.reason) for a in assign(conditions_of(pack))}


def _assigned(condition: Condition, encoding: Encoding) -> Assignment:
    try:
        return Assignment(condition, alternatives(condition.when, encoding), "")
    except NotExactError as error:
        return Assignment(condition, None, str(error))


class Conditions:
    """Conditions that are asked together of rows: records with their subject's values, or subjects alone.

    What durable_rules answers for one row holds for every row with the same numbers, so it is asked once.

    :param name: what durable_rules keeps them under; no other conditions may have it.
    """

    def __init__(self, name: str, own: Sequence[Condition], engine: Engine) -> None:
        assigned = assign(own)
        self._engine = engine
        self._encoding = Encoding.of(c.when for c in own)
        self._plain = [a.condition for a in assigned if a.alternatives is None]
        self._sent = [a for a in assigned if a.alternatives is not None]
        self._names = _names(a.condition.when for a in self._sent)
        self._owners, self._definition = self._define()
        self._name = name
        self._remembered: dict[Key, frozenset[str]] = {}

    def met(self, rows: Sequence[Row]) -> list[frozenset[str]]:
        """For each row the ids of the conditions that are true of it."""
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered = {}
        remembered = self._remembered
        keys = [self._key(row) for row in rows]
        new = {key: row for key, row in zip(keys, rows, strict=True) if key not in remembered}
        remembered.update(self._answers(new))
        return [remembered[key] | _true_of(self._plain, row) for key, row in zip(keys, rows, strict=True)]

    def forget(self) -> None:
        """Ask of every row again."""
        self._remembered = {}

    def _key(self, row: Row) -> Key:
        return tuple(self._encoding.number(name, row.get(name.name)) for name in self._names)

    def _answers(self, new: Mapping[Key, Row]) -> dict[Key, frozenset[str]]:
        if not self._sent:
            return dict.fromkeys(new, frozenset())
        answers: dict[Key, frozenset[str]] = {}
        waiting = iter(new.items())
        while some := dict(islice(waiting, _ROWS_AT_ONCE)):
            answers |= self._ask(some)
        return answers

    def _ask(self, some: Mapping[Key, Row]) -> dict[Key, frozenset[str]]:
        try:
            answer = self._engine.ask(self._name, self._definition, [self._fact(key) for key in some])
        except NoAnswerError:
            FALLBACKS.inc(len(some))
            return {key: _true_of([a.condition for a in self._sent], row) for key, row in some.items()}
        return {key: frozenset(self._owners[n] for n in met) for key, met in zip(some, answer, strict=True)}

    def _fact(self, key: Key) -> dict[str, int]:
        fact = {ALWAYS: 1}
        for name, number in zip(self._names, key, strict=True):
            fact[known_field(name.name)] = int(number is not None)
            if number is not None:
                fact[value_field(name.name)] = number
        return fact

    def _define(self) -> tuple[list[str], dict[str, Any]]:
        """The owner of each alternative by its number, and what durable_rules is given.

        Checks of the columns that most conditions look at come first, so that alternatives share a path.
        """
        said = [(a.condition.id, one) for a in self._sent for one in sorted(a.alternatives or (), key=sorted)]
        asked = Counter(check.column for _, alternative in said for check in alternative)
        order = [column for column, _ in asked.most_common()]
        patterns = [(owner, pattern(alternative, order)) for owner, alternative in said]
        patterns.sort(key=lambda pair: repr(pair[1]))
        return [owner for owner, _ in patterns], {"kind": "rules", "patterns": [p for _, p in patterns]}


def _names(conditions: Iterable[Expression]) -> tuple[Name, ...]:
    return tuple(sorted({n for condition in conditions for n in names(condition)}, key=lambda n: n.name))


def _true_of(conditions: Iterable[Condition], row: Row) -> frozenset[str]:
    return frozenset(c.id for c in conditions if evaluate(c.when, row, _NO_DAY) is True)
