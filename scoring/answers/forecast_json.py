"""A forecast for programs: the same from the command line and from the API."""

from __future__ import annotations

from typing import Any

from scoring.answers.explanation_json import points, rule_document, subject_head
from scoring.answers.forecast import Forecast, Reason, Step


def forecast_document(found: Forecast) -> dict[str, Any]:
    """The forecast as JSON has it. The API's OpenAPI document states its form (``Forecast``)."""
    return {
        **subject_head(found.run, found.subject_id),
        "known_at": found.run.known_at.isoformat(),
        "first": found.first.isoformat(),
        "until": found.until.isoformat(),
        "steps": [step_document(step) for step in found.steps],
    }


def step_document(step: Step) -> dict[str, Any]:
    """A step with its reasons."""
    grade = step.grade
    return {
        "begins": step.begins.isoformat(),
        "ends": step.ends and step.ends.isoformat(),
        "version": step.pack and step.pack.version,
        "score": None if grade is None else points(grade.score),
        "tier": grade and grade.tier,
        "band": grade and grade.band,
        "veto": grade and grade.veto,
        "reasons": [_reason(step, reason) for reason in step.reasons],
    }


def _reason(step: Step, reason: Reason) -> dict[str, Any]:
    return {
        "cause": reason.cause.value,
        "rule": rule_document(step.pack, reason.rule) if step.pack and reason.rule else None,
        "record_id": reason.record_id,
        "points_before": points(reason.points_before),
        "points": points(reason.points),
        "version": reason.version,
    }
