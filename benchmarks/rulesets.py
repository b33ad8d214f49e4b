"""Rule sets of any size, in neutral form: the pack, the query by hand and the peers are all made of these."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from rules.calendar import first_start_still_open
from rules.library.loader import load_text
from rules.model import Pack

AS_OF = dt.date(2026, 6, 1)
KINDS = 100
SEVERITIES = ("minor", "general", "serious", "grave")
AMOUNTS = 100_000
"""Amounts are spread evenly from 0 to this."""

COVERED = 0.3
"""The share of records that the kinds and amounts of any rule set cover.

So the number of hits stays about the same as rules grow in number, and what is seen is the cost of rules.
"""


@dataclass(frozen=True, slots=True)
class BenchRule:
    """Kind, severity and status by equality, amount and date by range, within a window, perhaps under a cap.

    :param low: the least amount; ``high`` the first that is too much.
    :param since: the first date that counts, whatever the window.
    :param points: whole points a hit.
    :param cap: the most points that all its hits give a subject.
    """

    id: str
    dimension: str
    kind: str
    severity: str
    low: int
    high: int
    since: dt.date
    months: int
    points: int
    cap: int | None

    @property
    def earliest(self) -> dt.date:
        """The first date that still counts on :data:`AS_OF`."""
        return max(self.since, first_start_still_open(AS_OF, self.months))


def rule_set(size: int) -> list[BenchRule]:
    """``size`` rules: up to 100 kinds times 4 severities, then more and narrower bands of amount.

    :param size: 40, or a multiple of 400.
    """
    kinds = min(KINDS, size // len(SEVERITIES))
    bands = size // (kinds * len(SEVERITIES))
    step = AMOUNTS // bands
    width = int(AMOUNTS * COVERED / (kinds / KINDS) ** 0.5 / bands)
    keys = product(range(kinds), SEVERITIES, range(bands))
    return [_rule(i, f"k{kind:02}", sev, band * step, width) for i, (kind, sev, band) in enumerate(keys)]


def _rule(number: int, kind: str, severity: str, low: int, width: int) -> BenchRule:
    points = -1 - number % 9
    return BenchRule(
        id=f"rule-{number}",
        dimension=("conduct", "finance", "duty")[number % 3],
        kind=kind,
        severity=severity,
        low=low,
        high=low + width,
        since=dt.date(2022 + number % 3, 1, 1),
        months=(12, 24, 36)[number % 3],
        points=points,
        cap=points - 1 if number % 2 else None,
    )


def pack_of(rules: Sequence[BenchRule]) -> Pack:
    """The pack that says the same, loaded from YAML as any pack is."""
    return load_text(text_of(rules), "benchmark.yaml")


def text_of(rules: Sequence[BenchRule]) -> str:
    """The pack as YAML."""
    return _HEAD + "".join(_yaml(rule) for rule in rules) + _GRADES


def _yaml(rule: BenchRule) -> str:
    cap = "" if rule.cap is None else f", cap: {rule.cap}"
    return (
        f"  - {{id: {rule.id}, title: {rule.id}, dimension: {rule.dimension}, basis: own-choice,"
        f" points: {rule.points}, counts: {{months: {rule.months}, from: occurred_on}}{cap},"
        f" when: \"kind = '{rule.kind}' and severity = '{rule.severity}' and status = 'effective'"
        f" and amount >= {rule.low} and amount < {rule.high}"
        f" and occurred_on >= '{rule.since}'\"}}\n"
    )


_HEAD = """
pack: benchmark
version: "1"
title: Benchmark
subject:
  vocabulary: invented
  title: Invented subjects
  subject:
    key: subject_id
    columns:
      subject_id: {type: integer, title: Number}
      region: {type: text, title: Region}
  records:
    key: record_id
    subject: subject_id
    date: occurred_on
    columns:
      record_id: {type: integer, title: Number}
      subject_id: {type: integer, title: Subject}
      kind: {type: text, title: Kind}
      severity: {type: text, title: Severity}
      status: {type: text, title: Status}
      amount: {type: decimal, title: Amount}
      occurred_on: {type: date, title: Date}
in_force: {from: 2020-01-01}
score: {start: 100, min: 0, max: 100}
dimensions:
  - {id: conduct, title: Conduct, floor: -40}
  - {id: finance, title: Finance, floor: -40}
  - {id: duty, title: Duty, floor: -40}
rules:
"""
_GRADES = """
grades:
  - {tier: A, title: A, from: 90}
  - {tier: B, title: B, from: 75}
  - {tier: C, title: C, from: 60}
  - {tier: D, title: D, from: 0}
"""
