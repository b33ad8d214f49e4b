"""``xinheng forecast``: how a grade will change with nothing new known, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from rules.language.words import number, signed
from scoring.answers.forecast import CAUSES, Cause, Change, Forecast, changes, forecast
from scoring.answers.forecast_json import forecast_document
from scoring.cli.options import database_option
from scoring.cli.output import Format, listing_options, print_rows
from scoring.store import open_store

if TYPE_CHECKING:
    from scoring.inspections.foreseen import PopulationForecast

LONGEST = 1200
"""Months."""

COLUMNS = {
    "begins": "自 from",
    "ends": "至 until",
    "score": "得分 score",
    "tier": "等级 tier",
    "veto": "一票否决 veto",
    "reasons": "原因 why",
}


@click.command("forecast")
@click.argument("subject", required=False)
@click.option(
    "--population", "everybody", is_flag=True, help="Everybody's tiers at each month's end, instead."
)
@click.option("--pack", "pack_id", default="enterprise-credit", show_default=True, help="The pack's id.")
@click.option(
    "--months",
    type=click.IntRange(1, LONGEST),
    help="How far to look from the latest run's day on.  [default: 24; with --population 36]",
)
@database_option
@listing_options
def forecast_command(
    subject: str | None, everybody: bool, pack_id: str, months: int | None, database: str | None, fmt: Format
) -> None:
    """Foretell the grade of SUBJECT (its credit code) on every day to come, with nothing new known, and say
    why it changes.

    Each row holds from its first day until before the next; the last column says what begins to count,
    decays or ends on the first day.

    With --population: how many subjects have each tier at each month's end, how many go up and down in the
    month, and how many inspections its plan will draw.

    \b
    Examples:
      xinheng forecast 91500159MAXKF9G70Q
      xinheng forecast 91500159MAXKF9G70Q --months 60 --format json
      xinheng forecast --population
    """
    if everybody == (subject is not None):
        raise click.UsageError("请写主体或--population之一 give either a SUBJECT or --population")
    if subject is None:
        _population(database, pack_id, 36 if months is None else months, fmt)
        return
    with closing(open_store(database)) as store:
        found = forecast(store, pack_id, subject, 24 if months is None else months)
    if fmt == "json":
        click.echo(json.dumps(forecast_document(found), ensure_ascii=False, indent=2))
    else:
        print_rows(forecast_rows(found), COLUMNS, fmt)


def _population(database: str | None, pack_id: str, months: int, fmt: Format) -> None:
    from scoring.inspections.foreseen import MOST_MONTHS, population_document, population_forecast  # pyarrow

    if months > MOST_MONTHS:
        raise click.UsageError(
            f"--population最多推算{MOST_MONTHS}个月 --population looks {MOST_MONTHS} months ahead at most"
        )
    with closing(open_store(database)) as store:
        found = population_forecast(store, pack_id, months)
    if fmt == "json":
        click.echo(json.dumps(population_document(found), ensure_ascii=False, indent=2))
        return
    columns = {"ends": "月末 month's end", **{f"tier {tier}": tier for tier in found.shown_tiers}}
    columns |= {"up": "升级 up", "down": "降级 down", "inspections": "抽查 inspections"}
    print_rows(population_rows(found), columns, fmt)


def population_rows(found: PopulationForecast) -> Iterator[dict[str, Any]]:
    """A row for each month."""
    for month in found.months:
        yield {
            "ends": month.ends,
            **{f"tier {tier}": month.tiers.get(tier, 0) for tier in found.shown_tiers},
            "up": month.up,
            "down": month.down,
            "inspections": sum(month.inspections.values()),
        }


def forecast_rows(found: Forecast) -> Iterator[dict[str, Any]]:
    """A row for each step."""
    for step in found.steps:
        grade = step.grade
        yield {
            "begins": step.begins,
            "ends": step.ends,
            "score": grade and number(grade.score),
            "tier": grade and grade.tier,
            "veto": step.pack and grade and grade.veto and str(step.pack.rule(grade.veto).title),
            "reasons": [change_text(change) for change in changes(step.reasons)],
        }


def change_text(change: Change) -> str:
    """A change in one line: 一般处罚 Penalty (P1) 计分期满 counts no longer: -4 → 0."""
    cause = CAUSES[change.cause]
    if change.rule is None:
        return f"{cause}{f' {change.version}' if change.version else ''}"
    several = f" ×{len(change.records)}" if len(change.records) > 1 else ""
    records = several or "".join(f" ({record})" for record in change.records)
    said = "" if change.cause is Cause.VERSION else f" {cause}"  # it is said before all rules, once
    given = f" {signed(change.points_before)} → {signed(change.points)}"
    return f"{change.rule.title}{records}{said}{'' if change.rule.is_veto else given}"
