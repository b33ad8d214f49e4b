"""Day after day: the memory of the process of durable_rules stays flat.

The test takes some seconds; XINHENG_SOAK_EVENTS=86400 is an event every second of a day.
"""

from __future__ import annotations

import datetime as dt
import os
import random

import pytest

from scoring.live.events import Judge
from scoring.live.supervisor import Engine
from scoring.tickets.case import Case, after, message, messages
from scoring.tickets.case import Step as StepRow
from scoring.tickets.chart import Actor, moves

from .events_pack import Row, firms

pytestmark = pytest.mark.alone

EVENTS = int(os.environ.get("XINHENG_SOAK_EVENTS", "4000"))
DAY = dt.date(2026, 7, 1)
KINDS = ["penalty", "listing", "award", "broken", "inspection"]


def a_record(chance: random.Random, number: int) -> Row:
    return {
        "record_id": f"r{number}",
        "firm_id": "A",
        "kind": chance.choice(KINDS),
        "field": chance.choice("xyz"),
        "note": chance.choice(["a", "b"]),
        "happened_on": DAY - dt.timedelta(days=chance.randrange(900)),
    }


def one_event(judge: Judge, chance: random.Random, records: list[Row], number: int) -> None:
    """A record comes, an old one goes; the alerts are found anew, asking durable_rules of everything."""
    records[number % 10 :] = [*records[number % 10 + 1 :], a_record(chance, number)]
    judge.patterns.forget()
    judge.patterns.matches({"firm_id": "A"}, records)


def one_move(engine: Engine) -> None:
    """A ticket is collected, and somebody asks for what is not allowed."""
    step = StepRow(1, "open", Actor.DESK, "x", DAY, dt.datetime.now(dt.UTC))
    asked = message(after(Case(), step), "evaluate", Actor.ENTERPRISE, DAY, True)
    assert moves(engine, [*messages([step]), asked]) == ["open", None]


def test_memory_stays_flat(durable: Engine) -> None:
    judge, chance = Judge(firms(), durable), random.Random(1)
    records = [a_record(chance, -number) for number in range(1, 21)]
    sizes = []
    for number in range(EVENTS):
        one_event(judge, chance, records, number)
        one_move(durable)
        if number % (EVENTS // 6) == EVENTS // 6 - 1:
            assert durable.memory > 0
            sizes.append(durable.memory)
    warm, later = sizes[0], sizes[1:]
    assert max(later) <= warm * 1.1, sizes
