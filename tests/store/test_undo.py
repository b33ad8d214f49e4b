"""Taking a file back and taking that back: what was open before is open again, and nothing else is."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from rules.library.loader import load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.objections import MarkRequest, mark_record
from scoring.facts.records import list_records, submit_records
from scoring.facts.settling import Ruling, list_contradictions, list_twins, resolve_contradiction
from scoring.facts.undo import Undone, list_files, undo_file
from scoring.store import Store

ENTERPRISE = load_vocabulary("enterprise")
DAY = dt.date(2026, 7, 1)
EXAMPLES = int(os.environ.get("XINHENG_EXAMPLES", "12"))
_numbers = count(1)


def code() -> str:
    """A credit code that no other test has used in this store."""
    first = f"91500159MA{next(_numbers):07}"
    return first + uscc.calc_check_digit(first)


@dataclass
class Office:
    """What an office and the centre do about a subject's records."""

    store: Store
    subject: str

    def send(self, *rows: dict[str, Any]) -> int:
        """Send a file of rows; its number."""
        fixed = {
            "subject_id": self.subject,
            "kind": "penalty",
            "severity": "minor",
            "occurred_on": "2026-07-01",
        }
        fixed |= {"authority": "云衡区城管局", "status": "effective"}
        named = [fixed | row | {"record_id": self.number(row["record_id"])} for row in rows]
        source = FileInfo(uuid.uuid4().hex, "list.csv")
        done = submit_records(self.store, ENTERPRISE, named, source)
        assert not done.faults
        return list_files(self.store, everything=True, limit=1)[0].id

    def revoke(self, record: str) -> None:
        """Object to a record, and uphold the objection."""
        for kind, status in (("objection", "disputed"), ("decision", "revoked")):
            request = MarkRequest(kind, status, DAY, "不实", (), "test")  # type: ignore[arg-type]
            mark_record(self.store, ENTERPRISE, self.number(record), request)

    def number(self, record: str) -> str:
        """A record's number in the store."""
        return f"{self.subject}-{record}"

    def open(self) -> list[tuple[str, str]]:
        """Records with open contradictions, and what the office claims of them."""
        return [(found.record_id.rpartition("-")[2], found.claimed) for found in self._contradictions()]

    def state(self) -> tuple[Any, ...]:
        """Everything that is known or open."""
        records = list_records(self.store, ENTERPRISE, subject_id=self.subject)
        twins = [sorted(pair.records) for pair in self._twins()]
        claims = [
            (c.record_id, c.claimed, c.mark_kind, c.status, tuple(c.theirs.items()), c.file_id, c.row_no)
            for c in self._contradictions()
        ]
        return {r.record_id: r.data for r in records}, sorted(claims), sorted(twins)

    def twins(self) -> list[list[str]]:
        """Pairs that are listed for a person."""
        return [[number.rpartition("-")[2] for number in sorted(pair.records)] for pair in self._twins()]

    def _contradictions(self) -> Sequence[Any]:
        found = list_contradictions(self.store, ENTERPRISE, limit=10_000)
        return [c for c in found if c.subject_id == self.subject]

    def _twins(self) -> Sequence[Any]:
        found = list_twins(self.store, ENTERPRISE, limit=10_000)
        return [pair for pair in found if pair.subject_id == self.subject]


@pytest.fixture
def office(store: Store) -> Office:
    """An office whose record R was revoked by the centre."""
    made = Office(store, code())
    made.send({"record_id": "R"})
    made.revoke("R")
    return made


def undone(store: Store, file_id: int) -> Undone:
    done = undo_file(store, file_id)
    assert done.file_id is not None
    return done


CLAIM = {"record_id": "R", "status": "effective"}
OTHER = {"record_id": "R", "status": "repaired"}
AGREES = {"record_id": "R", "status": "revoked"}


def test_what_a_file_contradicts_is_open_again_when_its_undoing_is_undone(office: Office) -> None:
    claim = office.send(CLAIM)
    before = office.state()
    assert office.open() == [("R", "effective")]
    undoing = undone(office.store, claim)
    assert (office.open(), undoing.contradictions) == ([], 1)
    assert undone(office.store, undoing.file_id or 0).contradictions == 1
    assert office.state() == before
    third = undone(office.store, claim)
    assert (office.open(), third.contradictions) == ([], 1)


def test_to_take_a_file_back_once_more_does_nothing(office: Office) -> None:
    file = office.send({"record_id": "1"}, {"record_id": "2"})
    assert undone(office.store, file).ended == 2
    before, files = office.state(), list_files(office.store, everything=True)
    assert undo_file(office.store, file) == Undone(None, "list.csv", 0, 0, ())
    assert (office.state(), list_files(office.store, everything=True)) == (before, files)


@pytest.mark.parametrize("said", [AGREES, OTHER], ids=["agrees", "says something else"])
def test_what_a_file_closed_is_open_again_when_it_is_taken_back(office: Office, said: dict[str, str]) -> None:
    office.send(CLAIM)
    before = office.state()
    closing = office.send(said)
    closed = office.state()
    assert office.open() == ([] if said is AGREES else [("R", "repaired")])
    undoing = undone(office.store, closing)
    assert office.state() == before
    undone(office.store, undoing.file_id or 0)
    assert office.state() == closed


def test_a_file_that_was_taken_back_contradicts_anew_when_it_is_sent_again(office: Office) -> None:
    undone(office.store, office.send(CLAIM))
    office.send(CLAIM)
    assert office.open() == [("R", "effective")]


def test_what_a_person_has_resolved_stays_resolved(office: Office) -> None:
    office.send(CLAIM)
    other = office.send(OTHER)
    (open_one,) = list_contradictions(office.store, ENTERPRISE)
    resolve_contradiction(office.store, ENTERPRISE, open_one.id, False, Ruling("属实", "test", DAY))
    assert undo_file(office.store, other).file_id is None
    assert office.open() == []


def test_what_an_office_said_later_of_a_contradiction_stays(office: Office) -> None:
    first = office.send(CLAIM)
    undoing = undone(office.store, first)
    office.send(OTHER)
    undo_file(office.store, undoing.file_id or 0)
    assert office.open() == [("R", "repaired")]


def test_twins_that_come_about_by_taking_a_file_back_are_listed(office: Office) -> None:
    office.send({"record_id": "A", "document_no": "6号"})
    moved = office.send({"record_id": "A", "document_no": "7号"})
    office.send({"record_id": "B", "document_no": "6号"})
    assert office.twins() == []
    undoing = undone(office.store, moved)
    assert office.twins() == [["A", "B"]]
    undone(office.store, undoing.file_id or 0)
    assert office.twins() == []


ROWS = st.builds(
    lambda record, status, amount, paper: {
        "record_id": record,
        "status": status,
        "amount": amount,
        "document_no": paper,
    },
    st.sampled_from(["R", "R", "S", "T"]),
    st.sampled_from(["effective", "repaired", "revoked"]),
    st.sampled_from(["1", "2", ""]),
    st.sampled_from(["6号", "7号", ""]),
)
ACTS = st.lists(
    st.one_of(
        st.lists(ROWS, min_size=1, max_size=2, unique_by=lambda row: row["record_id"]),
        st.sampled_from(["revoke S", "confirm", "accept"]),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=8,
)


@given(acts=ACTS)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undoing_an_undoing_gives_back_what_was_before_after_any_history(
    store: Store, acts: list[Any]
) -> None:
    office = Office(store, code())
    files = [office.send({"record_id": "R"}, {"record_id": "S"})]
    office.revoke("R")
    for act in acts:
        match act:
            case int(number):
                if files:
                    files += filter(None, [undo_file(store, files[number % len(files)]).file_id])
            case str(word):
                _settle(office, word)
            case rows:
                before = office.state()
                files.append(office.send(*rows))
                after = office.state()
                undoing = undo_file(store, files[-1]).file_id
                assert office.state() == before
                if undoing is not None:
                    files.append(undone(store, undoing).file_id or 0)
                assert office.state() == after
    for file_id in files:
        before = office.state()
        undoing = undo_file(store, file_id).file_id
        if undoing is None:
            assert office.state() == before
        else:
            undone(store, undoing)
            assert office.state() == before


def _settle(office: Office, word: str) -> None:
    """What the centre does, where it can be done."""
    verb, _, record = word.partition(" ")
    known = {number.rpartition("-")[2]: data for number, data in office.state()[0].items()}
    if verb == "revoke" and known.get(record, {}).get("status") == "effective":
        office.revoke(record)
    if verb in ("confirm", "accept"):
        for found in office._contradictions()[:1]:
            ruling = Ruling("核实", "test", DAY)
            resolve_contradiction(office.store, ENTERPRISE, found.id, verb == "accept", ruling)
