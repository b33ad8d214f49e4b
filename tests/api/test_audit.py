"""The audit log holds every read and change, and shows when somebody was at it."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from client import Client
from small_district import FINED, SUBJECTS, take

from rules.calendar import SHANGHAI
from scoring.access.audit import GENESIS, Anchor, AuditLog, Event, chained, entries, verify
from scoring.store import Store, StoreError
from scoring.store.access import AuditEntry, AuditHead


@pytest.fixture
def log(store: Store) -> AuditLog:
    """A log with six entries."""
    log = AuditLog(store)
    for number in range(6):
        log.write([Event("tests", "operator", "test.read", f"subject {number}", details={"number": number})])
    return log


def _as_intruder(store: Store, *statements: str | sa.Executable) -> None:
    """What somebody can do who may change the database's structure."""
    with store.writing() as session:
        if store.is_sqlite:
            session.execute(sa.text("DROP TRIGGER audit_no_update"))
            session.execute(sa.text("DROP TRIGGER audit_no_delete"))
        else:
            session.execute(sa.text("DROP TRIGGER audit_append_only ON audit_entries"))
        for statement in statements:
            session.execute(sa.text(statement) if isinstance(statement, str) else statement)


def test_every_read_of_a_subject_is_logged_before_it_is_answered(store: Store, regulator: Client) -> None:
    regulator.get(f"/v1/subjects/{FINED}/explanation", headers={"X-Request-Id": "ask-1"})
    entry = regulator.get(f"/v1/audit?subject_id={FINED}").json["items"][0]
    assert (entry["action"], entry["actor"], entry["request_id"]) == (
        "subjects.get_explanation",
        regulator.prefix,
        "ask-1",
    )


def test_who_asks_for_a_natural_person_is_logged_without_the_number(regulator: Client) -> None:
    assert regulator.get("/v1/subjects/500102199001011236/grade").status_code == 422
    regulator.get("/v1/subjects?q=500102199001011236")
    for entry in regulator.get("/v1/audit").json["items"][:2]:
        assert "自然人" in str(entry)
        assert "500102199001011236" not in str(entry)


def test_a_listing_is_logged_with_the_subjects_on_it(regulator: Client) -> None:
    shown = [grade["subject_id"] for grade in regulator.get("/v1/subjects?limit=3").json["items"]]
    assert regulator.get("/v1/audit").json["items"][0]["details"]["subjects"] == shown


def test_a_change_is_logged_before_it_is_tried_and_with_its_outcome(regulator: Client) -> None:
    regulator.post("/v1/runs", json={"as_of": "1990-01-01"})
    done, asked = regulator.get("/v1/audit?action=runs.post_run").json["items"]
    assert (asked["details"]["phase"], done["details"]["phase"], done["details"]["status"]) == (
        "asked",
        "failed",
        422,
    )


def test_an_address_too_long_for_any_key_is_not_found_and_in_no_log(
    store: Store, regulator: Client, lender: Client
) -> None:
    """PostgreSQL refuses it for its index, and with it whatever else was to be logged at that moment."""
    letters = random.Random(1)
    noise = "".join(letters.choice("0123456789abcdefghijklmnopqrstuvwxyz") for _ in range(9_000))
    paths = ("", "/grade", "/explanation", "/forecast", "/consents", "/live-grade")
    asked = [client.get(f"/v1/subjects/{noise}{path}") for client in (regulator, lender) for path in paths]
    asked += [regulator.get(f"/v1/records/{noise}"), regulator.post(f"/v1/records/{noise}/repairs", json={})]
    assert {answer.status_code for answer in asked} == {404}
    assert entries(store) == []
    padded = f"{FINED[:9]}{'%20' * 200}{FINED[9:]}"
    assert regulator.get(f"/v1/subjects/{padded}/grade").json["subject_id"] == FINED
    assert lender.get(f"/v1/subjects/{noise[:400]}/grade").status_code == 403
    assert len(entries(store)) == 2


def test_what_was_refused_is_logged_too(lender: Client, regulator: Client) -> None:
    lender.get(f"/v1/subjects/{FINED}/grade")
    entry = regulator.get(f"/v1/audit?actor={lender.prefix}").json["items"][0]
    assert (entry["subject_id"], entry["details"]["status"]) == (FINED, 403)


def test_where_the_log_cannot_be_written_nothing_is_answered(store: Store, regulator: Client) -> None:
    _as_intruder(store, "DROP TABLE audit_head")
    answer = regulator.get(f"/v1/subjects/{FINED}/grade")
    assert answer.status_code in (500, 503)
    assert FINED not in answer.text.replace(answer.json["instance"], "")


def test_an_untouched_log_is_whole(store: Store, log: AuditLog) -> None:
    found = verify(store)
    assert (found.entries, found.head.seq, found.faults) == (6, 6, ())


def test_the_database_refuses_to_change_the_log(store: Store, log: AuditLog) -> None:
    for statement in ("UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.engine.begin() as connection:
            connection.execute(sa.text(statement))


@pytest.mark.parametrize(
    ("statements", "where"),
    [
        (["UPDATE audit_entries SET actor = 'x' WHERE seq = 3"], {3}),
        (["UPDATE audit_entries SET details = '{}' WHERE seq = 1"], {1}),
        (["DELETE FROM audit_entries WHERE seq = 3"], {4}),
        (["DELETE FROM audit_entries WHERE seq > 4"], {4}),
        (["DELETE FROM audit_entries"], {0}),
        (
            [
                "UPDATE audit_entries SET seq = 99 WHERE seq = 2",
                "UPDATE audit_entries SET seq = 2 WHERE seq = 3",
                "UPDATE audit_entries SET seq = 3 WHERE seq = 99",
            ],
            {2, 3, 4},
        ),
        (["UPDATE audit_head SET seq = 5"], {6}),
        (["DELETE FROM audit_head"], {6}),
    ],
    ids=[
        "altered",
        "first altered",
        "removed",
        "cut off",
        "emptied",
        "moved",
        "head altered",
        "head removed",
    ],
)
def test_whatever_is_done_to_the_log_is_found(
    store: Store, log: AuditLog, statements: list[str], where: set[int]
) -> None:
    _as_intruder(store, *statements)
    assert {fault.seq for fault in verify(store).faults} == where


def test_it_is_said_which_entries_were_removed(store: Store, log: AuditLog) -> None:
    _as_intruder(store, "DELETE FROM audit_entries WHERE seq IN (2, 3)")
    (fault,) = verify(store).faults
    assert (fault.seq, fault.message.en) == (4, "entries 2 to 3 were removed")


def test_a_log_rewritten_with_its_head_is_found_by_an_anchor(store: Store, log: AuditLog) -> None:
    anchor = verify(store).head
    start = sa.update(AuditHead).values(seq=0, hash="0" * 64)
    _as_intruder(store, sa.delete(AuditEntry), start)
    AuditLog(store).write([Event("tests", "operator", "test.read", f"other {n}") for n in range(7)])
    assert verify(store).faults == ()
    assert [fault.seq for fault in verify(store, [anchor]).faults] == [6]
    assert [fault.seq for fault in verify(store, [Anchor(50, anchor.hash)]).faults] == [50]


def test_the_hash_of_an_entry_stays_what_it_was_when_the_log_was_begun() -> None:
    at = dt.datetime(2026, 7, 31, 1, 2, 3, tzinfo=dt.UTC)
    said = ("4n7w4nxc7z", "regulator", "subjects.get_grade", FINED, None, '{"说":"a\\"\\n"}')
    written = f'{GENESIS}[1,"2026-07-31T01:02:03+00:00","4n7w4nxc7z","regulator",'
    written += f'"subjects.get_grade","{FINED}",null,'
    written += r'"{\"说\":\"a\\\"\\n\"}"]'
    assert chained(GENESIS, (1, at, *said)) == hashlib.sha256(written.encode()).hexdigest()


def test_an_entry_that_cannot_be_written_keeps_no_other_out(store: Store, log: AuditLog) -> None:
    with pytest.raises(TypeError):
        log.write([Event("tests", "operator", "test.read", details={"text": "\ud800"})])
    log.write([Event("tests", "operator", "test.read", "after")] * 1_200)
    found = verify(store)
    assert (found.entries, found.faults) == (1_206, ())


def _head(store: Store, statement: str) -> None:
    with store.engine.execution_options(writing=True).begin() as connection:
        connection.execute(sa.text(statement))


def test_after_a_write_that_failed_the_log_goes_on_and_nobody_gets_the_old_error(
    store: Store, log: AuditLog, regulator: Client
) -> None:
    _head(store, "ALTER TABLE audit_head RENAME TO away")
    for _ in range(2):
        with pytest.raises((StoreError, sa.exc.DBAPIError)):
            log.write([Event("tests", "operator", "test.read", "lost")])
    assert regulator.get(f"/v1/subjects/{FINED}/grade").status_code in (500, 503)
    _head(store, "ALTER TABLE away RENAME TO audit_head")
    for number in range(3):
        log.write([Event("tests", "operator", "test.read", f"kept {number}")])
        assert regulator.get(f"/v1/subjects/{FINED}/grade").status_code == 200
    found = verify(store)
    assert (found.entries, found.faults) == (12, ())
    with store.reading() as session:
        assert "lost" not in session.scalars(sa.select(AuditEntry.subject_id)).all()


def test_after_a_write_that_got_no_connection_nobody_gets_the_old_error(store: Store, log: AuditLog) -> None:
    """It fails before its turn has begun, when others may still join it."""

    def refuse(*_: object) -> None:
        raise ConnectionError("no connection")

    sa.event.listen(store.engine.pool, "checkout", refuse)
    with pytest.raises(ConnectionError):
        log.write([Event("tests", "operator", "test.read", "lost")])
    sa.event.remove(store.engine.pool, "checkout", refuse)
    log.write([Event("tests", "operator", "test.read", "kept")])
    assert (verify(store).entries, verify(store).faults) == (7, ())


def test_all_who_waited_for_a_write_that_failed_are_told_and_none_afterwards(
    store: Store, log: AuditLog
) -> None:
    _head(store, "ALTER TABLE audit_head RENAME TO away")
    told: list[Exception] = []

    def write() -> None:
        try:
            log.write([Event("tests", "operator", "test.read", "lost")])
        except (StoreError, sa.exc.DBAPIError) as error:
            told.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 8
    _head(store, "ALTER TABLE away RENAME TO audit_head")
    write()
    assert len(told) == 8
    assert (verify(store).entries, verify(store).faults) == (7, ())


def test_a_clock_that_is_set_back_leaves_the_log_whole(store: Store, log: AuditLog) -> None:
    """Entries stand in the order of their coming, whatever their clock said."""
    earlier = dt.datetime.now(dt.UTC) - dt.timedelta(days=400)
    log.write([Event("tests", "operator", "test.read", "later", at=earlier)])
    assert (verify(store).entries, verify(store).faults) == (7, ())
    newest = entries(store, limit=1)[0]
    assert (newest.subject_id, newest.at) == ("later", earlier)


def test_an_entry_of_another_time_zone_is_the_same_moment_and_leaves_the_log_whole(
    store: Store, log: AuditLog
) -> None:
    noon = dt.datetime(2026, 8, 1, 12, tzinfo=SHANGHAI)
    log.write([Event("tests", "operator", "test.read", "noon", at=noon)])
    assert verify(store).faults == ()
    assert (entries(store, limit=1)[0].at, noon.utcoffset()) == (noon, dt.timedelta(hours=8))


@pytest.fixture
def supervised(store: Store, regulator: Client, monkeypatch: pytest.MonkeyPatch) -> str:
    """A district with an alert and a plan in which somebody was refused; the plan's address."""
    pool = {"authority": "甲局", "monthly_visits": 9, "state": "active"}
    take(store, "inspector", "subject", "inspector_id", [{"inspector_id": f"I{n}", **pool} for n in range(6)])
    wish = {"kind": "check_request", "level": "complaint", "occurred_on": "2026-08-03", "status": "effective"}
    wishes = [
        wish | {"record_id": "Q-1", "subject_id": SUBJECTS[0], "authority": "甲局"},
        wish
        | {"record_id": "Q-2", "subject_id": SUBJECTS[1], "authority": "乙局"},  # which has no inspectors
    ]
    fixed = {"kind": "complaint", "level": "upheld", "status": "effective", "subject_id": SUBJECTS[5]}
    rows = [fixed | {"record_id": f"C-{n}", "occurred_on": f"2026-07-0{n}"} for n in range(1, 4)]
    assert regulator.post("/v1/records", json={"records": rows + wishes}).status_code == 200
    monkeypatch.setattr("scoring.inspections.office.today", lambda: dt.date(2026, 8, 1))
    plan = regulator.post("/v1/inspection-plans", json={"month": "2026-08", "seed": "1"})
    assert plan.status_code == 201
    return str(plan.headers["Location"])


@pytest.mark.parametrize(
    ("path", "whom"),
    [
        (f"/v1/subjects/{FINED}", FINED),
        (f"/v1/subjects/{FINED}/grade", FINED),
        (f"/v1/subjects/{FINED}/explanation", FINED),
        (f"/v1/subjects/{FINED}/history", FINED),
        (f"/v1/subjects/{SUBJECTS[5]}/live-grade", SUBJECTS[5]),
        ("/v1/records/P-1", FINED),
        ("/v1/subjects?limit=3", None),
        ("/v1/records?limit=3", None),
        ("/v1/alerts", None),
        ("/v1/runs/2/moves?against=1", None),
        ("{plan}/visits", None),
        ("{plan}/refusals", None),
    ],
)
def test_the_log_says_whose_data_were_read(
    regulator: Client, supervised: str, path: str, whom: str | None
) -> None:
    answer = regulator.get(path.format(plan=supervised))
    assert answer.status_code == 200, answer.text
    entry = regulator.get("/v1/audit?limit=1").json["items"][0]
    assert (entry["actor"], entry["role"]) == (regulator.prefix, "regulator")
    if whom is not None:
        assert entry["subject_id"] == whom
    else:
        shown = answer.json["items"] if isinstance(answer.json, dict) else answer.json
        assert shown, "an empty list would prove nothing"
        assert set(entry["details"]["subjects"]) == {item["subject_id"] for item in shown}


def test_writers_wait_at_a_file_beside_a_store_that_is_one(store: Store, log: AuditLog) -> None:
    """Whoever copies the folder sees it; where a server keeps the data there is none."""
    place = Path(f"{store.engine.url.database}-audit-lock")
    assert place.exists() is store.is_sqlite


def test_many_writers_make_one_chain(store: Store) -> None:
    logs = [AuditLog(store), AuditLog(store)]

    def write(log: AuditLog, name: str) -> None:
        for number in range(10):
            log.write([Event(name, "operator", "test.read", details={"number": number})])

    threads = [
        threading.Thread(target=write, args=(log, f"{i}{n}")) for i, log in enumerate(logs) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify(store)
    assert (found.entries, found.faults) == (80, ())
    with store.reading() as session:
        rows = session.execute(sa.select(AuditEntry.actor, AuditEntry.details).order_by(AuditEntry.seq))
        seen = {}
        for actor, details in rows:
            seen.setdefault(actor, []).append(details)
    assert all(own == [f'{{"number":{n}}}' for n in range(10)] for own in seen.values())
