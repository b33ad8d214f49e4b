"""What a browser is shown where there is nothing to show: a page, and problem details for programs."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from api.app import create_app
from api.settings import Settings
from scoring.access.keys import Role, create_key
from scoring.store import Store

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("PUT", "/sign-in", 405),
        ("GET", "/now%00here", 400),
        ("GET", "/alerts/x", 404),
    ],
)
def test_an_address_of_nothing_is_a_page_in_a_browser(
    pages: Flask, method: str, path: str, status: int
) -> None:
    answer = pages.test_client().open(path, method=method, headers=BROWSER)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert "<main" in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    if status == 405:
        assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_address_of_nothing_is_answered_in_the_chosen_language(pages: Flask, language: str) -> None:
    client = pages.test_client()
    client.set_cookie("language", language)
    told = client.get("/nowhere", headers=BROWSER).text
    assert ("没有这个地址" in told, "There is nothing at this address" in told) == (
        language == "zh",
        language == "en",
    )
    assert "requested URL" not in told


def test_who_is_signed_in_finds_the_way_back_from_an_address_of_nothing(
    pages: Flask, town_store: Store
) -> None:
    token = create_key(town_store, Role.REGULATOR, "看错地址的人").token
    client = pages.test_client()
    asked = client.get("/sign-in", headers=BROWSER).text
    form = re.search(r'name="form_token" value="([^"]+)"', asked)
    assert form
    client.post("/sign-in", data={"key": token, "form_token": form[1]}, headers=BROWSER)
    told = client.get("/nowhere", headers=BROWSER)
    assert told.status_code == 404
    assert 'href="/alerts"' in told.text
    assert "看错地址的人" in told.text
    stranger = pages.test_client().get("/nowhere", headers=BROWSER).text
    assert 'href="/alerts"' not in stranger


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.5", ""])
def test_a_program_is_told_in_problem_details(pages: Flask, accept: str) -> None:
    answer = pages.test_client().get("/nowhere", headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/runs/x", "/v1/runs", "/metrics"])
def test_what_is_for_programs_is_answered_so_even_in_a_browser(pages: Flask, path: str) -> None:
    answer = pages.test_client().get(path, headers=BROWSER)
    assert answer.status_code >= 400
    assert answer.mimetype == "application/problem+json"


def test_a_failure_outside_of_any_page_is_a_page_that_tells_nothing(town_store: Store) -> None:
    app = create_app(Settings(log_level="critical"), town_store)

    @app.before_request
    def fail() -> None:
        raise RuntimeError("the password is tulip")

    answer = app.test_client().get("/nowhere", headers=BROWSER)
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert "tulip" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


@pytest.mark.parametrize(
    ("path", "zh", "en"),
    [
        ("/alerts?state=gone", "没有名为gone的预警状态", "no state of alerts is called gone"),
        ("/alerts?before=x", "地址中的before不是本列表的编号", "before is not a number of this list"),
        ("/tickets?stage=gone", "没有名为gone的阶段", "no stage is called gone"),
    ],
)
@pytest.mark.parametrize("language", ["both", "zh", "en"])
def test_what_is_wrong_with_an_address_is_told_in_the_chosen_language(
    pages: Flask, town_store: Store, path: str, zh: str, en: str, language: str
) -> None:
    token = create_key(town_store, Role.REGULATOR, "看错地址的人").token
    client = pages.test_client()
    client.set_cookie("language", language)
    form = re.search(r'name="form_token" value="([^"]+)"', client.get("/sign-in", headers=BROWSER).text)
    assert form
    client.post("/sign-in", data={"key": token, "form_token": form[1]}, headers=BROWSER)
    told = client.get(path, headers=BROWSER).text
    assert (zh in told, en in told) == (language != "en", language != "zh")


def test_a_form_of_another_session_is_refused_in_chinese(pages: Flask) -> None:
    told = pages.test_client().post("/sign-in", data={"key": "x"}, headers=BROWSER).text
    assert "表单已过期,请重新打开页面" in told
    assert '<span lang="en" class="en">the form is too old; load the page again</span>' in told
