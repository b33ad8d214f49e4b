"""What the store knows of the subjects of arriving rows.

Whom a row without a usable code speaks of; and which rows speak of a time before their subject.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Column, Table, Title, Vocabulary
from scoring.facts.ingest.cells import is_unknown
from scoring.facts.ingest.checks import before
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import Cell, as_text
from scoring.facts.ingest.mapping import Dataset
from scoring.facts.ingest.names import bare, may_be, one_spelling, other_name, public, spelled_once
from scoring.facts.ingest.rows import NAME, AnyRow, BadRow, GoodRow, LostRow, OddRow, ShortRow, faults_of
from scoring.facts.noted import Rejected
from scoring.store import Store
from scoring.store.batches import parts
from scoring.store.documents import encode
from scoring.store.inside import ValueIn
from scoring.store.models import RecordVersion, SubjectVersion

Sessions = Callable[[], AbstractContextManager[Session]]
"""Where the store is read: ``store.reading``, or the transaction that will keep the rows."""

AT_ONCE = 500
_MOST_SHOWN = 5
_MOST_KEPT = 100_000


def place(
    sessions: Sessions, vocabulary: Vocabulary, dataset: Dataset, rows: Iterable[AnyRow]
) -> Iterator[AnyRow]:
    """The rows, with those that lack their subject's code under the one subject that fits, or bad.

    The first of a row's clues that any current subject fits decides: one subject is taken, with a warning;
    several are listed for a person. A bad row is told what a new one needs only where its key is new.
    """
    waiting: list[LostRow | BadRow] = []
    for row in rows:
        if not isinstance(row, LostRow) and not (isinstance(row, BadRow) and row.lacks):
            yield row
            continue
        waiting.append(row)
        if len(waiting) == AT_ONCE:
            yield from _looked_up(sessions, vocabulary, dataset, waiting)
            waiting.clear()
    yield from _looked_up(sessions, vocabulary, dataset, waiting)


def _looked_up(
    sessions: Sessions, vocabulary: Vocabulary, dataset: Dataset, rows: Sequence[LostRow | BadRow]
) -> Iterator[AnyRow]:
    yield from _placed(sessions, vocabulary, [row for row in rows if isinstance(row, LostRow)])
    bad = [row for row in rows if isinstance(row, BadRow)]
    known: set[str] = set()
    if keys := [row.key for row in bad if row.key is not None]:
        with sessions() as session:
            known = _known_keys(session, vocabulary, dataset, keys)
    for row in bad:
        yield BadRow(row.number, row.faults if row.key in known else faults_of(row))


def _placed(sessions: Sessions, vocabulary: Vocabulary, rows: list[LostRow]) -> Iterator[AnyRow]:
    if not rows:
        return
    with sessions() as session:
        fitting = {name: _fitting(session, vocabulary, name, rows) for name in vocabulary.find_by}
    for row in rows:
        found = ((name, fitting[name].get(text, [])) for name, text in row.clues.items())
        name, subjects = next(((name, some) for name, some in found if some), ("", []))
        if len(subjects) == 1:
            cleared = [name for name, value in row.values.items() if value is None]
            document = encode({**row.values, vocabulary.record_subject: subjects[0]}, cleared)
            how = _how(vocabulary, name, row, subjects[0])
            yield OddRow(row.number, (replace(row.fault, reason=how, level="warning"),))
            yield row.number, row.key, subjects[0], document, row.clues.get(NAME)
        else:
            reason = f"{row.fault.reason} {_why_not(vocabulary, name, subjects)}"
            yield BadRow(row.number, (replace(row.fault, reason=reason),))


def any_known(store: Store, vocabulary: Vocabulary, dataset: Dataset, keys: Sequence[str]) -> bool:
    """Whether the store knows any of some subjects or records."""
    with store.reading() as session:
        return any(_known_keys(session, vocabulary, dataset, some) for some in parts(keys))


def _known_keys(session: Session, vocabulary: Vocabulary, dataset: Dataset, keys: Sequence[str]) -> set[str]:
    """Those of some keys that the store knows."""
    version = RecordVersion if dataset == "record" else SubjectVersion
    key = RecordVersion.record_id if dataset == "record" else SubjectVersion.subject_id
    current = version.vocabulary == vocabulary.id, version.known_until.is_(None)
    return set(session.scalars(sa.select(key).where(*current, key.in_(keys))))


def _fitting(
    session: Session, vocabulary: Vocabulary, name: str, rows: Iterable[LostRow]
) -> Mapping[str, list[str]]:
    """What the rows say of an attribute → the current subjects of which it is so; of a name those that have
    it as it is written, or else in another spelling."""
    wanted = sorted({row.clues[name] for row in rows if name in row.clues})
    value = ValueIn(SubjectVersion.data, name)
    having = _having(session, vocabulary, value, wanted)
    if name == NAME and (others := {text: one_spelling(text) for text in wanted if text not in having}):
        alike = _having(session, vocabulary, spelled_once(value), sorted({*others.values()} - {""}))
        having |= {text: alike[one] for text, one in others.items() if one in alike}
    return having


def _having(
    session: Session, vocabulary: Vocabulary, value: sa.ColumnElement[str], wanted: Sequence[str]
) -> dict[str, list[str]]:
    """Of values of an attribute, the current subjects that have them."""
    found: dict[str, list[str]] = defaultdict(list)
    current = sa.and_(SubjectVersion.vocabulary == vocabulary.id, SubjectVersion.known_until.is_(None))
    for some in parts(wanted):
        query = sa.select(value, SubjectVersion.subject_id).where(current, value.in_(some))
        for text, subject in session.execute(query.order_by(SubjectVersion.subject_id)):
            found[text].append(subject)
    return found


def doubt(
    sessions: Sessions,
    vocabulary: Vocabulary,
    table: Table,
    rows: Iterable[AnyRow],
    header: Callable[[str], str],
) -> Iterator[AnyRow]:
    """The rows, with a warning before each that has a date before its subject began, or calls it otherwise;
    of subjects, before each that makes one without a name.

    The subjects are looked up for many rows at once; what the store doesn't know, it can't doubt.

    :param header: what a column, or an attribute of the subject, is called where the rows come from.
    """
    if table is vocabulary.subject:
        yield from _named(sessions, vocabulary, rows, header) if NAME in vocabulary.find_by else rows
        return
    bounds = {
        name: column.possible.not_before
        for name, column in table.columns.items()
        if column.possible.not_before in vocabulary.subject.columns
    }
    names = {*filter(None, bounds.values()), NAME} & vocabulary.subject.columns.keys()
    known = _Known(sessions, vocabulary, sorted(names))
    waiting = iter(rows)
    while some := list(islice(waiting, AT_ONCE)):
        whole = (row.row if isinstance(row, ShortRow) else row for row in some)
        good = [row for row in whole if isinstance(row, tuple)]
        known.look_up({subject for _, _, subject, *_ in good})
        for name, earlier in bounds.items():
            if earlier is not None:
                yield from _early(vocabulary, table.columns[name], earlier, good, known, header)
        if NAME in names:
            yield from _misnamed(good, known, header)
        yield from some


def _named(
    sessions: Sessions, vocabulary: Vocabulary, rows: Iterable[AnyRow], header: Callable[[str], str]
) -> Iterator[AnyRow]:
    """The rows, with a warning before each of a new subject whose name nobody has said."""
    waiting = iter(rows)
    while some := list(islice(waiting, AT_ONCE)):
        whole = (row.row if isinstance(row, ShortRow) else row for row in some)
        bare = {row[1]: row[0] for row in whole if isinstance(row, tuple) and not _SAYS_NAME.search(row[3])}
        with sessions() if bare else nullcontext() as session:
            known = _known_keys(session, vocabulary, "subject", [*bare]) if session else set()
        for key, number in bare.items():
            if key not in known:
                said = Rejected(number, header(vocabulary.subject.key), key, str(_NAMELESS), "warning")
                yield OddRow(number, (said,))
        yield from some


_SAYS_NAME = re.compile(f'[{{,]"{NAME}":"')  # no text of a document holds it
_NAMELESS = Fault(
    Title(
        "库中没有该代码,且未写名称:新增的主体没有名称",
        "a code that nobody has, and no name: a new subject without one",
    ),
    Title("请核对代码,或补填名称", "check the code, or fill in the name"),
)


def _misnamed(rows: Sequence[GoodRow], known: _Known, header: Callable[[str], str]) -> Iterator[OddRow]:
    strange = known.strange({(subject, name) for _, _, subject, _, name in rows})
    for number, _, subject, _, name in rows if strange else ():
        if (subject, name) in strange:
            fault = other_name(subject, known.said[subject][NAME] or "")
            shown = public(as_text(name))
            yield OddRow(number, (Rejected(number, header(NAME), shown, str(fault), "warning"),))


class _Known:
    """Some attributes of the subjects of rows, as the store knows them.

    :ivar said: subject → attribute → what is known of it, of those that were looked up.
    """

    def __init__(self, sessions: Sessions, vocabulary: Vocabulary, names: Collection[str]) -> None:
        self._sessions, self._names = sessions, dict.fromkeys(names)
        self._of_vocabulary = SubjectVersion.vocabulary == vocabulary.id
        self._alike: set[tuple[str, Cell]] = set()
        self.said: dict[str, Mapping[str, str | None]] = {}

    def look_up(self, subjects: AbstractSet[str]) -> None:
        """Make sure of what is known of some subjects."""
        if len(self.said) > _MOST_KEPT:
            self.said.clear()
            self._alike.clear()
        asked = subjects - self.said.keys() if self._names else None
        if not asked:
            return
        values = [ValueIn(SubjectVersion.data, name) for name in self._names]
        current = SubjectVersion.known_until.is_(None)
        self.said |= dict.fromkeys(asked, self._names)
        for row in self._versions(asked, current, values):
            self.said[row[0]] = dict(zip(self._names, row[1:], strict=True))

    def strange(self, called: set[tuple[str, Cell]]) -> set[tuple[str, Cell]]:
        """Of subjects and what rows call them those that the store has never known by such a name."""
        new = called - self._alike
        strange = {pair for pair in new if self._is_other(*pair)}
        if strange:
            names = self._versions({subject for subject, _ in strange}, sa.true(), [_NAME])
            ever: dict[str, list[str]] = defaultdict(list)
            for subject, name in names:
                ever[subject] += [name] if name else []
            strange = {pair for pair in strange if not _was_called(pair[1], ever[pair[0]])}
        self._alike |= new - strange
        return strange

    def _is_other(self, subject: str, name: Cell) -> bool:
        known = self.said[subject].get(NAME)
        if known is None or name == known:  # most of them
            return False
        text = as_text(name)
        return not is_unknown(text) and bare(text) != bare(known)

    def _versions(
        self, subjects: AbstractSet[str], which: sa.ColumnElement[bool], values: Sequence[ValueIn]
    ) -> list[tuple[Any, ...]]:
        query = sa.select(SubjectVersion.subject_id).add_columns(*values)
        query = query.where(self._of_vocabulary, which, SubjectVersion.subject_id.in_(subjects))
        with self._sessions() as session:
            return [tuple(row) for row in session.execute(query)]


def _was_called(name: Cell, ever: Iterable[str]) -> bool:
    said = as_text(name)
    return any(bare(said) == bare(one) or may_be(said, one) for one in dict.fromkeys(ever))


_NAME = ValueIn(SubjectVersion.data, NAME)


def _early(
    vocabulary: Vocabulary,
    column: Column,
    earlier: str,
    rows: Sequence[GoodRow],
    known: _Known,
    header: Callable[[str], str],
) -> Iterator[OddRow]:
    date = re.compile(
        f'[{{,]{re.escape(json.dumps(column.name))}:"([^"]*)"'
    )  # no text of a document holds it
    for number, _, subject, document, _ in rows:
        first = known.said[subject][earlier]
        found = date.search(document) if first is not None else None
        value = found[1] if found else None
        if first is not None and value is not None and value < first:
            fault = before(vocabulary.subject.columns[earlier], first)
            yield OddRow(number, (Rejected(number, header(column.name), value, str(fault), "warning"),))


def _how(vocabulary: Vocabulary, name: str, row: LostRow, subject: str) -> str:
    title = vocabulary.subject.columns[name].title
    said = row.clues[name]
    return str(
        Fault(
            Title(f"按{title.zh}“{said}”认定为{subject}", f"found by {name}: it is {subject}"),
            Title("请核对并补填代码", "check it, and fill in the code"),
        )
    )


def _why_not(vocabulary: Vocabulary, name: str, subjects: list[str]) -> str:
    if not subjects:
        titles = "、".join(vocabulary.subject.columns[name].title.zh for name in vocabulary.find_by)
        return str(
            Title(f"按{titles}也没有找到主体", f"no subject fits by {', '.join(vocabulary.find_by)} either")
        )
    shown = "、".join(subjects[:_MOST_SHOWN]) + ("…" if len(subjects) > _MOST_SHOWN else "")
    title = vocabulary.subject.columns[name].title
    return str(Title(f"{title.zh}相同的有{len(subjects)}户:{shown}", f"{len(subjects)} fit by {name}"))
