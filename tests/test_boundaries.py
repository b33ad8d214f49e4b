"""The language at its edges, by hand: what the batch gives on the very day, at a half, in a tie.

Each case is held to a number that stands here, and to the reference as well.
"""

from __future__ import annotations

import datetime as dt
import statistics
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from strategies import RECORD_COLUMNS, SUBJECT_COLUMNS, Case, Data, to_yaml, vocabulary
from test_differential import connection, expected, graded, load

from rules.library.loader import PACKS, load_pack
from scoring.judging.engine import grade
from scoring.judging.sql import quoted, sql_type
from tests.live.test_same_as_batch import gradable, live

__all__ = ["connection"]

FIRST = dt.date(2024, 1, 1)


def day(number: int) -> dt.date:
    """So many days after the first of January 2024."""
    return FIRST + dt.timedelta(days=number)


def rule(name: str, when: str, points: Any = 1, **more: Any) -> Data:
    return {
        "id": name,
        "title": "T",
        "dimension": "one",
        "when": when,
        "points": points,
        "basis": "own-choice",
    } | more


def measure(**what: Any) -> Data:
    return {"title": "M", **what}


def person(key: str, **known: Any) -> Data:
    return {"subject_id": key, **dict.fromkeys(SUBJECT_COLUMNS), **known}


def record(key: str, owner: str, **known: Any) -> Data:
    return {
        "record_id": key,
        "subject_id": owner,
        **dict.fromkeys(RECORD_COLUMNS),
        "happened_on": FIRST,
        **known,
    }


def pack(rules: list[Data] = [], measures: dict[str, Data] = {}, tables: list[Data] = []) -> str:  # noqa: B006
    return to_yaml(
        {
            "pack": "edges",
            "version": "1",
            "title": "T",
            "subject": vocabulary("subject_id", "text", "subject_id"),
            "in_force": {"from": dt.date(2020, 1, 1)},
            "score": {"min": -1000, "start": 0, "max": 1000},
            "dimensions": [{"id": "one", "title": "1"}],
            "measures": measures,
            "rules": rules,
            "tables": tables,
            "grades": [{"tier": "A", "from": 50}, {"tier": "B", "from": -1001}],
        }
    )


@pytest.fixture
def scores(connection: duckdb.DuckDBPyConnection) -> Any:
    """Hundredths by subject, as the batch, live judging and the reference all give them."""

    def given(text: str, on: dt.date, people: list[Data], records: list[Data]) -> dict[str, int]:
        case = Case(text, on, people, records)
        loaded = load(case)
        found, _ = graded(connection, loaded, case, on)
        assert found == expected(loaded, case, on)
        if gradable(loaded, on):
            assert found == live(loaded, case)
        return {key: score.score for key, score in found.items()}

    return given


@pytest.fixture
def changes(connection: duckdb.DuckDBPyConnection) -> Any:
    """``next_change_on`` by subject."""

    def given(text: str, on: dt.date, people: list[Data], records: list[Data]) -> dict[str, dt.date | None]:
        case = Case(text, on, people, records)
        return graded(connection, load(case), case, on)[1]

    return given


@pytest.mark.parametrize(("last", "counted"), [(29, 100), (30, 0)])
def test_thirty_days_are_thirty_days(scores: Any, last: int, counted: int) -> None:
    """Of a rule and of a measure: the thirty-first day is out."""
    rules = [rule("r", "kind = 'a'", counts={"from": "happened_on", "days": 30})]
    records = [record("1", "a", kind="a", happened_on=day(0))]
    assert scores(pack(rules), day(last), [person("a")], records) == {"a": counted}
    moved = [rule("r", "kind = 'a'", counts={"from": "happened_on + interval 1 day", "days": 30})]
    assert scores(pack(moved), day(last + 1), [person("a")], records) == {"a": counted}
    for window in ("happened_on", "happened_on + interval 0 day"):
        counted_in = {"m": measure(count="records", within={"from": window, "days": 30})}
        text = pack([rule("r", "m >= 0", per="m")], counted_in)
        assert scores(text, day(last), [person("a")], records) == {"a": counted}


def test_the_day_on_which_days_end_is_foretold(changes: Any) -> None:
    records = [record("1", "a", kind="a", happened_on=day(0))]
    window = {"from": "happened_on", "days": 30}
    assert changes(pack([rule("r", "kind = 'a'", counts=window)]), day(3), [person("a")], records) == {
        "a": day(30)
    }
    text = pack([rule("r", "m > 0")], {"m": measure(count="records", within=window)})
    assert changes(text, day(3), [person("a")], records) == {"a": day(30)}


def test_the_rows_of_a_table_share_its_cap(scores: Any) -> None:
    table = {
        "id": "t", "title": "T", "dimension": "one", "input": "kind", "hit": "unique",
        "rows": [["a", -4], ["b", -5], ["c", 3]], "cap": -6, "basis": "own-choice",
    }  # fmt: skip
    records = [record(str(n), "a", kind=kind) for n, kind in enumerate("abc")]
    assert scores(pack(tables=[table]), day(0), [person("a")], records) == {"a": -600}
    own = [rule(kind, f"kind = '{kind}'", -4, cap=-6) for kind in "ab"]
    assert scores(pack(own), day(0), [person("a")], records) == {"a": -800}


@pytest.mark.parametrize(
    ("points", "halved"), [("0.01", 1), ("-0.01", -1), ("0.03", 2), ("-0.03", -2), ("0.05", 3)]
)
def test_a_half_goes_away_from_zero(scores: Any, points: str, halved: int) -> None:
    """In decay, in what multiplies points, and in means and ratios."""
    records = [record("1", "a", kind="a", happened_on=dt.date(2024, 1, 1), amount=Decimal("0.5"))]
    window = {"from": "happened_on", "months": 2, "decay": [{"after": 1, "keep": Decimal("0.5")}]}
    decays = pack([rule("r", "kind = 'a'", Decimal(points), counts=window)])
    assert scores(decays, dt.date(2024, 2, 1), [person("a")], records) == {"a": halved}
    times = pack([rule("r", "kind = 'a'", Decimal(points), per="amount")])
    assert scores(times, day(0), [person("a")], records) == {"a": halved}


GRADES = [
    {"tier": "A", "from": 90},
    {"tier": "B", "from": 70},
    {"tier": "M", "from": "veto"},
    {"tier": "C", "from": -1001},
]


@pytest.fixture
def tiers(connection: duckdb.DuckDBPyConnection) -> Any:
    """Tier, band and the veto that names the tier, of one with so many points, by each judge."""

    def given(points: int, vetoes: list[Data], grades: list[Data] = GRADES) -> tuple[str, str, str | None]:
        data = yaml.safe_load(pack([rule("r", "true", points)]))
        case = Case(to_yaml({**data, "vetoes": vetoes, "grades": grades}), FIRST, [person("a")], [])
        loaded = load(case)
        found, _ = graded(connection, loaded, case, FIRST)
        assert found == expected(loaded, case, FIRST) == live(loaded, case)
        return found["a"].tier, found["a"].band, found["a"].veto

    return given


def veto(name: str, **effect: Any) -> Data:
    return {"id": name, "title": "V", "when": "true", "basis": "own-choice", **effect}


@pytest.mark.parametrize(
    ("points", "tier", "band"), [(95, "M", "A"), (70, "M", "B"), (69, "C", "C"), (-1000, "C", "C")]
)
def test_a_tier_without_a_score_is_given_by_a_veto_alone(
    tiers: Any, points: int, tier: str, band: str
) -> None:
    """It ranks where it stands: of a score that is worse the tier stays."""
    assert tiers(points, [veto("new", tier="M")]) == (tier, band, "new")
    assert tiers(points, []) == (band, band, None)


def test_the_worst_tier_may_be_one_that_vetoes_alone_give(tiers: Any) -> None:
    grades = [{"tier": "A", "from": 90}, {"tier": "B", "from": -1000}, {"tier": "D", "from": "veto"}]
    assert tiers(-1000, [], grades) == ("B", "B", None)
    assert tiers(95, [veto("struck", tier="D")], grades) == ("D", "A", "struck")


@pytest.mark.parametrize(
    ("each", "hundredths"), [(None, 5700), (30, 4200), (Decimal("2.5"), 200), (-30, 5700), (-1, 5900)]
)
def test_each_group_counts_up_to_its_cap(scores: Any, each: Any, hundredths: int) -> None:
    """One group comes to 45, one to 15, one to -3; a negative cap is the least that each comes to."""
    amounts = [("a", 20), ("a", 25), ("b", 15), ("c", -3), (None, 99)]
    records = [record(str(n), "a", kind=k, amount=Decimal(v)) for n, (k, v) in enumerate(amounts)]
    capped = {} if each is None else {"each": each}
    found = measure(sum="amount", by="kind", take="sum", **capped)
    assert scores(pack([rule("r", "true", per="m")], {"m": found}), day(0), [person("a")], records) == {
        "a": hundredths
    }


@pytest.mark.parametrize(("months", "points"), [(0, 9), (5, 9), (6, 6), (11, 6), (12, 3), (23, 3), (24, 0)])
def test_records_weigh_less_with_age_where_windows_are_added(scores: Any, months: int, points: int) -> None:
    """Three records weigh 3, 2 and 1 each, up to 6, 12 and 24 months of age."""
    measures: dict[str, Data] = {
        f"within_{length}": measure(count="records", within={"from": "happened_on", "months": length})
        for length in (6, 12, 24)
    }
    measures["weighted"] = measure(value="within_6 + within_12 + within_24")
    on = dt.date(2024 + months // 12, 1 + months % 12, 1)
    records = [record(str(n), "a") for n in range(3)]
    rules = [rule("r", "true", per="weighted")]
    assert scores(pack(rules, measures), on, [person("a")], records) == {"a": 100 * points}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("times", ["100", "100.01"])
def test_a_hit_is_a_million_points_at_most(scores: Any, sign: int, times: str) -> None:
    records = [record("1", "a", kind="a", amount=Decimal(times))]
    rules = [rule("r", "kind = 'a'", sign * 10_000, per="amount"), rule("s", "kind = 'a'", sign * -1)]
    wide = pack(rules).replace("1000\n", "1000000\n").replace("-1001\n", "-1000000\n")
    assert scores(wide, day(0), [person("a")], records) == {"a": sign * 99_999_900}


@pytest.mark.parametrize(
    ("amounts", "mean"),
    [
        (("0.0001", "0.0002"), "0.0002"),
        (("-0.0001", "-0.0002"), "-0.0002"),
        (("0.0001", "0.0001", "0.0003"), "0.0002"),
        (("0.0002", "0.0002", "0.0001"), "0.0002"),
        (("0.0001", "0.0001", "0.0002"), "0.0001"),
        (("-0.0002", "-0.0002", "-0.0001"), "-0.0002"),
    ],
)
def test_means_are_rounded_at_four_decimals(scores: Any, amounts: tuple[str, ...], mean: str) -> None:
    records = [record(str(n), "a", amount=Decimal(amount)) for n, amount in enumerate(amounts)]
    text = pack([rule("r", f"m = {mean}")], {"m": measure(mean="amount")})
    assert scores(text, day(0), [person("a")], records) == {"a": 100}


@pytest.mark.parametrize(
    ("part", "whole", "ratio"),
    [(1, 3, "0.3333"), (2, 3, "0.6667"), (-2, 3, "-0.6667"), (1, 20_000, "0.0001")],
)
def test_ratios_are_rounded_at_four_decimals(scores: Any, part: int, whole: int, ratio: str) -> None:
    """1 of 20,000 is 0.00005: a half."""
    measures = {
        "part": measure(sum="amount", where="kind = 'a'"),
        "whole": measure(sum="amount", where="kind = 'b'"),
        "share": measure(ratio=["part", "whole"]),
    }
    records = [record("1", "a", kind="a", amount=part), record("2", "a", kind="b", amount=whole)]
    records = [{**r, "amount": Decimal(r["amount"])} for r in records]
    assert scores(pack([rule("r", f"share = {ratio}")], measures), day(0), [person("a")], records) == {
        "a": 100
    }


@pytest.mark.parametrize(
    ("per", "known", "hundredths"),
    [
        ("amount * points", {"amount": "0.5", "points": "0.0003"}, 0),
        ("amount * points * 5", {"amount": "1", "points": "0.001"}, 1),
        ("amount * points * 5", {"amount": "-1", "points": "0.001"}, -1),
        ("round(amount * points, 4) * 100", {"amount": "0.5", "points": "0.0001"}, 1),
        ("amount * points", {"amount": "12345678.9876", "points": "0.0001"}, 123_457),
        ("amount * points", {"amount": "99999999999999.9999", "points": "99999999999999.9999"}, 10**8),
        ("amount * points", {"amount": "-99999999999999.9999", "points": "99999999999999.9999"}, -(10**8)),
        ("0.6 * amount + 0.4 * points", {"amount": "0.0049", "points": "0.0051"}, 0),
        ("0.6 * amount + 0.4 * points", {"amount": "0.005", "points": "0.005"}, 1),
        ("round(amount / points, 2)", {"amount": "2", "points": "3"}, 67),
        ("round(amount / points, 2)", {"amount": "-0.125", "points": "1"}, -13),
        ("round(amount / points, 2)", {"amount": "0.0449", "points": "10"}, 0),
        ("round(amount / points, 0)", {"amount": "1.5", "points": "-1"}, -200),
        ("round(amount / points, 2)", {"amount": "1", "points": "0"}, 0),
        ("round((amount + points) * 100 / elapsed, 4)", {"amount": "1", "points": "1", "elapsed": 3}, 6667),
        ("stops_on - happened_on", {"stops_on": day(60), "happened_on": day(31)}, 2900),
        ("happened_on - stops_on", {"stops_on": dt.date.max, "happened_on": dt.date.min}, -(10**8)),
    ],
)  # fmt: skip
def test_products_and_quotients_are_exact_and_rounded_once(
    scores: Any, per: str, known: dict[str, Any], hundredths: int
) -> None:
    """A half of the last hundredth goes away from zero; a quotient of nothing is unknown, and no hit."""
    given = {name: Decimal(value) if isinstance(value, str) else value for name, value in known.items()}
    own = {name: value for name, value in given.items() if name in SUBJECT_COLUMNS}
    found = {name: value for name, value in given.items() if name in RECORD_COLUMNS}
    text = pack([rule("r", "true", per=per, counts={"from": "coalesce(happened_on, happened_on)"})])
    text = text.replace("1000\n", "1000000\n").replace("-1001\n", "-1000000\n")
    assert scores(text, dt.date(2025, 1, 1), [person("a", **own)], [record("1", "a", **found)]) == {
        "a": hundredths
    }


def test_a_mean_by_weights_is_a_value_of_two_sums(scores: Any) -> None:
    """Days late by amount: 30 × 1.5 + 4 × 0.5, of 2, is 23.5."""
    measures = {
        "weighted": measure(sum="round(amount * days, 4)"),
        "weights": measure(sum="amount"),
        "mean_days": measure(value="round(weighted / weights, 2)"),
    }
    late = [record("1", "a", amount=Decimal("1.5"), days=30), record("2", "a", amount=Decimal("0.5"), days=4)]
    assert scores(pack([rule("r", "true", per="mean_days")], measures), day(0), [person("a")], late) == {
        "a": 2350
    }


def test_a_rounded_number_of_more_than_24_digits_is_unknown(scores: Any) -> None:
    rules = [rule("r", "round(amount * amount, 2) > 0"), rule("s", "round(amount * amount, 2) is null", 2)]
    for amount, points in (("999999999999", 100), ("1000000000000", 200)):
        records = [record("1", "a", amount=Decimal(amount))]
        assert scores(pack(rules), day(0), [person("a")], records) == {"a": points}


def test_a_ratio_of_more_than_24_digits_is_unknown(scores: Any) -> None:
    measures = {
        "part": measure(value="elapsed * 1000"),
        "whole": measure(sum="amount"),
        "share": measure(ratio=["part", "whole"]),
    }
    people = [person("a", elapsed=10**17), person("b", elapsed=10**17 - 1)]
    records = [record(key, key, amount=Decimal("0.0001")) for key in "ab"]
    text = pack([rule("r", "share > 0"), rule("s", "share is null", 2)], measures)
    assert scores(text, day(0), people, records) == {"a": 200, "b": 100}


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_records_of_one_day_the_later_id_is_the_latest(scores: Any, order: int) -> None:
    records = [
        record("r9", "a", happened_on=day(5), note="a"),
        record("r1", "a", happened_on=day(5), note="b"),
        record("r99", "a", happened_on=day(5)),
        record("s", "a", happened_on=day(4), note="中"),
    ][::order]
    text = pack([rule("r", "m = 'a'"), rule("s", "m = 'b'", 2)], {"m": measure(latest="note")})
    assert scores(text, day(9), [person("a")], records) == {"a": 100}


def test_a_rank_changes_on_the_day_on_which_another_subjects_measure_does(changes: Any) -> None:
    measures = {
        "n": measure(count="records", within={"from": "happened_on", "days": 40}),
        "place": measure(rank="n"),
        "others": measure(peers="n"),
    }
    records = [record("1", "b", happened_on=day(0)), record("2", "c", happened_on=day(-10))]
    people = [person(key) for key in "abc"]
    found = {
        name: changes(pack([rule("r", f"{name} = 1")], measures), day(5), people, records)
        for name in ("place", "others")
    }
    assert found["place"] == {"a": day(40), "b": None, "c": day(30)}, "b is first all along"
    assert found["others"] == dict.fromkeys("abc"), "three are ranked all along"


AMOUNTS = {"a": 1, "b": 2, "c": 2, "d": 5, "e": 9, "f": 9, "g": 9, "h": 12}


def of_amounts(**measures: Any) -> tuple[Any, ...]:
    """A measure ``n`` of subjects, one that has none, and others."""
    records = [record(key, key, amount=Decimal(amount)) for key, amount in AMOUNTS.items()]
    return {"n": measure(max="amount"), **measures}, [person(key) for key in [*AMOUNTS, "i"]], records


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {"a": 0, "b": 1429, "c": 1429, "d": 4286, "e": 5714, "f": 5714, "g": 5714, "h": 10000}),
        (
            {"order": "asc"},
            {"a": 10000, "b": 7143, "c": 7143, "d": 5714, "e": 1429, "f": 1429, "g": 1429, "h": 0},
        ),
        (
            {"by": "n", "bands": [2, 9]},
            {"b": 0, "c": 0, "d": 10000, "e": 0, "f": 0, "g": 0, "h": 10000},
        ),
        ({"by": "n", "bands": [2, 9], "fewest": 4}, {"e": 0, "f": 0, "g": 0, "h": 10000}),
        ({"by": "n"}, {"b": 0, "c": 0, "e": 0, "f": 0, "g": 0}),
    ],
)
def test_a_percentile_is_the_share_of_the_others_that_are_behind(
    scores: Any, given: dict[str, Any], found: dict[str, int]
) -> None:
    measures, people, records = of_amounts(share=measure(percentile="n", **given))
    rules = [rule("r", "share is not null", 100), rule("s", "share >= 0", 1, per="share")]
    expected = {key: 10000 + found[key] if key in found else 0 for key in [*AMOUNTS, "i"]}
    assert scores(pack(rules, measures), day(0), people, records) == expected


def test_a_percentile_is_rounded_to_four_decimals(scores: Any) -> None:
    measures, people, records = of_amounts(share=measure(percentile="n"))
    rules = [rule("r", "share = 57.1429"), rule("s", "share = 42.8571", 2)]  # 4/7 and 3/7
    found = scores(pack(rules, measures), day(0), people, records)
    assert {key: points for key, points in found.items() if points} == {
        "d": 200,
        "e": 100,
        "f": 100,
        "g": 100,
    }


def test_places_in_other_bands_are_other_places(scores: Any) -> None:
    measures, people, records = of_amounts(
        few=measure(rank="n", by="n", bands=[1, 9]), many=measure(rank="n", by="n", bands=[1, 2, 5])
    )
    rules = [rule("r", "few > 0", 1, per="few"), rule("s", "many > 0", 10, per="many")]
    assert scores(pack(rules, measures), day(0), people, records) == {
        "a": 1400, "b": 1200, "c": 1200, "d": 5100, "e": 2200, "f": 2200, "g": 2200, "h": 1100, "i": 0,
    }  # fmt: skip


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_quantile_of_a_population_is_said_by_a_place(scores: Any, tenths: int) -> None:
    """At or above it are those before whom there is no more than the rest of the others."""
    measures, people, records = of_amounts(place=measure(rank="n"), others=measure(peers="n"))
    when = f"10 * (place - 1) <= {10 - tenths} * (others - 1)"
    quantile = statistics.quantiles(AMOUNTS.values(), n=10, method="inclusive")[tenths - 1]
    assert scores(pack([rule("r", when)], measures), day(0), people, records) == {
        key: 100 * (AMOUNTS.get(key, -1) >= quantile) for key in [*AMOUNTS, "i"]
    }


def test_a_place_changes_on_the_day_on_which_another_subject_changes_its_group(changes: Any) -> None:
    measures = {
        "n": measure(count="records", where="kind = 'a'"),
        "lately": measure(count="records", where="kind = 'b'", within={"from": "happened_on", "days": 30}),
        "place": measure(rank="n", by="lately", bands=[0, 1]),
        "share": measure(percentile="n", by="lately", fewest=3),
    }
    records = [
        record("1", "b", kind="a", happened_on=day(-9)),
        record("2", "b", kind="b", happened_on=day(0)),  # in the other group until day 30
        record("3", "d", kind="b", happened_on=day(9)),  # from day 9 to day 39
    ]
    people = [person(key) for key in "abcd"]
    found = {
        when: changes(pack([rule("r", when)], measures), day(5), people, records)
        for when in ("place = 2", "share is null")
    }
    assert found["place = 2"] == {"a": day(30), "b": None, "c": day(30), "d": day(9)}
    assert found["share is null"] == {"a": day(9), "b": day(30), "c": day(9), "d": day(9)}


def test_records_are_grouped_by_what_is_computed_of_them(scores: Any) -> None:
    measures = {
        "months": measure(count="records", by="start_of_month(happened_on)", take="count"),
        "worst_year": measure(sum="amount", by="start_of_year(happened_on)", take="max"),
    }
    dates = ["2024-12-31", "2025-01-01", "2025-01-31", "2025-02-01"]
    records = [
        record(on, "a", happened_on=dt.date.fromisoformat(on), amount=Decimal(number))
        for number, on in enumerate(dates)
    ]
    records.append(record("x", "a", happened_on=None, amount=Decimal(9)))
    text = pack([rule("r", "months = 3 and worst_year = 6")], measures)
    assert scores(text, dt.date(2025, 3, 1), [person("a")], records) == {"a": 100}


RUNS = {
    "two of a month, and the new year": (["2024-11-30", "2024-12-01", "2024-12-31", "2025-01-01"], 3, 2),
    "a month between": (["2024-11-30", "2025-01-01", "2025-02-28"], 2, 2),
    "the longest is not the last": (
        ["2022-03-01", "2022-04-30", "2022-05-15", "2024-12-31", "2025-02-01"],
        3,
        2,
    ),
    "none follows another": (["2022-01-31", "2022-03-01", "2024-01-01"], 1, 1),
    "of a date that is not known": ([None, None, "2024-12-31"], 1, 1),
    "the ends of time": (["0001-01-01", "0001-02-01", "9999-12-31", "9999-11-01", "9999-10-31"], 3, 1),
    "nothing": ([], 0, 0),
}


@pytest.mark.parametrize(("dates", "months", "years"), RUNS.values(), ids=RUNS)
def test_periods_that_follow_one_another_are_a_run(
    scores: Any, dates: list[Any], months: int, years: int
) -> None:
    measures = {
        "months": measure(
            count="records", by="start_of_month(happened_on)", take="run", within={"from": "stops_on"}
        ),
        "years": measure(
            count="records", by="start_of_year(happened_on)", take="run", within={"from": "stops_on"}
        ),
    }
    records = [
        record(str(n), "a", happened_on=on and dt.date.fromisoformat(on), stops_on=dt.date(2025, 1, 1))
        for n, on in enumerate(dates)
    ]
    text = pack([rule("r", "months >= 0", per="months"), rule("s", "years >= 0", per="10 * years")], measures)
    people = [person("a"), person("b")]
    assert scores(text, dt.date(2025, 3, 1), people, records) == {"a": 100 * (months + 10 * years), "b": 0}


def test_a_run_has_a_value_in_each_of_its_months(scores: Any) -> None:
    """A month whose amounts are all unknown has a sum of them, but no least."""
    measures = {
        "sums": measure(sum="amount", by="start_of_month(happened_on)", take="run", each=1),
        "least": measure(min="amount", by="start_of_month(happened_on)", take="run"),
    }
    dates = ["2024-11-30", "2024-12-31", "2025-01-01", "2025-01-31"]
    amounts = [Decimal(9), None, Decimal(0), None]
    records = [
        record(on, "a", happened_on=dt.date.fromisoformat(on), amount=amount)
        for on, amount in zip(dates, amounts, strict=True)
    ]
    text = pack([rule("r", "sums = 3 and least = 1"), rule("s", "least is null")], measures)
    assert scores(text, dt.date(2025, 3, 1), [person("a"), person("b")], records) == {"a": 100, "b": 0}


def test_a_run_is_broken_on_the_day_on_which_one_of_its_months_leaves(changes: Any) -> None:
    within = {"from": "happened_on", "days": 100}
    measures = {"run": measure(count="records", by="start_of_month(happened_on)", take="run", within=within)}
    dates = ["2024-10-05", "2024-11-10", "2024-12-01", "2024-12-20", "2025-01-25"]
    records = [record(on, "a", happened_on=dt.date.fromisoformat(on)) for on in dates]
    text = pack([rule("r", "run >= 0", per="run")], measures)
    ahead, days = dt.date(2024, 10, 1), []
    while ahead:
        days.append(ahead)
        ahead = changes(text, ahead, [person("a")], records)["a"]
    # 1, 2, 3 (not at the second of December), 2 as October leaves, 3, 2, 1, 0
    assert [day.isoformat() for day in days[1:]] == [
        "2024-10-05", "2024-11-10", "2024-12-01", "2025-01-13",
        "2025-01-25", "2025-02-18", "2025-03-30", "2025-05-05",
    ]  # fmt: skip


def test_a_measure_may_be_read_in_anothers_where_alone(scores: Any) -> None:
    measures = {
        "n": measure(count="records"),
        "worth": measure(value="elapsed + 1", where="n >= 1"),
        "place": measure(rank="total", where="n >= 1"),
        "total": measure(sum="amount"),
        "share": measure(ratio=["total", "total"], where="n >= 1"),
    }
    people = [person("a", elapsed=1), person("b", elapsed=1)]
    records = [record("1", "a", amount=Decimal(3))]
    for name, when in (("worth", "worth = 2"), ("place", "place = 1"), ("share", "share = 1")):
        assert scores(pack([rule("r", when)], measures), day(0), people, records) == {"a": 100, "b": 0}, name


@pytest.mark.parametrize(("says", "points"), [("0 = 2.50", 1), ("2.50 = 2.50", 6)])
def test_a_condition_that_reads_nothing_holds_or_not_of_every_record(
    scores: Any, says: str, points: int
) -> None:
    """The judge of one subject passed over it where a measure asks for it."""
    measures = {"n": measure(count="records", where=says), "least": measure(min="amount", where=says)}
    rules = [
        rule("both", "n = 1 and least = 5", 2),
        rule("none", "n = 0 and least is null", 1),
        rule("of-record", f"{says} and amount = 5", 4),
    ]
    records = [record("1", "a", amount=Decimal(5))]
    assert scores(pack(rules, measures), day(0), [person("a")], records) == {"a": 100 * points}


def test_a_record_whose_group_is_unknown_is_in_no_group(scores: Any) -> None:
    measures = {
        "sums": measure(sum="amount", by="kind", take="count"),
        "least": measure(sum="amount", by="kind", take="min"),
        "means": measure(mean="amount", by="kind", take="count"),
    }
    records = [
        record("1", "a", kind="a", amount=Decimal(5)),
        record("2", "a", kind="b"),
        record("3", "a", amount=Decimal(-9)),
    ]
    when = "sums = 2 and least = 0 and means = 1"
    assert scores(pack([rule("r", when)], measures), day(0), [person("a")], records) == {"a": 100}


@pytest.mark.parametrize("on", [dt.date.min, dt.date.max])
def test_there_is_a_grade_on_the_calendars_first_and_last_day(scores: Any, changes: Any, on: dt.date) -> None:
    window = {"from": "happened_on", "months": 12, "decay": "linear"}
    rules = [
        rule("r", "kind = 'a'", -12, counts=window),
        rule("s", "kind = 'a' and happened_on + interval 3 month > as_of", 1, counts={"days": 30}),
        rule("t", "m > 0", 4),
    ]
    text = pack(rules, {"m": measure(count="records", within={"days": 30})})
    records = [record("1", "a", kind="a", happened_on=on)]
    last = on == dt.date.max  # a window of months or days ends there at the latest
    assert scores(text, on, [person("a")], records) == {"a": 0 if last else -700}
    found = changes(text, on, [person("a")], records)["a"]
    assert found is None or found > on


@pytest.mark.parametrize(("before", "counted"), [(2, 100), (1, 100), (0, 0)])
@pytest.mark.parametrize("window", [{"months": 1}, {"days": 2}])
def test_a_window_lasts_until_the_calendars_end(
    scores: Any, before: int, counted: int, window: dict[str, int]
) -> None:
    """One that begins on the last day has none to last."""
    on = dt.date.max - dt.timedelta(before)
    rules = [rule("r", "amount > 0", counts={"from": "happened_on", **window})]
    people, records = [person("a")], [record("x", "a", happened_on=on, amount=Decimal(1))]
    assert scores(pack(rules), on, people, records) == {"a": counted}


@pytest.mark.parametrize("more", [{}, {dt.date(2025, 7, 1): 1}])
def test_points_that_are_said_again_are_no_change(changes: Any, more: dict[dt.date, int]) -> None:
    rules = [rule("r", "kind = 'a'", {dt.date(2020, 1, 1): 1, dt.date(2025, 1, 1): 1} | more)]
    records = [record("1", "a", kind="a")]
    assert changes(pack(rules), day(0), [person("a")], records) == {"a": None}


def test_numbers_of_thirty_eight_digits_keep_them_all(scores: Any) -> None:
    """28 are what Python keeps unasked."""
    amount = Decimal("99999999999999.9999")
    rules = [
        rule("r", "abs(amount * 99999999999.999999) = 9999999999999999890000000.0000000001"),
        rule("s", "m > 12345678901234.5", 2),
    ]
    text = pack(rules, {"m": measure(max="amount * 0.999999999999999")})
    assert scores(text, day(0), [person("a")], [record("1", "a", amount=amount)]) == {"a": 300}


@pytest.mark.parametrize("path", sorted(PACKS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_installed_packs_grade_on_every_day_of_the_calendar(path: Path) -> None:
    ever = replace(load_pack(path), in_force_from=dt.date.min, in_force_until=None)
    tables = [("subjects", ever.vocabulary.subject), ("records", ever.vocabulary.records)]
    with duckdb.connect() as duck:
        for name, table in tables:
            columns = (
                ", ".join(f"{quoted(n)} {sql_type(c.type)}" for n, c in table.columns.items())
                if table
                else ""
            )
            duck.execute(f"create table {name} ({columns or 'none integer'})")
        duck.execute(f"insert into subjects ({quoted(ever.vocabulary.subject.key)}) values ('a')")
        for on in (dt.date.min, dt.date(9999, 12, 30), dt.date.max):
            grade(duck, ever, on, records="records" if ever.vocabulary.records else None)
            [(change,)] = duck.execute("select next_change_on from scores").fetchall()
            assert change is None or change > on
