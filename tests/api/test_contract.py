"""The OpenAPI document says what the API does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from client import Sign
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from small_district import FINED

from api.around.access import ACCESS
from api.http.fields import PRINTABLE
from scoring.access.keys import Role

EXAMPLES = 10
CHARACTERS = st.characters(
    exclude_categories=["Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"], include_characters=" "
)
schemathesis.openapi.format("printable", st.text(CHARACTERS, min_size=1, max_size=60).filter(str.strip))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """The document is the same on every database."""
    return sqlite_district_url


def test_the_document_is_openapi_3_1_and_leaves_no_endpoint_out(document: dict[str, Any]) -> None:
    operations = [op for path in document["paths"].values() for op in path.values() if isinstance(op, dict)]
    hidden = ("static", "docs.", "api-docs.", "pages.")
    assert document["openapi"].startswith("3.1")
    assert len(operations) == len([name for name in ACCESS if not name.startswith(hidden)])
    assert all(operation["summary"] for operation in operations)


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for name, response in document["components"]["responses"].items():
        assert list(response["content"]) == ["application/problem+json"], name


def test_the_documentation_needs_no_other_network(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/docs/")
    assets = [part.split('"')[0] for part in page.text.split('="')[1:] if part.startswith("/")]
    assert len(assets) >= 4
    for asset in assets:
        assert client.get(asset).status_code == 200, asset
    assert "http" not in page.text.replace("charset", "").replace("http-equiv", "")


@pytest.mark.parametrize("role", [Role.REGULATOR, Role.LENDER, Role.DEPARTMENT])
def test_whatever_is_asked_the_answer_is_as_documented(app: Flask, sign_in: Sign, role: Role) -> None:
    headers = {"Authorization": f"Bearer {sign_in(role).token}", "Accept-Encoding": "identity"}
    for operation in _operations(app):

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        check()


WHAT_NO_SCHEMA_SAYS = {
    "POST /v1/records": "what a row may hold is said by its vocabulary",
    "POST /v1/simulations": "a text, or a pack and a version",
    "POST /v1/rule-drafts": "a text is a pack",
    "POST /v1/rule-drafts/examinations": "a text is a pack",
    "POST /v1/rule-trials": "a text is a pack",
    "POST /v1/consequences": "an office by the role, and one of two grounds",
    "POST /v1/keys": "an organisation by the role",
    "GET /v1/alerts": "of unassigned and assigned_to only one",
    "GET /v1/changes": "a place is one that the feed has come to",
    "POST /v1/subscriptions": "an organisation and kinds by the role, an https address",
    "POST /v1/proposals/{proposal_id}/answers": "a regulator says for whom",
    "POST /v1/tickets": "an enterprise's code has a check character",
    "POST /v1/lender-checks": "an enterprise's code has a check character",
    "POST /v1/consents": "a term is bounded, and begins soon",
    "POST /v1/consents/sample": "a month is drawn from when it is over",
    "POST /v1/lenders/stop": "a lender is one that has a key",
    "POST /v1/lenders/lift": "a lender is one that has a key",
    "POST /v1/visits": "a key that names no office says which go",
    "GET /v1/subjects": "points have two decimals",
    "GET /v1/subjects/{subject_id}/explanation": "a moment is of these centuries; a run has a day of its own",
}


def test_what_the_document_allows_is_not_refused(app: Flask, sign_in: Sign) -> None:
    headers = {"Authorization": f"Bearer {sign_in(Role.REGULATOR).token}", "Accept-Encoding": "identity"}
    for operation in _operations(app):
        if operation.label in WHAT_NO_SCHEMA_SAYS:
            continue

        @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
        @settings(
            max_examples=5,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def check(case: schemathesis.Case) -> None:
            if "subject_id" in (case.path_parameters or {}):
                case.path_parameters["subject_id"] = FINED  # a code has a check character
            if _goes_on_by_key(case.operation):
                (case.query or {}).pop("cursor", None)  # which text holds a key is not said by its letters
            case.call_and_validate(headers=headers, checks=[positive_data_acceptance])

        check()


@pytest.mark.parametrize("text", ["a\u202eb", "a\nb", "\x00", "a\uffffb", " ", "", "\ue000", "x" * 501])
def test_what_is_refused_as_a_text_is_refused_by_the_document(
    app: Flask, sign_in: Sign, document: dict[str, Any], text: str
) -> None:
    field = document["components"]["schemas"]["TicketRequest"]["properties"]["title"]
    allowed = re.search(field["pattern"], text) and field["minLength"] <= len(text) <= field["maxLength"]
    body = {"title": text, "source": "hotline"}
    answer = sign_in(Role.REGULATOR).post("/v1/tickets", json=body)
    assert (answer.status_code, bool(allowed)) == (422, False)


@pytest.mark.parametrize(
    ("text", "status"), [("𠮷野家", 201), ("甲\U000e0041乙", 422), ("甲\U000f0000乙", 422)]
)
def test_beyond_the_first_plane_too_what_is_hidden_is_refused(sign_in: Sign, text: str, status: int) -> None:
    body = {"title": text, "source": "hotline"}
    assert sign_in(Role.REGULATOR).post("/v1/tickets", json=body).status_code == status


def _goes_on_by_key(operation: schemathesis.APIOperation) -> bool:
    cursors = [one.definition["schema"] for one in operation.query if one.name == "cursor"]
    return any(re.fullmatch(schema["pattern"], "a") for schema in cursors)


def _operations(app: Flask) -> Iterator[schemathesis.APIOperation]:
    """All but the one that starts processes, which has a test of its own."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    _name_printable(schema.raw_schema)
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.label != "POST /v1/runs":
            yield operation


def _name_printable(part: Any) -> None:
    """Give texts a format to be drawn by: to read the 400,000 characters of their pattern takes a second.

    What is drawn must fit the pattern all the same.
    """
    if isinstance(part, list):
        for inner in part:
            _name_printable(inner)
    elif isinstance(part, dict):
        for inner in part.values():
            _name_printable(inner)
        if part.get("pattern") == PRINTABLE:
            part["format"] = "printable"
