"""Names of subjects: what they are compared by, and which of them may be shown."""

from __future__ import annotations

import re

from rules.model import Title
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import fold_word

_MARKS = re.compile(r"[\W_]+")
_OF_FIRMS = re.compile(
    ".{3,}(?:公司|集团|企业|合作社|联合社|家庭农场|工厂|分公司|[厂店铺场馆院校所社行站部局]|中心|超市|工作室)"
)
"""How names end that are no person's (own choice)."""


def bare(name: str) -> str:
    """A name to compare by: brackets, dots and spaces make no other name.

    >>> bare("重庆（集团） 有限公司") == bare("重庆集团有限公司")
    True
    """
    return _MARKS.sub("", fold_word(name))


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
