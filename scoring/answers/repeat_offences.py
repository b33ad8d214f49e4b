"""Repeat offenders (多次违法): who was found against again and again in one field.

Which findings count, for how long and in which fields is the pack's own measure; which number leads to what
is the pack's own rules on that measure. Nothing of it is said here a second time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from rules.fault import UnknownPackError
from rules.language.evaluate import evaluate
from rules.language.expressions import Level, Name, names
from rules.model import Dated, Measure, Pack, Rule, Title
from rules.plan import rules_in_force
from scoring.facts.snapshot import take_snapshot
from scoring.judging.engine import grade_coded
from scoring.judging.sql import quoted
from scoring.store import Store
from scoring.store.workspace import workspace

MEASURE = "findings_in_one_field"
"""What a pack calls the most findings that a subject has in one field."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """One subject's findings in one field.

    :param field: the code of the field.
    :param attributes: what is known of the subject.
    :param records: the findings that count, the oldest first.
    :param since: the day from which the oldest counts.
    :param until: the first day on which one of them no longer counts; None where none ends.
    :param escalations: the rules of the pack that this number alone meets.
    """

    subject_id: str
    field: str
    field_title: Title
    attributes: Mapping[str, Any]
    records: tuple[str, ...]
    since: dt.date | None
    until: dt.date | None
    escalations: tuple[Rule, ...]


def repeat_offences(store: Store, pack: Pack, as_of: dt.date, at_least: int = 2) -> list[Repeat]:
    """Who has so many findings in one field, by what the store knows now.

    :return: by field, then the most findings first, then by subject.
    :raises UnknownPackError: where the pack does not count findings by field.
    :raises StoreError: where the store has no subjects of the pack.

    >>> from fixtures.small import AS_OF, small_store
    >>> from rules.library.loader import find_pack
    >>> found = repeat_offences(small_store(), find_pack("tourism-credit", AS_OF), AS_OF, at_least=1)
    >>> [(repeat.subject_id, repeat.field, repeat.records, repeat.until.isoformat()) for repeat in found]
    [('92500159MALQ20RD87', 'food_safety', ('LY-2',), '2028-06-01')]
    """
    measure = _measure(pack)
    with workspace() as duck:
        take_snapshot(store, pack.vocabulary, duck)
        grade_coded(duck, replace(pack, rules=(_finding(measure),)), as_of, ahead=False)
        found = _grouped(duck, pack, measure, at_least)
        attributes = _attributes(duck, pack)
    rules = [
        rule for rule in rules_in_force(pack, as_of) if MEASURE in {n.name for n in names(rule.when.written)}
    ]
    repeats = (
        _repeat(pack, measure, rules, as_of, row | {"known": attributes[row["subject_id"]]}) for row in found
    )
    return sorted(repeats, key=lambda r: (r.field, -len(r.records), r.subject_id))


def _measure(pack: Pack) -> Measure:
    for measure in pack.measures:
        if measure.id == MEASURE and isinstance(measure.by, Name) and measure.window:
            return measure
    raise UnknownPackError(
        Title(
            f"{pack.id} {pack.version}不按领域统计:没有指标{MEASURE}",
            f"{pack.id} {pack.version} counts no findings by field: it has no measure {MEASURE}",
        )
    )


def _finding(measure: Measure) -> Rule:
    """A rule that is met by each record that the measure counts."""
    return Rule(
        id=measure.id,
        title=measure.title,
        level=Level.RECORD,
        dimension=None,
        when=measure.where,
        points=Dated(((dt.date.min, 0),)),
        per=None,
        window=measure.window,
        cap=None,
        tier=None,
        table=None,
        consequence=True,
        citations=(),
    )


def _grouped(
    duck: duckdb.DuckDBPyConnection, pack: Pack, measure: Measure, at_least: int
) -> list[dict[str, Any]]:
    assert pack.vocabulary.records is not None  # a measure of records
    key, field = quoted(pack.vocabulary.records.key), quoted(_field(measure))
    query = (
        f"select cast(h.subject_id as varchar) as subject_id, r.{field} as field,"
        " list(cast(h.record_id as varchar) order by h.counts_from, h.record_id) as records,"
        " min(h.counts_from) as since, min(h.counts_until) as until"
        f" from hits h join records r on r.{key} = h.record_id where r.{field} is not null"
        " group by all having count(*) >= ?"
    )
    rows: list[dict[str, Any]] = duck.sql(query, params=[at_least]).to_arrow_table().to_pylist()
    return rows


def _attributes(duck: duckdb.DuckDBPyConnection, pack: Pack) -> dict[str, dict[str, Any]]:
    key = pack.vocabulary.subject.key
    rows = duck.sql(
        f"select s.* from subjects s where s.{quoted(key)} in (select subject_id from hits)"
    ).to_arrow_table()
    return {str(row[key]): row for row in rows.to_pylist()}


def _repeat(
    pack: Pack, measure: Measure, rules: Sequence[Rule], as_of: dt.date, row: Mapping[str, Any]
) -> Repeat:
    number = {**row["known"], MEASURE: len(row["records"])}
    return Repeat(
        subject_id=row["subject_id"],
        field=row["field"],
        field_title=_title(pack, _field(measure), row["field"]),
        attributes=row["known"],
        records=tuple(row["records"]),
        since=row["since"],
        until=row["until"],
        escalations=tuple(rule for rule in rules if evaluate(rule.when.written, number, as_of) is True),
    )


def _field(measure: Measure) -> str:
    """The column by which findings are counted."""
    assert isinstance(measure.by, Name)
    return measure.by.name


def _title(pack: Pack, column: str, code: str) -> Title:
    assert pack.vocabulary.records is not None
    return pack.vocabulary.records.columns[column].values.get(code, Title(code, code))
