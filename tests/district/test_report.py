"""``xinheng report``: the article's table, counted from the records."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from databases import MadeOnce
from openpyxl import load_workbook

from scoring.answers.report import FIGURES, SECTIONS, UNITS, Report, make_report, report_html, report_xlsx
from scoring.cli.report import report_command
from scoring.facts.ingest.files import Reading, ingest_paths
from scoring.store import Store, StoreError, create_store, open_store

AS_OF = dt.date(2026, 7, 31)
ARTICLE = {
    "credit.commitments": 8_200,
    "credit.key-fields": 10,
    "platform.enterprises": 2_917,
    "platform.loans": 53,
    "platform.lent": 67_880_000,
    "permits.departments": 21,
    "permits.items": 334,
    "problems.all": 152,
    "problems.all-closed": 144,
    "problems.all-under-way": 8,
    "problems.demands": 55,
    "problems.demands-closed": 43,
    "problems.demands-under-way": 12,
    "problems.specialist": 163,
    "problems.specialist-closed": 79,
    "problems.specialist-under-way": 84,
    "supervision.cases": 9,
    "supervision.persons": 13,
    "supervision.disciplined": 4,
    "projects.municipal": 30,
    "projects.municipal-invested": 1_304_000_000,
    "projects.municipal-completion": Decimal("185.75"),
    "projects.district": 104,
    "projects.district-invested": 4_605_000_000,
    "projects.district-completion": Decimal("118.09"),
    "projects.key": 10,
    "finance.sessions": 45,
    "finance.supported": 5_360_000_000,
    "finance.green": 22,
    "finance.green-sought": 4_000_000_000,
    "finance.green-lent": 5_230_000_000,
    "reform.items": 954,
}


@pytest.fixture(scope="module")
def report(district_store: Store) -> Report:
    return make_report(district_store, AS_OF)


@pytest.fixture
def small_store(small_district: Path, made_once: MadeOnce, tmp_path: Path) -> Iterator[Store]:
    """The enterprises of a small district; nothing of its departments."""

    def fill(folder: Path) -> None:
        store = create_store(f"sqlite:///{folder / 'xinheng.db'}")
        ingest_paths(store, [small_district / "enterprise"], "enterprise", Reading(quarantine=folder))
        store.close()

    shutil.copy(made_once("small-store", fill) / "xinheng.db", tmp_path)
    store = open_store(f"sqlite:///{tmp_path / 'xinheng.db'}")
    yield store
    store.close()


def values(report: Report) -> dict[str, object]:
    return {line.figure.id: line.value for line in report.lines}


def run(store: Store, *options: str) -> Result:
    database = store.engine.url.render_as_string(hide_password=False)
    return CliRunner().invoke(report_command, ["--database", database, "--as-of", str(AS_OF), *options])


def test_every_figure_of_the_article_comes_out_of_the_records(report: Report) -> None:
    found = values(report)
    records = found.pop("credit.records")
    assert found == ARTICLE
    assert isinstance(records, int)
    assert records >= 200_000


def test_figures_are_in_the_order_of_the_sections(report: Report) -> None:
    assert [line.figure for line in report.lines] == list(FIGURES)
    seen = dict.fromkeys(line.figure.section for line in report.lines)
    assert list(seen) == list(SECTIONS)
    assert {figure.unit for figure in FIGURES} == set(UNITS)


def test_what_is_dated_later_does_not_count(district_store: Store) -> None:
    earlier = values(make_report(district_store, dt.date(2026, 3, 31)))
    assert earlier["reform.items"] == 954
    for figure in (
        "platform.enterprises",
        "platform.loans",
        "problems.all-closed",
        "projects.district-invested",
    ):
        assert 0 < earlier[figure] < ARTICLE[figure]  # type: ignore[operator]
    parts = [earlier[f"problems.all-{part}"] for part in ("closed", "under-way")]
    assert earlier["problems.all"] == sum(parts)  # type: ignore[arg-type]


def test_shares_are_unknown_before_there_is_a_plan(district_store: Store) -> None:
    before = values(make_report(district_store, dt.date(2024, 12, 31)))
    assert before["projects.municipal"] == 0
    assert before["projects.municipal-invested"] == 0
    assert before["projects.municipal-completion"] is None


def test_a_new_record_changes_the_figures_and_the_past_can_be_had_again(
    small_store: Store, tmp_path: Path
) -> None:
    first = make_report(small_store, AS_OF)
    loan = tmp_path / "补报.csv"
    loan.write_text(
        "编号,统一社会信用代码,类别,状态,等级,金额,日期\n"
        "JRX1,91110000600037341L,信易贷融资,有效,granted,12.5万,2026-07-30\n",
        encoding="utf-8",
    )
    ingest_paths(small_store, [loan], "enterprise", Reading(quarantine=tmp_path))
    before, after = values(first), values(make_report(small_store, AS_OF))
    assert after["platform.loans"] == before["platform.loans"] + 1  # type: ignore[operator]
    assert after["platform.lent"] == before["platform.lent"] + 125_000  # type: ignore[operator]
    assert values(make_report(small_store, AS_OF, known_at=first.known_at)) == before


def test_without_departments_their_figures_are_unknown(small_store: Store) -> None:
    found = values(make_report(small_store, AS_OF))
    assert found["credit.commitments"] == 328
    assert found["problems.all"] is None
    table = run(small_store)
    assert table.exit_code == 0
    assert "Enterprise demands\t—\t" in table.stdout


def test_an_empty_store_says_what_to_do(sqlite_store_url: str) -> None:
    store = open_store(sqlite_store_url)
    with pytest.raises(StoreError, match="xinheng ingest"):
        make_report(store, AS_OF)
    store.close()


def test_the_workbook_holds_numbers(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    path.write_bytes(report_xlsx(report))
    rows = list(load_workbook(path).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    by_figure = {row[2]: row[3] for row in rows[2:]}
    assert "2026-07-31" in str(rows[0][0])
    assert len(by_figure) == len(FIGURES)
    assert by_figure["Amount granted"] == 67_880_000
    assert by_figure["Municipal projects: share of the monthly plans"] == 185.75


def test_the_page_reads_in_chinese_with_english_and_prints(report: Report) -> None:
    page = report_html(report)
    assert '<html lang="zh-CN">' in page
    assert "@media print" in page
    assert "http" not in page
    assert "67,880,000 元" in page
    for figure in FIGURES:
        assert f'id="{figure.id}"' in page
        assert figure.title.zh in page
        assert figure.title.en in page


def test_on_the_command_line_as_a_table_and_for_programs(
    small_store: Store, small_district: Path, tmp_path: Path
) -> None:
    departments = small_district / "department"
    ingest_paths(small_store, [departments], "department", Reading(quarantine=tmp_path))
    assert "District projects: invested\t4,605,000,000\t元" in run(small_store).stdout
    rows = json.loads(run(small_store, "--format", "json").stdout)
    assert {row["id"]: row["value"] for row in rows}["projects.district-completion"] == 118.09
    lines = list(csv.DictReader(io.StringIO(run(small_store, "--format", "csv").stdout)))
    assert {line["id"]: line["value"] for line in lines}["finance.green-lent"] == "5230000000"


def test_on_the_command_line_as_files(small_store: Store, tmp_path: Path) -> None:
    book, page = tmp_path / "报告.xlsx", tmp_path / "报告.html"
    assert run(small_store, "--xlsx", str(book), "--html", str(page)).exit_code == 0
    assert load_workbook(book).active is not None
    assert "信用承诺" in page.read_text(encoding="utf-8")
