"""A small pack, and ways to change it, for the tests of the tools."""

from __future__ import annotations

from rules.library.loader import load_text
from rules.model import Pack

APPLICANTS = """\
pack: applicants
version: "1"
title: {zh: 贷款申请人, en: Loan applicants}
subject:
  vocabulary: applicant
  title: {zh: 申请人, en: Applicant}
  subject:
    key: applicant_id
    columns:
      applicant_id: {type: text, title: {zh: 编号, en: Number}}
      size:
        type: text
        title: {zh: 规模, en: Size}
        values: {big: {zh: 大, en: Big}, small: {zh: 小, en: Small}}
      town: {type: text, title: {zh: 乡镇, en: Town}}
  records:
    key: record_id
    subject: applicant_id
    date: occurred_on
    columns:
      record_id: {type: text, title: {zh: 记录, en: Record}}
      applicant_id: {type: text, title: {zh: 编号, en: Number}}
      occurred_on: {type: date, title: {zh: 日期, en: Date}}
      kind:
        type: text
        title: {zh: 类别, en: Kind}
        values: {fine: {zh: 罚款, en: Fine}, award: {zh: 表彰, en: Award}, listing: {zh: 黑名单, en: Listing}}
      amount: {type: decimal, title: {zh: 金额, en: Amount}}
in_force: {from: 2026-01-01}
basis:
  - {id: law, title: 某条例（2026年）}
score: {start: 80, min: 0, max: 100}
dimensions:
  - {id: conduct, title: {zh: 守法, en: Conduct}, floor: -60}
rules:
  - id: fine
    title: {zh: 罚款, en: Fine}
    dimension: conduct
    when: kind = 'fine'
    points: -10
    counts: {months: 12, from: occurred_on, decay: linear}
    cap: -15
    basis: law §9
    examples:
      - {given: {kind: fine}, as_of: 2026-03-01, points: -10}
      - {given: {kind: fine, occurred_on: 2026-03-01}, as_of: 2026-09-01, points: -5}
      - {given: {kind: award}, as_of: 2026-03-01, hit: false}
      - records: [{record_id: b, kind: fine}, {record_id: a, kind: fine}]
        as_of: 2026-03-01
        points: -15

  - id: small
    title: {zh: 小规模, en: Small}
    dimension: conduct
    when: size = 'small'
    points: {2026-01-01: 1, 2026-07-01: 2}
    basis: own-choice
    examples:
      - {given: {size: small}, as_of: 2026-06-30, points: 1}
      - {given: {size: small}, as_of: 2026-07-01, points: 2}
      - {given: {size: big}, as_of: 2026-07-01, hit: false}

vetoes:
  - id: listed
    title: {zh: 黑名单, en: Listed}
    when: kind = 'listing'
    tier: C
    counts: {months: 36, from: occurred_on}
    basis: law §10
    examples:
      - {given: {kind: listing}, as_of: 2026-03-01, tier: C}
      - {given: {kind: fine}, as_of: 2026-03-01, hit: false}

tables:
  - id: fined
    title: {zh: 罚款金额, en: Amount of the fine}
    dimension: conduct
    where: kind = 'fine'
    input: amount
    hit: unique
    rows:
      - ["< 1000", 0]
      - ["1000..50000", -2]
      - [">= 50000", -5]
    counts: {months: 12, from: occurred_on}
    basis: own-choice
    examples:
      - {given: {kind: fine, amount: 1000}, as_of: 2026-03-01, points: -2}
      - {given: {kind: award, amount: 1000}, as_of: 2026-03-01, hit: false}

grades:
  - {tier: A, title: {zh: 优, en: Good}, from: 80}
  - {tier: B, title: {zh: 中, en: Fair}, from: 60}
  - {tier: C, title: {zh: 差, en: Poor}, from: 0}
supervision:
  A: {sample_share: 0.01, visits_per_year: 1, lending: fast}
  B: {sample_share: 0.1, visits_per_year: 2, lending: normal}
  C: {sample_share: 0.5, visits_per_year: 4, lending: none}
examples:
  - {subject: {size: big}, as_of: 2026-03-01, score: 80, tier: A}
  - {subject: {size: big}, records: [{kind: fine, amount: 500}], as_of: 2026-03-01, score: 70, tier: B}
"""


def changed(*replacements: tuple[str, str]) -> str:
    """The text of the small pack with texts replaced, each of which must stand in it."""
    text = APPLICANTS
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def applicants(*replacements: tuple[str, str]) -> Pack:
    """The small pack, with texts replaced."""
    return load_text(changed(*replacements), "applicants.yaml")
