"""An explanation for programs: the same from the command line, from the API and in files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from rules.model import Citation, Pack, Rule
from scoring.answers.explain import ExplainedHit, Explanation
from scoring.answers.why_not import Miss
from scoring.runs.published import RunSummary


def subject_head(run: RunSummary, subject_id: str) -> dict[str, Any]:
    """How an answer about a subject begins: of whom it is, and by which run."""
    return {"subject_id": subject_id, "pack_id": run.pack_id, "run_id": run.id}


def explanation_document(found: Explanation) -> dict[str, Any]:
    """The explanation as JSON has it: points with two decimals, dates as ISO texts, decimals as exact texts.

    The API's OpenAPI document states its form (``Explanation``).
    """
    pack = found.pack
    return {
        "subject_id": found.subject_id,
        "as_of": _plain(found.as_of),
        "known_at": found.known_at.isoformat(),
        "pack": {"id": pack.id, "version": pack.version},
        "run": found.run and _plain(asdict(found.run)),
        "attributes": _plain(found.attributes),
        "measures": _plain(found.measures),
        "score": points(found.score),
        "tier": found.tier,
        "band": found.band,
        "veto": found.veto and rule_document(pack, found.veto),
        "next_change_on": _plain(found.next_change_on),
        "inputs_known": found.inputs_known,
        "inputs_total": found.inputs_total,
        "unmatched": list(found.unmatched),
        "reasons": [
            {
                "id": code.id,
                "title": asdict(code.title),
                "points": points(code.points),
                "baseline": points(code.baseline),
                "lost": points(code.lost),
            }
            for code in found.reasons
        ],
        "dimensions": [
            {
                "id": part.dimension.id,
                "title": asdict(part.dimension.title),
                "points_before": points(part.points_before),
                "points": points(part.points),
            }
            for part in found.dimensions
        ],
        "hits": [_hit(pack, hit) for hit in found.hits],
        "misses": [_miss(pack, miss) for miss in found.misses],
    }


def rule_document(pack: Pack, rule: Rule) -> dict[str, Any]:
    """A rule with the titles of the documents that it cites."""
    return {
        "id": rule.id,
        "title": asdict(rule.title),
        "dimension": rule.dimension,
        "citations": citations_document(pack, rule.citations),
    }


def citations_document(pack: Pack, citations: Iterable[Citation]) -> list[dict[str, str]]:
    """Citations with the titles of the documents."""
    documents = {basis.id: basis.title for basis in pack.bases}
    return [
        {"basis": c.basis, "article": c.article, "document": documents.get(c.basis, c.basis)}
        for c in citations
    ]


def points(hundredths: int) -> float:
    """Hundredths as points."""
    return hundredths / 100


def _hit(pack: Pack, hit: ExplainedHit) -> dict[str, Any]:
    return {
        "rule": rule_document(pack, hit.rule),
        "record_id": hit.record_id,
        "record": _plain(hit.record),
        "measures": _plain(hit.measures),
        "runs": {name: {"first": _plain(r.first), "last": _plain(r.last)} for name, r in hit.runs.items()},
        "points_before": points(hit.points_before),
        "points": points(hit.points),
        "counts_from": _plain(hit.counts_from),
        "counts_until": _plain(hit.counts_until),
    }


def _miss(pack: Pack, miss: Miss) -> dict[str, Any]:
    start, end = miss.window or (None, None)
    return {
        "rule": rule_document(pack, miss.rule),
        "record_id": miss.record_id,
        "failed": [_plain(asdict(failed)) for failed in miss.failed],
        "window": miss.window and {"start": _plain(start), "end": _plain(end)},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
