"""An invented market: its merchants, the complaints about them, and the pack that grades them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from scoring.store.documents import encode

MARKET = """
pack: market
version: "1"
title: {zh: 市场商户, en: Market merchants}
subject:
  vocabulary: merchant
  title: {zh: 商户, en: Merchant}
  subject:
    key: merchant_id
    columns:
      merchant_id: {type: text, title: {zh: 编号, en: Number}}
      stalls: {type: integer, title: {zh: 摊位, en: Stalls}}
      turnover: {type: decimal, title: {zh: 营业额, en: Turnover}}
      joined_on: {type: date, title: {zh: 入市日期, en: Joined on}}
      licensed: {type: boolean, title: {zh: 有证, en: Licensed}}
  records:
    key: record_id
    subject: merchant_id
    date: occurred_on
    columns:
      record_id: {type: text, title: {zh: 记录编号, en: Record number}}
      merchant_id: {type: text, title: {zh: 编号, en: Number}}
      kind: {type: text, title: {zh: 类别, en: Kind}}
      occurred_on: {type: date, title: {zh: 日期, en: Date}}
in_force: {from: 2026-01-01}
score: {start: 80, min: 0, max: 100}
dimensions: [{id: conduct, title: {zh: 经营行为, en: Conduct}}]
rules:
  - id: complaint
    title: {zh: 投诉, en: Complaint}
    dimension: conduct
    when: kind = 'complaint'
    points: -10
    counts: {months: 12, from: occurred_on}
    basis: own-choice
  - id: large
    title: {zh: 大户, en: Large}
    dimension: conduct
    when: stalls >= 5
    points: 5
    basis: own-choice
vetoes:
  - id: fraud
    title: {zh: 欺诈, en: Fraud}
    when: kind = 'fraud'
    tier: bad
    basis: own-choice
grades:
  - {tier: good, title: {zh: 好, en: Good}, from: 75}
  - {tier: bad, title: {zh: 差, en: Bad}, from: 0}
"""


def rows(key: str, data: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as ingest hands them to the store."""
    numbered = list(enumerate(data, start=2))
    return pa.table(
        {
            "key": pa.array([row[key] for _, row in numbered], pa.string()),
            "subject_id": pa.array([row["merchant_id"] for _, row in numbered], pa.string()),
            "data": pa.array([encode(row) for _, row in numbered], pa.string()),
            "row_no": pa.array([number for number, _ in numbered], pa.int64()),
        }
    )
