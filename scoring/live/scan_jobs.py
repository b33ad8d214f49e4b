"""Scans for alerts that are asked for and done in the background: see :mod:`scoring.runs.leases`.

One that is stopped has kept what it judged: the next goes on where it ended.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from rules.calendar import add_days, today
from rules.model import Pack, Title
from rules.titles import TitledError
from scoring.access.asked import log_refusal
from scoring.live.scanning import HISTORY_DAYS, rescan
from scoring.runs import leases
from scoring.runs.leases import BEAT, SCANS, AskerEndedError, Job, JobLostError, Refused, problem_of
from scoring.store import Store
from scoring.store.access import EVERY_PACK
from scoring.store.base import Clock, database_time
from scoring.store.rulebook import known_ruling

NAMED = 20
"""So many of those that could not be judged are named; of all it is said how many they are."""


class ScanError(TitledError):
    """Packs could not be judged; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a scan has come to.

    :param done, whole: of how many subjects how many are judged, by the pack that it is at.
    :param raised, grown, history: the alerts that opened, grew, or were found as history.
    :param failed: how many could not be judged; ``named``: the first of them, each with the
        reason (:attr:`Title.both`).
    """

    done: int = 0
    whole: int = 0
    raised: int = 0
    grown: int = 0
    history: int = 0
    failed: int = 0
    named: tuple[str, ...] = ()


def packs_with_alerts(store: Store, day: dt.date) -> list[Pack]:
    """The packs in force that look for alerts."""
    return [pack for pack in known_ruling(store, day) if pack.alerts]


def request_scan(store: Store, requested_by: str, clock: Clock = database_time) -> Job:
    """Note that a scan by every pack is wanted, and start it.

    :raises JobConflictError: where another one is still at work; one at a time.
    """
    job = take_lease(store, requested_by, clock)
    leases.start(store, SCANS, job.id)
    return job


def take_lease(store: Store, requested_by: str, clock: Clock = database_time) -> Job:
    """A scan that has the lease.

    :raises JobConflictError: where another one has it.
    """
    return leases.take_lease(store, SCANS, requested_by, clock, pack_id=EVERY_PACK, as_of=today())


def list_scans(
    store: Store, before: int | None = None, limit: int | None = None, clock: Clock = database_time
) -> list[Job]:
    """Scans that were asked for, the newest first.

    :param before: only those with a smaller number: the last of the page before.
    """
    return leases.list_jobs(store, SCANS, before, limit, clock)


def told_of(job: Job) -> Told:
    """What a scan has come to; nothing of one that has not begun."""
    if job.told is None:
        return Told()
    found = json.loads(job.told)
    return Told(**found | {"named": tuple(found["named"])})


def work(
    store: Store,
    job_id: int,
    beat: dt.timedelta = BEAT,
    clock: Clock = database_time,
    refused: Refused = log_refusal,
) -> None:
    """Do a scan in this process, and note how it goes. A pack that fails does not stop the others.

    :param refused: as for :func:`scoring.runs.leases.at_work`.
    :raises JobNotFoundError: where there is none.
    :raises JobLostError: where it does not have the lease; what it judged is kept.
    :raises AskerEndedError: where who asked for it may no longer act; what it judged until then is kept.
    :raises ScanError: where a pack fails.
    """
    with leases.at_work(store, SCANS, job_id, "scanning", beat, clock, refused) as (job, note):
        past, told, judged, problems = add_days(job.as_of, -HISTORY_DAYS), Told(), 0, list[Title]()
        for pack in packs_with_alerts(store, job.as_of):
            try:
                told, of_pack = _by(store, pack, past, told, note)
            except (JobLostError, AskerEndedError):
                raise
            except Exception as error:
                why = problem_of(error)
                problems.append(Title(f"{pack.title.zh}:{why.zh}", f"{pack.title.en}: {why.en}"))
            else:
                judged += of_pack
        if problems:
            zh, en = ("; ".join(getattr(said, half) for said in problems) for half in ("zh", "en"))
            raise ScanError(Title(zh, en))
        note(state="scanned", rows=judged, told=_kept(told), lease=None)


def _by(store: Store, pack: Pack, past: dt.date, told: Told, note: Callable[..., None]) -> tuple[Told, int]:
    """What the scan has come to after a pack, and how many subjects it judged."""

    def progress(done: int, whole: int) -> None:
        note(told=_kept(Told(**asdict(told) | {"done": done, "whole": whole})))

    found = rescan(store, pack, progress=progress, past=past)
    return Told(
        raised=told.raised + found.raised,
        grown=told.grown + found.grown,
        history=told.history + found.history,
        failed=told.failed + len(found.failed),
        named=(*told.named, *found.failed)[:NAMED],
    ), found.subjects


def _kept(told: Told) -> str:
    return json.dumps(asdict(told), ensure_ascii=False)


if __name__ == "__main__":
    from scoring.cli.errors import plainly

    with plainly("scoring.live.scan_jobs NUMBER"):
        leases.main(work)
