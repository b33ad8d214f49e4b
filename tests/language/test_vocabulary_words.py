"""The words of a vocabulary that say which rows there can be."""

from __future__ import annotations

import pytest

from rules.fault import PackError
from rules.identity import identity
from rules.library.loader import load_text, parse_vocabulary

SOUND = """\
vocabulary: shop
title: Shop
subject:
  key: id
  columns:
    id: {type: text, title: Number, format: uscc, lawful: ['9?35????M000??????'], fillers: [0X]}
    name: {type: text, title: Name}
    opened_on: {type: date, title: Opened on}
    seats: {type: integer, title: Seats, possible: {least: 0, most: 500}}
records:
  key: record
  subject: shop
  date: found_on
  needs: [kind, found_on]
  find_by: [name]
  limits:
    - {when: kind = 'fine', months: 12, until: ends_on, because: Law 7}
  kind: kind
  kinds:
    visit: {needs: [outcome], values: {outcome: [passed, failed]}}
    fine: {values: {outcome: []}}
  columns:
    record: {type: text, title: Record}
    shop: {type: text, title: Shop, format: uscc}
    kind: {type: text, title: Kind, values: {visit: Visit, fine: Fine}}
    outcome: {type: text, title: Outcome, values: {passed: Passed, failed: Failed}}
    amount: {type: decimal, title: Amount, possible: {least: 0}}
    found_on: {type: date, title: Found on, possible: {not_before: opened_on, days_ahead: 31}}
    ends_on: {type: date, title: Ends on, possible: {not_before: found_on}}
"""

FAULTS = {
    "a needed column that there is not": (
        "needs: [kind, found_on]",
        "needs: [kind, day]",
        "records.needs[1]: found: day",
        "one of record, shop, kind",
    ),
    "a kind's needed column that there is not": (
        "needs: [outcome], values",
        "needs: [result], values",
        "records.kinds.visit.needs[0]: found: result",
        "one of record",
    ),
    "a kind that is no code": (
        "    fine: {values",
        "    fines: {values",
        "records.kinds.fines: found: fines",
        "one of visit, fine",
    ),
    "kinds of no column": ("  kind: kind\n", "", "records.kind: not a column with", "one of kind, outcome"),
    "a column of kinds without codes": (
        "  kind: kind\n",
        "  kind: amount\n",
        "records.kind: found: amount",
        "one of kind, outcome",
    ),
    "codes of a column without codes": (
        "fine: {values: {outcome",
        "fine: {values: {amount",
        "records.kinds.fine.values.amount: found: amount",
        "one of kind, outcome",
    ),
    "a code that the column has not": (
        "[passed, failed]}}",
        "[passed, open]}}",
        "records.kinds.visit.values.outcome[1]: found: open",
        "one of passed, failed",
    ),
    "a spelling of no code": (
        "{passed: Passed, failed: Failed}}",
        "{passed: Passed, failed: Failed}, spellings: {lost: dropped}}",
        "dropped is none of the column's values",
        "another word: code",
    ),
    "a bound of a text": (
        "name: {type: text, title: Name}",
        "name: {type: text, title: Name, possible: {least: 0}}",
        "least and most belong to a number",
        "integer or decimal",
    ),
    "bounds the wrong way round": (
        "{least: 0, most: 500}",
        "{least: 9, most: 5}",
        "above the most",
        "least ≤ most",
    ),
    "days ahead of a number": (
        "possible: {least: 0, most: 500}",
        "possible: {days_ahead: 1}",
        "belong to a date",
        "type: date",
    ),
    "days of a number": (
        "possible: {least: 0, most: 500}",
        "possible: {earliest: 1950-01-01}",
        "belong to a date",
        "type: date",
    ),
    "days the wrong way round": (
        "days_ahead: 31}",
        "latest: 1949-12-31}",
        "the earliest day is after the latest",
        "earliest ≤ latest",
    ),
    "a day that is none": (
        "days_ahead: 31}",
        "also: [soon]}",
        "not a date",
        "such as 2026-01-31",
    ),
    "an order with what is no date": (
        "not_before: found_on",
        "not_before: amount",
        "not another date",
        "one of opened_on, found_on",
    ),
    "an order with itself": (
        "not_before: found_on",
        "not_before: ends_on",
        "not another date",
        "one of opened_on",
    ),
    "a subject found by what it has not": (
        "find_by: [name]",
        "find_by: [title]",
        "records.find_by[0]: found: title",
        "one of id, name",
    ),
    "a limit of what is no record's": (
        "when: kind = 'fine'",
        "when: name = 'fine'",
        "records.limits[0].when: nothing declares the name name",
        "record",
    ),
    "a limit that moves with the day": (
        "when: kind = 'fine'",
        "when: found_on > as_of",
        "same records on every day",
        "columns alone",
    ),
    "a limit until what is no date": (
        "until: ends_on, because",
        "until: amount, because",
        "records.limits[0].until",
        "one of found_on, ends_on",
    ),
    "a limit without an end": (
        "months: 12, until: ends_on, because",
        "because",
        "neither months nor until",
        "months: 12",
    ),
    "a pattern of another length": (
        "9?35????M000??????",
        "9?35????M000",
        "not the form of a code",
        "18 digits",
    ),
    "fillers of a plain text": (
        "name: {type: text, title: Name}",
        "name: {type: text, title: Name, fillers: ['0']}",
        "exceptions to a format",
        "format: uscc",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_word_that_cannot_hold_is_refused_with_its_place_and_what_would_do(
    fault: tuple[str, str, str, str],
) -> None:
    old, new, said, hint = fault
    assert old in SOUND
    with pytest.raises(PackError) as refused:
        parse_vocabulary(SOUND.replace(old, new), "shop.yaml")
    message = str(refused.value)
    assert "shop.yaml:" in message
    for part in (*said.split(": ", 1), hint):
        assert part in message


def test_the_words_are_read() -> None:
    words = parse_vocabulary(SOUND, "shop.yaml")
    assert words.records is not None
    assert (words.records.needs, words.find_by) == (("kind", "found_on"), ("name",))
    assert words.records.kinds["visit"].values == {"outcome": ("passed", "failed")}
    assert words.records.columns["found_on"].possible.days_ahead == 31


def test_a_vocabulary_may_say_nothing_of_it() -> None:
    lines = [
        line.partition(", possible")[0] + "}" if ", possible" in line else line
        for line in SOUND.splitlines()
        if not line.lstrip().startswith(("needs:", "find_by:", "kind: kind", "kinds:", "visit:", "fine:"))
    ]
    words = parse_vocabulary("\n".join(lines), "shop.yaml")
    assert words.records is not None
    assert (words.records.needs, words.records.kinds, words.find_by) == ((), {}, ())


def test_which_rows_there_can_be_is_no_part_of_a_packs_identity() -> None:
    """The words change what is taken in, never a grade."""
    plain = "".join("  " + line + "\n" for line in SOUND.splitlines())
    pack = (
        'pack: shops\nversion: "1"\ntitle: Shops\nsubject:\n' + plain + "in_force: {from: 2026-01-01}\n"
        "score: {start: 0, min: 0, max: 10}\ndimensions: [{id: d, title: D}]\n"
        "rules: [{id: r, title: R, dimension: d, when: seats > 3, points: 1, basis: own-choice}]\n"
        "grades: [{tier: A, title: A, from: 0}]\n"
    )
    other = pack.replace("needs: [kind, found_on]", "needs: [kind]").replace("most: 500", "most: 400")
    assert other != pack
    assert identity(load_text(other, "b")) == identity(load_text(pack, "a"))
