"""durable_rules on the same rules, in a process of its own: it is native code that has hung and crashed.

Facts, not events: the first rule that fires consumes an event, while a fact fires every rule that matches it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from durable import lang
from durable.engine import MessageNotHandledException

from benchmarks.peers import Hits, Record
from benchmarks.rulesets import AS_OF, BenchRule

DEADLINE = 120
"""Seconds that the process has for one answer."""


class DurableRules:
    """A process that holds the rules; called with records, it gives their hits."""

    def __init__(self, rules: Sequence[BenchRule]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, list(rules)), daemon=True)

    def __enter__(self) -> DurableRules:
        self._process.start()
        self([])
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.kill()
        self._process.join()

    def __call__(self, records: Sequence[Record]) -> Hits:
        """The hits of the records.

        :raises TimeoutError: where the process does not answer in time.
        """
        self._pipe.send(records)
        if not self._pipe.poll(DEADLINE):
            raise TimeoutError(f"durable_rules gave no answer in {DEADLINE} s")
        hits: Hits = self._pipe.recv()
        return hits


def _serve(pipe: Connection, rules: Sequence[BenchRule]) -> None:
    hits: Hits = set()
    lang.get_host().set_rulesets({"benchmark": {rule.id: _definition(rule, hits) for rule in rules}})
    sitting = 0
    while True:
        records = pipe.recv()
        hits.clear()
        sitting += 1
        for record in records:
            _assert(record, f"sitting-{sitting}")
        pipe.send(hits)


def _assert(record: Record, state: str) -> None:
    """States the fact and takes it back, so that memory stays bounded and later facts as fast as the first.

    A fact that no rule matches is an error to durable_rules, and the usual case here.
    """
    fact = {**record, "sid": state}
    for say in (lang.assert_fact, lang.retract_fact):
        with contextlib.suppress(MessageNotHandledException):
            say("benchmark", fact)


def _definition(rule: BenchRule, hits: Hits) -> dict[str, Any]:
    def met(context: Any) -> None:
        hits.add((context.m["record_id"], rule.id))

    terms = [
        {"kind": rule.kind},
        {"severity": rule.severity},
        {"status": "effective"},
        {"$gte": {"amount": rule.low * 100}},
        {"$lt": {"amount": rule.high * 100}},
        {"$gte": {"occurred_on": rule.earliest.toordinal()}},
        {"$lte": {"occurred_on": AS_OF.toordinal()}},
    ]
    return {"all": [{"m": {"$and": terms}}], "run": met}
