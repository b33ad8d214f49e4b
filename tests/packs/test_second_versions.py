"""What the second versions of the rural and tourism packs hold to that the first did not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rules.library.loader import find_pack
from rules.library.references import named_pack
from rules.model import Pack
from rules.tools.lint import Severity, lint_text

from .district import ANY_DAY, Row, graded

AS_OF = dt.date(2027, 3, 1)
FOUND = dt.date(2027, 1, 15)
SECOND = ("rural-credit", "tourism-credit", "department-credit")


@pytest.fixture
def rural() -> Pack:
    return named_pack("rural-credit@2026.2", ANY_DAY)


@pytest.fixture
def tourism() -> Pack:
    return named_pack("tourism-credit@2026.2", ANY_DAY)


def finding(number: int, **columns: Any) -> Row:
    return {
        "record_id": f"r{number}",
        "subject_id": "s",
        "status": "effective",
        "occurred_on": FOUND,
    } | columns


def met(pack: Pack, *records: Row, **attributes: Any) -> frozenset[str]:
    """The rules that one subject meets."""
    return graded(pack, [{"subject_id": "s", **attributes}], records, AS_OF).hits["s"]


@pytest.mark.parametrize("pack_id", SECOND)
def test_july_is_by_the_first_version_and_december_by_the_second(pack_id: str) -> None:
    days = (dt.date(2026, 7, 31), dt.date(2026, 11, 30), dt.date(2026, 12, 1), dt.date(2030, 1, 1))
    assert [find_pack(pack_id, day).version for day in days] == ["2026.1", "2026.1", "2026.2", "2026.2"]


@pytest.mark.parametrize("pack_id", SECOND)
def test_lint_finds_nothing_in_the_second_version_but_what_is_worth_knowing(pack_id: str) -> None:
    file = Path(named_pack(f"{pack_id}@2026.2", ANY_DAY).place.file)
    found = lint_text(file.read_text(encoding="utf-8"), file.name)
    assert [str(finding) for finding in found if finding.severity is not Severity.NOTICE] == []


def _of_every_kind(pack: Pack) -> Iterator[dict[str, Any]]:
    table = pack.vocabulary.records
    assert table is not None
    for kind, says in table.kinds.items():
        levels = says.values.get("level") or (None,)
        for severity in (None, "minor", "general", "serious"):
            yield from ({"kind": kind, "level": level, "severity": severity} for level in levels)


@pytest.mark.parametrize("pack_id", ["rural-credit", "tourism-credit"])
def test_what_is_repaired_is_used_in_nothing(pack_id: str) -> None:
    pack = named_pack(f"{pack_id}@2026.2", ANY_DAY)
    facts = {"field": "food_safety", "amount": 90000, "document": "1", "score": 1, "count": 99}
    records = [
        finding(number, **facts, **columns, status="repaired")
        for number, columns in enumerate(_of_every_kind(pack))
    ]
    common = {"consented_until": dt.date(2030, 1, 1), "joined_on": dt.date(2020, 1, 1)}
    common |= {"established_on": dt.date(2020, 1, 1), "registered_on": dt.date(2020, 1, 1)}
    assert met(pack, *records, **common) == met(pack, **common)


def test_a_merchant_that_rests_from_business_is_graded_as_before(tourism: Pack) -> None:
    common = {"joined_on": dt.date(2020, 1, 1), "established_on": dt.date(2020, 1, 1)}
    operating, resting = (met(tourism, **common, state=state) for state in ("operating", "suspended"))
    assert resting == operating != frozenset()


def test_who_does_not_consent_loses_no_tier_by_it(rural: Pack) -> None:
    honours = [
        finding(n, kind=kind, level=level)
        for n, (kind, level) in enumerate(
            [("honour", "national"), ("village_rules", "kept"), ("product_label", "national")]
            + [("product_test", "passed")] * 3
        )
    ]
    people = {"none": None, "given": dt.date(2030, 1, 1), "ended": AS_OF}
    subjects = [{"subject_id": name, "consented_until": until} for name, until in people.items()]
    records = [
        {**row, "subject_id": name, "record_id": f"{name}{row['record_id']}"}
        for name in people
        for row in honours
    ]
    assert graded(rural, subjects, records, AS_OF).tiers == dict.fromkeys(people, "AAA")


@pytest.mark.parametrize(
    ("columns", "attributes"),
    [
        ({"kind": "farm_loan", "level": "overdue", "no_fault": True}, {}),
        ({"kind": "farm_loan", "level": "written_off", "no_fault": True}, {}),
        ({"kind": "abandoned_land", "no_fault": True}, {"form": "cooperative"}),
        ({"kind": "abandoned_land"}, {"form": "household"}),
        ({"kind": "land_contract", "level": "broken"}, {}),
        ({"kind": "sales_contract", "level": "broken"}, {}),
        ({"kind": "product_test", "level": "failed"}, {}),
    ],
)
def test_what_is_not_a_farmers_fault_or_has_no_document_costs_nothing(
    rural: Pack, columns: dict[str, Any], attributes: dict[str, Any]
) -> None:
    assert met(rural, finding(1, **columns), consented_until=dt.date(2030, 1, 1), **attributes) == frozenset()


@pytest.mark.parametrize(
    "columns",
    [
        {"kind": "inspection", "level": "failed"},
        {"kind": "price_check", "level": "failed"},
        {"kind": "safety_check", "level": "failed", "field": "fire_safety"},
        {"kind": "complaint", "level": "settled", "days_taken": 60},
        {"kind": "review", "score": 1, "count": 500},
        {"kind": "compensation", "level": "refused"},
    ],
)
def test_what_is_not_a_merchants_fault_or_has_no_document_costs_nothing(
    tourism: Pack, columns: dict[str, Any]
) -> None:
    points = [rule.points for name in met(tourism, finding(1, **columns)) if (rule := tourism.rule(name))]
    assert all((value or 0) >= 0 for steps in points if steps for _, value in steps.steps)


def test_a_listing_absorbs_the_penalties_that_it_is_made_of(tourism: Pack) -> None:
    penalties = [finding(n, kind="penalty", severity="serious", field="price") for n in (1, 2)]
    listed = finding(3, kind="seriously_dishonest_listing")
    assert met(tourism, *penalties) == {"penalty.serious", "repeat.one-field", "penalty.field.1"}
    assert met(tourism, *penalties, listed) == {"listing.serious", "veto.seriously-dishonest"}


@pytest.mark.parametrize(
    ("level", "ends_on", "until"),
    [
        ("refuses", None, None),
        ("refuses", dt.date(2031, 1, 15), dt.date(2031, 1, 15)),
        ("other_ground", None, dt.date(2029, 1, 15)),
        (None, None, dt.date(2029, 1, 15)),
        ("other_ground", dt.date(2032, 1, 15), dt.date(2032, 1, 15)),
        ("other_ground", dt.date(2027, 6, 1), dt.date(2027, 6, 1)),
    ],
)
def test_a_judgment_defaulter_counts_to_the_end_of_its_listing(
    tourism: Pack, level: str | None, ends_on: dt.date | None, until: dt.date | None
) -> None:
    """Two years are for the other grounds alone, and only where no end is given."""
    record = finding(1, kind="judgment_default", level=level, ends_on=ends_on)

    def tier(day: dt.date) -> str:
        return graded(tourism, [{"subject_id": "s"}], [record], day).tiers["s"]

    assert tier(FOUND) == "D"
    last = dt.date(2040, 1, 1) if until is None else until - dt.timedelta(1)
    assert tier(last) == "D"
    assert until is None or tier(until) == "B"
