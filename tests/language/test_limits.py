"""Every limit of the language on both its sides: the last that may be, and the first that may not."""

from __future__ import annotations

import pytest

from rules.fault import Fault, PackError, Place
from rules.language.expressions import BOOLEAN, DATE, DECIMAL, INTEGER, Level, Name
from rules.language.parse import ConditionError, Scope, parse_condition
from rules.library.loader import load_text
from rules.text.source import read

SCOPE = Scope(
    {
        name: Name(name, Level.RECORD, type_)
        for name, type_ in {"settled": BOOLEAN, "staff": INTEGER, "fine": DECIMAL, "found_on": DATE}.items()
    },
    {},
)


def complaints(text: str) -> str:
    """What is wrong with a pack, if anything is."""
    try:
        load_text(text, "pack.yaml")
    except PackError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "x" * (8 * 1024 * 1024 - 3), "larger than 8 MiB"),
        ("a: " + "[" * 23 + "]" * 23, "nested deeper than 24 levels"),
        ("a: [" + "1," * 249_997 + "]", "more than 250,000 values"),
    ],
)
def test_a_file_is_read_up_to_its_limit(text: str, message: str) -> None:
    assert read(text, "pack.yaml").data.keys() == {"a"}
    more = text.replace("a: x", "a: xx").replace("a: [", "a: [[").replace("[[1,", "[1,1,")
    with pytest.raises(PackError, match=message):
        read(more.replace("]", "]]", 1) if "[[" in more else more, "pack.yaml")


@pytest.mark.parametrize(
    ("last", "first", "message"),
    [
        ("settled".ljust(2_000), "settled".ljust(2_001), "longer than 2000 characters"),
        ("not " * 39 + "settled", "not " * 40 + "settled", "nested too deeply"),
        ("staff <> " + "1" * 38, "staff <> " + "1" * 39, "more than 38 digits"),
        ("fine <> 0." + "1" * 24, "fine <> 0." + "1" * 25, "up to 39 digits, more than 38"),
        ("found_on + interval 12000 month > as_of", "found_on + interval 12001 month > as_of", "1,000 years"),
        ("found_on - interval 1000 year < as_of", "found_on - interval 1001 year < as_of", "1,000 years"),
        ("found_on + interval 372000 day > as_of", "found_on + interval 372001 day > as_of", "1,000 years"),
        ("found_on + interval 53142 week > as_of", "found_on + interval 53143 week > as_of", "1,000 years"),
    ],
)  # fmt: skip
def test_a_condition_is_read_up_to_its_limit(last: str, first: str, message: str) -> None:
    parse_condition(last, SCOPE)
    with pytest.raises(ConditionError, match=message):
        parse_condition(first, SCOPE)


@pytest.mark.parametrize(
    ("old", "last", "first", "message"),
    [
        ("points: -4", "points: -1000000", "points: -1000000.01", "out of range"),
        ("points: -4", "points: 1000000", "points: 1000000.01", "out of range"),
        ("points: -4", "points: -4.12", "points: -4.125", "more than two decimals"),
        ("months: 12, decay", "months: 120, decay", "months: 121, decay", "at most 120 months"),
        ("within: {months: 12}", "within: {months: 12000}", "within: {months: 12001}", "from 1 to 12000"),
        ("within: {months: 12}", "within: {months: 1}", "within: {months: 0}", "from 1 to 12000"),
        ("within: {months: 12}", "within: {days: 400000}", "within: {days: 400001}", "from 1 to 400000"),
        ("within: {months: 12}", "within: {days: 1}", "within: {days: 0}", "from 1 to 400000"),
        ("id: fault\n", f"id: {'f' * 80}\n", f"id: {'f' * 81}\n", "not an id"),
        ("faults", "f" * 63, "f" * 64, "not a name for conditions"),
    ],
)
def test_a_pack_may_say_as_much_as_its_limits(
    sound: str, old: str, last: str, first: str, message: str
) -> None:
    assert complaints(sound.replace(old, last)) == ""
    assert message in complaints(sound.replace(old, first))


def test_a_ratio_is_of_measures_of_up_to_30_digits(sound: str) -> None:
    def ratio(digits: int) -> str:
        """Of a measure that has the 14 digits of a decimal, and more."""
        measures = f"  long: {{title: Long, max: fine * {'1' * (digits - 14)}}}\n"
        measures += "  share: {title: Share, ratio: [long, faults]}\n"
        return complaints(sound.replace("rules:\n", f"{measures}rules:\n", 1))

    assert ratio(30) == ""
    assert "at most 30 digits before the point and 4 after it" in ratio(31)


@pytest.mark.parametrize("how", ["sum", "mean"])
def test_what_is_added_up_has_up_to_24_digits_and_4_decimals(sound: str, how: str) -> None:
    def said(operand: str) -> str:
        measure = f"  fines: {{title: Fines, {how}: '{operand}'}}\n"
        return complaints(sound.replace("rules:\n", f"{measure}rules:\n", 1))

    assert said("fine * 1111111111") == said("round(fine * fine, 4)") == ""
    assert f"no exact {how} of this" in said("fine * 11111111111")
    assert f"no exact {how} of this" in said("fine * 0.1")


def test_the_best_of_groups_are_added_up_where_that_is_exact(sound: str) -> None:
    def said(operand: str) -> str:
        measure = f"  fines: {{title: Fines, max: '{operand}', by: kind, take: sum}}\n"
        return complaints(sound.replace("rules:\n", f"{measure}rules:\n", 1))

    assert said("round(fine * fine, 4)") == ""
    assert "take: no exact sum of this" in said("fine * 0.1")


def test_points_are_multiplied_by_a_number_of_up_to_19_decimals(sound: str) -> None:
    def said(per: str) -> str:
        return complaints(
            sound.replace("points: -4", f"points: -4\n    per: {per}", 1).replace(", decay: linear", "")
        )

    assert said("fine * fine") == said(f"fine * 0.{'1' * 15}") == ""
    assert "at most 19 digits after the point" in said(f"fine * 0.{'1' * 16}")


def test_a_number_of_records_is_a_whole_one_of_up_to_12_digits(sound: str) -> None:
    def said(digits: int) -> str:
        return complaints(sound.replace("when: faults > 9", f"when: faults * {'1' * digits} > 9"))

    assert said(26) == ""
    assert "a result of up to 39 digits" in said(27)


ALERT = """\
alerts:
  - {id: again, title: Again, basis: own-choice, within: {days: DAYS},
     events: [{when: kind = 'fault', times: TIMES}]}
"""
SUPERVISION = """\
supervision:
  A: {sample_share: 0.1, visits_per_year: VISITS, valid_months: MONTHS}
  B: {sample_share: 0.1}
"""
AHEAD = "opened_on: {type: date, possible: {days_ahead: AHEAD}"


@pytest.mark.parametrize(
    ("part", "word", "least", "most"),
    [
        (ALERT, "TIMES", 2, 10),
        (ALERT, "DAYS", 1, 40_000),
        (SUPERVISION, "VISITS", 0, 366),
        (SUPERVISION, "MONTHS", 1, 120),
        (AHEAD, "AHEAD", 0, 40_000),
    ],
)
def test_a_number_of_a_part_is_between_its_bounds(
    sound: str, part: str, word: str, least: int, most: int
) -> None:
    def said(number: int) -> str:
        text = part.replace(word, str(number))
        for other, usual in {"TIMES": 3, "DAYS": 365, "VISITS": 1, "MONTHS": 12}.items():
            text = text.replace(other, str(usual))
        return complaints(sound.replace("opened_on: {type: date", text) if part == AHEAD else sound + text)

    assert (said(least), said(most)) == ("", "")
    alone = "not a pattern of 2 to 10 records" if word == "TIMES" else "not a whole number in range"
    assert alone in said(least - 1)
    assert "not a whole number in range" in said(most + 1)


def test_a_table_has_up_to_a_thousand_rows(sound: str) -> None:
    def rows(number: int) -> str:
        pieces = ", ".join(f"[{n}..{n + 1}, 1]" for n in range(number))
        text = sound.replace("input: size", "input: staff")
        return text.replace("[[large, 1], [small, 2]]", f"[{pieces}]")

    assert complaints(rows(1_000)) == ""
    assert "more than 1,000 rows" in complaints(rows(1_001))


def test_a_pack_has_up_to_ten_thousand_rules(sound: str) -> None:
    """A rule, a veto, and tables of too many rows: those are not looked at."""
    table = sound[sound.index("  - id: size") : sound.index("grades:")]

    def rules(number: int) -> str:
        rows = ", ".join(["[large, 1]"] * (number // 2 - 1))
        full = table.replace("[large, 1], [small, 2]", rows)
        return complaints(sound.replace(table, full + full.replace("id: size", "id: again")))

    assert "10,000 rules" not in rules(10_000)
    assert "found: 10,002\n" in rules(10_002)


@pytest.mark.parametrize(("length", "shown"), [(80, "x" * 80), (81, "x" * 77 + "...")])
def test_a_fault_shows_up_to_80_characters_of_what_it_found(length: int, shown: str) -> None:
    fault = Fault(Place("a.yaml", 1, 1), "id", "x" * length, "not an id")
    assert str(fault) == f"a.yaml:1:1: id: not an id\n    found: {shown}"
