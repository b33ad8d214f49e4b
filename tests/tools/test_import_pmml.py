"""A scorecard of PMML as a pack, with the cases by which its makers verify it."""

from __future__ import annotations

import datetime as dt

import pytest

from rules.fault import PackError
from rules.library.loader import load_text
from rules.model import Pack
from rules.tools.exchange.draft import Draft
from rules.tools.exchange.models import read_model
from rules.tools.exchange.pack import pack_text
from scoring.answers.examples import run_examples
from tests.tools.test_import_dmn import conditions


def scorecard(*attributes: str, mined: str = "", of_model: str = "", more: str = "", fields: str = "") -> str:
    lines = "\n".join(attributes)
    return f"""<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><DataDictionary>
<DataField name="years" displayName="年限" dataType="double"/>
<DataField name="trade" dataType="string"><Value value="food"/><Value value="inn"/>
<Value value="shop"/></DataField>
<DataField name="score" dataType="double"/>{fields}</DataDictionary>
<Scorecard modelName="merchant risk" functionName="regression" initialScore="10" {of_model}>
<MiningSchema><MiningField name="years" {mined}/><MiningField name="trade"/>
<MiningField name="score" usageType="target"/></MiningSchema>
<Characteristics><Characteristic name="standing" reasonCode="RC1">
{lines}
</Characteristic></Characteristics>{more}</Scorecard></PMML>"""


def attribute(predicate: str, points: str = "5", code: str = "") -> str:
    return f'<Attribute partialScore="{points}" reasonCode="{code}">{predicate}</Attribute>'


def simple(operator: str, value: str, field: str = "years") -> str:
    return f'<SimplePredicate field="{field}" operator="{operator}" value="{value}"/>'


def compound(operator: str, *parts: str) -> str:
    return f'<CompoundPredicate booleanOperator="{operator}">{"".join(parts)}</CompoundPredicate>'


def made(text: str) -> tuple[Pack, Draft]:
    draft = read_model(text.encode(), "card.pmml")
    pack = load_text(pack_text(draft, dt.date(2026, 1, 1)), "card.yaml")
    assert [result.place for result in run_examples(pack) if not result.passed] == []
    return pack, draft


@pytest.mark.parametrize(
    ("predicate", "asked"),
    [
        (simple("lessThan", "3"), ["years < 3"]),
        (simple("greaterOrEqual", "1e1"), ["years >= 10"]),
        (simple("equal", "3"), ["years = 3"]),
        (simple("notEqual", "3"), ["years < 3", "years > 3"]),
        (simple("notEqual", "inn", "trade"), ["trade in ('food', 'shop')"]),
        ('<SimplePredicate field="years" operator="isMissing"/>', ["(years is null) = true"]),
        ('<SimplePredicate field="trade" operator="isNotMissing"/>', ["trade in ('food', 'inn', 'shop')"]),
        (
            '<SimpleSetPredicate field="trade" booleanOperator="isNotIn">'
            '<Array n="1" type="string">"inn"</Array></SimpleSetPredicate>',
            ["trade in ('food', 'shop')"],
        ),
        (
            compound("and", simple("greaterThan", "1"), simple("lessOrEqual", "3")),
            ["years > 1 and years <= 3"],
        ),
        (
            compound("and", simple("equal", "food", "trade"),
                     compound("or", simple("lessThan", "1"), simple("equal", "9"))),
            ["trade = 'food' and years < 1", "trade = 'food' and years = 9"],
        ),
    ],
)  # fmt: skip
def test_a_predicate_asks_what_it_asked_in_pmml(predicate: str, asked: list[str]) -> None:
    pack, _ = made(scorecard(attribute(predicate)))
    assert [condition for condition, _ in conditions(pack)] == asked


def test_the_first_attribute_counts_from_the_initial_score_on_and_its_code_is_a_note() -> None:
    rows = [attribute(simple("lessThan", "3"), "-4", "RC2"), attribute("<True/>", "2.5")]
    pack, draft = made(scorecard(*rows, of_model='reasonCodeAlgorithm="pointsBelow" baselineScore="3"'))
    assert pack.score.start == 1000
    assert [points for _, points in conditions(pack)] == [-400, 250]
    assert [rule.note and rule.note.en for rule in pack.rules] == ["reason code RC2", "reason code RC1"]
    assert draft.remarks == []


@pytest.mark.parametrize(
    ("of_model", "baseline"),
    [
        ('reasonCodeAlgorithm="pointsBelow" baselineScore="3"', 300),
        ('baselineScore="3"', 300),
        ('baselineScore="-1"', -100),
        ('baselineScore="-9"', None),
        ('baselineScore="3" useReasonCodes="false"', None),
        ('baselineScore="3" reasonCodeAlgorithm="pointsAbove"', None),
        ("", None),
    ],
)
def test_a_baseline_says_which_points_are_reasons(of_model: str, baseline: int | None) -> None:
    rows = [attribute(simple("lessThan", "3"), "-4", "RC2"), attribute("<True/>", "2.5")]
    pack, draft = made(scorecard(*rows, of_model=of_model))
    assert {rule.baseline for rule in pack.rules} == {baseline}
    assert [fault.text for fault in draft.remarks] == ["pointsAbove"] * ("Above" in of_model)


def test_a_missing_value_is_taken_for_its_replacement() -> None:
    pack, _ = made(scorecard(attribute(simple("lessThan", "3")), mined='missingValueReplacement="1.5"'))
    assert [condition for condition, _ in conditions(pack)] == ["coalesce(years, 1.5) < 3"]


VERIFIED = """<ModelVerification><VerificationFields><VerificationField field="years" column="y"/>
<VerificationField field="score"/></VerificationFields>
<InlineTable><row><y>1</y><score>5.00</score></row><row><score>12</score></row></InlineTable></ModelVerification>"""


def test_the_cases_of_its_makers_are_examples_of_the_pack() -> None:
    rows = [attribute(simple("lessThan", "3"), "-5"), attribute("<True/>", "2")]
    pack, _ = made(scorecard(*rows, more=VERIFIED))
    assert [(dict(e.subject), e.score) for e in pack.examples] == [({"years": 1}, 500), ({}, 1200)]
    draft = read_model(scorecard(*rows, more=VERIFIED.replace("12", "13")).encode(), "x.pmml")
    wrong = load_text(pack_text(draft, dt.date(2026, 1, 1)), "x.yaml")
    assert [result.got.en for result in run_examples(wrong) if not result.passed] == ["score 12"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (scorecard(attribute(compound("xor", simple("equal", "1"), "<True/>"))), "a predicate that is"),
        (scorecard(attribute(simple("lessThan", "few"))), "card.pmml:10:43: standing #1: not a value of"),
        (scorecard(attribute(simple("lessThan", "3"), "0.125")), "standing #1: more than two decimals"),
        (scorecard("<Attribute><ComplexPartialScore/><True/></Attribute>"), "points that are computed"),
        (scorecard(attribute(simple("lessThan", "3", "derived"))), "a field that is not in the"),
        (scorecard(attribute(simple("lessThan", "3")), mined='outliers="asExtremeValues"'), "outliers that"),
        (scorecard(attribute(simple("lessThan", "a", "trade"))), "a comparison of what has"),
        (scorecard(attribute(simple("lessThan", "3")), more="<Targets/>"), "a score that is"),
        (scorecard(attribute("<True/>")), "a characteristic that reads no field"),
        (scorecard(attribute("")), "no predicate"),
        (scorecard().replace("PMML-4_4", "PMML-3_2"), "right: DMN 1.1 to 1.6, or PMML 4.1 to 4.4"),
    ],
)  # fmt: skip
def test_what_the_language_lacks_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(PackError) as caught:
        made(text)
    assert said in str(caught.value)
