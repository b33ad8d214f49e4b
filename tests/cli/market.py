"""A small market: a pack of few rules and three enterprises, each rule met or missed for one reason."""

from __future__ import annotations

import datetime as dt

AS_OF = dt.date(2026, 7, 31)
HIT, MISSED, BLANK = "91500159MAXXMDTC5B", "91500159MAM9YW964E", "91500159MA02N8NP7G"

PACK = """\
pack: market
version: "1"
title: {zh: 集市, en: Market}
subject: enterprise
in_force: {from: 2026-01-01}
basis: [{id: law, title: 某某条例}]
score: {start: 80, min: 0, max: 100}
dimensions:
  - {id: conduct, title: {zh: 守法, en: Conduct}, floor: -5}
  - {id: facts, title: {zh: 基本, en: Facts}}
measures:
  fines:
    title: {zh: 罚没合计, en: Fines in total}
    sum: amount
    where: kind = 'penalty'
rules:
  - {id: penalty, title: {zh: 一般处罚, en: Penalty}, dimension: conduct, points: -4, cap: -6, basis: law §1,
     when: kind = 'penalty' and severity = 'general' and status = 'effective',
     counts: {months: 12, from: occurred_on}}
  - {id: listing, title: {zh: 久列名录, en: Long listed}, dimension: conduct, points: -3, basis: law,
     when: kind = 'abnormal_operation_listing', counts: {from: occurred_on + interval 12 month}}
  - {id: arrears, title: {zh: 欠税, en: Arrears}, dimension: conduct, points: -1, per: amount, basis: law,
     when: kind = 'tax_arrears'}
  - {id: award, title: {zh: 表彰, en: Award}, dimension: facts, points: 2, basis: own-choice,
     when: kind = 'award' and level = 'national'}
  - {id: old, title: {zh: 满十年, en: Ten years}, dimension: facts, points: 1, basis: own-choice,
     when: established_on + interval 120 month <= as_of}
  - {id: large, title: {zh: 大型, en: Large}, dimension: facts, points: 1, basis: own-choice,
     when: size = 'large'}
  - {id: heavy, title: {zh: 重罚, en: Heavily fined}, dimension: conduct, points: -1, basis: own-choice,
     when: fines >= 20000}
tables:
  - {id: tax, title: {zh: 纳税信用, en: Tax}, dimension: facts, where: kind = 'tax_rating', input: level,
     hit: unique, rows: [[A, 8], [D, -20]], basis: law}
vetoes:
  - {id: dishonest, title: {zh: 失信, en: Dishonest}, tier: D, basis: law,
     when: kind = 'seriously_dishonest_listing'}
grades:
  - {tier: A, title: {zh: 优, en: Good}, from: 79}
  - {tier: D, title: {zh: 差, en: Poor}, from: 0}
"""

SUBJECTS = f"""\
subject_id,name,size,established_on
{HIT},甲公司,large,2010-01-02
{MISSED},乙公司,micro,2020-01-02
{BLANK},丙公司,,
"""

RECORDS = f"""\
record_id,subject_id,kind,severity,status,level,amount,occurred_on
P1,{HIT},penalty,general,effective,fine,28600,2026-03-01
P2,{HIT},penalty,general,effective,fine,,2026-04-01
V1,{HIT},seriously_dishonest_listing,serious,effective,,,2026-05-01
T1,{HIT},tax_rating,,effective,A,,2026-05-02
P3,{MISSED},penalty,general,effective,fine,100,2024-05-01
P4,{MISSED},penalty,general,effective,fine,100,2025-06-01
L1,{MISSED},abnormal_operation_listing,,effective,no_annual_report,,2026-05-01
X1,{MISSED},tax_arrears,,effective,,,2026-05-01
W1,{MISSED},award,,effective,municipal,,2026-05-01
T2,{MISSED},tax_rating,,effective,M,,2026-05-02
"""
