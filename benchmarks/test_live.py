"""What an event costs: a record arrives, and its subject is judged afresh from all of its records.

``first`` asks durable_rules of every record, as after a start; ``then`` is the running server, where what it
answered for the same numbers is remembered. Neither reads the store: ``test_with_the_store`` does.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.rulesets import AMOUNTS, AS_OF, KINDS, SEVERITIES, pack_of, rule_set
from rules.calendar import today
from rules.library.loader import find_pack
from rules.model import Alert, Event, Pack, Title
from scoring.facts.entries import FileInfo
from scoring.facts.versions import ingest_rows
from scoring.judging.period import Period
from scoring.live.events import Judge
from scoring.live.supervisor import Engine
from scoring.store import create_store
from scoring.store.documents import encode

RULES, RECORDS = (40, 400), (10, 100, 1000)
EVENTS = 20


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One process for all."""
    made = Engine()
    yield made
    made.close()
    assert made.incidents == {}


def pack(rules: int, alerts: bool) -> Pack:
    """The rules, and four patterns of two and three records."""
    made = pack_of(rule_set(rules))
    if not alerts:
        return made
    events = [Event(rule.when.written, None) for rule in made.rules[:4]]
    patterns = [(events[0],) * 3, (events[1],) * 3, (events[2], events[3]), (events[3], events[0])]
    return replace(
        made,
        alerts=tuple(Alert(f"a{n}", Title("T", "T"), e, None, 365, ()) for n, e in enumerate(patterns)),
    )


def records(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Records of one subject, as benchmarks/data.py spreads them."""
    chance = random.Random(seed)
    return [
        {
            "record_id": number,
            "subject_id": 1,
            "kind": f"k{int(KINDS * chance.random() ** 2):02}",
            "severity": chance.choice(SEVERITIES),
            "status": "effective" if chance.random() < 0.7 else "repaired",
            "amount": chance.randrange(AMOUNTS),
            "occurred_on": AS_OF - dt.timedelta(days=chance.randrange(1800)),
        }
        for number in range(count)
    ]


def judge_once(judge: Judge, own: list[dict[str, Any]]) -> None:
    subject: dict[str, Any] = {"subject_id": 1, "region": "x"}
    judge.grader.judge(subject, own, Period.of(AS_OF)).hits(AS_OF)
    judge.patterns.matches(subject, own)


@pytest.mark.parametrize("remembered", [False, True], ids=["first", "then"])
@pytest.mark.parametrize("count", RECORDS, ids=lambda n: f"{n} records")
@pytest.mark.parametrize("alerts", [False, True], ids=["no alerts", "4 alerts"])
@pytest.mark.parametrize("rules", RULES, ids=lambda n: f"{n} rules")
def test_an_event(
    benchmark: BenchmarkFixture, engine: Engine, rules: int, alerts: bool, count: int, remembered: bool
) -> None:
    judge, own = Judge(pack(rules, alerts), engine), records(count)
    arriving = iter(records(EVENTS + 5, seed=2))
    judge_once(judge, own)

    def setup() -> tuple[tuple[Any, ...], dict[str, Any]]:
        if not remembered:
            judge.patterns.forget()
        return (judge, [*own[1:], next(arriving) | {"record_id": -1}]), {}

    benchmark.pedantic(judge_once, setup=setup, rounds=5 if count == max(RECORDS) else EVENTS)
    assert benchmark.stats is not None
    benchmark.extra_info["events a second"] = round(1 / benchmark.stats["median"])


@pytest.mark.parametrize("count", RECORDS, ids=lambda n: f"{n} records")
def test_with_the_store(benchmark: BenchmarkFixture, engine: Engine, tmp_path: Path, count: int) -> None:
    """The installed pack (92 rules, 19 measures, 4 alerts): read, measured, judged and kept in SQLite."""
    store = create_store(f"sqlite:///{tmp_path / 'xinheng.db'}")
    day = today()
    judge = Judge(find_pack("enterprise-credit", day), engine)
    chance, kinds = random.Random(3), list(judge.pack.vocabulary.records.columns["kind"].values)  # type: ignore[union-attr]
    rows = [
        {
            "record_id": f"r{n}",
            "subject_id": "A",
            "kind": chance.choice(kinds),
            "status": "effective",
            "severity": "general",
            "field": "wages",
            "occurred_on": (day - dt.timedelta(days=chance.randrange(1500))).isoformat(),
        }
        for n in range(count)
    ]
    for table, key, data in (("subject", "subject_id", [{"subject_id": "A"}]), ("record", "record_id", rows)):
        columns = {
            "key": [row[key] for row in data],
            "subject_id": ["A"] * len(data),
            "data": [encode(row) for row in data],
            "row_no": list(range(len(data))),
        }
        ingest_rows(store, "enterprise", table, pa.table(columns), FileInfo(uuid.uuid4().hex, table))  # type: ignore[arg-type]
    benchmark.pedantic(lambda: judge.judge(store, "A", day), rounds=10, warmup_rounds=1)
    store.close()
