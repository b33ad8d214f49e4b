"""Every listing goes on where its page ended: page by page it gives each thing once, in its order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from client import Client, Sign
from flask import Flask
from lending_desk import Clock, check, consented
from rule_texts import short_pack
from small_district import FINED, PACK, SUBJECTS, stricter, take

from rules.calendar import today
from scoring.access.keys import Role, create_key
from scoring.runs.jobs import take_lease
from scoring.runs.leases import LEASE
from scoring.runs.proposals import propose, withdraw_proposal
from scoring.store import Store

NOON = dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC)
DAY = dt.date(2026, 8, 31)
EVIDENCE = [{"title": "t", "reference": "r"}]
MARK = {"reason": "x", "evidence": EVIDENCE, "effective_on": "2026-08-01"}

LISTINGS = (
    "/v1/subjects",
    f"/v1/subjects/{FINED}/grades",
    f"/v1/subjects/{FINED}/consents",
    f"/v1/subjects/{FINED}/lender-checks",
    "/v1/records",
    f"/v1/records?subject_id={FINED}",
    "/v1/objections",
    "/v1/repairs",
    "/v1/consequences",
    "/v1/feeds",
    "/v1/record-contradictions",
    "/v1/record-twins",
    "/v1/record-proposals",
    "/v1/runs",
    "/v1/runs/2/moves?against=1",
    "/v1/run-jobs",
    "/v1/proposals",
    "/v1/proposals/3/falls",
    "/v1/rule-drafts",
    "/v1/rule-trials",
    "/v1/rule-trials/1/nights",
    "/v1/rule-trials/1/moves",
    "/v1/alerts",
    "/v1/alerts?since=2026-01-01",
    "/v1/tickets",
    "/v1/visits",
    "/v1/lender-checks",
    "/v1/consents",
    "/v1/subscriptions",
    "/v1/subscriptions/1/deliveries",
    "/v1/keys",
    "/v1/audit",
)
NEED_A_PLAN = {"/v1/inspection-plans/{plan_id}/visits", "/v1/inspection-plans/{plan_id}/refusals"}


def _record(number: str, **more: object) -> dict[str, object]:
    fixed = {"record_id": number, "subject_id": FINED, "kind": "penalty", "severity": "minor"}
    fixed |= {"status": "effective", "occurred_on": "2026-07-01", "level": "fine", "field": "general"}
    return fixed | more


def _fill(store: Store, regulator: Client, colleague: Client, lender: Client) -> None:
    """At least two of everything that is listed."""

    def post(path: str, body: dict[str, Any], by: Client = regulator) -> None:
        answer = by.post(path, json=body)
        assert answer.status_code < 300, (path, answer.json)

    numbers = ("N-1", "N-2", "N-3")
    post("/v1/records", {"records": [_record(number) for number in numbers]})
    post("/v1/records", {"records": [_record(f"A-{n}", authority=n) for n in ("甲局", "乙局", "丙局")]})
    for number in numbers:
        post(f"/v1/records/{number}/objections", MARK)
        post(f"/v1/records/{number}/decisions", MARK | {"outcome": "upheld"}, colleague)
    post("/v1/records", {"records": [_record(number) for number in numbers]})
    post("/v1/records", {"records": [_record(f"M-{n}", document_no="7号") for n in range(3)]})
    post("/v1/records", {"records": [_record(f"G-{n}", level="closed", severity="") for n in range(2)]})
    complaint = {"kind": "complaint", "level": "upheld", "severity": None}
    post("/v1/records", {"records": [_record(f"C-{n}", **complaint) for n in range(5)]})
    post(
        "/v1/records", {"records": [_record(f"D-{n}", subject_id=SUBJECTS[5], **complaint) for n in range(3)]}
    )
    measure = {"subject_id": FINED, "clause": "company-office", "reason": "x"}
    for office in ("甲局", "乙局", "丙局"):
        commitment = {"text": "x", "made_on": "2026-08-01"}
        post(f"/v1/records/A-{office}/repair-applications", MARK | {"commitment": commitment})
        post("/v1/consequences", measure | {"office": office, "record_id": "C-0", "begins_on": "2026-08-01"})
    for title in ("甲", "乙", "丙"):
        post("/v1/tickets", {"title": title, "source": "hotline"})
    people = [{"inspector_id": f"I{n}", "authority": "甲局", "monthly_visits": 9} for n in range(2)]
    take(store, "inspector", "subject", "inspector_id", people)
    day = today().isoformat()
    visit = {"ground": "complaint", "why": "x", "authorities": ["甲局"], "inspectors": ["I0", "I1"]}
    for subject in SUBJECTS[:3]:
        post("/v1/visits", visit | {"subject_id": subject, "begins_on": day, "ends_on": day})
    for number in range(3):
        post("/v1/subscriptions", {"receiver": f"系统{number}", "role": "regulator", "after": "0"})
    for place in ("1", "2", "3"):
        post("/v1/subscriptions/1/acknowledgements", {"until": place})
    for _ in range(3):
        assert lender.post("/v1/lender-checks", json=check(consented(lender, FINED))).status_code == 200
    for number in range(3):
        version = f"2099.{number}"
        law = {"text": short_pack("2099-01-01", version), "begins": "2099-01-01", "reason": "x"}
        post("/v1/rule-drafts", law)
        post("/v1/rule-trials", {"text": short_pack("2026-01-01", version), "reason": "x", "back": 2})
    strict = stricter()
    for _ in range(3):
        found = propose(store, strict.load(), DAY, 10, "tests", text=strict)
        if found.id < 3:
            withdraw_proposal(store, found.id, "x", "tests")
    assert found.falls > 1
    for number in range(3):
        at = NOON + number * LEASE
        take_lease(store, PACK, DAY, "tests", lambda session, at=at: at)  # type: ignore[misc]


def _pages(client: Client, address: str) -> list[dict[str, Any]]:
    """The items of all pages, of one item each."""
    joint, items, following = "&" if "?" in address else "?", list[dict[str, Any]](), ""
    while following is not None:
        page = client.get(f"{address}{joint}limit=1{following and f'&cursor={following}'}").json
        assert len(page["items"]) == 1 or not items
        assert page["items"] == [] or page["items"][0] not in items, f"{address} gives an item again"
        items += page["items"]
        following = page["next"]
    return items


def test_every_listing_goes_on_where_its_page_ended(app: Flask, store: Store, sign_in: Sign) -> None:
    app.extensions["clock"] = Clock()
    regulator, lender = sign_in(Role.REGULATOR), sign_in(Role.LENDER)
    _fill(store, regulator, sign_in(Role.REGULATOR, owner="a colleague"), lender)
    for address in LISTINGS:
        whole = regulator.get(address).json["items"]
        seen = _pages(regulator, address)
        assert len(whole) >= 2, address
        if address == "/v1/audit":  # to read it is an entry of it
            seen = [item for item in seen if item in whole]
        assert seen == whole, address


@pytest.mark.parametrize("district_url", ["sqlite"], indirect=True)
def test_a_page_has_a_hundred_items_where_nobody_says_and_up_to_five_hundred(
    store: Store, regulator: Client
) -> None:
    for _ in range(100):
        create_key(store, Role.REGULATOR, "x")
    keys = regulator.get("/v1/keys?limit=500").json["items"]
    assert len(keys) > 100
    assert regulator.get("/v1/keys").json["items"] == keys[:100]
    for address in LISTINGS:
        joint = "&" if "?" in address else "?"
        told = {
            limit: regulator.get(f"{address}{joint}limit={limit}").status_code for limit in (0, 1, 500, 501)
        }
        none = ("/proposals/", "/subscriptions/", "/rule-trials/")
        found = 404 if any(part in address for part in none) else 200
        assert told == {0: 422, 1: found, 500: found, 501: 422}, address


def test_no_listing_is_left_out_here(app: Flask) -> None:
    paths = app.test_client().get("/openapi.json").json["paths"]
    listings = {
        path
        for path, methods in paths.items()
        if any(
            parameter.get("name") == "cursor" for parameter in methods.get("get", {}).get("parameters", ())
        )
    }
    tried = {address.partition("?")[0] for address in LISTINGS}
    named = {path.replace("{subject_id}", FINED).replace("{run_id}", "2") for path in listings}
    named = {path.replace("{trial_id}", "1") for path in named}
    named = {path.replace("{proposal_id}", "3").replace("{subscription_id}", "1") for path in named}
    assert named == tried | NEED_A_PLAN
