"""What can't be done is told in the language of the page, and to programs in English."""

from __future__ import annotations

import ast
import builtins
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from html import unescape
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from test_subscription_pages import HUB, change
from test_ticket_pages import seen
from town import AUTHORITY, CODES, LISTED, SUMMER

from rules.library.loader import find_pack
from rules.titles import Title, TitledError, halves, halves_of_old
from scoring.access.keys import Role, create_key
from scoring.changes.addresses import post
from scoring.changes.sending import send_due
from scoring.changes.subscriptions import list_subscriptions
from scoring.live.scan_jobs import Told, take_lease
from scoring.store import Store
from scoring.store.access import RunJob
from scoring.store.inspections import RefusedVisit
from scoring.store.packs import text_of
from tests.language.conftest import SOUND
from tests.language.test_faults import FAULTS

BROWSER = {"Accept": "text/html"}
SUBJECT = f"/subjects/enterprise-credit/{CODES[5]}"
DRAFT = {"as_of": "2026-07-31"}
LAW = {"begins": "2027-01-01"}
KNOWN = text_of(find_pack("enterprise-credit", SUMMER)).text
STEPS = "/tickets/1/steps"
ALERTS = "/alerts/acknowledgements"
MEASURE = {
    "subject_id": LISTED,
    "office": AUTHORITY,
    "clause": "listed-checks",
    "record_id": "L-1",
    "reason": "样例",
    "begins_on": "2999-01-01",
}
Asked = Callable[..., str]


@pytest.fixture(params=["zh", "en", "both"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asked(pages: Flask, town_store: Store, language: str) -> Asked:
    """What a regulator who reads that language is shown."""
    client = pages.test_client()
    client.set_cookie("language", language)
    key = create_key(town_store, Role.REGULATOR, "看提示的人").token
    token = _form_token(client)
    client.post("/sign-in", data={"key": key, "form_token": token}, headers=BROWSER)
    token = _form_token(client, "/tickets")

    def ask(path: str, form: dict[str, str] | None = None) -> str:
        if form is None:
            return client.get(path, headers=BROWSER).text
        said = {"form_token": token, **seen(client, path), **form}
        return client.post(path, data=said, headers=BROWSER).text

    return ask


def _form_token(client: FlaskClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', client.get(path, headers=BROWSER).text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("path", "form", "zh", "en"),
    [
        ("/subjects/enterprise-credit/91000000000000000X", None, "的评价", "has no result for"),
        (f"{SUBJECT}/paths?tier=Z", None, "没有等级Z", "has no tier Z"),
        ("/forecast?pack=nothing", None, "nothing还没有评价结果", "there is no run of nothing yet"),
        ("/objections/new?record=nope", None, "没有编号为nope的企业记录", "there is no record nope"),
        ("/tickets/999", None, "没有问题999", "there is no ticket 999"),
        ("/inspections/999", None, "没有检查计划999", "has no inspection plan 999"),
        ("/subjects?tier=A&tier=B", None, "参数tier重复", "the parameter tier is given twice"),
        (STEPS, {"request": "evaluate", "satisfied": "yes"}, "目前处于", "is not allowed while it is"),
        (STEPS, {"request": "coordinate", "on": "2999-01-01"}, "尚未到来", "is still to come"),
        (
            STEPS,
            {"request": "assign", "owner": "无此单位"},
            "没有名为无此单位的单位",
            "no public body is called",
        ),
        (STEPS, {"request": "correct", "corrects": "99"}, "99不可撤回", "99 is none"),
        (STEPS, {"request": "assign", "on": "昨天"}, "日期:不是日期", "on: Not a valid date: YYYY-MM-DD"),
        (STEPS, {"request": "evaluate"}, "评价须写明企业是否满意", "an evaluation says whether"),
        ("/tickets", {"source": "x"}, "标题:必填", "title: Missing data"),
        (ALERTS, {"alert-999": "1", "note": "x"}, "没有预警999", "there is no alert 999"),
        (ALERTS, {"alert-1": "1", "note": "x" * 5000}, "说明:", "note: "),
        (ALERTS, {"note": "x"}, "请勾选预警", "tick the alerts"),
        (ALERTS, {"alert-1": "99", "note": "x"}, "预警1有新的变动", "alert 1 has changed"),
        (
            "/alerts/assignments",
            {"alert-1": "1", "to": "无此人"},
            "没有监管人员无此人",
            "no regulator is called",
        ),
        ("/tickets", {"title": "赵某500102199001011236"}, "含自然人证件号码", "number is not kept here"),
        (
            "/objections",
            {"record": "P-99", "reason": "样例", "evidence": "样例"},
            "不能办理“提出异议”;须为有效",
            "for objection it has to be effective",
        ),
        ("/consequences", MEASURE, "2999-01-01尚未到来", "is still to come"),
        ("/simulation", {"as_of": "昨天"}, "日期不对", "not a date"),
        ("/simulation", {**DRAFT, "text": "pack: 1"}, "draft.yaml第1行", "draft.yaml:1:"),
        ("/rules/drafts", {"begins": "昨天"}, "日期不对", "not a date"),
        ("/rules/drafts", {**LAW, "text": "pack: 1"}, "draft.yaml第1行", "draft.yaml:1:"),
        ("/rules/drafts", {**LAW, "text": KNOWN}, "仅以own-choice为依据", "rest on own-choice alone"),
        ("/rules/drafts", {**LAW, "text": KNOWN}, "请在该处改写施行日期", "write the day"),
        ("/rules/drafts/proposal", {**LAW, "text": KNOWN, "reason": "x"}, "请改用其他版本号", "another name"),
        ("/rules/drafts/proposal", LAW, "理由:必填", "reason: Missing data"),
    ],
)
def test_what_cannot_be_done_is_told_in_the_language_of_the_page(
    asked: Asked, language: str, path: str, form: dict[str, str] | None, zh: str, en: str
) -> None:
    told = asked(path, form)
    assert (zh in told, en in told) == (language != "en", language != "zh")


@pytest.mark.parametrize("path", ["/subjects", "/forecast"])
def test_packs_are_chosen_by_their_titles(asked: Asked, language: str, path: str) -> None:
    shown = asked(path)
    assert (">企业公共信用综合评价" in shown, "Enterprise public credit grading" in shown) == (
        language != "en",
        language != "zh",
    )
    assert ">enterprise-credit<" not in shown


@pytest.mark.parametrize(("path", "form"), [("/simulation", DRAFT), ("/rules/drafts", LAW)])
def test_every_fault_of_a_pack_is_told_in_chinese_alone_to_who_reads_chinese(
    asked: Asked, language: str, path: str, form: dict[str, str]
) -> None:
    for sane, faulty, _, _, message, _ in FAULTS:
        told = asked(path, {**form, "text": SOUND.replace(sane, faulty, 1)})
        shown = unescape(re.findall(r"<li><pre>(.*?)</pre></li>", told, re.DOTALL)[0])
        assert (message in shown) == (language != "zh"), shown
        assert ("应为:" in shown) == (language != "en"), shown


def test_what_is_known_in_english_alone_is_told_by_its_kind(pages: Flask, language: str) -> None:
    client = pages.test_client()
    client.set_cookie("language", language)
    told = client.put("/sign-in", headers=BROWSER).text
    assert ("此处不能这样做" in told, "This can't be done here" in unescape(told)) == (
        language != "en",
        language != "zh",
    )


OTHERWISE = {
    "FormError": "its messages are titles",
    **dict.fromkeys(("AccountError", "IngestError"), "its reason and its hint are titles"),
    "PackError": "rules.chinese",
    "ValidationError": "api.pages.forms",
    **dict.fromkeys(("ValueError", "UnicodeDecodeError"), "by its field"),
    **dict.fromkeys(("MethodNotAllowed", "NotFound", "RoutingException"), "not at all: another page opens"),
}
"""Errors that are no titles → how a page tells them all the same."""


def test_every_error_that_a_page_tells_is_known_in_both_languages() -> None:
    caught = set()
    for file in sorted((Path(__file__).parents[2] / "api" / "pages").glob("*.py")):
        module = import_module(f"api.pages.{file.stem}")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                kinds = eval(ast.unparse(node.type), vars(builtins) | vars(module))
                caught |= set(kinds if isinstance(kinds, tuple) else (kinds,))
    assert len(caught) > 10
    alone = {kind.__name__ for kind in caught if not issubclass(kind, TitledError)}
    assert alone == set(OTHERWISE)


@pytest.mark.parametrize(
    ("kept", "zh", "en"),
    [
        (Title("必填项为空", "empty").both, "必填项为空", "empty"),
        (Title("甲\u2003乙", "一\u2003x").both, "甲 乙", "一 x"),
        ("不在代码表中（大型、小型） not among the listed values (大型, 小型)", None, "not among"),
        ("可能与HH2是同一决定 may be the same decision as HH2", "可能与HH2是同一决定", None),
        ("名称“A b”已属于单位BM1 the name is already that of the body BM1", None, "名称“A b”已属于单位BM1"),
        ("its process ended before it was done", "its process ended", "its process ended"),
        ("样例（一） 样例（二） x", "样例（一） 样例（二）", "x"),
    ],
)
def test_what_is_kept_in_both_languages_is_told_in_each_also_from_before_they_were_marked(
    kept: str, zh: str | None, en: str | None
) -> None:
    read = halves_of_old(kept)
    assert read.zh.startswith(zh or kept.partition(" ")[0])
    assert read.en.startswith(en or "may be the same decision")
    assert read == Title(kept, kept) or not read.zh.endswith(read.en)


def test_why_a_message_did_not_arrive_is_told_in_the_language_of_the_page(
    asked: Asked, town_store: Store, language: str
) -> None:
    name = f"样例{language}"
    asked(
        "/subscriptions",
        HUB | {"receiver": name, "address": "https://nowhere.invalid/x", "kind-record_repaired": "1"},
    )
    made = next(one for one in list_subscriptions(town_store) if one.receiver == name)
    change(town_store, f"TOLD-{language}")
    list(send_due(town_store, partial(post, own_hosts=frozenset()), "样例"))
    told = asked(f"/subscriptions/{made.id}")
    asked(f"/subscriptions/{made.id}/ends", {})
    zh, en = "找不到nowhere.invalid的公网地址", "no public address of nowhere.invalid is found"
    assert (zh in told, en in told) == (language != "en", language != "zh")


def test_why_a_subject_could_not_be_judged_is_told_in_the_language_of_the_page(
    asked: Asked, town_store: Store, language: str
) -> None:
    job = take_lease(town_store, "样例")
    named = Title("甲:系统出错,请联系管理员(TypeError)", "甲 (TypeError: x)").both
    told = {"told": json.dumps(asdict(Told(failed=1, named=(named,)))), "rows": 1}
    with town_store.writing() as session:
        session.execute(
            sa.update(RunJob).where(RunJob.id == job.id).values(state="scanned", lease=None, **told)
        )
    try:
        shown = asked("/alerts/scans")
    finally:
        with town_store.writing() as session:
            session.execute(sa.delete(RunJob).where(RunJob.id == job.id))
    assert ("请联系管理员(TypeError)" in shown, "(TypeError: x)" in shown) == (
        language != "en",
        language != "zh",
    )


def test_what_a_person_typed_is_told_whole() -> None:
    assert halves("材料齐全 see attached") == Title(*["材料齐全 see attached"] * 2)


def test_who_cannot_sign_in_is_told_why_in_the_language_of_the_page(pages: Flask, language: str) -> None:
    client = pages.test_client()
    client.set_cookie("language", language)
    form = {"key": "xh_nothing", "form_token": _form_token(client)}
    told = client.post("/sign-in", data=form, headers=BROWSER).text
    assert ("这不是本系统的密钥" in told, "this is not a key of this service" in told) == (
        language != "en",
        language != "zh",
    )


def test_programs_are_told_in_english(pages: Flask, town_store: Store) -> None:
    key = create_key(town_store, Role.REGULATOR, "程序").token
    client, headers = pages.test_client(), {"Authorization": f"Bearer {key}"}
    path = f"/v1/subjects/{CODES[5]}/paths?tier=Z"
    told = client.get(path, headers=headers).json
    assert told["detail"].startswith("enterprise-credit has no tier Z, but ")
    step = {"request": "evaluate", "actor": "enterprise", "satisfied": True, "on": "2999-01-01"}
    step |= {"version": client.get("/v1/tickets/1", headers=headers).json["version"]}
    told = client.post("/v1/tickets/1/steps", json=step, headers=headers).json
    assert re.fullmatch(
        r"2999-01-01 is still to come: a step is dated when it was done, at the latest [\d-]+", told["detail"]
    )


def test_what_is_our_own_choice_is_called_so_in_the_language_of_the_page(asked: Asked, language: str) -> None:
    shown = asked("/rules/enterprise-credit")
    assert ("自定" in re.sub("本评价自定", "", shown)) == (language != "en")
    assert ("own choice" in shown) == (language != "zh")


def test_a_plan_shows_so_many_of_what_it_could_not_have(town_store: Store, asked: Asked) -> None:
    refused = [RefusedVisit(plan_id=1, no=1000 + no, subject_id=CODES[5], reason="样例") for no in range(150)]
    with town_store.writing() as session:
        session.add_all(refused)
    try:
        first = asked("/inspections/1?after=x")
        [following] = re.findall(r'href="(/inspections/1\?after=x[^"]*refused_after=\d+)"', first)
        second = asked(unescape(following))
        assert first.count("<td>样例</td>") + second.count("<td>样例</td>") == 150
        assert first.count("<td>样例</td>") <= 100
    finally:
        with town_store.writing() as session:
            session.execute(sa.delete(RefusedVisit).where(RefusedVisit.reason == "样例"))
