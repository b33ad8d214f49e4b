"""durable_rules hangs, crashes or grows: no record and no answer is lost."""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scoring.live.alerts import list_alerts
from scoring.live.events import Judge
from scoring.live.supervisor import Engine, Limits, NoAnswerError, shared_engine
from scoring.store import Store

from .events_pack import firms, record, take_in

pytestmark = pytest.mark.alone

RULES = {"kind": "rules", "patterns": [[{"x": 1}], [{"$gt": {"x": 0}}, {"y": 2}]]}
HANGS = {"kind": "rules", "patterns": [[{"$nex": {"z": 1}}]]}
"""In durable_rules 2.0.28 a pattern that asks for an absent field alone never ends."""

QUESTION = [{"x": 1, "y": 2}, {"x": 5, "y": 2}, {"x": 0, "y": 2}]
ANSWER = [[0, 1], [1], []]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine of the test's own."""
    made = Engine(Limits(seconds=0.5))
    yield made
    made.close()


def ask(engine: Engine) -> Any:
    return engine.ask("rules", RULES, QUESTION)


def send(engine: Engine, number: int) -> int:
    """A signal to the engine's process; its pid."""
    assert engine.pid is not None
    os.kill(engine.pid, number)
    return engine.pid


def test_a_killed_process_is_replaced_and_the_answer_comes(engine: Engine) -> None:
    assert ask(engine) == ANSWER
    killed = send(engine, signal.SIGKILL)
    assert ask(engine) == ANSWER
    assert engine.pid != killed
    assert engine.incidents == {"crash": 1}


def test_a_stopped_process_is_given_up_and_the_answer_comes(engine: Engine) -> None:
    assert ask(engine) == ANSWER
    stopped = send(engine, signal.SIGSTOP)
    assert ask(engine) == ANSWER
    assert engine.incidents == {"hang": 1}
    assert not Path(f"/proc/{stopped}").exists()


def test_a_large_question_to_a_stopped_process_does_not_block(engine: Engine) -> None:
    assert ask(engine) == ANSWER
    send(engine, signal.SIGSTOP)
    padding = {f"padding_{n:03}": 0 for n in range(240)}
    assert engine.ask("rules", RULES, [fact | padding for fact in QUESTION] * 100) == ANSWER * 100
    assert engine.incidents == {"hang": 1}


def test_a_definition_that_is_refused_rests_and_others_are_answered(engine: Engine) -> None:
    assert ask(engine) == ANSWER
    for _ in range(3):
        with pytest.raises(NoAnswerError):
            engine.ask("wrong", {"kind": "rules", "patterns": [[{"$or": 1}]]}, QUESTION)
    assert sum(engine.incidents.values()) == 2
    assert ask(engine) == ANSWER


def test_a_question_that_never_ends_is_given_up_and_others_are_answered(engine: Engine) -> None:
    with pytest.raises(NoAnswerError):
        engine.ask("hangs", HANGS, [{"x": 1}])
    assert engine.incidents == {"hang": 2}
    assert ask(engine) == ANSWER


def test_a_process_that_grows_too_large_is_replaced(engine: Engine) -> None:
    small = Engine(Limits(bytes=1))
    pids = set()
    for _ in range(450):
        assert ask(small) == ANSWER
        pids.add(small.pid)
    small.close()
    assert small.incidents == {"memory": 2}
    assert len(pids - {None}) == 3


def test_a_stopped_process_is_waited_for_no_longer_than_the_limit() -> None:
    slow = Engine(Limits(seconds=600.0))
    quick = Engine(Limits(seconds=0.5))
    for engine in (slow, quick):
        assert ask(engine) == ANSWER
    assert [_deadline(slow), _deadline(quick)] == [600.0, 0.5]
    for engine in (slow, quick):
        engine.close()


def _deadline(engine: Engine) -> float | None:
    assert engine._process is not None
    return engine._process._socket.gettimeout()


def test_a_definition_that_failed_is_asked_again_when_it_has_rested() -> None:
    restless = Engine(Limits(seconds=0.2, rest_seconds=0.0))
    for times in (1, 2):
        with pytest.raises(NoAnswerError, match="failed twice"):
            restless.ask("hangs", HANGS, [{"x": 1}])
        assert restless.incidents == {"hang": 2 * times}
    restless.close()


def test_a_process_that_knows_many_definitions_is_renewed(engine: Engine) -> None:
    pids = set()
    for number in range(101):
        assert engine.ask(f"rules-{number}", RULES, QUESTION) == ANSWER
        pids.add(engine.pid)
    assert len(pids) == 3, "the first, none after the hundredth definition, another"
    assert engine.incidents == {}


def test_a_forked_worker_has_a_process_of_its_own() -> None:
    mine = shared_engine()
    assert ask(mine) == ANSWER
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = ask(shared_engine())
            os.write(write, f"{shared_engine().pid} {answer == ANSWER}".encode())
            shared_engine().close()
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as heard:
        pid, answered = heard.read().split()
    os.waitpid(child, 0)
    assert answered == "True"
    assert int(pid) != mine.pid
    assert ask(mine) == ANSWER
    assert mine.incidents == {}


def test_threads_share_one_process(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: ask(engine), range(200))) == [ANSWER] * 200
    assert engine.incidents == {}


def test_a_forked_worker_has_an_engine_of_its_own() -> None:
    """Two processes that spoke over one socket would get one another's answers."""
    parents = shared_engine()
    assert ask(parents) == ANSWER
    child = os.fork()
    if child == 0:
        own = shared_engine()
        try:
            is_right = own is not parents and ask(own) == ANSWER and own.pid != parents.pid
            own.close()
        finally:
            os._exit(0 if is_right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ask(parents) == ANSWER
    assert parents.incidents == {}


def test_a_subject_is_judged_all_the_same_while_durable_rules_fails(store: Store, engine: Engine) -> None:
    judge = Judge(firms(), engine)
    take_in(store, "subject", [{"firm_id": "A"}])
    day = dt.date(2026, 7, 1)
    scores = []
    for number, failure in enumerate([signal.SIGCONT, signal.SIGSTOP, signal.SIGKILL]):
        take_in(store, "record", [record(f"p{number}", "penalty", f"2026-0{number + 1}-01", field="x")])
        if engine.pid is not None:
            send(engine, failure)
        judge.patterns.forget()
        outcome = judge.judge(store, "A", day)
        assert outcome is not None
        scores.append(outcome.grade.score)
    assert scores == [7500, 7000, 4500]
    assert [alert.alert for alert in list_alerts(store)] == ["repeat"]


def test_plain_python_judges_where_durable_rules_does_not_start(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    dead = Engine()
    judge = Judge(firms(), dead)
    take_in(store, "subject", [{"firm_id": "A"}])
    take_in(store, "record", [record(f"p{n}", "penalty", "2026-02-01", field="x") for n in range(3)])
    outcome = judge.judge(store, "A", dt.date(2026, 7, 1))
    assert outcome is not None
    assert (outcome.grade.score, outcome.raised) == (4500, 1)
    assert set(dead.incidents) == {"crash"}
