"""Which rows can be at all: what is refused, what is taken with a warning, and that every way in agrees."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from rules.calendar import today
from rules.library.loader import load_vocabulary, vocabulary_names
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.checks import row_check
from scoring.facts.ingest.files import Reading, ingest_file
from scoring.facts.records import submit_records
from scoring.store import Store
from scoring.store.models import SubjectVersion

from .conftest import CODES, Ingest, current, quarantined, write_text

PENALTY = {
    "record_id": "R1",
    "subject_id": CODES[0],
    "kind": "行政处罚",
    "severity": "一般",
    "status": "有效",
    "level": "罚款",
    "amount": "1000",
    "occurred_on": "2026-03-05",
    "ends_on": "",
}
NEVER_COUNTS = {
    "no date": ("occurred_on", "", "could never count"),
    "a dash for a date": ("occurred_on", "—", "could never count"),
    "no status": ("status", "", "could never count"),
    "no kind": ("kind", "", "could never count"),
    "a tax rating without its level": ("level", "", "could never count"),
}
CANNOT_BE = {
    "a tax grade as a penalty's outcome": ("level", "A", "one of warning, criticism"),
    "a date years ahead": ("occurred_on", "2199-03-05", "more than 31 days ahead"),
    "an end before the beginning": ("ends_on", "2026-03-04", "before occurred_on, 2026-03-05"),
    "a negative fine": ("amount", "-1000", "≥ 0"),
}


def changed_row(**changed: str) -> dict[str, str]:
    row = PENALTY | changed
    if changed.get("level") == "":  # a penalty need not say what it consists in, but a rating which it is
        row |= {"kind": "纳税缴费信用级别"}
    return row


def penalty(**changed: str) -> list[str]:
    row = changed_row(**changed)
    return [",".join(row), ",".join(row.values())]


@pytest.mark.parametrize("case", (NEVER_COUNTS | CANNOT_BE).values(), ids=(NEVER_COUNTS | CANNOT_BE).keys())
def test_a_record_that_could_never_count_or_be_is_not_taken(
    take: Ingest, sqlite: Store, tmp_path: Path, case: tuple[str, str, str]
) -> None:
    column, value, said = case
    report = take(write_text(tmp_path / "a.csv", penalty(**{column: value})), "enterprise")
    assert (report.new, report.rejected, current(sqlite)) == (0, 1, [])
    (fault,) = quarantined(sqlite)
    assert fault[:3] == (2, column, value)
    assert said in fault[3]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("occurred_on", 46_000, "the day number of a spreadsheet"),
        ("occurred_on", 46_000.0, "the day number of a spreadsheet"),
        ("occurred_on", float("nan"), "could never count"),
        ("record_id", True, "a yes or no"),
        ("record_id", float("nan"), "empty, and required"),
        ("subject_id", float("nan"), "empty, and required"),
        ("subject_id", "NaN", "empty, and required"),
        ("record_id", "合计", "a total"),
        ("amount", float("inf"), "its last digits are lost"),
    ],
)
def test_the_api_takes_no_number_for_a_day_and_nothing_for_a_key(
    sqlite: Store, column: str, value: Any, said: str
) -> None:
    row = {name: text or None for name, text in PENALTY.items()} | {column: value}
    done = submit_records(sqlite, load_vocabulary("enterprise"), [row], FileInfo("1" * 64, "api"))
    assert (done.new, [fault.column for fault in done.faults]) == (0, [column])
    assert said in done.faults[0].reason


@pytest.mark.parametrize("case", (NEVER_COUNTS | CANNOT_BE).values(), ids=(NEVER_COUNTS | CANNOT_BE).keys())
def test_the_api_holds_the_same_line(sqlite: Store, tmp_path: Path, case: tuple[str, str, str]) -> None:
    column, value, _ = case
    words = load_vocabulary("enterprise")
    ingest_file(
        sqlite,
        write_text(tmp_path / "a.csv", penalty(**{column: value})),
        "enterprise",
        Reading(quarantine=tmp_path),
    )
    done = submit_records(
        sqlite, words, [changed_row(**{column: value}) | {column: value or None}], FileInfo("1" * 64, "api")
    )
    assert (done.new, done.rejected) == (0, 1)
    assert [(p.column, p.reason) for p in done.faults] == [(row[1], row[3]) for row in quarantined(sqlite)][
        :1
    ]


def test_the_api_says_by_which_column_the_law_would_fill_in_what_is_lacking(sqlite: Store) -> None:
    row = {name: text or None for name, text in PENALTY.items()} | {"severity": None, "level": None}
    done = submit_records(sqlite, load_vocabulary("enterprise"), [row], FileInfo("1" * 64, "api"))
    ((column, reason),) = [(fault.column, fault.reason) for fault in done.faults]
    assert column == "severity"
    assert "and level names nothing to tell it by (one of warning, criticism, " in reason
    assert "A" not in reason.partition("(one of ")[2].split(";")[0].split(", "), (
        "a grade is no kind of penalty"
    )


def test_what_is_possible_is_taken_without_a_word(take: Ingest, tmp_path: Path) -> None:
    same_day = penalty(ends_on=PENALTY["occurred_on"], amount="0")
    report = take(write_text(tmp_path / "a.csv", same_day), "enterprise")
    assert (report.new, report.rejected, report.warned) == (1, 0, 0)


def test_an_outcome_where_the_kind_has_none_is_not_taken(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    report = take(write_text(tmp_path / "a.csv", penalty(kind="欠税公告")), "enterprise")
    assert report.rejected == 1
    assert "leave it empty" in quarantined(sqlite)[0][3]


def test_an_unreadable_cell_is_said_once(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(write_text(tmp_path / "a.csv", penalty(occurred_on="去年底", severity="不详")), "enterprise")
    assert [row[1] for row in quarantined(sqlite)] == ["occurred_on", "severity"]


def test_a_mapping_can_say_what_every_record_needs(sqlite: Store, tmp_path: Path, take: Ingest) -> None:
    from scoring.facts.ingest.mapping import parse_mapping

    lines = ["record_id,subject_id,occurred_on", f"R1,{CODES[0]},2026-03-05"]
    said = parse_mapping("defaults: {kind: penalty, status: effective, severity: minor}", "m.yaml")
    assert take(write_text(tmp_path / "a.csv", lines), "enterprise", mapping=said).new == 1


@pytest.mark.parametrize(("days", "found"), [(0, []), (1, [True]), (31, [True]), (32, [False])])
def test_a_date_a_little_ahead_is_odd_and_one_far_ahead_cannot_be(days: int, found: list[bool]) -> None:
    day = dt.date(2026, 12, 15)
    records = load_vocabulary("enterprise").records
    assert records is not None
    row = {
        "kind": "public_service",
        "status": "effective",
        "occurred_on": (day + dt.timedelta(days)).isoformat(),
    }
    assert [finding.odd for finding in row_check(records, day)(row)] == found


def test_the_check_of_dates_ahead_ends_with_the_calendar() -> None:
    records = load_vocabulary("enterprise").records
    assert records is not None
    assert (
        row_check(records, dt.date.max)(
            {"kind": "public_service", "status": "effective", "occurred_on": "9999-12-30"}
        )
        == []
    )


def test_a_record_from_before_its_subject_is_taken_with_a_warning_that_is_counted_and_listed(
    store: Store, tmp_path: Path
) -> None:
    def take(name: str, *lines: str) -> Any:
        return ingest_file(
            store, write_text(tmp_path / name, lines), "enterprise", Reading(quarantine=tmp_path / "q")
        )

    take("企业.csv", "信用代码,企业名称,成立日期", f"{CODES[0]},甲,2026-03-06", f"{CODES[1]},乙,2026-03-05")
    report = take("处罚.csv", *penalty(), penalty(record_id="R2", subject_id=CODES[1])[1])
    assert (report.new, report.rejected, report.warned) == (2, 0, 1)
    with report.warnings.open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["行 row"], row["列 column"], row["值 value"]) == ("2", "occurred_on", "2026-03-05")
    assert "早于成立日期2026-03-06" in row["原因 reason"]


def test_the_api_warns_of_a_record_from_before_its_subject(
    sqlite: Store, take: Ingest, tmp_path: Path
) -> None:
    take(write_text(tmp_path / "a.csv", ["信用代码,成立日期", f"{CODES[0]},2026-03-06"]))
    done = submit_records(sqlite, load_vocabulary("enterprise"), [PENALTY], FileInfo("1" * 64, "api"))
    assert (done.new, done.rejected, [w.column for w in done.warnings]) == (1, 0, ["occurred_on"])


def test_what_subjects_are_can_be_impossible_too(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    lines = ["信用代码,注册资本,从业人数", f"{CODES[0]},-1,1", f"{CODES[1]},1,1"]
    report = take(write_text(tmp_path / "a.csv", lines), "enterprise")
    assert (report.new, report.rejected) == (1, 1)
    assert [row["subject_id"] for row in current(sqlite, SubjectVersion)] == [CODES[1]]


@pytest.mark.parametrize("name", vocabulary_names())
def test_every_code_of_a_closed_list_belongs_to_some_kind(name: str) -> None:
    """Else a code could be written in no record at all."""
    records = load_vocabulary(name).records
    if records is None:
        return
    restricted = {column for kind in records.kinds.values() for column in kind.values}
    for column in restricted:
        used = {
            code
            for kind in records.kinds.values()
            for code in kind.values.get(column, records.columns[column].values)
        }
        assert used == set(records.columns[column].values)
    assert set(records.kinds) == set(records.columns["kind"].values)
    assert row_check(records, today())({}) != []
