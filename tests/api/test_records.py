"""Records come in one by one or by the thousand, are disputed and repaired, and the grade follows."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa
from client import Client, repaired
from small_district import AUTHORITY, FINED, PACK, SUBJECTS, take

from rules.calendar import today
from rules.library.loader import find_pack
from scoring.facts.ingest.files import Reading, ingest_paths
from scoring.runs.batch import run
from scoring.store import Store
from scoring.store.base import Base

EVIDENCE = [{"title": "修复承诺书", "reference": "XF-2026-1"}]
MARK = {"reason": "已缴清罚款", "evidence": EVIDENCE, "effective_on": "2026-06-02"}


def _row(record_id: str, **more: object) -> dict[str, object]:
    fixed = {"record_id": record_id, "subject_id": FINED, "kind": "complaint", "occurred_on": "2026-07-01"}
    return fixed | {"level": "settled", "status": "effective"} | more


def test_good_rows_are_taken_and_bad_rows_are_explained(regulator: Client) -> None:
    rows = [
        _row("C-1", kind="投诉举报", level="upheld", amount="1.5万"),
        _row("C-2", kind="gossip"),
        _row("C-3", subject_id="91500112MA5U00000X"),
        _row("C-4", colour="red"),
        _row("C-5", amount=[1]),
    ]
    answer = regulator.post("/v1/records", json={"records": rows})
    done = answer.json
    assert answer.status_code == 200
    assert (done["new"], done["rejected"]) == (1, 4)
    assert {(p["row_no"], p["column"]) for p in done["problems"]} == {
        (2, "kind"),
        (3, "subject_id"),
        (4, "colour"),
        (5, "amount"),
    }
    stored = regulator.get("/v1/records/C-1").json["versions"][0]["data"]
    assert (stored["kind"], stored["amount"]) == ("complaint", "15000.0000")


def test_records_of_a_code_that_no_enterprise_has_are_said_each_time_they_come(regulator: Client) -> None:
    """The first time they are new, the third time nothing is: they count for nobody all the same."""
    stranger, other = "91500156MA5U000019", "91500156MA5U00002C"
    rows = [_row("C-1"), _row("O-1", subject_id=stranger), _row("O-2", subject_id=other)]
    for rest in ([_row("O-3", subject_id=stranger)], [], []):
        said = regulator.post("/v1/records", json={"records": [*rows, *rest]}).json["orphans"]
        assert said == {"records": 2 + len(rest), "codes": 2, "first": [stranger, other]}


@pytest.mark.parametrize("number", ["500102199001011236", "500102199001011237", "11010519491231002X"])
def test_a_person_s_number_in_a_row_is_neither_given_back_nor_stored(
    store: Store, regulator: Client, number: str
) -> None:
    rows = [
        _row("C-1"),
        _row("C-2", subject_id=number),
        _row("C-3", amount=f"罚款{number}"),
        _row("C-4", **{number: "x"}),
        _row("C-5", amount=[number]),
    ]
    answers = [regulator.post("/v1/records", json={"records": some}) for some in (rows, rows[1:])]
    assert [answer.status_code for answer in answers] == [200, 422]
    assert (answers[0].json["new"], answers[0].json["rejected"]) == (1, 4)
    with store.reading() as session:
        tables = [session.execute(sa.select(table)).all() for table in Base.metadata.sorted_tables]
    for told in (*(answer.get_data(as_text=True) for answer in answers), str(tables)):
        assert number not in told
        assert "不予保存" in told


def test_where_no_row_is_good_the_request_is_refused(regulator: Client) -> None:
    answer = regulator.post("/v1/records", json={"records": [_row("C-1", kind="gossip")]})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "records.0.kind"


def test_a_name_too_long_to_be_sought_by_is_refused_by_itself(
    store: Store, regulator: Client, tmp_path: Path
) -> None:
    """A cell that a quote left open, say. PostgreSQL's index takes some 2,700 bytes, and refused all rows."""
    letters = random.Random(1)
    noise = "".join(chr(letters.randrange(0x4E00, 0x9FFF)) for _ in range(3_900))
    rows = [
        _row("C-1", authority=noise),
        _row("C-2", authority=noise[:201]),
        _row("C-3", authority=noise[:200]),
    ]
    done = regulator.post("/v1/records", json={"records": rows}).json
    assert (done["new"], done["rejected"]) == (1, 2)
    assert {(p["row_no"], p["column"]) for p in done["problems"]} == {(1, "authority"), (2, "authority")}
    for column in ("name", "registration_number"):
        file = tmp_path / f"{column}.csv"
        file.write_text(
            f"subject_id,{column}\n{SUBJECTS[0]},{noise}\n{SUBJECTS[1]},{noise[:199]}1\n", "utf-8"
        )
        [taken] = ingest_paths(store, [file], "enterprise", Reading(quarantine=tmp_path / "q")).files
        assert (taken.changed, taken.rejected) == (1, 1)


def test_a_corrected_record_keeps_its_old_version(regulator: Client) -> None:
    regulator.post("/v1/records", json={"records": [_row("C-1", level="upheld")]})
    done = regulator.post("/v1/records", json={"records": [_row("C-1", level="settled")]}).json
    versions = regulator.get("/v1/records/C-1").json["versions"]
    assert done["changed"] == 1
    assert [version["data"]["level"] for version in versions] == ["settled", "upheld"]
    assert versions[1]["known_until"] == versions[0]["known_from"]


def test_the_same_request_is_answered_the_same_and_done_once(regulator: Client) -> None:
    body = {"records": [_row("C-1"), _row("C-2", kind="gossip")]}
    first = regulator.post("/v1/records", json=body, headers={"Idempotency-Key": "a-1"})
    again = regulator.post("/v1/records", json=body, headers={"Idempotency-Key": "a-1"})
    without = regulator.post("/v1/records", json=body)
    other = regulator.post("/v1/records", json={"records": [_row("C-9")]}, headers={"Idempotency-Key": "a-1"})
    assert first.json == again.json
    assert (without.json["new"], without.json["unchanged"]) == (0, 1)
    assert (other.status_code, other.json["type"]) == (409, "/problems/conflict")
    assert regulator.get("/v1/records/C-9").status_code == 404


def test_another_caller_may_use_the_same_idempotency_key(regulator: Client, department: Client) -> None:
    headers = {"Idempotency-Key": "a-1"}
    regulator.post("/v1/records", json={"records": [_row("C-1")]}, headers=headers)
    done = department.post("/v1/records", json={"records": [_row("C-2")]}, headers=headers)
    assert done.json["new"] == 1


def test_records_of_a_subject_come_in_pages(regulator: Client) -> None:
    firm = SUBJECTS[4]
    rows = [_row(f"C-{n}", subject_id=firm) for n in range(5)]
    regulator.post("/v1/records", json={"records": rows})
    first = regulator.get(f"/v1/records?subject_id={firm}&limit=4").json
    rest = regulator.get(f"/v1/records?subject_id={firm}&limit=4&cursor={first['next']}").json
    ids = [item["record_id"] for page in (first, rest) for item in page["items"]]
    assert ids == [*(f"C-{n}" for n in range(5)), f"T-{firm}"]


def test_a_repaired_penalty_no_longer_costs_points_and_the_history_says_so(
    regulator: Client, department: Client, store: Store
) -> None:
    before = regulator.get(f"/v1/subjects/{FINED}/grade").json["score"]
    mark = repaired(department, "P-1", regulator.colleague, **MARK)
    run(store, find_pack(PACK, today()), today())
    after = regulator.get(f"/v1/subjects/{FINED}/grade").json["score"]
    history = regulator.get(f"/v1/subjects/{FINED}/history").json["marks"]
    assert mark.status_code == 201
    assert after > before
    assert (history[0]["kind"], history[0]["status_before"], history[0]["status_after"]) == (
        "repair",
        "effective",
        "repaired",
    )
    assert history[0]["evidence"] == EVIDENCE


def test_an_objection_suspends_a_record_until_it_is_decided_and_reviewed(
    regulator: Client, department: Client
) -> None:
    def status() -> str:
        return regulator.get("/v1/records/P-1").json["versions"][0]["data"]["status"]

    department.post("/v1/records/P-1/objections", json=MARK)
    assert status() == "disputed"
    again = department.post("/v1/records/P-1/objections", json=MARK)
    assert (again.status_code, "disputed" in again.json["detail"]) == (409, True)
    regulator.post("/v1/records/P-1/decisions", json=MARK | {"outcome": "rejected"})
    assert status() == "effective"
    again = regulator.post("/v1/records/P-1/objections", json=MARK)
    assert (again.status_code, "its review may be asked for" in again.json["detail"]) == (409, True)
    regulator.post("/v1/records/P-1/appeals", json=MARK)
    assert status() == "disputed"
    regulator.colleague.post("/v1/records/P-1/decisions", json=MARK | {"outcome": "upheld"})
    assert status() == "revoked"
    marks = regulator.get("/v1/records/P-1").json["marks"]
    assert [mark["kind"] for mark in marks] == ["review", "appeal", "decision", "objection"]


def test_nothing_can_be_repaired_before_it_happened(regulator: Client) -> None:
    answer = repaired(regulator, "P-1", **MARK | {"effective_on": "2026-03-01"})
    assert (answer.status_code, "2026-03-02" in answer.json["detail"]) == (409, True)


@pytest.mark.parametrize("day", ["2099-01-01", "9999-12-31"])
def test_no_mark_is_dated_after_today(regulator: Client, day: str) -> None:
    answer = regulator.post("/v1/records/P-1/objections", json=MARK | {"effective_on": day})
    assert (answer.status_code, "still to come" in answer.json["detail"]) == (409, True)


def test_no_decision_is_dated_before_its_objection(regulator: Client) -> None:
    regulator.post("/v1/records/P-1/objections", json=MARK)
    decided = MARK | {"outcome": "upheld", "effective_on": "2026-06-01"}
    answer = regulator.post("/v1/records/P-1/decisions", json=decided)
    assert (answer.status_code, "last mark, 2026-06-02" in answer.json["detail"]) == (409, True)


def test_a_department_may_leave_its_own_name_out(department: Client) -> None:
    department.post("/v1/records", json={"records": [_row("C-1", subject_id=SUBJECTS[5])]})
    assert department.get("/v1/records/C-1").json["versions"][0]["data"]["authority"] == AUTHORITY


@pytest.mark.parametrize(
    "day", [10**400, -(10**400), 10**18], ids=["400 digits", "less than none", "18 digits"]
)
def test_a_number_of_any_size_that_is_no_date_is_refused_with_its_row(regulator: Client, day: int) -> None:
    answer = regulator.post("/v1/records", json={"records": [_row("C-1", occurred_on=day)]})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == ["records.0.occurred_on"]


def test_a_number_that_a_spreadsheet_guards_is_that_of_the_record_without_the_guard(
    regulator: Client,
) -> None:
    guarded = ["'0001", '="0001"', "\u200b'0001", '\ufeff="0001"', '\'="0001"', '="\'0001"']
    answer = regulator.post("/v1/records", json={"records": [_row(number) for number in ("0001", *guarded)]})
    assert (answer.json["new"], answer.json["unchanged"]) == (1, len(guarded))
    for number in guarded:
        versions = regulator.get(f"/v1/records/{quote(number, safe='')}").json["versions"]
        assert [version["record_id"] for version in versions] == ["0001"]


@pytest.mark.parametrize("day", ["2026-W27-3", "20260701", 20260701, "2026/7/1", "2026年7月1日", "46204"])
def test_a_posted_record_has_its_dates_in_one_form(regulator: Client, day: str | int) -> None:
    rows = [_row("C-1", occurred_on=day), _row("C-2", ends_on=day), _row("C-3", ends_on="长期")]
    answer = regulator.post("/v1/records", json={"records": rows}).json
    assert [(p["row_no"], p["column"]) for p in answer["problems"]] == [(1, "occurred_on"), (2, "ends_on")]
    assert regulator.get("/v1/records/C-3").status_code == 200


@pytest.mark.parametrize("name", ["a\0b", "\0", "\x1b[31m", "\u202ekind"])
def test_a_column_by_a_name_that_nobody_sees_is_refused_as_any_other(regulator: Client, name: str) -> None:
    answer = regulator.post("/v1/records", json={"records": [_row("C-1") | {name: 1}]})
    assert answer.status_code == 422
    assert "no such column" in answer.json["errors"][0]["message"]
    assert answer.json["errors"][0]["field"].isprintable()


FILLER = "00000000000000000X"


@pytest.fixture
def shops(store: Store) -> Store:
    """Three shops besides, two of one name."""
    rows: list[dict[str, object]] = [
        {
            "subject_id": "91110000600037341L",
            "registration_number": "500232600123455",
            "name": "云衡区小卖店",
        },
        {"subject_id": "91500156MA5U000019", "name": "云衡区面馆"},
        {"subject_id": "91500156MA5U00002C", "registration_number": "500232600999999", "name": "云衡区面馆"},
    ]
    take(store, "enterprise", "subject", "subject_id", rows)
    return store


@pytest.mark.parametrize(
    ("clues", "subject"),
    [
        ({"registration_number": "500232600123455"}, "91110000600037341L"),
        (
            {"registration_number": "５００２３２６００９９９９９９", "name": "云衡区面馆"},
            "91500156MA5U00002C",
        ),
        ({"registration_number": "1", "name": "云衡区小卖店"}, "91110000600037341L"),
        ({"registration_number": None, "name": " 云衡区小卖店 "}, "91110000600037341L"),
    ],
)
@pytest.mark.parametrize("code", [FILLER, "", None])
def test_a_posted_record_without_a_code_is_found_by_registration_number_or_name_and_that_is_said(
    regulator: Client, shops: Store, clues: dict[str, object], subject: str, code: str | None
) -> None:
    row = _row("C-1", subject_id=code, amount=None) | clues
    answer = regulator.post("/v1/records", json={"records": [row]})
    assert answer.status_code == 200, answer.json
    (warning,) = answer.json["warnings"]
    assert (warning["row_no"], warning["column"], subject in warning["reason"]) == (1, "subject_id", True)
    (version,) = regulator.get("/v1/records/C-1").json["versions"]
    assert version["subject_id"] == version["data"]["subject_id"] == subject
    rest = {name: value for name, value in row.items() if name != "subject_id" and name not in clues}
    assert {name: version["data"][name] for name in rest} == rest, "nothing else is lost"
    assert regulator.get(f"/v1/subjects/{subject}/live-grade").status_code == 200


@pytest.mark.parametrize(
    ("clues", "said"),
    [
        ({"name": "云衡区面馆"}, "91500156MA5U000019、91500156MA5U00002C"),
        ({"registration_number": "1", "name": "没有这户"}, "no subject fits"),
        ({}, "a filler, not a code"),
        ({"name": "无"}, "a filler, not a code"),
        ({"name": ["云衡区小卖店"]}, "not a single value"),
        ({"name": "云衡区小卖店", "kind": "gossip"}, "a filler, not a code"),
    ],
)
def test_a_posted_record_whose_subject_fits_none_or_several_is_refused(
    regulator: Client, shops: Store, clues: dict[str, object], said: str
) -> None:
    answer = regulator.post("/v1/records", json={"records": [_row("C-1", subject_id=FILLER) | clues]})
    assert answer.status_code == 422
    assert said in " ".join(error["message"] for error in answer.json["errors"])
    assert regulator.get("/v1/records/C-1").status_code == 404


def test_a_posted_record_with_its_code_is_not_looked_up_by_name(regulator: Client, shops: Store) -> None:
    sent = {"records": [_row("C-1", name="云衡区小卖店")]}
    done = regulator.post("/v1/records", json=sent).json
    (warning,) = done["warnings"]
    assert (done["new"], warning["column"], warning["value"]) == (1, "name", "云衡区小卖店")
    assert warning["reason"].startswith("not the name of 9150")
    again = regulator.post("/v1/records", json=sent, headers={"Accept-Language": "zh"}).json
    assert again["warnings"][0]["reason"].startswith("名称不是代码")
    assert " not " not in again["warnings"][0]["reason"]
    assert regulator.get("/v1/records/C-1").json["versions"][0]["subject_id"] == FINED


def test_whom_a_posted_record_is_found_for_is_decided_where_it_is_kept(
    regulator: Client, shops: Store
) -> None:
    """While the subject is looked for, nobody else can change who goes by the name."""
    others: list[bool] = []

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT") and "registration_number" in statement:
            others.append(_can_write(shops))

    sa.event.listen(shops.engine, "before_cursor_execute", look)
    row = _row("C-1", subject_id=FILLER, registration_number="500232600123455")
    assert regulator.post("/v1/records", json={"records": [row]}).status_code == 200
    assert others == [False]


def _can_write(store: Store) -> bool:
    """Whether a file could be taken in by another connection now."""
    try:
        if store.is_sqlite:
            with sqlite3.connect(store.engine.url.database or "", timeout=0) as other:
                other.execute("BEGIN IMMEDIATE")
        else:
            url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(url) as other:
                other.execute("LOCK TABLE ingested_files IN SHARE ROW EXCLUSIVE MODE NOWAIT")
    except (sqlite3.OperationalError, psycopg.errors.LockNotAvailable):
        return False
    return True


def test_a_row_that_clears_what_an_earlier_one_leaves_is_no_repetition(regulator: Client) -> None:
    row = {"record_id": "R-1", "subject_id": FINED, "kind": "penalty", "occurred_on": "2026-07-01"}
    row |= {"status": "effective", "level": "fine", "severity": "general", "field": "general"}
    regulator.post("/v1/records", json={"records": [row | {"amount": "12.50"}]})
    done = regulator.post("/v1/records", json={"records": [row, row | {"amount": None}]}).json
    assert (done["unchanged"], done["rejected"]) == (1, 1)
    assert "the same key as in row 1 with other content" in done["problems"][0]["reason"]
