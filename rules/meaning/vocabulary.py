"""Vocabularies: which columns there are, and which of them link a record to its subject and its date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules.fault import Fault, PackError
from rules.language.expressions import (
    BOOLEAN,
    DATE,
    DECIMAL,
    INTEGER,
    TEXT,
    Expression,
    Level,
    Type,
    reads_as_of,
)
from rules.language.parse import ConditionError, parse_condition
from rules.meaning.context import scope_of
from rules.model import Column, Limit, Proposal, Table, Title, Vocabulary
from rules.text.source import Document, Path

_TYPES = {"text": TEXT, "integer": INTEGER, "decimal": DECIMAL, "date": DATE, "boolean": BOOLEAN}


def build_vocabulary(document: Document, data: Mapping[str, Any], path: Path) -> Vocabulary:
    """A vocabulary from data of the right shape.

    :param path: where in the document it stands.
    :raises PackError: with every fault found.

    >>> from rules.text.shape import VocabularySchema
    >>> from rules.text.source import read
    >>> text = '''
    ... vocabulary: merchant
    ... title: {zh: 商户, en: Merchant}
    ... subject:
    ...   key: merchant_id
    ...   columns:
    ...     merchant_id: {type: text, title: {zh: 编号, en: Number}}
    ...     stalls: {type: integer, title: {zh: 摊位, en: Stalls}}
    ... '''
    >>> document = read(text, "merchant.yaml")
    >>> built = build_vocabulary(document, VocabularySchema().load(document.data), ())
    >>> {name: str(column.type) for name, column in built.subject.columns.items()}
    {'merchant_id': 'text', 'stalls': 'number'}
    """
    faults: list[Fault] = []
    subject = _table(document, data["subject"], (*path, "subject"), faults)
    records, link, date = None, "", ""
    find_by: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    favourable: Expression | None = None
    if data["records"]:
        link, date = data["records"]["subject"], data["records"]["date"]
        records = _table(document, data["records"], (*path, "records"), faults)
        _check_roles(document, records, {"subject": None, "date": DATE}, data["records"], path, faults)
        _check_link(document, subject, records, link, path, faults)
        find_by = tuple(data["records"]["find_by"])
        limits = tuple(_limits(document, records, data["records"]["limits"], path, faults))
        proposals = tuple(_proposals(document, records, data["records"]["proposals"], path, faults))
        if data["records"]["favourable"] is not None:
            where = (*path, "records")
            favourable = _when(document, records, data["records"]["favourable"], where, faults, "favourable")
    check = _RowWords(document, path, subject, records, faults)
    check.all()
    check.names(find_by, subject, TEXT, ("records", "find_by"))
    if faults:
        raise PackError(faults)
    return Vocabulary(
        data["vocabulary"],
        data["title"],
        subject,
        records,
        record_subject=link,
        record_date=date,
        find_by=find_by,
        limits=limits,
        proposals=proposals,
        favourable=favourable,
    )


def _table(document: Document, data: Mapping[str, Any], path: Path, faults: list[Fault]) -> Table:
    columns = {
        name: Column(
            name=name,
            type=_TYPES[c["type"]],
            declared=c["type"],
            title=c["title"],
            values=c["values"],
            aliases=tuple(c["aliases"]),
            doubted=c["doubted"],
            spellings=c["spellings"],
            format=c["format"],
            lawful=tuple(c["lawful"]),
            fillers=tuple(c["fillers"]),
            possible=c["possible"],
        )
        for name, c in data["columns"].items()
    }
    key = columns.get(data["key"])
    if key is None or key.type not in (TEXT, INTEGER):
        hint = "a text or integer column's name"
        faults.append(document.fault((*path, "key"), data["key"], "not a key", hint))
    needs = tuple(data.get("needs", ()))
    return Table(data["key"], columns, needs, data.get("kind"), data.get("kinds", {}))


@dataclass(frozen=True, slots=True)
class _RowWords:
    """Checks the words that say which rows there can be: ``needs``, ``kinds``, ``possible``."""

    document: Document
    path: Path
    subject: Table
    records: Table | None
    faults: list[Fault]

    def all(self) -> None:
        self._table(self.subject, self.subject.columns, "subject")
        if self.records is not None:
            self._table(self.records, {**self.subject.columns, **self.records.columns}, "records")
            self._kinds(self.records)

    def names(self, names: Iterable[str], table: Table, needed: Type | None, where: Path) -> None:
        """Complains of names that are no column of the table, or none of a type."""
        fit = [name for name, column in table.columns.items() if needed in (None, column.type)]
        for place, name in enumerate(names):
            if name not in fit:
                self._complain((*where, place), name, f"not a {needed or 'declared'} column", fit)

    def _table(self, table: Table, dates: Mapping[str, Column], part: str) -> None:
        self.names(table.needs, table, None, (part, "needs"))
        known = [name for name, column in dates.items() if column.type == DATE]
        for name, column in table.columns.items():
            earlier = column.possible.not_before
            if earlier is not None and (earlier not in known or earlier == name):
                where = (part, "columns", name, "possible", "not_before")
                self._complain(
                    where, earlier, "not another date", [other for other in known if other != name]
                )

    def _kinds(self, records: Table) -> None:
        coded = {name: column.values for name, column in records.columns.items() if column.values}
        codes = coded.get(records.kind or "")
        if codes is None:
            if records.kind is not None or records.kinds:
                self._complain(
                    ("records", "kind"), records.kind or "", "not a column with a list of codes", coded
                )
            return
        for code, kind in records.kinds.items():
            where = ("records", "kinds", code)
            if code not in codes:
                self._complain((*where, "?"), code, f"not a code of {records.kind}", codes)
            self.names(kind.needs, records, None, (*where, "needs"))
            for name, allowed in kind.values.items():
                self._codes(name, allowed, coded, (*where, "values", name))

    def _codes(
        self, name: str, allowed: Iterable[str], coded: Mapping[str, Mapping[str, Title]], where: Path
    ) -> None:
        if name not in coded:
            self._complain((*where, "?"), name, "not a column with a list of codes", coded)
            return
        for place, code in enumerate(allowed):
            if code not in coded[name]:
                self._complain((*where, place), code, f"not a code of {name}", coded[name])

    def _complain(self, where: Path, found: str, message: str, fit: Iterable[str]) -> None:
        hint = f"one of {', '.join(fit)}"
        self.faults.append(self.document.fault((*self.path, *where), found, message, hint))


def _limits(
    document: Document, records: Table, given: Iterable[Mapping[str, Any]], path: Path, faults: list[Fault]
) -> Iterator[Limit]:
    dates = [name for name, column in records.columns.items() if column.type == DATE]
    for index, entry in enumerate(given):
        where = (*path, "records", "limits", index)
        if entry["until"] not in (None, *dates):
            hint = f"one of {', '.join(dates)}"
            faults.append(document.fault((*where, "until"), entry["until"], "not a date column", hint))
        when = _when(document, records, entry["when"], where, faults)
        if when is not None:
            yield Limit(when, entry["months"], entry["until"], entry["because"])


def _proposals(
    document: Document, records: Table, given: Iterable[Mapping[str, Any]], path: Path, faults: list[Fault]
) -> Iterator[Proposal]:
    coded = {name: column.values for name, column in records.columns.items() if column.values}
    for index, entry in enumerate(given):
        where = (*path, "records", "proposals", index)
        codes = coded.get(entry["column"])
        if codes is None:
            message, hint = "not a column with a list of codes", f"one of {', '.join(coded)}"
            faults.append(document.fault((*where, "column"), entry["column"], message, hint))
            continue
        for name in ("code", "meanwhile"):
            if entry[name] not in (None, *codes):
                message, hint = f"not a code of {entry['column']}", f"one of {', '.join(codes)}"
                faults.append(document.fault((*where, name), entry[name], message, hint))
        when = _when(document, records, entry["when"], where, faults)
        if when is not None:
            yield Proposal(when, entry["column"], entry["code"], entry["meanwhile"], entry["because"])


def _when(
    document: Document, records: Table, text: str, where: Path, faults: list[Fault], name: str = "when"
) -> Expression | None:
    """A condition on a record by itself, the same on every day."""
    try:
        when = parse_condition(text, scope_of(records.columns, Level.RECORD))
    except ConditionError as error:
        wrong = error.text or text
        faults.append(document.fault((*where, name), wrong, error.message, error.hint))
        return None
    if reads_as_of(when):
        message, hint = "a limit is for the same records on every day", "a condition on columns alone"
        faults.append(document.fault((*where, name), "as_of", message, hint))
    return when


def _check_roles(
    document: Document,
    records: Table,
    roles: Mapping[str, Type | None],
    data: Mapping[str, Any],
    path: Path,
    faults: list[Fault],
) -> None:
    for role, needed in roles.items():
        column = records.columns.get(data[role])
        if column is None or (needed and column.type != needed):
            hint = f"the name of a {needed or 'declared'} column"
            where = (*path, "records", role)
            faults.append(document.fault(where, data[role], "not a column fit for this", hint))


def _check_link(
    document: Document, subject: Table, records: Table, link: str, path: Path, faults: list[Fault]
) -> None:
    for name in sorted(set(subject.columns) & set(records.columns) - {link}):
        where = (*path, "records", "columns", name, "?")
        faults.append(document.fault(where, name, "also an attribute of the subject", "a name of its own"))
    own, other = records.columns.get(link), subject.columns.get(subject.key)
    if own and other and own.type != other.type:
        where = (*path, "records", "subject")
        hint = f"a {other.declared} column"
        faults.append(document.fault(where, link, "not of the type of the subject's key", hint))
