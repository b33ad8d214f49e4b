"""A repair takes three steps: it is applied for, that is admitted, and somebody decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from rules.model import Vocabulary
from scoring.facts.objections import Mark, MarkRequest, mark_record
from scoring.facts.repairs import Commitment
from scoring.store import Store

WORDS = "所提交的材料真实有效，如违背承诺，愿承担相应责任"


def steps(mark: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is posted below a record's address, one after the other.

    :param mark: what each of them says.
    """
    commitment = {"text": WORDS, "made_on": mark["effective_on"]}
    yield "repair-applications", {**mark, "commitment": commitment}
    yield "repair-admissions", {**mark, "outcome": "admitted"}
    yield "repairs", {**mark}


def repair(store: Store, vocabulary: Vocabulary, record_id: str, on: dt.date, reason: str = "x") -> Mark:
    """Have a record repaired; the last mark."""
    shown = ({"title": "缴款凭证", "reference": "JK-1"},)
    promised = Commitment(WORDS, on)
    asked = MarkRequest("application", "", on, reason, shown, "cli:li", commitment=promised)
    mark_record(store, vocabulary, record_id, asked)
    mark_record(store, vocabulary, record_id, MarkRequest("admission", "", on, reason, (), "cli:li"))
    return mark_record(
        store, vocabulary, record_id, MarkRequest("repair", "repaired", on, reason, (), "cli:wang")
    )
