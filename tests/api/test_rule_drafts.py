"""A draft of rules becomes law by two persons over the API, as on the pages and in the shell."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from client import Client
from rule_texts import short_pack
from small_district import FINED, LISTED, PACK

from api.resources import rule_drafts
from api.resources.simulations import NO_TIME, one_at_a_time
from rules.calendar import add_days
from scoring.access.audit import entries
from scoring.runs.batch import run
from scoring.store import Store
from scoring.store.rulebook import known_pack

NOW, BEGINS = dt.date(2026, 8, 10), dt.date(2026, 10, 1)
TEXT = short_pack(BEGINS)
WANTED = {"text": TEXT, "begins": str(BEGINS), "reason": "第3次专题会议通过"}
ZH = {"Accept-Language": "zh"}


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_drafts, "today", lambda: NOW)


def proposed(client: Client, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/rule-drafts", json=WANTED | more)
    assert answer.status_code == 201, answer.json
    made: dict[str, Any] = answer.json
    assert answer.headers["Location"] == f"/v1/rule-drafts/{made['pack_hash']}"
    return made


def refused(client: Client, path: str, body: dict[str, Any], status: int = 409) -> tuple[str, str]:
    """The detail of a refusal in English and in Chinese."""
    answers = [client.post(path, json=body, headers=headers) for headers in (None, ZH)]
    assert [answer.status_code for answer in answers] == [status] * 2, answers[0].json
    en, zh = (answer.json["detail"] for answer in answers)
    return en, zh


def path_of(draft: dict[str, Any], step: str = "") -> str:
    return f"/v1/rule-drafts/{draft['pack_hash']}{step}"


def test_what_one_proposes_and_another_approves_rules_from_its_day_on(
    regulator: Client, store: Store
) -> None:
    seen = regulator.post("/v1/rule-drafts/examinations", json={"text": TEXT, "begins": str(BEGINS)}).json
    assert (seen["before"]["version"], seen["reasons"], seen["failed"]) == ("2026.1", [], [])
    assert {("pack", "version", "2026.1", "2099.9")} <= {
        (one["part"], one["field"], one["before"], one["after"]) for one in seen["changes"]
    }
    movers = {one["subject_id"]: (one["tier_before"], one["tier"]) for one in seen["simulation"]["movers"]}
    assert movers[LISTED] == ("D", "B")
    assert seen["simulation"]["as_of"] == str(BEGINS)
    assert regulator.get("/v1/rule-drafts").json["items"] == [], "nothing is kept"

    made = proposed(regulator, known=seen["known"])
    assert (made["state"], made["persons"]) == ("proposed", {regulator.prefix: "tests"})
    found = regulator.colleague.get(path_of(made)).json
    assert found["examination"] == seen | {"known": made["id"]}
    approval = {"reason": "已核对差异与变动名单", "shown": seen["shown"]}
    told = regulator.colleague.post(path_of(made, "/approval"), json=approval).json
    assert (told["state"], told["decided_by"]) == ("approved", regulator.colleague.prefix)
    assert told["persons"][told["decided_by"]] == "a colleague"
    assert regulator.get(path_of(made)).json["examination"]["simulation"] is None, "it is decided"

    announced = {one["version"]: one["in_force_from"] for one in regulator.get("/v1/packs").json}
    assert announced["2099.9"] == str(BEGINS)
    terms = f"/v1/packs/{PACK}/terms"
    assert [one["version"] for one in regulator.get(terms).json] == ["2026.1", "2026.2"], "no run has told it"
    run(store, known_pack(store, PACK, add_days(BEGINS, 1)), add_days(BEGINS, 1))
    ruling = [(one["begins"], one["ends"], one["version"]) for one in regulator.get(terms).json]
    assert (str(BEGINS), "2026-12-01", "2099.9") in ruling
    grade = regulator.get(f"/v1/subjects/{FINED}/grade", query_string={"as_of": "2026-10-02"}).json
    assert (grade["tier"], grade["score"]) == ("C", 70)


def test_each_step_is_in_the_audit_log_with_who_took_it_and_why(regulator: Client, store: Store) -> None:
    made = proposed(regulator)
    regulator.colleague.post(
        path_of(made, "/approval"), json={"reason": "同意", "shown": _shown(regulator, made)}
    )
    told = regulator.post(path_of(made, "/withdrawal"), json={"reason": "上级文件推迟施行"}).json
    assert (told["state"], told["withdrawal"]) == ("withdrawn", "上级文件推迟施行")
    steps = [entry for entry in reversed(entries(store)) if entry.action.startswith("rules.")]
    assert [(one.action, one.actor, one.role, one.details["reason"]) for one in steps] == [
        ("rules.propose", regulator.prefix, "regulator", "第3次专题会议通过"),
        ("rules.approve", regulator.colleague.prefix, "regulator", "同意"),
        ("rules.withdraw", regulator.prefix, "regulator", "上级文件推迟施行"),
    ]
    assert {one.details["hash"] for one in steps} == {made["pack_hash"]}
    assert regulator.get("/v1/rule-drafts").json["items"] == [told]


def _shown(client: Client, draft: dict[str, Any]) -> str:
    shown: str = client.get(path_of(draft)).json["examination"]["shown"]
    return shown


def test_whoever_proposed_it_does_not_decide_on_it(regulator: Client) -> None:
    made = proposed(regulator)
    approval = {"reason": "同意", "shown": _shown(regulator, made)}
    for step, body in (("/approval", approval), ("/refusal", {"reason": "不同意"})):
        en, zh = refused(regulator, path_of(made, step), body)
        assert ("somebody else has to" in en, "须由他人批准" in zh) == (True, True)
    told = regulator.colleague.post(path_of(made, "/refusal"), json={"reason": "变动面过大"}).json
    assert (told["state"], told["decision"]) == ("refused", "变动面过大")


@pytest.mark.parametrize(
    ("body", "en", "zh"),
    [
        ({"text": short_pack(NOW), "begins": str(NOW)}, "tomorrow (2026-08-11) is the first", "不早于明日"),
        ({"begins": "2026-10-02"}, "text:6: the draft says it is in force from 2026-10-01", "不一致"),
        (
            {"text": TEXT.replace(f"pack: {PACK}", "pack: nobody")},
            "the first version of a new one is put into the program's folder",
            "首个版本放入程序的目录rules/library/packs",
        ),
        ({"text": short_pack(BEGINS, "2026.2")}, "give it another name", "请改用其他版本号"),
        (
            {"text": TEXT.replace("points: 12}", "points: 13}")},
            "expects hit, points 13",
            "示例应为适用,分值 13",
        ),
    ],
    ids=["today", "another day", "no such pack", "a name taken", "an example"],
)
def test_what_can_not_be_law_is_refused_with_the_reason(
    regulator: Client, body: dict[str, str], en: str, zh: str
) -> None:
    told = refused(regulator, "/v1/rule-drafts", WANTED | body)
    assert (en in told[0], zh in told[1]) == (True, True), told
    seen = regulator.post("/v1/rule-drafts/examinations", json={**WANTED, **body, "reason": "x"})
    assert seen.status_code == 422, "a reason is none of its fields"
    asked = {name: value for name, value in (WANTED | body).items() if name != "reason"}
    reasons = regulator.post("/v1/rule-drafts/examinations", json=asked).json["reasons"]
    assert any(en in one["en"] and zh in one["zh"] for one in reasons)
    assert regulator.get("/v1/rule-drafts").json["items"] == []


@pytest.mark.parametrize(
    ("text", "en", "zh", "field"),
    [
        (
            "pack: [1",
            "the pack has a fault: text:2:1: (file): not YAML",
            "规则有1处错误,首处:text",
            "text:2:1",
        ),
        (
            TEXT.replace("points: -10\n", "points: x\n").replace("points: 12\n", "points: x\n"),
            "the pack has 2 faults, the first: text:15:13",
            "规则有2处错误,首处:text第15行",
            "text:25:13",
        ),
    ],
    ids=["no YAML", "two faults"],
)
@pytest.mark.parametrize("path", ["", "/examinations"])
def test_a_text_that_is_no_pack_is_refused_with_every_fault_and_its_place(
    regulator: Client, path: str, text: str, en: str, zh: str, field: str
) -> None:
    body = {"text": text, "begins": str(BEGINS)} | ({} if path else {"reason": "x"})
    told = refused(regulator, f"/v1/rule-drafts{path}", body, 422)
    assert (en in told[0], zh in told[1]) == (True, True), told
    errors = regulator.post(f"/v1/rule-drafts{path}", json=body).json["errors"]
    assert errors[-1]["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"begins": "1.10.2026"}, "begins"),
        ({"begins": None}, "begins"),
        ({"reason": " "}, "reason"),
        ({"text": ""}, "text"),
        ({"known": -1}, "known"),
        ({"known": 1.5}, "known"),
        ({"known": 2**63}, "known"),
        ({"from": "2026-10-01"}, "from"),
    ],
)
def test_a_field_that_is_wrong_is_named(regulator: Client, body: dict[str, Any], field: str) -> None:
    answer = regulator.post("/v1/rule-drafts", json=WANTED | body, headers=ZH)
    assert (answer.status_code, {one["field"] for one in answer.json["errors"]}) == (422, {field})
    assert "填写有误" not in answer.json["errors"][0]["message"]


def test_of_two_at_once_the_second_is_told(regulator: Client) -> None:
    known = regulator.post("/v1/rule-drafts/examinations", json={"text": TEXT}).json["known"]
    made = proposed(regulator, known=known)
    for same in (WANTED, WANTED | {"known": known}):
        assert "is proposed already" in refused(regulator.colleague, "/v1/rule-drafts", same)[0]
    other = WANTED | {"text": short_pack(BEGINS, "2099.10", 70), "known": known}
    en, zh = refused(regulator.colleague, "/v1/rule-drafts", other)
    assert ("was proposed while this was written" in en, "起草期间已有" in zh) == (True, True)
    approval = {"reason": "同意", "shown": "-"}
    en, zh = refused(regulator.colleague, path_of(made, "/approval"), approval)
    assert ("has changed since this was shown" in en, "请重新查看" in zh) == (True, True)
    approval["shown"] = _shown(regulator, made)
    assert regulator.colleague.post(path_of(made, "/approval"), json=approval).status_code == 200
    for step in ("/approval", "/refusal"):
        body = approval if step == "/approval" else {"reason": "不同意"}
        assert "is approved already" in refused(regulator.colleague, path_of(made, step), body)[0]
    assert regulator.post(path_of(made, "/withdrawal"), json={"reason": "推迟"}).status_code == 200
    assert "已撤回" in refused(regulator, path_of(made, "/withdrawal"), {"reason": "推迟"})[1]


def test_from_its_day_on_it_is_not_withdrawn(regulator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = proposed(regulator)
    approval = {"reason": "同意", "shown": _shown(regulator, made)}
    regulator.colleague.post(path_of(made, "/approval"), json=approval)
    monkeypatch.setattr(rule_drafts, "today", lambda: BEGINS)
    assert (
        "is in force since 2026-10-01" in refused(regulator, path_of(made, "/withdrawal"), {"reason": "x"})[0]
    )


def test_sent_again_under_its_key_a_proposal_is_made_once(regulator: Client, store: Store) -> None:
    answers = [
        regulator.post("/v1/rule-drafts", json=WANTED, headers={"Idempotency-Key": "d-1"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert [entry.action for entry in entries(store)].count("rules.propose") == 1


@pytest.mark.parametrize("name", ["0" * 64, "0123", "é"])
def test_of_what_nobody_proposed_there_is_nothing(regulator: Client, name: str) -> None:
    answer = regulator.get(f"/v1/rule-drafts/{name}", headers=ZH)
    assert (answer.status_code, "没有校验码为" in answer.json["detail"]) == (404, True)
    for step, body in (("approval", {"reason": "x", "shown": "-"}), ("refusal", {"reason": "x"})):
        assert regulator.post(f"/v1/rule-drafts/{name}/{step}", json=body).status_code == 404


def test_a_draft_that_a_window_wrote_is_the_same_as_any(regulator: Client) -> None:
    """Notepad begins a file with a mark, and ends its lines with two signs."""
    written = "\ufeff" + TEXT.replace("\n", "\r\n")
    hashes = [
        regulator.post("/v1/rule-drafts/examinations", json={"text": text}).json["draft"]["hash"]
        for text in (TEXT, written)
    ]
    assert hashes[0] == hashes[1]


def test_while_another_batch_is_under_way_it_is_told(
    regulator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_drafts, "PATIENCE", NO_TIME)
    with one_at_a_time(NO_TIME):
        en, zh = refused(regulator, "/v1/rule-drafts/examinations", {"text": short_pack(BEGINS, start=61)})
    assert ("is under way" in en, "正在进行" in zh) == (True, True)
