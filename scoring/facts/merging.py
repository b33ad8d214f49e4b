"""A row laid over what is known of its key: a row that says less takes nothing away.

A column that a row does not speak of stays as it is; only a column that it says is unknown is cleared. And
the status that a person gave a record here stands, whatever an office's list says.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scoring.facts.ingest.folding import document
from scoring.store.documents import canonical

STATUS = "status"
"""The column of records that a mark changes."""

REPAIRED = "repaired"
"""The status of a record that is not shown any more: what it is about was put right."""

AUTHORITY = "authority"
"""The column of records that says whose a record is."""

DOCUMENTS = frozenset({"document_no", "document"})
"""The columns of records that say the number of a document, which is the same in any brackets."""

EXPECTED = ("objection", "appeal", "duplicate", "confirmation")
"""Marks whose record an office goes on to list as before: that contradicts nothing, and changes nothing."""


RELEASES = "acceptance"
"""The mark after which an office's rows say the record's status again."""


Values = Mapping[str, str | int | bool | None]
"""A row as the store writes it: decimals and dates as text, what is unknown as None or left out."""

Objection = tuple[str, str, str]
"""The column as the file calls it, its value, and what keeps it from being so."""

SameBody = Callable[[str, str], bool]
"""Whether two names are one public body's."""

Judge = Callable[[Values, Values], Sequence[Objection]]
"""From what is known, and what a row would make of it, to what speaks against it."""


Anew = Callable[[str, Values, Values, Collection[str]], Mapping[str, Any]]
"""From a key, what is known of it, what a row would make of it, and the columns of which the row says
nothing, to what else is otherwise then."""


@dataclass(frozen=True, slots=True)
class ColumnChanges:
    """What rows said of a column of keys that were known before: numbers of rows.

    :param set: it was unknown.
    :param kept: it is known, and a row that differs elsewhere, or stays as it was, says nothing of it.
    :param cleared: it was known, and the row says that it is not.
    """

    set: int = 0
    changed: int = 0
    kept: int = 0
    cleared: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The latest mark of a record."""

    mark_id: int
    kind: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An office's row that contradicts a mark.

    :param data: the record as it would be if the row were right.
    """

    record_id: str
    subject_id: str
    mark_id: int
    claimed: str
    data: str
    row_no: int
    sheet: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that would make what is known impossible.

    :param order_no: of the row among all of its file.
    """

    order_no: int
    row_no: int
    sheet: str | None
    objections: Sequence[Objection]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row of a key that is known with other content.

    :param known: the document that is known.
    :param said: the row's document.
    :param cleared: the columns that the row says are unknown.
    :param proposed: the columns that its document says only where nothing is known of them.
    """

    key: str
    subject_id: str
    row_no: int
    order_no: int
    sheet: str | None
    known: str
    said: str
    cleared: Collection[str]
    proposed: Collection[str]
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Move:
    """A row by which another body than before has a record.

    :param after: None where the row says that nobody has it.
    """

    before: str
    after: str | None
    row_no: int
    sheet: str | None


class Merger:
    """Merges rows, and counts what they changed.

    :param judge: says what speaks against a merged row.
    :param same_body: whether two names are one public body's.
    :param anew: says what rested on what a row corrects.
    :ivar moves: rows that give a record to another body.
    :ivar held: rows whose status is another than the one that a mark gave.
    :ivar claims: those of them that contradict it.
    :ivar refused: rows that were not merged.
    :ivar corrected: the rows that say another value than was said before, by whose record it is.
    """

    def __init__(
        self,
        judge: Judge,
        same_body: SameBody,
        anew: Anew = lambda key, known, merged, unsaid: {},
    ) -> None:
        self.held = 0
        self.moves: list[Move] = []
        self.claims: list[Claim] = []
        self.refused: list[Refusal] = []
        self.corrected: Counter[str] = Counter()
        self._judge, self._anew, self._same_body = judge, anew, same_body
        self._counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("set", "changed", "kept", "cleared")
        }

    @property
    def columns(self) -> Mapping[str, ColumnChanges]:
        """The changes of each column that any row spoke of, or was silent about."""
        names = sorted(set().union(*self._counts.values()))
        return {
            name: ColumnChanges(**{change: counts[name] for change, counts in self._counts.items()})
            for name in names
        }

    def merge(self, row: Arrival) -> str:
        """The document that is known of the row's key from now on."""
        known, cleared = json.loads(row.known), set(row.cleared)
        stay = known.keys() & set(row.proposed)
        said = {name: value for name, value in json.loads(row.said).items() if name not in stay}
        respelled = [name for name, value in said.items() if _is_respelled(name, known.get(name), value)]
        said |= {name: known[name] for name in respelled}
        unsaid = known.keys() - said.keys() - cleared
        follows = self._anew(row.key, known, _over(known, said, cleared), unsaid)
        said |= follows
        stands = row.standing is not None and known.get(STATUS) == row.standing.after
        theirs = _over(known, said, cleared)
        objections = self._judge(known, theirs | {STATUS: known[STATUS]} if stands else theirs)
        if objections:
            self.refused.append(Refusal(row.order_no, row.row_no, row.sheet, objections))
            return row.known
        if row.standing is not None and stands:
            self._hold(row, row.standing, theirs, said, cleared)
        self._count(known, said, cleared)
        self._move(row, known.get(AUTHORITY), None if AUTHORITY in cleared else said.get(AUTHORITY, ""))
        contradicts = bool(self.claims) and self.claims[-1].record_id == row.key
        if not contradicts and corrections(known, _over(known, said, cleared)):
            self.corrected[known.get(AUTHORITY) or ""] += 1
        if not (cleared or follows or respelled) and known.keys() <= said.keys():
            return row.said  # the row says all there is
        return canonical(_over(known, said, cleared))

    def _hold(
        self,
        row: Arrival,
        standing: Standing,
        theirs: Mapping[str, Any],
        said: dict[str, Any],
        cleared: set[str],
    ) -> None:
        """Take the status out of what the row says, and note where it is another than what stands.

        :param theirs: what would be known if the row were right.
        """
        cleared.discard(STATUS)
        claimed = said.pop(STATUS, standing.after)
        if claimed == standing.after:
            return
        self.held += 1
        if not (standing.kind in EXPECTED and claimed == standing.before):
            self.claims.append(
                Claim(
                    row.key,
                    row.subject_id,
                    standing.mark_id,
                    claimed,
                    canonical(theirs),
                    row.row_no,
                    row.sheet,
                )
            )

    def _move(self, row: Arrival, before: str | None, after: str | None) -> None:
        """Note that another body has the record; ``after`` is empty where the row says nothing of it."""
        if before and after != "" and not (after and (before == after or self._same_body(before, after))):
            self.moves.append(Move(before, after, row.row_no, row.sheet))

    def _count(self, known: Mapping[str, Any], said: Mapping[str, Any], cleared: set[str]) -> None:
        counts = self._counts
        counts["set"].update(said.keys() - known.keys())
        counts["changed"].update(name for name, value in said.items() if known.get(name, value) != value)
        counts["kept"].update(known.keys() - said.keys() - cleared)
        counts["cleared"].update(known.keys() & cleared)


def is_same(name: str, one: Any, other: Any) -> bool:
    """Whether two values of a column are the same, in whatever spelling.

    >>> is_same("document_no", "某罚[2026]1号", "某罚〔2026〕1号"), is_same("level", "[A]", "〔A〕")
    (True, False)
    """
    return one == other or _is_respelled(name, one, other)


def _is_respelled(name: str, one: Any, other: Any) -> bool:
    if name not in DOCUMENTS or one is None or other is None:
        return False
    return bool(one != other and document(str(one)) == document(str(other)))


def in_one_spelling(text: str) -> str:
    """A row's document to compare by: what it says in a spelling of many it says in one.

    >>> in_one_spelling('{"document_no":"某罚[2026] 1号","level":"fine"}')
    '{"document_no":"某罚〔2026〕1号","level":"fine"}'
    """
    return _DOCUMENT.sub(lambda found: f'{found["name"]}"{document(found["number"])}"', text)


_DOCUMENT = re.compile(
    r'(?P<name>"document(?:_no)?":)"(?![-0-9A-Za-z\u4e00-\u9fff\u3014\u3015]*")'  # most are in it already
    r'(?P<number>(?:[^"\\]|\\.)*)"'
)


def corrections(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The columns of which something was said that is not so any more; a status goes its way by itself.

    >>> corrections({"amount": "7", "status": "effective"}, {"amount": "9", "document": "1"})
    ['amount']
    """
    return [name for name, value in before.items() if name != STATUS and after.get(name) != value]


def _over(known: Mapping[str, Any], said: Mapping[str, Any], cleared: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in {**known, **said}.items() if name not in cleared}
