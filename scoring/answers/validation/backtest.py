"""Whether the tiers of a day foresaw what was found afterwards, and which rules tell anybody apart.

Grades are judged as they would have been said on the day. What is found of those who were looked at in the
months that follow is counted by tier and by rule. Who was looked at because of a tier says little about it:
the sample to trust is that of visits which a plan drew at random (双随机).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from rules.calendar import add_months, moment_of
from rules.chinese import in_chinese
from rules.identity import identity
from rules.language.expressions import Expression, Level, literal, reads_as_of, render
from rules.language.parse import ConditionError, parse_condition
from rules.meaning.context import scope_of
from rules.model import Pack, Rule, Vocabulary
from rules.titles import Title, TitledError
from scoring.answers.validation.kinds import kinds_of
from scoring.answers.validation.shares import Bounds, Share, difference
from scoring.facts.snapshot import NothingKnownError, forget_snapshot, take_snapshot
from scoring.facts.visit_results import INSPECTION, PASSED
from scoring.judging.engine import grade_coded
from scoring.judging.sql import date, quoted, to_sql
from scoring.store import Store
from scoring.store.inspections import PlannedVisit
from scoring.store.visits import VisitRow
from scoring.store.workspace import workspace

INSPECTED = f"kind = '{INSPECTION}' and status <> 'revoked'"
FOUND = f"{INSPECTED} and level <> '{PASSED}'"
"""What is looked at, and what is found, where nothing else is said: inspections, and those not passed."""


class BacktestError(TitledError):
    """What can't be tested, with the reason."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be tested.

    :param day: whose grades; what is found counts from the day after.
    :param months: for how long.
    :param drawn: whether the sample is the visits that plans drew at random, and what was found on them.
    :param among: otherwise a condition about records: who has one in these months is in the sample. None for
        inspections, where the vocabulary has them and nothing else is asked, and else for everybody.
    :param found: a condition about records: of whom there is one in these months, something was found.
    :param as_known_now: whether to grade by what is known now and not by what was known on the day.
    """

    day: dt.date
    months: int = 12
    drawn: bool = False
    among: str | None = None
    found: str | None = None
    as_known_now: bool = False

    @property
    def until(self) -> dt.date:
        """The last day on which what is found counts."""
        return add_months(self.day, self.months)


@dataclass(frozen=True, slots=True)
class TierFound:
    """What was found of those with a tier.

    :param graded: how many had it; of them ``share.of`` were looked at.
    """

    tier: str
    graded: int
    share: Share


class Verdict(StrEnum):
    """What the sample says of a rule."""

    FORESEES = "foresees"
    """Who is hit differs from the others as the rule's points say."""
    CONTRARY = "contrary"
    """They differ the other way round: more is found of those to whom it gives points."""
    UNTOLD = "untold"
    """They differ no more than by chance."""
    UNPOINTED = "unpointed"
    """They differ, and the rule gives neither points nor a tier."""
    NOBODY = "nobody"
    """It hits nobody of the sample, or everybody."""


@dataclass(frozen=True, slots=True)
class RuleFound:
    """What was found of those whom a rule hit, and of the others of the sample.

    :param points: hundredths that it gave all whom it hit, before caps.
    :param apart: between what bounds the first share is greater than the second (95 %); None where there
        are none of the one or the other.
    """

    rule: Rule
    points: int
    hit: Share
    others: Share
    apart: Bounds | None

    @property
    def verdict(self) -> Verdict:
        """What the sample says of it. A veto says what a loss of points says."""
        if self.apart is None:
            return Verdict.NOBODY
        if self.apart[0] <= 0 <= self.apart[1]:
            return Verdict.UNTOLD
        if self.points == 0 and not self.rule.is_veto:
            return Verdict.UNPOINTED
        more_found, speaks_against = self.apart[0] > 0, self.points < 0 or self.rule.is_veto
        return Verdict.FORESEES if more_found == speaks_against else Verdict.CONTRARY


@dataclass(frozen=True, slots=True)
class Backtest:
    """What was found after a day of those who were graded on it.

    :param known_at: the moment whose knowledge graded; None for now.
    :param among, found: the conditions, as they were read; None for a sample of drawn visits or of everybody.
    :param concordance: of two of the sample of whom something was found of one alone, how often the one has
        the lower score (equal ones count half): 0.5 says nothing, 1 everything. None where there are no two.
    """

    pack: Pack
    hash: str
    wanted: Wanted
    known_at: dt.datetime | None
    among: str | None
    found: str | None
    sample: Share
    tiers: tuple[TierFound, ...]
    rules: tuple[RuleFound, ...]
    concordance: float | None

    def lift(self, tier: TierFound) -> float | None:
        """How many times as often something was found as in the whole sample."""
        of_all, own = self.sample.value, tier.share.value
        return own / of_all if own is not None and of_all else None


def backtest(store: Store, pack: Pack, wanted: Wanted) -> Backtest:
    """Grades everybody as on a day, and counts what was found in the months after it.

    :raises BacktestError: where nobody was known on the day, a condition can't be read, or there is nobody
        in the sample.

    >>> from datetime import date
    >>> from fixtures.small import small_store
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> wanted = Wanted(date(2026, 1, 31), found="kind = 'penalty'", as_known_now=True)
    >>> found = backtest(small_store(), pack, wanted)
    >>> found.sample
    Share(found=1, of=2)
    >>> [(tier.tier, tier.share.found, tier.share.of) for tier in found.tiers if tier.graded]
    [('B', 1, 2)]
    """
    known_at = None if wanted.as_known_now else moment_of(wanted.day.isoformat())
    sample = None if wanted.drawn else _sample(pack.vocabulary, wanted)
    with workspace() as duck:
        _known(store, pack.vocabulary, duck, known_at)
        grade_coded(duck, pack, wanted.day, ahead=False)
        if sample is None:
            duck.register("drawn", _drawn_visits(store, pack.id, wanted))
            _keep(duck, "select subject_id, bool_or(found) as found from drawn group by subject_id")
        else:
            if known_at is not None:
                forget_snapshot(duck)
                take_snapshot(store, pack.vocabulary, duck)
            _keep(duck, sample.query(pack.vocabulary, wanted))
        return _counted(duck, pack, wanted, known_at, sample)


def _known(
    store: Store, vocabulary: Vocabulary, duck: duckdb.DuckDBPyConnection, known_at: dt.datetime | None
) -> None:
    try:
        take_snapshot(store, vocabulary, duck, known_at)
    except NothingKnownError:
        named = vocabulary.title
        if known_at is None:
            raise BacktestError(
                Title(f"尚无{named.zh}的信息", f"nothing is known of any {named.en}")
            ) from None
        raise BacktestError(
            Title(
                f"到{known_at.date()}时尚无{named.zh}的信息,可改用现在掌握的信息评价",
                f"nothing was known of any {named.en} by {known_at.date()}; grade by what is known now",
            ),
            command="xinheng backtest --known-now",
        ) from None


@dataclass(frozen=True, slots=True)
class _Sample:
    """Conditions about records; ``among`` None for everybody."""

    among: Expression | None
    found: Expression

    def query(self, vocabulary: Vocabulary, wanted: Wanted) -> str:
        """Who is in the sample, and whether something was found: ``subject_id``, ``found``."""
        assert vocabulary.records is not None, "a condition names its columns"
        key, day = quoted(vocabulary.record_subject), quoted(vocabulary.record_date)
        of_these = f"from records where {day} > {date(wanted.day)} and {day} <= {date(wanted.until)}"
        found = f"select {key} as subject_id {of_these} and {to_sql(self.found)}"
        if self.among is None:
            among = "select subject_id from scores"
        else:
            among = f"select distinct {key} as subject_id {of_these} and {to_sql(self.among)}"
        return f"select subject_id, coalesce(subject_id in ({found}), false) as found from ({among})"


def _sample(vocabulary: Vocabulary, wanted: Wanted) -> _Sample:
    """What the wanted conditions say, or the usual ones where they say nothing."""
    among, found = wanted.among, wanted.found
    if found is None:
        if INSPECTION not in kinds_of(vocabulary):
            named = vocabulary.title
            raise BacktestError(
                Title(
                    f"{named.zh}没有监督检查记录,请写明发现问题的条件",
                    f"there are no inspections of a {named.en}: say by a condition what counts as found",
                )
            )
        among, found = among or INSPECTED, FOUND
    return _Sample(None if among is None else _condition(vocabulary, among), _condition(vocabulary, found))


def _condition(vocabulary: Vocabulary, text: str) -> Expression:
    """A condition about records alone."""
    columns = vocabulary.records.columns if vocabulary.records else {}
    try:
        condition = parse_condition(text, scope_of(columns, Level.RECORD))
    except ConditionError as error:
        why = in_chinese(error.message) or error.message
        raise BacktestError(
            Title(f"条件“{text}”有误:{why}", f"in the condition {text!r}: {error.message}")
        ) from None
    if reads_as_of(condition):
        raise BacktestError(
            Title(
                f"条件“{text}”不能写评价基准日as_of", f"the condition {text!r} can't read as_of: give a date"
            )
        )
    return condition


def _drawn_visits(store: Store, pack_id: str, wanted: Wanted) -> pa.Table:
    """What came of the visits that plans drew at random and that were made in these months."""
    of_plan = sa.and_(
        PlannedVisit.plan_id == VisitRow.plan_id, PlannedVisit.subject_id == VisitRow.subject_id
    )
    query = (
        sa.select(VisitRow.subject_id, VisitRow.outcome)
        .join(PlannedVisit, of_plan)
        .where(
            VisitRow.pack_id == pack_id,
            PlannedVisit.drawn.is_(True),
            PlannedVisit.complaint.is_(False),
            VisitRow.outcome.is_not(None),
            VisitRow.done_on > wanted.day,
            VisitRow.done_on <= wanted.until,
        )
    )
    with store.reading() as session:
        rows = session.execute(query).all()
    subjects, found = [row.subject_id for row in rows], [row.outcome != PASSED for row in rows]
    return pa.table({"subject_id": pa.array(subjects, pa.string()), "found": pa.array(found, pa.bool_())})


def _keep(duck: duckdb.DuckDBPyConnection, outcomes: str) -> None:
    """The sample beside its grades. Who was not graded on the day says nothing of grades."""
    duck.execute(
        f"create or replace temp table sampled as select subject_id, found, tier, score"
        f" from ({outcomes}) join scores using (subject_id)"
    )


_BY_RULE = (
    "select rule, cast(sum(points) as bigint), count(*) filter (where found), count(found) from"
    " (select rule, subject_id, sum(points_before) as points from hits group by all)"
    " left join sampled using (subject_id) group by rule"
)
_CONCORDANT = """
    with by_score as (select score, count(*) filter (where found) as found,
        count(*) filter (where not found) as clean from sampled group by score),
    ranked as (select *, sum(clean) over (order by score) as clean_up_to from by_score)
    select sum(found * (all_clean - clean_up_to + clean / 2)) / nullif(sum(found) * any_value(all_clean), 0)
    from ranked, (select sum(clean) as all_clean from by_score)
"""


def _counted(
    duck: duckdb.DuckDBPyConnection,
    pack: Pack,
    wanted: Wanted,
    known_at: dt.datetime | None,
    sample: _Sample | None,
) -> Backtest:
    found = _share(duck, "")
    if not found.of:
        raise BacktestError(
            Title(
                f"{wanted.day}之后至{wanted.until}没有可检验的样本",
                f"nobody graded on {wanted.day} is in the sample of the days after it up to {wanted.until}",
            )
        )
    graded = dict(duck.execute("select tier, count(*) from scores group by tier").fetchall())
    tiers = tuple(
        TierFound(tier, graded.get(tier, 0), _share(duck, f"where tier = {literal(tier)}"))
        for tier in pack.tiers
    )
    [(concordance,)] = duck.execute(_CONCORDANT).fetchall()
    return Backtest(
        pack,
        identity(pack),
        wanted,
        known_at,
        None if sample is None or sample.among is None else render(sample.among),
        None if sample is None else render(sample.found),
        found,
        tiers,
        tuple(_by_rule(duck, pack, found)),
        None if concordance is None else float(concordance),
    )


def _share(duck: duckdb.DuckDBPyConnection, which: str) -> Share:
    [(found, of)] = duck.execute(
        f"select count(*) filter (where found), count(*) from sampled {which}"
    ).fetchall()
    return Share(found, of)


def _by_rule(duck: duckdb.DuckDBPyConnection, pack: Pack, sample: Share) -> Iterable[RuleFound]:
    """Rules in the order of the pack."""
    counted = {
        rule: (points, Share(found, of)) for rule, points, found, of in duck.execute(_BY_RULE).fetchall()
    }
    for rule in pack.rules:
        points, hit = counted.get(rule.id, (0, Share(0, 0)))
        others = Share(sample.found - hit.found, sample.of - hit.of)
        yield RuleFound(rule, points, hit, others, difference(hit, others))
