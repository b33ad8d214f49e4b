"""A record is shown and used to the end of its longest term, and from that day on by itself no more."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from client import Client, repaired
from lending_desk import check, consented
from small_district import AUTHORITY, PACK, SUBJECTS, take

from fixtures.codes import credit_code
from rules.calendar import add_days, add_months, today
from rules.library.loader import find_pack, load_vocabulary
from scoring.facts.publicity import NEVER, shown_until
from scoring.facts.records import list_shown
from scoring.runs.batch import run
from scoring.store import Store

FIRM = SUBJECTS[5]
ENTERPRISE = load_vocabulary("enterprise")
MARK = {"reason": "已履行", "evidence": [{"title": "t", "reference": "r"}]}
TERMS = {"minor": 3, "general": 12, "serious": 36}


def penalty(severity: str, day: dt.date, number: str = "Z-1", of: str = FIRM) -> dict[str, Any]:
    row = {"record_id": number, "subject_id": of, "kind": "penalty", "severity": severity}
    row |= {"status": "effective", "level": "fine", "field": "wages", "authority": AUTHORITY}
    return row | {"occurred_on": day.isoformat()}


def last_shown(severity: str, on: dt.date) -> dt.date:
    """The date of a penalty that is shown for the last time on a day."""
    return add_months(add_days(on, 1), -TERMS[severity])


@pytest.mark.parametrize("severity", TERMS)
@pytest.mark.parametrize("is_over", [False, True])
def test_on_the_day_on_which_its_longest_term_ends_a_record_is_nowhere_and_the_day_before_everywhere(
    regulator: Client, department: Client, store: Store, severity: str, is_over: bool
) -> None:
    day = add_days(last_shown(severity, today()), -1 if is_over else 0)
    rows = [penalty(severity, day)]
    take(store, "enterprise", "record", "record_id", rows)
    yesterday = add_days(today(), -1)
    run(store, find_pack(PACK, yesterday), yesterday)  # published while it was still shown: no run since
    seen = {
        "list": _numbers(regulator.get(f"/v1/records?subject_id={FIRM}")),
        "its office's list": _numbers(department.get("/v1/records")),
        "explanation": [hit["record_id"] for hit in _explained(regulator)["hits"]],
        "live": [hit["record_id"] for hit in _live(regulator)["hits"]],
    }
    assert {where: "Z-1" in numbers for where, numbers in seen.items()} == dict.fromkeys(seen, not is_over)
    assert ("Z-1" in str(_explained(regulator))) is not is_over
    run(store, find_pack(PACK, today()), today())
    paths = regulator.get(f"/v1/subjects/{FIRM}/paths?pack={PACK}").json
    assert ("Z-1" in str(paths)) is not is_over


def _numbers(answer: Any) -> list[str]:
    return [item["record_id"] for item in answer.json["items"]]


def _explained(regulator: Client, code: str = FIRM) -> dict[str, Any]:
    found: dict[str, Any] = regulator.get(f"/v1/subjects/{code}/explanation?pack={PACK}").json
    return found


def _live(regulator: Client) -> dict[str, Any]:
    row = {"record_id": "Z-0", "subject_id": FIRM, "kind": "award", "level": "district"}
    row |= {"status": "effective", "occurred_on": "2020-01-01"}  # something happens, so that it is judged
    regulator.post("/v1/records", json={"records": [row]})
    found: dict[str, Any] = regulator.get(f"/v1/subjects/{FIRM}/live-grade?pack={PACK}").json
    return found


def test_a_repaired_record_is_shown_no_more_at_once_and_found_by_its_number_still(
    regulator: Client, store: Store
) -> None:
    day = add_months(today(), -6)
    take(store, "enterprise", "record", "record_id", [penalty("general", day)])
    run(store, find_pack(PACK, today()), today())
    assert "Z-1" in str(_explained(regulator))
    before = _explained(regulator)["score"]
    done = repaired(regulator, "Z-1", **MARK, effective_on=today().isoformat())
    assert done.status_code == 201, done.json
    after = _explained(regulator)
    assert (after["run"], after["score"] > before, "Z-1" in str(after)) == (None, True, False)
    assert "Z-1" not in _numbers(regulator.get(f"/v1/records?subject_id={FIRM}"))
    assert regulator.get("/v1/records/Z-1").json["versions"][0]["data"]["status"] == "repaired"


def test_a_grade_that_rests_on_records_alone_forgets_a_repaired_one_too(
    regulator: Client, store: Store
) -> None:
    code = credit_code(random.Random(7), "91")
    take(store, "enterprise", "subject", "subject_id", [{"subject_id": code}])
    take(store, "enterprise", "record", "record_id", [penalty("general", add_months(today(), -6), of=code)])
    run(store, find_pack(PACK, today()), today())
    assert {hit["record_id"] for hit in _explained(regulator, code)["hits"]} == {"Z-1"}
    done = repaired(regulator, "Z-1", **MARK, effective_on=today().isoformat())
    assert done.status_code == 201, done.json
    assert "Z-1" not in str(_explained(regulator, code))


def test_a_lender_is_told_the_tier_without_a_record_that_is_over_or_repaired(
    regulator: Client, lender: Client, store: Store
) -> None:
    def told() -> str:
        answer = lender.post("/v1/lender-checks", json=check(reference, FIRM))
        assert answer.json["outcome"] == "answered", answer.json
        return str(answer.json["tier"])

    ends_today = add_days(last_shown("serious", today()), -1)
    rows = [penalty("serious", ends_today, f"Z-{n}") for n in range(6)]
    take(store, "enterprise", "record", "record_id", rows)
    yesterday = add_days(today(), -1)
    run(store, find_pack(PACK, yesterday), yesterday)
    reference = consented(lender, FIRM)
    published = regulator.get(f"/v1/subjects/{FIRM}/grade?pack={PACK}").json["tier"]
    assert (published, told()) != (published, published)
    recent = add_months(today(), -13)
    rows = [penalty("serious", recent, f"Y-{n}") for n in range(6)]
    take(store, "enterprise", "record", "record_id", rows)
    run(store, find_pack(PACK, today()), today())
    worse = told()
    for row in rows:
        done = repaired(regulator, str(row["record_id"]), **MARK, effective_on=today().isoformat())
        assert done.status_code == 201, done.json
    assert told() < worse


def test_a_lender_is_told_the_tier_with_a_class_that_was_confirmed_since_the_run(
    regulator: Client, lender: Client, store: Store
) -> None:
    recent = add_months(today(), -1)
    fixed = {"subject_id": FIRM, "status": "effective", "occurred_on": recent.isoformat()}
    closed = fixed | {"record_id": "Z-1", "kind": "penalty", "level": "closed"}
    award = fixed | {"record_id": "Z-2", "kind": "award", "level": "national"}
    answer = regulator.post("/v1/records", json={"records": [closed, award]})
    assert answer.status_code == 200, answer.json
    run(store, find_pack(PACK, today()), today())
    reference = consented(lender, FIRM)

    def told() -> tuple[str, str]:
        answer = lender.post("/v1/lender-checks", json=check(reference, FIRM))
        return str(answer.json["outcome"]), str(answer.json.get("tier"))

    before = told()
    (found,) = regulator.get("/v1/record-proposals").json["items"]
    body = {"code": "serious", "reason": "责令关闭", "version": found["version"]}
    done = regulator.post(f"/v1/record-proposals/{found['id']}/classifications", json=body)
    assert done.status_code == 201, done.json
    now = str(_explained_on(regulator, today())["tier"])
    assert (before[0], told()) == ("answered", ("answered", now))
    assert now > before[1]


def _explained_on(regulator: Client, day: dt.date) -> dict[str, Any]:
    moment = dt.datetime.now(dt.UTC).isoformat().replace("+", "%2B")
    address = f"/v1/subjects/{FIRM}/explanation?pack={PACK}&as_of={day}&known_at={moment}"
    found: dict[str, Any] = regulator.get(address).json
    return found


def test_pages_of_a_listing_leave_out_what_is_over_and_nothing_else(store: Store) -> None:
    day = dt.date(2026, 11, 1)
    rows = [penalty("minor", dt.date(2026, 8, 1 if number % 2 else 2), f"Z-{number}") for number in range(8)]
    take(store, "enterprise", "record", "record_id", rows)
    found, after = [], None
    while some := list_shown(store, ENTERPRISE, day, subject_id=FIRM, after=after, limit=3):
        found += [record.record_id for record in some]
        after = found[-1]
    assert found == [f"T-{FIRM}", "Z-0", "Z-2", "Z-4", "Z-6"]


def test_the_end_that_a_record_states_comes_first_and_a_leap_day_ends_in_february() -> None:
    assert ENTERPRISE.records is not None
    known: dict[str, Any] = dict.fromkeys(ENTERPRISE.records.columns)
    known |= {"kind": "penalty", "status": "effective", "severity": "general"}
    known |= {"occurred_on": dt.date(2024, 2, 29)}
    assert shown_until(ENTERPRISE, known) == dt.date(2025, 2, 28)
    assert shown_until(ENTERPRISE, known | {"ends_on": dt.date(2024, 9, 1)}) == dt.date(2024, 9, 1)
    assert shown_until(ENTERPRISE, known | {"status": "repaired"}) == NEVER
    assert shown_until(ENTERPRISE, known | {"kind": "award"}) is None
