"""What each reader of the demo looks at next: by which commands, on which pages, and how to come in there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rules.titles import Title
from scoring.access.keys import ROLE_TITLES, Role
from scoring.access.passes import LASTS, make_pass
from scoring.cli.demo.people import NAMES, OFFICE, People


@dataclass(frozen=True, slots=True)
class _Reader:
    """What there is for a role.

    :param commands: of the command line; ``{subject}`` is the enterprise.
    :param pages: paths, each with what is on it.
    """

    commands: tuple[str, ...]
    pages: Mapping[str, Title]


_READERS: Mapping[Role, _Reader] = {
    Role.REGULATOR: _Reader(
        ("alerts list --limit 5", "tickets list --overdue", "rules proposed"),
        {
            "/home": Title("今日待办", "what waits"),
            "/rules/drafts": Title("待批准的规则", "a draft to approve"),
            "/repairs": Title("待决定的修复", "a repair to decide"),
        },
    ),
    Role.DEPARTMENT: _Reader(
        (f"visits list --office {OFFICE}", "tickets list --stage assigned", "feeds"),
        {
            "/tickets": Title("本单位承办的问题", "tickets to answer"),
            "/visits": Title("检查与检查码", "visits to report"),
            "/feeds": Title("报送质量", "how good its files are"),
        },
    ),
    Role.LENDER: _Reader(
        ("consents list", "consents lenders"),
        {
            "/checks": Title("查询记录", "what it asked and was told"),
            "/consents": Title("授权", "consents"),
            "/quick-start": Title("接口入门", "for its developers"),
        },
    ),
    Role.SUBJECT: _Reader(
        ("explain {subject}", "paths {subject}", "forecast {subject}"),
        {
            "/own": Title("本企业等级及依据", "its grade and why"),
            "/objections": Title("异议", "its objection"),
            "/own/visits": Title("对本企业的检查", "a visit to rate"),
            "/tickets": Title("反映的问题", "a problem to judge"),
        },
    ),
    Role.OPERATOR: _Reader(
        ("runs", "keys list", "audit verify"),
        {
            "/home": Title("系统状况", "how things stand"),
            "/overview": Title("总览", "grades of everybody"),
        },
    ),
}


def next_lines(url: str, people: People) -> Iterator[str]:
    """What to do next, reader by reader.

    :param url: of the store.
    """
    yield "下一步 next (全部数据均为虚构 all of it is invented):"
    yield f"  export XINHENG_DATABASE_URL={url}"
    for role, reader in _READERS.items():
        yield str(ROLE_TITLES[role])
        subject = people[Role.SUBJECT].organisation
        yield "  命令 commands: " + "; ".join(
            f"xinheng {command.format(subject=subject)}" for command in reader.commands
        )
        yield "  页面 pages: " + "  ".join(f"{path} {title}" for path, title in reader.pages.items())
    yield "登录页面 to sign in on the pages: xinheng demo --serve"


def door_lines(address: str, secret: str, people: People) -> Iterator[str]:
    """For each reader the address that signs it in.

    :param address: where the server is.
    :param secret: that the passes are signed with.
    """
    until, minutes = dt.datetime.now(dt.UTC) + LASTS, LASTS // dt.timedelta(minutes=1)
    yield f"登录地址({minutes}分钟内有效) addresses that sign somebody in, for {minutes} minutes:"
    for role, key in people.items():
        given = make_pass(secret, key.prefix, until)
        yield f"{ROLE_TITLES[role]} {NAMES[role]}: {address}/demo/sign-in?pass={given}"
