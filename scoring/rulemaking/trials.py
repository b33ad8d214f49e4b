"""Candidates that are graded beside the pack in force, on real days: who would be graded otherwise.

A candidate is tried after each run of its pack, by the facts of that run and for its day, as if it had been
in force on that day, whatever first day its text names; nothing of it is published, and nobody's grade
depends on it. What is kept is a line a run, and of each subject with another tier from which day to which,
and by which rules: facts and texts give the grades themselves again.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.identity import identity
from rules.library.loader import load_text
from rules.model import Pack
from rules.titles import Title, UnknownError
from scoring.access.audit import Event, append
from scoring.answers.simulate import Simulation, simulate
from scoring.facts.snapshot import take_snapshot
from scoring.rulemaking.desk import By, NotLawError
from scoring.rulemaking.draft import foreign, no_pack
from scoring.runs.published import RunSummary, list_runs, summary_of
from scoring.store import Store
from scoring.store.base import database_time
from scoring.store.models import Run, StoredPack
from scoring.store.packs import PackText, keep_pack, stored_pack, text_of_shared
from scoring.store.rulebook import known_packs
from scoring.store.trials import PackTrial, TrialMove, TrialNight
from scoring.store.workspace import workspace

MOST_BACK = 366
"""So many runs that were published before a trial began can be tried at the most (own choice)."""


class UnknownTrialError(UnknownError):
    """There is no trial of that number."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate beside the pack in force: see :class:`scoring.store.trials.PackTrial`."""

    id: int
    pack_id: str
    version: str
    pack_hash: str
    reason: str
    after_run: int
    started_by: str
    started_at: dt.datetime
    ending: str | None
    ended_by: str | None
    ended_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Night:
    """A run beside which a candidate was graded: see :class:`scoring.store.trials.TrialNight`.

    :param against: the version of the pack by which the run graded.
    """

    trial_id: int
    run_id: int
    against: str
    as_of: dt.date
    subjects: int
    differ: int
    moved: int


@dataclass(frozen=True, slots=True)
class Move:
    """A subject whose tier is another one by the candidate: see :class:`scoring.store.trials.TrialMove`.

    :param rules: ids of the rules whose hits differ, on the last of its days.
    """

    subject_id: str
    since: dt.date
    until: dt.date | None
    tier_before: str
    tier: str
    rules: tuple[str, ...]


def start_trial(store: Store, text: str, file: str, reason: str, by: By, on: dt.date, back: int = 1) -> Trial:
    """Try a candidate beside the pack in force from now on; :func:`grade_trials` does it.

    :param text: of a version of a pack that there is; its first day may be one to come.
    :param file: the name that faults are reported under.
    :param on: the present day.
    :param back: so many of the last runs are tried as well.
    :raises PackError: with every fault of a text that is no pack.
    :raises NotLawError: where it can't be tried.

    >>> from fixtures.small import AS_OF, RESTAURANT, small_store
    >>> from rules.library.loader import PACKS
    >>> from scoring.rulemaking.desk import By
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8").replace("start: 75", "start: 55")
    >>> store = small_store()
    >>> trial = start_trial(store, text, "strict.yaml", "第3次专题会议", By("cli:li", "operator"), AS_OF)
    >>> [(night.as_of.isoformat(), night.moved) for night in grade_trials(store, AS_OF)]
    [('2026-08-31', 2)]
    >>> [(m.subject_id == RESTAURANT, m.tier_before, m.tier) for m in moves_of(store, trial.id)]
    [(False, 'B', 'C'), (True, 'C', 'D')]
    """
    pack = load_text(text, file)
    if reasons := list(_hindrances(pack, known_packs(store), on)):
        raise NotLawError(reasons)
    before = list_runs(store, pack.id, limit=back + 1)[back:]
    with store.writing() as session:
        digest = keep_pack(session, pack, PackText(text, file, text_of_shared(pack)))
        if session.scalar(sa.select(PackTrial.id).filter_by(pack_hash=digest, ended_by=None)) is not None:
            said = f"{pack.id} {pack.version}"
            raise NotLawError([Title(f"{said}已在试运行", f"{said} is tried already")])
        row = PackTrial(
            pack_id=pack.id,
            version=pack.version,
            pack_hash=digest,
            reason=reason,
            after_run=before[0].id if before else 0,
            started_by=by.who,
            started_at=database_time(session),
        )
        session.add(row)
        return _logged(session, row, "rules.try", reason, by)


def end_trial(store: Store, trial_id: int, reason: str, by: By) -> Trial:
    """End a trial; what it has found stays.

    :raises UnknownTrialError: where there is none.
    :raises NotLawError: where it has ended.
    """
    with store.writing() as session:
        row = _locked(session, trial_id)
        if row.ended_by is not None:
            raise NotLawError([Title(f"试运行{row.id}已结束", f"trial {row.id} has ended already")])
        row.ending, row.ended_by, row.ended_at = reason, by.who, database_time(session)
        return _logged(session, row, "rules.try-no-more", reason, by)


def grade_trials(store: Store, on: dt.date, pack_id: str | None = None) -> Iterator[Night]:
    """Grade each candidate that is on trial beside every run that came since, of days that have come.

    Of several runs of one day the last is tried, and none of an earlier day than one that was. Called again,
    or by two at once, it does nothing twice.

    :param on: the present day.
    :param pack_id: of this pack alone.
    :raises SimulationError: where a candidate can't be compared any more.
    """
    for trial in list_trials(store):
        if trial.ended_by is None and pack_id in (None, trial.pack_id):
            for run in _due(store, trial, on):
                if (night := _graded(store, trial, run)) is not None:
                    yield night


def list_trials(store: Store, before: int | None = None, limit: int | None = None) -> list[Trial]:
    """Trials, the newest first.

    :param before: only those with a smaller number: the last of the page before.
    """
    query = sa.select(PackTrial).order_by(PackTrial.id.desc()).limit(limit)
    if before is not None:
        query = query.where(PackTrial.id < before)
    with store.reading() as session:
        return [_trial(row) for row in session.scalars(query)]


def get_trial(store: Store, trial_id: int) -> Trial:
    """The trial of that number.

    :raises UnknownTrialError: where there is none.
    """
    with store.reading() as session:
        return _trial(_found(session, trial_id))


def nights_of(
    store: Store, trial_id: int, limit: int | None = None, before: int | None = None
) -> list[Night]:
    """The runs beside which a candidate was graded, the latest day first.

    :param before: only runs with a smaller number: the last of the page before.
    """
    query = sa.select(TrialNight, StoredPack.version).filter_by(trial_id=trial_id)
    query = query.join(Run, Run.id == TrialNight.run_id).join(StoredPack, StoredPack.hash == Run.pack_hash)
    if before is not None:
        query = query.where(TrialNight.run_id < before)
    with store.reading() as session:
        rows = session.execute(query.order_by(TrialNight.run_id.desc()).limit(limit))
        return [
            Night(row.trial_id, row.run_id, version, row.as_of, row.subjects, row.differ, row.moved)
            for row, version in rows
        ]


def moves_of(
    store: Store,
    trial_id: int,
    ended: bool = False,
    after: tuple[str, dt.date] | None = None,
    limit: int | None = None,
) -> list[Move]:
    """Who has another tier by the candidate, by subject and day.

    :param ended: those of whom it is so no more as well.
    :param after: only those after a subject and its day since when: the last of the page before.
    """
    query = sa.select(TrialMove).filter_by(trial_id=trial_id)
    if after is not None:
        query = query.where(sa.tuple_(TrialMove.subject_id, TrialMove.since) > sa.tuple_(*after))
    if not ended:
        query = query.where(TrialMove.until.is_(None))
    with store.reading() as session:
        ordered = query.order_by(TrialMove.subject_id, TrialMove.since).limit(limit)
        return [_move(row) for row in session.scalars(ordered)]


def counts_by_rule(moves: Iterable[Move]) -> dict[str, int]:
    """In how many of the moves the hits of a rule differ, the most first."""
    counted = Counter(rule for move in moves for rule in move.rules)
    return dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))


def rule_titles(store: Store, trial: Trial) -> dict[str, Title]:
    """What the rules of the candidate, and of those versions that ruled beside it, are called."""
    ruled = sa.select(Run.pack_hash).join(TrialNight, TrialNight.run_id == Run.id)
    ruled = ruled.where(TrialNight.trial_id == trial.id).distinct().order_by(Run.pack_hash)
    with store.reading() as session:
        hashes = [*session.scalars(ruled), trial.pack_hash]
    return {rule.id: rule.title for digest in hashes for rule in stored_pack(store, digest).rules}


def _hindrances(pack: Pack, versions: Sequence[Pack], on: dt.date) -> Iterator[Title]:
    known = [version for version in versions if version.id == pack.id]
    if not known:
        yield no_pack(pack, versions)
        return
    yield from foreign(pack, known[-1])
    if identity(pack) in map(identity, known):
        said = f"{pack.id} {pack.version}"
        yield Title(f"{said}即现有版本,无须试运行", f"{said} is a version that there is: nothing to try")
    if _ended(pack, on):
        until = pack.in_force_until
        yield Title(
            f"候选版本的施行期已于{until}届满,没有可试运行的日期:请改写in_force.until",
            f"the candidate's time ended on {until}, and no day is left to try it: change in_force.until",
        )


def _ended(pack: Pack, on: dt.date) -> bool:
    return pack.in_force_until is not None and pack.in_force_until <= on


def _as_if_in_force(pack: Pack, on: dt.date) -> Pack:
    return replace(pack, in_force_from=min(pack.in_force_from, on))


def _due(store: Store, trial: Trial, on: dt.date) -> list[RunSummary]:
    """The runs that it has not been tried beside."""
    pack, last = stored_pack(store, trial.pack_hash), nights_of(store, trial.id, 1)
    after = max([trial.after_run, *(night.run_id for night in last)])
    query = sa.select(Run).where(Run.pack_id == trial.pack_id, Run.id > after, Run.as_of <= on)
    with store.reading() as session:
        found = [summary_of(row) for row in session.scalars(query.order_by(Run.id))]
    latest, due = last[0].as_of if last else dt.date.min, list[RunSummary]()
    for run in found:
        if run.as_of < latest or _ended(pack, run.as_of):
            continue
        if due and due[-1].as_of == run.as_of:
            due.pop()
        due.append(run)
        latest = run.as_of
    return due


def _graded(store: Store, trial: Trial, run: RunSummary) -> Night | None:
    """The night of a run, kept; None where somebody else kept it, or a later one, or the trial has ended."""
    before, pack = (stored_pack(store, digest) for digest in (run.pack_hash, trial.pack_hash))
    with workspace() as duck:
        take_snapshot(store, pack.vocabulary, duck, run.known_at)
        found = simulate(duck, before, _as_if_in_force(pack, run.as_of), run.as_of, by=())
    with store.writing() as session:
        row = _locked(session, trial.id)
        query = sa.select(TrialNight.run_id).filter_by(trial_id=row.id)
        if row.ended_by is not None or session.scalar(query.where(TrialNight.run_id >= run.id).limit(1)):
            return None
        figures = {"subjects": found.subjects, "differ": found.differ, "moved": found.moved}
        session.add(TrialNight(trial_id=row.id, run_id=run.id, as_of=run.as_of, **figures))
        _keep_moves(session, row.id, run.as_of, found)
        return Night(row.id, run.id, before.version, run.as_of, **figures)


def _keep_moves(session: Session, trial_id: int, day: dt.date, found: Simulation) -> None:
    """What was so and is not any more ends on the day; a day that is graded again says what is so on it."""
    now = {move["subject_id"]: move for move in found.movers.to_pylist()}
    lasting = sa.or_(TrialMove.until.is_(None), TrialMove.until == day)
    for row in session.scalars(sa.select(TrialMove).where(TrialMove.trial_id == trial_id, lasting)):
        move = now.get(row.subject_id)
        if move is not None and (row.tier_before, row.tier) == (move["tier_before"], move["tier_after"]):
            row.until, row.rules = None, move["rules"]
            del now[row.subject_id]
        elif row.since == day:
            session.delete(row)
        else:
            row.until = day
    session.flush()
    session.add_all(
        TrialMove(
            trial_id=trial_id,
            subject_id=subject_id,
            since=day,
            tier_before=move["tier_before"],
            tier=move["tier_after"],
            rules=move["rules"],
        )
        for subject_id, move in now.items()
    )


def _found(session: Session, trial_id: int) -> PackTrial:
    row = session.get(PackTrial, trial_id)
    if row is None:
        raise UnknownTrialError(Title(f"没有编号为{trial_id}的试运行", f"there is no trial {trial_id}"))
    return row


def _locked(session: Session, trial_id: int) -> PackTrial:
    """As it stands once nobody else changes it."""
    row = _found(session, trial_id)
    session.refresh(row, with_for_update=True)
    return row


def _logged(session: Session, row: PackTrial, action: str, reason: str, by: By) -> Trial:
    session.flush()
    details = {"trial": row.id, "pack": row.pack_id, "version": row.version, "hash": row.pack_hash}
    append(session, [Event(by.who, by.role, action, details={**details, "reason": reason})])
    return _trial(row)


def _trial(row: PackTrial) -> Trial:
    return Trial(**{name: getattr(row, name) for name in Trial.__slots__})


def _move(row: TrialMove) -> Move:
    return Move(row.subject_id, row.since, row.until, row.tier_before, row.tier, tuple(row.rules.split()))
