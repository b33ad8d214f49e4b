"""What offices sent, over the API, on the page and at the command line; a department sees its own."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import Any

import pytest
from click.testing import CliRunner
from client import Client, Sign
from flask import Flask
from flask.testing import FlaskClient
from small_district import AUTHORITY, FINED, OTHER_AUTHORITY, take

from rules.calendar import today
from rules.library.loader import load_vocabulary
from scoring.access.keys import Role
from scoring.cli.feeds import feeds_command
from scoring.facts.feeds import record_months
from scoring.facts.records import list_records
from scoring.store import Store

WRONG = "=1+1"


def _row(number: str, **more: object) -> dict[str, object]:
    fixed = {"record_id": number, "subject_id": FINED, "kind": "penalty", "severity": "general"}
    return fixed | {"status": "effective", "occurred_on": today().isoformat(), "level": "fine"} | more


@pytest.fixture
def fed(store: Store, sign_in: Sign) -> None:
    """Two departments have sent a good row, and one of them a wrong one."""
    take(store, "department", "subject", "subject_id", [{"subject_id": "DW1", "name": AUTHORITY}])
    for authority, wrong in ((AUTHORITY, [_row("A-2", amount=WRONG)]), (OTHER_AUTHORITY, [])):
        rows = [_row(f"{authority}-1"), *wrong]
        answer = sign_in(Role.DEPARTMENT, authority).post("/v1/records", json={"records": rows})
        assert answer.status_code == 200


def _feeds(client: Client, query: str = "") -> list[tuple[Any, ...]]:
    items = client.get(f"/v1/feeds{query}").json["items"]
    return [(item["body"], item["name"], item["sent"], item["right"], item["refused"]) for item in items]


OWN, OTHER = ("DW1", AUTHORITY, 2, 1, 1), (None, OTHER_AUTHORITY, 1, 1, 0)


@pytest.mark.usefixtures("fed")
def test_a_regulator_sees_every_feed_and_a_department_its_own_alone(regulator: Client, sign_in: Sign) -> None:
    assert _feeds(regulator) == [OWN, OTHER]
    assert _feeds(regulator, "?body=DW1") == [OWN]
    assert _feeds(regulator, "?body=无此单位") == []
    assert _feeds(regulator, "?on=2020-01-01") == []
    for organisation, own in ((AUTHORITY, OWN), (OTHER_AUTHORITY, OTHER)):
        department = sign_in(Role.DEPARTMENT, organisation)
        assert _feeds(department) == _feeds(department, "?body=DW1") == [own]
    rows = "/v1/feeds/rows?body=DW1"
    assert WRONG in regulator.get(rows).text
    assert sign_in(Role.DEPARTMENT, AUTHORITY).get("/v1/feeds/rows").text == regulator.get(rows).text
    assert sign_in(Role.DEPARTMENT, OTHER_AUTHORITY).get(rows).text == ""


@pytest.mark.usefixtures("fed")
def test_what_an_office_has_to_put_right_is_a_file_in_which_nothing_runs(regulator: Client) -> None:
    text = regulator.get("/v1/feeds/rows?body=DW1&format=csv").text
    [found] = csv.DictReader(io.StringIO(text))
    assert (found["kind"], found["row_no"], found["column"]) == ("refused", "2", "涉及金额")
    assert found["value"] == f"'{WRONG}"


def _signed_in(app: Flask, token: str) -> FlaskClient:
    client = app.test_client()
    client.get("/sign-in")
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"], "key": token, "next": ""}
    client.post("/sign-in", data=form)
    return client


@pytest.mark.usefixtures("fed")
def test_the_page_links_to_the_file_of_each_office(app: Flask, sign_in: Sign, regulator: Client) -> None:
    page = _signed_in(app, regulator.token)
    shown = page.get("/feeds").text
    assert AUTHORITY in shown
    assert OTHER_AUTHORITY in shown
    assert shown.count("/feeds/rows.csv?body=DW1") == shown.count("/feeds/rows.csv") == 1
    file = page.get("/feeds/rows.csv?body=DW1")
    assert file.text.startswith("\ufeff")
    assert f"'{WRONG}" in file.text
    assert "未入库 refused" in file.text
    own = _signed_in(app, sign_in(Role.DEPARTMENT, OTHER_AUTHORITY).token)
    assert AUTHORITY not in own.get("/feeds").text
    assert WRONG not in own.get("/feeds/rows.csv?body=DW1").text
    assert page.get("/feeds?since=gestern").status_code == 400


@pytest.mark.usefixtures("fed")
def test_the_command_lists_feeds_and_the_rows_of_one(district_url: str) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(feeds_command, [*words, "--database", district_url, "--format", "csv"])
        return done.exit_code, done.output

    assert [row["sent"] for row in csv.DictReader(io.StringIO(run()[1]))] == ["2", "1"]
    [found] = csv.DictReader(io.StringIO(run("--body", AUTHORITY, "--rows")[1]))
    assert (found["kind"], found["value"]) == ("refused", f"'{WRONG}")
    assert run("--rows")[0] == 2
    told = CliRunner().invoke(feeds_command, ["--body", AUTHORITY, "--database", district_url]).output
    assert "False" not in told, "a table says in words who is silent"


@pytest.mark.usefixtures("fed")
def test_rows_that_are_posted_again_were_sent_once(regulator: Client, sign_in: Sign) -> None:
    rows = [_row("B-1"), _row("B-2", amount=WRONG)]
    found = []
    for _ in range(2):
        sign_in(Role.DEPARTMENT, AUTHORITY).post("/v1/records", json={"records": rows})
        found.append((_feeds(regulator), regulator.get("/v1/feeds/rows?body=DW1").text))
    assert found[0] == found[1]
    assert found[0][0][0] == ("DW1", AUTHORITY, 4, 2, 2)


@pytest.mark.usefixtures("fed")
def test_one_number_is_right_everywhere(
    app: Flask, store: Store, district_url: str, regulator: Client, sign_in: Sign
) -> None:
    rows = [_row("B-1", occurred_on="2020-01-01")]
    sign_in(Role.DEPARTMENT, AUTHORITY).post("/v1/records", json={"records": rows})
    [item] = regulator.get("/v1/feeds?body=DW1").json["items"]
    assert (item["sent"], item["right"], item["backlog"], item["share"]) == (3, 2, 1, 66.6)
    assert len(regulator.get("/v1/feeds/rows?body=DW1").text.splitlines()) == 1, "backlog is no fault"
    shown = _signed_in(app, regulator.token).get("/feeds").text
    [cells] = re.findall(f"{AUTHORITY}.*?</tr>", shown, re.DOTALL)
    assert re.findall(r'class="number">([^<]*)<', cells)[1:4] == ["3", "2", "66.6%"]
    told = CliRunner().invoke(feeds_command, ["--body", "DW1", "--database", district_url])
    assert "\t3\t2\t66.6%\t" in told.output
    record_months(store, (today().replace(day=1) + dt.timedelta(32)).replace(day=1))
    [month] = list_records(store, load_vocabulary("department"))
    assert (month.data["rows_sent"], month.data["rows_right"]) == (3, 2)
