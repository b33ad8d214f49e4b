"""How templates write numbers, dates, titles and codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape

from api.pages import language
from rules.articles import in_english
from rules.calendar import SHANGHAI
from rules.exact import EXACT
from rules.language.words import (
    Words,
    as_written,
    below_in_words,
    both,
    dated,
    limit_in_words,
    number,
    plain,
    when_in_words,
    window,
)
from rules.model import Column, Pack, Remedy, Rule, Title
from rules.titles import halves, halves_of_old
from rules.tools.diff import FIELDS, PARTS, WRITTEN, Change
from scoring.facts.cases import CLOCK

MINUS = "\N{MINUS SIGN}"
YUAN = "(yuan)"
"""How the English title of a column of amounts ends."""
TEN_THOUSAND = SEPARATED = 10_000
TIER_STEPS = 4
"""How many colours there are for tiers, from the best to the worst."""


def points(hundredths: int | None) -> str:
    """Hundredths as points."""
    return number(hundredths).replace("-", MINUS)


def signed(hundredths: int) -> str:
    """Points with their sign."""
    return ("+" if hundredths > 0 else "") + points(hundredths)


def count(value: int) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,}"


def share(part: int, whole: int) -> str:
    """A part in per cent with one decimal."""
    return f"{100 * part / whole:.1f}%" if whole else "—"


def moment(value: dt.datetime) -> str:
    """A moment in the district's time, to the minute."""
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def date(value: dt.date | None) -> Markup:
    """A date in one piece, or a dash."""
    if value is None:
        return Markup("—")
    return Markup('<time datetime="{0}" class="day">{0}</time>').format(value.isoformat())


def decimals(value: Decimal | None) -> str:
    """A mean with two decimals, or a dash."""
    return "—" if value is None else f"{value:.2f}"


def value(found: Any, column: Column | None = None) -> Markup:
    """A value of a column: codes by their titles, what is unknown by a dash."""
    if found is None:
        return Markup("—")
    title = column.values.get(str(found)) if column else None
    if title:
        return language.say(title)
    if isinstance(found, bool):
        return language.text("是", "yes") if found else language.text("否", "no")
    if isinstance(found, Decimal | int):
        number = Decimal(found)
        return _yuan(number) if column and column.title.en.endswith(YUAN) else escape(apart(number))
    return escape(plain(found))


def apart(number: Decimal) -> str:
    """A number with its thousands apart, from five digits on: years are not such numbers.

    >>> from decimal import Decimal
    >>> [apart(Decimal(text)) for text in ("2026", "12500", "-1234567.50")]
    ['2026', '12,500', '-1,234,567.5']
    """
    return f"{EXACT.normalize(number) if number else 0:,f}" if abs(number) >= SEPARATED else plain(number)


def _yuan(amount: Decimal) -> Markup:
    """An amount of money to the last fen: in Chinese in 万元 where that says it shorter."""
    zh = f"{plain(amount)}元"
    if abs(amount) >= TEN_THOUSAND:
        whole = EXACT.divide(amount, Decimal(TEN_THOUSAND))
        is_short = whole == round(whole, 2)
        zh = f"{apart(whole)}万元" if is_short else f"{apart(amount)}元"
    return language.text(zh, f"{apart(amount)} yuan")


def tier_step(tier: str, tiers: tuple[str, ...]) -> int:
    """The colour of a tier by its place among the pack's: 1 for the best to 4."""
    last = len(tiers) - 1
    place = tiers.index(tier) if tier in tiers else last
    return 1 + round(place * (TIER_STEPS - 1) / last) if last > 0 else 1


def tier_class(tier: str, tiers: tuple[str, ...]) -> str:
    """The class of what has a tier's colour."""
    return f"tier-{tier_step(tier, tiers)}"


def condition(rule: Rule, pack: Pack) -> Title:
    """A rule's condition in words."""
    return when_in_words(pack, rule)


def counts(rule: Rule, pack: Pack) -> Title:
    """When a rule's records count, in words."""
    return both(pack, lambda said: window(rule.window, said))


def rule_points(rule: Rule, pack: Pack) -> Title:
    """What a rule gives, in words: points by date, a tier, or nothing."""
    if rule.tier is not None:
        return Title(f"不高于 {rule.tier} 级", f"no better than {rule.tier}")
    if (lowered := limit_in_words(rule)) is not None:
        return lowered
    if rule.points is None:
        return Title("结果运用", "consequence")
    steps = rule.points

    def say(said: Words) -> str:
        given = dated(steps, said.language).replace("-", MINUS)
        if rule.per is None:
            return given
        joint = "，" if said.language == "zh" else " "
        return given + joint + said.per(rule.per)

    return both(pack, say)


def below(rule: Rule, pack: Pack) -> Title:
    """Below which points a veto holds, in words."""
    return below_in_words(pack, rule)


def citations(rule: Rule | Remedy, pack: Pack) -> list[Markup]:
    """The documents that a rule rests on, with their articles."""
    return [language.cite(pack.document(citation)) for citation in rule.citations]


def law(written: str) -> str:
    """A citation that was written in Chinese."""
    return in_english(written) if language.chosen() == "en" else written


def by_part(changes: Iterable[Change]) -> list[tuple[Title, list[Change]]]:
    """What differs in each part of a pack, as they stand one after the other."""
    grouped = groupby(changes, key=lambda change: change.part)
    return [(PARTS[part], list(some)) for part, some in grouped]


def differs(change: Change) -> Markup:
    """What of an entry differs."""
    return language.say(FIELDS[change.field])


def quoted(text: str, change: Change) -> Markup:
    """How it was, or is; what quotes the pack is not of any language."""
    if not text:
        return Markup("—")
    return Markup('<span translate="no">{}</span>').format(text) if change.field in WRITTEN else escape(text)


def who(by: str, owners: Mapping[str, str] | None = None) -> Markup:
    """Who did something: the holder of a key, who worked on the command line, or the prefix of a key.

    :param owners: of keys, by their prefixes.
    """
    if by.startswith("cli:"):
        where = language.plain("（命令行）", " (command line)")
        return Markup('<span translate="no">{}</span>{}').format(by.removeprefix("cli:"), where)
    if by == CLOCK:
        return language.say(Title("系统计时", "the clock"))
    owner = (owners or {}).get(by)
    return Markup("<code>{}</code>").format(by) if owner is None else escape(owner)


FILTERS: dict[str, Callable[..., Any]] = {
    "say": language.say,
    "listed": language.listed,
    "points": points,
    "signed": signed,
    "count": count,
    "share": share,
    "moment": moment,
    "date": date,
    "decimals": decimals,
    "value": value,
    "tier_class": tier_class,
    "condition": condition,
    "below": below,
    "counts": counts,
    "rule_points": rule_points,
    "written": as_written,
    "citations": citations,
    "cite": language.cite,
    "law": law,
    "by_part": by_part,
    "differs": differs,
    "quoted": quoted,
    "who": who,
    "halves": halves,
    "halves_of_old": halves_of_old,
}
