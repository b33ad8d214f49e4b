"""What the moves and the actors of tickets are called."""

from __future__ import annotations

from collections.abc import Mapping

from rules.library.loader import load_vocabulary
from rules.model import Column
from rules.titles import Title
from scoring.tickets.chart import CORRECT, Actor
from scoring.tickets.feed import VOCABULARY


def column_of(name: str) -> Column:
    """A column of a ticket as the vocabulary of public bodies has it, with what its codes are called."""
    records = load_vocabulary(VOCABULARY).records
    assert records is not None, "public bodies have records"
    return records.columns[name]


MOVES: Mapping[str, Title] = {
    "open": Title("问题收集", "Collected"),
    "assign": Title("交办", "Assign"),
    "return": Title("退回", "Return"),
    "coordinate": Title("协调会商", "Coordinate"),
    "supervise": Title("跟踪督办", "Supervise"),
    "evaluate": Title("评估", "Evaluate"),
    "close": Title("满意，销号", "Satisfied: close"),
    "reopen": Title("不满意，重办", "Not satisfied: reopen"),
    "remind": Title("到期提醒", "Reminded"),
    "escalate": Title("逾期升级", "Escalated"),
    "escalate_further": Title("再次升级", "Escalated further"),
    CORRECT: Title("更正", "Correct"),
}
ACTORS: Mapping[Actor, Title] = {
    Actor.DESK: Title("服务窗口", "Service desk"),
    Actor.OFFICE: Title("营商办", "Office"),
    Actor.OWNER: Title("责任单位", "Owner"),
    Actor.SUPERVISOR: Title("督查部门", "Supervisors"),
    Actor.ENTERPRISE: Title("企业", "Enterprise"),
    Actor.CLOCK: Title("系统计时", "Clock"),
}
