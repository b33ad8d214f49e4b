"""Alerts as a regulator meets them: there when the record is, acknowledged once."""

from __future__ import annotations

from typing import Any

from client import Client
from small_district import FINED, PACK, SUBJECTS

CLEAN = SUBJECTS[5]


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
    again = regulator.post(path, json={"note": "again"})
    assert (first.status_code, first.json["state"], first.json["note"]) == (201, "acknowledged", "已约谈")
    assert first.json["acknowledged_by"] == regulator.prefix
    assert again.json["note"] == "已约谈"
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


def test_alerts_come_in_pages(regulator: Client) -> None:
    rows = [{"record_id": f"C-{n}", "occurred_on": f"2026-07-0{n}"} for n in range(1, 7)]
    post(regulator, *rows)
    first = regulator.get("/v1/alerts?limit=3").json
    rest = regulator.get(f"/v1/alerts?limit=3&cursor={first['next']}").json
    assert [a["records"][-1] for a in first["items"] + rest["items"]] == ["C-6", "C-5", "C-4", "C-3"]


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
