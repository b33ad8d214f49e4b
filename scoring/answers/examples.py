"""The examples of a pack, graded by the judges that grade the district."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from rules.fault import Fault, PackError, Place
from rules.language.expressions import Kind, Level, Value, names
from rules.language.words import plain
from rules.model import OVER_GROUP, Example, Pack, Table
from rules.plan import rule_names
from rules.titles import Title
from scoring.judging import one
from scoring.judging.engine import grade
from scoring.judging.match import arrow_type
from scoring.judging.period import Period

Row = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What became of one example.

    :param owner: the rule, table or veto that the example stands in; None for one of the whole pack.
    :param expected, got: in words, the same where the example holds.
    :param hits: the rules and table rows that hit, also those that the example does not judge.
    """

    owner: str | None
    example: Example
    expected: Title
    got: Title
    hits: tuple[str, ...]

    @property
    def as_of(self) -> dt.date:
        """The day that the example is about."""
        return self.example.as_of

    @property
    def place(self) -> Place:
        """Where the example stands in the text of the pack."""
        return self.example.place

    @property
    def passed(self) -> bool:
        """Whether the engine gave what the example says."""
        return self.expected == self.got


@dataclass(frozen=True, slots=True)
class _Case:
    """An example, the rules that it judges, and whether its answer depends on other subjects.

    :param decides: whether the owner is a table that gives a value.
    """

    example: Example
    owner: str | None
    judged: frozenset[str]
    among_peers: bool
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a judge gave one subject.

    :param points: by rule that hits, hundredths.
    :param score: hundredths.
    :param values: by table that gives a value: what it gives.
    """

    points: Mapping[str, int]
    score: int
    tier: str
    values: Mapping[str, Value | None] = field(default_factory=dict)


def run_examples(pack: Pack) -> list[ExampleResult]:
    """Grades every example of a pack's rules, tables and vetoes and of the pack itself.

    An example of a rule judges that rule alone (of a table: its rows), whatever else hits; ``tier`` and
    ``score`` are the subject's. Keys that an example does not give are filled in; records keep the order of
    the ids given. An example's subject is by itself: it has no others to be ranked with.

    :return: one result an example, in the order of the pack.
    :raises PackError: where an example holds a number that its column can't.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> results = run_examples(find_pack("tourism-credit", date(2026, 8, 31)))
    >>> results[0].owner, results[0].expected.en, results[0].got.zh
    ('scheme.joined', 'hit, points 2', '适用,分值 2')
    >>> all(result.expected == result.got for result in results)
    True
    """
    judge = _judge(pack)
    return [_result(case, _outcome(pack, judge, case)) for case in _cases(pack)]


def count_examples(pack: Pack) -> int:
    """How many examples a pack has: its own and those of its rules and tables."""
    return sum(1 for _ in _cases(pack))


def outcome_of(pack: Pack, example: Example) -> Outcome:
    """What the judge makes of an example's subject, whatever the example expects; on any day.

    :raises PackError: where it holds a number that its column can't.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> outcome_of(pack, pack.examples[0]).tier == pack.examples[0].tier
    True
    """
    return outcomes_of(pack)(example)


def outcomes_of(pack: Pack) -> Callable[[Example], Outcome]:
    """Says of any example what :func:`outcome_of` does; the pack is made ready once."""
    judge, ranked = _judge(pack), bool(_ranked(pack))
    return lambda example: _outcome(judge.pack, judge, _Case(example, None, frozenset(), ranked))


def _judge(pack: Pack) -> one.Judge:
    whole = replace(pack, in_force_from=dt.date.min, in_force_until=None)
    return one.Judge(whole, shown=[m.id for m in pack.measures if m.decision])


def _cases(pack: Pack) -> Iterator[_Case]:
    rows: dict[str, set[str]] = {}
    for rule in pack.rules:
        rows.setdefault(rule.table or rule.id, set()).add(rule.id)
    ranked = _ranked(pack)
    for rule in pack.rules:
        owner = rule.table or rule.id
        judged = frozenset(rows[owner])
        for example in rule.examples:
            whole = example.tier is not None or example.score is not None
            yield _Case(example, owner, judged, bool(ranked if whole else _reads(pack, judged) & ranked))
    for measure in pack.measures:
        for example in measure.decision.examples if measure.decision else ():
            yield _Case(example, measure.id, frozenset(), measure.id in ranked, decides=True)
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


def _outcome(pack: Pack, judge: one.Judge, case: _Case) -> Outcome:
    subject, records = _rows(pack, case.example)
    if case.among_peers:
        return _graded(pack, case.example.as_of, subject, records)
    timeline = judge.judge(subject, records, Period.of(case.example.as_of))
    grade_on_day = timeline.on(case.example.as_of)
    assert grade_on_day is not None
    points: Counter[str] = Counter()
    for hit in timeline.hits(case.example.as_of):
        points[hit.rule.id] += hit.points
    values = judge.values(subject, records, case.example.as_of) if case.decides else {}
    return Outcome(points, grade_on_day.score, grade_on_day.tier, values)


def _rows(pack: Pack, example: Example) -> tuple[Row, list[Row]]:
    """The subject and its records with the keys that the example leaves out, records in the order of theirs.

    :raises PackError: where a number is more than its column can hold.
    """
    vocabulary = pack.vocabulary
    subject = {vocabulary.subject.key: _key(vocabulary.subject, 0), **example.subject}
    rows: list[Row] = [subject]
    if vocabulary.records is not None:
        table = vocabulary.records
        for position, row in enumerate(sorted(example.records, key=lambda row: _order(table, row))):
            own = {
                table.key: _key(table, position),
                vocabulary.record_subject: subject[vocabulary.subject.key],
            }
            rows.append({**row, **own})
            _require_fit(pack, table, row)
    _require_fit(pack, vocabulary.subject, subject)
    return rows[0], rows[1:]


def _key(table: Table, position: int) -> Value:
    return f"{position:06}" if table.columns[table.key].type.kind is Kind.TEXT else position


def _order(table: Table, row: Row) -> tuple[bool, int, str]:
    """By the key that is given, the others behind."""
    key = row.get(table.key)
    return key is None, key if isinstance(key, int) else 0, str(key)


def _require_fit(pack: Pack, table: Table, row: Row) -> None:
    for name, value in row.items():
        kind = table.columns[name].type
        if kind.kind is Kind.NUMBER and value is not None and not kind.holds(value):
            message = f"an example holds a value that its column can't: {name}: {value}"
            hint = "at most 18 digits, or 14 before the point and 4 after"
            raise PackError([Fault(pack.place, "examples", "", message, hint)])


def _graded(pack: Pack, day: dt.date, subject: Row, records: Sequence[Row]) -> Outcome:
    """By the judge of many, which ranks."""
    vocabulary = pack.vocabulary
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, table, rows in (
            ("subjects", vocabulary.subject, [subject]),
            ("records", vocabulary.records, records),
        ):
            if table is not None:
                connection.register(name, _arrow(table, rows))
        own = "records" if vocabulary.records else None
        grade(connection, pack, day, records=own, ahead=False, measured=True)
        found = connection.execute(
            "select rule, cast(sum(points) as bigint) from hits group by rule"
        ).fetchall()
        [(score, tier)] = connection.execute("select score, tier from scores").fetchall()
        [values] = connection.sql("from measures").to_arrow_table().to_pylist()
    return Outcome(dict(found), score, tier, values)


def _arrow(table: Table, rows: Sequence[Row]) -> pa.Table:
    columns = {name: arrow_type(column.type) for name, column in table.columns.items()}
    return pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema(columns))


def _result(case: _Case, outcome: Outcome) -> ExampleResult:
    example = case.example
    judged = case.judged & outcome.points.keys()
    total = sum(outcome.points[rule] for rule in judged)
    compared: list[tuple[Any, Any, Callable[[Any], Title]]] = [
        (example.hit, bool(judged), lambda hit: _HIT if hit else _NO_HIT),
        (example.points, total, lambda value: Title(f"分值 {_points(value)}", f"points {_points(value)}")),
        (
            example.score,
            outcome.score,
            lambda value: Title(f"得分 {_points(value)}", f"score {_points(value)}"),
        ),
        (example.tier, outcome.tier, lambda tier: Title(f"等级 {tier}", f"tier {tier}")),
    ]
    asked = [(wanted, got, show) for wanted, got, show in compared if wanted is not None]
    if case.decides:
        asked = [(example.value, outcome.values.get(case.owner or ""), _shown)]
    return ExampleResult(
        owner=case.owner,
        example=example,
        expected=_joined(show(wanted) for wanted, _, show in asked),
        got=_joined(show(got) for _, got, show in asked),
        hits=tuple(sorted(outcome.points)),
    )


_HIT, _NO_HIT = Title("适用", "hit"), Title("不适用", "no hit")


def _joined(told: Iterable[Title]) -> Title:
    titles = list(told)
    return Title(",".join(title.zh for title in titles), ", ".join(title.en for title in titles))


def _shown(value: Value | None) -> Title:
    return _NO_ROW if value is None else Title(f"取值 {plain(value)}", f"value {plain(value)}")


_NO_ROW = Title("无匹配的行", "no row")


def _points(hundredths: int) -> str:
    return format(Decimal(hundredths).scaleb(-2).normalize(), "f")
