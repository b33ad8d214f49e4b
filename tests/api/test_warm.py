"""A worker has read what pages need before anybody asks for one."""

from __future__ import annotations

import pytest
from flask import Flask

from api.app import create_app
from api.settings import Settings
from api.worker import warm
from fixtures.small import small_store
from rules import identity
from rules.library import loader
from rules.titles import Title
from scoring.access.keys import Role, create_key
from scoring.store import StoreError, packs


@pytest.fixture
def app() -> Flask:
    """An application that nobody has asked."""
    return create_app(Settings(log_level="error"), small_store())


def test_a_warm_worker_reads_no_pack_and_compiles_no_template_for_a_first_page(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = create_key(app.extensions["store"], Role.REGULATOR, "样例").token
    for kept in (packs.loaded, loader._cached, identity._identity):
        kept.cache_clear()
    warm(app)
    monkeypatch.setattr(packs, "load_kept", None)
    monkeypatch.setattr(loader, "load_kept", None)
    monkeypatch.setattr(identity, "canonical", None)
    monkeypatch.setattr(app.jinja_env, "compile", None)
    client = app.test_client()
    client.get("/sign-in")
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"], "key": token}
    assert client.post("/sign-in", data=form).status_code == 303
    assert client.get("/overview").status_code == 200
    assert client.get("/rules").status_code == 200


def test_a_store_that_can_not_be_read_keeps_no_worker_from_starting(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(store: object) -> None:
        raise StoreError(Title("数据库不可用", "the store is gone"))

    monkeypatch.setattr("api.worker.current_runs", refused)
    warm(app)
