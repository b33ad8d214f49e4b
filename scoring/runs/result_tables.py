"""All results of a run as tables of Arrow, for those who take them elsewhere or compare them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import pyarrow as pa

from scoring.judging.timeline import dimensions_of
from scoring.runs.published import RunSummary
from scoring.runs.results import everybodys_grades, everybodys_hits
from scoring.store import Store
from scoring.store.batches import BATCH_ROWS
from scoring.store.packs import stored_pack

RESULT_SCHEMAS = {
    "scores": pa.schema(
        [
            *(("run_id", pa.int64()), ("subject_id", pa.string()), ("score", pa.int64())),
            *((name, pa.string()) for name in ("tier", "band", "veto")),
            *(("next_change_on", pa.date32()), ("inputs_known", pa.int32()), ("inputs_total", pa.int32())),
        ]
    ),
    "dimension_scores": pa.schema(
        [
            *(("run_id", pa.int64()), ("subject_id", pa.string()), ("dimension", pa.string())),
            *(("points_before", pa.int64()), ("points", pa.int64())),
        ]
    ),
    "hits": pa.schema(
        [
            *(("run_id", pa.int64()), ("subject_id", pa.string()), ("no", pa.int64())),
            *(("rule", pa.string()), ("record_id", pa.string())),
            *(("points_before", pa.int64()), ("points", pa.int64())),
            *(("counts_from", pa.date32()), ("counts_until", pa.date32())),
        ]
    ),
}
"""The tables of a run's results, by name. Points are hundredths."""


def stream_results(store: Store, run: RunSummary, table: str) -> Iterator[pa.RecordBatch]:
    """A table of a run's results in the order of its key, a batch at a time.

    :param table: one of :data:`RESULT_SCHEMAS`.
    """
    rows = {"scores": _score_rows, "dimension_scores": _dimension_rows, "hits": _hit_rows}[table](store, run)
    while some := list(islice(rows, BATCH_ROWS)):
        yield pa.RecordBatch.from_pylist(some, RESULT_SCHEMAS[table])


def _score_rows(store: Store, run: RunSummary) -> Iterator[dict[str, Any]]:
    for grade in everybodys_grades(store, run):
        yield {name: getattr(grade, name) for name in RESULT_SCHEMAS["scores"].names}


def _dimension_rows(store: Store, run: RunSummary) -> Iterator[dict[str, Any]]:
    pack = stored_pack(store, run.pack_hash)
    for subject_id, hits in everybodys_hits(store, run, pack):
        for dimension, (before, points) in sorted(dimensions_of(pack.dimensions, hits).items()):
            row = {"run_id": run.id, "subject_id": subject_id, "dimension": dimension}
            yield row | {"points_before": before, "points": points}


def _hit_rows(store: Store, run: RunSummary) -> Iterator[dict[str, Any]]:
    numbers = count(1)
    for subject_id, hits in everybodys_hits(store, run, stored_pack(store, run.pack_hash)):
        for hit in hits:
            yield {
                "run_id": run.id,
                "subject_id": subject_id,
                "no": next(numbers),
                "rule": hit.rule.id,
                "record_id": hit.record_id,
                "points_before": hit.points_before,
                "points": hit.points,
                "counts_from": hit.counts_from,
                "counts_until": hit.counts_until,
            }
