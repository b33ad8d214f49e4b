"""Domain objects as the schemas want them, where attribute for attribute does not do."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rules.calendar import today
from rules.identity import identity
from rules.language.expressions import render
from rules.library.loader import in_force
from rules.model import Grade, Pack, Rule
from scoring.answers.explanation_json import rule_document


def rule_view(pack: Pack, rule: Rule) -> dict[str, Any]:
    """A rule with the titles of the documents that it cites."""
    return {**rule_document(pack, rule), "title": rule.title}


def pack_summary(pack: Pack) -> dict[str, Any]:
    """A version of a pack in a line."""
    return {
        "id": pack.id,
        "version": pack.version,
        "hash": identity(pack),
        "title": pack.title,
        "authority": pack.authority,
        "note": pack.note,
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
                "when": render(rule.when.written),
                "points": rule.points.on(day) if rule.points else None,
                "tier": rule.tier,
                "lowers": rule.lowers,
                "below": dict(rule.below),
            }
            for rule in pack.rules
        ],
        "tiers": [_tier_view(pack, grade) for grade in pack.grades],
    }


_TERMS = ("sample_share", "visits_per_year", "unprompted_visits", "lending", "valid_months")


def _tier_view(pack: Pack, grade: Grade) -> dict[str, Any]:
    terms = next((terms for terms in pack.supervision if terms.tier == grade.tier), None)
    return {
        "tier": grade.tier,
        "title": grade.title,
        "lowest": grade.lowest,
        "measures": terms.measures if terms else (),
        **{name: getattr(terms, name) if terms else None for name in _TERMS},
    }
