"""``xinheng keys``: who may use the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from scoring.access import identities, keys
from scoring.access.identities import WrongIdentityError
from scoring.access.keys import Key, KeyNotFoundError, NewKey, Role, WrongKeyError
from scoring.cli.acting import me
from scoring.cli.options import database_option
from scoring.cli.output import Format, listing_options, print_rows, tell
from scoring.store import Store, open_store

COLUMNS = {
    "prefix": "前缀 prefix",
    "role": "角色 role",
    "owner": "持有人 owner",
    "organisation": "单位 organisation",
    "state": "状态 state",
    "created_at": "创建 created",
    "expires_at": "到期 expires",
    "person": "登录标识 person",
}
ISSUER_VARIABLE = "XINHENG_OPENID_ISSUER"


class Issuer(click.ParamType[str]):
    """The address of a provider of OpenID Connect."""

    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return identities.checked_issuer(value)
        except WrongIdentityError as error:
            self.fail(str(error.title), param, ctx)


issuer_option = click.option(
    "--issuer",
    required=True,
    envvar=ISSUER_VARIABLE,
    type=Issuer(),
    help=f"The provider's address; by default {ISSUER_VARIABLE}, as the server has it.",
)


@click.group("keys")
def keys_group() -> None:
    """Make, list, replace and end the keys of the API."""


@keys_group.command("create")
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in Role]), help="What it opens."
)
@click.option("--owner", required=True, help="Who holds the key.")
@click.option(
    "--organisation",
    help="Of a department's or lender's key: which one; of a subject's: its number; of a regulator's: its "
    "office, if any, on whose records it decides no objection.",
)
@click.option("--days", type=click.IntRange(1, 3660), help="For how long it works; by default without end.")
@database_option
def create(role: str, owner: str, organisation: str | None, days: int | None, database: str | None) -> None:
    """Make a key. It is printed once; the store holds its hash alone.

    Example: xinheng keys create --role regulator --owner 信用办 --days 365
    """
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(days=days) if days else None
    with _store(database) as store:
        try:
            new = keys.create_key(store, Role(role), owner, organisation, expires, me())
        except WrongKeyError as error:
            raise click.UsageError(str(error.title)) from None
    _print_new(new)


@keys_group.command("admit")
@click.argument("prefix")
@click.argument("person")
@issuer_option
@database_option
def admit(prefix: str, person: str, issuer: str, database: str | None) -> None:
    """Let a person of the OpenID Connect provider sign in to a key, instead of whoever could before.

    PERSON is what the provider calls the person (sub). Who has signed in there and was not let in here is
    shown it.

    Example: xinheng keys admit ykrsi9h9ie 7f3a9c52 --issuer https://id.example.cn
    """
    with _store(database) as store:
        try:
            key = identities.admit(store, issuer, person, prefix, me())
        except WrongIdentityError as error:
            raise click.UsageError(str(error.title)) from None
    tell(f"{key.prefix}: {key.owner} 可统一身份认证登录 may sign in as {person}", err=False)


@keys_group.command("list")
@database_option
@listing_options
def list_command(database: str | None, fmt: Format) -> None:
    """List the keys, without their secrets.

    Example: xinheng keys list --format json
    """
    with _store(database) as store:
        persons = identities.admitted(store)
        rows = ({**_row(key), "person": persons.get(key.prefix)} for key in keys.list_keys(store))
        print_rows(rows, COLUMNS, fmt, {"role": keys.ROLE_TITLES, "state": keys.STATE_TITLES})


@keys_group.command("revoke")
@click.argument("prefix")
@database_option
def revoke(prefix: str, database: str | None) -> None:
    """End a key; a running server takes it no longer than some seconds more.

    Example: xinheng keys revoke ykrsi9h9ie
    """
    with _store(database) as store:
        key = keys.revoke_key(store, prefix, me())
    tell(f"{key.prefix}: 已吊销 revoked", err=False)


@keys_group.command("rotate")
@click.argument("prefix")
@click.option(
    "--overlap-hours",
    default=0,
    show_default=True,
    type=click.IntRange(0, 720),
    help="How long the old one still works.",
)
@database_option
def rotate(prefix: str, overlap_hours: int, database: str | None) -> None:
    """Replace a key by a new one; the old one may go on working for some hours.

    While the new one works it is the one to replace: then the oldest works to the end of its own hours.

    Example: xinheng keys rotate ykrsi9h9ie --overlap-hours 24
    """
    with _store(database) as store:
        new = keys.rotate_key(store, prefix, dt.timedelta(hours=overlap_hours), me())
    _print_new(new)


def _print_new(new: NewKey) -> None:
    """The token alone on standard output, for a pipe."""
    if new.doubt:
        tell(f"请核对 to be checked: {new.doubt}")
    tell(f"{new.key.prefix}: {new.key.role}, 只显示一次 shown this once:")
    click.echo(new.token)


def _row(key: Key) -> dict[str, object]:
    return {name: getattr(key, name) for name in COLUMNS if name != "person"}


@contextmanager
def _store(database: str | None) -> Iterator[Store]:
    with closing(open_store(database)) as store:
        try:
            yield store
        except KeyNotFoundError as error:
            raise click.ClickException(str(error.told)) from None
