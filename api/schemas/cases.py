"""What objections and applications for repair share: which are wanted, how they stand, the next step."""

from __future__ import annotations

import datetime as dt
from typing import Any

from marshmallow import Schema, fields

from api.http.fields import Text
from api.http.paging import NumberedPageQuery
from api.schemas.records import Seen, Version, VocabularyQuery
from api.schemas.subjects import MarkSchema
from scoring.facts.desk import Filed


class CasesQuery(VocabularyQuery, NumberedPageQuery):
    """Which cases are wanted."""

    open = fields.Boolean(
        load_default=False, metadata={"description": "Only those about which an office has to do something"}
    )
    overdue = fields.Boolean(load_default=False, metadata={"description": "Only those that are late"})


class FiledSchema(Schema):
    """A case with everything that was done about it; its state is added by what it is."""

    id = fields.Integer(required=True)
    version = Version()
    record_id = fields.String(required=True)
    subject_id = fields.String(required=True)
    authority = fields.String(required=True, allow_none=True)
    overdue = fields.Boolean(required=True)
    marks = fields.List(fields.Nested(MarkSchema), required=True)


class StepForm(Seen):
    """Why something is done about a case, as the form of a page says it; what, is added by what it is."""

    reason = Text(longest=2000, required=True)
    evidence = Text(metadata={"description": "Number or address of a document that it rests on"})


def case_view(found: Filed[Any], on: dt.date) -> dict[str, Any]:
    """A case as it stands on a day."""
    shown = ("id", "version", "record_id", "subject_id", "authority", "case", "marks")
    return {name: getattr(found, name) for name in shown} | {"overdue": found.case.is_overdue(on)}
