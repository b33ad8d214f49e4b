"""A store of before the log was looked up by what its entries say comes up with the indexes."""

from __future__ import annotations

from contextlib import closing

import sqlalchemy as sa
from alembic import command

from scoring.access.audit import Event, append, entries_of, verify
from scoring.store import Store, create_store
from scoring.store.connection import _connect, parse_url
from scoring.store.schema import _config

NEW = {"ix_audit_entries_lender", "ix_audit_entries_office", "ix_audit_entries_file"}


def test_the_checks_of_before_are_found_by_their_lender(database_url: str) -> None:
    old, config = _connect(parse_url(database_url), make=True), _config()
    with old.engine.execution_options(writing=True).begin() as connection:
        config.attributes.update(connection=connection, metadata=None)
        command.upgrade(config, "0032")
    with closing(old):
        assert not NEW & _indexes(old)
        said = [{"lender": "甲银行"}, {"lender": "乙银行"}, {"other": [1]}]
        with old.writing() as session:
            append(session, [Event("x", "lender", "lender.check", details=one) for one in said])
    with closing(create_store(database_url)) as store:
        assert _indexes(store) >= NEW
        assert [entry.seq for entry in entries_of(store, ["lender.check"], "lender", ["甲银行"], 9)] == [1]
        assert verify(store).faults == ()


def _indexes(store: Store) -> set[str]:
    catalogue = (
        "SELECT name FROM sqlite_master WHERE type = 'index'"
        if store.is_sqlite
        else "SELECT indexname FROM pg_indexes"
    )
    with store.reading() as session:
        return set(session.scalars(sa.text(catalogue)))
