"""What can be kept can be asked for: numbers with slashes and other marks, on the real server."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import Flask, url_for
from repairing import steps
from seeing import having_looked
from small_district import FINED
from test_server import _served as served
from waiting import PATIENCE

from scoring.access.audit import entries
from scoring.access.keys import Role, create_key
from scoring.store import Store

NUMBERS = (
    "云市监/2026/12", "/a", "a/", "//a//b/", "a b", "100%", "a%2Fb", "a?b=c&d", "a#b", "a+b", "a;b", "...",
    "x/objections", "objections", "〔2026〕3号", "a&b", '"a\'', "a\\b", "~.-_", "😀/1", "x" * 200, "罚" * 200,
)  # fmt: skip
EVIDENCE = [{"title": "t", "reference": "r"}]
MARK = {"reason": "x", "evidence": EVIDENCE, "effective_on": "2026-08-01"}


def _row(number: str) -> dict[str, str]:
    return {"record_id": number, "subject_id": FINED, "kind": "penalty", "occurred_on": "2026-07-01"} | {
        "status": "effective", "level": "fine", "severity": "minor", "field": "general"
    }  # fmt: skip


class Caller:
    """Sends addresses to the server as they are written."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._headers = port, {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, address: str, body: Any = None) -> tuple[int, Any]:
        body = having_looked(lambda place: self("GET", place)[1], address, body)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        connection.request(method, address, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)


@pytest.mark.parametrize("district_url", ["sqlite"], indirect=True)
def test_a_record_can_be_contested_and_repaired_whatever_its_number_holds(
    store: Store, district_url: str
) -> None:
    token = create_key(store, Role.REGULATOR, "x").token
    with served(district_url) as (port, _):
        ask = Caller(port, token)
        decide = Caller(port, create_key(store, Role.REGULATOR, "somebody else").token)
        assert ask("POST", "/v1/records", {"records": [_row(n) for n in NUMBERS]})[1]["new"] == len(NUMBERS)
        for number in NUMBERS:
            address = f"/v1/records/{quote(number, safe='')}"
            assert ask("GET", address)[1]["versions"][0]["record_id"] == number
            assert ask("POST", f"{address}/objections", MARK)[0] == 201, number
            assert decide("POST", f"{address}/decisions", MARK | {"outcome": "rejected"})[0] == 201, number
            for step, body in steps(MARK):
                by = decide if step == "repairs" else ask
                assert by("POST", f"{address}/{step}", body)[0] == 201, number
            assert len(ask("GET", address)[1]["marks"]) == 5
        assert ask("GET", "/v1/records/a//b")[0] == 404
        for number in NUMBERS:
            assert ask("GET", f"/v1/subjects/{quote(number, safe='')}/grades?pack=rural-credit")[0] == 200
    read = entries(store, action="subjects.list_grades")
    assert {entry.subject_id for entry in read} == set(NUMBERS)


@pytest.mark.parametrize("district_url", ["sqlite"], indirect=True)
def test_the_links_of_the_pages_lead_to_the_subject_whatever_its_number_holds(app: Flask) -> None:
    with app.test_request_context():
        links = {n: url_for("pages.report", pack_id="rural-credit", subject_id=n) for n in NUMBERS}
    for number, link in links.items():
        with app.test_request_context(link) as context:
            assert context.request.view_args == {"pack_id": "rural-credit", "subject_id": number}


@pytest.mark.parametrize("district_url", ["sqlite"], indirect=True)
def test_who_signs_in_comes_back_to_the_page_whatever_number_its_address_holds(app: Flask) -> None:
    for number in NUMBERS:
        wanted = f"/subjects/rural-credit/{quote(number, safe='')}?run=1"
        asked = app.test_client().get(wanted).headers["Location"]
        back = parse_qs(urlsplit(asked).query)["next"][0]
        with app.test_request_context(back) as context:
            assert context.request.view_args == {"pack_id": "rural-credit", "subject_id": number}
            assert context.request.args.to_dict() == {"run": "1"}
