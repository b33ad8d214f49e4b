"""The scan that makes up for what no event has seen: files, new packs, a process that died.

It goes on where one that was stopped has ended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from operator import add

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Pack
from rules.titles import Title
from scoring.live.events import Judge, Outcome, judge_of
from scoring.runs.leases import problem_of
from scoring.store import Store
from scoring.store.base import insert_into, table_of
from scoring.store.batches import parts
from scoring.store.live import LiveScan, LiveScanBegun
from scoring.store.models import RecordVersion, SubjectVersion, last_ingest

HISTORY_DAYS = 180
"""Own choice: half a year after its last record nobody opens a case for an alert that was not seen then."""

_AT_ONCE = 100
"""Subjects that are read, judged and kept together."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan did.

    :param subjects: how many it judged.
    :param before: how many one that was stopped had judged before.
    :param raised, grown, history: the alerts that opened, grew, or were found as history.
    :param failed: those that could not be judged, each with the reason (:attr:`Title.both`); the others were.
    """

    subjects: int
    before: int = 0
    raised: int = 0
    grown: int = 0
    history: int = 0
    failed: tuple[str, ...] = ()


def rescan(
    store: Store,
    pack: Pack,
    everybody: bool = False,
    progress: Callable[[int, int], None] = lambda done, whole: None,
    past: dt.date | None = None,
) -> Scan:
    """Judge the subjects of which something has changed since the last scan, from where one was stopped.

    :param everybody: judge all subjects. So it is where the pack is another than in the last scan.
    :param progress: told how many subjects are done, and of how many.
    :param past: a new alert whose last record is of before this day is history; none where it is None.
    """
    judge = judge_of(pack)
    with store.reading() as session:
        begun = _begun(session, pack.id, judge.digest, everybody)
        if begun is None:
            return Scan(0)
        subjects = _changed(session, pack.vocabulary.id, begun.since)
    was_stopped = begun.done != ""
    left = [subject_id for subject_id in subjects if subject_id > begun.done]
    before, found, failed = len(subjects) - len(left), list[Outcome](), list[str]()
    for start, some in enumerate(parts(left, _AT_ONCE)):
        found += _judged(store, judge, some, begun, past, failed)
        progress(before + start * _AT_ONCE + len(some), len(subjects))
    with store.writing() as session:
        session.execute(sa.delete(LiveScanBegun).where(LiveScanBegun.pack_id == pack.id))
        session.merge(LiveScan(pack_id=pack.id, pack_hash=judge.digest, known_at=begun.known_at))
    counts = {name: sum(getattr(one, name) for one in found) for name in ("raised", "grown", "history")}
    scan = Scan(len(left) - len(failed), before, **counts, failed=tuple(failed))
    if not was_stopped:
        return scan
    meanwhile = rescan(store, pack, progress=progress, past=past)  # what has changed behind it
    return Scan(*map(add, astuple(scan), astuple(meanwhile)))


_FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Of what is known of a subject; where the store itself fails, the scan does."""


def _judged(
    store: Store,
    judge: Judge,
    some: Sequence[str],
    begun: LiveScanBegun,
    past: dt.date | None,
    failed: list[str],
) -> list[Outcome]:
    """Judge some together; where one of them can't be, one by one, and name it."""
    begun.done = some[-1]
    try:
        return judge.judge_some(store, some, past=past, with_it=lambda session: _keep(session, begun))
    except _FAULTS as error:
        if len(some) > 1:
            return [one for name in some for one in _judged(store, judge, [name], begun, past, failed)]
        zh = f"{some[0]}:{problem_of(error).zh}"
        failed.append(Title(zh, f"{some[0]} ({type(error).__name__}: {error})").both)
        return []


def _keep(session: Session, begun: LiveScanBegun) -> None:
    """How far a scan has come; two at once do not stand in each other's way."""
    values = {column.name: getattr(begun, column.name) for column in table_of(LiveScanBegun).c}
    insert = insert_into(session.connection(), LiveScanBegun).values(values)
    session.execute(insert.on_conflict_do_update(index_elements=["pack_id"], set_=values))


def _begun(session: Session, pack_id: str, digest: str, everybody: bool) -> LiveScanBegun | None:
    """The scan to go on with, or a new one; None where nothing was ever taken in."""
    stopped = session.get(LiveScanBegun, pack_id)
    if stopped and stopped.pack_hash == digest and not (everybody and stopped.since):
        return stopped
    moment, last = last_ingest(session), session.get(LiveScan, pack_id)
    if moment is None:
        return None
    since = None if everybody or last is None or last.pack_hash != digest else last.known_at
    return LiveScanBegun(pack_id=pack_id, pack_hash=digest, known_at=moment, since=since, done="")


def _changed(session: Session, vocabulary_id: str, since: dt.datetime | None) -> list[str]:
    """Subjects of which a version began or ended after a moment; all of them where there is none."""
    subjects: set[str] = set()
    for version in (SubjectVersion,) if since is None else (SubjectVersion, RecordVersion):
        query = sa.select(version.subject_id).where(version.vocabulary == vocabulary_id).distinct()
        if since is not None:
            query = query.where(sa.or_(version.known_from > since, version.known_until > since))
        subjects.update(session.scalars(query))
    return sorted(subjects)
