"""An invented district of twelve enterprises: one is fined, one listed, one fined often, nine are clean."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from hashlib import sha256

import pyarrow as pa

from fixtures.codes import credit_code
from rules.library.loader import find_pack
from scoring.access.keys import Role
from scoring.facts.entries import FileInfo
from scoring.facts.staging import TableName
from scoring.facts.versions import ingest_rows
from scoring.store import Store
from scoring.store.documents import encode
from scoring.store.packs import PackText, text_of

_RNG = random.Random(20260731)
SUBJECTS = sorted(credit_code(_RNG, "91") for _ in range(12))
FINED, LISTED, MIXED = SUBJECTS[:3]
PACK = "enterprise-credit"
AUTHORITY = "样例区市场监督管理局"
OTHER_AUTHORITY = "样例区税务局"
ORGANISATIONS = {Role.DEPARTMENT: AUTHORITY, Role.LENDER: AUTHORITY, Role.SUBJECT: SUBJECTS[-1]}
"""Whose a key is where a test does not say."""

Row = dict[str, object]


def fill(store: Store) -> None:
    """The enterprises, and what was known of them in spring."""
    take(
        store,
        "enterprise",
        "subject",
        "subject_id",
        [enterprise(n, code) for n, code in enumerate(SUBJECTS)],
    )
    take(
        store,
        "enterprise",
        "record",
        "record_id",
        [*map(_tax_rating, SUBJECTS), _fine("P-1", FINED, "2026-03-02")],
    )


def fill_more(store: Store) -> None:
    """What became known until summer: a listing, and more of one enterprise."""
    listing = _record("L-1", LISTED, "seriously_dishonest_listing", "2026-05-20", status="effective")
    fines = [_fine(f"P-{n}", MIXED, f"2026-06-0{n}") for n in range(2, 6)]
    take(store, "enterprise", "record", "record_id", [listing, *fines])


def enterprise(number: int, code: str) -> Row:
    """One that is like the others."""
    return {
        "subject_id": code,
        "name": f"样例企业{number}有限公司",
        "form": "company",
        "industry": "retail",
        "size": "small",
        "state": "operating",
    }


def _tax_rating(code: str) -> Row:
    return _record(f"T-{code}", code, "tax_rating", "2026-01-15", level="A", authority=OTHER_AUTHORITY)


def _fine(record_id: str, code: str, day: str) -> Row:
    return _record(record_id, code, "penalty", day, severity="general", status="effective", level="fine")


def _record(record_id: str, code: str, kind: str, day: str, **more: str) -> Row:
    fixed = {"record_id": record_id, "subject_id": code, "kind": kind, "occurred_on": day, "field": "general"}
    return {"authority": AUTHORITY, "status": "effective", **fixed, **more}


def stricter() -> PackText:
    """The district's rules of summer with scores that start so low that everybody falls."""
    pack = find_pack(PACK, dt.date(2026, 7, 31))
    text, start = text_of(pack), f"start: {pack.score.start // 100}"
    assert start in text.text
    return replace(text, text=text.text.replace(start, "start: 20", 1))


def take(store: Store, vocabulary: str, table: TableName, key: str, rows: list[Row]) -> None:
    """Take rows in as if they were a file's."""
    arrow = pa.table(
        {
            "key": [str(row[key]) for row in rows],
            "subject_id": [str(row["subject_id"]) if table == "record" else str(row[key]) for row in rows],
            "data": [encode(row) for row in rows],
            "row_no": list(range(1, len(rows) + 1)),
        }
    )
    file = FileInfo(sha256(repr(rows).encode()).hexdigest(), f"{table}.csv")
    ingest_rows(store, vocabulary, table, arrow, file)
