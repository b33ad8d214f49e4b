"""What a question for paths takes: of an enterprise with many records, all of which can be bettered."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from rules.library.loader import find_pack
from scoring.answers.paths import MOST_WORK, SET_WORK, search, steps_for, varied
from scoring.answers.timelines import Facts
from scoring.judging.one import Judge, Varied
from scoring.judging.period import Period
from scoring.runs.terms import Piece

DAY = dt.date(2026, 9, 1)


def penalties(count: int) -> dict[str, dict[str, Any]]:
    """Penalties of the last two and a half years."""
    chance = random.Random(417)
    columns = find_pack("enterprise-credit", DAY).vocabulary.records
    assert columns is not None
    return {
        f"r{number:04}": {
            **dict.fromkeys(columns.columns),
            "record_id": f"r{number:04}",
            "kind": "penalty",
            "severity": chance.choice(["minor", "general", "general", "serious"]),
            "field": chance.choice(["general", "environment", "wages"]),
            "status": "effective",
            "occurred_on": DAY - dt.timedelta(chance.randrange(1, 900)),
        }
        for number in range(count)
    }


@pytest.mark.parametrize("count", [10, 100, 1_000])
def test_paths(benchmark: BenchmarkFixture, count: int) -> None:
    pack = find_pack("enterprise-credit", DAY)
    own = {"state": "operating", "established_on": dt.date(2015, 1, 1)}
    known: dict[str, Any] = {**dict.fromkeys(pack.vocabulary.subject.columns), **own}
    facts = Facts("x", dt.datetime(2026, 9, 1, tzinfo=dt.UTC), known, penalties(count))
    judge = Judge(pack)
    term = Piece(pack.in_force_from, pack.in_force_until, pack)

    def ask() -> None:
        steps = list(steps_for([term], facts, DAY))
        variant = varied([(pack, Varied(judge, known, Period(DAY)))], facts, steps)
        search(variant, steps, DAY, "B", MOST_WORK // (SET_WORK + count))

    benchmark.pedantic(ask, rounds=3)
