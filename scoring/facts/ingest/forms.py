"""Official forms: files whose headers, codes, units and fillers a document lays down, read as they come.

A form stands beside the vocabulary that it speaks (``rules/library/forms/*.yaml``):

.. code-block:: yaml

    form: penalty
    title: {zh: 双公示行政处罚, en: Administrative penalties as published}
    vocabulary: enterprise
    fields:                               # in their order; each by its title, its code and other names
      - [处罚类别, CF_CFLB]
      - …
    also: [[采集日期, ADD_TIME]]           # fields that some files have besides
    signs: [行政处罚决定书文号, 处罚类别]   # a file with these fields, or one of a list, is one of the form
    sure: [行政相对人类别]                 # with one of these it says what bare amounts and numbers mean
    called: [行政处罚]                    # in the name of the file or sheet, or above the headers: if two fit
    fixed: {kind: penalty}                # of records of which nobody has said it
    number: [authority, document_no]      # make the record's number, where the file has none; also: subject
    columns:                              # column, or attribute in find_by: how the fields say it
      occurred_on: 处罚决定日期
      authority: {first: [处罚机关, 数据来源单位]}    # the first of them that says something
      amount: {all: [罚款金额, 没收金额], unit: 万元, behind: level}  # all: a sum, or a list of codes
      level: {first: [处罚类别], gravest: [closed, fine], words: {没收财物: confiscation, 其他*: }}
      ends_on: {first: [公示截止期], no_end: [2099-12-31], with: [撤下原因]}  # which says nothing without it
    private: [证件号码]                    # fields whose cells are never shown
    refused:                              # rows of which nothing is kept, and nothing shown
      because: {zh: 自然人不在评价范围内, en: natural persons are not graded}
      rows:
        - {field: 行政相对人类别, says: [自然人]}
        - {field: 证件号码, without: [行政相对人类别]}  # it is filled in, and these are not
        - {field: 信用代码, identity: true}           # it holds a resident's identity number
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from marshmallow import fields, post_load, validates_schema

from rules.library.loader import FORMS
from rules.library.reading import shape
from rules.model import Title
from rules.text import fields as own
from rules.text.fields import complaint
from rules.text.shape import Strict, many, nested
from rules.text.source import read
from scoring.facts.ingest.folding import fold_header, fold_word
from scoring.facts.ingest.numbers import multiplier

SUBJECT = "subject"
"""In the number of a record: the code of its subject, or by what else it is found."""


@dataclass(frozen=True, slots=True)
class FormColumn:
    """How the fields of a form say a column.

    :param fields: their titles, in the order in which they are asked.
    :param is_all: all of them together say it; otherwise the first that says something.
    :param words: folded word → the code, or None for what says nothing.
    :param gravest: codes; of several in a row the one that stands first here counts.
    :param no_end: days that stand for no end, in ISO form.
    :param per: what bare numbers under headers without a unit are multiplied by.
    :param told_with: fields that may say something only where these do.
    :param behind: the column behind whose words an amount may stand: 罚款（1.5万元）.
    """

    fields: tuple[str, ...]
    is_all: bool = False
    words: Mapping[str, str | None] = field(default_factory=dict)
    gravest: tuple[str, ...] = ()
    no_end: frozenset[str] = frozenset()
    per: int = 1
    told_with: tuple[str, ...] = ()
    behind: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Which rows are refused, by a field.

    :param says: folded words.
    :param without: fields that say nothing where this one does.
    :param identity: it holds a resident's identity number.
    """

    field: str
    says: frozenset[str] = frozenset()
    without: tuple[str, ...] = ()
    identity: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """An official form.

    :param fields: title → the folded headers that it stands under.
    :param asked: the titles of those that an office is asked for.
    :param signs: of each of these a field must be there, or a file is none of the form.
    :param sure: fields that no ordinary ledger has: where one of them is there, the form says in what an
        amount without a unit is, and what a number stands for that is no word.
    :param called: words that tell a file of the form from one of another whose headers are the same.
    :param fixed: column → code, of records of which nobody has said it.
    :param number: the columns that make the record's number where the file has none; :data:`SUBJECT` stands
        for whatever says whose record it is.
    :param columns: column of the record, or attribute by which its subject is found → its fields.
    :param private: fields whose cells are not shown.
    :param refused: rows of which nothing is kept, and nothing shown.
    :param because: why not.
    """

    id: str
    title: Title
    vocabulary: str
    fields: Mapping[str, tuple[str, ...]]
    asked: tuple[str, ...]
    signs: tuple[frozenset[str], ...]
    sure: frozenset[str]
    called: tuple[str, ...]
    fixed: Mapping[str, str]
    number: tuple[str, ...]
    columns: Mapping[str, FormColumn]
    private: tuple[str, ...]
    refused: tuple[Refused, ...]
    because: Title

    def without_numbers(self) -> Form:
        """The form as it reads a file that may be an ordinary ledger: no number stands for a code."""
        columns = {
            name: replace(column, words={w: code for w, code in column.words.items() if not w.isdigit()})
            for name, column in self.columns.items()
        }
        return replace(self, columns=columns)

    def field_of(self, word: str) -> str | None:
        """The field that a folded header names."""
        return next((title for title, words in self.fields.items() if word in words), None)


def forms_of(vocabulary: str) -> tuple[Form, ...]:
    """The forms that speak a shared vocabulary.

    >>> [form.id for form in forms_of("enterprise")][:2]
    ['abnormal', 'market-penalty']
    >>> forms_of("rural")
    ()
    """
    return tuple(form for form in _installed() if form.vocabulary == vocabulary)


def form_names() -> list[str]:
    """The names of all forms."""
    return sorted(path.stem for path in FORMS.glob("*.yaml"))


def form_named(name: str) -> Form:
    """The form of a name that :func:`form_names` gives."""
    return next(form for form in _installed() if form.id == name)


@lru_cache(maxsize=1)
def _installed() -> tuple[Form, ...]:
    forms = (parse_form(path.read_text(encoding="utf-8"), path.name) for path in FORMS.glob("*.yaml"))
    return tuple(sorted(forms, key=lambda form: form.id))


def parse_form(text: str, name: str) -> Form:
    """The form in a text.

    :raises PackError: with every fault found.
    """
    form: Any = shape(read(text, name), FormSchema())
    assert isinstance(form, Form)
    return form


class ColumnField(fields.Field[FormColumn]):
    """The title of a field, or a mapping that says how several fields say the column."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> FormColumn:
        if isinstance(value, str):
            return FormColumn((value,))
        found: FormColumn = FormColumnSchema().load(value)
        return found


class Sign(fields.Field[frozenset[str]]):
    """A field, or a list of fields of which one is enough."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> frozenset[str]:
        given = [value] if isinstance(value, str) else value
        return frozenset(map(str, fields.List(own.Text()).deserialize(given)))


class FormColumnSchema(Strict):
    first = fields.List(own.Text(), load_default=list)
    all = fields.List(own.Text(), load_default=list)
    words = fields.Dict(fields.String(), own.Text(allow_none=True), load_default=dict)
    gravest = fields.List(own.Text(), load_default=list)
    no_end = fields.List(own.Date(), load_default=list)
    unit = own.Text(load_default="")
    with_ = fields.List(own.Text(), load_default=list, data_key="with")
    behind = own.ColumnName(load_default="")

    @validates_schema
    def one_of_two(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data.get("first")) == bool(data.get("all")):
            raise complaint("not one of first and all", "first: […], or all: […]")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> FormColumn:
        days: list[dt.date] = data["no_end"]
        return FormColumn(
            fields=tuple(data["first"] or data["all"]),
            is_all=bool(data["all"]),
            words={fold_word(word): code for word, code in data["words"].items()},
            gravest=tuple(data["gravest"]),
            no_end=frozenset(day.isoformat() for day in days),
            per=multiplier(data["unit"]),
            told_with=tuple(data["with_"]),
            behind=data["behind"],
        )


class RefusedRowSchema(Strict):
    field = own.Text(required=True)
    says = fields.List(own.Text(), load_default=list)
    without = fields.List(own.Text(), load_default=list)
    identity = own.Flag(load_default=False)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Refused:
        says = frozenset(map(fold_word, data["says"]))
        return Refused(data["field"], says, tuple(data["without"]), data["identity"])


class RefusedSchema(Strict):
    because = own.TitleField(required=True)
    rows = many(RefusedRowSchema)


class FormSchema(Strict):
    form = own.Identifier(required=True)
    title = own.TitleField(required=True)
    vocabulary = own.Identifier(required=True)
    fields_ = fields.List(fields.List(own.Text()), required=True, data_key="fields")
    also = fields.List(fields.List(own.Text()), load_default=list)
    signs = fields.List(Sign(), required=True)
    sure = fields.List(own.Text(), load_default=list)
    called = fields.List(own.Text(), load_default=list)
    fixed = fields.Dict(own.ColumnName(), own.Text(), load_default=dict)
    number = fields.List(own.ColumnName(), load_default=list)
    columns = fields.Dict(own.ColumnName(), ColumnField(), required=True)
    private = fields.List(own.Text(), load_default=list)
    refused = nested(RefusedSchema, load_default=None)

    @validates_schema
    def fields_are_listed(self, data: dict[str, Any], **_: Any) -> None:
        known = {words[0] for part in ("fields_", "also") for words in data.get(part, []) if words}
        refused = data.get("refused") or {"rows": ()}
        named = [name for sign in data.get("signs", ()) for name in sign]
        named += data.get("private", []) + data.get("sure", [])
        columns = data.get("columns", {}).values()
        named += [name for column in columns for name in (*column.fields, *column.told_with)]
        named += [name for row in refused["rows"] for name in (row.field, *row.without)]
        unknown = [name for name in named if name not in known]
        if unknown:
            raise complaint(f"{unknown[0]} is none of the fields", "the first name of a field")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Form:
        refused = data["refused"] or {"rows": (), "because": Title("", "")}
        return Form(
            id=data["form"],
            title=data["title"],
            vocabulary=data["vocabulary"],
            fields={words[0]: tuple(map(fold_header, words)) for words in (*data["fields_"], *data["also"])},
            asked=tuple(words[0] for words in data["fields_"]),
            signs=tuple(data["signs"]),
            sure=frozenset(data["sure"]),
            called=tuple(data["called"]),
            fixed=data["fixed"],
            number=tuple(data["number"]),
            columns=data["columns"],
            private=tuple(data["private"]),
            refused=tuple(refused["rows"]),
            because=refused["because"],
        )
