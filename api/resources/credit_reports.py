"""Credit reports of enterprises: issued, read again as they were given out, and verified by anybody."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from api.around import journal
from api.around.auth import caller, who
from api.around.context import store
from api.around.idempotency import PARAMETER
from api.around.naming import subject_of
from api.http.openapi import Blueprint
from api.http.problems import fail
from api.schemas.credit_reports import IssuedReportSchema, VerificationQuery, VerifiedReportSchema
from scoring.answers.credit_report import Issued, PaperError, issue_report, report_file, verify_report
from scoring.facts.ingest.keys import ENTERPRISES

PDF = "application/pdf"
NUMBER = "/<string(maxlength=60):number>"

blueprint = Blueprint(
    "credit_reports", __name__, url_prefix="/v1", description="Credit reports: numbered, kept, to be verified"
)


@blueprint.post("/subjects/<key:subject_id>/reports")
@blueprint.answers(201, IssuedReportSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_report(subject_id: str) -> tuple[Issued, int, dict[str, str]]:
    """Issue the credit report of an enterprise, in the chapters of the national form, as a PDF.

    It holds what is known now and may be shown: nothing repaired, revoked or past its term. An enterprise
    asks for its own alone. 503 where no PDF can be made.
    """
    found = issued(subject_id)
    return found, 201, {"Location": url_for("credit_reports.get_file", number=found.number)}


@blueprint.get(f"/reports{NUMBER}")
@blueprint.query(VerificationQuery)
@blueprint.answers(200, VerifiedReportSchema)
def verify(query: dict[str, Any], number: str) -> Issued:
    """Whether a report was issued here: open to everybody, so many times a minute.

    404 for an unknown number as for a wrong code. The file is as it was issued where its SHA-256 is this one.
    """
    return verify_report(store(), number, query["code"])


@blueprint.get(f"/reports{NUMBER}/file")
@blueprint.answers(200, {"type": "string", "format": "binary"}, content_type=PDF)
def get_file(number: str) -> Response:
    """The file of a report, byte for byte as it was given out. An enterprise reads its own alone."""
    return file_of(number)


def issued(subject_id: str) -> Issued:
    """The report of an enterprise, issued for the caller.

    :raises Problem: 404 where there is no such enterprise, or not for who asks; 503 where no PDF can be made.
    """
    key = subject_of(ENTERPRISES, subject_id)
    try:
        found = issue_report(store(), key, caller().prefix)
    except PaperError as error:
        fail("not-printable", error.title)
    journal.detail(report=found.number)
    return found


def file_of(number: str) -> Response:
    """The answer that is a report's file.

    :raises UnknownReportError: where there is none, or not for who asks.
    """
    found, file = report_file(store(), number, who().subject)
    journal.subject(found.subject_id)
    name = f"credit-report-{found.number}.pdf"
    return Response(file, mimetype=PDF, headers={"Content-Disposition": f"attachment; filename={name}"})
