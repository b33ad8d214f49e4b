"""The public credit report of an enterprise: in the chapters of the national form, to be verified."""

from scoring.answers.credit_report.content import CHAPTERS, NOT_REPORTED, Content, credit_content
from scoring.answers.credit_report.issued import (
    Issued,
    UnknownReportError,
    issue_report,
    report_file,
    verify_report,
)
from scoring.answers.credit_report.paper import ADDRESS_VARIABLE, PaperError

__all__ = [
    "ADDRESS_VARIABLE",
    "CHAPTERS",
    "NOT_REPORTED",
    "Content",
    "Issued",
    "PaperError",
    "UnknownReportError",
    "credit_content",
    "issue_report",
    "report_file",
    "verify_report",
]
