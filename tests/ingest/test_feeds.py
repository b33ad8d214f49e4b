"""What an office sent, what of it was wrong, late or contradicted, and which office fell silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
import xlwt
from repairing import repair

from rules.calendar import SHANGHAI, today
from rules.library.loader import load_vocabulary
from rules.workdays import workdays_later
from scoring.facts.entries import FileInfo
from scoring.facts.feeding import feeding_of
from scoring.facts.feeds import Feed, FeedFault, feed_faults, office_feeds, record_months
from scoring.facts.ingest.files import Reading, ingest_file
from scoring.facts.records import list_records, submit_records
from scoring.facts.undo import list_files, undo_file
from scoring.store import Store
from scoring.store.feeds import FeedRow
from scoring.store.models import IngestedFile

HEADERS = "编号,信用代码,类别,失信程度,状态,等级,决定日期,金额,认定机关"
CODE = "91110000600037341L"
MARKET, SHORT, FIRE = "云衡区市场监督管理局", "市监局", "云衡区消防救援大队"
EVER = dt.date(2000, 1, 1)


def row(
    number: str,
    authority: str,
    decided: dt.date | str = "",
    amount: str = "1000",
    status: str = "有效",
) -> str:
    """A row of an office; by default of a penalty that may be repaired at once."""
    return f"{number},{CODE},行政处罚,轻微,{status},罚款,{decided or today()},{amount},{authority}"


class Office:
    """Sends files into a store, each under a name of its own."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder, self.sent = store, folder, 0

    def send(self, *rows: str, headers: str = HEADERS) -> int:
        self.sent += 1
        path = self.folder / f"{self.sent}.csv"
        path.write_text("\n".join([headers, *rows]), encoding="utf-8")
        done = ingest_file(self.store, path, "enterprise", Reading(quarantine=self.folder / "q"))
        assert done.file_id is not None
        return done.file_id

    def book(self, sheets: dict[str, list[str]]) -> str:
        self.sent += 1
        book = xlwt.Workbook()
        for name, rows in sheets.items():
            sheet = book.add_sheet(name)
            for number, line in enumerate([HEADERS, *rows] if rows else []):
                for column, cell in enumerate(line.split(",")):
                    sheet.write(number, column, cell)
        path = self.folder / f"{self.sent}.xls"
        book.save(str(path))
        ingest_file(self.store, path, "enterprise", Reading(quarantine=self.folder / "q"))
        return path.name

    def feed(self, name: str = MARKET, since: dt.date = EVER, on: dt.date | None = None) -> Feed:
        found = office_feeds(self.store, since, on or today(), name)
        assert len(found) == 1, found
        return found[0]


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Office:
    office = Office(store, tmp_path)
    path = tmp_path / "bodies.csv"
    path.write_text(f"单位编码,单位名称,其他名称\nDW1,{MARKET},{SHORT}\n", encoding="utf-8")
    ingest_file(store, path, "department", Reading(quarantine=tmp_path / "q"))
    return office


def numbers(feed: Feed) -> tuple[int, ...]:
    return feed.sent, feed.right, feed.refused, feed.late, feed.corrected, feed.contradicted


def test_the_rows_of_an_office_are_counted_under_all_of_its_names(office: Office) -> None:
    office.send(row("R1", MARKET), row("R2", SHORT), row("R3", FIRE))
    office.send(row("R4", SHORT))
    assert [(f.body, f.name, f.files, numbers(f)) for f in office_feeds(office.store, EVER, today())] == [
        ("DW1", MARKET, 3, (3, 3, 0, 0, 0, 0)),
        (None, FIRE, 1, (1, 1, 0, 0, 0, 0)),
    ]
    assert office.feed(SHORT) == office.feed("DW1") == office.feed(MARKET)


def test_what_says_nothing_new_counts_neither_as_sent_nor_as_right(office: Office) -> None:
    office.send(row("R1", MARKET), row("R2", MARKET))
    office.send(row("R1", MARKET), row("R2", MARKET), row("R3", MARKET))
    office.send(f"R1,{CODE},有效", headers="编号,信用代码,状态")
    assert (office.feed().files, numbers(office.feed())) == (2, (3, 3, 0, 0, 0, 0))


@pytest.mark.parametrize("order", ["aa", "abab", "abba"])
def test_a_text_that_comes_again_is_one(office: Office, order: str) -> None:
    texts = {
        "a": (row("R1", MARKET), row("R2", MARKET, "2026-02-30"), row("R3", MARKET)),
        "b": (row("R1", MARKET, status="已撤销"), row("R3", MARKET, amount="8"), row("R4", FIRE, "x")),
    }
    first = {name: office.send(*texts[name]) for name in dict.fromkeys(order)}
    once, faults = office_feeds(office.store, EVER, today()), list(_faults(office))
    for name in order[len(first) :]:
        office.send(*texts[name])
    assert office_feeds(office.store, EVER, today()) == once
    assert list(_faults(office)) == faults


def test_a_text_that_was_taken_back_counts_when_it_comes_again_and_once_when_it_is_back(
    office: Office,
) -> None:
    text = (row("R1", MARKET), row("R2", MARKET, "2026-02-30"))
    undone = undo_file(office.store, office.send(*text)).file_id
    assert office_feeds(office.store, EVER, today()) == []
    second = office.send(*text)
    assert numbers(office.feed()) == (2, 1, 1, 0, 0, 0)
    undo_file(office.store, second)
    assert undone is not None
    undo_file(office.store, undone)
    office.send(row("R9", FIRE))
    office.send(*text)
    assert (office.feed().files, numbers(office.feed())) == (1, (2, 1, 1, 0, 0, 0))


def test_no_office_has_fewer_right_rows_than_none_where_another_puts_its_earlier_ones_right(
    office: Office,
) -> None:
    office.send(*(row(f"R{number}", MARKET) for number in range(3)))
    with office.store.writing() as session:
        session.execute(sa.update(FeedRow).values(came_on=dt.date(2026, 1, 5)))
    office.send(*(row(f"R{number}", FIRE) for number in range(3)))
    office.send(row("R7", MARKET))
    found = office.feed(since=dt.date(2026, 1, 6))
    assert (found.right, found.share, found.corrected) == (0, 0, 3)


def _faults(office: Office) -> Iterator[FeedFault]:
    return feed_faults(office.store, EVER, today(), MARKET)


def test_of_a_text_that_comes_again_what_can_be_taken_by_now_counts(office: Office) -> None:
    unknown = f"R2,,行政处罚,轻微,有效,罚款,{today()},1000,{MARKET},云衡小店"
    text, headers = (f"{row('R1', MARKET)},", unknown), f"{HEADERS},企业名称"
    office.send(*text, headers=headers)
    assert numbers(office.feed()) == (2, 1, 1, 0, 0, 0)
    path = office.folder / "shop.csv"
    path.write_text(f"信用代码,企业名称\n{CODE},云衡小店\n", encoding="utf-8")
    ingest_file(office.store, path, "enterprise", Reading(quarantine=office.folder / "q"))
    office.send(*text, headers=headers)
    assert numbers(office.feed()) == (3, 2, 1, 0, 0, 0)


def test_a_text_that_comes_again_against_a_decision_made_here_contradicts_it_once(office: Office) -> None:
    text = row("R1", MARKET)
    office.send(text)
    repair(office.store, load_vocabulary("enterprise"), "R1", today())
    office.send(text, row("R2", FIRE))
    for _ in range(2):
        office.send(text)
        assert numbers(office.feed()) == (2, 1, 0, 0, 0, 1)


def test_a_file_in_which_another_office_corrects_a_row_is_none_of_its_first_office(office: Office) -> None:
    office.send(row("R1", MARKET))
    office.send(row("R1", FIRE))
    assert (office.feed().files, office.feed(FIRE).files) == (1, 1)


def test_a_refused_row_is_its_offices_by_what_it_says_itself(office: Office) -> None:
    office.send(row("R1", FIRE), row("R2", FIRE, "2026-02-30"), row("R3", MARKET, amount="-5"))
    assert numbers(office.feed(FIRE)) == (2, 1, 1, 0, 0, 0)
    assert numbers(office.feed()) == (1, 0, 1, 0, 0, 0)
    [found] = feed_faults(office.store, EVER, today(), MARKET)
    assert (found.kind, found.file, found.row_no, found.column, found.value) == (
        "refused", "1.csv", 4, "金额", "-5",
    )  # fmt: skip
    assert "数值不可能" in found.right


def test_a_refused_row_that_says_nobody_is_that_of_the_only_office_of_its_file(office: Office) -> None:
    office.send(row("R1", FIRE), row("R2", "", "2026-02-30"))
    assert numbers(office.feed(FIRE)) == (2, 1, 1, 0, 0, 0)
    office.send(row("R3", "", "2026-02-30"))
    assert numbers(office.feed("")) == (1, 0, 1, 0, 0, 0)


@pytest.mark.parametrize("second", [row("R1", MARKET, amount="8"), f"R1,{CODE},行政处罚,,,,,,{MARKET}"])
def test_a_row_that_is_refused_beside_others_is_its_offices_too(office: Office, second: str) -> None:
    office.send(row("R1", MARKET), row("R2", FIRE), second)
    assert (office.feed().sent, office.feed().refused) == (2, 1)


def test_a_department_answers_for_all_rows_that_it_posts(office: Office) -> None:
    good = {"record_id": "R1", "subject_id": CODE, "kind": "penalty", "severity": "general"}
    good |= {"status": "effective", "occurred_on": today().isoformat()}
    rows = [good, good | {"record_id": "R2", "authority": FIRE}, {"record_id": "R3"}]
    source = FileInfo("0" * 64, "request 1", "api")
    submit_records(office.store, load_vocabulary("enterprise"), rows, source, MARKET)
    assert [(f.name, numbers(f)) for f in office_feeds(office.store, EVER, today())] == [
        (MARKET, (3, 1, 2, 0, 0, 0))
    ]


def test_a_decision_has_seven_working_days_to_come(office: Office) -> None:
    _came(office.store, [dt.date(2020, 1, 1)], MARKET)
    day = today()
    while workdays_later(day, 7) >= today():
        day -= dt.timedelta(1)
    office.send(row("R1", MARKET, day), row("R2", MARKET, day + dt.timedelta(1)))
    assert numbers(office.feed()) == (3, 2, 0, 1, 0, 0)
    [found] = feed_faults(office.store, EVER, today(), SHORT)
    assert (found.kind, found.record_id, found.row_no, found.value) == ("late", "R1", 2, str(day))
    assert str(workdays_later(day, 7)) in found.right
    office.send(row("R1", MARKET, day, status="已撤销"))
    assert office.feed().late == 1, "what is known already is not late again"


def test_what_was_decided_before_anything_came_is_told_apart(office: Office) -> None:
    office.send(row("R1", MARKET, "2020-01-01"))
    assert (office.feed().late, office.feed().backlog) == (1, 1)
    assert (office.feed().right, office.feed().share, office.feed().has_faults) == (1, 100, False)
    assert not list(_faults(office)), "there is nothing to put right"


@pytest.mark.parametrize(
    ("right", "sent", "share"), [(4_999, 5_000, 99.9), (9_999, 10_000, 99.9), (3, 3, 100)]
)
def test_a_share_is_whole_only_where_all_is_right(
    office: Office, right: int, sent: int, share: float
) -> None:
    office.send(row("R1", MARKET))
    assert replace(office.feed(), right=right, sent=sent).share == share


def test_a_value_that_is_said_otherwise_later_was_wrong_at_its_place(office: Office) -> None:
    office.send(row("R1", MARKET), row("R2", MARKET, amount=""))
    office.send(row("R1", MARKET, amount="9000", status="已撤销"), row("R2", MARKET, amount="7"))
    assert numbers(office.feed()) == (4, 3, 0, 0, 1, 0)
    [found] = feed_faults(office.store, EVER, today(), MARKET)
    assert (found.kind, found.file, found.row_no, found.column, found.value, found.right) == (
        "corrected", "1.csv", 2, "涉及金额", "1000", "9000",
    )  # fmt: skip


def test_a_row_that_stands_against_a_decision_made_here_contradicts(office: Office) -> None:
    office.send(row("R1", MARKET))
    repair(office.store, load_vocabulary("enterprise"), "R1", today())
    office.send(row("R1", MARKET, amount="9000", status="已撤销"))
    assert numbers(office.feed()) == (2, 1, 0, 0, 0, 1)
    [found] = feed_faults(office.store, EVER, today(), MARKET)
    assert (found.kind, found.file, found.record_id, found.value, found.right) == (
        "contradicted", "2.csv", "R1", "已撤销", "已修复",
    )  # fmt: skip


def test_a_file_that_was_taken_back_does_not_count_and_counts_when_it_is_back(office: Office) -> None:
    office.send(row("R1", MARKET))
    before = numbers(office.feed())
    wrong = office.send(row("R2", MARKET, "2020-01-01"), row("R1", MARKET, amount="9000"))
    with_it, faults = numbers(office.feed()), list(feed_faults(office.store, EVER, today(), MARKET))
    undone = undo_file(office.store, wrong)
    assert (office.feed().files, numbers(office.feed())) == (1, before)
    assert not list(feed_faults(office.store, EVER, today(), MARKET))
    assert undone.file_id is not None
    undo_file(office.store, undone.file_id)
    assert numbers(office.feed()) == with_it != before
    assert list(feed_faults(office.store, EVER, today(), MARKET)) == faults


def test_a_file_that_is_taken_back_in_two_parts_is_taken_from_the_count_once(office: Office) -> None:
    first = office.send(row("R1", MARKET), row("R2", MARKET))
    later = office.send(row("R2", MARKET, amount="2000"))
    assert undo_file(office.store, first).left == ("R2",)
    undo_file(office.store, later)
    assert undo_file(office.store, first).ended == 1
    office.send(row("R3", MARKET), row("R4", MARKET), row("R5", MARKET))
    assert (office.feed().files, numbers(office.feed())) == (1, (3, 3, 0, 0, 0, 0))


def _came(store: Store, days: list[dt.date], authority: str = SHORT) -> None:
    """Rows that came on days of the past."""
    with store.writing() as session:
        for number, day in enumerate(days):
            moment = dt.datetime.combine(day, dt.time(12), SHANGHAI)
            file = IngestedFile(
                sha256=str(number), name="x", vocabulary="enterprise", table="record",
                rows_good=1, rows_bad=0, ingested_at=moment, source="file",
            )  # fmt: skip
            session.add(file)
            session.flush()
            counts = {"refused": 0, "late": 0, "backlog": 0, "corrected": 0, "contradicted": 0}
            session.add(FeedRow(file_id=file.id, authority=authority, came_on=day, taken=1, **counts))


def test_an_office_that_falls_silent_by_its_own_rhythm_is_noticed(office: Office) -> None:
    weekly = [dt.date(2026, 3, 2) + dt.timedelta(7 * n) for n in range(6)]
    _came(office.store, weekly)
    last = weekly[-1]
    seen = [office.feed(on=last + dt.timedelta(days)).is_silent for days in (0, 14, 15, 400)]
    assert seen == [False, False, True, True]
    assert office.feed(since=last + dt.timedelta(300), on=last + dt.timedelta(400)).sent == 0


def test_of_an_office_that_came_thrice_nobody_knows_the_rhythm(office: Office) -> None:
    _came(office.store, [dt.date(2026, 3, day) for day in (2, 3, 4)])
    assert office.feed(on=dt.date(2026, 11, 1)).expected_by is None


def test_the_rhythm_is_that_of_the_last_two_years(office: Office) -> None:
    _came(office.store, [dt.date(2024, 3, 2), *(dt.date(2026, 2, day) for day in (1, 2, 3))])
    feeds = [office.feed(since=dt.date(2026, 1, 1), on=dt.date(2026, 3, day)) for day in (2, 3)]
    assert [feed.expected_by is not None for feed in feeds] == [True, False], "with the first there are four"


def test_of_a_workbook_the_sheet_is_named_too(office: Office) -> None:
    _came(office.store, [dt.date(2019, 1, 1)], MARKET)
    first = office.book(
        {"1月": [], "2月": [row("R1", MARKET), row("R2", MARKET), row("R3", MARKET, "2020-01-01")]}
    )
    repair(office.store, load_vocabulary("enterprise"), "R1", today())
    changed = [
        row("R1", MARKET, status="已撤销"),
        row("R2", MARKET, amount="9"),
        row("R4", MARKET, amount="-1"),
    ]
    second = office.book({"3月": changed})
    found = [(f.kind, f.file, f.sheet, f.row_no) for f in _faults(office)]
    assert found == [
        ("refused", second, "3月", 4),
        ("contradicted", second, "3月", 2),
        ("corrected", first, "2月", 3),
        ("late", first, "2月", 4),
    ]


def test_a_check_of_a_file_notes_nothing(office: Office) -> None:
    path = office.folder / "checked.csv"
    path.write_text(f"{HEADERS}\n{row('R1', MARKET)}", encoding="utf-8")
    ingest_file(office.store, path, "enterprise", Reading(quarantine=office.folder / "q", check=True))
    with office.store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(FeedRow)) == 0


def test_a_month_in_which_a_body_sent_nothing_is_on_record_only_where_it_was_before(office: Office) -> None:
    vocabulary, last = load_vocabulary("department"), dt.date(2026, 4, 30)
    _came(office.store, [dt.date(2026, 1, 31)])
    for _ in range(2):
        assert record_months(office.store, last) == 1
        assert [str(r.data["occurred_on"]) for r in list_records(office.store, vocabulary)] == ["2026-01-31"]


def test_the_months_of_bodies_are_on_record_for_their_grade_and_follow_what_is_taken_back(
    office: Office,
) -> None:
    vocabulary = load_vocabulary("department")

    def recorded() -> list[tuple[str, str, object, object]]:
        return [
            (r.subject_id, r.data["occurred_on"].isoformat(), r.data["rows_sent"], r.data["rows_right"])
            for r in list_records(office.store, vocabulary)
        ]

    _came(
        office.store, [dt.date(2026, 1, 31), dt.date(2026, 2, 1), dt.date(2026, 2, 28), dt.date(2026, 3, 1)]
    )
    record_months(office.store, dt.date(2026, 3, 31))
    known = [("DW1", "2026-01-31", 1, 1), ("DW1", "2026-02-28", 2, 2)]
    assert recorded() == known
    before = list_files(office.store, everything=True)
    record_months(office.store, dt.date(2026, 3, 31))
    assert (recorded(), list_files(office.store, everything=True)) == (known, before)
    file = office.send(row("R1", MARKET, "2020-01-01"), row("R2", MARKET, "2026-02-30"), row("R3", FIRE))
    later = (today().replace(day=1) + dt.timedelta(32)).replace(day=1)
    record_months(office.store, later)
    assert recorded()[-1][2:] == (2, 1), "what was known before a body began to send is late, not wrong"
    undo_file(office.store, file)
    record_months(office.store, later)
    assert recorded()[-1][2:] == (0, 0)


def test_a_kind_of_record_without_an_office_or_a_day_of_decision_has_no_feeds() -> None:
    enterprise = load_vocabulary("enterprise")
    assert feeding_of(enterprise) is not None
    assert feeding_of(replace(enterprise, record_date="")) is None
    assert feeding_of(replace(enterprise, records=None)) is None
