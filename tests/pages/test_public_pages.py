"""What everybody may know without a key: how grading works and what came of it, and nothing about anybody."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from databases import MadeOnce
from flask import Flask
from flask.testing import FlaskClient
from selenium.webdriver import Chrome
from serving import served
from test_everybody import unfold
from test_one_language import is_foreign
from town import AUTHORITY, BODIES, CODES, CONTESTING, NAMES, SPRING, SUMMER, make_town
from visitor import DESK, PHONE, Visitor
from walker import BROWSER, read, visitor, walk

from api.app import create_app
from api.pages.words import points
from api.settings import Settings
from rules.calendar import add_days, today
from rules.library.loader import PACKS, find_pack, installed_packs, load_text, load_vocabulary
from scoring.access.keys import Role, create_key
from scoring.facts.entries import FileInfo
from scoring.facts.objections import MarkRequest, mark_record
from scoring.facts.records import submit_records
from scoring.judging.one import Judge
from scoring.rulemaking.desk import By, propose_pack
from scoring.rulemaking.draft import examine
from scoring.store import Store, open_store
from scoring.store.base import Base

PUBLIC = Settings(log_level="error", public=True, public_ranking=SUMMER)
TRY = "/public/try?pack=enterprise-credit&kind1=penalty&kind3=tax_rating"
ADDRESSES = (
    "/public",
    "/public/rules",
    "/public/rules/enterprise-credit",
    "/public/rules/enterprise-credit/changes",
    "/public/ranking",
    "/public/objections",
    TRY,
)
FACTS = {
    "as_of": "2026-12-05",
    "0-established_on": "2020-01-01",
    "1-status": "effective",
    "1-severity": "general",
    "1-occurred_on": "2026-10-01",
    "3-level": "A",
    "3-status": "effective",
    "3-occurred_on": "2026-04-01",
}
DRAFT = "2099.9"
AS_AN_OFFICE = NAMES[CODES[20]]
"""An enterprise that an objected record names as its authority."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, made_once: MadeOnce) -> Iterator[Store]:
    """The town, with a draft of the rules, and an objection to a record that some enterprise made."""
    made = made_once("town", lambda folder: make_town(f"sqlite:///{folder / 'town.db'}"))
    folder = tmp_path_factory.mktemp("public")
    opened = open_store(f"sqlite:///{shutil.copy(made / 'town.db', folder)}")
    words = load_vocabulary("enterprise")
    contract = {"record_id": "P-77", "subject_id": CONTESTING, "kind": "penalty", "severity": "general"}
    contract |= {"status": "effective", "occurred_on": "2026-07-02", "authority": AS_AN_OFFICE}
    submit_records(opened, words, [contract], FileInfo("7" * 64, "list.csv"))
    day = dt.date(2026, 8, 3)
    mark_record(opened, words, "P-77", MarkRequest("objection", "disputed", day, "有误", (), "样例"))
    _propose(opened)
    yield opened
    opened.close()


def _propose(store: Store) -> None:
    """A draft of the rules that waits for its second person."""
    text = (PACKS / "tourism-credit-2026.2.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^version: .*$", f'version: "{DRAFT}"', text)
    text = re.sub(r"(?m)^in_force: .*$", "in_force: {from: 2099-01-01}", text)
    draft = examine(store, text, "draft.yaml", dt.date(2099, 1, 1), SUMMER)
    propose_pack(store, draft, "样例", By("cli:li", "operator"), SUMMER)


@pytest.fixture(scope="module")
def site(store: Store) -> Flask:
    return create_app(PUBLIC, store)


@pytest.fixture
def reader(site: Flask) -> FlaskClient:
    """Somebody with a browser and no key, from where nobody has asked yet."""
    client = site.test_client()
    client.environ_base["REMOTE_ADDR"] = f"2001:db8::{next(_ADDRESSES):x}"
    return client


_ADDRESSES = count(1)


def everything(site: Flask, reader: FlaskClient, start: str) -> dict[str, str]:
    """The text of each public page that is reached from one, by its address."""
    found = {}
    for path, _ in walk(site, reader, (start,)):
        reader.environ_base["REMOTE_ADDR"] = f"2001:db8::{next(_ADDRESSES):x}"
        if path.startswith("/public"):
            found[path] = reader.get(path, headers=BROWSER).text
    return found


def test_they_are_not_there_where_the_district_has_not_switched_them_on(store: Store) -> None:
    reader = create_app(replace(PUBLIC, public=False), store).test_client()
    for path in ADDRESSES:
        assert reader.get(path, headers=BROWSER).status_code == 404, path
    assert reader.post(TRY, data=FACTS).status_code == 404
    assert "/public" not in reader.get("/sign-in").text


def test_the_sign_in_page_leads_to_them(reader: FlaskClient) -> None:
    assert "/public" in read(reader.get("/sign-in").text).links


@pytest.mark.parametrize("path", ADDRESSES)
def test_everybody_is_told_the_same_without_a_cookie_and_caches_may_keep_it(
    site: Flask, store: Store, reader: FlaskClient, path: str
) -> None:
    told = reader.get(path, headers=BROWSER)
    assert told.status_code == 200
    assert told.headers.getlist("Set-Cookie") == []
    assert "Cookie" not in told.headers.get("Vary", "")
    assert told.headers["Cache-Control"] == "public, max-age=60"
    regulator = visitor(site, "en", create_key(store, Role.REGULATOR, "样例").token)
    assert regulator.get(path, headers=BROWSER).data == told.data
    again = reader.get(path, headers={**BROWSER, "If-None-Match": told.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_they_name_no_enterprise_person_record_alert_or_draft(site: Flask, reader: FlaskClient) -> None:
    pages = everything(site, reader, "/public")
    assert {path.split("?")[0] for path in pages} >= {path.split("?")[0] for path in ADDRESSES}
    packs = installed_packs()
    alerts = {title for pack in packs for alert in pack.alerts for title in (alert.title.zh, alert.id)}
    rules = {rule.title.zh for pack in packs for rule in pack.rules}
    unsaid = {*CODES, *NAMES.values(), "样例银行", "李样例", "P-1", "P-99", "L-1", DRAFT, *(alerts - rules)}
    for path, text in pages.items():
        words = [said.text for said in read(text).words]
        assert not [word for word in unsaid if any(word in said for said in words)], path


def test_the_figures_of_objections_are_of_public_bodies_alone(reader: FlaskClient) -> None:
    shown = reader.get("/public/objections").text
    assert AUTHORITY in shown
    assert AS_AN_OFFICE not in shown


def test_the_ranking_is_that_of_the_day_which_the_district_publishes(store: Store) -> None:
    def told(day: dt.date | None) -> str:
        return (
            create_app(replace(PUBLIC, public_ranking=day), store).test_client().get("/public/ranking").text
        )

    assert "排名尚未公布" in told(None)
    assert "排名尚未公布" in told(add_days(today(), 1))
    assert f'datetime="{SPRING}"' in told(SPRING)
    shown = told(SUMMER)
    assert f'datetime="{SUMMER}"' in shown
    assert all(name in shown for name in BODIES.values())
    assert "分管领导约谈" in shown


def test_the_rules_are_there_with_their_law_and_what_changed(reader: FlaskClient) -> None:
    assert "行政处罚法" in reader.get("/public/rules/enterprise-credit?version=2026.1").text
    changes = reader.get("/public/rules/enterprise-credit/changes").text
    assert "2026.1 → 2026.2" in changes
    assert "国家发展改革委令第36号" in changes


def test_made_up_facts_are_graded_as_everybody_is_and_kept_nowhere(store: Store, reader: FlaskClient) -> None:
    before = counted(store)
    answer = reader.post(TRY, data=FACTS)
    assert answer.status_code == 200
    assert counted(store) == before
    assert answer.headers.getlist("Set-Cookie") == []
    assert "public" not in answer.headers["Cache-Control"]
    pack = find_pack("enterprise-credit", dt.date(2026, 12, 5))
    fine = {"record_id": "1", "kind": "penalty", "severity": "general", "status": "effective"}
    rated = {"record_id": "2", "kind": "tax_rating", "level": "A", "status": "effective"}
    facts = [fine | {"occurred_on": dt.date(2026, 10, 1)}, rated | {"occurred_on": dt.date(2026, 4, 1)}]
    grade = Judge(pack).judge({"established_on": dt.date(2020, 1, 1)}, facts).on(dt.date(2026, 12, 5))
    assert grade is not None
    shown = answer.text
    assert f'>{points(grade.score)}<span class="of"> / 100</span>' in shown
    assert "一般失信信息（行政处罚）" in shown
    assert "最近的" not in shown
    assert "最接近的记录" in shown, "what kept other rules out"


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"1-occurred_on": ""}, "1-occurred_on", "信息1的认定日期"),
        ({"1-level": "gold"}, "1-level", "信息1的"),
        ({"3-level": ""}, "3-level", "信息3的"),
        ({"0-established_on": "2020-02-30"}, "0-established_on", "成立日期"),
        ({"as_of": "31.7.2026"}, "as_of", "2026-07-31"),
        ({"as_of": "1999-01-01"}, "as_of", "1999-01-01"),
    ],
)
def test_facts_that_there_can_not_be_are_told_beside_their_field(
    reader: FlaskClient, wrong: dict[str, str], field: str, said: str
) -> None:
    answer = reader.post(TRY, data={**FACTS, **wrong})
    assert answer.status_code == 422
    [alert] = re.findall(rf'<p class="alert" id="{field}-fault">(.*?)</p>', answer.text)
    assert said in alert


@pytest.mark.parametrize(
    ("path", "form", "headers"),
    [
        (TRY, FACTS, {"Sec-Fetch-Site": "cross-site"}),
        (TRY, {**FACTS, "0-state": "x" * 20_000}, {}),
        (TRY.replace("tax_rating", "nothing"), FACTS, {}),
        (TRY.replace("tax_rating", "check_request"), FACTS, {}),
        ("/public/try?pack=nix", FACTS, {}),
    ],
    ids=["of another site", "too large", "no kind", "between offices", "no pack"],
)
def test_a_trial_takes_nothing_else(
    reader: FlaskClient, path: str, form: dict[str, str], headers: dict[str, str]
) -> None:
    assert reader.post(path, data=form, headers=headers).status_code in (400, 404)


def test_an_address_may_ask_so_often(store: Store) -> None:
    reader = create_app(PUBLIC, store).test_client()
    answers = [reader.get("/public/ranking").status_code for _ in range(62)]  # two minutes at most
    assert answers[0] == 200
    assert 429 in answers


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_is_in_the_language_of_its_address_and_so_are_those_that_it_leads_to(
    site: Flask, reader: FlaskClient, language: str
) -> None:
    found = everything(site, reader, f"/public?language={language}")
    pages = {path: text for path, text in found.items() if f"language={language}" in path}
    assert {path.split("?")[0] for path in pages} >= {path.split("?")[0] for path in ADDRESSES}
    tried = reader.post(f"{TRY}&language={language}", data=FACTS)
    wrong = reader.post(f"{TRY}&language={language}", data={**FACTS, "3-level": "", "as_of": "2026-12-05"})
    for text in (*pages.values(), tried.text, wrong.text):
        assert [words for words in read(text).words if is_foreign(words, language)] == []


@pytest.mark.parametrize("path", ADDRESSES)
def test_they_can_be_used_by_eye_by_ear_and_on_a_phone(public: Visitor, path: str) -> None:
    for size, dark in ((DESK, False), (PHONE, True)):
        public.look(size, dark)
        public.open(path)
        unfold(public)
        assert public.faults() == []
        assert public.overflow() == 0
    assert public.browser.get_cookies() == []


def test_from_the_door_to_a_grade_of_made_up_facts(public: Visitor) -> None:
    public.open("/sign-in")
    public.press("main a[href='/public']")
    public.press("main a[href='/public/try']")
    public.one("#kind1 option[value=penalty]").click()
    public.press("form.filters button")
    public.one("[id='1-severity'] option[value=serious]").click()
    for name, day in (("as_of", "2026-12-05"), ("1-occurred_on", "2026-06-01")):
        public.browser.execute_script(f"document.getElementById('{name}').value = '{day}'")
    public.press("form[method=post] button")
    assert "严重失信信息" in public.text("section[aria-labelledby=why]")
    assert public.path == "/public/try"


@pytest.fixture
def public(browser: Chrome, site: Flask) -> Iterator[Visitor]:
    """Somebody without a key before the pages for everybody."""
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    with served(site) as address:
        yield Visitor(browser, address)


def counted(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    with store.reading() as session:
        count_of = {
            name: sa.select(sa.func.count()).select_from(t) for name, t in Base.metadata.tables.items()
        }
        return {name: session.scalar(query) or 0 for name, query in count_of.items()}


def test_a_code_that_a_measure_has_is_said_by_its_title(reader: FlaskClient) -> None:
    path = "/public/try?pack=enterprise-credit&kind1=environment_rating"
    facts = {"as_of": "2026-12-05", "0-established_on": "2020-01-01", "1-occurred_on": "2026-10-01",
             "1-level": "red", "1-status": "effective"}  # fmt: skip
    shown = reader.post(path, data=facts).text
    assert 'Latest environment credit rating</span> = 红 <span lang="en" class="en">Red</span>' in shown
    assert "= red" not in shown


ARREARS = re.compile(r"```yaml\n(pack: insurance-arrears\n.*?)```", re.S)


def test_months_in_a_row_are_named_beside_what_they_count(
    reader: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several months of arrears: those that are the run, and not the one that stands alone."""
    told = (Path(__file__).parents[2] / "docs/rule-language.md").read_text(encoding="utf-8")
    [text] = ARREARS.findall(told)
    pack = load_text(text, "insurance-arrears.yaml")
    monkeypatch.setattr("api.pages.public.known_packs", lambda store: (pack,))
    monkeypatch.setattr("api.pages.public.known_pack", lambda store, name, day: pack)
    days = ("2026-01-15", "2026-03-15", "2026-04-15", "2026-05-15")
    path = "/public/try?pack=insurance-arrears"
    facts = {"as_of": "2026-06-30"}
    for number, day in enumerate(days, start=1):
        path += f"&kind{number}=social_insurance_arrears"
        facts |= {f"{number}-occurred_on": day, f"{number}-status": "effective"}
    shown = reader.post(path, data=facts)
    assert shown.status_code == 200
    plain = re.sub(r"<[^>]*>", "", shown.text)
    assert re.search(r"两年内最长连续欠缴月数 .*? = 3 \(2026-03至2026-05 2026-03 to 2026-05\)", plain), plain
