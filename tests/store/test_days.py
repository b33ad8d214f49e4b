"""An office's days at random: what was foretold comes, each day has its grade, every run comes again."""

from __future__ import annotations

import datetime as dt
import os
import random
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from cli.market import PACK
from faults.operations import AS_OF, CODES, MARKET, OPERATIONS, REFUSALS

from rules.calendar import add_days
from rules.library.loader import load_pack
from scoring.answers.forecast import forecast
from scoring.cli.errors import EXPECTED
from scoring.runs.batch import run
from scoring.runs.published import get_run
from scoring.runs.replay import replay
from scoring.runs.results import grade_history, grade_line, grade_of
from scoring.store import Store
from scoring.store.packs import PackText

DAYS, ANNOUNCED, NEW = int(os.environ.get("XINHENG_DAYS", "12")), 4, 8
"""Also the days on which the next version of the pack is announced, and from which it rules."""

SEED = int(os.environ.get("XINHENG_SEED", "1"))
WORK = ("records", "records", "records", "subjects", "undo", "submit", "mark", "mark", "settle")
NEXT = (
    PACK.replace('version: "1"', 'version: "2"')
    .replace("start: 80", "start: 70")
    .replace("2026-01-01", str(add_days(AS_OF, NEW)))
)
Said = dict[str, tuple[int, str]]


def test_days_at_random_leave_no_hole_and_nothing_unforeseen(store: Store, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    (tmp_path / "next.yaml").write_text(NEXT, "utf-8")
    second = load_pack(tmp_path / "next.yaml")
    said: dict[dt.date, Said] = {}
    foretold: dict[str, list[tuple[dt.date, tuple[int, str]]]] = {}
    for number in range(DAYS):
        day = add_days(AS_OF, number)
        if number == 0 or chance.random() < 0.5:
            _work(store, tmp_path, chance, number)
            foretold = {}
        if number == ANNOUNCED:
            foretold = {}
        versions = [MARKET, second] if number >= ANNOUNCED else [MARKET]
        pack, text = (second, NEXT) if number >= NEW else (MARKET, PACK)
        told = run(store, pack, day, text=PackText(text, "market.yaml"), versions=versions).run
        grades = {code: grade_of(store, told, code) for code in CODES}
        said[day] = {code: (row.score, row.tier) for code, row in grades.items() if row is not None}
        assert said[day].keys() >= foretold.keys()
        for code, now in said[day].items():
            assert _on(foretold.get(code, [(day, now)]), day) == now, (
                f"{code} on {day} was foretold otherwise"
            )
            steps = forecast(store, "market", code, 3).steps
            foretold[code] = [(one.begins, (one.grade.score, one.grade.tier)) for one in steps if one.grade]
            line = grade_line(store, told, code)
            assert [(piece.begins, piece.ends) for piece in line if piece.begins >= piece.ends] == []
            assert all(before.ends == after.begins for before, after in pairwise(line)), (code, line)
            assert (line[-1].ends, line[-1].score, line[-1].tier) == (add_days(day, 1), *now)
    for code in CODES:
        history = {row.as_of: (row.score, row.tier) for row in grade_history(store, "market", code)}
        assert history == {day: told[code] for day, told in said.items() if code in told}
        assert [*history] == sorted(history, reverse=True)
    assert len({told[code] for told in said.values() for code in told}) > 3, "hardly anything changes"
    for number in range(1, DAYS + 1):
        assert get_run(store, number).as_of == add_days(AS_OF, number - 1)
        assert replay(store, number).differences == ()


def _work(store: Store, folder: Path, chance: random.Random, number: int) -> None:
    """What offices and persons do on a day; the first begins with everybody's particulars."""
    for step, name in enumerate(["subjects", *chance.choices(WORK, k=4)]):
        operation = OPERATIONS[name]
        arguments = operation.draw(chance, 10 * number + step)
        with suppress(*REFUSALS, *EXPECTED):
            operation.do(store, folder, arguments)


def _on(steps: list[tuple[dt.date, tuple[int, str]]], day: dt.date) -> tuple[int, str]:
    return [grade for begins, grade in steps if begins <= day][-1]
