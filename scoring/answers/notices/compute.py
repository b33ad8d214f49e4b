"""A notice that a subject's tier falls, or would fall: made from what runs and proposals keep."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from rules.calendar import SHANGHAI
from rules.model import Pack, Rule
from rules.titles import Title, UnknownError
from scoring.answers.paths import Path, Step, reaching, steps_for
from scoring.answers.search import NAME, run_before
from scoring.answers.timelines import Facts, Ruled, facts_of, judged, no_result, run_of
from scoring.facts.ingest.keys import subject_key
from scoring.judging.period import Period
from scoring.judging.timeline import Hit
from scoring.runs.batch import ruled_by
from scoring.runs.proposed import ProposalSummary, fall_of, show_proposal, versions_in
from scoring.runs.published import RunSummary, get_run
from scoring.runs.results import GradeRow, grade_history, grade_of, hits_in
from scoring.runs.terms import Piece, piece_on, terms_of
from scoring.store import Store
from scoring.store.packs import stored_pack

MOST_REASONS, MOST_RECORDS = 5, 3
"""How many reasons a notice names, and records of each; of others it says how many there are (own choice)."""


class UnknownNoticeError(UnknownError):
    """The subject's tier did not fall, so that there is nothing to be told."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A grade on a day, and the rules that gave it; the score in hundredths."""

    pack: Pack
    as_of: dt.date
    tier: str
    score: int


@dataclass(frozen=True, slots=True)
class Counted:
    """One record that a rule counts, or the subject itself. Points in hundredths.

    :param record: the record's columns as they were known; None where ``record_id`` is None, or not any more.
    :param until: the day from which it does not count any more, if nothing is done; or has not, since its
        time was over.
    :param remedies: what can be done about the record, each from which day on.
    """

    record_id: str | None
    record: Mapping[str, Any] | None
    points_before: int
    points: int
    until: dt.date | None
    remedies: tuple[Step, ...]

    @property
    def change(self) -> int:
        """What was lost, as a negative number."""
        return min(self.points - self.points_before, 0)


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that costs a subject points or a tier, or that does not help it any more.

    :param points_before, points: hundredths that it gave before, and gives now, with all that it counts.
    :param counted: the worst first; at most :data:`MOST_RECORDS`, and how many ``others`` there are.
    """

    rule: Rule
    points_before: int
    points: int
    counted: tuple[Counted, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What a subject is told of its fall.

    :param run: the run that published it; None for a proposal.
    :param proposal: the proposal by which it would fall; None for a run.
    :param reasons: what changed first, then what costs most; at most :data:`MOST_REASONS`.
    :param others: how many further reasons there are.
    :param way: the way by which the former tier is had again first; None where none leads to it.
    """

    subject_id: str
    name: str
    before: Standing
    now: Standing
    run: RunSummary | None
    proposal: ProposalSummary | None
    reasons: tuple[Reason, ...]
    others: int
    way: Path | None

    @property
    def made_on(self) -> dt.date:
        """The day on which it was proposed or published, in Shanghai."""
        moment = self.run.published_at if self.run else None
        if self.proposal is not None:
            moment = self.proposal.proposed_at
        assert moment is not None, "one of the two made it"
        return moment.astimezone(SHANGHAI).date()


def notice_of_proposal(store: Store, proposal_id: int, subject_id: str) -> Notice:
    """What a subject is told of a run that is proposed.

    :raises UnknownProposalError: where there is none, or the subject would not fall by it.

    >>> from fixtures.small import AS_OF, RESTAURANT, small_store
    >>> from rules.library.loader import PACKS, load_text
    >>> from scoring.runs.proposals import propose
    >>> from scoring.store.packs import PackText
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8").replace("start: 75", "start: 55")
    >>> strict, store = load_text(text, "strict.yaml"), small_store()
    >>> given = propose(store, strict, AS_OF, 10, "李", text=PackText(text, "strict.yaml"))
    >>> found = notice_of_proposal(store, given.id, RESTAURANT)
    >>> found.before.tier, found.now.tier, [(r.rule.id, r.points) for r in found.reasons]
    ('C', 'D', [('penalty.general', -500), ('penalty.field.3', -300)])
    """
    proposal = show_proposal(store, proposal_id)
    pack = stored_pack(store, proposal.pack_hash)
    subject_id = subject_key(pack.vocabulary, subject_id)
    fall, as_of = fall_of(store, proposal_id, subject_id), proposal.as_of
    assert proposal.base is not None, "who falls had a grade"
    base = replace(get_run(store, proposal.base), as_of=as_of)
    ruling = piece_on(terms_of(store, base.pack_id, base.id), as_of)
    then = ruling.pack if ruling is not None else stored_pack(store, base.pack_hash)
    terms = ruled_by(store, pack, as_of, versions_in(store, proposal_id))
    with store.reading() as session:
        facts = facts_of(session, pack.vocabulary, subject_id, proposal.known_at)
    now = _ruled(store, terms, facts, as_of)
    return _notice(
        store,
        facts,
        terms,
        now,
        Standing(then, as_of, fall.tier_before, fall.score_before),
        Standing(pack, as_of, fall.tier, fall.score),
        hits_in(store, base, then, subject_id),
        now.timeline.hits(as_of),
        proposal=proposal,
    )


def notice_of_run(store: Store, run_id: int, subject_id: str) -> Notice:
    """What a subject is told of a published run, compared to the run before.

    :raises UnknownSubjectError: where there is no such run, or it has no result for the subject.
    :raises UnknownNoticeError: where its tier did not fall.
    """
    run = run_of(store, get_run(store, run_id).pack_id, run_id)
    pack, before = stored_pack(store, run.pack_hash), run_before(store, run)
    subject_id = subject_key(pack.vocabulary, subject_id)
    grade = grade_of(store, run, subject_id)
    if grade is None:
        raise no_result(store, run, subject_id)
    old = None if before is None else grade_of(store, before, subject_id)
    if before is None or old is None or not is_worse(pack, old.tier, grade.tier):
        raise UnknownNoticeError(
            Title(
                f"{subject_id}的等级在评价{run.id}中没有下降",
                f"the tier of {subject_id} did not fall in run {run.id}",
            )
        )
    then, terms = stored_pack(store, before.pack_hash), terms_of(store, run.pack_id, run.id)
    with store.reading() as session:
        facts = facts_of(session, pack.vocabulary, subject_id, run.known_at)
    return _notice(
        store,
        facts,
        terms,
        _ruled(store, terms, facts, run.as_of),
        Standing(then, before.as_of, old.tier, old.score),
        Standing(pack, run.as_of, grade.tier, grade.score),
        hits_in(store, before, then, subject_id),
        hits_in(store, run, pack, subject_id),
        run=run,
    )


@dataclass(frozen=True, slots=True)
class Fell:
    """A published run by which a subject's tier fell, against the run before."""

    run_id: int
    as_of: dt.date
    tier_before: str
    tier: str


def falls_of(store: Store, latest: RunSummary, subject_id: str, runs: int) -> list[Fell]:
    """The falls of which :func:`notice_of_run` has a notice, the latest first.

    :param runs: so many of the pack's last runs are looked at.
    """
    rows = grade_history(store, latest.pack_id, subject_id, limit=runs + 1)
    return [
        fell
        for row, older in pairwise(rows)
        if row.tier != older.tier and (fell := _fell(store, row, subject_id)) is not None
    ]


def _fell(store: Store, row: GradeRow, subject_id: str) -> Fell | None:
    run = get_run(store, row.run_id)
    before = run_before(store, run)
    old = None if before is None else grade_of(store, before, subject_id)
    if old is None or not is_worse(stored_pack(store, run.pack_hash), old.tier, row.tier):
        return None
    return Fell(run.id, run.as_of, old.tier, row.tier)


def is_worse(pack: Pack, before: str, now: str) -> bool:
    """Whether a tier is worse than another by the order of a pack; one that it does not know is not told."""
    tiers = pack.tiers
    return before in tiers and now in tiers and tiers.index(now) > tiers.index(before)


def _ruled(store: Store, terms: Sequence[Piece], facts: Facts, day: dt.date) -> Ruled:
    """The subject's timeline by the version that rules on a day."""
    piece = piece_on(terms, day)
    assert piece is not None, "a run has a version that rules on its day"
    days = piece.within(Period(day))
    assert days is not None
    return Ruled(piece.pack, judged(store, piece.pack, facts, days))


def _notice(
    store: Store,
    facts: Facts,
    terms: Sequence[Piece],
    ruled: Ruled,
    before: Standing,
    now: Standing,
    hits_before: Iterable[Hit],
    hits: Iterable[Hit],
    run: RunSummary | None = None,
    proposal: ProposalSummary | None = None,
) -> Notice:
    steps = tuple(steps_for(terms, facts, now.as_of))
    reasons = _reasons(facts, steps, _barred(ruled.pack, before.tier), hits_before, hits, now.as_of)
    found = reaching(store, terms, facts, steps, ruled, now.as_of, before.tier)
    return Notice(
        facts.subject_id,
        facts.attributes.get(NAME) or facts.subject_id,
        before,
        now,
        run,
        proposal,
        tuple(reasons[:MOST_REASONS]),
        len(reasons[MOST_REASONS:]),
        found.paths[0] if found.paths else None,
    )


def _barred(pack: Pack, before: str) -> frozenset[str]:
    """The tiers that are worse than the former one: a rule that forces one of them bars the way back."""
    return frozenset(tier for tier in pack.tiers if is_worse(pack, before, tier))


def _reasons(
    facts: Facts,
    steps: Sequence[Step],
    barred: frozenset[str],
    before: Iterable[Hit],
    now: Iterable[Hit],
    on: dt.date,
) -> list[Reason]:
    """What costs points now, or gives fewer than before, forces a worse tier or lowers it; the worst first.

    What forces one is named also where points alone would give that tier: without it the reader would take
    points for the only reason.
    """
    found = defaultdict[str, list[Counted]](list)
    rules = dict[str, Rule]()
    for rule, one in _counted(facts, steps, before, now, on):
        if not rule.consequence and (one.points < 0 or one.change < 0 or rule.lowers or rule.tier in barred):
            found[rule.id].append(one)
            rules[rule.id] = rule
    reasons = [_reason(rules[rule_id], counted) for rule_id, counted in found.items()]
    return sorted(reasons, key=_worst_first)


def _counted(
    facts: Facts, steps: Sequence[Step], before: Iterable[Hit], now: Iterable[Hit], on: dt.date
) -> Iterator[tuple[Rule, Counted]]:
    """What each rule counts, before or now."""
    remedies = defaultdict[str | None, list[Step]](list)
    for step in steps:
        remedies[step.record_id].append(step)
    sides = [{_place(hit): hit for hit in hits} for hits in (before, now)]
    for place in sides[0] | sides[1]:
        old, new = (side.get(place) for side in sides)
        hit = new or old
        assert hit is not None
        if new is None and hit.rule.is_veto:
            continue
        record_id = place[1]
        is_told = hit.counts_until is not None and (new is not None or hit.counts_until <= on)
        yield (
            hit.rule,
            Counted(
                record_id,
                None if record_id is None else facts.records.get(record_id),
                old.points if old else 0,
                new.points if new else 0,
                hit.counts_until if is_told else None,
                tuple(remedies[record_id]),
            ),
        )


def _place(hit: Hit) -> tuple[str, str | None]:
    return hit.rule.id, None if hit.record_id is None else str(hit.record_id)


def _reason(rule: Rule, counted: Sequence[Counted]) -> Reason:
    worst = sorted(counted, key=lambda one: (one.change, one.points, one.record_id or ""))
    return Reason(
        rule,
        sum(one.points_before for one in counted),
        sum(one.points for one in counted),
        tuple(worst[:MOST_RECORDS]),
        len(worst[MOST_RECORDS:]),
    )


def _worst_first(reason: Reason) -> tuple[Any, ...]:
    """What forces the tier, then by what was lost, then by what it costs."""
    change = min(reason.points - reason.points_before, 0)
    return not reason.rule.is_veto, change, reason.points, reason.rule.id
