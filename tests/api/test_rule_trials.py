"""A candidate is tried beside the rules in force over the API, as on the pages and in the shell."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from client import Client
from rule_texts import short_pack
from small_district import FINED, LISTED, MIXED, PACK

from api.resources import rule_trials
from rules.calendar import add_days
from rules.library.loader import find_pack
from scoring.access.audit import entries
from scoring.rulemaking.trials import grade_trials
from scoring.runs.batch import run
from scoring.store import Store

NOW, SUMMER = dt.date(2026, 8, 10), dt.date(2026, 7, 31)
TEXT = short_pack("2026-01-01")
WANTED = {"text": TEXT, "reason": "第3次专题会议"}
ZH = {"Accept-Language": "zh"}


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_trials, "today", lambda: NOW)


def started(client: Client, **more: Any) -> str:
    answer = client.post("/v1/rule-trials", json=WANTED | more)
    assert answer.status_code == 201, answer.json
    place: str = answer.headers["Location"]
    return place


def test_a_candidate_is_started_graded_night_by_night_read_and_ended(regulator: Client, store: Store) -> None:
    path = started(regulator)
    report = regulator.get(path).json
    beside = {"run_id": 2, "against": "2026.1", "as_of": str(SUMMER)}
    assert report["last"] == {**beside, "subjects": 12, "differ": 12, "moved": 3}
    assert (report["moved"], report["persons"]) == (3, {regulator.prefix: "tests"})
    assert {one["rule"]: one["subjects"] for one in report["rules"]}["penalty.effective"] == 2

    night = add_days(SUMMER, 2)
    run(store, find_pack(PACK, night), night)
    assert [one.as_of for one in grade_trials(store, NOW)] == [night]
    nights = regulator.get(f"{path}/nights").json["items"]
    assert [(one["as_of"], one["moved"]) for one in nights] == [(str(night), 3), (str(SUMMER), 3)]
    moves = regulator.get(f"{path}/moves").json["items"]
    assert [
        (one["subject_id"], one["tier_before"], one["tier"], one["since"], one["until"]) for one in moves
    ] == [
        (FINED, "B", "C", str(SUMMER), None),
        (LISTED, "D", "B", str(SUMMER), None),
        (MIXED, "C", "D", str(SUMMER), None),
    ]
    assert (moves[0]["name"], "penalty.effective" in moves[0]["rules"]) == ("样例企业0有限公司", True)
    assert regulator.get("/v1/runs").json["items"][0]["pack_hash"] != report["pack_hash"]

    told = regulator.colleague.post(f"{path}/end", json={"reason": "已提交施行"}).json
    assert (told["ending"], told["ended_by"]) == ("已提交施行", regulator.colleague.prefix)
    assert regulator.get("/v1/rule-trials").json["items"] == [told]
    again = regulator.post(f"{path}/end", json={"reason": "x"}, headers=ZH)
    assert (again.status_code, again.json["detail"]) == (409, "试运行1已结束")
    assert regulator.get(f"{path}/moves").json["items"] == moves, "what it has found stays"
    steps = [entry for entry in reversed(entries(store)) if entry.action.startswith("rules.")]
    assert [(one.action, one.actor, one.details["reason"]) for one in steps] == [
        ("rules.try", regulator.prefix, "第3次专题会议"),
        ("rules.try-no-more", regulator.colleague.prefix, "已提交施行"),
    ]


def test_who_differs_no_more_is_shown_where_it_is_asked_for(regulator: Client, store: Store) -> None:
    path = started(regulator)
    listing = {"record_id": "L-1", "subject_id": LISTED, "kind": "seriously_dishonest_listing"}
    listing |= {"occurred_on": "2026-05-20", "status": "revoked", "authority": "样例区市场监督管理局"}
    assert regulator.post("/v1/records", json={"records": [listing]}).status_code == 200
    night = add_days(SUMMER, 2)
    run(store, find_pack(PACK, night), night)
    list(grade_trials(store, NOW))
    now = {one["subject_id"] for one in regulator.get(f"{path}/moves").json["items"]}
    ever = {
        one["subject_id"]: one["until"] for one in regulator.get(f"{path}/moves?ended=true").json["items"]
    }
    assert (LISTED in now, ever[LISTED]) == (False, str(night))


@pytest.mark.parametrize(
    ("body", "status", "en", "zh"),
    [
        ({"text": "pack: [1"}, 422, "not YAML", "规则有1处错误"),
        (
            {"text": TEXT.replace(f"pack: {PACK}", "pack: nobody")},
            409,
            "no pack is called nobody",
            "没有名为nobody",
        ),
        (
            {"text": TEXT.replace("from: 2026-01-01}", "from: 2026-01-01, until: 2026-08-10}")},
            409,
            "the candidate's time ended on 2026-08-10",
            "候选版本的施行期已于2026-08-10届满",
        ),
        (
            {"text": TEXT.replace("subject: enterprise", "subject: tourism")},
            409,
            "is about enterprise, and the draft about tourism",
            "词汇表应为enterprise",
        ),
    ],
    ids=["no YAML", "no such pack", "a time that has ended", "other subjects"],
)
def test_what_can_not_be_tried_is_refused_with_the_reason(
    regulator: Client, body: dict[str, str], status: int, en: str, zh: str
) -> None:
    for headers, words in ((None, en), (ZH, zh)):
        answer = regulator.post("/v1/rule-trials", json=WANTED | body, headers=headers)
        assert (answer.status_code, words in answer.json["detail"]) == (status, True), answer.json
    assert regulator.get("/v1/rule-trials").json["items"] == []


def test_it_is_on_trial_once(regulator: Client) -> None:
    started(regulator)
    answer = regulator.colleague.post("/v1/rule-trials", json=WANTED)
    assert (answer.status_code, "is tried already" in answer.json["detail"]) == (409, True)


@pytest.mark.parametrize(("back", "status"), [(0, 201), (2, 201), (13, 422), (-1, 422), (1.5, 422)])
def test_it_is_tried_beside_the_last_runs_at_once(regulator: Client, back: float, status: int) -> None:
    answer = regulator.post("/v1/rule-trials", json=WANTED | {"back": back})
    assert answer.status_code == status
    if status == 201:
        assert len(regulator.get("/v1/rule-trials/1/nights").json["items"]) == back


def test_sent_again_under_its_key_a_trial_is_started_once(regulator: Client) -> None:
    answers = [
        regulator.post("/v1/rule-trials", json=WANTED, headers={"Idempotency-Key": "t-1"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(regulator.get("/v1/rule-trials").json["items"]) == 1


@pytest.mark.parametrize("part", ["", "/nights", "/moves"])
def test_of_a_number_of_none_there_is_nothing(regulator: Client, part: str) -> None:
    answer = regulator.get(f"/v1/rule-trials/7{part}", headers=ZH)
    assert (answer.status_code, answer.json["detail"]) == (404, "没有编号为7的试运行")
    assert regulator.post("/v1/rule-trials/7/end", json={"reason": "x"}).status_code == 404


@pytest.mark.parametrize("cursor", ["x", "OTE1", "OTE1IDIwMjYtMTMtMDE"])
def test_a_cursor_that_is_none_is_refused(regulator: Client, cursor: str) -> None:
    path = started(regulator)
    assert regulator.get(f"{path}/moves?cursor={cursor}").status_code == 422
