"""Alerts on the pages: found from the overview, read, and acknowledged."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from test_sign_in import signed_in
from town import FINED, NAMES
from visitor import Visitor

from scoring.access.audit import entries
from scoring.access.keys import Role
from scoring.live.alerts import list_alerts
from scoring.store import Store


def test_the_overview_leads_to_an_alert_with_its_rule_source_subject_and_records(regulator: Visitor) -> None:
    regulator.open("/overview")
    regulator.press("section[aria-labelledby=alerts] a[href='/alerts']")
    first = regulator.all("article")[-1]
    shown = " ".join(first.text.split())
    assert "屡禁不止" in shown
    assert "依据" in shown
    assert NAMES[FINED] in shown
    assert "P-1 → P-2 → P-3" in shown
    first.find_element("css selector", "dd a").click()
    regulator.wait_until(lambda: regulator.path == f"/subjects/enterprise-credit/{FINED}")


def test_a_regulator_acknowledges_an_alert_with_a_note(regulator: Visitor, town_store: Store) -> None:
    regulator.open("/alerts")
    alert = list_alerts(town_store, state="open")[0]
    regulator.one(f"#note-{alert.id}").send_keys("已约谈企业")
    regulator.press(f"[aria-labelledby=alert-{alert.id}] button")
    assert str(alert.id) in regulator.one("[role=status]").text
    assert regulator.all(f"#alert-{alert.id}") == []
    regulator.press(".tabs li:nth-child(2) a")
    assert "已约谈企业" in regulator.text(f"[aria-labelledby=alert-{alert.id}]")
    assert entries(town_store, subject_id=FINED, action="pages.acknowledge_alert")
    regulator.press(".tabs li:nth-child(3) a")
    assert "暂无预警" in regulator.text()


def test_who_acknowledged_first_stays_and_the_second_is_told(
    pages: Flask, town_store: Store, token: Callable[[Role], str]
) -> None:
    alert = list_alerts(town_store, state="open")[0]
    first, second = (signed_in(pages, token(Role.REGULATOR)) for _ in range(2))
    assert acknowledge(first, alert.id, "甲") == 303
    assert acknowledge(second, alert.id, "乙") == 409
    kept = next(found for found in list_alerts(town_store, state="acknowledged") if found.id == alert.id)
    assert kept.note == "甲"


def test_nothing_is_acknowledged_without_the_form_or_by_others(
    pages: Flask, town_store: Store, token: Callable[[Role], str]
) -> None:
    alert = list_alerts(town_store)[-1]
    regulator = signed_in(pages, token(Role.REGULATOR))
    assert regulator.post(f"/alerts/{alert.id}/acknowledgements", data={}).status_code == 400
    assert acknowledge(regulator, 999, "") == 404
    assert acknowledge(regulator, alert.id, "长" * 2001) == 422
    for role in (Role.DEPARTMENT, Role.LENDER, Role.OPERATOR):
        assert acknowledge(signed_in(pages, token(role)), alert.id, "") == 403
    assert list_alerts(town_store)[-1].state == "open"
    for query in ("state=lost", "before=x", f"before={10**30}"):
        assert regulator.get(f"/alerts?{query}").status_code == 400


def acknowledge(client: FlaskClient, alert_id: int, note: str) -> int:
    """Send the form; the status of the answer."""
    client.get("/rules")  # any page gives the session its form token
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"], "note": note}
    return client.post(f"/alerts/{alert_id}/acknowledgements", data=form).status_code
