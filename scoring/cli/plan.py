"""``xinheng plan``: what supervision does next."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any

import click

from rules.calendar import add_months, day_of, today
from scoring.cli.options import NUMBER, database_option
from scoring.cli.output import Format, listing_options, print_rows, tell
from scoring.inspections.office import make_plan, plan_refusals, plan_visits
from scoring.store import open_store

VISITS = {
    "subject_id": "信用代码 credit code",
    "name": "企业 enterprise",
    "tier": "等级 tier",
    "drawn": "抽中 drawn",
    "complaint": "有投诉 complaint",
    "authorities": "联合部门 departments",
    "inspectors": "检查人员 inspectors",
}


def _next_month() -> str:
    return f"{add_months(today(), 1):%Y-%m}"


class Month(click.ParamType[dt.date]):
    """A calendar month."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        try:
            return day_of(f"{value}-01")
        except ValueError:
            self.fail(f"月份应如2026-07 '{value}' is not a month such as 2026-07", param, ctx)


@click.group("plan")
def plan_group() -> None:
    """Plan supervision from tiers."""


@plan_group.command("inspections")
@click.option(
    "--month",
    type=Month(),
    default=_next_month,
    show_default="the next",
    help="Not over yet, such as 2027-08.",
)
@click.option("--seed", required=True, help="Any text; with it the same plan can be made again.")
@click.option(
    "--instead-of", type=NUMBER, help="The month's plan in force, by its number, which this one replaces."
)
@click.option(
    "--pack", "pack_id", default="enterprise-credit", show_default=True, help="Whose tiers are used."
)
@database_option
@listing_options
def inspections(
    month: dt.date, seed: str, instead_of: int | None, pack_id: str, database: str | None, fmt: Format
) -> None:
    """Plan a month's joint inspections: one visit an enterprise, within its tier's cap, drawn at random.

    Example: xinheng plan inspections --month 2027-08 --seed 2027-08-公证处-417
    """
    with closing(open_store(database)) as store:
        plan = make_plan(store, pack_id, month, seed, instead_of=instead_of)
        visits, refusals = plan_visits(store, plan.id), plan_refusals(store, plan.id)
    print_rows(visits if fmt == "json" else map(_shown, visits), VISITS, fmt)
    for refusal in refusals:
        asked = " ".join(filter(None, (refusal["subject_id"], refusal["authority"], refusal["record_id"])))
        tell(f"未安排 refused: {asked}: {refusal['reason']}")
    tell(
        f"计划 plan {plan.id} ({plan.month:%Y-%m}): {plan.visits} 户 visits,"
        f" {plan.refusals} 未安排 refused, 批次 run {plan.run_id}"
    )


def _shown(visit: dict[str, Any]) -> dict[str, Any]:
    marks = {True: "是 yes", False: ""}
    return visit | {
        "drawn": marks[visit["drawn"]],
        "complaint": marks[visit["complaint"]],
        "authorities": "、".join(visit["authorities"]),
        "inspectors": "、".join(visit["inspectors"]),
    }
