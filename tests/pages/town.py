"""An invented small town: sixty enterprises, five public bodies, inspectors; graded, watched, with a plan."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from hashlib import sha256

import pyarrow as pa
import sqlalchemy as sa

from fixtures.codes import credit_code
from rules.calendar import SHANGHAI
from rules.library.loader import find_pack, load_vocabulary
from scoring.access.consents import Registration, register
from scoring.access.keys import Role, Who, create_key
from scoring.access.lending import Check, answer_checks
from scoring.facts.consequences import NewConsequence, enter_consequence
from scoring.facts.entries import FileInfo
from scoring.facts.objections import MarkRequest, mark_record
from scoring.facts.records import submit_records
from scoring.facts.repairs import Commitment
from scoring.facts.staging import TableName
from scoring.facts.versions import ingest_rows
from scoring.facts.visit_results import Rating, Result, enter_rating, enter_result
from scoring.inspections.codes import Days, OutsideVisit, issue_outside
from scoring.inspections.office import make_plan
from scoring.live.scanning import rescan
from scoring.rulemaking.desk import By
from scoring.rulemaking.trials import grade_trials, start_trial
from scoring.runs.batch import run
from scoring.store import Store, create_store
from scoring.store.documents import encode
from scoring.store.packs import text_of
from scoring.store.visits import VisitRow
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, Subject, move_ticket, open_ticket

SPRING, SUMMER = dt.date(2026, 4, 30), dt.date(2026, 7, 31)
_CHANCE = random.Random(417)
CODES = sorted(credit_code(_CHANCE, "91") for _ in range(60))
FINED, LISTED, FINED_ONCE = CODES[:3]
CONTESTING = CODES[8]
NAMES = {code: f"样例{number:02}号有限公司" for number, code in enumerate(CODES)}
AUTHORITY = "样例区市场监督管理局"
VISIT, VISITED = "314159265358", CODES[12]
ORGANISATIONS = {Role.DEPARTMENT: AUTHORITY, Role.LENDER: AUTHORITY, Role.SUBJECT: CODES[-1]}
"""Whose a key is where a test does not say."""
LENDER, CONSENT = "样例银行", "SQ-2026-17"
BODIES = {
    f"BM{number}": name
    for number, name in enumerate((AUTHORITY, "样例区税务局", "样例镇", "样例街道", "样例区林业局"))
}

Row = dict[str, object]


def make_town(url: str) -> None:
    """Fill an empty database, grade twice, and plan the visits of August."""
    store = create_store(url)

    def take(vocabulary: str, table: TableName, key: str, rows: list[Row]) -> None:
        arrow = pa.table(
            {
                "key": [str(row[key]) for row in rows],
                "subject_id": [
                    str(row["subject_id"]) if table == "record" else str(row[key]) for row in rows
                ],
                "data": [encode(row) for row in rows],
                "row_no": list(range(1, len(rows) + 1)),
            }
        )
        file = FileInfo(sha256(repr(rows).encode()).hexdigest(), f"{vocabulary}-{table}.csv")
        ingest_rows(store, vocabulary, table, arrow, file)

    take("enterprise", "subject", "subject_id", [_enterprise(code) for code in CODES])
    take("enterprise", "record", "record_id", [_fine(1, "2026-03-02"), _complaint()])
    take("department", "subject", "subject_id", [_body(code) for code in BODIES])
    take("department", "record", "record_id", list(_answers()))
    take("inspector", "subject", "inspector_id", [_inspector(number) for number in range(6)])
    for pack in ("enterprise-credit", "department-credit"):
        run(store, find_pack(pack, SPRING), SPRING)
    take(
        "enterprise",
        "record",
        "record_id",
        [_listing(), _fine(9, "2026-07-10", FINED_ONCE), *(_fine(n, f"2026-06-0{n}") for n in range(2, 6))],
    )
    for pack in ("enterprise-credit", "department-credit"):
        run(store, find_pack(pack, SUMMER), SUMMER)
    rescan(store, find_pack("enterprise-credit", SUMMER))
    make_plan(store, "enterprise-credit", dt.date(2026, 8, 1), "417", dt.date(2026, 8, 1))
    _visit(store)
    _collect_tickets(store)
    _object(store)
    _repair(store)
    _lend(store)
    _try(store)
    store.close()


def _visit(store: Store) -> None:
    """A visit that was made and is rated, and one that came to nothing."""
    wanted = OutsideVisit(
        VISITED, "complaint", "12345热线", (AUTHORITY,), ("ZF0", "ZF1"), Days(SUMMER, SUMMER)
    )
    made = issue_outside(store, "enterprise-credit", wanted, "样例", SUMMER)
    issue_outside(store, "enterprise-credit", replace(wanted, ground="emergency"), "样例", SUMMER)
    with store.writing() as session:  # a number that tests know
        session.execute(sa.update(VisitRow).where(VisitRow.id == made.id).values(code=VISIT))
    enter_result(store, VISIT, Result(SUMMER, "rectify", "消防通道堵塞", "限期改正"), "样例", SUMMER)
    enter_rating(store, VISIT, Rating(4, "检查规范"), VISITED)


def _try(store: Store) -> None:
    """A candidate by which everybody starts ten points lower."""
    pack = find_pack("enterprise-credit", SUMMER)
    start = pack.score.start // 100
    text = text_of(pack).text.replace(f"start: {start}", f"start: {start - 10}", 1)
    start_trial(store, text, "lower.yaml", "样例", By("cli:样例", "operator"), SUMMER)
    list(grade_trials(store, SUMMER))


def _lend(store: Store) -> None:
    """A lender asks about the listed one, once under a consent and once under none."""

    def noon() -> dt.datetime:
        return dt.datetime(2026, 8, 3, 4, tzinfo=dt.UTC)

    create_key(store, Role.LENDER, "样例", LENDER)
    terms = Registration(LISTED, ["loan"], SUMMER, dt.date(2027, 7, 30), LENDER, CONSENT)
    register(store, Who("样例", Role.REGULATOR), terms, clock=noon)
    asked = [Check(LISTED, reference, "loan") for reference in (CONSENT, "SQ-2026-99")]
    answer_checks(store, "enterprise-credit", Who("样例", Role.LENDER, LENDER), asked, noon)


def _object(store: Store) -> None:
    """An objection to a penalty that no run has seen."""
    words, penalty = load_vocabulary("enterprise"), _fine(99, "2026-07-02", CONTESTING)
    submit_records(store, words, [penalty], FileInfo("an office's", "list.csv"))
    wanted = MarkRequest("objection", "disputed", dt.date(2026, 8, 3), "处罚对象有误", (), "样例")
    mark_record(store, words, "P-99", wanted)


def _repair(store: Store) -> None:
    """An application for the repair of a penalty that waits, and a measure because of a listing."""
    words, day = load_vocabulary("enterprise"), dt.date(2026, 8, 4)
    promised = Commitment("所提交的材料真实有效，如违背承诺，愿承担相应责任", day)
    shown = ({"title": "缴款凭证", "reference": "JK-2026-1"},)
    asked = MarkRequest("application", "", day, "罚款已缴清", shown, "样例", commitment=promised)
    mark_record(store, words, "P-1", asked)
    measure = NewConsequence(LISTED, AUTHORITY, "listed-checks", "L-1", "列入名单", day, "样例")
    enter_consequence(store, words, measure)


def _collect_tickets(store: Store) -> None:
    """One is overdue, the second waits to be assigned, the third is another body's."""

    at = dt.datetime.combine(SUMMER, dt.time(12), SHANGHAI)

    def move(request: str, actor: Actor, owner: str | None = None, urgency: str | None = None) -> Move:
        return Move(request, actor, "样例", owner=owner, urgency=urgency, at=at)

    collected = [
        open_ticket(store, Subject(title, source, FINED), move("open", Actor.DESK))
        for title, source in (
            ("用电增容受阻", "hotline"),
            ("招牌审批反复", "specialist"),
            ("道路施工扰企", "on_site"),
        )
    ]
    first, _, third = (ticket.id for ticket in collected)
    move_ticket(store, first, move("assign", Actor.OFFICE, owner="BM0", urgency="critical"))
    move_ticket(store, third, move("assign", Actor.OFFICE, owner="BM1", urgency="ordinary"))
    move_ticket(store, third, move("supervise", Actor.SUPERVISOR))


def _enterprise(code: str) -> Row:
    return {
        "subject_id": code,
        "name": NAMES[code],
        "form": "company",
        "industry": "retail",
        "size": "small",
        "state": "operating",
        "established_on": "2015-03-01",
    }


def _fine(number: int, day: str, code: str = FINED) -> Row:
    return _record(f"P-{number}", code, "penalty", day, severity="general", field="wages", level="fine")


def _listing() -> Row:
    return _record("L-1", LISTED, "seriously_dishonest_listing", "2026-05-20")


def _complaint() -> Row:
    return _record("Q-1", FINED, "check_request", "2026-08-05", level="complaint")


def _record(record_id: str, code: str, kind: str, day: str, **more: str) -> Row:
    fixed = {"record_id": record_id, "subject_id": code, "kind": kind, "occurred_on": day}
    return {**fixed, "authority": AUTHORITY, "status": "effective", **more}


def _body(code: str) -> Row:
    return {
        "subject_id": code,
        "name": BODIES[code],
        "form": "party_government",
        "peers": "departments",
        "state": "active",
    }


def _answers() -> list[Row]:
    return [
        {
            "record_id": f"{code}-{number}",
            "subject_id": code,
            "kind": "satisfaction_answer",
            "status": "effective",
            "year": 2026,
            "score": f"{70 + 5 * place + number % 3}.0000",
            "occurred_on": "2026-03-15",
        }
        for place, code in enumerate(BODIES)
        for number in range(40)
    ]


def _inspector(number: int) -> Row:
    return {
        "inspector_id": f"ZF{number}",
        "authority": AUTHORITY,
        "name": f"检查员{number}",
        "monthly_visits": 20,
        "state": "active",
    }
