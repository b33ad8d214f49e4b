"""Drafts of packs that become law, and candidates that are tried beside the one in force."""

from __future__ import annotations

import datetime as dt
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.http.fields import By, Day, Text, TitleField, WholeNumber
from api.http.paging import Cursor, NumberedPageQuery, PageQuery, page_of
from api.schemas.runs import LARGEST_ID
from api.schemas.supervision import LONGEST_PACK, SimulationSchema, VersionSchema
from rules.calendar import day_of
from rules.tools.lint import Severity
from scoring.rulemaking.desk import STATES

MOST_BACK_HERE = 12
"""Whoever starts a trial waits for so many runs at the most (own choice); the command line takes a year of
them."""
_PERSONS = fields.Dict(
    keys=fields.String(),
    values=fields.String(),
    required=True,
    metadata={"description": "Of each prefix of a key named here, the name of the person"},
)


class DecisionRequest(Schema):
    """Why a version is refused or withdrawn, or a trial is ended."""

    reason = Text(required=True, longest=2000)


class ApprovalRequest(DecisionRequest):
    """Why a version is approved, and from which version its difference was shown."""

    shown = Text(
        required=True,
        metadata={"description": "`shown` of the draft, as its difference was read"},
    )


class DraftRequest(DecisionRequest):
    """From when a draft is to rule, and why."""

    begins = Day(required=True, metadata={"description": "Its first day, which its text has to name too"})


class PackTextRequest(Schema):
    """A pack as text."""

    text = fields.String(
        required=True,
        validate=validate.Length(1, LONGEST_PACK),
        metadata={"description": "A version of a pack in YAML"},
    )


class ExaminationRequest(PackTextRequest):
    """A draft of which is asked what it would change."""

    begins = Day(metadata={"description": "Its first day; by default the one that its text names"})


class DraftProposalRequest(PackTextRequest, DraftRequest):
    """A draft that is proposed as law."""

    known = WholeNumber(
        validate=validate.Range(0, LARGEST_ID),
        metadata={
            "description": "`known` of the examination that was read: refused where a version of the pack was"
            " proposed since. Without it that is not looked at"
        },
    )


class DraftSchema(Schema):
    """A version of a pack that is proposed as law, or was: by whom, who decided, and why."""

    id = fields.Integer(required=True)
    pack_id = fields.String(required=True)
    version = fields.String(required=True)
    pack_hash = fields.String(
        required=True, metadata={"description": "Its identity, by which it is asked for"}
    )
    begins = fields.Date(required=True, metadata={"description": "The day from which it rules, or would"})
    state = fields.String(required=True, validate=validate.OneOf([*STATES]))
    reason = fields.String(required=True)
    proposed_by = By()
    proposed_at = fields.DateTime(required=True)
    decision = fields.String(
        required=True, allow_none=True, metadata={"description": "Why it was approved or refused"}
    )
    decided_by = By()
    decided_at = fields.DateTime(required=True, allow_none=True)
    withdrawal = fields.String(
        required=True, allow_none=True, metadata={"description": "Why it was withdrawn"}
    )
    withdrawn_by = By()
    withdrawn_at = fields.DateTime(required=True, allow_none=True)
    persons = _PERSONS


class FindingSchema(Schema):
    """What lint has to say of a place of a draft."""

    severity = fields.String(required=True, validate=validate.OneOf([*map(str, Severity)]))
    check = fields.String(required=True, metadata={"description": "Such as `table-gap`"})
    subject = fields.String(required=True, metadata={"description": "Of which entry; empty for the pack"})
    line = fields.Integer(required=True)
    column = fields.Integer(required=True)
    message = TitleField(required=True)


class FailedExampleSchema(Schema):
    """An example of the draft that gives something else than it says."""

    owner = fields.String(
        required=True, allow_none=True, metadata={"description": "Where it stands; null: it is of the pack"}
    )
    line = fields.Integer(required=True)
    column = fields.Integer(required=True)
    expected = fields.String(required=True)
    got = fields.String(required=True)


class ChangeOfPackSchema(Schema):
    """A difference to the version that would rule without the draft."""

    part = fields.String(required=True, metadata={"description": "Such as `rule`, `table`, `grade`"})
    id = fields.String(required=True, metadata={"description": "Which entry; empty for the pack itself"})
    title = fields.String(required=True)
    field = fields.String(
        required=True, metadata={"description": "What of it; `added` or `removed`: the entry as a whole"}
    )
    before = fields.String(required=True, metadata={"description": "In words; empty: there was none"})
    after = fields.String(required=True, metadata={"description": "In words; empty: there is none"})


class ExaminationSchema(Schema):
    """All that a person has to see of a draft before it is law."""

    draft = fields.Nested(VersionSchema, required=True)
    begins = fields.Date(required=True, metadata={"description": "The day that its text names"})
    before = fields.Nested(
        VersionSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The version that would rule on that day without it"},
    )
    reasons = fields.List(
        TitleField(), required=True, metadata={"description": "What keeps it from becoming law"}
    )
    findings = fields.List(fields.Nested(FindingSchema), required=True)
    examples = fields.Integer(required=True, metadata={"description": "How many of its own it has"})
    failed = fields.List(fields.Nested(FailedExampleSchema), required=True)
    changes = fields.List(
        fields.Nested(ChangeOfPackSchema),
        required=True,
        metadata={"description": "In the language that is asked for"},
    )
    simulation = fields.Nested(
        SimulationSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Who would move on its first day; null: it was not tried, or is decided"},
    )
    untried = TitleField(
        required=True, allow_none=True, metadata={"description": "Why nobody's grade by it is known"}
    )
    shown = fields.String(
        required=True, metadata={"description": "Which difference this is: approval gives it back"}
    )
    known = fields.Integer(
        required=True, metadata={"description": "The last proposal of the pack: the next one gives it back"}
    )


class ProposedDraftSchema(DraftSchema):
    """A version that was proposed, with what it changes."""

    examination = fields.Nested(ExaminationSchema, required=True)


class DraftsQuery(NumberedPageQuery):
    """Which page of drafts is wanted."""


class TermSchema(Schema):
    """The days on which a version of a pack rules."""

    begins = fields.Date(required=True)
    ends = fields.Date(
        required=True, allow_none=True, metadata={"description": "The first day on which it rules no more"}
    )
    version = fields.String(required=True)
    hash = fields.String(required=True)


class TrialRequest(PackTextRequest, DecisionRequest):
    """A candidate that is to be tried, and beside how many of the last runs at once."""

    back = WholeNumber(
        load_default=1,
        validate=validate.Range(0, MOST_BACK_HERE),
        metadata={"description": "Beside so many of the last runs it is tried at once"},
    )


class NightSchema(Schema):
    """A run beside which a candidate was graded."""

    run_id = fields.Integer(required=True)
    against = fields.String(required=True, metadata={"description": "The version by which the run graded"})
    as_of = fields.Date(required=True)
    subjects = fields.Integer(required=True)
    differ = fields.Integer(required=True, metadata={"description": "With another score or tier"})
    moved = fields.Integer(required=True, metadata={"description": "With another tier"})


class TrialSchema(Schema):
    """A candidate that is tried beside the version in force, or was. It is nobody's grade."""

    id = fields.Integer(required=True)
    pack_id = fields.String(required=True)
    version = fields.String(required=True)
    pack_hash = fields.String(required=True)
    reason = fields.String(required=True)
    started_by = By()
    started_at = fields.DateTime(required=True)
    ending = fields.String(required=True, allow_none=True, metadata={"description": "Why it was ended"})
    ended_by = By()
    ended_at = fields.DateTime(required=True, allow_none=True)
    persons = _PERSONS


class RuleMovesSchema(Schema):
    """A rule whose hits differ for those who differ now."""

    rule = fields.String(required=True)
    title = TitleField(required=True)
    subjects = fields.Integer(required=True)


class TrialReportSchema(TrialSchema):
    """What a candidate would change."""

    last = fields.Nested(
        NightSchema, required=True, allow_none=True, metadata={"description": "The last run beside which"}
    )
    moved = fields.Integer(required=True, metadata={"description": "How many have another tier by it now"})
    rules = fields.List(
        fields.Nested(RuleMovesSchema), required=True, metadata={"description": "By which, the most first"}
    )


class TrialsQuery(NumberedPageQuery):
    """Which page of trials is wanted."""


class NightsQuery(NumberedPageQuery):
    """Which page of a trial's runs is wanted."""


class MoveCursor(Cursor):
    """A subject and a day."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        subject_id, _, since = super()._deserialize(value, attr, data, **kwargs).rpartition(" ")
        try:
            return subject_id, day_of(since)
        except ValueError:
            raise ValidationError("not a cursor of this service: pass `next` of the page before") from None


class TrialMovesQuery(PageQuery):
    """Of whom it is asked, and which page."""

    cursor = MoveCursor(metadata={"description": "`next` of the page before"})
    ended = fields.Boolean(load_default=False, metadata={"description": "Those who differ no more as well"})


class TrialMoveSchema(Schema):
    """A subject with another tier by a candidate."""

    subject_id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    tier_before = fields.String(required=True, metadata={"description": "By the version in force"})
    tier = fields.String(required=True, metadata={"description": "By the candidate"})
    since = fields.Date(required=True)
    until = fields.Date(
        required=True, allow_none=True, metadata={"description": "The first day on which it was not so"}
    )
    rules = fields.List(
        fields.String(), required=True, metadata={"description": "Whose hits differ on the last of its days"}
    )


DraftPage = page_of(DraftSchema, "Draft")
TrialPage = page_of(TrialSchema, "Trial")
NightPage = page_of(NightSchema, "Night")
TrialMovePage = page_of(TrialMoveSchema, "TrialMove")


def move_key(move: Any) -> str:
    """What the listing of those who differ is ordered by, as its cursor has it."""
    since: dt.date = move.since
    return f"{move.subject_id} {since}"
