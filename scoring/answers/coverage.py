"""Which rules and table rows the examples, and a population, ever reach."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from rules.fault import Place
from rules.language.decision_tables import first_only, none_of
from rules.language.expressions import Expression, Level, conjunction
from rules.language.words import other_rows, row_title
from rules.model import Dated, Decision, Measure, Pack, Rule, Title, When
from rules.plan import used_measures
from scoring.answers.examples import ExampleResult, run_examples
from scoring.judging.engine import grade_coded


@dataclass(frozen=True, slots=True)
class Covered:
    """How often one rule, table row or veto is reached.

    A row of a table that gives a value is reached where it makes the value, and judged by the examples of its
    table, of the pack, and of whatever reads the table.

    :param hit_by: how many examples that judge it make it hit.
    :param passed_by: how many examples that judge it do not.
    :param subjects, hits: in the population; None where none was looked at.
    """

    rule: str
    title: Title
    hit_by: int
    passed_by: int
    subjects: int | None
    hits: int | None
    place: Place

    @property
    def missing(self) -> tuple[str, ...]:
        """What never reaches it: ``examples``, ``population``."""
        lacks = (("examples", self.hit_by == 0), ("population", self.hits == 0))
        return tuple(name for name, lacking in lacks if lacking)


def coverage(
    pack: Pack, connection: duckdb.DuckDBPyConnection | None = None, as_of: dt.date | None = None
) -> list[Covered]:
    """How often each rule of a pack is reached, in the order of the pack.

    :param connection: holds the coded tables of a population; None to look at the examples alone.
    :param as_of: the day on which the population is graded; needed with ``connection``.
    :raises PackError: where an example holds a value that its column can't.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> first = coverage(find_pack("tourism-credit", date(2026, 8, 31)))[0]
    >>> first.rule, first.hit_by, first.passed_by
    ('scheme.joined', 3, 5)
    """
    rows = tuple(_value_rows(pack))
    whole = replace(pack, rules=(*pack.rules, *rows))
    results = run_examples(whole)
    population = _population(whole, connection, as_of) if connection is not None and as_of else None
    readers = {row.table: _owners_reading(pack, row.table) for row in rows if row.table}
    return [
        _covered(rule, readers.get(rule.table or rule.id, frozenset()), results, population)
        for rule in whole.rules
    ]


def _value_rows(pack: Pack) -> Iterator[Rule]:
    """The rows of tables that give a value, as rules that give nothing."""
    for table in pack.measures:
        for suffix, title, condition in _rows(pack, table):
            met = conjunction((table.where.condition, condition))
            yield Rule(
                id=f"{table.id}.{suffix}",
                title=title,
                level=Level.SUBJECT,
                dimension=None,
                when=When(met, met),
                points=Dated(((dt.date.min, 0),)),
                per=None,
                window=None,
                cap=None,
                tier=None,
                table=table.id,
                consequence=True,
                citations=(),
                place=table.place,
            )


def _rows(pack: Pack, table: Measure) -> Iterator[tuple[str, Title, Expression]]:
    """Number, title and condition of each row of a table: when it is the row that counts."""
    decision = table.decision
    if decision is None:
        return
    asked = [condition for condition, _ in decision.rows]
    for number, (own, counts) in enumerate(zip(asked, _counting(decision), strict=True), start=1):
        yield str(number), row_title(pack.vocabulary, pack.measures, table.title, own), counts
    if decision.default is not None:
        yield "default", other_rows(table.title), none_of(asked)


def _counting(decision: Decision) -> Sequence[Expression]:
    """The conditions of a table's rows so that only those hold that make its value."""
    asked = [condition for condition, _ in decision.rows]
    given = [value.value for _, value in decision.rows]
    if decision.take in ("sum", "count") or decision.hit == "unique":
        return asked
    order = list(range(len(asked)))
    if decision.take in ("min", "max"):
        order.sort(key=lambda row: given[row], reverse=decision.take == "max")
    elif decision.hit == "priority":
        codes = [code for code, _ in decision.codes]
        order.sort(key=lambda row: codes.index(str(given[row])))
    return first_only(asked, order)


def _owners_reading(pack: Pack, table: str) -> frozenset[str]:
    """The rules and tables that read a table, themselves or through others; the table too."""
    reading = {rule.table or rule.id for rule in pack.rules if table in _ids(used_measures(pack, (rule,)))}
    reading |= {m.id for m in pack.measures if m.decision and table in _ids(used_measures(pack, (), (m.id,)))}
    return frozenset(reading)


def _ids(measures: Sequence[Measure]) -> set[str]:
    return {measure.id for measure in measures}


def _population(
    pack: Pack, connection: duckdb.DuckDBPyConnection, as_of: dt.date
) -> Mapping[str, tuple[int, int]]:
    """Rule → how many subjects and hits, of the rules that hit at all."""
    grade_coded(connection, pack, as_of, ahead=False)
    counted = connection.execute("select rule, count(distinct subject_id), count(*) from hits group by rule")
    return {rule: (subjects, hits) for rule, subjects, hits in counted.fetchall()}


def _covered(
    rule: Rule,
    readers: frozenset[str],
    results: Sequence[ExampleResult],
    population: Mapping[str, tuple[int, int]] | None,
) -> Covered:
    """:param readers: whose examples judge the rule beside its own and the pack's."""
    judges = {None, rule.table or rule.id, *readers}
    counts = Counter(rule.id in result.hits for result in results if result.owner in judges)
    subjects, hits = (None, None) if population is None else population.get(rule.id, (0, 0))
    return Covered(rule.id, rule.title, counts[True], counts[False], subjects, hits, rule.place)
