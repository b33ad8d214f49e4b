"""The batch of one day: a pack, a day, subjects and records in; scores, dimension scores and hits out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import duckdb

from rules.model import Pack
from rules.plan import compile_plan
from scoring.judging.coded import RECORDS, SIGNATURES, SUBJECTS, code_facts
from scoring.judging.judge import grade_on
from scoring.judging.measures import NOWHERE


def grade(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    as_of: dt.date,
    subjects: str = "subjects",
    records: str | None = "records",
    ahead: bool = True,
    measured: bool = False,
) -> None:
    """Grades every subject of plain tables.

    :param connection: holds the tables or views ``subjects`` and ``records`` with the vocabulary's columns,
        typed as :func:`scoring.judging.sql.sql_type` says, their keys unique. Records of unknown subjects
        take no part. They are no views of coded tables, which a snapshot may have: :func:`grade_coded` is
        for those.
    :param subjects: the name of the table of subjects.
    :param records: the name of the table of records; None where the vocabulary has none.
    :param ahead: whether later days are looked at, for ``next_change_on``; without them it is null.
    :param measured: whether measures are asked for.

    Leaves the tables of :func:`scoring.judging.judge.grade_on`, replacing those of an earlier call.

    >>> import duckdb
    >>> from fixtures.small import AS_OF, small_files
    >>> from rules.library.loader import find_pack
    >>> from scoring.runs.files import open_files
    >>> pack, duck = find_pack("tourism-credit", AS_OF), duckdb.connect()
    >>> ignored = open_files(duck, pack.vocabulary, *small_files())
    >>> grade(duck, pack, AS_OF)
    >>> duck.execute("select subject_id, score, tier from scores order by all").fetchall()
    [('92500159MA4TP7FD8M', 7950, 'B'), ('92500159MALQ20RD87', 6700, 'C')]
    """
    code_facts(connection, pack.vocabulary, subjects, records or "")
    grade_coded(connection, pack, as_of, ahead, measured=measured)
    for table in (SUBJECTS, *((RECORDS, SIGNATURES) if pack.vocabulary.records else ())):
        connection.execute(f"drop table {table}")


def grade_coded(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    as_of: dt.date,
    ahead: bool = True,
    places: Mapping[str, str] = NOWHERE,
    measured: bool = False,
) -> None:
    """Grades every subject of coded facts (:mod:`scoring.judging.coded`), which stay; as :func:`grade`.

    :param places: of all to whom subjects are compared, where these are not all here
        (:func:`scoring.judging.judge.grade_on`).
    """
    grade_on(connection, compile_plan(pack), as_of, ahead, places, measured)
