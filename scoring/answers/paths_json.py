"""Paths for programs: the same from the command line and from the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rules.model import Pack
from scoring.answers.explanation_json import citations_document, points, rule_document, subject_head
from scoring.answers.paths import Nearest, Path, Paths, Step


def paths_document(found: Paths) -> dict[str, Any]:
    """The paths as JSON has them. The API's OpenAPI document states their form (``Paths``)."""
    return {
        **subject_head(found.timeline.run, found.timeline.facts.subject_id),
        "as_of": found.first.isoformat(),
        "tier": found.tier,
        "target": found.target,
        "steps": [_step(found.pack, step) for step in found.steps],
        "paths": [_path(path, found.steps) for path in found.found.paths],
        "nearest": found.found.nearest and _nearest(found, found.found.nearest),
        "complete": found.found.complete,
        "tried": found.found.tried,
        "tried_to": found.found.tried_to,
        "held": [{"id": measure.id, "title": asdict(measure.title)} for measure in found.held],
    }


def _step(pack: Pack, step: Step) -> dict[str, Any]:
    remedy = step.remedy
    return {
        "remedy": remedy.id,
        "title": asdict(remedy.title),
        "record_id": step.record_id,
        "on": step.on.isoformat(),
        "needs": [asdict(need) for need in remedy.needs],
        "citations": citations_document(pack, remedy.citations),
    }


def _path(path: Path, steps: tuple[Step, ...]) -> dict[str, Any]:
    return {
        "steps": [steps.index(step) for step in path.steps],
        "reached_on": path.reached_on.isoformat(),
        "until": path.until and path.until.isoformat(),
        "score": points(path.score),
        "tier": path.tier,
    }


def _nearest(found: Paths, nearest: Nearest) -> dict[str, Any]:
    return {
        "steps": [found.steps.index(step) for step in nearest.steps],
        "on": nearest.on.isoformat(),
        "score": points(nearest.score),
        "lowest": None if nearest.lowest is None else points(nearest.lowest),
        "tier": nearest.tier,
        "veto": nearest.veto and rule_document(found.pack, nearest.veto),
    }
