"""No request reads a whole table that grows: what it looks for it seeks, in SQLite and in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from client import Client, Sign
from flask import Flask
from lending_desk import Clock, check, consented
from repairing import steps
from seeing import having_looked
from small_district import AUTHORITY, FINED, LISTED, stricter, take

from scoring.access.audit import AuditLog, Event, entries_of
from scoring.access.keys import Role
from scoring.runs.proposals import propose, withdraw_proposal
from scoring.store import Store
from scoring.store.schema import METADATA

GROWING = frozenset(METADATA.tables) - {
    *(
        "alembic_version",
        "audit_head",
        "packs",
        "runs",
        "run_jobs",
        "proposals",
        "installations",
        "pack_trials",
        "trial_nights",
        "trial_moves",
        "live_scans",
        "live_scans_begun",
        "terms",
        "tallies",
    ),
    *("inspection_plans", "planned_visits", "refused_visits"),
}
"""The tables that grow with records and requests, not with runs and plans."""

MANY = 3_000
PROPOSAL = 3
MOST_STEPS = 12_000
"""Of SQLite's machine, for one statement: four for each row that is in a table and is not asked for."""

EVIDENCE = [{"title": "t", "reference": "r"}]
MARK = {"reason": "x", "evidence": EVIDENCE, "effective_on": "2026-08-01"}
NOW = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@pytest.fixture
def grown(store: Store) -> Store:
    """The district with much in it that no request asks for; PostgreSQL knows how much, as by itself."""
    _fill_records(store)
    AuditLog(store).write([Event("other", "regulator", "lender.other", f"9{n:017}") for n in range(MANY)])
    AuditLog(store).write(
        [
            Event("other", "lender", action, details={"lender": "其他银行", "office": "x", "file": f"9{n}"})
            for action in ("lender.check", "files.take")
            for n in range(MANY)
        ]
    )
    with store.writing() as session:
        for name, row in _OTHERS.items():
            many = MANY * 3 if name == "alerts" else MANY  # which are read in the order of their numbers
            rows = [{column: value(n) for column, value in row.items()} for n in range(many)]
            session.connection().execute(sa.insert(METADATA.tables[name]), rows)
    _propose(store)
    if not store.is_sqlite:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
    return store


def _fill_records(store: Store) -> None:
    rows: list[dict[str, object]] = [
        {"record_id": f"Z-{n:06}", "subject_id": f"9{n % 997:017}", "kind": "complaint"}
        | {"authority": f"单位{n % 7}", "occurred_on": "2026-01-01", "status": "effective"}
        for n in range(MANY)
    ]
    take(store, "enterprise", "record", "record_id", rows)
    take(store, "enterprise", "record", "record_id", [row | {"status": "revoked"} for row in rows])
    subjects: list[dict[str, object]] = [{"subject_id": f"9{n:017}", "name": f"企业{n}"} for n in range(MANY)]
    take(store, "enterprise", "subject", "subject_id", subjects)
    bodies: list[dict[str, object]] = [
        {"subject_id": "DW101", "name": AUTHORITY, "other_names": "市场局"},
        {"subject_id": "DW102", "name": "税务局"},
    ]
    take(store, "department", "subject", "subject_id", bodies)


def _propose(store: Store) -> None:
    """One by which all of the district would fall, and an older one by which many others would have."""
    strict = stricter()
    older = propose(store, strict.load(), NOW.date(), 10, "tests", text=strict)
    withdraw_proposal(store, older.id, "x", "tests")
    with store.writing() as session:
        falls = [
            {"proposal_id": older.id, "subject_id": f"9{n:017}", "tier_before": "A", "tier": "B"}
            | {"score_before": 0, "score": 0}
            for n in range(MANY)
        ]
        session.connection().execute(sa.insert(METADATA.tables["proposed_falls"]), falls)
        said = {"proposal_id": older.id, "text": "x", "made_by": "x", "made_at": NOW}
        answers = [said | {"subject_id": f"9{n:017}"} for n in range(MANY)]
        session.connection().execute(sa.insert(METADATA.tables["proposal_answers"]), answers)
    withdraw_proposal(store, propose(store, strict.load(), NOW.date(), 10, "tests").id, "x", "tests")
    assert propose(store, strict.load(), NOW.date(), 10, "tests").id == PROPOSAL


def _same(value: object) -> Callable[[int], object]:
    return lambda n: value


_number: Callable[[int], object] = lambda n: f"9{n:017}"  # noqa: E731
_OTHERS: dict[str, dict[str, Callable[[int], object]]] = {
    "ingested_files": {
        "sha256": _number, "name": _same("x"), "vocabulary": _same("enterprise"), "table": _same("record"),
        "rows_good": _same(0), "rows_bad": _same(1), "ingested_at": lambda n: NOW + dt.timedelta(seconds=n),
    },
    "quarantine": {"file_id": lambda n: n + 1, "row_no": _same(1), "reason": _same("x")},
    "feeds": {
        "file_id": lambda n: n + 1, "authority": lambda n: f"单位{n % 7}",
        "came_on": _same(dt.date(2000, 1, 1)), "taken": _same(1), "refused": _same(1),
        "late": _same(1), "backlog": _same(0), "corrected": _same(1),
        "contradicted": _same(1),
    },
    "graded_subjects": {"number": lambda n: n + 1_000, "pack_id": _same("other"), "subject_id": _number},
    "graded_rules": {"number": lambda n: n + 1_000, "pack_id": _same("other"), "rule": _number},
    "touches": {"subject": lambda n: n + 1_000, "run": _same(999), "from_day": _same(NOW.date())},
    "segments": {
        "subject": lambda n: n + 1_000, "run": _same(999), "begins": _same(NOW.date()), "score": _same(0),
        "tier": _same("A"), "band": _same("A"), "known": _same(1), "total": _same(1),
    },
    "spans": {
        "subject": lambda n: n + 1_000, "run": _same(999), "no": _same(1), "rule": _same(1),
        "begins": _same(NOW.date()), "points": _same(0),
    },
    "record_marks": {
        "vocabulary": _same("enterprise"), "record_id": _number, "subject_id": _number,
        "kind": _same("repair"), "status_before": _same("x"), "status_after": _same("y"),
        "effective_on": _same(NOW.date()),
        "reason": _same("x"), "evidence": _same("[]"), "made_by": _same("x"), "made_at": _same(NOW),
    },
    "problems": {
        "number": _number, "title": _same("x"), "source": _same("hotline"), "stage": _same("evaluated"),
        "owner": _same("DW999"), "opened_on": _same(NOW.date()), "reopened": _same(0),
        "reminded": _same(False), "escalations": _same(0),
    },
    "problem_steps": {
        "problem_id": lambda n: n + 1, "no": _same(1), "move": _same("open"), "actor": _same("desk"),
        "by": _same("x"), "on": _same(NOW.date()), "at": _same(NOW),
    },
    "alerts": {
        "pack_id": _same("enterprise-credit"), "pack_hash": _same("x"), "alert": _same("x"),
        "subject_id": _number, "records": _same("[]"), "matches": _same("{}"), "version": _same(1),
        "raised_at": _same(NOW), "acknowledged_at": _same(NOW), "last_on": _same(dt.date(2000, 1, 1)),
        "town": _same("x"), "assigned_to": _same("x"),
    },
    "live_grades": {
        "pack_id": _same("x"), "subject_id": _number, "pack_hash": _same("x"), "as_of": _same(NOW.date()),
        "known_at": _same(NOW), "graded_at": _same(NOW), "score": _same(0), "tier": _same("A"),
        "band": _same("A"), "inputs_known": _same(0), "inputs_total": _same(0), "dimensions": _same("{}"),
        "hits": _same("[]"),
    },
    "kept_answers": {
        "api_key": _same("x"), "idempotency_key": _number, "request_hash": _same("x"), "status": _same(200),
        "body": _same("{}"), "kept_at": lambda n: dt.datetime.now(dt.UTC),
    },
    "api_keys": {
        "prefix": _number, "secret_hash": _same("x"), "role": _same("lender"), "owner": _same("x"),
        "created_at": _same(NOW),
    },
    "lenders": {"name": _number},
    "visits": {
        "code": _number, "pack_id": _same("x"), "vocabulary": _same("enterprise"),
        "subject_id": lambda n: f"V{n}", "ground": _same("request"), "over_cap": _same(False),
        "authorities": _same('["x"]'),
        "inspectors": _same("[]"), "begins_on": _same(NOW.date()), "ends_on": _same(NOW.date()),
        "report_until": _same(NOW.date()), "issued_by": _same("x"), "issued_at": _same(NOW),
        "outcome": _same("passed"),
    },
    "record_proposals": {
        "vocabulary": _same("enterprise"), "record_id": _number, "subject_id": _number,
        "column": _same("severity"), "proposed": _same("serious"), "meanwhile": _same("general"),
        "because_zh": _same("x"), "because_en": _same("x"), "raised_at": _same(NOW),
    },
    "record_contradictions": {
        "vocabulary": _same("enterprise"), "record_id": _number, "subject_id": _number, "mark_id": _same(1),
        "claimed": _same("x"), "data": _same("{}"), "file_id": _same(1), "row_no": _same(1),
        "raised_at": _same(NOW), "closed_at": _same(NOW),
    },
    "record_twins": {
        "vocabulary": _same("enterprise"), "first_id": _number, "second_id": _number,
        "subject_id": _number, "found_at": _same(NOW), "outcome": _same("same"),
    },
    "consequences": {
        "vocabulary": _same("enterprise"), "subject_id": _number, "office": _number, "clause": _same("x"),
        "told": _same('["x", "x"]'), "record_id": _number, "reason": _same("x"),
        "begins_on": _same(NOW.date()), "entered_by": _same("x"), "entered_at": _same(NOW),
        "lifted_on": _same(NOW.date()), "lifted_at": _same(NOW), "lifted_because": _same("x"),
    },
    "consents": {
        "lender": _number, "subject_id": _number, "reference": _number, "purposes": _same("loan"),
        "valid_from": _same(NOW.date()), "valid_until": _same(NOW.date()), "registered_at": _same(NOW),
        "registered_by": _same("x"), "registered_role": _same("lender"),
    },
}  # fmt: skip


class _Steps:
    """Counts what SQLite does for a statement: a search by half an index is a scan as well."""

    def __init__(self, statement: str, plan: list[str]) -> None:
        self.statement, self.plan, self.taken = statement, plan, 0

    def count(self) -> None:
        """Called by SQLite after each thousand."""
        self.taken += 1_000


@contextmanager
def _watched(store: Store) -> Iterator[list[str]]:
    """Every statement of the store that reads a growing table from end to end, with its plan."""
    scans: list[str] = []
    counted: list[_Steps] = []

    def explain(
        connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        if not statement.startswith(EXPLAINED):
            return
        given = parameters[0] if many else parameters
        plain: Any = connection.connection.dbapi_connection
        if store.is_sqlite:
            plan = [row[3] for row in plain.execute(f"EXPLAIN QUERY PLAN {statement}", given)]
            found = list(_scans_in_sqlite(plan, "LIMIT" in statement))
            counted.append(_Steps(statement, plan))
            plain.set_progress_handler(counted[-1].count, 1_000)
        else:
            plan = plain.execute(f"EXPLAIN (FORMAT JSON) {statement}", given).fetchone()[0]
            found = list(_scans_in_postgresql(plan[0]["Plan"], False))
        if found:
            scans.append(f"{', '.join(found)}: {statement}\n{json.dumps(plan, indent=1)}")

    sa.event.listen(store.engine, "before_cursor_execute", explain)
    try:
        yield scans
    finally:
        sa.event.remove(store.engine, "before_cursor_execute", explain)
    scans += [f"{s.taken} steps: {s.statement}\n{s.plan}" for s in counted if s.taken > MOST_STEPS]


def _scans_in_sqlite(plan: list[str], has_limit: bool) -> Iterator[str]:
    """A scan is none where it ends with the page: the rows come in their order."""
    if has_limit and not any("TEMP B-TREE FOR ORDER BY" in step for step in plan):
        return
    for step in plan:
        word, table, *_ = *step.split(" "), ""
        if word == "SCAN" and table in GROWING:
            yield table


def _scans_in_postgresql(node: dict[str, Any], is_limited: bool) -> Iterator[str]:
    table, kind = node.get("Relation Name"), node["Node Type"]
    is_whole = kind == "Seq Scan" or (
        kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in node and not is_limited
    )
    if table in GROWING and is_whole:
        yield table
    for part in node.get("Plans", ()):
        yield from _scans_in_postgresql(part, is_limited or kind == "Limit")


def _row(record_id: str, **more: object) -> dict[str, object]:
    fixed = {"record_id": record_id, "subject_id": FINED, "kind": "penalty", "occurred_on": "2026-07-01"}
    return fixed | {"status": "effective", "level": "fine", "severity": "serious", "field": "general"} | more


def test_no_request_about_a_record_or_a_subject_reads_a_whole_table(
    app: Flask, grown: Store, sign_in: Sign
) -> None:
    app.extensions["clock"] = Clock()
    regulator, department = sign_in(Role.REGULATOR), sign_in(Role.DEPARTMENT)
    regulator.colleague = sign_in(Role.REGULATOR, owner="a colleague")
    lender = sign_in(Role.LENDER)
    with _watched(grown) as scans:
        _records(regulator, department)
        _subjects(regulator)
        _alerts(regulator)
        _tickets(regulator, department)
        _lenders(regulator, lender)
        _proposals(regulator, sign_in(Role.SUBJECT, FINED))
    assert not scans, "\n\n".join(scans)


@pytest.mark.parametrize(
    ("actions", "name", "said"),
    [
        (["lender.check"], "lender", [AUTHORITY]),
        (["files.take", "files.undo"], "office", [AUTHORITY, "市场局"]),
        (["files.undo", "files.take"], "file", ["1", "2"]),
    ],
)
def test_what_the_log_is_looked_up_by_has_an_index(
    grown: Store, actions: list[str], name: str, said: list[str]
) -> None:
    own = [Event("own", "lender", actions[0], details={name: one}) for one in said]
    AuditLog(grown).write(own)
    plans: list[str] = []

    def explain(connection: sa.Connection, cursor: Any, statement: str, given: Any, *more: Any) -> None:
        how = "EXPLAIN QUERY PLAN" if grown.is_sqlite else "EXPLAIN"
        plans.extend(map(str, connection.connection.dbapi_connection.execute(f"{how} {statement}", given)))

    sa.event.listen(grown.engine, "before_cursor_execute", explain)
    found = entries_of(grown, actions, name, said, 10)
    sa.event.remove(grown.engine, "before_cursor_execute", explain)
    assert [entry.details[name] for entry in found] == said[::-1]
    assert f"ix_audit_entries_{name}" in " ".join(plans)


def _ok(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    body = having_looked(lambda place: client.get(place).json, path, body)
    answer = client.send(method, path, headers=headers, **({} if body is None else {"json": body}))
    assert answer.status_code < 300, (path, answer.get_data(as_text=True))
    return answer.json


def _records(regulator: Client, department: Client) -> None:
    rows = [_row("N-1", authority=AUTHORITY, severity="minor"), _row("N-2")]
    _ok(regulator, "POST", "/v1/records", {"records": rows}, **{"Idempotency-Key": "k-1"})
    _ok(regulator, "POST", "/v1/records", {"records": rows}, **{"Idempotency-Key": "k-1"})
    again = [_row("N-1", amount=7, severity="minor"), _row("N-3")]
    _ok(department, "POST", "/v1/records", {"records": again})
    unnamed = {"subject_id": None, "registration_number": "500000000000001", "name": "企业7"}
    _ok(regulator, "POST", "/v1/records", {"records": [_row("N-4") | unnamed]})
    for client in (regulator, department):
        for query in ("", f"?subject_id={FINED}", "?limit=1", "?cursor=Wi0wMDAwMDE"):
            _ok(client, "GET", f"/v1/records{query}")
        _ok(client, "GET", "/v1/records/N-1")
    _ok(department, "POST", "/v1/records/N-1/objections", MARK)
    _ok(regulator, "POST", "/v1/records/N-1/acknowledgements", MARK)
    number = _ok(regulator, "GET", "/v1/objections?open=true")["items"][0]["id"]
    _ok(department, "GET", "/v1/objections?overdue=true")
    _ok(regulator, "GET", f"/v1/objections/{number}")
    _ok(regulator, "GET", "/v1/objection-figures")
    _ok(regulator.colleague, "POST", "/v1/records/N-1/decisions", MARK | {"outcome": "rejected"})
    _ok(
        department,
        "POST",
        "/v1/records",
        {"records": [_row("N-1", amount=8, severity="minor", status="revoked"), {}]},
    )
    for client in (regulator, department):
        _ok(client, "GET", "/v1/feeds")
        assert client.get(f"/v1/feeds/rows?body={AUTHORITY}").text.count("\n") >= 2
    applied = {"subject_id": LISTED, "office": AUTHORITY, "clause": "procurement", "record_id": "L-1"}
    _ok(regulator, "POST", "/v1/consequences", applied | {"reason": "x", "begins_on": "2026-08-01"})
    for step, body in steps(MARK):
        _ok(regulator.colleague if step == "repairs" else regulator, "POST", f"/v1/records/N-1/{step}", body)
    for client in (regulator, department):
        lifted = _ok(client, "GET", f"/v1/consequences?subject_id={LISTED}")["items"][0]["id"]
        _ok(client, "GET", "/v1/consequences?standing=true")
        _ok(client, "GET", f"/v1/consequences/{lifted}")
    _ok(department, "POST", f"/v1/consequences/{lifted}/lifts", {"reason": "x", "on": "2026-08-02"})
    _ok(regulator, "GET", "/v1/repairs?open=true&overdue=true")
    number = _ok(regulator, "GET", "/v1/repairs")["items"][0]["id"]
    _ok(department, "GET", f"/v1/repairs/{number}")
    _ok(regulator, "GET", "/v1/repair-figures")
    _ok(regulator.colleague, "POST", "/v1/records/N-1/breaches", MARK)


def _proposals(regulator: Client, own: Client) -> None:
    """Of a proposal that is there: to make one reads everybody."""
    for client in (regulator, own):
        _ok(client, "GET", "/v1/proposals?limit=1")
        _ok(client, "GET", f"/v1/proposals/{PROPOSAL}")
        _ok(client, "GET", f"/v1/proposals/{PROPOSAL}/notices/{FINED}")
    _ok(regulator, "GET", f"/v1/proposals/{PROPOSAL}/falls?limit=1")
    _ok(own, "POST", f"/v1/proposals/{PROPOSAL}/answers", {"text": "x"})
    _ok(regulator, "POST", f"/v1/proposals/{PROPOSAL}/withdrawal", {"reason": "x"})


def _subjects(regulator: Client) -> None:
    for what in ("", "/grade", "/grades", "/explanation", "/history", "/live-grade"):
        _ok(regulator, "GET", f"/v1/subjects/{FINED}{what}")
    for query in ("", "?tier=A", "?score_from=0", "?limit=2"):
        _ok(regulator, "GET", f"/v1/subjects{query}")


def _alerts(regulator: Client) -> None:
    for state in ("open", "acknowledged", "withdrawn"):
        _ok(regulator, "GET", f"/v1/alerts?state={state}")
    for query in ("", "?pack=enterprise-credit", f"?subject_id={FINED}", "?alert=y", "?town=y"):
        _ok(regulator, "GET", f"/v1/alerts{query}")
    for query in ("since=2026-01-01", "until=1999-01-01", "assigned_to=y", "unassigned=true"):
        for state in ("", "&state=open", "&state=acknowledged", "&town=y"):
            _ok(regulator, "GET", f"/v1/alerts?{query}{state}")
    rows = [_row(f"T-{n}", kind="complaint", level="upheld", severity=None) for n in range(3)]
    _ok(regulator, "POST", "/v1/records", {"records": rows})
    (alert,) = _ok(regulator, "GET", f"/v1/alerts?subject_id={FINED}&alert=alert.three-complaints")["items"]
    seen = {"alerts": [{"id": alert["id"], "version": alert["version"]}]}
    (given,) = _ok(regulator, "POST", "/v1/alerts/assignments", seen | {"to": "a colleague"})["items"]
    seen = {"alerts": [{"id": alert["id"], "version": given["version"]}], "note": "x"}
    _ok(regulator, "POST", "/v1/alerts/acknowledgements", seen)
    _ok(regulator, "GET", f"/v1/alerts/{alert['id']}")


def _tickets(regulator: Client, department: Client) -> None:
    asked = {"title": "x", "source": "hotline", "counterpart": LISTED}
    ticket = _ok(regulator, "POST", "/v1/tickets", asked)["id"]
    step = {"request": "assign", "actor": "office", "owner": "DW101", "urgency": "urgent"}
    _ok(regulator, "POST", f"/v1/tickets/{ticket}/steps", step)
    for client in (regulator, department):
        for query in ("", "?stage=assigned", "?overdue=true", "?owner=DW101"):
            _ok(client, "GET", f"/v1/tickets{query}")
        _ok(client, "GET", f"/v1/tickets/{ticket}")
    _ok(department, "POST", f"/v1/tickets/{ticket}/steps", {"request": "coordinate", "note": "x"})


def _lenders(regulator: Client, lender: Client) -> None:
    asked = [check(consented(lender, subject)) for subject in (FINED, LISTED)]
    _ok(lender, "POST", "/v1/lender-checks", asked[0])
    _ok(lender, "POST", "/v1/lender-checks/batch", {"checks": asked})
    for path in ("consents", f"subjects/{FINED}/consents", f"subjects/{FINED}/lender-checks"):
        _ok(regulator, "GET", f"/v1/{path}")
    _ok(regulator, "POST", "/v1/consents/1/withdrawal", {"reason": "x"})
    for client in (regulator, lender):
        _ok(client, "GET", "/v1/lender-checks")
    for query in ("", f"?subject_id={FINED}", "?action=lender.check", "?actor=other"):
        _ok(regulator, "GET", f"/v1/audit{query}")
    _ok(regulator, "GET", "/v1/keys")
    _ok(regulator, "GET", "/v1/runs")
