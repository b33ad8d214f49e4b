"""Working days by the State Council's calendar: what a ticket's due date passes over."""

from __future__ import annotations

import datetime as dt

import pytest
from click.testing import CliRunner

from rules.library.loader import load_vocabulary
from rules.workdays import KNOWN_FROM, KNOWN_UNTIL, is_workday, workdays_between, workdays_later
from scoring.cli.tickets import tickets_group
from scoring.facts.records import get_record
from scoring.live.supervisor import Engine
from scoring.store import Store
from scoring.store.tickets import StepRow, TicketRow
from scoring.tickets import desk
from scoring.tickets.chart import Actor
from scoring.tickets.clock import due_on, is_past_known_holidays
from scoring.tickets.desk import Move, move_ticket, open_ticket, show_ticket, tick

from .conftest import ABOUT, noon


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-02-14", True),  # Saturday, made up for the Spring Festival
        ("2026-02-16", False),  # Monday of the Spring Festival
        ("2026-02-23", False),  # its last day
        ("2026-02-24", True),
        ("2026-05-09", True),  # Saturday, made up for Labour Day
        ("2026-05-10", False),
        ("2026-10-07", False),  # the National Day's last day off
        ("2026-10-10", True),
        ("2025-01-26", True),  # Sunday, made up for the Spring Festival
    ],
)
def test_the_state_councils_calendar_of_2025_and_2026(day: str, works: bool) -> None:
    assert is_workday(dt.date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    "day",
    [
        *(KNOWN_UNTIL + dt.timedelta(days) for days in range(7)),
        *(KNOWN_FROM - dt.timedelta(days) for days in range(1, 8)),
        dt.date.max,
        dt.date.min,
    ],
)
def test_of_years_that_nobody_has_announced_monday_to_friday_are_working_days(day: dt.date) -> None:
    assert is_workday(day) is (day.weekday() < 5)


def test_the_first_and_the_last_year_that_are_known_are_known_to_their_ends() -> None:
    assert not is_workday(KNOWN_FROM)  # New Year's Day as well
    assert not is_workday(KNOWN_UNTIL - dt.timedelta(365))  # New Year's Day, whatever weekday it is
    assert workdays_between(KNOWN_UNTIL - dt.timedelta(1), KNOWN_UNTIL) == (KNOWN_UNTIL.weekday() < 5)


def test_none_between_a_day_and_itself_and_none_through_a_holiday() -> None:
    first, last = dt.date(2026, 10, 1), dt.date(2026, 10, 7)
    assert workdays_between(first, first) == 0
    assert workdays_between(dt.date(2026, 9, 30), last) == 0
    assert workdays_later(last, 0) == last
    assert workdays_later(first, 1) == workdays_later(last, 1) == dt.date(2026, 10, 8)


def test_a_critical_ticket_of_the_day_before_national_day_has_until_the_make_up_saturday() -> None:
    assert due_on(dt.date(2026, 9, 30), "critical") == dt.date(2026, 10, 10)


def assigned_before_the_holiday(office: Store, durable: Engine) -> int:
    before = noon(dt.date(2026, 9, 30))
    ticket = open_ticket(office, ABOUT, Move("open", Actor.DESK, "李专员", at=before), durable)
    asked = Move("assign", Actor.OFFICE, "某人", at=before, owner="DW101", urgency="critical")
    return move_ticket(office, ticket.id, asked, durable).id


def test_nobody_is_reminded_or_escalated_over_a_holiday(office: Store, durable: Engine) -> None:
    assigned_before_the_holiday(office, durable)
    moves = {}
    for day in range(1, 16):
        now = dt.date(2026, 10, day)
        moves[day] = [step.move for _, step in tick(office, noon(now), durable)]
    assert {day: made for day, made in moves.items() if made} == {9: ["remind"], 12: ["escalate"]}


def test_what_the_clock_did_by_another_calendar_falls_away_and_due_dates_are_put_right(
    office: Store, durable: Engine
) -> None:
    """As in a store of before holidays were known, or of before a year's notice."""
    number = assigned_before_the_holiday(office, durable)
    with office.writing() as session:
        for no, move, day in ((3, "remind", 2), (4, "escalate", 6)):
            on = dt.date(2026, 10, day)
            step = StepRow(ticket_id=number, no=no, move=move, actor="clock", by="tick", on=on)
            step.at = noon(on)
            session.add(step)
        row = session.get_one(TicketRow, number)
        row.due_on, row.escalations = dt.date(2026, 10, 5), 1
    assert tick(office, noon(dt.date(2026, 10, 8)), durable) == []
    found = show_ticket(office, number)
    assert (found.case.due_on, found.case.reminded, found.case.escalations) == (
        dt.date(2026, 10, 10), False, 0,
    )  # fmt: skip
    record = get_record(office, load_vocabulary("department"), found.number)[0].data
    assert record["due_on"] == dt.date(2026, 10, 10)
    assert [step.move for _, step in tick(office, noon(dt.date(2026, 10, 9)), durable)] == ["remind"]


def test_it_is_said_where_due_dates_reach_a_year_whose_holidays_are_not_known(
    monkeypatch: pytest.MonkeyPatch, office: Store
) -> None:
    last = KNOWN_UNTIL - dt.timedelta(1)
    assert is_past_known_holidays(last)
    assert not is_past_known_holidays(last - dt.timedelta(60))
    for day, is_said in ((last, True), (last - dt.timedelta(60), False)):
        monkeypatch.setattr(desk, "now", lambda day=day: noon(day))
        done = CliRunner().invoke(
            tickets_group, ["tick", "--database", office.engine.url.render_as_string(hide_password=False)]
        )
        assert done.exit_code == 0, done.output
        assert ("chinesecalendar" in done.stderr) is is_said
