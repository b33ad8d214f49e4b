"""A small pack to spoil in one place at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rules.fault import Fault, PackError
from rules.library.loader import load_text
from rules.model import Pack

SOUND = """\
pack: sound
version: "1"
title: {zh: 示例, en: Example}
subject:
  vocabulary: shop
  title: {zh: 商户, en: Shop}
  subject:
    key: shop_id
    columns:
      shop_id: {type: text, title: Id}
      size: {type: text, title: Size, values: {large: 大, small: 小}}
      opened_on: {type: date, title: Opened}
      staff: {type: integer, title: Staff}
  records:
    key: record_id
    subject: shop_id
    date: found_on
    columns:
      record_id: {type: text, title: Id}
      shop_id: {type: text, title: Shop}
      found_on: {type: date, title: Found}
      kind: {type: text, title: Kind, values: {fault: 过失, award: 奖励}}
      fine: {type: decimal, title: Fine}
      settled: {type: boolean, title: Settled}
      note: {type: text, title: Note}
in_force: {from: 2026-01-01}
basis: [{id: law, title: 条例}]
score: {start: 80, min: 0, max: 100}
dimensions: [{id: conduct, title: Conduct}]
measures:
  faults: {title: Faults, count: records, where: kind = 'fault', within: {months: 12}}
rules:
  - id: fault
    title: Fault
    dimension: conduct
    when: kind = 'fault' and fine >= 1000
    points: -4
    counts: {months: 12, decay: linear}
    basis: law §1
vetoes:
  - {id: many, title: Many, when: faults > 9, tier: B, basis: own-choice}
tables:
  - id: size
    title: Size
    dimension: conduct
    input: size
    hit: unique
    rows: [[large, 1], [small, 2]]
    basis: own-choice
grades: [{tier: A, from: 90}, {tier: B, from: 0}]
"""


@pytest.fixture
def sound() -> str:
    """A pack without faults, over a vocabulary of its own."""
    return SOUND


@pytest.fixture
def pack() -> Pack:
    """The sound pack, loaded."""
    return load_text(SOUND, "sound.yaml")


@pytest.fixture
def faults() -> Callable[[str], list[Fault]]:
    """All faults of a pack's text."""

    def found(text: str) -> list[Fault]:
        with pytest.raises(PackError) as caught:
            load_text(text, "pack.yaml")
        return caught.value.faults

    return found
