"""`xinheng db upgrade` says what it has done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.config import Config
from click.testing import Result

from scoring.store import open_store, schema
from scoring.store.connection import parse_url
from scoring.store.revision import found_revision

Command = Callable[..., Result]


def test_a_store_is_made_and_then_up_to_date(command: Command, database_url: str) -> None:
    made = command("db", "upgrade", "--database", database_url)
    again = command("db", "upgrade", "--database", database_url)
    newest = _newest(database_url)
    assert made.stdout.endswith(f": 已建立 made, at revision {newest}\n")
    assert again.stdout.endswith(f": 已是最新 up to date already, at revision {newest}\n")


def test_an_older_store_is_brought_up_to_date(command: Command, database_url: str) -> None:
    _make_older(database_url, "0003")
    done = command("db", "upgrade", "--database", database_url)
    newest = _newest(database_url)
    assert done.stdout.endswith(f": 已从 0003 升级至 {newest} brought from revision 0003 to {newest}\n")


@pytest.mark.parametrize("there", ["a directory", "a text"])
def test_what_is_no_store_is_left_alone(command: Command, tmp_path: Path, there: str) -> None:
    path = tmp_path / "notes"
    path.mkdir() if there == "a directory" else path.write_text("minutes of a meeting. " * 100)
    done = command("db", "upgrade", "--database", f"sqlite:///{path}")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "notes failed" in done.stderr


def _newest(url: str) -> str | None:
    store = open_store(url)
    try:
        return found_revision(store.engine)
    finally:
        store.close()


def _make_older(url: str, revision: str) -> None:
    """The store as an older release would have made it."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine(parse_url(url))
    with engine.begin() as connection:
        config.attributes.update(connection=connection, metadata=schema.METADATA)
        alembic.command.upgrade(config, revision)
    engine.dispose()
