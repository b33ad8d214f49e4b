"""A notice as HTML: a part of a page, or a page of its own for paper. Chinese, with English beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from rules.language.words import limit_in_words, number
from rules.model import OWN_CHOICE_TITLE, Pack, Title
from scoring.answers.notices.compute import Notice
from scoring.characters.visible import shown
from scoring.facts.objection_case import ACKNOWLEDGE_WITHIN, DECIDE_WITHIN

CONTACT_VARIABLE = "XINHENG_CONTACT"
CREDIT_CENTRE = Title("区信用中心", "the district's credit centre")
CONTACT = str(CREDIT_CENTRE)
"""Whom to ask where the setting does not say."""

Text = Callable[[str, str], Markup]
_MINUS = "\N{MINUS SIGN}"
_PAGES = Environment(
    loader=PackageLoader("scoring.answers.notices"), autoescape=True, finalize=shown, trim_blocks=True
)


def both(zh: str, en: str) -> Markup:
    """Chinese with English beside it; what is one in both is said once."""
    return escape(zh) if zh == en else Markup('{} <span lang="en" class="en">{}</span>').format(zh, en)


def notice_html(notice: Notice) -> str:
    """The notice as one page that needs nothing else and prints well."""
    return _PAGES.get_template("notice.html").render(_values(notice), both=both, cite=_cited)


def notice_body(notice: Notice, text: Text, cite: Callable[[Title], Markup]) -> str:
    """The notice as HTML for a page that has a frame.

    :param text: says Chinese or English, as its reader wants it.
    :param cite: says a document that is cited.
    """
    return _PAGES.get_template("body.html").render(_values(notice), both=text, cite=cite)


def _cited(document: Title) -> Markup:
    return both(document.zh, document.en) if document == OWN_CHOICE_TITLE else escape(document.zh)


def contact() -> Title:
    """Whom to ask about a grade."""
    told = os.environ.get(CONTACT_VARIABLE)
    return Title(told, told) if told else CREDIT_CENTRE


def rule_changes(notice: Notice) -> list[Title]:
    """How the rules are others than before, apart from what each gives."""
    before, now, tier = notice.before.pack, notice.now.pack, notice.before.tier
    if before == now:
        return []
    said = [
        Title(
            f"评价规则由 {before.version} 版改为 {now.version} 版。",
            f"The rules change from version {before.version} to {now.version}.",
        )
    ]
    starts = before.score.start, now.score.start
    needs = _lowest(before, tier), _lowest(now, tier)
    for (old, new), zh, en in (
        (starts, "基准分", "the start of scores"),
        (needs, f"{tier} 级最低分", f"the lowest score of {tier}"),
    ):
        if old != new:
            zh = f"{zh}由 {_points(old)} 分改为 {_points(new)} 分。"
            said.append(Title(zh, f"{en.capitalize()} is {_points(new)}, not {_points(old)}."))
    return said


def _lowest(pack: Pack, tier: str) -> int | None:
    return next((grade.lowest for grade in pack.grades if grade.tier == tier), None)


def _values(notice: Notice) -> dict[str, Any]:
    return {
        "notice": notice,
        "limit": limit_in_words,
        "points": _points,
        "signed": lambda points: ("+" if points > 0 else "") + _points(points),
        "rule_changes": rule_changes(notice),
        "has_remedies": any(one.remedies for reason in notice.reasons for one in reason.counted),
        "acknowledge": ACKNOWLEDGE_WITHIN,
        "decide": DECIDE_WITHIN,
        "contact": contact(),
    }


def _points(hundredths: int | None) -> str:
    return number(hundredths).replace("-", _MINUS)
