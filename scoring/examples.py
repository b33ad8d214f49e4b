"""The examples of a pack, graded by the engine that grades the district."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from rules.expressions import Kind, Level, Value, names
from rules.model import OVER_GROUP, Example, Pack, Table
from rules.plan import rule_names
from rules.problems import PackError, Place, Problem
from scoring.engine import grade
from scoring.sql import quoted, sql_type

Row = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What became of one example.

    :param owner: the rule, table or veto that the example stands in; None for one of the whole pack.
    :param expected, got: in words, the same where the example holds.
    :param hits: the rules and table rows that hit, and that the example judges.
    """

    owner: str | None
    as_of: dt.date
    expected: str
    got: str
    hits: tuple[str, ...]
    place: Place

    @property
    def passed(self) -> bool:
        """Whether the engine gave what the example says."""
        return self.expected == self.got


@dataclass(frozen=True, slots=True)
class _Case:
    example: Example
    owner: str | None
    judged: frozenset[str]
    alone: bool

    @property
    def whole(self) -> bool:
        """Whether the answer depends on the other rules too."""
        return self.owner is None or self.example.tier is not None or self.example.score is not None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the engine gave one subject: hundredths by rule, the score and the tier."""

    points: Mapping[str, int]
    score: int
    tier: str


def run_examples(pack: Pack) -> list[ExampleResult]:
    """Grades every example of a pack's rules, tables and vetoes and of the pack itself.

    An example of a rule judges that rule alone (of a table: its rows), whatever else hits; ``tier`` and
    ``score`` are the subject's. Keys that an example does not give are filled in; records keep the order of
    the ids given. Examples of one day are graded together, save those whose answer depends on the other
    subjects (a rank).

    :return: one result an example, in the order of the pack.
    :raises PackError: where an example holds a number that its column can't.
    """
    cases = list(_cases(pack))
    outcomes: dict[int, _Outcome] = {}
    with duckdb.connect() as connection:
        for batch in _batches(pack, cases):
            outcomes |= _graded(connection, pack, cases, batch)
    return [_result(case, outcomes[number]) for number, case in enumerate(cases)]


def _cases(pack: Pack) -> Iterator[_Case]:
    rows: dict[str, set[str]] = {}
    for rule in pack.rules:
        rows.setdefault(rule.table or rule.id, set()).add(rule.id)
    ranked = _ranked(pack)
    for rule in pack.rules:
        owner = rule.table or rule.id
        judged = frozenset(rows[owner])
        alone = _reads(pack, judged) & ranked if rule.tier is None else ranked
        yield from (_Case(example, owner, judged, bool(alone)) for example in rule.examples)
    everything = frozenset(rule.id for rule in pack.rules)
    yield from (_Case(example, None, everything, bool(ranked)) for example in pack.examples)


def _ranked(pack: Pack) -> set[str]:
    """The measures that depend on other subjects, themselves or through what they are made of."""
    ranked: set[str] = set()
    for measure in pack.measures:
        read = {*measure.parts, *(n.name for n in names(measure.where.written))}
        if measure.aggregate in OVER_GROUP or read & ranked:
            ranked.add(measure.id)
    return ranked


def _reads(pack: Pack, rules: Iterable[str]) -> set[str]:
    return {n.name for rule in rules for n in rule_names(pack.rule(rule)) if n.level is Level.MEASURE}


def _batches(pack: Pack, cases: Sequence[_Case]) -> Iterator[list[int]]:
    """Numbers of cases that can be graded together: of one day, each with a subject key of its own."""
    open_batches: dict[tuple[dt.date, bool], list[tuple[set[Value], list[int]]]] = {}
    for number, case in enumerate(cases):
        if case.alone:
            yield [number]
            continue
        key = case.example.subject.get(pack.vocabulary.subject.key)
        batches = open_batches.setdefault((case.example.as_of, case.whole), [])
        fitting = next((batch for batch in batches if key is None or key not in batch[0]), None)
        if fitting is None:
            batches.append(fitting := (set(), []))
        fitting[1].append(number)
        if key is not None:
            fitting[0].add(key)
    yield from (numbers for batches in open_batches.values() for _, numbers in batches)


def _graded(
    connection: duckdb.DuckDBPyConnection, pack: Pack, cases: Sequence[_Case], batch: Sequence[int]
) -> dict[int, _Outcome]:
    vocabulary = pack.vocabulary
    keys = _keys(pack, cases, batch)
    subjects: list[Row] = [{**cases[n].example.subject, vocabulary.subject.key: keys[n]} for n in batch]
    _fill(connection, pack, "subjects", vocabulary.subject, subjects)
    if vocabulary.records:
        records = [row for n in batch for row in _records(pack, cases[n].example, keys[n], n)]
        _fill(connection, pack, "records", vocabulary.records, records)
    judging = pack if any(cases[n].whole for n in batch) else _reduced(pack, (cases[n].judged for n in batch))
    day = cases[batch[0]].example.as_of
    grade(connection, judging, day, records="records" if vocabulary.records else None, ahead=False)
    return _outcomes(connection, {key: number for number, key in keys.items()})


def _reduced(pack: Pack, judged: Iterable[frozenset[str]]) -> Pack:
    """The pack with the rules judged alone: what the others give is not looked at."""
    wanted = frozenset[str]().union(*judged)
    return replace(pack, rules=tuple(rule for rule in pack.rules if rule.id in wanted))


def _keys(pack: Pack, cases: Sequence[_Case], batch: Sequence[int]) -> dict[int, Value]:
    """The subject's key of every case: the one given, or one that none gives."""
    table = pack.vocabulary.subject
    given = {n: key for n in batch if (key := cases[n].example.subject.get(table.key)) is not None}
    if table.columns[table.key].type.kind is Kind.TEXT:
        return {n: given.get(n, f"example {n}") for n in batch}
    free = max((int(str(key)) for key in given.values()), default=0) + 1
    return {n: given.get(n, free + n) for n in batch}


def _records(pack: Pack, example: Example, subject: Value, number: int) -> Iterator[Row]:
    """An example's records with ids that no other example has, in the order of the ids given."""
    table = pack.vocabulary.records
    if table is None:
        raise AssertionError("asked only where there are records")
    textual = table.columns[table.key].type.kind is Kind.TEXT
    link = pack.vocabulary.record_subject
    ordered = sorted(example.records, key=lambda row: (row.get(table.key) is None, str(row.get(table.key))))
    if not textual:
        ordered = sorted(example.records, key=lambda row: int(str(row.get(table.key) or 10**18)))
    for position, row in enumerate(ordered):
        key = f"{number:06}-{position:06}" if textual else number * 1_000_000 + position
        yield {**row, table.key: key, link: subject}


def _fill(
    connection: duckdb.DuckDBPyConnection, pack: Pack, name: str, table: Table, rows: Sequence[Row]
) -> None:
    """A typed table of the rows; values go in as text and are cast: one form for every type."""
    columns = {n: pa.array([_text(row.get(n)) for row in rows], pa.string()) for n in table.columns}
    typed = ", ".join(
        f"cast({quoted(n)} as {sql_type(c.type)}) as {quoted(n)}" for n, c in table.columns.items()
    )
    connection.register("example_rows", pa.table(columns))
    try:
        connection.execute(f"create or replace temp table {name} as select {typed} from example_rows")
    except duckdb.ConversionException as error:
        message = f"an example holds a value that its column can't: {str(error).splitlines()[0]}"
        hint = "at most 18 digits, or 14 before the point and 4 after"
        raise PackError([Problem(pack.place, "examples", "", message, hint)]) from None
    finally:
        connection.unregister("example_rows")


def _text(value: Value | None) -> str | None:
    if isinstance(value, Decimal):
        return format(value, "f")
    return None if value is None else str(value)


def _outcomes(connection: duckdb.DuckDBPyConnection, numbers: Mapping[Value, int]) -> dict[int, _Outcome]:
    points: dict[int, dict[str, int]] = {number: {} for number in numbers.values()}
    for key, rule, total in connection.execute(
        "select subject_id, rule, cast(sum(points) as bigint) from hits group by all"
    ).fetchall():
        points[numbers[key]][rule] = total
    scores = connection.execute("select subject_id, score, tier from scores").fetchall()
    return {numbers[key]: _Outcome(points[numbers[key]], score, tier) for key, score, tier in scores}


def _result(case: _Case, outcome: _Outcome) -> ExampleResult:
    example = case.example
    hits = tuple(sorted(rule for rule in outcome.points if rule in case.judged))
    total = sum(outcome.points[rule] for rule in hits)
    compared: list[tuple[Any, Any, Callable[[Any], str]]] = [
        (example.hit, bool(hits), lambda hit: "hit" if hit else "no hit"),
        (example.points, total, lambda value: f"points {_points(value)}"),
        (example.score, outcome.score, lambda value: f"score {_points(value)}"),
        (example.tier, outcome.tier, lambda tier: f"tier {tier}"),
    ]
    asked = [(wanted, got, show) for wanted, got, show in compared if wanted is not None]
    return ExampleResult(
        owner=case.owner,
        as_of=example.as_of,
        expected=", ".join(show(wanted) for wanted, _, show in asked),
        got=", ".join(show(got) for _, got, show in asked),
        hits=hits,
        place=example.place,
    )


def _points(hundredths: int) -> str:
    return format(Decimal(hundredths).scaleb(-2).normalize(), "f")
