"""Killed at any moment, the office loses nothing: a process moves tickets, and is killed with -9."""

from __future__ import annotations

import os
import signal
import time

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.records import get_record
from scoring.live.supervisor import Engine
from scoring.store import Store, open_store
from scoring.tickets.case import case_of
from scoring.tickets.desk import list_tickets, show_ticket

from .conftest import collect, do

WHOLE = ["open", "assign", "coordinate", "supervise", "reopen", "supervise", "close"]
REQUESTS = {"reopen": "evaluate", "close": "evaluate"}


def work(url: str, pipe: int) -> None:
    """Move ticket after ticket, and say each step once it is done."""
    store, engine = open_store(url), Engine()
    with os.fdopen(pipe, "w", buffering=1) as said:
        while True:
            ticket = collect(store, engine)
            print(ticket.id, 1, file=said)
            for move in WHOLE[1:]:
                ticket = do(store, engine, ticket, REQUESTS.get(move, move), satisfied=move == "close")
                print(ticket.id, len(ticket.steps), file=said)


def killed_after(url: str, steps: int, delay: float) -> list[tuple[int, int]]:
    """Have a process work until it has said so many steps, and kill it: what it said."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            work(url, write)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as heard:
        lines = [heard.readline() for _ in range(steps)]
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        lines += heard.readlines()
    os.waitpid(pid, 0)
    said = [tuple(map(int, line.split())) for line in lines if line.endswith("\n")]
    return [(ticket, step) for ticket, step in said]


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 6, 7, 20])
def test_what_was_done_before_the_kill_is_there_and_goes_on(
    office: Store, durable: Engine, steps: int
) -> None:
    url = office.engine.url.render_as_string(hide_password=False)
    said = killed_after(url, steps, delay=steps % 3 * 0.004)
    kept = {ticket.id: show_ticket(office, ticket.id) for ticket in list_tickets(office)}
    assert len(said) >= steps
    assert all(len(kept[ticket_id].steps) >= number for ticket_id, number in said)
    for ticket in kept.values():
        assert [step.move for step in ticket.steps] == WHOLE[: len(ticket.steps)]
        assert case_of(ticket.steps) == ticket.case
        if ticket.case.owner:
            record = get_record(office, load_vocabulary("department"), ticket.number)[0].data
            assert (record["stage"], record["reopened"]) == (ticket.case.stage, ticket.case.reopened)
    ticket = kept[max(kept)]
    for move in WHOLE[len(ticket.steps) :]:
        ticket = do(office, durable, ticket, REQUESTS.get(move, move), satisfied=move == "close")
    assert [step.move for step in show_ticket(office, ticket.id).steps] == WHOLE
