"""A form that is pressed twice, from two tabs or at once, is taken once: on both stores."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from test_sign_in import signed_in
from werkzeug.test import TestResponse

from api.app import create_app
from api.settings import Settings
from scoring.access.keys import Role, create_key
from scoring.changes.subscriptions import list_subscriptions
from scoring.store import Store
from scoring.store.access import KeptAnswer
from scoring.tickets.desk import list_tickets

TICKET = {"title": "消防通道被占用", "source": "hotline"}
RECEIVER = {"receiver": "区政务服务平台", "role": "regulator", "address": "https://hub.example/changes"}
Press = Callable[..., list[TestResponse]]


@pytest.fixture
def visitor(store: Store) -> FlaskClient:
    """A regulator at an empty district."""
    app: Flask = create_app(Settings(log_level="error"), store)
    return signed_in(app, create_key(store, Role.REGULATOR, "周某").token)


def form_of(visitor: FlaskClient, action: str, page: str | None = None) -> str:
    """What the first form of a page that posts to an address, by default to its own, has for a token."""
    field = '<input type="hidden" name="form_token" value="([^"]+)"'
    found = re.findall(
        rf'<form [^>]*action="{action}"[^>]*>.*?{field}', visitor.get(page or action).text, re.S
    )
    return str(found[0])


def pressed(visitor: FlaskClient, path: str, form: dict[str, str], times: int = 4) -> list[TestResponse]:
    """The answers to a form that is sent several times at once, by one browser."""
    cookie, answers = visitor.get_cookie("xinheng"), []
    assert cookie is not None
    value, barrier = cookie.value, threading.Barrier(times)

    def press() -> None:
        tab = visitor.application.test_client()
        tab.set_cookie("xinheng", value)
        barrier.wait()
        answers.append(tab.post(path, data=form))

    presses = [threading.Thread(target=press) for _ in range(times)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    return answers


@pytest.mark.parametrize("at_once", [1, 4], ids=["one after another", "at once"])
def test_each_press_of_a_form_leads_to_what_came_of_the_first(
    visitor: FlaskClient, store: Store, at_once: int
) -> None:
    form = TICKET | {"form_token": form_of(visitor, "/tickets")}
    answers = [one for _ in range(4 // at_once) for one in pressed(visitor, "/tickets", form, at_once)]
    (ticket,) = list_tickets(store)
    assert {(one.status_code, one.location) for one in answers} == {(303, f"/tickets/{ticket.id}")}


def test_a_form_of_its_own_and_one_filled_in_otherwise_are_another(
    visitor: FlaskClient, store: Store
) -> None:
    form = TICKET | {"form_token": form_of(visitor, "/tickets")}
    others = {"title": "噪声扰民"}, {"form_token": form_of(visitor, "/tickets"), "note": "第二起"}
    for more in ({}, *others):
        assert visitor.post("/tickets", data=form | more).status_code == 303
    assert len(list_tickets(store)) == 3


def test_a_form_that_was_refused_can_be_sent_again(visitor: FlaskClient, store: Store) -> None:
    form = TICKET | {"form_token": form_of(visitor, "/tickets"), "title": ""}
    assert [visitor.post("/tickets", data=form).status_code for _ in range(2)] == [422, 422]
    assert list_tickets(store) == []


def test_a_secret_is_made_and_shown_once_and_kept_nowhere(visitor: FlaskClient, store: Store) -> None:
    form = RECEIVER | {"form_token": form_of(visitor, "/subscriptions")}
    answers = pressed(visitor, "/subscriptions", form)
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert len(list_subscriptions(store)) == 1
    assert all(("whsec_" in one.text) is (one.status_code == 201) for one in answers)
    assert all("此表单已提交过" in one.text for one in answers if one.status_code == 409)
    with store.reading() as session:
        assert not any(session.scalars(sa.select(KeptAnswer.body)))


def test_another_sessions_number_takes_nothing(visitor: FlaskClient, store: Store) -> None:
    """Nobody claims what somebody else is about to send."""
    number = form_of(visitor, "/tickets").partition(".")[2]
    sent = visitor.post("/tickets", data=TICKET | {"form_token": f"guessed.{number}"})
    assert sent.status_code == 422, "it is shown again, and not done"
    assert list_tickets(store) == []
    with store.reading() as session:
        assert session.scalars(sa.select(KeptAnswer)).all() == []
