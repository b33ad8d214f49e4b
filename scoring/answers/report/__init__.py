"""The district's report: every figure counted from the records; as rows, a workbook or a page to print."""

from scoring.answers.report.compute import Line, Report, Value, make_report
from scoring.answers.report.figures import FIGURES, SECTIONS, UNITS, Figure
from scoring.answers.report.files import report_html, report_xlsx, shown_value

__all__ = [
    "FIGURES",
    "SECTIONS",
    "UNITS",
    "Figure",
    "Line",
    "Report",
    "Value",
    "make_report",
    "report_html",
    "report_xlsx",
    "shown_value",
]
