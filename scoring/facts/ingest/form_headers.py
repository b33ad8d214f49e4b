"""A row of headers as those of an official form: which field each is, and which columns they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rules.model import Column, Kind, Title, Vocabulary
from scoring.facts.ingest.cells import Convert, Reading, converter
from scoring.facts.ingest.folding import Cell, as_text
from scoring.facts.ingest.forms import SUBJECT, Form, FormColumn
from scoring.facts.ingest.header_words import has_unit, readings
from scoring.facts.ingest.mapping import FileMapping
from scoring.facts.ingest.refusals import Refuser
from scoring.facts.ingest.sheets import Cells
from scoring.facts.ingest.sources import (
    NOWHERE,
    Behind,
    Code,
    First,
    Found,
    Listed,
    Nothing,
    Number,
    Part,
    Source,
    Sum,
    Told,
)

_NO_FIELD = FormColumn(())
_Place = tuple[int, int]
"""A position, and what a unit in its header multiplies by; 0 where it has none."""


@dataclass(frozen=True, slots=True)
class Bare:
    """The header of an amount that has no unit.

    :param per: what its numbers are multiplied by.
    """

    header: str
    position: int
    per: int


class FormHeaders:
    """A row of cells as the headers of a file of a form.

    A header that a mapping names is no field; one that is none may be the vocabulary's own.

    :param own: position → column and multiplier, by the vocabulary's own headers.
    :param finders: attributes of the subject by the vocabulary's own headers; of a header that names one
        beside the code as well.
    :ivar places: field → where it stands.
    :ivar is_sure: whether no ordinary ledger has such headers.
    """

    def __init__(
        self,
        form: Form,
        vocabulary: Vocabulary,
        mapping: FileMapping,
        cells: Cells,
        own: Mapping[int, tuple[str, int]],
        finders: Sequence[Found],
    ) -> None:
        assert vocabulary.records is not None
        self.form, self.cells = form, cells
        self._vocabulary, self._table, self._mapping = vocabulary, vocabulary.records, mapping
        self._fields = [self._field(cell) for cell in cells]
        self.places: dict[str, _Place] = {}
        for position, field in enumerate(self._fields):
            if field is not None:
                self.places.setdefault(field[0], (position, field[1]))
        self.is_sure = bool(form.sure & self.places.keys()) or not form.sure
        if not self.is_sure:
            self.form = form.without_numbers()
        self._own = {
            position: (name, per if has_unit(as_text(cells[position])) else 0)
            for position, (name, per) in own.items()
            if self._fields[position] is None
        }
        codes = form.columns.get(vocabulary.record_subject, _NO_FIELD).fields
        self._own_finders = [
            finder
            for finder in finders
            if (field := self._fields[finder.position]) is None or field[0] in codes
        ]

    @property
    def is_signed(self) -> bool:
        """Whether the fields are there without which a file is none of the form."""
        return all(sign & self.places.keys() for sign in self.form.signs)

    @property
    def named(self) -> set[int]:
        """The positions of all headers that are known."""
        return self.fields.keys() | self._own.keys() | {finder.position for finder in self.finders}

    @property
    def meanings(self) -> dict[int, tuple[str, int]]:
        """What each header means, a field or a column, and what a unit in it multiplies by."""
        fields = {n: field for n, field in enumerate(self._fields) if field is not None}
        return {
            **{finder.position: (finder.column.name, 1) for finder in self._own_finders},
            **self._own,
            **fields,
        }

    @property
    def meant(self) -> list[tuple[Title, str]]:
        """What each header means of which columns are made, with the header."""
        used = {title for column in self.form.columns.values() for title in column.fields}
        meant = []
        for position, field in enumerate(self._fields):
            if field is not None and field[0] in used:
                meant.append((Title(field[0], field[0]), self._header(position)))
            elif position in self._own:
                meant.append((self._meaning(self._own[position][0]), self._header(position)))
        return meant

    def _meaning(self, name: str) -> Title:
        """What a column's own header means: an amount beside one of its fields would be counted twice."""
        column = self._table.columns[name]
        fields = self.form.columns.get(name, _NO_FIELD).fields if column.declared == "decimal" else ()
        beside = next((field for field in fields if field in self.places), None)
        return Title(column.title.zh, name) if beside is None else Title(beside, beside)

    @property
    def bare(self) -> list[Bare]:
        """The amounts whose headers have no unit."""
        amounts = [name for name, column in self._table.columns.items() if column.declared == "decimal"]
        places = (
            (place, self.form.columns.get(name, _NO_FIELD).per)
            for name in amounts
            for place in self._places(name)
        )
        return [Bare(self._header(position), position, said) for (position, per), said in places if not per]

    @property
    def in_no_unit(self) -> list[Bare]:
        """Those of which nobody knows in what they are: the form says it in a file that is surely of it, and
        of its own codes; a header of ours in English means yuan."""
        return [
            item
            for item in self.bare
            if not (item.position in self.fields if item.header.isascii() else self.is_sure)
        ]

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which the rows mean nothing: what makes the number, and the subject."""
        own = [name for name in self.form.number if name in self._table.columns] or [self._table.key]
        number = () if self._table.key in self.found else own
        return (*number, self._vocabulary.record_subject)

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that a new row needs."""
        code = self.form.fixed.get(self._table.kind or "", "")
        return (*self._table.needs, *self._table.kinds.get(code, Kind((), {})).needs)

    @property
    def present(self) -> set[str]:
        """The columns that the file says, or that are filled in."""
        return {*self.found, *self.filled}

    @property
    def filled(self) -> frozenset[str]:
        """The columns that the form, or the law, fills in where a row does not say them."""
        proposals = self._vocabulary.proposals
        return frozenset({*self.form.fixed, *(proposal.column for proposal in proposals)})

    @property
    def fields(self) -> Mapping[int, str]:
        """The field of each position that has one."""
        return {position: field[0] for position, field in enumerate(self._fields) if field is not None}

    @property
    def refuser(self) -> Refuser:
        """Says which rows nothing is kept of."""
        places = {field: position for field, (position, _) in self.places.items()}
        return Refuser.of(self.form, places, self._vocabulary)

    @property
    def private(self) -> frozenset[int]:
        """The positions whose cells are not shown."""
        return frozenset(self.places[name][0] for name in self.form.private if name in self.places)

    def reads_as(self, other: FormHeaders) -> bool:
        """Whether another form makes the same of the rows; a word that only one of them knows is none of the
        other's."""
        words = other._words
        is_said = all(words.get(word, code) == code for word, code in self._words.items())
        return is_said and self._reading == other._reading

    @property
    def _reading(self) -> tuple[object, ...]:
        """What the form makes of the headers, but for the words in the rows."""
        columns = {
            name: (places, self._positions(said.told_with), replace(said, fields=(), told_with=(), words={}))
            for name in (*self._table.columns, *self._vocabulary.find_by)
            for said in (self.form.columns.get(name, _NO_FIELD),)
            if (places := self._places(name)) or self._positions(said.told_with)
        }
        refused = [
            (self._positions((rule.field,)), rule.says, self._positions(rule.without), rule.identity)
            for rule in self.form.refused
            if rule.field in self.places
        ]
        return columns, refused, self.private, self.form.fixed, self.form.number

    @property
    def _words(self) -> Mapping[tuple[str, str], str | None]:
        """What the words of each column stand for."""
        columns = ((name, said) for name, said in self.form.columns.items() if self._places(name))
        return {(name, word): code for name, said in columns for word, code in said.words.items()}

    def _positions(self, fields: Sequence[str]) -> set[int]:
        return {self.places[field][0] for field in fields if field in self.places}

    @cached_property
    def found(self) -> Mapping[str, Found]:
        """The table's columns, by the form's fields and the vocabulary's own headers."""
        found: dict[str, Found] = {}
        for name, column in self._table.columns.items():
            said = self.form.columns.get(name, _NO_FIELD)
            places = self._places(name)
            source = self._source(said, column, places) if places else None
            with_it = tuple(self.places[field][0] for field in said.told_with if field in self.places)
            if with_it:
                source = Told(source, with_it, tuple(map(self._header, with_it)), said.fields[0])
            behind = tuple(position for position, _ in self._places(said.behind))
            if behind:
                source = Behind(source, behind)
            if source is not None and not (places or with_it):
                found[name] = Found(column, NOWHERE, column.title.zh, 1, source)
            elif source is not None:
                found[name] = self._at(column, (places or [(with_it[0], 0)])[0][0], source)
        key, link = self._table.key, self._vocabulary.record_subject
        codes, numbers = found.get(link), {finder.position for finder in self.finders}
        if codes is not None and codes.source is not None and codes.position in numbers:
            found[link] = replace(codes, source=Code(codes.source))
        if link not in found and self.finders:
            position = self.finders[0].position
            found[link] = self._at(self._table.columns[link], position, Nothing(position))
        parts = [part for part in (self._part(name, found) for name in self.form.number) if part is not None]
        if parts and len(parts) == len(self.form.number):
            found[key] = self._numbered(found.get(key), parts)
        return found

    def _places(self, name: str) -> list[_Place]:
        """Where a column stands, by the form's fields and then by the vocabulary's own header."""
        fields = self.form.columns.get(name, _NO_FIELD).fields
        places = [self.places[field] for field in fields if field in self.places]
        return places + [(position, per) for position, (own, per) in self._own.items() if own == name]

    @cached_property
    def finders(self) -> tuple[Found, ...]:
        """The attributes of the subject by which it is found, in the order in which they are tried."""
        found = {finder.column.name: finder for finder in self._own_finders}
        for name in self._vocabulary.find_by:
            fields = self.form.columns.get(name, _NO_FIELD).fields
            place = next((self.places[field] for field in fields if field in self.places), None)
            if place is not None:
                found[name] = self._at(self._vocabulary.subject.columns[name], place[0], None)
        return tuple(found[name] for name in self._vocabulary.find_by if name in found)

    def _part(self, name: str, found: Mapping[str, Found]) -> Part | None:
        """What a column says of the record's number; None where nothing can."""
        if name == SUBJECT:
            codes = [found[link] for link in (self._vocabulary.record_subject,) if link in found]
            return Part(tuple(map(self._read, (*codes, *self.finders)))) if codes else None
        title = self._table.columns[name].values.get(self.form.fixed.get(name, ""))
        otherwise = title.zh if title is not None else None
        sources = (self._read(found[name]),) if name in found else ()
        return Part(sources, otherwise) if sources or otherwise else None

    def _read(self, item: Found) -> tuple[Source, Convert]:
        convert = converter(reading_of(self.form, item.column, self._mapping))
        return item.source or First((item.position,)), convert

    def _numbered(self, own: Found | None, parts: Sequence[Part]) -> Found:
        first = own.position if own else parts[-1].sources[0][0].place(self.cells)
        number = Number(First((own.position,)) if own else None, tuple(parts))
        return self._at(self._table.columns[self._table.key], first, number)

    def _source(self, said: FormColumn, column: Column, places: Sequence[_Place]) -> Source:
        positions = tuple(position for position, _ in places)
        if column.declared == "decimal":
            reading = reading_of(self.form, column, self._mapping)
            reads = [(position, converter(replace(reading, per=per or said.per))) for position, per in places]
            return Sum(tuple(reads if said.is_all else reads[:1]))
        return Listed(positions) if said.is_all else First(positions)

    def _at(self, column: Column, position: int, source: Source | None) -> Found:
        return Found(column, position, self._header(position), 1, source)

    def _header(self, position: int) -> str:
        return as_text(self.cells[position]).strip()

    def _field(self, cell: Cell) -> tuple[str, int] | None:
        words = readings(cell) if isinstance(cell, str) else ()
        is_mapped = any(word in self._mapping.columns for word, _ in words)
        return None if is_mapped else field_named(self.form, cell)


def field_named(form: Form, cell: Cell) -> tuple[str, int] | None:
    """The field that a header names, and what a unit in it multiplies by; 0 where it has none."""
    words = readings(cell) if isinstance(cell, str) else ()
    named = ((form.field_of(word), per) for word, per in words)
    return next(((field, per) for field, per in named if field is not None), None)


def reading_of(form: Form | None, column: Column, mapping: FileMapping) -> Reading:
    """How the cells of a column are read, by the form of the file and its mapping, which goes first."""
    said = form.columns.get(column.name, _NO_FIELD) if form else _NO_FIELD
    return Reading(
        column,
        replacements={**said.words, **mapping.values.get(column.name, {})},
        default=mapping.defaults.get(column.name, ""),
        gravest=said.gravest,
        no_end=said.no_end,
    )
