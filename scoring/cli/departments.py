"""``xinheng departments``: the satisfaction ranking of public bodies, and what follows from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import click

from scoring.answers.departments import Consequence, Ranking, Standing, department_ranking
from scoring.cli.options import NUMBER, Day, database_option
from scoring.cli.output import Format, listing_options, print_rows, tell
from scoring.store import open_store

STANDING = {
    "place": "名次 place",
    "subject_id": "单位编码 body",
    "name": "单位名称 name",
    "group": "分组 group",
    "satisfaction": "满意度 satisfaction",
    "answers": "收回 answers",
    "questionnaires": "发出 sent",
    "response_share": "回收率 response",
    "place_from_end": "倒数 from the end",
    "place_in_group": "组内名次 in group",
    "satisfaction_last_year": "上年满意度 last year",
    "place_from_end_last_year": "上年倒数 from the end",
    "tier": "等级 tier",
    "score": "得分 score",
    "unranked": "未排名原因 why not ranked",
}
CONSEQUENCE = {
    "subject_id": "单位编码 body",
    "name": "单位名称 name",
    "consequence": "处理 what follows",
    "reason": "情形 why",
    "satisfaction": "满意度 satisfaction",
    "place_from_end": "倒数 from the end",
    "bodies_ranked": "参评 ranked",
    "place_from_end_last_year": "上年倒数 from the end",
    "basis": "依据 basis",
}


run_option = click.option("--run", "run_id", type=NUMBER, help="An earlier run; by default the latest.")
until_option = click.option("--as-of", type=Day(), help="The latest run that speaks about no later date.")


@click.group("departments")
def departments_group() -> None:
    """Rank public bodies by satisfaction, and say what follows for the last."""


@departments_group.command("ranking")
@run_option
@until_option
@database_option
@listing_options
def ranking_command(run_id: int | None, as_of: dt.date | None, database: str | None, fmt: Format) -> None:
    """List the bodies by their place in the satisfaction survey of the run's year.

    Bodies that are not ranked follow, with the reason.

    Example: xinheng departments ranking --format csv
    """
    with closing(open_store(database)) as store:
        ranking = department_ranking(store, run_id, as_of)
    _announce(ranking, as_of)
    print_rows((_standing(ranking, standing) for standing in ranking.standings), STANDING, fmt)


@departments_group.command("consequences")
@run_option
@until_option
@database_option
@listing_options
def consequences_command(
    run_id: int | None, as_of: dt.date | None, database: str | None, fmt: Format
) -> None:
    """List what follows for the bodies that are last of the year, or among the last two years running.

    Example: xinheng departments consequences
    """
    with closing(open_store(database)) as store:
        ranking = department_ranking(store, run_id, as_of)
    _announce(ranking, as_of)
    print_rows(_consequences(ranking), CONSEQUENCE, fmt)


def _announce(ranking: Ranking, asked: dt.date | None) -> None:
    if asked is not None and asked != ranking.run.as_of:
        tell(
            f"{asked}尚无评价,以下按{ranking.run.as_of}的评价"
            f" there is no run of {asked}: what follows is by that of {ranking.run.as_of}"
        )
    ranked = sum(not standing.unranked for standing in ranking.standings)
    tell(
        f"{ranking.pack.title} {ranking.pack.version}, run {ranking.run.id}, {ranking.run.as_of}:"
        f" {ranked} 个单位参加排名 of {len(ranking.standings)} bodies are ranked"
    )


def _standing(ranking: Ranking, standing: Standing) -> dict[str, Any]:
    places, grade = standing.places, standing.grade
    groups = ranking.pack.vocabulary.subject.columns["peers"].values
    return {
        **{name: _plain(getattr(places, name)) for name in places.__slots__},
        "subject_id": standing.subject_id,
        "name": standing.attributes["name"],
        "group": groups.get(standing.attributes["peers"], ""),
        "tier": grade.tier,
        "score": grade.score / 100,
        "unranked": "; ".join(map(str, standing.unranked)),
    }


def _consequences(ranking: Ranking) -> Iterator[dict[str, Any]]:
    for found in ranking.consequences:
        yield {
            **_standing(ranking, found.standing),
            "consequence": found.rule.title,
            "reason": found.rule.note or "",
            "basis": _basis(ranking, found),
        }


def _plain(value: Any) -> Any:
    """Numbers as programs read them."""
    return float(value) if isinstance(value, Decimal) else value


def _basis(ranking: Ranking, found: Consequence) -> str:
    return "; ".join(ranking.pack.cite(citation).zh for citation in found.rule.citations)
