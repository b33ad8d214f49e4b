"""Paths to a better tier are all that there are, the smallest, and on the right day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import RECORD_KEY, Case, Data
from test_differential import EXAMPLES, load, thorough
from timeline_cases import FIRST, case, day, record, rule, subject, veto

from rules.model import Pack
from rules.problems import PackError
from scoring.answers.paths import Path, Step, changed, search, steps_for
from scoring.answers.timelines import Facts, Ruled
from scoring.judging import one
from scoring.judging.period import Period

LENGTH = 60
REMEDIES = [
    {
        "id": "repair",
        "title": "Repair",
        "when": "kind = 'a'",
        "after": "happened_on + interval 1 month",
        "changes": {"kind": "c"},
        "basis": "own-choice",
    },
    {"id": "report", "title": "Report", "when": "kind = 'b'", "changes": {"kind": "c", "amount": 0}}
    | {"needs": ["a form"], "basis": "own-choice"},
]
RULES = [
    rule(1, "kind = 'a'", -4, cap=-6, counts={"days": 70, "from": "happened_on"}),
    rule(2, "kind = 'b'", -3, counts={"days": 45, "from": "happened_on"}),
    rule(3, "bad >= 2", -2),
    rule(4, "kind = 'c'", 1, cap=2, counts={"days": 50, "from": "happened_on"}),
]
MEASURES = {
    "bad": {
        "title": "B",
        "count": "records",
        "where": "kind in ('a', 'b')",
        "within": {"days": 60, "from": "happened_on"},
    }
}
GRADES = [{"tier": "A", "from": 0}, {"tier": "B", "from": -5}, {"tier": "C", "from": -1000}]


def remedied(records: list[Data]) -> Case:
    """A case of the pack above."""
    held = [veto("v", "kind = 'b' and note = 'a'", "C", 30)]
    dimensions = [{"id": "one", "title": "1", "floor": -9}]
    return case(
        RULES, records, (subject("a"),), measures=MEASURES, vetoes=held, grades=GRADES,
        dimensions=dimensions, remedies=REMEDIES,
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to three records, of which some can be bettered."""
    records = [
        record(
            n,
            draw(st.none() | st.integers(-60, 0)),
            kind=draw(st.sampled_from(["a", "b", "c"])),
            note=draw(st.sampled_from([None, "a"])),
        )
        for n in range(draw(st.integers(1, 3)))
    ]
    return remedied(records)


def found(pack: Pack, case: Case, target: str) -> tuple[Path, ...]:
    """What the product finds."""
    judge, facts = one.Judge(pack), facts_of(case)
    steps = list(steps_for(pack, facts, FIRST))

    def variant(done: Collection[Step]) -> list[Ruled]:
        better = changed(facts, done)
        timeline = judge.judge(better.attributes, list(better.records.values()), Period(FIRST))
        return [Ruled(pack, timeline)]

    paths, _, untried = search(variant, steps, FIRST, target)
    assert untried == 0
    return paths


def facts_of(case: Case) -> Facts:
    records = {str(row[RECORD_KEY]): row for row in case.records}
    return Facts("a", dt.datetime(2024, 1, 1, tzinfo=dt.UTC), case.subjects[0], records)


def by_trying_everything(pack: Pack, case: Case, target: str) -> Mapping[frozenset[str], dt.date]:
    """Every set of records' remedies without a part that reaches the tier as early, by the reference."""
    allowed: dict[str, dt.date] = {}
    for row in case.records:
        if row["kind"] == "a" and row["happened_on"] is not None:
            allowed[row[RECORD_KEY]] = max(FIRST, reference.add_months(row["happened_on"], 1))
        elif row["kind"] == "b":
            allowed[row[RECORD_KEY]] = FIRST
    reached: dict[frozenset[str], dt.date] = {}
    for size in range(len(allowed) + 1):
        for done in map(frozenset, combinations(allowed, size)):
            records = [
                {**row, **({"kind": "c"} if row["kind"] == "a" else {"kind": "c", "amount": 0})}
                if row[RECORD_KEY] in done
                else row
                for row in case.records
            ]
            on = max((allowed[name] for name in done), default=FIRST)
            while (on - FIRST).days < LENGTH:
                tier = reference.grade(pack, on, case.subjects, records)["a"].tier
                if pack.tiers.index(tier) <= pack.tiers.index(target):
                    reached[done] = on
                    break
                on += dt.timedelta(1)
    return {
        done: on
        for done, on in reached.items()
        if not any(part < done and early <= on for part, early in reached.items())
    }


@settings(thorough, max_examples=EXAMPLES // 8)
@given(case=cases(), target=st.sampled_from(["A", "B"]))
def test_the_paths_are_those_that_trying_everything_finds(case: Case, target: str) -> None:
    pack = load(case)
    near = {
        frozenset(step.record_id for step in path.steps): path.reached_on
        for path in found(pack, case, target)
        if (path.reached_on - FIRST).days < LENGTH
    }
    assert near == by_trying_everything(pack, case, target)


def test_what_is_too_much_to_try_is_said() -> None:
    data = remedied([record(n, -1, kind="b") for n in range(12)])
    pack, facts = load(data), facts_of(data)
    timeline = one.Judge(pack).judge(facts.attributes, list(facts.records.values()), Period(FIRST))
    paths, tried, untried = search(
        lambda done: [Ruled(pack, timeline)], list(steps_for(pack, facts, FIRST)), FIRST, "A", most=20
    )
    assert (len(paths), tried) == (1, 20)
    assert untried > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"changes": {"kind": 3}}, "not a value of kind"),
        ({"changes": {"nothing": "a"}}, "no such column"),
        ({"changes": {RECORD_KEY: "r9"}}, "no remedy changes"),
        ({"after": "days"}, "not a date of the record"),
        ({"after": "as_of"}, "not a date of the record"),
        ({"when": "bad >= 2"}, "not a condition on a record"),
        ({"when": "flag"}, "not a condition on a record"),
        ({"when": "happened_on < as_of"}, "not a condition on a record"),
        ({"basis": "unheard-of"}, "the pack has no such basis"),
    ],
)
def test_a_remedy_that_means_nothing_is_refused(change: Data, said: str) -> None:
    wrong: list[dict[str, Any]] = [{**REMEDIES[0], **change}]
    with pytest.raises(PackError, match=said):
        load(case(RULES, [], measures=MEASURES, grades=GRADES, remedies=wrong))


def test_the_day_is_that_on_which_the_last_step_may_be_done() -> None:
    data = remedied([record(1, -10, kind="a"), record(2, -10, kind="b")])
    paths = found(load(data), data, "A")
    assert ([step.record_id for step in paths[0].steps], paths[0].reached_on) == (["r1", "r2"], day(21))
