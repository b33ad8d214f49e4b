"""``xinheng visits``: codes of visits, what came of them, and how often each office goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict

import click

from rules.calendar import today
from rules.titles import UnknownError
from scoring.cli.options import NUMBER, Day, database_option, operator
from scoring.cli.output import Format, Titles, limit_option, listing_options, print_rows, tell
from scoring.cli.plan import Month
from scoring.facts.visit_results import (
    Rating,
    Result,
    VisitRefusedError,
    enter_rating,
    enter_result,
    outcomes,
)
from scoring.inspections import visits
from scoring.inspections.codes import Days, OutsideVisit, cancel_visit, issue_outside, issue_plan
from scoring.inspections.visits import OUTSIDE, CodedVisit, State, Wanted
from scoring.store import Store, open_store

COLUMNS = {
    "code": "检查码 code",
    "state": "状态 state",
    "subject_id": "信用代码 credit code",
    "authorities": "检查单位 offices",
    "inspectors": "执法人员 inspectors",
    "begins_on": "起 from",
    "ends_on": "止 to",
    "ground": "事由 ground",
    "over_cap": "超频次 over the cap",
    "done_on": "检查日期 made on",
    "outcome": "结果 outcome",
    "rating": "评分 rating",
}
FIGURES = {
    "office": "单位 office",
    "issued": "发码 issued",
    "made": "已检查 made",
    "lapsed": "失效 lapsed",
    "cancelled": "取消 cancelled",
    "over_cap": "超频次 over the cap",
    "found": "发现问题 with a finding",
    "rated": "评价 rated",
    "mean_rating": "平均评分 mean rating",
}
IDLE = {
    "inspector_id": "执法证号 inspector",
    "name": "姓名 name",
    "authority": "单位 office",
    "in_a_row": "连续 in a row",
    "codes": "最近 last",
}


@click.group("visits")
def visits_group() -> None:
    """Visits with a code: issue, report, rate, cancel; figures by office, and who finds nothing."""


@visits_group.command("list")
@click.option("--month", type=Month(), help="In which they begin, such as 2026-08.")
@click.option("--office", help="One that takes part.")
@click.option("--state", type=click.Choice([state.value for state in State]), help="How they stand today.")
@limit_option()
@database_option
@listing_options
def list_command(
    month: dt.date | None,
    office: str | None,
    state: str | None,
    limit: int,
    database: str | None,
    fmt: Format,
) -> None:
    """List visits that have a code, the one issued last first.

    Example: xinheng visits list --month 2026-08 --state issued
    """
    wanted = Wanted(month, office, State(state) if state else None)
    with _store(database) as store:
        found = visits.list_visits(store, wanted, today(), limit)
    _print(found, fmt)


@visits_group.command("issue")
@click.option("--plan", "plan_id", type=NUMBER, help="The number of a plan: codes for all of its visits.")
@click.option("--subject", help="The enterprise's credit code; of a plan, its visit alone.")
@click.option("--ground", type=click.Choice(OUTSIDE), help="Of a visit outside the plan.")
@click.option("--why", help="What led to a visit outside the plan.")
@click.option("--office", "offices", multiple=True, help="An office that goes; repeatable.")
@click.option("--inspector", "inspectors", multiple=True, help="The number of one who goes; at least two.")
@click.option("--from", "begins_on", type=Day(), help="Its first day.  [default: today]")
@click.option("--to", "ends_on", type=Day(), help="Its last day.  [default: the month's last]")
@click.option(
    "--pack", "pack_id", default="enterprise-credit", show_default=True, help="Whose tiers are used."
)
@database_option
@listing_options
def issue_command(
    plan_id: int | None, subject: str | None, ground: str | None, why: str | None, offices: tuple[str, ...],
    inspectors: tuple[str, ...], begins_on: dt.date | None, ends_on: dt.date | None, pack_id: str,
    database: str | None, fmt: Format,
) -> None:  # fmt: skip
    """Issue codes: for the visits of a plan, within the caps; or for one outside it, with its ground.

    Example: xinheng visits issue --plan 3
    """
    if (plan_id is None) == (ground is None):
        raise click.UsageError(
            "请写--plan,计划外检查写--ground give --plan, or --ground for a visit outside the plan"
        )
    with _store(database) as store:
        if plan_id is not None:
            days = _days(begins_on, ends_on) if begins_on or ends_on else None
            done = issue_plan(store, plan_id, operator(), today(), days, subject)
            _print(done.visits, fmt)
            for refused, reason in done.refused.items():
                tell(f"未核发 refused: {refused}: {reason}")
            return
        if not (subject and ground and why):
            raise click.UsageError(
                "计划外检查须写明以下三项 a visit outside the plan needs --subject, --ground and --why"
            )
        wanted = OutsideVisit(subject, ground, why, offices, inspectors, _days(begins_on, ends_on))
        visit = issue_outside(store, pack_id, wanted, operator(), today())
    _print([visit], fmt)


@visits_group.command("result")
@click.argument("code")
@click.option("--outcome", type=click.Choice(list(outcomes())), required=True, help="What came of it.")
@click.option("--on", "day", type=Day(), default=today, show_default="today", help="When it was made.")
@click.option("--findings", help="What was found.")
@click.option("--measures", help="What followed.")
@click.option(
    "--inspector", "inspectors", multiple=True, help="Who came; by default all whom the code names."
)
@database_option
def result_command(
    code: str, outcome: str, day: dt.date, findings: str | None, measures: str | None,
    inspectors: tuple[str, ...], database: str | None,
) -> None:  # fmt: skip
    """Enter what came of the visit of CODE; many come by file: xinheng ingest --vocabulary visit.

    Example: xinheng visits result 314159265358 --outcome passed
    """
    with _store(database) as store:
        result = Result(day, outcome, findings, measures, inspectors)
        enter_result(store, code, result, operator(), today())
        visit = visits.find_visit(store, code)
    tell(f"{visit.code}: {outcomes()[outcome]}, 记录 record {visit.record_id}", err=False)


@visits_group.command("rate")
@click.argument("code")
@click.argument("rating", type=click.IntRange(1, 5))
@click.option("--words", help="What the enterprise says besides.")
@database_option
def rate_command(code: str, rating: int, words: str | None, database: str | None) -> None:
    """Enter from paper that the enterprise gives the visit of CODE a RATING of 1 (bad) to 5 (good).

    Example: xinheng visits rate 314159265358 5
    """
    with _store(database) as store:
        enter_rating(store, code, Rating(rating, words), operator())
    tell(f"{code}: {rating}", err=False)


@visits_group.command("cancel")
@click.argument("code")
@click.option("--reason", required=True, help="Why it will not be made.")
@database_option
def cancel_command(code: str, reason: str, database: str | None) -> None:
    """Say that the visit of CODE will not be made: its code is void.

    Example: xinheng visits cancel 314159265358 --reason 企业停业检修
    """
    with _store(database) as store:
        cancel_visit(store, code, reason, operator(), today())
    tell(f"{code}: 已取消 cancelled", err=False)


@visits_group.command("figures")
@click.option("--month", type=Month(), help="In which they begin; by default all.")
@database_option
@listing_options
def figures_command(month: dt.date | None, database: str | None, fmt: Format) -> None:
    """By office: codes issued, visits made and lapsed, how many had a finding, and the mean rating.

    Example: xinheng visits figures --month 2026-08 --format csv
    """
    with _store(database) as store:
        found = visits.figures(store, Wanted(month), today())
    print_rows(map(asdict, found), FIGURES, fmt)


@visits_group.command("idle")
@database_option
@listing_options
def idle_command(database: str | None, fmt: Format) -> None:
    """List inspectors whose last three visits or more had no finding (own choice).

    Example: xinheng visits idle
    """
    with _store(database) as store:
        found = visits.idle_inspectors(store)
    print_rows(map(asdict, found), IDLE, fmt)


def _days(begins_on: dt.date | None, ends_on: dt.date | None) -> Days:
    first = begins_on or today()
    return Days(first, ends_on or visits.month_end(first))


def _print(found: Iterable[CodedVisit], fmt: Format) -> None:
    titles: Titles = {"state": visits.STATE_TITLES, "ground": visits.GROUNDS, "outcome": outcomes()}
    print_rows(map(_row, found), COLUMNS, fmt, titles)


def _row(visit: CodedVisit) -> dict[str, object]:
    return asdict(visit) | {"state": visit.state(today()).value}


@contextmanager
def _store(database: str | None) -> Iterator[Store]:
    with closing(open_store(database)) as store:
        try:
            yield store
        except (VisitRefusedError, UnknownError) as error:
            raise click.ClickException(str(error.told)) from None
