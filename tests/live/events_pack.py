"""An invented population for tests of events: its pack, with four alerts, and rows for the store."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from rules.library.loader import load_text
from rules.model import Pack
from scoring.facts.entries import FileInfo
from scoring.facts.staging import TableName
from scoring.facts.versions import ingest_rows
from scoring.store import Store
from scoring.store.documents import encode

PACK = """
pack: firms
version: "1"
title: {zh: 企业, en: Firms}
subject:
  vocabulary: firm
  title: {zh: 企业, en: Firm}
  subject:
    key: firm_id
    columns:
      firm_id: {type: text, title: {zh: 编号, en: Number}}
      watched: {type: boolean, title: {zh: 重点, en: Watched}}
  records:
    key: record_id
    subject: firm_id
    date: happened_on
    columns:
      record_id: {type: text, title: {zh: 记录, en: Record}}
      firm_id: {type: text, title: {zh: 编号, en: Number}}
      kind: {type: text, title: {zh: 类别, en: Kind}}
      field: {type: text, title: {zh: 领域, en: Field}}
      note: {type: text, title: {zh: 说明, en: Note}}
      happened_on: {type: date, title: {zh: 日期, en: Date}}
      ends_on: {type: date, title: {zh: 终止, en: Ends on}}
in_force: {from: 2026-01-01}
score: {start: 80, min: 0, max: 100}
dimensions: [{id: conduct, title: {zh: 行为, en: Conduct}}]
measures:
  penalties: {title: {zh: 处罚数, en: Penalties}, count: records, where: kind = 'penalty'}
rules:
  - {id: penalty, title: P, dimension: conduct, when: kind = 'penalty', points: -5, basis: own-choice}
  - {id: many, title: M, dimension: conduct, when: penalties >= 3, points: -20, basis: own-choice}
grades: [{tier: good, title: {zh: 好, en: Good}, from: 75}, {tier: bad, title: {zh: 差, en: Bad}, from: 0}]
alerts:
  - id: repeat
    title: T
    events: [{when: kind = 'penalty', times: 3}]
    same: field
    within: {days: 365}
    basis: own-choice
  - id: broken
    title: T
    events: [{when: kind = 'award'}, {when: kind = 'broken'}]
    within: {days: 100}
    basis: own-choice
  - id: listed
    title: T
    events: [{when: kind = 'listing', stands_until: ends_on}, {when: kind = 'penalty'}]
    basis: own-choice
  - id: mixed
    title: T
    events:
      - {when: kind = 'listing', stands_until: ends_on}
      - {when: kind = 'penalty' and note like 'a%', stands_until: ends_on}
      - {when: kind = 'penalty' or watched and kind = 'award'}
    within: {days: 500}
    basis: own-choice
"""

Row = dict[str, Any]


def firms() -> Pack:
    """The pack, loaded."""
    return load_text(PACK, "firms.yaml")


def record(number: str, kind: str, day: str, **more: Any) -> Row:
    """A record of the firm A, unless it says otherwise."""
    dates = {name: dt.date.fromisoformat(more.pop(name)) for name in ("ends_on",) if name in more}
    fixed = {"record_id": number, "firm_id": "A", "kind": kind, "happened_on": dt.date.fromisoformat(day)}
    return {**fixed, **dates, **more}


def take_in(store: Store, table: TableName, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows into the store, as one file."""
    key = "record_id" if table == "record" else "firm_id"
    data = list(rows)
    arrow = pa.table(
        {
            "key": [row[key] for row in data],
            "subject_id": [row["firm_id"] for row in data],
            "data": [encode(row) for row in data],
            "row_no": list(range(1, len(data) + 1)),
        }
    )
    ingest_rows(store, "firm", table, arrow, FileInfo(uuid.uuid4().hex, f"{table}s.csv"))
