"""What other sites, neighbours of the domain and those who sit down after somebody try at the pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from expected_access import opens
from flask import Flask
from flask.testing import FlaskClient
from test_sign_in import PLACES, signed_in
from visitor import Visitor
from werkzeug.routing import Rule

from scoring.access.keys import Role, revoke_key
from scoring.store import Store

MakeToken = Callable[[Role], str]
TLS = "https://credit.example.cn"
LOG = {"audit_entries", "audit_head"}
"""Who read what is in it."""


def addresses(pages: Flask, method: str) -> Iterator[tuple[Rule, str]]:
    """Every page that takes a method, with an address in the town."""
    adapter = pages.url_map.bind("localhost")
    for rule in pages.url_map.iter_rules():
        if rule.endpoint.startswith("pages.") and method in (rule.methods or ()):
            yield rule, adapter.build(rule.endpoint, {name: PLACES[name] for name in rule.arguments})


def form_token(client: FlaskClient) -> str:
    client.get("/rules")
    with client.session_transaction() as session:
        return str(session["form_token"])


def everything(store: Store) -> str:
    """All that is kept, but who asked."""
    with store.reading() as session:
        names = set(sa.inspect(session.get_bind()).get_table_names()) - LOG
        rows = {name: session.execute(sa.text(f"select * from {name}")).all() for name in sorted(names)}
    return json.dumps({name: sorted(map(str, found)) for name, found in rows.items()})


def test_no_page_takes_anything_but_what_is_read_and_forms(pages: Flask) -> None:
    taken = {method for rule in pages.url_map.iter_rules() if rule.endpoint.startswith("pages.")
             for method in rule.methods or ()}  # fmt: skip
    assert taken == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("role", [Role.REGULATOR, Role.SUBJECT])
def test_no_form_is_taken_that_another_site_or_another_session_sends(
    pages: Flask, token: MakeToken, town_store: Store, role: Role
) -> None:
    """Every form there is, so that a new one can't be forgotten."""
    given = token(role)
    visitor, other = signed_in(pages, given), signed_in(pages, given)
    foreign, before = form_token(other), everything(town_store)
    walked = 0
    for rule, address in addresses(pages, "POST"):
        if rule.endpoint == "pages.public_trial":  # it has no session, and says so by Sec-Fetch-Site
            continue
        if rule.endpoint not in ("pages.sign_in", "pages.verify_report") and not opens(rule.endpoint, role):
            continue
        for form in ({}, {"form_token": ""}, {"form_token": foreign}):
            assert visitor.post(address, data=form).status_code == 400, (rule.endpoint, form)
            sent = visitor.post(address, data=json.dumps(form), content_type="application/json")
            assert sent.status_code == 400, rule.endpoint
        walked += 1
    assert walked > {Role.REGULATOR: 40, Role.SUBJECT: 10}[role]
    assert everything(town_store) == before
    assert visitor.get("/rules").status_code == 200, "nobody was signed out"


def test_reading_changes_nothing(pages: Flask, token: MakeToken, town_store: Store) -> None:
    """No picture or link on another site does anything: by GET nothing is done."""
    visitor, before = signed_in(pages, token(Role.REGULATOR)), everything(town_store)
    for rule, address in addresses(pages, "GET"):
        visitor.get(address).close()
        assert everything(town_store) == before, rule.endpoint


@pytest.mark.parametrize("role", list(Role))
def test_every_form_refuses_at_once_whose_key_has_ended(
    pages: Flask, token: MakeToken, town_store: Store, role: Role
) -> None:
    given = token(role)
    visitor = signed_in(pages, given)
    form = {"form_token": form_token(visitor)}
    cookie = visitor.get_cookie("xinheng")
    assert cookie is not None
    revoke_key(town_store, given.split("_")[1])
    before = everything(town_store)
    for rule, address in addresses(pages, "POST"):
        if opens(rule.endpoint, role) and not opens(rule.endpoint, None):
            visitor.set_cookie("xinheng", cookie.value)  # whatever the server says of it
            answer = visitor.post(address, data=form)
            is_led_on = answer.status_code == 303 and answer.location.startswith("/sign-in")
            assert is_led_on or (answer.status_code == 401 and "请重新登录" in answer.text), rule.endpoint
    assert everything(town_store) == before


def test_a_neighbour_of_the_domain_can_hand_no_sign_in_to_a_visitor(pages: Flask, token: MakeToken) -> None:
    """By a cookie for the whole domain: over TLS browsers take one of this name from this host alone."""
    neighbour = signed_in(pages, token(Role.REGULATOR))
    cookie = neighbour.get_cookie("xinheng")
    assert cookie is not None
    visitor = pages.test_client()
    visitor.set_cookie("xinheng", cookie.value, domain="credit.example.cn", secure=True)
    assert visitor.get("/overview", base_url=TLS).status_code == 303
    said = visitor.get("/sign-in", base_url=TLS).headers["Set-Cookie"]
    assert said.startswith("__Host-xinheng=")
    assert {part.strip() for part in said.split(";")[1:]} == {
        "Secure",
        "HttpOnly",
        "Path=/",
        "SameSite=Strict",
    }


def test_who_goes_back_after_somebody_signed_out_sees_nothing(regulator: Visitor) -> None:
    """At a desk that several share."""
    regulator.open("/overview")
    assert "企业公共信用综合评价" in regulator.text()
    regulator.press(".who button")
    regulator.browser.back()
    regulator.wait_until(lambda: regulator.path == "/sign-in")
    assert "企业公共信用综合评价" not in regulator.text("body")


def test_a_browser_keeps_nothing_that_somebody_may_see(pages: Flask, token: MakeToken) -> None:
    visitor = signed_in(pages, token(Role.REGULATOR))
    for rule, address in addresses(pages, "GET"):
        answer = visitor.get(address)
        kept = answer.headers["Cache-Control"]
        answer.close()
        if rule.endpoint == "pages.static":
            assert kept == "no-cache"
        elif answer.status_code != 404 or not rule.endpoint.startswith("pages.public_"):
            assert kept == "no-store", rule.endpoint
    assert visitor.get("/nowhere", headers={"Accept": "text/html"}).headers["Cache-Control"] == "no-store"


def test_every_page_says_what_a_browser_may_do_with_it(pages: Flask, token: MakeToken) -> None:
    visitor = signed_in(pages, token(Role.REGULATOR))
    for rule, address in addresses(pages, "GET"):
        answer = visitor.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy, rule.endpoint
        assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} <= set(policy.split("; "))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        answer.close()
