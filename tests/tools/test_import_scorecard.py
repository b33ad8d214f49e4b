"""A scorecard in a spreadsheet as a pack: bins, points, and what is not said clearly enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from rules.fault import PackError
from rules.library.loader import load_text
from rules.model import Pack
from rules.tools.exchange.pack import pack_text
from rules.tools.exchange.scorecard import read_scorecard
from scoring.answers.examples import run_examples
from scoring.cli.exchange import import_command
from tests.tools.test_commands import call
from tests.tools.test_import_dmn import conditions

HEAD = ["变量", "分箱", "分值", "说明"]


def made(*rows: Sequence[str], head: Sequence[str] = HEAD) -> Pack:
    lines = [(1, ["评分卡"]), (2, head), *((n, row) for n, row in enumerate(rows, 3))]
    pack = load_text(pack_text(read_scorecard({"卡": lines}, "card.xlsx"), dt.date(2026, 1, 1)), "card.yaml")
    assert [result.place for result in run_examples(pack) if not result.passed] == []
    return pack


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("[30,40)", "age >= 30 and age < 40"),
        ("（30～40]", "age > 30 and age <= 40"),
        ("[-inf, 30)", "age < 30"),
        ("[40,+∞)", "age >= 40"),
        ("≥ 30", "age >= 30"),
        ("30以上", "age >= 30"),
        ("30及以下", "age <= 30"),
        ("不满30", "age < 30"),
        ("超过30", "age > 30"),
        ("１、2,3", "age in (1, 2, 3)"),
        ("2026-01-31", "age = date '2026-01-31'"),
        ("[2026-01-31,2026-03-01)", "age >= date '2026-01-31' and age < date '2026-03-01'"),
        ("A、B", "age in ('A', 'B')"),
        ("A%,%B", "age in ('A', 'B')"),
        ("其他", "true"),
        ("缺失", "(age is null) = true"),
    ],
)
def test_a_bin_asks_what_it_says(written: str, asked: str) -> None:
    assert [c for c, _ in conditions(made(("age", written, "5")))] == [asked]


def test_a_base_score_is_where_the_score_starts() -> None:
    pack = made(("基础分", "", "600"), ("年限", "<3", "-5"), ("年限", ">=3", "10.5", "经营稳定"))
    assert (pack.score.start, pack.score.min, pack.score.max) == (60_000, 59_500, 61_050)
    assert [rule.note and rule.note.zh for rule in pack.rules] == [None, "经营稳定"]
    assert [rule.title.zh for rule in pack.rules] == ["年限：<3", "年限：≥3"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("age", "30-40", "5")], "card.xlsx:3:2: 卡 age 30-40: a range that does not say whether its ends"),
        ([("age", "30~40", "5")], "a range that does not say whether its ends"),
        ([("age", "(40,30]", "5")], "an empty range"),
        ([("age", "x<30", "5")], "card.xlsx:3:2: 卡 age x<30: not a bin"),
        ([("age", "", "5")], "not a bin"),
        ([("", "<30", "5")], "card.xlsx:3:1: 卡  <30: no variable"),
        ([("age", "<30", "五")], "card.xlsx:3:3: 卡 age <30: not a number of points"),
        ([("age", "<30", "1.234")], "more than two decimals"),
        ([("age", "<30", "1"), ("age", "A", "2")], "card.xlsx:3:2: 卡 age <30: a range beside other values"),
        ([("age", "<30", "1"), ("age", "<40", "2")], "card.xlsx:4:2: 卡 age <40: can match together with"),
        ([("age", "其他", "1"), ("age", "<40", "2")], "is not the last"),
    ],
)  # fmt: skip
def test_a_bin_that_is_not_clear_is_named_with_its_cell(rows: list[tuple[str, ...]], said: str) -> None:
    with pytest.raises(PackError) as caught:
        made(*rows)
    assert said in str(caught.value)


def test_a_workbook_is_read_with_its_merged_cells(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        HEAD,
        ["年限", "<3", 5],
        [None, ">=3", 10],
        ["行业", "餐饮、住宿", -2.5],
        ["行业", "其他", 0],
    ):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    path = tmp_path / "card.xlsx"
    book.save(path)
    result = call(import_command, path, "--from", "2026-01-01")
    assert result.exit_code == 0, result.output
    pack = load_text(result.stdout, "card.yaml")
    assert [points for _, points in conditions(pack)] == [500, 1000, -250, 0]
    assert [column.title.zh for column in pack.vocabulary.subject.columns.values()][1:] == ["年限", "行业"]


def test_a_scorecard_asks_of_a_shared_vocabulary(tmp_path: Path) -> None:
    path = tmp_path / "card.csv"
    path.write_text("变量,分箱,分值\n经营状态,停业,-5\n经营状态,其他,0\n床位数,<20,1\n", "utf-8")
    result = call(import_command, path, "--from", "2026-01-01", "--subject", "tourism")
    assert result.exit_code == 0, result.output
    pack = load_text(result.stdout, "card.yaml")
    assert (pack.vocabulary.id, conditions(pack)[0][0]) == ("tourism", "state = 'suspended'")
    path.write_text("变量,分箱,分值\n经营状态,关门,-5\n", "utf-8")
    result = call(import_command, path, "--subject", "tourism")
    assert "card.csv:2:2: card 经营状态 关门: state never has the value '关门'" in str(result.exception)
    assert "no vocabulary is called tourist" in str(
        call(import_command, path, "--subject", "tourist").exception
    )


def test_a_workbook_without_a_scorecard_says_what_one_has(tmp_path: Path) -> None:
    path = tmp_path / "card.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    result = call(import_command, path)
    assert isinstance(result.exception, PackError)
    assert "no sheet of a scorecard" in str(result.exception)
