"""``xinheng explain``: why a subject has its grade, and why not another."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict
from typing import Any

import click

from rules.model import Pack, Rule
from scoring.cli.options import database_option
from scoring.explain import ExplainedHit, Explanation, Miss, explain
from scoring.store import open_store


@click.command("explain")
@click.argument("subject")
@click.option("--pack", "pack_id", default="enterprise-credit", show_default=True)
@click.option("--run", "run_id", type=int, help="An earlier run; by default the latest.")
@click.option("--why-not", is_flag=True, help="Also what kept each other rule out.")
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", show_default=True)
@database_option
def explain_command(
    subject: str, pack_id: str, run_id: int | None, why_not: bool, fmt: str, database: str | None
) -> None:
    """Explain the grade of SUBJECT (its credit code): each hit with rule, law, record, points and how long.

    Example: xinheng explain 91500156MA5U0A1B2C --why-not
    """
    with closing(open_store(database)) as store:
        explanation = explain(store, pack_id, subject, run_id)
    if fmt == "json":
        click.echo(json.dumps(_plain(explanation), ensure_ascii=False, indent=2, default=str))
    else:
        click.echo("\n".join(explanation_lines(explanation, why_not)))


def points(hundredths: int) -> str:
    """Hundredths as people read points: +8, -3.67."""
    whole, part = divmod(abs(hundredths), 100)
    sign = "-" if hundredths < 0 else "+"
    return f"{sign}{whole}" + (f".{part:02d}".rstrip("0") if part else "")


def explanation_lines(found: Explanation, why_not: bool = False, brief: bool = False) -> Iterable[str]:
    """An explanation as text.

    :param brief: the hits of one rule in one line, without their records.
    """
    pack, run = found.pack, found.run
    yield f"{found.attributes.get('name') or found.subject_id}  {found.subject_id}"
    until = f",预计下次变化 may change on {found.next_change_on}" if found.next_change_on else ""
    grade = next(g for g in pack.grades if g.tier == found.tier)
    yield f"  等级 tier {found.tier} {grade.title}   得分 score {points(found.score)[1:]}   {run.as_of}{until}"
    if found.veto:
        yield f"  一票否决 veto: {found.veto.title} ({_law(pack, found.veto)}); 按分数 by points: {found.band}"
    yield f"  {pack.title} {pack.version}, run {run.id}, 起评分 start {points(pack.score.start)[1:]}"
    for part in found.dimensions:
        held = "" if part.points == part.points_before else f" (限值前 before its bounds {points(part.points_before)})"
        yield f"  {part.dimension.title}: {points(part.points)}{held}"
        yield from _hits_of(found, part.dimension.id, brief)
    yield from _hits_of(found, None, brief)
    yield f"  信息完整度 inputs known: {found.inputs_known}/{found.inputs_total}"
    if why_not:
        yield "  未命中 not met:"
        for miss in found.misses:
            yield from _miss_lines(found, miss)


def _hits_of(found: Explanation, dimension: str | None, brief: bool) -> Iterable[str]:
    hits = [hit for hit in found.hits if hit.rule.dimension == dimension]
    if not brief:
        for hit in hits:
            yield from _hit_lines(found, hit)
        return
    for rule_id in dict.fromkeys(hit.rule.id for hit in hits):
        same = [hit for hit in hits if hit.rule.id == rule_id]
        rule, times = same[0].rule, f" ×{len(same)}" if len(same) > 1 else ""
        yield f"    {_effect(rule, sum(h.points for h in same))}  {rule.title}{times}  [{_law(found.pack, rule)}]"


def _effect(rule: Rule, given: int) -> str:
    return rule.tier or ("→" if rule.consequence else points(given))


def _hit_lines(found: Explanation, hit: ExplainedHit) -> Iterable[str]:
    capped = "" if hit.points == hit.points_before else f" (封顶前 before the cap {points(hit.points_before)})"
    yield f"    {_effect(hit.rule, hit.points)}{capped}  {hit.rule.title}  [{hit.rule.id}]  依据 {_law(found.pack, hit.rule)}"
    if hit.record:
        shown = {k: v for k, v in hit.record.items() if v is not None and k != found.pack.vocabulary.record_subject}
        yield "        记录 record: " + _values(shown)
    if hit.measures:
        yield "        指标 measures: " + _values(hit.measures)
    if hit.counts_from:
        until = f",至 until {hit.counts_until}" if hit.counts_until else ""
        yield f"        计入期 counts from {hit.counts_from}{until}"


def _miss_lines(found: Explanation, miss: Miss) -> Iterable[str]:
    name = miss.rule.table or miss.rule.id
    about = f" (记录 record {miss.record_id})" if miss.record_id else ""
    reasons = [
        f"{failed.term} {'未知 unknown' if failed.unknown else '不成立 not so'}: {_values(failed.found)}"
        for failed in miss.failed
    ]
    if not reasons:
        reasons = [_outside(miss.window, found.run.as_of)]
    yield f"    {miss.rule.title} [{name}]{about}: {'; '.join(reasons)}"


def _outside(window: tuple[dt.date, dt.date | None] | None, as_of: dt.date) -> str:
    if window is None:
        return "起算日期未知 the date from which it counts is unknown"
    start, end = window
    if start > as_of:
        return f"自 {start} 起计入 counts from {start}"
    return f"计入期已于 {end} 结束 ended on {end}"


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={'未知 unknown' if value is None else value}" for name, value in values.items())


def _law(pack: Pack, rule: Rule) -> str:
    return "; ".join(pack.cite(citation) for citation in rule.citations)


def _plain(found: Explanation) -> dict[str, Any]:
    """The explanation for programs: rules by id, titles and citations; points in hundredths."""

    def rule(value: Rule) -> dict[str, Any]:
        laws = [found.pack.document(c) for c in value.citations]
        return {"id": value.id, "title": asdict(value.title), "basis": laws, "tier": value.tier}

    return {
        "run": asdict(found.run),
        "subject_id": found.subject_id,
        "attributes": dict(found.attributes),
        "measures": dict(found.measures),
        "score": found.score,
        "tier": found.tier,
        "band": found.band,
        "veto": found.veto and rule(found.veto),
        "next_change_on": found.next_change_on,
        "inputs_known": found.inputs_known,
        "inputs_total": found.inputs_total,
        "dimensions": [
            {"id": d.dimension.id, "points_before": d.points_before, "points": d.points} for d in found.dimensions
        ],
        "hits": [{**_fields(hit), "rule": rule(hit.rule)} for hit in found.hits],
        "misses": [
            {"rule": rule(m.rule), "record_id": m.record_id, "failed": [asdict(f) for f in m.failed], "window": m.window}
            for m in found.misses
        ],
    }


def _fields(hit: ExplainedHit) -> dict[str, Any]:
    return {name: getattr(hit, name) for name in ExplainedHit.__slots__ if name != "rule"}
