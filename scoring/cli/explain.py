"""``xinheng explain``: why a subject has its grade, and why not another."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from decimal import Decimal
from typing import Any

import click

from rules.calendar import SHANGHAI, today
from rules.exact import EXACT
from rules.language.expressions import Level, conjuncts, render
from rules.language.words import Words, below_in_words, number, signed, words
from rules.model import Pack, Rule
from scoring.answers.explain import ExplainedHit, Explanation, explain, explain_day, unknown_inputs
from scoring.answers.explanation_json import explanation_document
from scoring.answers.why_not import Miss
from scoring.cli.options import NUMBER, Day, Moment, database_option
from scoring.cli.output import tell
from scoring.judging.reasons import MOST_REASONS
from scoring.store import open_store


@click.command("explain")
@click.argument("subject")
@click.option("--pack", "pack_id", default="enterprise-credit", show_default=True, help="The pack's id.")
@click.option("--run", "run_id", type=NUMBER, help="An earlier run; by default the latest.")
@click.option("--as-of", type=Day(), help="For any day, published or not; today with --known-at.")
@click.option(
    "--known-at",
    type=Moment(),
    help="By what was known at this moment, such as 2026-03-03 (the end of that day in Shanghai) or "
    "2026-03-03T09:30; now with --as-of.",
)
@click.option("--why-not", is_flag=True, help="Also what kept each other rule out.")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
@database_option
def explain_command(
    subject: str,
    pack_id: str,
    run_id: int | None,
    as_of: dt.date | None,
    known_at: dt.datetime | None,
    why_not: bool,
    fmt: str,
    database: str | None,
) -> None:
    """Explain the grade of SUBJECT (its credit code): each hit with rule, law, record, points and how long.

    With --as-of or --known-at any day is answered: as published where a run has said it, else computed.

    \b
    Examples:
      xinheng explain 91500159MAXKF9G70Q --why-not
      xinheng explain 91500159MAXKF9G70Q --as-of 2026-03-03 --known-at 2026-03-03
      xinheng explain DW401 --pack department-credit --format json
    """
    is_any_day = as_of is not None or known_at is not None
    if is_any_day and run_id is not None:
        raise click.UsageError(
            "--run不与--as-of、--known-at同用"
            " --run is of a day and a moment of its own: leave out --as-of and --known-at"
        )
    with closing(open_store(database)) as store:
        if is_any_day:
            explanation = explain_day(store, pack_id, subject, as_of, known_at)
        else:
            explanation = explain(store, pack_id, subject, run_id)
    if fmt == "json":
        click.echo(json.dumps(explanation_document(explanation), ensure_ascii=False, indent=2))
    else:
        tell("\n".join(explanation_lines(explanation, why_not)), err=False)
        changes = explanation.next_change_on
        if not is_any_day and run_id is None and changes is not None and changes <= today():
            tell(
                f"自{changes}起已有变化，今日的等级：it has changed since {changes}; the grade of today:"
                f" xinheng explain {explanation.subject_id} --pack {pack_id} --as-of {today()}"
            )


def explanation_lines(found: Explanation, why_not: bool = False, brief: bool = False) -> Iterable[str]:
    """An explanation as text.

    :param brief: each rule that hit in one line, without its records.
    """
    yield from _head(found)
    yield from _reason_codes(found)
    for part in found.dimensions:
        held = (
            "" if part.points == part.points_before else f"（限值前 unbounded {signed(part.points_before)}）"
        )
        yield f"  {part.dimension.title}  {signed(part.points)}{held}"
        yield from _rules_of(found, [h for h in found.hits if h.rule.dimension == part.dimension.id], brief)
    for title, hits in (
        ("一票否决与等级限制 Vetoes and limits of the tier", [h for h in found.hits if h.rule.is_veto]),
        ("结果运用 Consequences", [h for h in found.hits if h.rule.consequence]),
    ):
        if hits:
            yield f"  {title}"
            yield from _rules_of(found, hits, brief)
    yield f"  信息完整度 Inputs known  {found.inputs_known}/{found.inputs_total}"
    if unknown := unknown_inputs(found):
        yield f"  未知 Unknown  {'; '.join(map(str, unknown))}"
    if found.unmatched:
        yield f"  无行匹配的表 Tables without a matching row  {', '.join(found.unmatched)}"
    if why_not:
        yield from _misses(found)


def _reason_codes(found: Explanation) -> Iterable[str]:
    if not found.reasons:
        return
    yield "  主要失分原因 What cost most"
    for code in found.reasons[:MOST_REASONS]:
        said = f"（应得 expected {number(code.baseline)}，实得 given {number(code.points)}）"
        yield f"    {signed(-code.lost):>6}  {code.title}{said if code.baseline else ''}  {code.id}"
    if more := len(found.reasons[MOST_REASONS:]):
        yield f"            另有{more}项 And {more} more"


def _head(found: Explanation) -> Iterable[str]:
    pack, run = found.pack, found.run
    grade = next(g for g in pack.grades if g.tier == found.tier)
    yield f"{found.attributes.get('name') or found.subject_id}  {found.subject_id}"
    yield f"  等级 Tier   {found.tier} {grade.title}"
    if found.veto:
        by_points = f"（按得分应为 by points {found.band}）" if found.band != found.tier else ""
        yield f"             {found.veto.title}{by_points}"
    yield f"  得分 Score  {number(found.score)}（基准分 starting at {number(pack.score.start)}）"
    ahead = f"，最早变化 may change on {found.next_change_on}" if found.next_change_on else ""
    said = f"批次 run {run.id}" if run else "推算，未曾发布 computed, not as published"
    yield f"  评价 As of  {found.as_of}{ahead}"
    yield f"  数据 Known  {found.known_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    yield f"  规则 Pack   {pack.title} {pack.version}，{said}"


def _rules_of(found: Explanation, hits: list[ExplainedHit], brief: bool) -> Iterable[str]:
    """Each rule with what its hits give together, and below it the hits."""
    for rule_id in dict.fromkeys(hit.rule.id for hit in hits):
        same = [hit for hit in hits if hit.rule.id == rule_id]
        rule, times = same[0].rule, f" ×{len(same)}" if len(same) > 1 else ""
        limit = rule.tier or (rule.limit.zh if rule.limit else "")
        effect = limit or ("→" if rule.consequence else signed(sum(hit.points for hit in same)))
        name = "" if brief else f"  {rule.id}"
        yield f"    {effect:>6}  {rule.title}{times}  [{_law(found.pack, rule)}]{name}"
        if not brief:
            for hit in same:
                yield from _hit_lines(found, hit, len(same) > 1)


def _hit_lines(found: Explanation, hit: ExplainedHit, several: bool) -> Iterable[str]:
    said = words(found.pack, "zh")
    capped = (
        "" if hit.points == hit.points_before else f"（限值调整前得分 uncapped {signed(hit.points_before)}）"
    )
    share = f"{signed(hit.points)}{capped}  " if several or capped else ""
    if hit.record is not None:
        yield f"            {share}记录 record {hit.record_id}  {_record(found, hit.record)}"
    elif share:
        yield f"            {share.strip()}"
    if hit.measures:
        runs = {name: f"（{run.said.zh}）" for name, run in hit.runs.items()}
        told = (f"{_values(said, {n: value})}{runs.get(n, '')}" for n, value in hit.measures.items())
        yield f"            {'，'.join(told)}"
    if hit.counts_from:
        until = f" 至 until {hit.counts_until}" if hit.counts_until else ""
        yield f"            计入 counts from {hit.counts_from}{until}"


def _record(found: Explanation, record: Mapping[str, Any]) -> str:
    """What a record says, without its keys."""
    vocabulary = found.pack.vocabulary
    assert vocabulary.records is not None
    keys = (vocabulary.records.key, vocabulary.record_subject)
    return _values(
        words(found.pack, "zh"), {k: v for k, v in record.items() if v is not None and k not in keys}
    )


def _misses(found: Explanation) -> Iterable[str]:
    """Rules that a record or measure came near to, then those of which there is no record at all."""
    absent = [miss for miss in found.misses if _is_absent(miss)]
    yield "  未适用 Not met"
    for miss in found.misses:
        if miss not in absent:
            about = f"，记录 record {miss.record_id}" if miss.record_id else ""
            yield f"    {miss.rule.title}{about}  {miss.rule.table or miss.rule.id}"
            yield from (f"            {reason}" for reason in _reasons(found, miss))
    if absent:
        yield "  没有相应记录 No such record"
        yield from (f"    {miss.rule.title}  {miss.rule.table or miss.rule.id}" for miss in absent)


def _is_absent(miss: Miss) -> bool:
    return miss.rule.level is Level.RECORD and miss.record_id is None


def _reasons(found: Explanation, miss: Miss) -> Iterable[str]:
    said = words(found.pack, "zh")
    terms = {render(term): term for term in conjuncts(miss.rule.when.written)}
    for failed in miss.failed:
        verdict = "未知 unknown" if failed.unknown else "不符 not so"
        yield f"要求 needs {said.condition(terms[failed.term])}：{verdict}（{_values(said, failed.found)}）"
    if not miss.failed:
        yield _outside(miss, found.as_of, said, found.pack)


def _outside(miss: Miss, as_of: dt.date, said: Words, pack: Pack) -> str:
    if miss.window is None:
        return "起算日期未知 the date from which it counts is unknown"
    start, end = miss.window
    if start > as_of:
        return f"自 {start} 起计入 counts from {start} on"
    if end is not None and end <= as_of:
        return f"计分期至 {end} 止 counted until {end}"
    if miss.rule.below:
        return f"要求 needs {below_in_words(pack, miss.rule)}"
    return f"倍数未知 unknown: {said.value(miss.rule.per) if miss.rule.per else ''}"


def _values(said: Words, values: Mapping[str, Any]) -> str:
    """Titles and values, codes by their titles: 信息类别 行政处罚，涉及金额 28,600."""
    return "，".join(f"{said.name(name)} {_value(said, name, value)}" for name, value in values.items())


def _value(said: Words, name: str, value: Any) -> str:
    if value is None:
        return "未知 unknown"
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, Decimal):
        return f"{EXACT.normalize(value) if value else 0:,f}"
    return said.code(name, value)


def _law(pack: Pack, rule: Rule) -> str:
    return "；".join(pack.cite(citation).zh for citation in rule.citations)
