"""A measure has a clause and a ground, is seen by those whom it concerns, and ends with its ground."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from client import Client, Sign, repaired
from small_district import AUTHORITY, FINED, LISTED, PACK, take

from rules.library.loader import load_vocabulary
from rules.library.sanctions import SANCTIONS, Clause, sanctions
from scoring.access.keys import Role
from scoring.facts import consequences as ledger
from scoring.facts.undo import list_files, undo_file
from scoring.store import Store

OFFICE = "样例区财政局"
EVIDENCE = [{"title": "t", "reference": "r"}]
MARK = {"reason": "已履行处罚决定", "evidence": EVIDENCE, "effective_on": "2026-08-01"}


def enter(client: Client, status: int = 201, **more: object) -> dict[str, Any]:
    body: dict[str, Any] = {"subject_id": LISTED, "office": OFFICE, "clause": "procurement", "reason": "x"}
    body |= {"record_id": "L-1", "begins_on": "2026-08-01"} | more
    answer = client.post("/v1/consequences", json={k: v for k, v in body.items() if v is not None})
    assert answer.status_code == status, answer.json
    found: dict[str, Any] = answer.json
    return found


def shown(client: Client, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/v1/consequences{query}").json["items"]
    return items


# What may be entered


def test_a_measure_that_is_not_in_the_national_list_cannot_be_entered(regulator: Client) -> None:
    assert "no clause shame" in enter(regulator, 409, clause="shame")["detail"]
    assert shown(regulator) == []
    listed = regulator.get("/v1/sanctions").json
    assert enter(regulator, clause=listed["clauses"][0]["id"])["stands"] is True
    assert listed["checked"] is False


def test_every_clause_says_its_measure_and_its_law_and_no_bank_is_told_what_to_do() -> None:
    found = sanctions()
    assert {clause.number for clause in found.clauses.values()} == set(range(1, 13))
    assert all(clause.basis for clause in found.clauses.values())
    assert [title.zh for title in found.others] == ["纳入市场化征信或评级报告", "从严审慎授信"]
    assert SANCTIONS.read_text(encoding="utf-8").count("id: ") == len(found.clauses)


@pytest.mark.parametrize(
    ("ground", "said"),
    [
        ({"record_id": None}, "name one of them"),
        ({"pack": PACK}, "name one of them"),
        ({"record_id": None, "pack": PACK}, "takes rights away"),
        ({"office": None}, "which office"),
        ({"clause": "listed-checks", "record_id": None, "pack": PACK}, "a grade is no ground"),
        (
            {"clause": "listed-checks", "subject_id": FINED, "record_id": "P-1"},
            "Seriously dishonest listing (",
        ),
        ({"clause": "wages-honours"}, "right would be: Wage-arrears listing"),
        ({"begins_on": "2026-05-19"}, "before the record's own date"),
        ({"begins_on": "2999-01-01"}, "still to come"),
    ],
)
def test_a_measure_needs_an_office_and_one_ground_that_bears_it(
    regulator: Client, ground: dict[str, object], said: str
) -> None:
    assert said in enter(regulator, 409, **ground)["detail"]
    assert shown(regulator) == []


def test_an_office_that_the_register_does_not_know_applies_nothing_and_another_name_is_its_own(
    regulator: Client, store: Store
) -> None:
    body = {"subject_id": "CZ", "name": "云衡区财政局", "other_names": OFFICE}
    take(store, "department", "subject", "subject_id", [body])
    said = enter(regulator, 409, office="没有这个局")["detail"]
    assert "no public body is called 没有这个局" in said
    assert enter(regulator)["office"] == "云衡区财政局"


@pytest.mark.parametrize("clause", sanctions().clauses.values(), ids=lambda clause: clause.id)
def test_a_clause_rests_on_kinds_of_records_that_there_are(clause: Clause) -> None:
    table = load_vocabulary("enterprise").records
    assert table is not None
    for kind, levels in clause.records.items():
        assert kind in table.columns["kind"].values
        assert set(levels) <= set(table.kinds[kind].values["level"])


def test_a_record_of_another_or_one_that_is_not_effective_is_no_ground(regulator: Client) -> None:
    enter(regulator, 404, subject_id=FINED)
    enter(regulator, 404, record_id="P-999")
    assert repaired(regulator, "L-1", **MARK).status_code == 201
    assert "no ground" in enter(regulator, 409)["detail"]


def test_what_takes_no_rights_away_may_rest_on_the_published_grade(regulator: Client) -> None:
    found = enter(regulator, record_id=None, pack=PACK, clause="reference")
    grade = regulator.get(f"/v1/subjects/{LISTED}/grade?pack={PACK}").json
    assert (found["run_id"], found["tier"], found["record_id"]) == (grade["run_id"], grade["tier"], None)


def test_the_same_measure_is_entered_once(regulator: Client) -> None:
    first = enter(regulator)
    assert f"as {first['id']}" in enter(regulator, 409)["detail"]
    enter(regulator, clause="tendering")
    regulator.post(f"/v1/consequences/{first['id']}/lifts", json={"reason": "x", "on": "2026-08-02"})
    enter(regulator)


# Who


def test_a_department_enters_and_lifts_its_own_measures_alone(regulator: Client, sign_in: Sign) -> None:
    own, other = sign_in(Role.DEPARTMENT, OFFICE), sign_in(Role.DEPARTMENT, "样例区城管局")
    found = enter(own, office=None)
    assert found["office"] == OFFICE
    assert OFFICE in enter(own, 409, office="样例区城管局", clause="tendering")["detail"]
    assert ([one["id"] for one in shown(own)], shown(other)) == ([found["id"]], [])
    lift, body = f"/v1/consequences/{found['id']}/lifts", {"reason": "期限届满", "on": "2026-09-01"}
    assert other.get(f"/v1/consequences/{found['id']}").status_code == 404
    assert other.post(lift, json=body).status_code == 404
    done = own.post(lift, json=body)
    assert (done.status_code, done.json["lifted_on"], done.json["stands"]) == (201, "2026-09-01", False)
    assert own.post(lift, json=body).status_code == 409
    assert [one["id"] for one in shown(regulator)] == [found["id"]]


def test_an_enterprise_sees_what_was_applied_to_it_alone(regulator: Client, sign_in: Sign) -> None:
    number = enter(regulator)["id"]
    own, other = sign_in(Role.SUBJECT, LISTED), sign_in(Role.SUBJECT, FINED)
    assert [one["id"] for one in shown(own)] == [number]
    assert shown(other, f"?subject_id={LISTED}") == []
    assert other.get(f"/v1/consequences/{number}").status_code == 404
    enter(own, 403)
    assert own.post(f"/v1/consequences/{number}/lifts", json={}).status_code == 403


# It ends with its ground


def test_on_repair_everything_that_rested_on_the_record_is_lifted_and_says_by_what(
    regulator: Client, sign_in: Sign
) -> None:
    enter(regulator)
    enter(sign_in(Role.DEPARTMENT, "样例区住建委"), office=None, clause="tendering")
    on_grade = enter(regulator, record_id=None, pack=PACK, clause="reference")["id"]
    mark = repaired(regulator, "L-1", **MARK).json
    *lifted, stays = shown(regulator)
    assert {(one["stands"], one["mark_id"], one["lifted_by"]) for one in lifted} == {
        (False, mark["id"], regulator.colleague.prefix)
    }
    said = {"zh": "信用修复：已履行处罚决定", "en": "Repair: 已履行处罚决定"}
    assert [one["lifted_because"] for one in lifted] == [said, said]
    assert (stays["id"], stays["stands"]) == (on_grade, True)
    assert [one["id"] for one in shown(regulator, "?standing=true")] == [on_grade]
    regulator.post("/v1/records/L-1/breaches", json=MARK)
    assert [one["id"] for one in shown(regulator, "?standing=true")] == [on_grade]
    enter(regulator)


def test_an_objection_that_is_upheld_lifts_it_and_one_that_is_rejected_does_not(regulator: Client) -> None:
    enter(regulator)
    regulator.post("/v1/records/L-1/objections", json=MARK)
    regulator.post("/v1/records/L-1/decisions", json=MARK | {"outcome": "rejected"})
    assert len(shown(regulator, "?standing=true")) == 1
    regulator.post("/v1/records/L-1/appeals", json=MARK)
    regulator.colleague.post("/v1/records/L-1/decisions", json=MARK | {"outcome": "upheld"})
    (found,) = shown(regulator)
    assert (found["stands"], found["lifted_by"]) == (False, regulator.colleague.prefix)


@pytest.mark.parametrize("status", ["revoked", "repaired"])
def test_an_offices_own_list_that_takes_the_record_back_lifts_it(
    regulator: Client, department: Client, status: str
) -> None:
    enter(regulator)
    row = {"record_id": "L-1", "subject_id": LISTED}
    department.post("/v1/records", json={"records": [row | {"amount": "7"}]})
    assert shown(regulator)[0]["stands"] is True
    department.post("/v1/records", json={"records": [row | {"status": status}]})
    (found,) = shown(regulator)
    assert (found["stands"], found["mark_id"]) == (False, None)
    assert department.prefix in found["lifted_by"]


@pytest.mark.parametrize("was", [None, "revoked"])
def test_a_file_that_is_taken_back_lifts_what_rested_on_its_records_for_good(
    regulator: Client,
    department: Client,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    was: str | None,
) -> None:
    """Whether nothing was known of them before it, or that they did not stand."""
    monkeypatch.setattr(ledger, "today", lambda: dt.date(2026, 8, 2))
    row = {"record_id": "N-1", "subject_id": LISTED, "kind": "penalty", "severity": "general"}
    row |= {"occurred_on": "2026-07-01", "authority": AUTHORITY}
    for status in filter(None, (was, "effective")):
        taken = department.post("/v1/records", json={"records": [row | {"status": status}]})
        assert taken.json["rejected"] == 0
    enter(regulator, record_id="N-1")
    brought = max(file.id for file in list_files(store, everything=True))
    undoing = undo_file(store, brought).file_id
    (found,) = shown(regulator)
    assert (found["stands"], "taken it back" in found["lifted_because"]["en"]) == (False, True)
    assert undo_file(store, undoing or 0).restored == 1
    assert shown(regulator, "?standing=true") == []
    enter(regulator, record_id="N-1")


def test_a_repair_that_fails_lifts_nothing(
    regulator: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are one transaction."""
    enter(regulator)

    def fails(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("scoring.facts.objections.close_contradictions", fails)
    assert repaired(regulator, "L-1", **MARK).status_code == 500
    assert shown(regulator)[0]["stands"] is True
    assert regulator.get("/v1/records/L-1").json["versions"][0]["data"]["status"] == "effective"


def test_it_ends_by_itself_on_the_day_on_which_its_record_does(
    regulator: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "today", lambda: dt.date(2026, 8, 2))
    on_penalty = enter(regulator, subject_id=FINED, record_id="P-1")
    assert on_penalty["ends_on"] == "2027-03-02"  # a general penalty of 2026-03-02: a year
    for day, stands in ((dt.date(2027, 3, 1), True), (dt.date(2027, 3, 2), False)):
        monkeypatch.setattr(ledger, "today", lambda day=day: day)
        (found,) = ledger.list_consequences(store, "enterprise")
        assert (found.stands, found.lifted_on) == (stands, None if stands else day)
    assert ledger.list_consequences(store, "enterprise", standing=True) == []
