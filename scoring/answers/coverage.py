"""Which rules and table rows the examples, and a population, ever reach."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from rules.fault import Place
from rules.model import Pack, Title
from scoring.answers.examples import ExampleResult, run_examples
from scoring.judging.engine import grade_coded


@dataclass(frozen=True, slots=True)
class Covered:
    """How often one rule, table row or veto is reached.

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
    results = run_examples(pack)
    population = _population(pack, connection, as_of) if connection is not None and as_of else None
    return [_covered(pack, rule.id, results, population) for rule in pack.rules]


def _population(
    pack: Pack, connection: duckdb.DuckDBPyConnection, as_of: dt.date
) -> Mapping[str, tuple[int, int]]:
    """Rule → how many subjects and hits, of the rules that hit at all."""
    grade_coded(connection, pack, as_of, ahead=False)
    counted = connection.execute("select rule, count(distinct subject_id), count(*) from hits group by rule")
    return {rule: (subjects, hits) for rule, subjects, hits in counted.fetchall()}


def _covered(
    pack: Pack,
    rule_id: str,
    results: Sequence[ExampleResult],
    population: Mapping[str, tuple[int, int]] | None,
) -> Covered:
    rule = pack.rule(rule_id)
    judging = [result for result in results if result.owner in (None, rule.table or rule.id)]
    counts = Counter(rule_id in result.hits for result in judging)
    subjects, hits = (None, None) if population is None else population.get(rule_id, (0, 0))
    return Covered(rule_id, rule.title, counts[True], counts[False], subjects, hits, rule.place)
