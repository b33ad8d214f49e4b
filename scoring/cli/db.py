"""``xinheng db``: the store itself."""

from __future__ import annotations

from contextlib import closing

import click

from scoring.cli.options import database_option
from scoring.store import create_store


@click.group("db")
def db_group() -> None:
    """Make the store, or bring it up to date."""


@db_group.command("upgrade")
@database_option
def upgrade(database: str | None) -> None:
    """Make the store where there is none, and bring its tables up to date.

    Example: xinheng db upgrade --database postgresql://user@host/xinheng
    """
    with closing(create_store(database)) as store:
        click.echo(f"{store.address}: 已是最新 up to date")
