"""Requests that nobody sends by mistake: refused as what they are, never a failure of the server."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from client import Client, Sign
from flask import Flask
from small_district import FINED

from api.app import create_app
from api.around.access import ACCESS
from api.http.fields import PRINTABLE
from api.settings import Settings
from scoring.access.keys import Role, create_key, list_keys
from scoring.store import Store

LONG = "x" * 100_000
PERSON = "500102199001011236"
ODD_TEXTS = ("%ff", "%ed%a0%80", "%zz", "%", "%0d%0aX:%20y", "..%2f..", LONG)


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """What is refused never comes to the database."""
    return sqlite_district_url


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"\\ud800": 1}', "half a surrogate pair"),
        (b'{"records": [{"record_id": "\\udfff"}]}', "half a surrogate pair"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "more than 4300 digits"),
        (b'{"records": [{"occurred_on": NaN}]}', "NaN"),
        (b'{"records": [{"occurred_on": 1e999}]}', "1e999"),
        (b'{"role": "operator", "role": "regulator"}', "the name role twice"),
        (b'{"records": [{"kind": "penalty", "kind": "licence"}]}', "the name kind twice"),
        (b'{"seed": 1,}', "line 1 column 12"),
        (b'{"seed": "\xff"}', "not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:20]),
)
def test_every_endpoint_refuses_json_that_no_answer_could_hold(
    app: Flask, sign_in: Sign, body: bytes, told: str
) -> None:
    clients = {role: sign_in(role) for role in Role}
    endpoints = list(_endpoints_with_a_body(app))
    assert len(endpoints) >= 14
    for path, role in endpoints:
        answer = clients[role].post(path, data=body, content_type="application/json")
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json"), path
        assert answer.json["type"] == "/problems/bad-request"
        assert told in answer.json["detail"]


def test_a_number_with_a_fraction_is_refused_and_not_cut_off(app: Flask, sign_in: Sign) -> None:
    """Of every whole number that a body may say."""

    def is_whole(said: dict[str, Any]) -> bool:
        return "integer" in (said.get("type"), *said.get("type", ()))

    asked = list(_refusals(app, sign_in, is_whole, 1.5))
    assert len(asked) >= 4
    assert [(place, told) for place, told in asked if not told.startswith("Not a valid integer: ")] == []


def test_the_number_of_a_natural_person_is_refused_in_every_text(app: Flask, sign_in: Sign) -> None:
    asked = list(_refusals(app, sign_in, lambda said: said.get("pattern") == PRINTABLE, f"见{PERSON}笔录"))
    assert len(asked) >= 40
    told = "A natural person's number is not kept here: leave it out."
    assert [place for place, said in asked if told not in said] == []


def _refusals(
    app: Flask, sign_in: Sign, is_meant: Callable[[dict[str, Any]], bool], value: object
) -> Iterator[tuple[tuple[str, str], str]]:
    """What each endpoint says of a field of its body that is meant, by path and field."""
    document = app.test_client().get("/openapi.json").json
    clients = {role: sign_in(role) for role in Role}
    for template, operations in document["paths"].items():
        for name in _fields(document, operations.get("post", {}), is_meant):
            path = re.sub(r"{(\w+)}", "1", template)
            endpoint, _ = app.url_map.bind("localhost").match(path, "POST")
            answer = clients[min(ACCESS[endpoint].roles or Role)].post(path, json={name: value})
            assert answer.status_code == 422, (path, name)
            told = [error["message"] for error in answer.json["errors"] if error["field"] == name]
            yield (path, name), " ".join(told)


def _fields(
    document: dict[str, Any], operation: dict[str, Any], is_meant: Callable[[dict[str, Any]], bool]
) -> Iterator[str]:
    """The names of those that the body of an operation may have."""
    if "requestBody" not in operation:
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for name, said in schema.get("properties", {}).items():
        if is_meant(said):
            yield name


def test_a_whole_surrogate_pair_is_one_character(regulator: Client) -> None:
    answer = regulator.post(
        "/v1/keys", data=b'{"role": "regulator", "owner": "\\ud83d\\ude48"}', content_type="application/json"
    )
    assert (answer.status_code, answer.json["key"]["owner"]) == (201, "🙈")


@pytest.mark.parametrize("sign", "\u034f\u115f\u1160\u17b4\u2800\u3164\uffa0")
@pytest.mark.parametrize("owner", ["%s", "云衡%s税务局", "云衡税务局%s"])
def test_a_filler_is_neither_a_name_nor_makes_another_one(regulator: Client, sign: str, owner: str) -> None:
    answer = regulator.post("/v1/keys", json={"role": "regulator", "owner": owner % sign})
    assert (answer.status_code, "not allowed" in answer.text) == (422, True)


@pytest.mark.parametrize("text", ODD_TEXTS, ids=lambda text: text[:12])
def test_an_odd_address_is_not_found_or_refused(regulator: Client, text: str) -> None:
    assert regulator.get(f"/v1/subjects/{text}/grade").status_code in (404, 422)
    assert regulator.get(f"/v1/packs/{text}").status_code == 404
    for query in (f"subject_id={text}", f"vocabulary={text}", f"cursor={text}", f"limit={text}", f"{text}=1"):
        assert regulator.get("/v1/records", query_string=query).status_code in (200, 400, 404, 422), query


def test_a_number_may_be_spelt_with_four_hundred_characters_and_no_more(regulator: Client) -> None:
    for spelt, status in ((FINED.rjust(400), 200), (FINED.rjust(401), 404)):
        assert regulator.get(f"/v1/subjects/{spelt}/grade").status_code == status


def test_a_parameter_that_an_endpoint_does_not_have_is_refused_by_its_name(app: Flask, sign_in: Sign) -> None:
    clients = {role: sign_in(role) for role in Role}
    addresses = app.url_map.bind("localhost")
    asked = 0
    for template, operations in app.test_client().get("/openapi.json").json["paths"].items():
        path = re.sub(r"{\w+_id}", "1", template).replace("{", "").replace("}", "")
        for method in {"GET", "POST", "DELETE"} & {name.upper() for name in operations}:
            endpoint, _ = addresses.match(path, method)
            client = clients[min(ACCESS[endpoint].roles or Role)]
            for query in ("colour=red", "limitt=1&colour", "LIMIT=5&colour=%E7%BA%A2"):
                answer = client.send(method, f"{path}?{query}", json={} if method == "POST" else None)
                assert (answer.status_code, answer.json["type"]) == (400, "/problems/bad-request"), path
                assert "colour" in answer.json["detail"], path
                assert "colour" in {error["field"] for error in answer.json.get("errors", [])}, path
                asked += 1
    assert asked > 150


@pytest.mark.parametrize("query", ["pack=enterprise-credit&pack=rural-credit", "limit=1&limit=1"])
def test_a_parameter_that_is_given_twice_is_refused_by_its_name(regulator: Client, query: str) -> None:
    answer = regulator.get(f"/v1/runs?{query}")
    name = query.partition("=")[0]
    assert (answer.status_code, answer.json["detail"]) == (400, f"the parameter {name} is given twice")


def test_the_parameters_that_there_are_are_named_where_one_is_not(regulator: Client) -> None:
    answer = regulator.get("/v1/runs?pakc=x")
    assert answer.json["detail"] == "there is no parameter pakc; those there are: cursor, limit, pack"
    assert regulator.get("/v1/runs?pack=x").status_code == 200


@pytest.mark.parametrize("value", ["", "\xff", "é" * 100, '"', "*", "W/", "xh_\xff_\xff", "q=x;,", LONG])
def test_an_odd_header_does_no_harm(regulator: Client, value: str) -> None:
    for name in ("If-None-Match", "Accept", "Accept-Encoding", "X-Request-Id", "Cookie", "Range", "Referer"):
        answer = regulator.get(f"/v1/subjects/{FINED}/grade", headers={name: value})
        assert answer.status_code in (200, 304), name
    odd_key = regulator.get("/v1/runs", headers={"Authorization": f"Bearer {value}"})
    assert odd_key.status_code == 401


@pytest.mark.parametrize("value", ["%ff", "%00", "%ed%a0%80", LONG])
def test_an_odd_form_opens_nothing(app: Flask, value: str) -> None:
    client = app.test_client()
    client.get("/sign-in")
    with client.session_transaction() as session:
        token = session["form_token"]
    for form, status in (
        (f"form_token={value}&key=x", 400),
        (f"form_token={token}&key={value}&next={value}", 401),
    ):
        answer = client.post("/sign-in", data=form, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == status


def test_a_body_in_chunks_is_too_large_where_one_of_stated_length_is(store: Store) -> None:
    """Nothing of it is taken for the whole."""
    app = create_app(Settings(log_level="error", cache_seconds=0, max_body_bytes=1000), store)
    client = Client(app.test_client(), create_key(store, Role.REGULATOR, "tests").token)
    key = b'{"role": "operator", "owner": "x"}'

    def post(length: int, body: bytes, path: str = "/v1/keys") -> int:
        whole = body + b" " * (length - len(body) - 1) + b"?"
        chunks = {"wsgi.input_terminated": True, "CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}
        return client.post(
            path,
            input_stream=io.BytesIO(whole),
            content_type="application/json",
            environ_overrides=chunks,
            headers={"Idempotency-Key": "k"},
        ).status_code

    for path in ("/v1/keys", "/v1/records"):
        assert [post(length, key, path) for length in (100, 1001, 5000)] == [400, 413, 413]
    assert len(list_keys(store)) == 1


def test_a_head_is_answered_as_a_get_without_its_body(app: Flask) -> None:
    client = app.test_client()
    for path in ("/sign-in", "/docs", "/openapi.json", "/healthz"):
        asked, got = client.head(path), client.get(path)
        assert (asked.status_code, asked.data) == (got.status_code, b""), path
        assert got.status_code == 200


@pytest.mark.parametrize("form", ["2026-W31-5", "20260731", "2026-07-31 ", "２０２６-07-31"])
def test_no_date_comes_in_but_as_year_month_and_day_with_hyphens(
    app: Flask, sign_in: Sign, form: str
) -> None:
    """ISO has weeks and unpunctuated forms besides: a slip of the hand would be read as some other day."""
    asked, clients = list(_dates_that_come_in(app)), {role: sign_in(role) for role in Role}
    assert len(asked) >= 30
    for method, path, role, name, is_moment in asked:
        value = f"{form}T08:00:00+08:00" if is_moment else form
        how = {"query_string": {name: value}} if method == "GET" else {"json": {name: value}}
        answer = clients[role].send(method, path, **how)
        told = {error["field"]: error["message"] for error in answer.json["errors"]}
        right = "Not a valid datetime" if is_moment else "Not a valid date: YYYY-MM-DD, such as 2026-07-31."
        assert (answer.status_code, told[name].startswith(right)) == (422, True), (path, name)


@pytest.mark.parametrize("month", ["2026-08\n", "20２６-08"])
def test_a_month_is_the_whole_of_what_is_said(sign_in: Sign, month: str) -> None:
    for path, role, how in (
        ("/v1/visits", Role.REGULATOR, {"query_string": {"month": month}}),
        ("/v1/visit-figures", Role.REGULATOR, {"query_string": {"month": month}}),
        ("/v1/inspection-plans", Role.REGULATOR, {"json": {"month": month, "seed": "1"}}),
        ("/v1/consents/sample", Role.REGULATOR, {"json": {"lender": "x", "month": month, "seed": "1"}}),
    ):
        answer = sign_in(role).send("POST" if "json" in how else "GET", path, **how)
        assert (answer.status_code, [e["field"] for e in answer.json["errors"]]) == (422, ["month"]), path


def test_a_text_does_not_end_in_a_line_s_end(sign_in: Sign) -> None:
    for text in ("x\n", "x\r\n"):
        answer = sign_in(Role.REGULATOR).post("/v1/keys", json={"role": "regulator", "owner": text})
        assert answer.status_code == 422, answer.json


def _dates_that_come_in(app: Flask) -> Iterator[tuple[str, str, Role, str, bool]]:
    """Of every parameter and member of a body that is a date or a moment: how it is asked, and its name."""
    document = app.test_client().get("/openapi.json").json
    addresses, schemas = app.url_map.bind("localhost"), document["components"]["schemas"]
    for template, operations in document["paths"].items():
        path = re.sub(r"{\w+}", "1", template)
        for method in {"get", "post"} & operations.keys():
            operation = operations[method]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = schemas[body["schema"]["$ref"].rpartition("/")[2]] if body else {"properties": {}}
            given = {
                p["name"]: p["schema"] for p in operation.get("parameters", []) if p.get("in") == "query"
            }
            role = min(ACCESS[addresses.match(path, method.upper())[0]].roles or Role)
            for name, kind in {**given, **schema["properties"]}.items():
                if kind.get("format") in ("date", "date-time"):
                    yield method.upper(), path, role, name, kind["format"] == "date-time"


def _endpoints_with_a_body(app: Flask) -> Iterator[tuple[str, Role]]:
    """Each address to which JSON is sent, and a role that may."""
    addresses = app.url_map.bind("localhost")
    for template, operations in app.test_client().get("/openapi.json").json["paths"].items():
        path = re.sub(r"{\w+}", "1", template)
        if "requestBody" in operations.get("post", {}):
            endpoint, _ = addresses.match(path, "POST")
            yield path, min(ACCESS[endpoint].roles or ())
