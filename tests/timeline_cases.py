"""Cases for judges of timelines: what random packs seldom draw, drawn and by example."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from strategies import CODES, RECORD_COLUMNS, RECORD_KEY, SUBJECT_COLUMNS, Case, Data, to_yaml, vocabulary

FIRST = dt.date(2024, 1, 1)


def day(number: int) -> dt.date:
    """A day by its distance from the first."""
    return FIRST + dt.timedelta(days=number)


def record(number: int, happened: int | None, owner: str = "a", **values: Any) -> Data:
    """A record of a subject.

    :param happened: its day, by the distance from the first.
    """
    known = {"happened_on": None if happened is None else day(happened), **values}
    return {RECORD_KEY: f"r{number}", "owner": owner, **dict.fromkeys(RECORD_COLUMNS), **known}


def subject(key: str, **values: Any) -> Data:
    """A subject; what is not said of it is unknown."""
    return {"subject_id": key, **dict.fromkeys(SUBJECT_COLUMNS), **values}


def rule(number: int, when: str, points: Any, **more: Any) -> Data:
    """A rule of the dimension ``one``."""
    named = {"id": f"r{number}", "title": "T", "dimension": "one", "basis": "own-choice"}
    return {**named, "when": when, "points": points, **more}


def veto(name: str, when: str, result: str | int, days: int) -> Data:
    """A veto that holds for so many days.

    :param result: the tier that it forces, or by how many it lowers.
    """
    return {
        "id": name,
        "title": "V",
        "when": when,
        "lowers" if isinstance(result, int) else "tier": result,
        "counts": {"days": days},
        "basis": "own-choice",
    }


def case(
    rules: Iterable[Data], records: Iterable[Data], subjects: Iterable[Data] = (subject("a"),), **parts: Any
) -> Case:
    """A case of a pack with these rules and parts; ``in_force`` always, unless said otherwise."""
    pack = {
        "pack": "directed",
        "version": "1",
        "title": "T",
        "subject": vocabulary("subject_id", "text", "owner"),
        "in_force": {"from": dt.date(2000, 1, 1)},
        "score": {"min": -1000, "start": 0, "max": 1000},
        "dimensions": [{"id": "one", "title": "1", "floor": -20}, {"id": "two", "title": "2", "ceiling": 5}],
        "rules": list(rules),
        "grades": [{"tier": "A", "from": 3}, {"tier": "B", "from": -5}, {"tier": "C", "from": -1001}],
        **parts,
    }
    return Case(to_yaml(pack), FIRST, list(subjects), list(records))


WITHIN = {"from": "happened_on", "days": 30}
BY_GROUP = {
    "sums": {"title": "M", "sum": "amount", "by": "kind", "take": "count", "within": WITHIN},
    "least": {"title": "M", "sum": "amount", "by": "kind", "take": "min", "within": WITHIN},
    "means": {"title": "M", "mean": "amount", "by": "kind", "take": "count", "within": WITHIN},
    "kinds": {"title": "M", "count": "records", "by": "kind", "take": "max", "within": WITHIN},
    "n": {"title": "M", "count": "records", "within": {"from": "happened_on", "days": 40}},
    "place": {"title": "R", "rank": "n", "where": "flag", "by": "rule"},
    "others": {"title": "R", "peers": "n", "where": "flag", "by": "rule"},
    "back": {"title": "R", "rank": "n", "order": "asc"},
    "half": {"title": "R", "value": "place * 0.5", "where": "others > 1"},
    "last": {"title": "M", "latest": "kind", "within": WITHIN},
    "months": {"title": "M", "count": "records", "by": "start_of_month(happened_on)", "take": "count"},
    "share": {"title": "R", "percentile": "n", "by": "last", "fewest": 3},
    "banded": {"title": "R", "percentile": "n", "order": "asc", "by": "sums", "bands": [1, 2]},
    "seconds": {"title": "R", "rank": "n", "by": "place"},
    "run": {"title": "M", "min": "amount", "by": "start_of_month(happened_on)", "take": "run",
            "within": {"from": "happened_on", "days": 90}},
    "years": {"title": "M", "count": "records", "by": "start_of_year(happened_on - interval 4 month)",
              "take": "run", "within": {"from": "happened_on", "days": 300}},
}  # fmt: skip
"""Groups of records, and places among subjects."""

BY_GROUP_RULES = [
    rule(n, f"{name} is not null", 1, per=name)
    for n, name in enumerate(name for name in BY_GROUP if name not in ("n", "last"))
]

EXAMPLES = {
    "a hit of no points is a hit": case(
        [rule(1, "kind = 'a'", 0, counts=WITHIN), rule(2, "kind = 'a'", -3, counts={"days": 10}, cap=-4)],
        [record(1, 5, kind="a"), record(2, 8, kind="a")],
    ),
    "a hit counts from its day, also where that was before the period": case(
        [
            rule(1, "happened_on is not null", -1, counts=WITHIN),
            rule(2, "days > 1", -1, counts={"months": 2, "decay": "linear"}),
        ],
        [record(1, -10, days=2), record(2, -5, days=1), record(3, -40, days=3)],
    ),
    "the latest record is the one whose window began last": case(
        [rule(1, "last = 7", 4), rule(2, "last_kind = 'a'", 2, dimension="two")],
        [
            record(1, -10, days=7, kind="a"),
            record(2, -20, days=8, kind="b"),
            record(3, 12, days=8, kind="b", stops_on=day(40)),
        ],
        measures={
            "last": {"title": "M", "latest": "days", "within": WITHIN},
            "last_kind": {
                "title": "M",
                "latest": "kind",
                "where": "coalesce(stops_on, happened_on) <= as_of",
            },
        },
    ),
    "null ends points, and what nobody reads any more is no input": case(
        [
            rule(1, "elapsed is null and flag", {day(-5): -2, day(20): None, day(50): -4}),
            rule(2, "starts_on is not null", {day(30): 1}),
            rule(3, "n >= 1 and points is null", {day(-90): -2, day(25): None}),
        ],
        [record(1, 10)],
        [subject("a", flag=True), subject("b", elapsed=1, starts_on=day(3))],
        measures={"n": {"title": "M", "count": "records", "within": WITHIN}},
    ),
    "points that pause and come back are two spans, and points that are said again are one": case(
        [
            rule(1, "amount > 0", {day(0): 4, day(40): None, day(80): 4}),
            rule(2, "amount > 0", {day(-400): 2, day(30): 2, day(60): 1, day(90): 1}),
        ],
        [record(1, -10, amount=Decimal(1)), record(2, 20, amount=Decimal(1))],
    ),
    "a sum of unknown amounts is a group, and places are among those who take part": case(
        BY_GROUP_RULES,
        [
            record(n, happened, owner, kind=kind, amount=None if amount is None else Decimal(amount))
            for n, (owner, kind, amount, happened) in enumerate(
                [("a", "a", None, 0), ("a", "b", 5, 10), ("a", "a", 2, 20), ("b", "a", None, 5),
                 ("b", None, 7, 6), ("c", "b", -3, 15), ("c", "c", None, 15), ("c", "c", None, 60),
                 ("d", "a", 1, 1), ("e", "a", 1, 1), ("f", "a", 1, 40)]
            )
        ],
        [
            subject(key, rule=group, flag=flag)
            for key, group, flag in (
                ("a", "x", True), ("b", "x", False), ("c", "x", True), ("d", "y", True), ("e", None, True),
                ("f", "x", None),
            )
        ],
        measures=BY_GROUP,
    ),
    "a window that a measure begins moves with the measure": case(
        [
            rule(1, "n >= 1", -2, counts={"from": "last_on", "days": 12}),
            rule(2, "kind = 'a' and happened_on >= last_on - interval 15 day", -1, counts=WITHIN, per="n"),
            rule(3, "n >= 2", -4),
        ],
        [record(1, 0, kind="a"), record(2, 10, kind="a"), record(3, 29, kind="b"), record(4, 70, kind="a")],
        measures={
            "last_on": {"title": "M", "latest": "happened_on", "within": WITHIN},
            "n": {"title": "M", "count": "records", "within": WITHIN},
        },
    ),
    "a date that is not known is never before or after the day": case(
        [
            rule(1, "kind = 'a' and stops_on >= as_of", -2, counts=WITHIN),
            rule(2, "kind = 'a' and stops_on < as_of", -1, counts=WITHIN),
            rule(3, "starts_on + interval 1 month <= as_of", 3, dimension="two"),
        ],
        [record(1, 0, kind="a"), record(2, 3, kind="a", stops_on=day(15)), record(3, None, kind="a")],
        [subject("a", starts_on=day(-10)), subject("b")],
    ),
    "hits change places under a cap while the score stays": case(
        [
            rule(1, "kind = 'a'", -3, counts={"days": 20}, cap=-4),
            rule(2, "kind = 'b'", 4, counts=WITHIN, dimension="two"),
        ],
        [record(1, 0, kind="a"), record(2, 0, kind="a"), record(3, 20, kind="a"), record(4, 20, kind="a")]
        + [record(n, n, kind="b") for n in range(5, 8)],
    ),
    "points decay by months counted from the original day": case(
        [
            rule(1, "kind = 'a'", Decimal("-0.1"), counts={"months": 3, "decay": "linear"}),
            rule(2, "days is null", {day(-200): -10, day(70): -20}, counts={"months": 4, "decay": [
                {"after": 1, "keep": Decimal("0.33")}, {"after": 3, "keep": 0}]}),
        ],
        [record(1, 30, kind="a"), record(2, 59, kind="a"), record(3, 0)],
    ),
    "the worst veto holds, and ends": case(
        [rule(1, "days is null", 5, counts=WITHIN)],
        [record(1, 0, kind="a"), record(2, 10, kind="b"), record(3, 12, kind="b")],
        vetoes=[
            veto("w", "kind = 'a'", "B", 30),
            veto("v", "kind = 'b'", "C", 9),
            veto("u", "days is null and kind = 'b'", "C", 5),
        ],
    ),
    "the score's tier is lowered as long as that is worse than what a veto forces": case(
        [
            rule(1, "kind = 'c'", 5, counts={"days": 60}),
            rule(2, "kind = '中文'", -9, counts={"days": 10}, dimension="two"),
        ],
        [
            record(n, happened, kind=kind)
            for n, (happened, kind) in enumerate(
                [(0, "c"), (10, "a"), (20, "b"), (25, "a"), (30, "it's"), (38, "中文"), (65, "b")]
            )
        ],
        vetoes=[
            veto("w", "kind = 'a'", 1, 30),
            veto("u", "kind in ('b', '中文')", 2, 15),
            veto("x", "kind in ('b', '中文')", 2, 40),
            veto("v", "kind = 'it''s'", "B", 20),
            veto("z", "kind = '中文'", "M", 5),
        ],
        grades=[
            {"tier": "A", "from": 3}, {"tier": "M", "from": "veto"}, {"tier": "B", "from": -2},
            {"tier": "C", "from": -1001},
        ],
    ),
    "a veto that asks for points holds while they are as low": case(
        [
            rule(1, "kind = 'a'", -4, counts={"months": 2, "decay": "linear"}),
            rule(2, "kind = 'b'", 4, counts={"days": 20}, dimension="two"),
        ],
        [
            record(n, happened, kind=kind)
            for n, (happened, kind) in enumerate([(0, "a"), (5, "b"), (9, "a"), (15, "c"), (60, "a")])
        ],
        vetoes=[
            {**veto("v", "kind in ('a', 'c')", "C", 50), "below": {"score": -3}},
            {**veto("w", "kind in ('a', 'c')", 1, 90), "below": {"one": -5, "score": Decimal("-0.5")}},
            {"id": "x", "title": "V", "below": {"one": -1}, "tier": "B", "basis": "own-choice"},
            {"id": "y", "title": "V", "below": {"two": Decimal("3.5")}, "lowers": 1, "basis": "own-choice"},
        ],
    ),
    "there is no grade where the pack is not in force": case(
        [rule(1, "days is null", 5, counts={"days": 60}), rule(2, "flag is null", 1)],
        [record(1, -10), record(2, 45)],
        in_force={"from": day(7), "until": day(50)},
    ),
}  # fmt: skip
"""By what they show."""


@st.composite
def grouped(draw: st.DrawFn) -> Case:
    """Groups whose amounts are often unknown, and subjects some of whom are ranked."""
    amounts = st.sampled_from([None, None, Decimal(-3), Decimal(0), Decimal("2.5")])
    flags, groups = st.sampled_from([True, True, False, None]), st.sampled_from(["a", "b", None])
    keys = ["a", "b", "c", "d"]
    size = draw(st.integers(2, 10))
    return case(
        BY_GROUP_RULES,
        [
            record(
                n,
                draw(st.integers(-60, 200)),
                draw(st.sampled_from(keys)),
                kind=draw(st.sampled_from([*CODES[:3], None])),
                amount=draw(amounts),
            )
            for n in range(size)
        ],
        [subject(key, rule=draw(groups), flag=draw(flags)) for key in keys],
        measures=BY_GROUP,
    )
