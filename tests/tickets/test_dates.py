"""Whose clock it is: what dates a step may name, what became of older ones, and what a correction does."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.records import get_record
from scoring.live.supervisor import Engine
from scoring.store import Store
from scoring.store.tickets import StepRow, TicketRow
from scoring.tickets.chart import Actor
from scoring.tickets.desk import (
    BACK_DAYS,
    Move,
    MoveRefusedError,
    Ticket,
    list_tickets,
    move_ticket,
    show_ticket,
    tick,
)

from .conftest import MONDAY, NOON, collect, do, noon

DUE = dt.date(2026, 6, 11)
"""Seven working days after the Tuesday on which :func:`assigned` has it assigned."""


def assigned(store: Store, engine: Engine) -> Ticket:
    return do(store, engine, collect(store, engine), "assign", 1)


def correct(store: Store, engine: Engine, ticket: Ticket, step: int, days: int = 3) -> Ticket:
    return do(store, engine, ticket, "correct", days, corrects=step)


def moves_of(ticket: Ticket) -> list[str]:
    return [step.move for step in ticket.steps]


@pytest.mark.parametrize("body", ["DW101", None], ids=["department", "regulator"])
@pytest.mark.parametrize("on", [MONDAY + dt.timedelta(3), dt.date(2099, 1, 1), dt.date.max])
def test_nobody_dates_a_step_after_the_day_on_which_it_comes(
    office: Store, durable: Engine, body: str | None, on: dt.date
) -> None:
    ticket = assigned(office, durable)
    with pytest.raises(MoveRefusedError, match="still to come"):
        do(office, durable, ticket, "coordinate", 2, on=on, body=body)
    assert [step.move for _, step in tick(office, noon(DUE), durable)] == ["remind"]
    assert do(office, durable, ticket, "coordinate", 11).case.stage == "coordinated"


def test_a_department_dates_nothing_back_and_a_regulator_within_bounds(
    office: Store, durable: Engine
) -> None:
    ticket = assigned(office, durable)
    tuesday, later = MONDAY + dt.timedelta(1), BACK_DAYS + 1
    with pytest.raises(MoveRefusedError, match="on the day on which it comes"):
        do(office, durable, ticket, "coordinate", 2, on=tuesday, body="DW101")
    with pytest.raises(MoveRefusedError, match="at most 30 days back"):
        do(office, durable, ticket, "coordinate", later + 1, on=tuesday)
    with pytest.raises(MoveRefusedError, match="before its last step"):
        do(office, durable, ticket, "coordinate", 2, on=MONDAY)
    assert do(office, durable, ticket, "coordinate", later, on=tuesday).steps[-1].on == tuesday


def test_a_step_of_a_date_to_come_that_is_in_the_store_counts_from_the_day_on_which_it_came(
    office: Store, durable: Engine
) -> None:
    ticket = collect(office, durable)
    year_2099 = dt.date(2099, 1, 1)
    with office.writing() as session:
        old = StepRow(ticket_id=ticket.id, no=2, move="assign", actor="office", by="x", on=year_2099)
        old.at, old.owner, old.urgency = NOON + dt.timedelta(1), "DW101", "urgent"
        session.add(old)
        row = session.get_one(TicketRow, ticket.id)
        row.stage, row.owner, row.urgency, row.due_on = "assigned", "DW101", "urgent", dt.date(2099, 1, 12)
    assert show_ticket(office, ticket.id).case.due_on == DUE
    assert [step.move for _, step in tick(office, NOON + dt.timedelta(2), durable)] == []
    assert [found.case.due_on for found in list_tickets(office)] == [DUE], "the clock puts the list right"
    assert get_record(office, load_vocabulary("department"), ticket.number)[0].data["due_on"] == DUE
    assert [step.move for _, step in tick(office, noon(DUE), durable)] == ["remind"]
    assert do(office, durable, ticket, "coordinate", 11, body="DW101").case.stage == "coordinated"


def test_a_clock_set_back_stops_nobody(office: Store, durable: Engine) -> None:
    ticket = assigned(office, durable)
    assert do(office, durable, ticket, "coordinate", 0, body="DW101").steps[-1].on == MONDAY + dt.timedelta(1)


# Corrections


def test_after_a_correction_the_state_is_as_if_the_step_had_not_been(office: Store, durable: Engine) -> None:
    ticket = collect(office, durable)
    wrong = do(office, durable, ticket, "assign", 1, owner="DW120", urgency="critical")
    tick(office, NOON + dt.timedelta(10), durable)
    corrected = correct(office, durable, wrong, 2, 11)
    assert corrected.case == ticket.case
    assert moves_of(corrected) == ["open", "assign", "remind", "escalate", "correct"]
    assert corrected.steps[-1].corrects == 2
    record = get_record(office, load_vocabulary("department"), ticket.number)[0].data
    assert (record["subject_id"], record["status"]) == ("DW120", "revoked")
    right = do(office, durable, corrected, "assign", 12, owner="DW101")
    assert (right.case.owner, right.case.reminded, right.case.escalations) == ("DW101", False, 0)
    assert show_ticket(office, ticket.id) == right
    assert list_tickets(office)[0].case == right.case


def test_a_correction_that_was_wrong_is_corrected(office: Store, durable: Engine) -> None:
    ticket = assigned(office, durable)
    gone = correct(office, durable, ticket, 2)
    again = correct(office, durable, gone, 3)
    assert (gone.case.stage, again.case) == ("collected", ticket.case)


def test_a_closing_is_corrected_and_the_due_date_runs_again(office: Store, durable: Engine) -> None:
    ticket = do(office, durable, assigned(office, durable), "supervise", 2)
    closed = do(office, durable, ticket, "evaluate", 2, satisfied=True)
    assert correct(office, durable, closed, 4).case == ticket.case
    assert [step.move for _, step in tick(office, noon(DUE), durable)] == ["remind"]


@pytest.mark.parametrize("step", [None, 0, 1, 4, 9])
def test_a_correction_names_a_step_that_stands(office: Store, durable: Engine, step: int | None) -> None:
    ticket = assigned(office, durable)
    tick(office, noon(DUE), durable)
    ticket = do(office, durable, ticket, "coordinate", 11)
    ticket = correct(office, durable, ticket, 4, 11)
    with pytest.raises(MoveRefusedError, match="names the step"):
        do(office, durable, ticket, "correct", 11, corrects=step)


def test_a_step_on_which_others_rest_is_corrected_after_them(office: Store, durable: Engine) -> None:
    ticket = do(office, durable, assigned(office, durable), "coordinate", 2)
    with pytest.raises(MoveRefusedError, match=r"step 3 \(coordinate\) could not have been"):
        correct(office, durable, ticket, 2)
    ticket = correct(office, durable, ticket, 3)
    assert correct(office, durable, ticket, 2).case.stage == "collected"


@pytest.mark.parametrize("actor", [Actor.OWNER, Actor.ENTERPRISE, Actor.SUPERVISOR, Actor.DESK])
def test_a_step_is_corrected_by_the_office_alone(office: Store, durable: Engine, actor: Actor) -> None:
    ticket = assigned(office, durable)
    with pytest.raises(MoveRefusedError, match="corrected by office"):
        do(office, durable, ticket, "correct", 2, actor=actor, corrects=2)


def test_of_two_who_move_a_ticket_at_once_one_wins(office: Store, durable: Engine) -> None:
    for _ in range(5):
        ticket = assigned(office, durable)
        together = threading.Barrier(2)

        def move(request: str, ticket: Ticket = ticket, together: threading.Barrier = together) -> str:
            together.wait()
            asked = Move(request, Actor.OWNER, request, at=NOON + dt.timedelta(2))
            try:
                return move_ticket(office, ticket.id, asked, durable).steps[-1].move
            except MoveRefusedError:
                return "refused"

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(move, ("coordinate", "return")))
        found = show_ticket(office, ticket.id)
        assert moves_of(found)[:2] == ["open", "assign"]
        assert sorted(outcomes) == sorted(["refused", moves_of(found)[2]])
        assert list_tickets(office)[0] == replace(found, steps=())
