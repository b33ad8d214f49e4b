"""Persons who sign in at their organisation's provider: a real one, in a real browser."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from serving import served
from visitor import Visitor

from api.app import create_app
from api.around import openid
from api.settings import Settings
from scoring.access.identities import admit
from scoring.access.keys import Role, create_key, revoke_key
from scoring.store import Store

PROVIDER = Path(__file__).parents[1] / "openid" / "provider.js"
SECRET = "a secret of the tests, and of nothing else"
BACK = "/sign-in/openid/back"


@dataclass(frozen=True, slots=True)
class Place:
    """The application and its provider, which browsers take for two sites."""

    app: Flask
    address: str
    issuer: str


@pytest.fixture(scope="module")
def place(town_store: Store) -> Iterator[Place]:
    """Each knows the other's address."""
    with served(lambda environ, start: app(environ, start)) as address:
        line = ["node", str(PROVIDER), address + BACK]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as provider:
            assert provider.stdout is not None
            issuer = provider.stdout.readline().strip()
            app = create_app(_settings(issuer, address), town_store)
            yield Place(app, address, issuer)
            provider.terminate()


def _settings(issuer: str, address: str = "https://credit.example.cn") -> Settings:
    known = {"openid_client": "xinheng", "openid_secret": SECRET}
    return Settings(log_level="error", address=address, openid_issuer=issuer, **known)


@pytest.fixture
def person(visitor: Visitor, place: Place) -> Visitor:
    """Somebody in front of a browser who is known to neither."""
    place_visitor = Visitor(visitor.browser, place.address)
    visitor.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    return place_visitor


def _signs_in(person: Visitor, name: str, wanted: str = "/home") -> None:
    person.open(wanted)
    person.press("#openid")
    person.one("[name=login]").send_keys(name)
    person.one("[name=password]").send_keys("any")
    person.press("[type=submit]")
    person.one("[type=submit]").click()  # what the provider may tell of the person
    person.wait_until(lambda: person.all("#refused") or person.path == wanted.partition("?")[0])


def _made(store: Store, owner: str) -> str:
    return create_key(store, Role.REGULATOR, owner).key.prefix


def test_a_person_who_was_admitted_signs_in_and_finds_what_was_wanted(
    person: Visitor, place: Place, town_store: Store
) -> None:
    admit(town_store, place.issuer, "limin", _made(town_store, "李敏"))
    _signs_in(person, "limin", "/subjects?town=x")
    assert person.browser.current_url == f"{place.address}/subjects?town=x"
    assert "李敏" in person.text(".who")
    person.press(".who button")
    person.open("/subjects")
    assert person.path == "/sign-in"


def test_a_person_whom_nobody_admitted_is_told_what_to_say_to_the_operator(person: Visitor) -> None:
    _signs_in(person, "stranger-7f3a")
    assert "stranger-7f3a" in person.one("#refused").text
    person.open("/home")
    assert person.path == "/sign-in"


def test_a_person_whose_key_has_ended_stays_outside(person: Visitor, place: Place, town_store: Store) -> None:
    prefix = _made(town_store, "赵离任")
    admit(town_store, place.issuer, "left", prefix)
    revoke_key(town_store, prefix)
    _signs_in(person, "left")
    assert "revoked" in person.one("#refused").text


@pytest.fixture
def client(place: Place) -> FlaskClient:
    """A browser without the pages of a provider."""
    return place.app.test_client()


def _asked(client: FlaskClient) -> dict[str, list[str]]:
    """What the visitor is sent to the provider with."""
    answer = client.get("/sign-in/openid")
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer.location).query)


def test_the_provider_is_asked_for_a_code_that_serves_this_visitor_alone(
    client: FlaskClient, place: Place
) -> None:
    asked = _asked(client)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert {"nonce", "state"} <= asked.keys()
    assert _asked(client)["state"] != asked["state"]


@pytest.mark.parametrize(
    "query", ["", "?state=none&code=stolen", "?error=server_error", "?_scheme=javascript&_external=1"]
)
def test_who_was_not_sent_to_the_provider_does_not_come_back_from_it(client: FlaskClient, query: str) -> None:
    """By a link that somebody else has made, for instance."""
    first = client.get(BACK + query)
    assert first.status_code == 200
    assert f'content="0;url={BACK}?' in first.text
    answer = client.get(f"{BACK}{query or '?'}&again=1")
    assert answer.status_code == 401
    assert client.get("/home").location.startswith("/sign-in")


def test_a_code_that_the_provider_never_gave_opens_nothing(client: FlaskClient) -> None:
    answer = client.get(BACK, query_string={"state": _asked(client)["state"][0], "code": "made up"})
    assert answer.status_code == 401
    assert "did not confirm" in answer.text


def test_who_cancels_there_is_told_so(client: FlaskClient) -> None:
    state = _asked(client)["state"][0]
    answer = client.get(BACK, query_string={"state": state, "error": "access_denied"})
    assert answer.status_code == 401
    assert "was cancelled" in answer.text


def test_a_provider_that_does_not_answer_leaves_the_keys(town_store: Store, place: Place) -> None:
    app = create_app(_settings("http://localhost:9"), town_store)
    client = app.test_client()
    assert client.get("/sign-in/openid").status_code == 503
    assert client.get("/sign-in").status_code == 200


def test_a_provider_of_another_name_is_not_believed(town_store: Store, place: Place) -> None:
    app = create_app(_settings(f"{place.issuer}/"), town_store)
    assert app.test_client().get("/sign-in/openid").status_code == 503


def test_whatever_host_a_request_says_the_provider_sends_back_to_the_stated_address(
    client: FlaskClient, place: Place
) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = client.get("/sign-in/openid", headers=forged)
    assert parse_qs(urlsplit(answer.location).query)["redirect_uri"] == [place.address + BACK]


GIANT, NESTED = b"{" + b" " * 2 * 1024 * 1024 + b"}", b"[" * 100_000


@pytest.mark.parametrize("said", [GIANT, NESTED, b"[]", b"{}", b'{"issuer": "ISSUER"}', b"MOVED", b"SLOW"])
def test_a_provider_that_says_what_no_provider_says_fails_in_time_and_is_asked_again(
    town_store: Store, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """Whatever it is: giant, endless, nested, another thing, nothing of what is needed, or elsewhere."""
    asked, wait = list[str](), threading.Event()

    def says(environ: Any, start: Any) -> Any:
        asked.append(environ["PATH_INFO"])
        if said == b"MOVED":
            start("302 Found", [("Location", "/elsewhere")])
            return [b""]
        start("200 OK", [("Content-Type", "application/json")])
        if said == b"SLOW":
            return iter(lambda: b"" if wait.wait(0.05) else b" ", b"")
        return [said.replace(b"ISSUER", f"http://{environ['HTTP_HOST']}".encode())]

    with served(says) as issuer:
        monkeypatch.setattr(openid, "_SECONDS", 0.5 if said == b"SLOW" else 60)
        visitor = create_app(_settings(issuer), town_store).test_client()
        assert [visitor.get("/sign-in/openid").status_code for _ in range(2)] == [503, 503]
        wait.set()
    assert set(asked) == {"/.well-known/openid-configuration"}
    assert len(asked) == (1 if b"ISSUER" in said else 2)


def test_without_a_provider_there_is_nothing_to_press(pages: Flask) -> None:
    client = pages.test_client()
    assert 'id="openid"' not in client.get("/sign-in").text
    assert client.get("/sign-in/openid").status_code == 404
    assert client.get(BACK).status_code == 404
