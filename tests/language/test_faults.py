"""Faulty packs: every fault is named with its place, the offending text and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rules.chinese import in_chinese
from rules.fault import Fault, PackError
from rules.library.loader import load_pack, load_text

Faults = Callable[[str], list[Fault]]

# what to replace, by what, and the fault: the text that it points at, its field, message and hint
FAULTS = [
    ("points: -4", "points: -4\n    ponts: -4", "ponts", "rules[0].ponts", "no such key", "points?"),
    (
        "    points: -4\n",
        "",
        "id: fault",
        "rules[0].points",
        "this key is missing",
        "add it, such as points: -4",
    ),
    ('version: "1"\n', "", "pack: ", "version", "this key is missing", 'add it, such as version: "1"'),
    (
        "points: -4",
        "points: four",
        "four",
        "rules[0].points",
        "not a number of points",
        "a number such as -4",
    ),
    ("points: -4", "points: -4.125", "-4.125", "rules[0].points", "more than two decimals", "hundredths"),
    ("points: -4", "points: 2000000", "2000000", "rules[0].points", "out of range", "at most 1,000,000"),
    (
        "points: -4",
        "points: {soon: -4}",
        "{soon",
        "rules[0].points",
        "'soon' is not a date",
        "2026-01-01: -4",
    ),
    ("from: 2026-01-01", "from: 2026-02-30", "2026-02-30", "in_force.from", "not a date", "a date such as"),
    ("title: Fault\n", "title: [a]\n", "[a]", "rules[0].title", "not a title", "{zh: 中文, en: English}"),
    ("id: fault", "id: 过失", "过失", "rules[0].id", "not an id", "letters, digits"),
    ("rules:\n", "rulez: []\nrules:\n", "rulez", "rulez", "no such key", "rules?"),
    (
        "dimension: conduct\n    when",
        "dimension: manners\n    when",
        "manners",
        "rules[0].dimension",
        "no such dimension",
        "one of conduct",
    ),
    (
        "basis: law §1",
        "basis: lore §1",
        "lore §1",
        "rules[0].basis",
        "the pack has no such basis",
        "own-choice, law",
    ),
    (
        "in_force:",
        "authority: town\nin_force:",
        "town",
        "authority",
        "not one of the words allowed",
        "one of national, industry, district",
    ),
    (
        "{id: law, title: 条例}",
        "{id: law, title: 条例, in_force_from: 2026-04-01, repealed_on: 2026-04-01}",
        "{id: law",
        "basis[0]",
        "repealed before it is in force",
        "repealed_on after in_force_from",
    ),
    (
        "{id: law, title: 条例}",
        "{id: law, title: 条例, repealed_on: 2026-04-01, replaced_by: law}",
        "law}",
        "basis[0].replaced_by",
        "no other basis of the pack",
        "an entry of its own",
    ),
    (
        "{id: law, title: 条例}",
        "{id: law, title: 条例, replaced_by: law}",
        "{id: law",
        "basis[0]",
        "replaced and not repealed",
        "repealed_on: 2026-04-01",
    ),
    (
        "vetoes:\n",
        "together: [{rules: [fault, size, mani], why: Both}]\nvetoes:\n",
        "mani]",
        "together[0].rules[2]",
        "no such rule",
        "many? or another of fault, size",
    ),
    ("tier: B, basis", "tier: E, basis", "E, basis", "vetoes[0].tier", "no such tier", "one of A, B"),
    (
        "  - {id: many",
        "  - {id: fault",
        "fault, title: Many",
        "vetoes[0].id",
        "the id stands here twice",
        "its own",
    ),
    ("  - {id: many", "  - {id: size.2", "size\n", "tables[0].id", "the id stands here twice", "its own"),
    (
        "measures:\n",
        "measures:\n  fine: {title: Fine, count: records}\n",
        "fine: {title",
        "measures.fine",
        "already a column's name",
        "a name of its own",
    ),
    (
        "count: records",
        "count: records, sum: fine",
        "{title: Faults",
        "measures.faults",
        "not exactly one aggregate",
        "one of count, sum",
    ),
    (
        "count: records",
        "latest: fine + 1",
        "fine + 1",
        "measures.faults.latest",
        "not a column",
        "the name of",
    ),
    ("count: records", "sum: settled", "settled, where", "measures.faults.sum", "no sum of this", "a number"),
    (
        "count: records",
        "count: records, by: kind",
        "{title: Faults",
        "measures.faults",
        "by and take go together",
        "by: field",
    ),
    (
        "count: records",
        "count: records, each: 30",
        "{title: Faults",
        "measures.faults",
        "a cap on each group without groups",
        "by: field, take: sum, each: 30",
    ),
    *(
        (
            "count: records",
            f"count: records, by: kind, take: sum, each: {each}",
            f"{each}, where",
            "measures.faults.each",
            "no group's value can be held at it",
            "at most 0 decimals",
        )
        for each in ("0", "2.5")
    ),
    (
        "count: records",
        "count: records, by: size, take: max",
        "size, take",
        "measures.faults.by",
        "nothing declares the name size",
        "one of fine, found_on",
    ),
    (
        "count: records",
        "count: records, by: 'found_on < as_of', take: max",
        "found_on < as_of",
        "measures.faults.by",
        "groups that change with as_of",
        "start_of_month(occurred_on)",
    ),
    *(
        (
            "count: records",
            f"count: records, by: '{by}', take: run",
            by,
            "measures.faults.by",
            "groups of which none follows another",
            "months or years: start_of_month(occurred_on), start_of_year(occurred_on)",
        )
        for by in ("found_on", "start_of_month(found_on) + interval 1 month", "coalesce(fine, 1)")
    ),
    (
        "count: records",
        "run: found_on, take: run",
        "run: found_on",
        "measures.faults.run",
        "no such key",
        "rank",
    ),
    *(
        ("measures:\n", f"measures:\n  place: {{title: Place, {said}}}\n", shown, *wrong)
        for said, shown, *wrong in (
            (
                "rank: faults, by: fine",
                "fine}",
                "measures.place.by",
                "neither an attribute nor a measure",
                "an attribute, or a measure of the pack",
            ),
            (
                "rank: faults, by: size, bands: [1, 2]",
                "1, 2",
                "measures.place.bands[0]",
                "no bound of a band",
                "can have",
            ),
            (
                "percentile: faults, by: staff, bands: [1, 2.5]",
                "2.5",
                "measures.place.bands[1]",
                "no bound of a band",
                "can have",
            ),
            (
                "peers: faults, by: staff, bands: [1, 1]",
                "{title: Place",
                "measures.place",
                "bands that do not rise",
                "each above the one before: bands: [3, 11, 21]",
            ),
            (
                "peers: faults, bands: [1, 2]",
                "{title: Place",
                "measures.place",
                "bands without subjects in groups",
                "percentile: m, by: size, bands",
            ),
            (
                "rank: faults, fewest: 5",
                "{title: Place",
                "measures.place",
                "fewest without a percentile",
                "percentile: m, by: size, fewest: 10",
            ),
            (
                "percentile: faults, fewest: 1",
                "1}",
                "measures.place.fewest",
                "not a whole number in range",
                "a whole number from 2",
            ),
        )
    ),
    (
        "where: kind = 'fault', within",
        "where: size = 'large', within",
        "size = 'large'",
        "measures.faults.where",
        "nothing declares the name size",
        "one of fine, found_on",
    ),
    ("decay: linear", "decay: slow", "slow", "rules[0].counts.decay", "not a decay", "linear, or steps"),
    (
        "decay: linear",
        "decay: [{after: 12, keep: 0.5}]",
        "{months: 12, decay",
        "rules[0].counts",
        "a decay step after the window's end",
        "less than 12",
    ),
    (
        "months: 12, decay",
        "days: 12, decay",
        "{days",
        "rules[0].counts",
        "a decay without its length",
        "months: 12",
    ),
    (
        "months: 12, decay",
        "months: 121, decay",
        "linear",
        "rules[0].counts.decay",
        "over too long a time",
        "120",
    ),
    (
        "months: 12, decay",
        "months: 12, days: 3, decay",
        "{months: 12, days",
        "rules[0].counts",
        "both months and days",
        "one of the two",
    ),
    (
        "{months: 12, decay: linear}",
        "{from: kind}",
        "kind}",
        "rules[0].counts.from",
        "not a date of the record or subject",
        "a date column",
    ),
    (
        "tier: B, basis",
        "counts: {months: 3}, tier: B, basis",
        "{months: 3}",
        "vetoes[0].counts",
        "a window of a subject needs its 'from'",
        "from: a date attribute",
    ),
    (
        "faults > 9",
        "faults > 9 or opened_on < as_of",
        "as_of",
        "vetoes[0].when",
        "as_of must stand alone",
        "<= as_of",
    ),
    (
        "when: faults > 9",
        "when: faultz > 9",
        "faultz",
        "vetoes[0].when",
        "nothing declares the name faultz",
        "faults?",
    ),
    ("from: 90", "from: -1", "0}]", "grades[1].from", "not below the grade before it", "the best first"),
    (
        "B, from: 0",
        "B, from: veto",
        "90}",
        "grades[0].from",
        "scores below it have no grade",
        "from: 0",
    ),
    ("B, from: 0", "B, from: 10", "10}]", "grades[1].from", "scores below it have no grade", "from: 0"),
    ("{tier: A", "{tier: B", "B, from: 0", "grades[1].tier", "the tier stands here twice", "each tier once"),
    (
        "start: 80",
        "start: 180",
        "{start: 180",
        "score",
        "start is not between min and max",
        "min ≤ start ≤ max",
    ),
    (
        "[small, 2]",
        "[large, 2]",
        "[large, 2]",
        "tables[0].rows[1]",
        "rows 1 and 2 can match together",
        "hit: first",
    ),
    (
        "[small, 2]",
        "[tiny, 2]",
        "tiny",
        "tables[0].rows[1][0]",
        "size never has the value 'tiny'",
        "large, small",
    ),
    (
        "[small, 2]",
        "[small, large, 2]",
        "[small, large",
        "tables[0].rows[1]",
        "not a cell for each input",
        "1 cells",
    ),
    ("[small, 2]", '["9..3", 2]', "9..3", "tables[0].rows[1][0]", "an empty range", "smaller end first"),
    ("[small, 2]", '[">= 3", 2]', ">= 3", "tables[0].rows[1][0]", "a text beside a number", "type text"),
    ("input: size", "inputs: []", "[]", "tables[0].inputs", "an empty list", "at least one entry"),
    (
        "hit: unique",
        "hit: last",
        "last",
        "tables[0].hit",
        "not one of the words allowed",
        "unique, first, any, priority, collect",
    ),
    (
        "title: Staff}",
        "title: Staff, values: {a: A}}",
        "{type: integer",
        "subject.subject.columns.staff",
        "values and format belong to a text",
        "type: text",
    ),
    (
        "staff: {",
        "select: {",
        "select",
        "subject.subject.columns.select",
        "a word of SQL's own",
        "its_select",
    ),
    (
        "date: found_on",
        "date: kind",
        "kind\n",
        "subject.records.date",
        "not a column fit for this",
        "date column",
    ),
    (
        "      note: {",
        "      size: {",
        "size: {type: text, title: Note",
        "subject.records.columns.size",
        "also an attribute of the subject",
        "a name of its own",
    ),
    (
        "pack: sound",
        "pack: sound\npack: twice",
        "pack: twice",
        "(file)",
        "the key stands here twice",
        "one of the two",
    ),
    (
        "title: Fault\n",
        "title: &a Fault\n",
        "&a",
        "rules[0]",
        "anchors are not allowed",
        "write the value out",
    ),
    (
        "title: Fault\n",
        "title: !!python/name:os.system x\n",
        "!!python",
        "rules[0]",
        "tags are not allowed",
        "plain",
    ),
    ("points: -4", "points: -6\n    cap: 18", "18", "rules[0].cap", "the cap can never hold", "cap: -18"),
    ("points: -4", "points: 6\n    cap: -2.5", "-2.5", "rules[0].cap", "the cap can never hold", "cap: 2.5"),
    (
        "points: -4",
        "points: {2026-01-01: -6, 2026-06-01: null}\n    cap: 18",
        "18",
        "rules[0].cap",
        "the cap can never hold",
        "cap: -18",
    ),
    ("points: -4", "points: -4\n    cap: 0", "0", "rules[0].cap", "a cap of 0", "no points at all: no rule"),
    ("hit: unique", "hit: unique\n    cap: -3", "-3", "tables[0].cap", "the cap can never hold", "cap: 3"),
    ("hit: unique", "hit: unique\n    cap: 0", "0", "tables[0].cap", "a cap of 0", "such as -16"),
    (
        "title: Conduct}",
        "title: Conduct, floor: 0.01, ceiling: 4}",
        "0.01",
        "dimensions[0].floor",
        "a dimension without a hit gives 0",
        "a floor of 0 or less",
    ),
    (
        "title: Conduct}",
        "title: Conduct, floor: -5, ceiling: -4}",
        "-4",
        "dimensions[0].ceiling",
        "a dimension without a hit gives 0",
        "a ceiling of 0 or more",
    ),
    (
        "kind = 'fault' and fine",
        "kind = 'fault' /* any */ and fine",
        "/* any */",
        "rules[0].when",
        "a comment in a condition",
        "YAML's own",
    ),
    ("tier: B, ", "", "{id: many", "vetoes[0]", "neither or both of tier and lowers", "lowers: 1"),
    (
        "tier: B, ",
        "tier: B, lowers: 1, ",
        "{id: many",
        "vetoes[0]",
        "neither or both",
        "tier: D, or lowers: 1",
    ),
    (
        "tier: B, ",
        "lowers: 2, ",
        "2",
        "vetoes[0].lowers",
        "scores reach 2 tiers",
        "lowers: 1, which is the worst",
    ),
    (
        "when: faults > 9, ",
        "",
        "{id: many",
        "vetoes[0].when",
        "this key is missing",
        "add it, such as when: kind",
    ),
    (
        "tier: B, ",
        "tier: B, below: {conduct: 5, fun: 9}, ",
        "9}",
        "vetoes[0].below.fun",
        "neither the score nor a dimension",
        "conduct",
    ),
    (
        "tier: B, ",
        "tier: B, below: {score: 0}, ",
        "0}",
        "vetoes[0].below.score",
        "never below",
        "more than 0",
    ),
    (
        "tier: B, ",
        "tier: B, below: {score: 101}, ",
        "101}",
        "vetoes[0].below.score",
        "always below",
        "at most 100",
    ),
    ("tier: B, ", "lowers: 0, ", "0", "vetoes[0].lowers", "not a whole number in range", "from 1"),
    ("title: Fault\n", 'title: "a\\0b"\n', "a\\0b", "rules[0]", "a control character", "plain text"),
]


@pytest.mark.parametrize(("sane", "faulty", "at", "field", "message", "hint"), FAULTS)
def test_a_fault_is_named_with_its_place(
    sound: str, faults: Faults, sane: str, faulty: str, at: str, field: str, message: str, hint: str
) -> None:
    assert sound.count(sane) >= 1
    text = sound.replace(sane, faulty, 1)
    found = faults(text)
    assert len(found) == 1, "\n".join(map(str, found))
    fault = found[0]
    assert fault.field == field
    assert message in fault.message
    assert hint in fault.hint
    line = text.splitlines()[fault.place.line - 1]
    assert fault.place.file == "pack.yaml"
    assert (line[fault.place.column - 1 :] + "\n").startswith(at)


PLACES = [
    ("when: kind = 'fault' and zzz = 1", "zzz"),
    ("when: \"kind = 'fault' and zzz = 1\"", "zzz"),
    ("when: 'settled and zzz = 1'", "zzz"),
    ("when: note = '中😀' and zzz = 1", "zzz"),
    ("when: 'kind = ''fault'' and zzz = 1'", "kind"),  # escapes: the place of the text
]


@pytest.mark.parametrize(("when", "at"), PLACES)
def test_a_place_inside_a_condition_is_exact(sound: str, faults: Faults, when: str, at: str) -> None:
    text = sound.replace("when: kind = 'fault' and fine >= 1000", when)
    place = faults(text)[0].place
    assert text.splitlines()[place.line - 1][place.column - 1 :].startswith(at)


@pytest.mark.parametrize("style", [">", "|", ">-"])
def test_in_a_text_of_several_lines_the_place_is_its_first(sound: str, faults: Faults, style: str) -> None:
    when = f"when: {style}\n      kind = 'fault'\n      and zzz = 1\n"
    text = sound.replace("when: kind = 'fault' and fine >= 1000\n", when)
    fault = faults(text)[0]
    assert text.splitlines()[fault.place.line - 1].strip() == f"when: {style}"
    assert fault.text == "zzz"


SLIPS = [
    ("from: 2026-01-01", 'from: "2026-01-01"', "in quotes it is a text", "2026-01-01, without quotes"),
    ("points: -4", 'points: "-4"', "in quotes it is a text", "-4, without quotes"),
    ("points: -4", 'points: "true"', "not a number of points", "a number such as -4"),
    (
        "title: Fault\n",
        "title: {zh: 过失,重大, en: Fault}\n",
        "a comma ends a text",
        '"过失,重大", in quotes',
    ),
    (
        "{id: law, title: 条例}",
        "{id: law, title: 条例,试行}",
        "a comma ends a text",
        '"条例,试行", in quotes',
    ),
    (
        "{id: law, title: 条例}",
        "{id: law, title: 条例: 试行}",
        "not YAML",
        "quotes around a text with a comma, colon",
    ),
    (
        "when: kind = 'fault' and fine >= 1000",
        "note: {zh: 见, en: {when: kind in ('fault', 'award')}}",
        "not YAML",
        "quotes around a text with a comma",
    ),
    ("in_force:", "note: >= 3\nin_force:", "not YAML", "quotes around a text that begins so"),
    ("fine >= 1000", "opened_on < 2026-01-01", "a date beside a number", "date '2026-01-31'"),
    ("kind = 'fault' and", "kind = '过失行为' and", "kind never has the value", "fault? or another of award"),
    (
        "hit: unique",
        "hit: unike",
        "not one of the words allowed",
        "unique? or another of first, any, priority, collect",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "message", "hint"), SLIPS, ids=[slip[1] for slip in SLIPS])
def test_a_slip_that_yaml_takes_otherwise_is_told_by_its_cause(
    sound: str, faults: Faults, right: str, wrong: str, message: str, hint: str
) -> None:
    assert sound.count(right) >= 1
    found = faults(sound.replace(right, wrong, 1))[0]
    assert message in found.message
    assert hint in found.hint
    assert in_chinese(found.message)
    assert in_chinese(found.hint)


@pytest.mark.parametrize(
    ("measure", "field", "hint"),
    [
        (
            "{title: 倍数, value: round(fines / 3, 2)}",
            "measures.times.2)",
            '"round(fines / 3,2)", in quotes',
        ),
        ("{title: 倍数, value: fines, wher: fine > 0}", "measures.times.wher", "where?"),
    ],
)
def test_what_stands_beside_a_measures_own_value_is_told_as_such(
    sound: str, faults: Faults, measure: str, field: str, hint: str
) -> None:
    found = faults(sound.replace("measures:\n", f"measures:\n  times: {measure}\n"))[0]
    assert (found.field, found.hint[: len(hint)]) == (field, hint)


BRACKETS = '"[1..5]" in quotes: both ends are in; "1..5": from 1 to below 5'


@pytest.mark.parametrize(
    ("cell", "message", "hint"),
    [
        ("[1..5]", "a range in brackets without quotes", BRACKETS),
        ('"[1..5"', "half a range", BRACKETS),
        ('"5..1"', "an empty range", '"70..90" with the smaller end first'),
        ('["-", 1]', "'-' in a list", '"-", alone in its cell'),
        ("{not: -}", "not a cell", "{not: A}, {not: [A, B]} or {not: null}"),
        ("{but: 5}", "not a cell", "{not: A}, {not: [A, B]} or {not: null}"),
        ("lots", "a number beside a text", 'a number, a comparison or a range: 90, ">= 90", "70..90"'),
        ('"≥ 5"', "a number beside a text", 'a number, a comparison or a range: 90, ">= 90", "70..90"'),
    ],
)
def test_a_cell_that_was_meant_as_a_range_is_told_how_a_range_is_written(
    sound: str, faults: Faults, cell: str, message: str, hint: str
) -> None:
    table = f"input: staff\n    hit: unique\n    rows: [[{cell}, 1], [7, 2]]\n"
    text = sound.replace("input: size\n    hit: unique\n    rows: [[large, 1], [small, 2]]\n", table)
    found = faults(text)[0]
    assert (found.message, found.hint) == (message, hint)
    assert in_chinese(message)
    assert in_chinese(hint)


def test_a_measure_that_is_refused_is_one_fault_whoever_reads_it(sound: str, faults: Faults) -> None:
    several = """measures:
  few: {title: Few, count: records, where: "kinde = 'fault'"}
  share: {title: Share, ratio: [few, faults]}
  place: {title: Place, rank: few}
  among: {title: Among, percentile: faults, by: few}
  twice: {title: Twice, value: few + few}
"""
    text = sound.replace("measures:\n", several).replace(
        "faults > 9", "share > 9 and twice > 1 and place > 1 and among > 1"
    )
    assert [fault.field for fault in faults(text)] == ["measures.few.where"]


def test_a_value_is_one_of_the_list_of_the_column_that_a_measure_is_the_latest_of(
    sound: str, faults: Faults
) -> None:
    latest = sound.replace("title: Faults, count: records", "title: Last, latest: kind")
    [fault] = faults(latest.replace("when: faults > 9", "when: faults = 'foult'"))
    assert (fault.text, fault.message) == ("'foult'", "faults never has the value 'foult'")
    assert load_text(latest.replace("when: faults > 9", "when: faults = 'fault'"), "pack.yaml")


def test_a_file_in_another_encoding_is_named_from_its_first_line(tmp_path: Path, sound: str) -> None:
    path = tmp_path / "pack.yaml"
    path.write_bytes(sound.encode("gb18030"))
    with pytest.raises(PackError) as caught:
        load_pack(path)
    [fault] = caught.value.faults
    assert (fault.place.line, fault.place.column, fault.hint) == (1, 1, "save it as UTF-8")


def test_measures_in_a_circle_are_one_fault_whoever_reads_them(sound: str, faults: Faults) -> None:
    circle = "measures:\n  one: {title: One, value: two + 1}\n  two: {title: Two, value: one + 1}\n"
    text = sound.replace("measures:\n", circle).replace("faults > 9", "two > 9")
    assert [fault.message for fault in faults(text)] == ["the measures are made of one another"]


def test_a_fault_names_the_part_that_it_is_in_by_its_id(sound: str, faults: Faults) -> None:
    found = faults(sound.replace("fine >= 1000", "fin >= 1000").replace("[small", "[tiny"))
    assert [fault.part for fault in found] == ["fault", "size"]


def test_a_file_that_says_nothing_is_named_from_its_first_character(faults: Faults) -> None:
    for nothing in ("", "# later\n"):
        assert [(fault.place.line, fault.place.column) for fault in faults(nothing)] == [(1, 1)]


def test_all_faults_of_a_pass_are_told_at_once(sound: str, faults: Faults) -> None:
    text = sound.replace("dimension: conduct", "dimension: manners").replace("law §1", "lore §1")
    text = (
        text.replace("fine >= 1000", "fin >= 1000")
        .replace("faults > 9", "faults > 'x'")
        .replace("[small", "[tiny")
    )
    found = faults(text)
    assert [p.field for p in found] == [
        "rules[0].dimension",
        "rules[0].when",
        "rules[0].basis",
        "vetoes[0].when",
        "tables[0].dimension",
        "tables[0].rows[1][0]",
    ]
    assert [p.place for p in found] == sorted(p.place for p in found)


def test_all_faults_of_shape_are_told_at_once(sound: str, faults: Faults) -> None:
    text = (
        sound.replace("points: -4", "points: x")
        .replace("start: 80", "start: y")
        .replace("hit: unique", "hit: z")
    )
    assert {p.field for p in faults(text)} == {"score.start", "rules[0].points", "tables[0].hit"}


def test_a_fault_reads_well(sound: str, faults: Faults) -> None:
    text = sound.replace("fine >= 1000", "fin >= 1000")
    assert str(faults(text)[0]) == (
        "pack.yaml:36:30: rules[0].when (fault): nothing declares the name fin\n"
        "    found: fin\n    right: fine?"
    )
