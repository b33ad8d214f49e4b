"""Other rule engines on the same rules and records. Each gives its hits: pairs of record id and rule id.

They only find hits; windows, caps, dimensions and scores, which the batch's time includes, are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import rule_engine
import zen

from benchmarks.rulesets import AS_OF, BenchRule

Record = Mapping[str, Any]
"""A record with its amount in cents and its date as a day number: what every peer can compare."""
Hits = set[tuple[int, str]]
Peer = Callable[[Sequence[Record]], Hits]
Make = Callable[[Sequence[BenchRule]], Peer]


def plain_python(rules: Sequence[BenchRule]) -> Peer:
    """Two nested loops and an ``if``."""
    rows = [
        (r.id, r.kind, r.severity, r.low * 100, r.high * 100, r.earliest.toordinal(), AS_OF.toordinal())
        for r in rules
    ]

    def run(records: Sequence[Record]) -> Hits:
        hits = set()
        for record in records:
            kind, severity, status = record["kind"], record["severity"], record["status"]
            amount, day = record["amount"], record["occurred_on"]
            for rule, of_kind, of_severity, low, high, earliest, latest in rows:
                if (
                    kind == of_kind
                    and severity == of_severity
                    and status == "effective"
                    and low <= amount < high
                    and earliest <= day <= latest
                ):
                    hits.add((record["record_id"], rule))
        return hits

    return run


def rule_engine_rules(rules: Sequence[BenchRule]) -> Peer:
    """rule-engine: one compiled expression a rule."""
    compiled = [
        (
            r.id,
            rule_engine.Rule(
                f"kind == '{r.kind}' and severity == '{r.severity}' and status == 'effective'"
                f" and amount >= {r.low * 100} and amount < {r.high * 100}"
                f" and occurred_on >= {r.earliest.toordinal()} and occurred_on <= {AS_OF.toordinal()}"
            ),
        )
        for r in rules
    ]

    def run(records: Sequence[Record]) -> Hits:
        return {
            (rec["record_id"], rule)
            for rec in records
            for rule, expression in compiled
            if expression.matches(rec)
        }

    return run


def zen_table(rules: Sequence[BenchRule]) -> Peer:
    """ZEN: one decision table that collects every row that matches, in a batch."""
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"rules": _zen_graph(rules)}}})

    def run(records: Sequence[Record]) -> Hits:
        answers = engine.evaluate_batch([{"key": "rules", "context": record} for record in records])
        return {
            (record["record_id"], row["rule"])
            for record, answer in zip(records, answers, strict=True)
            for row in answer["data"]["result"]
        }

    return run


def _zen_graph(rules: Sequence[BenchRule]) -> dict[str, Any]:
    columns = ["kind", "severity", "status", "amount", "occurred_on"]
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": c, "name": c, "field": c} for c in columns],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": [dict(_zen_row(rule)) for rule in rules],
    }
    return {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode"},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
            {"id": "out", "name": "out", "type": "outputNode"},
        ],
        "edges": [
            {"id": "1", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "2", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }


def _zen_row(rule: BenchRule) -> Iterator[tuple[str, str]]:
    yield "_id", rule.id
    yield "kind", f'"{rule.kind}"'
    yield "severity", f'"{rule.severity}"'
    yield "status", '"effective"'
    yield "amount", f"[{rule.low * 100}..{rule.high * 100})"
    yield "occurred_on", f"[{rule.earliest.toordinal()}..{AS_OF.toordinal()}]"
    yield "rule", f'"{rule.id}"'


def as_peer_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record of the data as the peers take it."""
    day: dt.date = row["occurred_on"]
    return {**row, "amount": int(row["amount"] * 100), "occurred_on": day.toordinal()}
