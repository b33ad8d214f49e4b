"""The district's report: its figures, counted from the records that are known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby

import duckdb
import sqlalchemy as sa

from rules.library.loader import load_vocabulary
from rules.titles import Title
from scoring.answers.report.figures import FIGURES, Figure
from scoring.facts.snapshot import take_snapshot
from scoring.store import Store, StoreError
from scoring.store.models import SubjectVersion

Value = int | Decimal | None
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Line:
    """A figure and its value: None where nothing is known that it could be counted from.

    :param value: a whole number, yuan, or per cent to two decimals.
    """

    figure: Figure
    value: Value


@dataclass(frozen=True, slots=True)
class Report:
    """The figures on a day.

    :param known_at: the moment of the last file that counted.
    """

    as_of: dt.date
    known_at: dt.datetime
    lines: tuple[Line, ...]


def make_report(store: Store, as_of: dt.date, known_at: dt.datetime | None = None) -> Report:
    """Count every figure of the report.

    :param as_of: what is dated later is left out.
    :param known_at: as it was known at this moment (with its time zone); None for now.
    :raises StoreError: where the store knows no subject of any vocabulary of the report, or fails.
    """
    lines: list[Line] = []
    moments: list[dt.datetime] = []
    for vocabulary, figures in groupby(_by_vocabulary(), lambda figure: figure.vocabulary):
        if not _knows(store, vocabulary):
            lines += [Line(figure, None) for figure in figures]
            continue
        with duckdb.connect() as duck:
            snapshot = take_snapshot(store, load_vocabulary(vocabulary), duck, known_at)
            moments.append(snapshot.known_at)
            lines += _count(duck, figures, as_of)
    if not moments:
        raise StoreError(
            Title(
                f"库{store.address}没有可供统计的内容。请先导入文件:xinheng ingest",
                f"the store {store.address} holds nothing to report on. Take files in with: xinheng ingest",
            )
        )
    order = {figure.id: place for place, figure in enumerate(FIGURES)}
    return Report(as_of, max(moments), tuple(sorted(lines, key=lambda line: order[line.figure.id])))


def _by_vocabulary() -> list[Figure]:
    return sorted(FIGURES, key=lambda figure: figure.vocabulary)


def _knows(store: Store, vocabulary: str) -> bool:
    some = sa.select(1).where(SubjectVersion.vocabulary == vocabulary).limit(1)
    with store.reading() as session:
        return session.scalar(some) is not None


def _count(duck: duckdb.DuckDBPyConnection, figures: Iterator[Figure], as_of: dt.date) -> Iterator[Line]:
    for figure in figures:
        row = duck.execute(figure.sql, {"as_of": as_of}).fetchone()
        assert row is not None, "an aggregate gives one row"
        yield Line(figure, _share(*row) if figure.unit == "percent" else _plain(row[0]))


def _plain(value: int | Decimal | None) -> Value:
    """A whole number as such; amounts keep their decimals."""
    if value is None:
        return 0
    return int(value) if value == int(value) else value


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """Per cent to two decimals, half away from zero; unknown where there is no whole."""
    if part is None or not whole:
        return None
    return (part * 100 / whole).quantize(_CENT, ROUND_HALF_UP)
