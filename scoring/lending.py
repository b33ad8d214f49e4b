"""The check of a lender (信易贷): tier and lane of a subject that consented, and nothing of its records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rules.calendar import add_months
from rules.model import Supervision
from scoring.results import GradeRow, grades_of
from scoring.runs import latest_run
from scoring.store import Store
from scoring.store.packs import stored_pack

SCOPE = "credit-tier"
"""What a subject must have consented to."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A subject's authorisation, as the lender holds it.

    :param reference: under which the lender can show it.
    :param scope: what it covers.
    :param valid_until: the last day on which it holds.
    """

    reference: str
    scope: tuple[str, ...]
    valid_from: dt.date
    valid_until: dt.date


@dataclass(frozen=True, slots=True)
class Check:
    """A question about one subject."""

    subject_id: str
    consent: Consent


@dataclass(frozen=True, slots=True)
class Answer:
    """What a lender learns of a subject.

    :param outcome: ``answered``, ``refused`` (no valid consent) or ``unknown`` (not graded).
    :param reason: why not answered.
    :param graded_on: the date that the grade speaks about.
    :param valid_until: the last day on which a lender may rely on it, by the pack.
    :param lane: fast, normal, careful or none.
    """

    subject_id: str
    outcome: str
    reason: str | None = None
    tier: str | None = None
    graded_on: dt.date | None = None
    valid_until: dt.date | None = None
    lane: str | None = None


def answer_checks(store: Store, pack_id: str, checks: Sequence[Check], on: dt.date) -> list[Answer]:
    """Answer checks, in their order, by the latest run of a pack.

    :param on: the day of the check.
    """
    run = latest_run(store, pack_id)
    allowed = [check.subject_id for check in checks if refusal(check.consent, on) is None]
    if run is None or not allowed:
        return [_answer(check, on, None, None) for check in checks]
    grades = grades_of(store, run, allowed)
    terms = {terms.tier: terms for terms in stored_pack(store, run.pack_hash).supervision}
    found = [(check, grades.get(check.subject_id)) for check in checks]
    return [_answer(check, on, grade, terms.get(grade.tier) if grade else None) for check, grade in found]


def refusal(consent: Consent, on: dt.date) -> str | None:
    """Why a consent does not allow a check on a day; None where it does."""
    if SCOPE not in consent.scope:
        return f"the consent {consent.reference} does not cover {SCOPE}"
    if on < consent.valid_from:
        return f"the consent {consent.reference} is valid from {consent.valid_from} only"
    if on > consent.valid_until:
        return f"the consent {consent.reference} ended on {consent.valid_until}"
    return None


def _answer(check: Check, on: dt.date, grade: GradeRow | None, terms: Supervision | None) -> Answer:
    reason = refusal(check.consent, on)
    if reason is not None:
        return Answer(check.subject_id, "refused", reason)
    if grade is None:
        return Answer(check.subject_id, "unknown", "this subject is not graded")
    return Answer(
        subject_id=check.subject_id,
        outcome="answered",
        tier=grade.tier,
        graded_on=grade.as_of,
        valid_until=add_months(grade.as_of, terms.valid_months) if terms else None,
        lane=terms.lending if terms else None,
    )
