"""A short version of the enterprises' rules, as a developer sends it."""

from __future__ import annotations

import datetime as dt


def short_pack(begins: dt.date | str, version: str = "2099.9", start: int = 80) -> str:
    """The text, of which lint has only to say that nothing follows from it: a fine costs ten points."""
    fined = f"kind: penalty, severity: general, occurred_on: {begins}"
    return f"""\
pack: enterprise-credit
version: "{version}"
title: {{zh: 企业信用风险分类, en: Enterprise credit risk}}
authority: district
subject: enterprise
in_force: {{from: {begins}}}
score: {{start: {start}, min: 0, max: 100}}
dimensions:
  - {{id: compliance, title: {{zh: 守法合规, en: Compliance}}}}
rules:
  - id: penalty.effective
    title: {{zh: 行政处罚, en: Administrative penalty}}
    dimension: compliance
    when: kind = 'penalty' and severity = 'general' and status = 'effective'
    points: -10
    counts: {{months: 12, from: occurred_on, until: ends_on}}
    basis: own-choice
    examples:
      - {{given: {{{fined}, status: effective}}, as_of: {begins}, points: -10}}
      - {{given: {{{fined}, status: revoked}}, as_of: {begins}, hit: false}}
  - id: award
    title: {{zh: 表彰奖励, en: Award}}
    dimension: compliance
    when: kind = 'award' and status = 'effective'
    points: 12
    counts: {{months: 24, from: occurred_on}}
    basis: own-choice
    examples:
      - {{given: {{kind: award, status: effective, occurred_on: {begins}}}, as_of: {begins}, points: 12}}
grades:
  - {{tier: A, title: {{zh: 优, en: Excellent}}, from: 90}}
  - {{tier: B, title: {{zh: 良, en: Good}}, from: 75}}
  - {{tier: C, title: {{zh: 中, en: Fair}}, from: 60}}
  - {{tier: D, title: {{zh: 差, en: Poor}}, from: 0}}
"""
