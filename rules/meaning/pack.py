"""The whole pack: its parts in the order in which they need one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.fault import PackError
from rules.meaning.alerts import build_alerts
from rules.meaning.context import Context
from rules.meaning.decisions import undecided
from rules.meaning.examples import build_examples
from rules.meaning.measures import build_measures
from rules.meaning.references import (
    References,
    build_supervision,
    build_together,
    check_grades,
    check_ids,
    check_replaced,
)
from rules.meaning.remedies import build_remedies
from rules.meaning.rules import build_consequence, build_rule, build_veto
from rules.meaning.tables import build_table
from rules.model import Authority, Pack, Rule, Vocabulary
from rules.text.shape import POINTS
from rules.text.source import Document

MAX_RULES = 10_000


def build_pack(document: Document, data: Mapping[str, Any], vocabulary: Vocabulary) -> Pack:
    """A pack from data of the right shape.

    :raises PackError: with every fault found.

    >>> from rules.library.loader import PACKS, load_vocabulary
    >>> from rules.text.shape import PackSchema
    >>> from rules.text.source import read
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> document = read(text, "tourism-credit.yaml")
    >>> pack = build_pack(document, PackSchema().load(document.data), load_vocabulary("tourism"))
    >>> pack.id, [grade.tier for grade in pack.grades]
    ('tourism-credit', ['A', 'B', 'C', 'D'])
    """
    context = Context(document, vocabulary)
    references = References(context, data)
    measures = build_measures(context, data["measures"], undecided(references, data["tables"]))
    context.declare(measures)
    pack = Pack(
        id=data["pack"],
        version=data["version"],
        title=data["title"],
        vocabulary=vocabulary,
        in_force_from=data["in_force"]["from_"],
        in_force_until=data["in_force"]["until"],
        bases=tuple(data["basis"]),
        score=data["score"],
        dimensions=tuple(data["dimensions"]),
        measures=measures,
        rules=_rules(context, references, data),
        tables={table["id"]: table["title"] for table in data["tables"] if table["gives"] == POINTS},
        alerts=build_alerts(context, references, data["alerts"]),
        grades=tuple(data["grades"]),
        remedies=build_remedies(context, references, data["remedies"]),
        supervision=build_supervision(context, references, data["supervision"]),
        authority=Authority(data["authority"]) if data["authority"] else None,
        together=build_together(context, data),
        note=data["note"],
        examples=build_examples(context, data["examples"], ("examples",), None),
        place=document.place(()),
    )
    check_ids(context, data)
    check_grades(context, data)
    check_replaced(context, data["basis"])
    if context.faults:
        raise PackError(context.faults)
    return pack


def _rules(context: Context, references: References, data: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Rules, table rows and vetoes."""
    count = sum(len(table["rows"]) for table in data["tables"]) + len(data["rules"]) + len(data["vetoes"])
    if count > MAX_RULES:
        context.report((), f"{count:,}", f"more than {MAX_RULES:,} rules", "split it into several packs")
        return ()
    rules = [build_rule(context, references, d, ("rules", i)) for i, d in enumerate(data["rules"])]
    for index, table in enumerate(data["tables"]):
        if table["gives"] == POINTS:
            rules += build_table(context, references, table, ("tables", index))
    rules += [build_veto(context, references, d, ("vetoes", i)) for i, d in enumerate(data["vetoes"])]
    rules += [
        build_consequence(context, references, d, ("consequences", i))
        for i, d in enumerate(data["consequences"])
    ]
    return tuple(rule for rule in rules if rule)
