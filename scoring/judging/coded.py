"""Facts coded for judging: subjects and records as small numbers, closed-list columns as signatures.

A *signature* is one combination of the closed-list columns of a record: those whose codes the vocabulary
lists, and those that are true or false. Millions of records have some hundreds of them, so that whatever is
asked of these columns alone is decided once a signature.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from rules.expressions import Kind
from rules.model import Vocabulary
from scoring.sql import quoted

SUBJECTS = "xh_subjects"
RECORDS = "xh_records"
SIGNATURES = "xh_signatures"


def closed_columns(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The columns of records that make their signature; none where the vocabulary has no records."""
    if vocabulary.records is None:
        return ()
    keys = {vocabulary.records.key, vocabulary.record_subject}
    return tuple(
        name
        for name, column in vocabulary.records.columns.items()
        if name not in keys and (column.values or column.type.kind is Kind.BOOLEAN)
    )


def open_columns(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The other columns of records: their key among them, their subject's key not."""
    if vocabulary.records is None:
        return ()
    closed = {*closed_columns(vocabulary), vocabulary.record_subject}
    return tuple(name for name in vocabulary.records.columns if name not in closed)


def code_facts(
    duck: duckdb.DuckDBPyConnection,
    vocabulary: Vocabulary,
    subjects: str = "subjects",
    records: str = "records",
) -> None:
    """Make the coded tables of plain ones.

    - ``xh_subjects``: ``s``, from 0 in the order of the subjects' keys, and the columns of subjects;
    - ``xh_signatures``: ``sig``, from 0, and the :func:`closed_columns`;
    - ``xh_records``: ``s``; ``r``, from 0 in the order of ``s`` and then of the records' keys; ``sig``; and
      the :func:`open_columns`. Records of unknown subjects are left out.

    Keys that are texts are in the order of their bytes. Where the vocabulary has no records, ``xh_subjects``
    alone is made.

    :param subjects: the table of subjects, with the vocabulary's columns; their keys are unique.
    :param records: the table of records, likewise.
    """
    key = quoted(vocabulary.subject.key)
    duck.execute(
        f"create or replace table {SUBJECTS} as select {_number(key)} as s,"
        f" {_listed(vocabulary.subject.columns)} from {quoted(subjects)} order by s"
    )
    if vocabulary.records is None:
        return
    closed = closed_columns(vocabulary)
    duck.execute(f"create or replace table {SIGNATURES} as {_signatures_of(quoted(records), closed)}")
    same = "".join(f" and r.{quoted(name)} is not distinct from g.{quoted(name)}" for name in closed)
    order = f"s.s, r.{quoted(vocabulary.records.key)}"
    duck.execute(
        f"create or replace table {RECORDS} as select s.s, {_number(order)} as r, g.sig,"
        f" {_listed(open_columns(vocabulary), 'r.')} from {quoted(records)} r"
        f" join {SUBJECTS} s on r.{quoted(vocabulary.record_subject)} = s.{key}"
        f" join {SIGNATURES} g on true{same} order by r"
    )


def _signatures_of(records: str, closed: Iterable[str]) -> str:
    """Where there are no closed-list columns, every record has the one signature that says nothing."""
    columns = _listed(closed)
    if not columns:
        return "select 0::integer as sig"
    return f"select {_number(columns)} as sig, {columns} from (select distinct {columns} from {records})"


def _number(order: str) -> str:
    return f"(row_number() over (order by {order}) - 1)::integer"


def _listed(names: Iterable[str], of: str = "") -> str:
    return ", ".join(of + quoted(name) for name in names)
