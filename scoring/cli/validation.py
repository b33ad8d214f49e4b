"""``xinheng backtest`` and ``xinheng drift``: what grades foresaw, and what has shifted since."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any, Literal

import click

from rules.language.words import signed
from scoring.answers.validation.backtest import Backtest, Wanted, backtest
from scoring.answers.validation.documents import backtest_document, drift_document
from scoring.answers.validation.drift import Drift, Shift, drift, runs_to_compare
from scoring.answers.validation.shares import Share
from scoring.answers.validation.words import SIZES, VERDICTS
from scoring.cli.options import NUMBER, Day, database_option, pack_of
from scoring.cli.output import Format, listing_options, print_rows, tell
from scoring.runs.published import get_run
from scoring.store import open_store
from scoring.store.rulebook import known_packs

TIERS = {
    "tier": "等级 tier",
    "graded": "主体数 subjects",
    "of": "样本 looked at",
    "found": "发现问题 found",
    "share": "发现率 share",
    "bounds": "95%区间 95 %",
    "lift": "提升度 lift",
}
RULES = {
    "rule": "规则 rule",
    "title": "名称 title",
    "points": "分值合计 points",
    "hit": "适用的发现率 share of those hit",
    "others": "其余的发现率 of the others",
    "apart": "差的95%区间 apart by",
    "verdict": "结论 verdict",
}
SHIFTS = {
    "name": "名称 name",
    "title": "含义 title",
    "index": "PSI",
    "size": "变化 shift",
    "silent": "已无报送 fell silent",
}
FEEDS = {
    "authority": "认定机关 authority",
    "kind": "类别 kind",
    "before": "上年同期 a year before",
    "after": "近三个月 last three months",
    "fell_silent": "已无报送 fell silent",
}


@click.command("backtest")
@click.option(
    "--pack", "pack_name", default="enterprise-credit", show_default=True, help="A pack's id, or its file."
)
@click.option("--as-of", type=Day(), required=True, help="The day whose grades are tested.")
@click.option(
    "--months",
    type=click.IntRange(1, 120),
    default=12,
    show_default=True,
    help="For how long after it what is found counts.",
)
@click.option("--drawn", is_flag=True, help="Of visits that plans drew at random alone.")
@click.option("--among", help="A condition about records: of subjects with such a record alone.")
@click.option("--found", help="A condition about records: what counts as found.")
@click.option("--known-now", is_flag=True, help="Grade by what is known now, not by what was known that day.")
@click.option(
    "--by", type=click.Choice(["tier", "rule"]), default="tier", show_default=True, help="What to list."
)
@database_option
@listing_options
def backtest_command(
    pack_name: str,
    as_of: dt.date,
    months: int,
    drawn: bool,
    among: str | None,
    found: str | None,
    known_now: bool,
    by: Literal["tier", "rule"],
    database: str | None,
    fmt: Format,
) -> None:
    """Say whether the tiers of a day foresaw what was found in the months after it, and which rules did.

    Without a condition: of those who were inspected, who did not pass. Who was inspected because of a tier
    says little about it; --drawn takes the visits that plans drew at random.

    \b
    Examples:
      xinheng backtest --as-of 2026-01-31 --months 6 --known-now
      xinheng backtest --as-of 2026-01-31 --drawn --by rule
      xinheng backtest --as-of 2026-01-31 --found "kind = 'penalty' and severity <> 'minor'" --known-now
    """
    if drawn and (among or found):
        raise click.UsageError("--drawn不与--among、--found同用 --drawn goes without --among and --found")
    wanted = Wanted(as_of, months, drawn, among, found, known_now)
    with closing(open_store(database)) as store:
        result = backtest(store, pack_of(pack_name, as_of, partial(known_packs, store)), wanted)
    if fmt == "json":
        click.echo(json.dumps(backtest_document(result), ensure_ascii=False, indent=2))
        return
    if fmt == "table":
        tell(_head(result))
    if by == "tier":
        print_rows(_tiers(result), TIERS, fmt)
    else:
        print_rows(_rules(result), RULES, fmt)


def _head(result: Backtest) -> str:
    sample = result.sample
    told = f"{sample.of:,} 个样本 looked at, {sample.found:,} 个发现问题 found ({_percent(sample.value)})"
    if result.concordance is None:
        return told
    return f"{told}; 一致性 concordance {result.concordance:.3f}"


def _tiers(result: Backtest) -> Iterator[dict[str, Any]]:
    for one in result.tiers:
        lift = result.lift(one)
        yield {
            "tier": one.tier,
            "graded": one.graded,
            **_cells(one.share),
            "lift": None if lift is None else round(lift, 2),
        }


def _cells(share: Share) -> dict[str, Any]:
    low, high = share.bounds
    return {
        "of": share.of,
        "found": share.found,
        "share": _percent(share.value),
        "bounds": f"{_percent(low)}-{_percent(high)}" if share.of else None,
    }


def _rules(result: Backtest) -> Iterator[dict[str, Any]]:
    for one in result.rules:
        yield {
            "rule": one.rule.id,
            "title": str(one.rule.title),
            "points": signed(one.points),
            "hit": _fraction(one.hit),
            "others": _fraction(one.others),
            "apart": one.apart and " … ".join(f"{bound:+.1%}" for bound in one.apart),
            "verdict": str(VERDICTS[one.verdict]),
        }


def _fraction(share: Share) -> str:
    return f"{share.found}/{share.of}" + (f" {_percent(share.value)}" if share.of else "")


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"


@click.command("drift")
@click.option("--pack", "pack_id", default="enterprise-credit", show_default=True, help="The pack's id.")
@click.option("--before", type=NUMBER, help="A run's number; by default the last of a month or more earlier.")
@click.option("--after", type=NUMBER, help="A later run's number; by default the latest.")
@click.option(
    "--by", type=click.Choice(["input", "feed"]), default="input", show_default=True, help="What to list."
)
@database_option
@listing_options
def drift_command(
    pack_id: str,
    before: int | None,
    after: int | None,
    by: Literal["input", "feed"],
    database: str | None,
    fmt: Format,
) -> None:
    """Say how far scores, tiers and what rules read have shifted between two runs, and who fell silent.

    The population stability index (PSI) of each: below 0.1 stable, from 0.25 on a major shift. Beside
    measures stands which office sends no longer what they count, so that a lost feed is not taken for a
    better world.

    \b
    Examples:
      xinheng drift
      xinheng drift --before 12 --after 40 --by feed
    """
    with closing(open_store(database)) as store:
        chosen = (None if number is None else get_run(store, number) for number in (before, after))
        result = drift(store, *runs_to_compare(store, pack_id, *chosen))
    if fmt == "json":
        click.echo(json.dumps(drift_document(result), ensure_ascii=False, indent=2))
    elif by == "feed":
        print_rows(_feeds(result), FEEDS, fmt)
    else:
        print_rows(_shifts(result), SHIFTS, fmt)


def _shifts(result: Drift) -> Iterator[dict[str, Any]]:
    for shift in (result.score, result.tier, *result.inputs):
        yield {
            "name": shift.name,
            "title": str(shift.title),
            "index": round(shift.index, 3),
            "size": str(SIZES[shift.size]),
            "silent": _silent(result, shift),
        }


def _silent(result: Drift, shift: Shift) -> list[str]:
    return [f"{feed.authority} {result.title_of(feed)}".strip() for feed in shift.silent]


def _feeds(result: Drift) -> Iterator[dict[str, Any]]:
    for feed in result.feeds:
        yield {
            "authority": feed.authority,
            "kind": str(result.title_of(feed)),
            "before": feed.before,
            "after": feed.after,
            "fell_silent": feed.fell_silent,
        }
