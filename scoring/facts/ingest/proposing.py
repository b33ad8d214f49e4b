"""What a row leaves open, and the form or the law fills in: its kind, its class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

from rules.language.evaluate import compiled
from rules.language.expressions import names
from rules.model import Kind, Proposal, Vocabulary
from scoring.facts.ingest.cells import JsonValue
from scoring.store.documents import PROPOSED

CACHED_ROWS = 16_384


@dataclass(frozen=True, slots=True)
class Proposals:
    """What is filled in.

    :param values: column → value; under :data:`PROPOSED` the names of the columns.
    :param to_confirm: what a person must confirm before it holds.
    """

    values: Mapping[str, JsonValue]
    to_confirm: tuple[Proposal, ...] = ()


@dataclass(frozen=True, slots=True)
class Law:
    """What the law says of a column of a record.

    :param filled: what holds where nobody says the column; None where it says nothing.
    :param to_confirm: what holds once a person confirms it.
    """

    filled: JsonValue
    to_confirm: tuple[Proposal, ...]

    @property
    def allowed(self) -> frozenset[JsonValue]:
        """The values that are its word."""
        return frozenset({self.filled, *(proposal.code for proposal in self.to_confirm)} - {None})


class Proposer:
    """Fills in what a row does not say itself, and nobody has said of its record.

    :param fixed: what a form says of all its rows.
    :ivar proposes: the columns of which the law says something; ``fills``: all that it may fill in.
    :ivar reads: all columns that it looks at; of these alone a row's proposals depend.

    >>> from rules.library.loader import load_vocabulary
    >>> found = Proposer(load_vocabulary("enterprise"))({"kind": "penalty", "level": "closed"})
    >>> found.values["severity"], [proposal.code for proposal in found.to_confirm]
    ('general', ['serious'])
    """

    def __init__(self, vocabulary: Vocabulary, fixed: Mapping[str, str] = MappingProxyType({})) -> None:
        assert vocabulary.records is not None
        self._fixed = fixed
        self._proposals = [(compiled(proposal.when), proposal) for proposal in vocabulary.proposals]
        self._table = vocabulary.records
        self._columns = vocabulary.records.columns
        read = {name.name for proposal in vocabulary.proposals for name in names(proposal.when)}
        self.proposes = frozenset(proposal.column for proposal in vocabulary.proposals)
        self.fills = self.proposes | fixed.keys()
        self.reads = tuple(sorted(read | self.fills))
        self.of = lru_cache(CACHED_ROWS, typed=True)(self._of)

    def __call__(self, values: Mapping[str, JsonValue]) -> Proposals:
        """What is filled in where a row says these values; None where it does not know one."""
        return self.of(tuple(values.get(name) for name in self.reads))

    def law(self, column: str, values: Mapping[str, JsonValue]) -> Law:
        """What the law says of a column of a record, whatever stands there.

        >>> from rules.library.loader import load_vocabulary
        >>> fined = {"kind": "penalty", "level": "fine", "severity": "minor", "amount": "2000000.0000"}
        >>> sorted(Proposer(load_vocabulary("enterprise")).law("severity", fined).allowed)
        ['general', 'serious']
        """
        found = self({**values, column: None})
        return Law(found.values.get(column), tuple(p for p in found.to_confirm if p.column == column))

    def awaits(self, column: str, values: Mapping[str, JsonValue]) -> dict[str, list[str]]:
        """Of a column that a row leaves open, and the law too: what else the row would have to say.

        :return: column with a list of codes of which the row says none → those by which the law would say it.

        >>> from rules.library.loader import load_vocabulary
        >>> found = Proposer(load_vocabulary("enterprise")).awaits("severity", {"kind": "penalty"})
        >>> {name: codes[:2] for name, codes in found.items()}
        {'level': ['warning', 'criticism']}
        """
        kind = self._table.kinds.get(str(values.get(self._table.kind or "")), Kind((), {}))
        asked = {
            name: kind.values.get(name, tuple(self._columns[name].values))
            for name in self.reads
            if name != column and values.get(name) is None
        }
        led = {
            name: [code for code in codes if self.law(column, {**values, name: code}).allowed]
            for name, codes in asked.items()
        }
        return {name: codes for name, codes in led.items() if codes}

    def anew(
        self,
        known: Mapping[str, JsonValue],
        merged: Mapping[str, JsonValue],
        unsaid: Iterable[str],
        words: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, JsonValue]:
        """The columns of a record whose value rested on what a row corrects, as the law fills them now.

        Own choice: what the law allowed before, and does not allow any more, was its word and not the
        office's, even where a person confirmed it. What a person said against the law falls where the law
        says something else of the record than when they said it. Any other value stays.

        :param known: the record before the row, and ``merged``: after it.
        :param unsaid: the columns of which the row says nothing itself.
        :param words: column → what a person said of it.

        >>> from rules.library.loader import load_vocabulary
        >>> known = {"kind": "penalty", "level": "fine", "severity": "minor", "amount": "500.0000"}
        >>> proposer = Proposer(load_vocabulary("enterprise"))
        >>> proposer.anew(known, known | {"amount": "5000.0000"}, ["severity"])
        {'severity': 'general'}
        """
        found: dict[str, JsonValue] = {}
        for column in self.proposes.intersection(unsaid) & known.keys():
            now, before = self.law(column, merged), self.law(column, known)
            rested = known[column] in before.allowed or words.get(column) == known[column]
            if rested and now != before and now.allowed and known[column] not in now.allowed:
                found[column] = now.filled
        return found

    def _of(self, said: tuple[JsonValue, ...]) -> Proposals:
        """What is filled in where the columns that are read say these values."""
        values = dict(zip(self.reads, said, strict=True))
        filled: dict[str, JsonValue] = {
            name: code for name, code in self._fixed.items() if values[name] is None
        }
        row: dict[str, JsonValue | Decimal] = {
            name: self._typed(name, value) for name, value in {**values, **filled}.items()
        }
        to_confirm = []
        for is_met, proposal in self._proposals:
            if row[proposal.column] is None and is_met(row):
                filled[proposal.column] = row[proposal.column] = proposal.meanwhile or proposal.code
                if proposal.meanwhile is not None:
                    to_confirm.append(proposal)
        return Proposals(filled | {PROPOSED: " ".join(sorted(filled)) or None}, tuple(to_confirm))

    def _typed(self, name: str, value: JsonValue) -> JsonValue | Decimal:
        is_decimal = value is not None and self._columns[name].declared == "decimal"
        return Decimal(str(value)) if is_decimal else value
