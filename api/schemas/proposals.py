"""Proposals, who would fall by them and their answers, and notices of an adverse change."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from api.http.fields import Points, Text, TitleField
from api.http.paging import NumberedPageQuery, PageQuery, page_of
from rules.model import Pack
from scoring.answers.notices.compute import Counted, Notice, Reason
from scoring.answers.notices.files import contact, rule_changes
from scoring.answers.paths import Step
from scoring.runs.proposed import Fall


class ProposalsQuery(NumberedPageQuery):
    """Which page of proposals is wanted."""


class ProposalSchema(Schema):
    """A run that is proposed: it is nobody's grade before it is published."""

    id = fields.Integer(required=True)
    pack_id = fields.String(required=True)
    pack_hash = fields.String(required=True)
    vocabulary = fields.String(required=True)
    as_of = fields.Date(required=True)
    known_at = fields.DateTime(required=True, metadata={"description": "The facts that are judged"})
    subjects = fields.Integer(required=True)
    base = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The run that it is compared to"}
    )
    until = fields.Date(
        required=True, metadata={"description": "The last day on which those who would fall may answer"}
    )
    proposed_by = fields.String(required=True)
    proposed_at = fields.DateTime(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["open", "published", "withdrawn"]))
    ended_by = fields.String(required=True, allow_none=True)
    ended_at = fields.DateTime(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True, metadata={"description": "Why it was withdrawn"})
    run_id = fields.Integer(required=True, allow_none=True)
    falls = fields.Integer(required=True, metadata={"description": "How many would fall; a subject: itself"})
    told = fields.Integer(required=True)
    answered = fields.Integer(required=True)


class ProposalAnswerSchema(Schema):
    """What one of those who would fall says."""

    id = fields.Integer(required=True)
    text = fields.String(required=True)
    made_by = fields.String(required=True)
    made_at = fields.DateTime(required=True)


class NoticeStepSchema(Schema):
    """What may be done about a record, and from which day on."""

    remedy = fields.String(required=True)
    title = TitleField(required=True)
    record_id = fields.String(required=True)
    on = fields.Date(required=True)


class NoticeRecordSchema(Schema):
    """What a rule counts: a record, or with null the subject itself."""

    record_id = fields.String(required=True, allow_none=True)
    authority = fields.String(required=True, allow_none=True)
    date = fields.Date(required=True, allow_none=True)
    points_before = Points(required=True)
    points = Points(required=True)
    until = fields.Date(
        required=True, allow_none=True, metadata={"description": "From when it counts no more by itself"}
    )
    remedies = fields.List(fields.Nested(NoticeStepSchema), required=True)


class NoticeReasonSchema(Schema):
    """A rule that costs points or a tier, with its records and its law."""

    rule = fields.String(required=True)
    title = TitleField(required=True)
    tier = fields.String(required=True, allow_none=True, metadata={"description": "No better than this"})
    lowers = fields.Integer(
        required=True, allow_none=True, metadata={"description": "So many tiers below that of the score"}
    )
    points_before = Points(required=True)
    points = Points(required=True)
    records = fields.List(fields.Nested(NoticeRecordSchema), required=True)
    others = fields.Integer(required=True, metadata={"description": "Further records of less weight"})
    law = fields.List(fields.String(), required=True)


class ProposedFallSchema(Schema):
    """Who would fall, why, and what it says to it."""

    subject_id = fields.String(required=True)
    tier_before = fields.String(required=True)
    tier = fields.String(required=True)
    score_before = Points(required=True)
    score = Points(required=True)
    reasons = fields.List(fields.Nested(NoticeReasonSchema), required=True)
    rule_changes = fields.List(TitleField(), required=True)
    told_at = fields.DateTime(required=True, allow_none=True)
    told_by = fields.String(required=True, allow_none=True)
    answers = fields.List(fields.Nested(ProposalAnswerSchema), required=True)


class FallsQuery(PageQuery):
    """Which page of those who would fall is wanted."""


class ProposalAnswerRequest(Schema):
    """What is answered, and for whom."""

    text = Text(longest=2000, required=True)
    subject_id = Text(
        longest=100, metadata={"description": "Whose answer it is; a subject's key answers for itself"}
    )


class WithdrawalRequest(Schema):
    """Why a proposal is withdrawn."""

    reason = Text(longest=2000, required=True)


class NoticeGradeSchema(Schema):
    """A grade on a day, by a version of the rules."""

    as_of = fields.Date(required=True)
    tier = fields.String(required=True)
    score = Points(required=True)
    version = fields.String(required=True)


class NoticeWaySchema(Schema):
    """The way by which the former tier is had again first; without steps it is waiting."""

    reached_on = fields.Date(required=True)
    steps = fields.List(fields.Nested(NoticeStepSchema), required=True)


class NoticeSchema(Schema):
    """A notice of an adverse change."""

    subject_id = fields.String(required=True)
    name = fields.String(required=True)
    pack = fields.String(required=True)
    run = fields.Integer(required=True, allow_none=True)
    proposal = fields.Integer(required=True, allow_none=True)
    made_on = fields.Date(required=True)
    before = fields.Nested(NoticeGradeSchema, required=True)
    now = fields.Nested(NoticeGradeSchema, required=True)
    rule_changes = fields.List(TitleField(), required=True)
    reasons = fields.List(fields.Nested(NoticeReasonSchema), required=True)
    others = fields.Integer(required=True, metadata={"description": "Further reasons of less weight"})
    way = fields.Nested(NoticeWaySchema, required=True, allow_none=True)
    answer_until = fields.Date(
        required=True, allow_none=True, metadata={"description": "null: nothing is proposed any more"}
    )
    ask = fields.String(required=True, metadata={"description": "Whom to ask about the grade"})


ProposalPage = page_of(ProposalSchema, "Proposal")
ProposedFallPage = page_of(ProposedFallSchema, "ProposedFall")


def fall_view(fall: Fall, notice: Notice) -> dict[str, Any]:
    """Who would fall, with the reasons of its notice."""
    known = {name: getattr(fall, name) for name in Fall.__slots__}
    reasons = [_reason(reason, notice.now.pack) for reason in notice.reasons]
    return known | {"reasons": reasons, "rule_changes": rule_changes(notice)}


def notice_view(notice: Notice) -> dict[str, Any]:
    """A notice."""
    proposal = notice.proposal
    return {
        "subject_id": notice.subject_id,
        "name": notice.name,
        "pack": notice.now.pack.id,
        "run": notice.run and notice.run.id,
        "proposal": proposal and proposal.id,
        "made_on": notice.made_on,
        **{
            side: {"as_of": found.as_of, "tier": found.tier, "score": found.score}
            | {"version": found.pack.version}
            for side, found in (("before", notice.before), ("now", notice.now))
        },
        "rule_changes": rule_changes(notice),
        "reasons": [_reason(reason, notice.now.pack) for reason in notice.reasons],
        "others": notice.others,
        "way": notice.way
        and {"reached_on": notice.way.reached_on, "steps": [_step(step) for step in notice.way.steps]},
        "answer_until": proposal.until if proposal and proposal.state == "open" else None,
        "ask": str(contact()),
    }


def _reason(reason: Reason, pack: Pack) -> dict[str, Any]:
    return {
        "rule": reason.rule.id,
        "title": reason.rule.title,
        "tier": reason.rule.tier,
        "lowers": reason.rule.lowers,
        "points_before": reason.points_before,
        "points": reason.points,
        "records": [_counted(one, pack) for one in reason.counted],
        "others": reason.others,
        "law": [pack.document(citation).zh for citation in reason.rule.citations],
    }


def _counted(one: Counted, pack: Pack) -> dict[str, Any]:
    record = one.record or {}
    return {
        "record_id": one.record_id,
        "authority": record.get("authority"),
        "date": record.get(pack.vocabulary.record_date),
        "points_before": one.points_before,
        "points": one.points,
        "until": one.until,
        "remedies": [_step(step) for step in one.remedies],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "remedy": step.remedy.id,
        "title": step.remedy.title,
        "record_id": step.record_id,
        "on": step.on,
    }
