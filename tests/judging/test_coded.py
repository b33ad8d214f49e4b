"""Facts coded by numbers and signatures are the same facts."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from strategies import RECORD_COLUMNS, RECORD_KEY, Data, key_values, row, to_yaml, vocabulary

from rules.library.loader import load_text, load_vocabulary
from rules.model import Table, Vocabulary
from rules.plan import closed_columns
from scoring.judging.coded import code_facts, open_columns
from scoring.judging.sql import sql_type

KEYS = ["text", "integer"]
ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 4),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}
LEAST = """
pack: least
version: "1"
title: Least
in_force: {from: 2026-01-01}
score: {start: 0, min: 0, max: 1}
dimensions: [{id: one, title: One}]
rules: [{id: r, title: R, dimension: one, when: "%s is not null", points: 1, basis: own-choice}]
grades: [{tier: A, title: A, from: 0}]
subject:
"""


def known(people: Data, key: str) -> Vocabulary:
    indented = "".join(f"  {line}\n" for line in to_yaml(people).splitlines())
    return load_text(LEAST % key + indented, "least.yaml").vocabulary


def coded(people: Vocabulary, subjects: list[Data], records: list[Data]) -> duckdb.DuckDBPyConnection:
    duck = duckdb.connect()
    for name, table, data in ("subjects", people.subject, subjects), ("records", people.records, records):
        assert table is not None
        duck.from_arrow(arrow(table, data)).create(name)
    code_facts(duck, people)
    return duck


def arrow(table: Table, data: list[Data]) -> pa.Table:
    schema = pa.schema([(name, ARROW[column.declared]) for name, column in table.columns.items()])
    return pa.Table.from_pylist(data, schema=schema)


def rows(duck: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return duck.execute(query).fetchall()


def columns(duck: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {name: kind.lower() for name, kind, *_ in rows(duck, f"describe {table}")}


@st.composite
def facts(draw: st.DrawFn) -> tuple[Vocabulary, list[Data], list[Data]]:
    kind = draw(st.sampled_from(KEYS))
    keys = key_values(kind)
    owners = st.sampled_from([*keys, None])
    numbers = draw(st.lists(st.integers(-20, 20), unique=True, max_size=12))
    records: list[Data] = [
        {
            RECORD_KEY: number if kind == "integer" else f"é{number}",
            "owner": draw(owners),
            **draw(row(RECORD_COLUMNS)),
        }
        for number in numbers
    ]
    subjects: list[Data] = [{"subject_id": key} for key in keys[: draw(st.integers(0, len(keys)))]]
    return known(vocabulary("subject_id", kind, "owner"), "flag"), subjects, records


@given(facts())
def test_coded_facts_are_the_facts_without_records_of_unknown_subjects(
    case: tuple[Vocabulary, list[Data], list[Data]],
) -> None:
    people, subjects, records = case
    table = people.records
    assert table is not None
    plain = ", ".join({"owner": "s.subject_id"}.get(name, name) for name in table.columns)
    with coded(people, subjects, records) as duck:
        had = rows(
            duck,
            f"select {plain} from xh_records join xh_signatures using (_sig) join xh_subjects s using (_s)",
        )
        of_known = [
            tuple(r[c] for c in table.columns) for r in records if {"subject_id": r["owner"]} in subjects
        ]
        assert sorted(had, key=repr) == sorted(of_known, key=repr)
        signatures = rows(duck, "select kind, tier from xh_signatures order by _sig")
        assert len(set(signatures)) == len(signatures)


@given(facts())
def test_every_subject_and_record_has_a_number_of_its_own(
    case: tuple[Vocabulary, list[Data], list[Data]],
) -> None:
    with coded(*case) as duck:
        for number, table in (("_s", "xh_subjects"), ("_r", "xh_records"), ("_sig", "xh_signatures")):
            found = rows(duck, f"select {number} from {table}")
            assert len(set(found)) == len(found)


def test_the_columns_of_an_installed_vocabulary_keep_their_types() -> None:
    enterprise = load_vocabulary("enterprise")
    assert enterprise.records is not None
    assert {*closed_columns(enterprise), *open_columns(enterprise), enterprise.record_subject} == {
        *enterprise.records.columns
    }
    with coded(enterprise, [], []) as duck:
        types = {name: sql_type(column.type) for name, column in enterprise.records.columns.items()}
        made = columns(duck, "xh_signatures") | columns(duck, "xh_records")
        assert {name: made[name].replace(",", ", ") for name in made.keys() & types.keys()} == {
            name: kind for name, kind in types.items() if name != enterprise.record_subject
        }
        assert {made[number] for number in ("_s", "_r", "_sig")} == {"integer"}


def test_records_without_closed_columns_have_one_signature() -> None:
    people = vocabulary("subject_id", "text", "owner")
    del people["records"]["columns"]["kind"], people["records"]["columns"]["tier"]
    with coded(known(people, "flag"), [{"subject_id": "a"}], [{"record_id": "r", "owner": "a"}]) as duck:
        assert rows(duck, "select _s, _r, _sig, record_id from xh_records") == [(0, 0, 0, "r")]
        assert rows(duck, "from xh_signatures") == [(0,)]


def test_a_vocabulary_without_records_has_subjects_alone() -> None:
    people = vocabulary("subject_id", "text", "owner")
    del people["records"]
    with duckdb.connect() as duck:
        subject = known(people, "flag").subject
        duck.from_arrow(arrow(subject, [{"subject_id": "a"}])).create("subjects")
        code_facts(duck, known(people, "flag"))
        assert rows(duck, "select _s, subject_id from xh_subjects") == [(0, "a")]
        assert rows(duck, "select table_name from duckdb_tables() order by 1") == [
            ("subjects",),
            ("xh_subjects",),
        ]
