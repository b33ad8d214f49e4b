"""The fields of the editor: what of a draft's data stands in which, and back into the text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from decimal import Decimal
from typing import Any

from rules.fault import PackError, UnknownPackError
from rules.library.loader import load_vocabulary
from rules.model import Column, Title
from rules.text.source import Path, read, standing_at, unquoted
from rules.tools.edit import with_value, without
from rules.tools.exchange.pack import value_in_line

PLACE = re.compile(r"[0-9]{1,6}")
"""A step of a path that is a place in a list."""
_RANGE = re.compile(r"[\[(\]][^,\[\](){}]*\.\.[^,\[\](){}]*[\])\[]")
"""A cell that is one range, and no list."""


def path_of(name: str) -> Path:
    """The path in a draft that a name says, its steps parted by dots.

    >>> path_of("rules.3.points")
    ('rules', 3, 'points')
    """
    return tuple(int(step) if PLACE.fullmatch(step) else step for step in name.split("."))


@dataclass(frozen=True, slots=True)
class Kind:
    """What a mapping may be, by the key that makes it so.

    :param of: what the value of that key names; a value stays in another kind of the same.
    :param has: the keys that only such mappings have.
    :param empty: the value before anything is filled in.
    """

    of: str
    has: frozenset[str]
    empty: Any = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form.

    :param name: the path of its value, its steps parted by dots.
    :param kind: ``line``, ``area``, ``lines`` (one entry each), ``cell`` (of a table's row), ``yaml`` (a
        mapping as it is written) or ``key`` (which of its choices the mapping around it has as a key).
    :param is_text: whether what looks like a number or a date is a text all the same.
    :param choices: what may be chosen, by what is written.
    :param hints: what may be written among other things, by what it means.
    :param kinds: of a ``key``, what the mapping is by each of its choices.
    """

    name: str
    title: Title
    value: str
    kind: str = "line"
    is_text: bool = False
    choices: Mapping[str, Title] | None = None
    hints: Mapping[str, Title] | None = None
    kinds: Mapping[str, Kind] = made(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where its value stands."""
        return path_of(self.name)

    def read(self, given: str) -> Any:
        """What was filled in, as data."""
        if self.kind == "yaml":
            return as_yaml(given)
        if self.kind == "lines":
            entries = [line.strip() for line in given.splitlines() if line.strip()]
            return entries[0] if len(entries) == 1 else entries
        line = " ".join(given.split("\n")).strip()
        if self.kind == "cell":
            if line[:1] in ("{", "[") and not _RANGE.fullmatch(line):
                return _listed(line)
            return line if self.is_text and line != "null" else unquoted(line)
        if self.is_text and line != "null":
            return line
        return _listed(line) if line[:1] in ("{", "[") else unquoted(line)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table of fields.

    :param path: of the entry that it shows.
    :param cells: by column; None where this entry has none.
    """

    path: str
    cells: tuple[Field | None, ...]
    whole: Field | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """Fields as a table, an entry a row.

    :param adds: what the button says that adds a row; None where rows neither come nor go.
    :param new: a row that is added where there is none yet; else it is as the last.
    :param moves: whether the order of rows says something.
    :param has_results: whether they are examples, of which there is a result.
    """

    path: str
    title: Title
    columns: tuple[Title, ...]
    rows: tuple[Row, ...]
    adds: Title | None = None
    new: Any = None
    moves: bool = False
    has_results: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a part.

    :param may_go: whether the part is an entry that may be copied and removed.
    """

    title: Title
    fields: tuple[Field, ...]
    grids: tuple[Grid, ...] = ()
    may_go: bool = False

    def all_fields(self) -> Iterator[Field]:
        """Every field, those of tables as well."""
        yield from self.fields
        for grid in self.grids:
            for row in grid.rows:
                yield from (cell for cell in (*row.cells, row.whole) if cell is not None)


def applied(text: str, file: str, form: Form, given: Mapping[str, str]) -> str:
    """The text with what was changed in a form; fields that say what stands there change nothing.

    What a mapping is made of is changed last: the fields are of what it was.

    :raises PackError: where something can't be put there.
    """
    for field in sorted(form.all_fields(), key=lambda field: field.kind == "key"):
        filled = given.get(field.name, field.value).replace("\r\n", "\n").strip()
        if filled == field.value.strip():
            continue
        if field.kind == "key":
            text = _rekeyed(text, file, field, filled)
        elif filled or field.kind == "cell":
            filled = filled or "-"  # a row has a cell of each column: an empty one asks for nothing
            text = with_value(text, file, field.path, field.read(filled))
        elif standing_at(read(text, file).data, field.path) is not None:
            text = without(text, file, field.path)
    return text


def _rekeyed(text: str, file: str, field: Field, key: str) -> str:
    """The text with a mapping of another kind: what both kinds have stays, what the new one has not goes."""
    kinds, around = field.kinds, field.path[:-1]
    if field.value not in kinds or key not in kinds:
        return text
    old, new = kinds[field.value], kinds[key]
    entry = standing_at(read(text, file).data, around)
    value = entry[field.value] if old.of == new.of else new.empty
    made = {key if name == field.value else name: given for name, given in entry.items()}
    made = {name: given for name, given in made.items() if name == key or name not in old.has - new.has}
    return with_value(text, file, around, {**made, key: value})


def titled(entry: Any) -> Title:
    """What an entry is called, as far as it says."""
    title = entry.get("title") if isinstance(entry, dict) else None
    if isinstance(title, dict) and isinstance(title.get("zh"), str):
        return Title(title["zh"], str(title.get("en", title["zh"])))
    name = title if isinstance(title, str) else entry.get("id") if isinstance(entry, dict) else None
    return Title(str(name or "—"), str(name or "—"))


def titles_of(data: Any, part: str) -> list[Field]:
    """The fields of a title, which may be one text for both languages."""
    if isinstance(standing_at(data, (*path_of(part), "title")), str):
        return [line(data, f"{part}.title", Title("名称", "Title"), True)]
    return [
        line(data, f"{part}.title.zh", Title("名称（中文）", "Title (Chinese)"), True),
        line(data, f"{part}.title.en", Title("名称（英文）", "Title (English)"), True),
    ]


def line(data: Any, name: str, title: Title, is_text: bool = False) -> Field:
    """A field of one line; ``null`` that is written is shown as such."""
    field = Field(name, title, "", is_text=is_text)
    around = standing_at(data, field.path[:-1])
    value = standing_at(data, field.path)
    is_null = value is None and is_there(around, field.path[-1])
    return Field(name, title, "null" if is_null else shown(value), is_text=is_text)


def is_there(around: Any, step: str | int) -> bool:
    """Whether a mapping or list has something at a step."""
    is_listed = isinstance(around, list) and isinstance(step, int) and step < len(around)
    return is_listed or (isinstance(around, dict) and step in around)


def chosen(data: Any, name: str, title: Title, choices: Mapping[str, Title], is_text: bool = True) -> Field:
    """What is written and is none of the choices is one more: nothing is changed by being shown."""
    field = line(data, name, title, is_text)
    others = (
        {} if field.value in choices or not field.value else {field.value: Title(field.value, field.value)}
    )
    return Field(name, title, field.value, is_text=is_text, choices={**choices, **others})


def columns_of(data: Any) -> dict[str, Column]:
    """The columns of the vocabulary that the draft names."""
    try:
        vocabulary = load_vocabulary(str(data.get("subject")))
    except UnknownPackError:
        return {}
    records = vocabulary.records.columns if vocabulary.records else {}
    return {**vocabulary.subject.columns, **records}


def shown(value: Any) -> str:
    """A value as its field shows it; nothing for none."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case dt.date():
            return value.isoformat()
        case Decimal() | int():
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        case _:
            return value_in_line(value)


def as_yaml(text: str, key: str | None = None, otherwise: str | None = None) -> Any:
    """Data that were written as YAML; what is none is the text itself, for the loader to refuse."""
    try:
        data = read(text, "field").data
    except PackError:
        return text if otherwise is None else otherwise
    return data if key is None else data[key]


def _listed(line: str) -> Any:
    """A list or a mapping on one line; what is none is the line itself, for the loader to refuse."""
    return as_yaml(f"x: {line}", "x", line)


def entries_of(data: Any, section: str) -> list[Any]:
    """The entries of a section; none where it is no list."""
    entries = data.get(section)
    return entries if isinstance(entries, list) else []


@dataclass(frozen=True, slots=True)
class Part:
    """Makes the fields of a part of a draft."""

    data: Any
    name: str

    @property
    def entry(self) -> Any:
        """What stands there."""
        return standing_at(self.data, path_of(self.name))

    def line(self, name: str, zh: str, en: str, is_text: bool = False) -> Field:
        """A field of one line."""
        return line(self.data, f"{self.name}.{name}", Title(zh, en), is_text)

    def area(self, name: str, zh: str, en: str, is_text: bool = True) -> Field:
        """A field of several lines, which are one text."""
        value = shown(standing_at(self.entry, path_of(name)))
        return Field(f"{self.name}.{name}", Title(zh, en), value, "area", is_text)

    def lines(self, name: str, zh: str, en: str) -> Field:
        """A field of a list, or of its one entry."""
        value = standing_at(self.entry, path_of(name))
        written = "\n".join(map(str, value)) if isinstance(value, list) else shown(value)
        return Field(f"{self.name}.{name}", Title(zh, en), written, "lines", True)

    def chosen(self, name: str, zh: str, en: str, choices: Mapping[str, Title]) -> Field:
        """A field of a choice."""
        return chosen(self.data, f"{self.name}.{name}", Title(zh, en), choices)

    def window(self, name: str, zh: str, en: str) -> list[Field]:
        """The fields of a window."""
        return [
            self.line(f"{name}.months", f"{zh}（月）", f"{en} (months)"),
            self.line(f"{name}.days", f"{zh}（日）", f"{en} (days)"),
            self.line(f"{name}.from", "自何日起计", "Counting from", True),
            self.line(f"{name}.until", "至何日止", "Until", True),
        ]
