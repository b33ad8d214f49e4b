"""Subscriptions on the pages: added, signed, paused, tried again, ended; what was told and acknowledged."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from repairing import repair
from test_own_pages import _send
from test_sign_in import signed_in
from test_ticket_pages import send
from town import AUTHORITY, BODIES, CODES
from visitor import DESK, PHONE, Visitor

from rules.calendar import today
from rules.library.loader import load_vocabulary
from scoring.access.keys import Role
from scoring.changes.addresses import Answer
from scoring.changes.sending import send_due
from scoring.changes.subscriptions import get_subscription, list_subscriptions
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.store import Store

MakeToken = Callable[[Role], str]
HUB = {"receiver": "区政务服务平台", "role": "regulator", "address": "https://hub.example/changes"}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


def secrets_in(text: str) -> list[str]:
    return SECRET.findall(text.replace("&#43;", "+"))


def change(store: Store, number: str) -> None:
    """A repair, which receivers are told of."""
    row = {"record_id": number, "subject_id": CODES[50], "kind": "penalty", "severity": "minor"}
    row |= {"level": "fine", "field": "wages", "status": "effective", "occurred_on": "2026-01-05"}
    words = load_vocabulary("enterprise")
    submit_records(store, words, [row | {"authority": AUTHORITY}], FileInfo(number, "list.csv"))
    repair(store, words, number, today(), "已履行")


def test_a_receiver_is_added_and_its_secret_is_shown_once_and_renewed(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    clerk, operator = (signed_in(pages, token(role)) for role in (Role.REGULATOR, Role.OPERATOR))
    for field, wrong in {
        "address": {"address": "http://hub.example/"},
        "organisation": {"organisation": AUTHORITY},
        "kinds": {"role": "department", "organisation": AUTHORITY, "kind-tier_changed": "yes"},
        "after": {"after": "x"},
        "receiver": {"receiver": " "},
    }.items():
        before = len(list_subscriptions(town_store))
        refused = _send(clerk, "/subscriptions", **HUB | wrong)
        assert (refused.status_code, f'id="{field}-fault"' in refused.text) == (422, True), field
        assert len(list_subscriptions(town_store)) == before
    answer = _send(clerk, "/subscriptions", **HUB)
    assert answer.status_code == 201
    (secret,) = secrets_in(answer.text)
    made = list_subscriptions(town_store)[-1]
    page = f"/subscriptions/{made.id}"
    for client in (clerk, operator):
        assert HUB["receiver"] in client.get("/subscriptions").text
        shown = client.get(page).text
        assert HUB["address"] in shown
        assert secrets_in(shown) == []
    renewed = _send(clerk, f"{page}/secrets")
    assert (renewed.status_code, len(secrets_in(renewed.text))) == (201, 1)
    assert secrets_in(renewed.text) != [secret]
    assert send(operator, f"{page}/secrets") == 403
    assert send(operator, "/subscriptions", **HUB) == 403
    assert send(clerk, f"{page}/ends") == 303
    assert send(clerk, f"{page}/secrets") == 409
    assert get_subscription(town_store, made.id).state == "ended"


def test_a_message_that_failed_is_tried_again_at_once_and_a_pause_holds_the_next(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    clerk = signed_in(pages, token(Role.REGULATOR))
    _send(clerk, "/subscriptions", **HUB, **{"kind-record_repaired": "yes"})
    made = list_subscriptions(town_store)[-1]
    page, answers = f"/subscriptions/{made.id}", {"own": Answer(503)}

    def pass_on() -> list[str]:
        sent = send_due(town_store, lambda *_: answers["own"], "样例")
        return [one.subscription.state for one in sent if one.subscription.id == made.id]

    change(town_store, "TS-1")
    assert pass_on() == ["failing"]
    shown = clerk.get(page).text
    assert "HTTP 503" in shown
    assert "立即重试" in shown
    assert pass_on() == [], "not before its time"
    answers["own"] = Answer(204)
    assert send(clerk, f"{page}/resumptions") == 303
    assert pass_on() == ["active"]
    assert send(clerk, f"{page}/resumptions") == 409
    assert send(clerk, f"{page}/pauses") == 303
    assert "已暂停" in clerk.get(page).text
    assert send(clerk, f"{page}/pauses") == 409
    change(town_store, "TS-2")
    assert pass_on() == []
    assert send(clerk, f"{page}/resumptions") == 303
    assert pass_on() == ["active"], "nothing is left out"
    assert send(clerk, f"{page}/ends") == 303


def test_a_lender_manages_its_own_receivers_and_finds_no_others(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    clerk, bank = signed_in(pages, token(Role.REGULATOR)), signed_in(pages, token(Role.LENDER))
    _send(clerk, "/subscriptions", **HUB)
    hub = list_subscriptions(town_store)[-1].id
    own = HUB | {"receiver": "样例核心系统", "role": "lender"}
    answer = _send(bank, "/subscriptions", **own)
    assert (answer.status_code, len(secrets_in(answer.text))) == (201, 1)
    made = list_subscriptions(town_store)[-1]
    assert (made.role, made.organisation) == (Role.LENDER, AUTHORITY)
    shown = bank.get("/subscriptions").text
    assert (own["receiver"] in shown, HUB["receiver"] in shown, 'name="organisation"' in shown) == (
        True,
        False,
        False,
    )
    page = f"/subscriptions/{made.id}"
    assert send(bank, f"{page}/pauses") == 303
    assert "已暂停" in bank.get(page).text
    assert send(bank, f"{page}/resumptions") == 303
    assert _send(bank, f"{page}/secrets").status_code == 201
    assert bank.get(f"/subscriptions/{hub}").status_code == 404
    for step in ("pauses", "resumptions", "secrets", "ends"):
        assert send(bank, f"/subscriptions/{hub}/{step}") == 404
    assert send(bank, f"{page}/ends") == 303
    assert send(clerk, f"/subscriptions/{hub}/ends") == 303


def test_a_department_manages_its_own_receivers_by_whichever_name_and_finds_no_others(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    clerk, office = signed_in(pages, token(Role.REGULATOR)), signed_in(pages, token(Role.DEPARTMENT))
    _send(clerk, "/subscriptions", **HUB)
    others = _send(clerk, "/subscriptions", **HUB | {"role": "department", "organisation": BODIES["BM1"]})
    assert others.status_code == 201
    found = [one.id for one in list_subscriptions(town_store)[-2:]]
    own = {"receiver": "市监业务系统", "role": "department", "organisation": "BM0"}
    answer = _send(office, "/subscriptions", **own)
    assert answer.status_code == 201, "its number in the register is a name of its own"
    made = list_subscriptions(town_store)[-1]
    assert (made.role, made.organisation) == (Role.DEPARTMENT, AUTHORITY)
    shown = office.get("/subscriptions").text
    assert own["receiver"] in shown
    assert HUB["receiver"] not in shown
    for other in found:
        assert office.get(f"/subscriptions/{other}").status_code == 404
        assert [send(office, f"/subscriptions/{other}/{step}") for step in ("pauses", "ends")] == [404] * 2
    for wrong in ({"role": "regulator"}, {"organisation": BODIES["BM1"]}):
        assert _send(office, "/subscriptions", **own | wrong).status_code == 422
    assert send(office, f"/subscriptions/{made.id}/ends") == 303
    assert [send(clerk, f"/subscriptions/{one}/ends") for one in found] == [303] * 2


def test_its_pages_can_be_used_by_eye_by_ear_and_on_a_phone(regulator: Visitor, town_store: Store) -> None:
    regulator.open("/subscriptions")
    for name, text in HUB.items():
        if name != "role":
            regulator.one(f"#{name}").send_keys(text)
    regulator.press("#add ~ form button")
    assert len(secrets_in(regulator.text("[role=status]"))) == 1
    number = list_subscriptions(town_store)[-1].id
    for path in (None, "/subscriptions", f"/subscriptions/{number}"):
        for size, dark in ((DESK, False), (PHONE, True)):
            regulator.look(size, dark)
            if path:
                regulator.open(path)
            assert regulator.faults() == [], (path, size)
            assert regulator.overflow() == 0, (path, size)
