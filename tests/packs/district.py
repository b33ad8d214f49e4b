"""An invented district of a few public bodies: its survey, put before the engine or into a store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import duckdb
import pyarrow as pa

from rules.model import Pack, Table
from scoring.facts.entries import FileInfo
from scoring.facts.versions import ingest_rows
from scoring.judging.engine import grade
from scoring.judging.sql import quoted, sql_type
from scoring.store import Store
from scoring.store.documents import encode

YEARS = (2025, 2026)
ANY_DAY = dt.date(2026, 7, 31)
"""For what is named with its version."""
ENOUGH = 30
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the engine gave: body → score in hundredths, body → tier, and body → the rules that it meets."""

    pack: Pack
    scores: Mapping[str, int]
    tiers: Mapping[str, str]
    hits: Mapping[str, frozenset[str]]

    @property
    def consequences(self) -> dict[str, set[str]]:
        """Body → the consequences that it meets, for those that meet any."""
        met = {b: {r for r in hits if self.pack.rule(r).consequence} for b, hits in self.hits.items()}
        return {body: found for body, found in met.items() if found}

    def meet(self, consequence: str) -> set[str]:
        """The bodies that meet a consequence."""
        return {body for body, hits in self.hits.items() if consequence in hits}


def survey(year: int, scores: Mapping[str, Any], answers: int = ENOUGH) -> Iterator[Row]:
    """A year's answers in June: of each body so many, each of the score given."""
    for body, score in scores.items():
        for number in range(answers):
            yield {
                "record_id": f"{body}-{year}-{number:02}",
                "subject_id": body,
                "kind": "satisfaction_answer",
                "status": "effective",
                "year": year,
                "score": score,
                "occurred_on": dt.date(year, 6, 15),
            }


def bodies(names: Sequence[str], **attributes: Mapping[str, Any]) -> list[Row]:
    """Bodies in office, with further attributes by body."""
    common = {"state": "active", "peers": "departments", "form": "party_government"}
    return [{"subject_id": n, "name": f"{n}局", **common, **attributes.get(n, {})} for n in names]


def graded(pack: Pack, subjects: Sequence[Row], records: Sequence[Row], as_of: dt.date) -> Outcome:
    """What the engine gives these bodies on the day."""
    vocabulary = pack.vocabulary
    assert vocabulary.records is not None
    with duckdb.connect(config={"threads": 1}) as duck:
        fill(duck, "subjects", vocabulary.subject, subjects)
        fill(duck, "records", vocabulary.records, records)
        grade(duck, pack, as_of, ahead=False)
        scores = dict(duck.execute("select subject_id, score from scores").fetchall())
        tiers = dict(duck.execute("select subject_id, tier from scores").fetchall())
        hits = duck.execute("select subject_id, rule from hits").fetchall()
    met = {body: frozenset(rule for subject, rule in hits if subject == body) for body in tiers}
    return Outcome(pack, scores, tiers, met)


def put_into(store: Store, pack: Pack, subjects: Sequence[Row], records: Sequence[Row]) -> None:
    """Takes bodies and records in, as two files."""
    for table, key, rows in (("subject", "subject_id", subjects), ("record", "record_id", records)):
        data = [encode(row) for row in rows]
        taken = pa.table(
            {
                "key": [row[key] for row in rows],
                "subject_id": [row["subject_id"] for row in rows],
                "data": data,
                "row_no": list(range(2, len(rows) + 2)),
            }
        )
        digest = sha256("\n".join(data).encode()).hexdigest()
        ingest_rows(store, pack.vocabulary.id, table, taken, FileInfo(digest, f"{table}s.csv"))  # type: ignore[arg-type]


def fill(duck: duckdb.DuckDBPyConnection, name: str, table: Table, rows: Sequence[Row]) -> None:
    """Makes a typed table of the rows; a column that a row lacks is unknown."""
    columns = {n: pa.array([_text(row.get(n)) for row in rows], pa.string()) for n in table.columns}
    typed = (f"cast({quoted(n)} as {sql_type(c.type)}) as {quoted(n)}" for n, c in table.columns.items())
    duck.register("given", pa.table(columns))
    duck.execute(f"create table {name} as select {', '.join(typed)} from given")
    duck.unregister("given")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
