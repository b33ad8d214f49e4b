"""Examples go out as a workbook, an officer changes them, and they come back into the pack."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from rules.fault import PackError
from rules.library.loader import PACKS, load_pack
from rules.model import Example, Pack
from rules.tools.exchange.examples import EXAMPLES, RECORDS
from scoring.cli.exchange import import_command
from scoring.cli.rules import rules_group
from tests.tools.packs import APPLICANTS
from tests.tools.test_commands import call

DECIDED = APPLICANTS.replace(
    "\ntables:\n",
    """
tables:
  - id: worth
    title: {zh: 额度, en: Worth}
    input: size
    hit: first
    gives: number
    rows: [[big, 2.5]]
    basis: own-choice
    examples:
      - {given: {size: big}, as_of: 2026-03-01, value: 2.5}
      - {given: {size: small}, as_of: 2026-03-01, value: null}
  - id: routing
    title: {zh: 分流, en: Routing}
    input: worth
    hit: first
    gives: {accept: {zh: 通过, en: Accept}, refer: {zh: 复核, en: Refer}}
    rows: [["> 2", accept]]
    default: refer
    basis: own-choice
    examples: [{given: {size: big}, as_of: 2026-03-01, value: accept}]
""",
)
"""The pack with tables that give values, one with no row for some."""


def told(pack: Pack) -> dict[str | None, list[tuple[object, ...]]]:
    """All examples but their places."""
    owned: dict[str | None, list[Example]] = {None: list(pack.examples)}
    for rule in pack.rules:
        owned.setdefault(rule.table or rule.id, []).extend(rule.examples)
    owned |= {measure.id: list(measure.decision.examples) for measure in pack.measures if measure.decision}
    return {
        owner: [(dict(e.subject), [dict(r) for r in e.records], e.as_of, e.hit, e.points, e.score, e.tier,
                 e.value) for e in examples]
        for owner, examples in owned.items()
    }  # fmt: skip


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "pack.yaml"
    path.write_text(APPLICANTS, "utf-8")
    return path


@pytest.fixture
def book(pack: Path, tmp_path: Path) -> Path:
    path = tmp_path / "examples.xlsx"
    assert call(rules_group, "test", pack, "--xlsx", path).exit_code == 0
    return path


SOURCES = {"small": APPLICANTS, "decided": DECIDED} | {
    path.name: path.read_text("utf-8") for path in sorted(PACKS.glob("*.yaml"))
}


@pytest.mark.parametrize("text", SOURCES.values(), ids=SOURCES)
def test_examples_come_back_as_they_went(text: str, tmp_path: Path) -> None:
    path, book, back = tmp_path / "pack.yaml", tmp_path / "examples.xlsx", tmp_path / "back.yaml"
    path.write_text(text, "utf-8")
    assert call(rules_group, "test", path, "--xlsx", book).exit_code == 0
    result = call(import_command, book, "--into", path, "--out", back)
    assert result.exit_code == 0, result.exception
    assert told(load_pack(back)) == told(load_pack(path))
    assert path.read_text("utf-8") == text


def test_what_an_officer_changes_is_changed_and_comments_stay(pack: Path, book: Path) -> None:
    pack.write_text(
        pack.read_text("utf-8").replace("  - id: small\n", "  # see the minutes\n  - id: small\n"), "utf-8"
    )
    opened = openpyxl.load_workbook(book)
    sheet = opened[EXAMPLES]
    heads = [cell.value for cell in sheet[1]]
    sheet.cell(2, heads.index("应得分值 points") + 1).value = -9
    opened.save(book)
    assert call(import_command, book, "--into", pack).exit_code == 0
    changed = load_pack(pack)
    assert changed.rules[0].examples[0].points == -900
    assert "# see the minutes" in pack.read_text("utf-8")
    assert call(rules_group, "test", pack).exit_code == 1


def test_what_a_table_is_to_give_is_a_value_and_null_is_no_row(tmp_path: Path) -> None:
    path, book = tmp_path / "pack.yaml", tmp_path / "examples.xlsx"
    path.write_text(DECIDED, "utf-8")
    assert call(rules_group, "test", path, "--xlsx", book).exit_code == 0
    opened = openpyxl.load_workbook(book)
    heads, *rows = opened[EXAMPLES].values
    told_of = {row[1]: row[heads.index("应得值 value")] for row in rows if row[1] in ("worth", "routing")}
    assert told_of == {"worth": "null", "routing": "accept"}
    places = {row[1]: number for number, row in enumerate(rows, 2)}
    opened[EXAMPLES].cell(places["worth"], heads.index("应得值 value") + 1).value = "much"
    opened[EXAMPLES].cell(places["routing"], heads.index("应得值 value") + 1).value = None
    opened.save(book)
    result = call(import_command, book, "--into", path)
    assert "not a value of type decimal: much" in str(result.exception)
    assert "value: what the table gives, or null" in str(result.exception)


@pytest.mark.parametrize("option", [["--from", "2027-01-01"], ["--partial"], ["--subject", "tourism"]])
def test_what_makes_a_pack_is_refused_where_examples_are_put_into_one(
    pack: Path, book: Path, option: list[str]
) -> None:
    before = pack.read_text("utf-8")
    result = call(import_command, book, "--into", pack, *option)
    assert (result.exit_code, pack.read_text("utf-8")) == (2, before)
    assert f"{option[0]} does not go with --into" in result.output


@pytest.mark.parametrize(
    ("sheet", "row", "head", "value", "said"),
    [
        (EXAMPLES, 2, "规则 rule", "fime", "examples.xlsx:2:2: 规则 rule: no such rule"),
        (
            EXAMPLES,
            2,
            "评价基准日 as_of",
            "soon",
            "examples.xlsx:2:3: 评价基准日 as_of: not a value",
        ),
        (EXAMPLES, 2, "应得分值 points", 1.234, "应得分值 points: more than two decimals"),
        (EXAMPLES, 1, "规模 size", "规模 sise", "no such column"),
        (RECORDS, 2, "序号 no", 99, "records of no example"),
        (RECORDS, 1, "日期 occurred_on", "日期 day", "no such column"),
    ],
)
def test_a_cell_that_a_pack_cannot_hold_is_named_and_the_pack_stays(
    pack: Path, book: Path, sheet: str, row: int, head: str, value: object, said: str
) -> None:
    before = pack.read_text("utf-8")
    opened = openpyxl.load_workbook(book)
    heads = [cell.value for cell in opened[sheet][1]]
    opened[sheet].cell(row, heads.index(head) + 1).value = value
    opened.save(book)
    result = call(import_command, book, "--into", pack)
    assert isinstance(result.exception, PackError)
    assert said in str(result.exception)
    assert pack.read_text("utf-8") == before
