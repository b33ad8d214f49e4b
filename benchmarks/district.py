"""The sample district's enterprises as many times over as wanted, as Parquet, for the installed pack.

Nothing in them is by chance: the fixtures are drawn from a fixed seed, and the copies differ by their keys.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.data import Data, write_parquet
from fixtures.district import SEED
from fixtures.enterprise.build import enterprise_sheets
from fixtures.sheets import Row, Sheet
from fixtures.totals import enterprise_totals
from rules.library.loader import load_vocabulary
from rules.model import Table
from scoring.judging.match import arrow_type

AS_OF = dt.date(2026, 8, 31)
"""A month after the last record."""

ENTERPRISES = 6_000
RECORDS = 206_480


def district_in(folder: Path, copies: int) -> Data:
    """The district of so many copies; made where it is not there yet."""
    data = Data(
        folder / f"enterprises-{copies}.parquet",
        folder / f"enterprise-records-{copies}.parquet",
        ENTERPRISES * copies,
        RECORDS * copies,
    )
    if not (data.subjects.exists() and data.records.exists()):
        _write(data, copies)
    return data


def _write(data: Data, copies: int) -> None:
    """Records in the order in which they come about: those of an office or a subject lie apart."""
    register, *known = enterprise_sheets(SEED, enterprise_totals(ENTERPRISES, RECORDS))
    vocabulary = load_vocabulary("enterprise")
    assert vocabulary.records is not None
    with duckdb.connect() as duck:
        duck.register("enterprises", _arrow(vocabulary.subject, register.rows))
        duck.register("known", _arrow(vocabulary.records, _rows(known)))
        for table, path, keys, order in (
            ("enterprises", data.subjects, ["subject_id"], "subject_id"),
            ("known", data.records, ["record_id", "subject_id"], "occurred_on, record_id"),
        ):
            renamed = ", ".join(f"{key} || '-' || copy as {key}" for key in keys)
            copied = f"select * replace ({renamed}) from {table}, range({copies}) of_copies(copy)"
            write_parquet(duck, f"select * exclude (copy) from ({copied}) order by {order}", path)


def _rows(sheets: Iterable[Sheet]) -> list[Row]:
    return [row for sheet in sheets for row in sheet.rows]


def _arrow(table: Table, rows: Iterable[Row]) -> pa.Table:
    schema = pa.schema([(name, arrow_type(column.type)) for name, column in table.columns.items()])
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
