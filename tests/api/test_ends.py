"""Every endpoint at the calendar's ends and with every vocabulary: answered or refused, never a failure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client import Client, Sign
from flask import Flask
from small_district import FINED, PACK

from api.around.access import ACCESS
from rules.library.loader import VOCABULARIES
from scoring.access.keys import Role

DATES = ("0001-01-01", "9999-12-31")
MOMENTS = (
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",
)
VALUES = {"date": DATES, "date-time": MOMENTS, "month": ("0001-01", "0001-12", "9999-01", "9999-12")}
PATHS = {"subject_id": FINED, "record_id": "P-1", "name": PACK, "prefix": "0" * 8}
MEANT = {"request": "assign", "role": "regulator", "source": "hotline", "vocabulary": "enterprise"}


@pytest.fixture
def clients(app: Flask, sign_in: Sign) -> dict[Role, Client]:
    """Somebody of each role."""
    return {role: sign_in(role) for role in Role}


def test_no_date_of_any_endpoint_makes_it_fail(app: Flask, clients: dict[Role, Client]) -> None:
    opened = clients[Role.REGULATOR].post("/v1/tickets", json={"title": "x", "source": "hotline"})
    assert opened.status_code == 201
    asked = 0
    for method, path, role, query, body in _operations(app):
        for name, kind in _fields(query):
            for value in VALUES.get(kind, ()):
                asked += _never_fails(clients[role], method, path, {name: value}, None)
        for name, kind in _fields(body):
            for value in VALUES.get(kind, ()):
                asked += _never_fails(clients[role], method, path, {}, _sample(body) | {name: value})
    assert asked >= 20


def test_no_vocabulary_makes_an_endpoint_fail(app: Flask, clients: dict[Role, Client]) -> None:
    asked = 0
    for name in (*(p.stem for p in VOCABULARIES.glob("*.yaml")), "nobody-knows"):
        for method, path, role, query, body in _operations(app):
            if "vocabulary" in query["properties"]:
                asked += _never_fails(clients[role], method, path, {"vocabulary": name}, None)
            if "vocabulary" in body["properties"]:
                asked += _never_fails(clients[role], method, path, {}, _sample(body) | {"vocabulary": name})
    assert asked >= 6 * 6


@pytest.mark.parametrize("day", DATES)
def test_no_date_of_a_record_makes_its_grade_fail(regulator: Client, day: str) -> None:
    row = {"record_id": "END", "subject_id": FINED, "kind": "penalty", "status": "effective"}
    for column in ("occurred_on", "ends_on", "effective_until", "repaired_on", "due_on"):
        rows = [row | {"occurred_on": "2026-07-01", column: day}]
        answer = regulator.post("/v1/records", json={"vocabulary": "enterprise", "records": rows})
        assert answer.status_code < 500, (column, answer.text)
        assert regulator.get(f"/v1/subjects/{FINED}/live-grade").status_code < 500
    simulated = regulator.post("/v1/simulations", json={"pack": PACK, "as_of": day})
    assert simulated.status_code < 500


def _never_fails(
    client: Client, method: str, path: str, query: dict[str, str], body: dict[str, Any] | None
) -> int:
    answer = client.send(method.upper(), path, query_string=query, json=body)
    assert answer.status_code < 500, (method, path, query, body, answer.text)
    return 1


def _operations(app: Flask) -> Iterator[tuple[str, str, Role, dict[str, Any], dict[str, Any]]]:
    """Method, address, a role that may, and the schemas of query and body, of each endpoint.

    All but the one that starts processes.
    """
    document = app.test_client().get("/openapi.json").json
    addresses = app.url_map.bind("localhost")
    for template, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method in sorted({"get", "post", "delete"} & set(item)):
            if (method, template) == ("post", "/v1/runs"):
                continue
            given = [*shared, *item[method].get("parameters", [])]
            path = template
            for parameter in given:
                if parameter.get("in") == "path":
                    path = path.replace(f"{{{parameter['name']}}}", PATHS.get(parameter["name"], "1"))
            query = {p["name"]: p["schema"] for p in given if p.get("in") == "query"}
            content = item[method].get("requestBody", {}).get("content", {})
            reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            body = document["components"]["schemas"].get(reference.rsplit("/", 1)[-1], {"properties": {}})
            endpoint, _ = addresses.match(path, method.upper())
            roles = ACCESS[endpoint].roles or (Role.REGULATOR,)
            yield method, path, min(roles, key=list(Role).index), {"properties": query}, body


def _fields(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, field in schema["properties"].items():
        yield name, "month" if name == "month" else field.get("format", "")


def _sample(schema: dict[str, Any]) -> dict[str, Any]:
    """A body of the fields that are needed; what they hold is plausible where that is easily told."""
    return {name: _value(name, schema["properties"][name]) for name in schema.get("required", ())} | {
        name: value for name, value in MEANT.items() if name in schema["properties"]
    }


def _value(name: str, field: dict[str, Any]) -> Any:
    if field.get("format") == "date":
        return "2026-07-01"
    if name == "evidence":
        return [{"title": "x", "reference": "1"}]
    if name == "records":
        return [{"record_id": "R", "subject_id": FINED, "kind": "complaint", "occurred_on": "2026-07-01"}]
    if field.get("type") == "array":
        return []
    return field.get("enum", ["x"])[0]
