"""The national list of measures against bad faith (全国失信惩戒措施基础清单): nobody applies others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from marshmallow import fields, validate

from rules.library.loader import HERE
from rules.library.reading import shape
from rules.text import fields as own
from rules.text.shape import Strict, many, nested
from rules.text.source import read
from rules.titles import Title

SANCTIONS = HERE / "sanctions.yaml"
CLASSES = ("reduces", "manages", "others")


@dataclass(frozen=True, slots=True)
class Clause:
    """What lets an office apply a measure.

    :param id: it names the clause, and with it the measure.
    :param number, measure: the measure's number in the list, and its title.
    :param reduces: whether the measure takes rights away or adds duties (减损权益或增加义务).
    :param basis: the law, rule or policy with its article.
    :param what: what the measure comes to by it.
    :param records: the kinds of records on which alone it rests, each with its levels where only some bear
        it; empty where its article names none.
    """

    id: str
    number: int
    measure: Title
    reduces: bool
    basis: str
    what: Title
    records: Mapping[str, Sequence[str]]

    def rests_on(self, kind: str | None, level: str | None) -> bool:
        """Whether a record of a kind and level bears the clause; a level that is not stated contradicts none.

        >>> clause = sanctions().clauses["listed-checks"]
        >>> clause.rests_on("penalty", "fine"), clause.rests_on("seriously_dishonest_listing", "market")
        (False, True)
        """
        levels = self.records.get(kind or "")
        return not self.records or (levels is not None and (not levels or level is None or level in levels))


@dataclass(frozen=True, slots=True)
class Sanctions:
    """The list.

    :param is_checked: whether somebody has compared it with the published text.
    :param others: the measures that no office may apply: banks and agencies decide for themselves.
    """

    title: Title
    source: str
    is_checked: bool
    clauses: Mapping[str, Clause]
    others: tuple[Title, ...]


@cache
def sanctions() -> Sanctions:
    """The list that is installed.

    >>> clause = sanctions().clauses["procurement"]
    >>> clause.number, clause.measure.zh, clause.basis
    (1, '限制市场或行业准入', '政府采购法第七十七条')
    """
    return sanctions_in(SANCTIONS.read_text(encoding="utf-8"), SANCTIONS.name)


def sanctions_in(text: str, file: str) -> Sanctions:
    """The list in a text.

    :raises PackError: with every fault found.
    """
    data = shape(read(text, file), _ListSchema())
    clauses = [
        Clause(
            clause["id"],
            measure["number"],
            measure["title"],
            measure["kind"] == "reduces",
            clause["basis"],
            clause["what"],
            clause["records"],
        )
        for measure in data["measures"]
        for clause in measure["clauses"]
    ]
    return Sanctions(
        data["list"]["title"],
        data["list"]["source"],
        data["list"]["checked"],
        {clause.id: clause for clause in clauses},
        tuple(measure["title"] for measure in data["measures"] if measure["kind"] == "others"),
    )


class _ClauseSchema(Strict):
    id = own.Identifier(required=True)
    basis = own.Text(required=True)
    what = own.TitleField(required=True)
    records = fields.Dict(keys=own.Identifier(), values=fields.List(own.Text()), load_default=dict)


class _MeasureSchema(Strict):
    number = own.Count(required=True)
    title = own.TitleField(required=True)
    kind = fields.String(required=True, data_key="class", validate=validate.OneOf(CLASSES))
    clauses = many(_ClauseSchema)


class _HeadSchema(Strict):
    title = own.TitleField(required=True)
    source = own.Text(required=True)
    checked = own.Flag(required=True)


class _ListSchema(Strict):
    list: Any = nested(_HeadSchema, required=True)
    measures: Any = many(_MeasureSchema)
