"""The closed loop: five stages, who may move what, due dates, the clock, and the department's record."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.library.loader import load_vocabulary
from rules.workdays import is_workday, workdays_between
from scoring.facts.records import get_record
from scoring.live.supervisor import Engine
from scoring.store import Store
from scoring.tickets.case import Case
from scoring.tickets.chart import ACTORS, REQUESTS, Actor, moves, walk
from scoring.tickets.clock import due_on
from scoring.tickets.desk import (
    Move,
    MoveRefusedError,
    Subject,
    Ticket,
    UnknownTicketError,
    list_tickets,
    open_ticket,
    show_ticket,
    tick,
)

from .conftest import MONDAY, NOON, collect, do, noon

WORDS = load_vocabulary("department")


def record(store: Store, ticket: Ticket) -> dict[str, Any]:
    """The department's record of a ticket, as it is now."""
    return dict(get_record(store, WORDS, ticket.number)[0].data)


def after(store: Store, engine: Engine, *requests: str, **more: Any) -> Ticket:
    """A ticket after these requests, one a day."""
    ticket = collect(store, engine)
    for day, request in enumerate(requests, 1):
        ticket = do(store, engine, ticket, request, day, **(more if request == requests[-1] else {}))
    return ticket


def test_a_ticket_goes_through_five_stages(office: Store, durable: Engine) -> None:
    ticket = collect(office, durable)
    stages = [ticket.case.stage]
    for request in ("assign", "coordinate", "supervise"):
        ticket = do(office, durable, ticket, request)
        stages.append(ticket.case.stage)
    ticket = do(office, durable, ticket, "evaluate", satisfied=True)
    assert [*stages, ticket.case.stage] == ["collected", "assigned", "coordinated", "supervised", "evaluated"]
    assert [step.move for step in show_ticket(office, ticket.id).steps] == [
        "open", "assign", "coordinate", "supervise", "close",
    ]  # fmt: skip
    assert show_ticket(office, ticket.id) == ticket


@pytest.mark.parametrize(
    ("requests", "request_", "actor"),
    [
        ((), "coordinate", Actor.OWNER),
        ((), "assign", Actor.OWNER),
        (("assign",), "coordinate", Actor.ENTERPRISE),
        (("assign",), "assign", Actor.OFFICE),
        (("assign",), "evaluate", Actor.ENTERPRISE),
        (("assign", "coordinate"), "supervise", Actor.OWNER),
        (("assign", "supervise"), "evaluate", Actor.OWNER),
        (("assign", "supervise"), "return", Actor.OWNER),
    ],
)
def test_nobody_moves_what_is_not_theirs_to_move(
    office: Store, durable: Engine, requests: tuple[str, ...], request_: str, actor: Actor
) -> None:
    ticket = after(office, durable, *requests)
    with pytest.raises(MoveRefusedError, match="not allowed while it is"):
        do(office, durable, ticket, request_, 9, actor=actor, satisfied=True)
    assert show_ticket(office, ticket.id) == ticket


def test_a_refusal_says_once_what_is_allowed_with_either_outcome(office: Store, durable: Engine) -> None:
    ticket = after(office, durable, "assign", "supervise")
    with pytest.raises(MoveRefusedError) as refused:
        do(office, durable, ticket, "coordinate", 9, actor=Actor.OWNER)
    assert str(refused.value).endswith("Allowed: evaluate (enterprise)")


def test_a_refusal_says_what_is_allowed(office: Store, durable: Engine) -> None:
    ticket = after(office, durable, "assign")
    with pytest.raises(MoveRefusedError, match=r"coordinate \(owner or office\); supervise \(supervisor\)"):
        do(office, durable, ticket, "evaluate", 5, satisfied=True)


def test_the_department_has_a_record_of_it_that_follows(office: Store, durable: Engine) -> None:
    ticket = after(office, durable, "assign", "supervise")
    open_record = record(office, ticket)
    assert (open_record["subject_id"], open_record["kind"]) == ("DW101", "problem")
    assert (open_record["status"], open_record["stage"]) == ("under_way", "supervised")
    assert open_record["due_on"] == dt.date(2026, 6, 11)
    ticket = do(office, durable, ticket, "evaluate", 8, satisfied=True)
    closed = record(office, ticket)
    assert (closed["status"], closed["closed_on"], closed["satisfied"]) == (
        "closed",
        dt.date(2026, 6, 9),
        True,
    )
    assert len(get_record(office, WORDS, ticket.number)) == 3


def test_who_is_not_satisfied_reopens_it(office: Store, durable: Engine) -> None:
    ticket = after(office, durable, "assign", "supervise", "evaluate", satisfied=False)
    assert (ticket.case.stage, ticket.case.reopened, ticket.case.due_on) == (
        "assigned",
        1,
        dt.date(2026, 6, 15),
    )
    for request in ("supervise", "evaluate"):
        ticket = do(office, durable, ticket, request, 9, satisfied=True)
    ticket = do(office, durable, ticket, "evaluate", 30, satisfied=False)
    assert (ticket.case.stage, ticket.case.reopened, ticket.case.closed_on) == ("assigned", 2, None)
    found = record(office, ticket)
    assert (found["status"], found["reopened"], found["satisfied"]) == ("under_way", 2, False)


def test_what_is_returned_counts_against_nobody_until_another_body_has_it(
    office: Store, durable: Engine
) -> None:
    ticket = after(office, durable, "assign", "return")
    assert (record(office, ticket)["status"], ticket.case.owner) == ("revoked", None)
    ticket = do(office, durable, ticket, "assign", 3, owner="DW120")
    assert (record(office, ticket)["status"], record(office, ticket)["subject_id"]) == ("under_way", "DW120")


def test_the_source_decides_the_kind_of_record(office: Store, durable: Engine) -> None:
    ticket = open_ticket(
        office, Subject("用工难", "dinner_talk"), Move("open", Actor.DESK, "x", at=NOON), durable
    )
    assert record(office, do(office, durable, ticket, "assign"))["kind"] == "demand"


def test_what_can_not_be_is_refused(office: Store, durable: Engine) -> None:
    ticket = collect(office, durable)
    with pytest.raises(MoveRefusedError, match="DW999"):
        do(office, durable, ticket, "assign", owner="DW999")
    with pytest.raises(MoveRefusedError, match="ordinary, urgent, critical"):
        do(office, durable, ticket, "assign", urgency="at once")
    with pytest.raises(MoveRefusedError, match="before its last step"):
        do(office, durable, ticket, "assign", 1, on=MONDAY - dt.timedelta(1))
    with pytest.raises(MoveRefusedError, match="no source"):
        open_ticket(office, Subject("x", "rumour"), Move("open", Actor.DESK, "x", at=NOON), durable)
    with pytest.raises(UnknownTicketError):
        show_ticket(office, 99)


# The clock


def test_the_clock_reminds_once_and_escalates_twice(office: Store, durable: Engine) -> None:
    ticket = after(office, durable, "assign")  # on Tuesday; seven working days later is Thursday 11 June
    happened = {}
    for day in range(1, 40):
        for _, step in tick(office, noon(MONDAY + dt.timedelta(day)), durable):
            happened[step.move] = step.on
    assert happened == {
        "remind": dt.date(2026, 6, 10),
        "escalate": dt.date(2026, 6, 12),
        "escalate_further": dt.date(2026, 6, 22),  # a Monday; the Friday before is the Dragon Boat Festival
    }
    assert [s.actor for s in show_ticket(office, ticket.id).steps[2:]] == [Actor.CLOCK] * 3


def test_a_clock_that_stood_still_makes_up_for_it(office: Store, durable: Engine) -> None:
    after(office, durable, "assign")
    late = [step.move for _, step in tick(office, noon(dt.date(2026, 7, 31)), durable)]
    assert late == ["remind", "escalate", "escalate_further"]
    assert tick(office, noon(dt.date(2026, 8, 31)), durable) == []


def test_the_clock_leaves_alone_what_is_not_assigned_or_is_closed(office: Store, durable: Engine) -> None:
    collect(office, durable)
    after(office, durable, "assign", "supervise", "evaluate", satisfied=True)
    assert tick(office, noon(dt.date(2027, 1, 1)), durable) == []


def test_a_reopened_ticket_has_a_new_due_date(office: Store, durable: Engine) -> None:
    ticket = after(office, durable, "assign", "supervise")
    tick(office, noon(dt.date(2026, 7, 1)), durable)
    ticket = do(office, durable, ticket, "evaluate", 31, satisfied=False)
    assert (ticket.case.reminded, ticket.case.escalations) == (False, 0)
    assert tick(office, noon(dt.date(2026, 7, 3)), durable) == []
    assert [s.move for _, s in tick(office, noon(dt.date(2026, 7, 10)), durable)] == ["remind"]


def test_lists_can_be_narrowed(office: Store, durable: Engine) -> None:
    first, second = collect(office, durable), after(office, durable, "assign")
    closed = after(office, durable, "assign", "supervise", "evaluate", satisfied=True)

    def ids(**wanted: Any) -> list[int]:
        return [ticket.id for ticket in list_tickets(office, **wanted)]

    assert ids() == [closed.id, second.id, first.id]
    assert ids(stage="collected") == [first.id]
    assert ids(owner="DW101", is_closed=False) == [second.id]
    assert ids(overdue_on=dt.date(2026, 6, 12)) == [second.id]
    assert ids(overdue_on=dt.date(2026, 6, 11)) == []
    assert ids(before=second.id) == [first.id]


@settings(deadline=None)
@given(
    st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)), st.sampled_from(["ordinary", "urgent", "critical"])
)
def test_a_due_date_is_as_many_working_days_ahead_as_are_left(day: dt.date, urgency: str) -> None:
    due = due_on(day, urgency)
    assert workdays_between(day, due) == {"ordinary": 15, "urgent": 7, "critical": 3}[urgency]
    assert is_workday(due)
    assert workdays_between(due, day) == -workdays_between(day, due)


# What holds it together


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_table_says_what_durable_rules_says(durable: Engine, data: st.DataObject) -> None:
    message = st.fixed_dictionaries(
        {
            "request": st.integers(0, len(REQUESTS) - 1),
            "actor": st.integers(0, len(ACTORS) - 1),
            "satisfied": st.integers(0, 1),
            "left": st.sampled_from([-9, -6, -5, -1, 0, 1, 2]),
            "reminded": st.integers(0, 1),
            "escalations": st.integers(0, 2),
        }
    )
    life: list[dict[str, int]] = []
    for _ in range(data.draw(st.integers(1, 8))):  # of what may come next, mostly what is allowed
        choices = data.draw(st.lists(message, min_size=1, max_size=30))
        life.append(next((c for c in choices if walk([*life, c])[-1]), choices[0]))
    assert moves(durable, life) == walk(life)


def test_steps_can_not_be_changed(office: Store, durable: Engine) -> None:
    ticket = after(office, durable, "assign")
    for statement in ("update problem_steps set by = 'x'", "delete from problem_steps"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), office.engine.begin() as connection:
            connection.execute(sa.text(statement))
    assert show_ticket(office, ticket.id) == ticket


def test_of_two_moves_at_the_same_moment_one_is_refused(
    office: Store, durable: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = after(office, durable, "assign")
    monkeypatch.setattr("scoring.tickets.desk.show_ticket", lambda *_: ticket)
    do(office, durable, ticket, "coordinate", 2)
    with pytest.raises(MoveRefusedError, match="somebody else"):
        do(office, durable, ticket, "return", 2)
    monkeypatch.undo()
    assert [step.move for step in show_ticket(office, ticket.id).steps] == ["open", "assign", "coordinate"]


def test_a_case_begins_with_nothing() -> None:
    assert Case() == Case(stage="new", reopened=0, escalations=0)
