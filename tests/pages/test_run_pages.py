"""A run by button: started, watched, done while nobody looks, and only one at a time; and a month's plan."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from selenium.webdriver.support.select import Select
from serving import served
from test_sign_in import signed_in
from test_ticket_pages import send
from visitor import DESK, PHONE, Visitor

from api.app import create_app
from api.settings import Settings
from rules.calendar import add_months, today
from rules.library import loader
from rules.library.loader import PACKS
from scoring.access.keys import Role, create_key
from scoring.inspections.office import list_plans
from scoring.live import scan_jobs
from scoring.runs import jobs, leases
from scoring.runs.proposed import list_proposals
from scoring.runs.published import list_runs
from scoring.store import Store
from scoring.store.access import RunJob

PACK, AUTUMN = "department-credit", dt.date(2026, 9, 30)


@pytest.fixture
def district(own_town: Store) -> Store:
    """A town of the test's own: other tests count the runs of theirs."""
    return own_town


@pytest.fixture
def site(district: Store) -> Flask:
    return create_app(Settings(log_level="error"), district)


def signed(site: Flask, store: Store, role: Role) -> FlaskClient:
    return signed_in(site, create_key(store, role, "周某").token)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose process has not begun."""
    monkeypatch.setattr(leases, "start", lambda store, kind, job_id: None)


def states(store: Store) -> list[str]:
    return [job.state for job in jobs.list_jobs(store)]


def test_a_regulator_starts_a_run_closes_the_window_and_finds_it_published(
    visitor: Visitor, site: Flask, district: Store, waits: None
) -> None:
    with served(site) as address:
        regulator = replace(visitor, address=address)
        regulator.come_in(site, create_key(district, Role.REGULATOR, "周某").token)
        regulator.open("/runs")
        assert "尚未从页面或接口提出过评价" in regulator.text()
        Select(regulator.one("#pack")).select_by_value(PACK)
        regulator.browser.execute_script(
            "arguments[0].value = arguments[1]", regulator.one("#as_of"), str(AUTUMN)
        )
        regulator.press("main form button")
        assert "等待开始" in regulator.text("[aria-current=step]")
        for size, dark in ((DESK, False), (PHONE, True)):
            regulator.look(size, dark)
            assert regulator.faults() == [], size
            assert regulator.overflow() == 0, size
        regulator.look(DESK)
        regulator.press("main form button")
        assert "尚未完成,请在其完成后再开始" in regulator.text("[role=alert]")
        regulator.open("/home")
        regulator.open("/runs")
        (job,) = jobs.list_jobs(district)
        jobs.work(district, job.id)
        regulator.wait_until(lambda: "已发布" in regulator.text("tbody"))
        assert regulator.all("[aria-current=step]") == []
        (last, *_) = list_runs(district, limit=1)
        counts = [cell.text for cell in regulator.all("[aria-labelledby=asked] tbody .number")]
        assert counts == [str(job.id), f"{last.subjects:,}", f"{last.records:,}"], "two things, not their sum"
        regulator.press(f"tbody a[href$='/movers?run={last.id}']")
        assert (last.as_of, regulator.path) == (AUTUMN, "/movers")


def test_a_run_of_a_day_to_come_is_not_started_on_the_page(site: Flask, district: Store, waits: None) -> None:
    client = signed(site, district, Role.REGULATOR)
    assert send(client, "/runs", pack=PACK, as_of=str(today() + dt.timedelta(1))) == 422
    assert states(district) == []
    assert send(client, "/runs", pack=PACK, as_of=str(today())) == 303


def test_a_file_of_rules_that_was_changed_is_told_where_runs_are_started(
    site: Flask, district: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in PACKS.glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(loader.installed_packs, "__defaults__", (tmp_path,))
    client, file = signed(site, district, Role.REGULATOR), tmp_path / f"{PACK}.yaml"
    assert "改动过" not in client.get("/runs").text
    file.write_text(file.read_text("utf-8").replace("start: 75", "start: 70"), encoding="utf-8")
    assert f"文件{file}在上一批评价" in client.get("/runs").text
    file.write_text("pack: [", encoding="utf-8")
    answer = client.get("/runs")
    assert (answer.status_code, "有评价规则的文件有误" in answer.text) == (503, True)


def test_a_tier_that_vetoes_alone_give_is_shown_without_a_score(
    district: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (PACKS / "tourism-credit.yaml").read_text("utf-8")
    text = text.replace(
        "  - {tier: C,", "  - {tier: M, title: {zh: 新设立, en: New}, from: veto}\n  - {tier: C,", 1
    )
    text = text.replace("\nsupervision:\n", "\nsupervision:\n  M: {sample_share: 0.1}\n", 1)
    (tmp_path / "tourism-credit.yaml").write_text(text, "utf-8")
    monkeypatch.setattr(loader.installed_packs, "__defaults__", (tmp_path,))
    reader = create_app(Settings(log_level="error", public=True), district).test_client()
    assert "新设立" in reader.get("/public").text
    assert "仅由一票否决给出" in reader.get("/public/rules/tourism-credit").text


def test_a_run_is_called_as_its_rules_were_on_its_day(site: Flask, district: Store, waits: None) -> None:
    client = signed(site, district, Role.REGULATOR)
    assert send(client, "/runs", pack="enterprise-credit", as_of="2026-11-27") == 303
    listed = client.get("/runs").text.partition("<tbody>")[2]
    assert "企业公共信用综合评价" in listed
    assert "企业信用风险分类" not in listed


def test_a_run_is_proposed_first_where_days_are_given(
    site: Flask, district: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "start", lambda store, kind, job_id: jobs.work(store, job_id))
    client = signed(site, district, Role.REGULATOR)
    form = {"pack": PACK, "as_of": str(AUTUMN)}
    assert send(client, "/runs", **form, propose_days="10") == 303
    (found, *_) = list_proposals(district, limit=1)
    assert f'href="/proposals/{found.id}"' in client.get("/runs").text
    assert send(client, "/runs", **form) == 409, "while it is open nothing else is published"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"propose_days": "0"}, "征求意见天数"),
        ({"as_of": "x"}, "评价基准日"),
        ({"pack": "nothing"}, "nothing"),
        ({"as_of": "1999-01-01"}, "1999-01-01"),
    ],
)
def test_what_is_filled_in_wrongly_is_said_and_starts_nothing(
    site: Flask,
    district: Store,
    waits: None,
    wrong: dict[str, str],
    said: str,
) -> None:
    client = signed(site, district, Role.OPERATOR)
    form = {"pack": PACK, "as_of": str(AUTUMN), **wrong}
    assert send(client, "/runs", **form) == 422
    assert said in answer(client, form)
    assert states(district) == []


def test_a_run_that_failed_says_why_and_another_may_start(site: Flask, district: Store, waits: None) -> None:
    client = signed(site, district, Role.OPERATOR)
    form = {"pack": PACK, "as_of": str(AUTUMN)}
    assert send(client, "/runs", **form) == 303
    with district.writing() as session:
        session.execute(sa.update(RunJob).values(state="failed", problem="its host ended", lease=None))
    shown = client.get("/runs").text
    assert "未能完成" in shown
    assert "its host ended" in shown
    assert send(client, "/runs", **form) == 303
    assert states(district) == ["queued", "failed"]


def test_a_month_is_planned_by_a_button(site: Flask, district: Store) -> None:
    client = signed(site, district, Role.REGULATOR)
    month = f"{add_months(today(), 1):%Y-%m}"
    assert send(client, "/inspections", month=month) == 422
    assert send(client, "/inspections", month="2026-08", seed="417") == 409, "it is over"
    assert len(list_plans(district, "enterprise-credit")) == 1
    assert send(client, "/inspections", month=month, seed="公证处-417") == 303
    made = list_plans(district, "enterprise-credit")[0]
    assert (f"{made.month:%Y-%m}", made.seed, made.visits > 0) == (month, "公证处-417", True)
    assert "公证处-417" in client.get(f"/inspections/{made.id}").text
    assert send(client, "/inspections", month=month, seed="418") == 409, "nobody draws until the lot suits"
    assert len(list_plans(district, "enterprise-credit")) == 2
    assert send(client, "/inspections", month=month, seed="418", instead_of=str(made.id)) == 303


def answer(client: FlaskClient, form: dict[str, str]) -> str:
    with client.session_transaction() as session:
        token = session["form_token"]
    return client.post("/runs", data={"form_token": token, **form}).text


def test_a_regulator_looks_for_alerts_closes_the_window_and_finds_what_came_of_it(
    visitor: Visitor, site: Flask, district: Store, waits: None
) -> None:
    with served(site) as address:
        regulator = replace(visitor, address=address)
        regulator.come_in(site, create_key(district, Role.REGULATOR, "周某").token)
        regulator.open("/alerts")
        regulator.press("form[action='/alerts/scans'] button")
        assert regulator.path == "/alerts/scans"
        assert "等待开始" in regulator.text("[role=status]")
        for size, dark in ((DESK, False), (PHONE, True)):
            regulator.look(size, dark)
            assert regulator.faults() == [], size
            assert regulator.overflow() == 0, size
        regulator.look(DESK)
        regulator.open("/alerts")
        regulator.press("form[action='/alerts/scans'] button")
        assert "尚未完成,请在其完成后再开始" in regulator.text("[role=alert]")
        regulator.open("/home")
        regulator.open("/alerts/scans")
        (job,) = scan_jobs.list_scans(district)
        scan_jobs.work(district, job.id)
        regulator.wait_until(lambda: "已完成" in regulator.text("tbody"))
        assert regulator.all("[role=status]") == []
        assert states(district) == [], "it is no run"
