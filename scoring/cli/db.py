"""``xinheng db``: the store itself."""

from __future__ import annotations

from contextlib import closing

import click

from scoring.cli.options import database_option
from scoring.cli.output import tell
from scoring.store import StoreError, create_store, open_store
from scoring.store.revision import OlderStoreError, found_revision


@click.group("db")
def db_group() -> None:
    """Make the store, or bring it up to date."""


@db_group.command("upgrade")
@database_option
def upgrade(database: str | None) -> None:
    """Make the store where there is none, and bring its tables up to date.

    Example: xinheng db upgrade --database postgresql://user@host/xinheng
    """
    before = _revision(database)
    with closing(create_store(database)) as store:
        tell(f"{store.address}: {_done(before, found_revision(store.engine))}", err=False)


def _revision(database: str | None) -> str | None:
    """What a store is at; None where there is none, or none that can be read."""
    try:
        with closing(open_store(database)) as store:
            return found_revision(store.engine)
    except OlderStoreError as error:
        return error.found
    except StoreError:
        return None


def _done(before: str | None, now: str | None) -> str:
    if before is None:
        return f"已建立 made, at revision {now}"
    if before != now:
        return f"已从 {before} 升级至 {now} brought from revision {before} to {now}"
    return f"已是最新 up to date already, at revision {now}"
