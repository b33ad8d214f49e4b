"""What a lender learns, and what it does not."""

from __future__ import annotations

import datetime as dt

import pytest
from client import Client, Sign
from small_district import FINED, LISTED, SUBJECTS

from rules.calendar import today
from scoring.keys import Role

DAY = dt.timedelta(days=1)


def _consent(**changes: object) -> dict[str, object]:
    whole = {
        "reference": "SQ-1",
        "scope": ["credit-tier"],
        "valid_from": today().isoformat(),
        "valid_until": today().isoformat(),
    }
    return whole | changes


def _check(subject: str, **changes: object) -> dict[str, object]:
    return {"subject_id": subject, "consent": _consent(**changes)}


def test_a_lender_learns_tier_dates_and_lane_and_nothing_else(lender: Client) -> None:
    answer = lender.post("/v1/lender-checks", json=_check(LISTED)).json
    assert set(answer) == {"subject_id", "tier", "graded_on", "valid_until", "lane"}
    assert (answer["tier"], answer["lane"], answer["graded_on"]) == ("D", "none", "2026-07-31")
    assert answer["valid_until"] > answer["graded_on"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scope": ["newsletter"]}, "does not cover"),
        ({"valid_from": (today() + DAY).isoformat()}, "valid from"),
        ({"valid_from": "2020-01-01", "valid_until": (today() - DAY).isoformat()}, "ended on"),
    ],
)
def test_without_a_valid_consent_there_is_no_answer(
    lender: Client, changes: dict[str, object], reason: str
) -> None:
    answer = lender.post("/v1/lender-checks", json=_check(LISTED, **changes))
    assert (answer.status_code, answer.json["type"]) == (403, "/problems/consent-invalid")
    assert reason in answer.json["detail"]


def test_a_batch_answers_each_check_by_itself(lender: Client) -> None:
    checks = [_check(FINED), _check(LISTED, scope=["x"]), _check("91500000NOBODY0000")]
    answers = lender.post("/v1/lender-checks/batch", json={"checks": checks}).json["answers"]
    assert [a["outcome"] for a in answers] == ["answered", "refused", "unknown"]
    assert [a["tier"] is None for a in answers] == [False, True, True]


def test_a_thousand_checks_go_in_one_call_and_no_more(lender: Client) -> None:
    thousand = [_check(SUBJECTS[n % 12]) for n in range(1000)]
    answer = lender.post("/v1/lender-checks/batch", json={"checks": thousand})
    assert len(answer.json["answers"]) == 1000
    assert (
        lender.post("/v1/lender-checks/batch", json={"checks": [*thousand, _check(FINED)]}).status_code == 422
    )


def test_the_subject_can_see_who_asked(lender: Client, regulator: Client) -> None:
    lender.post("/v1/lender-checks", json=_check(FINED))
    lender.post("/v1/lender-checks", json=_check(FINED, scope=["x"]))
    notes = regulator.get(f"/v1/subjects/{FINED}/history").json["lender_checks"]
    assert [note["outcome"] for note in notes] == ["refused", "answered"]
    assert {note["consent"] for note in notes} == {"SQ-1"}


def test_a_lender_sees_its_own_checks_and_a_regulator_all(sign_in: Sign, regulator: Client) -> None:
    one, two = sign_in(Role.LENDER, "甲银行"), sign_in(Role.LENDER, "乙银行")
    one.post("/v1/lender-checks", json=_check(FINED))
    two.post("/v1/lender-checks", json=_check(LISTED))
    assert [c["subject_id"] for c in one.get("/v1/lender-checks").json["items"]] == [FINED]
    assert {c["lender"] for c in regulator.get("/v1/lender-checks").json["items"]} == {"甲银行", "乙银行"}
