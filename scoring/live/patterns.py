"""Alerts: patterns of several records of one subject, as docs/rule-language.md says.

Records follow one another by their date, then by their id; one without a date is in no pattern. Of all
matches that one record completes, the alert names the one whose first record is the latest, then the second,
and so on. So the alerts of a subject depend on its records alone, and not on the order in which they became
known.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.identity import identity
from rules.language.evaluate import Row, evaluate
from rules.model import Alert, Pack
from scoring.live.conditions import FALLBACKS, Conditions, event_id, events_of
from scoring.live.supervisor import Engine, NoAnswerError

NEVER = dt.date.max.toordinal() + 1
MOST_TOGETHER = 200
"""A longer sequence is searched by plain Python: its joins would keep others waiting."""

Fact = dict[str, int]


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern that is complete.

    :param records: the ids of its records in order; the last one completes it.
    """

    alert: str
    records: tuple[Any, ...]


class Judged(NamedTuple):
    """A record with its subject's attributes, its id, and the events that it is."""

    row: Row
    record_id: Any
    met: frozenset[str]


class Patterns:
    """The alerts of a pack."""

    def __init__(self, pack: Pack, engine: Engine) -> None:
        self._pack, self._engine = pack, engine
        self._digest = identity(pack)[:16]
        self._events = Conditions(f"{self._digest}.events", events_of(pack), engine)

    def matches(self, subject: Row, records: Sequence[Row]) -> frozenset[Match]:
        """Every match among the records of one subject.

        :param subject: its attributes.
        """
        date, table = self._pack.vocabulary.record_date, self._pack.vocabulary.records
        if not self._pack.alerts or table is None:
            return frozenset()
        rows = [{**record, **subject} for record in records if record.get(date) is not None]
        rows.sort(key=lambda row: (row[date], row[table.key]))
        dated = [
            Judged(row, row[table.key], met) for row, met in zip(rows, self._events.met(rows), strict=True)
        ]
        return frozenset(match for alert in self._pack.alerts for match in self._of(alert, dated))

    def forget(self) -> None:
        """Ask durable_rules anew of everything."""
        self._events.forget()

    def _of(self, alert: Alert, dated: Sequence[Judged]) -> Iterable[Match]:
        groups: dict[Any, list[tuple[Any, Fact]]] = defaultdict(list)
        events = {event_id(alert.id, number) for number in range(1, len(alert.events) + 1)}
        for row, record_id, met in dated:
            group = row.get(alert.same) if alert.same else True
            if group is not None and not met.isdisjoint(events):
                fact = _fact(alert, row, met, self._pack.vocabulary.record_date)
                groups[group].append((record_id, fact))
        for members in groups.values():
            ids, facts = zip(*members, strict=True)
            for positions in self._found(alert, facts):
                yield Match(alert.id, tuple(ids[position] for position in positions))

    def _found(self, alert: Alert, facts: Sequence[Fact]) -> Iterable[Sequence[int]]:
        size = len(alert.events)
        if not all(any(fact[f"e{n}"] for fact in facts) for n in range(1, size + 1)):
            return ()
        if len(facts) > MOST_TOGETHER:
            return search(facts, size, alert.days)
        definition = {"kind": "sequences", "events": size, "days": alert.days}
        try:
            found: list[list[int]] = self._engine.ask(f"{self._digest}.{alert.id}", definition, facts)
        except NoAnswerError:
            FALLBACKS.inc(len(facts))
            return search(facts, size, alert.days)
        return found


def _fact(alert: Alert, row: Row, met: frozenset[str], date: str) -> Fact:
    day: dt.date = row[date]  # type: ignore[assignment]  # the vocabulary's record date, and known
    fact = {"day": day.toordinal()}
    for number, event in enumerate(alert.events, 1):
        until = evaluate(event.stands_until, row, day) if event.stands_until else None
        fact[f"e{number}"] = int(event_id(alert.id, number) in met)
        fact[f"u{number}"] = NEVER if until is None else until.toordinal()
    return fact


def search(facts: Sequence[Mapping[str, int]], events: int, days: int | None) -> list[tuple[int, ...]]:
    """What durable_rules finds, by plain Python: see :class:`scoring.live.worker.Sequences`."""
    best: list[tuple[int, ...] | None] = [(end,) if fact["e1"] else None for end, fact in enumerate(facts)]
    for number in range(2, events + 1):
        best = [_longer(facts, best, end, number) for end in range(len(facts))]
    found = [match for match in best if match is not None]
    return [m for m in found if days is None or facts[m[-1]]["day"] - facts[m[0]]["day"] < days]


def _longer(
    facts: Sequence[Mapping[str, int]], best: Sequence[tuple[int, ...] | None], end: int, number: int
) -> tuple[int, ...] | None:
    """The best match of the first ``number`` events that ends at a position."""
    if not facts[end][f"e{number}"]:
        return None
    until, day = f"u{number - 1}", facts[end]["day"]
    before = [match for match in best[:end] if match is not None and facts[match[-1]][until] > day]
    return (*max(before), end) if before else None
