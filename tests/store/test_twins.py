"""Which records may be one decision under two numbers."""

from __future__ import annotations

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.twins import Known, _pairs, are_twins, likeness

ALIKE = likeness(load_vocabulary("enterprise"), {"某局": "1", "某区某局": "1"}.get)  # type: ignore[arg-type]
FINE = {
    "kind": "penalty",
    "document_no": "罚〔2026〕1号",
    "occurred_on": "2026-03-01",
    "authority": "某局",
    "amount": "1.0000",
    "status": "effective",
}


def pairs(number: int, **changes: str | None) -> list[tuple[str, str]]:
    """The pairs among so many records, numbered from 1, of which the first differs."""
    rows = [Known(f"R{n}", "S", FINE | (changes if n == 1 else {}), 1, n) for n in range(1, number + 1)]
    return [(one.record_id, other.record_id) for one, other in _pairs(reversed(rows), ALIKE)]


def test_up_to_five_are_compared_each_with_each_and_more_with_the_next() -> None:
    assert pairs(2) == [("R1", "R2")]
    assert len(pairs(5)) == 10
    assert pairs(6) == [(f"R{n}", f"R{n + 1}") for n in range(1, 6)]


@pytest.mark.parametrize(
    ("changes", "are_two"),
    [
        ({}, False),
        ({"document_no": "罚〔2026〕2号"}, False),
        ({"amount": "2.0000"}, False),
        ({"document_no": None, "amount": None}, True),
        ({"document_no": "罚〔2026〕2号", "amount": "2.0000"}, True),
        ({"document_no": "罚〔2026〕2号", "authority": None}, True),
        ({"document_no": "罚〔2026〕2号", "authority": "某区某局"}, False),
        ({"kind": "permit"}, True),
        ({"status": "revoked"}, True),
    ],
)
def test_two_are_one_by_the_document_or_by_day_authority_and_amount(
    changes: dict[str, str | None], are_two: bool
) -> None:
    assert pairs(2, **changes) == ([] if are_two else [("R1", "R2")])
    assert are_twins(FINE | changes, FINE, ALIKE) == are_twins(FINE, FINE | changes, ALIKE) != are_two
