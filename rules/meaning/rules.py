"""Rules and vetoes: a condition, when it counts, and what it leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rules.language.expressions import Expression, Kind, Level, names, reads_as_of
from rules.language.words import number
from rules.meaning.context import Context
from rules.meaning.examples import build_examples
from rules.meaning.references import References
from rules.meaning.windows import rule_window
from rules.model import ALWAYS, Dated, Rule, When
from rules.text.fields import FOREVER_AGO
from rules.text.source import Path

_MOST_PER_DECIMALS = 19
"""More than 1,000,000,000 times a hundredth is held at the most that a hit gives: with a factor's ten digits
and nine of the points a product has at most 38."""


def build_rule(context: Context, references: References, data: Mapping[str, Any], path: Path) -> Rule | None:
    """One entry of ``rules``."""
    references.check(data, path)
    when = _when(context, data, path)
    per = _per(context, data["per"], (*path, "per"))
    if when is None or (data["per"] and per is None):
        return None
    rule = _judged(context, data, path, when, per)
    if per is None:
        check_cap(context, rule.cap, [data["points"]], path)  # what multiplies points may turn their sign
        check_baseline(context, rule.baseline, [data["points"]], path)
    if per is not None and rule.window is not None and rule.window.decay:
        context.report((*path, "per"), data["per"], "per and decay exclude each other", "one of the two")
    return _with_examples(context, data, path, rule)


def build_veto(context: Context, references: References, data: Mapping[str, Any], path: Path) -> Rule | None:
    """One entry of ``vetoes``."""
    references.check(data, path)
    when = ALWAYS if data["when"] is None else _when(context, data, path)
    references.check_lowers(data.get("lowers"), path)
    references.check_below(data["below"], path)
    if when is None:
        return None
    rule = replace(_judged(context, data, path, when, None), below=tuple(sorted(data["below"].items())))
    return _with_examples(context, data, path, rule)


def build_consequence(
    context: Context, references: References, data: Mapping[str, Any], path: Path
) -> Rule | None:
    """One entry of ``consequences``: what a result leads to beside its tier."""
    references.check(data, path)
    when = _when(context, data, path)
    if when is None:
        return None
    rule = _judged(context, data, path, when, None)
    return _with_examples(
        context, data, path, replace(rule, points=Dated(((FOREVER_AGO, 0),)), consequence=True)
    )


def check_cap(context: Context, cap: int | None, given: Sequence[Dated], path: Path) -> None:
    """A cap bounds points of its own sign; where there are none it would bound nothing, and 0 would take all.

    :param given: the points of the rule, or of each row of the table.
    :param path: of the rule or table.
    """
    signs = {value > 0 for points in given for _, value in points.steps if value}
    if cap == 0:
        hint = "the most that the points may come to, such as -16; no points at all: no rule"
        context.report((*path, "cap"), "0", "a cap of 0 takes all points away", hint)
    elif cap is not None and signs and (cap > 0) not in signs:
        message = "the cap can never hold: its sign is not that of the points"
        context.report((*path, "cap"), number(cap), message, f"cap: {number(-cap)}")


def check_baseline(context: Context, baseline: int | None, given: Sequence[Dated], path: Path) -> None:
    """Where no points are below 0, a baseline that is not above it could never be missed.

    :param given, path: as of :func:`check_cap`.
    """
    only_gives = all(value >= 0 for points in given for _, value in points.steps if value is not None)
    if baseline is not None and baseline <= 0 and only_gives:
        hint = "the points that are expected, such as the most that can be had"
        context.report((*path, "baseline"), number(baseline), "nobody can fall below the baseline", hint)


def _judged(
    context: Context, data: Mapping[str, Any], path: Path, when: When, per: Expression | None
) -> Rule:
    read = names(when.written) | (names(per) if per else frozenset())
    levels: frozenset[Level] = frozenset(n.level for n in read)
    level, window = rule_window(context, data["counts"], (*path, "counts"), levels)
    return Rule(
        id=data["id"],
        title=data["title"],
        level=level,
        dimension=data.get("dimension"),
        when=when,
        points=data.get("points"),
        per=per,
        window=window,
        cap=data.get("cap"),
        baseline=data.get("baseline"),
        tier=data.get("tier"),
        lowers=data.get("lowers"),
        table=None,
        consequence=False,
        citations=data["basis"],
        note=data["note"],
        place=context.document.place(path),
    )


def _with_examples(context: Context, data: Mapping[str, Any], path: Path, rule: Rule) -> Rule:
    return replace(rule, examples=build_examples(context, data["examples"], (*path, "examples"), rule))


def _when(context: Context, data: Mapping[str, Any], path: Path) -> When | None:
    return context.when(data["when"], (*path, "when"))


def _per(context: Context, text: str | None, path: Path) -> Expression | None:
    per = context.expression(text, path) if text else None
    if per is None:
        return None
    kind = per.type
    if kind.kind is not Kind.NUMBER or reads_as_of(per) or kind.scale > _MOST_PER_DECIMALS:
        hint = f"a number of at most {_MOST_PER_DECIMALS} digits after the point: a column or measure"
        context.report(path, text or "", "not a number to multiply points by", hint)
        return None
    return per
