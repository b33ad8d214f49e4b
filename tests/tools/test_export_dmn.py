"""Decision tables go out as DMN and come back as they were; what DMN has no word for is named."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rules.fault import PackError, UnknownPackError
from rules.identity import identity
from rules.library.loader import PACKS, load_text
from rules.tools.exchange.dmn_out import dmn_text
from rules.tools.exchange.models import read_model
from rules.tools.exchange.pack import pack_text
from scoring.cli.exchange import export_command, import_command
from scoring.judging.one import Judge
from tests.tools.models import model, table
from tests.tools.test_commands import call
from tests.tools.test_import_dmn import CODES, RISK, ROUTE, WORTH

DAY = dt.date(2026, 1, 1)
_NUMBER = [
    "-",
    "3",
    "1, 2.5",
    "< -1",
    ">= 4",
    "[1..5)",
    "(1..5]",
    "null",
    "not([1..5))",
    "not(null)",
    "< 1, 9",
]
_TEXT = ["-", '"car"', '"car", "house"', 'not("car")', "null"]
_FREE = ["-", '"-"', '">= 3"', '"a ""b""", null'.replace('""', '\\"'), "null", '"2026-01-01"']
_DATE = ["-", 'date("2026-01-31")', '> date("2026-01-31")', '[date("2026-01-31")..date("2026-03-01")]']
_ROW = st.tuples(*map(st.sampled_from, (_NUMBER, _NUMBER, _TEXT, _FREE, _DATE, ["1", "-2.5", "0"])))


def imported(text: str) -> str:
    return pack_text(read_model(text.encode(), "loan.dmn"), DAY)


@given(st.lists(_ROW, min_size=1, max_size=4), st.booleans())
@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_tables_come_back_as_they_went(rows: list[tuple[str, ...]], adds_up: bool) -> None:
    hit = 'hitPolicy="COLLECT" aggregation="SUM"' if adds_up else 'hitPolicy="FIRST"'
    inputs = ["Amount", "Seats", "purpose", "Town", "Opened_on"]
    types = (
        "<itemDefinition name='purposes'><typeRef>string</typeRef>"
        f"<allowedValues><text>{CODES}</text></allowedValues></itemDefinition>"
    )
    text = model(types, table(rows, inputs, hit), purpose="purposes", Seats="integer", Town="string")
    went = imported(text)
    came = imported(dmn_text(went, "loan.yaml")[0])
    assert identity(load_text(came, "loan.yaml")) == identity(load_text(went, "loan.yaml"))


def test_titles_and_notes_come_back(tmp_path: Path) -> None:
    path, out, back = tmp_path / "loan.yaml", tmp_path / "loan.dmn", tmp_path / "back.yaml"
    text = imported(model(table([("> 1", "4")])))
    path.write_text(
        text.replace(
            "- ['> 1', 4]", "- {when: ['> 1'], points: 4, title: {zh: 大, en: Big}, note: 见<附件>}"
        ),
        "utf-8",
    )
    assert call(export_command, path, "--dmn", out).exit_code == 0
    assert call(import_command, out, "--from", "2026-01-01", "--out", back).exit_code == 0
    [rule] = load_text(back.read_text("utf-8"), "back.yaml").rules
    assert (rule.title.en, rule.note and rule.note.zh) == ("Big", "见<附件>")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("> 1', 4]", "> 1', {2026-01-01: 4}]", "pack.yaml:27:9: tables[0].rows[0] (table): points by date"),
        ("    hit: unique", "    where: amount < 9\n    hit: unique", "what a decision table of DMN"),
        ("inputs: [amount]", "inputs: [amount + 1]", "an input that is no attribute of the subject"),
        ("  - id: score\n", "  - id: score\n    floor: -9\n", "dimensions[0]: a dimension with a bound"),
        ("score: {start: 0,", "score: {start: 3,", "a score that does not start at 0"),
    ],
)  # fmt: skip
def test_what_dmn_has_no_word_for_is_named_with_its_place(old: str, new: str, said: str) -> None:
    text = imported(model(table([("> 1", "4")])))
    assert old in text
    with pytest.raises(PackError) as caught:
        dmn_text(text.replace(old, new, 1), "pack.yaml")
    assert said in str(caught.value)


def test_rules_and_tables_of_records_stay_behind_and_are_named() -> None:
    text = (PACKS / "enterprise-credit.yaml").read_text("utf-8")
    with pytest.raises(PackError) as caught:
        dmn_text(text, "pack.yaml", partial=True)
    assert {"rules", "vetoes", "measures"} <= {fault.field for fault in caught.value.faults}


def test_one_table_is_given_with_those_that_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "loan.yaml"
    final = table([('"refer"', "4")], ["Route"], name="Final")
    text = imported(model(ROUTE, RISK, WORTH, final)).replace("id: score\n", "id: score\n    floor: -9\n")
    path.write_text(text, "utf-8")
    result = call(export_command, path, "--table", "route")
    assert result.exit_code == 0, result.output
    assert re.findall('<decision id="(.*?)"', result.stdout) == ["risk", "worth_points", "route"]
    assert imported(result.stdout).count("gives:") == 3
    unknown = call(export_command, path, "--table", "rusk")
    assert "tables: no table is called so\n    found: rusk\n    right: risk?" in str(unknown.exception)


def test_a_table_of_an_installed_pack_is_asked_for_by_its_id() -> None:
    result = call(export_command, "enterprise-credit@2026.2", "--table", "tax.rating")
    assert "(tax.rating): an input that is no attribute of the subject" in str(result.exception)
    assert isinstance(call(export_command, "enterprise").exception, UnknownPackError)


def test_tables_that_give_values_come_back_as_they_went() -> None:
    went = imported(model(ROUTE, RISK, WORTH, table([('"refer"', "4")], ["Route"], name="Final")))
    came = imported(dmn_text(went, "loan.yaml")[0])
    assert identity(load_text(came, "loan.yaml")) == identity(load_text(went, "loan.yaml"))
    alone = imported(model(ROUTE, RISK, WORTH))
    written, missing = dmn_text(alone, "loan.yaml")
    assert (missing, '<requiredDecision href="#worth_points"/>' in written) == ([], True)
    assert identity(load_text(imported(written), "loan.yaml")) == identity(load_text(alone, "loan.yaml"))


def test_a_table_whose_input_is_not_given_is_named() -> None:
    text = imported(model(ROUTE, RISK, WORTH)).replace("'> 5'", "'> 5 and <> 7'")
    _, missing = dmn_text(text, "loan.yaml", partial=True)
    assert [(fault.field, fault.message) for fault in missing] == [
        ("tables[1].rows[1]", "a cell that FEEL has no word for"),
        ("tables[2].inputs[1]", "an input that is no attribute of the subject"),
        ("consequences", "no part of a decision table"),
    ]


@pytest.mark.parametrize(
    ("cell", "said"),
    [("[1..5]", "[1..5]"), ("(1..5]", "(1..5]"), ("> 1 and < 5", "(1..5)"), ("{not: 3}", "not(3, null)"),
     ("null", "null"), ('["< 1", 7]', "7, &lt; 1"), ("{not: [3, 4]}", "not(3, 4, null)"),
     ("{not: '[1..5]'}", "not([1..5])")],
)  # fmt: skip
def test_the_cells_of_the_language_as_those_of_feel(cell: str, said: str) -> None:
    text = imported(model(table([("> 1", "4")])))
    quoted = cell if cell[0] in "{n" or cell.startswith('["') else f"'{cell}'"
    changed = text.replace("['> 1', 4]", f"[{quoted}, 4]")
    written, _ = dmn_text(changed, "loan.yaml")
    assert f"<inputEntry><text>{said}</text></inputEntry>" in written
    judges = [Judge(load_text(pack, "loan.yaml")) for pack in (changed, imported(written))]
    for amount in (None, 0, 1, 3, 4, 5, 7):
        subject = {"subject_id": 1, "amount": amount if amount is None else Decimal(amount)}
        one, other = (judge.judge(subject, []).on(DAY) for judge in judges)
        assert one == other, amount
