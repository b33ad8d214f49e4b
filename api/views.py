"""Domain objects as the schemas want them, where attribute for attribute does not do."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rules.calendar import today
from rules.expressions import render
from rules.identity import identity
from rules.loader import in_force
from rules.model import Grade, Pack, Rule
from scoring.explain import ExplainedHit, Explanation
from scoring.misses import Miss


def explanation_view(explanation: Explanation) -> dict[str, Any]:
    """An explanation for its schema."""
    pack = explanation.pack
    return {
        **{name: getattr(explanation, name) for name in _SAME},
        "veto": explanation.veto and rule_view(pack, explanation.veto),
        "dimensions": [
            {
                "id": part.dimension.id,
                "title": part.dimension.title,
                "points_before": part.points_before,
                "points": part.points,
            }
            for part in explanation.dimensions
        ],
        "hits": [_hit_view(pack, hit) for hit in explanation.hits],
        "misses": [_miss_view(pack, miss) for miss in explanation.misses],
    }


def rule_view(pack: Pack, rule: Rule) -> dict[str, Any]:
    """A rule with the titles of the documents that it cites."""
    documents = {basis.id: basis.title for basis in pack.bases}
    return {
        "id": rule.id,
        "title": rule.title,
        "dimension": rule.dimension,
        "citations": [
            {"basis": c.basis, "article": c.article, "document": documents.get(c.basis, c.basis)}
            for c in rule.citations
        ],
    }


def pack_summary(pack: Pack) -> dict[str, Any]:
    """A version of a pack in a line."""
    return {
        "id": pack.id,
        "version": pack.version,
        "hash": identity(pack),
        "title": pack.title,
        "vocabulary": pack.vocabulary.id,
        "in_force_from": pack.in_force_from,
        "in_force_until": pack.in_force_until,
        "in_force": in_force(pack, today()),
        "rules": len(pack.rules),
    }


def pack_view(pack: Pack, day: dt.date) -> dict[str, Any]:
    """A version of a pack with its rules, by the points in force on a day."""
    return {
        **pack_summary(pack),
        "rule_list": [
            {
                **rule_view(pack, rule),
                "when": render(rule.when),
                "points": rule.points.on(day) if rule.points else None,
                "tier": rule.tier,
            }
            for rule in pack.rules
        ],
        "tiers": [_tier_view(pack, grade) for grade in pack.grades],
    }


_SAME = (
    "subject_id",
    "run",
    "attributes",
    "measures",
    "score",
    "tier",
    "band",
    "next_change_on",
    "inputs_known",
    "inputs_total",
)
_HIT = ("record_id", "record", "measures", "points_before", "points", "counts_from", "counts_until")
_TERMS = ("sample_share", "visits_per_year", "unprompted_visits", "lending", "valid_months")


def _hit_view(pack: Pack, hit: ExplainedHit) -> dict[str, Any]:
    return {"rule": rule_view(pack, hit.rule), **{name: getattr(hit, name) for name in _HIT}}


def _miss_view(pack: Pack, miss: Miss) -> dict[str, Any]:
    window = miss.window and {"start": miss.window[0], "end": miss.window[1]}
    return {
        "rule": rule_view(pack, miss.rule),
        "record_id": miss.record_id,
        "failed": miss.failed,
        "window": window,
    }


def _tier_view(pack: Pack, grade: Grade) -> dict[str, Any]:
    terms = next((terms for terms in pack.supervision if terms.tier == grade.tier), None)
    return {
        "tier": grade.tier,
        "title": grade.title,
        "lowest": grade.lowest,
        "measures": terms.measures if terms else (),
        **{name: getattr(terms, name) if terms else None for name in _TERMS},
    }
