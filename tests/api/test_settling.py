"""What was decided here stays decided, and one decision does not count twice in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from client import Client, Sign, repaired
from small_district import AUTHORITY, FINED, MIXED

from scoring.access.keys import Role
from scoring.facts.ingest.files import Reading, ingest_file
from scoring.facts.undo import undo_file
from scoring.store import Store

MARK = {
    "reason": "已缴清罚款",
    "evidence": [{"title": "修复承诺书", "reference": "XF-2026-1"}],
    "effective_on": "2026-08-01",
}


def record(number: str, **more: object) -> dict[str, Any]:
    fixed = {
        "record_id": number,
        "subject_id": FINED,
        "kind": "penalty",
        "severity": "minor",
        "status": "effective",
        "occurred_on": "2026-07-01",
        "amount": "1000.0000",
        "authority": AUTHORITY,
        "document_no": f"{number}号",
    }
    return fixed | more


def post(client: Client, *rows: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v1/records", json={"records": list(rows)})
    assert answer.status_code == 200, answer.json
    done: dict[str, Any] = answer.json
    return done


def known(regulator: Client, number: str) -> dict[str, Any]:
    data: dict[str, Any] = regulator.get(f"/v1/records/{number}").json["versions"][0]["data"]
    return data


def decide(regulator: Client, number: str, outcome: str = "upheld") -> None:
    assert regulator.post(f"/v1/records/{number}/objections", json=MARK).status_code == 201
    decision = MARK | {"outcome": outcome}
    assert regulator.colleague.post(f"/v1/records/{number}/decisions", json=decision).status_code == 201


def contradictions(regulator: Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = regulator.get("/v1/record-contradictions").json["items"]
    return items


def twins(regulator: Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = regulator.get("/v1/record-twins").json["items"]
    return items


# Contradictions


def test_a_decision_and_a_repair_stand_when_the_offices_list_comes_again(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    post(regulator, record("RQ1"), record("RQ2"))
    decide(regulator, "RQ1")
    repaired(regulator, "RQ2", regulator.colleague, **MARK)
    path = tmp_path / "m.csv"
    rows = "".join(f"{n},{FINED},行政处罚,有效,2000\r\n" for n in ("RQ1", "RQ2"))
    path.write_text("记录编号,统一社会信用代码,类别,状态,金额\r\n" + rows, encoding="utf-8")
    report = ingest_file(store, path, "enterprise", Reading(quarantine=tmp_path))
    assert (report.changed, report.held) == (2, 2)
    found = [known(regulator, number) for number in ("RQ1", "RQ2")]
    assert [(row["status"], row["amount"]) for row in found] == [
        ("revoked", "2000.0000"),
        ("repaired", "2000.0000"),
    ]
    stands = [(c["record_id"], c["status"], c["claimed"], c["mark_kind"]) for c in contradictions(regulator)]
    assert stands == [("RQ1", "revoked", "effective", "decision"), ("RQ2", "repaired", "effective", "repair")]
    first = contradictions(regulator)[0]
    assert (first["ours"]["status"], first["theirs"]["status"]) == ("revoked", "effective")


def test_a_contradiction_is_reported_once_and_ends_when_the_office_agrees(
    regulator: Client, sign_in: Sign
) -> None:
    office = sign_in(Role.DEPARTMENT)
    post(office, record("RQ1"))
    decide(regulator, "RQ1")
    assert post(office, record("RQ1"))["held"] == 1
    (first,) = contradictions(regulator)
    assert post(office, record("RQ1"))["held"] == 1
    assert contradictions(regulator) == [first]
    assert post(office, record("RQ1", status="revoked"))["held"] == 0
    assert contradictions(regulator) == []
    assert office.get("/v1/record-contradictions").status_code == 403


def test_a_regulator_who_posts_a_row_does_not_undo_a_decision_either(regulator: Client) -> None:
    post(regulator, record("RQ1"))
    decide(regulator, "RQ1")
    done = post(regulator, record("RQ1", status=None))
    assert known(regulator, "RQ1")["status"] == "revoked"
    assert (done["unchanged"], done["held"]) == (1, 0)


def test_what_is_disputed_stays_so_without_a_contradiction_while_the_office_lists_it_as_before(
    regulator: Client,
) -> None:
    post(regulator, record("RQ1"))
    regulator.post("/v1/records/RQ1/objections", json=MARK)
    assert post(regulator, record("RQ1"))["held"] == 1
    assert known(regulator, "RQ1")["status"] == "disputed"
    assert contradictions(regulator) == []
    post(regulator, record("RQ1", status="revoked"))
    assert [c["claimed"] for c in contradictions(regulator)] == ["revoked"]


@pytest.mark.parametrize(
    ("outcome", "status", "later"), [("confirm", "revoked", "revoked"), ("accept", "effective", "repaired")]
)
def test_only_a_person_resolves_a_contradiction(
    regulator: Client, outcome: str, status: str, later: str
) -> None:
    post(regulator, record("RQ1"))
    decide(regulator, "RQ1")
    post(regulator, record("RQ1"))
    (found,) = contradictions(regulator)
    path = f"/v1/record-contradictions/{found['id']}/resolutions"
    body = {"outcome": outcome, "reason": "与市场监管局核对"}
    mark = regulator.post(path, json=body)
    assert (mark.status_code, mark.json["status_after"], mark.json["made_by"]) == (
        201,
        status,
        regulator.prefix,
    )
    assert known(regulator, "RQ1")["status"] == status
    assert regulator.post(path, json=body).status_code == 409
    post(regulator, record("RQ1"))
    assert contradictions(regulator) == []
    post(regulator, record("RQ1", status="repaired"))
    assert known(regulator, "RQ1")["status"] == later
    assert len(contradictions(regulator)) == (outcome == "confirm")


@pytest.mark.parametrize("day", ["1900-01-01", "1970-01-01", "2199-01-01", "9999-12-31"])
def test_nobody_settles_anything_on_a_day_that_cannot_be(regulator: Client, day: str) -> None:
    post(regulator, record("RQ1"))
    decide(regulator, "RQ1")
    post(regulator, record("RQ1"))
    (found,) = contradictions(regulator)
    body = {"outcome": "accept", "reason": "与市场监管局核对", "effective_on": day}
    answer = regulator.post(f"/v1/record-contradictions/{found['id']}/resolutions", json=body)
    assert (answer.status_code, day in answer.json["detail"]) == (409, True)
    assert known(regulator, "RQ1")["status"] == "revoked"
    assert len(contradictions(regulator)) == 1


def test_another_mark_closes_a_contradiction(regulator: Client) -> None:
    post(regulator, record("RQ1"))
    decide(regulator, "RQ1", "rejected")
    post(regulator, record("RQ1", status="revoked"))
    assert len(contradictions(regulator)) == 1
    repaired(regulator, "RQ1", regulator.colleague, **MARK)
    assert contradictions(regulator) == []


def test_a_mark_after_a_file_stays_when_the_file_is_taken_back(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        f"记录编号,统一社会信用代码,类别,状态,日期,失信程度\r\n"
        f"U1,{FINED},行政处罚,有效,2026-07-01,轻微\r\nU2,{FINED},行政处罚,有效,2026-07-02,一般\r\n",
        encoding="utf-8",
    )
    report = ingest_file(store, path, "enterprise", Reading(quarantine=tmp_path))
    repaired(regulator, "U1", **MARK)
    assert report.file_id is not None
    done = undo_file(store, report.file_id)
    assert (done.ended, done.left) == (1, ("U1",))
    assert known(regulator, "U1")["status"] == "repaired"


def test_a_mark_may_be_of_the_records_own_day_and_of_none_before(regulator: Client) -> None:
    post(regulator, record("RQ1"))
    early = MARK | {"effective_on": "2026-06-30"}
    assert regulator.post("/v1/records/RQ1/objections", json=early).status_code == 409
    same = MARK | {"effective_on": "2026-07-01"}
    assert regulator.post("/v1/records/RQ1/objections", json=same).status_code == 201


# What a request says and does not say


def test_null_clears_a_column_and_what_is_left_out_or_empty_stays(regulator: Client) -> None:
    post(regulator, record("RQ1"))
    less = {"record_id": "RQ1", "subject_id": FINED, "severity": "", "amount": None}
    assert post(regulator, less)["changed"] == 1
    row = known(regulator, "RQ1")
    assert (row["kind"], row["severity"], row["amount"]) == ("penalty", "minor", None)


# Twins


def test_one_decision_under_two_numbers_is_a_warning_and_stands_in_the_list(regulator: Client) -> None:
    done = post(
        regulator, record("T1", document_no="云〔2026〕6号"), record("T2", document_no="云〔2026〕6号")
    )
    assert [(w["row_no"], "T2" in w["reason"]) for w in done["warnings"]] == [(1, True), (2, False)]
    (pair,) = twins(regulator)
    assert sorted(pair["records"]) == ["T1", "T2"]


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"amount": "2000"}, False),
        ({"occurred_on": "2026-07-02"}, False),
        ({"kind": "contract_default"}, False),
        ({"authority": "样例区应急管理局"}, False),
        ({"document_no": None}, True),
        ({}, True),
        ({"status": "revoked"}, False),
    ],
)
def test_the_same_day_authority_and_amount_may_be_one_decision(
    regulator: Client, other: dict[str, Any], found: bool
) -> None:
    post(regulator, record("T1"))
    done = post(regulator, record("T2", **other))
    assert bool(done["warnings"]) is found
    assert bool(twins(regulator)) is found


def test_of_twins_the_one_that_the_regulator_keeps_counts(regulator: Client) -> None:
    post(regulator, record("T1"), record("T2"), record("T3"))
    pair = next(p for p in twins(regulator) if sorted(p["records"]) == ["T1", "T2"])
    path = f"/v1/record-twins/{pair['id']}/settlements"
    wrong = regulator.post(path, json={"keep": "T3", "reason": "重复"})
    done = regulator.post(path, json={"keep": "T2", "reason": "重复报送"})
    assert (wrong.status_code, done.status_code, done.json) == (409, 201, {"revoked": "T1"})
    shown = regulator.get("/v1/records/T1").json
    assert shown["versions"][0]["data"]["status"] == "revoked"
    assert (shown["marks"][0]["kind"], shown["marks"][0]["reason"]) == ("duplicate", "重复报送")
    assert [sorted(p["records"]) for p in twins(regulator)] == [["T2", "T3"]]
    assert post(regulator, record("T1"))["held"] == 1
    assert known(regulator, "T1")["status"] == "revoked"
    assert contradictions(regulator) == []


def test_one_decision_by_two_names_of_its_authority_is_found_and_named(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "单位.csv"
    names = f"单位编码,单位名称,其他名称\nBM1,{AUTHORITY},样例区城管局;样例区综合执法局\n"
    path.write_text(names, encoding="utf-8")
    assert ingest_file(store, path, "department", Reading(quarantine=tmp_path)).rejected == 0
    post(regulator, record("T1", authority="样例区城管局"), record("T3", authority="别的局"))
    done = post(regulator, record("T2", authority="样例区综合执法局"))
    assert ["T1" in warning["reason"] for warning in done["warnings"]] == [True]
    assert [sorted(pair["records"]) for pair in twins(regulator)] == [["T1", "T2"]]


def test_two_decisions_stay_two_and_are_not_asked_about_again(regulator: Client) -> None:
    post(regulator, record("T1"), record("T2"))
    (pair,) = twins(regulator)
    body = {"keep": None, "reason": "两次处罚"}
    path = f"/v1/record-twins/{pair['id']}/settlements"
    assert regulator.post(path, json=body).json == {"revoked": None}
    assert regulator.post(path, json=body).status_code == 409
    done = post(regulator, record("T2", severity="serious"))
    assert (done["warnings"], twins(regulator)) == ([], [])


@pytest.mark.parametrize(
    "correction",
    [{"document_no": "T9号", "amount": "2"}, {"subject_id": MIXED}, {"status": "revoked"}],
    ids=lambda correction: next(iter(correction)),
)
def test_nothing_is_revoked_as_the_duplicate_of_what_it_is_not_like_any_more(
    regulator: Client, correction: dict[str, Any]
) -> None:
    """Who settles has seen the list before the correction came."""
    post(regulator, record("T1"), record("T2"))
    (pair,) = twins(regulator)
    post(regulator, record("T1", **correction))
    body = {"keep": "T1", "reason": "重复报送"}
    answer = regulator.post(f"/v1/record-twins/{pair['id']}/settlements", json=body)
    assert (answer.status_code, "T1" in answer.json["detail"]) == (409, True)
    assert known(regulator, "T2")["status"] == "effective"


def test_what_waits_is_of_whom_the_record_is_about_after_a_correction(regulator: Client) -> None:
    shut = {"level": "permit_revoked", "severity": ""}
    post(regulator, record("T1", **shut), record("T2", **shut), record("RQ1", amount="2"))
    decide(regulator, "RQ1")
    post(regulator, record("RQ1", amount="2", status="repaired"))
    moved = record("T1", **shut), record("T2", **shut), record("RQ1", amount="2")
    post(regulator, *(one | {"subject_id": MIXED} for one in moved))
    proposals = regulator.get("/v1/record-proposals").json["items"]
    listed = [*proposals, *twins(regulator), *contradictions(regulator)]
    assert [one["subject_id"] for one in listed] == [MIXED] * 4


def test_an_office_does_not_learn_the_number_of_anothers_record(regulator: Client, sign_in: Sign) -> None:
    post(regulator, record("SECRET", authority="样例区应急管理局", document_no="1号"))
    done = post(sign_in(Role.DEPARTMENT), record("T1", document_no="1号"))
    (warning,) = done["warnings"]
    assert "SECRET" not in warning["reason"]
    assert sign_in(Role.DEPARTMENT).get("/v1/record-twins").status_code == 403


def test_what_is_to_be_settled_is_of_its_own_vocabulary(regulator: Client) -> None:
    post(regulator, record("RQ1"), record("RQ2", document_no="RQ3号", amount="2"), record("RQ3", amount="3"))
    decide(regulator, "RQ1")
    post(regulator, record("RQ1"))
    said = {"reason": "x", "vocabulary": "tourism"}
    for path, body, listed in (
        ("/v1/record-contradictions/1/resolutions", {"outcome": "accept"}, contradictions),
        ("/v1/record-twins/1/settlements", {"keep": None}, twins),
    ):
        (one,) = listed(regulator)
        assert one["id"] == 1
        assert regulator.get(f"{path.partition('/1/')[0]}?vocabulary=tourism").json["items"] == []
        assert regulator.post(path, json=said | body).status_code == 404
        assert listed(regulator) == [one]
        assert regulator.post(path, json=said | body | {"vocabulary": "enterprise"}).status_code == 201
        assert listed(regulator) == []
