"""Visits with a code: issued within the caps, used once, told once as records, read by the next plan."""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import openpyxl
import pyarrow as pa
import pytest

from fixtures.codes import credit_code
from rules.calendar import today
from rules.library.loader import find_pack, load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.facts.records import Record, list_records, submit_records
from scoring.facts.staging import TableName
from scoring.facts.undo import list_files, undo_file
from scoring.facts.versions import ingest_rows
from scoring.facts.visit_results import (
    Rating,
    Result,
    UnknownVisitError,
    VisitRefusedError,
    as_code,
    enter_rating,
    enter_result,
)
from scoring.inspections.codes import Days, OutsideVisit, cancel_visit, issue_outside, issue_plan
from scoring.inspections.office import (
    PlanError,
    StoredPlan,
    in_force,
    make_plan,
    plan_refusals,
    plan_visits,
)
from scoring.inspections.visits import (
    CodedVisit,
    State,
    Wanted,
    figures,
    find_visit,
    idle_inspectors,
    list_visits,
)
from scoring.runs.batch import run
from scoring.store import Store, open_store
from scoring.store.documents import encode
from scoring.store.errors import StoreError

PACK, WORDS = "enterprise-credit", load_vocabulary("enterprise")
JULY = dt.date(2026, 7, 31)
AUGUST, DAY = dt.date(2026, 8, 1), dt.date(2026, 8, 10)
_CHANCE = random.Random(54)
ONE, TWO, THREE = sorted(credit_code(_CHANCE, "91") for _ in range(3))
MARKET, SAFETY = "样例区市场监督管理局", "样例区应急管理局"
PARTY = ("M1", "M2")
Row = dict[str, object]


def take(store: Store, vocabulary: str, table: TableName, key: str, rows: list[Row]) -> None:
    arrow = pa.table(
        {
            "key": [str(row[key]) for row in rows],
            "subject_id": [str(row.get("subject_id", row[key])) for row in rows],
            "data": [encode(row) for row in rows],
            "row_no": list(range(1, len(rows) + 1)),
        }
    )
    name = FileInfo(sha256(repr(rows).encode()).hexdigest(), f"{table}.csv")
    ingest_rows(store, vocabulary, table, arrow, name)


def fill(url: str) -> None:
    """Three enterprises of tier B, which has two visits a year, graded in July; four inspectors."""
    store = open_store(url)
    firms: list[Row] = [
        {"subject_id": code, "name": f"样例{code[-4:]}公司", "state": "operating"}
        for code in (ONE, TWO, THREE)
    ]
    take(store, "enterprise", "subject", "subject_id", firms)
    people: list[Row] = [
        {"inspector_id": f"{letter}{n}", "name": f"某{letter}{n}", "authority": office, "monthly_visits": 9}
        for letter, office in (("M", MARKET), ("S", SAFETY))
        for n in (1, 2)
    ]
    take(store, "inspector", "subject", "inspector_id", people)
    run(store, find_pack(PACK, JULY), JULY)
    store.close()


@pytest.fixture
def store(copy_of: Callable[[Callable[[str], None]], str]) -> Store:
    return open_store(copy_of(fill))


def plan(store: Store, month: dt.date = AUGUST, *asked: str) -> int:
    """A plan of visits that the market regulator asks for."""
    rows: list[Row] = [
        {"record_id": f"Q-{month}-{code}", "subject_id": code, "kind": "check_request", "level": "due"}
        | {"status": "effective", "occurred_on": month.replace(day=3), "authority": MARKET}
        for code in asked
    ]
    take(store, "enterprise", "record", "record_id", rows)
    return anew(store, month, month).id


def anew(store: Store, month: dt.date, on: dt.date, seed: str = "417") -> StoredPlan:
    """A plan that replaces the month's, where it has one."""
    with store.reading() as session:
        standing = session.scalar(in_force(PACK, month))
    return make_plan(store, PACK, month, seed, on, standing)


def outside(
    store: Store, subject: str = ONE, day: dt.date = DAY, ground: str = "complaint", office: str = SAFETY
) -> CodedVisit:
    """A visit outside the plan, on that day."""
    party = ("S1", "S2") if office == SAFETY else PARTY
    wanted = OutsideVisit(subject, ground, "12345热线转来", (office,), party, Days(day, day))
    return issue_outside(store, PACK, wanted, "tests", day)


def made(store: Store, visit: CodedVisit, outcome: str = "passed", on: dt.date | None = None) -> CodedVisit:
    found = None if outcome == "passed" else "消防通道堵塞"
    enter_result(store, visit.code, Result(visit.begins_on, outcome, found), "tests", on or visit.begins_on)
    return find_visit(store, visit.code)


def inspections(store: Store, subject: str = ONE) -> dict[str, Record]:
    """The inspections of an enterprise that count."""
    return {
        record.record_id: record
        for record in list_records(store, WORDS, subject_id=subject)
        if (record.data["kind"], record.data["status"]) == ("inspection", "effective")
    }


def office_row(number: str, day: dt.date = DAY, **more: object) -> Row:
    row: Row = {"record_id": number, "subject_id": ONE, "kind": "inspection", "level": "rectify"}
    return row | {"status": "effective", "occurred_on": day.isoformat(), "authority": SAFETY} | more


def send(store: Store, *rows: Row) -> int:
    """Rows of an office; the number of the file."""
    submit_records(store, WORDS, rows, FileInfo(sha256(repr(rows).encode()).hexdigest(), "office.csv"))
    return list_files(store, limit=1)[0].id


# Codes


def test_the_visits_of_a_plan_get_their_codes_before_they_take_place(store: Store) -> None:
    number = plan(store, AUGUST, ONE, TWO)
    issued = issue_plan(store, number, "tests", AUGUST)
    assert {visit.subject_id for visit in issued.visits} == {ONE, TWO}
    assert issued.refused == {}
    [first, _] = issued.visits
    assert (first.begins_on, first.ends_on) == (AUGUST, dt.date(2026, 8, 31))
    assert (first.ground, first.authorities, set(first.inspectors)) == ("planned", (MARKET,), set(PARTY))
    assert first.state(AUGUST) is State.ISSUED
    assert issue_plan(store, number, "tests", DAY).visits == (), "each has its code"
    assert find_visit(store, first.typed) == first
    with pytest.raises(VisitRefusedError, match="2026-07-31 is past"):
        issue_plan(store, number, "tests", AUGUST, Days(JULY, JULY))
    with pytest.raises(VisitRefusedError, match="the month of plan 1, 2026-08, is over"):
        issue_plan(store, number, "tests", dt.date(2026, 9, 1))
    with pytest.raises(VisitRefusedError, match="plan 1 is of 2026-08"):
        issue_plan(store, number, "tests", AUGUST, Days(dt.date(2026, 9, 1), dt.date(2026, 9, 2)))
    with pytest.raises(VisitRefusedError, match="not days of one month"):
        issue_plan(store, number, "tests", AUGUST, Days(DAY, AUGUST))


def test_a_mistyped_code_is_told_from_one_that_does_not_exist(store: Store) -> None:
    code = outside(store).code
    assert code[0] != "0", "a spreadsheet would drop it"
    for place, digit in enumerate(code):
        wrong = code[:place] + str((int(digit) + 1) % 10) + code[place + 1 :]
        with pytest.raises(UnknownVisitError, match="a digit is mistyped"):
            as_code(wrong)
    with pytest.raises(UnknownVisitError, match="have 12 digits"):
        as_code("12345")
    assert as_code(f" {code[:4]}-{code[4:8]} {code[8:]} ") == code
    with pytest.raises(UnknownVisitError, match="there is no visit of the code 3141"):
        find_visit(store, "314159265358")


def test_a_visit_outside_the_plan_states_its_ground_and_counts(store: Store) -> None:
    number = plan(store, AUGUST, ONE)
    first = outside(store)
    assert (first.ground, first.tier, first.over_cap) == ("complaint", "B", False)
    assert "不受年度频次上限限制" in first.clause.zh
    refused = issue_plan(store, number, "tests", DAY).refused
    assert "每月最多一次" in refused[ONE].zh
    again = outside(store, ground="emergency", office=MARKET)
    assert again.over_cap, "a second one in the month, which safety allows"
    with pytest.raises(VisitRefusedError, match="curiosity is no ground"):
        outside(store, ground="curiosity")


def test_who_may_not_go_gets_no_code(store: Store) -> None:
    days = Days(DAY, DAY)
    for offices, party, said in (
        ((MARKET,), ("M1",), "at least 2 inspectors"),
        ((MARKET,), ("M1", "M1"), "at least 2 inspectors"),
        ((MARKET,), ("M1", "S1"), f"S1 is of {SAFETY}, which does not go"),
        ((MARKET,), ("M1", "X9"), "X9 is no inspector on duty"),
    ):
        wanted = OutsideVisit(ONE, "complaint", "x", offices, party, days)
        with pytest.raises(VisitRefusedError, match=said):
            issue_outside(store, PACK, wanted, "tests", DAY)
    stranger = OutsideVisit(credit_code(_CHANCE, "91"), "complaint", "x", (MARKET,), PARTY, days)
    with pytest.raises(VisitRefusedError, match="there is no enterprise"):
        issue_outside(store, PACK, stranger, "tests", DAY)
    far = OutsideVisit(
        ONE, "complaint", "x", (MARKET,), PARTY, Days(dt.date(2026, 10, 1), dt.date(2026, 10, 1))
    )
    with pytest.raises(VisitRefusedError, match="begins by 2026-09-10"):
        issue_outside(store, PACK, far, "tests", DAY)


def test_the_caps_hold_across_all_offices(store: Store) -> None:
    """Tier B has two visits a year, whoever makes them."""
    numbers = {month: plan(store, dt.date(2026, month, 1), ONE) for month in (8, 9)}
    made(store, outside(store, day=dt.date(2026, 8, 1)))
    made(store, outside(store, day=dt.date(2026, 9, 1), office=MARKET))
    for month, number in numbers.items():
        refused = issue_plan(store, number, "tests", dt.date(2026, month, 2)).refused
        assert "每月最多一次" in refused[ONE].zh
    october = dt.date(2026, 10, 1)
    told = {row["subject_id"]: row["reason"] for row in plan_refusals(store, plan(store, october, ONE))}
    assert "已达年度上限" in told[ONE]
    third = outside(store, day=october)
    assert third.over_cap


def test_the_yearly_number_holds_for_a_plan_that_was_made_before(store: Store) -> None:
    number = plan(store, dt.date(2026, 10, 1), ONE)
    for month in (8, 9):
        made(store, outside(store, day=dt.date(2026, month, 1)))
    refused = issue_plan(store, number, "tests", dt.date(2026, 10, 1)).refused
    assert "已达年度上限:B级每年2次,今年已有2次" in refused[ONE].zh


def test_of_two_codes_at_once_for_one_enterprise_one_is_issued(store: Store) -> None:
    """Two officials press the button for the same visit at the same moment."""
    number, both = plan(store, AUGUST, ONE, TWO, THREE), Barrier(2)

    def issue(by: str) -> list[str]:
        both.wait()
        return [visit.subject_id for visit in issue_plan(store, number, by, AUGUST).visits]

    with ThreadPoolExecutor(2) as pool:
        issued = [subject for found in pool.map(issue, ("甲", "乙")) for subject in found]
    assert sorted(issued) == [ONE, TWO, THREE]


def test_what_is_not_made_counts_no_longer(store: Store) -> None:
    number = plan(store, AUGUST, ONE, TWO)
    first, second = issue_plan(store, number, "tests", AUGUST, Days(AUGUST, AUGUST)).visits
    cancel_visit(store, first.code, "企业停业检修", "tests", AUGUST)
    assert find_visit(store, first.code).state(AUGUST) is State.CANCELLED
    [again] = issue_plan(store, number, "tests", AUGUST, Days(DAY, DAY)).visits
    assert again.subject_id == first.subject_id
    assert again.code != first.code
    last = second.report_until
    assert last == dt.date(2026, 8, 7), "five working days after the first of August, a Saturday"
    assert second.state(last) is State.ISSUED
    after = last + dt.timedelta(days=1)
    assert second.state(after) is State.LAPSED
    with pytest.raises(VisitRefusedError, match="the code has lapsed"):
        made(store, second, on=after)
    [late] = issue_plan(store, number, "tests", DAY, Days(DAY, DAY)).visits
    assert late.subject_id == second.subject_id


def test_a_plan_that_another_took_the_place_of_gives_no_codes(store: Store) -> None:
    first, second = plan(store, AUGUST, ONE), anew(store, AUGUST, AUGUST, "418").id
    with pytest.raises(VisitRefusedError, match=f"plan {first} is not in force"):
        issue_plan(store, first, "tests", AUGUST)
    issue_plan(store, second, "tests", AUGUST)
    with pytest.raises(PlanError, match="2026-08 is not planned anew"):
        anew(store, AUGUST, AUGUST, "419")


# Results


def test_a_visit_that_was_made_is_an_inspection_of_the_code_s_number(store: Store) -> None:
    visit = made(store, outside(store), "rectify")
    assert (visit.state(DAY), visit.done_on, visit.went) == (State.MADE, DAY, visit.inspectors)
    [record] = inspections(store).values()
    assert record.record_id == visit.code == visit.record_id
    said = {name: record.data[name] for name in ("level", "occurred_on", "authority")}
    assert said == {"level": "rectify", "occurred_on": DAY, "authority": SAFETY}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"done_on": dt.date(2026, 8, 11)}, "the code is for 2026-08-10 to 2026-08-10"),
        ({"outcome": "failed"}, "say what was found"),
        ({"went": ("M1", "M2")}, "does not name M1, M2"),
        ({"went": ("S1",)}, "at least 2 inspectors"),
    ],
)
def test_a_result_that_the_code_does_not_cover_is_refused(
    store: Store, change: dict[str, object], said: str
) -> None:
    visit = outside(store)
    result = Result(**({"done_on": DAY, "outcome": "passed"} | change))  # type: ignore[arg-type]
    with pytest.raises(VisitRefusedError, match=said):
        enter_result(store, visit.code, result, "tests", DAY)
    assert find_visit(store, visit.code).state(DAY) is State.ISSUED
    assert inspections(store) == {}


def test_a_code_is_used_once(store: Store) -> None:
    visit = made(store, outside(store))
    with pytest.raises(VisitRefusedError, match="the code is used"):
        made(store, visit)
    with pytest.raises(VisitRefusedError, match="the code is used"):
        cancel_visit(store, visit.code, "x", "tests", DAY)


def test_an_enterprise_rates_a_visit_that_was_made_once(store: Store) -> None:
    visit = outside(store)
    with pytest.raises(VisitRefusedError, match="once its result is entered"):
        enter_rating(store, visit.code, Rating(5), ONE)
    made(store, visit)
    with pytest.raises(UnknownVisitError):
        enter_rating(store, visit.code, Rating(1), TWO, TWO)
    with pytest.raises(VisitRefusedError, match="one of 1 to 5"):
        enter_rating(store, visit.code, Rating(6), ONE)
    enter_rating(store, visit.code, Rating(4, "态度好"), ONE, ONE)
    assert find_visit(store, visit.code).rating == 4
    with pytest.raises(VisitRefusedError, match="rated the visit already"):
        enter_rating(store, visit.code, Rating(1), ONE, ONE)


@pytest.mark.parametrize("office_first", [True, False])
def test_an_inspection_that_its_office_sends_as_well_counts_once(store: Store, office_first: bool) -> None:
    visit = outside(store)
    if office_first:
        send(store, office_row("YJ-7"))
    made(store, visit)
    if not office_first:
        send(store, office_row("YJ-7"))
    assert set(inspections(store)) == {"YJ-7"}
    assert find_visit(store, visit.code).record_id == "YJ-7"
    undo_file(store, next(file.id for file in list_files(store, True) if file.name == "office.csv"))
    assert set(inspections(store)) == {visit.code}, "without the office's row the visit is told all the same"


def test_an_office_that_gives_the_code_as_the_number_tells_of_the_same_record(store: Store) -> None:
    visit = made(store, outside(store), "rectify")
    send(store, office_row(visit.code, document_no="应急检〔2026〕7号"))
    [record] = inspections(store).values()
    assert (record.record_id, record.data["document_no"]) == (visit.code, "应急检〔2026〕7号")


def test_other_inspections_of_the_enterprise_count_beside_it(store: Store) -> None:
    visit = made(store, outside(store))
    send(store, office_row("A", dt.date(2026, 8, 9)), office_row("B", authority=MARKET))
    assert set(inspections(store)) == {visit.code, "A", "B"}


def test_a_status_that_was_decided_stands_when_the_office_tells_of_it_too(store: Store) -> None:
    visit = made(store, outside(store), "failed")
    row: Row = {"record_id": visit.code, "subject_id": ONE, "status": "revoked"}
    send(store, row)
    send(store, office_row("YJ-7"))
    assert set(inspections(store)) == {"YJ-7"}


# Files


def report(store: Store, folder: Path, *rows: str, name: str = "检查结果.csv") -> FileReport:
    header = "检查码,统一社会信用代码,企业名称,检查日期,检查结果,发现问题,处置措施,企业评分,企业意见"
    (folder / name).write_text("\n".join((header, *rows)), encoding="utf-8")
    return ingest_file(store, folder / name, None, Reading(quarantine=folder))


def test_results_and_ratings_come_back_by_file(store: Store, tmp_path: Path) -> None:
    day = today()
    first, second, third = (outside(store, code, day) for code in (ONE, TWO, THREE))
    done = report(
        store,
        tmp_path,
        f"{first.typed},{ONE},甲,{day},合格,,,5,规范",
        f"{second.code},{ONE},乙,{day},合格,,,,",
        f"{third.code},,丙,{day},责令整改,,限期改正,,",
        f"{third.code[:-1]}{(int(third.code[-1]) + 1) % 10},,丙,{day},合格,,,,",
    )
    assert (done.vocabulary, done.new, done.rejected) == ("visit", 1, 3)
    assert done.quarantine is not None
    told = done.quarantine.read_text("utf-8-sig")
    for said in (f"检查码属于{TWO}", "请填写发现问题", "有数字输错"):
        assert said in told
    found = find_visit(store, first.code)
    assert (found.outcome, found.rating, found.rating_words) == ("passed", 5, "规范")
    assert (set(inspections(store)), inspections(store, TWO)) == ({first.code}, {})
    more = report(store, tmp_path, f"{second.code},,,{day},合格,,,,", name="补.csv")
    rated = report(store, tmp_path, f"{second.code},,,,,,,2,等候太久", name="评价.csv")
    assert (more.new, rated.changed) == (1, 1)
    assert find_visit(store, second.code).rating == 2
    again = report(store, tmp_path, f"{second.code},,,{day},合格,,,4,", name="再评.csv")
    assert (again.rejected, find_visit(store, second.code).rating) == (1, 2)
    with pytest.raises(StoreError, match="holds results of visits"):
        undo_file(store, list_files(store, limit=1)[0].id)


def test_a_workbook_in_which_the_code_became_a_number_is_read(store: Store, tmp_path: Path) -> None:
    visit, book = outside(store, day=today()), openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["检查码", "检查日期", "检查结果", "到场人员执法证号"])
    sheet.append([int(visit.code), today(), "合格", "S1、S2"])
    book.save(tmp_path / "结果.xlsx")
    done = ingest_file(store, tmp_path / "结果.xlsx", None, Reading(quarantine=tmp_path))
    assert (done.new, done.rejected, find_visit(store, visit.code).outcome) == (1, 0, "passed")


def test_a_code_that_is_refused_is_named_by_the_header_of_its_sheet(store: Store, tmp_path: Path) -> None:
    visit, book = outside(store, day=today()), openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, header, code in (("甲局", "检查码", visit.code), ("乙局", "2.入企检查码*", visit.typed)):
        sheet = book.create_sheet(title)
        sheet.append([header, "检查日期", "检查结果"])
        sheet.append([code, today(), "不合格"])
    book.save(tmp_path / "结果.xlsx")
    done = ingest_file(store, tmp_path / "结果.xlsx", None, Reading(quarantine=tmp_path))
    assert done.quarantine is not None
    told = csv.DictReader(done.quarantine.read_text("utf-8-sig").splitlines())
    assert {(row["工作表 sheet"], row["列 column"]) for row in told} == {
        ("甲局", "检查码"),
        ("乙局", "2.入企检查码*"),
    }


def test_a_file_that_is_only_checked_changes_no_visit(store: Store, tmp_path: Path) -> None:
    visit = outside(store, day=today())
    (tmp_path / "r.csv").write_text(
        f"检查码,检查日期,检查结果\n{visit.code},{today()},合格\n", encoding="utf-8"
    )
    done = ingest_file(store, tmp_path / "r.csv", None, Reading(quarantine=tmp_path, check=True))
    assert (done.new, find_visit(store, visit.code).outcome, inspections(store)) == (1, None, {})


def test_one_code_in_two_rows_of_a_file_is_taken_once(store: Store, tmp_path: Path) -> None:
    visit, day = outside(store, day=today()), today()
    done = report(
        store, tmp_path, f"{visit.code},,,{day},合格,,,,", f"{visit.typed},,,{day},不合格,有隐患,,,"
    )
    assert (done.new, done.rejected) == (1, 1)
    assert find_visit(store, visit.code).outcome == "passed"


def test_a_row_that_was_sent_before_keeps_no_later_row_from_being_looked_at(
    store: Store, tmp_path: Path
) -> None:
    day = today()
    first, second = outside(store, ONE, day), outside(store, TWO, day)
    row = f"{first.code},{ONE},,{day},合格,,,,"
    report(store, tmp_path, row)
    wrong = f"{second.code},{ONE},,{day},合格,,,,"
    more = report(store, tmp_path, row, wrong, name="续.csv")
    assert (more.unchanged, more.new, more.rejected) == (1, 0, 1)
    assert find_visit(store, second.code).outcome is None


# What is read from them


def test_three_visits_in_a_row_without_a_finding_have_their_inspectors_flagged(store: Store) -> None:
    for number, outcome in enumerate(("passed", "rectify", "passed", "passed"), start=1):
        made(store, outside(store, day=dt.date(2026, 8, number)), outcome)
    assert idle_inspectors(store) == []
    last = made(store, outside(store, TWO, dt.date(2026, 8, 5)))
    found = idle_inspectors(store)
    assert [(one.inspector_id, one.name, one.in_a_row) for one in found] == [
        ("S1", "某S1", 3),
        ("S2", "某S2", 3),
    ]
    assert found[0].codes[-1] == last.code
    assert idle_inspectors(store, MARKET) == []
    made(store, outside(store, TWO, dt.date(2026, 8, 6)), "failed")
    assert idle_inspectors(store) == []


def test_figures_by_office(store: Store) -> None:
    first = made(store, outside(store))
    enter_rating(store, first.code, Rating(5), ONE)
    second = made(store, outside(store, TWO), "rectify")
    enter_rating(store, second.code, Rating(2), TWO)
    cancel_visit(store, outside(store, THREE).code, "x", "tests", DAY)
    outside(store, THREE, office=MARKET)
    lapsed = dt.date(2026, 9, 30)
    market, safety = sorted(figures(store, Wanted(month=DAY), lapsed), key=lambda one: one.issued)
    assert (safety.office, safety.issued, safety.made, safety.cancelled) == (SAFETY, 3, 2, 1)
    assert (safety.found, safety.rated, safety.mean_rating) == (1, 2, 3.5)
    assert (market.office, market.issued, market.lapsed, market.mean_rating) == (MARKET, 1, 1, None)
    assert figures(store, Wanted(month=lapsed), lapsed) == []
    assert [one.office for one in figures(store, Wanted(office=MARKET), lapsed)] == [MARKET]
    states = [visit.subject_id for visit in list_visits(store, Wanted(state=State.MADE), DAY)]
    assert states == [TWO, ONE]
    for wanted, number in (
        (Wanted(state=State.CANCELLED), 1), (Wanted(state=State.LAPSED), 1), (Wanted(office=SAFETY), 3),
        (Wanted(subject_id=THREE), 2), (Wanted(office="应急管理局"), 0),
    ):  # fmt: skip
        assert len(list_visits(store, wanted, lapsed)) == number, wanted


def test_the_next_plan_reads_what_was_made_and_issued(store: Store) -> None:
    september = dt.date(2026, 9, 1)
    assert {visit["subject_id"] for visit in plan_visits(store, plan(store, september, ONE, TWO))} >= {
        ONE,
        TWO,
    }
    made(store, outside(store))
    outside(store, day=september)
    again = anew(store, september, september).id
    told = {row["subject_id"]: row["reason"] for row in plan_refusals(store, again)}
    assert "本月已有检查" in told[ONE]
    assert TWO not in told
    october = dt.date(2026, 10, 1)
    plan(store, october, ONE)
    for day, is_over in ((september, True), (october, False)):
        found = plan_refusals(store, anew(store, october, day).id)
        assert (ONE in {row["subject_id"] for row in found}) is is_over, "by October the second has lapsed"


def test_a_plan_takes_tiers_from_the_last_run_of_its_month(store: Store) -> None:
    found = run(store, find_pack(PACK, AUGUST), dt.date(2026, 8, 31))
    assert make_plan(store, PACK, AUGUST, "417", AUGUST).run_id == found.run.id


@pytest.mark.parametrize("state", ["cancelled", "revoked"])
def test_nobody_is_sent_to_an_enterprise_that_is_no_longer_in_business(store: Store, state: str) -> None:
    firm: Row = {"subject_id": ONE, "name": f"样例{ONE[-4:]}公司", "state": state}
    take(store, "enterprise", "subject", "subject_id", [firm])
    visited = {visit["subject_id"] for visit in plan_visits(store, plan(store, AUGUST, ONE, TWO))}
    assert TWO in visited
    assert ONE not in visited


def test_a_page_of_a_plan_goes_on_after_the_last_visit_of_the_page_before(store: Store) -> None:
    number, seen, after = plan(store, AUGUST, ONE, TWO, THREE), list[str](), ""
    while page := plan_visits(store, number, after, 1):
        after = page[0]["subject_id"]
        assert after not in seen
        seen.append(after)
    assert seen == [ONE, TWO, THREE]


def test_a_planned_visit_counts_by_its_code_once_codes_are_issued(store: Store) -> None:
    """Tier B has two visits a year, and both are planned: one that is cancelled makes room for another."""
    september, october = dt.date(2026, 9, 1), dt.date(2026, 10, 1)
    first = plan(store, AUGUST, ONE, TWO)
    plan(store, september, ONE, TWO)
    plan(store, october, ONE, TWO)

    def refused(on: dt.date) -> set[str]:
        again = anew(store, october, on).id
        return {row["subject_id"] for row in plan_refusals(store, again)}

    assert refused(AUGUST) == {ONE, TWO}
    [visit] = issue_plan(store, first, "tests", AUGUST, subject_id=ONE).visits
    assert refused(AUGUST) == {ONE, TWO}
    cancel_visit(store, visit.code, "x", "tests", AUGUST)
    assert refused(AUGUST) == {TWO}
    assert refused(september) == set(), "August is over, and nobody goes without a code"
