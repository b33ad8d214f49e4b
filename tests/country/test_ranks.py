"""Subjects in buckets, compared with those of all: as in one bucket, and as the reference ranks them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Case, cases
from test_differential import EXAMPLES, Graded, briefer, expected, give, graded, load, read

from rules.model import Pack
from rules.plan import compile_plan
from scoring.judging.coded import code_facts
from scoring.judging.engine import grade_coded
from scoring.judging.judge import counts_on, places_on, ranked_in_rounds

RANKS = """\
measures:
  all_of_late: {title: M, count: records, within: {from: happened_on, months: 2}}
  sum_of_late: {title: M, sum: amount, within: {from: happened_on, until: stops_on}}
  first_by: {title: M, rank: all_of_late, by: flag, order: asc}
  last_by: {title: M, rank: all_of_late, by: flag}
  peers_by: {title: M, peers: all_of_late, by: flag}
  first: {title: M, rank: sum_of_late, where: all_of_late > 0}
  part: {title: M, ratio: [first_by, peers_by]}
  of_ranks: {title: M, rank: part, order: asc, where: "coalesce(first, 2) > 1"}
  of_those: {title: M, peers: of_ranks, by: rule}
  last_late: {title: M, latest: kind, within: {from: happened_on, until: stops_on}}
  months: {title: M, count: records, by: start_of_month(happened_on), take: count, within: {months: 13}}
  by_kind: {title: M, percentile: all_of_late, by: last_late}
  by_months: {title: M, percentile: sum_of_late, by: months, bands: [1, 2], order: asc, fewest: 2}
  by_place: {title: M, rank: sum_of_late, by: first_by}
"""
RULES = """\
rules:
- {id: k0, title: T, dimension: one, basis: own-choice, when: first_by = 1, points: 2}
- {id: k1, title: T, dimension: two, basis: own-choice, when: last_by >= 1, points: -1, per: last_by}
- {id: k2, title: T, dimension: one, basis: own-choice, when: first <= 2, points: 5}
- {id: k3, title: T, dimension: two, basis: own-choice, when: of_ranks > 1, points: 3, per: of_those}
- {id: k4, title: T, dimension: one, basis: own-choice, when: by_kind >= 0, points: 0.07, per: by_kind}
- {id: k5, title: T, dimension: two, basis: own-choice, when: by_months >= 50, points: -4, per: by_months}
- {id: k6, title: T, dimension: one, basis: own-choice, when: by_place = 1, points: 9}
"""


def ranked(case: Case) -> Case:
    """The case, whose rules compare subjects, and by how they compare once more."""
    text = case.pack.replace("\nmeasures: {}\n", "\nmeasures:\n")
    return replace(
        case, pack=text.replace("\nmeasures:\n", f"\n{RANKS}", 1).replace("\nrules:\n", f"\n{RULES}", 1)
    )


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


@settings(briefer, max_examples=EXAMPLES // 12)
@given(case=cases(), data=st.data())
def test_subjects_in_buckets_have_the_places_that_they_have_together(
    connection: duckdb.DuckDBPyConnection, tmp_path_factory: Any, case: Case, data: st.DataObject
) -> None:
    pack = load(ranked(case))
    key, owner = pack.vocabulary.subject.key, pack.vocabulary.record_subject
    buckets = {subject[key]: data.draw(st.integers(0, 1)) for subject in case.subjects}
    parts = [
        replace(
            case,
            subjects=[subject for subject in case.subjects if buckets[subject[key]] == number],
            records=[record for record in case.records if buckets.get(record[owner], 0) == number],
        )
        for number in range(2)
    ]
    folder = tmp_path_factory.mktemp("places")
    together = graded(connection, pack, case, case.as_of)
    assert together[0] == expected(pack, case, case.as_of)
    assert in_parts(connection, pack, parts, case.as_of, folder) == together


def in_parts(
    connection: duckdb.DuckDBPyConnection, pack: Pack, parts: list[Case], day: dt.date, folder: Path
) -> tuple[Graded, dict[Any, dt.date | None]]:
    """What comes of parts that know of each other what files say."""
    plan, places, scores, changes = compile_plan(pack), dict[str, str](), {}, {}
    for number, measures in enumerate(ranked_in_rounds(plan)):
        for part, case in enumerate(parts):
            give(connection, pack, case)
            code_facts(connection, pack.vocabulary)
            with counts_on(connection, plan, day, number, places) as counts:
                for name, query in counts.items():
                    connection.execute(f"copy ({query}) to '{folder}/{name}-{part}.parquet'")
        for name in measures:
            all_counts = f"(from '{folder}/{name}-*.parquet')"
            query = places_on(plan, day, name, all_counts)
            connection.execute(f"copy ({query}) to '{folder}/of-{name}.parquet'")
            places[name] = f"'{folder}/of-{name}.parquet'"
    for case in parts:
        give(connection, pack, case)
        code_facts(connection, pack.vocabulary)
        grade_coded(connection, pack, day, places=places)
        found = read(connection, pack)
        scores |= found[0]
        changes |= found[1]
    return scores, changes
