"""What a lender learns, and what it does not."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa
from client import Client, Sign
from flask import Flask
from lending_desk import DAY, Clock, check, consented, terms
from small_district import AUTHORITY, FINED, LISTED, MIXED, SUBJECTS
from werkzeug.test import TestResponse

from api.app import create_app
from api.resources import subjects
from api.settings import Settings
from rules.calendar import add_days
from scoring.access.audit import AuditLog, Event, entries, verify
from scoring.access.consents import Registration, consents_to, register
from scoring.access.keys import Role, Who, create_key
from scoring.store import Store, open_store

CHECKS = "/v1/lender-checks"
BATCH = f"{CHECKS}/batch"


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Clock:
    """What the application takes for the time."""
    clock = Clock()
    app.extensions["clock"] = clock
    return clock


def _refused(lender: Client, asked: dict[str, object]) -> str:
    answer = lender.post(CHECKS, json=asked)
    assert (answer.status_code, answer.json["type"]) == (403, "/problems/consent-invalid"), answer.json
    assert "tier" not in answer.json
    return str(answer.json["detail"])


def test_a_lender_learns_tier_dates_and_lane_and_nothing_else(lender: Client) -> None:
    answer = lender.post(CHECKS, json=check(consented(lender, LISTED))).json
    assert answer == {
        "subject_id": LISTED,
        "outcome": "answered",
        "tier": "D",
        "graded_on": "2026-07-31",
        "valid_until": "2026-08-31",
        "lane": "none",
    }


@pytest.mark.parametrize("reference", ["SQ-1", ".", "SQ-2026-9999", "%", "_", "'", "1 OR 1=1"])
def test_a_reference_that_nobody_registered_opens_nothing(lender: Client, reference: str) -> None:
    consented(lender, LISTED)
    assert "is registered" in _refused(lender, check(reference, LISTED))


def test_one_made_up_reference_in_a_batch_gives_no_tier_at_all(lender: Client) -> None:
    consent = consented(lender, FINED)
    for reference, answered in (("SQ-1", []), (consent["reference"], [FINED])):
        asked = {"checks": [check(reference, subject) for subject in SUBJECTS]}
        answers = lender.post(BATCH, json=asked).json["answers"]
        assert [a["subject_id"] for a in answers if a["tier"] is not None] == answered


def test_the_consent_of_another_subject_or_to_another_lender_opens_nothing(
    sign_in: Sign, lender: Client, regulator: Client
) -> None:
    other = consented(sign_in(Role.LENDER, "乙银行"), LISTED)
    own = consented(lender, FINED)
    unknown = _refused(lender, check("SQ-2026-9999", LISTED)).replace("SQ-2026-9999", "")
    assert _refused(lender, check(other)).replace(other["reference"], "") == unknown
    assert _refused(lender, check(own, LISTED)).replace(own["reference"], "") == unknown
    noted = [note["consent_id"] for note in regulator.get(CHECKS).json["items"]]
    assert noted == [None] * 3, "under no consent: that of another is none of the log's business"


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (dt.date(2026, 8, 9), "is valid from 2026-08-10 only"),
        (dt.date(2026, 8, 10), None),
        (dt.date(2026, 8, 20), None),
        (dt.date(2026, 8, 21), "ended on 2026-08-20"),
    ],
    ids=["the day before", "the first day", "the last day", "the day after"],
)
def test_a_consent_holds_from_its_first_day_to_its_last(
    lender: Client, clock: Clock, day: dt.date, reason: str | None
) -> None:
    consent = consented(lender, LISTED, valid_from="2026-08-10", valid_until="2026-08-20")
    clock.day = day
    if reason is None:
        assert lender.post(CHECKS, json=check(consent)).status_code == 200
    else:
        assert reason in _refused(lender, check(consent))


def test_a_consent_is_for_the_purposes_that_it_names(lender: Client) -> None:
    consent = consented(lender, LISTED, purposes=["monitoring", "guarantee"])
    assert "covers guarantee, monitoring, not loan" in _refused(lender, check(consent))
    assert lender.post(CHECKS, json=check(consent, purpose="monitoring")).status_code == 200


@pytest.mark.parametrize("spelt", ["ＳＱ－ＡＢ－１７", " SQ-AB-17 ", "SQ - AB - 17"])
def test_a_reference_and_a_credit_code_are_known_in_every_spelling(lender: Client, spelt: str) -> None:
    consented(lender, FINED, reference="SQ-AB-17")
    wide = "".join(chr(ord(character) + 0xFEE0) for character in FINED)
    subjects = (FINED, FINED.lower(), wide, f" {FINED[:9]} {FINED[9:]}")
    answers = lender.post(BATCH, json={"checks": [check(spelt, subject) for subject in subjects]}).json
    assert [(a["outcome"], a["subject_id"]) for a in answers["answers"]] == [("answered", FINED)] * 4


def test_after_a_withdrawal_no_tier_is_answered(lender: Client) -> None:
    consent = consented(lender, LISTED)
    assert lender.post(CHECKS, json=check(consent)).status_code == 200
    lender.post(f"/v1/consents/{consent['id']}/withdrawal", json={"reason": "贷款结清"})
    assert "was withdrawn on 2026-08-05" in _refused(lender, check(consent))


def test_a_check_that_comes_while_its_consent_is_withdrawn_is_refused(
    lender: Client, regulator: Client, clock: Clock, store: Store
) -> None:
    consent = consented(lender, LISTED)
    answers: list[int] = []
    other = Client(
        create_app(Settings(log_level="error", cache_seconds=0), store).test_client(), lender.token
    )
    thread = threading.Thread(
        target=lambda: answers.append(other.post(CHECKS, json=check(consent)).status_code)
    )

    def ask_meanwhile() -> None:
        thread.start()
        thread.join(0.3)  # a check that did not wait would be answered by now

    clock.first = ask_meanwhile
    done = regulator.post(f"/v1/consents/{consent['id']}/withdrawal", json={"reason": "企业撤回"})
    thread.join()
    assert (done.status_code, answers) == (200, [403])


def test_a_withdrawal_that_comes_while_its_consent_is_checked_is_later_in_the_log(
    lender: Client, regulator: Client, clock: Clock, store: Store
) -> None:
    consent = consented(lender, LISTED)
    other = Client(
        create_app(Settings(log_level="error", cache_seconds=0), store).test_client(), regulator.token
    )
    thread = threading.Thread(
        target=lambda: other.post(f"/v1/consents/{consent['id']}/withdrawal", json={"reason": "企业撤回"})
    )

    def withdraw_meanwhile() -> None:
        thread.start()
        thread.join(0.3)

    clock.first = withdraw_meanwhile
    assert lender.post(CHECKS, json=check(consent)).status_code == 200
    thread.join()
    (asked,), (withdrawn,) = (entries(store, action=a) for a in ("lender.check", "consents.withdraw"))
    assert asked.seq < withdrawn.seq
    assert verify(store).faults == ()


def test_a_stop_waits_for_the_check_under_way_and_the_next_check_is_refused(
    lender: Client, regulator: Client, clock: Clock, store: Store
) -> None:
    consent = consented(lender, LISTED)
    other = Client(
        create_app(Settings(log_level="error", cache_seconds=0), store).test_client(), regulator.token
    )
    stop = {"lender": consent["lender"], "reason": "抽查不合格"}
    thread = threading.Thread(target=lambda: other.post("/v1/lenders/stop", json=stop))

    def stop_meanwhile() -> None:
        thread.start()
        thread.join(0.3)

    clock.first = stop_meanwhile
    assert lender.post(CHECKS, json=check(consent)).status_code == 200
    thread.join()
    (asked,), (stopped,) = (entries(store, action=a) for a in ("lender.check", "lenders.stop"))
    assert asked.seq < stopped.seq
    assert lender.post(CHECKS, json=check(consent)).json["type"] == "/problems/lender-stopped"


def test_checks_of_one_lender_under_one_consent_do_not_wait_for_each_other(
    postgresql_district_url: str,
) -> None:
    """Both hold what they look at, so that nobody takes it back meanwhile, and neither holds up the other."""
    store = open_store(postgresql_district_url)
    create_key(store, Role.LENDER, "tests", AUTHORITY)
    wanted = terms(LISTED, valid_from=DAY, valid_until=DAY)
    made = register(store, Who("k", Role.LENDER, AUTHORITY), Registration(**wanted), clock=Clock())
    with store.writing() as one, store.writing() as two:
        two.execute(sa.text("SET LOCAL lock_timeout = '3s'"))
        for session in (one, two):
            assert consents_to(session, AUTHORITY, [made.reference]) == {made.reference: made}
    store.close()


def test_a_batch_answers_each_check_by_itself(lender: Client, sign_in: Sign) -> None:
    withdrawn, nobody = consented(lender, MIXED), consented(lender, "91500000MA0NMBDY0U")
    lender.post(f"/v1/consents/{withdrawn['id']}/withdrawal", json={"reason": "贷款结清"})
    foreign = consented(sign_in(Role.LENDER, "乙银行"), FINED)
    good = consented(lender, FINED)
    whole = check(good)
    checks = [
        whole,
        check(withdrawn),
        check(foreign),
        check(nobody),
        {"subject_id": LISTED, "purpose": "loan"},
        whole | {"purpose": "curiosity"},
        whole | {"subject_id": 7},
        whole | {"colour": "red"},
        "a check",
        None,
        whole,
    ]
    answer = lender.post(BATCH, json={"checks": checks})
    answers = answer.json["answers"]
    assert answer.status_code == 200
    assert [a["outcome"] for a in answers] == [
        "answered", "refused", "refused", "unknown", *["invalid"] * 6, "answered",
    ]  # fmt: skip
    assert [n for n, a in enumerate(answers) if a["tier"] is not None] == [0, 10]
    assert answers[4]["subject_id"] == LISTED
    assert [e["field"] for a in answers[4:8] for e in a["errors"]] == [
        "checks.4.consent", "checks.5.purpose", "checks.6.subject_id", "checks.7.colour",
    ]  # fmt: skip
    assert all(a["reason"] for a in answers[1:10])


def test_why_a_check_is_not_answered_is_told_in_the_language_asked_for(lender: Client) -> None:
    consent = consented(lender, FINED, purposes=["monitoring"])
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9"}
    alone = lender.post(CHECKS, json=check(consent), headers=chinese).json
    assert alone["detail"] == f"授权{consent['reference']}的用途是贷后管理,不含授信审批"
    mistyped = check(consent) | {"subject_id": FINED[:-1]}
    answers = lender.post(BATCH, json={"checks": [check(consent), mistyped]}, headers=chinese).json["answers"]
    assert [answer["outcome"] for answer in answers] == ["refused", "invalid"]
    assert answers[0]["reason"] == alone["detail"]
    assert "统一社会信用代码" in answers[1]["errors"][0]["message"], answers[1]


def test_a_code_that_nobody_can_have_is_wrong_and_not_unknown(lender: Client, store: Store) -> None:
    asked = check(consented(lender, FINED)) | {"subject_id": FINED[:-1]}
    answer = lender.post(CHECKS, json=asked)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "subject_id")
    assert entries(store, action="lender.check") == [], "no check was made"


def test_a_thousand_checks_go_in_one_call_and_no_more(lender: Client) -> None:
    consents = [consented(lender, subject) for subject in SUBJECTS]
    thousand = [check(consents[n % 12]) for n in range(1000)]
    answer = lender.post(BATCH, json={"checks": thousand})
    assert [a["outcome"] for a in answer.json["answers"]] == ["answered"] * 1000
    assert lender.post(BATCH, json={"checks": [*thousand, thousand[0]]}).status_code == 422


@pytest.mark.parametrize(("day", "outcome"), [(31, "answered"), (1, "expired")])
def test_an_expired_grade_is_said_to_be_so_and_has_no_lane(
    lender: Client, clock: Clock, day: int, outcome: str
) -> None:
    consent = consented(lender, LISTED)
    clock.day = dt.date(2026, 8, 31) if day == 31 else dt.date(2026, 9, 1)
    alone = lender.post(CHECKS, json=check(consent)).json
    (listed,) = lender.post(BATCH, json={"checks": [check(consent)]}).json["answers"]
    for answer in (alone, listed):
        assert (answer["outcome"], answer["valid_until"]) == (outcome, "2026-08-31")
        assert answer["lane"] == ("none" if outcome == "answered" else None)


def test_a_request_that_comes_again_is_checked_again_and_logged_again(
    lender: Client, regulator: Client, store: Store
) -> None:
    consent = consented(lender, LISTED)
    again = {"headers": {"Idempotency-Key": "k-1"}}
    for path, body in ((CHECKS, check(consent)), (BATCH, {"checks": [check(consent)]})):
        first, second = (lender.post(path, json=body, **again) for _ in range(2))
        assert first.json == second.json
    assert [entry.details["outcome"] for entry in entries(store, action="lender.check")] == ["answered"] * 4
    regulator.post(f"/v1/consents/{consent['id']}/withdrawal", json={"reason": "企业撤回"})
    assert lender.post(CHECKS, json=check(consent), **again).status_code == 403
    (answer,) = lender.post(BATCH, json={"checks": [check(consent)]}, **again).json["answers"]
    assert (answer["outcome"], answer["tier"]) == ("refused", None)
    notes = regulator.get(f"/v1/subjects/{LISTED}/lender-checks").json["items"]
    assert [note["outcome"] for note in notes] == ["refused"] * 2 + ["answered"] * 4


def test_a_stopped_lender_is_answered_nothing_until_the_stop_is_lifted(
    sign_in: Sign, lender: Client, regulator: Client
) -> None:
    consent = consented(lender, LISTED)
    other = sign_in(Role.LENDER, "乙银行")
    others = consented(other, LISTED)
    named = {"lender": consent["lender"]}
    assert regulator.post("/v1/lenders/stop", json=named | {"reason": "授权书抽查不合格"}).status_code == 200
    for path, body in ((CHECKS, check(consent)), (BATCH, {"checks": [check(consent)]})):
        answer = lender.post(path, json=body)
        assert (answer.status_code, answer.json["type"]) == (403, "/problems/lender-stopped")
        assert "授权书抽查不合格" in answer.json["detail"]
    assert other.post(CHECKS, json=check(others)).status_code == 200
    assert regulator.post("/v1/lenders/stop", json=named | {"reason": "again"}).status_code == 409
    assert regulator.post("/v1/lenders/lift", json=named | {"reason": "整改完成"}).status_code == 200
    assert regulator.post("/v1/lenders/lift", json=named | {"reason": "again"}).status_code == 409
    assert lender.post(CHECKS, json=check(consent)).status_code == 200
    for action, reason in (("lenders.stop", "授权书抽查不合格"), ("lenders.lift", "整改完成")):
        (entry,) = regulator.get(f"/v1/audit?action={action}").json["items"]
        assert (entry["actor"], entry["details"]["reason"]) == (regulator.prefix, reason)
        assert entry["at"].startswith(DAY.isoformat())


def test_a_stop_is_not_lifted_by_who_saw_the_one_before(
    lender: Client, regulator: Client, clock: Clock
) -> None:
    named = {"lender": consented(lender, LISTED)["lender"]}

    def act(what: str, **more: str) -> TestResponse:
        return regulator.post(f"/v1/lenders/{what}", json=named | {"reason": what} | more)

    (first,) = act("stop").json["lenders"]
    assert act("lift").status_code == 200
    clock.day = add_days(DAY, 1)
    assert act("stop", reason="未整改").status_code == 200
    late = act("lift", stopped_at=first["stopped_at"])
    assert (late.status_code, "was stopped anew: 未整改" in late.json["detail"]) == (409, True)
    assert regulator.get("/v1/lenders").json["lenders"][0]["stopped_why"] == "未整改"
    assert act("lift").status_code == 200


def test_the_subject_can_see_who_asked(lender: Client, regulator: Client) -> None:
    consent = consented(lender, FINED)
    lender.post(CHECKS, json=check(consent))
    lender.post(CHECKS, json=check(consent, purpose="guarantee"))
    notes = regulator.get(f"/v1/subjects/{FINED}/history").json["lender_checks"]
    assert [note["outcome"] for note in notes] == ["refused", "answered"]
    assert {(note["consent"], note["consent_id"]) for note in notes} == {
        (consent["reference"], consent["id"])
    }


def test_the_history_says_where_the_checks_go_on_that_it_leaves_off(
    lender: Client, regulator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = consented(lender, FINED)
    for purpose in ("loan", "guarantee", "monitoring"):
        lender.post(CHECKS, json=check(consent, purpose=purpose))
    path = f"/v1/subjects/{FINED}"
    whole = regulator.get(f"{path}/history").json
    assert (len(whole["lender_checks"]), whole["next_lender_checks"]) == (3, None)
    monkeypatch.setattr(subjects, "MOST_CHECKS", 2)
    first = regulator.get(f"{path}/history").json
    rest = regulator.get(f"{path}/lender-checks?cursor={first['next_lender_checks']}").json
    assert (len(first["lender_checks"]), rest["next"]) == (2, None)
    assert first["lender_checks"] + rest["items"] == whole["lender_checks"]


def test_a_lender_sees_its_own_checks_by_whichever_key_and_a_regulator_all(
    sign_in: Sign, regulator: Client
) -> None:
    one, two = sign_in(Role.LENDER, "甲银行"), sign_in(Role.LENDER, "乙银行")
    colleague = sign_in(Role.LENDER, "甲银行")
    for who, subject in ((one, FINED), (two, LISTED), (colleague, LISTED), (one, LISTED)):
        who.post(CHECKS, json=check(consented(who, subject)))
    for who in (one, colleague):
        first = who.get(f"{CHECKS}?limit=2").json
        rest = who.get(f"{CHECKS}?limit=2&cursor={first['next']}").json
        assert [c["subject_id"] for c in first["items"] + rest["items"]] == [LISTED, LISTED, FINED]
        assert {c["lender"] for c in first["items"] + rest["items"]} == {"甲银行"}
    assert {c["lender"] for c in regulator.get(CHECKS).json["items"]} == {"甲银行", "乙银行"}


def test_checks_that_were_made_before_consents_were_registered_are_still_shown(
    store: Store, regulator: Client
) -> None:
    details = {"lender": "甲银行", "consent": "SQ-1", "outcome": "answered", "tier": "D"}
    AuditLog(store).write([Event("k", "lender", "lender.check", LISTED, details=details)])
    for path in (CHECKS, f"/v1/subjects/{LISTED}/lender-checks"):
        (note,) = regulator.get(path).json["items"]
        assert (note["lender"], note["consent"], note["outcome"]) == ("甲银行", "SQ-1", "answered")
