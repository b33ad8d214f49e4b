"""``xinheng tickets``: the closed loop of tickets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any

import click

from rules.calendar import SHANGHAI, today
from rules.titles import Title
from rules.workdays import KNOWN_UNTIL
from scoring.answers.search import names_of
from scoring.cli.cases import holders
from scoring.cli.options import NUMBER, Day, database_option, operator
from scoring.cli.output import Format, Titles, format_option, limit_option, listing_options, print_rows, tell
from scoring.store import Store, open_store
from scoring.tickets import desk
from scoring.tickets.chart import CORRECT, REQUESTS, WAYS, Actor
from scoring.tickets.clock import DAYS, is_past_known_holidays
from scoring.tickets.desk import Move, MoveRefusedError, Subject, Ticket, UnknownTicketError
from scoring.tickets.feed import VOCABULARY
from scoring.tickets.words import ACTORS, MOVES, column_of

COLUMNS = {
    "id": "编号 no.",
    "number": "记录号 record",
    "title": "问题 problem",
    "source": "来源 source",
    "stage": "环节 stage",
    "owner": "责任单位 owner",
    "urgency": "件别 urgency",
    "due_on": "应办结 due",
    "closed_on": "销号 closed",
    "reopened": "重办 reopened",
    "escalations": "升级 escalated",
}
STEPS = {
    "no": "步骤 no.",
    "on": "日期 on",
    "move": "办理 move",
    "actor": "角色 actor",
    "by": "经办 by",
    "owner": "责任单位 owner",
    "urgency": "件别 urgency",
    "corrects": "更正 corrects",
    "note": "说明 note",
}
PEOPLE = click.Choice([actor.value for actor in Actor if actor is not Actor.CLOCK])
STAGES = click.Choice([stage for stage in WAYS if stage != "new"])


def on_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--on``: the day on which something is done."""
    return click.option(
        "--on",
        "day",
        type=Day(),
        show_default="today in Shanghai",
        help=f"When it was done: today, or up to {desk.BACK_DAYS} days back.",
    )(command)


@click.group("tickets")
def tickets_group() -> None:
    """Tickets of enterprises: collect, assign, coordinate, supervise, evaluate and close."""


@tickets_group.command("open")
@click.option("--title", required=True, help="What the problem is.")
@click.option("--source", required=True, help="A code of the department vocabulary, such as hotline.")
@click.option("--enterprise", "counterpart", help="The credit code of the enterprise that has the problem.")
@click.option("--note", help="What else is to be kept.")
@on_option
@database_option
def open_command(
    title: str,
    source: str,
    counterpart: str | None,
    note: str | None,
    day: dt.date | None,
    database: str | None,
) -> None:
    """Collect a ticket.

    Example: xinheng tickets open --title 用电增容受阻 --source hotline
    """
    with _store(database) as store:
        ticket = desk.open_ticket(
            store, Subject(title, source, counterpart), Move("open", Actor.DESK, operator(), day, note)
        )
    tell(_said(ticket), err=False)


@tickets_group.command("list")
@click.option("--stage", type=STAGES, help="Of this stage alone.")
@click.option("--owner", help="Of this public body alone.")
@click.option("--overdue", is_flag=True, help="Those not closed whose due date has passed.")
@limit_option()
@click.option(
    "--on", "day", type=Day(), default=today, show_default="today in Shanghai", help="Overdue on that day."
)
@database_option
@listing_options
def list_command(
    stage: str | None,
    owner: str | None,
    overdue: bool,
    limit: int,
    day: dt.date,
    database: str | None,
    fmt: Format,
) -> None:
    """List tickets, the newest first.

    Example: xinheng tickets list --overdue --format csv
    """
    with _store(database) as store:
        found = desk.list_tickets(
            store, stage=stage, owner=owner, overdue_on=day if overdue else None, limit=limit
        )
        titles = _titles(store, [ticket.case.owner for ticket in found])
    print_rows(map(_row, found), COLUMNS, fmt, titles)


@tickets_group.command("show")
@click.argument("number", type=NUMBER)
@database_option
@format_option
def show_command(number: int, database: str | None, fmt: Format) -> None:
    """Show what was done about the ticket of NUMBER.

    Example: xinheng tickets show 7
    """
    with _store(database) as store:
        ticket = desk.show_ticket(store, number)
        titles = {
            **_titles(store, [step.owner for step in ticket.steps]),
            "by": holders(store, [step.by for step in ticket.steps]),
        }
    tell(_said(ticket))
    print_rows(map(asdict, ticket.steps), STEPS, fmt, titles)


@tickets_group.command("move")
@click.argument("number", type=NUMBER)
@click.argument("request", type=click.Choice([r for r in REQUESTS if r not in ("open", "evaluate", "tick")]))
@click.option("--actor", type=PEOPLE, required=True, help="In whose name.")
@click.option("--owner", help="Of an assignment: the public body, by number or name.")
@click.option("--urgency", type=click.Choice(list(DAYS)), help="Of an assignment; ordinary by default.")
@click.option("--note", help="What else is to be kept.")
@on_option
@database_option
def move_command(
    number: int, request: str, actor: str, owner: str | None, urgency: str | None,
    note: str | None, day: dt.date | None, database: str | None,
) -> None:  # fmt: skip
    """Do something about the ticket of NUMBER.

    \b
    Examples:
      xinheng tickets move 7 assign --actor office --owner DW112 --urgency urgent
      xinheng tickets move 7 supervise --actor supervisor --note 现场督办
    """
    with _store(database) as store:
        move = Move(request, Actor(actor), operator(), day, note, owner, urgency)
        tell(_said(desk.move_ticket(store, number, move)), err=False)


@tickets_group.command("correct")
@click.argument("number", type=NUMBER)
@click.argument("step", type=NUMBER)
@click.option("--note", help="Why.")
@database_option
def correct_command(number: int, step: int, note: str | None, database: str | None) -> None:
    """Take back the wrong STEP of the ticket of NUMBER: its state is as if that step had not been.

    Nothing is deleted; the correction is a step as well, and is taken back in the same way.

    Example: xinheng tickets correct 7 3 --note 日期填错
    """
    with _store(database) as store:
        move = Move(CORRECT, Actor.OFFICE, operator(), note=note, corrects=step)
        tell(_said(desk.move_ticket(store, number, move)), err=False)


@tickets_group.command("evaluate")
@click.argument("number", type=NUMBER)
@click.option(
    "--satisfied/--unsatisfied", required=True, help="What the enterprise says; the latter reopens it."
)
@click.option("--note", help="What else is to be kept.")
@on_option
@database_option
def evaluate_command(
    number: int, satisfied: bool, note: str | None, day: dt.date | None, database: str | None
) -> None:
    """Note what the enterprise says about the ticket of NUMBER.

    Example: xinheng tickets evaluate 7 --unsatisfied --note 仍未通电
    """
    with _store(database) as store:
        move = Move("evaluate", Actor.ENTERPRISE, operator(), day, note, satisfied=satisfied)
        tell(_said(desk.move_ticket(store, number, move)), err=False)


@tickets_group.command("tick")
@database_option
@listing_options
def tick_command(database: str | None, fmt: Format) -> None:
    """Remind and escalate what is due: once a day, from the system's timer.

    Example: xinheng tickets tick
    """
    with _store(database) as store:
        done = desk.tick(store)
        titles = _titles(store, [ticket.case.owner for ticket, _ in done])
    print_rows(
        (_row(ticket) | {"move": step.move} for ticket, step in done),
        {"move": "提醒 move", **COLUMNS},
        fmt,
        titles,
    )
    if is_past_known_holidays(desk.now().astimezone(SHANGHAI).date()):
        tell(
            f"{KNOWN_UNTIL}起的节假日尚不掌握，按周一至周五计，升级chinesecalendar后更正；"
            f" public holidays from {KNOWN_UNTIL} on are not known: Monday to Friday are counted until"
            " the package chinesecalendar is upgraded"
        )


def _said(ticket: Ticket) -> str:
    due = f", 应办结 due {ticket.case.due_on}" if ticket.case.is_at_work else ""
    owner = f", {ticket.case.owner}" if ticket.case.owner else ""
    stage = column_of("stage").values[ticket.case.stage]
    return f"{ticket.id} {ticket.number} {ticket.title}: {stage}{owner}{due}"


def _titles(store: Store, owners: Iterable[str | None]) -> Titles:
    """What codes are called, and the bodies that have something to do."""
    named = names_of(store, VOCABULARY, filter(None, owners))
    columns = {name: column_of(name).values for name in ("source", "stage", "urgency")}
    bodies = {number: Title(name, name) for number, name in named.items()}
    return {**columns, "move": MOVES, "actor": ACTORS, "owner": bodies}


def _row(ticket: Ticket) -> dict[str, object]:
    known = {name: getattr(ticket, name) for name in ("id", "number", "title", "source")}
    return known | asdict(ticket.case)


@contextmanager
def _store(database: str | None) -> Iterator[Store]:
    with closing(open_store(database)) as store:
        try:
            yield store
        except (UnknownTicketError, MoveRefusedError) as error:
            raise click.ClickException(str(error.told)) from None
