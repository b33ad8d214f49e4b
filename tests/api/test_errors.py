"""Every error is a problem of a stable type that explains itself."""

from __future__ import annotations

import re

import pytest
from client import Client
from flask import Flask
from marshmallow import fields
from small_district import FINED
from werkzeug.exceptions import HTTPException

from api.app import create_app
from api.http.fields import WholeNumber
from api.http.messages import in_chinese, in_english
from api.http.problems import TYPES
from api.settings import Settings
from scoring.access.audit import entries
from scoring.access.keys import Role, create_key
from scoring.store import Store


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("GET", "/v1/nothing", None, "not-found"),
        ("GET", "/v1/runs/99", None, "not-found"),
        ("GET", f"/v1/runs/{10**30}", None, "not-found"),
        ("PUT", "/v1/runs", None, "method-not-allowed"),
        ("POST", "/v1/records", b"{not json", "bad-request"),
        ("POST", "/v1/records", b"{}", "invalid"),
        ("GET", "/v1/subjects?limit=many", None, "invalid"),
        ("GET", "/v1/subjects/a%00b/grade", None, "bad-request"),
        ("GET", "/v1/subjects?tier=%00", None, "bad-request"),
        ("POST", "/v1/runs", b'{"pack": "nobody-knows"}', "invalid"),
        ("POST", "/v1/runs", b'{"as_of": "1990-01-01"}', "invalid"),
    ],
)
def test_an_error_says_what_where_and_of_which_type(
    regulator: Client, method: str, path: str, body: bytes | None, kind: str
) -> None:
    answer = regulator.send(method, path, data=body, content_type="application/json" if body else None)
    problem = answer.json
    assert answer.mimetype == "application/problem+json"
    assert problem["type"] == f"/problems/{kind}"
    assert problem["status"] == answer.status_code == TYPES[kind].status
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert regulator.get(problem["type"]).json["advice"]


def test_what_may_be_asked_instead_is_named(regulator: Client) -> None:
    answer = regulator.send("PUT", "/v1/runs")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))
    assert answer.json["detail"] == "This can't be done here; what is: GET, POST"


@pytest.mark.parametrize(
    ("evidence", "field", "en", "zh"),
    [
        (
            "整改报告",
            "evidence",
            "Not a list: […] is needed, around a single value too.",
            "应为列表,只有一项也写作[…]",
        ),
        (
            ["整改报告"],
            "evidence.0",
            "Invalid input type: {…} is needed, or [{…}] where there can be several.",
            "内容的类型不对,应写作{…},可有多项的写作[{…}]",
        ),
    ],
)
def test_a_value_of_another_shape_is_told_which_is_needed(
    regulator: Client, evidence: object, field: str, en: str, zh: str
) -> None:
    for language, said in (("en", en), ("zh", zh)):
        answer = regulator.post(
            "/v1/records/P-1/repairs", json={"evidence": evidence}, headers={"Accept-Language": language}
        )
        assert [e["message"] for e in answer.json["errors"] if e["field"] == field] == [said]


def test_every_wrong_field_is_named(regulator: Client) -> None:
    answer = regulator.post("/v1/records/P-1/repairs", json={"evidence": [{"title": ""}]})
    fields = {error["field"] for error in answer.json["errors"]}
    assert {"reason", "effective_on", "evidence.0.title", "evidence.0.reference"} <= fields


def test_too_many_requests_are_refused_and_told_when_to_come_back(store: Store) -> None:
    app = create_app(Settings(log_level="error", rate_limit="3/minute"), store)
    eager = Client(app.test_client(), create_key(store, Role.REGULATOR, "eager").token)
    other = Client(app.test_client(), create_key(store, Role.REGULATOR, "other").token)
    answers = [eager.get(f"/v1/subjects/{FINED}/grade") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json["type"] == "/problems/too-many-requests"
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert other.get("/v1/runs").status_code == 200
    by_eager = [entry.details["status"] for entry in entries(store, actor=eager.prefix)]
    assert by_eager == [200] * 3, "what is refused so fills no log"


def test_a_failure_is_answered_without_its_inside(
    app: Flask, regulator: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    @app.before_request
    def fail() -> None:
        raise RuntimeError("the password is tulip")

    answer = regulator.get(f"/v1/subjects/{FINED}/grade")
    assert answer.status_code == 500
    assert answer.json["type"] == "/problems/internal"
    assert "tulip" not in answer.text


@pytest.mark.parametrize(
    ("number", "answered", "kind"),
    [
        (501, 501, "internal"),
        (418, 418, "bad-request"),
        *(
            (kind.status, kind.status, kind.name)
            for kind in TYPES.values()
            if kind.status != 403 and kind.name not in ("busy", "not-printable", "rules-at-fault")
        ),
    ],
)
def test_every_error_has_a_type_whatever_its_number(
    app: Flask, regulator: Client, number: int, answered: int, kind: str
) -> None:
    @app.before_request
    def fail() -> None:
        error = HTTPException("as it is")
        error.code = number
        raise error

    answer = regulator.get("/v1/runs")
    assert (answer.status_code, answer.json["status"]) == (answered, answered)
    assert answer.json["type"] == f"/problems/{kind}"


def test_a_body_that_is_too_large_is_refused(store: Store) -> None:
    app = create_app(Settings(log_level="error", max_body_bytes=100), store)
    client = Client(app.test_client(), create_key(store, Role.REGULATOR, "x").token)
    answer = client.post("/v1/records", json={"records": [{"record_id": "x" * 200}]})
    assert (answer.status_code, answer.json["type"]) == (413, "/problems/too-large")


@pytest.mark.parametrize(
    ("language", "answered"),
    [
        (None, "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("*", "en"),
    ],
)
@pytest.mark.parametrize(
    ("path", "en", "zh"),
    [
        ("/v1/nothing", "There is nothing at this address; check it.", "没有这个地址，请核对。"),
        ("/v1/runs/999", "there is no run 999", "没有第999次评价"),
        ("/v1/subjects?limit=0", "Must be greater than or equal to 1", "应在1至500之间"),
        ("/v1/subjects?colour=red", "there is no parameter colour", "没有参数colour"),
        (f"/v1/subjects/{FINED}/explanation?run=1&as_of=2026-07-31", "leave out as_of", "不填as_of"),
        ("/v1/changes?after=x", "is no place", "不是"),
    ],
)
def test_an_error_is_told_in_the_language_that_is_asked_for(
    regulator: Client, language: str | None, answered: str, path: str, en: str, zh: str
) -> None:
    answer = regulator.get(path, headers={"Accept-Language": language} if language else {})
    assert (en in answer.text, zh in answer.text) == (answered == "en", answered == "zh"), answer.text
    assert (answer.headers["Content-Language"], "Accept-Language" in answer.headers["Vary"]) == (
        answered,
        True,
    )
    chinese = re.search(r"[\u4e00-\u9fff]", answer.text) is not None
    assert chinese == (answered == "zh"), "and in no other"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PUT", "/v1/runs", None), ("POST", "/v1/records", b"text"), ("GET", "/v1/x", None)],
)
def test_no_error_is_told_by_a_sentence_of_the_framework(
    regulator: Client, method: str, path: str, body: bytes | None
) -> None:
    told = regulator.send(method, path, data=body, content_type="text/plain").json["detail"]
    assert not any(word in told for word in ("URL", "server", "browser", "requested"))


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_json_that_is_not_called_so_is_told_the_header(regulator: Client, kind: str | None) -> None:
    """As by curl, which calls everything a form."""
    answer = regulator.send("POST", "/v1/records", data=b'{"records": []}', content_type=kind)
    assert answer.status_code == 422
    assert answer.json["detail"] == "send the header Content-Type: application/json"


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        (
            "/v1/records",
            {"records": [{"record_id": "N-1", "subject_id": FINED, "kind": "nothing"}]},
            "不在代码表中",
        ),
        ("/v1/simulations", {"as_of": "2026-07-31", "text": "pack: [1"}, "应为"),
    ],
)
def test_what_is_wrong_with_a_row_or_a_rule_is_told_to_who_asks_in_chinese(
    regulator: Client, path: str, body: dict[str, object], told: str
) -> None:
    answer = regulator.post(path, json=body, headers={"Accept-Language": "zh"})
    assert answer.status_code == 422
    messages = [error["message"] for error in answer.json["errors"]]
    assert "填写有误" not in messages
    assert any(told in message for message in messages), messages


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Not a month: YYYY-MM, such as 2026-08."), ("zh", "不是月份,应写作2026-08")],
)
def test_a_text_of_a_wrong_form_is_told_the_right_one(regulator: Client, language: str, said: str) -> None:
    answer = regulator.send("GET", "/v1/visits?month=2026-13", headers={"Accept-Language": language})
    assert [error["message"] for error in answer.json["errors"]] == [said]


SAID = {
    "required", "null", "invalid", "invalid_utf8", "too_large", "special", "type",
}  # fmt: skip


def test_what_marshmallow_says_tells_what_would_be_right() -> None:
    """In both languages; that a value is missing says it already."""
    kinds = [
        fields.String,
        fields.Boolean,
        WholeNumber,
        fields.Float,
        fields.List,
        fields.Dict,
        fields.Nested,
    ]
    classes = [each for kind in kinds for each in kind.__mro__]
    own = [vars(each).get("default_error_messages", {}) for each in classes]
    said = {str(text) for texts in own for name, text in texts.items() if name in SAID}
    said |= {"Not a valid datetime.", "Not a valid aware datetime."}
    assert len(said) >= 12
    bare = {text for text in said if in_english(text) == text or in_chinese(text) == "填写有误"}
    assert bare == {"Missing data for required field."}
