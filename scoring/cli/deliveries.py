"""``xinheng deliveries``: messages to the receivers of changes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from scoring.changes.addresses import own_hosts, post
from scoring.changes.sending import Sent, send_due
from scoring.changes.subscriptions import Subscription, list_subscriptions
from scoring.cli.options import database_option, operator
from scoring.cli.output import Format, format_option, print_rows, tell
from scoring.store import open_store

SUBSCRIPTIONS = {
    "id": "编号 no.",
    "receiver": "接收方 receiver",
    "role": "范围 for",
    "organisation": "单位 organisation",
    "kinds": "种类 kinds",
    "address": "地址 address",
    "state": "状态 state",
    "place": "已签收至 acknowledged",
    "tries": "重试 tries",
    "next_at": "下次 next",
    "stopped_why": "停止原因 stopped",
}
SENT = {
    "id": "编号 no.",
    "receiver": "接收方 receiver",
    "until": "至 until",
    "items": "条数 items",
    "status": "应答 status",
    "problem": "问题 problem",
    "state": "状态 state",
}


@click.group("deliveries")
def deliveries_group() -> None:
    """Tell other systems what changed: send what is due, and say how it goes."""


@deliveries_group.command("send")
@database_option
@format_option
def send_command(database: str | None, fmt: Format) -> None:
    """Send each receiver what is new to it, signed, until it has all or a message fails: one pass.

    A message that fails is sent again by later passes, after 1, 5 and 30 minutes and 2, 5, 10, 14, 20 and 24
    hours; then its subscription is stopped, until it is resumed. XINHENG_DELIVERY_HOSTS names hosts of our
    own network to which messages may go.

    Example: xinheng deliveries send --format csv
    """
    go = partial(post, own_hosts=own_hosts())
    with closing(open_store(database)) as store:
        done = list(send_due(store, go, operator()))
    print_rows(map(_sent, done), SENT, fmt)
    for sent in done:
        if sent.subscription.stopped_at is not None:
            one = sent.subscription
            tell(f"{one.id} {one.receiver}: 已停止推送 stopped: {one.stopped_why}")


@deliveries_group.command("list")
@database_option
@format_option
def list_command(database: str | None, fmt: Format) -> None:
    """List the receivers, how far each is and how it goes.

    Example: xinheng deliveries list
    """
    with closing(open_store(database)) as store:
        found = list_subscriptions(store)
    print_rows(map(_row, found), SUBSCRIPTIONS, fmt)


def _row(one: Subscription) -> dict[str, Any]:
    return asdict(one) | {"state": one.state}


def _sent(sent: Sent) -> dict[str, Any]:
    one = sent.subscription
    place = {"id": one.id, "receiver": one.receiver, "state": one.state}
    return place | {"until": sent.until, "items": sent.items} | asdict(sent.answer)
