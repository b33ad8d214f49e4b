"""The store's schema over time: bring it up to date, or say that it isn't.

A module that declares tables is imported here, so that :data:`METADATA` holds them all; the migration that
makes them is the next file in ``migrations/versions``.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from scoring.store import access as _access  # noqa: F401
from scoring.store import inspections as _inspections  # noqa: F401
from scoring.store import live as _live  # noqa: F401
from scoring.store import models as _models  # noqa: F401
from scoring.store import problems as _problems  # noqa: F401
from scoring.store.base import Base
from scoring.store.errors import StoreError

METADATA = Base.metadata
_UPGRADE_LOCK = 0x58494E48  # any constant: it keeps two upgrades of one PostgreSQL database apart


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to the newest revision, in one transaction; nothing happens where it is there already.

    :raises StoreError: where the database is of a newer Xinheng.
    """
    config = _config()
    with engine.execution_options(writing=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
        config.attributes.update(connection=connection, metadata=METADATA)
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(_newer(engine, found_revision(engine))) from error


def require_current(engine: sa.Engine) -> None:
    """Check that the schema is the one this version of Xinheng works with.

    :raises StoreError: naming the revision found, the one needed and the command that helps.
    """
    found, scripts = found_revision(engine), ScriptDirectory.from_config(_config())
    needed = scripts.get_current_head()
    if found == needed:
        return
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(_newer(engine, found))
    raise StoreError(
        f"the store {address(engine.url)} is at revision {found or 'none (no tables yet)'}; "
        f"this version of Xinheng needs {needed}. Run: xinheng db upgrade"
    )


def found_revision(engine: sa.Engine) -> str | None:
    """The revision that a database is at; None where it has none."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def address(url: sa.URL) -> str:
    """A database's address as it may be shown: without password and parameters."""
    return url.set(query={}).render_as_string(hide_password=True)


def _newer(engine: sa.Engine, found: str | None) -> str:
    needed = ScriptDirectory.from_config(_config()).get_current_head()
    return (
        f"the store {address(engine.url)} is at revision {found}, unknown to this version of Xinheng, "
        f"which needs {needed}. Install the Xinheng that made it, or `xinheng db upgrade` another database"
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
