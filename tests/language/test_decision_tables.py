"""Decision tables: what cells match, which rows count, and tables that give a value to others."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from strategies import to_yaml

from rules.fault import Fault
from rules.identity import canonical, identity
from rules.library.loader import load_text
from rules.model import Example, Pack
from rules.nearest import one_of
from rules.plan import compile_plan
from rules.tools.book import rule_book
from rules.tools.diff import compare
from rules.tools.documents import markdown
from rules.tools.layout import layout
from rules.tools.lint import lint_text
from scoring.answers.examples import run_examples
from scoring.answers.explain import Explanation, explained, result_of
from scoring.answers.proofs import prove
from scoring.answers.timelines import Facts
from scoring.answers.validation.drift import codes_of
from scoring.judging.one import Judge
from scoring.runs.files import score_files

Faults = Callable[[str], list[Fault]]
DAY = dt.date(2026, 6, 1)
HEAD = """\
pack: loans
version: "1"
title: {zh: 贷款, en: Loans}
subject:
  vocabulary: applicant
  title: {zh: 申请人, en: Applicant}
  subject:
    key: applicant_id
    columns:
      applicant_id: {type: text, title: {zh: 编号, en: Number}}
      age: {type: integer, title: {zh: 年龄, en: Age}}
      debt: {type: decimal, title: {zh: 负债, en: Debt}}
      income: {type: decimal, title: {zh: 收入, en: Income}}
      born_on: {type: date, title: {zh: 出生日期, en: Born on}}
      home: {type: text, title: {zh: 住房, en: Home}, values: {own: 自有, let: 租赁}}
      remark: {type: text, title: {zh: 备注, en: Remark}}
in_force: {from: 2026-01-01}
score: {start: 0, min: -100, max: 100}
dimensions: [{id: all, title: {zh: 全部, en: All}}]
grades: [{tier: A, from: 50}, {tier: B, from: -100}]
"""


def table(**given: Any) -> dict[str, Any]:
    """An entry of tables, of points unless it says otherwise."""
    entry = {
        "id": "t",
        "title": {"zh": "表", "en": "Table"},
        "input": "age",
        "hit": "first",
        "basis": "own-choice",
    }
    if "gives" not in given:
        entry["dimension"] = "all"
    if "inputs" in given:
        del entry["input"]
    return {**entry, **given}


def text_of(*tables: dict[str, Any], **parts: Any) -> str:
    return HEAD + to_yaml({"tables": list(tables), **parts})


def load(*tables: dict[str, Any], **parts: Any) -> Pack:
    return load_text(text_of(*tables, **parts), "loans.yaml")


def points(pack: Pack, **subject: Any) -> Decimal:
    """The score of a subject, which starts at 0."""
    example = {"subject": {**subject}, "as_of": DAY, "score": 0, "tier": "B"}
    [got] = [r.got.en for r in run_examples(with_example(pack, example))]
    return Decimal(got.split()[1].rstrip(","))


def with_example(pack: Pack, example: dict[str, Any]) -> Pack:
    subject = {n: Decimal(str(v)) if n in ("debt", "income") and v is not None else v
               for n, v in example["subject"].items()}  # fmt: skip
    made = Example(subject, (), DAY, None, None, 0, None, pack.place)
    return replace(pack, examples=(made,), rules=tuple(replace(r, examples=()) for r in pack.rules))


CELLS = [
    ("age", "[1..5]", [1, 5], [0, 6, None]),
    ("age", "(1..5]", [2, 5], [1, 6]),
    ("age", "]1..5[", [2, 4], [1, 5]),
    ("age", "[1..5)", [1, 4], [0, 5]),
    ("age", "[5..5]", [5], [4, 6]),
    ("age", "1..5", [1, 4], [0, 5]),
    ("age", "> 1 and < 5", [2, 4], [1, 5, None]),
    ("age", ">= 1 and <> 3", [1, 4], [0, 3, None]),
    ("age", ["< 2", 7, "[10..12]"], [1, 7, 10, 12], [2, 8, 13, None]),
    ("age", [3, None], [3, None], [4]),
    ("age", None, [None], [0]),
    ("age", {"not": None}, [0, 9], [None]),
    ("age", {"not": 3}, [2, 4], [3, None]),
    ("age", {"not": [3, 4]}, [2, 5], [3, 4, None]),
    ("age", {"not": "[3..4]"}, [2, 5], [3, 4, None]),
    ("age", {"not": [3, None]}, [4], [3, None]),
    (
        "debt",
        "<= income",
        [("debt", 1, 2), ("debt", 2, 2)],
        [("debt", 3, 2), ("debt", None, 2), ("debt", 1, None)],
    ),
    ("debt", "income..10", [("debt", 2, 2), ("debt", 9, 2)], [("debt", 10, 2), ("debt", 1, 2)]),
    ("home", {"not": "own"}, ["let"], ["own", None]),
    ("home", ["own", None], ["own", None], ["let"]),
    ("home", "= remark", [("home", "own", "own")], [("home", "own", "let"), ("home", "own", None)]),
    ("remark", "[1..5]", ["[1..5]"], ["3"]),
    ("remark", "low..high", ["low..high"], ["low"]),
    ("born_on", "[2000-01-01..2000-12-31]", [dt.date(2000, 12, 31)], [dt.date(2001, 1, 1), None]),
    ("born_on", ["< 2000-01-01", dt.date(2001, 2, 3)], [dt.date(1999, 1, 1), dt.date(2001, 2, 3)], [DAY]),
]


@pytest.mark.parametrize(("name", "cell", "met", "unmet"), CELLS, ids=[f"{n} {c}" for n, c, _, _ in CELLS])
def test_a_cell_matches_what_it_says(name: str, cell: Any, met: list[Any], unmet: list[Any]) -> None:
    pack = load(table(input=name, rows=[[cell, 7]]))
    other = {"debt": "income", "home": "remark"}.get(name, "age")
    for value in met:
        given = {name: value} if not isinstance(value, tuple) else {name: value[1], other: value[2]}
        assert points(pack, **given) == 7, value
    for value in unmet:
        given = {name: value} if not isinstance(value, tuple) else {name: value[1], other: value[2]}
        assert points(pack, **given) == 0, value


TWO_ROWS = [["> 1", 3], ["> 5", 8]]


@pytest.mark.parametrize(
    ("policy", "gives"),
    [
        ({"hit": "first"}, 3),
        ({"hit": "collect"}, 11),
        ({"hit": "collect", "take": "sum"}, 11),
        ({"hit": "collect", "take": "min"}, 3),
        ({"hit": "collect", "take": "max"}, 8),
    ],
)
def test_of_several_rows_those_count_that_the_hit_policy_says(policy: dict[str, Any], gives: int) -> None:
    pack = load(table(rows=TWO_ROWS, **policy))
    assert points(pack, age=9) == gives
    assert points(pack, age=4) == 3
    assert points(pack, age=0) == 0


def test_rows_that_match_together_may_give_the_same_where_any_counts(faults: Faults) -> None:
    assert points(load(table(hit="any", rows=[["> 1", 3], ["> 5", 3]])), age=9) == 3
    [fault] = faults(text_of(table(hit="any", rows=TWO_ROWS)))
    assert fault.message == "rows 1 and 2 can match together and give another result"


@pytest.mark.parametrize("hit", ["unique", "first", "any", "collect"])
def test_the_default_counts_where_no_row_does(hit: str) -> None:
    pack = load(table(hit=hit, rows=[["< 5", 3], ["> 5", 3]], default=-2))
    assert [points(pack, age=age) for age in (4, 5, 6, None)] == [3, -2, 3, -2]
    [other] = [rule for rule in pack.rules if rule.id == "t.default"]
    assert other.title.zh == "表：其他"


DECISIONS = [
    table(id="routing", inputs=["risk", "age"], hit="priority",
          gives={"decline": {"zh": "拒绝", "en": "Decline"}, "refer": None, "accept": None},
          rows=[["low", "-", "accept"], [["medium", "high"], "-", "refer"], ["high", "< 25", "decline"]]),
    table(id="risk", inputs=["worth", "home"], gives=["low", "medium", "high"],
          rows=[[">= 20", {"not": "let"}, "low"], [">= 10", "-", "medium"], ["-", "let", "high"]]),
    table(id="worth", inputs=["age", "debt"], hit="collect", gives="number",
          rows=[["[18..25]", "-", 10], ["> 25", "-", 20], ["-", "<= income", Decimal("2.5")]]),
    table(id="final", input="routing", hit="unique", rows=[["accept", 80], ["refer", 40]], default=-10),
]  # fmt: skip


def test_tables_read_one_another_whatever_their_order() -> None:
    pack = load(*DECISIONS)
    assert [m.id for m in pack.measures] == ["worth", "risk", "routing"]
    assert points(pack, age=30, debt=1, income=5, home="own") == 80
    assert points(pack, age=20, debt=9, income=5, home="own") == 40
    assert points(pack, age=17, home="let") == -10
    assert identity(pack) == identity(load(*reversed(DECISIONS)))


@pytest.mark.parametrize(
    ("given", "rows", "ages"),
    [
        ({"hit": "first", "gives": "number"}, TWO_ROWS, {9: 3, 4: 3, 0: None}),
        ({"hit": "first", "gives": "number", "default": 1}, TWO_ROWS, {9: 3, 0: 1, None: 1}),
        ({"hit": "collect", "gives": "number"}, TWO_ROWS, {9: 11, 4: 3, 0: None}),
        ({"hit": "collect", "take": "min", "gives": "number"}, TWO_ROWS, {9: 3, 4: 3, 0: None}),
        ({"hit": "collect", "take": "max", "gives": "number", "default": -1}, TWO_ROWS, {9: 8, 4: 3, 0: -1}),
        ({"hit": "collect", "take": "count", "gives": "number"}, TWO_ROWS, {9: 2, 4: 1, 0: 0, None: 0}),
        ({"hit": "priority", "gives": ["x", "y"]}, [["> 1", "y"], ["> 5", "x"]], {9: "x", 4: "y", 0: None}),
        ({"hit": "unique", "gives": ["x", "y"]}, [["> 5", "y"], ["< 5", "x"]], {9: "y", 4: "x", 5: None}),
    ],
)
def test_examples_beside_a_table_say_what_it_gives(
    given: dict[str, Any], rows: list[Any], ages: dict[int | None, Any]
) -> None:
    examples = [{"given": {"age": age}, "as_of": DAY, "value": value} for age, value in ages.items()]
    pack = load(table(rows=rows, examples=examples, **given), vetoes=[veto("t is not null")])
    results = run_examples(pack)
    assert [result.owner for result in results] == ["t"] * len(ages)
    assert all(result.passed for result in results), results


def veto(when: str) -> dict[str, Any]:
    return {"id": "v", "title": "V", "when": when, "tier": "B", "basis": "own-choice"}


def test_a_rule_reads_a_text_of_a_table_by_its_list(faults: Faults) -> None:
    decided = table(gives=["x", "y"], rows=[["> 5", "y"]])
    load(decided, vetoes=[veto("t = 'y'")])
    [fault] = faults(text_of(decided, vetoes=[veto("t = 'yy'")]))
    assert fault.message == "t never has the value 'yy'"
    assert fault.hint == one_of("yy", ["x", "y"])


NOT_SOUND = [
    (table(gives="number", rows=[["> 5", "y"]]), "rows[0]", "not a number that a table can give"),
    (table(gives="number", rows=[["> 5", Decimal("0.00001")]]),
     "rows[0]", "not a number that a table can give"),
    (table(gives=["x"], rows=[["> 5", "y"]]), "rows[0]", "not one of the texts that the table gives"),
    (table(gives=["x"], rows=[["> 5", "x"]], default="y"),
     "default", "not one of the texts that the table gives"),
    (table(gives="words", rows=[["> 5", "x"]]), "gives", "not what a table gives"),
    (table(gives=["x"], hit="collect", rows=[["> 5", "x"]]), "", "this can't be collected"),
    (table(hit="priority", rows=[["> 5", 1]]), "", "priority is of texts, in the order of gives"),
    (table(take="min", rows=[["> 5", 1]]), "", "only of the rows that are collected something is taken"),
    (table(gives="number", hit="collect", take="count", default=1, rows=[["> 5", 1]]),
     "", "the count of no row is 0"),
    (table(gives=["x"], cap=-5, rows=[["> 5", "x"]]),
     "cap", "a table that gives no points has none of these"),
    (table(gives=["x"], id="No-name", rows=[["> 5", "x"]]), "id", "not a name for conditions"),
    (table(gives=["x"], id="age", rows=[["> 5", "x"]]), "id", "already a column's name"),
    (table(gives=["x"], where="born_on <= as_of", rows=[["> 5", "x"]]),
     "where", "as_of in a table that gives a value"),
    (table(hit="collect", take="max", rows=[["> 5", {dt.date(2026, 1, 1): 5}]]),
     "take", "points by date are in no order"),
    (table(rows=[{"when": ["> 5"], "gives": 5}]), "rows[0].points", "missing"),
    (table(gives=["x"], rows=[{"when": ["> 5"], "points": 5}]), "rows[0].gives", "missing"),
    (table(gives=["x"], rows=[{"when": ["> 5"], "gives": "x", "note": "N"}]), "rows[0]",
     "a row that gives no points has cells and a result alone"),
    (table(gives=["x"], rows=[["> 5", "x"]], examples=[{"given": {"age": 1}, "as_of": DAY, "points": 1}]),
     "examples[0]",
     "a value is expected of a table that gives one, and of nothing else"),
    (table(rows=[["> 5", 1]], examples=[{"given": {"age": 1}, "as_of": DAY, "value": 1}]), "examples[0]",
     "a value is expected of a table that gives one, and of nothing else"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "where", "message"), NOT_SOUND, ids=[m for _, _, m in NOT_SOUND])
def test_what_a_table_cannot_be_is_named_with_its_place(
    faults: Faults, entry: dict[str, Any], where: str, message: str
) -> None:
    [fault] = faults(text_of(entry, vetoes=[veto("debt > 200")]))
    assert message in fault.message
    assert fault.field == f"tables[0].{where}".rstrip(".")


def test_tables_in_a_circle_are_named_one_after_the_other(faults: Faults) -> None:
    one = table(id="one", input="two", gives=["x"], rows=[["x", "x"]])
    two = table(id="two", input="three + age", gives=["x"], rows=[["> 1", "x"]])
    three = {"three": {"title": "T", "value": "age + 1", "where": "one = 'x'"}}
    found = faults(text_of(one, two, table(id="t", input="age", rows=[[1, 1]]), measures=three))
    assert [fault.message for fault in found] == ["the tables are made of one another"]
    assert sorted(found[0].text.split(" → ")[:-1]) == ["one", "three", "two"]


def test_a_row_out_of_reach_is_found_in_the_order_in_which_rows_count() -> None:
    decided = table(hit="priority", gives=["x", "y"], rows=[["> 5", "y"], ["> 1", "x"]])
    found = lint_text(text_of(decided, vetoes=[veto("t = 'y'")]), "loans.yaml")
    assert [(f.check, f.subject) for f in found if f.check == "unreachable-row"] == [
        ("unreachable-row", "t.1")
    ]
    assert not any(f.check == "unused-measure" for f in found)


def test_a_default_leaves_no_gap() -> None:
    rows = [["< 5", 3], ["> 7", 3]]
    gaps = [lint_text(text_of(table(rows=rows, **more)), "x.yaml") for more in ({}, {"default": 1})]
    assert [any(f.check == "table-gap" for f in found) for found in gaps] == [True, False]


def test_the_layout_of_a_table_that_gives_a_value() -> None:
    text = text_of(
        table(gives=["x"], hit="first", rows=[["> 5", "x"]], default="x"), vetoes=[veto("t = 'x'")]
    )
    keys = [line.split(":")[0].strip(" -") for line in layout(text, "x.yaml").splitlines()]
    entry = keys[keys.index("tables") + 1 :]
    assert [k for k in entry if k in ("input", "hit", "gives", "rows", "default")] == [
        "input", "hit", "gives", "rows", "default",
    ]  # fmt: skip


def test_packs_without_such_tables_have_nothing_new_in_their_canonical_form() -> None:
    form = canonical(load(table(rows=TWO_ROWS), measures={"m": {"title": "M", "value": "age + 1"}},
                          vetoes=[veto("m > 3")]))  # fmt: skip
    assert "decision" not in form["measures"][0]


@pytest.mark.parametrize(
    ("cell", "message", "hint"),
    [
        ("<> 5", "'<>' in a cell", "{not: 5}"),
        (
            "> agee",
            "nothing declares the name agee",
            "age? or another of applicant_id, born_on, debt, home, income, remark",
        ),
        ("> as_of", "as_of in a cell", "where: established_on + interval 12 month <= as_of"),
        ("> home", "a number beside a text", "two values of the type number"),
    ],
)
def test_a_cell_that_compares_with_what_it_cannot_is_told_what_would_be_right(
    faults: Faults, cell: str, message: str, hint: str
) -> None:
    [fault] = faults(text_of(table(rows=[[cell, 1]])))
    assert (fault.field, fault.message, fault.hint) == ("tables[0].rows[0][0]", message, hint)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("equal", "proved"),
        ("never-hits final.1 where age <= 25", "proved"),
        ("never-hits final.1 where age <= 26", "refuted"),
        ("never-hits final.1 where home is null", "proved"),
        ("never-hits final.2 where home = 'own' and age > 25", "proved"),
        ("score_b = -10 where age < 18 and home = 'let' and debt is null", "proved"),
        ("score_b = -10 where age < 18 and home = 'let' and debt > income", "proved"),
        ("score_b = -10 where age > 17 and home = 'let'", "refuted"),
    ],
)
def test_what_tables_give_is_proved_row_by_row(claim: str, verdict: str) -> None:
    pack = load(*DECISIONS)
    proof = prove(pack, pack, claim, DAY, seconds=100)
    assert (str(proof.verdict), proof.left_open) == (verdict, ())


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"hit": "priority", "gives": ["x", "y"], "default": "x"}, "proved"),
        ({"hit": "priority", "gives": ["y", "x"], "default": "x"}, "refuted"),
    ],
)
def test_priority_is_proved_in_its_order(given: dict[str, Any], verdict: str) -> None:
    pack = load(table(rows=[["> 1", "y"], ["> 5", "x"]], **given), vetoes=[veto("t = 'y' and age > 5")])
    assert str(prove(pack, pack, "never-hits v", DAY, seconds=100).verdict) == verdict


@pytest.mark.parametrize(
    ("take", "value", "verdict"),
    [
        ("min", 3, "proved"),
        ("max", 8, "proved"),
        ("sum", 11, "proved"),
        ("count", 2, "proved"),
        ("sum", 8, "refuted"),
    ],
)
def test_what_is_taken_of_all_rows_is_proved(take: str, value: int, verdict: str) -> None:
    collected = table(hit="collect", take=take, gives="number", rows=TWO_ROWS)
    pack = load(collected, vetoes=[veto(f"t <> {value} and age > 5")])
    assert str(prove(pack, pack, "never-hits v", DAY, seconds=100).verdict) == verdict


def explanation(pack: Pack, **subject: Any) -> Explanation:
    judge, key = Judge(pack), pack.vocabulary.subject.key
    attributes = {key: "one", **subject}
    facts = Facts("one", dt.datetime(2026, 6, 1, tzinfo=dt.UTC), attributes, {})
    result = result_of(pack, "one", judge.judge(attributes, []), DAY)
    return explained(facts, result, None, judge.values(attributes, [], DAY))


def test_an_explanation_shows_what_each_table_gave_on_the_way() -> None:
    found = explanation(load(*DECISIONS), age=30, debt=Decimal(1), income=Decimal(5), home="own")
    [hit] = found.hits
    assert list(hit.measures.items()) == [("routing", "accept"), ("risk", "low"), ("worth", Decimal("22.5"))]
    assert "routing" not in found.unmatched


def test_a_table_of_which_no_row_matched_is_named() -> None:
    found = explanation(load(*DECISIONS), age=10, home="own")
    assert found.unmatched == ("risk", "routing", "worth")
    [hit] = found.hits
    assert hit.rule.id == "final.default"


def test_files_name_the_tables_of_which_no_row_matched(tmp_path: Path) -> None:
    subjects, out = tmp_path / "s.csv", tmp_path / "out.csv"
    subjects.write_text("applicant_id,age,home\na,30,own\nb,10,own\nc,10,let\n", encoding="utf-8")
    score_files(load(*DECISIONS), DAY, subjects, None, out)
    with out.open(encoding="utf-8") as file:
        named = {row["applicant_id" if "applicant_id" in row else "subject_id"]: row["unmatched"]
                 for row in csv.DictReader(file)}  # fmt: skip
    assert named == {"a": "", "b": "risk routing worth", "c": "worth"}


def test_the_book_shows_the_rows_of_a_table_that_gives_a_value() -> None:
    said = markdown(rule_book(load(*DECISIONS)))
    assert "| 取值方式 Hit policy | 匹配的行中排在最前的结果" in said
    assert "| 结果 Results | 拒绝 Decline（decline）；refer（refer）；accept（accept） |" in said
    assert "为“high”且年龄小于25 Table is “high” and Age is under 25 | 拒绝 Decline |" in said


def test_a_difference_says_the_row_and_the_policy_that_changed() -> None:
    before = table(gives=["x", "y"], rows=[["> 1", "y"], ["> 5", "x"]])
    after = table(gives=["x", "y"], hit="priority", rows=[["> 1", "y"], ["> 6", "x"]], default="x")
    rule = {"vetoes": [veto("t = 'y'")]}
    found = {
        (c.part, c.id, c.field): (c.before, c.after)
        for c in compare(load(before, **rule), load(after, **rule))
    }
    assert found["measure", "t", "default"] == ("", "x")
    assert found["measure", "t", "hit policy"][0] == "第一个匹配的行 the first row that matches"
    assert found["decision", "t.2", "condition"] == ("age > 5", "age > 6")
    assert ("decision", "t.1", "condition") not in found


def test_a_difference_shows_how_a_value_is_computed() -> None:
    def computed(text: str) -> Pack:
        parts = {"a": {"title": "A", "value": "age + 1"}, "b": {"title": "B", "value": text}}
        return load(table(input="b", rows=[[1, 1]]), measures=parts)

    [change] = compare(computed("a + debt"), computed("a - debt"))
    assert (change.id, change.field, change.before, change.after) == ("b", "of", "a + debt", "a - debt")


def test_a_table_that_gives_a_value_is_held_to_the_law_that_it_cites() -> None:
    basis = [{"id": "old", "title": "旧办法", "repealed_on": dt.date(2026, 3, 1)}]
    decided = table(gives=["x"], rows=[["> 5", "x"]], basis="old §3")
    found = lint_text(text_of(decided, basis=basis, vetoes=[veto("t = 'x'")]), "loans.yaml")
    checks = {(f.check, f.subject) for f in found}
    assert ("repealed-basis", "t") in checks
    assert ("unused-basis", "old") not in checks


def test_drift_knows_the_texts_of_a_table() -> None:
    pack = load(*DECISIONS)
    assert list(codes_of(compile_plan(pack), "routing")) == ["decline", "refer", "accept"]
