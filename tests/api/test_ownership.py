"""Whose a record is: a department changes its own alone, whatever spelling it writes a number in."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest
from client import Client, Sign, repaired
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from lending_desk import Clock, check, consented
from small_district import AUTHORITY, FINED, LISTED, take

from rules.library.loader import load_vocabulary
from scoring.access.keys import Role
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.cells import ADDRESS_WORDS
from scoring.facts.ingest.keys import KeyFormError, key_of
from scoring.facts.objections import MarkRequest, list_marks, mark_record
from scoring.facts.records import RecordError, get_record, submit_records
from scoring.store import Store

T = TypeVar("T")
CUSTOMS = "云衡海关"
TAX, STATE_TAX = "云衡区税务局", "国家税务总局云衡区税务局"
SPELLINGS = ("SJ-2", "SJ-2 ", "\u3000SJ-2", "ＳＪ-2", "SJ\u200b-2", "ＳＪ－２", "\ufeffSJ-2\n")
UNSEEN = ("SJ-2\ufe0f", "SJ\u034f-2", "\u3164SJ-2", "SJ-\uffa02", "SJ-2\u180b", "\u17b5SJ-2\U000e0100\u2800")
SPELLINGS += UNSEEN
EVIDENCE = [{"title": "t", "reference": "r"}]
MARK = {"reason": "x", "evidence": EVIDENCE, "effective_on": "2026-08-01"}


def _row(record_id: object, **more: object) -> dict[str, object]:
    fixed = {"record_id": record_id, "subject_id": FINED, "kind": "penalty", "occurred_on": "2026-07-01"}
    return fixed | {"status": "effective", "level": "fine", "severity": "serious", "field": "general"} | more


def _post(client: Client, *rows: dict[str, object]) -> tuple[int, str]:
    answer = client.post("/v1/records", json={"records": rows})
    return answer.status_code, answer.get_data(as_text=True)


@pytest.fixture
def customs(sign_in: Sign) -> Client:
    """A department none of whose records are in the store."""
    return sign_in(Role.DEPARTMENT, CUSTOMS)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_number_overwrites_the_record_of_another_authority(
    regulator: Client, customs: Client, spelling: str
) -> None:
    _post(regulator, _row("SJ-2", authority=AUTHORITY))
    status, said = _post(customs, _row(spelling, status="revoked", subject_id=LISTED))
    versions = regulator.get("/v1/records/SJ-2").json["versions"]
    assert (status, "another authority's record" in said) == (422, True)
    assert [(v["subject_id"], v["data"]["status"]) for v in versions] == [(FINED, "effective")]


@pytest.mark.parametrize("number", ["SJ-2", "SJ-" + "2" * 197], ids=["short", "as long as one may be"])
def test_a_good_row_beside_anothers_number_is_taken(regulator: Client, customs: Client, number: str) -> None:
    _post(regulator, _row(number, authority=AUTHORITY))
    done = customs.post("/v1/records", json={"records": [_row(f"{number} "), _row("HG-1")]}).json
    assert (done["new"], done["changed"], done["unchanged"], done["rejected"]) == (1, 0, 0, 1)
    assert [(problem["row_no"], problem["value"]) for problem in done["problems"]] == [(1, number)]


@pytest.mark.parametrize("again", ["SJ-2", "ＳＪ-2"])
def test_anothers_number_sent_twice_is_refused_twice(regulator: Client, customs: Client, again: str) -> None:
    _post(regulator, _row("SJ-2", authority=AUTHORITY))
    answer = customs.post("/v1/records", json={"records": [_row("SJ-2"), _row(again)]})
    assert (answer.status_code, [error["field"] for error in answer.json["errors"]]) == (
        422,
        ["records.0", "records.1"],
    )


def test_a_record_of_which_nobody_says_whose_it_is_is_no_departments_to_take(
    regulator: Client, customs: Client
) -> None:
    _post(regulator, _row("N-1"))
    assert _post(customs, _row("N-1", status="revoked"))[0] == 422
    assert customs.post("/v1/records/N-1/repairs", json=MARK).status_code == 404
    found = regulator.get("/v1/records/N-1").json["versions"]
    assert ["authority" in v["data"] and v["data"]["authority"] for v in found] == [None]


def test_a_record_handed_over_is_open_to_its_new_owner_alone(
    regulator: Client, department: Client, customs: Client
) -> None:
    _post(regulator, _row("SJ-2", authority=AUTHORITY))
    _post(regulator, _row("SJ-2", authority=CUSTOMS))
    assert _post(department, _row("SJ-2", status="revoked"))[0] == 422
    assert department.get("/v1/records/SJ-2").status_code == 404
    assert _post(customs, _row("SJ-2", status="revoked"))[0] == 200
    assert customs.get("/v1/records/SJ-2").json["versions"][0]["data"]["status"] == "revoked"


@pytest.mark.parametrize("said", ["别的单位", None, "", "-"])
def test_a_department_cannot_say_that_its_row_is_anothers_or_nobodys(customs: Client, said: object) -> None:
    status, why = _post(customs, _row("HG-1", authority=said))
    assert (status, "records.0.authority" in why) == (422, True)


def test_a_vocabulary_without_authorities_is_closed_to_departments(customs: Client) -> None:
    row = {"record_id": "X-1", "subject_id": "DW101", "kind": "problem", "occurred_on": "2026-07-01"}
    answer = customs.post("/v1/records", json={"vocabulary": "department", "records": [row]})
    assert answer.status_code == 422
    assert "the credit centre takes them in" in answer.json["detail"]


def test_of_two_departments_that_take_one_number_at_once_one_has_it(store: Store) -> None:
    enterprise = load_vocabulary("enterprise")

    def post(authority: str, number: str) -> None:
        source = FileInfo(f"{number}-{authority}", "api")
        submit_records(store, enterprise, [_row(number)], source, authority)

    for turn in range(8):
        _at_once(partial(post, "甲局", f"R-{turn}"), partial(post, "乙局", f" Ｒ-{turn} "))
        versions = get_record(store, enterprise, f"R-{turn}")
        assert len(versions) == 1, [version.data["authority"] for version in versions]


def test_of_two_objections_at_once_one_stands(store: Store) -> None:
    enterprise = load_vocabulary("enterprise")
    rows = [_row(f"R-{turn}", authority=AUTHORITY) for turn in range(8)]
    submit_records(store, enterprise, rows, FileInfo("rows", "api"))
    request = MarkRequest("objection", "disputed", dt.date(2026, 8, 1), "x", (), "tests")

    def is_refused(number: str) -> bool:
        try:
            mark_record(store, enterprise, number, request)
        except RecordError:
            return True
        return False

    for turn in range(8):
        refused = _at_once(*[partial(is_refused, f"R-{turn}")] * 2)
        marks = list_marks(store, "enterprise", record_id=f"R-{turn}")
        assert (sorted(refused), len(marks)) == ([False, True], 1)
        assert len(get_record(store, enterprise, f"R-{turn}")) == 2


def _at_once(*calls: Callable[[], T]) -> list[T]:
    """What calls give that begin at one moment, each in a thread of its own."""
    ready = threading.Barrier(len(calls))

    def begin(call: Callable[[], T]) -> T:
        ready.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(begin, calls))


# One body by several names


def _register(store: Store, *bodies: dict[str, object]) -> None:
    take(store, "department", "subject", "subject_id", list(bodies))


def test_a_body_owns_its_records_under_each_of_its_names(
    store: Store, regulator: Client, sign_in: Sign
) -> None:
    _register(store, {"subject_id": "DW301", "name": TAX, "other_names": f"{STATE_TAX}；区税务局"})
    lasting = {"kind": "complaint", "level": "upheld", "severity": None}  # no term ends by itself
    _post(regulator, _row("SW-1", authority=STATE_TAX, **lasting))
    _post(regulator, _row("SW-2", authority="区税务局", **lasting))
    _post(regulator, _row("SW-3", authority=TAX, **lasting), _row("SW-4", authority=CUSTOMS, **lasting))
    tax = sign_in(Role.DEPARTMENT, TAX)
    listed = tax.get("/v1/records?limit=2").json
    rest = tax.get(f"/v1/records?limit=2&cursor={listed['next']}").json
    ids = [item["record_id"] for page in (listed, rest) for item in page["items"]]
    assert ids == ["SW-1", "SW-2", "SW-3"]
    assert _post(tax, _row("SW-1", authority=STATE_TAX, status="revoked", **lasting))[0] == 200
    assert repaired(tax, "SW-2", sign_in(Role.DEPARTMENT, TAX, "a colleague"), **MARK).status_code == 201
    assert tax.get("/v1/records/SW-4").status_code == 404
    assert _post(tax, _row("SW-4", **lasting))[0] == 422


def test_a_name_of_two_bodies_opens_neithers_records(store: Store, regulator: Client, sign_in: Sign) -> None:
    _register(
        store,
        {"subject_id": "DW301", "name": "甲局", "other_names": "税务局"},
        {"subject_id": "DW302", "name": "乙局", "other_names": "税务局"},
    )
    _post(regulator, _row("SW-1", authority="税务局"))
    assert sign_in(Role.DEPARTMENT, "甲局").get("/v1/records/SW-1").status_code == 404
    assert sign_in(Role.DEPARTMENT, "乙局").get("/v1/records/SW-1").status_code == 404


def test_a_body_finds_its_tickets_by_each_of_its_names(
    store: Store, regulator: Client, sign_in: Sign
) -> None:
    _register(store, {"subject_id": "DW301", "name": TAX, "other_names": STATE_TAX})
    asked = {"title": "办税排队", "source": "hotline", "counterpart": f" {FINED.lower()} "}
    opened = regulator.post("/v1/tickets", json=asked).json
    assigned = regulator.post(
        f"/v1/tickets/{opened['id']}/steps",
        json={"request": "assign", "actor": "office", "owner": STATE_TAX, "urgency": "urgent"},
    )
    mine = sign_in(Role.DEPARTMENT, STATE_TAX).get("/v1/tickets").json["items"]
    assert (opened["counterpart"], assigned.json["case"]["owner"]) == (FINED, "DW301")
    assert [ticket["id"] for ticket in mine] == [opened["id"]]


# The same key, wherever it comes from


def test_a_record_is_judged_at_once_in_whatever_spelling_it_came(regulator: Client) -> None:
    for spelling, cause in (("LV-1 ", "LV-1"), ("ＬＶ-2", "LV-2")):
        _post(regulator, _row(spelling))
        live = regulator.get(f"/v1/subjects/{FINED}/live-grade").json
        assert live["cause"] == cause
        assert cause in [hit["record_id"] for hit in live["hits"]]


def test_records_and_subjects_are_found_in_any_spelling(regulator: Client, lender: Client) -> None:
    _post(regulator, _row("SJ-2"))
    wide = "".join(chr(ord(c) + 0xFEE0) for c in FINED)
    for spelling in (" ＳＪ-2", "'SJ-2", "`SJ-2", '="SJ-2"'):
        assert regulator.get(f"/v1/records/{spelling}").json["versions"][0]["record_id"] == "SJ-2", spelling
    marked = regulator.post("/v1/records/'ＳＪ-2 /objections", json=MARK)
    assert (marked.status_code, marked.headers["Location"]) == (201, "/v1/records/SJ-2")
    for spelling in (FINED.lower(), wide, f" {FINED[:6]} {FINED[6:]}"):
        for what in ("", "/grade", "/grades", "/explanation", "/history", "/live-grade"):
            answer = regulator.get(f"/v1/subjects/{spelling}{what}")
            assert answer.status_code == 200, (spelling, what)
        assert regulator.get(f"/v1/subjects/{spelling}/history").json["marks"][0]["record_id"] == "SJ-2"
        listed = regulator.get("/v1/records", query_string={"subject_id": spelling}).json["items"]
        assert "SJ-2" in [item["record_id"] for item in listed]
    logged = regulator.get(f"/v1/audit?subject_id={FINED}&action=subjects.get_grade").json["items"]
    assert len(logged) == 3


def test_a_lenders_check_is_in_the_subjects_history_in_whatever_spelling_it_asked(
    app: Flask, regulator: Client, lender: Client
) -> None:
    app.extensions["clock"] = Clock()
    asked = check(consented(lender, FINED), f"{FINED[:8].lower()} {FINED[8:]}")
    answer = lender.post("/v1/lender-checks", json=asked)
    seen = regulator.get(f"/v1/subjects/{FINED}/history").json["lender_checks"]
    assert (answer.status_code, answer.json["subject_id"], len(seen)) == (200, FINED, 1)


UNADDRESSABLE = (".", "..", "a/../b", "./a", "a/grade", "a\u2028b", "a\u202eb", "a\nb", "x" * 201)


@pytest.mark.parametrize("number", UNADDRESSABLE)
def test_a_number_that_no_address_can_hold_is_refused_when_it_comes(regulator: Client, number: str) -> None:
    status, why = _post(regulator, _row(number))
    assert (status, "records.0.record_id" in why) == (422, True)


def test_the_words_of_addresses_that_no_number_may_end_in_are_all_that_follow_a_subject(app: Flask) -> None:
    following = {
        rule.rule.rsplit("/", 1)[1] for rule in app.url_map.iter_rules() if "<key:subject_id>/" in rule.rule
    }
    assert following == ADDRESS_WORDS


@given(st.text(max_size=30))
def test_a_key_is_folded_once_and_for_all(text: str) -> None:
    column = load_vocabulary("enterprise").records.columns["record_id"]
    try:
        key = key_of(column, text)
    except KeyFormError:
        return
    assert key_of(column, key) == key


# The same number in two vocabularies

MERCHANT, TOURISM = "91110000600037341L", "云衡区文化和旅游发展委员会"


def _in_order(client: Client, words: str, number: str, *paths: str) -> None:
    """Each step by another person than the one before."""
    commitment = {"commitment": {"text": "所提交的材料真实有效", "made_on": "2026-08-01"}}
    more: dict[str, dict[str, object]] = {
        "decisions": {"outcome": "rejected"},
        "repair-applications": commitment,
        "repair-admissions": {"outcome": "returned"},
    }
    for place, path in enumerate(paths):
        asked = MARK | {"vocabulary": words} | more.get(path, {})
        answer = (client.colleague if place % 2 else client).post(f"/v1/records/{number}/{path}", json=asked)
        assert answer.status_code == 201, answer.json


def _told(client: Client) -> dict[str, str]:
    """What lists and figures say of an enterprise's records."""
    paths = [
        "record-contradictions",
        "record-twins",
        f"feeds?body={AUTHORITY}",
        f"feeds/rows?body={AUTHORITY}",
    ]
    paths += ["objections", "objections?open=true", "repairs", "repairs?open=true"]
    paths += [f"records/QT-{number}" for number in range(4)]
    return {path: client.get(f"/v1/{path}").text for path in paths}


@pytest.mark.parametrize("is_over", [False, True], ids=["still worked on", "done with"])
def test_what_is_done_about_a_number_says_nothing_of_that_number_in_another_vocabulary(
    regulator: Client, store: Store, is_over: bool
) -> None:
    """What is told of an enterprise's records stays, whatever comes of a merchant's of these numbers."""

    def sent(words: str, last: int) -> None:
        own = {"authority": AUTHORITY, "severity": "minor"}
        if words == "tourism":
            own = {"authority": TOURISM, "severity": "minor", "subject_id": MERCHANT, "field": "food_safety"}
        rows = [_row(f"QT-{n}", **own, amount=str(last if n == 3 else 1)) for n in range(4)]
        rows = [{name: value for name, value in row.items() if name != "level"} for row in rows]
        answer = regulator.post("/v1/records", json={"vocabulary": words, "records": rows})
        assert (answer.status_code, answer.json.get("rejected")) == (200, 0), answer.text

    def worked_on(words: str, is_over: bool) -> None:
        _in_order(regulator, words, "QT-0", *("objections", "decisions")[: 1 + is_over])
        _in_order(regulator, words, "QT-1", *("repair-applications", "repair-admissions")[: 1 + is_over])
        _in_order(regulator, words, "QT-2", "objections", "decisions", "appeals")

    take(store, "tourism", "subject", "subject_id", [{"subject_id": MERCHANT, "name": "云溪民宿"}])
    take(store, "department", "subject", "subject_id", [{"subject_id": "DW1", "name": AUTHORITY}])
    sent("tourism", 1)
    sent("enterprise", 2)
    worked_on("enterprise", is_over)
    sent("enterprise", 3)
    before = _told(regulator)
    sent("tourism", 4)
    worked_on("tourism", not is_over)
    sent("tourism", 5)
    assert _told(regulator) == before
