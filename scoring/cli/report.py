"""``xinheng report``: the district's figures, counted from the records."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from pathlib import Path

import click

from scoring.answers.report import SECTIONS, UNITS, Line, make_report, report_html, report_xlsx, shown_value
from scoring.cli.options import as_of_option, database_option
from scoring.cli.output import Format, NewFile, format_option, print_rows, write_whole
from scoring.store import open_store

COLUMNS = {"section": "板块 section", "figure": "指标 figure", "value": "数值 value", "unit": "单位 unit"}
DETAILS = ("id", "zh", "en", "value", "unit", "counts_zh", "counts_en")


@click.command("report")
@database_option
@as_of_option
@click.option("--xlsx", type=NewFile(".xlsx"), help="Write the report to this workbook as well.")
@click.option(
    "--html", type=NewFile(".html", ".htm"), help="Write the report to this page as well, ready to print."
)
@format_option
def report_command(
    database: str | None, as_of: dt.date, xlsx: Path | None, html: Path | None, fmt: Format
) -> None:
    """Count the district's figures from the records.

    A figure is empty where the store knows nothing that it could be counted from.

    Example: xinheng report --as-of 2026-07-31 --html report.html
    """
    with closing(open_store(database)) as store:
        report = make_report(store, as_of)
    if xlsx:
        write_whole(xlsx, report_xlsx(report))
    if html:
        write_whole(html, report_html(report))
    if fmt == "table":
        print_rows(map(_row, report.lines), COLUMNS, fmt)
    else:
        print_rows(map(_details, report.lines), DETAILS, fmt)


def _row(line: Line) -> dict[str, object]:
    figure = line.figure
    return {
        "section": SECTIONS[figure.section],
        "figure": figure.title,
        "value": shown_value(line.value),
        "unit": UNITS[figure.unit].zh,
    }


def _details(line: Line) -> dict[str, object]:
    """A line for programs: plain numbers."""
    figure = line.figure
    return {
        "id": figure.id,
        "zh": figure.title.zh,
        "en": figure.title.en,
        "value": float(line.value) if figure.unit == "percent" and line.value is not None else line.value,
        "unit": figure.unit,
        "counts_zh": figure.counts.zh,
        "counts_en": figure.counts.en,
    }
