"""Scans by button: one at a time, beside the runs; one that is stopped is gone on with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.calendar import today
from scoring.access.audit import entries
from scoring.access.keys import Role, create_key, revoke_key
from scoring.live import scan_jobs, scanning
from scoring.live.scan_jobs import ScanError, Told, list_scans, take_lease, told_of, work
from scoring.runs import jobs
from scoring.runs.leases import LEASE, AskerEndedError, JobConflictError, JobLostError, JobNotFoundError
from scoring.store import Store
from scoring.store.base import database_time

from .events_pack import firms, record, take_in

FINED = [record(f"p{number}", "penalty", str(today()), field="food") for number in range(1, 4)]


@pytest.fixture
def fined(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Five firms, one of which has been fined three times: the pattern of the pack."""
    monkeypatch.setattr(scan_jobs, "packs_with_alerts", lambda store, day: [firms()])
    monkeypatch.setattr(scanning, "_AT_ONCE", 2)
    take_in(store, "subject", [{"firm_id": name} for name in "ABCDE"])
    take_in(store, "record", FINED)
    return store


def test_a_scan_by_button_says_how_far_it_is_and_what_came_of_it(
    fined: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, kept = list[tuple[str, int, int]](), scan_jobs._kept

    def see(told: Told) -> str:
        (job,) = list_scans(fined)
        seen.append((job.state, told_of(job).done, told_of(job).whole))
        return kept(told)

    monkeypatch.setattr(scan_jobs, "_kept", see)
    work(fined, take_lease(fined, "tests").id)
    assert seen == [("scanning", 0, 0), *(("scanning", done, 5) for done in (2, 4, 5))]
    (done,) = list_scans(fined)
    told = told_of(done)
    assert (done.state, done.rows, told.raised, told.failed) == ("scanned", 5, 1, 0)
    monkeypatch.undo()
    monkeypatch.setattr(scan_jobs, "packs_with_alerts", lambda store, day: [firms()])
    work(fined, take_lease(fined, "tests").id)
    assert list_scans(fined)[0].rows == 0, "nothing has changed since"


def test_a_second_scan_waits_and_a_run_does_not(fined: Store) -> None:
    first = take_lease(fined, "tests")
    with pytest.raises(JobConflictError, match=str(first.id)):
        take_lease(fined, "tests")
    run = jobs.take_lease(fined, "firms", today(), "tests")
    assert [job.id for job in jobs.list_jobs(fined)] == [run.id], "a scan is no run"
    assert [job.id for job in list_scans(fined)] == [first.id]
    with pytest.raises(JobNotFoundError):
        jobs.get_job(fined, first.id)


def test_a_scan_that_was_lost_is_gone_on_with_by_the_next(
    fined: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = take_lease(fined, "tests")
    noted = scan_jobs._by

    def taken_away(*given: object) -> object:
        *rest, note = given

        def note_and_lose(**values: object) -> None:
            note(**values)  # type: ignore[operator]
            take_lease(fined, "other", lambda session: database_time(session) + LEASE)

        return noted(*rest, note_and_lose)  # type: ignore[arg-type]

    monkeypatch.setattr(scan_jobs, "_by", taken_away)
    with pytest.raises(JobLostError):
        work(fined, lost.id)
    monkeypatch.setattr(scan_jobs, "_by", noted)
    following = list_scans(fined)[0]
    assert following.id != lost.id
    work(fined, following.id)
    told = list_scans(fined)
    assert [job.state for job in told] == ["scanned", "failed"]
    assert told[0].rows is not None
    assert told[0].rows < 5, "what was judged before is not judged again"


def test_a_pack_that_fails_is_named_and_the_others_are_done(
    fined: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = replace(firms(), id="bad")
    by = scan_jobs._by

    def fails(store: Store, pack: object, *rest: object) -> object:
        if pack is bad:
            raise ValueError("no such column")
        return by(store, pack, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(scan_jobs, "packs_with_alerts", lambda store, day: [bad, firms()])
    monkeypatch.setattr(scan_jobs, "_by", fails)
    with pytest.raises(ScanError):
        work(fined, take_lease(fined, "tests").id)
    (done,) = list_scans(fined)
    assert (done.state, "no such column" in str(done.problem)) == ("failed", True)
    assert scanning.rescan(fined, firms()).subjects == 0, "the other was judged"


def test_a_scan_whose_key_ends_meanwhile_keeps_what_it_judged_and_judges_no_more(
    fined: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = create_key(fined, Role.REGULATOR, "周审核").key.prefix
    job = take_lease(fined, prefix)
    judged, judge = list[str](), scanning._judged

    def ends_then(store: Store, own: object, some: list[str], *rest: object) -> object:
        judged.extend(some)
        if len(judged) > 2:
            revoke_key(store, prefix)
        return judge(store, own, some, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(scanning, "_judged", ends_then)
    with pytest.raises(AskerEndedError):
        work(fined, job.id)
    (done,) = list_scans(fined)
    assert (done.state, told_of(done).done, "revoked" in str(done.problem)) == ("failed", 2, True)
    assert [entry.actor for entry in entries(fined, action="jobs.refuse")] == [prefix]
    monkeypatch.setattr(scanning, "_judged", judge)
    assert scanning.rescan(fined, firms()).subjects == 3, "of what was not kept"
