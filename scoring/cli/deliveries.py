"""``xinheng deliveries``: messages to the receivers of changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from rules.titles import halves
from scoring.access.keys import Role
from scoring.changes import subscriptions as desk
from scoring.changes.addresses import own_hosts, post
from scoring.changes.feed import KINDS, Place
from scoring.changes.sending import Sent, send_due
from scoring.changes.subscriptions import ROLES, Subscription, Wanted, list_subscriptions
from scoring.cli.acting import me
from scoring.cli.options import NUMBER, database_option, operator
from scoring.cli.output import Format, Titles, listing_options, print_rows, tell
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
@listing_options
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
    print_rows((_sent(sent, fmt) for sent in done), SENT, fmt, {"state": desk.STATES})
    for sent in done:
        if sent.subscription.stopped_at is not None:
            one = sent.subscription
            tell(f"{one.id} {one.receiver}: 已停止推送 stopped: {halves(one.stopped_why or '')}")


@deliveries_group.command("list")
@database_option
@listing_options
def list_command(database: str | None, fmt: Format) -> None:
    """List the receivers, how far each is and how it goes.

    Example: xinheng deliveries list
    """
    with closing(open_store(database)) as store:
        found = list_subscriptions(store)
    titles: Titles = {"role": desk.FOR_WHOM, "kinds": KINDS, "state": desk.STATES}
    print_rows((_row(one, fmt) for one in found), SUBSCRIPTIONS, fmt, titles)


@deliveries_group.command("add")
@click.argument("receiver")
@click.option(
    "--role", type=click.Choice([role.value for role in ROLES]), default=Role.REGULATOR.value,
    show_default=True, help="For whom: regulator is everything.",
)  # fmt: skip
@click.option("--organisation", help="Which department or lender.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)),
    help="Of which changes; can be given several times; by default all that the role may be told.",
)  # fmt: skip
@click.option("--address", help="https://…, where it is sent to; without one it reads the feed.")
@click.option("--after", help="The place in the feed after which it begins; by default now.")
@click.option(
    "--pack", default="enterprise-credit", show_default=True, envvar="XINHENG_PACK",
    help="Of which pack a lender is told the tiers.",
)  # fmt: skip
@database_option
def add_command(database: str | None, pack: str, role: str, after: str | None, **wanted: Any) -> None:
    """Register the system RECEIVER; prints the secret that signs what is sent to it, once.

    Example: xinheng deliveries add 区政务服务平台 --address https://hub.example/changes
    """
    place = None if after is None else Place.read(after)
    with closing(open_store(database)) as store:
        made, secret = desk.subscribe(store, me(), Wanted(role=Role(role), after=place, **wanted), pack)
    tell(f"{made.id} {made.receiver}: 已登记 added")
    if secret is not None:
        tell(secret, err=False)


@deliveries_group.command("renew")
@click.argument("number", metavar="ID", type=NUMBER)
@database_option
def renew_command(number: int, database: str | None) -> None:
    """Sign what is sent to the receiver of ID by another secret from now on; prints it, once.

    Example: xinheng deliveries renew 3
    """
    with closing(open_store(database)) as store:
        renewed, secret = desk.renew_secret(store, me(), number)
    tell(f"{renewed.id} {renewed.receiver}: 已更换签名密钥 another secret")
    tell(secret, err=False)


def _step(name: str, step: Callable[..., Subscription], told: str, does: str) -> None:
    """A command that does something to one subscription."""

    @deliveries_group.command(name, help=f"{does}\n\nExample: xinheng deliveries {name} 3")
    @click.argument("number", metavar="ID", type=NUMBER)
    @database_option
    def command(number: int, database: str | None) -> None:
        with closing(open_store(database)) as store:
            done = step(store, me(), number)
        tell(f"{done.id} {done.receiver}: {told}", err=False)


_step("pause", desk.pause, "已暂停 paused", "Send the receiver of ID nothing until it is resumed.")
_step(
    "resume",
    desk.resume,
    "已恢复推送 resumed",
    "Go on with the receiver of ID that was paused or stopped, and try again at once what failed.",
)
_step("end", desk.end_subscription, "已终止 ended", "End the subscription of ID for good.")


def _row(one: Subscription, fmt: Format) -> dict[str, Any]:
    why = one.stopped_why and halves(one.stopped_why)
    return asdict(one) | {"state": one.state, "stopped_why": why and (str(why) if fmt == "table" else why.en)}


def _sent(sent: Sent, fmt: Format) -> dict[str, Any]:
    one, answer = sent.subscription, sent.answer
    why = answer.problem and (str(answer.problem) if fmt == "table" else answer.problem.en)
    place = {"id": one.id, "receiver": one.receiver, "state": one.state}
    return place | {"until": sent.until, "items": sent.items, "status": answer.status, "problem": why}
