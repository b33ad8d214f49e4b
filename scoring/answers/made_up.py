"""What the rules make of facts that somebody made up: the judge itself, on what is known of nobody and kept
nowhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from rules.calendar import SHANGHAI, today
from rules.language.evaluate import compiled
from rules.language.expressions import Expression, Kind, Level, Name, Value, names
from rules.model import Column, Measure, Pack, Rule, Table, Window
from rules.model import Kind as KindOfRecord
from rules.plan import rule_names, used_measures
from rules.titles import Title, TitledError
from scoring.answers.explain import Explanation, explained, result_of
from scoring.answers.timelines import Facts, judge_of
from scoring.facts.ingest.cells import Reading, converter
from scoring.facts.ingest.checks import row_check
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.proposing import Proposer
from scoring.facts.publicity import INTERNAL
from scoring.store.documents import decode, encode

MOST_RECORDS = 5
NOBODY = "0"
"""Whose key and name the made-up subject has."""
Row = Mapping[str, Value | None]
Place = tuple[int, str]
"""The number of a record, from 1 on, or 0 for the subject, and the column."""


class MadeUpError(TitledError):
    """Facts that there can't be.

    :ivar faults: what is wrong with which of them, and what would be right.
    """

    def __init__(self, faults: Mapping[Place, Title]) -> None:
        said = faults.values()
        super().__init__(Title(";".join(one.zh for one in said), "; ".join(one.en for one in said)))
        self.faults = faults


def asked_of_subject(pack: Pack) -> list[Column]:
    """The attributes of a subject that a pack's rules read, but for texts, in the order of the vocabulary.

    >>> import datetime as dt
    >>> from rules.library.loader import find_pack
    >>> [column.name for column in asked_of_subject(find_pack("tourism-credit", dt.date(2026, 8, 31)))]
    ['state', 'established_on', 'joined_on']
    """
    read = {name.name for _, of_one in _conditions(pack) for name in of_one if name.level is Level.SUBJECT}
    return _told(pack.vocabulary.subject, read)


def asked_of_records(pack: Pack) -> dict[str, list[Column]]:
    """What rules read of records, by their kind, but for the kind itself and texts.

    Kinds for which no rule looks are left out.
    A condition that is already false of a kind, whatever else were known, reads nothing of its records.

    >>> import datetime as dt
    >>> from rules.library.loader import find_pack
    >>> asked = asked_of_records(find_pack("enterprise-credit", dt.date(2026, 12, 31)))
    >>> [column.name for column in asked["tax_rating"]], "permit" in asked
    (['status', 'level', 'occurred_on', 'ends_on'], False)
    """
    records = pack.vocabulary.records
    if records is None or records.kind is None:
        return {}
    conditions = [
        (compiled(condition), {name.name for name in of_one if name.level is Level.RECORD})
        for condition, of_one in _conditions(pack)
    ]
    found = {}
    for kind in records.columns[records.kind].values.keys() - {INTERNAL}:
        met = [read for is_met, read in conditions if read and is_met({records.kind: kind}) is not False]
        read = set().union(*met)
        if records.kind in read:
            found[kind] = _of_kind(pack, records, kind, read)
    return {kind: found[kind] for kind in records.columns[records.kind].values if kind in found}


def _of_kind(pack: Pack, records: Table, kind: str, read: set[str]) -> list[Column]:
    """Of columns that are read those that a record of a kind has, and those that it fills in any case."""
    declared = records.kinds.get(kind, _NO_NEEDS)
    never = {name for name, codes in declared.values.items() if not codes}
    asked = {*read, *records.needs, *declared.needs, pack.vocabulary.record_date}
    return _told(records, asked - {records.kind, *never})


_NO_NEEDS = KindOfRecord((), {})


def explain_made_up(
    pack: Pack, as_of: dt.date, subject: Mapping[str, str], records: Sequence[Mapping[str, str]]
) -> Explanation:
    """What the grade of made-up facts is on a day, and why. Nothing is kept, and nobody's facts are read.

    They are read as the cells of an office's file are, and checked as its rows. What depends on other
    subjects, such as a rank, is unknown.

    :param pack: in force on the day.
    :param subject: attribute → what is said of it; empty where that is unknown.
    :param records: at most :data:`MOST_RECORDS`, each column → what is said.
    :raises MadeUpError: where they can't be so.

    >>> import datetime as dt
    >>> from rules.library.loader import find_pack
    >>> pack, day = find_pack("tourism-credit", dt.date(2026, 8, 31)), dt.date(2026, 8, 31)
    >>> fine = {"kind": "penalty", "severity": "general", "status": "effective", "occurred_on": "2026-06-01"}
    >>> found = explain_made_up(pack, day, {"state": "operating"}, [fine])
    >>> found.score, found.tier, [(hit.rule.id, hit.points) for hit in found.hits]
    (7000, 'C', [('penalty.general', -500)])
    """
    words, faults = pack.vocabulary, dict[Place, Title]()
    own = _read(words.subject, subject, {words.subject.key: NOBODY}, 0, faults)
    rows = list[Row]()
    if (table := words.records) is not None:
        proposer = Proposer(words)
        for number, given in enumerate(records[:MOST_RECORDS], start=1):
            keys = {table.key: str(number), words.record_subject: NOBODY}
            rows.append(_read(table, given, keys, number, faults, proposer))
    if faults:
        raise MadeUpError(faults)
    known_at = dt.datetime.combine(as_of, dt.time(), SHANGHAI)
    facts = Facts(NOBODY, known_at, own, {str(row[table.key]): row for row in rows} if table else {})
    judge = judge_of(pack)
    values = judge.values(own, rows, as_of)
    return explained(facts, result_of(pack, NOBODY, judge.judge(own, rows), as_of), None, values)


def _read(
    table: Table,
    given: Mapping[str, str],
    keys: Mapping[str, str],
    number: int,
    faults: dict[Place, Title],
    proposer: Proposer | None = None,
) -> Row:
    """A row in the types of its columns; what is wrong with it is added to the faults."""
    told = {name: text for name, text in given.items() if name in table.columns and name not in keys}
    read = {name: converter(Reading(table.columns[name]))(text) for name, text in told.items()}
    known = {name: value for name, value in read.items() if not isinstance(value, Fault)}
    known |= {name: _key(table.columns[name], text) for name, text in keys.items()}
    wrong = [(name, value) for name, value in read.items() if isinstance(value, Fault)]
    if proposer is not None:
        known |= {name: value for name, value in proposer(known).values.items() if name in table.columns}
    found = row_check(table, today())(known)
    wrong += [(finding.column, finding.fault) for finding in found if not finding.odd]
    for name, fault in reversed(wrong):
        faults[number, name] = fault.title
    return decode(encode(known), table) if not wrong else {}


def _key(column: Column, text: str) -> str | int:
    return text if column.type.kind is Kind.TEXT else int(text)


def _told(table: Table, read: set[str]) -> list[Column]:
    """The columns of those names; a text that has no list of codes is nothing that rules look at."""
    return [
        column
        for name, column in table.columns.items()
        if name in read and (column.values or column.type.kind is not Kind.TEXT)
    ]


def _conditions(pack: Pack) -> Iterator[tuple[Expression, frozenset[Name]]]:
    """The condition of each rule, and of each measure that rules read, with everything that it reads."""
    rules: Sequence[Rule] = pack.rules
    yield from ((rule.when.written, rule_names(rule)) for rule in rules)
    yield from ((m.where.written, _names_of(pack, m)) for m in used_measures(pack, rules))


def _names_of(pack: Pack, measure: Measure) -> frozenset[Name]:
    window: Window | None = measure.window
    dates = (window.start, window.until) if window else ()
    read = frozenset().union(*(names(part) for part in (measure.operand, *dates) if part is not None))
    return names(measure.where.written) | read
