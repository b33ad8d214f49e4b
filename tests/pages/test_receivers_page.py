"""Proof on a page: which receivers were told of a repair, and which have acknowledged."""

from __future__ import annotations

import re

from repairing import repair
from town import AUTHORITY, CODES, NAMES
from visitor import DESK, PHONE, Visitor

from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.titles import Title
from scoring.access.keys import Role, Who
from scoring.changes.addresses import Answer
from scoring.changes.sending import send_due
from scoring.changes.subscriptions import Wanted, subscribe
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.store import Store

FIRM = CODES[9]
OFFICE = Who("样例", Role.REGULATOR)


def repaired(store: Store, number: str, receivers: tuple[str, ...]) -> None:
    """A record that was repaired: the first receiver was sent that, the others were not reached."""
    addresses = [f"https://hub.example/{number}/{place}" for place, _ in enumerate(receivers)]
    for name, address in zip(receivers, addresses, strict=True):
        subscribe(store, OFFICE, Wanted(name, Role.REGULATOR, None, (), address), "x")
    words = load_vocabulary("enterprise")
    row = {"record_id": number, "subject_id": FIRM, "kind": "penalty", "severity": "minor"}
    row |= {"level": "fine", "field": "wages", "status": "effective", "occurred_on": "2026-01-05"}
    submit_records(store, words, [row | {"authority": AUTHORITY}], FileInfo(number, "list.csv"))
    repair(store, words, number, today(), "已履行")
    answers, missed = iter([Answer(204)]), Answer(None, Title("无应答", "no answer"))
    list(send_due(store, lambda to, *_: next(answers, missed) if to == addresses[0] else missed, "样例"))


def test_a_regulator_prints_who_was_told_of_a_repair(regulator: Visitor, town_store: Store) -> None:
    repaired(town_store, "GZ-1", ("区联合奖惩平台", "融资服务平台"))
    regulator.open(f"/subjects/enterprise-credit/{FIRM}")
    regulator.press("a[href*=receivers]")
    assert regulator.path == "/records/GZ-1/receivers"
    rows = [row.text for row in regulator.all("tbody tr")]  # other tests' receivers may be among them
    first, second = (next(row for row in rows if name in row) for name in ("区联合奖惩平台", "融资服务平台"))
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", first)
    assert "未签收" in second
    assert NAMES[FIRM] in regulator.text()
    for language in ("en", "zh", "both"):
        regulator.press(f".languages a[href*='/{language}']")
        for size, dark in ((DESK, False), (PHONE, True)):
            regulator.look(size, dark)
            regulator.open("/records/GZ-1/receivers")
            assert regulator.faults() == [], (language, size, dark)
            assert regulator.overflow() == 0

    assert regulator.print().startswith(b"%PDF")
