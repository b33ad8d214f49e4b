"""A pack in the making: what was read from another notation, what could not be, and the text of the pack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from marshmallow import ValidationError

from rules.fault import Fault, Place
from rules.language.expressions import Value, literal
from rules.language.parse import ConditionError, is_plain_name
from rules.model import Column as Declared
from rules.model import Vocabulary
from rules.nearest import one_of
from rules.text.fields import RESERVED, hundredths
from rules.titles import Title
from rules.tools.exchange.matches import Asked, Kind, together

KEY = "subject_id"
"""The number of a subject, in the vocabulary of a pack."""


class NotTakenError(Exception):
    """What the language can't say, and where it stands."""

    def __init__(self, place: Place, name: str, found: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.fault = Fault(place, name, found, message, hint)


@dataclass(frozen=True, slots=True)
class Column:
    """An attribute that tables ask of.

    :param codes: all values of a text, where they are listed.
    :param is_given: whether it is an attribute; else it is what a table gives.
    :param words: of a shared vocabulary's column: how files say its codes, each with the code.
    """

    name: str
    title: Title
    kind: Kind
    codes: tuple[str, ...] = ()
    is_given: bool = True
    words: tuple[tuple[str, str], ...] = ()

    def code(self, text: str) -> str:
        """The code that a text says; of a column without words the text itself.

        :raises ConditionError: where it says none of the column's codes.
        """
        if not self.words:
            return text
        found = dict(self.words).get(text)
        if found is None:
            raise ConditionError(f"{self.name} never has the value '{text}'", one_of(text, self.codes))
        return found


@dataclass(frozen=True, slots=True)
class Input:
    """A column as a table reads it.

    :param instead: what an unknown value is taken for.
    """

    column: Column
    instead: Value | None = None

    @property
    def expression(self) -> str:
        """As a condition has it."""
        if self.instead is None:
            return self.column.name
        return f"coalesce({self.column.name}, {literal(self.instead)})"


@dataclass(frozen=True, slots=True)
class Row:
    """What a row asks of each input, and its points or the value that it gives.

    :param place: where it was read.
    :param name: what it is called there.
    """

    asked: tuple[Asked, ...]
    points: Decimal | str
    place: Place
    name: str
    title: Title | None = None
    note: Title | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table, or one characteristic of a scorecard.

    :param baseline: the points that are expected of it; None for 0.
    :param gives: the column that others read, where it gives a value; None where it gives points.
    :param take: what is made of all the rows that match.
    :param default: what it gives where no row matches.
    """

    id: str
    title: Title
    inputs: tuple[Input, ...]
    hit: str
    rows: tuple[Row, ...]
    place: Place
    baseline: Decimal | None = None
    gives: Column | None = None
    take: str | None = None
    default: Decimal | str | None = None


@dataclass
class Draft:
    """What was read.

    :param vocabulary: the shared one whose attributes the tables ask of; None where the pack brings its own.
    :param examples: cases that the file brings: what the subject is, and its score.
    :param missing: what the language can't say; the pack would answer otherwise without it.
    :param remarks: what is not in the pack and changes no answer.
    """

    title: str
    place: Place
    vocabulary: Vocabulary | None = None
    start: Decimal = Decimal(0)
    tables: list[Table] = field(default_factory=list)
    examples: list[Mapping[str, Any]] = field(default_factory=list)
    missing: list[Fault] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)

    def lack(self, place: Place, name: str, found: str, message: str, hint: str) -> None:
        """Note what is not taken.

        :param name: of the part that it is in, as people know it: ``额度 #3 年龄``.
        """
        self.missing.append(Fault(place, name, found, message, hint))

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Notes what is not taken, and goes on behind it."""
        try:
            yield
        except NotTakenError as error:
            self.missing.append(error.fault)

    def remark(self, place: Place, name: str, found: str, message: str, hint: str = "") -> None:
        """Note what is not in the pack and changes no answer."""
        self.remarks.append(Fault(place, name, found, message, hint))

    def column(
        self,
        called: str,
        title: Title,
        kind: Kind,
        codes: tuple[str, ...],
        place: Place,
        is_given: bool = True,
    ) -> Column:
        """The column of what is called so, the same wherever it is.

        :raises NotTakenError: where it was of another type before, or the shared vocabulary has none such.
        """
        if self.vocabulary is not None and is_given:
            return self.columns.setdefault(called, _shared(self.vocabulary, called, title, kind, place))
        if called not in self.columns:
            taken = {column.name for column in self.columns.values()}
            name = _free(_column_name(called, "input" if is_given else "result"), "_", taken)
            self.columns[called] = Column(name, title, kind, codes, is_given)
        known = self.columns[called]
        if (known.kind, set(known.codes)) != (kind, set(codes)):
            hint = "one type, and the same list of values, everywhere"
            raise NotTakenError(place, called, f"{known.kind}, {kind}", "an input of two types", hint)
        return known

    def table_id(self, title: str) -> str:
        """An id for a table that is called so; each time another."""
        return _free(id_of(title, "table"), "-", {table.id for table in self.tables})


def _shared(vocabulary: Vocabulary, called: str, title: Title, kind: Kind, place: Place) -> Column:
    """The attribute that is called so, by its name, its title or another header by which files name it."""
    attributes = vocabulary.subject.columns
    words = {word.casefold(): c for c in attributes.values() for word in (*c.aliases, c.title.en, c.title.zh)}
    words |= {name.casefold(): column for name, column in attributes.items()}
    found = next((words[w] for w in map(str.casefold, (called, title.zh, title.en)) if w in words), None)
    if found is None:
        hint = one_of(called, {name: column.title for name, column in attributes.items()})
        message = f"no attribute of the vocabulary {vocabulary.id} is called so"
        raise NotTakenError(place, called, "", message, hint)
    declared: Kind = found.declared  # type: ignore[assignment]
    if kind != declared and {kind, declared} != {"decimal", "integer"}:
        raise NotTakenError(place, called, kind, "an input of two types", f"{found.name}: {declared}")
    return Column(found.name, found.title, declared, tuple(found.values), words=_words(found))


def _words(column: Declared) -> tuple[tuple[str, str], ...]:
    """How files say the codes of a column."""
    titles = {text: code for code, title in column.values.items() for text in (title.zh, title.en)}
    return tuple((dict(column.spellings) | titles | {code: code for code in column.values}).items())


def _free(wanted: str, between: str, taken: Set[str]) -> str:
    """A name that is not taken."""
    names = (wanted if number == 1 else f"{wanted}{between}{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def id_of(title: str, otherwise: str) -> str:
    """An id for what is called so; ``otherwise`` where nothing in it can begin one."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]{0,59}", title):
        return title
    made = re.sub(r"[^a-z0-9.]+", "-", title.lower()).strip("-.")[:60].rstrip("-.")
    return made if made[:1].isalpha() else f"{otherwise}-{made}".rstrip("-")


def _column_name(title: str, otherwise: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:50].rstrip("_")
    if not name[:1].isalpha():
        name = f"{otherwise}_{name}".rstrip("_")
    usable = name not in RESERVED and name != KEY and is_plain_name(name)
    return name if usable else f"its_{name}"


def points_in(text: str) -> Decimal:
    """A number of points.

    :raises ConditionError: on anything else, and on what is finer or greater than points may be.
    """
    if not re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)", text.strip()):
        raise ConditionError("not a number of points", "a number such as -4 or 2.5")
    points = Decimal(text.strip())
    try:
        hundredths(points)
    except ValidationError as error:
        message, hint = str(error.messages[0]).split("\0")
        raise ConditionError(message, hint) from None
    return points


def require_apart(rows: Sequence[Row], same_points: bool = False) -> None:
    """No two rows can match together; with ``same_points`` none that give other points.

    :raises NotTakenError: at the second of two that do.
    """
    for number, later in enumerate(rows):
        for earlier in rows[:number]:
            may = same_points and later.points == earlier.points
            if not may and all(map(together, earlier.asked, later.asked)):
                message = f"can match together with {earlier.name}"
                raise NotTakenError(
                    later.place, later.name, "", message, "rows apart, or the first that matches"
                )
