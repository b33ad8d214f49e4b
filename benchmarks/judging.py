"""The steps of a grade, one after another on the same facts."""

from __future__ import annotations

import datetime as dt

import duckdb

from benchmarks.ledger import Step
from rules.model import Pack
from rules.plan import compile_plan
from scoring.judging.coded import code_facts
from scoring.judging.engine import grade, grade_coded
from scoring.judging.judge import judge
from scoring.judging.period import Period


def steps_of_a_grade(duck: duckdb.DuckDBPyConnection, pack: Pack, day: dt.date) -> list[Step]:
    """Each needs the one before; what the store keeps coded is not coded again."""
    plan = compile_plan(pack)
    return [
        Step("facts coded", lambda: code_facts(duck, pack.vocabulary)),
        Step("one day judged", lambda: judge(duck, plan, Period.of(day))),
        Step("one day judged and read", lambda: grade_coded(duck, pack, day, ahead=False)),
        Step("all days judged", lambda: judge(duck, plan, Period(day))),
    ]


def whole_grade(duck: duckdb.DuckDBPyConnection, pack: Pack, day: dt.date, aim: str) -> Step:
    """All of it: facts coded, all days judged, one read."""
    return Step("grade(): coded, all days judged, one read", lambda: grade(duck, pack, day), aim)
