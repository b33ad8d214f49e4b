"""The check of a lender (信易贷): tier and lane of a subject that consented, and nothing of its records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from rules.calendar import add_months, today
from rules.model import Supervision, Title
from scoring.access.audit import Entry, append, entries, entries_of
from scoring.access.consents import (
    PURPOSES,
    Clock,
    Consent,
    consents_to,
    day_of,
    now,
    reference_key,
    subject_key,
)
from scoring.access.keys import Who
from scoring.answers.explain import grade_day
from scoring.runs.published import RunSummary, latest_run
from scoring.runs.results import GradeRow, grades_of
from scoring.runs.said import DAY_KIND
from scoring.store import Store
from scoring.store.models import IngestedFile, RecordVersion
from scoring.store.packs import stored_pack

ACTION = "lender.check"
"""What a check is called in the audit log, which is the record of all checks."""

OUTCOMES = {
    "answered": Title("已答复", "answered"),
    "expired": Title("评价已过期", "grade expired"),
    "refused": Title("拒绝", "refused"),
    "unknown": Title("无评价", "not graded"),
    "told": Title("已推送等级变化", "told that the tier changed"),
}
"""What can become of a check; or that a lender was told without asking (:mod:`scoring.changes`)."""


@dataclass(frozen=True, slots=True)
class Check:
    """A question about one subject.

    :param consent: the reference under which the consent is registered.
    :param purpose: what the tier is asked for: one of :data:`scoring.access.consents.PURPOSES`.
    """

    subject_id: str
    consent: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a lender learns of a subject.

    :param outcome: ``answered``, ``expired`` (a grade too old to rely on), ``refused`` (no valid consent) or
        ``unknown`` (not graded).
    :param reason: why not answered.
    :param graded_on: the date that the grade speaks about.
    :param valid_until: the last day on which a lender may rely on it, by the pack.
    :param lane: fast, normal, careful or none; None where the grade is expired.
    """

    subject_id: str
    outcome: str
    reason: Title | None = None
    tier: str | None = None
    graded_on: dt.date | None = None
    valid_until: dt.date | None = None
    lane: str | None = None


def answer_checks(
    store: Store, pack_id: str, who: Who, checks: Sequence[Check], clock: Clock = now
) -> list[Answer]:
    """Answer checks, in their order, by the latest run of a pack.

    The consents are looked at and the checks go into the audit log at one moment, while nobody can withdraw
    or stop: what the log has after a withdrawal was refused.

    :param who: the lender.
    :raises LenderStoppedError: where its checks are refused.

    >>> import datetime as dt
    >>> from datetime import date
    >>> from fixtures.small import RESTAURANT, small_store
    >>> from scoring.access.consents import Registration, register
    >>> from scoring.access.keys import Who
    >>> from scoring.access.keys import Role, create_key
    >>> store, noon = small_store(), dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC)
    >>> key = create_key(store, Role.LENDER, "王经理", organisation="云衡农商行").key
    >>> wanted = Registration(RESTAURANT, ["loan"], noon.date(), date(2027, 2, 28), lender="云衡农商行")
    >>> consent = register(store, Who("its key", Role.SUBJECT, RESTAURANT), wanted, clock=lambda: noon)
    >>> checks = [Check(RESTAURANT, consent.reference, "loan"), Check(RESTAURANT, "HT-1", "loan")]
    >>> bank = Who(key.prefix, key.role, key.organisation)
    >>> found = answer_checks(store, "tourism-credit", bank, checks, clock=lambda: noon)
    >>> [(answer.outcome, answer.tier, answer.lane) for answer in found]
    [('answered', 'C', 'careful'), ('refused', None, None)]
    """
    asked = [Check(subject_key(c.subject_id), reference_key(c.consent), c.purpose) for c in checks]
    with store.writing() as session:
        consents = consents_to(session, who.lender or "", [check.consent for check in asked])
        at = clock()
        grades, terms = _grades(store, pack_id, [check.subject_id for check in asked], day_of(at))
        found = [(check, consents.get(check.consent), grades.get(check.subject_id)) for check in asked]
        answers = [_answer(check, consent, grade, terms, day_of(at)) for check, consent, grade in found]
        append(
            session,
            [
                who.event(
                    ACTION,
                    check.subject_id,
                    at,
                    lender=who.lender,
                    consent=check.consent,
                    consent_id=consent.id if consent and consent.subject_id == check.subject_id else None,
                    purpose=check.purpose,
                    outcome=answer.outcome,
                    tier=answer.tier,
                )
                for (check, consent, _), answer in zip(found, answers, strict=True)
            ],
        )
    return answers


def checks_by(store: Store, who: Who, before: int | None = None, limit: int | None = None) -> list[Entry]:
    """The checks that a lender made by any of its keys, and what it was sent, the newest first; for others
    those of all lenders.

    :param before: only entries with a smaller number: the last of the page before.
    """
    if who.lender is None:
        return entries(store, action=ACTION, before=before, limit=limit)
    return entries_of(store, [ACTION], "lender", [who.lender], limit, before)


def check_note(entry: Entry) -> dict[str, Any]:
    """A check as the audit log has it: when, by whose key, about whom, under which consent."""
    return {"at": entry.at, "key": entry.actor, "subject_id": entry.subject_id, **entry.details}


def own_note(entry: Entry) -> dict[str, Any]:
    """A check as its subject is told of it. A number that is none of its own consents may be another's."""
    note = check_note(entry)
    return note | ({} if note.get("consent_id") is not None else {"consent": None})


def refusal(check: Check, consent: Consent | None, on: dt.date) -> Title | None:
    """Why a lender's consent does not allow a check on a day; None where it does."""
    number, purpose = check.consent, check.purpose
    if consent is None or consent.subject_id != check.subject_id:
        return Title(
            f"{check.subject_id}没有向该机构登记编号为{number}的授权",
            f"no consent {number} of {check.subject_id} to this lender is registered",
        )
    if consent.withdrawn_at is not None:
        day = day_of(consent.withdrawn_at)
        return Title(f"授权{number}已于{day}撤回", f"the consent {number} was withdrawn on {day}")
    if consent.verdict == "missing":
        return Title(
            f"授权{number}的原件未能出示", f"the signed document of the consent {number} could not be shown"
        )
    if purpose not in consent.purposes:
        covered = [PURPOSES[name].zh for name in consent.purposes]
        return Title(
            f"授权{number}的用途是{'、'.join(covered)},不含{PURPOSES[purpose].zh}",
            f"the consent {number} covers {', '.join(consent.purposes)}, not {purpose}",
        )
    if on < consent.valid_from:
        first = consent.valid_from
        return Title(f"授权{number}自{first}起有效", f"the consent {number} is valid from {first} only")
    if on > consent.valid_until:
        last = consent.valid_until
        return Title(f"授权{number}已于{last}到期", f"the consent {number} ended on {last}")
    return None


Terms = Mapping[str, Supervision]


def _grades(
    store: Store, pack_id: str, subject_ids: Sequence[str], on: dt.date
) -> tuple[dict[str, GradeRow], Terms]:
    """The grades of a day by the latest run, and what a tier means.

    A run of a day to come is nobody's grade before. Its word on the day itself holds, for a record's term may
    have ended since; so does what was decided here about a record of the subject since.
    """
    run = latest_run(store, pack_id, today())
    if run is None:
        return {}, {}
    terms = {terms.tier: terms for terms in stored_pack(store, run.pack_hash).supervision}
    of_day = run if run.kind == DAY_KIND else replace(run, as_of=max(run.as_of, on))
    grades = {
        name: replace(row, as_of=run.as_of) for name, row in grades_of(store, of_day, subject_ids).items()
    }
    now = dt.datetime.now(dt.UTC)
    for name in _decided_since(store, run, list(grades)):
        grades[name] = replace(grades[name], tier=grade_day(store, pack_id, name, on, now).tier)
    return grades, terms


_DECIDED = ("mark", "program")
"""Where a version of an enterprise's record comes from that rests on a decision made here: what became of it
by an objection or a repair, and its class as a person confirmed it."""


def _decided_since(store: Store, run: RunSummary, subject_ids: Sequence[str]) -> Sequence[str]:
    """The subjects about whose records something was decided here since what a run knew."""
    decided = (
        sa.select(RecordVersion.subject_id)
        .join(IngestedFile, IngestedFile.id == RecordVersion.file_id)
        .where(RecordVersion.vocabulary == run.vocabulary, RecordVersion.subject_id.in_(subject_ids))
        .where(RecordVersion.known_from > run.known_at, IngestedFile.source.in_(_DECIDED))
        .distinct()
    )
    with store.reading() as session:
        return session.scalars(decided).all()


def _answer(
    check: Check, consent: Consent | None, grade: GradeRow | None, terms: Terms, on: dt.date
) -> Answer:
    reason = refusal(check, consent, on)
    if reason is not None:
        return Answer(check.subject_id, "refused", reason)
    if grade is None:
        return Answer(check.subject_id, "unknown", Title("该主体没有评价结果", "this subject is not graded"))
    meant = terms.get(grade.tier)
    until = add_months(grade.as_of, meant.valid_months) if meant else None
    if until is not None and on > until:
        reason = Title(
            f"{grade.as_of}的评价有效期至{until}",
            f"the grade of {grade.as_of} could be relied on until {until}",
        )
        return Answer(check.subject_id, "expired", reason, grade.tier, grade.as_of, until)
    lane = meant.lending if meant else None
    return Answer(check.subject_id, "answered", None, grade.tier, grade.as_of, until, lane)
