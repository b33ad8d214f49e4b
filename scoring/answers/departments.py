"""The yearly satisfaction ranking of public bodies and what follows from it, as a published run has them.

A run keeps scores and hits, not measures: the places are computed again from what the run knew, by its own
pack.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import lru_cache
from typing import Any

from rules.fault import UnknownPackError
from rules.language.evaluate import evaluate
from rules.language.expressions import conjuncts
from rules.language.words import both
from rules.model import Measure, Pack, Rule
from rules.titles import Title, UnknownError
from scoring.answers.group_measures import measures_of_group
from scoring.runs.published import RunSummary, current_run, get_run, latest_run
from scoring.runs.results import GradeRow, grades_of
from scoring.runs.said import said
from scoring.store import Store
from scoring.store.computed import computed_table
from scoring.store.packs import stored_pack
from scoring.store.timelines import GradedRule, GradedSubject, Span

PACK = "department-credit"
RANKED = "satisfaction"
"""The measure that is ranked: unknown for a body that is not."""

RANKINGS_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class Places:
    """The measures of a body that the ranking shows, each under its name in the pack.

    :param satisfaction: the mean of the year's answers, 0 to 100; None for a body that is not ranked.
    :param place: 1 is the best; equal means share a place, and the next ones are left out.
    :param place_from_end: 1 is the last.
    :param bodies_ranked: among how many.
    """

    questionnaires: int
    answers: int
    response_share: Decimal | None
    satisfaction: Decimal | None
    place: int | None
    place_from_end: int | None
    bodies_ranked: int | None
    place_in_group: int | None
    satisfaction_last_year: Decimal | None
    place_last_year: int | None
    place_from_end_last_year: int | None


_SHOWN = tuple(field.name for field in fields(Places))


@dataclass(frozen=True, slots=True)
class Standing:
    """A body in the ranking.

    :param attributes: what the run knew of the body.
    :param unranked: why it is not ranked; empty where it is.
    """

    subject_id: str
    attributes: Mapping[str, Any]
    places: Places
    grade: GradeRow
    unranked: tuple[Title, ...]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows for a body: the pack's rule, with its title, note and basis, and where the body stands."""

    rule: Rule
    standing: Standing


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ranking of a run: the ranked bodies by place, then the others; bodies of one place by their number.

    :param consequences: in the order of the pack, then of the ranking.
    """

    run: RunSummary
    pack: Pack
    standings: tuple[Standing, ...]
    consequences: tuple[Consequence, ...]


def department_ranking(store: Store, run_id: int | None = None, as_of: dt.date | None = None) -> Ranking:
    """The ranking of a run of the department pack.

    :param run_id: by default the current run.
    :param as_of: of the runs, leave out those that speak about a later date.
    :raises UnknownError: where there is no run yet.
    :raises StoreError: where there is none of that number.
    :raises UnknownPackError: where the run's pack ranks nobody.
    """
    if run_id is not None:
        return _ranking(store, get_run(store, run_id))
    run = latest_run(store, PACK, as_of) if as_of else current_run(store, PACK)
    if run is None:
        begun, until = (f"截至{as_of}", f" up to {as_of}") if as_of else ("", "")
        title = Title(
            f"{PACK}{begun}还没有评价结果;请先评价", f"there is no run of {PACK}{until} yet; start one"
        )
        raise UnknownError(title, f"xinheng score --pack {PACK}")
    return _ranking(store, run)


@lru_cache(maxsize=RANKINGS_REMEMBERED)
def _ranking(store: Store, run: RunSummary) -> Ranking:
    """Computed once: a published run never changes."""
    pack = stored_pack(store, run.pack_hash)
    standings = tuple(sorted(_standings(store, run, pack), key=_order))
    return Ranking(run, pack, standings, tuple(_consequences(store, run, pack, standings)))


def _standings(store: Store, run: RunSummary, pack: Pack) -> Iterator[Standing]:
    ranked = _check_ranks(pack)
    frame = computed_table(
        store,
        ("measures of a ranking", *run.source, *_SHOWN),
        lambda: measures_of_group(store, pack, run.as_of, run.known_at, _SHOWN),
    ).to_pylist()
    key = pack.vocabulary.subject.key
    grades = grades_of(store, run, [str(row[key]) for row in frame])
    for row in frame:
        subject_id = str(row[key])
        yield Standing(
            subject_id=subject_id,
            attributes={name: row[name] for name in pack.vocabulary.subject.columns},
            places=Places(**{name: row[name] for name in _SHOWN}),
            grade=grades[subject_id],
            unranked=tuple(_unranked(pack, ranked, row, run.as_of)),
        )


def _check_ranks(pack: Pack) -> Measure:
    """The measure that is ranked.

    :raises UnknownPackError: where the pack has not all measures of a ranking.
    """
    measures = {measure.id: measure for measure in pack.measures}
    missing = [name for name in _SHOWN if name not in measures]
    if missing:
        raise UnknownPackError(
            Title(
                f"{pack.id} {pack.version}不作排名:没有指标{'、'.join(missing)}",
                f"{pack.id} {pack.version} ranks nobody: it has no measure {', '.join(missing)}",
            )
        )
    return measures[RANKED]


def _unranked(pack: Pack, ranked: Measure, row: Mapping[str, Any], as_of: dt.date) -> Iterator[Title]:
    """The conditions of the ranking that the body does not meet, in words."""
    for term in conjuncts(ranked.where.written):
        if evaluate(term, row, as_of) is not True:
            wanted = both(pack, lambda said, term=term: said.condition(term))  # type: ignore[misc]
            yield Title(f"不符合：{wanted.zh}", f"not so: {wanted.en}")


def _order(standing: Standing) -> tuple[bool, int, str]:
    place = standing.places.place
    return place is None, place or 0, standing.subject_id


def _consequences(
    store: Store, run: RunSummary, pack: Pack, standings: Sequence[Standing]
) -> Iterator[Consequence]:
    rules = [rule for rule in pack.rules if rule.consequence]
    query = (
        said(Span, run.pack_id, run.id, run.as_of, GradedRule.rule, GradedSubject.subject_id)
        .join(GradedRule, GradedRule.number == Span.rule)
        .where(GradedRule.rule.in_([rule.id for rule in rules]))
    )
    with store.reading() as session:
        met = {(rule, subject) for rule, subject in session.execute(query)}
    for rule in rules:
        yield from (Consequence(rule, s) for s in standings if (rule.id, s.subject_id) in met)
