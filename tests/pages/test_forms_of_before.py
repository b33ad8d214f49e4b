"""A form of before: its sender has signed out meanwhile, somebody else has signed in, or it was sent already.

What was typed is not lost, and not done in the name of who has not seen it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from serving import served
from test_sign_in import PLACES
from test_ticket_pages import seen
from test_twin_forms import form_of
from test_visit_pages import asked
from town import AUTHORITY, CODES, LENDER, ORGANISATIONS
from visitor import Visitor
from walker import read
from walker import visitor as at_the_door
from werkzeug.test import TestResponse

from api.app import create_app
from api.around.access import ACCESS
from api.settings import Settings
from rules.calendar import add_days, today
from scoring.access.keys import Role, create_key
from scoring.store import Store
from scoring.store.base import Base
from scoring.tickets.desk import list_tickets

TYPED = "照实填写的内容"
ASKING = {"audit_entries", "audit_head", "api_keys", "page_sessions", "kept_answers"}
"""Tables that say who came in and asked."""


@dataclass(frozen=True)
class Form:
    """A form that somebody fills in.

    :param page: where it stands.
    """

    role: Role
    page: str
    action: str
    fields: dict[str, str]

    @property
    def typed(self) -> str:
        """What its page shows only where it is filled in."""
        return TYPED if TYPED in self.fields.values() else f'value="{TERM["valid_until"]}"'

    def __str__(self) -> str:
        return f"{self.role} {self.action}"


TERM = {
    "valid_from": str(today()),
    "valid_until": str(add_days(today(), 60)),
    "purpose-loan": "yes",
    "lender": LENDER,
}
MEASURE = {"subject_id": CODES[5], "office": AUTHORITY, "clause": "listed-checks", "begins_on": str(today())}
VISIT_ASKED = asked(inspectors="ZF4、ZF5", subject_id=CODES[21], why=TYPED)
FORMS = [
    Form(Role.REGULATOR, "/tickets", "/tickets", {"title": TYPED, "source": "hotline"}),
    Form(Role.REGULATOR, "/tickets/2", "/tickets/2/steps",
         {"request": "assign", "owner": "BM2", "urgency": "ordinary", "note": TYPED}),
    Form(Role.REGULATOR, "/objections/1", "/objections/1/steps", {"request": "acknowledge", "reason": TYPED}),
    Form(Role.REGULATOR, "/repairs/2", "/repairs/2/steps", {"request": "admit", "reason": TYPED}),
    Form(Role.REGULATOR, "/visits", "/visits", VISIT_ASKED | {"authorities": AUTHORITY}),
    Form(Role.REGULATOR, "/consents", "/consents", TERM | {"subject_id": CODES[20]}),
    Form(Role.REGULATOR, "/rules/trials/1", "/rules/trials/1/end", {"reason": TYPED}),
    Form(Role.REGULATOR, "/inspections", "/inspections", {"month": f"{today():%Y-%m}", "seed": TYPED}),
    Form(Role.REGULATOR, "/files/1", "/files/1/undo", {"reason": TYPED}),
    Form(Role.DEPARTMENT, "/tickets/1", "/tickets/1/steps", {"request": "return", "note": TYPED}),
    Form(Role.DEPARTMENT, "/visits", "/visits", VISIT_ASKED),
    Form(Role.DEPARTMENT, "/repairs/2", "/repairs/2/steps", {"request": "admit", "reason": TYPED}),
    Form(Role.SUBJECT, "/tickets", "/tickets", {"title": TYPED}),
    Form(Role.SUBJECT, f"/subjects/enterprise-credit/{CODES[-1]}", "/consents",
         TERM | {"pack": "enterprise-credit"}),
]  # fmt: skip


@pytest.fixture
def town(idle_town: Store) -> Store:
    """A town of the test's own."""
    return idle_town


@pytest.fixture
def site(town: Store) -> Flask:
    """The application on it."""
    return create_app(Settings(log_level="error"), town)


def key(town: Store, role: Role, owner: str) -> str:
    """That of somebody of a role."""
    return create_key(town, role, owner, ORGANISATIONS.get(role)).token


def sign_out(client: FlaskClient) -> None:
    """In one tab."""
    assert (
        client.post("/sign-out", data={"form_token": form_of(client, "/sign-out", "/tickets")}).status_code
        == 303
    )


def sign_in(client: FlaskClient, token: str) -> None:
    """In one tab."""
    sent = {"key": token, "form_token": form_of(client, "/sign-in")}
    assert client.post("/sign-in", data=sent).status_code == 303


def done(store: Store) -> dict[str, int]:
    """What stands in each table of what forms do."""
    tables = [one for one in Base.metadata.sorted_tables if one.name not in ASKING]
    with store.reading() as session:
        return {one.name: hash(repr(session.execute(sa.select(one)).all())) for one in tables}


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_form_is_kept_through_signing_in_again_and_done_by_whoever_sends_it(
    site: Flask, town: Store, form: Form
) -> None:
    client = at_the_door(site, "zh", key(town, form.role, "甲"))
    own = seen(client, form.action) | {"form_token": form_of(client, form.action, form.page)}
    fields = form.fields | own
    before = done(town)
    sign_out(client)
    answer = client.post(form.action, data=fields)
    assert answer.status_code == 401
    assert "刚才提交的尚未办理" in answer.text
    assert all(f'name="{name}" value="{value}"' in unescape(answer.text) for name, value in fields.items())
    sign_in(client, key(town, form.role, "乙"))
    answer = client.post(form.action, data=fields)
    assert answer.status_code == 422
    assert "将以乙的名义办理" in answer.text
    assert form.typed in answer.text
    assert done(town) == before
    fields["form_token"] = token_in(answer, form.action)
    answer = client.post(form.action, data=fields)
    assert answer.status_code == 303, told(answer)
    assert done(town) != before


def told(answer: TestResponse) -> str:
    """What a page says is wrong."""
    return " ".join(word.text for word in read(answer.text).words if word.within.split(".")[0] in ("p", "li"))


def token_in(answer: TestResponse, action: str) -> str:
    """What the form of a page that has just been answered holds for a token."""
    _, _, rest = answer.text.partition(f'action="{action}"')
    return rest.partition('name="form_token" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    "endpoint", [name for name, row in ACCESS.items() if row.is_typed and row.logged == "change"]
)
def test_no_form_of_another_session_does_anything(site: Flask, town: Store, endpoint: str) -> None:
    roles = ACCESS[endpoint].roles or frozenset()
    role = next(one for one in Role if one in roles)
    client = at_the_door(site, "zh", key(town, role, "甲"))
    rule = next(site.url_map.iter_rules(endpoint))
    path = site.url_map.bind("localhost").build(endpoint, {name: PLACES[name] for name in rule.arguments})
    before = done(town)
    assert client.post(path, data={"form_token": "other." + "0" * 16}).status_code in (404, 409, 422)
    assert done(town) == before


@pytest.mark.parametrize(
    "form", [one for one in FORMS if one.page == one.action and one.action != "/files/1/undo"], ids=str
)
def test_who_sends_the_same_from_another_tab_is_asked(site: Flask, town: Store, form: Form) -> None:
    client = at_the_door(site, "zh", key(town, form.role, "甲"))
    tabs = [form.fields | {"form_token": form_of(client, form.action, form.page)} for _ in range(2)]
    first = client.post(form.action, data=tabs[0])
    assert first.status_code == 303, told(first)
    once = done(town)
    second = client.post(form.action, data=tabs[1])
    assert second.status_code == 422
    assert "未重复办理" in second.text
    assert first.location in unescape(second.text), "it leads to what came of the first"
    assert form.typed in second.text
    assert done(town) == once
    again = form.fields | {"form_token": token_in(second, form.action)}
    assert client.post(form.action, data=again).status_code in (303, 409)


def test_a_draft_on_the_screen_outlives_its_sign_in(site: Flask, town: Store) -> None:
    """Nothing is done by it, so it goes on under whoever is signed in."""
    client = at_the_door(site, "zh", key(town, Role.REGULATOR, "甲"))
    fields = {"form_token": form_of(client, "/rules/drafts"), "text": TYPED, "begins": "2027-01-01"}
    sign_out(client)
    answer = client.post("/rules/drafts", data=fields)
    assert (answer.status_code, TYPED in answer.text) == (401, True)
    sign_in(client, key(town, Role.REGULATOR, "乙"))
    answer = client.post("/rules/drafts", data=fields)
    assert (answer.status_code, TYPED in answer.text) == (422, True)
    assert "draft.yaml" in answer.text, "it was read, and its faults are told"


def test_another_site_puts_nothing_into_a_form(site: Flask, town: Store) -> None:
    client = site.test_client()
    sent = {"title": TYPED, "source": "hotline", "form_token": "x." + "0" * 16}
    answer = client.post("/tickets", data=sent, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/tickets")
    assert TYPED not in answer.text


def test_what_has_nothing_typed_leads_to_the_door_and_back_to_its_page(site: Flask, town: Store) -> None:
    answer = site.test_client().post("/inspections/1/codes", data={})
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/inspections/1/codes")
    token = key(town, Role.REGULATOR, "甲")
    client = site.test_client()
    sent = {"key": token, "form_token": form_of(client, "/sign-in"), "next": "/inspections/1/codes"}
    assert client.post("/sign-in", data=sent).location == "/inspections/1"


def test_back_and_sent_again_or_from_a_second_tab_in_a_browser(
    visitor: Visitor, site: Flask, town: Store
) -> None:
    with served(site) as address:
        clerk = replace(visitor, address=address)
        clerk.come_in(site, key(town, Role.REGULATOR, "甲"))
        clerk.open("/tickets")
        clerk.one("#title").send_keys(TYPED)
        clerk.press("form[action='/tickets'] button")
        assert clerk.path.startswith("/tickets/")
        made = clerk.path
        many = len(list_tickets(town))
        clerk.browser.back()
        clerk.wait_until(lambda: clerk.path == "/tickets")
        if not clerk.one("#title").get_attribute("value"):
            clerk.one("#title").send_keys(TYPED)
        clerk.press("form[action='/tickets'] button")
        assert len(list_tickets(town)) == many
        if clerk.path == "/tickets":  # the page was asked for anew, so it was another form
            assert "未重复办理" in clerk.text()
            clerk.press(f"a[href='{made}']")
        assert clerk.path == made


def test_signed_out_in_one_tab_and_sent_in_the_other_in_a_browser(
    visitor: Visitor, site: Flask, town: Store
) -> None:
    with served(site) as address:
        clerk = replace(visitor, address=address)
        clerk.come_in(site, key(town, Role.REGULATOR, "甲"))
        clerk.open("/tickets")
        clerk.one("#title").send_keys(TYPED)
        many = len(list_tickets(town))
        clerk.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
        clerk.press("form[action='/tickets'] button")
        assert "登录已结束" in clerk.text()
        assert clerk.faults() == []
        clerk.come_in(site, key(town, Role.REGULATOR, "乙"))
        clerk.press("main form button")
        assert "将以乙的名义办理" in clerk.text()
        assert clerk.one("#title").get_attribute("value") == TYPED
        assert len(list_tickets(town)) == many
        clerk.press("form[action='/tickets'] button")
        assert len(list_tickets(town)) == many + 1
