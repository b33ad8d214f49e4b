"""Facts coded for judging: subjects and records as small numbers, closed-list columns as signatures.

A *signature* is one combination of the closed-list columns of a record: those whose codes the vocabulary
lists, and those that are true or false. Millions of records have some hundreds of them, so that whatever is
asked of these columns alone is decided once a signature.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from rules.model import Vocabulary
from rules.plan import closed_columns
from scoring.judging.sql import quoted

SUBJECTS = "xh_subjects"
RECORDS = "xh_records"
SIGNATURES = "xh_signatures"


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

    - ``xh_subjects``: ``_s``, from 0, and the columns of subjects;
    - ``xh_signatures``: ``_sig``, from 0, and the closed columns (:func:`rules.plan.closed_columns`);
    - ``xh_records``: ``_s``; ``_r``, a number of the record; ``_sig``; and the :func:`open_columns`. Records
      of unknown subjects are left out.

    Where the vocabulary has no records, ``xh_subjects`` alone is made.

    :param subjects: the table of subjects, with the vocabulary's columns; their keys are unique.
    :param records: the table of records, likewise.
    """
    key = quoted(vocabulary.subject.key)
    duck.execute(
        f"create or replace table {SUBJECTS} as select {_NUMBER} as _s,"
        f" {_listed(vocabulary.subject.columns)} from {quoted(subjects)}"
    )
    if vocabulary.records is None:
        return
    closed = closed_columns(vocabulary)
    duck.execute(f"create or replace table {SIGNATURES} as {_signatures_of(quoted(records), closed)}")
    same = "".join(f" and r.{quoted(name)} is not distinct from g.{quoted(name)}" for name in closed)
    # Records are numbered where they are read: numbered after the joins, they would cost twice as much.
    numbered = f"(select *, {_NUMBER} as _r from {quoted(records)})"
    duck.execute(
        f"create or replace table {RECORDS} as select s._s, r._r, g._sig,"
        f" {_listed(open_columns(vocabulary), 'r.')} from {numbered} r"
        f" join {SUBJECTS} s on r.{quoted(vocabulary.record_subject)} = s.{key}"
        f" join {SIGNATURES} g on true{same}"
    )


def _signatures_of(records: str, closed: Iterable[str]) -> str:
    """Where there are no closed-list columns, every record has the one signature that says nothing."""
    columns = _listed(closed)
    if not columns:
        return "select 0::integer as _sig"
    return f"select {_NUMBER} as _sig, {columns} from (select distinct {columns} from {records})"


_NUMBER = "cast(row_number() over () - 1 as integer)"


def _listed(names: Iterable[str], of: str = "") -> str:
    return ", ".join(of + quoted(name) for name in names)
