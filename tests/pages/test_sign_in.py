"""Coming in, going out, and what each role finds behind the door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from expected_access import opens
from flask import Flask
from flask.testing import FlaskClient
from town import BODIES, CODES, LISTED, VISIT
from visitor import Visitor

from api.around.access import ACCESS
from scoring.access.keys import Role, revoke_key
from scoring.access.sessions import LASTS
from scoring.store import Store
from scoring.store.access import ApiKey, PageSession

MINUTE = dt.timedelta(minutes=1)
MakeToken = Callable[[Role], str]
PLACES = {
    "pack_id": "enterprise-credit",
    "subject_id": LISTED,
    "rule_id": "penalty.general",
    "plan_id": 1,
    "code": VISIT,
    "ticket_id": 1,
    "alert_id": 1,
    "objection_id": 1,
    "application_id": 2,
    "consequence_id": 1,
    "consent_id": 1,
    "subscription_id": 1,
    "proposal_id": 1,
    "run_id": 1,
    "trial_id": 1,
    "record_id": "L-1",
    "number": "20261127-AAAABBBB",
    "name": "en",
    "vocabulary": "enterprise",
    "filename": "pages.css",
    "digest": "0" * 64,
    "file_id": 1,
}
NONE_IN_TOWN = (
    "pages.demo_sign_in",
    "pages.ask_provider",
    "pages.come_from_provider",
    "pages.draft",
    "pages.subscription",
    "pages.record_proposal",
    "pages.credit_report_file",
    "pages.proposal",
    "pages.show_notice",
    "pages.show_run_notice",
    "pages.upload",
    "pages.file_to_mend",
    "pages.file_template",
    *(endpoint for endpoint in ACCESS if endpoint.startswith("pages.public_")),
)
"""Pages of what the town has none of, until another test makes it."""


def test_a_regulator_signs_in_and_sees_how_everybody_stands(visitor: Visitor, token: MakeToken) -> None:
    visitor.open("/")
    assert visitor.path == "/sign-in"
    visitor.sign_in(token(Role.REGULATOR))
    assert visitor.path == "/home"
    visitor.open("/overview")
    shown = visitor.text()
    assert "企业公共信用综合评价" in shown
    assert "Enterprise public credit grading" in shown
    assert "2026-07-31" in shown


def test_a_wrong_key_shows_an_error_and_opens_nothing(visitor: Visitor) -> None:
    visitor.sign_in("xh_aaaaaaaaaa_" + "A" * 43)
    assert "this key is not known here" in visitor.one("[role=alert]").text
    assert visitor.one("#key").get_attribute("aria-invalid") == "true"
    visitor.open("/overview")
    assert visitor.path == "/sign-in"


def test_after_signing_in_the_page_that_was_wanted_is_shown(visitor: Visitor, token: MakeToken) -> None:
    visitor.open("/inspections/1")
    visitor.one("#key").send_keys(token(Role.REGULATOR))
    visitor.press("main button")
    assert visitor.path == "/inspections/1"


@pytest.mark.parametrize(
    ("asked", "opened"),
    [
        ("/alerts/assignments", "/alerts"),
        ("/alerts?town=x", "/alerts?town=x"),
        ("/sign-out", "/"),
        ("/nowhere/at/all", "/nowhere/at/all"),
    ],
)
def test_the_language_is_chosen_where_a_form_was_refused_as_well(
    pages: Flask, asked: str, opened: str
) -> None:
    answer = pages.test_client().get("/language/en", query_string={"next": asked})
    assert (answer.status_code, answer.location) == (303, opened)


@pytest.mark.parametrize("next_page", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(pages: Flask, token: MakeToken, next_page: str) -> None:
    client = pages.test_client()
    client.get("/sign-in")
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"], "key": token(Role.REGULATOR), "next": next_page}
    assert client.post("/sign-in", data=form).location == "/"


def test_signing_out_ends_the_session(regulator: Visitor) -> None:
    regulator.open("/overview")
    regulator.press(".who button")
    regulator.open("/subjects")
    assert regulator.path == "/sign-in"


def test_a_revoked_key_ends_its_sessions(regulator: Visitor, token: MakeToken, town_store: Store) -> None:
    given = token(Role.REGULATOR)
    regulator.open("/overview")
    regulator.press(".who button")
    regulator.sign_in(given)
    assert regulator.path == "/home"
    revoke_key(town_store, given.split("_")[1])
    regulator.open("/overview")
    assert regulator.path == "/sign-in"


def test_the_cookie_holds_no_key_and_is_kept_from_scripts_and_other_sites(
    visitor: Visitor, token: MakeToken
) -> None:
    given = token(Role.REGULATOR)
    visitor.sign_in(given)
    cookie = visitor.browser.get_cookie("xinheng")
    assert given.split("_", 2)[2] not in cookie["value"]
    assert cookie["httpOnly"] is True
    assert cookie["sameSite"] == "Strict"
    assert visitor.browser.execute_script("return document.cookie") == ""


def test_a_form_from_elsewhere_is_refused(pages: Flask, token: MakeToken) -> None:
    client = signed_in(pages, token(Role.REGULATOR))
    for form in ({}, {"form_token": "guessed"}):
        assert client.post("/simulation", data=form).status_code == 400
        assert client.post("/sign-out", data=form).status_code == 400
    assert client.get("/overview").status_code == 200


def test_a_department_finds_its_own_grade_and_no_other(visitor: Visitor, token: MakeToken) -> None:
    visitor.sign_in(token(Role.DEPARTMENT))
    own, other = list(BODIES)[:2]
    assert visitor.path == "/home"
    visitor.open("/own")
    assert visitor.path == f"/subjects/department-credit/{own}"
    for path in (
        f"/subjects/department-credit/{other}",
        f"/subjects/enterprise-credit/{CODES[0]}",
        "/overview",
    ):
        visitor.open(path)
        assert "无权查看" in visitor.text("h1")


def test_a_lender_finds_its_own_checks_the_rules_and_its_receivers(
    visitor: Visitor, token: MakeToken
) -> None:
    visitor.sign_in(token(Role.LENDER))
    assert visitor.path == "/home"
    assert [link.get_attribute("href").split("/")[-1] for link in visitor.all(".top-in > nav a")] == [
        "home",
        "checks",
        "consents",
        "rules",
        "subscriptions",
        "figures",
    ]


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role or "nobody")
def test_each_role_opens_the_pages_that_the_table_says(
    pages: Flask, token: MakeToken, role: Role | None
) -> None:
    client = signed_in(pages, token(role)) if role else pages.test_client()
    adapter = pages.url_map.bind("localhost")
    rules = [rule for rule in pages.url_map.iter_rules() if rule.endpoint.startswith("pages.")]
    for rule in rules:
        if "GET" not in rule.methods:
            continue
        answer = client.get(adapter.build(rule.endpoint, {name: PLACES[name] for name in rule.arguments}))
        found = (200, 303, 404) if rule.endpoint in NONE_IN_TOWN else (200, 303)
        if opens(rule.endpoint, None):
            assert answer.status_code in found, rule.endpoint
        elif role is None:
            assert answer.location.startswith("/sign-in"), rule.endpoint
        elif not opens(rule.endpoint, role):
            assert answer.status_code == 403, rule.endpoint
        else:
            assert answer.status_code in found or is_not_its_own(rule.endpoint, role), rule.endpoint
        answer.close()


def is_not_its_own(endpoint: str, role: Role) -> bool:
    """An enterprise is no department's own, nor another enterprise's; and an objection needs a record."""
    of_subject = ("pages.subject", "pages.records", "pages.report", "pages.paths", "pages.receivers")
    of_others = (*of_subject, "pages.own", "pages.objection", "pages.ticket", "pages.repair", "pages.visit")
    of_files = ("pages.file", "pages.file_quarantine", "pages.file_warnings")
    not_own = {Role.DEPARTMENT: (*of_subject, *of_files), Role.SUBJECT: of_others}.get(role, ())
    return endpoint in (*not_own, "pages.new_objection")


def signed_in(pages: Flask, token: str) -> FlaskClient:
    """A client without a browser, signed in."""
    client = pages.test_client()
    client.get("/sign-in")
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"], "key": token, "next": ""}
    assert client.post("/sign-in", data=form).status_code == 303
    return client


def _cookie(client: FlaskClient) -> str:
    cookie = client.get_cookie("xinheng")
    assert cookie is not None
    return cookie.value


def _opens(pages: Flask, cookie: str) -> bool:
    thief = pages.test_client()
    thief.set_cookie("xinheng", cookie)
    return thief.get("/overview").status_code == 200


def _sign_out(client: FlaskClient) -> None:
    client.get("/overview")
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"]}
    assert client.post("/sign-out", data=form).status_code == 303


def test_a_cookie_kept_from_before_signing_out_opens_nothing(pages: Flask, token: MakeToken) -> None:
    client = signed_in(pages, token(Role.REGULATOR))
    kept = _cookie(client)
    assert _opens(pages, kept)
    _sign_out(client)
    assert not _opens(pages, kept)


def test_signing_out_ends_no_other_sign_in_with_the_same_key(pages: Flask, token: MakeToken) -> None:
    given = token(Role.REGULATOR)
    here, there = signed_in(pages, given), signed_in(pages, given)
    _sign_out(here)
    assert _opens(pages, _cookie(there))


def test_signing_in_begins_anew(pages: Flask, token: MakeToken) -> None:
    """Nothing of before is left: neither who was signed in nor the token of the forms."""
    client = signed_in(pages, token(Role.REGULATOR))
    client.get("/overview")
    before = _cookie(client)
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"], "key": token(Role.OPERATOR), "next": ""}
        session["left over"] = "x"
    assert client.post("/sign-in", data=form).status_code == 303
    assert not _opens(pages, before)
    with client.session_transaction() as session:
        assert session.get("form_token") != form["form_token"]
        assert "left over" not in session
    assert client.post("/sign-out", data=form).status_code == 400


def test_the_end_of_a_key_ends_its_sign_ins_for_good(
    pages: Flask, token: MakeToken, town_store: Store
) -> None:
    given = token(Role.REGULATOR)
    prefix = given.split("_")[1]
    kept = _cookie(signed_in(pages, given))
    revoke_key(town_store, prefix)
    assert not _opens(pages, kept)
    with town_store.writing() as session:
        session.get_one(ApiKey, prefix).revoked_at = None
    assert not _opens(pages, kept), "its sign-ins have ended, whatever becomes of the key"


@pytest.mark.parametrize(("age", "opens"), [(LASTS - MINUTE, True), (LASTS, False), (-MINUTE, False)])
def test_a_sign_in_lasts_a_working_day_also_by_a_clock_set_back(
    pages: Flask, token: MakeToken, town_store: Store, age: dt.timedelta, opens: bool
) -> None:
    given = token(Role.REGULATOR)
    kept = _cookie(signed_in(pages, given))
    with town_store.writing() as session:
        begun = sa.update(PageSession).where(PageSession.key == given.split("_")[1])
        session.execute(begun.values(begun_at=dt.datetime.now(dt.UTC) - age))
    assert _opens(pages, kept) is opens


def test_a_sign_in_of_a_key_that_expires_ends_with_it(
    pages: Flask, token: MakeToken, town_store: Store
) -> None:
    given = token(Role.REGULATOR)
    kept = _cookie(signed_in(pages, given))
    with town_store.writing() as session:
        session.get_one(ApiKey, given.split("_")[1]).expires_at = dt.datetime.now(dt.UTC)
    assert not _opens(pages, kept)
