"""A credit report is numbered, kept, and verified by anybody who holds it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from client import Client, Sign, repaired
from flask import Flask
from small_district import FINED, LISTED

from api.around.limits import WITHOUT_KEY
from scoring.access.audit import entries
from scoring.access.keys import Role
from scoring.answers.credit_report import paper
from scoring.store import Store
from scoring.store.reports import IssuedReport


def issue(client: Client, subject: str = FINED, status: int = 201) -> dict[str, Any]:
    answer = client.post(f"/v1/subjects/{subject}/reports", json=None)
    assert answer.status_code == status, answer.json
    found: dict[str, Any] = answer.json
    return found


def test_a_report_is_issued_kept_as_it_was_given_out_and_logged(
    app: Flask, regulator: Client, store: Store
) -> None:
    found = issue(regulator)
    address = f"/v1/reports/{found['number']}/file"
    files = [regulator.get(address) for _ in range(2)]
    assert files[0].data == files[1].data
    assert files[0].data.startswith(b"%PDF-")
    assert hashlib.sha256(files[0].data).hexdigest() == found["sha256"]
    done = entries(store, action="credit_reports.post_report", limit=1)[0]
    assert (done.subject_id, done.details["report"]) == (FINED, found["number"])
    with store.reading() as session:
        (row,) = session.query(IssuedReport).all()
        assert row.issued_by == done.actor


def test_anybody_verifies_a_report_however_its_number_and_code_are_typed(
    app: Flask, regulator: Client
) -> None:
    found, nobody = issue(regulator), app.test_client()
    told = {name: value for name, value in found.items() if name != "code"}
    typed = (
        (found["number"], found["code"]),
        (found["number"].lower(), found["code"].replace("-", " ").lower()),
        (found["number"].replace("-", ""), found["code"].replace("-", "－")),
    )
    for number, code in typed:
        answer = nobody.get(f"/v1/reports/{number}", query_string={"code": code})
        assert (answer.status_code, answer.json) == (200, told)


def test_a_wrong_code_and_an_unknown_number_get_the_same_answer(app: Flask, regulator: Client) -> None:
    found, nobody = issue(regulator), app.test_client()
    tries = ((found["number"], "AAAA-AAAA-AAAA-AAAA"), ("20260101-AAAABBBB", found["code"]), ("x", "错"))
    answers = [nobody.get(f"/v1/reports/{number}", query_string={"code": code}) for number, code in tries]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.json["detail"] for answer in answers}) == 1
    assert found["name"] not in answers[0].text


@pytest.mark.parametrize("path", ["/v1/reports/x?code=y", "/v1/visits/314159265358"])
def test_who_has_no_key_may_try_so_often_and_no_more(app: Flask, regulator: Client, path: str) -> None:
    nobody, most = app.test_client(), int(WITHOUT_KEY.partition("/")[0])
    statuses = [nobody.get(path).status_code for _ in range(2 * most + 1)]
    assert statuses[0] == 404
    assert statuses[-1] == 429  # at most two minutes began meanwhile
    other = nobody.get(path, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert other.status_code == 404
    assert regulator.get("/v1/subjects").status_code == 200


def test_an_enterprise_has_its_own_report_alone(sign_in: Sign, regulator: Client) -> None:
    own, other = sign_in(Role.SUBJECT, FINED), sign_in(Role.SUBJECT, LISTED)
    found = issue(own)
    issue(other, FINED, 404)
    assert own.get(f"/v1/reports/{found['number']}/file").status_code == 200
    assert other.get(f"/v1/reports/{found['number']}/file").status_code == 404
    assert regulator.get(f"/v1/reports/{found['number']}/file").status_code == 200
    issue(regulator, "91110000600037341L", 404)


def test_what_becomes_known_while_it_is_printed_is_printed(
    regulator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repair that comes between reading and noting: the report is laid out again, without the record."""
    printed: list[int] = []
    really = paper.report_pdf

    def print_and_repair(content: Any, *others: Any) -> bytes:
        if not printed:
            body = {"reason": "x", "evidence": [{"title": "t", "reference": "r"}]}
            body["effective_on"] = "2026-07-01"
            assert repaired(regulator, "P-1", regulator.colleague, **body).status_code == 201
        printed.append(sum(len(lines) for _, lines in content.chapters))
        return really(content, *others)

    monkeypatch.setattr("scoring.answers.credit_report.issued.report_pdf", print_and_repair)
    issue(regulator)
    assert printed == [2, 1]


def test_where_no_pdf_can_be_made_nothing_is_issued(
    regulator: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(paper.ADDRESS_VARIABLE, "nowhere")
    assert "XINHENG_ADDRESS" in issue(regulator, status=503)["detail"]
    with store.reading() as session:
        assert session.query(IssuedReport).count() == 0


# On the page


@pytest.fixture
def verified(app: Flask) -> Callable[..., tuple[int, str]]:
    """Fills in the page that is open to everybody."""

    def send(number: str, code: str, file: bytes | None = None) -> tuple[int, str]:
        visitor = app.test_client()
        visitor.get("/verify-report")
        with visitor.session_transaction() as session:
            form: dict[str, Any] = {"form_token": session["form_token"], "number": number, "code": code}
        if file is not None:
            form["file"] = (io.BytesIO(file), "r.pdf")
        answer = visitor.post("/verify-report", data=form, content_type="multipart/form-data")
        return answer.status_code, answer.text

    return send


def test_on_the_page_it_is_said_whether_the_file_is_the_one_that_was_issued(
    regulator: Client, verified: Callable[..., tuple[int, str]]
) -> None:
    found = issue(regulator)
    file = regulator.get(f"/v1/reports/{found['number']}/file").data
    status, text = verified(found["number"], found["code"])
    assert (status, found["name"] in text, found["sha256"] in text) == (200, True, True)
    assert "与出具时一致" in verified(found["number"], found["code"], file)[1]
    assert "与出具时不一致" in verified(found["number"], found["code"], file + b" ")[1]
    status, text = verified(found["number"], "AAAA")
    assert (status, found["name"] in text) == (404, False)


def test_the_link_on_the_paper_leads_to_what_was_issued(app: Flask, regulator: Client) -> None:
    found = issue(regulator)
    answer = app.test_client().get(
        "/verify-report", query_string={"number": found["number"], "code": found["code"]}
    )
    assert (answer.status_code, found["name"] in answer.text) == (200, True)
