"""The door of a demo: an address that signs somebody in, where a demo has started the server alone."""

from __future__ import annotations

import datetime as dt

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from api.settings import Settings
from fixtures.small import small_store
from scoring.access.keys import Key, Role, create_key, revoke_key
from scoring.access.passes import LASTS, make_pass
from scoring.store import Store

SECRET = "a secret that the demo alone has, of this run"
NOON = dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC)


@pytest.fixture
def store() -> Store:
    return small_store()


@pytest.fixture
def key(store: Store) -> Key:
    return create_key(store, Role.REGULATOR, "周审核（虚构）").key


def visitor(store: Store, secret: str | None, at: dt.datetime = NOON) -> FlaskClient:
    """Somebody at a server that was started with a secret, or without."""
    app = create_app(Settings(demo_secret=secret), store)
    app.extensions["clock"] = lambda: at
    return app.test_client()


def test_a_pass_signs_its_person_in(store: Store, key: Key) -> None:
    someone = visitor(store, SECRET)
    answer = someone.get("/demo/sign-in", query_string={"pass": make_pass(SECRET, key.prefix, NOON + LASTS)})
    assert (answer.status_code, answer.location) == (303, "/")
    assert "周审核（虚构）" in someone.get("/home").text


@pytest.mark.parametrize(
    ("secret", "made_with", "at"),
    [
        (None, SECRET, NOON),
        ("another secret, of another server's demo", SECRET, NOON),
        (SECRET, SECRET, NOON + LASTS),
        (SECRET, "guessed", NOON),
    ],
    ids=["no demo", "another demo", "too late", "forged"],
)
def test_any_other_pass_is_not_found(
    store: Store, key: Key, secret: str | None, made_with: str, at: dt.datetime
) -> None:
    someone = visitor(store, secret, at)
    given = make_pass(made_with, key.prefix, NOON + LASTS)
    assert someone.get("/demo/sign-in", query_string={"pass": given}).status_code == 404
    assert someone.get("/home").status_code == 303, "nobody is signed in"


@pytest.mark.parametrize("given", ["", ".", "..", "a.b.c", "é.1.é", "xh_nobody_0000"])
def test_what_is_no_pass_is_not_found(store: Store, given: str) -> None:
    assert visitor(store, SECRET).get("/demo/sign-in", query_string={"pass": given}).status_code == 404


def test_the_pass_of_an_ended_key_opens_nothing(store: Store, key: Key) -> None:
    revoke_key(store, key.prefix)
    given = make_pass(SECRET, key.prefix, NOON + LASTS)
    assert visitor(store, SECRET).get("/demo/sign-in", query_string={"pass": given}).status_code == 404
