"""The report as a workbook and as a page to print."""

from __future__ import annotations

import io
from decimal import Decimal

from jinja2 import Environment, PackageLoader
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from rules.calendar import SHANGHAI
from scoring.answers.report.compute import Line, Report, Value
from scoring.answers.report.figures import SECTIONS, UNITS
from scoring.characters.spreadsheets import append_row
from scoring.characters.visible import shown

HEADINGS = ("板块 Section", "指标", "Figure", "数值 Value", "单位 Unit", "口径 Definition")
_FORMATS = {"yuan": "#,##0.00", "percent": "0.00"}
_COUNT = "#,##0"
_WIDTHS = (26, 28, 40, 18, 10, 70)
_TITLE = "营商环境与社会信用指标"
_PAGES = Environment(loader=PackageLoader("scoring.answers.report"), autoescape=True, finalize=shown)


def report_xlsx(report: Report) -> bytes:
    """The report as a workbook of one sheet: a line a figure, numbers as numbers."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "报告 Report"
    append_row(sheet, [f"{_TITLE} · 截至 as of {report.as_of.isoformat()}"])
    append_row(sheet, HEADINGS)
    for line in report.lines:
        append_row(sheet, _cells(line))
        sheet.cell(sheet.max_row, 4).number_format = _FORMATS.get(line.figure.unit, _COUNT)
    _dress(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def report_html(report: Report) -> str:
    """The report as one page of HTML that needs nothing else, made for the screen and for A4 paper."""
    sections = [
        (title, [line for line in report.lines if line.figure.section == name])
        for name, title in SECTIONS.items()
    ]
    return _PAGES.get_template("report.html").render(
        title=_TITLE,
        report=report,
        known_at=f"{report.known_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        sections=sections,
        shown=shown_value,
        units=UNITS,
    )


def shown_value(value: Value) -> str:
    """A value as people read it: with thousands separators; a dash where it is unknown."""
    if value is None:
        return "—"
    return f"{value:,}"


def _cells(line: Line) -> list[str | int | Decimal | None]:
    figure = line.figure
    return [
        str(SECTIONS[figure.section]),
        figure.title.zh,
        figure.title.en,
        line.value,
        str(UNITS[figure.unit]),
        str(figure.counts),
    ]


def _dress(sheet: Worksheet) -> None:
    """Widths, bold headings that stay, and a print set-up that fits the page."""
    for place, width in enumerate(_WIDTHS):
        sheet.column_dimensions["ABCDEF"[place]].width = width
    for row in sheet.iter_rows(min_row=1, max_row=2):
        for cell in row:
            cell.font = Font(bold=True)
    for (cell,) in sheet.iter_rows(min_row=3, min_col=6, max_col=6):
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A3"
    sheet.print_title_rows = "1:2"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
