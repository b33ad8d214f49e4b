"""Paths to a better tier are all that there are, the smallest, and on the right day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

import pytest
import reference
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from strategies import (
    RECORD_COLUMNS,
    RECORD_KEY,
    SUBJECT_COLUMNS,
    Case,
    Data,
    Names,
    conditions,
    packs,
    row,
    to_yaml,
    values,
    vocabulary,
)
from test_differential import EXAMPLES, load, thorough
from test_timeline import group_lines
from timeline_cases import FIRST, case, day, record, rule, subject, veto

from rules.fault import PackError
from rules.model import Pack
from scoring.answers.paths import Found, held, search, steps_for, varied
from scoring.answers.paths import _above as tier_above
from scoring.answers.timelines import Facts
from scoring.judging import one
from scoring.judging.period import Period
from scoring.runs.terms import Piece, piece_on

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


def remedied(records: list[Data], rules: Sequence[Data] = RULES, remedies: Sequence[Data] = REMEDIES) -> Case:
    """A case of the pack above."""
    lasting = [veto("v", "kind = 'b' and note = 'a'", "C", 30)]
    dimensions = [{"id": "one", "title": "1", "floor": -9}]
    return case(
        rules, records, (subject("a"),), measures=MEASURES, vetoes=lasting, grades=GRADES,
        dimensions=dimensions, remedies=list(remedies),
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


def found(
    pack: Pack,
    case: Case,
    target: str,
    terms: Sequence[Piece] = (),
    most: int = 1_000,
    days: int | None = None,
) -> Found:
    """What the product finds."""
    facts = facts_of(case)
    terms = terms or [Piece(pack.in_force_from, pack.in_force_until, pack)]
    steps = list(steps_for(terms, facts, FIRST))
    until = None if days is None else day(days)
    judges = []
    for term in terms:
        own = term.within(Period(FIRST, until))
        if own is not None:
            group = group_lines(term.pack, own, case.subjects, case.records) if own.until else {}
            lines = group.get("a", {})
            judges.append((term.pack, one.Varied(one.Judge(term.pack), facts.attributes, own, lines)))
    return search(varied(judges, facts, steps), steps, FIRST, target, most)


def facts_of(case: Case) -> Facts:
    records = {str(row[RECORD_KEY]): row for row in case.records}
    return Facts("a", dt.datetime(2024, 1, 1, tzinfo=dt.UTC), case.subjects[0], records)


Set = frozenset[tuple[str, str]]
"""Records, each with the remedy that is done for it."""


def as_sets(found: Found, days: int = LENGTH) -> Mapping[Set, dt.date]:
    """Paths that reach the tier within days."""
    return {
        frozenset((step.record_id, step.remedy.id) for step in path.steps): path.reached_on
        for path in found.paths
        if path.reached_on < day(days)
    }


def by_trying_everything(terms: Sequence[Piece], case: Case, target: str, days: int) -> Mapping[Set, dt.date]:
    """Every set of steps without a part that reaches the tier as early, by the reference, day after day."""
    rows = {str(row[RECORD_KEY]): row for row in case.records}
    open_from: dict[tuple[str, str], dt.date] = {}
    changes: dict[tuple[str, str], Mapping[str, Any]] = {}
    for number in range(days):
        term = piece_on(terms, day(number))
        for (name, known_row), remedy in product(rows.items(), term.pack.remedies if term else ()):
            known = reference.exact_row({**known_row, **case.subjects[0]})
            after = reference.value(remedy.after, known, FIRST) if remedy.after else FIRST
            is_for = reference.value(remedy.when, known, FIRST) is True and after is not None
            if is_for and after <= day(number) and any(known_row[n] != v for n, v in remedy.changes.items()):
                open_from.setdefault((name, remedy.id), day(number))
                changes.setdefault((name, remedy.id), remedy.changes)
    reached: dict[Set, dt.date] = {}
    for size in range(len(open_from) + 1):
        for done in combinations(open_from, size):
            if len({name for name, _ in done}) == size:
                better = {name: {**rows[name], **changes[name, remedy]} for name, remedy in done}
                first = max((open_from[step] for step in done), default=FIRST)
                on = first_day(terms, case, [*{**rows, **better}.values()], target, first, days)
                if on is not None:
                    reached[frozenset(done)] = on
    return {
        done: on
        for done, on in reached.items()
        if not any(part < done and early <= on for part, early in reached.items())
    }


def first_day(
    terms: Sequence[Piece], case: Case, records: list[Data], target: str, on: dt.date, days: int
) -> dt.date | None:
    """The first day from one on, of so many, on which the tier is had."""
    while on < day(days):
        term = piece_on(terms, on)
        if term is not None:
            tier = reference.grade(term.pack, on, case.subjects, records)["a"].tier
            if term.pack.tiers.index(tier) <= term.pack.tiers.index(target):
                return on
        on += dt.timedelta(1)
    return None


def the_pack(pack: Pack) -> list[Piece]:
    return [Piece(pack.in_force_from, pack.in_force_until, pack)]


@settings(thorough, max_examples=EXAMPLES // 8)
@given(case=cases(), target=st.sampled_from(["A", "B"]))
def test_the_paths_are_those_that_trying_everything_finds(case: Case, target: str) -> None:
    pack = load(case)
    answer = found(pack, case, target)
    assert answer.complete
    assert as_sets(answer) == by_trying_everything(the_pack(pack), case, target, LENGTH)


@settings(thorough, max_examples=EXAMPLES // 8)
@given(case=cases(), target=st.sampled_from(["A", "B"]), begins=st.integers(0, 50), gap=st.integers(0, 3))
def test_days_and_steps_are_those_of_the_version_in_force_then(
    case: Case, target: str, begins: int, gap: int
) -> None:
    later = [
        {**REMEDIES[0], "after": "happened_on + interval 20 day"},
        {**REMEDIES[1], "id": "promise", "when": "kind in ('a', 'b')", "changes": {"kind": "c", "note": "x"}},
    ]
    rules = [*RULES[:2], rule(3, "bad >= 1", -3), rule(5, "note = 'x'", 2)]
    first, second = load(case), load(remedied(case.records, rules, later))
    terms = [
        Piece(first.in_force_from, day(begins), first),
        Piece(day(begins + gap), None, second),
    ]
    answer = found(first, case, target, terms)
    assert as_sets(answer) == by_trying_everything(terms, case, target, LENGTH)


OTHERS = {name: kind for name, kind in RECORD_COLUMNS.items() if name != "happened_on"}


@st.composite
def any_packs(draw: st.DrawFn) -> Case:
    """A random pack, with remedies that change any columns, and a subject with few records."""
    people = vocabulary("subject_id", "text", "owner")
    data = draw(packs(people))
    own = st.just("true") | conditions(Names(RECORD_COLUMNS), timed=False)
    after = st.none() | st.sampled_from(["happened_on", "happened_on + interval 1 month", "stops_on"])
    remedies = []
    for number in range(draw(st.integers(1, 2))):
        changed = draw(st.sets(st.sampled_from(["kind", "amount", "days", "tier"]), min_size=1, max_size=2))
        remedies.append(
            {
                "id": f"x{number}",
                "title": "X",
                "when": f"record_id is not null and ({draw(own)})",
                "changes": {name: draw(values(RECORD_COLUMNS[name], name)) for name in sorted(changed)},
                "basis": "own-choice",
            }
        )
        begins = draw(after)
        if begins:
            remedies[-1]["after"] = begins
    data |= {"remedies": remedies, "in_force": {"from": dt.date(2000, 1, 1)}}
    records = [
        {**record(n, draw(st.integers(-60, 5))), **draw(row(OTHERS))} for n in range(draw(st.integers(1, 2)))
    ]
    return Case(to_yaml(data), FIRST, [{"subject_id": "a", **draw(row(SUBJECT_COLUMNS))}], records)


@settings(thorough, max_examples=EXAMPLES // 10)
@given(case=any_packs())
def test_paths_are_those_that_trying_everything_finds_whatever_the_pack(case: Case) -> None:
    pack, days = load(case), 25
    steps = list(steps_for(the_pack(pack), facts_of(case), FIRST))
    assume(not held(the_pack(pack), steps))
    for target in pack.tiers[:-1]:
        answer = found(pack, case, target, days=days)
        assert answer.complete
        wanted = by_trying_everything(the_pack(pack), case, target, days)
        assert as_sets(answer, days) == wanted
        event(f"paths: {len(wanted)}, longest: {max(map(len, wanted), default=None)}")


def many(count: int) -> Case:
    """A subject that reaches the best tier once all records but one are bettered, and not by waiting."""
    rules = [rule(1, "kind = 'b'", -3, cap=-3 * count)]
    remedy = {**REMEDIES[1], "changes": {"kind": "c"}}
    grades = [{"tier": "A", "from": -3}, {"tier": "B", "from": -1000}]
    return case([*rules], [record(n, -1, kind="b") for n in range(count)], grades=grades, remedies=[remedy])


@pytest.mark.parametrize("count", [6, 40])
def test_a_path_of_many_steps_is_found_and_said_to_be_no_more_than_that(count: int) -> None:
    data = many(count)
    answer = found(load(data), data, "A", most=300)
    assert (answer.complete, answer.nearest) == (count == 6, None)
    assert {(len(path.steps), path.reached_on) for path in answer.paths} == {(count - 1, FIRST)}
    assert answer.tried <= 300
    assert answer.tried_to == (6 if count == 6 else 1)


def test_why_a_tier_is_out_of_reach_is_said_by_the_nearest_grade() -> None:
    rules = [rule(1, "kind = 'b'", -3), rule(2, "kind in ('a', '中文')", -4)]
    grades = [{"tier": "A", "from": -3}, {"tier": "B", "from": -5}, {"tier": "C", "from": -1000}]
    records = [record(1, -1, kind="b"), record(2, -1, kind="a"), record(3, -1, kind="中文")]
    data = case(rules, records, grades=grades, remedies=REMEDIES)
    answer = found(load(data), data, "A")
    assert (answer.paths, answer.complete) == ((), True)
    near = answer.nearest
    assert near is not None
    assert {step.record_id for step in near.steps} == {"r1", "r2"}
    assert (near.on, near.score, near.tier, near.veto, near.lowest) == (day(30), -400, "B", None, -300)


def test_a_veto_that_no_step_takes_away_is_named() -> None:
    held_for_ever = {**veto("v", "note = 'a'", "C", 30), "counts": {"from": "happened_on"}}
    data = case(
        RULES[:1],
        [record(1, -1, kind="b", note="a")],
        vetoes=[held_for_ever],
        grades=GRADES,
        remedies=REMEDIES,
    )
    near = found(load(data), data, "A").nearest
    assert near is not None
    assert near.veto is not None
    assert (near.veto.id, near.tier, near.on, near.steps) == ("v", "C", FIRST, ())


def test_to_wait_is_a_path_where_that_is_enough_and_no_record_is_needed() -> None:
    data = remedied([record(1, -10, kind="b")])
    paths = found(load(data), data, "A").paths
    assert [(len(path.steps), path.reached_on) for path in paths] == [(1, FIRST), (0, day(35))]
    nothing = remedied([])
    answer = found(load(nothing), nothing, "A")
    assert [(path.steps, path.reached_on) for path in answer.paths] == [((), FIRST)]


def test_a_place_that_a_step_may_move_is_named() -> None:
    measures = {
        **MEASURES,
        "place": {"title": "P", "rank": "bad"},
        "others": {"title": "O", "peers": "place"},
        "elsewhere": {"title": "E", "rank": "calm"},
        "calm": {"title": "C", "count": "records", "where": "note = 'calm'"},
    }
    measures = dict(sorted(measures.items(), key=lambda entry: entry[0] in ("elsewhere", "others")))
    rules = [rule(1, "place <= 3", 2), rule(2, "others > 1 and elsewhere = 1", 1)]
    data = case(rules, [record(1, -1, kind="b")], measures=measures, grades=GRADES, remedies=REMEDIES)
    pack = load(data)
    steps = list(steps_for(the_pack(pack), facts_of(data), FIRST))
    assert [measure.id for measure in held(the_pack(pack), steps)] == ["place", "others"]
    assert held(the_pack(pack), []) == ()


@pytest.mark.parametrize(("count", "changing"), [(1, 1), (4, 2), (30, 5)])
def test_a_subject_that_is_judged_again_is_graded_as_if_it_were_judged_anew(
    count: int, changing: int
) -> None:
    rules = [*RULES, rule(5, "kind = 'b' and bad >= 2", -1, per="bad")]
    data = case(
        rules,
        [record(n, -2 * n, kind="ab"[n % 2]) for n in range(count)],
        measures=MEASURES,
        grades=GRADES,
        remedies=REMEDIES,
    )
    judge, facts = one.Judge(load(data)), facts_of(data)
    again = one.Varied(judge, facts.attributes, Period(FIRST))
    rows = list(facts.records.values())
    better = [{**row, "kind": "c"} for row in rows[:changing]]
    for records in (rows, [*better, *rows[changing:]], rows, [*rows[:-1], better[0]], better):
        anew = judge.judge(facts.attributes, records, Period(FIRST)).segments
        assert again.segments(records) == anew


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
    paths = found(load(data), data, "A").paths
    assert ([step.record_id for step in paths[0].steps], paths[0].reached_on) == (["r1", "r2"], day(21))


def test_who_aims_higher_aims_at_a_tier_that_scores_reach() -> None:
    grades = [
        {"tier": "N", "from": "veto"},
        {"tier": "A", "from": 0},
        {"tier": "M", "from": "veto"},
        {"tier": "C", "from": -1000},
    ]
    pack = load(case([rule("r", "true", 1)], [], (subject("a"),), grades=grades))
    assert [tier_above(pack, tier) for tier in "CMA"] == ["A", "A", None]
