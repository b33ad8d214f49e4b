"""Names of subjects: what they are compared by, and which of them may be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce

import sqlalchemy as sa

from rules.model import Title
from scoring.facts.ingest.cells import LONGEST_KEY
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import fold, fold_word

_MARKS = re.compile(r"[\W_]+")
_OF_FIRMS = re.compile(
    ".{3,}(?:公司|集团|企业|合作社|联合社|家庭农场|工厂|分公司|[厂店铺场馆院校所社行站部局]|中心|超市|工作室)"
)
"""How names end that are no person's (own choice)."""


_NOTE = re.compile(r"(?P<name>.+?)\s*[(\[【](?P<note>[^()\[\]【】]+)[)\]】]")
_FORMER = re.compile("(?:原名称?|原|曾用名|更名前|前身|现名称?|现)(?:为|是)?[::]?")
_MASK = re.compile(r"(?:[*×○〇□●■?]|某|[xX]{2,})+")
_BRANCH = re.compile(
    ".*(?:分[公支]?[司店行厂校院社部所]|支[行店]|[营经]业部|经营部|门市部|办事处|项目部|连锁店|直营店)"
)
"""How the names of what belongs to a firm end (own choice)."""


def bare(name: str) -> str:
    """A name to compare by: brackets, dots and spaces make no other name.

    >>> bare("重庆（集团） 有限公司") == bare("重庆集团有限公司")
    True
    """
    return _MARKS.sub("", fold_word(name))


_PASSED_OVER = "()（）[]〔〕 \u3000"


def one_spelling(name: str) -> str:
    """A name without its brackets and spaces, as it is looked for where it is registered otherwise.

    >>> one_spelling("某 (集团)") == one_spelling("某集团") == one_spelling("某（集 团）")
    True
    """
    return name.translate(dict.fromkeys(map(ord, _PASSED_OVER)))


def spelled_once(name: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """:func:`one_spelling` as a database says it."""
    return reduce(lambda said, sign: sa.func.replace(said, sign, ""), _PASSED_OVER, name)


def may_be(said: str, known: str) -> bool:
    """Whether a name may be that of who is known by another: with a note (原…), a mask (张**), or a branch's.

    What is known may have these as well. Own choice: who is warned of what is right learns to look away.

    >>> said = ("甲面馆（原乙面馆）", "甲*馆", "甲面馆江北分店", "甲面馆（江北店）", "乙面馆", "甲面食店")
    >>> [may_be(one, "甲面馆") for one in said]
    [True, True, True, True, False, False]
    """
    if len(said) > LONGEST_KEY:
        return False
    full = (_readings(said)[0], _readings(known)[0])
    pairs = [(one, full[1]) for one in _readings(said)] + [(full[0], one) for one in _readings(known)]
    return any(_is_like(one, other) or _is_like(other, one) for one, other in pairs)


def _readings(name: str) -> tuple[str, ...]:
    """A name; then without a note at its end, and the name that a note says it had or has."""
    whole = fold(name).replace("有限责任公司", "有限公司")
    found = _NOTE.fullmatch(whole)
    if found is None:
        return (whole,)
    former = _FORMER.match(found["note"])
    return whole, found["name"], *([found["note"][former.end() :]] if former else [])


def _is_like(one: str, other: str) -> bool:
    """Whether a name is another, masked in places, or that of what the other is a branch of."""
    text, begin = bare(other), bare(one)
    if _fits([bare(part) for part in _MASK.split(one)], text):
        return True
    return bool(begin) and text.startswith(begin) and bool(_BRANCH.fullmatch(text[len(begin) :]))


def _fits(parts: Sequence[str], text: str) -> bool:
    """Whether a text is these parts with something between each two, which a mask has hidden."""
    if len(parts) == 1:
        return text == parts[0]
    first, *middle, last = parts
    if not text.startswith(first):
        return False
    end = len(first)
    for part in middle:
        place = text.find(part, end + 1)
        if place < 0:
            return False
        end = place + len(part)
    return text.endswith(last) and len(text) - len(last) > end


def public(name: str) -> str:
    """A name that may be shown; empty where it may be a natural person's.

    >>> public("某某面馆"), public("张三")
    ('某某面馆', '')
    """
    return name if _OF_FIRMS.fullmatch(bare(name)) else ""


def other_name(subject: str, known: str) -> Fault:
    """That what a row calls a subject is not what it is known by.

    :param known: its name in the store.
    """
    shown = public(known)
    zh, en = (f"登记的“{shown}”", f", which is {shown}") if shown else ("登记的名称", "")
    return Fault(
        Title(f"名称不是代码{subject}{zh}", f"not the name of {subject}{en}"),
        Title("请核对代码和名称是否同一主体", "check that the code and the name are one subject's"),
    )
