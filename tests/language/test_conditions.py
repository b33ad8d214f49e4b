"""Conditions: what each means, told by its canonical text, and why each of the others is refused."""

from __future__ import annotations

import pytest

from rules.language.expressions import BOOLEAN, DATE, DECIMAL, INTEGER, TEXT, Level, Name, render
from rules.language.parse import MAX_DEPTH, MAX_LENGTH, ConditionError, Scope, parse_condition
from rules.titles import Title

TYPES = {
    "kind": TEXT,
    "note": TEXT,
    "staff": INTEGER,
    "fine": DECIMAL,
    "found_on": DATE,
    "ends_on": DATE,
    "settled": BOOLEAN,
}
SCOPE = Scope(
    {name: Name(name, Level.RECORD, type_) for name, type_ in TYPES.items()},
    {"kind": {"fault": Title("过失", "Fault"), "award": Title("奖励", "Award")}},
)

READ = [
    ("staff=1", "staff = 1"),
    ("staff == 1", "staff = 1"),
    ("staff != 1", "staff <> 1"),
    ("staff == 1", "staff = 1"),
    ("  staff\n  >=  -5 ", "staff >= -5"),
    ("1 < staff", "1 < staff"),
    ("fine > .5", "fine > 0.5"),
    ("fine = 1.50", "fine = 1.50"),
    ("fine = 1_000", "fine = 1000"),
    ("KIND_OF = 1 or true", None),
    ("kind = 'fault'", "kind = 'fault'"),
    ("\"kind\" = 'fault'", "kind = 'fault'"),
    ("kind in ('fault', 'award', 'fault')", "kind in ('fault', 'award')"),
    ("staff in (1, 1.0, 2)", "staff in (1, 2)"),
    ("kind not in ('fault')", "not kind in ('fault')"),
    ("note = 'it''s; drop table x --'", "note = 'it''s; drop table x --'"),
    ("note = '中文😀'", "note = '中文😀'"),
    ("note like '渝%'", "note like '渝%'"),
    ("note not like '_a%'", "not note like '_a%'"),
    ("note is null", "note is null"),
    ("note is not null", "note is not null"),
    ("not note is null", "note is not null"),
    ("settled", "settled"),
    ("not settled", "not settled"),
    ("settled = true", "settled = true"),
    ("coalesce(settled, false)", "coalesce(settled, false)"),
    ("(fine > 1) is null", "(fine > 1) is null"),
    ("staff between 1 and 5", "staff >= 1 and staff <= 5"),
    ("staff not between 1 and 5", "not (staff >= 1 and staff <= 5)"),
    ("staff between 1 and 5 and settled", "staff >= 1 and staff <= 5 and settled"),
    ("settled and (staff = 1 and fine = 2)", "settled and staff = 1 and fine = 2"),
    ("settled or (staff = 1 or fine = 2)", "settled or staff = 1 or fine = 2"),
    ("settled or staff = 1 and fine = 2", "settled or staff = 1 and fine = 2"),
    ("(settled or staff = 1) and fine = 2", "(settled or staff = 1) and fine = 2"),
    ("not (settled and staff = 1)", "not (settled and staff = 1)"),
    ("staff + 1 * 2 > 3", "staff + 1 * 2 > 3"),
    ("(staff + 1) * 2 > 3", "(staff + 1) * 2 > 3"),
    ("staff - (1 - 2) > 3", "staff - (1 - 2) > 3"),
    ("abs(fine - 5) < 1", "abs(fine - 5) < 1"),
    ("least(staff, fine, 3) > greatest(1, staff)", "least(staff, fine, 3) > greatest(1, staff)"),
    ("fine * fine > 3", "fine * fine > 3"),
    ("ROUND((fine*100) / (staff), 2) > 3", "round(fine * 100 / staff, 2) > 3"),
    ("round(fine / (staff * 2), 0) > 3", "round(fine / (staff * 2), 0) > 3"),
    ("round(fine * fine, 4) > 3", "round(fine * fine, 4) > 3"),
    ("ends_on - found_on > 30", "ends_on - found_on > 30"),
    ("ends_on - (found_on + interval 1 day) > 3", "ends_on - (found_on + interval 1 day) > 3"),
    ("ends_on - '2026-01-31' > 30", "ends_on - date '2026-01-31' > 30"),
    ("found_on >= '2026-01-31'", "found_on >= date '2026-01-31'"),
    ("found_on = date '2026-01-31'", "found_on = date '2026-01-31'"),
    ("found_on in ('2026-01-31')", "found_on in (date '2026-01-31')"),
    ("found_on + interval 1 year <= as_of", "found_on + interval 12 month <= as_of"),
    ("found_on - interval '2' week > ends_on", "found_on - interval 14 day > ends_on"),
    (
        "found_on + interval 3 month - interval 1 day > ends_on",
        "found_on + interval 3 month - interval 1 day > ends_on",
    ),
    (
        "start_of_year(found_on) + interval 1 year > ends_on",
        "start_of_year(found_on) + interval 12 month > ends_on",
    ),
    ("true", "true"),
    ("found_on + interval 372000 day > ends_on", "found_on + interval 372000 day > ends_on"),
    ("found_on - interval 53142 week > ends_on", "found_on - interval 371994 day > ends_on"),
    ("found_on + interval 1000 year > ends_on", "found_on + interval 12000 month > ends_on"),
    ("note = '-- /* ; ‘（＞ {# '", "note = '-- /* ; ‘（＞ {# '"),
]

REFUSED = [
    ("", "this can't be read as a condition", "kind = 'penalty'", 0),
    ("staff >", "this can't be read as a condition", "SQL such as", 6),
    ("staff > 1 and", "this can't be read as a condition", "SQL such as", 10),
    ("staff = 1; drop table subjects", "this can't be read as a condition", "SQL such as", 11),
    ("select 1", "this can't be read as a condition", "SQL such as", 0),
    ("staff = 1 union select 2", "this can't be read as a condition", "SQL such as", 10),
    ("staf = 1", "nothing declares the name staf", "staff?", 0),
    ("fine > 1 and Staff = 1", "nothing declares the name Staff", "staff?", 13),
    ("zzz = 1", "nothing declares the name zzz", "one of ends_on, fine", 0),
    ("t.staff = 1", "a dotted name", "the plain name: staff", 0),
    ("staff", "this is a number, not a condition", "a comparison", 0),
    ("settled and staff", "a number where a condition is needed", "compare it", 12),
    ("kind = 'fautl'", "kind never has the value 'fautl'", "fault? or another of award", 7),
    ("kind in ('award', 'x')", "kind never has the value 'x'", "one of fault, award", 18),
    ("kind = 5", "a text beside a number", "two values of the type text", 0),
    ("staff = '5'", "a number beside a text", "two values of the type number", 0),
    ("kind > 'a'", "'>' on text values", "= or <>", 0),
    ("settled < true", "'<' on boolean values", "= or <>", 0),
    ("found_on = '2026-02-30'", "'2026-02-30' is not a date", "date '2026-01-31'", 11),
    ("found_on = date '31.1.2026'", "'31.1.2026' is not a date", "date '2026-01-31'", 16),
    ("found_on + 3 > ends_on", "'+' on a date", "interval 3 month", 0),
    ("staff + interval 3 month > 1", "an interval moves a date only", "decided_on + interval", 0),
    ("found_on + interval 3 hour > ends_on", "an interval this language lacks", "interval 3 month", 0),
    (
        "found_on + interval 1 month + interval 1 month > ends_on",
        "a date moved more than once",
        "one interval",
        0,
    ),
    ("found_on + interval 99999 year > ends_on", "an interval of more than 1,000 years", "a shorter one", 0),
    ("fine / 2 > 1", "a quotient that does not say how it is rounded", "round(part * 100 / whole, 2)", 0),
    ("round(fine / staff * 2, 2) > 1", "a quotient that does not say", "round(part * 100 / whole, 2)", 6),
    ("round(fine) > 1", "round needs its digits, 0 to 8", "round(part * 100 / whole, 2)", 0),
    ("round(fine, -2) > 1", "round needs its digits, 0 to 8", "round(part * 100 / whole, 2)", 0),
    ("round(fine, 9) > 1", "round needs its digits, 0 to 8", "round(part * 100 / whole, 2)", 0),
    ("round(found_on, 2) > 1", "round of a date", "round of numbers", 0),
    (
        "round(round(fine, 4) / staff, 2) > 1",
        "a number rounded more than once",
        "round(part * 100 / whole, 2)",
        0,
    ),
    ("round(fine * fine / fine, 8) > 1", "would not be exact", "a product that is rounded", 0),
    ("ends_on + found_on > 1", "'+' on a date", "interval 3 month", 0),
    ("fine × 2 > 1", "× is none of SQL's signs", "write *", 5),
    ("round(fine ÷ 2, 2) > 1", "÷ is none of SQL's signs", "write /", 11),
    ("as_of - found_on > 30", "the days up to as_of change every day", "interval 30 day <= as_of", 0),
    (
        "date_diff('day', found_on, ends_on) > 1",
        "date_diff is not in the language",
        "ends_on - occurred_on",
        0,
    ),
    ("fine % 2 = 1", "'mod' is not in the language", "= <> <", 0),
    ("fine = 1e5", "a number in scientific form", "plain digits", 7),
    ("fine = null", "null compares with nothing", "x is null", 7),
    ("settled is true", "'is' goes with null alone", "x is null", 0),
    ("staff in (select 1)", "'in' takes a list of values", "kind in", 0),
    ("staff in (fine)", "'in' takes values only", "kind in", 10),
    ("staff between symmetric 5 and 1", "'between symmetric' is not in the language", "x between", 0),
    ("note ilike 'a'", "'ilike' is not in the language", "= <> <", 0),
    ("staff = 1 -- a remark", "a comment in a condition", "YAML's own", 10),
    ("staff /**/ = 1", "a comment in a condition", "YAML's own", 6),
    ("/*+ no */ staff = 1", "a comment in a condition", "YAML's own", 0),
    ("staff = {# no #} 1", "a comment in a condition", "YAML's own", 8),
    ("staff = 1;", "a ';' in a condition", "without it", 9),
    ("kind = ‘fault’", "‘ is none of SQL's signs", "write '", 7),
    ("kind = “fault”", "“ is none of SQL's signs", "write '", 7),
    ("staff ＞ 1", "＞ is none of SQL's signs", "write >", 6),
    ("kind in （'fault')", "（ is none of SQL's signs", "write (", 8),
    ("found_on = try_cast('2026-01-01' as date)", "'safe' is not in the language", "a plainer form", 11),
    ("found_on + interval 372001 day > ends_on", "an interval of more than 1,000 years", "a shorter one", 0),
    ("found_on - interval 53143 week > ends_on", "an interval of more than 1,000 years", "a shorter one", 0),
    ("found_on + interval 12001 month > ends_on", "an interval of more than 1,000 years", "a shorter one", 0),
    ("note like 'a' escape '!'", "'escape' is not in the language", "= <> <", 0),
    ("note like any ('a')", "'any' is not in the language", "= <> <", 15),
    ("note like note", "'like' matches a text with a pattern", "like '渝%'", 0),
    ("note like 'a\\b'", "a backslash in a pattern", "% for any text", 0),
    ("note || 'a' = 'b'", "'dpipe' is not in the language", "= <> <", 0),
    ("upper(note) = 'A'", "'upper' is not in the language", "= <> <", 0),
    ("read_text('/etc/passwd') = 'A'", "'read_text' is not in the language", "= <> <", 0),
    ("exists (select 1)", "'exists' is not in the language", "= <> <", 15),
    ("(select 1) = 1", "'subquery' is not in the language", "= <> <", 0),
    ("case when settled then true end", "'case' is not in the language", "= <> <", 0),
    ("staff::text = '1'", "'cast' is not in the language", "= <> <", 0),
    ("current_date = found_on", "'current_date' is not in the language", "= <> <", 0),
    ("? = 1", "'placeholder' is not in the language", "= <> <", 0),
    ("abs(kind) = 1", "abs of a text", "abs of a number", 0),
    ("least(kind, 'a') = 'a'", "least of text values", "numbers or dates", 0),
    ("least(kind, 1) = 1", "least of text values", "numbers or dates", 0),
    ("greatest(settled, fine) = fine", "greatest of boolean values", "numbers or dates", 0),
    ("start_of_year(staff) = found_on", "start_of_year takes one date", "start_of_year(occurred_on)", 0),
    ("fine * fine * fine > 1", "a result of up to 54 digits, more than 38, would not be exact", "fewer", 0),
    ("fine > " + "9" * 39, "a number of more than 38 digits", "a shorter one", 7),
    ("staff in (0.00000000000000001, 99999999999999999999999)", "would not be exact", "fewer", 0),
]


@pytest.mark.parametrize(("text", "canonical"), [case for case in READ if case[1]])
def test_a_condition_is_read_as_it_is_meant(text: str, canonical: str) -> None:
    condition = parse_condition(text, SCOPE)
    assert render(condition) == canonical
    assert parse_condition(canonical, SCOPE) == condition


@pytest.mark.parametrize(("text", "message", "hint", "offset"), REFUSED)
def test_what_is_not_in_the_language_is_refused_with_a_hint(
    text: str, message: str, hint: str, offset: int
) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, SCOPE)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert (caught.value.offset or 0) == offset


def test_a_fault_shows_what_it_is_about_as_it_is_written() -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition("settled and A = 1", SCOPE)
    assert (caught.value.text, caught.value.offset) == ("A", 12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("staff = 1 or " * 400 + "settled", f"longer than {MAX_LENGTH} characters"),
        ("(" * 60 + "settled" + ")" * 60, "nested too deeply"),
        ("not " * (MAX_DEPTH + 1) + "settled", "nested too deeply"),
        ("(" * 990 + "settled" + ")" * 990, "nested too deeply"),
        ("coalesce(" * 150 + "settled" + ")" * 150, "nested too deeply"),
        ("staff" + " + 1" * 100 + " > 1", "nested too deeply"),
    ],
)
def test_long_and_deep_conditions_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        parse_condition(text, SCOPE)
