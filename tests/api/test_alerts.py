"""Alerts as a regulator meets them: there when the record is, acknowledged once."""

from __future__ import annotations

from typing import Any

import pytest
from client import Client, Sign
from small_district import FINED, PACK, SUBJECTS, take

from rules.calendar import today
from rules.library.loader import find_pack
from scoring.access.keys import Role
from scoring.facts.undo import list_files, undo_file
from scoring.live.scanning import rescan
from scoring.store import Store

CLEAN = SUBJECTS[5]
DATED = {"status": "effective", "occurred_on": "2026-07-20"}


def post(client: Client, *rows: dict[str, Any]) -> None:
    fixed = {"subject_id": CLEAN, "kind": "complaint", "level": "upheld", "status": "effective"}
    assert client.post("/v1/records", json={"records": [fixed | row for row in rows]}).status_code == 200


def three_complaints(client: Client) -> dict[str, Any]:
    """The alert that the third of three complaints gives."""
    for number in (1, 2, 3):
        post(client, {"record_id": f"C-{number}", "occurred_on": f"2026-07-0{number}"})
    (alert,) = client.get(f"/v1/alerts?subject_id={CLEAN}").json["items"]
    return dict(alert)


def test_the_alert_is_there_when_the_record_is(regulator: Client) -> None:
    alert = three_complaints(regulator)
    assert (alert["alert"], alert["records"]) == ("alert.three-complaints", ["C-1", "C-2", "C-3"])
    assert (alert["state"], alert["pack_id"]) == ("open", PACK)


def test_an_alert_is_acknowledged_once(regulator: Client) -> None:
    alert = three_complaints(regulator)
    path = f"/v1/alerts/{alert['id']}/acknowledgements"
    first = regulator.post(path, json={"note": "已约谈"})
    again = regulator.post(path, json={})
    other = regulator.colleague.post(path, json={"note": "again"})
    assert (first.status_code, first.json["state"], first.json["note"]) == (201, "acknowledged", "已约谈")
    assert first.json["acknowledged_by"] == regulator.prefix
    assert (again.status_code, again.json["note"]) == (201, "已约谈")
    assert (other.status_code, "was acknowledged by " in other.json["detail"]) == (409, True)
    assert regulator.get("/v1/alerts?state=open").json["items"] == []
    assert len(regulator.get("/v1/alerts?state=acknowledged").json["items"]) == 1
    assert regulator.post("/v1/alerts/999/acknowledgements", json={}).status_code == 404


def test_an_objection_withdraws_the_alert_until_it_is_rejected(regulator: Client) -> None:
    three_complaints(regulator)
    evidence = {"reason": "x", "evidence": [{"title": "x", "reference": "1"}], "effective_on": "2026-07-05"}
    regulator.post("/v1/records/C-2/objections", json=evidence)
    assert regulator.get("/v1/alerts").json["items"] == []
    assert len(regulator.get("/v1/alerts?state=withdrawn").json["items"]) == 1
    regulator.colleague.post("/v1/records/C-2/decisions", json=evidence | {"outcome": "rejected"})
    assert len(regulator.get("/v1/alerts").json["items"]) == 1


def complaints_of(client: Client, *subjects: str) -> list[dict[str, Any]]:
    """An alert of each of several, the newest first."""
    for place, subject in enumerate(subjects):
        rows = [{"record_id": f"{place}-{n}", "occurred_on": f"2026-07-0{n}"} for n in (1, 2, 3)]
        post(client, *({**row, "subject_id": subject} for row in rows))
    return list(client.get("/v1/alerts").json["items"])


def test_alerts_come_in_pages(regulator: Client) -> None:
    complaints_of(regulator, *SUBJECTS[2:6])
    first = regulator.get("/v1/alerts?limit=3").json
    rest = regulator.get(f"/v1/alerts?limit=3&cursor={first['next']}").json
    assert [a["subject_id"] for a in first["items"] + rest["items"]] == SUBJECTS[5:1:-1]


def test_a_fourth_complaint_is_in_the_alert_of_the_first_three_which_says_when_it_grew(
    regulator: Client,
) -> None:
    before = three_complaints(regulator)
    post(regulator, {"record_id": "C-4", "occurred_on": "2026-07-20"})
    (alert,) = regulator.get(f"/v1/alerts?subject_id={CLEAN}").json["items"]
    assert (alert["id"], alert["records"]) == (before["id"], ["C-1", "C-2", "C-3", "C-4"])
    assert (before["last_on"], alert["last_on"]) == ("2026-07-03", "2026-07-20")
    assert alert["version"] == before["version"] + 1
    assert alert["found_at"]["C-4"] > alert["found_at"]["C-3"] == alert["raised_at"]
    assert regulator.get(f"/v1/alerts/{alert['id']}").json == alert
    assert regulator.get("/v1/alerts/999").status_code == 404


def test_a_file_that_is_taken_back_takes_its_records_out_of_the_alert(
    store: Store, regulator: Client
) -> None:
    before = three_complaints(regulator)
    late = {"record_id": "C-4", "subject_id": CLEAN, "kind": "complaint", "level": "upheld"}
    take(store, "enterprise", "record", "record_id", [late | DATED])
    pack = find_pack(PACK, today())
    assert rescan(store, pack).grown == 1
    undo_file(store, list_files(store)[0].id)
    rescan(store, pack)
    (alert,) = regulator.get(f"/v1/alerts?subject_id={CLEAN}").json["items"]
    assert (alert["id"], alert["records"]) == (before["id"], before["records"])
    assert (alert["last_on"], alert["version"]) == (before["last_on"], before["version"] + 2)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("alert=alert.three-complaints", 2),
        ("alert=alert.repeat-offence", 0),
        ("since=2026-07-03&until=2026-07-03", 2),
        ("since=2026-07-04", 0),
        ("until=2026-07-02", 0),
        ("unassigned=true", 1),
        ("assigned_to=a colleague", 1),
        ("assigned_to=nobody", 0),
        ("town=no town", 0),
        ("state=acknowledged", 0),
    ],
)
def test_alerts_are_narrowed(regulator: Client, sign_in: Sign, query: str, found: int) -> None:
    sign_in(Role.REGULATOR, owner="a colleague")
    newer, _ = complaints_of(regulator, *SUBJECTS[4:6])
    assert assign(regulator, "a colleague", newer).status_code == 201
    assert len(regulator.get(f"/v1/alerts?{query}").json["items"]) == found


def test_who_asks_for_somebodys_and_nobodys_alerts_is_told_that_it_is_one_of_the_two(
    regulator: Client,
) -> None:
    answer = regulator.get("/v1/alerts?unassigned=true&assigned_to=x")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "unassigned")


def seen(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": alert["id"], "version": alert["version"]} for alert in found]


def assign(client: Client, to: str | None, *found: dict[str, Any]) -> Any:
    return client.post("/v1/alerts/assignments", json={"alerts": seen(*found), "to": to})


def test_several_alerts_are_acknowledged_with_one_note_all_of_them_or_none(
    regulator: Client, sign_in: Sign
) -> None:
    """Which has changed meanwhile, and how, is said."""
    one, two, three = complaints_of(regulator, *SUBJECTS[3:6])
    path, said = "/v1/alerts/acknowledgements", {"note": "已约谈"}
    done = regulator.post(path, json=said | {"alerts": seen(one, two)})
    assert (done.status_code, [alert["note"] for alert in done.json["items"]]) == (201, ["已约谈"] * 2)
    late = regulator.post(path, json=said | {"alerts": seen(two, three)})
    assert late.status_code == 409
    assert late.json["detail"].startswith(f"alert {two['id']} was acknowledged by ")
    assert regulator.get(f"/v1/alerts/{three['id']}").json == three
    assert assign(regulator, None, two).status_code == 409
    sign_in(Role.REGULATOR, owner="a colleague")
    (given,) = assign(regulator, "a colleague", three).json["items"]
    assert (given["assigned_to"], given["assigned_by"]) == ("a colleague", regulator.prefix)
    assert assign(regulator, "nobody", given).json["detail"].startswith("no regulator is called nobody")
    one_by_one = f"/v1/alerts/{three['id']}/acknowledgements"
    assert regulator.post(one_by_one, json={"version": three["version"]}).status_code == 409
    assert regulator.post(one_by_one, json={"version": given["version"]}).status_code == 201
    for body in (said, said | {"alerts": []}, {"alerts": seen(one)}, said | {"alerts": [{"id": 1}]}):
        assert regulator.post(path, json=body).status_code == 422, body


def test_the_grade_after_an_event_says_that_it_is_not_published(regulator: Client) -> None:
    before = regulator.get(f"/v1/subjects/{CLEAN}/grade").json
    assert regulator.get(f"/v1/subjects/{CLEAN}/live-grade").status_code == 404
    three_complaints(regulator)
    live = regulator.get(f"/v1/subjects/{CLEAN}/live-grade").json
    assert live["published"] is False
    assert (live["cause"], live["subject_id"]) == ("C-3", CLEAN)
    assert live["score"] < before["score"]
    assert {"C-1", "C-2", "C-3"} <= {hit["record_id"] for hit in live["hits"]}
    assert regulator.get(f"/v1/subjects/{CLEAN}/grade").json == before


def test_a_batch_of_records_for_many_is_answered_before_all_are_judged(regulator: Client) -> None:
    rows = [
        {"record_id": f"B-{n}", "subject_id": s, "occurred_on": "2026-07-01"} for n, s in enumerate(SUBJECTS)
    ]
    post(regulator, *rows)
    assert regulator.get(f"/v1/subjects/{FINED}/live-grade").json["cause"].startswith("B-")
