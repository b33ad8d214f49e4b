"""A store of before the leases and claims comes up with what it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command

from scoring.access.keys import get_key
from scoring.runs.jobs import get_job, take_lease
from scoring.store import Store, create_store
from scoring.store.access import ApiKey, KeptAnswer, RunJob
from scoring.store.base import Base, table_of
from scoring.store.connection import _connect, parse_url
from scoring.store.schema import _config

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def upgraded(database_url: str) -> Iterator[Store]:
    """A store that was filled at revision 0005, brought up to date."""
    old, config = _connect(parse_url(database_url), make=True), _config()
    with old.engine.execution_options(writing=True).begin() as connection:
        config.attributes.update(connection=connection, metadata=None)
        command.upgrade(config, "0005")
        fixed = {"secret_hash": "x", "role": "operator", "owner": "x", "created_at": NOW}
        for prefix, expires_at, revoked_at in (
            ("going on", None, NOW + DAY),
            ("ends before", NOW + DAY / 2, NOW + DAY),
            ("revoked", None, NOW - DAY),
        ):
            ends = {"expires_at": expires_at, "revoked_at": revoked_at}
            _insert(connection, ApiKey, prefix=prefix, **fixed, **ends)
        answer = {"request_hash": "x", "status": 201, "body": "{}", "kept_at": NOW}
        _insert(connection, KeptAnswer, api_key="going on", idempotency_key="k-1", **answer)
        asked = {"as_of": NOW.date(), "requested_by": "x", "requested_at": NOW, "changed_at": NOW}
        for number, state in ((1, "published"), (2, "grading")):
            _insert(connection, RunJob, id=number, pack_id="x", state=state, **asked)
    old.close()
    store = create_store(database_url)
    yield store
    store.close()


def _insert(connection: sa.Connection, model: type[Base], **values: object) -> None:
    """A row with these columns alone: the others were not there yet."""
    connection.execute(sa.insert(table_of(model)).values(values))


def test_what_was_kept_is_kept(upgraded: Store) -> None:
    with upgraded.reading() as session:
        kept = session.get_one(KeptAnswer, ("going on", "k-1"))
        assert (kept.status, kept.body, kept.claim) == (201, "{}", None)
    assert get_job(upgraded, 1).state == "published"


def test_a_job_of_before_holds_nobody_up(upgraded: Store) -> None:
    assert get_job(upgraded, 2).state == "failed"
    with upgraded.writing() as session:  # the numbers of the jobs above were given by hand
        session.execute(sa.delete(RunJob))
    assert take_lease(upgraded, "enterprise-credit", NOW.date(), "x").state == "queued"


def test_a_replaced_key_goes_on_to_the_end_of_its_overlap(upgraded: Store) -> None:
    found = {name: get_key(upgraded, name) for name in ("going on", "ends before", "revoked")}
    assert {name: key.state for name, key in found.items()} == {
        "going on": "active",
        "ends before": "active",
        "revoked": "revoked",
    }
    assert found["going on"].expires_at == NOW + DAY
    assert found["ends before"].expires_at == NOW + DAY / 2
