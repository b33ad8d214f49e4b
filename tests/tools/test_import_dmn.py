"""Decision tables of DMN as packs: what they ask and give; what the language lacks is named."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rules.fault import PackError
from rules.language.expressions import render
from rules.library.loader import load_text, load_vocabulary
from rules.model import Pack
from rules.tools.exchange.dmn import SPACES
from rules.tools.exchange.models import read_model
from rules.tools.exchange.pack import pack_text
from rules.tools.layout import layout
from rules.tools.lint import Severity, lint_text
from scoring.answers.examples import run_examples
from scoring.cli.exchange import import_command
from scoring.judging.one import Judge
from tests.tools.models import model, table
from tests.tools.test_commands import call

DAY = dt.date(2026, 1, 1)
TEXT = '<output name="class" typeRef="string"/>'
CODES = '"car", "house", "other"'


def made(text: str | bytes, partial: bool = False) -> Pack:
    """The pack, whose text is canonical and whose examples pass."""
    content = text if isinstance(text, bytes) else text.encode()
    written = pack_text(read_model(content, "loan.dmn"), DAY, partial)
    assert layout(written, "pack.yaml") == written
    pack = load_text(written, "pack.yaml")
    assert [result.place for result in run_examples(pack) if not result.passed] == []
    return pack


def conditions(pack: Pack) -> list[tuple[str, int]]:
    return [(render(r.when.written), r.points.steps[0][1] or 0) for r in pack.rules if r.points]


def refused(text: str | bytes) -> str:
    with pytest.raises(PackError) as caught:
        made(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "cell", "asked"),
    [
        ("Amount", "-", ["true"]),
        ("Amount", "10", ["amount = 10"]),
        ("Amount", "1, 2.50, 3", ["amount in (1, 2.5, 3)"]),
        ("Amount", "< 10", ["amount < 10"]),
        ("Amount", "<= -1.5", ["amount <= -1.5"]),
        ("Amount", "[1..5)", ["amount >= 1 and amount < 5"]),
        ("Amount", "[1..5]", ["amount >= 1 and amount <= 5"]),
        ("Amount", "(1..5)", ["amount > 1 and amount < 5"]),
        ("Amount", "]1..5[", ["amount > 1 and amount < 5"]),
        ("Amount", "< 1, [3..5), 9", ["amount = 9", "amount < 1", "amount >= 3 and amount < 5"]),
        ("Amount", "[1..3], (2..5]", ["amount >= 1 and amount <= 5"]),
        ("Amount", "not([1..5))", ["amount < 1", "amount >= 5"]),
        ("Amount", "null", ["(amount is null) = true"]),
        ("Amount", "not(null)", ["(amount is null) = false"]),
        ("Purpose", '"car"', ["purpose = 'car'"]),
        ("Purpose", '"car","house"', ["purpose in ('car', 'house')"]),
        ("Purpose", 'not("car", null)', ["purpose in ('house', 'other')"]),
        ("Opened_on", '>= date("2026-01-31")', ["opened_on >= date '2026-01-31'"]),
        ("Insured", "true", ["insured = true"]),
    ],
)
def test_a_cell_asks_what_it_asked_in_dmn(name: str, cell: str, asked: list[str]) -> None:
    listed = CODES if name == "Purpose" else ""
    pack = made(model(table([(cell, "4")], [name], listed=listed)))
    assert [condition for condition, _ in conditions(pack)] == asked


def test_that_a_text_is_not_one_of_some_holds_for_an_unknown_one_as_well() -> None:
    pack = made(model(table([('not("car")', "4")], ["Purpose"], listed=CODES)))
    assert [c for c, _ in conditions(pack)][-1] == "(purpose is null) = true"


def test_a_text_that_looks_like_a_mark_is_a_text() -> None:
    pack = made(model(table([('"-"', "1"), ('">= 3"', "2"), ('"2026-01-01"', "3")], ["Purpose"])))
    assert [c for c, _ in conditions(pack)] == ["purpose = '-'", "purpose = '>= 3'", "purpose = '2026-01-01'"]


@pytest.mark.parametrize(
    ("hit", "points"),
    [("FIRST", 400), ("COLLECT SUM", 1300), ("COLLECT MAX", 900), ("COLLECT MIN", 400), ("PRIORITY", 900)],
)
def test_a_hit_policy_gives_the_points_that_it_gives_in_dmn(hit: str, points: int) -> None:
    policy, _, aggregation = hit.partition(" ")
    attributes = f'hitPolicy="{policy}"' + (f' aggregation="{aggregation}"' if aggregation else "")
    output = '<output typeRef="number"><outputValues><text>9, 4</text></outputValues></output>'
    text = model(table([("> 1", "4"), ("> 2", "9")], hit=attributes, output=output))
    pack = made(text)
    [both] = [e for r in pack.rules for e in r.examples if e.subject.get("amount") == 3]
    assert both.points == points


def test_rows_of_any_give_the_same_points_or_are_refused() -> None:
    any_ = 'hitPolicy="ANY"'
    made(model(table([("> 1", "4"), ("> 2", "4")], hit=any_)))
    text = model(table([("> 1", "4"), ("> 2", "9")], hit=any_))
    assert "loan.dmn:4:1: 额度 #2: can match together with 额度 #1" in refused(text)
    text = model(table([("> 1", "4"), ("> 2", "4")]))
    assert "loan.dmn:4:1: 额度 #2: can match together with 额度 #1" in refused(text)


def test_a_default_gives_its_points_where_no_row_matches() -> None:
    output = '<output typeRef="number"><defaultOutputEntry><text>-3</text></defaultOutputEntry></output>'
    pack = made(model(table([("> 1", "4")], output=output)))
    assert [points for _, points in conditions(pack)] == [400, -300]
    assert "a default beside a sum" in refused(
        model(table([("> 1", "4")], output=output, hit='hitPolicy="COLLECT" aggregation="SUM"'))
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (model(table([("Amount * 2", "4")])), "loan.dmn:3:7: 额度 #1 Amount: not a test of a value"),
        (model(table([("> 1", "4"), ("<> 3", "4")])), "loan.dmn:4:7: 额度 #2 Amount: not a test of a value"),
        (model(table([('"one"', "4")])), "额度 #1 Amount: a text beside a decimal"),
        (model(table([("[5..1]", "4")])), "额度 #1 Amount: an empty range"),
        (model(table([('date("2026-02-30")', "4")], ["Opened_on"])), "not a test of a value"),
        (model(table([('not("car")', "4")], ["Purpose"])), "all but some values of a text"),
        (model(table([("> 1", "4.125")])), "额度 #1: more than two decimals"),
        (model(table([("> 1", "Amount")])), "额度 #1: not a number of points"),
        (model(table([("> 1", "true")], output="<output/>")), "额度: not one number as the output"),
        (model(table([("> 1", '"a"'), ("< 1", "Amount")], output=TEXT)), "额度 #2: not one text as a result"),
        (model(table([("> 1", '"high"')], output=TEXT, hit='hitPolicy="COLLECT"')), "a hit policy that the"),
        (model(table([("> 1", "4")], hit='hitPolicy="RULE ORDER"')), "a hit policy that the"),
        (model(table([("> 1", "4")], hit='hitPolicy="COLLECT"')), "a hit policy that the"),
        (model(table([("> 1", "4")], ["Amount + 1"])), "额度: an input that is no name"),
        (
            model(table([("1", "4")], ["额度"], name="x"), "<decision name='额度'><context/></decision>"),
            "a decision that is not taken as an input",
        ),
        (
            model(table([("1", "0.00001")]), table([("> 1", "4")], ["额度"], name="x")),
            "额度 #1: not one number as a result",
        ),
        (model(table([("> 1", "4")]), Amount="days"), "a type that columns do not have"),
        (model("<decision name='x'><literalExpression/></decision>"), "x: no decision table"),
        (model("<businessKnowledgeModel name='x'><encapsulatedLogic/></businessKnowledgeModel>"), "x: no"),
        (model(table([("1", "2", "4")])), "额度 #1: not a cell for each input"),
        (model(), "no table or scorecard that the language has"),
    ],
)  # fmt: skip
def test_what_the_language_lacks_is_named_with_its_place(text: str, said: str) -> None:
    assert said in refused(text)


def test_what_is_left_out_is_left_out_where_it_is_asked_for(tmp_path: Path) -> None:
    file, out = tmp_path / "loan.dmn", tmp_path / "loan.yaml"
    file.write_text(model(table([("> 5", "4"), ("Amount * 2", "9")])), "utf-8")
    whole = call(import_command, file, "--out", out)
    assert whole.exit_code == 1
    assert not out.exists()
    part = call(import_command, file, "--out", out, "--from", "2026-01-01", "--partial")
    assert (part.exit_code, "额度 #2 Amount" in part.output) == (0, True)
    assert conditions(load_text(out.read_text("utf-8"), "x.yaml")) == [("amount > 5", 400)]


@pytest.mark.parametrize("space", SPACES)
def test_each_version_since_1_1_is_read(space: str) -> None:
    assert conditions(made(model(table([("> 1", "4")]), space=space))) == [("amount > 1", 400)]


def test_types_of_dmn_1_1_stand_behind_a_prefix() -> None:
    types = (
        "<itemDefinition name='uses'><typeRef>feel:string</typeRef>"
        f"<allowedValues><text>{CODES}</text></allowedValues></itemDefinition>"
    )
    text = model(types, table([('not("car")', "4")], ["Purpose"]), space=SPACES[0], Purpose="own:uses")
    assert conditions(made(text)) == [
        ("purpose in ('house', 'other') and (purpose is null) = false", 400),
        ("(purpose is null) = true", 400),
    ]
    assert conditions(made(model(table([("> 1", "4")]), space=SPACES[0], Amount="feel:number"))) == [
        ("amount > 1", 400)
    ]


def test_cells_in_another_language_are_not_taken_for_feel() -> None:
    text = model(table([("5", "4")])).replace("<inputEntry>", "<inputEntry expressionLanguage='juel'>")
    assert "额度: an expression that is not FEEL" in refused(text)
    feel = "<inputEntry expressionLanguage='https://www.omg.org/spec/DMN/20191111/FEEL/'>"
    assert conditions(made(model(table([("5", "4")])).replace("<inputEntry>", feel))) == [("amount = 5", 400)]


def shared(text: str) -> Pack:
    draft = read_model(text.encode(), "loan.dmn", load_vocabulary("tourism"))
    return load_text(pack_text(draft, DAY), "pack.yaml")


def test_a_model_asks_of_a_shared_vocabulary() -> None:
    inputs = ["经营状态", "beds"]
    rows = [('not("营业")', "-", "-9"), ('"operating"', ">= 20", "3")]
    pack = shared(model(table(rows, inputs), 经营状态="string", beds="number"))
    assert pack.vocabulary is load_vocabulary("tourism")
    assert [text for text, _ in conditions(pack)] == [
        "state = 'suspended' and (state is null) = false",
        "(state is null) = true",
        "state = 'operating' and (state is null) = false and beds >= 20",
    ]
    assert all(result.passed for result in run_examples(pack))


@pytest.mark.parametrize(
    ("name", "kind", "cell", "said"),
    [
        (
            "Stat",
            "string",
            '"营业"',
            "loan.dmn:2:55: Stat: no attribute of the vocabulary tourism is called so\n    right: state?",
        ),
        (
            "state",
            "number",
            "> 3",
            "state: an input of two types\n    found: decimal\n    right: state: text",
        ),
        ("state", "string", 'not("营 业")', "state never has the value '营 业'"),
    ],
)
def test_what_a_shared_vocabulary_does_not_have_is_named(name: str, kind: str, cell: str, said: str) -> None:
    with pytest.raises(PackError) as caught:
        shared(model(table([(cell, "4")], [name]), **{name: kind}))
    assert said in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_a_file_is_read_in_its_encoding(encoding: str) -> None:
    declared = {"gb18030": '<?xml version="1.0" encoding="GBK"?>\n'}.get(encoding, "")
    pack = made((declared + model(table([("> 1", "4")]))).encode(encoding))
    assert pack.rules[0].title.zh.startswith("额度")


_DOCTYPE = '<!DOCTYPE d [<!ENTITY a "aaaa">]>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_DOCTYPE + model(table([("&a;", "4")])), "loan.dmn:1:13: (file): a document type"),
        ('<!DOCTYPE d SYSTEM "http://x/y.dtd">' + model(), "a document type"),
        (model(table([("> 1", "4")]))[:-40], "not well-formed XML"),
        ("", "not well-formed XML"),
        ("<a>" * 200, "more than 100 levels"),
        ('<?xml version="1.0" encoding="nothing"?>' + model(), "not nothing"),
        (model(space="http://www.omg.org/spec/DMN/20130901"), "XML of http://www.omg.org/spec/DMN/20130901"),
        ("<definitions name='x'/>", "XML of no namespace"),
        (b"\xff\xfe<\0a\0", "not well-formed XML"),
        (b"<a>\xff</a>", "not well-formed XML"),
    ],
)  # fmt: skip
def test_odd_xml_is_refused_and_says_why(text: str | bytes, said: str) -> None:
    assert said in refused(text)


_NUMBER = st.integers(-3, 3).map(str)
_RANGE = st.builds(
    "{0}{1}..{2}{3}".format, st.sampled_from("[(]"), _NUMBER, st.integers(4, 6), st.sampled_from("])[")
)
_COMPARED = st.builds("{0} {1}".format, st.sampled_from(["<", "<=", ">", ">="]), _NUMBER)
_TESTS = st.lists(st.one_of(_NUMBER, _RANGE, _COMPARED, st.just("null")), min_size=1, max_size=3).map(
    ", ".join
)
_CELL = st.one_of(st.just("-"), _TESTS, _TESTS.map("not({})".format))


@given(st.lists(st.tuples(_CELL, _CELL, _NUMBER), min_size=1, max_size=4), st.booleans())
@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_a_pack_gives_what_its_table_gives(rows: list[tuple[str, str, str]], adds_up: bool) -> None:
    hit = 'hitPolicy="COLLECT" aggregation="SUM"' if adds_up else 'hitPolicy="FIRST"'
    draft = read_model(model(table(rows, ["Amount", "Seats"], hit=hit), Seats="integer").encode(), "loan.dmn")
    assert {fault.message for fault in draft.missing} <= {"a cell that matches nothing"}
    if draft.tables:
        pack = load_text(pack_text(draft, DAY, partial=True), "pack.yaml")
        assert [result.place for result in run_examples(pack) if not result.passed] == []


def test_a_whole_table_is_made_without_a_finding_of_lint_but_what_it_does_not_say() -> None:
    rows = [("< 10000", "-", "60"), ("[10000..50000]", "-", "40.5"), ("> 50000", "-", "0")]
    draft = read_model(model(table(rows, ["Amount", "Purpose"])).encode(), "loan.dmn")
    found = lint_text(pack_text(draft, DAY), "loan.yaml")
    assert {f.severity for f in found} == {Severity.NOTICE}


def listed(*codes: str, otherwise: str = "") -> str:
    """An output that is a text, with its values in order and a default."""
    default = f"<defaultOutputEntry><text>{otherwise}</text></defaultOutputEntry>" if otherwise else ""
    values = ", ".join(f'"{code}"' for code in codes)
    return f'<output typeRef="string"><outputValues><text>{values}</text></outputValues>{default}</output>'


ROUTE = table(
    [('"low"', "> 3", '"accept"'), ('"high"', "-", '"refer"'), ("-", "< 3", '"decline"')],
    ["Risk", "Worth points"],
    hit='hitPolicy="PRIORITY"',
    name="Route",
    output=listed("decline", "refer", "accept", otherwise='"refer"'),
)
RISK = table([("< 10", '"low"'), (">= 10", '"high"')], name="Risk", output=TEXT)
WORTH = table(
    [("> 1", "4"), ("> 5", "2.5")], hit='hitPolicy="COLLECT" aggregation="SUM"', name="Worth points"
)


def test_decisions_that_read_one_another_are_tables_that_do() -> None:
    pack = made(model(ROUTE, RISK, WORTH))
    assert [(m.id, str(m.type)) for m in pack.measures] == [
        ("risk", "text"), ("worth_points", "number"), ("route", "text"),
    ]  # fmt: skip
    judge = Judge(pack)
    cases = {6: ("low", Decimal("6.5"), "accept"), 2: ("low", 4, "accept"), 1: ("low", None, "refer"),
             12: ("high", Decimal("6.5"), "refer")}  # fmt: skip
    for amount, values in cases.items():
        found = judge.values({"subject_id": 1, "amount": Decimal(amount)}, [], DAY)
        assert (found["risk"], found["worth_points"], found["route"]) == values


def test_a_text_that_no_other_decision_reads_is_what_the_result_leads_to() -> None:
    pack = made(model(table([("> 1", '"high"'), ("<= 1", '"low"')], output=TEXT)))
    assert [(r.title.zh, render(r.when.written)) for r in pack.rules] == [
        ("额度：high", "result = 'high'"), ("额度：low", "result = 'low'"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "hit", "take"),
    [
        ('hitPolicy="ANY"', "any", None),
        ('hitPolicy="FIRST"', "first", None),
        ('hitPolicy="COLLECT" aggregation="MIN"', "collect", "min"),
        ('hitPolicy="COLLECT" aggregation="MAX"', "collect", "max"),
        ('hitPolicy="COLLECT" aggregation="COUNT"', "collect", "count"),
    ],
)
def test_the_hit_policy_of_a_number_that_others_read_is_kept(policy: str, hit: str, take: str | None) -> None:
    final = table([("> 1", "4")], ["Class"], name="Final")
    pack = made(model(table([("> 1", "4"), ("> 5", "4")], hit=policy, name="Class"), final))
    [measure] = pack.measures
    assert measure.decision is not None
    assert (measure.decision.hit, measure.decision.take) == (hit, take)


def test_priority_of_texts_that_are_not_listed_is_refused() -> None:
    assert "a hit policy that the" in refused(
        model(table([("> 1", '"a"')], output=TEXT, hit='hitPolicy="PRIORITY"'))
    )
