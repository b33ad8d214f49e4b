"""Keys: made, expired, replaced and ended, on the command line and by the API."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from click.testing import CliRunner
from client import Client, Sign
from flask import Flask
from small_district import FINED

from api.app import create_app
from api.settings import Settings
from scoring.cli.keys import keys_group
from scoring.keys import KeyRefusedError, KeyRing, Role, create_key, revoke_key
from scoring.store import Store
from scoring.store.access import ApiKey


def _status(app: Flask, token: str) -> int:
    return Client(app.test_client(), token).get(f"/v1/subjects/{FINED}/grade").status_code


def test_a_key_is_made_on_the_command_line_and_opens_the_api(district_url: str, app: Flask) -> None:
    command = ["create", "--role", "regulator", "--owner", "信用办", "--database", district_url]
    result = CliRunner().invoke(keys_group, command)
    assert result.exit_code == 0
    assert _status(app, result.stdout.strip()) == 200


def test_the_store_and_the_listings_do_not_hold_the_secret(
    store: Store, regulator: Client, district_url: str
) -> None:
    secret = regulator.token.split("_", 2)[2]
    with store.reading() as session:
        row = session.get(ApiKey, regulator.prefix)
        assert secret not in repr({c.name: getattr(row, c.name) for c in ApiKey.__table__.columns})
    listed = CliRunner().invoke(keys_group, ["list", "--format", "json", "--database", district_url]).stdout
    assert regulator.prefix in {key["prefix"] for key in json.loads(listed)}
    assert secret not in listed
    assert secret not in regulator.get("/v1/keys").text


def test_a_wrong_secret_and_an_unknown_prefix_look_the_same(app: Flask, regulator: Client) -> None:
    wrong = regulator.token[:-1] + ("A" if regulator.token[-1] != "A" else "B")
    unknown = "xh_aaaaaaaaaa_" + "A" * 43
    answers = [Client(app.test_client(), token).get("/v1/runs") for token in (wrong, unknown)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json["detail"] for answer in answers}) == 1


def test_an_expired_key_opens_nothing(store: Store, app: Flask) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    token = create_key(store, Role.REGULATOR, "x", expires_at=soon).token
    assert _status(app, token) == 200
    with store.writing() as session:
        session.get(ApiKey, token.split("_")[1]).expires_at = dt.datetime.now(dt.UTC)
    assert _status(app, token) == 401


def test_a_revoked_key_opens_nothing(app: Flask, sign_in: Sign, regulator: Client) -> None:
    other = sign_in(Role.REGULATOR)
    assert _status(app, other.token) == 200
    assert regulator.delete(f"/v1/keys/{other.prefix}").json["state"] == "revoked"
    assert _status(app, other.token) == 401
    assert regulator.delete(f"/v1/keys/{other.prefix}").status_code == 404


def test_a_remembered_key_is_looked_up_again_when_its_time_is_over(store: Store) -> None:
    token = create_key(store, Role.REGULATOR, "x").token
    forgetful, patient = KeyRing(store, cache_seconds=0), KeyRing(store, cache_seconds=3600)
    assert forgetful.authenticate(token) == patient.authenticate(token)
    revoke_key(store, token.split("_")[1])
    assert patient.authenticate(token).role is Role.REGULATOR
    with pytest.raises(KeyRefusedError, match="revoked"):
        forgetful.authenticate(token)


def test_a_replaced_key_goes_on_for_the_overlap_alone(app: Flask, sign_in: Sign, regulator: Client) -> None:
    first = sign_in(Role.REGULATOR)
    second = regulator.post(f"/v1/keys/{first.prefix}/rotation", json={"overlap_hours": 1}).json
    assert [_status(app, token) for token in (first.token, second["token"])] == [200, 200]
    assert second["key"]["replaces"] == first.prefix
    third = regulator.post(f"/v1/keys/{second['key']['prefix']}/rotation", json={}).json
    assert [_status(app, token) for token in (second["token"], third["token"])] == [401, 200]


def test_a_departments_key_needs_its_department(regulator: Client) -> None:
    without = regulator.post("/v1/keys", json={"role": "department", "owner": "x"})
    out_of_place = regulator.post("/v1/keys", json={"role": "operator", "owner": "x", "organisation": "y"})
    past = regulator.post(
        "/v1/keys", json={"role": "operator", "owner": "x", "expires_at": "2020-01-01T00:00:00Z"}
    )
    assert [answer.status_code for answer in (without, out_of_place, past)] == [422, 422, 422]
    made = regulator.post("/v1/keys", json={"role": "department", "owner": "x", "organisation": "y"})
    assert (made.status_code, made.json["key"]["organisation"]) == (201, "y")


def test_no_secret_is_in_the_logs(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    app = create_app(Settings(log_level="debug"), store)
    client = Client(app.test_client(), create_key(store, Role.REGULATOR, "x").token)
    made = client.post("/v1/keys", json={"role": "operator", "owner": "x"}).json
    client.get("/v1/nothing")
    Client(app.test_client(), client.token + "x").get("/v1/runs")
    written = "".join(capfd.readouterr()) + client.get("/v1/audit?limit=500").text
    assert client.prefix in written
    for token in (client.token, made["token"]):
        assert token.split("_", 2)[2] not in written


def test_the_command_line_says_when_there_is_no_such_key(district_url: str) -> None:
    result = CliRunner().invoke(keys_group, ["revoke", "nobody", "--database", district_url])
    assert result.exit_code == 1
    assert "there is no key nobody" in result.output
