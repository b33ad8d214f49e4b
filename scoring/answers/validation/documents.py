"""What grades foresaw, and what has shifted, for programs: the same by command line and API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from scoring.answers.explanation_json import points
from scoring.answers.validation.backtest import Backtest, RuleFound
from scoring.answers.validation.drift import Drift, Shift
from scoring.answers.validation.shares import Share
from scoring.runs.published import RunSummary


def backtest_document(found: Backtest) -> dict[str, Any]:
    """A backtest as JSON has it. The API's OpenAPI document states its form (``Backtest``)."""
    return {
        "pack_id": found.pack.id,
        "version": found.pack.version,
        "pack_hash": found.hash,
        "as_of": found.wanted.day.isoformat(),
        "until": found.wanted.until.isoformat(),
        "known_at": found.known_at and found.known_at.isoformat(),
        "drawn": found.wanted.drawn,
        "among": found.among,
        "found": found.found,
        "sample": _share(found.sample),
        "concordance": _rounded(found.concordance),
        "tiers": [
            {
                "tier": tier.tier,
                "graded": tier.graded,
                **_share(tier.share),
                "lift": _rounded(found.lift(tier)),
            }
            for tier in found.tiers
        ],
        "rules": [_rule(rule) for rule in found.rules],
    }


def drift_document(found: Drift) -> dict[str, Any]:
    """A drift as JSON has it. The API's OpenAPI document states its form (``Drift``)."""
    return {
        "pack_id": found.pack.id,
        "before": _run(found.before),
        "after": _run(found.after),
        "score": _shift(found.score),
        "tier": _shift(found.tier),
        "inputs": [_shift(shift) for shift in found.inputs],
        "feeds": [{**asdict(feed), "fell_silent": feed.fell_silent} for feed in found.feeds],
    }


def _share(share: Share) -> dict[str, Any]:
    low, high = map(_rounded, share.bounds)
    return {"found": share.found, "of": share.of, "share": _rounded(share.value), "low": low, "high": high}


def _rounded(part: float | None) -> float | None:
    return None if part is None else round(part, 4)


def _rule(found: RuleFound) -> dict[str, Any]:
    low, high = map(_rounded, found.apart or (None, None))
    return {
        "rule": found.rule.id,
        "title": asdict(found.rule.title),
        "points": points(found.points),
        "hit": _share(found.hit),
        "others": _share(found.others),
        "apart_low": low,
        "apart_high": high,
        "verdict": found.verdict.value,
    }


def _run(run: RunSummary) -> dict[str, Any]:
    return {"run_id": run.id, "as_of": run.as_of.isoformat(), "known_at": run.known_at.isoformat()}


def _shift(shift: Shift) -> dict[str, Any]:
    return {
        "name": shift.name,
        "title": asdict(shift.title),
        "index": _rounded(shift.index),
        "size": shift.size.value,
        "classes": [asdict(one) for one in shift.classes],
        "silent": [{"authority": feed.authority, "kind": feed.kind} for feed in shift.silent],
    }
