"""The feed of changes: in the order of the commits, exact, each role seeing what concerns it; and proof."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from client import Client, Sign, repaired
from flask import Flask
from lending_desk import Clock, consented
from small_district import AUTHORITY, FINED, LISTED, MIXED, OTHER_AUTHORITY, PACK, SUBJECTS, take

from rules.calendar import add_days, today
from rules.library.loader import find_pack
from scoring.access.keys import Role
from scoring.changes.feed import BEGINNING, KINDS, Audience, Place, read
from scoring.runs.batch import run
from scoring.store import Store
from scoring.store.changes import ChangeRow, note_change

SUMMER = dt.date(2026, 7, 31)
"""Of the second run."""

EVIDENCE = [{"title": "缴款凭证", "reference": "JK-2026-1"}]
ALL = Audience(Role.REGULATOR, None, tuple(KINDS))


def mark(client: Client, number: str, what: str, **more: object) -> dict[str, Any]:
    body = {"reason": "x", "evidence": EVIDENCE, "effective_on": today().isoformat()} | more
    if what == "repairs":
        answer = repaired(client, number, client.colleague, **body)
    else:
        answer = client.post(f"/v1/records/{number}/{what}", json=body)
    assert answer.status_code == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def feed(client: Client, after: str = "0", limit: int = 100) -> list[dict[str, Any]]:
    """All items after a place, page by page."""
    items: list[dict[str, Any]] = []
    while True:
        found = client.get(f"/v1/changes?after={after}&limit={limit}").json
        items += found["items"]
        if found["next"] == after:
            return items
        after = found["next"]


def kinds(items: list[dict[str, Any]]) -> list[str]:
    return [item["kind"] for item in items]


def tiers(client: Client, number: int) -> dict[str, str]:
    found = client.get(f"/v1/subjects?run={number}").json["items"]
    return {grade["subject_id"]: grade["tier"] for grade in found}


def record(number: str, **more: object) -> dict[str, object]:
    fixed = {"record_id": number, "subject_id": FINED, "kind": "penalty", "severity": "minor"}
    fixed |= {"status": "effective", "occurred_on": "2026-03-02", "level": "fine", "field": "general"}
    return fixed | {"authority": AUTHORITY} | more


# What is in it


def test_a_run_tells_of_each_tier_that_it_changed_and_of_no_other(regulator: Client) -> None:
    before, after = tiers(regulator, 1), tiers(regulator, 2)
    moved = {code: (before[code], after[code]) for code in SUBJECTS if before[code] != after[code]}
    items = feed(regulator)
    assert {item["subject_id"]: (item["tier_before"], item["tier"]) for item in items} == moved
    assert {LISTED, MIXED} <= moved.keys()
    assert {(item["run"], item["day"]) for item in items} == {(2, SUMMER.isoformat())}
    assert {item["pack_hash"] for item in items} == {regulator.get("/v1/runs/2").json["pack_hash"]}


def test_in_a_store_older_than_its_feed_a_run_is_told_beside_the_last_of_the_same_day(
    regulator: Client, store: Store
) -> None:
    with store.writing() as session:
        session.execute(sa.delete(ChangeRow))
    listing = record("L-2", subject_id=SUBJECTS[8], kind="seriously_dishonest_listing")
    take(store, "enterprise", "record", "record_id", [listing])
    run(store, find_pack(PACK, SUMMER), SUMMER)
    before, after = tiers(regulator, 2), tiers(regulator, 3)
    told = {item["subject_id"]: (item["tier_before"], item["tier"]) for item in feed(regulator)}
    assert told == {SUBJECTS[8]: (before[SUBJECTS[8]], after[SUBJECTS[8]])}
    assert len(set(told[SUBJECTS[8]])) == 2


def test_page_by_page_it_is_the_same_and_goes_on_where_it_ended(regulator: Client) -> None:
    whole = feed(regulator)
    assert len(whole) >= 2
    assert feed(regulator, limit=1) == whole
    last = regulator.get("/v1/changes").json["next"]
    assert regulator.get(f"/v1/changes?after={last}").json == {"items": [], "next": last}
    mark(regulator, "P-1", "repairs")
    assert kinds(feed(regulator, last)) == ["record_repaired"]
    assert feed(regulator, whole[0]["id"]) == whole[1:] + feed(regulator, last)


def test_repairs_and_decisions_and_alerts_are_told_once_each(regulator: Client) -> None:
    last = regulator.get("/v1/changes").json["next"]
    mark(regulator, "P-1", "objections")
    mark(regulator, "P-1", "acknowledgements")
    mark(regulator, "P-1", "decisions", outcome="rejected")
    mark(regulator, "P-1", "repairs")
    upheld = [record(f"C-{n}", kind="complaint", level="upheld", severity=None) for n in range(5)]
    assert regulator.post("/v1/records", json={"records": upheld}).json["new"] == 5
    alerts = regulator.get("/v1/alerts").json["items"]
    items = feed(regulator, last)
    assert kinds(items) == ["objection_decided", "record_repaired", *["alert_opened"] * len(alerts)]
    decided, repaired, *opened = items
    assert alerts
    assert (decided["outcome"], decided["record_id"], decided["subject_id"]) == ("rejected", "P-1", FINED)
    assert (repaired["day"], repaired["authority"]) == (today().isoformat(), AUTHORITY)
    assert {item["alert"] for item in opened} == {alert["alert"] for alert in alerts}
    assert all(item["run"] == 2 and item["pack_hash"] for item in items)


def test_a_repair_that_an_offices_file_brings_is_told_too(regulator: Client, store: Store) -> None:
    last = regulator.get("/v1/changes").json["next"]
    for status in ("repaired", "repaired"):
        row = record("P-1", severity="general", status=status, document_no=f"7 {status}")
        take(store, "enterprise", "record", "record_id", [row, record("R-9", status="repaired")])
    assert [item["record_id"] for item in feed(regulator, last)] == ["P-1"]  # R-9 was never shown otherwise


def test_a_run_of_a_day_to_come_is_told_with_the_next_when_its_day_has_come(
    regulator: Client, store: Store
) -> None:
    last = regulator.get("/v1/changes").json["next"]
    listing = record("L-9", kind="seriously_dishonest_listing", severity=None, level=None)
    listing |= {"subject_id": SUBJECTS[5], "occurred_on": "2026-06-20"}
    take(store, "enterprise", "record", "record_id", [listing])
    early = add_days(today(), 3)
    run(store, find_pack(PACK, early), early)
    assert feed(regulator, last) == []
    earlier = add_days(SUMMER, -3)  # says nothing of how things stand now
    run(store, find_pack(PACK, earlier), earlier)
    assert feed(regulator, last) == []
    shown = run(store, find_pack(PACK, today()), today()).run
    before, after = tiers(regulator, 2), tiers(regulator, shown.id)
    moved = {code: (before[code], after[code]) for code in SUBJECTS if before[code] != after[code]}
    items = feed(regulator, last)
    assert {item["subject_id"]: (item["tier_before"], item["tier"]) for item in items} == moved
    assert SUBJECTS[5] in moved


def test_nothing_is_written_for_the_tiers_of_a_run(store: Store) -> None:
    with store.reading() as session:
        assert session.connection().exec_driver_sql("select count(*) from changes").scalar() == 2


# Concurrent writers


def test_who_reads_while_two_write_gets_everything_once(store: Store) -> None:
    at, started, seen = dt.datetime.now(dt.UTC), threading.Event(), list[str]()

    def other() -> None:
        started.set()
        with store.writing() as session:
            note_change(session, "record_repaired", at, record_id="second")

    def look(place: Place) -> Place:
        with store.reading() as session:
            found = read(session, ALL, place, 100, today())
        seen.extend(str(item.record_id) for item in found.items)
        return found.until

    with store.reading() as session:
        place = read(session, ALL, BEGINNING, 1000, today()).until
    thread = threading.Thread(target=other)
    with store.writing() as session:
        note_change(session, "record_repaired", at, record_id="first")
        thread.start()
        started.wait()
        thread.join(0.5)  # were it not to wait for its turn, it would be done by now, with the later number
        place = look(place)
    thread.join()
    look(place)
    assert seen == ["first", "second"]


def test_what_is_rolled_back_is_not_told(store: Store, regulator: Client) -> None:
    last = regulator.get("/v1/changes").json["next"]
    with store.writing() as session:
        note_change(session, "record_repaired", dt.datetime.now(dt.UTC), record_id="P-1")
        session.rollback()
    assert regulator.get(f"/v1/changes?after={last}").json == {"items": [], "next": last}


# Whom it is for


def test_a_department_is_told_of_its_own_records_alone(regulator: Client, sign_in: Sign) -> None:
    other = record("S-1", authority=OTHER_AUTHORITY)
    assert regulator.post("/v1/records", json={"records": [other]}).json["new"] == 1
    mark(regulator, "P-1", "repairs")
    mark(regulator, "S-1", "repairs")
    told = {
        name: [item["record_id"] for item in feed(sign_in(Role.DEPARTMENT, name))]
        for name in (AUTHORITY, OTHER_AUTHORITY)
    }
    assert told == {AUTHORITY: ["P-1"], OTHER_AUTHORITY: ["S-1"]}


def test_an_enterprise_is_told_of_itself_alone(regulator: Client, sign_in: Sign) -> None:
    mark(regulator, "P-1", "repairs")
    assert kinds(feed(sign_in(Role.SUBJECT, FINED)))[-1] == "record_repaired"
    own = feed(sign_in(Role.SUBJECT, LISTED))
    assert [(item["kind"], item["subject_id"]) for item in own] == [("tier_changed", LISTED)]


def test_a_lender_is_told_the_tiers_of_those_whose_consent_to_watch_holds(
    app: Flask, regulator: Client, sign_in: Sign
) -> None:
    app.extensions["clock"] = Clock()
    lender = sign_in(Role.LENDER)
    mark(regulator, "L-1", "repairs")
    assert feed(lender) == []
    consented(lender, LISTED)  # for a loan, not to watch over one
    assert feed(lender) == []
    consent = consented(lender, LISTED, purposes=["loan", "monitoring"])
    consented(lender, MIXED, purposes=["monitoring"], valid_from="2026-09-01", valid_until="2027-01-01")
    [item] = feed(lender)
    assert item.keys() == {
        *("id", "kind", "at", "run", "pack", "pack_hash"),
        *("subject_id", "tier_before", "tier", "day"),
    }
    assert item["subject_id"] == LISTED
    note = regulator.get(f"/v1/subjects/{LISTED}/lender-checks").json["items"][0]
    assert (note["outcome"], note["consent"], note["key"]) == ("told", consent["reference"], lender.prefix)
    lender.post(f"/v1/consents/{consent['id']}/withdrawal", json={"reason": "x"})
    assert feed(lender) == []


def test_a_lender_is_told_the_tiers_of_the_pack_that_it_checks_by_alone(
    app: Flask, regulator: Client, lender: Client, store: Store
) -> None:
    app.extensions["clock"] = Clock()
    consented(lender, LISTED, purposes=["monitoring"])
    everything = feed(regulator)
    assert len(feed(lender)) == 1
    with store.writing() as session:
        session.execute(sa.update(ChangeRow).values(pack_id="another-pack"))
    assert feed(lender) == []
    assert len(feed(regulator)) == len(everything)


def test_a_stopped_lender_is_told_nothing(app: Flask, regulator: Client, lender: Client) -> None:
    app.extensions["clock"] = Clock()
    consented(lender, LISTED, purposes=["monitoring"])
    assert len(feed(lender)) == 1
    stop = {"lender": AUTHORITY, "reason": "x"}
    assert regulator.post("/v1/lenders/stop", json=stop).status_code < 300
    assert lender.get("/v1/changes").status_code == 403


def test_a_place_that_is_none_is_refused(regulator: Client) -> None:
    assert regulator.get("/v1/changes?after=99999").status_code == 400
    assert regulator.get("/v1/changes?after=x").status_code == 422
    assert regulator.get("/v1/changes?limit=0").status_code == 422


# Acknowledged by who reads


def subscribe(client: Client, status: int = 201, **more: object) -> dict[str, Any]:
    answer = client.post("/v1/subscriptions", json={"receiver": "政务平台", "role": "regulator"} | more)
    assert answer.status_code == status, answer.json
    made: dict[str, Any] = answer.json
    return made


def test_who_reads_the_feed_acknowledges_up_to_a_place_and_never_back(regulator: Client) -> None:
    number = subscribe(regulator)["subscription"]["id"]
    path = f"/v1/subscriptions/{number}/acknowledgements"
    mark(regulator, "P-1", "repairs")
    last = regulator.get("/v1/changes").json["next"]
    for _ in range(2):  # to say it again changes nothing
        assert regulator.post(path, json={"until": last}).json["place"] == last
    for place in ("0", "1", "99999"):
        assert regulator.post(path, json={"until": place}).status_code == 409
    deliveries = regulator.get(f"/v1/subscriptions/{number}/deliveries").json["items"]
    assert [(found["after"], found["until"]) for found in deliveries] == [("2", last)]


def test_within_a_run_nobody_acknowledges_back_either(regulator: Client) -> None:
    number = subscribe(regulator, after="0")["subscription"]["id"]
    for place, status in (
        *(("1:B", 200), ("1:A", 409), ("1:B", 200), ("1:C", 200)),
        *(("1", 200), ("1:D", 409), ("2", 200), ("1", 409)),
    ):
        answer = regulator.post(f"/v1/subscriptions/{number}/acknowledgements", json={"until": place})
        assert answer.status_code == status, place


def test_a_department_acknowledges_for_itself_alone(regulator: Client, sign_in: Sign, store: Store) -> None:
    take(store, "department", "subject", "subject_id", [{"subject_id": "BM1", "name": AUTHORITY}])
    body = {"role": "department", "organisation": AUTHORITY}
    number = subscribe(regulator, **body)["subscription"]["id"]
    last = regulator.get("/v1/changes").json["next"]
    path = f"/v1/subscriptions/{number}/acknowledgements"
    assert sign_in(Role.DEPARTMENT, OTHER_AUTHORITY).post(path, json={"until": last}).status_code == 404
    assert sign_in(Role.LENDER).post(path, json={"until": last}).status_code == 404
    assert regulator.post(path, json={"until": last}).status_code == 404
    assert sign_in(Role.DEPARTMENT).post(path, json={"until": last}).status_code == 200


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("address", {"address": "http://example.com/hook"}),
        ("address", {"address": "https://user:secret@example.com/"}),
        ("address", {"address": "https:///path"}),
        ("address", {"address": "https://[::1/"}),
        ("organisation", {"role": "department"}),
        ("organisation", {"role": "department", "organisation": "无此局"}),
        ("organisation", {"role": "lender", "organisation": "无此行"}),
        ("organisation", {"organisation": AUTHORITY}),
        ("kinds", {"role": "lender", "organisation": "x", "kinds": ["record_repaired"]}),
        ("kinds", {"role": "lender", "organisation": "x", "kinds": ["tier_changed", "record_repaired"]}),
        ("after", {"after": "999"}),
    ],
)
def test_a_subscription_that_cannot_be_is_refused_with_the_field(
    regulator: Client, field: str, body: dict[str, Any]
) -> None:
    answer = subscribe(regulator, 422, **body)
    assert [fault["field"] for fault in answer["errors"]] == [field]


# Proof


def test_an_enterprise_proves_who_was_told_of_its_repair_and_who_has_not_acknowledged(
    regulator: Client, sign_in: Sign, department: Client
) -> None:
    readers = [subscribe(regulator, receiver=name)["subscription"]["id"] for name in ("平台", "银行间系统")]
    subscribe(regulator, receiver="只收预警", kinds=["alert_opened"])
    mark(regulator, "P-1", "repairs")
    last = regulator.get("/v1/changes").json["next"]
    regulator.post(f"/v1/subscriptions/{readers[0]}/acknowledgements", json={"until": last})
    subscribe(regulator, receiver="后来的系统")
    for client in (sign_in(Role.SUBJECT, FINED), department, regulator):
        [proof] = client.get("/v1/records/P-1/receivers").json["proofs"]
        assert (proof["kind"], proof["change"]) == ("record_repaired", last)
        first, second = proof["receivers"]
        assert (first["receiver"], second["receiver"]) == ("平台", "银行间系统")
        assert first["told_at"] == first["acknowledged_at"] is not None
        assert second["told_at"] is second["acknowledged_at"] is None
    for other in (sign_in(Role.SUBJECT, LISTED), sign_in(Role.DEPARTMENT, OTHER_AUTHORITY)):
        assert other.get("/v1/records/P-1/receivers").status_code == 404


def test_an_objection_that_was_upheld_has_its_proof_and_one_that_was_rejected_has_none(
    regulator: Client,
) -> None:
    mark(regulator, "P-1", "objections")
    mark(regulator, "P-1", "decisions", outcome="rejected")
    assert regulator.get("/v1/records/P-1/receivers").json["proofs"] == []
    mark(regulator, "P-1", "appeals")
    mark(regulator.colleague, "P-1", "decisions", outcome="upheld")
    [proof] = regulator.get("/v1/records/P-1/receivers").json["proofs"]
    assert (proof["kind"], proof["outcome"], proof["receivers"]) == ("objection_decided", "upheld", [])
