"""Why a subject has its grade: what hit, and what kept other rules out; as published, or for any day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from rules.calendar import today
from rules.language.expressions import Level
from rules.model import Dimension, Pack, Rule
from rules.plan import inputs_of, rows_in_force, rule_names
from rules.titles import Title
from scoring.answers.timelines import (
    Facts,
    UnknownSubjectError,
    facts_of,
    judge_of,
    judged,
    no_result,
    of_group,
    run_of,
)
from scoring.answers.why_not import Miss, Misses
from scoring.facts.ingest.keys import subject_key
from scoring.facts.publicity import INTERNAL, all_shown, is_shown
from scoring.judging import one
from scoring.judging.period import Period
from scoring.judging.reasons import ReasonCode, reason_codes
from scoring.judging.timeline import Hit, Timeline, dimensions_of
from scoring.runs.published import LAST_PUBLISHED, RunSummary, summary_of
from scoring.runs.results import grade_of, hits_in
from scoring.runs.terms import piece_on, terms_of
from scoring.store import Store
from scoring.store.models import Run, last_ingest
from scoring.store.packs import stored_pack


@dataclass(frozen=True, slots=True)
class Stretch:
    """Months or years that follow one another.

    :param first, last: the first day of the first and of the last of them.
    :param is_of_years: whether they are years.
    """

    first: dt.date
    last: dt.date
    is_of_years: bool

    @property
    def said(self) -> Title:
        """From which to which they are.

        >>> from datetime import date
        >>> Stretch(date(2025, 11, 1), date(2026, 1, 1), False).said.zh
        '2025-11至2026-01'
        """
        first, last = (day.isoformat()[: 4 if self.is_of_years else 7] for day in (self.first, self.last))
        return Title(first, first) if first == last else Title(f"{first}至{last}", f"{first} to {last}")


@dataclass(frozen=True, slots=True)
class ExplainedHit:
    """A rule that hit.

    :param record: the record's columns as known to the run; None for a rule on the subject itself.
    :param measures: the measures that the rule reads, with their values.
    :param runs: of those that count months or years in a row, which they are.
    :param points_before, points: hundredths before and after the cap.
    """

    rule: Rule
    record_id: str | None
    record: Mapping[str, Any] | None
    measures: Mapping[str, Any]
    runs: Mapping[str, Stretch]
    points_before: int
    points: int
    counts_from: dt.date | None
    counts_until: dt.date | None


@dataclass(frozen=True, slots=True)
class DimensionPart:
    """A dimension's points (hundredths) before and after its floor and ceiling."""

    dimension: Dimension
    points_before: int
    points: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """A subject's result on a day, with everything that it rests on. Scores and points in hundredths.

    :param run: the run that published it; None where it was computed, for no run has said it.
    :param known_at: the moment of the last file that counted.
    :param unmatched: the tables in force of which no row matched the subject.
    :param reasons: what cost most points, the most first.
    """

    run: RunSummary | None
    as_of: dt.date
    known_at: dt.datetime
    pack: Pack
    subject_id: str
    attributes: Mapping[str, Any]
    measures: Mapping[str, Any]
    score: int
    tier: str
    band: str
    veto: Rule | None
    next_change_on: dt.date | None
    inputs_known: int
    inputs_total: int
    unmatched: tuple[str, ...]
    reasons: tuple[ReasonCode, ...]
    dimensions: tuple[DimensionPart, ...]
    hits: tuple[ExplainedHit, ...]
    misses: tuple[Miss, ...]


def unknown_inputs(found: Explanation) -> list[Title]:
    """What the rules in force ask of a subject and nobody knows: titles of attributes and measures.

    >>> from fixtures.small import RESTAURANT, small_store
    >>> found = explain(small_store(), "tourism-credit", RESTAURANT)
    >>> len(unknown_inputs(found)) == found.inputs_total - found.inputs_known
    True
    """
    titles = {name: column.title for name, column in found.pack.vocabulary.subject.columns.items()}
    titles |= {measure.id: measure.title for measure in found.pack.measures}
    values = {**found.attributes, **found.measures}
    asked = {
        name.name
        for name, spans in inputs_of(found.pack).items()
        if any(first <= found.as_of and (until is None or found.as_of < until) for first, until in spans)
    }
    return [titles[name] for name in titles if name in asked and values.get(name) is None]


@dataclass(frozen=True, slots=True)
class Result:
    """A subject's result on a day, as a run keeps it or as it was computed. Score and points in hundredths.

    :param veto: the rule's id.
    """

    pack: Pack
    subject_id: str
    as_of: dt.date
    score: int
    tier: str
    band: str
    veto: str | None
    next_change_on: dt.date | None
    inputs_known: int
    inputs_total: int
    hits: Sequence[Hit]


def explain(store: Store, pack_id: str, subject_id: str, run_id: int | None = None) -> Explanation:
    """Why the subject has the grade that a run published.

    :param run_id: by default the latest run of the pack.
    :raises UnknownSubjectError: where there is no run, or the run has no result for the subject.

    >>> from fixtures.small import RESTAURANT, small_store
    >>> found = explain(small_store(), "tourism-credit", RESTAURANT)
    >>> found.score, found.tier
    (6700, 'C')
    >>> [(hit.rule.id, hit.record_id, hit.points) for hit in found.hits]
    [('penalty.field.3', 'LY-2', -300), ('penalty.general', 'LY-2', -500)]
    """
    run = run_of(store, pack_id, run_id)
    result = _said(store, run, subject_id)
    with store.reading() as session:
        facts = facts_of(session, result.pack.vocabulary, result.subject_id, run.known_at)
    return explained(facts, result, run, _measures(store, result.pack, facts, result.as_of))


def explain_now(store: Store, pack_id: str, subject_id: str, run_id: int | None = None) -> Explanation:
    """Why the subject has its grade, by records that are shown today alone.

    As the latest run published it; where a record that counted in it has been repaired since, was revoked or
    is past its longest term, it is computed for today, and has no run.

    :param run_id: the latest run, where it is known.
    :raises UnknownSubjectError: as :func:`explain`.
    """
    found = explain(store, pack_id, subject_id, run_id)
    rests_on = {hit.record_id for hit in found.hits if hit.record_id is not None}
    if all_shown(store, found.pack.vocabulary, rests_on, today()):
        return found
    return explain_day(store, pack_id, found.subject_id, known_at=dt.datetime.now(dt.UTC))


def explain_day(
    store: Store,
    pack_id: str,
    subject_id: str,
    as_of: dt.date | None = None,
    known_at: dt.datetime | None = None,
) -> Explanation:
    """What the subject's grade on any day is, by what was known at any moment, and why.

    It is explained as published where a run said it of that day and, where a moment is given, knew exactly
    what was known then. Else it is computed, by the rules of :func:`scoring.runs.terms.terms_of`, and has
    no run.

    :param as_of: by default today.
    :param known_at: a moment with its time zone; by default now.
    :raises UnknownSubjectError: where nothing was known of the subject, or no version is in force that day.

    >>> from datetime import date
    >>> from fixtures.small import RESTAURANT, small_store
    >>> found = explain_day(small_store(), "tourism-credit", RESTAURANT, date(2027, 1, 1))
    >>> found.score, found.tier, found.run
    (6950, 'C', None)
    """
    as_of = as_of or today()
    published = _published(store, pack_id, as_of, known_at)
    if published is not None:
        return explain(store, pack_id, subject_id, published.id)
    facts, result = _judged(store, pack_id, subject_id, as_of, known_at)
    return explained(facts, result, None, _measures(store, result.pack, facts, result.as_of))


def grade_day(
    store: Store, pack_id: str, subject_id: str, as_of: dt.date, known_at: dt.datetime | None = None
) -> Result:
    """The grade that :func:`explain_day` explains, and what hit: for who compares, and asks for no reasons.

    What no run has said is judged for that day alone, and does not say when it changes next.

    >>> from datetime import date
    >>> from fixtures.small import RESTAURANT, small_store
    >>> found = grade_day(small_store(), "tourism-credit", RESTAURANT, date(2027, 1, 1))
    >>> found.score, found.tier, [hit.rule.id for hit in found.hits]
    (6950, 'C', ['penalty.general', 'penalty.field.2'])
    """
    published = _published(store, pack_id, as_of, known_at)
    if published is not None:
        return _said(store, published, subject_id)
    found = _judged(store, pack_id, subject_id, as_of, known_at, Period.of(as_of))[1]
    return replace(found, next_change_on=None)


def _said(store: Store, run: RunSummary, subject_id: str) -> Result:
    """What a run published of a subject."""
    pack = stored_pack(store, run.pack_hash)
    subject_id = subject_key(pack.vocabulary, subject_id)
    grade = grade_of(store, run, subject_id)
    if grade is None:
        raise no_result(store, run, subject_id)
    return Result(
        pack=pack,
        subject_id=subject_id,
        as_of=run.as_of,
        score=grade.score,
        tier=grade.tier,
        band=grade.band,
        veto=grade.veto,
        next_change_on=grade.next_change_on,
        inputs_known=grade.inputs_known,
        inputs_total=grade.inputs_total,
        hits=hits_in(store, run, pack, subject_id),
    )


def _judged(
    store: Store,
    pack_id: str,
    subject_id: str,
    as_of: dt.date,
    known_at: dt.datetime | None,
    days: Period | None = None,
) -> tuple[Facts, Result]:
    """What no run has said, and the facts that it rests on.

    :param days: that are judged; by default all on which the version rules.
    """
    ruling = piece_on(terms_of(store, pack_id, known_at=known_at), as_of)
    if ruling is None:
        raise UnknownSubjectError(
            Title(f"{pack_id}在{as_of}没有生效的版本", f"no version of {pack_id} is in force on {as_of}")
        )
    pack = ruling.pack
    with store.reading() as session:
        facts = facts_of(session, pack.vocabulary, subject_id, known_at)
    return facts, result_of(pack, facts.subject_id, judged(store, pack, facts, days or ruling.days), as_of)


def result_of(pack: Pack, subject_id: str, timeline: Timeline, as_of: dt.date) -> Result:
    """What a timeline says of a day on which the pack is in force."""
    grade = timeline.on(as_of)
    assert grade is not None, "a version of the pack is in force"
    return Result(
        pack=pack,
        subject_id=subject_id,
        as_of=as_of,
        score=grade.score,
        tier=grade.tier,
        band=grade.band,
        veto=grade.veto,
        next_change_on=timeline.next_change(as_of) or timeline.period.until,
        inputs_known=grade.known,
        inputs_total=grade.total,
        hits=timeline.hits(as_of),
    )


def _published(store: Store, pack_id: str, as_of: dt.date, known_at: dt.datetime | None) -> RunSummary | None:
    """The last run for a day; where a moment is given, of those that knew what was known then."""
    query = sa.select(Run).where(Run.pack_id == pack_id, Run.as_of == as_of)
    with store.reading() as session:
        if known_at is not None:
            query = query.where(Run.known_at == last_ingest(session, known_at))
        row = session.scalar(query.order_by(*LAST_PUBLISHED).limit(1))
        return None if row is None else summary_of(row)


def explained(facts: Facts, found: Result, run: RunSummary | None, values: Mapping[str, Any]) -> Explanation:
    """A result with everything that it rests on.

    :param run: that published it; None where it was computed.
    :param values: the measures on its day.
    """
    pack, as_of = found.pack, found.as_of
    dimensions = dimensions_of(pack.dimensions, found.hits)
    rules = {hit.rule.id for hit in found.hits}
    misses = _misses_of(judge_of(pack), as_of)
    runs = _runs(pack, facts, as_of)
    shown = [record for record in _open_records(facts) if is_shown(pack.vocabulary, record, as_of)]
    return Explanation(
        run=run,
        as_of=as_of,
        known_at=run.known_at if run else facts.known_at,
        pack=pack,
        subject_id=facts.subject_id,
        attributes=facts.attributes,
        measures=values,
        score=found.score,
        tier=found.tier,
        band=found.band,
        veto=pack.rule(found.veto) if found.veto else None,
        next_change_on=found.next_change_on,
        inputs_known=found.inputs_known,
        inputs_total=found.inputs_total,
        unmatched=_unmatched(pack, as_of, rules, values),
        reasons=reason_codes(pack, as_of, found.hits),
        dimensions=tuple(DimensionPart(d, *dimensions[d.id]) for d in pack.dimensions if d.id in dimensions),
        hits=tuple(_hit(pack, hit, facts.records, values, runs) for hit in found.hits),
        misses=tuple(misses.of({**facts.attributes, **values}, shown, rules)),
    )


def _open_records(facts: Facts) -> list[Mapping[str, Any]]:
    """The records but those between offices: no rule looks for one, and the subject reads this."""
    return [record for record in facts.records.values() if record.get("kind") != INTERNAL]


def _unmatched(pack: Pack, day: dt.date, hit: set[str], values: Mapping[str, Any]) -> tuple[str, ...]:
    rows = rows_in_force(pack, day)
    undecided = {m.id for m in pack.measures if m.decision and m.id in values and values[m.id] is None}
    return tuple(sorted({*rows.values()} - {rows[rule] for rule in hit if rule in rows} | undecided))


@lru_cache(maxsize=16)
def _misses_of(judge: one.Judge, day: dt.date) -> Misses:
    return Misses(judge.pack, day)


def _hit(
    pack: Pack,
    hit: Hit,
    records: Mapping[str, Mapping[str, Any]],
    values: Mapping[str, Any],
    runs: Mapping[str, Stretch],
) -> ExplainedHit:
    record_id = None if hit.record_id is None else str(hit.record_id)
    read = _measures_read(pack, hit.rule)
    return ExplainedHit(
        rule=hit.rule,
        record_id=record_id,
        record=records.get(record_id) if record_id is not None else None,
        measures={name: values.get(name) for name in read},
        runs={name: runs[name] for name in read if name in runs},
        points_before=hit.points_before,
        points=hit.points,
        counts_from=hit.counts_from,
        counts_until=hit.counts_until,
    )


def _runs(pack: Pack, facts: Facts, day: dt.date) -> dict[str, Stretch]:
    """By measure."""
    years = {measure.id for measure in pack.measures if measure.months_long == 12}
    found = judge_of(pack).runs(list(facts.records.values()), day)
    return {name: Stretch(*run, is_of_years=name in years) for name, run in found.items()}


def _measures_read(pack: Pack, rule: Rule) -> list[str]:
    """The measures that a rule reads, each that a table gives followed by those that the table reads."""
    read = sorted(name.name for name in rule_names(rule) if name.level is Level.MEASURE)
    tables = {measure.id: measure for measure in pack.measures if measure.decision}
    for name in read:
        read += [part for part in tables[name].parts if part not in read] if name in tables else []
    return read


def _measures(store: Store, pack: Pack, facts: Facts, day: dt.date) -> dict[str, Any]:
    """The measures' values on a day."""
    group = of_group(store, pack, facts, Period.of(day))
    placed = {name: line.on(day) for name, line in group.items()}
    return judge_of(pack).values(facts.attributes, list(facts.records.values()), day, placed)
